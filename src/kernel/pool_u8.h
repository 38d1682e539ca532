/* Loops of pools over channels-last bytes. */
#ifndef UC_KERNEL_POOL_U8_H
#define UC_KERNEL_POOL_U8_H

#include <stdint.h>

/* y[i] = the larger of y[i] and x[i] */
void uc_max_u8(uint8_t *y, const uint8_t *x, int64_t n);
/* sum[i] += x[i] */
void uc_sum_u8(int32_t *sum, const uint8_t *x, int64_t n);

#endif
