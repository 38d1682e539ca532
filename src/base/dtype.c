/* Element types: one row each, and the conversions between them. */
#include "base/dtype.h"

#include <math.h>

typedef struct type_row {
    const char *name;
    uint8_t bits, is_float, is_integer, is_signed;
    uint8_t mantissa; /* exact integer bits: what a lossless cast may carry */
    int16_t exponent; /* largest power of two, floats only */
} type_row;

static const type_row rows[] = {
    [UNCORK_DTYPE_NONE] = {"none", 0, 0, 0, 0, 0, 0},
    [UNCORK_FLOAT32] = {"float32", 32, 1, 0, 1, 24, 127},
    [UNCORK_UINT8] = {"uint8", 8, 0, 1, 0, 8, 0},
    [UNCORK_INT8] = {"int8", 8, 0, 1, 1, 7, 0},
    [UNCORK_UINT16] = {"uint16", 16, 0, 1, 0, 16, 0},
    [UNCORK_INT16] = {"int16", 16, 0, 1, 1, 15, 0},
    [UNCORK_INT32] = {"int32", 32, 0, 1, 1, 31, 0},
    [UNCORK_INT64] = {"int64", 64, 0, 1, 1, 63, 0},
    [UNCORK_STRING] = {"string", 0, 0, 0, 0, 0, 0},
    [UNCORK_BOOL] = {"bool", 8, 0, 0, 0, 1, 0},
    [UNCORK_FLOAT16] = {"float16", 16, 1, 0, 1, 11, 15},
    [UNCORK_FLOAT64] = {"float64", 64, 1, 0, 1, 53, 1023},
    [UNCORK_UINT32] = {"uint32", 32, 0, 1, 0, 32, 0},
    [UNCORK_UINT64] = {"uint64", 64, 0, 1, 0, 64, 0},
    [UNCORK_COMPLEX64] = {"complex64", 64, 0, 0, 1, 24, 127},
    [UNCORK_COMPLEX128] = {"complex128", 128, 0, 0, 1, 53, 1023},
    [UNCORK_BFLOAT16] = {"bfloat16", 16, 1, 0, 1, 8, 127},
    [UNCORK_FLOAT8E4M3FN] = {"float8e4m3fn", 8, 1, 0, 1, 4, 8},
    [UNCORK_FLOAT8E4M3FNUZ] = {"float8e4m3fnuz", 8, 1, 0, 1, 4, 7},
    [UNCORK_FLOAT8E5M2] = {"float8e5m2", 8, 1, 0, 1, 3, 15},
    [UNCORK_FLOAT8E5M2FNUZ] = {"float8e5m2fnuz", 8, 1, 0, 1, 3, 15},
    [UNCORK_UINT4] = {"uint4", 4, 0, 1, 0, 4, 0},
    [UNCORK_INT4] = {"int4", 4, 0, 1, 1, 3, 0},
    [UNCORK_FLOAT4E2M1] = {"float4e2m1", 4, 1, 0, 1, 2, 2},
    [UNCORK_FLOAT8E8M0] = {"float8e8m0", 8, 1, 0, 0, 1, 127},
    [UNCORK_UINT2] = {"uint2", 2, 0, 1, 0, 2, 0},
    [UNCORK_INT2] = {"int2", 2, 0, 1, 1, 1, 0},
    [UNCORK_FLOAT6E2M3] = {"float6e2m3", 6, 1, 0, 1, 4, 2},
    [UNCORK_FLOAT6E3M2] = {"float6e3m2", 6, 1, 0, 1, 3, 4},
};

static const type_row *row_of(uncork_dtype dtype)
{
    unsigned i = (unsigned)dtype;
    return i < sizeof rows / sizeof rows[0] ? &rows[i] : &rows[0];
}

int uc_dtype_bits(uncork_dtype dtype) { return row_of(dtype)->bits; }

size_t uc_dtype_size(uncork_dtype dtype) { return row_of(dtype)->bits / 8u; }

const char *uc_dtype_name(uncork_dtype dtype)
{
    return row_of(dtype)->name ? row_of(dtype)->name : "?";
}

bool uc_dtype_is_float(uncork_dtype dtype) { return row_of(dtype)->is_float; }

bool uc_dtype_is_integer(uncork_dtype dtype) { return row_of(dtype)->is_integer; }

bool uc_dtype_is_signed(uncork_dtype dtype) { return row_of(dtype)->is_signed; }

bool uc_dtype_is_lossless(uncork_dtype from, uncork_dtype to)
{
    if (from == to) return true;
    const type_row *f = row_of(from), *t = row_of(to);
    if (!f->mantissa || !t->mantissa || to == UNCORK_BOOL) return false;
    if (from == UNCORK_COMPLEX64) return to == UNCORK_COMPLEX128;
    if (from == UNCORK_COMPLEX128) return false;
    bool to_real = t->exponent > 0;
    if (f->is_float) return to_real && t->mantissa >= f->mantissa && t->exponent >= f->exponent;
    if (f->is_signed && !t->is_signed) return false;
    return t->mantissa >= f->mantissa && (!to_real || t->exponent >= f->mantissa);
}

float uc_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 0x3ff,
             u;
    if (exponent == 31) {
        u = sign | 0x7f800000 | fraction << 13;
    } else if (exponent) {
        u = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float v = (float)fraction * 0x1p-24f;
        memcpy(&u, &v, 4);
        u |= sign;
    }
    float f;
    memcpy(&f, &u, 4);
    return f;
}

uint16_t uc_f64_to_f16(double d)
{
    uint64_t u;
    memcpy(&u, &d, 8);
    uint16_t sign = (uint16_t)(u >> 48 & 0x8000);
    double a = fabs(d);
    if (isnan(d)) return (uint16_t)(sign | 0x7e00);
    if (a >= 65520.0) return (uint16_t)(sign | 0x7c00);
    if (a < 0x1p-14) return (uint16_t)(sign | (uint16_t)nearbyint(a * 0x1p24));
    int e;
    double m = frexp(a, &e); /* a = m * 2^e, m in [0.5, 1) */
    int scaled = (int)nearbyint(m * 2048.0);
    if (scaled == 2048) {
        scaled = 1024;
        e++;
    }
    return (uint16_t)(sign | (uint16_t)((e + 14) << 10) | (uint16_t)(scaled - 1024));
}

uint16_t uc_f32_to_f16(float f) { return uc_f64_to_f16((double)f); }

uint16_t uc_f32_to_bf16(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)(u >> 16 | 0x40);
    u += 0x7fff + (u >> 16 & 1);
    return (uint16_t)(u >> 16);
}

static int64_t sign_extend(unsigned v, int bits)
{
    return (int64_t)(v ^ (1u << (bits - 1))) - (int64_t)(1u << (bits - 1));
}

#define LOAD(type) (((const type *)data)[i])

double uc_dtype_load_f64(const void *data, int64_t i, uncork_dtype dtype)
{
    switch (dtype) {
    case UNCORK_FLOAT32: return (double)LOAD(float);
    case UNCORK_FLOAT64: return LOAD(double);
    case UNCORK_UINT8: return LOAD(uint8_t);
    case UNCORK_BOOL: return LOAD(uint8_t) != 0;
    case UNCORK_INT8: return LOAD(int8_t);
    case UNCORK_UINT16: return LOAD(uint16_t);
    case UNCORK_INT16: return LOAD(int16_t);
    case UNCORK_UINT32: return LOAD(uint32_t);
    case UNCORK_INT32: return LOAD(int32_t);
    case UNCORK_UINT64: return (double)LOAD(uint64_t);
    case UNCORK_INT64: return (double)LOAD(int64_t);
    case UNCORK_FLOAT16: return (double)uc_f16_to_f32(LOAD(uint16_t));
    case UNCORK_BFLOAT16: return (double)uc_bf16_to_f32(LOAD(uint16_t));
    case UNCORK_COMPLEX64: return (double)((const float *)data)[2 * i];
    case UNCORK_COMPLEX128: return ((const double *)data)[2 * i];
    case UNCORK_FLOAT8E4M3FN:
    case UNCORK_FLOAT8E4M3FNUZ:
    case UNCORK_FLOAT8E5M2:
    case UNCORK_FLOAT8E5M2FNUZ:
    case UNCORK_FLOAT8E8M0: return (double)uc_f8_to_f32(LOAD(uint8_t), dtype);
    case UNCORK_FLOAT4E2M1: return (double)uc_f8_to_f32((uint8_t)uc_bits_load(data, i, 4), dtype);
    case UNCORK_FLOAT6E2M3:
    case UNCORK_FLOAT6E3M2: return (double)uc_f8_to_f32((uint8_t)uc_bits_load(data, i, 6), dtype);
    case UNCORK_UINT4: return uc_bits_load(data, i, 4);
    case UNCORK_UINT2: return uc_bits_load(data, i, 2);
    case UNCORK_INT4: return (double)sign_extend(uc_bits_load(data, i, 4), 4);
    case UNCORK_INT2: return (double)sign_extend(uc_bits_load(data, i, 2), 2);
    case UNCORK_STRING:
    case UNCORK_DTYPE_NONE: break;
    }
    return (double)NAN;
}

static int64_t saturate(double d)
{
    if (isnan(d)) return 0;
    if (d >= 0x1p63) return INT64_MAX;
    if (d < -0x1p63) return INT64_MIN;
    return (int64_t)d;
}

int64_t uc_dtype_load_i64(const void *data, int64_t i, uncork_dtype dtype)
{
    if (dtype == UNCORK_INT64) return LOAD(int64_t);
    if (dtype == UNCORK_UINT64) {
        uint64_t v = LOAD(uint64_t);
        return v > INT64_MAX ? INT64_MAX : (int64_t)v;
    }
    return saturate(uc_dtype_load_f64(data, i, dtype));
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

#define STORE(type, v) (((type *)to)[i] = (type)(v))

static void store_clamped(void *to, int64_t i, int bits, const void *from, uncork_dtype from_dtype,
                          int64_t low, int64_t high)
{
    uc_bits_store(to, i, bits, (unsigned)clamp(uc_dtype_load_i64(from, i, from_dtype), low, high));
}

/* One element; false when there is no conversion. */
static bool store(void *to, uncork_dtype to_dtype, int64_t i, const void *from,
                  uncork_dtype from_dtype)
{
    switch (to_dtype) {
    case UNCORK_FLOAT64: STORE(double, uc_dtype_load_f64(from, i, from_dtype)); return true;
    case UNCORK_FLOAT32: STORE(float, uc_dtype_load_f64(from, i, from_dtype)); return true;
    case UNCORK_FLOAT16:
        STORE(uint16_t, uc_f64_to_f16(uc_dtype_load_f64(from, i, from_dtype)));
        return true;
    case UNCORK_BFLOAT16:
        STORE(uint16_t, uc_f32_to_bf16((float)uc_dtype_load_f64(from, i, from_dtype)));
        return true;
    case UNCORK_BOOL: STORE(uint8_t, uc_dtype_load_f64(from, i, from_dtype) != 0); return true;
    case UNCORK_INT64: STORE(int64_t, uc_dtype_load_i64(from, i, from_dtype)); return true;
    case UNCORK_INT32:
        STORE(int32_t, clamp(uc_dtype_load_i64(from, i, from_dtype), INT32_MIN, INT32_MAX));
        return true;
    case UNCORK_INT16:
        STORE(int16_t, clamp(uc_dtype_load_i64(from, i, from_dtype), INT16_MIN, INT16_MAX));
        return true;
    case UNCORK_INT8:
        STORE(int8_t, clamp(uc_dtype_load_i64(from, i, from_dtype), INT8_MIN, INT8_MAX));
        return true;
    case UNCORK_UINT64:
        if (from_dtype == UNCORK_UINT64) {
            STORE(uint64_t, ((const uint64_t *)from)[i]);
        } else {
            double d = uc_dtype_load_f64(from, i, from_dtype);
            if (d >= 0x1p64) {
                STORE(uint64_t, UINT64_MAX);
            } else if (d >= 0x1p63) {
                STORE(uint64_t, d);
            } else {
                STORE(uint64_t, clamp(uc_dtype_load_i64(from, i, from_dtype), 0, INT64_MAX));
            }
        }
        return true;
    case UNCORK_UINT32:
        STORE(uint32_t, clamp(uc_dtype_load_i64(from, i, from_dtype), 0, UINT32_MAX));
        return true;
    case UNCORK_UINT16:
        STORE(uint16_t, clamp(uc_dtype_load_i64(from, i, from_dtype), 0, UINT16_MAX));
        return true;
    case UNCORK_UINT8:
        STORE(uint8_t, clamp(uc_dtype_load_i64(from, i, from_dtype), 0, UINT8_MAX));
        return true;
    case UNCORK_COMPLEX64:
        ((float *)to)[2 * i] = (float)uc_dtype_load_f64(from, i, from_dtype);
        ((float *)to)[2 * i + 1] = 0;
        return true;
    case UNCORK_COMPLEX128:
        ((double *)to)[2 * i] = uc_dtype_load_f64(from, i, from_dtype);
        ((double *)to)[2 * i + 1] =
            from_dtype == UNCORK_COMPLEX64 ? (double)((const float *)from)[2 * i + 1] : 0.0;
        return true;
    case UNCORK_FLOAT8E4M3FN:
    case UNCORK_FLOAT8E4M3FNUZ:
    case UNCORK_FLOAT8E5M2:
    case UNCORK_FLOAT8E5M2FNUZ:
        STORE(uint8_t, uc_f64_to_f8(uc_dtype_load_f64(from, i, from_dtype), to_dtype, true));
        return true;
    case UNCORK_FLOAT8E8M0:
        STORE(uint8_t,
              uc_f32_to_e8m0((float)uc_dtype_load_f64(from, i, from_dtype), UC_E8M0_UP, true));
        return true;
    case UNCORK_FLOAT4E2M1:
    case UNCORK_FLOAT6E2M3:
    case UNCORK_FLOAT6E3M2:
        uc_bits_store(to, i, uc_dtype_bits(to_dtype),
                      uc_f64_to_f8(uc_dtype_load_f64(from, i, from_dtype), to_dtype, true));
        return true;
    case UNCORK_UINT4: store_clamped(to, i, 4, from, from_dtype, 0, 15); return true;
    case UNCORK_INT4: store_clamped(to, i, 4, from, from_dtype, -8, 7); return true;
    case UNCORK_UINT2: store_clamped(to, i, 2, from, from_dtype, 0, 3); return true;
    case UNCORK_INT2: store_clamped(to, i, 2, from, from_dtype, -2, 1); return true;
    case UNCORK_STRING:
    case UNCORK_DTYPE_NONE: break;
    }
    return false;
}

static bool is_complex(uncork_dtype dtype)
{
    return dtype == UNCORK_COMPLEX64 || dtype == UNCORK_COMPLEX128;
}

bool uc_dtype_convert(void *to, uncork_dtype to_dtype, const void *from, uncork_dtype from_dtype,
                      int64_t n)
{
    if (!uc_dtype_bits(from_dtype) || (is_complex(from_dtype) && !is_complex(to_dtype)))
        return false;
    if (to_dtype == from_dtype) {
        size_t bytes = ((size_t)n * (size_t)uc_dtype_bits(to_dtype) + 7) / 8;
        if (bytes) memcpy(to, from, bytes);
        return true;
    }
    if (from_dtype == UNCORK_FLOAT32 &&
        to_dtype == UNCORK_FLOAT64) { /* the common ones, vectorised */
        for (int64_t i = 0; i < n; i++) {
            ((double *)to)[i] = (double)((const float *)from)[i];
        }
        return true;
    }
    if (from_dtype == UNCORK_FLOAT64 && to_dtype == UNCORK_FLOAT32) {
        for (int64_t i = 0; i < n; i++) {
            ((float *)to)[i] = (float)((const double *)from)[i];
        }
        return true;
    }
    for (int64_t i = 0; i < n; i++) {
        if (!store(to, to_dtype, i, from, from_dtype)) return false;
    }
    return true;
}
