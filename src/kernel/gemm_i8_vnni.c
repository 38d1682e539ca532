/* gemm_i8.h for AVX-512 VNNI: vpdpbusd adds four unsigned-by-signed products to each of 16 sums without
 * saturating. 12 rows of 2 panels leave 8 of the 32 registers for A and B. */
#if defined(__x86_64__)

#    include "kernel/gemm_i8_rows.h"

#    include <immintrin.h>
#    include <string.h>

enum { MR = 12 };

static inline int32_t four_at(const uint8_t *a)
{
    int32_t v;
    memcpy(&v, a, 4);
    return v;
}

static inline int32_t rest_at(const uint8_t *a, int64_t left)
{
    int32_t v = 0;
    memcpy(&v, a, (size_t)left & 3);
    return v;
}

/* One step of four values of k for ROWS rows. */
#    define STEP(ROWS, VALUE)                                               \
        do {                                                                \
            __m512i b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(c); \
            for (int r = 0; r < (ROWS); r++) {                              \
                __m512i v = _mm512_set1_epi32(VALUE);                       \
                s0[r] = _mm512_dpbusd_epi32(s0[r], v, b0);                  \
                s1[r] = _mm512_dpbusd_epi32(s1[r], v, b1);                  \
            }                                                               \
            b += 64;                                                        \
            c += 64;                                                        \
        } while (0)

#    define TILE_OF(ROWS)                                                               \
        static void tile_##ROWS(const uint8_t *const a[MR], int64_t k, const int8_t *b, \
                                const int8_t *c, int32_t out[MR][2 * UC_I8_PANEL])      \
        {                                                                               \
            __m512i s0[ROWS], s1[ROWS];                                                 \
            int64_t i = 0;                                                              \
            for (int r = 0; r < ROWS; r++) {                                            \
                s0[r] = s1[r] = _mm512_setzero_si512();                                 \
            }                                                                           \
            for (; i + 4 <= k; i += 4) {                                                \
                STEP(ROWS, four_at(a[r] + i));                                          \
            }                                                                           \
            if (i < k) STEP(ROWS, rest_at(a[r] + i, k - i));                            \
            for (int r = 0; r < ROWS; r++) {                                            \
                _mm512_storeu_si512(out[r], s0[r]);                                     \
                _mm512_storeu_si512(out[r] + UC_I8_PANEL, s1[r]);                       \
            }                                                                           \
        }

TILE_OF(1)
TILE_OF(2)
TILE_OF(4)
TILE_OF(8)
TILE_OF(12)

static void tile(const uint8_t *const a[MR], int rows, int64_t k, const int8_t *panel, int64_t next,
                 int panels, int32_t out[MR][2 * UC_I8_PANEL])
{
    const int8_t *second = panels == 2 ? panel + next : panel; /* one alone is multiplied twice */
    if (rows == 1) {
        tile_1(a, k, panel, second, out);
    } else if (rows == 2) {
        tile_2(a, k, panel, second, out);
    } else if (rows <= 4) {
        tile_4(a, k, panel, second, out);
    } else if (rows <= 8) {
        tile_8(a, k, panel, second, out);
    } else {
        tile_12(a, k, panel, second, out);
    }
}

#    define TILE tile
#    define RUN  uc_gemm_i8_vnni
#    include "kernel/gemm_i8.inc"

#else
typedef int uc_gemm_i8_no_vnni;
#endif
