/* Interp: piecewise linear interpolation, a curve a column or one for all.
 *
 * Source: numpy.interp: slope * (x - xp[j]) + fp[j] with xp[j] <= x < xp[j+1]; outside, the end's value.
 * x   f64 [rows, columns]
 * xp  f64 [points] or [points, columns], ascending
 * fp  f64, [points] or [points, columns]
 * y   f64 [rows, columns]; NaN stays NaN */
#include "op/op.h"

#include <inttypes.h>
#include <math.h>

static bool is_curve(const uc_tensor *t, int64_t columns)
{
    bool fits = t->rank == 1 ||
                (t->rank == 2 && (t->shape[1] == columns || t->shape[1] < 0 || columns < 0));
    return t->dtype == UNCORK_FLOAT64 && fits && t->shape[0] != 0;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *xp = uc_call_in(call, 1), *fp = uc_call_in(call, 2);
    if (x->dtype != UNCORK_FLOAT64 || x->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes a float64 matrix");
    }
    if (!is_curve(xp, x->shape[1]) || !is_curve(fp, x->shape[1])) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "takes curves of float64, one a column or one for all");
    }
    if (xp->shape[0] >= 0 && fp->shape[0] >= 0 && xp->shape[0] != fp->shape[0]) {
        return uc_call_fail(call, UNCORK_MALFORMED, "has %" PRId64 " points and %" PRId64 " values",
                            xp->shape[0], fp->shape[0]);
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, x->shape);
}

/* Points and values of a curve, `step` apart. */
static double at(double x, const double *xp, int64_t xs, const double *fp, int64_t fs, int64_t n)
{
    if (isnan(x)) return x;
    if (x > xp[(n - 1) * xs]) return fp[(n - 1) * fs];
    if (x < xp[0]) return fp[0];
    int64_t low = 0, high = n; /* the last point that isn't above x */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (xp[middle * xs] <= x) {
            low = middle;
        } else {
            high = middle;
        }
    }
    if (low == n - 1 || xp[low * xs] == x) return fp[low * fs];
    double slope = (fp[(low + 1) * fs] - fp[low * fs]) / (xp[(low + 1) * xs] - xp[low * xs]);
    double y = slope * (x - xp[low * xs]) + fp[low * fs];
    if (isnan(y)) { /* numpy.interp's own rescue from infinite slopes */
        y = slope * (x - xp[(low + 1) * xs]) + fp[(low + 1) * fs];
        if (isnan(y) && fp[low * fs] == fp[(low + 1) * fs]) y = fp[low * fs];
    }
    return y;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_tensor_dense(call->arena, uc_call_in(call, 0));
    const uc_tensor *xp = uc_tensor_dense(call->arena, uc_call_in(call, 1));
    const uc_tensor *fp = uc_tensor_dense(call->arena, uc_call_in(call, 2));
    uc_tensor *y = NULL;
    if (!x || !xp || !fp) return uc_arena_status(call->arena, call->error);
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, x->shape, &y));
    int64_t rows = x->shape[0], columns = x->shape[1], n = xp->shape[0];
    int64_t xs = xp->rank == 2 ? columns : 1, fs = fp->rank == 2 ? columns : 1;
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            const double *points = uc_tensor_doubles(xp) + (xp->rank == 2 ? j : 0);
            const double *values = uc_tensor_doubles(fp) + (fp->rank == 2 ? j : 0);
            ((double *)y->data)[i * columns + j] =
                at(uc_tensor_doubles(x)[i * columns + j], points, xs, values, fs, n);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_interp = {
    .domain = "uncork",
    .name = "Interp",
    .in = {3, 3},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
