/* A graph record becomes a graph: inputs, initializers, nodes in order, outputs. */
#include "import/onnx/onnx_build.h"

static int shown(uc_str s) { return s.size < 60 ? (int)s.size : 60; }

static bool add_name(uc_onnx_build *b, uc_onnx_scope *scope, uc_str name, uc_onnx_name entry,
                     const char *what)
{
    uc_graph *g = scope->graph;
    if (!name.size) {
        uc_graph_fail(g, UNCORK_MALFORMED, "%s has no name", what);
        return false;
    }
    if (uc_table_find(scope->names, name)) {
        uc_graph_fail(g, UNCORK_MALFORMED, "%s is called '%.*s' like another value", what,
                      shown(name), name.data);
        return false;
    }
    uc_onnx_name *own = UC_NEW(b->arena, uc_onnx_name, 1);
    if (!own || !uc_table_put(scope->names, name, own)) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    *own = entry;
    return true;
}

/* ---- inputs ------------------------------------------------------------------------------- */

/* Free dimensions of an artifact's input become those that will be fed: its source, opened for the same
 * rows, may have known them, and then the same kernels run. */
static void fix_free(const uncork_fed *fed, uc_onnx_declared *type)
{
    if (!fed || type->kind != UC_TENSOR || fed->rank != type->rank) return;
    for (int d = 0; d < type->rank; d++) {
        if (type->shape[d] >= 0 && fed->shape[d] >= 0 && fed->shape[d] != type->shape[d]) return;
    }
    for (int d = 0; d < type->rank; d++) {
        if (type->shape[d] < 0 && fed->shape[d] >= 0) type->shape[d] = fed->shape[d];
    }
}

static uc_ref make_input(uc_onnx_build *b, uc_graph *g, const uc_onnx_value *value, size_t place)
{
    uc_onnx_declared type;
    if (!uc_onnx_declare(b, g, value, &type)) return 0;
    const char *name = uc_onnx_text(b->arena, value->name);
    if (b->fed && place != SIZE_MAX) fix_free(uc_import_fed(b->fed, name, place), &type);
    const uc_ref ref = uc_graph_input(g, name, type.dtype, type.rank, type.shape);
    if (ref) uc_graph_input_kind(g, ref, type.kind, type.item_kind);
    if (ref && type.kind == UC_OPTIONAL) uc_graph_input_optional(g, ref, NULL);
    return ref;
}

/* An initializer that is an input as well: up to IR 3 all of them had to be, so it is a constant;
 * later it is the input's default. */
static void default_input(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_value *value,
                          uc_onnx_name *entry)
{
    uc_graph *g = scope->graph;
    const uc_tensor *t = entry->tensor ? uc_onnx_tensor_make(g, entry->tensor, value->name)
                                       : uc_onnx_sparse_make(g, entry->sparse, value->name);
    const uc_ref ref = t ? make_input(b, g, value, SIZE_MAX) : 0;
    if (!ref) return;
    *entry = (uc_onnx_name){.ref = ref};
    uc_graph_input_optional(g, ref, t);
    if (!g->values[ref].dtype) g->values[ref].dtype = t->dtype;
}

static bool add_inputs(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_graph *record)
{
    uc_graph *g = scope->graph;
    uc_table *seen = uc_table_new(b->arena);
    for (size_t i = 0; i < record->inputs.count; i++) {
        const uc_onnx_value *value = &record->inputs.items[i];
        uc_onnx_name *known = uc_table_find(scope->names, value->name);
        if (!seen || uc_table_find(seen, value->name)) {
            uc_graph_fail(g, UNCORK_MALFORMED, "two inputs are called '%.*s'", shown(value->name),
                          value->name.data ? value->name.data : "");
            return false;
        }
        if (!uc_table_put(seen, value->name, seen)) return false;
        if (known) {
            if (b->model->ir_version >= 4 && scope->outer == NULL)
                default_input(b, scope, value, known);
        } else {
            const uc_ref ref = make_input(b, g, value, scope->outer ? SIZE_MAX : i);
            if (!ref || !add_name(b, scope, value->name, (uc_onnx_name){.ref = ref}, "an input"))
                return false;
        }
    }
    return g->status == UNCORK_OK;
}

static bool add_initializers(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_graph *record)
{
    for (size_t i = 0; i < record->initializers.count; i++) {
        const uc_onnx_tensor *t = &record->initializers.items[i];
        if (!add_name(b, scope, t->name, (uc_onnx_name){.tensor = t}, "an initializer"))
            return false;
    }
    for (size_t i = 0; i < record->sparse_initializers.count; i++) {
        const uc_onnx_sparse *s = &record->sparse_initializers.items[i];
        if (!add_name(b, scope, s->values.name, (uc_onnx_name){.sparse = s}, "an initializer"))
            return false;
    }
    return true;
}

/* What a body takes from outside: captures as inputs behind its own, constants as constants. */
static bool add_captures(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_graph *record,
                         const uc_str *captures, size_t count)
{
    uc_graph *g = scope->graph;
    for (size_t i = 0; i < count; i++) {
        const uc_ref from = uc_onnx_lookup(b, scope->outer, captures[i]);
        const uc_graph_value *v = &scope->outer->graph->values[from];
        const uc_ref ref =
            uc_graph_input(g, uc_onnx_text(b->arena, captures[i]), v->dtype, v->rank, v->shape);
        if (!ref) return false;
        uc_graph_input_kind(g, ref, v->kind, v->item_kind);
        /* A name that only another branch uses may be one of this body's own. */
        if (!uc_table_find(scope->names, captures[i]) &&
            !uc_onnx_bind(b, scope, captures[i], ref)) {
            return false;
        }
    }
    for (size_t i = 0; i < record->free.count; i++) {
        const uc_str name = record->free.items[i];
        if (uc_table_find(scope->names, name)) continue;
        const uc_ref from = uc_onnx_lookup(b, scope->outer, name);
        const uc_tensor *constant = scope->outer->graph->values[from].constant;
        const uc_ref ref = constant ? uc_graph_const(g, constant) : 0;
        if (from && !constant) return false;
        if (!uc_onnx_bind(b, scope, name, ref)) return false;
    }
    return g->status == UNCORK_OK;
}

/* ---- nodes and outputs -------------------------------------------------------------------- */

/* An output of a node may not be called like an input or initializer. */
static bool check_outputs(uc_onnx_scope *scope, const uc_onnx_nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++) {
        const uc_onnx_node *node = &nodes->items[i];
        for (size_t k = 0; k < node->outputs.count; k++) {
            const uc_str name = node->outputs.items[k];
            if (!name.size || !uc_table_find(scope->names, name)) continue;
            uc_graph_fail(scope->graph, UNCORK_MALFORMED,
                          "'%.*s' is made by %.*s and is an input or initializer as well",
                          shown(name), name.data, shown(node->op), node->op.data);
            return false;
        }
    }
    return true;
}

/* The name an output is called by: in what uncork wrote, an output that shares its name with an input is
 * another one inside the graph. */
static uc_str called(const uc_onnx_build *b, const uc_onnx_scope *scope, const uc_onnx_value *v)
{
    const size_t skip = strlen(UC_GRAPH_CALLED);
    if (scope->outer || !uc_str_is(b->model->producer, "uncork") || v->doc.size <= skip ||
        memcmp(v->doc.data, UC_GRAPH_CALLED, skip) != 0) {
        return v->name;
    }
    return (uc_str){v->doc.data + skip, v->doc.size - skip};
}

static void add_outputs(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_graph *record)
{
    uc_table *seen = uc_table_new(b->arena);
    for (size_t i = 0; i < record->outputs.count && scope->graph->status == UNCORK_OK; i++) {
        const uc_str name = called(b, scope, &record->outputs.items[i]);
        if (!scope->outer && seen && uc_table_find(seen, name)) {
            uc_graph_fail(scope->graph, UNCORK_MALFORMED, "two outputs are called '%.*s'",
                          shown(name), name.data);
            return;
        }
        if (!seen || !uc_table_put(seen, name, seen)) return;
        uc_ref ref = uc_onnx_lookup(b, scope, record->outputs.items[i].name);
        uc_graph_output(scope->graph, uc_onnx_text(b->arena, name), ref);
    }
}

static void fill(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_graph *record,
                 const uc_str *captures, size_t capture_count)
{
    uint32_t *order;
    uc_graph *g = scope->graph;
    if (!add_initializers(b, scope, record) || !add_inputs(b, scope, record) ||
        !check_outputs(scope, &record->nodes)) {
        return;
    }
    if (scope->outer && !add_captures(b, scope, record, captures, capture_count)) return;
    const uncork_status status = uc_onnx_order(&record->nodes, b->arena, &order, b->error);
    if (status != UNCORK_OK) {
        g->status = status;
        return;
    }
    for (size_t i = 0; i < record->nodes.count && g->status == UNCORK_OK; i++)
        uc_onnx_add_node(b, scope, &record->nodes.items[order[i]]);
    add_outputs(b, scope, record);
}

void uc_onnx_fill_graph(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_graph *record)
{
    fill(b, scope, record, NULL, 0);
}

uc_graph *uc_onnx_body(uc_onnx_build *b, uc_onnx_scope *outer, const uc_onnx_graph *record,
                       const uc_str *captures, size_t capture_count)
{
    uc_onnx_scope *scope = UC_NEW(b->arena, uc_onnx_scope, 1);
    uc_graph *g = uc_graph_new(b->arena, b->budget, b->error);
    if (scope && g) {
        *scope = (uc_onnx_scope){
            .graph = g, .env = outer->env, .names = uc_table_new(b->arena), .outer = outer};
        g->where = outer->graph->where;
    }
    if (!scope || !g || !scope->names) {
        uc_graph_fail(outer->graph, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    fill(b, scope, record, captures, capture_count);
    if (g->status != UNCORK_OK && outer->graph->status == UNCORK_OK)
        outer->graph->status = g->status;
    return outer->graph->status == UNCORK_OK ? g : NULL;
}
