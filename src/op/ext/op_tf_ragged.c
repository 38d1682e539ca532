/* Sparse and ragged tensors: SparseToDense, SparseTensorDenseMatMul, SparseReshape, SparseReorder,
 * SparseFillEmptyRows, SparseReduceSum, RaggedTensorToTensor, RaggedTensorToSparse, RaggedRange, RaggedGather,
 * SparseTensorDenseAdd, SparseDenseCwise*.
 *
 * Source: tensorflow/core/kernels/{sparse_to_dense_op,sparse_tensor_dense_matmul_op,reshape_util,
 * sparse_reorder_op,sparse_fill_empty_rows_op,sparse_reduce_op,ragged_tensor_to_tensor_op,
 * ragged_tensor_to_sparse_kernel,ragged_range_op,ragged_gather_op,sparse_dense_binary_op_shared}.cc. */
#include "op/ext/tf_call.h"
#include "op/move.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- places: element i of the output is element from[i] of input 0, -1: the one of input 1 -------- */

typedef struct picks {
    const int64_t *from;
    int64_t count, each; /* numbers that move together; the default is one of them, or all */
    int64_t defaults;
} picks;

static void move_picks(const void *context, void *to, const void *const *from, size_t size)
{
    const picks *p = context;
    for (int64_t i = 0; i < p->count; i++) {
        for (int64_t k = 0; k < p->each; k++) {
            const int64_t at = p->from[i];
            const char *source =
                at >= 0 ? (const char *)from[0] + (size_t)(at * p->each + k) * size
                        : (const char *)from[1] + (size_t)(p->defaults == 1 ? 0 : k) * size;
            memcpy((char *)to + (size_t)(i * p->each + k) * size, source, size);
        }
    }
}

static uncork_status give_picks(uc_call *call, size_t out, const uc_tensor *x,
                                const uc_tensor *otherwise, const picks *p, int rank,
                                const int64_t *shape)
{
    const uc_tensor *in[] = {x, otherwise ? otherwise : x};
    uc_tensor *y = NULL;
    if (!uc_call_wants(call, out)) return UNCORK_OK;
    if (otherwise && otherwise->dtype != x->dtype)
        return uc_call_fail(call, UNCORK_INPUT, "its default is of another type");
    UC_TRY(uc_call_output(call, out, x->dtype, rank, shape, &y));
    return uc_move(call, out, in, otherwise ? 2 : 1, move_picks, p);
}

static int64_t *room(uc_call *call, int64_t n, int64_t fill)
{
    int64_t *p =
        n >= 0 && n < INT64_MAX / 16 ? uc_call_scratch(call, (size_t)n + 1, sizeof *p) : NULL;
    for (int64_t i = 0; p && i < n; i++) {
        p[i] = fill;
    }
    if (!p) uc_fail_memory(call->error);
    return p;
}

/* A shape that is an input, bounded. */
static uncork_status read_shape(uc_call *call, size_t i, int64_t *shape, int *rank, int64_t *count)
{
    size_t n = 0, all = 0;
    UC_TRY(uc_call_small_ints(call, i, shape, &n));
    *rank = (int)n;
    for (size_t d = 0; d < n; d++) {
        if (shape[d] < 0)
            return uc_call_fail(call, UNCORK_INPUT, "dimension %zu is %" PRId64, d, shape[d]);
    }
    if (!uc_shape_count(shape, *rank, &all) || !uc_shape_is_sane(UNCORK_INT64, *rank, shape))
        return uc_call_fail(call, UNCORK_LIMIT, "a shape of too many elements");
    *count = (int64_t)all;
    return UNCORK_OK;
}

/* Row r of indices [n, rank] as one place. */
static uncork_status place_of(uc_call *call, const uc_tensor *at, int64_t r, int rank,
                              const int64_t *shape, int64_t *place)
{
    *place = 0;
    for (int d = 0; d < rank; d++) {
        const int64_t v = uc_tf_int_at(at, r * rank + d);
        if (v < 0 || v >= shape[d])
            return uc_call_fail(call, UNCORK_INPUT, "index %" PRId64 " of dimension %d of %" PRId64,
                                v, d, shape[d]);
        *place = *place * shape[d] + v;
    }
    return UNCORK_OK;
}

/* ---- sparse ---------------------------------------------------------------------------------- */

static uncork_status infer_to_dense(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK], count;
    int rank;
    const uc_tensor *s = uc_call_arg(call, 1);
    const int known =
        s->rank == 1 && s->shape[0] >= 0 && s->shape[0] <= UNCORK_MAX_RANK ? (int)s->shape[0] : -1;
    if (!uc_call_known(call, 1)) return uc_tf_infer_open(call, 0, uc_call_dtype(call, 2), known);
    UC_TRY(read_shape(call, 1, shape, &rank, &count));
    return uc_call_shape(call, 0, uc_call_dtype(call, 2), rank, shape);
}

static uncork_status run_to_dense(uc_call *call)
{
    const uc_tensor *at = uc_call_arg(call, 0), *v = uc_call_arg(call, 2),
                    *otherwise = uc_call_arg(call, 3);
    int64_t shape[UNCORK_MAX_RANK], count;
    int rank;
    UC_TRY(read_shape(call, 1, shape, &rank, &count));
    const int64_t n = at->rank >= 1 ? at->shape[0] : 1;
    if (uc_tensor_count(at) != n * rank || (uc_tensor_count(v) != n && uc_tensor_count(v) != 1))
        return uc_call_fail(call, UNCORK_INPUT, "its values don't fit the indices");
    int64_t *from = room(call, count, -1);
    if (!from) return call->error->status;
    for (int64_t i = 0; i < n; i++) {
        int64_t place;
        UC_TRY(place_of(call, at, i, rank, shape, &place));
        from[place] = uc_tensor_count(v) == n ? i : 0;
    }
    const picks p = {from, count, 1, 1};
    return give_picks(call, 0, v, otherwise, &p, rank, shape);
}
UC_TF_ROW(tf_sparse_to_dense, "TfSparseToDense", 4, 4, 1, infer_to_dense, run_to_dense)

static uncork_status infer_matmul(uc_call *call)
{
    const uc_tensor *b = uc_call_arg(call, 3);
    const bool turned = uc_call_int(call, "adjoint_b", 0) != 0;
    const int64_t shape[] = {UC_DIM_UNKNOWN,
                             b->rank == 2 ? b->shape[turned ? 0 : 1] : UC_DIM_UNKNOWN};
    return uc_call_shape(call, 0, b->dtype, 2, shape);
}

static uncork_status run_matmul(uc_call *call)
{
    const uc_tensor *at = uc_call_arg(call, 0), *v = uc_call_arg(call, 1),
                    *b = uc_call_arg(call, 3);
    const bool ta = uc_call_int(call, "adjoint_a", 0) != 0,
               tb = uc_call_int(call, "adjoint_b", 0) != 0;
    int64_t shape[UNCORK_MAX_RANK], count;
    int rank;
    uc_tensor *y = NULL;
    UC_TRY(read_shape(call, 2, shape, &rank, &count));
    UC_TRY(uc_tf_want(call, 3, UNCORK_DTYPE_NONE, 2));
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 2));
    const int64_t inner = b->shape[tb ? 1 : 0], columns = b->shape[tb ? 0 : 1];
    if (rank != 2 || at->shape[1] != 2 || uc_tensor_count(v) != at->shape[0] ||
        shape[ta ? 0 : 1] != inner)
        return uc_call_fail(call, UNCORK_INPUT, "its matrices don't fit");
    const int64_t out[] = {shape[ta ? 1 : 0], columns};
    UC_TRY(uc_call_output(call, 0, b->dtype, 2, out, &y));
    double *sum = uc_call_scratch(call, (size_t)(out[0] * columns) + 1, sizeof *sum);
    if (!sum) return uc_fail_memory(call->error);
    memset(sum, 0, ((size_t)(out[0] * columns) + 1) * sizeof *sum);
    for (int64_t i = 0; i < at->shape[0]; i++) {
        int64_t place;
        UC_TRY(place_of(call, at, i, 2, shape, &place));
        const int64_t r = ta ? place % shape[1] : place / shape[1],
                      k = ta ? place / shape[1] : place % shape[1];
        for (int64_t c = 0; c < columns; c++) {
            sum[r * columns + c] +=
                uc_tf_at(v, i) * uc_tf_at(b, tb ? c * inner + k : k * columns + c);
        }
    }
    for (int64_t i = 0; i < out[0] * columns; i++) {
        uc_tf_put(y->data, i, y->dtype, sum[i]);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_sparse_matmul, "TfSparseTensorDenseMatMul", 4, 4, 1, infer_matmul, run_matmul)

static uncork_status infer_reshape(uc_call *call)
{
    const uc_tensor *s = uc_call_arg(call, 2), *at = uc_call_arg(call, 0);
    const int64_t rows[] = {at->rank == 2 ? at->shape[0] : UC_DIM_UNKNOWN,
                            s->rank == 1 ? s->shape[0] : UC_DIM_UNKNOWN};
    UC_TRY(uc_call_shape(call, 0, UNCORK_INT64, 2, rows));
    return uc_call_shape(call, 1, UNCORK_INT64, 1, rows + 1);
}

static uncork_status run_reshape(uc_call *call)
{
    const uc_tensor *at = uc_call_arg(call, 0);
    int64_t old[UNCORK_MAX_RANK], to[UNCORK_MAX_RANK], count, known = 1, place;
    int rank, open = -1;
    size_t n = 0;
    uc_tf_numbers rows = {.call = call}, shape = {.call = call};
    UC_TRY(read_shape(call, 1, old, &rank, &count));
    UC_TRY(uc_call_small_ints(call, 2, to, &n));
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 2));
    for (size_t d = 0; d < n; d++) {
        if (to[d] < 0) open = (int)d;
        if (to[d] >= 0 && __builtin_mul_overflow(known, to[d], &known))
            return uc_call_fail(call, UNCORK_INPUT, "a shape too large");
    }
    if (open >= 0) to[open] = known ? count / known : 0;
    if (known * (open >= 0 ? to[open] : 1) != count || at->shape[1] != rank)
        return uc_call_fail(call, UNCORK_INPUT, "its shapes don't fit");
    for (int64_t i = 0; i < at->shape[0]; i++) {
        UC_TRY(place_of(call, at, i, rank, old, &place));
        int64_t left = count;
        for (size_t d = 0; d < n; d++) {
            left /= to[d];
            uc_tf_numbers_add(&rows, place / left);
            place %= left;
        }
    }
    for (size_t d = 0; d < n; d++) {
        uc_tf_numbers_add(&shape, to[d]);
    }
    const int64_t wide[] = {at->shape[0], (int64_t)n};
    UC_TRY(uc_tf_numbers_give(&rows, 0, UNCORK_INT64, 2, wide));
    return uc_tf_numbers_give(&shape, 1, UNCORK_INT64, 1, wide + 1);
}
UC_TF_ROW(tf_sparse_reshape, "TfSparseReshape", 3, 3, 2, infer_reshape, run_reshape)

typedef struct keyed {
    int64_t key, row;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *p = a, *q = b;
    if (p->key != q->key) return p->key < q->key ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

static uncork_status infer_reorder(uc_call *call)
{
    UC_TRY(uc_call_shape_like(call, 0, 0, UNCORK_INT64));
    return uc_call_shape_like(call, 1, 1, uc_call_dtype(call, 1));
}

static uncork_status run_reorder(uc_call *call)
{
    const uc_tensor *at = uc_call_arg(call, 0), *v = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK], count;
    int rank;
    UC_TRY(read_shape(call, 2, shape, &rank, &count));
    UC_TRY(uc_tf_want(call, 0, UNCORK_INT64, 2));
    const int64_t n = at->shape[0];
    if (at->shape[1] != rank || uc_tensor_count(v) != n)
        return uc_call_fail(call, UNCORK_INPUT, "its values don't fit the indices");
    keyed *k = uc_call_scratch(call, (size_t)n + 1, sizeof *k);
    int64_t *from = room(call, n, 0);
    if (!k || !from) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < n; i++) {
        k[i].row = i;
        UC_TRY(place_of(call, at, i, rank, shape, &k[i].key));
    }
    qsort(k, (size_t)n, sizeof *k, by_key);
    for (int64_t i = 0; i < n; i++) {
        from[i] = k[i].row;
    }
    const picks rows = {from, n, rank, 1}, values = {from, n, 1, 1};
    UC_TRY(give_picks(call, 0, at, NULL, &rows, 2, at->shape));
    return give_picks(call, 1, v, NULL, &values, 1, &n);
}
UC_TF_ROW(tf_sparse_reorder, "TfSparseReorder", 3, 3, 2, infer_reorder, run_reorder)

static uncork_status infer_fill(uc_call *call)
{
    const uc_tensor *at = uc_call_arg(call, 0);
    const int64_t rows[] = {UC_DIM_UNKNOWN, at->rank == 2 ? at->shape[1] : UC_DIM_UNKNOWN};
    UC_TRY(uc_call_shape(call, 0, UNCORK_INT64, 2, rows));
    UC_TRY(uc_call_shape(call, 1, uc_call_dtype(call, 1), 1, rows));
    UC_TRY(uc_call_shape(call, 2, UNCORK_BOOL, 1, rows));
    return uc_call_shape(call, 3, UNCORK_INT64, 1, rows);
}

/* Rows without a value get the default in column 0. */
static uncork_status run_fill(uc_call *call)
{
    const uc_tensor *at = uc_call_arg(call, 0), *v = uc_call_arg(call, 1),
                    *otherwise = uc_call_arg(call, 3);
    int64_t shape[UNCORK_MAX_RANK], count;
    int rank;
    uc_tf_numbers rows = {.call = call}, from = {.call = call}, empty = {.call = call},
                  back = {.call = call};
    UC_TRY(read_shape(call, 2, shape, &rank, &count));
    UC_TRY(uc_tf_want(call, 0, UNCORK_INT64, 2));
    const int64_t n = at->shape[0];
    if (rank < 1 || at->shape[1] != rank || uc_tensor_count(v) != n)
        return uc_call_fail(call, UNCORK_INPUT, "its values don't fit the indices");
    int64_t *filled = room(call, n, 0), *has = room(call, shape[0], 0);
    if (!filled || !has) return call->error->status;
    for (int64_t i = 0; i < n; i++) {
        const int64_t r = uc_tf_int_at(at, i * rank);
        if (r < 0 || r >= shape[0])
            return uc_call_fail(call, UNCORK_INPUT, "row %" PRId64 " of %" PRId64, r, shape[0]);
        has[r]++;
    }
    for (int64_t r = 0; r < shape[0]; r++) {
        uc_tf_numbers_add(&empty, !has[r]);
        for (int64_t i = 0; has[r] && i < n; i++) {
            if (uc_tf_int_at(at, i * rank) != r) continue;
            filled[i] = (int64_t)from.count;
            uc_tf_numbers_add(&from, i);
            for (int d = 0; d < rank; d++) {
                uc_tf_numbers_add(&rows, uc_tf_int_at(at, i * rank + d));
            }
        }
        if (has[r]) continue;
        uc_tf_numbers_add(&from, -1);
        for (int d = 0; d < rank; d++) {
            uc_tf_numbers_add(&rows, d ? 0 : r);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        uc_tf_numbers_add(&back, filled[i]);
    }
    if (from.failed) return uc_arena_status(call->arena, call->error);
    const int64_t wide[] = {(int64_t)from.count, rank};
    const picks p = {from.items, wide[0], 1, 1};
    UC_TRY(uc_tf_numbers_give(&rows, 0, UNCORK_INT64, 2, wide));
    UC_TRY(give_picks(call, 1, v, otherwise, &p, 1, wide));
    UC_TRY(uc_tf_numbers_give(&empty, 2, UNCORK_BOOL, 1, shape));
    return uc_tf_numbers_give(&back, 3, UNCORK_INT64, 1, &n);
}
UC_TF_ROW(tf_sparse_fill_empty, "TfSparseFillEmptyRows", 4, 4, 4, infer_fill, run_fill)

/* ---- ragged to dense ------------------------------------------------------------------------- */

static uncork_status infer_to_tensor(uc_call *call)
{
    const uc_tensor *s = uc_call_arg(call, 0), *v = uc_call_arg(call, 1);
    int64_t shape[UNCORK_MAX_RANK];
    size_t n = 0;
    if (uc_call_known(call, 0) && s->rank == 1) {
        UC_TRY(uc_call_small_ints(call, 0, shape, &n));
        for (size_t d = 0; d < n; d++) {
            if (shape[d] < 0) shape[d] = UC_DIM_UNKNOWN;
        }
        return uc_call_shape(call, 0, v->dtype, (int)n, shape);
    }
    const int partitions = (int)call->in_count - 3;
    return uc_tf_infer_open(call, 0, v->dtype, v->rank < 0 ? -1 : v->rank + partitions);
}

/* The rows of one level: splits, and how many there are. */
static uncork_status read_level(uc_call *call, const uc_tensor *t, uc_str kind, int64_t rows,
                                int64_t below, int64_t **splits)
{
    const int64_t n = uc_tensor_count(t);
    if (uc_str_is(kind, "ROW_SPLITS")) {
        *splits = uc_tf_ints_of(call, t);
        if (!*splits) return uc_fail_memory(call->error);
        bool good = n == rows + 1 && (*splits)[0] == 0;
        for (int64_t i = 1; good && i < n; i++) {
            good = (*splits)[i] >= (*splits)[i - 1];
        }
        return good ? UNCORK_OK : uc_call_fail(call, UNCORK_INPUT, "its row splits don't fit");
    }
    (void)below;
    *splits = room(call, rows + 1, 0);
    if (!*splits) return call->error->status;
    int64_t before = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t r = uc_tf_int_at(t, i);
        if (r < before || r >= rows)
            return uc_call_fail(call, UNCORK_INPUT, "row id %" PRId64 " of %" PRId64 " rows", r,
                                rows);
        before = r;
        (*splits)[r + 1]++;
    }
    for (int64_t r = 0; r < rows; r++) {
        (*splits)[r + 1] += (*splits)[r];
    }
    return UNCORK_OK;
}

typedef struct levels {
    int64_t *splits[UNCORK_MAX_RANK], rows[UNCORK_MAX_RANK];
    int count;
} levels;

static uncork_status read_levels(uc_call *call, levels *l)
{
    const uc_attr *kinds = uc_call_attr(call, "row_partition_types");
    const size_t n = call->in_count - 3;
    if (!kinds || kinds->kind != UC_ATTR_STRINGS || kinds->count != n || n < 1 ||
        n >= UNCORK_MAX_RANK)
        return uc_call_fail(call, UNCORK_MALFORMED, "its partitions aren't named");
    size_t i = 0;
    int64_t rows = 0;
    if (uc_str_is(kinds->strings[0], "FIRST_DIM_SIZE")) {
        UC_TRY(uc_tf_one_int(call, 3, &rows));
        i = 1;
    } else {
        rows = uc_tensor_count(uc_call_arg(call, 3)) - 1;
    }
    for (; i < n; i++) {
        const uc_tensor *t = uc_call_arg(call, 3 + i);
        if (rows < 0 || rows > INT32_MAX)
            return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " rows", rows);
        UC_TRY(read_level(call, t, kinds->strings[i], rows, 0, &l->splits[l->count]));
        l->rows[l->count] = rows;
        rows = l->splits[l->count][rows];
        l->count++;
    }
    return UNCORK_OK;
}

/* Copies row `row` of a level to its place in the dense tensor. */
static void lay(const levels *l, int level, int64_t row, const int64_t *shape, int64_t place,
                int64_t *from)
{
    const int64_t begin = l->splits[level][row], end = l->splits[level][row + 1],
                  width = shape[level + 1];
    for (int64_t i = begin; i < end && i - begin < width; i++) {
        if (level + 1 < l->count)
            lay(l, level + 1, i, shape, place * width + i - begin, from);
        else
            from[place * width + i - begin] = i;
    }
}

static uncork_status run_to_tensor(uc_call *call)
{
    const uc_tensor *v = uc_call_arg(call, 1), *otherwise = uc_call_arg(call, 2);
    int64_t wanted[UNCORK_MAX_RANK], shape[UNCORK_MAX_RANK];
    size_t n = 0;
    levels l = {.count = 0};
    UC_TRY(read_levels(call, &l));
    if (uc_call_arg(call, 0)->rank == 1) UC_TRY(uc_call_small_ints(call, 0, wanted, &n));
    const int rank = l.count + v->rank;
    if (rank > UNCORK_MAX_RANK || (n && n != (size_t)rank) || l.count < 1 || v->rank < 1)
        return uc_call_fail(call, UNCORK_INPUT, "its shape doesn't fit");
    shape[0] = l.rows[0];
    for (int k = 0; k < l.count; k++) {
        shape[k + 1] = 0;
        for (int64_t r = 0; r < l.rows[k]; r++) {
            const int64_t width = l.splits[k][r + 1] - l.splits[k][r];
            if (width > shape[k + 1]) shape[k + 1] = width;
        }
    }
    memcpy(shape + l.count + 1, v->shape + 1, (size_t)(v->rank - 1) * sizeof *shape);
    for (size_t d = 0; d < n && d <= (size_t)l.count; d++) {
        if (wanted[d] >= 0) shape[d] = wanted[d];
    }
    if (l.splits[l.count - 1][l.rows[l.count - 1]] > v->shape[0])
        return uc_call_fail(call, UNCORK_INPUT, "its values don't fit the partitions");
    if (!uc_shape_is_sane(UNCORK_INT64, rank, shape))
        return uc_call_fail(call, UNCORK_LIMIT, "a shape of too many elements");
    const int64_t cells = uc_tf_product(shape, 0, l.count + 1),
                  each = uc_tf_product(v->shape, 1, v->rank);
    int64_t *from = room(call, cells, -1);
    if (!from) return call->error->status;
    for (int64_t r = 0; r < l.rows[0] && r < shape[0]; r++) {
        lay(&l, 0, r, shape, r, from);
    }
    const picks p = {from, cells, each, uc_tensor_count(otherwise)};
    if (p.defaults != 1 && p.defaults != each)
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "a default of that shape");
    return give_picks(call, 0, v, otherwise, &p, rank, shape);
}
UC_TF_ROW(tf_ragged_to_tensor, "TfRaggedTensorToTensor", 4, -1, 1, infer_to_tensor, run_to_tensor)

/* ---- ragged otherwise ------------------------------------------------------------------------ */

static uncork_status infer_range(uc_call *call)
{
    UC_TRY(uc_tf_infer_open(call, 0, uc_tf_type_of(call, "Tsplits", UNCORK_INT64), 1));
    return uc_tf_infer_open(call, 1, uc_call_dtype(call, 0), 1);
}

static uncork_status run_range(uc_call *call)
{
    const uc_tensor *t[3];
    int64_t n = 1, total = 0;
    uc_tf_numbers splits = {.call = call};
    uc_tensor *y = NULL;
    for (size_t k = 0; k < 3; k++) {
        UC_TRY(uc_tf_want(call, k, UNCORK_DTYPE_NONE, -1));
        t[k] = uc_call_arg(call, k);
        if (t[k]->rank == 1) n = t[k]->shape[0];
    }
    uc_tf_numbers_add(&splits, 0);
    for (int pass = 0; pass < 2; pass++) {
        if (pass && uc_call_wants(call, 1))
            UC_TRY(uc_call_output(call, 1, t[0]->dtype, 1, &total, &y));
        int64_t at = 0;
        for (int64_t i = 0; i < n; i++) {
            double v[3];
            for (int k = 0; k < 3; k++) {
                if (t[k]->rank == 1 && t[k]->shape[0] != n)
                    return uc_call_fail(call, UNCORK_INPUT,
                                        "starts, limits, and deltas must have the same shape");
                v[k] = uc_tf_at(t[k], t[k]->rank == 1 ? i : 0);
            }
            const double size = ceil((v[1] - v[0]) / v[2]);
            if (v[2] == 0 || size > 1e9)
                return uc_call_fail(call, UNCORK_INPUT, "Requires delta != 0");
            for (double k = 0; pass && y && k < size; k++) {
                uc_tf_put(y->data, at++, y->dtype, v[0] + k * v[2]);
            }
            if (pass == 0 && size > 0) total += (int64_t)size;
            if (pass == 0) uc_tf_numbers_add(&splits, total);
            if (total > INT32_MAX) return uc_call_fail(call, UNCORK_LIMIT, "too many numbers");
        }
    }
    const int64_t m = n + 1;
    return uc_tf_numbers_give(&splits, 0, uc_tf_type_of(call, "Tsplits", UNCORK_INT64), 1, &m);
}
UC_TF_ROW(tf_ragged_range, "TfRaggedRange", 3, 3, 2, infer_range, run_range)

static uncork_status infer_to_sparse(uc_call *call)
{
    const int64_t rows[] = {UC_DIM_UNKNOWN, 2}, two[] = {2};
    UC_TRY(uc_call_shape(call, 0, UNCORK_INT64, 2, rows));
    UC_TRY(uc_tf_infer_open(call, 1, uc_call_dtype(call, 1), 1));
    return uc_call_shape(call, 2, UNCORK_INT64, 1, two);
}

/* One level of rows of numbers. */
static uncork_status run_to_sparse(uc_call *call)
{
    const uc_tensor *s = uc_call_arg(call, 0), *v = uc_call_arg(call, 1);
    uc_tf_numbers at = {.call = call}, shape = {.call = call}, from = {.call = call};
    int64_t widest = 0, *splits = NULL;
    if (call->in_count != 2 || v->rank != 1 || s->rank != 1 || s->shape[0] < 1)
        return uc_call_fail(call, UNCORK_UNSUPPORTED,
                            "only one level of rows of numbers is supported");
    UC_TRY(read_level(call, s, uc_str_of("ROW_SPLITS"), s->shape[0] - 1, 0, &splits));
    if (splits[s->shape[0] - 1] > v->shape[0])
        return uc_call_fail(call, UNCORK_INPUT, "its values don't fit the splits");
    for (int64_t r = 0; r + 1 < s->shape[0]; r++) {
        for (int64_t i = splits[r]; i < splits[r + 1]; i++) {
            uc_tf_numbers_add(&at, r);
            uc_tf_numbers_add(&at, i - splits[r]);
            uc_tf_numbers_add(&from, i);
        }
        if (splits[r + 1] - splits[r] > widest) widest = splits[r + 1] - splits[r];
    }
    uc_tf_numbers_add(&shape, s->shape[0] - 1);
    uc_tf_numbers_add(&shape, widest);
    const int64_t rows[] = {(int64_t)from.count, 2}, two = 2;
    const picks p = {from.items, rows[0], 1, 1};
    if (from.failed) return uc_arena_status(call->arena, call->error);
    UC_TRY(uc_tf_numbers_give(&at, 0, UNCORK_INT64, 2, rows));
    UC_TRY(give_picks(call, 1, v, NULL, &p, 1, rows));
    return uc_tf_numbers_give(&shape, 2, UNCORK_INT64, 1, &two);
}
UC_TF_ROW(tf_ragged_to_sparse, "TfRaggedTensorToSparse", 2, -1, 3, infer_to_sparse, run_to_sparse)

static uncork_status infer_ragged_gather(uc_call *call)
{
    const uc_tensor *v = uc_call_arg(call, 1);
    UC_TRY(uc_tf_infer_open(call, 0, uc_call_dtype(call, 0), 1));
    return uc_tf_infer_open(call, 1, v->dtype, v->rank);
}

static uncork_status run_ragged_gather(uc_call *call)
{
    const uc_tensor *s = uc_call_arg(call, 0), *v = uc_call_arg(call, 1),
                    *at = uc_call_arg(call, 2);
    uc_tf_numbers ends = {.call = call}, from = {.call = call};
    int64_t *splits = NULL, shape[UNCORK_MAX_RANK];
    if (call->in_count != 3 || at->rank != 1 || s->rank != 1 || s->shape[0] < 1 || v->rank < 1)
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "only one level of rows is supported");
    UC_TRY(read_level(call, s, uc_str_of("ROW_SPLITS"), s->shape[0] - 1, 0, &splits));
    if (splits[s->shape[0] - 1] > v->shape[0])
        return uc_call_fail(call, UNCORK_INPUT, "its values don't fit the splits");
    uc_tf_numbers_add(&ends, 0);
    for (int64_t i = 0; i < at->shape[0]; i++) {
        const int64_t r = uc_tf_int_at(at, i);
        if (r < 0 || r + 1 >= s->shape[0])
            return uc_call_fail(call, UNCORK_INPUT, "row %" PRId64, r);
        for (int64_t k = splits[r]; k < splits[r + 1]; k++) {
            uc_tf_numbers_add(&from, k);
        }
        uc_tf_numbers_add(&ends, (int64_t)from.count);
    }
    if (from.failed) return uc_arena_status(call->arena, call->error);
    memcpy(shape, v->shape, (size_t)v->rank * sizeof *shape);
    shape[0] = (int64_t)from.count;
    const picks p = {from.items, shape[0], uc_tf_product(v->shape, 1, v->rank), 1};
    const int64_t m = at->shape[0] + 1;
    UC_TRY(uc_tf_numbers_give(&ends, 0, s->dtype, 1, &m));
    return give_picks(call, 1, v, NULL, &p, v->rank, shape);
}
UC_TF_ROW(tf_ragged_gather, "TfRaggedGather", 3, -1, 2, infer_ragged_gather, run_ragged_gather)
