#include "pass/rewrite.h"

#include <math.h>

uncork_status uc_rewrite_init(uc_rewrite *r, uc_graph *g)
{
    *r = (uc_rewrite){.g = g, .use_count = g->value_count};
    r->uses = UC_NEW(g->arena, uint32_t, g->value_count);
    r->to = UC_NEW(g->arena, uc_ref, g->value_count);
    if (!r->uses || !r->to) return uc_arena_status(g->arena, g->error);
    for (size_t n = 0; n < g->node_count; n++) {
        for (size_t i = 0; i < g->nodes[n].in_count; i++) {
            r->uses[g->nodes[n].in[i]]++;
        }
    }
    for (size_t i = 0; i < g->output_count; i++) {
        r->uses[g->outputs[i]]++;
    }
    for (size_t i = 0; i < g->value_count; i++) {
        r->to[i] = (uc_ref)i;
    }
    return UNCORK_OK;
}

/* Replacements may have been replaced in turn. */
static uc_ref final_of(const uc_rewrite *r, uc_ref ref)
{
    while ((size_t)ref < r->use_count && r->to[ref] != ref) {
        ref = r->to[ref];
    }
    return ref;
}

void uc_rewrite_refresh(const uc_rewrite *r, uc_node *node)
{
    for (size_t i = 0; i < node->in_count; i++) {
        node->in[i] = final_of(r, node->in[i]);
    }
}

uncork_status uc_rewrite_done(uc_rewrite *r, bool *changed)
{
    uc_graph *g = r->g;
    for (size_t n = 0; n < g->node_count; n++) {
        uc_rewrite_refresh(r, &g->nodes[n]);
    }
    for (size_t i = 0; i < g->output_count; i++) {
        g->outputs[i] = final_of(r, g->outputs[i]);
    }
    if (r->changed) *changed = true;
    return g->status;
}

/* ---- order -------------------------------------------------------------------------------- */

typedef struct order {
    uc_graph *g;
    int32_t *place; /* [node_count]: where it goes, -1: not yet, -2: waiting for its inputs */
    int32_t *stack;
    size_t depth;
    uc_node *sorted;
    size_t count;
} order;

/* Pushes a producer that hasn't been placed; false when there is none left. */
static bool push_producer(order *o, const uc_node *node)
{
    for (size_t i = 0; i < node->in_count; i++) {
        int32_t p = o->g->values[node->in[i]].producer;
        if (p < 0 || o->place[p] != -1) continue;
        o->place[p] = -2;
        o->stack[o->depth++] = p;
        return true;
    }
    return false;
}

uncork_status uc_rewrite_order(uc_graph *g)
{
    if (g->status != UNCORK_OK) return g->status;
    order o = {.g = g};
    o.place = UC_NEW(g->arena, int32_t, g->node_count);
    o.stack = UC_NEW(g->arena, int32_t, g->node_count);
    o.sorted = UC_NEW(g->arena, uc_node, g->node_count + 1);
    if (!o.place || !o.stack || !o.sorted) return uc_arena_status(g->arena, g->error);
    memset(o.place, 0xff, g->node_count * sizeof *o.place);
    for (size_t n = 0; n < g->node_count; n++) {
        if (o.place[n] != -1) continue;
        o.place[n] = -2;
        o.stack[o.depth++] = (int32_t)n;
        while (o.depth > 0) {
            int32_t at = o.stack[o.depth - 1];
            if (push_producer(&o, &g->nodes[at])) continue;
            o.depth--;
            o.place[at] = (int32_t)o.count;
            o.sorted[o.count++] = g->nodes[at];
        }
    }
    g->nodes = o.sorted;
    g->node_capacity = g->node_count + 1;
    for (size_t n = 0; n < g->node_count; n++) {
        for (size_t i = 0; i < g->nodes[n].out_count; i++) {
            g->values[g->nodes[n].out[i]].producer = (int32_t)n;
        }
    }
    g->values[0].producer = -1;
    return UNCORK_OK;
}

uncork_status uc_rewrite_each(uc_graph *g, uncork_status (*visit)(uc_rewrite *r, size_t index),
                              bool *changed)
{
    uc_rewrite r;
    UC_TRY(uc_rewrite_init(&r, g));
    size_t count = g->node_count;
    for (size_t n = 0; n < count; n++) {
        UC_TRY(visit(&r, n));
    }
    if (g->node_count > count) UC_TRY(uc_rewrite_order(g));
    return uc_rewrite_done(&r, changed);
}

/* ---- looking ------------------------------------------------------------------------------ */

bool uc_is_op(const uc_node *node, const char *name)
{
    return node->op && (!node->op->domain || !*node->op->domain) &&
           strcmp(node->op->name, name) == 0;
}

bool uc_is_ext(const uc_node *node, const char *name)
{
    return node->op && node->op->domain && strcmp(node->op->domain, "uncork") == 0 &&
           strcmp(node->op->name, name) == 0;
}

uc_node *uc_rewrite_producer(const uc_rewrite *r, uc_ref ref)
{
    int32_t producer = r->g->values[ref].producer;
    return producer < 0 ? NULL : &r->g->nodes[producer];
}

uc_node *uc_rewrite_made_by(const uc_rewrite *r, uc_ref ref, const char *name)
{
    uc_node *node = uc_rewrite_producer(r, ref);
    return node && uc_is_op(node, name) ? node : NULL;
}

bool uc_rewrite_is_single(const uc_rewrite *r, uc_ref ref)
{
    return (size_t)ref < r->use_count && r->uses[ref] == 1;
}

const uc_tensor *uc_rewrite_const(const uc_rewrite *r, uc_ref ref)
{
    const uc_tensor *t = r->g->values[ref].constant;
    return t && t->data && uc_tensor_is_dense(t) ? t : NULL;
}

bool uc_rewrite_scalar(const uc_rewrite *r, uc_ref ref, double *v)
{
    const uc_tensor *t = uc_rewrite_const(r, ref);
    if (!t || uc_tensor_count(t) != 1) return false;
    float f;
    if (t->dtype == UNCORK_FLOAT32) {
        memcpy(&f, t->data, sizeof f);
        *v = (double)f;
        return true;
    }
    if (t->dtype != UNCORK_FLOAT64) return false;
    memcpy(v, t->data, sizeof *v);
    return true;
}

bool uc_rewrite_is_near(const uc_rewrite *r, uc_ref ref, double v)
{
    double got;
    return uc_rewrite_scalar(r, ref, &got) && fabs(got - v) <= 1e-6 * fabs(v);
}

bool uc_rewrite_scalar_operand(const uc_rewrite *r, const uc_node *node, double *v, uc_ref *other)
{
    if (node->in_count != 2) return false;
    for (int side = 0; side < 2; side++) {
        *other = node->in[1 - side];
        if (uc_rewrite_scalar(r, node->in[side], v)) return true;
    }
    return false;
}

const uc_attr *uc_node_attr(const uc_node *node, const char *name)
{
    return uc_attr_find(node->attrs, node->attr_count, name);
}

int64_t uc_node_get_int(const uc_node *node, const char *name, int64_t otherwise)
{
    return uc_attr_int(uc_node_attr(node, name), otherwise);
}

double uc_node_get_float(const uc_node *node, const char *name, double otherwise)
{
    return uc_attr_float(uc_node_attr(node, name), otherwise);
}

bool uc_same_shape(const uc_graph *g, uc_ref a, uc_ref b)
{
    const uc_graph_value *x = &g->values[a], *y = &g->values[b];
    if (x->dtype == UNCORK_DTYPE_NONE || x->dtype != y->dtype) return false;
    if (x->rank < 0 || x->rank != y->rank) return false;
    for (int d = 0; d < x->rank; d++) {
        if (x->shape[d] == UC_DIM_UNKNOWN || x->shape[d] != y->shape[d]) return false;
    }
    return true;
}

/* ---- changing ----------------------------------------------------------------------------- */

/* The row of "Conv" or "uncork.FusedConv". */
static const uc_op *find_row(const char *op)
{
    static const char ext[] = "uncork.";
    if (strncmp(op, ext, sizeof ext - 1) == 0) return uc_op_find("uncork", op + sizeof ext - 1);
    return uc_op_find(NULL, op);
}

uncork_status uc_rewrite_become(uc_rewrite *r, uc_node *node, const char *op, const uc_ref *in,
                                size_t in_count)
{
    const uc_op *row = find_row(op);
    uc_ref *own = UC_NEW(r->g->arena, uc_ref, in_count);
    if (!own) return uc_arena_status(r->g->arena, r->g->error);
    if (!row) {
        return uc_fail(r->g->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "operator '%s' isn't known",
                       op);
    }
    memcpy(own, in, in_count * sizeof *in);
    node->op = row;
    node->in = own;
    node->in_count = in_count;
    node->attrs = NULL;
    node->attr_count = node->attr_capacity = 0;
    node->layout = UC_LAYOUT_FIRST;
    r->changed = true;
    return UNCORK_OK;
}

void uc_rewrite_add_attrs(uc_rewrite *r, uc_node *node, const uc_node *from)
{
    uc_graph *g = r->g;
    size_t count = node->attr_count + from->attr_count;
    uc_attr *attrs = UC_NEW(g->arena, uc_attr, count);
    if (!attrs) {
        g->status = uc_arena_status(g->arena, g->error);
        return;
    }
    for (size_t i = 0; i < node->attr_count; i++) {
        attrs[i] = node->attrs[i];
    }
    for (size_t i = 0; i < from->attr_count; i++) {
        attrs[node->attr_count + i] = from->attrs[i];
    }
    node->attrs = attrs;
    node->attr_count = node->attr_capacity = count;
}

bool uc_rewrite_replace(uc_rewrite *r, uc_ref ref, uc_ref by)
{
    const uc_graph *g = r->g;
    by = final_of(r, by);
    bool fed = g->values[by].producer < 0 && !g->values[by].constant;
    for (size_t i = 0; fed && i < g->output_count; i++) {
        if (final_of(r, g->outputs[i]) == ref) return false;
    }
    r->to[ref] = by;
    if ((size_t)by < r->use_count) r->uses[by] += r->uses[ref] - 1;
    r->changed = true;
    return true;
}
