/* See ml_tree.h. Source of the questions: ONNX Runtime,
 * core/providers/cpu/ml/tree_ensemble_common.h (ProcessTreeNodeLeave). */
#include "op/ml/ml_tree.h"

#include "base/cpu.h"

#include <inttypes.h>
#include <math.h>

/* ---- are they trees? ------------------------------------------------------------------------ */

typedef struct frame {
    int64_t node, depth;
} frame;

/* Visits every node below the roots; a second visit is a cycle or a shared branch. */
static uncork_status check_trees(uc_call *call, uc_ml_trees *t)
{
    uint8_t *seen = uc_arena_alloc(call->arena, (size_t)t->node_count + 1, 1);
    frame *stack = UC_NEW(call->arena, frame, (size_t)t->node_count + 2);
    if (!seen || !stack) return uc_arena_status(call->arena, call->error);
    for (int64_t tree = 0; tree < t->tree_count; tree++) {
        size_t top = 0;
        stack[top++] = (frame){t->roots[tree], 1};
        while (top > 0) {
            frame at = stack[--top];
            bool leaf = at.node < 0;
            if (leaf ? -1 - at.node >= t->leaf_count : at.node >= t->node_count) {
                return uc_call_fail(call, UNCORK_MALFORMED,
                                    "tree %" PRId64 " leads to node %" PRId64 ", which isn't there",
                                    tree, leaf ? -1 - at.node : at.node);
            }
            if (at.depth > t->depth) t->depth = at.depth;
            if (leaf) continue;
            if (seen[at.node]++) {
                return uc_call_fail(call, UNCORK_MALFORMED,
                                    "tree %" PRId64 ": node %" PRId64 " is reached twice", tree,
                                    at.node);
            }
            const uc_ml_node *node = &t->nodes[at.node];
            if (node->feature < 0) {
                return uc_call_fail(call, UNCORK_MALFORMED, "node %" PRId64 " asks for feature %d",
                                    at.node, node->feature);
            }
            if (node->feature >= t->features) t->features = (int64_t)node->feature + 1;
            /* Each node is left once for two children: the stack never holds more than all + 1. */
            stack[top++] = (frame){node->no, at.depth + 1};
            stack[top++] = (frame){node->yes, at.depth + 1};
        }
    }
    return UNCORK_OK;
}

/* ---- packing ------------------------------------------------------------------------------ */

typedef struct table { /* attributes of uncork.TreeEnsemble */
    int64_t *first;
    int32_t *left, *right, *feature;
    double *threshold;
    uint8_t *flags;
    int64_t *leaf; /* of each row of the table, -1: a node */
    int64_t used;
} table;

static bool can_pack(const uc_ml_trees *t)
{
    for (int64_t i = 0; i < t->node_count; i++) {
        if (t->nodes[i].mode > UC_ML_GT || isnan(t->nodes[i].split)) return false;
    }
    return t->tree_count > 0 && t->features > 0;
}

/* The largest number that isn't v or above, of x's type; NaN: there is none. */
static double below(double v, bool is_f32)
{
    if (v == -HUGE_VAL) return (double)NAN;
    return is_f32 ? (double)nextafterf((float)v, -INFINITY) : nextafter(v, -HUGE_VAL);
}

/* One node as "x <= threshold goes left": GT and GTE are LEQ and LT with sides changed. */
static void put_node(table *to, int64_t at, const uc_ml_node *node, bool is_f32)
{
    bool swapped = node->mode == UC_ML_GTE || node->mode == UC_ML_GT;
    bool strict = node->mode == UC_ML_LT || node->mode == UC_ML_GTE;
    bool nan_left = swapped ? !node->missing_yes : node->missing_yes;
    to->feature[at] = node->feature;
    to->threshold[at] = strict ? below(node->split, is_f32) : node->split;
    to->flags[at] = (uint8_t)(UC_TREE_NAN | (nan_left ? UC_TREE_MISSING_LEFT : 0));
}

/* Copies a tree breadth first; children of a row are two new rows. */
static void put_tree(const uc_ml_trees *t, int64_t tree, bool is_f32, table *to, int64_t *queue)
{
    int64_t begin = to->used, end = begin + 1;
    queue[begin] = t->roots[tree];
    for (int64_t at = begin; at < end; at++) {
        int64_t ref = queue[at];
        to->left[at] = to->right[at] = -1;
        to->flags[at] = UC_TREE_NAN;
        to->leaf[at] = ref < 0 ? -1 - ref : -1;
        if (ref < 0) continue;
        const uc_ml_node *node = &t->nodes[ref];
        bool swapped = node->mode == UC_ML_GTE || node->mode == UC_ML_GT;
        put_node(to, at, node, is_f32);
        to->left[at] = (int32_t)(end - begin);
        to->right[at] = (int32_t)(end - begin + 1);
        queue[end++] = swapped ? node->no : node->yes;
        queue[end++] = swapped ? node->yes : node->no;
    }
    to->used = end;
    to->first[tree + 1] = end;
}

static uncork_status pack(uc_call *call, uc_ml_trees *t, bool is_f32)
{
    /* Rows: every node once, and a leaf below each side of each, or a leaf alone. */
    size_t most = (size_t)(2 * t->node_count + t->tree_count);
    uc_arena *a = call->arena;
    table to = {UC_NEW(a, int64_t, (size_t)t->tree_count + 1),
                UC_NEW(a, int32_t, most),
                UC_NEW(a, int32_t, most),
                UC_NEW(a, int32_t, most),
                UC_NEW(a, double, most),
                UC_NEW(a, uint8_t, most),
                UC_NEW(a, int64_t, most),
                0};
    int64_t *queue = UC_NEW(a, int64_t, most);
    UC_TRY(uc_arena_status(a, call->error));
    for (int64_t tree = 0; tree < t->tree_count; tree++) {
        put_tree(t, tree, is_f32, &to, queue);
    }
    uc_tensor tensors[6];
    const struct {
        const char *name;
        uncork_dtype dtype;
        void *data;
        int64_t count;
    } parts[] = {{"tree_nodes", UNCORK_INT64, to.first, t->tree_count + 1},
                 {"left", UNCORK_INT32, to.left, to.used},
                 {"right", UNCORK_INT32, to.right, to.used},
                 {"feature", UNCORK_INT32, to.feature, to.used},
                 {"threshold", UNCORK_FLOAT64, to.threshold, to.used},
                 {"flags", UNCORK_UINT8, to.flags, to.used}};
    uc_attr attrs[8] = {{.name = "output", .kind = UC_ATTR_STRING, .s = uc_str_of("leaf")},
                        {.name = "features", .kind = UC_ATTR_INT, .i = t->features}};
    for (int i = 0; i < 6; i++) {
        tensors[i] = (uc_tensor){.data = parts[i].data};
        uc_tensor_set(&tensors[i], parts[i].dtype, 1, &parts[i].count);
        attrs[i + 2] =
            (uc_attr){.name = parts[i].name, .kind = UC_ATTR_TENSOR, .tensor = &tensors[i]};
    }
    uc_call inner = *call;
    inner.attrs = attrs;
    inner.attr_count = 8;
    t->pack = uc_tree_pack_new(&inner, is_f32 ? UNCORK_FLOAT32 : UNCORK_FLOAT64);
    if (!t->pack) return call->error->status;
    const uc_tree_pack *p = t->pack;
    const int32_t *first = p->is_packed ? p->trees.first : p->general.first;
    t->pack_leaf = UC_NEW(a, int64_t, (size_t)first[p->tree_count]);
    if (!t->pack_leaf) return uc_arena_status(a, call->error);
    for (int32_t tree = 0; tree < p->tree_count; tree++) {
        for (int32_t i = first[tree]; i < first[tree + 1]; i++) {
            t->pack_leaf[i] = to.leaf[to.first[tree] + p->id[i]];
        }
    }
    return UNCORK_OK;
}

uncork_status uc_ml_trees_finish(uc_call *call, uc_ml_trees *t, bool is_f32)
{
    if (t->node_count > UC_TREE_MAX_NODES / 4 || t->tree_count > UC_TREE_MAX_NODES / 4) {
        return uc_call_fail(call, UNCORK_LIMIT, "%" PRId64 " nodes, at most %d are possible",
                            t->node_count, UC_TREE_MAX_NODES / 4);
    }
    UC_TRY(check_trees(call, t));
    return can_pack(t) ? pack(call, t, is_f32) : UNCORK_OK;
}

/* ---- walking ------------------------------------------------------------------------------ */

static bool is_member(const uc_ml_trees *t, const uc_ml_node *node, double x)
{
    for (int64_t i = 0; i < node->member_count; i++) {
        if (t->members[node->member_first + i] == x) return true;
    }
    return false;
}

static bool answer(const uc_ml_trees *t, const uc_ml_node *node, double x)
{
    if (node->missing_yes && isnan(x)) return true;
    switch (node->mode) {
    case UC_ML_LEQ: return x <= node->split;
    case UC_ML_LT: return x < node->split;
    case UC_ML_GTE: return x >= node->split;
    case UC_ML_GT: return x > node->split;
    case UC_ML_EQ: return x == node->split;
    case UC_ML_NEQ: return x != node->split;
    default: return is_member(t, node, x);
    }
}

void uc_ml_trees_find(const uc_ml_trees *t, int64_t tree, const void *x, bool is_f32,
                      int64_t columns, int32_t n, int64_t *leaf)
{
    const uc_tree_pack *p = t->pack;
    int32_t found[UC_TREE_BLOCK];
    for (int32_t r = 0; !p && r < n; r++) {
        int64_t at = t->roots[tree];
        while (at >= 0) {
            const uc_ml_node *node = &t->nodes[at];
            int64_t place = r * columns + node->feature;
            double v = is_f32 ? (double)((const float *)x)[place] : ((const double *)x)[place];
            at = answer(t, node, v) ? node->yes : node->no;
        }
        leaf[r] = -1 - at;
    }
    if (!p) return;
    const uc_tree_kernel *kernel = uc_tree_kernel_for(uc_cpu_features());
    if (p->is_packed && is_f32) {
        kernel->rows_f32(&p->trees, (int32_t)tree, x, columns, n, found);
    } else if (p->is_packed) {
        kernel->rows_f64(&p->trees, (int32_t)tree, x, columns, n, found);
    } else if (is_f32) {
        uc_tree_general_f32(&p->general, (int32_t)tree, x, columns, n, found);
    } else {
        uc_tree_general_f64(&p->general, (int32_t)tree, x, columns, n, found);
    }
    int32_t first = p->is_packed ? p->trees.first[tree] : p->general.first[tree];
    for (int32_t r = 0; r < n; r++) {
        leaf[r] = t->pack_leaf[first + found[r]];
    }
}
