/* sklearn.linear_model: regressors, generalised linear models and linear classifiers.
 * Source: sklearn/linear_model/_base.py (LinearModel, LinearClassifierMixin), _ridge.py, _glm/glm.py,
 * _stochastic_gradient.py, _ransac.py, randomized_l1.py. */
#include "import/sklearn/sk_linear.h"

#include <inttypes.h>
#include <math.h>

/* ---- scores -------------------------------------------------------------------------------- */

static uc_ref in_dtype(sk_ctx *ctx, uc_ref x, uncork_dtype from, uncork_dtype to)
{
    return from == to ? x : uc_g_cast(ctx->graph, x, to);
}

static const uc_tensor *tensor_in(sk_ctx *ctx, const uc_tensor *t, uncork_dtype dtype)
{
    return !t || t->dtype == dtype ? t : uc_tensor_cast(ctx->arena, t, dtype);
}

sk_scores sk_affine_on(sk_ctx *ctx, sk_scores x, const uc_tensor *w, bool transposed,
                       const uc_tensor *b)
{
    sk_scores s = {.dtype = UNCORK_FLOAT64, .width = 1};
    if (sk_status(ctx) != UNCORK_OK || !w) return s;
    if (x.dtype == UNCORK_FLOAT32 && w->dtype == UNCORK_FLOAT32 &&
        (!b || b->dtype == UNCORK_FLOAT32)) {
        s.dtype = UNCORK_FLOAT32;
    }
    s.width = w->shape[transposed ? 0 : 1];
    w = tensor_in(ctx, w, s.dtype);
    b = tensor_in(ctx, b, s.dtype);
    if (!w) return s;
    const uc_ref in[] = {in_dtype(ctx, x.ref, x.dtype, s.dtype), sk_const(ctx, w),
                         sk_const(ctx, b)};
    uc_node *node = uc_graph_node(ctx->graph, "Gemm", in, b ? 3 : 2, 1);
    uc_node_int(ctx->graph, node, "transB", transposed);
    s.ref = uc_node_out(node, 0);
    return s;
}

sk_scores sk_affine(sk_ctx *ctx, const sk_est *est, const sk_data *in, const uc_tensor *w,
                    bool transposed, const uc_tensor *b)
{
    sk_scores x = {.width = 0};
    if (sk_status(ctx) != UNCORK_OK || !w) return x;
    x.width = w->shape[transposed ? 1 : 0];
    x.ref = sk_x_keep(ctx, est, in, x.width, &x.dtype);
    return sk_affine_on(ctx, x, w, transposed, b);
}

const uc_tensor *sk_entry(sk_ctx *ctx, const sk_est *est, const char *attribute, size_t i, int rank)
{
    uncork_error why; /* says less than the attribute's name does */
    if (sk_status(ctx) != UNCORK_OK) return NULL;
    uc_error_init(&why);
    const uc_pickle *item = uc_pickle_item(sk_attr(est, attribute), i);
    const uc_tensor *t = uc_pickle_tensor(item, ctx->arena, &why);
    if (t && t->dtype != UNCORK_FLOAT32) t = uc_tensor_cast(ctx->arena, t, UNCORK_FLOAT64);
    if (t) t = uc_tensor_dense(ctx->arena, t);
    if (!t || t->rank != rank || uc_tensor_count(t) < 1) {
        sk_fail(ctx, est, attribute, "entry %zu is no array of %d dimension%s", i, rank,
                rank == 1 ? "" : "s");
        return NULL;
    }
    return t;
}

/* An array as stored, FLOAT32 or FLOAT64. */
static const uc_tensor *weights(sk_ctx *ctx, const sk_est *est, const char *names)
{
    const uc_tensor *t = sk_tensor(ctx, est, names, -1);
    return t && t->dtype == UNCORK_FLOAT32 ? t : sk_f64(ctx, est, names, -1);
}

/* intercept_ as [1] or [width], NULL when there is none. A Python number takes the type of coef_, as
 * NumPy promotes it. */
static const uc_tensor *intercept(sk_ctx *ctx, const sk_est *est, int64_t width,
                                  uncork_dtype coef_dtype)
{
    if (!sk_has(est, "intercept_")) return NULL;
    const uc_tensor *t = weights(ctx, est, "intercept_");
    if (!t) return NULL;
    int64_t count = uc_tensor_count(t);
    if (count != 1 && (count != width || t->rank != 1)) {
        sk_fail(ctx, est, "intercept_", "holds %" PRId64 " values, coef_ has %" PRId64 " rows",
                count, width);
        return NULL;
    }
    if (t->rank == 0) t = tensor_in(ctx, t, coef_dtype);
    uc_tensor *flat = UC_NEW(ctx->arena, uc_tensor, 1);
    if (!t || !flat) return NULL;
    *flat = uc_tensor_reshaped(t, 1, &count);
    return flat;
}

sk_scores sk_linear_scores(sk_ctx *ctx, const sk_est *est, const sk_data *in)
{
    sk_scores s = {.dtype = UNCORK_FLOAT64};
    const uc_tensor *coef = weights(ctx, est, "coef_");
    if (!coef) return s;
    if (coef->rank != 1 && coef->rank != 2) {
        sk_fail(ctx, est, "coef_", "has %d dimensions, expected 1 or 2", coef->rank);
        return s;
    }
    bool is_vector = coef->rank == 1;
    int64_t shape[2] = {is_vector ? 1 : coef->shape[0], coef->shape[coef->rank - 1]};
    if (shape[0] < 1 || shape[1] < 1) {
        sk_fail(ctx, est, "coef_", "is empty");
        return s;
    }
    uc_tensor matrix = uc_tensor_reshaped(coef, 2, shape);
    uc_tensor *kept = UC_NEW(ctx->arena, uc_tensor, 1);
    if (!kept) return s;
    *kept = matrix;
    s = sk_affine(ctx, est, in, kept, true, intercept(ctx, est, shape[0], coef->dtype));
    if (is_vector && sk_status(ctx) == UNCORK_OK) {
        s.ref = uc_g_squeeze(ctx->graph, s.ref, 1);
        s.width = 0;
    }
    return s;
}

sk_scores sk_linear_decision(sk_ctx *ctx, const sk_est *est, const sk_data *in)
{
    sk_scores s = sk_linear_scores(ctx, est, in);
    if (sk_status(ctx) == UNCORK_OK && s.width == 1) {
        s.ref = uc_g_squeeze(ctx->graph, s.ref, 1);
        s.width = 0;
    }
    return s;
}

uc_ref sk_scores_f64(sk_ctx *ctx, sk_scores s)
{
    return sk_status(ctx) == UNCORK_OK ? in_dtype(ctx, s.ref, s.dtype, UNCORK_FLOAT64) : 0;
}

/* ---- classes and probabilities ------------------------------------------------------------- */

bool sk_check_classes(sk_ctx *ctx, const sk_est *est, const uc_tensor *classes, int64_t width)
{
    if (sk_status(ctx) != UNCORK_OK) return false;
    if (!classes) {
        sk_fail(ctx, est, "classes_", "is missing: not fitted?");
        return false;
    }
    int64_t expected = width == 0 ? 2 : width;
    if (uc_tensor_count(classes) == expected) return true;
    sk_fail(ctx, est, "classes_", "holds %" PRId64 " classes, the scores are for %" PRId64,
            uc_tensor_count(classes), expected);
    return false;
}

uc_ref sk_two_columns(sk_ctx *ctx, uc_ref p)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    uc_graph *g = ctx->graph;
    p = uc_g_unsqueeze(g, p, 1);
    const uc_ref parts[] = {uc_g2(g, "Sub", uc_graph_f64(g, 1), p), p};
    return uc_g_concat(g, parts, 2, 1);
}

uc_ref sk_ovr_proba(sk_ctx *ctx, sk_scores decision, bool uniform_zeros)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    uc_ref p = sk_expit(ctx, sk_scores_f64(ctx, decision));
    if (decision.width == 0) return sk_two_columns(ctx, p);
    if (uniform_zeros) return sk_normalize_rows(ctx, p, true, decision.width);
    /* 0/0 stays NaN, as in LinearClassifierMixin before 1.9 */
    return uc_g2(ctx->graph, "Div", p, uc_g_reduce(ctx->graph, "ReduceSum", p, 1, true));
}

uncork_status sk_return_probabilities(sk_ctx *ctx, sk_method method, uc_ref proba,
                                      uncork_dtype dtype, int64_t width, sk_result *out)
{
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (method == SK_PREDICT_LOG_PROBA) proba = uc_g1(ctx->graph, "Log", proba);
    return sk_return(ctx, out, in_dtype(ctx, proba, UNCORK_FLOAT64, dtype), dtype, width);
}

uncork_status sk_return_decided(sk_ctx *ctx, const sk_est *est, sk_scores decision, sk_result *out)
{
    const uc_tensor *classes = sk_classes(ctx, est);
    if (!sk_check_classes(ctx, est, classes, decision.width)) return sk_status(ctx);
    bool is_vector = decision.width == 0;
    uc_ref index =
        sk_decide(ctx, is_vector ? sk_scores_f64(ctx, decision) : decision.ref, is_vector);
    return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
}

/* ---- regressors ---------------------------------------------------------------------------- */

uncork_status sk_do_linear_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    if (method == SK_TRANSFORM) return sk_linear_select(ctx, est, in, out);
    sk_scores s = sk_linear_scores(ctx, est, in);
    return sk_return(ctx, out, s.ref, s.dtype, s.width);
}

/* Whether the mean is exp of the linear predictor: as _link_instance says until 1.0, then always but
 * for Tweedie, whose "auto" is the identity up to power 0. */
static bool has_log_link(sk_ctx *ctx, const sk_est *est)
{
    sk_est link;
    if (sk_has(est, "_link_instance")) {
        if (!sk_object(ctx, est, "_link_instance", &link)) return false;
        if (uc_str_is(link.class_name, "LogLink")) return true;
        if (!uc_str_is(link.class_name, "IdentityLink")) {
            sk_unsupported(ctx, est, "link '%.*s' isn't known", (int)link.class_name.size,
                           link.class_name.data);
        }
        return false;
    }
    if (!uc_str_is(est->class_name, "TweedieRegressor")) return true;
    if (sk_str_is(est, "link", "log")) return true;
    if (sk_str_is(est, "link", "identity")) return false;
    if (sk_has(est, "link") && !sk_str_is(est, "link", "auto")) {
        sk_unsupported(ctx, est, "link is neither 'auto', 'log' nor 'identity'");
    }
    return sk_number(ctx, est, "power", 0) > 0;
}

uncork_status sk_do_glm(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    (void)method;
    sk_scores s = sk_linear_scores(ctx, est, in);
    if (has_log_link(ctx, est) && sk_status(ctx) == UNCORK_OK) {
        s.ref = uc_g1(ctx->graph, "Exp", s.ref);
    }
    return sk_return(ctx, out, s.ref, s.dtype, s.width);
}

uncork_status sk_do_ransac(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                           sk_result *out)
{
    sk_est inner;
    if (!sk_child(ctx, est, "estimator_", &inner)) return sk_status(ctx);
    return sk_apply(ctx, &inner, method, in, out);
}

/* ---- classifiers --------------------------------------------------------------------------- */

uncork_status sk_do_linear_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    if (method == SK_TRANSFORM) return sk_linear_select(ctx, est, in, out);
    sk_scores s = sk_linear_decision(ctx, est, in);
    if (method == SK_PREDICT) return sk_return_decided(ctx, est, s, out);
    return sk_return(ctx, out, s.ref, s.dtype, s.width);
}

/* A multilabel RidgeClassifier answers a matrix of 0 and 1: decision > 0. */
uncork_status sk_do_ridge_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    sk_est binarizer;
    if (method != SK_PREDICT) return sk_do_linear_classifier(ctx, est, method, in, out);
    if (!sk_object(ctx, est, "_label_binarizer", &binarizer)) return sk_status(ctx);
    if (!sk_str_is(&binarizer, "y_type_", "multilabel-indicator")) {
        return sk_do_linear_classifier(ctx, est, method, in, out);
    }
    sk_scores s = sk_linear_decision(ctx, est, in);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_ref over = uc_g2(ctx->graph, "Greater", sk_scores_f64(ctx, s), uc_graph_f64(ctx->graph, 0));
    return sk_return(ctx, out, uc_g_cast(ctx->graph, over, UNCORK_INT64), UNCORK_INT64, s.width);
}

/* loss='modified_huber': clip(d, -1, 1) to [0, 1], rows divided by their sum; Zadrozny and Elkan,
 * "Transforming classifier scores into multiclass probability estimates", 2002. */
static uc_ref modified_huber_proba(sk_ctx *ctx, sk_scores s)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    uc_graph *g = ctx->graph;
    uc_ref p = uc_g3(g, "Clip", sk_scores_f64(ctx, s), uc_graph_f64(g, -1), uc_graph_f64(g, 1));
    p = uc_g2(g, "Div", sk_add_s(ctx, p, 1), uc_graph_f64(g, 2));
    return s.width == 0 ? sk_two_columns(ctx, p) : sk_normalize_rows(ctx, p, true, s.width);
}

uncork_status sk_do_sgd_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    if (method == SK_PREDICT || method == SK_DECISION_FUNCTION || method == SK_TRANSFORM) {
        return sk_do_linear_classifier(ctx, est, method, in, out);
    }
    bool is_log = sk_str_is(est, "loss", "log") || sk_str_is(est, "loss", "log_loss");
    if (!is_log && !sk_str_is(est, "loss", "modified_huber")) {
        return sk_unsupported(ctx, est,
                              "has probabilities only with loss 'log_loss' or 'modified_huber'");
    }
    sk_scores s = sk_linear_decision(ctx, est, in);
    if (!sk_check_classes(ctx, est, sk_classes(ctx, est), s.width)) return sk_status(ctx);
    uc_ref p = is_log ? sk_ovr_proba(ctx, s, est->version >= 109) : modified_huber_proba(ctx, s);
    return sk_return_probabilities(ctx, method, p, s.dtype, s.width == 0 ? 2 : s.width, out);
}

/* Scores are X . coef - offset; +1 from 0 on, else -1, as int32. */
uncork_status sk_do_sgd_one_class(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    const uc_tensor *coef = weights(ctx, est, "coef_"), *offset = weights(ctx, est, "offset_");
    if (!coef || !offset || !sk_shape1(ctx, est, "coef_", coef, -1) ||
        !sk_shape1(ctx, est, "offset_", offset, 1)) {
        return sk_status(ctx);
    }
    uc_graph *g = ctx->graph;
    uc_tensor *row = UC_NEW(ctx->arena, uc_tensor, 1);
    if (!row) return sk_status(ctx);
    const int64_t shape[2] = {1, coef->shape[0]};
    *row = uc_tensor_reshaped(coef, 2, shape);
    sk_scores s = sk_affine(ctx, est, in, row, true, NULL);
    if (s.dtype == UNCORK_FLOAT32 && offset->dtype != UNCORK_FLOAT32) {
        s = (sk_scores){sk_scores_f64(ctx, s), UNCORK_FLOAT64, 1};
    }
    uc_ref shift = sk_const(ctx, tensor_in(ctx, offset, s.dtype));
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_ref d = uc_g2(g, "Sub", uc_g_squeeze(g, s.ref, 1), shift);
    if (method == SK_DECISION_FUNCTION) return sk_return(ctx, out, d, s.dtype, 0);
    if (method == SK_SCORE_SAMPLES) {
        return sk_return(ctx, out, uc_g2(g, "Add", d, shift), s.dtype, 0);
    }
    uc_ref zero = s.dtype == UNCORK_FLOAT32 ? uc_graph_f32(g, 0) : uc_graph_f64(g, 0);
    uc_ref inside = uc_g2(g, "GreaterOrEqual", d, zero);
    uc_ref sign = uc_g_where(g, inside, uc_graph_i64(g, 1), uc_graph_i64(g, -1));
    return sk_return(ctx, out, uc_g_cast(g, sign, UNCORK_INT32), UNCORK_INT32, 0);
}

/* ---- feature selection as it was ----------------------------------------------------------- */

/* The columns of a mask. */
static uncork_status take_columns(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                                  const bool *mask, int64_t n, sk_result *out)
{
    int64_t kept = 0;
    int64_t *columns = UC_NEW(ctx->arena, int64_t, (size_t)n);
    uncork_dtype dtype = UNCORK_FLOAT64;
    uc_ref x = sk_x_keep(ctx, est, in, n, &dtype);
    if (!columns || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    for (int64_t i = 0; i < n; i++) {
        if (mask[i]) columns[kept++] = i;
    }
    x = uc_g_gather(ctx->graph, x, uc_graph_i64s(ctx->graph, columns, kept), 1);
    return sk_return(ctx, out, x, dtype, kept);
}

/* RandomizedLasso and RandomizedLogisticRegression (until 0.20): the columns whose score is over
 * selection_threshold. */
uncork_status sk_do_randomized_l1(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_tensor *scores = sk_f64(ctx, est, "scores_", 1);
    double threshold = sk_number(ctx, est, "selection_threshold", 0.25);
    if (!scores) return sk_status(ctx);
    int64_t n = scores->shape[0];
    bool *mask = UC_NEW(ctx->arena, bool, (size_t)n);
    if (!mask) return sk_status(ctx);
    for (int64_t i = 0; i < n; i++)
        mask[i] = uc_tensor_doubles(scores)[i] > threshold;
    return take_columns(ctx, est, in, mask, n, out);
}

/* 0.18's transform of linear models (_LearntSelectorMixin): the columns whose sum of |coef_| reaches
 * 1e-5 with an l1 penalty, else their mean. */
uncork_status sk_linear_select(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out)
{
    const uc_tensor *coef = sk_f64(ctx, est, "coef_", -1);
    if (!coef || coef->rank < 1 || coef->rank > 2) return sk_status(ctx);
    if (sk_has(est, "threshold")) {
        return sk_unsupported(ctx, est, "has a threshold for the transform of scikit-learn 0.18");
    }
    int64_t n = coef->shape[coef->rank - 1], rows = coef->rank == 1 ? 1 : coef->shape[0];
    double *importance = UC_NEW(ctx->arena, double, (size_t)n), sum = 0;
    bool *mask = UC_NEW(ctx->arena, bool, (size_t)n);
    if (!importance || !mask || n == 0) return sk_status(ctx);
    for (int64_t f = 0; f < n; f++) {
        for (int64_t r = 0; r < rows; r++) {
            importance[f] += fabs(uc_tensor_doubles(coef)[r * n + f]);
        }
        sum += importance[f];
    }
    double threshold = sk_str_is(est, "penalty", "l1") ? 1e-5 : sum / (double)n;
    for (int64_t f = 0; f < n; f++)
        mask[f] = importance[f] >= threshold;
    return take_columns(ctx, est, in, mask, n, out);
}
