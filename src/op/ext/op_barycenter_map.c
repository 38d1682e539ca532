/* uncork.BarycenterMap: a row as the weighted mean of its neighbours' places, with the weights that
 * rebuild it best from its neighbours. Source: sklearn/manifold/_locally_linear.py, barycenter_weights
 * and LocallyLinearEmbedding.transform.
 *
 * x f64 [n, d]; rows f64 [m, d]; indices i64 [n, k]; places f64 [m, c]; out f64 [n, c]
 * Attribute reg: share of the trace (or, when that is 0, the amount) added to the diagonal. */
#include "kernel/linalg.h"
#include "op/op.h"

static bool is_matrix(const uc_tensor *t, uncork_dtype dtype)
{
    return t && t->dtype == dtype && t->rank == 2;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *places = uc_call_in(call, 3);
    if (!is_matrix(x, UNCORK_FLOAT64) || !is_matrix(uc_call_in(call, 1), UNCORK_FLOAT64) ||
        !is_matrix(uc_call_in(call, 2), UNCORK_INT64) || !is_matrix(places, UNCORK_FLOAT64)) {
        return uc_call_fail(call, UNCORK_MALFORMED, "needs rows, fitted rows, indices and places");
    }
    int64_t shape[2] = {x->shape[0], places->shape[1]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

/* The weights of one row, which sum to 1; off: [k, d] scratch, gram: [k, k] scratch. False: the
 * system isn't positive definite. */
static bool weights_of(const double *x, const double *rows, const int64_t *index, int64_t k,
                       int64_t d, double reg, double *off, double *gram, double *weights)
{
    double trace = 0.0, total = 0.0;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = 0; j < d; j++) {
            off[i * d + j] = rows[index[i] * d + j] - x[j];
        }
    }
    for (int64_t a = 0; a < k; a++) {
        for (int64_t b = 0; b <= a; b++) {
            double sum = 0.0;
            for (int64_t j = 0; j < d; j++) {
                sum += off[a * d + j] * off[b * d + j];
            }
            gram[a * k + b] = sum;
        }
        trace += gram[a * k + a];
    }
    for (int64_t i = 0; i < k; i++) {
        gram[i * k + i] += trace > 0.0 ? reg * trace : reg;
        weights[i] = 1.0;
    }
    if (!uc_cholesky(gram, k)) return false;
    uc_cholesky_solve(gram, k, weights);
    for (int64_t i = 0; i < k; i++) {
        total += weights[i];
    }
    for (int64_t i = 0; i < k; i++) {
        weights[i] /= total;
    }
    return true;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *rows = uc_call_in(call, 1);
    const uc_tensor *indices = uc_call_in(call, 2), *places = uc_call_in(call, 3);
    int64_t n = x->shape[0], d = rows->shape[1], m = rows->shape[0], k = indices->shape[1];
    int64_t c = places->shape[1];
    if (x->shape[1] != d || places->shape[0] != m || indices->shape[0] != n) {
        return uc_call_fail(call, UNCORK_INPUT, "rows, indices and places don't fit each other");
    }
    const int64_t shape[2] = {n, c}, *index = indices->data;
    uc_tensor *out;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, shape, &out));
    double *off = uc_call_scratch(call, (size_t)k * (size_t)d, sizeof(double));
    double *gram = uc_call_scratch(call, (size_t)k * (size_t)k, sizeof(double));
    double *weights = uc_call_scratch(call, (size_t)k, sizeof(double));
    if (!off || !gram || !weights) return UNCORK_NO_MEMORY;
    double reg = uc_call_float(call, "reg", 1e-3);
    for (int64_t r = 0; r < n; r++, index += k) {
        double *o = (double *)out->data + r * c;
        for (int64_t i = 0; i < k; i++) {
            if (index[i] >= 0 && index[i] < m) continue;
            return uc_call_fail(call, UNCORK_INPUT, "neighbour %lld of %lld rows",
                                (long long)index[i], (long long)m);
        }
        if (!weights_of(uc_tensor_doubles(x) + r * d, uc_tensor_doubles(rows), index, k, d, reg,
                        off, gram, weights)) {
            return uc_call_fail(call, UNCORK_INPUT, "row %lld can't be rebuilt from its neighbours",
                                (long long)r);
        }
        memset(o, 0, (size_t)c * sizeof(double));
        for (int64_t i = 0; i < k; i++) {
            for (int64_t j = 0; j < c; j++) {
                o[j] += uc_tensor_doubles(places)[index[i] * c + j] * weights[i];
            }
        }
    }
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *indices = uc_call_in(call, 2);
    uint64_t k = (uint64_t)indices->shape[1];
    return (uint64_t)x->shape[0] * k * k * ((uint64_t)x->shape[1] + k);
}

const uc_op uc_op_barycenter_map = {
    .domain = "uncork",
    .name = "BarycenterMap",
    .in = {4, 4},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
