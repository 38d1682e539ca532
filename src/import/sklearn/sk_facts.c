/* What a pickle tells besides its numbers: versions, task, classes, the range of the features it was
 * trained on. Nothing here fails: what doesn't show isn't told. */
#include "import/sklearn/sk_file.h"

#include <math.h>
#include <stdio.h>

/* ---- the range of the features ------------------------------------------------------------- */

typedef struct range {
    double min, max;
    bool known;
    const char *from;
} range;

static void widen(range *r, double v)
{
    if (!isfinite(v)) return;
    if (!r->known || v < r->min) r->min = v;
    if (!r->known || v > r->max) r->max = v;
    r->known = true;
}

static const uc_tensor *numbers(sk_ctx *ctx, const uc_pickle *value)
{
    if (!value || value->kind == UC_PICKLE_NONE) return NULL;
    const uc_tensor *t = uc_pickle_tensor(value, ctx->arena, NULL);
    if (!t || t->dtype == UNCORK_STRING || t->dtype == UNCORK_COMPLEX64 ||
        t->dtype == UNCORK_COMPLEX128) {
        return NULL;
    }
    return uc_tensor_dense(ctx->arena, t);
}

static void widen_by(sk_ctx *ctx, range *r, const uc_pickle *value)
{
    const uc_tensor *t = numbers(ctx, value);
    int64_t n = t ? uc_tensor_count(t) : 0;
    for (int64_t i = 0; i < n; i++)
        widen(r, uc_dtype_load_f64(t->data, i, t->dtype));
}

/* Thresholds lie between two values that were seen. */
static void widen_by_tree(sk_ctx *ctx, range *r, const uc_pickle *tree)
{
    const uc_pickle *nodes = uc_pickle_attr(tree, "nodes");
    const uc_tensor *threshold = NULL, *left = NULL;
    (void)ctx;
    if (!nodes || nodes->kind != UC_PICKLE_RECORDS) return;
    for (size_t i = 0; i < nodes->field_count; i++) {
        if (uc_str_is(nodes->field_names[i], "threshold")) threshold = nodes->field_tensors[i];
        if (uc_str_is(nodes->field_names[i], "left_child")) left = nodes->field_tensors[i];
    }
    if (!threshold || !left || uc_tensor_count(threshold) != uc_tensor_count(left)) return;
    if (!uc_tensor_is_dense(threshold) || !uc_tensor_is_dense(left)) return;
    for (int64_t i = 0; i < uc_tensor_count(left); i++) {
        if (uc_dtype_load_i64(left->data, i, left->dtype) < 0) continue;
        widen(r, uc_dtype_load_f64(threshold->data, i, threshold->dtype));
    }
}

static void widen_by_trees(sk_ctx *ctx, range *r, const sk_est *est)
{
    enum { ENOUGH = 200 };
    widen_by_tree(ctx, r, sk_attr(est, "tree_"));
    const uc_pickle *list = sk_attr(est, "estimators_");
    for (size_t i = 0; i < sk_item_count(list) && i < ENOUGH; i++) {
        widen_by_tree(ctx, r, uc_pickle_attr(list->items[i], "tree_"));
    }
}

static range seen_range(sk_ctx *ctx, const sk_est *est)
{
    static const struct {
        const char *names, *what;
    } values[] = {{"data_min_|data_max_", "data_min_, data_max_"},
                  {"_fit_X", "_fit_X"},
                  {"support_vectors_", "support_vectors_"},
                  {"quantiles_", "quantiles_"},
                  {"X_train_", "X_train_"},
                  {"cluster_centers_", "cluster_centers_"},
                  {"centroids_", "centroids_"},
                  {"theta_", "theta_"},
                  {"X_fit_", "X_fit_"}};
    range r = {0};
    const char *what = NULL;
    if (sk_has(est, "data_min_")) {
        widen_by(ctx, &r, sk_attr(est, "data_min_"));
        widen_by(ctx, &r, sk_attr(est, "data_max_"));
        what = "data_min_, data_max_";
    }
    for (size_t i = 1; i < sizeof values / sizeof values[0] && !r.known; i++) {
        widen_by(ctx, &r, sk_attr(est, values[i].names));
        what = values[i].what;
    }
    if (!r.known && sk_has(est, "max_abs_")) {
        widen_by(ctx, &r, sk_attr(est, "max_abs_"));
        if (r.known) r.min = -r.max;
        what = "max_abs_";
    }
    if (!r.known) { /* means and medians lie inside the range: a pixel's mean is never below 0 */
        widen_by(ctx, &r, sk_attr(est, "mean_|center_"));
        what = sk_has(est, "mean_") ? "mean_" : "center_";
    }
    if (!r.known) {
        widen_by_trees(ctx, &r, est);
        what = "tree thresholds";
    }
    if (!r.known && sk_has(est, "_bin_mapper")) {
        const uc_pickle *bins = uc_pickle_attr(sk_attr(est, "_bin_mapper"), "bin_thresholds_");
        for (size_t i = 0; i < sk_item_count(bins); i++) {
            widen_by(ctx, &r, bins->items[i]);
        }
        what = "bin_thresholds_";
    }
    r.from = r.known ? uc_arena_printf(ctx->arena, "%.*s.%s", (int)est->class_name.size,
                                       est->class_name.data, what)
                     : NULL;
    return r;
}

/* ---- what the model is for ----------------------------------------------------------------- */

static bool is_one_of(uc_str name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (uc_str_is(name, list[i])) return true;
    }
    return false;
}

static const char *task_of(sk_ctx *ctx, const sk_est *est)
{
    static const char *const outliers[] = {"IsolationForest", "OneClassSVM", "SGDOneClassSVM",
                                           "LocalOutlierFactor", "EllipticEnvelope"};
    sk_est last = sk_last_step(ctx, est);
    const sk_row *row = sk_find_row(last.module, last.class_name);
    if (is_one_of(last.class_name, outliers, sizeof outliers / sizeof outliers[0]))
        return "outliers";
    if (!row) return NULL;
    if (strcmp(row->package, "cluster") == 0 || strcmp(row->package, "mixture") == 0)
        return "clustering";
    if (!(row->methods & SK_M_P)) return row->methods & SK_M_T ? "transform" : "density";
    /* Regressors of 0.18 had decision_function, so having that says nothing. */
    bool classifies = (row->methods & SK_M_PP) || sk_classes(ctx, &last);
    return classifies ? "classification" : "regression";
}

/* The scalers an input passes before the model proper. */
static void scaler_facts(const sk_file *file, sk_ctx *ctx, uc_facts *facts, const sk_est *est)
{
    char text[200] = "";
    size_t used = 0;
    for (size_t i = 0; i < file->before_count; i++) {
        uc_str name = file->before[i].object->text;
        int n = snprintf(text + used, sizeof text - used, "%s%.*s", used ? ", " : "",
                         (int)name.size, name.data);
        if (n > 0 && used + (size_t)n < sizeof text) used += (size_t)n;
    }
    static const char *const scalers[] = {
        "StandardScaler",   "MinMaxScaler",        "MaxAbsScaler", "RobustScaler",
        "PowerTransformer", "QuantileTransformer", "Normalizer"};
    sk_est first = sk_first_consumer(ctx, est);
    bool scales = is_one_of(first.class_name, scalers, sizeof scalers / sizeof scalers[0]);
    if (!used && scales && first.object != est->object) {
        (void)snprintf(text, sizeof text, "%.*s", (int)first.class_name.size,
                       first.class_name.data);
    }
    if (text[0]) uc_fact_text(facts, "scaler", "%s", text);
}

/* ---- versions ------------------------------------------------------------------------------ */

/* The newest release whose rules are known. */
enum { NEWEST = 109 };

/* What changed later, so that today's scikit-learn would answer differently or not at all. */
static const struct {
    int before;        /* versions before this one ... */
    const char *names; /* ... of these classes, ' ' around each */
    const char *text;
} changes[] = {
    {21, " LinearDiscriminantAnalysis ", "its probabilities are one-vs-rest (softmax since 0.21)"},
    {22, " LogisticRegression LogisticRegressionCV ",
     "one-vs-rest unless multi_class says otherwise (since 0.22: auto)"},
    {22, " SVC NuSVC ", "support counts are in n_support_ (since 0.22: _n_support)"},
    {104,
     " DecisionTreeClassifier RandomForestClassifier ExtraTreesClassifier ExtraTreeClassifier ",
     "its trees hold counts (since 1.4: fractions), and are read as such"},
    {104, " PCA IncrementalPCA ", "it centres before the product (since 1.4: after it)"},
    {104, " GradientBoostingClassifier ", "its first guess follows the old losses (new since 1.4)"},
    {106, " AdaBoostClassifier ", "it may use SAMME.R (removed in 1.6 to 1.8)"},
    {107, " OneVsRestClassifier ",
     "rows whose probabilities are all zero give NaN (zeros since 1.7)"},
    {108, " OneVsRestClassifier ", "of equal scores the last class wins (the first since 1.8)"},
    {109, " LogisticRegression SGDClassifier ",
     "one-vs-rest rows whose probabilities are all zero stay as they were (uniform since 1.9)"},
    {108, " SimpleImputer ", "it lacks _fill_dtype, which newer scikit-learn asks for"},
};

static void version_notes(const sk_file *file, sk_ctx *ctx, const sk_est *est)
{
    if (!file->version_text.size || est->version >= NEWEST) return; /* nothing differs */
    int size = (int)(file->version_text.size < 40 ? file->version_text.size : 40);
    uc_note(ctx->findings, UC_NOTE_CHOSEN, "framework-version",
            "written by scikit-learn %.*s; that version's attributes and rules are applied", size,
            file->version_text.data);
    if (file->version_count > 1) {
        uc_note(ctx->findings, UC_NOTE_ODD, "mixed-versions",
                "parts of it were written by %d versions of scikit-learn", file->version_count);
    }
    sk_est ends[2] = {sk_first_consumer(ctx, est), sk_last_step(ctx, est)};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        for (int k = 0; k < 2; k++) {
            char name[80];
            if (est->version >= changes[i].before || ends[k].class_name.size > 70) continue;
            (void)snprintf(name, sizeof name, " %.*s ", (int)ends[k].class_name.size,
                           ends[k].class_name.data);
            if (!strstr(changes[i].names, name)) continue;
            uc_note(ctx->findings, UC_NOTE_CHOSEN, "version-difference", "%.*s of %.*s: %s",
                    (int)ends[k].class_name.size, ends[k].class_name.data, size,
                    file->version_text.data, changes[i].text);
        }
    }
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void environment(const sk_file *file, uc_facts *facts)
{
    const uc_pickle_info *info = &file->info;
    uc_fact_text(facts, "format", "%s", info->is_joblib ? "joblib" : "pickle");
    uc_fact_text(facts, "protocol", "%d", info->protocol);
    uc_fact_text(facts, "python", "%s", info->python2 ? "2" : "3");
    if (info->numpy_major) uc_fact_text(facts, "numpy", "%d", info->numpy_major);
    if (info->compression) uc_fact_text(facts, "compression", "%s", info->compression);
    if (file->version_text.size) {
        uc_fact_text(facts, "framework", "scikit-learn");
        uc_fact_text(facts, "framework_version", "%.*s", (int)file->version_text.size,
                     file->version_text.data);
    }
}

static void input_facts(sk_ctx *ctx, const sk_est *first, uc_facts *facts)
{
    static const char *const kinds[] = {"matrix", "vector", "vector", "table"};
    sk_input input;
    if (!sk_input_of(ctx, first, &input)) return;
    bool text = input.kind == SK_INPUT_VECTOR && input.dtype == UNCORK_STRING;
    uc_fact_text(facts, "input_kind", "%s", text ? "text" : kinds[input.kind]);
    if (input.kind != SK_INPUT_VECTOR && input.width >= 0) {
        uc_fact_number(facts, "n_features", (double)input.width);
    }
    if (input.names && input.width > 0) {
        const uc_tensor *t = uc_tensor_strings(ctx->arena, input.names, 1, &input.width);
        if (t) uc_fact_tensor(facts, "feature_names", t);
    }
}

void sk_collect_facts(const sk_file *file, sk_ctx *ctx, uc_facts *facts)
{
    sk_est est, first;
    environment(file, facts);
    if (!sk_view(file->model.object, NULL, &est)) return;
    uc_fact_text(facts, "model", "%.*s.%.*s", (int)est.module.size, est.module.data,
                 (int)est.class_name.size, est.class_name.data);
    if (!sk_find_row(est.module, est.class_name)) return;
    if (!sk_view(file->before_count ? file->before[0].object : file->model.object, NULL, &first))
        return;
    const char *task = task_of(ctx, &est);
    if (task) uc_fact_text(facts, "task", "%s", task);
    const uc_tensor *classes =
        task && strcmp(task, "classification") == 0 ? sk_classes(ctx, &est) : NULL;
    if (classes) uc_fact_tensor(facts, "classes", classes);
    if (file->class_names) uc_fact_tensor(facts, "labels", file->class_names);
    sk_est encoder;
    if (sk_view(file->encoder.object, NULL, &encoder)) {
        const uc_tensor *names = sk_classes(ctx, &encoder);
        if (names) uc_fact_tensor(facts, "labels", names);
    }
    input_facts(ctx, &first, facts);
    sk_est sees = sk_first_consumer(ctx, &first);
    range r = seen_range(ctx, &sees);
    if (r.known && r.from) {
        uc_fact_number(facts, "seen_min", r.min);
        uc_fact_number(facts, "seen_max", r.max);
        uc_fact_text(facts, "seen_from", "%s", r.from);
    }
    scaler_facts(file, ctx, facts, &est);
    version_notes(file, ctx, &est);
}
