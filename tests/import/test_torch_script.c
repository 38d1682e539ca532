/* TorchScript and --code against torch's own answers: tests/fixtures/gen/torch_script.py. Single operators
 * within |got - want| <= 1e-5 |want| + 1e-6 max|want|, networks within 1e-4 and 1e-5; integers and truths
 * are equal.
 *
 * UC_CASE=0_12: only the cases whose name begins so. */
#include "base/file.h"
#include "check.h"
#include "container/bundle.h"
#include "container/npy.h"
#include "damage.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER UC_SOURCE_DIR "/tests/fixtures/pytorch"

enum { PORTS = 32 };

typedef struct bound {
    double relative, absolute;
} bound;

typedef struct one_case {
    uc_arena *arena;
    uc_bundle *bundle;
    const char *name; /* "case/0_12" */
    const char *method, *what, *code;
    uc_bytes archive;
    uncork_fed fed[PORTS];
    const uc_tensor *in[PORTS], *out[PORTS];
    const char *out_name[PORTS];
    size_t in_count, out_count;
} one_case;

/* ---- reading --------------------------------------------------------------------------------- */

static const char *text_of(one_case *c, const char *entry)
{
    uncork_error error = {.size = sizeof error};
    uc_bytes b;
    const size_t at = uc_bundle_find(c->bundle, uc_arena_printf(c->arena, "%s/%s", c->name, entry));
    if (at == SIZE_MAX) return NULL;
    CHECK_OK(uc_bundle_read(c->bundle, at, &b, &error), &error);
    return uc_arena_copy(c->arena, b.data, b.size);
}

/* "case/x/in/00_name.npy": the arrays of a folder, in order. */
static size_t read_arrays(one_case *c, const char *folder, const uc_tensor **arrays,
                          const char **names)
{
    const char *start = uc_arena_printf(c->arena, "%s/%s/", c->name, folder);
    const size_t n = strlen(start);
    size_t count = 0;
    for (size_t i = 0; i < uc_bundle_count(c->bundle) && count < PORTS; i++) {
        const char *entry = uc_bundle_name(c->bundle, i);
        uncork_error error = {.size = sizeof error};
        uc_bytes b;
        uc_npy npy;
        if (strncmp(entry, start, n) != 0) continue;
        CHECK_OK(uc_bundle_read(c->bundle, i, &b, &error), &error);
        CHECK_OK(uc_npy_read(b, 0, c->arena, &npy, &error), &error);
        arrays[count] = npy.tensor;
        names[count++] = uc_arena_copy(c->arena, entry + n + 3, strlen(entry + n + 3) - 4);
    }
    return count;
}

static void read_case(one_case *c)
{
    uncork_error error = {.size = sizeof error};
    const char *names[PORTS];
    const char *archive = text_of(c, "archive");
    CHECK(archive != NULL);
    const size_t at = uc_bundle_find(c->bundle, uc_arena_printf(c->arena, "archive/%s", archive));
    CHECK(at != SIZE_MAX);
    CHECK_OK(uc_bundle_read(c->bundle, at, &c->archive, &error), &error);
    c->method = text_of(c, "method");
    c->what = text_of(c, "what");
    c->code = text_of(c, "code");
    c->in_count = read_arrays(c, "in", c->in, names);
    for (size_t i = 0; i < c->in_count; i++) {
        c->fed[i] = (uncork_fed){.name = names[i],
                                 .dtype = c->in[i]->dtype,
                                 .rank = c->in[i]->rank,
                                 .shape = c->in[i]->shape};
    }
    c->out_count = read_arrays(c, "out", c->out, c->out_name);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool same(const uncork_value *got, const uc_tensor *want, bound limit, char *why,
                 size_t size)
{
    const int64_t n = uc_tensor_count(want);
    double largest = 0;
    const int64_t *shape = uncork_value_shape(got);
    const int rank = uncork_value_rank(got);
    bool alike = rank == want->rank && uncork_value_dtype(got) == want->dtype;
    for (int d = 0; alike && d < rank; d++)
        alike = shape[d] == want->shape[d];
    if (!alike) {
        char text[2][128];
        (void)snprintf(why, size, "%s %s, expected %s %s", uc_dtype_name(uncork_value_dtype(got)),
                       uc_shape_text(shape, rank, text[0], 128), uc_dtype_name(want->dtype),
                       uc_shape_text(want->shape, want->rank, text[1], 128));
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        const double w = uc_dtype_load_f64(want->data, i, want->dtype);
        if (isfinite(w)) largest = fmax(largest, fabs(w));
    }
    const void *data = uncork_value_data(got);
    for (int64_t i = 0; i < n; i++) {
        const double g = uc_dtype_load_f64(data, i, want->dtype);
        const double w = uc_dtype_load_f64(want->data, i, want->dtype);
        bool good = fabs(g - w) <= limit.relative * fabs(w) + limit.absolute * largest;
        if (!uc_dtype_is_float(want->dtype)) good = g == w;
        if (isnan(w) || isinf(w)) good = isnan(w) ? isnan(g) : g == w;
        if (good) continue;
        (void)snprintf(why, size, "element %d is %.9g, expected %.9g", (int)i, g, w);
        return false;
    }
    return true;
}

static bool run_case(one_case *c, bound limit, char *why, size_t size)
{
    const uncork_open_options open = {.size = sizeof open, .code = c->code};
    uncork_prepare_options prepare = {.size = sizeof prepare};
    uncork_error error = {.size = sizeof error};
    uncork_file *file = NULL;
    uncork_model *model = NULL;
    uncork_session *session = NULL;
    uncork_value *values[PORTS] = {NULL};
    prepare.fed = c->fed;
    prepare.fed_count = (int)c->in_count;
    bool good = uncork_open_memory(c->archive.data, c->archive.size, "m.pt", &open, &file,
                                   &error) == UNCORK_OK;
    good = good && uncork_prepare(file, c->method, &prepare, &model, &error) == UNCORK_OK;
    good = good && uncork_session_new(model, NULL, &session) == UNCORK_OK;
    for (size_t i = 0; good && i < c->in_count; i++) {
        CHECK(uncork_value_new(c->in[i]->dtype, c->in[i]->rank, c->in[i]->shape, &values[i]) ==
              UNCORK_OK);
        const size_t bytes = (size_t)uc_tensor_count(c->in[i]) * uc_dtype_size(c->in[i]->dtype);
        if (bytes) memcpy(uncork_value_data(values[i]), c->in[i]->data, bytes);
    }
    good =
        good && uncork_session_run(session, (const uncork_value *const *)values,
                                   (int)uncork_model_input_count(model), NULL, &error) == UNCORK_OK;
    if (!good) (void)snprintf(why, size, "%s", error.what);
    if (good && (size_t)uncork_model_output_count(model) != c->out_count) {
        (void)snprintf(why, size, "%d outputs, expected %zu", uncork_model_output_count(model),
                       c->out_count);
        good = false;
    }
    for (size_t i = 0; good && i < c->out_count; i++) {
        const char *name = uncork_model_output_name(model, (int)i);
        good = strcmp(name, c->out_name[i]) == 0;
        if (!good) (void)snprintf(why, size, "output '%s', expected '%s'", name, c->out_name[i]);
        good = good && same(uncork_session_output(session, (int)i), c->out[i], limit, why, size);
    }
    for (size_t i = 0; i < c->in_count; i++)
        uncork_value_free(values[i]);
    uncork_session_free(session);
    uncork_model_free(model);
    uncork_file_close(file);
    return good;
}

/* ---- packs ----------------------------------------------------------------------------------- */

/* A source goes to a folder of its own: --code takes a path. */
static void write_sources(one_case *c, const char *folder)
{
    const char *start = uc_arena_printf(c->arena, "%s/source/", c->name);
    const size_t n = strlen(start);
    for (size_t i = 0; i < uc_bundle_count(c->bundle); i++) {
        const char *entry = uc_bundle_name(c->bundle, i);
        uncork_error error = {.size = sizeof error};
        uc_bytes b;
        if (strncmp(entry, start, n) != 0) continue;
        CHECK_OK(uc_bundle_read(c->bundle, i, &b, &error), &error);
        CHECK_OK(uc_file_write(uc_arena_printf(c->arena, "%s/%s", folder, entry + n), b, &error),
                 &error);
    }
    c->code = uc_arena_printf(c->arena, "%s/%s", folder, c->code);
}

static void remove_sources(const one_case *c, const char *folder)
{
    char **names = NULL;
    size_t count = 0;
    uncork_error error = {.size = sizeof error};
    CHECK_OK(uc_file_list(folder, true, c->arena, &names, &count, &error), &error);
    for (size_t i = 0; i < count; i++)
        (void)unlink(uc_arena_printf(c->arena, "%s/%s", folder, names[i]));
    (void)rmdir(folder);
}

static void run_pack(const char *name, bound limit, size_t *cases, size_t *wrong)
{
    uc_arena *all = uc_arena_new(NULL);
    uncork_error error = {.size = sizeof error};
    const char *only = getenv("UC_CASE");
    uc_bundle *bundle;
    uc_budget budget;
    uc_budget_init(&budget, NULL, (uint64_t)1 << 30);
    CHECK_OK(uc_bundle_open(uc_arena_printf(all, "%s/%s", FOLDER, name), true, all, &budget,
                            &bundle, &error),
             &error);
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *entry = uc_bundle_name(bundle, i), *end = strstr(entry, "/archive");
        char why[400] = "", folder[] = "/tmp/uncork-code-XXXXXX";
        if (strncmp(entry, "case/", 5) != 0 || !end || end[8]) continue;
        if (only && strncmp(entry + 5, only, strlen(only)) != 0) continue;
        one_case *c = UC_NEW(all, one_case, 1);
        CHECK(c != NULL);
        *c = (one_case){.arena = all,
                        .bundle = bundle,
                        .name = uc_arena_copy(all, entry, (size_t)(end - entry))};
        read_case(c);
        if (c->code) {
            CHECK(mkdtemp(folder) != NULL);
            write_sources(c, folder);
        }
        ++*cases;
        if (!run_case(c, limit, why, sizeof why)) {
            ++*wrong;
            print_message("%s: %s: %s\n", c->name + 5, c->what ? c->what : "", why);
        }
        if (c->code) remove_sources(c, folder);
    }
    uc_arena_free(all);
}

static void every_operator_gives_torch_s_numbers(void **state)
{
    size_t cases = 0, wrong = 0;
    (void)state;
    for (int i = 0; i < 16; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "ops_%d.zip", i);
        char path[256];
        (void)snprintf(path, sizeof path, "%s/%s", FOLDER, name);
        if (uc_file_kind_of(path) == UC_FILE_REGULAR)
            run_pack(name, (bound){1e-5, 1e-6}, &cases, &wrong);
    }
    print_message("%zu operators, %zu wrong\n", cases, wrong);
    CHECK(wrong == 0 && (cases >= 350 || getenv("UC_CASE")));
}

static void whole_archives_give_torch_s_numbers(void **state)
{
    size_t cases = 0, wrong = 0;
    (void)state;
    run_pack("features.zip", (bound){1e-4, 1e-5}, &cases, &wrong);
    run_pack("quantised.zip", (bound){1e-4, 1e-5}, &cases, &wrong);
    print_message("%zu archives, %zu wrong\n", cases, wrong);
    CHECK(wrong == 0);
}

static void sources_give_torch_s_numbers(void **state)
{
    size_t cases = 0, wrong = 0;
    (void)state;
    run_pack("code_0.zip", (bound){1e-4, 1e-5}, &cases, &wrong);
    run_pack("code_1.zip", (bound){1e-4, 1e-5}, &cases, &wrong);
    run_pack("code_2.zip", (bound){1e-4, 1e-5}, &cases, &wrong);
    print_message("%zu sources, %zu wrong\n", cases, wrong);
    CHECK(wrong == 0);
}

static void damaged_archives_are_refused_or_sound(void **state)
{
    static const char *const names[] = {"script_loop.pt", "script_quant.pt", "script_if.pt",
                                        "script_class.pt", "script_views.pt"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s/%s", FOLDER, names[i]);
        damage_file(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_gives_torch_s_numbers),
        cmocka_unit_test(whole_archives_give_torch_s_numbers),
        cmocka_unit_test(sources_give_torch_s_numbers),
        cmocka_unit_test(damaged_archives_are_refused_or_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
