/* Local functions: a call becomes the function's nodes, with its names in a scope of their own.
 * Source: onnx/docs/IR.md, "Functions". */
#include "base/limits.h"
#include "import/onnx/onnx_build.h"

static bool same(uc_str a, uc_str b) { return uc_str_equal(a, b); }

const uc_onnx_function *uc_onnx_find_function(const uc_onnx_build *b, const uc_onnx_node *node)
{
    /* The table finds by name; overloads of one name are told apart in their list. */
    const uc_onnx_model *m = b->model;
    const uintptr_t first = (uintptr_t)uc_table_find(b->functions, node->op);
    for (size_t i = first ? first - 1 : m->functions.count; i < m->functions.count; i++) {
        const uc_onnx_function *f = &m->functions.items[i];
        if (same(f->name, node->op) && same(f->domain, node->domain) &&
            same(f->overload, node->overload)) {
            return f;
        }
    }
    return NULL;
}

static bool is_running(const uc_onnx_env *env, const uc_onnx_function *function)
{
    for (; env && env->function; env = env->caller->env) {
        if (env->function == function) return true;
    }
    return false;
}

static bool bind_inputs(uc_onnx_build *b, uc_onnx_scope *outer, uc_onnx_scope *inner,
                        const uc_onnx_node *node, const uc_onnx_function *f)
{
    uc_graph *g = outer->graph;
    if (node->inputs.count > f->inputs.count || node->outputs.count > f->outputs.count) {
        uc_graph_fail(g, UNCORK_MALFORMED,
                      "function %.*s is called with %zu inputs and %zu outputs, it has %zu and %zu",
                      f->name.size < 60 ? (int)f->name.size : 60, f->name.data, node->inputs.count,
                      node->outputs.count, f->inputs.count, f->outputs.count);
        return false;
    }
    for (size_t i = 0; i < f->inputs.count; i++) {
        const bool given = i < node->inputs.count && node->inputs.items[i].size > 0;
        const uc_ref ref = given ? uc_onnx_lookup(b, outer, node->inputs.items[i]) : 0;
        if (!uc_onnx_bind(b, inner, f->inputs.items[i], ref)) return false;
    }
    return g->status == UNCORK_OK;
}

void uc_onnx_call_function(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node,
                           const uc_onnx_function *f)
{
    uc_graph *g = scope->graph;
    uc_onnx_env *env = UC_NEW(b->arena, uc_onnx_env, 1);
    uc_onnx_scope *inner = UC_NEW(b->arena, uc_onnx_scope, 1);
    uint32_t *order;
    if (!env || !inner) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    const int size = f->name.size < 60 ? (int)f->name.size : 60;
    *env = (uc_onnx_env){.function = f,
                         .call = node,
                         .caller = scope,
                         .opsets = &f->opsets,
                         .depth = scope->env->depth + 1};
    *inner = (uc_onnx_scope){.graph = g, .env = env, .names = uc_table_new(b->arena)};
    if (is_running(scope->env, f)) {
        uc_graph_fail(g, UNCORK_MALFORMED, "function %.*s calls itself", size, f->name.data);
        return;
    }
    if (env->depth > UC_LIMIT_ONNX_CALLS) {
        uc_graph_fail(g, UNCORK_LIMIT, "functions call each other more than %d levels deep",
                      UC_LIMIT_ONNX_CALLS);
        return;
    }
    if (!inner->names || !bind_inputs(b, scope, inner, node, f)) return;
    const uncork_status status = uc_onnx_order(&f->nodes, b->arena, &order, b->error);
    if (status != UNCORK_OK) {
        g->status = status;
        return;
    }
    for (size_t i = 0; i < f->nodes.count && g->status == UNCORK_OK; i++)
        uc_onnx_add_node(b, inner, &f->nodes.items[order[i]]);
    for (size_t i = 0; i < node->outputs.count && g->status == UNCORK_OK; i++) {
        if (!node->outputs.items[i].size) continue;
        const uc_ref ref = uc_onnx_lookup(b, inner, f->outputs.items[i]);
        if (g->status == UNCORK_OK) uc_onnx_bind(b, scope, node->outputs.items[i], ref);
    }
}
