/* Matrix product, float, for any machine: the oracle of the other rows. */
#include "base/cpu.h"
#include "kernel/gemm_rows.h"

#define T            float
#define V            float
#define VN           1
#define MR           6
#define NV           4
#define KC           256
#define SPLIT        2
#define NARROW       3
#define REDUCE(v)    (v)
#define LOAD(p)      (*(p))
#define STORE(p, v)  (*(p) = (v))
#define SET1(x)      ((T)(x))
#define FMA(a, b, c) ((a) * (b) + (c))
#define ROW          uc_gemm_f32_scalar
#define NEEDS        UC_CPU_ANY
#define NAME         "scalar"
#include "kernel/gemm.inc"
