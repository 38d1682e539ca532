/* Which row of resample_u8.h this machine uses. */
#include "kernel/resample_u8.h"

#include "base/cpu.h"

const uc_resample_u8 *uc_resamples_u8(void)
{
#if defined(__x86_64__)
    if (uc_cpu_features() & UC_CPU_AVX512) return &uc_resample_u8_avx512;
    if (uc_cpu_features() & UC_CPU_AVX2) return &uc_resample_u8_avx2;
#endif
    return &uc_resample_u8_scalar;
}

/* Four taps of an output are 2 halves of 2 pairs of 8 values; outputs come in fours at most. */
size_t uc_resample_packed(const uc_resample_axis *a)
{
    const size_t outputs = ((size_t)a->out + 3) / 4 * 4, chunks = ((size_t)a->room + 3) / 4;
    return outputs * chunks * 32;
}
