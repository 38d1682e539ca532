/* lightgbm's text model, as Booster.save_model, model_to_string and pickles hold it, versions 2.0 to
 * 4.7: lines "key=value", a block of them a tree.
 *
 * Source: lightgbm src/boosting/gbdt_model_text.cpp (LoadModelFromString), src/io/tree.cpp (the
 * constructor from text), src/objective (ToString and ConvertOutput of every objective). */
#include "import/boosting/lightgbm_model.h"

#include "base/text.h"

#include <inttypes.h>

typedef struct reader {
    const char *at, *end, *begin;
    uc_lgb *model;
    uc_arena *arena;
    uc_budget *budget;
    uncork_error *error;
    uncork_status status;
    bool ended;  /* the line after the trees was there */
    bool marked; /* and it was "end of trees", which 2.2 began to write */
} reader;

const uc_boost_info *uc_lgb_info(const uc_lgb *model) { return &model->info; }

static uncork_status fail(reader *r, const char *where, const char *what, int64_t tree)
{
    if (!r->status) {
        uint64_t offset = where ? (uint64_t)(where - r->begin) : (uint64_t)(r->at - r->begin);
        r->status = tree < 0 ? uc_fail(r->error, UNCORK_MALFORMED, offset, "%s", what)
                             : uc_fail(r->error, UNCORK_MALFORMED, offset, "tree %" PRId64 ": %s",
                                       tree, what);
    }
    return r->status;
}

/* ---- lines ------------------------------------------------------------------------------------ */

static bool next_line(reader *r, uc_str *line)
{
    if (r->at >= r->end) {
        return false;
    }
    const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
    stop = stop ? stop : r->end;
    *line = (uc_str){r->at, (size_t)(stop - r->at)};
    r->at = stop < r->end ? stop + 1 : stop;
    if (line->size && line->data[line->size - 1] == '\r') {
        line->size--;
    }
    return true;
}

/* The value of "key=value"; false when the line has another key. */
static bool value_of(uc_str line, const char *key, uc_str *value)
{
    size_t n = strlen(key);
    if (line.size <= n || memcmp(line.data, key, n) != 0 || line.data[n] != '=') {
        return false;
    }
    *value = (uc_str){line.data + n + 1, line.size - n - 1};
    return true;
}

static bool begins(uc_str line, const char *text)
{
    return line.size >= strlen(text) && memcmp(line.data, text, strlen(text)) == 0;
}

/* The next word of a list; false at its end. */
static bool next_word(uc_str *list, uc_str *word)
{
    size_t at = 0, begin;
    if (!list->data) {
        return false;
    }
    while (at < list->size && (list->data[at] == ' ' || list->data[at] == '\t')) {
        at++;
    }
    begin = at;
    while (at < list->size && list->data[at] != ' ' && list->data[at] != '\t') {
        at++;
    }
    *word = (uc_str){list->data + begin, at - begin};
    list->data += at;
    list->size -= at;
    return word->size > 0;
}

static int64_t integer(reader *r, uc_str value, const char *what, int64_t tree)
{
    int64_t v = 0;
    if (!uc_text_i64(uc_text_trim(value), &v)) {
        fail(r, value.data, what, tree);
    }
    return v;
}

/* ---- arrays ----------------------------------------------------------------------------------- */

static double *doubles(reader *r, uc_str list, int64_t count, const char *what, int64_t tree)
{
    uc_str word, rest = list;
    double *v = count >= 0 && (uint64_t)count <= list.size + 1
                    ? UC_NEW(r->arena, double, (size_t)count)
                    : NULL;
    int64_t n = 0;
    while (v && n < count && next_word(&rest, &word) && uc_text_f64(word, &v[n])) {
        n++;
    }
    if (!v || n != count || next_word(&rest, &word)) {
        fail(r, list.data, what, tree);
        return NULL;
    }
    return v;
}

static int64_t *integers(reader *r, uc_str list, int64_t count, int64_t low, int64_t high,
                         const char *what, int64_t tree)
{
    uc_str word, rest = list;
    int64_t *v = count >= 0 && (uint64_t)count <= list.size + 1
                     ? UC_NEW(r->arena, int64_t, (size_t)count)
                     : NULL;
    int64_t n = 0;
    while (v && n < count && next_word(&rest, &word) && uc_text_i64(word, &v[n]) && v[n] >= low &&
           v[n] <= high) {
        n++;
    }
    if (!v || n != count || next_word(&rest, &word)) {
        fail(r, list.data, what, tree);
        return NULL;
    }
    return v;
}

static int32_t *integers32(reader *r, uc_str list, int64_t count, const char *what, int64_t tree)
{
    const int64_t *v = integers(r, list, count, INT32_MIN, INT32_MAX, what, tree);
    int32_t *to = v ? UC_NEW(r->arena, int32_t, (size_t)count) : NULL;
    for (int64_t i = 0; to && i < count; i++) {
        to[i] = (int32_t)v[i];
    }
    return to;
}

/* ---- trees ------------------------------------------------------------------------------------ */

typedef enum tree_key {
    NUM_LEAVES,
    NUM_CAT,
    SPLIT_FEATURE,
    THRESHOLD,
    DECISION_TYPE,
    LEFT_CHILD,
    RIGHT_CHILD,
    LEAF_VALUE,
    CAT_BOUNDARIES,
    CAT_THRESHOLD,
    IS_LINEAR,
    LEAF_CONST,
    NUM_FEATURES,
    LEAF_FEATURES,
    LEAF_COEFF,
    TREE_KEYS,
} tree_key;

static const char *const tree_keys[TREE_KEYS] = {
    "num_leaves", "num_cat",     "split_feature", "threshold",      "decision_type",
    "left_child", "right_child", "leaf_value",    "cat_boundaries", "cat_threshold",
    "is_linear",  "leaf_const",  "num_features",  "leaf_features",  "leaf_coeff",
};

static void read_sets(reader *r, const uc_str *values, int64_t t, uc_lgb_tree *tree)
{
    tree->set_count = values[NUM_CAT].data ? integer(r, values[NUM_CAT], "num_cat", t) : 0;
    if (tree->set_count <= 0 || r->status) {
        tree->set_count = 0;
        return;
    }
    int64_t n = tree->set_count;
    tree->set_first = n < INT32_MAX ? integers(r, values[CAT_BOUNDARIES], n + 1, 0, INT32_MAX,
                                               "cat_boundaries is missing or too short", t)
                                    : NULL;
    for (int64_t i = 0; tree->set_first && i < n; i++) {
        if (tree->set_first[i + 1] < tree->set_first[i]) {
            fail(r, values[CAT_BOUNDARIES].data, "cat_boundaries go backwards", t);
            return;
        }
    }
    const int64_t *words =
        tree->set_first && tree->set_first[0] == 0
            ? integers(r, values[CAT_THRESHOLD], tree->set_first[n], 0, UINT32_MAX,
                       "cat_threshold doesn't match cat_boundaries", t)
            : NULL;
    tree->words = words ? UC_NEW(r->arena, uint32_t, (size_t)tree->set_first[n]) : NULL;
    for (int64_t i = 0; tree->words && i < tree->set_first[n]; i++) {
        tree->words[i] = (uint32_t)words[i];
    }
    if (!tree->words) {
        fail(r, values[CAT_BOUNDARIES].data, "cat_boundaries don't begin at 0", t);
    }
}

static void read_linear(reader *r, const uc_str *values, int64_t t, uc_lgb_tree *tree)
{
    if (!values[IS_LINEAR].data || integer(r, values[IS_LINEAR], "is_linear", t) == 0 ||
        r->status) {
        return;
    }
    tree->is_linear = true;
    tree->constant = doubles(r, values[LEAF_CONST], tree->leaves, "leaf_const", t);
    tree->linear_count =
        integers(r, values[NUM_FEATURES], tree->leaves, 0, INT32_MAX, "num_features", t);
    for (int64_t i = 0; tree->linear_count && i < tree->leaves; i++) {
        tree->linear_total += tree->linear_count[i];
    }
    if (!r->status) {
        tree->linear_feature =
            integers32(r, values[LEAF_FEATURES], tree->linear_total, "leaf_features", t);
        tree->linear_coef = doubles(r, values[LEAF_COEFF], tree->linear_total, "leaf_coeff", t);
    }
}

static void read_tree(reader *r, const uc_str *values, int64_t t)
{
    uc_lgb_tree *tree = &r->model->trees[t];
    tree->leaves = integer(r, values[NUM_LEAVES], "num_leaves is missing", t);
    if (r->status || tree->leaves < 1 || tree->leaves > INT32_MAX / 4) {
        fail(r, values[NUM_LEAVES].data, "num_leaves is out of range", t);
        return;
    }
    int64_t splits = tree->leaves - 1;
    r->status = uc_budget_nodes(r->budget, (uint64_t)(tree->leaves + splits), "trees", r->error);
    tree->value =
        doubles(r, values[LEAF_VALUE], tree->leaves, "leaf_value doesn't match num_leaves", t);
    if (splits > 0 && !r->status) {
        tree->feature = integers32(r, values[SPLIT_FEATURE], splits, "split_feature", t);
        tree->threshold = doubles(r, values[THRESHOLD], splits, "threshold", t);
        tree->left = integers32(r, values[LEFT_CHILD], splits, "left_child", t);
        tree->right = integers32(r, values[RIGHT_CHILD], splits, "right_child", t);
        tree->decision = values[DECISION_TYPE].data
                             ? integers32(r, values[DECISION_TYPE], splits, "decision_type", t)
                             : UC_NEW(r->arena, int32_t, (size_t)splits);
        read_sets(r, values, t, tree);
    }
    if (!r->status) {
        read_linear(r, values, t, tree);
    }
}

/* What follows the trees. */
static bool is_end(uc_str line)
{
    return begins(line, "end of trees") || begins(line, "feature importances") ||
           begins(line, "feature_importances");
}

/* Blocks that begin with "Tree=". The line just read is the first one's. */
static void read_trees(reader *r, uc_str line)
{
    size_t capacity = 0;
    bool more = true;
    while (more && !r->status && begins(line, "Tree=")) {
        uc_lgb *m = r->model;
        uc_str values[TREE_KEYS] = {{0}}, value;
        int64_t t = m->info.trees;
        m->trees = uc_arena_grow(r->arena, m->trees, &capacity, (size_t)t + 1, sizeof *m->trees);
        if (!m->trees) {
            r->status = uc_arena_status(r->arena, r->error);
            return;
        }
        m->trees[t] = (uc_lgb_tree){0};
        m->info.trees++;
        while ((more = next_line(r, &line)) && !begins(line, "Tree=") && !is_end(line)) {
            for (int k = 0; k < TREE_KEYS; k++) {
                if (value_of(line, tree_keys[k], &value)) {
                    values[k] = value;
                }
            }
        }
        read_tree(r, values, t);
    }
    r->ended = more;
    r->marked = more && begins(line, "end of trees");
}

/* ---- the rest --------------------------------------------------------------------------------- */

typedef struct objective {
    const char *name;
    const char *link; /* "logistic" may take a scale from "sigmoid:" */
    bool scaled, is_classifier, may_be_sqrt;
} objective;

static const objective objectives[] = {
    {"binary", "logistic", true, true, false},
    {"cross_entropy", "logistic", false, false, false},
    {"cross_entropy_lambda", "log1p_exp", false, false, false},
    {"custom", NULL, false, false, false},
    {"fair", NULL, false, false, true},
    {"gamma", "exp", false, false, false},
    {"huber", NULL, false, false, true},
    {"lambdarank", NULL, false, false, false},
    {"mape", NULL, false, false, true},
    {"multiclass", "softmax", false, true, false},
    {"multiclassova", "logistic", true, true, false},
    {"poisson", "exp", false, false, false},
    {"quantile", NULL, false, false, true},
    {"rank_xendcg", NULL, false, false, false},
    {"regression", NULL, false, false, true},
    {"regression_l1", NULL, false, false, true},
    {"regression_l2", NULL, false, false, true},
    {"tweedie", "exp", false, false, false},
    {"xentlambda", "log1p_exp", false, false, false},
    {"xentropy", "logistic", false, false, false},
};

/* "binary sigmoid:1", "regression sqrt", "multiclassova num_class:4 sigmoid:1"; none: a custom one. */
static void read_objective(reader *r, uc_str text)
{
    uc_lgb *m = r->model;
    uc_str word = {0}, rest = text;
    const objective *found = NULL;
    m->info.objective = text;
    m->scale = 1;
    (void)next_word(&rest, &word);
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
        found = uc_str_is(word, objectives[i].name) ? &objectives[i] : found;
    }
    if (!found) {
        r->status = uc_fail(r->error, UNCORK_UNSUPPORTED, (uint64_t)(text.data - r->begin),
                            "objective '%.*s' isn't one of lightgbm's",
                            (int)(word.size < 100 ? word.size : 100), word.data);
        return;
    }
    m->link = found->link;
    m->info.is_classifier = found->is_classifier;
    m->info.gives_probabilities = found->is_classifier;
    while (next_word(&rest, &word)) {
        uc_str number = {word.data + 8, word.size > 8 ? word.size - 8 : 0};
        if (uc_str_is(word, "sqrt") && found->may_be_sqrt) {
            m->link = "signed_square";
        } else if (found->scaled && begins(word, "sigmoid:") && !uc_text_f64(number, &m->scale)) {
            fail(r, word.data, "sigmoid: isn't a number", -1);
        }
    }
}

static void read_names(reader *r, uc_str list)
{
    int64_t n = r->model->info.features;
    uc_str *names = n > 0 && (uint64_t)n <= list.size ? UC_NEW(r->arena, uc_str, (size_t)n) : NULL;
    int64_t i = 0;
    while (names && i < n && next_word(&list, &names[i])) {
        i++;
    }
    r->model->info.names = names && i == n ? names : NULL;
}

typedef struct header {
    uc_str classes, trees_a_round, max_feature, objective, names, version, tree_sizes;
} header;

static uncork_status finish_header(reader *r, const header *h)
{
    uc_lgb *m = r->model;
    int64_t top = h->max_feature.data ? integer(r, h->max_feature, "max_feature_idx", -1) : -2;
    m->classes = h->classes.data ? integer(r, h->classes, "num_class", -1) : 1;
    m->info.columns = h->trees_a_round.data
                          ? integer(r, h->trees_a_round, "num_tree_per_iteration", -1)
                          : m->classes;
    if (!r->status && (top < 0 || top >= INT32_MAX || m->info.columns < 1 ||
                       m->info.columns > INT32_MAX / 64 || m->classes < 1)) {
        return fail(r, NULL, "max_feature_idx, num_class or num_tree_per_iteration is out of range",
                    -1);
    }
    m->info.features = top + 1;
    if (h->version.data) {
        const char *text =
            uc_arena_printf(r->arena, "model %.*s",
                            (int)(h->version.size < 20 ? h->version.size : 20), h->version.data);
        m->info.version = text;
    }
    if (!r->status && h->objective.data) {
        read_objective(r, h->objective);
    }
    if (h->names.data) {
        read_names(r, h->names);
    }
    return r->status;
}

/* A text that was cut has fewer trees than it announces, or nothing after the last one. */
static uncork_status check_trees(reader *r, const header *h)
{
    uc_str sizes = h->tree_sizes, word;
    int64_t announced = 0;
    while (next_word(&sizes, &word)) {
        announced++;
    }
    if (!r->status && h->tree_sizes.data && announced != r->model->info.trees) {
        fail(r, NULL, "the text has another number of trees than tree_sizes announces", -1);
    }
    if (!r->status && announced > 0 && !r->ended) {
        fail(r, NULL, "the text ends inside the trees", -1);
    }
    return r->status;
}

static uncork_status read_model(reader *r)
{
    header h;
    memset(&h, 0, sizeof h);
    uc_str line = {0};
    bool more;
    while ((more = next_line(r, &line)) && !begins(line, "Tree=") && !is_end(line)) {
        if (uc_str_is(uc_text_trim(line), "average_output")) {
            r->model->is_average = true;
        }
        (void)(value_of(line, "num_class", &h.classes) ||
               value_of(line, "num_tree_per_iteration", &h.trees_a_round) ||
               value_of(line, "max_feature_idx", &h.max_feature) ||
               value_of(line, "objective", &h.objective) ||
               value_of(line, "feature_names", &h.names) || value_of(line, "version", &h.version) ||
               value_of(line, "tree_sizes", &h.tree_sizes));
    }
    r->model->scale = 1;
    UC_TRY(finish_header(r, &h));
    if (!more) {
        return fail(r, r->end, "the text ends before its trees", -1);
    }
    read_trees(r, line);
    return check_trees(r, &h);
}

int uc_lgb_probe(uc_bytes head)
{
    static const char mark[] = "tree\n", mark_r[] = "tree\r\n";
    bool begins_so = (head.size >= 5 && memcmp(head.data, mark, 5) == 0) ||
                     (head.size >= 6 && memcmp(head.data, mark_r, 6) == 0);
    return begins_so ? 2 : 0;
}

uncork_status uc_lgb_read(uc_bytes bytes, uc_arena *arena, uc_budget *budget, uc_lgb **model,
                          uncork_error *error)
{
    uncork_error own = {.size = sizeof own};
    uc_error_init(&own);
    uc_lgb *m = UC_NEW(arena, uc_lgb, 1);
    const char *text = (const char *)bytes.data;
    reader r = {.at = text,
                .begin = text,
                .end = text + bytes.size,
                .model = m,
                .arena = arena,
                .budget = budget,
                .error = error ? error : &own};
    *model = m;
    if (!m) {
        return uc_arena_status(arena, error);
    }
    m->info.best_iteration = -1;
    UC_TRY(read_model(&r));
    if (m->info.trees % m->info.columns != 0) {
        return fail(&r, NULL, "the number of trees isn't a multiple of the trees a round", -1);
    }
    if (m->is_average && !r.marked) {
        m->link = NULL; /* leaves of random forests were predictions themselves before 2.2 */
    }
    m->info.iterations = m->info.trees / m->info.columns;
    m->info.one_column = m->info.columns == 1;
    m->info.booster = m->is_average ? "rf" : "gbdt";
    return uc_arena_status(arena, error);
}
