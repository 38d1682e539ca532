/* KnnImpute: missing cells from the rows nearest among those that have the column.
 *
 * Source: scikit-learn, impute/_knn.py (KNNImputer.transform, _calc_impute), metrics/pairwise.py
 * (nan_euclidean_distances), neighbors/_base.py (_get_weights).
 * x            f64 [rows, columns]
 * x_mask       bool [rows, columns]: missing cells of x
 * fit          f64 [donors, columns], constant
 * fit_mask     bool [donors, columns], constant
 * y            f64 [rows, columns]; columns that no donor has stay as they are
 * n_neighbors  1 or more; weights "uniform" or "distance"
 * skip_far     1: donors that share no column count nothing in "uniform" too (1.6 and later)
 * Numerics: squares of differences, summed in order, where scikit-learn expands them by a matrix
 * product whose rounding depends on the machine: a donor that agrees has distance 0, there it may be
 * 1e-9. Of equally near donors the smaller index. */
#include "op/op.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *fit = uc_call_in(call, 2);
    for (size_t i = 0; i < 4; i++) {
        const uc_tensor *t = uc_call_in(call, i);
        if (t->rank != 2 || t->dtype != (i % 2 ? UNCORK_BOOL : UNCORK_FLOAT64)) {
            return uc_call_fail(call, UNCORK_MALFORMED, "input %zu has another type or rank", i);
        }
    }
    const uc_tensor *mask = uc_call_in(call, 3);
    if (mask->shape[0] != fit->shape[0] || mask->shape[1] != fit->shape[1]) {
        return uc_call_fail(call, UNCORK_MALFORMED, "the donors and their mask differ in shape");
    }
    if (uc_call_int(call, "n_neighbors", 5) < 1) {
        return uc_call_fail(call, UNCORK_MALFORMED, "n_neighbors is %" PRId64,
                            uc_call_int(call, "n_neighbors", 5));
    }
    const int64_t shape[2] = {x->shape[0], fit->shape[1]};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

typedef struct donors {
    const double *data; /* [count, width] */
    const uint8_t *mask;
    int64_t count, width;
} donors;

/* |x - d| over the columns both have, scaled to all columns; NaN when they share none. */
static double distance(const double *x, const uint8_t *x_mask, const donors *d, int64_t i)
{
    const double *row = d->data + i * d->width;
    const uint8_t *mask = d->mask + i * d->width;
    double square = 0;
    int64_t shared = 0;
    for (int64_t c = 0; c < d->width; c++) {
        if (x_mask[c] || mask[c]) continue;
        square += (x[c] - row[c]) * (x[c] - row[c]);
        shared++;
    }
    if (shared == 0) return (double)NAN;
    return sqrt(square / (double)shared * (double)d->width);
}

/* Whether donor a stands in front of donor b: NaN distances last. */
static bool is_nearer(const double *distances, int64_t a, int64_t b)
{
    double p = distances[a], q = distances[b];
    if (isnan(p) || isnan(q)) return isnan(p) == isnan(q) ? a < b : isnan(q);
    return p < q || (!(p > q) && a < b);
}

/* The k nearest donors that have the column, by insertion; their number. */
static int64_t nearest(const donors *d, const double *distances, int64_t column, int64_t k,
                       int64_t *found)
{
    int64_t n = 0;
    for (int64_t i = 0; i < d->count; i++) {
        if (d->mask[i * d->width + column]) continue;
        if (n == k && !is_nearer(distances, i, found[n - 1])) continue;
        int64_t at = n < k ? n++ : k - 1;
        for (; at > 0 && is_nearer(distances, i, found[at - 1]); at--)
            found[at] = found[at - 1];
        found[at] = i;
    }
    return n;
}

/* Mean of the column over all donors that have it. */
static double column_mean(const donors *d, int64_t column)
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < d->count; i++) {
        if (d->mask[i * d->width + column]) continue;
        sum += d->data[i * d->width + column];
        n++;
    }
    return sum / (double)n;
}

static double weight_of(double distance, bool by_distance, bool any_zero, bool skip_far)
{
    if (!by_distance) return isnan(distance) && skip_far ? 0 : 1;
    if (any_zero) return distance == 0 ? 1 : 0;
    return isnan(distance) ? 0 : 1 / distance;
}

static double average(const donors *d, const double *distances, int64_t column,
                      const int64_t *found, int64_t n, bool by_distance, bool skip_far)
{
    bool any_zero = false;
    double sum = 0, total = 0;
    for (int64_t i = 0; i < n; i++)
        any_zero = any_zero || distances[found[i]] == 0;
    for (int64_t i = 0; i < n; i++) {
        double w = weight_of(distances[found[i]], by_distance, any_zero, skip_far);
        sum += w * d->data[found[i] * d->width + column];
        total += w;
    }
    return sum / total;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *x_mask = uc_call_in(call, 1);
    const uc_tensor *fit = uc_call_in(call, 2), *fit_mask = uc_call_in(call, 3);
    const donors d = {uc_tensor_doubles(fit), fit_mask->data, fit->shape[0], fit->shape[1]};
    if (x->shape[1] != d.width || x_mask->shape[1] != d.width || x_mask->shape[0] != x->shape[0]) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %" PRId64 " columns, expected %" PRId64,
                            x->shape[1], d.width);
    }
    int64_t k = uc_call_int(call, "n_neighbors", 5);
    if (k > d.count) k = d.count;
    bool by_distance = uc_str_is(uc_call_str(call, "weights", "uniform"), "distance");
    bool skip_far = uc_call_int(call, "skip_far", 0) != 0;
    double *distances = uc_call_scratch(call, (size_t)d.count, sizeof *distances);
    int64_t *found = uc_call_scratch(call, (size_t)k, sizeof *found);
    uc_tensor *out = NULL;
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT64, 2, x->shape, &out));
    if (!distances || !found) return call->error->status;
    for (int64_t r = 0; r < x->shape[0]; r++) {
        const double *row = uc_tensor_doubles(x) + r * d.width;
        const uint8_t *mask = (const uint8_t *)x_mask->data + r * d.width;
        double *y = (double *)out->data + r * d.width;
        bool measured = false;
        UC_TRY(uc_budget_check(call->budget, call->error));
        for (int64_t c = 0; c < d.width; c++) {
            y[c] = row[c];
            if (!mask[c]) continue;
            for (int64_t i = 0; !measured && i < d.count; i++)
                distances[i] = distance(row, mask, &d, i);
            measured = true;
            int64_t n = nearest(&d, distances, c, k, found);
            if (n == 0) continue; /* no donor has the column */
            bool none_near = isnan(distances[found[0]]) != 0;
            y[c] = none_near ? column_mean(&d, c)
                             : average(&d, distances, c, found, n, by_distance, skip_far);
        }
    }
    return UNCORK_OK;
}

/* Every row may need every donor. */
static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *fit = uc_call_in(call, 2);
    return (uint64_t)x->shape[0] * (uint64_t)fit->shape[0] * (uint64_t)fit->shape[1] * 3;
}

const uc_op uc_op_knn_impute = {
    .domain = "uncork",
    .name = "KnnImpute",
    .in = {4, 4},
    .out = {1, 1},
    .infer = infer,
    .run = run,
    .macs = macs,
};
