/* Products of matrices. Source: tensorflow/lite/kernels/{fully_connected,batch_matmul}.cc. */
#include "import/tflite/tflite_layout.h"
#include "import/tflite/tflite_quant.h"

#include <inttypes.h>

/* x as [rows, in], its bytes reshaped before they become numbers. */
static uc_ref rows_of(uc_tfl_call *c, int64_t width)
{
    const int64_t shape[] = {-1, width};
    const uc_ref raw = uc_tfl_raw(c, 0);
    if (uc_tfl_rank(c, raw) == 2 && uc_tfl_dim(c, raw, 1) == width) return uc_tfl_in(c, 0);
    return uc_tfl_real(c, 0, uc_g_reshape(c->graph, raw, shape, 2));
}

/* The shape of x with another last dimension. */
static uc_ref shape_like(uc_tfl_call *c, uc_ref x, int64_t last)
{
    const uc_ref shape = uc_g1(c->graph, "Shape", x);
    const uc_ref parts[] = {uc_g_slice(c->graph, shape, 0, 0, -1),
                            uc_graph_i64s(c->graph, &last, 1)};
    return uc_g_concat(c->graph, parts, 2, 0);
}

void uc_tfl_fully_connected(uc_tfl_call *c)
{
    if (uc_tfl_q_fully_connected(c) || uc_tfl_hybrid_fully_connected(c)) return;
    static const int64_t same[] = {0, 1};
    uc_graph *g = c->graph;
    const uc_ref weights = uc_tfl_weight(c, 1, same, 2);
    const int64_t out = uc_tfl_dim(c, weights, 0), width = uc_tfl_dim(c, weights, 1);
    if (g->status) return;
    if (uc_tfl_i8(c, 1, 0) != 0 || out < 1 || width < 1) {
        uc_tfl_fail(c, "its weights are shuffled or of unknown size");
        return;
    }
    const uc_ref bias = uc_tfl_has(c, 2) ? uc_tfl_bias(c, 2) : 0;
    const uc_ref in[] = {rows_of(c, width), weights, bias};
    uc_node *n = uc_graph_node(g, "Gemm", in, bias ? 3 : 2, 1);
    uc_node_int(g, n, "transB", 1);
    const uc_ref y = uc_tfl_fused(c, 0, uc_node_out(n, 0));
    const bool keep = uc_fb_bool(c->options, 2, false);
    const uc_ref x = uc_tfl_raw(c, 0);
    uc_tfl_out(c, 0, y);
    if (!keep || uc_tfl_rank(c, x) == 2 || g->status) return;
    uc_tfl_value *v = &c->scope->values[c->op->out[0]];
    v->raw = uc_g2(g, "Reshape", v->raw, shape_like(c, x, out));
}

static uc_ref turned(uc_tfl_call *c, uc_ref a)
{
    int64_t perm[UNCORK_MAX_RANK];
    const int rank = uc_tfl_rank(c, a);
    if (rank < 2) return uc_tfl_fail(c, "a matrix of %d dimensions", rank);
    for (int i = 0; i < rank; i++) {
        perm[i] = i;
    }
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    return uc_tfl_transpose(c->graph, a, perm, (size_t)rank);
}

/* Products of the integers, then their sums as the output's. */
static bool quantised_matmul(uc_tfl_call *c)
{
    const uc_tfl_tensor *a = uc_tfl_tensor_in(c, 0), *b = uc_tfl_tensor_in(c, 1);
    const uc_tfl_tensor *y = uc_tfl_tensor_out(c, 0);
    uc_graph *g = c->graph;
    if (!uc_tfl_q_is(c, a) || !uc_tfl_q_is(c, b) || !uc_tfl_q_is(c, y)) return false;
    if (a->dtype != b->dtype || a->dtype != y->dtype) return false;
    const bool wide = a->dtype == UNCORK_INT16;
    uc_ref x = uc_tfl_raw(c, 0), w = uc_tfl_raw(c, 1), sums;
    if (uc_fb_bool(c->options, 0, false)) x = turned(c, x);
    if (uc_fb_bool(c->options, 1, false)) w = turned(c, w);
    if (g->status) return true;
    if (wide) {
        sums = uc_g2(g, "MatMul", uc_g_cast(g, x, UNCORK_INT64), uc_g_cast(g, w, UNCORK_INT64));
    } else {
        const uc_ref in[] = {x, w, uc_tfl_zero(c, a), uc_tfl_zero(c, b)};
        sums = uc_node_out(uc_graph_node(g, "MatMulInteger", in, 4, 1), 0);
    }
    /* XNNPACK takes a second matrix as it takes weights: around 0. */
    const bool taken =
        uc_tfl_q_delegates(c, a, b) && uc_tfl_q_delegates(c, a, y) && b->zero[0] == 0;
    uc_node *n = uc_graph_node(g, "uncork.QScale", &sums, 1, 1);
    uc_node_int(g, n, "to", uc_tfl_q_dtype(c, y));
    uc_node_str(g, n, "rounding", taken ? "float" : "twice");
    uc_node_float(g, n, "a_scale", (double)a->scale[0]);
    uc_node_float(g, n, "b_scale", (double)b->scale[0]);
    uc_tfl_q_put(c, n, "y", y);
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
    return true;
}

void uc_tfl_batch_matmul(uc_tfl_call *c)
{
    if (quantised_matmul(c)) return;
    uc_ref a = uc_tfl_in(c, 0), b = uc_tfl_in(c, 1);
    if (uc_fb_bool(c->options, 0, false)) a = turned(c, a);
    if (uc_fb_bool(c->options, 1, false)) b = turned(c, b);
    uc_tfl_out(c, 0, uc_g2(c->graph, "MatMul", a, b));
}
