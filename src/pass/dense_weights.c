/* Constants of three dimensions and more become dense: importers of channels-last formats view a
 * convolution's weights through strides, and the passes that join or repack them read plain arrays.
 * Matrices stay views, products read those by their strides. Exact. */
#include "pass/rewrite.h"

static uncork_status run(uc_graph *g, bool *changed)
{
    for (size_t i = 1; i < g->value_count; i++) {
        const uc_tensor *t = g->values[i].constant;
        if (!t || !t->data || t->rank < 3 || uc_tensor_is_dense(t)) continue;
        g->values[i].constant = uc_tensor_dense(g->arena, t);
        if (!g->values[i].constant) return uc_arena_status(g->arena, g->error);
        *changed = true;
    }
    return g->status;
}

const uc_pass uc_pass_dense_weights = {.name = "dense_weights", .exact = true, .run = run};
