/* Convolutions and pools. Kernels lie [spatial..., in, out], of depthwise ones [rows, columns, in, each].
 * Source: tensorflow/core/kernels/conv_ops*.cc, conv_grad_input_ops.cc, depthwise_conv_op.cc, pooling_ops_*.cc,
 * core/framework/kernel_shape_util.cc (SAME: the odd row of padding comes last). */
#include "graph/graph_window.h"
#include "import/tensorflow/tf_ops.h"

#include <inttypes.h>

typedef struct window {
    uc_window slide;
    bool given; /* data_format says that channels come first */
} window;

/* ---- reading --------------------------------------------------------------------------------- */

/* Entry of spatial axis i in a list by the data format. */
static size_t place(const window *w, int i) { return (size_t)(w->given ? i + 2 : i + 1); }

static bool channels_first(uc_tf_call *c)
{
    const uc_str s = uc_tf_str(c, "data_format");
    return s.size > 1 && s.data[0] == 'N' && s.data[1] == 'C';
}

static bool read_list(uc_tf_call *c, const window *w, const char *name, int64_t *out,
                      int64_t otherwise)
{
    int64_t v[8];
    const size_t n = uc_tf_ints(c, name, v, 8);
    for (int i = 0; i < w->slide.rank; i++) {
        out[i] = place(w, i) < n ? v[place(w, i)] : otherwise;
        if (out[i] >= 1 && out[i] <= INT32_MAX) continue;
        uc_tf_fail(c, "%s of %" PRId64, name, out[i]);
        return false;
    }
    return true;
}

static bool read_window(uc_tf_call *c, window *w, int rank)
{
    *w = (window){.slide.rank = rank, .given = channels_first(c)};
    return read_list(c, w, "strides", w->slide.strides, 1) &&
           read_list(c, w, "dilations", w->slide.dilations, 1);
}

static bool read_explicit(uc_tf_call *c, window *w)
{
    int64_t v[12];
    const size_t n = uc_tf_ints(c, "explicit_paddings", v, 12);
    if (n != 2 * (size_t)(w->slide.rank + 2)) {
        uc_tf_fail(c, "%zu explicit paddings", n);
        return false;
    }
    for (int i = 0; i < w->slide.rank; i++) {
        w->slide.pads[i] = v[2 * place(w, i)];
        w->slide.pads[w->slide.rank + i] = v[2 * place(w, i) + 1];
        if (w->slide.pads[i] < 0 || w->slide.pads[w->slide.rank + i] < 0) {
            uc_tf_fail(c, "a negative padding");
            return false;
        }
    }
    return true;
}

static bool set_pads(uc_tf_call *c, window *w, uc_ref x)
{
    const bool same = uc_tf_str_is(c, "padding", "SAME");
    if (c->graph->status) return false;
    if (uc_tf_str_is(c, "padding", "EXPLICIT")) return read_explicit(c, w);
    for (int i = 0; i < w->slide.rank && same; i++) {
        const int64_t n = uc_tf_dim(c, x, i + 2);
        uc_window_same(&w->slide, i, w->slide.size[i] < 1 ? -1 : n);
    }
    return true;
}

static uc_ref input_of(uc_tf_call *c, size_t i, const window *w)
{
    return w->given ? uc_tf_in(c, i) : uc_tf_first(c, i);
}

static void set_size(uc_tf_call *c, window *w, uc_ref weights)
{
    for (int i = 0; i < w->slide.rank; i++) {
        w->slide.size[i] = uc_tf_dim(c, weights, i + 2);
        if (w->slide.size[i] >= 1 || c->graph->status) continue;
        uc_tf_fail(c, "the size of its kernel isn't known");
    }
}

/* ---- forwards -------------------------------------------------------------------------------- */

static uc_ref convolve(uc_tf_call *c, window *w, uc_ref x, uc_ref weights, int64_t groups)
{
    uc_graph *g = c->graph;
    if (!set_pads(c, w, x)) return 0;
    const uc_ref in[] = {x, weights};
    uc_node *n = uc_graph_node(g, "Conv", in, 2, 1);
    uc_window_put(g, n, &w->slide, true);
    uc_node_int(g, n, "group", groups);
    return uc_node_out(n, 0);
}

/* The plain convolution; *w says how it lies. 0 after a failure. */
static uc_ref conv(uc_tf_call *c, window *w, int rank, uc_ref x)
{
    static const int64_t image[] = {3, 2, 0, 1}, volume[] = {4, 3, 0, 1, 2}, line[] = {2, 1, 0};
    if (!read_window(c, w, rank)) return 0;
    if (!x) x = input_of(c, 0, w);
    const uc_ref weights = uc_tf_weight(c, 1,
                                        rank == 3   ? volume
                                        : rank == 2 ? image
                                                    : line,
                                        (size_t)rank + 2);
    set_size(c, w, weights);
    if (c->graph->status) return 0;
    const int64_t in = uc_tf_dim(c, x, 1), each = uc_tf_dim(c, weights, 1);
    if (each < 1 || (in >= 0 && in % each)) {
        return uc_tf_fail(c, "%" PRId64 " channels by a kernel of %" PRId64, in, each);
    }
    return convolve(c, w, x, weights, in < 0 ? 1 : in / each);
}

void uc_tf_op_conv(uc_tf_call *c)
{
    window w;
    const int rank = c->node->op.size > 4 && c->node->op.data[4] == '3' ? 3 : 2;
    const uc_ref y = conv(c, &w, rank, 0);
    uc_tf_give(c, y, !w.given);
}

static uc_ref depthwise(uc_tf_call *c, window *w)
{
    uc_graph *g = c->graph;
    static const int64_t perm[] = {2, 3, 0, 1};
    if (!read_window(c, w, 2)) return 0;
    const uc_ref x = input_of(c, 0, w), turned = uc_tf_weight(c, 1, perm, 4);
    set_size(c, w, turned);
    const int64_t in = uc_tf_dim(c, turned, 0), each = uc_tf_dim(c, turned, 1);
    if (g->status || in < 1 || each < 1) return uc_tf_fail(c, "its kernel's shape isn't known");
    const int64_t shape[] = {in * each, 1, w->slide.size[0], w->slide.size[1]};
    return convolve(c, w, x, uc_g_reshape(g, turned, shape, 4), in);
}

void uc_tf_op_depthwise(uc_tf_call *c)
{
    window w;
    const uc_ref y = depthwise(c, &w);
    uc_tf_give(c, y, !w.given);
}

/* ---- fused ----------------------------------------------------------------------------------- */

static uc_ref activate(uc_tf_call *c, uc_str name, uc_ref x)
{
    uc_graph *g = c->graph;
    if (uc_str_is(name, "Relu6"))
        return uc_g3(g, "Clip", x, uc_tf_scalar(c, 0, x), uc_tf_scalar(c, 6, x));
    if (uc_str_is(name, "LeakyRelu")) {
        uc_node *n = uc_graph_node(g, "LeakyRelu", &x, 1, 1);
        uc_node_float(g, n, "alpha", uc_tf_float(c, "leakyrelu_alpha"));
        return uc_node_out(n, 0);
    }
    if (uc_str_is(name, "GeluExact")) return uc_g1(g, "Gelu", x);
    if (uc_str_is(name, "GeluApproximate")) {
        uc_node *n = uc_graph_node(g, "Gelu", &x, 1, 1);
        uc_node_str(g, n, "approximate", "tanh");
        return uc_node_out(n, 0);
    }
    static const char *const plain[] = {"Relu", "Elu", "Tanh", "Sigmoid"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (uc_str_is(name, plain[i])) return uc_g1(g, plain[i], x);
    }
    return uc_tf_fail(c, "its fused op '%.*s' isn't known", name.size < 40 ? (int)name.size : 40,
                      name.data);
}

/* scale, offset, mean, variance from input `at` on; x as [N, C, spatial...]. */
static uc_ref normalise(uc_tf_call *c, uc_ref x, size_t at)
{
    const uc_ref in[] = {x, uc_tf_in(c, at), uc_tf_in(c, at + 1), uc_tf_in(c, at + 2),
                         uc_tf_in(c, at + 3)};
    uc_node *n = uc_graph_node(c->graph, "BatchNormalization", in, 5, 1);
    uc_node_float(c->graph, n, "epsilon", uc_tf_float(c, "epsilon"));
    return uc_node_out(n, 0);
}

/* What follows: fused_ops name it, extra inputs begin at `at`. */
static uc_ref follow(uc_tf_call *c, uc_ref y, size_t at, int rank)
{
    uc_str ops[8];
    const size_t n = uc_tf_strs(c, "fused_ops", ops, 8);
    for (size_t i = 0; i < n && !c->graph->status; i++) {
        if (uc_str_is(ops[i], "BiasAdd")) {
            y = uc_g2(c->graph, "Add", y, uc_tf_channel_bias(c, uc_tf_in(c, at), rank));
            at++;
        } else if (uc_str_is(ops[i], "FusedBatchNorm")) {
            y = normalise(c, y, at);
            at += 4;
        } else if (uc_str_is(ops[i], "Add") && rank == 0) {
            y = uc_g2(c->graph, "Add", y, uc_tf_in(c, at++));
        } else {
            y = activate(c, ops[i], y);
        }
    }
    return y;
}

void uc_tf_op_fused_conv(uc_tf_call *c)
{
    window w;
    const bool deep = c->node->op.size > 6 && c->node->op.data[6] == 'D';
    const bool volume = memchr(c->node->op.data, '3', c->node->op.size) != NULL;
    const uc_ref y = deep ? depthwise(c, &w) : conv(c, &w, volume ? 3 : 2, 0);
    uc_tf_give(c, follow(c, y, 2, volume ? 5 : 4), !w.given);
}

void uc_tf_op_fused_matmul(uc_tf_call *c)
{
    static const int64_t swapped[] = {1, 0};
    const uc_ref a = uc_tf_bool(c, "transpose_a") ? uc_tf_weight(c, 0, swapped, 2) : uc_tf_in(c, 0);
    const uc_ref b = uc_tf_bool(c, "transpose_b") ? uc_tf_weight(c, 1, swapped, 2) : uc_tf_in(c, 1);
    uc_tf_out(c, 0, follow(c, uc_g2(c->graph, "MatMul", a, b), 2, 0));
}

/* [N, H, W, C] with pairs of padding in front of a convolution. */
void uc_tf_op_pad_conv(uc_tf_call *c)
{
    static const int64_t image[] = {0, 3, 1, 2}, perm[] = {3, 2, 0, 1}, flat[] = {-1};
    uc_graph *g = c->graph;
    window w;
    const bool resized = c->node->op.size > 5 && c->node->op.data[5] == 'R';
    const size_t at = resized ? 2 : 1;
    uc_ref x = uc_tf_first(c, 0);
    if (resized) {
        const bool align = uc_tf_bool(c, "resize_align_corners");
        x = uc_tf_resize_linear(c, x, uc_tf_i64(c, 1), align, false);
    }
    const uc_ref pads =
        uc_g_gather(g, uc_g_transpose(g, uc_tf_i64(c, at)), uc_graph_i64s(g, image, 4), 1);
    const uc_ref in[] = {x, uc_g_reshape(g, pads, flat, 1)};
    uc_node *n = uc_graph_node(g, "Pad", in, 2, 1);
    if (!uc_tf_str_is(c, "mode", "REFLECT")) {
        uc_tf_fail(c, "SYMMETRIC isn't supported");
        return;
    }
    uc_node_str(g, n, "mode", "reflect");
    x = uc_node_out(n, 0);
    if (!read_window(c, &w, 2)) return;
    const uc_ref weights = uc_tf_weight(c, at + 1, perm, 4);
    set_size(c, &w, weights);
    uc_tf_out_first(c, 0, convolve(c, &w, x, weights, 1));
}

/* ---- backwards: what Conv2DTranspose is ------------------------------------------------------- */

/* Pads by the size of the input that the gradient is of; extra rows where the last ones had no window. */
static bool set_back(uc_tf_call *c, window *w, const int64_t *size, uc_ref y, int64_t *extra)
{
    const bool same = uc_tf_str_is(c, "padding", "SAME");
    if (uc_tf_str_is(c, "padding", "EXPLICIT") && !read_explicit(c, w)) return false;
    const bool given = uc_tf_str_is(c, "padding", "EXPLICIT");
    for (int i = 0; i < w->slide.rank; i++) {
        const int64_t n = uc_tf_dim(c, y, i + 2);
        const int64_t reach = (w->slide.size[i] - 1) * w->slide.dilations[i] + 1;
        extra[i] = 0;
        if (size[i] < 1 || n < 1) { /* what SAME and VALID make of any size: stride times it */
            if (given) return false;
            w->slide.automatic = w->slide.automatic || size[i] >= 1;
            int64_t total = same ? reach - w->slide.strides[i] : 0;
            if (total < 0) {
                extra[i] = -total;
                total = 0;
            }
            w->slide.pads[i] = total / 2;
            w->slide.pads[w->slide.rank + i] = total - total / 2;
            continue;
        }
        int64_t total = (n - 1) * w->slide.strides[i] + reach - size[i];
        if (given) {
            total -= w->slide.pads[i] + w->slide.pads[w->slide.rank + i];
            extra[i] = total < 0 ? -total : 0;
            continue;
        }
        const int64_t before = same && total > 0 ? total / 2 : 0;
        w->slide.pads[i] = before;
        w->slide.pads[w->slide.rank + i] = total > 0 ? total - before : 0;
        extra[i] = total < 0 ? -total : 0;
    }
    return true;
}

static void transposed(uc_tf_call *c, window *w, uc_ref weights, int64_t groups)
{
    uc_graph *g = c->graph;
    int64_t sizes[8], size[3] = {-1, -1, -1}, extra[3];
    const uc_ref y = input_of(c, 2, w);
    const size_t n = uc_tf_known(c, 0, sizes, 8);
    set_size(c, w, weights);
    if (g->status) return;
    const size_t rank = (size_t)w->slide.rank;
    for (int i = 0; i < w->slide.rank && n != SIZE_MAX; i++) {
        if (n == rank + 2) size[i] = sizes[place(w, i)];
        if (n == rank) size[i] = sizes[i];
    }
    if (!set_back(c, w, size, y, extra)) {
        uc_tf_fail(c, "the size of its output isn't known");
        return;
    }
    const uc_ref in[] = {y, weights};
    uc_node *node = uc_graph_node(g, "ConvTranspose", in, 2, 1);
    uc_window_put(g, node, &w->slide, true);
    if (w->slide.automatic)
        uc_node_ints(g, node, "output_shape", size, rank);
    else
        uc_node_ints(g, node, "output_padding", extra, rank);
    uc_node_int(g, node, "group", groups);
    uc_tf_give(c, uc_node_out(node, 0), !w->given);
}

/* Inputs: the size of what it gives, the kernel, what was given. */
void uc_tf_op_conv_back(uc_tf_call *c)
{
    static const int64_t image[] = {3, 2, 0, 1}, volume[] = {4, 3, 0, 1, 2};
    window w;
    const int rank = c->node->op.data[4] == '3' ? 3 : 2;
    if (read_window(c, &w, rank))
        transposed(c, &w, uc_tf_weight(c, 1, rank == 3 ? volume : image, (size_t)rank + 2), 1);
}

void uc_tf_op_depthwise_back(uc_tf_call *c)
{
    static const int64_t perm[] = {2, 3, 0, 1};
    window w;
    if (!read_window(c, &w, 2)) return;
    const uc_ref turned = uc_tf_weight(c, 1, perm, 4);
    set_size(c, &w, turned);
    const int64_t in = uc_tf_dim(c, turned, 0), each = uc_tf_dim(c, turned, 1);
    if (c->graph->status) return;
    const int64_t shape[] = {in * each, 1, w.slide.size[0], w.slide.size[1]};
    transposed(c, &w, uc_g_reshape(c->graph, turned, shape, 4), in);
}

/* ---- pools ----------------------------------------------------------------------------------- */

/* ksize and strides that are inputs: MaxPoolV2. */
static bool read_inputs(uc_tf_call *c, window *w)
{
    int64_t size[8], strides[8];
    if (uc_tf_known(c, 1, size, 8) != 4 || uc_tf_known(c, 2, strides, 8) != 4) {
        uc_tf_fail(c, "its window isn't a constant");
        return false;
    }
    for (int i = 0; i < 2; i++) {
        w->slide.size[i] = size[place(w, i)];
        w->slide.strides[i] = strides[place(w, i)];
    }
    return true;
}

/* A window over the channels alone: they become a spatial axis. */
static bool pool_channels(uc_tf_call *c, const window *w)
{
    int64_t size[8], strides[8];
    if (uc_tf_ints(c, "ksize", size, 8) != 4 || w->given || size[3] == 1) return false;
    if (uc_tf_ints(c, "strides", strides, 8) != 4 || size[1] != 1 || size[2] != 1) {
        uc_tf_fail(c, "a window over channels and pixels");
        return true;
    }
    const uc_ref x = uc_tf_in(c, 0);
    uc_node *n = uc_graph_node(c->graph, c->node->row->onnx, &x, 1, 1);
    const int64_t kernel[] = {1, size[3]}, step[] = {1, strides[3]};
    uc_node_ints(c->graph, n, "kernel_shape", kernel, 2);
    uc_node_ints(c->graph, n, "strides", step, 2);
    if (uc_tf_str_is(c, "padding", "SAME")) uc_node_str(c->graph, n, "auto_pad", "SAME_UPPER");
    uc_tf_out(c, 0, uc_node_out(n, 0));
    return true;
}

void uc_tf_op_pool(uc_tf_call *c)
{
    const uc_str op = c->node->op;
    window w;
    const int rank = op.data[op.size - 1] == 'D' ? 3 : 2;
    const bool inputs = op.data[op.size - 1] == '2';
    if (!read_window(c, &w, rank)) return;
    if (inputs ? !read_inputs(c, &w) : !read_list(c, &w, "ksize", w.slide.size, 1)) return;
    if (!inputs && rank == 2 && pool_channels(c, &w)) return;
    uc_ref x = input_of(c, 0, &w);
    if (!set_pads(c, &w, x)) return;
    const uncork_dtype dtype = uc_tf_dtype_of(c, x);
    const bool whole = uc_dtype_is_integer(dtype);
    if (whole) x = uc_g_cast(c->graph, x, UNCORK_FLOAT64);
    uc_node *n = uc_graph_node(c->graph, c->node->row->onnx, &x, 1, 1);
    uc_window_put(c->graph, n, &w.slide, false);
    const uc_ref y = uc_node_out(n, 0);
    uc_tf_give(c, whole ? uc_g_cast(c->graph, y, dtype) : y, !w.given);
}

/* ---- norms ----------------------------------------------------------------------------------- */

static uc_ref mean_of(uc_tf_call *c, uc_ref x, const int64_t *axes, size_t n)
{
    const uc_ref in[] = {x, uc_graph_i64s(c->graph, axes, (int64_t)n)};
    uc_node *node = uc_graph_node(c->graph, "ReduceMean", in, 2, 1);
    uc_node_int(c->graph, node, "keepdims", 0);
    return uc_node_out(node, 0);
}

/* By the batch's own mean and variance; the running variance is the unbiased one. */
static void train(uc_tf_call *c, uc_ref x, bool first)
{
    uc_graph *g = c->graph;
    static const int64_t axes[] = {0, 2, 3, 4};
    const int rank = uc_tf_rank(c, x);
    if (rank != 4 && rank != 5) {
        uc_tf_fail(c, "%d dimensions", rank);
        return;
    }
    const uc_ref mean = mean_of(c, x, axes, (size_t)rank - 1);
    const uc_ref d = uc_g2(g, "Sub", x, uc_tf_channel_bias(c, mean, rank));
    const uc_ref var = mean_of(c, uc_g2(g, "Mul", d, d), axes, (size_t)rank - 1);
    const uc_ref in[] = {x, uc_tf_in(c, 1), uc_tf_in(c, 2), mean, var};
    uc_node *n = uc_graph_node(g, "BatchNormalization", in, 5, 1);
    uc_node_float(g, n, "epsilon", uc_tf_float(c, "epsilon"));
    uc_tf_give(c, uc_node_out(n, 0), first);
    const uc_ref shape = uc_g1(g, "Shape", x), size = uc_g1(g, "Size", x);
    const uc_ref rows = uc_g2(g, "Div", size, uc_g_gather(g, shape, uc_graph_i64(g, 1), 0));
    const uc_ref count = uc_g_cast(g, rows, UNCORK_FLOAT32);
    const uc_ref less =
        uc_g2(g, "Max", uc_g2(g, "Sub", count, uc_graph_f32(g, 1)), uc_graph_f32(g, 1));
    uc_tf_out(c, 1, mean);
    uc_tf_out(c, 2, uc_g2(g, "Mul", var, uc_g2(g, "Div", count, less)));
    uc_tf_out(c, 3, mean);
    uc_tf_out(c, 4, var);
}

void uc_tf_op_batch_norm(uc_tf_call *c)
{
    const bool given = channels_first(c);
    const uc_ref x = given ? uc_tf_in(c, 0) : uc_tf_first(c, 0);
    if (uc_tf_bool(c, "is_training")) {
        train(c, x, !given);
        return;
    }
    uc_ref y = normalise(c, x, 1);
    if (uc_tf_has(c, "activation_mode")) {
        if (uc_tf_int(c, "num_side_inputs") > 0)
            y = uc_g2(c->graph, "Add", y, given ? uc_tf_in(c, 5) : uc_tf_first(c, 5));
        const uc_str act = uc_tf_str(c, "activation_mode");
        if (!uc_str_is(act, "Identity")) y = activate(c, act, y);
    }
    uc_tf_give(c, y, !given);
    for (size_t i = 1; i < 5; i++) {
        uc_tf_out(c, i, uc_tf_in(c, i % 2 ? 3 : 4));
    }
}

/* t, mean, variance, beta, gamma. */
void uc_tf_op_batch_norm_global(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref x = uc_tf_first(c, 0);
    uc_ref gamma = uc_tf_in(c, 4);
    if (!uc_tf_bool(c, "scale_after_normalization"))
        gamma = uc_g2(g, "Expand", uc_graph_f32(g, 1), uc_g1(g, "Shape", uc_tf_in(c, 1)));
    const uc_ref in[] = {x, gamma, uc_tf_in(c, 3), uc_tf_in(c, 1), uc_tf_in(c, 2)};
    uc_node *n = uc_graph_node(g, "BatchNormalization", in, 5, 1);
    uc_node_float(g, n, "epsilon", uc_tf_float(c, "variance_epsilon"));
    uc_tf_out_first(c, 0, uc_node_out(n, 0));
}

void uc_tf_op_lrn(uc_tf_call *c)
{
    const uc_ref x = uc_tf_first(c, 0);
    const int64_t radius = uc_tf_int(c, "depth_radius");
    if (radius < 0 || radius > 4096) {
        uc_tf_fail(c, "a radius of %" PRId64, radius);
        return;
    }
    const int64_t size = 2 * radius + 1;
    uc_node *n = uc_graph_node(c->graph, "LRN", &x, 1, 1);
    uc_node_int(c->graph, n, "size", size);
    uc_node_float(c->graph, n, "bias", uc_tf_float(c, "bias"));
    uc_node_float(c->graph, n, "alpha", uc_tf_float(c, "alpha") * (double)size);
    uc_node_float(c->graph, n, "beta", uc_tf_float(c, "beta"));
    uc_tf_out_first(c, 0, uc_node_out(n, 0));
}
