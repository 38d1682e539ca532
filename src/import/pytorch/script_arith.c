/* Operators: on numbers as Python computes them, on symbols as nodes, on tensors as aten's. */
#include "import/pytorch/script_eval.h"

#include <math.h>

static bool is_number(uc_pv v)
{
    return v.kind == UC_PV_BOOL || v.kind == UC_PV_INT || v.kind == UC_PV_FLOAT;
}

static double as_float(uc_pv v)
{
    return v.kind == UC_PV_FLOAT ? v.f : v.kind == UC_PV_INT ? (double)v.i : (double)v.b;
}

static int64_t as_int(uc_pv v) { return v.kind == UC_PV_INT ? v.i : (int64_t)v.b; }

static uncork_dtype dtype_of(uc_pv v)
{
    return v.kind == UC_PV_BOOL ? UNCORK_BOOL : v.kind == UC_PV_INT ? UNCORK_INT64 : UNCORK_FLOAT64;
}

/* ---- symbols --------------------------------------------------------------------------------- */

static uc_ref operand(uc_py_eval *ev, uc_pv v, uncork_dtype to)
{
    uc_ref r = uc_py_ref_of(ev, v, dtype_of(v));
    return dtype_of(v) == to ? r : uc_g_cast(ev->level->graph, r, to);
}

uc_pv uc_py_symbolic(uc_py_eval *ev, const char *op, uc_pv a, uc_pv b, uc_pv_kind kind)
{
    if (ev->failed || !is_number(a) || !is_number(b))
        return uc_py_fail(ev, "%s and %s can't be combined", uc_pv_type_name(a),
                          uc_pv_type_name(b));
    const bool logic = strcmp(op, "And") == 0 || strcmp(op, "Or") == 0;
    uncork_dtype type = UNCORK_INT64;
    if (a.kind == UC_PV_FLOAT || b.kind == UC_PV_FLOAT || kind == UC_PV_FLOAT)
        type = UNCORK_FLOAT64;
    if (logic) type = UNCORK_BOOL;
    uc_graph *g = ev->level->graph;
    const uc_ref x = operand(ev, a, type), y = operand(ev, b, type);
    return uc_py_symbol(ev, kind, uc_g2(g, op, x, y));
}

/* floor(a / b), whatever their signs. */
static uc_pv symbolic_floordiv(uc_py_eval *ev, uc_pv a, uc_pv b)
{
    uc_graph *g = ev->level->graph;
    if (a.kind == UC_PV_FLOAT || b.kind == UC_PV_FLOAT) {
        const uc_pv q = uc_py_symbolic(ev, "Div", a, b, UC_PV_FLOAT);
        return uc_py_symbol(ev, UC_PV_FLOAT,
                            uc_g1(g, "Floor", uc_py_ref_of(ev, q, UNCORK_FLOAT64)));
    }
    const uc_pv rest = uc_py_symbolic(ev, "Mod", a, b, UC_PV_INT);
    return uc_py_symbolic(ev, "Div", uc_py_symbolic(ev, "Sub", a, rest, UC_PV_INT), b, UC_PV_INT);
}

static uc_pv symbolic_binary(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b)
{
    static const struct {
        uc_py_op op;
        const char *name;
    } names[] = {{UC_PY_ADD, "Add"},
                 {UC_PY_SUB, "Sub"},
                 {UC_PY_MUL, "Mul"},
                 {UC_PY_MOD, "Mod"},
                 {UC_PY_POW, "Pow"}};
    const bool real = a.kind == UC_PV_FLOAT || b.kind == UC_PV_FLOAT;
    const uc_pv_kind kind = real ? UC_PV_FLOAT : UC_PV_INT;
    if (op == UC_PY_FLOORDIV) return symbolic_floordiv(ev, a, b);
    if (op == UC_PY_DIV) return uc_py_symbolic(ev, "Div", a, b, UC_PV_FLOAT);
    if (op == UC_PY_AND) return uc_py_symbolic(ev, "And", a, b, UC_PV_BOOL);
    if (op == UC_PY_OR) return uc_py_symbolic(ev, "Or", a, b, UC_PV_BOOL);
    if (op == UC_PY_MOD && real) {
        const uc_pv q = symbolic_floordiv(ev, a, b);
        return uc_py_symbolic(ev, "Sub", a, uc_py_symbolic(ev, "Mul", q, b, UC_PV_FLOAT),
                              UC_PV_FLOAT);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].op == op) return uc_py_symbolic(ev, names[i].name, a, b, kind);
    }
    return uc_py_fail(ev, "this operator needs numbers that are known");
}

/* ---- numbers --------------------------------------------------------------------------------- */

static uc_pv power(uc_py_eval *ev, uc_pv a, uc_pv b)
{
    if (a.kind == UC_PV_FLOAT || b.kind == UC_PV_FLOAT || as_int(b) < 0)
        return uc_pv_float(pow(as_float(a), as_float(b)));
    int64_t base = as_int(a), exponent = as_int(b), v = 1;
    bool over = false;
    while (exponent > 0 && !over) {
        if (exponent & 1) over = __builtin_mul_overflow(v, base, &v);
        exponent >>= 1;
        if (exponent) over = over || __builtin_mul_overflow(base, base, &base);
    }
    return over ? uc_py_fail(ev, "an integer is too large") : uc_pv_int(v);
}

static uc_pv float_binary(uc_py_eval *ev, uc_py_op op, double a, double b)
{
    switch ((int)op) {
    case UC_PY_ADD: return uc_pv_float(a + b);
    case UC_PY_SUB: return uc_pv_float(a - b);
    case UC_PY_MUL: return uc_pv_float(a * b);
    case UC_PY_FLOORDIV:
    case UC_PY_MOD:
        if (b == 0) return uc_py_fail(ev, "a division by zero");
        if (op == UC_PY_FLOORDIV) return uc_pv_float(floor(a / b));
        a = fmod(a, b);
        return uc_pv_float(a != 0 && (a < 0) != (b < 0) ? a + b : a);
    default: return uc_py_fail(ev, "this operator takes integers");
    }
}

static uc_pv int_binary(uc_py_eval *ev, uc_py_op op, int64_t a, int64_t b)
{
    int64_t v = 0;
    bool over = false;
    switch ((int)op) {
    case UC_PY_ADD: over = __builtin_add_overflow(a, b, &v); break;
    case UC_PY_SUB: over = __builtin_sub_overflow(a, b, &v); break;
    case UC_PY_MUL: over = __builtin_mul_overflow(a, b, &v); break;
    case UC_PY_FLOORDIV:
    case UC_PY_MOD:
        if (b == 0 || (a == INT64_MIN && b == -1)) return uc_py_fail(ev, "a division by zero");
        v = a / b - (a % b != 0 && (a < 0) != (b < 0));
        if (op == UC_PY_MOD) v = a - v * b;
        break;
    case UC_PY_AND: v = a & b; break;
    case UC_PY_OR: v = a | b; break;
    case UC_PY_XOR: v = a ^ b; break;
    case UC_PY_SHL:
        if (b < 0 || b > 62 || a > (INT64_MAX >> b) || a < (INT64_MIN >> b))
            over = true;
        else
            v = (int64_t)((uint64_t)a << b);
        break;
    case UC_PY_SHR: v = b < 0 ? 0 : b > 62 ? (a < 0 ? -1 : 0) : a >> b; break;
    default: return uc_py_fail(ev, "this operator doesn't take integers");
    }
    return over ? uc_py_fail(ev, "an integer is too large") : uc_pv_int(v);
}

static uc_pv number_binary(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b)
{
    if (a.symbolic || b.symbolic) return symbolic_binary(ev, op, a, b);
    if (op == UC_PY_POW) return power(ev, a, b);
    if (op == UC_PY_DIV) {
        if (as_float(b) == 0) return uc_py_fail(ev, "a division by zero");
        return uc_pv_float(as_float(a) / as_float(b));
    }
    if (a.kind == UC_PV_FLOAT || b.kind == UC_PV_FLOAT)
        return float_binary(ev, op, as_float(a), as_float(b));
    const uc_pv v = int_binary(ev, op, as_int(a), as_int(b));
    const bool bits = op == UC_PY_AND || op == UC_PY_OR || op == UC_PY_XOR;
    if (bits && a.kind == UC_PV_BOOL && b.kind == UC_PV_BOOL) return uc_pv_bool(v.i != 0);
    return v;
}

/* ---- lists and text -------------------------------------------------------------------------- */

static uc_pv repeat(uc_py_eval *ev, uc_pv v, uc_pv times)
{
    int64_t n = 0;
    if (!uc_py_int(ev, times, &n)) return uc_pv_none();
    if (n < 0) n = 0;
    const size_t count = v.kind == UC_PV_TEXT ? v.text->size : v.list->count;
    size_t total = 0;
    if (!uc_mul_size(count, (size_t)n, &total) || total > UC_PY_LIST_MOST)
        return uc_py_fail_as(ev, UNCORK_LIMIT, "a list of more than %zu elements", UC_PY_LIST_MOST);
    if (v.kind == UC_PV_TEXT) {
        char *text = uc_arena_alloc(ev->arena, total + 1, 1);
        for (size_t i = 0; text && i < total; i++)
            text[i] = v.text->data[i % count];
        return text ? uc_pv_text(ev->arena, (uc_str){text, total}) : uc_pv_none();
    }
    uc_py_list *l = uc_py_list_new(ev, total);
    for (size_t i = 0; l && i < total; i++)
        l->items[l->count++] = v.list->items[i % count];
    return (uc_pv){.kind = v.kind, .list = l};
}

static uc_pv join(uc_py_eval *ev, uc_pv a, uc_pv b)
{
    if (a.kind == UC_PV_TEXT) {
        const size_t size = a.text->size + b.text->size;
        char *text = size < UC_PY_LIST_MOST ? uc_arena_alloc(ev->arena, size + 1, 1) : NULL;
        if (!text) return uc_py_fail_as(ev, UNCORK_LIMIT, "a text is too long");
        if (a.text->size) memcpy(text, a.text->data, a.text->size);
        if (b.text->size) memcpy(text + a.text->size, b.text->data, b.text->size);
        return uc_pv_text(ev->arena, (uc_str){text, size});
    }
    if (a.list->count + b.list->count > UC_PY_LIST_MOST)
        return uc_py_fail_as(ev, UNCORK_LIMIT, "a list of more than %zu elements", UC_PY_LIST_MOST);
    uc_py_list *l = uc_py_list_new(ev, a.list->count + b.list->count);
    for (size_t i = 0; l && i < a.list->count; i++)
        l->items[l->count++] = a.list->items[i];
    for (size_t i = 0; l && i < b.list->count; i++)
        l->items[l->count++] = b.list->items[i];
    return (uc_pv){.kind = a.kind, .list = l};
}

/* Sets' operators. */
static uc_pv set_binary(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b)
{
    uc_py_dict *d = uc_py_dict_new(ev);
    for (size_t i = 0; d && i < a.dict->count; i++) {
        const bool in = uc_py_dict_find(b.dict, a.dict->keys[i]) != NULL;
        if (op == UC_PY_OR || (op == UC_PY_AND && in) ||
            ((op == UC_PY_SUB || op == UC_PY_XOR) && !in))
            uc_py_dict_put(ev->arena, d, a.dict->keys[i], a.dict->values[i]);
    }
    for (size_t i = 0; d && i < b.dict->count; i++) {
        const bool in = uc_py_dict_find(a.dict, b.dict->keys[i]) != NULL;
        if (op == UC_PY_OR || (op == UC_PY_XOR && !in))
            uc_py_dict_put(ev->arena, d, b.dict->keys[i], b.dict->values[i]);
    }
    return d ? (uc_pv){.kind = a.kind, .dict = d} : uc_pv_none();
}

static const char *const op_names[] = {[UC_PY_ADD] = "add",
                                       [UC_PY_SUB] = "sub",
                                       [UC_PY_MUL] = "mul",
                                       [UC_PY_DIV] = "true_divide",
                                       [UC_PY_FLOORDIV] = "floor_divide",
                                       [UC_PY_MOD] = "remainder",
                                       [UC_PY_POW] = "pow",
                                       [UC_PY_MATMUL] = "matmul",
                                       [UC_PY_AND] = "bitwise_and",
                                       [UC_PY_OR] = "bitwise_or",
                                       [UC_PY_XOR] = "bitwise_xor",
                                       [UC_PY_SHL] = "bitwise_left_shift",
                                       [UC_PY_SHR] = "bitwise_right_shift",
                                       [UC_PY_EQ] = "eq",
                                       [UC_PY_NE] = "ne",
                                       [UC_PY_LT] = "lt",
                                       [UC_PY_LE] = "le",
                                       [UC_PY_GT] = "gt",
                                       [UC_PY_GE] = "ge"};

/* Objects' own operators, __add__ and so on, by the names of op_names. */
static bool own_operator(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b, uc_pv *out)
{
    static const char *const words[] = {
        "add", "sub",    "mul",    "truediv", "floordiv", "mod", "pow", "matmul", "and", "or",
        "xor", "lshift", "rshift", "eq",      "ne",       "lt",  "le",  "gt",     "ge"};
    if (a.kind != UC_PV_OBJECT || (size_t)op >= sizeof words / sizeof *words) return false;
    const char *name = uc_py_id(ev, uc_arena_printf(ev->arena, "__%s__", words[op]));
    if (!uc_py_class_find(a.object->class, name, NULL)) return false;
    *out = uc_py_call_method(ev, a, name, &b, 1);
    return true;
}

uc_pv uc_py_binary(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b)
{
    uc_pv own = uc_pv_none();
    if (a.kind == UC_PV_TENSOR || b.kind == UC_PV_TENSOR) {
        uc_pv items[] = {a, b};
        const uc_py_args args = {.items = items, .count = 2};
        const char *name = op_names[op];
        /* 2 - x, 1 / x, 2 ** x: the number comes first. */
        if (a.kind != UC_PV_TENSOR && op == UC_PY_SUB) {
            uc_pv turned[] = {b, a};
            return uc_aten_run(ev, "aten", "rsub", &(uc_py_args){.items = turned, .count = 2});
        }
        return uc_aten_run(ev, "aten", name, &args);
    }
    if (is_number(a) && is_number(b)) return number_binary(ev, op, a, b);
    const bool lists = uc_pv_is_list(a) && uc_pv_is_list(b);
    if (op == UC_PY_ADD && (lists || (a.kind == UC_PV_TEXT && b.kind == UC_PV_TEXT)))
        return join(ev, a, b);
    if (op == UC_PY_MUL && (uc_pv_is_list(a) || a.kind == UC_PV_TEXT)) return repeat(ev, a, b);
    if (op == UC_PY_MUL && (uc_pv_is_list(b) || b.kind == UC_PV_TEXT)) return repeat(ev, b, a);
    if (op == UC_PY_MOD && a.kind == UC_PV_TEXT) return uc_py_percent(ev, a, b);
    if ((a.kind == UC_PV_SET || a.kind == UC_PV_DICT) && a.kind == b.kind)
        return set_binary(ev, op, a, b);
    if (own_operator(ev, op, a, b, &own)) return own;
    if (op == UC_PY_OR) return a; /* int | None: a type */
    return uc_py_fail(ev, "%s and %s don't take this operator", uc_pv_type_name(a),
                      uc_pv_type_name(b));
}

uc_pv uc_py_unary(uc_py_eval *ev, uc_py_op op, uc_pv a)
{
    if (op == UC_PY_NOT) {
        uc_pv symbol = uc_pv_none();
        const int truth = uc_py_truth(ev, a, &symbol);
        if (truth != -1) return uc_pv_bool(truth == 0);
        return uc_py_symbol(ev, UC_PV_BOOL,
                            uc_g1(ev->level->graph, "Not", uc_py_ref_of(ev, symbol, UNCORK_BOOL)));
    }
    if (a.kind == UC_PV_TENSOR) {
        uc_py_args args = {.items = &a, .count = 1};
        if (op == UC_PY_POS) return a;
        return uc_aten_run(ev, "aten", op == UC_PY_NEG ? "neg" : "bitwise_not", &args);
    }
    if (!is_number(a)) return uc_py_fail(ev, "%s doesn't take this operator", uc_pv_type_name(a));
    if (op == UC_PY_POS) return a;
    if (op == UC_PY_NEG) {
        if (a.symbolic) return uc_py_symbolic(ev, "Sub", uc_pv_int(0), a, a.kind);
        return a.kind == UC_PV_FLOAT ? uc_pv_float(-a.f)
                                     : uc_py_binary(ev, UC_PY_SUB, uc_pv_int(0), a);
    }
    if (a.symbolic || a.kind == UC_PV_FLOAT) return uc_py_fail(ev, "~ takes integers");
    return uc_pv_int(~as_int(a));
}

/* ---- comparisons ----------------------------------------------------------------------------- */

static bool is_in(uc_py_eval *ev, uc_pv a, uc_pv b)
{
    if (b.kind == UC_PV_DICT || b.kind == UC_PV_SET) return uc_py_dict_find(b.dict, a) != NULL;
    if (b.kind == UC_PV_TEXT && a.kind == UC_PV_TEXT) {
        for (size_t i = 0; i + a.text->size <= b.text->size; i++) {
            if (memcmp(b.text->data + i, a.text->data, a.text->size) == 0) return true;
        }
        return false;
    }
    if (b.kind == UC_PV_OBJECT &&
        uc_py_class_find(b.object->class, uc_py_id(ev, "__contains__"), NULL))
        return uc_py_known_truth(ev, uc_py_call_method(ev, b, "__contains__", &a, 1));
    const uc_py_list *l = uc_py_elements(ev, b);
    for (size_t i = 0; l && i < l->count; i++) {
        const int same = uc_pv_equal(l->items[i], a, 0);
        if (same == 1) return true;
        if (same == -1) {
            uc_py_fail(ev, "only the data decides whether the list has this value");
            return false;
        }
    }
    return false;
}

static uc_pv compare_numbers(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b)
{
    static const char *const names[] = {"Equal",       "Equal",   "Less",
                                        "LessOrEqual", "Greater", "GreaterOrEqual"};
    if (a.symbolic || b.symbolic) {
        const uc_pv v = uc_py_symbolic(ev, names[op - UC_PY_EQ], a, b, UC_PV_BOOL);
        return op == UC_PY_NE ? uc_py_unary(ev, UC_PY_NOT, v) : v;
    }
    const double x = as_float(a), y = as_float(b);
    const bool ints = a.kind != UC_PV_FLOAT && b.kind != UC_PV_FLOAT;
    const int64_t i = ints ? as_int(a) : 0, k = ints ? as_int(b) : 0;
    switch ((int)op) {
    case UC_PY_EQ: return uc_pv_bool(ints ? i == k : x == y);
    case UC_PY_NE: return uc_pv_bool(ints ? i != k : x != y);
    case UC_PY_LT: return uc_pv_bool(ints ? i < k : x < y);
    case UC_PY_LE: return uc_pv_bool(ints ? i <= k : x <= y);
    case UC_PY_GT: return uc_pv_bool(ints ? i > k : x > y);
    default: return uc_pv_bool(ints ? i >= k : x >= y);
    }
}

/* Lists and texts in their order: the first difference decides. */
static uc_pv compare_order(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b)
{
    if (a.kind == UC_PV_TEXT && b.kind == UC_PV_TEXT) {
        const size_t n = a.text->size < b.text->size ? a.text->size : b.text->size;
        int c = n ? memcmp(a.text->data, b.text->data, n) : 0;
        if (c == 0) c = a.text->size < b.text->size ? -1 : a.text->size > b.text->size;
        return compare_numbers(ev, op, uc_pv_int(c), uc_pv_int(0));
    }
    if (uc_pv_is_list(a) && uc_pv_is_list(b)) {
        for (size_t i = 0; i < a.list->count && i < b.list->count; i++) {
            const int same = uc_pv_equal(a.list->items[i], b.list->items[i], 0);
            if (same == 0) return uc_py_compare(ev, op, a.list->items[i], b.list->items[i]);
            if (same < 0) return uc_py_fail(ev, "only the data decides this comparison");
        }
        return compare_numbers(ev, op, uc_pv_int((int64_t)a.list->count),
                               uc_pv_int((int64_t)b.list->count));
    }
    return uc_py_fail(ev, "%s and %s have no order", uc_pv_type_name(a), uc_pv_type_name(b));
}

static uc_pv compare_equal(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b)
{
    const int same = uc_pv_equal(a, b, 0);
    if (same >= 0) return uc_pv_bool((same == 1) == (op == UC_PY_EQ));
    if (!uc_pv_is_list(a) || !uc_pv_is_list(b))
        return uc_py_fail(ev, "only the data decides whether these are equal");
    /* Sizes as lists: all of their elements. */
    uc_pv all = uc_pv_bool(true);
    for (size_t i = 0; i < a.list->count && i < b.list->count && !ev->failed; i++) {
        const uc_pv one = uc_py_compare(ev, UC_PY_EQ, a.list->items[i], b.list->items[i]);
        if (one.symbolic)
            all = all.symbolic ? uc_py_symbolic(ev, "And", all, one, UC_PV_BOOL) : one;
    }
    return op == UC_PY_EQ ? all : uc_py_unary(ev, UC_PY_NOT, all);
}

uc_pv uc_py_compare(uc_py_eval *ev, uc_py_op op, uc_pv a, uc_pv b)
{
    if (ev->failed) return uc_pv_none();
    uc_pv own = uc_pv_none();
    if (op == UC_PY_IS || op == UC_PY_IS_NOT)
        return uc_pv_bool(uc_pv_same(a, b) == (op == UC_PY_IS));
    if (op == UC_PY_IN || op == UC_PY_NOT_IN)
        return uc_pv_bool(is_in(ev, a, b) == (op == UC_PY_IN));
    if (a.kind == UC_PV_NONE || b.kind == UC_PV_NONE) {
        if (op == UC_PY_EQ || op == UC_PY_NE)
            return uc_pv_bool((a.kind == b.kind) == (op == UC_PY_EQ));
    }
    if (a.kind == UC_PV_TENSOR || b.kind == UC_PV_TENSOR) return uc_py_binary(ev, op, a, b);
    if (is_number(a) && is_number(b)) return compare_numbers(ev, op, a, b);
    if (own_operator(ev, op, a, b, &own)) return own;
    if (op == UC_PY_EQ || op == UC_PY_NE) return compare_equal(ev, op, a, b);
    return compare_order(ev, op, a, b);
}
