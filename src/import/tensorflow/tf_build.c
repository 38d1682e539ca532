/* The wanted outputs, followed backwards: what a node takes is made before it, in the order of an explicit
 * list, so that no graph is too deep. A node that calls a function makes a scope for it; arguments are looked
 * up where the call stands, so that only what an output needs is ever emitted. Control inputs are not
 * followed. */
#include "import/tensorflow/tf_frame.h"
#include "import/tensorflow/tf_scope.h"

#include <inttypes.h>

enum { MAX_OUTPUT = 1 << 16 };

/* Nodes that the functions of a model may expand to. */
#define MADE_NODES ((size_t)1 << 20)

/* ---- session and builds ---------------------------------------------------------------------- */

uc_tf_session *uc_tf_session_open(const uc_tf_file *file, uc_graph *g)
{
    uc_tf_session *s = UC_NEW(g->arena, uc_tf_session, 1);
    if (s) *s = (uc_tf_session){.file = file, .graph = g, .arena = g->arena};
    if (s) s->bodies = uc_table_new(g->arena);
    if (s && s->bodies) return s;
    uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    return NULL;
}

void uc_tf_session_close(uc_tf_session *s)
{
    if (s->init) uc_arena_free(s->init->look.infer.scratch);
}

bool uc_tf_build_open(uc_tf_build *b, uc_tf_session *session, uc_graph *g, uc_findings *findings,
                      int depth)
{
    *b = (uc_tf_build){.session = session, .graph = g, .findings = findings, .depth = depth};
    uc_arena *known = uc_arena_new(g->budget), *scratch = uc_arena_new(g->budget);
    uc_look_open(&b->look, g, g->budget, known, scratch);
    if (known && scratch) return true;
    uc_tf_build_close(b);
    uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    return false;
}

void uc_tf_build_close(uc_tf_build *b)
{
    uc_arena_free(b->look.infer.arena);
    uc_arena_free(b->look.infer.scratch);
}

const uc_tf_body *uc_tf_session_body(uc_tf_build *b, uc_str name)
{
    uc_tf_session *s = b->session;
    uc_tf_body *body = uc_table_find(s->bodies, name);
    if (body) return body;
    const uc_tf_function *f = uc_tf_function_find(&s->file->graph, name);
    if (!f) {
        uc_graph_fail(b->graph, UNCORK_MALFORMED, "there is no function '%.*s'",
                      name.size < 120 ? (int)name.size : 120, name.data);
        return NULL;
    }
    const uncork_status status = uc_tf_body_read(f, s->arena, &body, b->graph->error);
    if (!status && uc_table_put(s->bodies, f->name, body)) return body;
    uc_graph_fail(b->graph, status ? status : UNCORK_NO_MEMORY, "a function can't be read");
    return NULL;
}

/* ---- scopes ---------------------------------------------------------------------------------- */

uc_tf_scope *uc_tf_scope_new(uc_tf_build *b, const uc_tf_body *body, int depth)
{
    uc_arena *arena = b->session->arena;
    if (depth > UC_TF_DEPTH) {
        uc_graph_fail(b->graph, UNCORK_LIMIT, "functions call each other more than %d deep",
                      (int)UC_TF_DEPTH);
        return NULL;
    }
    if (uc_budget_nodes(b->graph->budget, body->node_count, "a function's nodes",
                        b->graph->error)) {
        uc_graph_fail(b->graph, UNCORK_LIMIT, "the functions expand to too many nodes");
        return NULL;
    }
    uc_tf_scope *s = UC_NEW(arena, uc_tf_scope, 1);
    if (s) *s = (uc_tf_scope){.build = b, .body = body, .depth = depth};
    if (s) s->nodes = UC_NEW(arena, uc_tf_node_state, body->node_count);
    if (s && s->nodes) return s;
    uc_graph_fail(b->graph, UNCORK_NO_MEMORY, "memory is out");
    return NULL;
}

static uc_tf_node_state *state_of(const uc_tf_scope *s, const uc_tf_node *node)
{
    return &s->nodes[node - s->body->nodes];
}

const uc_tf_value *uc_tf_have(const uc_tf_scope *s, uc_tf_edge e)
{
    while (e.node < 0) {
        const size_t i = (size_t)(-1 - e.node);
        if (!s->parent) return &s->args[i];
        e = state_of(s->parent, s->call)->edges[i];
        s = s->parent;
    }
    const uc_tf_node_state *state = &s->nodes[e.node];
    return (size_t)e.output < state->count && state->values[e.output].kind
               ? &state->values[e.output]
               : NULL;
}

static void set_value(uc_tf_scope *s, const uc_tf_node *node, size_t i, uc_tf_value value)
{
    uc_tf_node_state *state = state_of(s, node);
    if (i >= MAX_OUTPUT) {
        uc_graph_fail(s->build->graph, UNCORK_LIMIT, "output %zu of a node", i);
        return;
    }
    if (i >= state->count) {
        const size_t before = state->count;
        uc_tf_value *values = uc_arena_grow(s->build->session->arena, state->values,
                                            &state->capacity, i + 1, sizeof *values);
        if (!values) {
            uc_graph_fail(s->build->graph, UNCORK_NO_MEMORY, "memory is out");
            return;
        }
        memset(values + before, 0, (i + 1 - before) * sizeof *values);
        state->values = values;
        state->count = i + 1;
    }
    state->values[i] = value;
}

void uc_tf_out_value(uc_tf_call *c, size_t i, uc_tf_value value)
{
    if (!c->graph->status) set_value(c->scope, c->node, i, value);
}

/* ---- edges ----------------------------------------------------------------------------------- */

static bool malformed(uc_tf_scope *s, const char *what, uc_str name)
{
    uc_graph_fail(s->build->graph, UNCORK_MALFORMED, "%s '%.*s'", what,
                  name.size < 120 ? (int)name.size : 120, name.data);
    return false;
}

static bool number_of(uc_str text, int64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *value > MAX_OUTPUT) return false;
        *value = *value * 10 + (text.data[i] - '0');
    }
    return text.size > 0;
}

/* "node", "node:1", and in functions "argument", "node:output" and "node:output:1". */
bool uc_tf_resolve(uc_tf_scope *s, uc_str text, uc_tf_edge *edge)
{
    const char *colon = text.size ? memchr(text.data, ':', text.size) : NULL;
    const uc_str name = {text.data, colon ? (size_t)(colon - text.data) : text.size};
    int64_t index = 0;
    for (size_t i = 0; s->body->arg_count && i < s->body->arg_count; i++) {
        if (!uc_str_equal(s->body->args[i].name, name)) continue;
        *edge = (uc_tf_edge){-1 - (int32_t)i, 0};
        return true;
    }
    const uc_tf_node *node = uc_tf_body_find(s->body, name);
    if (!node) return malformed(s, "nothing makes", text);
    *edge = (uc_tf_edge){(int32_t)(node - s->body->nodes), 0};
    if (!colon) return true;
    uc_str rest = {colon + 1, text.size - name.size - 1};
    if (!number_of(rest, &index)) {
        colon = memchr(rest.data, ':', rest.size);
        const uc_str output = {rest.data, colon ? (size_t)(colon - rest.data) : rest.size};
        const uc_str place = {colon ? colon + 1 : "0", colon ? rest.size - output.size - 1 : 1};
        if (!number_of(place, &index)) return malformed(s, "no output is called", text);
        index = uc_tf_output_place(s, node, output, index);
        if (index < 0) return malformed(s, "no output is called", text);
    }
    if (index >= MAX_OUTPUT) return malformed(s, "no output is called", text);
    edge->output = (int32_t)index;
    return true;
}

bool uc_tf_resolve_inputs(uc_tf_scope *s, const uc_tf_node *node)
{
    uc_tf_node_state *state = state_of(s, node);
    if (state->edges) return true;
    uc_tf_edge *edges = UC_NEW(s->build->session->arena, uc_tf_edge, node->input_count);
    if (!edges) {
        uc_graph_fail(s->build->graph, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    for (size_t i = 0; i < node->input_count; i++) {
        if (!uc_tf_resolve(s, node->inputs[i], &edges[i])) return false;
    }
    state->edges = edges;
    return true;
}

bool uc_tf_input_edge(uc_tf_scope *s, const uc_tf_node *node, size_t i, uc_tf_edge *edge)
{
    if (i >= node->input_count || !uc_tf_resolve_inputs(s, node)) return false;
    *edge = state_of(s, node)->edges[i];
    return true;
}

void uc_tf_scope_set(uc_tf_scope *s, const uc_tf_node *node, size_t i, uc_tf_value value)
{
    set_value(s, node, i, value);
}

const uc_tf_node *uc_tf_origin(uc_tf_scope **s, const uc_tf_node *node, size_t i, uc_tf_edge *edge)
{
    static const char *const through[] = {"Identity", "StopGradient", "Enter", "Snapshot"};
    for (int steps = 0; steps < 10000; steps++) {
        if (i >= node->input_count || !uc_tf_resolve_inputs(*s, node)) return NULL;
        *edge = state_of(*s, node)->edges[i];
        while (edge->node < 0) {
            if (!(*s)->parent) return NULL;
            *edge = state_of((*s)->parent, (*s)->call)->edges[-1 - edge->node];
            *s = (*s)->parent;
        }
        node = &(*s)->body->nodes[edge->node];
        bool passes = false;
        for (size_t k = 0; k < sizeof through / sizeof through[0]; k++) {
            passes = passes || uc_str_is(node->op, through[k]);
        }
        if (!passes) return node;
        i = 0;
    }
    return NULL;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static const char *const calls[] = {"PartitionedCall", "StatefulPartitionedCall", "BatchFunction",
                                    "TPUPartitionedCall", "XlaLaunch"};

bool uc_tf_is_call(const uc_tf_node *node)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (uc_str_is(node->op, calls[i])) return true;
    }
    return false;
}

uc_str uc_tf_called(const uc_tf_session *session, const uc_tf_node *node)
{
    const uc_str none = {"", 0};
    if (!node->def && !node->row) {
        return uc_tf_function_find(&session->file->graph, node->op) ? node->op : none;
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        uc_bytes value;
        uint64_t offset;
        if (!uc_str_is(node->op, calls[i])) continue;
        if (!uc_tf_attr_find(NULL, node, i == 4 ? "function" : "f", &value, &offset)) return none;
        return uc_tf_attr_func(value);
    }
    return none;
}

uc_tf_scope *uc_tf_enter(uc_tf_scope *s, const uc_tf_node *node, uc_str function)
{
    uc_tf_node_state *state = state_of(s, node);
    if (state->child) return state->child;
    const uc_tf_body *body = uc_tf_session_body(s->build, function);
    if (!body || !uc_tf_resolve_inputs(s, node)) return NULL;
    if (body->arg_count != node->input_count) {
        malformed(s, "as many arguments as it takes aren't given to", function);
        return NULL;
    }
    uc_tf_scope *child = uc_tf_scope_new(s->build, body, s->depth + 1);
    if (!child) return NULL;
    child->parent = child->call_scope = s;
    child->call = node;
    return state->child = child;
}

/* ---- the list of work ------------------------------------------------------------------------ */

typedef struct frame {
    uc_tf_scope *scope;
    uc_tf_edge edge;
    bool entered; /* what it needs has been put on the list */
} frame;

typedef struct work {
    uc_tf_build *build;
    frame *frames;
    size_t count, capacity;
} work;

static bool push(work *w, uc_tf_scope *scope, uc_tf_edge edge)
{
    frame *frames = uc_arena_grow(w->build->session->arena, w->frames, &w->capacity, w->count + 1,
                                  sizeof *frames);
    if (!frames) {
        uc_graph_fail(w->build->graph, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    w->frames = frames;
    frames[w->count++] = (frame){scope, edge, false};
    return true;
}

static void say_where(uc_tf_scope *s, const uc_tf_node *n)
{
    uc_graph *g = s->build->graph;
    g->where = uc_arena_printf(g->arena, "node '%.*s' (%.*s)",
                               n->name.size < 120 ? (int)n->name.size : 120, n->name.data,
                               n->op.size < 60 ? (int)n->op.size : 60, n->op.data);
}

static bool begin(uc_tf_scope *s, const uc_tf_node *node, bool *entered)
{
    uc_tf_node_state *state = state_of(s, node);
    if (state->busy) {
        say_where(s, node);
        return malformed(s, "the graph has a cycle through", node->name);
    }
    return state->busy = *entered = true;
}

static void emit(uc_tf_scope *s, const uc_tf_node *node, int32_t output)
{
    uc_graph *g = s->build->graph;
    uc_tf_session *session = s->build->session;
    uc_tf_node_state *state = state_of(s, node);
    uc_tf_call c = {.build = s->build, .graph = g, .scope = s, .node = node};
    say_where(s, node);
    if (++session->made > MADE_NODES || uc_budget_check(g->budget, g->error)) {
        uc_graph_fail(g, UNCORK_LIMIT, "the functions expand to more than %zu nodes", MADE_NODES);
    } else if (!node->row) {
        const char *lacking = uc_tf_reach_lacking(&session->file->graph, session->entry,
                                                  session->bodies, session->arena);
        uc_tf_fail(&c, "the model uses operators that aren't supported: %s",
                   lacking ? lacking : "this one");
    } else if (!node->row->emit) {
        uc_tf_fail(&c, "%s", node->row->why);
    } else {
        node->row->emit(&c);
        uc_tf_assert_before(&c);
    }
    state->busy = false;
    if (g->status) return;
    if ((size_t)output >= state->count || !state->values[output].kind)
        uc_tf_fail(&c, "its output %d", (int)output);
}

static void step_call(work *w, size_t at, const uc_tf_node *node, uc_str function)
{
    uc_tf_scope *s = w->frames[at].scope;
    const int32_t output = w->frames[at].edge.output;
    uc_tf_edge ret;
    uc_tf_scope *child = uc_tf_enter(s, node, function);
    if (!child) return;
    if ((size_t)output >= child->body->ret_count) {
        malformed(s, "there is no such output of", node->name);
        return;
    }
    if (!uc_tf_resolve(child, child->body->rets[output].from, &ret)) return;
    const uc_tf_value *value = uc_tf_have(child, ret);
    if (value) {
        set_value(s, node, (size_t)output, *value);
        state_of(s, node)->busy = false;
        w->count--;
        return;
    }
    if (begin(s, node, &w->frames[at].entered)) push(w, child, ret);
}

/* A node of TensorFlow 1's control flow: what it takes first, then it. False: another node. */
static bool step_control(work *w, size_t at, const uc_tf_node *node)
{
    enum { MOST = 64 };
    uc_tf_scope *s = w->frames[at].scope;
    uc_tf_edge edges[MOST];
    const size_t count = uc_tf_frame_needs(s, node, edges, MOST);
    if (count == SIZE_MAX) return false;
    if (!w->frames[at].entered && !begin(s, node, &w->frames[at].entered)) return true;
    for (size_t i = 0; i < count; i++) {
        if (!push(w, s, edges[i])) return true;
    }
    if (count == 0) {
        emit(s, node, w->frames[at].edge.output);
        w->count--;
    }
    return true;
}

static void step_node(work *w, size_t at, const uc_tf_node *node)
{
    uc_tf_scope *s = w->frames[at].scope;
    if (step_control(w, at, node)) return;
    if (w->frames[at].entered) {
        emit(s, node, w->frames[at].edge.output);
        w->count--;
        return;
    }
    if (!begin(s, node, &w->frames[at].entered)) return;
    if (!node->row || !node->row->emit) return; /* refused before what it takes is */
    if (!uc_tf_resolve_inputs(s, node)) return;
    const uc_tf_edge *edges = state_of(s, node)->edges;
    for (size_t i = node->input_count; i-- > 0;) {
        if (!uc_tf_have(s, edges[i]) && !push(w, s, edges[i])) return;
    }
}

static void step(work *w)
{
    const size_t at = w->count - 1;
    frame *f = &w->frames[at];
    if (uc_tf_have(f->scope, f->edge)) {
        if (f->edge.node >= 0 && f->entered) f->scope->nodes[f->edge.node].busy = false;
        w->count--;
        return;
    }
    while (f->edge.node < 0) {
        const size_t i = (size_t)(-1 - f->edge.node);
        f->edge = state_of(f->scope->parent, f->scope->call)->edges[i];
        f->scope = f->scope->parent;
    }
    const uc_tf_node *node = &f->scope->body->nodes[f->edge.node];
    uc_tf_edge from;
    if (f->scope->inside && uc_tf_frame_outside(f->scope, f->edge, &from)) {
        set_value(f->scope, node, (size_t)f->edge.output, uc_tf_frame_take(f->scope, from));
        w->count--;
        return;
    }
    const uc_str function = uc_tf_called(w->build->session, node);
    if (function.size)
        step_call(w, at, node, function);
    else
        step_node(w, at, node);
}

const uc_tf_value *uc_tf_demand(uc_tf_scope *s, uc_tf_edge edge)
{
    static const uc_tf_value nothing = {.kind = UC_TF_NOTHING};
    work w = {.build = s->build};
    push(&w, s, edge);
    while (w.count && !s->build->graph->status) {
        step(&w);
    }
    const uc_tf_value *v = s->build->graph->status ? NULL : uc_tf_have(s, edge);
    return v ? v : &nothing;
}

/* ---- functions as bodies --------------------------------------------------------------------- */

bool uc_tf_build_body(uc_tf_call *c, uc_tf_build *body)
{
    uc_graph *outer = c->graph;
    if (c->build->depth >= UC_TF_BODY_DEPTH) {
        uc_graph_fail(outer, UNCORK_LIMIT, "bodies of If and While are nested too deep");
        return false;
    }
    uc_graph *g = uc_graph_new(outer->arena, outer->budget, outer->error);
    if (!g) {
        uc_graph_fail(outer, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    g->where = outer->where;
    return uc_tf_build_open(body, c->build->session, g, c->build->findings, c->build->depth + 1);
}

bool uc_tf_emit_function(uc_tf_call *c, uc_tf_build *b, uc_str name, const uc_tf_value *args,
                         size_t arg_count, uc_tf_value *outs, size_t out_count)
{
    uc_graph *g = b->graph;
    const uc_tf_body *body = uc_tf_session_body(b, name);
    uc_tf_scope *s = body ? uc_tf_scope_new(b, body, c->scope->depth + 1) : NULL;
    if (s && (body->arg_count != arg_count || body->ret_count < out_count))
        malformed(s, "the arguments or outputs aren't as many as those of", name);
    if (s && !g->status) {
        s->args = args;
        s->call = c->node;
        s->call_scope = c->scope;
    }
    for (size_t i = 0; s && i < out_count && !g->status; i++) {
        uc_tf_edge edge;
        if (uc_tf_resolve(s, body->rets[i].from, &edge)) outs[i] = *uc_tf_demand(s, edge);
    }
    if (g->status && g != c->graph)
        uc_graph_fail(c->graph, g->status, "a function of %.*s", (int)c->node->op.size,
                      c->node->op.data);
    return !g->status;
}

/* Arguments of the body are taken at once: they aren't looked up where its call stands. */
uc_tf_scope *uc_tf_scope_inside(uc_tf_build *b, const uc_tf_inside *inside)
{
    uc_tf_scope *outer = inside->outer;
    uc_tf_scope *s = uc_tf_scope_new(b, outer->body, outer->depth + 1);
    const size_t count = outer->body->arg_count;
    uc_tf_value *args = s ? UC_NEW(b->session->arena, uc_tf_value, count) : NULL;
    if (!args) return NULL;
    s->inside = inside;
    s->call = outer->call;
    s->call_scope = outer->call_scope;
    s->args = args;
    for (size_t i = 0; i < count && !b->graph->status; i++) {
        args[i] = uc_tf_frame_take(s, (uc_tf_edge){-1 - (int32_t)i, 0});
    }
    return s;
}

/* ---- the entry ------------------------------------------------------------------------------- */

static void declare(uc_tf_scope *s, const uc_tf_port *port)
{
    uc_graph *g = s->build->graph;
    uc_tf_edge edge;
    const uc_tensor *fallback = NULL;
    if (!uc_tf_resolve(s, port->tensor, &edge)) return;
    const uc_tf_node *node = &s->body->nodes[edge.node];
    /* A placeholder knows its type better than a signature made by hand. */
    const int64_t own = uc_tf_node_type(node, "dtype");
    const int64_t type = own && uc_str_is(node->op, "Placeholder") ? own : port->type;
    const uncork_dtype dtype = uc_tf_dtype(type);
    if (!dtype) {
        uc_graph_fail(g, UNCORK_UNSUPPORTED, "input '%.100s' is no tensor (DataType %" PRId64 ")",
                      port->name, type);
        return;
    }
    /* TensorFlow takes other shapes than a signature declares; [1] is what people write for "a number". */
    const bool any = dtype != UNCORK_STRING && port->rank == 1 && port->dims[0] == 1;
    const uc_ref ref = uc_graph_input(g, port->name, dtype, any ? -1 : port->rank, port->dims);
    if (port->fallback.data) {
        const uncork_status status =
            uc_tf_tensor_make(port->fallback, port->fallback_at, g->arena, &fallback, g->error);
        if (status) uc_graph_fail(g, status, "the default of an input is broken");
        if (fallback && fallback->dtype == dtype) uc_graph_input_optional(g, ref, fallback);
    }
    set_value(s, node, (size_t)edge.output, (uc_tf_value){.kind = UC_TF_TENSOR, .ref = ref});
}

static uc_tf_value bound_value(uc_tf_call *c, const uc_tf_bound *bound)
{
    const uc_tf_file *f = c->build->session->file;
    uc_graph *g = c->graph;
    uc_tf_edge edge;
    const uc_tf_value nothing = {.kind = UC_TF_NOTHING};
    if (!bound->key.size) {
        return uc_tf_resolve(c->scope, bound->node, &edge) ? *uc_tf_demand(c->scope, edge)
                                                           : nothing;
    }
    uc_tf_variable *v = UC_NEW(c->build->session->arena, uc_tf_variable, 1);
    if (!v) return nothing;
    *v = (uc_tf_variable){.node = c->node, .name = bound->key};
    uncork_status status = f->no_checkpoint.status;
    if (status) {
        uc_graph_fail(g, status, "%s", f->no_checkpoint.what);
        return nothing;
    }
    status = uc_tf_checkpoint_tensor(&f->checkpoint, bound->key, (uc_str){"", 0},
                                     c->build->session->arena, &v->tensor, g->error);
    if (status) uc_graph_fail(g, status, "a variable can't be read");
    return (uc_tf_value){.kind = UC_TF_VARIABLE, .payload = v};
}

/* A function of the object graph: the inputs, then what it has captured. */
static void emit_function_entry(uc_tf_build *b, uc_tf_scope *s, const uc_tf_entry *e)
{
    static const uc_tf_node node = {.name = {"", 0}, .op = {"the entry", 9}};
    uc_graph *g = b->graph;
    uc_arena *arena = b->session->arena;
    const size_t count = e->input_count + e->bound_count;
    uc_tf_value *args = UC_NEW(arena, uc_tf_value, count);
    uc_tf_value *outs = UC_NEW(arena, uc_tf_value, e->output_count);
    uc_tf_call c = {.build = b, .graph = g, .scope = s, .node = &node};
    if (!args || !outs) return;
    for (size_t i = 0; i < e->input_count && !g->status; i++) {
        const uc_tf_port *p = &e->inputs[i];
        const uncork_dtype dtype = uc_tf_dtype(p->type);
        if (!dtype) uc_tf_fail(&c, "input '%.100s' is no tensor", p->name);
        args[i] = (uc_tf_value){.kind = UC_TF_TENSOR,
                                .ref = uc_graph_input(g, p->name, dtype, p->rank, p->dims)};
    }
    for (size_t i = 0; i < e->bound_count && !g->status; i++) {
        args[e->input_count + i] = bound_value(&c, &e->bound[i]);
    }
    if (g->status || !uc_tf_emit_function(&c, b, e->function, args, count, outs, e->output_count))
        return;
    for (size_t i = 0; i < e->output_count && !g->status; i++) {
        const uc_ref ref = uc_tf_plain(b, &outs[i]);
        if (!ref) uc_tf_fail(&c, "output '%.100s' is no tensor", e->outputs[i].name);
        if (!g->status) uc_graph_output(g, e->outputs[i].name, uc_g1(g, "Identity", ref));
    }
}

void uc_tf_emit_entry(uc_tf_build *b, const uc_tf_entry *entry)
{
    uc_graph *g = b->graph;
    b->session->entry = entry;
    if (uc_tf_reach_check(&b->session->file->graph, entry, b->session->bodies, b->session->arena,
                          g->error)) {
        uc_graph_fail(g, g->error ? g->error->status : UNCORK_UNSUPPORTED, "the graph");
        return;
    }
    uc_tf_scope *s = uc_tf_scope_new(b, b->session->file->graph.main, 0);
    if (s && entry->function.size) {
        emit_function_entry(b, s, entry);
        return;
    }
    for (size_t i = 0; s && i < entry->input_count && !g->status; i++) {
        declare(s, &entry->inputs[i]);
    }
    for (size_t i = 0; s && i < entry->output_count && !g->status; i++) {
        uc_tf_edge edge;
        if (!uc_tf_resolve(s, entry->outputs[i].tensor, &edge)) return;
        const uc_ref ref = uc_tf_plain(b, uc_tf_demand(s, edge));
        g->where = NULL;
        if (!g->status && !ref)
            uc_graph_fail(g, UNCORK_UNSUPPORTED, "output '%.100s' is no tensor",
                          entry->outputs[i].name);
        if (!g->status) uc_graph_output(g, entry->outputs[i].name, uc_g1(g, "Identity", ref));
    }
}
