/* Regions of convolutions work on blocked tensors, [N, ceil(C/b), H, W, b] with b channels in a vector:
 * each convolution becomes uncork.BlockConv, and what lies between (pools, elementwise operators,
 * concatenations) follows. ToBlocked and FromBlocked stand at the edges only, where a value is read by
 * both kinds of nodes or is an output.
 *
 * A convolution always pays for the change: the plain one unfolds its input or runs along rows, which
 * costs more than two passes over it. Anything else changes only when its inputs are blocked already.
 * Not exact: the sums of a convolution are formed in another order. */
#include "pass/layout.h"
#include "base/cpu.h"

bool uc_layout_has(const uc_layout_pass *p, uc_ref ref)
{
    return (size_t)ref < p->value_count && p->blocked[ref] != 0;
}

int64_t uc_layout_channels(const uc_layout_pass *p, uc_ref ref)
{
    const uc_graph_value *v = &p->g->values[ref];
    bool picture = v->dtype == UNCORK_FLOAT32 && v->kind == UC_TENSOR && v->rank == 4;
    return picture && v->shape[1] > 0 ? v->shape[1] : 0;
}

uc_ref uc_layout_blocked(uc_layout_pass *p, uc_ref ref)
{
    if (uc_layout_has(p, ref)) return p->blocked[ref];
    uc_node *node = uc_graph_node(p->g, p->half ? "uncork.ToHalf" : "uncork.ToBlocked", &ref, 1, 1);
    if (!p->half) uc_node_int(p->g, node, "block", p->block);
    if (p->g->status != UNCORK_OK) return 0;
    p->blocked[ref] = uc_node_out(node, 0);
    return p->blocked[ref];
}

/* A new value takes the place of the node's output, which a FromBlocked will make if anyone asks. */
uncork_status uc_layout_done(uc_layout_pass *p, size_t node)
{
    uc_graph *g = p->g;
    if (g->status != UNCORK_OK) return g->status;
    uc_ref plain = g->nodes[node].out[0];
    uc_graph_value *values =
        uc_arena_grow(g->arena, g->values, &g->value_capacity, g->value_count + 1, sizeof *values);
    uc_ref *out = UC_NEW(g->arena, uc_ref, 1);
    if (!values || !out) return uc_arena_status(g->arena, g->error);
    g->values = values;
    values[g->value_count] =
        (uc_graph_value){.rank = -1, .producer = (int32_t)node, .kind = UC_TENSOR};
    out[0] = (uc_ref)g->value_count++;
    g->nodes[node].out = out;
    g->nodes[node].out_count = 1;
    values[plain].producer = -1;
    p->blocked[plain] = out[0];
    p->changed = true;
    return UNCORK_OK;
}

/* ---- the edges ---------------------------------------------------------------------------- */

/* Makes the plain value again, unless it is there. */
static uncork_status make_plain(uc_layout_pass *p, uc_ref ref)
{
    uc_graph *g = p->g;
    if (!uc_layout_has(p, ref) || g->values[ref].producer >= 0) return UNCORK_OK;
    bool fed = false;
    for (size_t i = 0; i < g->input_count; i++) {
        fed = fed || g->inputs[i] == ref;
    }
    if (fed || g->values[ref].constant) return UNCORK_OK;
    uc_node *node = uc_graph_node(g, p->half ? "uncork.FromHalf" : "uncork.FromBlocked",
                                  &p->blocked[ref], 1, 1);
    if (!p->half) {
        uc_node_int(g, node, "block", p->block);
        uc_node_int(g, node, "channels", g->values[ref].shape[1]);
    }
    if (g->status != UNCORK_OK) return g->status;
    int32_t index = g->values[node->out[0]].producer;
    g->values[node->out[0]].producer = -1;
    node->out[0] = ref;
    g->values[ref].producer = index;
    return UNCORK_OK;
}

static uncork_status make_edges(uc_layout_pass *p)
{
    uc_graph *g = p->g;
    size_t count = g->node_count;
    for (size_t n = 0; n < count; n++) {
        for (size_t i = 0; i < g->nodes[n].in_count; i++) {
            UC_TRY(make_plain(p, g->nodes[n].in[i]));
        }
    }
    for (size_t i = 0; i < g->output_count; i++) {
        UC_TRY(make_plain(p, g->outputs[i]));
    }
    return uc_rewrite_order(g);
}

static uncork_status change(uc_layout_pass *p, size_t node)
{
    const uc_node *n = &p->g->nodes[node];
    if (n->in_count == 0 || n->out_count == 0 || !n->out[0]) return UNCORK_OK;
    if (!uc_layout_channels(p, n->out[0])) return UNCORK_OK;
    if (uc_is_op(n, "Conv") || uc_is_ext(n, "FusedConv")) return uc_layout_convolution(p, node);
    if (!uc_layout_has(p, n->in[0]) && !(n->in_count > 1 && uc_layout_has(p, n->in[1]))) {
        return UNCORK_OK;
    }
    /* each looks at the operator first */
    if (uc_is_op(n, "Concat")) return (p->half ? uc_half_concat : uc_layout_concat)(p, node);
    UC_TRY((p->half ? uc_half_elementwise : uc_layout_elementwise)(p, node));
    return uc_layout_pool(p, node);
}

uncork_status uc_layout_run(uc_graph *g, bool half, bool *changed)
{
    uc_layout_pass p = {.g = g,
                        .half = half,
                        .block = uc_cpu_features() & UC_CPU_AVX512 ? 16 : 8,
                        .value_count = g->value_count};
    UC_TRY(uc_rewrite_init(&p.rewrite, g));
    p.blocked = UC_NEW(g->arena, uc_ref, g->value_count);
    if (!p.blocked) return uc_arena_status(g->arena, g->error);
    size_t count = g->node_count;
    for (size_t n = 0; n < count; n++) {
        UC_TRY(change(&p, n));
    }
    if (!p.changed) return g->status;
    *changed = true;
    return make_edges(&p);
}

static uncork_status run(uc_graph *g, bool *changed) { return uc_layout_run(g, false, changed); }

const uc_pass uc_pass_layout = {.name = "layout", .run = run};
