/* Products with constant weights become uncork.FusedGemm, with what follows them:
 *
 *   MatMul(x, w) of any leading dimensions     one product over all rows
 *   Gemm(x, w, b) before an activation or sum  the same, of a matrix
 *   + b, + r, activation                       in the pass over the result that is fused
 *
 * Only of float32, and only where nobody else reads the product. The sums are those of MatMul and Gemm;
 * not exact where the fused kernel approximates an activation. Sigmoid and Tanh stay what they are:
 * classifiers of scikit-learn promise its bits. */
#include "pass/fusable.h"

static const uc_tensor *weights(const uc_rewrite *r, const uc_node *node)
{
    const uc_tensor *w = node->in_count > 1 ? r->g->values[node->in[1]].constant : NULL;
    return w && w->dtype == UNCORK_FLOAT32 && w->rank == 2 && w->shape[0] > 0 && w->shape[1] > 0
               ? w
               : NULL;
}

/* One number a column: [n], [1, n], ... as [n]; 0 for anything else. */
static uc_ref as_bias(uc_rewrite *r, uc_ref ref, int64_t n)
{
    const uc_tensor *b = uc_rewrite_const(r, ref);
    if (!b || b->dtype != UNCORK_FLOAT32 || b->rank < 1) return 0;
    if (uc_tensor_count(b) != n || b->shape[b->rank - 1] != n) return 0;
    if (b->rank == 1) return ref;
    uc_tensor *flat = uc_tensor_new(r->g->arena, UNCORK_FLOAT32, 1, &n);
    if (flat) memcpy(flat->data, b->data, (size_t)n * sizeof(float));
    return uc_graph_const(r->g, flat);
}

typedef struct product {
    uc_ref in[4];
    int64_t n;
    bool turned;
} product;

/* Reads a MatMul, Gemm or open FusedGemm (without activation). */
static bool read_product(uc_rewrite *r, const uc_node *node, product *p)
{
    const uc_tensor *w = weights(r, node);
    bool matmul = uc_is_op(node, "MatMul"), gemm = uc_is_op(node, "Gemm");
    if (!w || r->g->values[node->out[0]].dtype != UNCORK_FLOAT32) return false;
    if (!matmul && !gemm && !uc_is_ext(node, "FusedGemm")) return false;
    if (matmul && r->g->values[node->in[0]].rank < 2) return false;
    if (uc_node_attr(node, "activation")) return false;
    if (gemm && (uc_node_get_float(node, "alpha", 1) != 1 ||
                 uc_node_get_float(node, "beta", 1) != 1 || uc_node_get_int(node, "transA", 0))) {
        return false;
    }
    p->turned = uc_node_get_int(node, "transB", 0) != 0;
    p->n = w->shape[p->turned ? 0 : 1];
    for (size_t i = 0; i < 4; i++) {
        p->in[i] = i < node->in_count ? node->in[i] : 0;
    }
    if (gemm && p->in[2]) p->in[2] = as_bias(r, p->in[2], p->n);
    return !gemm || node->in_count < 3 || !node->in[2] || p->in[2];
}

/* The same of the node that alone makes `ref`. */
static bool open_product(uc_rewrite *r, uc_ref ref, product *p)
{
    const uc_node *node = ref ? uc_rewrite_producer(r, ref) : NULL;
    return node && uc_rewrite_is_single(r, ref) && read_product(r, node, p);
}

static uncork_status become(uc_rewrite *r, uc_node *node, const product *p)
{
    size_t count = p->in[3] ? 4 : p->in[2] ? 3 : 2;
    UC_TRY(uc_rewrite_become(r, node, "uncork.FusedGemm", p->in, count));
    if (p->turned) uc_node_int(r->g, node, "transB", 1);
    return r->g->status;
}

/* ---- what joins --------------------------------------------------------------------------- */

static uncork_status join_sum(uc_rewrite *r, uc_node *add)
{
    product p;
    for (int side = 0; side < 2; side++) {
        uc_ref other = add->in[1 - side];
        if (!open_product(r, add->in[side], &p)) continue;
        uc_ref bias = p.in[2] || p.in[3] ? 0 : as_bias(r, other, p.n);
        bool keeps = r->g->values[add->in[side]].rank == r->g->values[add->out[0]].rank;
        if (bias && keeps) {
            p.in[2] = bias;
            return become(r, add, &p);
        }
        if (p.in[3] || add->in[0] == add->in[1]) continue;
        if (!uc_same_shape(r->g, add->in[0], add->in[1])) continue;
        p.in[3] = other;
        return become(r, add, &p);
    }
    return UNCORK_OK;
}

static uncork_status join_activation(uc_rewrite *r, uc_node *node)
{
    uc_fusable act;
    product p;
    if (!uc_fusable_of(r, node, &act)) return UNCORK_OK;
    if (strcmp(act.name, "Sigmoid") == 0 || strcmp(act.name, "Tanh") == 0) return UNCORK_OK;
    if (!open_product(r, node->in[0], &p)) return UNCORK_OK;
    UC_TRY(become(r, node, &p));
    uc_fusable_set(r->g, node, &act);
    return r->g->status;
}

static uncork_status run(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    product p;
    UC_TRY(uc_rewrite_init(&r, g));
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *node = &g->nodes[n];
        if (uc_is_op(node, "MatMul") && read_product(&r, node, &p)) {
            UC_TRY(become(&r, node, &p));
        } else if (uc_is_op(node, "Add")) {
            UC_TRY(join_sum(&r, node));
        } else if (node->in_count > 0 && node->in[0]) {
            UC_TRY(join_activation(&r, node));
        }
    }
    return uc_rewrite_done(&r, changed);
}

const uc_pass uc_pass_fuse_gemm = {.name = "fuse_gemm", .run = run};
