/* Variables: their stored values are constants of the graph. A variable is known by its node of the main
 * graph; what restores it says its name in the checkpoint. */
#include "import/tensorflow/tf_emit.h"
#include "import/tensorflow/tf_scope.h"

/* ---- restoring ------------------------------------------------------------------------------- */

/* A constant input of a node, as strings. */
static const uc_tensor *strings_in(uc_tf_call *c, uc_tf_scope *s, const uc_tf_node *node, size_t i)
{
    uc_tf_edge edge;
    const uc_tf_node *n = uc_tf_origin(&s, node, i, &edge);
    if (!n || !uc_str_is(n->op, "Const")) return NULL;
    uc_tf_call at = {.build = c->build, .graph = c->graph, .scope = s, .node = n};
    const uc_tensor *t = uc_tf_tensor(&at, "value");
    return t && t->dtype == UNCORK_STRING ? t : NULL;
}

bool uc_tf_restored(uc_tf_call *c, uc_tf_scope *s, const uc_tf_node *node, size_t i,
                    const uc_tensor **tensor)
{
    uc_tf_session *session = c->build->session;
    uc_tf_edge edge;
    const uc_tf_node *n = uc_tf_origin(&s, node, i, &edge);
    const bool v2 = n && uc_str_is(n->op, "RestoreV2");
    if (!n || (!v2 && !uc_str_is(n->op, "RestoreSlice") && !uc_str_is(n->op, "Restore")))
        return false;
    if (session->names_of != n) {
        session->names = strings_in(c, s, n, 1);
        session->slices = n->input_count > 2 ? strings_in(c, s, n, 2) : NULL;
        session->names_of = n;
    }
    const int64_t k = edge.output;
    if (!session->names || k >= uc_tensor_count(session->names)) {
        if (!c->graph->status) uc_tf_fail(c, "the name of its value in the checkpoint isn't known");
        return false;
    }
    const uc_str name = uc_tensor_string(session->names, k);
    const bool sliced = session->slices && k < uc_tensor_count(session->slices);
    const uc_str slice = sliced ? uc_tensor_string(session->slices, k) : (uc_str){"", 0};
    const uc_tf_file *f = session->file;
    if (f->no_checkpoint.status) {
        uc_graph_fail(c->graph, f->no_checkpoint.status, "%s", f->no_checkpoint.what);
        return false;
    }
    const uncork_status status = uc_tf_checkpoint_tensor(&f->checkpoint, name, slice,
                                                         session->arena, tensor, c->graph->error);
    if (status) uc_graph_fail(c->graph, status, "a variable can't be read");
    return status == UNCORK_OK;
}

/* Where no function restores it: by its own name. */
static bool by_name(uc_tf_call *c, uc_tf_variable *v)
{
    const uc_tf_file *f = c->build->session->file;
    if (f->no_checkpoint.status) {
        uc_graph_fail(c->graph, f->no_checkpoint.status, "%s", f->no_checkpoint.what);
        if (f->no_checkpoint.fix[0]) uc_fix(c->graph->error, "%s", f->no_checkpoint.fix);
        return false;
    }
    if (!uc_tf_checkpoint_has(&f->checkpoint, v->name)) {
        uc_tf_fail(c, "the file holds no value of this variable");
        return false;
    }
    const uncork_status status =
        uc_tf_checkpoint_tensor(&f->checkpoint, v->name, (uc_str){"", 0}, c->build->session->arena,
                                &v->tensor, c->graph->error);
    if (status) uc_graph_fail(c->graph, status, "a variable can't be read");
    return status == UNCORK_OK;
}

static bool load(uc_tf_build *b, uc_tf_variable *v)
{
    uc_tf_call c = {.build = b, .graph = b->graph, .node = v->node};
    if (v->tensor) return true;
    const uc_tf_given *given = uc_tf_given_to(&c, v->node);
    while (given && given->next) { /* the last one counts */
        given = given->next;
    }
    if (b->graph->status) return false;
    if (!given) return by_name(&c, v);
    v->tensor = uc_tf_given_tensor(&c, given, 1);
    return v->tensor != NULL;
}

uc_ref uc_tf_variable_read(uc_tf_build *b, uc_tf_variable *v)
{
    if (b->graph->status) return 0;
    if (v->graph == b->graph) return v->ref;
    if (!load(b, v)) return 0;
    v->graph = b->graph;
    return v->ref = uc_graph_const(b->graph, v->tensor);
}

uc_ref uc_tf_variable_in(uc_tf_call *c, size_t i)
{
    const uc_tf_value *v = uc_tf_value_in(c, i);
    if (v->kind == UC_TF_VARIABLE) return uc_tf_variable_at(c, v->payload);
    return c->graph->status ? 0 : uc_tf_fail(c, "input %zu is no variable", i);
}

/* ---- emitters -------------------------------------------------------------------------------- */

static uc_str shared_name(uc_tf_call *c)
{
    const uc_str shared = uc_tf_str(c, "shared_name");
    return shared.size ? shared : c->node->name;
}

/* The resource of a node: one for each node of the main graph, one for each shared name elsewhere. */
static void **resource_of(uc_tf_call *c, uc_str name)
{
    uc_tf_session *s = c->build->session;
    const uc_tf_body *main = s->file->graph.main;
    if (uc_tf_scope_is_main(c->scope)) {
        if (!s->resources) s->resources = UC_NEW(s->arena, void *, main->node_count);
        return s->resources ? &s->resources[c->node - main->nodes] : NULL;
    }
    if (!s->by_shared) s->by_shared = uc_table_new(s->arena);
    void **slot = s->by_shared ? uc_table_find(s->by_shared, name) : NULL;
    if (slot || !s->by_shared) return slot;
    slot = UC_NEW(s->arena, void *, 1);
    return slot && uc_table_put(s->by_shared, name, slot) ? slot : NULL;
}

static void variable(uc_tf_call *c, bool is_ref)
{
    const uc_str name = shared_name(c);
    void **slot = resource_of(c, name);
    uc_tf_variable *v = slot ? *slot : NULL;
    if (slot && !v) {
        v = UC_NEW(c->build->session->arena, uc_tf_variable, 1);
        if (v) *v = (uc_tf_variable){.node = c->node, .name = name, .is_ref = is_ref};
        *slot = v;
    }
    if (!v) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    uc_tf_out_value(c, 0, (uc_tf_value){.kind = UC_TF_VARIABLE, .payload = v});
}

void uc_tf_op_var_handle(uc_tf_call *c) { variable(c, false); }
void uc_tf_op_variable(uc_tf_call *c) { variable(c, true); }
void uc_tf_op_read_variable(uc_tf_call *c) { uc_tf_out(c, 0, uc_tf_variable_in(c, 0)); }

/* Only the asked outputs count: what restores is never run itself. */
void uc_tf_op_restore(uc_tf_call *c)
{
    uc_tf_fail(c, "it reads files; variables are read from the model's own checkpoint");
}
