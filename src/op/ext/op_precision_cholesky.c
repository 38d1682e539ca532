/* uncork.PrecisionCholesky: for covariances C = L L' the matrices L^-T, so that |(x - m) L^-T|^2 is the
 * squared Mahalanobis distance. Source: sklearn/mixture/_gaussian_mixture.py,
 * _compute_precision_cholesky ('full').
 *
 * x f64 [k, n, n]; y f64 [k, n, n]. One that isn't positive definite gets `ridge` (attribute) on its
 * diagonal, and is refused when that doesn't help (mixture/gmm.py: min_covar). */
#include "kernel/linalg.h"
#include "op/op.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    if (!x || x->dtype != UNCORK_FLOAT64 || x->rank != 3) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs float64 covariances");
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 3, x->shape);
}

/* y = L^-T: column j of L^-1 is row j of y. */
static void inverse_transposed(const double *l, int64_t n, double *y)
{
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < n; i++) {
            double sum = i == j ? 1.0 : 0.0;
            for (int64_t k = j; k < i; k++) {
                sum -= l[i * n + k] * y[j * n + k];
            }
            y[j * n + i] = i < j ? 0.0 : sum / l[i * n + i];
        }
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    int64_t n = x->shape[1], size = n * n;
    double ridge = uc_call_float(call, "ridge", 0.0);
    if (x->shape[2] != n) return uc_call_fail(call, UNCORK_INPUT, "a covariance isn't square");
    uc_tensor *y;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 3, x->shape, &y));
    double *l = uc_call_scratch(call, (size_t)size, sizeof(double));
    if (!l) return UNCORK_NO_MEMORY;
    for (int64_t k = 0; k < x->shape[0]; k++) {
        const double *c = uc_tensor_doubles(x) + k * size;
        memcpy(l, c, (size_t)size * sizeof(double));
        bool good = uc_cholesky(l, n);
        if (!good && ridge > 0.0) {
            memcpy(l, c, (size_t)size * sizeof(double));
            for (int64_t i = 0; i < n; i++) {
                l[i * n + i] += ridge;
            }
            good = uc_cholesky(l, n);
        }
        if (!good) {
            return uc_call_fail(call, UNCORK_MALFORMED, "covariance %lld isn't positive definite",
                                (long long)k);
        }
        inverse_transposed(l, n, (double *)y->data + k * size);
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    uint64_t n = (uint64_t)x->shape[1];
    return (uint64_t)x->shape[0] * n * n * n;
}

const uc_op uc_op_precision_cholesky = {
    .domain = "uncork",
    .name = "PrecisionCholesky",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
