/* Spatial operators with channels last give what the same operator gives between transposes. */
#include "check.h"
#include "plan/plan.h"

#include <string.h>

static const int64_t to_first[] = {0, 3, 1, 2}, to_last[] = {0, 2, 3, 1};

static uc_ref transpose(uc_graph *g, uc_ref a, const int64_t *perm)
{
    uc_node *n = uc_graph_node(g, "Transpose", &a, 1, 1);
    uc_node_ints(g, n, "perm", perm, 4);
    return uc_node_out(n, 0);
}

static uc_ref spatial(uc_graph *g, const char *op, uc_ref a, const char *mode, uc_layout layout)
{
    uc_node *n = uc_graph_node(g, op, &a, 1, 1);
    uc_node_int(g, n, "blocksize", 2);
    uc_node_str(g, n, "mode", mode);
    n->layout = layout;
    return uc_node_out(n, 0);
}

static void check(const char *op, const char *mode)
{
    uncork_error error;
    uc_program *program = NULL;
    uc_runner *runner = NULL;
    const int64_t shape[] = {2, 4, 6, 8};
    uc_error_init(&error);
    uc_arena *arena = uc_arena_new(NULL);
    uc_graph *g = uc_graph_new(arena, NULL, &error);
    uc_tensor *t = uc_tensor_new(arena, UNCORK_INT64, 4, shape);
    for (int64_t i = 0; i < uc_tensor_count(t); i++) {
        ((int64_t *)t->data)[i] = i;
    }
    uc_ref x = uc_graph_input(g, "x", UNCORK_INT64, 4, shape);
    uc_ref first = spatial(g, op, transpose(g, x, to_first), mode, UC_LAYOUT_FIRST);
    uc_graph_output(g, "between", transpose(g, first, to_last));
    uc_graph_output(g, "direct", spatial(g, op, x, mode, UC_LAYOUT_LAST));
    CHECK_OK(uc_graph_finish(g), &error);
    CHECK_OK(uc_program_new(g, arena, NULL, &program, &error), &error);
    CHECK_OK(uc_runner_new(program, NULL, &runner), &error);
    uc_value value = {.kind = UC_TENSOR, .tensor = *t};
    const uc_value *inputs[] = {&value};
    CHECK_OK(uc_runner_run(runner, inputs, 1, NULL, &error), &error);
    const uc_tensor *want = &uc_runner_output(runner, 0)->tensor;
    const uc_tensor *got = &uc_runner_output(runner, 1)->tensor;
    CHECK_BYTES(got->shape, want->shape, 4 * sizeof *shape);
    CHECK_BYTES(got->data, want->data, (size_t)uc_tensor_count(want) * sizeof(int64_t));
    uc_runner_free(runner);
    uc_arena_free(arena);
}

static void blocks_move_alike_in_both_layouts(void **state)
{
    (void)state;
    check("DepthToSpace", "DCR");
    check("DepthToSpace", "CRD");
    check("SpaceToDepth", "DCR");
    check("SpaceToDepth", "CRD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_move_alike_in_both_layouts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
