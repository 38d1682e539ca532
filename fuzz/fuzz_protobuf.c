/* Any bytes as a protobuf message of fields that may be messages themselves: no crash, no read past the
 * end, no unbounded time. */
#include "container/protobuf.h"

static void walk(uc_reader *r, int depth, int *left, uc_arena *arena)
{
    uc_pb_field f;
    int64_t *ints = NULL;
    double *floats = NULL;
    size_t int_count = 0, int_room = 0, float_count = 0, float_room = 0;
    while (--*left > 0 && uc_pb_next(r, &f)) {
        uncork_error ignored;
        uc_error_init(&ignored);
        uc_reader copy = *r; /* as numbers, as text: may be neither */
        copy.error = &ignored;
        (void)uc_pb_i64s(&copy, &f, arena, &ints, &int_count, &int_room, "ints");
        (void)uc_pb_f32s(&copy, &f, arena, &floats, &float_count, &float_room, "floats");
        (void)uc_pb_str(&copy, &f, "text");
        if (f.wire != UC_PB_BYTES) continue;
        uc_reader inside = uc_pb_message(&copy, &f, depth + 1, "a message");
        if (uc_reader_ok(&inside)) walk(&inside, depth + 1, left, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    uc_reader r = uc_reader_over(data, size, 0, &error);
    int left = 10000;
    if (arena) walk(&r, 0, &left, arena);
    uc_arena_free(arena);
    return 0;
}
