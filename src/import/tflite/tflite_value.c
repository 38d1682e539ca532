/* Values on their way through a TensorFlow Lite model: layouts, constants, quantised numbers, what is
 * known of them. */
#include "import/tflite/tflite_layout.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- what is known --------------------------------------------------------------------------- */

int uc_tfl_rank(uc_tfl_call *c, uc_ref ref)
{
    return uc_look_at(&c->build->look, ref)->tensor.rank;
}

int64_t uc_tfl_dim(uc_tfl_call *c, uc_ref ref, int axis)
{
    const uc_tensor *t = &uc_look_at(&c->build->look, ref)->tensor;
    if (axis < 0) axis += t->rank;
    return axis >= 0 && axis < t->rank && t->shape[axis] >= 0 ? t->shape[axis] : -1;
}

uc_ref uc_tfl_fail(uc_tfl_call *c, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return uc_graph_fail(c->graph, UNCORK_UNSUPPORTED, "%s: %s", c->op->name, text);
}

bool uc_tfl_axis(uc_tfl_call *c, int64_t axis, int rank, int64_t *out)
{
    if (rank >= 0 && axis < 0) axis += rank;
    *out = axis;
    if (rank >= 0 && axis >= 0 && axis < rank) return true;
    if (rank < 0) return true; /* counted from the end by the operator itself */
    uc_tfl_fail(c, "axis %" PRId64 " of %d dimensions", axis, rank);
    return false;
}

/* ---- layouts --------------------------------------------------------------------------------- */

uc_ref uc_tfl_transpose(uc_graph *g, uc_ref a, const int64_t *perm, size_t n)
{
    uc_node *node = uc_graph_node(g, "Transpose", &a, 1, 1);
    uc_node_ints(g, node, "perm", perm, n);
    return uc_node_out(node, 0);
}

static uc_ref to_plain(uc_graph *g, uc_ref a)
{
    static const int64_t perm[] = {0, 2, 3, 1};
    return a ? uc_tfl_transpose(g, a, perm, 4) : 0;
}

static uc_ref to_first(uc_graph *g, uc_ref a)
{
    static const int64_t perm[] = {0, 3, 1, 2};
    return a ? uc_tfl_transpose(g, a, perm, 4) : 0;
}

/* ---- constants ------------------------------------------------------------------------------- */

static const uc_tensor *constant_of(uc_tfl_call *c, const uc_tfl_tensor *t)
{
    uc_graph *g = c->graph;
    if (t->is_sparse || t->dtype == UNCORK_STRING) {
        uc_fb fb = c->build->file->fb;
        fb.error = g->error;
        const uc_tensor *made =
            t->is_sparse ? uc_tfl_dense(g->arena, fb, t) : uc_tfl_texts(g->arena, t);
        if (!made) uc_graph_fail(g, UNCORK_MALFORMED, "the constant '%.60s' is broken", t->name);
        return made;
    }
    uc_tensor *k = UC_NEW(g->arena, uc_tensor, 1);
    const size_t size = uc_dtype_size(t->dtype);
    if (k) uc_tensor_set(k, t->dtype, t->rank, t->shape);
    if (k && t->dtype != UNCORK_BOOL && (uintptr_t)t->data.data % (size ? size : 1) == 0) {
        k->data = (void *)(uintptr_t)t->data.data;
        return k;
    }
    uint8_t *copy = k ? uc_arena_alloc_raw(g->arena, t->data.size) : NULL;
    if (!copy) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a constant");
        return NULL;
    }
    memcpy(copy, t->data.data, t->data.size);
    for (size_t i = 0; t->dtype == UNCORK_BOOL && i < t->data.size; i++) {
        copy[i] = copy[i] != 0;
    }
    k->data = copy;
    return k;
}

bool uc_tfl_is_quantized(const uc_tfl_tensor *t)
{
    const uncork_dtype d = t->dtype;
    return t->scales > 0 && (d == UNCORK_INT8 || d == UNCORK_UINT8 || d == UNCORK_INT16 ||
                             d == UNCORK_INT4 || d == UNCORK_UINT4 || d == UNCORK_INT2);
}

/* ---- signed bytes as unsigned ones ------------------------------------------------------------ */

bool uc_tfl_is_lifted(const uc_tfl_build *b, const uc_tfl_tensor *t)
{
    return t->dtype == UNCORK_INT8 && t->scales > 0 && b->kernels != UNCORK_KERNELS_REAL;
}

static uc_ref turned(uc_graph *g, uc_ref a)
{
    uc_tensor *top = uc_tensor_new(g->arena, UNCORK_UINT8, 0, NULL);
    if (!top) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a constant");
    *(uint8_t *)top->data = 0x80;
    return uc_g2(g, "BitwiseXor", a, uc_graph_const(g, top));
}

static uc_ref bits_as(uc_graph *g, uc_ref a, uncork_dtype dtype)
{
    uc_node *n = uc_graph_node(g, "BitCast", &a, 1, 1);
    uc_node_int(g, n, "to", dtype);
    return uc_node_out(n, 0);
}

uc_ref uc_tfl_lift(uc_graph *g, uc_ref a) { return turned(g, bits_as(g, a, UNCORK_UINT8)); }
uc_ref uc_tfl_lower(uc_graph *g, uc_ref a) { return bits_as(g, turned(g, a), UNCORK_INT8); }

static uc_ref typed(uc_graph *g, uncork_dtype dtype, const int64_t *v, size_t n, bool scalar)
{
    const int64_t shape[] = {(int64_t)n};
    uc_tensor *t = uc_tensor_i64(g->arena, v, (int64_t)n);
    if (t) t = uc_tensor_cast(g->arena, t, dtype);
    if (!t) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for a zero point");
    uc_tensor_set(t, dtype, scalar ? 0 : 1, shape);
    return uc_graph_const(g, t);
}

/* The zero points as the tensor's values lie. */
static uc_ref zeros_of(uc_tfl_call *c, const uc_tfl_tensor *t, bool lifted)
{
    const bool one = t->scales == 1;
    if (!lifted) return typed(c->graph, t->dtype, t->zero, t->scales, one);
    int64_t *zero = UC_NEW(c->graph->arena, int64_t, t->scales);
    if (!zero) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for zero points");
    for (size_t i = 0; i < t->scales; i++) {
        zero[i] = t->zero[i] + 128;
    }
    return typed(c->graph, UNCORK_UINT8, zero, t->scales, one);
}

uc_ref uc_tfl_zero(uc_tfl_call *c, const uc_tfl_tensor *t)
{
    return zeros_of(c, t, uc_tfl_is_lifted(c->build, t));
}

static uc_ref scale_of(uc_graph *g, const uc_tfl_tensor *t)
{
    const int64_t shape[] = {(int64_t)t->scales};
    uc_tensor *s = uc_tensor_new(g->arena, UNCORK_FLOAT32, t->scales > 1, shape);
    if (!s) return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for scales");
    memcpy(s->data, t->scale, t->scales * sizeof(float));
    return uc_graph_const(g, s);
}

/* QuantizeLinear or DequantizeLinear by the tensor's scales. */
static uc_ref convert(uc_tfl_call *c, const char *op, uc_ref x, const uc_tfl_tensor *t,
                      int64_t axis, bool lifted)
{
    uc_graph *g = c->graph;
    const bool one = t->scales == 1;
    const uc_ref in[] = {x, scale_of(g, t), zeros_of(c, t, lifted)};
    if (g->status || !x) return 0;
    /* int4 and the like have no zero points of their own kind here beyond 0. */
    uc_node *n = uc_graph_node(g, op, in, 3, 1);
    if (!one) uc_node_int(g, n, "axis", axis);
    return uc_node_out(n, 0);
}

/* ---- inputs ---------------------------------------------------------------------------------- */

bool uc_tfl_has(const uc_tfl_call *c, size_t i) { return i < c->op->in_count && c->op->in[i] >= 0; }

const uc_tfl_tensor *uc_tfl_tensor_in(const uc_tfl_call *c, size_t i)
{
    static const uc_tfl_tensor none = {.name = "", .rank = -1};
    return uc_tfl_has(c, i) ? &c->scope->subgraph->tensors[c->op->in[i]] : &none;
}

const uc_tfl_tensor *uc_tfl_tensor_out(const uc_tfl_call *c, size_t i)
{
    static const uc_tfl_tensor none = {.name = "", .rank = -1};
    return i < c->op->out_count ? &c->scope->subgraph->tensors[c->op->out[i]] : &none;
}

static const uc_tensor *lifted_copy(uc_tfl_call *c, const uc_tensor *k)
{
    uc_tensor *to = uc_tensor_new(c->graph->arena, UNCORK_UINT8, k->rank, k->shape);
    if (!to) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a constant");
        return NULL;
    }
    for (int64_t i = 0; i < uc_tensor_count(k); i++) {
        ((uint8_t *)to->data)[i] = ((const uint8_t *)k->data)[i] ^ 0x80;
    }
    return to;
}

/* The value with `raw` set, in whatever layout. */
static uc_tfl_value *value_in(uc_tfl_call *c, size_t i)
{
    static uc_tfl_value nothing;
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, i);
    if (!uc_tfl_has(c, i)) {
        uc_tfl_fail(c, "input %zu is missing", i);
        return &nothing;
    }
    uc_tfl_value *v = &c->scope->values[c->op->in[i]];
    if (v->raw || c->graph->status) return v;
    if (!t->data.data) {
        size_t count;
        if (t->is_variable || !uc_shape_count(t->shape, t->rank, &count) || count) {
            uc_graph_fail(c->graph, UNCORK_MALFORMED, "%s takes '%.60s', which nothing makes",
                          c->op->name, t->name);
            return v;
        }
    }
    const uc_tensor *k = constant_of(c, t);
    if (k && uc_tfl_is_lifted(c->build, t)) k = lifted_copy(c, k);
    if (k) v->raw = uc_graph_const(c->graph, k);
    return v;
}

static uc_ref real_of(uc_tfl_call *c, size_t i, uc_tfl_value *v)
{
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, i);
    if (!uc_tfl_is_quantized(t) || !v->raw) return v->raw;
    if (!v->real)
        v->real = convert(c, "DequantizeLinear", v->raw, t, t->axis, uc_tfl_is_lifted(c->build, t));
    return v->real;
}

uc_ref uc_tfl_raw(uc_tfl_call *c, size_t i)
{
    const uc_tfl_value *v = value_in(c, i);
    return v->nchw ? to_plain(c->graph, v->raw) : v->raw;
}

uc_ref uc_tfl_filed(uc_tfl_call *c, size_t i)
{
    const uc_ref raw = uc_tfl_raw(c, i);
    return raw && uc_tfl_is_lifted(c->build, uc_tfl_tensor_in(c, i)) ? uc_tfl_lower(c->graph, raw)
                                                                     : raw;
}

uc_ref uc_tfl_in(uc_tfl_call *c, size_t i)
{
    uc_tfl_value *v = value_in(c, i);
    const uc_ref real = real_of(c, i, v);
    return v->nchw ? to_plain(c->graph, real) : real;
}

/* Bytes are transposed before they are made numbers, so that passes see the usual pattern. */
uc_ref uc_tfl_first(uc_tfl_call *c, size_t i)
{
    uc_tfl_value *v = value_in(c, i);
    if (v->nchw) return real_of(c, i, v);
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, i);
    const uc_ref raw = to_first(c->graph, v->raw);
    return uc_tfl_is_quantized(t) && raw
               ? convert(c, "DequantizeLinear", raw, t, 1, uc_tfl_is_lifted(c->build, t))
               : raw;
}

uc_ref uc_tfl_first_raw(uc_tfl_call *c, size_t i)
{
    const uc_tfl_value *v = value_in(c, i);
    return v->nchw ? v->raw : to_first(c->graph, v->raw);
}

bool uc_tfl_is_first(uc_tfl_call *c, size_t i)
{
    return uc_tfl_has(c, i) && c->scope->values[c->op->in[i]].nchw;
}

static const uc_tensor *permuted(uc_tfl_call *c, const uc_tensor *t, const int64_t *perm)
{
    uc_tensor view = *t;
    for (int i = 0; i < t->rank; i++) {
        view.shape[i] = t->shape[perm[i]];
        view.stride[i] = t->stride[perm[i]];
    }
    const uc_tensor *dense = uc_tensor_dense(c->graph->arena, &view);
    if (!dense) uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for weights");
    if (dense != &view) return dense;
    uc_tensor *own = UC_NEW(c->graph->arena, uc_tensor, 1);
    if (own) *own = view;
    return own;
}

uc_ref uc_tfl_weight(uc_tfl_call *c, size_t i, const int64_t *perm, size_t n)
{
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, i);
    const uc_tfl_value *v = value_in(c, i);
    if (c->graph->status || !v->raw) return 0;
    const bool lifted = uc_tfl_is_lifted(c->build, t);
    const uc_tensor *k = c->graph->values[v->raw].constant;
    if (uc_tfl_rank(c, v->raw) != (int)n)
        return uc_tfl_fail(c, "its weights have %d dimensions", uc_tfl_rank(c, v->raw));
    uc_ref w = 0;
    if (k && uc_dtype_size(k->dtype)) {
        k = permuted(c, k, perm);
        w = k ? uc_graph_const(c->graph, k) : 0;
    } else {
        w = uc_tfl_transpose(c->graph, v->raw, perm, n);
    }
    int64_t axis = 0;
    while (axis < (int64_t)n && perm[axis] != t->axis) {
        axis++;
    }
    return w && uc_tfl_is_quantized(t) ? convert(c, "DequantizeLinear", w, t, axis, lifted) : w;
}

const uc_tensor *uc_tfl_constant(uc_tfl_call *c, size_t i, const int64_t *perm)
{
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, i);
    if (!uc_tfl_has(c, i) || !t->data.data) return NULL;
    const uc_tensor *k = constant_of(c, t);
    if (k && uc_dtype_bits(k->dtype) == 4) k = uc_tensor_cast(c->graph->arena, k, UNCORK_INT8);
    return k && perm ? permuted(c, k, perm) : k;
}

uc_ref uc_tfl_real(uc_tfl_call *c, size_t i, uc_ref raw)
{
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, i);
    return uc_tfl_is_quantized(t) && raw
               ? convert(c, "DequantizeLinear", raw, t, t->axis, uc_tfl_is_lifted(c->build, t))
               : raw;
}

/* 64 bits are more than float32 has: the product is made in double, once. */
static uc_ref wide_bias(uc_tfl_call *c, const uc_tfl_tensor *t, const uc_tensor *k)
{
    uc_tensor *out = uc_tensor_new(c->graph->arena, UNCORK_FLOAT32, k->rank, k->shape);
    const int64_t count = uc_tensor_count(k);
    if (!out) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a bias");
    for (int64_t i = 0; i < count; i++) {
        const double scale = (double)t->scale[t->scales == 1 ? 0 : i];
        ((float *)out->data)[i] = (float)(scale * (double)((const int64_t *)k->data)[i]);
    }
    return uc_graph_const(c->graph, out);
}

uc_ref uc_tfl_bias(uc_tfl_call *c, size_t i)
{
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, i);
    const uc_ref raw = uc_tfl_raw(c, i);
    if (c->graph->status || !raw || t->scales == 0) return raw;
    const uc_tensor *k = c->graph->values[raw].constant;
    if (t->dtype == UNCORK_INT64) {
        if (!k || (t->scales > 1 && (int64_t)t->scales != uc_tensor_count(k)))
            return uc_tfl_fail(c, "its bias isn't a constant of its scales' size");
        return wide_bias(c, t, k);
    }
    return convert(c, "DequantizeLinear", raw, t, 0, false);
}

uc_ref uc_tfl_i64(uc_tfl_call *c, size_t i)
{
    const uc_ref raw = uc_tfl_raw(c, i);
    if (!raw || c->graph->status) return 0;
    const uc_tensor *k = c->graph->values[raw].constant;
    if (!k) return uc_g_cast(c->graph, raw, UNCORK_INT64);
    const uc_tensor *t = uc_tensor_cast(c->graph->arena, k, UNCORK_INT64);
    return t ? uc_graph_const(c->graph, t)
             : uc_tfl_fail(c, "input %zu isn't a list of integers", i);
}

size_t uc_tfl_known(uc_tfl_call *c, size_t i, int64_t *out, size_t most)
{
    return uc_look_known(&c->build->look, uc_tfl_raw(c, i), out, most);
}

/* ---- outputs --------------------------------------------------------------------------------- */

bool uc_tfl_same_scale(const uc_tfl_call *c, size_t i)
{
    const uc_tfl_tensor *a = uc_tfl_tensor_in(c, i), *b = uc_tfl_tensor_out(c, 0);
    if (!uc_tfl_is_quantized(a) && !uc_tfl_is_quantized(b)) return true;
    return a->dtype == b->dtype && a->scales == 1 && b->scales == 1 && a->scale[0] == b->scale[0] &&
           a->zero[0] == b->zero[0];
}

static void set(uc_tfl_call *c, size_t i, uc_ref ref, bool real, bool nchw)
{
    const uc_tfl_tensor *t = uc_tfl_tensor_out(c, i);
    if (i >= c->op->out_count || !ref) return;
    if (real && uc_tfl_is_quantized(t))
        ref = convert(c, "QuantizeLinear", ref, t, t->axis, uc_tfl_is_lifted(c->build, t));
    c->scope->values[c->op->out[i]] = (uc_tfl_value){.raw = ref, .nchw = nchw};
}

void uc_tfl_out(uc_tfl_call *c, size_t i, uc_ref real) { set(c, i, real, true, false); }
void uc_tfl_out_first(uc_tfl_call *c, size_t i, uc_ref real) { set(c, i, real, true, true); }
void uc_tfl_out_raw(uc_tfl_call *c, size_t i, uc_ref raw) { set(c, i, raw, false, false); }
void uc_tfl_out_filed(uc_tfl_call *c, size_t i, uc_ref raw)
{
    if (raw && uc_tfl_is_lifted(c->build, uc_tfl_tensor_out(c, i)))
        raw = uc_tfl_lift(c->graph, raw);
    uc_tfl_out_raw(c, i, raw);
}
void uc_tfl_out_raw_first(uc_tfl_call *c, size_t i, uc_ref raw) { set(c, i, raw, false, true); }

/* ---- two inputs in one layout ---------------------------------------------------------------- */

/* Input i beside one that lies as [N, C, H, W]; 0: it has to be the other way. */
static uc_ref beside_first(uc_tfl_call *c, size_t i)
{
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, i);
    if (uc_tfl_is_first(c, i) || t->rank == 4) return uc_tfl_first(c, i);
    if (t->rank == 0) return uc_tfl_in(c, i);
    if (t->rank != 1) return 0;
    const int64_t shape[] = {1, -1, 1, 1};
    return uc_g_reshape(c->graph, uc_tfl_in(c, i), shape, 4);
}

bool uc_tfl_pair(uc_tfl_call *c, uc_ref *a, uc_ref *b)
{
    const uc_tfl_tensor *x = uc_tfl_tensor_in(c, 0), *y = uc_tfl_tensor_in(c, 1);
    /* A scalar's shape may be unknown to the file, written as []. */
    const bool said = (x->rank == 4 || x->data.data) && (y->rank == 4 || y->data.data);
    if (said && (uc_tfl_is_first(c, 0) || uc_tfl_is_first(c, 1))) {
        *a = beside_first(c, 0);
        *b = beside_first(c, 1);
        if (*a && *b) return true;
    }
    *a = uc_tfl_in(c, 0);
    *b = uc_tfl_in(c, 1);
    return false;
}
