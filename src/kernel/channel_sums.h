/* The sum of each pixel's channels: what a zero point of weights multiplies. */
#ifndef UC_KERNEL_CHANNEL_SUMS_H
#define UC_KERNEL_CHANNEL_SUMS_H

#include <stdint.h>

/* x  [pixels, c]
 * y  [pixels]: each sum less `less` */
void uc_channel_sums(const uint8_t *x, int64_t pixels, int64_t c, int32_t less, int32_t *y);

#endif
