/* OneHot: a new axis with `on` at the index and `off` elsewhere.
 *
 * Source: ONNX operator OneHot, opset 28; an index outside [-depth, depth) gives `off` alone.
 * indices  numeric, any shape; depth  scalar; values  [off, on] of any type;  y  the type of values */
#include "op/axis.h"
#include "op/move.h"

#include <inttypes.h>

/* depth is of any numeric type, a scalar or one element. */
static uncork_status read_depth(uc_call *call, int64_t *depth)
{
    const uc_tensor *t = uc_call_arg(call, 1);
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_NUMERIC));
    if (uc_tensor_count(t) != 1) return uc_call_fail(call, UNCORK_MALFORMED, "depth is no scalar");
    *depth = uc_dtype_load_i64(t->data, 0, t->dtype);
    if (*depth >= 0) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "depth is %" PRId64, *depth);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *indices = uc_call_arg(call, 0);
    uncork_dtype dtype = uc_call_dtype(call, 2);
    int64_t shape[UNCORK_MAX_RANK + 1], depth = UC_DIM_UNKNOWN;
    int axis = 0, rank = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    if (uc_call_known(call, 2) && uc_tensor_count(uc_call_arg(call, 2)) != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "values are not [off, on]");
    }
    if (uc_call_known(call, 1)) UC_TRY(read_depth(call, &depth));
    if (indices->rank < 0) return uc_call_shape(call, 0, dtype, -1, NULL);
    UC_TRY(uc_axis(call, uc_call_int(call, "axis", -1), indices->rank + 1, &axis));
    for (int d = 0; d <= indices->rank; d++) {
        if (d == axis) shape[rank++] = depth;
        if (d < indices->rank) shape[rank++] = indices->shape[d];
    }
    return uc_call_shape(call, 0, dtype, rank, shape);
}

typedef struct context {
    const uc_tensor *indices;
    uc_along y;
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    const char *off = from[0], *on = off + size;
    char *y = to;
    for (int64_t i = 0; i < c->y.outer * c->y.n * c->y.inner; i++) {
        memcpy(y + (size_t)i * size, off, size);
    }
    for (int64_t i = 0; i < c->y.outer * c->y.inner; i++) {
        int64_t at = uc_dtype_load_i64(c->indices->data, i, c->indices->dtype);
        if (at < 0) at += c->y.n;
        if (at < 0 || at >= c->y.n) continue;
        int64_t place = (i / c->y.inner * c->y.n + at) * c->y.inner + i % c->y.inner;
        memcpy(y + (size_t)place * size, on, size);
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *values = uc_call_arg(call, 2);
    context c = {.indices = uc_call_arg(call, 0)};
    if (uc_tensor_count(values) != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "values are not [off, on]");
    }
    UC_TRY(uc_along_axis(call, &call->out[0]->tensor, uc_call_int(call, "axis", -1), &c.y));
    return uc_move(call, 0, &values, 1, move, &c);
}

const uc_op uc_op_one_hot = {
    .name = "OneHot", .in = {3, 3}, .out = {1, 1}, .infer = infer, .run = run};
