/* A model of xgboost as data: what the readers of its formats fill in and the builder uses. */
#ifndef UC_IMPORT_BOOSTING_XGBOOST_MODEL_H
#define UC_IMPORT_BOOSTING_XGBOOST_MODEL_H

#include "base/json.h"
#include "import/boosting/boosting.h"

typedef enum uc_xgb_booster { UC_XGB_TREES, UC_XGB_DART, UC_XGB_LINEAR } uc_xgb_booster;

typedef struct uc_xgb_tree {
    int64_t nodes, width;  /* width: values of a leaf */
    int32_t *left, *right; /* -1 in leaves */
    int32_t *feature;
    float *condition; /* threshold of a split, value of a leaf of width 1 */
    uint8_t *default_left;
    float *vectors; /* [nodes, width] when width > 1 */
    /* Category splits; NULL when there are none. */
    uint8_t *is_category;           /* [nodes] */
    int64_t *set_first, *set_count; /* [nodes]: its categories, the ones that go right */
    const int64_t *categories;
    int64_t category_count;
} uc_xgb_tree;

struct uc_xgb {
    uc_boost_info info;
    int major, minor; /* 0, 0: before 1.0 */
    uc_xgb_booster booster;
    int64_t classes, targets, groups, parallel; /* parallel: trees a round and group */
    float *base;                                /* [groups], in the margin's scale */
    uc_xgb_tree *trees;
    int32_t *group;     /* [trees] */
    float *tree_weight; /* dart: [trees] */
    float *linear;      /* gblinear: [features + 1, groups], the last row is the bias */
};

/* What an objective means. */
typedef struct uc_xgb_objective {
    const char *name;
    enum { UC_XGB_SCALE_PLAIN, UC_XGB_SCALE_LOGIT, UC_XGB_SCALE_LOG } base;
    const char *link; /* uncork.Link's kind; NULL: none; "hinge", "argmax" */
    bool is_classifier;
} uc_xgb_objective;

const uc_xgb_objective *uc_xgb_objective_find(uc_str name);

/* After a reader filled in the model: checks it, turns base scores into margins (unless they are
 * margins already), sets info. */
uncork_status uc_xgb_finish(uc_xgb *model, const float *base, size_t base_count, bool is_margin,
                            uc_arena *arena, uncork_error *error);

uncork_status uc_xgb_read_json(const uc_json *root, uc_xgb *model, uc_arena *arena,
                               uc_budget *budget, uncork_error *error);
uncork_status uc_xgb_read_binary(uc_bytes bytes, uc_xgb *model, uc_arena *arena, uc_budget *budget,
                                 uncork_error *error);

#endif
