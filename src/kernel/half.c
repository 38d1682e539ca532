/* Packing for half.h, and whether this machine has its kernels. */
#include "base/cpu.h"
#include "kernel/half_rows.h"

void uc_half_pack_depthwise(const float *w, const float *b, int64_t c, int64_t taps, float *to)
{
    for (int64_t i = 0; i < c; i++) {
        const int64_t lane = i % UC_HALF_CHANNELS;
        float *at =
            to + i / UC_HALF_CHANNELS * UC_HALF_CHANNELS * (taps + 1) + lane % 2 * 16 + lane / 2;
        *at = b ? b[i] : 0;
        for (int64_t t = 0; t < taps; t++)
            at[(t + 1) * UC_HALF_CHANNELS] = w[i * taps + t];
    }
}

const uc_half *uc_half_kernels(void)
{
#if defined(__x86_64__)
    static const uc_half bf16 = {
        .finish = uc_half_finish_bf16,
        .depthwise = uc_half_depthwise_bf16,
        .pool = uc_half_pool_bf16,
        .mean = uc_half_mean_bf16,
        .combine = uc_half_combine_bf16,
        .round = uc_half_round_bf16,
        .widen = uc_half_widen_bf16,
        .pixels = uc_half_pixels_bf16,
    };
    const unsigned needs = UC_CPU_BF16 | UC_CPU_AVX512;
    if ((uc_cpu_features() & needs) == needs) return &bf16;
#endif
    return NULL;
}
