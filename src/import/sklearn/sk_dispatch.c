/* Which class an object is, which methods it has, and who translates them. */
#include "import/sklearn/sk.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>

static const sk_row rows[] = {
#define SK(package, name, methods, handler, note) {package, name, methods, handler, note},
#include "import/sklearn/sk_table.def"
#undef SK
};

static const char *const method_names[SK_METHOD_COUNT] = {
    "predict",   "predict_proba", "predict_log_proba", "decision_function",
    "transform", "score_samples", "kneighbors",
};

const char *sk_method_name(sk_method method)
{
    return (unsigned)method < SK_METHOD_COUNT ? method_names[method] : "?";
}

/* The package: what follows "sklearn.", or a library's own first name ("xgboost"). */
static uc_str top_package(uc_str module)
{
    static const char prefix[] = "sklearn.";
    size_t n = sizeof prefix - 1;
    if (module.size > n && memcmp(module.data, prefix, n) == 0) {
        module.data += n;
        module.size -= n;
    }
    const char *dot = module.size ? memchr(module.data, '.', module.size) : NULL;
    if (dot) module.size = (size_t)(dot - module.data);
    return module;
}

const sk_row *sk_find_row(uc_str module, uc_str class_name)
{
    uc_str package = top_package(module);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (uc_str_is(class_name, rows[i].name) && uc_str_is(package, rows[i].package)) {
            return &rows[i];
        }
    }
    return NULL;
}

bool sk_is_estimator(const uc_pickle *value)
{
    if (!value || value->kind != UC_PICKLE_OBJECT) return false;
    if (sk_find_row(value->module, value->text)) return true;
    static const char *const marks[] = {"_sklearn_version", "n_features_in_", "classes_", "steps"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (uc_pickle_attr(value, marks[i])) return true;
    }
    return false;
}

/* "0.24.2" -> 24, "1.0.2" -> 100, "1.10.dev0" -> 110; -1 when it is no version. */
static int parse_version(const uc_pickle *value)
{
    if (!value || (value->kind != UC_PICKLE_TEXT && value->kind != UC_PICKLE_BYTES)) return -1;
    int part[2] = {0, 0};
    size_t at = 0;
    for (int p = 0; p < 2; p++) {
        size_t begin = at;
        while (at < value->text.size && value->text.data[at] >= '0' &&
               value->text.data[at] <= '9' && at - begin < 3) {
            part[p] = part[p] * 10 + (value->text.data[at++] - '0');
        }
        if (at == begin) return -1;
        if (p == 0 && (at >= value->text.size || value->text.data[at++] != '.')) return -1;
    }
    return part[0] * 100 + (part[1] < 100 ? part[1] : 99);
}

bool sk_view(const uc_pickle *value, const sk_est *parent, sk_est *est)
{
    if (!value || value->kind != UC_PICKLE_OBJECT) return false;
    if (parent && parent->depth >= UC_LIMIT_ESTIMATOR_DEPTH) return false;
    int version = parse_version(uc_pickle_attr(value, "_sklearn_version"));
    *est = (sk_est){.object = value,
                    .class_name = value->text,
                    .module = value->module,
                    .path = parent ? parent->path : "model",
                    .version = version >= 0 ? version
                               : parent     ? parent->version
                                            : 18,
                    .depth = parent ? parent->depth + 1 : 0};
    return true;
}

/* What an estimator costs of the budget: its path and its nodes. A file of shared references that
 * would unfold into millions ends early; a real one has many bytes an estimator. */
enum { ESTIMATOR_NODES = 64 };

bool sk_estimator(sk_ctx *ctx, const uc_pickle *value, const sk_est *parent, const char *path,
                  sk_est *est)
{
    *est = (sk_est){.path = path, .version = 18};
    if (sk_status(ctx) != UNCORK_OK) return false;
    uncork_status status = uc_budget_nodes(ctx->budget, ESTIMATOR_NODES, "estimators", ctx->error);
    if (status == UNCORK_OK && parent && parent->depth >= UC_LIMIT_ESTIMATOR_DEPTH) {
        status =
            uc_fail(ctx->error, UNCORK_LIMIT, value ? value->offset : UC_NO_OFFSET,
                    "more than %d estimators stand inside each other", UC_LIMIT_ESTIMATOR_DEPTH);
    } else if (status == UNCORK_OK && !sk_view(value, parent, est)) {
        const char *type = value ? uc_pickle_type_name(value, ctx->arena) : "missing";
        status = uc_fail(ctx->error, UNCORK_MALFORMED, value ? value->offset : UC_NO_OFFSET,
                         "%s is %s, not an estimator", path, type ? type : "?");
    }
    est->path = path;
    if (!parent && ctx->version && est->object &&
        parse_version(uc_pickle_attr(value, "_sklearn_version")) < 0) {
        est->version = ctx->version;
    }
    if (status != UNCORK_OK && ctx->status == UNCORK_OK) ctx->status = status;
    return status == UNCORK_OK;
}

/* ---- which methods an object has ----------------------------------------------------------- */

/* The methods of `mask` exist when the child has them: the attribute, or its first (last) item. */
typedef enum part { WHOLE, FIRST, LAST } part;
typedef struct delegation {
    const char *package, *name, *child;
    part which;
    unsigned mask;
} delegation;

enum {
    PROBA = SK_M_PP | SK_M_LP,
    SCORES = SK_M_PP | SK_M_LP | SK_M_DF,
    FINAL = SK_M_P | SK_M_PP | SK_M_LP | SK_M_DF,
    ALL = (1 << SK_METHOD_COUNT) - 1
};

static const delegation delegations[] = {
    {"ensemble", "BaggingClassifier", "estimators_", FIRST, SK_M_DF},
    {"ensemble", "StackingClassifier", "final_estimator_", WHOLE, FINAL},
    {"feature_selection", "RFE", "estimator_", WHOLE, FINAL},
    {"feature_selection", "RFECV", "estimator_", WHOLE, FINAL},
    {"frozen", "FrozenEstimator", "estimator", WHOLE, ALL},
    {"grid_search", "GridSearchCV", "best_estimator_", WHOLE, ALL},
    {"grid_search", "RandomizedSearchCV", "best_estimator_", WHOLE, ALL},
    {"imblearn", "Pipeline", "steps", LAST, ALL},
    {"model_selection", "FixedThresholdClassifier", "estimator_|estimator", WHOLE, SCORES},
    {"model_selection", "GridSearchCV", "best_estimator_", WHOLE, ALL},
    {"model_selection", "HalvingGridSearchCV", "best_estimator_", WHOLE, ALL},
    {"model_selection", "HalvingRandomSearchCV", "best_estimator_", WHOLE, ALL},
    {"model_selection", "RandomizedSearchCV", "best_estimator_", WHOLE, ALL},
    {"model_selection", "TunedThresholdClassifierCV", "estimator_", WHOLE, SCORES},
    {"multiclass", "OneVsRestClassifier", "estimators_", FIRST, SCORES},
    {"multioutput", "ClassifierChain", "estimators_", FIRST, SCORES},
    {"multioutput", "MultiOutputClassifier", "estimators_", FIRST, PROBA},
    {"pipeline", "Pipeline", "steps", LAST, ALL},
    {"semi_supervised", "SelfTrainingClassifier", "estimator_|base_estimator_", WHOLE, ALL},
};

static const delegation *delegation_of(const sk_row *row, sk_method method)
{
    for (size_t i = 0; i < sizeof delegations / sizeof delegations[0]; i++) {
        const delegation *d = &delegations[i];
        if ((d->mask & (1u << method)) && strcmp(d->name, row->name) == 0 &&
            strcmp(d->package, row->package) == 0) {
            return d;
        }
    }
    return NULL;
}

static const uc_pickle *picked(const uc_pickle *value, part which)
{
    if (which == WHOLE || !value) return value;
    value = value->count ? uc_pickle_item(value, which == FIRST ? 0 : value->count - 1) : NULL;
    bool pair = value && value->kind == UC_PICKLE_TUPLE && value->count >= 2;
    return pair ? value->items[1] : value;
}

static bool delegated(const sk_est *est, const delegation *d, sk_method method)
{
    const uc_pickle *value = picked(sk_attr(est, d->child), d->which);
    sk_est child;
    if (sk_view(value, est, &child)) return sk_has_method(&child, method);
    /* a pipeline that ends in None or 'passthrough' transforms */
    bool nothing =
        value && (value->kind == UC_PICKLE_NONE || uc_pickle_is_text(value, "passthrough"));
    return d->which == LAST && nothing && method == SK_TRANSFORM;
}

static bool is_loss(const sk_est *est, const char *a, const char *b, const char *c)
{
    return sk_str_is(est, "loss", a) || sk_str_is(est, "loss", b) || sk_str_is(est, "loss", c);
}

static bool truth(const sk_est *est, const char *names)
{
    int64_t v = 0;
    return uc_pickle_i64(sk_attr(est, names), &v) && v != 0;
}

/* What linear models, trees and support vector regression lost with 0.19: a regressor's decision_function,
 * and transform, which selected features. */
static bool only_in_0_18(const sk_row *row, sk_method method)
{
    if (method == SK_DECISION_FUNCTION) {
        return row->handler == sk_do_linear_regressor || row->handler == sk_do_svr ||
               row->handler == sk_do_gradient_boosting_regressor;
    }
    return method == SK_TRANSFORM &&
           (row->handler == sk_do_linear_regressor || row->handler == sk_do_linear_classifier ||
            row->handler == sk_do_sgd_classifier || row->handler == sk_do_logistic ||
            row->handler == sk_do_tree_classifier || row->handler == sk_do_tree_regressor ||
            row->handler == sk_do_forest_classifier || row->handler == sk_do_forest_regressor ||
            row->handler == sk_do_gradient_boosting_classifier ||
            row->handler == sk_do_gradient_boosting_regressor);
}

/* Methods that a parameter switches on (available_if in scikit-learn). */
static bool switched_on(const sk_est *est, sk_method method)
{
    bool proba = method == SK_PREDICT_PROBA || method == SK_PREDICT_LOG_PROBA;
    if (proba && (uc_str_is(est->class_name, "SVC") || uc_str_is(est->class_name, "NuSVC"))) {
        return truth(est, "_effective_probability") || truth(est, "probability");
    }
    if (proba && uc_str_is(est->class_name, "SGDClassifier")) {
        return is_loss(est, "log", "log_loss", "modified_huber");
    }
    if (proba && uc_str_is(est->class_name, "VotingClassifier")) {
        return sk_str_is(est, "voting", "soft");
    }
    /* lightgbm 4.7 came with both (its pull requests 7183 and 7232); the file tells no version. What
     * calibrates or stacks one takes the method where it is there. */
    if (method == SK_DECISION_FUNCTION && uc_str_is(est->class_name, "LGBMClassifier")) {
        return sk_has(est, "_fitted_with_feature_names");
    }
    bool lof = uc_str_is(est->class_name, "LocalOutlierFactor");
    if (lof && method != SK_KNEIGHBORS) return truth(est, "novelty");
    return true;
}

bool sk_has_method(const sk_est *est, sk_method method)
{
    const sk_row *row = sk_find_row(est->module, est->class_name);
    if (!row || !(row->methods & (1u << method))) return false;
    if (only_in_0_18(row, method) && est->version >= 19) return false;
    const delegation *d = delegation_of(row, method);
    if (d) return delegated(est, d, method);
    return switched_on(est, method);
}

/* ---- translation --------------------------------------------------------------------------- */

/* "sklearn.svm._classes.SVC", without an arena. */
static void qualified_name(const sk_est *est, char text[160])
{
    (void)snprintf(text, 160, "%.*s%s%.*s", (int)(est->module.size < 80 ? est->module.size : 80),
                   est->module.data, est->module.size ? "." : "",
                   (int)(est->class_name.size < 70 ? est->class_name.size : 70),
                   est->class_name.data);
}

static uncork_status unknown_class(sk_ctx *ctx, const sk_est *est, sk_method method)
{
    char name[160];
    qualified_name(est, name);
    uint64_t offset = est->object->offset;
    uncork_status status;
    if (est->object->is_call) {
        size_t n = est->object->args ? est->object->args->count : 0;
        status = uc_fail(ctx->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                         "%s called with %zu argument%s at byte %" PRIu64 ", reached as %s",
                         name[0] ? name : "something", n, n == 1 ? "" : "s", offset, est->path);
    } else {
        status = uc_fail(ctx->error, UNCORK_UNSUPPORTED, offset,
                         "%s is a class uncork doesn't know, needed for %s.%s()", name, est->path,
                         sk_method_name(method));
    }
    if (ctx->status == UNCORK_OK) ctx->status = status;
    return status;
}

/* A pipeline lacks a method because its last step is of a class that isn't known: that is named. */
static bool names_unknown_child(sk_ctx *ctx, const sk_est *est, sk_method method)
{
    const sk_row *row = sk_find_row(est->module, est->class_name);
    const delegation *d = row ? delegation_of(row, method) : NULL;
    sk_est child;
    if (!d || !sk_view(picked(sk_attr(est, d->child), d->which), est, &child)) return false;
    size_t n = sk_list_count(est, d->child);
    const char *path = d->which == WHOLE
                           ? uc_arena_printf(ctx->arena, "%s.%s", est->path, d->child)
                           : uc_arena_printf(ctx->arena, "%s.%s[%zu]", est->path, d->child,
                                             d->which == FIRST || n == 0 ? 0 : n - 1);
    if (path) child.path = path;
    if (sk_find_row(child.module, child.class_name))
        return names_unknown_child(ctx, &child, method);
    (void)unknown_class(ctx, &child, method);
    return true;
}

static uncork_status no_method(sk_ctx *ctx, const sk_est *est, sk_method method)
{
    if (names_unknown_child(ctx, est, method)) return sk_status(ctx);
    char has[160] = "";
    size_t n = 0;
    for (int m = 0; m < SK_METHOD_COUNT; m++) {
        if (!sk_has_method(est, (sk_method)m)) continue;
        int put = snprintf(has + n, sizeof has - n, "%s%s", n ? ", " : "", method_names[m]);
        if (put > 0 && n + (size_t)put < sizeof has) n += (size_t)put;
    }
    return sk_unsupported(ctx, est, "has no %s; it has %s", sk_method_name(method),
                          n ? has : "no method uncork can run");
}

uncork_status sk_apply(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                       sk_result *out)
{
    *out = (sk_result){.width = -1};
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    const sk_row *row = sk_find_row(est->module, est->class_name);
    if (!row || est->object->is_call) return unknown_class(ctx, est, method);
    if (!sk_has_method(est, method)) return no_method(ctx, est, method);
    const char *outer = ctx->graph->where;
    ctx->graph->where = uc_arena_printf(ctx->arena, "%s (%s)", est->path, row->name);
    uncork_status status = row->handler(ctx, est, method, in, out);
    ctx->graph->where = outer;
    if (status == UNCORK_OK) status = sk_status(ctx);
    if (status == UNCORK_OK && out->count == 0) {
        status = sk_unsupported(ctx, est, "%s gives nothing", sk_method_name(method));
    }
    if (status != UNCORK_OK && ctx->status == UNCORK_OK) ctx->status = status;
    return status;
}

uc_ref sk_apply1(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in)
{
    sk_result result;
    if (sk_apply(ctx, est, method, in, &result) != UNCORK_OK) return 0;
    if (result.count != 1) {
        sk_unsupported(ctx, est, "%s gives %zu values where one is needed", sk_method_name(method),
                       result.count);
        return 0;
    }
    return result.out[0];
}

/* ---- classes ------------------------------------------------------------------------------- */

/* As sk.h promises them: rank 1, INT64, FLOAT64, BOOL or STRING; NULL when it is something else. */
static const uc_tensor *usual_classes(sk_ctx *ctx, const uc_pickle *value)
{
    bool list_of_arrays = value && value->kind == UC_PICKLE_LIST && value->count &&
                          value->items[0] && value->items[0]->kind == UC_PICKLE_ARRAY;
    if (!value || value->kind == UC_PICKLE_NONE || list_of_arrays) return NULL;
    const uc_tensor *t = uc_pickle_tensor(value, ctx->arena, NULL);
    if (!t || t->rank != 1) return NULL;
    t = uc_tensor_dense(ctx->arena, t);
    if (!t || t->dtype == UNCORK_STRING || t->dtype == UNCORK_BOOL) return t;
    if (uc_dtype_is_integer(t->dtype)) {
        return t->dtype == UNCORK_INT64 ? t : uc_tensor_cast(ctx->arena, t, UNCORK_INT64);
    }
    return t->dtype == UNCORK_FLOAT64 ? t : uc_tensor_cast(ctx->arena, t, UNCORK_FLOAT64);
}

/* Levels looked into: shared values could branch at each. */
enum { CLASSES_DEPTH = 8 };

static const uc_tensor *classes_of(sk_ctx *ctx, const sk_est *est, int depth)
{
    if (sk_status(ctx) != UNCORK_OK || depth > CLASSES_DEPTH) return NULL;
    const uc_tensor *own = usual_classes(ctx, sk_attr(est, "classes_|_classes"));
    if (own) return own;
    static const struct {
        const char *child;
        part which;
    } inside[] = {
        {"_label_binarizer|label_binarizer_", WHOLE},
        {"le_|_label_encoder|_le|label_encoder_|_encoder", WHOLE},
        {"best_estimator_|estimator_|base_estimator_|estimator", WHOLE},
        {"steps", LAST},
    };
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        sk_est child;
        const uc_pickle *value = picked(sk_attr(est, inside[i].child), inside[i].which);
        if (sk_view(value, est, &child)) {
            const uc_tensor *t = classes_of(ctx, &child, depth + 1);
            if (t) return t;
        }
    }
    return NULL;
}

const uc_tensor *sk_classes(sk_ctx *ctx, const sk_est *est) { return classes_of(ctx, est, 0); }
