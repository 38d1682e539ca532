/* bytes.h for AVX2. */
#if defined(__x86_64__)
#    define ROW uc_bytes_avx2
#    include "kernel/bytes.inc"
#else
typedef int uc_bytes_no_avx2;
#endif
