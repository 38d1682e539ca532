/* uncork.PoolColumns: columns of one group joined into one, as sklearn.cluster.FeatureAgglomeration
 * does with NumPy's mean, max, min, sum and median.
 *
 * x      f64 [n, d]
 * groups i64 [d], below the attribute groups; a group without columns is left out as scikit-learn's
 *        numpy.unique does, so every group must have one here
 * out    f64 [n, groups] */
#include "op/op.h"

#include <math.h>

enum { MEAN, MAX, MIN, SUM, MEDIAN, POOLS };
static const char *const pools[POOLS] = {"mean", "max", "min", "sum", "median"};

static int pool_of(const uc_call *call)
{
    uc_str name = uc_call_str(call, "pool", "mean");
    int pool = 0;
    while (pool < POOLS && !uc_str_is(name, pools[pool])) {
        pool++;
    }
    return pool;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *groups = uc_call_in(call, 1);
    int64_t count = uc_call_int(call, "groups", 0);
    if (!x || x->dtype != UNCORK_FLOAT64 || x->rank != 2 || !groups ||
        groups->dtype != UNCORK_INT64 || groups->rank != 1 || count < 1 || pool_of(call) == POOLS) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "needs a float64 matrix and its columns' groups");
    }
    int64_t shape[2] = {x->shape[0], count};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

/* The columns sorted by group: starts[g] to starts[g + 1] of order. */
typedef struct plan {
    int64_t *order, *starts;
} plan;

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *groups = uc_call_in(call, 1);
    int64_t count = uc_call_int(call, "groups", 0);
    if (!groups->data) return uc_call_fail(call, UNCORK_UNSUPPORTED, "the groups must be constant");
    int64_t width = groups->shape[0];
    const int64_t *group = groups->data;
    plan *p = UC_NEW(call->arena, plan, 1);
    if (!p || count > width) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%lld groups of %lld columns", (long long)count,
                            (long long)width);
    }
    p->order = UC_NEW(call->arena, int64_t, width);
    p->starts = UC_NEW(call->arena, int64_t, count + 1);
    int64_t *next = UC_NEW(call->arena, int64_t, count);
    if (!p->order || !p->starts || !next) return uc_arena_status(call->arena, call->error);
    for (int64_t j = 0; j < width; j++) {
        if (group[j] < 0 || group[j] >= count) {
            return uc_call_fail(call, UNCORK_MALFORMED, "column %lld is in group %lld of %lld",
                                (long long)j, (long long)group[j], (long long)count);
        }
        p->starts[group[j] + 1]++;
    }
    for (int64_t g = 0; g < count; g++) {
        if (p->starts[g + 1] == 0) {
            return uc_call_fail(call, UNCORK_MALFORMED, "group %lld has no column", (long long)g);
        }
        p->starts[g + 1] += p->starts[g];
    }
    memcpy(next, p->starts, (size_t)count * sizeof *next);
    for (int64_t j = 0; j < width; j++) { /* a group's columns keep their order */
        p->order[next[group[j]]++] = j;
    }
    call->prepared = p;
    return UNCORK_OK;
}

/* numpy.median: the middle, or the mean of the two middle ones; NaN when there is one. */
static double median(double *v, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        double t = v[i];
        int64_t j = i;
        for (; j > 0 && v[j - 1] > t; j--) {
            v[j] = v[j - 1];
        }
        v[j] = t;
    }
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2.0;
}

static double pool_values(int pool, double *v, int64_t n)
{
    double a = v[0];
    for (int64_t i = 1; i < n; i++) {
        if (pool == MAX) a = v[i] > a || isnan(v[i]) ? v[i] : a;
        if (pool == MIN) a = v[i] < a || isnan(v[i]) ? v[i] : a;
        if (pool == MEAN || pool == SUM) a += v[i];
    }
    if (pool == MEDIAN) return median(v, n);
    return pool == MEAN ? a / (double)n : a;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    const plan *p = call->prepared;
    int64_t width = uc_call_in(call, 1)->shape[0], count = uc_call_int(call, "groups", 0);
    int pool = pool_of(call);
    if (x->shape[1] != width) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld features are fed, %lld are needed",
                            (long long)x->shape[1], (long long)width);
    }
    const int64_t shape[2] = {x->shape[0], count};
    uc_tensor *out;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    double *values = uc_call_scratch(call, (size_t)width, sizeof(double));
    if (!values) return UNCORK_NO_MEMORY;
    for (int64_t r = 0; r < shape[0]; r++) {
        const double *row = uc_tensor_doubles(x) + r * width;
        for (int64_t g = 0; g < count; g++) {
            int64_t n = p->starts[g + 1] - p->starts[g];
            for (int64_t i = 0; i < n; i++) {
                values[i] = row[p->order[p->starts[g] + i]];
            }
            ((double *)out->data)[r * count + g] = pool_values(pool, values, n);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_pool_columns = {
    .domain = "uncork",
    .name = "PoolColumns",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
