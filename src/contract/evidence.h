/* What the graph itself says about the pictures it takes: where channels stand, how many, and whether
 * it scales pixel values itself. */
#ifndef UC_CONTRACT_EVIDENCE_H
#define UC_CONTRACT_EVIDENCE_H

#include "contract/contract.h"
#include "graph/graph.h"

typedef enum uc_scaling {
    UC_SCALING_NONE,  /* values go into the first layer as they are */
    UC_SCALING_BYTES, /* the graph scales: it takes 0 to 255 */
    UC_SCALING_UNIT,  /* the graph normalises: it takes 0 to 1 */
    UC_SCALING_OTHER, /* something is done to the values that tells nothing */
} uc_scaling;

typedef struct uc_evidence {
    bool told;        /* a first layer was met: `first` and `channels` hold */
    bool first;       /* channels first */
    int64_t channels; /* -1: not known */
    uc_scaling scaling;
    const char *what; /* the operators that scale: "Sub, Div" */
} uc_evidence;

/* Follows input i of the graph to its first layer. */
uc_evidence uc_graph_evidence(const uc_graph *graph, size_t i, uc_arena *arena);
/* For an input of free height and width: the first usual side that all layers fit, 224 when none does.
 * free_size.c */
int64_t uc_graph_side(const uc_graph *graph, size_t input, bool first, int64_t channels);

#endif
