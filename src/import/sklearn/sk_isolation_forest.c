/* IsolationForest: the shorter the path to a leaf, the odder the row.
 * Source: sklearn/ensemble/_iforest.py of 0.18 to 1.9; what changed stands beside the lines. */
#include "import/sklearn/sk_tree.h"

#include <inttypes.h>
#include <math.h>

/* Mean path length of a tree of n samples. 0.18 took ln(n) with a shorter Euler constant, 0.21 gave
 * n <= 1 and n == 2 their own values. */
static double average_path(int version, double n)
{
    static const double euler = 0.5772156649015329;
    if (n <= 1) {
        return version >= 21 ? 0 : 1;
    }
    if (n == 2 && version >= 21) { /* NOLINT: an exact count */
        return 1;
    }
    if (version < 19) {
        return 2 * (log(n) + 0.5772156649) - 2 * (n - 1) / n;
    }
    return 2 * (log(n - 1) + euler) - 2 * (n - 1) / n;
}

/* Path lengths of the leaves: nodes on the way, the root and the leaf counted, + average_path - 1. */
static bool fill_paths(sk_ctx *ctx, int version, const sk_tree *tree, double *value)
{
    int32_t *depth = UC_NEW(ctx->arena, int32_t, (size_t)tree->nodes);
    if (!depth) {
        return false;
    }
    for (int64_t i = 0; i < tree->nodes; i++) { /* parents come first: sk_tree_read saw to it */
        if (!sk_tree_is_leaf(tree, i)) {
            depth[sk_field_i64(tree->left, i)] = depth[i] + 1;
            depth[sk_field_i64(tree->right, i)] = depth[i] + 1;
            continue;
        }
        double path = average_path(version, (double)sk_field_i64(tree->samples, i));
        value[i] = version >= 21 ? (depth[i] + 1) + path - 1 : depth[i] + path;
    }
    return true;
}

/* Trees trained on some of the columns: their features renamed to the whole matrix's. */
static bool rename_features(sk_ctx *ctx, const sk_est *est, uc_tree_table *table, size_t t)
{
    const uc_pickle *list = sk_attr(est, "estimators_features_");
    const uc_tensor *names = uc_pickle_tensor(uc_pickle_item(list, t), ctx->arena, NULL);
    names = names ? uc_tensor_dense(ctx->arena, names) : NULL;
    if (!names || names->rank != 1 || !uc_dtype_is_integer(names->dtype)) {
        sk_fail(ctx, est, "estimators_features_", "has no columns for tree %zu", t);
        return false;
    }
    for (int64_t i = table->first[t]; i < table->first[t + 1]; i++) {
        int32_t feature = table->feature[i];
        int64_t name = feature < names->shape[0] ? sk_field_i64(names, feature) : -1;
        if (table->left[i] < 0) {
            continue;
        }
        if (name < 0 || name >= table->features) {
            sk_fail(ctx, est, "estimators_features_",
                    "tree %zu: column %d of it is not one of the %" PRId64, t, feature,
                    table->features);
            return false;
        }
        table->feature[i] = (int32_t)name;
    }
    return true;
}

static int64_t feature_count(sk_ctx *ctx, const sk_est *est, const sk_trees *trees)
{
    return sk_int(ctx, est, "n_features_in_|n_features_", trees->tree[0].features);
}

/* -score, as sklearn's score_samples: -2^(-mean path / expected path). */
static uc_ref scores(sk_ctx *ctx, const sk_est *est, const sk_data *in)
{
    sk_trees trees;
    uc_tree_table table;
    uc_graph *g = ctx->graph;
    if (!sk_trees_read(ctx, est, "estimators_", &trees) ||
        !sk_trees_table(ctx, &trees, 0, &table)) {
        return 0;
    }
    int64_t features = feature_count(ctx, est, &trees), width = table.features;
    bool subset = sk_int(ctx, est, "_max_features", width) != features;
    if (features < width || features > INT32_MAX) {
        sk_fail(ctx, est, "n_features_in_|n_features_", "is %" PRId64 ", its trees take %" PRId64,
                features, width);
        return 0;
    }
    table.features = features;
    for (size_t t = 0; t < trees.count; t++) {
        if (!fill_paths(ctx, est->version, &trees.tree[t], table.value64 + table.first[t]) ||
            (subset && !rename_features(ctx, est, &table, t))) {
            return 0;
        }
    }
    double samples = sk_number(ctx, est, "_max_samples|max_samples_", 256);
    double expected = average_path(est->version, samples), n = (double)trees.count;
    uc_ref x = sk_x_f32(ctx, est, in, features);
    uc_ref path = uc_g_squeeze(g, uc_tree_table_node(g, &table, x, 0), 1);
    if (est->version >= 21) {
        if (expected == 0 && est->version >= 101) { /* one training sample */
            return uc_g1(
                g, "Neg",
                uc_g2(g, "Pow", uc_graph_f64(g, 2), uc_g1(g, "Neg", sk_fill(ctx, x, 1, 0))));
        }
        path = uc_g2(g, "Div", uc_g1(g, "Neg", path), uc_graph_f64(g, n * expected));
    } else {
        path = uc_g2(g, "Div", path, uc_graph_f64(g, n));
        path = uc_g2(g, "Div", uc_g1(g, "Neg", path), uc_graph_f64(g, expected));
    }
    return uc_g1(g, "Neg", uc_g2(g, "Pow", uc_graph_f64(g, 2), path));
}

/* 0.18, 0.19: 0.5 - score; then score_samples - offset_. */
static uc_ref decision(sk_ctx *ctx, const sk_est *est, uc_ref score)
{
    double offset = est->version < 20 ? -0.5 : sk_number(ctx, est, "offset_", -0.5);
    if (est->version < 20) {
        return uc_g2(ctx->graph, "Add", score, uc_graph_f64(ctx->graph, 0.5));
    }
    return uc_g2(ctx->graph, "Sub", score, uc_graph_f64(ctx->graph, offset));
}

/* -1 for the odd ones: below the threshold, in 0.18 and 0.19 also on it. */
static uc_ref outliers(sk_ctx *ctx, const sk_est *est, uc_ref values)
{
    uc_graph *g = ctx->graph;
    double threshold = sk_number(ctx, est, est->version < 20 ? "threshold_" : "_threshold_", 0);
    if (est->version >= 22 || (est->version >= 20 && !sk_str_is(est, "behaviour", "old"))) {
        threshold = 0;
    }
    uc_ref odd =
        uc_g2(g, est->version < 20 ? "LessOrEqual" : "Less", values, uc_graph_f64(g, threshold));
    return uc_g_where(g, odd, uc_graph_i64(g, -1), uc_graph_i64(g, 1));
}

uncork_status sk_do_isolation_forest(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    uc_ref score = scores(ctx, est, in);
    if (method == SK_SCORE_SAMPLES) {
        return sk_return(ctx, out, score, UNCORK_FLOAT64, 0);
    }
    uc_ref values = decision(ctx, est, score);
    if (method == SK_DECISION_FUNCTION) {
        return sk_return(ctx, out, values, UNCORK_FLOAT64, 0);
    }
    return sk_return(ctx, out, outliers(ctx, est, values), UNCORK_INT64, 0);
}
