/* What a Lambda's values do among themselves: numbers in Python's arithmetic, tensors as nodes. */
#include "import/keras/keras_bytecode.h"

#include <math.h>

uc_pv uc_pv_int(int64_t v) { return (uc_pv){.kind = UC_PV_INT, .integer = v, .number = (double)v}; }

uc_pv uc_pv_float(double v) { return (uc_pv){.kind = UC_PV_FLOAT, .number = v}; }

uc_pv uc_pv_tensor(uc_k_call *c, uc_ref ref)
{
    (void)c;
    return (uc_pv){.kind = UC_PV_TENSOR, .tensor = {.ref = ref}};
}

static bool is_number(const uc_pv *v)
{
    return v->kind == UC_PV_INT || v->kind == UC_PV_FLOAT || v->kind == UC_PV_BOOL;
}

/* ---- constants ---- */

static bool count_numbers(const uc_pv *v, int depth, int64_t *shape, int *rank)
{
    if (is_number(v)) {
        *rank = depth;
        return true;
    }
    if (v->kind != UC_PV_LIST || depth >= 4) return false;
    shape[depth] = (int64_t)v->count;
    for (size_t i = 0; i < v->count; i++) {
        int64_t inner[8] = {0};
        int r = depth + 1;
        if (!count_numbers(&v->items[i], depth + 1, inner, &r)) return false;
        for (int d = depth + 1; d < r; d++) {
            if (i && inner[d] != shape[d]) return false;
            shape[d] = inner[d];
        }
        *rank = r;
    }
    return v->count > 0;
}

static double *put_numbers(const uc_pv *v, double *to)
{
    if (v->kind != UC_PV_LIST) {
        *to = v->number;
        return to + 1;
    }
    for (size_t i = 0; i < v->count; i++) {
        to = put_numbers(&v->items[i], to);
    }
    return to;
}

bool uc_pv_to_tensor(uc_py_machine *m, const uc_pv *v, uc_ref *ref)
{
    uc_k_call *c = m->call;
    int64_t shape[8] = {0};
    int rank = 0;
    size_t count;
    if (v->kind == UC_PV_TENSOR) {
        *ref = uc_k_plain(c, v->tensor);
        return true;
    }
    if (is_number(v)) {
        *ref = uc_k_scalar(c, v->number);
        return true;
    }
    if (!count_numbers(v, 0, shape, &rank) || !uc_shape_count(shape, rank, &count))
        return uc_py_lost(m, "an operand that is neither a tensor nor numbers");
    double *values = UC_NEW(c->graph->arena, double, count);
    if (!values) return uc_py_lost(m, "no memory");
    (void)put_numbers(v, values);
    *ref = uc_k_constant(c, values, rank, shape);
    return true;
}

/* ---- arithmetic ---- */

static bool of_numbers(uc_py_machine *m, const char *op, const uc_pv *a, const uc_pv *b, uc_pv *out)
{
    const bool whole = a->kind != UC_PV_FLOAT && b->kind != UC_PV_FLOAT;
    const double x = a->number, y = b->number;
    double v;
    switch (op[0]) {
    case 'A': v = x + y; break;
    case 'S': v = x - y; break;
    case 'P': v = pow(x, y); break;
    case 'D':
        if (!(y < 0) && !(y > 0)) return uc_py_lost(m, "a division by zero");
        *out = uc_pv_float(x / y);
        return true;
    case '/':
        if (!(y < 0) && !(y > 0)) return uc_py_lost(m, "a division by zero");
        v = floor(x / y);
        break;
    case '%':
        if (!(y < 0) && !(y > 0)) return uc_py_lost(m, "a division by zero");
        v = x - floor(x / y) * y;
        break;
    default:
        if (strcmp(op, "Mul") != 0) return uc_py_lost(m, "a comparison of numbers");
        v = x * y;
    }
    *out = whole && fabs(v) < 0x1p53 ? uc_pv_int((int64_t)v) : uc_pv_float(v);
    return true;
}

/* [a] + [b], (None,) * 2 */
static bool of_lists(uc_py_machine *m, const char *op, const uc_pv *a, const uc_pv *b, uc_pv *out)
{
    const bool times =
        strcmp(op, "Mul") == 0 && b->kind == UC_PV_INT && b->integer >= 0 && b->integer < 64;
    const bool joins = strcmp(op, "Add") == 0 && b->kind == UC_PV_LIST;
    if (!times && !joins) return uc_py_lost(m, "arithmetic of lists");
    const size_t n = times ? a->count * (size_t)b->integer : a->count + b->count;
    uc_pv *items = UC_NEW(m->call->graph->arena, uc_pv, n);
    if (!items) return uc_py_lost(m, "no memory");
    for (size_t i = 0; i < n; i++) {
        items[i] = i < a->count || times ? a->items[i % a->count] : b->items[i - a->count];
    }
    *out = (uc_pv){.kind = UC_PV_LIST, .items = items, .count = n};
    return true;
}

bool uc_pv_binary(uc_py_machine *m, const char *op, const uc_pv *a, const uc_pv *b, uc_pv *out)
{
    uc_k_call *c = m->call;
    uc_graph *g = c->graph;
    uc_ref x = 0, y = 0;
    if (is_number(a) && is_number(b)) return of_numbers(m, op, a, b, out);
    if (a->kind == UC_PV_LIST && b->kind != UC_PV_TENSOR) return of_lists(m, op, a, b, out);
    if (a->kind != UC_PV_TENSOR && b->kind != UC_PV_TENSOR)
        return uc_py_lost(m, "arithmetic of what is no tensor");
    /* numbers take the tensor's type */
    const uncork_dtype own = c->dtype,
                       dtype = uc_k_dtype(c, (a->kind == UC_PV_TENSOR ? a : b)->tensor.ref);
    c->dtype = dtype;
    const bool whole = !uc_dtype_is_float(dtype);
    if (whole && strcmp(op, "Div") == 0) c->dtype = UNCORK_FLOAT32;
    bool ok = uc_pv_to_tensor(m, a, &x) && uc_pv_to_tensor(m, b, &y);
    if (ok && whole && strcmp(op, "Div") == 0) {
        x = uc_g_cast(g, x, c->dtype);
        y = uc_g_cast(g, y, c->dtype);
    }
    c->dtype = own;
    if (!ok) return false;
    if (strcmp(op, "//") == 0) {
        *out = uc_pv_tensor(c, uc_g1(g, "Floor", uc_g2(g, "Div", x, y)));
    } else if (strcmp(op, "%") == 0) {
        const uc_ref whole_times = uc_g2(g, "Mul", uc_g1(g, "Floor", uc_g2(g, "Div", x, y)), y);
        *out = uc_pv_tensor(c, uc_g2(g, "Sub", x, whole_times));
    } else if (strcmp(op, "!=") == 0) {
        *out = uc_pv_tensor(c, uc_g1(g, "Not", uc_g2(g, "Equal", x, y)));
    } else {
        *out = uc_pv_tensor(c, uc_g2(g, op, x, y));
    }
    return true;
}

bool uc_pv_negate(uc_py_machine *m, const uc_pv *a, uc_pv *out)
{
    if (a->kind == UC_PV_TENSOR) {
        *out = uc_pv_tensor(m->call, uc_g1(m->call->graph, "Neg", uc_k_plain(m->call, a->tensor)));
        return true;
    }
    if (!is_number(a)) return uc_py_lost(m, "the negative of what is no number");
    *out = a->kind == UC_PV_FLOAT ? uc_pv_float(-a->number) : uc_pv_int(-a->integer);
    return true;
}

/* ---- attributes ---- */

static bool shape_of(uc_py_machine *m, const uc_pv *of, uc_pv *out)
{
    uc_k_call *c = m->call;
    const uc_ref x = uc_k_plain(c, of->tensor);
    const int rank = uc_k_rank(c, x);
    if (rank < 0) return uc_py_lost(m, "the shape of a tensor that isn't known");
    uc_pv *items = UC_NEW(c->graph->arena, uc_pv, (size_t)rank);
    if (!items) return uc_py_lost(m, "no memory");
    for (int i = 0; i < rank; i++) {
        const int64_t n = uc_k_dim(c, x, i);
        items[i] = n >= 0 ? uc_pv_int(n) : (uc_pv){.kind = UC_PV_NONE};
    }
    *out = (uc_pv){.kind = UC_PV_LIST, .items = items, .count = (size_t)rank};
    return true;
}

static bool method_of(uc_py_machine *m, const uc_pv *of, uc_str name, uc_pv *out)
{
    uc_pv *self = UC_NEW(m->call->graph->arena, uc_pv, 1);
    if (!self) return uc_py_lost(m, "no memory");
    *self = *of;
    *out = (uc_pv){.kind = UC_PV_METHOD, .items = self, .count = 1, .text = name};
    return true;
}

bool uc_pv_attribute(uc_py_machine *m, const uc_pv *of, uc_str name, uc_pv *out)
{
    uc_k_call *c = m->call;
    if (of->kind == UC_PV_NAME) {
        const size_t n = of->text.size + 1 + name.size;
        char *path = UC_NEW(c->graph->arena, char, n + 1);
        if (!path || n > 200) return uc_py_lost(m, "a long name");
        memcpy(path, of->text.data, of->text.size);
        path[of->text.size] = '.';
        memcpy(path + of->text.size + 1, name.data, name.size);
        *out = (uc_pv){.kind = UC_PV_NAME, .text = {path, n}};
        return true;
    }
    if (of->kind == UC_PV_TENSOR && (uc_str_is(name, "shape") || uc_str_is(name, "_keras_shape")))
        return shape_of(m, of, out);
    if (of->kind == UC_PV_TENSOR && uc_str_is(name, "T")) {
        *out = uc_pv_tensor(c, uc_g_transpose(c->graph, uc_k_plain(c, of->tensor)));
        return true;
    }
    if (of->kind == UC_PV_TENSOR && uc_str_is(name, "dtype")) {
        *out = (uc_pv){.kind = UC_PV_TEXT,
                       .text = uc_str_of(uc_dtype_name(uc_k_dtype(c, of->tensor.ref)))};
        return true;
    }
    if (of->kind == UC_PV_TENSOR && uc_str_is(name, "get_shape"))
        return method_of(m, of, name, out);
    if (of->kind == UC_PV_LIST && (uc_str_is(name, "ndims") || uc_str_is(name, "rank"))) {
        *out = uc_pv_int((int64_t)of->count);
        return true;
    }
    if ((of->kind == UC_PV_INT || of->kind == UC_PV_NONE) && uc_str_is(name, "value")) {
        *out = *of; /* Dimension.value */
        return true;
    }
    return method_of(m, of, name, out);
}

/* ---- indices ---- */

static bool bound(uc_py_machine *m, const uc_pv *v, int64_t otherwise, int64_t *out)
{
    if (v->kind == UC_PV_NONE)
        *out = otherwise;
    else if (v->kind == UC_PV_INT)
        *out = v->integer;
    else
        return uc_py_lost(m, "an index that is computed");
    return true;
}

static bool take_slice(uc_py_machine *m, const uc_pv *s, int64_t axis, uc_ref *x)
{
    int64_t step = 1, begin, end;
    if (s->count > 2 && !bound(m, &s->items[2], 1, &step)) return false;
    if (step == 0 || !bound(m, &s->items[0], step < 0 ? INT64_MAX : 0, &begin) ||
        !bound(m, &s->items[1], step < 0 ? INT64_MIN + 1 : INT64_MAX, &end))
        return uc_py_lost(m, "a slice without a step");
    if (begin == 0 && end == INT64_MAX && step == 1) return true;
    *x = uc_g_slices(m->call->graph, *x, &begin, &end, &axis, &step, 1);
    return true;
}

static bool of_tensor(uc_py_machine *m, const uc_pv *of, const uc_pv *key, uc_pv *out)
{
    uc_k_call *c = m->call;
    uc_ref x = uc_k_plain(c, of->tensor);
    const uc_pv *items = key->kind == UC_PV_LIST ? key->items : key;
    const size_t n = key->kind == UC_PV_LIST ? key->count : 1;
    int64_t axis = 0, used = 0;
    for (size_t i = 0; i < n; i++) {
        used += items[i].kind != UC_PV_ELLIPSIS && items[i].kind != UC_PV_NONE;
    }
    for (size_t i = 0; i < n; i++) {
        const uc_pv *k = &items[i];
        if (k->kind == UC_PV_ELLIPSIS) {
            const int rank = uc_k_rank(c, uc_k_plain(c, of->tensor));
            if (rank < used) return uc_py_lost(m, "too many indices");
            axis += rank - used;
        } else if (k->kind == UC_PV_NONE) {
            x = uc_g_unsqueeze(c->graph, x, axis++);
        } else if (k->kind == UC_PV_INT) {
            x = uc_g_gather(c->graph, x, uc_graph_i64(c->graph, k->integer), axis);
        } else if (k->kind == UC_PV_SLICE) {
            if (!take_slice(m, k, axis++, &x)) return false;
        } else {
            return uc_py_lost(m, "an index that is computed");
        }
    }
    *out = uc_pv_tensor(c, x);
    return true;
}

static bool of_list(uc_py_machine *m, const uc_pv *of, const uc_pv *key, uc_pv *out)
{
    const int64_t n = (int64_t)of->count;
    if (key->kind == UC_PV_INT) {
        const int64_t i = key->integer < 0 ? key->integer + n : key->integer;
        if (i < 0 || i >= n) return uc_py_lost(m, "an index beyond a list");
        *out = of->items[i];
        return true;
    }
    int64_t begin = 0, end = 0, step = 1;
    if (key->kind != UC_PV_SLICE || (key->count > 2 && !bound(m, &key->items[2], 1, &step)) ||
        step != 1 || !bound(m, &key->items[0], 0, &begin) || !bound(m, &key->items[1], n, &end))
        return uc_py_lost(m, "an index into a list");
    if (begin < 0) begin += n;
    if (end < 0) end += n;
    begin = begin < 0 ? 0 : begin > n ? n : begin;
    end = end < begin ? begin : end > n ? n : end;
    *out = (uc_pv){.kind = UC_PV_LIST, .items = of->items + begin, .count = (size_t)(end - begin)};
    return true;
}

bool uc_pv_subscript(uc_py_machine *m, const uc_pv *of, const uc_pv *key, uc_pv *out)
{
    if (of->kind == UC_PV_TENSOR) return of_tensor(m, of, key, out);
    if (of->kind == UC_PV_LIST) return of_list(m, of, key, out);
    return uc_py_lost(m, "an index into what is no tensor");
}
