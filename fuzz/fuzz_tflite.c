/* Any bytes as a TensorFlow Lite file: read, and made a graph where that works. */
#include "import/tflite/tflite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_import file = {.path = "fuzz",
                      .bytes = {data, size},
                      .arena = arena,
                      .budget = &budget,
                      .findings = {.arena = arena},
                      .facts = {.arena = arena}};
    uncork_status status = uc_importer_tflite.open(&file, &err);
    if (status != err.status) __builtin_trap();
    if (status == UNCORK_OK) {
        const uc_import_options options = {0};
        uc_graph *g = uc_graph_new(arena, &budget, &err);
        status = g ? uc_importer_tflite.import(&file, NULL, &options, g, &file.findings, &err) : 0;
        if (g && status == UNCORK_OK) (void)uc_graph_finish(g);
    }
    uc_arena_free(arena);
    return 0;
}
