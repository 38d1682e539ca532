/* What running a plan costs beside its arithmetic: a logistic regression on one row, chains of cheap
 * nodes, an iteration of a loop; and what making a plan anew for another shape costs. One line a case:
 * nanoseconds a run of this thread, median and p90. */
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 101, RUNS = 2000 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct model {
    uc_arena *arena;
    uncork_error error;
    uc_graph *g;
    uc_ref x;
} model;

static model begin(int64_t features)
{
    model m = {.arena = uc_arena_new(NULL)};
    const int64_t shape[] = {UC_DIM_UNKNOWN, features};
    uc_error_init(&m.error);
    m.g = uc_graph_new(m.arena, NULL, &m.error);
    m.x = uc_graph_input(m.g, "x", UNCORK_FLOAT64, 2, shape);
    return m;
}

static uc_ref weights(model *m, int64_t rows, int64_t columns)
{
    const int64_t shape[] = {rows, columns};
    uc_tensor *t = uc_tensor_new(m->arena, UNCORK_FLOAT64, rows ? 2 : 1, rows ? shape : shape + 1);
    for (int64_t i = 0; i < uc_tensor_count(t); i++) {
        ((double *)t->data)[i] = 0.01 * (double)(i % 13) - 0.06;
    }
    return uc_graph_const(m->g, t);
}

static void bench(model *m, const char *name, uc_ref out, int64_t rows, int64_t features,
                  uc_budget *budget)
{
    uc_program *program = NULL;
    uc_runner *runner = NULL;
    const int64_t shape[] = {rows, features};
    uc_graph_output(m->g, "y", out);
    uncork_status status = uc_graph_finish(m->g);
    if (!status) status = uc_program_new(m->g, m->arena, NULL, &program, &m->error);
    if (!status) status = uc_runner_new(program, NULL, &runner);
    uc_value x = {.kind = UC_TENSOR, .tensor = *uc_tensor_new(m->arena, UNCORK_FLOAT64, 2, shape)};
    const uc_value *inputs[] = {&x};
    double ns[ROUNDS];
    for (int64_t i = 0; i < rows * features; i++) {
        ((double *)x.tensor.data)[i] = 0.1 * (double)(i % 7);
    }
    for (int r = 0; !status && r < ROUNDS; r++) {
        double start = now_ns();
        for (int i = 0; i < RUNS; i++) {
            status = uc_runner_run(runner, inputs, 1, budget, &m->error);
        }
        ns[r] = (now_ns() - start) / RUNS;
    }
    if (status) {
        fprintf(stderr, "%s: %s\n", name, m->error.what);
        exit(1);
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare);
    printf("%-44s %4lld rows  median %8.0f ns  p90 %8.0f ns  best %8.0f ns\n", name,
           (long long)rows, ns[ROUNDS / 2], ns[ROUNDS * 9 / 10], ns[0]);
    uc_runner_free(runner);
    uc_arena_free(m->arena);
}

/* Every run has another number of rows, more of them than plans are kept: each makes its plan anew. */
static void bench_replan(int layers)
{
    enum { SHAPES = 24 };
    model m = begin(64);
    uc_program *program = NULL;
    uc_runner *runner = NULL;
    uc_ref v = m.x;
    for (int i = 0; i < layers; i++) {
        uc_ref wide =
            uc_g2(m.g, "Add", uc_g2(m.g, "MatMul", v, weights(&m, 64, 64)), weights(&m, 0, 64));
        v = uc_g2(m.g, "Add", v, uc_g1(m.g, "Relu", wide));
    }
    uc_graph_output(m.g, "y", v);
    uncork_status status = uc_graph_finish(m.g);
    if (!status) status = uc_program_new(m.g, m.arena, NULL, &program, &m.error);
    if (!status) status = uc_runner_new(program, NULL, &runner);
    double ns[2][ROUNDS];
    for (int r = 0; !status && r < ROUNDS; r++) {
        for (int again = 0; !status && again < 2; again++) {
            const int64_t shape[] = {1 + r % SHAPES, 64};
            uc_value x = {.kind = UC_TENSOR,
                          .tensor = *uc_tensor_new(m.arena, UNCORK_FLOAT64, 2, shape)};
            const uc_value *inputs[] = {&x};
            double start = now_ns();
            status = uc_runner_run(runner, inputs, 1, NULL, &m.error);
            ns[again][r] = now_ns() - start;
        }
        ns[0][r] -= ns[1][r];
    }
    qsort(ns[0], ROUNDS, sizeof ns[0][0], compare);
    printf("a new plan of %d nodes: median %.1f us, %.0f ns a node\n", 4 * layers,
           ns[0][ROUNDS / 2] / 1e3, ns[0][ROUNDS / 2] / (4.0 * layers));
    uc_runner_free(runner);
    uc_arena_free(m.arena);
}

/* A loop whose body is one cheap node. */
static void bench_loop(int64_t trips)
{
    model m = begin(64);
    uc_graph *body = uc_graph_new(m.arena, NULL, &m.error);
    uc_ref ends[3];
    for (int i = 0; i < 3; i++) {
        ends[i] = uc_graph_input(body, "x", UNCORK_DTYPE_NONE, -1, NULL);
    }
    uc_graph_output(body, "go", ends[1]);
    uc_graph_output(body, "y", uc_g1(body, "Neg", ends[2]));
    const uc_ref in[3] = {uc_graph_i64(m.g, trips), 0, m.x};
    uc_node *n = uc_graph_node(m.g, "Loop", in, 3, 1);
    uc_node_graph(m.g, n, "body", body);
    char name[64];
    snprintf(name, sizeof name, "Loop, %lld times Neg of 64", (long long)trips);
    bench(&m, name, uc_node_out(n, 0), 1, 64, NULL);
}

int main(void)
{
    uc_budget budget;
    uc_budget_init(&budget, NULL, 0);
    for (int limited = 0; limited < 2; limited++) {
        uc_budget *b = limited ? &budget : NULL;
        printf(limited ? "with a budget\n" : "without a budget\n");
        model m = begin(64);
        bench(&m, "Identity", uc_g1(m.g, "Neg", m.x), 1, 64, b);
        m = begin(64);
        bench(&m, "MatMul [64, 10]", uc_g2(m.g, "MatMul", m.x, weights(&m, 64, 10)), 1, 64, b);
        m = begin(64);
        uc_ref scores =
            uc_g2(m.g, "Add", uc_g2(m.g, "MatMul", m.x, weights(&m, 64, 10)), weights(&m, 0, 10));
        bench(&m, "MatMul + Add + Softmax", uc_g_softmax(m.g, scores, -1), 1, 64, b);
        m = begin(64);
        scores =
            uc_g2(m.g, "Add", uc_g2(m.g, "MatMul", m.x, weights(&m, 64, 10)), weights(&m, 0, 10));
        uc_ref label = uc_g_gather(m.g, weights(&m, 0, 10), uc_g_argmax(m.g, scores, 1, false), 0);
        bench(&m, "MatMul + Add + ArgMax + Gather", label, 1, 64, b);
        m = begin(64);
        uc_ref v = m.x;
        for (int i = 0; i < 20; i++) {
            v = uc_g1(m.g, "Neg", v);
        }
        bench(&m, "20 x Neg of 64", v, 1, 64, b);
    }
    bench_loop(1);
    bench_loop(21);
    bench_replan(5);
    bench_replan(50);
    return 0;
}
