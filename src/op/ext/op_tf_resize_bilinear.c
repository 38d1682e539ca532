/* ResizeBilinear as TensorFlow rounds it, over pictures as this engine holds them: a network behind it may
 * make much of the last bit.
 *
 * x  float32 [n, c, height, width];  size  int32 or int64 [2]: height, width
 * align_corners, half_pixel_centers  0 or 1, as the operator has them
 * Source: tensorflow/core/kernels/image/resize_bilinear_op.cc. */
#include "image/resize.h"
#include "op/ext/tf_call.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[4] = {UC_DIM_UNKNOWN, UC_DIM_UNKNOWN, UC_DIM_UNKNOWN, UC_DIM_UNKNOWN};
    bool known;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (x->rank >= 0) UC_TRY(uc_tf_want(call, 0, UNCORK_FLOAT32, 4));
    for (int d = 0; x->rank == 4 && d < 2; d++) {
        shape[d] = x->shape[d];
    }
    UC_TRY(uc_tf_picture_size(call, 1, shape + 2, &known));
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 4, shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[4] = {x->shape[0], x->shape[1]};
    bool known;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_picture_size(call, 1, shape + 2, &known));
    if (x->shape[2] < 1 || x->shape[3] < 1 || x->shape[2] > INT32_MAX || x->shape[3] > INT32_MAX) {
        return uc_call_fail(call, UNCORK_INPUT, "a picture of that size can't be resized");
    }
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT32, 4, shape, &y));
    const uc_tensorflow_resize o = {.filter = UC_TF_BILINEAR,
                                    .legacy = !uc_call_int(call, "half_pixel_centers", 0),
                                    .align_corners = uc_call_int(call, "align_corners", 0) != 0};
    const int from[] = {(int)x->shape[2], (int)x->shape[3]}, to[] = {(int)shape[2], (int)shape[3]};
    return uc_resize_tensorflow_planes(x->data, shape[0] * shape[1], from, to, &o, call->pool,
                                       call->arena, y->data, call->error);
}

UC_TF_ROW(tf_resize_bilinear, "TfResizeBilinear", 2, 2, 1, infer, run)
