/* Expressions. */
#include "import/pytorch/script_eval.h"

#include "base/text.h"

#include <stdio.h>

/* ---- truth ----------------------------------------------------------------------------------- */

int uc_py_truth(uc_py_eval *ev, uc_pv v, uc_pv *symbol)
{
    if (ev->failed) return -2;
    if (v.kind == UC_PV_TENSOR || v.symbolic) {
        uc_t_build *b = uc_py_build(ev);
        uc_ref x = v.kind == UC_PV_TENSOR ? uc_py_ref(ev, v.tensor)
                                          : uc_py_ref_of(ev, v, UNCORK_DTYPE_NONE);
        if (uc_t_rank(b, x) != 0) x = uc_t_reshape(b, x, NULL, 0);
        if (uc_t_dtype(b, x) != UNCORK_BOOL) x = uc_g_cast(b->graph, x, UNCORK_BOOL);
        *symbol = uc_py_symbol(ev, UC_PV_BOOL, x);
        if (ev->failed) return -2;
        return symbol->symbolic ? -1 : symbol->b;
    }
    switch ((int)v.kind) {
    case UC_PV_NONE: return 0;
    case UC_PV_BOOL: return v.b;
    case UC_PV_INT: return v.i != 0;
    case UC_PV_FLOAT: return v.f != 0;
    case UC_PV_TEXT: return v.text->size > 0;
    case UC_PV_LIST:
    case UC_PV_TUPLE: return v.list->count > 0;
    case UC_PV_DICT:
    case UC_PV_SET: return v.dict->count > 0;
    case UC_PV_OBJECT:
        if (v.object->items.kind != UC_PV_NONE) return uc_py_truth(ev, v.object->items, symbol);
        return 1;
    case UC_PV_RANGE: {
        uc_py_list *l = uc_py_elements(ev, v);
        return l ? l->count > 0 : -2;
    }
    case UC_PV_SEQUENCE: {
        uc_ref n = uc_g1(ev->level->graph, "SequenceLength", uc_py_ref(ev, v.tensor));
        *symbol = uc_py_symbol(ev, UC_PV_BOOL, uc_g_cast(ev->level->graph, n, UNCORK_BOOL));
        return ev->failed ? -2 : symbol->symbolic ? -1 : symbol->b;
    }
    case UC_PV_UNSET: uc_py_fail(ev, "a value that isn't set is tested"); return -2;
    default: return 1;
    }
}

bool uc_py_known_truth(uc_py_eval *ev, uc_pv v)
{
    uc_pv symbol = uc_pv_none();
    const int truth = uc_py_truth(ev, v, &symbol);
    if (truth == -1)
        uc_py_fail(ev, "only the data decides this condition, and it must be known here");
    return truth == 1;
}

/* ---- conversions ----------------------------------------------------------------------------- */

bool uc_py_int(uc_py_eval *ev, uc_pv v, int64_t *out)
{
    if (ev->failed) return false;
    if (v.kind == UC_PV_TENSOR) {
        if (uc_t_known(uc_py_build(ev), uc_py_ref(ev, v.tensor), out, 1) == 1) return true;
        uc_py_fail(ev, "a number that only the data decides is needed at import");
        return false;
    }
    if (v.symbolic) {
        uc_py_fail(ev,
                   "a number that only the data or the input's size decides is needed at import");
        return false;
    }
    switch ((int)v.kind) {
    case UC_PV_BOOL: *out = v.b; return true;
    case UC_PV_INT:
    case UC_PV_DTYPE: *out = v.i; return true;
    case UC_PV_FLOAT:
        if (!(v.f > -9.2e18 && v.f < 9.2e18)) break;
        *out = (int64_t)v.f;
        return true;
    default: break;
    }
    uc_py_fail(ev, "a number is needed, not %s", uc_pv_type_name(v));
    return false;
}

bool uc_py_float(uc_py_eval *ev, uc_pv v, double *out)
{
    int64_t i = 0;
    if (uc_pv_is(v, UC_PV_FLOAT)) {
        *out = v.f;
        return !ev->failed;
    }
    if (v.kind == UC_PV_TENSOR && !ev->failed) {
        const uc_value *known = uc_look_at(&uc_py_build(ev)->look, uc_py_ref(ev, v.tensor));
        if (uc_value_is_known(known) && uc_tensor_count(&known->tensor) == 1 &&
            known->tensor.data) {
            *out = uc_dtype_load_f64(known->tensor.data, 0, known->tensor.dtype);
            return true;
        }
    }
    if (!uc_py_int(ev, v, &i)) return false;
    *out = (double)i;
    return true;
}

const char *uc_py_text(uc_py_eval *ev, uc_pv v)
{
    if (v.kind == UC_PV_TEXT) return uc_arena_copy(ev->arena, v.text->data, v.text->size);
    uc_py_fail(ev, "a text is needed, not %s", uc_pv_type_name(v));
    return NULL;
}

static void write_str(uc_py_eval *ev, uc_writer *w, uc_pv v, bool quoted, int depth)
{
    char number[32];
    if (v.symbolic || v.kind == UC_PV_TENSOR) {
        uc_writer_printf(w, "<%s>", uc_pv_type_name(v));
        return;
    }
    switch ((int)v.kind) {
    case UC_PV_NONE: uc_writer_printf(w, "None"); break;
    case UC_PV_BOOL: uc_writer_printf(w, v.b ? "True" : "False"); break;
    case UC_PV_INT: uc_writer_printf(w, "%lld", (long long)v.i); break;
    case UC_PV_FLOAT: uc_writer_printf(w, "%.*s", (int)uc_f64_text(v.f, number), number); break;
    case UC_PV_TEXT:
        uc_writer_printf(w, quoted ? "'%.*s'" : "%.*s", (int)v.text->size, v.text->data);
        break;
    case UC_PV_LIST:
    case UC_PV_TUPLE:
        uc_writer_printf(w, v.kind == UC_PV_LIST ? "[" : "(");
        for (size_t i = 0; i < v.list->count && depth < 4 && i < 1000; i++) {
            if (i) uc_writer_printf(w, ", ");
            write_str(ev, w, v.list->items[i], true, depth + 1);
        }
        if (v.kind == UC_PV_TUPLE && v.list->count == 1) uc_writer_printf(w, ",");
        uc_writer_printf(w, v.kind == UC_PV_LIST ? "]" : ")");
        break;
    default: uc_writer_printf(w, "<%s>", uc_pv_type_name(v));
    }
}

uc_pv uc_py_str(uc_py_eval *ev, uc_pv v, int depth)
{
    if (v.kind == UC_PV_TEXT) return v;
    uc_writer w;
    uc_writer_init(&w, (size_t)1 << 20);
    write_str(ev, &w, v, false, depth);
    const uc_pv text = w.status ? uc_py_fail(ev, "a text is too long")
                                : uc_pv_text(ev->arena, (uc_str){(const char *)w.data, w.size});
    uc_writer_done(&w);
    return text;
}

/* ---- displays and comprehensions ------------------------------------------------------------- */

static uc_pv list_of(uc_py_eval *ev, const uc_py_node *n, uc_pv_kind kind)
{
    uc_py_list *l = uc_py_list_new(ev, n->list.count);
    for (size_t i = 0; l && i < n->list.count && !ev->failed; i++) {
        const uc_py_node *item = n->list.items[i];
        if (item->kind != UC_PY_STAR) {
            uc_py_list_add(ev->arena, l, uc_py_value(ev, item));
            continue;
        }
        uc_py_list *more = uc_py_elements(ev, uc_py_value(ev, item->a));
        for (size_t k = 0; more && k < more->count; k++)
            uc_py_list_add(ev->arena, l, more->items[k]);
    }
    return l && !ev->failed ? (uc_pv){.kind = (uint8_t)kind, .list = l} : uc_pv_none();
}

static uc_pv dict_of(uc_py_eval *ev, const uc_py_node *n)
{
    uc_py_dict *d = uc_py_dict_new(ev);
    for (size_t i = 0; d && i < n->list.count && !ev->failed;) {
        if (n->kind == UC_PY_SET) {
            uc_py_dict_put(ev->arena, d, uc_py_value(ev, n->list.items[i]), uc_pv_none());
            i++;
            continue;
        }
        if (n->list.items[i]->kind == UC_PY_STARS) {
            const uc_pv other = uc_py_value(ev, n->list.items[i]->a);
            if (other.kind != UC_PV_DICT) return uc_py_fail(ev, "** takes a dict");
            for (size_t k = 0; k < other.dict->count; k++)
                uc_py_dict_put(ev->arena, d, other.dict->keys[k], other.dict->values[k]);
        } else {
            const uc_pv key = uc_py_value(ev, n->list.items[i]);
            uc_py_dict_put(ev->arena, d, key, uc_py_value(ev, n->list.items[i + 1]));
        }
        i += 2;
    }
    if (!d || ev->failed) return uc_pv_none();
    return (uc_pv){.kind = n->kind == UC_PY_SET ? UC_PV_SET : UC_PV_DICT, .dict = d};
}

/* The clauses from `at` on; what they find is added to list or dict. */
static void comprehend(uc_py_eval *ev, const uc_py_node *n, size_t at, uc_py_list *list,
                       uc_py_dict *dict)
{
    if (at == n->list.count) {
        if (n->kind == UC_PY_DICTCOMP) {
            const uc_pv key = uc_py_value(ev, n->a);
            uc_py_dict_put(ev->arena, dict, key, uc_py_value(ev, n->b));
        } else if (n->kind == UC_PY_SETCOMP) {
            uc_py_dict_put(ev->arena, dict, uc_py_value(ev, n->a), uc_pv_none());
        } else {
            uc_py_list_add(ev->arena, list, uc_py_value(ev, n->a));
        }
        return;
    }
    const uc_py_node *clause = n->list.items[at];
    uc_py_list *over = uc_py_elements(ev, uc_py_value(ev, clause->b));
    for (size_t i = 0; over && i < over->count && uc_py_step(ev); i++) {
        uc_py_assign(ev, clause->a, over->items[i]);
        bool wanted = true;
        for (size_t c = 0; c < clause->list.count && wanted && !ev->failed; c++)
            wanted = uc_py_known_truth(ev, uc_py_value(ev, clause->list.items[c]));
        if (wanted && !ev->failed) comprehend(ev, n, at + 1, list, dict);
    }
}

static uc_pv comprehension(uc_py_eval *ev, const uc_py_node *n)
{
    uc_py_frame frame = {.module = ev->frame->module,
                         .closure = ev->frame,
                         .function = ev->frame->function,
                         .self = ev->frame->self,
                         .owner = ev->frame->owner};
    uc_py_frame *kept = UC_NEW(ev->arena, uc_py_frame, 1);
    uc_py_list *list = uc_py_list_new(ev, 0);
    uc_py_dict *dict = uc_py_dict_new(ev);
    if (!list || !dict || !kept) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    *kept = frame; /* lambdas within may keep it */
    kept->names = &kept->own;
    kept->own.born = ev->epoch;
    ev->frame = kept;
    comprehend(ev, n, 0, list, dict);
    ev->frame = kept->closure;
    if (ev->failed) return uc_pv_none();
    if (n->kind == UC_PY_DICTCOMP) return (uc_pv){.kind = UC_PV_DICT, .dict = dict};
    if (n->kind == UC_PY_SETCOMP) return (uc_pv){.kind = UC_PV_SET, .dict = dict};
    return (uc_pv){.kind = UC_PV_LIST, .list = list};
}

static uc_pv format_of(uc_py_eval *ev, const uc_py_node *n)
{
    uc_writer w;
    uc_writer_init(&w, (size_t)1 << 20);
    for (size_t i = 0; i < n->list.count && !ev->failed; i++) {
        const uc_py_node *part = n->list.items[i];
        const uc_pv v = part->kind == UC_PY_TEXT ? uc_pv_none() : uc_py_value(ev, part->a);
        if (part->kind == UC_PY_TEXT) {
            uc_writer_printf(&w, "%.*s", (int)part->text.size, part->text.data);
        } else if (uc_pv_is(v, UC_PV_INT) && part->text.size > 0) {
            /* 03d, 2d */
            int width = 0;
            bool zero = false;
            for (size_t k = 0; k < part->text.size; k++) {
                const char c = part->text.data[k];
                if (c == '0' && width == 0) zero = true;
                if (c >= '0' && c <= '9' && width < 100) width = width * 10 + (c - '0');
            }
            uc_writer_printf(&w, zero ? "%0*lld" : "%*lld", width, (long long)v.i);
        } else {
            write_str(ev, &w, v, false, 0);
        }
    }
    const uc_pv text = w.status ? uc_py_fail(ev, "a text is too long")
                                : uc_pv_text(ev->arena, (uc_str){(const char *)w.data, w.size});
    uc_writer_done(&w);
    return text;
}

/* ---- operators that don't evaluate both sides ------------------------------------------------ */

static uc_pv both_or_either(uc_py_eval *ev, const uc_py_node *n)
{
    const bool is_and = n->kind == UC_PY_BOTH;
    const uc_pv a = uc_py_value(ev, n->a);
    uc_pv symbol = uc_pv_none();
    const int truth = uc_py_truth(ev, a, &symbol);
    if (ev->failed || truth == -2) return uc_pv_none();
    if (truth >= 0) return truth == (int)is_and ? uc_py_value(ev, n->b) : a;
    /* Both sides are computed: neither has an effect that shows. */
    const uc_pv b = uc_py_value(ev, n->b);
    uc_pv other = uc_pv_none();
    const int right = uc_py_truth(ev, b, &other);
    if (ev->failed || right == -2) return uc_pv_none();
    if (right >= 0) {
        if (right == (int)is_and) return symbol;
        return uc_pv_bool(!is_and);
    }
    return uc_py_symbolic(ev, is_and ? "And" : "Or", symbol, other, UC_PV_BOOL);
}

static uc_pv ternary(uc_py_eval *ev, const uc_py_node *n)
{
    uc_pv symbol = uc_pv_none();
    const int truth = uc_py_truth(ev, uc_py_value(ev, n->b), &symbol);
    if (ev->failed || truth == -2) return uc_pv_none();
    if (truth == -1) return uc_py_choose(ev, symbol, n->a, n->c);
    return uc_py_value(ev, truth ? n->a : n->c);
}

static uc_pv compare_chain(uc_py_eval *ev, const uc_py_node *n)
{
    uc_pv left = uc_py_value(ev, n->a), all = uc_pv_bool(true);
    for (size_t i = 0; i < n->list.count && !ev->failed; i++) {
        const uc_pv right = uc_py_value(ev, n->list.items[i]->a);
        const uc_pv one = uc_py_compare(ev, (uc_py_op)n->list.items[i]->op, left, right);
        if (n->list.count == 1) return one;
        uc_pv symbol = uc_pv_none();
        const int truth = uc_py_truth(ev, one, &symbol);
        if (truth == 0) return uc_pv_bool(false);
        if (truth == -1)
            all = all.symbolic ? uc_py_symbolic(ev, "And", all, symbol, UC_PV_BOOL) : symbol;
        left = right;
    }
    return all;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static uc_pv name_value(uc_py_eval *ev, const uc_py_node *n)
{
    const uc_pv *found = uc_py_lookup(ev, n->name);
    if (found) {
        if (found->kind == UC_PV_UNSET && !ev->script)
            return uc_py_fail(ev, "'%s' is set on one side of a condition only", n->name);
        return *found;
    }
    if (ev->failed) return uc_pv_none();
    if (ev->host.resolve) {
        const uc_pv v = ev->host.resolve(ev, ev->host.context, n->name);
        if (v.kind != UC_PV_UNSET || ev->failed) return v;
    }
    if (ev->prelude) { /* `torch` and the like in the prelude itself, builtins everywhere */
        if (uc_py_is_builtin(n->name) || strcmp(n->name, "torch") == 0 ||
            (ev->frame->module->library && strcmp(n->name, "_uncork") == 0))
            return (uc_pv){.kind = UC_PV_PATH, .path = n->name};
    }
    if (uc_py_is_builtin(n->name) || ev->script) return uc_py_library(ev, n->name);
    return uc_py_fail(ev, "the name '%.100s' isn't known", n->name);
}

static uc_pv slice_of(uc_py_eval *ev, const uc_py_node *n)
{
    uc_pv *parts = UC_NEW(ev->arena, uc_pv, 3);
    if (!parts) return uc_pv_none();
    const uc_py_node *of[] = {n->a, n->b, n->c};
    for (size_t i = 0; i < 3; i++)
        parts[i] = of[i] ? uc_py_value(ev, of[i]) : uc_pv_none();
    return (uc_pv){.kind = UC_PV_SLICE, .slice = parts};
}

static void add_keyword(uc_py_eval *ev, uc_py_args *args, size_t *capacity, const char *name,
                        uc_pv value)
{
    size_t same = *capacity;
    const char **names =
        uc_arena_grow(ev->arena, (void *)args->names, capacity, args->named + 1, sizeof *names);
    uc_pv *values = uc_arena_grow(ev->arena, args->values, &same, args->named + 1, sizeof *values);
    if (!names || !values) {
        uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    args->names = names;
    args->values = values;
    names[args->named] = name;
    values[args->named++] = value;
}

static void collect_args(uc_py_eval *ev, const uc_py_block *list, uc_py_args *args)
{
    size_t capacity = 0, named = 0;
    for (size_t i = 0; i < list->count && !ev->failed; i++) {
        const uc_py_node *n = list->items[i];
        if (n->kind == UC_PY_KEYWORD) {
            add_keyword(ev, args, &named, n->name, uc_py_value(ev, n->a));
            continue;
        }
        uc_pv v = uc_py_value(ev, n->kind == UC_PY_STAR || n->kind == UC_PY_STARS ? n->a : n);
        if (ev->failed) return;
        if (n->kind == UC_PY_STARS) {
            if (v.kind != UC_PV_DICT) {
                uc_py_fail(ev, "** takes a dict");
                return;
            }
            for (size_t k = 0; k < v.dict->count && !ev->failed; k++) {
                const char *key = uc_py_text(ev, v.dict->keys[k]);
                if (key) add_keyword(ev, args, &named, uc_py_id(ev, key), v.dict->values[k]);
            }
            continue;
        }
        uc_py_list one = {.items = &v, .count = 1};
        const uc_py_list *more = n->kind == UC_PY_STAR ? uc_py_elements(ev, v) : &one;
        for (size_t k = 0; more && k < more->count; k++) {
            uc_pv *grown =
                uc_arena_grow(ev->arena, args->items, &capacity, args->count + 1, sizeof v);
            if (!grown) return;
            args->items = grown;
            grown[args->count++] = more->items[k];
        }
    }
}

/* TorchScript's forms that look like calls: the type isn't evaluated. */
static bool is_form(uc_py_eval *ev, const uc_py_node *n, uc_pv *value)
{
    if (n->a->kind != UC_PY_NAME) return false;
    const char *name = n->a->name;
    if (n->list.count == 2 &&
        (strcmp(name, "annotate") == 0 || strcmp(name, "unchecked_cast") == 0)) {
        *value = uc_py_value(ev, n->list.items[1]);
        return true;
    }
    if (n->list.count == 1 && strcmp(name, "uninitialized") == 0 && ev->script) {
        *value = UC_PV(UC_PV_UNSET);
        return true;
    }
    if (strcmp(name, "super") == 0) {
        const uc_py_frame *f = ev->frame;
        while (f && !f->owner && f->closure)
            f = f->closure;
        uc_py_method *m = UC_NEW(ev->arena, uc_py_method, 1);
        if (!m || !f->owner) return false;
        *m = (uc_py_method){.self = f->self, .after = f->owner};
        *value = (uc_pv){.kind = UC_PV_SUPER, .method = m};
        return true;
    }
    return false;
}

static uc_pv call_value(uc_py_eval *ev, const uc_py_node *n)
{
    uc_pv value = uc_pv_none();
    if (is_form(ev, n, &value)) return value;
    const uc_pv callee = uc_py_value(ev, n->a);
    uc_py_args args = {0};
    if (!ev->failed) collect_args(ev, &n->list, &args);
    if (ev->failed) return uc_pv_none();
    ev->line = n->line;
    return uc_py_call(ev, callee, &args);
}

static uc_pv evaluate(uc_py_eval *ev, const uc_py_node *n)
{
    switch ((int)n->kind) {
    case UC_PY_NAME: return name_value(ev, n);
    case UC_PY_INT: return uc_pv_int(n->i);
    case UC_PY_FLOAT: return uc_pv_float(n->f);
    case UC_PY_COMPLEX: return (uc_pv){.kind = UC_PV_COMPLEX, .f = n->f};
    case UC_PY_TEXT: return (uc_pv){.kind = UC_PV_TEXT, .text = &n->text};
    case UC_PY_FORMAT: return format_of(ev, n);
    case UC_PY_TRUE: return uc_pv_bool(true);
    case UC_PY_FALSE: return uc_pv_bool(false);
    case UC_PY_NONE: return uc_pv_none();
    case UC_PY_DOTS: return UC_PV(UC_PV_DOTS);
    case UC_PY_ATTR: {
        const uc_pv v = uc_py_value(ev, n->a);
        return ev->failed ? v : uc_py_attr(ev, v, n->name);
    }
    case UC_PY_CALL: return call_value(ev, n);
    case UC_PY_INDEX: {
        const uc_pv v = uc_py_value(ev, n->a);
        const uc_pv index = uc_py_value(ev, n->b);
        return ev->failed ? v : uc_py_index(ev, v, index);
    }
    case UC_PY_SLICE: return slice_of(ev, n);
    case UC_PY_LIST: return list_of(ev, n, UC_PV_LIST);
    case UC_PY_TUPLE: return list_of(ev, n, UC_PV_TUPLE);
    case UC_PY_SET:
    case UC_PY_DICT: return dict_of(ev, n);
    case UC_PY_UNARY: {
        const uc_pv v = uc_py_value(ev, n->a);
        return ev->failed ? v : uc_py_unary(ev, (uc_py_op)n->op, v);
    }
    case UC_PY_BINARY: {
        const uc_pv a = uc_py_value(ev, n->a);
        const uc_pv b = uc_py_value(ev, n->b);
        return ev->failed ? a : uc_py_binary(ev, (uc_py_op)n->op, a, b);
    }
    case UC_PY_BOTH:
    case UC_PY_EITHER: return both_or_either(ev, n);
    case UC_PY_COMPARE: return compare_chain(ev, n);
    case UC_PY_TERNARY: return ternary(ev, n);
    case UC_PY_LAMBDA: return uc_py_function_of(ev, n, NULL);
    case UC_PY_LISTCOMP:
    case UC_PY_SETCOMP:
    case UC_PY_GENERATOR:
    case UC_PY_DICTCOMP: return comprehension(ev, n);
    case UC_PY_WALRUS: {
        const uc_pv v = uc_py_value(ev, n->a);
        if (!ev->failed) uc_py_set(ev, ev->frame->names, n->name, v);
        return v;
    }
    default: return uc_py_fail(ev, "this isn't supported here");
    }
}

uc_pv uc_py_value(uc_py_eval *ev, const uc_py_node *n)
{
    if (!uc_py_step(ev)) return uc_pv_none();
    if (ev->depth >= 1000) return uc_py_fail_as(ev, UNCORK_LIMIT, "the code nests too deep");
    ev->depth++;
    const uc_pv v = evaluate(ev, n);
    ev->depth--;
    return ev->failed ? uc_pv_none() : v;
}
