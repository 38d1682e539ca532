/* Instructions of Python 3.0 to 3.13. Sources: each version's opcode.py and ceval.c. Whatever isn't here
 * (jumps, loops, inner functions) isn't understood, and said. */
#include "import/keras/keras_bytecode.h"

#include <stdarg.h>
#include <stdio.h>

enum {
#define PYOP(name, ...) PY_##name,
#include "import/keras/python_opcodes.def"
#undef PYOP
    PY_COUNT
};

static const int16_t opcodes[PY_COUNT][11] = {
#define PYOP(name, ...) {__VA_ARGS__},
#include "import/keras/python_opcodes.def"
#undef PYOP
};

/* Versions: 0 stands for 3.0 to 3.5, which number as 3.6 but take one or three bytes an instruction. */
enum { V36 = 1, V37, V38, V39, V310, V311, V312, V313 };

uc_py_layout uc_py_layout_of(int version)
{
    return version >= V311 ? UC_PY_LAYOUT_311 : version >= V38 ? UC_PY_LAYOUT_38 : UC_PY_LAYOUT_30;
}

bool uc_py_lost(uc_py_machine *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!m->why[0]) (void)vsnprintf(m->why, sizeof m->why, format, args);
    va_end(args);
    return false;
}

static int known_op(int number, int version)
{
    const int column = version < V36 ? 0 : version - V36;
    for (int i = 0; i < PY_COUNT; i++) {
        if (opcodes[i][column] == number) return i;
    }
    return -1;
}

/* ---- the stack ---- */

static bool push(uc_py_machine *m, uc_pv v)
{
    if (m->top >= (int)(sizeof m->stack / sizeof m->stack[0])) return uc_py_lost(m, "it is deep");
    m->stack[m->top++] = v;
    return true;
}

static bool has(uc_py_machine *m, int64_t n)
{
    return n >= 0 && n <= m->top ? true : uc_py_lost(m, "its stack is empty");
}

static uc_pv constant_of(uc_py_machine *m, const uc_py *o)
{
    uc_pv v = {.kind = UC_PV_NONE};
    switch (o->kind) {
    case UC_PY_NONE: return v;
    case UC_PY_BOOL: v.kind = UC_PV_BOOL; break;
    case UC_PY_INT: v.kind = UC_PV_INT; break;
    case UC_PY_FLOAT: v.kind = UC_PV_FLOAT; break;
    case UC_PY_TEXT: v.kind = UC_PV_TEXT; break;
    case UC_PY_ELLIPSIS: v.kind = UC_PV_ELLIPSIS; return v;
    case UC_PY_LIST:
        v.kind = UC_PV_LIST;
        v.items = UC_NEW(m->call->graph->arena, uc_pv, o->count);
        for (; v.items && v.count < o->count; v.count++) {
            v.items[v.count] = constant_of(m, o->items[v.count]);
        }
        return v;
    case UC_PY_BYTES:
    case UC_PY_CODE:
    case UC_PY_OTHER: (void)uc_py_lost(m, "a constant of a kind that isn't known"); return v;
    }
    v.integer = o->integer;
    v.number = o->number;
    v.text = o->text;
    return v;
}

static bool item_of(uc_py_machine *m, const uc_py *list, int64_t i, const uc_py **o)
{
    if (!list || i < 0 || (size_t)i >= list->count) return uc_py_lost(m, "an index beyond a list");
    *o = list->items[i];
    return true;
}

static bool load_const(uc_py_machine *m, int64_t i)
{
    const uc_py *o = NULL;
    return item_of(m, m->code->constants, i, &o) && push(m, constant_of(m, o)) && !m->why[0];
}

static bool load_local(uc_py_machine *m, int64_t i)
{
    if (i < 0 || (size_t)i >= m->code->locals->count || i >= 64)
        return uc_py_lost(m, "an index beyond its variables");
    if (m->locals[i].kind == UC_PV_NULL)
        return uc_py_lost(m, "the variable %.40s isn't set", m->code->locals->items[i]->text.data);
    return push(m, m->locals[i]);
}

static bool store_local(uc_py_machine *m, int64_t i)
{
    if (i < 0 || (size_t)i >= m->code->locals->count || i >= 64 || !has(m, 1))
        return uc_py_lost(m, "an index beyond its variables");
    m->locals[i] = m->stack[--m->top];
    return true;
}

static uc_pv json_value(uc_py_machine *m, const uc_json *j)
{
    uc_pv v = {.kind = UC_PV_NONE};
    if (!j) return v;
    v.integer = j->integer;
    v.number = j->number;
    v.text = j->string;
    v.kind = j->kind == UC_JSON_INT      ? UC_PV_INT
             : j->kind == UC_JSON_FLOAT  ? UC_PV_FLOAT
             : j->kind == UC_JSON_STRING ? UC_PV_TEXT
             : j->kind == UC_JSON_BOOL   ? UC_PV_BOOL
                                         : UC_PV_NONE;
    if (v.kind == UC_PV_BOOL) v.number = (double)(v.integer = j->boolean);
    if (j->kind == UC_JSON_NUMBERS) {
        size_t n;
        const double *x = uc_json_f64s(j, m->call->graph->arena, &n);
        v.kind = UC_PV_LIST;
        v.items = UC_NEW(m->call->graph->arena, uc_pv, n);
        for (; x && v.items && v.count < n; v.count++) {
            v.items[v.count] = x[v.count] == (double)(int64_t)x[v.count]
                                   ? uc_pv_int((int64_t)x[v.count])
                                   : uc_pv_float(x[v.count]);
        }
    }
    return v;
}

/* A free variable: its value was saved beside the code. */
static bool load_free(uc_py_machine *m, int64_t i, int version)
{
    int64_t at = i;
    if (version >= V311)
        at = i - ((int64_t)m->code->locals->count - (int64_t)uc_json_count(m->closure));
    const uc_json *json = uc_json_at(m->closure, (size_t)at);
    if (at < 0 || (!json && uc_json_count(m->closure) <= (size_t)at))
        return uc_py_lost(m, "a variable from outside of it");
    if (!json) { /* a list of numbers alone */
        size_t n;
        const double *x = uc_json_f64s(m->closure, m->call->graph->arena, &n);
        return x && push(m, uc_pv_float(x[at]));
    }
    return push(m, json_value(m, json));
}

static bool load_name(uc_py_machine *m, int64_t i)
{
    const uc_py *o = NULL;
    return item_of(m, m->code->names, i, &o) &&
           push(m, (uc_pv){.kind = UC_PV_NAME, .text = o->text});
}

static bool load_attr(uc_py_machine *m, int64_t i, bool method)
{
    const uc_py *o = NULL;
    uc_pv out = {.kind = UC_PV_ANY};
    if (!has(m, 1) || !item_of(m, m->code->names, i, &o)) return false;
    const uc_pv of = m->stack[--m->top];
    if (of.kind != UC_PV_ANY && !uc_pv_attribute(m, &of, o->text, &out)) return false;
    if (!method) return push(m, out);
    return push(m, (uc_pv){.kind = UC_PV_NULL}) && push(m, out);
}

/* ---- operations ---- */

static bool build(uc_py_machine *m, int64_t n, uc_pv_kind kind)
{
    if (!has(m, n)) return false;
    uc_pv v = {.kind = kind, .count = (size_t)n};
    v.items = UC_NEW(m->call->graph->arena, uc_pv, (size_t)n);
    if (!v.items) return uc_py_lost(m, "no memory");
    m->top -= (int)n;
    memcpy(v.items, m->stack + m->top, (size_t)n * sizeof *v.items);
    return push(m, v);
}

static bool binary(uc_py_machine *m, const char *op)
{
    uc_pv out = {.kind = UC_PV_ANY};
    if (!has(m, 2)) return false;
    m->top -= 2;
    const uc_pv a = m->stack[m->top], b = m->stack[m->top + 1];
    if (!op) return uc_py_lost(m, "an operation that isn't known");
    if (!m->dry &&
        !(op[0] == '[' ? uc_pv_subscript(m, &a, &b, &out) : uc_pv_binary(m, op, &a, &b, &out)))
        return false;
    return push(m, out);
}

/* Keywords' names: a tuple of texts. */
static bool names_of(uc_py_machine *m, const uc_pv *list, uc_pv_arguments *a)
{
    if (list->kind != UC_PV_LIST || list->count > a->count) return uc_py_lost(m, "an odd call");
    uc_str *names = UC_NEW(m->call->graph->arena, uc_str, list->count);
    if (!names) return uc_py_lost(m, "no memory");
    for (size_t i = 0; i < list->count; i++) {
        names[i] = list->items[i].text;
    }
    a->names = names;
    a->named = list->count;
    return true;
}

/* `slots`: how many lie below the arguments (the function; with what stands for self, two). */
static bool call(uc_py_machine *m, int64_t n, const uc_pv *names, int slots)
{
    uc_pv out = {.kind = UC_PV_ANY};
    uc_pv_arguments a = {.count = (size_t)n};
    if (!has(m, n + slots)) return false;
    m->top -= (int)n;
    a.items = m->stack + m->top;
    if (names && !names_of(m, names, &a)) return false;
    m->top -= slots;
    const uc_pv *low = &m->stack[m->top], *function = low;
    if (slots == 2 && low->kind == UC_PV_NULL) function = low + 1;
    if (slots == 2 && low->kind != UC_PV_NULL && low[1].kind != UC_PV_NULL && !m->dry)
        return uc_py_lost(m, "an odd call");
    if (!m->dry) {
        uc_pv *own = UC_NEW(m->call->graph->arena, uc_pv, (size_t)n + 1);
        if (!own) return uc_py_lost(m, "no memory");
        memcpy(own, a.items, (size_t)n * sizeof *own);
        a.items = own;
        const uc_pv f = *function;
        if (!uc_pv_call(m, &f, &a, &out)) return false;
    }
    return push(m, out);
}

/* Up to Python 3.5: positional in the low byte, pairs of name and value in the high one. */
static bool call_old(uc_py_machine *m, int64_t arg)
{
    const int64_t pairs = arg >> 8 & 255, n = arg & 255;
    uc_pv names = {.kind = UC_PV_LIST, .count = (size_t)pairs};
    names.items = UC_NEW(m->call->graph->arena, uc_pv, (size_t)pairs);
    if (!names.items || !has(m, 2 * pairs + n + 1)) return uc_py_lost(m, "an odd call");
    uc_pv *first = m->stack + m->top - 2 * pairs;
    for (int64_t i = 0; i < pairs; i++) {
        names.items[i] = first[2 * i];
        first[i] = first[2 * i + 1];
    }
    m->top -= (int)pairs;
    return call(m, n + pairs, pairs ? &names : NULL, 1);
}

static bool unpack(uc_py_machine *m, int64_t n)
{
    if (!has(m, 1)) return false;
    const uc_pv v = m->stack[--m->top];
    if (!m->dry && (v.kind != UC_PV_LIST || v.count != (size_t)n))
        return uc_py_lost(m, "it takes %d values apart", (int)n);
    for (int64_t i = n; i-- > 0;) {
        if (!push(m, m->dry ? (uc_pv){.kind = UC_PV_ANY} : v.items[i])) return false;
    }
    return true;
}

static bool extend(uc_py_machine *m, int64_t depth)
{
    if (!has(m, depth + 1)) return false;
    const uc_pv more = m->stack[--m->top];
    uc_pv *list = &m->stack[m->top - depth];
    if (m->dry) return true;
    if (more.kind != UC_PV_LIST || list->kind != UC_PV_LIST || list->count)
        return uc_py_lost(m, "a list that is put together");
    *list = more;
    return true;
}

static const char *const binary_ops[] = {"Add", NULL,  "//", NULL,  "MatMul", "Mul", "%",
                                         NULL,  "Pow", NULL, "Sub", "Div",    NULL};

static const char *binary_op(int64_t arg)
{
    if (arg >= 13) arg -= 13; /* in place */
    return arg >= 0 && arg < 13 ? binary_ops[arg] : NULL;
}

static const char *compare_op(int64_t arg, int version)
{
    static const char *const names[] = {"Less", "LessOrEqual", "Equal",
                                        "!=",   "Greater",     "GreaterOrEqual"};
    if (version == V312) arg >>= 4;
    if (version >= V313) arg >>= 5;
    return arg >= 0 && arg < 6 ? names[arg] : NULL;
}

static const char *plain_op(int op)
{
    switch (op) {
    case PY_BINARY_ADD:
    case PY_INPLACE_ADD: return "Add";
    case PY_BINARY_SUBTRACT:
    case PY_INPLACE_SUBTRACT: return "Sub";
    case PY_BINARY_MULTIPLY:
    case PY_INPLACE_MULTIPLY: return "Mul";
    case PY_BINARY_TRUE_DIVIDE:
    case PY_INPLACE_TRUE_DIVIDE: return "Div";
    case PY_BINARY_FLOOR_DIVIDE: return "//";
    case PY_BINARY_MODULO: return "%";
    case PY_BINARY_POWER:
    case PY_INPLACE_POWER: return "Pow";
    case PY_BINARY_MATRIX_MULTIPLY: return "MatMul";
    case PY_BINARY_SUBSCR: return "[]";
    default: return NULL;
    }
}

typedef struct running {
    int version;
    uc_pv names; /* of the call to come: KW_NAMES */
    bool has_names, done;
} running;

static bool calls(uc_py_machine *m, running *r, int op, int64_t arg)
{
    switch (op) {
    case PY_CALL_FUNCTION: return r->version < V36 ? call_old(m, arg) : call(m, arg, NULL, 1);
    case PY_CALL_METHOD: return call(m, arg, NULL, 2);
    case PY_KW_NAMES: {
        const uc_py *o = NULL;
        if (!item_of(m, m->code->constants, arg, &o)) return false;
        r->names = constant_of(m, o);
        r->has_names = true;
        return true;
    }
    case PY_CALL: {
        const bool named = r->has_names;
        r->has_names = false;
        return call(m, arg, named ? &r->names : NULL, 2);
    }
    default: { /* CALL_FUNCTION_KW, CALL_KW: names on the stack */
        if (!has(m, 1)) return false;
        const uc_pv names = m->stack[--m->top];
        return call(m, arg, &names, op == PY_CALL_KW ? 2 : 1);
    }
    }
}

static bool moves(uc_py_machine *m, int op, int64_t arg)
{
    uc_pv *s = m->stack + m->top, kept;
    switch (op) {
    case PY_POP_TOP:
        if (!has(m, 1)) return false;
        m->top--;
        return true;
    case PY_DUP_TOP: return has(m, 1) && push(m, s[-1]);
    case PY_COPY: return arg > 0 && has(m, arg) && push(m, s[-arg]);
    case PY_ROT_TWO: arg = 2; break;
    case PY_ROT_THREE:
        if (!has(m, 3)) return false;
        kept = s[-1];
        s[-1] = s[-2];
        s[-2] = s[-3];
        s[-3] = kept;
        return true;
    default: break;
    }
    if (arg < 1 || !has(m, arg)) return false;
    kept = s[-1];
    s[-1] = s[-arg];
    s[-arg] = kept;
    return true;
}

static bool imports(uc_py_machine *m, int op, int64_t arg)
{
    const uc_py *o = NULL;
    if (!item_of(m, m->code->names, arg, &o)) return false;
    if (op == PY_IMPORT_NAME) { /* the level and the list of names give way */
        if (!has(m, 2)) return false;
        m->top -= 2;
        return push(m, (uc_pv){.kind = UC_PV_NAME, .text = o->text});
    }
    return has(m, 1) && push(m, (uc_pv){.kind = UC_PV_NAME, .text = o->text});
}

static bool loads(uc_py_machine *m, int op, int64_t arg, int version)
{
    switch (op) {
    case PY_LOAD_CONST: return load_const(m, arg);
    case PY_LOAD_FAST:
    case PY_LOAD_FAST_CHECK: return load_local(m, arg);
    case PY_LOAD_FAST_LOAD_FAST: return load_local(m, arg >> 4) && load_local(m, arg & 15);
    case PY_STORE_FAST: return store_local(m, arg);
    case PY_STORE_FAST_LOAD_FAST: return store_local(m, arg >> 4) && load_local(m, arg & 15);
    case PY_STORE_FAST_STORE_FAST: return store_local(m, arg >> 4) && store_local(m, arg & 15);
    case PY_LOAD_DEREF: return load_free(m, arg, version);
    case PY_LOAD_NAME: return load_name(m, arg);
    case PY_LOAD_METHOD: return load_attr(m, arg, true);
    case PY_LOAD_ATTR:
        return version >= V312 ? load_attr(m, arg >> 1, arg & 1) : load_attr(m, arg, false);
    default: /* LOAD_GLOBAL */
        if (version < V311) return load_name(m, arg);
        if ((arg & 1) && version < V313 && !push(m, (uc_pv){.kind = UC_PV_NULL})) return false;
        if (!load_name(m, arg >> 1)) return false;
        return !(arg & 1) || version < V313 || push(m, (uc_pv){.kind = UC_PV_NULL});
    }
}

static bool leave(uc_py_machine *m, running *r)
{
    if (!has(m, 1)) return false;
    m->returned = m->stack[--m->top];
    r->done = true;
    return m->top == 0 ? true : uc_py_lost(m, "it leaves values behind");
}

static bool step(uc_py_machine *m, running *r, int op, int64_t arg)
{
    switch (op) {
    case PY_NOP:
    case PY_RESUME:
    case PY_COPY_FREE_VARS:
    case PY_PRECALL: return true;
    case PY_PUSH_NULL: return push(m, (uc_pv){.kind = UC_PV_NULL});
    case PY_LOAD_CONST:
    case PY_LOAD_FAST:
    case PY_LOAD_FAST_CHECK:
    case PY_LOAD_FAST_LOAD_FAST:
    case PY_STORE_FAST:
    case PY_STORE_FAST_LOAD_FAST:
    case PY_STORE_FAST_STORE_FAST:
    case PY_LOAD_DEREF:
    case PY_LOAD_NAME:
    case PY_LOAD_METHOD:
    case PY_LOAD_ATTR:
    case PY_LOAD_GLOBAL: return loads(m, op, arg, r->version);
    case PY_CALL_FUNCTION:
    case PY_CALL_FUNCTION_KW:
    case PY_CALL_METHOD:
    case PY_CALL:
    case PY_CALL_KW:
    case PY_KW_NAMES: return calls(m, r, op, arg);
    case PY_BINARY_OP: return binary(m, binary_op(arg));
    case PY_BINARY_SLICE: return build(m, 2, UC_PV_SLICE) && binary(m, "[]");
    case PY_COMPARE_OP: return binary(m, compare_op(arg, r->version));
    case PY_UNARY_POSITIVE: return has(m, 1);
    case PY_UNARY_NEGATIVE: {
        uc_pv out = {.kind = UC_PV_ANY};
        if (!has(m, 1)) return false;
        const uc_pv a = m->stack[--m->top];
        return (m->dry || uc_pv_negate(m, &a, &out)) && push(m, out);
    }
    case PY_BUILD_TUPLE:
    case PY_BUILD_LIST: return build(m, arg, UC_PV_LIST);
    case PY_BUILD_SLICE: return arg >= 2 && arg <= 3 && build(m, arg, UC_PV_SLICE);
    case PY_LIST_EXTEND: return arg == 1 && extend(m, arg);
    case PY_LIST_TO_TUPLE: return has(m, 1);
    case PY_UNPACK_SEQUENCE: return unpack(m, arg);
    case PY_POP_TOP:
    case PY_DUP_TOP:
    case PY_ROT_TWO:
    case PY_ROT_THREE:
    case PY_SWAP:
    case PY_COPY: return moves(m, op, arg);
    case PY_IMPORT_NAME:
    case PY_IMPORT_FROM: return imports(m, op, arg);
    case PY_RETURN_CONST: return load_const(m, arg) && leave(m, r);
    case PY_RETURN_VALUE: return leave(m, r);
    default: break;
    }
    if (plain_op(op)) return binary(m, plain_op(op));
    return uc_py_lost(m, "an instruction that isn't known");
}

/* Entries that the interpreter fills while it runs: zeros in a file. */
static bool skip_caches(uc_py_machine *m, int op, int version, size_t *at)
{
    const int count = version >= V311 ? opcodes[op][8 + version - V311] : 0;
    for (int i = 0; i < count; i++, *at += 2) {
        if (*at + 2 > m->code->code.size || m->code->code.data[*at])
            return uc_py_lost(m, "code of another Python");
    }
    return true;
}

bool uc_py_follow(uc_py_machine *m, int version)
{
    const uint8_t *code = (const uint8_t *)m->code->code.data;
    const size_t size = m->code->code.size;
    running r = {.version = version};
    int64_t extended = 0;
    m->top = 0;
    for (size_t at = 0; at < size && !r.done;) {
        const int number = code[at], op = known_op(number, version);
        int64_t arg = 0;
        if (version >= V36) {
            if (at + 2 > size) return uc_py_lost(m, "its code is cut off");
            arg = code[at + 1];
            at += 2;
        } else if (number >= 90) {
            if (at + 3 > size) return uc_py_lost(m, "its code is cut off");
            arg = code[at + 1] | code[at + 2] << 8;
            at += 3;
        } else {
            at++;
        }
        if (op < 0) return uc_py_lost(m, "the instruction %d", number);
        arg |= extended;
        extended = 0;
        if (op == PY_EXTENDED_ARG) {
            if (arg > INT32_MAX >> 8) return uc_py_lost(m, "an index beyond a list");
            extended = arg << (version >= V36 ? 8 : 16);
            continue;
        }
        if (!step(m, &r, op, arg) || !skip_caches(m, op, version, &at))
            return uc_py_lost(m, "an instruction that doesn't hold");
    }
    return r.done ? true : uc_py_lost(m, "it returns nothing");
}
