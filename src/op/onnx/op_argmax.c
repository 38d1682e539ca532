/* ArgMax and ArgMin: the index of the first (select_last_index: the last) extreme along an axis.
 *
 * Source: ONNX operators ArgMax 13, ArgMin 13.
 * x  numeric or bool, any shape;  y  int64, the axis is 1 or gone.
 * Numerics: a NaN is beyond every number and the first one wins, as in NumPy (ONNX leaves it open). */
#include "kernel/reduce.h"
#include "op/axis.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    int axis = 0, rank = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_FIXED));
    if (x->rank < 0) return uc_call_shape(call, 0, UNCORK_INT64, -1, NULL);
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
    bool keep = uc_call_int(call, "keepdims", 1) != 0;
    for (int d = 0; d < x->rank; d++) {
        if (d != axis) shape[rank++] = x->shape[d];
        if (d == axis && keep) shape[rank++] = 1;
    }
    if (x->shape[axis] == 0) return uc_call_fail(call, UNCORK_INPUT, "axis %d is empty", axis);
    return uc_call_shape(call, 0, UNCORK_INT64, rank, shape);
}

static uncork_status run_as(uc_call *call, bool max)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_along a;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", 0), &a));
    uc_arg_reduce job = {.x = x->data,
                         .dtype = x->dtype,
                         .y = y->data,
                         .outer = a.outer,
                         .red = a.n,
                         .inner = a.inner,
                         .max = max,
                         .last = uc_call_int(call, "select_last_index", 0) != 0};
    float *wide = NULL;
    if (uc_arg_reduce_run(&job)) return UNCORK_OK;
    int64_t n = uc_tensor_count(x);
    wide = uc_call_scratch(call, (size_t)n, sizeof *wide);
    if (!wide) return uc_fail_memory(call->error);
    if (!uc_dtype_convert(wide, UNCORK_FLOAT32, x->data, x->dtype, n)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "not defined for %s",
                            uc_dtype_name(x->dtype));
    }
    job.x = wide;
    job.dtype = UNCORK_FLOAT32;
    uc_arg_reduce_run(&job);
    return UNCORK_OK;
}

static uncork_status run_max(uc_call *call) { return run_as(call, true); }

static uncork_status run_min(uc_call *call) { return run_as(call, false); }

const uc_op uc_op_arg_max = {
    .name = "ArgMax", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run_max};
const uc_op uc_op_arg_min = {
    .name = "ArgMin", .in = {1, 1}, .out = {1, 1}, .infer = infer, .run = run_min};
