/* What the passes share: who makes a value, who reads it, and how a node becomes another one.
 *
 * A pattern's last node becomes the fused one, so producers stay in front of their readers; a pass
 * that must put nodes in between appends them and calls uc_rewrite_order at its end. Nodes that lose
 * their readers stay until uc_graph_finish removes them. */
#ifndef UC_PASS_REWRITE_H
#define UC_PASS_REWRITE_H

#include "pass/pass.h"

typedef struct uc_rewrite {
    uc_graph *g;
    uint32_t *uses; /* [use_count]: readers of each value, outputs of the graph included */
    uc_ref *to;     /* [use_count]: what a value was replaced by; itself until then */
    size_t use_count;
    bool changed;
} uc_rewrite;

/* Counts the readers. Values made later have none here. */
uncork_status uc_rewrite_init(uc_rewrite *r, uc_graph *g);
/* Visits the nodes that are there, by their index; what a visit makes is final, and put in order after. */
uncork_status uc_rewrite_each(uc_graph *g, uncork_status (*visit)(uc_rewrite *r, size_t index),
                              bool *changed);
/* Points every reader at what replaced its value, and says whether anything changed. */
uncork_status uc_rewrite_done(uc_rewrite *r, bool *changed);
/* Puts producers in front of their readers again, otherwise in the order they had. */
uncork_status uc_rewrite_order(uc_graph *g);

/* Whether the node is the operator `name` of ai.onnx, or of the domain uncork. */
bool uc_is_op(const uc_node *node, const char *name);
bool uc_is_ext(const uc_node *node, const char *name);

/* The node that makes `ref`, NULL for inputs, constants and nothing. */
uc_node *uc_rewrite_producer(const uc_rewrite *r, uc_ref ref);
/* The same when it is the operator `name` of ai.onnx. */
uc_node *uc_rewrite_made_by(const uc_rewrite *r, uc_ref ref, const char *name);
/* Whether one node alone reads the value, once, and it is no output of the graph. */
bool uc_rewrite_is_single(const uc_rewrite *r, uc_ref ref);

/* A dense constant with data, or NULL. */
const uc_tensor *uc_rewrite_const(const uc_rewrite *r, uc_ref ref);
/* Whether `ref` is a floating constant of one element; its value. */
bool uc_rewrite_scalar(const uc_rewrite *r, uc_ref ref, double *v);
/* Whether it is one and near `v` (a relative 1e-6: exporters write constants in float32). */
bool uc_rewrite_is_near(const uc_rewrite *r, uc_ref ref, double v);
/* The operand of a commutative node that is a constant scalar, and the other one. */
bool uc_rewrite_scalar_operand(const uc_rewrite *r, const uc_node *node, double *v, uc_ref *other);

const uc_attr *uc_node_attr(const uc_node *node, const char *name);
int64_t uc_node_get_int(const uc_node *node, const char *name, int64_t otherwise);
double uc_node_get_float(const uc_node *node, const char *name, double otherwise);

/* Makes the node the operator `op` (as uc_graph_node names it) over these inputs; its outputs stay,
 * its attributes are forgotten. */
uncork_status uc_rewrite_become(uc_rewrite *r, uc_node *node, const char *op, const uc_ref *in,
                                size_t in_count);
/* Gives the node the attributes of another besides its own. */
void uc_rewrite_add_attrs(uc_rewrite *r, uc_node *node, const uc_node *from);
/* Readers of `ref` will read `by`. Not for an output of the graph that `by`, fed by the caller, would
 * become: false then, and nothing happens. */
bool uc_rewrite_replace(uc_rewrite *r, uc_ref ref, uc_ref by);

/* Points the node's inputs at what replaced them so far. */
void uc_rewrite_refresh(const uc_rewrite *r, uc_node *node);

/* Whether two values have the same known type and shape; dimensions may be equal symbols. */
bool uc_same_shape(const uc_graph *g, uc_ref a, uc_ref b);

#endif
