/* The peak loop of each instruction set. */
#ifndef UC_KERNEL_PEAK_ROWS_H
#define UC_KERNEL_PEAK_ROWS_H

#include <stdint.h>

uint64_t uc_peak_scalar(uint64_t steps, float *sink);
uint64_t uc_peak_avx2(uint64_t steps, float *sink);
uint64_t uc_peak_avx512(uint64_t steps, float *sink);

#endif
