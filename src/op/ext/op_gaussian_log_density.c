/* GaussianLogDensity: y = prior + (norm - 0.5 sum((x - mean)^2 / variance)) for every class.
 *
 * Source: scikit-learn, naive_bayes.py, GaussianNB._joint_log_likelihood.
 * x         f64 [rows, features]
 * mean      f64 [classes, features]
 * variance  f64 [classes, features]
 * norm      f64 [classes]: -0.5 sum(ln(2 pi variance))
 * prior     f64 [classes]: ln of the class's
 * y         f64 [rows, classes]
 * Numerics: bit-exact with NumPy: the sum is its pairwise one (numpy/_core/src/umath/loops_utils.h.src,
 * pairwise_sum: eight running sums up to 128 values, halves above). Classes with a tiny variance have
 * densities around 1e9, so the order shows in the probabilities. */
#include "base/thread.h"
#include "op/op.h"

#include <inttypes.h>

enum { LANES = 8, BLOCK = 128 };

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *mean = uc_call_in(call, 1);
    const uc_tensor *variance = uc_call_in(call, 2), *norm = uc_call_in(call, 3);
    for (size_t i = 0; i < 5; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        if (!t || t->dtype != UNCORK_FLOAT64 || t->rank != (i >= 3 ? 1 : 2)) {
            return uc_call_fail(call, UNCORK_MALFORMED, "input %zu isn't float64 of its rank", i);
        }
    }
    if (variance->shape[0] != mean->shape[0] || variance->shape[1] != mean->shape[1] ||
        norm->shape[0] != mean->shape[0] || uc_call_in(call, 4)->shape[0] != mean->shape[0]) {
        return uc_call_fail(call, UNCORK_MALFORMED, "mean, variance, norm and prior don't agree");
    }
    const int64_t shape[2] = {x->shape[0], mean->shape[0]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static double term(double x, double m, double v)
{
    double d = x - m;
    return d * d / v;
}

/* At most BLOCK values. */
static double block_sum(const double *x, const double *m, const double *v, int64_t n)
{
    double r[LANES];
    int64_t i = 0;
    if (n < LANES) {
        /* NumPy begins at -0.0 */
        double sum = -0.0;
        for (; i < n; i++)
            sum += term(x[i], m[i], v[i]);
        return sum;
    }
    for (int u = 0; u < LANES; u++)
        r[u] = term(x[u], m[u], v[u]);
    for (i = LANES; i + LANES <= n; i += LANES) {
        for (int u = 0; u < LANES; u++)
            r[u] += term(x[i + u], m[i + u], v[i + u]);
    }
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++)
        sum += term(x[i], m[i], v[i]);
    return sum;
}

static double pairwise_sum(const double *x, const double *m, const double *v, int64_t n)
{
    if (n <= BLOCK) return block_sum(x, m, v, n);
    int64_t half = n / 2;
    half -= half % LANES;
    return pairwise_sum(x, m, v, half) + pairwise_sum(x + half, m + half, v + half, n - half);
}

typedef struct density_job {
    const double *x, *mean, *variance, *norm, *prior;
    double *y;
    int64_t features, classes;
} density_job;

static void run_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const density_job *job = context;
    int64_t n = job->features;
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        for (int64_t c = 0; c < job->classes; c++) {
            double sum = pairwise_sum(job->x + r * n, job->mean + c * n, job->variance + c * n, n);
            job->y[r * job->classes + c] = job->prior[c] + (job->norm[c] - 0.5 * sum);
        }
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *mean = uc_call_in(call, 1);
    if (x->shape[1] != mean->shape[1]) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            x->shape[1], mean->shape[1]);
    }
    const int64_t shape[2] = {x->shape[0], mean->shape[0]};
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &y));
    density_job job = {.x = uc_tensor_doubles(x),
                       .mean = uc_tensor_doubles(mean),
                       .variance = uc_tensor_doubles(uc_call_in(call, 2)),
                       .norm = uc_tensor_doubles(uc_call_in(call, 3)),
                       .prior = uc_tensor_doubles(uc_call_in(call, 4)),
                       .y = y->data,
                       .features = mean->shape[1],
                       .classes = mean->shape[0]};
    uc_parallel(call->pool, shape[0], 64, run_rows, &job);
    return UNCORK_OK;
}

const uc_op uc_op_gaussian_log_density = {
    .domain = "uncork",
    .name = "GaussianLogDensity",
    .in = {5, 5},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
