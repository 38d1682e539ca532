/* ParseExample, ParseExampleV2, ParseSingleExample: keys that are constants become attributes of one operator.
 * Source: tensorflow/core/ops/parsing_ops.cc. */
#include "import/tensorflow/tf_ops.h"

enum { MOST = 1024 };

/* Strings of input i added to a list; false: they aren't constants. */
static bool take_keys(uc_tf_call *c, size_t i, uc_str *keys, size_t *count)
{
    const uc_tensor *t = uc_tf_constant(c, i);
    if (!t || t->dtype != UNCORK_STRING || (uint64_t)uc_tensor_count(t) > MOST - *count) {
        if (!c->graph->status) uc_tf_fail(c, "its keys aren't constants, or too many");
        return false;
    }
    for (int64_t k = 0; k < uc_tensor_count(t); k++) {
        keys[(*count)++] = uc_tensor_string(t, k);
    }
    return true;
}

static void put_types(uc_tf_call *c, uc_node *n, const char *name, const char *attr)
{
    int64_t types[MOST];
    const size_t count = uc_tf_types(c, attr, types, MOST);
    for (size_t i = 0; i < count; i++) {
        types[i] = uc_tf_dtype(types[i]);
    }
    uc_node_ints(c->graph, n, name, types, count);
}

void uc_tf_op_parse_example(uc_tf_call *c)
{
    const bool single = c->node->op.size > 5 && c->node->op.data[5] == 'S';
    const bool second = c->node->op.data[c->node->op.size - 1] == '2';
    uc_str *keys = UC_NEW(c->graph->arena, uc_str, 3 * MOST);
    int64_t *shapes = UC_NEW(c->graph->arena, int64_t, 4 * MOST);
    size_t n[3] = {0, 0, 0}, at = 2;
    if (!keys || !shapes) {
        uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    if (single) {
        n[0] = uc_tf_strs(c, "sparse_keys", keys, MOST);
        n[1] = uc_tf_strs(c, "dense_keys", keys + MOST, MOST);
        at = 1;
    } else if (second) {
        for (size_t k = 0; k < 3; k++) {
            if (!take_keys(c, at++, keys + k * MOST, &n[k])) return;
        }
    } else {
        const int64_t many[] = {uc_tf_int(c, "Nsparse"), uc_tf_int(c, "Ndense")};
        for (size_t k = 0; k < 2; k++) {
            for (int64_t i = 0; i < many[k]; i++) {
                if (!take_keys(c, at++, keys + k * MOST, &n[k])) return;
            }
        }
    }
    uc_ref *in = UC_NEW(c->graph->arena, uc_ref, n[1] + 1);
    if (!in || uc_tf_in_count(c) != at + n[1]) {
        if (!c->graph->status) uc_tf_fail(c, "%zu inputs", uc_tf_in_count(c));
        return;
    }
    in[0] = uc_tf_in(c, 0);
    for (size_t i = 0; i < n[1]; i++) {
        in[i + 1] = uc_tf_in(c, at + i);
    }
    const size_t outs = 3 * n[0] + n[1] + 2 * n[2];
    uc_node *node = uc_graph_node(c->graph, "uncork.TfParseExample", in, n[1] + 1, outs);
    uc_node_strs(c->graph, node, "sparse_keys", keys, n[0]);
    uc_node_strs(c->graph, node, "dense_keys", keys + MOST, n[1]);
    uc_node_strs(c->graph, node, "ragged_keys", keys + 2 * MOST, n[2]);
    put_types(c, node, "sparse_types", "sparse_types");
    put_types(c, node, "dense_types", "Tdense");
    put_types(c, node, "ragged_types", "ragged_value_types");
    put_types(c, node, "ragged_splits", "ragged_split_types");
    uc_node_ints(c->graph, node, "dense_shapes", shapes,
                 uc_tf_shapes(c, "dense_shapes", shapes, 4 * MOST));
    uc_node_int(c->graph, node, "single", single);
    for (size_t i = 0; i < outs && !c->graph->status; i++) {
        uc_tf_out(c, i, uc_node_out(node, i));
    }
}
