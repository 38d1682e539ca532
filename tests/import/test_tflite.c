/* TensorFlow Lite models against the interpreter's own answers: tests/fixtures/gen/tflite_models.py.
 * Bound: |got - want| <= 1e-4 |want| + 1e-5 max|want| for float32; int8 within a step of the default
 * interpreter's; other integers equal. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/tflite"

static const uc_tensor *array(uc_arena *arena, const char *file, const char *letter, int number)
{
    uncork_error error = {.size = sizeof error};
    uc_bundle *bundle;
    uc_bytes bytes;
    uc_npy npy;
    const char *path = uc_arena_printf(arena, FOLDER "/%s.npz", file);
    CHECK_OK(uc_bundle_open(path, true, arena, NULL, &bundle, &error), &error);
    const size_t i = uc_bundle_find(bundle, uc_arena_printf(arena, "%s%d.npy", letter, number));
    if (i == SIZE_MAX) return NULL;
    CHECK_OK(uc_bundle_read(bundle, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, arena, &npy, &error), &error);
    return npy.tensor;
}

static uncork_model *open_model(const char *path)
{
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model;
    CHECK_OK(uncork_open(path, NULL, &file, &error), &error);
    CHECK_OK(uncork_prepare(file, NULL, NULL, &model, &error), &error);
    uncork_file_close(file);
    return model;
}

static void check_close(const char *name, int output, const uncork_value *value,
                        const uc_tensor *want)
{
    const void *got = uncork_value_data(value);
    const uncork_dtype dtype = want->dtype;
    double largest = 0;
    CHECK_INT(uncork_value_dtype(value), dtype);
    for (int64_t i = 0; i < uc_tensor_count(want); i++)
        largest = fmax(largest, fabs(uc_dtype_load_f64(want->data, i, dtype)));
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        const double g = uc_dtype_load_f64(got, i, dtype),
                     w = uc_dtype_load_f64(want->data, i, dtype);
        const double bound = dtype == UNCORK_INT8       ? 1
                             : uc_dtype_is_float(dtype) ? 1e-4 * fabs(w) + 1e-5 * largest
                                                        : 0;
        if (!(fabs(g - w) <= bound))
            fail_msg("%s: element %d of output %d is %.9g, expected %.9g", name, (int)i, output, g,
                     w);
    }
}

static void check_model(const char *name, const char *path)
{
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    uncork_model *model = open_model(path);
    uncork_value *in[4];
    const int inputs = uncork_model_input_count(model);
    uncork_session *session;
    CHECK(inputs <= 4);
    for (int i = 0; i < inputs; i++) {
        const uc_tensor *x = array(arena, name, "in", i);
        CHECK(x != NULL);
        CHECK_OK(uncork_value_wrap(x->dtype, x->rank, x->shape, x->data, &in[i]), &error);
    }
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    CHECK_OK(uncork_session_run(session, (const uncork_value *const *)in, inputs, NULL, &error),
             &error);
    for (int i = 0; i < uncork_model_output_count(model); i++) {
        const uc_tensor *want = array(arena, name, "out", i);
        const uncork_value *got = uncork_session_output(session, i);
        CHECK(want != NULL);
        CHECK_INT(uncork_value_count(got), uc_tensor_count(want));
        check_close(name, i, got, want);
    }
    uncork_session_free(session);
    for (int i = 0; i < inputs; i++)
        uncork_value_free(in[i]);
    uncork_model_free(model);
    uc_arena_free(arena);
}

static void models_answer_as_the_interpreter_does(void **state)
{
    (void)state;
    static const char *const names[] = {"cnn_float", "cnn_float16", "cnn_int8",
                                        "maths",     "moves",       "control"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, FOLDER "/%s.tflite", names[i]);
        check_model(names[i], path);
    }
}

static void inputs_and_outputs_have_the_names_of_their_tensors(void **state)
{
    (void)state;
    uncork_model *model = open_model(FOLDER "/control.tflite");
    CHECK_STR(uncork_model_input_name(model, 0), "a");
    CHECK_STR(uncork_model_input_name(model, 1), "n");
    uncork_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_answer_as_the_interpreter_does),
        cmocka_unit_test(inputs_and_outputs_have_the_names_of_their_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
