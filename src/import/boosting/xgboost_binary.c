/* xgboost's binary model: what Booster.save_model wrote by default up to 2.0 (.bin, .model,
 * .deprecated), little-endian structs one after another.
 *
 * Source: xgboost src/learner.cc (LearnerModelParamLegacy, 136 bytes), src/gbm/gbtree_model.h
 * (GBTreeModelParam, 160 bytes), include/xgboost/tree_model.h (TreeParam 148, Node 20, RTreeNodeStat
 * 16 bytes), src/gbm/gblinear_model.h (136 bytes); strings and vectors are a 64-bit count and data. */
#include "base/reader.h"
#include "import/boosting/xgboost_model.h"

#include <inttypes.h>

static float read_f32(uc_reader *r, const char *what)
{
    uint32_t bits = uc_reader_u32le(r, what);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static int32_t read_i32(uc_reader *r, const char *what)
{
    return (int32_t)uc_reader_u32le(r, what);
}

static uc_str read_string(uc_reader *r, const char *what)
{
    uc_bytes b = uc_reader_take(r, uc_reader_u64le(r, what), what);
    uc_str s = {(const char *)b.data, b.size};
    return s;
}

static float *read_floats(uc_reader *r, uc_arena *arena, uint64_t count, const char *what)
{
    if (count > uc_reader_left(r) / 4) {
        uc_reader_fail(r, "%s has %" PRIu64 " numbers, %zu bytes remain", what, count,
                       uc_reader_left(r));
        return NULL;
    }
    float *v = UC_NEW(arena, float, (size_t)count);
    for (uint64_t i = 0; v && i < count; i++) {
        v[i] = read_f32(r, what);
    }
    return v;
}

/* ---- trees ------------------------------------------------------------------------------------ */

static bool alloc_tree(uc_arena *arena, uc_xgb_tree *tree)
{
    size_t n = (size_t)tree->nodes;
    tree->width = 1;
    tree->left = UC_NEW(arena, int32_t, n);
    tree->right = UC_NEW(arena, int32_t, n);
    tree->feature = UC_NEW(arena, int32_t, n);
    tree->condition = UC_NEW(arena, float, n);
    tree->default_left = UC_NEW(arena, uint8_t, n);
    return tree->left && tree->right && tree->feature && tree->condition && tree->default_left;
}

static void read_tree(uc_reader *r, uc_arena *arena, int64_t t, uc_xgb_tree *tree)
{
    uc_reader param = uc_reader_sub(r, 148, "tree parameters");
    uc_reader_skip(&param, 4, "roots");
    int32_t nodes = read_i32(&param, "number of nodes");
    uc_reader_skip(&param, 12, "tree parameters");
    int32_t width = read_i32(&param, "leaf vector");
    if (!uc_reader_ok(r) || !uc_reader_ok(&param)) {
        r->failed = true;
        return;
    }
    if (nodes < 1 || (uint64_t)nodes > uc_reader_left(r) / 36 || width < 0 || width > 1) {
        uc_reader_fail(r, "tree %" PRId64 " has %d nodes and leaves of %d values, %zu bytes remain",
                       t, nodes, width, uc_reader_left(r));
        return;
    }
    tree->nodes = nodes;
    if (!alloc_tree(arena, tree)) {
        r->failed = true;
        return;
    }
    for (int32_t i = 0; i < nodes; i++) {
        uc_reader_skip(r, 4, "parent");
        tree->left[i] = read_i32(r, "left child");
        tree->right[i] = read_i32(r, "right child");
        uint32_t feature = uc_reader_u32le(r, "feature");
        tree->condition[i] = read_f32(r, "condition");
        tree->feature[i] = (int32_t)(feature & 0x7fffffff);
        tree->default_left[i] = feature >> 31 != 0;
        if (tree->left[i] == -1) {
            tree->right[i] = -1;
        }
    }
    uc_reader_skip(r, (uint64_t)nodes * 16, "statistics of nodes");
}

static void read_trees(uc_reader *r, uc_xgb *m, uc_arena *arena, uc_budget *budget)
{
    int32_t count = read_i32(r, "number of trees");
    m->parallel = read_i32(r, "parallel trees");
    uc_reader_skip(r, 20, "tree model parameters");
    int32_t width = read_i32(r, "leaf vector");
    uc_reader_skip(r, 128, "tree model parameters");
    m->parallel = m->major >= 1 && m->parallel > 0 ? m->parallel : 1;
    if (count < 0 || (uint64_t)count > uc_reader_left(r) / 184 || width < 0 || width > 1) {
        uc_reader_fail(r, "%d trees with leaves of %d values, %zu bytes remain", count, width,
                       uc_reader_left(r));
        return;
    }
    m->info.trees = count;
    m->trees = UC_NEW(arena, uc_xgb_tree, (size_t)count);
    m->group = UC_NEW(arena, int32_t, (size_t)count);
    for (int32_t t = 0; m->trees && m->group && uc_reader_ok(r) && t < count; t++) {
        read_tree(r, arena, t, &m->trees[t]);
        r->failed |= uc_budget_nodes(budget, (uint64_t)m->trees[t].nodes, "trees", r->error) != 0;
    }
    for (int32_t t = 0; m->group && uc_reader_ok(r) && t < count; t++) {
        m->group[t] = read_i32(r, "tree_info");
    }
}

static void read_dart(uc_reader *r, uc_xgb *m, uc_arena *arena)
{
    m->booster = UC_XGB_DART;
    if (m->info.trees == 0) {
        return;
    }
    uint64_t count = uc_reader_u64le(r, "number of tree weights");
    if (uc_reader_ok(r) && count != (uint64_t)m->info.trees) {
        uc_reader_fail(r, "%" PRIu64 " tree weights for %" PRId64 " trees", count, m->info.trees);
    }
    m->tree_weight = uc_reader_ok(r) ? read_floats(r, arena, count, "tree weights") : NULL;
}

static void read_linear(uc_reader *r, uc_xgb *m, uc_arena *arena)
{
    m->booster = UC_XGB_LINEAR;
    uint32_t features = uc_reader_u32le(r, "features");
    int32_t groups = read_i32(r, "output groups");
    uc_reader_skip(r, 128, "linear model parameters");
    uint64_t count = uc_reader_u64le(r, "number of weights");
    int64_t columns = m->classes > 1 ? m->classes : 1;
    uint64_t want = ((uint64_t)m->info.features + 1) * (uint64_t)columns;
    /* Parameters of the linear part are empty from 1.0 on: the learner's count. */
    bool agree = (features == (uint32_t)m->info.features || features == 0) &&
                 (groups == columns || groups <= 1 || m->major >= 1);
    if (uc_reader_ok(r) && (count != want || !agree)) {
        uc_reader_fail(r, "%" PRIu64 " weights of %u features, expected %" PRIu64, count, features,
                       want);
    }
    m->linear = uc_reader_ok(r) ? read_floats(r, arena, count, "weights") : NULL;
}

/* ---- the learner ------------------------------------------------------------------------------ */

static void read_attributes(uc_reader *r, uc_xgb *m)
{
    uint64_t count = uc_reader_u64le(r, "number of attributes");
    for (uint64_t i = 0; uc_reader_ok(r) && i < count; i++) {
        uc_str key = read_string(r, "attribute"), value = read_string(r, "attribute");
        int64_t best = 0;
        bool digits = value.size > 0 && value.size < 10;
        for (size_t k = 0; k < value.size && digits; k++) {
            digits = value.data[k] >= '0' && value.data[k] <= '9';
            best = best * 10 + (value.data[k] - '0');
        }
        if (uc_reader_ok(r) && uc_str_is(key, "best_iteration") && digits) {
            m->info.best_iteration = best;
        }
    }
}

uncork_status uc_xgb_read_binary(uc_bytes bytes, uc_xgb *m, uc_arena *arena, uc_budget *budget,
                                 uncork_error *error)
{
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, error);
    float base = read_f32(&r, "base score");
    m->info.features = uc_reader_u32le(&r, "number of features");
    m->classes = read_i32(&r, "number of classes");
    int32_t has_attributes = read_i32(&r, "attributes");
    uc_reader_skip(&r, 4, "metrics");
    uint32_t major = uc_reader_u32le(&r, "version"), minor = uc_reader_u32le(&r, "version");
    uint32_t targets = uc_reader_u32le(&r, "targets");
    uc_reader_skip(&r, 104, "learner parameters");
    m->info.objective = read_string(&r, "objective");
    uc_str name = read_string(&r, "booster");
    if (!uc_reader_ok(&r)) {
        return error->status;
    }
    m->major = major < 100 ? (int)major : 0;
    m->minor = minor < 1000 ? (int)minor : 0;
    m->targets = m->major >= 1 && targets > 0 && targets < 100000 ? targets : 1;
    if (m->major >= 1) {
        m->info.version = uc_arena_printf(arena, "%d.%d", m->major, m->minor);
    }
    if (uc_str_is(name, "gbtree") || uc_str_is(name, "dart")) {
        read_trees(&r, m, arena, budget);
        if (uc_str_is(name, "dart") && uc_reader_ok(&r)) {
            read_dart(&r, m, arena);
        }
    } else if (uc_str_is(name, "gblinear")) {
        read_linear(&r, m, arena);
    } else {
        uc_reader_fail(&r, "booster '%.*s' isn't one of xgboost's",
                       (int)(name.size < 40 ? name.size : 40), name.data ? name.data : "");
    }
    if (uc_reader_ok(&r) && has_attributes) {
        read_attributes(&r, m);
    }
    if (!uc_reader_ok(&r)) {
        return error->status ? error->status : uc_arena_status(arena, error);
    }
    UC_TRY(uc_arena_status(arena, error));
    /* Before 1.0 the margin was saved, since then the score itself (LearnerIO::LoadModel). */
    return uc_xgb_finish(m, &base, 1, m->major < 1, arena, error);
}
