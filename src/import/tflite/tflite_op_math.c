/* Arithmetic, comparisons, activations, reductions.
 * Source: tensorflow/lite/kernels/{add,activations,reduce,comparisons,arg_min_max,fake_quant}.cc,
 * kernels/internal/reference. */
#include "import/tflite/tflite_layout.h"
#include "import/tflite/tflite_quant.h"

#include <float.h>
#include <math.h>

/* ---- activations ----------------------------------------------------------------------------- */

static uc_ref clip(uc_graph *g, uc_ref x, float low, float high)
{
    return uc_g3(g, "Clip", x, uc_graph_f32(g, low), uc_graph_f32(g, high));
}

uc_ref uc_tfl_activate(uc_tfl_call *c, int64_t function, uc_ref x)
{
    switch (function) {
    case 0: return x;
    case 1: return uc_g1(c->graph, "Relu", x);
    case 2: return clip(c->graph, x, -1, 1);
    case 3: return clip(c->graph, x, 0, 6);
    case 4: return uc_g1(c->graph, "Tanh", x);
    default: return uc_tfl_fail(c, "its activation %d isn't known", (int)function);
    }
}

uc_ref uc_tfl_fused(uc_tfl_call *c, unsigned member, uc_ref x)
{
    return uc_tfl_activate(c, uc_tfl_i8(c, member, 0), x);
}

/* ---- one input ------------------------------------------------------------------------------- */

void uc_tfl_unary(uc_tfl_call *c)
{
    if (uc_tfl_q_unary(c)) return;
    bool first;
    const uc_ref x = uc_tfl_take(c, 0, &first);
    uc_tfl_give(c, uc_g1(c->graph, c->op->row->op, x), first);
}

void uc_tfl_clamp(uc_tfl_call *c)
{
    if (uc_tfl_q_unary(c)) return;
    bool first;
    const uc_ref x = uc_tfl_take(c, 0, &first);
    const int code = c->op->row->code;
    uc_tfl_give(c, clip(c->graph, x, code == 20 ? -1 : 0, code == 21 ? 6 : 1), first);
}

void uc_tfl_rsqrt(uc_tfl_call *c)
{
    if (uc_tfl_q_unary(c)) return;
    bool first;
    const uc_ref x = uc_tfl_take(c, 0, &first);
    uc_tfl_give(c, uc_g1(c->graph, "Reciprocal", uc_g1(c->graph, "Sqrt", x)), first);
}

void uc_tfl_square(uc_tfl_call *c)
{
    bool first;
    const uc_ref x = uc_tfl_take(c, 0, &first);
    uc_tfl_give(c, uc_g2(c->graph, "Mul", x, x), first);
}

void uc_tfl_leaky_relu(uc_tfl_call *c)
{
    if (uc_tfl_q_unary(c)) return;
    bool first;
    const uc_ref x = uc_tfl_take(c, 0, &first);
    uc_node *n = uc_graph_node(c->graph, "LeakyRelu", &x, 1, 1);
    uc_node_float(c->graph, n, "alpha", (double)uc_fb_float(c->options, 0, 0));
    uc_tfl_give(c, uc_node_out(n, 0), first);
}

void uc_tfl_gelu(uc_tfl_call *c)
{
    if (uc_tfl_q_unary(c)) return;
    bool first;
    const uc_ref x = uc_tfl_take(c, 0, &first);
    uc_node *n = uc_graph_node(c->graph, "Gelu", &x, 1, 1);
    uc_node_str(c->graph, n, "approximate", uc_fb_bool(c->options, 0, false) ? "tanh" : "none");
    uc_tfl_give(c, uc_node_out(n, 0), first);
}

void uc_tfl_prelu(uc_tfl_call *c)
{
    if (uc_tfl_q_binary(c)) return;
    uc_graph *g = c->graph;
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, 1);
    bool per_channel = t->rank >= 1;
    for (int i = 0; i + 1 < t->rank; i++) {
        per_channel = per_channel && t->shape[i] == 1;
    }
    if (!uc_tfl_is_first(c, 0) || !per_channel) {
        uc_tfl_out(c, 0, uc_g2(g, "PRelu", uc_tfl_in(c, 0), uc_tfl_in(c, 1)));
        return;
    }
    const int64_t shape[] = {-1, 1, 1};
    const uc_ref slope = uc_g_reshape(g, uc_tfl_in(c, 1), shape, 3);
    uc_tfl_out_first(c, 0, uc_g2(g, "PRelu", uc_tfl_first(c, 0), slope));
}

void uc_tfl_softmax(uc_tfl_call *c)
{
    if (uc_tfl_q_softmax(c)) return;
    uc_graph *g = c->graph;
    uc_ref x = uc_tfl_in(c, 0);
    const float beta = c->op->row->code == 25 ? uc_fb_float(c->options, 0, 1) : 1;
    if (beta != 1) x = uc_g2(g, "Mul", x, uc_graph_f32(g, beta));
    uc_node *n = uc_graph_node(g, c->op->row->op, &x, 1, 1);
    uc_node_int(g, n, "axis", -1);
    uc_tfl_out(c, 0, uc_node_out(n, 0));
}

/* x / max(|x|, 1e-6) over the last axis. */
void uc_tfl_l2_normalization(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_tfl_tensor *from = uc_tfl_tensor_in(c, 0), *to = uc_tfl_tensor_out(c, 0);
    if (from->dtype != UNCORK_INT16 && from->dtype == to->dtype && uc_tfl_q_is(c, from) &&
        uc_tfl_q_is(c, to) && uc_tfl_i8(c, 0, 0) == 0) {
        const uc_ref in = uc_tfl_raw(c, 0);
        uc_node *n = uc_graph_node(g, "uncork.QL2Norm", &in, 1, 1);
        uc_node_int(g, n, "x_zero", uc_tfl_q_zero(c, from));
        uc_tfl_q_put_offset(c, n, from);
        uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
        return;
    }
    const uc_ref x = uc_tfl_in(c, 0);
    const uc_ref sum = uc_g_reduce(g, "ReduceSumSquare", x, -1, true);
    const uc_ref norm = uc_g2(g, "Max", uc_g1(g, "Sqrt", sum), uc_graph_f32(g, 1e-6f));
    uc_tfl_out(c, 0, uc_tfl_fused(c, 0, uc_g2(g, "Div", x, norm)));
}

void uc_tfl_lrn(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref x = uc_tfl_first(c, 0);
    const int64_t radius = uc_tfl_i32(c, 0, 0);
    if (radius < 0 || radius > 4096) {
        uc_tfl_fail(c, "a radius of %d", (int)radius);
        return;
    }
    const int64_t size = 2 * radius + 1;
    uc_node *n = uc_graph_node(g, "LRN", &x, 1, 1);
    uc_node_int(g, n, "size", size);
    uc_node_float(g, n, "bias", (double)uc_fb_float(c->options, 1, 0));
    uc_node_float(g, n, "alpha", (double)uc_fb_float(c->options, 2, 0) * (double)size);
    uc_node_float(g, n, "beta", (double)uc_fb_float(c->options, 3, 0));
    uc_tfl_out_first(c, 0, uc_node_out(n, 0));
}

/* FakeQuantization: the range is nudged so that zero is one of its steps. */
void uc_tfl_fake_quant(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    bool first;
    const uc_ref x = uc_tfl_take(c, 0, &first);
    const float min = uc_fb_float(c->options, 0, 0), max = uc_fb_float(c->options, 1, 0);
    const int64_t bits = uc_tfl_i32(c, 2, 0);
    if (bits < 2 || bits > 16 || !(max > min)) {
        uc_tfl_fail(c, "%d bits from %g to %g", (int)bits, (double)min, (double)max);
        return;
    }
    const float low = uc_fb_bool(c->options, 3, false) ? 1 : 0;
    const float high = (float)((1 << bits) - 1), scale = (max - min) / (high - low);
    const float from = low - min / scale;
    const float zero = from < low ? low : from > high ? high : roundf(from);
    const float bottom = (low - zero) * scale, top = (high - zero) * scale;
    uc_ref y = uc_g2(g, "Sub", clip(g, x, bottom, top), uc_graph_f32(g, bottom));
    y = uc_g2(g, "Add", uc_g2(g, "Mul", y, uc_graph_f32(g, 1 / scale)), uc_graph_f32(g, 0.5f));
    y = uc_g2(g, "Mul", uc_g1(g, "Floor", y), uc_graph_f32(g, scale));
    uc_tfl_give(c, uc_g2(g, "Add", y, uc_graph_f32(g, bottom)), first);
}

/* ---- types ----------------------------------------------------------------------------------- */

void uc_tfl_cast(uc_tfl_call *c)
{
    const bool first = uc_tfl_is_first(c, 0);
    const uc_ref x = first ? uc_tfl_first_raw(c, 0) : uc_tfl_raw(c, 0);
    const uc_ref y = uc_g_cast(c->graph, x, uc_tfl_tensor_out(c, 0)->dtype);
    if (first)
        uc_tfl_out_raw_first(c, 0, y);
    else
        uc_tfl_out_raw(c, 0, y);
}

void uc_tfl_dequantize(uc_tfl_call *c)
{
    bool first;
    uc_ref x = uc_tfl_take(c, 0, &first);
    if (!uc_tfl_tensor_in(c, 0)->scales) x = uc_g_cast(c->graph, x, UNCORK_FLOAT32);
    uc_tfl_give(c, x, first);
}

void uc_tfl_quantize(uc_tfl_call *c)
{
    if (uc_tfl_q_quantize(c)) return;
    bool first;
    const uc_ref x = uc_tfl_take(c, 0, &first);
    uc_tfl_give(c, x, first);
}

/* ---- two inputs ------------------------------------------------------------------------------ */

void uc_tfl_binary(uc_tfl_call *c)
{
    if (uc_tfl_q_binary(c)) return;
    uc_ref a, b;
    const bool first = uc_tfl_pair(c, &a, &b);
    const int code = c->op->row->code;
    uc_ref y = uc_g2(c->graph, c->op->row->op, a, b);
    if (code == 0 || code == 18 || code == 41 || code == 42) y = uc_tfl_fused(c, 0, y);
    uc_tfl_give(c, y, first);
}

void uc_tfl_compare(uc_tfl_call *c)
{
    if (uc_tfl_q_binary(c)) return;
    uc_ref a, b;
    const bool first = uc_tfl_pair(c, &a, &b);
    const bool differ = c->op->row->code == 72;
    uc_ref y = uc_g2(c->graph, differ ? "Equal" : c->op->row->op, a, b);
    if (differ) y = uc_g1(c->graph, "Not", y);
    uc_tfl_give(c, y, first);
}

void uc_tfl_squared_difference(uc_tfl_call *c)
{
    if (uc_tfl_q_binary(c)) return;
    uc_ref a, b;
    const bool first = uc_tfl_pair(c, &a, &b);
    const uc_ref d = uc_g2(c->graph, "Sub", a, b);
    uc_tfl_give(c, uc_g2(c->graph, "Mul", d, d), first);
}

static uc_ref modulo(uc_graph *g, uc_ref a, uc_ref b, bool fmod)
{
    const uc_ref in[] = {a, b};
    uc_node *n = uc_graph_node(g, "Mod", in, 2, 1);
    uc_node_int(g, n, "fmod", fmod);
    return uc_node_out(n, 0);
}

void uc_tfl_floor_div(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    uc_ref a, b;
    const bool first = uc_tfl_pair(c, &a, &b);
    if (uc_dtype_is_float(uc_tfl_tensor_out(c, 0)->dtype)) {
        uc_tfl_give(c, uc_g1(g, "Floor", uc_g2(g, "Div", a, b)), first);
        return;
    }
    const uc_ref whole = uc_g2(g, "Sub", a, modulo(g, a, b, false));
    uc_tfl_give(c, uc_g2(g, "Div", whole, b), first);
}

/* The remainder has the divisor's sign. */
void uc_tfl_floor_mod(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    uc_ref a, b;
    const bool first = uc_tfl_pair(c, &a, &b);
    if (!uc_dtype_is_float(uc_tfl_tensor_out(c, 0)->dtype)) {
        uc_tfl_give(c, modulo(g, a, b, false), first);
        return;
    }
    const uc_ref r = modulo(g, a, b, true), zero = uc_graph_f32(g, 0);
    const uc_ref apart = uc_g2(g, "Xor", uc_g2(g, "Less", r, zero), uc_g2(g, "Less", b, zero));
    const uc_ref none = uc_g2(g, "Equal", r, zero);
    const uc_ref add = uc_g2(g, "And", apart, uc_g1(g, "Not", none));
    uc_tfl_give(c, uc_g_where(g, add, uc_g2(g, "Add", r, b), r), first);
}

void uc_tfl_add_n(uc_tfl_call *c)
{
    uc_ref sum = uc_tfl_in(c, 0);
    for (size_t i = 1; i < c->op->in_count && !c->graph->status; i++) {
        sum = uc_g2(c->graph, "Add", sum, uc_tfl_in(c, i));
    }
    uc_tfl_out(c, 0, sum);
}

/* The condition of version 1 may be one a row. */
void uc_tfl_select(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    uc_ref condition = uc_tfl_raw(c, 0);
    const int rank = uc_tfl_rank(c, uc_tfl_raw(c, 1));
    if (c->op->row->code == 64 && uc_tfl_rank(c, condition) == 1 && rank > 1) {
        int64_t shape[UNCORK_MAX_RANK] = {-1};
        for (int i = 1; i < rank; i++) {
            shape[i] = 1;
        }
        condition = uc_g_reshape(g, condition, shape, rank);
    }
    if (uc_tfl_same_scale(c, 1) && uc_tfl_same_scale(c, 2))
        uc_tfl_out_raw(c, 0, uc_g_where(g, condition, uc_tfl_raw(c, 1), uc_tfl_raw(c, 2)));
    else
        uc_tfl_out(c, 0, uc_g_where(g, condition, uc_tfl_in(c, 1), uc_tfl_in(c, 2)));
}

/* ---- reductions ------------------------------------------------------------------------------ */

/* The axes as the value lies; first: as [N, C, H, W]. */
static uc_ref axes_of(uc_tfl_call *c, const int64_t *axes, size_t n, bool first)
{
    static const int64_t place[] = {0, 2, 3, 1};
    int64_t to[UNCORK_MAX_RANK];
    for (size_t i = 0; i < n; i++) {
        const int64_t a = first && axes[i] < 0 ? axes[i] + 4 : axes[i];
        to[i] = first && a >= 0 && a < 4 ? place[a] : axes[i];
    }
    return uc_graph_i64s(c->graph, to, (int64_t)n);
}

static uc_ref reduce(uc_tfl_call *c, uc_ref x, uc_ref axes, bool keep)
{
    const uc_ref in[] = {x, axes};
    uc_node *n = uc_graph_node(c->graph, c->op->row->op, in, 2, 1);
    uc_node_int(c->graph, n, "keepdims", keep);
    uc_node_int(c->graph, n, "noop_with_empty_axes", 1);
    return uc_node_out(n, 0);
}

static bool spatial(const int64_t *axes, size_t n)
{
    bool rows = false, columns = false;
    for (size_t i = 0; i < n; i++) {
        const int64_t a = axes[i] < 0 ? axes[i] + 4 : axes[i];
        rows = rows || a == 1;
        columns = columns || a == 2;
    }
    return n == 2 && rows && columns;
}

void uc_tfl_reduce(uc_tfl_call *c)
{
    if (uc_tfl_q_reduce(c)) return;
    int64_t axes[UNCORK_MAX_RANK];
    const bool keep = uc_fb_bool(c->options, 0, false);
    const size_t n = uc_tfl_known(c, 1, axes, UNCORK_MAX_RANK);
    if (n == SIZE_MAX) {
        const int64_t flat[] = {-1};
        const uc_ref at = uc_g_reshape(c->graph, uc_tfl_i64(c, 1), flat, 1);
        uc_tfl_out(c, 0, reduce(c, uc_tfl_in(c, 0), at, keep));
        return;
    }
    if (uc_tfl_is_first(c, 0) && (keep || spatial(axes, n))) {
        const uc_ref y = reduce(c, uc_tfl_first(c, 0), axes_of(c, axes, n, true), keep);
        uc_tfl_give(c, y, keep);
        return;
    }
    uc_tfl_out(c, 0, reduce(c, uc_tfl_in(c, 0), axes_of(c, axes, n, false), keep));
}

void uc_tfl_reduce_bool(uc_tfl_call *c)
{
    const int64_t flat[] = {-1};
    const uc_ref axes = uc_g_reshape(c->graph, uc_tfl_i64(c, 1), flat, 1);
    const uc_ref x = uc_g_cast(c->graph, uc_tfl_raw(c, 0), UNCORK_UINT8);
    const uc_ref y = reduce(c, x, axes, uc_fb_bool(c->options, 0, false));
    uc_tfl_out_raw(c, 0, uc_g_cast(c->graph, y, UNCORK_BOOL));
}

void uc_tfl_arg(uc_tfl_call *c)
{
    int64_t axis;
    const uc_ref x = uc_tfl_raw(c, 0);
    if (uc_tfl_known(c, 1, &axis, 1) != 1) {
        uc_tfl_fail(c, "its axis isn't a constant");
        return;
    }
    uc_node *n = uc_graph_node(c->graph, c->op->row->op, &x, 1, 1);
    uc_node_int(c->graph, n, "axis", axis);
    uc_node_int(c->graph, n, "keepdims", 0);
    uc_tfl_out_raw(c, 0, uc_g_cast(c->graph, uc_node_out(n, 0), uc_tfl_tensor_out(c, 0)->dtype));
}

void uc_tfl_cumsum(uc_tfl_call *c)
{
    const int64_t scalar[] = {0};
    uc_ref axis = uc_tfl_i64(c, 1);
    axis = uc_g_reshape(c->graph, axis, scalar, 0);
    const uc_ref in[] = {uc_tfl_in(c, 0), axis};
    uc_node *n = uc_graph_node(c->graph, "CumSum", in, 2, 1);
    uc_node_int(c->graph, n, "exclusive", uc_fb_bool(c->options, 0, false));
    uc_node_int(c->graph, n, "reverse", uc_fb_bool(c->options, 1, false));
    uc_tfl_out(c, 0, uc_node_out(n, 0));
}
