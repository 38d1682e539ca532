/* Activations that exporters wrote out become the operator they mean:
 *
 *   x * Sigmoid(x)                                          Swish(x)       torch.nn.SiLU
 *   Clip(x + 3, 0, 6) / 6, Relu6 in any form                HardSigmoid(x, 1/6, 1/2)
 *   x * HardSigmoid(x, 1/6, 1/2), x * Clip(x + 3, 0, 6) / 6 HardSwish(x)
 *   0.5 * x * (1 + Erf(x / sqrt 2)), in any order           Gelu(x)
 *   x * Tanh(Softplus(x))                                   Mish(x)
 *
 * Not exact: the fused operator rounds less often, a few units in the last place. */
#include "pass/rewrite.h"

#include <math.h>

/* The product's other factor, when one of its factors is `ref`. */
static uc_ref other_factor(const uc_node *mul, uc_ref ref)
{
    if (mul->in_count != 2) return 0;
    if (mul->in[0] == ref) return mul->in[1];
    return mul->in[1] == ref ? mul->in[0] : 0;
}

static bool is_float(const uc_rewrite *r, uc_ref ref)
{
    return r->g->values[ref].dtype == UNCORK_FLOAT32;
}

/* ---- x * f(x) ----------------------------------------------------------------------------- */

static bool is_standard_hard_sigmoid(const uc_node *node)
{
    return fabs(uc_node_get_float(node, "alpha", 0.2) - 1.0 / 6) < 1e-7 &&
           fabs(uc_node_get_float(node, "beta", 0.5) - 0.5) < 1e-7;
}

/* What x * gate is called when the gate is a function of x; NULL when it has no name. */
static const char *gated_name(const uc_rewrite *r, uc_ref x, const uc_node *gate)
{
    if (uc_is_op(gate, "Sigmoid") && gate->in[0] == x) return "Swish";
    if (uc_is_op(gate, "HardSigmoid") && gate->in[0] == x) {
        return is_standard_hard_sigmoid(gate) ? "HardSwish" : NULL;
    }
    if (!uc_is_op(gate, "Tanh")) return NULL;
    const uc_node *softplus = uc_rewrite_made_by(r, gate->in[0], "Softplus");
    return softplus && softplus->in[0] == x ? "Mish" : NULL;
}

static uncork_status fuse_gate(uc_rewrite *r, uc_node *mul)
{
    for (int side = 0; side < 2; side++) {
        uc_ref x = mul->in[side];
        const uc_node *gate = uc_rewrite_producer(r, mul->in[1 - side]);
        const char *name = gate && gate->in_count > 0 ? gated_name(r, x, gate) : NULL;
        if (name) return uc_rewrite_become(r, mul, name, &x, 1);
    }
    return UNCORK_OK;
}

/* ---- the hard ones ------------------------------------------------------------------------ */

/* Clip(x, lowest, highest) with these constants. */
static bool is_clip(const uc_rewrite *r, const uc_node *node, double lowest, double highest)
{
    double v;
    if (!uc_is_op(node, "Clip") || node->in_count < 3 || !node->in[1] || !node->in[2]) return false;
    return uc_rewrite_scalar(r, node->in[1], &v) && v == lowest &&
           uc_rewrite_is_near(r, node->in[2], highest);
}

/* x of Clip(x + 3, 0, 6); 0 for anything else. */
static uc_ref shifted_relu6(const uc_rewrite *r, uc_ref ref)
{
    const uc_node *clip = uc_rewrite_producer(r, ref);
    double v;
    uc_ref x = 0;
    if (!clip || !is_clip(r, clip, 0, 6)) return 0;
    const uc_node *add = uc_rewrite_made_by(r, clip->in[0], "Add");
    return add && uc_rewrite_scalar_operand(r, add, &v, &x) && v == 3 ? x : 0;
}

/* Whether the node divides by six; what it divides. */
static bool is_sixth(const uc_rewrite *r, const uc_node *node, uc_ref *of)
{
    double v;
    if (uc_is_op(node, "Div")) {
        *of = node->in[0];
        return uc_rewrite_is_near(r, node->in[1], 6);
    }
    return uc_is_op(node, "Mul") && uc_rewrite_scalar_operand(r, node, &v, of) &&
           fabs(v - 1.0 / 6) < 1e-6;
}

static uncork_status fuse_hard(uc_rewrite *r, uc_node *node)
{
    uc_ref of = 0, x;
    if (!is_sixth(r, node, &of)) return UNCORK_OK;
    if ((x = shifted_relu6(r, of)) != 0) {
        UC_TRY(uc_rewrite_become(r, node, "HardSigmoid", &x, 1));
        uc_node_float(r->g, node, "alpha", 1.0 / 6);
        uc_node_float(r->g, node, "beta", 0.5);
        return UNCORK_OK;
    }
    const uc_node *mul = uc_rewrite_made_by(r, of, "Mul");
    for (int side = 0; mul && side < 2; side++) {
        x = mul->in[side];
        if (x && shifted_relu6(r, mul->in[1 - side]) == x) {
            return uc_rewrite_become(r, node, "HardSwish", &x, 1);
        }
    }
    return UNCORK_OK;
}

/* ---- Gelu --------------------------------------------------------------------------------- */

/* x of 1 + Erf(x / sqrt 2). */
static uc_ref erf_gate(const uc_rewrite *r, uc_ref ref)
{
    double v;
    uc_ref of = 0, x = 0;
    const uc_node *add = uc_rewrite_made_by(r, ref, "Add");
    if (!add || !uc_rewrite_scalar_operand(r, add, &v, &of) || v != 1) return 0;
    const uc_node *erf = uc_rewrite_made_by(r, of, "Erf");
    const uc_node *scaled = erf ? uc_rewrite_producer(r, erf->in[0]) : NULL;
    if (!scaled) return 0;
    if (uc_is_op(scaled, "Div") && uc_rewrite_is_near(r, scaled->in[1], sqrt(2.0))) {
        return scaled->in[0];
    }
    bool mul = uc_is_op(scaled, "Mul") && uc_rewrite_scalar_operand(r, scaled, &v, &x);
    return mul && fabs(v - sqrt(0.5)) < 1e-6 ? x : 0;
}

/* x of 0.5 * x, x / 2; 0 for anything else. */
static uc_ref half_of(const uc_rewrite *r, uc_ref ref)
{
    double v;
    uc_ref x = 0;
    const uc_node *node = uc_rewrite_producer(r, ref);
    if (!node) return 0;
    if (uc_is_op(node, "Div") && uc_rewrite_is_near(r, node->in[1], 2)) return node->in[0];
    return uc_is_op(node, "Mul") && uc_rewrite_scalar_operand(r, node, &v, &x) && v == 0.5 ? x : 0;
}

/* (x * gate) * 0.5, (x * 0.5) * gate, x * (gate * 0.5). */
static uc_ref gelu_of(const uc_rewrite *r, const uc_node *mul)
{
    double v;
    uc_ref of = 0, x = 0;
    if (uc_rewrite_scalar_operand(r, mul, &v, &of) && v == 0.5) {
        const uc_node *product = uc_rewrite_made_by(r, of, "Mul");
        for (int side = 0; product && side < 2; side++) {
            x = erf_gate(r, product->in[side]);
            if (x && other_factor(product, product->in[side]) == x) return x;
        }
        return 0;
    }
    for (int side = 0; side < 2; side++) {
        x = erf_gate(r, mul->in[side]);
        if (x && half_of(r, mul->in[1 - side]) == x) return x;
        uc_ref gate = half_of(r, mul->in[side]);
        if (gate && erf_gate(r, gate) == mul->in[1 - side]) return mul->in[1 - side];
    }
    return 0;
}

static uncork_status run(uc_graph *g, bool *changed)
{
    uc_rewrite r;
    UC_TRY(uc_rewrite_init(&r, g));
    for (size_t n = 0; n < g->node_count; n++) {
        uc_node *node = &g->nodes[n];
        bool mul = uc_is_op(node, "Mul");
        if ((!mul && !uc_is_op(node, "Div")) || !is_float(&r, node->out[0])) continue;
        uc_ref x = mul ? gelu_of(&r, node) : 0;
        if (x && is_float(&r, x)) {
            UC_TRY(uc_rewrite_become(&r, node, "Gelu", &x, 1));
            continue;
        }
        UC_TRY(fuse_hard(&r, node));
        if (uc_is_op(node, "Mul")) UC_TRY(fuse_gate(&r, node));
    }
    return uc_rewrite_done(&r, changed);
}

const uc_pass uc_pass_fuse_idioms = {.name = "fuse_idioms", .run = run};
