/* What the fuzz targets of the pictures' readers share. */
#ifndef UC_FUZZ_DECODE_H
#define UC_FUZZ_DECODE_H

#include "image/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef uncork_status (*decode_fn)(uc_bytes bytes, unsigned way, uc_arena *arena,
                                   uncork_error *error);

/* The last byte also chooses the way to read, so that pictures are seeds as they are. */
static inline int fuzz_decode(const uint8_t *data, size_t size, decode_fn decode)
{
    uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = (uint64_t)64 << 20};
    uc_budget budget;
    uncork_error error = {.size = sizeof error};
    if (size < 1) return 0;
    uc_error_init(&error);
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    if (arena) (void)decode((uc_bytes){data, size}, data[size - 1], arena, &error);
    uc_arena_free(arena);
    return 0;
}

#endif
