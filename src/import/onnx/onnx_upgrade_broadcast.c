/* Arithmetic and comparison before opset 7: shapes meet by the attributes `broadcast` and `axis`, B's
 * dimensions starting at one of A's. Since then they meet as in NumPy, from the end.
 *
 * Source: onnx/docs/Changelog.md, Add-6 and PRelu-6; onnx/version_converter/adapters/
 * broadcast_backward_compatibility.h. */
#include "import/onnx/onnx_upgrade_steps.h"

/* How many dimensions a value has, as int64 [1]. */
static uc_ref rank_of(uc_graph *g, uc_ref v) { return uc_g1(g, "Shape", uc_g1(g, "Shape", v)); }

/* `b` with `ones` dimensions of 1 behind its own `rank`. */
static uc_ref with_ones(uc_graph *g, uc_ref b, int rank, int ones)
{
    int64_t axes[UNCORK_MAX_RANK];
    for (int i = 0; i < ones; i++) {
        axes[i] = rank + i;
    }
    return uc_g2(g, "Unsqueeze", b, uc_graph_i64s(g, axes, ones));
}

/* The same where ranks are known at run time only: [shape of b..., 1, 1, ...]. */
static uc_ref with_ones_later(uc_graph *g, uc_ref a, uc_ref b, int64_t axis)
{
    const int64_t one = 1;
    uc_ref count = uc_g2(g, "Sub", rank_of(g, a), rank_of(g, b));
    if (axis) count = uc_g2(g, "Sub", count, uc_graph_i64s(g, &axis, 1));
    uc_node *ones = uc_graph_node(g, "ConstantOfShape", &count, 1, 1);
    uc_node_tensor(g, ones, "value", uc_tensor_i64(g->arena, &one, 1));
    const uc_ref parts[] = {uc_g1(g, "Shape", b), uc_node_out(ones, 0)};
    return uc_g2(g, "Reshape", b, uc_g_concat(g, parts, 2, 0));
}

/* Input 1 so that its dimension 0 meets dimension `axis` of input 0. */
static void align(uc_onnx_draft *d, int64_t axis)
{
    uc_ref a = uc_draft_in(d, 0), b = uc_draft_in(d, 1);
    const int rank_a = uc_draft_shape(d, 0, NULL), rank_b = uc_draft_shape(d, 1, NULL);
    if (rank_a < 0 || rank_b < 0) {
        uc_draft_set_in(d, 1, with_ones_later(d->graph, a, b, axis));
        return;
    }
    if (axis < 0) axis += rank_a;
    if (axis < 0 || axis + rank_b > rank_a) {
        uc_draft_fail(d, UNCORK_MALFORMED,
                      "axis %lld leaves no room for an input of rank %d in one of rank %d",
                      (long long)axis, rank_b, rank_a);
        return;
    }
    const int ones = rank_a - (int)axis - rank_b;
    if (ones) uc_draft_set_in(d, 1, with_ones(d->graph, b, rank_b, ones));
}

/* Add, Sub, Mul, Div, Pow, And, Or, Xor, Equal, Greater, Less. Without `axis`, B meets A's last
 * dimensions, which is what NumPy does; without `broadcast`, shapes are equal. */
void uc_onnx_upgrade_broadcast(uc_onnx_draft *d)
{
    if (uc_draft_int(d, "broadcast", 0) && uc_draft_attr(d, "axis")) {
        align(d, uc_draft_int(d, "axis", 0));
    }
    uc_draft_drop(d, "broadcast");
    uc_draft_drop(d, "axis");
}

/* PRelu: a slope of one dimension is one a channel, which is axis 1. */
void uc_onnx_upgrade_prelu(uc_onnx_draft *d)
{
    int64_t slope[UNCORK_MAX_RANK] = {0};
    const int rank = uc_draft_shape(d, 0, NULL);
    if (rank <= 1 || uc_draft_shape(d, 1, slope) != 1 || slope[0] == 1) return;
    align(d, 1);
}
