/* Matrix product, float, AVX2 and FMA: 6 rows of 2 vectors leave 4 of the 16 registers for B and A. */
#if defined(__x86_64__)

#    include "base/cpu.h"
#    include "kernel/gemm_rows.h"

#    include <immintrin.h>

/* Halves upon halves. */
static inline float sum_lanes(__m256 v)
{
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_shuffle_ps(half, half, 1)));
}

#    define T            float
#    define V            __m256
#    define VN           8
#    define MR           6
#    define NV           2
#    define KC           256
#    define SPLIT        2
#    define NARROW       3
#    define REDUCE(v)    sum_lanes(v)
#    define LOAD(p)      _mm256_loadu_ps(p)
#    define STORE(p, v)  _mm256_storeu_ps(p, v)
#    define SET1(x)      _mm256_set1_ps(x)
#    define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#    define ROW          uc_gemm_f32_avx2
#    define NEEDS        UC_CPU_AVX2
#    define NAME         "avx2"
#    include "kernel/gemm.inc"

#else
typedef int uc_gemm_f32_no_avx2;
#endif
