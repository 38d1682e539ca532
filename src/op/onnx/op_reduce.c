/* Reductions along axes: ReduceSum, Mean, Prod, Max, Min, L1, L2, SumSquare, LogSum, LogSumExp.
 *
 * Source: ONNX operators Reduce* at opset 28 (axes are an input; empty or missing axes mean all of
 * them, none with noop_with_empty_axes, where the elementwise part still happens).
 * x     numeric (Max and Min: bool too), any shape
 * axes  int64 [n], optional
 * y     type of x; the reduced axes are 1 or gone
 * Numerics: floats are summed in float64, along a contiguous axis in NumPy's pairwise order. */
#include "kernel/copy.h"
#include "kernel/reduce.h"
#include "op/shape.h"

/* Which axes go; *all_known is false when axes are an input that isn't known yet. */
static uncork_status find_axes(uc_call *call, int rank, bool gone[UNCORK_MAX_RANK], bool *known)
{
    int64_t axes[UNCORK_MAX_RANK];
    size_t count = 0;
    *known = !uc_call_in(call, 1) || uc_call_known(call, 1);
    memset(gone, 0, UNCORK_MAX_RANK * sizeof *gone);
    if (!*known) return UNCORK_OK;
    if (uc_call_in(call, 1)) UC_TRY(uc_call_small_ints(call, 1, axes, &count));
    bool all = count == 0 && uc_call_int(call, "noop_with_empty_axes", 0) == 0;
    for (int d = 0; all && d < rank; d++) {
        gone[d] = true;
    }
    for (size_t i = 0; i < count; i++) {
        int axis = 0;
        UC_TRY(uc_axis(call, axes[i], rank, &axis));
        gone[axis] = true;
    }
    return UNCORK_OK;
}

static uncork_status infer_any(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool gone[UNCORK_MAX_RANK], known = false, keep = uc_call_int(call, "keepdims", 1) != 0;
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    UC_TRY(find_axes(call, x->rank, gone, &known));
    if (!known && !keep) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    for (int d = 0; d < x->rank; d++) {
        if (!known) {
            shape[rank++] = UC_DIM_UNKNOWN;
        } else if (!gone[d]) {
            shape[rank++] = x->shape[d];
        } else if (keep) {
            shape[rank++] = 1;
        }
    }
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

static uncork_status infer(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    return infer_any(call);
}

static uncork_status infer_extreme(uc_call *call)
{
    if (uc_call_dtype(call, 0) != UNCORK_BOOL) UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    return infer_any(call);
}

/* ---- running ------------------------------------------------------------------------------ */

/* x seen as [outer, red, inner]. */
typedef struct view {
    uc_tensor x;
    int64_t outer, red, inner;
} view;

/* The axes that go stand together: x is viewed as it is. */
static bool view_in_place(const uc_tensor *x, const bool *gone, view *v)
{
    int d = 0;
    v->x = *x;
    v->outer = v->red = v->inner = 1;
    for (; d < x->rank && (!gone[d] || x->shape[d] == 1); d++) {
        v->outer *= x->shape[d];
    }
    for (; d < x->rank && (gone[d] || x->shape[d] == 1); d++) {
        v->red *= x->shape[d];
    }
    for (; d < x->rank; d++) {
        if (gone[d] && x->shape[d] != 1) return false;
        v->inner *= x->shape[d];
    }
    return true;
}

/* Otherwise a copy with the axes that go moved to the end. */
static uncork_status view_moved(uc_call *call, const uc_tensor *x, const bool *gone, view *v)
{
    int64_t shape[UNCORK_MAX_RANK], stride[UNCORK_MAX_RANK];
    int rank = 0;
    v->outer = v->red = v->inner = 1;
    for (int pass = 0; pass < 2; pass++) {
        for (int d = 0; d < x->rank; d++) {
            if (gone[d] != (pass == 1)) continue;
            shape[rank] = x->shape[d];
            stride[rank++] = x->stride[d];
            *(pass ? &v->red : &v->outer) *= x->shape[d];
        }
    }
    v->x = *x;
    size_t size = uc_dtype_size(x->dtype);
    v->x.data = uc_call_scratch(call, (size_t)uc_tensor_count(x), size);
    if (!v->x.data) return uc_fail_memory(call->error);
    uc_copy_strided(v->x.data, NULL, x->data, stride, rank, shape, size);
    return UNCORK_OK;
}

/* A type the kernels sum in: itself, or the wide one of its kind. */
static uncork_dtype wide_type(uncork_dtype dtype, uc_reduce op)
{
    bool real = op == UC_REDUCE_L2 || op == UC_REDUCE_LOG_SUM || op == UC_REDUCE_LOG_SUM_EXP;
    if (dtype == UNCORK_FLOAT64 || dtype == UNCORK_FLOAT32) return dtype;
    if (real || uc_dtype_is_float(dtype)) return UNCORK_FLOAT64;
    bool is_unsigned = dtype == UNCORK_BOOL || !uc_dtype_is_signed(dtype);
    return is_unsigned ? UNCORK_UINT64 : UNCORK_INT64;
}

static void reduce(uc_call *call, uc_reduce op, const view *v, const void *x, void *y,
                   uncork_dtype dtype)
{
    switch ((int)dtype) {
    case UNCORK_FLOAT64: uc_reduce_f64(op, x, y, v->outer, v->red, v->inner, call->pool); break;
    case UNCORK_FLOAT32: uc_reduce_f32(op, x, y, v->outer, v->red, v->inner, call->pool); break;
    case UNCORK_INT64: uc_reduce_i64(op, x, y, v->outer, v->red, v->inner); break;
    default: uc_reduce_u64(op, x, y, v->outer, v->red, v->inner); break;
    }
}

static uncork_status run_as(uc_call *call, uc_reduce op)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    bool gone[UNCORK_MAX_RANK], known = false;
    view v;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    UC_TRY(find_axes(call, x->rank, gone, &known));
    if (!view_in_place(x, gone, &v)) UC_TRY(view_moved(call, x, gone, &v));
    uncork_dtype wide = wide_type(x->dtype, op);
    if (wide == x->dtype) {
        reduce(call, op, &v, v.x.data, y->data, wide);
        return UNCORK_OK;
    }
    int64_t in_count = uc_tensor_count(x), out_count = v.outer * v.inner;
    void *wide_x = uc_call_scratch(call, (size_t)in_count, 8);
    void *wide_y = uc_call_scratch(call, (size_t)out_count, 8);
    if (!wide_x || !wide_y) return uc_fail_memory(call->error);
    uc_dtype_convert(wide_x, wide, v.x.data, x->dtype, in_count);
    reduce(call, op, &v, wide_x, wide_y, wide);
    uc_dtype_convert(y->data, y->dtype, wide_y, wide, out_count);
    return UNCORK_OK;
}

#define REDUCE(SYMBOL, NAME, OP, INFER)                                           \
    static uncork_status run_##SYMBOL(uc_call *call) { return run_as(call, OP); } \
    const uc_op uc_op_reduce_##SYMBOL = {                                         \
        .name = NAME, .in = {1, 2}, .out = {1, 1}, .infer = INFER, .run = run_##SYMBOL};

REDUCE(l1, "ReduceL1", UC_REDUCE_L1, infer)
REDUCE(l2, "ReduceL2", UC_REDUCE_L2, infer)
REDUCE(log_sum, "ReduceLogSum", UC_REDUCE_LOG_SUM, infer)
REDUCE(log_sum_exp, "ReduceLogSumExp", UC_REDUCE_LOG_SUM_EXP, infer)
REDUCE(max, "ReduceMax", UC_REDUCE_MAX, infer_extreme)
REDUCE(mean, "ReduceMean", UC_REDUCE_MEAN, infer)
REDUCE(min, "ReduceMin", UC_REDUCE_MIN, infer_extreme)
REDUCE(prod, "ReduceProd", UC_REDUCE_PROD, infer)
REDUCE(sum, "ReduceSum", UC_REDUCE_SUM, infer)
REDUCE(sum_square, "ReduceSumSquare", UC_REDUCE_SUM_SQUARE, infer)
