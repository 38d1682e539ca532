/* ScatterElements and ScatterND: a copy of x with elements written at indices, in the order of the
 * updates, where several meet combined as `reduction` says.
 *
 * Source: ONNX operators ScatterElements 18, ScatterND 18.
 * x        any type (numeric with a reduction);  indices  int32 or int64
 * updates  the type of x;  y  as x */
#include "kernel/elementwise.h"
#include "op/axis.h"
#include "op/move.h"

#include <inttypes.h>

static uncork_status infer_common(uc_call *call)
{
    uc_str reduction = uc_call_str(call, "reduction", "none");
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    UC_TRY(uc_call_same_dtype(call, 0, 2));
    if (!uc_str_is(reduction, "none")) UC_TRY(uc_call_expect(call, 0, UC_TYPES_FIXED));
    return uc_call_shape_like(call, 0, 0, uc_call_dtype(call, 0));
}

/* NULL for "none": elements are replaced. */
static uncork_status find_loop(uc_call *call, uc_loop_fn *loop)
{
    static const struct {
        const char *name;
        uc_binary op;
    } rows[] = {{"add", UC_ADD}, {"mul", UC_MUL}, {"max", UC_MAX}, {"min", UC_MIN}};
    uc_str reduction = uc_call_str(call, "reduction", "none");
    *loop = NULL;
    if (uc_str_is(reduction, "none")) return UNCORK_OK;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!uc_str_is(reduction, rows[i].name)) continue;
        *loop = uc_loop_binary(rows[i].op, uc_call_dtype(call, 0));
        if (*loop) return UNCORK_OK;
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "no '%s' for %s", rows[i].name,
                            uc_dtype_name(uc_call_dtype(call, 0)));
    }
    return uc_call_fail(call, UNCORK_MALFORMED, "reduction '%.*s' isn't known",
                        reduction.size < 20 ? (int)reduction.size : 20, reduction.data);
}

/* `count` pieces of `piece` elements each go to element places[i]. */
typedef struct context {
    const int64_t *places;
    int64_t total, count, piece;
    uc_loop_fn loop;
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    size_t bytes = (size_t)c->piece * size;
    memcpy(to, from[0], (size_t)c->total * size);
    const int64_t step[UC_WALK_ARRAYS] = {(int64_t)size, (int64_t)size, (int64_t)size};
    for (int64_t i = 0; i < c->count; i++) {
        char *y = (char *)to + (size_t)c->places[i] * size;
        char *update = (char *)(uintptr_t)from[1] + (size_t)i * bytes;
        char *const p[UC_WALK_ARRAYS] = {y, y, update};
        if (c->loop) {
            c->loop(p, step, c->piece);
        } else {
            memcpy(y, update, bytes);
        }
    }
}

static uncork_status scatter(uc_call *call, context *c)
{
    const uc_tensor *from[] = {uc_call_arg(call, 0), uc_call_arg(call, 2)};
    UC_TRY(find_loop(call, &c->loop));
    c->total = uc_tensor_count(from[0]);
    return uc_move(call, 0, from, 2, move, c);
}

static uncork_status refuse_index(uc_call *call, int64_t v, int64_t n)
{
    return uc_call_fail(call, UNCORK_INPUT, "index %" PRId64 " is outside the %" PRId64 " elements",
                        v, n);
}

/* ---- ScatterElements ---------------------------------------------------------------------- */

static uncork_status infer_elements(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    const uc_tensor *updates = uc_call_arg(call, 2);
    int axis = 0;
    if (x->rank < 0 || indices->rank < 0 || updates->rank < 0) return infer_common(call);
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
    bool fits = indices->rank == x->rank && updates->rank == x->rank;
    for (int d = 0; fits && d < x->rank; d++) {
        int64_t n = x->shape[d], i = indices->shape[d], u = updates->shape[d];
        fits = (i < 0 || u < 0 || i == u) && (d == axis || n < 0 || i < 0 || i <= n);
    }
    if (!fits) return uc_call_fail(call, UNCORK_INPUT, "indices and updates don't fit the input");
    return infer_common(call);
}

static uncork_status run_elements(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    int axis = 0;
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", 0), x->rank, &axis));
    context c = {.count = uc_tensor_count(indices), .piece = 1};
    int64_t *places = uc_call_scratch(call, (size_t)c.count, sizeof *places), n = x->shape[axis];
    if (!places) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < c.count; i++) {
        int64_t v = uc_dtype_load_i64(indices->data, i, indices->dtype), rest = i;
        if (v < -n || v >= n) return refuse_index(call, v, n);
        places[i] = (v < 0 ? v + n : v) * x->stride[axis];
        for (int d = x->rank - 1; d >= 0; d--) {
            if (d != axis) places[i] += rest % indices->shape[d] * x->stride[d];
            rest /= indices->shape[d];
        }
    }
    c.places = places;
    return scatter(call, &c);
}

const uc_op uc_op_scatter_elements = {.name = "ScatterElements",
                                      .in = {3, 3},
                                      .out = {1, 1},
                                      .infer = infer_elements,
                                      .run = run_elements};

/* ---- ScatterND ---------------------------------------------------------------------------- */

/* updates is indices.shape[:-1] followed by x.shape[k:]. */
static uncork_status infer_nd(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    const uc_tensor *updates = uc_call_arg(call, 2);
    bool known = x->rank >= 0 && updates->rank >= 0 && indices->rank >= 0 &&
                 uc_dims_known(indices->shape, indices->rank);
    if (!known) return infer_common(call);
    int q = indices->rank - 1;
    int64_t k = q >= 0 ? indices->shape[q] : -1;
    bool fits = k >= 0 && k <= x->rank && updates->rank == q + x->rank - (int)k;
    for (int d = 0; fits && d < updates->rank; d++) {
        int64_t want = d < q ? indices->shape[d] : x->shape[d - q + (int)k];
        fits = want < 0 || updates->shape[d] < 0 || want == updates->shape[d];
    }
    if (!fits) return uc_call_fail(call, UNCORK_INPUT, "indices and updates don't fit the input");
    return infer_common(call);
}

static uncork_status run_nd(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *indices = uc_call_arg(call, 1);
    int k = (int)indices->shape[indices->rank - 1];
    context c = {.count = 1, .piece = 1};
    for (int d = 0; d < indices->rank - 1; d++) {
        c.count *= indices->shape[d];
    }
    for (int d = k; d < x->rank; d++) {
        c.piece *= x->shape[d];
    }
    int64_t *places = uc_call_scratch(call, (size_t)c.count, sizeof *places);
    if (!places) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < c.count; i++) {
        places[i] = 0;
        for (int j = 0; j < k; j++) {
            int64_t v = uc_dtype_load_i64(indices->data, i * k + j, indices->dtype);
            int64_t n = x->shape[j];
            if (v < -n || v >= n) return refuse_index(call, v, n);
            places[i] += (v < 0 ? v + n : v) * x->stride[j];
        }
    }
    c.places = places;
    return scatter(call, &c);
}

const uc_op uc_op_scatter_nd = {
    .name = "ScatterND", .in = {3, 3}, .out = {1, 1}, .infer = infer_nd, .run = run_nd};

/* Scatter, deprecated by opset 11: ScatterElements without a reduction. */
const uc_op uc_op_scatter = {
    .name = "Scatter", .in = {3, 3}, .out = {1, 1}, .infer = infer_elements, .run = run_elements};
