/* Distance loops for AVX2 + FMA. */
#include "kernel/distance.h"

#if defined(__x86_64__)
#    include <immintrin.h>

/* 16 rows of the panel (2 vectors) against `rows` queries: 12 accumulators at most. */
#    define STRIP(rows)                                                                 \
        static void strip_##rows(const float *panel, const float *half, const float *x, \
                                 int64_t ldx, int64_t width, float *out)                \
        {                                                                               \
            __m256 acc[rows][2];                                                        \
            for (int r = 0; r < rows; r++) {                                            \
                acc[r][0] = _mm256_loadu_ps(half);                                      \
                acc[r][1] = _mm256_loadu_ps(half + 8);                                  \
            }                                                                           \
            for (int64_t j = 0; j < width; j++) {                                       \
                __m256 p0 = _mm256_load_ps(panel + j * UC_SCREEN_LANES);                \
                __m256 p1 = _mm256_load_ps(panel + j * UC_SCREEN_LANES + 8);            \
                for (int r = 0; r < rows; r++) {                                        \
                    __m256 v = _mm256_broadcast_ss(x + r * ldx + j);                    \
                    acc[r][0] = _mm256_fnmadd_ps(v, p0, acc[r][0]);                     \
                    acc[r][1] = _mm256_fnmadd_ps(v, p1, acc[r][1]);                     \
                }                                                                       \
            }                                                                           \
            for (int r = 0; r < rows; r++) {                                            \
                _mm256_storeu_ps(out + r * UC_SCREEN_LANES, acc[r][0]);                 \
                _mm256_storeu_ps(out + r * UC_SCREEN_LANES + 8, acc[r][1]);             \
            }                                                                           \
        }

STRIP(2)
STRIP(3)
STRIP(4)
STRIP(5)
STRIP(6)

/* One query: the whole panel at once, eight accumulators. */
static void single(const float *panel, const float *half, const float *x, int64_t width, float *out)
{
    __m256 acc[8];
    for (int l = 0; l < 8; l++) {
        acc[l] = _mm256_loadu_ps(half + 8 * l);
    }
    for (int64_t j = 0; j < width; j++) {
        __m256 v = _mm256_broadcast_ss(x + j);
        for (int l = 0; l < 8; l++) {
            acc[l] =
                _mm256_fnmadd_ps(v, _mm256_load_ps(panel + j * UC_SCREEN_LANES + 8 * l), acc[l]);
        }
    }
    for (int l = 0; l < 8; l++) {
        _mm256_storeu_ps(out + 8 * l, acc[l]);
    }
}

static void screen(const float *panel, const float *half, const float *x, int64_t ldx, int rows,
                   int64_t width, float *out)
{
    static void (*const strips[])(const float *, const float *, const float *, int64_t, int64_t,
                                  float *) = {0, 0, strip_2, strip_3, strip_4, strip_5, strip_6};
    if (rows == 1) {
        single(panel, half, x, width, out);
        return;
    }
    for (int l = 0; l < UC_SCREEN_LANES; l += 16) {
        strips[rows](panel + l, half + l, x, ldx, width, out + l);
    }
}

static int below(const float *v, float limit, uint8_t *hits)
{
    __m256 l = _mm256_set1_ps(limit);
    int count = 0;
    for (int i = 0; i < UC_SCREEN_LANES; i += 8) {
        int mask = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(v + i), l, _CMP_LE_OQ));
        for (; mask; mask &= mask - 1) {
            hits[count++] = (uint8_t)(i + __builtin_ctz((unsigned)mask));
        }
    }
    return count;
}

#    define NAME(x) x##_avx2
#    include "kernel/distance.inc"
#else
typedef int uc_distance_avx2_unused;
#endif
