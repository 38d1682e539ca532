/* Floats of 8, 6 and 4 bits, elements packed below a byte, and any type as float32.
 *
 * Sources: OCP 8-bit Floating Point Specification 1.0; "8-bit Numerical Formats for Deep Neural Networks"
 * (Noune et al., 2022: the FNUZ kinds); OCP Microscaling Formats 1.0 (E2M1, E2M3, E3M2, E8M0); ONNX
 * operator Cast 28 for what is out of range. */
#include "base/dtype.h"

#include <math.h>

typedef struct narrow {
    uint8_t bits, mantissa, bias;
    uint8_t largest;  /* magnitude of the largest number */
    uint8_t infinite; /* what a larger one becomes when it mustn't saturate; 0: it always does */
    uint8_t nan;
    bool unsigned_zero; /* FNUZ: no -0, its bits are NaN */
} narrow;

static const narrow *narrow_of(uncork_dtype dtype)
{
    static const narrow rows[] = {
        {8, 3, 7, 0x7e, 0x7f, 0x7f, false},  /* E4M3FN */
        {8, 3, 8, 0x7f, 0x80, 0x80, true},   /* E4M3FNUZ */
        {8, 2, 15, 0x7b, 0x7c, 0x7e, false}, /* E5M2 */
        {8, 2, 16, 0x7f, 0x80, 0x80, true},  /* E5M2FNUZ */
        {4, 1, 1, 0x07, 0, 0x08, false},     /* E2M1: NaN is -0 in ml_dtypes, ONNX's reference */
        {6, 3, 1, 0x1f, 0, 0x20, false},     /* E2M3 */
        {6, 2, 3, 0x1f, 0, 0x20, false},     /* E3M2 */
    };
    switch ((int)dtype) {
    case UNCORK_FLOAT8E4M3FN: return &rows[0];
    case UNCORK_FLOAT8E4M3FNUZ: return &rows[1];
    case UNCORK_FLOAT8E5M2: return &rows[2];
    case UNCORK_FLOAT8E5M2FNUZ: return &rows[3];
    case UNCORK_FLOAT4E2M1: return &rows[4];
    case UNCORK_FLOAT6E2M3: return &rows[5];
    default: return &rows[6];
    }
}

float uc_f8_to_f32(uint8_t v, uncork_dtype dtype)
{
    if (dtype == UNCORK_FLOAT8E8M0) return v == 255 ? NAN : ldexpf(1.0f, v - 127);
    const narrow *t = narrow_of(dtype);
    unsigned sign = v >> (t->bits - 1) & 1u, magnitude = v & ((1u << (t->bits - 1)) - 1);
    unsigned exponent = magnitude >> t->mantissa, fraction = magnitude & ((1u << t->mantissa) - 1);
    if (t->unsigned_zero && v == 0x80) return NAN;
    if (magnitude > t->largest) {
        bool infinite = dtype == UNCORK_FLOAT8E5M2 && !fraction;
        if (!infinite) return NAN;
        return sign ? -INFINITY : INFINITY;
    }
    float one = exponent ? 1.0f : 0.0f;
    float value = ldexpf(one + ldexpf((float)fraction, -(int)t->mantissa),
                         (exponent ? (int)exponent : 1) - (int)t->bias);
    return sign ? -value : value;
}

uint8_t uc_f64_to_f8(double d, uncork_dtype dtype, bool saturate)
{
    const narrow *t = narrow_of(dtype);
    unsigned sign = signbit(d) ? 1u << (t->bits - 1) : 0;
    double a = fabs(d);
    if (isnan(d)) return t->unsigned_zero || !t->infinite ? t->nan : (uint8_t)(sign | t->nan);
    int least = 1 - (int)t->bias,
        e = least; /* a = r * 2^(e - mantissa), r below 2^(mantissa + 1) */
    if (a > 0 && !isinf(a) && ilogb(a) > least) e = ilogb(a);
    double r = isinf(a) ? 1e9 : nearbyint(ldexp(a, (int)t->mantissa - e));
    /* r carries the leading 1, which the exponent field below lacks: they add up. */
    double code = r + ldexp((double)(e - least), t->mantissa);
    if (code > (double)t->largest) {
        if (saturate || !t->infinite) return (uint8_t)(sign | t->largest);
        return t->unsigned_zero ? t->nan : (uint8_t)(sign | t->infinite);
    }
    if (code == 0 && t->unsigned_zero) return 0;
    return (uint8_t)(sign | (unsigned)code);
}

uint8_t uc_f32_to_e8m0(float f, uc_e8m0_round round, bool saturate)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    unsigned exponent = u >> 23 & 0xff, fraction = u & 0x7fffff, up = 0;
    if (exponent == 0xff) return saturate && !fraction ? 0xfe : 0xff;
    if (f == 0) return saturate ? 0 : 0xff; /* Cast 28's table */
    if (round == UC_E8M0_UP) up = fraction != 0;
    if (round == UC_E8M0_NEAREST) up = fraction > 0x400000 || (fraction == 0x400000 && exponent);
    if (saturate && exponent == 0xfe) up = 0;
    return (uint8_t)(exponent + up);
}

/* ---- packed elements ---------------------------------------------------------------------- */

unsigned uc_bits_load(const void *data, int64_t i, int bits)
{
    const uint8_t *p = data;
    uint64_t bit = (uint64_t)i * (unsigned)bits;
    unsigned at = bit & 7, v = p[bit >> 3] >> at;
    if (at + (unsigned)bits > 8) v |= (unsigned)p[(bit >> 3) + 1] << (8 - at); /* 6 bits straddle */
    return v & ((1u << bits) - 1);
}

void uc_bits_store(void *data, int64_t i, int bits, unsigned value)
{
    uint8_t *p = data;
    uint64_t bit = (uint64_t)i * (unsigned)bits;
    unsigned at = bit & 7, mask = (1u << bits) - 1;
    p += bit >> 3;
    value &= mask;
    p[0] = (uint8_t)((p[0] & ~(mask << at)) | value << at);
    if (at + (unsigned)bits <= 8) return;
    p[1] = (uint8_t)((p[1] & ~(mask >> (8 - at))) | value >> (8 - at));
}

/* ---- as float32 --------------------------------------------------------------------------- */

void uc_dtype_floats(const void *data, int64_t begin, int64_t n, uncork_dtype dtype, float *to)
{
    switch ((int)dtype) {
    case UNCORK_FLOAT32: memcpy(to, (const float *)data + begin, (size_t)n * sizeof *to); return;
    case UNCORK_UINT8:
        for (int64_t i = 0; i < n; i++) {
            to[i] = (float)((const uint8_t *)data)[begin + i];
        }
        return;
    case UNCORK_INT8:
        for (int64_t i = 0; i < n; i++) {
            to[i] = (float)((const int8_t *)data)[begin + i];
        }
        return;
    case UNCORK_INT32:
        for (int64_t i = 0; i < n; i++) {
            to[i] = (float)((const int32_t *)data)[begin + i];
        }
        return;
    case UNCORK_BFLOAT16:
        for (int64_t i = 0; i < n; i++) {
            to[i] = uc_bf16_to_f32(((const uint16_t *)data)[begin + i]);
        }
        return;
    case UNCORK_FLOAT16:
        for (int64_t i = 0; i < n; i++) {
            to[i] = uc_f16_to_f32(((const uint16_t *)data)[begin + i]);
        }
        return;
    default: break;
    }
    for (int64_t i = 0; i < n; i++) {
        to[i] = (float)uc_dtype_load_f64(data, begin + i, dtype);
    }
}
