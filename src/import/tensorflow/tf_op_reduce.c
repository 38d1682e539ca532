/* Reductions, and what runs along an axis.
 * Source: tensorflow/core/kernels/reduction_ops_*.cc, argmax_op.cc, scan_ops.cc, topk_op.cc. */
#include "import/tensorflow/tf_ops.h"

static uc_ref flat(uc_graph *g, uc_ref a)
{
    const int64_t shape[] = {-1};
    return uc_g_reshape(g, a, shape, 1);
}

/* Sums and products of integers wrap. */
static bool wraps(const char *op, uncork_dtype dtype)
{
    return (strcmp(op, "ReduceSum") == 0 || strcmp(op, "ReduceProd") == 0) &&
           uc_dtype_is_integer(dtype) && uc_dtype_size(dtype) < 8;
}

static uc_ref reduce(uc_tf_call *c, const char *op, uc_ref x, uc_ref axes)
{
    const uncork_dtype dtype = uc_tf_dtype_of(c, x);
    const bool wrap = wraps(op, dtype);
    const uc_ref in[] = {wrap ? uc_g_cast(c->graph, x, UNCORK_INT64) : x, axes};
    uc_node *n = uc_graph_node(c->graph, op, in, 2, 1);
    uc_node_int(c->graph, n, "keepdims", uc_tf_bool(c, "keep_dims"));
    uc_node_int(c->graph, n, "noop_with_empty_axes", 1);
    return wrap ? uc_g_cast(c->graph, uc_node_out(n, 0), dtype) : uc_node_out(n, 0);
}

/* The axes of [N, spatial..., C] where they lie in [N, C, spatial...]; false: what is left isn't so laid. */
static bool first_axes(uc_tf_call *c, int rank, uc_ref *axes)
{
    int64_t at[UNCORK_MAX_RANK];
    const size_t n = uc_tf_known(c, 1, at, UNCORK_MAX_RANK);
    bool spatial[UNCORK_MAX_RANK] = {false};
    if (n == SIZE_MAX || n == 0 || rank < 3) return false;
    int count = 0;
    for (size_t i = 0; i < n; i++) {
        if (at[i] < 0) at[i] += rank;
        if (at[i] < 0 || at[i] >= rank) return false;
        if (at[i] > 0 && at[i] < rank - 1 && !spatial[at[i]]) {
            spatial[at[i]] = true;
            count++;
        }
        at[i] = at[i] == 0 ? 0 : at[i] == rank - 1 ? 1 : at[i] + 1;
    }
    /* Without the spatial axes [N, C] is the same in both layouts. */
    const bool keep = uc_tf_bool(c, "keep_dims");
    if (!keep && !(count == rank - 2 && n == (size_t)count)) return false;
    *axes = uc_graph_i64s(c->graph, at, (int64_t)n);
    return true;
}

void uc_tf_op_reduce(uc_tf_call *c)
{
    uc_ref axes = 0;
    const char *op = c->node->row->onnx;
    if (uc_tf_is_first(c, 0)) {
        const uc_ref x = uc_tf_first(c, 0);
        if (first_axes(c, uc_tf_rank(c, x), &axes)) {
            uc_tf_give(c, reduce(c, op, x, axes), uc_tf_bool(c, "keep_dims"));
            return;
        }
    }
    const uc_ref x = uc_tf_in(c, 0);
    axes = flat(c->graph, uc_tf_i64(c, 1));
    if (uc_tf_is_complex(uc_tf_dtype_of(c, x))) {
        const uc_ref in[] = {x, axes};
        uc_tf_out(c, 0, uc_node_out(uc_tf_direct_node(c, "uncork.TfComplexReduce", in, 2, 1), 0));
        return;
    }
    uc_tf_out(c, 0, reduce(c, op, x, axes));
}

void uc_tf_op_reduce_bool(uc_tf_call *c)
{
    const uc_ref x = uc_g_cast(c->graph, uc_tf_in(c, 0), UNCORK_UINT8);
    const uc_ref y = reduce(c, c->node->row->onnx, x, flat(c->graph, uc_tf_i64(c, 1)));
    uc_tf_out(c, 0, uc_g_cast(c->graph, y, UNCORK_BOOL));
}

void uc_tf_op_cumulative(uc_tf_call *c)
{
    const int64_t scalar[] = {0};
    const uc_ref axis = uc_g_reshape(c->graph, uc_tf_i64(c, 1), scalar, 0);
    const uc_ref in[] = {uc_tf_in(c, 0), axis};
    uc_node *n = uc_graph_node(c->graph, c->node->row->onnx, in, 2, 1);
    uc_node_int(c->graph, n, "exclusive", uc_tf_bool(c, "exclusive"));
    uc_node_int(c->graph, n, "reverse", uc_tf_bool(c, "reverse"));
    uc_tf_out(c, 0, uc_node_out(n, 0));
}

static void give_top_k(uc_tf_call *c, uc_ref k, bool largest)
{
    uc_graph *g = c->graph;
    const uc_ref in[] = {uc_tf_in(c, 0), flat(g, k)};
    uc_node *n = uc_graph_node(g, "TopK", in, 2, 2);
    uc_node_int(g, n, "axis", -1);
    uc_node_int(g, n, "largest", largest);
    const uc_ref values = uc_node_out(n, 0), at = uc_node_out(n, 1);
    const uncork_dtype index = uc_tf_type(c, "index_type");
    uc_tf_out(c, 0, values);
    uc_tf_out(c, 1, uc_g_cast(g, at, index ? index : UNCORK_INT32));
}

void uc_tf_op_top_k_v2(uc_tf_call *c) { give_top_k(c, uc_tf_i64(c, 1), true); }
void uc_tf_op_top_k(uc_tf_call *c)
{
    give_top_k(c, uc_graph_i64(c->graph, uc_tf_int(c, "k")), true);
}
