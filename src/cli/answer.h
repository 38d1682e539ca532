/* Answers: what the outputs say about one input, as a line of text, JSON or CSV.
 *
 * Classic models (scikit-learn, xgboost, lightgbm, classifiers of ai.onnx.ml) answer with named tables
 * of known meaning: answer_table.c. Networks answer by readings (contract/post.h): one row of
 * answer_kinds.def a kind of reading. */
#ifndef UC_CLI_ANSWER_H
#define UC_CLI_ANSWER_H

#include "base/json.h"
#include "base/table.h"
#include "cli/cli.h"
#include "contract/detect.h"
#include "contract/labels.h"
#include "contract/post.h"

typedef struct cli_failure {
    const char *input, *what;
} cli_failure;

/* One input of a run: row `row` of `batch`. */
typedef struct cli_input {
    const char *name; /* as it was given: a path, or "rows.csv:3" */
    const char *path; /* of a picture; NULL: a row of numbers */
    int64_t batch, row;
    const uc_tensor *const *outputs; /* of the run, one a model output */
    const char *stem;                /* a file's name for it, without ending, its own */
    int64_t width, height;           /* of the pictures of the run; 0: not known */
    const uc_post_place *place;      /* where the picture lies in the model's; NULL: not known */
} cli_input;

struct cli_answers;
/* What became of one input, before anything is printed: made[i] belongs to readings[i]; NULL for a
 * classic model. A failure is that input's. */
typedef uncork_status (*cli_answered_fn)(void *context, const struct cli_answers *answers,
                                         const cli_input *input, void *const *made, uc_arena *arena,
                                         uncork_error *error);

typedef struct cli_answers {
    const cli_options *options;
    uc_writer *out;
    uc_budget *budget;              /* of an answer's own memory */
    uc_arena *arena;                /* of the command */
    const uc_tensor *classes;       /* classic: meaning of probability columns; may be NULL */
    uc_labels labels;               /* count 0: none */
    int label_output, score_output; /* of a classifier of ai.onnx.ml; -1: by their names */
    bool labels_given;              /* by --labels: they name columns of scores too */
    const char **names;             /* of the outputs */
    int count;
    uc_reading *readings; /* [count], made after the first run; NULL for classic models */
    int shown;            /* readings that aren't a part of another */
    uc_post_options post;
    uc_detector detector;     /* of a reading DETECT */
    uc_findings *notes;       /* of single answers */
    bool screen;              /* standard output is a terminal that gets laid-out text */
    bool one_line;            /* of a screen: only the best class, many inputs */
    int columns;              /* of the terminal */
    size_t name_width;        /* of the longest input's name, for one-line screens */
    cli_answered_fn answered; /* draws, counts, ...; NULL: nothing */
    void *answered_context;
    bool silent;     /* nothing is printed: `answered` has it all */
    uc_table *stems; /* of files written so far */
    /* CSV: */
    bool header_written;
    size_t csv_columns;    /* between input and error */
    cli_failure *failures; /* that came before the header could */
    size_t failure_count, failure_capacity;
} cli_answers;

/* One line for one input; a failure is that input's, nothing is printed then. */
uncork_status cli_answer(cli_answers *answers, const cli_input *input, uncork_error *error);
/* An input that failed: an object in JSON, a record in CSV (the line on standard error is the
 * caller's). */
void cli_answer_error(cli_answers *answers, const char *input, const uncork_error *error);
/* After the last input: the failures of a CSV in which nothing succeeded. */
void cli_answer_end(cli_answers *answers);

/* ---- a kind of reading -------------------------------------------------------------------- */

typedef struct cli_answer_kind {
    uc_post_kind kind;
    /* Decodes one input's answer into the arena; INPUT when there is none. */
    uncork_status (*make)(const cli_answers *a, const uc_reading *reading, const cli_input *input,
                          uc_arena *arena, void **made, uncork_error *error);
    /* The rest of the input's line: "tabby 0.8731, tiger cat 0.0912". */
    void (*text)(const cli_answers *a, const uc_reading *reading, const void *made);
    /* Indented lines for a terminal; NULL: the text. */
    void (*screen)(const cli_answers *a, const uc_reading *reading, const void *made);
    /* Keys and values into the open object. */
    void (*json)(const cli_answers *a, const uc_reading *reading, const void *made,
                 uc_json_writer *json);
    /* Column names, then cells, a comma before each; returns how many. */
    size_t (*csv_head)(const cli_answers *a, const uc_reading *reading, const void *made);
    void (*csv)(const cli_answers *a, const uc_reading *reading, const void *made);
    bool named; /* the output's name stands before the text even when it is the only one */
} cli_answer_kind;

#define ANSWER(symbol) extern const cli_answer_kind cli_answer_##symbol;
#include "cli/answer_kinds.def"
#undef ANSWER

/* The row of answer_kinds.def for a reading, NULL for a part of another. */
const cli_answer_kind *cli_answer_kind_of(const uc_reading *reading);

/* ---- shared by the kinds ---------------------------------------------------------------------- */

/* answer_files.c: writes DIR/STEM.ENDING (DIR/STEM_OUTPUT.ENDING where the model has several outputs)
 * into the folder of --output. */
uncork_status cli_write_beside(const cli_answers *a, const uc_reading *reading,
                               const cli_input *input, const char *ending, const uc_writer *bytes,
                               uc_arena *arena, const char **path, uncork_error *error);
/* answer_table.c: the classic answer. */
void cli_answer_table(cli_answers *a, const char *input, const uc_tensor *const *outputs,
                      int64_t r);
/* What a classic answer says. */
typedef struct cli_table {
    uc_str label;            /* of the class, or the number of a regression; empty: none */
    struct cli_class *items; /* columns that are classes, the label's first, then the best */
    size_t count;            /* 0: no scores */
    bool probabilities;
} cli_table;
uncork_status cli_table_of(const cli_answers *a, const cli_input *input, uc_arena *arena,
                           cli_table *table, uncork_error *error);
/* The name of a classic model's class, text[32] for a number. */
uc_str cli_table_class(const cli_answers *a, int64_t index, char text[32]);
/* answer_csv.c */
void cli_csv_cell(uc_writer *out, uc_str s);
/* Headings of an output, each behind a comma, with its name in front where there are several; how many. */
size_t cli_csv_headings(const cli_answers *a, const uc_reading *reading, const char *const *names);
void cli_csv_failures(cli_answers *a);
/* answer_classes.c: the name of class `index`, text[32] for a number. */
uc_str cli_class_name(const cli_answers *a, const uc_reading *reading, int64_t index,
                      char text[32]);
/* A class and its score; made by classify and multilabel: best first. */
typedef struct cli_class {
    int64_t index;
    double score;
} cli_class;
typedef struct cli_classes {
    cli_class *items;
    size_t count;   /* after --top and --threshold */
    double *scores; /* of every class */
    int64_t all;
    const uc_tensor
        *names; /* of every class, as the graph gave them with the scores; NULL: it didn't */
} cli_classes;
/* The name of one of them, text[32] for a number. */
uc_str cli_class_of(const cli_answers *a, const uc_reading *reading, const cli_classes *classes,
                    int64_t index, char text[32]);
/* Made by segment. */
typedef struct cli_segments {
    uc_mask mask;
    cli_class *items; /* classes in the picture, largest share first; score: share */
    size_t count;
    const char *path; /* of the mask written; NULL: none */
} cli_segments;
/* Made by keypoints. */
typedef struct cli_points {
    uc_point *items;
    int64_t count;
} cli_points;

/* Made by detect. */
typedef struct cli_boxes {
    const char *input; /* its name: CSV has a record a box */
    uc_detections found;
} cli_boxes;
/* answer_detect.c: names that a detector's classes go by where none were given, and COCO's with the gaps
 * of its ids where those were. Says so. */
void cli_box_labels(cli_answers *a);
/* The name of a box's class, text[32] for a number. */
uc_str cli_box_name(const cli_answers *a, int64_t id, char text[32]);

/* answer_text.c: a screen's line of a class: name, per cent, bar. */
void cli_screen_bar(const cli_answers *a, uc_str name, size_t name_width, double share, bool raw);
/* The name, filled or cut to `width` columns. */
void cli_put_name(uc_writer *out, uc_str name, size_t width);
/* Begins line i of a screen below an input's name, or below an output's. */
void cli_screen_line(const cli_answers *a, size_t i);
/* Columns `s` takes on a terminal. */
size_t cli_text_width(uc_str s);
/* Whether standard output is a terminal that can show it, how wide it is. */
void cli_screen_of(cli_answers *a);

#endif
