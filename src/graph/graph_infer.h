/* Types, shapes and small known values along a graph: by uc_graph_finish with symbols, by the planner
 * with numbers, by the constant folder with generous ceilings. */
#ifndef UC_GRAPH_GRAPH_INFER_H
#define UC_GRAPH_GRAPH_INFER_H

#include "graph/graph.h"

typedef struct uc_infer {
    const uc_graph *graph;
    uc_arena *arena;   /* of everything found: shapes, folded values */
    uc_arena *scratch; /* of operators that are run; reset after each */
    uc_budget *budget;
    uncork_error *error;
    /* A node whose inputs are all known is run at once when its outputs are at most this large. */
    uint64_t fold_bytes, fold_macs;
    uint64_t spent_bytes; /* by the node that runs now */
    uc_value *values;     /* one a value of the graph; data is set where it is known */
    int depth;            /* of the graph among bodies; 0: the model's */
    bool finish;          /* bodies are finished on the way: uc_graph_finish */
} uc_infer;

/* Values small enough to be shapes, axes, split sizes. */
#define UC_FOLD_SHAPE_BYTES 4096u
#define UC_FOLD_SHAPE_MACS  100000u

/* Makes `values`: constants with their data, inputs as declared. The other members are set by the
 * caller before. */
uncork_status uc_infer_init(uc_infer *infer);
/* The same for one value alone: infer->values has room for it. */
uncork_status uc_infer_value(uc_infer *infer, size_t i);
/* A call of the node over infer->values, in infer->arena; NULL when memory is out. */
uc_call *uc_infer_call(uc_infer *infer, const uc_node *node);
/* Runs infer of one node, and the node itself when it can be folded. */
uncork_status uc_infer_node(uc_infer *infer, const uc_node *node, uc_call *call);
/* The whole graph in order. */
uncork_status uc_infer_graph(uc_infer *infer);

/* Whether the value's elements are known. */
static inline bool uc_value_is_known(const uc_value *v)
{
    return v->kind == UC_TENSOR && (v->tensor.data || v->tensor.strings.offsets);
}
/* Whether its type and every dimension are known. */
bool uc_value_is_shaped(const uc_value *v);

/* ---- operators with bodies (graph_control.c) ---- */

uncork_status uc_infer_control(uc_infer *infer, const uc_node *node, uc_call *call);
/* The graph that is attribute `name`; NULL: there is none. */
uc_graph *uc_node_body(const uc_node *node, const char *name);
/* How many of a call's inputs are the operator's own and how many its bodies' captures. */
typedef struct uc_control_parts {
    size_t formal, captures;
} uc_control_parts;
bool uc_control_split(const uc_call *call, uc_control_parts *parts);
/* Entry i of a list attribute of Scan; 0 where it ends. */
int64_t uc_control_entry(const uc_call *call, const char *name, size_t i);

/* For uc_graph_finish, and for bodies: `depth` graphs are around this one. */
uncork_status uc_graph_finish_at(uc_graph *g, int depth);
uncork_status uc_graph_check(uc_graph *g);

/* Makes equal nodes one (graph_merge.c); runs on a checked graph, before shapes. */
uncork_status uc_graph_merge(uc_graph *g, uc_arena *scratch);

#endif
