/* Layers of texts and vocabularies against what Keras answers: tests/fixtures/gen/keras_texts.py. */
#include "base/dtype.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>

#define TEXTS UC_SOURCE_DIR "/tests/fixtures/keras/texts.zip"

static const uc_tensor *array(uc_bundle *bundle, const char *name, char letter, uc_arena *arena)
{
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    uc_npy npy;
    const size_t i = uc_bundle_find(bundle, uc_arena_printf(arena, "%s/%c.npy", name, letter));
    CHECK(i != SIZE_MAX);
    CHECK_OK(uc_bundle_read(bundle, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, arena, &npy, &error), &error);
    return npy.tensor;
}

static void check_same(const char *name, const uc_tensor *got, const uc_tensor *want)
{
    const int64_t n = uc_tensor_count(want);
    if (got->rank != want->rank || uc_tensor_count(got) != n) fail_msg("%s: another shape", name);
    for (int64_t i = 0; i < n; i++) {
        bool same;
        if (want->dtype == UNCORK_STRING) {
            const uc_str a = uc_tensor_string(got, i), b = uc_tensor_string(want, i);
            same = a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
        } else {
            const double a = uc_dtype_load_f64(got->data, i, got->dtype),
                         b = uc_dtype_load_f64(want->data, i, want->dtype);
            same = got->dtype == want->dtype &&
                   fabs(a - b) <= (uc_dtype_is_float(want->dtype) ? 1e-6 * (1 + fabs(b)) : 0);
        }
        if (!same) fail_msg("%s: value %d differs", name, (int)i);
    }
}

static void check_model(uc_bundle *bundle, size_t entry, const char *name, uc_arena *arena)
{
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    uncork_file *file;
    uncork_model *model;
    uncork_session *session;
    const uc_tensor *x = array(bundle, name, 'x', arena), *y = array(bundle, name, 'y', arena);
    uncork_value *in = NULL;
    CHECK_OK(uc_bundle_read(bundle, entry, &bytes, &error), &error);
    CHECK_OK(uncork_open_memory(bytes.data, bytes.size, name, NULL, &file, &error), &error);
    CHECK_OK(uncork_prepare(file, NULL, NULL, &model, &error), &error);
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    if (x->dtype == UNCORK_STRING) {
        const size_t n = (size_t)uc_tensor_count(x);
        const char **texts = UC_NEW(arena, const char *, n);
        size_t *lengths = UC_NEW(arena, size_t, n);
        for (size_t i = 0; i < n; i++) {
            texts[i] = uc_tensor_string(x, (int64_t)i).data;
            lengths[i] = uc_tensor_string(x, (int64_t)i).size;
        }
        CHECK_OK(uncork_value_new_strings(x->rank, x->shape, texts, lengths, &in), &error);
    } else {
        CHECK_OK(uncork_value_wrap(x->dtype, x->rank, x->shape, x->data, &in), &error);
    }
    CHECK_OK(uncork_session_run(session, (const uncork_value *const *)&in, 1, NULL, &error),
             &error);
    check_same(name, uc_value_tensor(uncork_session_output(session, 0)), y);
    uncork_value_free(in);
    uncork_session_free(session);
    uncork_model_free(model);
    uncork_file_close(file);
}

static void layers_of_texts_answer_as_keras_does(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_arena *arena = uc_arena_new(NULL);
    uc_bundle *bundle;
    size_t count = 0;
    CHECK_OK(uc_bundle_open(TEXTS, true, arena, NULL, &bundle, &error), &error);
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *entry = uc_bundle_name(bundle, i), *end = strstr(entry, "/model.keras");
        if (!end) continue;
        check_model(bundle, i, uc_arena_copy(arena, entry, (size_t)(end - entry)), arena);
        count++;
    }
    CHECK(count >= 20);
    uc_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_of_texts_answer_as_keras_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
