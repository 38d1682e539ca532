/* LogisticGaussian: the mean of the logistic function under a normal distribution.
 *
 * Source: scikit-learn, gaussian_process/_gpc.py, predict_proba: the logistic as a sum of five error
 * functions, whose integrals are known (Williams and Barber, "Bayesian classification with Gaussian
 * processes", 1998, appendix A).
 * mean, variance  f64 [rows];  y  f64 [rows]
 * Numerics: the weights cancel to a thousandth, so results are good to about 1e-12. */
#include "op/op.h"

#include <inttypes.h>
#include <math.h>

#define PI 3.14159265358979323846

static uncork_status infer(uc_call *call)
{
    const uc_tensor *m = uc_call_in(call, 0), *v = uc_call_in(call, 1);
    static const int64_t unknown = UC_DIM_UNKNOWN;
    if (m->dtype != UNCORK_FLOAT64 || v->dtype != UNCORK_FLOAT64 || m->rank > 1 || v->rank > 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes two float64 vectors");
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 1, m->rank == 1 ? m->shape : &unknown);
}

static double integral(double mean, double variance)
{
    static const double lambda[] = {0.41, 0.4, 0.37, 0.44, 0.39};
    static const double weight[] = {-1854.8214151, 3516.89893646, 221.29346712, 128.12323805,
                                    -2010.49422654};
    double alpha = 1 / (2 * variance), sum = 0, weights = 0;
    for (int i = 0; i < 5; i++) {
        double e = erf(lambda[i] * mean * sqrt(alpha / (alpha + lambda[i] * lambda[i])));
        sum += weight[i] * (sqrt(PI / alpha) * e / (2 * sqrt(variance * 2 * PI)));
        weights += weight[i];
    }
    return sum + 0.5 * weights;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *m = uc_call_in(call, 0), *v = uc_call_in(call, 1);
    if (m->rank != 1 || v->rank != 1 || m->shape[0] != v->shape[0]) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " means, %" PRId64 " variances",
                            m->shape[0], v->shape[0]);
    }
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 1, m->shape, &y));
    for (int64_t i = 0; i < m->shape[0]; i++) {
        ((double *)y->data)[i] = integral(uc_tensor_doubles(m)[i], uc_tensor_doubles(v)[i]);
    }
    return UNCORK_OK;
}

const uc_op uc_op_logistic_gaussian = {
    .domain = "uncork",
    .name = "LogisticGaussian",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
