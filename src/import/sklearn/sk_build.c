/* The graph pieces that many estimators share: input conversion, label look-up, row-wise sums. */
#include "import/sklearn/sk.h"

#include <inttypes.h>

/* ---- input --------------------------------------------------------------------------------- */

static bool is_numeric(uncork_dtype dtype)
{
    return dtype == UNCORK_BOOL || uc_dtype_is_float(dtype) || uc_dtype_is_integer(dtype);
}

static uc_ref to_dtype(sk_ctx *ctx, uc_ref x, uncork_dtype from, uncork_dtype to)
{
    return from == to ? x : uc_g_cast(ctx->graph, x, to);
}

/* A table's columns side by side. */
static uc_ref concat_columns(sk_ctx *ctx, const sk_est *est, const sk_data *in, uncork_dtype to)
{
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, in->column_count);
    if (!parts) return 0;
    for (size_t i = 0; i < in->column_count; i++) {
        const sk_column *c = &in->columns[i];
        if (!is_numeric(c->dtype)) {
            sk_unsupported(ctx, est, "takes numbers, but column '%.*s' is %s", (int)c->name.size,
                           c->name.data, uc_dtype_name(c->dtype));
            return 0;
        }
        parts[i] = uc_g_unsqueeze(ctx->graph, to_dtype(ctx, c->ref, c->dtype, to), 1);
    }
    return in->column_count == 1 ? parts[0] : uc_g_concat(ctx->graph, parts, in->column_count, 1);
}

static uc_ref x_as(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t features,
                   uncork_dtype to)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    int64_t width = in->columns ? (int64_t)in->column_count : in->width;
    if (!in->columns && in->rank != 2) {
        sk_unsupported(ctx, est, "takes a matrix [rows, columns], gets a vector");
        return 0;
    }
    if (width >= 0 && features >= 0 && width != features) {
        sk_fail(ctx, est, NULL, "was trained on %" PRId64 " features, gets %" PRId64, features,
                width);
        return 0;
    }
    if (in->columns) return concat_columns(ctx, est, in, to);
    if (!is_numeric(in->dtype)) {
        sk_unsupported(ctx, est, "takes numbers, gets %s", uc_dtype_name(in->dtype));
        return 0;
    }
    uc_ref x = to_dtype(ctx, in->x, in->dtype, to);
    if (width < 0 && features >= 0) { /* the reshape checks it at run */
        int64_t shape[2] = {0, features};
        x = uc_g_reshape(ctx->graph, x, shape, 2);
    }
    return x;
}

uc_ref sk_x(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t features)
{
    return x_as(ctx, est, in, features, UNCORK_FLOAT64);
}

uc_ref sk_x_f32(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t features)
{
    return x_as(ctx, est, in, features, UNCORK_FLOAT32);
}

/* The type NumPy gives a frame of these columns: float32 only when nothing in it is wider. */
static bool all_float32(const sk_data *in)
{
    if (!in->columns) return in->dtype == UNCORK_FLOAT32;
    for (size_t i = 0; i < in->column_count; i++) {
        if (in->columns[i].dtype != UNCORK_FLOAT32) return false;
    }
    return in->column_count > 0;
}

uc_ref sk_x_keep(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t features,
                 uncork_dtype *dtype)
{
    *dtype = all_float32(in) ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
    return x_as(ctx, est, in, features, *dtype);
}

/* ---- shapes -------------------------------------------------------------------------------- */

uc_ref sk_rows(sk_ctx *ctx, uc_ref x)
{
    uc_ref shape = uc_g1(ctx->graph, "Shape", x);
    return uc_g_gather(ctx->graph, shape, uc_graph_i64(ctx->graph, 0), 0);
}

uc_ref sk_fill(sk_ctx *ctx, uc_ref x, double value, int64_t width)
{
    uc_graph *g = ctx->graph;
    uc_ref shape = uc_g_slice(g, uc_g1(g, "Shape", x), 0, 0, 1);
    if (width > 0) {
        uc_ref parts[2] = {shape, uc_graph_i64s(g, &width, 1)};
        shape = uc_g_concat(g, parts, 2, 0);
    }
    return uc_g2(g, "Expand", uc_graph_f64(g, value), shape);
}

uc_ref sk_columns(sk_ctx *ctx, uc_ref a, int64_t begin, int64_t end)
{
    return uc_g_slice(ctx->graph, a, 1, begin, end);
}

uc_ref sk_column_at(sk_ctx *ctx, uc_ref a, int64_t i)
{
    return uc_g_gather(ctx->graph, a, uc_graph_i64(ctx->graph, i), 1);
}

/* ---- arithmetic ---------------------------------------------------------------------------- */

uc_ref sk_const(sk_ctx *ctx, const uc_tensor *t)
{
    return t && sk_status(ctx) == UNCORK_OK ? uc_graph_const(ctx->graph, t) : 0;
}

uc_ref sk_matmul(sk_ctx *ctx, uc_ref x, const uc_tensor *w, bool transposed)
{
    if (!w || sk_status(ctx) != UNCORK_OK) return 0;
    if (transposed) {
        uc_tensor *view = UC_NEW(ctx->arena, uc_tensor, 1);
        if (!view) return 0;
        *view = uc_tensor_transposed(w);
        w = uc_tensor_dense(ctx->arena, view);
    }
    return uc_g2(ctx->graph, "MatMul", x, sk_const(ctx, w));
}

/* A scalar in the type of `a` where that is known to be float32. */
static uc_ref scalar_like(sk_ctx *ctx, uc_ref a, double v)
{
    const uc_graph *g = ctx->graph;
    bool f32 = a > 0 && (size_t)a < g->value_count && g->values[a].dtype == UNCORK_FLOAT32;
    return f32 ? uc_graph_f32(ctx->graph, (float)v) : uc_graph_f64(ctx->graph, v);
}

uc_ref sk_add_s(sk_ctx *ctx, uc_ref a, double v)
{
    return uc_g2(ctx->graph, "Add", a, scalar_like(ctx, a, v));
}

uc_ref sk_mul_s(sk_ctx *ctx, uc_ref a, double v)
{
    return uc_g2(ctx->graph, "Mul", a, scalar_like(ctx, a, v));
}

/* max + ln(sum(exp(x - max))); a maximum that isn't finite is not subtracted, as in
 * scipy.special.logsumexp: a row of -inf gives -inf. */
uc_ref sk_logsumexp(sk_ctx *ctx, uc_ref a)
{
    uc_graph *g = ctx->graph;
    uc_ref top = uc_g_reduce(g, "ReduceMax", a, 1, true);
    top = uc_g_where(g, uc_g1(g, "IsInf", top), uc_graph_f64(g, 0), top);
    uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g1(g, "Exp", uc_g2(g, "Sub", a, top)), 1, true);
    return uc_g2(g, "Add", uc_g1(g, "Log", sum), top);
}

uc_ref sk_expit(sk_ctx *ctx, uc_ref a) { return uc_g1(ctx->graph, "Sigmoid", a); }

uc_ref sk_normalize_rows(sk_ctx *ctx, uc_ref a, bool uniform_zeros, int64_t width)
{
    uc_graph *g = ctx->graph;
    uc_ref sum = uc_g_reduce(g, "ReduceSum", a, 1, true);
    uc_ref zero = uc_g2(g, "Equal", sum, uc_graph_f64(g, 0));
    uc_ref divided = uc_g2(g, "Div", a, uc_g_where(g, zero, uc_graph_f64(g, 1), sum));
    if (!uniform_zeros) return divided;
    return uc_g_where(g, zero, uc_graph_f64(g, 1 / (double)(width > 0 ? width : 1)), divided);
}

/* ---- labels and results -------------------------------------------------------------------- */

uc_ref sk_take_labels(sk_ctx *ctx, const uc_tensor *classes, uc_ref index)
{
    if (!classes || sk_status(ctx) != UNCORK_OK) return 0;
    return uc_g_gather(ctx->graph, sk_const(ctx, classes), index, 0);
}

uc_ref sk_decide(sk_ctx *ctx, uc_ref scores, bool binary)
{
    uc_graph *g = ctx->graph;
    if (!binary) return uc_g_argmax(g, scores, 1, false);
    static const int64_t flat = -1;
    uc_ref over = uc_g2(g, "Greater", uc_g_reshape(g, scores, &flat, 1), uc_graph_f64(g, 0));
    return uc_g_cast(g, over, UNCORK_INT64);
}

uncork_status sk_return(sk_ctx *ctx, sk_result *out, uc_ref ref, uncork_dtype dtype, int64_t width)
{
    uc_ref *refs = UC_NEW(ctx->arena, uc_ref, 1);
    if (refs) {
        refs[0] = ref;
        *out = (sk_result){.out = refs, .count = 1, .dtype = dtype, .width = width};
    }
    return sk_status(ctx);
}

uncork_status sk_return_proba(sk_ctx *ctx, const sk_est *est, sk_method method,
                              const uc_tensor *classes, uc_ref proba, sk_result *out)
{
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (!classes) return sk_fail(ctx, est, "classes_", "is missing: not fitted?");
    int64_t n = uc_tensor_count(classes);
    if (method == SK_PREDICT) {
        uc_ref label = sk_take_labels(ctx, classes, uc_g_argmax(ctx->graph, proba, 1, false));
        return sk_return(ctx, out, label, classes->dtype, 0);
    }
    if (method == SK_PREDICT_LOG_PROBA) proba = uc_g1(ctx->graph, "Log", proba);
    return sk_return(ctx, out, proba, UNCORK_FLOAT64, n);
}

sk_data sk_as_data(const sk_result *result)
{
    if (result->columns) {
        return (sk_data){.columns = result->columns,
                         .column_count = result->count,
                         .dtype = result->dtype,
                         .rank = 2,
                         .width = result->width};
    }
    return (sk_data){.x = result->count ? result->out[0] : 0,
                     .dtype = result->dtype,
                     .rank = result->width == 0 ? 1 : 2,
                     .width = result->width == 0 ? 1 : result->width,
                     .names = result->names};
}
