/* Distance loops for AVX-512. */
#include "kernel/distance.h"

#if defined(__x86_64__)
#    include <immintrin.h>

/* The whole panel (4 vectors) against `rows` queries: 24 accumulators at most. */
#    define BLOCK(rows)                                                                 \
        static void block_##rows(const float *panel, const float *half, const float *x, \
                                 int64_t ldx, int64_t width, float *out)                \
        {                                                                               \
            __m512 acc[rows][4];                                                        \
            for (int r = 0; r < rows; r++) {                                            \
                for (int l = 0; l < 4; l++) {                                           \
                    acc[r][l] = _mm512_loadu_ps(half + 16 * l);                         \
                }                                                                       \
            }                                                                           \
            for (int64_t j = 0; j < width; j++) {                                       \
                const float *p = panel + j * UC_SCREEN_LANES;                           \
                __m512 p0 = _mm512_load_ps(p), p1 = _mm512_load_ps(p + 16);             \
                __m512 p2 = _mm512_load_ps(p + 32), p3 = _mm512_load_ps(p + 48);        \
                for (int r = 0; r < rows; r++) {                                        \
                    __m512 v = _mm512_set1_ps(x[r * ldx + j]);                          \
                    acc[r][0] = _mm512_fnmadd_ps(v, p0, acc[r][0]);                     \
                    acc[r][1] = _mm512_fnmadd_ps(v, p1, acc[r][1]);                     \
                    acc[r][2] = _mm512_fnmadd_ps(v, p2, acc[r][2]);                     \
                    acc[r][3] = _mm512_fnmadd_ps(v, p3, acc[r][3]);                     \
                }                                                                       \
            }                                                                           \
            for (int r = 0; r < rows; r++) {                                            \
                for (int l = 0; l < 4; l++) {                                           \
                    _mm512_storeu_ps(out + r * UC_SCREEN_LANES + 16 * l, acc[r][l]);    \
                }                                                                       \
            }                                                                           \
        }

BLOCK(2)
BLOCK(3)
BLOCK(4)
BLOCK(5)
BLOCK(6)

/* One query: even and odd features apart, so eight sums hide the latency. */
static void single(const float *panel, const float *half, const float *x, int64_t width, float *out)
{
    __m512 even[4], odd[4];
    for (int l = 0; l < 4; l++) {
        even[l] = _mm512_loadu_ps(half + 16 * l);
        odd[l] = _mm512_setzero_ps();
    }
    int64_t j = 0;
    for (; j + 1 < width; j += 2) {
        const float *p = panel + j * UC_SCREEN_LANES;
        __m512 v = _mm512_set1_ps(x[j]), u = _mm512_set1_ps(x[j + 1]);
        for (int l = 0; l < 4; l++) {
            even[l] = _mm512_fnmadd_ps(v, _mm512_load_ps(p + 16 * l), even[l]);
            odd[l] = _mm512_fnmadd_ps(u, _mm512_load_ps(p + UC_SCREEN_LANES + 16 * l), odd[l]);
        }
    }
    if (j < width) {
        const float *p = panel + j * UC_SCREEN_LANES;
        for (int l = 0; l < 4; l++) {
            even[l] = _mm512_fnmadd_ps(_mm512_set1_ps(x[j]), _mm512_load_ps(p + 16 * l), even[l]);
        }
    }
    for (int l = 0; l < 4; l++) {
        _mm512_storeu_ps(out + 16 * l, _mm512_add_ps(even[l], odd[l]));
    }
}

static void screen(const float *panel, const float *half, const float *x, int64_t ldx, int rows,
                   int64_t width, float *out)
{
    static void (*const blocks[])(const float *, const float *, const float *, int64_t, int64_t,
                                  float *) = {0, 0, block_2, block_3, block_4, block_5, block_6};
    if (rows == 1) {
        single(panel, half, x, width, out);
    } else {
        blocks[rows](panel, half, x, ldx, width, out);
    }
}

static uint64_t below(const float *v, float limit)
{
    __m512 l = _mm512_set1_ps(limit);
    uint64_t mask = 0;
    for (int i = 0; i < UC_SCREEN_LANES; i += 16) {
        __mmask16 m = _mm512_cmp_ps_mask(_mm512_loadu_ps(v + i), l, _CMP_LE_OQ);
        mask |= (uint64_t)m << i;
    }
    return mask;
}

static void squares(const double *x, const double *y, const int64_t *index, int64_t count,
                    int64_t width, double *out)
{
    for (int64_t i = 0; i < count; i++) {
        const double *row = y + index[i] * width;
        __m512d a = _mm512_setzero_pd(), b = _mm512_setzero_pd();
        int64_t j = 0;
        for (; j + 16 <= width; j += 16) {
            __m512d s = _mm512_sub_pd(_mm512_loadu_pd(x + j), _mm512_loadu_pd(row + j));
            __m512d t = _mm512_sub_pd(_mm512_loadu_pd(x + j + 8), _mm512_loadu_pd(row + j + 8));
            a = _mm512_fmadd_pd(s, s, a);
            b = _mm512_fmadd_pd(t, t, b);
        }
        for (; j < width; j += 8) {
            __mmask8 m = width - j < 8 ? (__mmask8)((1u << (width - j)) - 1u) : 0xff;
            __m512d s = _mm512_maskz_sub_pd(m, _mm512_maskz_loadu_pd(m, x + j),
                                            _mm512_maskz_loadu_pd(m, row + j));
            a = _mm512_fmadd_pd(s, s, a);
        }
        out[i] = _mm512_reduce_add_pd(_mm512_add_pd(a, b));
    }
}

#    define NAME(x) x##_avx512
#    define VECTOR  64
#    include "kernel/distance.inc"
#else
typedef int uc_distance_avx512_unused;
#endif
