/* Sums of pairs for AVX2: see mirror_sum.h. */
#include "kernel/mirror_sum.h"

#if defined(__x86_64__)
#    define VECTOR 32
#    define NAME   uc_mirror_sum_avx2
#    include "kernel/mirror_sum.inc"
#else
typedef int uc_mirror_sum_avx2_unused;
#endif
