/* uncork.PairwiseDistance: the distance of every row of x to every row of y, for scikit-learn's
 * metrics (see metric.h: attributes, sources).
 *
 * x  f64 [n, d]
 * y  f64 [m, d], constant
 * parameter  optional, constant
 * reduced (attribute)  1: the reduced distance (squared for euclidean) instead
 * out f64 [n, m] */
#include "op/ext/metric.h"

static uncork_status infer(uc_call *call)
{
    int64_t rows;
    UC_TRY(uc_metric_infer(call, &rows));
    int64_t shape[2] = {uc_call_in(call, 0)->shape[0], rows};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    uc_metric_rows *rows;
    UC_TRY(uc_metric_prepare(call, &rows));
    call->prepared = rows;
    return UNCORK_OK;
}

typedef struct job {
    const uc_metric_rows *m;
    const double *x;
    double *scratch; /* a thread: [width + padded] */
    double *out;
    bool reduced;
} job;

static void distance_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const uc_metric_rows *m = j->m;
    double *work = j->scratch + thread * (m->width + m->padded), *reduced = work + m->width;
    for (int64_t i = begin; i < end; i++) {
        uc_metric_reduced(m, j->x + i * m->width, work, reduced);
        for (int64_t k = 0; k < m->rows; k++) {
            j->out[i * m->rows + k] = j->reduced ? reduced[k] : uc_metric_finish(m, reduced[k]);
        }
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    const uc_metric_rows *m = call->prepared;
    if (m->metric == UC_METRIC_PRECOMPUTED || x->shape[1] != m->width) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld features are fed, %lld are needed",
                            (long long)x->shape[1], (long long)m->width);
    }
    uc_tensor *out;
    const int64_t shape[2] = {x->shape[0], m->rows};
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    job j = {.m = m, .x = uc_tensor_doubles(x), .out = out->data};
    j.reduced = uc_call_int(call, "reduced", 0) != 0;
    UC_TRY(uc_metric_check_input(call, m, j.x, x->shape[0]));
    j.scratch = uc_call_scratch(
        call, (size_t)uc_pool_threads(call->pool) * (size_t)(m->width + m->padded), sizeof(double));
    if (!j.scratch) return UNCORK_NO_MEMORY;
    uc_parallel(call->pool, x->shape[0], 64, distance_rows, &j);
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *y = uc_call_in(call, 1);
    return y ? (uint64_t)x->shape[0] * (uint64_t)y->shape[0] * (uint64_t)y->shape[1] : 0;
}

const uc_op uc_op_pairwise_distance = {
    .domain = "uncork",
    .name = "PairwiseDistance",
    .in = {2, 3},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .macs = macs,
};
