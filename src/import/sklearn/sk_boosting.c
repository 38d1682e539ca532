/* The scikit-learn classes of xgboost and lightgbm, and their pickled Boosters.
 *
 * Source: xgboost/sklearn.py and core.py of 0.72 to 3.2, lightgbm/sklearn.py and basic.py of 2.0 to
 * 4.7: what predict and predict_proba do around Booster.predict. */
#include "import/boosting/boosting.h"
#include "import/sklearn/sk.h"

#include <inttypes.h>

static bool is_none(const uc_pickle *value) { return !value || value->kind == UC_PICKLE_NONE; }

/* The bytes of an attribute of the booster: a bytearray, bytes or text; old Python 2 pickles too. */
static bool model_bytes(sk_ctx *ctx, const sk_est *booster, const char *names, uc_bytes *bytes)
{
    const uc_pickle *value = sk_attr(booster, names);
    bool is_text = value && (value->kind == UC_PICKLE_BYTES || value->kind == UC_PICKLE_TEXT);
    if (!is_text) {
        sk_fail(ctx, booster, names, "is no saved model: was it trained?");
        return false;
    }
    *bytes = (uc_bytes){(const uint8_t *)value->text.data, value->text.size};
    return sk_status(ctx) == UNCORK_OK;
}

/* The estimator's Booster, or the object itself when it is one. */
static bool find_booster(sk_ctx *ctx, const sk_est *est, sk_est *booster)
{
    if (uc_str_is(est->class_name, "Booster")) {
        *booster = *est;
        return true;
    }
    return sk_object(ctx, est, "_Booster", booster);
}

/* Records a failure of a reader with where it stands. */
static bool read_ok(sk_ctx *ctx, const sk_est *booster, uncork_status status)
{
    if (status != UNCORK_OK && ctx->status == UNCORK_OK) {
        ctx->status = status;
        (void)uc_where(ctx->error, "%s", booster->path);
    }
    return sk_status(ctx) == UNCORK_OK;
}

/* Labels of n classes: the label encoder's, or 0 to n - 1. */
static const uc_tensor *labels(sk_ctx *ctx, const sk_est *est, int64_t n)
{
    const uc_tensor *classes = sk_classes(ctx, est);
    if (classes && uc_tensor_count(classes) == n) {
        return classes;
    }
    if (classes) {
        sk_fail(ctx, est, "classes_|_classes",
                "has %" PRId64 " classes, the booster gives %" PRId64, uc_tensor_count(classes), n);
        return NULL;
    }
    uc_tensor *t = uc_tensor_new(ctx->arena, UNCORK_INT64, 1, &n);
    for (int64_t k = 0; t && k < n; k++) {
        ((int64_t *)t->data)[k] = k;
    }
    return t;
}

/* [1 - p, p] of the vector p. */
static uc_ref two_columns(sk_ctx *ctx, uc_ref p)
{
    uc_graph *g = ctx->graph;
    uc_ref column = uc_g_unsqueeze(g, p, 1);
    uc_ref parts[2] = {uc_g2(g, "Sub", uc_graph_f64(g, 1), column), column};
    return uc_g_concat(g, parts, 2, 1);
}

/* ---- xgboost ---------------------------------------------------------------------------------- */

typedef struct xgb_est {
    const sk_est *est;
    const uc_xgb *model;
    const uc_boost_info *info;
    bool is_wrapper;
    uc_boost_run run;
} xgb_est;

/* Rounds the scikit-learn classes use after early stopping: best_ntree_limit up to 1.3 (not in 0.72,
 * which has no importance_type, nor in the ranker), the booster's best_iteration since 1.4. */
static int64_t best_rounds(sk_ctx *ctx, const xgb_est *x)
{
    bool ranker = uc_str_is(x->est->class_name, "XGBRanker");
    bool modern =
        x->info->version && sk_attr(x->est, "early_stopping_rounds|callbacks|eval_metric");
    int64_t limit = sk_int(ctx, x->est, "best_ntree_limit", 0);
    if (limit > 0 && !modern) {
        return ranker || !sk_attr(x->est, "importance_type") ? 0 : limit;
    }
    return x->info->best_iteration >= 0 ? x->info->best_iteration + 1 : 0;
}

static bool xgb_read(sk_ctx *ctx, const sk_est *est, xgb_est *x)
{
    sk_est booster;
    uc_bytes bytes;
    uc_xgb *model = NULL;
    *x = (xgb_est){.est = est, .is_wrapper = !uc_str_is(est->class_name, "Booster")};
    if (!find_booster(ctx, est, &booster) || !model_bytes(ctx, &booster, "handle|raw", &bytes) ||
        !read_ok(ctx, &booster, uc_xgb_read(bytes, ctx->arena, ctx->budget, &model, ctx->error))) {
        return false;
    }
    x->model = model;
    x->info = uc_xgb_info(model);
    if (x->is_wrapper && strcmp(x->info->booster, "gblinear") != 0) {
        x->run.rounds = best_rounds(ctx, x);
        /* 1.4 brought inplace_predict to the classes; dart's sums differ by it. */
        x->run.in_place = x->info->version != NULL;
    }
    return sk_status(ctx) == UNCORK_OK;
}

static uc_ref xgb_margin(sk_ctx *ctx, const xgb_est *x, const sk_data *in)
{
    uc_ref rows = sk_x_f32(ctx, x->est, in, x->info->features);
    if (x->is_wrapper && sk_has(x->est, "missing")) {
        rows = uc_xgb_missing(ctx->graph, rows,
                              sk_number(ctx, x->est, "missing", (double)__builtin_nanf("")));
    }
    return sk_status(ctx) == UNCORK_OK ? uc_xgb_margin(ctx->graph, x->model, rows, &x->run) : 0;
}

uncork_status sk_do_xgb_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    (void)method;
    xgb_est x;
    if (!xgb_read(ctx, est, &x)) {
        return sk_status(ctx);
    }
    uc_ref y = uc_xgb_transform(ctx->graph, x.model, xgb_margin(ctx, &x, in));
    return sk_return(ctx, out, y, UNCORK_FLOAT32, x.info->one_column ? 0 : x.info->columns);
}

uncork_status sk_do_xgb_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    xgb_est x;
    if (!xgb_read(ctx, est, &x)) {
        return sk_status(ctx);
    }
    uc_graph *g = ctx->graph;
    uc_ref margin = xgb_margin(ctx, &x, in);
    int64_t columns = x.info->columns > 1 ? x.info->columns : 2;
    bool several = x.info->columns > 1 && sk_int(ctx, est, "n_classes_", columns) == 2;
    if (method == SK_PREDICT_PROBA) {
        return sk_return(ctx, out, uc_xgb_proba(g, x.model, margin), UNCORK_FLOAT32, columns);
    }
    uc_ref index = uc_xgb_class(g, x.model, margin, several);
    if (several && !x.info->one_column) {
        return sk_return(ctx, out, index, UNCORK_FLOAT64, columns);
    }
    if (uc_str_is(x.info->objective, "multi:softmax")) {
        return sk_return(ctx, out, uc_g_cast(g, index, UNCORK_INT32), UNCORK_INT32, 0);
    }
    const uc_tensor *classes = labels(ctx, est, columns);
    return classes ? sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0)
                   : sk_status(ctx);
}

/* ---- lightgbm --------------------------------------------------------------------------------- */

typedef struct lgb_est {
    const uc_lgb *model;
    const uc_boost_info *info;
    uc_boost_run run;
} lgb_est;

static bool lgb_read(sk_ctx *ctx, const sk_est *est, lgb_est *l)
{
    sk_est booster;
    uc_bytes bytes;
    uc_lgb *model = NULL;
    *l = (lgb_est){0};
    if (!find_booster(ctx, est, &booster) ||
        !model_bytes(ctx, &booster, "_handle|handle|model_str", &bytes) ||
        !read_ok(ctx, &booster, uc_lgb_read(bytes, ctx->arena, ctx->budget, &model, ctx->error))) {
        return false;
    }
    l->model = model;
    l->info = uc_lgb_info(model);
    /* Booster.predict takes best_iteration unless told otherwise; 0 and -1 are none. */
    l->run.rounds = sk_int(ctx, &booster, "best_iteration", 0);
    return sk_status(ctx) == UNCORK_OK;
}

static uc_ref lgb_raw(sk_ctx *ctx, const sk_est *est, const lgb_est *l, const sk_data *in)
{
    uncork_dtype dtype;
    uc_ref rows = sk_x_keep(ctx, est, in, l->info->features, &dtype);
    return sk_status(ctx) == UNCORK_OK ? uc_lgb_raw(ctx->graph, l->model, rows, &l->run) : 0;
}

uncork_status sk_do_lgb_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    (void)method;
    lgb_est l;
    if (!lgb_read(ctx, est, &l)) {
        return sk_status(ctx);
    }
    uc_ref y = uc_lgb_transform(ctx->graph, l.model, lgb_raw(ctx, est, &l, in));
    return sk_return(ctx, out, y, UNCORK_FLOAT64, l.info->one_column ? 0 : l.info->columns);
}

uncork_status sk_do_lgb_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    lgb_est l;
    if (!lgb_read(ctx, est, &l)) {
        return sk_status(ctx);
    }
    uc_graph *g = ctx->graph;
    uc_ref raw = lgb_raw(ctx, est, &l, in);
    if (method == SK_DECISION_FUNCTION) {
        bool one = l.info->columns == 1;
        return sk_return(ctx, out, one ? sk_column_at(ctx, raw, 0) : raw, UNCORK_FLOAT64,
                         one ? 0 : l.info->columns);
    }
    uc_ref y = uc_lgb_transform(g, l.model, raw);
    int64_t width = l.info->one_column ? 2 : l.info->columns;
    bool custom = is_none(sk_attr(est, "_objective|objective"))
                      ? false
                      : sk_attr(est, "_objective|objective")->kind == UC_PICKLE_SYMBOL;
    if (custom) { /* raw scores, as lightgbm says when it returns them */
        return sk_return(ctx, out, y, UNCORK_FLOAT64, l.info->one_column ? 0 : width);
    }
    uc_ref proba = l.info->one_column ? two_columns(ctx, y) : y;
    if (method == SK_PREDICT_PROBA) {
        return sk_return(ctx, out, proba, UNCORK_FLOAT64, width);
    }
    const uc_tensor *classes = labels(ctx, est, width);
    uc_ref index = uc_g_argmax(g, proba, 1, false);
    return classes ? sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0)
                   : sk_status(ctx);
}
