/* Elementary functions over arrays, AVX2. */
#if defined(__x86_64__)

#    include "base/cpu.h"
#    include "kernel/vmath_rows.h"

#    define LANES 4
#    define ROW   uc_vmath_avx2
#    define NEEDS UC_CPU_AVX2
#    define NAME  "avx2"
#    include "kernel/vmath.inc"

#else
typedef int uc_vmath_no_avx2;
#endif
