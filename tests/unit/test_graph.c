/* The builder: failures stick, invariants are checked, shapes are known with symbols. */
#include "check.h"
#include "graph/graph_infer.h"

typedef struct world {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_graph *g;
} world;

static world make(void)
{
    world w = {0};
    uc_budget_init(&w.budget, NULL, 0);
    uc_error_init(&w.error);
    w.arena = uc_arena_new(NULL);
    return w;
}

static uc_graph *start(world *w) { return w->g = uc_graph_new(w->arena, &w->budget, &w->error); }

static void the_first_failure_sticks_with_its_place(void **state)
{
    (void)state;
    world w = make();
    uc_graph *g = start(&w);
    const int64_t shape[] = {-1, 3};
    uc_ref x = uc_graph_input(g, "x", UNCORK_FLOAT64, 2, shape);
    g->where = "model.steps[0] (Odd)";
    uc_ref y = uc_g1(g, "NoSuchOperator", x);
    CHECK_INT(y, 0);
    g->where = "later";
    uc_node *n = uc_graph_node(g, "Split", &x, 1, 5);
    uc_node_int(g, n, "axis", 1);
    CHECK_INT(uc_node_out(n, 3), 0);
    uc_graph_output(g, "y", uc_g2(g, "Add", y, x));
    CHECK_INT(uc_graph_finish(g), UNCORK_UNSUPPORTED);
    CHECK_STR(w.error.what, "operator 'NoSuchOperator' isn't known");
    CHECK_STR(w.error.where, "model.steps[0] (Odd)");
    uc_arena_free(w.arena);
}

static void arity_and_missing_inputs_are_refused(void **state)
{
    (void)state;
    world w = make();
    uc_graph *g = start(&w);
    const int64_t shape[] = {-1, 3};
    uc_ref x = uc_graph_input(g, "x", UNCORK_FLOAT64, 2, shape);
    uc_g1(g, "Add", x);
    CHECK_INT(uc_graph_finish(g), UNCORK_MALFORMED);
    CHECK_STR(w.error.what, "Add with 1 inputs and 1 outputs: it takes 2 to 2 and gives 1 to 1");
    uc_arena_free(w.arena);

    w = make();
    g = start(&w);
    x = uc_graph_input(g, "x", UNCORK_FLOAT64, 2, shape);
    uc_graph_output(g, "y", uc_g2(g, "Add", x, 0));
    CHECK_INT(uc_graph_finish(g), UNCORK_MALFORMED);
    CHECK_STR(w.error.what, "Add: nothing is fed to required input 1");
    uc_arena_free(w.arena);
}

static void a_node_that_reads_what_comes_later_is_refused(void **state)
{
    (void)state;
    world w = make();
    uc_graph *g = start(&w);
    const int64_t shape[] = {2};
    uc_ref x = uc_graph_input(g, "x", UNCORK_FLOAT64, 1, shape);
    uc_ref a = uc_g1(g, "Neg", x), b = uc_g1(g, "Neg", a);
    uc_graph_output(g, "y", b);
    g->nodes[0].in[0] = b; /* as a wrong pass would */
    CHECK_INT(uc_graph_finish(g), UNCORK_MALFORMED);
    CHECK_STR(w.error.what, "Neg: a later node feeds input 0");
    uc_arena_free(w.arena);
}

static void wrong_types_are_refused_before_running(void **state)
{
    (void)state;
    world w = make();
    uc_graph *g = start(&w);
    const int64_t shape[] = {2};
    uc_ref x = uc_graph_input(g, "x", UNCORK_STRING, 1, shape);
    uc_graph_output(g, "y", uc_g1(g, "Exp", x));
    CHECK_INT(uc_graph_finish(g), UNCORK_INPUT);
    CHECK_STR(w.error.what, "Exp: input 0 is string, a float is wanted");
    uc_arena_free(w.arena);
}

static void shapes_are_known_with_symbols(void **state)
{
    (void)state;
    world w = make();
    uc_graph *g = start(&w);
    const int64_t shape[] = {-2, 4}, split[] = {0, 2, 2}, wide[] = {1, -1};
    uc_ref x = uc_graph_input(g, "x", UNCORK_FLOAT32, 2, shape);
    uc_ref cube = uc_g_reshape(g, x, split, 3);
    uc_ref mean = uc_g_reduce(g, "ReduceMean", cube, -1, true);
    uc_ref turned = uc_g_transpose(g, mean);
    uc_ref row = uc_g_reshape(g, turned, wide, 2);
    uc_ref one = uc_g_argmax(g, x, 1, false);
    uc_graph_output(g, "turned", turned);
    uc_graph_output(g, "row", row);
    uc_graph_output(g, "one", one);
    CHECK_OK(uc_graph_finish(g), &w.error);
    CHECK_INT(g->values[turned].rank, 3);
    CHECK_INT(g->values[turned].shape[0], 1);
    CHECK_INT(g->values[turned].shape[1], 2);
    CHECK_INT(g->values[turned].shape[2], -2);
    CHECK_INT(g->values[row].shape[1], UC_DIM_UNKNOWN);
    CHECK_INT(g->values[one].dtype, UNCORK_INT64);
    CHECK_INT(g->values[one].shape[0], -2);
    uc_arena_free(w.arena);
}

static void what_no_output_needs_is_gone(void **state)
{
    (void)state;
    world w = make();
    uc_graph *g = start(&w);
    const int64_t shape[] = {2};
    uc_ref x = uc_graph_input(g, "x", UNCORK_FLOAT64, 1, shape);
    uc_g1(g, "Exp", x);
    uc_ref y = uc_g1(g, "Neg", x);
    uc_g1(g, "Log", y);
    uc_graph_output(g, "y", y);
    CHECK_OK(uc_graph_finish(g), &w.error);
    CHECK_INT(g->node_count, 1);
    CHECK_STR(g->nodes[0].op->name, "Neg");
    CHECK_INT(g->values[y].producer, 0);
    uc_arena_free(w.arena);
}

static void a_dump_has_a_line_a_node(void **state)
{
    (void)state;
    world w = make();
    uc_graph *g = start(&w);
    const int64_t shape[] = {-1, 2};
    g->where = "model";
    uc_ref x = uc_graph_input(g, "x", UNCORK_FLOAT64, 2, shape);
    uc_graph_output(g, "label", uc_g_argmax(g, x, 1, false));
    CHECK_OK(uc_graph_finish(g), &w.error);
    uc_writer out;
    uc_writer_init(&out, 1 << 16);
    uc_graph_dump(g, &out);
    CHECK_STR(uc_writer_string(&out), "input %1 x float64[?, 2]\n"
                                      "%2 int64[?] = ArgMax(%1) axis=1 keepdims=0  # model\n"
                                      "output %2 label int64[?]\n");
    uc_writer_done(&out);
    uc_arena_free(w.arena);
}

static void running_out_of_memory_anywhere_is_a_status(void **state)
{
    (void)state;
    for (long n = 1; n < 60; n++) {
        world w = make();
        uc_arena_fail_after(n);
        uc_graph *g = start(&w);
        if (g) {
            const int64_t shape[] = {-1, 2};
            uc_ref x = uc_graph_input(g, "x", UNCORK_FLOAT64, 2, shape);
            for (int i = 0; i < 200; i++) {
                x = uc_g2(g, "Add", x, uc_graph_f64(g, i));
            }
            uc_graph_output(g, "y", x);
            uncork_status status = uc_graph_finish(g);
            CHECK(status == UNCORK_OK || status == UNCORK_NO_MEMORY);
            CHECK_INT(w.error.status, status);
        }
        uc_arena_fail_after(0);
        uc_arena_free(w.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_failure_sticks_with_its_place),
        cmocka_unit_test(arity_and_missing_inputs_are_refused),
        cmocka_unit_test(a_node_that_reads_what_comes_later_is_refused),
        cmocka_unit_test(wrong_types_are_refused_before_running),
        cmocka_unit_test(shapes_are_known_with_symbols),
        cmocka_unit_test(what_no_output_needs_is_gone),
        cmocka_unit_test(a_dump_has_a_line_a_node),
        cmocka_unit_test(running_out_of_memory_anywhere_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
