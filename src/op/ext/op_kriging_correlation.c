/* KrigingCorrelation: the correlation of every row of x with every row of y.
 *
 * Source: scikit-learn 0.18, gaussian_process/correlation_models.py (after the DACE toolbox, Lophaven,
 * Nielsen and Sondergaard, 2002). With d = |x_i - y_i| and theta_i, or one theta for all:
 *   absolute_exponential     exp(-sum theta_i d_i)
 *   squared_exponential      exp(-sum theta_i d_i^2)
 *   generalized_exponential  exp(-sum theta_i d_i^p), p the last of theta
 *   linear                   product of max(0, 1 - theta_i d_i)
 *   cubic                    product of 1 - 3 t^2 + 2 t^3, t = min(1, theta_i d_i)
 *   pure_nugget              1 where the rows are equal, else 0; no theta
 * x      f64 [rows, features], y  f64 [others, features], theta  f64 [1 or features, (p)], constant
 * r      f64 [rows, others]
 * Attributes: kind. */
#include "op/op.h"

#include <inttypes.h>
#include <math.h>

typedef enum kriging_kind {
    ABSOLUTE,
    SQUARED,
    GENERALIZED,
    LINEAR,
    CUBIC,
    NUGGET,
    KIND_COUNT,
} kriging_kind;

static const char *const kind_names[KIND_COUNT] = {
    "absolute_exponential", "squared_exponential", "generalized_exponential", "linear", "cubic",
    "pure_nugget"};

static kriging_kind kind_of(const uc_call *call)
{
    uc_str name = uc_call_str(call, "kind", "");
    int k = 0;
    while (k < KIND_COUNT && !uc_str_is(name, kind_names[k]))
        k++;
    return (kriging_kind)k;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *y = uc_call_in(call, 1), *t = uc_call_in(call, 2);
    kriging_kind kind = kind_of(call);
    if (x->dtype != UNCORK_FLOAT64 || y->dtype != UNCORK_FLOAT64 || t->dtype != UNCORK_FLOAT64 ||
        x->rank != 2 || y->rank != 2 || t->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes two float64 matrices and a vector");
    }
    if (kind == KIND_COUNT) {
        uc_str name = uc_call_str(call, "kind", "");
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "correlation '%.*s' isn't known",
                            (int)name.size, name.data);
    }
    int64_t scales = kind == GENERALIZED ? t->shape[0] - 1 : t->shape[0];
    if (kind != NUGGET && scales != 1 && scales != y->shape[1]) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "theta has %" PRId64 " scales for %" PRId64 " features", scales,
                            y->shape[1]);
    }
    const int64_t shape[2] = {x->shape[0], y->shape[0]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

/* theta: [features or 1]; step 1 or 0 from one feature's to the next. */
static double correlation(kriging_kind kind, const double *x, const double *y, int64_t n,
                          const double *theta, int64_t step, double power)
{
    double sum = 0, product = 1;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs(x[i] - y[i]), scale = kind == NUGGET ? 0 : theta[i * step];
        if (kind == NUGGET) {
            product = d == 0 ? product : 0;
        } else if (kind == ABSOLUTE) {
            sum += scale * d;
        } else if (kind == SQUARED) {
            sum += scale * (d * d);
        } else if (kind == GENERALIZED) {
            sum += scale * pow(d, power);
        } else {
            double t = d * scale > 1 ? 1 : d * scale;
            product *= kind == LINEAR ? 1 - t : 1 - t * t * (3 - 2 * t);
        }
    }
    return kind == ABSOLUTE || kind == SQUARED || kind == GENERALIZED ? exp(-sum) : product;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *y = uc_call_in(call, 1), *t = uc_call_in(call, 2);
    kriging_kind kind = kind_of(call);
    int64_t n = y->shape[1], scales = kind == GENERALIZED ? t->shape[0] - 1 : t->shape[0];
    if (x->shape[1] != n) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            x->shape[1], n);
    }
    const int64_t shape[2] = {x->shape[0], y->shape[0]};
    const double *theta = uc_tensor_doubles(t);
    double power = kind == GENERALIZED ? theta[scales] : 0;
    uc_tensor *r = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &r));
    for (int64_t i = 0; i < shape[0]; i++) {
        for (int64_t o = 0; o < shape[1]; o++) {
            ((double *)r->data)[i * shape[1] + o] =
                correlation(kind, uc_tensor_doubles(x) + i * n, uc_tensor_doubles(y) + o * n, n,
                            theta, scales > 1, power);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_kriging_correlation = {
    .domain = "uncork",
    .name = "KrigingCorrelation",
    .in = {3, 3},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
