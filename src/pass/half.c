/* --precision fast on a machine with instructions for bfloat16: regions of convolutions work on
 * channels-last bfloat16 (the walk is layout.c's), products with constant weights round their factors.
 * Sums, biases, residuals and activations stay float32.
 *
 * What has no form here, and everything in float64, stays exact. */
#include "base/cpu.h"
#include "pass/layout.h"

/* ---- elementwise, concatenation ----------------------------------------------------------- */

static uncork_status become_combine(uc_layout_pass *p, size_t index, const uc_ref *in, size_t count,
                                    const char *op, const char *activation)
{
    uc_graph *g = p->g;
    const uc_node old = g->nodes[index];
    uc_node *node = &g->nodes[index];
    const uc_attr *alpha = uc_node_attr(&old, "alpha"), *beta = uc_node_attr(&old, "beta");
    UC_TRY(uc_rewrite_become(&p->rewrite, node, "uncork.HalfCombine", in, count));
    uc_node_str(g, node, "op", op);
    uc_node_str(g, node, "activation", activation);
    if (alpha) uc_node_float(g, node, "alpha", alpha->f);
    if (beta) uc_node_float(g, node, "beta", beta->f);
    return uc_layout_done(p, index);
}

static bool is_binary(const uc_node *node)
{
    return node->in_count == 2 && (uc_is_op(node, "Add") || uc_is_op(node, "Mul"));
}

/* [N, C, 1, 1], for all the pixels of [N, C, H, W]. */
static bool is_vector_of(const uc_graph *g, uc_ref vector, uc_ref picture)
{
    const uc_graph_value *v = &g->values[vector], *p = &g->values[picture];
    return v->shape[2] == 1 && v->shape[3] == 1 && v->shape[1] == p->shape[1] &&
           (v->shape[0] == 1 || v->shape[0] == p->shape[0]);
}

static uncork_status binary(uc_layout_pass *p, size_t index)
{
    const uc_node *node = &p->g->nodes[index];
    uc_ref a = node->in[0], b = node->in[1];
    if (!uc_layout_has(p, a) || !uc_layout_has(p, b)) return UNCORK_OK;
    if (!uc_same_shape(p->g, a, b)) {
        if (!uc_same_shape(p->g, a, node->out[0])) {
            const uc_ref other = a;
            a = b;
            b = other;
        }
        if (!uc_same_shape(p->g, a, node->out[0]) || !is_vector_of(p->g, b, a)) return UNCORK_OK;
    }
    const uc_ref in[2] = {p->blocked[a], p->blocked[b]};
    return become_combine(p, index, in, 2, uc_is_op(node, "Add") ? "Add" : "Mul", "");
}

uncork_status uc_half_elementwise(uc_layout_pass *p, size_t index)
{
    static const char *const names[] = {"Relu",      "Sigmoid",     "Tanh", "Swish", "HardSwish",
                                        "LeakyRelu", "HardSigmoid", "Elu",  "Mish"};
    const uc_node *node = &p->g->nodes[index];
    if (is_binary(node)) return binary(p, index);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!uc_is_op(node, names[i])) continue;
        const uc_ref in[1] = {p->blocked[node->in[0]]};
        return become_combine(p, index, in, 1, "", names[i]);
    }
    return UNCORK_OK;
}

uncork_status uc_half_concat(uc_layout_pass *p, size_t index)
{
    uc_graph *g = p->g;
    const uc_node *node = &g->nodes[index];
    static const int64_t last[4] = {0, 3, 1, 2};
    int64_t axis = uc_node_get_int(node, "axis", 0);
    if (axis < 0) axis += 4;
    if (axis < 0 || axis > 3) return UNCORK_OK;
    uc_ref *in = UC_NEW(g->arena, uc_ref, node->in_count);
    if (!in) return uc_arena_status(g->arena, g->error);
    for (size_t i = 0; i < node->in_count; i++) {
        if (!uc_layout_has(p, node->in[i])) return UNCORK_OK;
        in[i] = p->blocked[node->in[i]];
    }
    UC_TRY(uc_rewrite_become(&p->rewrite, &g->nodes[index], "Concat", in, node->in_count));
    uc_node_int(g, &g->nodes[index], "axis", last[axis]);
    return uc_layout_done(p, index);
}

/* ---- products ----------------------------------------------------------------------------- */

static bool is_plain_gemm(const uc_node *node)
{
    return uc_is_op(node, "Gemm") && uc_node_get_float(node, "alpha", 1) == 1 &&
           uc_node_get_float(node, "beta", 1) == 1 && !uc_node_get_int(node, "transA", 0);
}

/* Whether x w + b + r is what HalfGemm takes. */
static bool is_product(const uc_graph *g, const uc_node *node)
{
    if (node->in_count < 2 || !node->in[0] || !node->in[1]) return false;
    const uc_graph_value *x = &g->values[node->in[0]], *w = &g->values[node->in[1]];
    if (!is_plain_gemm(node) && !uc_is_ext(node, "FusedGemm")) return false;
    if (x->dtype != UNCORK_FLOAT32 || x->rank < 1 || !w->constant || w->rank != 2) return false;
    if (w->dtype != UNCORK_FLOAT32 || w->shape[0] < 1 || w->shape[1] < 1) return false;
    const uc_tensor *b = node->in_count > 2 && node->in[2] ? g->values[node->in[2]].constant : NULL;
    const bool biased = node->in_count > 2 && node->in[2];
    const int64_t n = w->shape[uc_node_get_int(node, "transB", 0) ? 0 : 1];
    return !biased || (b && b->rank == 1 && b->shape[0] == n && b->dtype == UNCORK_FLOAT32);
}

static uncork_status round_product(uc_rewrite *r, uc_node *node)
{
    uc_graph *g = r->g;
    const uc_node old = *node;
    uc_ref in[4] = {0};
    const size_t count = old.in_count < 4 ? old.in_count : 4;
    memcpy(in, old.in, count * sizeof *in);
    UC_TRY(uc_rewrite_become(r, node, "uncork.HalfGemm", in, count));
    if (uc_node_get_int(&old, "transB", 0)) uc_node_int(g, node, "transB", 1);
    if (uc_is_op(&old, "Gemm")) return g->status; /* its alpha and beta mean other things */
    const uc_attr *act = uc_node_attr(&old, "activation"), *alpha = uc_node_attr(&old, "alpha"),
                  *beta = uc_node_attr(&old, "beta");
    if (act) uc_node_str(g, node, "activation", act->s.data);
    if (alpha) uc_node_float(g, node, "alpha", alpha->f);
    if (beta) uc_node_float(g, node, "beta", beta->f);
    return g->status;
}

/* A product that only products read is stored as what they would round it to. */
static uncork_status shorten(uc_rewrite *r)
{
    uc_graph *g = r->g;
    for (size_t n = 0; n < g->node_count; n++) {
        const uc_node *reader = &g->nodes[n];
        if (!uc_is_ext(reader, "HalfGemm") || !uc_rewrite_is_single(r, reader->in[0])) continue;
        uc_node *maker = uc_rewrite_producer(r, reader->in[0]);
        if (!maker || !uc_is_ext(maker, "HalfGemm") || maker->in_count > 3) continue;
        uc_node_int(g, maker, "half_out", 1);
    }
    return g->status;
}

static uncork_status round_products(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    UC_TRY(uc_rewrite_init(&r, g));
    for (size_t n = 0; n < g->node_count; n++) {
        if (!is_product(g, &g->nodes[n])) continue;
        UC_TRY(round_product(&r, &g->nodes[n]));
        *changed = true;
    }
    return shorten(&r);
}

static uncork_status run(uc_graph *g, bool *changed)
{
    const unsigned needs = UC_CPU_BF16 | UC_CPU_AVX512; /* of kernel/half.h */
    if ((uc_cpu_features() & needs) != needs) return UNCORK_OK;
    UC_TRY(uc_layout_run(g, true, changed));
    return round_products(g, changed);
}

const uc_pass uc_pass_half = {.name = "half", .fast = true, .run = run};
