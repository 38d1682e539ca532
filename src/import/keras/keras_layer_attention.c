/* Attention layers. Source: keras/src/layers/attention/attention.py, additive_attention.py,
 * multi_head_attention.py, layers/activations/softmax.py (masks add -1e9; in float16 -3e4). */
#include "import/keras/keras.h"

#include <inttypes.h>
#include <math.h>

/* Scores where `keep` (bool, broadcast) is false get far below all others. */
static uc_ref masked(uc_k_call *c, uc_ref scores, uc_ref keep, double far)
{
    uc_graph *g = c->graph;
    if (!keep) return scores;
    const uc_ref hidden = uc_g_cast(g, uc_g1(g, "Not", keep), c->dtype);
    return uc_g2(g, "Add", scores, uc_g2(g, "Mul", hidden, uc_k_scalar(c, far)));
}

static uc_ref both(uc_graph *g, uc_ref a, uc_ref b)
{
    return a && b ? uc_g2(g, "And", a, b) : a ? a : b;
}

/* Which keys each query may see: those before it and itself; [T, S] of scores [..., T, S]. */
static uc_ref causal(uc_k_call *c, uc_ref scores)
{
    uc_graph *g = c->graph;
    const int rank = uc_k_rank(c, scores);
    const uc_ref shape = uc_g_slice(g, uc_g1(g, "Shape", scores), 0, rank - 2, INT64_MAX);
    const uc_ref ones = uc_g2(g, "Expand", uc_graph_i64(g, 1), shape);
    uc_node *n = uc_graph_node(g, "Trilu", &ones, 1, 1);
    uc_node_int(g, n, "upper", 0);
    return uc_g_cast(g, uc_node_out(n, 0), UNCORK_BOOL);
}

static bool is_causal(const uc_k_call *c)
{
    return uc_json_bool(uc_json_get(c->kwargs, "use_causal_mask"),
                        uc_k_bool(c->layer, "causal", false));
}

/* Softmax of the scores times the values; queries that are masked give zeros. */
static void apply(uc_k_call *c, uc_ref scores, uc_ref v)
{
    uc_graph *g = c->graph;
    uc_ref keep = c->in[1].mask ? uc_g_unsqueeze(g, c->in[1].mask, 1) : 0;
    if (is_causal(c)) keep = both(g, keep, causal(c, scores));
    const double far = c->dtype == UNCORK_FLOAT16 ? -65504 : -1e9;
    const uc_ref weights = uc_g_softmax(g, masked(c, scores, keep, far), -1);
    uc_ref y = uc_g2(g, "MatMul", weights, v);
    if (c->in[0].mask) {
        y = uc_g_where(g, uc_g_unsqueeze(g, c->in[0].mask, 2), y, uc_k_scalar(c, 0));
    }
    uc_k_set(c, y);
    c->out[0].mask = c->in[0].mask;
    if (!uc_json_bool(uc_json_get(c->kwargs, "return_attention_scores"), false)) return;
    c->out[1] = (uc_k_value){.ref = weights};
    c->out_count = 2;
}

static bool three(uc_k_call *c, uc_ref *q, uc_ref *v, uc_ref *k)
{
    if (c->in_count < 2 || c->in_count > 3) {
        uc_k_fail(c, "it is called on %zu tensors", c->in_count);
        return false;
    }
    *q = uc_k_plain(c, c->in[0]);
    *v = uc_k_plain(c, c->in[1]);
    *k = c->in_count == 3 ? uc_k_plain(c, c->in[2]) : *v;
    if (uc_k_rank(c, *q) == 3 && uc_k_rank(c, *v) == 3 && uc_k_rank(c, *k) == 3) return true;
    uc_k_fail(c, "its inputs don't have 3 dimensions");
    return false;
}

void uc_k_attention(uc_k_call *c)
{
    uc_ref q, v, k;
    uc_graph *g = c->graph;
    const uc_str mode = uc_k_text(c->layer, "score_mode", "dot");
    if (!three(c, &q, &v, &k)) return;
    if (!uc_str_is(mode, "dot")) {
        uc_k_fail(c, "score_mode '%.*s'", (int)(mode.size < 40 ? mode.size : 40), mode.data);
        return;
    }
    uc_ref scores = uc_g2(g, "MatMul", q, uc_k_transpose2(g, k, 0, 2, 1));
    if (uc_k_has(c->layer, "scale")) scores = uc_g2(g, "Mul", scores, uc_k_weight(c, "scale"));
    apply(c, scores, v);
}

void uc_k_additive_attention(uc_k_call *c)
{
    uc_ref q, v, k;
    uc_graph *g = c->graph;
    if (!three(c, &q, &v, &k)) return;
    const uc_ref sum = uc_g2(g, "Add", uc_g_unsqueeze(g, q, 2), uc_g_unsqueeze(g, k, 1));
    uc_ref t = uc_g1(g, "Tanh", sum);
    if (uc_k_has(c->layer, "scale")) t = uc_g2(g, "Mul", t, uc_k_weight(c, "scale"));
    apply(c, uc_g_reduce(g, "ReduceSum", t, -1, false), v);
}

/* ---- several heads --------------------------------------------------------------------------- */

static uc_ref flat_weight(uc_k_call *c, const uc_tensor *t, int64_t rows)
{
    const int64_t n = uc_tensor_count(t), shape[] = {rows, rows ? n / rows : 0};
    uc_tensor *flat = UC_NEW(c->graph->arena, uc_tensor, 1);
    if (!flat) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "no memory for a weight");
    if (rows)
        *flat = uc_tensor_reshaped(t, 2, shape);
    else
        *flat = uc_tensor_reshaped(t, 1, &n);
    return uc_k_const(c, flat);
}

/* x [N, T, in] through a projection to [N, heads, T, size]. */
static uc_ref project(uc_k_call *c, const char *child, uc_ref x)
{
    uc_graph *g = c->graph;
    uc_k_call own = *c;
    own.layer = uc_k_child_of(c->layer, child);
    const uc_tensor *kernel = own.layer ? uc_k_tensor(&own, "kernel") : NULL;
    const uc_tensor *bias = own.layer ? uc_k_tensor(&own, "bias") : NULL;
    if (!kernel || kernel->rank != 3) {
        return g->status ? 0
                         : uc_k_fail(c, "its projection '%s' has no kernel of 3 dimensions", child);
    }
    uc_ref y = uc_g2(g, "MatMul", x, flat_weight(c, kernel, kernel->shape[0]));
    if (bias) y = uc_g2(g, "Add", y, flat_weight(c, bias, 0));
    const int64_t shape[] = {0, 0, kernel->shape[1], kernel->shape[2]}, perm[] = {0, 2, 1, 3};
    return uc_k_transpose(g, uc_g_reshape(g, y, shape, 4), perm, 4);
}

/* [N, heads, T, size] back to [N, T, out]. */
static uc_ref project_out(uc_k_call *c, uc_ref y)
{
    uc_graph *g = c->graph;
    uc_k_call own = *c;
    own.layer = uc_k_child_of(c->layer, "output_dense");
    const uc_tensor *kernel = own.layer ? uc_k_tensor(&own, "kernel") : NULL;
    const uc_tensor *bias = own.layer ? uc_k_tensor(&own, "bias") : NULL;
    if (!kernel || kernel->rank != 3) {
        return g->status ? 0 : uc_k_fail(c, "its output projection isn't of 3 dimensions");
    }
    const int64_t width = kernel->shape[0] * kernel->shape[1];
    const int64_t shape[] = {0, 0, width}, perm[] = {0, 2, 1, 3};
    y = uc_g_reshape(g, uc_k_transpose(g, y, perm, 4), shape, 3);
    y = uc_g2(g, "MatMul", y, flat_weight(c, kernel, width));
    return bias ? uc_g2(g, "Add", y, flat_weight(c, bias, 0)) : y;
}

/* The masks of what comes in, joined: [N, 1, T or 1, S]. */
static uc_ref head_mask(uc_k_call *c, uc_k_value query, uc_k_value value, uc_k_value key,
                        uc_ref scores)
{
    uc_graph *g = c->graph;
    uc_ref keep = 0;
    uc_k_value given;
    if (query.mask) keep = uc_g_unsqueeze(g, query.mask, 2);
    if (value.mask) keep = both(g, keep, uc_g_unsqueeze(g, value.mask, 1));
    if (key.mask && key.mask != value.mask) keep = both(g, keep, uc_g_unsqueeze(g, key.mask, 1));
    if (uc_k_argument(c, SIZE_MAX, "attention_mask", &given)) {
        keep = both(g, keep, uc_g_cast(g, given.ref, UNCORK_BOOL));
    }
    if (keep) keep = uc_g_unsqueeze(g, keep, 1);
    return is_causal(c) ? both(g, keep, causal(c, scores)) : keep;
}

void uc_k_multi_head_attention(uc_k_call *c)
{
    uc_graph *g = c->graph;
    uc_k_value query = c->in[0], value = {0}, key;
    if (!uc_k_argument(c, 1, "value", &value)) value = c->in_count > 1 ? c->in[1] : c->in[0];
    if (!uc_k_argument(c, 2, "key", &key)) key = value;
    const uc_ref x = uc_k_plain(c, query);
    if (uc_k_rank(c, x) != 3) {
        uc_k_fail(c, "its input has %d dimensions, 3 are read", uc_k_rank(c, x));
        return;
    }
    const int64_t size = uc_k_int(c->layer, "key_dim", 0);
    if (size < 1 || uc_k_bool(c->layer, "use_gate", false)) {
        uc_k_fail(c, "it has a gate, or no key_dim");
        return;
    }
    const uc_ref q =
        uc_g2(g, "Mul", project(c, "query_dense", x), uc_k_scalar(c, 1 / sqrt((double)size)));
    const uc_ref k = project(c, "key_dense", uc_k_plain(c, key));
    const uc_ref v = project(c, "value_dense", uc_k_plain(c, value));
    const int64_t perm[] = {0, 1, 3, 2};
    uc_ref scores = uc_g2(g, "MatMul", q, uc_k_transpose(g, k, perm, 4));
    if (g->status) return;
    const double far = c->dtype == UNCORK_FLOAT16 ? -3e4 : -1e9;
    scores = masked(c, scores, head_mask(c, query, value, key, scores), far);
    scores = uc_g_softmax(g, scores, -1);
    uc_k_set(c, project_out(c, uc_g2(g, "MatMul", scores, v)));
    c->out[0].mask = query.mask;
    if (!uc_json_bool(uc_json_get(c->kwargs, "return_attention_scores"), false)) return;
    c->out[1] = (uc_k_value){.ref = scores};
    c->out_count = 2;
}
