/* dot_tile.h in 512-bit registers: 8 pixels times two panels at once. */
#include "kernel/dot_tile_rows.h"

#include <immintrin.h>

#define DOT_RUN            uc_dot_u8s8_vnni
#define DOT_SUM            __m512i
#define DOT_ZERO()         _mm512_setzero_si512()
#define DOT_SPLAT(v)       _mm512_set1_epi32(v)
#define DOT_LOAD(p)        _mm512_load_si512((const void *)(p))
#define DOT_ADD(sum, a, b) _mm512_dpbusd_epi32(sum, a, b)
#define DOT_STORE(p, v)    _mm512_store_si512((void *)(p), v)
#include "kernel/dot_tile.inc"
