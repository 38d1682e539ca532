/* Weighted sums of 8-bit pixels with integer weights: the two passes of Pillow's and torchvision's
 * resizes. Sums are int32, shifted right and clipped to 0..255: the same bits in every row. */
#ifndef UC_KERNEL_RESAMPLE_U8_H
#define UC_KERNEL_RESAMPLE_U8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The weights of one axis: output i sums count[i] inputs from first[i] on. */
typedef struct uc_resample_axis {
    const int *first, *count;
    const int32_t *weights; /* [out, room], zeros behind count; |weight| < 2^26 */
    int out, room, shift;   /* weights are times 2^shift */
    bool narrow;            /* |weight| < 2^15 (torchvision's) */
    const int16_t *packed;  /* for `across`: what `pack` wrote */
} uc_resample_axis;

typedef struct uc_resample_u8 {
    /* The weights as `across` takes them: `packed` holds uc_resample_packed(a) values. */
    void (*pack)(const uc_resample_axis *a, int16_t *packed);
    /* One row of `channels` interleaved; `readable` bytes from `in` on belong to the picture. */
    void (*across)(const uint8_t *in, size_t readable, int channels, const uc_resample_axis *a,
                   uint8_t *out);
    /* One row of n values, from count[y] rows of n values behind each other. */
    void (*down)(const uint8_t *in, const uc_resample_axis *a, int y, size_t n, uint8_t *out);
} uc_resample_u8;

/* The best this machine has. */
const uc_resample_u8 *uc_resamples_u8(void);

/* How many int16 hold the packed weights of any row. */
size_t uc_resample_packed(const uc_resample_axis *a);

extern const uc_resample_u8 uc_resample_u8_scalar, uc_resample_u8_avx2, uc_resample_u8_avx512;

#endif
