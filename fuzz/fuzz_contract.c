/* Any bytes as preprocessing: as the text of a pipeline, and as every config file that is read beside a
 * model. What reads prints, and what was printed reads back as the same. */
#include "contract/beside_internal.h"
#include "contract/contract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const char *text, uc_arena *arena)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_contract *contract, *again;
    if (uc_contract_read(text, "fuzz", arena, &contract, &error)) return;
    uc_writer once, twice;
    uc_writer_init(&once, 1u << 20);
    uc_writer_init(&twice, 1u << 20);
    uc_contract_text(contract, &once);
    const char *printed = uc_writer_string(&once);
    if (uc_contract_read(printed, "fuzz", arena, &again, &error) == UNCORK_OK) {
        uc_contract_text(again, &twice);
        if (strcmp(printed, uc_writer_string(&twice)) != 0) __builtin_trap();
    } else if (error.status == UNCORK_USAGE) {
        __builtin_trap();
    }
    uc_writer_done(&once);
    uc_writer_done(&twice);
}

static void config(uc_bytes bytes, int which, uc_arena *arena)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    const uc_json *json = uc_json_read(bytes, 0, arena, &error);
    if (!json) return;
    uc_writer spec, other;
    uc_writer_init(&spec, 1u << 20);
    uc_writer_init(&other, 1u << 20);
    bool read = which == 1   ? uc_beside_hf(json, &spec, &other)
                : which == 2 ? uc_beside_timm(json, &spec)
                             : uc_beside_teachable(json, &spec);
    if (read) {
        round_trip(uc_writer_string(&spec), arena);
        round_trip(uc_writer_string(&other), arena);
    }
    uc_contract *contract;
    (void)uc_contract_of_json(json, "fuzz", arena, &contract, &error);
    uc_writer_done(&spec);
    uc_writer_done(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = (uint64_t)64 << 20};
    uc_budget budget;
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    if (arena && size) {
        const uc_bytes rest = {data + 1, size - 1};
        const char *text = uc_arena_copy(arena, rest.data, rest.size);
        const int which = data[0] % 4;
        if (which == 0 && text) {
            round_trip(text, arena);
        } else if (which) {
            config(rest, which, arena);
        }
    }
    uc_arena_free(arena);
    return 0;
}
