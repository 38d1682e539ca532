/* Inference that follows a graph as it grows. */
#include "graph/graph_look.h"

void uc_look_open(uc_look *look, const uc_graph *graph, uc_budget *budget, uc_arena *arena,
                  uc_arena *scratch)
{
    *look = (uc_look){.infer = {.graph = graph,
                                .arena = arena,
                                .scratch = scratch,
                                .budget = budget,
                                .error = &look->ignored,
                                .fold_bytes = UC_FOLD_SHAPE_BYTES,
                                .fold_macs = UC_FOLD_SHAPE_MACS}};
}

/* Values made since the last look: constants with their data, inputs as declared. */
static bool see_values(uc_look *look)
{
    uc_infer *infer = &look->infer;
    const size_t count = infer->graph->value_count;
    infer->values = uc_arena_grow(infer->arena, infer->values, &look->value_capacity, count,
                                  sizeof *infer->values);
    for (; infer->values && look->seen_values < count; look->seen_values++) {
        if (look->seen_values && uc_infer_value(infer, look->seen_values)) return false;
    }
    return infer->values != NULL;
}

const uc_value *uc_look_at(uc_look *look, uc_ref ref)
{
    static const uc_value nothing = {.tensor = {.rank = -1}};
    uc_infer *infer = &look->infer;
    const uc_graph *graph = infer->graph;
    if (!ref || graph->status != UNCORK_OK || !see_values(look)) return &nothing;
    for (; look->seen_nodes < graph->node_count; look->seen_nodes++) {
        const uc_node *node = &graph->nodes[look->seen_nodes];
        uc_error_init(&look->ignored);
        uc_call *call = uc_infer_call(infer, node);
        if (call) (void)uc_infer_node(infer, node, call);
    }
    return &infer->values[ref];
}

size_t uc_look_known(uc_look *look, uc_ref ref, int64_t *out, size_t most)
{
    const uc_value *v = uc_look_at(look, ref);
    const uc_tensor *t = &v->tensor;
    if (!uc_value_is_known(v) || !uc_tensor_is_dense(t) ||
        !(uc_dtype_is_integer(t->dtype) || t->dtype == UNCORK_BOOL)) {
        return SIZE_MAX;
    }
    const int64_t count = uc_tensor_count(t);
    if (count < 0 || (uint64_t)count > most) return SIZE_MAX;
    for (int64_t k = 0; k < count; k++) {
        out[k] = uc_dtype_load_i64(t->data, k, t->dtype);
    }
    return (size_t)count;
}
