/* uncork.ShapeRange: x, refused where a dimension is outside of what the model was made for: the ranges
 * that torch.export keeps with its symbols.
 *
 * attributes  axes, least, most ints, as many of each; name str: what x is called in messages
 * x  any type and shape;  y  the same elements, may be x's memory. */
#include "op/shape.h"

#include <inttypes.h>

static uncork_status check(uc_call *call, const uc_tensor *x)
{
    size_t n, low, high;
    const int64_t *axes = uc_call_ints(call, "axes", &n);
    const int64_t *least = uc_call_ints(call, "least", &low);
    const int64_t *most = uc_call_ints(call, "most", &high);
    const uc_str name = uc_call_str(call, "name", "x");
    if (low != n || high != n)
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu axes, %zu and %zu bounds", n, low, high);
    for (size_t i = 0; i < n && x->rank >= 0; i++) {
        if (axes[i] < 0 || axes[i] >= x->rank)
            return uc_call_fail(call, UNCORK_MALFORMED, "axis %" PRId64 " of %d", axes[i], x->rank);
        const int64_t size = x->shape[axes[i]];
        if (size < 0 || (size >= least[i] && size <= most[i])) continue;
        return uc_call_fail(call, UNCORK_INPUT,
                            "dimension %" PRId64 " of '%.*s' is %" PRId64
                            ", the model was exported for %" PRId64 " to %" PRId64,
                            axes[i], (int)(name.size < 80 ? name.size : 80), name.data, size,
                            least[i], most[i]);
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    UC_TRY(check(call, uc_call_arg(call, 0)));
    return uc_call_like(call, 0, 0);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(check(call, x));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (y->data != x->data)
        memcpy(y->data, x->data, (size_t)uc_tensor_count(x) * uc_dtype_size(x->dtype));
    return UNCORK_OK;
}

const uc_op uc_op_shape_range = {.domain = "uncork",
                                 .name = "ShapeRange",
                                 .in = {1, 1},
                                 .out = {1, 1},
                                 .view = true,
                                 .infer = infer,
                                 .run = run};
