/* Conditions and loops of TensorFlow 1's control flow as If and Loop: a branch and an iteration are scopes
 * over the same nodes, with their own values. */
#include "import/tensorflow/tf_frame.h"
#include "import/tensorflow/tf_loop.h"

static bool same_edge(uc_tf_edge a, uc_tf_edge b)
{
    return a.node == b.node && a.output == b.output;
}

static const uc_tf_node_control *control_of(const uc_tf_frames *f, const uc_tf_node *node)
{
    return f ? &f->nodes[node - f->body->nodes] : NULL;
}

static const uc_tf_node_control *control_at(uc_tf_call *c)
{
    return control_of(uc_tf_frames_of(c->scope), c->node);
}

/* ---- what tf_build.c asks -------------------------------------------------------------------- */

bool uc_tf_frame_outside(uc_tf_scope *s, uc_tf_edge edge, uc_tf_edge *from)
{
    const uc_tf_inside *in = s->inside;
    const uc_tf_frames *f = in ? uc_tf_frames_of(s) : NULL;
    if (!f || edge.node < 0) return false;
    const uc_tf_node *node = &s->body->nodes[edge.node];
    const uc_tf_node_control *c = &f->nodes[edge.node];
    *from = edge;
    if (in->frame >= 0) {
        return c->op == UC_TF_ENTER && c->frame == in->frame && uc_tf_input_edge(s, node, 0, from);
    }
    if (c->op == UC_TF_SWITCH && same_edge(c->condition, in->condition)) {
        return uc_tf_input_edge(s, node, 0, from);
    }
    return !uc_tf_guarded(c->guard, in->condition, in->branch);
}

uc_tf_value uc_tf_frame_take(uc_tf_scope *s, uc_tf_edge from)
{
    const uc_tf_value *v = uc_tf_demand(s->inside->outer, from);
    uc_graph *g = s->build->graph;
    const uc_graph *outer = s->inside->outer->build->graph;
    if (outer->status && !g->status) uc_graph_fail(g, outer->status, "what a body takes");
    return uc_tf_region_take(s->inside->region, v);
}

typedef struct needs {
    uc_tf_scope *scope;
    uc_tf_edge *edges;
    size_t count, most;
} needs;

static void need(needs *n, const uc_tf_node *node, size_t input)
{
    uc_tf_edge e;
    if (n->count == n->most || !uc_tf_input_edge(n->scope, node, input, &e)) return;
    if (!uc_tf_have(n->scope, e)) n->edges[n->count++] = e;
}

/* The condition as the scope has it: of a Switch on the way to the Merge. */
static bool known_condition(uc_tf_scope *s, uc_tf_edge condition, bool *truth)
{
    int64_t v;
    const uc_tf_value *value = uc_tf_have(s, condition);
    if (!value || value->kind != UC_TF_TENSOR) return false;
    if (!uc_tf_known_ref(s->build, value->ref, &v)) return false;
    *truth = v != 0;
    return true;
}

/* The values that go into the branches of a Merge: what its inputs come from, up to their Switches. */
static void need_switches(needs *n, const uc_tf_frames *f, const uc_tf_node *merge)
{
    const uc_tf_edge condition = control_of(f, merge)->condition;
    uc_arena *arena = n->scope->build->session->arena;
    uint8_t *seen = UC_NEW(arena, uint8_t, f->body->node_count);
    int32_t *stack = UC_NEW(arena, int32_t, f->body->node_count + 1);
    size_t depth = 0;
    if (!seen || !stack) return;
    stack[depth++] = (int32_t)(merge - f->body->nodes);
    while (depth && n->count < n->most) {
        const uc_tf_node *node = &f->body->nodes[stack[--depth]];
        for (size_t i = 0; i < node->input_count; i++) {
            uc_tf_edge e;
            if (!uc_tf_input_edge(n->scope, node, i, &e)) return;
            if (e.node < 0 || seen[e.node]) continue;
            const uc_tf_node_control *c = &f->nodes[e.node];
            seen[e.node] = 1;
            if (c->op == UC_TF_SWITCH && same_edge(c->condition, condition)) {
                need(n, &f->body->nodes[e.node], 0);
            } else if (uc_tf_guarded(c->guard, condition, false) ||
                       uc_tf_guarded(c->guard, condition, true)) {
                stack[depth++] = e.node;
            }
        }
    }
}

static void needs_of_merge(needs *n, const uc_tf_frames *f, const uc_tf_node *node)
{
    const uc_tf_node_control *c = control_of(f, node);
    bool truth;
    if (c->condition.node < 0) return;
    if (!uc_tf_have(n->scope, c->condition)) {
        n->edges[n->count++] = c->condition;
    } else if (known_condition(n->scope, c->condition, &truth)) {
        need(n, node, (size_t)(truth ? c->on_true : 1 - c->on_true));
    } else {
        need_switches(n, f, node);
    }
}

size_t uc_tf_frame_needs(uc_tf_scope *s, const uc_tf_node *node, uc_tf_edge *edges, size_t most)
{
    needs n = {.scope = s, .edges = edges, .most = most};
    const uc_tf_frames *f = uc_tf_frames_of(s);
    const uc_tf_node_control *c = control_of(f, node);
    if (!c) return SIZE_MAX;
    switch (c->op) {
    case UC_TF_SWITCH:
    case UC_TF_ENTER: need(&n, node, 0); return n.count;
    case UC_TF_MERGE: needs_of_merge(&n, f, node); return n.count;
    case UC_TF_LOOP_MERGE: return 0;
    case UC_TF_EXIT:
        for (size_t i = 0; c->frame >= 0 && i < f->body->node_count; i++) {
            const uc_tf_node_control *e = &f->nodes[i];
            if (e->op == UC_TF_ENTER && e->frame == c->frame) need(&n, &f->body->nodes[i], 0);
        }
        return n.count;
    case UC_TF_PLAIN: break;
    }
    return SIZE_MAX;
}

/* ---- conditions ------------------------------------------------------------------------------ */

void uc_tf_op_switch(uc_tf_call *c)
{
    uc_tf_edge e;
    const uc_tf_value *v =
        uc_tf_input_edge(c->scope, c->node, 0, &e) ? uc_tf_have(c->scope, e) : NULL;
    if (!v) {
        uc_tf_fail(c, "it has no input");
        return;
    }
    uc_tf_out_value(c, 0, *v);
    uc_tf_out_value(c, 1, *v);
}

typedef struct merges {
    uc_tf_scope *scope;
    const uc_tf_frames *frames;
    const uc_tf_node_control *first;
    int32_t nodes[64];
    size_t count;
} merges;

static bool emit_branch(void *context, uc_tf_region *r, bool which, uc_tf_value *out)
{
    const merges *m = context;
    uc_tf_inside *inside = UC_NEW(m->scope->build->session->arena, uc_tf_inside, 1);
    if (!inside) return false;
    *inside = (uc_tf_inside){.outer = m->scope,
                             .region = r,
                             .frame = -1,
                             .condition = m->first->condition,
                             .branch = which};
    uc_tf_scope *s = uc_tf_scope_inside(r->inner, inside);
    for (size_t i = 0; s && i < m->count; i++) {
        const uc_tf_node_control *c = &m->frames->nodes[m->nodes[i]];
        const int side = which ? c->on_true : 1 - c->on_true;
        uc_tf_edge e;
        if (!uc_tf_input_edge(s, &s->body->nodes[m->nodes[i]], (size_t)side, &e)) return false;
        out[i] = *uc_tf_demand(s, e);
    }
    return s && !r->inner->graph->status;
}

/* Whether node `to` is among what `from` takes, directly or not. */
static bool depends(uc_tf_scope *s, int32_t from, int32_t to, uint8_t *seen, int32_t *stack)
{
    size_t depth = 0;
    memset(seen, 0, s->body->node_count);
    stack[depth++] = from;
    seen[from] = 1;
    while (depth) {
        const uc_tf_node *node = &s->body->nodes[stack[--depth]];
        for (size_t i = 0; i < node->input_count; i++) {
            uc_tf_edge e;
            if (!uc_tf_input_edge(s, node, i, &e)) return true;
            if (e.node == to) return true;
            if (e.node < 0 || seen[e.node]) continue;
            seen[e.node] = 1;
            stack[depth++] = e.node;
        }
    }
    return false;
}

/* "scope/Merge_1" and "scope/Merge_2" are results of one tf.cond. */
static bool same_scope(uc_str a, uc_str b)
{
    while (a.size && a.data[a.size - 1] != '/') {
        a.size--;
    }
    while (b.size && b.data[b.size - 1] != '/') {
        b.size--;
    }
    return uc_str_equal(a, b);
}

/* Steps that looking for the Merges of one condition may take. */
#define MOST_STEPS ((size_t)1 << 17)

/* Merges of one condition become one If, unless one needs another. */
static bool gather(uc_tf_call *c, merges *m)
{
    uc_tf_scope *s = c->scope;
    const size_t n = s->body->node_count;
    uint8_t *seen = UC_NEW(s->build->session->arena, uint8_t, n);
    int32_t *stack = UC_NEW(s->build->session->arena, int32_t, n);
    const int32_t own = (int32_t)(c->node - s->body->nodes);
    if (!seen || !stack) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    m->nodes[m->count++] = own;
    for (size_t i = 0, tries = 0; i < n && m->count < 64 && tries * n <= MOST_STEPS; i++) {
        const uc_tf_node_control *other = &m->frames->nodes[i];
        if ((int32_t)i == own || other->op != UC_TF_MERGE) continue;
        if (!same_edge(other->condition, m->first->condition)) continue;
        if (!same_scope(c->node->name, s->body->nodes[i].name)) continue;
        tries++;
        if (uc_tf_have(s, (uc_tf_edge){(int32_t)i, 0})) continue;
        if (depends(s, own, (int32_t)i, seen, stack) || depends(s, (int32_t)i, own, seen, stack)) {
            continue;
        }
        m->nodes[m->count++] = (int32_t)i;
    }
    return !c->graph->status;
}

static uc_ref index_const(uc_graph *g, int v)
{
    return uc_g_cast(g, uc_graph_i64(g, v), UNCORK_INT32);
}

void uc_tf_op_merge(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const uc_tf_node_control *own = control_at(c);
    merges m = {.scope = c->scope, .frames = uc_tf_frames_of(c->scope), .first = own};
    bool truth;
    uc_tf_edge e;
    if (!own || own->op != UC_TF_MERGE || own->condition.node < 0) {
        uc_tf_fail(c, "no condition decides which of its inputs there is");
        return;
    }
    if (known_condition(c->scope, own->condition, &truth)) {
        const int side = truth ? own->on_true : 1 - own->on_true;
        const uc_tf_value *v =
            uc_tf_input_edge(c->scope, c->node, (size_t)side, &e) ? uc_tf_have(c->scope, e) : NULL;
        if (!v) return;
        uc_tf_out_value(c, 0, *v);
        uc_tf_out(c, 1, index_const(g, side));
        return;
    }
    const uc_tf_value *condition = uc_tf_have(c->scope, own->condition);
    if (!condition || !gather(c, &m)) return;
    uc_tf_value results[64];
    const uc_ref yes = uc_tf_scalar_of(c->build, condition);
    const uc_tf_branches branches = {.context = &m, .count = m.count, .emit = emit_branch};
    if (!uc_tf_if_emit(c, yes, &branches, results)) return;
    for (size_t i = 0; i < m.count && !g->status; i++) {
        const uc_tf_node_control *k = &m.frames->nodes[m.nodes[i]];
        uc_tf_call each = *c;
        each.node = &c->scope->body->nodes[m.nodes[i]];
        uc_tf_out_value(&each, 0, results[i]);
        uc_tf_out(&each, 1,
                  uc_g_where(g, yes, index_const(g, k->on_true), index_const(g, 1 - k->on_true)));
    }
}

/* ---- loops ----------------------------------------------------------------------------------- */

typedef struct ring {
    uc_tf_scope *scope;
    const uc_tf_frames *frames;
    const uc_tf_frame *frame;
    int32_t number;
} ring;

/* A scope over an iteration whose variables are `in`. */
static uc_tf_scope *iteration(const ring *l, uc_tf_region *r, const uc_tf_value *in)
{
    uc_tf_inside *inside = UC_NEW(l->scope->build->session->arena, uc_tf_inside, 1);
    if (!inside) return NULL;
    *inside = (uc_tf_inside){.outer = l->scope, .region = r, .frame = l->number};
    uc_tf_scope *s = uc_tf_scope_inside(r->inner, inside);
    for (size_t i = 0; s && i < l->frames->body->node_count; i++) {
        const uc_tf_node_control *c = &l->frames->nodes[i];
        if (c->frame != l->number || c->variable < 0 || c->op == UC_TF_EXIT) continue;
        uc_tf_scope_set(s, &s->body->nodes[i], 0, in[c->variable]);
        uc_tf_scope_set(s, &s->body->nodes[i], 1, in[c->variable]);
    }
    return s;
}

static bool emit_body(void *context, uc_tf_region *r, const uc_tf_value *in, uc_tf_value *out)
{
    const ring *l = context;
    uc_tf_scope *s = iteration(l, r, in);
    for (size_t i = 0; s && i < l->frame->count && !r->inner->graph->status; i++) {
        uc_tf_edge e;
        if (uc_tf_input_edge(s, &s->body->nodes[l->frame->variables[i].next], 0, &e)) {
            out[i] = *uc_tf_demand(s, e);
        }
    }
    return s && !r->inner->graph->status;
}

static uc_ref emit_condition(void *context, uc_tf_region *r, const uc_tf_value *in)
{
    const ring *l = context;
    uc_tf_scope *s = iteration(l, r, in);
    return s ? uc_tf_scalar_of(r->inner, uc_tf_demand(s, l->frame->condition)) : 0;
}

/* NextIteration's value is the loop's variable itself. */
static bool passes(const ring *l, size_t i)
{
    int32_t node = l->frame->variables[i].next;
    for (int hops = 0; hops < 64 && node >= 0; hops++) {
        const uc_tf_node *n = &l->frames->body->nodes[node];
        const uc_tf_node_control *c = &l->frames->nodes[node];
        uc_tf_edge e;
        if (c->frame == l->number && c->op == UC_TF_SWITCH) return c->variable == (int32_t)i;
        if (hops && !uc_str_is(n->op, "Identity")) return false;
        if (n->input_count == 0 || !uc_tf_input_edge(l->scope, n, 0, &e)) return false;
        node = e.node;
    }
    return false;
}

void uc_tf_op_exit(uc_tf_call *c)
{
    uc_arena *arena = c->graph->arena;
    const uc_tf_node_control *own = control_at(c);
    ring l = {.scope = c->scope, .frames = uc_tf_frames_of(c->scope)};
    if (!own || own->op != UC_TF_EXIT || own->frame < 0 || own->variable < 0 ||
        l.frames->frames[own->frame].condition.node < 0) {
        uc_tf_fail(c, "no loop ends here");
        return;
    }
    l.number = own->frame;
    l.frame = &l.frames->frames[own->frame];
    const size_t n = l.frame->count;
    uc_tf_value *init = UC_NEW(arena, uc_tf_value, n), *results = UC_NEW(arena, uc_tf_value, n);
    bool *fixed = UC_NEW(arena, bool, n);
    if (!init || !results || !fixed) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uc_tf_edge e;
        const uc_tf_node *enter = &c->scope->body->nodes[l.frame->variables[i].enter];
        const uc_tf_value *v =
            uc_tf_input_edge(c->scope, enter, 0, &e) ? uc_tf_have(c->scope, e) : NULL;
        if (!v) return;
        init[i] = *v;
        fixed[i] = passes(&l, i);
    }
    const uc_tf_loop_source source = {.context = &l,
                                      .count = n,
                                      .init = init,
                                      .fixed = fixed,
                                      .body = emit_body,
                                      .condition = emit_condition};
    if (!uc_tf_loop_emit(c, &source, results)) return;
    for (size_t i = 0; i < l.frames->body->node_count; i++) {
        const uc_tf_node_control *k = &l.frames->nodes[i];
        uc_tf_call each = *c;
        each.node = &c->scope->body->nodes[i];
        if (k->op == UC_TF_EXIT && k->frame == l.number && k->variable >= 0) {
            uc_tf_out_value(&each, 0, results[k->variable]);
        }
    }
}
