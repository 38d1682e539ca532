/* TensorFlow's operators one by one, frozen graphs against TensorFlow's own answers:
 * tests/fixtures/gen/tensorflow_ops.py. Bound: |got - want| <= 1e-5 |want| + 1e-6 max|want|, a unit in
 * the last place for the short floats; strings, integers and truths are equal.
 *
 * UC_CASE=Conv2D: only the cases whose name begins so. UC_TABLE=FILE: a line a case, for
 * tools/gen_tf_table.py. */
#include "base/file.h"
#include "base/reader.h"
#include "check.h"
#include "container/bundle.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/tensorflow_ops"

enum { PORTS = 24, SAID = 12 };

typedef struct port {
    const char *name;
    uc_tensor *tensor;
} port;

typedef struct one_case {
    uc_arena *arena;
    const char *name;
    port in[PORTS], out[PORTS];
    size_t in_count, out_count;
    uc_bytes graph;
} one_case;

typedef struct tally {
    size_t cases, wrong, refused;
    char graph_path[256];
} tally;

/* ---- reading --------------------------------------------------------------------------------- */

static const char *read_text(one_case *c, uc_reader *r)
{
    const uint16_t size = uc_reader_u16le(r, "a size");
    const uc_bytes b = uc_reader_take(r, size, "a text");
    return uc_arena_printf(c->arena, "%.*s", (int)b.size, (const char *)b.data);
}

static uc_tensor *read_tensor(one_case *c, uc_reader *r)
{
    int64_t shape[UNCORK_MAX_RANK];
    const uncork_dtype dtype = (uncork_dtype)uc_reader_u8(r, "a number");
    const int rank = uc_reader_u8(r, "a number");
    CHECK(rank <= UNCORK_MAX_RANK);
    for (int d = 0; d < rank; d++)
        shape[d] = (int64_t)uc_reader_u64le(r, "a dimension");
    uc_tensor *t = uc_tensor_new(c->arena, dtype, rank, shape);
    CHECK(t != NULL);
    const size_t count = (size_t)uc_tensor_count(t);
    if (dtype != UNCORK_STRING) {
        const uc_bytes b = uc_reader_take(r, count * uc_dtype_size(dtype), "elements");
        if (b.size) memcpy(t->data, b.data, b.size);
        return t;
    }
    uc_str *items = UC_NEW(c->arena, uc_str, count + 1);
    for (size_t i = 0; i < count; i++) {
        const uint32_t size = uc_reader_u32le(r, "a size");
        const uc_bytes b = uc_reader_take(r, size, "a string");
        items[i] = (uc_str){(const char *)b.data, b.size};
    }
    return uc_tensor_strings(c->arena, items, rank, shape);
}

static size_t read_ports(one_case *c, uc_reader *r, port *ports)
{
    const size_t n = uc_reader_u8(r, "a number");
    CHECK(n <= PORTS);
    for (size_t i = 0; i < n; i++) {
        ports[i].name = read_text(c, r);
        ports[i].tensor = read_tensor(c, r);
    }
    return n;
}

static void read_case(one_case *c, uc_reader *r)
{
    c->name = read_text(c, r);
    c->in_count = read_ports(c, r, c->in);
    c->out_count = read_ports(c, r, c->out);
    const uint32_t size = uc_reader_u32le(r, "a size");
    c->graph = uc_reader_take(r, size, "a graph");
    CHECK(!r->failed);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static double slack(uncork_dtype dtype)
{
    return dtype == UNCORK_FLOAT16 ? 0x1p-10 : dtype == UNCORK_BFLOAT16 ? 0x1p-7 : 1e-5;
}

static bool close_to(double g, double w, double largest, uncork_dtype dtype)
{
    if (isnan(w) || isnan(g)) return isnan(w) && isnan(g);
    if (isinf(w) || isinf(g)) return w == g;
    return fabs(g - w) <= slack(dtype) * fabs(w) + 1e-6 * largest;
}

static bool same_strings(const uncork_value *got, const uc_tensor *want, char *why, size_t size)
{
    for (int64_t i = 0; i < uc_tensor_count(want); i++) {
        const uc_str w = uc_tensor_string(want, i);
        size_t n = 0;
        const char *g = uncork_value_string(got, i, &n);
        if (n == w.size && memcmp(g, w.data, n) == 0) continue;
        (void)snprintf(why, size, "string %d is '%.*s', expected '%.*s'", (int)i, (int)n, g,
                       (int)w.size, w.data);
        return false;
    }
    return true;
}

static bool same_numbers(const void *data, const uc_tensor *want, char *why, size_t size)
{
    uncork_dtype dtype = want->dtype;
    int64_t n = uc_tensor_count(want);
    if (dtype == UNCORK_COMPLEX64 || dtype == UNCORK_COMPLEX128) {
        dtype = dtype == UNCORK_COMPLEX64 ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
        n *= 2;
    }
    double largest = 0;
    for (int64_t i = 0; i < n; i++) {
        const double w = uc_dtype_load_f64(want->data, i, dtype);
        if (isfinite(w)) largest = fmax(largest, fabs(w));
    }
    for (int64_t i = 0; i < n; i++) {
        const double g = uc_dtype_load_f64(data, i, dtype);
        const double w = uc_dtype_load_f64(want->data, i, dtype);
        const bool equal =
            uc_dtype_load_i64(data, i, dtype) == uc_dtype_load_i64(want->data, i, dtype);
        if (uc_dtype_is_float(dtype) ? close_to(g, w, largest, dtype) : equal) continue;
        (void)snprintf(why, size, "element %d is %.9g, expected %.9g", (int)i, g, w);
        return false;
    }
    return true;
}

static bool same(const uncork_value *got, const uc_tensor *want, char *why, size_t size)
{
    char a[128], b[128];
    const int rank = uncork_value_rank(got);
    bool fits = rank == want->rank && uncork_value_dtype(got) == want->dtype;
    for (int d = 0; fits && d < rank; d++)
        fits = uncork_value_shape(got)[d] == want->shape[d];
    if (!fits) {
        (void)snprintf(
            why, size, "is %s %s, expected %s %s", uc_dtype_name(uncork_value_dtype(got)),
            uc_shape_text(uncork_value_shape(got), rank, a, sizeof a), uc_dtype_name(want->dtype),
            uc_shape_text(want->shape, want->rank, b, sizeof b));
        return false;
    }
    if (want->dtype == UNCORK_STRING) return same_strings(got, want, why, size);
    return same_numbers(uncork_value_data(got), want, why, size);
}

/* ---- running --------------------------------------------------------------------------------- */

static uncork_value *value_of(const uc_tensor *t)
{
    uncork_error error = {.size = sizeof error};
    uncork_value *value = NULL;
    if (t->dtype != UNCORK_STRING) {
        CHECK_OK(uncork_value_wrap(t->dtype, t->rank, t->shape, t->data, &value), &error);
        return value;
    }
    const size_t n = (size_t)uc_tensor_count(t);
    const char **items = calloc(n + 1, sizeof *items);
    size_t *sizes = calloc(n + 1, sizeof *sizes);
    for (size_t i = 0; i < n; i++) {
        const uc_str s = uc_tensor_string(t, (int64_t)i);
        items[i] = s.data;
        sizes[i] = s.size;
    }
    CHECK_OK(uncork_value_new_strings(t->rank, t->shape, items, sizes, &value), &error);
    free(items);
    free(sizes);
    return value;
}

static bool answers(one_case *c, uncork_model *model, char *why, size_t size)
{
    uncork_error error = {.size = sizeof error};
    uncork_session *session = NULL;
    uncork_value *in[PORTS] = {NULL};
    const int inputs = uncork_model_input_count(model);
    bool right = true;
    for (int i = 0; i < inputs; i++) {
        for (size_t k = 0; k < c->in_count; k++) {
            if (strcmp(c->in[k].name, uncork_model_input_name(model, i)) == 0)
                in[i] = value_of(c->in[k].tensor);
        }
    }
    CHECK_OK(uncork_session_new(model, NULL, &session), &error);
    if (uncork_session_run(session, (const uncork_value *const *)in, inputs, NULL, &error)) {
        (void)snprintf(why, size, "%s", error.what);
        right = false;
    }
    for (size_t k = 0; right && k < c->out_count; k++) {
        int at = -1;
        for (int i = 0; i < uncork_model_output_count(model); i++) {
            if (strcmp(c->out[k].name, uncork_model_output_name(model, i)) == 0) at = i;
        }
        const int n = snprintf(why, size, "%s ", c->out[k].name);
        right = at >= 0 && same(uncork_session_output(session, at), c->out[k].tensor, why + n,
                                size - (size_t)n);
        if (at < 0) (void)snprintf(why, size, "there is no output %s", c->out[k].name);
    }
    uncork_session_free(session);
    for (int i = 0; i < inputs; i++)
        uncork_value_free(in[i]);
    return right;
}

static bool passes(one_case *c, const char *path, char *why, size_t size, bool *refused)
{
    uncork_error error = {.size = sizeof error};
    uncork_file *file = NULL;
    uncork_model *model = NULL;
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL);
    CHECK_INT(fwrite(c->graph.data, 1, c->graph.size, f), c->graph.size);
    CHECK_INT(fclose(f), 0);
    bool right = uncork_open(path, NULL, &file, &error) == UNCORK_OK;
    right = right && uncork_prepare(file, NULL, NULL, &model, &error) == UNCORK_OK;
    if (right)
        right = answers(c, model, why, size);
    else
        (void)snprintf(why, size, "%s", error.what);
    *refused = !model && error.status == UNCORK_UNSUPPORTED;
    uncork_model_free(model);
    uncork_file_close(file);
    return right;
}

static void note(const char *name, const char *outcome)
{
    const char *path = getenv("UC_TABLE");
    FILE *f = path ? fopen(path, "a") : NULL;
    if (!f) return;
    (void)fprintf(f, "%s\t%s\n", name, outcome);
    (void)fclose(f);
}

static void run_case(tally *t, uc_bytes bytes)
{
    char why[512] = "";
    one_case c = {.arena = uc_arena_new(NULL)};
    uncork_error error = {.size = sizeof error};
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, &error);
    read_case(&c, &r);
    const char *wanted = getenv("UC_CASE");
    if (!wanted || strncmp(c.name, wanted, strlen(wanted)) == 0) {
        t->cases++;
        bool refused = false;
        const bool passed = passes(&c, t->graph_path, why, sizeof why, &refused);
        note(c.name, passed ? "pass" : refused ? "refused" : "wrong");
        if (!passed) {
            if (t->wrong < SAID || wanted || getenv("UC_ALL"))
                print_message("%s: %s\n", c.name, why);
            t->wrong += !refused;
            t->refused += refused;
        }
    }
    uc_arena_free(c.arena);
}

/* refused: how many of its cases the importer says it can't run. */
static void run_family(const char *family, size_t refused)
{
    uc_arena *arena = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    uc_bundle *bundle;
    uc_bytes bytes;
    tally t = {0};
    const char *folder = getenv("TMPDIR");
    (void)snprintf(t.graph_path, sizeof t.graph_path, "%s/uc_tf_ops_%d.pb",
                   folder ? folder : "/tmp", (int)getpid());
    const char *path = uc_arena_printf(arena, FOLDER "/%s.zip", family);
    CHECK_OK(uc_bundle_open(path, true, arena, NULL, &bundle, &error), &error);
    const size_t i = uc_bundle_find(bundle, "cases");
    CHECK(i != SIZE_MAX);
    CHECK_OK(uc_bundle_read(bundle, i, &bytes, &error), &error);
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, &error);
    while (!r.failed && uc_reader_left(&r)) {
        const uint32_t size = uc_reader_u32le(&r, "a size");
        run_case(&t, uc_reader_take(&r, size, "a case"));
    }
    CHECK(!r.failed);
    (void)unlink(t.graph_path);
    uc_arena_free(arena);
    if (t.wrong || t.refused > refused)
        fail_msg("%s: of %zu cases %zu are wrong, %zu refused", family, t.cases, t.wrong,
                 t.refused);
}

#define FAMILY(name, sentence, refused) \
    static void sentence(void **state)  \
    {                                   \
        (void)state;                    \
        run_family(name, refused);      \
    }
FAMILY("maths", arithmetic_and_reductions_answer_as_tensorflow_does, 0)
FAMILY("array", shapes_and_moves_answer_as_tensorflow_does, 2)
FAMILY("nn", layers_answer_as_tensorflow_does, 4)
FAMILY("image", pictures_and_boxes_answer_as_tensorflow_does, 4)
FAMILY("text", strings_answer_as_tensorflow_does, 15)
FAMILY("sparse", sparse_and_ragged_tensors_answer_as_tensorflow_does, 36)
FAMILY("quantised", quantised_numbers_answer_as_tensorflow_does, 18)
FAMILY("random", random_numbers_are_tensorflows, 17)
FAMILY("linear", matrices_and_spectra_answer_as_tensorflow_does, 18)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_and_reductions_answer_as_tensorflow_does),
        cmocka_unit_test(shapes_and_moves_answer_as_tensorflow_does),
        cmocka_unit_test(layers_answer_as_tensorflow_does),
        cmocka_unit_test(pictures_and_boxes_answer_as_tensorflow_does),
        cmocka_unit_test(strings_answer_as_tensorflow_does),
        cmocka_unit_test(sparse_and_ragged_tensors_answer_as_tensorflow_does),
        cmocka_unit_test(quantised_numbers_answer_as_tensorflow_does),
        cmocka_unit_test(random_numbers_are_tensorflows),
        cmocka_unit_test(matrices_and_spectra_answer_as_tensorflow_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
