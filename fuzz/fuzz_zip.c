/* Any bytes as a zip, every entry read. */
#include "container/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    uc_zip *zip;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    const uncork_status status = uc_zip_open((uc_bytes){data, size}, 0, arena, &budget, &zip, &err);
    if (status != err.status) __builtin_trap();
    for (size_t i = 0; zip && i < zip->count; i++) {
        uc_bytes bytes;
        (void)uc_zip_read(zip, i, &bytes, &err);
    }
    uc_arena_free(arena);
    return 0;
}
