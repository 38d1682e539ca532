/* Add(MatMul(x, w), b) -> Gemm(x, w, b): the bias is added where the sums are still in registers.
 * Exact: the same sum, rounded, then the bias, rounded. */
#include "pass/pass.h"

/* How often each value is read, outputs of the graph included. */
static uint32_t *count_uses(const uc_graph *g)
{
    uint32_t *uses = UC_NEW(g->arena, uint32_t, g->value_count);
    for (size_t n = 0; uses && n < g->node_count; n++) {
        for (size_t i = 0; i < g->nodes[n].in_count; i++) {
            uses[g->nodes[n].in[i]]++;
        }
    }
    for (size_t i = 0; uses && i < g->output_count; i++) {
        uses[g->outputs[i]]++;
    }
    return uses;
}

/* The matrix product that alone makes `ref`, over a fed matrix and constant weights; or NULL. */
static const uc_node *product_of(const uc_graph *g, uc_ref ref, const uint32_t *uses)
{
    int32_t producer = g->values[ref].producer;
    if (producer < 0 || uses[ref] != 1) return NULL;
    const uc_node *node = &g->nodes[producer];
    if (node->op != &uc_op_matmul) return NULL;
    const uc_graph_value *x = &g->values[node->in[0]], *w = &g->values[node->in[1]];
    bool floats = x->dtype == UNCORK_FLOAT32 || x->dtype == UNCORK_FLOAT64;
    return floats && x->rank == 2 && w->constant && w->rank == 2 ? node : NULL;
}

/* One number a column of the product. */
static bool is_bias(const uc_graph *g, uc_ref ref, const uc_node *product)
{
    const uc_graph_value *b = &g->values[ref], *w = &g->values[product->in[1]];
    bool row = b->rank == 1 || (b->rank == 2 && b->shape[0] == 1);
    return b->constant && row && b->dtype == w->dtype && b->shape[b->rank - 1] == w->shape[1];
}

static uncork_status run(uc_graph *g, bool *changed)
{
    const uint32_t *uses = count_uses(g);
    if (!uses) return uc_arena_status(g->arena, g->error);
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *add = &g->nodes[n];
        if (add->op != &uc_op_add) continue;
        for (int side = 0; side < 2; side++) {
            const uc_node *product = product_of(g, add->in[side], uses);
            if (!product || !is_bias(g, add->in[1 - side], product)) continue;
            uc_ref *in = UC_NEW(g->arena, uc_ref, 3);
            if (!in) return uc_arena_status(g->arena, g->error);
            in[0] = product->in[0];
            in[1] = product->in[1];
            in[2] = add->in[1 - side];
            add->op = &uc_op_gemm;
            add->in = in;
            add->in_count = 3;
            *changed = true;
            break;
        }
    }
    return UNCORK_OK;
}

const uc_pass uc_pass_fuse_bias = {.name = "fuse_bias", .exact = true, .run = run};
