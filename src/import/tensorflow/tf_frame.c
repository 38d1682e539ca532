/* Finds conditions and loops among the nodes of TensorFlow 1's control flow.
 *
 * A node is alive when its inputs are; a Switch gives its value to one side. So each node has a guard: the
 * conditions above it. A Merge joins two guards that differ in one condition: that one decides. A loop is a
 * frame: its variables enter (Enter), meet what the last iteration gave (Merge with NextIteration), and leave
 * (Exit) when LoopCond is false.
 *
 * Source: White paper "Implementation of Control Flow in TensorFlow" (2017). */
#include "import/tensorflow/tf_frame.h"

enum { MAX_GUARDS = 512 };

static bool same_edge(uc_tf_edge a, uc_tf_edge b)
{
    return a.node == b.node && a.output == b.output;
}

bool uc_tf_guarded(const uc_tf_guard *g, uc_tf_edge condition, bool branch)
{
    for (; g; g = g->outer) {
        if (same_edge(g->condition, condition) && g->branch == branch) return true;
    }
    return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct finder {
    uc_tf_scope *scope;
    uc_tf_frames *found;
    int32_t *stack;
    size_t depth;
} finder;

static bool no_memory(finder *f)
{
    uc_graph_fail(f->scope->build->graph, UNCORK_NO_MEMORY, "memory is out");
    return false;
}

static uc_tf_node_control *control(const finder *f, int32_t node) { return &f->found->nodes[node]; }

/* Input i, the control inputs last; node < 0: an argument. Names alone: inputs may not be there. */
static uc_tf_edge edge_of(const finder *f, const uc_tf_node *node, size_t i)
{
    uc_tf_edge edge = {-1, 0};
    uc_str text = node->inputs[i];
    if (text.size && text.data[0] == '^') text = (uc_str){text.data + 1, text.size - 1};
    const char *colon = text.size ? memchr(text.data, ':', text.size) : NULL;
    const uc_str name = {text.data, colon ? (size_t)(colon - text.data) : text.size};
    const uc_tf_node *from = uc_tf_body_find(f->found->body, name);
    if (!from) return edge;
    edge.node = (int32_t)(from - f->found->body->nodes);
    if (!colon) return edge;
    const uc_str rest = {colon + 1, text.size - name.size - 1};
    const bool yes = (rest.size == 1 && rest.data[0] == '1') ||
                     (rest.size >= 11 && memcmp(rest.data, "output_true", 11) == 0);
    edge.output = yes;
    return edge;
}

/* A condition itself, through the Identities that a tf.cond and its branches give it. */
static uc_tf_edge condition_of(const finder *f, uc_tf_edge e)
{
    for (int hops = 0; hops < 64 && e.node >= 0; hops++) {
        const uc_tf_node *node = &f->found->body->nodes[e.node];
        if (!uc_str_is(node->op, "Identity") || node->input_count == 0) break;
        const uc_tf_edge from = edge_of(f, node, 0);
        if (from.node < 0) break;
        e = from;
    }
    return e;
}

static uc_tf_control_op op_of(const finder *f, const uc_tf_node *node)
{
    if (uc_str_is(node->op, "Switch") || uc_str_is(node->op, "RefSwitch")) {
        return node->input_count == 2 ? UC_TF_SWITCH : UC_TF_PLAIN;
    }
    if (uc_str_is(node->op, "Exit") || uc_str_is(node->op, "RefExit")) {
        return node->input_count == 1 ? UC_TF_EXIT : UC_TF_PLAIN;
    }
    if (uc_str_is(node->op, "Enter") || uc_str_is(node->op, "RefEnter")) {
        return node->input_count == 1 ? UC_TF_ENTER : UC_TF_PLAIN;
    }
    if (!uc_str_is(node->op, "Merge") && !uc_str_is(node->op, "RefMerge")) return UC_TF_PLAIN;
    if (node->input_count != 2) return UC_TF_PLAIN;
    for (size_t i = 0; i < 2; i++) {
        const uc_tf_edge e = edge_of(f, node, i);
        if (e.node < 0) continue;
        const uc_str op = f->found->body->nodes[e.node].op;
        if (uc_str_is(op, "NextIteration") || uc_str_is(op, "RefNextIteration")) {
            return UC_TF_LOOP_MERGE;
        }
    }
    return UC_TF_MERGE;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static const uc_tf_guard *with(finder *f, const uc_tf_guard *outer, uc_tf_edge condition,
                               bool branch)
{
    if (uc_tf_guarded(outer, condition, branch)) return outer;
    if (outer && outer->depth >= MAX_GUARDS) {
        uc_graph_fail(f->scope->build->graph, UNCORK_LIMIT, "conditions within conditions, %d deep",
                      (int)MAX_GUARDS);
        return outer;
    }
    uc_tf_guard *g = UC_NEW(f->scope->build->session->arena, uc_tf_guard, 1);
    if (!g) {
        no_memory(f);
        return outer;
    }
    *g = (uc_tf_guard){condition, branch, outer ? outer->depth + 1 : 1, outer};
    return g;
}

static const uc_tf_guard *both(finder *f, const uc_tf_guard *a, const uc_tf_guard *b)
{
    if (a == b || !b) return a;
    if (!a) return b;
    if (b->depth > a->depth) {
        const uc_tf_guard *t = a;
        a = b;
        b = t;
    }
    for (; b; b = b->outer) {
        a = with(f, a, b->condition, b->branch);
    }
    return a;
}

static const uc_tf_guard *without(finder *f, const uc_tf_guard *g, uc_tf_edge condition)
{
    if (!g) return NULL;
    if (same_edge(g->condition, condition)) return g->outer;
    return with(f, without(f, g->outer, condition), g->condition, g->branch);
}

static const uc_tf_guard *guard_of_edge(finder *f, uc_tf_edge e)
{
    if (e.node < 0) return NULL;
    const uc_tf_node_control *from = control(f, e.node);
    if (from->op != UC_TF_SWITCH || from->frame >= 0) return from->guard;
    return with(f, from->guard, from->condition, e.output != 0);
}

static void finish_merge(finder *f, const uc_tf_node *node, uc_tf_node_control *c)
{
    const uc_tf_guard *g[2] = {guard_of_edge(f, edge_of(f, node, 0)),
                               guard_of_edge(f, edge_of(f, node, 1))};
    c->condition = (uc_tf_edge){-1, 0};
    for (const uc_tf_guard *a = g[0]; a; a = a->outer) {
        if (!uc_tf_guarded(g[1], a->condition, !a->branch)) continue;
        c->condition = a->condition;
        c->on_true = a->branch ? 0 : 1;
        c->guard = without(f, g[0], a->condition);
        return;
    }
    c->guard = both(f, g[0], g[1]);
}

/* What `node` is, once that is known of all that it takes. */
static void finish(finder *f, int32_t i)
{
    const uc_tf_node *node = &f->found->body->nodes[i];
    uc_tf_node_control *c = control(f, i);
    if (c->op == UC_TF_MERGE) {
        finish_merge(f, node, c);
        return;
    }
    if (c->op == UC_TF_SWITCH) {
        c->condition = condition_of(f, edge_of(f, node, 1));
        const uc_tf_edge data = edge_of(f, node, 0);
        const bool loops = c->condition.node >= 0 &&
                           uc_str_is(f->found->body->nodes[c->condition.node].op, "LoopCond");
        if (loops && data.node >= 0 && control(f, data.node)->op == UC_TF_LOOP_MERGE) {
            c->frame = control(f, data.node)->frame;
            c->variable = control(f, data.node)->variable;
            if (c->frame >= 0) f->found->frames[c->frame].condition = c->condition;
        }
    }
    if (c->op == UC_TF_EXIT) {
        const uc_tf_edge e = edge_of(f, node, 0);
        if (e.node >= 0 && control(f, e.node)->op == UC_TF_SWITCH) {
            c->frame = control(f, e.node)->frame;
            c->variable = control(f, e.node)->variable;
        }
    }
    for (size_t k = 0; k < node->input_count + node->control_count; k++) {
        const uc_tf_edge e = edge_of(f, node, k);
        const bool back = c->op == UC_TF_LOOP_MERGE && k < 2 && e.node >= 0 &&
                          control(f, e.node)->op != UC_TF_ENTER;
        if (!back) c->guard = both(f, c->guard, guard_of_edge(f, e));
    }
}

/* All nodes, what they take first. Explicit: a graph may be deep. */
static bool visit(finder *f, int32_t root)
{
    const uc_tf_body *body = f->found->body;
    f->depth = 0;
    f->stack[f->depth++] = root;
    while (f->depth && !f->scope->build->graph->status) {
        const int32_t i = f->stack[f->depth - 1];
        const uc_tf_node *node = &body->nodes[i];
        uc_tf_node_control *c = control(f, i);
        if (c->done || c->seen) {
            if (!c->done) finish(f, i);
            c->done = true;
            f->depth--;
            continue;
        }
        c->seen = true;
        for (size_t k = 0; k < node->input_count + node->control_count; k++) {
            const uc_tf_edge e = edge_of(f, node, k);
            const bool back =
                c->op == UC_TF_LOOP_MERGE && e.node >= 0 && control(f, e.node)->op != UC_TF_ENTER;
            if (e.node < 0 || back || control(f, e.node)->seen) continue;
            f->stack[f->depth++] = e.node;
        }
    }
    return !f->scope->build->graph->status;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static int32_t frame_named(finder *f, uc_str name)
{
    uc_tf_frames *all = f->found;
    for (size_t i = 0; i < all->frame_count; i++) {
        if (uc_str_equal(all->frames[i].name, name)) return (int32_t)i;
    }
    uc_tf_frame *frames = uc_arena_grow(f->scope->build->session->arena, all->frames,
                                        &all->frame_capacity, all->frame_count + 1, sizeof *frames);
    if (!frames) {
        no_memory(f);
        return -1;
    }
    all->frames = frames;
    frames[all->frame_count] = (uc_tf_frame){.name = name, .condition = {-1, 0}};
    return (int32_t)all->frame_count++;
}

static uc_str frame_name(finder *f, const uc_tf_node *node)
{
    uc_tf_call c = {
        .build = f->scope->build, .graph = f->scope->build->graph, .scope = f->scope, .node = node};
    return uc_tf_str(&c, "frame_name");
}

static bool add_variable(finder *f, int32_t merge)
{
    const uc_tf_node *node = &f->found->body->nodes[merge];
    uc_tf_edge enter = edge_of(f, node, 0), next = edge_of(f, node, 1);
    if (enter.node >= 0 && control(f, enter.node)->op != UC_TF_ENTER) {
        const uc_tf_edge t = enter;
        enter = next;
        next = t;
    }
    if (enter.node < 0 || next.node < 0 || control(f, enter.node)->op != UC_TF_ENTER) {
        uc_graph_fail(f->scope->build->graph, UNCORK_UNSUPPORTED,
                      "the loop at node '%.*s' has no beginning",
                      node->name.size < 120 ? (int)node->name.size : 120, node->name.data);
        return false;
    }
    const int32_t at = control(f, enter.node)->frame;
    if (at < 0) return false;
    uc_tf_frame *frame = &f->found->frames[at];
    uc_tf_frame_variable *variables =
        uc_arena_grow(f->scope->build->session->arena, frame->variables, &frame->capacity,
                      frame->count + 1, sizeof *variables);
    if (!variables) return no_memory(f);
    frame->variables = variables;
    control(f, merge)->frame = at;
    control(f, merge)->variable = (int32_t)frame->count;
    variables[frame->count++] = (uc_tf_frame_variable){enter.node, merge, next.node};
    return true;
}

static bool find_all(finder *f)
{
    const size_t n = f->found->body->node_count;
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        uc_tf_node_control *c = control(f, (int32_t)i);
        c->op = op_of(f, &f->found->body->nodes[i]);
        c->frame = c->variable = -1;
        any = any || c->op != UC_TF_PLAIN;
        if (c->op == UC_TF_ENTER)
            c->frame = frame_named(f, frame_name(f, &f->found->body->nodes[i]));
    }
    for (size_t i = 0; i < n; i++) {
        if (control(f, (int32_t)i)->op == UC_TF_LOOP_MERGE && !add_variable(f, (int32_t)i)) {
            return false;
        }
    }
    for (size_t i = 0; any && i < n; i++) {
        if (!control(f, (int32_t)i)->done && !visit(f, (int32_t)i)) return false;
    }
    if (!any) f->found->nodes = NULL;
    return true;
}

/* Every node is pushed once for each of its users at most. */
static size_t stack_size(const uc_tf_body *body)
{
    size_t n = body->node_count + 1;
    for (size_t i = 0; i < body->node_count; i++) {
        n += body->nodes[i].input_count + body->nodes[i].control_count;
    }
    return n;
}

const uc_tf_frames *uc_tf_frames_of(uc_tf_scope *s)
{
    uc_tf_session *session = s->build->session;
    const uc_str key = s->body->name.size ? s->body->name : uc_str_of("\n");
    if (!session->frames) session->frames = uc_table_new(session->arena);
    uc_tf_frames *found = session->frames ? uc_table_find(session->frames, key) : NULL;
    if (found) return found->nodes ? found : NULL;
    found = UC_NEW(session->arena, uc_tf_frames, 1);
    finder f = {.scope = s, .found = found};
    f.stack = UC_NEW(session->arena, int32_t, stack_size(s->body));
    if (found) *found = (uc_tf_frames){.body = s->body};
    if (found) found->nodes = UC_NEW(session->arena, uc_tf_node_control, s->body->node_count);
    if (!session->frames || !found || !f.stack || !found->nodes ||
        !uc_table_put(session->frames, key, found)) {
        no_memory(&f);
        return NULL;
    }
    return find_all(&f) && found->nodes ? found : NULL;
}
