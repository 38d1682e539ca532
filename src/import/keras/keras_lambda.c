/* Lambda layers: the bytecode of their function is read as data and followed by an abstract machine; what
 * it does to its inputs becomes nodes. Nothing is run. */
#include "import/keras/keras_bytecode.h"

/* Code is a line or two; a function of a page is more than can be followed anyway. */
#define CODE_BYTES ((size_t)1 << 20)

static int digit_of(char ch)
{
    if (ch >= 'A' && ch <= 'Z') return ch - 'A';
    if (ch >= 'a' && ch <= 'z') return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9') return ch - '0' + 52;
    return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

/* Base 64 with its line ends; false: it is none. */
static bool from_base64(uc_str text, uint8_t *to, size_t *size)
{
    uint32_t bits = 0;
    int count = 0;
    *size = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char ch = text.data[i];
        if (ch == '\n' || ch == '\r' || ch == ' ') continue;
        if (ch == '=') break;
        const int d = digit_of(ch);
        if (d < 0) return false;
        bits = bits << 6 | (uint32_t)d;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        to[(*size)++] = (uint8_t)(bits >> count);
    }
    return *size > 0;
}

/* Keras before 2.1: each byte a character. */
static bool from_characters(uc_str text, uint8_t *to, size_t *size)
{
    *size = 0;
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t a = (uint8_t)text.data[i];
        if (a < 0x80) {
            to[(*size)++] = a;
        } else if ((a & 0xfc) == 0xc0 && i + 1 < text.size) {
            to[(*size)++] = (uint8_t)(a << 6 | ((uint8_t)text.data[++i] & 0x3f));
        } else {
            return false;
        }
    }
    return *size > 0;
}

typedef struct lambda {
    uc_str code;
    const uc_json *defaults, *closure;
} lambda;

/* [code, defaults, closure] of Keras 1 and 2, {"class_name": "__lambda__", "config": {...}} of Keras 3. */
static bool find_code(uc_k_call *c, lambda *l)
{
    const uc_json *f = uc_k_get(c->layer, "function");
    *l = (lambda){{NULL, 0}, NULL, NULL};
    if (f && f->kind == UC_JSON_ARRAY && f->count >= 1) {
        l->code = uc_json_str(uc_json_at(f, 0), "");
        l->defaults = uc_json_at(f, 1);
        l->closure = uc_json_at(f, 2);
    } else if (f && f->kind == UC_JSON_OBJECT) {
        const uc_json *config = uc_json_get(f, "config");
        l->code = uc_json_str(uc_json_get(config, "code"), "");
        l->defaults = uc_json_get(config, "defaults");
        l->closure = uc_json_get(config, "closure");
    }
    if (l->code.size && l->code.size < CODE_BYTES) return true;
    const uc_str name = uc_k_object_name(f);
    uc_k_fail(c, "its function '%.*s' isn't in the file", (int)(name.size < 80 ? name.size : 80),
              name.data);
    uc_fix(c->graph->error, "replace the Lambda by layers, or save the model as ONNX");
    return false;
}

static uc_pv of_json(uc_k_call *c, const uc_json *j)
{
    uc_pv v = {.kind = UC_PV_NONE};
    if (!j) return v;
    if (j->kind == UC_JSON_INT) return uc_pv_int(j->integer);
    if (j->kind == UC_JSON_FLOAT) return uc_pv_float(j->number);
    if (j->kind == UC_JSON_STRING) return (uc_pv){.kind = UC_PV_TEXT, .text = j->string};
    if (j->kind == UC_JSON_BOOL)
        return (uc_pv){.kind = UC_PV_BOOL, .integer = j->boolean, .number = j->boolean};
    if (j->kind == UC_JSON_OBJECT) { /* {"class_name": "__tuple__", "items": [...]} */
        const uc_json *items = uc_json_get(j, "items");
        if (!items) items = uc_json_get(j, "value");
        return items && items != j ? of_json(c, items) : v;
    }
    const size_t n = uc_json_count(j);
    v.items = UC_NEW(c->graph->arena, uc_pv, n);
    if (!v.items) return v;
    v.kind = UC_PV_LIST;
    size_t count = 0;
    const double *numbers =
        j->kind == UC_JSON_NUMBERS ? uc_json_f64s(j, c->graph->arena, &count) : NULL;
    const bool whole = numbers && j->numbers->dtype == UNCORK_INT64;
    for (; v.count < n; v.count++) {
        v.items[v.count] = !numbers ? of_json(c, uc_json_at(j, v.count))
                           : whole  ? uc_pv_int((int64_t)numbers[v.count])
                                    : uc_pv_float(numbers[v.count]);
    }
    return v;
}

/* Inputs first, then what "arguments" says, then the defaults of the last. */
static void set_arguments(uc_py_machine *m, const lambda *l)
{
    uc_k_call *c = m->call;
    const size_t n = (size_t)m->code->argument_count, defaults = uc_json_count(l->defaults);
    const uc_json *given = uc_k_get(c->layer, "arguments");
    const uc_pv all = l->defaults ? of_json(c, l->defaults) : (uc_pv){.kind = UC_PV_NULL};
    memset(m->locals, 0, sizeof m->locals);
    for (size_t i = 0; i < n && i < 64; i++) {
        const uc_str name = m->code->locals->items[i]->text;
        char key[64] = "";
        if (name.size < sizeof key) memcpy(key, name.data, name.size);
        const uc_json *v = uc_json_get(given, key);
        if (m->dry) {
            m->locals[i].kind = UC_PV_ANY;
        } else if (i == 0) {
            m->locals[0] = (uc_pv){.kind = UC_PV_TENSOR, .tensor = c->in[0]};
            if (c->in_count < 2) continue;
            m->locals[0] = (uc_pv){.kind = UC_PV_LIST, .count = c->in_count};
            m->locals[0].items = UC_NEW(c->graph->arena, uc_pv, c->in_count);
            for (size_t k = 0; m->locals[0].items && k < c->in_count; k++) {
                m->locals[0].items[k] = (uc_pv){.kind = UC_PV_TENSOR, .tensor = c->in[k]};
            }
        } else if (v) {
            m->locals[i] = of_json(c, v);
        } else if (i + defaults >= n && all.kind == UC_PV_LIST) {
            m->locals[i] = all.items[i + defaults - n];
        } else if (uc_str_is(name, "mask") || uc_str_is(name, "training")) {
            m->locals[i] = (uc_pv){.kind = UC_PV_NONE};
        }
    }
}

static bool is_function(const uc_py *o)
{
    return o && o->kind == UC_PY_CODE && o->code->argument_count >= 1 &&
           (size_t)o->code->argument_count <= o->code->locals->count;
}

/* Which Python wrote it isn't said: the newest whose instructions the code holds in. */
static int choose_version(uc_py_machine *m, const lambda *l, uc_bytes bytes, const uc_py **function)
{
    char why[sizeof m->why] = "";
    for (int version = UC_PY_VERSIONS - 1; version >= 0; version--) {
        uncork_error unused = {.size = sizeof unused};
        uc_error_init(&unused);
        const uc_py *o =
            uc_marshal_read(bytes, uc_py_layout_of(version), m->call->graph->arena, &unused);
        if (!is_function(o)) continue;
        m->code = o->code;
        m->dry = true;
        m->why[0] = 0;
        set_arguments(m, l);
        if (uc_py_follow(m, version)) {
            *function = o;
            return version;
        }
        if (!why[0]) memcpy(why, m->why, sizeof why);
    }
    memcpy(m->why, why, sizeof why);
    return -1;
}

static void give(uc_py_machine *m)
{
    uc_k_call *c = m->call;
    const uc_pv *v = &m->returned, *items = v->kind == UC_PV_LIST ? v->items : v;
    const size_t n = v->kind == UC_PV_LIST ? v->count : 1;
    for (size_t i = 0; i < n && i < UC_K_OUTPUTS; i++) {
        if (items[i].kind == UC_PV_TENSOR) {
            c->out[c->out_count++] = items[i].tensor;
            continue;
        }
        uc_ref ref;
        if (!uc_pv_to_tensor(m, &items[i], &ref)) return;
        c->out[c->out_count++] = (uc_k_value){.ref = ref};
    }
}

void uc_k_lambda(uc_k_call *c)
{
    lambda l;
    size_t size;
    if (!find_code(c, &l)) return;
    uc_py_machine *m = UC_NEW(c->graph->arena, uc_py_machine, 1);
    uint8_t *bytes = UC_NEW(c->graph->arena, uint8_t, l.code.size);
    if (!m || !bytes || c->in_count == 0) {
        uc_k_fail(c, "it is called on no tensor");
        return;
    }
    m->call = c;
    m->closure = l.closure;
    const uc_py *function = NULL;
    int version = -1;
    if (from_base64(l.code, bytes, &size))
        version = choose_version(m, &l, (uc_bytes){bytes, size}, &function);
    if (version < 0 && !m->why[0] && from_characters(l.code, bytes, &size))
        version = choose_version(m, &l, (uc_bytes){bytes, size}, &function);
    if (version >= 0) {
        m->dry = false;
        m->code = function->code;
        set_arguments(m, &l);
        if (uc_py_follow(m, version))
            give(m);
        else if (c->graph->status)
            return;
    }
    if (c->out_count && !m->why[0]) return;
    if (c->graph->status) return;
    uc_k_fail(c, "its Python code isn't understood: %s",
              m->why[0] ? m->why : "it is no code of Python 3");
    uc_fix(c->graph->error,
           "replace the Lambda by layers, or save the model as ONNX or SavedModel");
}
