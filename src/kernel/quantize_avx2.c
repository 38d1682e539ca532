/* quantize.h for AVX2. */
#if defined(__x86_64__)
#    define ROW uc_quant_avx2
#    include "kernel/quantize.inc"
#else
typedef int uc_quantize_no_avx2;
#endif
