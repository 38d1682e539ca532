/* uncork.Digamma: the derivative of ln Gamma, elementwise, for positive x (others give NaN).
 *
 * x f64 any shape; y the same. */
#include "kernel/special.h"
#include "op/op.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    if (!x || x->dtype != UNCORK_FLOAT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs float64 numbers");
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, x->rank, x->shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    uc_tensor *y;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, x->rank, x->shape, &y));
    int64_t n = uc_tensor_count(x);
    for (int64_t i = 0; i < n; i++) {
        double v = uc_tensor_doubles(x)[i];
        ((double *)y->data)[i] = v > 0.0 ? uc_digamma(v) : (double)NAN;
    }
    return UNCORK_OK;
}

const uc_op uc_op_digamma = {
    .domain = "uncork",
    .name = "Digamma",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
