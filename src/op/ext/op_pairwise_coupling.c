/* PairwiseCoupling: one-vs-one decisions to class probabilities.
 *
 * Source: Platt's sigmoid ("Probabilistic outputs for support vector machines", 1999) for every pair,
 * in the form of Lin, Lin and Weng, "A note on Platt's probabilistic outputs", 2007; then the second
 * method of Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise
 * coupling", JMLR 5, 2004, algorithm 2, stopped as libsvm's multiclass_probability stops.
 * decisions  f64 [rows, pairs]: pair (i, j), i < j; positive speaks for i
 * a, b       f64 [pairs]: the sigmoids' parameters
 * y          f64 [rows, classes]
 * Attributes: classes. */
#include "base/thread.h"
#include "op/op.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *d = uc_call_in(call, 0), *a = uc_call_in(call, 1), *b = uc_call_in(call, 2);
    int64_t classes = uc_call_int(call, "classes", 0);
    if (d->dtype != UNCORK_FLOAT64 || a->dtype != UNCORK_FLOAT64 || b->dtype != UNCORK_FLOAT64 ||
        d->rank != 2 || a->rank != 1 || b->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes a float64 matrix and two vectors");
    }
    if (classes < 2 || classes > 1 << 15) {
        return uc_call_fail(call, UNCORK_MALFORMED, "classes is %" PRId64 ", expected 2 to 2^15",
                            classes);
    }
    int64_t pairs = classes * (classes - 1) / 2;
    if (a->shape[0] != pairs || b->shape[0] != pairs) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "%" PRId64 " classes make %" PRId64 " pairs, the sigmoids are %" PRId64
                            " and %" PRId64,
                            classes, pairs, a->shape[0], b->shape[0]);
    }
    const int64_t shape[2] = {d->shape[0], classes};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

/* 1 / (1 + exp(a d + b)) without overflow. */
static double sigmoid(double d, double a, double b)
{
    double f = d * a + b;
    return f >= 0 ? exp(-f) / (1 + exp(-f)) : 1 / (1 + exp(f));
}

static double clip(double p)
{
    static const double least = 1e-7;
    return p < least ? least : p > 1 - least ? 1 - least : p;
}

/* r[i][j]: probability of i where it is i or j, [n, n]. */
static void pair_probabilities(const double *d, const double *a, const double *b, int64_t n,
                               double *r)
{
    int64_t k = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i + 1; j < n; j++, k++) {
            double p = clip(sigmoid(d[k], a[k], b[k]));
            r[i * n + j] = p;
            r[j * n + i] = 1 - p;
        }
    }
}

/* q[t][j] = -r[j][t] r[t][j], q[t][t] = sum over j of r[j][t]^2. */
static void coupling_matrix(const double *r, int64_t n, double *q)
{
    for (int64_t t = 0; t < n; t++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++) {
            if (j == t) continue;
            sum += r[j * n + t] * r[j * n + t];
            q[t * n + j] = -r[j * n + t] * r[t * n + j];
        }
        q[t * n + t] = sum;
    }
}

/* qp = q p; returns p . qp. */
static double product(const double *q, const double *p, int64_t n, double *qp)
{
    double all = 0;
    for (int64_t t = 0; t < n; t++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++)
            sum += q[t * n + j] * p[j];
        qp[t] = sum;
        all += p[t] * sum;
    }
    return all;
}

/* Minimises p' q p over p >= 0 with sum 1, coordinate by coordinate. */
static void couple(const double *q, int64_t n, double *p, double *qp)
{
    const double enough = 0.005 / (double)n;
    int64_t rounds = n > 100 ? n : 100;
    for (int64_t t = 0; t < n; t++)
        p[t] = 1 / (double)n;
    for (int64_t round = 0; round < rounds; round++) {
        double pqp = product(q, p, n, qp), worst = 0;
        for (int64_t t = 0; t < n; t++) {
            double error = fabs(qp[t] - pqp);
            if (error > worst) worst = error;
        }
        if (worst < enough) return;
        for (int64_t t = 0; t < n; t++) {
            double step = (-qp[t] + pqp) / q[t * n + t];
            p[t] += step;
            pqp = (pqp + step * (step * q[t * n + t] + 2 * qp[t])) / (1 + step) / (1 + step);
            for (int64_t j = 0; j < n; j++) {
                qp[j] = (qp[j] + step * q[t * n + j]) / (1 + step);
                p[j] /= 1 + step;
            }
        }
    }
}

typedef struct coupling_job {
    const double *decisions, *a, *b;
    double *y, *scratch; /* scratch: 2 n^2 + n a thread */
    int64_t classes;
} coupling_job;

static void run_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const coupling_job *job = context;
    int64_t n = job->classes, pairs = n * (n - 1) / 2;
    double *r = job->scratch + thread * (2 * n * n + n), *q = r + n * n, *qp = q + n * n;
    for (int64_t row = begin; row < end; row++) {
        pair_probabilities(job->decisions + row * pairs, job->a, job->b, n, r);
        coupling_matrix(r, n, q);
        couple(q, n, job->y + row * n, qp);
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *d = uc_call_in(call, 0);
    int64_t n = uc_call_int(call, "classes", 0);
    if (d->shape[1] != n * (n - 1) / 2) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " decisions for %" PRId64 " classes",
                            d->shape[1], n);
    }
    const int64_t shape[2] = {d->shape[0], n};
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &y));
    size_t threads = (size_t)uc_pool_threads(call->pool);
    coupling_job job = {.decisions = uc_tensor_doubles(d),
                        .a = uc_tensor_doubles(uc_call_in(call, 1)),
                        .b = uc_tensor_doubles(uc_call_in(call, 2)),
                        .y = y->data,
                        .scratch = uc_call_scratch(call, threads * (size_t)(2 * n * n + n), 8),
                        .classes = n};
    if (!job.scratch) return call->error->status;
    uc_parallel(call->pool, shape[0], 16, run_rows, &job);
    return UNCORK_OK;
}

const uc_op uc_op_pairwise_coupling = {
    .domain = "uncork",
    .name = "PairwiseCoupling",
    .in = {3, 3},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
