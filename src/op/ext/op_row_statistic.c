/* RowStatistic: mean, median or most frequent value of each row, masked cells left out.
 *
 * Source: scikit-learn 0.18 to 0.21, preprocessing/imputation.py, Imputer._dense_fit with axis=1.
 * x     f64 [rows, columns]
 * mask  bool [rows, columns]: cells to leave out
 * y     f64 [rows, 1]
 * kind  "mean", "median" or "most_frequent" (the smallest of equally frequent ones)
 * A row without a cell left is an INPUT error, as it is a ValueError there. */
#include "op/op.h"

#include <inttypes.h>
#include <stdlib.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *mask = uc_call_in(call, 1);
    uc_str kind = uc_call_str(call, "kind", "mean");
    if (x->rank != 2 || x->dtype != UNCORK_FLOAT64 || mask->rank != 2 ||
        mask->dtype != UNCORK_BOOL) {
        return uc_call_fail(call, UNCORK_MALFORMED, "inputs have other types or ranks");
    }
    if (!uc_str_is(kind, "mean") && !uc_str_is(kind, "median") &&
        !uc_str_is(kind, "most_frequent")) {
        return uc_call_fail(call, UNCORK_MALFORMED, "kind is '%.*s'", (int)kind.size, kind.data);
    }
    const int64_t shape[2] = {x->shape[0], 1};
    return uc_call_shape(call, 0, UNCORK_FLOAT64, 2, shape);
}

static int ascending(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double mean_of(const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += v[i];
    return sum / (double)n;
}

/* Of sorted numbers. */
static double median_of(const double *v, int64_t n)
{
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double mode_of(const double *v, int64_t n)
{
    double best = v[0];
    int64_t most = 0;
    for (int64_t i = 0, begin = 0; i < n; i++) {
        if (v[i] > v[begin]) begin = i;
        if (i - begin + 1 > most) {
            most = i - begin + 1;
            best = v[begin];
        }
    }
    return best;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_in(call, 0), *mask = uc_call_in(call, 1);
    int64_t rows = x->shape[0], width = x->shape[1];
    uc_str kind = uc_call_str(call, "kind", "mean");
    if (mask->shape[0] != rows || mask->shape[1] != width) {
        return uc_call_fail(call, UNCORK_INPUT, "x and its mask have different shapes");
    }
    double *cells = uc_call_scratch(call, (size_t)width, sizeof *cells);
    uc_tensor *out = uc_call_out(call, 0);
    if (!cells || !out) return call->error->status;
    for (int64_t r = 0; r < rows; r++) {
        int64_t n = 0;
        for (int64_t c = 0; c < width; c++) {
            if (!((const uint8_t *)mask->data)[r * width + c]) {
                cells[n++] = uc_tensor_doubles(x)[r * width + c];
            }
        }
        if (n == 0) {
            return uc_call_fail(call, UNCORK_INPUT, "row %" PRId64 " holds only missing values", r);
        }
        bool is_mean = uc_str_is(kind, "mean");
        if (!is_mean) qsort(cells, (size_t)n, sizeof *cells, ascending);
        ((double *)out->data)[r] = is_mean                     ? mean_of(cells, n)
                                   : uc_str_is(kind, "median") ? median_of(cells, n)
                                                               : mode_of(cells, n);
    }
    return UNCORK_OK;
}

const uc_op uc_op_row_statistic = {
    .domain = "uncork",
    .name = "RowStatistic",
    .in = {2, 2},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
