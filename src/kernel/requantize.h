/* From 32-bit sums back to 8 bits: the one place where this rounding is written. */
#ifndef UC_KERNEL_REQUANTIZE_H
#define UC_KERNEL_REQUANTIZE_H

#include <stdint.h>

/* round(v) + zero within low and high, as its low 8 bits; half to even, NaN is low. */
static inline uint8_t uc_round_within(float v, int32_t zero, int32_t low, int32_t high)
{
    float least = (float)(low - zero), most = (float)(high - zero);
    v = v > least ? v : least; /* NaN: least */
    v = v < most ? v : most;
    /* Adding and taking away 1.5 * 2^23 rounds to an integer. */
    return (uint8_t)((int32_t)((v + 12582912.0f) - 12582912.0f) + zero);
}

/* saturate(round(sum * scale) + zero) as its low 8 bits. The product is one float32 multiplication, rounded
 * half to even, as ONNX Runtime does (mlas/lib/quantize_linear.cpp, MlasRequantizeOutput). */
static inline uint8_t uc_requantize(int32_t sum, float scale, int32_t zero, int32_t low,
                                    int32_t high)
{
    return uc_round_within((float)sum * scale, zero, low, high);
}

#endif
