/* Matrix product, double, AVX-512: 14 rows of 2 vectors leave 4 of the 32 registers for B and A. */
#if defined(__x86_64__)

#    include "base/cpu.h"
#    include "kernel/gemm_rows.h"

#    include <immintrin.h>

#    define T            double
#    define V            __m512d
#    define VN           8
#    define MR           14
#    define NV           2
#    define KC           192
#    define SPLIT        4
#    define NARROW       3
#    define REDUCE(v)    _mm512_reduce_add_pd(v)
#    define LOAD(p)      _mm512_loadu_pd(p)
#    define STORE(p, v)  _mm512_storeu_pd(p, v)
#    define SET1(x)      _mm512_set1_pd(x)
#    define FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
/* Compilers load x once and reuse it, whatever is written. */
#    define FMA_FROM(acc, b, x) \
        __asm__("vfmadd231pd %2%{1to8%}, %1, %0" : "+v"(acc) : "v"(b), "m"(x))
#    define ROW   uc_gemm_f64_avx512
#    define NEEDS UC_CPU_AVX512
#    define NAME  "avx512"
#    include "kernel/gemm.inc"

#else
typedef int uc_gemm_f64_no_avx512;
#endif
