/* OpenCV's linear resize of 8-bit pixels: two weights of 11 bits along a row, then two rows' weights.
 * Rows between the passes hold the sums without their lowest 4 bits: what the second pass reads. */
#ifndef UC_KERNEL_LINEAR_U8_H
#define UC_KERNEL_LINEAR_U8_H

#include <stddef.h>
#include <stdint.h>

/* Output pixel x sums the pixels at[2 * x] and at[2 * x + 1] values into the row of `bytes` values.
 * `out` has room for 4 values more. */
void uc_linear_u8_across(const uint8_t *in, size_t bytes, const int32_t *at, const int32_t *weights,
                         int count, int channels, int16_t *out);

/* n values of two such rows. */
void uc_linear_u8_down(const int16_t *a, const int16_t *b, const int32_t *weights, size_t n,
                       uint8_t *out);

#endif
