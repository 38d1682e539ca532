/* Small pieces the meta-estimators share. */
#include "import/sklearn/sk_meta.h"

uncork_dtype sk_common_dtype(uncork_dtype a, uncork_dtype b)
{
    if (a == b || b == UNCORK_DTYPE_NONE) return a;
    if (a == UNCORK_DTYPE_NONE) return b;
    if (a == UNCORK_STRING || b == UNCORK_STRING) return UNCORK_STRING;
    if (uc_dtype_is_lossless(a, b)) return b;
    if (uc_dtype_is_lossless(b, a)) return a;
    bool integers = uc_dtype_is_integer(a) && uc_dtype_is_integer(b);
    return integers ? UNCORK_INT64 : UNCORK_FLOAT64;
}

uc_ref sk_value(sk_ctx *ctx, const sk_result *result, uncork_dtype dtype, bool as_column)
{
    if (sk_status(ctx) != UNCORK_OK || result->count == 0) return 0;
    uc_ref ref = result->out[0];
    if (dtype != UNCORK_DTYPE_NONE && result->dtype != dtype)
        ref = uc_g_cast(ctx->graph, ref, dtype);
    static const int64_t column[2] = {-1, 1};
    return as_column && result->width == 0 ? uc_g_reshape(ctx->graph, ref, column, 2) : ref;
}

uc_ref sk_apply_f64(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                    bool as_column)
{
    sk_result result;
    if (sk_apply(ctx, est, method, in, &result) != UNCORK_OK) return 0;
    if (result.count != 1) {
        sk_unsupported(ctx, est, "%s gives %zu values where one is needed", sk_method_name(method),
                       result.count);
        return 0;
    }
    return sk_value(ctx, &result, UNCORK_FLOAT64, as_column);
}

uc_ref sk_plus(sk_ctx *ctx, uc_ref a, uc_ref b) { return a ? uc_g2(ctx->graph, "Add", a, b) : b; }

static bool is_identity(const sk_data *in, const int64_t *indices, size_t count)
{
    if (in->columns || in->width != (int64_t)count) return false;
    for (size_t i = 0; i < count; i++) {
        if (indices[i] != (int64_t)i) return false;
    }
    return true;
}

bool sk_features(sk_ctx *ctx, const sk_data *in, const int64_t *indices, size_t count, sk_data *out)
{
    *out = *in;
    if (is_identity(in, indices, count)) return sk_status(ctx) == UNCORK_OK;
    if (!in->columns) {
        out->x =
            uc_g_gather(ctx->graph, in->x, uc_graph_i64s(ctx->graph, indices, (int64_t)count), 1);
        out->width = (int64_t)count;
        out->names = NULL;
        return sk_status(ctx) == UNCORK_OK;
    }
    sk_column *columns = UC_NEW(ctx->arena, sk_column, count);
    for (size_t i = 0; columns && i < count; i++)
        columns[i] = in->columns[indices[i]];
    out->columns = columns;
    out->column_count = count;
    out->width = (int64_t)count;
    return columns && sk_status(ctx) == UNCORK_OK;
}

uc_ref sk_spread(sk_ctx *ctx, uc_ref a, const uc_tensor *at, int64_t width, double fill)
{
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, (size_t)width);
    const int64_t *index = at ? at->data : NULL;
    if (!parts || !index || sk_status(ctx) != UNCORK_OK) return 0;
    for (int64_t k = 0; k < at->shape[0]; k++) {
        if (index[k] >= 0 && index[k] < width) parts[index[k]] = sk_columns(ctx, a, k, k + 1);
    }
    for (int64_t i = 0; i < width; i++) {
        if (!parts[i]) parts[i] = sk_fill(ctx, a, fill, 1);
    }
    return width == 1 ? parts[0] : uc_g_concat(ctx->graph, parts, (size_t)width, 1);
}

uc_ref sk_index_flags(sk_ctx *ctx, uc_ref index, int64_t n)
{
    int64_t *numbers = UC_NEW(ctx->arena, int64_t, (size_t)n);
    for (int64_t i = 0; numbers && i < n; i++)
        numbers[i] = i;
    if (!numbers) return 0;
    uc_ref row = uc_graph_i64s(ctx->graph, numbers, n);
    uc_ref same = uc_g2(ctx->graph, "Equal", uc_g_unsqueeze(ctx->graph, index, 1), row);
    return uc_g_cast(ctx->graph, same, UNCORK_FLOAT64);
}

const uc_tensor *sk_classes_at(sk_ctx *ctx, const sk_est *est, const char *names, size_t i)
{
    const uc_pickle *value = uc_pickle_item(sk_attr(est, names), i);
    const uc_tensor *t = value ? uc_pickle_tensor(value, ctx->arena, NULL) : NULL;
    if (!t || t->rank != 1) return NULL;
    t = uc_tensor_dense(ctx->arena, t);
    if (!t || t->dtype == UNCORK_STRING || t->dtype == UNCORK_BOOL || t->dtype == UNCORK_INT64)
        return t;
    return uc_tensor_cast(ctx->arena, t,
                          uc_dtype_is_integer(t->dtype) ? UNCORK_INT64 : UNCORK_FLOAT64);
}

uc_ref sk_binary_scores(sk_ctx *ctx, const sk_est *est, const sk_data *in, bool *is_decision)
{
    *is_decision = true;
    if (sk_has_method(est, SK_DECISION_FUNCTION))
        return sk_apply_f64(ctx, est, SK_DECISION_FUNCTION, in, true);
    *is_decision = false;
    if (!sk_has_method(est, SK_PREDICT_PROBA)) return sk_apply_f64(ctx, est, SK_PREDICT, in, true);
    return sk_columns(ctx, sk_apply_f64(ctx, est, SK_PREDICT_PROBA, in, false), 1, 2);
}
