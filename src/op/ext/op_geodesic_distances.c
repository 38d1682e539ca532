/* uncork.GeodesicDistances: shortest ways from rows to all fitted rows through their neighbours.
 * Source: sklearn/manifold/_isomap.py, transform.
 *
 * near    f64 [n, k], distances to the neighbours
 * ways    f64 [m, m] between the fitted rows
 * indices i64 [n, k]; missing: near is [n, m], a distance for every fitted row, infinite for those that
 *         are no neighbours
 * out     f64 [n, m]: min over the neighbours of ways[neighbour] + near */
#include "op/op.h"

#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *near = uc_call_in(call, 0), *indices = uc_call_in(call, 2);
    const uc_tensor *ways = uc_call_in(call, 1);
    if (!near || near->dtype != UNCORK_FLOAT64 || near->rank != 2 || !ways ||
        ways->dtype != UNCORK_FLOAT64 || ways->rank != 2 ||
        (indices && (indices->dtype != UNCORK_INT64 || indices->rank != 2))) {
        return uc_call_fail(call, UNCORK_MALFORMED,
                            "needs distances, indices and a matrix of ways");
    }
    int64_t shape[2] = {near->shape[0], ways->shape[1]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static void add_way(const double *way, double near, int64_t m, double *out)
{
    if (isinf(near)) return;
    for (int64_t j = 0; j < m; j++) {
        double t = way[j] + near;
        out[j] = t < out[j] ? t : out[j];
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *near = uc_call_in(call, 0), *indices = uc_call_in(call, 2);
    const uc_tensor *ways = uc_call_in(call, 1);
    int64_t n = near->shape[0], k = near->shape[1], rows = ways->shape[0], m = ways->shape[1];
    if (indices ? indices->shape[1] != k || indices->shape[0] != n : k != rows) {
        return uc_call_fail(call, UNCORK_INPUT, "%lld distances a row don't fit %lld fitted rows",
                            (long long)k, (long long)rows);
    }
    const int64_t shape[2] = {n, m};
    uc_tensor *out;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    for (int64_t r = 0; r < n; r++) {
        double *o = (double *)out->data + r * m;
        for (int64_t j = 0; j < m; j++) {
            o[j] = (double)INFINITY;
        }
        for (int64_t i = 0; i < k; i++) {
            int64_t at = indices ? ((const int64_t *)indices->data)[r * k + i] : i;
            if (at < 0 || at >= rows) {
                return uc_call_fail(call, UNCORK_INPUT, "neighbour %lld of %lld rows",
                                    (long long)at, (long long)rows);
            }
            add_way(uc_tensor_doubles(ways) + at * m, uc_tensor_doubles(near)[r * k + i], m, o);
        }
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *near = uc_call_in(call, 0), *ways = uc_call_in(call, 1);
    return (uint64_t)near->shape[0] * (uint64_t)near->shape[1] * (uint64_t)ways->shape[1];
}

const uc_op uc_op_geodesic_distances = {
    .domain = "uncork",
    .name = "GeodesicDistances",
    .in = {2, 3},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
