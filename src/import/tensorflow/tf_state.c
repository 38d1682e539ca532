/* Variables that a call changes on its way: a read gives what the last assignment before it stored. "Before" is
 * by data and control inputs, in the function itself and where it was called. Each call of the model starts
 * from the stored values. */
#include "import/tensorflow/tf_emit.h"
#include "import/tensorflow/tf_scope.h"

enum { MOST_ASSIGNMENTS = 256, MOST_NESTED = 200 };

static bool assigns(const uc_tf_node *n)
{
    static const char *const ops[] = {
        "Assign",           "AssignAdd",           "AssignSub",
        "AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"};
    for (size_t i = 0; n->op.size && n->op.data[0] == 'A' && i < sizeof ops / sizeof ops[0]; i++) {
        if (uc_str_is(n->op, ops[i])) return true;
    }
    return false;
}

/* Whether the body, or a function that it names, assigns to anything. */
static bool changes(uc_tf_build *b, const uc_tf_body *body, int depth)
{
    static char yes, no;
    uc_tf_session *s = b->session;
    if (!s->changes) s->changes = uc_table_new(s->arena);
    const char *known = s->changes ? uc_table_find(s->changes, body->name) : NULL;
    if (known || !s->changes || depth > UC_TF_DEPTH) return known == &yes;
    bool found = false;
    (void)uc_table_put(s->changes, body->name, &no); /* while it is looked at */
    for (size_t i = 0; i < body->node_count && !found; i++) {
        const uc_tf_node *n = &body->nodes[i];
        found = assigns(n);
        /* The main graph also holds what saves and restores: only what is called counts there. */
        const uc_str called = found ? (uc_str){"", 0} : uc_tf_called(s, n);
        if (!called.size) continue;
        const uc_tf_body *inside = uc_tf_session_body(b, called);
        found = inside && changes(b, inside, depth + 1);
    }
    (void)uc_table_put(s->changes, body->name, found ? &yes : &no);
    return found;
}

/* ---- assignments before a node --------------------------------------------------------------- */

typedef struct search {
    uc_tf_scope *scope;
    const uc_tf_variable *variable;
    uint32_t found[MOST_ASSIGNMENTS];
    size_t count;
    uint8_t *seen;
    uint32_t *list;
} search;

static const uc_tf_node *node_of(const uc_tf_body *body, uc_str name)
{
    const char *colon = name.size ? memchr(name.data, ':', name.size) : NULL;
    if (colon) name.size = (size_t)(colon - name.data);
    return uc_tf_body_find(body, name);
}

static bool is_of(uc_tf_scope *s, const uc_tf_node *n, size_t i, const uc_tf_variable *variable)
{
    uc_tf_edge edge;
    if (!uc_tf_input_edge(s, n, i, &edge)) return false;
    const uc_tf_value *v = uc_tf_demand(s, edge);
    return v->kind == UC_TF_VARIABLE && v->payload == variable;
}

/* Whether the node stores into the variable, by itself or in the function that it calls. */
static bool stores(uc_tf_scope *s, const uc_tf_node *n, const uc_tf_variable *variable)
{
    if (assigns(n)) return is_of(s, n, 0, variable);
    const uc_str function = uc_tf_called(s->build->session, n);
    const uc_tf_body *body = function.size ? uc_tf_session_body(s->build, function) : NULL;
    if (!body || !changes(s->build, body, s->depth)) return false;
    for (size_t i = 0; i < n->input_count; i++) {
        const uc_tf_arg *arg = i < body->arg_count ? &body->args[i] : NULL;
        if (arg && arg->type == UC_TF_DT_RESOURCE && is_of(s, n, i, variable)) return true;
    }
    return false;
}

static bool may_store(uc_tf_scope *s, const uc_tf_node *n)
{
    if (assigns(n)) return true;
    const uc_str function = uc_tf_called(s->build->session, n);
    const uc_tf_body *body = function.size ? uc_tf_session_body(s->build, function) : NULL;
    return body && changes(s->build, body, s->depth);
}

static void visit(search *s, const uc_tf_node *n, size_t *count)
{
    const size_t i = (size_t)(n - s->scope->body->nodes);
    if (s->seen[i]) return;
    s->seen[i] = 1;
    s->list[(*count)++] = (uint32_t)i;
}

static void visit_inputs(search *s, const uc_tf_node *n, size_t *count)
{
    for (size_t i = 0; i < n->input_count + n->control_count; i++) {
        const uc_tf_node *source = node_of(s->scope->body, n->inputs[i]);
        if (source) visit(s, source, count);
    }
}

/* What comes before `node` (NULL: the end of the function) and stores. */
static bool find_before(search *s, const uc_tf_node *node)
{
    const uc_tf_body *body = s->scope->body;
    size_t count = 0;
    s->count = 0;
    memset(s->seen, 0, body->node_count);
    if (node) {
        visit_inputs(s, node, &count);
    } else {
        for (size_t i = 0; i < body->node_count; i++) {
            visit(s, &body->nodes[i], &count);
        }
    }
    while (count) {
        const uc_tf_node *n = &body->nodes[s->list[--count]];
        visit_inputs(s, n, &count);
        if (!may_store(s->scope, n)) continue;
        if (s->count == MOST_ASSIGNMENTS) return false;
        s->found[s->count++] = (uint32_t)(n - body->nodes);
    }
    /* Only now, since this may search again. */
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (stores(s->scope, &body->nodes[s->found[i]], s->variable))
            s->found[kept++] = s->found[i];
    }
    s->count = kept;
    return true;
}

/* The last of them: the one that has all others before it. */
static const uc_tf_node *last_before(uc_tf_scope *scope, const uc_tf_node *node,
                                     const uc_tf_variable *variable)
{
    uc_graph *g = scope->build->graph;
    search s = {.scope = scope, .variable = variable};
    const size_t nodes = scope->body->node_count;
    if (!scope->seen) scope->seen = UC_NEW(g->arena, uint8_t, nodes);
    if (!scope->list) scope->list = UC_NEW(g->arena, uint32_t, nodes);
    s.seen = scope->seen;
    s.list = scope->list;
    if (!s.seen || !s.list) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    bool ok = find_before(&s, node);
    search of = s;
    size_t most = 0;
    const uc_tf_node *last = NULL;
    for (size_t i = 0; ok && i < s.count; i++) {
        const uc_tf_node *n = &scope->body->nodes[s.found[i]];
        ok = find_before(&of, n);
        if (last && of.count <= most) continue;
        last = n;
        most = of.count;
    }
    if (!ok) uc_graph_fail(g, UNCORK_LIMIT, "a variable is assigned too often in one function");
    return ok ? last : NULL;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* What an assignment stored, or the last one in the function that a node calls. */
static uc_ref stored_by(uc_tf_scope *scope, const uc_tf_node *node, uc_tf_variable *v)
{
    uc_str function = uc_tf_called(scope->build->session, node);
    while (function.size) {
        scope = uc_tf_enter(scope, node, function);
        node = scope ? last_before(scope, NULL, v) : NULL;
        if (!node) return 0;
        function = uc_tf_called(scope->build->session, node);
    }
    const uc_tf_edge edge = {(int32_t)(node - scope->body->nodes), 0};
    return uc_tf_plain(scope->build, uc_tf_demand(scope, edge));
}

static uc_ref value_at(uc_tf_scope *scope, const uc_tf_node *node, uc_tf_variable *v)
{
    uc_tf_build *b = scope->build;
    for (; !b->graph->status; node = scope->call, scope = scope->parent) {
        if (changes(b, scope->body, 0)) {
            const uc_tf_node *last = last_before(scope, node, v);
            const uc_ref ref = last ? stored_by(scope, last, v) : 0;
            if (ref || b->graph->status) return ref;
        }
        if (!scope->parent) break;
    }
    return uc_tf_variable_read(b, v);
}

uc_ref uc_tf_variable_at(uc_tf_call *c, uc_tf_variable *v)
{
    uc_tf_session *s = c->build->session;
    if (c->graph->status) return 0;
    if (!c->scope) return uc_tf_variable_read(c->build, v);
    if (s->nested >= MOST_NESTED)
        return uc_graph_fail(c->graph, UNCORK_LIMIT, "assignments depend on each other too deep");
    s->nested++;
    const uc_ref ref = value_at(c->scope, c->node, v);
    s->nested--;
    return ref;
}

/* ---- emitters -------------------------------------------------------------------------------- */

static uc_tf_variable *target(uc_tf_call *c)
{
    const uc_tf_value *v = uc_tf_value_in(c, 0);
    if (v->kind == UC_TF_VARIABLE) return v->payload;
    uc_tf_fail(c, "input 0 is no variable");
    return NULL;
}

static void note_state(uc_tf_call *c)
{
    uc_note(c->build->findings, UC_NOTE_ASSUMED, "state",
            "the model changes variables of its own: every call starts from the stored values");
}

void uc_tf_op_assign(uc_tf_call *c)
{
    if (!target(c)) return;
    note_state(c);
    uc_tf_out(c, 0, uc_tf_in(c, 1));
}

void uc_tf_op_assign_by(uc_tf_call *c)
{
    uc_tf_variable *v = target(c);
    if (!v) return;
    note_state(c);
    const uc_ref before = uc_tf_variable_at(c, v);
    uc_tf_out(c, 0, uc_g2(c->graph, c->node->row->onnx, before, uc_tf_in(c, 1)));
}

/* Variables have the values of the file: they are always there. */
void uc_tf_op_is_initialized(uc_tf_call *c)
{
    uc_tensor *t = uc_tensor_new(c->graph->arena, UNCORK_BOOL, 0, NULL);
    if (t) *(uint8_t *)t->data = 1;
    uc_tf_out(c, 0, uc_graph_const(c->graph, t));
}
