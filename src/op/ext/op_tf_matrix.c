/* Matrices [..., rows, columns]: MatrixInverse, MatrixDeterminant, LogMatrixDeterminant, MatrixSolve,
 * MatrixTriangularSolve, Cholesky, MatrixBandPart, MatrixDiag*, MatrixDiagPart*, MatrixSetDiag*.
 *
 * Source: tensorflow/core/kernels/linalg/{matrix_inverse,determinant,matrix_solve,matrix_triangular_solve,
 * cholesky,matrix_band_part,matrix_diag,matrix_set_diag}_op.cc. float32 and float64, in float64. */
#include "kernel/linalg.h"
#include "op/ext/tf_call.h"

#include <inttypes.h>
#include <math.h>

typedef struct stack {
    int64_t count, rows, columns;
} stack;

static uncork_status read_stack(uc_call *call, size_t i, bool square, stack *s)
{
    const uc_tensor *x = uc_call_arg(call, i);
    UC_TRY(uc_tf_want(call, i, UNCORK_DTYPE_NONE, -1));
    if (x->rank < 2) return uc_call_fail(call, UNCORK_INPUT, "input %zu is no matrix", i);
    *s = (stack){uc_tf_product(x->shape, 0, x->rank - 2), x->shape[x->rank - 2],
                 x->shape[x->rank - 1]};
    if (square && s->rows != s->columns)
        return uc_call_fail(call, UNCORK_INPUT, "Input matrix must be square");
    return UNCORK_OK;
}

static void load(const uc_tensor *x, int64_t base, int64_t rows, int64_t columns, bool turned,
                 double *to)
{
    for (int64_t i = 0; i < rows * columns; i++) {
        const int64_t r = i / columns, c = i % columns;
        to[turned ? c * rows + r : i] = uc_tf_at(x, base + i);
    }
}

static uncork_status infer(uc_call *call)
{
    UC_TRY(uc_call_expect_wide(call, 0));
    return uc_tf_infer_same(call);
}

/* ---- inverses and solutions -------------------------------------------------------------------- */

/* y [n, m] = a^-1 b, columns one by one. */
static bool solve(double *a, int64_t n, const double *b, int64_t m, double *y, int64_t *pivot,
                  double *column)
{
    if (n == 0) return true;
    if (uc_lu(a, n, pivot) == 0) return false;
    for (int64_t c = 0; c < m; c++) {
        for (int64_t r = 0; r < n; r++) {
            column[r] = b ? b[r * m + c] : r == c;
        }
        uc_lu_solve(a, pivot, n, column);
        for (int64_t r = 0; r < n; r++) {
            y[r * m + c] = column[r];
        }
    }
    return true;
}

static uncork_status solve_all(uc_call *call, bool inverse)
{
    const uc_tensor *x = uc_call_arg(call, 0), *b = inverse ? NULL : uc_call_arg(call, 1);
    const bool adjoint = uc_call_int(call, "adjoint", 0) != 0;
    stack s, t;
    UC_TRY(read_stack(call, 0, true, &s));
    t = s;
    if (b) UC_TRY(read_stack(call, 1, false, &t));
    if (t.rows != s.rows || t.count != s.count)
        return uc_call_fail(call, UNCORK_INPUT, "its matrices don't fit");
    uc_tensor *y = uc_call_out(call, 0);
    const size_t n = (size_t)s.rows, m = (size_t)t.columns;
    double *a = uc_call_scratch(call, n * n + 1, sizeof *a),
           *right = uc_call_scratch(call, n * m + 1, sizeof *right);
    double *out = uc_call_scratch(call, n * m + 1, sizeof *out),
           *column = uc_call_scratch(call, n + 1, sizeof *column);
    int64_t *pivot = uc_call_scratch(call, n + 1, sizeof *pivot);
    if (!y || !a || !right || !out || !column || !pivot) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < s.count; i++) {
        load(x, i * s.rows * s.rows, s.rows, s.rows, adjoint, a);
        if (b) load(b, i * s.rows * t.columns, s.rows, t.columns, false, right);
        if (!solve(a, s.rows, b ? right : NULL, t.columns, out, pivot, column))
            return uc_call_fail(call, UNCORK_INPUT, "Input matrix is not invertible.");
        for (int64_t k = 0; k < s.rows * t.columns; k++) {
            uc_tf_put(y->data, i * s.rows * t.columns + k, y->dtype, out[k]);
        }
    }
    return UNCORK_OK;
}

static uncork_status run_inverse(uc_call *call) { return solve_all(call, true); }
static uncork_status run_solve(uc_call *call) { return solve_all(call, false); }
static uncork_status infer_solve(uc_call *call)
{
    UC_TRY(uc_call_expect_wide(call, 0));
    return uc_call_shape_like(call, 0, 1, uc_call_dtype(call, 0));
}
UC_TF_ROW(tf_matrix_inverse, "TfMatrixInverse", 1, 1, 1, infer, run_inverse)
UC_TF_ROW(tf_matrix_solve, "TfMatrixSolve", 2, 2, 1, infer_solve, run_solve)

static uncork_status run_triangular(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    const bool adjoint = uc_call_int(call, "adjoint", 0) != 0;
    const bool lower = (uc_call_int(call, "lower", 1) != 0) != adjoint;
    stack s, t;
    UC_TRY(read_stack(call, 0, true, &s));
    UC_TRY(read_stack(call, 1, false, &t));
    if (t.rows != s.rows || t.count != s.count)
        return uc_call_fail(call, UNCORK_INPUT, "its matrices don't fit");
    uc_tensor *y = uc_call_out(call, 0);
    const int64_t n = s.rows;
    double *a = uc_call_scratch(call, (size_t)(n * n) + 1, sizeof *a),
           *v = uc_call_scratch(call, (size_t)n + 1, sizeof *v);
    if (!y || !a || !v) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < s.count; i++) {
        load(x, i * n * n, n, n, adjoint, a);
        for (int64_t c = 0; c < t.columns; c++) {
            for (int64_t k = 0; k < n; k++) {
                const int64_t r = lower ? k : n - 1 - k, at = (i * n + r) * t.columns + c;
                double sum = uc_tf_at(b, at);
                for (int64_t j = lower ? 0 : r + 1; j < (lower ? r : n); j++) {
                    sum -= a[r * n + j] * v[j];
                }
                if (a[r * n + r] == 0)
                    return uc_call_fail(call, UNCORK_INPUT, "Input matrix is not invertible.");
                v[r] = sum / a[r * n + r];
                uc_tf_put(y->data, at, y->dtype, v[r]);
            }
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_triangular_solve, "TfMatrixTriangularSolve", 2, 2, 1, infer_solve, run_triangular)

/* ---- determinants, Cholesky -------------------------------------------------------------------- */

static uncork_status infer_determinant(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_call_expect_wide(call, 0));
    for (size_t i = 0; i < 2; i++) {
        if (x->rank < 2)
            UC_TRY(uc_tf_infer_open(call, i, x->dtype, -1));
        else
            UC_TRY(uc_call_shape(call, i, x->dtype, x->rank - 2, x->shape));
    }
    return UNCORK_OK;
}

static uncork_status run_determinant(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const bool logs = strstr(call->op->name, "Log") != NULL;
    stack s;
    uc_tensor *y[2] = {NULL};
    UC_TRY(read_stack(call, 0, true, &s));
    const int64_t n = s.rows;
    double *a = uc_call_scratch(call, (size_t)(n * n) + 1, sizeof *a);
    int64_t *pivot = uc_call_scratch(call, (size_t)n + 1, sizeof *pivot);
    if (!a || !pivot) return uc_fail_memory(call->error);
    for (size_t i = 0; i < (logs ? 2 : 1); i++) {
        UC_TRY(uc_call_output(call, i, x->dtype, x->rank - 2, x->shape, &y[i]));
    }
    for (int64_t i = 0; i < s.count; i++) {
        load(x, i * n * n, n, n, false, a);
        double sign = n ? uc_lu(a, n, pivot) : 1, size = 0, whole = sign;
        for (int64_t k = 0; k < n && sign != 0; k++) {
            const double d = a[k * n + k];
            size += log(fabs(d));
            whole *= d;
            if (d < 0) sign = -sign;
        }
        uc_tf_put(y[0]->data, i, x->dtype, logs ? sign : whole);
        if (logs) uc_tf_put(y[1]->data, i, x->dtype, sign == 0 ? -(double)INFINITY : size);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_determinant, "TfMatrixDeterminant", 1, 1, 1, infer_determinant, run_determinant)
UC_TF_ROW(tf_log_determinant, "TfLogMatrixDeterminant", 1, 1, 2, infer_determinant, run_determinant)

static uncork_status run_cholesky(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    stack s;
    UC_TRY(read_stack(call, 0, true, &s));
    const int64_t n = s.rows;
    uc_tensor *y = uc_call_out(call, 0);
    double *a = uc_call_scratch(call, (size_t)(n * n) + 1, sizeof *a);
    if (!y || !a) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < s.count; i++) {
        load(x, i * n * n, n, n, false, a);
        if (n && !uc_cholesky(a, n))
            return uc_call_fail(
                call, UNCORK_INPUT,
                "Cholesky decomposition was not successful. The input might not be valid.");
        for (int64_t k = 0; k < n * n; k++) {
            uc_tf_put(y->data, i * n * n + k, y->dtype, k % n <= k / n ? a[k] : 0);
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_cholesky, "TfCholesky", 1, 1, 1, infer, run_cholesky)

/* ---- bands and diagonals ----------------------------------------------------------------------- */

static void copy(uc_tensor *y, int64_t to, const uc_tensor *x, int64_t from)
{
    const size_t size = uc_dtype_size(y->dtype);
    memcpy((char *)y->data + (size_t)to * size, (const char *)x->data + (size_t)from * size, size);
}

static uncork_status infer_any(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    return uc_tf_infer_same(call);
}

static uncork_status infer_band(uc_call *call)
{
    return uc_call_arg(call, 0)->dtype == UNCORK_BOOL ? uc_tf_infer_same(call) : infer_any(call);
}

static uncork_status run_band(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t low, high;
    stack s;
    UC_TRY(read_stack(call, 0, false, &s));
    UC_TRY(uc_tf_one_int(call, 1, &low));
    UC_TRY(uc_tf_one_int(call, 2, &high));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const int64_t c = i % s.columns, r = i / s.columns % s.rows;
        if ((low < 0 || r - c <= low) && (high < 0 || c - r <= high))
            copy(y, i, x, i);
        else
            uc_tf_put_int(y->data, i, y->dtype, 0);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_band_part, "TfMatrixBandPart", 3, 3, 1, infer_band, run_band)

/* Which diagonals, and how each lies in a row of the longest one's length. */
typedef struct diagonals {
    int64_t low, high, rows, columns, longest;
    bool super_left, sub_left; /* aligned to the left */
} diagonals;

static int64_t length_of(const diagonals *d, int64_t k)
{
    const int64_t r = d->rows + (k < 0 ? k : 0), c = d->columns - (k > 0 ? k : 0),
                  n = r < c ? r : c;
    return n > 0 ? n : 0;
}

/* Where element j of diagonal k stands within its row. */
static int64_t shift_of(const diagonals *d, int64_t k)
{
    const bool left = k == 0 || (k > 0 ? d->super_left : d->sub_left);
    return left && !(k == 0 && !d->super_left && !d->sub_left) ? 0 : d->longest - length_of(d, k);
}

static uncork_status read_range(uc_call *call, size_t i, diagonals *d)
{
    const uc_str align = uc_call_str(call, "align", "LEFT_LEFT");
    const bool third = strstr(call->op->name, "V3") != NULL;
    *d = (diagonals){.super_left = true, .sub_left = true};
    if (third) {
        d->super_left = align.size > 3 && align.data[0] == 'L';
        d->sub_left = align.size > 4 && memcmp(align.data + align.size - 4, "LEFT", 4) == 0;
    }
    if (i == 0) return UNCORK_OK;
    const uc_tensor *k = uc_call_arg(call, i);
    UC_TRY(uc_tf_want(call, i, UNCORK_DTYPE_NONE, -1));
    const int64_t n = uc_tensor_count(k);
    if (n < 1 || n > 2)
        return uc_call_fail(call, UNCORK_INPUT, "diag_index must be a scalar or two numbers");
    d->low = uc_tf_int_at(k, 0);
    d->high = uc_tf_int_at(k, n - 1);
    if (d->low > d->high || d->low < -INT32_MAX || d->high > INT32_MAX)
        return uc_call_fail(call, UNCORK_INPUT, "diagonals %" PRId64 " to %" PRId64, d->low,
                            d->high);
    return UNCORK_OK;
}

static void set_longest(diagonals *d)
{
    for (int64_t k = d->low; k <= d->high; k++) {
        if (length_of(d, k) > d->longest) d->longest = length_of(d, k);
    }
}

/* The place of matrix element (r, c) among the diagonals [count, longest], -1: on none. */
static int64_t place_of(const diagonals *d, int64_t r, int64_t c)
{
    const int64_t k = c - r;
    if (k < d->low || k > d->high) return -1;
    return (d->high - k) * d->longest + (k >= 0 ? r : c) + shift_of(d, k);
}

static uncork_status infer_diag(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    if (call->in_count == 1 && x->rank >= 1 && x->rank < UNCORK_MAX_RANK) {
        int64_t shape[UNCORK_MAX_RANK];
        memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
        shape[x->rank] = x->shape[x->rank - 1];
        return uc_call_shape(call, 0, x->dtype, x->rank + 1, shape);
    }
    return uc_tf_infer_open(call, 0, x->dtype, -1);
}

/* diagonal, k, rows, columns, padding. */
static uncork_status run_diag(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    const bool more = call->in_count > 1;
    diagonals d;
    int64_t shape[UNCORK_MAX_RANK];
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, -1));
    UC_TRY(read_range(call, more ? 1 : 0, &d));
    const bool several = d.low != d.high;
    if (x->rank < (several ? 2 : 1))
        return uc_call_fail(call, UNCORK_INPUT, "its diagonals have %d dimensions", x->rank);
    const int batch = x->rank - (several ? 2 : 1);
    d.longest = x->shape[x->rank - 1];
    if (several && x->shape[batch] != d.high - d.low + 1)
        return uc_call_fail(call, UNCORK_INPUT, "its diagonals don't fit");
    int64_t rows = -1, columns = -1;
    if (more) UC_TRY(uc_tf_one_int(call, 2, &rows));
    if (more) UC_TRY(uc_tf_one_int(call, 3, &columns));
    const int64_t least_rows = d.longest - (d.high < 0 ? d.high : 0),
                  least_columns = d.longest + (d.low > 0 ? d.low : 0);
    if (rows < 0 && columns < 0) {
        const int64_t n = least_rows > least_columns ? least_rows : least_columns;
        rows = columns = n;
    }
    if (rows < 0) rows = least_rows;
    if (columns < 0) columns = least_columns;
    if (rows < least_rows || columns < least_columns)
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " rows, %" PRId64 " columns are too few",
                            rows, columns);
    d.rows = rows;
    d.columns = columns;
    memcpy(shape, x->shape, (size_t)batch * sizeof *shape);
    shape[batch] = rows;
    shape[batch + 1] = columns;
    UC_TRY(uc_call_output(call, 0, x->dtype, batch + 2, shape, &y));
    const uc_tensor *pad = uc_call_in(call, 4);
    if (pad && (uc_tensor_count(pad) != 1 || pad->dtype != x->dtype))
        return uc_call_fail(call, UNCORK_INPUT, "its padding isn't one number");
    const int64_t each = (d.high - d.low + 1) * d.longest;
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        const int64_t place = place_of(&d, i / columns % rows, i % columns), b = i / columns / rows;
        if (place >= 0 && place < each)
            copy(y, i, x, b * each + place);
        else if (pad)
            copy(y, i, pad, 0);
        else
            uc_tf_put_int(y->data, i, y->dtype, 0);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_matrix_diag, "TfMatrixDiag", 1, 1, 1, infer_diag, run_diag)
UC_TF_ROW(tf_matrix_diag_v2, "TfMatrixDiagV2", 5, 5, 1, infer_diag, run_diag)
UC_TF_ROW(tf_matrix_diag_v3, "TfMatrixDiagV3", 5, 5, 1, infer_diag, run_diag)

static uncork_status infer_part(uc_call *call)
{
    UC_TRY(uc_call_expect(call, 0, UC_TYPES_NUMERIC));
    const uc_tensor *x = uc_call_arg(call, 0);
    return uc_tf_infer_open(call, 0, x->dtype,
                            call->in_count == 1 && x->rank >= 2 ? x->rank - 1 : -1);
}

static uncork_status run_part(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    diagonals d;
    stack s;
    int64_t shape[UNCORK_MAX_RANK];
    uc_tensor *y = NULL;
    UC_TRY(read_stack(call, 0, false, &s));
    UC_TRY(read_range(call, call->in_count > 1 ? 1 : 0, &d));
    d.rows = s.rows;
    d.columns = s.columns;
    if (d.low <= -s.rows || d.high >= s.columns) {
        if (s.rows && s.columns)
            return uc_call_fail(call, UNCORK_INPUT, "diagonals %" PRId64 " to %" PRId64, d.low,
                                d.high);
    }
    set_longest(&d);
    const int64_t lines = d.high - d.low + 1, each = lines * d.longest;
    int rank = x->rank - 2;
    memcpy(shape, x->shape, (size_t)rank * sizeof *shape);
    if (lines > 1) shape[rank++] = lines;
    shape[rank++] = d.longest;
    UC_TRY(uc_call_output(call, 0, x->dtype, rank, shape, &y));
    const uc_tensor *pad = uc_call_in(call, 2);
    if (pad && (uc_tensor_count(pad) != 1 || pad->dtype != x->dtype))
        return uc_call_fail(call, UNCORK_INPUT, "its padding isn't one number");
    for (int64_t i = 0; i < uc_tensor_count(y); i++) {
        const int64_t b = i / each, line = i % each / d.longest, k = d.high - line,
                      j = i % d.longest - shift_of(&d, k);
        const int64_t r = j + (k < 0 ? -k : 0), c = j + (k > 0 ? k : 0);
        if (j >= 0 && j < length_of(&d, k))
            copy(y, i, x, (b * s.rows + r) * s.columns + c);
        else if (pad)
            copy(y, i, pad, 0);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_matrix_part, "TfMatrixDiagPart", 1, 1, 1, infer_part, run_part)
UC_TF_ROW(tf_matrix_part_v2, "TfMatrixDiagPartV2", 3, 3, 1, infer_part, run_part)
UC_TF_ROW(tf_matrix_part_v3, "TfMatrixDiagPartV3", 3, 3, 1, infer_part, run_part)

/* x, diagonal, k. */
static uncork_status run_set(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *v = uc_call_arg(call, 1);
    diagonals d;
    stack s;
    UC_TRY(read_stack(call, 0, false, &s));
    UC_TRY(read_range(call, call->in_count > 2 ? 2 : 0, &d));
    d.rows = s.rows;
    d.columns = s.columns;
    set_longest(&d);
    const int64_t each = (d.high - d.low + 1) * d.longest;
    if (uc_tensor_count(v) != s.count * each || v->dtype != x->dtype)
        return uc_call_fail(call, UNCORK_INPUT, "its diagonals don't fit");
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < uc_tensor_count(x); i++) {
        const int64_t place = place_of(&d, i / s.columns % s.rows, i % s.columns);
        if (place >= 0)
            copy(y, i, v, i / s.columns / s.rows * each + place);
        else
            copy(y, i, x, i);
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_matrix_set, "TfMatrixSetDiag", 2, 2, 1, infer_any, run_set)
UC_TF_ROW(tf_matrix_set_v2, "TfMatrixSetDiagV2", 3, 3, 1, infer_any, run_set)
UC_TF_ROW(tf_matrix_set_v3, "TfMatrixSetDiagV3", 3, 3, 1, infer_any, run_set)
