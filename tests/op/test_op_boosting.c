/* The small operators around boosted models: uncork.Link, WeightedMedian, OrderedLinear. */
#include "check.h"
#include "graph/graph.h"
#include "plan/plan.h"

#include <math.h>

/* One node over x [rows, columns]; its output into y. */
static void run_node(const char *op, const char *kind, bool bounded, const uc_tensor *weight,
                     const uc_tensor *x, void *y, size_t bytes)
{
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    uc_graph *g = uc_graph_new(arena, NULL, &error);
    uc_ref in = uc_graph_input(g, "x", x->dtype, 2, x->shape);
    uc_node *node = uc_graph_node(g, op, &in, 1, 1);
    if (kind) {
        uc_node_str(g, node, "kind", kind);
        uc_node_int(g, node, "bounded", bounded);
    }
    if (weight) {
        uc_node_tensor(g, node, "weight", weight);
    }
    uc_graph_output(g, "y", uc_node_out(node, 0));
    uc_program *program;
    uc_runner *runner;
    CHECK_OK(uc_graph_finish(g), &error);
    CHECK_OK(uc_program_new(g, arena, NULL, &program, &error), &error);
    CHECK_OK(uc_runner_new(program, NULL, &runner), &error);
    uc_value value = {.kind = UC_TENSOR, .tensor = *x};
    const uc_value *inputs = &value;
    CHECK_OK(uc_runner_run(runner, &inputs, 1, NULL, &error), &error);
    memcpy(y, uc_runner_output(runner, 0)->tensor.data, bytes);
    uc_runner_free(runner);
    uc_arena_free(arena);
}

static uc_tensor matrix(uncork_dtype dtype, int64_t rows, int64_t columns, void *data)
{
    uc_tensor t = {0};
    uc_tensor_set(&t, dtype, 2, (int64_t[]){rows, columns});
    t.data = data;
    return t;
}

/* What binary:logistic gives for these margins: 1.5.2 (and before), and 1.6.2 (and after). */
static void logistic_has_the_bound_that_xgboost_got_in_1_6(void **unused)
{
    (void)unused;
    float x[6] = {-200, -90, -88.5f, -87, 90, 200}, y[6];
    static const float before[6] = {0, 0, 3.672301610145117e-39f, 1.6458114537543937e-38f, 1, 1};
    static const float since[6] = {3.006635794144578e-39f,
                                   3.006635794144578e-39f,
                                   3.672301610145117e-39f,
                                   1.6458114537543937e-38f,
                                   1,
                                   1};
    uc_tensor t = matrix(UNCORK_FLOAT32, 6, 1, x);
    run_node("uncork.Link", "logistic", false, NULL, &t, y, sizeof y);
    CHECK_BYTES(y, before, sizeof y);
    run_node("uncork.Link", "logistic", true, NULL, &t, y, sizeof y);
    CHECK_BYTES(y, since, sizeof y);
}

static void softmax_of_a_row_sums_to_one_and_survives_large_margins(void **unused)
{
    (void)unused;
    double x[6] = {1000, 1000, -1000, 0, 0, 0}, y[6];
    uc_tensor t = matrix(UNCORK_FLOAT64, 2, 3, x);
    run_node("uncork.Link", "softmax", false, NULL, &t, y, sizeof y);
    CHECK(y[0] == 0.5 && y[1] == 0.5 && y[2] == 0);
    CHECK(y[3] == 1.0 / 3 && y[4] == 1.0 / 3 && y[5] == 1.0 / 3);
}

/* numpy: sort, cumsum of the weights, first >= half of the last. */
static void weighted_median_is_where_half_of_the_weight_is_reached(void **unused)
{
    (void)unused;
    double x[12] = {3, 1, 2, 4, 5, 5, 1, 1, -1, 7, 0, 2}, y[3];
    double w[4] = {1, 1, 1, 5};
    uc_tensor t = matrix(UNCORK_FLOAT64, 3, 4, x), weight = {0};
    uc_tensor_set(&weight, UNCORK_FLOAT64, 1, (int64_t[]){4});
    weight.data = w;
    run_node("uncork.WeightedMedian", NULL, false, &weight, &t, y, sizeof y);
    CHECK(y[0] == 4 && y[1] == 1 && y[2] == 2);
}

/* Feature after feature in float32: (2^24 + 1) - 2^24 loses the 1, and NaN is absent. */
static void ordered_linear_rounds_after_every_feature(void **unused)
{
    (void)unused;
    float x[6] = {1, 1, 1, NAN, 1, 1}, y[2];
    float w[4] = {16777216, 1, -16777216, 0}; /* three features, then the bias */
    uc_tensor t = matrix(UNCORK_FLOAT32, 2, 3, x), weight = matrix(UNCORK_FLOAT32, 4, 1, w);
    run_node("uncork.OrderedLinear", NULL, false, &weight, &t, y, sizeof y);
    CHECK(y[0] == 0);
    CHECK(y[1] == -16777215);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logistic_has_the_bound_that_xgboost_got_in_1_6),
        cmocka_unit_test(softmax_of_a_row_sums_to_one_and_survives_large_margins),
        cmocka_unit_test(weighted_median_is_where_half_of_the_weight_is_reached),
        cmocka_unit_test(ordered_linear_rounds_after_every_feature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
