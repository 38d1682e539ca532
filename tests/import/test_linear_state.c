/* Linear models, SVM, naive Bayes, MLP, discriminants, Gaussian processes: a genuine model in which
 * one attribute no longer agrees with the others is refused, naming the attribute; never read past
 * its end (the sanitizers watch), never answered. */
#include "check.h"
#include "container/bundle.h"
#include "import/sklearn/sk.h"
#include "plan/plan.h"

#include <stdio.h>

static const char archive[] = "tests/fixtures/sklearn/1.3.2.tar.xz";

static uc_arena *files_arena;
static uc_bundle *files;

typedef struct world {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_pickle *root;
} world;

static void load(world *w, const char *name)
{
    static const char *const endings[] = {"model.pkl", "model.joblib"};
    const uncork_limits limits = {.size = sizeof limits};
    char path[200];
    size_t at = SIZE_MAX;
    uc_bytes bytes;
    *w = (world){.arena = uc_arena_new(NULL)};
    uc_error_init(&w->error);
    uc_budget_init(&w->budget, &limits, 0);
    for (int i = 0; i < 2 && at == SIZE_MAX; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", name, endings[i]);
        at = uc_bundle_find(files, path);
        if (at != SIZE_MAX) break;
        (void)snprintf(path, sizeof path, "1.3.2/%s/%s", name, endings[i]);
        at = uc_bundle_find(files, path);
    }
    if (at == SIZE_MAX) fail_msg("%s isn't in %s", name, archive);
    CHECK_OK(uc_bundle_read(files, at, &bytes, &w->error), &w->error);
    CHECK_OK(uc_pickle_read(bytes, NULL, w->arena, &w->budget, &w->root, NULL, &w->error),
             &w->error);
}

/* Imports and prepares one method for rows of any width. */
static uncork_status import(world *w, sk_method method)
{
    uc_graph *g = uc_graph_new(w->arena, &w->budget, &w->error);
    uc_findings findings = {0};
    sk_ctx ctx = {.arena = w->arena, .budget = &w->budget, .graph = g, .findings = &findings};
    const int64_t shape[2] = {-1, -1};
    sk_est est;
    sk_result result = {0};
    uc_program *program;
    ctx.error = &w->error;
    ctx.root = w->root;
    UC_TRY(sk_estimator(&ctx, w->root, NULL, "model", &est) ? UNCORK_OK : sk_status(&ctx));
    uc_ref x = uc_graph_input(g, "x", UNCORK_FLOAT64, 2, shape);
    const sk_data in = {.x = x, .dtype = UNCORK_FLOAT64, .rank = 2, .width = -1};
    UC_TRY(sk_apply(&ctx, &est, method, &in, &result));
    for (size_t i = 0; i < result.count; i++)
        uc_graph_output(g, "y", result.out[i]);
    UC_TRY(uc_graph_finish(g));
    return uc_program_new(g, w->arena, &w->budget, &program, &w->error);
}

/* ---- what is done to an attribute ----------------------------------------------------------- */

typedef enum change {
    LESS_ROWS, /* the first dimension one less */
    LESS_COLUMNS,
    NO_ROWS,
    ONE_MORE, /* the first integer one more */
    HUGE_ONE, /* the first integer 2^62 */
    BELOW,    /* the first integer -1 */
    SCALAR,   /* the number 7 instead of an array */
    TEXT,     /* text instead of what was there */
    LESS_ITEMS,
} change;

static void add_to_first(uc_tensor *t, change how)
{
    int64_t v = uc_dtype_load_i64(t->data, 0, t->dtype);
    v = how == ONE_MORE ? v + 1 : how == BELOW ? -1 : INT64_C(1) << 62;
    CHECK(uc_dtype_is_integer(t->dtype));
    if (uc_dtype_size(t->dtype) == 4) {
        v = how == HUGE_ONE ? INT32_MAX : v;
        int32_t small = (int32_t)v;
        memcpy(t->data, &small, sizeof small);
    } else {
        memcpy(t->data, &v, sizeof v);
    }
}

static void alter(uc_pickle *value, change how, uc_arena *arena)
{
    static char text[] = "not what was there";
    if (how == SCALAR || how == TEXT) {
        uc_pickle other = {.kind = how == TEXT ? UC_PICKLE_TEXT : UC_PICKLE_FLOAT, .number = 7};
        if (how == TEXT) other.text = uc_str_of(text);
        *value = other;
        return;
    }
    if (value->kind == UC_PICKLE_INT) {
        value->integer = how == ONE_MORE ? value->integer + 1
                         : how == BELOW  ? -9
                                         : INT64_C(1) << 62;
        return;
    }
    if (how == LESS_ITEMS) {
        CHECK(value->count > 0);
        value->count--;
        return;
    }
    assert_non_null(value->tensor);
    uc_tensor *t = UC_NEW(arena, uc_tensor, 1);
    size_t bytes = 0;
    *t = *value->tensor;
    CHECK(uc_shape_bytes(t->dtype, t->shape, t->rank, &bytes));
    if (how == ONE_MORE || how == HUGE_ONE || how == BELOW) {
        t->data = uc_arena_copy(arena, t->data, bytes);
        add_to_first(t, how);
    } else {
        int64_t shape[UNCORK_MAX_RANK];
        memcpy(shape, t->shape, sizeof shape);
        if (how == NO_ROWS) {
            shape[0] = 0;
        } else {
            shape[how == LESS_ROWS ? 0 : t->rank - 1]--;
        }
        uc_tensor_set(t, t->dtype, t->rank, shape);
    }
    value->tensor = t;
}

static const struct {
    const char *model, *attribute;
    change how;
    sk_method method;
    const char *named; /* what the message must hold; NULL: the attribute */
} cases[] = {
    {"svc", "_n_support", ONE_MORE, SK_PREDICT, NULL},
    {"svc", "_n_support", HUGE_ONE, SK_PREDICT, NULL},
    {"svc", "_n_support", BELOW, SK_PREDICT, NULL},
    {"svc", "_n_support", LESS_ROWS, SK_PREDICT, NULL},
    {"svc", "_dual_coef_", LESS_ROWS, SK_PREDICT, NULL},
    {"svc", "_dual_coef_", LESS_COLUMNS, SK_PREDICT, "_n_support"},
    {"svc", "_dual_coef_", TEXT, SK_PREDICT, NULL},
    {"svc", "_intercept_", LESS_ROWS, SK_PREDICT, NULL},
    {"svc", "_intercept_", SCALAR, SK_PREDICT, NULL},
    {"svc", "support_vectors_", LESS_ROWS, SK_PREDICT, NULL},
    {"svc", "support_vectors_", SCALAR, SK_PREDICT, NULL},
    {"svc", "classes_", LESS_ROWS, SK_PREDICT, "_dual_coef_"},
    {"svc", "_gamma", TEXT, SK_PREDICT, NULL},
    {"svc", "kernel", TEXT, SK_PREDICT, "kernel"},
    {"svc_rbf_3_proba", "_probA", LESS_ROWS, SK_PREDICT_PROBA, NULL},
    {"svc_rbf_3_proba", "_probB", LESS_ROWS, SK_PREDICT_PROBA, NULL},
    {"svc_pre_3", "support_", HUGE_ONE, SK_PREDICT, NULL},
    {"svc_pre_3", "support_", BELOW, SK_PREDICT, NULL},
    {"svc_pre_3", "support_", LESS_ROWS, SK_PREDICT, NULL},
    {"svr_rbf", "_dual_coef_", LESS_COLUMNS, SK_PREDICT, "support_vectors_"},
    {"oneclass_rbf", "_intercept_", NO_ROWS, SK_PREDICT, NULL},
    {"logreg", "coef_", LESS_ROWS, SK_PREDICT, "coef_"},
    {"logreg", "intercept_", LESS_ROWS, SK_PREDICT, NULL},
    {"logreg", "classes_", LESS_ROWS, SK_PREDICT_PROBA, NULL},
    {"logreg", "coef_", SCALAR, SK_PREDICT, NULL},
    {"linreg", "coef_", NO_ROWS, SK_PREDICT, NULL},
    {"linreg_multi", "intercept_", NO_ROWS, SK_PREDICT, NULL},
    {"sgd_oneclass", "offset_", NO_ROWS, SK_PREDICT, NULL},
    {"gnb", "var_", LESS_ROWS, SK_PREDICT, NULL},
    {"gnb", "var_", LESS_COLUMNS, SK_PREDICT, NULL},
    {"gnb", "class_prior_", LESS_ROWS, SK_PREDICT, NULL},
    {"gnb", "classes_", LESS_ROWS, SK_PREDICT, NULL},
    {"mnb_3", "class_log_prior_", LESS_ROWS, SK_PREDICT, NULL},
    {"bnb", "class_log_prior_", LESS_ROWS, SK_PREDICT, NULL},
    {"catnb", "feature_log_prob_", SCALAR, SK_PREDICT, NULL},
    {"catnb", "class_log_prior_", LESS_ROWS, SK_PREDICT, "feature_log_prob_"},
    {"mlp_deep", "coefs_", LESS_ITEMS, SK_PREDICT, "intercepts_"},
    {"mlp_deep", "intercepts_", LESS_ITEMS, SK_PREDICT, NULL},
    {"mlp_deep", "classes_", LESS_ROWS, SK_PREDICT, NULL},
    {"mlp_deep", "activation", TEXT, SK_PREDICT, NULL},
    {"lda_svd_3", "xbar_", LESS_ROWS, SK_TRANSFORM, NULL},
    {"lda_svd_3", "scalings_", SCALAR, SK_TRANSFORM, NULL},
    {"qda_3", "rotations_", LESS_ITEMS, SK_PREDICT, NULL},
    {"qda_3", "scalings_", LESS_ITEMS, SK_PREDICT, NULL},
    {"qda_3", "means_", LESS_COLUMNS, SK_PREDICT, "rotations_"},
    {"qda_3", "priors_", LESS_ROWS, SK_PREDICT, NULL},
    {"gpr_rbf", "alpha_", LESS_ROWS, SK_PREDICT, NULL},
    {"gpr_rbf", "X_train_", LESS_ROWS, SK_PREDICT, "alpha_"},
    {"gpr_rbf", "kernel_", TEXT, SK_PREDICT, NULL},
    {"gpr_rbf_aniso", "X_train_", LESS_COLUMNS, SK_PREDICT, "length_scale"},
    {"rbfsampler", "n_components", HUGE_ONE, SK_TRANSFORM, NULL},
    {"skewedchi2", "n_components", ONE_MORE, SK_TRANSFORM, NULL},
    {"additivechi2_3", "n_features_in_", HUGE_ONE, SK_TRANSFORM, NULL},
    {"additivechi2_3", "n_features_in_", BELOW, SK_TRANSFORM, NULL},
    {"kernelridge_rbf", "X_fit_", LESS_ROWS, SK_PREDICT, NULL},
};

static void a_changed_attribute_is_refused_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *named = cases[i].named ? cases[i].named : cases[i].attribute;
        world w;
        load(&w, cases[i].model);
        uc_pickle *value = uc_pickle_attr(w.root, cases[i].attribute);
        if (!value) fail_msg("%s has no %s", cases[i].model, cases[i].attribute);
        alter(value, cases[i].how, w.arena);
        uncork_status status = import(&w, cases[i].method);
        if (status != UNCORK_MALFORMED && status != UNCORK_UNSUPPORTED) {
            fail_msg("%s with another %s (%d): status %d: %s", cases[i].model, cases[i].attribute,
                     (int)cases[i].how, (int)status, w.error.what);
        }
        if (!strstr(w.error.what, named)) {
            fail_msg("%s with another %s (%d) doesn't name %s: %s", cases[i].model,
                     cases[i].attribute, (int)cases[i].how, named, w.error.what);
        }
        uc_arena_free(w.arena);
    }
}

static void the_same_models_import_when_nothing_is_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world w;
        load(&w, cases[i].model);
        CHECK_OK(import(&w, cases[i].method), &w.error);
        uc_arena_free(w.arena);
    }
}

/* ---- kernels of Gaussian processes ---------------------------------------------------------- */

/* k1 and k2 of 60 sums are the next sum twice: 2^60 kernels when written out. */
static void a_kernel_that_unfolds_without_end_meets_a_limit(void **state)
{
    enum { LEVELS = 60 };
    (void)state;
    world w;
    load(&w, "gpr_sum_const");
    w.budget.nodes_left = 100000;
    uc_pickle *kernel = uc_pickle_attr(w.root, "kernel_");
    assert_non_null(kernel);
    uc_pickle *dict = kernel->state;
    for (int i = 0; i < LEVELS; i++) {
        uc_pickle *outer = UC_NEW(w.arena, uc_pickle, 1), *d = UC_NEW(w.arena, uc_pickle, 1);
        *outer = *kernel;
        *d = *dict;
        d->items = UC_NEW(w.arena, uc_pickle *, 2 * dict->count);
        for (size_t k = 0; k < dict->count; k++) {
            d->items[2 * k] = dict->items[2 * k];
            d->items[2 * k + 1] = kernel;
        }
        outer->state = d;
        kernel = outer;
    }
    *uc_pickle_attr(w.root, "kernel_") = *kernel;
    uncork_status status = import(&w, SK_PREDICT);
    CHECK(status == UNCORK_LIMIT || status == UNCORK_MALFORMED);
    uc_arena_free(w.arena);
}

static int open_archive(void **state)
{
    uncork_error error = {.size = sizeof error};
    (void)state;
    uc_error_init(&error);
    files_arena = uc_arena_new(NULL);
    return uc_bundle_open(archive, false, files_arena, NULL, &files, &error) == UNCORK_OK ? 0 : -1;
}

static int close_archive(void **state)
{
    (void)state;
    uc_arena_free(files_arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_models_import_when_nothing_is_changed),
        cmocka_unit_test(a_changed_attribute_is_refused_by_its_name),
        cmocka_unit_test(a_kernel_that_unfolds_without_end_meets_a_limit),
    };
    return cmocka_run_group_tests(tests, open_archive, close_archive);
}
