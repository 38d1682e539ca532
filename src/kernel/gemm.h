/* Matrix product C[m, n] = A[m, k] B[k, n] (+ bias[n]) in float32 or float64, B packed beforehand.
 *
 * Every element of C is summed over k in one order that depends on n and k alone: the same bits for
 * any number of rows, any row's place and any number of threads. */
#ifndef UC_KERNEL_GEMM_H
#define UC_KERNEL_GEMM_H

#include "base/thread.h"

#include <stddef.h>

typedef struct uc_gemm_args {
    int64_t m, n, k;
    const void *a; /* [m, k], rows `lda` elements apart, columns adjacent */
    int64_t lda;
    const void *packed; /* B, by uc_gemm.pack of the same row */
    void *c;            /* [m, n], rows `ldc` elements apart; must not overlap A */
    int64_t ldc;
    const void *bias; /* [n] added at the end, NULL: none */
    uncork_pool *pool;
    /* Called for every piece of C once it holds its sums and bias, by the thread that made it while it
     * is in the caches: once an element. NULL: nothing follows. */
    void (*finish)(void *context, int64_t row, int64_t rows, int64_t column, int64_t columns);
    void *finish_context;
} uc_gemm_args;

/* One instruction set's way to do it. */
typedef struct uc_gemm {
    unsigned needs;
    const char *name;
    /* Elements (not bytes) of a packed [k, n]; false when that overflows. */
    bool (*packed_count)(int64_t k, int64_t n, size_t *count);
    /* b[i, j] is at b + i * row + j * column. */
    void (*pack)(void *packed, const void *b, int64_t row, int64_t column, int64_t k, int64_t n);
    void (*run)(const uc_gemm_args *args);
} uc_gemm;

/* The best row of this machine. */
const uc_gemm *uc_gemm_f32(void);
const uc_gemm *uc_gemm_f64(void);
/* The i-th row, best first, the scalar one last; NULL beyond it or when this machine lacks it. */
const uc_gemm *uc_gemm_f32_row(int i);
const uc_gemm *uc_gemm_f64_row(int i);

#endif
