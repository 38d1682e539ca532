/* sklearn.svm by libsvm: SVC, NuSVC, SVR, NuSVR, OneClassSVM. LinearSVC and LinearSVR are linear models.
 * Source: sklearn/svm/_base.py and _classes.py of 0.18 to 1.9.
 *
 * The private _dual_coef_ and _intercept_ are libsvm's own; the public ones have their sign turned for
 * two classes. Rows of _dual_coef_ are the classes - 1 weights a vector has, see op_svm.c. */
#include "import/sklearn/sk_kernels.h"

#include <inttypes.h>
#include <math.h>

/* The model's parts, checked against each other. */
typedef struct svm_parts {
    const uc_tensor *vectors; /* [vectors, features]; NULL when precomputed */
    const uc_tensor *weights; /* [classes - 1 | 1, vectors] */
    const uc_tensor *intercept;
    const uc_tensor *counts;  /* NULL: regression */
    const uc_tensor *support; /* rows of the training data, when precomputed */
    const uc_tensor *train;   /* that data's chosen rows, when the kernel is a function */
    const char *kernel;
    int64_t features; /* of what is fed */
} svm_parts;

/* ---- attributes ---------------------------------------------------------------------------- */

/* _n_support of a classifier. A regression's is never read: before 0.24 scikit-learn left memory that
 * nothing had written in it. */
static bool read_counts(sk_ctx *ctx, const sk_est *est, int64_t classes, svm_parts *p)
{
    static const char name[] = "_n_support|n_support_";
    int64_t vectors = p->weights->shape[1], sum = 0;
    if (classes == 0) return true;
    const uc_tensor *counts = sk_i64(ctx, est, name, 1);
    if (!counts || !sk_shape1(ctx, est, name, counts, classes)) return false;
    for (int64_t i = 0; i < classes; i++) {
        int64_t n = ((const int64_t *)counts->data)[i];
        if (n < 0 || n > vectors - sum) {
            sk_fail(ctx, est, name,
                    "entry %" PRId64 " is %" PRId64 ", %" PRId64 " support vectors remain", i, n,
                    vectors - sum);
            return false;
        }
        sum += n;
    }
    if (sum != vectors) {
        sk_fail(ctx, est, name, "sums to %" PRId64 ", there are %" PRId64 " support vectors", sum,
                vectors);
        return false;
    }
    p->counts = counts;
    return true;
}

/* support_ as indices below shape_fit_[0], which is the number of columns fed. */
static bool read_support(sk_ctx *ctx, const sk_est *est, svm_parts *p)
{
    const uc_tensor *fit = sk_i64(ctx, est, "shape_fit_", 1);
    p->support = sk_i64(ctx, est, "support_", 1);
    if (!fit || !p->support || !sk_shape1(ctx, est, "support_", p->support, p->weights->shape[1])) {
        return false;
    }
    if (fit->shape[0] < 1) {
        sk_fail(ctx, est, "shape_fit_", "is empty");
        return false;
    }
    p->features = ((const int64_t *)fit->data)[0];
    for (int64_t i = 0; i < p->support->shape[0]; i++) {
        int64_t row = ((const int64_t *)p->support->data)[i];
        if (row < 0 || row >= p->features) {
            sk_fail(ctx, est, "support_",
                    "entry %" PRId64 " is %" PRId64 ", expected 0 to %" PRId64, i, row,
                    p->features - 1);
            return false;
        }
    }
    return true;
}

/* A kernel that is a function is called with the training data and then is like a precomputed one. */
static bool read_train(sk_ctx *ctx, const sk_est *est, svm_parts *p)
{
    const uc_tensor *all = sk_f64(ctx, est, "_BaseLibSVM__Xfit", 2);
    if (!all || !sk_shape2(ctx, est, "_BaseLibSVM__Xfit", all, p->features, -1)) return false;
    int64_t width = all->shape[1];
    const int64_t shape[2] = {p->support->shape[0], width};
    uc_tensor *rows = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    if (!rows) return false;
    for (int64_t i = 0; i < shape[0]; i++) {
        int64_t row = ((const int64_t *)p->support->data)[i];
        memcpy((double *)rows->data + i * width, uc_tensor_doubles(all) + row * width,
               (size_t)width * sizeof(double));
    }
    p->train = rows;
    p->features = width;
    return true;
}

static bool read_kernel(sk_ctx *ctx, const sk_est *est, svm_parts *p)
{
    static const char *const known[] = {"linear", "poly", "rbf", "sigmoid"};
    const uc_pickle *kernel = sk_attr(est, "kernel");
    p->kernel = "precomputed";
    if (sk_str_is(est, "kernel", "precomputed")) return read_support(ctx, est, p);
    if (sk_kernel_function_name(kernel).size > 0) {
        return read_support(ctx, est, p) && read_train(ctx, est, p);
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!uc_pickle_is_text(kernel, known[i])) continue;
        p->kernel = known[i];
        p->vectors = sk_f64(ctx, est, "support_vectors_", 2);
        if (!p->vectors ||
            !sk_shape2(ctx, est, "support_vectors_", p->vectors, p->weights->shape[1], -1)) {
            return false;
        }
        p->features = p->vectors->shape[1];
        return true;
    }
    sk_unsupported(ctx, est, "kernel is %s, which isn't known",
                   kernel ? uc_pickle_type_name(kernel, ctx->arena) : "missing");
    return false;
}

static bool read_parts(sk_ctx *ctx, const sk_est *est, int64_t classes, svm_parts *p)
{
    *p = (svm_parts){0};
    int64_t sums = classes > 0 ? classes - 1 : 1;
    int64_t pairs = classes > 0 ? classes * (classes - 1) / 2 : 1;
    p->weights = sk_f64(ctx, est, "_dual_coef_|dual_coef_", 2);
    p->intercept = sk_f64(ctx, est, "_intercept_|intercept_", 1);
    return p->weights && p->intercept &&
           sk_shape2(ctx, est, "_dual_coef_|dual_coef_", p->weights, sums, -1) &&
           sk_shape1(ctx, est, "_intercept_|intercept_", p->intercept, pairs) &&
           read_counts(ctx, est, classes, p) && read_kernel(ctx, est, p);
}

/* gamma as fitted: "scale" and "auto" were turned into _gamma. */
static double fitted_gamma(sk_ctx *ctx, const sk_est *est)
{
    double gamma = sk_number(ctx, est, "_gamma", 0);
    if (!isfinite(gamma)) sk_fail(ctx, est, "_gamma", "is %g", gamma);
    return gamma;
}

/* ---- graph --------------------------------------------------------------------------------- */

/* What the operator takes as x: rows, or kernel values of the support vectors. */
static uc_ref kernel_input(sk_ctx *ctx, const sk_est *est, const sk_data *in, const svm_parts *p)
{
    uc_ref x = sk_x(ctx, est, in, p->features);
    if (p->vectors || sk_status(ctx) != UNCORK_OK) return x;
    if (p->train) {
        const sk_kernel_params defaults = {.degree = 3, .coef0 = 1};
        uc_str name = sk_kernel_function_name(sk_attr(est, "kernel"));
        return sk_pairwise_kernel(ctx, est, name, &defaults, x, p->train);
    }
    return uc_g_gather(ctx->graph, x, sk_const(ctx, p->support), 1);
}

/* The decisions [rows, pairs], and in *winner the index of the class with most votes. */
static uc_ref decisions(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t classes,
                        uc_ref *winner)
{
    svm_parts p;
    *winner = 0;
    if (!read_parts(ctx, est, classes, &p)) return 0;
    const uc_ref parts[] = {kernel_input(ctx, est, in, &p), sk_const(ctx, p.weights),
                            sk_const(ctx, p.intercept), sk_const(ctx, p.vectors),
                            sk_const(ctx, p.counts)};
    double gamma = p.vectors ? fitted_gamma(ctx, est) : 0;
    double coef0 = sk_number(ctx, est, "coef0", 0), degree = sk_number(ctx, est, "degree", 3);
    if (!(degree >= 0 && degree <= 1000000)) {
        sk_fail(ctx, est, "degree", "is %g, expected 0 to 1000000", degree);
    }
    if (sk_status(ctx) != UNCORK_OK) return 0;
    uc_graph *g = ctx->graph;
    uc_node *node = uc_graph_node(g, "uncork.SVM", parts, 5, p.counts ? 2 : 1);
    uc_node_str(g, node, "kernel", p.kernel);
    uc_node_float(g, node, "gamma", gamma);
    uc_node_float(g, node, "coef0", coef0);
    uc_node_int(g, node, "degree", (int64_t)degree); /* libsvm's is an int */
    if (p.counts) *winner = uc_node_out(node, 1);
    return uc_node_out(node, 0);
}

/* ---- classifiers --------------------------------------------------------------------------- */

static bool is_ovr(const sk_est *est) /* the default since 0.19; None meant ovo in 0.18 */
{
    return sk_str_is(est, "decision_function_shape", "ovr");
}

/* _ovr_decision_function(d < 0, -d, classes); its scale was the batch's until 0.20. */
static uc_ref ovr_scores(sk_ctx *ctx, const sk_est *est, uc_ref d, int64_t classes)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    uc_graph *g = ctx->graph;
    uc_ref negative = uc_g_cast(g, uc_g2(g, "Less", d, uc_graph_f64(g, 0)), UNCORK_FLOAT64);
    const uc_ref in[] = {negative, uc_g1(g, "Neg", d)};
    uc_node *node = uc_graph_node(g, "uncork.OvrDecision", in, 2, 1);
    uc_node_int(g, node, "classes", classes);
    uc_node_int(g, node, "batch", est->version <= 20);
    return uc_node_out(node, 0);
}

static uncork_status decision_function(sk_ctx *ctx, const sk_est *est, uc_ref d, int64_t classes,
                                       sk_result *out)
{
    if (classes > 2 && is_ovr(est)) {
        return sk_return(ctx, out, ovr_scores(ctx, est, d, classes), UNCORK_FLOAT64, classes);
    }
    if (classes > 2) {
        return sk_return(ctx, out, d, UNCORK_FLOAT64, classes * (classes - 1) / 2);
    }
    uc_ref turned = uc_g_squeeze(ctx->graph, uc_g1(ctx->graph, "Neg", d), 1);
    return sk_return(ctx, out, turned, UNCORK_FLOAT64, 0);
}

static uncork_status probabilities(sk_ctx *ctx, const sk_est *est, sk_method method, uc_ref d,
                                   int64_t classes, sk_result *out)
{
    int64_t pairs = classes * (classes - 1) / 2;
    const uc_tensor *a = sk_f64(ctx, est, "_probA|probA_", 1);
    const uc_tensor *b = sk_f64(ctx, est, "_probB|probB_", 1);
    if (!a || !b) return sk_status(ctx);
    if (uc_tensor_count(a) == 0 || uc_tensor_count(b) == 0) {
        return sk_unsupported(ctx, est,
                              "has no probabilities: it was fitted with probability=False");
    }
    if (!sk_shape1(ctx, est, "_probA|probA_", a, pairs) ||
        !sk_shape1(ctx, est, "_probB|probB_", b, pairs)) {
        return sk_status(ctx);
    }
    const uc_ref in[] = {d, sk_const(ctx, a), sk_const(ctx, b)};
    uc_node *node = uc_graph_node(ctx->graph, "uncork.PairwiseCoupling", in, 3, 1);
    uc_node_int(ctx->graph, node, "classes", classes);
    uc_ref p = uc_node_out(node, 0);
    if (method == SK_PREDICT_LOG_PROBA) p = uc_g1(ctx->graph, "Log", p);
    return sk_return(ctx, out, p, UNCORK_FLOAT64, classes);
}

uncork_status sk_do_svc(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    const uc_tensor *labels = sk_classes(ctx, est);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    int64_t classes = labels ? uc_tensor_count(labels) : 0;
    if (classes < 2 || classes > 1 << 15) {
        return sk_fail(ctx, est, "classes_", "holds %" PRId64 " classes, expected 2 to 2^15",
                       classes);
    }
    uc_ref winner = 0;
    uc_ref d = decisions(ctx, est, in, classes, &winner);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (method == SK_DECISION_FUNCTION) return decision_function(ctx, est, d, classes, out);
    if (method != SK_PREDICT) return probabilities(ctx, est, method, d, classes, out);
    if (sk_bool(ctx, est, "break_ties", false) && is_ovr(est) && classes > 2) {
        winner = uc_g_argmax(ctx->graph, ovr_scores(ctx, est, d, classes), 1, false);
    }
    return sk_return(ctx, out, sk_take_labels(ctx, labels, winner), labels->dtype, 0);
}

/* ---- regression and outliers --------------------------------------------------------------- */

uncork_status sk_do_svr(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    uc_ref none = 0;
    uc_ref d = decisions(ctx, est, in, 0, &none);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (method == SK_DECISION_FUNCTION) return sk_return(ctx, out, d, UNCORK_FLOAT64, 1);
    return sk_return(ctx, out, uc_g_squeeze(ctx->graph, d, 1), UNCORK_FLOAT64, 0);
}

/* predict is +1 above 0, else -1, as float64 in 0.18 and int64 since; score_samples adds back offset_,
 * which is -_intercept_. decision_function was [rows, 1] until 0.19. */
uncork_status sk_do_one_class_svm(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    uc_ref none = 0;
    uc_ref d = decisions(ctx, est, in, 0, &none);
    const uc_tensor *intercept = sk_f64(ctx, est, "_intercept_|intercept_", 1);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_graph *g = ctx->graph;
    if (method == SK_DECISION_FUNCTION && est->version < 20) {
        return sk_return(ctx, out, d, UNCORK_FLOAT64, 1);
    }
    d = uc_g_squeeze(g, d, 1);
    if (method == SK_DECISION_FUNCTION) return sk_return(ctx, out, d, UNCORK_FLOAT64, 0);
    if (method == SK_SCORE_SAMPLES) {
        uc_ref offset = uc_graph_f64(g, uc_tensor_doubles(intercept)[0]);
        return sk_return(ctx, out, uc_g2(g, "Sub", d, offset), UNCORK_FLOAT64, 0);
    }
    uncork_dtype dtype = est->version < 19 ? UNCORK_FLOAT64 : UNCORK_INT64;
    uc_ref inside = uc_g2(g, "Greater", d, uc_graph_f64(g, 0));
    uc_ref sign = uc_g_where(g, inside, uc_graph_i64(g, 1), uc_graph_i64(g, -1));
    if (dtype != UNCORK_INT64) sign = uc_g_cast(g, sign, dtype);
    return sk_return(ctx, out, sign, dtype, 0);
}
