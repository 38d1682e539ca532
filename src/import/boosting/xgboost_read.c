/* Which of xgboost's formats the bytes are, and what all of them have in common.
 *
 * Source: xgboost doc/tutorials/saving_model.rst, src/learner.cc (LearnerIO::Load, LoadModel),
 * src/c_api. A pickled Booster holds one of: {"Config": ..., "Model": ...} in UBJSON or JSON
 * (since 1.0), "CONFIG-offset:" + the binary model + its configuration (1.0 to 1.x), the binary model
 * alone (before 1.0); "binf" may stand before a binary model. */
#include "container/ubjson.h"
#include "import/boosting/xgboost_model.h"

#include <inttypes.h>
#include <math.h>

#define CONFIG_HEADER "CONFIG-offset:"

static const uc_xgb_objective objectives[] = {
    {"binary:hinge", UC_XGB_SCALE_PLAIN, "hinge", true},
    {"binary:logistic", UC_XGB_SCALE_LOGIT, "logistic", true},
    {"binary:logitraw", UC_XGB_SCALE_LOGIT, NULL, true},
    {"count:poisson", UC_XGB_SCALE_LOG, "exp", false},
    {"gpu:binary:logistic", UC_XGB_SCALE_LOGIT, "logistic", true},
    {"gpu:binary:logitraw", UC_XGB_SCALE_LOGIT, NULL, true},
    {"gpu:reg:linear", UC_XGB_SCALE_PLAIN, NULL, false},
    {"gpu:reg:logistic", UC_XGB_SCALE_LOGIT, "logistic", false},
    {"multi:softmax", UC_XGB_SCALE_PLAIN, "argmax", true},
    {"multi:softprob", UC_XGB_SCALE_PLAIN, "softmax", true},
    {"rank:map", UC_XGB_SCALE_PLAIN, NULL, false},
    {"rank:ndcg", UC_XGB_SCALE_PLAIN, NULL, false},
    {"rank:pairwise", UC_XGB_SCALE_PLAIN, NULL, false},
    {"reg:absoluteerror", UC_XGB_SCALE_PLAIN, NULL, false},
    {"reg:expectileerror", UC_XGB_SCALE_PLAIN, NULL, false},
    {"reg:gamma", UC_XGB_SCALE_LOG, "exp", false},
    {"reg:linear", UC_XGB_SCALE_PLAIN, NULL, false},
    {"reg:logistic", UC_XGB_SCALE_LOGIT, "logistic", false},
    {"reg:pseudohubererror", UC_XGB_SCALE_PLAIN, NULL, false},
    {"reg:quantileerror", UC_XGB_SCALE_PLAIN, NULL, false},
    {"reg:squarederror", UC_XGB_SCALE_PLAIN, NULL, false},
    {"reg:squaredlogerror", UC_XGB_SCALE_PLAIN, NULL, false},
    {"reg:tweedie", UC_XGB_SCALE_LOG, "exp", false},
    {"survival:aft", UC_XGB_SCALE_LOG, "exp", false},
    {"survival:cox", UC_XGB_SCALE_LOG, "exp", false},
};

const uc_xgb_objective *uc_xgb_objective_find(uc_str name)
{
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
        if (uc_str_is(name, objectives[i].name)) {
            return &objectives[i];
        }
    }
    return NULL;
}

const uc_boost_info *uc_xgb_info(const uc_xgb *model) { return &model->info; }

/* ---- what every format needs ------------------------------------------------------------------ */

/* ObjFunction::ProbToMargin. */
static float to_margin(const uc_xgb *m, const uc_xgb_objective *objective, float base)
{
    /* 1.3 made the raw scores' base a raw score. */
    bool raw = uc_str_is(m->info.objective, "binary:logitraw") &&
               (m->major > 1 || (m->major == 1 && m->minor >= 3));
    if (raw) {
        return base;
    }
    if (objective->base == UC_XGB_SCALE_LOGIT) {
        return -logf(1.0f / base - 1.0f);
    }
    return objective->base == UC_XGB_SCALE_LOG ? logf(base) : base;
}

static uncork_status set_base(uc_xgb *m, const uc_xgb_objective *objective, const float *base,
                              size_t count, bool is_margin, uc_arena *arena, uncork_error *error)
{
    m->base = UC_NEW(arena, float, (size_t)m->groups);
    if (!m->base) {
        return uc_arena_status(arena, error);
    }
    if (count != 1 && count != (size_t)m->groups) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "base_score has %zu numbers, the model gives %" PRId64, count, m->groups);
    }
    for (int64_t k = 0; k < m->groups; k++) {
        float b = base[count == 1 ? 0 : k];
        m->base[k] = is_margin ? b : to_margin(m, objective, b);
    }
    return UNCORK_OK;
}

/* Trees belong to a group each; a leaf of several values covers all groups. */
static uncork_status check_trees(const uc_xgb *m, uncork_error *error)
{
    for (int64_t t = 0; t < m->info.trees; t++) {
        int64_t width = m->trees[t].width;
        if (m->group[t] < 0 || m->group[t] >= m->groups) {
            return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                           "tree_info: tree %" PRId64 " belongs to class %d of %" PRId64, t,
                           m->group[t], m->groups);
        }
        if (width != m->trees[0].width || (width > 1 && width != m->groups)) {
            return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                           "tree %" PRId64 " has leaves of %" PRId64
                           " values, the model gives %" PRId64,
                           t, width, m->groups);
        }
    }
    return UNCORK_OK;
}

static void set_info(uc_xgb *m, const uc_xgb_objective *objective)
{
    uc_boost_info *info = &m->info;
    bool wide = info->trees > 0 && m->trees[0].width > 1;
    int64_t a_round = (wide ? 1 : m->groups) * (m->parallel > 0 ? m->parallel : 1);
    info->columns = m->groups;
    info->classes = m->classes;
    info->iterations = info->trees / a_round;
    info->booster = m->booster == UC_XGB_LINEAR ? "gblinear"
                    : m->booster == UC_XGB_DART ? "dart"
                                                : "gbtree";
    bool argmax = objective->link && strcmp(objective->link, "argmax") == 0;
    info->one_column = m->groups == 1 || argmax;
    info->is_classifier = objective->is_classifier;
    info->gives_probabilities =
        objective->is_classifier && objective->link &&
        (strcmp(objective->link, "logistic") == 0 || strcmp(objective->link, "softmax") == 0);
}

uncork_status uc_xgb_finish(uc_xgb *m, const float *base, size_t base_count, bool is_margin,
                            uc_arena *arena, uncork_error *error)
{
    const uc_xgb_objective *objective = uc_xgb_objective_find(m->info.objective);
    if (!objective) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "objective '%.*s' isn't one of xgboost's",
                       (int)(m->info.objective.size < 100 ? m->info.objective.size : 100),
                       m->info.objective.data ? m->info.objective.data : "");
    }
    if (m->info.features < 0 || m->info.features > INT32_MAX || m->classes < 0 ||
        m->classes > INT32_MAX / 64 || m->targets < 0 || m->targets > INT32_MAX / 64) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "%" PRId64 " features, %" PRId64 " classes and %" PRId64 " targets",
                       m->info.features, m->classes, m->targets);
    }
    m->groups = m->classes > m->targets ? m->classes : m->targets;
    m->groups = m->groups > 1 ? m->groups : 1;
    UC_TRY(set_base(m, objective, base, base_count, is_margin, arena, error));
    if (m->booster != UC_XGB_LINEAR) {
        UC_TRY(check_trees(m, error));
    }
    set_info(m, objective);
    return uc_arena_status(arena, error);
}

/* ---- which format ----------------------------------------------------------------------------- */

static bool starts(uc_bytes b, const char *text)
{
    size_t n = strlen(text);
    return b.size >= n && memcmp(b.data, text, n) == 0;
}

static uc_bytes after(uc_bytes b, size_t n)
{
    uc_bytes rest = {b.data + n, b.size - n};
    return rest;
}

static bool contains(uc_bytes b, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= b.size; i++) {
        if (b.data[i] == (uint8_t)text[0] && memcmp(b.data + i, text, n) == 0) {
            return true;
        }
    }
    return false;
}

/* The objective's name after the parameters of a binary model: 136 bytes, then a string. */
static bool is_binary(uc_bytes b)
{
    static const char *const prefixes[] = {
        "reg:", "binary:", "multi:", "rank:", "count:", "survival:", "gpu:"};
    uint64_t n = b.size >= 144 ? uc_load_u64le(b.data + 136) : 0;
    if (n < 4 || n > 64 || b.size < 144 + n) {
        return false;
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (starts(after(b, 144), prefixes[i])) {
            return true;
        }
    }
    return false;
}

int uc_xgb_probe(uc_bytes head)
{
    if (starts(head, CONFIG_HEADER) || is_binary(head) ||
        (starts(head, "binf") && is_binary(after(head, 4)))) {
        return 2;
    }
    uc_bytes front = {head.data, head.size < 4096 ? head.size : 4096};
    size_t at = 0;
    while (at < front.size && strchr(" \t\r\n", front.data[at]) && front.data[at]) {
        at++;
    }
    if (at >= front.size || front.data[at] != '{') {
        return 0;
    }
    bool learner = contains(front, "learner") || contains(front, "\"Config\"");
    bool known = contains(front, "gradient_booster") || contains(front, "learner_model_param") ||
                 contains(front, "feature_names") || contains(front, "generic_param") ||
                 contains(front, "attributes") || contains(front, "learner_train_param");
    return learner && known ? 2 : 0;
}

static uncork_status read_tree(const uc_json *root, uc_xgb *m, uc_arena *arena, uc_budget *budget,
                               uncork_error *error)
{
    if (!root) {
        return error->status ? error->status : uc_arena_status(arena, error);
    }
    const uc_json *model = uc_json_get(root, "Model");
    return uc_xgb_read_json(model ? model : root, m, arena, budget, error);
}

/* "CONFIG-offset:", the binary model's size, the model; a configuration follows. */
static uncork_status read_with_config(uc_bytes bytes, uc_xgb *m, uc_arena *arena, uc_budget *budget,
                                      uncork_error *error)
{
    size_t head = sizeof CONFIG_HEADER - 1 + 8;
    if (bytes.size < head) {
        return uc_fail(error, UNCORK_MALFORMED, bytes.size, "the model ends after its header");
    }
    uint64_t size = uc_load_u64le(bytes.data + head - 8);
    if (size > bytes.size - head) {
        return uc_fail(error, UNCORK_MALFORMED, head - 8,
                       "the model needs %" PRIu64 " bytes, %zu remain", size, bytes.size - head);
    }
    uc_bytes model = {bytes.data + head, (size_t)size};
    return uc_xgb_read_binary(starts(model, "binf") ? after(model, 4) : model, m, arena, budget,
                              error);
}

uncork_status uc_xgb_read(uc_bytes bytes, uc_arena *arena, uc_budget *budget, uc_xgb **model,
                          uncork_error *error)
{
    uncork_error own = {.size = sizeof own};
    uc_error_init(&own);
    error = error ? error : &own;
    uc_xgb *m = UC_NEW(arena, uc_xgb, 1);
    *model = m;
    if (!m) {
        return uc_arena_status(arena, error);
    }
    m->info.best_iteration = -1;
    if (starts(bytes, CONFIG_HEADER)) {
        return read_with_config(bytes, m, arena, budget, error);
    }
    if (starts(bytes, "binf")) {
        return uc_xgb_read_binary(after(bytes, 4), m, arena, budget, error);
    }
    if (is_binary(bytes)) {
        return uc_xgb_read_binary(bytes, m, arena, budget, error);
    }
    if (uc_ubjson_probe(bytes)) {
        return read_tree(uc_ubjson_read(bytes, 0, arena, error), m, arena, budget, error);
    }
    return read_tree(uc_json_read(bytes, 0, arena, error), m, arena, budget, error);
}
