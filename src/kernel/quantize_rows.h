/* The rows that quantize_*.c files give to quantize.c. */
#ifndef UC_KERNEL_QUANTIZE_ROWS_H
#define UC_KERNEL_QUANTIZE_ROWS_H

#include "kernel/quantize.h"

typedef struct uc_quant_fns {
    void (*quantize)(const uc_quant_row *q, const float *x, void *y, int bytes, int64_t n);
    void (*dequantize)(const uc_quant_row *q, const float *x, float *y, int64_t n);
    void (*range)(const float *x, int64_t n, float *low, float *high);
} uc_quant_fns;

extern const uc_quant_fns uc_quant_scalar;
#if defined(__x86_64__)
extern const uc_quant_fns uc_quant_avx2, uc_quant_avx512;
#endif
/* The i-th row of this machine, best first, the scalar one last; NULL beyond it. */
const uc_quant_fns *uc_quant_fns_row(int i);

#endif
