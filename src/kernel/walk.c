/* Walks arrays that broadcast against each other: see walk.h. */
#include "kernel/walk.h"

#define PARALLEL_FROM 32768 /* elements: below, waking a thread costs more than it saves */
#define GRAIN         8192

void uc_walk_begin(uc_walk *w, int rank, const int64_t *shape)
{
    w->arrays = 0;
    w->rank = rank;
    for (int d = 0; d < rank; d++) {
        w->shape[d] = shape[d];
    }
}

void uc_walk_add(uc_walk *w, const void *data, size_t size, int rank, const int64_t *shape,
                 const int64_t *stride)
{
    int k = w->arrays++, lead = w->rank - rank;
    int64_t dense = (int64_t)size;
    w->base[k] = (char *)(uintptr_t)data; /* only array 0 is written */
    for (int d = 0; d < lead; d++) {
        w->step[d][k] = 0;
    }
    for (int d = rank - 1; d >= 0; d--) {
        int64_t step = stride ? stride[d] * (int64_t)size : dense;
        w->step[lead + d][k] = shape[d] == 1 ? 0 : step;
        dense *= shape[d] > 0 ? shape[d] : 1;
    }
}

static bool can_merge(const uc_walk *w, int outer, int inner)
{
    for (int k = 0; k < w->arrays; k++) {
        if (w->step[outer][k] != w->step[inner][k] * w->shape[inner]) return false;
    }
    return true;
}

void uc_walk_fold(uc_walk *w)
{
    int rank = 0;
    for (int d = 0; d < w->rank; d++) {
        if (w->shape[d] == 1) continue;
        w->shape[rank] = w->shape[d];
        memcpy(w->step[rank], w->step[d], sizeof w->step[d]);
        rank++;
    }
    w->rank = rank;
    for (int d = rank - 1; d > 0; d--) {
        if (!can_merge(w, d - 1, d)) continue;
        w->shape[d - 1] *= w->shape[d];
        memcpy(w->step[d - 1], w->step[d], sizeof w->step[d]);
        for (int e = d; e < w->rank - 1; e++) {
            w->shape[e] = w->shape[e + 1];
            memcpy(w->step[e], w->step[e + 1], sizeof w->step[e]);
        }
        w->rank--;
    }
}

/* Rows [begin, end) of the outer dimensions, all of the inner one. */
static void walk_rows(const uc_walk *w, uc_loop_fn loop, int64_t begin, int64_t end)
{
    int inner = w->rank - 1;
    int64_t index[UNCORK_MAX_RANK] = {0};
    char *p[UC_WALK_ARRAYS];
    memcpy(p, w->base, sizeof p);
    for (int64_t rest = begin, d = inner - 1; d >= 0; d--) {
        index[d] = rest % w->shape[d];
        rest /= w->shape[d];
        for (int k = 0; k < w->arrays; k++) {
            p[k] += index[d] * w->step[d][k];
        }
    }
    for (int64_t row = begin; row < end; row++) {
        loop(p, w->step[inner], w->shape[inner]);
        for (int d = inner - 1; d >= 0; d--) {
            for (int k = 0; k < w->arrays; k++) {
                p[k] += w->step[d][k];
            }
            if (++index[d] < w->shape[d]) break;
            for (int k = 0; k < w->arrays; k++) {
                p[k] -= w->step[d][k] * w->shape[d];
            }
            index[d] = 0;
        }
    }
}

typedef struct job {
    const uc_walk *walk;
    uc_loop_fn loop;
} job;

static void run_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    walk_rows(j->walk, j->loop, begin, end);
}

/* A piece of the inner dimension, the only one. */
static void run_piece(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const uc_walk *w = j->walk;
    char *p[UC_WALK_ARRAYS];
    (void)thread;
    for (int k = 0; k < w->arrays; k++) {
        p[k] = w->base[k] + begin * w->step[0][k];
    }
    j->loop(p, w->step[0], end - begin);
}

void uc_walk_run(const uc_walk *w, uc_loop_fn loop, uncork_pool *pool)
{
    static const int64_t nothing[UC_WALK_ARRAYS];
    if (w->rank == 0) {
        loop(w->base, nothing, 1);
        return;
    }
    int64_t rows = 1, inner = w->shape[w->rank - 1];
    for (int d = 0; d < w->rank - 1; d++) {
        rows *= w->shape[d];
    }
    if (rows == 0 || inner == 0) return;
    job j = {w, loop};
    if (!pool || rows * inner < PARALLEL_FROM) {
        walk_rows(w, loop, 0, rows);
    } else if (w->rank == 1) {
        uc_parallel(pool, inner, GRAIN, run_piece, &j);
    } else {
        uc_parallel(pool, rows, GRAIN / inner + 1, run_rows, &j);
    }
}
