/* Matrix product, double, AVX2 and FMA: 6 rows of 2 vectors leave 4 of the 16 registers for B and A. */
#if defined(__x86_64__)

#    include "base/cpu.h"
#    include "kernel/gemm_rows.h"

#    include <immintrin.h>

/* (0 + 2) + (1 + 3) */
static inline double sum_lanes(__m256d v)
{
    __m128d half = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
}

#    define T            double
#    define V            __m256d
#    define VN           4
#    define MR           6
#    define NV           2
#    define KC           128
#    define SPLIT        2
#    define NARROW       3
#    define REDUCE(v)    sum_lanes(v)
#    define LOAD(p)      _mm256_loadu_pd(p)
#    define STORE(p, v)  _mm256_storeu_pd(p, v)
#    define SET1(x)      _mm256_set1_pd(x)
#    define FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#    define ROW          uc_gemm_f64_avx2
#    define NEEDS        UC_CPU_AVX2
#    define NAME         "avx2"
#    include "kernel/gemm.inc"

#else
typedef int uc_gemm_f64_no_avx2;
#endif
