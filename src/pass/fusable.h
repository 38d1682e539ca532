/* Activations that a convolution or product can apply before it stores: how a node says it. */
#ifndef UC_PASS_FUSABLE_H
#define UC_PASS_FUSABLE_H

#include "pass/rewrite.h"

typedef struct uc_fusable {
    const char *name; /* value of the attribute `activation` */
    bool has_alpha, has_beta;
    double alpha, beta;
} uc_fusable;

/* Whether the node is an activation of one value that can be fused; how it is written. */
bool uc_fusable_of(const uc_rewrite *r, const uc_node *node, uc_fusable *act);
void uc_fusable_set(uc_graph *g, uc_node *node, const uc_fusable *act);

#endif
