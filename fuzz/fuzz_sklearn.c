/* Any bytes as a pickled scikit-learn model: opened, every method imported, planned and run on two rows.
 * No crash, no leak, no read past the end, no unbounded time or memory. */
#include "import/importer.h"
#include "plan/plan.h"

#define MOST_COLUMNS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two rows for a graph input; false when it wants too many columns. */
static bool feed(const uc_graph_value *want, uc_arena *arena, uc_value *value)
{
    static const uc_str words[2] = {{"ab", 2}, {"a quick fox", 11}};
    int64_t shape[2] = {2, want->rank == 2 ? want->shape[1] : 1};
    int rank = want->rank < 0 ? 1 : want->rank;
    if (shape[1] < 0) shape[1] = 3;
    if (rank > 2 || shape[1] > MOST_COLUMNS) return false;
    value->kind = UC_TENSOR;
    size_t count = (size_t)(rank == 2 ? 2 * shape[1] : 2);
    if (want->dtype == UNCORK_STRING) {
        uc_str *items = UC_NEW(arena, uc_str, count);
        for (size_t i = 0; items && i < count; i++)
            items[i] = words[i % 2];
        const uc_tensor *t = items ? uc_tensor_strings(arena, items, rank, shape) : NULL;
        if (t) value->tensor = *t;
        return t != NULL;
    }
    uc_tensor *numbers = uc_tensor_new(arena, UNCORK_FLOAT64, rank, shape);
    for (size_t i = 0; numbers && i < count; i++)
        ((double *)numbers->data)[i] = 0.5 * (double)i - 1;
    const uc_tensor *t = numbers ? uc_tensor_cast(arena, numbers, want->dtype) : NULL;
    if (t) value->tensor = *t;
    return t != NULL;
}

static void run_method(const uc_import *file, const char *entry, uc_arena *arena, uc_budget *budget)
{
    uncork_error error = {.size = sizeof error};
    uc_findings findings = {.arena = arena};
    uc_import_options options = {0};
    uc_program *program;
    uc_runner *runner = NULL;
    uc_graph *g = uc_graph_new(arena, budget, &error);
    if (!g || file->importer->import(file, entry, &options, g, &findings, &error) != UNCORK_OK ||
        uc_graph_finish(g) != UNCORK_OK ||
        uc_program_new(g, arena, budget, &program, &error) != UNCORK_OK ||
        uc_runner_new(program, NULL, &runner) != UNCORK_OK) {
        return;
    }
    const uc_value **in = UC_NEW(arena, const uc_value *, g->input_count + 1);
    uc_value *values = UC_NEW(arena, uc_value, g->input_count + 1);
    bool fed = in && values;
    for (size_t i = 0; fed && i < g->input_count; i++) {
        fed = feed(&g->values[g->inputs[i]], arena, &values[i]);
        in[i] = &values[i];
    }
    if (fed) (void)uc_runner_run(runner, in, g->input_count, budget, &error);
    uc_runner_free(runner);
}

static void discard(const uc_import *file)
{
    uc_writer out;
    uc_writer_init(&out, (size_t)1 << 20);
    uc_json_writer json = {.out = &out};
    uc_json_begin_object(&json);
    file->importer->inspect(file, &json);
    uc_json_end_object(&json);
    uc_writer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uncork_error error = {.size = sizeof error};
    uc_budget budget;
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_import file = {.importer = &uc_importer_sklearn,
                      .path = "model",
                      .bytes = {data, size},
                      .arena = arena,
                      .budget = &budget,
                      .findings = {.arena = arena},
                      .facts = {.arena = arena}};
    if (arena && file.importer->open(&file, &error) == UNCORK_OK) {
        discard(&file);
        run_method(&file, NULL, arena, &budget);
        for (size_t i = 0; i < file.entry_count; i++)
            run_method(&file, file.entries[i], arena, &budget);
    }
    uc_arena_free(arena);
    return 0;
}
