/* LinearClassifier and LinearRegressor: x times coefficients plus intercepts.
 *
 * Source: ONNX operators of ai.onnx.ml 1; ONNX Runtime, core/providers/cpu/ml/linearclassifier.cc and
 * linearregressor.cc.
 * x  numeric [rows, features] or [features]; coefficients [classes, features]
 * labels  [rows] int64 or string: the first best class; one class: whether the score is above 0
 * scores  float32 [rows, classes], or [rows, 2] for one score and two labels
 * Numerics: float64 sums, rounded to float32 once. */
#include "op/ml/ml_score.h"

#include <inttypes.h>

typedef struct linear {
    const double *coef, *intercept;
    int64_t count, features; /* rows and columns of coef */
    uc_post post;
} linear;

static uncork_status read_linear(uc_call *call, int64_t count, linear *l)
{
    int64_t coefs = 0, intercepts = 0, rows = 0, features = 0;
    bool wide = false;
    UC_TRY(uc_ml_floats(call, "coefficients", &l->coef, &coefs, &wide));
    UC_TRY(uc_ml_floats(call, "intercepts", &l->intercept, &intercepts, &wide));
    UC_TRY(uc_post_of(call, &l->post));
    UC_TRY(uc_ml_rows(call, &rows, &features));
    l->count = count ? count : intercepts ? intercepts : 1;
    if (coefs == 0 || coefs % l->count != 0) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "%" PRId64 " coefficients for %" PRId64 " targets", coefs, l->count);
    }
    l->features = coefs / l->count;
    if (intercepts && intercepts != l->count) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "%" PRId64 " intercepts for %" PRId64 " targets", intercepts, l->count);
    }
    if (features >= 0 && features != l->features) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "x has %" PRId64 " columns, the model takes %" PRId64, features,
                            l->features);
    }
    return UNCORK_OK;
}

/* Scores [rows, count] in scratch; NULL after a failure. */
static double *scores_of(uc_call *call, const linear *l, int64_t rows)
{
    const double *x = uc_ml_input(call, true);
    double *y = uc_call_scratch(call, (size_t)(rows * l->count) + 1, sizeof *y);
    if (!x || !y) return NULL;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < l->count; c++) {
            double sum = 0;
            for (int64_t f = 0; f < l->features; f++) {
                sum += x[r * l->features + f] * l->coef[c * l->features + f];
            }
            y[r * l->count + c] = (double)(float)(sum + (l->intercept ? l->intercept[c] : 0));
        }
    }
    return y;
}

/* ---- LinearRegressor ---------------------------------------------------------------------- */

static uncork_status read_targets(uc_call *call, int64_t *targets)
{
    *targets = uc_call_int(call, "targets", 1);
    if (*targets > 0) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_MALFORMED, "targets is %" PRId64, *targets);
}

static uncork_status infer_regressor(uc_call *call)
{
    linear l = {0};
    int64_t shape[2], features = 0;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(read_targets(call, &shape[1]));
    UC_TRY(read_linear(call, shape[1], &l));
    UC_TRY(uc_ml_rows(call, &shape[0], &features));
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 2, shape);
}

static uncork_status run_regressor(uc_call *call)
{
    linear l = {0};
    int64_t shape[2], features = 0;
    UC_TRY(read_targets(call, &shape[1]));
    UC_TRY(read_linear(call, shape[1], &l));
    UC_TRY(uc_ml_rows(call, &shape[0], &features));
    double *y = scores_of(call, &l, shape[0]);
    if (!y) return call->error->status;
    for (int64_t r = 0; r < shape[0]; r++) {
        if (l.count > 1 || l.post == UC_POST_PROBIT) uc_post_row(l.post, y + r * l.count, l.count);
    }
    return uc_ml_output(call, 0, y, 2, shape);
}

const uc_op uc_op_ml_linear_regressor = {.domain = "ai.onnx.ml",
                                         .name = "LinearRegressor",
                                         .in = {1, 1},
                                         .out = {1, 1},
                                         .infer = infer_regressor,
                                         .run = run_regressor};

/* ---- LinearClassifier --------------------------------------------------------------------- */

/* One score and two labels: a second column is made. */
static bool has_pair(const linear *l, const uc_labels *labels)
{
    return l->count == 1 && labels->count == 2;
}

static uncork_status infer_classifier(uc_call *call)
{
    linear l = {0};
    int64_t shape[2], features = 0;
    uc_labels labels = uc_labels_of(call, "classlabels_ints");
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    UC_TRY(read_linear(call, 0, &l));
    UC_TRY(uc_ml_rows(call, &shape[0], &features));
    if (l.count > 1 && labels.count && labels.count < l.count) {
        return uc_call_fail(call, UNCORK_MALFORMED, "%" PRId64 " labels for %" PRId64 " classes",
                            labels.count, l.count);
    }
    shape[1] = has_pair(&l, &labels) ? 2 : l.count;
    UC_TRY(uc_call_shape(call, 0, uc_labels_dtype(&labels), 1, shape));
    return uc_call_shape(call, 1, UNCORK_FLOAT32, 2, shape);
}

static int64_t label_of(const linear *l, const uc_labels *labels, const double *scores)
{
    int64_t best = 0;
    if (l->count == 1) {
        bool above = scores[0] > 0;
        if (labels->count == 2) return above;
        return above ? UC_LABEL_ONE : UC_LABEL_ZERO;
    }
    for (int64_t c = 1; c < l->count; c++) {
        if (scores[c] > scores[best]) best = c;
    }
    return best;
}

static uncork_status run_classifier(uc_call *call)
{
    linear l = {0};
    int64_t shape[2], features = 0;
    uc_labels labels = uc_labels_of(call, "classlabels_ints");
    UC_TRY(read_linear(call, 0, &l));
    UC_TRY(uc_ml_rows(call, &shape[0], &features));
    bool pair = has_pair(&l, &labels);
    shape[1] = pair ? 2 : l.count;
    double *s = scores_of(call, &l, shape[0]);
    double *z = uc_call_scratch(call, (size_t)(shape[0] * shape[1]) + 1, sizeof *z);
    int64_t *classes = uc_call_scratch(call, (size_t)shape[0], sizeof *classes);
    if (!s || !z || !classes) return call->error->status;
    for (int64_t r = 0; r < shape[0]; r++) {
        double *row = z + r * shape[1];
        classes[r] = label_of(&l, &labels, s + r * l.count);
        if (pair) {
            uc_post_pair(l.post, true, s[r], row);
        } else {
            memcpy(row, s + r * l.count, (size_t)l.count * sizeof *row);
            uc_post_row(l.post, row, l.count);
        }
    }
    UC_TRY(uc_labels_write(call, 0, &labels, classes, shape[0]));
    return uc_ml_output(call, 1, z, 2, shape);
}

const uc_op uc_op_ml_linear_classifier = {.domain = "ai.onnx.ml",
                                          .name = "LinearClassifier",
                                          .in = {1, 1},
                                          .out = {1, 2},
                                          .infer = infer_classifier,
                                          .run = run_classifier};
