/* Every invariant of a graph, one function each. The builder keeps most of them; a pass or a
 * importer that writes nodes itself is caught here, before anything runs. */
#include "graph/graph_infer.h"

static uncork_status broken(uc_graph *g, const uc_node *node, const char *what, size_t i)
{
    g->where = node->where;
    uc_graph_fail(g, UNCORK_MALFORMED, "%s: %s %zu", node->op->name, what, i);
    return g->status;
}

static bool is_ref(const uc_graph *g, uc_ref ref)
{
    return ref >= 0 && (size_t)ref < g->value_count;
}

/* Inputs exist and come from earlier nodes: so there is no cycle. */
static uncork_status check_inputs(uc_graph *g, const uc_node *node, size_t index)
{
    for (size_t i = 0; i < node->in_count; i++) {
        uc_ref ref = node->in[i];
        if (!is_ref(g, ref)) return broken(g, node, "no such value is input", i);
        if (ref == 0 && i < (size_t)node->op->in.min) {
            return broken(g, node, "nothing is fed to required input", i);
        }
        if (g->values[ref].producer >= (int32_t)index) {
            return broken(g, node, "a later node feeds input", i);
        }
    }
    return UNCORK_OK;
}

/* Each output is made by this node alone. */
static uncork_status check_outputs(uc_graph *g, const uc_node *node, size_t index)
{
    for (size_t i = 0; i < node->out_count; i++) {
        uc_ref ref = node->out[i];
        if (!is_ref(g, ref)) return broken(g, node, "no such value is output", i);
        if (ref && g->values[ref].producer != (int32_t)index) {
            return broken(g, node, "another node makes output", i);
        }
        if (ref && g->values[ref].constant) return broken(g, node, "a constant is output", i);
    }
    return UNCORK_OK;
}

static uncork_status check_attrs(uc_graph *g, const uc_node *node)
{
    for (size_t i = 0; i < node->attr_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(node->attrs[i].name, node->attrs[k].name) == 0) {
                return broken(g, node, "an attribute is given twice, the second time as", i);
            }
        }
    }
    if (node->layout != UC_LAYOUT_FIRST && !node->op->spatial) {
        return broken(g, node, "channels last isn't for this operator, layout", node->layout);
    }
    return UNCORK_OK;
}

static uncork_status check_results(uc_graph *g)
{
    for (size_t i = 0; i < g->output_count; i++) {
        if (!is_ref(g, g->outputs[i]) || g->outputs[i] == 0) {
            uc_graph_fail(g, UNCORK_MALFORMED, "output %zu of the graph is no value", i);
            return g->status;
        }
    }
    if (g->output_count == 0) uc_graph_fail(g, UNCORK_MALFORMED, "the graph has no output");
    return g->status;
}

uncork_status uc_graph_check(uc_graph *g)
{
    for (size_t i = 0; i < g->node_count; i++) {
        UC_TRY(check_inputs(g, &g->nodes[i], i));
        UC_TRY(check_outputs(g, &g->nodes[i], i));
        UC_TRY(check_attrs(g, &g->nodes[i]));
    }
    return check_results(g);
}
