/* Runs each operator's infer along the graph. */
#include "graph/graph_infer.h"

bool uc_value_is_shaped(const uc_value *v)
{
    if (v->kind != UC_TENSOR || v->tensor.dtype == UNCORK_DTYPE_NONE || v->tensor.rank < 0) {
        return false;
    }
    for (int d = 0; d < v->tensor.rank; d++) {
        if (v->tensor.shape[d] < 0) return false;
    }
    return true;
}

/* A small strided constant (a column of a table of sizes, say) is made dense, since infer functions
 * read known values as plain arrays. Large ones stay views. */
static uncork_status set_constant(uc_infer *infer, uc_value *v, const uc_tensor *constant)
{
    v->tensor = *constant;
    if (uc_tensor_is_dense(constant) || uc_tensor_count(constant) > 512) return UNCORK_OK;
    const uc_tensor *dense = uc_tensor_dense(infer->arena, constant);
    if (!dense) return uc_arena_status(infer->arena, infer->error);
    v->tensor = *dense;
    return UNCORK_OK;
}

uncork_status uc_infer_value(uc_infer *infer, size_t i)
{
    const uc_graph_value *from = &infer->graph->values[i];
    uc_value *v = &infer->values[i];
    v->kind = from->kind;
    v->item_kind = from->item_kind;
    if (from->constant) return set_constant(infer, v, from->constant);
    v->tensor.rank = from->producer < 0 ? from->rank : -1;
    if (from->producer >= 0) return UNCORK_OK;
    v->tensor.dtype = from->dtype;
    for (int d = 0; d < from->rank; d++) {
        v->tensor.shape[d] = from->shape[d];
    }
    return UNCORK_OK;
}

uncork_status uc_infer_init(uc_infer *infer)
{
    const uc_graph *g = infer->graph;
    infer->values = UC_NEW(infer->arena, uc_value, g->value_count);
    if (!infer->values) return uc_arena_status(infer->arena, infer->error);
    for (size_t i = 1; i < g->value_count; i++) {
        UC_TRY(uc_infer_value(infer, i));
    }
    return UNCORK_OK;
}

uc_call *uc_infer_call(uc_infer *infer, const uc_node *node)
{
    uc_call *call = UC_NEW(infer->arena, uc_call, 1);
    const uc_value **in = UC_NEW(infer->arena, const uc_value *, node->in_count);
    uc_value **out = UC_NEW(infer->arena, uc_value *, node->out_count);
    if (!call || !in || !out) return NULL;
    for (size_t i = 0; i < node->in_count; i++) {
        in[i] = node->in[i] ? &infer->values[node->in[i]] : NULL;
    }
    for (size_t i = 0; i < node->out_count; i++) {
        out[i] = node->out[i] ? &infer->values[node->out[i]] : NULL;
    }
    *call = (uc_call){.op = node->op,
                      .where = node->where,
                      .attrs = node->attrs,
                      .attr_count = node->attr_count,
                      .layout = node->layout,
                      .in = in,
                      .in_count = node->in_count,
                      .out = out,
                      .out_count = node->out_count,
                      .arena = infer->scratch,
                      .budget = infer->budget,
                      .error = infer->error};
    return call;
}

/* ---- folding ------------------------------------------------------------------------------ */

static void *fold_memory(uc_call *call, size_t i, size_t bytes)
{
    (void)i;
    uc_infer *infer = call->host_data;
    infer->spent_bytes += bytes;
    if (infer->spent_bytes > infer->fold_bytes) return NULL;
    return uc_arena_alloc_raw(infer->arena, bytes);
}

static uncork_status fold_output(uc_call *call, size_t i, uncork_dtype dtype, int rank,
                                 const int64_t *shape, uc_tensor **tensor)
{
    size_t bytes = 0;
    uc_tensor *t = call->out[i] ? &call->out[i]->tensor : UC_NEW(call->arena, uc_tensor, 1);
    *tensor = t;
    if (t && t->data) return UNCORK_OK; /* asked for again */
    bool fits = uc_shape_bytes(dtype, shape, rank, &bytes);
    void *data = fits ? fold_memory(call, i, bytes) : NULL;
    if (!data || !t) return uc_fail_memory(call->error);
    uc_tensor_set(t, dtype, rank, shape);
    t->data = dtype == UNCORK_STRING ? NULL : data;
    return UNCORK_OK;
}

static const uc_call_host fold_host = {.output = fold_output, .memory = fold_memory};

static bool can_fold(const uc_infer *infer, const uc_node *node, const uc_call *call)
{
    if (!infer->fold_bytes || node->op->impure || node->op->control || !node->op->run) return false;
    for (size_t i = 0; i < call->in_count; i++) {
        const uc_value *v = call->in[i];
        if (!v) continue;
        if (node->op->shapely && uc_value_is_shaped(v)) continue;
        if (!uc_value_is_known(v)) return false;
        if (!node->op->strided && !uc_tensor_is_dense(&v->tensor)) return false;
    }
    for (size_t i = 0; i < call->out_count; i++) {
        const uc_value *v = call->out[i];
        size_t bytes = 0;
        if (v && v->kind != UC_TENSOR) return false;
        if (!v || !uc_value_is_shaped(v)) continue;
        if (!uc_shape_bytes(v->tensor.dtype, v->tensor.shape, v->tensor.rank, &bytes)) return false;
        if (bytes > infer->fold_bytes) return false;
    }
    return !node->op->macs || node->op->macs(call) <= infer->fold_macs;
}

/* Forgets what a failed run left in its outputs. */
static void unfold(uc_call *call)
{
    for (size_t i = 0; i < call->out_count; i++) {
        if (!call->out[i]) continue;
        call->out[i]->tensor.data = NULL;
        call->out[i]->tensor.strings = (uc_strings){0};
    }
}

/* Runs the node now. A run that fails (an index out of range, say) isn't folded: it fails again
 * where it belongs, if that branch is ever run. */
static void fold(uc_infer *infer, uc_call *call)
{
    uncork_error ignored;
    uc_error_init(&ignored);
    uc_call now = *call;
    now.host = &fold_host;
    now.host_data = infer;
    now.error = &ignored;
    infer->spent_bytes = 0;
    uncork_status status = now.op->prepare ? now.op->prepare(&now) : UNCORK_OK;
    if (status == UNCORK_OK) status = now.op->run(&now);
    if (status != UNCORK_OK) unfold(call);
    uc_arena_reset(infer->scratch);
}

/* Operators on tensors needn't ask. */
static uncork_status check_kinds(uc_call *call)
{
    for (size_t i = 0; !call->op->any_kind && i < call->in_count; i++) {
        if (!call->in[i] || call->in[i]->kind == UC_TENSOR) continue;
        return uc_call_fail(call, UNCORK_INPUT, "input %zu is no tensor", i);
    }
    return UNCORK_OK;
}

uncork_status uc_infer_node(uc_infer *infer, const uc_node *node, uc_call *call)
{
    UC_TRY(check_kinds(call));
    if (node->op->control) return uc_infer_control(infer, node, call);
    if (node->op->infer) {
        uncork_status status = node->op->infer(call);
        if (status != UNCORK_OK) return status;
    }
    if (can_fold(infer, node, call)) fold(infer, call);
    return UNCORK_OK;
}

uncork_status uc_infer_graph(uc_infer *infer)
{
    for (size_t i = 0; i < infer->graph->node_count; i++) {
        uc_call *call = uc_infer_call(infer, &infer->graph->nodes[i]);
        if (!call) return uc_arena_status(infer->arena, infer->error);
        UC_TRY(uc_infer_node(infer, &infer->graph->nodes[i], call));
    }
    return UNCORK_OK;
}

/* ---- finishing ---------------------------------------------------------------------------- */

/* Marks what the outputs need, then closes the gaps. Values keep their numbers. */
static uncork_status remove_dead_nodes(uc_graph *g, uc_arena *scratch)
{
    bool *needed = UC_NEW(scratch, bool, g->value_count);
    if (!needed) return uc_arena_status(scratch, g->error);
    for (size_t i = 0; i < g->output_count; i++) {
        needed[g->outputs[i]] = true;
    }
    for (size_t n = g->node_count; n-- > 0;) {
        bool live = false;
        for (size_t i = 0; i < g->nodes[n].out_count; i++) {
            live = live || needed[g->nodes[n].out[i]];
        }
        for (size_t i = 0; live && i < g->nodes[n].in_count; i++) {
            needed[g->nodes[n].in[i]] = true;
        }
        if (!live) g->nodes[n].op = NULL;
    }
    size_t kept = 0;
    for (size_t n = 0; n < g->node_count; n++) {
        bool live = g->nodes[n].op != NULL;
        for (size_t i = 0; i < g->nodes[n].out_count; i++) {
            g->values[g->nodes[n].out[i]].producer = live ? (int32_t)kept : -1;
        }
        if (live) g->nodes[kept++] = g->nodes[n];
    }
    g->node_count = kept;
    return UNCORK_OK;
}

static uncork_status keep_shapes(uc_graph *g, const uc_infer *infer)
{
    for (size_t i = 1; i < g->value_count; i++) {
        uc_graph_value *to = &g->values[i];
        const uc_tensor *from = &infer->values[i].tensor;
        if (to->producer < 0) continue;
        to->kind = infer->values[i].kind;
        to->item_kind = infer->values[i].item_kind;
        to->dtype = from->dtype;
        to->rank = from->rank;
        to->shape = UC_NEW(g->arena, int64_t, from->rank > 0 ? (size_t)from->rank : 0);
        if (!to->shape) return uc_arena_status(g->arena, g->error);
        for (int d = 0; d < from->rank; d++) {
            to->shape[d] = from->shape[d];
        }
    }
    return UNCORK_OK;
}

static uncork_status infer_shapes(uc_graph *g, uc_arena *arena, uc_arena *scratch, int depth)
{
    UC_TRY(remove_dead_nodes(g, arena));
    uc_infer infer = {.graph = g,
                      .arena = arena,
                      .scratch = scratch,
                      .budget = g->budget,
                      .error = g->error,
                      .fold_bytes = UC_FOLD_SHAPE_BYTES,
                      .fold_macs = UC_FOLD_SHAPE_MACS,
                      .depth = depth,
                      .finish = true};
    UC_TRY(uc_infer_init(&infer));
    UC_TRY(uc_infer_graph(&infer));
    return keep_shapes(g, &infer);
}

/* A free dimension of an input is one number in a run: a symbol of its own, below any that importers
 * give, lets passes see that two values which keep it have the same shape. */
static uncork_status name_free_dims(uc_graph *g)
{
    int64_t next = -(INT64_C(1) << 20);
    for (size_t i = 0; i < g->input_count; i++) {
        const uc_graph_value *v = &g->values[g->inputs[i]];
        for (int d = 0; d < v->rank; d++) {
            if (v->shape[d] <= next) next = v->shape[d] - 1;
        }
    }
    for (size_t i = 0; i < g->input_count; i++) {
        uc_graph_value *v = &g->values[g->inputs[i]];
        if (v->kind != UC_TENSOR || v->rank < 1) continue;
        int64_t *shape = UC_NEW(g->arena, int64_t, (size_t)v->rank);
        if (!shape) return uc_arena_status(g->arena, g->error);
        for (int d = 0; d < v->rank; d++) {
            shape[d] = v->shape[d] == UC_DIM_UNKNOWN ? next-- : v->shape[d];
        }
        v->shape = shape;
    }
    return UNCORK_OK;
}

uncork_status uc_graph_finish_at(uc_graph *g, int depth)
{
    if (g->status == UNCORK_OK) g->status = uc_arena_status(g->arena, g->error);
    if (g->status == UNCORK_OK) g->status = uc_graph_check(g);
    if (g->status != UNCORK_OK) return g->status;
    uc_arena *arena = uc_arena_new(g->budget), *scratch = uc_arena_new(g->budget);
    g->status = arena && scratch ? uc_graph_merge(g, scratch) : uc_fail_memory(g->error);
    if (g->status == UNCORK_OK) g->status = infer_shapes(g, arena, scratch, depth);
    uc_arena_free(scratch);
    uc_arena_free(arena);
    g->finished = g->status == UNCORK_OK;
    return g->status;
}

uncork_status uc_graph_finish(uc_graph *g)
{
    if (g->status == UNCORK_OK) g->status = name_free_dims(g);
    return uc_graph_finish_at(g, 0);
}
