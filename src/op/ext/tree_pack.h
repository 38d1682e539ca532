/* uncork.TreeEnsemble's constant side: the attributes checked, and laid out for the kernels. */
#ifndef UC_OP_EXT_TREE_PACK_H
#define UC_OP_EXT_TREE_PACK_H

#include "kernel/tree_ensemble.h"
#include "op/op.h"

typedef enum uc_tree_output {
    UC_TREE_OUTPUT_SUM,
    UC_TREE_OUTPUT_EACH,
    UC_TREE_OUTPUT_LEAF,
} uc_tree_output;

/* A linear function in a leaf (lightgbm's linear_tree). */
typedef struct uc_tree_linear {
    double constant;
    int64_t first, count; /* of linear_feature, linear_coef; count -1: a plain leaf */
} uc_tree_linear;

typedef struct uc_tree_pack {
    uc_tree_output output;
    int64_t features, columns;
    bool is_packed; /* trees holds the nodes, else general */
    uc_trees trees;
    uc_tree_general general;
    int32_t tree_count;
    uint64_t steps;        /* summed depths: the work of one row */
    uncork_dtype dtype;    /* of value and of the sums: FLOAT64 or FLOAT32 */
    int32_t width;         /* of value; 1: one number, added to the tree's group */
    const double *value64; /* width 1: [nodes]; else [leaves, width] */
    const float *value32;
    const int32_t *slot;          /* width > 1: [nodes], row of value */
    const int32_t *id;            /* [nodes]: number of the node in the attributes */
    const int32_t *group;         /* [trees], NULL: all 0 */
    const uc_tree_linear *linear; /* [nodes] or NULL */
    const int32_t *linear_feature;
    const double *linear_coef;
    const double *base; /* [columns] or NULL */
    bool base_last;
    double divisor;
} uc_tree_pack;

/* The element type of the sums and the number of columns, from the attributes alone. */
uncork_status uc_tree_pack_shape(uc_call *call, uc_tree_output *output, uncork_dtype *dtype,
                                 int64_t *columns);
/* Checks and lays out; x_dtype FLOAT32 or FLOAT64. NULL after a failure (call->error is set). */
const uc_tree_pack *uc_tree_pack_new(uc_call *call, uncork_dtype x_dtype);

#endif
