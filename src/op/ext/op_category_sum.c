/* CategorySum: y = bias + sum over features of the table row that the feature's category names.
 *
 * Source: scikit-learn, naive_bayes.py, CategoricalNB._joint_log_likelihood.
 * x       f64 [rows, features]: categories as numbers, cut towards zero as NumPy casts them
 * table   f64 [categories of all features, classes]
 * starts  i64 [features + 1], constant: where each feature's rows begin
 * bias    f64 [classes]
 * y       f64 [rows, classes]
 * A category that the table lacks is an INPUT error, as it is an IndexError in scikit-learn. */
#include "op/op.h"

#include <inttypes.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *table = uc_call_in(call, 1);
    const uc_tensor *starts = uc_call_in(call, 2), *bias = uc_call_in(call, 3);
    if (x->dtype != UNCORK_FLOAT64 || x->rank != 2 || table->dtype != UNCORK_FLOAT64 ||
        table->rank != 2 || starts->dtype != UNCORK_INT64 || starts->rank != 1 ||
        bias->dtype != UNCORK_FLOAT64 || bias->rank != 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    if (bias->shape[0] != table->shape[1] || starts->shape[0] < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "table, starts and bias don't agree");
    }
    const int64_t shape[2] = {x->shape[0], table->shape[1]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *table = uc_call_in(call, 1), *starts = uc_call_in(call, 2);
    if (!starts->data) return uc_call_fail(call, UNCORK_UNSUPPORTED, "starts isn't constant");
    const int64_t *s = starts->data;
    for (int64_t f = 0; f < starts->shape[0]; f++) {
        if (s[f] < (f ? s[f - 1] : 0) || s[f] > table->shape[0]) {
            return uc_call_fail(call, UNCORK_MALFORMED,
                                "feature %" PRId64 " begins at row %" PRId64 " of %" PRId64, f,
                                s[f], table->shape[0]);
        }
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *table = uc_call_in(call, 1);
    const int64_t *starts = uc_call_in(call, 2)->data;
    int64_t features = uc_call_in(call, 2)->shape[0] - 1, classes = table->shape[1];
    if (x->shape[1] != features) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            x->shape[1], features);
    }
    const int64_t shape[2] = {x->shape[0], classes};
    const double *bias = uc_tensor_doubles(uc_call_in(call, 3));
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    for (int64_t r = 0; r < shape[0]; r++) {
        double *y = (double *)out->data + r * classes;
        memset(y, 0, (size_t)classes * sizeof *y);
        for (int64_t f = 0; f < features; f++) {
            double v = uc_tensor_doubles(x)[r * features + f];
            int64_t known = starts[f + 1] - starts[f];
            if (!(v > -1 && v < (double)known)) {
                return uc_call_fail(call, UNCORK_INPUT,
                                    "row %" PRId64 ": feature %" PRId64
                                    " is category %g, the model knows 0 to %" PRId64,
                                    r, f, v, known - 1);
            }
            const double *row = uc_tensor_doubles(table) + (starts[f] + (int64_t)v) * classes;
            for (int64_t c = 0; c < classes; c++)
                y[c] += row[c];
        }
        for (int64_t c = 0; c < classes; c++)
            y[c] += bias[c];
    }
    return UNCORK_OK;
}

const uc_op uc_op_category_sum = {
    .domain = "uncork",
    .name = "CategorySum",
    .in = {4, 4},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
};
