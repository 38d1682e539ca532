/* Row loops for AVX2: see span.h. */
#include "kernel/span.h"

#if defined(__x86_64__)
#    define VECTOR 32
#    define T      float
#    define N(x)   x##_f32
#    define ROW    uc_span_f32_avx2
#    define TABLE  uc_span_f32
#    define FLOATS 1
#    include "kernel/span.inc"

#    define T      double
#    define N(x)   x##_f64
#    define ROW    uc_span_f64_avx2
#    define TABLE  uc_span_f64
#    define FLOATS 0
#    include "kernel/span.inc"
#else
typedef int uc_span_avx2_unused;
#endif
