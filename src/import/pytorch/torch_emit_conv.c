/* Products with weights: linear, convolutions, embeddings.
 * Source: torch 2.15, torch/nn/functional.py, aten/src/ATen/native/Convolution.cpp. */
#include "import/pytorch/torch_build.h"

#include <inttypes.h>
#include <math.h>

/* ---- linear ---------------------------------------------------------------------------------- */

/* The weight's transpose: a view when it is a constant. */
static uc_ref transposed(uc_t_build *b, uc_ref w)
{
    uc_graph *g = b->graph;
    const uc_tensor *t = !g->status ? g->values[w].constant : NULL;
    if (!t) return uc_g_transpose(g, w);
    uc_tensor *view = UC_NEW(g->arena, uc_tensor, 1);
    if (!view) return uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    *view = uc_tensor_transposed(t);
    return uc_graph_const(g, view);
}

uc_ref uc_t_linear(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias)
{
    uc_graph *g = b->graph;
    if (g->status) return 0;
    if (uc_t_rank(b, x) == 2 && uc_t_rank(b, weight) == 2) {
        const uc_ref in[] = {x, weight, bias};
        uc_node *n = uc_graph_node(g, "Gemm", in, bias ? 3 : 2, 1);
        uc_node_int(g, n, "transB", 1);
        return uc_node_out(n, 0);
    }
    const uc_ref y = uc_g2(g, "MatMul", x, transposed(b, weight));
    return bias ? uc_g2(g, "Add", y, bias) : y;
}

uc_ref uc_t_bilinear(uc_t_build *b, uc_ref x1, uc_ref x2, uc_ref weight, uc_ref bias)
{
    uc_graph *g = b->graph;
    const uc_ref in[] = {x1, weight, x2};
    uc_node *n = uc_graph_node(g, "Einsum", in, 3, 1);
    uc_node_str(g, n, "equation", "...i,kij,...j->...k");
    return bias ? uc_g2(g, "Add", uc_node_out(n, 0), bias) : uc_node_out(n, 0);
}

/* ---- convolutions ---------------------------------------------------------------------------- */

static bool window_ok(uc_t_build *b, int rank, const int64_t *stride, const int64_t *dilation)
{
    for (int i = 0; i < rank; i++) {
        if (stride[i] < 1 || stride[i] > INT32_MAX || dilation[i] < 1 || dilation[i] > INT32_MAX) {
            uc_t_fail(b, "a convolution of stride %" PRId64 " and dilation %" PRId64, stride[i],
                      dilation[i]);
            return false;
        }
    }
    return rank >= 1 && rank <= 3;
}

static uc_ref with_batch(uc_t_build *b, uc_ref x, int rank, bool *added)
{
    *added = uc_t_rank(b, x) == rank + 1;
    return *added ? uc_g_unsqueeze(b->graph, x, 0) : x;
}

static uc_ref without_batch(uc_t_build *b, uc_ref y, bool added)
{
    return added ? uc_g_squeeze(b->graph, y, 0) : y;
}

/* pads: [2 * rank], all befores, then all afters. */
static uc_ref convolve(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, int rank,
                       const int64_t *stride, const int64_t *pads, const int64_t *dilation,
                       int64_t groups)
{
    uc_graph *g = b->graph;
    bool added;
    if (g->status || !window_ok(b, rank, stride, dilation)) return 0;
    const uc_ref in[] = {with_batch(b, x, rank, &added), weight, bias};
    uc_node *n = uc_graph_node(g, "Conv", in, bias ? 3 : 2, 1);
    uc_node_ints(g, n, "strides", stride, (size_t)rank);
    uc_node_ints(g, n, "pads", pads, 2 * (size_t)rank);
    uc_node_ints(g, n, "dilations", dilation, (size_t)rank);
    uc_node_int(g, n, "group", groups);
    return without_batch(b, uc_node_out(n, 0), added);
}

uc_ref uc_t_conv(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, int rank,
                 const int64_t *stride, const int64_t *padding, const int64_t *dilation,
                 int64_t groups)
{
    int64_t pads[6] = {0};
    for (int i = 0; i < rank && i < 3; i++) {
        if (padding[i] < 0 || padding[i] > INT32_MAX)
            return uc_t_fail(b, "a convolution's padding of %" PRId64, padding[i]);
        pads[i] = pads[rank + i] = padding[i];
    }
    return convolve(b, x, weight, bias, rank, stride, pads, dilation, groups);
}

uc_ref uc_t_conv2d(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, int64_t stride,
                   int64_t padding, int64_t dilation, int64_t groups)
{
    const int64_t s[] = {stride, stride}, p[] = {padding, padding}, d[] = {dilation, dilation};
    return uc_t_conv(b, x, weight, bias, 2, s, p, d, groups);
}

uc_ref uc_t_conv_same(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, int rank,
                      const int64_t *dilation, int64_t groups)
{
    static const int64_t ones[] = {1, 1, 1};
    int64_t pads[6] = {0};
    for (int i = 0; i < rank && i < 3; i++) {
        const int64_t k = uc_t_dim(b, weight, i + 2);
        if (k < 1 || k > INT32_MAX || dilation[i] < 1 || dilation[i] > INT32_MAX)
            return uc_t_fail(b, "padding 'same' for a kernel of unknown size");
        pads[i] = (k - 1) * dilation[i] / 2;
        pads[rank + i] = (k - 1) * dilation[i] - pads[i];
    }
    return convolve(b, x, weight, bias, rank, ones, pads, dilation, groups);
}

uc_ref uc_t_conv_transpose(uc_t_build *b, uc_ref x, uc_ref weight, uc_ref bias, int rank,
                           const int64_t *stride, const int64_t *padding,
                           const int64_t *output_padding, const int64_t *dilation, int64_t groups)
{
    uc_graph *g = b->graph;
    int64_t pads[6] = {0};
    bool added;
    if (g->status || !window_ok(b, rank, stride, dilation)) return 0;
    for (int i = 0; i < rank; i++) {
        pads[i] = pads[rank + i] = padding[i];
    }
    const uc_ref in[] = {with_batch(b, x, rank, &added), weight, bias};
    uc_node *n = uc_graph_node(g, "ConvTranspose", in, bias ? 3 : 2, 1);
    uc_node_ints(g, n, "strides", stride, (size_t)rank);
    uc_node_ints(g, n, "pads", pads, 2 * (size_t)rank);
    uc_node_ints(g, n, "dilations", dilation, (size_t)rank);
    uc_node_ints(g, n, "output_padding", output_padding, (size_t)rank);
    uc_node_int(g, n, "group", groups);
    return without_batch(b, uc_node_out(n, 0), added);
}

/* ---- embeddings ------------------------------------------------------------------------------ */

uc_ref uc_t_embedding(uc_t_build *b, uc_ref weight, uc_ref indices)
{
    return uc_g_gather(b->graph, weight, indices, 0);
}

/* Which elements are of which bag: bool [bags, n]. */
static uc_ref bag_members(uc_t_build *b, uc_ref indices, uc_ref offsets, bool last)
{
    uc_graph *g = b->graph;
    const uc_ref n = uc_g_cast(g, uc_g1(g, "Size", indices), UNCORK_INT64);
    const uc_ref places =
        uc_g_unsqueeze(g, uc_g3(g, "Range", uc_graph_i64(g, 0), n, uc_graph_i64(g, 1)), 0);
    offsets = uc_g_cast(g, offsets, UNCORK_INT64);
    uc_ref ends = uc_g_slice(g, offsets, 0, 1, INT64_MAX), begins = offsets;
    if (last) {
        begins = uc_g_slice(g, offsets, 0, 0, -1);
    } else {
        const uc_ref parts[] = {ends, uc_g_unsqueeze(g, n, 0)};
        ends = uc_g_concat(g, parts, 2, 0);
    }
    return uc_g2(g, "And", uc_g2(g, "GreaterOrEqual", places, uc_g_unsqueeze(g, begins, 1)),
                 uc_g2(g, "Less", places, uc_g_unsqueeze(g, ends, 1)));
}

uc_ref uc_t_embedding_bag(uc_t_build *b, uc_ref weight, uc_ref indices, uc_ref offsets,
                          const char *mode, uc_ref per_sample_weights, bool include_last_offset,
                          int64_t padding_idx)
{
    uc_graph *g = b->graph;
    if (!offsets && uc_t_rank(b, indices) != 2)
        return uc_t_fail(b, "bags of embeddings without offsets need indices of 2 dimensions");
    uc_ref rows = uc_g_gather(g, weight, indices, 0); /* [bags, n, d], or [n, d] with offsets */
    uc_ref member = 0;                                /* bool [bags, n] */
    const bool is_max = strcmp(mode, "max") == 0, is_mean = strcmp(mode, "mean") == 0;
    if (per_sample_weights) rows = uc_g2(g, "Mul", rows, uc_g_unsqueeze(g, per_sample_weights, -1));
    if (offsets) {
        member = bag_members(b, indices, offsets, include_last_offset);
        rows = uc_g_unsqueeze(g, rows, 0);
        if (padding_idx >= 0) {
            const uc_ref pad = uc_t_scalar(b, indices, (double)padding_idx);
            const uc_ref real = uc_g1(g, "Not", uc_g2(g, "Equal", indices, pad));
            member = uc_g2(g, "And", member, uc_g_unsqueeze(g, real, 0));
        }
    } else {
        const double pad = padding_idx >= 0 ? (double)padding_idx : -1;
        member = uc_g1(g, "Not", uc_g2(g, "Equal", indices, uc_t_scalar(b, indices, pad)));
    }
    const uc_ref wide = uc_g_unsqueeze(g, member, 2);
    const uc_ref count = uc_g_reduce(
        g, "ReduceSum", uc_g_cast(g, wide, b->dtype ? b->dtype : UNCORK_FLOAT32), 1, false);
    const uc_ref zero = uc_t_scalar(b, rows, 0), one = uc_t_scalar(b, rows, 1);
    if (is_max) {
        const uc_ref most = uc_g_reduce(
            g, "ReduceMax", uc_g_where(g, wide, rows, uc_t_scalar(b, rows, (double)-INFINITY)), 1,
            false);
        return uc_g_where(g, uc_g2(g, "Greater", count, zero), most, zero);
    }
    const uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g_where(g, wide, rows, zero), 1, false);
    return is_mean ? uc_g2(g, "Div", sum, uc_g2(g, "Max", count, one)) : sum;
}
