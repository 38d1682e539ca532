/* A model of lightgbm as data: what lightgbm_read.c fills in and lightgbm_build.c uses. */
#ifndef UC_IMPORT_BOOSTING_LIGHTGBM_MODEL_H
#define UC_IMPORT_BOOSTING_LIGHTGBM_MODEL_H

#include "import/boosting/boosting.h"

typedef struct uc_lgb_tree {
    int64_t leaves;                  /* splits are leaves - 1, numbered before them */
    int32_t *feature, *left, *right; /* [splits]; a negative child is leaf ~child */
    double *threshold;               /* [splits]; of a category split the number of its set */
    int32_t *decision; /* [splits]: 1 category, 2 default left, bits 2-3 missing type */
    double *value;     /* [leaves] */
    int64_t set_count;
    int64_t *set_first; /* [set_count + 1]: words of the sets */
    uint32_t *words;
    bool is_linear;
    double *constant;      /* [leaves] */
    int64_t *linear_count; /* [leaves] */
    int64_t linear_total;
    int32_t *linear_feature; /* [linear_total] */
    double *linear_coef;
} uc_lgb_tree;

struct uc_lgb {
    uc_boost_info info;
    int64_t classes; /* num_class */
    bool is_average; /* rf: the sum is divided by the rounds */
    uc_lgb_tree *trees;
    const char *link; /* uncork.Link's kind, or NULL */
    double scale;     /* of "logistic" */
};

#endif
