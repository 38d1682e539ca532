/* Wrappers that add one step to the estimator inside: thresholds, robust and transformed regression,
 * dummies. Source: sklearn/{model_selection/_classification_threshold,linear_model/_ransac,
 * compose/_target,dummy}.py. */
#include "import/sklearn/sk_meta.h"

#include <inttypes.h>

/* ---- thresholds ---------------------------------------------------------------------------- */

static int64_t index_of_label(const uc_tensor *classes, const uc_pickle *label)
{
    for (int64_t i = 0; i < classes->shape[0]; i++) {
        double number;
        if (classes->dtype == UNCORK_STRING) {
            bool text = label->kind == UC_PICKLE_TEXT || label->kind == UC_PICKLE_BYTES;
            if (text && uc_str_equal(uc_tensor_string(classes, i), label->text)) return i;
        } else if (uc_pickle_f64(label, &number) &&
                   uc_dtype_load_f64(classes->data, i, classes->dtype) == number) {
            return i;
        }
    }
    return -1;
}

/* pos_label: the parameter, or the tuned threshold's scorer's. */
static const uc_pickle *positive_label(const sk_est *est)
{
    const uc_pickle *label = sk_attr(est, "pos_label");
    if (label) return label;
    return uc_pickle_get(uc_pickle_attr(sk_attr(est, "_curve_scorer"), "_kwargs"), "pos_label");
}

uncork_status sk_do_threshold(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                              sk_result *out)
{
    sk_est inner;
    uc_graph *g = ctx->graph;
    if (!sk_child(ctx, est, "estimator_|estimator", &inner)) return sk_status(ctx);
    if (method != SK_PREDICT) return sk_apply(ctx, &inner, method, in, out);
    const uc_tensor *classes = sk_classes(ctx, &inner);
    if (!classes || classes->shape[0] != 2) return sk_fail(ctx, &inner, "classes_", "aren't two");
    bool decision =
        sk_str_is(est, "response_method", "decision_function") ||
        (sk_str_is(est, "response_method", "auto") && !sk_has_method(&inner, SK_PREDICT_PROBA));
    const uc_pickle *label = positive_label(est);
    bool given = label && label->kind != UC_PICKLE_NONE;
    int64_t positive = given ? index_of_label(classes, label) : 1;
    if (positive < 0) return sk_fail(ctx, est, "pos_label", "isn't a class of the estimator");
    uc_ref score;
    if (decision) {
        score = sk_apply_f64(ctx, &inner, SK_DECISION_FUNCTION, in, false);
        if (positive == 0) score = uc_g1(g, "Neg", score);
    } else {
        score = sk_column_at(ctx, sk_apply_f64(ctx, &inner, SK_PREDICT_PROBA, in, false), positive);
    }
    bool automatic = sk_str_is(est, "threshold", "auto");
    double threshold =
        automatic ? (decision ? 0 : 0.5) : sk_number(ctx, est, "best_threshold_|threshold", 0.5);
    uc_ref over =
        uc_g_cast(g, uc_g2(g, "GreaterOrEqual", score, uc_graph_f64(g, threshold)), UNCORK_INT64);
    uc_ref index = positive == 1 ? over : uc_g2(g, "Sub", uc_graph_i64(g, 1), over);
    return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
}

/* ---- a regressor whose target was transformed ---------------------------------------------- */

uncork_status sk_do_transformed_target(sk_ctx *ctx, const sk_est *est, sk_method method,
                                       const sk_data *in, sk_result *out)
{
    sk_est regressor, transformer;
    if (!sk_child(ctx, est, "regressor_", &regressor) ||
        !sk_child(ctx, est, "transformer_", &transformer)) {
        return sk_status(ctx);
    }
    UC_TRY(sk_apply(ctx, &regressor, method, in, out));
    int64_t width = out->width == 0 ? 1 : out->width;
    uc_ref y = sk_inverse(ctx, &transformer, sk_value(ctx, out, UNCORK_FLOAT64, true), width);
    static const int64_t flat = -1;
    if (sk_int(ctx, est, "_training_dim", 1) != 1 || width != 1) {
        return sk_return(ctx, out, y, UNCORK_FLOAT64, width);
    }
    return sk_return(ctx, out, uc_g_reshape(ctx->graph, y, &flat, 1), UNCORK_FLOAT64, 0);
}

/* ---- dummies ------------------------------------------------------------------------------- */

static int64_t argmax_of(const uc_tensor *t)
{
    int64_t best = 0;
    for (int64_t i = 1; i < uc_tensor_count(t); i++) {
        if (uc_tensor_doubles(t)[i] > uc_tensor_doubles(t)[best]) best = i;
    }
    return best;
}

typedef struct dummy {
    const uc_tensor *classes, *prior;
    const uc_pickle *constant;
} dummy;

static bool dummy_output(sk_ctx *ctx, const sk_est *est, bool many, size_t i, dummy *d)
{
    const uc_pickle *prior = sk_attr(est, "class_prior_"), *constant = sk_attr(est, "constant");
    d->classes = many ? sk_classes_at(ctx, est, "classes_", i) : sk_classes(ctx, est);
    const uc_pickle *own = many ? uc_pickle_item(prior, i) : prior;
    const uc_tensor *t = own ? uc_pickle_tensor(own, ctx->arena, NULL) : NULL;
    d->prior = t && t->rank == 1 ? uc_tensor_cast(ctx->arena, t, UNCORK_FLOAT64) : NULL;
    d->constant = many || (constant &&
                           (constant->kind == UC_PICKLE_LIST || constant->kind == UC_PICKLE_TUPLE))
                      ? uc_pickle_item(constant, i)
                      : constant;
    if (!d->classes || !d->prior || d->prior->shape[0] != d->classes->shape[0] ||
        d->classes->shape[0] == 0) {
        sk_fail(ctx, est, "class_prior_", "doesn't fit classes_");
        return false;
    }
    return true;
}

/* The one class every row gets, -1 when rows differ by chance. */
static int64_t dummy_class(const sk_est *est, const dummy *d)
{
    if (sk_str_is(est, "_strategy|strategy", "constant"))
        return d->constant ? index_of_label(d->classes, d->constant) : -1;
    bool fixed = sk_str_is(est, "_strategy|strategy", "most_frequent") ||
                 sk_str_is(est, "_strategy|strategy", "prior");
    return fixed ? argmax_of(d->prior) : -1;
}

static uc_ref repeat_row(sk_ctx *ctx, uc_ref x, const double *row, int64_t n)
{
    uc_ref zeros = sk_fill(ctx, x, 0, n);
    return uc_g2(ctx->graph, "Add", zeros, uc_graph_f64s(ctx->graph, row, n));
}

static uc_ref dummy_proba(sk_ctx *ctx, const sk_est *est, uc_ref x, const dummy *d)
{
    int64_t n = d->classes->shape[0], one = dummy_class(est, d);
    double *row = UC_NEW(ctx->arena, double, (size_t)n);
    if (!row) return 0;
    for (int64_t i = 0; i < n; i++) {
        bool uniform = sk_str_is(est, "_strategy|strategy", "uniform");
        bool prior = sk_str_is(est, "_strategy|strategy", "prior");
        row[i] = uniform ? 1 / (double)n : prior ? uc_tensor_doubles(d->prior)[i] : i == one;
    }
    return repeat_row(ctx, x, row, n);
}

static uc_ref dummy_label(sk_ctx *ctx, const sk_est *est, uc_ref x, const dummy *d)
{
    int64_t at = dummy_class(est, d);
    if (at < 0) {
        sk_fail(ctx, est, "constant", "isn't one of the classes");
        return 0;
    }
    uc_ref index = uc_g_cast(ctx->graph, sk_fill(ctx, x, (double)at, 0), UNCORK_INT64);
    return sk_take_labels(ctx, d->classes, index);
}

static bool is_random(const sk_est *est, sk_method method)
{
    return sk_str_is(est, "_strategy|strategy", "stratified") ||
           (method == SK_PREDICT && sk_str_is(est, "_strategy|strategy", "uniform"));
}

uncork_status sk_do_dummy_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    if (is_random(est, method)) return sk_unsupported(ctx, est, "answers by chance (its strategy)");
    int64_t n = sk_int(ctx, est, "n_outputs_", 1);
    bool many = n > 1;
    uc_ref x = in->columns ? in->columns[0].ref : in->x;
    if (n < 1 || n > 1000000) return sk_fail(ctx, est, "n_outputs_", "is %" PRId64, n);
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, (size_t)n);
    dummy d = {0};
    for (int64_t i = 0; parts && i < n; i++) {
        if (!dummy_output(ctx, est, many, (size_t)i, &d)) return sk_status(ctx);
        if (method == SK_PREDICT) {
            parts[i] = dummy_label(ctx, est, x, &d);
            if (many) parts[i] = uc_g_unsqueeze(ctx->graph, parts[i], 1);
        } else {
            parts[i] = dummy_proba(ctx, est, x, &d);
            if (method == SK_PREDICT_LOG_PROBA) parts[i] = uc_g1(ctx->graph, "Log", parts[i]);
        }
    }
    if (!parts) return sk_status(ctx);
    if (method == SK_PREDICT) {
        uc_ref y = many ? uc_g_concat(ctx->graph, parts, (size_t)n, 1) : parts[0];
        return sk_return(ctx, out, y, d.classes->dtype, many ? n : 0);
    }
    *out = (sk_result){
        .out = parts, .count = (size_t)n, .dtype = UNCORK_FLOAT64, .width = d.classes->shape[0]};
    return sk_status(ctx);
}

uncork_status sk_do_dummy_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_tensor *constant = sk_f64(ctx, est, "constant_", -1);
    const uc_tensor *stored = sk_tensor(ctx, est, "constant_", -1);
    if (!constant || !stored) return sk_status(ctx);
    int64_t n = uc_tensor_count(constant);
    if (n < 1 || sk_int(ctx, est, "n_outputs_", n) != n) {
        return sk_fail(ctx, est, "constant_",
                       "holds %" PRId64 " numbers, n_outputs_ says otherwise", n);
    }
    uc_ref x = in->columns ? in->columns[0].ref : in->x;
    uc_ref y = n == 1 ? sk_fill(ctx, x, uc_tensor_doubles(constant)[0], 0)
                      : repeat_row(ctx, x, uc_tensor_doubles(constant), n);
    uncork_dtype dtype = UNCORK_FLOAT64;
    if (est->version >= 20 &&
        stored->dtype != UNCORK_FLOAT64) { /* numpy.full of the constant's type */
        dtype = stored->dtype;
        y = uc_g_cast(ctx->graph, y, dtype);
    }
    return sk_return(ctx, out, y, dtype, n == 1 ? 0 : n);
}

/* The first guess of gradient boosting until 0.20, when it stands alone: one constant a column. */
uncork_status sk_do_boosting_init(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    (void)method;
    static const char names[] = "prior|quantile|mean|priors";
    uc_ref x = in->columns ? in->columns[0].ref : in->x;
    if (uc_str_is(est->class_name, "ZeroEstimator")) {
        int64_t n = sk_int(ctx, est, "n_classes", 1);
        if (n < 1 || n > 1000000) return sk_fail(ctx, est, "n_classes", "is %" PRId64, n);
        return sk_return(ctx, out, sk_fill(ctx, x, 0, n), UNCORK_FLOAT64, n);
    }
    const uc_tensor *values = sk_f64(ctx, est, names, -1);
    if (!values || values->rank > 1 || uc_tensor_count(values) < 1) {
        return sk_fail(ctx, est, names, "isn't a row of numbers");
    }
    int64_t n = uc_tensor_count(values);
    return sk_return(ctx, out, repeat_row(ctx, x, uc_tensor_doubles(values), n), UNCORK_FLOAT64, n);
}
