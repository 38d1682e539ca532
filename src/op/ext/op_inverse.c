/* uncork.Inverse: the inverse of a square matrix, by elimination with partial pivoting.
 *
 * x f64 [n, n]; y f64 [n, n]. A singular matrix is refused. */
#include "kernel/linalg.h"
#include "op/op.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    if (!x || x->dtype != UNCORK_FLOAT64 || x->rank != 2 ||
        (x->shape[0] >= 0 && x->shape[1] >= 0 && x->shape[0] != x->shape[1])) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a square float64 matrix");
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, x->shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    int64_t n = x->shape[0];
    if (x->shape[1] != n) return uc_call_fail(call, UNCORK_INPUT, "the matrix isn't square");
    uc_tensor *y;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, x->shape, &y));
    double *lu = uc_call_scratch(call, (size_t)n * (size_t)n, sizeof(double));
    double *column = uc_call_scratch(call, (size_t)n, sizeof(double));
    int64_t *pivot = uc_call_scratch(call, (size_t)n, sizeof(int64_t));
    if (!lu || !column || !pivot) return UNCORK_NO_MEMORY;
    memcpy(lu, x->data, (size_t)n * (size_t)n * sizeof(double));
    if (n > 0 && uc_lu(lu, n, pivot) == 0) {
        return uc_call_fail(call, UNCORK_MALFORMED, "the matrix is singular");
    }
    for (int64_t j = 0; j < n; j++) {
        memset(column, 0, (size_t)n * sizeof(double));
        column[j] = 1.0;
        uc_lu_solve(lu, pivot, n, column);
        for (int64_t i = 0; i < n; i++) {
            ((double *)y->data)[i * n + j] = column[i];
        }
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    uint64_t n = (uint64_t)uc_call_in(call, 0)->shape[0];
    return 2 * n * n * n;
}

const uc_op uc_op_inverse = {
    .domain = "uncork",
    .name = "Inverse",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
