/* Slice: a box of a tensor, with steps.
 *
 * Source: ONNX operator Slice, opset 13; bounds are clamped as NumPy clamps them.
 * x  any type;  starts, ends, axes, steps  int32 or int64 [n];  y  the type of x */
#include "kernel/copy.h"
#include "op/move.h"
#include "op/shape.h"

typedef struct box {
    int64_t begin, step, count;
} box;

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : (v > high ? high : v);
}

static box box_of(int64_t n, int64_t start, int64_t end, int64_t step)
{
    bool up = step > 0;
    if (start < 0) start = start < -n ? -1 : start + n;
    if (end < 0) end = end < -n ? -1 : end + n;
    /* A start before the first element: the first going up, none going down. */
    box b = {.step = step, .begin = clamp(start, up ? 0 : -1, up ? n : n - 1)};
    end = clamp(end, up ? 0 : -1, up ? n : n - 1);
    int64_t room = up ? end - b.begin : b.begin - end;
    uint64_t stride = up ? (uint64_t)step : 0 - (uint64_t)step;
    b.count = room <= 0 ? 0 : (int64_t)(((uint64_t)room - 1) / stride) + 1;
    return b;
}

static bool all_known(const uc_call *call)
{
    for (size_t i = 1; i < call->in_count; i++) {
        if (uc_call_in(call, i) && !uc_call_known(call, i)) return false;
    }
    return true;
}

/* Whole dimensions where no axis says otherwise; unknown dimensions give unknown counts. */
static uncork_status find_boxes(uc_call *call, const uc_tensor *x, box boxes[UNCORK_MAX_RANK])
{
    int64_t starts[UNCORK_MAX_RANK], ends[UNCORK_MAX_RANK], axes[UNCORK_MAX_RANK];
    int64_t steps[UNCORK_MAX_RANK];
    size_t count = 0, ends_count = 0, axes_count = 0, steps_count = 0;
    UC_TRY(uc_call_small_ints(call, 1, starts, &count));
    UC_TRY(uc_call_small_ints(call, 2, ends, &ends_count));
    if (uc_call_in(call, 3)) UC_TRY(uc_call_small_ints(call, 3, axes, &axes_count));
    if (uc_call_in(call, 4)) UC_TRY(uc_call_small_ints(call, 4, steps, &steps_count));
    bool agree = ends_count == count && (!uc_call_in(call, 3) || axes_count == count) &&
                 (!uc_call_in(call, 4) || steps_count == count);
    if (!agree || count > (size_t)x->rank) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "%zu starts, %zu ends, %zu axes, %zu steps for %d "
                            "dimensions",
                            count, ends_count, axes_count, steps_count, x->rank);
    }
    for (int d = 0; d < x->rank; d++) {
        boxes[d] = (box){.step = 1, .count = x->shape[d]};
    }
    for (size_t i = 0; i < count; i++) {
        int d = 0;
        UC_TRY(uc_axis(call, axes_count ? axes[i] : (int64_t)i, x->rank, &d));
        int64_t step = steps_count ? steps[i] : 1;
        if (step == 0) return uc_call_fail(call, UNCORK_MALFORMED, "the step of axis %d is 0", d);
        if (x->shape[d] >= 0) {
            boxes[d] = box_of(x->shape[d], starts[i], ends[i], step);
        } else {
            bool whole = starts[i] == 0 && step == 1 && ends[i] >= INT32_MAX;
            boxes[d].count = whole ? x->shape[d] : UC_DIM_UNKNOWN;
        }
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    box boxes[UNCORK_MAX_RANK];
    int64_t shape[UNCORK_MAX_RANK];
    bool known = all_known(call);
    for (size_t i = 1; i < call->in_count; i++) {
        UC_TRY(uc_call_expect(call, i, UC_TYPES_INDEX));
    }
    if (x->rank >= 0 && known) UC_TRY(find_boxes(call, x, boxes));
    for (int d = 0; d < x->rank; d++) {
        shape[d] = known ? boxes[d].count : UC_DIM_UNKNOWN;
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

typedef struct context {
    int rank;
    int64_t offset, shape[UNCORK_MAX_RANK], stride[UNCORK_MAX_RANK];
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    const char *begin = (const char *)from[0] + c->offset * (int64_t)size;
    uc_copy_strided(to, NULL, begin, c->stride, c->rank, c->shape, size);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    box boxes[UNCORK_MAX_RANK];
    context c = {.rank = x->rank};
    UC_TRY(find_boxes(call, x, boxes));
    for (int d = 0; d < x->rank; d++) {
        c.shape[d] = boxes[d].count;
        /* One element needs no step, and a huge step no product that overflows. */
        c.stride[d] = boxes[d].count > 1 ? x->stride[d] * boxes[d].step : 0;
        if (boxes[d].count > 0) c.offset += boxes[d].begin * x->stride[d];
    }
    return uc_move(call, 0, &x, 1, move, &c);
}

/* A box by forward steps lies in x. A small one would keep all of x alive: it is copied. */
static bool view_of(const uc_call *call, uc_tensor *y, int64_t *first)
{
    enum { SMALLEST_SHARE = 8 };
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_call own = *call;
    uncork_error ignored;
    box boxes[UNCORK_MAX_RANK];
    uc_error_init(&ignored);
    own.error = &ignored;
    if (!all_known(call) || find_boxes(&own, x, boxes) != UNCORK_OK) return false;
    if (uc_tensor_count(x) / SMALLEST_SHARE > uc_tensor_count(y)) return false;
    *first = 0;
    for (int d = 0; d < x->rank; d++) {
        if (boxes[d].step < 0 || boxes[d].count < 1) return false;
        y->stride[d] = boxes[d].count > 1 ? x->stride[d] * boxes[d].step : x->stride[d];
        *first += boxes[d].begin * x->stride[d];
    }
    return true;
}

const uc_op uc_op_slice = {
    .name = "Slice", .in = {3, 5}, .out = {1, 1}, .view_of = view_of, .infer = infer, .run = run};
