/* Matrix product of 8-bit integers: sum over k of (A[m, k] - a_zero) * (B[k, n] - b_zero), summed in 32 bits
 * that wrap, so every row of the table gives the same bits in any order. A is unsigned and B signed; the
 * caller shifts the other kinds (x + 128 and zero + 128, which cancel out). */
#ifndef UC_KERNEL_GEMM_I8_H
#define UC_KERNEL_GEMM_I8_H

#include "base/thread.h"

#include <stddef.h>

typedef struct uc_gemm_i8_args {
    int64_t m, n, k;
    const uint8_t *a; /* [m, k], rows `lda` bytes apart */
    int64_t lda;
    const void *packed;    /* B, by uc_gemm_i8_pack */
    const int32_t *a_zero; /* [1], or [m] when a_zero_step is 1 */
    int64_t a_zero_step;
    const int32_t *b_zero; /* [1] or [n]; as signed B's */
    int64_t b_zero_step;
    const int32_t *a_sums; /* [m] by uc_gemm_i8_sums; NULL only where every b_zero is 0 */
    const int32_t *bias;   /* [n] added to the sum, NULL: none */
    /* Result element [i, j] is number i * c_row + j * c_column of the one of these that isn't NULL. */
    int32_t *sums;  /* the sum itself */
    float *floats;  /* sum * scale + float_bias */
    uint8_t *bytes; /* uc_requantize of it, low 8 bits of the signed kind too */
    int64_t c_row, c_column;
    const float *scale; /* [1] or [n] */
    int64_t scale_step;
    const float *float_bias; /* [n], NULL: none */
    int32_t zero, low, high; /* of bytes */
    uncork_pool *pool;
} uc_gemm_i8_args;

/* Bytes of a packed [k, n]; false when that overflows. */
bool uc_gemm_i8_packed_bytes(int64_t k, int64_t n, size_t *bytes);
/* b[i, j] is the byte at b + i * row + j * column, xor `flip` (0x80 turns unsigned into signed). */
void uc_gemm_i8_pack(void *packed, const void *b, int64_t row, int64_t column, int64_t k, int64_t n,
                     uint8_t flip);
/* Sums of the m rows of A. */
void uc_gemm_i8_sums(const uint8_t *a, int64_t lda, int64_t m, int64_t k, int32_t *sums);
void uc_gemm_i8(const uc_gemm_i8_args *args);

typedef void (*uc_gemm_i8_fn)(const uc_gemm_i8_args *args);
/* The i-th row of this machine, best first, the scalar one last; NULL beyond it. */
uc_gemm_i8_fn uc_gemm_i8_row(int i);

#endif
