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
    uc_ref scores;
    if (uc_str_is(mode, "concat")) {
        uc_ref sum = uc_g2(g, "Add", uc_g_unsqueeze(g, q, 2), uc_g_unsqueeze(g, k, 1));
        if (uc_k_has(c->layer, "scale")) sum = uc_g2(g, "Mul", sum, uc_k_weight(c, "scale"));
        sum = uc_g_reduce(g, "ReduceSum", uc_g1(g, "Tanh", sum), -1, false);
        apply(c, uc_g2(g, "Mul", sum, uc_k_weight(c, "concat_score_weight")), v);
        return;
    }
    scores = uc_g2(g, "MatMul", q, uc_k_transpose2(g, k, 0, 2, 1));
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

static bool read_projection(uc_k_call *c, const char *child, uc_ref *kernel, uc_ref *bias,
                            int64_t *sizes)
{
    uc_k_call own = *c;
    own.layer = uc_k_child_of(c->layer, child);
    const uc_tensor *k = own.layer ? uc_k_tensor(&own, "kernel") : NULL;
    const uc_tensor *b = own.layer ? uc_k_tensor(&own, "bias") : NULL;
    const bool out = strcmp(child, "output_dense") == 0;
    if (!k || k->rank < 3 || (!out && k->rank != 3)) {
        if (!c->graph->status)
            uc_k_fail(c, "its projection '%s' has no kernel of 3 dimensions", child);
        return false;
    }
    memcpy(sizes, k->shape, 3 * sizeof *sizes);
    *kernel = flat_weight(c, k, out ? k->shape[0] * k->shape[1] : k->shape[0]);
    *bias = b ? flat_weight(c, b, 0) : 0;
    return true;
}

/* x [N, T, in] through a projection to [N, heads, T, size]; each head `times` times. */
static uc_ref project(uc_k_call *c, const char *child, uc_ref x, int64_t times)
{
    static const int64_t perm[] = {0, 2, 1, 3};
    uc_graph *g = c->graph;
    uc_ref kernel, bias;
    int64_t sizes[3];
    if (!read_projection(c, child, &kernel, &bias, sizes)) return 0;
    uc_ref y = uc_g2(g, "MatMul", x, kernel);
    if (bias) y = uc_g2(g, "Add", y, bias);
    const int64_t shape[] = {0, 0, sizes[1], sizes[2]};
    y = uc_k_transpose(g, uc_g_reshape(g, y, shape, 4), perm, 4);
    if (times < 2) return y;
    int64_t *at = UC_NEW(g->arena, int64_t, (size_t)(sizes[1] * times));
    for (int64_t i = 0; at && i < sizes[1] * times; i++) {
        at[i] = i / times;
    }
    return at ? uc_g_gather(g, y, uc_graph_i64s(g, at, sizes[1] * times), 1) : 0;
}

/* [N, heads, T, size], gated, back to [N, T, out]. */
static uc_ref project_out(uc_k_call *c, uc_ref y, uc_ref gate)
{
    static const int64_t perm[] = {0, 2, 1, 3};
    uc_graph *g = c->graph;
    uc_ref kernel, bias;
    int64_t sizes[3];
    if (!read_projection(c, "output_dense", &kernel, &bias, sizes)) return 0;
    const int64_t shape[] = {0, 0, sizes[0] * sizes[1]};
    if (gate) y = uc_g2(g, "Mul", y, uc_g1(g, "Sigmoid", gate));
    y = uc_g_reshape(g, uc_k_transpose(g, y, perm, 4), shape, 3);
    y = uc_g2(g, "MatMul", y, kernel);
    return bias ? uc_g2(g, "Add", y, bias) : y;
}

/* Keys no further than a window away: |query - key| < window. Source: grouped_query_attention.py. */
static uc_ref near_keys(uc_k_call *c, uc_ref scores, int64_t window)
{
    uc_graph *g = c->graph;
    const int rank = uc_k_rank(c, scores);
    const uc_ref shape = uc_g_slice(g, uc_g1(g, "Shape", scores), 0, rank - 2, INT64_MAX);
    const uc_ref ones = uc_g2(g, "Expand", uc_graph_i64(g, 1), shape);
    const uc_ref below[] = {ones, uc_graph_i64(g, window - 1)},
                 above[] = {ones, uc_graph_i64(g, 1 - window)};
    uc_node *n = uc_graph_node(g, "Trilu", below, 2, 1);
    uc_node_int(g, n, "upper", 0);
    const uc_ref low = uc_node_out(n, 0);
    n = uc_graph_node(g, "Trilu", above, 2, 1);
    uc_node_int(g, n, "upper", 1);
    return uc_g_cast(g, uc_g2(g, "Mul", low, uc_node_out(n, 0)), UNCORK_BOOL);
}

/* The masks of what comes in, joined: [N, 1, T or 1, S]. */
static uc_ref head_mask(uc_k_call *c, uc_k_value query, uc_k_value value, uc_k_value key,
                        uc_ref scores)
{
    uc_graph *g = c->graph;
    uc_ref keep = 0;
    uc_k_value given;
    const int64_t window = uc_k_int(c->layer, "sliding_window", 0);
    if (query.mask) keep = uc_g_unsqueeze(g, query.mask, 2);
    if (value.mask) keep = both(g, keep, uc_g_unsqueeze(g, value.mask, 1));
    if (key.mask && key.mask != value.mask) keep = both(g, keep, uc_g_unsqueeze(g, key.mask, 1));
    if (uc_k_argument(c, SIZE_MAX, "attention_mask", &given)) {
        const uc_ref mask = uc_g_cast(g, given.ref, UNCORK_BOOL);
        if (uc_k_rank(c, mask) == 4 && !keep) return mask; /* one a head */
        keep = both(g, keep, mask);
    }
    if (keep) keep = uc_g_unsqueeze(g, keep, 1);
    if (window > 0) keep = both(g, keep, near_keys(c, scores, window));
    return is_causal(c) ? both(g, keep, causal(c, scores)) : keep;
}

/* How an input of more axes than [N, T, in] becomes one: the axes that are attended joined as steps, the
 * others with the batch. */
typedef struct folding {
    int64_t perm[UNCORK_MAX_RANK], back[UNCORK_MAX_RANK], open[UNCORK_MAX_RANK];
    int rank;
} folding;

static uc_ref fold(uc_k_call *c, uc_ref x, folding *f)
{
    int64_t axes[UNCORK_MAX_RANK];
    const int rank = f->rank = uc_k_rank(c, x);
    size_t n = uc_k_list(uc_k_get(c->layer, "attention_axes"), axes, UNCORK_MAX_RANK);
    bool attended[UNCORK_MAX_RANK] = {false};
    if (rank == 3) return x;
    if (rank < 3) return uc_k_fail(c, "its input has %d dimensions", rank);
    for (int i = 1; i < rank - 1; i++) {
        attended[i] = n == 0;
    }
    for (size_t i = 0; i < n; i++) {
        const int axis = uc_k_axis(axes[i], rank);
        if (axis > 0 && axis < rank - 1) attended[axis] = true;
    }
    int at = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < rank - 1; i++) {
            if (attended[i] == (pass == 1)) f->perm[at++] = i;
        }
    }
    f->perm[rank - 1] = rank - 1;
    int64_t shape[] = {-1, 1, uc_k_dim(c, x, -1)};
    for (int i = 0; i < rank; i++) {
        const int64_t d = f->perm[i] ? uc_k_dim(c, x, (int)f->perm[i]) : -1;
        f->open[i] = d;
        f->back[f->perm[i]] = i;
        if (d < 1 && f->perm[i]) return uc_k_fail(c, "it needs the sizes of all axes");
        if (i < rank - 1 && attended[f->perm[i]]) shape[1] *= d;
    }
    return uc_g_reshape(c->graph, uc_k_transpose(c->graph, x, f->perm, (size_t)rank), shape, 3);
}

static uc_ref unfold(uc_k_call *c, uc_ref y, folding *f)
{
    if (f->rank == 3) return y;
    f->open[f->rank - 1] = uc_k_dim(c, y, -1);
    return uc_k_transpose(c->graph, uc_g_reshape(c->graph, y, f->open, f->rank), f->back,
                          (size_t)f->rank);
}

void uc_k_multi_head_attention(uc_k_call *c)
{
    static const int64_t perm[] = {0, 1, 3, 2};
    uc_graph *g = c->graph;
    uc_k_value query = c->in[0], value = {0}, key;
    folding f, other;
    if (!uc_k_argument(c, 1, "value", &value)) value = c->in_count > 1 ? c->in[1] : c->in[0];
    if (!uc_k_argument(c, 2, "key", &key)) key = value;
    const uc_ref x = fold(c, uc_k_plain(c, query), &f);
    const int64_t kept = uc_k_int(c->layer, "num_key_value_heads", 0),
                  heads = uc_k_int(c->layer, "num_query_heads", 0),
                  size = uc_k_int(c->layer, kept ? "head_dim" : "key_dim", 0);
    if (size < 1 || kept < 0 || (kept && (heads < kept || heads % kept || heads > 65536))) {
        uc_k_fail(c, "%" PRId64 " heads of size %" PRId64, heads, size);
        return;
    }
    const int64_t times = kept ? heads / kept : 1;
    uc_ref q = project(c, "query_dense", x, 1);
    q = uc_g2(g, "Mul", q, uc_k_scalar(c, 1 / sqrt((double)size)));
    const uc_ref k = project(c, "key_dense", fold(c, uc_k_plain(c, key), &other), times);
    const uc_ref v = project(c, "value_dense", fold(c, uc_k_plain(c, value), &other), times);
    const uc_ref gate = uc_k_child_of(c->layer, "gate_dense") ? project(c, "gate_dense", x, 1) : 0;
    uc_ref scores = uc_g2(g, "MatMul", q, uc_k_transpose(g, k, perm, 4));
    if (g->status) return;
    const double far = c->dtype == UNCORK_FLOAT16 ? -3e4 : -1e9;
    if (f.rank == 3) scores = masked(c, scores, head_mask(c, query, value, key, scores), far);
    if (f.rank != 3 && (is_causal(c) || query.mask || value.mask)) {
        uc_k_fail(c, "masks over more axes than one");
        return;
    }
    scores = uc_g_softmax(g, scores, -1);
    uc_k_set(c, unfold(c, project_out(c, uc_g2(g, "MatMul", scores, v), gate), &f));
    c->out[0].mask = query.mask;
    if (!uc_json_bool(uc_json_get(c->kwargs, "return_attention_scores"), false)) return;
    c->out[1] = (uc_k_value){.ref = scores};
    c->out_count = 2;
}
