/* Functions of one quantised element, as XNNPACK and TensorFlow Lite compute them.
 * Sources: XNNPACK src/{reference/unary-elementwise.cc,qs8-vlrelu,qs8-vcvt}; tensorflow/lite/kernels/
 * {activations,elementwise,quantize}.cc, kernels/internal/{common.h,reference/{hard_swish,leaky_relu}.h,
 * reference/integer_ops/{logistic,tanh}.h}. */
#include "op/ext/q_unary.h"

#include <math.h>
#include <stdlib.h>

#define SQRT1_2    0.70710678118654752440
#define TWO_SQRTPI 1.12837916709551257390

const char *const uc_q_function_names[UC_Q_FUNCTIONS] = {
    "identity",  "leaky_relu", "logistic", "tanh", "elu",   "gelu",
    "gelu_tanh", "hard_swish", "exp",      "log",  "rsqrt", "abs"};

/* ---- floats ------------------------------------------------------------------------------------ */

static float real_of(const uc_q_unary *u, float x)
{
    switch ((int)u->function) {
    case UC_Q_LOGISTIC:
        if (u->rule != UC_Q_XNNPACK) return 1.0f / (1.0f + expf(-x));
        if (x > 100) return 1;
        if (x < -100) return 0;
        return (float)(exp((double)x) / (1 + exp((double)x)));
    case UC_Q_TANH: return tanhf(x);
    case UC_Q_ELU: return x < 0 ? expm1f(x) : x;
    case UC_Q_GELU: return 0.5f * x * erfcf(x * (float)-SQRT1_2);
    case UC_Q_GELU_TANH:
        return 0.5f * x *
               (1.f + tanhf((float)(TWO_SQRTPI * SQRT1_2) * (x + 0.044715f * x * x * x)));
    case UC_Q_EXP: return expf(x);
    case UC_Q_LOG: return logf(x);
    default: return x;
    }
}

/* By way of float32, rounded half to even, or half away from zero. */
static int32_t through_floats(const uc_q_unary *u, int32_t q)
{
    const float x = u->x.scale * (float)(q - u->x.zero), inverse = 1.0f / u->y.scale;
    const float y = real_of(u, x) * inverse;
    if (u->rule == UC_Q_XNNPACK) {
        float v = y + (float)u->y.zero;
        v = v > (float)u->low ? v : (float)u->low;
        v = v < (float)u->high ? v : (float)u->high;
        return (int32_t)rintf(v);
    }
    const float v = roundf(y) + (float)u->y.zero;
    return (int32_t)(v > (float)u->high ? (float)u->high : v > (float)u->low ? v : (float)u->low);
}

/* ---- fixed point ------------------------------------------------------------------------------- */

static int32_t rescaled(const uc_q_unary *u, int32_t d)
{
    const float scale = u->x.scale / u->y.scale;
    if (u->rule == UC_Q_XNNPACK) return (d * (int32_t)lrintf(256.0f * scale) + 128) >> 8;
    return uc_fixed_twice(d, u->fixed);
}

static int32_t leaky(const uc_q_unary *u, int32_t d)
{
    if (d >= 0) return rescaled(u, d);
    if (u->rule == UC_Q_XNNPACK) {
        const float scale = u->x.scale / u->y.scale * u->alpha;
        return (d * (int32_t)lrintf(256.0f * scale) + 128) >> 8;
    }
    const int32_t v = uc_fixed_twice(d, u->fixed_alpha);
    return u->alpha < 0 ? -v : v;
}

static int16_t shorter(int32_t m)
{
    return m >= INT32_MAX - (1 << 15) ? INT16_MAX : (int16_t)((m + (1 << 15)) >> 16);
}

static int16_t high16(int16_t a, int16_t b)
{
    const int32_t ab = a * b, nudge = ab >= 0 ? 1 << 14 : 1 - (1 << 14);
    return a == b && a == INT16_MIN ? INT16_MAX : (int16_t)((ab + nudge) / (1 << 15));
}

static int16_t left16(int16_t v, int amount)
{
    return (int16_t)uc_fixed_clamp(amount > 15 ? (v > 0   ? INT16_MAX
                                                  : v < 0 ? INT16_MIN
                                                          : 0)
                                               : v * (1 << amount),
                                   INT16_MIN, INT16_MAX);
}

static int32_t hard_swish(const uc_q_unary *u, int32_t d)
{
    const float fine = (1.0f / 128.0f) * u->x.scale;
    const uc_fixed out = uc_fixed_of((double)(fine / u->y.scale));
    const uc_fixed relu = uc_fixed_of((double)(fine / (3.0f / 32768.0f)));
    const int16_t x = (int16_t)(d * (1 << 7));
    const int16_t scaled = high16(x, shorter(out.m));
    int16_t part = x;
    if (relu.shift > 0) part = left16(part, relu.shift - 1);
    part = high16(part, shorter(relu.m));
    if (relu.shift > 0) part = left16(part, 1);
    if (relu.shift < 0) part = (int16_t)uc_fixed_down(part, -relu.shift);
    part = (int16_t)((part + (1 << 15)) >> 1);
    const int32_t product = part * scaled;
    const int16_t y =
        part == scaled && part == INT16_MIN ? INT16_MAX : (int16_t)(product / (1 << 15));
    return (int16_t)uc_fixed_down(y, out.shift < 0 ? -out.shift : 0);
}

/* 1 / sqrt(d) as multiplier and shift: Newton's steps in fixed point
 * (GetInvSqrtQuantizedMultiplierExp of kernels/internal/quantization_util.cc or common.h). */

static uc_fixed inverse_root(int32_t d)
{
    if (d <= 1) return (uc_fixed){INT32_MAX, 0};
    int shift = 11;
    while (d >= 1 << 29) {
        d /= 4;
        shift++;
    }
    const int bits = __builtin_clz((uint32_t)d) - 1, pairs = bits / 2 - 1;
    shift -= pairs;
    d = pairs < 0 ? d >> 2 : d << 2 * pairs;
    /* Fixed point with 3 integer bits of a and 1.5 x, x in it: half, threequarters. */
    const int32_t half = uc_fixed_down(d >> 1, 1);
    int32_t x = 1 << 28;
    for (int i = 0; i < 5; i++) {
        const int32_t cubed = /* of 9 integer bits, as one of 3 */
            uc_fixed_clamp(uc_fixed_high(uc_fixed_high(x, x), x), INT32_MIN / 64, INT32_MAX / 64) *
            64;
        const int32_t one = uc_fixed_high(3 << 27, x), two = uc_fixed_high(half, cubed);
        x = uc_fixed_clamp(one - two, INT32_MIN / 8, INT32_MAX / 8) * 8;
    }
    const int32_t half_sqrt2 = 1518500250; /* sqrt(2) / 2 in Q0.31 */
    uc_fixed f = {uc_fixed_high(x, half_sqrt2), shift};
    if (f.shift < 0) {
        f.m = uc_fixed_left(f.m, -f.shift);
        f.shift = 0;
    }
    f.shift = -f.shift;
    return f;
}

static int32_t rsqrt_of(const uc_q_unary *u, int32_t d)
{
    if (d <= 0) return u->high - u->y.zero;
    const uc_fixed root = inverse_root(d);
    const int32_t data = uc_fixed_twice(1, (uc_fixed){root.m, root.shift + 20});
    const uc_fixed scale = uc_fixed_of(1.0 / (double)(sqrtf(u->x.scale) * u->y.scale));
    return uc_fixed_twice(data, (uc_fixed){scale.m, scale.shift - 20});
}

/* ---- 16 bits ------------------------------------------------------------------------------------- */

int16_t uc_q_table_at(const int16_t *table, int16_t q)
{
    const int index = 256 + (q >> 7), offset = q & 0x7f;
    const int32_t base = table[index], slope = table[index + 1] - base;
    return (int16_t)(base + ((slope * offset + 64) >> 7));
}

/* Written for both kinds of float: every step is rounded to it. */
#define TABLE_FILL(NAME, REAL, ROUND)                                                            \
    void NAME(int16_t *table, REAL x_scale, int32_t x_zero, REAL y_scale, int32_t y_zero,        \
              REAL (*f)(REAL))                                                                   \
    {                                                                                            \
        const REAL least = x_scale * (REAL)(INT16_MIN - x_zero);                                 \
        const REAL most = x_scale * (REAL)(INT16_MAX - x_zero);                                  \
        const REAL low = y_scale * (REAL)(INT16_MIN - y_zero);                                   \
        const REAL high = y_scale * (REAL)(INT16_MAX - y_zero);                                  \
        const REAL step = (most - least) / 512, half = step / 2, inverse = 65536 / (high - low); \
        for (int i = 0; i <= 512; i++) {                                                         \
            const REAL at = least + (REAL)i * step;                                              \
            REAL v = ROUND(f(i < 512 ? at : most) * inverse);                                    \
            if (i < 512) {                                                                       \
                const REAL middle = ROUND(f(at + half) * inverse);                               \
                const REAL between = ROUND((f(least + (REAL)(i + 1) * step) * inverse + v) / 2); \
                v -= ROUND((between - middle) / 2);                                              \
            }                                                                                    \
            table[i] = (int16_t)(v < -32768 ? -32768 : v > 32767 ? 32767 : v);                   \
        }                                                                                        \
    }

TABLE_FILL(uc_q_table_fill, double, round)
TABLE_FILL(uc_q_table_fill_short, float, roundf)

static const uint16_t sigmoid[256] = {
#include "op/ext/q_sigmoid.def"
};

/* Input multiplier and shift to 1 / (3 * 4096), the table's scale; false where the scale is a power of two
 * and the values are used as they are. */
static int32_t curve16(const uc_q_unary *u, int32_t q)
{
    const bool tanh_wanted = u->function == UC_Q_TANH;
    int shift;
    const double log2_scale = log2((double)u->x.scale), rounded = nearbyint(log2_scale);
    int32_t multiplier = 0;
    shift = 12 + (int)rounded;
    const bool power =
        fabs(log2_scale - rounded) < 1e-3 && (shift == 0 || (shift == 1 && tanh_wanted));
    if (!power) {
        double m = (double)u->x.scale * 4096.0 * 3.0;
        shift = 0;
        while (m <= 32767.0 / 2.0 && shift <= 30) {
            shift++;
            m *= 2;
        }
        multiplier = (int32_t)m;
    }
    if (multiplier == 0) {
        multiplier = 3 << shift;
        shift = 0;
    }
    const int32_t round = shift > 0 ? 1 << (shift - 1) : 0;
    const int32_t x = (int32_t)(((int64_t)q * multiplier + round) >> shift);
    const uint32_t size = x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
    const uint32_t at = size >> (tanh_wanted ? 8 : 9);
    if (tanh_wanted) {
        int32_t v = (0xffff << 8) - (1 << 23);
        if (at < 255) {
            const uint32_t a = sigmoid[at], b = sigmoid[at + 1];
            v = (int32_t)((a << 8) + (b - a) * (size & 0xff)) - (1 << 23);
        }
        v = (x < 0 ? -v + (1 << 7) - 1 : v + (1 << 7)) >> 8;
        return uc_fixed_clamp(v, INT16_MIN, INT16_MAX);
    }
    uint32_t v = 0x7fffu << 10;
    if (at < 255) {
        const uint32_t a = sigmoid[at], b = sigmoid[at + 1];
        v = (a << 9) + (b - a) * (size & 0x1ff);
    }
    v = x >= 0 ? v + (1 << 9) : (1u << 25) - v + (1 << 9) - 1;
    return (int32_t)(v >> 10);
}

/* ---- all ------------------------------------------------------------------------------------------ */

static float exp_of(float x) { return expf(x); }

void uc_q_unary_begin(uc_q_unary *u)
{
    const float ratio = u->x.scale / u->y.scale;
    const bool exact = u->function == UC_Q_IDENTITY && u->rule != UC_Q_XNNPACK && u->alpha == 0;
    u->fixed = uc_fixed_of(exact ? (double)u->x.scale / (double)u->y.scale : (double)ratio);
    u->fixed_alpha = uc_fixed_of((double)(u->x.scale * fabsf(u->alpha) / u->y.scale));
    if (u->wide && u->function == UC_Q_EXP)
        uc_q_table_fill_short(u->table, u->x.scale, u->x.zero, u->y.scale, u->y.zero, exp_of);
}

int32_t uc_q_unary_at(const uc_q_unary *u, int32_t q)
{
    const int32_t d = q - u->x.zero;
    int32_t v;
    if (u->wide && (u->function == UC_Q_LOGISTIC || u->function == UC_Q_TANH)) return curve16(u, q);
    if (u->wide && u->function == UC_Q_EXP) return uc_q_table_at(u->table, (int16_t)q);
    switch ((int)u->function) {
    case UC_Q_IDENTITY: v = rescaled(u, d); break;
    case UC_Q_LEAKY_RELU: v = leaky(u, d); break;
    case UC_Q_HARD_SWISH: v = hard_swish(u, d); break;
    case UC_Q_RSQRT: v = rsqrt_of(u, d); break;
    case UC_Q_ABS: v = u->x.scale == u->y.scale ? abs(d) : uc_fixed_twice(abs(d), u->fixed); break;
    default: return through_floats(u, q);
    }
    return uc_fixed_clamp((int32_t)((uint32_t)v + (uint32_t)u->y.zero), u->low, u->high);
}
