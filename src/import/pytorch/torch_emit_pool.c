/* Pooling. Source: torch 2.15, torch/nn/functional.py, aten/src/ATen/native/{Pool.h,AdaptivePooling.h}. */
#include "import/pytorch/torch_build.h"

#include <inttypes.h>

static uc_ref with_batch(uc_t_build *b, uc_ref x, int rank, bool *added)
{
    *added = uc_t_rank(b, x) == rank + 1;
    return *added ? uc_g_unsqueeze(b->graph, x, 0) : x;
}

static uc_ref without_batch(uc_t_build *b, uc_ref y, bool added)
{
    return added ? uc_g_squeeze(b->graph, y, 0) : y;
}

static void window_attrs(uc_graph *g, uc_node *n, int rank, const int64_t *kernel,
                         const int64_t *stride, const int64_t *padding, bool ceil_mode)
{
    int64_t pads[6] = {0};
    for (int i = 0; i < rank; i++) {
        pads[i] = pads[rank + i] = padding[i];
    }
    uc_node_ints(g, n, "kernel_shape", kernel, (size_t)rank);
    uc_node_ints(g, n, "strides", stride, (size_t)rank);
    uc_node_ints(g, n, "pads", pads, 2 * (size_t)rank);
    if (ceil_mode) uc_node_int(g, n, "ceil_mode", 1);
}

static bool rank_ok(uc_t_build *b, int rank)
{
    if (rank < 1 || rank > 3) uc_t_fail(b, "pooling over %d dimensions", rank);
    return !b->graph->status;
}

/* ONNX counts places through samples and channels, PyTorch within a plane. */
static uc_ref places_in_plane(uc_t_build *b, uc_ref x, uc_ref indices, int rank)
{
    uc_graph *g = b->graph;
    int64_t plane = 1;
    for (int i = 0; i < rank; i++) {
        const int64_t n = uc_t_dim(b, x, i - rank);
        plane = n < 0 || plane < 0 || __builtin_mul_overflow(plane, n, &plane) ? -1 : plane;
    }
    if (plane > 0) return uc_g2(g, "Mod", indices, uc_graph_i64(g, plane));
    uc_node *shape = uc_graph_node(g, "Shape", &x, 1, 1);
    uc_node_int(g, shape, "start", -rank);
    return uc_g2(g, "Mod", indices, uc_g_reduce(g, "ReduceProd", uc_node_out(shape, 0), 0, false));
}

uc_ref uc_t_max_pool(uc_t_build *b, uc_ref x, int rank, const int64_t *kernel,
                     const int64_t *stride, const int64_t *padding, const int64_t *dilation,
                     bool ceil_mode, uc_ref *indices)
{
    uc_graph *g = b->graph;
    bool added;
    if (!rank_ok(b, rank)) return 0;
    x = with_batch(b, x, rank, &added);
    uc_node *n = uc_graph_node(g, "MaxPool", &x, 1, indices ? 2 : 1);
    window_attrs(g, n, rank, kernel, stride ? stride : kernel, padding, ceil_mode);
    uc_node_ints(g, n, "dilations", dilation, (size_t)rank);
    const uc_ref y = uc_node_out(n, 0);
    if (indices) {
        *indices = uc_node_out(n, 1);
        *indices = without_batch(b, places_in_plane(b, x, *indices, rank), added);
    }
    return without_batch(b, y, added);
}

uc_ref uc_t_max_pool2d(uc_t_build *b, uc_ref x, int64_t kernel, int64_t stride, int64_t padding,
                       bool ceil_mode)
{
    const int64_t k[] = {kernel, kernel}, s[] = {stride, stride}, p[] = {padding, padding};
    static const int64_t one[] = {1, 1};
    return uc_t_max_pool(b, x, 2, k, s, p, one, ceil_mode, NULL);
}

uc_ref uc_t_avg_pool(uc_t_build *b, uc_ref x, int rank, const int64_t *kernel,
                     const int64_t *stride, const int64_t *padding, bool ceil_mode,
                     bool count_include_pad, int64_t divisor)
{
    uc_graph *g = b->graph;
    bool added;
    if (!rank_ok(b, rank)) return 0;
    x = with_batch(b, x, rank, &added);
    if (divisor) { /* a sum: a depthwise convolution's worth, as p = 1 keeps signs apart */
        int64_t taps = 1, pads[2 * UNCORK_MAX_RANK] = {0};
        if (ceil_mode) return uc_t_fail(b, "avg_pool with divisor_override and ceil_mode");
        for (int i = 0; i < rank; i++) {
            taps *= kernel[i];
            pads[2 * i] = pads[2 * i + 1] = padding[rank - 1 - i];
        }
        static const int64_t none[3] = {0};
        x = uc_t_pad(b, x, pads, 2 * (size_t)rank, "constant", 0);
        const uc_ref y = uc_t_avg_pool(b, x, rank, kernel, stride, none, false, true, 0);
        return without_batch(b, uc_t_mul_number(b, y, (double)taps / (double)divisor), added);
    }
    uc_node *n = uc_graph_node(g, "AveragePool", &x, 1, 1);
    window_attrs(g, n, rank, kernel, stride ? stride : kernel, padding, ceil_mode);
    if (count_include_pad) uc_node_int(g, n, "count_include_pad", 1);
    return without_batch(b, uc_node_out(n, 0), added);
}

uc_ref uc_t_avg_pool2d(uc_t_build *b, uc_ref x, int64_t kernel, int64_t stride, int64_t padding)
{
    const int64_t k[] = {kernel, kernel}, s[] = {stride, stride}, p[] = {padding, padding};
    return uc_t_avg_pool(b, x, 2, k, s, p, false, true, 0);
}

/* ---- adaptive -------------------------------------------------------------------------------- */

static uc_ref adaptive(uc_t_build *b, uc_ref x, int rank, const int64_t *size, bool max,
                       uc_ref *indices)
{
    uc_graph *g = b->graph;
    bool added, whole = true, same = true, one = true;
    int64_t kernel[3];
    static const int64_t none[3] = {0}, ones[3] = {1, 1, 1};
    if (!rank_ok(b, rank)) return 0;
    x = with_batch(b, x, rank, &added);
    for (int i = 0; i < rank; i++) {
        const int64_t in = uc_t_dim(b, x, i + 2);
        if (size[i] == 0 || size[i] < -1) return uc_t_fail(b, "a pooled size of %" PRId64, size[i]);
        one = one && size[i] == 1;
        same = same && (size[i] < 0 || size[i] == in);
        whole = whole && (size[i] < 0 || (in > 0 && in % size[i] == 0));
        kernel[i] = size[i] < 0 || in < 1 ? 1 : in / size[i];
    }
    uc_ref y;
    if (same && !indices) {
        y = x;
    } else if (one && !indices) {
        y = uc_g1(g, max ? "GlobalMaxPool" : "GlobalAveragePool", x);
    } else if (whole && !indices && max) {
        y = uc_t_max_pool(b, x, rank, kernel, kernel, none, ones, false, NULL);
    } else if (whole && !indices) {
        y = uc_t_avg_pool(b, x, rank, kernel, kernel, none, false, true, 0);
    } else {
        uc_node *n = uc_graph_node(g, "uncork.AdaptivePool", &x, 1, indices ? 2 : 1);
        uc_node_ints(g, n, "output_size", size, (size_t)rank);
        uc_node_str(g, n, "mode", max ? "max" : "avg");
        y = uc_node_out(n, 0);
        if (indices) *indices = without_batch(b, uc_node_out(n, 1), added);
    }
    return without_batch(b, y, added);
}

uc_ref uc_t_adaptive_avg_pool(uc_t_build *b, uc_ref x, int rank, const int64_t *size)
{
    return adaptive(b, x, rank, size, false, NULL);
}

uc_ref uc_t_adaptive_max_pool(uc_t_build *b, uc_ref x, int rank, const int64_t *size,
                              uc_ref *indices)
{
    return adaptive(b, x, rank, size, true, indices);
}

uc_ref uc_t_global_avg_pool(uc_t_build *b, uc_ref x)
{
    static const int64_t one[] = {1, 1};
    return adaptive(b, x, 2, one, false, NULL);
}

/* ---- others ---------------------------------------------------------------------------------- */

uc_ref uc_t_lp_pool(uc_t_build *b, uc_ref x, int rank, double p, const int64_t *kernel,
                    const int64_t *stride, bool ceil_mode)
{
    uc_graph *g = b->graph;
    double taps = 1;
    static const int64_t none[3] = {0};
    if (!rank_ok(b, rank)) return 0;
    for (int i = 0; i < rank; i++) {
        taps *= (double)kernel[i];
    }
    const uc_ref power = uc_g2(g, "Pow", x, uc_t_scalar(b, x, p));
    const uc_ref mean = uc_t_avg_pool(b, power, rank, kernel, stride, none, ceil_mode, true, 0);
    const uc_ref signs = uc_g2(g, "Mul", uc_g1(g, "Sign", mean), uc_g1(g, "Abs", mean));
    return uc_g2(g, "Pow", uc_t_mul_number(b, signs, taps), uc_t_scalar(b, x, 1 / p));
}

uc_ref uc_t_max_unpool(uc_t_build *b, uc_ref x, uc_ref indices, int rank, const int64_t *kernel,
                       const int64_t *stride, const int64_t *padding, const int64_t *size)
{
    uc_graph *g = b->graph;
    bool added, ignored;
    int64_t plane = 1, shape[UNCORK_MAX_RANK] = {0, 0}, flat[] = {0, 0, -1};
    if (!rank_ok(b, rank)) return 0;
    x = with_batch(b, x, rank, &added);
    indices = with_batch(b, indices, rank, &ignored);
    for (int i = 0; i < rank; i++) {
        const int64_t in = uc_t_dim(b, x, i + 2), s = stride ? stride[i] : kernel[i];
        if (!size && in < 0) return uc_t_fail(b, "max_unpool of a tensor of unknown size");
        shape[i + 2] = size ? size[i] : (in - 1) * s - 2 * padding[i] + kernel[i];
        if (shape[i + 2] < 1 || __builtin_mul_overflow(plane, shape[i + 2], &plane))
            return uc_t_fail(b, "max_unpool to a size of %" PRId64, shape[i + 2]);
    }
    uc_node *head = uc_graph_node(g, "Shape", &x, 1, 1);
    uc_node_int(g, head, "end", 2);
    const uc_ref parts[] = {uc_node_out(head, 0), uc_graph_i64s(g, &plane, 1)};
    const uc_ref zeros = uc_g2(g, "Expand", uc_t_scalar(b, x, 0), uc_g_concat(g, parts, 2, 0));
    const uc_ref in[] = {zeros, uc_g_reshape(g, indices, flat, 3), uc_g_reshape(g, x, flat, 3)};
    uc_node *n = uc_graph_node(g, "ScatterElements", in, 3, 1);
    uc_node_int(g, n, "axis", 2);
    return without_batch(b, uc_g_reshape(g, uc_node_out(n, 0), shape, rank + 2), added);
}
