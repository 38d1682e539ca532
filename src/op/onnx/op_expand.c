/* Expand and Tile: elements repeated along axes.
 *
 * Source: ONNX operators Expand 13 (broadcasts both ways, as NumPy does x * ones(shape)), Tile 13.
 * x        any type
 * shape    int64 [n]: what x is broadcast with;  repeats  int64 [rank of x] */
#include "kernel/copy.h"
#include "op/move.h"
#include "op/shape.h"

#include <inttypes.h>

typedef struct context {
    int rank;
    int64_t shape[2 * UNCORK_MAX_RANK], stride[2 * UNCORK_MAX_RANK];
} context;

static uncork_status unknown(uc_call *call, const uc_tensor *x, int rank)
{
    int64_t shape[UNCORK_MAX_RANK];
    for (int d = 0; d < rank; d++) {
        shape[d] = UC_DIM_UNKNOWN;
    }
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

/* ---- Expand ------------------------------------------------------------------------------- */

/* Only how many dimensions are asked for is known: those above 1 stay. */
static uncork_status infer_length(uc_call *call, const uc_tensor *x)
{
    const uc_tensor *want = uc_call_in(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    const bool counted = want && want->rank == 1 && want->shape[0] >= 0 &&
                         want->shape[0] <= UNCORK_MAX_RANK && x->rank >= 0;
    if (!counted) return unknown(call, x, -1);
    const int rank = want->shape[0] > x->rank ? (int)want->shape[0] : x->rank;
    for (int d = 0; d < rank; d++) {
        const int from = d - (rank - x->rank);
        shape[d] = from >= 0 && x->shape[from] > 1 ? x->shape[from] : UC_DIM_UNKNOWN;
    }
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

static uncork_status infer_expand(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t want[UNCORK_MAX_RANK], shape[UNCORK_MAX_RANK];
    size_t count = 0;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (x->rank < 0 || !uc_call_known(call, 1)) return infer_length(call, x);
    UC_TRY(uc_call_small_ints(call, 1, want, &count));
    int rank = (int)count > x->rank ? (int)count : x->rank;
    for (int d = 0; d < rank; d++) {
        int a = d - (rank - x->rank), b = d - (rank - (int)count);
        int64_t have = a < 0 ? 1 : x->shape[a], need = b < 0 ? 1 : want[b];
        if (need < 0 || (have >= 0 && need != 1 && have != 1 && need != have)) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "%" PRId64 " elements don't broadcast to %" PRId64, have, need);
        }
        shape[d] = need == 1 ? have : need;
    }
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    uc_copy_strided(to, NULL, from[0], c->stride, c->rank, c->shape, size);
}

static uncork_status run_expand(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *y = &call->out[0]->tensor;
    context c = {.rank = y->rank};
    for (int d = 0; d < y->rank; d++) {
        int from = d - (y->rank - x->rank);
        c.shape[d] = y->shape[d];
        c.stride[d] = from < 0 || x->shape[from] == 1 ? 0 : x->stride[from];
    }
    return uc_move(call, 0, &x, 1, move, &c);
}

const uc_op uc_op_expand = {
    .name = "Expand", .in = {2, 2}, .out = {1, 1}, .infer = infer_expand, .run = run_expand};

/* ---- Tile --------------------------------------------------------------------------------- */

static uncork_status infer_tile(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t repeats[UNCORK_MAX_RANK], shape[UNCORK_MAX_RANK];
    size_t count = 0;
    UC_TRY(uc_call_expect(call, 1, UC_TYPES_INDEX));
    if (x->rank < 0 || !uc_call_known(call, 1)) return unknown(call, x, x->rank);
    UC_TRY(uc_call_small_ints(call, 1, repeats, &count));
    if (count != (size_t)x->rank) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%zu repeats for %d dimensions", count,
                            x->rank);
    }
    for (int d = 0; d < x->rank; d++) {
        bool fits =
            repeats[d] >= 0 &&
            (x->shape[d] < 0 || !__builtin_mul_overflow(x->shape[d], repeats[d], &shape[d]));
        if (!fits) {
            return uc_call_fail(call, UNCORK_LIMIT,
                                "dimension %d can't be repeated %" PRId64 " times", d, repeats[d]);
        }
        if (x->shape[d] < 0) shape[d] = repeats[d] == 1 ? x->shape[d] : UC_DIM_UNKNOWN;
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

/* A dimension n repeated r times is [r, n] with a stride of 0 for r. Dimensions that aren't repeated
 * are merged into one first, so that the ranks fit. */
static uncork_status run_tile(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *y = &call->out[0]->tensor;
    context c = {.rank = 0};
    for (int d = 0; d < x->rank; d++) {
        int64_t times = x->shape[d] ? y->shape[d] / x->shape[d] : 0;
        if (times != 1) {
            c.shape[c.rank] = times;
            c.stride[c.rank++] = 0;
        }
        c.shape[c.rank] = x->shape[d];
        c.stride[c.rank++] = x->stride[d];
    }
    int last = 0;
    for (int d = 1; d < c.rank; d++) {
        if (c.stride[last] == c.stride[d] * c.shape[d]) {
            c.shape[last] *= c.shape[d];
            c.stride[last] = c.stride[d];
        } else {
            last++;
            c.shape[last] = c.shape[d];
            c.stride[last] = c.stride[d];
        }
    }
    if (c.rank) c.rank = last + 1;
    if (c.rank > UNCORK_MAX_RANK) {
        return uc_call_fail(call, UNCORK_LIMIT, "too many dimensions are repeated at once");
    }
    return uc_move(call, 0, &x, 1, move, &c);
}

const uc_op uc_op_tile = {
    .name = "Tile", .in = {2, 2}, .out = {1, 1}, .infer = infer_tile, .run = run_tile};
