/* GradientBoostingClassifier and -Regressor: what init_ says, then learning_rate times every tree.
 * Source: sklearn/ensemble/_gb.py, _gb_losses.py (0.21 to 1.3), gradient_boosting.py (before),
 * sklearn/_loss/link.py (from 1.4 on). */
#include "import/sklearn/sk_meta.h"
#include "import/sklearn/sk_tree.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

typedef struct boosting {
    sk_est est;
    int64_t outputs; /* trees a stage: 1, or the number of classes */
    bool is_classifier, is_exponential;
} boosting;

/* ---- where sums start ------------------------------------------------------------------------- */

static double clip(double p, double eps) { return p < eps ? eps : p > 1 - eps ? 1 - eps : p; }

/* Probabilities of the classes -> raw predictions, constant: [outputs]. */
static void link_constant(const boosting *b, const double *p, double *raw)
{
    double eps = b->est.version >= 108 ? DBL_EPSILON : (double)FLT_EPSILON, mean = 0;
    if (b->outputs == 1) {
        double odds = clip(p[1], eps);
        odds = log(odds / (1 - odds));
        raw[0] = b->is_exponential ? 0.5 * odds : odds;
        return;
    }
    for (int64_t k = 0; k < b->outputs; k++) {
        raw[k] = log(clip(p[k], eps));
        mean += raw[k];
    }
    double gm = exp(mean / (double)b->outputs);
    for (int64_t k = 0; k < b->outputs && b->est.version >= 104; k++) {
        raw[k] = log(clip(p[k], eps) / gm); /* MultinomialLogit.link: over the geometric mean */
    }
}

/* The same of computed probabilities [rows, classes]. */
static uc_ref link_computed(sk_ctx *ctx, const boosting *b, uc_ref p)
{
    uc_graph *g = ctx->graph;
    double eps = b->est.version >= 108 ? DBL_EPSILON : (double)FLT_EPSILON;
    if (b->outputs == 1) {
        p = uc_g_slice(g, p, 1, 1, 2);
    }
    p = uc_g3(g, "Clip", p, uc_graph_f64(g, eps), uc_graph_f64(g, 1 - eps));
    if (b->outputs == 1) {
        uc_ref odds = uc_g2(g, "Div", p, uc_g2(g, "Sub", uc_graph_f64(g, 1), p));
        uc_ref raw = uc_g1(g, "Log", odds);
        return b->is_exponential ? uc_g2(g, "Mul", uc_graph_f64(g, 0.5), raw) : raw;
    }
    if (b->est.version >= 104) {
        uc_ref gm = uc_g1(g, "Exp", uc_g_reduce(g, "ReduceMean", uc_g1(g, "Log", p), 1, true));
        p = uc_g2(g, "Div", p, gm);
    }
    return uc_g1(g, "Log", p);
}

/* An attribute of exactly n numbers into to[n]. */
static bool numbers(sk_ctx *ctx, const sk_est *est, const char *names, int64_t n, double *to)
{
    const uc_tensor *t = sk_f64(ctx, est, names, -1);
    if (!t || uc_tensor_count(t) != n) {
        sk_fail(ctx, est, names, "doesn't hold %" PRId64 " number%s", n, n == 1 ? "" : "s");
        return false;
    }
    memcpy(to, t->data, (size_t)n * sizeof(double));
    return true;
}

/* The init_ classes of scikit-learn's own; false when it is another estimator. */
static bool own_init(sk_ctx *ctx, const boosting *b, const sk_est *init, double *base)
{
    static const struct {
        const char *name, *attribute;
    } plain[] = {
        {"QuantileEstimator", "quantile"},       {"MeanEstimator", "mean"},
        {"LogOddsEstimator", "prior"},           {"ScaledLogOddsEstimator", "prior"},
        {"PriorProbabilityEstimator", "priors"},
    };
    if (uc_str_is(init->class_name, "ZeroEstimator")) {
        return true;
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (uc_str_is(init->class_name, plain[i].name)) {
            return numbers(ctx, init, plain[i].attribute, b->outputs, base);
        }
    }
    if (b->is_classifier && uc_str_is(init->class_name, "DummyClassifier") &&
        sk_str_is(init, "strategy|_strategy", "prior")) {
        int64_t classes = b->outputs == 1 ? 2 : b->outputs;
        double *p = UC_NEW(ctx->arena, double, (size_t)classes);
        if (p && numbers(ctx, init, "class_prior_", classes, p)) {
            link_constant(b, p, base);
        }
        return true;
    }
    if (!b->is_classifier && uc_str_is(init->class_name, "DummyRegressor")) {
        return numbers(ctx, init, "constant_", 1, base);
    }
    return false;
}

/* Another estimator: it gets the float32 rows the trees get. */
static uc_ref other_init(sk_ctx *ctx, const boosting *b, const sk_est *init, uc_ref x,
                         int64_t width)
{
    uc_graph *g = ctx->graph;
    sk_data data = {.x = x, .dtype = UNCORK_FLOAT32, .rank = 2, .width = width};
    sk_result result;
    bool proba = b->is_classifier && b->est.version >= 21;
    if (sk_apply(ctx, init, proba ? SK_PREDICT_PROBA : SK_PREDICT, &data, &result) ||
        result.count != 1) {
        return 0;
    }
    uc_ref y = result.out[0];
    if (result.dtype != UNCORK_FLOAT64) {
        y = uc_g_cast(g, y, UNCORK_FLOAT64);
    }
    if (proba) {
        return link_computed(ctx, b, y);
    }
    int64_t shape[2] = {-1, b->outputs};
    return uc_g_reshape(g, y, shape, 2);
}

/* ---- the sum ---------------------------------------------------------------------------------- */

/* estimators_ [stages, outputs] as one table: stage after stage. */
static bool fill_stages(sk_ctx *ctx, boosting *b, sk_trees *trees, uc_tree_table *table)
{
    const uc_pickle *array = sk_attr(&b->est, "estimators_");
    if (!array || array->kind != UC_PICKLE_OBJECTS || !array->tensor || array->tensor->rank != 2) {
        sk_fail(ctx, &b->est, "estimators_", "is no array of trees [stages, outputs]");
        return false;
    }
    b->outputs = array->tensor->shape[1];
    if (!sk_trees_read(ctx, &b->est, "estimators_", trees) || b->outputs < 1 ||
        !sk_trees_table(ctx, trees, 0, table)) {
        return false;
    }
    double rate = sk_number(ctx, &b->est, "learning_rate", 0.1);
    table->columns = b->outputs;
    table->group = UC_NEW(ctx->arena, int32_t, trees->count);
    table->weight = UC_NEW(ctx->arena, double, trees->count);
    for (size_t t = 0; t < trees->count && table->group && table->weight; t++) {
        const sk_tree *tree = &trees->tree[t];
        table->group[t] = (int32_t)((int64_t)t % b->outputs);
        table->weight[t] = rate;
        if (tree->outputs != 1) {
            sk_fail(ctx, &trees->est[t], "tree_", "has %" PRId64 " outputs, expected 1",
                    tree->outputs);
            return false;
        }
        for (int64_t i = 0; i < tree->nodes; i++) {
            table->value64[table->first[t] + i] = tree->values[i * tree->classes];
        }
    }
    return sk_status(ctx) == UNCORK_OK;
}

/* Raw predictions [rows, outputs]. */
static uc_ref raw_predictions(sk_ctx *ctx, boosting *b, const sk_data *in)
{
    sk_trees trees;
    uc_tree_table table;
    sk_est init;
    if (!fill_stages(ctx, b, &trees, &table)) {
        return 0;
    }
    uc_ref x = sk_x_f32(ctx, &b->est, in, table.features), start = 0;
    double *base = UC_NEW(ctx->arena, double, (size_t)b->outputs);
    table.base = base;
    if (!sk_str_is(&b->est, "init_", "zero")) {
        if (!base || !sk_object(ctx, &b->est, "init_", &init)) {
            return 0;
        }
        if (!own_init(ctx, b, &init, base) && sk_status(ctx) == UNCORK_OK) {
            table.base = NULL;
            start = sk_child(ctx, &b->est, "init_", &init)
                        ? other_init(ctx, b, &init, x, table.features)
                        : 0;
        }
    }
    return sk_status(ctx) == UNCORK_OK ? uc_tree_table_node(ctx->graph, &table, x, start) : 0;
}

uncork_status sk_do_gradient_boosting_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                                const sk_data *in, sk_result *out)
{
    if (method == SK_TRANSFORM) {
        return sk_select_by_importance(ctx, est, est, in, out);
    } /* decision_function, up to 0.18, is predict */
    boosting b = {.est = *est};
    uc_ref raw = raw_predictions(ctx, &b, in);
    if (sk_status(ctx) == UNCORK_OK && b.outputs != 1) {
        return sk_fail(ctx, est, "estimators_", "has %" PRId64 " trees a stage, expected 1",
                       b.outputs);
    }
    return sk_return(ctx, out, uc_g_squeeze(ctx->graph, raw, 1), UNCORK_FLOAT64, 0);
}

/* ---- classes ---------------------------------------------------------------------------------- */

uc_ref sk_binary_columns(sk_ctx *ctx, uc_ref positive)
{
    uc_ref parts[2] = {uc_g2(ctx->graph, "Sub", uc_graph_f64(ctx->graph, 1), positive), positive};
    return uc_g_concat(ctx->graph, parts, 2, 1);
}

static uc_ref probabilities(sk_ctx *ctx, const boosting *b, uc_ref raw)
{
    uc_graph *g = ctx->graph;
    if (b->outputs == 1) {
        raw = b->is_exponential ? uc_g2(g, "Mul", uc_graph_f64(g, 2), raw) : raw;
        return sk_binary_columns(ctx, sk_expit(ctx, raw));
    }
    if (b->est.version >= 104) {
        return uc_g_softmax(g, raw, 1);
    }
    return uc_g1(g, "Exp", uc_g2(g, "Sub", raw, sk_logsumexp(ctx, raw)));
}

/* Column of the predicted class. From 1.4 on, and with the exponential loss, 0 is the positive class;
 * before, the larger probability won and a tie went to the negative one. */
static uc_ref predicted(sk_ctx *ctx, const boosting *b, uc_ref raw)
{
    uc_graph *g = ctx->graph;
    if (b->outputs == 1 && (b->est.version >= 104 || b->is_exponential)) {
        uc_ref positive = uc_g2(g, "GreaterOrEqual", uc_g_squeeze(g, raw, 1), uc_graph_f64(g, 0));
        return uc_g_cast(g, positive, UNCORK_INT64);
    }
    return uc_g_argmax(g, b->est.version >= 104 ? raw : probabilities(ctx, b, raw), 1, false);
}

uncork_status sk_do_gradient_boosting_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                                 const sk_data *in, sk_result *out)
{
    if (method == SK_TRANSFORM) {
        return sk_select_by_importance(ctx, est, est, in, out);
    }
    boosting b = {.est = *est, .is_classifier = true};
    b.is_exponential = sk_str_is(est, "loss", "exponential");
    const uc_tensor *classes = sk_classes(ctx, est);
    uc_ref raw = raw_predictions(ctx, &b, in);
    int64_t n = classes ? uc_tensor_count(classes) : 0;
    if (sk_status(ctx) == UNCORK_OK && n != (b.outputs == 1 ? 2 : b.outputs)) {
        return sk_fail(ctx, est, "classes_", "has %" PRId64 " classes, a stage %" PRId64 " trees",
                       n, b.outputs);
    }
    if (sk_status(ctx) != UNCORK_OK) {
        return sk_status(ctx);
    }
    if (method == SK_DECISION_FUNCTION) {
        bool flat = b.outputs == 1;
        return sk_return(ctx, out, flat ? uc_g_squeeze(ctx->graph, raw, 1) : raw, UNCORK_FLOAT64,
                         flat ? 0 : n);
    }
    if (method == SK_PREDICT) {
        return sk_return(ctx, out, sk_take_labels(ctx, classes, predicted(ctx, &b, raw)),
                         classes->dtype, 0);
    }
    return sk_return_proba(ctx, est, method, classes, probabilities(ctx, &b, raw), out);
}
