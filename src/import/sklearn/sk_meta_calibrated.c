/* CalibratedClassifierCV: classifiers whose scores pass a sigmoid, an isotonic line or a temperature.
 * Source: sklearn/calibration.py; until 0.23 each part kept calibrators_ and label_encoder_. */
#include "import/sklearn/sk_meta.h"

#include <inttypes.h>

/* What is calibrated: decision_function, else probabilities (of two classes the second alone). */
static uc_ref raw_scores(sk_ctx *ctx, const sk_est *inner, const sk_data *in, int64_t classes,
                         int64_t *width, bool *is_proba)
{
    *is_proba = !sk_has_method(inner, SK_DECISION_FUNCTION);
    sk_result result;
    sk_method method = *is_proba ? SK_PREDICT_PROBA : SK_DECISION_FUNCTION;
    if (sk_apply(ctx, inner, method, in, &result) != UNCORK_OK) return 0;
    uc_ref scores = sk_value(ctx, &result, UNCORK_FLOAT64, true);
    if (*is_proba && classes == 2) scores = sk_columns(ctx, scores, 1, 2);
    *width = classes == 2 ? 1 : result.width;
    return scores;
}

static uc_ref calibrate(sk_ctx *ctx, const sk_est *calibrator, uc_ref column)
{
    if (!uc_str_is(calibrator->class_name, "_SigmoidCalibration")) {
        sk_data data = {.x = column, .dtype = UNCORK_FLOAT64, .rank = 2, .width = 1};
        return sk_apply_f64(ctx, calibrator, SK_PREDICT, &data, true);
    }
    double a = sk_number(ctx, calibrator, "a_", 0), b = sk_number(ctx, calibrator, "b_", 0);
    uc_ref f = sk_add_s(ctx, sk_mul_s(ctx, column, a), b);
    return sk_expit(ctx, uc_g1(ctx->graph, "Neg", f));
}

/* Where the inner classifier's classes stand among all. */
static int64_t class_index(const uc_tensor *all, const uc_tensor *own, int64_t i)
{
    for (int64_t k = 0; k < all->shape[0]; k++) {
        bool same =
            all->dtype == UNCORK_STRING
                ? own->dtype == UNCORK_STRING &&
                      uc_str_equal(uc_tensor_string(all, k), uc_tensor_string(own, i))
                : own->dtype != UNCORK_STRING && uc_dtype_load_f64(all->data, k, all->dtype) ==
                                                     uc_dtype_load_f64(own->data, i, own->dtype);
        if (same) return k;
    }
    return -1;
}

/* 1 < p <= 1 + 1e-5 becomes 1. */
static uc_ref cut_at_one(sk_ctx *ctx, uc_ref p)
{
    uc_graph *g = ctx->graph;
    uc_ref over = uc_g2(g, "Greater", p, uc_graph_f64(g, 1));
    uc_ref little = uc_g2(g, "LessOrEqual", p, uc_graph_f64(g, 1 + 1e-5));
    return uc_g_where(g, uc_g2(g, "And", over, little), uc_graph_f64(g, 1), p);
}

/* Many classes: each column calibrated, divided by their sum, uniform where that is 0. */
static uc_ref one_vs_all(sk_ctx *ctx, const sk_est *part, const sk_est *inner, uc_ref scores,
                         const uc_tensor *classes, const char *calibrators)
{
    const uc_tensor *own = sk_classes(ctx, inner);
    size_t n = sk_list_count(part, calibrators);
    uc_ref *columns = UC_NEW(ctx->arena, uc_ref, (size_t)classes->shape[0]);
    if (!own || n > (size_t)own->shape[0]) {
        sk_fail(ctx, part, calibrators, "holds %zu for %" PRId64 " classes", n,
                own ? own->shape[0] : 0);
        return 0;
    }
    for (size_t i = 0; columns && i < n; i++) {
        sk_est calibrator;
        int64_t at = class_index(classes, own, (int64_t)i);
        if (at < 0)
            sk_fail(ctx, inner, "classes_", "has a class that isn't among those calibrated");
        if (!sk_list_child(ctx, part, calibrators, i, &calibrator)) return 0;
        columns[at] =
            calibrate(ctx, &calibrator, sk_columns(ctx, scores, (int64_t)i, (int64_t)i + 1));
    }
    for (int64_t k = 0; columns && k < classes->shape[0]; k++) {
        if (!columns[k]) columns[k] = sk_fill(ctx, scores, 0, 1);
    }
    if (!columns) return 0;
    uc_ref p = uc_g_concat(ctx->graph, columns, (size_t)classes->shape[0], 1);
    return sk_normalize_rows(ctx, p, true, classes->shape[0]);
}

static uc_ref two_classes(sk_ctx *ctx, const sk_est *part, uc_ref score, const char *calibrators)
{
    sk_est calibrator;
    uc_graph *g = ctx->graph;
    if (!sk_list_child(ctx, part, calibrators, 0, &calibrator)) return 0;
    uc_ref p = calibrate(ctx, &calibrator, score);
    uc_ref both[2] = {uc_g2(g, "Sub", uc_graph_f64(g, 1), p), p};
    return uc_g_concat(g, both, 2, 1);
}

/* softmax(beta * logits): probabilities become logits ln(p + 1e-12), one score s becomes (-s, s).
 * Source: _TemperatureScaling, _convert_to_logits. scikit-learn looks at the
 * numbers to tell probabilities apart; we at the method that gave them. */
static uc_ref temperature(sk_ctx *ctx, const sk_est *part, uc_ref scores, bool is_proba,
                          int64_t classes)
{
    sk_est calibrator;
    uc_graph *g = ctx->graph;
    if (!sk_list_child(ctx, part, "calibrators", 0, &calibrator)) return 0;
    uc_ref logits = scores;
    if (classes == 2) {
        uc_ref other =
            is_proba ? uc_g2(g, "Sub", uc_graph_f64(g, 1), scores) : uc_g1(g, "Neg", scores);
        uc_ref both[2] = {other, scores};
        logits = uc_g_concat(g, both, 2, 1);
    }
    if (is_proba) logits = uc_g1(g, "Log", sk_add_s(ctx, logits, 1e-12));
    return uc_g_softmax(g, sk_mul_s(ctx, logits, sk_number(ctx, &calibrator, "beta_", 1)), 1);
}

static uc_ref part_proba(sk_ctx *ctx, const sk_est *part, const sk_data *in,
                         const uc_tensor *classes)
{
    static const char calibrators[] = "calibrators|calibrators_";
    sk_est inner;
    int64_t n = classes->shape[0], width = -1;
    bool is_proba;
    if (!sk_child(ctx, part, "estimator|base_estimator", &inner)) return 0;
    uc_ref scores = raw_scores(ctx, &inner, in, n, &width, &is_proba);
    if (sk_status(ctx) != UNCORK_OK) return 0;
    uc_ref p;
    if (sk_str_is(part, "method", "temperature")) {
        p = temperature(ctx, part, scores, is_proba, n);
    } else if (n == 2) {
        p = two_classes(ctx, part, scores, calibrators);
    } else {
        p = one_vs_all(ctx, part, &inner, scores, classes, calibrators);
    }
    return cut_at_one(ctx, p);
}

uncork_status sk_do_calibrated(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                               sk_result *out)
{
    size_t n = sk_list_count(est, "calibrated_classifiers_");
    const uc_tensor *classes = sk_classes(ctx, est);
    uc_ref sum = 0;
    if (!classes) return sk_fail(ctx, est, "classes_", "is missing: not fitted?");
    if (n == 0)
        return sk_fail(ctx, est, "calibrated_classifiers_", "is empty or missing: not fitted?");
    for (size_t i = 0; i < n; i++) {
        sk_est part;
        const uc_pickle *value = uc_pickle_item(sk_attr(est, "calibrated_classifiers_"), i);
        const char *path =
            uc_arena_printf(ctx->arena, "%s.calibrated_classifiers_[%zu]", est->path, i);
        if (!path || !sk_estimator(ctx, value, est, path, &part)) return sk_status(ctx);
        uc_ref p = part_proba(ctx, &part, in, classes);
        if (!p) return sk_status(ctx);
        sum = sk_plus(ctx, sum, p);
    }
    uc_ref mean = uc_g2(ctx->graph, "Div", sum, uc_graph_f64(ctx->graph, (double)n));
    return sk_return_proba(ctx, est, method, classes, mean, out);
}
