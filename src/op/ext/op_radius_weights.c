/* uncork.RadiusWeights: for every row of x the weights of the constant rows within a radius of it
 * (see metric.h for the metrics), 0 for those outside.
 *
 * x f64 [n, d], y f64 [m, d], parameter: as uncork.PairwiseDistance; metric precomputed: x is [n, m]
 * targets f64 [m, t], optional: the sums of the weights times them instead
 * out f64 [n, m], or [n, t]
 * Attributes: radius, boundary included, compared as reduced distances as scikit-learn does
 * (sklearn/neighbors/_base.py, binary_tree.pxi); weights: "uniform" 1, "distance" 1/d (in rows with a
 * distance of 0 within the radius those count 1, the others 0), "value" d itself, "far" d with
 * infinity outside;
 * required: 1 refuses a row without any neighbour. */
#include "op/ext/metric.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    int64_t rows;
    UC_TRY(uc_metric_infer(call, &rows));
    int64_t shape[2] = {uc_call_in(call, 0)->shape[0], rows};
    const uc_tensor *targets = uc_call_in(call, 3);
    if (targets) {
        if (targets->dtype != UNCORK_FLOAT64 || targets->rank != 2) {
            return uc_call_fail(call, UNCORK_MALFORMED, "needs a float64 matrix of targets");
        }
        shape[1] = targets->shape[1];
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    uc_metric_rows *rows;
    UC_TRY(uc_metric_prepare(call, &rows));
    call->prepared = rows;
    return UNCORK_OK;
}

enum { UNIFORM, DISTANCE, VALUE, FAR };

typedef struct job {
    const uc_metric_rows *m;
    const double *x;
    int64_t x_width, rows;
    double limit;
    int weights;
    const double *targets; /* [rows, t]; NULL: the weights themselves */
    int64_t t, room;
    double *scratch; /* a thread: [room] = [width + padded + rows] */
    int64_t *lonely; /* a thread: a row without neighbours, -1 */
    double *out;
} job;

static void weigh_row(const job *j, const double *reduced, double *out, int64_t *found)
{
    bool zero = false;
    int64_t count = 0;
    for (int64_t i = 0; i < j->rows; i++) {
        bool in = reduced[i] <= j->limit;
        double d = in ? uc_metric_finish(j->m, reduced[i]) : 0.0;
        count += in;
        zero |= in && d == 0.0;
        if (j->weights == UNIFORM && in) d = 1.0;
        if (j->weights == DISTANCE && in) d = 1.0 / d;
        if (j->weights == FAR && !in) d = (double)INFINITY;
        out[i] = d;
    }
    for (int64_t i = 0; zero && j->weights == DISTANCE && i < j->rows; i++) {
        bool in = reduced[i] <= j->limit;
        out[i] = in && uc_metric_finish(j->m, reduced[i]) == 0.0 ? 1.0 : 0.0;
    }
    *found = count;
}

static void add_targets(const job *j, const double *weights, double *out)
{
    memset(out, 0, (size_t)j->t * sizeof(double));
    for (int64_t i = 0; i < j->rows; i++) {
        if (weights[i] == 0.0) continue;
        for (int64_t t = 0; t < j->t; t++) {
            out[t] += weights[i] * j->targets[i * j->t + t];
        }
    }
}

static void weigh_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const uc_metric_rows *m = j->m;
    double *work = j->scratch + thread * j->room, *reduced = work + m->width;
    double *weights = reduced + m->padded;
    for (int64_t i = begin; i < end; i++) {
        const double *x = j->x + i * j->x_width, *row = x;
        int64_t found;
        if (m->metric != UC_METRIC_PRECOMPUTED) {
            uc_metric_reduced(m, x, work, reduced);
            row = reduced;
        }
        if (j->targets) {
            weigh_row(j, row, weights, &found);
            add_targets(j, weights, j->out + i * j->t);
        } else {
            weigh_row(j, row, j->out + i * j->rows, &found);
        }
        if (!found) j->lonely[thread] = i;
    }
}

static uncork_status run(uc_call *call)
{
    const uc_metric_rows *m = call->prepared;
    const uc_tensor *x = uc_call_in(call, 0);
    bool given = m->metric == UC_METRIC_PRECOMPUTED;
    job j = {.m = m, .x = uc_tensor_doubles(x), .x_width = x->shape[1]};
    j.rows = given ? j.x_width : m->rows;
    if (!given && j.x_width != m->width) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld features are fed, %lld are needed",
                            (long long)j.x_width, (long long)m->width);
    }
    if (!given) UC_TRY(uc_metric_check_input(call, m, j.x, x->shape[0]));
    double radius = uc_call_float(call, "radius", 1.0);
    j.limit = uc_metric_reduce(m, radius);
    uc_str weights = uc_call_str(call, "weights", "uniform");
    j.weights = uc_str_is(weights, "distance") ? DISTANCE
                : uc_str_is(weights, "value")  ? VALUE
                : uc_str_is(weights, "far")    ? FAR
                                               : UNIFORM;
    const uc_tensor *targets = uc_call_in(call, 3);
    if (targets && targets->shape[0] != j.rows) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld targets for %lld rows",
                            (long long)targets->shape[0], (long long)j.rows);
    }
    j.targets = targets ? uc_tensor_doubles(targets) : NULL;
    j.t = targets ? targets->shape[1] : 0;
    j.room = m->width + m->padded + j.rows;
    uc_tensor *out;
    const int64_t shape[2] = {x->shape[0], targets ? j.t : j.rows};
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    j.out = out->data;
    int threads = uc_pool_threads(call->pool);
    j.scratch = uc_call_scratch(call, (size_t)threads * (size_t)j.room, sizeof(double));
    j.lonely = uc_call_scratch(call, (size_t)threads, sizeof(int64_t));
    if (!j.scratch || !j.lonely) return UNCORK_NO_MEMORY;
    for (int i = 0; i < threads; i++) {
        j.lonely[i] = -1;
    }
    uc_parallel(call->pool, shape[0], 64, weigh_rows, &j);
    for (int i = 0; i < threads && uc_call_int(call, "required", 0); i++) {
        if (j.lonely[i] < 0) continue;
        return uc_call_fail(call, UNCORK_INPUT, "row %lld has no neighbour within radius %g",
                            (long long)j.lonely[i], radius);
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *y = uc_call_in(call, 1);
    return y ? (uint64_t)x->shape[0] * (uint64_t)y->shape[0] * (uint64_t)y->shape[1] : 0;
}

const uc_op uc_op_radius_weights = {
    .domain = "uncork",
    .name = "RadiusWeights",
    .in = {1, 4},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .macs = macs,
};
