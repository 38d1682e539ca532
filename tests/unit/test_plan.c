/* Programs and plans: what is folded, viewed, reused; what a run allocates; hostile shapes. */
#include "check.h"
#include "plan/plan.h"

typedef struct world {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_graph *g;
    const uc_program *program;
    uc_runner *runner;
} world;

static world make(void)
{
    world w = {0};
    uncork_limits limits = {.size = sizeof limits};
    uc_budget_init(&w.budget, &limits, 0);
    uc_error_init(&w.error);
    w.arena = uc_arena_new(NULL);
    return w;
}

static void start(world *w) { w->g = uc_graph_new(w->arena, &w->budget, &w->error); }

static void finish(world *w)
{
    uc_program *program = NULL;
    CHECK_OK(uc_graph_finish(w->g), &w->error);
    CHECK_OK(uc_program_new(w->g, w->arena, &w->budget, &program, &w->error), &w->error);
    w->program = program;
    CHECK_OK(uc_runner_new(program, NULL, &w->runner), &w->error);
}

static void end(world *w)
{
    uc_runner_free(w->runner);
    uc_arena_free(w->arena);
}

static uc_value matrix(double *data, int64_t rows, int64_t columns)
{
    uc_value v = {.kind = UC_TENSOR};
    const int64_t shape[] = {rows, columns};
    uc_tensor_set(&v.tensor, UNCORK_FLOAT64, 2, shape);
    v.tensor.data = data;
    return v;
}

static void an_output_that_is_an_input_is_a_copy(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-1, 2};
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape);
    uc_graph_output(w.g, "same", x);
    const int64_t flat[] = {-1};
    uc_graph_output(w.g, "flat", uc_g_reshape(w.g, uc_g1(w.g, "Identity", x), flat, 1));
    finish(&w);
    double data[] = {1, 2, 3, 4};
    uc_value in = matrix(data, 2, 2);
    const uc_value *inputs[] = {&in};
    CHECK_OK(uc_runner_run(w.runner, inputs, 1, &w.budget, &w.error), &w.error);
    const uc_tensor *same = &uc_runner_output(w.runner, 0)->tensor;
    const uc_tensor *flat_out = &uc_runner_output(w.runner, 1)->tensor;
    CHECK(same->data != data && flat_out->data != data);
    CHECK_BYTES(same->data, data, sizeof data);
    CHECK_BYTES(flat_out->data, data, sizeof data);
    CHECK_INT(flat_out->rank, 1);
    CHECK_INT(flat_out->shape[0], 4);
    end(&w);
}

static void an_input_of_another_shape_is_refused_naming_both(void **state)
{
    (void)state;
    world w = make();
    start(&w);
    const int64_t shape[] = {-1, 3};
    uc_graph_output(w.g, "y",
                    uc_g1(w.g, "Identity", uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape)));
    finish(&w);
    double data[] = {1, 2, 3, 4};
    uc_value in = matrix(data, 2, 2);
    const uc_value *inputs[] = {&in};
    CHECK_INT(uc_runner_run(w.runner, inputs, 1, &w.budget, &w.error), UNCORK_INPUT);
    CHECK_STR(w.error.what,
              "input 'x' is float64[2, 2], the model takes float64[?, 3]: another size");
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_output_that_is_an_input_is_a_copy),
        cmocka_unit_test(an_input_of_another_shape_is_refused_naming_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
