/* What a model is fed, told from the first estimator that sees it: a matrix of numbers or of text,
 * a vector of documents or labels, or a table of named columns. */
#include "import/sklearn/sk_file.h"

#include "base/limits.h"

#include <inttypes.h>

/* ---- the first and the last estimator ------------------------------------------------------ */

/* Meta-estimators that hand the input on as it is, and where their first child stands. */
static const struct {
    const char *package, *name, *child;
} wrappers[] = {
    {"calibration", "CalibratedClassifierCV", "calibrated_classifiers_"},
    {"calibration", "_CalibratedClassifier", "estimator|base_estimator"},
    {"calibration", "_CalibratedClassiferPipeline", "estimator|base_estimator"},
    {"compose", "TransformedTargetRegressor", "regressor_"},
    {"ensemble", "HistGradientBoostingClassifier", "_preprocessor"},
    {"ensemble", "HistGradientBoostingRegressor", "_preprocessor"},
    {"ensemble", "StackingClassifier", "estimators_"},
    {"ensemble", "StackingRegressor", "estimators_"},
    {"ensemble", "VotingClassifier", "estimators_"},
    {"ensemble", "VotingRegressor", "estimators_"},
    {"frozen", "FrozenEstimator", "estimator"},
    {"grid_search", "GridSearchCV", "best_estimator_"},
    {"grid_search", "RandomizedSearchCV", "best_estimator_"},
    {"imblearn", "Pipeline", "steps"},
    {"model_selection", "FixedThresholdClassifier", "estimator_|estimator"},
    {"model_selection", "GridSearchCV", "best_estimator_"},
    {"model_selection", "HalvingGridSearchCV", "best_estimator_"},
    {"model_selection", "HalvingRandomSearchCV", "best_estimator_"},
    {"model_selection", "RandomizedSearchCV", "best_estimator_"},
    {"model_selection", "TunedThresholdClassifierCV", "estimator_"},
    {"multiclass", "OneVsOneClassifier", "estimators_"},
    {"multiclass", "OneVsRestClassifier", "estimators_"},
    {"multiclass", "OutputCodeClassifier", "estimators_"},
    {"multioutput", "MultiOutputClassifier", "estimators_"},
    {"multioutput", "MultiOutputRegressor", "estimators_"},
    {"pipeline", "FeatureUnion", "transformer_list"},
    {"pipeline", "Pipeline", "steps"},
    {"semi_supervised", "SelfTrainingClassifier", "estimator_|base_estimator_"},
};

static const char *child_of(const sk_est *est)
{
    const sk_row *row = sk_find_row(est->module, est->class_name);
    bool calibrated = !row && uc_str_is(est->class_name, "_CalibratedClassifier");
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
        if (row ? strcmp(wrappers[i].name, row->name) == 0 &&
                      strcmp(wrappers[i].package, row->package) == 0
                : calibrated && uc_str_is(est->class_name, wrappers[i].name)) {
            return wrappers[i].child;
        }
    }
    return NULL;
}

/* The estimator of a list's item: itself, or the second of (name, estimator). */
static const uc_pickle *of_item(const uc_pickle *item)
{
    bool pair = item && item->kind == UC_PICKLE_TUPLE && item->count >= 2;
    return pair ? item->items[1] : item;
}

bool sk_is_sampler(const uc_pickle *step)
{
    static const char home[] = "imblearn.";
    size_t n = sizeof home - 1;
    return step && step->kind == UC_PICKLE_OBJECT && step->module.size > n &&
           memcmp(step->module.data, home, n) == 0 && !sk_find_row(step->module, step->text);
}

/* The i-th estimator under an attribute (from the end when `last`), passed-over steps left out. */
static bool inner(const sk_est *est, const char *names, bool last, sk_est *child)
{
    const uc_pickle *value = sk_attr(est, names);
    if (value && value->kind == UC_PICKLE_OBJECT) return sk_view(value, est, child);
    size_t n = sk_item_count(value);
    for (size_t i = 0; i < n && i < 1000; i++) {
        const uc_pickle *item = of_item(uc_pickle_item(value, last ? n - 1 - i : i));
        bool constant = item && uc_str_is(item->text, "_ConstantPredictor");
        if (sk_is_sampler(item)) continue;
        if (item && item->kind == UC_PICKLE_OBJECT && !constant) return sk_view(item, est, child);
    }
    return false;
}

sk_est sk_first_consumer(sk_ctx *ctx, const sk_est *est)
{
    (void)ctx;
    sk_est at = *est, child;
    for (int i = 0; i < UC_LIMIT_ESTIMATOR_DEPTH; i++) {
        const char *names = child_of(&at);
        if (!names || !inner(&at, names, false, &child)) break;
        at = child;
    }
    return at;
}

sk_est sk_last_step(sk_ctx *ctx, const sk_est *est)
{
    (void)ctx;
    sk_est at = *est, child;
    for (int i = 0; i < UC_LIMIT_ESTIMATOR_DEPTH; i++) {
        const char *names = child_of(&at);
        bool chain = names && (strcmp(names, "steps") == 0 || strstr(names, "best_estimator_") ||
                               strcmp(names, "estimator") == 0);
        if (!chain || !inner(&at, names, true, &child)) break;
        at = child;
    }
    return at;
}

/* ---- widths -------------------------------------------------------------------------------- */

static const uc_tensor *quiet_tensor(sk_ctx *ctx, const sk_est *est, const char *names)
{
    const uc_pickle *value = sk_attr(est, names);
    if (!value || value->kind == UC_PICKLE_NONE) return NULL;
    return uc_pickle_tensor(value, ctx->arena, NULL);
}

static int64_t dimension(sk_ctx *ctx, const sk_est *est, const char *names, int axis)
{
    const uc_tensor *t = quiet_tensor(ctx, est, names);
    if (!t || t->rank == 0) return -1;
    int at = axis < 0 ? t->rank + axis : axis;
    return at < t->rank ? t->shape[at] : -1;
}

static bool is_text(const sk_est *est)
{
    return uc_str_is(est->class_name, "CountVectorizer") ||
           uc_str_is(est->class_name, "TfidfVectorizer") ||
           uc_str_is(est->class_name, "HashingVectorizer");
}

static bool is_label(const sk_est *est)
{
    if (uc_str_is(est->class_name, "LabelBinarizer"))
        return !sk_str_is(est, "y_type_", "multilabel-indicator");
    return uc_str_is(est->class_name, "LabelEncoder");
}

/* Rows of labels or of words: as many as one likes in a row. */
static bool is_bag(const sk_est *est)
{
    return uc_str_is(est->class_name, "MultiLabelBinarizer") ||
           (uc_str_is(est->class_name, "FeatureHasher") && sk_str_is(est, "input_type", "string"));
}

/* Whether an old OneHotEncoder takes more columns than those it encodes. */
static bool encodes_some(const sk_est *est)
{
    return uc_str_is(est->class_name, "OneHotEncoder") &&
           sk_has(est, "_categorical_features|categorical_features") &&
           !sk_str_is(est, "_categorical_features|categorical_features", "all");
}

static int64_t own_width(sk_ctx *ctx, const sk_est *est)
{
    static const struct {
        const char *names;
        int axis;
    } tries[] = {
        {"means_", -1},
        {"x_weights_", 0},
        {"coef_", -1},
        {"theta_", -1},
        {"feature_log_prob_", -1},
        {"mean_", -1},
        {"scale_|std_", -1},
        {"center_", -1},
        {"data_min_", -1},
        {"components_", -1},
        {"cluster_centers_", -1},
        {"support_vectors_", -1},
        {"_fit_X", -1},
        {"centroids_", -1},
        {"X_train_", -1},
        {"X_fit_", -1},
        {"statistics_", -1},
        {"variances_", -1},
        {"scores_", -1},
        {"max_abs_", -1},
        {"quantiles_", -1},
        {"lambdas_", -1},
        {"xbar_", -1},
    };
    int64_t n = -1;
    if (sk_has(est, "ranking_"))
        return dimension(ctx, est, "ranking_", 0); /* RFE: n_features_ is how many it keeps */
    if (uc_pickle_i64(sk_attr(est, "n_features_in_|n_features_|n_input_features_|_n_features"),
                      &n)) {
        if (n < 0 || n > INT32_MAX) sk_fail(ctx, est, "n_features_in_", "is %" PRId64, n);
        return n;
    }
    if (sk_has(est, "shape_fit_")) { /* of libsvm's; a precomputed kernel has a column a sample */
        const uc_tensor *fit = sk_i64(ctx, est, "shape_fit_", 1);
        int64_t axis = sk_str_is(est, "kernel", "precomputed") ? 0 : 1;
        return fit && axis < fit->shape[0] ? ((const int64_t *)fit->data)[axis] : -1;
    }
    if (uc_str_is(est->class_name, "GaussianProcess")) return dimension(ctx, est, "X", -1);
    const uc_pickle *chosen = sk_attr(est, "categorical_features"); /* OneHotEncoder until 0.21 */
    if (uc_str_is(est->class_name, "OneHotEncoder") && chosen && chosen->kind != UC_PICKLE_NONE &&
        !uc_pickle_is_text(chosen, "all")) {
        return -1;
    }
    if (sk_has(est, "categories_")) return (int64_t)sk_list_count(est, "categories_");
    const uc_pickle *statistics = sk_attr(est, "statistics_"); /* texts and numbers among them */
    if (statistics && statistics->kind == UC_PICKLE_OBJECTS) return (int64_t)statistics->count;
    if (sk_has(est, "coefs_")) {
        const uc_pickle *first = uc_pickle_item(sk_attr(est, "coefs_"), 0);
        return first && first->tensor && first->tensor->rank == 2 ? first->tensor->shape[0] : -1;
    }
    for (size_t i = 0; i < sizeof tries / sizeof tries[0] && n < 0; i++) {
        if (sk_has(est, tries[i].names)) n = dimension(ctx, est, tries[i].names, tries[i].axis);
    }
    return n;
}

int64_t sk_width_in(sk_ctx *ctx, const sk_est *est)
{
    sk_est first = sk_first_consumer(ctx, est);
    if (is_text(&first) || is_label(&first) || is_bag(&first) || encodes_some(&first)) return -1;
    return own_width(ctx, &first);
}

static int64_t category_count(const sk_est *est)
{
    const uc_pickle *lists = sk_attr(est, "categories_");
    bool plain = !sk_has(est, "drop_idx_") && !sk_has(est, "_infrequent_indices") && lists;
    int64_t n = 0;
    for (size_t i = 0; plain && i < sk_item_count(lists); i++) {
        const uc_pickle *one = uc_pickle_item(lists, i);
        if (!one || !one->tensor || one->tensor->rank != 1) return -1;
        n += one->tensor->shape[0];
    }
    return plain ? n : -1;
}

int64_t sk_width_out(sk_ctx *ctx, const sk_est *est)
{
    static const char *const same[] = {"StandardScaler",   "MinMaxScaler",        "MaxAbsScaler",
                                       "RobustScaler",     "Normalizer",          "Binarizer",
                                       "PowerTransformer", "QuantileTransformer", "OrdinalEncoder",
                                       "KernelCenterer",   "TfidfTransformer"};
    static const char *const reduced[] = {"PCA",
                                          "IncrementalPCA",
                                          "TruncatedSVD",
                                          "FastICA",
                                          "NMF",
                                          "FactorAnalysis",
                                          "SparsePCA",
                                          "MiniBatchSparsePCA",
                                          "LatentDirichletAllocation",
                                          "GaussianRandomProjection",
                                          "SparseRandomProjection",
                                          "RandomizedPCA"};
    sk_est last = sk_last_step(ctx, est);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        if (uc_str_is(last.class_name, same[i])) return own_width(ctx, &last);
    }
    for (size_t i = 0; i < sizeof reduced / sizeof reduced[0]; i++) {
        if (uc_str_is(last.class_name, reduced[i])) return dimension(ctx, &last, "components_", 0);
    }
    int64_t n = -1;
    if (uc_pickle_i64(sk_attr(&last, "n_output_features_"), &n)) return n;
    if (uc_str_is(last.class_name, "OneHotEncoder")) return category_count(&last);
    if (uc_str_is(last.class_name, "HashingVectorizer")) {
        return uc_pickle_i64(sk_attr(&last, "n_features"), &n) ? n : -1;
    }
    const uc_pickle *vocabulary = sk_attr(&last, "vocabulary_");
    return is_text(&last) && vocabulary && vocabulary->kind == UC_PICKLE_DICT
               ? (int64_t)vocabulary->count
               : -1;
}

/* ---- names --------------------------------------------------------------------------------- */

/* The strings of an array, or of a pandas Index: _new_Index(Index, {'data': array, ...}). */
static const uc_tensor *names_tensor(sk_ctx *ctx, const uc_pickle *value)
{
    if (value && value->kind == UC_PICKLE_OBJECT) {
        const uc_pickle *given = uc_pickle_item(value->args, 1);
        value = uc_pickle_get(given, "data");
    }
    const uc_tensor *t = value ? uc_pickle_tensor(value, ctx->arena, NULL) : NULL;
    return t && t->dtype == UNCORK_STRING && t->rank == 1 ? t : NULL;
}

uc_str *sk_feature_names(sk_ctx *ctx, const sk_est *est, int64_t *count)
{
    static const char *const attributes[] = {"feature_names_in_", "_feature_names_in",
                                             "_df_columns"};
    const uc_tensor *t = NULL;
    *count = 0;
    sk_est first = sk_first_consumer(ctx, est);
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0] && !t; i++) {
        t = names_tensor(ctx, sk_attr(est, attributes[i]));
        if (!t) t = names_tensor(ctx, sk_attr(&first, attributes[i]));
    }
    uc_str *names = t ? UC_NEW(ctx->arena, uc_str, (size_t)t->shape[0]) : NULL;
    for (int64_t i = 0; names && i < t->shape[0]; i++)
        names[i] = uc_tensor_string(t, i);
    if (names) *count = t->shape[0];
    return names;
}

/* ---- what each column holds ---------------------------------------------------------------- */

static uncork_dtype dtype_of_categories(const uc_pickle *list, size_t i)
{
    const uc_pickle *one = uc_pickle_item(list, i);
    if (!one) return UNCORK_FLOAT64;
    if (one->kind == UC_PICKLE_ARRAY && one->tensor) {
        uncork_dtype t = one->tensor->dtype;
        return t == UNCORK_STRING || t == UNCORK_BOOL ? t
               : uc_dtype_is_float(t)                 ? UNCORK_FLOAT64
                                                      : UNCORK_INT64;
    }
    for (size_t k = 0; k < sk_item_count(one); k++) {
        const uc_pickle *v = one->items[k];
        if (v && (v->kind == UC_PICKLE_TEXT || v->kind == UC_PICKLE_BYTES)) return UNCORK_STRING;
        if (v && v->kind == UC_PICKLE_FLOAT) return UNCORK_FLOAT64;
        if (v && v->kind == UC_PICKLE_BOOL) return UNCORK_BOOL;
    }
    return sk_item_count(one) ? UNCORK_INT64 : UNCORK_FLOAT64;
}

/* Column `i` of what the estimator (the first that sees it) is fed. */
static uncork_dtype column_dtype(sk_ctx *ctx, const sk_est *est, size_t i)
{
    sk_est first = sk_first_consumer(ctx, est);
    if (is_text(&first)) return UNCORK_STRING;
    if (sk_has(&first, "categories_"))
        return dtype_of_categories(sk_attr(&first, "categories_"), i);
    const uc_pickle *statistics = sk_attr(&first, "statistics_");
    if (statistics && statistics->kind == UC_PICKLE_ARRAY && statistics->tensor) {
        return statistics->tensor->dtype == UNCORK_STRING ? UNCORK_STRING : UNCORK_FLOAT64;
    }
    const uc_pickle *statistic = uc_pickle_item(statistics, i);
    if (statistics && statistics->kind == UC_PICKLE_OBJECTS)
        statistic = i < statistics->count ? statistics->items[i] : NULL;
    bool text =
        statistic && (statistic->kind == UC_PICKLE_TEXT || statistic->kind == UC_PICKLE_BYTES);
    return text ? UNCORK_STRING : UNCORK_FLOAT64;
}

/* ---- tables -------------------------------------------------------------------------------- */

/* Marks the columns that a ColumnTransformer uses and what they hold. */
static void use_columns(sk_ctx *ctx, const sk_est *est, const sk_input *input, uncork_dtype *types)
{
    const uc_pickle *list = sk_attr(est, "transformers_");
    for (size_t i = 0; i < sk_item_count(list) && sk_status(ctx) == UNCORK_OK; i++) {
        const uc_pickle *entry = uc_pickle_item(list, i), *what = uc_pickle_item(entry, 1);
        sk_selection picked;
        if (!what || what->kind == UC_PICKLE_NONE || uc_pickle_is_text(what, "drop")) continue;
        if (!sk_select(ctx, est, uc_pickle_item(entry, 2), input->names, input->width, &picked))
            return;
        sk_est child;
        bool known = sk_view(what, est, &child);
        for (size_t k = 0; k < picked.count; k++) {
            int64_t at = picked.indices[k];
            uncork_dtype type = known ? column_dtype(ctx, &child, k) : UNCORK_FLOAT64;
            if (types[at] == UNCORK_DTYPE_NONE || type == UNCORK_STRING) types[at] = type;
        }
    }
}

/* The names a ColumnTransformer mentions, when no attribute keeps those of the table (0.20 trained
 * before them, 0.22 to 0.24 without a remainder): in the order of their mention. */
static uc_str *mentioned_names(sk_ctx *ctx, const sk_est *est, int64_t *count)
{
    const uc_pickle *list = sk_attr(est, "transformers_");
    size_t most = 0;
    for (size_t i = 0; i < sk_item_count(list); i++) {
        const uc_pickle *spec = uc_pickle_item(uc_pickle_item(list, i), 2);
        most += spec ? 1 + sk_item_count(spec) +
                           (spec->tensor && spec->tensor->rank == 1 ? (size_t)spec->tensor->shape[0]
                                                                    : 0)
                     : 0;
    }
    uc_str *names = UC_NEW(ctx->arena, uc_str, most);
    size_t n = 0;
    for (size_t i = 0; names && i < sk_item_count(list); i++) {
        const uc_pickle *spec = uc_pickle_item(uc_pickle_item(list, i), 2);
        const uc_pickle *one[1] = {spec};
        bool scalar = spec && (spec->kind == UC_PICKLE_TEXT || spec->kind == UC_PICKLE_BYTES);
        const uc_tensor *t = scalar || !spec ? NULL : names_tensor(ctx, spec);
        int64_t items = scalar ? 1 : t ? t->shape[0] : 0;
        for (int64_t k = 0; k < items && n < most; k++) {
            uc_str name = scalar ? one[0]->text : uc_tensor_string(t, k);
            bool known = false;
            for (size_t j = 0; j < n && !known; j++)
                known = uc_str_equal(names[j], name);
            if (!known) names[n++] = name;
        }
    }
    *count = (int64_t)n;
    return n ? names : NULL;
}

static void number_names(sk_ctx *ctx, sk_input *input)
{
    input->names = UC_NEW(ctx->arena, uc_str, (size_t)input->width);
    for (int64_t i = 0; input->names && i < input->width; i++) {
        const char *name = uc_arena_printf(ctx->arena, "x%d", (int)i);
        input->names[i] = uc_str_of(name ? name : "");
    }
}

/* One dtype for all used columns: a matrix will do; else a table. */
static void matrix_or_table(sk_ctx *ctx, sk_input *input, const uncork_dtype *types, bool named)
{
    bool text = false, numbers = false;
    size_t used = 0;
    for (int64_t i = 0; i < input->width; i++) {
        text = text || types[i] == UNCORK_STRING;
        numbers = numbers || (types[i] != UNCORK_STRING && types[i] != UNCORK_DTYPE_NONE);
        used += types[i] != UNCORK_DTYPE_NONE;
    }
    if (!named && !(text && numbers)) {
        input->dtype = text ? UNCORK_STRING : UNCORK_FLOAT64;
        return;
    }
    if (!input->names) number_names(ctx, input);
    input->kind = SK_INPUT_TABLE;
    input->columns = UC_NEW(ctx->arena, sk_column, used);
    for (int64_t i = 0; input->columns && input->names && i < input->width; i++) {
        if (types[i] == UNCORK_DTYPE_NONE) continue;
        input->columns[input->column_count++] =
            (sk_column){.name = input->names[i], .dtype = types[i]};
    }
}

static bool table_of(sk_ctx *ctx, const sk_est *first, sk_input *input)
{
    bool named = sk_selects_by_name(first);
    if (!input->names && named && sk_selects_by_number(first)) {
        sk_unsupported(ctx, first,
                       "selects columns by name and by number, but keeps no names of the table");
        return false;
    }
    if (!input->names && named) input->names = mentioned_names(ctx, first, &input->width);
    if (input->names) named = true;
    if (input->width < 0) {
        sk_fail(ctx, first, "transformers_", "doesn't tell how many columns it takes");
        return false;
    }
    uncork_dtype *types = UC_NEW(ctx->arena, uncork_dtype, (size_t)input->width);
    if (!types) return false;
    use_columns(ctx, first, input, types);
    if (sk_status(ctx) != UNCORK_OK) return false;
    matrix_or_table(ctx, input, types, named);
    return true;
}

/* Encoders and imputers on their own: a matrix of numbers or of text, a table when mixed. */
static bool mixed_of(sk_ctx *ctx, const sk_est *first, sk_input *input)
{
    uncork_dtype *types = UC_NEW(ctx->arena, uncork_dtype, (size_t)input->width);
    if (!types) return false;
    for (int64_t i = 0; i < input->width; i++)
        types[i] = column_dtype(ctx, first, (size_t)i);
    matrix_or_table(ctx, input, types, false);
    return true;
}

/* Rows of labels: flags of a multi-label LabelBinarizer, the labels of a MultiLabelBinarizer, the
 * words of a FeatureHasher. */
static bool is_matrix_of_labels(sk_ctx *ctx, const sk_est *first, sk_input *input)
{
    const uc_tensor *classes = sk_classes(ctx, first);
    if (uc_str_is(first->class_name, "MultiLabelBinarizer")) {
        input->dtype = classes ? classes->dtype : UNCORK_INT64;
        return true;
    }
    if (uc_str_is(first->class_name, "FeatureHasher") && sk_str_is(first, "input_type", "string")) {
        input->dtype = UNCORK_STRING;
        return true;
    }
    const uc_pickle *type = sk_attr(first, "y_type_");
    bool multi = type && type->text.size > 10 && memcmp(type->text.data, "multilabel", 10) == 0;
    if (!multi || !uc_str_is(first->class_name, "LabelBinarizer")) return false;
    input->dtype = UNCORK_INT64;
    input->width = classes ? classes->shape[0] : -1;
    return true;
}

/* The keys of a DictVectorizer: columns of numbers, or of text where terms are "key=value". */
static bool keys_of(sk_ctx *ctx, const sk_est *est, sk_input *input)
{
    const uc_pickle *terms = sk_attr(est, "vocabulary_");
    uc_str separator = sk_str(ctx, est, "separator", "=");
    size_t count = terms && terms->kind == UC_PICKLE_DICT ? terms->count : 0;
    input->kind = SK_INPUT_TABLE;
    input->columns = UC_NEW(ctx->arena, sk_column, count);
    for (size_t i = 0; input->columns && i < count; i++) {
        sk_column c = {.name = terms->items[2 * i]->text, .dtype = UNCORK_FLOAT64};
        for (size_t at = 1; separator.size && at + separator.size <= c.name.size; at++) {
            if (memcmp(c.name.data + at, separator.data, separator.size) != 0) continue;
            c.name.size = at;
            c.dtype = UNCORK_STRING;
            break;
        }
        bool known = false;
        for (size_t k = 0; k < input->column_count && !known; k++)
            known = uc_str_equal(input->columns[k].name, c.name);
        if (!known) input->columns[input->column_count++] = c;
    }
    input->width = (int64_t)input->column_count;
    if (input->column_count == 0) sk_fail(ctx, est, "vocabulary_", "holds no terms");
    return sk_status(ctx) == UNCORK_OK;
}

bool sk_input_of(sk_ctx *ctx, const sk_est *est, sk_input *input)
{
    *input = (sk_input){.kind = SK_INPUT_MATRIX, .dtype = UNCORK_FLOAT64, .width = -1};
    sk_est first = sk_first_consumer(ctx, est);
    if (is_text(&first)) {
        *input = (sk_input){.kind = SK_INPUT_VECTOR, .dtype = UNCORK_STRING, .width = 1};
        return true;
    }
    if (is_matrix_of_labels(ctx, &first, input)) return true;
    if (is_label(&first)) {
        const uc_tensor *classes = sk_classes(ctx, &first);
        *input = (sk_input){
            .kind = SK_INPUT_VECTOR, .dtype = classes ? classes->dtype : UNCORK_INT64, .width = 1};
        return true;
    }
    if (uc_str_is(first.class_name, "DictVectorizer")) return keys_of(ctx, &first, input);
    if (is_bag(&first)) {
        const uc_tensor *classes = sk_classes(ctx, &first);
        input->dtype = classes ? classes->dtype : UNCORK_STRING;
        return true;
    }
    if (uc_str_is(first.class_name, "IsotonicRegression")) {
        input->kind = SK_INPUT_LOOSE;
        input->width = 1;
        return true;
    }
    input->width = sk_width_in(ctx, est);
    int64_t names = 0;
    input->names = sk_feature_names(ctx, est, &names);
    if (input->names && input->width >= 0 && names != input->width) input->names = NULL;
    if (input->names) input->width = names;
    if (uc_str_is(first.class_name, "ColumnTransformer")) return table_of(ctx, &first, input);
    if (input->width >= 0 && input->width < 1000000) return mixed_of(ctx, &first, input);
    return true;
}
