/* Layers and operators of Keras 3.15 and tf_keras 2.21, one a model, in each of their formats against their own
 * answers: tests/fixtures/gen/keras_layers.py. Bound: |got - want| <= 1e-5 |want| + 1e-6 max|want|; strings,
 * integers and truths are equal.
 *
 * UC_CASE=conv2d: only the cases whose name begins so. */
#include "base/dtype.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/keras/"

enum { PORTS = 8 };

typedef struct one_case {
    uc_bundle *arrays;
    uc_arena *arena;
    char name[80], why[1024];
    double slack; /* of the bound; 0: 1 */
} one_case;

static uc_bundle *open_archive(const char *path, uc_arena *arena)
{
    uncork_error error = {.size = sizeof error};
    uc_bundle *bundle;
    CHECK_OK(uc_bundle_open(path, true, arena, NULL, &bundle, &error), &error);
    return bundle;
}

static const uc_tensor *array(one_case *c, char letter, int number)
{
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    uc_npy npy;
    const char *path = uc_arena_printf(c->arena, "%s/%c%d.npy", c->name, letter, number);
    const size_t i = uc_bundle_find(c->arrays, path);
    if (i == SIZE_MAX) return NULL;
    CHECK_OK(uc_bundle_read(c->arrays, i, &bytes, &error), &error);
    CHECK_OK(uc_npy_read(bytes, 0, c->arena, &npy, &error), &error);
    return npy.tensor;
}

static uncork_value *value_of(one_case *c, const uc_tensor *x)
{
    uncork_error error = {.size = sizeof error};
    uncork_value *value = NULL;
    if (x->dtype != UNCORK_STRING) {
        CHECK_OK(uncork_value_wrap(x->dtype, x->rank, x->shape, x->data, &value), &error);
        return value;
    }
    const size_t n = (size_t)uc_tensor_count(x);
    const char **texts = UC_NEW(c->arena, const char *, n);
    size_t *lengths = UC_NEW(c->arena, size_t, n);
    for (size_t i = 0; i < n; i++) {
        texts[i] = uc_tensor_string(x, (int64_t)i).data;
        lengths[i] = uc_tensor_string(x, (int64_t)i).size;
    }
    CHECK_OK(uncork_value_new_strings(x->rank, x->shape, texts, lengths, &value), &error);
    return value;
}

static bool near(double a, double b, double largest, double slack)
{
    if (isnan(b)) return isnan(a);
    if (isinf(b)) return a == b;
    return fabs(a - b) <= slack * (1e-5 * fabs(b) + 1e-6 * largest);
}

static bool same(one_case *c, const uc_tensor *got, const uc_tensor *want, int port)
{
    const int64_t n = uc_tensor_count(want);
    double largest = 0;
    bool shape = got->rank == want->rank;
    for (int d = 0; d < want->rank && shape; d++)
        shape = got->shape[d] == want->shape[d];
    if (!shape || got->dtype != want->dtype) {
        (void)snprintf(c->why, sizeof c->why,
                       "output %d: %s of rank %d [%d ...], not %s of %d [%d ...]", port,
                       uc_dtype_name(got->dtype), got->rank,
                       got->rank ? (int)got->shape[got->rank - 1] : 0, uc_dtype_name(want->dtype),
                       want->rank, want->rank ? (int)want->shape[want->rank - 1] : 0);
        return false;
    }
    if (want->dtype == UNCORK_STRING) {
        for (int64_t i = 0; i < n; i++) {
            if (!uc_str_equal(uc_tensor_string(got, i), uc_tensor_string(want, i))) return false;
        }
        return true;
    }
    const bool real = uc_dtype_is_float(want->dtype);
    for (int64_t i = 0; i < n; i++) {
        const double w = fabs(uc_dtype_load_f64(want->data, i, want->dtype));
        if (isfinite(w)) largest = fmax(largest, w);
    }
    for (int64_t i = 0; i < n; i++) {
        const double a = uc_dtype_load_f64(got->data, i, got->dtype),
                     b = uc_dtype_load_f64(want->data, i, want->dtype);
        if (real ? near(a, b, largest, c->slack > 0 ? c->slack : 1) : a == b) continue;
        (void)snprintf(c->why, sizeof c->why, "output %d, value %d is %.9g, expected %.9g", port,
                       (int)i, a, b);
        return false;
    }
    return true;
}

static bool say(one_case *c, const uncork_error *e)
{
    (void)snprintf(c->why, sizeof c->why, "%s: %s", e->where, e->what);
    return false;
}

/* The inputs by their names "x0", "x1", ... of a signature, else by position. */
static bool run(one_case *c, uncork_model *model)
{
    uncork_error error = {.size = sizeof error};
    uncork_value *in[PORTS] = {0};
    uncork_session *session;
    const int inputs = uncork_model_input_count(model), outputs = uncork_model_output_count(model);
    CHECK(inputs <= PORTS);
    for (int i = 0; i < inputs; i++) {
        const char *name = uncork_model_input_name(model, i);
        const bool numbered = name[0] == 'x' && name[1] >= '0' && name[1] <= '9' && !name[2];
        const uc_tensor *x = array(c, 'x', numbered ? name[1] - '0' : i);
        CHECK(x != NULL);
        in[i] = value_of(c, x);
    }
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    bool ok = !uncork_session_run(session, (const uncork_value *const *)in, inputs, NULL, &error) ||
              say(c, &error);
    for (int i = 0; i < outputs && ok; i++) {
        const char *name = uncork_model_output_name(model, i);
        const bool numbered = name[0] == 'y' && name[1] >= '0' && name[1] <= '9' && !name[2];
        const uc_tensor *want = array(c, 'y', numbered ? name[1] - '0' : i);
        ok = want && same(c, uc_value_tensor(uncork_session_output(session, i)), want, i);
    }
    uncork_session_free(session);
    for (int i = 0; i < inputs; i++)
        uncork_value_free(in[i]);
    return ok;
}

static bool run_file(one_case *c, uncork_file *file, const char *entry)
{
    uncork_error error = {.size = sizeof error};
    uncork_model *model;
    if (uncork_prepare(file, entry, NULL, &model, &error)) return say(c, &error);
    const bool ok = run(c, model);
    uncork_model_free(model);
    return ok;
}

static bool wanted(const char *name)
{
    const char *only = getenv("UC_CASE");
    return !only || strncmp(name, only, strlen(only)) == 0;
}

static void set_name(one_case *c, const char *entry)
{
    (void)snprintf(c->name, sizeof c->name, "%.*s", (int)strcspn(entry, "/"), entry);
    c->why[0] = 0;
}

static void count(const one_case *c, bool ok, size_t *right, size_t *wrong)
{
    *(ok ? right : wrong) += 1;
    if (!ok) print_message("%s: %s\n", c->name, c->why);
}

/* Every model of an archive. */
static void check_models(const char *keras, const char *kind, size_t least)
{
    uc_arena *arena = uc_arena_new(NULL);
    char path[512];
    size_t right = 0, wrong = 0;
    (void)snprintf(path, sizeof path, FOLDER "layers_%s_arrays.tar.xz", keras);
    one_case c = {.arrays = open_archive(path, arena), .arena = arena};
    (void)snprintf(path, sizeof path, FOLDER "layers_%s_%s.tar.xz", keras, kind);
    uc_bundle *models = open_archive(path, arena);
    for (size_t i = 0; i < uc_bundle_count(models); i++) {
        uncork_error error = {.size = sizeof error};
        uncork_file *file;
        uc_bytes bytes;
        set_name(&c, uc_bundle_name(models, i));
        if (!wanted(c.name)) continue;
        CHECK_OK(uc_bundle_read(models, i, &bytes, &error), &error);
        if (uncork_open_memory(bytes.data, bytes.size, uc_bundle_name(models, i), NULL, &file,
                               &error)) {
            count(&c, say(&c, &error), &right, &wrong);
            continue;
        }
        count(&c, run_file(&c, file, NULL), &right, &wrong);
        uncork_file_close(file);
    }
    print_message("%s, %s: %zu right, %zu wrong\n", keras, kind, right, wrong);
    CHECK_INT(wrong, 0);
    CHECK(right >= least || getenv("UC_CASE"));
    uc_arena_free(arena);
}

/* Every signature of the one SavedModel. */
static void check_saved(const char *keras, size_t least)
{
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    uncork_file *file;
    char path[512];
    size_t right = 0, wrong = 0;
    (void)snprintf(path, sizeof path, FOLDER "layers_%s_arrays.tar.xz", keras);
    one_case c = {.arrays = open_archive(path, arena), .arena = arena};
    (void)snprintf(path, sizeof path, FOLDER "layers_%s_saved.tar.xz", keras);
    CHECK_OK(uncork_open(path, NULL, &file, &error), &error);
    for (int i = 0; i < uncork_file_entry_count(file); i++) {
        const char *entry = uncork_file_entry_name(file, i);
        set_name(&c, entry);
        if (!wanted(c.name) || !array(&c, 'y', 0)) continue;
        count(&c, run_file(&c, file, entry), &right, &wrong);
    }
    uncork_file_close(file);
    print_message("%s, SavedModel: %zu right, %zu wrong\n", keras, right, wrong);
    CHECK_INT(wrong, 0);
    CHECK(right >= least || getenv("UC_CASE"));
    uc_arena_free(arena);
}

static void layers_of_keras_3_in_h5(void **state)
{
    (void)state;
    check_models("keras", "h5", 120);
}

static void layers_of_keras_3_in_keras_files(void **state)
{
    (void)state;
    check_models("keras", "v3", 120);
}

static void layers_of_keras_3_in_a_saved_model(void **state)
{
    (void)state;
    check_saved("keras", 120);
}

static void layers_of_keras_2_in_h5(void **state)
{
    (void)state;
    check_models("tf_keras", "h5", 120);
}

static void layers_of_keras_2_in_keras_files(void **state)
{
    (void)state;
    check_models("tf_keras", "v3", 120);
}

static void layers_of_keras_2_in_a_saved_model(void **state)
{
    (void)state;
    check_saved("tf_keras", 120);
}

/* Weights alone: the network is told by their shapes. tests/fixtures/gen/keras_app_weights.py. */
static bool run_weights(one_case *c, uc_bytes bytes, const char *name)
{
    uncork_error error = {.size = sizeof error};
    const int64_t shape[] = {1, 224, 224, 3}, n = (int64_t)224 * 224 * 3;
    float *x = UC_NEW(c->arena, float, (size_t)n);
    uncork_file *file;
    uncork_model *model;
    uncork_session *session;
    uncork_value *in;
    CHECK(x != NULL);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)((double)(i % 251) / 125 - 1);
    if (uncork_open_memory(bytes.data, bytes.size, name, NULL, &file, &error))
        return say(c, &error);
    if (uncork_prepare(file, NULL, NULL, &model, &error)) return say(c, &error);
    CHECK_OK(uncork_value_wrap(UNCORK_FLOAT32, 4, shape, x, &in), &error);
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    bool ok = !uncork_session_run(session, (const uncork_value *const *)&in, 1, NULL, &error) ||
              say(c, &error);
    if (ok) {
        c->slack = 10; /* a whole network: 1e-4 and 1e-5 */
        ok = same(c, uc_value_tensor(uncork_session_output(session, 0)), array(c, 'y', 0), 0);
    }
    uncork_session_free(session);
    uncork_value_free(in);
    uncork_model_free(model);
    uncork_file_close(file);
    return ok;
}

static void weights_alone_are_known_by_their_shapes(void **state)
{
    static const char *const archives[] = {"apps_keras.tar.xz", "apps_tf_keras.tar.xz"};
    uc_arena *arena = uc_arena_new(NULL);
    size_t right = 0, wrong = 0;
    (void)state;
    for (size_t a = 0; a < 2; a++) {
        char path[512];
        (void)snprintf(path, sizeof path, FOLDER "%s", archives[a]);
        one_case c = {.arrays = open_archive(path, arena), .arena = arena};
        for (size_t i = 0; i < uc_bundle_count(c.arrays); i++) {
            uncork_error error = {.size = sizeof error};
            uc_bytes bytes;
            const char *name = uc_bundle_name(c.arrays, i);
            if (!strstr(name, ".h5")) continue;
            set_name(&c, name);
            CHECK_OK(uc_bundle_read(c.arrays, i, &bytes, &error), &error);
            count(&c, run_weights(&c, bytes, "m.h5"), &right, &wrong);
        }
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(right, 9);
    uc_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_of_keras_3_in_h5),
        cmocka_unit_test(layers_of_keras_3_in_keras_files),
        cmocka_unit_test(layers_of_keras_3_in_a_saved_model),
        cmocka_unit_test(layers_of_keras_2_in_h5),
        cmocka_unit_test(layers_of_keras_2_in_keras_files),
        cmocka_unit_test(layers_of_keras_2_in_a_saved_model),
        cmocka_unit_test(weights_alone_are_known_by_their_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
