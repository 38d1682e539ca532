/* Any bytes as .npy; what was read is written and read again. */
#include "container/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_npy npy;
    const uncork_status status = uc_npy_read((uc_bytes){data, size}, 0, arena, &npy, &err);
    if (status != err.status) __builtin_trap();
    if (status == UNCORK_OK && npy.tensor) {
        uc_writer out;
        uc_npy again;
        uc_writer_init(&out, 64u << 20);
        uc_npy_write(&out, npy.tensor);
        if (out.status == UNCORK_OK &&
            uc_npy_read((uc_bytes){out.data, out.size}, 0, arena, &again, NULL) == UNCORK_OK &&
            (again.type.dtype != npy.type.dtype ||
             uc_tensor_count(again.tensor) != uc_tensor_count(npy.tensor))) {
            __builtin_trap();
        }
        uc_writer_done(&out);
    }
    uc_arena_free(arena);
    return 0;
}
