/* Element types: names, sizes, conversions of the short floats. */
#ifndef UC_BASE_DTYPE_H
#define UC_BASE_DTYPE_H

#include "base/bytes.h"
#include "uncork.h"

/* Bits an element takes (4 for int4); 0 for STRING and NONE. */
int uc_dtype_bits(uncork_dtype dtype);
/* Bytes an element takes; 0 for STRING, NONE and types below 8 bits. */
size_t uc_dtype_size(uncork_dtype dtype);
/* "float32", "int64", "string", ...; "?" for what is no type. */
const char *uc_dtype_name(uncork_dtype dtype);
bool uc_dtype_is_float(uncork_dtype dtype);
bool uc_dtype_is_integer(uncork_dtype dtype); /* signed or unsigned, bool not */
bool uc_dtype_is_signed(uncork_dtype dtype);
/* Whether every value of `from` is one of `to`. */
bool uc_dtype_is_lossless(uncork_dtype from, uncork_dtype to);

float uc_f16_to_f32(uint16_t h);
uint16_t uc_f32_to_f16(float f); /* nearest, ties to even */
uint16_t uc_f64_to_f16(double d);
static inline float uc_bf16_to_f32(uint16_t h)
{
    uint32_t u = (uint32_t)h << 16;
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}
uint16_t uc_f32_to_bf16(float f); /* nearest, ties to even */
/* The 8-bit and 4-bit floats by their dtype. */
float uc_f8_to_f32(uint8_t v, uncork_dtype dtype);

/* Element i at `data` as a double / as int64 (saturating), any numeric type or bool. */
double uc_dtype_load_f64(const void *data, int64_t i, uncork_dtype dtype);
int64_t uc_dtype_load_i64(const void *data, int64_t i, uncork_dtype dtype);
/* Converts n elements; integers saturate from floats, floats round to nearest. False: no such
 * conversion (strings, complex to real). */
bool uc_dtype_convert(void *to, uncork_dtype to_dtype, const void *from, uncork_dtype from_dtype,
                      int64_t n);

#endif
