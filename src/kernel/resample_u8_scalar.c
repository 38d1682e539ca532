/* The scalar row of resample_u8.h: what the others are tested against. */
#include "kernel/resample_u8.h"

static int32_t half_of(int shift) { return shift > 0 ? (int32_t)1 << (shift - 1) : 0; }

static uint8_t clip8(int32_t v) { return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v); }

static void pack(const uc_resample_axis *a, int16_t *packed)
{
    (void)a;
    (void)packed; /* the weights as they are */
}

static void across(const uint8_t *in, size_t readable, int channels, const uc_resample_axis *a,
                   uint8_t *out)
{
    (void)readable;
    for (int x = 0; x < a->out; x++) {
        const uint8_t *p = in + (size_t)a->first[x] * (size_t)channels;
        const int32_t *w = a->weights + (size_t)x * (size_t)a->room;
        for (int c = 0; c < channels; c++) {
            int32_t sum = half_of(a->shift);
            for (int j = 0; j < a->count[x]; j++) {
                sum += p[(size_t)j * (size_t)channels + (size_t)c] * w[j];
            }
            *out++ = clip8(sum >> a->shift);
        }
    }
}

enum { BLOCK = 256 }; /* sums that stay in the nearest cache */

static void down(const uint8_t *in, const uc_resample_axis *a, int y, size_t n, uint8_t *out)
{
    const int32_t *w = a->weights + (size_t)y * (size_t)a->room;
    int32_t sums[BLOCK];
    for (size_t at = 0; at < n; at += BLOCK) {
        const size_t count = n - at < BLOCK ? n - at : BLOCK;
        for (size_t i = 0; i < count; i++) {
            sums[i] = half_of(a->shift);
        }
        for (int j = 0; j < a->count[y]; j++) {
            const uint8_t *p = in + (size_t)(a->first[y] + j) * n + at;
            for (size_t i = 0; i < count; i++) {
                sums[i] += p[i] * w[j];
            }
        }
        for (size_t i = 0; i < count; i++) {
            out[at + i] = clip8(sums[i] >> a->shift);
        }
    }
}

const uc_resample_u8 uc_resample_u8_scalar = {pack, across, down};
