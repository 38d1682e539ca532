/* uncork.NeighborMean: the mean of the targets of a row's neighbours, as scikit-learn's
 * KNeighborsRegressor takes it (sklearn/neighbors/_regression.py).
 *
 * indices   i64 [n, k], from uncork.Neighbors
 * targets   f64 [m, t]
 * distances f64 [n, k]; missing: the plain mean. Else weighted by 1/d, and where a distance is 0 only
 *    those of distance 0 count
 * out       f64 [n, t] */
#include "op/op.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *indices = uc_call_in(call, 0), *distances = uc_call_in(call, 2);
    const uc_tensor *targets = uc_call_in(call, 1);
    if (!indices || indices->dtype != UNCORK_INT64 || indices->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs an int64 matrix of indices");
    }
    if (distances && (distances->dtype != UNCORK_FLOAT64 || distances->rank != 2)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a float64 matrix of distances");
    }
    if (!targets || targets->dtype != UNCORK_FLOAT64 || targets->rank != 2) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs a float64 matrix of targets");
    }
    int64_t shape[2] = {indices->shape[0], targets->shape[1]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static double weight_of(const double *distances, int64_t i, bool zero)
{
    if (!distances) return 1.0;
    double w = 1.0 / distances[i];
    return zero ? (isinf(w) ? 1.0 : 0.0) : w;
}

static void mean_row(const int64_t *index, const double *distances, int64_t k,
                     const double *targets, int64_t width, double *out)
{
    bool zero = false;
    for (int64_t i = 0; distances && i < k; i++) {
        zero |= isinf(1.0 / distances[i]) != 0;
    }
    double total = 0.0;
    memset(out, 0, (size_t)width * sizeof(double));
    for (int64_t i = 0; i < k; i++) {
        double w = weight_of(distances, i, zero);
        total += w;
        for (int64_t t = 0; t < width; t++) {
            out[t] += targets[index[i] * width + t] * w;
        }
    }
    for (int64_t t = 0; t < width; t++) {
        out[t] /= total;
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *indices = uc_call_in(call, 0), *distances = uc_call_in(call, 2);
    const uc_tensor *targets = uc_call_in(call, 1);
    int64_t n = indices->shape[0], k = indices->shape[1], rows = targets->shape[0];
    const int64_t shape[2] = {n, targets->shape[1]}, *index = indices->data;
    uc_tensor *out;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    for (int64_t i = 0; i < n * k; i++) {
        if (index[i] < 0 || index[i] >= rows) {
            return uc_call_fail(call, UNCORK_INPUT, "neighbour %lld of %lld rows",
                                (long long)index[i], (long long)rows);
        }
    }
    for (int64_t r = 0; r < n; r++) {
        mean_row(index + r * k, distances ? uc_tensor_doubles(distances) + r * k : NULL, k,
                 uc_tensor_doubles(targets), shape[1], (double *)out->data + r * shape[1]);
    }
    return UNCORK_OK;
}

const uc_op uc_op_neighbor_mean = {
    .domain = "uncork",
    .name = "NeighborMean",
    .in = {2, 3},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
