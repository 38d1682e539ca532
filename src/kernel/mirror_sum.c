/* Which row of mirror_sum.h this machine uses. */
#include "kernel/mirror_sum.h"

#include "base/cpu.h"

uc_mirror_sum_fn uc_mirror_sum(void)
{
#if defined(__x86_64__)
    const unsigned features = uc_cpu_features();
    if (features & UC_CPU_AVX512) return uc_mirror_sum_avx512;
    if (features & UC_CPU_AVX2) return uc_mirror_sum_avx2;
#endif
    return uc_mirror_sum_scalar;
}
