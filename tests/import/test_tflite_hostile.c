/* TensorFlow Lite files cut and changed at random: refused with a message or answered, never a crash, a hang or
 * unbounded memory. UC_MUTATIONS sets how many. */
#include "damage.h"

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/tflite"

static void damaged_files_are_refused_or_answered(void **state)
{
    (void)state;
    static const char *const paths[] = {FOLDER "/cnn_float.tflite", FOLDER "/cnn_int8.tflite",
                                        FOLDER "/moves.tflite", FOLDER "/control.tflite"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        damage_file(paths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_are_refused_or_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
