/* Operators that move elements without looking at them work on any type through here: they give one
 * function over elements of 1, 2, 4, 8 or 16 bytes. Strings travel as numbers of their place in the
 * inputs and are fetched at the end; types below 8 bits are unpacked and packed again. */
#ifndef UC_OP_MOVE_H
#define UC_OP_MOVE_H

#include "op/op.h"

/* Writes `to` from the dense inputs; elements are `size` bytes. Must write every element. */
typedef void (*uc_move_fn)(const void *context, void *to, const void *const *from, size_t size);

/* Output i, of the shape infer declared, from dense tensors of its type. */
uncork_status uc_move(uc_call *call, size_t i, const uc_tensor *const *from, size_t from_count,
                      uc_move_fn move, const void *context);
/* The same elements in the same order. */
uncork_status uc_move_same(uc_call *call, size_t i, const uc_tensor *from);

#endif
