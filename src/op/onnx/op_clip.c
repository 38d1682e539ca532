/* Clip: y = min(max(x, low), high); a missing bound doesn't bind.
 *
 * Source: ONNX operator Clip, opset 13.
 * x  numeric, any shape; low, high  scalars of the same type;  y  as x. NaN stays. */
#include "op/shape.h"
#include "op/spread.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    for (size_t i = 1; i < call->in_count; i++) {
        const uc_tensor *bound = uc_call_in(call, i);
        if (!bound) continue;
        UC_TRY(uc_call_same_dtype(call, 0, i));
        if (uc_dims_known(bound->shape, bound->rank) && uc_tensor_count(bound) != 1) {
            return uc_call_fail(call, UNCORK_MALFORMED, "bound %zu is no scalar", i);
        }
    }
    return uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 0));
}

/* The lowest or highest number of a type, where no bound is given. */
static void no_bound(void *to, uncork_dtype dtype, bool low)
{
    double limit = low ? -HUGE_VAL : HUGE_VAL;
    uc_dtype_convert(to, dtype, &limit, UNCORK_FLOAT64, 1); /* integers saturate */
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *in[3] = {x, NULL, NULL};
    uint64_t room[2];
    uc_tensor bounds[2];
    for (size_t i = 0; i < 2; i++) {
        const uc_tensor *bound = uc_call_in(call, i + 1);
        bounds[i] = (uc_tensor){.dtype = x->dtype, .data = &room[i]};
        if (bound) {
            bounds[i].data = bound->data;
        } else {
            no_bound(&room[i], x->dtype, i == 0);
        }
        in[i + 1] = &bounds[i];
    }
    return uc_spread(call, uc_loop_clip(uc_spread_dtype(x->dtype)), in, 3);
}

const uc_op uc_op_clip = {.name = "Clip", .in = {1, 3}, .out = {1, 1}, .infer = infer, .run = run};
