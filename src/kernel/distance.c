/* Chooses the distance loops by instruction set. */
#include "kernel/distance.h"

#include "base/cpu.h"

const uc_distance_kernels *uc_distance(void)
{
#if defined(__x86_64__)
    unsigned features = uc_cpu_features();
    if (features & UC_CPU_AVX512) return &uc_distance_avx512;
    if (features & UC_CPU_AVX2) return &uc_distance_avx2;
#endif
    return &uc_distance_scalar;
}
