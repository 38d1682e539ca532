/* Which row of resample_u8.h this machine uses. */
#include "kernel/resample_u8.h"

#include "base/cpu.h"

const uc_resample_u8 *uc_resamples_u8(void)
{
#if defined(__x86_64__)
    /* rows of 16 lanes were no faster: a pixel's few taps don't fill them */
    if (uc_cpu_features() & UC_CPU_AVX2) return &uc_resample_u8_avx2;
#endif
    return &uc_resample_u8_scalar;
}
