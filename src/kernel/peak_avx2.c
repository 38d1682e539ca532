/* See peak.h. */
#include "kernel/peak_rows.h"

#if defined(__AVX2__)
#    include <immintrin.h>

#    define NAME     uc_peak_avx2
#    define V        __m256
#    define LANES    8
#    define V_SET    _mm256_set1_ps
#    define V_FMA    _mm256_fmadd_ps
#    define V_SUM(v) _mm256_cvtss_f32(v)
#    include "kernel/peak.inc"
#endif
