/* Python's own functions, and the methods of its lists, dicts and texts. */
#include "import/pytorch/script_eval.h"

#include "base/text.h"

#include <math.h>

typedef uc_pv builtin_fn(uc_py_eval *ev, const uc_py_args *args);

static uc_pv first(const uc_py_args *a) { return a->count > 0 ? a->items[0] : uc_pv_none(); }

/* ---- numbers --------------------------------------------------------------------------------- */

static uc_pv b_len(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv v = first(a);
    switch ((int)v.kind) {
    case UC_PV_TEXT: return uc_pv_int((int64_t)v.text->size);
    case UC_PV_LIST:
    case UC_PV_TUPLE: return uc_pv_int((int64_t)v.list->count);
    case UC_PV_DICT:
    case UC_PV_SET: return uc_pv_int((int64_t)v.dict->count);
    case UC_PV_SEQUENCE:
        return uc_py_symbol(ev, UC_PV_INT,
                            uc_g1(ev->level->graph, "SequenceLength", uc_py_ref(ev, v.tensor)));
    case UC_PV_TENSOR:
        return uc_py_symbol(ev, UC_PV_INT, uc_t_size(uc_py_build(ev), uc_py_ref(ev, v.tensor), 0));
    case UC_PV_OBJECT:
        if (uc_py_class_find(v.object->class, uc_py_id(ev, "__len__"), NULL))
            return uc_py_call_method(ev, v, "__len__", NULL, 0);
        if (v.object->items.kind != UC_PV_NONE) {
            const uc_py_args inner = {.items = &v.object->items, .count = 1};
            return b_len(ev, &inner);
        }
        break;
    case UC_PV_RANGE: {
        const uc_py_list *l = uc_py_elements(ev, v);
        return l ? uc_pv_int((int64_t)l->count) : uc_pv_none();
    }
    default: break;
    }
    return uc_py_fail(ev, "%s has no length", uc_pv_type_name(v));
}

static uc_pv item(uc_py_eval *ev, uc_pv v, uc_pv_kind kind)
{
    const uc_ref ref = uc_py_ref(ev, v.tensor);
    return uc_py_symbol(ev, kind, ref);
}

static uc_pv b_int(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv v = first(a);
    int64_t i = 0;
    if (v.kind == UC_PV_TENSOR) return item(ev, v, UC_PV_INT);
    if (v.symbolic) {
        if (v.kind == UC_PV_INT) return v;
        return uc_py_symbol(ev, UC_PV_INT, uc_py_ref_of(ev, v, UNCORK_INT64));
    }
    if (v.kind == UC_PV_TEXT && uc_text_i64(*v.text, &i)) return uc_pv_int(i);
    if (v.kind == UC_PV_NONE && a->count == 0) return uc_pv_int(0);
    return uc_py_int(ev, v, &i) ? uc_pv_int(i) : uc_pv_none();
}

static uc_pv b_float(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv v = first(a);
    double f = 0;
    if (v.kind == UC_PV_TENSOR) return item(ev, v, UC_PV_FLOAT);
    if (v.symbolic) {
        if (v.kind == UC_PV_FLOAT) return v;
        return uc_py_symbol(ev, UC_PV_FLOAT, uc_py_ref_of(ev, v, UNCORK_FLOAT64));
    }
    if (v.kind == UC_PV_TEXT) {
        const uc_str s = uc_text_trim(*v.text);
        if (uc_str_is(s, "inf") || uc_str_is(s, "+inf") || uc_str_is(s, "infinity"))
            return uc_pv_float((double)INFINITY);
        if (uc_str_is(s, "-inf")) return uc_pv_float(-(double)INFINITY);
        if (uc_text_f64(s, &f)) return uc_pv_float(f);
    }
    return uc_py_float(ev, v, &f) ? uc_pv_float(f) : uc_pv_none();
}

static uc_pv b_bool(uc_py_eval *ev, const uc_py_args *a)
{
    uc_pv symbol = uc_pv_none();
    const int truth = uc_py_truth(ev, first(a), &symbol);
    return truth == -1 ? symbol : uc_pv_bool(truth == 1);
}

static uc_pv b_str(uc_py_eval *ev, const uc_py_args *a) { return uc_py_str(ev, first(a), 0); }

static uc_pv b_abs(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv v = first(a);
    if (v.kind == UC_PV_TENSOR) return uc_aten_run(ev, "aten", "abs", a);
    if (v.symbolic)
        return uc_py_symbol(ev, v.kind,
                            uc_g1(ev->level->graph, "Abs", uc_py_ref_of(ev, v, UNCORK_DTYPE_NONE)));
    if (v.kind == UC_PV_FLOAT) return uc_pv_float(fabs(v.f));
    return uc_pv_is(v, UC_PV_INT) && v.i < 0 ? uc_py_unary(ev, UC_PY_NEG, v) : v;
}

static uc_pv b_round(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv v = first(a);
    double f = 0;
    if (v.kind == UC_PV_TENSOR) return uc_aten_run(ev, "aten", "round", a);
    if (v.symbolic && v.kind == UC_PV_FLOAT)
        return uc_py_symbol(ev, UC_PV_INT,
                            uc_g1(ev->level->graph, "Round", uc_py_ref(ev, v.tensor)));
    if (v.kind != UC_PV_FLOAT) return v;
    if (!uc_py_float(ev, v, &f)) return uc_pv_none();
    int64_t digits = 0;
    if (a->count < 2) {
        uc_pv r = uc_pv_float(nearbyint(f));
        const uc_py_args one = {.items = &r, .count = 1};
        return b_int(ev, &one);
    }
    if (!uc_py_int(ev, a->items[1], &digits) || digits > 15 || digits < -15) return v;
    const double scale = pow(10, (double)digits);
    return uc_pv_float(nearbyint(f * scale) / scale);
}

/* The smaller (or larger) of two; a node where either is a symbol. */
static uc_pv extreme(uc_py_eval *ev, uc_pv a, uc_pv b, bool max)
{
    if (a.kind == UC_PV_TENSOR || b.kind == UC_PV_TENSOR) {
        const uc_pv more = uc_py_compare(ev, max ? UC_PY_GT : UC_PY_LT, b, a);
        uc_pv items[] = {more, b, a};
        return uc_aten_run(ev, "aten", "where", &(uc_py_args){.items = items, .count = 3});
    }
    if (a.symbolic || b.symbolic) {
        const uc_pv_kind kind =
            a.kind == UC_PV_FLOAT || b.kind == UC_PV_FLOAT ? UC_PV_FLOAT : UC_PV_INT;
        return uc_py_symbolic(ev, max ? "Max" : "Min", a, b, kind);
    }
    const uc_pv less = uc_py_compare(ev, max ? UC_PY_GT : UC_PY_LT, b, a);
    return less.kind == UC_PV_BOOL && less.b ? b : a;
}

static uc_pv extremes(uc_py_eval *ev, const uc_py_args *a, bool max)
{
    uc_py_list given = {.items = a->items, .count = a->count};
    const uc_py_list *l = a->count == 1 ? uc_py_elements(ev, a->items[0]) : &given;
    if (!l) return uc_pv_none();
    const uc_pv key = uc_py_keyword(a, "key"), fallback = uc_py_keyword(a, "default");
    if (l->count == 0)
        return fallback.kind != UC_PV_UNSET ? fallback : uc_py_fail(ev, "the largest of nothing");
    uc_pv best = l->items[0], best_key = best;
    for (size_t i = 0; i < l->count && !ev->failed; i++) {
        if (key.kind == UC_PV_UNSET || key.kind == UC_PV_NONE) {
            if (i > 0) best = extreme(ev, best, l->items[i], max);
            continue;
        }
        const uc_pv k = uc_py_call(ev, key, &(uc_py_args){.items = &l->items[i], .count = 1});
        if (i == 0 ||
            uc_py_known_truth(ev, uc_py_compare(ev, max ? UC_PY_GT : UC_PY_LT, k, best_key))) {
            best = l->items[i];
            best_key = k;
        }
    }
    return best;
}

static uc_pv b_max(uc_py_eval *ev, const uc_py_args *a) { return extremes(ev, a, true); }
static uc_pv b_min(uc_py_eval *ev, const uc_py_args *a) { return extremes(ev, a, false); }

static uc_pv b_sum(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_py_list *l = uc_py_elements(ev, first(a));
    uc_pv sum = a->count > 1 ? a->items[1] : uc_pv_int(0);
    for (size_t i = 0; l && i < l->count && !ev->failed; i++)
        sum = uc_py_binary(ev, UC_PY_ADD, sum, l->items[i]);
    return sum;
}

static uc_pv any_all(uc_py_eval *ev, const uc_py_args *a, bool all)
{
    const uc_py_list *l = uc_py_elements(ev, first(a));
    uc_pv symbol = uc_pv_bool(all);
    for (size_t i = 0; l && i < l->count && !ev->failed; i++) {
        uc_pv one = uc_pv_none();
        const int truth = uc_py_truth(ev, l->items[i], &one);
        if (truth == (int)!all) return uc_pv_bool(!all);
        if (truth == -1)
            symbol = symbol.symbolic
                         ? uc_py_symbolic(ev, all ? "And" : "Or", symbol, one, UC_PV_BOOL)
                         : one;
    }
    return symbol;
}

static uc_pv b_all(uc_py_eval *ev, const uc_py_args *a) { return any_all(ev, a, true); }
static uc_pv b_any(uc_py_eval *ev, const uc_py_args *a) { return any_all(ev, a, false); }

static uc_pv b_pow(uc_py_eval *ev, const uc_py_args *a)
{
    return a->count == 2 ? uc_py_binary(ev, UC_PY_POW, a->items[0], a->items[1])
                         : uc_py_fail(ev, "pow takes two numbers");
}

static uc_pv b_divmod(uc_py_eval *ev, const uc_py_args *a)
{
    if (a->count != 2) return uc_py_fail(ev, "divmod takes two numbers");
    const uc_pv parts[] = {uc_py_binary(ev, UC_PY_FLOORDIV, a->items[0], a->items[1]),
                           uc_py_binary(ev, UC_PY_MOD, a->items[0], a->items[1])};
    return uc_pv_list(ev, UC_PV_TUPLE, parts, 2);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static uc_pv b_range(uc_py_eval *ev, const uc_py_args *a)
{
    uc_pv bounds[3] = {uc_pv_int(0), first(a), uc_pv_int(1)};
    if (a->count > 1) {
        bounds[0] = a->items[0];
        bounds[1] = a->items[1];
    }
    if (a->count > 2) bounds[2] = a->items[2];
    if (bounds[1].kind == UC_PV_TENSOR) bounds[1] = item(ev, bounds[1], UC_PV_INT);
    int64_t *r = UC_NEW(ev->arena, int64_t, 3);
    if (!r) return uc_pv_none();
    if (bounds[1].symbolic && uc_pv_is(bounds[0], UC_PV_INT) && bounds[0].i == 0 &&
        uc_pv_is(bounds[2], UC_PV_INT) && bounds[2].i == 1)
        return (uc_pv){.kind = UC_PV_RANGE, .symbolic = true, .tensor = bounds[1].tensor};
    for (size_t i = 0; i < 3; i++) {
        if (!uc_py_int(ev, bounds[i], &r[i])) return uc_pv_none();
    }
    if (r[2] == 0) return uc_py_fail(ev, "range's step is 0");
    return (uc_pv){.kind = UC_PV_RANGE, .range = r};
}

static uc_pv copy_of(uc_py_eval *ev, uc_pv v, uc_pv_kind kind)
{
    const uc_py_list *l = uc_py_elements(ev, v);
    return l ? uc_pv_list(ev, kind, l->items, l->count) : uc_pv_none();
}

static uc_pv b_list(uc_py_eval *ev, const uc_py_args *a)
{
    if (a->count == 0) return uc_pv_list(ev, UC_PV_LIST, NULL, 0);
    return a->items[0].kind == UC_PV_SEQUENCE ? a->items[0] : copy_of(ev, a->items[0], UC_PV_LIST);
}

static uc_pv b_tuple(uc_py_eval *ev, const uc_py_args *a)
{
    return a->count ? copy_of(ev, a->items[0], UC_PV_TUPLE) : uc_pv_list(ev, UC_PV_TUPLE, NULL, 0);
}

static uc_pv b_reversed(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv v = copy_of(ev, first(a), UC_PV_LIST);
    for (size_t i = 0; v.kind == UC_PV_LIST && i < v.list->count / 2; i++) {
        const uc_pv swap = v.list->items[i];
        v.list->items[i] = v.list->items[v.list->count - 1 - i];
        v.list->items[v.list->count - 1 - i] = swap;
    }
    return v;
}

static uc_pv b_enumerate(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_py_list *l = uc_py_elements(ev, first(a));
    uc_py_list *out = uc_py_list_new(ev, l ? l->count : 0);
    const uc_pv start = uc_py_arg(a, 1, "start");
    int64_t begin = 0;
    if (start.kind != UC_PV_UNSET && !uc_py_int(ev, start, &begin)) return uc_pv_none();
    for (size_t i = 0; l && out && i < l->count; i++) {
        const uc_pv pair[] = {uc_pv_int(begin + (int64_t)i), l->items[i]};
        uc_py_list_add(ev->arena, out, uc_pv_list(ev, UC_PV_TUPLE, pair, 2));
    }
    return out ? (uc_pv){.kind = UC_PV_LIST, .list = out} : uc_pv_none();
}

static uc_pv b_zip(uc_py_eval *ev, const uc_py_args *a)
{
    uc_py_list **lists = UC_NEW(ev->arena, uc_py_list *, a->count + 1);
    uc_pv *row = UC_NEW(ev->arena, uc_pv, a->count + 1);
    uc_py_list *out = uc_py_list_new(ev, 0);
    size_t n = a->count ? SIZE_MAX : 0;
    for (size_t i = 0; lists && i < a->count; i++) {
        lists[i] = uc_py_elements(ev, a->items[i]);
        if (!lists[i]) return uc_pv_none();
        if (lists[i]->count < n) n = lists[i]->count;
    }
    for (size_t k = 0; out && row && k < n; k++) {
        for (size_t i = 0; i < a->count; i++)
            row[i] = lists[i]->items[k];
        uc_py_list_add(ev->arena, out, uc_pv_list(ev, UC_PV_TUPLE, row, a->count));
    }
    return out ? (uc_pv){.kind = UC_PV_LIST, .list = out} : uc_pv_none();
}

static uc_pv b_map(uc_py_eval *ev, const uc_py_args *a)
{
    if (a->count < 2) return uc_py_fail(ev, "map takes a function and a list");
    const uc_py_args rest = {.items = a->items + 1, .count = a->count - 1};
    const uc_pv rows = b_zip(ev, &rest);
    uc_py_list *out = uc_py_list_new(ev, 0);
    for (size_t i = 0; out && rows.kind == UC_PV_LIST && i < rows.list->count && !ev->failed; i++) {
        const uc_py_list *row = rows.list->items[i].list;
        uc_py_list_add(
            ev->arena, out,
            uc_py_call(ev, a->items[0], &(uc_py_args){.items = row->items, .count = row->count}));
    }
    return out ? (uc_pv){.kind = UC_PV_LIST, .list = out} : uc_pv_none();
}

static uc_pv b_filter(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_py_list *l = a->count == 2 ? uc_py_elements(ev, a->items[1]) : NULL;
    uc_py_list *out = uc_py_list_new(ev, 0);
    for (size_t i = 0; out && l && i < l->count && !ev->failed; i++) {
        uc_pv keep = l->items[i];
        if (a->items[0].kind != UC_PV_NONE)
            keep = uc_py_call(ev, a->items[0], &(uc_py_args){.items = &keep, .count = 1});
        if (uc_py_known_truth(ev, keep)) uc_py_list_add(ev->arena, out, l->items[i]);
    }
    return out ? (uc_pv){.kind = UC_PV_LIST, .list = out} : uc_pv_none();
}

/* Stable, by insertion: lists that models sort are short. */
static void sort_items(uc_py_eval *ev, uc_py_list *l, uc_pv key, bool reverse)
{
    uc_pv *keys = UC_NEW(ev->arena, uc_pv, l->count + 1);
    if (!keys || l->count > 4096) {
        uc_py_fail(ev, "a list of %zu elements is sorted", l->count);
        return;
    }
    for (size_t i = 0; i < l->count && !ev->failed; i++) {
        keys[i] = key.kind == UC_PV_UNSET || key.kind == UC_PV_NONE
                      ? l->items[i]
                      : uc_py_call(ev, key, &(uc_py_args){.items = &l->items[i], .count = 1});
    }
    for (size_t i = 1; i < l->count && uc_py_step(ev); i++) {
        const uc_pv v = l->items[i], k = keys[i];
        size_t at = i;
        for (; at > 0; at--) {
            const uc_pv before = uc_py_compare(ev, reverse ? UC_PY_GT : UC_PY_LT, k, keys[at - 1]);
            if (ev->failed || !uc_py_known_truth(ev, before)) break;
            l->items[at] = l->items[at - 1];
            keys[at] = keys[at - 1];
        }
        l->items[at] = v;
        keys[at] = k;
    }
}

static uc_pv b_sorted(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv v = copy_of(ev, first(a), UC_PV_LIST);
    const uc_pv reverse = uc_py_keyword(a, "reverse");
    if (v.kind == UC_PV_LIST)
        sort_items(ev, v.list, uc_py_keyword(a, "key"),
                   reverse.kind != UC_PV_UNSET && uc_py_known_truth(ev, reverse));
    return v;
}

static uc_pv b_dict(uc_py_eval *ev, const uc_py_args *a)
{
    uc_py_dict *d = uc_py_dict_new(ev);
    if (!d) return uc_pv_none();
    const uc_pv from = first(a);
    if (from.kind == UC_PV_DICT) {
        for (size_t i = 0; i < from.dict->count; i++)
            uc_py_dict_put(ev->arena, d, from.dict->keys[i], from.dict->values[i]);
    } else if (a->count > 0) {
        const uc_py_list *pairs = uc_py_elements(ev, from);
        for (size_t i = 0; pairs && i < pairs->count; i++) {
            const uc_py_list *pair = uc_py_elements(ev, pairs->items[i]);
            if (!pair || pair->count != 2) return uc_py_fail(ev, "a dict is made of pairs");
            uc_py_dict_put(ev->arena, d, pair->items[0], pair->items[1]);
        }
    }
    for (size_t i = 0; i < a->named; i++)
        uc_py_dict_put(ev->arena, d, uc_pv_text(ev->arena, uc_str_of(a->names[i])), a->values[i]);
    return (uc_pv){.kind = UC_PV_DICT, .dict = d};
}

static uc_pv b_set(uc_py_eval *ev, const uc_py_args *a)
{
    uc_py_dict *d = uc_py_dict_new(ev);
    const uc_py_list *l = a->count ? uc_py_elements(ev, a->items[0]) : NULL;
    for (size_t i = 0; d && l && i < l->count; i++)
        uc_py_dict_put(ev->arena, d, l->items[i], uc_pv_none());
    return d ? (uc_pv){.kind = UC_PV_SET, .dict = d} : uc_pv_none();
}

/* ---- objects --------------------------------------------------------------------------------- */

static bool is_a(uc_pv v, uc_pv type)
{
    static const struct {
        const char *name;
        uc_pv_kind kind, also;
    } names[] = {{"int", UC_PV_INT, UC_PV_BOOL},         {"float", UC_PV_FLOAT, UC_PV_FLOAT},
                 {"bool", UC_PV_BOOL, UC_PV_BOOL},       {"str", UC_PV_TEXT, UC_PV_TEXT},
                 {"list", UC_PV_LIST, UC_PV_SEQUENCE},   {"tuple", UC_PV_TUPLE, UC_PV_TUPLE},
                 {"dict", UC_PV_DICT, UC_PV_DICT},       {"set", UC_PV_SET, UC_PV_SET},
                 {"Tensor", UC_PV_TENSOR, UC_PV_TENSOR}, {"Parameter", UC_PV_TENSOR, UC_PV_TENSOR},
                 {"List", UC_PV_LIST, UC_PV_SEQUENCE},   {"Tuple", UC_PV_TUPLE, UC_PV_TUPLE},
                 {"Dict", UC_PV_DICT, UC_PV_DICT},       {"OrderedDict", UC_PV_DICT, UC_PV_DICT},
                 {"slice", UC_PV_SLICE, UC_PV_SLICE},    {"range", UC_PV_RANGE, UC_PV_RANGE},
                 {"NoneType", UC_PV_NONE, UC_PV_NONE},   {"device", UC_PV_DEVICE, UC_PV_DEVICE},
                 {"Mapping", UC_PV_DICT, UC_PV_DICT},    {"Sequence", UC_PV_LIST, UC_PV_TUPLE},
                 {"Iterable", UC_PV_LIST, UC_PV_TUPLE},  {"Number", UC_PV_INT, UC_PV_FLOAT},
                 {"Size", UC_PV_LIST, UC_PV_TUPLE}};
    if (uc_pv_is_list(type)) {
        for (size_t i = 0; i < type.list->count; i++) {
            if (is_a(v, type.list->items[i])) return true;
        }
        return false;
    }
    if (type.kind == UC_PV_NONE) return v.kind == UC_PV_NONE;
    if (type.kind == UC_PV_CLASS) {
        if (v.kind == UC_PV_TUPLE) return v.list->class == type.class;
        return v.kind == UC_PV_OBJECT && uc_py_class_is(v.object->class, type.class);
    }
    if (type.kind != UC_PV_PATH) return false;
    const char *dot = strrchr(type.path, '.');
    const char *name = dot ? dot + 1 : type.path;
    if (strcmp(name, "Callable") == 0)
        return v.kind == UC_PV_FUNCTION || v.kind == UC_PV_METHOD || v.kind == UC_PV_CLASS;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i].name) == 0)
            return v.kind == names[i].kind || v.kind == names[i].also;
    }
    return false;
}

static uc_pv b_isinstance(uc_py_eval *ev, const uc_py_args *a)
{
    if (a->count != 2) return uc_py_fail(ev, "isinstance takes two arguments");
    return uc_pv_bool(is_a(a->items[0], a->items[1]));
}

static uc_pv b_issubclass(uc_py_eval *ev, const uc_py_args *a)
{
    (void)ev;
    return uc_pv_bool(a->count == 2 && a->items[0].kind == UC_PV_CLASS &&
                      a->items[1].kind == UC_PV_CLASS &&
                      uc_py_class_is(a->items[0].class, a->items[1].class));
}

static uc_pv b_getattr(uc_py_eval *ev, const uc_py_args *a)
{
    const char *name = a->count >= 2 ? uc_py_text(ev, a->items[1]) : NULL;
    if (!name) return uc_py_fail(ev, "getattr takes a value and a name");
    if (a->count == 2) return uc_py_attr(ev, a->items[0], uc_py_id(ev, name));
    const uc_pv v = uc_py_find_attr(ev, a->items[0], uc_py_id(ev, name));
    return v.kind == UC_PV_UNSET ? a->items[2] : v;
}

static uc_pv b_hasattr(uc_py_eval *ev, const uc_py_args *a)
{
    const char *name = a->count == 2 ? uc_py_text(ev, a->items[1]) : NULL;
    if (!name) return uc_py_fail(ev, "hasattr takes a value and a name");
    if (a->items[0].kind == UC_PV_TENSOR || a->items[0].kind == UC_PV_PATH) return uc_pv_bool(true);
    if (a->items[0].kind == UC_PV_OBJECT && strcmp(name, "training") == 0) return uc_pv_bool(true);
    return uc_pv_bool(uc_py_find_attr(ev, a->items[0], uc_py_id(ev, name)).kind != UC_PV_UNSET);
}

static uc_pv b_setattr(uc_py_eval *ev, const uc_py_args *a)
{
    const char *name = a->count == 3 ? uc_py_text(ev, a->items[1]) : NULL;
    if (!name) return uc_py_fail(ev, "setattr takes a value, a name and a value");
    uc_py_set_attr(ev, a->items[0], uc_py_id(ev, name), a->items[2]);
    return uc_pv_none();
}

static uc_pv b_type(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv v = first(a);
    if (v.kind == UC_PV_OBJECT) return (uc_pv){.kind = UC_PV_CLASS, .class = v.object->class};
    return uc_py_library(ev, uc_pv_type_name(v));
}

static uc_pv b_callable(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_pv v = first(a);
    (void)ev;
    return uc_pv_bool(v.kind == UC_PV_FUNCTION || v.kind == UC_PV_METHOD || v.kind == UC_PV_CLASS ||
                      v.kind == UC_PV_PATH || v.kind == UC_PV_OBJECT);
}

static uc_pv b_none(uc_py_eval *ev, const uc_py_args *a)
{
    (void)ev, (void)a;
    return uc_pv_none();
}

static uc_pv b_same(uc_py_eval *ev, const uc_py_args *a)
{
    (void)ev;
    return first(a);
}

static uc_pv b_iter(uc_py_eval *ev, const uc_py_args *a)
{
    return copy_of(ev, first(a), UC_PV_LIST);
}

static uc_pv b_next(uc_py_eval *ev, const uc_py_args *a)
{
    const uc_py_list *l = uc_py_elements(ev, first(a));
    if (l && l->count > 0) return l->items[0];
    return a->count > 1 ? a->items[1] : uc_py_fail(ev, "there is no next element");
}

static uc_pv b_id(uc_py_eval *ev, const uc_py_args *a)
{
    (void)ev;
    return uc_pv_int((int64_t)(uintptr_t)first(a).path);
}

static uc_pv b_vars(uc_py_eval *ev, const uc_py_args *a)
{
    return uc_py_attr(ev, first(a), uc_py_id(ev, "__dict__"));
}

static uc_pv b_slice(uc_py_eval *ev, const uc_py_args *a)
{
    uc_pv *p = UC_NEW(ev->arena, uc_pv, 3);
    if (!p) return uc_pv_none();
    for (size_t i = 0; i < 3 && i < a->count; i++)
        p[a->count == 1 ? 1 : i] = a->items[i];
    return (uc_pv){.kind = UC_PV_SLICE, .slice = p};
}

static const struct {
    const char *name;
    builtin_fn *run;
} builtins[] = {{"len", b_len},
                {"int", b_int},
                {"float", b_float},
                {"bool", b_bool},
                {"str", b_str},
                {"repr", b_str},
                {"abs", b_abs},
                {"round", b_round},
                {"max", b_max},
                {"min", b_min},
                {"sum", b_sum},
                {"all", b_all},
                {"any", b_any},
                {"pow", b_pow},
                {"divmod", b_divmod},
                {"range", b_range},
                {"list", b_list},
                {"tuple", b_tuple},
                {"reversed", b_reversed},
                {"enumerate", b_enumerate},
                {"zip", b_zip},
                {"map", b_map},
                {"filter", b_filter},
                {"sorted", b_sorted},
                {"dict", b_dict},
                {"set", b_set},
                {"frozenset", b_set},
                {"isinstance", b_isinstance},
                {"issubclass", b_issubclass},
                {"getattr", b_getattr},
                {"hasattr", b_hasattr},
                {"setattr", b_setattr},
                {"type", b_type},
                {"callable", b_callable},
                {"print", b_none},
                {"iter", b_iter},
                {"next", b_next},
                {"id", b_id},
                {"vars", b_vars},
                {"slice", b_slice},
                {"object", b_none},
                {"property", b_same},
                {"staticmethod", b_same},
                {"classmethod", b_same},
                {"format", b_str},
                {"delattr", b_none}};

static const char *const plain_names[] = {"Exception",
                                          "ValueError",
                                          "TypeError",
                                          "RuntimeError",
                                          "NotImplementedError",
                                          "KeyError",
                                          "IndexError",
                                          "AssertionError",
                                          "AttributeError",
                                          "ImportError",
                                          "NotImplemented",
                                          "bytes",
                                          "complex",
                                          "super",
                                          "__name__",
                                          "__file__",
                                          "ModuleNotFoundError",
                                          "StopIteration",
                                          "Warning",
                                          "UserWarning",
                                          "DeprecationWarning",
                                          "ZeroDivisionError",
                                          "OSError",
                                          "FileNotFoundError"};

bool uc_py_is_builtin(const char *name)
{
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        if (strcmp(builtins[i].name, name) == 0) return true;
    }
    for (size_t i = 0; i < sizeof plain_names / sizeof *plain_names; i++) {
        if (strcmp(plain_names[i], name) == 0) return true;
    }
    return false;
}

uc_pv uc_py_builtin(uc_py_eval *ev, const char *name, const uc_py_args *args)
{
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        if (strcmp(builtins[i].name, name) == 0) return builtins[i].run(ev, args);
    }
    return UC_PV(UC_PV_UNSET);
}
