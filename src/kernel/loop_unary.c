/* One number to one of the same type. NaN stays NaN everywhere. */
#include "kernel/loop.h"
#include "kernel/vmath.h"

#include <math.h>

#define SQRT_1_2  0.70710678118654752440
#define SQRT_2_PI 0.79788456080286535588

/* ---- formulas that need more than a library call ------------------------------------------ */

/* log(1 + exp(x)) without overflow. */
static double softplus(double x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }

static float softplusf(float x) { return (float)softplus((double)x); }

static double mish(double x) { return x * tanh(softplus(x)); }

static float mishf(float x) { return (float)mish((double)x); }

static double gelu(double x) { return 0.5 * x * (1 + erf(x * SQRT_1_2)); }

static float geluf(float x) { return (float)gelu((double)x); }

static double gelu_tanh(double x)
{
    return 0.5 * x * (1 + tanh(SQRT_2_PI * (x + 0.044715 * x * x * x)));
}

static float gelu_tanhf(float x) { return (float)gelu_tanh((double)x); }

static double hard_sigmoid6(double x)
{
    double y = x / 6 + 0.5;
    return y < 0 ? 0 : (y > 1 ? 1 : y);
}

/* 0 for zeros, NaN for NaN. */
#define SIGN(a) ((a) > 0 ? 1 : ((a) < 0 ? -1 : ((a) == 0 ? 0 : (a))))

#define FLOAT_OPS(S, T, F)                                             \
    UC_LOOP1(neg_##S, T, T, -a)                                        \
    UC_LOOP1(abs_##S, T, T, fabs##F(a))                                \
    UC_LOOP1(sign_##S, T, T, SIGN(a))                                  \
    UC_LOOP1(floor_##S, T, T, floor##F(a))                             \
    UC_LOOP1(ceil_##S, T, T, ceil##F(a))                               \
    UC_LOOP1(round_##S, T, T, rint##F(a))                              \
    UC_LOOP1(relu_##S, T, T, a < 0 ? 0 : a)                            \
    UC_LOOP1(sqrt_##S, T, T, sqrt##F(a))                               \
    UC_LOOP1(reciprocal_##S, T, T, 1 / a)                              \
    UC_LOOP1(softplus_##S, T, T, softplus##F(a))                       \
    UC_LOOP1(softsign_##S, T, T, a / (1 + fabs##F(a)))                 \
    UC_LOOP1(erf_##S, T, T, erf##F(a))                                 \
    UC_LOOP1(sin_##S, T, T, sin##F(a))                                 \
    UC_LOOP1(cos_##S, T, T, cos##F(a))                                 \
    UC_LOOP1(tan_##S, T, T, tan##F(a))                                 \
    UC_LOOP1(asin_##S, T, T, asin##F(a))                               \
    UC_LOOP1(acos_##S, T, T, acos##F(a))                               \
    UC_LOOP1(atan_##S, T, T, atan##F(a))                               \
    UC_LOOP1(sinh_##S, T, T, sinh##F(a))                               \
    UC_LOOP1(cosh_##S, T, T, cosh##F(a))                               \
    UC_LOOP1(asinh_##S, T, T, asinh##F(a))                             \
    UC_LOOP1(acosh_##S, T, T, acosh##F(a))                             \
    UC_LOOP1(atanh_##S, T, T, atanh##F(a))                             \
    UC_LOOP1(hardswish_##S, T, T, (double)a *hard_sigmoid6((double)a)) \
    UC_LOOP1(mish_##S, T, T, mish##F(a))                               \
    UC_LOOP1(gelu_##S, T, T, gelu##F(a))                               \
    UC_LOOP1(gelu_tanh_##S, T, T, gelu_tanh##F(a))                     \
    UC_LOOP1(is_nan_##S, uint8_t, T, a != a)

/* By arrays, so that an element's bits don't depend on how it is walked. */
#define ARRAY(NAME, T, F)                                                     \
    static void NAME(char *const *p, const int64_t *step, int64_t n)          \
    {                                                                         \
        enum { CHUNK = 64 };                                                  \
        T room[CHUNK];                                                        \
        if (step[0] == (int64_t)sizeof(T) && step[1] == (int64_t)sizeof(T)) { \
            F((const T *)(const void *)p[1], (T *)(void *)p[0], (size_t)n);   \
            return;                                                           \
        }                                                                     \
        for (int64_t at = 0; at < n; at += CHUNK) {                           \
            int64_t some = n - at < CHUNK ? n - at : CHUNK;                   \
            for (int64_t i = 0; i < some; i++) {                              \
                memcpy(&room[i], p[1] + (at + i) * step[1], sizeof(T));       \
            }                                                                 \
            F(room, room, (size_t)some);                                      \
            for (int64_t i = 0; i < some; i++) {                              \
                memcpy(p[0] + (at + i) * step[0], &room[i], sizeof(T));       \
            }                                                                 \
        }                                                                     \
    }

ARRAY(exp_f64, double, uc_exp_f64)
ARRAY(log_f64, double, uc_log_f64)
ARRAY(tanh_f64, double, uc_tanh_f64)
ARRAY(sigmoid_f64, double, uc_expit_f64)
ARRAY(exp_f32, float, uc_exp_f32)
ARRAY(log_f32, float, uc_log_f32)
ARRAY(tanh_f32, float, uc_tanh_f32)
ARRAY(sigmoid_f32, float, uc_expit_f32)

FLOAT_OPS(f64, double, )
FLOAT_OPS(f32, float, f)

#define SIGNED_OPS(S, T, U)                          \
    UC_LOOP1(neg_##S, T, T, 0 - (U)a)                \
    UC_LOOP1(abs_##S, T, T, a < 0 ? 0 - (U)a : (U)a) \
    UC_LOOP1(sign_##S, T, T, SIGN(a))                \
    UC_LOOP1(relu_##S, T, T, a < 0 ? 0 : a)          \
    UC_LOOP1(bitnot_##S, T, T, ~a)

#define UNSIGNED_OPS(S, T)                  \
    UC_LOOP1(abs_##S, T, T, a)              \
    UC_LOOP1(sign_##S, T, T, a > 0 ? 1 : 0) \
    UC_LOOP1(bitnot_##S, T, T, ~a)

SIGNED_OPS(i8, int8_t, uint8_t)
SIGNED_OPS(i16, int16_t, uint16_t)
SIGNED_OPS(i32, int32_t, uint32_t)
SIGNED_OPS(i64, int64_t, uint64_t)
UNSIGNED_OPS(u8, uint8_t)
UNSIGNED_OPS(u16, uint16_t)
UNSIGNED_OPS(u32, uint32_t)
UNSIGNED_OPS(u64, uint64_t)

/* ---- table -------------------------------------------------------------------------------- */

#define FLOAT_ROW(S)                                                                              \
    {                                                                                             \
        [UC_NEG] = neg_##S, [UC_ABS] = abs_##S, [UC_SIGN] = sign_##S, [UC_FLOOR] = floor_##S,     \
        [UC_CEIL] = ceil_##S, [UC_ROUND] = round_##S, [UC_RELU] = relu_##S, [UC_SQRT] = sqrt_##S, \
        [UC_RECIPROCAL] = reciprocal_##S, [UC_EXP] = exp_##S, [UC_LOG] = log_##S,                 \
        [UC_TANH] = tanh_##S, [UC_SIGMOID] = sigmoid_##S, [UC_SOFTPLUS] = softplus_##S,           \
        [UC_SOFTSIGN] = softsign_##S, [UC_ERF] = erf_##S, [UC_SIN] = sin_##S, [UC_COS] = cos_##S, \
        [UC_TAN] = tan_##S, [UC_ASIN] = asin_##S, [UC_ACOS] = acos_##S, [UC_ATAN] = atan_##S,     \
        [UC_SINH] = sinh_##S, [UC_COSH] = cosh_##S, [UC_ASINH] = asinh_##S,                       \
        [UC_ACOSH] = acosh_##S, [UC_ATANH] = atanh_##S, [UC_HARDSWISH] = hardswish_##S,           \
        [UC_MISH] = mish_##S, [UC_GELU] = gelu_##S, [UC_GELU_TANH] = gelu_tanh_##S                \
    }
#define SIGNED_ROW(S)                                                                           \
    {                                                                                           \
        [UC_NEG] = neg_##S, [UC_ABS] = abs_##S, [UC_SIGN] = sign_##S, [UC_BITNOT] = bitnot_##S, \
        [UC_RELU] = relu_##S                                                                    \
    }
#define UNSIGNED_ROW(S)                                                    \
    {                                                                      \
        [UC_ABS] = abs_##S, [UC_SIGN] = sign_##S, [UC_BITNOT] = bitnot_##S \
    }

static const uc_loop_fn loops[][UC_UNARY_COUNT] = {
    [UNCORK_FLOAT64] = FLOAT_ROW(f64),   [UNCORK_FLOAT32] = FLOAT_ROW(f32),
    [UNCORK_INT8] = SIGNED_ROW(i8),      [UNCORK_INT16] = SIGNED_ROW(i16),
    [UNCORK_INT32] = SIGNED_ROW(i32),    [UNCORK_INT64] = SIGNED_ROW(i64),
    [UNCORK_UINT8] = UNSIGNED_ROW(u8),   [UNCORK_UINT16] = UNSIGNED_ROW(u16),
    [UNCORK_UINT32] = UNSIGNED_ROW(u32), [UNCORK_UINT64] = UNSIGNED_ROW(u64),
};

uc_loop_fn uc_loop_unary(uc_unary op, uncork_dtype dtype)
{
    return (size_t)dtype < sizeof loops / sizeof loops[0] ? loops[dtype][op] : NULL;
}

uc_loop_fn uc_loop_is_nan(uncork_dtype dtype)
{
    return dtype == UNCORK_FLOAT64 ? is_nan_f64 : (dtype == UNCORK_FLOAT32 ? is_nan_f32 : NULL);
}
