/* Small genuine ONNX models, one for each thing the importer reads (tests/fixtures/gen/onnx_models.py),
 * give what onnx's reference evaluator gives. Sums are added in another order there: 1e-6 of the value in float32. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/onnx"

typedef struct arrays {
    uc_arena *arena;
    uc_bundle *bundle;
} arrays;

static arrays open_arrays(const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    arrays a = {.arena = uc_arena_new(NULL)};
    const char *path = uc_arena_printf(a.arena, FOLDER "/%s.npz", name);
    CHECK_OK(uc_bundle_open(path, true, a.arena, NULL, &a.bundle, &error), &error);
    return a;
}

/* "in.x" or "out.y"; NULL when the case has none of that name. */
static const uc_tensor *array(const arrays *a, const char *kind, const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_bytes bytes;
    uc_npy npy;
    const size_t i = uc_bundle_find(a->bundle, uc_arena_printf(a->arena, "%s.%s.npy", kind, name));
    if (i == SIZE_MAX) return NULL;
    CHECK_OK(uc_bundle_read(a->bundle, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, a->arena, &npy, &error), &error);
    return npy.tensor;
}

static void same_element(const char *name, const uc_tensor *got, const uc_tensor *want, int64_t i)
{
    if (got->dtype == UNCORK_STRING) {
        CHECK(uc_str_equal(uc_tensor_string(got, i), uc_tensor_string(want, i)));
        return;
    }
    const double a = uc_dtype_load_f64(got->data, i, got->dtype);
    const double b = uc_dtype_load_f64(want->data, i, want->dtype);
    const double bound = got->dtype == UNCORK_FLOAT32 ? 1e-6 * fabs(b) : 0;
    if (!(fabs(a - b) <= bound) && !(isnan(a) && isnan(b))) {
        fail_msg("%s: element %d is %.9g, expected %.9g", name, (int)i, a, b);
    }
}

static void same(const char *name, const uc_tensor *got, const uc_tensor *want)
{
    CHECK(want != NULL);
    CHECK_INT(got->dtype, want->dtype);
    CHECK_INT(got->rank, want->rank);
    for (int d = 0; d < got->rank; d++)
        CHECK_INT(got->shape[d], want->shape[d]);
    const int64_t count = uc_tensor_count(got);
    if (got->dtype == UNCORK_COMPLEX64) {
        CHECK_BYTES(got->data, want->data, (size_t)count * 8);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        same_element(name, got, want, i);
}

static uncork_model *open_model(const char *name)
{
    char path[256];
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model;
    (void)snprintf(path, sizeof path, FOLDER "/%s.onnx", name);
    CHECK_OK(uncork_open(path, NULL, &file, &error), &error);
    CHECK_STR(uncork_file_format(file), "onnx");
    CHECK_OK(uncork_prepare(file, NULL, NULL, &model, &error), &error);
    uncork_file_close(file);
    return model;
}

static void answers(const char *name)
{
    uncork_error error = {.size = sizeof error};
    uncork_model *model = open_model(name);
    arrays a = open_arrays(name);
    uncork_value *in[8] = {0};
    const int inputs = uncork_model_input_count(model);
    CHECK(inputs <= 8);
    for (int i = 0; i < inputs; i++) {
        const uc_tensor *t = array(&a, "in", uncork_model_input_name(model, i));
        if (t) CHECK_INT(uc_value_over(t, &in[i]), UNCORK_OK);
    }
    uncork_session *session;
    CHECK_INT(uncork_session_new(model, NULL, &session), UNCORK_OK);
    CHECK_OK(uncork_session_run(session, (const uncork_value *const *)in, inputs, NULL, &error),
             &error);
    for (int i = 0; i < uncork_model_output_count(model); i++) {
        const char *out = uncork_model_output_name(model, i);
        same(name, uc_value_tensor(uncork_session_output(session, i)), array(&a, "out", out));
    }
    uncork_session_free(session);
    for (int i = 0; i < inputs; i++)
        uncork_value_free(in[i]);
    uncork_model_free(model);
    uc_arena_free(a.arena);
}

static void a_plain_graph_is_right(void **state)
{
    (void)state;
    answers("layers");
}

static void nodes_in_any_order_are_sorted(void **state)
{
    (void)state;
    answers("unsorted");
}

static void initializers_listed_as_inputs_are_constants_up_to_ir_3(void **state)
{
    (void)state;
    uncork_model *model = open_model("layers_ir3");
    CHECK_INT(uncork_model_input_count(model), 1);
    uncork_model_free(model);
    answers("layers_ir3");
}

static void initializers_listed_as_inputs_are_defaults_from_ir_4(void **state)
{
    (void)state;
    uncork_model *model = open_model("defaults");
    CHECK_INT(uncork_model_input_count(model), 4);
    uncork_model_free(model);
    answers("defaults");
    answers("defaults_fed");
}

static void tensors_of_every_type_are_read_raw_and_typed(void **state)
{
    (void)state;
    answers("types_raw");
    answers("types_typed");
    answers("packed_odd");
    answers("strings");
}

static void constants_of_every_form_and_sparse_tensors_are_read(void **state)
{
    (void)state;
    answers("constants");
}

static void functions_are_inlined_with_attributes_and_defaults(void **state)
{
    (void)state;
    answers("functions");
    answers("overloads");
}

static void bodies_see_the_values_around_them(void **state)
{
    (void)state;
    if (!uc_op_find("", "If")) skip();
    answers("if_00");
    answers("if_01");
    answers("if_10");
    answers("if_11");
    answers("loop");
}

static void external_data_is_read_from_files_in_the_folder(void **state)
{
    (void)state;
    answers("external");
}

static void equal_names_of_dimensions_are_one_symbol(void **state)
{
    (void)state;
    uncork_model *model = open_model("layers");
    const uc_graph *g = uc_model_graph(model);
    CHECK(g->values[g->inputs[0]].shape[0] <= -2);
    CHECK_INT(g->values[g->outputs[0]].shape[0], g->values[g->inputs[0]].shape[0]);
    uncork_model_free(model);
}

static void inspect_tells_who_made_it_and_what_is_in_it(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    CHECK_OK(uncork_open(FOLDER "/metadata.onnx", NULL, &file, &error), &error);
    const char *json = uncork_file_json(file);
    CHECK(strstr(json, "\"producer\": \"uncork-tests\"") ||
          strstr(json, "\"producer\":\"uncork-tests\""));
    CHECK(strstr(json, "cat,dog"));
    CHECK(strstr(json, "a model for tests"));
    CHECK(strstr(json, "SCALE_TENSOR"));
    CHECK(strstr(json, "tensor(float)[batch,4]"));
    uncork_file_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_graph_is_right),
        cmocka_unit_test(nodes_in_any_order_are_sorted),
        cmocka_unit_test(initializers_listed_as_inputs_are_constants_up_to_ir_3),
        cmocka_unit_test(initializers_listed_as_inputs_are_defaults_from_ir_4),
        cmocka_unit_test(tensors_of_every_type_are_read_raw_and_typed),
        cmocka_unit_test(constants_of_every_form_and_sparse_tensors_are_read),
        cmocka_unit_test(functions_are_inlined_with_attributes_and_defaults),
        cmocka_unit_test(bodies_see_the_values_around_them),
        cmocka_unit_test(external_data_is_read_from_files_in_the_folder),
        cmocka_unit_test(equal_names_of_dimensions_are_one_symbol),
        cmocka_unit_test(inspect_tells_who_made_it_and_what_is_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
