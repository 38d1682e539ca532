/* Loops with a choice or a number in them: Where, Clip, and activations with a parameter. */
#include "kernel/loop.h"

#include <math.h>

/* ---- where: moves bytes, so one loop a size ----------------------------------------------- */

typedef struct bytes16 {
    uint64_t half[2];
} bytes16;

#define WHERE(NAME, T)                                                 \
    static void NAME(char *const *p, const int64_t *step, int64_t n)   \
    {                                                                  \
        for (int64_t i = 0; i < n; i++) {                              \
            int k = *(const uint8_t *)(p[1] + i * step[1]) ? 2 : 3;    \
            memcpy(p[0] + i * step[0], p[k] + i * step[k], sizeof(T)); \
        }                                                              \
    }

WHERE(where_1, uint8_t)
WHERE(where_2, uint16_t)
WHERE(where_4, uint32_t)
WHERE(where_8, uint64_t)
WHERE(where_16, bytes16)

uc_loop_fn uc_loop_where(size_t size)
{
    switch (size) {
    case 1: return where_1;
    case 2: return where_2;
    case 4: return where_4;
    case 8: return where_8;
    case 16: return where_16;
    default: return NULL;
    }
}

/* ---- clip --------------------------------------------------------------------------------- */

/* a < low ? low : a keeps a NaN. */
#define CLIP(NAME, T)                                                      \
    static void NAME(char *const *p, const int64_t *step, int64_t n)       \
    {                                                                      \
        for (int64_t i = 0; i < n; i++) {                                  \
            T a = *(const T *)(const void *)(p[1] + i * step[1]);          \
            const T low = *(const T *)(const void *)(p[2] + i * step[2]);  \
            const T high = *(const T *)(const void *)(p[3] + i * step[3]); \
            a = a < low ? low : a;                                         \
            *(T *)(void *)(p[0] + i * step[0]) = a > high ? high : a;      \
        }                                                                  \
    }

CLIP(clip_f64, double)
CLIP(clip_f32, float)
CLIP(clip_i8, int8_t)
CLIP(clip_i16, int16_t)
CLIP(clip_i32, int32_t)
CLIP(clip_i64, int64_t)
CLIP(clip_u8, uint8_t)
CLIP(clip_u16, uint16_t)
CLIP(clip_u32, uint32_t)
CLIP(clip_u64, uint64_t)

uc_loop_fn uc_loop_clip(uncork_dtype dtype)
{
    static const uc_loop_fn loops[] = {
        [UNCORK_FLOAT64] = clip_f64, [UNCORK_FLOAT32] = clip_f32, [UNCORK_INT8] = clip_i8,
        [UNCORK_INT16] = clip_i16,   [UNCORK_INT32] = clip_i32,   [UNCORK_INT64] = clip_i64,
        [UNCORK_UINT8] = clip_u8,    [UNCORK_UINT16] = clip_u16,  [UNCORK_UINT32] = clip_u32,
        [UNCORK_UINT64] = clip_u64,
    };
    return (size_t)dtype < sizeof loops / sizeof loops[0] ? loops[dtype] : NULL;
}

/* ---- one parameter ------------------------------------------------------------------------ */

static double celu(double x, double k)
{
    return (x > 0 ? x : 0) + (x < 0 ? k * expm1(x / k) : (x != x ? x : 0));
}

static double swish(double x, double k)
{
    double z = k * x, e = exp(-fabs(z));
    return x * (z >= 0 ? 1 / (1 + e) : e / (1 + e)); /* NaN: z >= 0 is false, e is NaN */
}

UC_LOOP2(leaky_f64, double, double, a < 0 ? b * a : a)
UC_LOOP2(leaky_f32, float, float, a < 0 ? b * a : a)
UC_LOOP2(elu_f64, double, double, a < 0 ? b * expm1(a) : a)
UC_LOOP2(elu_f32, float, float, a < 0 ? b * expm1f(a) : a)
UC_LOOP2_SMALL(celu_f64, double, double, celu(a, b))
UC_LOOP2_SMALL(celu_f32, float, float, celu((double)a, (double)b))
UC_LOOP2(thresholded_f64, double, double, a > b ? a : (a != a ? a : 0))
UC_LOOP2(thresholded_f32, float, float, a > b ? a : (a != a ? a : 0))
UC_LOOP2_SMALL(swish_f64, double, double, swish(a, b))
UC_LOOP2_SMALL(swish_f32, float, float, swish((double)a, (double)b))

uc_loop_fn uc_loop_scaled(uc_scaled op, uncork_dtype dtype)
{
    static const uc_loop_fn f64[] = {leaky_f64, elu_f64, celu_f64, thresholded_f64, swish_f64};
    static const uc_loop_fn f32[] = {leaky_f32, elu_f32, celu_f32, thresholded_f32, swish_f32};
    return dtype == UNCORK_FLOAT64 ? f64[op] : (dtype == UNCORK_FLOAT32 ? f32[op] : NULL);
}

/* ---- two parameters ----------------------------------------------------------------------- */

#define LOOP3(NAME, T, EXPR)                                            \
    static void NAME(char *const *p, const int64_t *step, int64_t n)    \
    {                                                                   \
        const T k = *(const T *)(const void *)p[2];                     \
        const T m = *(const T *)(const void *)p[3];                     \
        for (int64_t i = 0; i < n; i++) {                               \
            const T a = *(const T *)(const void *)(p[1] + i * step[1]); \
            *(T *)(void *)(p[0] + i * step[0]) = (T)(EXPR);             \
        }                                                               \
    }

/* NaN fails both comparisons and stays. */
#define WITHIN_01(v) ((v) < 0 ? 0 : ((v) > 1 ? 1 : (v)))
#define SHRINK(a)    ((a) < -k ? (a) + m : ((a) > k ? (a)-m : ((a) != (a) ? (a) : 0)))

LOOP3(hard_sigmoid_f64, double, WITHIN_01(k *a + m))
LOOP3(hard_sigmoid_f32, float, WITHIN_01(k *a + m))
LOOP3(selu_f64, double, m *(a > 0 ? a : k * expm1(a)))
LOOP3(selu_f32, float, m *(a > 0 ? a : k * expm1f(a)))
LOOP3(shrink_f64, double, SHRINK(a))
LOOP3(shrink_f32, float, SHRINK(a))

uc_loop_fn uc_loop_scaled_twice(uc_scaled_twice op, uncork_dtype dtype)
{
    static const uc_loop_fn f64[] = {hard_sigmoid_f64, selu_f64, shrink_f64};
    static const uc_loop_fn f32[] = {hard_sigmoid_f32, selu_f32, shrink_f32};
    return dtype == UNCORK_FLOAT64 ? f64[op] : (dtype == UNCORK_FLOAT32 ? f32[op] : NULL);
}
