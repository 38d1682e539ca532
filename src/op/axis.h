/* Operators along one axis see x as [outer, n, inner]. */
#ifndef UC_OP_AXIS_H
#define UC_OP_AXIS_H

#include "op/shape.h"

typedef struct uc_along {
    int axis;
    int64_t outer, n, inner;
} uc_along;

/* Product of dimensions [begin, end); unknown when one of them is, or when no number can hold it. */
static inline int64_t uc_along_product(const uc_tensor *x, int begin, int end)
{
    int64_t n = 1;
    for (int d = begin; d < end; d++) {
        if (x->shape[d] < 0 || __builtin_mul_overflow(n, x->shape[d], &n)) return UC_DIM_UNKNOWN;
    }
    return n;
}

/* Splits a shape at `axis` (checked against the rank). */
static inline uncork_status uc_along_axis(uc_call *call, const uc_tensor *x, int64_t axis,
                                          uc_along *a)
{
    UC_TRY(uc_axis(call, axis, x->rank, &a->axis));
    a->outer = uc_along_product(x, 0, a->axis);
    a->n = x->shape[a->axis];
    a->inner = uc_along_product(x, a->axis + 1, x->rank);
    return UNCORK_OK;
}

#endif
