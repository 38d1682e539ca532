/* The side of the pictures of a model that leaves it free: flattened pixels that meet a product of fixed
 * size fit one side alone. */
#include "base/budget.h"
#include "contract/evidence.h"
#include "graph/graph_infer.h"

/* Whether shapes can be told along the whole graph with that shape of input. */
static bool fits(const uc_graph *g, size_t input, const int64_t *shape)
{
    uncork_error ignored = {.size = sizeof ignored};
    uc_budget budget;
    uc_budget_init(&budget, NULL, 0);
    uc_error_init(&ignored);
    uc_arena *arena = uc_arena_new(&budget), *scratch = uc_arena_new(&budget);
    uc_infer infer = {.graph = g,
                      .arena = arena,
                      .scratch = scratch,
                      .budget = &budget,
                      .error = &ignored,
                      .fold_bytes = UC_FOLD_SHAPE_BYTES,
                      .fold_macs = UC_FOLD_SHAPE_MACS};
    bool good = arena && scratch && uc_infer_init(&infer) == UNCORK_OK;
    if (good) {
        uc_tensor *t = &infer.values[g->inputs[input]].tensor;
        uc_tensor_set(t, t->dtype, t->rank, shape);
        good = uc_infer_graph(&infer) == UNCORK_OK;
    }
    uc_arena_free(scratch);
    uc_arena_free(arena);
    return good;
}

int64_t uc_graph_side(const uc_graph *graph, size_t input, bool first, int64_t channels)
{
    /* Usual sides of classifiers, ImageNet's first, then those of MNIST, CIFAR and others. */
    static const int64_t sides[] = {224, 28, 32,  64,  96,  128, 256, 299,
                                    48,  84, 150, 160, 192, 384, 512};
    const uc_graph_value *v = &graph->values[graph->inputs[input]];
    if (v->rank != 4) return sides[0];
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        const int64_t s = sides[i];
        const int64_t shape[] = {v->shape[0] > 0 ? v->shape[0] : 1, first ? channels : s, s,
                                 first ? s : channels};
        if (fits(graph, input, shape)) return s;
    }
    return sides[0];
}
