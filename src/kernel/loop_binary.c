/* Two numbers to one of the same type. Source: ONNX operators Add to Pow; NumPy where ONNX leaves a
 * case open (integer division by zero is 0 there, a wrapped result stays wrapped). */
#include "kernel/loop.h"

#include <math.h>

/* ---- floats ------------------------------------------------------------------------------- */

/* NumPy's remainder: the divisor's sign. */
static double floor_mod(double a, double b)
{
    double r = fmod(a, b);
    if (r != 0 && (b < 0) != (r < 0)) r += b;
    return r == 0 ? copysign(0.0, b) : r;
}

static float floor_modf(float a, float b) { return (float)floor_mod((double)a, (double)b); }

/* x * x is what NumPy gives for an exponent of 2, and is correctly rounded. */
static double power(double a, double b) { return b == 2 ? a * a : pow(a, b); }

static float powerf(float a, float b) { return b == 2 ? a * a : powf(a, b); }

#define FLOAT_OPS(S, T, MOD, FMOD, POW)              \
    UC_LOOP2(add_##S, T, T, a + b)                   \
    UC_LOOP2(sub_##S, T, T, a - b)                   \
    UC_LOOP2(mul_##S, T, T, a *b)                    \
    UC_LOOP2(div_##S, T, T, a / b)                   \
    UC_LOOP2_SMALL(mod_##S, T, T, MOD(a, b))         \
    UC_LOOP2_SMALL(fmod_##S, T, T, FMOD(a, b))       \
    UC_LOOP2(min_##S, T, T, a < b || a != a ? a : b) \
    UC_LOOP2(max_##S, T, T, a > b || a != a ? a : b) \
    UC_LOOP2(pow_##S, T, T, POW(a, b))

FLOAT_OPS(f64, double, floor_mod, fmod, power)
FLOAT_OPS(f32, float, floor_modf, fmodf, powerf)

/* ---- integers ----------------------------------------------------------------------------- */

static int64_t div_signed(int64_t a, int64_t b)
{
    if (b == 0) return 0;
    return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b; /* the smallest / -1 wraps */
}

static int64_t rem_signed(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }

static int64_t mod_signed(int64_t a, int64_t b)
{
    int64_t r = rem_signed(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static uint64_t div_unsigned(uint64_t a, uint64_t b) { return b ? a / b : 0; }

static uint64_t mod_unsigned(uint64_t a, uint64_t b) { return b ? a % b : 0; }

static uint64_t pow_unsigned(uint64_t a, uint64_t b)
{
    uint64_t r = 1;
    for (; b; b >>= 1, a *= a) {
        if (b & 1) r *= a;
    }
    return r;
}

/* A negative exponent leaves the integers but for 1 and -1. */
static int64_t pow_signed(int64_t a, int64_t b)
{
    if (b >= 0) return (int64_t)pow_unsigned((uint64_t)a, (uint64_t)b);
    if (a == 1) return 1;
    return a == -1 ? (b & 1 ? -1 : 1) : 0;
}

static uint64_t shift_left(uint64_t a, uint64_t b) { return b < 64 ? a << b : 0; }

static uint64_t shift_right(uint64_t a, uint64_t b) { return b < 64 ? a >> b : 0; }

static int64_t shift_right_signed(int64_t a, int64_t b)
{
    if (b < 0 || b > 63) return a < 0 ? -1 : 0;
    return a >= 0 ? a >> b : ~(~a >> b); /* keeps the sign */
}

/* Sums in unsigned arithmetic: it wraps, where signed would be undefined. */
#define INT_OPS(S, T, U, LOOP, DIV, MOD, FMOD, POW) \
    LOOP(add_##S, T, T, (U)a + (U)b)                \
    LOOP(sub_##S, T, T, (U)a - (U)b)                \
    LOOP(mul_##S, T, T, (U)a *(U)b)                 \
    LOOP(min_##S, T, T, a < b ? a : b)              \
    LOOP(max_##S, T, T, a > b ? a : b)              \
    UC_LOOP2_SMALL(div_##S, T, T, DIV(a, b))        \
    UC_LOOP2_SMALL(mod_##S, T, T, MOD(a, b))        \
    UC_LOOP2_SMALL(fmod_##S, T, T, FMOD(a, b))      \
    UC_LOOP2_SMALL(pow_##S, T, T, POW(a, b))        \
    UC_LOOP2_SMALL(bitand_##S, T, T, a &b)          \
    UC_LOOP2_SMALL(bitor_##S, T, T, a | b)          \
    UC_LOOP2_SMALL(bitxor_##S, T, T, a ^ b)

#define SIGNED_OPS(S, T, U, LOOP)                                          \
    INT_OPS(S, T, U, LOOP, div_signed, mod_signed, rem_signed, pow_signed) \
    UC_LOOP2_SMALL(shl_##S, T, T, shift_left((uint64_t)a, (uint64_t)b))    \
    UC_LOOP2_SMALL(shr_##S, T, T, shift_right_signed(a, b))
#define UNSIGNED_OPS(S, T, U, LOOP)                                                \
    INT_OPS(S, T, U, LOOP, div_unsigned, mod_unsigned, mod_unsigned, pow_unsigned) \
    UC_LOOP2_SMALL(shl_##S, T, T, shift_left(a, b))                                \
    UC_LOOP2_SMALL(shr_##S, T, T, shift_right(a, b))

SIGNED_OPS(i8, int8_t, uint32_t, UC_LOOP2_SMALL)
SIGNED_OPS(i16, int16_t, uint32_t, UC_LOOP2_SMALL)
SIGNED_OPS(i32, int32_t, uint32_t, UC_LOOP2)
SIGNED_OPS(i64, int64_t, uint64_t, UC_LOOP2)
UNSIGNED_OPS(u8, uint8_t, uint32_t, UC_LOOP2)
UNSIGNED_OPS(u16, uint16_t, uint32_t, UC_LOOP2_SMALL)
UNSIGNED_OPS(u32, uint32_t, uint32_t, UC_LOOP2_SMALL)
UNSIGNED_OPS(u64, uint64_t, uint64_t, UC_LOOP2_SMALL)

/* ---- table -------------------------------------------------------------------------------- */

#define FLOAT_ROW(S)                                                                     \
    {                                                                                    \
        add_##S, sub_##S, mul_##S, div_##S, mod_##S, fmod_##S, min_##S, max_##S, pow_##S \
    }
#define INT_ROW(S)                                                                        \
    {                                                                                     \
        add_##S, sub_##S, mul_##S, div_##S, mod_##S, fmod_##S, min_##S, max_##S, pow_##S, \
            bitand_##S, bitor_##S, bitxor_##S, shl_##S, shr_##S                           \
    }

static const uc_loop_fn loops[][UC_BINARY_COUNT] = {
    [UNCORK_FLOAT64] = FLOAT_ROW(f64), [UNCORK_FLOAT32] = FLOAT_ROW(f32),
    [UNCORK_INT8] = INT_ROW(i8),       [UNCORK_INT16] = INT_ROW(i16),
    [UNCORK_INT32] = INT_ROW(i32),     [UNCORK_INT64] = INT_ROW(i64),
    [UNCORK_UINT8] = INT_ROW(u8),      [UNCORK_UINT16] = INT_ROW(u16),
    [UNCORK_UINT32] = INT_ROW(u32),    [UNCORK_UINT64] = INT_ROW(u64),
};

uc_loop_fn uc_loop_binary(uc_binary op, uncork_dtype dtype)
{
    return (size_t)dtype < sizeof loops / sizeof loops[0] ? loops[dtype][op] : NULL;
}
