/* Blocked convolution, AVX-512: a tile of 2 blocks by 14 pixels leaves 4 of the 32 registers for the
 * weights and the input. */
#if defined(__x86_64__)

#    include <immintrin.h>

#    define V            __m512
#    define VN           16
#    define TILE_MAX     14
#    define LOAD(p)      _mm512_loadu_ps(p)
#    define STORE(p, v)  _mm512_storeu_ps(p, v)
#    define SET1(x)      _mm512_set1_ps(x)
#    define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#    define MAX(a, b)    _mm512_max_ps(a, b)
#    define MIN(a, b)    _mm512_min_ps(a, b)
#    define RECIPROCAL   reciprocal
#    define ROW          uc_conv_avx512
#    define NEEDS        UC_CPU_AVX512
#    define NAME         "avx512"

/* The machine's 14 bits and a step of Newton's: a division takes as long as ten of these. */
static inline __m512 reciprocal(__m512 x)
{
    const __m512 r = _mm512_rcp14_ps(x);
    return _mm512_fmadd_ps(_mm512_fnmadd_ps(x, r, _mm512_set1_ps(1)), r, r);
}

#    include "kernel/conv_blocked.inc"

#else
typedef int uc_conv_no_avx512;
#endif
