/* The rows that gemm_i8_*.c files give to gemm_i8.c, and the form of a packed B they share: int32 sums of its
 * columns, then panels of 16 columns, each [ceil(k / 4), 16, 4] bytes, padded with zeros. */
#ifndef UC_KERNEL_GEMM_I8_ROWS_H
#define UC_KERNEL_GEMM_I8_ROWS_H

#include "kernel/gemm_i8.h"

enum { UC_I8_PANEL = 16 };

static inline int64_t uc_i8_panels(int64_t n) { return (n + UC_I8_PANEL - 1) / UC_I8_PANEL; }
static inline int64_t uc_i8_fours(int64_t k) { return (k + 3) / 4; }

void uc_gemm_i8_scalar(const uc_gemm_i8_args *args);
#if defined(__x86_64__)
void uc_gemm_i8_avx2(const uc_gemm_i8_args *args);
void uc_gemm_i8_vnni(const uc_gemm_i8_args *args);
#endif

#endif
