/* Row loops in plain C (SSE2 on x86-64): see span.h. */
#include "kernel/span.h"

#define VECTOR 16
#define T      float
#define N(x)   x##_f32
#define ROW    uc_span_f32_scalar
#define TABLE  uc_span_f32
#define FLOATS 1
#include "kernel/span.inc"

#define T      double
#define N(x)   x##_f64
#define ROW    uc_span_f64_scalar
#define TABLE  uc_span_f64
#define FLOATS 0
#include "kernel/span.inc"
