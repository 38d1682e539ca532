/* xgboost and lightgbm models that lie (tests/hostile/gen_boosting.py), are cut at every byte, or have
 * bytes changed: refused with a message, or answered; nothing crashes or takes unbounded memory. */
#include "base/file.h"
#include "check.h"
#include "import/importer.h"
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>

/* What reading any of these small files may hold. */
#define MEMORY ((uint64_t)64 << 20)

static uint64_t seed = 20240607;

static uint64_t next_random(void) /* splitmix64 */
{
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uncork_status run_graph(uc_graph *g, uc_arena *arena, uc_budget *budget, uncork_error *error)
{
    static float rows[3 * 64] = {0, 1, 2, 3, 0.5f, 1.5f};
    uc_program *program;
    uc_runner *runner = NULL;
    UC_TRY(uc_graph_finish(g));
    int64_t width = g->values[g->inputs[0]].shape[1];
    if (width > 64) {
        return UNCORK_OK;
    }
    UC_TRY(uc_program_new(g, arena, budget, &program, error));
    UC_TRY(uc_runner_new(program, NULL, &runner));
    uc_value x = {.kind = UC_TENSOR};
    uc_tensor_set(&x.tensor, UNCORK_FLOAT32, 2, (int64_t[]){3, width});
    x.tensor.data = rows;
    const uc_value *in = &x;
    uncork_status status = uc_runner_run(runner, &in, 1, budget, error);
    uc_runner_free(runner);
    return status;
}

/* Opens and predicts three rows. A failure has a message. */
static uncork_status predict(const uc_importer *importer, uc_bytes bytes)
{
    uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = MEMORY};
    uc_budget budget;
    uc_budget_init(&budget, &limits, bytes.size);
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(&budget);
    uc_import file = {.importer = importer,
                      .path = "model",
                      .bytes = bytes,
                      .arena = arena,
                      .budget = &budget,
                      .findings = {.arena = arena},
                      .facts = {.arena = arena}};
    uc_findings findings = {.arena = arena};
    uc_import_options options = {.input_dtype = UNCORK_FLOAT32};
    uncork_status status = importer->open(&file, &error);
    if (status == UNCORK_OK) {
        uc_graph *g = uc_graph_new(arena, &budget, &error);
        status = importer->import(&file, NULL, &options, g, &findings, &error);
        status = status == UNCORK_OK ? run_graph(g, arena, &budget, &error) : status;
    }
    CHECK((status == UNCORK_OK) == (error.what[0] == '\0'));
    uc_arena_free(arena);
    return status;
}

static const uc_importer *importer_for(const char *folder)
{
    return strstr(folder, "xgboost") ? &uc_importer_xgboost : &uc_importer_lightgbm;
}

static void every_file_of(const char *folder)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    char **names;
    size_t count;
    CHECK_OK(uc_file_list(folder, false, arena, &names, &count, &error), &error);
    CHECK(count > 40);
    for (size_t i = 0; i < count; i++) {
        uc_bytes bytes;
        const char *path = uc_arena_printf(arena, "%s/%s", folder, names[i]);
        CHECK_OK(uc_file_read(path, true, arena, &bytes, &error), &error);
        uncork_status status = predict(importer_for(folder), bytes);
        bool good = strncmp(names[i], "good", 4) == 0,
             either = strncmp(names[i], "survive", 7) == 0;
        if (!either && (status == UNCORK_OK) != good) {
            fail_msg("%s: %s", path, good ? "is refused" : "is accepted");
        }
    }
    uc_arena_free(arena);
}

static void models_that_lie_are_refused(void **state)
{
    (void)state;
    every_file_of("tests/hostile/xgboost");
    every_file_of("tests/hostile/lightgbm");
}

/* The correct ones of each format. */
static const char *const genuine[] = {
    "tests/hostile/xgboost/good.json",        "tests/hostile/xgboost/good_category.json",
    "tests/hostile/xgboost/good_vector.json", "tests/hostile/xgboost/good.ubj",
    "tests/hostile/xgboost/good.bin",         "tests/hostile/xgboost/good_config.bin",
    "tests/hostile/lightgbm/good.txt",        "tests/hostile/lightgbm/good_category.txt",
    "tests/hostile/lightgbm/good_linear.txt",
};

typedef void (*with_bytes)(const char *path, uc_bytes bytes);

static void each_genuine(with_bytes use)
{
    for (size_t i = 0; i < sizeof genuine / sizeof genuine[0]; i++) {
        uncork_error error = {.size = sizeof error};
        uc_error_init(&error);
        uc_arena *arena = uc_arena_new(NULL);
        uc_bytes bytes;
        CHECK_OK(uc_file_read(genuine[i], true, arena, &bytes, &error), &error);
        use(genuine[i], bytes);
        uc_arena_free(arena);
    }
}

/* Copies end where the cut is, so that a sanitizer sees a read past it. */
static void cut_everywhere(const char *path, uc_bytes bytes)
{
    for (size_t n = 0; n < bytes.size; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, bytes.data, n);
        uncork_status status = predict(importer_for(path), (uc_bytes){copy, n});
        free(copy);
        /* lightgbm's last lines and the configuration after a binary model say nothing needed. */
        bool complete = (strstr(path, "lightgbm") && n + 4 > bytes.size) ||
                        (strstr(path, "config") && n + 3 > bytes.size);
        if (status == UNCORK_OK && !complete) {
            fail_msg("%s cut at byte %zu is accepted", path, n);
        }
    }
}

static void models_cut_at_every_byte_are_refused(void **state)
{
    (void)state;
    each_genuine(cut_everywhere);
}

static void change_bytes(const char *path, uc_bytes bytes)
{
    uint8_t *copy = malloc(bytes.size);
    for (int round = 0; round < 500; round++) {
        memcpy(copy, bytes.data, bytes.size);
        for (uint64_t k = next_random() % 4 + 1; k > 0; k--) {
            copy[next_random() % bytes.size] = (uint8_t)next_random();
        }
        (void)predict(importer_for(path), (uc_bytes){copy, bytes.size});
    }
    free(copy);
}

static void models_with_changed_bytes_are_answered_or_refused(void **state)
{
    (void)state;
    each_genuine(change_bytes);
}

/* Every allocation in turn fails: the failure is reported, nothing leaks or crashes. */
static void starve(const char *path, uc_bytes bytes)
{
    bool failed = true;
    for (long n = 1; failed && n < 2000; n++) {
        uncork_error error = {.size = sizeof error};
        uc_error_init(&error);
        uc_arena_fail_after(n);
        uc_arena *arena = uc_arena_new(NULL);
        uc_budget budget;
        uc_budget_init(&budget, NULL, bytes.size);
        uc_import file = {.importer = importer_for(path),
                          .path = "model",
                          .bytes = bytes,
                          .arena = arena,
                          .budget = &budget,
                          .findings = {.arena = arena},
                          .facts = {.arena = arena}};
        failed = !arena || file.importer->open(&file, &error) != UNCORK_OK;
        if (!failed) {
            uc_graph *g = uc_graph_new(arena, &budget, &error);
            uc_findings findings = {.arena = arena};
            failed = !g || file.importer->import(&file, NULL, NULL, g, &findings, &error) ||
                     uc_graph_finish(g);
        }
        uc_arena_fail_after(0);
        uc_arena_free(arena);
    }
    CHECK(!failed);
}

static void memory_that_runs_out_anywhere_is_reported(void **state)
{
    (void)state;
    each_genuine(starve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_that_lie_are_refused),
        cmocka_unit_test(models_cut_at_every_byte_are_refused),
        cmocka_unit_test(models_with_changed_bytes_are_answered_or_refused),
        cmocka_unit_test(memory_that_runs_out_anywhere_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
