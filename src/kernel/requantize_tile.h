/* What becomes of a tile of 32-bit sums (dot_tile.h): 8 bits again, with the residual of another
 * tensor added in float32 where there is one; or float32. Rounding is that of requantize.h. */
#ifndef UC_KERNEL_REQUANTIZE_TILE_H
#define UC_KERNEL_REQUANTIZE_TILE_H

#include "kernel/dot_tile.h"

#include <stdbool.h>

/* saturated(round(sum * scale) + zero), low <= it <= high. */
typedef struct uc_requant {
    const int32_t *bias; /* [oc rounded up to UC_DOT_CHANNELS]: of the sums */
    const float *scale;  /* the same */
    int32_t zero, low, high;
    bool small; /* every scale of sums is below 1/2, those of the residual below 2^20: nothing that
                 * is rounded leaves 31 bits */
    /* The residual r: with q from above, round((q - zero) * q_scale + (r - r_zero) * r_scale) +
     * y_zero, y_low <= it <= y_high. NULL: none. */
    const uint8_t *r; /* as y */
    float q_scale, r_scale;
    int32_t r_zero, y_zero, y_low, y_high;
    const int32_t *shifts; /* [pixels]: taken from a pixel's sums first; NULL: nothing */
    uint8_t *y;            /* [pixels, oc]; NULL: floats */
    float *floats;         /* [pixels, oc]: (sum + bias) * scale */
    int64_t oc;
} uc_requant;

/* sums, at, first_channel, channels as uc_dot_conv.finish gets them. */
typedef void (*uc_requant_fn)(const uc_requant *q, const int32_t *sums, const int64_t *at,
                              int64_t first_channel, int channels);

/* The best row of this machine. */
uc_requant_fn uc_requant_row(void);
void uc_requant_scalar(const uc_requant *q, const int32_t *sums, const int64_t *at,
                       int64_t first_channel, int channels);
void uc_requant_avx512(const uc_requant *q, const int32_t *sums, const int64_t *at,
                       int64_t first_channel, int channels);

#endif
