/* Sums by group: Segment*, UnsortedSegment*, SparseSegment*, Bincount, DenseBincount, HistogramFixedWidth,
 * Bucketize, LowerBound, UpperBound, CumulativeLogsumexp.
 *
 * Source: tensorflow/core/kernels/{segment_reduction_ops_impl.h,bincount_op,histogram_op,bucketize_op,
 * searchsorted_op,scan_ops}.cc. Sums of float32 run in float64 and are rounded once. */
#include "op/ext/tf_call.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

/* ---- segments -------------------------------------------------------------------------------- */

typedef enum how { SUM, MEAN, SQRT_N, PROD, LARGEST, LEAST } how;

static how how_of(const uc_call *call)
{
    const char *n = call->op->name;
    return strstr(n, "Mean")    ? MEAN
           : strstr(n, "SqrtN") ? SQRT_N
           : strstr(n, "Prod")  ? PROD
           : strstr(n, "Max")   ? LARGEST
           : strstr(n, "Min")   ? LEAST
                                : SUM;
}

typedef struct layout {
    size_t ids,
        number; /* inputs: which group each row is of, how many there are (0: as many as occur) */
    bool picks; /* input 1 picks rows of input 0 */
    bool open;  /* groups in any order; those below zero are left out, empty ones are the extreme */
} layout;

static layout layout_of(const uc_call *call)
{
    const char *n = call->op->name;
    layout l = {.ids = 1};
    l.open = strstr(n, "Unsorted") != NULL;
    if (strstr(n, "Sparse")) l = (layout){.ids = 2, .picks = true};
    if (call->in_count > l.ids + 1) l.number = l.ids + 1;
    return l;
}

static uncork_status infer_segment(uc_call *call)
{
    const layout l = layout_of(call);
    const uc_tensor *x = uc_call_arg(call, 0), *ids = uc_call_arg(call, l.ids);
    int64_t shape[UNCORK_MAX_RANK], n;
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    if (x->rank < 0 || ids->rank < 0 || x->rank < ids->rank)
        return uc_tf_infer_open(call, 0, x->dtype, -1);
    const int rank = x->rank - ids->rank + 1;
    shape[0] = UC_DIM_UNKNOWN;
    if (l.number && uc_call_known(call, l.number)) {
        UC_TRY(uc_tf_one_int(call, l.number, &n));
        shape[0] = n < 0 ? UC_DIM_UNKNOWN : n;
    }
    memcpy(shape + 1, x->shape + ids->rank, (size_t)(rank - 1) * sizeof *shape);
    return uc_call_shape(call, 0, x->dtype, rank, shape);
}

static double lowest(uncork_dtype d, bool least)
{
    if (d == UNCORK_FLOAT64) return least ? DBL_MAX : -DBL_MAX;
    if (d == UNCORK_FLOAT16) return least ? 65504 : -65504;
    if (d == UNCORK_BFLOAT16) return (least ? 1 : -1) * 0x1.FEp127;
    return least ? (double)FLT_MAX : -(double)FLT_MAX;
}

static int64_t lowest_int(uncork_dtype d, bool least)
{
    const int bits = uc_dtype_bits(d);
    if (!uc_dtype_is_signed(d)) return least ? (int64_t)(UINT64_MAX >> (64 - bits)) : 0;
    const int64_t most = (int64_t)(UINT64_MAX >> (65 - bits));
    return least ? most : -most - 1;
}

/* One group's numbers so far: floats in d, whole numbers in i. */
typedef struct cell {
    double d;
    int64_t i;
} cell;

static void join(how h, bool real, cell *c, const uc_tensor *x, int64_t at, bool first)
{
    const double d = real ? uc_tf_at(x, at) : 0;
    const int64_t i = real ? 0 : uc_tf_int_at(x, at);
    if (first) {
        *c = (cell){d, i};
    } else if (h == PROD) {
        c->d *= d;
        c->i = (int64_t)((uint64_t)c->i * (uint64_t)i);
    } else if (h == LARGEST) {
        if (d > c->d) c->d = d;
        if (i > c->i) c->i = i;
    } else if (h == LEAST) {
        if (d < c->d) c->d = d;
        if (i < c->i) c->i = i;
    } else {
        c->d += d;
        c->i = (int64_t)((uint64_t)c->i + (uint64_t)i);
    }
}

static void finish(how h, bool real, const cell *c, int64_t rows, const layout *l, uc_tensor *y,
                   int64_t at)
{
    if (rows == 0) {
        const bool extreme = l->open && (h == LARGEST || h == LEAST);
        const int64_t i = extreme ? lowest_int(y->dtype, h == LEAST) : h == PROD;
        if (real)
            uc_tf_put(y->data, at, y->dtype, extreme ? lowest(y->dtype, h == LEAST) : h == PROD);
        else
            uc_tf_put_int(y->data, at, y->dtype, i);
        return;
    }
    const double by = h == MEAN ? (double)rows : h == SQRT_N ? sqrt((double)rows) : 1;
    if (real)
        uc_tf_put(y->data, at, y->dtype, c->d / by);
    else
        uc_tf_put_int(y->data, at, y->dtype, h == MEAN ? c->i / rows : c->i);
}

static uncork_status count_groups(uc_call *call, const layout *l, int64_t *groups)
{
    const uc_tensor *ids = uc_call_arg(call, l->ids);
    int64_t most = -1, before = 0;
    for (int64_t i = 0; i < uc_tensor_count(ids); i++) {
        const int64_t v = uc_tf_int_at(ids, i);
        if (!l->open && (v < before || v > INT32_MAX))
            return uc_call_fail(call, UNCORK_INPUT, "segment ids are not increasing");
        before = v;
        if (v > most) most = v;
    }
    *groups = most + 1;
    if (!l->number) return UNCORK_OK;
    UC_TRY(uc_tf_one_int(call, l->number, groups));
    if (*groups < 0 || most >= *groups)
        return uc_call_fail(call, UNCORK_INPUT, "segment %" PRId64 " of %" PRId64, most, *groups);
    return UNCORK_OK;
}

static uncork_status run_segment(uc_call *call)
{
    const layout l = layout_of(call);
    const uc_tensor *x = uc_call_arg(call, 0), *ids = uc_call_arg(call, l.ids),
                    *picked = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK], groups = 0;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_want(call, l.ids, UNCORK_DTYPE_NONE, -1));
    if (x->rank < ids->rank ||
        (!l.picks && memcmp(x->shape, ids->shape, (size_t)ids->rank * sizeof *shape) != 0) ||
        (l.picks && (ids->rank != 1 || uc_tensor_count(picked) != ids->shape[0])))
        return uc_call_fail(call, UNCORK_INPUT, "its segments don't fit the data");
    UC_TRY(count_groups(call, &l, &groups));
    const int rank = x->rank - ids->rank + 1;
    shape[0] = groups;
    memcpy(shape + 1, x->shape + ids->rank, (size_t)(rank - 1) * sizeof *shape);
    UC_TRY(uc_call_output(call, 0, x->dtype, rank, shape, &y));
    const int64_t each = uc_tf_product(shape, 1, rank), n = uc_tensor_count(ids);
    const bool real = uc_dtype_is_float(x->dtype);
    cell *cells = uc_call_scratch(call, (size_t)(groups * each) + 1, sizeof *cells);
    int64_t *rows = uc_call_scratch(call, (size_t)groups + 1, sizeof *rows);
    if (!cells || !rows) return uc_fail_memory(call->error);
    memset(rows, 0, ((size_t)groups + 1) * sizeof *rows);
    for (int64_t i = 0; i < n; i++) {
        const int64_t g = uc_tf_int_at(ids, i), from = l.picks ? uc_tf_int_at(picked, i) : i;
        if (g < 0) continue;
        if (l.picks && (from < 0 || from >= x->shape[0]))
            return uc_call_fail(call, UNCORK_INPUT, "row %" PRId64, from);
        for (int64_t k = 0; k < each; k++) {
            join(how_of(call), real, &cells[g * each + k], x, from * each + k, rows[g] == 0);
        }
        rows[g]++;
    }
    for (int64_t i = 0; i < groups * each; i++) {
        finish(how_of(call), real, &cells[i], rows[i / each], &l, y, i);
    }
    return UNCORK_OK;
}

#define SEGMENT(SYMBOL, NAME, INPUTS) \
    UC_TF_ROW(SYMBOL, NAME, INPUTS, INPUTS, 1, infer_segment, run_segment)
SEGMENT(tf_segment_max, "TfSegmentMax", 2)
SEGMENT(tf_segment_max_v2, "TfSegmentMaxV2", 3)
SEGMENT(tf_segment_mean, "TfSegmentMean", 2)
SEGMENT(tf_segment_min, "TfSegmentMin", 2)
SEGMENT(tf_segment_min_v2, "TfSegmentMinV2", 3)
SEGMENT(tf_segment_prod, "TfSegmentProd", 2)
SEGMENT(tf_segment_prod_v2, "TfSegmentProdV2", 3)
SEGMENT(tf_segment_sum, "TfSegmentSum", 2)
SEGMENT(tf_segment_sum_v2, "TfSegmentSumV2", 3)
SEGMENT(tf_sparse_segment_mean, "TfSparseSegmentMean", 3)
SEGMENT(tf_sparse_segment_mean_n, "TfSparseSegmentMeanWithNumSegments", 4)
SEGMENT(tf_sparse_segment_sqrt, "TfSparseSegmentSqrtN", 3)
SEGMENT(tf_sparse_segment_sqrt_n, "TfSparseSegmentSqrtNWithNumSegments", 4)
SEGMENT(tf_sparse_segment_sum, "TfSparseSegmentSum", 3)
SEGMENT(tf_sparse_segment_sum_n, "TfSparseSegmentSumWithNumSegments", 4)
SEGMENT(tf_unsorted_max, "TfUnsortedSegmentMax", 3)
SEGMENT(tf_unsorted_min, "TfUnsortedSegmentMin", 3)
SEGMENT(tf_unsorted_prod, "TfUnsortedSegmentProd", 3)
SEGMENT(tf_unsorted_sum, "TfUnsortedSegmentSum", 3)

/* ---- counts ---------------------------------------------------------------------------------- */

/* values, size, weights; of Bincount a vector, of DenseBincount one a row. */
static uncork_status infer_bincount(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t n = UC_DIM_UNKNOWN;
    if (uc_call_known(call, 1)) UC_TRY(uc_tf_one_int(call, 1, &n));
    if (n < 0) n = UC_DIM_UNKNOWN;
    const bool rows = strstr(call->op->name, "Dense") != NULL;
    const int64_t shape[] = {x->rank == 2 ? x->shape[0] : UC_DIM_UNKNOWN, n};
    if (rows && x->rank < 0) return uc_tf_infer_open(call, 0, uc_call_dtype(call, 2), -1);
    return rows && x->rank == 2 ? uc_call_shape(call, 0, uc_call_dtype(call, 2), 2, shape)
                                : uc_call_shape(call, 0, uc_call_dtype(call, 2), 1, shape + 1);
}

static uncork_status run_bincount(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *w = uc_call_arg(call, 2);
    const bool dense = strstr(call->op->name, "Dense") != NULL, two = dense && x->rank == 2;
    const bool binary = uc_call_int(call, "binary_output", 0) != 0;
    int64_t size;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_one_int(call, 1, &size));
    const int64_t n = uc_tensor_count(x), rows = two ? x->shape[0] : 1, each = rows ? n / rows : 0;
    const bool weighted = uc_tensor_count(w) > 0 && !binary;
    const int64_t shape[] = {rows, size};
    if (size < 0 || (weighted && uc_tensor_count(w) != n))
        return uc_call_fail(call, UNCORK_INPUT, "its weights don't fit");
    UC_TRY(uc_call_output(call, 0, w->dtype, two ? 2 : 1, two ? shape : shape + 1, &y));
    for (int64_t i = 0; i < rows * size; i++) {
        uc_tf_put(y->data, i, y->dtype, 0);
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t v = uc_tf_int_at(x, i), at = (each ? i / each : 0) * size + v;
        if (v < 0) return uc_call_fail(call, UNCORK_INPUT, "Input arr must be non-negative!");
        if (v >= size) continue;
        uc_tf_put(y->data, at, y->dtype,
                  binary ? 1 : uc_tf_at(y, at) + (weighted ? uc_tf_at(w, i) : 1));
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_bincount, "TfBincount", 3, 3, 1, infer_bincount, run_bincount)
UC_TF_ROW(tf_dense_bincount, "TfDenseBincount", 3, 3, 1, infer_bincount, run_bincount)

static uncork_status infer_histogram(uc_call *call)
{
    int64_t n = UC_DIM_UNKNOWN;
    if (uc_call_known(call, 2)) UC_TRY(uc_tf_one_int(call, 2, &n));
    return uc_call_shape(call, 0, uc_tf_type_of(call, "dtype", UNCORK_INT32), 1, &n);
}

static uncork_status run_histogram(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *range = uc_call_arg(call, 1);
    int64_t bins;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_one_int(call, 2, &bins));
    if (bins < 1 || bins > INT32_MAX || uc_tensor_count(range) != 2)
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " bins", bins);
    UC_TRY(uc_call_output(call, 0, uc_tf_type_of(call, "dtype", UNCORK_INT32), 1, &bins, &y));
    const double low = uc_tf_at(range, 0), high = uc_tf_at(range, 1),
                 step = (high - low) / (double)bins;
    if (!(low < high))
        return uc_call_fail(call, UNCORK_INPUT,
                            "value_range should satisfy value_range[0] < value_range[1]");
    for (int64_t i = 0; i < bins; i++) {
        uc_tf_put_int(y->data, i, y->dtype, 0);
    }
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const double v = floor((uc_tf_at(x, i) - low) / step);
        const int64_t at = !(v > 0) ? 0 : v >= (double)bins ? bins - 1 : (int64_t)v;
        uc_tf_put_int(y->data, at, y->dtype, uc_tf_int_at(y, at) + 1);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_histogram, "TfHistogramFixedWidth", 3, 3, 1, infer_histogram, run_histogram)

/* ---- places in order ------------------------------------------------------------------------- */

static uncork_status infer_bucketize(uc_call *call)
{
    return uc_tf_infer_shape_of(call, UNCORK_INT32);
}

/* How many boundaries are not above x. */
static uncork_status run_bucketize(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const uc_attr *edges = uc_call_attr(call, "boundaries");
    const size_t n = edges && edges->kind == UC_ATTR_FLOATS ? edges->count : 0;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        size_t k = 0;
        while (k < n && edges->floats[k] <= uc_tf_at(x, i)) {
            k++;
        }
        ((int32_t *)y->data)[i] = (int32_t)k;
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_bucketize, "TfBucketize", 1, 1, 1, infer_bucketize, run_bucketize)

static uncork_status infer_bound(uc_call *call)
{
    return uc_call_shape_like(call, 0, 1, uc_tf_type_of(call, "out_type", UNCORK_INT32));
}

static uncork_status run_bound(uc_call *call)
{
    const uc_tensor *s = uc_call_arg(call, 0), *v = uc_call_arg(call, 1);
    const bool upper = call->op->name[2] == 'U';
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 2));
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 2));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (s->shape[0] != v->shape[0]) return uc_call_fail(call, UNCORK_INPUT, "its rows don't fit");
    for (int64_t i = 0; i < uc_tensor_count(v); i++) {
        const int64_t base = i / v->shape[1] * s->shape[1];
        int64_t low = 0, high = s->shape[1];
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            const double a = uc_tf_at(s, base + middle), b = uc_tf_at(v, i);
            if (upper ? a <= b : a < b)
                low = middle + 1;
            else
                high = middle;
        }
        uc_tf_put_int(y->data, i, y->dtype, low);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_lower_bound, "TfLowerBound", 2, 2, 1, infer_bound, run_bound)
UC_TF_ROW(tf_upper_bound, "TfUpperBound", 2, 2, 1, infer_bound, run_bound)

/* ---- CumulativeLogsumexp --------------------------------------------------------------------- */

static double log_add(double a, double b)
{
    const double high = fmax(a, b), low = fmin(a, b);
    return isinf(high) ? high : high + log1p(exp(low - high));
}

static uncork_status logsumexp(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t at;
    int axis = 0;
    UC_TRY(uc_tf_one_int(call, 1, &at));
    UC_TRY(uc_axis(call, at, x->rank, &axis));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const bool exclusive = uc_call_int(call, "exclusive", 0) != 0,
               reverse = uc_call_int(call, "reverse", 0) != 0;
    const int64_t n = x->shape[axis], inner = uc_tf_product(x->shape, axis + 1, x->rank);
    for (int64_t i = 0; n && i < uc_tensor_count(x) / n; i++) {
        double sum = -(double)INFINITY;
        for (int64_t k = 0; k < n; k++) {
            const int64_t p = i / inner * n * inner + (reverse ? n - 1 - k : k) * inner + i % inner;
            const double next = log_add(sum, uc_tf_at(x, p));
            uc_tf_put(y->data, p, y->dtype, exclusive ? sum : next);
            sum = next;
        }
    }
    return UNCORK_OK;
}

static uncork_status infer_logsumexp(uc_call *call)
{
    UC_TRY(uc_call_expect_wide(call, 0));
    return uc_tf_infer_same(call);
}

static uncork_status run_logsumexp(uc_call *call) { return uc_widened(call, logsumexp); }
UC_TF_ROW(tf_cumulative_logsumexp, "TfCumulativeLogsumexp", 2, 2, 1, infer_logsumexp, run_logsumexp)
