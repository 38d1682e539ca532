/* A node whose inputs are all known becomes its result: initialisers that are computed from others, and
 * arithmetic on the shapes of values whose shapes are known. Exact: the operator itself is run.
 *
 * DequantizeLinear stays: the quantised passes look for it, and what they leave is folded when the
 * program is made. */
#include "graph/graph_infer.h"
#include "pass/rewrite.h"

/* As in plan/program.c: folding may blow a small constant up. */
#define FOLD_BYTES (UINT64_C(16) << 20)
#define FOLD_MACS  UINT64_C(100000000)

static bool all_known(const uc_call *call)
{
    for (size_t i = 0; i < call->out_count; i++) {
        if (call->out[i] && !uc_value_is_known(call->out[i])) return false;
    }
    return true;
}

/* A copy in the graph's arena; strings stay nodes, they are rare. */
static const uc_tensor *keep(uc_graph *g, const uc_tensor *t)
{
    size_t bytes = 0;
    uc_tensor *own = UC_NEW(g->arena, uc_tensor, 1);
    bool fits = uc_shape_bytes(t->dtype, t->shape, t->rank, &bytes);
    void *data = own && fits ? uc_arena_alloc_raw(g->arena, bytes ? bytes : 1) : NULL;
    if (!data) return NULL;
    memcpy(data, t->data, bytes);
    *own = *t;
    own->data = data;
    return own;
}

/* A constant matrix turned is a view of it: products read their weights by strides, so those of a large
 * model needn't be copied. NULL for anything else. */
static const uc_tensor *turned_view(uc_graph *g, const uc_node *node)
{
    const uc_tensor *t = uc_is_op(node, "Transpose") ? g->values[node->in[0]].constant : NULL;
    const uc_attr *perm = t ? uc_node_attr(node, "perm") : NULL;
    bool turns = t && t->rank == 2 && t->data && t->dtype != UNCORK_STRING &&
                 (!perm || (perm->count == 2 && perm->ints[0] == 1 && perm->ints[1] == 0));
    uc_tensor *view = turns ? UC_NEW(g->arena, uc_tensor, 1) : NULL;
    if (view) *view = uc_tensor_transposed(t);
    return view;
}

static bool can_replace(const uc_node *node, const uc_call *call)
{
    if (!all_known(call) || uc_is_op(node, "DequantizeLinear")) return false;
    for (size_t i = 0; i < call->out_count; i++) {
        if (call->out[i] && call->out[i]->tensor.dtype == UNCORK_STRING) return false;
    }
    return true;
}

/* The node is left without outputs, so it is dead. */
static uncork_status replace(uc_graph *g, uc_node *node, const uc_call *call)
{
    for (size_t i = 0; i < node->out_count; i++) {
        uc_graph_value *v = &g->values[node->out[i]];
        if (!node->out[i]) continue;
        v->constant = turned_view(g, node);
        if (!v->constant) v->constant = keep(g, &call->out[i]->tensor);
        if (!v->constant) return uc_arena_status(g->arena, g->error);
        v->producer = -1;
        v->dtype = v->constant->dtype;
        v->rank = v->constant->rank;
        v->shape = UC_NEW(g->arena, int64_t, (size_t)v->rank);
        if (!v->shape) return uc_arena_status(g->arena, g->error);
        memcpy(v->shape, v->constant->shape, (size_t)v->rank * sizeof *v->shape);
    }
    node->op = NULL;
    return UNCORK_OK;
}

static uncork_status fold(uc_graph *g, uc_infer *infer, bool *changed)
{
    bool found = false;
    UC_TRY(uc_infer_init(infer));
    for (size_t n = 0; n < g->node_count; n++) {
        uc_call *call = uc_infer_call(infer, &g->nodes[n]);
        if (!call) return uc_arena_status(infer->arena, g->error);
        UC_TRY(uc_infer_node(infer, &g->nodes[n], call));
        if (!can_replace(&g->nodes[n], call)) continue;
        UC_TRY(replace(g, &g->nodes[n], call));
        found = true;
    }
    size_t kept = 0;
    for (size_t n = 0; found && n < g->node_count; n++) {
        if (!g->nodes[n].op) continue;
        for (size_t i = 0; i < g->nodes[n].out_count; i++) {
            if (g->nodes[n].out[i]) g->values[g->nodes[n].out[i]].producer = (int32_t)kept;
        }
        g->nodes[kept++] = g->nodes[n];
    }
    if (found) g->node_count = kept;
    *changed = *changed || found;
    return UNCORK_OK;
}

static uncork_status run(uc_graph *g, bool *changed)
{
    uc_infer infer = {.graph = g,
                      .arena = uc_arena_new(g->budget),
                      .scratch = uc_arena_new(g->budget),
                      .budget = g->budget,
                      .error = g->error,
                      .fold_bytes = FOLD_BYTES,
                      .fold_macs = FOLD_MACS};
    uncork_status status =
        infer.arena && infer.scratch ? fold(g, &infer, changed) : uc_fail_memory(g->error);
    uc_arena_free(infer.scratch);
    uc_arena_free(infer.arena);
    return status;
}

const uc_pass uc_pass_fold_constants = {.name = "fold_constants", .exact = true, .run = run};
