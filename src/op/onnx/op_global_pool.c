/* GlobalAveragePool, GlobalMaxPool and GlobalLpPool: a plane to one number.
 *
 * Source: ONNX operators of these names, opset 22.
 * x  float [N, C, D1, ...];  y  [N, C, 1, ...].
 * Numerics: sums run in float64. */
#include "kernel/reduce.h"
#include "op/shape.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK], p = uc_call_int(call, "p", 2);
    UC_TRY(uc_call_expect_wide(call, 0));
    if (p < 1) return uc_call_fail(call, UNCORK_MALFORMED, "p is %" PRId64, p);
    if (x->rank >= 0 && x->rank < 2) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "the input has %d dimensions, at least 2 are needed", x->rank);
    }
    for (int d = 0; d < x->rank; d++) {
        shape[d] = d < 2 ? x->shape[d] : 1;
        if (x->shape[d] != 0 || d < 2) continue;
        return uc_call_fail(call, UNCORK_INPUT, "dimension %d is empty", d);
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

/* |x|^p summed, to the p-th root. */
static void norm(const uc_tensor *x, uc_tensor *y, int64_t planes, int64_t n, double p)
{
    for (int64_t i = 0; i < planes; i++) {
        double sum = 0;
        for (int64_t k = 0; k < n; k++) {
            sum += pow(fabs(uc_dtype_load_f64(x->data, i * n + k, x->dtype)), p);
        }
        sum = pow(sum, 1 / p);
        uc_dtype_convert((char *)y->data + (size_t)i * uc_dtype_size(y->dtype), y->dtype, &sum,
                         UNCORK_FLOAT64, 1);
    }
}

static uncork_status reduce(uc_call *call, uc_reduce op, double p)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    int64_t planes = x->shape[0] * x->shape[1], n = 1;
    for (int d = 2; d < x->rank; d++) {
        n *= x->shape[d];
    }
    if (p > 2) {
        norm(x, y, planes, n, p);
    } else if (x->dtype == UNCORK_FLOAT64) {
        uc_reduce_f64(op, x->data, y->data, planes, n, 1, call->pool);
    } else {
        uc_reduce_f32(op, x->data, y->data, planes, n, 1, call->pool);
    }
    return UNCORK_OK;
}

static uncork_status wide_average(uc_call *call) { return reduce(call, UC_REDUCE_MEAN, 0); }

static uncork_status wide_max(uc_call *call) { return reduce(call, UC_REDUCE_MAX, 0); }

static uncork_status wide_lp(uc_call *call)
{
    int64_t p = uc_call_int(call, "p", 2);
    return reduce(call, p == 1 ? UC_REDUCE_L1 : UC_REDUCE_L2, (double)p);
}

static uncork_status run_average(uc_call *call) { return uc_widened(call, wide_average); }

static uncork_status run_max(uc_call *call) { return uc_widened(call, wide_max); }

static uncork_status run_lp(uc_call *call) { return uc_widened(call, wide_lp); }

const uc_op uc_op_global_average_pool = {
    .name = "GlobalAveragePool", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run_average};
const uc_op uc_op_global_max_pool = {
    .name = "GlobalMaxPool", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run_max};
const uc_op uc_op_global_lp_pool = {
    .name = "GlobalLpPool", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run_lp};
