/* gemm_i8.h for AVX2. maddubs would saturate at 16 bits, so both sides are split into even and odd bytes as
 * 16-bit numbers, whose pairs vpmaddwd sums exactly. */
#if defined(__x86_64__)

#    include "kernel/gemm_i8_rows.h"

#    include <immintrin.h>
#    include <string.h>

enum { MR = 4 };

static inline int32_t four_at(const uint8_t *a, int64_t left)
{
    int32_t v = 0;
    memcpy(&v, a, left < 4 ? (size_t)left : 4);
    return v;
}

static inline __m256i dot(__m256i sum, __m256i even_a, __m256i odd_a, __m256i even_b, __m256i odd_b)
{
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(even_a, even_b));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(odd_a, odd_b));
}

static void tile_panel(const uint8_t *const a[MR], int64_t k, const int8_t *b,
                       int32_t out[MR][2 * UC_I8_PANEL], int at)
{
    const __m256i low = _mm256_set1_epi16(0xff);
    __m256i sum[MR][2];
    memset(sum, 0, sizeof sum);
    for (int64_t i = 0; i < k; i += 4, b += UC_I8_PANEL * 4) {
        __m256i b0 = _mm256_loadu_si256((const void *)b);
        __m256i b1 = _mm256_loadu_si256((const void *)(b + 32));
        __m256i even0 = _mm256_srai_epi16(_mm256_slli_epi16(b0, 8), 8);
        __m256i even1 = _mm256_srai_epi16(_mm256_slli_epi16(b1, 8), 8);
        __m256i odd0 = _mm256_srai_epi16(b0, 8), odd1 = _mm256_srai_epi16(b1, 8);
        for (int r = 0; r < MR; r++) {
            __m256i v = _mm256_set1_epi32(four_at(a[r] + i, k - i));
            __m256i even = _mm256_and_si256(v, low), odd = _mm256_srli_epi16(v, 8);
            sum[r][0] = dot(sum[r][0], even, odd, even0, odd0);
            sum[r][1] = dot(sum[r][1], even, odd, even1, odd1);
        }
    }
    for (int r = 0; r < MR; r++) {
        _mm256_storeu_si256((void *)(out[r] + at), sum[r][0]);
        _mm256_storeu_si256((void *)(out[r] + at + 8), sum[r][1]);
    }
}

static void tile(const uint8_t *const a[MR], int rows, int64_t k, const int8_t *panel, int64_t next,
                 int panels, int32_t out[MR][2 * UC_I8_PANEL])
{
    (void)rows;
    for (int p = 0; p < panels; p++) {
        tile_panel(a, k, panel + p * next, out, p * UC_I8_PANEL);
    }
}

#    define TILE tile
#    define RUN  uc_gemm_i8_avx2
#    include "kernel/gemm_i8.inc"

#else
typedef int uc_gemm_i8_no_avx2;
#endif
