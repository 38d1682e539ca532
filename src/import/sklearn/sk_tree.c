/* What every file of tree-based estimators needs: sklearn.tree._tree.Tree read and laid out.
 * Source: sklearn/tree/_tree.pyx (Tree.__reduce__, __setstate__, _apply_dense), _classes.py. */
#include "import/sklearn/sk_tree.h"

#include <inttypes.h>

/* ---- reading -------------------------------------------------------------------------------- */

const uc_tensor *sk_field(sk_ctx *ctx, const sk_est *est, const char *attribute,
                          const uc_pickle *records, const char *names)
{
    if (sk_status(ctx) != UNCORK_OK) {
        return NULL;
    }
    for (const char *name = names; name; name = strchr(name, '|') ? strchr(name, '|') + 1 : NULL) {
        uc_str want = {name, strcspn(name, "|")};
        for (size_t i = 0; records && i < records->field_count; i++) {
            const uc_tensor *t = records->field_tensors[i];
            if (uc_str_equal(records->field_names[i], want) && t && t->rank == 1 && t->data &&
                uc_tensor_is_dense(t)) {
                return t;
            }
        }
    }
    sk_fail(ctx, est, attribute, "has no field %s", names);
    return NULL;
}

/* The nodes' array of a Tree and its type of fields. */
static const uc_pickle *node_records(sk_ctx *ctx, const sk_est *object)
{
    const uc_pickle *nodes = sk_attr(object, "nodes");
    if (!nodes || nodes->kind != UC_PICKLE_RECORDS || !nodes->tensor || nodes->tensor->rank != 1) {
        sk_fail(ctx, object, "nodes", "is no structured array of nodes");
        return NULL;
    }
    return nodes;
}

static bool is_integer_field(sk_ctx *ctx, const sk_est *est, const uc_tensor *t, const char *name)
{
    if (!t || uc_dtype_is_integer(t->dtype)) {
        return t != NULL;
    }
    sk_fail(ctx, est, "nodes", "field %s holds %s, expected integers", name,
            uc_dtype_name(t->dtype));
    return false;
}

static bool read_nodes(sk_ctx *ctx, const sk_est *object, sk_tree *tree)
{
    const uc_pickle *nodes = node_records(ctx, object);
    if (!nodes) {
        return false;
    }
    tree->left = sk_field(ctx, object, "nodes", nodes, "left_child");
    tree->right = sk_field(ctx, object, "nodes", nodes, "right_child");
    tree->feature = sk_field(ctx, object, "nodes", nodes, "feature");
    tree->threshold = sk_field(ctx, object, "nodes", nodes, "threshold");
    tree->samples = sk_field(ctx, object, "nodes", nodes, "n_node_samples");
    if (!is_integer_field(ctx, object, tree->left, "left_child") ||
        !is_integer_field(ctx, object, tree->right, "right_child") ||
        !is_integer_field(ctx, object, tree->feature, "feature") || !tree->threshold ||
        !tree->samples) {
        return false;
    }
    if (tree->threshold->dtype != UNCORK_FLOAT64) {
        sk_fail(ctx, object, "nodes", "field threshold holds %s, expected float64",
                uc_dtype_name(tree->threshold->dtype));
        return false;
    }
    for (size_t i = 0; i < nodes->field_count; i++) {
        if (uc_str_is(nodes->field_names[i], "missing_go_to_left")) {
            tree->missing_left = sk_field(ctx, object, "nodes", nodes, "missing_go_to_left");
        }
    }
    tree->nodes = tree->left->shape[0];
    return true;
}

/* Children come after their parent, inside the tree: no cycle, and depths need one pass. */
static bool check_children(sk_ctx *ctx, const sk_est *object, const sk_tree *tree)
{
    for (int64_t i = 0; i < tree->nodes; i++) {
        int64_t left = sk_field_i64(tree->left, i), right = sk_field_i64(tree->right, i);
        if (left < 0 && right < 0) {
            continue;
        }
        if (left <= i || right <= i || left >= tree->nodes || right >= tree->nodes ||
            left == right) {
            sk_fail(ctx, object, "nodes",
                    "node %" PRId64 " has children %" PRId64 " and %" PRId64 " of %" PRId64
                    " nodes",
                    i, left, right, tree->nodes);
            return false;
        }
        int64_t feature = sk_field_i64(tree->feature, i);
        if (feature < 0 || feature >= tree->features) {
            sk_fail(ctx, object, "nodes",
                    "node %" PRId64 " asks for feature %" PRId64 " of %" PRId64, i, feature,
                    tree->features);
            return false;
        }
    }
    return true;
}

bool sk_tree_read(sk_ctx *ctx, const sk_est *est, sk_tree *tree)
{
    *tree = (sk_tree){0};
    sk_est object;
    if (!sk_object(ctx, est, "tree_", &object)) {
        return false;
    }
    const uc_pickle *args = object.object->args;
    if (!uc_pickle_i64(uc_pickle_item(args, 0), &tree->features) ||
        !uc_pickle_i64(uc_pickle_item(args, 2), &tree->outputs) || tree->features < 1 ||
        tree->features > INT32_MAX || tree->outputs < 1 || tree->outputs > INT32_MAX) {
        sk_fail(ctx, est, "tree_", "isn't made of features, classes and outputs");
        return false;
    }
    if (!read_nodes(ctx, &object, tree)) {
        return false;
    }
    if (sk_int(ctx, &object, "node_count", tree->nodes) != tree->nodes) {
        sk_fail(ctx, &object, "node_count", "isn't the %" PRId64 " nodes there are", tree->nodes);
        return false;
    }
    const uc_tensor *values = sk_f64(ctx, &object, "values", 3);
    if (tree->nodes < 1 || tree->nodes > INT32_MAX ||
        !sk_shape_is(ctx, &object, "values", values, 3,
                     (int64_t[]){tree->nodes, tree->outputs, -1})) {
        return tree->nodes < 1 && sk_fail(ctx, &object, "nodes", "is empty") == UNCORK_OK;
    }
    tree->classes = values->shape[2];
    tree->values = uc_tensor_doubles(values);
    return check_children(ctx, &object, tree);
}

static bool same_shape(sk_ctx *ctx, const sk_trees *trees, size_t i)
{
    const sk_tree *a = &trees->tree[0], *b = &trees->tree[i];
    if (a->features == b->features && a->outputs == b->outputs) {
        return true;
    }
    sk_fail(ctx, &trees->est[i], "tree_",
            "takes %" PRId64 " features and gives %" PRId64 " outputs, the first tree %" PRId64
            " and %" PRId64,
            b->features, b->outputs, a->features, a->outputs);
    return false;
}

static bool alloc_trees(sk_ctx *ctx, size_t count, sk_trees *trees)
{
    *trees = (sk_trees){.count = count};
    trees->est = UC_NEW(ctx->arena, sk_est, count);
    trees->tree = UC_NEW(ctx->arena, sk_tree, count);
    return sk_status(ctx) == UNCORK_OK;
}

bool sk_trees_read(sk_ctx *ctx, const sk_est *est, const char *names, sk_trees *trees)
{
    size_t count = sk_list_count(est, names);
    if (sk_status(ctx) != UNCORK_OK || !alloc_trees(ctx, count, trees)) {
        return false;
    }
    if (count == 0) {
        sk_fail(ctx, est, names, "holds no tree: not fitted?");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!sk_list_child(ctx, est, names, i, &trees->est[i]) ||
            !sk_tree_read(ctx, &trees->est[i], &trees->tree[i]) || !same_shape(ctx, trees, i)) {
            return false;
        }
        trees->nodes += trees->tree[i].nodes;
    }
    return true;
}

bool sk_trees_single(sk_ctx *ctx, const sk_est *est, sk_trees *trees)
{
    if (!alloc_trees(ctx, 1, trees)) {
        return false;
    }
    trees->est[0] = *est;
    bool ok = sk_tree_read(ctx, est, &trees->tree[0]);
    trees->nodes = trees->tree[0].nodes;
    return ok;
}

bool sk_trees_table(sk_ctx *ctx, const sk_trees *trees, int64_t width, uc_tree_table *table)
{
    *table = (uc_tree_table){.trees = (int64_t)trees->count,
                             .nodes = trees->nodes,
                             .value_dtype = UNCORK_FLOAT64,
                             .width = width,
                             .columns = 1,
                             .features = trees->tree[0].features};
    if (!uc_tree_table_init(ctx->graph, table) || !uc_tree_table_flags(ctx->graph, table)) {
        return false;
    }
    int64_t at = 0;
    for (size_t t = 0; t < trees->count; t++) {
        const sk_tree *tree = &trees->tree[t];
        table->first[t] = at;
        for (int64_t i = 0; i < tree->nodes; i++, at++) {
            bool leaf = sk_tree_is_leaf(tree, i);
            table->left[at] = leaf ? -1 : (int32_t)sk_field_i64(tree->left, i);
            table->right[at] = leaf ? -1 : (int32_t)sk_field_i64(tree->right, i);
            table->feature[at] = leaf ? 0 : (int32_t)sk_field_i64(tree->feature, i);
            table->threshold[at] = ((const double *)tree->threshold->data)[i];
            bool missing_left = tree->missing_left && sk_field_i64(tree->missing_left, i) != 0;
            table->flags[at] = UC_NODE_NAN | (missing_left ? UC_NODE_MISSING_LEFT : 0);
        }
    }
    table->first[trees->count] = at;
    return true;
}

/* ---- classes and their probabilities ---------------------------------------------------------- */

/* As sk_classes: INT64, FLOAT64, BOOL or STRING. */
static const uc_tensor *read_classes(sk_ctx *ctx, const sk_est *est, const uc_pickle *value)
{
    const uc_tensor *t = value ? uc_pickle_tensor(value, ctx->arena, NULL) : NULL;
    t = t && t->rank == 1 ? uc_tensor_dense(ctx->arena, t) : NULL;
    if (!t) {
        sk_fail(ctx, est, "classes_", "is no list of classes for each output");
        return NULL;
    }
    if (t->dtype == UNCORK_STRING || t->dtype == UNCORK_BOOL || t->dtype == UNCORK_INT64 ||
        t->dtype == UNCORK_FLOAT64) {
        return t;
    }
    return uc_tensor_cast(ctx->arena, t,
                          uc_dtype_is_integer(t->dtype) ? UNCORK_INT64 : UNCORK_FLOAT64);
}

bool sk_outputs_read(sk_ctx *ctx, const sk_est *est, sk_outputs *outputs)
{
    int64_t count = sk_int(ctx, est, "n_outputs_", 1);
    if (sk_status(ctx) != UNCORK_OK || count < 1 ||
        (count > 1 && (size_t)count != sk_list_count(est, "classes_"))) {
        sk_fail(ctx, est, "n_outputs_", "is %" PRId64 ", classes_ has %zu", count,
                sk_list_count(est, "classes_"));
        return false;
    }
    *outputs = (sk_outputs){.count = count};
    outputs->width = UC_NEW(ctx->arena, int64_t, (size_t)count);
    outputs->classes = UC_NEW(ctx->arena, const uc_tensor *, (size_t)count);
    if (sk_status(ctx) != UNCORK_OK) {
        return false;
    }
    for (int64_t o = 0; o < count; o++) {
        const uc_tensor *classes =
            count == 1
                ? sk_classes(ctx, est)
                : read_classes(ctx, est, uc_pickle_item(sk_attr(est, "classes_"), (size_t)o));
        if (!classes && count == 1) { /* trained on a column vector: a list of one */
            classes = read_classes(ctx, est, uc_pickle_item(sk_attr(est, "classes_"), 0));
        }
        if (!classes || uc_tensor_count(classes) < 1) {
            sk_fail(ctx, est, "classes_", "is missing: not fitted?");
            return false;
        }
        outputs->classes[o] = classes;
        outputs->width[o] = uc_tensor_count(classes);
        outputs->total += outputs->width[o];
    }
    return true;
}

double sk_pairwise_sum(const double *v, int64_t n)
{
    if (n < 8) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += v[i];
        }
        return sum;
    }
    if (n > 128) {
        int64_t half = n / 2 - n / 2 % 8;
        return sk_pairwise_sum(v, half) + sk_pairwise_sum(v + half, n - half);
    }
    double r[8];
    memcpy(r, v, sizeof r);
    int64_t i = 8;
    for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; k++) {
            r[k] += v[i + k];
        }
    }
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++) {
        sum += v[i];
    }
    return sum;
}

void sk_tree_proba(const sk_est *est, const sk_tree *tree, const sk_outputs *outputs, int64_t node,
                   bool raw, double *proba)
{
    bool fractions = est->version >= 104;
    for (int64_t o = 0; o < outputs->count; o++) {
        const double *v = tree->values + (node * tree->outputs + o) * tree->classes;
        double sum = raw || fractions ? 1 : sk_pairwise_sum(v, outputs->width[o]);
        for (int64_t c = 0; c < outputs->width[o]; c++) {
            *proba++ = raw || fractions || sum == 0 ? v[c] : v[c] / sum;
        }
    }
}

uncork_status sk_return_outputs(sk_ctx *ctx, const sk_est *est, sk_method method,
                                const sk_outputs *outputs, uc_ref proba, sk_result *out)
{
    uc_graph *g = ctx->graph;
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, (size_t)outputs->count);
    if (!parts || sk_status(ctx) != UNCORK_OK) {
        return sk_status(ctx);
    }
    int64_t begin = 0;
    uncork_dtype labels = outputs->classes[0]->dtype;
    if (outputs->count > 1 && est->version < 21 && labels != UNCORK_STRING) {
        labels = UNCORK_FLOAT64; /* an array of zeros took them up to 0.20 */
    }
    for (int64_t o = 0; o < outputs->count; o++) {
        uc_ref part =
            outputs->count == 1 ? proba : sk_columns(ctx, proba, begin, begin + outputs->width[o]);
        begin += outputs->width[o];
        if (method == SK_PREDICT) {
            part = sk_take_labels(ctx, outputs->classes[o], uc_g_argmax(g, part, 1, false));
            if (outputs->classes[o]->dtype != labels) { /* the array has the first one's type */
                part = uc_g_cast(g, part, labels);
            }
        } else if (method == SK_PREDICT_LOG_PROBA) {
            part = uc_g1(g, "Log", part);
        }
        parts[o] = part;
    }
    if (outputs->count == 1) {
        bool is_label = method == SK_PREDICT;
        return sk_return(ctx, out, parts[0], is_label ? labels : UNCORK_FLOAT64,
                         is_label ? 0 : outputs->width[0]);
    }
    if (method != SK_PREDICT) {
        *out = (sk_result){.out = parts,
                           .count = (size_t)outputs->count,
                           .dtype = UNCORK_FLOAT64,
                           .width = outputs->width[0]};
        return sk_status(ctx);
    }
    for (int64_t o = 0; o < outputs->count; o++) {
        parts[o] = uc_g_unsqueeze(g, parts[o], 1);
    }
    return sk_return(ctx, out, uc_g_concat(g, parts, (size_t)outputs->count, 1), labels,
                     outputs->count);
}
