/* xgboost's JSON and UBJSON models, schema of 1.0 to 3.2.
 *
 * Source: xgboost doc/model.schema, src/learner.cc, src/gbm/gbtree_model.cc, src/tree/tree_model.cc
 * and io_utils.h (LoadModel), multi_target_tree_model.cc. Numbers of parameters are strings; arrays
 * are lists (JSON) or typed (UBJSON). */
#include "import/boosting/xgboost_model.h"

#include "base/text.h"

#include <inttypes.h>

typedef struct reader {
    uc_xgb *model;
    uc_arena *arena;
    uc_budget *budget;
    uncork_error *error;
    uncork_status status;
} reader;

static uncork_status fail(reader *r, const uc_json *at, const char *what, int64_t tree)
{
    if (!r->status) {
        uint64_t offset = at ? at->offset : UC_NO_OFFSET;
        r->status = tree >= 0 ? uc_fail(r->error, UNCORK_MALFORMED, offset,
                                        "%s of tree %" PRId64 " is missing or of the wrong size",
                                        what, tree)
                              : uc_fail(r->error, UNCORK_MALFORMED, offset,
                                        "%s is missing or of the wrong kind", what);
    }
    return r->status;
}

/* ---- arrays ----------------------------------------------------------------------------------- */

/* An array of `count` numbers (booleans count as 0 and 1) in the wanted type; NULL after a failure. */
static int64_t *integers(reader *r, const uc_json *json, int64_t count, const char *what,
                         int64_t tree)
{
    size_t n = uc_json_count(json);
    int64_t *v = NULL;
    if (json && json->kind == UC_JSON_NUMBERS) {
        v = uc_json_i64s(json, r->arena, &n);
    } else if (json && json->kind == UC_JSON_ARRAY) {
        v = UC_NEW(r->arena, int64_t, n);
        for (size_t i = 0; v && i < n; i++) {
            const uc_json *item = uc_json_at(json, i);
            bool is_bool = item && item->kind == UC_JSON_BOOL;
            v[i] = is_bool ? item->boolean : uc_json_i64(item, 0);
        }
    }
    if (!v || (count >= 0 && n != (size_t)count)) {
        fail(r, json, what, tree);
        return NULL;
    }
    return v;
}

static int32_t *integers32(reader *r, const uc_json *json, int64_t count, const char *what,
                           int64_t tree)
{
    const int64_t *v = integers(r, json, count, what, tree);
    int32_t *to = v ? UC_NEW(r->arena, int32_t, (size_t)count) : NULL;
    for (int64_t i = 0; to && i < count; i++) {
        to[i] = v[i] < INT32_MIN || v[i] > INT32_MAX ? INT32_MAX : (int32_t)v[i];
    }
    return to;
}

static uint8_t *flags(reader *r, const uc_json *json, int64_t count, const char *what, int64_t tree)
{
    const int64_t *v = integers(r, json, count, what, tree);
    uint8_t *to = v ? UC_NEW(r->arena, uint8_t, (size_t)count) : NULL;
    for (int64_t i = 0; to && i < count; i++) {
        to[i] = v[i] != 0;
    }
    return to;
}

static float *floats(reader *r, const uc_json *json, int64_t count, const char *what, int64_t tree)
{
    size_t n = 0;
    const double *v = uc_json_f64s(json, r->arena, &n);
    float *to = v && n == (size_t)count ? UC_NEW(r->arena, float, n) : NULL;
    if (!to) {
        fail(r, json, what, tree);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = (float)v[i];
    }
    return to;
}

/* ---- trees ------------------------------------------------------------------------------------ */

static void read_categories(reader *r, const uc_json *json, int64_t t, uc_xgb_tree *tree)
{
    const uc_json *nodes = uc_json_get(json, "categories_nodes");
    int64_t n = (int64_t)uc_json_count(nodes);
    if (n == 0) {
        return;
    }
    const uc_json *all = uc_json_get(json, "categories");
    const int64_t *node = integers(r, nodes, n, "categories_nodes", t);
    const int64_t *first =
        integers(r, uc_json_get(json, "categories_segments"), n, "categories_segments", t);
    const int64_t *size =
        integers(r, uc_json_get(json, "categories_sizes"), n, "categories_sizes", t);
    tree->category_count = (int64_t)uc_json_count(all);
    tree->categories = integers(r, all, tree->category_count, "categories", t);
    tree->is_category = flags(r, uc_json_get(json, "split_type"), tree->nodes, "split_type", t);
    tree->set_first = UC_NEW(r->arena, int64_t, (size_t)tree->nodes);
    tree->set_count = UC_NEW(r->arena, int64_t, (size_t)tree->nodes);
    if (r->status || !tree->set_first || !tree->set_count) {
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        if (node[i] < 0 || node[i] >= tree->nodes || first[i] < 0 || size[i] < 0 ||
            first[i] > tree->category_count || size[i] > tree->category_count - first[i]) {
            fail(r, nodes, "categories", t);
            return;
        }
        tree->set_first[node[i]] = first[i];
        tree->set_count[node[i]] = size[i];
    }
}

/* Leaves of several values: up to 3.0 base_weights hold every node's; later leaf_weights the leaves'
 * alone, and a leaf's right child says which. */
static void read_vectors(reader *r, const uc_json *json, int64_t t, uc_xgb_tree *tree)
{
    const uc_json *weights = uc_json_get(json, "leaf_weights");
    int64_t count;
    if (__builtin_mul_overflow(tree->nodes, tree->width, &count)) {
        fail(r, json, "base_weights", t);
        return;
    }
    if (uc_json_count(weights) == 0) {
        tree->vectors = floats(r, uc_json_get(json, "base_weights"), count, "base_weights", t);
        return;
    }
    float *packed = floats(r, weights, (int64_t)uc_json_count(weights), "leaf_weights", t);
    tree->vectors = UC_NEW(r->arena, float, (size_t)count);
    int64_t leaves = (int64_t)uc_json_count(weights) / tree->width;
    for (int64_t i = 0; packed && tree->vectors && i < tree->nodes; i++) {
        if (tree->left[i] >= 0) {
            continue;
        }
        if (tree->right[i] < 0 || tree->right[i] >= leaves) {
            fail(r, weights, "leaf_weights", t);
            return;
        }
        memcpy(tree->vectors + i * tree->width, packed + tree->right[i] * tree->width,
               (size_t)tree->width * sizeof(float));
        tree->right[i] = -1;
    }
}

static void read_tree(reader *r, const uc_json *json, int64_t t)
{
    uc_xgb_tree *tree = &r->model->trees[t];
    const uc_json *param = uc_json_get(json, "tree_param");
    tree->nodes = uc_json_i64(uc_json_get(param, "num_nodes"), -1);
    tree->width = uc_json_i64(uc_json_get(param, "size_leaf_vector"), 1);
    tree->width = tree->width > 1 ? tree->width : 1;
    if (tree->nodes < 1 || tree->nodes > INT32_MAX / 8 || tree->width > INT32_MAX / 64) {
        fail(r, json, "tree_param", t);
        return;
    }
    r->status = r->status ? r->status
                          : uc_budget_nodes(r->budget, (uint64_t)tree->nodes, "trees", r->error);
    int64_t n = tree->nodes;
    tree->left = integers32(r, uc_json_get(json, "left_children"), n, "left_children", t);
    tree->right = integers32(r, uc_json_get(json, "right_children"), n, "right_children", t);
    tree->feature = integers32(r, uc_json_get(json, "split_indices"), n, "split_indices", t);
    tree->condition = floats(r, uc_json_get(json, "split_conditions"), n, "split_conditions", t);
    tree->default_left = flags(r, uc_json_get(json, "default_left"), n, "default_left", t);
    if (!r->status) {
        read_categories(r, json, t, tree);
    }
    if (!r->status && tree->width > 1) {
        read_vectors(r, json, t, tree);
    }
}

static void read_trees(reader *r, const uc_json *model)
{
    uc_xgb *m = r->model;
    const uc_json *trees = uc_json_get(model, "trees");
    if (!trees || (trees->kind != UC_JSON_ARRAY && uc_json_count(trees) != 0)) {
        fail(r, model, "trees", -1);
        return;
    }
    m->info.trees = (int64_t)uc_json_count(trees);
    m->parallel = uc_json_i64(uc_json_path(model, "gbtree_model_param.num_parallel_tree"), 1);
    m->trees = UC_NEW(r->arena, uc_xgb_tree, (size_t)m->info.trees);
    m->group = integers32(r, uc_json_get(model, "tree_info"), m->info.trees, "tree_info", -1);
    for (int64_t t = 0; m->trees && !r->status && t < m->info.trees; t++) {
        read_tree(r, uc_json_at(trees, (size_t)t), t);
    }
}

static void read_booster(reader *r, const uc_json *booster)
{
    uc_xgb *m = r->model;
    uc_str name = uc_json_str(uc_json_get(booster, "name"), "");
    if (uc_str_is(name, "gbtree")) {
        read_trees(r, uc_json_get(booster, "model"));
    } else if (uc_str_is(name, "dart")) {
        m->booster = UC_XGB_DART;
        read_trees(r, uc_json_path(booster, "gbtree.model"));
        m->tree_weight =
            floats(r, uc_json_get(booster, "weight_drop"), m->info.trees, "weight_drop", -1);
    } else if (uc_str_is(name, "gblinear")) {
        m->booster = UC_XGB_LINEAR;
    } else {
        fail(r, booster, "gradient_booster.name", -1);
    }
}

/* After the sizes are known. */
static void read_linear(reader *r, const uc_json *booster)
{
    int64_t count,
        columns = r->model->classes > r->model->targets ? r->model->classes : r->model->targets;
    columns = columns > 1 ? columns : 1;
    if (r->status || __builtin_mul_overflow(r->model->info.features + 1, columns, &count)) {
        fail(r, booster, "weights", -1);
        return;
    }
    r->model->linear = floats(r, uc_json_path(booster, "model.weights"), count, "weights", -1);
}

/* ---- the rest --------------------------------------------------------------------------------- */

/* "5E-1", since 3.1 "[1.6E-1,5.8E-2]". */
static float *read_base(reader *r, const uc_json *json, size_t *count)
{
    uc_str text = uc_json_str(json, "");
    float *base = UC_NEW(r->arena, float, text.size / 2 + 1);
    *count = 0;
    if (!base || text.size == 0 || text.data[0] != '[') {
        if (base) {
            base[(*count)++] = (float)uc_json_f64(json, 0.5);
        }
        return base;
    }
    size_t at = 1;
    while (at < text.size && text.data[at] != ']') {
        uc_str one = {text.data + at, 0};
        double v;
        while (at < text.size && text.data[at] != ',' && text.data[at] != ']') {
            at++;
            one.size++;
        }
        if (!uc_text_f64(uc_text_trim(one), &v)) {
            fail(r, json, "base_score", -1);
            return NULL;
        }
        base[(*count)++] = (float)v;
        at += at < text.size && text.data[at] == ',';
    }
    return base;
}

static void read_names(reader *r, const uc_json *names)
{
    size_t n = uc_json_count(names);
    if (!names || names->kind != UC_JSON_ARRAY || n != (size_t)r->model->info.features || n == 0) {
        return;
    }
    uc_str *list = UC_NEW(r->arena, uc_str, n);
    for (size_t i = 0; list && i < n; i++) {
        list[i] = uc_json_str(uc_json_at(names, i), "");
    }
    r->model->info.names = list;
}

/* What XGBClassifier.save_model adds: its type, up to 1.5 its labels. */
static void read_wrapper(reader *r, const uc_json *text)
{
    uc_str s = uc_json_str(text, "");
    uc_bytes bytes = {(const uint8_t *)s.data, s.size};
    uncork_error quiet = {.size = sizeof quiet};
    uc_error_init(&quiet);
    const uc_json *meta = s.size ? uc_json_read(bytes, text->offset, r->arena, &quiet) : NULL;
    uc_str kind = uc_json_str(uc_json_get(meta, "_estimator_type"), "");
    uc_str type = uc_json_str(uc_json_get(meta, "type"), "");
    if (!uc_str_is(kind, "classifier") && !uc_str_is(type, "XGBClassifier") &&
        !uc_str_is(type, "XGBRFClassifier")) {
        return;
    }
    r->model->info.saved_by_class = true;
    const uc_json *labels = uc_json_path(meta, "_le.classes_");
    labels = labels ? labels : uc_json_get(meta, "classes_");
    int64_t n = (int64_t)uc_json_count(labels);
    uc_str *names =
        n > 0 && labels->kind == UC_JSON_ARRAY ? UC_NEW(r->arena, uc_str, (size_t)n) : NULL;
    for (int64_t i = 0; names && i < n; i++) {
        names[i] = uc_json_str(uc_json_at(labels, (size_t)i), "");
    }
    size_t count = 0;
    const int64_t *numbers = n > 0 && !names ? uc_json_i64s(labels, r->arena, &count) : NULL;
    r->model->info.labels = names     ? uc_tensor_strings(r->arena, names, 1, &n)
                            : numbers ? uc_tensor_i64(r->arena, numbers, n)
                                      : NULL;
}

static void read_version(reader *r, const uc_json *root)
{
    const uc_json *version = uc_json_get(root, "version");
    size_t n = 0;
    const int64_t *v = uc_json_count(version) ? uc_json_i64s(version, r->arena, &n) : NULL;
    r->model->major = 1;
    if (v && n >= 2 && v[0] >= 0 && v[0] < 1000 && v[1] >= 0 && v[1] < 1000) {
        r->model->major = (int)v[0];
        r->model->minor = (int)v[1];
        r->model->info.version = uc_arena_printf(r->arena, "%d.%d.%d", (int)v[0], (int)v[1],
                                                 n > 2 ? (int)(v[2] & 1023) : 0);
    }
}

uncork_status uc_xgb_read_json(const uc_json *root, uc_xgb *m, uc_arena *arena, uc_budget *budget,
                               uncork_error *error)
{
    reader r = {.model = m, .arena = arena, .budget = budget, .error = error};
    const uc_json *learner = uc_json_get(root, "learner");
    const uc_json *param = uc_json_get(learner, "learner_model_param");
    const uc_json *booster = uc_json_get(learner, "gradient_booster");
    if (!param || !booster) {
        return fail(&r, root, param ? "learner.gradient_booster" : "learner.learner_model_param",
                    -1);
    }
    read_version(&r, root);
    m->info.features = uc_json_i64(uc_json_get(param, "num_feature"), -1);
    m->classes = uc_json_i64(uc_json_get(param, "num_class"), 0);
    m->targets = uc_json_i64(uc_json_get(param, "num_target"), 1);
    m->info.objective = uc_json_str(uc_json_path(learner, "objective.name"), "");
    const uc_json *best = uc_json_path(learner, "attributes.best_iteration");
    m->info.best_iteration = uc_json_i64(best, -1);
    read_wrapper(&r, uc_json_path(learner, "attributes.scikit_learn"));
    read_names(&r, uc_json_get(learner, "feature_names"));
    read_booster(&r, booster);
    if (!r.status && m->booster == UC_XGB_LINEAR) {
        read_linear(&r, booster);
    }
    size_t count = 0;
    const float *base = r.status ? NULL : read_base(&r, uc_json_get(param, "base_score"), &count);
    if (!base || r.status) {
        return r.status ? r.status : uc_arena_status(arena, error);
    }
    return uc_xgb_finish(m, base, count, false, arena, error);
}
