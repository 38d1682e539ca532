/* Building a uncork.TreeEnsemble node from a table of nodes. */
#include "graph/graph_trees.h"

static void *new_array(uc_graph *g, int64_t count, size_t size)
{
    void *data = count >= 0 ? uc_arena_alloc(g->arena, (size_t)count, size) : NULL;
    if (!data) {
        uc_graph_fail(g, UNCORK_LIMIT, "no memory for %lld elements of trees", (long long)count);
    }
    return data;
}

bool uc_tree_table_init(uc_graph *g, uc_tree_table *table)
{
    int64_t width = table->width > 0 ? table->width : 1, values;
    if (g->status || __builtin_mul_overflow(table->nodes, width, &values)) {
        uc_graph_fail(g, UNCORK_LIMIT, "%lld nodes of %lld values", (long long)table->nodes,
                      (long long)width);
        return false;
    }
    table->first = new_array(g, table->trees + 1, sizeof(int64_t));
    table->left = new_array(g, table->nodes, sizeof(int32_t));
    table->right = new_array(g, table->nodes, sizeof(int32_t));
    table->feature = new_array(g, table->nodes, sizeof(int32_t));
    table->threshold = new_array(g, table->nodes, sizeof(double));
    if (table->value_dtype == UNCORK_FLOAT32) {
        table->value32 = new_array(g, values, sizeof(float));
    } else {
        table->value64 = new_array(g, values, sizeof(double));
    }
    if (g->status) {
        return false;
    }
    memset(table->left, 0xff, (size_t)table->nodes * sizeof(int32_t));
    memset(table->right, 0xff, (size_t)table->nodes * sizeof(int32_t));
    return true;
}

bool uc_tree_table_flags(uc_graph *g, uc_tree_table *table)
{
    table->flags = new_array(g, table->nodes, 1);
    return table->flags != NULL;
}

bool uc_tree_table_sets(uc_graph *g, uc_tree_table *table, int64_t set_count, int64_t word_count)
{
    table->set_count = set_count;
    table->word_count = word_count;
    table->set = new_array(g, table->nodes, sizeof(int32_t));
    table->sets = new_array(g, set_count, 4 * sizeof(int64_t));
    table->words = new_array(g, word_count, sizeof(uint32_t));
    return table->set && table->sets && table->words;
}

static void put_array(uc_graph *g, uc_node *node, const char *name, void *data, uncork_dtype dtype,
                      int64_t rows, int64_t width)
{
    uc_tensor *t = data ? UC_NEW(g->arena, uc_tensor, 1) : NULL;
    if (!t) {
        return;
    }
    int64_t shape[2] = {rows, width};
    uc_tensor_set(t, dtype, width > 0 ? 2 : 1, shape);
    t->data = data;
    uc_node_tensor(g, node, name, t);
}

uc_ref uc_tree_table_node(uc_graph *g, const uc_tree_table *table, uc_ref x, uc_ref base)
{
    uc_ref in[2] = {x, base};
    uc_node *node = uc_graph_node(g, "uncork.TreeEnsemble", in, base ? 2 : 1, 1);
    int64_t n = table->nodes, columns = table->width > 0 ? table->width : table->columns;
    void *value = table->value32 ? (void *)table->value32 : (void *)table->value64;
    put_array(g, node, "tree_nodes", table->first, UNCORK_INT64, table->trees + 1, 0);
    put_array(g, node, "left", table->left, UNCORK_INT32, n, 0);
    put_array(g, node, "right", table->right, UNCORK_INT32, n, 0);
    put_array(g, node, "feature", table->feature, UNCORK_INT32, n, 0);
    put_array(g, node, "threshold", table->threshold, UNCORK_FLOAT64, n, 0);
    put_array(g, node, "value", value, table->value32 ? UNCORK_FLOAT32 : UNCORK_FLOAT64, n,
              table->width);
    put_array(g, node, "flags", table->flags, UNCORK_UINT8, n, 0);
    put_array(g, node, "set", table->set, UNCORK_INT32, n, 0);
    put_array(g, node, "sets", table->sets, UNCORK_INT64, table->set_count, 4);
    put_array(g, node, "words", table->words, UNCORK_UINT32, table->word_count, 0);
    put_array(g, node, "group", table->group, UNCORK_INT32, table->trees, 0);
    put_array(g, node, "weight", table->weight, UNCORK_FLOAT64, table->trees, 0);
    put_array(g, node, "linear_first", table->linear_first, UNCORK_INT64, n + 1, 0);
    put_array(g, node, "linear_const", table->linear_const, UNCORK_FLOAT64, n, 0);
    put_array(g, node, "linear_feature", table->linear_feature, UNCORK_INT32, table->linear_count,
              0);
    put_array(g, node, "linear_coef", table->linear_coef, UNCORK_FLOAT64, table->linear_count, 0);
    uc_node_int(g, node, "features", table->features);
    uc_node_int(g, node, "columns", columns);
    uc_node_int(g, node, "default_flags", table->default_flags);
    uc_node_int(g, node, "strict", table->strict);
    uc_node_int(g, node, "base_last", table->base_last);
    if (table->base) {
        uc_node_floats(g, node, "base", table->base, (size_t)columns);
    }
    uc_node_float(g, node, "divisor", table->divisor != 0 ? table->divisor : 1);
    uc_node_str(g, node, "output", table->output ? table->output : "sum");
    return uc_node_out(node, 0);
}
