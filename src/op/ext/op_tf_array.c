/* Small work on shapes, indices and sets: BatchGather, BroadcastArgs, BroadcastGradientArgs, LinSpace,
 * UnravelIndex, InvertPermutation, ConcatOffset, DataFormat*, Dynamic*, NthElement, InTopK, ListDiff, Diag,
 * DiagPart, Cross, Lookup.
 *
 * Source: tensorflow/core/kernels/{gather_op_batch_dims.h,bcast_ops,sequence_ops,unravel_index_op,
 * concat_op,data_format_ops,dynamic_partition_op,dynamic_stitch_op,nth_element_op,in_topk_op,listdiff_op,
 * diag_op,cross_op,lookup_table_op}.cc */
#include "base/table.h"
#include "op/ext/tf_call.h"
#include "op/move.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- BatchGather: x [batch..., before..., n, inner...], indices [batch..., rest...] -------------- */

static uncork_status gather_shape(uc_call *call, int64_t *shape, int *rank)
{
    const uc_tensor *x = uc_call_arg(call, 0), *at = uc_call_arg(call, 1);
    const int64_t axis = uc_call_int(call, "axis", 0), batch = uc_call_int(call, "batch_dims", 0);
    if (batch < 0 || batch > at->rank || axis < batch || axis >= x->rank ||
        x->rank + at->rank > UNCORK_MAX_RANK)
        return uc_call_fail(call, UNCORK_INPUT, "axis %" PRId64 ", batch_dims %" PRId64, axis,
                            batch);
    *rank = 0;
    for (int d = 0; d < axis; d++) {
        if (d < batch && x->shape[d] >= 0 && at->shape[d] >= 0 && x->shape[d] != at->shape[d])
            return uc_call_fail(call, UNCORK_INPUT, "its batches differ");
        shape[(*rank)++] = x->shape[d];
    }
    for (int d = (int)batch; d < at->rank; d++) {
        shape[(*rank)++] = at->shape[d];
    }
    for (int d = (int)axis + 1; d < x->rank; d++) {
        shape[(*rank)++] = x->shape[d];
    }
    return UNCORK_OK;
}

static uncork_status infer_gather(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    if (uc_call_arg(call, 0)->rank < 0 || uc_call_arg(call, 1)->rank < 0)
        return uc_tf_infer_open(call, 0, uc_call_dtype(call, 0), -1);
    UC_TRY(gather_shape(call, shape, &rank));
    return uc_call_shape(call, 0, uc_call_dtype(call, 0), rank, shape);
}

typedef struct gather {
    int64_t batches, before, n, inner, rest;
    const int64_t *at;
} gather;

static void move_gather(const void *context, void *to, const void *const *from, size_t size)
{
    const gather *g = context;
    const size_t row = (size_t)g->inner * size;
    char *out = to;
    for (int64_t b = 0; b < g->batches; b++) {
        for (int64_t o = 0; o < g->before; o++) {
            for (int64_t i = 0; i < g->rest; i++) {
                const int64_t k = g->at[b * g->rest + i];
                memcpy(out, (const char *)from[0] + (size_t)((b * g->before + o) * g->n + k) * row,
                       row);
                out += row;
            }
        }
    }
}

static uncork_status run_gather(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *at = uc_call_arg(call, 1);
    const int axis = (int)uc_call_int(call, "axis", 0),
              batch = (int)uc_call_int(call, "batch_dims", 0);
    int64_t shape[UNCORK_MAX_RANK];
    int rank = 0;
    uc_tensor *y = NULL;
    UC_TRY(gather_shape(call, shape, &rank));
    gather g = {.batches = uc_tf_product(x->shape, 0, batch),
                .before = uc_tf_product(x->shape, batch, axis),
                .n = x->shape[axis],
                .inner = uc_tf_product(x->shape, axis + 1, x->rank),
                .rest = uc_tf_product(at->shape, batch, at->rank),
                .at = uc_tf_ints_of(call, at)};
    if (!g.at) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(at); i++) {
        if (g.at[i] < 0 || g.at[i] >= g.n)
            return uc_call_fail(call, UNCORK_INPUT, "index %" PRId64 " isn't in [0, %" PRId64 ")",
                                g.at[i], g.n);
    }
    UC_TRY(uc_call_output(call, 0, x->dtype, rank, shape, &y));
    return uc_move(call, 0, &x, 1, move_gather, &g);
}
UC_TF_ROW(tf_batch_gather, "TfBatchGather", 2, 2, 1, infer_gather, run_gather)

/* ---- shapes ---------------------------------------------------------------------------------- */

static uncork_status infer_vector(uc_call *call)
{
    return uc_tf_infer_open(call, 0, uc_call_dtype(call, 0), 1);
}

static uncork_status read_two(uc_call *call, int64_t v[2][UNCORK_MAX_RANK], size_t n[2])
{
    for (size_t k = 0; k < 2; k++) {
        int64_t own[UNCORK_MAX_RANK];
        UC_TRY(uc_call_small_ints(call, k, own, &n[k]));
        for (size_t i = 0; i < UNCORK_MAX_RANK; i++) {
            v[k][i] = 1;
        }
        memcpy(v[k] + UNCORK_MAX_RANK - n[k], own, n[k] * sizeof *own);
    }
    return UNCORK_OK;
}

static uncork_status run_broadcast_args(uc_call *call)
{
    int64_t v[2][UNCORK_MAX_RANK];
    size_t n[2];
    uc_tf_numbers out = {.call = call};
    UC_TRY(read_two(call, v, n));
    const size_t rank = n[0] > n[1] ? n[0] : n[1];
    for (size_t i = UNCORK_MAX_RANK - rank; i < UNCORK_MAX_RANK; i++) {
        if (v[0][i] != v[1][i] && v[0][i] != 1 && v[1][i] != 1)
            return uc_call_fail(call, UNCORK_INPUT, "the shapes don't fit");
        uc_tf_numbers_add(&out, v[0][i] == 1 ? v[1][i] : v[0][i]);
    }
    const int64_t shape[] = {(int64_t)rank};
    return uc_tf_numbers_give(&out, 0, uc_call_dtype(call, 0), 1, shape);
}
UC_TF_ROW(tf_broadcast_args, "TfBroadcastArgs", 2, 2, 1, infer_vector, run_broadcast_args)

static uncork_status infer_gradient_args(uc_call *call)
{
    UC_TRY(uc_tf_infer_open(call, 0, uc_call_dtype(call, 0), 1));
    return uc_tf_infer_open(call, 1, uc_call_dtype(call, 0), 1);
}

static uncork_status run_gradient_args(uc_call *call)
{
    int64_t v[2][UNCORK_MAX_RANK];
    size_t n[2];
    UC_TRY(read_two(call, v, n));
    const size_t rank = n[0] > n[1] ? n[0] : n[1], first = UNCORK_MAX_RANK - rank;
    for (size_t k = 0; k < 2; k++) {
        uc_tf_numbers out = {.call = call};
        for (size_t i = first; i < UNCORK_MAX_RANK; i++) {
            const bool both = v[0][i] == 1 && v[1][i] == 1;
            if (v[k][i] == 1 && (!both || i < UNCORK_MAX_RANK - n[k] || both))
                uc_tf_numbers_add(&out, (int64_t)(i - first));
        }
        const int64_t shape[] = {(int64_t)out.count};
        UC_TRY(uc_tf_numbers_give(&out, k, uc_call_dtype(call, 0), 1, shape));
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_broadcast_gradient_args, "TfBroadcastGradientArgs", 2, 2, 2, infer_gradient_args,
          run_gradient_args)

static uncork_status run_lin_space(uc_call *call)
{
    double a, b;
    int64_t n;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_one_float(call, 0, &a));
    UC_TRY(uc_tf_one_float(call, 1, &b));
    UC_TRY(uc_tf_one_int(call, 2, &n));
    if (n < 1) return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " numbers", n);
    UC_TRY(uc_call_output(call, 0, uc_call_dtype(call, 0), 1, &n, &y));
    const bool single = y->dtype == UNCORK_FLOAT32;
    const float step = n > 1 ? ((float)b - (float)a) / (float)(n - 1) : 0;
    for (int64_t i = 0; i < n; i++) {
        const double v = single ? (double)((float)a + step * (float)i)
                                : a + (n > 1 ? (b - a) / (double)(n - 1) : 0) * (double)i;
        uc_tf_put(y->data, i, y->dtype, i == n - 1 && n > 1 ? b : v);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_lin_space, "TfLinSpace", 3, 3, 1, infer_vector, run_lin_space)

static uncork_status infer_unravel(uc_call *call)
{
    return uc_tf_infer_open(call, 0, uc_call_dtype(call, 0),
                            uc_call_arg(call, 0)->rank == 0  ? 1
                            : uc_call_arg(call, 0)->rank < 0 ? -1
                                                             : 2);
}

static uncork_status run_unravel(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t dims[UNCORK_MAX_RANK];
    size_t n = 0;
    uc_tensor *y = NULL;
    UC_TRY(uc_call_small_ints(call, 1, dims, &n));
    const int64_t count = uc_tensor_count(x), shape[] = {(int64_t)n, count};
    int64_t total = 1;
    for (size_t d = 0; d < n; d++) {
        if (dims[d] < 1 || __builtin_mul_overflow(total, dims[d], &total))
            return uc_call_fail(call, UNCORK_INPUT, "dims of %" PRId64, dims[d]);
    }
    UC_TRY(uc_call_output(call, 0, x->dtype, x->rank == 0 ? 1 : 2, shape, &y));
    for (int64_t i = 0; i < count; i++) {
        int64_t v = uc_tf_int_at(x, i);
        if (v < 0 || v >= total)
            return uc_call_fail(call, UNCORK_INPUT, "index is out of bound as with dims");
        for (size_t d = n; d-- > 0;) {
            uc_tf_put_int(y->data, (int64_t)d * count + i, y->dtype, v % dims[d]);
            v /= dims[d];
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_unravel_index, "TfUnravelIndex", 2, 2, 1, infer_unravel, run_unravel)

static uncork_status run_invert(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 1));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t n = x->shape[0];
    for (int64_t i = 0; i < n; i++) {
        uc_tf_put_int(y->data, i, y->dtype, -1);
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t v = uc_tf_int_at(x, i);
        if (v < 0 || v >= n || uc_tf_int_at(y, v) != -1)
            return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " isn't in it once", v);
        uc_tf_put_int(y->data, v, y->dtype, i);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_invert_permutation, "TfInvertPermutation", 1, 1, 1, uc_tf_infer_same, run_invert)

static uncork_status infer_offsets(uc_call *call)
{
    for (size_t i = 0; i < call->out_count; i++) {
        UC_TRY(uc_tf_infer_open(call, i, uc_call_dtype(call, i + 1), 1));
    }
    return UNCORK_OK;
}

static uncork_status run_offsets(uc_call *call)
{
    int64_t axis, at = 0;
    UC_TRY(uc_tf_one_int(call, 0, &axis));
    for (size_t i = 0; i + 1 < call->in_count && i < call->out_count; i++) {
        const uc_tensor *x = uc_call_arg(call, i + 1);
        int own = 0;
        uc_tensor *y = NULL;
        UC_TRY(uc_tf_want(call, i + 1, UNCORK_DTYPE_NONE, 1));
        UC_TRY(uc_axis(call, axis, (int)x->shape[0], &own));
        if (uc_call_wants(call, i)) {
            UC_TRY(uc_call_output(call, i, x->dtype, 1, x->shape, &y));
            for (int64_t d = 0; d < x->shape[0]; d++) {
                uc_tf_put_int(y->data, d, x->dtype, d == own ? at : 0);
            }
        }
        at += uc_tf_int_at(x, own);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_concat_offset, "TfConcatOffset", 2, -1, -1, infer_offsets, run_offsets)

/* ---- data formats ---------------------------------------------------------------------------- */

/* Where the axis of src that stands at i stands in dst. */
static int64_t moved(uc_str src, uc_str dst, int64_t i)
{
    for (size_t k = 0; i >= 0 && (size_t)i < src.size && k < dst.size; k++) {
        if (dst.data[k] == src.data[i]) return (int64_t)k;
    }
    return -1;
}

static uncork_status run_dim_map(uc_call *call)
{
    const uc_str src = uc_call_str(call, "src_format", "NHWC"),
                 dst = uc_call_str(call, "dst_format", "NCHW");
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const int64_t v = uc_tf_int_at(x, i), n = (int64_t)src.size;
        uc_tf_put_int(y->data, i, y->dtype, moved(src, dst, v < 0 ? v + n : v));
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_data_format_dim_map, "TfDataFormatDimMap", 1, 1, 1, uc_tf_infer_same, run_dim_map)

/* Vectors of the spatial axes alone leave out N and C. */
static uncork_status run_vec_permute(uc_call *call)
{
    uc_str src = uc_call_str(call, "src_format", "NHWC"),
           dst = uc_call_str(call, "dst_format", "NCHW");
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    char a[16], b[16];
    if (!y) return uc_fail_memory(call->error);
    const int64_t n = x->rank ? x->shape[0] : 0, each = x->rank == 2 ? x->shape[1] : 1;
    if (src.size > 15 || dst.size != src.size ||
        (n != (int64_t)src.size && n != (int64_t)src.size - 2))
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " entries by its formats", n);
    if (n != (int64_t)src.size) {
        size_t p = 0, q = 0;
        for (size_t i = 0; i < src.size; i++) {
            if (src.data[i] != 'N' && src.data[i] != 'C') a[p++] = src.data[i];
            if (dst.data[i] != 'N' && dst.data[i] != 'C') b[q++] = dst.data[i];
        }
        src = (uc_str){a, p};
        dst = (uc_str){b, q};
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t to = moved(src, dst, i);
        for (int64_t k = 0; k < each && to >= 0 && to < n; k++) {
            uc_tf_put_int(y->data, to * each + k, y->dtype, uc_tf_int_at(x, i * each + k));
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_data_format_vec_permute, "TfDataFormatVecPermute", 1, 1, 1, uc_tf_infer_same,
          run_vec_permute)

/* ---- DynamicPartition, DynamicStitch ----------------------------------------------------------- */

static uncork_status infer_partition(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *p = uc_call_arg(call, 1);
    for (size_t i = 0; i < call->out_count; i++) {
        UC_TRY(uc_tf_infer_open(call, i, x->dtype,
                                x->rank < 0 || p->rank < 0 ? -1 : x->rank - p->rank + 1));
    }
    return UNCORK_OK;
}

typedef struct rows {
    const int64_t *at; /* rows of the input, one a row of the output */
    int64_t count;
    size_t each; /* elements a row */
} rows;

static void move_rows(const void *context, void *to, const void *const *from, size_t size)
{
    const rows *r = context;
    const size_t row = r->each * size;
    for (int64_t i = 0; i < r->count; i++) {
        memcpy((char *)to + (size_t)i * row, (const char *)from[0] + (size_t)r->at[i] * row, row);
    }
}

static uncork_status run_partition(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *p = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, -1));
    if (p->rank > x->rank || memcmp(p->shape, x->shape, (size_t)p->rank * sizeof *shape) != 0)
        return uc_call_fail(call, UNCORK_INPUT, "its partitions don't fit the data");
    const int64_t n = uc_tensor_count(p);
    rows r = {.each = (size_t)uc_tf_product(x->shape, p->rank, x->rank)};
    int64_t *at = uc_call_scratch(call, (size_t)n + 1, sizeof *at);
    if (!at) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < n; i++) {
        const int64_t v = uc_tf_int_at(p, i);
        if (v < 0 || v >= (int64_t)call->out_count)
            return uc_call_fail(call, UNCORK_INPUT, "partition %" PRId64, v);
    }
    r.at = at;
    for (size_t k = 0; k < call->out_count; k++) {
        uc_tensor *y = NULL;
        if (!uc_call_wants(call, k)) continue;
        r.count = 0;
        for (int64_t i = 0; i < n; i++) {
            if (uc_tf_int_at(p, i) == (int64_t)k) at[r.count++] = i;
        }
        shape[0] = r.count;
        memcpy(shape + 1, x->shape + p->rank, (size_t)(x->rank - p->rank) * sizeof *shape);
        UC_TRY(uc_call_output(call, k, x->dtype, x->rank - p->rank + 1, shape, &y));
        UC_TRY(uc_move(call, k, &x, 1, move_rows, &r));
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_dynamic_partition, "TfDynamicPartition", 2, 2, -1, infer_partition, run_partition)

static uncork_status infer_stitch(uc_call *call)
{
    const size_t n = call->in_count / 2;
    const uc_tensor *at = uc_call_arg(call, 0), *x = uc_call_arg(call, n);
    return uc_tf_infer_open(call, 0, x->dtype,
                            at->rank < 0 || x->rank < 0 ? -1 : x->rank - at->rank + 1);
}

/* indices..., data...: rows written in order, later ones over earlier ones; holes are zero. */
static uncork_status run_stitch(uc_call *call)
{
    const size_t n = call->in_count / 2;
    const uc_tensor *first = uc_call_arg(call, n);
    const int tail = first->rank - uc_call_arg(call, 0)->rank;
    int64_t shape[UNCORK_MAX_RANK] = {0};
    uc_tensor *y = NULL;
    if (call->in_count % 2 || tail < 0)
        return uc_call_fail(call, UNCORK_INPUT, "its data don't fit the indices");
    for (size_t k = 0; k < n; k++) {
        const uc_tensor *at = uc_call_arg(call, k), *x = uc_call_arg(call, n + k);
        if (x->rank - at->rank != tail || x->dtype != first->dtype || x->dtype == UNCORK_STRING ||
            memcmp(x->shape, at->shape, (size_t)at->rank * sizeof *shape) != 0 ||
            memcmp(x->shape + at->rank, first->shape + first->rank - tail,
                   (size_t)tail * sizeof *shape) != 0)
            return uc_call_fail(call, UNCORK_INPUT, "its data don't fit the indices");
        for (int64_t i = 0; i < uc_tensor_count(at); i++) {
            const int64_t v = uc_tf_int_at(at, i);
            if (v < 0 || v >= INT32_MAX)
                return uc_call_fail(call, UNCORK_INPUT, "index %" PRId64, v);
            if (v >= shape[0]) shape[0] = v + 1;
        }
    }
    memcpy(shape + 1, first->shape + first->rank - tail, (size_t)tail * sizeof *shape);
    UC_TRY(uc_call_output(call, 0, first->dtype, tail + 1, shape, &y));
    size_t bytes = 0;
    (void)uc_shape_bytes(y->dtype, shape, tail + 1, &bytes);
    if (bytes) memset(y->data, 0, bytes);
    const size_t row = shape[0] ? bytes / (size_t)shape[0] : 0;
    for (size_t k = 0; k < n; k++) {
        const uc_tensor *at = uc_call_arg(call, k), *x = uc_call_arg(call, n + k);
        for (int64_t i = 0; row && i < uc_tensor_count(at); i++) {
            memcpy((char *)y->data + (size_t)uc_tf_int_at(at, i) * row,
                   (const char *)x->data + (size_t)i * row, row);
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_dynamic_stitch, "TfDynamicStitch", 2, -1, 1, infer_stitch, run_stitch)

/* ---- order statistics ------------------------------------------------------------------------ */

static uncork_status infer_nth(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    if (x->rank < 1) return uc_tf_infer_open(call, 0, x->dtype, -1);
    return uc_call_shape(call, 0, x->dtype, x->rank - 1, x->shape);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static uncork_status run_nth(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t n;
    UC_TRY(uc_tf_one_int(call, 1, &n));
    const int64_t width = x->shape[x->rank - 1];
    if (n < 0 || n >= width)
        return uc_call_fail(call, UNCORK_INPUT, "element %" PRId64 " of %" PRId64, n, width);
    if (uc_call_int(call, "reverse", 0)) n = width - 1 - n;
    double *row = uc_call_scratch(call, (size_t)width, sizeof *row);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y || !row) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        for (int64_t k = 0; k < width; k++) {
            row[k] = uc_tf_at(x, i * width + k);
        }
        qsort(row, (size_t)width, sizeof *row, by_value);
        uc_tf_put(y->data, i, y->dtype, row[n]);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_nth_element, "TfNthElement", 2, 2, 1, infer_nth, run_nth)

static uncork_status infer_in_top(uc_call *call)
{
    return uc_call_shape_like(call, 0, 1, UNCORK_BOOL);
}

/* Whether fewer than k predictions are above the target's; k is input 2, or attribute k. */
static uncork_status run_in_top(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *t = uc_call_arg(call, 1);
    int64_t k = uc_call_int(call, "k", 0);
    if (call->in_count > 2) UC_TRY(uc_tf_one_int(call, 2, &k));
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 2));
    UC_TRY(uc_tf_want(call, 1, UNCORK_DTYPE_NONE, 1));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (t->shape[0] != x->shape[0])
        return uc_call_fail(call, UNCORK_INPUT, "its targets don't fit");
    const int64_t classes = x->shape[1];
    for (int64_t i = 0; i < t->shape[0]; i++) {
        const int64_t target = uc_tf_int_at(t, i);
        bool valid = target >= 0 && target < classes;
        const double own = valid ? uc_tf_at(x, i * classes + target) : 0;
        int64_t above = 0;
        valid = valid && isfinite(own);
        for (int64_t c = 0; valid && c < classes; c++) {
            const double v = uc_tf_at(x, i * classes + c);
            valid = isfinite(v);
            above += v > own;
        }
        ((uint8_t *)y->data)[i] = valid && above < k;
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_in_top_k, "TfInTopK", 2, 2, 1, infer_in_top, run_in_top)
UC_TF_ROW(tf_in_top_k_v2, "TfInTopKV2", 3, 3, 1, infer_in_top, run_in_top)

/* ---- Cross, Diag ----------------------------------------------------------------------------- */

static uncork_status run_cross(uc_call *call)
{
    const uc_tensor *a = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (a->rank < 1 || a->shape[a->rank - 1] != 3 || uc_tensor_count(a) != uc_tensor_count(b))
        return uc_call_fail(call, UNCORK_INPUT, "its inputs aren't rows of three");
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        const int64_t row = i / 3 * 3, p = row + (i + 1 - row) % 3, q = row + (i + 2 - row) % 3;
        if (uc_dtype_is_float(y->dtype))
            uc_tf_put(y->data, i, y->dtype,
                      uc_tf_at(a, p) * uc_tf_at(b, q) - uc_tf_at(a, q) * uc_tf_at(b, p));
        else
            uc_tf_put_int(y->data, i, y->dtype,
                          uc_tf_int_at(a, p) * uc_tf_int_at(b, q) -
                              uc_tf_int_at(a, q) * uc_tf_int_at(b, p));
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_cross, "TfCross", 2, 2, 1, uc_tf_infer_same, run_cross)

static uncork_status infer_diag(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    if (x->rank < 0 || 2 * x->rank > UNCORK_MAX_RANK)
        return uc_tf_infer_open(call, 0, x->dtype, -1);
    for (int d = 0; d < 2 * x->rank; d++) {
        shape[d] = x->shape[d % x->rank];
    }
    return uc_call_shape(call, 0, x->dtype, 2 * x->rank, shape);
}

static uncork_status run_diag(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t n = uc_tensor_count(x);
    const size_t size = uc_dtype_size(x->dtype);
    memset(y->data, 0, (size_t)(n * n) * size);
    for (int64_t i = 0; i < n; i++) {
        memcpy((char *)y->data + (size_t)(i * n + i) * size,
               (const char *)x->data + (size_t)i * size, size);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_diag, "TfDiag", 1, 1, 1, infer_diag, run_diag)

static uncork_status infer_diag_part(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    if (x->rank < 0 || x->rank % 2) return uc_tf_infer_open(call, 0, x->dtype, -1);
    return uc_call_shape(call, 0, x->dtype, x->rank / 2, x->shape);
}

static uncork_status run_diag_part(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const int half = x->rank / 2;
    if (x->rank % 2 || memcmp(x->shape, x->shape + half, (size_t)half * sizeof *x->shape) != 0)
        return uc_call_fail(call, UNCORK_INPUT, "its shape isn't one twice");
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const int64_t n = uc_tensor_count(y);
    const size_t size = uc_dtype_size(x->dtype);
    for (int64_t i = 0; i < n; i++) {
        memcpy((char *)y->data + (size_t)i * size,
               (const char *)x->data + (size_t)(i * n + i) * size, size);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_diag_part, "TfDiagPart", 1, 1, 1, infer_diag_part, run_diag_part)
