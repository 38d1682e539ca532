/* The preprocessing a file asks for, found without preparing it: what inspect prints and preprocess
 * runs. */
#include "model/model_internal.h"

#include "model/recipe.h"

/* The input that must be given when there is one alone, else -1. */
static int only_input(const uc_graph *g)
{
    int found = -1;
    for (size_t i = 0; i < g->input_count; i++) {
        const uc_graph_value *v = &g->values[g->inputs[i]];
        if (v->optional || v->fallback) continue;
        if (found >= 0) return -1;
        found = (int)i;
    }
    return found;
}

static bool want_of(const uc_graph *g, int input, const uc_facts *facts, uc_contract_want *want)
{
    const uc_graph_value *v = &g->values[g->inputs[input]];
    if (v->kind > UC_TENSOR || v->dtype == UNCORK_STRING || v->rank < 2 || v->rank > 5)
        return false;
    *want = (uc_contract_want){.dtype = v->dtype, .rank = v->rank - 1};
    for (int d = 1; d < v->rank; d++) {
        want->shape[d - 1] = v->shape[d] < 0 ? -1 : v->shape[d];
    }
    if (want->rank == 1 && want->shape[0] < 0)
        want->shape[0] = (int64_t)uc_fact_get_number(facts, "n_features", -1);
    return true;
}

bool uc_recipe_input(const uc_graph *graph, const uc_facts *facts, size_t *input,
                     uc_contract_want *want)
{
    const int only = only_input(graph);
    *input = only < 0 ? 0 : (size_t)only;
    return only >= 0 && want_of(graph, only, facts, want);
}

static uncork_status find(const uncork_file *file, uc_graph *g, uc_arena *arena, uc_recipe *recipe,
                          uncork_error *error)
{
    const uc_import *import = &file->import;
    const uc_import_options options = {.input_dtype = UNCORK_DTYPE_NONE};
    uc_findings unused = {.arena = g->arena};
    UC_TRY(import->importer->import(import, NULL, &options, g, &unused, error));
    UC_TRY(uc_graph_finish(g));
    const int input = only_input(g);
    if (input < 0 || !want_of(g, input, &import->facts, &recipe->want)) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                       input < 0 ? "the model has several inputs, and pictures are one"
                                 : "the model takes no pictures");
    }
    return uc_contract_infer(&import->facts, g, (size_t)input, &recipe->want, arena, &recipe->notes,
                             &recipe->contract, error);
}

uncork_status uc_recipe_of(const uncork_file *file, uc_arena *arena, uc_recipe *recipe,
                           uncork_error *error)
{
    *recipe = (uc_recipe){.notes = {.arena = arena}};
    uc_budget budget;
    uc_budget_init(&budget, NULL, file->import.bytes.size);
    uc_arena *held = uc_arena_new(&budget);
    uc_graph *g = held ? uc_graph_new(held, &budget, error) : NULL;
    uncork_status status = g ? find(file, g, arena, recipe, error) : uc_fail_memory(error);
    uc_arena_free(held);
    return status;
}
