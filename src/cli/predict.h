/* What predict's files share: the model being asked, and how a run's outputs become answers. */
#ifndef UC_CLI_PREDICT_H
#define UC_CLI_PREDICT_H

#include "base/thread.h"
#include "cli/answer.h"
#include "contract/contract.h"

/* Outputs that are answered; a model with more answers the first of them. */
#define CLI_OUTPUTS 64

typedef struct predictor {
    const cli_options *options;
    uc_arena *arena; /* of the whole command */
    uncork_file *file;
    uncork_model *model;
    uncork_session *session;
    uncork_pool *pool;
    const uc_contract *contract; /* made when the first picture comes */
    uc_contract_want want;
    uc_budget held;            /* pictures and answers at once, of all threads */
    bool network;              /* answers by readings */
    bool one_a_run;            /* a free batch axis that the graph doesn't keep free */
    uc_post_output *described; /* [answers.count], of a network */
    const uc_tensor *keys;     /* of maps (ZipMap): what the columns mean */
    const char *labels_from;   /* where the labels stood; NULL: none */
    uc_findings notes;
    cli_answers answers;
    uc_writer out;
    struct cli_drawer *drawer; /* --draw, --sheet; NULL: neither */
    uc_arena *kept_arena;      /* for `kept`; NULL where standard input isn't drawn on */
    uc_bytes kept;             /* what standard input held */
    uint64_t begin_ns, opened_ns, ready_ns;
    size_t inputs, done, failed;
    int loaders;       /* threads that loaded pictures */
    uint64_t shown_at; /* when the progress line was last written */
    bool progress;     /* one is on the screen */
    bool refused;      /* the options don't fit what the first run gave */
    bool stopped;      /* standard output is gone, or the work was cancelled */
    bool trying;       /* failures are counted, not printed */
} predictor;

/* Opens the model and gets it ready to answer; prints a failure and returns its exit status. What it
 * has by then predict_close gives back. */
int predict_open(predictor *p);
void predict_close(predictor *p);
/* An input that failed: a line on standard error, an object or a record where asked. */
void predict_fail(predictor *p, const char *input, const uncork_error *error);
/* Inputs of one run. */
typedef struct predict_run {
    uncork_value **values; /* one a model input; NULL for predict_answer */
    int64_t height, width; /* of the model's pictures; 0: as its input's shape says */
    const char *const *names;
    const char *const *paths;    /* of pictures; NULL: rows */
    const uc_post_place *places; /* NULL: not known */
    int64_t count;               /* answered */
    int64_t batch;               /* rows of the run: more than `count` where the batch is fixed */
} predict_run;
/* Runs and answers; every input's failure is printed. UNSUPPORTED, with nothing printed, when a run of
 * more than one picture failed or gave no row each: the caller then runs one by one
 * (p->one_a_run). */
uncork_status predict_run_all(predictor *p, const predict_run *run);
/* Answers a network's run that somebody else made; every input's failure is printed. */
void predict_answer(predictor *p, const predict_run *run, const uc_tensor *const *outputs);
/* Rows of one run: what the model was made for (*fixed), else --batch, else as many as are worth it, at
 * most `most`. */
int64_t predict_batch_size(const predictor *p, int64_t most, bool *fixed);
/* "312 of 1000" on a terminal, at most ten times a second. */
void predict_progress(predictor *p);
void predict_progress_end(predictor *p);

/* predict_rows.c */
bool predict_is_rows(const char *path);
void predict_rows(predictor *p, const char *path);
/* predict_pictures.c: pictures paths[0..count). A failure is the caller's (no contract, no picture
 * model), before any work. */
uncork_status predict_pictures(predictor *p, char **paths, size_t count, uncork_error *error);
/* predict_bytes.c: the input that takes a picture's file as a string, -1: there is none; whether it takes
 * it as a tf.Example. */
int predict_bytes_input(const uncork_model *model);
bool predict_takes_example(const uncork_model *model, int input);
uncork_status predict_bytes(predictor *p, int input, char **paths, size_t count,
                            uncork_error *error);
/* predict_labels.c: --labels, the file's own, those of the preset; checked against the classes. Prints
 * a mistake and returns its exit status. */
int predict_labels(predictor *p);
/* Once the readings are known: N labels against M classes. */
uncork_status predict_check_labels(predictor *p, uncork_error *error);

#endif
