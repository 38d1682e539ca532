/* The rows that gemm_*.c files give to kernel_table.c. */
#ifndef UC_KERNEL_GEMM_ROWS_H
#define UC_KERNEL_GEMM_ROWS_H

#include "kernel/gemm.h"

extern const uc_gemm uc_gemm_f32_scalar, uc_gemm_f64_scalar;
#if defined(__x86_64__)
extern const uc_gemm uc_gemm_f32_avx2, uc_gemm_f64_avx2;
extern const uc_gemm uc_gemm_f32_avx512, uc_gemm_f64_avx512;
#endif

#endif
