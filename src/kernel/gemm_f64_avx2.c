/* Matrix product, double, AVX2 and FMA: 6 rows of 2 vectors leave 4 of the 16 registers for B and A. */
#if defined(__x86_64__)

#    include "base/cpu.h"
#    include "kernel/gemm_rows.h"

#    include <immintrin.h>

#    define T            double
#    define V            __m256d
#    define VN           4
#    define MR           6
#    define NV           2
#    define KC           128
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
