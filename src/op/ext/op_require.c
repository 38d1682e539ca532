/* uncork.Require: its input, refused where a value is below `least` (strict=1: not above it), as
 * scikit-learn's check_non_negative and its like do.
 *
 * x f64 any shape; y the same, may share x's buffer. NaN passes: others refuse it. */
#include "op/op.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    if (!x || x->dtype != UNCORK_FLOAT64) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs float64 numbers");
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, x->rank, x->shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    double least = uc_call_float(call, "least", 0.0);
    bool strict = uc_call_int(call, "strict", 0) != 0;
    int64_t n = uc_tensor_count(x), width = x->rank > 1 ? x->shape[x->rank - 1] : 1;
    for (int64_t i = 0; i < n; i++) {
        double v = uc_tensor_doubles(x)[i];
        if (!(v < least || (strict && v == least))) continue;
        return uc_call_fail(call, UNCORK_INPUT, "row %lld, column %lld is %g, it must be %s %g",
                            (long long)(i / width), (long long)(i % width), v,
                            strict ? "above" : "at least", least);
    }
    uc_tensor *y;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, x->rank, x->shape, &y));
    if (y->data != x->data) memcpy(y->data, x->data, (size_t)n * sizeof(double));
    return UNCORK_OK;
}

const uc_op uc_op_require = {
    .domain = "uncork",
    .name = "Require",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
