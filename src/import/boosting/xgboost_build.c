/* A model of xgboost as graph nodes, in the arithmetic of the version that wrote it.
 *
 * Source: xgboost src/predictor/cpu_predictor.cc (PredValue up to 1.2: the trees' sum, then the base;
 * PredictByAllTrees since 1.3: from the base on, tree after tree), src/gbm/gbtree.cc (Dart, 1.4),
 * src/gbm/gblinear.cc, src/common/categorical.h (Decision). */
#include "graph/graph_trees.h"
#include "import/boosting/xgboost_model.h"

#include <inttypes.h>
#include <math.h>

static uc_ref fail_memory(uc_graph *g)
{
    return uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for trees");
}

/* Older than 1.`minor`. */
static bool older_than(const uc_xgb *m, int minor)
{
    return m->major == 0 || (m->major == 1 && m->minor < minor);
}

/* Trees of the first rounds. */
static int64_t tree_count(const uc_xgb *m, const uc_boost_run *run)
{
    bool wide = m->info.trees > 0 && m->trees[0].width > 1;
    int64_t a_round = (wide ? 1 : m->groups) * (m->parallel > 0 ? m->parallel : 1), count;
    if (!run || run->rounds <= 0 || __builtin_mul_overflow(run->rounds, a_round, &count)) {
        return m->info.trees;
    }
    return count < m->info.trees ? count : m->info.trees;
}

/* ---- categories ------------------------------------------------------------------------------- */

/* Bits of the set of node i: its largest category + 1; -1 when one isn't a category. */
static int64_t set_bits(const uc_xgb_tree *tree, int64_t i)
{
    int64_t bits = 0;
    for (int64_t c = tree->set_first[i]; c < tree->set_first[i] + tree->set_count[i]; c++) {
        int64_t v = tree->categories[c];
        if (v < 0 || v >= 1 << 24) {
            return -1;
        }
        bits = v + 1 > bits ? v + 1 : bits;
    }
    return bits;
}

static bool count_sets(uc_graph *g, const uc_xgb *m, int64_t trees, int64_t *sets, int64_t *words)
{
    *sets = *words = 0;
    for (int64_t t = 0; t < trees; t++) {
        const uc_xgb_tree *tree = &m->trees[t];
        for (int64_t i = 0; tree->is_category && i < tree->nodes; i++) {
            int64_t bits = tree->is_category[i] ? set_bits(tree, i) : 0;
            if (bits < 0) {
                uc_graph_fail(g, UNCORK_MALFORMED,
                              "tree %" PRId64 ": categories are negative or "
                              "above 16777215",
                              t);
                return false;
            }
            *sets += tree->is_category[i];
            *words += (bits + 31) / 32;
        }
    }
    return true;
}

typedef struct set_place {
    int64_t set, word;
} set_place;

/* Members go right; what is no category (negative, too large) goes left. */
static void fill_set(const uc_xgb_tree *tree, int64_t i, uc_tree_table *table, int64_t at,
                     set_place *place)
{
    int64_t bits = set_bits(tree, i), *set = table->sets + 4 * place->set;
    for (int64_t c = tree->set_first[i]; c < tree->set_first[i] + tree->set_count[i]; c++) {
        int64_t v = tree->categories[c];
        table->words[place->word + v / 32] |= 1u << (v % 32);
    }
    set[0] = place->word;
    set[1] = bits;
    table->set[at] = (int32_t)place->set;
    table->flags[at] |= UC_NODE_CATEGORY | UC_NODE_INVALID_LEFT;
    place->set++;
    place->word += (bits + 31) / 32;
}

/* ---- trees ------------------------------------------------------------------------------------ */

/* inplace_predict of dart takes the base off a tree's own prediction again. */
static float leaf_value(const uc_xgb *m, int64_t t, float value, const uc_boost_run *run)
{
    if (m->booster != UC_XGB_DART || !run || !run->in_place || older_than(m, 4)) {
        return value;
    }
    float base = m->base[m->group[t]];
    return (base + value) - base;
}

static void fill_tree(const uc_xgb *m, int64_t t, const uc_boost_run *run, uc_tree_table *table,
                      set_place *place)
{
    const uc_xgb_tree *tree = &m->trees[t];
    for (int64_t i = 0; i < tree->nodes; i++) {
        int64_t at = table->first[t] + i;
        bool leaf = tree->left[i] < 0 && tree->right[i] < 0;
        table->left[at] = tree->left[i];
        table->right[at] = tree->right[i];
        table->flags[at] = UC_NODE_NAN | (tree->default_left[i] ? UC_NODE_MISSING_LEFT : 0);
        if (!leaf) {
            table->feature[at] = tree->feature[i];
            table->threshold[at] = (double)tree->condition[i];
            if (tree->is_category && tree->is_category[i]) {
                fill_set(tree, i, table, at, place);
            }
        } else if (tree->width == 1) {
            table->value32[at] = leaf_value(m, t, tree->condition[i], run);
        }
    }
    if (tree->width > 1) {
        memcpy(table->value32 + table->first[t] * tree->width, tree->vectors,
               (size_t)(tree->nodes * tree->width) * sizeof(float));
    }
}

static bool fill_table(uc_graph *g, const uc_xgb *m, const uc_boost_run *run, uc_tree_table *table)
{
    int64_t trees = tree_count(m, run), sets, words, at = 0;
    bool wide = trees > 0 && m->trees[0].width > 1;
    *table = (uc_tree_table){.trees = trees,
                             .value_dtype = UNCORK_FLOAT32,
                             .width = wide ? m->groups : 0,
                             .columns = m->groups,
                             .features = m->info.features,
                             .strict = true,
                             .base_last = older_than(m, m->booster == UC_XGB_DART ? 4 : 3)};
    for (int64_t t = 0; t < trees; t++) {
        table->nodes += m->trees[t].nodes;
    }
    if (!count_sets(g, m, trees, &sets, &words) || !uc_tree_table_init(g, table) ||
        !uc_tree_table_flags(g, table) ||
        (sets > 0 && !uc_tree_table_sets(g, table, sets, words > 0 ? words : 1))) {
        return false;
    }
    double *base = UC_NEW(g->arena, double, (size_t)m->groups);
    table->group = wide ? NULL : UC_NEW(g->arena, int32_t, (size_t)trees);
    table->weight = m->tree_weight ? UC_NEW(g->arena, double, (size_t)trees) : NULL;
    if (!base || (!wide && !table->group) || (m->tree_weight && !table->weight)) {
        fail_memory(g);
        return false;
    }
    for (int64_t k = 0; k < m->groups; k++) {
        base[k] = (double)m->base[k];
    }
    table->base = base;
    set_place place = {0, 0};
    for (int64_t t = 0; t < trees; t++) {
        table->first[t] = at;
        if (!wide) {
            table->group[t] = m->group[t];
        }
        if (table->weight) {
            table->weight[t] = (double)m->tree_weight[t];
        }
        fill_tree(m, t, run, table, &place);
        at += m->trees[t].nodes;
    }
    table->first[trees] = at;
    return true;
}

/* ---- gblinear --------------------------------------------------------------------------------- */

/* Weights [features + 1, groups]; the last row is bias + base, where sums start. */
static uc_ref linear_margin(uc_graph *g, const uc_xgb *m, uc_ref x)
{
    int64_t shape[2] = {m->info.features + 1, m->groups};
    uc_tensor *w = uc_tensor_new(g->arena, UNCORK_FLOAT32, 2, shape);
    if (!w) {
        return fail_memory(g);
    }
    memcpy(w->data, m->linear, (size_t)(shape[0] * shape[1]) * sizeof(float));
    float *bias = (float *)w->data + m->info.features * m->groups;
    for (int64_t k = 0; k < m->groups; k++) {
        bias[k] += m->base[0]; /* also where each class has its own (3.1 and later) */
    }
    uc_node *node = uc_graph_node(g, "uncork.OrderedLinear", &x, 1, 1);
    uc_node_tensor(g, node, "weight", w);
    return uc_node_out(node, 0);
}

uc_ref uc_xgb_margin(uc_graph *g, const uc_xgb *m, uc_ref x, const uc_boost_run *run)
{
    uc_tree_table table;
    if (m->booster == UC_XGB_LINEAR) {
        return linear_margin(g, m, x);
    }
    return fill_table(g, m, run, &table) ? uc_tree_table_node(g, &table, x, 0) : 0;
}

/* ---- what predict returns --------------------------------------------------------------------- */

static uc_ref link(uc_graph *g, const uc_xgb *m, const char *kind, uc_ref x)
{
    uc_node *node = uc_graph_node(g, "uncork.Link", &x, 1, 1);
    uc_node_str(g, node, "kind", kind);
    uc_node_int(g, node, "bounded", !older_than(m, 6)); /* seen in 1.6, not in 1.5 */
    return uc_node_out(node, 0);
}

uc_ref uc_xgb_transform(uc_graph *g, const uc_xgb *m, uc_ref margin)
{
    const char *kind = uc_xgb_objective_find(m->info.objective)->link;
    uc_ref y = margin;
    if (kind && strcmp(kind, "argmax") == 0) {
        return uc_g_cast(g, uc_g_argmax(g, margin, 1, false), UNCORK_FLOAT32);
    }
    if (kind && strcmp(kind, "hinge") == 0) {
        uc_ref positive = uc_g2(g, "Greater", margin, uc_graph_f32(g, 0));
        y = uc_g_cast(g, positive, UNCORK_FLOAT32);
    } else if (kind) {
        y = link(g, m, kind, margin);
    }
    return m->info.one_column ? uc_g_squeeze(g, y, 1) : y;
}

uc_ref uc_xgb_proba(uc_graph *g, const uc_xgb *m, uc_ref margin)
{
    if (uc_str_is(m->info.objective, "multi:softmax")) {
        return link(g, m, "softmax", margin);
    }
    uc_ref y = uc_xgb_transform(g, m, margin);
    if (!m->info.one_column) {
        return y;
    }
    y = uc_g_unsqueeze(g, y, 1);
    uc_ref parts[2] = {uc_g2(g, "Sub", uc_graph_f32(g, 1), y), y};
    return uc_g_concat(g, parts, 2, 1);
}

uc_ref uc_xgb_class(uc_graph *g, const uc_xgb *m, uc_ref margin, bool multi_label)
{
    uc_ref y = uc_xgb_transform(g, m, margin);
    if (uc_str_is(m->info.objective, "multi:softmax")) {
        return uc_g_cast(g, y, UNCORK_INT64);
    }
    if (!m->info.one_column && !multi_label) {
        return uc_g_argmax(g, y, 1, false);
    }
    uc_ref over = uc_g2(g, "Greater", y, uc_graph_f32(g, 0.5f));
    return uc_g_cast(g, over, m->info.one_column ? UNCORK_INT64 : UNCORK_FLOAT64);
}

uc_ref uc_xgb_missing(uc_graph *g, uc_ref x, double missing)
{
    if (missing != missing) {
        return x;
    }
    uc_ref same = uc_g2(g, "Equal", x, uc_graph_f32(g, (float)missing));
    return uc_g_where(g, same, uc_graph_f32(g, NAN), x);
}
