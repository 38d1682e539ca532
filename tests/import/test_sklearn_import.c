/* The importer's own decisions: which value of a pickle is the model, what stands beside it, what is
 * refused and how it is named. The pickles are genuine (tests/fixtures/gen/sklearn_bundles.py). */
#include "check.h"
#include "container/bundle.h"
#include "import/importer.h"
#include "plan/plan.h"

#include <stdio.h>

typedef struct world {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_import file;
    uc_findings notes; /* of import */
    uc_graph *graph;
    uc_runner *runner;
    uncork_status status;
} world;

static void start(world *w, const char *name)
{
    char path[200];
    memset(w, 0, sizeof *w);
    (void)snprintf(path, sizeof path, "tests/fixtures/bundles/%s.pkl", name);
    uc_budget_init(&w->budget, NULL, 1u << 16);
    uc_error_init(&w->error);
    w->arena = uc_arena_new(NULL);
    uc_bundle *bundle;
    CHECK_OK(uc_bundle_open(path, true, w->arena, &w->budget, &bundle, &w->error), &w->error);
    w->file = (uc_import){.importer = &uc_importer_sklearn,
                          .path = path,
                          .bundle = bundle,
                          .arena = w->arena,
                          .budget = &w->budget,
                          .findings = {.arena = w->arena},
                          .facts = {.arena = w->arena}};
    CHECK_OK(uc_bundle_read(bundle, 0, &w->file.bytes, &w->error), &w->error);
    w->status = uc_importer_sklearn.open(&w->file, &w->error);
    CHECK_OK(w->status, &w->error);
}

static void run(world *w, const char *entry, const uc_import_options *options)
{
    static double rows[2][2] = {{0, 1}, {4, 5}};
    static const int64_t shape[2] = {2, 2};
    uc_program *program;
    uc_value x = {.kind = UC_TENSOR};
    const uc_value *in[1] = {&x};
    w->notes = (uc_findings){.arena = w->arena};
    w->graph = uc_graph_new(w->arena, &w->budget, &w->error);
    w->status =
        uc_importer_sklearn.import(&w->file, entry, options, w->graph, &w->notes, &w->error);
    if (w->status != UNCORK_OK) return;
    uc_tensor_set(&x.tensor, UNCORK_FLOAT64, 2, shape);
    x.tensor.data = rows;
    CHECK_OK(uc_graph_finish(w->graph), &w->error);
    CHECK_OK(uc_program_new(w->graph, w->arena, &w->budget, &program, &w->error), &w->error);
    CHECK_OK(uc_runner_new(program, NULL, &w->runner), &w->error);
    CHECK_OK(uc_runner_run(w->runner, in, 1, &w->budget, &w->error), &w->error);
}

static void end(world *w)
{
    uc_runner_free(w->runner);
    uc_arena_free(w->arena);
}

static bool says(const uc_findings *notes, const char *code, const char *text)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (strcmp(notes->items[i].code, code) == 0 && strstr(notes->items[i].text, text))
            return true;
    }
    return false;
}

static void check_label(const world *w, int64_t row, const char *want)
{
    uc_str s = uc_tensor_string(&uc_runner_output(w->runner, 0)->tensor, row);
    if (!uc_str_is(s, want))
        fail_msg("row %d is '%.*s', expected '%s'", (int)row, (int)s.size, s.data, want);
}

static void a_scaler_beside_the_model_is_applied_and_said(void **state)
{
    (void)state;
    world w;
    start(&w, "encoder");
    CHECK_STR(uc_fact_get_text(&w.file.facts, "scaler"), "StandardScaler");
    run(&w, "predict", NULL);
    const int64_t *labels = uc_runner_output(w.runner, 0)->tensor.data;
    CHECK_INT(labels[0], 0);
    CHECK_INT(labels[1], 2);
    CHECK(says(&w.notes, "scaler-applied", "pickle['scaler'] (StandardScaler)"));
    end(&w);
}

static void raw_input_leaves_the_scaler_out(void **state)
{
    (void)state;
    world w;
    uc_import_options raw = {.raw = true};
    start(&w, "encoder");
    run(&w, "predict", &raw);
    CHECK_INT(((const int64_t *)uc_runner_output(w.runner, 0)->tensor.data)[0], 1);
    CHECK(says(&w.notes, "scaler-skipped", "StandardScaler"));
    end(&w);
}

static void a_label_encoder_turns_the_default_labels_back(void **state)
{
    (void)state;
    world w;
    start(&w, "encoder");
    run(&w, NULL, NULL);
    CHECK_STR(uc_graph_output_name(w.graph, 0), "label");
    CHECK_STR(uc_graph_output_name(w.graph, 1), "probabilities");
    check_label(&w, 0, "low");
    check_label(&w, 1, "top");
    CHECK(says(&w.notes, "labels-decoded", "pickle['labels']"));
    end(&w);
}

static void names_beside_the_model_become_a_fact_and_leave_its_labels(void **state)
{
    (void)state;
    world w;
    start(&w, "names");
    const uc_fact *labels = uc_fact_find(&w.file.facts, "labels");
    CHECK(labels && labels->tensor && labels->tensor->shape[0] == 3);
    run(&w, NULL, NULL);
    CHECK_INT(uc_runner_output(w.runner, 0)->tensor.dtype, UNCORK_INT64);
    end(&w);
}

static void of_two_models_the_first_is_taken_and_both_named(void **state)
{
    (void)state;
    world w;
    start(&w, "two_models");
    CHECK(says(&w.file.findings, "model-chosen",
               "pickle[0] (GaussianNB) is taken, pickle[1] (LinearRegression)"));
    run(&w, NULL, NULL);
    check_label(&w, 1, "top");
    end(&w);
}

static void a_pipeline_that_scales_itself_is_not_scaled_twice(void **state)
{
    (void)state;
    world w;
    start(&w, "pipeline_and_scaler");
    CHECK(says(&w.file.findings, "transformer-ignored", "pickle['scaler'] (StandardScaler)"));
    run(&w, NULL, NULL);
    check_label(&w, 0, "low");
    end(&w);
}

static void a_scaler_of_the_target_is_left_out(void **state)
{
    (void)state;
    world w;
    start(&w, "target_scaler");
    CHECK(says(&w.file.findings, "transformer-ignored", "scales the target"));
    end(&w);
}

static void a_list_that_holds_itself_ends(void **state)
{
    (void)state;
    world w;
    start(&w, "cyclic");
    run(&w, NULL, NULL);
    check_label(&w, 0, "low");
    end(&w);
}

static void samplers_of_imblearn_are_passed_over(void **state)
{
    (void)state;
    world w;
    start(&w, "imblearn");
    run(&w, NULL, NULL);
    check_label(&w, 0, "low");
    check_label(&w, 1, "top");
    end(&w);
}

static void refused(const char *name, const char *message)
{
    world w;
    start(&w, name);
    run(&w, NULL, NULL);
    CHECK_INT(w.status, UNCORK_UNSUPPORTED);
    CHECK_STR(w.error.what, message);
    end(&w);
}

static void a_class_of_somebodys_own_is_named_with_its_path_and_use(void **state)
{
    (void)state;
    refused("custom_step",
            "__main__.Halve is a class uncork doesn't know, needed for model.steps[1].transform()");
}

static void a_class_of_somebodys_own_that_is_not_needed_is_only_noted(void **state)
{
    (void)state;
    world w;
    start(&w, "custom_beside");
    CHECK(says(&w.file.findings, "unknown-class", "__main__.Halve at pickle['settings']"));
    run(&w, NULL, NULL);
    check_label(&w, 1, "top");
    end(&w);
}

static void a_call_hidden_in_a_model_refuses_it_and_is_named(void **state)
{
    (void)state;
    refused("hidden_call",
            "posix.system called with 1 argument at byte 1106, reached as model.steps[1].note_");
}

static void a_pickle_without_a_model_says_what_it_is(void **state)
{
    (void)state;
    refused("no_model",
            "the pickle holds no model: it is a dict of 4 keys ('weights', 'name', 'size', ...)");
}

static void an_unknown_method_is_a_mistake_of_the_caller(void **state)
{
    (void)state;
    world w;
    start(&w, "two_models");
    run(&w, "predict_all", NULL);
    CHECK_INT(w.status, UNCORK_USAGE);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scaler_beside_the_model_is_applied_and_said),
        cmocka_unit_test(raw_input_leaves_the_scaler_out),
        cmocka_unit_test(a_label_encoder_turns_the_default_labels_back),
        cmocka_unit_test(names_beside_the_model_become_a_fact_and_leave_its_labels),
        cmocka_unit_test(of_two_models_the_first_is_taken_and_both_named),
        cmocka_unit_test(a_pipeline_that_scales_itself_is_not_scaled_twice),
        cmocka_unit_test(a_scaler_of_the_target_is_left_out),
        cmocka_unit_test(a_list_that_holds_itself_ends),
        cmocka_unit_test(samplers_of_imblearn_are_passed_over),
        cmocka_unit_test(a_class_of_somebodys_own_is_named_with_its_path_and_use),
        cmocka_unit_test(a_class_of_somebodys_own_that_is_not_needed_is_only_noted),
        cmocka_unit_test(a_call_hidden_in_a_model_refuses_it_and_is_named),
        cmocka_unit_test(a_pickle_without_a_model_says_what_it_is),
        cmocka_unit_test(an_unknown_method_is_a_mistake_of_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
