/* Packing for dot_tile.h, the row that needs no instruction set, and the choice of a row. */
#include "base/cpu.h"
#include "kernel/dot_tile_rows.h"

#include <string.h>

void uc_dot_nothing(void) {}

void uc_dot_pack(const uint8_t *from, int64_t channel, int64_t taps, int64_t run, uint8_t *to)
{
    const int64_t chunks = (run + UC_DOT_CHUNK - 1) / UC_DOT_CHUNK;
    to += channel / UC_DOT_PANEL * uc_dot_panel_bytes(taps, run) + channel % UC_DOT_PANEL * 4;
    for (int64_t t = 0; t < taps; t++, to += chunks * UC_DOT_CHUNK * UC_DOT_PANEL) {
        for (int64_t k = 0; k < run; k += 4) {
            const int64_t left = run - k;
            memcpy(to + k * UC_DOT_PANEL, from + k, (size_t)(left < 4 ? left : 4));
        }
        from += run;
    }
}

static void panel_of(const uc_dot_tile *t, int64_t pixel, int panel)
{
    const int64_t chunks = (t->run + UC_DOT_CHUNK - 1) / UC_DOT_CHUNK;
    const int8_t *b = (const int8_t *)t->b + panel * uc_dot_panel_bytes(t->taps, t->run);
    uint32_t sum[UC_DOT_PANEL] = {0};
    for (int64_t tap = 0; tap < t->taps; tap++, b += chunks * UC_DOT_CHUNK * UC_DOT_PANEL) {
        const uint8_t *a = t->a + pixel * t->a_stride + tap * t->tap_stride;
        for (int64_t k = 0; k < t->run; k++) {
            const int8_t *w = b + k / 4 * 4 * UC_DOT_PANEL + k % 4;
            for (int c = 0; c < UC_DOT_PANEL; c++)
                sum[c] += (uint32_t)(a[k] * w[c * 4]);
        }
    }
    memcpy((char *)t->sums + (pixel * UC_DOT_CHANNELS + panel * UC_DOT_PANEL) * 4, sum, sizeof sum);
}

void uc_dot_u8s8_scalar(const uc_dot_tile *tile)
{
    for (int64_t p = 0; p < UC_DOT_PIXELS; p++) {
        for (int panel = 0; panel < tile->panels; panel++)
            panel_of(tile, p, panel);
    }
}

static const struct {
    unsigned needs;
    uc_dot_kind kind;
    uc_dot_row row;
} rows[] = {
#if defined(__x86_64__)
    {UC_CPU_AMX | UC_CPU_VNNI,
     UC_DOT_U8S8,
     {"amx", uc_dot_amx_begin, uc_dot_amx_end, uc_dot_u8s8_amx}},
    {UC_CPU_VNNI, UC_DOT_U8S8, {"vnni", uc_dot_nothing, uc_dot_nothing, uc_dot_u8s8_vnni}},
    {UC_CPU_AVX2, UC_DOT_U8S8, {"avx2", uc_dot_nothing, uc_dot_nothing, uc_dot_u8s8_avx2}},
    {UC_CPU_AMX | UC_CPU_BF16,
     UC_DOT_BF16,
     {"amx", uc_dot_amx_begin, uc_dot_amx_end, uc_dot_bf16_amx}},
    {UC_CPU_BF16, UC_DOT_BF16, {"bf16", uc_dot_nothing, uc_dot_nothing, uc_dot_bf16_bf16}},
#endif
    {UC_CPU_ANY, UC_DOT_U8S8, {"scalar", uc_dot_nothing, uc_dot_nothing, uc_dot_u8s8_scalar}},
};

const uc_dot_row *uc_dot_row_at(uc_dot_kind kind, int i)
{
    const unsigned have = uc_cpu_features();
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        if (rows[r].kind == kind && (rows[r].needs & ~have) == 0 && i-- == 0) return &rows[r].row;
    }
    return NULL;
}

const uc_dot_row *uc_dot_row_of(uc_dot_kind kind) { return uc_dot_row_at(kind, 0); }
