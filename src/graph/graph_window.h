/* A window that slides over [N, C, spatial...], as convolutions and pools of TensorFlow's kin have it. */
#ifndef UC_GRAPH_GRAPH_WINDOW_H
#define UC_GRAPH_GRAPH_WINDOW_H

#include "graph/graph.h"

typedef struct uc_window {
    int rank; /* spatial */
    int64_t size[3], strides[3], dilations[3], pads[6];
    bool automatic; /* pads follow from a size that isn't known yet: SAME_UPPER */
} uc_window;

/* SAME padding of spatial axis i over n elements; n < 0: not known before it runs. The odd one comes
 * last. Size, stride and dilation are from 1 on. */
void uc_window_same(uc_window *w, int i, int64_t n);
/* Its attributes on a Conv or pool. */
void uc_window_put(uc_graph *g, uc_node *n, const uc_window *w, bool dilations);

#endif
