/* depthwise_wide.h for AVX-512. */
#if defined(__x86_64__)
#    define ROW uc_depthwise_wide_avx512
#    include "kernel/depthwise_wide.inc"
#else
typedef int uc_depthwise_wide_no_avx512;
#endif
