/* Keras models against the framework's own answers: tests/fixtures/gen/keras_models.py.
 * Bound: |got - want| <= 1e-4 |want| + 1e-5 max|want|, float32. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/keras"

static const uc_tensor *array(uc_arena *arena, const char *file, char letter, int number)
{
    uncork_error error = {.size = sizeof error};
    uc_bundle *bundle;
    uc_bytes bytes;
    uc_npy npy;
    const char *path = uc_arena_printf(arena, FOLDER "/%s.npz", file);
    CHECK_OK(uc_bundle_open(path, true, arena, NULL, &bundle, &error), &error);
    const size_t i = uc_bundle_find(bundle, uc_arena_printf(arena, "%c%d.npy", letter, number));
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

static void check_close(const char *name, const float *got, const uc_tensor *want)
{
    const float *w = want->data;
    double largest = 0;
    for (int64_t i = 0; i < uc_tensor_count(want); i++)
        largest = fmax(largest, fabs((double)w[i]));
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        if (!(fabs((double)got[i] - (double)w[i]) <= 1e-4 * fabs((double)w[i]) + 1e-5 * largest)) {
            fail_msg("%s: output %d is %.9g, expected %.9g", name, (int)i, (double)got[i],
                     (double)w[i]);
        }
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
        const uc_tensor *x = array(arena, name, 'x', i);
        CHECK(x != NULL);
        CHECK_OK(uncork_value_wrap(x->dtype, x->rank, x->shape, x->data, &in[i]), &error);
    }
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    CHECK_OK(uncork_session_run(session, (const uncork_value *const *)in, inputs, NULL, &error),
             &error);
    for (int i = 0; i < uncork_model_output_count(model); i++) {
        const uc_tensor *want = array(arena, name, 'y', i);
        const uncork_value *got = uncork_session_output(session, i);
        CHECK(want != NULL);
        CHECK_INT(uncork_value_count(got), uc_tensor_count(want));
        check_close(name, uncork_value_data(got), want);
    }
    uncork_session_free(session);
    for (int i = 0; i < inputs; i++)
        uncork_value_free(in[i]);
    uncork_model_free(model);
    uc_arena_free(arena);
}

static void models_answer_as_keras_does(void **state)
{
    (void)state;
    static const char *const names[] = {"picture.h5", "recurrent.keras", "two.h5", "two.keras"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, FOLDER "/%s", names[i]);
        check_model(names[i], path);
    }
}

static void inputs_and_outputs_are_named_by_their_layers(void **state)
{
    (void)state;
    uncork_model *model = open_model(FOLDER "/picture.h5");
    CHECK_STR(uncork_model_input_name(model, 0), "picture");
    CHECK_STR(uncork_model_output_name(model, 0), "class");
    CHECK_STR(uncork_model_output_name(model, 1), "value");
    uncork_model_free(model);
}

static void an_unknown_class_is_named_with_its_layer(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model;
    CHECK_OK(uncork_open(FOLDER "/unknown.keras", NULL, &file, &error), &error);
    CHECK_INT(uncork_prepare(file, NULL, NULL, &model, &error), UNCORK_UNSUPPORTED);
    CHECK(strstr(error.where, "strange (Odd)") != NULL);
    CHECK(strstr(error.what, "'Odd'") != NULL);
    CHECK(error.fix[0] != 0);
    uncork_file_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_answer_as_keras_does),
        cmocka_unit_test(inputs_and_outputs_are_named_by_their_layers),
        cmocka_unit_test(an_unknown_class_is_named_with_its_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
