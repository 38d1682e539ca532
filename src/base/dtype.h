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
/* The floats of 8, 6 and 4 bits by their dtype. */
float uc_f8_to_f32(uint8_t v, uncork_dtype dtype);
/* Nearest, ties to even. What is too large becomes the largest number when `saturate` (and always where
 * the type has neither infinity nor NaN), else infinity or NaN as the type has it. */
uint8_t uc_f64_to_f8(double d, uncork_dtype dtype, bool saturate);
/* A power of two, float8e8m0: which neighbour is taken between two; the sign is dropped. */
typedef enum uc_e8m0_round { UC_E8M0_UP, UC_E8M0_DOWN, UC_E8M0_NEAREST } uc_e8m0_round;
uint8_t uc_f32_to_e8m0(float f, uc_e8m0_round round, bool saturate);

/* Element i of an array of `bits`-bit elements (at most 8) packed low bits first. */
unsigned uc_bits_load(const void *data, int64_t i, int bits);
void uc_bits_store(void *data, int64_t i, int bits, unsigned value);

/* Element i at `data` as a double / as int64 (saturating), any numeric type or bool. */
double uc_dtype_load_f64(const void *data, int64_t i, uncork_dtype dtype);
int64_t uc_dtype_load_i64(const void *data, int64_t i, uncork_dtype dtype);
/* Elements [begin, begin + n) at `data` as float32; any real type or bool. */
void uc_dtype_floats(const void *data, int64_t begin, int64_t n, uncork_dtype dtype, float *to);
/* Converts n elements; integers saturate from floats, floats round to nearest. False: no such
 * conversion (strings, complex to real). */
bool uc_dtype_convert(void *to, uncork_dtype to_dtype, const void *from, uncork_dtype from_dtype,
                      int64_t n);

#endif
