/* What the commands share: options, exit codes, reports, inputs. */
#ifndef UC_CLI_CLI_H
#define UC_CLI_CLI_H

#include "base/writer.h"
#include "cli/rows.h"
#include "model/model.h"

#include <stdio.h>

enum {
    EXIT_OK = 0,
    EXIT_INPUT = 1, /* some or all inputs failed */
    EXIT_USAGE = 2,
    EXIT_MODEL = 3, /* the model can't be used */
    EXIT_FILE = 4,  /* no such model file, or it can't be read */
    EXIT_INTERRUPTED = 130,
};

typedef struct cli_options {
    const char *command;
    const char **arguments; /* the words that are no options, in order */
    size_t argument_count;
    const char **inputs; /* --input */
    size_t input_count;
    const char *code; /* FILE.py:CLASS of the network */
    const char *output, *labels, *method, *signature, *preprocess, *dump_graph, *disable_pass;
    const char *graph;      /* inspect: the picture of the layers, .svg */
    const char *sign, *key; /* PEM files: pack signs by one, verify checks by the other */
    const char *draw, *sheet, *draw_style, *arch;
    const char *model;             /* of preprocess */
    const char *task, *activation; /* --task, --activation; NULL: as the outputs say */
    double threshold;              /* NaN: the task's own */
    double nms;                    /* NaN: the detector's own */
    int64_t max_boxes;             /* 0: the detector's own, at most 200 */
    int64_t top;                   /* 0: all */
    bool top_given;
    int64_t batch, threads;
    uncork_limits limits;
    bool fast; /* --precision */
    uncork_kernels kernels;
    bool agnostic;
    bool json, csv, quiet, timing, raw, scaled, help, version;
} cli_options;

/* Parses the words after the command; prints the mistake and returns EXIT_USAGE on one. */
int cli_parse(int argc, char **argv, uc_arena *arena, cli_options *options);

typedef struct cli_command {
    const char *name;
    int (*run)(const cli_options *options, uc_arena *arena);
    const char *usage, *summary;
} cli_command;

/* graph_svg.c: writes the layers and what leads where as a picture under options->graph. */
int cli_graph_picture(const cli_options *options, const uncork_file *file, uc_arena *arena);

#define COMMAND(name, usage, summary) int cmd_##name(const cli_options *options, uc_arena *arena);
#include "cli/command_table.def"
#undef COMMAND

/* Set by Ctrl-C; every long call looks at it. */
extern volatile int cli_cancelled;

/* ---- report.c ---- */

/* The one line on standard error for a failure; where, offset and fix included. */
void cli_print_error(const uncork_error *error);
/* Exit status of a failure of opening or preparing a model. */
int cli_model_exit(const uncork_error *error);
/* Prints the error and returns its exit status. */
int cli_fail_model(const uncork_error *error);
int cli_usage(const char *format, ...) UC_PRINTF(1, 2);
/* Notes of success, unless --quiet. */
void cli_print_findings(const cli_options *options, const uc_findings *findings);
void cli_note(const cli_options *options, const char *format, ...) UC_PRINTF(2, 3);
/* Writes the buffer to standard output; false when that fails. */
bool cli_flush(uc_writer *out);

/* ---- cmd_preprocess.c ---- */

/* Every preset and its steps, one a line: what --preprocess list prints, whatever the command. */
int cli_list_presets(const cli_options *options);

/* ---- load.c ---- */

/* Opens the first argument; prints the failure and returns its exit status. */
int cli_open(const cli_options *options, uncork_file **file);
/* Checks --method, prepares the entry for these arrays (NULL: not known yet), dumps the graph when
 * asked. */
struct cli_arrays;
int cli_prepare(const cli_options *options, const uncork_file *file,
                const struct cli_arrays *arrays, uc_arena *arena, uncork_model **model);

/* ---- fast.c ---- */

/* What --precision fast changed. */
typedef struct cli_fast {
    size_t shorter, nodes; /* nodes that compute in bfloat16, of all */
    double moved; /* largest difference of an output, by the largest number; < 0: not known */
} cli_fast;

cli_fast cli_fast_of(const uncork_model *model);
/* Says so where it was asked for and changed nothing. */
void cli_fast_note(const cli_options *options, const uncork_model *model);
/* Runs the exact model on the same inputs: how far the outputs of the session's last run are from it.
 * Prints a failure and returns its exit status. */
int cli_fast_compare(const cli_options *options, const uncork_file *file, uc_arena *arena,
                     const uncork_session *session, const uncork_value *const *inputs, int count,
                     double *moved);

/* ---- inputs.c ---- */

typedef struct cli_array {
    const char *name; /* NULL: not named */
    const char *path;
    const uc_tensor *tensor; /* or */
    const cli_rows *rows;
} cli_array;

typedef struct cli_arrays {
    cli_array *items;
    size_t count, capacity;
} cli_arrays;

/* Reads one [NAME=]PATH (.npy, .npz, .csv, .json by content) and adds its arrays. `known` are the
 * model's column names, may be NULL. */
uncork_status cli_read_input(const char *argument, const uc_tensor *known, uc_arena *arena,
                             uc_budget *budget, cli_arrays *arrays, uncork_error *error);
/* made_inputs.c: numbers for every input, free dimensions as `batch` says (the first; 0: 1) or 1. USAGE
 * for one that can't be made up: of texts, of any rank. */
uncork_status cli_make_inputs(const uncork_model *model, int64_t batch, uc_arena *arena,
                              cli_arrays *arrays, uncork_error *error);
/* The first input from index `from` on that must be given (no default, not optional), or -1. */
int cli_required_input(const uncork_model *model, int from);
/* The input that must be given when there is one alone, else -1. */
int cli_only_input(const uncork_model *model);
/* Binds arrays to the model's inputs by name, else in order; casts without loss (noted). `values`
 * has one entry a model input. INPUT on what doesn't fit, USAGE on an unknown name. */
uncork_status cli_bind(const cli_options *options, const uncork_model *model,
                       const cli_arrays *arrays, uc_arena *arena, uncork_value **values,
                       uncork_error *error);
/* Writes every output of the session's last run into `folder`, which is made; nothing stays behind on
 * failure. */
uncork_status cli_write_outputs(const char *folder, const uncork_model *model,
                                const uncork_session *session, uc_arena *arena,
                                uncork_error *error);
/* Maps with as many keys each as one array [rows, keys]; the keys of the first (NULL: not wanted). */
uncork_status cli_maps_table(const uc_value *const *maps, size_t rows, const char *name,
                             uc_arena *arena, const uc_tensor **table, const uc_tensor **keys,
                             uncork_error *error);
/* The element type the rows have: what uncork_prepare is told. */
uncork_dtype cli_input_dtype(const cli_arrays *arrays);

/* ---- pictures.c ---- */

/* Whether a file is a picture by its name's ending. */
bool cli_is_picture(const char *name);
/* Expands files, folders (walked, sorted; what is no picture by its name is left out and noted) and
 * @lists into paths. */
uncork_status cli_expand(const char *const *arguments, size_t count, uc_arena *arena, char ***paths,
                         size_t *path_count, uc_findings *notes, uncork_error *error);

/* ---- overwrite.c ---- */

bool cli_same_file(const char *a, const char *b);
/* The folder a path is in, "." for a bare name. */
const char *cli_folder_of(const char *path, uc_arena *arena);
/* EXIT_USAGE, said, where one of the inputs is a .png or .npy in the folder of the outputs, which have
 * those endings and the inputs' names. */
int cli_check_output(const char *folder, char *const *paths, size_t count);

#endif
