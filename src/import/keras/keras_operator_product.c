/* Products, and what is of matrices. Sources: keras/src/backend/tensorflow/numpy.py, linalg.py, math.py;
 * tensorflow/python/ops/math_ops.py, linalg_ops.py. */
#include "import/keras/keras_operator.h"

#include <inttypes.h>
#include <stdio.h>

static uc_ref einsum_of(uc_k_call *c, const char *equation, const uc_ref *in, size_t n)
{
    uc_node *node = uc_graph_node(c->graph, "Einsum", in, n, 1);
    uc_node_str(c->graph, node, "equation", equation);
    return uc_node_out(node, 0);
}

static void einsum(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref in[16];
    (void)row;
    const uc_json *first = uc_json_get(c->layer->config, "subscripts");
    if (!first) first = uc_k_argument_json(c, 0, "subscripts");
    if (!first || first->kind != UC_JSON_STRING)
        first = uc_k_argument_json(c, SIZE_MAX, "equation");
    const uc_str s = uc_json_str(first, "");
    const char *equation = uc_arena_copy(c->graph->arena, s.data, s.size);
    if (!s.size || !equation || c->in_count > 16) {
        uc_k_fail(c, "it has no equation");
        return;
    }
    for (size_t i = 0; i < c->in_count; i++) {
        in[i] = uc_k_plain(c, c->in[i]);
    }
    uc_k_set(c, einsum_of(c, equation, in, c->in_count));
}

/* Both operands, of one type; false (and a failure) when there aren't two. */
static bool two(uc_k_call *c, uc_ref *a, uc_ref *b)
{
    *a = uc_k_first_operand(c);
    *b = uc_k_operand(c, 1, "x2", "b");
    if (!*b && c->in_count > 1) *b = uc_k_plain(c, c->in[1]);
    if (!*b) {
        uc_k_fail(c, "it needs two operands");
        return false;
    }
    uc_k_meet(c, a, b, false);
    return true;
}

static uc_ref swapped(uc_k_call *c, uc_ref x)
{
    int64_t perm[UNCORK_MAX_RANK];
    const int rank = uc_k_rank(c, x);
    if (rank < 2) return x;
    for (int i = 0; i < rank; i++) {
        perm[i] = i;
    }
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    return uc_k_transpose(c->graph, x, perm, (size_t)rank);
}

static void matmul(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref a, b;
    (void)row;
    if (!two(c, &a, &b)) return;
    if (uc_k_arg_bool(c, SIZE_MAX, "transpose_a", false)) a = swapped(c, a);
    if (uc_k_arg_bool(c, SIZE_MAX, "transpose_b", false)) b = swapped(c, b);
    uc_k_set(c, uc_g2(c->graph, "MatMul", a, b));
}

/* Sums over axes_a of a with axes_b of b; the letters of an einsum. */
static uc_ref contract(uc_k_call *c, uc_ref a, uc_ref b, const int64_t *axes_a,
                       const int64_t *axes_b, size_t n)
{
    char left[UNCORK_MAX_RANK + 1] = {0}, right[UNCORK_MAX_RANK + 1] = {0}, out[40] = {0}, text[80];
    const uc_ref in[] = {a, b};
    const int rank_a = uc_k_rank(c, a), rank_b = uc_k_rank(c, b);
    size_t at = 0;
    if (rank_a < 0 || rank_b < 0) return uc_k_fail(c, "its ranks aren't known");
    for (int i = 0; i < rank_a; i++) {
        left[i] = (char)('a' + i);
    }
    for (int i = 0; i < rank_b; i++) {
        right[i] = (char)('A' + i);
    }
    for (size_t i = 0; i < n; i++) {
        const int p = uc_k_axis(axes_a[i], rank_a), q = uc_k_axis(axes_b[i], rank_b);
        if (p < 0 || q < 0) return uc_k_fail(c, "its axes aren't those of its operands");
        right[q] = left[p];
    }
    for (int i = 0; i < rank_a; i++) {
        if (!strchr(right, left[i])) out[at++] = left[i];
    }
    for (int i = 0; i < rank_b; i++) {
        if (!strchr(left, right[i])) out[at++] = right[i];
    }
    (void)snprintf(text, sizeof text, "%s,%s->%s", left, right, out);
    return einsum_of(c, text, in, 2);
}

/* NumPy's dot and inner: over the last axis of a and the last but one ('d') or last of b. */
static void dot(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref a, b;
    const int64_t last = -1, before = -2;
    if (!two(c, &a, &b)) return;
    const int rank_a = uc_k_rank(c, a), rank_b = uc_k_rank(c, b);
    if (rank_a == 0 || rank_b == 0)
        uc_k_set(c, uc_g2(c->graph, "Mul", a, b));
    else
        uc_k_set(c, contract(c, a, b, &last, row->op[0] == 'd' && rank_b > 1 ? &before : &last, 1));
}

static void tensordot(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t axes_a[UNCORK_MAX_RANK], axes_b[UNCORK_MAX_RANK], flat[2];
    uc_ref a, b;
    (void)row;
    const uc_json *axes = uc_k_argument_json(c, 2, "axes");
    size_t n = 0, m = 0;
    if (!two(c, &a, &b)) return;
    if (axes && axes->kind == UC_JSON_ARRAY && axes->count == 2) {
        n = uc_k_list(axes->items[0], axes_a, UNCORK_MAX_RANK);
        m = uc_k_list(axes->items[1], axes_b, UNCORK_MAX_RANK);
    } else if (axes && axes->kind == UC_JSON_NUMBERS && uc_k_ints(axes, flat, 2)) {
        axes_a[0] = flat[0];
        axes_b[0] = flat[1];
        n = m = 1;
    } else {
        n = m = (size_t)uc_json_i64(axes, 2);
        for (size_t i = 0; i < n && n <= UNCORK_MAX_RANK; i++) {
            axes_a[i] = (int64_t)i - (int64_t)n;
            axes_b[i] = (int64_t)i;
        }
    }
    if (n != m || n > UNCORK_MAX_RANK)
        uc_k_fail(c, "its axes can't be read");
    else
        uc_k_set(c, contract(c, a, b, axes_a, axes_b, n));
}

/* Of both laid flat: op 'o' each with each, 'v' the sum of products. */
static void flat_product(uc_k_call *c, const uc_k_operator_row *row)
{
    const int64_t flat = -1;
    uc_ref in[2];
    if (!two(c, &in[0], &in[1])) return;
    in[0] = uc_g_reshape(c->graph, in[0], &flat, 1);
    in[1] = uc_g_reshape(c->graph, in[1], &flat, 1);
    uc_k_set(c, einsum_of(c, row->op[0] == 'o' ? "i,j->ij" : "i,i->", in, 2));
}

/* Kronecker's product of equal ranks. */
static void kron(uc_k_call *c, const uc_k_operator_row *row)
{
    int64_t shape[UNCORK_MAX_RANK];
    uc_ref in[2];
    (void)row;
    if (!two(c, &in[0], &in[1])) return;
    if (uc_k_rank(c, in[0]) != 2 || uc_k_rank(c, in[1]) != 2) {
        uc_k_fail(c, "operands that aren't matrices");
        return;
    }
    for (int i = 0; i < 2; i++) {
        shape[i] = uc_k_dim(c, in[0], i) * uc_k_dim(c, in[1], i);
        if (uc_k_dim(c, in[0], i) < 0 || uc_k_dim(c, in[1], i) < 0) shape[i] = -1;
    }
    uc_k_set(c, uc_g_reshape(c->graph, einsum_of(c, "ab,cd->acbd", in, 2), shape, 2));
}

static void cross(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref in[2];
    (void)row;
    if (!two(c, &in[0], &in[1])) return;
    if (uc_k_dim(c, in[0], -1) != 3 || uc_k_dim(c, in[1], -1) != 3)
        uc_k_fail(c, "vectors that don't have 3 parts");
    else
        uc_k_set(c, uc_k_node(c, "uncork.TfCross", in, 2));
}

/* Distances between the rows of two. */
static void distances(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref a, b;
    (void)row;
    uc_graph *g = c->graph;
    if (!two(c, &a, &b)) return;
    const uc_ref off = uc_g2(g, "Sub", uc_g_unsqueeze(g, a, -2), uc_g_unsqueeze(g, b, -3));
    uc_k_set(c, uc_g_reduce(g, "ReduceL2", off, -1, false));
}

/* ---- matrices -------------------------------------------------------------------------------- */

static void direct(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_k_set(c, uc_g1(c->graph, row->op, uc_k_first_operand(c)));
}

static void cholesky(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref y = uc_g1(c->graph, row->op, uc_k_first_operand(c));
    if (uc_k_arg_bool(c, 1, "upper", false)) y = swapped(c, y);
    uc_k_set(c, y);
}

static void solve(uc_k_call *c, const uc_k_operator_row *row)
{
    uc_ref in[] = {uc_k_arg_tensor(c, 0, "a"), uc_k_arg_tensor(c, 1, "b")};
    if (!in[0]) in[0] = uc_k_first_operand(c);
    if (!in[1]) in[1] = uc_k_arg_tensor(c, 1, "rhs");
    if (!in[1]) {
        uc_k_fail(c, "it needs two operands");
        return;
    }
    const bool vector = uc_k_rank(c, in[1]) == uc_k_rank(c, in[0]) - 1;
    if (vector) in[1] = uc_g_unsqueeze(c->graph, in[1], -1);
    uc_node *n = uc_graph_node(c->graph, row->op, in, 2, 1);
    if (strstr(row->op, "Triangular"))
        uc_node_int(c->graph, n, "lower", uc_k_arg_bool(c, 2, "lower", false));
    uc_k_set(c, vector ? uc_g_squeeze(c->graph, uc_node_out(n, 0), -1) : uc_node_out(n, 0));
}

/* The logarithm of the determinant; op "2": its sign before it. */
static void log_determinant(uc_k_call *c, const uc_k_operator_row *row)
{
    const uc_ref x = uc_k_first_operand(c);
    uc_node *n = uc_graph_node(c->graph, "uncork.TfLogMatrixDeterminant", &x, 1, 2);
    if (row->op[0] == '2') uc_k_give(c, uc_node_out(n, 0));
    uc_k_give(c, uc_node_out(n, 1));
}

static void band(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref in[] = {uc_k_first_operand(c),
                         uc_graph_i64(c->graph, uc_k_arg_int(c, 1, "num_lower", -1)),
                         uc_graph_i64(c->graph, uc_k_arg_int(c, 2, "num_upper", -1))};
    uc_k_set(c, uc_k_node(c, "uncork.TfMatrixBandPart", in, 3));
}

/* ---- Fourier --------------------------------------------------------------------------------- */

static void give_parts(uc_k_call *c, uc_ref z)
{
    uc_k_give(c, uc_g1(c->graph, "uncork.TfReal", z));
    uc_k_give(c, uc_g1(c->graph, "uncork.TfImag", z));
}

static uc_ref length_of(uc_k_call *c, uc_ref x, bool half)
{
    const int64_t own = uc_k_dim(c, x, -1),
                  n = uc_k_arg_int(c, 1, "fft_length", half ? 2 * (own - 1) : own);
    if (n < 1) return uc_k_fail(c, "its length isn't known");
    return uc_g_cast(c->graph, uc_graph_i64s(c->graph, &n, 1), UNCORK_INT32);
}

static void rfft(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    uc_graph *g = c->graph;
    uc_ref x = uc_k_first_operand(c);
    const int64_t own = uc_k_dim(c, x, -1), n = uc_k_arg_int(c, 1, "fft_length", own);
    const int rank = uc_k_rank(c, x);
    if (rank > 0 && own > 0 && own < n && n < INT32_MAX) { /* filled up with zeros */
        int64_t pads[2 * UNCORK_MAX_RANK] = {0};
        pads[2 * rank - 1] = n - own;
        const uc_ref padded[] = {x, uc_graph_i64s(g, pads, 2 * (int64_t)rank)};
        x = uc_k_node(c, "Pad", padded, 2);
    }
    const uc_ref in[] = {x, length_of(c, x, false)};
    if (in[1]) give_parts(c, uc_k_node(c, "uncork.TfRFFT", in, 2));
}

static uc_ref complex_of(uc_k_call *c)
{
    if (c->in_count < 2) return uc_k_fail(c, "it needs a real and an imaginary part");
    return uc_g2(c->graph, "uncork.TfComplex", uc_k_plain(c, c->in[0]), uc_k_plain(c, c->in[1]));
}

static void fft(uc_k_call *c, const uc_k_operator_row *row)
{
    const uc_ref z = complex_of(c);
    if (z) give_parts(c, uc_g1(c->graph, row->op, z));
}

static void irfft(uc_k_call *c, const uc_k_operator_row *row)
{
    (void)row;
    const uc_ref z = complex_of(c), in[] = {z, z ? length_of(c, z, true) : 0};
    if (in[1]) uc_k_set(c, uc_k_node(c, "uncork.TfIRFFT", in, 2));
}

/* clang-format off */
const uc_k_operator_row uc_k_product_rows[] = {
    {"Einsum", "", einsum}, {"einsum", "", einsum}, {"linalg.einsum", "", einsum}, {"Matmul", "", matmul}, {"linalg.matmul", "", matmul}, {"Dot", "d", dot}, {"Inner", "i", dot}, {"Tensordot", "", tensordot}, {"tensordot", "", tensordot}, {"linalg.tensordot", "", tensordot},
    {"Outer", "o", flat_product}, {"Vdot", "v", flat_product}, {"Kron", "", kron}, {"Cross", "", cross}, {"linalg.cross", "", cross}, {"CDist", "", distances},
    {"Inv", "uncork.TfMatrixInverse", direct}, {"linalg.inv", "uncork.TfMatrixInverse", direct}, {"Det", "uncork.TfMatrixDeterminant", direct}, {"linalg.det", "uncork.TfMatrixDeterminant", direct},
    {"linalg.diag", "uncork.TfMatrixDiag", direct}, {"Cholesky", "uncork.TfCholesky", cholesky}, {"linalg.cholesky", "uncork.TfCholesky", cholesky}, {"Solve", "uncork.TfMatrixSolve", solve}, {"linalg.solve", "uncork.TfMatrixSolve", solve},
    {"SolveTriangular", "uncork.TfMatrixTriangularSolve", solve}, {"Logdet", "", log_determinant}, {"Slogdet", "2", log_determinant}, {"linalg.band_part", "", band},
    {"RFFT", "", rfft}, {"FFT", "uncork.TfFFT", fft}, {"FFT2", "uncork.TfFFT2D", fft}, {"IFFT2", "uncork.TfIFFT2D", fft}, {"IRFFT", "", irfft},
    {NULL, NULL, NULL},
};
/* clang-format on */
