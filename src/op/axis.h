/* Operators along one axis see x as [outer, n, inner]. */
#ifndef UC_OP_AXIS_H
#define UC_OP_AXIS_H

#include "op/shape.h"

typedef struct uc_along {
    int axis;
    int64_t outer, n, inner;
} uc_along;

/* Splits a known shape at `axis` (checked against the rank). */
static inline uncork_status uc_along_axis(uc_call *call, const uc_tensor *x, int64_t axis,
                                          uc_along *a)
{
    UC_TRY(uc_axis(call, axis, x->rank, &a->axis));
    a->outer = a->inner = 1;
    a->n = x->shape[a->axis];
    for (int d = 0; d < x->rank; d++) {
        if (d < a->axis) a->outer *= x->shape[d];
        if (d > a->axis) a->inner *= x->shape[d];
    }
    return UNCORK_OK;
}

#endif
