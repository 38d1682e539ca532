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
        __m512i sum = _mm512_add_epi32(_mm512_load_si512(sums), bias);
        if (q->shifts) sum = _mm512_sub_epi32(sum, _mm512_set1_epi32(q->shifts[at[p]]));
        if (q->y) {
            pixel_of(q, sum, to, scale, lanes, residual);
        } else {
            const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale);
            _mm512_mask_storeu_ps(q->floats + to, lanes, product);
        }
    }
}

/* ---- 32 channels of small scales: rounded first, saturated as they are packed ------------------- */

/* In registers: read through `q` they would be read again after every store of bytes. */
typedef struct constants {
    __m512i bias[2], zero, low, high;
    __m512 scale[2];
    __m512i least, most, r_zero; /* of the sum before a residual is added */
    __m512 q_scale, r_scale;
    const uint8_t *r;
    uint8_t *y;
    int64_t oc;
} constants;

INLINE __m512i rounded(const constants *k, const int32_t *sums, int half, __m512i shift)
{
    const __m512i own = _mm512_add_epi32(_mm512_load_si512(sums + half * 16), k->bias[half]);
    const __m512i sum = _mm512_sub_epi32(own, shift);
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), k->scale[half]));
}

/* With the residual: as pixel_of, of which this is the same arithmetic; no sum of two such terms leaves
 * 31 bits either. */
INLINE __m512i added(const constants *k, __m512i v, int64_t to)
{
    v = _mm512_min_epi32(_mm512_max_epi32(v, k->least), k->most);
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(k->r + to));
    const __m512i other = _mm512_sub_epi32(_mm512_cvtepu8_epi32(bytes), k->r_zero);
    const __m512 own = _mm512_mul_ps(_mm512_cvtepi32_ps(v), k->q_scale);
    const __m512 add = _mm512_mul_ps(_mm512_cvtepi32_ps(other), k->r_scale);
    return _mm512_cvtps_epi32(_mm512_add_ps(own, add));
}

/* Two pixels' 32 channels: 16-bit, then 8-bit lanes of both, then in order. */
INLINE __m512i packed(const constants *k, const __m512i *v)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i a = _mm512_adds_epi16(_mm512_packs_epi32(v[0], v[1]), k->zero);
    const __m512i b = _mm512_adds_epi16(_mm512_packs_epi32(v[2], v[3]), k->zero);
    const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(a, b));
    return _mm512_min_epu8(_mm512_max_epu8(bytes, k->low), k->high);
}

INLINE void small_tile(const uc_requant *q, const int32_t *sums, const int64_t *at, int64_t first,
                       const int residual)
{
    constants k = {.zero = _mm512_set1_epi16((short)(residual ? q->y_zero : q->zero)),
                   .low = _mm512_set1_epi8((char)(residual ? q->y_low : q->low)),
                   .high = _mm512_set1_epi8((char)(residual ? q->y_high : q->high)),
                   .least = _mm512_set1_epi32(q->low - q->zero),
                   .most = _mm512_set1_epi32(q->high - q->zero),
                   .r_zero = _mm512_set1_epi32(q->r_zero),
                   .q_scale = _mm512_set1_ps(q->q_scale),
                   .r_scale = _mm512_set1_ps(q->r_scale),
                   .r = q->r,
                   .y = q->y,
                   .oc = q->oc};
    int pixels[UC_DOT_PIXELS + 1], count = 0;
    for (int i = 0; i < 2; i++) {
        k.bias[i] = _mm512_loadu_si512(q->bias + first + i * 16);
        k.scale[i] = _mm512_loadu_ps(q->scale + first + i * 16);
    }
    for (int p = 0; p < UC_DOT_PIXELS; p++) {
        pixels[count] = p;
        count += at[p] >= 0;
    }
    if (count % 2) pixels[count] = pixels[count - 1]; /* an odd one is done twice */
    for (int i = 0; i < count; i += 2) {
        __m512i v[4];
        int64_t to[2];
        for (int side = 0; side < 2; side++) {
            const int p = pixels[i + side];
            const __m512i shift =
                q->shifts ? _mm512_set1_epi32(q->shifts[at[p]]) : _mm512_setzero_si512();
            to[side] = at[p] * k.oc + first;
            for (int half = 0; half < 2; half++) {
                __m512i one = rounded(&k, sums + p * UC_DOT_CHANNELS, half, shift);
                v[side * 2 + half] = residual ? added(&k, one, to[side] + half * 16) : one;
            }
        }
        const __m512i bytes = packed(&k, v);
        _mm256_storeu_si256((__m256i *)(void *)(k.y + to[0]), _mm512_castsi512_si256(bytes));
        _mm256_storeu_si256((__m256i *)(void *)(k.y + to[1]), _mm512_extracti64x4_epi64(bytes, 1));
    }
}

void uc_requant_avx512(const uc_requant *q, const int32_t *sums, const int64_t *at,
                       int64_t first_channel, int channels)
{
    if (q->small && q->y && channels == UC_DOT_CHANNELS) {
        if (q->r) {
            small_tile(q, sums, at, first_channel, 1);
        } else {
            small_tile(q, sums, at, first_channel, 0);
        }
        return;
    }
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
