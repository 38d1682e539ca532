/* What initialises a file's variables and tables: the restore function and the initialising functions are
 * walked once, in a build of their own, and every assignment is noted by the resource of the main graph that
 * it goes to. What is assigned is worked out when somebody needs it. */
#include "import/tensorflow/tf_emit.h"
#include "import/tensorflow/tf_scope.h"

/* Values that initialisers compute (ranges, casts) are folded up to this size. */
#define FOLD_BYTES ((uint64_t)64 << 20)
#define FOLD_MACS  ((uint64_t)100000000)

static const char *const givers[] = {"Assign",
                                     "AssignVariableOp",
                                     "InitializeTable",
                                     "InitializeTableV2",
                                     "InitializeTableFromTextFile",
                                     "InitializeTableFromTextFileV2",
                                     "LookupTableImport",
                                     "LookupTableImportV2"};

static bool gives(const uc_tf_node *n)
{
    for (size_t i = 0; i < sizeof givers / sizeof givers[0]; i++) {
        if (uc_str_is(n->op, givers[i])) return true;
    }
    return false;
}

static bool note(uc_tf_session *session, uc_tf_scope *s, const uc_tf_node *n)
{
    uc_tf_scope *at = s;
    uc_tf_edge edge;
    const uc_tf_node *target = uc_tf_origin(&at, n, 0, &edge);
    if (!target || !uc_tf_scope_is_main(at)) return true; /* of a resource that nobody can see */
    uc_tf_given *given = UC_NEW(session->arena, uc_tf_given, 1);
    if (!given) return false;
    *given = (uc_tf_given){s, n, NULL};
    uc_tf_given **end = &session->given[target - session->file->graph.main->nodes];
    while (*end) {
        end = &(*end)->next;
    }
    *end = given;
    return true;
}

/* A function that initialises: all it assigns counts. */
static bool walk(uc_tf_session *session, uc_tf_scope *s)
{
    for (size_t i = 0; i < s->body->node_count; i++) {
        const uc_tf_node *n = &s->body->nodes[i];
        if (gives(n) && !note(session, s, n)) return false;
        const uc_str function = uc_tf_called(session, n);
        if (!function.size) continue;
        uc_tf_scope *child = uc_tf_enter(s, n, function);
        if (!child || !walk(session, child)) return false;
    }
    return true;
}

static uc_str without_place(uc_str name)
{
    const char *colon = name.size ? memchr(name.data, ':', name.size) : NULL;
    if (colon) name.size = (size_t)(colon - name.data);
    return name;
}

/* Whether what the node assigns comes out of the checkpoint. */
static bool is_restored(uc_tf_scope *s, const uc_tf_node *n)
{
    uc_tf_edge edge;
    const uc_tf_node *source = uc_tf_origin(&s, n, 1, &edge);
    return source && source->op.size >= 7 && memcmp(source->op.data, "Restore", 7) == 0;
}

/* Of the main graph, tables' initialisers count wherever they stand, assignments when the checkpoint is what
 * they assign; others only where an initialising op waits for them (walk_calls). */
static bool counts(uc_tf_scope *main, const uc_tf_node *n)
{
    return gives(n) && (n->op.data[0] != 'A' || is_restored(main, n));
}

static bool walk_main(uc_tf_session *session, uc_tf_scope *main)
{
    for (size_t i = 0; i < main->body->node_count; i++) {
        const uc_tf_node *n = &main->body->nodes[i];
        if (counts(main, n) && !note(session, main, n)) return false;
    }
    return true;
}

/* The call that a node is, or those that a group waits for. */
static bool walk_calls(uc_tf_session *session, uc_tf_scope *main, uc_str name, uint8_t *seen)
{
    const uc_tf_body *body = main->body;
    uint32_t *list = UC_NEW(session->arena, uint32_t, body->node_count);
    const uc_tf_node *n = uc_tf_body_find(body, without_place(name));
    size_t count = 0;
    if (!list) return false;
    if (n && !seen[n - body->nodes]) list[count++] = (uint32_t)(n - body->nodes);
    if (n) seen[n - body->nodes] = 1;
    while (count) {
        n = &body->nodes[list[--count]];
        if (gives(n) && !counts(main, n) && !note(session, main, n)) return false;
        const uc_str function = uc_tf_called(session, n);
        if (function.size) {
            uc_tf_scope *child = uc_tf_enter(main, n, function);
            if (!child || !walk(session, child)) return false;
        }
        for (size_t i = 0; i < n->input_count + n->control_count; i++) {
            const uc_tf_node *source = uc_tf_body_find(body, without_place(n->inputs[i]));
            if (!source || seen[source - body->nodes]) continue;
            seen[source - body->nodes] = 1;
            list[count++] = (uint32_t)(source - body->nodes);
        }
    }
    return true;
}

static bool open_init(uc_tf_session *s)
{
    uc_graph *outer = s->graph;
    const size_t count = s->file->graph.main->node_count;
    uc_tf_build *b = UC_NEW(s->arena, uc_tf_build, 1);
    uc_graph *g = uc_graph_new(outer->arena, outer->budget, outer->error);
    uc_arena *scratch = uc_arena_new(outer->budget);
    s->given = UC_NEW(s->arena, uc_tf_given *, count);
    if (!b || !g || !scratch || !s->given) {
        uc_arena_free(scratch);
        return false;
    }
    *b = (uc_tf_build){.session = s, .graph = g, .depth = 0};
    /* What is known there outlives the build: tables are made of it. */
    uc_look_open(&b->look, g, outer->budget, outer->arena, scratch);
    b->look.infer.fold_bytes = FOLD_BYTES;
    b->look.infer.fold_macs = FOLD_MACS;
    s->init = b;
    return true;
}

static bool find_given(uc_tf_session *s)
{
    const uc_tf_file *f = s->file;
    if (!open_init(s)) return false;
    uint8_t *seen = UC_NEW(s->arena, uint8_t, f->graph.main->node_count);
    uc_tf_scope *main = uc_tf_scope_new(s->init, f->graph.main, 0);
    if (!seen || !main) return false;
    if (!walk_main(s, main) || !walk_calls(s, main, f->restore_op, seen)) return false;
    for (size_t i = 0; i < f->init_count; i++) {
        if (!walk_calls(s, main, f->init_ops[i], seen)) return false;
    }
    return !s->init->graph->status;
}

uc_tf_given *uc_tf_given_to(uc_tf_call *c, const uc_tf_node *node)
{
    uc_tf_session *s = c->build->session;
    if (c->graph->status) return NULL;
    if (!s->given && !find_given(s)) {
        const uncork_status status = s->init ? s->init->graph->status : UNCORK_OK;
        uc_graph_fail(c->graph, status ? status : UNCORK_NO_MEMORY,
                      "the initialisers can't be read");
        return NULL;
    }
    const uc_tf_body *main = s->file->graph.main;
    if (node < main->nodes || node >= main->nodes + main->node_count) return NULL;
    return s->given[node - main->nodes];
}

const uc_tensor *uc_tf_given_tensor(uc_tf_call *c, const uc_tf_given *given, size_t i)
{
    uc_tf_build *b = c->build->session->init;
    const uc_tensor *t = NULL;
    uc_tf_scope *at = given->scope;
    uc_tf_edge edge;
    if (uc_tf_restored(c, given->scope, given->node, i, &t)) return t;
    if (c->graph->status) return NULL;
    if (!uc_tf_origin(&at, given->node, i, &edge)) {
        uc_tf_fail(c, "its initialiser can't be followed");
        return NULL;
    }
    const uc_ref ref = uc_tf_plain(b, uc_tf_demand(at, edge));
    const uc_value *v = uc_look_at(&b->look, ref);
    if (b->graph->status) {
        uc_graph_fail(c->graph, b->graph->status, "its initialiser can't be computed");
        return NULL;
    }
    if (ref && uc_value_is_known(v)) return uc_tensor_dense(c->graph->arena, &v->tensor);
    uc_tf_fail(c, "its initialiser isn't constant");
    return NULL;
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* The file that input i names: an asset, directly or through a variable that holds its path. */
static bool asset_of(uc_tf_call *c, const uc_tf_given *given, size_t i, uc_bytes *bytes)
{
    const uc_tf_file *f = c->build->session->file;
    uc_tf_scope *s = given->scope;
    uc_tf_edge edge;
    const uc_tf_node *n = uc_tf_origin(&s, given->node, i, &edge);
    if (n && uc_str_is(n->op, "ReadVariableOp")) {
        n = uc_tf_origin(&s, n, 0, &edge);
        const uc_tf_given *path = n && uc_tf_scope_is_main(s) ? uc_tf_given_to(c, n) : NULL;
        if (path) s = path->scope;
        n = path ? uc_tf_origin(&s, path->node, 1, &edge) : NULL;
    }
    for (size_t k = 0; n && uc_tf_scope_is_main(s) && k < f->asset_count; k++) {
        if (!uc_str_equal(f->assets[k].node, n->name)) continue;
        if (!f->assets[k].found) {
            uc_tf_fail(c, "its file '%.150s' isn't in the model's folder", f->assets[k].name);
            return false;
        }
        *bytes = f->assets[k].bytes;
        return true;
    }
    uc_tf_fail(c, "its file isn't one of the model's assets");
    return false;
}

static bool fill(uc_tf_call *c, uc_tf_table *t, const uc_tf_given *given)
{
    const uc_str op = given->node->op;
    if (uc_str_is(op, "InitializeTableFromTextFile") ||
        uc_str_is(op, "InitializeTableFromTextFileV2")) {
        uc_bytes text;
        return asset_of(c, given, 1, &text) && uc_tf_vocabulary(c, given, text, t);
    }
    t->keys = uc_tf_given_tensor(c, given, 1);
    t->values = t->keys ? uc_tf_given_tensor(c, given, 2) : NULL;
    return t->values != NULL;
}

void uc_tf_op_hash_table(uc_tf_call *c)
{
    uc_tf_table *t = UC_NEW(c->graph->arena, uc_tf_table, 1);
    const uc_tf_given *given = uc_tf_given_to(c, c->node);
    if (!t || c->graph->status) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    t->name = c->node->name;
    t->key_type = uc_tf_type(c, "key_dtype");
    t->value_type = uc_tf_type(c, "value_dtype");
    while (given && given->next) { /* the last one counts */
        given = given->next;
    }
    if (given && !fill(c, t, given)) return;
    uc_tf_out_value(c, 0, (uc_tf_value){.kind = UC_TF_TABLE, .payload = t});
}
