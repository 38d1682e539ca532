/* The blocked form of each operator that has one. */
#include "pass/layout.h"

static void set_block(uc_layout_pass *p, uc_node *node)
{
    if (!p->half) uc_node_int(p->g, node, "block", p->block);
}

/* ---- windows ------------------------------------------------------------------------------ */

typedef struct window {
    int64_t kernel[2], strides[2], dilations[2], pads[4];
} window;

static bool read_pair(const uc_node *node, const char *name, int64_t otherwise, int64_t out[2])
{
    const uc_attr *a = uc_node_attr(node, name);
    out[0] = out[1] = otherwise;
    if (!a || a->count == 0) return true;
    if (a->kind != UC_ATTR_INTS || a->count != 2) return false;
    for (int i = 0; i < 2; i++) {
        out[i] = a->ints[i];
        if (out[i] < 1 || out[i] > INT32_MAX) return false;
    }
    return true;
}

/* Pads of SAME_UPPER and SAME_LOWER, as ONNX's Conv says: output = ceil(input / stride). */
static void same_pads(const int64_t size[2], bool upper, window *w)
{
    for (int d = 0; d < 2; d++) {
        int64_t out = (size[d] + w->strides[d] - 1) / w->strides[d];
        int64_t need =
            (out - 1) * w->strides[d] + (w->kernel[d] - 1) * w->dilations[d] + 1 - size[d];
        need = need < 0 ? 0 : need;
        w->pads[d] = upper ? need / 2 : need - need / 2;
        w->pads[2 + d] = need - w->pads[d];
    }
}

/* Kernel, strides, dilations and pads of a 2-D window over `x`; false where they aren't known. */
static bool read_window(const uc_layout_pass *p, const uc_node *node, window *w)
{
    const uc_attr *pads = uc_node_attr(node, "pads"), *mode = uc_node_attr(node, "auto_pad");
    if (!read_pair(node, "strides", 1, w->strides)) return false;
    if (!read_pair(node, "dilations", 1, w->dilations)) return false;
    for (int i = 0; i < 4; i++) {
        w->pads[i] = 0;
    }
    if (mode && uc_str_is(mode->s, "VALID")) return true;
    if (mode && !uc_str_is(mode->s, "NOTSET") && mode->s.size > 0) {
        const int64_t *size = p->g->values[node->in[0]].shape + 2;
        if (size[0] < 1 || size[1] < 1) return false;
        same_pads(size, uc_str_is(mode->s, "SAME_UPPER"), w);
        return true;
    }
    if (!pads || pads->count == 0) return true;
    if (pads->kind != UC_ATTR_INTS || pads->count != 4) return false;
    for (int i = 0; i < 4; i++) {
        w->pads[i] = pads->ints[i];
        if (w->pads[i] < 0 || w->pads[i] > INT32_MAX) return false;
    }
    return true;
}

/* ---- convolution -------------------------------------------------------------------------- */

/* Group 1, or each channel by itself. */
static bool takes_groups(int64_t group, int64_t ic, const uc_tensor *w)
{
    if (group == 1) return w->shape[1] == ic;
    return group == ic && w->shape[0] == ic && w->shape[1] == 1;
}

uncork_status uc_layout_convolution(uc_layout_pass *p, size_t index)
{
    uc_graph *g = p->g;
    const uc_node old = g->nodes[index];
    int64_t ic = uc_layout_channels(p, old.in[0]), group = uc_node_get_int(&old, "group", 1);
    const uc_tensor *w = uc_rewrite_const(&p->rewrite, old.in[1]);
    window win;
    if (!ic || !w || w->rank != 4 || w->dtype != UNCORK_FLOAT32) return UNCORK_OK;
    if (!takes_groups(group, ic, w)) return UNCORK_OK;
    win.kernel[0] = w->shape[2];
    win.kernel[1] = w->shape[3];
    if (!read_window(p, &old, &win)) return UNCORK_OK;
    uc_ref bias = old.in_count > 2 ? old.in[2] : 0, residual = old.in_count > 3 ? old.in[3] : 0;
    if (bias && !uc_rewrite_const(&p->rewrite, bias)) return UNCORK_OK;
    if (residual && !uc_same_shape(g, residual, old.out[0])) return UNCORK_OK;
    /* Few channels are read as they lie: a vector of padding would be three quarters of the work. */
    bool plain = ic <= 4 && group == 1 && !uc_layout_has(p, old.in[0]);
    uc_ref in[4] = {plain ? old.in[0] : uc_layout_blocked(p, old.in[0]), old.in[1], bias,
                    residual ? uc_layout_blocked(p, residual) : 0};
    if (g->status != UNCORK_OK) return g->status;
    uc_node *node = &g->nodes[index];
    UC_TRY(uc_rewrite_become(&p->rewrite, node, p->half ? "uncork.HalfConv" : "uncork.BlockConv",
                             in,
                             residual ? 4
                             : bias   ? 3
                                      : 2));
    set_block(p, node);
    if (!p->half) uc_node_int(g, node, "channels", ic);
    if (plain) uc_node_int(g, node, "plain_input", 1);
    uc_node_ints(g, node, "strides", win.strides, 2);
    uc_node_ints(g, node, "pads", win.pads, 4);
    uc_node_ints(g, node, "dilations", win.dilations, 2);
    uc_node_int(g, node, "group", group);
    const uc_attr *act = uc_node_attr(&old, "activation"), *alpha = uc_node_attr(&old, "alpha"),
                  *beta = uc_node_attr(&old, "beta");
    if (act) uc_node_str(g, node, "activation", act->s.data);
    if (alpha) uc_node_float(g, node, "alpha", alpha->f);
    if (beta) uc_node_float(g, node, "beta", beta->f);
    return uc_layout_done(p, index);
}

/* ---- pools -------------------------------------------------------------------------------- */

/* A mean over the whole picture: GlobalAveragePool, or ReduceMean over both its axes. */
static bool is_global_mean(const uc_layout_pass *p, const uc_node *node)
{
    if (uc_is_op(node, "GlobalAveragePool")) return true;
    if (!uc_is_op(node, "ReduceMean") || node->in_count != 2) return false;
    if (!uc_node_get_int(node, "keepdims", 1)) return false;
    const uc_tensor *axes = node->in[1] ? uc_rewrite_const(&p->rewrite, node->in[1]) : NULL;
    if (!axes || axes->dtype != UNCORK_INT64 || uc_tensor_count(axes) != 2) return false;
    int64_t a = ((const int64_t *)axes->data)[0], b = ((const int64_t *)axes->data)[1];
    a = a < 0 ? a + 4 : a;
    b = b < 0 ? b + 4 : b;
    return (a == 2 && b == 3) || (a == 3 && b == 2);
}

static uncork_status global_mean(uc_layout_pass *p, size_t index)
{
    uc_graph *g = p->g;
    uc_node *node = &g->nodes[index];
    const uc_ref in[1] = {p->blocked[node->in[0]]};
    UC_TRY(uc_rewrite_become(&p->rewrite, node, p->half ? "uncork.HalfMean" : "uncork.BlockMean",
                             in, 1));
    set_block(p, node);
    return uc_layout_done(p, index);
}

uncork_status uc_layout_pool(uc_layout_pass *p, size_t index)
{
    uc_graph *g = p->g;
    const uc_node old = g->nodes[index];
    window win;
    if (is_global_mean(p, &old)) return global_mean(p, index);
    bool average = uc_is_op(&old, "AveragePool");
    if (!average && !uc_is_op(&old, "MaxPool")) return UNCORK_OK;
    if (old.out_count > 1 && old.out[1] && p->rewrite.uses[old.out[1]] > 0) return UNCORK_OK;
    if (!read_pair(&old, "kernel_shape", 1, win.kernel) || !read_window(p, &old, &win)) {
        return UNCORK_OK;
    }
    const uc_ref in[1] = {p->blocked[old.in[0]]};
    uc_node *node = &g->nodes[index];
    UC_TRY(uc_rewrite_become(&p->rewrite, node, p->half ? "uncork.HalfPool" : "uncork.BlockPool",
                             in, 1));
    set_block(p, node);
    uc_node_str(g, node, "kind", average ? "average" : "max");
    uc_node_ints(g, node, "kernel_shape", win.kernel, 2);
    uc_node_ints(g, node, "strides", win.strides, 2);
    uc_node_ints(g, node, "pads", win.pads, 4);
    uc_node_ints(g, node, "dilations", win.dilations, 2);
    uc_node_int(g, node, "ceil_mode", uc_node_get_int(&old, "ceil_mode", 0));
    uc_node_int(g, node, "count_include_pad", uc_node_get_int(&old, "count_include_pad", 0));
    return uc_layout_done(p, index);
}

/* ---- elementwise -------------------------------------------------------------------------- */

/* Keeps lanes beyond the channels finite, whatever finite number they hold. */
static bool is_safe_unary(const uc_node *node)
{
    static const char *const names[] = {
        "Relu",      "Clip", "Sigmoid",     "Tanh", "Swish", "Gelu",     "HardSwish", "Mish",
        "LeakyRelu", "Elu",  "HardSigmoid", "Neg",  "Abs",   "Softsign", "Identity"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (uc_is_op(node, names[i])) return true;
    }
    return false;
}

static bool is_safe_binary(const uc_node *node)
{
    static const char *const names[] = {"Add", "Sub", "Mul", "Max", "Min", "PRelu"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (node->in_count == 2 && uc_is_op(node, names[i])) return true;
    }
    return false;
}

/* [C, 1, 1] or [1, C, 1, 1] as [ceil(C/b), 1, 1, b], a single number as it is; 0 for other constants. */
static uc_ref block_constant(uc_layout_pass *p, uc_ref ref, int64_t channels)
{
    const uc_tensor *t = uc_rewrite_const(&p->rewrite, ref);
    if (!t || t->dtype != UNCORK_FLOAT32 || t->rank > 4) return 0;
    if (uc_tensor_count(t) == 1) return ref;
    for (int d = 0; d < t->rank; d++) {
        bool channel = d + (4 - t->rank) == 1;
        if (t->shape[d] != (channel ? channels : 1)) return 0;
    }
    const int64_t blocks = (channels + p->block - 1) / p->block;
    const int64_t shape[4] = {blocks, 1, 1, p->block};
    uc_tensor *own = uc_tensor_new(p->g->arena, UNCORK_FLOAT32, 4, shape);
    if (own) memcpy(own->data, t->data, (size_t)channels * sizeof(float));
    return uc_graph_const(p->g, own);
}

/* An operand of a binary operator: blocked already, or a constant. */
static uc_ref block_operand(uc_layout_pass *p, uc_ref ref, int64_t channels)
{
    if (p->g->values[ref].constant) return block_constant(p, ref, channels);
    return uc_layout_has(p, ref) && uc_layout_channels(p, ref) == channels ? p->blocked[ref] : 0;
}

uncork_status uc_layout_elementwise(uc_layout_pass *p, size_t index)
{
    uc_graph *g = p->g;
    const uc_node *node = &g->nodes[index];
    int64_t channels = uc_layout_channels(p, node->out[0]);
    if (!is_safe_unary(node) && !is_safe_binary(node)) return UNCORK_OK;
    uc_ref *in = UC_NEW(g->arena, uc_ref, node->in_count);
    if (!in) return uc_arena_status(g->arena, g->error);
    memcpy(in, node->in, node->in_count * sizeof *in);
    for (size_t i = 0; i < (is_safe_binary(node) ? 2 : 1); i++) {
        in[i] = block_operand(p, g->nodes[index].in[i], channels);
        if (!in[i]) return g->status;
    }
    g->nodes[index].in = in;
    return uc_layout_done(p, index);
}

/* ---- concatenation ------------------------------------------------------------------------ */

/* Of channels, where every part but the last fills its blocks. */
uncork_status uc_layout_concat(uc_layout_pass *p, size_t index)
{
    uc_graph *g = p->g;
    const uc_node *node = &g->nodes[index];
    int64_t axis = uc_node_get_int(node, "axis", 0);
    if (axis != 1 && axis != -3) return UNCORK_OK;
    uc_ref *in = UC_NEW(g->arena, uc_ref, node->in_count);
    if (!in) return uc_arena_status(g->arena, g->error);
    for (size_t i = 0; i < node->in_count; i++) {
        int64_t channels = uc_layout_channels(p, node->in[i]);
        bool full = channels % p->block == 0 || i + 1 == node->in_count;
        if (!channels || !full || !uc_layout_has(p, node->in[i])) return UNCORK_OK;
        in[i] = p->blocked[node->in[i]];
    }
    UC_TRY(uc_rewrite_become(&p->rewrite, &g->nodes[index], "Concat", in, node->in_count));
    uc_node_int(g, &g->nodes[index], "axis", 1);
    return uc_layout_done(p, index);
}
