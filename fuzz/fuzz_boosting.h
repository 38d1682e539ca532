/* Any bytes as a native model of boosted trees, opened, imported, planned and run on two rows: no crash,
 * no leak, no read past the end, no unbounded time or memory. */
#ifndef UC_FUZZ_FUZZ_BOOSTING_H
#define UC_FUZZ_FUZZ_BOOSTING_H

#include "import/importer.h"
#include "plan/plan.h"

static void run_graph(uc_graph *g, uc_arena *arena, uc_budget *budget, uncork_error *error)
{
    static float rows[2 * 64] = {0.5f, 1, 2, 3};
    uc_program *program;
    uc_runner *runner = NULL;
    if (uc_graph_finish(g) != UNCORK_OK || g->values[g->inputs[0]].shape[1] > 64 ||
        uc_program_new(g, arena, budget, &program, error) != UNCORK_OK ||
        uc_runner_new(program, NULL, &runner) != UNCORK_OK) {
        return;
    }
    uc_value x = {.kind = UC_TENSOR};
    uc_tensor_set(&x.tensor, UNCORK_FLOAT32, 2, (int64_t[]){2, g->values[g->inputs[0]].shape[1]});
    x.tensor.data = rows;
    const uc_value *in = &x;
    (void)uc_runner_run(runner, &in, 1, budget, error);
    uc_runner_free(runner);
}

static int fuzz_boosting(const uc_importer *importer, const uint8_t *data, size_t size)
{
    static const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uncork_error error = {.size = sizeof error};
    uc_budget budget;
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_import file = {.importer = importer,
                      .path = "model",
                      .bytes = {data, size},
                      .arena = arena,
                      .budget = &budget,
                      .findings = {.arena = arena},
                      .facts = {.arena = arena}};
    uc_findings findings = {.arena = arena};
    uc_import_options options = {.input_dtype = UNCORK_FLOAT32};
    (void)file.importer->probe(file.bytes, NULL);
    if (file.importer->open(&file, &error) == UNCORK_OK) {
        uc_graph *g = uc_graph_new(arena, &budget, &error);
        if (file.importer->import(&file, NULL, &options, g, &findings, &error) == UNCORK_OK) {
            run_graph(g, arena, &budget, &error);
        }
    }
    uc_arena_free(arena);
    return 0;
}

#endif
