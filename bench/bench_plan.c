/* What running a plan costs beside its arithmetic: a logistic regression on one row, chains of cheap
 * nodes. One line a case: nanoseconds a run of this thread, median and p90. */
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
    return 0;
}
