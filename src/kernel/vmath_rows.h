/* The rows that vmath_*.c files give to kernel_table.c. */
#ifndef UC_KERNEL_VMATH_ROWS_H
#define UC_KERNEL_VMATH_ROWS_H

#include "kernel/vmath.h"

extern const uc_vmath uc_vmath_scalar;
#if defined(__x86_64__)
extern const uc_vmath uc_vmath_avx2, uc_vmath_avx512;
#endif

#endif
