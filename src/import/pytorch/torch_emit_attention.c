/* Attention. Source: torch 2.15, torch/nn/functional.py (multi_head_attention_forward),
 * aten/src/ATen/native/transformers/attention.cpp. */
#include "import/pytorch/torch_build.h"

#include <inttypes.h>
#include <math.h>

/* Axes in front until there are four: [1, ..., heads, length, size]. */
static uc_ref four(uc_t_build *b, uc_ref x, int rank)
{
    for (; x && rank >= 0 && rank < 4; rank++) {
        x = uc_g_unsqueeze(b->graph, x, rank == 3 ? 1 : 0);
    }
    return x;
}

uc_ref uc_t_sdpa(uc_t_build *b, uc_ref q, uc_ref k, uc_ref v, uc_ref mask, bool is_causal,
                 double scale)
{
    uc_graph *g = b->graph;
    const int rank = uc_t_rank(b, q);
    if (g->status) return 0;
    if (rank < 2 || rank > 4) return uc_t_fail(b, "attention over %d dimensions", rank);
    const uc_ref in[] = {four(b, q, rank), four(b, k, uc_t_rank(b, k)), four(b, v, uc_t_rank(b, v)),
                         mask && rank == 3 && uc_t_rank(b, mask) == 3 ? four(b, mask, 3) : mask};
    uc_node *n = uc_graph_node(g, "Attention", in, mask ? 4 : 3, 1);
    if (is_causal) uc_node_int(g, n, "is_causal", 1);
    if (scale != 0) uc_node_float(g, n, "scale", scale);
    uc_ref y = uc_node_out(n, 0);
    if (rank == 3) return uc_g_squeeze(g, y, 1);
    return rank == 2 ? uc_g_squeeze(g, uc_g_squeeze(g, y, 0), 0) : y;
}

/* ---- MultiheadAttention ---------------------------------------------------------------------- */

/* The i-th third of a packed weight or bias. */
static uc_ref third(uc_t_build *b, uc_ref packed, int64_t width, int i)
{
    return packed ? uc_g_slice(b->graph, packed, 0, i * width, (i + 1) * width) : 0;
}

/* [N, L, heads * size] to [N, heads, L, size]. */
static uc_ref to_heads(uc_t_build *b, uc_ref x, int64_t heads, int64_t size)
{
    const int64_t shape[] = {0, 0, heads, size}, perm[] = {0, 2, 1, 3};
    return uc_t_permute(b, uc_g_reshape(b->graph, x, shape, 4), perm, 4);
}

/* A learned row (bias_k) or zeros behind k or v, [N, L, E]. */
static uc_ref behind(uc_t_build *b, uc_ref x, uc_ref row)
{
    uc_graph *g = b->graph;
    uc_ref one = uc_g_slice(g, x, 1, 0, 1); /* of the batch's size */
    one = uc_g2(g, "Mul", one, uc_t_scalar(b, x, 0));
    if (row) one = uc_g2(g, "Add", one, row);
    const uc_ref parts[] = {x, one};
    return uc_g_concat(g, parts, 2, 1);
}

/* A mask of PyTorch's modules (true: don't look) as one to add. */
static uc_ref additive(uc_t_build *b, uc_ref mask, uc_ref like)
{
    if (uc_t_dtype(b, mask) != UNCORK_BOOL) return mask;
    return uc_g_where(b->graph, mask, uc_t_scalar(b, like, (double)-INFINITY),
                      uc_t_scalar(b, like, 0));
}

static uc_ref pad_mask(uc_t_build *b, uc_ref mask, int64_t more)
{
    const int64_t pads[] = {0, more};
    return mask && more ? uc_t_pad(b, mask, pads, 2, "constant", 0) : mask;
}

/* attn_mask [L, S] or [N * heads, L, S] and key_padding_mask [N, S] joined: to add to the scores. */
static uc_ref joined_mask(uc_t_build *b, const uc_t_mha *a, uc_ref x, int64_t more)
{
    uc_graph *g = b->graph;
    uc_ref mask = 0, padding = 0;
    if (a->attn_mask) {
        mask = pad_mask(b, additive(b, a->attn_mask, x), more);
        if (uc_t_rank(b, mask) == 3) {
            const int64_t split[] = {-1, a->heads};
            mask = uc_t_dim(b, mask, 0) == 1 ? uc_g_unsqueeze(g, mask, 0)
                                             : uc_t_unflatten(b, mask, 0, split, 2);
        }
    }
    if (a->key_padding_mask) {
        padding = additive(b, a->key_padding_mask, x);
        if (uc_t_rank(b, padding) == 1) padding = uc_g_unsqueeze(g, padding, 0);
        padding = uc_g_unsqueeze(g, uc_g_unsqueeze(g, pad_mask(b, padding, more), 1), 1);
    }
    return mask && padding ? uc_t_add(b, mask, padding) : mask ? mask : padding;
}

/* softmax(q k' * scale + mask), for those who want to see it. */
static uc_ref scores_of(uc_t_build *b, uc_ref q, uc_ref k, uc_ref mask, int64_t size)
{
    const uc_ref small = uc_t_mul_number(b, q, 1 / sqrt((double)size));
    uc_ref scores = uc_t_matmul(b, small, uc_t_transpose(b, k, -2, -1));
    if (mask) scores = uc_t_add(b, scores, mask);
    return uc_t_softmax(b, scores, -1);
}

/* q, k and v [N, L, E] in front of the heads. */
static void project(uc_t_build *b, const uc_t_mha *a, const uc_ref in[3], int64_t width,
                    uc_ref out[3])
{
    const uc_ref own[3] = {a->q_weight, a->k_weight, a->v_weight};
    if (a->in_weight && in[0] == in[1] && in[1] == in[2]) {
        const int64_t sizes[] = {width, width, width};
        uc_t_split(b, uc_t_linear(b, in[0], a->in_weight, a->in_bias), sizes, 3, -1, out);
        return;
    }
    for (int i = 0; i < 3; i++) {
        const uc_ref w = a->in_weight ? third(b, a->in_weight, width, i) : own[i];
        out[i] = uc_t_linear(b, in[i], w, third(b, a->in_bias, width, i));
    }
}

uc_ref uc_t_multi_head_attention(uc_t_build *b, const uc_t_mha *a, uc_ref query, uc_ref key,
                                 uc_ref value, uc_ref *weights)
{
    uc_graph *g = b->graph;
    const bool single = uc_t_rank(b, query) == 2, turn = !single && !a->batch_first;
    const int64_t width = uc_t_dim(b, a->out_weight, 1);
    if (g->status) return 0;
    if (a->heads < 1 || width < 1 || width % a->heads)
        return uc_t_fail(b, "%" PRId64 " heads of a width of %" PRId64, a->heads, width);
    uc_ref in[3] = {0}, out[3] = {0};
    /* the same value stays the same value, so that one product does for all three */
    const uc_ref given[3] = {query, key, value};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < i; j++) {
            if (given[j] == given[i]) in[i] = in[j];
        }
        if (in[i]) continue;
        in[i] = single ? uc_g_unsqueeze(g, given[i], 0)
                : turn ? uc_t_transpose(b, given[i], 0, 1)
                       : given[i];
    }
    project(b, a, in, width, out);
    int64_t more = 0;
    if (a->bias_k) {
        out[1] = behind(b, out[1], a->bias_k);
        out[2] = behind(b, out[2], a->bias_v);
        more++;
    }
    if (a->add_zero_attn) {
        out[1] = behind(b, out[1], 0);
        out[2] = behind(b, out[2], 0);
        more++;
    }
    const int64_t size = width / a->heads, joined[] = {0, 0, width}, perm[] = {0, 2, 1, 3};
    const uc_ref mask = joined_mask(b, a, out[0], more);
    for (int i = 0; i < 3; i++) {
        out[i] = to_heads(b, out[i], a->heads, size);
    }
    uc_ref y;
    if (weights) {
        uc_ref w = scores_of(b, out[0], out[1], mask, size);
        y = uc_t_matmul(b, w, out[2]);
        static const int64_t heads_axis = 1;
        if (a->average) w = uc_t_mean(b, w, &heads_axis, 1, false);
        *weights = single ? uc_g_squeeze(g, w, 0) : w;
    } else {
        y = uc_t_sdpa(b, out[0], out[1], out[2], mask, a->is_causal && !mask, 0);
    }
    y = uc_g_reshape(g, uc_t_permute(b, y, perm, 4), joined, 3);
    y = uc_t_linear(b, y, a->out_weight, a->out_bias);
    return single ? uc_g_squeeze(g, y, 0) : turn ? uc_t_transpose(b, y, 0, 1) : y;
}
