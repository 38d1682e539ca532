/* OvrDecision: one-vs-one votes and confidences to one score a class.
 *
 * Source: scikit-learn, utils/multiclass.py, _ovr_decision_function.
 * predictions  f64 [rows, pairs]: 0 votes for i of the pair (i, j), i < j; 1 votes for j
 * confidences  f64 [rows, pairs]: positive speaks for j
 * y  f64 [rows, classes]: votes plus confidences squeezed so that they never outweigh a vote
 * Attributes: classes. batch (1): until scikit-learn 0.20 confidences are scaled by the largest of
 * the whole batch, so a row's scores depend on the rows beside it; 0: s / (3 (|s| + 1)), row by row. */
#include "op/op.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *p = uc_call_in(call, 0), *c = uc_call_in(call, 1);
    int64_t classes = uc_call_int(call, "classes", 0);
    if (p->dtype != UNCORK_FLOAT64 || c->dtype != UNCORK_FLOAT64 || p->rank != 2 || c->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "takes two float64 matrices");
    }
    if (classes < 2 || classes > 1 << 20) {
        return uc_call_fail(call, UNCORK_MALFORMED, "classes is %" PRId64 ", expected 2 to 2^20",
                            classes);
    }
    const int64_t shape[2] = {p->shape[0], classes};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

/* Votes into y and sums of confidences into sums, both [classes]. */
static void add_row(const double *predictions, const double *confidences, int64_t classes,
                    double *y, double *sums)
{
    int64_t k = 0;
    memset(y, 0, (size_t)classes * sizeof *y);
    memset(sums, 0, (size_t)classes * sizeof *sums);
    for (int64_t i = 0; i < classes; i++) {
        for (int64_t j = i + 1; j < classes; j++, k++) {
            sums[i] -= confidences[k];
            sums[j] += confidences[k];
            if (predictions[k] == 0) y[i]++;
            if (predictions[k] == 1) y[j]++;
        }
    }
}

/* (0.5 - eps) / the largest magnitude; 0 when all sums are equal: then votes alone count. */
static double batch_scale(const double *sums, int64_t count)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (int64_t i = 0; i < count; i++) {
        low = fmin(low, sums[i]);
        high = fmax(high, sums[i]);
    }
    return low == high ? 0 : (0.5 - DBL_EPSILON) / fmax(fabs(high), fabs(low));
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *p = uc_call_in(call, 0), *c = uc_call_in(call, 1);
    int64_t classes = uc_call_int(call, "classes", 0), pairs = classes * (classes - 1) / 2;
    int64_t rows = p->shape[0], count = rows * classes;
    if (p->shape[1] != pairs || c->shape[1] != pairs || c->shape[0] != rows) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "%" PRId64 " classes make %" PRId64 " pairs, there are %" PRId64
                            " columns",
                            classes, pairs, p->shape[1]);
    }
    const int64_t shape[2] = {rows, classes};
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    double *sums = uc_call_scratch(call, (size_t)count + 1, sizeof *sums), *y = out->data;
    if (!sums) return call->error->status;
    for (int64_t r = 0; r < rows; r++) {
        add_row(uc_tensor_doubles(p) + r * pairs, uc_tensor_doubles(c) + r * pairs, classes,
                y + r * classes, sums + r * classes);
    }
    if (uc_call_int(call, "batch", 0)) {
        double scale = batch_scale(sums, count);
        for (int64_t i = 0; i < count; i++)
            y[i] += sums[i] * scale;
    } else {
        for (int64_t i = 0; i < count; i++)
            y[i] += sums[i] / (3 * (fabs(sums[i]) + 1));
    }
    return UNCORK_OK;
}

const uc_op uc_op_ovr_decision = {
    .domain = "uncork",
    .name = "OvrDecision",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
