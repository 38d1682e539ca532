/* TopK: the k largest or smallest elements along an axis, in order, with their indices.
 *
 * Source: ONNX operator TopK, opset 24; equal elements come by index.
 * x  numeric, any shape; k  int64 scalar;  values, indices (int64): the axis has k elements.
 * Numerics: NaN is above every number, as NumPy sorts it. */
#include "kernel/order.h"
#include "op/axis.h"
#include "op/move.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK], k = UC_DIM_UNKNOWN;
    int axis = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    if (uc_call_known(call, 1)) UC_TRY(uc_call_one_int(call, 1, &k));
    if (x->rank >= 0) {
        UC_TRY(uc_axis(call, uc_call_int(call, "axis", -1), x->rank, &axis));
        bool fits =
            !uc_call_known(call, 1) || (k >= 0 && (x->shape[axis] < 0 || k <= x->shape[axis]));
        if (!fits) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "k is %" PRId64 ", the axis has %" PRId64 " elements", k,
                                x->shape[axis]);
        }
    }
    for (int d = 0; d < x->rank; d++) {
        shape[d] = d == axis ? k : x->shape[d];
    }
    UC_TRY(uc_call_shape(call, 0, x->dtype, x->rank, shape));
    return uc_call_shape(call, 1, UNCORK_INT64, x->rank, shape);
}

/* One lane: `n` elements, `step` apart. Largest first is smallest by the inverted key. */
typedef struct lane {
    const void *data;
    uncork_dtype dtype;
    int64_t begin, step;
    uint64_t flip;
} lane;

static uint64_t key_at(const void *context, int64_t i)
{
    const lane *l = context;
    return uc_order_key(l->data, l->begin + i * l->step, l->dtype) ^ l->flip;
}

/* Places in x of the output elements, in y's order. */
typedef struct picks {
    const int64_t *places;
    int64_t count;
} picks;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const picks *p = ctx;
    for (int64_t i = 0; i < p->count; i++) {
        memcpy((char *)to + (size_t)i * size, (const char *)from[0] + (size_t)p->places[i] * size,
               size);
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_along a;
    int64_t k = 0;
    UC_TRY(uc_along_axis(call, x, uc_call_int(call, "axis", -1), &a));
    UC_TRY(uc_call_one_int(call, 1, &k));
    if (k < 0 || k > a.n) return uc_call_fail(call, UNCORK_INPUT, "k is %" PRId64, k);
    int64_t total = a.outer * a.inner * k;
    uc_ordered *heap = uc_call_scratch(call, (size_t)k, sizeof *heap);
    int64_t *places = uc_call_scratch(call, (size_t)total, sizeof *places);
    int64_t *indices = uc_call_scratch(call, (size_t)total, sizeof *indices);
    if (!heap || !places || !indices) return uc_fail_memory(call->error);
    lane l = {.data = x->data, .dtype = x->dtype, .step = a.inner};
    l.flip = uc_call_int(call, "largest", 1) ? UINT64_MAX : 0;
    for (int64_t i = 0; i < a.outer * a.inner; i++) {
        l.begin = i / a.inner * a.n * a.inner + i % a.inner;
        uc_order_smallest(heap, k, key_at, &l, a.n);
        for (int64_t j = 0; j < k; j++) {
            int64_t at = (i / a.inner * k + j) * a.inner + i % a.inner;
            indices[at] = heap[j].index;
            places[at] = l.begin + heap[j].index * a.inner;
        }
    }
    uc_tensor *y = call->out_count > 1 && call->out[1] ? uc_call_out(call, 1) : NULL;
    if (y) memcpy(y->data, indices, (size_t)total * sizeof *indices);
    picks p = {places, total};
    return uc_move(call, 0, &x, 1, move, &p);
}

const uc_op uc_op_top_k = {.name = "TopK", .in = {2, 2}, .out = {1, 2}, .infer = infer, .run = run};
