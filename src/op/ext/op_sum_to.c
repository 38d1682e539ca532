/* SumTo: x summed over what a broadcast had repeated, so that it has the shape of `like`: the gradient
 * of a broadcast.
 *
 * x  floats, any shape that `like` broadcasts to;  like  any type;  y  x's type, the shape of like
 * Numerics: float64 sums in the order of x. */
#include "op/shape.h"

static uncork_status infer(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    return uc_call_shape_like(call, 0, 1, uc_call_dtype(call, 0));
}

/* Where element i of x goes; -1: the shapes don't broadcast. */
static int64_t target_of(const uc_tensor *x, const uc_tensor *like, int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int d = x->rank - 1; d >= 0; d--) {
        int64_t index = i % x->shape[d];
        int own = d - (x->rank - like->rank);
        i /= x->shape[d];
        if (own < 0) break;
        if (like->shape[own] != 1 && like->shape[own] != x->shape[d]) return -1;
        if (like->shape[own] != 1) at += index * stride;
        stride *= like->shape[own];
    }
    return at;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *like = uc_call_arg(call, 1);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    int64_t n = uc_tensor_count(y);
    double *sum = uc_call_scratch(call, (size_t)n, sizeof *sum);
    if (!sum) return call->error->status;
    for (int64_t i = 0; i < n; i++) {
        sum[i] = 0;
    }
    for (int64_t i = 0, count = uc_tensor_count(x); i < count; i++) {
        int64_t to = like->rank > x->rank ? -1 : target_of(x, like, i);
        if (to < 0) return uc_call_fail(call, UNCORK_MALFORMED, "the shapes don't broadcast");
        sum[to] += uc_dtype_load_f64(x->data, i, x->dtype);
    }
    uc_dtype_convert(y->data, y->dtype, sum, UNCORK_FLOAT64, n);
    return UNCORK_OK;
}

const uc_op uc_op_sum_to = {
    .domain = "uncork", .name = "SumTo", .in = {2, 2}, .out = {1, 1}, .infer = infer, .run = run};
