/* Operators that compute in float32 and float64 alone take the short floats through here: their inputs
 * are widened to float32, the results rounded once. */
#ifndef UC_OP_WIDEN_H
#define UC_OP_WIDEN_H

#include "op/op.h"

/* Most inputs and outputs of a call that goes through here. */
#define UC_WIDEN_VALUES 16

/* float16 and bfloat16. */
bool uc_is_short_float(uncork_dtype dtype);

/* Fails when input i has a known type that is none of float32, float64, float16 and bfloat16. */
uncork_status uc_call_expect_wide(uc_call *call, size_t i);

/* run(call), with float32 copies in place of inputs and outputs of short floats. Outputs must be of
 * the shapes that infer declared. */
uncork_status uc_widened(uc_call *call, uncork_status (*run)(uc_call *call));

/* Whether output i is wanted. */
static inline bool uc_call_wants(const uc_call *call, size_t i)
{
    return i < call->out_count && call->out[i];
}

/* Elements of t as float64 in scratch (t's own when it is float64); NULL when memory is out. */
const double *uc_call_doubles(uc_call *call, const uc_tensor *t);

#endif
