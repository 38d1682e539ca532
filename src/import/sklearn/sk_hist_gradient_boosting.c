/* HistGradientBoostingClassifier and -Regressor: a baseline plus the leaves of float64 trees that know
 * missing values and categories.
 * Source: sklearn/ensemble/_hist_gradient_boosting/gradient_boosting.py, _predictor.pyx, binning.py
 * (make_known_categories_bitsets), common.pyx (node types of 0.21 to 1.9). */
#include "import/sklearn/sk_tree.h"

#include <inttypes.h>

enum { SET_WORDS = 8 }; /* a set of categories below 256 */

typedef struct hist_tree { /* one TreePredictor */
    const uc_tensor *value, *feature, *threshold, *missing_left, *left, *right, *is_leaf;
    const uc_tensor *is_category, *bitset; /* NULL before 0.24 */
    const uc_tensor *sets;                 /* [sets, 8] uint32 or NULL */
    int64_t nodes;
} hist_tree;

typedef struct hist {
    const sk_est *est;
    int64_t outputs, count, nodes, sets, features;
    int64_t category_nodes;
    hist_tree *trees;            /* [count], iteration after iteration */
    const uc_tensor *known;      /* is_categorical_ of the bin mapper, or NULL */
    const uc_pickle *categories; /* its bin_thresholds_ */
} hist;

/* ---- reading ---------------------------------------------------------------------------------- */

static sk_est predictor_at(sk_ctx *ctx, const sk_est *est, const uc_pickle *object, int64_t i)
{
    sk_est p = *est;
    const char *path = uc_arena_printf(ctx->arena, "%s._predictors[%" PRId64 "]", est->path, i);
    p.object = object;
    p.class_name = object->text;
    p.module = object->module;
    p.path = path ? path : est->path;
    return p;
}

static bool has_field(const uc_pickle *records, const char *name)
{
    for (size_t i = 0; i < records->field_count; i++) {
        if (uc_str_is(records->field_names[i], name)) {
            return true;
        }
    }
    return false;
}

static bool read_sets(sk_ctx *ctx, const sk_est *p, hist_tree *tree)
{
    if (!sk_has(p, "raw_left_cat_bitsets")) {
        return true;
    }
    tree->sets = sk_tensor(ctx, p, "raw_left_cat_bitsets", 2);
    if (tree->sets && (tree->sets->dtype != UNCORK_UINT32 || tree->sets->shape[1] != SET_WORDS)) {
        sk_fail(ctx, p, "raw_left_cat_bitsets", "is no array of sets [sets, 8] of uint32");
    }
    return sk_status(ctx) == UNCORK_OK;
}

static bool read_predictor(sk_ctx *ctx, const sk_est *est, const uc_pickle *object, int64_t i,
                           hist_tree *tree)
{
    if (!object || object->kind != UC_PICKLE_OBJECT) {
        sk_fail(ctx, est, "_predictors", "holds no tree %" PRId64, i);
        return false;
    }
    sk_est p = predictor_at(ctx, est, object, i);
    const uc_pickle *nodes = sk_attr(&p, "nodes");
    if (!nodes || nodes->kind != UC_PICKLE_RECORDS) {
        sk_fail(ctx, &p, "nodes", "is no structured array of nodes");
        return false;
    }
    tree->value = sk_field(ctx, &p, "nodes", nodes, "value");
    tree->feature = sk_field(ctx, &p, "nodes", nodes, "feature_idx");
    tree->threshold = sk_field(ctx, &p, "nodes", nodes, "num_threshold|threshold");
    if (has_field(nodes, "missing_go_to_left")) {
        tree->missing_left = sk_field(ctx, &p, "nodes", nodes, "missing_go_to_left");
    }
    tree->left = sk_field(ctx, &p, "nodes", nodes, "left");
    tree->right = sk_field(ctx, &p, "nodes", nodes, "right");
    tree->is_leaf = sk_field(ctx, &p, "nodes", nodes, "is_leaf");
    if (has_field(nodes, "is_categorical")) {
        tree->is_category = sk_field(ctx, &p, "nodes", nodes, "is_categorical");
        tree->bitset = sk_field(ctx, &p, "nodes", nodes, "bitset_idx");
    }
    if (sk_status(ctx) != UNCORK_OK) {
        return false;
    }
    tree->nodes = tree->value->shape[0];
    if (tree->value->dtype != UNCORK_FLOAT64 || tree->threshold->dtype != UNCORK_FLOAT64 ||
        tree->nodes < 1) {
        sk_fail(ctx, &p, "nodes", "is empty or has values that aren't float64");
    }
    return sk_status(ctx) == UNCORK_OK && read_sets(ctx, &p, tree);
}

static bool read_predictors(sk_ctx *ctx, hist *h)
{
    const uc_pickle *list = sk_attr(h->est, "_predictors");
    size_t iterations = sk_list_count(h->est, "_predictors");
    h->outputs = sk_int(ctx, h->est, "n_trees_per_iteration_", 1);
    if (h->outputs < 1 || h->outputs > INT32_MAX || iterations > (size_t)INT32_MAX) {
        sk_fail(ctx, h->est, "n_trees_per_iteration_", "is %" PRId64, h->outputs);
    }
    if (sk_status(ctx) != UNCORK_OK ||
        __builtin_mul_overflow((int64_t)iterations, h->outputs, &h->count)) {
        return false;
    }
    for (size_t i = 0; i < iterations; i++) {
        if (!list->items[i] || (int64_t)list->items[i]->count != h->outputs) {
            sk_fail(ctx, h->est, "_predictors", "iteration %zu doesn't hold %" PRId64 " trees", i,
                    h->outputs);
            return false;
        }
    }
    h->trees = UC_NEW(ctx->arena, hist_tree, (size_t)h->count);
    for (int64_t t = 0; h->trees && t < h->count; t++) {
        const uc_pickle *one =
            uc_pickle_item(list->items[t / h->outputs], (size_t)(t % h->outputs));
        if (!read_predictor(ctx, h->est, one, t, &h->trees[t])) {
            return false;
        }
        h->nodes += h->trees[t].nodes;
        h->sets += h->trees[t].sets ? h->trees[t].sets->shape[0] : 0;
        for (int64_t i = 0; h->trees[t].is_category && i < h->trees[t].nodes; i++) {
            h->category_nodes += sk_field_i64(h->trees[t].is_category, i) != 0;
        }
    }
    return sk_status(ctx) == UNCORK_OK;
}

/* The bin mapper's categories: what a category node may know. */
static bool read_categories(sk_ctx *ctx, hist *h)
{
    sk_est mapper;
    if (h->sets == 0) {
        return true;
    }
    if (!sk_object(ctx, h->est, "_bin_mapper|bin_mapper_", &mapper)) {
        return false;
    }
    h->known = sk_tensor(ctx, &mapper, "is_categorical_", 1);
    h->categories = sk_attr(&mapper, "bin_thresholds_");
    if (h->known && (h->known->shape[0] != h->features || !h->categories ||
                     (int64_t)h->categories->count != h->features)) {
        sk_fail(ctx, &mapper, "bin_thresholds_", "doesn't match the %" PRId64 " features",
                h->features);
    }
    return sk_status(ctx) == UNCORK_OK;
}

/* ---- the table of nodes ----------------------------------------------------------------------- */

/* words: [sets of all trees, 8], then [features, 8] of known categories. */
static bool fill_words(sk_ctx *ctx, const hist *h, uc_tree_table *table)
{
    if (h->sets == 0) {
        return true;
    }
    if (!uc_tree_table_sets(ctx->graph, table, h->category_nodes,
                            (h->sets + h->features) * SET_WORDS)) {
        return false;
    }
    int64_t at = 0;
    for (int64_t t = 0; t < h->count; t++) {
        const uc_tensor *sets = h->trees[t].sets;
        if (sets && sets->shape[0] > 0) {
            size_t words = (size_t)sets->shape[0] * SET_WORDS;
            memcpy(table->words + at, sets->data, words * sizeof(uint32_t));
            at += (int64_t)words;
        }
    }
    for (int64_t f = 0; f < h->features; f++, at += SET_WORDS) {
        const uc_tensor *values =
            sk_field_i64(h->known, f)
                ? uc_pickle_tensor(uc_pickle_item(h->categories, (size_t)f), ctx->arena, NULL)
                : NULL;
        for (int64_t i = 0; values && values->data && i < uc_tensor_count(values); i++) {
            double v = uc_dtype_load_f64(values->data, i, values->dtype);
            if (v >= 0 && v < SET_WORDS * 32) {
                table->words[at + (int64_t)v / 32] |= 1u << ((int64_t)v % 32);
            }
        }
    }
    return sk_status(ctx) == UNCORK_OK;
}

/* A category node: its tree's set number `bitset`, and what its feature knows. */
static bool fill_category(sk_ctx *ctx, const hist *h, const hist_tree *tree, int64_t i,
                          int64_t first_set, uc_tree_table *table, int64_t at, int64_t *row)
{
    int64_t set = sk_field_i64(tree->bitset, i), feature = table->feature[at];
    if (!tree->sets || set < 0 || set >= tree->sets->shape[0] || feature < 0 ||
        feature >= h->features) {
        sk_fail(ctx, h->est, "_predictors", "a node asks for set %" PRId64 " of feature %" PRId64,
                set, feature);
        return false;
    }
    int64_t *sets = table->sets + 4 * *row;
    sets[0] = (first_set + set) * SET_WORDS;
    sets[2] = (h->sets + feature) * SET_WORDS;
    sets[1] = sets[3] = SET_WORDS * 32;
    table->set[at] = (int32_t)*row;
    *row += 1;
    return true;
}

static bool fill_tree(sk_ctx *ctx, const hist *h, int64_t t, int64_t first_set,
                      uc_tree_table *table, int64_t *row)
{
    const hist_tree *tree = &h->trees[t];
    for (int64_t i = 0; i < tree->nodes; i++) {
        int64_t at = table->first[t] + i;
        bool missing_left = tree->missing_left && sk_field_i64(tree->missing_left, i) != 0;
        table->flags[at] = UC_NODE_NAN | (missing_left ? UC_NODE_MISSING_LEFT : 0);
        if (sk_field_i64(tree->is_leaf, i)) {
            table->value64[at] = ((const double *)tree->value->data)[i];
            continue;
        }
        int64_t left = sk_field_i64(tree->left, i), right = sk_field_i64(tree->right, i);
        int64_t feature = sk_field_i64(tree->feature, i);
        if (left < 1 || left >= tree->nodes || right < 1 || right >= tree->nodes || feature < 0 ||
            feature >= h->features) {
            sk_fail(ctx, h->est, "_predictors",
                    "tree %" PRId64 ": node %" PRId64 " has children %" PRId64 " and %" PRId64
                    " and feature %" PRId64,
                    t, i, left, right, feature);
            return false;
        }
        table->left[at] = (int32_t)left;
        table->right[at] = (int32_t)right;
        table->feature[at] = (int32_t)feature;
        table->threshold[at] = ((const double *)tree->threshold->data)[i];
        if (tree->is_category && sk_field_i64(tree->is_category, i)) {
            uint8_t out_left = missing_left ? UC_NODE_INVALID_LEFT : 0;
            table->flags[at] |= UC_NODE_CATEGORY | UC_NODE_IN_LEFT | out_left;
            if (!fill_category(ctx, h, tree, i, first_set, table, at, row)) {
                return false;
            }
        }
    }
    return true;
}

static bool fill_table(sk_ctx *ctx, const hist *h, uc_tree_table *table)
{
    *table = (uc_tree_table){.trees = h->count,
                             .nodes = h->nodes,
                             .value_dtype = UNCORK_FLOAT64,
                             .columns = h->outputs,
                             .features = h->features};
    if (!uc_tree_table_init(ctx->graph, table) || !uc_tree_table_flags(ctx->graph, table) ||
        !fill_words(ctx, h, table)) {
        return false;
    }
    table->group = UC_NEW(ctx->arena, int32_t, (size_t)h->count);
    int64_t at = 0, first_set = 0, row = 0;
    for (int64_t t = 0; table->group && t < h->count; t++) {
        table->first[t] = at;
        table->group[t] = (int32_t)(t % h->outputs);
        if (!fill_tree(ctx, h, t, first_set, table, &row)) {
            return false;
        }
        at += h->trees[t].nodes;
        first_set += h->trees[t].sets ? h->trees[t].sets->shape[0] : 0;
    }
    table->first[h->count] = at;
    return sk_status(ctx) == UNCORK_OK;
}

/* ---- estimators ------------------------------------------------------------------------------- */

static const double *baseline(sk_ctx *ctx, const hist *h)
{
    double *base = UC_NEW(ctx->arena, double, (size_t)h->outputs);
    const uc_tensor *t = sk_f64(ctx, h->est, "_baseline_prediction", -1);
    int64_t n = t ? uc_tensor_count(t) : 0;
    if (!base || (n != 1 && n != h->outputs)) {
        sk_fail(ctx, h->est, "_baseline_prediction", "has %" PRId64 " numbers, expected %" PRId64,
                n, h->outputs);
        return NULL;
    }
    for (int64_t k = 0; k < h->outputs; k++) {
        base[k] = ((const double *)t->data)[n == 1 ? 0 : k];
    }
    return base;
}

/* Raw predictions [rows, outputs]. Rows are float64; float32 ones give the same decisions as they
 * are. From 1.4 on a ColumnTransformer puts categories first and encodes them. */
static uc_ref raw_predictions(sk_ctx *ctx, const sk_est *est, const sk_data *in, hist *h)
{
    sk_est preprocessor;
    sk_result encoded;
    sk_data rows = *in;
    uc_tree_table table;
    *h = (hist){.est = est};
    h->features = sk_int(ctx, est, "_n_features|n_features_in_|n_features_", -1);
    if (h->features < 1 || h->features > INT32_MAX / 2) {
        sk_fail(ctx, est, "_n_features|n_features_in_|n_features_", "is %" PRId64, h->features);
        return 0;
    }
    if (sk_has(est, "_preprocessor")) {
        if (!sk_child(ctx, est, "_preprocessor", &preprocessor) ||
            sk_apply(ctx, &preprocessor, SK_TRANSFORM, in, &encoded) || encoded.count != 1) {
            return 0;
        }
        rows = sk_as_data(&encoded);
    }
    if (!read_predictors(ctx, h) || !read_categories(ctx, h) || !fill_table(ctx, h, &table)) {
        return 0;
    }
    table.base = baseline(ctx, h);
    uncork_dtype dtype;
    uc_ref x = sk_x_keep(ctx, est, &rows, h->features, &dtype);
    return sk_status(ctx) == UNCORK_OK ? uc_tree_table_node(ctx->graph, &table, x, 0) : 0;
}

uncork_status sk_do_hist_gradient_boosting_regressor(sk_ctx *ctx, const sk_est *est,
                                                     sk_method method, const sk_data *in,
                                                     sk_result *out)
{
    (void)method;
    hist h;
    uc_ref y = uc_g_squeeze(ctx->graph, raw_predictions(ctx, est, in, &h), 1);
    if (sk_str_is(est, "loss", "poisson") || sk_str_is(est, "loss", "gamma")) {
        y = uc_g1(ctx->graph, "Exp", y);
    }
    return sk_return(ctx, out, y, UNCORK_FLOAT64, 0);
}

/* 0.21 to 1.4 take the larger probability, 1.5 and later the raw prediction itself. */
static uc_ref predicted(sk_ctx *ctx, const hist *h, uc_ref raw, uc_ref proba)
{
    uc_graph *g = ctx->graph;
    if (h->est->version < 105) {
        return uc_g_argmax(g, proba, 1, false);
    }
    if (h->outputs > 1) {
        return uc_g_argmax(g, raw, 1, false);
    }
    uc_ref positive = uc_g2(g, "Greater", uc_g_squeeze(g, raw, 1), uc_graph_f64(g, 0));
    return uc_g_cast(g, positive, UNCORK_INT64);
}

uncork_status sk_do_hist_gradient_boosting_classifier(sk_ctx *ctx, const sk_est *est,
                                                      sk_method method, const sk_data *in,
                                                      sk_result *out)
{
    hist h;
    uc_graph *g = ctx->graph;
    const uc_tensor *classes = sk_classes(ctx, est);
    uc_ref raw = raw_predictions(ctx, est, in, &h), proba;
    int64_t n = classes ? uc_tensor_count(classes) : 0;
    if (sk_status(ctx) != UNCORK_OK) {
        return sk_status(ctx);
    }
    if (n != (h.outputs == 1 ? 2 : h.outputs)) {
        return sk_fail(ctx, est, "classes_",
                       "has %" PRId64 " classes, an iteration %" PRId64 " trees", n, h.outputs);
    }
    if (method == SK_DECISION_FUNCTION) {
        return sk_return(ctx, out, h.outputs == 1 ? uc_g_squeeze(g, raw, 1) : raw, UNCORK_FLOAT64,
                         h.outputs == 1 ? 0 : n);
    }
    if (h.outputs == 1) {
        proba = sk_binary_columns(ctx, sk_expit(ctx, raw));
    } else if (est->version < 101) {
        proba = uc_g1(g, "Exp", uc_g2(g, "Sub", raw, sk_logsumexp(ctx, raw)));
    } else {
        proba = uc_g_softmax(g, raw, 1);
    }
    if (method == SK_PREDICT) {
        return sk_return(ctx, out, sk_take_labels(ctx, classes, predicted(ctx, &h, raw, proba)),
                         classes->dtype, 0);
    }
    return sk_return_proba(ctx, est, method, classes, proba, out);
}
