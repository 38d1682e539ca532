/* The activation behind a fused convolution or product, and those of recurrent cells: a name and up to
 * two numbers, applied to rows by the elementwise kernels. */
#ifndef UC_OP_ACTIVATION_H
#define UC_OP_ACTIVATION_H

#include "kernel/elementwise.h"
#include "op/op.h"

typedef struct uc_activation {
    uc_loop_fn loop; /* NULL: none */
    int numbers;     /* that the loop takes behind x */
    uncork_dtype dtype;
    double alpha, beta; /* as float64 */
    float alpha32, beta32;
    int shape; /* what the loop can't say: see activation.c */
} uc_activation;

/* The activation called `name` ("" is none) over float32 or float64. NaN for alpha or beta: ONNX's
 * default. False: there is no such name. */
bool uc_activation_of(uc_str name, double alpha, double beta, uncork_dtype dtype, uc_activation *a);
/* From the attributes activation, alpha and beta of a fused operator; fails for an unknown name. */
uncork_status uc_activation_read(uc_call *call, uncork_dtype dtype, uc_activation *a);
/* x[i] = f(x[i]) for n adjacent elements. */
void uc_activation_apply(const uc_activation *a, void *x, int64_t n);

#endif
