/* Any bytes as HDF5: every dataset is read, and attributes that Keras asks for. */
#include "container/hdf5.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Shared groups make a small file look like an endless tree: `left` objects are looked at. */
static void read_all(const uc_h5 *h5, const uc_h5_object *o, uc_arena *arena, int *left)
{
    if (--*left < 0) return;
    uncork_error err = {0};
    uc_tensor *value;
    const uncork_status status = uc_h5_attribute(h5, o, "weight_names", arena, &value, &err);
    if (status != err.status) __builtin_trap();
    if (uc_h5_is_dataset(o)) {
        uncork_error other = {0};
        if (uc_h5_read(h5, o, arena, &value, &other) != other.status) __builtin_trap();
        return;
    }
    for (size_t i = 0; i < uc_h5_count(o); i++) {
        read_all(h5, uc_h5_at(o, i), arena, left);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_h5 *h5;
    const uncork_status status = uc_h5_open((uc_bytes){data, size}, 0, arena, &budget, &h5, &err);
    if (status != err.status) __builtin_trap();
    int left = 10000;
    if (status == UNCORK_OK) read_all(h5, uc_h5_root(h5), arena, &left);
    uc_arena_free(arena);
    return 0;
}
