/* What the quantised operators share: scales and zero points, whole, by axis or by block. */
#ifndef UC_OP_QUANT_H
#define UC_OP_QUANT_H

#include "base/thread.h"
#include "op/op.h"

/* Bounds of an integer type of at most 16 bits; false for another. */
bool uc_quant_bounds(uncork_dtype dtype, int32_t *low, int32_t *high);
/* Whether type `dtype` is one a QuantizeLinear may make: those, and the floats of at most 8 bits. */
bool uc_quant_is_narrow(uncork_dtype dtype);

/* infer: fails when input i, which stands behind an optional one, is missing. */
uncork_status uc_quant_need(uc_call *call, size_t i);
/* infer: a scale (input `scale`) and zero point (input `zero`, may be missing) of one element, whose zero
 * point has type `dtype` (NONE: unknown). */
uncork_status uc_quant_check_one(uc_call *call, size_t scale, size_t zero, uncork_dtype dtype);
/* run: the only scale of input i as float32; the only zero point, 0 when missing. Present inputs have
 * been checked to hold one element. */
float uc_quant_scale(const uc_call *call, size_t i);
int32_t uc_quant_zero(const uc_call *call, size_t i);

/* All elements of a tensor as float32 or int32 in scratch; of a NULL tensor one 0. NULL: no memory. */
const float *uc_quant_floats(uc_call *call, const uc_tensor *t);
const int32_t *uc_quant_ints(uc_call *call, const uc_tensor *t);

/* The scale and zero point that map the range of n numbers (and 0) onto 0 .. 255. */
void uc_quant_parameters(const float *x, int64_t n, float *scale, uint8_t *zero);

/* A function of one 8-bit element as a table of 256: dequantise, f over 256 numbers (NULL: identity),
 * quantise. */
typedef struct uc_quant_table {
    uncork_dtype dtype; /* int8 or uint8, of x and y */
    float x_scale, y_scale;
    int32_t x_zero, y_zero;
    uint8_t y[256];
} uc_quant_table;
typedef void (*uc_quant_fn)(const void *context, float *x, size_t n);
void uc_quant_table_fill(uc_quant_table *t, uc_quant_fn f, const void *context);
void uc_quant_table_apply(const uc_quant_table *t, const void *x, void *y, int64_t n,
                          uncork_pool *pool);

#endif
