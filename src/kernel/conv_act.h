/* Activations that a convolution applies while its outputs are in registers. */
#ifndef UC_KERNEL_CONV_ACT_H
#define UC_KERNEL_CONV_ACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum uc_act_kind {
    UC_ACT_NONE,
    UC_ACT_RELU,
    UC_ACT_CLIP,         /* min(max(x, alpha), beta) */
    UC_ACT_LEAKY_RELU,   /* x < 0 ? alpha x : x */
    UC_ACT_HARD_SIGMOID, /* min(max(alpha x + beta, 0), 1) */
    UC_ACT_HARD_SWISH,   /* x min(max(x / 6 + 1 / 2, 0), 1) */
    UC_ACT_SIGMOID,
    UC_ACT_SWISH, /* x / (1 + exp(-alpha x)) */
    UC_ACT_TANH,
    UC_ACT_ELU,       /* x < 0 ? alpha (exp(x) - 1) : x */
    UC_ACT_GELU,      /* x (1 + erf(x / sqrt 2)) / 2 */
    UC_ACT_GELU_TANH, /* its approximation by tanh */
    UC_ACT_MISH,      /* x tanh(log(1 + exp(x))) */
    UC_ACT_COUNT
} uc_act_kind;

typedef struct uc_act {
    uc_act_kind kind;
    float alpha, beta;
} uc_act;

/* The activation of ONNX's operator `name` ("" is none; Swish, Gelu, ...) with its default alpha and
 * beta; false when there is none of that name. */
bool uc_act_find(const char *name, size_t size, uc_act *act);

/* One element, by C's math library: what the vector versions are held to. */
float uc_act_scalar(uc_act act, float x);

#endif
