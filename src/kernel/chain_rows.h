/* The chain of each instruction set. */
#ifndef UC_KERNEL_CHAIN_ROWS_H
#define UC_KERNEL_CHAIN_ROWS_H

#include "kernel/chain.h"

#define UC_CHAIN_ROW(NAME)                                                          \
    void NAME(const uc_chain_step *steps, int count, int inputs, float *const *row, \
              const int *step, int64_t n);

UC_CHAIN_ROW(uc_chain_scalar)
UC_CHAIN_ROW(uc_chain_avx2)
UC_CHAIN_ROW(uc_chain_avx512)

#endif
