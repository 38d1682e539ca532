/* Trees of ai.onnx.ml (TreeEnsemble and its two older forms) as one table of nodes and leaves, and the
 * leaf each row ends in. */
#ifndef UC_OP_ML_ML_TREE_H
#define UC_OP_ML_ML_TREE_H

#include "op/ext/tree_pack.h"
#include "op/ml/ml_score.h"

/* Numbered as nodes_modes of TreeEnsemble 5. */
typedef enum uc_ml_mode {
    UC_ML_LEQ,
    UC_ML_LT,
    UC_ML_GTE,
    UC_ML_GT,
    UC_ML_EQ,
    UC_ML_NEQ,
    UC_ML_MEMBER,
    UC_ML_MODES
} uc_ml_mode;

typedef struct uc_ml_node {
    double split;
    int64_t yes, no; /* >= 0: a node; else leaf -1 - i */
    int32_t feature;
    uint8_t mode, missing_yes; /* missing_yes: NaN takes `yes` */
    int64_t member_first, member_count;
} uc_ml_node;

typedef struct uc_ml_vote {
    int64_t target;
    double weight;
} uc_ml_vote;

typedef struct uc_ml_trees {
    uc_ml_node *nodes;
    int64_t node_count;
    int64_t *roots; /* as yes and no */
    int64_t tree_count;
    const double *members;
    int64_t *vote_first; /* [leaf_count + 1] */
    uc_ml_vote *votes;
    int64_t leaf_count;
    /* Made by uc_ml_trees_finish: */
    int64_t features;         /* the largest feature + 1 */
    int64_t depth;            /* of the deepest tree */
    const uc_tree_pack *pack; /* NULL: questions that the packed form doesn't have */
    int64_t *pack_leaf;       /* [nodes of the pack]: leaf */
} uc_ml_trees;

/* Checks that nodes make trees (each is reached once), and packs them for rows of float32 or float64. */
uncork_status uc_ml_trees_finish(uc_call *call, uc_ml_trees *trees, bool is_f32);
/* leaf[i] = leaf of row i of x [n, columns] (float32 or float64) in a tree; n <= UC_TREE_BLOCK. */
void uc_ml_trees_find(const uc_ml_trees *trees, int64_t tree, const void *x, bool is_f32,
                      int64_t columns, int32_t n, int64_t *leaf);

#endif
