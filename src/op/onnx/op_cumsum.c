/* CumSum and CumProd along an axis.
 *
 * Source: ONNX operators CumSum 14, CumProd 26 (exclusive: without the element itself; reverse: from
 * the end).
 * x  numeric; axis  int scalar;  y  as x.
 * Numerics: floats run in float64 and are rounded once an element; integers wrap. */
#include "op/axis.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t axis = 0;
    int d = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    if (uc_call_known(call, 1)) {
        UC_TRY(uc_call_one_int(call, 1, &axis));
        if (x->rank >= 0) UC_TRY(uc_axis(call, axis, x->rank, &d));
    }
    return uc_call_shape_like(call, 0, 0, x->dtype);
}

static uncork_status run_as(uc_call *call, bool product)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool exclusive = uc_call_int(call, "exclusive", 0) != 0;
    bool reverse = uc_call_int(call, "reverse", 0) != 0, real = uc_dtype_is_float(x->dtype);
    uc_along a;
    int64_t axis = 0;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(uc_call_one_int(call, 1, &axis));
    UC_TRY(uc_along_axis(call, x, axis, &a));
    size_t size = uc_dtype_size(x->dtype);
    for (int64_t i = 0; i < a.outer * a.inner; i++) {
        int64_t begin = i / a.inner * a.n * a.inner + i % a.inner;
        double sum = product ? 1 : 0;
        uint64_t whole = product ? 1 : 0;
        for (int64_t j = 0; j < a.n; j++) {
            int64_t at = begin + (reverse ? a.n - 1 - j : j) * a.inner;
            double v = real ? uc_dtype_load_f64(x->data, at, x->dtype) : 0;
            uint64_t n = real ? 0 : (uint64_t)uc_dtype_load_i64(x->data, at, x->dtype);
            double next = product ? sum * v : sum + v;
            uint64_t next_whole = product ? whole * n : whole + n;
            double put = exclusive ? sum : next;
            int64_t put_whole = (int64_t)(exclusive ? whole : next_whole);
            char *to = (char *)y->data + (size_t)at * size;
            if (real) {
                uc_dtype_convert(to, y->dtype, &put, UNCORK_FLOAT64, 1);
            } else {
                memcpy(to, &put_whole, size); /* the low bytes: wraps */
            }
            sum = next;
            whole = next_whole;
        }
    }
    return UNCORK_OK;
}

static uncork_status run_sum(uc_call *call) { return run_as(call, false); }

static uncork_status run_prod(uc_call *call) { return run_as(call, true); }

const uc_op uc_op_cum_sum = {
    .name = "CumSum", .in = {2, 2}, .out = {1, 1}, .infer = infer, .run = run_sum};
const uc_op uc_op_cum_prod = {
    .name = "CumProd", .in = {2, 2}, .out = {1, 1}, .infer = infer, .run = run_prod};
