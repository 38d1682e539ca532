/* Any bytes as Python source, lexed and parsed within the limits. Archives are fuzz_pytorch's. */
#include "import/pytorch/script_syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {.size = sizeof err};
    uc_budget budget;
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 64u << 20};
    uc_error_init(&err);
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_py_names names;
    uc_py_source source;
    if (uc_py_names_init(&names, arena)) {
        const uncork_status status =
            uc_py_parse((uc_bytes){data, size}, "fuzz.py", &names, &budget, &source, &err);
        if ((status == UNCORK_OK) != (err.status == UNCORK_OK)) __builtin_trap();
    }
    uc_arena_free(arena);
    return 0;
}
