/* Feature selection by an estimator: RFE, RFECV (which also predict) and SelectFromModel.
 * Source: sklearn/feature_selection/{_rfe,_from_model,_base}.py; Tree.compute_feature_importances. */
#include "base/text.h"
#include "import/sklearn/sk_meta.h"
#include "import/sklearn/sk_tree.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

uncork_status sk_take_columns(sk_ctx *ctx, const sk_est *est, const char *attribute,
                              const bool *mask, int64_t n, const sk_data *in, sk_result *out)
{
    int64_t width = in->columns ? (int64_t)in->column_count : in->width, count = 0;
    if (width >= 0 && width != n) {
        return sk_fail(ctx, est, attribute, "is for %" PRId64 " features, gets %" PRId64, n, width);
    }
    int64_t *indices = UC_NEW(ctx->arena, int64_t, (size_t)n);
    for (int64_t i = 0; indices && i < n; i++) {
        if (mask[i]) indices[count++] = i;
    }
    sk_data picked;
    if (!indices || !sk_features(ctx, in, indices, (size_t)count, &picked)) return sk_status(ctx);
    UC_TRY(sk_return_input(ctx, est, &picked, out));
    uc_str *names = in->names && count ? UC_NEW(ctx->arena, uc_str, (size_t)count) : NULL;
    for (int64_t i = 0; names && i < count; i++)
        names[i] = in->names[indices[i]];
    out->names = names;
    return sk_status(ctx);
}

uncork_status sk_do_rfe(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    const uc_tensor *support = sk_i64(ctx, est, "support_", 1);
    if (!support) return sk_status(ctx);
    int64_t n = support->shape[0];
    bool *mask = UC_NEW(ctx->arena, bool, (size_t)n);
    for (int64_t i = 0; mask && i < n; i++)
        mask[i] = ((const int64_t *)support->data)[i] != 0;
    if (!mask) return sk_status(ctx);
    UC_TRY(sk_take_columns(ctx, est, "support_", mask, n, in, out));
    if (method == SK_TRANSFORM) return UNCORK_OK;
    sk_est inner;
    sk_data data = sk_as_data(out);
    if (!sk_child(ctx, est, "estimator_", &inner)) return sk_status(ctx);
    return sk_apply(ctx, &inner, method, &data, out);
}

/* ---- importances --------------------------------------------------------------------------- */

typedef struct scores {
    double *of; /* [count] */
    int64_t count;
} scores;

static bool room(sk_ctx *ctx, scores *s, int64_t n)
{
    if (s->of) return s->count == n;
    s->count = n;
    s->of = UC_NEW(ctx->arena, double, (size_t)n);
    return s->of != NULL;
}

static void scale(scores *s, double by)
{
    for (int64_t i = 0; i < s->count; i++)
        s->of[i] *= by;
}

static double total_of(const scores *s)
{
    double sum = 0;
    for (int64_t i = 0; i < s->count; i++)
        sum += s->of[i];
    return sum;
}

/* Each split's weighted fall of impurity, added to its feature. */
static bool tree_scores(sk_ctx *ctx, const sk_est *est, bool normalize, scores *s)
{
    sk_tree tree;
    sk_est object;
    if (!sk_tree_read(ctx, est, &tree) || !sk_object(ctx, est, "tree_", &object)) return false;
    const uc_pickle *nodes = sk_attr(&object, "nodes");
    const uc_tensor *impurity = sk_field(ctx, &object, "nodes", nodes, "impurity");
    const uc_tensor *weight = sk_field(ctx, &object, "nodes", nodes, "weighted_n_node_samples");
    const uc_tensor *right = tree.right;
    if (!impurity || !weight || !room(ctx, s, tree.features)) return false;
    for (int64_t i = 0; i < tree.nodes; i++) {
        if (sk_tree_is_leaf(&tree, i)) continue;
        int64_t l = sk_field_i64(tree.left, i), r = sk_field_i64(right, i),
                f = sk_field_i64(tree.feature, i);
        if (l >= tree.nodes || r < 0 || r >= tree.nodes || f < 0 || f >= s->count) {
            sk_fail(ctx, est, "tree_", "has a node out of range");
            return false;
        }
        double w[3] = {uc_dtype_load_f64(weight->data, i, weight->dtype),
                       uc_dtype_load_f64(weight->data, l, weight->dtype),
                       uc_dtype_load_f64(weight->data, r, weight->dtype)};
        double m[3] = {uc_dtype_load_f64(impurity->data, i, impurity->dtype),
                       uc_dtype_load_f64(impurity->data, l, impurity->dtype),
                       uc_dtype_load_f64(impurity->data, r, impurity->dtype)};
        s->of[f] += w[0] * m[0] - w[1] * m[1] - w[2] * m[2];
    }
    double first = tree.nodes ? uc_dtype_load_f64(weight->data, 0, weight->dtype) : 1;
    if (first > 0) scale(s, 1 / first);
    double sum = total_of(s);
    if (normalize && sum > 0) scale(s, 1 / sum);
    return true;
}

/* The mean over the trees that have a split, and that divided by its sum. Gradient boosting sums
 * falls as they are since 0.20; forests take each tree's share. Until 0.20 it stays a mean. AdaBoost weighs its trees. */
static bool ensemble_scores(sk_ctx *ctx, const sk_est *est, scores *s)
{
    bool boosting = uc_str_is(est->class_name, "GradientBoostingClassifier") ||
                    uc_str_is(est->class_name, "GradientBoostingRegressor");
    const uc_tensor *weights = sk_f64_or_null(ctx, est, "estimator_weights_", 1);
    size_t n = sk_list_count(est, "estimators_");
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        sk_est child;
        scores one = {0};
        if (!sk_list_child(ctx, est, "estimators_", i, &child)) return false;
        if (!tree_scores(ctx, &child, !(boosting && est->version >= 20), &one)) return false;
        double w = weights && (int64_t)i < weights->shape[0] ? uc_tensor_doubles(weights)[i] : 1;
        if (!room(ctx, s, one.count)) return false;
        total += w;
        for (int64_t k = 0; k < s->count; k++)
            s->of[k] += w * one.of[k];
    }
    if (!s->of) return false;
    double sum = weights || est->version < 21 ? total : total_of(s);
    if (sum > 0) scale(s, 1 / sum);
    return true;
}

/* |coef_|, or the norm of its columns. */
static bool coefficient_scores(sk_ctx *ctx, const sk_est *est, double order, const uc_tensor *coef,
                               scores *s)
{
    int64_t rows = coef->rank == 2 ? coef->shape[0] : 1,
            n = coef->rank == 2 ? coef->shape[1] : coef->shape[0];
    const double *c = uc_tensor_doubles(coef);
    if (coef->rank < 1 || coef->rank > 2) {
        sk_fail(ctx, est, "coef_", "has %d dimensions", coef->rank);
        return false;
    }
    if (!room(ctx, s, n)) return false;
    for (int64_t j = 0; j < n; j++) {
        double sum = 0, low = HUGE_VAL, high = 0;
        for (int64_t i = 0; i < rows; i++) {
            double v = fabs(c[i * n + j]);
            sum += order == 1 ? v : order == 2 ? v * v : pow(v, order);
            low = fmin(low, v);
            high = fmax(high, v);
        }
        bool norm = coef->rank == 2;
        s->of[j] = !norm          ? sum
                   : order == 1   ? sum
                   : order == 2   ? sqrt(sum)
                   : isinf(order) ? (order > 0 ? high : low)
                                  : pow(sum, 1 / order);
        if (!norm) s->of[j] = fabs(c[j]);
    }
    return true;
}

static bool importances(sk_ctx *ctx, const sk_est *selector, const sk_est *est, scores *s)
{
    const char *getter = "coef_";
    uc_str name = sk_str(ctx, selector, "importance_getter", "auto");
    bool automatic = uc_str_is(name, "auto");
    if (!automatic && !uc_str_is(name, "coef_") && !uc_str_is(name, "feature_importances_")) {
        sk_unsupported(ctx, selector, "takes importances from '%.*s'", (int)name.size, name.data);
        return false;
    }
    const uc_tensor *stored = sk_f64_or_null(ctx, est, "feature_importances_", 1);
    double order = sk_number(ctx, selector, "norm_order", 1);
    if (stored) return coefficient_scores(ctx, est, order, stored, s);
    if (sk_has(est, getter)) {
        const uc_tensor *coef = sk_f64(ctx, est, getter, -1);
        return coef && coefficient_scores(ctx, est, order, coef, s);
    }
    if (sk_has(est, "tree_")) return tree_scores(ctx, est, true, s);
    if (sk_list_count(est, "estimators_")) return ensemble_scores(ctx, est, s);
    sk_unsupported(ctx, selector, "selects by %.*s, whose importances aren't in the file",
                   (int)est->class_name.size, est->class_name.data);
    return false;
}

/* ---- SelectFromModel ----------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double reference(sk_ctx *ctx, const scores *s, uc_str name)
{
    if (uc_str_is(name, "mean")) return s->count ? total_of(s) / (double)s->count : 0;
    double *sorted = UC_NEW(ctx->arena, double, (size_t)s->count + 1);
    if (!uc_str_is(name, "median") || !sorted || s->count == 0) return nan("");
    memcpy(sorted, s->of, (size_t)s->count * sizeof *sorted);
    qsort(sorted, (size_t)s->count, sizeof *sorted, by_value);
    int64_t half = s->count / 2;
    return s->count % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/* "1.25*mean" */
static double written_threshold(sk_ctx *ctx, const sk_est *est, const scores *s, uc_str text)
{
    const char *star = text.size ? memchr(text.data, '*', text.size) : NULL;
    double factor = 1;
    uc_str name = text;
    if (star) {
        name = (uc_str){star + 1, text.size - (size_t)(star + 1 - text.data)};
        uc_str head = uc_text_trim((uc_str){text.data, (size_t)(star - text.data)});
        if (!uc_text_f64(head, &factor)) sk_fail(ctx, est, "threshold", "isn't understood");
    }
    double at = reference(ctx, s, uc_text_trim(name));
    if (isnan(at))
        sk_fail(ctx, est, "threshold", "is '%.*s'", (int)(text.size < 40 ? text.size : 40),
                text.data);
    return factor * at;
}

static bool close_to_one(sk_ctx *ctx, const sk_est *est, const char *names)
{
    const uc_tensor *t = sk_f64_or_null(ctx, est, names, -1);
    for (int64_t i = 0; t && i < uc_tensor_count(t); i++) {
        if (!(fabs(uc_tensor_doubles(t)[i] - 1) <= 1e-8 + 1e-5)) return false;
    }
    return t != NULL;
}

/* 1e-5 after an l1 penalty, else the mean. */
static double default_threshold(sk_ctx *ctx, const sk_est *est, const scores *s)
{
    char name[80] = "";
    if (est->class_name.size) {
        memcpy(name, est->class_name.data, est->class_name.size < 79 ? est->class_name.size : 79);
    }
    bool l1 = sk_str_is(est, "penalty", "l1") || strstr(name, "Lasso");
    bool net = strcmp(name, "ElasticNet") == 0 ||
               (strcmp(name, "LogisticRegression") == 0 && est->version >= 108);
    bool net_cv = strcmp(name, "ElasticNetCV") == 0 ||
                  (strcmp(name, "LogisticRegressionCV") == 0 && est->version >= 108);
    if (est->version >= 103 && net) l1 = l1 || close_to_one(ctx, est, "l1_ratio");
    if (est->version >= 103 && net_cv) l1 = l1 || close_to_one(ctx, est, "l1_ratio_");
    return l1 ? 1e-5 : reference(ctx, s, uc_str_of("mean"));
}

static double threshold_of(sk_ctx *ctx, const sk_est *est, const sk_est *inner, const scores *s)
{
    const uc_pickle *given = sk_attr(est, "threshold");
    if (!given || given->kind == UC_PICKLE_NONE) return default_threshold(ctx, inner, s);
    bool text = given->kind == UC_PICKLE_TEXT || given->kind == UC_PICKLE_BYTES;
    return text ? written_threshold(ctx, est, s, given->text) : sk_number(ctx, est, "threshold", 0);
}

/* Leaves the `most` highest, the earlier of equals. */
static void keep_highest(const scores *s, int64_t most, bool *mask)
{
    for (int64_t i = 0; i < s->count; i++) {
        int64_t above = 0;
        for (int64_t k = 0; k < s->count; k++)
            above += s->of[k] > s->of[i] || (s->of[k] == s->of[i] && k < i);
        mask[i] = mask[i] && above < most;
    }
}

uncork_status sk_do_select_from_model(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    (void)method;
    sk_est inner;
    if (!sk_child(ctx, est, "estimator_|estimator", &inner)) return sk_status(ctx);
    return sk_select_by_importance(ctx, est, &inner, in, out);
}

uncork_status sk_select_by_importance(sk_ctx *ctx, const sk_est *est, const sk_est *inner,
                                      const sk_data *in, sk_result *out)
{
    scores s = {0};
    if (!importances(ctx, est, inner, &s)) return sk_status(ctx);
    double threshold = threshold_of(ctx, est, inner, &s);
    bool *mask = UC_NEW(ctx->arena, bool, (size_t)s.count + 1);
    if (!mask) return sk_status(ctx);
    for (int64_t i = 0; i < s.count; i++)
        mask[i] = !(s.of[i] < threshold);
    if (est != inner && sk_has(est, "max_features"))
        keep_highest(&s, sk_int(ctx, est, "max_features_|max_features", s.count), mask);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    return sk_take_columns(ctx, est, "estimator_", mask, s.count, in, out);
}
