/* uncork evaluate: what is true of each picture, what the model said, and the figures. */
#ifndef UC_CLI_EVALUATE_H
#define UC_CLI_EVALUATE_H

#include "cli/predict.h"
#include "contract/score.h"

#define EVALUATE_NONE UINT32_MAX

typedef struct evaluate_item {
    size_t label;    /* index into truth.labels */
    uint32_t answer; /* class; NONE: the picture failed */
    double score;    /* NaN: none */
} evaluate_item;

/* What is true. */
typedef struct evaluate_truth {
    char **paths; /* [count] */
    evaluate_item *items;
    size_t count, capacity, path_capacity;
    uc_str *labels; /* names of folders, words of the table; sorted for folders */
    uint32_t *ids;  /* [label_count] the class each means; NONE: none */
    size_t label_count, label_capacity;
    bool folders; /* else a table */
    bool rows;    /* a table of the inputs themselves, with a column of labels */
    size_t loose; /* pictures beside the folders */
} evaluate_truth;

/* evaluate_truth.c: a folder of a folder a class, a table of paths and labels, or one of rows with a
 * column of labels. */
uncork_status evaluate_read(const char *path, uc_arena *arena, evaluate_truth *truth,
                            uncork_error *error);
/* Which class each label means: by its name (case, '_' and '-' aside; before the first comma too), by
 * its number, or, when folders have no name of the model's and are as many as its classes, by their
 * order, which is noted. INPUT when none means a class. */
uncork_status evaluate_match(evaluate_truth *truth, const uc_str *classes, size_t class_count,
                             bool named, uc_arena *arena, uc_findings *notes, uncork_error *error);

/* evaluate_classes.c: the classifier among a network's readings; -1: there is none. */
int evaluate_classifier(const cli_answers *answers);
/* The names of its `count` classes, in the arena (reading < 0: of a classic model), and whether any is more
 * than a number. */
uncork_status evaluate_names(const cli_answers *answers, int reading, size_t count, uc_arena *arena,
                             uc_str **names, bool *named, uncork_error *error);

/* Everything of one evaluation. */
typedef struct evaluation {
    predictor p;
    evaluate_truth truth;
    uc_arena *arena;
    uc_str *classes; /* names, once the first answer came */
    size_t class_count;
    uc_score score;
    size_t next;        /* truth.paths before it have been answered or failed */
    bool matched;       /* labels with classes */
    size_t best;        /* top-5 */
    uncork_error error; /* why it ended early */
    uc_report report;
} evaluation;

/* evaluate_report.c: text, --json or --csv on standard output. */
void evaluate_print(const evaluation *e, uc_writer *out);
void evaluate_put_json(const evaluation *e, uc_writer *out);
/* DIR/confusion.png, predictions.csv and report.json. */
uncork_status evaluate_write(const evaluation *e, const char *folder, uncork_error *error);

/* evaluate_boxes.c: of a detector, against COCO's JSON. */
int evaluate_boxes(const cli_options *options, uc_arena *arena);

#endif
