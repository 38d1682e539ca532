/* torch's schemas as text to arguments in order. Source: torch 2.15, torch/csrc/jit/frontend/
 * function_schema_parser.cpp (the text), torch/csrc/utils/python_arg_parser.cpp (what fits a type). */
#include "import/pytorch/aten.h"

#include "base/text.h"

#include <stdlib.h>

typedef struct schema_row {
    const char *name, *text;
} schema_row;

static const schema_row rows[] = {
#define SCHEMA(name, text) {name, text},
#include "import/pytorch/aten_schema.def"
#undef SCHEMA
};

/* ---- reading --------------------------------------------------------------------------------- */

static uc_pv fallback_of(uc_py_eval *ev, uc_str s)
{
    int64_t i = 0;
    double f = 0;
    if (uc_str_is(s, "None")) return uc_pv_none();
    if (uc_str_is(s, "True") || uc_str_is(s, "False")) return uc_pv_bool(s.data[0] == 'T');
    if (s.size > 0 && s.data[0] == '"')
        return uc_pv_text(ev->arena, (uc_str){s.data + 1, s.size - 2});
    if (s.size > 0 && s.data[0] == '[') {
        uc_py_list *l = uc_py_list_new(ev, 0);
        size_t at = 1;
        while (l && at < s.size && s.data[at] != ']') {
            size_t end = at;
            while (end < s.size && s.data[end] != ',' && s.data[end] != ']')
                end++;
            uc_py_list_add(ev->arena, l,
                           fallback_of(ev, uc_text_trim((uc_str){s.data + at, end - at})));
            at = s.data[end] == ',' ? end + 1 : end;
        }
        return (uc_pv){.kind = UC_PV_LIST, .list = l};
    }
    if (uc_text_i64(s, &i)) return uc_pv_int(i);
    if (uc_text_f64(s, &f)) return uc_pv_float(f);
    return uc_pv_none(); /* contiguous_format, Mean: names of enumerations */
}

static uc_aten_type type_of(uc_str word, bool list)
{
    static const struct {
        const char *word;
        uc_aten_type one, many;
    } known[] = {
        {"Tensor", UC_ATEN_TENSOR, UC_ATEN_TENSORS}, {"int", UC_ATEN_INT, UC_ATEN_INTS},
        {"SymInt", UC_ATEN_INT, UC_ATEN_INTS},       {"float", UC_ATEN_FLOAT, UC_ATEN_FLOATS},
        {"bool", UC_ATEN_BOOL, UC_ATEN_BOOLS},       {"str", UC_ATEN_TEXT, UC_ATEN_ANY},
        {"Scalar", UC_ATEN_SCALAR, UC_ATEN_ANY},     {"ScalarType", UC_ATEN_DTYPE, UC_ATEN_ANY}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (uc_str_is(word, known[i].word)) return list ? known[i].many : known[i].one;
    }
    return UC_ATEN_ANY;
}

/* "SymInt[2] stride=[1, 1]" */
static void read_param(uc_py_eval *ev, uc_str s, uc_aten_param *p)
{
    size_t at = 0;
    while (at < s.size && s.data[at] != '[' && s.data[at] != '?' && s.data[at] != ' ')
        at++;
    const uc_str word = {s.data, at};
    bool list = false;
    p->list_of_any = uc_str_is(word, "t");
    while (at < s.size && s.data[at] != ' ') {
        if (s.data[at] == '[') list = true;
        if (s.data[at] >= '0' && s.data[at] <= '9') p->size = p->size * 10 + (s.data[at] - '0');
        if (s.data[at] == '?' && (!list || s.data[at - 1] == ']')) p->optional = true;
        at++;
    }
    p->type = type_of(word, list);
    at++;
    const size_t name = at;
    while (at < s.size && s.data[at] != '=')
        at++;
    p->name = uc_py_intern(&ev->names, (uc_str){s.data + name, at - name});
    p->fallback = at < s.size ? fallback_of(ev, (uc_str){s.data + at + 1, s.size - at - 1})
                              : UC_PV(UC_PV_UNSET);
}

static uc_aten_schema *read_schema(uc_py_eval *ev, const char *text)
{
    uc_aten_schema *s = UC_NEW(ev->arena, uc_aten_schema, 1);
    const size_t n = strlen(text);
    bool keyword = false;
    for (size_t at = 0; s && at < n && s->count < UC_ATEN_ARGS;) {
        size_t end = at;
        int depth = 0;
        for (; end < n && (depth > 0 || text[end] != ','); end++)
            depth += text[end] == '[' ? 1 : text[end] == ']' ? -1 : 0;
        const uc_str part = uc_text_trim((uc_str){text + at, end - at});
        at = end + 1;
        if (uc_str_is(part, "*")) {
            keyword = true;
            continue;
        }
        uc_aten_param *p = &s->params[s->count++];
        p->keyword = keyword;
        read_param(ev, part, p);
    }
    return s;
}

static int compare_row(const void *key, const void *row)
{
    return strcmp(key, ((const schema_row *)row)->name);
}

uc_aten_schema *uc_aten_schemas(uc_py_eval *ev, const char *name)
{
    if (!ev->schemas) ev->schemas = uc_table_new(ev->arena);
    if (!ev->schemas) return NULL;
    uc_aten_schema *known = uc_table_find(ev->schemas, uc_str_of(name));
    if (known) return known;
    const schema_row *row =
        bsearch(name, rows, sizeof rows / sizeof *rows, sizeof *rows, compare_row);
    if (!row) return NULL;
    while (row > rows && strcmp(row[-1].name, name) == 0)
        row--;
    uc_aten_schema *first = NULL, **last = &first;
    for (; row < rows + sizeof rows / sizeof *rows && strcmp(row->name, name) == 0; row++) {
        *last = read_schema(ev, row->text);
        if (!*last) return NULL;
        last = &(*last)->next;
    }
    uc_table_put(ev->schemas, uc_str_of(uc_py_id(ev, name)), first);
    return first;
}

/* ---- fitting --------------------------------------------------------------------------------- */

static bool list_fits(uc_pv v, uc_pv_kind kind, bool lenient)
{
    if (!uc_pv_is_list(v)) return false;
    for (size_t i = 0; i < v.list->count; i++) {
        const uc_pv e = v.list->items[i];
        if (e.kind == kind) continue;
        if (kind == UC_PV_TENSOR && e.kind == UC_PV_NONE) continue;
        if (kind == UC_PV_INT && (e.kind == UC_PV_TENSOR || e.kind == UC_PV_BOOL) && lenient)
            continue;
        if (kind == UC_PV_FLOAT && (e.kind == UC_PV_INT || e.kind == UC_PV_NONE)) continue;
        if (kind == UC_PV_INT && e.kind == UC_PV_FLOAT && lenient) continue;
        return false;
    }
    return true;
}

static bool is_scalar(uc_pv v)
{
    return v.kind == UC_PV_INT || v.kind == UC_PV_FLOAT || v.kind == UC_PV_BOOL ||
           v.kind == UC_PV_COMPLEX;
}

static bool fits(const uc_aten_param *p, uc_pv v, bool lenient)
{
    if (v.kind == UC_PV_NONE) return p->optional || p->type == UC_ATEN_ANY || lenient;
    switch ((int)p->type) {
    case UC_ATEN_TENSOR: return v.kind == UC_PV_TENSOR || (lenient && is_scalar(v));
    case UC_ATEN_TENSORS: return list_fits(v, UC_PV_TENSOR, lenient) || v.kind == UC_PV_SEQUENCE;
    case UC_ATEN_INT:
        return v.kind == UC_PV_INT || (lenient && (v.kind == UC_PV_BOOL || v.kind == UC_PV_TENSOR ||
                                                   v.kind == UC_PV_FLOAT));
    case UC_ATEN_INTS:
        return list_fits(v, UC_PV_INT, lenient) ||
               ((p->size > 0 || lenient) && v.kind == UC_PV_INT);
    case UC_ATEN_FLOAT:
        return v.kind == UC_PV_FLOAT || v.kind == UC_PV_INT || (lenient && v.kind == UC_PV_TENSOR);
    case UC_ATEN_FLOATS: return list_fits(v, UC_PV_FLOAT, lenient) || (lenient && is_scalar(v));
    case UC_ATEN_BOOL: return v.kind == UC_PV_BOOL || (lenient && is_scalar(v));
    case UC_ATEN_BOOLS: return list_fits(v, UC_PV_BOOL, lenient);
    case UC_ATEN_TEXT: return v.kind == UC_PV_TEXT;
    case UC_ATEN_SCALAR: return is_scalar(v) || (lenient && v.kind == UC_PV_TENSOR);
    case UC_ATEN_DTYPE: return v.kind == UC_PV_DTYPE || v.kind == UC_PV_INT;
    default: return !p->list_of_any || uc_pv_is_list(v);
    }
}

/* x.view(2, 3): the numbers are one list. */
static uc_pv gather_ints(uc_py_eval *ev, const uc_py_args *args, size_t *at)
{
    uc_py_list *l = uc_py_list_new(ev, 0);
    while (l && *at < args->count &&
           (args->items[*at].kind == UC_PV_INT || args->items[*at].kind == UC_PV_TENSOR))
        uc_py_list_add(ev->arena, l, args->items[(*at)++]);
    return (uc_pv){.kind = UC_PV_LIST, .list = l};
}

/* torch.nn's and NumPy's other names of the same thing. */
static uc_pv keyword_of(const uc_py_args *args, const uc_aten_param *p, size_t *used)
{
    static const char *const other[][2] = {{"dim", "axis"},
                                           {"keepdim", "keepdims"},
                                           {"self", "input"},
                                           {"self", "x"},
                                           {"input", "self"}};
    uc_pv v = uc_py_keyword(args, p->name);
    for (size_t i = 0; i < sizeof other / sizeof *other && v.kind == UC_PV_UNSET; i++) {
        if (strcmp(p->name, other[i][0]) == 0) v = uc_py_keyword(args, other[i][1]);
    }
    if (v.kind != UC_PV_UNSET) ++*used;
    return v;
}

bool uc_aten_bind(uc_aten_call *c, const uc_aten_schema *s, const uc_py_args *args, bool lenient)
{
    size_t at = 0, used = 0;
    for (int i = 0; i < s->count; i++) {
        const uc_aten_param *p = &s->params[i];
        uc_pv v = UC_PV(UC_PV_UNSET);
        if (at < args->count && !p->keyword) {
            const bool open_list = p->type == UC_ATEN_INTS && p->size == 0;
            if (open_list && args->items[at].kind == UC_PV_INT)
                v = gather_ints(c->ev, args, &at);
            else
                v = args->items[at++];
        } else {
            v = keyword_of(args, p, &used);
            if (v.kind == UC_PV_UNSET) v = p->fallback;
        }
        if (v.kind == UC_PV_UNSET) {
            if (!p->optional) return false;
            v = uc_pv_none();
        } else if (!fits(p, v, lenient) && !uc_pv_same(v, p->fallback)) {
            return false;
        }
        c->args[i] = v;
    }
    if (at < args->count) return false;
    for (size_t i = 0; i < args->named && used < args->named; i++) {
        /* What says where and how memory is kept, or autograd, changes no value. */
        static const char *const idle[] = {
            "requires_grad", "device", "memory_format", "out",       "pin_memory",
            "non_blocking",  "copy",   "layout",        "generator", "inplace"};
        bool skip = false;
        for (size_t k = 0; k < sizeof idle / sizeof *idle; k++)
            skip = skip || strcmp(args->names[i], idle[k]) == 0;
        bool known = false;
        for (int k = 0; k < s->count; k++)
            known = known || strcmp(s->params[k].name, args->names[i]) == 0;
        if (skip && !known) used++;
    }
    c->schema = s;
    return used >= args->named;
}
