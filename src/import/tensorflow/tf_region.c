/* Regions: bodies of If and Loop, and what they take from the graph around them. */
#include "import/tensorflow/tf_region.h"

#include "import/tensorflow/tf_list.h"

bool uc_tf_region_open(uc_tf_region *r, uc_tf_call *c)
{
    *r = (uc_tf_region){.call = c, .outer = c->build};
    if (c->graph->status || !uc_tf_build_body(c, &r->body)) return false;
    r->inner = &r->body;
    return true;
}

void uc_tf_region_here(uc_tf_region *r, uc_tf_call *c)
{
    *r = (uc_tf_region){.call = c, .outer = c->build, .inner = c->build};
}

void uc_tf_region_close(uc_tf_region *r)
{
    if (r->inner != &r->body) return;
    const uncork_status status = r->body.graph->status;
    uc_tf_build_close(&r->body);
    r->inner = NULL;
    if (status) uc_graph_fail(r->outer->graph, status, "a body of a node");
}

/* ---- taking ---------------------------------------------------------------------------------- */

static const char *name_of(uc_graph *g, const char *what, size_t i)
{
    const char *name = uc_arena_printf(g->arena, "%s_%zu", what, i);
    return name ? name : what;
}

uc_ref uc_tf_region_input(uc_tf_region *r, const char *name, const uc_value *type)
{
    uc_graph *g = r->inner->graph;
    const uc_tensor *t = &type->tensor;
    const uc_ref ref = uc_graph_input(g, name, t->dtype, t->rank, t->rank >= 0 ? t->shape : NULL);
    if (type->kind != UC_TENSOR) uc_graph_input_kind(g, ref, type->kind, type->item_kind);
    return ref;
}

/* Small ones, and those that the file holds: every graph may refer to them. */
static const uc_tensor *constant_of(uc_tf_build *b, uc_ref ref)
{
    const uc_graph *g = b->graph;
    if (g->values[ref].constant) return g->values[ref].constant;
    const uc_value *v = uc_look_at(&b->look, ref);
    if (v->kind != UC_TENSOR || !v->tensor.data || v->tensor.dtype == UNCORK_STRING) return NULL;
    if (v->tensor.rank > 1 || uc_tensor_count(&v->tensor) > 64) return NULL;
    uc_tensor *t = uc_tensor_new(g->arena, v->tensor.dtype, v->tensor.rank, v->tensor.shape);
    if (!t || uc_dtype_bits(t->dtype) % 8) return NULL;
    memcpy(t->data, v->tensor.data, (size_t)uc_tensor_count(t) * uc_dtype_size(t->dtype));
    return t;
}

uc_ref uc_tf_region_take_ref(uc_tf_region *r, uc_ref ref)
{
    uc_graph *g = r->inner->graph;
    if (r->inner == r->outer || !ref) return ref;
    if (g->status || r->outer->graph->status) return 0;
    for (size_t i = 0; i < r->count; i++) {
        if (r->captures[i].from == ref) return r->captures[i].to;
    }
    const uc_tensor *constant = constant_of(r->outer, ref);
    if (constant) return uc_graph_const(g, constant);
    uc_tf_capture *captures =
        uc_arena_grow(g->arena, r->captures, &r->capacity, r->count + 1, sizeof *captures);
    if (!captures) return uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    r->captures = captures;
    const uc_ref to =
        uc_tf_region_input(r, name_of(g, "captured", r->count), uc_look_at(&r->outer->look, ref));
    captures[r->count++] = (uc_tf_capture){ref, to};
    return to;
}

uc_tf_value uc_tf_region_take(uc_tf_region *r, const uc_tf_value *v)
{
    uc_tf_value taken = *v;
    if (r->inner == r->outer) return taken;
    if (v->kind == UC_TF_TENSOR) taken.ref = uc_tf_region_take_ref(r, v->ref);
    if (v->kind == UC_TF_LIST) taken = uc_tf_list_take(r, v);
    return taken;
}

uc_ref uc_tf_region_given(const uc_tf_region *r, uc_ref ref)
{
    if (r->inner == r->outer) return ref;
    for (size_t i = 0; i < r->count; i++) {
        if (r->captures[i].to == ref) return r->captures[i].from;
    }
    return 0;
}

/* ---- the operator ---------------------------------------------------------------------------- */

void uc_tf_region_order(uc_tf_region *r, const uc_ref *formal, size_t count)
{
    uc_graph *g = r->inner->graph;
    if (g->status) return;
    if (count + r->count != g->input_count) {
        uc_graph_fail(g, UNCORK_MALFORMED, "a body with inputs that nobody knows");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        g->inputs[i] = formal[i];
    }
    for (size_t i = 0; i < r->count; i++) {
        g->inputs[count + i] = r->captures[i].to;
    }
}

uc_node *uc_tf_region_node(uc_tf_region *r, const char *op, const uc_ref *in, size_t count,
                           size_t outputs)
{
    uc_graph *g = r->outer->graph;
    uc_ref *all = UC_NEW(g->arena, uc_ref, count + r->count + 1);
    if (!all) uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    for (size_t i = 0; all && i < count; i++) {
        all[i] = in[i];
    }
    for (size_t i = 0; all && i < r->count; i++) {
        all[count + i] = r->captures[i].from;
    }
    uc_node *n = uc_graph_node(g, op, all, all ? count + r->count : 0, outputs);
    uc_node_int(g, n, "captures", (int64_t)r->count);
    return n;
}

/* ---- scalars --------------------------------------------------------------------------------- */

uc_ref uc_tf_scalar_of(uc_tf_build *b, const uc_tf_value *v)
{
    const int64_t shape[1] = {0};
    const uc_ref ref = uc_tf_plain(b, v);
    if (!ref || uc_look_at(&b->look, ref)->tensor.rank == 0) return ref;
    return uc_g_reshape(b->graph, ref, shape, 0);
}

bool uc_tf_known_ref(uc_tf_build *b, uc_ref ref, int64_t *v)
{
    if (!ref) return false;
    const uc_value *known = uc_look_at(&b->look, ref);
    const uc_tensor *t = &known->tensor;
    if (known->kind != UC_TENSOR || !t->data || uc_tensor_count(t) != 1) return false;
    if (t->dtype == UNCORK_BOOL) {
        *v = *(const uint8_t *)t->data != 0;
        return true;
    }
    if (t->dtype != UNCORK_INT32 && t->dtype != UNCORK_INT64) return false;
    *v = uc_dtype_load_i64(t->data, 0, t->dtype);
    return true;
}

uc_ref uc_tf_true(uc_graph *g)
{
    uc_tensor *t = uc_tensor_new(g->arena, UNCORK_BOOL, 0, NULL);
    if (!t) return uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    *(uint8_t *)t->data = 1;
    return uc_graph_const(g, t);
}
