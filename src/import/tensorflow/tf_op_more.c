/* Products of matrices, losses, cells, resizes, tables.
 * Source: tensorflow/core/kernels/{matmul_op_impl.h,xent_op.cc,rnn/lstm_ops.cc,rnn/gru_ops.cc},
 * image/resize_*_op.cc, lookup_table_op.cc. */
#include "import/tensorflow/tf_ops.h"

#include <inttypes.h>

/* ---- products -------------------------------------------------------------------------------- */

/* The last two axes of input i changed. */
static uc_ref swapped(uc_tf_call *c, size_t i)
{
    int64_t perm[UNCORK_MAX_RANK];
    const uc_ref x = uc_tf_in(c, i);
    const int rank = uc_tf_rank(c, x);
    if (c->graph->status) return 0;
    if (rank < 2) return uc_tf_fail(c, "%d dimensions", rank);
    for (int d = 0; d < rank; d++) {
        perm[d] = d < rank - 2 ? d : 2 * rank - 3 - d;
    }
    uc_ref y = uc_tf_weight(c, i, perm, (size_t)rank);
    if (uc_tf_is_complex(uc_tf_dtype_of(c, x)) && uc_tf_has(c, "adj_x"))
        y = uc_g1(c->graph, "uncork.TfConj", y);
    return y;
}

void uc_tf_op_matmul(uc_tf_call *c)
{
    const bool batch = c->node->op.data[0] == 'B';
    const uc_ref a =
        uc_tf_bool(c, batch ? "adj_x" : "transpose_a") ? swapped(c, 0) : uc_tf_in(c, 0);
    const uc_ref b =
        uc_tf_bool(c, batch ? "adj_y" : "transpose_b") ? swapped(c, 1) : uc_tf_in(c, 1);
    const uncork_dtype dtype = uc_tf_dtype_of(c, a);
    const char *op = uc_tf_is_complex(dtype) ? "uncork.TfComplexMatMul" : "MatMul";
    uc_ref y = uc_g2(c->graph, op, a, b);
    const uncork_dtype to = uc_tf_has(c, "Tout") ? uc_tf_type(c, "Tout") : dtype;
    uc_tf_out(c, 0, to == dtype ? y : uc_g_cast(c->graph, y, to));
}

void uc_tf_op_einsum(uc_tf_call *c)
{
    const size_t count = uc_tf_in_count(c);
    uc_ref in[16];
    if (count > 16) {
        uc_tf_fail(c, "%zu inputs", count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        in[i] = uc_tf_in(c, i);
    }
    const uc_str s = uc_tf_str(c, "equation");
    uc_node *n = uc_graph_node(c->graph, "Einsum", in, count, 1);
    const char *equation = uc_arena_copy(c->graph->arena, s.data, s.size);
    uc_node_str(c->graph, n, "equation", equation ? equation : "");
    uc_tf_out(c, 0, uc_node_out(n, 0));
}

/* ---- losses ---------------------------------------------------------------------------------- */

/* The loss of each row, and its gradient. */
void uc_tf_op_cross_entropy(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref x = uc_tf_in(c, 0);
    uc_ref labels = uc_tf_in(c, 1);
    if (c->node->op.data[1] == 'p') {
        const uc_ref depth = uc_g_gather(g, uc_g1(g, "Shape", x), uc_graph_i64(g, 1), 0);
        const double values[] = {0, 1};
        const uc_ref both = uc_g_cast(g, uc_graph_f64s(g, values, 2), uc_tf_dtype_of(c, x));
        labels = uc_g3(g, "OneHot", uc_tf_i64(c, 1), depth, both);
    }
    uc_node *n = uc_graph_node(g, "LogSoftmax", &x, 1, 1);
    uc_node_int(g, n, "axis", -1);
    const uc_ref logs = uc_node_out(n, 0);
    const uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", labels, logs), -1, false);
    uc_tf_out(c, 0, uc_g1(g, "Neg", sum));
    uc_tf_out(c, 1, uc_g2(g, "Sub", uc_g_softmax(g, x, -1), labels));
}

/* ---- resizes --------------------------------------------------------------------------------- */

/* x [N, C, H, W] to float32 of another size, with TensorFlow's own rounding. */
uc_ref uc_tf_resize_linear(uc_tf_call *c, uc_ref x, uc_ref size, bool align, bool half)
{
    uc_graph *g = c->graph;
    if (uc_tf_dtype_of(c, x) != UNCORK_FLOAT32) x = uc_g_cast(g, x, UNCORK_FLOAT32);
    const uc_ref in[] = {x, size};
    uc_node *n = uc_graph_node(g, "uncork.TfResizeBilinear", in, 2, 1);
    uc_node_int(g, n, "align_corners", align);
    uc_node_int(g, n, "half_pixel_centers", half);
    return uc_node_out(n, 0);
}

/* Linear and nearest as [N, C, H, W]: the result of linear ones is float32. */
void uc_tf_op_resize(uc_tf_call *c)
{
    static const int64_t axes[] = {2, 3};
    uc_graph *g = c->graph;
    const bool nearest = strcmp(c->node->row->onnx, "nearest") == 0;
    const bool align = uc_tf_bool(c, "align_corners"), half = uc_tf_bool(c, "half_pixel_centers");
    const uc_ref x = uc_tf_first(c, 0), size = uc_tf_i64(c, 1);
    if (!nearest) {
        uc_tf_out_first(c, 0, uc_tf_resize_linear(c, x, size, align, half));
        return;
    }
    const uc_ref in[] = {x, 0, 0, size};
    uc_node *n = uc_graph_node(g, "Resize", in, 4, 1);
    uc_node_ints(g, n, "axes", axes, 2);
    uc_node_str(g, n, "mode", "nearest");
    uc_node_str(g, n, "coordinate_transformation_mode",
                align  ? "align_corners"
                : half ? "tf_half_pixel_for_nn"
                       : "asymmetric");
    uc_node_str(g, n, "nearest_mode", align ? "round_prefer_ceil" : "floor");
    uc_tf_out_first(c, 0, uc_node_out(n, 0));
}

/* ---- tables ---------------------------------------------------------------------------------- */

void uc_tf_op_table_find(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const uc_tf_table *t = uc_tf_table_in(c, 0);
    if (!t) return;
    const uc_ref in[] = {uc_tf_in(c, 1), uc_tf_in(c, 2), uc_graph_const(g, t->keys),
                         uc_graph_const(g, t->values)};
    uc_tf_out(c, 0, uc_node_out(uc_graph_node(g, "uncork.TfLookup", in, 4, 1), 0));
}

void uc_tf_op_table_size(uc_tf_call *c)
{
    const uc_tf_table *t = uc_tf_table_in(c, 0);
    if (t) uc_tf_out(c, 0, uc_graph_i64(c->graph, t->keys->rank ? t->keys->shape[0] : 1));
}

void uc_tf_op_table_export(uc_tf_call *c)
{
    const uc_tf_table *t = uc_tf_table_in(c, 0);
    if (!t) return;
    uc_tf_out(c, 0, uc_graph_const(c->graph, t->keys));
    uc_tf_out(c, 1, uc_graph_const(c->graph, t->values));
}

/* ---- patterns -------------------------------------------------------------------------------- */

/* A constant string of input i as an attribute. */
static const char *string_in(uc_tf_call *c, size_t i)
{
    const uc_tensor *t = uc_tf_constant(c, i);
    if (!t || t->dtype != UNCORK_STRING || uc_tensor_count(t) != 1) {
        if (!c->graph->status) uc_tf_fail(c, "its pattern isn't a constant");
        return "";
    }
    const uc_str s = uc_tensor_string(t, 0);
    const char *copy = uc_arena_copy(c->graph->arena, s.data, s.size);
    return copy ? copy : "";
}

static const char *string_attr(uc_tf_call *c, const char *name)
{
    const uc_str s = uc_tf_str(c, name);
    const char *copy = uc_arena_copy(c->graph->arena, s.data, s.size);
    return copy ? copy : "";
}

void uc_tf_op_regex_match(uc_tf_call *c)
{
    const uc_ref x = uc_tf_in(c, 0);
    uc_node *n = uc_graph_node(c->graph, "RegexFullMatch", &x, 1, 1);
    const bool fixed = uc_tf_in_count(c) == 1;
    uc_node_str(c->graph, n, "pattern", fixed ? string_attr(c, "pattern") : string_in(c, 1));
    uc_tf_out(c, 0, uc_node_out(n, 0));
}

void uc_tf_op_regex_replace(uc_tf_call *c)
{
    const uc_ref x = uc_tf_in(c, 0);
    uc_node *n = uc_graph_node(c->graph, "uncork.TfStaticRegexReplace", &x, 1, 1);
    const bool fixed = uc_tf_in_count(c) == 1;
    uc_node_str(c->graph, n, "pattern", fixed ? string_attr(c, "pattern") : string_in(c, 1));
    uc_node_str(c->graph, n, "rewrite", fixed ? string_attr(c, "rewrite") : string_in(c, 2));
    uc_node_int(c->graph, n, "replace_global", uc_tf_bool(c, "replace_global"));
    uc_tf_out(c, 0, uc_node_out(n, 0));
}

/* The generator's state as the file has it: no run moves it on. */
void uc_tf_op_rng_read(uc_tf_call *c) { uc_tf_out(c, 0, uc_tf_variable_in(c, 0)); }
