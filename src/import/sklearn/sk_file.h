/* An opened pickle: what the importer's own files (scan, bundle, input, facts, import) share. The
 * estimator families see only sk.h. Made by open, constant afterwards. */
#ifndef UC_IMPORT_SKLEARN_SK_FILE_H
#define UC_IMPORT_SKLEARN_SK_FILE_H

#include "import/importer.h"
#include "import/sklearn/sk.h"

/* A value and where it stands: "model.steps[0]", "pickle['scaler']". */
typedef struct sk_part {
    const uc_pickle *object;
    const char *path;
} sk_part;

typedef struct sk_file {
    const uc_pickle *root;
    uc_pickle_info info;
    int version;         /* of the first estimator that tells it, 0: none does */
    uc_str version_text; /* the same as it stands there: "1.3.2" */
    int version_count;   /* different ones in the file */

    sk_part model;   /* object NULL: there is none, then `no_model` says what is there */
    sk_part *before; /* transformers that stood beside it, in the order they are applied */
    size_t before_count;
    sk_part encoder;              /* a LabelEncoder beside it whose classes are the model's */
    const uc_tensor *class_names; /* a list of names beside it, one a class */
    const char *no_model;

    const char *refusal; /* a call outside the known tables: the file runs nothing, or NULL */
} sk_file;

/* Items of a list, tuple, set or object array (records count rows, not items). */
static inline size_t sk_item_count(const uc_pickle *v)
{
    return v && v->items && v->kind != UC_PICKLE_DICT ? v->count : 0;
}

/* What the first estimator is fed. */
typedef enum sk_input_kind {
    SK_INPUT_MATRIX, /* X [rows, width] */
    SK_INPUT_VECTOR, /* X [rows]: text, labels */
    SK_INPUT_LOOSE,  /* X [rows] or [rows, 1] */
    SK_INPUT_TABLE,  /* one [rows] a column */
} sk_input_kind;

typedef struct sk_input {
    sk_input_kind kind;
    uncork_dtype dtype;
    int64_t width;
    uc_str *names;      /* of the columns, `width` of them, or NULL */
    sk_column *columns; /* TABLE: name and dtype of those that are used */
    size_t column_count;
} sk_input;

/* ---- sk_scan.c: the whole tree once -------------------------------------------------------- */

/* Walks everything, shared values once: calls outside the known tables become the refusal and
 * findings, classes that aren't known findings; versions are counted. */
uncork_status sk_scan(sk_file *file, uc_arena *arena, uc_budget *budget, uc_findings *findings,
                      uncork_error *error);
/* Whether calling the symbol builds data and nothing else: scikit-learn's, NumPy's, SciPy's,
 * pandas', the standard library's and the boosting libraries' constructors. */
bool sk_is_benign(uc_str module, uc_str name);

/* ---- sk_bundle.c: which of the values is the model ----------------------------------------- */

uncork_status sk_find_model(sk_file *file, sk_ctx *ctx);

/* ---- sk_input.c ---------------------------------------------------------------------------- */

bool sk_input_of(sk_ctx *ctx, const sk_est *est, sk_input *input);
/* Features an estimator takes and gives, -1 when it doesn't show. */
int64_t sk_width_in(sk_ctx *ctx, const sk_est *est);
int64_t sk_width_out(sk_ctx *ctx, const sk_est *est);
/* feature_names_in_ and its predecessors, `*count` of them, or NULL. */
uc_str *sk_feature_names(sk_ctx *ctx, const sk_est *est, int64_t *count);
/* The estimator inside that sees the input first: a pipeline's first working step, a search's best
 * estimator, a meta-estimator's first. */
sk_est sk_first_consumer(sk_ctx *ctx, const sk_est *est);
/* The estimator inside that gives the answer: a pipeline's last step, a search's best estimator. */
sk_est sk_last_step(sk_ctx *ctx, const sk_est *est);

/* imblearn's over- and undersamplers work in training only; its pipelines pass them over. */
bool sk_is_sampler(const uc_pickle *step);

/* ---- sk_columns.c -------------------------------------------------------------------------- */

/* Columns as scikit-learn lets one write them: a name, a number, lists of either, a slice, a mask. */
typedef struct sk_selection {
    int64_t *indices; /* count */
    size_t count;
    bool scalar; /* one column without a list: a vector */
} sk_selection;

/* names: `width` of them, or NULL when they aren't known. Callables are refused by name. */
bool sk_select(sk_ctx *ctx, const sk_est *est, const uc_pickle *spec, const uc_str *names,
               int64_t width, sk_selection *out);
/* Whether any transformer of a ColumnTransformer chooses its columns by name. */
bool sk_selects_by_name(const sk_est *est);
/* Whether a transformer that is applied selects by numbers or a mask. */
bool sk_selects_by_number(const sk_est *est);

/* ---- sk_facts.c ---------------------------------------------------------------------------- */

void sk_collect_facts(const sk_file *file, sk_ctx *ctx, uc_facts *facts);
void sk_inspect(const uc_import *import, uc_json_writer *json);

#endif
