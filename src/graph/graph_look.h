/* What is known of a graph's values while it is still being built: importers ask for a rank or a small
 * constant before they add the next node. */
#ifndef UC_GRAPH_GRAPH_LOOK_H
#define UC_GRAPH_GRAPH_LOOK_H

#include "graph/graph_infer.h"

typedef struct uc_look {
    uc_infer infer;
    size_t seen_values, seen_nodes, value_capacity;
    uncork_error ignored; /* a failure is said again when the graph is finished */
} uc_look;

/* The look must not move afterwards; both arenas are the caller's and outlive it. */
void uc_look_open(uc_look *look, const uc_graph *graph, uc_budget *budget, uc_arena *arena,
                  uc_arena *scratch);
/* The value as inference sees it, after the nodes made since the last look; one of rank -1 for nothing,
 * or when the graph has failed. */
const uc_value *uc_look_at(uc_look *look, uc_ref ref);
/* The elements of a small value of integers or truth values: how many; SIZE_MAX when they aren't known or
 * are more than `most`. */
size_t uc_look_known(uc_look *look, uc_ref ref, int64_t *out, size_t most);

#endif
