/* Equal nodes become one, others don't. */
#include "check.h"
#include "graph/graph.h"

typedef struct world {
    uc_arena *arena;
    uc_budget budget;
    uncork_error error;
    uc_graph *g;
    uc_ref x;
} world;

static void make(world *w)
{
    static const int64_t shape[2] = {-1, 3};
    memset(w, 0, sizeof *w);
    uc_budget_init(&w->budget, NULL, 0);
    uc_error_init(&w->error);
    w->arena = uc_arena_new(NULL);
    w->g = uc_graph_new(w->arena, &w->budget, &w->error);
    w->x = uc_graph_input(w->g, "x", UNCORK_FLOAT64, 2, shape);
}

static void the_same_work_asked_for_twice_is_done_once(void **state)
{
    (void)state;
    world w;
    make(&w);
    for (int i = 0; i < 2; i++) {
        uc_ref y = uc_g_reshape(w.g, uc_g_unsqueeze(w.g, w.x, 0), (int64_t[]){-1}, 1);
        uc_graph_output(w.g, i ? "b" : "a", y);
    }
    CHECK_OK(uc_graph_finish(w.g), &w.error);
    CHECK_INT(w.g->node_count, 2);
    CHECK_INT(w.g->outputs[0], w.g->outputs[1]);
    uc_arena_free(w.arena);
}

static void other_inputs_and_other_constants_stay_apart(void **state)
{
    (void)state;
    world w;
    make(&w);
    uc_graph_output(w.g, "a", uc_g_unsqueeze(w.g, w.x, 0));
    uc_graph_output(w.g, "b", uc_g_unsqueeze(w.g, w.x, 1));
    uc_graph_output(w.g, "c", uc_g_unsqueeze(w.g, uc_g_unsqueeze(w.g, w.x, 0), 0));
    CHECK_OK(uc_graph_finish(w.g), &w.error);
    CHECK_INT(w.g->node_count, 3);
    uc_arena_free(w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_work_asked_for_twice_is_done_once),
        cmocka_unit_test(other_inputs_and_other_constants_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
