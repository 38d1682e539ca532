/* See sk_matrix.h. */
#include "import/sklearn/sk_matrix.h"

#include "import/sklearn/sk_kernels.h"

#include <inttypes.h>

const uc_tensor *sk_matrix(sk_ctx *ctx, const sk_est *est, const char *names)
{
    const uc_tensor *t = sk_f64(ctx, est, names, 2);
    if (t && (t->shape[0] < 1 || t->shape[1] < 1)) {
        sk_fail(ctx, est, names, "is empty");
        return NULL;
    }
    return t;
}

bool sk_is_f32(sk_ctx *ctx, const sk_est *est, const char *attribute)
{
    const uc_pickle *value = sk_attr(est, attribute);
    const uc_tensor *t = value ? uc_pickle_tensor(value, ctx->arena, NULL) : NULL;
    return t && t->dtype == UNCORK_FLOAT32;
}

bool sk_fed_f32(const sk_data *in)
{
    for (size_t i = 0; in->columns && i < in->column_count; i++) {
        if (in->columns[i].dtype != UNCORK_FLOAT32) return false;
    }
    return in->columns ? in->column_count > 0 : in->dtype == UNCORK_FLOAT32;
}

uncork_status sk_return_like(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                             const char *attribute, uc_ref ref, int64_t width, sk_result *out)
{
    bool narrow = sk_fed_f32(in) && (!attribute || sk_is_f32(ctx, est, attribute));
    uncork_dtype dtype = narrow ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
    if (narrow) ref = uc_g_cast(ctx->graph, ref, dtype);
    return sk_return(ctx, out, ref, dtype, width);
}

uc_ref sk_with_row(sk_ctx *ctx, const char *op, uc_ref x, const uc_tensor *row)
{
    return row ? uc_g2(ctx->graph, op, x, sk_const(ctx, row)) : x;
}

uc_ref sk_row_in_place(sk_ctx *ctx, const sk_data *in, const char *op, uc_ref x,
                       const uc_tensor *row)
{
    x = sk_with_row(ctx, op, x, row);
    if (!in || !row || !sk_fed_f32(in)) return x;
    return uc_g_cast(ctx->graph, uc_g_cast(ctx->graph, x, UNCORK_FLOAT32), UNCORK_FLOAT64);
}

const uc_tensor *sk_reshaped(sk_ctx *ctx, const uc_tensor *t, int rank, const int64_t *shape)
{
    uc_tensor *view = t ? UC_NEW(ctx->arena, uc_tensor, 1) : NULL;
    if (view) *view = uc_tensor_reshaped(t, rank, shape);
    return view;
}

const uc_tensor *sk_filled(sk_ctx *ctx, int64_t count, double value)
{
    uc_tensor *t = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &count);
    for (int64_t i = 0; t && i < count; i++) {
        ((double *)t->data)[i] = value;
    }
    return t;
}

uc_ref sk_row_dot(sk_ctx *ctx, uc_ref a, uc_ref b, bool keep)
{
    return uc_g_reduce(ctx->graph, "ReduceSum", uc_g2(ctx->graph, "Mul", a, b), 1, keep);
}

int64_t sk_rounds(sk_ctx *ctx, const sk_est *est, const char *names, int64_t otherwise)
{
    static const int64_t most = 10000000;
    int64_t rounds = sk_int(ctx, est, names, otherwise);
    if (rounds >= 0 && rounds <= most) return rounds;
    sk_fail(ctx, est, names, "is %" PRId64 ", expected 0 to %" PRId64, rounds, most);
    return 0;
}

uc_ref sk_require(sk_ctx *ctx, uc_ref x, double least, bool strict)
{
    uc_node *n = uc_graph_node(ctx->graph, "uncork.Require", &x, 1, 1);
    uc_node_float(ctx->graph, n, "least", least);
    if (strict) uc_node_int(ctx->graph, n, "strict", 1);
    return uc_node_out(n, 0);
}

uc_str sk_kernel_name(sk_ctx *ctx, const sk_est *est)
{
    const uc_pickle *name = sk_attr(est, "kernel");
    if (name && (name->kind == UC_PICKLE_SYMBOL || name->kind == UC_PICKLE_OBJECT)) {
        uc_str known = sk_kernel_function_name(name);
        if (known.size == 0) {
            sk_unsupported(ctx, est, "kernel is the Python function %.*s.%.*s",
                           (int)name->module.size, name->module.data, (int)name->text.size,
                           name->text.data);
        }
        return known;
    }
    return sk_str(ctx, est, "kernel", "rbf");
}
