/* Which row of depthwise_wide.h this machine uses. */
#include "kernel/depthwise_wide.h"

#include "base/cpu.h"

uc_depthwise_wide_fn uc_depthwise_wide_row(void)
{
#if defined(__x86_64__)
    if (uc_cpu_features() & UC_CPU_AVX512) return uc_depthwise_wide_avx512;
    if (uc_cpu_features() & UC_CPU_AVX2) return uc_depthwise_wide_avx2;
#endif
    return uc_depthwise_wide_scalar;
}
