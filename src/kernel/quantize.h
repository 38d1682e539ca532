/* Numbers to quantised integers and back: y = saturate(round(x / scale) + zero) and y = (x - zero) *
 * scale. Every operation is one correctly rounded float32 one, so all rows give the same bits. */
#ifndef UC_KERNEL_QUANTIZE_H
#define UC_KERNEL_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

/* scale and zero: one for all (step 0) or one an element (step 1). */
typedef struct uc_quant_row {
    const float *scale;
    const int32_t *zero;
    int64_t step;
    int32_t low, high; /* what the quantised type holds, at most 16 bits */
} uc_quant_row;

/* Rounds to nearest, ties to even; NaN becomes `low`. bytes: of an element of y, 1 or 2 (the low bits of
 * the result, so signed types are written as well). */
void uc_quantize(const uc_quant_row *q, const float *x, void *y, int bytes, int64_t n);
/* x and y may be the same. */
void uc_dequantize(const uc_quant_row *q, const float *x, float *y, int64_t n);
/* Least and largest of n >= 1 numbers and 0. */
void uc_quant_range(const float *x, int64_t n, float *low, float *high);

#endif
