/* uncork.WeightedMedian: of each row's values the one in which half of the weight is reached.
 *
 * Source: sklearn/ensemble/_weight_boosting.py, AdaBoostRegressor._get_median_predict: sort the
 * predictions, sum their weights in that order, take the first with sum >= half of the last sum.
 * x  f64 [rows, n];  y  f64 [rows]
 * weight  tensor f64 [n]
 * Numerics: sums in float64 in the sorted order; equal predictions stay in their order. */
#include "op/op.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    const uc_attr *weight = uc_call_attr(call, "weight");
    if (!weight || !weight->tensor || weight->tensor->dtype != UNCORK_FLOAT64 ||
        weight->tensor->rank != 1 || !uc_tensor_is_dense(weight->tensor)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "weights must be a float64 vector");
    }
    int64_t n = weight->tensor->shape[0];
    if (!x || x->rank != 2 || x->dtype != UNCORK_FLOAT64 ||
        (x->shape[1] >= 0 && x->shape[1] != n) || n < 1) {
        return uc_call_fail(call, UNCORK_INPUT, "rows must be float64 with %lld columns",
                            (long long)n);
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 1, x->shape);
}

/* order = places of v in ascending order, NaN last: insertion, rows are short. */
static void sort_places(const double *v, int64_t n, int32_t *order)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t at = i;
        while (at > 0 && (v[i] < v[order[at - 1]] ||
                          (v[order[at - 1]] != v[order[at - 1]] && v[i] == v[i]))) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = (int32_t)i;
    }
}

static double median(const double *v, const double *weight, int64_t n, int32_t *order)
{
    double total = 0, sum = 0;
    sort_places(v, n, order);
    for (int64_t i = 0; i < n; i++) {
        total += weight[order[i]];
    }
    for (int64_t i = 0; i < n; i++) {
        sum += weight[order[i]];
        if (sum >= 0.5 * total) {
            return v[order[i]];
        }
    }
    return v[order[0]]; /* NaN weights: argmax of all false is the first */
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_tensor_dense(call->arena, uc_call_in(call, 0));
    const uc_tensor *weight = uc_call_attr(call, "weight")->tensor;
    int64_t n = weight->shape[0];
    int32_t *order = uc_call_scratch(call, (size_t)n, sizeof *order);
    uc_tensor *y;
    if (!x || !order || x->shape[1] != n) {
        return uc_call_fail(call, x && order ? UNCORK_INPUT : UNCORK_NO_MEMORY,
                            "rows of %lld columns", (long long)n);
    }
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 1, x->shape, &y));
    for (int64_t i = 0; i < x->shape[0]; i++) {
        ((double *)y->data)[i] =
            median((const double *)x->data + i * n, uc_tensor_doubles(weight), n, order);
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0);
    uint64_t cost = 0;
    if (!x || x->shape[0] < 0 || x->shape[1] < 0 ||
        __builtin_mul_overflow((uint64_t)x->shape[0] * (uint64_t)x->shape[1],
                               (uint64_t)x->shape[1] / 4 + 1, &cost)) {
        return 0;
    }
    return cost;
}

const uc_op uc_op_weighted_median = {
    .domain = "uncork",
    .name = "WeightedMedian",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
