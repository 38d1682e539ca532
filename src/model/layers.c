/* Looking inside a network: the value each layer ends in becomes an output. */
#include "model/model_internal.h"

/* Whether a node is needed for the outputs: producers come first, so one walk from the end. */
static void mark_needed(const uc_graph *g, bool *needed)
{
    for (size_t i = 0; i < g->output_count; i++) {
        const int32_t producer = g->values[g->outputs[i]].producer;
        if (producer >= 0) needed[producer] = true;
    }
    for (size_t i = g->node_count; i-- > 0;) {
        const uc_node *n = &g->nodes[i];
        for (size_t k = 0; needed[i] && k < n->in_count; k++) {
            const int32_t producer = g->values[n->in[k]].producer;
            if (producer >= 0) needed[producer] = true;
        }
    }
}

static bool is_quantizing(const uc_node *n)
{
    return strstr(n->op->name, "QuantizeLinear") || strstr(n->op->name, "QLinear") ||
           strstr(n->op->name, "Integer");
}

static const uc_tensor *constant_in(const uc_graph *g, const uc_node *n, size_t i)
{
    return i < n->in_count && n->in[i] > 0 ? g->values[n->in[i]].constant : NULL;
}

uncork_status uc_layers_add(uncork_model *model, uncork_error *error)
{
    uc_graph *g = model->graph;
    bool *needed = UC_NEW(model->arena, bool, g->node_count + 1);
    uc_layer *layers = UC_NEW(model->arena, uc_layer, g->node_count + 1);
    if (!needed || !layers) return uc_fail_memory(error);
    mark_needed(g, needed);
    bool quantized = false;
    for (size_t i = 0; i < g->node_count; i++) {
        const uc_node *n = &g->nodes[i];
        if (!needed[i]) continue;
        quantized = quantized || is_quantizing(n);
        size_t next = i + 1;
        while (next < g->node_count && !needed[next]) {
            next++;
        }
        if (next < g->node_count && uc_same_layer(n, &g->nodes[next])) continue;
        uc_layer *layer = &layers[model->layer_count++];
        *layer = (uc_layer){.name = n->where ? n->where : "",
                            .op = n->op->name,
                            .output = (int)g->output_count,
                            .is_quantized = quantized};
        if (strcmp(n->op->name, "BatchNormalization") == 0) {
            layer->scale = constant_in(g, n, 1);
            layer->bias = constant_in(g, n, 2);
        }
        uc_graph_output(g, layer->name, n->out[0]);
        quantized = false;
    }
    model->layers = layers;
    return UNCORK_OK;
}

size_t uc_model_layer_count(const uncork_model *model) { return model->layer_count; }

const uc_layer *uc_model_layer(const uncork_model *model, size_t i) { return &model->layers[i]; }
