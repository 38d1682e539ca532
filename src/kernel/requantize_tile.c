/* The row of requantize_tile.h that needs no instruction set, and the choice of a row. */
#include "kernel/requantize_tile.h"

#include "base/cpu.h"
#include "kernel/requantize.h"

void uc_requant_scalar(const uc_requant *q, const int32_t *sums, const int64_t *at,
                       int64_t first_channel, int channels)
{
    const int32_t *bias = q->bias + first_channel;
    const float *scale = q->scale + first_channel;
    for (int p = 0; p < UC_DOT_PIXELS; p++, sums += UC_DOT_CHANNELS) {
        if (at[p] < 0) continue;
        const int64_t to = at[p] * q->oc + first_channel;
        const uint32_t shift = q->shifts ? (uint32_t)q->shifts[at[p]] : 0;
        for (int c = 0; c < channels; c++) {
            const int32_t sum = (int32_t)((uint32_t)sums[c] + (uint32_t)bias[c] - shift);
            if (!q->y) {
                q->floats[to + c] = (float)sum * scale[c];
                continue;
            }
            uint8_t v = uc_requantize(sum, scale[c], q->zero, q->low, q->high);
            if (q->r) {
                const float own = (float)(v - q->zero) * q->q_scale;
                const float other = (float)(q->r[to + c] - q->r_zero) * q->r_scale;
                v = uc_round_within(own + other, q->y_zero, q->y_low, q->y_high);
            }
            q->y[to + c] = v;
        }
    }
}

uc_requant_fn uc_requant_row(void)
{
#if defined(__x86_64__)
    if (uc_cpu_features() & UC_CPU_AVX512) return uc_requant_avx512;
#endif
    return uc_requant_scalar;
}
