/* A graph under test and the same graph after passes: outputs are those of the graph without passes, within
 * a bound that is stated. */
#ifndef TESTS_UNIT_FUSE_WORLD_H
#define TESTS_UNIT_FUSE_WORLD_H

#include "base/thread.h"
#include "check.h"
#include "pass/pass.h"
#include "plan/plan.h"

#include <math.h>
#include <stdio.h>

typedef struct world {
    uc_arena *arena;
    uncork_error error;
    uc_graph *g;
    uint32_t state;
} world;

static inline void make(world *w)
{
    *w = (world){.arena = uc_arena_new(NULL), .state = 1};
    uc_error_init(&w->error);
    w->g = uc_graph_new(w->arena, NULL, &w->error);
}

static inline void fill(world *w, uc_tensor *t, double low, double high)
{
    for (int64_t i = 0; i < uc_tensor_count(t); i++) {
        w->state = w->state * 1664525u + 1013904223u;
        ((float *)t->data)[i] = (float)(low + (high - low) * (w->state >> 8) / (1 << 24));
    }
}

/* A float32 constant of random numbers in [low, high). */
static inline uc_ref constant(world *w, int rank, const int64_t *shape, double low, double high)
{
    uc_tensor *t = uc_tensor_new(w->arena, UNCORK_FLOAT32, rank, shape);
    fill(w, t, low, high);
    return uc_graph_const(w->g, t);
}

static inline uc_ref channels(world *w, int64_t count, double low, double high)
{
    return constant(w, 1, &count, low, high);
}

static inline uc_ref picture(world *w, int64_t c, int64_t height, int64_t width)
{
    const int64_t shape[] = {-2, c, height, width};
    return uc_graph_input(w->g, "x", UNCORK_FLOAT32, 4, shape);
}

static inline uc_ref conv(world *w, uc_ref x, int64_t out, int64_t in, int64_t k, bool bias)
{
    const int64_t shape[] = {out, in, k, k}, pads[] = {k / 2, k / 2, k / 2, k / 2};
    const uc_ref refs[] = {x, constant(w, 4, shape, -0.3, 0.3), bias ? channels(w, out, -1, 1) : 0};
    uc_node *node = uc_graph_node(w->g, "Conv", refs, bias ? 3 : 2, 1);
    uc_node_ints(w->g, node, "pads", pads, 4);
    return uc_node_out(node, 0);
}

static inline uc_ref f32(world *w, double v) { return uc_graph_f32(w->g, (float)v); }

/* "a,b,c": every pass but `name`. */
static inline const char *all_but(const char *name)
{
    static char list[1024];
    list[0] = 0;
#define PASS(symbol)                                                        \
    if (strcmp(uc_pass_##symbol.name, name) != 0) {                         \
        size_t used = strlen(list);                                         \
        snprintf(list + used, sizeof list - used, "%s%s", *list ? "," : "", \
                 uc_pass_##symbol.name);                                    \
    }
#include "pass/pass_table.def"
#undef PASS
    return list;
}

static inline const uc_tensor *run(world *w, const uc_graph *g, const uc_tensor *x,
                                   uncork_pool *pool)
{
    uc_program *program = NULL;
    uc_runner *runner = NULL;
    uc_value in = {.kind = UC_TENSOR, .tensor = *x};
    const uc_value *inputs[] = {&in};
    CHECK_OK(uc_program_new(g, w->arena, NULL, &program, &w->error), &w->error);
    CHECK_OK(uc_runner_new(program, pool, &runner), &w->error);
    CHECK_OK(uc_runner_run(runner, inputs, 1, NULL, &w->error), &w->error);
    const uc_tensor *y = uc_tensor_dense(w->arena, &uc_runner_output(runner, 0)->tensor);
    uc_tensor *own = uc_tensor_new(w->arena, y->dtype, y->rank, y->shape);
    memcpy(own->data, y->data, (size_t)uc_tensor_count(y) * uc_dtype_size(y->dtype));
    uc_runner_free(runner);
    return own;
}

/* Finishes the graph with `y` as its output, runs the passes that `disable` leaves, compares: |after -
 * before| <= bound * max |before|. Batches of 1 and 3. */
static inline const uc_graph *same(world *w, uc_ref y, const char *disable, double bound)
{
    uc_graph *better = NULL;
    uc_graph_output(w->g, "y", y);
    CHECK_OK(uc_graph_finish(w->g), &w->error);
    CHECK_OK(uc_pass_run_all(w->g, disable, false, &w->error, &better), &w->error);
    const uc_graph_value *in = &w->g->values[w->g->inputs[0]];
    for (int64_t batch = 1; batch <= 3; batch += 2) {
        int64_t shape[UNCORK_MAX_RANK];
        for (int d = 0; d < in->rank; d++) {
            shape[d] = in->shape[d] < 0 ? batch : in->shape[d];
        }
        uc_tensor *x = uc_tensor_new(w->arena, UNCORK_FLOAT32, in->rank, shape);
        fill(w, x, -4, 4);
        const uc_tensor *before = run(w, w->g, x, NULL), *after = run(w, better, x, NULL);
        double most = 0, worst = 0;
        CHECK_INT(after->rank, before->rank);
        for (int d = 0; d < before->rank; d++) {
            CHECK_INT(after->shape[d], before->shape[d]);
        }
        for (int64_t i = 0; i < uc_tensor_count(before); i++) {
            double a = (double)((float *)after->data)[i], b = (double)((float *)before->data)[i];
            most = fmax(most, fabs(b));
            worst = fmax(worst, isnan(a) == isnan(b) ? fabs(a - b) : INFINITY);
        }
        if (worst > bound * most) print_error("differs by %g of %g\n", worst, most);
        CHECK(worst <= bound * most);
    }
    return better;
}

static inline int count(const uc_graph *g, const char *name)
{
    int n = 0;
    for (size_t i = 0; i < g->node_count; i++) {
        n += strcmp(g->nodes[i].op->name, name) == 0;
    }
    return n;
}

static inline const uc_attr *attr(const uc_graph *g, const char *op, const char *name)
{
    for (size_t i = 0; i < g->node_count; i++) {
        if (strcmp(g->nodes[i].op->name, op) != 0) continue;
        for (size_t k = 0; k < g->nodes[i].attr_count; k++) {
            if (strcmp(g->nodes[i].attrs[k].name, name) == 0) return &g->nodes[i].attrs[k];
        }
    }
    return NULL;
}

static inline void done(world *w) { uc_arena_free(w->arena); }

#endif
