/* Whole files of TensorFlow against TensorFlow's own answers: tests/fixtures/gen/tensorflow_models.py.
 * Bound: |got - want| <= 1e-5 |want| + 1e-6 max|want|; strings, integers and truths are equal. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/tensorflow"

enum { INPUTS = 8 };

typedef struct answers {
    uc_arena *arena;
    uc_bundle *arrays;
} answers;

static answers open_answers(void)
{
    uncork_error error = {.size = sizeof error};
    answers a = {.arena = uc_arena_new(NULL)};
    CHECK_OK(uc_bundle_open(FOLDER "/cases.npz", true, a.arena, NULL, &a.arrays, &error), &error);
    return a;
}

static const uc_tensor *array(const answers *a, const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    uc_npy npy;
    const size_t i = uc_bundle_find(a->arrays, uc_arena_printf(a->arena, "%s.npy", name));
    if (i == SIZE_MAX) return NULL;
    CHECK_OK(uc_bundle_read(a->arrays, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, a->arena, &npy, &error), &error);
    return npy.tensor;
}

static uncork_model *open_model(const char *file, const char *entry)
{
    uncork_error error = {.size = sizeof error};
    char path[512];
    uncork_file *f;
    uncork_model *model = NULL;
    (void)snprintf(path, sizeof path, FOLDER "/%s", file);
    CHECK_OK(uncork_open(path, NULL, &f, &error), &error);
    CHECK_OK(uncork_prepare(f, entry, NULL, &model, &error), &error);
    uncork_file_close(f);
    return model;
}

static void check_strings(const char *name, const uc_tensor *got, const uc_tensor *want)
{
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        uc_str g = uc_tensor_string(got, i), w = uc_tensor_string(want, i);
        while (w.size && w.data[w.size - 1] == '\0') { /* NumPy pads */
            w.size--;
        }
        if (!uc_str_equal(g, w)) {
            fail_msg("%s: text %d is '%.*s', expected '%.*s'", name, (int)i, (int)g.size, g.data,
                     (int)w.size, w.data);
        }
    }
}

static void check_same(const char *name, const uc_tensor *got, const uc_tensor *want)
{
    double largest = 0;
    CHECK_INT(got->dtype, want->dtype);
    CHECK_INT(got->rank, want->rank);
    for (int d = 0; d < want->rank; d++) {
        CHECK_INT(got->shape[d], want->shape[d]);
    }
    if (want->dtype == UNCORK_STRING) {
        check_strings(name, got, want);
        return;
    }
    const bool is_complex = want->dtype == UNCORK_COMPLEX64;
    const uncork_dtype dtype = is_complex ? UNCORK_FLOAT32 : want->dtype;
    const int64_t count = uc_tensor_count(want) * (is_complex ? 2 : 1);
    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(uc_dtype_load_f64(want->data, i, dtype)));
    }
    for (int64_t i = 0; i < count; i++) {
        const double g = uc_dtype_load_f64(got->data, i, dtype);
        const double w = uc_dtype_load_f64(want->data, i, dtype);
        const double bound = uc_dtype_is_float(dtype) ? 1e-5 * fabs(w) + 1e-6 * largest : 0;
        if (!(fabs(g - w) <= bound))
            fail_msg("%s: element %d is %.9g, expected %.9g", name, (int)i, g, w);
    }
}

/* Runs an entry on the inputs that are there (others have defaults) and compares every expected output. */
static void check_entry(const answers *a, const char *file, const char *which, const char *entry,
                        int outputs)
{
    uncork_error error = {.size = sizeof error};
    uncork_model *model = open_model(file, entry);
    const int count = uncork_model_input_count(model);
    uncork_value *in[INPUTS] = {NULL};
    uncork_session *session;
    int compared = 0;
    CHECK(count <= INPUTS);
    for (int i = 0; i < count; i++) {
        const uc_tensor *x = array(a, uc_arena_printf(a->arena, "%s.%s.in.%s", which, entry,
                                                      uncork_model_input_name(model, i)));
        if (!x) {
            CHECK(uncork_model_input_optional(model, i));
            continue;
        }
        CHECK_OK(uc_value_over(x, &in[i]), &error);
    }
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    CHECK_OK(uncork_session_run(session, (const uncork_value *const *)in, count, NULL, &error),
             &error);
    for (int i = 0; i < uncork_model_output_count(model); i++) {
        const char *name = uc_arena_printf(a->arena, "%s.%s.out.%s", which, entry,
                                           uncork_model_output_name(model, i));
        const uc_tensor *want = array(a, name);
        if (!want) continue;
        check_same(name, uc_value_tensor(uncork_session_output(session, i)), want);
        compared++;
    }
    CHECK_INT(compared, outputs);
    uncork_session_free(session);
    for (int i = 0; i < count; i++) {
        uncork_value_free(in[i]);
    }
    uncork_model_free(model);
}

static void check(const char *file, const char *which, const char *entry, int outputs)
{
    answers a = open_answers();
    check_entry(&a, file, which, entry, outputs);
    uc_arena_free(a.arena);
}

/* ---- SavedModels ----------------------------------------------------------------------------- */

static void every_signature_of_a_saved_model_is_an_entry(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    CHECK_OK(uncork_open(FOLDER "/module.zip", NULL, &file, &error), &error);
    CHECK_INT(uncork_file_entry_count(file), 4);
    CHECK_STR(uncork_file_entry_name(file, 0), "serving_default");
    CHECK_STR(uncork_file_entry_name(file, 1), "count");
    CHECK_STR(uncork_file_entry_name(file, 2), "custom");
    CHECK_STR(uncork_file_entry_name(file, 3), "stored");
    uncork_file_close(file);
    check("module.zip", "module", "serving_default", 2);
    check("module.zip", "module", "custom", 1);
}

static void variables_of_every_type_come_out_of_the_bundle(void **state)
{
    (void)state;
    check("module.zip", "module", "stored", 4);
}

static void reads_see_what_the_call_assigned_before_them(void **state)
{
    (void)state;
    check("module.zip", "module", "count", 3);
}

static void tables_are_filled_from_assets_and_constants(void **state)
{
    (void)state;
    check("tables.zip", "tables", "serving_default", 2);
    check("tables.zip", "tables", "line", 1);
}

static void an_exported_keras_model_answers(void **state)
{
    (void)state;
    check("keras3.zip", "keras3", "serving_default", 1);
}

static void the_meta_graph_that_serves_is_taken(void **state)
{
    (void)state;
    check("v1_saved.zip", "v1_saved", "serving_default", 1);
    check("v1_saved.zip", "v1_saved", "hidden", 1);
}

static void a_saved_model_as_text_is_the_same(void **state)
{
    (void)state;
    check("text.zip", "text", "serving_default", 2);
    check("text.zip", "text", "stored", 4);
}

static void big_endian_and_packed_bundles_are_read(void **state)
{
    (void)state;
    check("swapped.zip", "swapped", "serving_default", 2);
    check("swapped.zip", "swapped", "stored", 4);
}

/* ---- checkpoints and graphs ------------------------------------------------------------------ */

static void a_meta_graph_takes_its_checkpoint_of_either_version(void **state)
{
    (void)state;
    check("ckpt_v2.zip", "ckpt_v2", "predict", 1);
    check("ckpt_v1.zip", "ckpt_v1", "predict", 1);
}

static void a_frozen_graph_finds_its_answers_among_what_training_left(void **state)
{
    (void)state;
    uncork_model *model = open_model("frozen.pb", NULL);
    CHECK_INT(uncork_model_input_count(model), 2);
    CHECK_STR(uncork_model_input_name(model, 0), "x");
    CHECK_STR(uncork_model_input_name(model, 1), "rate");
    CHECK(uncork_model_input_optional(model, 1));
    CHECK_INT(uncork_model_output_count(model), 2);
    uncork_model_free(model);
    check("frozen.pb", "frozen", "predict", 2);
    check("frozen.pbtxt", "frozen", "predict", 2);
}

static void constants_are_read_however_they_are_stored(void **state)
{
    (void)state;
    check("constants.pb", "constants", "predict", 14);
    check("constants_typed.pb", "constants_typed", "predict", 15);
}

/* As TensorFlow's sessions take them: by the tensor's name, and in place of any tensor. */
static void inputs_go_by_the_names_of_tensors(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    static const int64_t shape[] = {2, 3};
    uncork_fed fed = {"x:0", UNCORK_FLOAT32, 2, shape};
    uncork_prepare_options options = {.size = sizeof options, .fed = &fed, .fed_count = 1};
    uncork_file *file;
    uncork_model *model;
    CHECK_OK(uncork_open(FOLDER "/frozen.pb", NULL, &file, &error), &error);
    CHECK_OK(uncork_prepare(file, NULL, &options, &model, &error), &error);
    CHECK_STR(uncork_model_input_name(model, 0), "x:0");
    uncork_model_free(model);
    fed.name = "BiasAdd";
    CHECK_OK(uncork_prepare(file, NULL, &options, &model, &error), &error);
    CHECK_INT(uncork_model_input_count(model), 2);
    CHECK_STR(uncork_model_input_name(model, 0), "rate");
    CHECK_STR(uncork_model_input_name(model, 1), "BiasAdd");
    uncork_model_free(model);
    uncork_file_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signature_of_a_saved_model_is_an_entry),
        cmocka_unit_test(variables_of_every_type_come_out_of_the_bundle),
        cmocka_unit_test(reads_see_what_the_call_assigned_before_them),
        cmocka_unit_test(tables_are_filled_from_assets_and_constants),
        cmocka_unit_test(an_exported_keras_model_answers),
        cmocka_unit_test(the_meta_graph_that_serves_is_taken),
        cmocka_unit_test(a_saved_model_as_text_is_the_same),
        cmocka_unit_test(big_endian_and_packed_bundles_are_read),
        cmocka_unit_test(a_meta_graph_takes_its_checkpoint_of_either_version),
        cmocka_unit_test(a_frozen_graph_finds_its_answers_among_what_training_left),
        cmocka_unit_test(inputs_go_by_the_names_of_tensors),
        cmocka_unit_test(constants_are_read_however_they_are_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
