/* Every estimator against the genuine library: each case of tests/fixtures/{sklearn,xgboost,lightgbm} is
 * opened, each of its methods imported, planned and run, and compared with what the library answered.
 *
 *   test_estimators [FILTER...]   only cases whose "VERSION/CASE CLASS" holds every filter
 *   UC_CASES=PATH                 another archive or folder of cases instead of the committed ones
 *   UC_TABLE=FILE                 writes version, package, class, method, case, result, reason
 *
 * Labels are equal on every row; floats differ by at most 1e-9 |want| + 1e-12, or by what the table
 * below allows, with the reason. */
#include "base/json.h"
#include "base/text.h"
#include "check.h"
#include "container/bundle.h"
#include "import/importer.h"
#include "plan/plan.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *pattern; /* "CLASS:METHOD", "CLASS:METHOD f32" for what is fed as float32, or
                            "VERSION/CASE CLASS" */
    double rtol, atol;
    const char *why;
} looser[] = {
    {"*/gb?_init_* GradientBoosting*", 1e-5, 1e-6,
     "init_ gets float32 rows and computes in float32"},
    {"*/gbr_init* GradientBoosting*", 1e-5, 1e-6, "as above"},
    {"KNNImputer:transform", 2e-7, 1e-9,
     "NumPy's einsum, whose order changed in 1.20, leaves a donor that agrees 1e-8 away or none"},
    {"Birch:transform f32", 1e-9, 1e-7,
     "a row on a centre: the root of the rounding in |x|^2 - 2xy + |y|^2 remains"},
    {"KNeighborsClassifier:kneighbors f32", 2e-7, 1e-7, "measured in float32, or as Birch"},
    {"RadiusNeighborsRegressor:predict", 1e-7, 1e-10, "weights 1/d where d is 0, as Birch"},
    {"Nystroem:transform", 1e-7, 1e-9, "the inverse root of a singular kernel matrix"},
    {"KernelDensity:score_samples", 1e-6, 1e-9,
     "far away scikit-learn subtracts nearly equal bounds of its tree's nodes"},
};

/* float32 results: the order of sums differs between BLAS libraries; 24 bits of mantissa. */
static const double F32_RTOL = 1e-4, F32_ATOL = 1e-5;
/* xgboost's own sums and C's expf have one order: the same bits, but for softmax and pow in NumPy. */
static const double XGB_RTOL = 4e-7, XGB_ATOL = 1e-30;

typedef struct tally {
    int runs, passed, missing, failed, surprises;
} tally;

typedef struct listed {
    char *pattern, *why;
} listed;

static int filter_count;
static char **filters;
static listed known_missing[500];
static size_t known_missing_count;
static FILE *table;
static const char *current = ""; /* "VERSION/CASE CLASS" */
static tally total;

/* ---- .npy ---------------------------------------------------------------------------------- */

typedef struct npy {
    char kind;
    int size;
    bool swap, fortran;
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    const uint8_t *data;
} npy;

static bool npy_header(uc_bytes b, npy *out)
{
    if (b.size < 12 || memcmp(b.data, "\x93NUMPY", 6) != 0) return false;
    size_t start = b.data[6] == 1 ? 10 : 12;
    size_t size = b.data[6] == 1 ? uc_load_u16le(b.data + 8) : uc_load_u32le(b.data + 8);
    char text[1024];
    if (size >= sizeof text || start + size > b.size) return false;
    memcpy(text, b.data + start, size);
    text[size] = '\0';
    const char *descr = strstr(text, "'descr': '"), *shape = strstr(text, "'shape': (");
    if (!descr || !shape) return false;
    descr += 10;
    out->swap = *descr == '>';
    out->kind = descr[1];
    out->size = atoi(descr + 2);
    out->fortran = strstr(text, "'fortran_order': True") != NULL;
    out->data = b.data + start + size;
    for (const char *p = shape + 10; *p && *p != ')';) {
        char *end;
        long long n = strtoll(p, &end, 10);
        if (end == p) break;
        out->shape[out->rank++] = n;
        p = end + strspn(end, "L, ");
    }
    return true;
}

static uc_tensor *npy_strings(const npy *h, uc_arena *arena, size_t count)
{
    uc_str *items = UC_NEW(arena, uc_str, count);
    for (size_t i = 0; i < count; i++) {
        if (h->kind == 'S') {
            const char *p = (const char *)h->data + i * (size_t)h->size;
            items[i] = (uc_str){p, strnlen(p, (size_t)h->size)};
            continue;
        }
        char *text = UC_NEW(arena, char, (size_t)h->size * 4 + 1);
        size_t n = 0;
        for (int k = 0; k < h->size; k++) {
            const uint8_t *p = h->data + 4 * (i * (size_t)h->size + (size_t)k);
            uint32_t c = h->swap ? uc_load_u32be(p) : uc_load_u32le(p);
            if (c) n += uc_utf8_put(c, text + n);
        }
        items[i] = (uc_str){text, n};
    }
    return uc_tensor_strings(arena, items, h->rank, h->shape);
}

static uncork_dtype npy_dtype(const npy *h)
{
    static const struct {
        char kind;
        int size;
        uncork_dtype dtype;
    } types[] = {{'f', 8, UNCORK_FLOAT64}, {'f', 4, UNCORK_FLOAT32}, {'f', 2, UNCORK_FLOAT16},
                 {'i', 8, UNCORK_INT64},   {'i', 4, UNCORK_INT32},   {'i', 2, UNCORK_INT16},
                 {'i', 1, UNCORK_INT8},    {'u', 8, UNCORK_UINT64},  {'u', 4, UNCORK_UINT32},
                 {'u', 2, UNCORK_UINT16},  {'u', 1, UNCORK_UINT8},   {'b', 1, UNCORK_BOOL}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].kind == h->kind && types[i].size == h->size) return types[i].dtype;
    }
    return UNCORK_DTYPE_NONE;
}

/* Native and in C order. */
static uc_tensor *read_npy(uc_bytes bytes, uc_arena *arena)
{
    npy h = {0};
    size_t count;
    if (!npy_header(bytes, &h) || !uc_shape_count(h.shape, h.rank, &count)) return NULL;
    if (h.kind == 'U' || h.kind == 'S') return npy_strings(&h, arena, count);
    uncork_dtype dtype = npy_dtype(&h);
    uc_tensor *t = dtype ? uc_tensor_new(arena, dtype, h.rank, h.shape) : NULL;
    if (!t) return NULL;
    size_t size = (size_t)h.size;
    for (size_t i = 0; i < count; i++) {
        size_t from = i;
        if (h.fortran && h.rank == 2) {
            size_t row = i / (size_t)h.shape[1], column = i % (size_t)h.shape[1];
            from = column * (size_t)h.shape[0] + row;
        }
        uint8_t *to = (uint8_t *)t->data + i * size;
        for (size_t k = 0; k < size; k++)
            to[k] = h.data[from * size + (h.swap ? size - 1 - k : k)];
    }
    return t;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static const char *strings_differ(uc_arena *arena, const uc_tensor *want, const uc_tensor *got)
{
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        uc_str a = uc_tensor_string(want, i), b = uc_tensor_string(got, i);
        if (!uc_str_equal(a, b)) {
            return uc_arena_printf(arena, "element %d is '%.*s', expected '%.*s'", (int)i,
                                   (int)b.size, b.data, (int)a.size, a.data);
        }
    }
    return NULL;
}

static const char *numbers_differ(uc_arena *arena, const uc_tensor *want, const uc_tensor *got,
                                  double rtol, double atol)
{
    int64_t bad = 0, n = uc_tensor_count(want);
    double worst = 0, w = 0, g = 0;
    for (int64_t i = 0; i < n; i++) {
        double a = uc_dtype_load_f64(want->data, i, want->dtype),
               b = uc_dtype_load_f64(got->data, i, got->dtype);
        bool same = a == b || (isnan(a) && isnan(b));
        if (same || fabs(a - b) <= rtol * fabs(a) + atol) continue;
        double off = isfinite(a - b) ? fabs(a - b) / (fabs(a) > 1e-300 ? fabs(a) : 1) : HUGE_VAL;
        if (bad++ == 0 || off > worst) {
            worst = off;
            w = a;
            g = b;
        }
    }
    return bad ? uc_arena_printf(arena, "%d of %d differ, worst %.17g, expected %.17g (%.1e)",
                                 (int)bad, (int)n, g, w, worst)
               : NULL;
}

static const char *differ(uc_arena *arena, const uc_tensor *want, const uc_tensor *got,
                          const char *what, bool narrow)
{
    char a[128], b[128];
    bool shapes = want->rank == got->rank;
    for (int i = 0; shapes && i < want->rank; i++)
        shapes = want->shape[i] == got->shape[i];
    if (!shapes) {
        return uc_arena_printf(arena, "shape %s, expected %s",
                               uc_shape_text(got->shape, got->rank, b, sizeof b),
                               uc_shape_text(want->shape, want->rank, a, sizeof a));
    }
    if (want->dtype != got->dtype) {
        return uc_arena_printf(arena, "dtype %s, expected %s", uc_dtype_name(got->dtype),
                               uc_dtype_name(want->dtype));
    }
    got = uc_tensor_dense(arena, got);
    if (want->dtype == UNCORK_STRING) return strings_differ(arena, want, got);
    double rtol = 1e-9, atol = 1e-12;
    if (!uc_dtype_is_float(want->dtype)) {
        rtol = atol = 0;
    } else if (want->dtype == UNCORK_FLOAT32) {
        bool xgboost = strncmp(current, "xgboost", 7) == 0;
        rtol = xgboost ? XGB_RTOL : F32_RTOL;
        atol = xgboost ? XGB_ATOL : F32_ATOL;
    }
    for (size_t i = 0; want->dtype == UNCORK_FLOAT64 && i < sizeof looser / sizeof looser[0]; i++) {
        char f32[176];
        (void)snprintf(f32, sizeof f32, "%s%s", what, narrow ? " f32" : "");
        bool loose = fnmatch(looser[i].pattern, what, 0) == 0 ||
                     fnmatch(looser[i].pattern, f32, 0) == 0 ||
                     fnmatch(looser[i].pattern, current, 0) == 0;
        rtol = loose ? looser[i].rtol : rtol;
        atol = loose ? looser[i].atol : atol;
    }
    return numbers_differ(arena, want, got, rtol, atol);
}

/* ---- one case ------------------------------------------------------------------------------ */

typedef struct folder {
    uc_bundle *bundle;
    uc_arena *arena;
    const char *prefix; /* "1.9.1" or "", then the case's folder */
} folder;

static uc_bytes file_of(const folder *f, uc_str name, uncork_error *error)
{
    char path[400];
    uc_bytes bytes = {0};
    (void)snprintf(path, sizeof path, "%s%.*s", f->prefix, (int)name.size, name.data);
    size_t at = uc_bundle_find(f->bundle, path);
    if (at == SIZE_MAX) {
        uc_fail(error, UNCORK_IO, UC_NO_OFFSET, "%s isn't in the archive", path);
    } else {
        (void)uc_bundle_read(f->bundle, at, &bytes, error);
    }
    return bytes;
}

static uc_tensor *case_tensor(const folder *f, const uc_json *input, uncork_error *error)
{
    return read_npy(file_of(f, uc_json_str(uc_json_get(input, "file"), ""), error), f->arena);
}

static const uc_json *input_named(const uc_json *inputs, uc_str name)
{
    for (size_t i = 0; i < uc_json_count(inputs); i++) {
        if (uc_str_equal(uc_json_str(uc_json_get(uc_json_at(inputs, i), "name"), ""), name))
            return uc_json_at(inputs, i);
    }
    return NULL;
}

/* A table for a model that takes a matrix: its columns in the order of feature_names, as they come
 * where the file keeps no names. */
static uc_tensor *stacked(const folder *f, const uc_import *import, const uc_json *inputs,
                          uncork_error *error)
{
    const uc_fact *fact = uc_fact_find(&import->facts, "feature_names");
    const uc_tensor *names = fact ? fact->tensor : NULL;
    int64_t n = names ? names->shape[0] : (int64_t)uc_json_count(inputs);
    uc_tensor *all = NULL;
    uc_str *texts = NULL;
    int64_t shape[2] = {0, n};
    for (int64_t i = 0; i < n; i++) {
        const uc_json *input =
            names ? input_named(inputs, uc_tensor_string(names, i)) : uc_json_at(inputs, (size_t)i);
        const uc_tensor *column = input ? case_tensor(f, input, error) : NULL;
        if (!column || (i && (column->dtype == UNCORK_STRING) != (texts != NULL))) return NULL;
        if (i == 0) {
            shape[0] = column->shape[0];
            all = uc_tensor_new(f->arena, UNCORK_FLOAT64, 2, shape);
            if (column->dtype == UNCORK_STRING)
                texts = UC_NEW(f->arena, uc_str, (size_t)(shape[0] * n));
        }
        for (int64_t row = 0; all && row < shape[0]; row++) {
            int64_t at = row * n + i;
            if (texts) {
                texts[at] = uc_tensor_string(column, row);
            } else {
                ((double *)all->data)[at] = uc_dtype_load_f64(column->data, row, column->dtype);
            }
        }
    }
    return texts ? uc_tensor_strings(f->arena, texts, 2, shape) : all;
}

/* The value for a graph input: by its name, the only one when there is one, the i-th for "xi" where
 * the file doesn't know the table's names. */
static uc_value *input_value(const folder *f, const uc_import *import, const uc_json *inputs,
                             const uc_graph_value *want, bool alone, uncork_error *error)
{
    size_t n = uc_json_count(inputs);
    const uc_json *one =
        n == 1 ? uc_json_at(inputs, 0) : input_named(inputs, uc_str_of(want->name));
    if (!one && want->name[0] == 'x') one = uc_json_at(inputs, (size_t)atoi(want->name + 1));
    uc_tensor *t = alone && n > 1 && want->rank == 2 ? stacked(f, import, inputs, error)
                   : one                             ? case_tensor(f, one, error)
                                                     : NULL;
    uc_value *v = t ? UC_NEW(f->arena, uc_value, 1) : NULL;
    if (!v) {
        uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "the case has no input '%s'", want->name);
        return NULL;
    }
    if (t->dtype != want->dtype && want->dtype != UNCORK_STRING && t->dtype != UNCORK_STRING) {
        t = uc_tensor_cast(f->arena, t, want->dtype);
    }
    v->kind = UC_TENSOR;
    v->tensor = *t;
    return v;
}

static uncork_status run_graph(const folder *f, const uc_import *import, uc_graph *graph,
                               const uc_json *inputs, uc_budget *budget, uc_runner **runner,
                               uncork_error *error)
{
    uc_program *program;
    UC_TRY(uc_graph_finish(graph));
    UC_TRY(uc_program_new(graph, f->arena, budget, &program, error));
    UC_TRY(uc_runner_new(program, NULL, runner));
    const uc_value **values = UC_NEW(f->arena, const uc_value *, graph->input_count + 1);
    for (size_t i = 0; i < graph->input_count; i++) {
        values[i] = input_value(f, import, inputs, &graph->values[graph->inputs[i]],
                                graph->input_count == 1, error);
        if (!values[i]) return error->status;
    }
    return uc_runner_run(*runner, values, graph->input_count, budget, error);
}

static const char *compare_outputs(const folder *f, const uc_graph *graph, const uc_runner *runner,
                                   const uc_json *outputs, const char *what, uncork_error *error)
{
    size_t n = uc_json_count(outputs);
    if (n != graph->output_count) {
        return uc_arena_printf(f->arena, "%zu outputs, expected %zu", graph->output_count, n);
    }
    bool narrow =
        graph->input_count == 1 && graph->values[graph->inputs[0]].dtype == UNCORK_FLOAT32;
    for (size_t i = 0; i < n; i++) {
        const uc_json *o = uc_json_at(outputs, i);
        uc_str file =
            o->kind == UC_JSON_STRING ? o->string : uc_json_str(uc_json_get(o, "file"), "");
        const uc_tensor *want = read_npy(file_of(f, file, error), f->arena);
        if (!want) return "the expected output can't be read";
        const char *why =
            differ(f->arena, want, &uc_runner_output(runner, i)->tensor, what, narrow);
        if (why) return why;
    }
    return NULL;
}

/* NULL when the run gives what the framework gave; *status tells refusals from differences. */
static const char *do_run(const folder *f, const uc_import *import, const uc_json *run,
                          const uc_json *inputs, const char *class_name, uncork_status *status)
{
    char method[64], what[160];
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_str m = uc_json_str(uc_json_get(run, "method"), "predict");
    const uc_json *named = uc_json_get(run, "method");
    bool is_default = named && named->kind == UC_JSON_NULL;
    (void)snprintf(method, sizeof method, "%.*s", (int)m.size, m.data);
    (void)snprintf(what, sizeof what, "%s:%s", class_name, method);
    const uc_json *own = uc_json_get(run, "inputs");
    if (own) inputs = own;
    uc_import_options options = {0};
    if (uc_json_count(inputs) == 1) {
        npy h = {0};
        uc_bytes b =
            file_of(f, uc_json_str(uc_json_get(uc_json_at(inputs, 0), "file"), ""), &error);
        if (npy_header(b, &h)) options.input_dtype = npy_dtype(&h);
    }
    uc_budget budget;
    uc_budget_init(&budget, NULL, import->bytes.size);
    uc_graph *graph = uc_graph_new(f->arena, &budget, &error);
    uc_findings findings = {.arena = f->arena};
    uc_runner *runner = NULL;
    const char *why = NULL;
    *status = import->importer->import(import, is_default ? NULL : method, &options, graph,
                                       &findings, &error);
    if (*status == UNCORK_OK)
        *status = run_graph(f, import, graph, inputs, &budget, &runner, &error);
    if (*status == UNCORK_OK)
        why = compare_outputs(f, graph, runner, uc_json_get(run, "outputs"), what, &error);
    if (*status != UNCORK_OK) {
        why = uc_arena_printf(f->arena, "%s%s%s", error.what[0] ? error.what : "no message",
                              error.where[0] ? " at " : "", error.where);
    }
    uc_runner_free(runner);
    return why;
}

static const char *missing_reason(const char *name)
{
    for (size_t i = 0; i < known_missing_count; i++) {
        if (fnmatch(known_missing[i].pattern, name, 0) == 0) return known_missing[i].why;
    }
    return NULL;
}

static void report(const char *name, const char *version, uc_str module, const char *class_name,
                   uc_str method, const char *why, uncork_status status)
{
    const char *expected = missing_reason(name);
    total.runs++;
    const char *result = "pass";
    if (why) result = status == UNCORK_UNSUPPORTED || expected ? "missing" : "fail";
    if (!why) total.passed++;
    if (why && expected) total.missing++;
    if (why && !expected) {
        total.failed++;
        printf("FAIL %s (%s): %s\n", name, class_name, why);
    }
    if (!why && expected) {
        total.surprises++;
        printf("PASSES %s: take it out of missing.txt\n", name);
    }
    if (table) {
        fprintf(table, "%s\t%.*s\t%s\t%.*s\t%s\t%s\t%s\n", version, (int)module.size, module.data,
                class_name, (int)method.size, method.data, name, result,
                expected ? expected
                : why    ? why
                         : "");
    }
}

static bool is_wanted(const char *text)
{
    for (int i = 0; i < filter_count; i++) {
        if (!strstr(text, filters[i])) return false;
    }
    return true;
}

/* The importer that is surest of the bytes; scikit-learn's where none is. */
static const uc_importer *importer_of(uc_bytes bytes)
{
    const uc_importer *best = &uc_importer_sklearn;
    int sure = 0;
    for (size_t i = 0; uc_importer_at(i); i++) {
        int now = uc_importer_at(i)->probe(bytes, NULL);
        if (now <= sure) continue;
        sure = now;
        best = uc_importer_at(i);
    }
    return best;
}

static void do_case(uc_bundle *bundle, size_t at)
{
    uc_budget budget;
    uc_budget_init(&budget, NULL, 1u << 20);
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    const char *entry = uc_bundle_name(bundle, at);
    char *prefix = uc_arena_copy(arena, entry, strlen(entry) - strlen("case.json"));
    folder f = {bundle, arena, prefix};
    uc_json *json = uc_json_read(file_of(&f, uc_str_of("case.json"), &error), 0, arena, &error);
    uc_str name = uc_json_str(uc_json_get(json, "case"), "?"),
           cls = uc_json_str(uc_json_get(json, "class"), "?");
    uc_str version = uc_json_str(uc_json_get(json, "version"), "?");
    const uc_json *python = uc_json_get(json, "python");
    bool py2 = python && python->string.size && python->string.data[0] == '2';
    uc_str library = uc_json_str(uc_json_get(json, "library"), "");
    const char *v = uc_arena_printf(arena, "%.*s%.*s%s", (int)library.size, library.data,
                                    (int)version.size, version.data, py2 ? "py2" : "");
    char *class_name = uc_arena_copy(arena, cls.data, cls.size);
    char *full = uc_arena_printf(arena, "%s/%.*s %s", v, (int)name.size, name.data, class_name);
    current = full;
    if (is_wanted(full)) {
        uc_bytes model = file_of(&f, uc_json_str(uc_json_get(json, "model"), "model.pkl"), &error);
        uc_import import = {.importer = NULL,
                            .path = full,
                            .bytes = model,
                            .arena = arena,
                            .budget = &budget,
                            .findings = {.arena = arena},
                            .facts = {.arena = arena}};
        uncork_status opened = error.status;
        import.importer = importer_of(model);
        if (opened == UNCORK_OK) opened = import.importer->open(&import, &error);
        const uc_json *runs = uc_json_get(json, "runs");
        for (size_t i = 0; i < uc_json_count(runs); i++) {
            const uc_json *run = uc_json_at(runs, i);
            uc_str method = uc_json_str(uc_json_get(run, "method"), "?");
            uncork_status status = opened;
            const char *why =
                opened ? error.what
                       : do_run(&f, &import, run, uc_json_get(json, "inputs"), class_name, &status);
            const char *run_name = uc_arena_printf(arena, "%s/%.*s:%.*s", v, (int)name.size,
                                                   name.data, (int)method.size, method.data);
            report(run_name, v, uc_json_str(uc_json_get(json, "module"), "?"), class_name, method,
                   why, status);
        }
    }
    uc_arena_free(arena);
}

static void do_archive(const char *path)
{
    uc_budget budget;
    uncork_limits limits = {0};
    uc_budget_init(&budget, &limits, 1u << 30);
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_bundle *bundle;
    CHECK_OK(uc_bundle_open(path, true, arena, NULL, &bundle, &error), &error);
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        size_t n = strlen(name);
        if (n > 10 && strcmp(name + n - 10, "/case.json") == 0) do_case(bundle, i);
    }
    uc_arena_free(arena);
}

/* ---- the list of what is missing ----------------------------------------------------------- */

static void read_missing(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[600];
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (line[0] == '#' || !tab || known_missing_count == 500) continue;
        *tab = '\0';
        known_missing[known_missing_count++] =
            (listed){strdup(line), strdup(tab + 1 + strspn(tab + 1, "\t "))};
    }
    if (file) fclose(file);
}

static void free_missing(void)
{
    for (size_t i = 0; i < known_missing_count; i++) {
        free(known_missing[i].pattern);
        free(known_missing[i].why);
    }
}

static void every_case_gives_what_scikit_learn_gave(void **state)
{
    (void)state;
    const char *cases = getenv("UC_CASES"), *table_path = getenv("UC_TABLE");
    if (table_path) table = fopen(table_path, "w");
    read_missing("tests/import/missing.txt");
    if (cases) {
        do_archive(cases);
    } else {
        uncork_error error = {.size = sizeof error};
        uc_error_init(&error);
        uc_arena *arena = uc_arena_new(NULL);
        uc_bundle *archives;
        static const char *const folders[] = {"sklearn", "xgboost", "lightgbm"};
        for (size_t k = 0; k < sizeof folders / sizeof folders[0]; k++) {
            const char *place = uc_arena_printf(arena, "tests/fixtures/%s", folders[k]);
            CHECK_OK(uc_bundle_open(place, false, arena, NULL, &archives, &error), &error);
            for (size_t i = 0; i < uc_bundle_count(archives); i++) {
                const char *path =
                    uc_arena_printf(arena, "%s/%s", place, uc_bundle_name(archives, i));
                if (strstr(path, ".tar.xz")) do_archive(path);
            }
        }
        uc_arena_free(arena);
    }
    if (table) fclose(table);
    free_missing();
    printf("%d runs: %d passed, %d missing, %d failed, %d pass but are listed as missing\n",
           total.runs, total.passed, total.missing, total.failed, total.surprises);
    CHECK(total.runs > 0);
    CHECK_INT(total.failed + total.surprises, 0);
}

int main(int argc, char **argv)
{
    filter_count = argc - 1;
    filters = argv + 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_gives_what_scikit_learn_gave)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
