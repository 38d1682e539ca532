/* Any bytes as a TensorFlow graph, SavedModel or meta graph, wire form or text: read, and made a graph where
 * that works. */
#include "import/tensorflow/tf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_bundle *bundle = NULL;
    if (uc_bundle_over((uc_bytes){data, size}, "fuzz", arena, &budget, &bundle, &err) ==
            UNCORK_OK &&
        uc_bundle_kind_of(bundle) == UC_BUNDLE_FILE) {
        uc_import file = {.path = "fuzz",
                          .bytes = {data, size},
                          .bundle = bundle,
                          .arena = arena,
                          .budget = &budget,
                          .findings = {.arena = arena},
                          .facts = {.arena = arena}};
        uncork_status status = uc_importer_tensorflow.open(&file, &err);
        if (status != err.status) __builtin_trap();
        const uc_import_options options = {0};
        uc_graph *g = status ? NULL : uc_graph_new(arena, &budget, &err);
        if (g && uc_importer_tensorflow.import(&file, NULL, &options, g, &file.findings, &err) ==
                     UNCORK_OK)
            (void)uc_graph_finish(g);
    }
    uc_arena_free(arena);
    return 0;
}
