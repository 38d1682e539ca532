/* Convolutions and pools. Kernels lie [out, rows, columns, in], of depthwise ones [1, rows, columns, out].
 * Source: tensorflow/lite/kernels/{conv,depthwise_conv,transpose_conv,pooling,conv3d}.cc, padding.h. */
#include "import/tflite/tflite_layout.h"

#include <inttypes.h>

static bool valid(uc_tfl_call *c, const uc_window *w)
{
    for (int i = 0; i < w->rank; i++) {
        if (w->size[i] >= 1 && w->strides[i] >= 1 && w->dilations[i] >= 1) continue;
        uc_tfl_fail(c, "a window of %" PRId64 ", strides %" PRId64 ", dilation %" PRId64,
                    w->size[i], w->strides[i], w->dilations[i]);
        return false;
    }
    return true;
}

/* SAME (0) or VALID (1): the odd row or column of padding comes last. */
bool uc_tfl_window_pads(uc_tfl_call *c, uc_window *w, int64_t padding, uc_ref x, int axis)
{
    if (!valid(c, w)) return false;
    for (int i = 0; i < w->rank && padding == 0; i++) {
        uc_window_same(w, i, uc_tfl_dim(c, x, i + axis));
    }
    return true;
}

static uc_ref bias_of(uc_tfl_call *c, size_t i) { return uc_tfl_has(c, i) ? uc_tfl_bias(c, i) : 0; }

static void set_size(uc_tfl_call *c, uc_window *w, uc_ref weights)
{
    for (int i = 0; i < w->rank; i++) {
        w->size[i] = uc_tfl_dim(c, weights, i + 2);
    }
}

static uc_ref convolve(uc_tfl_call *c, const uc_window *w, uc_ref x, uc_ref weights, int64_t groups)
{
    const uc_ref bias = bias_of(c, 2), in[] = {x, weights, bias};
    uc_node *n = uc_graph_node(c->graph, "Conv", in, bias ? 3 : 2, 1);
    uc_window_put(c->graph, n, w, true);
    uc_node_int(c->graph, n, "group", groups);
    return uc_node_out(n, 0);
}

void uc_tfl_conv(uc_tfl_call *c)
{
    if (uc_tfl_q_conv(c) || uc_tfl_hybrid_conv(c)) return;
    static const int64_t perm[] = {0, 3, 1, 2};
    uc_window w = {.rank = 2,
                   .strides = {uc_tfl_i32(c, 2, 0), uc_tfl_i32(c, 1, 0)},
                   .dilations = {uc_tfl_i32(c, 5, 1), uc_tfl_i32(c, 4, 1)}};
    const uc_ref x = uc_tfl_first(c, 0), weights = uc_tfl_weight(c, 1, perm, 4);
    set_size(c, &w, weights);
    if (c->graph->status || !uc_tfl_window_pads(c, &w, uc_tfl_i8(c, 0, 0), x, 2)) return;
    const int64_t in = uc_tfl_dim(c, x, 1), each = uc_tfl_dim(c, weights, 1);
    if (in < 1 || each < 1 || in % each) {
        uc_tfl_fail(c, "%" PRId64 " channels by a kernel of %" PRId64, in, each);
        return;
    }
    uc_tfl_out_first(c, 0, uc_tfl_fused(c, 3, convolve(c, &w, x, weights, in / each)));
}

void uc_tfl_depthwise_conv(uc_tfl_call *c)
{
    if (uc_tfl_q_depthwise_conv(c) || uc_tfl_hybrid_conv(c)) return;
    static const int64_t perm[] = {3, 0, 1, 2};
    uc_window w = {.rank = 2,
                   .strides = {uc_tfl_i32(c, 2, 0), uc_tfl_i32(c, 1, 0)},
                   .dilations = {uc_tfl_i32(c, 6, 1), uc_tfl_i32(c, 5, 1)}};
    const uc_ref x = uc_tfl_first(c, 0), weights = uc_tfl_weight(c, 1, perm, 4);
    set_size(c, &w, weights);
    if (c->graph->status || !uc_tfl_window_pads(c, &w, uc_tfl_i8(c, 0, 0), x, 2)) return;
    const int64_t in = uc_tfl_dim(c, x, 1), out = uc_tfl_dim(c, weights, 0);
    if (in < 1 || out % in) {
        uc_tfl_fail(c, "%" PRId64 " channels to %" PRId64, in, out);
        return;
    }
    uc_tfl_out_first(c, 0, uc_tfl_fused(c, 4, convolve(c, &w, x, weights, in)));
}

void uc_tfl_conv_3d(uc_tfl_call *c)
{
    static const int64_t kernel[] = {4, 3, 0, 1, 2}, first[] = {0, 4, 1, 2, 3};
    static const int64_t last[] = {0, 2, 3, 4, 1};
    uc_window w = {.rank = 3,
                   .strides = {uc_tfl_i32(c, 1, 0), uc_tfl_i32(c, 3, 0), uc_tfl_i32(c, 2, 0)},
                   .dilations = {uc_tfl_i32(c, 5, 1), uc_tfl_i32(c, 7, 1), uc_tfl_i32(c, 6, 1)}};
    const uc_ref x = uc_tfl_transpose(c->graph, uc_tfl_in(c, 0), first, 5);
    const uc_ref weights = uc_tfl_weight(c, 1, kernel, 5);
    set_size(c, &w, weights);
    if (c->graph->status || !uc_tfl_window_pads(c, &w, uc_tfl_i8(c, 0, 0), x, 2)) return;
    const uc_ref y = uc_tfl_fused(c, 4, convolve(c, &w, x, weights, 1));
    uc_tfl_out(c, 0, uc_tfl_transpose(c->graph, y, last, 5));
}

/* Inputs: the output's shape, the kernel [out, rows, columns, in], x, a bias or none. */
void uc_tfl_transpose_conv(uc_tfl_call *c)
{
    if (uc_tfl_q_transpose_conv(c)) return;
    static const int64_t perm[] = {3, 0, 1, 2};
    uc_graph *g = c->graph;
    int64_t shape[4], extra[2] = {0, 0};
    uc_window w = {
        .rank = 2, .strides = {uc_tfl_i32(c, 2, 0), uc_tfl_i32(c, 1, 0)}, .dilations = {1, 1}};
    const uc_ref x = uc_tfl_first(c, 2), weights = uc_tfl_weight(c, 1, perm, 4);
    set_size(c, &w, weights);
    if (g->status || !valid(c, &w)) return;
    const bool known = uc_tfl_known(c, 0, shape, 4) == 4;
    const uc_tfl_tensor *declared = uc_tfl_tensor_out(c, 0);
    for (int i = 0; i < 2; i++) {
        const int64_t n = uc_tfl_dim(c, x, i + 2);
        const int64_t size = known                 ? shape[i + 1]
                             : declared->rank == 4 ? declared->shape[i + 1]
                                                   : -1;
        if (n < 0 || size < 1) {
            uc_tfl_fail(c, "a size of its output isn't known");
            return;
        }
        const int64_t total = (n - 1) * w.strides[i] + w.size[i] - size;
        const int64_t before = uc_tfl_i8(c, 0, 0) == 0 && total > 0 ? total / 2 : 0;
        w.pads[i] = before;
        w.pads[2 + i] = total > 0 ? total - before : 0;
        if (total < 0) extra[i] = -total;
    }
    const uc_ref bias = bias_of(c, 3), in[] = {x, weights, bias};
    uc_node *n = uc_graph_node(g, "ConvTranspose", in, bias ? 3 : 2, 1);
    uc_window_put(g, n, &w, false);
    uc_node_ints(g, n, "output_padding", extra, 2);
    uc_tfl_out_first(c, 0, uc_tfl_fused(c, 3, uc_node_out(n, 0)));
}

/* Inputs: the output's shape, the kernel [depth, rows, columns, out, in], x, a bias or none. */
void uc_tfl_conv_3d_transpose(uc_tfl_call *c)
{
    static const int64_t kernel[] = {4, 3, 0, 1, 2}, first[] = {0, 4, 1, 2, 3};
    static const int64_t last[] = {0, 2, 3, 4, 1};
    uc_graph *g = c->graph;
    int64_t shape[5], extra[3] = {0, 0, 0};
    uc_window w = {.rank = 3,
                   .strides = {uc_tfl_i32(c, 1, 0), uc_tfl_i32(c, 3, 0), uc_tfl_i32(c, 2, 0)},
                   .dilations = {uc_tfl_i32(c, 5, 1), uc_tfl_i32(c, 7, 1), uc_tfl_i32(c, 6, 1)}};
    const uc_ref x = uc_tfl_transpose(g, uc_tfl_in(c, 2), first, 5);
    const uc_ref weights = uc_tfl_weight(c, 1, kernel, 5);
    set_size(c, &w, weights);
    if (g->status || !valid(c, &w)) return;
    if (uc_tfl_known(c, 0, shape, 5) != 5) {
        uc_tfl_fail(c, "the size of its output isn't known");
        return;
    }
    for (int i = 0; i < 3; i++) {
        const int64_t reach = (w.size[i] - 1) * w.dilations[i] + 1;
        const int64_t total = (uc_tfl_dim(c, x, i + 2) - 1) * w.strides[i] + reach - shape[i + 1];
        w.pads[i] = uc_tfl_i8(c, 0, 0) == 0 && total > 0 ? total / 2 : 0;
        w.pads[3 + i] = total > 0 ? total - w.pads[i] : 0;
        if (total < 0) extra[i] = -total;
    }
    const uc_ref bias = bias_of(c, 3), in[] = {x, weights, bias};
    uc_node *n = uc_graph_node(g, "ConvTranspose", in, bias ? 3 : 2, 1);
    uc_window_put(g, n, &w, true);
    uc_node_ints(g, n, "output_padding", extra, 3);
    const uc_ref y = uc_tfl_fused(c, 4, uc_node_out(n, 0));
    uc_tfl_out(c, 0, uc_tfl_transpose(g, y, last, 5));
}

/* ---- pools ----------------------------------------------------------------------------------- */

static bool pool_window(uc_tfl_call *c, uc_ref x, uc_window *w)
{
    *w = (uc_window){.rank = 2,
                     .size = {uc_tfl_i32(c, 4, 0), uc_tfl_i32(c, 3, 0)},
                     .strides = {uc_tfl_i32(c, 2, 0), uc_tfl_i32(c, 1, 0)},
                     .dilations = {1, 1}};
    return !c->graph->status && uc_tfl_window_pads(c, w, uc_tfl_i8(c, 0, 0), x, 2);
}

void uc_tfl_pool(uc_tfl_call *c)
{
    if (uc_tfl_q_pool(c)) return;
    uc_window w;
    const uc_ref x = uc_tfl_first(c, 0);
    if (!pool_window(c, x, &w)) return;
    uc_node *n = uc_graph_node(c->graph, c->op->row->op, &x, 1, 1);
    uc_window_put(c->graph, n, &w, false);
    uc_tfl_out_first(c, 0, uc_tfl_fused(c, 5, uc_node_out(n, 0)));
}

/* The root of the mean of squares. */
void uc_tfl_l2_pool(uc_tfl_call *c)
{
    uc_window w;
    uc_graph *g = c->graph;
    const uc_ref x = uc_tfl_first(c, 0), squares = uc_g2(g, "Mul", x, x);
    if (!pool_window(c, x, &w)) return;
    uc_node *n = uc_graph_node(g, "AveragePool", &squares, 1, 1);
    uc_window_put(g, n, &w, false);
    uc_tfl_out_first(c, 0, uc_tfl_fused(c, 5, uc_g1(g, "Sqrt", uc_node_out(n, 0))));
}
