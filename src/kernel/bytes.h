/* Sums and products of quantised bytes as XNNPACK rounds them (src/qs8-vadd, qs8-vmul): every row gives the
 * same bytes. */
#ifndef UC_KERNEL_BYTES_H
#define UC_KERNEL_BYTES_H

#include <stdint.h>

/* ((bias + a a_factor + b b_factor) >> shift) + zero within low and high. */
typedef struct uc_bytes_sum {
    int32_t bias, a_factor, b_factor, shift, zero, low, high;
} uc_bytes_sum;

/* round((a - a_zero) (b - b_zero) scale) + zero within low and high; half to even. */
typedef struct uc_bytes_product {
    int32_t a_zero, b_zero, zero, low, high;
    float scale;
} uc_bytes_product;

typedef struct uc_bytes_fns {
    /* b_step: 1, or 0 for one byte. */
    void (*sum)(const uc_bytes_sum *s, const uint8_t *a, const uint8_t *b, int64_t b_step,
                uint8_t *y, int64_t n);
    void (*product)(const uc_bytes_product *p, const uint8_t *a, const uint8_t *b, int64_t b_step,
                    uint8_t *y, int64_t n);
} uc_bytes_fns;

extern const uc_bytes_fns uc_bytes_scalar;
#if defined(__x86_64__)
extern const uc_bytes_fns uc_bytes_avx2, uc_bytes_avx512;
#endif
/* The best row of this machine. */
const uc_bytes_fns *uc_bytes_row(void);

#endif
