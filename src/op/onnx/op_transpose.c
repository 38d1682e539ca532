/* Transpose: permutes the axes; without perm they are reversed.
 *
 * Source: ONNX operator Transpose, opset 25.
 * x  any type;  y[i0, i1, ...] = x with axis d of y being axis perm[d] of x. */
#include "kernel/copy.h"
#include "op/move.h"
#include "op/shape.h"

static uncork_status find_perm(uc_call *call, int rank, int perm[UNCORK_MAX_RANK])
{
    size_t count = 0;
    bool seen[UNCORK_MAX_RANK] = {0};
    const int64_t *given = uc_call_ints(call, "perm", &count);
    if (given && count != (size_t)rank) {
        return uc_call_fail(call, UNCORK_MALFORMED, "perm has %zu axes, the input %d", count, rank);
    }
    for (int d = 0; d < rank; d++) {
        perm[d] = rank - 1 - d;
        if (given) UC_TRY(uc_axis(call, given[d], rank, &perm[d]));
        if (seen[perm[d]]) {
            return uc_call_fail(call, UNCORK_MALFORMED, "perm lists axis %d twice", perm[d]);
        }
        seen[perm[d]] = true;
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int perm[UNCORK_MAX_RANK];
    int64_t shape[UNCORK_MAX_RANK];
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    UC_TRY(find_perm(call, x->rank, perm));
    for (int d = 0; d < x->rank; d++) {
        shape[d] = x->shape[perm[d]];
    }
    return uc_call_shape(call, 0, x->dtype, x->rank, shape);
}

typedef struct context {
    int rank;
    int64_t shape[UNCORK_MAX_RANK], stride[UNCORK_MAX_RANK];
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    uc_copy_strided(to, NULL, from[0], c->stride, c->rank, c->shape, size);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int perm[UNCORK_MAX_RANK];
    context c = {.rank = x->rank};
    UC_TRY(find_perm(call, x->rank, perm));
    for (int d = 0; d < x->rank; d++) {
        c.shape[d] = x->shape[perm[d]];
        c.stride[d] = x->stride[perm[d]];
    }
    return uc_move(call, 0, &x, 1, move, &c);
}

static bool view_of(const uc_call *call, uc_tensor *y, int64_t *first)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_call quiet = *call;
    int perm[UNCORK_MAX_RANK];
    *first = 0;
    if (find_perm(&quiet, x->rank, perm) != UNCORK_OK) return false;
    for (int d = 0; d < x->rank; d++) {
        y->stride[d] = x->stride[perm[d]];
    }
    return true;
}

const uc_op uc_op_transpose = {.name = "Transpose",
                               .in = {1, 1},
                               .out = {1, 1},
                               .any_stride = 1,
                               .view_of = view_of,
                               .infer = infer,
                               .run = run};
