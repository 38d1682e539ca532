/* Products of 8-bit matrices of any signs, stacked as in numpy.matmul: what MatMulInteger, QLinearMatMul and
 * their com.microsoft kin share. */
#ifndef UC_OP_PRODUCT_I8_H
#define UC_OP_PRODUCT_I8_H

#include "op/op.h"

typedef struct uc_product_i8 {
    const uc_tensor *a, *b;           /* int8 or uint8, dense */
    const uc_tensor *a_zero, *b_zero; /* one; one a row of a, one a column of b; NULL: 0 */
    const int32_t *bias;              /* [n], NULL: none */
    /* One of these is where the result goes, dense. */
    int32_t *sums;
    float *floats;      /* sum * scale + float_bias */
    uint8_t *bytes;     /* requantised */
    const float *scale; /* [1] or [n] */
    int64_t scale_step;
    const float *float_bias; /* [n] */
    int32_t zero, low, high;
} uc_product_i8;

/* prepare: packs constant input `b` (whose last two dimensions may be swapped by `turned`) into
 * call->prepared. */
uncork_status uc_product_i8_prepare(uc_call *call, size_t b, bool turned);
/* run; uses what prepare packed, else packs now. */
uncork_status uc_product_i8_run(uc_call *call, const uc_product_i8 *p);

/* infer: inputs a and b are 8-bit integers where known, and their zero points (missing ones: any index past
 * the inputs) of their types. */
uncork_status uc_product_i8_check(uc_call *call, size_t a, size_t b, size_t a_zero, size_t b_zero);
/* The product's scales a_scale * b_scale [/ y_scale] in scratch, in the scales' precision: one, or one a
 * column as b_scale has them. y_scale may be NULL. NULL: no memory. */
float *uc_product_i8_scales(uc_call *call, const uc_tensor *a_scale, const uc_tensor *b_scale,
                            const uc_tensor *y_scale, float alpha, int64_t *step);

#endif
