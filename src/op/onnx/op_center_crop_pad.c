/* CenterCropPad: axes cut or padded with zeros around their middle to a given size.
 *
 * Source: ONNX operator CenterCropPad, opset 18; an odd rest is cut or padded at the end.
 * x  number or bool;  shape  int [axes];  y  the type of x. */
#include "kernel/copy.h"
#include "op/shape.h"

#include <inttypes.h>

static uncork_status read_target(uc_call *call, const uc_tensor *x, int64_t *shape)
{
    size_t count = 0, have = 0;
    int64_t target[UNCORK_MAX_RANK];
    bool known = uc_call_known(call, 1);
    const int64_t *axes = uc_call_ints(call, "axes", &have);
    bool given = uc_call_attr(call, "axes") != NULL;
    size_t want = given ? have : (size_t)x->rank;
    if (known) UC_TRY(uc_call_small_ints(call, 1, target, &count));
    if ((known && count != want) || want > (size_t)x->rank) {
        return uc_call_fail(call, UNCORK_INPUT, "%zu sizes for %zu of %d axes", count, want,
                            x->rank);
    }
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    for (size_t i = 0; i < want; i++) {
        int axis = 0;
        UC_TRY(uc_axis(call, given ? axes[i] : (int64_t)i, x->rank, &axis));
        shape[axis] = known ? target[i] : UC_DIM_UNKNOWN;
        if (!known || shape[axis] >= 0) continue;
        return uc_call_fail(call, UNCORK_INPUT, "size %zu is %" PRId64, i, target[i]);
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FIXED));
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (x->rank >= 0) UC_TRY(read_target(call, x, shape));
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK], from = 0, to = 0;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(read_target(call, x, shape));
    size_t size = uc_dtype_size(x->dtype);
    if (size == 0) return uc_call_fail(call, UNCORK_UNSUPPORTED, "not for types below a byte");
    memset(y->data, 0, (size_t)uc_tensor_count(y) * size);
    for (int d = 0; d < x->rank; d++) {
        int64_t have = x->shape[d], want = shape[d];
        if (want < have) from += (have - want) / 2 * x->stride[d];
        if (want > have) to += (want - have) / 2 * y->stride[d];
        shape[d] = want < have ? want : have;
        if (shape[d] == 0) return UNCORK_OK;
    }
    uc_copy_strided((char *)y->data + (size_t)to * size, y->stride,
                    (const char *)x->data + (size_t)from * size, x->stride, x->rank, shape, size);
    return UNCORK_OK;
}

const uc_op uc_op_center_crop_pad = {
    .name = "CenterCropPad", .in = {2, 2}, .out = {1, 1}, .infer = infer, .run = run};
