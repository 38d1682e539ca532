/* The attributes of TreeEnsembleClassifier and TreeEnsembleRegressor (nodes and votes by tree and node
 * numbers), and of TreeEnsemble 5 (by indices), as one table of trees. */
#ifndef UC_OP_ML_ML_TREE_READ_H
#define UC_OP_ML_ML_TREE_READ_H

#include "op/ml/ml_tree.h"

/* votes  "class" or "target": the prefix of their attributes
 * target_count  classes or targets; votes for others fail. *is_double: nodes_values are float64. */
uncork_status uc_ml_trees_read(uc_call *call, const char *votes, int64_t target_count,
                               uc_ml_trees *trees, bool *is_double);
uncork_status uc_ml_trees_read_v5(uc_call *call, int64_t target_count, uc_ml_trees *trees);

#endif
