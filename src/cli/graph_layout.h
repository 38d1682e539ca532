/* A small layered layout: nodes in rows by their longest way from an input, edges from row to row. */
#ifndef UC_CLI_GRAPH_LAYOUT_H
#define UC_CLI_GRAPH_LAYOUT_H

#include "base/arena.h"

typedef struct layout_node {
    double width;
    double x; /* of its middle; filled */
    size_t row;
    bool bend; /* no node: where a long edge passes a row */
} layout_node;

typedef struct layout_edge {
    size_t from, to;         /* nodes; from < to */
    size_t bend, bend_count; /* its bends: nodes behind the given ones */
} layout_edge;

typedef struct graph_layout {
    layout_node *nodes; /* the given ones, then bends */
    size_t count, given;
    layout_edge *edges;
    size_t edge_count;
    size_t row_count;
    double width;
} graph_layout;

/* Fills rows, places and bends. `layout` has the nodes' widths and the edges' ends; false: no memory. Each
 * edge leads from a node to a later one. */
bool graph_layout_place(graph_layout *layout, double gap, uc_arena *arena);

#endif
