/* Any bytes as UBJSON. */
#include "container/ubjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    if (!uc_ubjson_read((uc_bytes){data, size}, 0, arena, &err) && err.status == UNCORK_OK) {
        __builtin_trap();
    }
    uc_arena_free(arena);
    return 0;
}
