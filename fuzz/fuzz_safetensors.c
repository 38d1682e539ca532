/* Any bytes as a safetensors file: every tensor's bytes are then read. */
#include "container/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_safetensors *file = NULL;
    unsigned sum = 0;
    const uncork_status status = uc_safetensors_read((uc_bytes){data, size}, arena, &file, &err);
    if (status != err.status) __builtin_trap();
    for (size_t i = 0; status == UNCORK_OK && i < file->count; i++) {
        const uc_tensor *t = &file->entries[i].tensor;
        size_t bytes = 0;
        if (!uc_shape_bytes(t->dtype, t->shape, t->rank, &bytes)) __builtin_trap();
        for (size_t k = 0; k < bytes; k++) {
            sum += ((const uint8_t *)t->data)[k];
        }
    }
    uc_arena_free(arena);
    return sum == 1u << 31 ? 1 : 0;
}
