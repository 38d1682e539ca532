/* Linear and quadratic discriminant analysis.
 * Source: sklearn/discriminant_analysis.py of 0.18 to 1.9 (lda.py and qda.py before). */
#include "import/sklearn/sk_linear.h"

#include <float.h>
#include <inttypes.h>

/* ---- linear -------------------------------------------------------------------------------- */

static uncork_status lda_transform(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                                   sk_result *out)
{
    if (sk_str_is(est, "solver", "lsqr")) {
        return sk_unsupported(ctx, est, "has no transform with solver 'lsqr'");
    }
    const uc_tensor *scalings = sk_f64(ctx, est, "scalings_", 2);
    if (!scalings) return sk_status(ctx);
    uc_graph *g = ctx->graph;
    int64_t features = scalings->shape[0];
    int64_t width = sk_int(ctx, est, "_max_components", scalings->shape[1]);
    if (width > scalings->shape[1]) width = scalings->shape[1];
    if (width < 1) return sk_fail(ctx, est, "_max_components", "is %" PRId64, width);
    uncork_dtype dtype = UNCORK_FLOAT64;
    uc_ref x = sk_x_keep(ctx, est, in, features, &dtype);
    if (dtype != UNCORK_FLOAT64) x = uc_g_cast(g, x, UNCORK_FLOAT64);
    const uc_tensor *stored = sk_tensor(ctx, est, "scalings_", 2);
    if (!stored || stored->dtype != UNCORK_FLOAT32) dtype = UNCORK_FLOAT64;
    if (sk_str_is(est, "solver", "svd")) {
        const uc_tensor *mean = sk_f64(ctx, est, "xbar_", 1);
        if (!mean || !sk_shape1(ctx, est, "xbar_", mean, features)) return sk_status(ctx);
        x = uc_g2(g, "Sub", x, sk_const(ctx, mean));
    }
    uc_ref y = uc_g2(g, "MatMul", x, uc_g_slice(g, sk_const(ctx, scalings), 1, 0, width));
    if (dtype != UNCORK_FLOAT64) y = uc_g_cast(g, y, dtype);
    return sk_return(ctx, out, y, dtype, width);
}

/* One expit a class before 0.21, softmax since. */
static uc_ref lda_proba(sk_ctx *ctx, const sk_est *est, sk_scores s)
{
    if (s.width == 0 || est->version < 21) return sk_ovr_proba(ctx, s, false);
    uc_ref d = sk_scores_f64(ctx, s);
    return sk_status(ctx) == UNCORK_OK ? uc_g_softmax(ctx->graph, d, 1) : 0;
}

uncork_status sk_do_lda(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    if (method == SK_TRANSFORM) return lda_transform(ctx, est, in, out);
    sk_scores s = sk_linear_decision(ctx, est, in);
    if (method == SK_PREDICT) return sk_return_decided(ctx, est, s, out);
    if (method == SK_DECISION_FUNCTION) return sk_return(ctx, out, s.ref, s.dtype, s.width);
    if (!sk_check_classes(ctx, est, sk_classes(ctx, est), s.width)) return sk_status(ctx);
    uc_graph *g = ctx->graph;
    uc_ref p = lda_proba(ctx, est, s);
    /* 0.24 and later take the logarithm of the smallest normal number where p is 0 */
    if (method == SK_PREDICT_LOG_PROBA && est->version >= 24) {
        double tiny = s.dtype == UNCORK_FLOAT32 ? (double)FLT_MIN : DBL_MIN;
        p = uc_g_where(g, uc_g2(g, "Equal", p, uc_graph_f64(g, 0)), uc_graph_f64(g, tiny), p);
    }
    return sk_return_probabilities(ctx, method, p, s.dtype, s.width == 0 ? 2 : s.width, out);
}

/* ---- quadratic ----------------------------------------------------------------------------- */

/* Numbers in the type NumPy computes them in: fitted on float32, these are float32. */
typedef struct qda_value {
    uc_ref ref;
    uncork_dtype dtype;
} qda_value;

static qda_value widened(sk_ctx *ctx, qda_value v, uncork_dtype to)
{
    return v.dtype == to ? v : (qda_value){uc_g_cast(ctx->graph, v.ref, to), to};
}

/* op(a, b) in the wider type of both. */
static qda_value combined(sk_ctx *ctx, const char *op, qda_value a, qda_value b)
{
    if (sk_status(ctx) != UNCORK_OK) return a;
    uncork_dtype to = a.dtype == b.dtype ? a.dtype : UNCORK_FLOAT64;
    a = widened(ctx, a, to);
    b = widened(ctx, b, to);
    return (qda_value){uc_g2(ctx->graph, op, a.ref, b.ref), to};
}

static qda_value number_like(sk_ctx *ctx, qda_value v, double number)
{
    uc_ref ref = v.dtype == UNCORK_FLOAT32 ? uc_graph_f32(ctx->graph, (float)number)
                                           : uc_graph_f64(ctx->graph, number);
    return (qda_value){ref, v.dtype};
}

static qda_value constant(sk_ctx *ctx, const uc_tensor *t)
{
    return (qda_value){sk_const(ctx, t), t ? t->dtype : UNCORK_FLOAT64};
}

/* Class i: sum of ((x - m) R S^-1/2)^2 as [rows, 1] into *norm, sum of ln S into *log_det. */
static bool qda_distance(sk_ctx *ctx, const sk_est *est, qda_value x, const uc_tensor *means,
                         int64_t i, qda_value *norm, qda_value *log_det)
{
    int64_t features = means->shape[1];
    const uc_tensor *rotation = sk_entry(ctx, est, "rotations_", (size_t)i, 2);
    const uc_tensor *scaling = sk_entry(ctx, est, "scalings_", (size_t)i, 1);
    if (!rotation || !scaling) return false;
    if (rotation->shape[0] != features || rotation->shape[1] != scaling->shape[0]) {
        sk_fail(ctx, est, "rotations_",
                "entry %" PRId64 " is [%" PRId64 ", %" PRId64 "], means_ has %" PRId64
                " columns and scalings_ %" PRId64 " values",
                i, rotation->shape[0], rotation->shape[1], features, scaling->shape[0]);
        return false;
    }
    uc_graph *g = ctx->graph;
    qda_value s = constant(ctx, scaling), mean = {0, means->dtype};
    mean.ref = uc_g_slice(g, sk_const(ctx, means), 0, i, i + 1);
    qda_value power = combined(ctx, "Pow", s, number_like(ctx, s, -0.5));
    qda_value w = combined(ctx, "Mul", constant(ctx, rotation), power);
    qda_value y = combined(ctx, "MatMul", combined(ctx, "Sub", x, mean), w);
    *norm =
        (qda_value){uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", y.ref, y.ref), 1, true), y.dtype};
    *log_det = (qda_value){uc_g_reduce(g, "ReduceSum", uc_g1(g, "Log", s.ref), 0, true), s.dtype};
    return true;
}

/* Log posterior up to a constant, [rows, classes], as float64: -(norm + log_det) / 2 + ln prior. */
static uc_ref qda_scores(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t *classes)
{
    const uc_tensor *means = sk_tensor(ctx, est, "means_", 2);
    if (means && means->dtype != UNCORK_FLOAT32) means = sk_f64(ctx, est, "means_", 2);
    const uc_tensor *priors = sk_f64(ctx, est, "priors_", 1);
    if (!means || !priors || !sk_shape1(ctx, est, "priors_", priors, means->shape[0])) return 0;
    *classes = means->shape[0];
    qda_value x, norm, log_det;
    x.ref = sk_x_keep(ctx, est, in, means->shape[1], &x.dtype);
    uc_ref *norms = UC_NEW(ctx->arena, uc_ref, (size_t)*classes);
    uc_ref *log_dets = UC_NEW(ctx->arena, uc_ref, (size_t)*classes);
    if (!norms || !log_dets) return 0;
    for (int64_t i = 0; i < *classes; i++) {
        if (!qda_distance(ctx, est, x, means, i, &norm, &log_det)) return 0;
        norms[i] = widened(ctx, norm, UNCORK_FLOAT64).ref;
        log_dets[i] = widened(ctx, log_det, UNCORK_FLOAT64).ref;
    }
    uc_graph *g = ctx->graph;
    uc_ref d = uc_g2(g, "Add", uc_g_concat(g, norms, (size_t)*classes, 1),
                     uc_g_concat(g, log_dets, (size_t)*classes, 0));
    return uc_g2(g, "Add", sk_mul_s(ctx, d, -0.5), uc_g1(g, "Log", sk_const(ctx, priors)));
}

/* 1.6 and later: exp(log_proba); before: exp(d - max) divided by its sum, and its logarithm. */
static uc_ref qda_proba(sk_ctx *ctx, const sk_est *est, sk_method method, uc_ref d)
{
    uc_graph *g = ctx->graph;
    if (est->version < 106) {
        uc_ref p = uc_g_softmax(g, d, 1);
        return method == SK_PREDICT_LOG_PROBA ? uc_g1(g, "Log", p) : p;
    }
    uc_ref shifted = uc_g2(g, "Sub", d, uc_g_reduce(g, "ReduceMax", d, 1, true));
    uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g1(g, "Exp", shifted), 1, true);
    uc_ref logs = uc_g2(g, "Sub", shifted, uc_g1(g, "Log", sum));
    return method == SK_PREDICT_LOG_PROBA ? logs : uc_g1(g, "Exp", logs);
}

uncork_status sk_do_qda(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    int64_t count = 0;
    uc_ref d = qda_scores(ctx, est, in, &count);
    const uc_tensor *classes = sk_classes(ctx, est);
    if (sk_status(ctx) != UNCORK_OK || !sk_check_classes(ctx, est, classes, count)) {
        return sk_status(ctx);
    }
    uc_graph *g = ctx->graph;
    if (method == SK_PREDICT) {
        uc_ref label = sk_take_labels(ctx, classes, uc_g_argmax(g, d, 1, false));
        return sk_return(ctx, out, label, classes->dtype, 0);
    }
    if (method == SK_DECISION_FUNCTION && count == 2) {
        uc_ref difference = uc_g2(g, "Sub", sk_columns(ctx, d, 1, 2), sk_columns(ctx, d, 0, 1));
        return sk_return(ctx, out, uc_g_squeeze(g, difference, 1), UNCORK_FLOAT64, 0);
    }
    if (method != SK_DECISION_FUNCTION) d = qda_proba(ctx, est, method, d);
    return sk_return(ctx, out, d, UNCORK_FLOAT64, count);
}
