/* The table of activations and their plain versions. Definitions: the ONNX operators of those names. */
#include "kernel/conv_act.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    uc_act act;
} table[] = {
    {"", {UC_ACT_NONE, 0, 0}},
    {"Relu", {UC_ACT_RELU, 0, 0}},
    {"Clip", {UC_ACT_CLIP, -INFINITY, INFINITY}},
    {"LeakyRelu", {UC_ACT_LEAKY_RELU, 0.01f, 0}},
    {"HardSigmoid", {UC_ACT_HARD_SIGMOID, 0.2f, 0.5f}},
    {"HardSwish", {UC_ACT_HARD_SWISH, 0, 0}},
    {"Sigmoid", {UC_ACT_SIGMOID, 0, 0}},
    {"Swish", {UC_ACT_SWISH, 1, 0}},
    {"Tanh", {UC_ACT_TANH, 0, 0}},
    {"Elu", {UC_ACT_ELU, 1, 0}},
    {"Gelu", {UC_ACT_GELU, 0, 0}},
    {"GeluTanh", {UC_ACT_GELU_TANH, 0, 0}},
    {"Mish", {UC_ACT_MISH, 0, 0}},
};

bool uc_act_find(const char *name, size_t size, uc_act *act)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strlen(table[i].name) != size || (size && memcmp(table[i].name, name, size) != 0)) {
            continue;
        }
        *act = table[i].act;
        return true;
    }
    return false;
}

/* Comparisons are written so that NaN stays NaN. */
static float clamp(float x, float low, float high)
{
    const float y = x < low ? low : x;
    return y > high ? high : y;
}

/* log(1 + exp(x)) without overflow. */
static float softplus(float x) { return fmaxf(x, 0) + log1pf(expf(-fabsf(x))); }

float uc_act_scalar(uc_act act, float x)
{
    const float root_half = 0.70710678118654752f, root_two_over_pi = 0.79788456080286536f;
    switch (act.kind) {
    case UC_ACT_RELU: return x < 0 ? 0 : x;
    case UC_ACT_CLIP: return clamp(x, act.alpha, act.beta);
    case UC_ACT_LEAKY_RELU: return x < 0 ? act.alpha * x : x;
    case UC_ACT_HARD_SIGMOID: return clamp(act.alpha * x + act.beta, 0, 1);
    case UC_ACT_HARD_SWISH: return x * clamp(x * (1.0f / 6) + 0.5f, 0, 1);
    case UC_ACT_SIGMOID: return 1 / (1 + expf(-x));
    case UC_ACT_SWISH: return x / (1 + expf(-act.alpha * x));
    case UC_ACT_TANH: return tanhf(x);
    case UC_ACT_ELU: return x < 0 ? act.alpha * expm1f(x) : x;
    case UC_ACT_GELU: return 0.5f * x * (1 + erff(x * root_half));
    case UC_ACT_GELU_TANH:
        return 0.5f * x * (1 + tanhf(root_two_over_pi * (x + 0.044715f * x * x * x)));
    case UC_ACT_MISH: return x * tanhf(softplus(x));
    case UC_ACT_NONE:
    case UC_ACT_COUNT: break;
    }
    return x;
}
