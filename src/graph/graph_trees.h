/* Building a uncork.TreeEnsemble node: importers fill one table of nodes, tree after tree. What the
 * arrays mean stands in op/ext/op_tree_ensemble.c; the operator checks them, importers need not. */
#ifndef UC_GRAPH_GRAPH_TREES_H
#define UC_GRAPH_GRAPH_TREES_H

#include "graph/graph.h"

/* Bits of flags; the values are the operator's (kernel/tree_ensemble.h). */
enum {
    UC_NODE_MISSING_LEFT = 1,
    UC_NODE_NAN = 2,
    UC_NODE_ZERO = 4,
    UC_NODE_CATEGORY = 8,
    UC_NODE_IN_LEFT = 16,
    UC_NODE_INVALID_LEFT = 32,
    UC_NODE_TRUNCATE = 64,
};

typedef struct uc_tree_table {
    /* Given to uc_tree_table_init: */
    int64_t trees, nodes;
    uncork_dtype value_dtype; /* FLOAT64 or FLOAT32 */
    int64_t width; /* columns of value; 0: one number a node, added to the tree's group */
    /* Arrays it makes, zeroed (left, right: -1): */
    int64_t *first; /* [trees + 1] */
    int32_t *left, *right, *feature;
    double *threshold;
    double *value64; /* [nodes, width or 1], one of the two */
    float *value32;
    /* Made on demand: */
    uint8_t *flags;  /* uc_tree_table_flags */
    int32_t *set;    /* uc_tree_table_sets */
    int64_t *sets;   /* [set_count, 4] */
    uint32_t *words; /* [word_count] */
    int64_t set_count, word_count;
    int32_t *group;        /* [trees], the importer's own */
    double *weight;        /* [trees], the importer's own */
    int64_t *linear_first; /* [nodes + 1] and the next three: the importer's own, or NULL */
    double *linear_const;
    int32_t *linear_feature;
    double *linear_coef;
    int64_t linear_count;
    /* Plain attributes; zeroed is the default of each: */
    int64_t features, columns; /* columns: of sums when width is 0 */
    uint32_t default_flags;    /* when flags is NULL */
    bool strict, base_last;
    const double *base; /* [columns] */
    double divisor;     /* 0: none */
    const char *output; /* NULL: "sum" */
} uc_tree_table;

/* Makes the arrays; false when memory or the numbers don't allow it (the graph has failed then). */
bool uc_tree_table_init(uc_graph *g, uc_tree_table *table);
bool uc_tree_table_flags(uc_graph *g, uc_tree_table *table);
bool uc_tree_table_sets(uc_graph *g, uc_tree_table *table, int64_t set_count, int64_t word_count);
/* The node over x [rows, features] (and sums that start from `base`, or 0); its one output. */
uc_ref uc_tree_table_node(uc_graph *g, const uc_tree_table *table, uc_ref x, uc_ref base);

#endif
