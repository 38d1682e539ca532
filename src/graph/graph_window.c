/* Pads of a sliding window and its attributes. Source: TensorFlow 2.21,
 * core/framework/common_shape_fns.cc (GetWindowedOutputSizeVerbose). */
#include "graph/graph_window.h"

void uc_window_same(uc_window *w, int i, int64_t n)
{
    if (n < 0) {
        w->automatic = true;
        return;
    }
    const int64_t stride = w->strides[i];
    int64_t total = ((n + stride - 1) / stride - 1) * stride - n;
    total += (w->size[i] - 1) * w->dilations[i] + 1;
    if (total < 0) total = 0;
    w->pads[i] = total / 2;
    w->pads[w->rank + i] = total - total / 2;
}

void uc_window_put(uc_graph *g, uc_node *n, const uc_window *w, bool dilations)
{
    const size_t rank = (size_t)w->rank;
    uc_node_ints(g, n, "kernel_shape", w->size, rank);
    uc_node_ints(g, n, "strides", w->strides, rank);
    if (dilations) uc_node_ints(g, n, "dilations", w->dilations, rank);
    if (w->automatic)
        uc_node_str(g, n, "auto_pad", "SAME_UPPER");
    else
        uc_node_ints(g, n, "pads", w->pads, 2 * rank);
}
