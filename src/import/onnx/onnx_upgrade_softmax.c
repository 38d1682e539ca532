/* Softmax, LogSoftmax and Hardmax before opset 13 see their input as a matrix: all dimensions before
 * `axis` are rows, the others one row's elements. Since then they go along `axis` alone.
 *
 * Source: onnx/docs/Changelog.md, Softmax-11. */
#include "import/onnx/onnx_upgrade_steps.h"

void uc_onnx_upgrade_softmax(uc_onnx_draft *d)
{
    uc_graph *g = d->graph;
    const int64_t axis = uc_draft_int(d, "axis", 1);
    const int rank = uc_draft_shape(d, 0, NULL);
    if (rank >= 0 && (axis == rank - 1 || axis == -1)) { /* the last axis: nothing to flatten */
        uc_draft_put_int(d, "axis", -1);
        return;
    }
    uc_ref x = uc_draft_in(d, 0);
    uc_node *flat = uc_graph_node(g, "Flatten", &x, 1, 1);
    uc_node_int(g, flat, "axis", axis);
    uc_onnx_draft inner = uc_draft_copy(d);
    inner.version = 13;
    uc_draft_set_in(&inner, 0, uc_node_out(flat, 0));
    uc_draft_put_int(&inner, "axis", -1);
    uc_draft_add(&inner);
    uc_draft_give(d, 0, uc_g2(g, "Reshape", uc_draft_out(&inner, 0), uc_g1(g, "Shape", x)));
}
