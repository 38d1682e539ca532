/* dot_tile.h in tile registers (AMX): 2 x 2 of 16 pixels times 16 channels, 64 bytes of each at once.
 * Source: Intel Architecture Instruction Set Extensions Programming Reference, chapter 3. */
#include "kernel/dot_tile_rows.h"

#include <immintrin.h>

/* What LDTILECFG reads. */
typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;

/* In memory for good: the compiler sees only the first bytes of what the instruction reads. */
static const tile_config all_full = {
    .palette = 1,
    .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {16, 16, 16, 16, 16, 16, 16, 16},
};

void uc_dot_amx_begin(void) { _tile_loadconfig(&all_full); }

void uc_dot_amx_end(void) { _tile_release(); }

/* Weights that come from far: a tile's load waits for all its lines, so they are asked for early. */
static inline __attribute__((always_inline)) void fetch(const uint8_t *b)
{
    for (int i = 0; i < UC_DOT_CHUNK * UC_DOT_PANEL; i += 64)
        _mm_prefetch((const char *)b + i, _MM_HINT_T0);
}

enum { AHEAD = 3 * UC_DOT_CHUNK * UC_DOT_PANEL };

/* Tiles 0 to 3: sums of (pixels 0-15, 16-31) x (panel 0, 1); 4, 5: pixels; 6, 7: weights. */
#define TWO_PANELS(DOT)                                            \
    for (int64_t tap = 0; tap < t->taps; tap++) {                  \
        const uint8_t *a = t->a + tap * t->tap_stride;             \
        for (int64_t k = 0; k < t->run; k += UC_DOT_CHUNK) {       \
            _tile_loadd(6, b, 64);                                 \
            if (cold) fetch(b + AHEAD);                            \
            if (cold) fetch(b + panel + AHEAD);                    \
            _tile_loadd(4, a + k, t->a_stride);                    \
            DOT(0, 4, 6);                                          \
            _tile_loadd(7, b + panel, 64);                         \
            DOT(1, 4, 7);                                          \
            _tile_loadd(5, a + 16 * t->a_stride + k, t->a_stride); \
            DOT(2, 5, 6);                                          \
            DOT(3, 5, 7);                                          \
            b += UC_DOT_CHUNK * UC_DOT_PANEL;                      \
        }                                                          \
    }

#define ONE_PANEL(DOT)                                             \
    for (int64_t tap = 0; tap < t->taps; tap++) {                  \
        const uint8_t *a = t->a + tap * t->tap_stride;             \
        for (int64_t k = 0; k < t->run; k += UC_DOT_CHUNK) {       \
            _tile_loadd(6, b, 64);                                 \
            _tile_loadd(4, a + k, t->a_stride);                    \
            DOT(0, 4, 6);                                          \
            _tile_loadd(5, a + 16 * t->a_stride + k, t->a_stride); \
            DOT(2, 5, 6);                                          \
            b += UC_DOT_CHUNK * UC_DOT_PANEL;                      \
        }                                                          \
    }

#define DEFINE_ROW(NAME, DOT)                                      \
    void NAME(const uc_dot_tile *t)                                \
    {                                                              \
        const int64_t panel = uc_dot_panel_bytes(t->taps, t->run); \
        const uint8_t *b = t->b;                                   \
        char *sums = t->sums;                                      \
        const int row = UC_DOT_CHANNELS * 4;                       \
        const bool cold = t->cold;                                 \
        _tile_zero(0);                                             \
        _tile_zero(2);                                             \
        if (t->panels > 1) {                                       \
            _tile_zero(1);                                         \
            _tile_zero(3);                                         \
            TWO_PANELS(DOT)                                        \
            _tile_stored(1, sums + 64, row);                       \
            _tile_stored(3, sums + 16 * row + 64, row);            \
        } else {                                                   \
            ONE_PANEL(DOT)                                         \
        }                                                          \
        _tile_stored(0, sums, row);                                \
        _tile_stored(2, sums + 16 * row, row);                     \
    }

DEFINE_ROW(uc_dot_u8s8_amx, _tile_dpbusd)
DEFINE_ROW(uc_dot_bf16_amx, _tile_dpbf16ps)
