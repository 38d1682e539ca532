/* Any bytes as a file of one importer: opened, and made a graph where that works. */
#ifndef UC_FUZZ_FUZZ_IMPORT_H
#define UC_FUZZ_FUZZ_IMPORT_H

#include "import/importer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_open(const uc_importer *importer, uc_bytes bytes, uc_arena *arena,
                      uc_budget *budget)
{
    uncork_error err = {0};
    uc_import file = {.path = "fuzz",
                      .bytes = bytes,
                      .arena = arena,
                      .budget = budget,
                      .findings = {.arena = arena},
                      .facts = {.arena = arena}};
    if (uc_bundle_over(bytes, "fuzz", arena, budget, &file.bundle, &err)) return;
    if (!importer->probe(bytes, file.bundle)) return;
    if (uc_bundle_kind_of(file.bundle) != UC_BUNDLE_FILE) file.bytes = (uc_bytes){NULL, 0};
    const uncork_status status = importer->open(&file, &err);
    if (status != err.status) __builtin_trap();
    const uc_import_options options = {0};
    uc_graph *g = status ? NULL : uc_graph_new(arena, budget, &err);
    if (g && importer->import(&file, NULL, &options, g, &file.findings, &err) == UNCORK_OK)
        (void)uc_graph_finish(g);
}

static int fuzz_import(const uc_importer *importer, const uint8_t *data, size_t size)
{
    uc_budget budget;
    const uncork_limits limits = {
        .size = sizeof limits, .max_memory_bytes = 64u << 20, .timeout_ms = 5000};
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    if (arena) fuzz_open(importer, (uc_bytes){data, size}, arena, &budget);
    uc_arena_free(arena);
    return 0;
}

#endif
