/* Elementwise operators run through here: a loop is walked over the broadcast of the inputs. The
 * short floats are widened to float32 before and rounded after. */
#ifndef UC_OP_SPREAD_H
#define UC_OP_SPREAD_H

#include "kernel/elementwise.h"
#include "op/op.h"

/* The type a loop is chosen by: float32 for float16, bfloat16 and the 8-bit floats. */
uncork_dtype uc_spread_dtype(uncork_dtype dtype);

/* Output 0, of the type and shape infer declared: out[i] = loop(in[0][i], in[1][i], ...). `in` are at
 * most UC_WALK_ARRAYS - 1 dense tensors that broadcast to the output. A missing loop fails by type. */
uncork_status uc_spread(uc_call *call, uc_loop_fn loop, const uc_tensor *const *in,
                        size_t in_count);

/* The same over inputs 0 .. count - 1 of the call. */
uncork_status uc_spread_inputs(uc_call *call, uc_loop_fn loop, size_t count);

/* Folds an associative loop over any number of inputs: out = loop(loop(in0, in1), in2) ... */
uncork_status uc_spread_fold(uc_call *call, uc_loop_fn loop);

#endif
