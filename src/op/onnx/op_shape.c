/* Shape and Size: dimensions as int64 values, known as soon as the dimensions are.
 *
 * Source: ONNX operators Shape 25 (start and end are clamped), Size 25.
 * x  any type;  y  int64 [end - start], or a scalar. */
#include "op/shape.h"

static int clamp_axis(int64_t axis, int rank)
{
    if (axis < 0) axis += rank;
    return (int)(axis < 0 ? 0 : (axis > rank ? rank : axis));
}

static void range_of(const uc_call *call, int rank, int *start, int *end)
{
    *start = clamp_axis(uc_call_int(call, "start", 0), rank);
    *end = clamp_axis(uc_call_int(call, "end", rank), rank);
    if (*end < *start) *end = *start;
}

static uncork_status infer_shape(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int start = 0, end = 0;
    int64_t n = UC_DIM_UNKNOWN;
    if (x->rank >= 0) {
        range_of(call, x->rank, &start, &end);
        n = end - start;
    }
    return uc_call_shape(call, 0, UNCORK_INT64, 1, &n);
}

static uncork_status run_shape(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    int start = 0, end = 0;
    if (!y) return uc_fail_memory(call->error);
    range_of(call, x->rank, &start, &end);
    for (int d = start; d < end; d++) {
        ((int64_t *)y->data)[d - start] = x->shape[d];
    }
    return UNCORK_OK;
}

const uc_op uc_op_shape = {.name = "Shape",
                           .in = {1, 1},
                           .out = {1, 1},
                           .shapely = true,
                           .infer = infer_shape,
                           .run = run_shape};

static uncork_status infer_size(uc_call *call)
{
    return uc_call_shape(call, 0, UNCORK_INT64, 0, NULL);
}

static uncork_status run_size(uc_call *call)
{
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    *(int64_t *)y->data = uc_tensor_count(uc_call_arg(call, 0));
    return UNCORK_OK;
}

const uc_op uc_op_size = {.name = "Size",
                          .in = {1, 1},
                          .out = {1, 1},
                          .shapely = true,
                          .infer = infer_size,
                          .run = run_size};
