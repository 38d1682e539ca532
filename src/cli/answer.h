/* Answers: the outputs of one row as a line of text, JSON or CSV. */
#ifndef UC_CLI_ANSWER_H
#define UC_CLI_ANSWER_H

#include "cli/cli.h"
#include "contract/labels.h"

typedef struct cli_answers {
    const cli_options *options;
    const uc_tensor *classes; /* meaning of probability columns; may be NULL */
    uc_labels labels;         /* of --labels; count 0: none */
    bool labels_given;        /* by --labels: they name columns of scores too */
    const char **names;       /* of the outputs */
    int count;
    uc_writer *out;
    bool header_written; /* CSV */
    size_t columns;      /* of the CSV between input and error */
    uc_arena *arena;
    struct cli_failure *failures; /* that came before the CSV's header could */
    size_t failure_count, failure_capacity;
} cli_answers;

typedef struct cli_failure {
    const char *input, *what;
} cli_failure;

/* One line for row `r` of the outputs. */
void cli_answer(cli_answers *answers, const char *input, const uc_tensor *const *outputs,
                int64_t r);
/* An input that failed: an object in JSON, a record in CSV (the line on standard error is the
 * caller's). */
void cli_answer_error(cli_answers *answers, const char *input, const uncork_error *error);
/* After the last input: the failures of a CSV in which nothing succeeded. */
void cli_answer_end(cli_answers *answers);

#endif
