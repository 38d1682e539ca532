/* Keras files cut and changed at random: refused with a message or answered, never a crash, a hang or
 * unbounded memory. UC_MUTATIONS sets how many. */
#include "damage.h"

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/keras"

static void files_that_lie_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "kernel_shape", "no_weight", "too_many_weights", "no_group",  "negative_units",
        "deep",         "cycle",     "itself",           "no_layers", "huge_input",
        "group_cycle",  "sparse",    "heap_beyond",      "tree_loop",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uc_arena *arena = uc_arena_new(NULL);
        uncork_error error = {.size = sizeof error};
        uc_bytes bytes;
        const char *path =
            uc_arena_printf(arena, UC_SOURCE_DIR "/tests/hostile/keras/%s.h5", names[i]);
        CHECK_OK(uc_file_read(path, true, arena, &bytes, &error), &error);
        if (damage_try(bytes.data, bytes.size) == UNCORK_OK) fail_msg("%s was accepted", names[i]);
        uc_arena_free(arena);
    }
}

static void damaged_files_are_refused_or_answered(void **state)
{
    (void)state;
    static const char *const paths[] = {FOLDER "/two.h5", FOLDER "/two.keras",
                                        FOLDER "/recurrent.keras"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        damage_file(paths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_lie_are_refused),
        cmocka_unit_test(damaged_files_are_refused_or_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
