/* dot_tile.h for bfloat16 in 512-bit registers. */
#include "kernel/dot_tile_rows.h"

#include <immintrin.h>

#define DOT_RUN            uc_dot_bf16_bf16
#define DOT_SUM            __m512
#define DOT_ZERO()         _mm512_setzero_ps()
#define DOT_SPLAT(v)       (__m512bh) _mm512_set1_epi32(v)
#define DOT_LOAD(p)        (__m512bh) _mm512_load_si512((const void *)(p))
#define DOT_ADD(sum, a, b) _mm512_dpbf16_ps(sum, a, b)
#define DOT_STORE(p, v)    _mm512_store_ps((void *)(p), v)
#include "kernel/dot_tile.inc"
