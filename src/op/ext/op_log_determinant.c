/* uncork.LogDeterminant: ln det of a square matrix, -inf where det is not positive.
 * Source: sklearn/utils/extmath.py, fast_logdet.
 *
 * x f64 [n, n]; y f64 [] */
#include "kernel/linalg.h"
#include "op/op.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    if (!x || x->dtype != UNCORK_FLOAT64 || x->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a square float64 matrix");
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 0, NULL);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    int64_t n = x->shape[0];
    if (x->shape[1] != n) return uc_call_fail(call, UNCORK_INPUT, "the matrix isn't square");
    uc_tensor *y;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 0, NULL, &y));
    double *lu = uc_call_scratch(call, (size_t)n * (size_t)n, sizeof(double));
    int64_t *pivot = uc_call_scratch(call, (size_t)n, sizeof(int64_t));
    if (!lu || !pivot) return UNCORK_NO_MEMORY;
    memcpy(lu, x->data, (size_t)n * (size_t)n * sizeof(double));
    int sign = uc_lu(lu, n, pivot);
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double d = sign ? lu[i * n + i] : 0.0;
        sign = d < 0.0 ? -sign : sign;
        sum += log(fabs(d));
    }
    *(double *)y->data = sign > 0 ? sum : -(double)INFINITY;
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    uint64_t n = (uint64_t)uc_call_in(call, 0)->shape[0];
    return n * n * n;
}

const uc_op uc_op_log_determinant = {
    .domain = "uncork",
    .name = "LogDeterminant",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
