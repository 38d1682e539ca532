/* Many-class and many-output problems from simpler estimators: one against the rest, one against one,
 * output codes, an estimator an output, chains.
 * Source: sklearn/multiclass.py, sklearn/multioutput.py, sklearn/utils/multiclass.py. */
#include "import/sklearn/sk_meta.h"

#include <inttypes.h>

/* ---- one against the rest ------------------------------------------------------------------ */

/* What stands for a class that all or no training rows had. */
uncork_status sk_do_constant_predictor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                       const sk_data *in, sk_result *out)
{
    const uc_tensor *y = sk_f64(ctx, est, "y_", -1);
    if (!y || uc_tensor_count(y) != 1) return sk_fail(ctx, est, "y_", "isn't one number");
    double value = uc_tensor_doubles(y)[0];
    uc_ref x = in->columns ? in->columns[0].ref : in->x;
    if (method != SK_PREDICT_PROBA)
        return sk_return(ctx, out, sk_fill(ctx, x, value, 0), UNCORK_FLOAT64, 0);
    uc_ref parts[2] = {sk_fill(ctx, x, 1 - value, 1), sk_fill(ctx, x, value, 1)};
    return sk_return(ctx, out, uc_g_concat(ctx->graph, parts, 2, 1), UNCORK_FLOAT64, 2);
}

/* _predict_binary of every estimator, side by side. */
static uc_ref all_scores(sk_ctx *ctx, const sk_est *est, const sk_data *in, size_t n,
                         bool *is_decision)
{
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, n);
    *is_decision = true;
    for (size_t i = 0; parts && i < n; i++) {
        sk_est child;
        bool decision;
        if (!sk_list_child(ctx, est, "estimators_", i, &child)) return 0;
        parts[i] = sk_binary_scores(ctx, &child, in, &decision);
        if (i == 0) *is_decision = decision;
    }
    if (!parts || n == 0) return 0;
    return n == 1 ? parts[0] : uc_g_concat(ctx->graph, parts, n, 1);
}

/* The last of equal maxima: how one-vs-rest decided until scikit-learn 1.7. */
static uc_ref last_argmax(sk_ctx *ctx, uc_ref scores, int64_t n)
{
    int64_t *back = UC_NEW(ctx->arena, int64_t, (size_t)n);
    for (int64_t i = 0; back && i < n; i++)
        back[i] = n - 1 - i;
    if (!back) return 0;
    uc_ref index = uc_graph_i64s(ctx->graph, back, n);
    uc_ref first = uc_g_argmax(ctx->graph, uc_g_gather(ctx->graph, scores, index, 1), 1, false);
    return uc_g2(ctx->graph, "Sub", uc_graph_i64(ctx->graph, n - 1), first);
}

static bool is_multilabel(const sk_est *est)
{
    const uc_pickle *type = uc_pickle_attr(sk_attr(est, "label_binarizer_"), "y_type_");
    return type && type->text.size > 10 && memcmp(type->text.data, "multilabel", 10) == 0;
}

static uncork_status ovr_predict(sk_ctx *ctx, const sk_est *est, const sk_data *in, size_t n,
                                 sk_result *out)
{
    const uc_pickle *type = uc_pickle_attr(sk_attr(est, "label_binarizer_"), "y_type_");
    bool multiclass = type ? uc_pickle_is_text(type, "multiclass") : n > 1;
    const uc_tensor *classes = sk_classes(ctx, est);
    bool is_decision;
    if (!classes) return sk_fail(ctx, est, "label_binarizer_", "has no classes_: not fitted?");
    uc_ref scores = all_scores(ctx, est, in, n, &is_decision);
    if (multiclass) {
        uc_ref index = est->version >= 108 ? uc_g_argmax(ctx->graph, scores, 1, false)
                                           : last_argmax(ctx, scores, (int64_t)n);
        if (classes->shape[0] != (int64_t)n) {
            return sk_fail(ctx, est, "estimators_", "holds %zu for %" PRId64 " classes", n,
                           classes->shape[0]);
        }
        return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
    }
    uc_ref over =
        uc_g2(ctx->graph, "Greater", scores, uc_graph_f64(ctx->graph, is_decision ? 0 : 0.5));
    uc_ref flag = uc_g_cast(ctx->graph, over, UNCORK_INT64);
    if (is_multilabel(est)) return sk_return(ctx, out, flag, UNCORK_INT64, (int64_t)n);
    static const int64_t flat = -1;
    if (classes->shape[0] == 1) flag = uc_g2(ctx->graph, "Mul", flag, uc_graph_i64(ctx->graph, 0));
    uc_ref index = uc_g_reshape(ctx->graph, flag, &flat, 1);
    return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
}

static uncork_status ovr_proba(sk_ctx *ctx, const sk_est *est, const sk_data *in, size_t n,
                               sk_result *out)
{
    uc_graph *g = ctx->graph;
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, n + 1);
    for (size_t i = 0; parts && i < n; i++) {
        sk_est child;
        if (!sk_list_child(ctx, est, "estimators_", i, &child)) return sk_status(ctx);
        parts[i] = sk_columns(ctx, sk_apply_f64(ctx, &child, SK_PREDICT_PROBA, in, false), 1, 2);
    }
    if (!parts) return sk_status(ctx);
    if (n == 1) {
        parts[1] = parts[0];
        parts[0] = uc_g2(g, "Sub", uc_graph_f64(g, 1), parts[1]);
    }
    int64_t width = n == 1 ? 2 : (int64_t)n;
    uc_ref y = uc_g_concat(g, parts, (size_t)width, 1);
    if (is_multilabel(est)) return sk_return(ctx, out, y, UNCORK_FLOAT64, width);
    /* rows of zeros: NaN before 1.7 (0/0), left as they are since */
    y = est->version >= 107 ? sk_normalize_rows(ctx, y, false, width)
                            : uc_g2(g, "Div", y, uc_g_reduce(g, "ReduceSum", y, 1, true));
    return sk_return(ctx, out, y, UNCORK_FLOAT64, width);
}

uncork_status sk_do_one_vs_rest(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                                sk_result *out)
{
    size_t n = sk_list_count(est, "estimators_");
    if (n == 0) return sk_fail(ctx, est, "estimators_", "is empty or missing: not fitted?");
    if (method == SK_PREDICT) return ovr_predict(ctx, est, in, n, out);
    if (method == SK_PREDICT_PROBA) return ovr_proba(ctx, est, in, n, out);
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, n);
    for (size_t i = 0; parts && i < n; i++) {
        sk_est child;
        if (!sk_list_child(ctx, est, "estimators_", i, &child)) return sk_status(ctx);
        if (n == 1 && est->version >= 19) return sk_apply(ctx, &child, method, in, out);
        parts[i] = sk_apply_f64(ctx, &child, method, in, true);
    }
    if (!parts) return sk_status(ctx);
    return sk_return(ctx, out, n == 1 ? parts[0] : uc_g_concat(ctx->graph, parts, n, 1),
                     UNCORK_FLOAT64, (int64_t)n);
}

/* ---- one against one ----------------------------------------------------------------------- */

/* The columns of a precomputed kernel that a pair was trained on (pairwise_indices_). */
static bool pair_data(sk_ctx *ctx, const sk_est *est, const sk_data *in, size_t i, sk_data *data)
{
    *data = *in;
    const uc_pickle *one = uc_pickle_item(sk_attr(est, "pairwise_indices_"), i);
    if (!one) return true;
    const uc_tensor *t = uc_pickle_tensor(one, ctx->arena, NULL);
    if (t && t->dtype != UNCORK_INT64) t = uc_tensor_cast(ctx->arena, t, UNCORK_INT64);
    if (!t || t->rank != 1 || in->columns) {
        sk_fail(ctx, est, "pairwise_indices_", "isn't a list of row numbers");
        return false;
    }
    t = uc_tensor_dense(ctx->arena, t);
    for (int64_t k = 0; t && k < t->shape[0]; k++) {
        int64_t at = ((const int64_t *)t->data)[k];
        if (at < 0 || (in->width >= 0 && at >= in->width)) {
            sk_fail(ctx, est, "pairwise_indices_", "names column %" PRId64 " of %" PRId64, at,
                    in->width);
            return false;
        }
    }
    return t && sk_features(ctx, in, t->data, (size_t)t->shape[0], data);
}

static uc_ref ovo_scores(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t classes,
                         bool *is_decision)
{
    size_t n = sk_list_count(est, "estimators_");
    uc_ref *votes = UC_NEW(ctx->arena, uc_ref, n), *confidence = UC_NEW(ctx->arena, uc_ref, n);
    if ((int64_t)n != classes * (classes - 1) / 2 || n == 0) {
        sk_fail(ctx, est, "estimators_", "holds %zu for %" PRId64 " classes", n, classes);
        return 0;
    }
    for (size_t i = 0; votes && confidence && i < n; i++) {
        sk_est child;
        sk_data data;
        bool decision;
        if (!sk_list_child(ctx, est, "estimators_", i, &child) ||
            !pair_data(ctx, est, in, i, &data))
            return 0;
        votes[i] = sk_apply_f64(ctx, &child, SK_PREDICT, &data, true);
        confidence[i] = sk_binary_scores(ctx, &child, &data, &decision);
        if (i == 0) *is_decision = decision;
    }
    if (!votes || !confidence) return 0;
    uc_ref in_refs[2] = {n == 1 ? votes[0] : uc_g_concat(ctx->graph, votes, n, 1),
                         n == 1 ? confidence[0] : uc_g_concat(ctx->graph, confidence, n, 1)};
    uc_node *node = uc_graph_node(ctx->graph, "uncork.OvrDecision", in_refs, 2, 1);
    uc_node_int(ctx->graph, node, "classes", classes);
    uc_node_int(ctx->graph, node, "batch", est->version < 21);
    return uc_node_out(node, 0);
}

uncork_status sk_do_one_vs_one(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                               sk_result *out)
{
    const uc_tensor *classes = sk_classes(ctx, est);
    if (!classes) return sk_fail(ctx, est, "classes_", "is missing: not fitted?");
    int64_t k = classes->shape[0];
    bool is_decision = true;
    uc_ref y = ovo_scores(ctx, est, in, k, &is_decision);
    bool binary = k == 2 && est->version >= 19;
    if (method == SK_DECISION_FUNCTION) {
        return binary ? sk_return(ctx, out, sk_column_at(ctx, y, 1), UNCORK_FLOAT64, 0)
                      : sk_return(ctx, out, y, UNCORK_FLOAT64, k);
    }
    uc_ref index;
    if (binary) {
        double threshold = est->version >= 101 && !is_decision ? 0.5 : 0;
        uc_ref over = uc_g2(ctx->graph, "Greater", sk_column_at(ctx, y, 1),
                            uc_graph_f64(ctx->graph, threshold));
        index = uc_g_cast(ctx->graph, over, UNCORK_INT64);
    } else {
        index = uc_g_argmax(ctx->graph, y, 1, false);
    }
    return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
}

/* ---- output codes -------------------------------------------------------------------------- */

/* The nearest row of the code book: least |c|^2 - 2 c.y, for |y|^2 is the same for every row. */
uncork_status sk_do_output_code(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                                sk_result *out)
{
    (void)method;
    size_t n = sk_list_count(est, "estimators_");
    const uc_tensor *classes = sk_classes(ctx, est), *book = sk_f64(ctx, est, "code_book_", 2);
    bool is_decision;
    if (!classes) return sk_fail(ctx, est, "classes_", "is missing: not fitted?");
    if (!sk_shape2(ctx, est, "code_book_", book, classes->shape[0], (int64_t)n))
        return sk_status(ctx);
    double *norms = UC_NEW(ctx->arena, double, (size_t)book->shape[0]);
    for (int64_t i = 0; norms && i < book->shape[0]; i++) {
        const double *row = uc_tensor_doubles(book) + i * book->shape[1];
        for (int64_t j = 0; j < book->shape[1]; j++)
            norms[i] += row[j] * row[j];
    }
    uc_ref y = all_scores(ctx, est, in, n, &is_decision);
    if (!norms || !y) return sk_status(ctx);
    uc_ref cross = sk_mul_s(ctx, sk_matmul(ctx, y, book, true), 2);
    uc_ref distance =
        uc_g2(ctx->graph, "Sub", uc_graph_f64s(ctx->graph, norms, book->shape[0]), cross);
    uc_ref index = uc_g_argmin(ctx->graph, distance, 1, false);
    return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
}

/* ---- an estimator an output ---------------------------------------------------------------- */

uncork_status sk_do_multi_output(sk_ctx *ctx, const sk_est *est, sk_method method,
                                 const sk_data *in, sk_result *out)
{
    size_t n = sk_list_count(est, "estimators_");
    sk_result *parts = UC_NEW(ctx->arena, sk_result, n);
    uc_ref *refs = UC_NEW(ctx->arena, uc_ref, n);
    if (n == 0) return sk_fail(ctx, est, "estimators_", "is empty or missing: not fitted?");
    for (size_t i = 0; parts && refs && i < n; i++) {
        sk_est child;
        if (!sk_list_child(ctx, est, "estimators_", i, &child)) return sk_status(ctx);
        UC_TRY(sk_apply(ctx, &child, method, in, &parts[i]));
        refs[i] = parts[i].out[0];
        if (method != SK_PREDICT) continue;
        parts[i].out[0] = sk_value(ctx, &parts[i], UNCORK_DTYPE_NONE, true);
        parts[i].width = 1;
    }
    if (!parts || !refs) return sk_status(ctx);
    if (method == SK_PREDICT) return sk_hstack(ctx, est, parts, n, out);
    *out = (sk_result){.out = refs, .count = n, .dtype = parts[0].dtype, .width = parts[0].width};
    return sk_status(ctx);
}

/* ---- chains -------------------------------------------------------------------------------- */

/* One method of a link as [rows, 1]: probabilities are those of the second class. */
static uc_ref link_value(sk_ctx *ctx, const sk_est *link, sk_method method, const sk_data *data)
{
    uc_ref v = sk_apply_f64(ctx, link, method, data, true);
    return method == SK_PREDICT_PROBA ? sk_columns(ctx, v, 1, 2) : v;
}

static sk_method chain_method(const sk_est *est)
{
    for (int m = 0; m < SK_METHOD_COUNT; m++) {
        if (sk_str_is(est, "chain_method_", sk_method_name((sk_method)m))) return (sk_method)m;
    }
    return SK_PREDICT;
}

uncork_status sk_do_chain(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                          sk_result *out)
{
    size_t n = sk_list_count(est, "estimators_");
    const uc_tensor *order = sk_i64(ctx, est, "order_", 1);
    sk_method feature = chain_method(est),
              wanted = method == SK_PREDICT_LOG_PROBA ? SK_PREDICT_PROBA : method;
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, n + 1), *ordered = UC_NEW(ctx->arena, uc_ref, n);
    if (n == 0) return sk_fail(ctx, est, "estimators_", "is empty or missing: not fitted?");
    if (!sk_shape1(ctx, est, "order_", order, (int64_t)n) || !parts || !ordered)
        return sk_status(ctx);
    int64_t width = in->columns ? (int64_t)in->column_count : in->width;
    parts[0] = sk_x(ctx, est, in, -1);
    for (size_t i = 0; i < n; i++) {
        sk_est link;
        int64_t at = ((const int64_t *)order->data)[i];
        if (at < 0 || at >= (int64_t)n || ordered[at]) {
            return sk_fail(ctx, est, "order_", "isn't an order of %zu outputs", n);
        }
        sk_data data = {.x = i ? uc_g_concat(ctx->graph, parts, i + 1, 1) : parts[0],
                        .dtype = UNCORK_FLOAT64,
                        .rank = 2,
                        .width = width < 0 ? -1 : width + (int64_t)i};
        if (!sk_list_child(ctx, est, "estimators_", i, &link)) return sk_status(ctx);
        ordered[at] = link_value(ctx, &link, wanted, &data);
        if (i + 1 < n)
            parts[i + 1] = feature == wanted ? ordered[at] : link_value(ctx, &link, feature, &data);
        if (!ordered[at]) return sk_status(ctx);
    }
    uc_ref y = n == 1 ? ordered[0] : uc_g_concat(ctx->graph, ordered, n, 1);
    if (method == SK_PREDICT_LOG_PROBA) y = uc_g1(ctx->graph, "Log", y);
    return sk_return(ctx, out, y, UNCORK_FLOAT64, (int64_t)n);
}
