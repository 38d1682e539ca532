/* channel_sums.h: sixteen bytes at once where the machine can. */
#include "kernel/channel_sums.h"

#if defined(__x86_64__)
#    include <emmintrin.h>

/* The sum of the bytes of both halves. */
static uint32_t sum_of(__m128i v)
{
    const __m128i halves = _mm_sad_epu8(v, _mm_setzero_si128());
    return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(halves, _mm_unpackhi_epi64(halves, halves)));
}

static uint32_t sum_bytes(const uint8_t *x, int64_t n)
{
    __m128i sums = _mm_setzero_si128();
    uint32_t sum = 0;
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(x + i));
        sums = _mm_add_epi32(sums, _mm_sad_epu8(v, _mm_setzero_si128()));
    }
    sum = (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums)));
    if (i + 8 <= n) {
        sum += sum_of(_mm_loadl_epi64((const __m128i *)(const void *)(x + i)));
        i += 8;
    }
    for (; i < n; i++)
        sum += x[i];
    return sum;
}
#else
static uint32_t sum_bytes(const uint8_t *x, int64_t n)
{
    uint32_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}
#endif

void uc_channel_sums(const uint8_t *x, int64_t pixels, int64_t c, int32_t less, int32_t *y)
{
    if (c == 3) { /* pictures */
        for (int64_t p = 0; p < pixels; p++, x += 3)
            y[p] = x[0] + x[1] + x[2] - less;
        return;
    }
    for (int64_t p = 0; p < pixels; p++)
        y[p] = (int32_t)(sum_bytes(x + p * c, c) - (uint32_t)less);
}
