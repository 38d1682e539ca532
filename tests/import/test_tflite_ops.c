/* Single operators of TensorFlow Lite, quantised ones to the byte with each set of kernels:
 * tests/fixtures/gen/tflite_ops.py; small networks as the converter writes them: tflite_converted.py. products.npz is
 * tflite_ops.py --random 200 of batch_matmul and 40 of l2_normalization, 18 of them. UC_TFLITE_OPS names another file of cases.
 * Bounds: float32 within 1e-5 of each value and 1e-6 of the largest (whose operator quantises its input at run
 * time: 1e-5 of the largest); all other types equal. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct cases {
    uc_arena *arena;
    uc_bundle *bundle;
    size_t models, wrong;
    const char *only;
} cases;

static const uc_tensor *array(const cases *c, uc_arena *arena, const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    uc_npy npy;
    const size_t i = uc_bundle_find(c->bundle, name);
    if (i == SIZE_MAX) return NULL;
    CHECK_OK(uc_bundle_read(c->bundle, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, arena, &npy, &error), &error);
    return npy.tensor;
}

static bool is_close(const uncork_value *got, const uc_tensor *want, char *why, size_t size)
{
    const void *data = uncork_value_data(got);
    const int64_t count = uc_tensor_count(want);
    double largest = 0;
    if (uncork_value_dtype(got) != want->dtype || uncork_value_count(got) != count) {
        (void)snprintf(why, size, "another type or size");
        return false;
    }
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(uc_dtype_load_f64(want->data, i, want->dtype)));
    int64_t off = 0, first = -1;
    for (int64_t i = 0; i < count; i++) {
        const double g = uc_dtype_load_f64(data, i, want->dtype);
        const double w = uc_dtype_load_f64(want->data, i, want->dtype);
        const double bound = uc_dtype_is_float(want->dtype) ? 1e-5 * fabs(w) + 2e-6 * largest : 0;
        if (fabs(g - w) <= bound || (isnan(g) && isnan(w))) continue;
        if (isinf(g) && g == w) continue;
        if (first < 0) first = i;
        off++;
    }
    if (off == 0) return true;
    (void)snprintf(why, size, "%d of %d differ, the first at %d: %.9g, not %.9g", (int)off,
                   (int)count, (int)first, uc_dtype_load_f64(data, first, want->dtype),
                   uc_dtype_load_f64(want->data, first, want->dtype));
    return false;
}

static bool run_one(const cases *c, uc_arena *arena, const char *name, uncork_kernels kernels,
                    char *why, size_t size)
{
    static const char *const words[] = {"out", "builtin", "reference"};
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    uncork_model *model = NULL;
    uncork_session *session = NULL;
    uncork_value *in[8] = {NULL};
    const uc_tensor *bytes = array(c, arena, uc_arena_printf(arena, "%s.model.npy", name));
    const uncork_prepare_options options = {.size = sizeof options, .kernels = kernels};
    bool same = uncork_open_memory(bytes->data, (size_t)uc_tensor_count(bytes), name, NULL, &file,
                                   &error) == UNCORK_OK;
    if (same) {
        same = uncork_prepare(file, NULL, &options, &model, &error) == UNCORK_OK;
        uncork_file_close(file);
    }
    const int inputs = same ? uncork_model_input_count(model) : 0;
    for (int i = 0; same && i < inputs && i < 8; i++) {
        const uc_tensor *x = array(c, arena, uc_arena_printf(arena, "%s.in%d.npy", name, i));
        if (!x) fail_msg("%s has no input %d", name, i);
        CHECK_OK(uncork_value_wrap(x->dtype, x->rank, x->shape, x->data, &in[i]), &error);
    }
    same = same && uncork_session_new(model, NULL, &session) == UNCORK_OK &&
           uncork_session_run(session, (const uncork_value *const *)in, inputs, NULL, &error) ==
               UNCORK_OK;
    if (!same) (void)snprintf(why, size, "%s", error.what);
    for (int i = 0; same && i < uncork_model_output_count(model); i++) {
        const uc_tensor *want =
            array(c, arena, uc_arena_printf(arena, "%s.%s%d.npy", name, words[kernels], i));
        if (!want) want = array(c, arena, uc_arena_printf(arena, "%s.out%d.npy", name, i));
        if (!want) fail_msg("%s has no output %d", name, i);
        same = is_close(uncork_session_output(session, i), want, why, size);
    }
    uncork_session_free(session);
    for (int i = 0; i < 8; i++)
        uncork_value_free(in[i]);
    uncork_model_free(model);
    return same;
}

static void run_case(cases *c, const char *name)
{
    static const char *const sets[] = {"xnnpack", "builtin", "reference"};
    for (int k = 0; k < 3; k++) {
        uc_arena *arena = uc_arena_new(NULL);
        char why[300] = "";
        const bool none = uc_bundle_find(c->bundle, uc_arena_printf(arena, "%s.%s.npy", name,
                                                                    sets[k])) != SIZE_MAX;
        if (!none && !run_one(c, arena, name, (uncork_kernels)k, why, sizeof why)) {
            print_message("%s, %s: %s\n", name, sets[k], why);
            c->wrong++;
        }
        uc_arena_free(arena);
    }
    c->models++;
}

static void run_file(const char *path)
{
    uncork_error error = {.size = sizeof error};
    cases c = {.arena = uc_arena_new(NULL), .only = getenv("UC_TFLITE_ONLY")};
    CHECK_OK(uc_bundle_open(path, true, c.arena, NULL, &c.bundle, &error), &error);
    for (size_t i = 0; i < uc_bundle_count(c.bundle); i++) {
        const char *name = uc_bundle_name(c.bundle, i), *end = strstr(name, ".model.npy");
        if (!end || (c.only && !strstr(name, c.only))) continue;
        run_case(&c, uc_arena_printf(c.arena, "%.*s", (int)(end - name), name));
    }
    const size_t models = c.models, wrong = c.wrong;
    uc_arena_free(c.arena);
    if (wrong) fail_msg("%d of %d answers differ", (int)wrong, (int)(3 * models));
    CHECK(models > 0);
}

static void operators_answer_as_each_set_of_kernels_does(void **state)
{
    const char *path = getenv("UC_TFLITE_OPS");
    (void)state;
    run_file(path ? path : UC_SOURCE_DIR "/tests/fixtures/tflite/ops.npz");
}

static void products_and_lengths_of_bytes_round_as_the_interpreter_does(void **state)
{
    (void)state;
    run_file(UC_SOURCE_DIR "/tests/fixtures/tflite/products.npz");
}

static void converted_networks_and_select_tf_operators_answer_as_the_interpreter_does(void **state)
{
    (void)state;
    run_file(UC_SOURCE_DIR "/tests/fixtures/tflite/converted.npz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_answer_as_each_set_of_kernels_does),
        cmocka_unit_test(products_and_lengths_of_bytes_round_as_the_interpreter_does),
        cmocka_unit_test(converted_networks_and_select_tf_operators_answer_as_the_interpreter_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
