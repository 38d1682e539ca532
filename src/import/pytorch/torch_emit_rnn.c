/* RNN, LSTM and GRU of several layers and both directions, as ONNX's of one layer.
 * Source: torch 2.15, torch/nn/modules/rnn.py. Gates: LSTM i f g o (ONNX i o f c), GRU r z n (ONNX z r h,
 * with the reset after the product). */
#include "import/pytorch/torch_build.h"

#include <inttypes.h>

enum { MOST_STEPS = 1024 };

/* Rows of a weight or bias in ONNX's order of gates. */
static uc_ref reorder(uc_t_build *b, uc_ref w, int64_t hidden, const int *order, int gates)
{
    uc_ref parts[4];
    if (gates == 1 || !w) return w;
    for (int i = 0; i < gates; i++) {
        parts[i] = uc_g_slice(b->graph, w, 0, order[i] * hidden, (order[i] + 1) * hidden);
    }
    return uc_g_concat(b->graph, parts, (size_t)gates, 0);
}

typedef struct kind {
    const char *name, *op, *activation;
    int gates, order[4];
} kind;

static const kind kinds[] = {
    {"RNN", "RNN", "Tanh", 1, {0}},
    {"RELU", "RNN", "Relu", 1, {0}},
    {"LSTM", "LSTM", NULL, 4, {0, 3, 1, 2}},
    {"GRU", "GRU", NULL, 3, {1, 0, 2}},
};

/* Both directions' weights on top of each other: part 0 w_ih, 1 w_hh; 2 both biases (0: none). */
static uc_ref gathered(uc_t_build *b, const uc_t_rnn *r, const kind *k, int64_t layer, int part)
{
    uc_graph *g = b->graph;
    uc_ref rows[2];
    const size_t directions = r->bidirectional ? 2 : 1;
    for (size_t d = 0; d < directions; d++) {
        const uc_ref *w = r->weights[(size_t)layer * directions + d];
        uc_ref row = reorder(b, w[part], r->hidden, k->order, k->gates);
        if (part == 2 && !row) return 0;
        if (part == 2) {
            const uc_ref both[] = {row, reorder(b, w[3], r->hidden, k->order, k->gates)};
            row = uc_g_concat(g, both, 2, 0);
        }
        rows[d] = uc_g_unsqueeze(g, row, 0);
    }
    return uc_t_cat(b, rows, directions, 0);
}

/* Layer `layer`'s rows of a state [layers * directions, N, H]; 0: zeros. */
static uc_ref state_of(uc_t_build *b, const uc_t_rnn *r, uc_ref h, int64_t layer)
{
    const int64_t d = r->bidirectional ? 2 : 1;
    return !h || r->layers == 1 ? h : uc_g_slice(b->graph, h, 0, layer * d, (layer + 1) * d);
}

/* One layer over x [L, N, in]: y [L, N, directions * H], h and c [directions, N, H]. */
static uc_ref layer_of(uc_t_build *b, const uc_t_rnn *r, const kind *k, int64_t layer, uc_ref x,
                       uc_ref h0, uc_ref c0, uc_ref *h, uc_ref *c)
{
    uc_graph *g = b->graph;
    const bool lstm = strcmp(k->op, "LSTM") == 0;
    const uc_ref in[] = {x,
                         gathered(b, r, k, layer, 0),
                         gathered(b, r, k, layer, 1),
                         gathered(b, r, k, layer, 2),
                         0,
                         state_of(b, r, h0, layer),
                         lstm ? state_of(b, r, c0, layer) : 0};
    uc_node *n = uc_graph_node(g, k->op, in, lstm ? 7 : 6, lstm ? 3 : 2);
    uc_node_int(g, n, "hidden_size", r->hidden);
    if (r->bidirectional) uc_node_str(g, n, "direction", "bidirectional");
    if (k->activation) {
        const uc_str names[] = {uc_str_of(k->activation), uc_str_of(k->activation)};
        uc_node_strs(g, n, "activations", names, r->bidirectional ? 2 : 1);
    }
    if (strcmp(k->op, "GRU") == 0) uc_node_int(g, n, "linear_before_reset", 1);
    const uc_ref y = uc_node_out(n, 0);
    *h = uc_node_out(n, 1);
    *c = lstm ? uc_node_out(n, 2) : 0;
    if (!r->bidirectional) return uc_g_squeeze(g, y, 1);
    static const int64_t perm[] = {0, 2, 1, 3};
    const int64_t shape[] = {0, 0, 2 * r->hidden};
    return uc_g_reshape(g, uc_t_permute(b, y, perm, 4), shape, 3);
}

/* ---- LSTM with projections: no operator has them ---------------------------------------------- */

/* One direction over x [L, N, in], unrolled; h and c [N, ...] or 0 at first. */
static uc_ref projected_run(uc_t_build *b, const uc_t_rnn *r, const uc_ref *w, uc_ref x,
                            bool backwards, uc_ref *h, uc_ref *c)
{
    uc_graph *g = b->graph;
    const int64_t steps = uc_t_dim(b, x, 0);
    if (steps < 1 || steps > MOST_STEPS)
        return uc_t_fail(b, "an LSTM with projections over %" PRId64 " steps", steps);
    uc_ref *all = UC_NEW(g->arena, uc_ref, (size_t)steps);
    if (!all) return uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    for (int64_t i = 0; i < steps && !g->status; i++) {
        const int64_t t = backwards ? steps - 1 - i : i,
                      sizes[] = {r->hidden, r->hidden, r->hidden, r->hidden};
        uc_ref z = uc_t_linear(b, uc_t_select(b, x, 0, t), w[0], w[2]), gate[4];
        if (*h)
            z = uc_t_add(b, z, uc_t_linear(b, *h, w[1], w[3]));
        else if (w[3])
            z = uc_t_add(b, z, w[3]);
        uc_t_split(b, z, sizes, 4, 1, gate);
        const uc_ref fresh = uc_t_mul(b, uc_g1(g, "Sigmoid", gate[0]), uc_g1(g, "Tanh", gate[2]));
        *c = *c ? uc_t_add(b, uc_t_mul(b, uc_g1(g, "Sigmoid", gate[1]), *c), fresh) : fresh;
        *h = uc_t_linear(b, uc_t_mul(b, uc_g1(g, "Sigmoid", gate[3]), uc_g1(g, "Tanh", *c)), w[4],
                         0);
        all[t] = *h;
    }
    return uc_t_stack(b, all, (size_t)steps, 0);
}

static uc_ref projected_layer(uc_t_build *b, const uc_t_rnn *r, int64_t layer, uc_ref x, uc_ref h0,
                              uc_ref c0, uc_ref *h, uc_ref *c)
{
    const int directions = r->bidirectional ? 2 : 1;
    uc_ref y[2], hs[2] = {0}, cs[2] = {0};
    for (int d = 0; d < directions; d++) {
        const int64_t at = layer * directions + d;
        if (h0) hs[d] = uc_t_select(b, h0, 0, at);
        if (c0) cs[d] = uc_t_select(b, c0, 0, at);
        y[d] = projected_run(b, r, r->weights[at], x, d == 1, &hs[d], &cs[d]);
    }
    *h = uc_t_stack(b, hs, (size_t)directions, 0);
    *c = uc_t_stack(b, cs, (size_t)directions, 0);
    return uc_t_cat(b, y, (size_t)directions, 2);
}

/* ---- all layers ------------------------------------------------------------------------------ */

bool uc_t_run_rnn(uc_t_build *b, const uc_t_rnn *r, uc_ref x, uc_ref h0, uc_ref c0, uc_ref out[3])
{
    uc_graph *g = b->graph;
    const kind *k = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, r->kind) == 0) k = &kinds[i];
    }
    const bool single = uc_t_rank(b, x) == 2, turn = !single && r->batch_first;
    if (!k || r->layers < 1 || r->layers > 1000 || r->hidden < 1 || r->hidden > INT32_MAX / 8) {
        uc_t_fail(b, "%s of %" PRId64 " layers of %" PRId64, r->kind, r->layers, r->hidden);
        return false;
    }
    uc_ref *h = UC_NEW(g->arena, uc_ref, 2 * (size_t)r->layers), *c = h ? h + r->layers : NULL;
    if (!h) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    if (single) {
        x = uc_g_unsqueeze(g, x, 1);
        if (h0) h0 = uc_g_unsqueeze(g, h0, 1);
        if (c0) c0 = uc_g_unsqueeze(g, c0, 1);
    }
    if (turn) x = uc_t_transpose(b, x, 0, 1);
    for (int64_t i = 0; i < r->layers && !g->status; i++) {
        x = r->projection > 0 ? projected_layer(b, r, i, x, h0, c0, &h[i], &c[i])
                              : layer_of(b, r, k, i, x, h0, c0, &h[i], &c[i]);
    }
    if (g->status) return false;
    out[0] = single ? uc_g_squeeze(g, x, 1) : turn ? uc_t_transpose(b, x, 0, 1) : x;
    out[1] = uc_t_cat(b, h, (size_t)r->layers, 0);
    out[2] = c[0] ? uc_t_cat(b, c, (size_t)r->layers, 0) : 0;
    if (single) out[1] = uc_g_squeeze(g, out[1], 1);
    if (single && out[2]) out[2] = uc_g_squeeze(g, out[2], 1);
    return !g->status;
}
