/* The functions behind half.h. */
#ifndef UC_KERNEL_HALF_ROWS_H
#define UC_KERNEL_HALF_ROWS_H

#include "kernel/half.h"

void uc_half_finish_bf16(const uc_half_tile *t, const float *sums, const int64_t *at, int64_t first,
                         int channels);
void uc_half_depthwise_bf16(const uc_half_depthwise *d, int64_t oy, uint16_t *y);
void uc_half_pool_bf16(const uc_half_pool *p, int64_t oy, uint16_t *y);
void uc_half_mean_bf16(const uint16_t *x, int64_t pixels, int64_t c, int channels, uint16_t *y);
void uc_half_combine_bf16(uc_half_binary op, uc_act act, const uint16_t *a, const uint16_t *b,
                          uint16_t *y, int64_t n);
void uc_half_round_bf16(const float *x, uint16_t *y, int64_t n);
void uc_half_widen_bf16(const uint16_t *x, float *y, int64_t n);
void uc_half_pixels_bf16(const float *x, int64_t plane, int c, uint16_t *y, int64_t n);

#endif
