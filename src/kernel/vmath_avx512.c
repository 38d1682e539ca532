/* Elementary functions over arrays, AVX512. */
#if defined(__x86_64__)

#    include "base/cpu.h"
#    include "kernel/vmath_rows.h"

#    define LANES 8
#    define ROW   uc_vmath_avx512
#    define NEEDS UC_CPU_AVX512
#    define NAME  "avx512"
#    include "kernel/vmath.inc"

#else
typedef int uc_vmath_no_avx512;
#endif
