/* uncork.TreeEnsemble as ai.onnx.ml.TreeEnsemble of float64 that finds the number of the leaf a row ends
 * in; values are looked up and added by ordinary operators, so that a leaf may hold a value a class. */
#include "graph/graph_trees.h"
#include "pack/expand.h"

typedef struct trees {
    uc_expansion *e;
    int64_t count, nodes, inner, leaves;
    const int64_t *first;
    const int32_t *left, *right, *feature;
    const double *threshold;
    const uint8_t *flags;
    int64_t *roots; /* of a tree: its first inner node */
    int64_t *place; /* of a node: its number among inner nodes or among leaves */
} trees;

static const uc_tensor *tensor_of(const uc_expansion *e, const char *name, uncork_dtype dtype)
{
    const uc_attr *a = uc_expand_attr(e, name);
    const uc_tensor *t = a && a->kind == UC_ATTR_TENSOR ? a->tensor : NULL;
    return t && t->dtype == dtype && uc_tensor_is_dense(t) ? t : NULL;
}

/* The operator checked the arrays when the graph was prepared: here only that they are there. */
static bool read_trees(uc_expansion *e, trees *t)
{
    const uc_tensor *first = tensor_of(e, "tree_nodes", UNCORK_INT64);
    const uc_tensor *left = tensor_of(e, "left", UNCORK_INT32);
    const uc_tensor *right = tensor_of(e, "right", UNCORK_INT32);
    const uc_tensor *feature = tensor_of(e, "feature", UNCORK_INT32);
    const uc_tensor *threshold = tensor_of(e, "threshold", UNCORK_FLOAT64);
    const uc_tensor *flags = tensor_of(e, "flags", UNCORK_UINT8);
    if (!first || !left || !right || !feature || !threshold) return false;
    if (uc_expand_attr(e, "linear_first")) return false;
    *t = (trees){.e = e,
                 .count = uc_tensor_count(first) - 1,
                 .nodes = uc_tensor_count(left),
                 .first = first->data,
                 .left = left->data,
                 .right = right->data,
                 .feature = feature->data,
                 .threshold = threshold->data,
                 .flags = flags ? flags->data : NULL};
    t->place = UC_NEW(e->graph->arena, int64_t, (size_t)t->nodes);
    t->roots = UC_NEW(e->graph->arena, int64_t, (size_t)t->count);
    return t->place && t->roots && t->count > 0;
}

static unsigned flags_of(const trees *t, int64_t node)
{
    if (t->flags) return t->flags[node];
    return (unsigned)uc_expand_int(t->e, "default_flags", 0);
}

/* Numbers inner nodes and leaves; a tree that is one leaf gets an inner node that leads to it twice. */
static bool number_nodes(trees *t)
{
    for (int64_t k = 0; k < t->count; k++) {
        t->roots[k] = t->inner;
        if (t->left[t->first[k]] < 0) t->inner++;
        for (int64_t n = t->first[k]; n < t->first[k + 1]; n++) {
            if (t->left[n] >= 0 && (flags_of(t, n) & (8 | 4))) return false; /* sets, zeros */
            t->place[n] = t->left[n] < 0 ? t->leaves++ : t->inner++;
        }
    }
    return true;
}

/* The arrays of the standard operator. Modes: 0 is <=, 1 is <. */
typedef struct standard {
    int64_t *feature, *on_true, *true_leaf, *on_false, *false_leaf, *missing, *target;
    uc_tensor *splits, *modes, *weights;
} standard;

static bool make_standard(const trees *t, standard *s)
{
    uc_arena *arena = t->e->graph->arena;
    int64_t **lists[] = {&s->feature,  &s->on_true,    &s->true_leaf,
                         &s->on_false, &s->false_leaf, &s->missing};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (!(*lists[i] = UC_NEW(arena, int64_t, (size_t)t->inner))) return false;
    }
    s->target = UC_NEW(arena, int64_t, (size_t)t->leaves);
    s->splits = uc_tensor_new(arena, UNCORK_FLOAT64, 1, &t->inner);
    s->modes = uc_tensor_new(arena, UNCORK_UINT8, 1, &t->inner);
    s->weights = uc_tensor_new(arena, UNCORK_FLOAT64, 1, &t->leaves);
    return s->target && s->splits && s->modes && s->weights;
}

static void put_inner(const trees *t, const standard *s, int64_t begin, int64_t n)
{
    const bool strict = uc_expand_int(t->e, "strict", 0) != 0;
    const int64_t at = t->place[n], yes = begin + t->left[n], no = begin + t->right[n];
    const double limit = t->threshold[n];
    const unsigned flags = flags_of(t, n);
    s->feature[at] = t->feature[n];
    ((double *)s->splits->data)[at] = limit;
    ((uint8_t *)s->modes->data)[at] = strict;
    s->on_true[at] = t->place[yes];
    s->true_leaf[at] = t->left[yes] < 0;
    s->on_false[at] = t->place[no];
    s->false_leaf[at] = t->left[no] < 0;
    /* NaN that isn't called missing counts as 0. */
    const bool zero_left = strict ? 0 < limit : 0 <= limit;
    s->missing[at] = flags & UC_NODE_NAN ? (flags & UC_NODE_MISSING_LEFT) != 0 : zero_left;
}

static void put_trees(const trees *t, const standard *s)
{
    for (int64_t k = 0; k < t->count; k++) {
        const int64_t begin = t->first[k];
        if (t->left[begin] < 0) {
            const int64_t at = t->roots[k];
            s->on_true[at] = s->on_false[at] = t->place[begin];
            s->true_leaf[at] = s->false_leaf[at] = 1;
        }
        for (int64_t n = begin; n < t->first[k + 1]; n++) {
            if (t->left[n] >= 0) {
                put_inner(t, s, begin, n);
                continue;
            }
            /* A leaf's weight is its node's number: exact in float64. */
            s->target[t->place[n]] = k;
            ((double *)s->weights->data)[t->place[n]] = (double)n;
        }
    }
}

/* float64 [rows, trees]: the number of the node each row ends in. */
static uc_ref leaf_numbers(const trees *t, const standard *s)
{
    uc_graph *g = t->e->graph;
    const size_t inner = (size_t)t->inner, leaves = (size_t)t->leaves, count = (size_t)t->count;
    const uc_ref x = uc_g_cast(g, t->e->in[0], UNCORK_FLOAT64);
    uc_node *n = uc_graph_node(g, "ai.onnx.ml.TreeEnsemble", &x, 1, 1);
    uc_node_ints(g, n, "nodes_featureids", s->feature, inner);
    uc_node_ints(g, n, "nodes_truenodeids", s->on_true, inner);
    uc_node_ints(g, n, "nodes_trueleafs", s->true_leaf, inner);
    uc_node_ints(g, n, "nodes_falsenodeids", s->on_false, inner);
    uc_node_ints(g, n, "nodes_falseleafs", s->false_leaf, inner);
    uc_node_ints(g, n, "nodes_missing_value_tracks_true", s->missing, inner);
    uc_node_tensor(g, n, "nodes_splits", s->splits);
    uc_node_tensor(g, n, "nodes_modes", s->modes);
    uc_node_ints(g, n, "tree_roots", t->roots, count);
    uc_node_ints(g, n, "leaf_targetids", s->target, leaves);
    uc_node_tensor(g, n, "leaf_weights", s->weights);
    uc_node_int(g, n, "n_targets", t->count);
    uc_node_int(g, n, "aggregate_function", 1);
    uc_node_int(g, n, "post_transform", 0);
    return uc_node_out(n, 0);
}

/* Values of trees [rows, trees] to sums [rows, columns], each into its tree's column. */
static uc_ref sum_groups(const trees *t, uc_ref values, uncork_dtype dtype)
{
    uc_graph *g = t->e->graph;
    const uc_tensor *group = tensor_of(t->e, "group", UNCORK_INT32);
    const int64_t columns = uc_expand_int(t->e, "columns", 1);
    uc_ref chosen;
    double *m = uc_expand_matrix(t->e, t->count, columns, &chosen);
    for (int64_t k = 0; m && k < t->count; k++) {
        const int64_t column = group ? ((const int32_t *)group->data)[k] : 0;
        if (column >= 0 && column < columns) m[k * columns + column] = 1;
    }
    return uc_g2(g, "MatMul", values, uc_g_cast(g, chosen, dtype));
}

static uc_ref add_base(const trees *t, uc_ref sum, uncork_dtype dtype)
{
    uc_graph *g = t->e->graph;
    const uc_attr *base = uc_expand_attr(t->e, "base");
    if (t->e->node->in_count > 1 && t->e->in[1]) return uc_g2(g, "Add", sum, t->e->in[1]);
    if (!base || base->kind != UC_ATTR_FLOATS) return sum;
    const uc_ref start = uc_graph_f64s(g, base->floats, (int64_t)base->count);
    return uc_g2(g, "Add", sum, uc_g_cast(g, start, dtype));
}

/* Leaves' numbers [rows, trees] inside their trees. */
static uc_ref leaf_places(const trees *t, uc_ref numbers)
{
    uc_graph *g = t->e->graph;
    return uc_g2(g, "Sub", numbers, uc_graph_i64s(g, t->first, t->count));
}

static bool put_values(trees *t, uc_ref numbers)
{
    uc_graph *g = t->e->graph;
    const uc_attr *a = uc_expand_attr(t->e, "value");
    const uc_tensor *value = a && a->kind == UC_ATTR_TENSOR ? a->tensor : NULL;
    const uc_tensor *weight = tensor_of(t->e, "weight", UNCORK_FLOAT64);
    if (!value) return false;
    const uncork_dtype dtype = value->dtype;
    uc_ref v = uc_g_gather(g, uc_graph_const(g, value), numbers, 0);
    if (weight) {
        uc_ref w = uc_g_cast(g, uc_graph_f64s(g, weight->data, t->count), dtype);
        if (value->rank == 2) w = uc_g_unsqueeze(g, w, 1);
        v = uc_g2(g, "Mul", v, w);
    }
    if (uc_expand_is(t->e, "output", "each", false)) {
        t->e->out[0] = v;
        return value->rank == 1;
    }
    v = value->rank == 2 ? uc_g_reduce(g, "ReduceSum", v, 1, false) : sum_groups(t, v, dtype);
    const double divisor = uc_expand_float(t->e, "divisor", 1);
    v = add_base(t, v, dtype);
    if (divisor != 1) v = uc_g2(g, "Div", v, uc_expand_scalar(t->e, dtype, divisor));
    t->e->out[0] = v;
    return true;
}

bool uc_expand_trees(uc_expansion *e)
{
    trees t;
    standard s;
    if (!read_trees(e, &t) || !number_nodes(&t) || !make_standard(&t, &s)) return false;
    put_trees(&t, &s);
    const uc_ref numbers = uc_g_cast(e->graph, leaf_numbers(&t, &s), UNCORK_INT64);
    if (uc_expand_is(e, "output", "leaf", false)) {
        e->out[0] = leaf_places(&t, numbers);
        return true;
    }
    return put_values(&t, numbers);
}
