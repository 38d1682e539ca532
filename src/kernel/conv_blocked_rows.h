/* The rows that conv_blocked_*.c files give to conv_blocked_table.c. */
#ifndef UC_KERNEL_CONV_BLOCKED_ROWS_H
#define UC_KERNEL_CONV_BLOCKED_ROWS_H

#include "kernel/conv_blocked.h"

extern const uc_conv_row uc_conv_scalar;
#if defined(__x86_64__)
extern const uc_conv_row uc_conv_avx2, uc_conv_avx512;
#elif defined(__aarch64__)
extern const uc_conv_row uc_conv_neon;
#endif

#endif
