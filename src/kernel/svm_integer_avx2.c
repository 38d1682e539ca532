/* svm_integer.h for AVX2. */
#include "kernel/svm_integer.h"

#include <immintrin.h>

#define INTEGER_RUN uc_svm_integer_sums_avx2
#define VECTOR      __m256i
#define WIDTH       8
#define LOAD(p)     _mm256_loadu_si256((const __m256i_u *)(const void *)(p))
#define SPLAT(v)    _mm256_set1_epi32(v)
#define MADD(a, b)  _mm256_madd_epi16(a, b)
#define ADD(a, b)   _mm256_add_epi32(a, b)
#define SUB(a, b)   _mm256_sub_epi32(a, b)

static inline void store_doubles(double *out, __m256i v)
{
    _mm256_storeu_pd(out, _mm256_cvtepi32_pd(_mm256_castsi256_si128(v)));
    _mm256_storeu_pd(out + 4, _mm256_cvtepi32_pd(_mm256_extracti128_si256(v, 1)));
}

#define STORE_DOUBLES(out, v) store_doubles(out, v)
#include "kernel/svm_integer.inc"
