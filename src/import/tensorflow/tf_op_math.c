/* Arithmetic, element by element.
 * Source: tensorflow/core/kernels/cwise_ops.h, relu_op_functor.h, bias_op.cc, cast_op.cc. */
#include "import/tensorflow/tf_ops.h"

#include <math.h>

/* ---- layouts --------------------------------------------------------------------------------- */

uc_ref uc_tf_take(uc_tf_call *c, size_t i, bool *first)
{
    *first = uc_tf_is_first(c, i);
    return *first ? uc_tf_first(c, i) : uc_tf_in(c, i);
}

void uc_tf_give(uc_tf_call *c, uc_ref ref, bool first)
{
    if (first)
        uc_tf_out_first(c, 0, ref);
    else
        uc_tf_out(c, 0, ref);
}

bool uc_tf_is_complex(uncork_dtype dtype)
{
    return dtype == UNCORK_COMPLEX64 || dtype == UNCORK_COMPLEX128;
}

static uc_ref complex_op(uc_tf_call *c, const char *name, uc_ref a, uc_ref b)
{
    const uc_ref in[] = {a, b};
    uc_node *n = uc_graph_node(c->graph, "uncork.TfComplexMath", in, b ? 2 : 1, 1);
    uc_node_str(c->graph, n, "op", name);
    return uc_node_out(n, 0);
}

/* ---- one input ------------------------------------------------------------------------------- */

/* The ONNX operator, of complex numbers their own. */
void uc_tf_op_unary(uc_tf_call *c)
{
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    const char *op = c->node->row->onnx;
    if (uc_tf_is_complex(uc_tf_dtype_of(c, x)))
        uc_tf_out(c, 0, complex_op(c, op, x, 0));
    else
        uc_tf_give(c, uc_g1(c->graph, op, x), first);
}

/* Of integers nothing is left to do. */
void uc_tf_op_round(uc_tf_call *c)
{
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    const bool whole = uc_dtype_is_integer(uc_tf_dtype_of(c, x));
    uc_tf_give(c, whole ? x : uc_g1(c->graph, "Round", x), first);
}

void uc_tf_op_square(uc_tf_call *c)
{
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    if (uc_tf_is_complex(uc_tf_dtype_of(c, x)))
        uc_tf_out(c, 0, complex_op(c, "Mul", x, x));
    else
        uc_tf_give(c, uc_g2(c->graph, "Mul", x, x), first);
}

void uc_tf_op_rsqrt(uc_tf_call *c)
{
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    uc_tf_give(c, uc_g1(c->graph, "Reciprocal", uc_g1(c->graph, "Sqrt", x)), first);
}

void uc_tf_op_is_finite(uc_tf_call *c)
{
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    const uc_ref none =
        uc_g2(c->graph, "Or", uc_g1(c->graph, "IsNaN", x), uc_g1(c->graph, "IsInf", x));
    uc_tf_give(c, uc_g1(c->graph, "Not", none), first);
}

void uc_tf_op_relu6(uc_tf_call *c)
{
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    uc_tf_give(c, uc_g3(c->graph, "Clip", x, uc_tf_scalar(c, 0, x), uc_tf_scalar(c, 6, x)), first);
}

void uc_tf_op_leaky_relu(uc_tf_call *c)
{
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    uc_node *n = uc_graph_node(c->graph, "LeakyRelu", &x, 1, 1);
    uc_node_float(c->graph, n, "alpha", uc_tf_float(c, "alpha"));
    uc_tf_give(c, uc_node_out(n, 0), first);
}

void uc_tf_op_softmax(uc_tf_call *c)
{
    const uc_ref x = uc_tf_in(c, 0);
    uc_node *n = uc_graph_node(c->graph, c->node->row->onnx, &x, 1, 1);
    uc_node_int(c->graph, n, "axis", -1);
    uc_tf_out(c, 0, uc_node_out(n, 0));
}

/* Half the sum of squares of everything. */
void uc_tf_op_l2_loss(uc_tf_call *c)
{
    const uc_ref x = uc_tf_in(c, 0);
    uc_node *n = uc_graph_node(c->graph, "ReduceSumSquare", &x, 1, 1);
    uc_node_int(c->graph, n, "keepdims", 0);
    uc_tf_out(c, 0, uc_g2(c->graph, "Mul", uc_node_out(n, 0), uc_tf_scalar(c, 0.5, x)));
}

void uc_tf_op_cast(uc_tf_call *c)
{
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    const uncork_dtype from = uc_tf_dtype_of(c, x), to = uc_tf_type(c, "DstT");
    if (!to) {
        uc_tf_fail(c, "to a type that no tensor has");
        return;
    }
    const bool odd = uc_tf_is_complex(from) || uc_tf_is_complex(to) || from == UNCORK_DTYPE_NONE ||
                     uc_tf_bool(c, "Truncate") ||
                     (!uc_dtype_is_float(to) && !uc_dtype_is_integer(from));
    if (!odd) {
        uc_tf_give(c, from == to ? x : uc_g_cast(c->graph, x, to), first);
        return;
    }
    uc_node *n = uc_graph_node(c->graph, "uncork.TfCast", &x, 1, 1);
    uc_node_int(c->graph, n, "DstT", to);
    uc_node_int(c->graph, n, "Truncate", uc_tf_bool(c, "Truncate"));
    uc_tf_give(c, uc_node_out(n, 0), first);
}

/* ---- two inputs ------------------------------------------------------------------------------ */

void uc_tf_op_binary(uc_tf_call *c)
{
    uc_ref a, b;
    const bool first = uc_tf_pair(c, 0, 1, &a, &b);
    const uncork_dtype dtype = uc_tf_dtype_of(c, a);
    const char *op = c->node->row->onnx;
    if (uc_tf_is_complex(dtype)) {
        uc_tf_out(c, 0, complex_op(c, op, uc_tf_in(c, 0), uc_tf_in(c, 1)));
        return;
    }
    if (dtype == UNCORK_STRING && strcmp(op, "Add") == 0) op = "StringConcat";
    uc_tf_give(c, uc_g2(c->graph, op, a, b), first);
}

void uc_tf_op_squared_difference(uc_tf_call *c)
{
    uc_ref a, b;
    const bool first = uc_tf_pair(c, 0, 1, &a, &b);
    const uc_ref d = uc_g2(c->graph, "Sub", a, b);
    uc_tf_give(c, uc_g2(c->graph, "Mul", d, d), first);
}

/* Division of floats; of integers the op's own, which fails for a divisor of zero. */
void uc_tf_op_divide(uc_tf_call *c)
{
    uc_ref a, b;
    const bool first = uc_tf_pair(c, 0, 1, &a, &b);
    const uncork_dtype dtype = uc_tf_dtype_of(c, a);
    if (uc_tf_is_complex(dtype)) {
        uc_tf_out(c, 0, complex_op(c, "Div", uc_tf_in(c, 0), uc_tf_in(c, 1)));
        return;
    }
    if (uc_dtype_is_float(dtype))
        uc_tf_give(c, uc_g2(c->graph, "Div", a, b), first);
    else
        uc_tf_give(c, uc_g2(c->graph, "uncork.TfTruncateDiv", a, b), first);
}

/* Element by element under the op's own name: the layouts are brought together first. */
void uc_tf_op_direct_pair(uc_tf_call *c)
{
    uc_ref in[2];
    const bool first = uc_tf_pair(c, 0, 1, &in[0], &in[1]);
    uc_tf_give(c, uc_node_out(uc_tf_direct_node(c, c->node->row->onnx, in, 2, 1), 0), first);
}

/* Where shapes that don't fit are allowed they are a single "no". */
void uc_tf_op_equal(uc_tf_call *c)
{
    uc_ref a, b;
    const bool first = uc_tf_pair(c, 0, 1, &a, &b);
    const bool negated = c->node->op.data[0] == 'N';
    if (!uc_tf_bool(c, "incompatible_shape_error")) {
        const int ra = uc_tf_rank(c, a), rb = uc_tf_rank(c, b);
        for (int d = 1; d <= ra && d <= rb; d++) {
            const int64_t m = uc_tf_dim(c, a, ra - d), n = uc_tf_dim(c, b, rb - d);
            if (m < 0 || n < 0 || m == n || m == 1 || n == 1) continue;
            uc_tf_out(c, 0, uc_g_cast(c->graph, uc_graph_i64(c->graph, negated), UNCORK_BOOL));
            return;
        }
    }
    const uc_ref y = uc_g2(c->graph, "Equal", a, b);
    uc_tf_give(c, negated ? uc_g1(c->graph, "Not", y) : y, first);
}

void uc_tf_op_approximate_equal(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref a = uc_tf_in(c, 0);
    const uc_ref d = uc_g1(g, "Abs", uc_g2(g, "Sub", a, uc_tf_in(c, 1)));
    uc_tf_out(c, 0, uc_g2(g, "Less", d, uc_tf_scalar(c, uc_tf_float(c, "tolerance"), a)));
}

void uc_tf_op_clip_by_value(uc_tf_call *c)
{
    const uc_ref low = uc_g2(c->graph, "Max", uc_tf_in(c, 0), uc_tf_in(c, 1));
    uc_tf_out(c, 0, uc_g2(c->graph, "Min", low, uc_tf_in(c, 2)));
}

void uc_tf_op_add_n(uc_tf_call *c)
{
    uc_ref sum = uc_tf_in(c, 0);
    for (size_t i = 1; i < uc_tf_in_count(c) && !c->graph->status; i++) {
        sum = uc_g2(c->graph, "Add", sum, uc_tf_in(c, i));
    }
    uc_tf_out(c, 0, sum);
}

/* A bias over the channels of [N, C, spatial...]. */
uc_ref uc_tf_channel_bias(uc_tf_call *c, uc_ref bias, int rank)
{
    const int64_t shape[UNCORK_MAX_RANK] = {-1, 1, 1, 1, 1, 1};
    return rank >= 2 ? uc_g_reshape(c->graph, bias, shape, rank - 1) : bias;
}

void uc_tf_op_bias_add(uc_tf_call *c)
{
    if (uc_tf_str_is(c, "data_format", "NCHW")) {
        const uc_ref x = uc_tf_in(c, 0);
        const uc_ref bias = uc_tf_channel_bias(c, uc_tf_in(c, 1), uc_tf_rank(c, x));
        uc_tf_out(c, 0, uc_g2(c->graph, "Add", x, bias));
        return;
    }
    uc_ref a, b;
    const bool first = uc_tf_pair(c, 0, 1, &a, &b);
    uc_tf_give(c, uc_g2(c->graph, "Add", a, b), first);
}

/* ---- choosing -------------------------------------------------------------------------------- */

void uc_tf_op_select_v2(uc_tf_call *c)
{
    uc_tf_out(c, 0, uc_g_where(c->graph, uc_tf_in(c, 0), uc_tf_in(c, 1), uc_tf_in(c, 2)));
}

/* A condition of one dimension may be one a row. */
void uc_tf_op_select(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    uc_ref condition = uc_tf_in(c, 0);
    const uc_ref a = uc_tf_in(c, 1);
    const int rank = uc_tf_rank(c, a), own = uc_tf_rank(c, condition);
    if (own == 1 && rank > 1) {
        int64_t shape[UNCORK_MAX_RANK] = {-1};
        for (int i = 1; i < rank; i++) {
            shape[i] = 1;
        }
        condition = uc_g_reshape(g, condition, shape, rank);
    } else if ((own < 0 || rank < 0) && !g->status) {
        uc_tf_fail(c, "the ranks of its inputs aren't known");
        return;
    }
    uc_tf_out(c, 0, uc_g_where(g, condition, a, uc_tf_in(c, 2)));
}

/* ---- nothing to compute ---------------------------------------------------------------------- */

/* The first input goes on, whatever it is: checks, prints, marks. */
void uc_tf_op_pass(uc_tf_call *c) { uc_tf_out_value(c, 0, *uc_tf_value_in(c, 0)); }

/* What it says beyond what is known stays in the graph; else there is nothing to compute. */
void uc_tf_op_ensure_shape(uc_tf_call *c)
{
    int64_t dims[UNCORK_MAX_RANK];
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    const int rank = uc_tf_rank(c, x), said = uc_tf_shape(c, "shape", dims);
    bool known = rank == said || said < 0;
    for (int d = 0; known && !first && d < said; d++) {
        known = dims[d] < 0 || uc_tf_dim(c, x, d) == dims[d];
    }
    if (known)
        uc_tf_give(c, x, first);
    else
        uc_tf_op_direct(c);
}
