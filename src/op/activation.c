/* Activations by name: see activation.h. Source: ONNX operators Relu to Swish and the functions that
 * RNN, GRU and LSTM name in "activations"; their defaults are those operators'. */
#include "op/activation.h"

#include <math.h>

/* Which loop a name stands for. */
typedef enum family { UNARY, SCALED, TWICE, CLIP, AFFINE, SCALED_TANH } family;

typedef struct row {
    const char *name;
    family family;
    int op;
    double alpha, beta; /* defaults */
} row;

static const row rows[] = {
    {"Relu", UNARY, UC_RELU, 0, 0},
    {"Sigmoid", UNARY, UC_SIGMOID, 0, 0},
    {"Tanh", UNARY, UC_TANH, 0, 0},
    {"Softsign", UNARY, UC_SOFTSIGN, 0, 0},
    {"Softplus", UNARY, UC_SOFTPLUS, 0, 0},
    {"HardSwish", UNARY, UC_HARDSWISH, 0, 0},
    {"Mish", UNARY, UC_MISH, 0, 0},
    {"Gelu", UNARY, UC_GELU, 0, 0},
    {"GeluTanh", UNARY, UC_GELU_TANH, 0, 0},
    {"LeakyRelu", SCALED, UC_LEAKY_RELU, (double)0.01F, 0},
    {"Elu", SCALED, UC_ELU, 1, 0},
    {"Celu", SCALED, UC_CELU, 1, 0},
    {"ThresholdedRelu", SCALED, UC_THRESHOLDED_RELU, 1, 0},
    {"Swish", SCALED, UC_SWISH, 1, 0},
    {"HardSigmoid", TWICE, UC_HARD_SIGMOID, (double)0.2F, 0.5},
    {"Selu", TWICE, UC_SELU, 1.6732631921768188, 1.0507010221481323},
    {"Clip", CLIP, 0, -HUGE_VAL, HUGE_VAL},
    {"Affine", AFFINE, 0, 1, 0},
    {"ScaledTanh", SCALED_TANH, 0, 1, 1},
};

/* RNN's names are matched whatever their case, as ONNX allows. */
static bool same_name(uc_str a, const char *b)
{
    if (strlen(b) != a.size) return false;
    for (size_t i = 0; i < a.size; i++) {
        if ((a.data[i] | 32) != (b[i] | 32)) return false;
    }
    return true;
}

bool uc_activation_of(uc_str name, double alpha, double beta, uncork_dtype dtype, uc_activation *a)
{
    const row *found = NULL;
    *a = (uc_activation){.dtype = dtype, .shape = UNARY};
    if (name.size == 0) return true;
    for (size_t i = 0; !found && i < sizeof rows / sizeof rows[0]; i++) {
        if (same_name(name, rows[i].name)) found = &rows[i];
    }
    if (!found) return false;
    a->alpha = isnan(alpha) ? found->alpha : alpha;
    a->beta = isnan(beta) ? found->beta : beta;
    a->alpha32 = (float)a->alpha;
    a->beta32 = (float)a->beta;
    a->shape = found->family;
    switch (found->family) {
    case UNARY: a->loop = uc_loop_unary((uc_unary)found->op, dtype); break;
    case SCALED:
        a->loop = uc_loop_scaled((uc_scaled)found->op, dtype);
        a->numbers = 1;
        break;
    case TWICE:
        a->loop = uc_loop_scaled_twice((uc_scaled_twice)found->op, dtype);
        a->numbers = 2;
        break;
    case CLIP:
        a->loop = uc_loop_clip(dtype);
        a->numbers = 2;
        break;
    case AFFINE:
    case SCALED_TANH: a->loop = uc_loop_unary(UC_TANH, dtype); break;
    }
    return a->loop != NULL;
}

uncork_status uc_activation_read(uc_call *call, uncork_dtype dtype, uc_activation *a)
{
    uc_str name = uc_call_str(call, "activation", "");
    double alpha = uc_call_float(call, "alpha", (double)NAN);
    double beta = uc_call_float(call, "beta", (double)NAN);
    if (uc_activation_of(name, alpha, beta, dtype, a)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "there is no activation '%.*s' for %s",
                        (int)name.size, name.data, uc_dtype_name(dtype));
}

static void affine(uncork_dtype dtype, void *x, int64_t n, double scale, double offset)
{
    double *wide = x;
    float *narrow = x, scale32 = (float)scale, offset32 = (float)offset;
    for (int64_t i = 0; i < n; i++) {
        if (dtype == UNCORK_FLOAT64) {
            wide[i] = scale * wide[i] + offset;
        } else {
            narrow[i] = scale32 * narrow[i] + offset32;
        }
    }
}

void uc_activation_apply(const uc_activation *a, void *x, int64_t n)
{
    if (!a->loop) return;
    if (a->shape == AFFINE) {
        affine(a->dtype, x, n, a->alpha, a->beta);
        return;
    }
    if (a->shape == SCALED_TANH) affine(a->dtype, x, n, a->beta, 0);
    bool wide = a->dtype == UNCORK_FLOAT64;
    /* The loops take pointers to what they don't write as well. */
    double alpha = a->alpha, beta = a->beta;
    float alpha32 = a->alpha32, beta32 = a->beta32;
    char *p[] = {x, x, wide ? (char *)&alpha : (char *)&alpha32,
                 wide ? (char *)&beta : (char *)&beta32};
    int64_t size = wide ? 8 : 4, step[] = {size, size, 0, 0};
    a->loop(p, step, n);
    if (a->shape == SCALED_TANH) affine(a->dtype, x, n, a->alpha, 0);
}
