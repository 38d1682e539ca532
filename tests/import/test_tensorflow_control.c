/* Control flow, lists and exports of TensorFlow against the framework's own answers:
 * tests/fixtures/gen/tensorflow_control.py, tensorflow_exports.py. Strings, integers and truths are equal,
 * |got - want| <= 1e-4 |want| + 1e-5 max|want| else.
 *
 * UC_CASE=while: only the models whose name begins so. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/tensorflow"

enum { PORTS = 16 };

typedef struct archive {
    uc_arena *arena;
    uc_bundle *bundle;
    char folder[64];
    size_t models, wrong;
} archive;

static uc_bytes read_entry(archive *a, size_t i)
{
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    CHECK_OK(uc_bundle_read(a->bundle, i, &bytes, &error), &error);
    return bytes;
}

/* The entry as a file below the folder; folders are made. */
static void write_out(archive *a, size_t i)
{
    uncork_error error = {.size = sizeof error};
    char *path = (char *)(uintptr_t)uc_arena_printf(a->arena, "%s/%s", a->folder,
                                                    uc_bundle_name(a->bundle, i));
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    CHECK_OK(uc_file_write(path, read_entry(a, i), &error), &error);
}

static void open_archive(archive *a, const char *name)
{
    uncork_error error = {.size = sizeof error};
    *a = (archive){.arena = uc_arena_new(NULL)};
    (void)snprintf(a->folder, sizeof a->folder, "/tmp/uncork-control-XXXXXX");
    CHECK(mkdtemp(a->folder) != NULL);
    const char *path = uc_arena_printf(a->arena, FOLDER "/%s", name);
    CHECK_OK(uc_bundle_open(path, true, a->arena, NULL, &a->bundle, &error), &error);
    for (size_t i = 0; i < uc_bundle_count(a->bundle); i++) {
        if (!strstr(uc_bundle_name(a->bundle, i), "/runs/")) write_out(a, i);
    }
}

static void close_archive(archive *a)
{
    for (size_t i = uc_bundle_count(a->bundle); i-- > 0;) {
        char *path = (char *)(uintptr_t)uc_arena_printf(a->arena, "%s/%s", a->folder,
                                                        uc_bundle_name(a->bundle, i));
        (void)unlink(path);
        for (char *slash = strrchr(path, '/'); slash && slash > path + strlen(a->folder);
             slash = strrchr(path, '/')) {
            *slash = '\0';
            (void)rmdir(path);
        }
    }
    (void)rmdir(a->folder);
    uc_arena_free(a->arena);
}

/* ---- a run ----------------------------------------------------------------------------------- */

static const uc_tensor *array(archive *a, const char *model, int run, const char *what,
                              const char *name)
{
    uncork_error error = {.size = sizeof error};
    uc_npy npy;
    const size_t i = uc_bundle_find(
        a->bundle, uc_arena_printf(a->arena, "%s/runs/%d/%s_%s.npy", model, run, what, name));
    if (i == SIZE_MAX) return NULL;
    CHECK_OK(uc_npy_read(read_entry(a, i), 0, a->arena, &npy, &error), &error);
    return npy.tensor;
}

static bool same_element(const uncork_value *got, const uc_tensor *want, int64_t i, double largest)
{
    if (want->dtype == UNCORK_STRING) {
        size_t n = 0;
        const uc_str w = uc_tensor_string(want, i);
        const char *g = uncork_value_string(got, i, &n);
        return n == w.size && memcmp(g, w.data, n) == 0;
    }
    const void *data = uncork_value_data(got);
    if (!uc_dtype_is_float(want->dtype)) {
        return uc_dtype_load_i64(data, i, want->dtype) ==
               uc_dtype_load_i64(want->data, i, want->dtype);
    }
    const double g = uc_dtype_load_f64(data, i, want->dtype);
    const double w = uc_dtype_load_f64(want->data, i, want->dtype);
    return fabs(g - w) <= 1e-4 * fabs(w) + 1e-5 * largest;
}

static bool same(const uncork_value *got, const uc_tensor *want)
{
    double largest = 0;
    bool fits = uncork_value_rank(got) == want->rank && uncork_value_dtype(got) == want->dtype;
    for (int d = 0; fits && d < want->rank; d++)
        fits = uncork_value_shape(got)[d] == want->shape[d];
    if (!fits) return false;
    const int64_t count = uc_tensor_count(want);
    for (int64_t i = 0; uc_dtype_is_float(want->dtype) && i < count; i++)
        largest = fmax(largest, fabs(uc_dtype_load_f64(want->data, i, want->dtype)));
    for (int64_t i = 0; i < count; i++) {
        if (!same_element(got, want, i, largest)) return false;
    }
    return true;
}

/* Run k of a model; false: there is no such run. */
static bool check_run(archive *a, const char *name, uncork_model *model, int k, bool *right)
{
    uncork_error error = {.size = sizeof error};
    uncork_value *in[PORTS] = {0};
    uncork_session *session;
    const int inputs = uncork_model_input_count(model), outputs = uncork_model_output_count(model);
    CHECK(inputs <= PORTS);
    for (int i = 0; i < inputs; i++) {
        const uc_tensor *x = array(a, name, k, "in", uncork_model_input_name(model, i));
        if (!x) return false;
        CHECK_OK(uc_value_over(x, &in[i]), &error);
    }
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    for (int again = 0; again < 2 && *right; again++) { /* what is kept between runs does no harm */
        if (uncork_session_run(session, (const uncork_value *const *)in, inputs, NULL, &error)) {
            print_error("%s, run %d: %s: %s\n", name, k, error.where, error.what);
            *right = false;
        }
        for (int i = 0; i < outputs && *right; i++) {
            const char *output = uncork_model_output_name(model, i);
            const uc_tensor *want = array(a, name, k, "out", output);
            *right = want && same(uncork_session_output(session, i), want);
            if (!*right) print_error("%s, run %d: output %s\n", name, k, output);
        }
    }
    uncork_session_free(session);
    for (int i = 0; i < inputs; i++)
        uncork_value_free(in[i]);
    return true;
}

static void check_model(archive *a, const char *name, const char *file)
{
    uncork_error error = {.size = sizeof error};
    uncork_file *f;
    uncork_model *model = NULL;
    const char *path = uc_arena_printf(a->arena, "%s/%s%s", a->folder, name, file);
    bool right = true;
    int runs = 0;
    a->models++;
    CHECK_OK(uncork_open(path, NULL, &f, &error), &error);
    if (uncork_prepare(f, NULL, NULL, &model, &error)) {
        print_error("%s: %s: %s\n", name, error.where, error.what);
        a->wrong++;
        uncork_file_close(f);
        return;
    }
    while (check_run(a, name, model, runs, &right))
        runs++;
    if (!runs) print_error("%s: its inputs are called otherwise\n", name);
    a->wrong += !right || !runs;
    uncork_model_free(model);
    uncork_file_close(f);
}

static void check_archive(const char *zip)
{
    archive a;
    const char *only = getenv("UC_CASE");
    open_archive(&a, zip);
    for (size_t i = 0; i < uc_bundle_count(a.bundle); i++) {
        const char *entry = uc_bundle_name(a.bundle, i), *slash = strchr(entry, '/');
        if (!slash || strchr(slash + 1, '/')) continue;
        const bool saved = strcmp(slash, "/saved_model.pb") == 0;
        const bool frozen =
            strcmp(slash, "/frozen.pb") == 0 || strcmp(slash, "/frozen_inference_graph.pb") == 0;
        const char *name = uc_arena_printf(a.arena, "%.*s", (int)(slash - entry), entry);
        if (only && strncmp(name, only, strlen(only)) != 0) continue;
        if (saved || frozen) check_model(&a, name, saved ? "" : slash);
    }
    const size_t models = a.models, wrong = a.wrong;
    close_archive(&a);
    if (wrong) fail_msg("%zu of %zu models of %s", wrong, models, zip);
    CHECK(models > 0 || only);
}

static void functions_answer_as_tensorflow_does(void **state)
{
    (void)state;
    check_archive("functions.zip");
}

static void frames_of_tensorflow_1_answer_as_it_does(void **state)
{
    (void)state;
    check_archive("frames.zip");
}

static void exports_answer_as_tensorflow_does(void **state)
{
    (void)state;
    check_archive("exports.zip");
}

/* Whatever a file says, an import ends, with a message or a model; a run ends within its time. */
static void control_flow_that_goes_nowhere_ends(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_arena *arena = uc_arena_new(NULL);
    uc_bundle *bundle;
    size_t seen = 0;
    CHECK_OK(uc_bundle_open(UC_SOURCE_DIR "/tests/hostile/tensorflow", true, arena, NULL, &bundle,
                            &error),
             &error);
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        uncork_file *file;
        uncork_model *model = NULL;
        if (strncmp(name, "control_", 8) != 0) continue;
        seen++;
        const char *path =
            uc_arena_printf(arena, UC_SOURCE_DIR "/tests/hostile/tensorflow/%s", name);
        if (uncork_open(path, NULL, &file, &error)) continue;
        if (uncork_prepare(file, NULL, NULL, &model, &error) && !error.what[0])
            fail_msg("%s was refused without a word", name);
        uncork_model_free(model);
        uncork_file_close(file);
    }
    CHECK(seen > 15);
    uc_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_answer_as_tensorflow_does),
        cmocka_unit_test(frames_of_tensorflow_1_answer_as_it_does),
        cmocka_unit_test(exports_answer_as_tensorflow_does),
        cmocka_unit_test(control_flow_that_goes_nowhere_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
