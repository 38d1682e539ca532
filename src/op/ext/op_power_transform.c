/* PowerTransform: each column by its own Box-Cox or Yeo-Johnson transform.
 *
 * Source: scikit-learn, preprocessing/_data.py, PowerTransformer.transform and
 * _yeo_johnson_transform; scipy.special.boxcox (scipy/special/_boxcox.pxd); scipy.stats.yeojohnson.
 * x        f32 or f64 [rows, columns]
 * lambdas  f64 [columns]
 * y        as x
 * method   "box-cox", "yeo-johnson" (with pow) or "yeo-johnson-log" (with expm1 and log1p)
 * Numerics: computed in f64, rounded once. NaN stays NaN. Box-Cox of numbers that aren't positive is
 * an INPUT error, as it is a ValueError in scikit-learn. */
#include "op/op.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

typedef enum power { BOX_COX, YEO_JOHNSON, YEO_JOHNSON_LOG } power;

static bool power_of(const uc_call *call, power *method)
{
    uc_str name = uc_call_str(call, "method", "yeo-johnson");
    if (uc_str_is(name, "box-cox")) {
        *method = BOX_COX;
    } else if (uc_str_is(name, "yeo-johnson")) {
        *method = YEO_JOHNSON;
    } else if (uc_str_is(name, "yeo-johnson-log")) {
        *method = YEO_JOHNSON_LOG;
    } else {
        return false;
    }
    return true;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *lambdas = uc_call_in(call, 1);
    power method;
    if ((x->dtype != UNCORK_FLOAT64 && x->dtype != UNCORK_FLOAT32) || x->rank != 2 ||
        lambdas->dtype != UNCORK_FLOAT64 || lambdas->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    if (!power_of(call, &method)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "method is unknown");
    }
    const int64_t shape[2] = {x->shape[0], lambdas->shape[0]};
    return uc_call_shape(call, 0, x->dtype, 2, shape);
}

/* Cut where lambda ln x would overflow exp; below 1e-19 the transform is ln x. */
static double box_cox(double x, double lambda)
{
    if (fabs(lambda) < 1e-19) return log(x);
    double z = lambda * log(x);
    if (z < 709.78) return expm1(z) / lambda;
    return copysign(1.0, lambda) * exp(z - log(fabs(lambda))) - 1 / lambda;
}

static double yeo_johnson(double x, double lambda)
{
    if (x >= 0) {
        return fabs(lambda) < DBL_EPSILON ? log1p(x) : (pow(x + 1, lambda) - 1) / lambda;
    }
    if (fabs(lambda - 2) > DBL_EPSILON) return -(pow(-x + 1, 2 - lambda) - 1) / (2 - lambda);
    return -log1p(-x);
}

static double yeo_johnson_log(double x, double lambda)
{
    if (x >= 0) return fabs(lambda) < DBL_EPSILON ? log1p(x) : expm1(lambda * log1p(x)) / lambda;
    if (fabs(lambda - 2) > DBL_EPSILON) return -expm1((2 - lambda) * log1p(-x)) / (2 - lambda);
    return -log1p(-x);
}

static double transformed(power method, double x, double lambda)
{
    switch (method) {
    case BOX_COX: return box_cox(x, lambda);
    case YEO_JOHNSON: return yeo_johnson(x, lambda);
    case YEO_JOHNSON_LOG: break;
    }
    return yeo_johnson_log(x, lambda);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *lambdas = uc_call_in(call, 1);
    int64_t width = lambdas->shape[0];
    power method = YEO_JOHNSON;
    if (x->shape[1] != width) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            x->shape[1], width);
    }
    (void)power_of(call, &method);
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, x->dtype, 2, x->shape, &out));
    bool f32 = x->dtype == UNCORK_FLOAT32;
    for (int64_t i = 0, n = uc_tensor_count(x); i < n; i++) {
        double v = f32 ? (double)((const float *)x->data)[i] : uc_tensor_doubles(x)[i];
        if (method == BOX_COX && v <= 0) {
            return uc_call_fail(call, UNCORK_INPUT,
                                "row %" PRId64 ", column %" PRId64
                                " is %g, Box-Cox takes positive numbers",
                                i / width, i % width, v);
        }
        v = transformed(method, v, uc_tensor_doubles(lambdas)[i % width]);
        if (f32) {
            ((float *)out->data)[i] = (float)v;
        } else {
            ((double *)out->data)[i] = v;
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_power_transform = {
    .domain = "uncork",
    .name = "PowerTransform",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
