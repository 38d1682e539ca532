/* bytes.h for AVX-512. */
#if defined(__x86_64__)
#    define ROW uc_bytes_avx512
#    include "kernel/bytes.inc"
#else
typedef int uc_bytes_no_avx512;
#endif
