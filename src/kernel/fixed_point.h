/* Fixed-point scaling as TensorFlow Lite rounds it. A real factor is m * 2^(shift - 31), 2^30 <= m < 2^31.
 * Sources: tensorflow/lite/kernels/internal/{common.h,quantization_util.cc}, ruy/apply_multiplier.cc. */
#ifndef UC_KERNEL_FIXED_POINT_H
#define UC_KERNEL_FIXED_POINT_H

#include <math.h>
#include <stdint.h>

typedef struct uc_fixed {
    int32_t m;
    int32_t shift;
} uc_fixed;

/* The factor nearest to v >= 0; what is below 2^-32 becomes 0. */
static inline uc_fixed uc_fixed_of(double v)
{
    uc_fixed f = {0, 0};
    int shift = 0;
    if (!(v > 0) || !isfinite(v)) return f;
    int64_t m = llround(frexp(v, &shift) * 2147483648.0);
    if (m == INT64_C(1) << 31) {
        m /= 2;
        shift++;
    }
    if (shift < -31 || shift > 30) return f;
    f.m = (int32_t)m;
    f.shift = shift;
    return f;
}

/* round(a b / 2^31), halves away from zero. */
static inline int32_t uc_fixed_high(int32_t a, int32_t b)
{
    if (a == b && a == INT32_MIN) return INT32_MAX;
    const int64_t ab = (int64_t)a * b;
    const int64_t nudge = ab >= 0 ? 1 << 30 : 1 - (1 << 30);
    return (int32_t)((ab + nudge) / (INT64_C(1) << 31));
}

/* round(x / 2^exponent), halves away from zero; 0 <= exponent <= 31. */
static inline int32_t uc_fixed_down(int32_t x, int exponent)
{
    const int32_t mask = (int32_t)((INT64_C(1) << exponent) - 1), rest = x & mask;
    return (x >> exponent) + (rest > (mask >> 1) + (x < 0));
}

static inline int32_t uc_fixed_left(int32_t x, int shift)
{
    return (int32_t)((uint32_t)x << shift);
}

/* Rounded twice: the product, then the shift. */
static inline int32_t uc_fixed_twice(int32_t x, uc_fixed f)
{
    const int left = f.shift > 0 ? f.shift : 0, right = f.shift > 0 ? 0 : -f.shift;
    return uc_fixed_down(uc_fixed_high(uc_fixed_left(x, left), f.m), right);
}

/* Rounded once, halves up. */
static inline int32_t uc_fixed_once(int32_t x, uc_fixed f)
{
    const int total = 31 - f.shift;
    return (int32_t)(((int64_t)x * f.m + (INT64_C(1) << (total - 1))) >> total);
}

/* The same of a wider sum; what would not fit is cut off. */
static inline int32_t uc_fixed_once_wide(int64_t x, uc_fixed f)
{
    const int total = 31 - f.shift;
    if (x > UINT32_MAX) x = UINT32_MAX;
    if (x < -(int64_t)UINT32_MAX) x = -(int64_t)UINT32_MAX;
    return (int32_t)((x * f.m + (INT64_C(1) << (total - 1))) >> total);
}

/* Rounded twice, halves up: ruy's kernels on x86. */
static inline int32_t uc_fixed_up(int32_t x, uc_fixed f)
{
    const int left = f.shift > 0 ? f.shift : 0, right = f.shift > 0 ? 0 : -f.shift;
    const int64_t high = ((int64_t)uc_fixed_left(x, left) * f.m + (1 << 30)) >> 31;
    return (int32_t)(right ? (high + (INT64_C(1) << (right - 1))) >> right : high);
}

/* Of sums of 64 bits: the factor to 16 bits. */
static inline int32_t uc_fixed_wide(int64_t x, uc_fixed f)
{
    const int64_t m = f.m < 0x7FFF0000 ? (f.m + (1 << 15)) >> 16 : 0x7FFF;
    const int total = 15 - f.shift;
    if (total < 1) return 0; /* factors of 2^15 and more */
    const uint64_t v = (uint64_t)x * (uint64_t)m + ((uint64_t)1 << (total - 1));
    return (int32_t)((int64_t)v >> total);
}

static inline int32_t uc_fixed_clamp(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

#endif
