/* Tensors as stacks of matrices: see matrices.h. */
#include "op/matrices.h"

#include "op/shape.h"

#include <inttypes.h>

uc_tensor uc_matrices_of(const uc_tensor *t, bool row)
{
    uc_tensor m = *t;
    if (t->rank != 1) return m;
    m.rank = 2;
    m.shape[0] = row ? 1 : t->shape[0];
    m.shape[1] = row ? t->shape[0] : 1;
    m.stride[0] = row ? 0 : t->stride[0];
    m.stride[1] = row ? t->stride[0] : 0;
    return m;
}

uncork_status uc_matrices_broadcast(uc_call *call, const uc_tensor *a, const uc_tensor *b,
                                    int64_t *shape, int *rank)
{
    int ra = a->rank - 2, rb = b->rank - 2, r = ra > rb ? ra : rb;
    for (int d = 0; d < r; d++) {
        int64_t x = d < r - ra ? 1 : a->shape[d - (r - ra)];
        int64_t y = d < r - rb ? 1 : b->shape[d - (r - rb)];
        if (x >= 0 && y >= 0 && x != y && x != 1 && y != 1) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "batches of %" PRId64 " and %" PRId64 " matrices", x, y);
        }
        shape[d] = x == 1 ? y : (x < 0 && y > 1 ? y : x);
        if (x < 0 && y < 0 && x != y) shape[d] = UC_DIM_UNKNOWN;
    }
    *rank = r;
    return UNCORK_OK;
}

int64_t uc_matrices_batch(const uc_tensor *t, const int64_t *shape, int rank, int64_t i)
{
    int64_t at = 0, step = 1;
    for (int d = rank - 1, e = t->rank - 3; d >= 0; d--, e--) {
        int64_t index = i % shape[d];
        i /= shape[d];
        if (e < 0) continue;
        at += t->shape[e] == 1 ? 0 : index * step;
        step *= t->shape[e];
    }
    return at;
}

uncork_status uc_matrices_infer(uc_call *call, size_t ia, size_t ib, uncork_dtype dtype)
{
    const uc_tensor *ta = uc_call_arg(call, ia), *tb = uc_call_arg(call, ib);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    if (ta->rank < 0 || tb->rank < 0) return uc_call_shape(call, 0, dtype, -1, NULL);
    if (ta->rank == 0 || tb->rank == 0) {
        return uc_call_fail(call, UNCORK_INPUT, "a scalar is no matrix");
    }
    uc_tensor a = uc_matrices_of(ta, true), b = uc_matrices_of(tb, false);
    int64_t ka = a.shape[a.rank - 1], kb = b.shape[b.rank - 2];
    if (ka >= 0 && kb >= 0 && ka != kb) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " columns meet %" PRId64 " rows", ka,
                            kb);
    }
    UC_TRY(uc_matrices_broadcast(call, &a, &b, shape, &rank));
    if (ta->rank > 1) shape[rank++] = a.shape[a.rank - 2];
    if (tb->rank > 1) shape[rank++] = b.shape[b.rank - 1];
    return uc_call_shape(call, 0, dtype, rank, shape);
}

uint64_t uc_matrices_macs(const uc_call *call, size_t ia)
{
    const uc_tensor *a = uc_call_arg(call, ia), *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t n = 0;
    if (!y || a->rank < 1 || !uc_dims_known(y->shape, y->rank)) return 0;
    int64_t k = a->shape[a->rank - 1];
    if (k < 0) return 0;
    return __builtin_mul_overflow((uint64_t)uc_tensor_count(y), (uint64_t)k, &n) ? UINT64_MAX : n;
}
