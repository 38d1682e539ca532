#include "pass/fusable.h"

#include <float.h>
#include <math.h>

/* A missing bound is the largest number: infinities in a weight's place could meet a 0. */
static bool read_clip(const uc_rewrite *r, const uc_node *node, uc_fusable *act)
{
    act->alpha = -(double)FLT_MAX;
    act->beta = (double)FLT_MAX;
    act->has_alpha = act->has_beta = true;
    if (node->in_count > 1 && node->in[1] && !uc_rewrite_scalar(r, node->in[1], &act->alpha)) {
        return false;
    }
    if (node->in_count > 2 && node->in[2] && !uc_rewrite_scalar(r, node->in[2], &act->beta)) {
        return false;
    }
    return act->alpha <= act->beta;
}

static void read_parameters(const uc_node *node, uc_fusable *act)
{
    const uc_attr *alpha = uc_node_attr(node, "alpha"), *beta = uc_node_attr(node, "beta");
    act->has_alpha = alpha != NULL;
    act->has_beta = beta != NULL;
    act->alpha = alpha ? alpha->f : 0;
    act->beta = beta ? beta->f : 0;
}

bool uc_fusable_of(const uc_rewrite *r, const uc_node *node, uc_fusable *act)
{
    static const char *const names[] = {"Relu",  "Clip",      "Sigmoid",     "Tanh",
                                        "Swish", "Gelu",      "HardSigmoid", "HardSwish",
                                        "Mish",  "LeakyRelu", "Elu"};
    *act = (uc_fusable){0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (uc_is_op(node, names[i])) act->name = names[i];
    }
    if (!act->name || r->g->values[node->in[0]].dtype != UNCORK_FLOAT32) return false;
    if (strcmp(act->name, "Clip") == 0) return read_clip(r, node, act);
    read_parameters(node, act);
    const uc_attr *kind = uc_node_attr(node, "approximate");
    if (kind && uc_str_is(kind->s, "tanh")) act->name = "GeluTanh";
    return true;
}

void uc_fusable_set(uc_graph *g, uc_node *node, const uc_fusable *act)
{
    uc_node_str(g, node, "activation", act->name);
    if (act->has_alpha) uc_node_float(g, node, "alpha", act->alpha);
    if (act->has_beta) uc_node_float(g, node, "beta", act->beta);
}
