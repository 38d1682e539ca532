/* A TorchScript archive: its code, and the objects of data.pkl as the evaluator's values. */
#ifndef UC_IMPORT_PYTORCH_SCRIPT_ARCHIVE_H
#define UC_IMPORT_PYTORCH_SCRIPT_ARCHIVE_H

#include "import/pytorch/script_eval.h"
#include "import/pytorch/torch.h"

/* What opening reads; the same for every import. */
typedef struct uc_script_file {
    const uc_t_file *file;
    uc_t_store constants_store; /* of constants.pkl */
    const uc_pickle *constants; /* a tuple, or NULL */
    const char *root_class;     /* "__torch__.a.Net" */
    const char *root_source;    /* the entry with its code */
    int version;
} uc_script_file;

/* One import's. */
typedef struct uc_script_run {
    const uc_script_file *script;
    uc_py_eval *ev;
    uc_table *modules; /* entry -> uc_py_module, or the marker of one that isn't there */
    uc_pickle const **seen;
    uc_pv *made;
    size_t seen_count, seen_capacity, made_capacity;
    uint32_t *seen_index;
    size_t seen_size;
} uc_script_run;

/* Makes the evaluator's host of an archive. */
void uc_script_host(uc_script_run *run, uc_py_eval *ev, const uc_script_file *script);
/* A pickled value; fails where it is of no kind that TorchScript writes. */
uc_pv uc_script_value(uc_script_run *run, const uc_t_store *store, const uc_pickle *value,
                      int depth);

/* What the caller knows of the inputs, or supposes: `given` shapes by name or place, else this rank and
 * type. */
typedef struct uc_script_guess {
    const uc_import_options *options;
    int rank;      /* -1: any */
    bool pictures; /* [n, 3, 224, 224] */
    uncork_dtype dtype;
} uc_script_guess;

/* Declares the inputs that a function's parameters ask for, calls it, names the outputs. */
void uc_script_run_entry(uc_py_eval *ev, uc_pv callee, const uc_py_function *f,
                         const uc_script_guess *guess);
/* Tries guesses on a scratch graph until one builds; then `build` again on the real one. */
typedef void uc_script_build(void *context, uc_graph *graph, uc_findings *findings,
                             const uc_script_guess *guess);
void uc_script_try(void *context, uc_script_build *build, uc_graph *graph, uc_findings *findings,
                   const uc_import_options *options);

#endif
