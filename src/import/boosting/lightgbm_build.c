/* A model of lightgbm as graph nodes, in float64.
 *
 * Source: lightgbm include/LightGBM/tree.h (NumericalDecision, CategoricalDecision, Predict),
 * src/boosting/gbdt_prediction.cpp (PredictRaw, Predict). */
#include "graph/graph_trees.h"
#include "import/boosting/lightgbm_model.h"

#include <inttypes.h>

enum { DECIDE_CATEGORY = 1, DECIDE_LEFT = 2, MISSING_ZERO = 1, MISSING_NAN = 2 };

static int64_t round_count(const uc_lgb *m, const uc_boost_run *run)
{
    bool some = run && run->rounds > 0 && run->rounds < m->info.iterations;
    return some ? run->rounds : m->info.iterations;
}

/* A node's place in the table: splits first, then leaves. */
static int32_t child_place(const uc_lgb_tree *tree, int32_t child)
{
    int64_t place = child >= 0 ? child : tree->leaves - 1 + ~(int64_t)child;
    return child >= 0 && child >= tree->leaves - 1 ? -1 : (int32_t)place;
}

static uint8_t node_flags(int32_t decision)
{
    int missing = decision >> 2 & 3;
    uint8_t flags = decision & DECIDE_LEFT ? UC_NODE_MISSING_LEFT : 0;
    if (decision & DECIDE_CATEGORY) { /* NaN and what is no category go right */
        return UC_NODE_NAN | UC_NODE_CATEGORY | UC_NODE_IN_LEFT | UC_NODE_TRUNCATE;
    }
    return flags | (missing == MISSING_NAN    ? UC_NODE_NAN
                    : missing == MISSING_ZERO ? UC_NODE_ZERO
                                              : 0);
}

/* The set of a category split. */
static bool fill_set(uc_graph *g, const uc_lgb_tree *tree, int64_t t, int64_t i, int64_t first_set,
                     int64_t first_word, uc_tree_table *table, int64_t at)
{
    double number = tree->threshold[i];
    if (!(number >= 0 && number < (double)tree->set_count)) {
        uc_graph_fail(g, UNCORK_MALFORMED,
                      "tree %" PRId64 ": split %" PRId64 " asks for set %g of %" PRId64, t, i,
                      number, tree->set_count);
        return false;
    }
    int64_t k = (int64_t)number, *set = table->sets + 4 * (first_set + k);
    table->set[at] = (int32_t)(first_set + k);
    set[0] = first_word + tree->set_first[k];
    set[1] = 32 * (tree->set_first[k + 1] - tree->set_first[k]);
    return true;
}

typedef struct place {
    int64_t node, set, word, linear;
} place;

static bool fill_splits(uc_graph *g, const uc_lgb_tree *tree, int64_t t, uc_tree_table *table,
                        const place *p)
{
    for (int64_t i = 0; i < tree->leaves - 1; i++) {
        int64_t at = p->node + i;
        table->left[at] = child_place(tree, tree->left[i]);
        table->right[at] = child_place(tree, tree->right[i]);
        if (table->left[at] < 0 || table->right[at] < 0) {
            uc_graph_fail(g, UNCORK_MALFORMED,
                          "tree %" PRId64 ": split %" PRId64 " has children %d and %d of %" PRId64
                          " splits",
                          t, i, tree->left[i], tree->right[i], tree->leaves - 1);
            return false;
        }
        table->feature[at] = tree->feature[i];
        table->threshold[at] = tree->threshold[i];
        table->flags[at] = node_flags(tree->decision[i]);
        if (tree->decision[i] & DECIDE_CATEGORY &&
            !fill_set(g, tree, t, i, p->set, p->word, table, at)) {
            return false;
        }
    }
    return true;
}

static void fill_leaves(const uc_lgb_tree *tree, uc_tree_table *table, place *p)
{
    int64_t from = 0;
    for (int64_t i = 0; i < tree->leaves; i++) {
        int64_t at = p->node + tree->leaves - 1 + i;
        table->value64[at] = tree->value[i];
        if (!table->linear_first) {
            continue;
        }
        table->linear_first[at] = p->linear;
        table->linear_const[at] = tree->is_linear ? tree->constant[i] : tree->value[i];
        for (int64_t k = 0; tree->is_linear && k < tree->linear_count[i];
             k++, from++, p->linear++) {
            table->linear_feature[p->linear] = tree->linear_feature[from];
            table->linear_coef[p->linear] = tree->linear_coef[from];
        }
    }
}

/* Arrays of leaves that are linear functions, when a tree has some. */
static bool make_linear(uc_graph *g, const uc_lgb *m, int64_t trees, uc_tree_table *table)
{
    bool any = false;
    for (int64_t t = 0; t < trees; t++) {
        any |= m->trees[t].is_linear;
        table->linear_count += m->trees[t].linear_total;
    }
    if (!any) {
        return true;
    }
    size_t n = (size_t)table->linear_count;
    table->linear_first = UC_NEW(g->arena, int64_t, (size_t)table->nodes + 1);
    table->linear_const = UC_NEW(g->arena, double, (size_t)table->nodes);
    table->linear_feature = UC_NEW(g->arena, int32_t, n);
    table->linear_coef = UC_NEW(g->arena, double, n);
    return table->linear_first && table->linear_const && table->linear_feature &&
           table->linear_coef;
}

static bool make_table(uc_graph *g, const uc_lgb *m, int64_t trees, uc_tree_table *table)
{
    int64_t sets = 0, words = 0;
    *table = (uc_tree_table){.trees = trees,
                             .value_dtype = UNCORK_FLOAT64,
                             .columns = m->info.columns,
                             .features = m->info.features};
    for (int64_t t = 0; t < trees; t++) {
        const uc_lgb_tree *tree = &m->trees[t];
        table->nodes += 2 * tree->leaves - 1;
        sets += tree->set_count;
        words += tree->set_count ? tree->set_first[tree->set_count] : 0;
    }
    table->group = UC_NEW(g->arena, int32_t, (size_t)trees);
    return table->group && uc_tree_table_init(g, table) && uc_tree_table_flags(g, table) &&
           (sets == 0 || uc_tree_table_sets(g, table, sets, words)) &&
           make_linear(g, m, trees, table);
}

static bool fill_table(uc_graph *g, const uc_lgb *m, int64_t trees, uc_tree_table *table)
{
    place p = {0};
    if (!make_table(g, m, trees, table)) {
        if (!g->status) {
            uc_graph_fail(g, UNCORK_NO_MEMORY, "no memory for trees");
        }
        return false;
    }
    for (int64_t t = 0; t < trees; t++) {
        const uc_lgb_tree *tree = &m->trees[t];
        table->first[t] = p.node;
        table->group[t] = (int32_t)(t % m->info.columns);
        for (int64_t i = 0; table->linear_first && i < tree->leaves - 1; i++) {
            table->linear_first[p.node + i] = p.linear;
        }
        if (!fill_splits(g, tree, t, table, &p)) {
            return false;
        }
        fill_leaves(tree, table, &p);
        if (tree->set_count) {
            int64_t words = tree->set_first[tree->set_count];
            memcpy(table->words + p.word, tree->words, (size_t)words * sizeof(uint32_t));
            p.word += words;
            p.set += tree->set_count;
        }
        p.node += 2 * tree->leaves - 1;
    }
    table->first[trees] = p.node;
    if (table->linear_first) {
        table->linear_first[p.node] = p.linear;
    }
    return true;
}

uc_ref uc_lgb_raw(uc_graph *g, const uc_lgb *m, uc_ref x, const uc_boost_run *run)
{
    uc_tree_table table;
    int64_t rounds = round_count(m, run);
    if (!fill_table(g, m, rounds * m->info.columns, &table)) {
        return 0;
    }
    if (m->is_average && rounds > 0) {
        table.divisor = (double)rounds;
    }
    return uc_tree_table_node(g, &table, x, 0);
}

uc_ref uc_lgb_transform(uc_graph *g, const uc_lgb *m, uc_ref raw)
{
    uc_ref y = raw;
    if (m->link) {
        uc_node *node = uc_graph_node(g, "uncork.Link", &y, 1, 1);
        uc_node_str(g, node, "kind", m->link);
        uc_node_float(g, node, "scale", m->scale);
        y = uc_node_out(node, 0);
    }
    return m->info.one_column ? uc_g_squeeze(g, y, 1) : y;
}
