/* Layers of a graph with what they hold and cost. */
#include "model/summary.h"

#include "model/model_internal.h"

static uint64_t product(const int64_t *shape, int rank)
{
    uint64_t n = 1;
    for (int i = 0; i < rank; i++) {
        const uint64_t d = shape[i] < 0 ? 1 : (uint64_t)shape[i];
        if (__builtin_mul_overflow(n, d, &n)) return UINT64_MAX;
    }
    return n;
}

/* Small integers are axes and shapes, not weights. */
static bool is_weight(const uc_tensor *t)
{
    return t && t->rank > 0 && t->dtype != UNCORK_STRING && t->dtype != UNCORK_INT64 &&
           t->dtype != UNCORK_BOOL;
}

/* Multiply-adds by the sizes of the weights: every output element of a channel takes one filter; a product
 * takes a row of its second factor. */
static uint64_t macs_of(const uc_graph *g, const uc_node *n)
{
    const uc_graph_value *out = &g->values[n->out[0]];
    const uc_graph_value *w = n->in_count > 1 && n->in[1] > 0 ? &g->values[n->in[1]] : NULL;
    const char *op = n->op->name;
    if (!w || out->rank < 1 || w->rank < 1) return 0;
    const uint64_t given = product(out->shape, out->rank), held = product(w->shape, w->rank);
    uint64_t macs = 0;
    if (strncmp(op, "Conv", 4) == 0 && strcmp(op, "ConvTranspose") != 0) {
        const int64_t filters = w->shape[0];
        if (filters < 1 || __builtin_mul_overflow(given, held / (uint64_t)filters, &macs)) return 0;
    } else if (strcmp(op, "ConvTranspose") == 0) {
        const uc_graph_value *x = &g->values[n->in[0]];
        if (x->rank < 2 || w->shape[0] < 1) return 0;
        if (__builtin_mul_overflow(product(x->shape, x->rank), held / (uint64_t)w->shape[0], &macs))
            return 0;
    } else if (strcmp(op, "MatMul") == 0 || strcmp(op, "Gemm") == 0) {
        const uc_graph_value *x = &g->values[n->in[0]];
        if (x->rank < 1) return 0;
        const int64_t depth = x->shape[x->rank - 1];
        if (depth < 1 || __builtin_mul_overflow(given, (uint64_t)depth, &macs)) return 0;
    }
    return macs;
}

static void add_node(const uc_graph *g, const uc_node *n, bool *counted, uc_summary_layer *layer)
{
    layer->nodes++;
    layer->macs += macs_of(g, n);
    for (size_t i = 0; i < n->in_count; i++) {
        const uc_ref ref = n->in[i];
        const uc_tensor *t = ref > 0 ? g->values[ref].constant : NULL;
        if (!is_weight(t) || counted[ref]) continue;
        size_t bytes = 0;
        counted[ref] = true;
        layer->parameters += (uint64_t)uc_tensor_count(t);
        if (uc_shape_bytes(t->dtype, t->shape, t->rank, &bytes)) layer->weight_bytes += bytes;
    }
}

static uncork_status list_layers(const uc_graph *g, uc_arena *arena, uc_summary *summary,
                                 uncork_error *error)
{
    bool *counted = UC_NEW(arena, bool, g->value_count + 1);
    summary->layers = UC_NEW(arena, uc_summary_layer, g->node_count + 1);
    if (!counted || !summary->layers) return uc_fail_memory(error);
    for (size_t i = 0; i < g->node_count; i++) {
        const uc_node *n = &g->nodes[i];
        if (i == 0 || !uc_same_layer(n, &g->nodes[i - 1])) summary->count++;
        uc_summary_layer *layer = &summary->layers[summary->count - 1];
        add_node(g, n, counted, layer);
        const uc_graph_value *out = &g->values[n->out[0]];
        layer->name = uc_arena_str(arena, n->where ? n->where : n->op->name);
        layer->op = n->op->name;
        layer->dtype = out->dtype;
        layer->rank = out->kind == UC_TENSOR || out->kind == UC_NOTHING ? out->rank : -1;
        int64_t *shape = UC_NEW(arena, int64_t, UNCORK_MAX_RANK);
        if (!layer->name || !shape) return uc_fail_memory(error);
        if (layer->rank > 0) memcpy(shape, out->shape, (size_t)out->rank * sizeof *shape);
        layer->shape = shape;
    }
    for (size_t i = 0; i < summary->count; i++) {
        summary->parameters += summary->layers[i].parameters;
        summary->weight_bytes += summary->layers[i].weight_bytes;
        summary->macs += summary->layers[i].macs;
    }
    return UNCORK_OK;
}

uncork_status uc_summary_of(const uncork_file *file, const char *entry, const uncork_limits *limits,
                            uc_arena *arena, uc_summary *summary, uncork_error *error)
{
    const uc_import *import = &file->import;
    const uc_import_options options = {.input_dtype = UNCORK_DTYPE_NONE};
    uc_budget budget;
    uc_budget_init(&budget, limits, import->bytes.size);
    *summary = (uc_summary){0};
    uc_arena *own = uc_arena_new(&budget);
    uc_graph *g = own ? uc_graph_new(own, &budget, error) : NULL;
    uncork_status status = g ? UNCORK_OK : uc_fail_memory(error);
    uc_findings unused = {.arena = own};
    if (status == UNCORK_OK)
        status = import->importer->import(import, entry, &options, g, &unused, error);
    if (status == UNCORK_OK) status = uc_graph_finish(g);
    if (status == UNCORK_OK) status = list_layers(g, arena, summary, error);
    uc_arena_free(own);
    return status;
}
