/* Chooses the chain of this machine. */
#include "base/cpu.h"
#include "kernel/chain_rows.h"

uc_chain_fn uc_chain_best(void)
{
#if defined(__x86_64__)
    if (uc_cpu_features() & UC_CPU_AVX512) return uc_chain_avx512;
    if (uc_cpu_features() & UC_CPU_AVX2) return uc_chain_avx2;
#endif
    return uc_chain_scalar;
}
