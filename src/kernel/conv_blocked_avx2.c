/* Blocked convolution, AVX2: tiles of 2 blocks by 6 pixels or 3 by 4 fill the 16 registers. */
#if defined(__x86_64__)

#    include <immintrin.h>

#    define V             __m256
#    define VN            8
#    define TILE_MAX      12
#    define LOAD(p)       _mm256_loadu_ps(p)
#    define STORE(p, v)   _mm256_storeu_ps(p, v)
#    define SET1(x)       _mm256_set1_ps(x)
#    define FMA(a, b, c)  _mm256_fmadd_ps(a, b, c)
#    define MAX(a, b)     _mm256_max_ps(a, b)
#    define MIN(a, b)     _mm256_min_ps(a, b)
#    define RECIPROCAL(x) _mm256_div_ps(_mm256_set1_ps(1), x)
#    define ROW           uc_conv_avx2
#    define NEEDS         UC_CPU_AVX2
#    define NAME          "avx2"
#    include "kernel/conv_blocked.inc"

#else
typedef int uc_conv_no_avx2;
#endif
