/* Activations. Source: torch 2.15, torch/nn/functional.py, aten/src/ATen/native/cpu/Activation.cpp. */
#include "import/pytorch/torch_build.h"

#include <math.h>

static uc_ref with_float(uc_t_build *b, const char *op, uc_ref x, const char *name, double v)
{
    uc_node *n = uc_graph_node(b->graph, op, &x, 1, 1);
    uc_node_float(b->graph, n, name, v);
    return uc_node_out(n, 0);
}

static uc_ref gelu(uc_t_build *b, uc_ref x, const char *approximate)
{
    uc_node *n = uc_graph_node(b->graph, "Gelu", &x, 1, 1);
    uc_node_str(b->graph, n, "approximate", approximate);
    return uc_node_out(n, 0);
}

static uc_ref hardsigmoid(uc_t_build *b, uc_ref x)
{
    uc_node *n = uc_graph_node(b->graph, "HardSigmoid", &x, 1, 1);
    uc_node_float(b->graph, n, "alpha", 1.0 / 6);
    uc_node_float(b->graph, n, "beta", 0.5);
    return uc_node_out(n, 0);
}

static uc_ref relu6(uc_t_build *b, uc_ref x) { return uc_t_clamp(b, x, 0, 6); }
static uc_ref hardtanh(uc_t_build *b, uc_ref x) { return uc_t_clamp(b, x, -1, 1); }
static uc_ref plain_gelu(uc_t_build *b, uc_ref x) { return gelu(b, x, "none"); }
static uc_ref tanh_gelu(uc_t_build *b, uc_ref x) { return gelu(b, x, "tanh"); }
static uc_ref plain_elu(uc_t_build *b, uc_ref x) { return uc_t_elu(b, x, 1, 1, 1); }
static uc_ref plain_celu(uc_t_build *b, uc_ref x) { return uc_t_celu(b, x, 1); }
static uc_ref leaky(uc_t_build *b, uc_ref x) { return uc_t_leaky_relu(b, x, 0.01); }
static uc_ref softplus(uc_t_build *b, uc_ref x) { return uc_t_softplus(b, x, 1, 20); }
static uc_ref hardshrink(uc_t_build *b, uc_ref x) { return uc_t_hardshrink(b, x, 0.5); }
static uc_ref softshrink(uc_t_build *b, uc_ref x) { return uc_t_softshrink(b, x, 0.5); }
static uc_ref identity(uc_t_build *b, uc_ref x)
{
    (void)b;
    return x;
}

static uc_ref logsigmoid(uc_t_build *b, uc_ref x)
{
    return uc_g1(b->graph, "Neg", uc_g1(b->graph, "Softplus", uc_g1(b->graph, "Neg", x)));
}

static uc_ref tanhshrink(uc_t_build *b, uc_ref x)
{
    return uc_g2(b->graph, "Sub", x, uc_g1(b->graph, "Tanh", x));
}

uc_ref uc_t_act(uc_t_build *b, const char *name, uc_ref x)
{
    static const struct {
        const char *name, *op; /* an ONNX operator, or */
        uc_ref (*emit)(uc_t_build *, uc_ref);
    } rows[] = {
        {"relu", "Relu", NULL},
        {"relu6", NULL, relu6},
        {"sigmoid", "Sigmoid", NULL},
        {"tanh", "Tanh", NULL},
        {"silu", "Swish", NULL},
        {"gelu", NULL, plain_gelu},
        {"gelu_tanh", NULL, tanh_gelu},
        {"elu", NULL, plain_elu},
        {"selu", "Selu", NULL},
        {"celu", NULL, plain_celu},
        {"mish", "Mish", NULL},
        {"hardswish", "HardSwish", NULL},
        {"hardsigmoid", NULL, hardsigmoid},
        {"hardtanh", NULL, hardtanh},
        {"softplus", NULL, softplus},
        {"softsign", "Softsign", NULL},
        {"logsigmoid", NULL, logsigmoid},
        {"tanhshrink", NULL, tanhshrink},
        {"hardshrink", NULL, hardshrink},
        {"softshrink", NULL, softshrink},
        {"leaky_relu", NULL, leaky},
        {"identity", NULL, identity},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].op ? uc_g1(b->graph, rows[i].op, x) : rows[i].emit(b, x);
    }
    return uc_t_fail(b, "the activation '%.60s' isn't known", name);
}

uc_ref uc_t_leaky_relu(uc_t_build *b, uc_ref x, double slope)
{
    return with_float(b, "LeakyRelu", x, "alpha", slope);
}

uc_ref uc_t_elu(uc_t_build *b, uc_ref x, double alpha, double scale, double input_scale)
{
    uc_graph *g = b->graph;
    uc_ref y;
    if (input_scale == 1) {
        y = with_float(b, "Elu", x, "alpha", alpha);
    } else { /* x > 0 ? x : alpha * (exp(input_scale * x) - 1) */
        const uc_ref down =
            with_float(b, "Elu", uc_t_mul_number(b, x, input_scale), "alpha", alpha);
        y = uc_g_where(g, uc_g2(g, "LessOrEqual", x, uc_t_scalar(b, x, 0)), down, x);
    }
    return scale == 1 ? y : uc_t_mul_number(b, y, scale);
}

uc_ref uc_t_celu(uc_t_build *b, uc_ref x, double alpha)
{
    return with_float(b, "Celu", x, "alpha", alpha);
}

uc_ref uc_t_softplus(uc_t_build *b, uc_ref x, double beta, double threshold)
{
    uc_graph *g = b->graph;
    const uc_ref wide = beta == 1 ? x : uc_t_mul_number(b, x, beta);
    uc_ref y = uc_g1(g, "Softplus", wide);
    if (beta != 1) y = uc_g2(g, "Div", y, uc_t_scalar(b, x, beta));
    if (threshold >= 20 && uc_t_dtype(b, x) != UNCORK_FLOAT64) return y; /* no other bits */
    return uc_g_where(g, uc_g2(g, "Greater", wide, uc_t_scalar(b, x, threshold)), x, y);
}

uc_ref uc_t_hardshrink(uc_t_build *b, uc_ref x, double lambda)
{
    uc_graph *g = b->graph;
    const uc_ref small = uc_g2(g, "LessOrEqual", uc_g1(g, "Abs", x), uc_t_scalar(b, x, lambda));
    return uc_g_where(g, small, uc_t_scalar(b, x, 0), x); /* NaN stays */
}

uc_ref uc_t_softshrink(uc_t_build *b, uc_ref x, double lambda)
{
    return uc_g2(b->graph, "Sub", x, uc_t_clamp(b, x, -lambda, lambda));
}

uc_ref uc_t_threshold(uc_t_build *b, uc_ref x, double threshold, double value)
{
    uc_graph *g = b->graph;
    const uc_ref low = uc_g2(g, "LessOrEqual", x, uc_t_scalar(b, x, threshold));
    return uc_g_where(g, low, uc_t_scalar(b, x, value), x);
}

uc_ref uc_t_prelu(uc_t_build *b, uc_ref x, uc_ref weight)
{
    uc_graph *g = b->graph;
    const int rank = uc_t_rank(b, x);
    int64_t shape[UNCORK_MAX_RANK];
    if (uc_t_rank(b, weight) == 1 && uc_t_dim(b, weight, 0) != 1 && rank > 2) {
        for (int i = 0; i < rank - 1; i++) {
            shape[i] = i == 0 ? -1 : 1;
        }
        weight = uc_g_reshape(g, weight, shape, rank - 1);
    }
    return uc_g2(g, "PRelu", x, weight);
}

uc_ref uc_t_glu(uc_t_build *b, uc_ref x, int64_t dim)
{
    uc_ref half[2];
    if (uc_t_chunk(b, x, 2, dim, half) != 2) return uc_t_fail(b, "glu of an odd dimension");
    return uc_g2(b->graph, "Mul", half[0], uc_g1(b->graph, "Sigmoid", half[1]));
}

uc_ref uc_t_clamp(uc_t_build *b, uc_ref x, double min, double max)
{
    const uc_ref in[] = {x, isnan(min) ? 0 : uc_t_scalar(b, x, min),
                         isnan(max) ? 0 : uc_t_scalar(b, x, max)};
    return uc_node_out(uc_graph_node(b->graph, "Clip", in, 3, 1), 0);
}

static uc_ref along(uc_t_build *b, const char *op, uc_ref x, int64_t dim)
{
    uc_node *n = uc_graph_node(b->graph, op, &x, 1, 1);
    uc_node_int(b->graph, n, "axis", dim);
    return uc_node_out(n, 0);
}

uc_ref uc_t_softmax(uc_t_build *b, uc_ref x, int64_t dim) { return along(b, "Softmax", x, dim); }

uc_ref uc_t_log_softmax(uc_t_build *b, uc_ref x, int64_t dim)
{
    return along(b, "LogSoftmax", x, dim);
}

uc_ref uc_t_softmin(uc_t_build *b, uc_ref x, int64_t dim)
{
    return along(b, "Softmax", uc_g1(b->graph, "Neg", x), dim);
}
