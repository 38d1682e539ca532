/* Weighted sums of 8-bit pixels for AVX2: see resample_u8.h. */
#include "kernel/resample_u8.h"

#if defined(__x86_64__)
#    define LANES 8
#    define ROW   uc_resample_u8_avx2
#    include "kernel/resample_u8.inc"
#else
typedef int uc_resample_u8_avx2_unused;
#endif
