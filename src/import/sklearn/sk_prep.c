/* The pieces that preprocessing estimators share: sk_prep.h says what they promise. */
#include "import/sklearn/sk_prep.h"

#include "container/pickle_numpy.h"

#include <inttypes.h>

uc_ref sk_cast(sk_ctx *ctx, uc_ref ref, uncork_dtype from, uncork_dtype to)
{
    return from == to || sk_status(ctx) != UNCORK_OK ? ref : uc_g_cast(ctx->graph, ref, to);
}

uc_ref sk_scalar_of(sk_ctx *ctx, uncork_dtype dtype, double v)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    return dtype == UNCORK_FLOAT32 ? uc_graph_f32(ctx->graph, (float)v)
                                   : uc_graph_f64(ctx->graph, v);
}

sk_rows_of sk_float_rows(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t width)
{
    sk_rows_of x = {.width = width};
    x.ref = sk_x_keep(ctx, est, in, width, &x.dtype);
    if (width < 0) x.width = in->columns ? (int64_t)in->column_count : in->width;
    return x;
}

int64_t sk_features_in(sk_ctx *ctx, const sk_est *est)
{
    int64_t n = sk_int(ctx, est, "n_features_in_|n_input_features_|n_features_", -1);
    if (n < -1) sk_fail(ctx, est, "n_features_in_|n_input_features_", "is %" PRId64, n);
    return n;
}

const uc_tensor *sk_per_column(sk_ctx *ctx, const sk_est *est, const char *names, int64_t *width)
{
    const uc_tensor *t = sk_tensor(ctx, est, names, -1);
    if (!t) return NULL;
    if (t->dtype != UNCORK_FLOAT32) t = sk_f64(ctx, est, names, -1);
    if (!t) return NULL;
    if (t->rank == 0) return t;
    if (t->rank == 2 && t->shape[0] == 1) {
        uc_tensor *flat = UC_NEW(ctx->arena, uc_tensor, 1);
        if (!flat) return NULL;
        *flat = uc_tensor_reshaped(t, 1, &t->shape[1]);
        t = flat;
    }
    if (!sk_shape1(ctx, est, names, t, *width)) return NULL;
    *width = t->shape[0];
    return t;
}

sk_rows_of sk_in_place(sk_ctx *ctx, sk_rows_of x, const char *op, const uc_tensor *c, bool as_x)
{
    if (!c || sk_status(ctx) != UNCORK_OK) return x;
    bool wide = x.dtype == UNCORK_FLOAT32 && c->dtype == UNCORK_FLOAT64 && !as_x;
    uncork_dtype dtype = wide ? UNCORK_FLOAT64 : x.dtype;
    if (c->dtype != dtype) c = uc_tensor_cast(ctx->arena, c, dtype);
    if (!c) return x;
    uc_ref y = uc_g2(ctx->graph, op, sk_cast(ctx, x.ref, x.dtype, dtype), sk_const(ctx, c));
    x.ref = sk_cast(ctx, y, dtype, x.dtype);
    return x;
}

uncork_status sk_return_rows(sk_ctx *ctx, const sk_data *in, sk_rows_of x, sk_result *out)
{
    UC_TRY(sk_return(ctx, out, x.ref, x.dtype, x.width));
    bool same = !in->columns && in->width == x.width;
    if (same) out->names = in->names;
    return UNCORK_OK;
}

uncork_status sk_return_table(sk_ctx *ctx, const sk_est *est, const sk_column *columns,
                              size_t count, sk_result *out)
{
    size_t texts = 0;
    for (size_t i = 0; i < count; i++)
        texts += columns[i].dtype == UNCORK_STRING;
    sk_result *parts = UC_NEW(ctx->arena, sk_result, count);
    uc_ref *refs = UC_NEW(ctx->arena, uc_ref, count);
    if (!parts || !refs) return sk_status(ctx);
    if (texts && texts < count) {
        for (size_t i = 0; i < count; i++)
            refs[i] = columns[i].ref;
        *out = (sk_result){.out = refs,
                           .count = count,
                           .dtype = columns[0].dtype,
                           .width = (int64_t)count,
                           .columns = columns};
        return sk_status(ctx);
    }
    for (size_t i = 0; i < count; i++) {
        uc_ref x = uc_g_unsqueeze(ctx->graph, columns[i].ref, 1);
        UC_TRY(sk_return(ctx, &parts[i], x, columns[i].dtype, 1));
    }
    return sk_hstack(ctx, est, parts, count, out);
}

uncork_status sk_return_columns(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t width,
                                const int64_t *columns, int64_t count, sk_result *out)
{
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    int64_t fed = in->columns ? (int64_t)in->column_count : in->width;
    if (fed >= 0 && fed != width) {
        return sk_fail(ctx, est, NULL, "was trained on %" PRId64 " features, gets %" PRId64, width,
                       fed);
    }
    if (in->columns && count > 0) {
        sk_column *chosen = UC_NEW(ctx->arena, sk_column, (size_t)count);
        for (int64_t i = 0; chosen && i < count; i++)
            chosen[i] = in->columns[columns[i]];
        return chosen ? sk_return_table(ctx, est, chosen, (size_t)count, out) : sk_status(ctx);
    }
    uncork_dtype dtype = in->dtype;
    bool kept = dtype == UNCORK_FLOAT32 || dtype == UNCORK_INT64 || dtype == UNCORK_STRING ||
                dtype == UNCORK_BOOL;
    uc_ref x = in->x;
    if (!kept || in->rank != 2) { /* sk_x says what is wrong with other types and ranks */
        dtype = UNCORK_FLOAT64;
        x = sk_x(ctx, est, in, width);
    } else if (fed < 0) {
        const int64_t shape[2] = {0, width};
        x = uc_g_reshape(ctx->graph, x, shape, 2);
    }
    x = uc_g_gather(ctx->graph, x, uc_graph_i64s(ctx->graph, columns, count), 1);
    UC_TRY(sk_return(ctx, out, x, dtype, count));
    uc_str *names = in->names ? UC_NEW(ctx->arena, uc_str, (size_t)count) : NULL;
    for (int64_t i = 0; names && i < count; i++)
        names[i] = in->names[columns[i]];
    out->names = names;
    return sk_status(ctx);
}

/* ---- types --------------------------------------------------------------------------------- */

static uncork_dtype named_dtype(uc_str name)
{
    static const struct {
        const char *name;
        uncork_dtype dtype;
    } names[] = {
        {"float64", UNCORK_FLOAT64}, {"float", UNCORK_FLOAT64},   {"float_", UNCORK_FLOAT64},
        {"double", UNCORK_FLOAT64},  {"float32", UNCORK_FLOAT32}, {"single", UNCORK_FLOAT32},
        {"float16", UNCORK_FLOAT16}, {"int64", UNCORK_INT64},     {"int", UNCORK_INT64},
        {"int_", UNCORK_INT64},      {"longlong", UNCORK_INT64},  {"int32", UNCORK_INT32},
        {"intc", UNCORK_INT32},      {"int16", UNCORK_INT16},     {"int8", UNCORK_INT8},
        {"uint64", UNCORK_UINT64},   {"uint32", UNCORK_UINT32},   {"uint16", UNCORK_UINT16},
        {"uint8", UNCORK_UINT8},     {"bool", UNCORK_BOOL},       {"bool_", UNCORK_BOOL},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (uc_str_is(name, names[i].name)) return names[i].dtype;
    }
    return UNCORK_DTYPE_NONE;
}

uncork_dtype sk_dtype(sk_ctx *ctx, const sk_est *est, const char *names, uncork_dtype otherwise)
{
    const uc_pickle *value = sk_attr(est, names);
    uncork_dtype dtype = UNCORK_DTYPE_NONE;
    uc_pickle_dtype parsed;
    if (sk_status(ctx) != UNCORK_OK || !sk_has(est, names)) return otherwise;
    switch ((int)value->kind) {
    case UC_PICKLE_DTYPE: dtype = value->dtype->dtype; break;
    case UC_PICKLE_SYMBOL: dtype = named_dtype(value->text); break;
    case UC_PICKLE_TEXT:
    case UC_PICKLE_BYTES:
        dtype = named_dtype(value->text);
        if (dtype == UNCORK_DTYPE_NONE && uc_pickle_parse_dtype(value->text, &parsed)) {
            dtype = parsed.dtype;
        }
        break;
    default: break;
    }
    bool number = dtype == UNCORK_BOOL || uc_dtype_is_float(dtype) || uc_dtype_is_integer(dtype);
    if (number) return dtype;
    sk_unsupported(ctx, est, "has a %s that is no type of numbers", names);
    return otherwise;
}
