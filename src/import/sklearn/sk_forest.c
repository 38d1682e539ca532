/* Decision trees and forests of them: classifiers, regressors, RandomTreesEmbedding.
 * Source: sklearn/tree/_classes.py (predict, predict_proba), sklearn/ensemble/_forest.py. */
#include "import/sklearn/sk_meta.h"
#include "import/sklearn/sk_tree.h"

#include <inttypes.h>

/* Columns of a table of values: one column is the narrow form. */
static int64_t table_width(int64_t columns) { return columns == 1 ? 0 : columns; }

/* One tree, or a forest whose trees' values are averaged. */
static uncork_status classify(sk_ctx *ctx, const sk_est *est, const sk_trees *trees,
                              sk_method method, const sk_data *in, sk_result *out)
{
    sk_outputs outputs;
    uc_tree_table table;
    if (!sk_outputs_read(ctx, est, &outputs)) {
        return sk_status(ctx);
    }
    for (size_t t = 0; t < trees->count; t++) {
        for (int64_t o = 0; o < outputs.count; o++) {
            if (trees->tree[t].outputs != outputs.count ||
                trees->tree[t].classes < outputs.width[o]) {
                return sk_fail(ctx, &trees->est[t], "tree_",
                               "has values for %" PRId64 " classes of %" PRId64
                               " outputs, the classes are %" PRId64 " of %" PRId64,
                               trees->tree[t].classes, trees->tree[t].outputs, outputs.width[o],
                               outputs.count);
            }
        }
    }
    if (!sk_trees_table(ctx, trees, table_width(outputs.total), &table)) {
        return sk_status(ctx);
    }
    /* A single tree's predict takes the maximum of the stored numbers. */
    bool raw = trees->count == 1 && method == SK_PREDICT && !sk_has(est, "estimators_");
    for (size_t t = 0; t < trees->count; t++) {
        const sk_tree *tree = &trees->tree[t];
        for (int64_t i = 0; i < tree->nodes; i++) {
            if (sk_tree_is_leaf(tree, i)) {
                sk_tree_proba(&trees->est[t], tree, &outputs, i, raw,
                              table.value64 + (table.first[t] + i) * outputs.total);
            }
        }
    }
    table.divisor = (double)trees->count;
    uc_ref x = sk_x_f32(ctx, est, in, table.features);
    uc_ref proba = uc_tree_table_node(ctx->graph, &table, x, 0);
    return sk_return_outputs(ctx, est, method, &outputs, proba, out);
}

static uncork_status regress(sk_ctx *ctx, const sk_est *est, const sk_trees *trees,
                             const sk_data *in, sk_result *out)
{
    uc_tree_table table;
    int64_t outputs = trees->tree[0].outputs;
    if (!sk_trees_table(ctx, trees, table_width(outputs), &table)) {
        return sk_status(ctx);
    }
    for (size_t t = 0; t < trees->count; t++) {
        const sk_tree *tree = &trees->tree[t];
        for (int64_t i = 0; i < tree->nodes * outputs; i++) {
            table.value64[table.first[t] * outputs + i] = tree->values[i * tree->classes];
        }
    }
    table.divisor = (double)trees->count;
    uc_ref x = sk_x_f32(ctx, est, in, table.features);
    uc_ref y = uc_tree_table_node(ctx->graph, &table, x, 0);
    if (outputs == 1) {
        return sk_return(ctx, out, uc_g_squeeze(ctx->graph, y, 1), UNCORK_FLOAT64, 0);
    }
    return sk_return(ctx, out, y, UNCORK_FLOAT64, outputs);
}

uncork_status sk_do_tree_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    if (method == SK_TRANSFORM) {
        return sk_select_by_importance(ctx, est, est, in, out);
    }
    sk_trees trees;
    return sk_trees_single(ctx, est, &trees) ? classify(ctx, est, &trees, method, in, out)
                                             : sk_status(ctx);
}

uncork_status sk_do_tree_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    if (method == SK_TRANSFORM) {
        return sk_select_by_importance(ctx, est, est, in, out);
    }
    sk_trees trees;
    return sk_trees_single(ctx, est, &trees) ? regress(ctx, est, &trees, in, out) : sk_status(ctx);
}

/* sklearn/ensemble/_forest.py: sums in the list's order, then one division. */
uncork_status sk_do_forest_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    if (method == SK_TRANSFORM) {
        return sk_select_by_importance(ctx, est, est, in, out);
    }
    sk_trees trees;
    return sk_trees_read(ctx, est, "estimators_", &trees)
               ? classify(ctx, est, &trees, method, in, out)
               : sk_status(ctx);
}

uncork_status sk_do_forest_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    if (method == SK_TRANSFORM) {
        return sk_select_by_importance(ctx, est, est, in, out);
    }
    sk_trees trees;
    return sk_trees_read(ctx, est, "estimators_", &trees) ? regress(ctx, est, &trees, in, out)
                                                          : sk_status(ctx);
}

/* RandomTreesEmbedding: which leaf, one-hot encoded by its own encoder. */
uncork_status sk_do_trees_embedding(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    sk_trees trees;
    uc_tree_table table;
    sk_est encoder;
    if (!sk_trees_read(ctx, est, "estimators_", &trees) ||
        !sk_trees_table(ctx, &trees, 0, &table) ||
        !sk_child(ctx, est, "one_hot_encoder_", &encoder)) {
        return sk_status(ctx);
    }
    table.output = "leaf";
    uc_ref x = sk_x_f32(ctx, est, in, table.features);
    sk_data leaves = {.x = uc_tree_table_node(ctx->graph, &table, x, 0),
                      .dtype = UNCORK_INT64,
                      .rank = 2,
                      .width = table.trees};
    return sk_apply(ctx, &encoder, method, &leaves, out);
}
