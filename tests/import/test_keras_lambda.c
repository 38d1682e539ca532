/* Lambda layers as Python 3.6 to 3.13 write them against what Keras answers:
 * tests/fixtures/gen/keras_lambdas.py. And bytecode that is damaged, or that can't be followed. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/hdf5.h"
#include "container/zip.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/keras"

typedef struct cases {
    uc_arena *arena;
    uc_h5 *h5;
    uc_bytes weights; /* of a model that has none of these layers */
} cases;

static cases open_cases(void)
{
    cases c = {.arena = uc_arena_new(NULL)};
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    uc_bundle *bundle;
    CHECK_OK(uc_file_read(FOLDER "/lambdas.h5", false, c.arena, &bytes, &error), &error);
    CHECK_OK(uc_h5_open(bytes, 0, c.arena, NULL, &c.h5, &error), &error);
    CHECK_OK(uc_bundle_open(FOLDER "/two.keras", true, c.arena, NULL, &bundle, &error), &error);
    const size_t i = uc_bundle_find(bundle, "model.weights.h5");
    CHECK(i != SIZE_MAX);
    CHECK_OK(uc_bundle_read(bundle, i, &c.weights, &error), &error);
    return c;
}

static const uc_tensor *dataset(const cases *c, const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_tensor *t;
    const uc_h5_object *o = uc_h5_find(uc_h5_root(c->h5), uc_str_of(name));
    if (!o) return NULL;
    CHECK_OK(uc_h5_read(c->h5, o, c->arena, &t, &error), &error);
    return t;
}

/* A .keras file around the configuration. */
static void wrap(const cases *c, uc_bytes config, uc_writer *out)
{
    static const char metadata[] = "{\"keras_version\": \"2.15.0\"}";
    uc_zip_writer zip;
    uc_writer_init(out, (size_t)1 << 26);
    uc_zip_writer_init(&zip, out);
    uc_zip_put(&zip, "metadata.json", (uc_bytes){(const uint8_t *)metadata, sizeof metadata - 1});
    uc_zip_put(&zip, "config.json", config);
    uc_zip_put(&zip, "model.weights.h5", c->weights);
    uc_zip_finish(&zip);
}

static uncork_status prepare(const cases *c, uc_bytes config, uncork_model **model,
                             uncork_error *error)
{
    uc_writer zip;
    uncork_file *file;
    wrap(c, config, &zip);
    *model = NULL;
    uncork_status status =
        uncork_open_memory(zip.data, zip.size, "lambdas.keras", NULL, &file, error);
    if (status == UNCORK_OK) {
        status = uncork_prepare(file, NULL, NULL, model, error);
        uncork_file_close(file);
    }
    uc_writer_done(&zip);
    return status;
}

static void check_output(const char *python, int i, const uncork_value *got, const uc_tensor *want)
{
    const float *g = uncork_value_data(got), *w = want->data;
    double largest = 0;
    CHECK_INT(uncork_value_dtype(got), UNCORK_FLOAT32);
    CHECK_INT(uncork_value_count(got), uc_tensor_count(want));
    for (int64_t k = 0; k < uc_tensor_count(want); k++)
        largest = fmax(largest, fabs((double)w[k]));
    for (int64_t k = 0; k < uc_tensor_count(want); k++) {
        const double off = fabs((double)g[k] - (double)w[k]);
        if (!(off <= 1e-5 * fabs((double)w[k]) + 1e-6 * largest))
            fail_msg("%s, function %d: value %d is %.9g, expected %.9g", python, i, (int)k,
                     (double)g[k], (double)w[k]);
    }
}

static void lambdas_of_every_python_answer_as_keras_does(void **state)
{
    (void)state;
    const cases c = open_cases();
    uncork_error error = {.size = sizeof error};
    const uc_tensor *x = dataset(&c, "x");
    for (int minor = 6; minor <= 13; minor++) {
        char name[32];
        uncork_model *model;
        uncork_session *session;
        uncork_value *in;
        (void)snprintf(name, sizeof name, "python3.%d", minor);
        const uc_tensor *config = dataset(&c, name);
        CHECK(config && x);
        uc_error_init(&error);
        CHECK_OK(
            prepare(&c, (uc_bytes){config->data, (size_t)uc_tensor_count(config)}, &model, &error),
            &error);
        CHECK_OK(uncork_value_wrap(x->dtype, x->rank, x->shape, x->data, &in), &error);
        CHECK_OK(uncork_session_new(model, NULL, &session), &error);
        CHECK_OK(uncork_session_run(session, (const uncork_value *const *)&in, 1, NULL, &error),
                 &error);
        CHECK(uncork_model_output_count(model) >= 50);
        for (int i = 0; i < uncork_model_output_count(model); i++) {
            char number[32];
            (void)snprintf(number, sizeof number, "y%02d", i);
            const uc_tensor *want = dataset(&c, number);
            CHECK(want != NULL);
            check_output(name, i, uncork_session_output(session, i), want);
        }
        uncork_value_free(in);
        uncork_session_free(session);
        uncork_model_free(model);
    }
    uc_arena_free(c.arena);
}

/* Bytes of the code are changed: an answer or one line, whatever they say. */
static void damaged_bytecode_is_a_failure_or_an_answer(void **state)
{
    (void)state;
    const cases c = open_cases();
    uint32_t seed = 5;
    for (int minor = 7; minor <= 13; minor += 2) {
        char name[32];
        (void)snprintf(name, sizeof name, "python3.%d", minor);
        const uc_tensor *config = dataset(&c, name);
        CHECK(config != NULL);
        const size_t size = (size_t)uc_tensor_count(config);
        char *copy = uc_arena_alloc_raw(c.arena, size);
        for (int round = 0; round < 40; round++) {
            uncork_error error = {.size = sizeof error};
            uncork_model *model;
            memcpy(copy, config->data, size);
            for (size_t i = 0; i + 12 < size; i++) { /* inside of base 64 alone */
                if (memcmp(copy + i, "\"function\": [", 12) != 0) continue;
                seed = seed * 1664525u + 1013904223u;
                const size_t at = i + 16 + (seed >> 16) % 200;
                if (at < size &&
                    ((copy[at] >= 'A' && copy[at] <= 'Z') ||
                     (copy[at] >= 'a' && copy[at] <= 'z')) &&
                    copy[at - 1] != '\\')
                    copy[at] = (char)('A' + (seed >> 8) % 26);
            }
            uc_error_init(&error);
            if (prepare(&c, (uc_bytes){(const uint8_t *)copy, size}, &model, &error))
                CHECK(error.what[0] != 0);
            uncork_model_free(model);
        }
    }
    uc_arena_free(c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lambdas_of_every_python_answer_as_keras_does),
        cmocka_unit_test(damaged_bytecode_is_a_failure_or_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
