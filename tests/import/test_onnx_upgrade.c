/* Every case of tests/import/onnx_upgrade.json: a one-node model of an older opset, through the public
 * interface, against what a genuine runtime gave (tests/fixtures/gen/onnx_upgrade_cases.py). */
#include "base/dtype.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base64.h"
#include "check.h"

#include <math.h>
#include <stdio.h>

enum { MAX_VALUES = 8 };

static uc_arena *arena;
static int failures;

static uncork_value *read_value(const uc_json *json)
{
    size_t rank = 0;
    int64_t *shape = uc_json_i64s(uc_json_get(json, "s"), arena, &rank);
    const uncork_dtype dtype = (uncork_dtype)uc_json_i64(uc_json_get(json, "t"), 0);
    const uc_json *data = uc_json_get(json, "d");
    uncork_value *v = NULL;
    if (dtype == UNCORK_STRING) {
        const size_t n = uc_json_count(data);
        const char **bytes = UC_NEW(arena, const char *, n);
        size_t *sizes = UC_NEW(arena, size_t, n);
        for (size_t i = 0; i < n; i++) {
            const uc_str s = uc_json_str(uc_json_at(data, i), "");
            bytes[i] = s.data;
            sizes[i] = s.size;
        }
        CHECK_INT(uncork_value_new_strings((int)rank, shape, bytes, sizes, &v), UNCORK_OK);
        return v;
    }
    CHECK_INT(uncork_value_new(dtype, (int)rank, shape, &v), UNCORK_OK);
    uint8_t *room = uc_arena_alloc(arena, data->string.size + 4, 1);
    const size_t bytes = decode_base64(data->string, room);
    if (bytes) memcpy(uncork_value_data(v), room, bytes);
    return v;
}

static bool same_element(const uncork_value *got, const uncork_value *want, int64_t i)
{
    const uncork_dtype dtype = uncork_value_dtype(want);
    if (dtype == UNCORK_STRING) {
        uc_str a, b;
        a.data = uncork_value_string(got, i, &a.size);
        b.data = uncork_value_string(want, i, &b.size);
        return uc_str_equal(a, b);
    }
    const double g = uc_dtype_load_f64(uncork_value_data(got), i, dtype);
    const double w = uc_dtype_load_f64(uncork_value_data(want), i, dtype);
    /* Sums in another order: ten units of float32; halves keep eleven bits. */
    const double relative = dtype == UNCORK_FLOAT16 ? 1e-3 : uc_dtype_is_float(dtype) ? 1e-5 : 0;
    return g == w || (isnan(g) && isnan(w)) || fabs(g - w) <= relative * (fabs(w) + 0.1);
}

/* What is wrong with an output, NULL when nothing is. */
static const char *difference(const uncork_value *got, const uncork_value *want, char *text,
                              size_t size)
{
    bool same = got && uncork_value_kind(got) == UNCORK_TENSOR &&
                uncork_value_dtype(got) == uncork_value_dtype(want) &&
                uncork_value_rank(got) == uncork_value_rank(want);
    for (int d = 0; same && d < uncork_value_rank(want); d++) {
        same = uncork_value_shape(got)[d] == uncork_value_shape(want)[d];
    }
    if (!same) return "another type or shape";
    for (int64_t i = 0; i < uncork_value_count(want); i++) {
        if (same_element(got, want, i)) continue;
        (void)snprintf(text, size, "element %lld differs", (long long)i);
        return text;
    }
    return NULL;
}

static void complain(const uc_json *json, const char *what)
{
    const uc_str name = uc_json_str(uc_json_get(json, "name"), "?");
    print_message("  %.*s: %s\n", (int)name.size, name.data, what);
    failures++;
}

/* Whether the model could be run; its outputs stay with the session. */
static bool start(const uc_json *json, uncork_file **file, uncork_model **model,
                  uncork_session **session, uncork_error *error)
{
    const uc_str text = uc_json_get(json, "model")->string;
    uint8_t *bytes = uc_arena_alloc(arena, text.size + 4, 1);
    const size_t size = decode_base64(text, bytes);
    return uncork_open_memory(bytes, size, "case.onnx", NULL, file, error) == UNCORK_OK &&
           uncork_prepare(*file, NULL, NULL, model, error) == UNCORK_OK &&
           uncork_session_new(*model, NULL, session) == UNCORK_OK;
}

static void run_case(const uc_json *json)
{
    uncork_error error = {.size = sizeof error};
    uncork_file *file = NULL;
    uncork_model *model = NULL;
    uncork_session *session = NULL;
    uncork_value *in[MAX_VALUES] = {NULL};
    const uc_json *inputs = uc_json_get(json, "in"), *outputs = uc_json_get(json, "out");
    const int count = (int)uc_json_count(inputs);
    for (int i = 0; i < count; i++) {
        in[i] = read_value(uc_json_at(inputs, (size_t)i));
    }
    if (!start(json, &file, &model, &session, &error) ||
        uncork_session_run(session, (const uncork_value *const *)in, count, NULL, &error)) {
        complain(json, error.what);
    } else {
        for (size_t i = 0; i < uc_json_count(outputs); i++) {
            char text[96];
            uncork_value *want = read_value(uc_json_at(outputs, i));
            const char *what =
                difference(uncork_session_output(session, (int)i), want, text, sizeof text);
            if (what) complain(json, what);
            uncork_value_free(want);
        }
    }
    uncork_session_free(session);
    uncork_model_free(model);
    uncork_file_close(file);
    for (int i = 0; i < count; i++) {
        uncork_value_free(in[i]);
    }
}

static void older_opsets_compute_what_their_runtimes_computed(void **state)
{
    (void)state;
    uncork_error error = {.size = sizeof error};
    uc_bytes bytes;
    arena = uc_arena_new(NULL);
    CHECK_OK(
        uc_file_read(UC_SOURCE_DIR "/tests/import/onnx_upgrade.json", true, arena, &bytes, &error),
        &error);
    const uc_json *json = uc_json_read(bytes, 0, arena, &error);
    CHECK(json);
    const uc_json *cases = uc_json_get(json, "cases");
    CHECK(uc_json_count(cases) > 100);
    for (size_t i = 0; i < uc_json_count(cases); i++) {
        run_case(uc_json_at(cases, i));
    }
    print_message("%zu cases, %d failures\n", uc_json_count(cases), failures);
    uc_arena_free(arena);
    CHECK_INT(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_opsets_compute_what_their_runtimes_computed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
