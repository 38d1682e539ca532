/* LpNormalization: x over the sum of |x| (p 1) or the root of the sum of squares (p 2) along an axis.
 *
 * Source: ONNX operator LpNormalization, opset 22; a norm of 0 gives 0.
 * x  float, any shape;  y  as x.
 * Numerics: norms are summed in float64. */
#include "op/axis.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t p = uc_call_int(call, "p", 2);
    int axis = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FLOAT));
    if (p != 1 && p != 2) return uc_call_fail(call, UNCORK_MALFORMED, "p is %" PRId64, p);
    if (x->rank >= 0) UC_TRY(uc_axis(call, uc_call_int(call, "axis", -1), x->rank, &axis));
    return uc_call_shape_like(call, 0, 0, x->dtype);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool squares = uc_call_int(call, "p", 2) == 2;
    uc_along a;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", -1), &a));
    size_t size = uc_dtype_size(x->dtype);
    for (int64_t i = 0; i < a.outer * a.inner; i++) {
        int64_t begin = i / a.inner * a.n * a.inner + i % a.inner;
        double sum = 0;
        for (int64_t k = 0; k < a.n; k++) {
            double v = uc_dtype_load_f64(x->data, begin + k * a.inner, x->dtype);
            sum += squares ? v * v : fabs(v);
        }
        double norm = squares ? sqrt(sum) : sum;
        for (int64_t k = 0; k < a.n; k++) {
            int64_t at = begin + k * a.inner;
            double v = uc_dtype_load_f64(x->data, at, x->dtype);
            v = norm == 0 ? 0 : v / norm;
            uc_dtype_convert((char *)y->data + (size_t)at * size, y->dtype, &v, UNCORK_FLOAT64, 1);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_lp_normalization = {
    .name = "LpNormalization", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run};
