/* xgboost and lightgbm models, read from their own formats and turned into graph nodes. What
 * import/sklearn uses of them, for estimators in pickles, goes through this header alone. */
#ifndef UC_IMPORT_BOOSTING_BOOSTING_H
#define UC_IMPORT_BOOSTING_BOOSTING_H

#include "graph/graph.h"

/* What a model of either library takes and gives. */
typedef struct uc_boost_info {
    int64_t features;
    int64_t columns;    /* of raw predictions: classes, targets, or 1 */
    int64_t classes;    /* as the file counts them; 0 or 1 where there is one column */
    int64_t iterations; /* boosting rounds that hold trees */
    int64_t trees;
    uc_str objective;         /* "binary:logistic", "binary sigmoid:1" */
    const char *booster;      /* "gbtree", "dart", "gblinear", "gbdt", "rf" */
    const char *version;      /* of the library that wrote it, or NULL */
    const uc_str *names;      /* [features] or NULL */
    int64_t best_iteration;   /* -1: early stopping left none */
    bool one_column;          /* predictions are a vector [rows] */
    bool is_classifier;       /* as far as the objective tells */
    bool gives_probabilities; /* predictions are probabilities of classes */
    bool saved_by_class;      /* XGBClassifier.save_model and the like wrote the file */
    const uc_tensor *labels;  /* of such a classifier, when they aren't 0, 1, 2, ...; or NULL */
} uc_boost_info;

typedef struct uc_xgb uc_xgb;
typedef struct uc_lgb uc_lgb;

/* Whether bytes begin like a model of xgboost (1: could be, 2: surely) or lightgbm. */
int uc_xgb_probe(uc_bytes head);
int uc_lgb_probe(uc_bytes head);

/* Reads a model: xgboost's .json, .ubj, its binary of versions 0.6 to 3.0 with every header, and what
 * a pickled Booster holds; lightgbm's text. Views of `bytes`, which must live as long as the arena. */
uncork_status uc_xgb_read(uc_bytes bytes, uc_arena *arena, uc_budget *budget, uc_xgb **model,
                          uncork_error *error);
uncork_status uc_lgb_read(uc_bytes bytes, uc_arena *arena, uc_budget *budget, uc_lgb **model,
                          uncork_error *error);
const uc_boost_info *uc_xgb_info(const uc_xgb *model);
const uc_boost_info *uc_lgb_info(const uc_lgb *model);

/* How the trees are run. */
typedef struct uc_boost_run {
    int64_t rounds; /* only the first rounds; 0: all */
    bool in_place;  /* xgboost's inplace_predict, which its scikit-learn classes call from 1.4 on */
} uc_boost_run;

/* Raw predictions [rows, columns] of x [rows, features]: xgboost float32 from float32, lightgbm
 * float64 from float32 or float64. 0 after a failure of the graph. */
uc_ref uc_xgb_margin(uc_graph *g, const uc_xgb *model, uc_ref x, const uc_boost_run *run);
uc_ref uc_lgb_raw(uc_graph *g, const uc_lgb *model, uc_ref x, const uc_boost_run *run);
/* What Booster.predict makes of them: [rows] when info.one_column, else [rows, columns]. */
uc_ref uc_xgb_transform(uc_graph *g, const uc_xgb *model, uc_ref margin);
uc_ref uc_lgb_transform(uc_graph *g, const uc_lgb *model, uc_ref raw);
/* What XGBClassifier makes of the margins: probabilities [rows, classes], and the number of the
 * predicted class, int64 [rows]; of several labels a row (two classes, several columns) 0 or 1 for
 * each, float64 [rows, columns]. */
uc_ref uc_xgb_proba(uc_graph *g, const uc_xgb *model, uc_ref margin);
uc_ref uc_xgb_class(uc_graph *g, const uc_xgb *model, uc_ref margin, bool multi_label);
/* Missing values that have another sign than NaN: x where it isn't `missing`, else NaN; float32. */
uc_ref uc_xgb_missing(uc_graph *g, uc_ref x, double missing);

#endif
