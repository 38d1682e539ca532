/* Networks that say their quantisation around float operators (DequantizeLinear, Conv, QuantizeLinear)
 * compute in 8 bits: a convolution or product between them becomes uncork.QConv over channels-last
 * bytes, with the addition of a residual in it; pools follow. Signed tensors are kept as unsigned ones
 * 128 higher. What other nodes read is transposed back.
 *
 * Not exact: where the float32 chain rounds a product of scales in another place, a value may differ by
 * one step, as it does in ONNX Runtime, whose rounding this is. Runs before constants are folded, while
 * weights are still 8 bits. */
#include "pass/rewrite.h"

#include <math.h>

/* A quantised tensor: its bytes and what they mean. */
typedef struct quant {
    uc_ref ref; /* the bytes, as the graph has them */
    float scale;
    int32_t zero; /* as of unsigned bytes */
    bool is_signed;
} quant;

typedef struct quantize_pass {
    uc_rewrite r;
    uc_ref *
        last; /* [use_count]: the channels-last unsigned bytes of a tensor, [N, H, W, C]; 0: none */
    uc_ref *conv;    /* [use_count]: the same where a QConv that may add a residual makes them */
    bool *quantised; /* [use_count]: a QuantizeLinear reads the value */
} quantize_pass;

/* ---- reading the graph ---------------------------------------------------------------------- */

/* One float32, or none. */
static const float *scalar_of(const quantize_pass *p, uc_ref ref)
{
    const uc_tensor *t = uc_rewrite_const(&p->r, ref);
    return t && t->dtype == UNCORK_FLOAT32 && uc_tensor_count(t) == 1 ? t->data : NULL;
}

/* The parameters of a QuantizeLinear or DequantizeLinear over 8 bits as a whole. */
static bool read_quant(const quantize_pass *p, const uc_node *node, uc_ref bytes, quant *q)
{
    const float *scale = scalar_of(p, node->in[1]);
    const uc_ref zero_ref = node->in_count > 2 ? node->in[2] : 0;
    const uc_tensor *zero = uc_rewrite_const(&p->r, zero_ref);
    const uncork_dtype dtype = p->r.g->values[bytes].dtype;
    if (!scale || !(*scale > 0) || !isfinite(*scale) || (zero_ref && !zero)) return false;
    if (dtype != UNCORK_UINT8 && dtype != UNCORK_INT8) return false;
    if (zero && (uc_tensor_count(zero) != 1 || zero->dtype != dtype)) return false;
    *q = (quant){.ref = bytes, .scale = *scale, .is_signed = dtype == UNCORK_INT8};
    if (zero && q->is_signed) q->zero = *(const int8_t *)zero->data;
    if (zero && !q->is_signed) q->zero = *(const uint8_t *)zero->data;
    if (q->is_signed) q->zero += 128;
    return true;
}

/* The quantised tensor that the float value `ref` is read from. */
static bool dequantized(const quantize_pass *p, uc_ref ref, quant *q)
{
    const uc_node *node = uc_rewrite_made_by(&p->r, ref, "DequantizeLinear");
    return node && !uc_rewrite_const(&p->r, node->in[0]) && read_quant(p, node, node->in[0], q);
}

/* ---- weights --------------------------------------------------------------------------------- */

typedef struct weights {
    const uc_tensor *w; /* int8 [oc, ...] */
    const float *scale; /* [oc], or one for all */
    bool each;
} weights;

/* Signed bytes with zero point 0; unsigned ones with 128 everywhere are the same, shifted. */
static bool read_zero(const uc_tensor *zero, uncork_dtype dtype)
{
    if (!zero) return dtype == UNCORK_INT8;
    const int64_t n = uc_tensor_count(zero);
    for (int64_t i = 0; i < n; i++) {
        if (uc_dtype_load_i64(zero->data, i, zero->dtype) != (dtype == UNCORK_UINT8 ? 128 : 0)) {
            return false;
        }
    }
    return zero->dtype == dtype;
}

static const uc_tensor *as_signed(quantize_pass *p, const uc_tensor *w)
{
    if (w->dtype == UNCORK_INT8) return w;
    uc_tensor *to = uc_tensor_new(p->r.g->arena, UNCORK_INT8, w->rank, w->shape);
    if (!to) return NULL;
    for (int64_t i = 0; i < uc_tensor_count(w); i++)
        ((uint8_t *)to->data)[i] = ((const uint8_t *)w->data)[i] ^ 0x80;
    return to;
}

/* The constant weights behind a DequantizeLinear, output channels along `axis`. */
static bool read_weights(quantize_pass *p, uc_ref ref, int64_t axis, weights *out)
{
    const uc_node *node = uc_rewrite_made_by(&p->r, ref, "DequantizeLinear");
    if (!node) return false;
    const uc_tensor *w = uc_rewrite_const(&p->r, node->in[0]);
    const uc_tensor *scale = uc_rewrite_const(&p->r, node->in[1]);
    const uc_ref zero = node->in_count > 2 ? node->in[2] : 0;
    if (!w || !scale || scale->dtype != UNCORK_FLOAT32 || w->rank < 2) return false;
    if (w->dtype != UNCORK_INT8 && w->dtype != UNCORK_UINT8) return false;
    if (zero && !uc_rewrite_const(&p->r, zero)) return false;
    if (!read_zero(uc_rewrite_const(&p->r, zero), w->dtype)) return false;
    if (uc_node_get_int(node, "block_size", 0)) return false;
    int64_t given = uc_node_get_int(node, "axis", 1);
    out->each = uc_tensor_count(scale) != 1;
    if (given < 0) given += w->rank;
    if (out->each && (given != axis || scale->rank != 1 || scale->shape[0] != w->shape[axis])) {
        return false;
    }
    out->w = as_signed(p, w);
    out->scale = scale->data;
    return out->w != NULL;
}

/* The int32 bias behind a DequantizeLinear whose scale is that of the products; 0 in *ref for none. */
static bool read_bias(const quantize_pass *p, const uc_node *op, const quant *x, const weights *w,
                      int64_t channels, uc_ref *ref)
{
    *ref = 0;
    if (op->in_count < 3 || !op->in[2]) return true;
    const uc_node *node = uc_rewrite_made_by(&p->r, op->in[2], "DequantizeLinear");
    if (!node) return false;
    const uc_tensor *b = uc_rewrite_const(&p->r, node->in[0]);
    const uc_tensor *scale = uc_rewrite_const(&p->r, node->in[1]);
    const uc_ref zero_ref = node->in_count > 2 ? node->in[2] : 0;
    const uc_tensor *zero = uc_rewrite_const(&p->r, zero_ref);
    if (!b || b->dtype != UNCORK_INT32 || uc_tensor_count(b) != channels || b->rank != 1)
        return false;
    if (!scale || scale->dtype != UNCORK_FLOAT32 || (zero_ref && !zero)) return false;
    const int64_t scales = uc_tensor_count(scale);
    if (scales != 1 && scales != channels) return false;
    for (int64_t i = 0; zero && i < uc_tensor_count(zero); i++) {
        if (uc_dtype_load_i64(zero->data, i, zero->dtype) != 0) return false;
    }
    for (int64_t c = 0; c < channels; c++) {
        const float want = x->scale * w->scale[w->each ? c : 0];
        const float got = ((const float *)scale->data)[scales == 1 ? 0 : c];
        if (!(fabsf(got - want) <= 1e-5f * want)) return false;
    }
    *ref = node->in[0];
    return true;
}

/* ---- channels-last bytes ---------------------------------------------------------------------- */

static uc_ref transposed(quantize_pass *p, uc_ref ref, const int64_t *perm)
{
    uc_node *node = uc_graph_node(p->r.g, "Transpose", &ref, 1, 1);
    uc_node_ints(p->r.g, node, "perm", perm, 4);
    return uc_node_out(node, 0);
}

static uc_ref byte_constant(quantize_pass *p, uncork_dtype dtype, int32_t v)
{
    uc_tensor *t = uc_tensor_new(p->r.g->arena, dtype, 0, NULL);
    if (!t) return 0;
    *(uint8_t *)t->data = (uint8_t)v;
    return uc_graph_const(p->r.g, t);
}

/* The same numbers quantised to unsigned bytes. */
static uc_ref unsigned_of(quantize_pass *p, const quant *q)
{
    if (!q->is_signed) return q->ref;
    const uc_node *node = uc_rewrite_made_by(&p->r, q->ref, "QuantizeLinear");
    if (!node) return 0;
    const uc_ref in[3] = {node->in[0], node->in[1], byte_constant(p, UNCORK_UINT8, q->zero)};
    return uc_node_out(uc_graph_node(p->r.g, "QuantizeLinear", in, 3, 1), 0);
}

/* [N, H, W, C] of a tensor of rank 4, [N, 1, 1, C] of a matrix; 0 when it can't be. */
static uc_ref last_of(quantize_pass *p, const quant *q)
{
    static const int64_t perm[4] = {0, 2, 3, 1};
    const int rank = p->r.g->values[q->ref].rank;
    if (p->last[q->ref]) return p->last[q->ref];
    if (rank != 4 && rank != 2) return 0;
    const int64_t columns = p->r.g->values[q->ref].shape[1];
    const uc_ref bytes = unsigned_of(p, q);
    if (!bytes || columns < 1) return 0;
    if (rank == 4) {
        p->last[q->ref] = transposed(p, bytes, perm);
    } else {
        const int64_t shape[4] = {-1, 1, 1, columns};
        p->last[q->ref] = uc_g_reshape(p->r.g, bytes, shape, 4);
    }
    return p->last[q->ref];
}

/* Back to the shape, and for bytes the sign, that other readers expect: the node becomes that. */
static uncork_status give_back(quantize_pass *p, size_t index, uc_ref last, bool is_signed,
                               int rank)
{
    static const int64_t perm[4] = {0, 3, 1, 2};
    uc_graph *g = p->r.g;
    uc_ref plain = last;
    if (is_signed) {
        const uc_ref in[2] = {last, byte_constant(p, UNCORK_UINT8, 128)};
        plain = uc_node_out(uc_graph_node(g, "BitwiseXor", in, 2, 1), 0);
        uc_node *cast = uc_graph_node(g, "BitCast", &plain, 1, 1);
        uc_node_int(g, cast, "to", UNCORK_INT8);
        plain = uc_node_out(cast, 0);
    }
    if (g->status != UNCORK_OK) return g->status;
    if (rank == 4) {
        UC_TRY(uc_rewrite_become(&p->r, &g->nodes[index], "Transpose", &plain, 1));
        uc_node_ints(g, &g->nodes[index], "perm", perm, 4);
        return g->status;
    }
    const int64_t shape[2] = {0, -1};
    const uc_ref in[2] = {plain, uc_graph_i64s(g, shape, 2)};
    return uc_rewrite_become(&p->r, &g->nodes[index], "Reshape", in, 2);
}

/* ---- convolutions and products ----------------------------------------------------------------- */

typedef struct layer {
    quant x, y;
    weights w;
    const uc_tensor *kernel; /* int8 [oc, ic / group, kh, kw] */
    uc_ref bias;
    bool floats; /* nothing quantises the output */
    int32_t low, high;
    int rank; /* of the output */
} layer;

static bool is_plain_conv(const uc_node *node)
{
    const uc_attr *mode = uc_node_attr(node, "auto_pad"), *pads = uc_node_attr(node, "pads");
    for (size_t i = 0; pads && i < pads->count; i++) {
        if (pads->ints[i] < 0) return false;
    }
    return !mode || uc_str_is(mode->s, "NOTSET") || uc_str_is(mode->s, "VALID");
}

static bool read_conv(quantize_pass *p, const uc_node *conv, layer *l)
{
    if (!is_plain_conv(conv) || !dequantized(p, conv->in[0], &l->x)) return false;
    if (p->r.g->values[l->x.ref].rank != 4 || !read_weights(p, conv->in[1], 0, &l->w)) return false;
    const uc_tensor *w = l->kernel = l->w.w;
    const int64_t group = uc_node_get_int(conv, "group", 1),
                  columns = p->r.g->values[l->x.ref].shape[1];
    if (w->rank != 4 || group < 1 || w->shape[0] < 1 || w->shape[1] < 1) return false;
    if (group > 1 && (w->shape[1] != 1 || w->shape[0] != group || l->floats)) return false;
    if (columns != w->shape[1] * group || w->shape[2] > 32) return false;
    l->rank = 4;
    return read_bias(p, conv, &l->x, &l->w, w->shape[0], &l->bias);
}

/* Gemm's weights [in, out] as [out, in]. */
static const uc_tensor *turned(quantize_pass *p, const uc_tensor *w, bool out_first)
{
    const int64_t out = w->shape[out_first ? 0 : 1], in = w->shape[out_first ? 1 : 0];
    const int64_t shape[4] = {out, in, 1, 1};
    uc_tensor *t = uc_tensor_new(p->r.g->arena, UNCORK_INT8, 4, shape);
    for (int64_t o = 0; t && o < out; o++) {
        for (int64_t i = 0; i < in; i++) {
            ((int8_t *)t->data)[o * in + i] =
                ((const int8_t *)w->data)[out_first ? o * in + i : i * out + o];
        }
    }
    return t;
}

static bool read_gemm(quantize_pass *p, const uc_node *gemm, layer *l)
{
    const bool out_first = uc_node_get_int(gemm, "transB", 0) != 0;
    if (uc_node_get_int(gemm, "transA", 0) || uc_node_get_float(gemm, "alpha", 1) != 1 ||
        uc_node_get_float(gemm, "beta", 1) != 1 || !dequantized(p, gemm->in[0], &l->x) ||
        p->r.g->values[l->x.ref].rank != 2 ||
        !read_weights(p, gemm->in[1], out_first ? 0 : 1, &l->w) || l->w.w->rank != 2) {
        return false;
    }
    const int64_t out = l->w.w->shape[out_first ? 0 : 1], in = l->w.w->shape[out_first ? 1 : 0];
    if (in < 1 || out < 1 || p->r.g->values[l->x.ref].shape[1] != in) return false;
    l->rank = 2;
    if (!read_bias(p, gemm, &l->x, &l->w, out, &l->bias)) return false;
    l->kernel = turned(p, l->w.w, out_first);
    return l->kernel != NULL;
}

static uc_ref scales_of(quantize_pass *p, const layer *l)
{
    uc_tensor *t = uc_tensor_new(p->r.g->arena, UNCORK_FLOAT32, 1, l->kernel->shape);
    if (!t) return 0;
    for (int64_t c = 0; c < l->kernel->shape[0]; c++) {
        const float product = l->x.scale * l->w.scale[l->w.each ? c : 0];
        ((float *)t->data)[c] = l->floats ? product : product / l->y.scale;
    }
    return uc_graph_const(p->r.g, t);
}

/* The QConv, 0 when the bytes of x can't be had. `from` gives strides, pads, dilations and group. */
static uc_ref make_conv(quantize_pass *p, const layer *l, const uc_node *from)
{
    static const char *const kept[] = {"strides", "dilations", "pads"};
    uc_graph *g = p->r.g;
    const uc_node source = *from; /* the node array moves as it grows */
    const bool valid =
        uc_node_attr(from, "auto_pad") && uc_str_is(uc_node_attr(from, "auto_pad")->s, "VALID");
    const uc_ref x = last_of(p, &l->x), scale = scales_of(p, l);
    if (!x || !scale) return 0;
    const uc_ref in[4] = {x, uc_graph_const(g, l->kernel), scale, l->bias};
    uc_node *node = uc_graph_node(g, "uncork.QConv", in, 4, 1);
    for (size_t i = 0; l->rank == 4 && i < sizeof kept / sizeof kept[0]; i++) {
        const uc_attr *a = uc_node_attr(&source, kept[i]);
        if (a && a->kind == UC_ATTR_INTS && !(valid && i == 2))
            uc_node_ints(g, node, kept[i], a->ints, a->count);
    }
    if (l->rank == 4) uc_node_int(g, node, "group", uc_node_get_int(&source, "group", 1));
    uc_node_int(g, node, "x_zero", l->x.zero);
    if (l->floats) {
        uc_node_int(g, node, "floats", 1);
    } else {
        uc_node_int(g, node, "zero", l->y.zero);
        uc_node_int(g, node, "low", l->low);
        uc_node_int(g, node, "high", l->high);
    }
    return uc_node_out(node, 0);
}

static int32_t step_of(const quant *y, double v)
{
    const double q = nearbyint(v / (double)y->scale) + y->zero;
    return q < 0 ? 0 : q > 255 ? 255 : (int32_t)q;
}

/* An activation that only narrows the range becomes the range of the bytes. */
static const uc_node *narrowed(const quantize_pass *p, const uc_node *node, layer *l)
{
    double low, high;
    if (uc_is_op(node, "Relu")) {
        l->low = l->y.zero;
    } else if (uc_is_op(node, "Clip")) {
        for (size_t i = 1; i < node->in_count; i++) {
            if (!node->in[i]) continue;
            if (!uc_rewrite_scalar(&p->r, node->in[i], &low) || isnan(low)) return node;
        }
        if (node->in_count > 1 && node->in[1] && uc_rewrite_scalar(&p->r, node->in[1], &low))
            l->low = step_of(&l->y, low);
        if (node->in_count > 2 && node->in[2] && uc_rewrite_scalar(&p->r, node->in[2], &high))
            l->high = step_of(&l->y, high);
        if (l->low > l->high) return node;
    } else {
        return node;
    }
    const uc_node *inner = uc_rewrite_producer(&p->r, node->in[0]);
    return inner && uc_rewrite_is_single(&p->r, node->in[0]) ? inner : node;
}

/* ---- between two ends --------------------------------------------------------------------------- */

/* round((a - a_zero) * a_scale + (b - b_zero) * b_scale) + zero, fused where a convolution makes `a` for
 * this alone. */
static uc_ref make_sum(quantize_pass *p, const uc_node *add, const quant *y)
{
    quant side[2];
    uc_graph *g = p->r.g;
    for (int i = 0; i < 2; i++) {
        if (!dequantized(p, add->in[i], &side[i]) || !p->last[side[i].ref]) return 0;
    }
    if (!uc_same_shape(g, side[0].ref, side[1].ref) || g->values[side[0].ref].rank != 4) return 0;
    int at = -1;
    for (int i = 0; i < 2; i++) {
        const uc_ref ref = side[i].ref;
        bool alone = p->conv[ref] && uc_rewrite_is_single(&p->r, ref) &&
                     uc_rewrite_is_single(&p->r, add->in[i]);
        /* of two, the one that comes last in the graph: the other doesn't wait for it */
        if (alone && (at < 0 || g->values[ref].producer > g->values[side[at].ref].producer)) at = i;
    }
    if (at < 0) return 0;
    const quant *own = &side[at], *other = &side[1 - at];
    uc_node *conv = &g->nodes[g->values[p->conv[own->ref]].producer];
    uc_ref *in = UC_NEW(g->arena, uc_ref, 5);
    if (!in) return 0;
    memcpy(in, conv->in, conv->in_count * sizeof *in);
    in[4] = p->last[other->ref];
    conv->in = in;
    conv->in_count = 5;
    uc_node_float(g, conv, "q_scale", (double)(own->scale / y->scale));
    uc_node_float(g, conv, "r_scale", (double)(other->scale / y->scale));
    uc_node_int(g, conv, "r_zero", other->zero);
    uc_node_int(g, conv, "y_zero", y->zero);
    return p->last[own->ref];
}

static bool same_steps(const quant *a, const quant *b)
{
    return a->zero == b->zero && memcmp(&a->scale, &b->scale, sizeof a->scale) == 0;
}

/* A pool over bytes: the largest, or the mean of a whole picture. */
static uc_ref make_pool(quantize_pass *p, const uc_node *from, const quant *y)
{
    static const char *const kept[] = {"kernel_shape", "strides", "dilations", "pads"};
    uc_graph *g = p->r.g;
    const uc_node pool = *from;
    const bool largest = uc_is_op(from, "MaxPool");
    quant x;
    if (!dequantized(p, pool.in[0], &x) || !p->last[x.ref]) return 0;
    if (largest && (!same_steps(&x, y) || uc_node_get_int(&pool, "ceil_mode", 0) ||
                    pool.out_count > 1 || !is_plain_conv(&pool))) {
        return 0;
    }
    const uc_ref in = p->last[x.ref];
    uc_node *node = uc_graph_node(g, "uncork.QPool", &in, 1, 1);
    uc_node_str(g, node, "kind", largest ? "max" : "average");
    for (size_t i = 0; largest && i < sizeof kept / sizeof kept[0]; i++) {
        const uc_attr *a = uc_node_attr(&pool, kept[i]);
        if (a && a->kind == UC_ATTR_INTS) uc_node_ints(g, node, kept[i], a->ints, a->count);
    }
    uc_node_float(g, node, "scale", (double)(x.scale / y->scale));
    uc_node_int(g, node, "x_zero", x.zero);
    uc_node_int(g, node, "zero", y->zero);
    return uc_node_out(node, 0);
}

/* [N, C, 1, 1] to [N, C]: the bytes are those already. */
static uc_ref flattened(const quantize_pass *p, const uc_node *node, const quant *y)
{
    quant x;
    if (!dequantized(p, node->in[0], &x) || !p->last[x.ref] || !same_steps(&x, y)) return 0;
    const uc_graph_value *v = &p->r.g->values[x.ref], *to = &p->r.g->values[node->out[0]];
    if (v->rank != 4 || v->shape[2] != 1 || v->shape[3] != 1 || to->rank != 2) return 0;
    return to->shape[1] == v->shape[1] ? p->last[x.ref] : 0;
}

/* ---- the walk ------------------------------------------------------------------------------------ */

static uc_ref convert(quantize_pass *p, const uc_node *q, layer *l)
{
    const uc_node *op = uc_rewrite_producer(&p->r, q->in[0]);
    if (!op || !uc_rewrite_is_single(&p->r, q->in[0])) return 0;
    op = narrowed(p, op, l);
    if (uc_is_op(op, "Conv")) return read_conv(p, op, l) ? make_conv(p, l, op) : 0;
    if (uc_is_op(op, "Gemm")) return read_gemm(p, op, l) ? make_conv(p, l, op) : 0;
    if (l->low > 0 || l->high < 255) return 0;
    if (uc_is_op(op, "Add")) return make_sum(p, op, &l->y);
    if (uc_is_op(op, "MaxPool") || uc_is_op(op, "GlobalAveragePool"))
        return make_pool(p, op, &l->y);
    if (uc_is_op(op, "Flatten") || uc_is_op(op, "Reshape") || uc_is_op(op, "Squeeze"))
        return flattened(p, op, &l->y);
    return 0;
}

/* A convolution or product whose output stays float32. */
static uncork_status convert_end(quantize_pass *p, size_t index)
{
    const uc_node *op = &p->r.g->nodes[index];
    layer l = {.floats = true};
    bool fits = uc_is_op(op, "Conv") ? read_conv(p, op, &l) : read_gemm(p, op, &l);
    /* only inside a region: elsewhere a transposition would be all that is won */
    if (!fits || !p->last[l.x.ref]) return UNCORK_OK;
    const uc_ref made = make_conv(p, &l, op);
    return made ? give_back(p, index, made, false, l.rank) : p->r.g->status;
}

static uncork_status run(uc_graph *g, bool *changed)
{
    quantize_pass p = {0};
    UC_TRY(uc_rewrite_init(&p.r, g));
    p.last = UC_NEW(g->arena, uc_ref, p.r.use_count);
    p.conv = UC_NEW(g->arena, uc_ref, p.r.use_count);
    p.quantised = UC_NEW(g->arena, bool, p.r.use_count);
    if (!p.last || !p.conv || !p.quantised) return uc_arena_status(g->arena, g->error);
    const size_t nodes = g->node_count;
    for (size_t n = 0; n < nodes; n++) {
        if (!uc_is_op(&g->nodes[n], "QuantizeLinear")) continue;
        p.quantised[g->nodes[n].in[0]] = true;
        const uc_ref bytes = g->nodes[n].out[0];
        layer l = {.low = 0, .high = 255};
        if (!read_quant(&p, &g->nodes[n], bytes, &l.y)) continue;
        const uc_ref made = convert(&p, &g->nodes[n], &l);
        if (g->status != UNCORK_OK) return g->status;
        if (!made) continue;
        p.last[bytes] = made;
        const uc_node *maker = &g->nodes[g->values[made].producer];
        /* A depthwise one takes no residual. */
        if (uc_is_ext(maker, "QConv") && maker->in_count == 4 && l.rank == 4 &&
            uc_node_get_int(maker, "group", 1) == 1) {
            p.conv[bytes] = made;
        }
        const int rank = g->values[bytes].rank;
        UC_TRY(give_back(&p, n, made, l.y.is_signed, rank));
    }
    for (size_t n = 0; n < nodes; n++) {
        const uc_node *node = &g->nodes[n];
        bool product = uc_is_op(node, "Conv") || uc_is_op(node, "Gemm");
        if (product && !p.quantised[node->out[0]]) UC_TRY(convert_end(&p, n));
    }
    if (!p.r.changed) return UNCORK_OK;
    UC_TRY(uc_rewrite_order(g));
    return uc_rewrite_done(&p.r, changed);
}

const uc_pass uc_pass_quantize = {.name = "quantize", .exact = false, .run = run};
