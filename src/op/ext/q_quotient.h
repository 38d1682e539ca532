/* Division of quantised numbers by a reciprocal in fixed point; it is that of softmax too.
 * Source: tensorflow/lite/kernels/internal/{common.h,reference/div.h}, gemmlowp/fixedpoint/fixedpoint.h. */
#ifndef UC_OP_EXT_Q_QUOTIENT_H
#define UC_OP_EXT_Q_QUOTIENT_H

#include "kernel/fixed_point.h"

/* 1 / (1 + a) for a in Q0.31, as Q0.31. */
int32_t uc_q_reciprocal_1(int32_t a);
/* 1 / x for x of `integer_bits` integer bits, as Q0.31; *over: how many bits x is above 1. */
int32_t uc_q_reciprocal(int32_t x, int integer_bits, int *over);
/* a / b, scaled. */
int32_t uc_q_quotient(int32_t a, int32_t b, uc_fixed scale);
/* e^a for a <= 0 of 5 integer bits, as Q0.31. */
int32_t uc_q_exp_negative(int32_t a);

#endif
