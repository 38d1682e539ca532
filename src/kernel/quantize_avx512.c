/* quantize.h for AVX-512. */
#if defined(__x86_64__)
#    define ROW uc_quant_avx512
#    include "kernel/quantize.inc"
#else
typedef int uc_quantize_no_avx512;
#endif
