/* Operators of the domain uncork spelled out in ONNX's own, for `uncork convert`. Within the rounding of
 * the operators used: where uncork follows a library to the bit, the spelled-out form is close. */
#ifndef UC_PACK_EXPAND_H
#define UC_PACK_EXPAND_H

#include "graph/graph.h"

typedef struct uc_expansion {
    uc_graph *graph;     /* where nodes are added */
    const uc_node *node; /* to be spelled out */
    const uc_graph *from;
    uc_ref in[16];  /* its inputs in `graph`, 0: missing */
    uc_ref out[16]; /* set by the expansion; unwanted ones may stay 0 */
} uc_expansion;

/* False: this node, with these attributes, can't be spelled out. */
typedef bool (*uc_expand_fn)(uc_expansion *e);

bool uc_expand_trees(uc_expansion *e);
bool uc_expand_svm(uc_expansion *e);
bool uc_expand_ovr(uc_expansion *e);
bool uc_expand_coupling(uc_expansion *e);
bool uc_expand_neighbors(uc_expansion *e);
bool uc_expand_neighbor_vote(uc_expansion *e);
bool uc_expand_neighbor_mean(uc_expansion *e);
bool uc_expand_products(uc_expansion *e);
bool uc_expand_digitize(uc_expansion *e);
bool uc_expand_distance(uc_expansion *e);

bool uc_expand_assert(uc_expansion *e);
bool uc_expand_cast(uc_expansion *e);
bool uc_expand_erfc(uc_expansion *e);
bool uc_expand_batch_gather(uc_expansion *e);
bool uc_expand_band(uc_expansion *e);
bool uc_expand_floor(uc_expansion *e);
bool uc_expand_nms(uc_expansion *e);
bool uc_expand_list_reserve(uc_expansion *e);
bool uc_expand_list_set(uc_expansion *e);
bool uc_expand_list_get(uc_expansion *e);
bool uc_expand_list_stack(uc_expansion *e);
bool uc_expand_adaptive_pool(uc_expansion *e);
bool uc_expand_categories(uc_expansion *e);

/* A copy of a finished graph without operators of the domain uncork, finished, in `arena`. UNSUPPORTED
 * names the first that stays. */
uncork_status uc_expand_graph(const uc_graph *from, uc_arena *arena, uncork_error *error,
                              uc_graph **to);

/* Attributes of the node. */
const uc_attr *uc_expand_attr(const uc_expansion *e, const char *name);
int64_t uc_expand_int(const uc_expansion *e, const char *name, int64_t otherwise);
double uc_expand_float(const uc_expansion *e, const char *name, double otherwise);
bool uc_expand_is(const uc_expansion *e, const char *name, const char *value, bool otherwise);
/* The constant that input i is, NULL when it is none. */
const uc_tensor *uc_expand_known(const uc_expansion *e, size_t i);
uncork_dtype uc_expand_result(const uc_expansion *e, size_t i);
uncork_dtype uc_expand_dtype(const uc_expansion *e, size_t i);
/* A rank 0 constant of `dtype` (float32 or float64). */
uc_ref uc_expand_scalar(uc_expansion *e, uncork_dtype dtype, double v);
/* A dense float64 tensor [rows, columns] of zeros; NULL when memory is out. */
double *uc_expand_matrix(uc_expansion *e, int64_t rows, int64_t columns, uc_ref *ref);

#endif
