/* Sums, maxima, orders along axes. */
#include "import/pytorch/aten.h"

#include <math.h>

static uc_ref self(uc_aten_call *c) { return uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE); }

/* Axes of `dim`: none means all, a scalar has none to name. */
static size_t axes(uc_aten_call *c, uc_ref x, int64_t *out)
{
    const int n = uc_aten_ints(c, "dim", out, UC_PY_RANK, 0);
    if (uc_t_rank(c->b, x) == 0) return 0;
    return (size_t)n;
}

static uc_ref reduce(uc_aten_call *c, const char *op, uc_ref x)
{
    int64_t dims[UC_PY_RANK];
    const size_t n = axes(c, x, dims);
    return uc_t_reduce(c->b, op, x, dims, n, uc_aten_bool(c, "keepdim", false));
}

/* Integers and booleans add up in int64. */
void uc_aten_sum(uc_aten_call *c)
{
    uc_ref x = self(c);
    uncork_dtype t = uc_t_dtype(c->b, x);
    uncork_dtype to = uc_dtype_is_float(t) ? t : UNCORK_INT64;
    if (strcmp(c->with, "ReduceMean") == 0) to = t;
    to = uc_aten_dtype(c, "dtype", to);
    if (t != to) x = uc_t_cast(c->b, x, to);
    if (strcmp(c->name, "nansum") == 0)
        x = uc_g_where(c->g, uc_g1(c->g, "IsNaN", x), uc_t_scalar(c->b, x, 0), x);
    const uc_ref y = reduce(c, c->with, x);
    const uc_pv v = c->args[0];
    if (v.kind == UC_PV_TENSOR && v.tensor->quant)
        uc_aten_requantise(c, y, v.tensor->quant);
    else
        uc_aten_out(c, y);
}

void uc_aten_any(uc_aten_call *c)
{
    uc_ref x = self(c);
    if (uc_t_dtype(c->b, x) != UNCORK_BOOL) x = uc_t_cast(c->b, x, UNCORK_BOOL);
    x = uc_g_cast(c->g, x, UNCORK_INT32);
    uc_aten_out(c, uc_g_cast(c->g, reduce(c, c->with, x), UNCORK_BOOL));
}

void uc_aten_amax(uc_aten_call *c) { uc_aten_out(c, reduce(c, c->with, self(c))); }

static uc_ref flat(uc_aten_call *c, uc_ref x)
{
    const int64_t one[] = {-1};
    return uc_g_reshape(c->g, x, one, 1);
}

static uc_ref arg_of(uc_aten_call *c, uc_ref x, int64_t dim, bool keep, bool max)
{
    if (uc_t_dtype(c->b, x) == UNCORK_BOOL) x = uc_g_cast(c->g, x, UNCORK_INT32);
    return max ? uc_g_argmax(c->g, x, dim, keep) : uc_g_argmin(c->g, x, dim, keep);
}

void uc_aten_argmax(uc_aten_call *c)
{
    uc_ref x = self(c);
    const bool max = strcmp(c->with, "max") == 0, keep = uc_aten_bool(c, "keepdim", false);
    if (!uc_aten_has(c, "dim")) {
        uc_aten_out(c, arg_of(c, flat(c, x), 0, false, max));
        return;
    }
    if (uc_t_rank(c->b, x) == 0) {
        uc_aten_out(c, uc_graph_i64(c->g, 0));
        return;
    }
    uc_aten_out(c, arg_of(c, x, uc_aten_int(c, "dim", 0), keep, max));
}

/* max(x), max(x, other), max(x, dim). */
void uc_aten_max(uc_aten_call *c)
{
    const bool max = strcmp(c->with, "ReduceMax") == 0;
    if (uc_aten_arg(c, "other").kind != UC_PV_UNSET) {
        c->result = uc_aten_again(c, max ? "maximum" : "minimum", c->args, 2);
        return;
    }
    uc_ref x = self(c);
    const bool truth = uc_t_dtype(c->b, x) == UNCORK_BOOL;
    if (truth) x = uc_g_cast(c->g, x, UNCORK_INT32);
    if (uc_aten_arg(c, "dim").kind == UC_PV_UNSET || uc_t_rank(c->b, x) == 0) {
        const uc_ref y = uc_t_reduce(c->b, c->with, x, NULL, 0, false);
        if (uc_aten_arg(c, "dim").kind == UC_PV_UNSET) {
            uc_aten_out(c, truth ? uc_g_cast(c->g, y, UNCORK_BOOL) : y);
            return;
        }
        const uc_ref both[] = {y, uc_graph_i64(c->g, 0)};
        uc_aten_outs(c, both, 2);
        return;
    }
    const int64_t dim = uc_aten_int(c, "dim", 0);
    const bool keep = uc_aten_bool(c, "keepdim", false);
    uc_ref y = uc_t_reduce(c->b, c->with, x, &dim, 1, keep);
    if (truth) y = uc_g_cast(c->g, y, UNCORK_BOOL);
    const uc_ref both[] = {y, arg_of(c, x, dim, keep, max)};
    uc_aten_outs(c, both, 2);
}

void uc_aten_aminmax(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const uc_ref both[] = {reduce(c, "ReduceMin", x), reduce(c, "ReduceMax", x)};
    uc_aten_outs(c, both, 2);
}

/* ---- spread ---------------------------------------------------------------------------------- */

/* How many elements a mean is over, as a value of x's type. */
static uc_ref count_of(uc_aten_call *c, uc_ref x, const int64_t *dims, size_t n)
{
    const uncork_dtype t = uc_t_dtype(c->b, x);
    if (n == 0) return uc_g_cast(c->g, uc_g1(c->g, "Size", x), t);
    uc_ref sum = 0;
    for (size_t i = 0; i < n; i++) {
        const uc_ref one = uc_t_size(c->b, x, dims[i]);
        sum = sum ? uc_g2(c->g, "Mul", sum, one) : one;
    }
    return uc_g_cast(c->g, sum, t);
}

static double correction_of(uc_aten_call *c)
{
    if (uc_aten_has(c, "correction")) return uc_aten_float(c, "correction", 1);
    return uc_aten_bool(c, "unbiased", true) ? 1 : 0;
}

void uc_aten_var(uc_aten_call *c)
{
    const uc_ref x = self(c);
    int64_t dims[UC_PY_RANK];
    const size_t n = axes(c, x, dims);
    const bool keep = uc_aten_bool(c, "keepdim", false);
    const uc_ref mean = uc_t_reduce(c->b, "ReduceMean", x, dims, n, true);
    const uc_ref gap = uc_g2(c->g, "Sub", x, mean);
    const uc_ref sum = uc_t_reduce(c->b, "ReduceSumSquare", gap, dims, n, keep);
    uc_ref count = count_of(c, x, dims, n);
    const double off = correction_of(c);
    if (off != 0) count = uc_g2(c->g, "Sub", count, uc_t_scalar(c->b, x, off));
    uc_ref y = uc_g2(c->g, "Div", sum, count);
    if (strncmp(c->name, "std", 3) == 0) y = uc_g1(c->g, "Sqrt", y);
    if (strcmp(c->with, "both") == 0) {
        const uc_ref both[] = {y, uc_t_reduce(c->b, "ReduceMean", x, dims, n, keep)};
        uc_aten_outs(c, both, 2);
        return;
    }
    uc_aten_out(c, y);
}

static uc_ref norm_of(uc_aten_call *c, uc_ref x, double p, const int64_t *dims, size_t n, bool keep)
{
    if (p == 2) return uc_t_reduce(c->b, "ReduceL2", x, dims, n, keep);
    if (p == 1) return uc_t_reduce(c->b, "ReduceL1", x, dims, n, keep);
    const uc_ref size = uc_g1(c->g, "Abs", x);
    if (isinf(p)) return uc_t_reduce(c->b, p > 0 ? "ReduceMax" : "ReduceMin", size, dims, n, keep);
    if (p == 0) {
        const uc_ref zero = uc_g2(c->g, "Equal", x, uc_t_scalar(c->b, x, 0));
        const uc_ref ones =
            uc_g_where(c->g, zero, uc_t_scalar(c->b, x, 0), uc_t_scalar(c->b, x, 1));
        return uc_t_reduce(c->b, "ReduceSum", ones, dims, n, keep);
    }
    const uc_ref powers = uc_g2(c->g, "Pow", size, uc_t_scalar(c->b, x, p));
    const uc_ref sum = uc_t_reduce(c->b, "ReduceSum", powers, dims, n, keep);
    return uc_g2(c->g, "Pow", sum, uc_t_scalar(c->b, x, 1 / p));
}

void uc_aten_norm(uc_aten_call *c)
{
    uc_ref x = self(c);
    int64_t dims[UC_PY_RANK];
    double p = 2;
    const uc_pv ord = uc_aten_arg(c, c->with);
    if (ord.kind == UC_PV_TEXT) { /* "fro" */
        p = 2;
    } else if (ord.kind != UC_PV_UNSET && ord.kind != UC_PV_NONE) {
        p = uc_aten_float(c, c->with, 2);
    }
    if (uc_aten_has(c, "dtype")) x = uc_t_cast(c->b, x, uc_aten_dtype(c, "dtype", UNCORK_FLOAT32));
    const size_t n = axes(c, x, dims);
    uc_aten_out(c, norm_of(c, x, p, dims, n, uc_aten_bool(c, "keepdim", false)));
}

void uc_aten_logsumexp(uc_aten_call *c)
{
    uc_aten_out(c, reduce(c, "ReduceLogSumExp", uc_aten_floating(c, self(c))));
}

void uc_aten_count_nonzero(uc_aten_call *c)
{
    const uc_ref x = self(c);
    const uc_ref some = uc_t_dtype(c->b, x) == UNCORK_BOOL ? x : uc_t_cast(c->b, x, UNCORK_BOOL);
    uc_aten_out(c, reduce(c, "ReduceSum", uc_g_cast(c->g, some, UNCORK_INT64)));
}

/* ---- running --------------------------------------------------------------------------------- */

void uc_aten_cumsum(uc_aten_call *c)
{
    uc_ref x = self(c);
    const uncork_dtype t = uc_t_dtype(c->b, x);
    const uncork_dtype to = uc_aten_dtype(c, "dtype", uc_dtype_is_float(t) ? t : UNCORK_INT64);
    if (t != to) x = uc_t_cast(c->b, x, to);
    if (uc_t_rank(c->b, x) == 0) {
        uc_aten_out(c, x);
        return;
    }
    uc_aten_out(c, uc_g2(c->g, c->with, x, uc_graph_i64(c->g, uc_aten_int(c, "dim", 0))));
}

void uc_aten_diff(uc_aten_call *c)
{
    uc_ref x = self(c);
    const int64_t n = uc_aten_int(c, "n", 1), dim = uc_aten_int(c, "dim", -1);
    if (uc_aten_has(c, "prepend") || uc_aten_has(c, "append") || n < 0 || n > 16) {
        uc_aten_fail(c, "only n without prepend and append is supported");
        return;
    }
    for (int64_t i = 0; i < n; i++)
        x = uc_g2(c->g, "Sub", uc_t_slice(c->b, x, dim, 1, INT64_MAX, 1),
                  uc_t_slice(c->b, x, dim, 0, -1, 1));
    uc_aten_out(c, x);
}

/* ---- orders ---------------------------------------------------------------------------------- */

static void top(uc_aten_call *c, uc_ref x, uc_ref k, int64_t dim, bool largest, bool sorted,
                uc_ref out[2])
{
    const uc_ref in[] = {x, uc_g_reshape(c->g, k, (const int64_t[]){1}, 1)};
    uc_node *n = uc_graph_node(c->g, "TopK", in, 2, 2);
    uc_node_int(c->g, n, "axis", dim);
    uc_node_int(c->g, n, "largest", largest);
    uc_node_int(c->g, n, "sorted", sorted);
    out[0] = uc_node_out(n, 0);
    out[1] = uc_node_out(n, 1);
}

void uc_aten_topk(uc_aten_call *c)
{
    uc_ref out[2];
    const uc_ref k = uc_py_ref_of(c->ev, uc_aten_arg(c, "k"), UNCORK_INT64);
    top(c, self(c), k, uc_aten_int(c, "dim", -1), uc_aten_bool(c, "largest", true), true, out);
    uc_aten_outs(c, out, 2);
}

void uc_aten_sort(uc_aten_call *c)
{
    uc_ref x = self(c), out[2];
    const bool truth = uc_t_dtype(c->b, x) == UNCORK_BOOL;
    const int64_t dim = uc_aten_int(c, "dim", -1);
    if (uc_t_rank(c->b, x) == 0) {
        out[0] = x;
        out[1] = uc_graph_i64(c->g, 0);
    } else {
        if (truth) x = uc_g_cast(c->g, x, UNCORK_UINT8);
        top(c, x, uc_t_size(c->b, x, dim), dim, uc_aten_bool(c, "descending", false), true, out);
        if (truth) out[0] = uc_g_cast(c->g, out[0], UNCORK_BOOL);
    }
    if (strcmp(c->with, "index") == 0)
        uc_aten_out(c, out[1]);
    else if (strcmp(c->with, "values") == 0)
        uc_aten_out(c, out[0]);
    else
        uc_aten_outs(c, out, 2);
}

/* The k-th smallest along an axis: of a median, the lower of the two in the middle. */
void uc_aten_kth(uc_aten_call *c)
{
    uc_ref x = self(c), out[2];
    const bool whole = uc_aten_arg(c, "dim").kind == UC_PV_UNSET;
    const bool median = strcmp(c->with, "median") == 0;
    const int64_t dim = whole ? 0 : uc_aten_int(c, "dim", -1);
    const bool keep = uc_aten_bool(c, "keepdim", false);
    if (whole) x = flat(c, x);
    const int64_t n = uc_t_dim(c->b, x, (int)dim);
    if (median && n < 0) {
        uc_aten_fail(c, "the median of an axis of unknown length");
        return;
    }
    const int64_t k = median ? (n + 1) / 2 : uc_aten_int(c, "k", 1);
    top(c, x, uc_graph_i64(c->g, k), dim, false, true, out);
    for (int i = 0; i < 2; i++) {
        out[i] = keep ? uc_t_slice(c->b, out[i], dim, k - 1, k, 1)
                      : uc_t_select(c->b, out[i], dim, k - 1);
    }
    if (whole)
        uc_aten_out(c, out[0]);
    else
        uc_aten_outs(c, out, 2);
}

void uc_aten_msort(uc_aten_call *c)
{
    uc_ref out[2];
    const uc_ref x = self(c);
    top(c, x, uc_t_size(c->b, x, 0), 0, false, true, out);
    uc_aten_out(c, out[0]);
}

void uc_aten_unique(uc_aten_call *c)
{
    const uc_ref x = self(c);
    uc_node *n = uc_graph_node(c->g, "Unique", &x, 1, 4);
    uc_node_int(c->g, n, "sorted", 1);
    if (strcmp(c->with, "dim") == 0) uc_node_int(c->g, n, "axis", uc_aten_int(c, "dim", 0));
    uc_ref inverse = uc_node_out(n, 2);
    if (strcmp(c->with, "dim") != 0)
        inverse = uc_g2(c->g, "Reshape", inverse, uc_g1(c->g, "Shape", x));
    const uc_ref out[] = {uc_node_out(n, 0), inverse, uc_node_out(n, 3)};
    uc_aten_outs(c, out, strcmp(c->name, "_unique") == 0 ? 2 : 3);
}

/* How often each of 0, 1, ... stands in x; the length is the input's to decide, so one must be given. */
void uc_aten_bincount(uc_aten_call *c)
{
    const int64_t most = uc_aten_int(c, "minlength", 0);
    const uc_ref x = uc_t_cast(c->b, self(c), UNCORK_INT64);
    const uc_ref largest = uc_g2(c->g, "Add", uc_t_reduce(c->b, "ReduceMax", x, NULL, 0, false),
                                 uc_graph_i64(c->g, 1));
    const uc_ref length = uc_g2(c->g, "Max", largest, uc_graph_i64(c->g, most));
    const uc_ref zeros = uc_g2(c->g, "Expand", uc_graph_i64(c->g, 0),
                               uc_g_reshape(c->g, length, (const int64_t[]){1}, 1));
    const uc_ref ones = uc_g2(c->g, "Expand", uc_graph_i64(c->g, 1), uc_g1(c->g, "Shape", x));
    const uc_ref in[] = {zeros, x, ones};
    uc_node *n = uc_graph_node(c->g, "ScatterElements", in, 3, 1);
    uc_node_str(c->g, n, "reduction", "add");
    uc_aten_out(c, uc_node_out(n, 0));
}
