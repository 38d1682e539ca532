/* Any bytes as a PyTorch file of any form: opened, and made a graph where that works. */
#include "import/importer.h"

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
    if (uc_bundle_over((uc_bytes){data, size}, "fuzz.pt", arena, &budget, &file.bundle, &err) ||
        !uc_importer_pytorch.probe(file.bytes, file.bundle)) {
        uc_arena_free(arena);
        return 0;
    }
    if (uc_bundle_kind_of(file.bundle) != UC_BUNDLE_FILE) file.bytes = (uc_bytes){NULL, 0};
    uncork_status status = uc_importer_pytorch.open(&file, &err);
    if (status != err.status) __builtin_trap();
    if (status == UNCORK_OK) {
        const uc_import_options options = {0};
        uc_graph *g = uc_graph_new(arena, &budget, &err);
        status = g ? uc_importer_pytorch.import(&file, NULL, &options, g, &file.findings, &err) : 0;
        if (g && status == UNCORK_OK) (void)uc_graph_finish(g);
    }
    uc_arena_free(arena);
    return 0;
}
