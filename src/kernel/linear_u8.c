/* See linear_u8.h: SSE2 that every x86-64 has, and plain C for what doesn't fill a vector. */
#include "kernel/linear_u8.h"

#if defined(__SSE2__)
#    include <emmintrin.h>
#endif

static inline void pixel(const uint8_t *in, const int32_t *at, const int32_t *w, int channels,
                         int16_t *out)
{
    for (int c = 0; c < channels; c++) {
        out[c] = (int16_t)((in[at[0] + c] * w[0] + in[at[1] + c] * w[1]) >> 4);
    }
}

void uc_linear_u8_across(const uint8_t *in, size_t bytes, const int32_t *at, const int32_t *weights,
                         int count, int channels, int16_t *out)
{
    for (int x = 0; x < count; x++, at += 2, weights += 2, out += channels) {
#if defined(__SSE2__)
        if (channels == 3 && at[1] == at[0] + 3 && (size_t)at[0] + 8 <= bytes) {
            const __m128i v = _mm_unpacklo_epi8(_mm_loadl_epi64((const void *)(in + at[0])),
                                                _mm_setzero_si128()),
                          pairs = _mm_unpacklo_epi16(v, _mm_srli_si128(v, 6)),
                          w = _mm_set1_epi32(weights[1] << 16 | weights[0]),
                          sums = _mm_srai_epi32(_mm_madd_epi16(pairs, w), 4);
            _mm_storel_epi64((void *)out,
                             _mm_packs_epi32(sums, sums)); /* the fourth: overwritten */
            continue;
        }
#endif
        pixel(in, at, weights, channels, out);
    }
}

void uc_linear_u8_down(const int16_t *a, const int16_t *b, const int32_t *weights, size_t n,
                       uint8_t *out)
{
    const int32_t w0 = weights[0], w1 = weights[1];
    size_t i = 0;
#if defined(__SSE2__)
    const __m128i v0 = _mm_set1_epi16((int16_t)w0), v1 = _mm_set1_epi16((int16_t)w1),
                  two = _mm_set1_epi16(2);
    for (; i + 16 <= n; i += 16) {
        __m128i v[2];
        for (size_t k = 0; k < 2; k++) {
            const __m128i p = _mm_loadu_si128((const void *)(a + i + 8 * k)),
                          q = _mm_loadu_si128((const void *)(b + i + 8 * k)),
                          sum = _mm_add_epi16(_mm_mulhi_epi16(p, v0), _mm_mulhi_epi16(q, v1));
            v[k] = _mm_srai_epi16(_mm_add_epi16(sum, two), 2);
        }
        _mm_storeu_si128((void *)(out + i), _mm_packus_epi16(v[0], v[1]));
    }
#endif
    for (; i < n; i++) {
        const int32_t v = (((w0 * a[i]) >> 16) + ((w1 * b[i]) >> 16) + 2) >> 2;
        out[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}
