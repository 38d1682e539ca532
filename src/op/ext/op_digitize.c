/* Digitize: the number of a cell's bin, by edges of its column.
 *
 * Source: scikit-learn, preprocessing/_discretization.py, KBinsDiscretizer.transform: searchsorted with
 * side 'right'; before 1.1 digitize of x + 1e-8 + 1e-5 |x|.
 * x       f32 or f64 [rows, columns]
 * edges   f64 [total], constant: the inner edges of column 0, ascending, then those of column 1 ...
 * starts  i64 [columns + 1], constant
 * y       as x: how many of the column's edges are not above x; all of them for NaN
 * nudged  1: as before 1.1 */
#include "op/op.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *edges = uc_call_in(call, 1);
    const uc_tensor *starts = uc_call_in(call, 2);
    if ((x->dtype != UNCORK_FLOAT64 && x->dtype != UNCORK_FLOAT32) || x->rank != 2 ||
        edges->dtype != UNCORK_FLOAT64 || edges->rank != 1 || starts->dtype != UNCORK_INT64 ||
        starts->rank != 1 || starts->shape[0] < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    const int64_t shape[2] = {x->shape[0], starts->shape[0] - 1};
    return uc_call_shape(call, 0, x->dtype, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *edges = uc_call_in(call, 1), *starts = uc_call_in(call, 2);
    const int64_t *s = starts->data;
    if (!s || (!edges->data && edges->shape[0] != 0)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "the edges aren't constant");
    }
    for (int64_t i = 0; i < starts->shape[0]; i++) {
        if (s[i] < (i ? s[i - 1] : 0) || s[i] > edges->shape[0]) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "column %" PRId64 " begins at edge %" PRId64 " of %" PRId64, i,
                                s[i], edges->shape[0]);
        }
    }
    return UNCORK_OK;
}

static int64_t bin_of(double v, const double *edges, int64_t n)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (edges[middle] > v) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *starts = uc_call_in(call, 2);
    const double *edges = uc_tensor_doubles(uc_call_in(call, 1));
    const int64_t *s = starts->data;
    int64_t width = starts->shape[0] - 1;
    bool nudged = uc_call_int(call, "nudged", 0) != 0, f32 = x->dtype == UNCORK_FLOAT32;
    if (x->shape[1] != width) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            x->shape[1], width);
    }
    uc_tensor *out = uc_call_out(call, 0);
    if (!out) return call->error->status;
    for (int64_t i = 0, n = uc_tensor_count(x); i < n; i++) {
        int64_t j = i % width;
        if (f32) {
            float v = ((const float *)x->data)[i];
            if (nudged) v += 1e-8f + 1e-5f * fabsf(v);
            ((float *)out->data)[i] = (float)bin_of((double)v, edges + s[j], s[j + 1] - s[j]);
        } else {
            double v = uc_tensor_doubles(x)[i];
            if (nudged) v += 1e-8 + 1e-5 * fabs(v);
            ((double *)out->data)[i] = (double)bin_of(v, edges + s[j], s[j + 1] - s[j]);
        }
    }
    return UNCORK_OK;
}

const uc_op uc_op_digitize = {
    .domain = "uncork",
    .name = "Digitize",
    .in = {3, 3},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
