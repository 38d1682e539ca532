/* AdditiveChi2: k(x, y) = -sum (x - y)^2 / (x + y), terms with x + y = 0 left out.
 *
 * Source: scikit-learn, metrics/pairwise.py, additive_chi2_kernel (_chi2_kernel_fast).
 * x  f64 [rows, features], y  f64 [others, features], neither negative
 * k  f64 [rows, others] */
#include "op/op.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *y = uc_call_in(call, 1);
    if (x->dtype != UNCORK_FLOAT64 || y->dtype != UNCORK_FLOAT64 || x->rank != 2 || y->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes two float64 matrices");
    }
    const int64_t shape[2] = {x->shape[0], y->shape[0]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static double sum(const double *x, const double *y, int64_t n)
{
    double result = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = x[i] - y[i], s = x[i] + y[i];
        if (s != 0) result += d * d / s;
    }
    return -result;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *y = uc_call_in(call, 1);
    int64_t n = x->shape[1], count = uc_tensor_count(x);
    if (y->shape[1] != n) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64, n,
                            y->shape[1]);
    }
    for (int64_t i = 0; i < count; i++) {
        if (uc_tensor_doubles(x)[i] < 0) {
            return uc_call_fail(call, UNCORK_INPUT, "x[%" PRId64 ", %" PRId64 "] is %g, negative",
                                i / n, i % n, uc_tensor_doubles(x)[i]);
        }
    }
    const int64_t shape[2] = {x->shape[0], y->shape[0]};
    uc_tensor *k = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &k));
    for (int64_t r = 0; r < shape[0]; r++) {
        for (int64_t o = 0; o < shape[1]; o++) {
            ((double *)k->data)[r * shape[1] + o] =
                sum(uc_tensor_doubles(x) + r * n, uc_tensor_doubles(y) + o * n, n);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_additive_chi2 = {
    .domain = "uncork",
    .name = "AdditiveChi2",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
