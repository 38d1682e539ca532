/* Model files with bytes changed at random: opened and prepared, each is refused with a message or
 * sound; never a crash, a hang or unbounded memory. */
#ifndef UC_TESTS_DAMAGE_H
#define UC_TESTS_DAMAGE_H

#include "base/file.h"
#include "check.h"
#include "uncork.h"

#include <string.h>

static uint64_t damage_seed = 20261130;

static size_t damage_below(size_t n) /* splitmix64 */
{
    uint64_t z = damage_seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return n ? (size_t)((z ^ (z >> 31)) % n) : 0;
}

/* Opens and prepares: whatever comes, it has a message or is sound. */
static uncork_status damage_try(const uint8_t *bytes, size_t size)
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

/* Tries a fifth of test_mutations() changed copies of the file, some of them cut. */
static inline void damage_file(const char *path)
{
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    uc_bytes sound;
    CHECK_OK(uc_file_read(path, true, arena, &sound, &error), &error);
    for (long i = 0; i < test_mutations() / 5; i++) {
        uint8_t *bytes = test_malloc(sound.size);
        memcpy(bytes, sound.data, sound.size);
        size_t size = sound.size;
        for (size_t n = damage_below(6) + 1; n > 0; n--) {
            bytes[damage_below(size)] = (uint8_t)damage_below(256);
        }
        if (damage_below(4) == 0) size = damage_below(size);
        /* Exactly as large, so that a sanitizer sees a read past the end. */
        uint8_t *exact = test_malloc(size ? size : 1);
        memcpy(exact, bytes, size);
        (void)damage_try(exact, size);
        test_free(exact);
        test_free(bytes);
    }
    uc_arena_free(arena);
}

#endif
