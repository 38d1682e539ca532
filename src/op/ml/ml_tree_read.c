/* See ml_tree_read.h. A root is a node that no other leads to, as in ONNX Runtime. */
#include "op/ml/ml_tree_read.h"

#include "base/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* ---- the older form ------------------------------------------------------------------------- */

typedef struct place {
    int64_t tree, node;
} place;

typedef struct reader {
    const int64_t *tree, *id, *feature, *yes, *no, *missing;
    const uc_attr *modes;
    const double *values;
    int64_t count;
    uc_table *starts; /* tree: its first node + 1 */
    uc_table *places; /* place: node + 1; made when numbers are no run */
    place *rooms;
} reader;

static uncork_status ints_of(uc_call *call, const char *name, int64_t want, const int64_t **to)
{
    size_t count = 0;
    *to = uc_call_ints(call, name, &count);
    if ((int64_t)count == want) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "%s has %zu numbers, expected %" PRId64, name,
                        count, want);
}

static uncork_status read_arrays(uc_call *call, reader *r, bool *is_double)
{
    size_t count = 0, missing = 0;
    int64_t values = 0;
    r->tree = uc_call_ints(call, "nodes_treeids", &count);
    r->count = (int64_t)count;
    UC_TRY(ints_of(call, "nodes_nodeids", r->count, &r->id));
    UC_TRY(ints_of(call, "nodes_featureids", r->count, &r->feature));
    UC_TRY(ints_of(call, "nodes_truenodeids", r->count, &r->yes));
    UC_TRY(ints_of(call, "nodes_falsenodeids", r->count, &r->no));
    r->missing = uc_call_ints(call, "nodes_missing_value_tracks_true", &missing);
    if (missing && (int64_t)missing != r->count) {
        return ints_of(call, "nodes_missing_value_tracks_true", r->count, &r->missing);
    }
    r->modes = uc_call_attr(call, "nodes_modes");
    UC_TRY(uc_ml_floats(call, "nodes_values", &r->values, &values, is_double));
    bool sound = r->count > 0 && values == r->count && r->modes &&
                 r->modes->kind == UC_ATTR_STRINGS && r->modes->count == count;
    if (sound) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED,
                        "%" PRId64 " nodes with %" PRId64 " values and %zu modes", r->count, values,
                        r->modes ? r->modes->count : 0);
}

static uncork_status index_trees(uc_call *call, reader *r)
{
    r->starts = uc_table_new(call->arena);
    if (!r->starts) return uc_arena_status(call->arena, call->error);
    for (int64_t i = 0; i < r->count; i++) {
        uc_str key = {(const char *)&r->tree[i], sizeof r->tree[i]};
        if (i > 0 && r->tree[i] == r->tree[i - 1]) continue;
        if (uc_table_find(r->starts, key)) continue;
        if (!uc_table_put(r->starts, key, (void *)(intptr_t)(i + 1))) {
            return uc_arena_status(call->arena, call->error);
        }
    }
    return UNCORK_OK;
}

static bool index_places(uc_call *call, reader *r)
{
    r->places = uc_table_new(call->arena);
    r->rooms = UC_NEW(call->arena, place, (size_t)r->count);
    for (int64_t i = 0; r->places && r->rooms && i < r->count; i++) {
        r->rooms[i] = (place){r->tree[i], r->id[i]};
        uc_str key = {(const char *)&r->rooms[i], sizeof(place)};
        if (!uc_table_put(r->places, key, (void *)(intptr_t)(i + 1))) return false;
    }
    return r->places && r->rooms;
}

/* Index of a tree's node; -1: there is none, or no memory. Numbers mostly count up inside a tree. */
static int64_t find(uc_call *call, reader *r, int64_t tree, int64_t id)
{
    uc_str key = {(const char *)&tree, sizeof tree};
    int64_t first = (int64_t)(intptr_t)uc_table_find(r->starts, key) - 1, guess = 0;
    if (first < 0) return -1;
    if (!__builtin_sub_overflow(id, r->id[first], &guess) &&
        !__builtin_add_overflow(guess, first, &guess) && guess >= 0 && guess < r->count &&
        r->tree[guess] == tree && r->id[guess] == id) {
        return guess;
    }
    place at = {tree, id};
    if (!r->places && !index_places(call, r)) return -1;
    return (int64_t)(intptr_t)uc_table_find(r->places, (uc_str){(const char *)&at, sizeof at}) - 1;
}

static int mode_of(uc_str name)
{
    static const char *const names[] = {"BRANCH_LEQ", "BRANCH_LT",  "BRANCH_GTE",   "BRANCH_GT",
                                        "BRANCH_EQ",  "BRANCH_NEQ", "BRANCH_MEMBER"};
    for (int m = 0; m < UC_ML_MEMBER; m++) {
        if (uc_str_is(name, names[m])) return m;
    }
    return uc_str_is(name, "LEAF") ? UC_ML_MODES : -1;
}

/* leaf_of[i]: number of the leaf that node i is, -1: it is a branch. */
static uncork_status number_leaves(uc_call *call, const reader *r, uc_ml_trees *t, int64_t *leaf_of)
{
    for (int64_t i = 0; i < r->count; i++) {
        uc_str name = r->modes->strings[i];
        int mode = mode_of(name);
        if (mode < 0) {
            return uc_call_fail(call, UNCORK_MALFORMED, "node %" PRId64 " has mode '%.*s'", i,
                                (int)(name.size < 40 ? name.size : 40), name.data);
        }
        t->nodes[i].mode = (uint8_t)mode;
        leaf_of[i] = mode == UC_ML_MODES ? t->leaf_count++ : -1;
    }
    return UNCORK_OK;
}

static uncork_status read_nodes(uc_call *call, reader *r, uc_ml_trees *t, const int64_t *leaf_of)
{
    uint8_t *is_child = uc_arena_alloc(call->arena, (size_t)r->count, 1);
    t->roots = UC_NEW(call->arena, int64_t, (size_t)r->count);
    if (!is_child || !t->roots) return uc_arena_status(call->arena, call->error);
    for (int64_t i = 0; i < r->count; i++) {
        if (leaf_of[i] >= 0) continue;
        int64_t yes = find(call, r, r->tree[i], r->yes[i]);
        int64_t no = find(call, r, r->tree[i], r->no[i]);
        UC_TRY(uc_arena_status(call->arena, call->error));
        if (yes < 0 || no < 0 || r->feature[i] < 0 || r->feature[i] > INT32_MAX) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "tree %" PRId64 ": node %" PRId64 " leads to nodes %" PRId64
                                " and %" PRId64 " by feature %" PRId64,
                                r->tree[i], r->id[i], r->yes[i], r->no[i], r->feature[i]);
        }
        is_child[yes] = is_child[no] = 1;
        t->nodes[i].split = r->values[i];
        t->nodes[i].yes = leaf_of[yes] >= 0 ? -1 - leaf_of[yes] : yes;
        t->nodes[i].no = leaf_of[no] >= 0 ? -1 - leaf_of[no] : no;
        t->nodes[i].feature = (int32_t)r->feature[i];
        t->nodes[i].missing_yes = r->missing && r->missing[i] != 0;
    }
    for (int64_t i = 0; i < r->count; i++) {
        if (!is_child[i]) t->roots[t->tree_count++] = leaf_of[i] >= 0 ? -1 - leaf_of[i] : i;
    }
    if (t->tree_count > 0) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "no tree has a root");
}

typedef struct votes {
    const int64_t *tree, *node, *target;
    const double *weight;
    int64_t count;
} votes;

static uncork_status read_vote_arrays(uc_call *call, const char *prefix, votes *v)
{
    char name[64];
    size_t count = 0;
    int64_t weights = 0;
    bool wide = false;
    snprintf(name, sizeof name, "%s_ids", prefix);
    v->target = uc_call_ints(call, name, &count);
    v->count = (int64_t)count;
    snprintf(name, sizeof name, "%s_treeids", prefix);
    UC_TRY(ints_of(call, name, v->count, &v->tree));
    snprintf(name, sizeof name, "%s_nodeids", prefix);
    UC_TRY(ints_of(call, name, v->count, &v->node));
    snprintf(name, sizeof name, "%s_weights", prefix);
    UC_TRY(uc_ml_floats(call, name, &v->weight, &weights, &wide));
    if (weights == v->count) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " weights for %" PRId64 " votes",
                        weights, v->count);
}

/* Votes grouped by leaf, in the file's order inside each; votes of branches count nowhere. */
static uncork_status read_votes(uc_call *call, const char *prefix, int64_t target_count, reader *r,
                                uc_ml_trees *t, const int64_t *leaf_of)
{
    votes v = {0};
    UC_TRY(read_vote_arrays(call, prefix, &v));
    t->vote_first = UC_NEW(call->arena, int64_t, (size_t)t->leaf_count + 1);
    t->votes = UC_NEW(call->arena, uc_ml_vote, (size_t)v.count);
    int64_t *leaf = UC_NEW(call->arena, int64_t, (size_t)v.count);
    int64_t *next = UC_NEW(call->arena, int64_t, (size_t)t->leaf_count + 1);
    if (!t->vote_first || !t->votes || !leaf || !next) {
        return uc_arena_status(call->arena, call->error);
    }
    for (int64_t i = 0; i < v.count; i++) {
        int64_t at = find(call, r, v.tree[i], v.node[i]);
        UC_TRY(uc_arena_status(call->arena, call->error));
        if (at < 0 || v.target[i] < 0 || v.target[i] >= target_count) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "vote %" PRId64 ": tree %" PRId64 ", node %" PRId64
                                ", output %" PRId64 " of %" PRId64,
                                i, v.tree[i], v.node[i], v.target[i], target_count);
        }
        leaf[i] = leaf_of[at];
        if (leaf[i] >= 0) t->vote_first[leaf[i] + 1]++;
    }
    for (int64_t l = 0; l < t->leaf_count; l++) {
        t->vote_first[l + 1] += t->vote_first[l];
        next[l] = t->vote_first[l];
    }
    for (int64_t i = 0; i < v.count; i++) {
        if (leaf[i] >= 0) t->votes[next[leaf[i]]++] = (uc_ml_vote){v.target[i], v.weight[i]};
    }
    return UNCORK_OK;
}

uncork_status uc_ml_trees_read(uc_call *call, const char *prefix, int64_t target_count,
                               uc_ml_trees *t, bool *is_double)
{
    reader r = {0};
    UC_TRY(read_arrays(call, &r, is_double));
    UC_TRY(index_trees(call, &r));
    t->node_count = r.count;
    t->nodes = UC_NEW(call->arena, uc_ml_node, (size_t)r.count);
    int64_t *leaf_of = UC_NEW(call->arena, int64_t, (size_t)r.count);
    if (!t->nodes || !leaf_of) return uc_arena_status(call->arena, call->error);
    UC_TRY(number_leaves(call, &r, t, leaf_of));
    UC_TRY(read_nodes(call, &r, t, leaf_of));
    /* Leaves' places among the nodes are never reached: they ask nothing. */
    for (int64_t i = 0; i < r.count; i++) {
        if (leaf_of[i] >= 0) t->nodes[i].mode = UC_ML_LEQ;
    }
    return read_votes(call, prefix, target_count, &r, t, leaf_of);
}

/* ---- TreeEnsemble 5 ------------------------------------------------------------------------- */

static uncork_status tensor_of(uc_call *call, const char *name, int64_t want, uncork_dtype dtype,
                               const uc_tensor **t)
{
    const uc_attr *a = uc_call_attr(call, name);
    *t = NULL;
    if (!a || a->kind != UC_ATTR_TENSOR) {
        if (want < 0) return UNCORK_OK;
        return uc_call_fail(call, UNCORK_MALFORMED, "attribute %s is missing", name);
    }
    *t = uc_tensor_cast(call->arena, a->tensor, dtype);
    if (!*t) {
        UC_TRY(uc_arena_status(call->arena, call->error));
        return uc_call_fail(call, UNCORK_MALFORMED, "attribute %s holds no numbers", name);
    }
    if (want < 0 || uc_tensor_count(*t) == want) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "%s has %" PRId64 " elements, expected %" PRId64,
                        name, uc_tensor_count(*t), want);
}

/* The members of each MEMBER node, one list after another, each ended by a NaN. */
static uncork_status read_members(uc_call *call, uc_ml_trees *t)
{
    const uc_tensor *members = NULL;
    int64_t at = 0;
    UC_TRY(tensor_of(call, "membership_values", -1, UNCORK_FLOAT64, &members));
    int64_t n = members ? uc_tensor_count(members) : 0;
    t->members = members ? members->data : NULL;
    for (int64_t i = 0; i < t->node_count; i++) {
        if (t->nodes[i].mode != UC_ML_MEMBER) continue;
        t->nodes[i].member_first = at;
        while (at < n && !isnan(t->members[at]))
            at++;
        if (at >= n) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "membership_values end before those of node %" PRId64, i);
        }
        t->nodes[i].member_count = at++ - t->nodes[i].member_first;
    }
    return UNCORK_OK;
}

static uncork_status read_leaves(uc_call *call, int64_t target_count, uc_ml_trees *t)
{
    size_t count = 0;
    const int64_t *target = uc_call_ints(call, "leaf_targetids", &count);
    const uc_tensor *weight = NULL;
    t->leaf_count = (int64_t)count;
    UC_TRY(tensor_of(call, "leaf_weights", t->leaf_count, UNCORK_FLOAT64, &weight));
    t->vote_first = UC_NEW(call->arena, int64_t, count + 1);
    t->votes = UC_NEW(call->arena, uc_ml_vote, count);
    if (!t->vote_first || !t->votes) return uc_arena_status(call->arena, call->error);
    for (size_t i = 0; i < count; i++) {
        if (target[i] < 0 || target[i] >= target_count) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "leaf %zu belongs to target %" PRId64 " of %" PRId64, i, target[i],
                                target_count);
        }
        t->votes[i] = (uc_ml_vote){target[i], uc_tensor_doubles(weight)[i]};
        t->vote_first[i + 1] = (int64_t)i + 1;
    }
    return UNCORK_OK;
}

static int64_t child(int64_t at, int64_t is_leaf)
{
    if (at < 0) return INT64_MAX; /* nowhere: the check of trees says so */
    return is_leaf ? -1 - at : at;
}

uncork_status uc_ml_trees_read_v5(uc_call *call, int64_t target_count, uc_ml_trees *t)
{
    size_t count = 0, roots = 0, missing = 0;
    const int64_t *feature = uc_call_ints(call, "nodes_featureids", &count);
    const int64_t *yes, *no, *yes_leaf, *no_leaf;
    const int64_t *miss = uc_call_ints(call, "nodes_missing_value_tracks_true", &missing);
    const int64_t *root = uc_call_ints(call, "tree_roots", &roots);
    const uc_tensor *modes = NULL, *splits = NULL;
    int64_t n = (int64_t)count;
    UC_TRY(ints_of(call, "nodes_truenodeids", n, &yes));
    UC_TRY(ints_of(call, "nodes_falsenodeids", n, &no));
    UC_TRY(ints_of(call, "nodes_trueleafs", n, &yes_leaf));
    UC_TRY(ints_of(call, "nodes_falseleafs", n, &no_leaf));
    if (missing) UC_TRY(ints_of(call, "nodes_missing_value_tracks_true", n, &miss));
    UC_TRY(tensor_of(call, "nodes_modes", n, UNCORK_INT64, &modes));
    UC_TRY(tensor_of(call, "nodes_splits", n, UNCORK_FLOAT64, &splits));
    t->node_count = n;
    t->tree_count = (int64_t)roots;
    t->nodes = UC_NEW(call->arena, uc_ml_node, count);
    t->roots = UC_NEW(call->arena, int64_t, roots);
    if (!t->nodes || !t->roots) return uc_arena_status(call->arena, call->error);
    for (int64_t i = 0; i < n; i++) {
        int64_t mode = ((const int64_t *)modes->data)[i];
        if (mode < 0 || mode >= UC_ML_MODES || feature[i] < 0 || feature[i] > INT32_MAX) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "node %" PRId64 " has mode %" PRId64 " and feature %" PRId64, i,
                                mode, feature[i]);
        }
        t->nodes[i] = (uc_ml_node){.split = uc_tensor_doubles(splits)[i],
                                   .yes = child(yes[i], yes_leaf[i]),
                                   .no = child(no[i], no_leaf[i]),
                                   .feature = (int32_t)feature[i],
                                   .mode = (uint8_t)mode,
                                   .missing_yes = missing && miss[i] != 0};
    }
    for (size_t i = 0; i < roots; i++) {
        int64_t at = root[i];
        if (at < 0 || at >= n) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "tree_roots[%zu] is %" PRId64 " of %" PRId64, i, at, n);
        }
        /* A tree of one leaf is a node whose two sides are that leaf. */
        bool alone = yes_leaf[at] && no_leaf[at] && yes[at] == no[at];
        t->roots[i] = alone ? t->nodes[at].yes : at;
    }
    UC_TRY(read_members(call, t));
    return read_leaves(call, target_count, t);
}
