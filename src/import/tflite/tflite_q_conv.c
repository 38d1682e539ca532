/* Quantised convolutions, products and pools: uncork.QConv and uncork.QPool over pixels as the file has them.
 * Which operators XNNPACK takes: tensorflow/lite/delegates/xnnpack/xnnpack_delegate.cc (Visit...Node). */
#include "import/tflite/tflite_layout.h"

#include <inttypes.h>

typedef struct layer {
    const uc_tfl_tensor *x, *y, *w, *b;
    const uc_tensor *kernel; /* int8 [oc, ic / group, kh, kw] */
    const char *rounding;
    int64_t group, activation;
    uc_window window;
    int64_t size[2]; /* of y, of transposed ones; 0: none */
    bool float_product;
} layer;

/* Weights as int8; of unsigned ones 128 is taken away. */
static const uc_tensor *signed_weights(uc_tfl_call *c, const uc_tensor *w)
{
    if (w->dtype == UNCORK_INT8) return w;
    uc_tensor *to = uc_tensor_new(c->graph->arena, UNCORK_INT8, w->rank, w->shape);
    for (int64_t i = 0; to && i < uc_tensor_count(w); i++) {
        ((uint8_t *)to->data)[i] = ((const uint8_t *)w->data)[i] ^ 0x80;
    }
    return to;
}

/* The tensors, and the weights laid out anew; false: no such layer. */
static bool read_layer(uc_tfl_call *c, layer *l, size_t x, size_t w, size_t b, int rank,
                       const int64_t *perm)
{
    l->x = uc_tfl_tensor_in(c, x);
    l->w = uc_tfl_tensor_in(c, w);
    l->y = uc_tfl_tensor_out(c, 0);
    l->b = uc_tfl_has(c, b) ? uc_tfl_tensor_in(c, b) : NULL;
    const uncork_dtype d = l->w->dtype;
    if (!uc_tfl_q_is(c, l->x) || !uc_tfl_q_is(c, l->y) || l->x->dtype != l->y->dtype) return false;
    if (l->w->scales == 0 || l->w->rank != rank) return false;
    if (d != UNCORK_INT8 && d != UNCORK_INT4 && d != UNCORK_UINT8) return false;
    if ((d == UNCORK_UINT8) != (l->x->dtype == UNCORK_UINT8)) return false;
    if (l->b && l->b->dtype != UNCORK_INT32 &&
        !(l->b->dtype == UNCORK_INT64 && l->x->dtype == UNCORK_INT16)) {
        return false;
    }
    if (l->b && !l->b->data.data) return false;
    for (size_t i = 0; i < l->w->scales; i++) {
        if (d == UNCORK_UINT8 ? l->w->zero[i] != l->w->zero[0] : l->w->zero[i] != 0) return false;
    }
    const uc_tensor *k = uc_tfl_constant(c, w, perm);
    if (k && rank == 2) {
        const int64_t shape[] = {k->shape[0], k->shape[1], 1, 1};
        uc_tensor *four = UC_NEW(c->graph->arena, uc_tensor, 1);
        if (four) *four = uc_tensor_reshaped(k, 4, shape);
        k = four;
    }
    l->kernel = k ? signed_weights(c, k) : NULL;
    if (!l->kernel || uc_tensor_count(l->kernel) < 1) return false;
    return l->w->scales == 1 || (int64_t)l->w->scales == l->kernel->shape[0];
}

/* XNNPACK wants the weights' type to be the activations', and a bias but for products. */
static bool delegated(const uc_tfl_call *c, const layer *l, bool bias)
{
    return uc_tfl_q_delegates(c, l->x, l->y) && (l->b || !bias) && l->w->dtype == l->x->dtype;
}

static void choose(const uc_tfl_call *c, layer *l, bool taken, const char *builtin,
                   const char *reference)
{
    const bool own = c->build->kernels != UNCORK_KERNELS_REFERENCE;
    l->rounding = taken ? "float" : own ? builtin : reference;
}

static uc_ref emit(uc_tfl_call *c, const layer *l, uc_ref x)
{
    uc_graph *g = c->graph;
    uc_tensor *scale = uc_tensor_new(g->arena, UNCORK_FLOAT32, 1, l->kernel->shape);
    const uc_tensor *bias = l->b ? uc_tfl_constant(c, (size_t)(l->size[0] ? 3 : 2), NULL) : NULL;
    if (!scale || (l->b && !bias)) return uc_tfl_fail(c, "its bias isn't a plain constant");
    for (int64_t i = 0; i < l->kernel->shape[0]; i++) {
        ((float *)scale->data)[i] = l->w->scale[l->w->scales == 1 ? 0 : i];
    }
    const uc_ref in[] = {x, uc_graph_const(g, l->kernel), uc_graph_const(g, scale),
                         bias ? uc_graph_const(g, bias) : 0};
    uc_node *n = uc_graph_node(g, "uncork.QConv", in, bias ? 4 : 3, 1);
    const uc_window *w = &l->window;
    if (w->rank) {
        uc_node_ints(g, n, "strides", w->strides, 2);
        uc_node_ints(g, n, "dilations", w->dilations, 2);
        uc_node_ints(g, n, "pads", w->pads, 4);
    }
    if (l->size[0]) uc_node_ints(g, n, "output_size", l->size, 2);
    uc_node_int(g, n, "group", l->group);
    uc_node_str(g, n, "rounding", l->rounding);
    uc_tfl_q_put(c, n, "x", l->x);
    uc_node_float(g, n, "y_scale", (double)l->y->scale[0]);
    uc_node_int(g, n, "zero", uc_tfl_q_zero(c, l->y));
    if (l->w->dtype == UNCORK_UINT8) uc_node_int(g, n, "w_zero", l->w->zero[0] - 128);
    if (l->float_product) uc_node_int(g, n, "float_product", 1);
    if (l->x->dtype == UNCORK_INT16 && (l->size[0] || !l->b)) uc_node_int(g, n, "long_sums", 1);
    if (!uc_tfl_q_put_limits(c, n, l->y, l->activation))
        return uc_tfl_fail(c, "its activation %d isn't known", (int)l->activation);
    return uc_node_out(n, 0);
}

/* ---- convolutions ------------------------------------------------------------------------------- */

/* The window over x's known sizes; false: a size isn't known. */
static bool place(uc_tfl_call *c, layer *l, uc_ref x, unsigned dilations)
{
    uc_window *w = &l->window;
    *w = (uc_window){.rank = 2,
                     .size = {l->kernel->shape[2], l->kernel->shape[3]},
                     .strides = {uc_tfl_i32(c, 2, 0), uc_tfl_i32(c, 1, 0)},
                     .dilations = {uc_tfl_i32(c, dilations + 1, 1), uc_tfl_i32(c, dilations, 1)}};
    return uc_tfl_rank(c, x) == 4 && uc_tfl_window_pads(c, w, uc_tfl_i8(c, 0, 0), x, 1) &&
           !w->automatic;
}

bool uc_tfl_q_conv(uc_tfl_call *c)
{
    static const int64_t perm[] = {0, 3, 1, 2};
    layer l = {.activation = uc_tfl_i8(c, 3, 0)};
    if (!read_layer(c, &l, 0, 1, 2, 4, perm)) return false;
    const uc_ref x = uc_tfl_raw(c, 0);
    const int64_t in = uc_tfl_dim(c, x, 3), each = l.kernel->shape[1];
    if (!place(c, &l, x, 4) || in < 1 || in % each || l.kernel->shape[0] % (in / each))
        return c->graph->status != 0;
    l.group = in / each;
    choose(c, &l, delegated(c, &l, true), "up", "twice");
    l.float_product = l.x->dtype == UNCORK_UINT8;
    uc_tfl_out_raw(c, 0, emit(c, &l, x));
    return true;
}

bool uc_tfl_q_depthwise_conv(uc_tfl_call *c)
{
    static const int64_t perm[] = {3, 0, 1, 2};
    layer l = {.activation = uc_tfl_i8(c, 4, 0)};
    if (!read_layer(c, &l, 0, 1, 2, 4, perm) || l.kernel->shape[1] != 1) return false;
    const uc_ref x = uc_tfl_raw(c, 0);
    const int64_t in = uc_tfl_dim(c, x, 3);
    if (!place(c, &l, x, 5) || in < 1 || l.kernel->shape[0] % in) return c->graph->status != 0;
    l.group = in;
    choose(c, &l, delegated(c, &l, true), l.x->dtype == UNCORK_INT8 ? "blocks" : "twice", "twice");
    l.float_product = l.x->dtype == UNCORK_UINT8;
    uc_tfl_out_raw(c, 0, emit(c, &l, x));
    return true;
}

bool uc_tfl_q_transpose_conv(uc_tfl_call *c)
{
    static const int64_t perm[] = {0, 3, 1, 2};
    int64_t shape[4];
    layer l = {.group = 1, .activation = uc_tfl_i8(c, 3, 0)};
    if (uc_tfl_known(c, 0, shape, 4) != 4 || !read_layer(c, &l, 2, 1, 3, 4, perm)) return false;
    const uc_ref x = uc_tfl_raw(c, 2);
    uc_window *w = &l.window;
    *w = (uc_window){.rank = 2,
                     .size = {l.kernel->shape[2], l.kernel->shape[3]},
                     .strides = {uc_tfl_i32(c, 2, 0), uc_tfl_i32(c, 1, 0)},
                     .dilations = {1, 1}};
    if (uc_tfl_rank(c, x) != 4 || w->strides[0] < 1 || w->strides[1] < 1) return false;
    bool fits = true; /* as XNNPACK wants it */
    for (int i = 0; i < 2; i++) {
        const int64_t n = uc_tfl_dim(c, x, i + 1);
        if (n < 1 || shape[i + 1] < 1) return false;
        const int64_t total = (n - 1) * w->strides[i] + w->size[i] - shape[i + 1];
        w->pads[i] = uc_tfl_i8(c, 0, 0) == 0 && total > 0 ? total / 2 : 0;
        fits = fits && total >= 0;
        l.size[i] = shape[i + 1];
    }
    choose(c, &l, fits && delegated(c, &l, false), l.x->dtype == UNCORK_INT8 ? "blocks" : "twice",
           "twice");
    uc_tfl_out_raw(c, 0, emit(c, &l, x));
    return true;
}

/* x as [rows, 1, 1, in], back to [rows, out] or x's shape with another last dimension. */
bool uc_tfl_q_fully_connected(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    layer l = {.group = 1, .activation = uc_tfl_i8(c, 0, 0)};
    if (uc_tfl_i8(c, 1, 0) != 0 || !read_layer(c, &l, 0, 1, 2, 2, NULL)) return false;
    const uc_ref x = uc_tfl_raw(c, 0);
    const int64_t out = l.kernel->shape[0], in = l.kernel->shape[1];
    const int64_t four[] = {-1, 1, 1, in}, two[] = {-1, out};
    const bool int4 = l.w->dtype == UNCORK_INT4 && uc_tfl_q_delegates(c, l.x, l.y) && in % 2 == 0;
    const bool brief = l.x->dtype != UNCORK_INT16 || (l.b && l.b->dtype == UNCORK_INT32);
    choose(c, &l, int4 || delegated(c, &l, false), brief ? "up" : "once", "once");
    l.float_product = l.w->scales == 1;
    const uc_ref y = emit(c, &l, uc_g_reshape(g, x, four, 4));
    if (!uc_fb_bool(c->options, 2, false) || uc_tfl_rank(c, x) == 2 || !y) {
        uc_tfl_out_raw(c, 0, y ? uc_g_reshape(g, y, two, 2) : 0);
        return true;
    }
    const uc_ref parts[] = {uc_g_slice(g, uc_g1(g, "Shape", x), 0, 0, -1),
                            uc_graph_i64s(g, &out, 1)};
    uc_tfl_out_raw(c, 0, uc_g2(g, "Reshape", y, uc_g_concat(g, parts, 2, 0)));
    return true;
}

/* ---- weights of 8 or 4 bits, float32 activations ---------------------------------------------------- */

/* XNNPACK quantises the input of products and convolutions as asymmetric bytes at run time. */
static const char *range_of(const uc_tfl_call *c, bool xnnpack, bool asymmetric)
{
    if (xnnpack && c->build->kernels == UNCORK_KERNELS_XNNPACK) return "xnnpack";
    return asymmetric ? "asymmetric" : "symmetric";
}

/* Weights and an optional float32 bias beside float32 activations; false: no such layer. */
static bool read_hybrid(uc_tfl_call *c, layer *l, int rank, const int64_t *perm)
{
    l->x = uc_tfl_tensor_in(c, 0);
    l->w = uc_tfl_tensor_in(c, 1);
    l->y = uc_tfl_tensor_out(c, 0);
    l->b = uc_tfl_has(c, 2) ? uc_tfl_tensor_in(c, 2) : NULL;
    const uncork_dtype d = l->w->dtype;
    if (c->build->kernels == UNCORK_KERNELS_REAL || l->x->dtype != UNCORK_FLOAT32 ||
        (d != UNCORK_INT8 && d != UNCORK_INT4) || l->w->scales == 0 || l->w->rank != rank ||
        l->w->is_sparse || (l->b && (l->b->dtype != UNCORK_FLOAT32 || !l->b->data.data))) {
        return false;
    }
    for (size_t i = 0; i < l->w->scales; i++) {
        if (l->w->zero[i] != 0) return false;
    }
    const uc_tensor *k = uc_tfl_constant(c, 1, perm);
    if (k && rank == 2) {
        const int64_t shape[] = {k->shape[0], k->shape[1], 1, 1};
        uc_tensor *four = UC_NEW(c->graph->arena, uc_tensor, 1);
        if (four) *four = uc_tensor_reshaped(k, 4, shape);
        k = four;
    }
    l->kernel = k;
    if (!k || uc_tensor_count(k) < 1) return false;
    return l->w->scales == 1 || (int64_t)l->w->scales == k->shape[0];
}

static uc_ref emit_hybrid(uc_tfl_call *c, const layer *l, uc_ref x, const char *range)
{
    uc_graph *g = c->graph;
    uc_tensor *scale = uc_tensor_new(g->arena, UNCORK_FLOAT32, 1, l->kernel->shape);
    const uc_tensor *bias = l->b ? uc_tfl_constant(c, 2, NULL) : NULL;
    if (!scale || (l->b && !bias)) return uc_tfl_fail(c, "its bias isn't a plain constant");
    for (int64_t i = 0; i < l->kernel->shape[0]; i++) {
        ((float *)scale->data)[i] = l->w->scale[l->w->scales == 1 ? 0 : i];
    }
    const uc_ref in[] = {x, uc_graph_const(g, l->kernel), uc_graph_const(g, scale),
                         bias ? uc_graph_const(g, bias) : 0};
    uc_node *n = uc_graph_node(g, "uncork.QHybrid", in, bias ? 4 : 3, 1);
    const uc_window *w = &l->window;
    if (w->rank) {
        uc_node_ints(g, n, "strides", w->strides, 2);
        uc_node_ints(g, n, "dilations", w->dilations, 2);
        uc_node_ints(g, n, "pads", w->pads, 4);
    }
    uc_node_int(g, n, "group", l->group);
    uc_node_str(g, n, "range", range);
    return uc_node_out(n, 0);
}

bool uc_tfl_hybrid_conv(uc_tfl_call *c)
{
    static const int64_t dense[] = {0, 3, 1, 2}, depthwise[] = {3, 0, 1, 2};
    const bool each = c->op->row->code == 4;
    layer l = {.activation = uc_tfl_i8(c, each ? 4 : 3, 0)};
    if (!read_hybrid(c, &l, 4, each ? depthwise : dense)) return false;
    const uc_ref x = uc_tfl_in(c, 0);
    const int64_t in = uc_tfl_dim(c, x, 3), own = l.kernel->shape[1];
    if (!place(c, &l, x, each ? 5 : 4) || in < 1 || in % own || l.kernel->shape[0] % (in / own))
        return c->graph->status != 0;
    l.group = in / own;
    const bool per_channel = l.w->scales > 1;
    const uc_ref y = emit_hybrid(c, &l, x, range_of(c, !each && l.b, per_channel));
    uc_tfl_out(c, 0, uc_tfl_activate(c, l.activation, y));
    return true;
}

bool uc_tfl_hybrid_fully_connected(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    layer l = {.group = 1, .activation = uc_tfl_i8(c, 0, 0)};
    if (uc_tfl_i8(c, 1, 0) != 0 || !read_hybrid(c, &l, 2, NULL)) return false;
    const uc_ref x = uc_tfl_in(c, 0);
    const int64_t out = l.kernel->shape[0], in = l.kernel->shape[1];
    const int64_t four[] = {-1, 1, 1, in}, two[] = {-1, out};
    const bool taken = l.w->dtype == UNCORK_INT8 || in % 2 == 0;
    const char *range = range_of(c, taken, uc_fb_bool(c->options, 3, false));
    uc_ref y = emit_hybrid(c, &l, uc_g_reshape(g, x, four, 4), range);
    if (!y) return true;
    y = uc_tfl_activate(c, l.activation, uc_g_reshape(g, y, two, 2));
    if (uc_fb_bool(c->options, 2, false) && uc_tfl_rank(c, x) != 2 && y) {
        const uc_ref parts[] = {uc_g_slice(g, uc_g1(g, "Shape", x), 0, 0, -1),
                                uc_graph_i64s(g, &out, 1)};
        y = uc_g2(g, "Reshape", y, uc_g_concat(g, parts, 2, 0));
    }
    uc_tfl_out(c, 0, y);
    return true;
}

/* ---- pools ------------------------------------------------------------------------------------------ */

bool uc_tfl_q_pool(uc_tfl_call *c)
{
    const uc_tfl_tensor *x = uc_tfl_tensor_in(c, 0), *y = uc_tfl_tensor_out(c, 0);
    const bool max = c->op->row->code == 17;
    uc_window w = {.rank = 2,
                   .size = {uc_tfl_i32(c, 4, 0), uc_tfl_i32(c, 3, 0)},
                   .strides = {uc_tfl_i32(c, 2, 0), uc_tfl_i32(c, 1, 0)},
                   .dilations = {1, 1}};
    if (!uc_tfl_q_is(c, x) || !uc_tfl_q_is(c, y) || x->dtype != y->dtype) return false;
    const uc_ref raw = uc_tfl_raw(c, 0);
    if (uc_tfl_rank(c, raw) != 4 || !uc_tfl_window_pads(c, &w, uc_tfl_i8(c, 0, 0), raw, 1) ||
        w.automatic) {
        return c->graph->status != 0;
    }
    uc_node *n = uc_graph_node(c->graph, "uncork.QPool", &raw, 1, 1);
    uc_node_str(c->graph, n, "kind", max ? "max" : "mean");
    uc_node_ints(c->graph, n, "kernel_shape", w.size, 2);
    uc_node_ints(c->graph, n, "strides", w.strides, 2);
    uc_node_ints(c->graph, n, "pads", w.pads, 4);
    uc_tfl_q_put_offset(c, n, x);
    if (!uc_tfl_q_put_limits(c, n, y, uc_tfl_i8(c, 5, 0)))
        uc_tfl_fail(c, "its activation isn't known");
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
    return true;
}
