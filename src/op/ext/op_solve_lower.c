/* SolveLower: y_r with L y_r = b_r for every row r of b, L lower triangular.
 *
 * Source: forward substitution (Golub and Van Loan, "Matrix computations", algorithm 3.1.1).
 * l  f64 [n, n]; what stands above the diagonal isn't read
 * b  f64 [rows, n];  y  f64 [rows, n] */
#include "base/thread.h"
#include "op/op.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *l = uc_call_in(call, 0), *b = uc_call_in(call, 1);
    if (l->dtype != UNCORK_FLOAT64 || b->dtype != UNCORK_FLOAT64 || l->rank != 2 ||
        (b->rank != 2 && b->rank >= 0) || l->shape[0] != l->shape[1]) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes a square float64 matrix and another");
    }
    const int64_t shape[2] = {b->rank < 0 ? UC_DIM_UNKNOWN : b->shape[0], l->shape[0]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

typedef struct solve_job {
    const double *l, *b;
    double *y;
    int64_t n;
} solve_job;

/* Four running sums: the order is fixed, the additions overlap. */
static double dot(const double *a, const double *b, int64_t n)
{
    double s[4] = {0, 0, 0, 0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (int u = 0; u < 4; u++)
            s[u] += a[i + u] * b[i + u];
    }
    for (; i < n; i++)
        s[0] += a[i] * b[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

static void run_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const solve_job *job = context;
    int64_t n = job->n;
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        double *y = job->y + r * n;
        for (int64_t i = 0; i < n; i++) {
            const double *row = job->l + i * n;
            y[i] = (job->b[r * n + i] - dot(row, y, i)) / row[i];
        }
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *l = uc_call_in(call, 0), *b = uc_call_in(call, 1);
    if (b->rank != 2 || b->shape[1] != l->shape[0]) {
        return uc_call_fail(call, UNCORK_INPUT, "b has %" PRId64 " columns, expected %" PRId64,
                            b->shape[1], l->shape[0]);
    }
    uc_tensor *y = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, b->shape, &y));
    solve_job job = {uc_tensor_doubles(l), uc_tensor_doubles(b), y->data, l->shape[0]};
    uc_parallel(call->pool, b->shape[0], 4, run_rows, &job);
    return UNCORK_OK;
}

const uc_op uc_op_solve_lower = {
    .domain = "uncork",
    .name = "SolveLower",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
