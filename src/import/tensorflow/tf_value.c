/* Values on their way through a TensorFlow graph: inputs and outputs of emitters, layouts, constants, what is
 * known of them. */
#include "import/tensorflow/tf_scope.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

uc_ref uc_tf_fail(uc_tf_call *c, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return uc_graph_fail(c->graph, UNCORK_UNSUPPORTED, "%s", text);
}

/* ---- what is known --------------------------------------------------------------------------- */

int uc_tf_rank(uc_tf_call *c, uc_ref ref) { return uc_look_at(&c->build->look, ref)->tensor.rank; }

int64_t uc_tf_dim(uc_tf_call *c, uc_ref ref, int axis)
{
    const uc_tensor *t = &uc_look_at(&c->build->look, ref)->tensor;
    if (axis < 0) axis += t->rank;
    return axis >= 0 && axis < t->rank && t->shape[axis] >= 0 ? t->shape[axis] : -1;
}

uncork_dtype uc_tf_dtype_of(uc_tf_call *c, uc_ref ref)
{
    return uc_look_at(&c->build->look, ref)->tensor.dtype;
}

bool uc_tf_axis(uc_tf_call *c, int64_t axis, int rank, int64_t *out)
{
    if (rank >= 0 && axis < 0) axis += rank;
    *out = axis;
    if (rank < 0 || (axis >= 0 && axis < rank)) return true;
    uc_tf_fail(c, "axis %" PRId64 " of %d dimensions", axis, rank);
    return false;
}

/* ---- layouts --------------------------------------------------------------------------------- */

uc_ref uc_tf_transpose(uc_graph *g, uc_ref a, const int64_t *perm, size_t n)
{
    if (!a) return 0;
    uc_node *node = uc_graph_node(g, "Transpose", &a, 1, 1);
    uc_node_ints(g, node, "perm", perm, n);
    return uc_node_out(node, 0);
}

static uc_ref to_last(uc_tf_build *b, uc_ref a)
{
    static const int64_t image[] = {0, 2, 3, 1}, volume[] = {0, 2, 3, 4, 1}, line[] = {0, 2, 1};
    const int rank = uc_look_at(&b->look, a)->tensor.rank;
    return uc_tf_transpose(b->graph, a,
                           rank == 5   ? volume
                           : rank == 3 ? line
                                       : image,
                           rank == 5 || rank == 3 ? (size_t)rank : 4);
}

uc_ref uc_tf_to_last(uc_tf_call *c, uc_ref a) { return to_last(c->build, a); }

uc_ref uc_tf_to_first(uc_tf_call *c, uc_ref a)
{
    static const int64_t image[] = {0, 3, 1, 2}, volume[] = {0, 4, 1, 2, 3}, line[] = {0, 2, 1};
    const int rank = uc_tf_rank(c, a);
    return uc_tf_transpose(c->graph, a,
                           rank == 5   ? volume
                           : rank == 3 ? line
                                       : image,
                           rank == 5 || rank == 3 ? (size_t)rank : 4);
}

uc_ref uc_tf_plain(uc_tf_build *b, const uc_tf_value *v)
{
    if (v->kind == UC_TF_VARIABLE && ((uc_tf_variable *)v->payload)->is_ref)
        return uc_tf_variable_read(b, v->payload);
    if (v->kind != UC_TF_TENSOR) return 0;
    return v->nchw ? to_last(b, v->ref) : v->ref;
}

/* ---- inputs ---------------------------------------------------------------------------------- */

size_t uc_tf_in_count(const uc_tf_call *c) { return c->node->input_count; }

const uc_tf_value *uc_tf_value_in(uc_tf_call *c, size_t i)
{
    static const uc_tf_value nothing = {.kind = UC_TF_NOTHING};
    const uc_tf_edge *edges = c->scope->nodes[c->node - c->scope->body->nodes].edges;
    const uc_tf_value *v =
        i < c->node->input_count && edges ? uc_tf_have(c->scope, edges[i]) : NULL;
    if (v) return v;
    if (!c->graph->status) uc_tf_fail(c, "input %zu is missing", i);
    return &nothing;
}

static const uc_tf_value *tensor_in(uc_tf_call *c, size_t i)
{
    const uc_tf_value *v = uc_tf_value_in(c, i);
    /* A variable stands for its value: its ref, or the handle that ResourceGather takes. */
    if (v->kind != UC_TF_TENSOR && v->kind != UC_TF_VARIABLE && !c->graph->status)
        uc_tf_fail(c, "input %zu is no tensor", i);
    return v;
}

uc_ref uc_tf_in(uc_tf_call *c, size_t i)
{
    const uc_tf_value *v = tensor_in(c, i);
    if (c->graph->status) return 0;
    return v->kind == UC_TF_VARIABLE ? uc_tf_variable_at(c, v->payload) : uc_tf_plain(c->build, v);
}

uc_ref uc_tf_first(uc_tf_call *c, size_t i)
{
    const uc_tf_value *v = tensor_in(c, i);
    if (c->graph->status) return 0;
    return v->nchw ? v->ref : uc_tf_to_first(c, uc_tf_in(c, i));
}

bool uc_tf_is_first(uc_tf_call *c, size_t i) { return uc_tf_value_in(c, i)->nchw; }

const uc_tensor *uc_tf_constant(uc_tf_call *c, size_t i)
{
    const uc_ref ref = uc_tf_in(c, i);
    return ref && !c->graph->status ? c->graph->values[ref].constant : NULL;
}

uc_ref uc_tf_weight(uc_tf_call *c, size_t i, const int64_t *perm, size_t n)
{
    const uc_ref ref = uc_tf_in(c, i);
    const uc_tensor *k = ref && !c->graph->status ? c->graph->values[ref].constant : NULL;
    if (!ref || c->graph->status) return 0;
    if (!k || !uc_dtype_size(k->dtype)) return uc_tf_transpose(c->graph, ref, perm, n);
    if (k->rank != (int)n) return uc_tf_fail(c, "its weights have %d dimensions", k->rank);
    uc_tensor *view = UC_NEW(c->graph->arena, uc_tensor, 1);
    if (!view) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
    *view = *k;
    for (size_t d = 0; d < n; d++) {
        view->shape[d] = k->shape[perm[d]];
        view->stride[d] = k->stride[perm[d]];
    }
    return uc_graph_const(c->graph, view);
}

/* Input i beside one that lies as [N, C, spatial...]; 0: it can't lie so. */
static uc_ref beside_first(uc_tf_call *c, size_t i, int rank)
{
    const uc_ref plain = uc_tf_is_first(c, i) ? 0 : uc_tf_in(c, i);
    const int own = plain ? uc_tf_rank(c, plain) : rank;
    if (own == rank) return uc_tf_first(c, i);
    if (own == 0) return plain;
    if (own != 1) return 0;
    const int64_t shape[] = {1, -1, 1, 1, 1};
    return uc_g_reshape(c->graph, plain, shape, rank);
}

bool uc_tf_pair(uc_tf_call *c, size_t i, size_t j, uc_ref *a, uc_ref *b)
{
    const bool first = uc_tf_is_first(c, i) || uc_tf_is_first(c, j);
    if (first && !c->graph->status) {
        const uc_tf_value *v = uc_tf_value_in(c, uc_tf_is_first(c, i) ? i : j);
        const int rank = uc_tf_rank(c, v->ref);
        *a = rank == 4 || rank == 5 ? beside_first(c, i, rank) : 0;
        *b = *a ? beside_first(c, j, rank) : 0;
        if (*a && *b) return true;
    }
    *a = uc_tf_in(c, i);
    *b = uc_tf_in(c, j);
    return false;
}

size_t uc_tf_known(uc_tf_call *c, size_t i, int64_t *out, size_t most)
{
    return uc_look_known(&c->build->look, uc_tf_in(c, i), out, most);
}

bool uc_tf_known_one(uc_tf_call *c, size_t i, int64_t *out)
{
    return uc_tf_known(c, i, out, 1) == 1;
}

uc_ref uc_tf_i64(uc_tf_call *c, size_t i)
{
    const uc_ref ref = uc_tf_in(c, i);
    if (!ref || c->graph->status) return 0;
    const uc_tensor *k = c->graph->values[ref].constant;
    if (uc_tf_dtype_of(c, ref) == UNCORK_INT64) return ref;
    if (!k) return uc_g_cast(c->graph, ref, UNCORK_INT64);
    const uc_tensor *t = uc_tensor_cast(c->graph->arena, k, UNCORK_INT64);
    return t ? uc_graph_const(c->graph, t) : uc_tf_fail(c, "input %zu isn't a list of integers", i);
}

uc_ref uc_tf_scalar(uc_tf_call *c, double v, uc_ref like)
{
    const uncork_dtype dtype = uc_tf_dtype_of(c, like);
    if (!dtype && !c->graph->status) return uc_tf_fail(c, "its type isn't known");
    uc_tensor *t = uc_tensor_f64(c->graph->arena, &v, 1);
    if (t) t = uc_tensor_cast(c->graph->arena, t, dtype);
    if (!t) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a number");
    uc_tensor_set(t, dtype, 0, NULL);
    return uc_graph_const(c->graph, t);
}

/* ---- outputs --------------------------------------------------------------------------------- */

void uc_tf_out(uc_tf_call *c, size_t i, uc_ref ref)
{
    if (ref) uc_tf_out_value(c, i, (uc_tf_value){.kind = UC_TF_TENSOR, .ref = ref});
}

void uc_tf_out_first(uc_tf_call *c, size_t i, uc_ref ref)
{
    if (ref) uc_tf_out_value(c, i, (uc_tf_value){.kind = UC_TF_TENSOR, .ref = ref, .nchw = true});
}

/* ---- resources ------------------------------------------------------------------------------- */

const uc_tf_table *uc_tf_table_in(uc_tf_call *c, size_t i)
{
    const uc_tf_value *v = uc_tf_value_in(c, i);
    if (v->kind == UC_TF_TABLE) return v->payload;
    if (!c->graph->status) uc_tf_fail(c, "input %zu is no look-up table", i);
    return NULL;
}
