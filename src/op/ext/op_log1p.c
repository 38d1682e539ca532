/* Log1p: ln(1 + x), and Expm1: e^x - 1, both exact near 0. Source: C11 7.12.6.9 and 7.12.6.3,
 * numpy.log1p and numpy.expm1.
 * x  f32 or f64, any shape
 * y  the same type and shape */
#include "op/op.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    if (x->dtype != UNCORK_FLOAT32 && x->dtype != UNCORK_FLOAT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes float32 or float64, not %s",
                            uc_dtype_name(x->dtype));
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, x->shape);
}

static uncork_status map(uc_call *call, double (*f64)(double), float (*f32)(float))
{
    const uc_tensor *x = uc_tensor_dense(call->arena, uc_call_in(call, 0));
    uc_tensor *y = NULL;
    if (!x) return uc_arena_status(call->arena, call->error);
    UC_TRY(uc_call_output(call, 0, x->dtype, x->rank, x->shape, &y));
    int64_t n = uc_tensor_count(x);
    for (int64_t i = 0; i < n; i++) {
        if (x->dtype == UNCORK_FLOAT64) {
            ((double *)y->data)[i] = f64(((const double *)x->data)[i]);
        } else {
            ((float *)y->data)[i] = f32(((const float *)x->data)[i]);
        }
    }
    return UNCORK_OK;
}

static uncork_status run_log1p(uc_call *call) { return map(call, log1p, log1pf); }

static uncork_status run_expm1(uc_call *call) { return map(call, expm1, expm1f); }

const uc_op uc_op_log1p = {
    .domain = "uncork",
    .name = "Log1p",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run_log1p,
};

const uc_op uc_op_expm1 = {
    .domain = "uncork",
    .name = "Expm1",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run_expm1,
};
