/* Every case of tests/op/<Name>.json, three ways: all inputs fed, all but the first constant (as models
 * have them), all constant (folded). One line a file is printed; the first difference is shown. */
#include "base/file.h"
#include "base/json.h"
#include "base64.h"
#include "check.h"
#include "isa.h"
#include "plan/plan.h"

#include <math.h>
#include <stdio.h>

enum { MAX_VALUES = 64 };

typedef enum feed { ALL_FED, FIRST_FED, ALL_CONSTANT, FEED_COUNT } feed;

typedef struct run_result {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_runner *runner;
} run_result;

/* ---- reading cases ------------------------------------------------------------------------ */

static uc_tensor *read_tensor(uc_arena *arena, const uc_json *json)
{
    int64_t shape[UNCORK_MAX_RANK];
    size_t rank = uc_json_count(uc_json_get(json, "s"));
    int64_t *dims = uc_json_i64s(uc_json_get(json, "s"), arena, &rank);
    for (size_t d = 0; d < rank; d++) {
        shape[d] = dims[d];
    }
    uncork_dtype dtype = (uncork_dtype)uc_json_i64(uc_json_get(json, "t"), 0);
    const uc_json *data = uc_json_get(json, "d");
    if (dtype == UNCORK_STRING) {
        size_t n = uc_json_count(data);
        uc_str *items = UC_NEW(arena, uc_str, n);
        for (size_t i = 0; i < n; i++) {
            items[i] = uc_json_str(uc_json_at(data, i), "");
        }
        return uc_tensor_strings(arena, items, (int)rank, shape);
    }
    uc_tensor *t = uc_tensor_new(arena, dtype, (int)rank, shape);
    size_t bytes = 0;
    CHECK(t && uc_shape_bytes(dtype, shape, (int)rank, &bytes));
    uint8_t *room = uc_arena_alloc(arena, data->string.size + 4, 1);
    CHECK_INT(decode_base64(data->string, room), bytes);
    if (bytes) memcpy(t->data, room, bytes);
    return t;
}

static void read_attr(uc_graph *g, uc_node *n, uc_arena *arena, const uc_json *json)
{
    char name[64];
    uc_str key = uc_json_str(uc_json_get(json, "n"), "");
    snprintf(name, sizeof name, "%.*s", (int)key.size, key.data);
    const uc_json *v;
    size_t count = 0;
    if ((v = uc_json_get(json, "i"))) uc_node_int(g, n, name, uc_json_i64(v, 0));
    if ((v = uc_json_get(json, "f"))) uc_node_float(g, n, name, uc_json_f64(v, 0));
    if ((v = uc_json_get(json, "s"))) {
        uc_str s = uc_json_str(v, "");
        uc_node_str(g, n, name, uc_arena_copy(arena, s.data, s.size));
    }
    if ((v = uc_json_get(json, "t"))) uc_node_tensor(g, n, name, read_tensor(arena, v));
    if ((v = uc_json_get(json, "is"))) {
        int64_t *ints = uc_json_i64s(v, arena, &count);
        uc_node_ints(g, n, name, ints, count);
    }
    if ((v = uc_json_get(json, "fs"))) {
        double *floats = uc_json_f64s(v, arena, &count);
        uc_node_floats(g, n, name, floats, count);
    }
    if ((v = uc_json_get(json, "ss"))) {
        uc_str *strings = UC_NEW(arena, uc_str, uc_json_count(v));
        for (count = 0; count < uc_json_count(v); count++) {
            strings[count] = uc_json_str(uc_json_at(v, count), "");
        }
        uc_node_strs(g, n, name, strings, count);
    }
}

/* ---- comparing ---------------------------------------------------------------------------- */

/* float64 is compared to 1e-13; the short floats to two of their units, since ONNX's expected values
 * come from a reference that rounds in its own places. */
static double tolerance(uncork_dtype dtype)
{
    switch ((int)dtype) {
    case UNCORK_FLOAT64: return 1e-13;
    case UNCORK_FLOAT32: return 3e-6;
    case UNCORK_FLOAT16: return 2e-3;
    case UNCORK_BFLOAT16: return 1.6e-2;
    default: return 0;
    }
}

static bool same_number(double got, double want, double relative, double rounding)
{
    if (got == want || (isnan(got) && isnan(want))) return true;
    return fabs(got - want) <= relative * (fabs(want) + 1e-1) + rounding;
}

/* Half a unit of the largest value of a float32 output: what one step of the sums behind it may round
 * by, however small they end. */
static double rounding_of(const uc_tensor *want)
{
    double largest = 0;
    if (want->dtype != UNCORK_FLOAT32) return 0;
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        const double v = fabs(uc_dtype_load_f64(want->data, i, want->dtype));
        if (isfinite(v)) largest = fmax(largest, v);
    }
    return ldexp(largest, -24);
}

static bool same_element(const uc_tensor *got, const uc_tensor *want, int64_t i, double rounding)
{
    if (want->dtype == UNCORK_STRING) {
        return uc_str_equal(uc_tensor_string(got, i), uc_tensor_string(want, i));
    }
    if (want->dtype == UNCORK_COMPLEX64 || want->dtype == UNCORK_COMPLEX128) {
        size_t size = uc_dtype_size(want->dtype);
        return memcmp((char *)got->data + (size_t)i * size, (char *)want->data + (size_t)i * size,
                      size) == 0;
    }
    if (uc_dtype_is_integer(want->dtype) || want->dtype == UNCORK_BOOL) {
        return uc_dtype_load_i64(got->data, i, got->dtype) ==
               uc_dtype_load_i64(want->data, i, want->dtype);
    }
    return same_number(uc_dtype_load_f64(got->data, i, got->dtype),
                       uc_dtype_load_f64(want->data, i, want->dtype), tolerance(want->dtype),
                       rounding);
}

/* Where they differ, in words; NULL when they don't. */
static const char *difference(const uc_tensor *got, const uc_tensor *want, char *text, size_t size)
{
    char a[128], b[128];
    bool same = got->dtype == want->dtype && got->rank == want->rank;
    for (int d = 0; same && d < want->rank; d++) {
        same = got->shape[d] == want->shape[d];
    }
    if (!same) {
        snprintf(text, size, "%s%s instead of %s%s", uc_dtype_name(got->dtype),
                 uc_shape_text(got->shape, got->rank, a, sizeof a), uc_dtype_name(want->dtype),
                 uc_shape_text(want->shape, want->rank, b, sizeof b));
        return text;
    }
    const double rounding = rounding_of(want);
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        if (same_element(got, want, i, rounding)) continue;
        bool numbers = want->dtype != UNCORK_STRING;
        snprintf(text, size, "element %lld is %.17g instead of %.17g", (long long)i,
                 numbers ? uc_dtype_load_f64(got->data, i, got->dtype) : 0,
                 numbers ? uc_dtype_load_f64(want->data, i, want->dtype) : 0);
        return text;
    }
    return NULL;
}

/* ---- running ------------------------------------------------------------------------------ */

static void finish(run_result *r)
{
    uc_runner_free(r->runner);
    uc_arena_free(r->arena);
}

static uncork_status run_case(run_result *r, const char *op, const uc_json *json, feed how)
{
    uc_ref refs[MAX_VALUES];
    uc_value values[MAX_VALUES];
    const uc_value *fed[MAX_VALUES];
    size_t fed_count = 0, in_count = uc_json_count(uc_json_get(json, "in"));
    size_t out_count = uc_json_count(uc_json_get(json, "out"));
    uc_program *program = NULL;
    CHECK(in_count < MAX_VALUES && out_count < MAX_VALUES);
    uc_budget_init(&r->budget, NULL, 0);
    uc_error_init(&r->error);
    r->arena = uc_arena_new(&r->budget);
    uc_graph *g = uc_graph_new(r->arena, &r->budget, &r->error);
    for (size_t i = 0; i < in_count; i++) {
        const uc_json *in = uc_json_at(uc_json_get(json, "in"), i);
        refs[i] = 0;
        if (in->kind == UC_JSON_NULL) continue;
        const uc_tensor *t = read_tensor(r->arena, in);
        int64_t unknown[UNCORK_MAX_RANK];
        for (int d = 0; d < t->rank; d++) {
            unknown[d] = UC_DIM_UNKNOWN;
        }
        bool constant = how == ALL_CONSTANT || (how == FIRST_FED && i > 0);
        refs[i] =
            constant ? uc_graph_const(g, t) : uc_graph_input(g, "x", t->dtype, t->rank, unknown);
        if (constant) continue;
        values[fed_count] = (uc_value){.kind = UC_TENSOR, .tensor = *t};
        fed[fed_count] = &values[fed_count];
        fed_count++;
    }
    uc_node *n = uc_graph_node(g, op, refs, in_count, out_count);
    const uc_json *attrs = uc_json_get(json, "attrs");
    for (size_t i = 0; i < uc_json_count(attrs); i++) {
        read_attr(g, n, r->arena, uc_json_at(attrs, i));
    }
    for (size_t i = 0; i < out_count; i++) {
        if (uc_json_at(uc_json_get(json, "out"), i)->kind != UC_JSON_NULL) {
            uc_graph_output(g, "y", uc_node_out(n, i));
        }
    }
    UC_TRY(uc_graph_finish(g));
    UC_TRY(uc_program_new(g, r->arena, &r->budget, &program, &r->error));
    UC_TRY(uc_runner_new(program, NULL, &r->runner));
    UC_TRY(uc_runner_run(r->runner, fed, fed_count, &r->budget, &r->error));
    return uc_runner_run(r->runner, fed, fed_count, &r->budget, &r->error); /* the plan again */
}

/* 1 when the case fails, said once. */
static int check_case(const char *op, const uc_json *json, feed how)
{
    static const char *const words[] = {"all fed", "first fed", "all constant"};
    uc_str name = uc_json_str(uc_json_get(json, "name"), "");
    run_result r = {0};
    uncork_status status = run_case(&r, op, json, how);
    const char *problem = status == UNCORK_OK ? NULL : r.error.what;
    char text[512];
    size_t at = 0;
    const uc_json *out = uc_json_get(json, "out");
    for (size_t i = 0; !problem && i < uc_json_count(out); i++) {
        if (uc_json_at(out, i)->kind == UC_JSON_NULL) continue;
        const uc_tensor *want = read_tensor(r.arena, uc_json_at(out, i));
        const uc_tensor *got = &uc_runner_output(r.runner, at++)->tensor;
        problem = difference(got, want, text, sizeof text);
    }
    if (problem) print_message("%.*s (%s): %s\n", (int)name.size, name.data, words[how], problem);
    finish(&r);
    return problem != NULL;
}

static void every_case_gives_what_onnx_expects(void **state)
{
    (void)state;
    char **names = NULL;
    size_t count = 0, cases = 0, failed = 0;
    uncork_error error;
    uc_error_init(&error);
    uc_arena *files = uc_arena_new(NULL);
    CHECK_OK(uc_file_list("tests/op", false, files, &names, &count, &error), &error);
    for (size_t f = 0; f < count; f++) {
        const char *suffix = strstr(names[f], ".ort.json"); /* a second file of an operator */
        if (!suffix) suffix = strstr(names[f], ".json");
        if (!suffix) continue;
        uc_arena *arena = uc_arena_new(NULL);
        uc_bytes bytes;
        CHECK_OK(uc_file_read_beneath("tests/op", names[f], true, arena, &bytes, &error), &error);
        const uc_json *file = uc_json_read(bytes, 0, arena, &error);
        CHECK_OK(error.status, &error);
        const char *op = uc_arena_copy(arena, names[f], (size_t)(suffix - names[f]));
        const uc_json *list = uc_json_get(file, "cases");
        for (size_t i = 0; i < uc_json_count(list); i++) {
            for (int how = 0; how < FEED_COUNT; how++, cases++) {
                failed += (size_t)check_case(op, uc_json_at(list, i), (feed)how);
            }
        }
        uc_arena_free(arena);
    }
    uc_arena_free(files);
    print_message("%zu cases, %zu failed\n", cases, failed);
    CHECK(cases > 0);
    CHECK_INT(failed, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_gives_what_onnx_expects)};
    if (argc > 1) return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
    return isa_run_each(argv[0]);
}
