/* Sums of pairs for AVX-512: see mirror_sum.h. */
#include "kernel/mirror_sum.h"

#if defined(__x86_64__)
#    define VECTOR 64
#    define NAME   uc_mirror_sum_avx512
#    include "kernel/mirror_sum.inc"
#else
typedef int uc_mirror_sum_avx512_unused;
#endif
