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

static uint64_t below(const float *v, float limit)
{
    __m256 l = _mm256_set1_ps(limit);
    uint64_t mask = 0;
    for (int i = 0; i < UC_SCREEN_LANES; i += 8) {
        int m = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(v + i), l, _CMP_LE_OQ));
        mask |= (uint64_t)(unsigned)m << i;
    }
    return mask;
}

static double sum_of(__m256d v)
{
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

static void squares(const double *x, const double *y, const int64_t *index, int64_t count,
                    int64_t width, double *out)
{
    for (int64_t i = 0; i < count; i++) {
        const double *row = y + index[i] * width;
        __m256d a = _mm256_setzero_pd(), b = _mm256_setzero_pd();
        int64_t j = 0;
        for (; j + 8 <= width; j += 8) {
            __m256d s = _mm256_sub_pd(_mm256_loadu_pd(x + j), _mm256_loadu_pd(row + j));
            __m256d t = _mm256_sub_pd(_mm256_loadu_pd(x + j + 4), _mm256_loadu_pd(row + j + 4));
            a = _mm256_fmadd_pd(s, s, a);
            b = _mm256_fmadd_pd(t, t, b);
        }
        double sum = sum_of(_mm256_add_pd(a, b));
        for (; j < width; j++) {
            sum += (x[j] - row[j]) * (x[j] - row[j]);
        }
        out[i] = sum;
    }
}

#    define NAME(x) x##_avx2
#    define VECTOR  32
#    include "kernel/distance.inc"
#else
typedef int uc_distance_avx2_unused;
#endif
