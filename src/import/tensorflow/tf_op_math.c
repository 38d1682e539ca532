/* Arithmetic: element by element, and products of matrices. */
#include "import/tensorflow/tf_ops.h"

void uc_tf_op_unary(uc_tf_call *c)
{
    if (uc_tf_is_first(c, 0))
        uc_tf_out_first(c, 0, uc_g1(c->graph, c->node->row->onnx, uc_tf_first(c, 0)));
    else
        uc_tf_out(c, 0, uc_g1(c->graph, c->node->row->onnx, uc_tf_in(c, 0)));
}

void uc_tf_op_binary(uc_tf_call *c)
{
    uc_ref a, b;
    const bool first = uc_tf_pair(c, 0, 1, &a, &b);
    const uc_ref y = uc_g2(c->graph, c->node->row->onnx, a, b);
    if (first)
        uc_tf_out_first(c, 0, y);
    else
        uc_tf_out(c, 0, y);
}

void uc_tf_op_matmul(uc_tf_call *c)
{
    static const int64_t swapped[] = {1, 0};
    const uc_ref a = uc_tf_bool(c, "transpose_a") ? uc_tf_weight(c, 0, swapped, 2) : uc_tf_in(c, 0);
    const uc_ref b = uc_tf_bool(c, "transpose_b") ? uc_tf_weight(c, 1, swapped, 2) : uc_tf_in(c, 1);
    uc_tf_out(c, 0, uc_g2(c->graph, "MatMul", a, b));
}

void uc_tf_op_bias_add(uc_tf_call *c)
{
    if (uc_tf_str_is(c, "data_format", "NCHW")) {
        const int64_t shape[] = {-1, 1, 1};
        const uc_ref bias = uc_g_reshape(c->graph, uc_tf_in(c, 1), shape, 3);
        uc_tf_out(c, 0, uc_g2(c->graph, "Add", uc_tf_in(c, 0), bias));
        return;
    }
    uc_ref a, b;
    const bool first = uc_tf_pair(c, 0, 1, &a, &b);
    const uc_ref y = uc_g2(c->graph, "Add", a, b);
    if (first)
        uc_tf_out_first(c, 0, y);
    else
        uc_tf_out(c, 0, y);
}

void uc_tf_op_softmax(uc_tf_call *c)
{
    uc_tf_out(c, 0, uc_g_softmax(c->graph, uc_tf_in(c, 0), -1));
}
