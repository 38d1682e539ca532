/* Shape arithmetic that many operators share: axes, broadcasting, small known inputs. Dimensions may
 * be unknown or symbols, as in infer. */
#ifndef UC_OP_SHAPE_H
#define UC_OP_SHAPE_H

#include "op/op.h"

static inline bool uc_dims_known(const int64_t *shape, int rank)
{
    for (int d = 0; d < rank; d++) {
        if (shape[d] < 0) return false;
    }
    return rank >= 0;
}

/* Whether a tensor of these known dimensions can be: its bytes fit, and so does every product of some
 * of its dimensions. Empty tensors are bounded as well, by UC_EMPTY_ELEMENTS with each 0 as a 1: a
 * loop over the rows of [2^40, 0] would never end. */
#define UC_EMPTY_ELEMENTS (INT64_C(1) << 28)
bool uc_shape_is_sane(uncork_dtype dtype, int rank, const int64_t *shape);

/* axis in [-rank, rank) counted from the front, into *out; fails naming the bound. */
uncork_status uc_axis(uc_call *call, int64_t axis, int rank, int *out);

/* The NumPy broadcast of the inputs [first, last): *rank is -1 when one has no known rank. */
uncork_status uc_broadcast_inputs(uc_call *call, size_t first, size_t last, int *rank,
                                  int64_t shape[UNCORK_MAX_RANK]);

/* Whether input i is there and its elements are known. */
bool uc_call_known(const uc_call *call, size_t i);
/* Up to UNCORK_MAX_RANK integers of a known int32 or int64 input of rank 0 or 1; more fail. */
uncork_status uc_call_small_ints(uc_call *call, size_t i, int64_t out[UNCORK_MAX_RANK],
                                 size_t *count);
/* One integer of a known input with one element. */
uncork_status uc_call_one_int(uc_call *call, size_t i, int64_t *out);

/* Type checks with the list of what is taken in the message. */
typedef enum uc_types {
    UC_TYPES_ALL,     /* anything, strings too */
    UC_TYPES_NUMERIC, /* floats and integers */
    UC_TYPES_FLOAT,
    UC_TYPES_INT, /* any integer */
    UC_TYPES_BOOL,
    UC_TYPES_INDEX, /* int32, int64 */
    UC_TYPES_FIXED, /* numeric, bool and complex: all but strings */
} uc_types;
/* Fails when input i has a known type outside the set. A missing input passes. */
uncork_status uc_call_expect(uc_call *call, size_t i, uc_types types);
/* Fails when inputs a and b have known types that differ. */
uncork_status uc_call_same_dtype(uc_call *call, size_t a, size_t b);
/* dtype of input i, NONE when missing. */
uncork_dtype uc_call_dtype(const uc_call *call, size_t i);
/* Declares output `out` with the type and shape of input `in`. */
uncork_status uc_call_shape_like(uc_call *call, size_t out, size_t in, uncork_dtype dtype);

#endif
