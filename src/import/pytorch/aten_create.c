/* Tensors that come from numbers: filled, counted, converted. */
#include "import/pytorch/aten.h"

#include <math.h>
#include <stdlib.h>

static uc_ref filled(uc_aten_call *c, uc_ref sizes, uc_ref value)
{
    return uc_g2(c->g, "Expand", value, sizes);
}

static uncork_dtype default_type(uc_pv v)
{
    if (v.kind == UC_PV_BOOL) return UNCORK_BOOL;
    if (v.kind == UC_PV_INT) return UNCORK_INT64;
    return UNCORK_FLOAT32;
}

/* zeros, ones, empty, full and their new_ and _like forms; `with` is the number. */
void uc_aten_full(uc_aten_call *c)
{
    const uc_pv fill = uc_aten_arg(c, "fill_value");
    const bool given = fill.kind != UC_PV_UNSET;
    uncork_dtype t = given ? default_type(fill) : UNCORK_FLOAT32;
    uc_ref sizes = 0;
    if (given && c->ev->script && c->ev->file_version < 5) t = UNCORK_FLOAT32;
    if (c->args[0].kind == UC_PV_TENSOR && strcmp(c->schema->params[0].name, "self") == 0) {
        const uc_ref like = uc_aten_in(c, "self");
        t = uc_t_dtype(c->b, like);
        sizes = uc_aten_arg(c, "size").kind != UC_PV_UNSET ? uc_aten_sizes(c, "size")
                                                           : uc_g1(c->g, "Shape", like);
    } else {
        sizes = uc_aten_sizes(c, "size");
    }
    t = uc_aten_dtype(c, "dtype", t);
    const uc_ref value = given ? uc_aten_operand(c, fill, t)
                               : uc_t_number(c->b, t, strcmp(c->with, "1") == 0 ? 1 : 0);
    if (!c->ev->failed) uc_aten_out(c, filled(c, sizes, value));
}

/* Random numbers: of a layer's first weights they are placeholders, in a prediction there are none. */
void uc_aten_random(uc_aten_call *c)
{
    if (c->ev->constructing) {
        uc_aten_full(c);
        return;
    }
    uc_aten_fail(c, "a prediction that draws random numbers can't be repeated");
}

static bool all_known(uc_pv a, uc_pv b, uc_pv s)
{
    const uc_pv v[] = {a, b, s};
    for (int i = 0; i < 3; i++) {
        if (v[i].symbolic || v[i].kind == UC_PV_TENSOR) return false;
    }
    return true;
}

void uc_aten_arange(uc_aten_call *c)
{
    uc_pv start = uc_aten_arg(c, "start"), end = uc_aten_arg(c, "end"),
          step = uc_aten_arg(c, "step");
    if (start.kind == UC_PV_UNSET) start = uc_pv_int(0);
    if (step.kind == UC_PV_UNSET) step = uc_pv_int(1);
    bool real = false;
    const uc_pv v[] = {start, end, step};
    for (int i = 0; i < 3; i++) {
        real = real || v[i].kind == UC_PV_FLOAT;
        if (v[i].kind == UC_PV_TENSOR)
            real = real || uc_dtype_is_float(uc_t_dtype(c->b, uc_py_ref(c->ev, v[i].tensor)));
    }
    const uncork_dtype t = uc_aten_dtype(c, "dtype", real ? UNCORK_FLOAT32 : UNCORK_INT64);
    double a = 0, b = 0, s = 1;
    if (all_known(start, end, step) && uc_py_float(c->ev, start, &a) &&
        uc_py_float(c->ev, end, &b) && uc_py_float(c->ev, step, &s)) {
        const double count = s != 0 ? ceil((b - a) / s) : -1;
        if (!(count >= 0 && count < 16777216)) {
            uc_aten_fail(c, "a range of %g numbers", count);
            return;
        }
        const int64_t n = (int64_t)count;
        uc_tensor *made = uc_tensor_new(c->g->arena, UNCORK_FLOAT64, 1, &n);
        for (int64_t i = 0; made && i < n; i++)
            ((double *)made->data)[i] = a + (double)i * s;
        uc_tensor *cast = made ? uc_tensor_cast(c->g->arena, made, t) : NULL;
        if (cast) uc_aten_out(c, uc_graph_const(c->g, cast));
        return;
    }
    const uncork_dtype in = real ? UNCORK_FLOAT64 : UNCORK_INT64;
    const uc_ref r = uc_g3(c->g, "Range", uc_py_ref_of(c->ev, start, in),
                           uc_py_ref_of(c->ev, end, in), uc_py_ref_of(c->ev, step, in));
    uc_aten_out(c, t == in ? r : uc_g_cast(c->g, r, t));
}

/* Both halves count from their own end, in float64 here as torch does in the result's type. */
void uc_aten_linspace(uc_aten_call *c)
{
    const double a = uc_aten_float(c, "start", 0), b = uc_aten_float(c, "end", 0);
    const int64_t n = uc_aten_int(c, "steps", 100);
    const uncork_dtype t = uc_aten_dtype(c, "dtype", UNCORK_FLOAT32);
    if (c->ev->failed || n < 0 || n > 16777216) {
        uc_aten_fail(c, "%lld steps", (long long)n);
        return;
    }
    uc_tensor *made = uc_tensor_new(c->g->arena, UNCORK_FLOAT64, 1, &n);
    const float step = n > 1 ? ((float)b - (float)a) / (float)(n - 1) : 0;
    for (int64_t i = 0; made && i < n; i++) {
        double v =
            i < n / 2 ? a + (double)step * (double)i : b - (double)step * (double)(n - 1 - i);
        if (n == 1) v = a;
        if (t == UNCORK_FLOAT32) {
            const bool first = i < n / 2 || n == 1;
            v = (double)(first ? (float)a + step * (float)i : (float)b - step * (float)(n - 1 - i));
        }
        if (strcmp(c->name, "logspace") == 0) v = pow(uc_aten_float(c, "base", 10), v);
        ((double *)made->data)[i] = v;
    }
    uc_tensor *cast = made ? uc_tensor_cast(c->g->arena, made, t) : NULL;
    if (cast) uc_aten_out(c, uc_graph_const(c->g, cast));
}

void uc_aten_eye(uc_aten_call *c)
{
    const int64_t n = uc_aten_int(c, "n", 0), m = uc_aten_int(c, "m", n);
    const uncork_dtype t = uc_aten_dtype(c, "dtype", UNCORK_FLOAT32);
    const int64_t shape[] = {n, m};
    if (c->ev->failed || n < 0 || m < 0 || n > 65536 || m > 65536) {
        uc_aten_fail(c, "a size of %lld by %lld", (long long)n, (long long)m);
        return;
    }
    const uc_ref zeros = filled(c, uc_graph_i64s(c->g, shape, 2), uc_t_number(c->b, t, 0));
    uc_node *node = uc_graph_node(c->g, "EyeLike", &zeros, 1, 1);
    uc_aten_out(c, uc_node_out(node, 0));
}

/* ---- lists of numbers ------------------------------------------------------------------------ */

/* The shape of nested lists, and whether a tensor or symbol is among the elements. */
static bool measure(uc_aten_call *c, uc_pv v, int depth, int64_t *shape, int *rank, uncork_dtype *t,
                    bool *dynamic)
{
    if (!uc_pv_is_list(v)) {
        if (*rank < 0) *rank = depth;
        if (v.symbolic || v.kind == UC_PV_TENSOR) *dynamic = true;
        const uncork_dtype own =
            v.kind == UC_PV_TENSOR ? uc_t_dtype(c->b, uc_py_ref(c->ev, v.tensor)) : default_type(v);
        if (*t == UNCORK_DTYPE_NONE ||
            (own == UNCORK_FLOAT32 || (own == UNCORK_INT64 && *t == UNCORK_BOOL)))
            *t = own;
        return *rank == depth;
    }
    if (depth >= UC_PY_RANK) return false;
    if (shape[depth] < 0) shape[depth] = (int64_t)v.list->count;
    if (shape[depth] != (int64_t)v.list->count) return false;
    if (v.list->count == 0 && *rank < 0) *rank = depth + 1;
    for (size_t i = 0; i < v.list->count; i++) {
        if (!measure(c, v.list->items[i], depth + 1, shape, rank, t, dynamic)) return false;
    }
    return true;
}

static void collect(uc_aten_call *c, uc_pv v, double *out, size_t *at)
{
    if (uc_pv_is_list(v)) {
        for (size_t i = 0; i < v.list->count; i++)
            collect(c, v.list->items[i], out, at);
        return;
    }
    uc_py_float(c->ev, v, &out[(*at)++]);
}

static uc_ref stacked(uc_aten_call *c, uc_pv v, uncork_dtype t)
{
    if (!uc_pv_is_list(v)) return uc_aten_operand(c, v, t);
    uc_ref *parts = UC_NEW(c->ev->arena, uc_ref, v.list->count + 1);
    if (!parts || v.list->count == 0) return uc_aten_fail(c, "an empty list among the elements");
    for (size_t i = 0; i < v.list->count; i++)
        parts[i] = stacked(c, v.list->items[i], t);
    return c->ev->failed ? 0 : uc_t_stack(c->b, parts, v.list->count, 0);
}

void uc_aten_tensor(uc_aten_call *c)
{
    const uc_pv v = c->args[0];
    int64_t shape[UC_PY_RANK];
    int rank = -1;
    uncork_dtype t = UNCORK_DTYPE_NONE;
    bool dynamic = false;
    for (int i = 0; i < UC_PY_RANK; i++)
        shape[i] = -1;
    if (!measure(c, v, 0, shape, &rank, &t, &dynamic)) {
        if (v.kind == UC_PV_TENSOR)
            rank = 0;
        else {
            uc_aten_fail(c, "a list whose rows differ in length");
            return;
        }
    }
    t = uc_aten_dtype(c, "dtype", t == UNCORK_DTYPE_NONE ? UNCORK_FLOAT32 : t);
    if (dynamic || !uc_pv_is_list(v)) {
        uc_aten_out(c, stacked(c, v, t));
        return;
    }
    uc_tensor *wide = uc_tensor_new(c->g->arena, UNCORK_FLOAT64, rank, shape);
    size_t at = 0;
    if (!wide) return;
    collect(c, v, wide->data, &at);
    uc_tensor *cast = uc_tensor_cast(c->g->arena, wide, t);
    if (cast && !c->ev->failed) uc_aten_out(c, uc_graph_const(c->g, cast));
}

/* ---- conversions ----------------------------------------------------------------------------- */

void uc_aten_to(uc_aten_call *c)
{
    const uc_pv self = c->args[0];
    const uc_ref x = uc_aten_operand(c, self, UNCORK_DTYPE_NONE);
    uncork_dtype t = uc_t_dtype(c->b, x);
    if (uc_aten_arg(c, "other").kind == UC_PV_TENSOR)
        t = uc_t_dtype(c->b, uc_aten_in(c, "other"));
    else
        t = uc_aten_dtype(c, "dtype", t);
    if (t == uc_t_dtype(c->b, x) && !uc_aten_bool(c, "copy", false)) {
        c->result = self;
        return;
    }
    uc_aten_out(c, t == uc_t_dtype(c->b, x) ? x : uc_t_cast(c->b, x, t));
}

/* x.float(), x.long(), ...: `with` is ATen's number of the type. */
void uc_aten_cast(uc_aten_call *c)
{
    const uc_ref x = uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE);
    const uncork_dtype t = uc_aten_dtype_of(strtol(c->with, NULL, 10));
    if (t == uc_t_dtype(c->b, x))
        c->result = c->args[0];
    else
        uc_aten_out(c, uc_t_cast(c->b, x, t));
}

void uc_aten_type_as(uc_aten_call *c)
{
    const uc_ref x = uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE);
    const uncork_dtype t = uc_t_dtype(c->b, uc_aten_in(c, "other"));
    if (t == uc_t_dtype(c->b, x))
        c->result = c->args[0];
    else
        uc_aten_out(c, uc_t_cast(c->b, x, t));
}

void uc_aten_copy(uc_aten_call *c)
{
    const uc_ref x = uc_aten_in(c, "self");
    uc_ref y = uc_aten_operand(c, uc_aten_arg(c, "src"), UNCORK_DTYPE_NONE);
    const uncork_dtype t = uc_t_dtype(c->b, x);
    if (uc_t_dtype(c->b, y) != t) y = uc_t_cast(c->b, y, t);
    uc_aten_out(c, uc_g2(c->g, "Expand", y, uc_g1(c->g, "Shape", x)));
}

void uc_aten_fill(uc_aten_call *c)
{
    const uc_ref x = uc_aten_in(c, "self");
    const uncork_dtype t = uc_t_dtype(c->b, x);
    const uc_pv value = strcmp(c->name, "zero") == 0 ? uc_pv_int(0) : uc_aten_arg(c, "value");
    uc_aten_out(c, filled(c, uc_g1(c->g, "Shape", x), uc_aten_operand(c, value, t)));
}

/* Numbers out of tensors. */
void uc_aten_item(uc_aten_call *c)
{
    const uc_ref x = uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE);
    const uncork_dtype t = uc_t_dtype(c->b, x);
    uc_pv_kind kind = t == UNCORK_BOOL       ? UC_PV_BOOL
                      : uc_dtype_is_float(t) ? UC_PV_FLOAT
                                             : UC_PV_INT;
    if (strcmp(c->with, "int") == 0) kind = UC_PV_INT;
    if (strcmp(c->with, "float") == 0) kind = UC_PV_FLOAT;
    if (strcmp(c->with, "bool") == 0) kind = UC_PV_BOOL;
    c->result = uc_py_symbol(c->ev, kind, x);
}

static uc_pv nested(uc_aten_call *c, uc_pv v)
{
    const int rank = uc_t_rank(c->b, uc_py_ref(c->ev, v.tensor));
    if (rank <= 0) {
        const uncork_dtype t = uc_t_dtype(c->b, uc_py_ref(c->ev, v.tensor));
        return uc_py_symbol(c->ev,
                            uc_dtype_is_float(t) ? UC_PV_FLOAT
                            : t == UNCORK_BOOL   ? UC_PV_BOOL
                                                 : UC_PV_INT,
                            uc_py_ref(c->ev, v.tensor));
    }
    uc_py_list *l = uc_py_elements(c->ev, v);
    uc_py_list *out = uc_py_list_new(c->ev, 0);
    for (size_t i = 0; l && out && i < l->count && !c->ev->failed; i++)
        uc_py_list_add(c->ev->arena, out, nested(c, l->items[i]));
    return out ? (uc_pv){.kind = UC_PV_LIST, .list = out} : uc_pv_none();
}

void uc_aten_tolist(uc_aten_call *c) { c->result = nested(c, c->args[0]); }

void uc_aten_is_type(uc_aten_call *c)
{
    const uncork_dtype t = uc_t_dtype(c->b, uc_aten_operand(c, c->args[0], UNCORK_DTYPE_NONE));
    if (strcmp(c->with, "float") == 0)
        c->result = uc_pv_bool(uc_dtype_is_float(t));
    else if (strcmp(c->with, "signed") == 0)
        c->result = uc_pv_bool(t != UNCORK_UINT8 && t != UNCORK_BOOL);
    else
        c->result = uc_pv_bool(strcmp(c->with, "true") == 0);
}

void uc_aten_meshgrid(uc_aten_call *c)
{
    size_t n = 0;
    uc_ref *x = uc_aten_tensors(c, "tensors", &n);
    const bool xy = strcmp(uc_aten_text(c, "indexing", "ij"), "xy") == 0;
    if (!x || n > UC_PY_RANK || n == 0) return;
    uc_ref sizes[UC_PY_RANK];
    for (size_t i = 0; i < n; i++)
        sizes[i] = uc_g1(c->g, "Size", x[i]);
    uc_pv out[UC_PY_RANK];
    for (size_t i = 0; i < n; i++) {
        int64_t shape[UC_PY_RANK];
        uc_ref order[UC_PY_RANK];
        for (size_t k = 0; k < n; k++) {
            const size_t place = xy && n > 1 && k < 2 ? 1 - k : k;
            shape[place] = k == i ? -1 : 1;
            order[place] = uc_g_reshape(c->g, sizes[k], (const int64_t[]){1}, 1);
        }
        const uc_ref row = uc_t_reshape(c->b, x[i], shape, (int)n);
        out[i] = uc_py_tensor(c->ev, uc_g2(c->g, "Expand", row, uc_g_concat(c->g, order, n, 0)));
    }
    uc_aten_list(c, out, n);
}

void uc_aten_one_hot(uc_aten_call *c)
{
    const int64_t n = uc_aten_int(c, "num_classes", -1);
    const uc_ref x = uc_aten_in(c, "self");
    uc_ref depth = uc_graph_i64(c->g, n);
    if (n < 0)
        depth = uc_g2(c->g, "Add", uc_t_reduce(c->b, "ReduceMax", x, NULL, 0, false),
                      uc_graph_i64(c->g, 1));
    uc_aten_out(c, uc_g3(c->g, "OneHot", x, uc_g_reshape(c->g, depth, (const int64_t[]){1}, 1),
                         uc_graph_i64s(c->g, (const int64_t[]){0, 1}, 2)));
}

/* a - b cos(2 pi k / n) + c cos(4 pi k / n); Hamming's numbers are 0.54 and 0.46, not ONNX's. */
void uc_aten_window(uc_aten_call *c)
{
    int64_t size = uc_aten_int(c, "window_length", 0);
    const bool periodic = uc_aten_bool(c, "periodic", true);
    double a = 0.5, b = 0.5, third = 0;
    if (strcmp(c->with, "HammingWindow") == 0) {
        a = uc_aten_float(c, "alpha", 0.54);
        b = uc_aten_float(c, "beta", 0.46);
    } else if (strcmp(c->with, "BlackmanWindow") == 0) {
        a = 0.42;
        third = 0.08;
    }
    if (c->ev->failed || size < 0 || size > 16777216) {
        uc_aten_fail(c, "a window of %lld", (long long)size);
        return;
    }
    const double n = (double)(periodic ? size : size - 1);
    uc_tensor *made = uc_tensor_new(c->g->arena, UNCORK_FLOAT64, 1, &size);
    for (int64_t k = 0; made && k < size; k++) {
        const double t = n > 0 ? 6.28318530717958647692 * (double)k / n : 0;
        ((double *)made->data)[k] = size == 1 ? 1 : a - b * cos(t) + third * cos(2 * t);
    }
    uc_tensor *cast =
        made ? uc_tensor_cast(c->g->arena, made, uc_aten_dtype(c, "dtype", UNCORK_FLOAT32)) : NULL;
    if (cast) uc_aten_out(c, uc_graph_const(c->g, cast));
}

void uc_aten_tri_indices(uc_aten_call *c)
{
    const int64_t rows = uc_aten_int(c, "row", 0), columns = uc_aten_int(c, "col", 0);
    const int64_t offset = uc_aten_int(c, "offset", 0);
    const bool lower = strcmp(c->name, "tril_indices") == 0;
    if (c->ev->failed || rows < 0 || columns < 0 || rows > 4096 || columns > 4096) {
        uc_aten_fail(c, "a size of %lld by %lld", (long long)rows, (long long)columns);
        return;
    }
    int64_t *at = UC_NEW(c->ev->arena, int64_t, (size_t)(2 * rows * columns) + 1);
    int64_t n = 0;
    for (int pass = 0; at && pass < 2; pass++) {
        for (int64_t i = 0; i < rows; i++) {
            for (int64_t k = 0; k < columns; k++) {
                if (lower ? k - i <= offset : k - i >= offset) at[n++] = pass ? k : i;
            }
        }
    }
    const int64_t shape[] = {2, n / 2};
    if (at) uc_aten_out(c, uc_g_reshape(c->g, uc_graph_i64s(c->g, at, n), shape, 2));
}
