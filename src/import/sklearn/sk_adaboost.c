/* AdaBoostClassifier (SAMME, SAMME.R) and AdaBoostRegressor (weighted median).
 * Source: sklearn/ensemble/_weight_boosting.py of 0.18 to 1.9. Estimators that are decision trees
 * become one node of trees whose leaves hold the votes; others are applied one by one. */
#include "import/sklearn/sk_tree.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

typedef struct boost {
    const sk_est *est;
    const uc_tensor *classes;
    int64_t n;            /* classes */
    size_t count;         /* estimators */
    bool real;            /* SAMME.R: votes are log-probabilities */
    bool proba_sum;       /* predict_proba of SAMME up to 0.21: weighted probabilities */
    const double *weight; /* [count] */
    double weight_sum;
} boost;

static const double *weights(sk_ctx *ctx, const sk_est *est, size_t count, double *sum)
{
    const uc_tensor *w = sk_f64(ctx, est, "estimator_weights_", 1);
    if (w && (size_t)w->shape[0] < count) {
        sk_fail(ctx, est, "estimator_weights_", "has %" PRId64 " weights for %zu estimators",
                w->shape[0], count);
    }
    if (!w || sk_status(ctx) != UNCORK_OK) {
        return NULL;
    }
    *sum = sk_pairwise_sum(uc_tensor_doubles(w), w->shape[0]);
    return uc_tensor_doubles(w);
}

/* ---- one vote --------------------------------------------------------------------------------- */

/* What SAMME adds to a class that wasn't predicted: nothing up to 1.2, -w/(K-1) since. */
static double other_vote(const boost *b, double w)
{
    return b->est->version >= 103 ? -1.0 / (double)(b->n - 1) * w : 0 * w;
}

/* _samme_proba: (K-1)(ln p - mean ln p), p at least float64's eps. In place. */
static void samme_r(double *p, int64_t n)
{
    for (int64_t c = 0; c < n; c++) {
        p[c] = log(p[c] < DBL_EPSILON ? DBL_EPSILON : p[c]);
    }
    double mean = 1.0 / (double)n * sk_pairwise_sum(p, n);
    for (int64_t c = 0; c < n; c++) {
        p[c] = (double)(n - 1) * (p[c] - mean);
    }
}

static void leaf_vote(const boost *b, size_t t, double *p)
{
    if (b->real) {
        samme_r(p, b->n);
        return;
    }
    int64_t best = 0;
    for (int64_t c = 1; c < b->n; c++) {
        best = p[c] > p[best] ? c : best;
    }
    for (int64_t c = 0; c < b->n; c++) {
        double vote = c == best ? b->weight[t] : other_vote(b, b->weight[t]);
        p[c] = b->proba_sum ? p[c] * b->weight[t] : vote;
    }
}

/* Votes of an estimator that is no tree: [rows, classes]. */
static uc_ref computed_vote(sk_ctx *ctx, const boost *b, size_t i, const sk_data *in)
{
    uc_graph *g = ctx->graph;
    sk_est child;
    sk_result result;
    if (!sk_list_child(ctx, b->est, "estimators_", i, &child)) {
        return 0;
    }
    if (b->real || b->proba_sum) {
        uc_ref p = sk_apply1(ctx, &child, SK_PREDICT_PROBA, in);
        if (!b->real) {
            return uc_g2(g, "Mul", p, uc_graph_f64(g, b->weight[i]));
        }
        p = uc_g1(g, "Log", uc_g2(g, "Max", p, uc_graph_f64(g, DBL_EPSILON)));
        uc_ref mean = uc_g2(g, "Mul", uc_graph_f64(g, 1.0 / (double)b->n),
                            uc_g_reduce(g, "ReduceSum", p, 1, true));
        return uc_g2(g, "Mul", uc_graph_f64(g, (double)(b->n - 1)), uc_g2(g, "Sub", p, mean));
    }
    if (sk_apply(ctx, &child, SK_PREDICT, in, &result) || result.count != 1) {
        return 0;
    }
    uc_ref label = result.out[0];
    if (result.dtype != b->classes->dtype) {
        label = uc_g_cast(g, label, b->classes->dtype);
    }
    uc_ref same = uc_g2(g, "Equal", uc_g_unsqueeze(g, label, 1), sk_const(ctx, b->classes));
    return uc_g_where(g, same, uc_graph_f64(g, b->weight[i]),
                      uc_graph_f64(g, other_vote(b, b->weight[i])));
}

/* ---- the sum of votes ------------------------------------------------------------------------- */

/* Whether all estimators are single-output trees of these very classes. */
static bool all_trees(sk_ctx *ctx, const boost *b)
{
    for (size_t i = 0; i < b->count; i++) {
        sk_est child;
        if (!sk_list_child(ctx, b->est, "estimators_", i, &child)) {
            return false;
        }
        const uc_tensor *classes = sk_classes(ctx, &child);
        bool tree = uc_str_is(child.class_name, "DecisionTreeClassifier") ||
                    uc_str_is(child.class_name, "ExtraTreeClassifier");
        if (!tree || !classes || uc_tensor_count(classes) != b->n || !sk_has(&child, "tree_")) {
            return false;
        }
    }
    return true;
}

static uc_ref tree_votes(sk_ctx *ctx, const boost *b, const sk_data *in)
{
    sk_trees trees;
    uc_tree_table table;
    int64_t width = b->n;
    sk_outputs one = {.count = 1, .total = b->n, .width = &width, .classes = NULL};
    if (!sk_trees_read(ctx, b->est, "estimators_", &trees) ||
        !sk_trees_table(ctx, &trees, b->n, &table)) {
        return 0;
    }
    for (size_t t = 0; t < trees.count; t++) {
        const sk_tree *tree = &trees.tree[t];
        if (tree->outputs != 1 || tree->classes != b->n) {
            sk_fail(ctx, &trees.est[t], "tree_", "has values for %" PRId64 " classes, not %" PRId64,
                    tree->classes, b->n);
            return 0;
        }
        for (int64_t i = 0; i < tree->nodes; i++) {
            double *p = table.value64 + (table.first[t] + i) * b->n;
            if (sk_tree_is_leaf(tree, i)) {
                sk_tree_proba(&trees.est[t], tree, &one, i, !b->real && !b->proba_sum, p);
                leaf_vote(b, t, p);
            }
        }
    }
    uc_ref x = sk_x_f32(ctx, b->est, in, table.features);
    return uc_tree_table_node(ctx->graph, &table, x, 0);
}

/* Votes divided by the sum of all weights, [rows, classes]. */
static uc_ref votes(sk_ctx *ctx, const boost *b, const sk_data *in)
{
    uc_graph *g = ctx->graph;
    uc_ref sum = 0;
    if (all_trees(ctx, b)) {
        sum = tree_votes(ctx, b, in);
    } else {
        for (size_t i = 0; i < b->count && sk_status(ctx) == UNCORK_OK; i++) {
            uc_ref vote = computed_vote(ctx, b, i, in);
            sum = i == 0 ? vote : uc_g2(g, "Add", sum, vote);
        }
    }
    return uc_g2(g, "Div", sum, uc_graph_f64(g, b->weight_sum));
}

/* decision_function: binary is the second column less the first, [rows, 1]. */
static uc_ref decision(sk_ctx *ctx, const boost *b, uc_ref sum)
{
    uc_graph *g = ctx->graph;
    if (b->n != 2) {
        return sum;
    }
    return uc_g2(g, "Sub", uc_g_slice(g, sum, 1, 1, 2), uc_g_slice(g, sum, 1, 0, 1));
}

/* From 0.22 on softmax(decision / (K-1)), before exp of the sum, normalised. */
static uc_ref probabilities(sk_ctx *ctx, const boost *b, uc_ref sum)
{
    uc_graph *g = ctx->graph;
    if (b->est->version < 22) {
        uc_ref scaled = uc_g2(g, "Mul", uc_graph_f64(g, 1.0 / (double)(b->n - 1)), sum);
        return sk_normalize_rows(ctx, uc_g1(g, "Exp", scaled), false, b->n);
    }
    uc_ref d = decision(ctx, b, sum);
    if (b->n != 2) {
        return uc_g_softmax(g, uc_g2(g, "Div", d, uc_graph_f64(g, (double)(b->n - 1))), 1);
    }
    uc_ref parts[2] = {uc_g1(g, "Neg", d), d};
    uc_ref both = uc_g_concat(g, parts, 2, 1);
    return uc_g_softmax(g, uc_g2(g, "Div", both, uc_graph_f64(g, 2)), 1);
}

/* One class only: it is sure, and every decision is 0. */
static uncork_status single_class(sk_ctx *ctx, const boost *b, sk_method method, const sk_data *in,
                                  sk_result *out)
{
    uc_ref x = sk_x(ctx, b->est, in, -1);
    uc_ref ones = sk_fill(ctx, x, method == SK_DECISION_FUNCTION ? 0 : 1, 1);
    return method == SK_DECISION_FUNCTION
               ? sk_return(ctx, out, ones, UNCORK_FLOAT64, 1)
               : sk_return_proba(ctx, b->est, method, b->classes, ones, out);
}

uncork_status sk_do_adaboost_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                        const sk_data *in, sk_result *out)
{
    boost b = {.est = est, .classes = sk_classes(ctx, est)};
    b.count = sk_list_count(est, "estimators_");
    b.n = b.classes ? uc_tensor_count(b.classes) : 0;
    if (b.n < 1 || b.count == 0) {
        return sk_fail(ctx, est, b.n < 1 ? "classes_" : "estimators_", "is empty: not fitted?");
    }
    b.weight = weights(ctx, est, b.count, &b.weight_sum);
    /* The parameter went in 1.6; what is left is SAMME. "deprecated" was its value in between. */
    b.real = sk_str_is(est, "algorithm", "SAMME.R") && est->version < 106;
    bool proba = method == SK_PREDICT_PROBA || method == SK_PREDICT_LOG_PROBA;
    b.proba_sum = proba && !b.real && est->version < 22;
    if (b.n == 1) {
        return single_class(ctx, &b, method, in, out);
    }
    uc_ref sum = sk_status(ctx) == UNCORK_OK ? votes(ctx, &b, in) : 0;
    if (proba) {
        return sk_return_proba(ctx, est, method, b.classes, probabilities(ctx, &b, sum), out);
    }
    uc_ref d = decision(ctx, &b, sum);
    if (method == SK_PREDICT) {
        uc_ref index = sk_decide(ctx, d, b.n == 2);
        return sk_return(ctx, out, sk_take_labels(ctx, b.classes, index), b.classes->dtype, 0);
    }
    return sk_return(ctx, out, b.n == 2 ? uc_g_squeeze(ctx->graph, d, 1) : d, UNCORK_FLOAT64,
                     b.n == 2 ? 0 : b.n);
}

/* ---- regression ------------------------------------------------------------------------------- */

static bool all_tree_regressors(sk_ctx *ctx, const sk_est *est, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sk_est child;
        if (!sk_list_child(ctx, est, "estimators_", i, &child) ||
            !(uc_str_is(child.class_name, "DecisionTreeRegressor") ||
              uc_str_is(child.class_name, "ExtraTreeRegressor"))) {
            return false;
        }
    }
    return true;
}

/* Every estimator's prediction, [rows, count]. */
static uc_ref each_prediction(sk_ctx *ctx, const sk_est *est, size_t count, const sk_data *in)
{
    if (all_tree_regressors(ctx, est, count)) {
        sk_trees trees;
        uc_tree_table table;
        if (!sk_trees_read(ctx, est, "estimators_", &trees) ||
            !sk_trees_table(ctx, &trees, 0, &table)) {
            return 0;
        }
        for (size_t t = 0; t < count; t++) {
            const sk_tree *tree = &trees.tree[t];
            for (int64_t i = 0; i < tree->nodes; i++) {
                table.value64[table.first[t] + i] = tree->values[i * tree->outputs * tree->classes];
            }
        }
        table.output = "each";
        return uc_tree_table_node(ctx->graph, &table, sk_x_f32(ctx, est, in, table.features), 0);
    }
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, count);
    for (size_t i = 0; parts && i < count && sk_status(ctx) == UNCORK_OK; i++) {
        sk_est child;
        sk_result result;
        if (!sk_list_child(ctx, est, "estimators_", i, &child) ||
            sk_apply(ctx, &child, SK_PREDICT, in, &result) || result.count != 1) {
            return 0;
        }
        uc_ref y = result.out[0];
        y = result.dtype == UNCORK_FLOAT64 ? y : uc_g_cast(ctx->graph, y, UNCORK_FLOAT64);
        parts[i] = uc_g_reshape(ctx->graph, y, (int64_t[]){-1, 1}, 2);
    }
    return sk_status(ctx) == UNCORK_OK ? uc_g_concat(ctx->graph, parts, count, 1) : 0;
}

uncork_status sk_do_adaboost_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                       const sk_data *in, sk_result *out)
{
    (void)method;
    size_t count = sk_list_count(est, "estimators_");
    double sum;
    if (count == 0) {
        return sk_fail(ctx, est, "estimators_", "is empty: not fitted?");
    }
    const double *w = weights(ctx, est, count, &sum);
    uc_ref each = w ? each_prediction(ctx, est, count, in) : 0;
    if (sk_status(ctx) != UNCORK_OK) {
        return sk_status(ctx);
    }
    uc_node *node = uc_graph_node(ctx->graph, "uncork.WeightedMedian", &each, 1, 1);
    uc_node_tensor(ctx->graph, node, "weight", uc_tensor_f64(ctx->arena, w, (int64_t)count));
    return sk_return(ctx, out, uc_node_out(node, 0), UNCORK_FLOAT64, 0);
}
