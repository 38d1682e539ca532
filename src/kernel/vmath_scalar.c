/* Elementary functions over arrays, for any machine. */
#include "base/cpu.h"
#include "kernel/vmath_rows.h"

#define LANES 2
#define ROW   uc_vmath_scalar
#define NEEDS UC_CPU_ANY
#define NAME  "scalar"
#include "kernel/vmath.inc"
