/* Weighted sums of 8-bit pixels for AVX2: see resample_u8.h. */
#include "kernel/resample_u8.h"

#if defined(__x86_64__)
#    include <immintrin.h>
#    include <string.h>
#    define ROW           uc_resample_u8_avx2
#    define OUTPUTS       2
#    define VECTOR        __m256i
#    define LOAD(p)       _mm256_loadu_si256((const void *)(p))
#    define STORE(p, v)   _mm256_storeu_si256((void *)(p), v)
#    define ZERO()        _mm256_setzero_si256()
#    define SPLAT(v)      _mm256_set1_epi32(v)
#    define SPREAD(v)     _mm256_broadcastsi128_si256(v)
#    define SHUFFLE(a, b) _mm256_shuffle_epi8(a, b)
#    define MADD(a, b)    _mm256_madd_epi16(a, b)
#    define ADD(a, b)     _mm256_add_epi32(a, b)
#    define LEFT(a, n)    _mm256_slli_epi32(a, n)
#    define RIGHT(a, n)   _mm256_sra_epi32(a, n)
#    define LOW8(a, b)    _mm256_unpacklo_epi8(a, b)
#    define HIGH8(a, b)   _mm256_unpackhi_epi8(a, b)
#    define PACK32(a, b)  _mm256_packs_epi32(a, b)
#    define PACK16(a, b)  _mm256_packus_epi16(a, b)

static inline VECTOR gather(const uint8_t *in, const int *first, int channels)
{
    const uint8_t *a = in + (size_t)first[0] * (size_t)channels,
                  *b = in + (size_t)first[1] * (size_t)channels;
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const void *)a)),
                                   _mm_loadu_si128((const void *)b), 1);
}

/* The first `channels` <= 4 bytes of each lane. */
static inline void store_pixels(VECTOR v, int channels, uint8_t *out)
{
    const uint32_t a = (uint32_t)_mm256_extract_epi32(v, 0),
                   b = (uint32_t)_mm256_extract_epi32(v, 4);
    memcpy(out, &a, (size_t)channels);
    memcpy(out + channels, &b, (size_t)channels);
}

#    include "kernel/resample_u8.inc"
#else
typedef int uc_resample_u8_avx2_unused;
#endif
