/* See peak.h. */
#include "kernel/peak_rows.h"

#if defined(__AVX512F__)
#    include <immintrin.h>

#    define NAME     uc_peak_avx512
#    define V        __m512
#    define LANES    16
#    define V_SET    _mm512_set1_ps
#    define V_FMA    _mm512_fmadd_ps
#    define V_SUM(v) _mm512_reduce_add_ps(v)
#    include "kernel/peak.inc"
#endif
