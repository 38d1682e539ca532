/* BitCast: the same bits under another type of the same width.
 *
 * Source: ONNX operator BitCast, opset 26.
 * x  any type but strings;  y  type `to`, the shape of x. */
#include "op/shape.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t to = uc_call_int(call, "to", 0);
    int bits = to > 0 && to < 64 ? uc_dtype_bits((uncork_dtype)to) : 0;
    if (bits == 0 || (x->dtype && uc_dtype_bits(x->dtype) != bits)) {
        return uc_call_fail(call, UNCORK_INPUT, "%s of %d bits to type %" PRId64 " of %d",
                            uc_dtype_name(x->dtype), uc_dtype_bits(x->dtype), to, bits);
    }
    return uc_call_shape_like(call, 0, 0, (uncork_dtype)to);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    size_t bytes = 0;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (!uc_shape_bytes(x->dtype, x->shape, x->rank, &bytes)) return uc_fail_memory(call->error);
    if (bytes && y->data != x->data) memcpy(y->data, x->data, bytes);
    return UNCORK_OK;
}

const uc_op uc_op_bit_cast = {
    .name = "BitCast", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run};
