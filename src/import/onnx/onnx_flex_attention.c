/* ai.onnx.preview.FlexAttention: its modifiers are graphs, which are laid among the nodes of the graph
 * around them, so that all passes see them.
 *
 * Source: onnx/defs/attention (FlexAttention 1); onnx/reference/ops/aionnx_preview/op_flex_attention.py.
 * Q  [b, heads, queries, size];  K  [b, kv_heads, keys, size];  V  [b, kv_heads, keys, v_size];
 * y = prob_mod(Softmax(score_mod(Q s (K s)^T))) V, s = sqrt(scale), in softmax_precision (float32, of
 * float64 that) from the scores on. */
#include "import/onnx/onnx_build.h"

/* The attribute as the caller of a function gave it; *scope becomes the one its graph belongs to. */
static const uc_onnx_attr *attr_of(const uc_onnx_node *node, const char *name,
                                   uc_onnx_scope **scope)
{
    for (size_t i = 0; i < node->attrs.count; i++) {
        if (uc_str_is(node->attrs.items[i].name, name)) {
            return uc_onnx_resolve(&node->attrs.items[i], scope);
        }
    }
    return NULL;
}

static bool add_names(uc_onnx_build *b, uc_onnx_scope *outer, uc_onnx_scope *inner,
                      const uc_onnx_graph *record)
{
    if (record->sparse_initializers.count) {
        uc_graph_fail(outer->graph, UNCORK_UNSUPPORTED, "a modifier with sparse initializers");
        return false;
    }
    for (size_t i = 0; i < record->initializers.count; i++) {
        const uc_onnx_tensor *t = &record->initializers.items[i];
        const uc_tensor *made = uc_onnx_tensor_make(outer->graph, t, t->name);
        if (!made) return false;
        if (!uc_onnx_bind(b, inner, t->name, uc_graph_const(outer->graph, made))) return false;
    }
    for (size_t i = 0; i < record->free.count; i++) {
        uc_str name = record->free.items[i];
        if (!uc_onnx_bind(b, inner, name, uc_onnx_lookup(b, outer, name))) return false;
    }
    return outer->graph->status == UNCORK_OK;
}

/* The modifier's nodes over x; without one x itself. */
static uc_ref modify(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node,
                     const char *name, uc_ref x)
{
    uc_graph *g = scope->graph;
    uc_onnx_scope *outer = scope;
    const uc_onnx_attr *attr = attr_of(node, name, &outer);
    const uc_onnx_graph *record = attr ? attr->graph : NULL;
    uint32_t *order;
    if (!attr) return x;
    if (!record || record->inputs.count != 1 || record->outputs.count != 1 || outer->graph != g) {
        return uc_graph_fail(g, UNCORK_MALFORMED, "%s is no graph of one input and one output",
                             name);
    }
    uc_onnx_scope *inner = UC_NEW(b->arena, uc_onnx_scope, 1);
    if (inner) {
        *inner = (uc_onnx_scope){.graph = g, .env = outer->env, .names = uc_table_new(b->arena)};
    }
    if (!inner || !inner->names) return uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    if (!uc_onnx_bind(b, inner, record->inputs.items[0].name, x)) return 0;
    if (!add_names(b, outer, inner, record)) return 0;
    uncork_status status = uc_onnx_order(&record->nodes, b->arena, &order, b->error);
    if (status != UNCORK_OK) {
        g->status = status;
        return 0;
    }
    for (size_t i = 0; i < record->nodes.count && g->status == UNCORK_OK; i++) {
        uc_onnx_add_node(b, inner, &record->nodes.items[order[i]]);
    }
    return uc_onnx_lookup(b, inner, record->outputs.items[0].name);
}

/* sqrt(scale) in Q's type: rounded to float32 first, as the reference does. */
static uc_ref root_of_scale(uc_graph *g, uc_onnx_scope *scope, const uc_onnx_node *node, uc_ref q)
{
    const uc_onnx_attr *attr = attr_of(node, "scale", &scope);
    uc_ref scale = attr ? uc_graph_f32(g, (float)attr->f) : 0;
    if (!attr) {
        uc_ref size = uc_g_slice(g, uc_g1(g, "Shape", q), 0, 3, 4);
        scale = uc_g1(g, "Reciprocal", uc_g1(g, "Sqrt", uc_g_cast(g, size, UNCORK_FLOAT64)));
        scale = uc_g_cast(g, scale, UNCORK_FLOAT32);
    }
    return uc_g2(g, "CastLike", uc_g1(g, "Sqrt", scale), q);
}

/* Each head of K or V as often as heads of Q share it. */
static uc_ref repeat_heads(uc_graph *g, uc_ref x, uc_ref q)
{
    const int64_t one = 1;
    uc_ref ones = uc_graph_i64s(g, &one, 1);
    uc_ref q_shape = uc_g1(g, "Shape", q), shape = uc_g1(g, "Shape", x);
    uc_ref heads = uc_g_slice(g, q_shape, 0, 1, 2);
    uc_ref times = uc_g2(g, "Div", heads, uc_g_slice(g, shape, 0, 1, 2));
    const uc_ref wide[] = {ones, ones, times, ones, ones};
    const uc_ref flat[] = {uc_g_slice(g, shape, 0, 0, 1), heads, uc_g_slice(g, shape, 0, 2, 4)};
    x = uc_g2(g, "Expand", uc_g_unsqueeze(g, x, 2), uc_g_concat(g, wide, 5, 0));
    uc_node *n = uc_graph_node(g, "Reshape", (uc_ref[]){x, uc_g_concat(g, flat, 3, 0)}, 2, 1);
    uc_node_int(g, n, "allowzero", 1);
    return uc_node_out(n, 0);
}

/* Types and shapes as far as known here; false after a failure. */
static bool check(uc_graph *g, uc_onnx_draft *d, bool *grouped)
{
    int64_t q[UNCORK_MAX_RANK], k[UNCORK_MAX_RANK];
    int q_rank = uc_draft_shape(d, 0, q), k_rank = uc_draft_shape(d, 1, k);
    int v_rank = uc_draft_shape(d, 2, NULL);
    bool four =
        (q_rank < 0 || q_rank == 4) && (k_rank < 0 || k_rank == 4) && (v_rank < 0 || v_rank == 4);
    if (!four) {
        uc_graph_fail(g, UNCORK_INPUT, "Q, K and V have %d, %d and %d dimensions, expected 4",
                      q_rank, k_rank, v_rank);
        return false;
    }
    *grouped = q_rank < 0 || k_rank < 0 || q[1] < 0 || q[1] != k[1];
    if (*grouped && q_rank == 4 && k_rank == 4 && q[1] >= 0 && k[1] >= 0 &&
        (k[1] == 0 || q[1] % k[1] != 0)) {
        uc_graph_fail(g, UNCORK_INPUT, "%lld heads of Q don't divide into %lld of K",
                      (long long)q[1], (long long)k[1]);
        return false;
    }
    return g->status == UNCORK_OK;
}

void uc_onnx_add_flex_attention(uc_onnx_build *b, uc_onnx_scope *scope, const uc_onnx_node *node)
{
    static const int64_t swap[] = {0, 1, 3, 2};
    uc_graph *g = scope->graph;
    uc_ref in[3] = {0};
    bool grouped = false;
    if (node->inputs.count != 3 || node->outputs.count != 1) {
        uc_graph_fail(g, UNCORK_MALFORMED, "%zu inputs and %zu outputs, it has 3 and 1",
                      node->inputs.count, node->outputs.count);
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        in[i] = uc_onnx_lookup(b, scope, node->inputs.items[i]);
    }
    if (g->status != UNCORK_OK) return;
    uc_onnx_draft d = {.graph = g, .build = b, .domain = "", .op = "", .in = in, .in_count = 3};
    if (!check(g, &d, &grouped)) return;
    uc_onnx_scope *from = scope;
    const uc_onnx_attr *given = attr_of(node, "softmax_precision", &from);
    uncork_dtype precision =
        uc_draft_dtype(&d, 0) == UNCORK_FLOAT64 ? UNCORK_FLOAT64 : UNCORK_FLOAT32;
    if (given) {
        precision = (uncork_dtype)given->i;
        bool known = given->i == UNCORK_FLOAT32 || given->i == UNCORK_FLOAT64 ||
                     given->i == UNCORK_FLOAT16 || given->i == UNCORK_BFLOAT16;
        if (!known) {
            uc_graph_fail(g, UNCORK_MALFORMED, "softmax_precision is %lld, no type of floats",
                          (long long)given->i);
            return;
        }
    }
    uc_ref root = root_of_scale(g, scope, node, in[0]);
    uc_ref k = grouped ? repeat_heads(g, in[1], in[0]) : in[1];
    uc_ref v = grouped ? repeat_heads(g, in[2], in[0]) : in[2];
    k = uc_g2(g, "Mul", k, root);
    uc_node *transposed = uc_graph_node(g, "Transpose", &k, 1, 1);
    uc_node_ints(g, transposed, "perm", swap, 4);
    k = uc_node_out(transposed, 0);
    uc_ref x = uc_g2(g, "MatMul", uc_g2(g, "Mul", in[0], root), k);
    x = modify(b, scope, node, "score_mod", uc_g_cast(g, x, precision));
    if (g->status != UNCORK_OK) return;
    x = modify(b, scope, node, "prob_mod", uc_g_softmax(g, x, -1));
    if (g->status != UNCORK_OK) return;
    x = uc_g2(g, "MatMul", x, uc_g_cast(g, v, precision));
    uc_onnx_bind(b, scope, node->outputs.items[0], uc_g2(g, "CastLike", x, in[2]));
}
