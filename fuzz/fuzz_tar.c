/* Any bytes as a tar; checksums are put right first, else nothing gets past them. */
#include "container/tar.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every block that looks like a header gets the checksum it needs. */
static void put_checksums(uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + 512 <= size; at += 512) {
        uint8_t *block = bytes + at;
        if (memcmp(block + 257, "ustar", 5) != 0) continue;
        unsigned sum = 0;
        memset(block + 148, ' ', 8);
        for (int i = 0; i < 512; i++) {
            sum += block[i];
        }
        (void)snprintf((char *)block + 148, 8, "%06o", sum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    uc_tar *tar;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_budget_init(&budget, &limits, size);
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) return 0;
    if (size) memcpy(copy, data, size);
    put_checksums(copy, size);
    uc_arena *arena = uc_arena_new(&budget);
    const uncork_status status = uc_tar_open((uc_bytes){copy, size}, 0, arena, &tar, &err);
    if (status != err.status) __builtin_trap();
    uc_arena_free(arena);
    free(copy);
    return 0;
}
