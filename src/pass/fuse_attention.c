/* Attention as exporters write it out becomes uncork.Attention, which keeps no scores:
 *
 *   MatMul(Softmax(MatMul(q * s, k' * t) * u + mask), v)
 *
 * s, t, u: one element each or absent, constant or computed (torch computes 1 / sqrt(size) from shapes);
 * u may be a division by a constant. k' is mostly Transpose(k), which is then read as it lies. The mask is
 * any float32 that is added. Ranks are known, dimensions need not be.
 *
 * So does the operator Attention in its plain form: as many heads of keys as of queries, no cache, no
 * window, and nothing masked (what a query without keys gives is another matter in each of the two).
 *
 * Not exact: the scale meets the scores instead of q and k, and softmax is of another kernel. */
#include "pass/rewrite.h"

#include <math.h>

typedef struct pattern {
    uc_ref in[7]; /* q, k, v, mask, scales */
    size_t scales;
    double scale;
    bool turned;
} pattern;

static const uc_graph_value *value(const uc_rewrite *r, uc_ref ref) { return &r->g->values[ref]; }

static bool is_stack(const uc_rewrite *r, uc_ref ref)
{
    const uc_graph_value *v = value(r, ref);
    return ref && v->dtype == UNCORK_FLOAT32 && v->rank >= 2 && v->rank <= UNCORK_MAX_RANK;
}

static bool is_one(const uc_rewrite *r, uc_ref ref)
{
    const uc_graph_value *v = value(r, ref);
    if (v->dtype != UNCORK_FLOAT32) return false;
    return v->rank == 0 || (v->rank == 1 && v->shape[0] == 1);
}

/* x of x * s, taking s; `ref` itself when it is no such product or there is no place for s. */
static uc_ref without_scale(const uc_rewrite *r, uc_ref ref, pattern *p)
{
    const uc_node *mul = uc_rewrite_made_by(r, ref, "Mul"),
                  *div = uc_rewrite_made_by(r, ref, "Div");
    double v;
    if (div && uc_rewrite_scalar(r, div->in[1], &v) && v != 0 && is_one(r, div->in[1]) &&
        is_stack(r, div->in[0])) {
        p->scale /= v;
        return div->in[0];
    }
    for (int side = 0; mul && p->scales < 3 && side < 2; side++) {
        if (!is_one(r, mul->in[side]) || !is_stack(r, mul->in[1 - side])) continue;
        p->in[4 + p->scales++] = mul->in[side];
        return mul->in[1 - side];
    }
    return ref;
}

/* Whether the node swaps the last two axes and no others. */
static bool is_turn(const uc_rewrite *r, const uc_node *node)
{
    const uc_attr *perm = uc_node_attr(node, "perm");
    const int rank = value(r, node->in[0])->rank;
    if (!perm || rank < 2 || perm->count != (size_t)rank) return false;
    for (int d = 0; d < rank; d++) {
        const int want = d < rank - 2 ? d : 2 * rank - 3 - d;
        if (perm->ints[d] != want && perm->ints[d] != want - rank) return false;
    }
    return true;
}

/* Reads the product of queries and keys that alone makes `ref`, behind its scale. */
static bool read_scores(const uc_rewrite *r, uc_ref ref, pattern *p)
{
    if (!uc_rewrite_is_single(r, ref)) return false;
    uc_ref scores = without_scale(r, ref, p);
    const uc_node *product = uc_rewrite_made_by(r, scores, "MatMul");
    if (!product || !uc_rewrite_is_single(r, scores)) return false;
    p->in[0] = without_scale(r, product->in[0], p);
    p->in[1] = without_scale(r, product->in[1], p);
    const uc_node *turn = uc_rewrite_made_by(r, p->in[1], "Transpose");
    if (turn && is_turn(r, turn)) {
        p->in[1] = turn->in[0];
        p->turned = true;
    }
    return is_stack(r, p->in[0]) && is_stack(r, p->in[1]);
}

/* Scores alone, or plus a mask on either side. */
static bool read_masked(const uc_rewrite *r, uc_ref ref, pattern *p)
{
    const pattern empty = *p;
    const uc_node *add = uc_rewrite_made_by(r, ref, "Add");
    if (!add) return read_scores(r, ref, p);
    if (!uc_rewrite_is_single(r, ref)) return false;
    for (int side = 0; side < 2; side++) {
        uc_ref mask = add->in[1 - side];
        *p = empty;
        if (value(r, mask)->dtype != UNCORK_FLOAT32 || value(r, mask)->rank < 1) continue;
        if (!read_scores(r, add->in[side], p)) continue;
        p->in[3] = mask;
        return true;
    }
    return false;
}

static bool read_all(const uc_rewrite *r, const uc_node *node, pattern *p)
{
    *p = (pattern){.scale = 1};
    if (!uc_is_op(node, "MatMul") || !is_stack(r, node->in[0]) || !is_stack(r, node->in[1])) {
        return false;
    }
    const uc_node *softmax = uc_rewrite_made_by(r, node->in[0], "Softmax");
    if (!softmax || !uc_rewrite_is_single(r, node->in[0])) return false;
    const int64_t axis = uc_node_get_int(softmax, "axis", -1);
    if (axis != -1 && axis != value(r, node->in[0])->rank - 1) return false;
    p->in[2] = node->in[1];
    return read_masked(r, softmax->in[0], p);
}

/* ---- the operator Attention ----------------------------------------------------------------- */

/* Whether every other attribute has the value that changes nothing. */
static bool is_plain(const uc_node *node)
{
    return uc_node_get_int(node, "is_causal", 0) == 0 &&
           uc_node_get_float(node, "softcap", 0) == 0 &&
           uc_node_get_int(node, "left_window_size", -1) == -1 &&
           uc_node_get_int(node, "right_window_size", -1) == -1;
}

/* [batch, heads, rows, size], the first two the same in all three. */
static bool are_heads(const uc_rewrite *r, const uc_node *node)
{
    const uc_graph_value *q = value(r, node->in[0]);
    for (int i = 0; i < 3; i++) {
        const uc_graph_value *v = value(r, node->in[i]);
        if (v->dtype != UNCORK_FLOAT32 || v->rank != 4) return false;
        if (v->shape[1] < 1 || v->shape[1] != q->shape[1]) return false;
        if (v->shape[0] == UC_DIM_UNKNOWN || v->shape[0] != q->shape[0]) return false;
    }
    return q->shape[3] > 0;
}

static bool read_operator(const uc_rewrite *r, const uc_node *node, pattern *p)
{
    if (!uc_is_op(node, "Attention") || node->out_count != 1) return false;
    for (size_t i = 3; i < node->in_count; i++) {
        if (node->in[i]) return false;
    }
    if (node->in_count < 3 || !are_heads(r, node) || !is_plain(node)) return false;
    const double size = (double)value(r, node->in[0])->shape[3];
    *p = (pattern){.in = {node->in[0], node->in[1], node->in[2]}, .turned = true};
    p->scale = uc_node_get_float(node, "scale", 1 / sqrt(size));
    return p->scale > 0;
}

static uncork_status run(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    pattern p;
    UC_TRY(uc_rewrite_init(&r, g));
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *node = &g->nodes[n];
        if (!read_all(&r, node, &p) && !read_operator(&r, node, &p)) continue;
        size_t count = p.scales ? 4 + p.scales : p.in[3] ? 4 : 3;
        UC_TRY(uc_rewrite_become(&r, node, "uncork.Attention", p.in, count));
        if (p.scale != 1) uc_node_float(g, node, "scale", p.scale);
        if (p.turned) uc_node_int(g, node, "transK", 1);
        UC_TRY(g->status);
    }
    return uc_rewrite_done(&r, changed);
}

const uc_pass uc_pass_fuse_attention = {.name = "fuse_attention", .run = run};
