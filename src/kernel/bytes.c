/* Which row of bytes.h this machine uses. */
#include "kernel/bytes.h"

#include "base/cpu.h"

const uc_bytes_fns *uc_bytes_row(void)
{
#if defined(__x86_64__)
    if (uc_cpu_features() & UC_CPU_AVX512) return &uc_bytes_avx512;
    if (uc_cpu_features() & UC_CPU_AVX2) return &uc_bytes_avx2;
#endif
    return &uc_bytes_scalar;
}
