/* TensorFlow Lite files cut and changed at random: refused with a message or answered, never a crash, a hang or
 * unbounded memory. UC_MUTATIONS sets how many. */
#include "base/file.h"
#include "check.h"
#include "uncork.h"

#include <stdio.h>
#include <stdlib.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/tflite"

static uint64_t seed = 20261130;

static size_t below(size_t n) /* splitmix64 */
{
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return n ? (size_t)((z ^ (z >> 31)) % n) : 0;
}

/* Opens and prepares: whatever comes, it has a message or is sound. */
static uncork_status try_bytes(const uint8_t *bytes, size_t size)
{
    const uncork_open_options options = {.size = sizeof options,
                                         .limits = {.size = sizeof options.limits,
                                                    .max_memory_bytes = 256u << 20,
                                                    .timeout_ms = 10000}};
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model;
    uncork_status status = uncork_open_memory(bytes, size, "m", &options, &file, &error);
    if (status == UNCORK_OK) {
        status = uncork_prepare(file, NULL, NULL, &model, &error);
        if (status == UNCORK_OK) uncork_model_free(model);
        uncork_file_close(file);
    }
    CHECK((status == UNCORK_OK) == (error.what[0] == 0));
    CHECK(status != UNCORK_DEADLINE);
    return status;
}

static void damaged_files_are_refused_or_answered(void **state)
{
    (void)state;
    static const char *const names[] = {"cnn_float", "cnn_int8", "moves", "control"};
    const long times = test_mutations();
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        uc_arena *arena = uc_arena_new(NULL);
        uncork_error error = {.size = sizeof error};
        uc_bytes sound;
        const char *from = uc_arena_printf(arena, FOLDER "/%s.tflite", names[k]);
        CHECK_OK(uc_file_read(from, true, arena, &sound, &error), &error);
        for (long i = 0; i < times / 5; i++) {
            uint8_t *bytes = test_malloc(sound.size);
            memcpy(bytes, sound.data, sound.size);
            size_t size = sound.size;
            for (size_t n = below(6) + 1; n > 0; n--) {
                bytes[below(size)] = (uint8_t)below(256);
            }
            if (below(4) == 0) size = below(size);
            /* Exactly as large, so that a sanitizer sees a read past the end. */
            uint8_t *exact = test_malloc(size ? size : 1);
            memcpy(exact, bytes, size);
            (void)try_bytes(exact, size);
            test_free(exact);
            test_free(bytes);
        }
        uc_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_are_refused_or_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
