/* Matrix product, float, AVX2 and FMA: 6 rows of 2 vectors leave 4 of the 16 registers for B and A. */
#if defined(__x86_64__)

#    include "base/cpu.h"
#    include "kernel/gemm_rows.h"

#    include <immintrin.h>

#    define T            float
#    define V            __m256
#    define VN           8
#    define MR           6
#    define NV           2
#    define KC           256
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
