/* Instruction sets, caches and cores of this machine. */
#ifndef UC_BASE_CPU_H
#define UC_BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>

enum {
    UC_CPU_ANY = 0,
    UC_CPU_AVX2 = 1,
    UC_CPU_AVX512 = 2,
    UC_CPU_VNNI = 4,
    UC_CPU_BF16 = 8,
    UC_CPU_NEON = 16,
    UC_CPU_AMX = 32 /* tiles of int8 and bfloat16 */
};

/* A mask of the above. AVX2 means AVX2, FMA and F16C; AVX512 means F, BW, DQ and VL; each only when
 * the operating system saves the registers. UNCORK_ISA=scalar|avx2|avx512|vnni in the environment
 * lowers it, for tests. */
unsigned uc_cpu_features(void);
/* "avx512 vnni bf16" */
const char *uc_cpu_text(void);
int uc_cpu_cores(void);
size_t uc_cpu_l2_bytes(void);

#endif
