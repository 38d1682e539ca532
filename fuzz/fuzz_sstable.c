/* Any bytes as a LevelDB table, and as a snappy block. */
#include "container/snappy.h"
#include "container/sstable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_sstable table;
    uc_bytes out;
    const uncork_status status = uc_sstable_read((uc_bytes){data, size}, arena, &table, &err);
    if (status != err.status) __builtin_trap();
    for (size_t i = 0; status == UNCORK_OK && i < table.count; i++) {
        if (uc_sstable_find(&table, table.entries[i].key) != &table.entries[i]) __builtin_trap();
    }
    uc_error_init(&err);
    (void)uc_snappy_unpack((uc_bytes){data, size}, 0, arena, &out, &err);
    uc_arena_free(arena);
    return 0;
}
