/* A quantised depthwise convolution whose weights are differences from a zero point, of nine bits: one
 * output pixel at a time. Sums are exact, rounding is that of requantize.h: every row gives the same
 * bytes. */
#ifndef UC_KERNEL_DEPTHWISE_WIDE_H
#define UC_KERNEL_DEPTHWISE_WIDE_H

#include <stdint.h>

typedef struct uc_depthwise_wide {
    int64_t c;
    const int16_t *w;    /* [taps][c], less the zero point */
    const int64_t *bias; /* [c] */
    const float *scale;  /* [c] */
    int32_t x_zero, zero, low, high;
} uc_depthwise_wide;

/* x  [taps]: the pixel under each tap; NULL: outside
 * y  [c] */
typedef void (*uc_depthwise_wide_fn)(const uc_depthwise_wide *d, const uint8_t *const *x,
                                     int64_t taps, uint8_t *y);

/* The best row of this machine. */
uc_depthwise_wide_fn uc_depthwise_wide_row(void);
void uc_depthwise_wide_scalar(const uc_depthwise_wide *d, const uint8_t *const *x, int64_t taps,
                              uint8_t *y);
void uc_depthwise_wide_avx2(const uc_depthwise_wide *d, const uint8_t *const *x, int64_t taps,
                            uint8_t *y);
void uc_depthwise_wide_avx512(const uc_depthwise_wide *d, const uint8_t *const *x, int64_t taps,
                              uint8_t *y);

#endif
