/* Passes: before, after, the same outputs; names that --disable-pass takes. */
#include "check.h"
#include "pass/pass.h"
#include "plan/plan.h"

typedef struct world {
    uc_arena *arena;
    uncork_error error;
    uc_graph *g;
} world;

/* x [?, 5] times w [5, columns] plus b, all of float64. */
static world make(int64_t columns, bool bias_first)
{
    world w = {.arena = uc_arena_new(NULL)};
    const int64_t shape[] = {-1, 5}, wide[] = {5, columns};
    uc_error_init(&w.error);
    w.g = uc_graph_new(w.arena, NULL, &w.error);
    uc_tensor *weights = uc_tensor_new(w.arena, UNCORK_FLOAT64, 2, wide);
    uc_tensor *bias = uc_tensor_new(w.arena, UNCORK_FLOAT64, 1, &columns);
    for (int64_t i = 0; i < 5 * columns; i++) {
        ((double *)weights->data)[i] = 0.1 * (double)(i % 17) - 0.7;
    }
    for (int64_t i = 0; i < columns; i++) {
        ((double *)bias->data)[i] = 1.0 / (double)(i + 3);
    }
    uc_ref x = uc_graph_input(w.g, "x", UNCORK_FLOAT64, 2, shape);
    uc_ref product = uc_g2(w.g, "MatMul", x, uc_graph_const(w.g, weights));
    uc_ref b = uc_graph_const(w.g, bias);
    uc_ref sum = bias_first ? uc_g2(w.g, "Add", b, product) : uc_g2(w.g, "Add", product, b);
    uc_graph_output(w.g, "y", sum);
    CHECK_OK(uc_graph_finish(w.g), &w.error);
    return w;
}

static void run(world *w, const uc_graph *g, double *y, int64_t rows, int64_t columns)
{
    uc_program *program = NULL;
    uc_runner *runner = NULL;
    const int64_t shape[] = {rows, 5};
    uc_value in = {.kind = UC_TENSOR, .tensor = *uc_tensor_new(w->arena, UNCORK_FLOAT64, 2, shape)};
    const uc_value *inputs[] = {&in};
    for (int64_t i = 0; i < rows * 5; i++) {
        ((double *)in.tensor.data)[i] = 0.3 * (double)(i % 7) - 1;
    }
    CHECK_OK(uc_program_new(g, w->arena, NULL, &program, &w->error), &w->error);
    CHECK_OK(uc_runner_new(program, NULL, &runner), &w->error);
    CHECK_OK(uc_runner_run(runner, inputs, 1, NULL, &w->error), &w->error);
    memcpy(y, uc_runner_output(runner, 0)->tensor.data, (size_t)(rows * columns) * sizeof *y);
    uc_runner_free(runner);
}

static void a_bias_joins_its_product_with_the_same_bits(void **state)
{
    (void)state;
    static const int64_t widths[] = {1, 3, 10, 33, 300};
    static double before[9 * 300], after[9 * 300];
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        for (int first = 0; first < 2; first++) {
            world w = make(widths[i], first != 0);
            uc_graph *better = NULL;
            CHECK_OK(uc_pass_run_all(w.g, NULL, false, &w.error, &better), &w.error);
            CHECK_INT(better->node_count, 1);
            CHECK_STR(better->nodes[0].op->name, "Gemm");
            CHECK_INT(w.g->node_count, 2); /* the original stays */
            run(&w, w.g, before, 9, widths[i]);
            run(&w, better, after, 9, widths[i]);
            CHECK_BYTES(after, before, (size_t)(9 * widths[i]) * sizeof *after);
            uc_arena_free(w.arena);
        }
    }
}

static void a_disabled_pass_does_nothing_and_an_unknown_one_is_refused(void **state)
{
    (void)state;
    world w = make(4, false);
    uc_graph *better = NULL;
    CHECK_OK(uc_pass_run_all(w.g, "fuse_bias", false, &w.error, &better), &w.error);
    CHECK_INT(better->node_count, 2);
    CHECK_INT(uc_pass_run_all(w.g, "fuse_bias,fuse_all", false, &w.error, &better), UNCORK_USAGE);
    CHECK_STR(w.error.what, "there is no pass 'fuse_all'");
    uc_arena_free(w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bias_joins_its_product_with_the_same_bits),
        cmocka_unit_test(a_disabled_pass_does_nothing_and_an_unknown_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
