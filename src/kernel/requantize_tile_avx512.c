/* requantize_tile.h for AVX-512: 16 channels at once. Conversions round half to even. */
#include "kernel/requantize_tile.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

INLINE __m512 between(__m512 v, int32_t zero, int32_t low, int32_t high)
{
    /* max first with v on the left: NaN becomes the least, as in the scalar row */
    v = _mm512_max_ps(v, _mm512_set1_ps((float)(low - zero)));
    return _mm512_min_ps(v, _mm512_set1_ps((float)(high - zero)));
}

INLINE void pixel_of(const uc_requant *q, __m512i sum, int64_t to, __m512 scale, __mmask16 lanes,
                     const int residual)
{
    const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale);
    __m512i v = _mm512_cvtps_epi32(between(product, q->zero, q->low, q->high));
    int32_t zero = q->zero;
    if (residual) {
        const __m128i bytes = _mm_maskz_loadu_epi8(lanes, q->r + to);
        const __m512i other =
            _mm512_sub_epi32(_mm512_cvtepu8_epi32(bytes), _mm512_set1_epi32(q->r_zero));
        const __m512 own = _mm512_mul_ps(_mm512_cvtepi32_ps(v), _mm512_set1_ps(q->q_scale));
        const __m512 add = _mm512_mul_ps(_mm512_cvtepi32_ps(other), _mm512_set1_ps(q->r_scale));
        const __m512 both = between(_mm512_add_ps(own, add), q->y_zero, q->y_low, q->y_high);
        v = _mm512_cvtps_epi32(both);
        zero = q->y_zero;
    }
    v = _mm512_add_epi32(v, _mm512_set1_epi32(zero));
    _mm512_mask_cvtepi32_storeu_epi8(q->y + to, lanes, v);
}

INLINE void tile_of(const uc_requant *q, const int32_t *sums, const int64_t *at, int64_t first,
                    __mmask16 lanes, const int residual)
{
    const __m512i bias = _mm512_loadu_si512(q->bias + first);
    const __m512 scale = _mm512_loadu_ps(q->scale + first);
    for (int p = 0; p < UC_DOT_PIXELS; p++, sums += UC_DOT_CHANNELS) {
        if (at[p] < 0) continue;
        const int64_t to = at[p] * q->oc + first;
        const __m512i sum = _mm512_add_epi32(_mm512_load_si512(sums), bias);
        if (q->y) {
            pixel_of(q, sum, to, scale, lanes, residual);
        } else {
            const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale);
            _mm512_mask_storeu_ps(q->floats + to, lanes, product);
        }
    }
}

void uc_requant_avx512(const uc_requant *q, const int32_t *sums, const int64_t *at,
                       int64_t first_channel, int channels)
{
    for (int c = 0; c < channels; c += 16) {
        const int left = channels - c;
        const __mmask16 lanes = (__mmask16)(left < 16 ? (1 << left) - 1 : 0xFFFF);
        if (q->r) {
            tile_of(q, sums + c, at, first_channel + c, lanes, 1);
        } else {
            tile_of(q, sums + c, at, first_channel + c, lanes, 0);
        }
    }
}
