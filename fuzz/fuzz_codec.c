/* Any bytes through the codec they are told to be, else as raw deflate. */
#include "container/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error err = {0};
    uc_budget budget;
    uc_bytes out;
    size_t used;
    uint8_t head[512];
    const uc_bytes packed = {data, size};
    const uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = 1u << 20};
    uc_budget_init(&budget, &limits, size);
    uc_codec codec = uc_codec_of(packed);
    if (codec == UC_CODEC_NONE) codec = UC_CODEC_DEFLATE;
    uc_arena *arena = uc_arena_new(&budget);
    (void)uc_codec_peek(codec, packed, head, sizeof head);
    const uncork_status status =
        uc_codec_unpack(codec, packed, 0, arena, &budget, &out, size % 2 ? &used : NULL, &err);
    if (status != err.status) __builtin_trap();
    uc_arena_free(arena);
    return 0;
}
