/* svm_integer.h for AVX-512. */
#include "kernel/svm_integer.h"

#include <immintrin.h>

#define INTEGER_RUN uc_svm_integer_sums_avx512
#define VECTOR      __m512i
#define WIDTH       16
#define LOAD(p)     _mm512_loadu_si512((const void *)(p))
#define SPLAT(v)    _mm512_set1_epi32(v)
#define MADD(a, b)  _mm512_madd_epi16(a, b)
#define ADD(a, b)   _mm512_add_epi32(a, b)
#define SUB(a, b)   _mm512_sub_epi32(a, b)

static inline void store_doubles(double *out, __m512i v)
{
    _mm512_storeu_pd(out, _mm512_cvtepi32_pd(_mm512_castsi512_si256(v)));
    _mm512_storeu_pd(out + 8, _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(v, 1)));
}

#define STORE_DOUBLES(out, v) store_doubles(out, v)
#include "kernel/svm_integer.inc"
