/* InRange: x, refused when a number is outside [low, high].
 *
 * Source: scikit-learn, isotonic.py, IsotonicRegression with out_of_bounds='raise'.
 * x  f64, any shape;  y  x. NaN passes. */
#include "op/shape.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer(uc_call *call)
{
    if (uc_call_dtype(call, 0) != UNCORK_FLOAT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes float64");
    }
    return uc_call_shape_like(call, 0, 0, UNCORK_FLOAT64);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    double low = uc_call_float(call, "low", -HUGE_VAL),
           high = uc_call_float(call, "high", HUGE_VAL);
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, x->rank, x->shape, &out));
    for (int64_t i = 0, n = uc_tensor_count(x); i < n; i++) {
        double v = uc_tensor_doubles(x)[i];
        if (v < low || v > high) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "value %" PRId64 " is %g, the model knows %g to %g", i, v, low,
                                high);
        }
        ((double *)out->data)[i] = v;
    }
    return UNCORK_OK;
}

const uc_op uc_op_in_range = {
    .domain = "uncork",
    .name = "InRange",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
