/* What the files of import/sklearn share: an estimator as data, checked access to its attributes,
 * and the translation of one method of it into graph nodes.
 *
 * A handler translates; it computes nothing but layouts. It validates every attribute it uses: shape,
 * range and agreement with the others, and refuses with the attribute's name (sk_fail). Numbers are
 * float64 unless scikit-learn itself casts.
 *
 * Sticky failures: every accessor and every graph call after a failure returns something harmless;
 * a handler ends with `return sk_status(ctx)`. */
#ifndef UC_IMPORT_SKLEARN_SK_H
#define UC_IMPORT_SKLEARN_SK_H

#include "container/pickle.h"
#include "graph/facts.h"
#include "graph/graph.h"

typedef enum sk_method {
    SK_PREDICT,
    SK_PREDICT_PROBA,
    SK_PREDICT_LOG_PROBA,
    SK_DECISION_FUNCTION,
    SK_TRANSFORM,
    SK_SCORE_SAMPLES,
    SK_KNEIGHBORS,
    SK_METHOD_COUNT,
} sk_method;

enum { /* masks of methods, for the table */
       SK_M_P = 1 << SK_PREDICT,
       SK_M_PP = 1 << SK_PREDICT_PROBA,
       SK_M_LP = 1 << SK_PREDICT_LOG_PROBA,
       SK_M_DF = 1 << SK_DECISION_FUNCTION,
       SK_M_T = 1 << SK_TRANSFORM,
       SK_M_SS = 1 << SK_SCORE_SAMPLES,
       SK_M_KN = 1 << SK_KNEIGHBORS,
};

/* An estimator in the pickle. */
typedef struct sk_est {
    const uc_pickle *object;
    uc_str class_name; /* "SVC" */
    uc_str module;     /* "sklearn.svm._classes" */
    const char *path;  /* "model.steps[1]": where it stands, for messages */
    int version;       /* of the nearest _sklearn_version: 24 for 0.24, 100 for 1.0, 109 for 1.9;
                            18 when unknown (it was not written before 0.18) */
    int depth;         /* estimators around it */
} sk_est;

/* A column of a table that is fed by name. */
typedef struct sk_column {
    uc_str name;
    uc_ref ref;         /* [rows] */
    uncork_dtype dtype; /* FLOAT64, FLOAT32, INT64, STRING, BOOL */
} sk_column;

/* What is fed: a matrix, or a table of columns (when `columns` isn't NULL), or texts (rank 1). */
typedef struct sk_data {
    uc_ref x;           /* [rows, width]; rank 1 [rows] for label encoders and text */
    uncork_dtype dtype; /* of x, known at import: FLOAT64, FLOAT32, INT64, STRING, ... */
    int rank;           /* of x: 2 or 1 */
    int64_t width;      /* columns of x, -1 unknown */
    const sk_column *columns;
    size_t column_count;
    const uc_str *names; /* of x's columns when known (then `width` of them), else NULL */
} sk_data;

/* What a method returns: one value, or several where scikit-learn returns a list (multi-output
 * predict_proba, kneighbors). dtype as scikit-learn's own result. */
typedef struct sk_result {
    uc_ref *out;
    size_t count;
    uncork_dtype dtype;
    int64_t width;       /* columns of out[0]; -1 unknown, 0 a vector [rows] */
    const uc_str *names; /* of the columns when known */
    const sk_column
        *columns; /* a table of text and numbers: `count` of them, [rows] each, are out[];
                                 NULL where out[0] is a matrix */
} sk_result;

typedef struct sk_ctx {
    uc_arena *arena;
    uc_budget *budget;
    uc_graph *graph;
    uc_findings *findings;
    uncork_error *error;
    uncork_status status; /* the first failure */
    bool raw;
    const uc_pickle *root;
    int version; /* of the file's first estimator that tells it: for roots that don't; 0: none does */
    bool python2; /* Python 2 wrote the file: its str differs */
} sk_ctx;

typedef uncork_status (*sk_handler)(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out);

/* A class: looked up by top package ("linear_model") and last name, the module's middle ignored. */
typedef struct sk_row {
    const char *package;
    const char *name;
    unsigned methods; /* mask of SK_M_* */
    sk_handler handler;
    const char *note; /* for docs/sklearn.md: what is missing and why; or NULL */
} sk_row;

/* Many classes share a handler, so the table declares some more than once. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#define SK(package, name, methods, handler, note)                                              \
    uncork_status handler(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in, \
                          sk_result *out);
#include "import/sklearn/sk_table.def"
#undef SK
#pragma GCC diagnostic pop

/* ---- dispatch (sk_dispatch.c) ------------------------------------------------------------- */

/* The row of an estimator, NULL when the class isn't known. */
const sk_row *sk_find_row(uc_str module, uc_str class_name);
/* Whether the value is an object of a known estimator class, or an unknown object that looks like an
 * estimator. */
bool sk_is_estimator(const uc_pickle *value);
/* The estimator of a value. A value that is no estimator fails, naming `path`. */
bool sk_estimator(sk_ctx *ctx, const uc_pickle *value, const sk_est *parent, const char *path,
                  sk_est *est);
/* The same for a look at an estimator's child: no failure, no allocation, the parent's path. False
 * when the value is no object. */
bool sk_view(const uc_pickle *value, const sk_est *parent, sk_est *est);
/* Whether the estimator (as fitted) has the method, as hasattr() would say in scikit-learn. */
bool sk_has_method(const sk_est *est, sk_method method);
/* Translates one method. An unknown class fails UNSUPPORTED with its full path and its use. */
uncork_status sk_apply(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                       sk_result *out);
/* sk_apply for methods that return one value; 0 after a failure. */
uc_ref sk_apply1(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in);
const char *sk_method_name(sk_method method);
/* classes_ of a (possibly meta) estimator: own attribute, _label_binarizer.classes_, le_.classes_, a
 * pipeline's last step, best_estimator_ ...: rank-1 INT64, FLOAT64, BOOL or STRING. NULL when none. */
const uc_tensor *sk_classes(sk_ctx *ctx, const sk_est *est);

/* ---- attributes (sk_attr.c): each fails (sticky) naming path and attribute ----------------- */

uncork_status sk_status(const sk_ctx *ctx);
/* MALFORMED: "SVC._n_support (model.steps[1]): <message>". */
uncork_status sk_fail(sk_ctx *ctx, const sk_est *est, const char *attribute, const char *format,
                      ...) UC_PRINTF(4, 5);
uncork_status sk_unsupported(sk_ctx *ctx, const sk_est *est, const char *format, ...)
    UC_PRINTF(3, 4);
/* The raw value; NULL when absent (no failure). Attribute names may hold alternatives for the names
 * of other versions, first found wins: "_n_support|n_support_". */
const uc_pickle *sk_attr(const sk_est *est, const char *names);
bool sk_has(const sk_est *est, const char *names); /* present and not None */
/* Required, dense, converted to FLOAT64 (or INT64), of exactly this rank (-1: any). NULL after a failure. */
const uc_tensor *sk_f64(sk_ctx *ctx, const sk_est *est, const char *names, int rank);
const uc_tensor *sk_i64(sk_ctx *ctx, const sk_est *est, const char *names, int rank);
/* As stored: any dtype, strings too. */
const uc_tensor *sk_tensor(sk_ctx *ctx, const sk_est *est, const char *names, int rank);
/* The same, NULL without failure when absent or None. */
const uc_tensor *sk_f64_or_null(sk_ctx *ctx, const sk_est *est, const char *names, int rank);
/* Fails unless the tensor has this shape (-1: any). */
bool sk_shape_is(sk_ctx *ctx, const sk_est *est, const char *attribute, const uc_tensor *t,
                 int rank, const int64_t *shape);
bool sk_shape2(sk_ctx *ctx, const sk_est *est, const char *attribute, const uc_tensor *t,
               int64_t d0, int64_t d1);
bool sk_shape1(sk_ctx *ctx, const sk_est *est, const char *attribute, const uc_tensor *t,
               int64_t d0);
/* Scalars; the default when absent or None; a value of another type fails. */
double sk_number(sk_ctx *ctx, const sk_est *est, const char *names, double otherwise);
int64_t sk_int(sk_ctx *ctx, const sk_est *est, const char *names, int64_t otherwise);
bool sk_bool(sk_ctx *ctx, const sk_est *est, const char *names, bool otherwise);
uc_str sk_str(sk_ctx *ctx, const sk_est *est, const char *names, const char *otherwise);
bool sk_str_is(const sk_est *est, const char *names, const char *text);
/* Children: one estimator, or the i-th of a list (also object arrays, (name, estimator) pairs). */
bool sk_child(sk_ctx *ctx, const sk_est *est, const char *names, sk_est *child);
size_t sk_list_count(const sk_est *est, const char *names);
bool sk_list_child(sk_ctx *ctx, const sk_est *est, const char *names, size_t i, sk_est *child);
/* An estimator-like object that is no estimator (a loss, a tree_, a kernel): the same accessors work. */
bool sk_object(sk_ctx *ctx, const sk_est *est, const char *names, sk_est *object);

/* ---- input and building helpers (sk_build.c) ---------------------------------------------- */

/* The matrix as float64 [rows, width] (a table is concatenated; strings fail); checks the width
 * against `features` (INPUT error naming both at run when the width isn't known yet; -1: any). */
uc_ref sk_x(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t features);
/* The same in scikit-learn's own float32 where it casts (trees). */
uc_ref sk_x_f32(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t features);
/* The same, float32 kept when float32 was fed (estimators that preserve it), *dtype tells. */
uc_ref sk_x_keep(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t features,
                 uncork_dtype *dtype);
/* Number of rows of a value as a rank-0/1 int64: Shape + Gather. */
uc_ref sk_rows(sk_ctx *ctx, uc_ref x);
/* [rows, width] filled with a constant; [rows] when width is 0. */
uc_ref sk_fill(sk_ctx *ctx, uc_ref x, double value, int64_t width);
/* Matrix product x [n,k] with a constant [k,m] (transposed: constant is [m,k]). */
uc_ref sk_matmul(sk_ctx *ctx, uc_ref x, const uc_tensor *w, bool transposed);
/* Elementwise with a scalar. */
uc_ref sk_add_s(sk_ctx *ctx, uc_ref a, double v);
uc_ref sk_mul_s(sk_ctx *ctx, uc_ref a, double v);
uc_ref sk_const(sk_ctx *ctx, const uc_tensor *t);
/* Columns [begin, end) as a matrix; one column as a vector [rows]. */
uc_ref sk_columns(sk_ctx *ctx, uc_ref a, int64_t begin, int64_t end);
uc_ref sk_column_at(sk_ctx *ctx, uc_ref a, int64_t i);
/* Row-wise logsumexp [rows, 1], softmax, expit, log. */
uc_ref sk_logsumexp(sk_ctx *ctx, uc_ref a);
uc_ref sk_expit(sk_ctx *ctx, uc_ref a);
/* Rows divided by their sum; rows whose sum is 0 become uniform when asked, else stay. */
uc_ref sk_normalize_rows(sk_ctx *ctx, uc_ref a, bool uniform_zeros, int64_t width);
/* classes[index]: index int64 [rows] -> labels [rows]. */
uc_ref sk_take_labels(sk_ctx *ctx, const uc_tensor *classes, uc_ref index);
/* decision -> label index, scikit-learn's LinearClassifierMixin rule: [rows] > 0, or argmax. */
uc_ref sk_decide(sk_ctx *ctx, uc_ref scores, bool binary);
/* Puts one ref into a result. width as in sk_result: 0 for a vector [rows]. */
uncork_status sk_return(sk_ctx *ctx, sk_result *out, uc_ref ref, uncork_dtype dtype, int64_t width);
/* Classifier whose probabilities are known: answers predict, predict_proba and predict_log_proba. */
uncork_status sk_return_proba(sk_ctx *ctx, const sk_est *est, sk_method method,
                              const uc_tensor *classes, uc_ref proba, sk_result *out);
/* What was fed, as a result: the identity. A table becomes a float64 matrix. */
uncork_status sk_return_input(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out);
/* Matrices side by side in NumPy's common type (parts[i].out[0] each). */
uncork_status sk_hstack(sk_ctx *ctx, const sk_est *est, const sk_result *parts, size_t count,
                        sk_result *out);
/* A part of a union times its transformer_weights[name] (1: as it is). */
uncork_status sk_weigh(sk_ctx *ctx, sk_result *part, double weight);
double sk_transformer_weight(const sk_est *est, const uc_pickle *name);
/* The same result as data for the next estimator of a chain. */
sk_data sk_as_data(const sk_result *result);

#endif
