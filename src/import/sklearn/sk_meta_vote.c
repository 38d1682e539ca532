/* Ensembles of different or resampled estimators: voting, stacking, bagging.
 * Source: sklearn/ensemble/{_voting,_stacking,_bagging}.py (voting_classifier.py, bagging.py). */
#include "import/sklearn/sk_meta.h"

#include <inttypes.h>
#include <math.h>

/* ---- weights ------------------------------------------------------------------------------- */

/* weights of the estimators that weren't dropped; NULL (and no failure) when there are none. */
static const double *weights_of(sk_ctx *ctx, const sk_est *est, size_t count)
{
    const uc_tensor *all = sk_f64_or_null(ctx, est, "weights", 1);
    if (!all) return NULL;
    const uc_pickle *given = sk_attr(est, "estimators");
    double *kept = UC_NEW(ctx->arena, double, count);
    size_t n = 0;
    for (int64_t i = 0; kept && i < all->shape[0]; i++) {
        const uc_pickle *child = uc_pickle_item(uc_pickle_item(given, (size_t)i), 1);
        bool dropped = child && (child->kind == UC_PICKLE_NONE || uc_pickle_is_text(child, "drop"));
        if (dropped) continue;
        if (n < count) kept[n] = uc_tensor_doubles(all)[i];
        n++;
    }
    if (kept && n != count) {
        sk_fail(ctx, est, "weights", "holds %zu for %zu estimators", n, count);
        return NULL;
    }
    return kept;
}

/* numpy.average over the estimators: sum of a * w, divided by the sum of w; without weights the
 * sum divided by their number. */
static uc_ref average(sk_ctx *ctx, const uc_ref *values, const double *weights, size_t count)
{
    uc_ref sum = 0;
    double total = weights ? 0 : (double)count;
    for (size_t i = 0; i < count; i++) {
        uc_ref v = weights
                       ? uc_g2(ctx->graph, "Mul", values[i], uc_graph_f64(ctx->graph, weights[i]))
                       : values[i];
        if (weights) total += weights[i];
        sum = sk_plus(ctx, sum, v);
    }
    return uc_g2(ctx->graph, "Div", sum, uc_graph_f64(ctx->graph, total));
}

/* One method of every estimators_, in a list. NULL after a failure. */
static sk_result *all_of(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                         size_t *count)
{
    *count = sk_list_count(est, "estimators_");
    sk_result *results = UC_NEW(ctx->arena, sk_result, *count);
    if (*count == 0) sk_fail(ctx, est, "estimators_", "is empty or missing: not fitted?");
    for (size_t i = 0; results && i < *count; i++) {
        sk_est child;
        if (!sk_list_child(ctx, est, "estimators_", i, &child)) return NULL;
        if (sk_apply(ctx, &child, method, in, &results[i]) != UNCORK_OK) return NULL;
    }
    return sk_status(ctx) == UNCORK_OK ? results : NULL;
}

static uc_ref *as_f64(sk_ctx *ctx, const sk_result *results, size_t count, bool as_column)
{
    uc_ref *refs = UC_NEW(ctx->arena, uc_ref, count);
    for (size_t i = 0; refs && i < count; i++)
        refs[i] = sk_value(ctx, &results[i], UNCORK_FLOAT64, as_column);
    return refs;
}

/* ---- voting -------------------------------------------------------------------------------- */

/* The winner's index: weighted counts of the encoded labels, the smallest wins a tie. */
static uc_ref hard_vote(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t classes)
{
    size_t n;
    sk_result *results = all_of(ctx, est, SK_PREDICT, in, &n);
    const double *w = results ? weights_of(ctx, est, n) : NULL;
    uc_ref votes = 0;
    for (size_t i = 0; results && i < n; i++) {
        uc_ref one = sk_index_flags(ctx, sk_value(ctx, &results[i], UNCORK_INT64, false), classes);
        if (w) one = uc_g2(ctx->graph, "Mul", one, uc_graph_f64(ctx->graph, w[i]));
        votes = sk_plus(ctx, votes, one);
    }
    return results ? uc_g_argmax(ctx->graph, votes, 1, false) : 0;
}

static uc_ref soft_vote(sk_ctx *ctx, const sk_est *est, const sk_data *in)
{
    size_t n;
    sk_result *results = all_of(ctx, est, SK_PREDICT_PROBA, in, &n);
    uc_ref *refs = results ? as_f64(ctx, results, n, false) : NULL;
    const double *w = refs ? weights_of(ctx, est, n) : NULL;
    return refs ? average(ctx, refs, w, n) : 0;
}

/* Until 0.20 the probabilities of transform were a block [estimators, rows, classes]. */
static uncork_status vote_transform(sk_ctx *ctx, const sk_est *est, const sk_data *in, bool soft,
                                    sk_result *out)
{
    size_t n;
    sk_result *results = all_of(ctx, est, soft ? SK_PREDICT_PROBA : SK_PREDICT, in, &n);
    if (!results) return sk_status(ctx);
    if (!soft || sk_bool(ctx, est, "flatten_transform", est->version >= 21)) {
        for (size_t i = 0; i < n; i++) {
            results[i].out[0] = sk_value(ctx, &results[i], UNCORK_DTYPE_NONE, true);
            if (results[i].width == 0) results[i].width = 1;
        }
        return sk_hstack(ctx, est, results, n, out);
    }
    uc_ref *refs = as_f64(ctx, results, n, false);
    for (size_t i = 0; refs && i < n; i++)
        refs[i] = uc_g_unsqueeze(ctx->graph, refs[i], 0);
    if (!refs) return sk_status(ctx);
    return sk_return(ctx, out, uc_g_concat(ctx->graph, refs, n, 0), UNCORK_FLOAT64, -1);
}

uncork_status sk_do_voting_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    bool soft = sk_str_is(est, "voting", "soft");
    if (method == SK_TRANSFORM) return vote_transform(ctx, est, in, soft, out);
    const uc_tensor *classes = sk_classes(ctx, est);
    if (!classes) return sk_fail(ctx, est, "classes_", "is missing: not fitted?");
    if (soft) return sk_return_proba(ctx, est, method, classes, soft_vote(ctx, est, in), out);
    uc_ref index = hard_vote(ctx, est, in, classes->shape[0]);
    return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
}

uncork_status sk_do_voting_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    size_t n;
    sk_result *results = all_of(ctx, est, SK_PREDICT, in, &n);
    if (!results) return sk_status(ctx);
    uc_ref *refs = as_f64(ctx, results, n, method == SK_TRANSFORM);
    if (!refs) return sk_status(ctx);
    if (method == SK_TRANSFORM) {
        return sk_return(ctx, out, uc_g_concat(ctx->graph, refs, n, 1), UNCORK_FLOAT64, (int64_t)n);
    }
    return sk_return(ctx, out, average(ctx, refs, weights_of(ctx, est, n), n), UNCORK_FLOAT64, 0);
}

/* ---- stacking ------------------------------------------------------------------------------ */

static bool method_by_name(const uc_pickle *name, sk_method *method)
{
    for (int m = 0; m < SK_METHOD_COUNT; m++) {
        if (uc_pickle_is_text(name, sk_method_name((sk_method)m))) {
            *method = (sk_method)m;
            return true;
        }
    }
    return false;
}

/* The columns one estimator adds: all but the first of probabilities of two classes (and of each
 * output when there are several). */
static bool add_columns(sk_ctx *ctx, const sk_result *result, bool drop_first, sk_result *parts,
                        size_t *count)
{
    for (size_t i = 0; i < result->count; i++) {
        sk_result *part = &parts[(*count)++];
        bool drop = drop_first || result->count > 1;
        uc_ref ref = result->out[i];
        static const int64_t column[2] = {-1, 1};
        int64_t width = result->count > 1 ? -1 : result->width;
        if (width == 0) {
            ref = uc_g_reshape(ctx->graph, ref, column, 2);
            width = 1;
        } else if (drop) {
            ref = sk_columns(ctx, ref, 1, INT64_MAX);
            width = width > 0 ? width - 1 : -1;
        }
        if (sk_return(ctx, part, ref, result->dtype, width) != UNCORK_OK) return false;
    }
    return true;
}

static uncork_status stack(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out)
{
    size_t n = sk_list_count(est, "estimators_"), used = 0, room = n + 1;
    const uc_pickle *methods = sk_attr(est, "stack_method_");
    const uc_tensor *classes = sk_classes(ctx, est);
    sk_result *results = UC_NEW(ctx->arena, sk_result, n);
    for (size_t i = 0; results && i < n; i++) {
        sk_est child;
        sk_method method;
        if (!method_by_name(uc_pickle_item(methods, i), &method)) {
            return sk_fail(ctx, est, "stack_method_", "names no method of estimator %zu", i);
        }
        if (!sk_list_child(ctx, est, "estimators_", i, &child)) return sk_status(ctx);
        UC_TRY(sk_apply(ctx, &child, method, in, &results[i]));
        room += results[i].count;
    }
    sk_result *parts = UC_NEW(ctx->arena, sk_result, room);
    if (!results || !parts) return sk_status(ctx);
    for (size_t i = 0; i < n; i++) {
        bool proba = uc_pickle_is_text(uc_pickle_item(methods, i), "predict_proba");
        if (!add_columns(ctx, &results[i], proba && classes && classes->shape[0] == 2, parts,
                         &used)) {
            return sk_status(ctx);
        }
    }
    if (sk_bool(ctx, est, "passthrough", false))
        UC_TRY(sk_return_input(ctx, est, in, &parts[used++]));
    return sk_hstack(ctx, est, parts, used, out);
}

/* Several outputs (multi-label): predict decodes each column, predict_proba keeps each first column. */
static uncork_status stack_multi(sk_ctx *ctx, const sk_est *est, sk_method method, sk_result *out)
{
    size_t n = method == SK_PREDICT ? sk_list_count(est, "_label_encoder") : out->count;
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, n);
    const uc_tensor *classes = NULL;
    for (size_t i = 0; parts && i < n; i++) {
        if (method != SK_PREDICT) {
            parts[i] = sk_columns(ctx, out->out[i], 0, 1);
            continue;
        }
        sk_est encoder;
        if (!sk_list_child(ctx, est, "_label_encoder", i, &encoder)) return sk_status(ctx);
        classes = sk_classes(ctx, &encoder);
        if (!classes) return sk_fail(ctx, &encoder, "classes_", "is missing");
        uc_ref index =
            uc_g_cast(ctx->graph, sk_column_at(ctx, out->out[0], (int64_t)i), UNCORK_INT64);
        parts[i] = uc_g_unsqueeze(ctx->graph, sk_take_labels(ctx, classes, index), 1);
    }
    if (!parts || n == 0) return sk_status(ctx);
    return sk_return(ctx, out, uc_g_concat(ctx->graph, parts, n, 1),
                     classes ? classes->dtype : out->dtype, (int64_t)n);
}

uncork_status sk_do_stacking(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                             sk_result *out)
{
    sk_result stacked;
    sk_est final;
    UC_TRY(stack(ctx, est, in, &stacked));
    if (method == SK_TRANSFORM) {
        *out = stacked;
        return UNCORK_OK;
    }
    sk_data data = sk_as_data(&stacked);
    if (!sk_child(ctx, est, "final_estimator_", &final)) return sk_status(ctx);
    UC_TRY(sk_apply(ctx, &final, method, &data, out));
    bool classifier = uc_str_is(est->class_name, "StackingClassifier");
    if (classifier && sk_list_count(est, "_label_encoder") > 1)
        return stack_multi(ctx, est, method, out);
    if (!classifier || method != SK_PREDICT) return sk_status(ctx);
    const uc_tensor *classes = sk_classes(ctx, est);
    if (!classes) return sk_fail(ctx, est, "classes_", "is missing: not fitted?");
    uc_ref index = sk_value(ctx, out, UNCORK_INT64, false);
    return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
}

/* ---- bagging ------------------------------------------------------------------------------- */

static bool bagged(sk_ctx *ctx, const sk_est *est, const sk_data *in, size_t i, sk_est *child,
                   sk_data *data)
{
    *data = *in;
    if (!sk_list_child(ctx, est, "estimators_", i, child)) return false;
    const uc_pickle *features = uc_pickle_item(sk_attr(est, "estimators_features_"), i);
    const uc_tensor *t = features ? uc_pickle_tensor(features, ctx->arena, NULL) : NULL;
    if (t && t->dtype != UNCORK_INT64) t = uc_tensor_cast(ctx->arena, t, UNCORK_INT64);
    if (!t || t->rank != 1) {
        sk_fail(ctx, est, "estimators_features_", "holds no features of estimator %zu", i);
        return false;
    }
    t = uc_tensor_dense(ctx->arena, t);
    int64_t width = in->columns ? (int64_t)in->column_count : in->width;
    for (int64_t k = 0; t && k < t->shape[0]; k++) {
        int64_t at = ((const int64_t *)t->data)[k];
        if (at >= 0 && (width < 0 || at < width)) continue;
        sk_fail(ctx, est, "estimators_features_", "names column %" PRId64 " of %" PRId64, at,
                width);
        return false;
    }
    return t && sk_features(ctx, in, t->data, (size_t)t->shape[0], data);
}

/* A bagged classifier was trained on class numbers: its own classes_ say which it met. */
static uc_ref bagged_proba(sk_ctx *ctx, const sk_est *child, sk_method method, const sk_data *data,
                           int64_t classes)
{
    bool log = method == SK_PREDICT_LOG_PROBA;
    if (!log && !sk_has_method(child, SK_PREDICT_PROBA)) {
        sk_result labels;
        if (sk_apply(ctx, child, SK_PREDICT, data, &labels) != UNCORK_OK) return 0;
        return sk_index_flags(ctx, sk_value(ctx, &labels, UNCORK_INT64, false), classes);
    }
    uc_ref proba = sk_apply_f64(ctx, child, method, data, false);
    const uc_tensor *own = sk_classes(ctx, child);
    if (!own || own->shape[0] == classes || sk_status(ctx) != UNCORK_OK) return proba;
    if (own->dtype != UNCORK_INT64) own = uc_tensor_cast(ctx->arena, own, UNCORK_INT64);
    return sk_spread(ctx, proba, own, classes, log ? -HUGE_VAL : 0);
}

/* ln(mean(exp)) over the estimators. */
static uc_ref log_mean(sk_ctx *ctx, const uc_ref *logs, size_t n)
{
    uc_graph *g = ctx->graph;
    uc_ref top = logs[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        top = uc_g2(g, "Max", top, logs[i]);
    top = uc_g_where(g, uc_g1(g, "IsInf", top), uc_graph_f64(g, 0), top);
    for (size_t i = 0; i < n; i++)
        sum = sk_plus(ctx, sum, uc_g1(g, "Exp", uc_g2(g, "Sub", logs[i], top)));
    return sk_add_s(ctx, uc_g2(g, "Add", uc_g1(g, "Log", sum), top), -log((double)n));
}

uncork_status sk_do_bagging_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                       const sk_data *in, sk_result *out)
{
    size_t n = sk_list_count(est, "estimators_");
    const uc_tensor *classes = sk_classes(ctx, est);
    uc_ref *values = UC_NEW(ctx->arena, uc_ref, n);
    if (n == 0) return sk_fail(ctx, est, "estimators_", "is empty or missing: not fitted?");
    if (!classes) return sk_fail(ctx, est, "classes_", "is missing: not fitted?");
    if (!values) return sk_status(ctx);
    int64_t k = classes->shape[0];
    sk_est child;
    sk_data data;
    if (!bagged(ctx, est, in, 0, &child, &data)) return sk_status(ctx);
    bool logs = method == SK_PREDICT_LOG_PROBA && sk_has_method(&child, SK_PREDICT_LOG_PROBA);
    sk_method inner = logs ? SK_PREDICT_LOG_PROBA : SK_PREDICT_PROBA;
    int64_t width = 0;
    for (size_t i = 0; i < n; i++) {
        if (i && !bagged(ctx, est, in, i, &child, &data)) return sk_status(ctx);
        if (method == SK_DECISION_FUNCTION) {
            sk_result one;
            UC_TRY(sk_apply(ctx, &child, method, &data, &one));
            values[i] = sk_value(ctx, &one, UNCORK_FLOAT64, false);
            width = one.width;
        } else {
            values[i] = bagged_proba(ctx, &child, inner, &data, k);
        }
    }
    if (logs) return sk_return(ctx, out, log_mean(ctx, values, n), UNCORK_FLOAT64, k);
    uc_ref mean = average(ctx, values, NULL, n);
    if (method == SK_DECISION_FUNCTION) return sk_return(ctx, out, mean, UNCORK_FLOAT64, width);
    return sk_return_proba(ctx, est, method, classes, mean, out);
}

uncork_status sk_do_bagging_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    size_t n = sk_list_count(est, "estimators_");
    uc_ref sum = 0;
    int64_t width = 0;
    if (n == 0) return sk_fail(ctx, est, "estimators_", "is empty or missing: not fitted?");
    for (size_t i = 0; i < n; i++) {
        sk_est child;
        sk_data data;
        sk_result one;
        if (!bagged(ctx, est, in, i, &child, &data)) return sk_status(ctx);
        UC_TRY(sk_apply(ctx, &child, method, &data, &one));
        sum = sk_plus(ctx, sum, sk_value(ctx, &one, UNCORK_FLOAT64, false));
        width = one.width;
    }
    uc_ref mean = uc_g2(ctx->graph, "Div", sum, uc_graph_f64(ctx->graph, (double)n));
    return sk_return(ctx, out, mean, UNCORK_FLOAT64, width);
}
