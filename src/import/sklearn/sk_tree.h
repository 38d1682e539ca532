/* sklearn.tree._tree.Tree as data, shared by the files of tree-based estimators. */
#ifndef UC_IMPORT_SKLEARN_SK_TREE_H
#define UC_IMPORT_SKLEARN_SK_TREE_H

#include "graph/graph_trees.h"
#include "import/sklearn/sk.h"

typedef struct sk_tree {
    int64_t nodes, features, outputs,
        classes;                             /* classes: the most of any output; 1 for regression */
    const uc_tensor *left, *right, *feature; /* [nodes], any integer type */
    const uc_tensor *threshold;              /* [nodes], float64 */
    const uc_tensor *missing_left;           /* [nodes] or NULL (before 1.3) */
    const uc_tensor *samples;                /* [nodes]: n_node_samples, int64 or int32 */
    const double *values;                    /* [nodes, outputs, classes] */
} sk_tree;

/* Many trees that become one node. */
typedef struct sk_trees {
    size_t count;
    sk_est *est;   /* [count] */
    sk_tree *tree; /* [count] */
    int64_t nodes; /* of all */
} sk_trees;

/* A field of a structured array by its names in the versions ("a|b"); fails naming it. */
const uc_tensor *sk_field(sk_ctx *ctx, const sk_est *est, const char *attribute,
                          const uc_pickle *records, const char *names);
static inline int64_t sk_field_i64(const uc_tensor *field, int64_t i)
{
    return uc_dtype_load_i64(field->data, i, field->dtype);
}

/* Reads est.tree_; false after a failure. */
bool sk_tree_read(sk_ctx *ctx, const sk_est *est, sk_tree *tree);
/* Reads the tree of every estimator of a list (`names`: an attribute of est) or array. */
bool sk_trees_read(sk_ctx *ctx, const sk_est *est, const char *names, sk_trees *trees);
/* One estimator's own tree as a list of one. */
bool sk_trees_single(sk_ctx *ctx, const sk_est *est, sk_trees *trees);
/* Makes the table and fills in everything but values; `width` as in uc_tree_table. */
bool sk_trees_table(sk_ctx *ctx, const sk_trees *trees, int64_t width, uc_tree_table *table);
/* Whether node i of the tree is a leaf. */
static inline bool sk_tree_is_leaf(const sk_tree *tree, int64_t i)
{
    return sk_field_i64(tree->left, i) < 0;
}

/* The classes of a classifier with one or several outputs. */
typedef struct sk_outputs {
    int64_t count, total; /* outputs; columns of probabilities of all */
    int64_t *width;       /* [count] */
    const uc_tensor **classes;
} sk_outputs;

bool sk_outputs_read(sk_ctx *ctx, const sk_est *est, sk_outputs *outputs);
/* Class probabilities of a node (scikit-learn normalises counts up to 1.3, fractions are stored from
 * 1.4 on), all outputs side by side; raw: the stored numbers. */
void sk_tree_proba(const sk_est *est, const sk_tree *tree, const sk_outputs *outputs, int64_t node,
                   bool raw, double *proba);
/* Answers predict, predict_proba, predict_log_proba from the outputs' columns side by side. */
uncork_status sk_return_outputs(sk_ctx *ctx, const sk_est *est, sk_method method,
                                const sk_outputs *outputs, uc_ref proba, sk_result *out);
/* NumPy's sum along a contiguous axis (pairwise, 8 accumulators from 8 elements on). */
double sk_pairwise_sum(const double *v, int64_t n);
/* [1 - positive, positive] of positive [rows, 1]. */
uc_ref sk_binary_columns(sk_ctx *ctx, uc_ref positive);

#endif
