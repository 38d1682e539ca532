/* Normalisations. Source: torch 2.15, torch/nn/functional.py, aten/src/ATen/native/{layer_norm,
 * group_norm,Normalization}.cpp. */
#include "import/pytorch/torch_build.h"

#include <float.h>

/* A constant of x's type, [n], all `v`; n < 1 fails. */
static uc_ref filled(uc_t_build *b, uc_ref x, int rank, const int64_t *shape, double v)
{
    size_t n = 0;
    uncork_dtype dtype = uc_t_dtype(b, x);
    if (!dtype) dtype = UNCORK_FLOAT32;
    if (!uc_shape_count(shape, rank, &n))
        return uc_t_fail(b, "a normalisation without weights over axes of unknown size");
    uc_tensor *t = uc_tensor_new(b->graph->arena, dtype, rank, shape);
    if (!t) return uc_graph_fail(b->graph, UNCORK_NO_MEMORY, "memory is out");
    const size_t size = uc_dtype_size(dtype);
    for (size_t i = 0; i < n; i++) {
        (void)uc_dtype_convert((char *)t->data + i * size, dtype, &v, UNCORK_FLOAT64, 1);
    }
    return uc_graph_const(b->graph, t);
}

static uc_ref filled_channels(uc_t_build *b, uc_ref x, double v)
{
    const int64_t c = uc_t_dim(b, x, 1);
    return filled(b, x, 1, &c, v);
}

/* (x - mean) / sqrt(var + eps) by x's own numbers over all axes but the channels (and the batch, when
 * `each`): what a layer without running statistics does. */
static uc_ref by_batch(uc_t_build *b, uc_ref x, double eps, bool each)
{
    uc_graph *g = b->graph;
    int64_t axes[UNCORK_MAX_RANK];
    const int rank = uc_t_rank(b, x);
    size_t n = 0;
    if (rank < 2) return uc_t_fail(b, "a normalisation of %d dimensions", rank);
    for (int i = 0; i < rank; i++) {
        if (i != 1 && !(each && i == 0)) axes[n++] = i;
    }
    const uc_ref centred = uc_g2(g, "Sub", x, uc_t_mean(b, x, axes, n, true));
    const uc_ref var = uc_t_mean(b, uc_g2(g, "Mul", centred, centred), axes, n, true);
    return uc_g2(g, "Div", centred, uc_g1(g, "Sqrt", uc_g2(g, "Add", var, uc_t_scalar(b, x, eps))));
}

/* x * weight + bias a channel; each may be 0. */
static uc_ref scale_channels(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias)
{
    uc_graph *g = b->graph;
    const int rank = uc_t_rank(b, x);
    int64_t shape[UNCORK_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        shape[i] = i == 0 ? -1 : 1;
    }
    const int wide = rank > 1 ? rank - 1 : 1;
    if (weight) x = uc_g2(g, "Mul", x, uc_g_reshape(g, weight, shape, wide));
    if (bias) x = uc_g2(g, "Add", x, uc_g_reshape(g, bias, shape, wide));
    return x;
}

uc_ref uc_t_batch_norm(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, uc_ref mean, uc_ref var,
                       double eps)
{
    uc_graph *g = b->graph;
    if (g->status) return 0;
    if (!mean || !var) return scale_channels(b, by_batch(b, x, eps, false), weight, bias);
    const int64_t c = uc_t_dim(b, mean, 0);
    const uc_ref in[] = {x, weight ? weight : filled(b, x, 1, &c, 1),
                         bias ? bias : filled(b, x, 1, &c, 0), mean, var};
    uc_node *n = uc_graph_node(g, "BatchNormalization", in, 5, 1);
    uc_node_float(g, n, "epsilon", eps);
    return uc_node_out(n, 0);
}

/* Ones over x's last axes. */
static uc_ref last_axes(uc_t_build *b, uc_ref x, int axes)
{
    int64_t shape[UNCORK_MAX_RANK];
    for (int i = 0; i < axes && i < UNCORK_MAX_RANK; i++) {
        shape[i] = uc_t_dim(b, x, i - axes);
    }
    return filled(b, x, axes, shape, 1);
}

uc_ref uc_t_layer_norm(uc_t_build *b, uc_ref x, int axes, uc_ref weight, uc_ref bias, double eps)
{
    uc_graph *g = b->graph;
    if (g->status) return 0;
    if (axes < 1 || axes > UNCORK_MAX_RANK) return uc_t_fail(b, "a norm over %d axes", axes);
    const uc_ref in[] = {x, weight ? weight : last_axes(b, x, axes), bias};
    uc_node *n = uc_graph_node(g, "LayerNormalization", in, bias ? 3 : 2, 1);
    uc_node_int(g, n, "axis", -axes);
    uc_node_float(g, n, "epsilon", eps);
    return uc_node_out(n, 0);
}

uc_ref uc_t_rms_norm(uc_t_build *b, uc_ref x, int axes, uc_ref weight, double eps)
{
    uc_graph *g = b->graph;
    if (g->status) return 0;
    if (axes < 1 || axes > UNCORK_MAX_RANK) return uc_t_fail(b, "a norm over %d axes", axes);
    if (eps < 0) eps = uc_t_dtype(b, x) == UNCORK_FLOAT64 ? DBL_EPSILON : (double)FLT_EPSILON;
    const uc_ref in[] = {x, weight ? weight : last_axes(b, x, axes)};
    uc_node *n = uc_graph_node(g, "RMSNormalization", in, 2, 1);
    uc_node_int(g, n, "axis", -axes);
    uc_node_float(g, n, "epsilon", eps);
    return uc_node_out(n, 0);
}

uc_ref uc_t_group_norm(uc_t_build *b, uc_ref x, int64_t groups, uc_ref weight, uc_ref bias,
                       double eps)
{
    uc_graph *g = b->graph;
    if (g->status) return 0;
    const uc_ref in[] = {x, weight ? weight : filled_channels(b, x, 1),
                         bias ? bias : filled_channels(b, x, 0)};
    uc_node *n = uc_graph_node(g, "GroupNormalization", in, 3, 1);
    uc_node_int(g, n, "num_groups", groups);
    uc_node_float(g, n, "epsilon", eps);
    return uc_node_out(n, 0);
}

uc_ref uc_t_instance_norm(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, uc_ref mean,
                          uc_ref var, double eps)
{
    uc_graph *g = b->graph;
    if (g->status) return 0;
    if (mean && var) return uc_t_batch_norm(b, x, weight, bias, mean, var, eps);
    if (!weight && uc_t_dim(b, x, 1) < 0) return by_batch(b, x, eps, true);
    const uc_ref in[] = {x, weight ? weight : filled_channels(b, x, 1),
                         bias ? bias : filled_channels(b, x, 0)};
    uc_node *n = uc_graph_node(g, "InstanceNormalization", in, 3, 1);
    uc_node_float(g, n, "epsilon", eps);
    return uc_node_out(n, 0);
}

/* x / (k + alpha * mean of the neighbours' squares) ^ beta. ONNX centres an even window elsewhere. */
static uc_ref even_window(uc_t_build *b, uc_ref x, int64_t size, double alpha, double beta,
                          double k)
{
    uc_graph *g = b->graph;
    const int64_t rows[] = {0, 1, uc_t_dim(b, x, 1), -1}, kernel[] = {size, 1}, one[] = {1, 1};
    const int64_t pads[] = {size / 2, 0, (size - 1) / 2, 0};
    if (rows[2] < 1) return uc_t_fail(b, "local_response_norm over an unknown number of channels");
    const uc_ref squares = uc_g_reshape(g, uc_g2(g, "Mul", x, x), rows, 4);
    uc_node *n = uc_graph_node(g, "AveragePool", &squares, 1, 1);
    uc_node_ints(g, n, "kernel_shape", kernel, 2);
    uc_node_ints(g, n, "strides", one, 2);
    uc_node_ints(g, n, "pads", pads, 4);
    uc_node_int(g, n, "count_include_pad", 1);
    const uc_ref mean = uc_g2(g, "Reshape", uc_node_out(n, 0), uc_g1(g, "Shape", x));
    const uc_ref base = uc_t_add_number(b, uc_t_mul_number(b, mean, alpha), k);
    return uc_g2(g, "Div", x, uc_g2(g, "Pow", base, uc_t_scalar(b, x, beta)));
}

uc_ref uc_t_local_response_norm(uc_t_build *b, uc_ref x, int64_t size, double alpha, double beta,
                                double k)
{
    uc_graph *g = b->graph;
    if (g->status) return 0;
    if (size < 1 || size > INT32_MAX) return uc_t_fail(b, "a window of no channels");
    if (size % 2 == 0) return even_window(b, x, size, alpha, beta, k);
    uc_node *n = uc_graph_node(g, "LRN", &x, 1, 1);
    uc_node_int(g, n, "size", size);
    uc_node_float(g, n, "alpha", alpha);
    uc_node_float(g, n, "beta", beta);
    uc_node_float(g, n, "bias", k);
    return uc_node_out(n, 0);
}
