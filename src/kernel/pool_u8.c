#include "kernel/pool_u8.h"

void uc_max_u8(uint8_t *y, const uint8_t *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = y[i] > x[i] ? y[i] : x[i];
}

void uc_sum_u8(int32_t *sum, const uint8_t *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += x[i];
}
