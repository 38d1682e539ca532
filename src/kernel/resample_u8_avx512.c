/* Weighted sums of 8-bit pixels for AVX-512: see resample_u8.h. */
#include "kernel/resample_u8.h"

#if defined(__x86_64__)
#    include <immintrin.h>
#    define ROW           uc_resample_u8_avx512
#    define OUTPUTS       4
#    define VECTOR        __m512i
#    define LOAD(p)       _mm512_loadu_si512((const void *)(p))
#    define STORE(p, v)   _mm512_storeu_si512((void *)(p), v)
#    define ZERO()        _mm512_setzero_si512()
#    define SPLAT(v)      _mm512_set1_epi32(v)
#    define SPREAD(v)     _mm512_broadcast_i32x4(v)
#    define SHUFFLE(a, b) _mm512_shuffle_epi8(a, b)
#    define MADD(a, b)    _mm512_madd_epi16(a, b)
#    define ADD(a, b)     _mm512_add_epi32(a, b)
#    define LEFT(a, n)    _mm512_slli_epi32(a, n)
#    define RIGHT(a, n)   _mm512_sra_epi32(a, n)
#    define LOW8(a, b)    _mm512_unpacklo_epi8(a, b)
#    define HIGH8(a, b)   _mm512_unpackhi_epi8(a, b)
#    define PACK32(a, b)  _mm512_packs_epi32(a, b)
#    define PACK16(a, b)  _mm512_packus_epi16(a, b)

static inline VECTOR gather(const uint8_t *in, const int *first, int channels)
{
    VECTOR v = _mm512_castsi128_si512(
        _mm_loadu_si128((const void *)(in + (size_t)first[0] * (size_t)channels)));
    for (int k = 1; k < OUTPUTS; k++) {
        const __m128i p = _mm_loadu_si128((const void *)(in + (size_t)first[k] * (size_t)channels));
        v = _mm512_mask_broadcast_i32x4(v, (__mmask16)(15 << (4 * k)), p);
    }
    return v;
}

/* The first `channels` <= 4 bytes of each lane. */
static inline void store_pixels(VECTOR v, int channels, uint8_t *out)
{
    const __m128i close = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1),
                  first =
                      _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
                  two = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
    __m128i pixels = _mm512_castsi512_si128(_mm512_permutexvar_epi32(
        _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 8, 4, 0), v));
    if (channels == 3) pixels = _mm_shuffle_epi8(pixels, close);
    if (channels == 1) pixels = _mm_shuffle_epi8(pixels, first);
    if (channels == 2) pixels = _mm_shuffle_epi8(pixels, two);
    _mm_mask_storeu_epi8(out, (__mmask16)((1u << (4 * channels)) - 1), pixels);
}

#    include "kernel/resample_u8.inc"
#else
typedef int uc_resample_u8_avx512_unused;
#endif
