/* depthwise_wide.h for AVX2. */
#if defined(__x86_64__)
#    define ROW uc_depthwise_wide_avx2
#    include "kernel/depthwise_wide.inc"
#else
typedef int uc_depthwise_wide_no_avx2;
#endif
