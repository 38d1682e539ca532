/* Layers of a graph with what they hold and cost. */
#include "model/summary.h"

#include "model/model_internal.h"

#include <stdlib.h>

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
    const bool conv = (strncmp(op, "Conv", 4) == 0 && strcmp(op, "ConvTranspose") != 0) ||
                      strcmp(op, "QConv") == 0 || strcmp(op, "QHybrid") == 0;
    if (conv) {
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

/* Bytes of a value of one input; 0 where its shape isn't known or it is a constant. */
static uint64_t value_bytes(const uc_graph_value *v)
{
    const bool tensor = v->kind == UC_TENSOR || v->kind == UC_NOTHING;
    uint64_t n = 0;
    if (!tensor || v->rank < 0 || v->constant || v->dtype == UNCORK_STRING) return 0;
    if (__builtin_mul_overflow(product(v->shape, v->rank), (uint64_t)uc_dtype_bits(v->dtype), &n))
        return 0;
    return n / 8;
}

/* Every value lives from the node that gives it to the last that takes it. */
static uncork_status measure_peak(const uc_graph *g, uc_arena *arena, uc_summary *summary,
                                  uncork_error *error)
{
    size_t *last = UC_NEW(arena, size_t, g->value_count + 1);
    uint64_t held = 0;
    if (!last) return uc_fail_memory(error);
    for (size_t i = 0; i < g->node_count; i++) {
        for (size_t k = 0; k < g->nodes[i].in_count; k++) {
            if (g->nodes[i].in[k] > 0) last[g->nodes[i].in[k]] = i + 1;
        }
    }
    for (size_t i = 0; i < g->output_count; i++) {
        last[g->outputs[i]] = g->node_count + 1;
    }
    for (size_t i = 0; i < g->input_count; i++) {
        held += value_bytes(&g->values[g->inputs[i]]);
    }
    for (size_t i = 0; i < g->node_count; i++) {
        const uc_node *n = &g->nodes[i];
        for (size_t k = 0; k < n->out_count; k++) {
            if (n->out[k] > 0) held += value_bytes(&g->values[n->out[k]]);
        }
        if (held > summary->peak_bytes) summary->peak_bytes = held;
        for (size_t k = 0; k < n->in_count; k++) { /* once: a value may be taken twice */
            const uc_ref ref = n->in[k];
            if (ref <= 0 || last[ref] != i + 1) continue;
            held -= value_bytes(&g->values[ref]);
            last[ref] = 0;
        }
    }
    return UNCORK_OK;
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
        layer->out_bytes = value_bytes(out);
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
    return measure_peak(g, arena, summary, error);
}

/* ---- what leads where ---- */

static int by_ends(const void *a, const void *b)
{
    const uc_summary_edge *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

static const char *name_of(const uc_graph *g, uc_ref ref, uc_arena *arena)
{
    const char *name = g->values[ref].name;
    return uc_arena_str(arena, name ? name : "");
}

/* `giver` of each value: 1 + the place of what gives it; 0: a constant. */
static void add_edges(const uc_graph *g, const size_t *giver, uc_summary *s)
{
    size_t layer = 0;
    for (size_t i = 0; i < g->node_count; i++) {
        const uc_node *n = &g->nodes[i];
        if (i && !uc_same_layer(n, &g->nodes[i - 1])) layer++;
        for (size_t k = 0; k < n->in_count; k++) {
            const size_t from = n->in[k] > 0 ? giver[n->in[k]] : 0;
            if (from && from - 1 != s->input_count + layer)
                s->edges[s->edge_count++] = (uc_summary_edge){from - 1, s->input_count + layer};
        }
    }
    for (size_t i = 0; i < g->output_count; i++) {
        const size_t from = giver[g->outputs[i]];
        if (from)
            s->edges[s->edge_count++] = (uc_summary_edge){from - 1, s->input_count + s->count + i};
    }
}

static uncork_status list_edges(const uc_graph *g, uc_arena *arena, uc_summary *s,
                                uncork_error *error)
{
    size_t *giver = UC_NEW(arena, size_t, g->value_count + 1), most = g->output_count, layer = 0;
    s->inputs = UC_NEW(arena, const char *, g->input_count + 1);
    s->outputs = UC_NEW(arena, const char *, g->output_count + 1);
    for (size_t i = 0; i < g->node_count; i++) {
        most += g->nodes[i].in_count;
    }
    s->edges = UC_NEW(arena, uc_summary_edge, most + 1);
    if (!giver || !s->inputs || !s->outputs || !s->edges) return uc_fail_memory(error);
    for (size_t i = 0; i < g->input_count; i++) {
        giver[g->inputs[i]] = i + 1;
        s->inputs[s->input_count++] = name_of(g, g->inputs[i], arena);
    }
    for (size_t i = 0; i < g->node_count; i++) {
        if (i && !uc_same_layer(&g->nodes[i], &g->nodes[i - 1])) layer++;
        for (size_t k = 0; k < g->nodes[i].out_count; k++) {
            if (g->nodes[i].out[k] > 0) giver[g->nodes[i].out[k]] = s->input_count + layer + 1;
        }
    }
    for (size_t i = 0; i < g->output_count; i++) {
        s->outputs[s->output_count++] = name_of(g, g->outputs[i], arena);
    }
    add_edges(g, giver, s);
    qsort(s->edges, s->edge_count, sizeof *s->edges, by_ends);
    size_t kept = 0;
    for (size_t i = 0; i < s->edge_count; i++) {
        if (!kept || by_ends(&s->edges[i], &s->edges[kept - 1]) != 0)
            s->edges[kept++] = s->edges[i];
    }
    s->edge_count = kept;
    return uc_arena_status(arena, error);
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
    if (status == UNCORK_OK) status = list_edges(g, arena, summary, error);
    uc_arena_free(own);
    return status;
}
