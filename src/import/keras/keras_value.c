/* Values on their way through a Keras model: layouts, constants, variables, what is known of them. */
#include "import/keras/keras.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- what is known --------------------------------------------------------------------------- */

static const uc_value *look(uc_k_call *c, uc_ref ref) { return uc_look_at(&c->build->look, ref); }

int uc_k_rank(uc_k_call *c, uc_ref ref) { return look(c, ref)->tensor.rank; }

int64_t uc_k_dim(uc_k_call *c, uc_ref ref, int axis)
{
    const uc_tensor *t = &look(c, ref)->tensor;
    if (axis < 0) axis += t->rank;
    return axis >= 0 && axis < t->rank && t->shape[axis] >= 0 ? t->shape[axis] : -1;
}

uncork_dtype uc_k_dtype(uc_k_call *c, uc_ref ref) { return look(c, ref)->tensor.dtype; }

int uc_k_axis(int64_t axis, int rank)
{
    if (axis < 0) axis += rank;
    return axis >= 0 && axis < rank ? (int)axis : -1;
}

/* ---- layouts --------------------------------------------------------------------------------- */

uc_ref uc_k_transpose(uc_graph *g, uc_ref a, const int64_t *perm, size_t n)
{
    uc_node *node = uc_graph_node(g, "Transpose", &a, 1, 1);
    uc_node_ints(g, node, "perm", perm, n);
    return uc_node_out(node, 0);
}

uc_ref uc_k_transpose2(uc_graph *g, uc_ref a, int64_t p0, int64_t p1, int64_t p2)
{
    const int64_t perm[] = {p0, p1, p2};
    return uc_k_transpose(g, a, perm, 3);
}

uc_ref uc_k_plain(uc_k_call *c, uc_k_value v)
{
    int64_t perm[UNCORK_MAX_RANK];
    const int rank = v.nchw ? uc_k_rank(c, v.ref) : 0;
    if (rank < 3) return v.ref;
    perm[0] = 0;
    for (int i = 1; i < rank - 1; i++) {
        perm[i] = i + 1;
    }
    perm[rank - 1] = 1;
    return uc_k_transpose(c->graph, v.ref, perm, (size_t)rank);
}

uc_ref uc_k_first(uc_k_call *c, uc_k_value v)
{
    int64_t perm[UNCORK_MAX_RANK];
    const int rank = v.nchw ? 0 : uc_k_rank(c, v.ref);
    if (rank < 3) return v.ref;
    perm[0] = 0;
    perm[1] = rank - 1;
    for (int i = 2; i < rank; i++) {
        perm[i] = i - 1;
    }
    return uc_k_transpose(c->graph, v.ref, perm, (size_t)rank);
}

void uc_k_set_as(uc_k_call *c, uc_ref ref, bool nchw)
{
    const bool passes = c->layer->row && c->layer->row->flags & UC_K_MASK && c->in_count;
    c->out[0] = (uc_k_value){.ref = ref, .mask = passes ? c->in[0].mask : 0, .nchw = nchw};
    c->out_count = 1;
}

void uc_k_set(uc_k_call *c, uc_ref ref) { uc_k_set_as(c, ref, false); }

bool uc_k_channels_first(const uc_k_layer *layer)
{
    const uc_str format = uc_k_text(layer, "data_format", "channels_last");
    return uc_str_is(format, "channels_first") || uc_str_is(format, "th");
}

uc_ref uc_k_fail(uc_k_call *c, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return uc_graph_fail(c->graph, UNCORK_UNSUPPORTED, "%s", text);
}

/* ---- constants ------------------------------------------------------------------------------- */

uc_ref uc_k_constant(uc_k_call *c, const double *v, int rank, const int64_t *shape)
{
    uc_tensor *t = uc_tensor_new(c->graph->arena, c->dtype, rank, shape);
    if (!t) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a constant");
    const int64_t n = uc_tensor_count(t);
    if (!uc_dtype_convert(t->data, c->dtype, v, UNCORK_FLOAT64, n)) {
        return uc_k_fail(c, "it computes in %s", uc_dtype_name(c->dtype));
    }
    return uc_graph_const(c->graph, t);
}

uc_ref uc_k_scalar(uc_k_call *c, double v) { return uc_k_constant(c, &v, 0, NULL); }

uc_ref uc_k_axes(uc_k_call *c, const char *op, uc_ref a, const int64_t *axes, size_t n, bool keep)
{
    const uc_ref in[] = {a, uc_graph_i64s(c->graph, axes, (int64_t)n)};
    uc_node *node = uc_graph_node(c->graph, op, in, 2, 1);
    uc_node_int(c->graph, node, "keepdims", keep);
    return uc_node_out(node, 0);
}

/* ---- variables ------------------------------------------------------------------------------- */

static const uc_k_slot *find_slot(const uc_k_layer *l, const char *name)
{
    for (size_t i = 0; i < l->slot_count; i++) {
        if (strcmp(l->slots[i].name, name) == 0) return &l->slots[i];
    }
    return NULL;
}

bool uc_k_has(const uc_k_layer *layer, const char *slot) { return find_slot(layer, slot) != NULL; }

const uc_tensor *uc_k_tensor(uc_k_call *c, const char *slot)
{
    const uc_k_slot *s = find_slot(c->layer, slot);
    uc_tensor *t = NULL;
    if (!s || c->graph->status) return NULL;
    if (!s->data) {
        uc_k_fail(c, "its weight '%s' isn't in the file", slot);
        return NULL;
    }
    const uncork_status status =
        uc_h5_read(c->build->file->h5, s->data, c->graph->arena, &t, c->graph->error);
    if (status) {
        uc_graph_fail(c->graph, status, "weight '%s'", slot);
        return NULL;
    }
    return t;
}

uc_ref uc_k_const(uc_k_call *c, const uc_tensor *t)
{
    if (!t) return 0;
    if (t->dtype != c->dtype && uc_dtype_is_float(t->dtype) && uc_dtype_is_float(c->dtype)) {
        t = uc_tensor_cast(c->graph->arena, t, c->dtype);
        if (!t) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a weight");
    }
    return uc_graph_const(c->graph, t);
}

uc_ref uc_k_weight(uc_k_call *c, const char *slot) { return uc_k_const(c, uc_k_tensor(c, slot)); }

const uc_tensor *uc_k_permuted(uc_k_call *c, const uc_tensor *t, const int64_t *perm)
{
    if (!t) return NULL;
    uc_tensor view = *t;
    for (int i = 0; i < t->rank; i++) {
        view.shape[i] = t->shape[perm[i]];
        view.stride[i] = t->stride[perm[i]];
    }
    const uc_tensor *dense = uc_tensor_dense(c->graph->arena, &view);
    if (!dense) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a weight");
        return NULL;
    }
    if (dense != &view) return dense;
    uc_tensor *copy = UC_NEW(c->graph->arena, uc_tensor, 1);
    if (copy) *copy = view;
    return copy;
}
