/* Looking things up in a pickle's tree of values. All functions take NULL and any kind. */
#include "container/pickle.h"

static bool is_text_kind(const uc_pickle *value)
{
    return value && (value->kind == UC_PICKLE_TEXT || value->kind == UC_PICKLE_BYTES);
}

uc_pickle *uc_pickle_get(const uc_pickle *dict, const char *key)
{
    if (!dict || dict->kind != UC_PICKLE_DICT) {
        return NULL;
    }
    const size_t size = strlen(key);
    for (size_t i = dict->count; i-- > 0;) { /* the last of equal keys is what Python keeps */
        const uc_pickle *k = dict->items[2 * i];
        if (is_text_kind(k) && k->text.size == size && !memcmp(k->text.data, key, size)) {
            return dict->items[2 * i + 1];
        }
    }
    return NULL;
}

uc_pickle *uc_pickle_attr(const uc_pickle *object, const char *name)
{
    const uc_pickle *state = object && object->kind == UC_PICKLE_OBJECT ? object->state : NULL;
    if (!state || state->kind != UC_PICKLE_TUPLE || state->count != 2) {
        return uc_pickle_get(state, name);
    }
    uc_pickle *slot = uc_pickle_get(state->items[1], name);
    return slot ? slot : uc_pickle_get(state->items[0], name);
}

uc_pickle *uc_pickle_item(const uc_pickle *sequence, size_t i)
{
    if (!sequence || i >= sequence->count) {
        return NULL;
    }
    switch ((int)sequence->kind) {
    case UC_PICKLE_LIST:
    case UC_PICKLE_TUPLE:
    case UC_PICKLE_SET:
    case UC_PICKLE_OBJECTS:
    case UC_PICKLE_SLICE:
    case UC_PICKLE_RANGE:
    case UC_PICKLE_PERSISTENT: return sequence->items[i];
    default: return NULL;
    }
}

bool uc_pickle_is_text(const uc_pickle *value, const char *text)
{
    return is_text_kind(value) && uc_str_is(value->text, text);
}

bool uc_pickle_is_symbol(const uc_pickle *value, const char *module, const char *name)
{
    return value && value->kind == UC_PICKLE_SYMBOL && uc_str_is(value->module, module) &&
           uc_str_is(value->text, name);
}

/* The one element of an ARRAY of numbers. */
static const uc_tensor *single(const uc_pickle *value)
{
    const uc_tensor *t = value->kind == UC_PICKLE_ARRAY ? value->tensor : NULL;
    const bool is_number = t && (uc_dtype_is_float(t->dtype) || uc_dtype_is_integer(t->dtype) ||
                                 t->dtype == UNCORK_BOOL);
    return is_number && uc_tensor_count(t) == 1 ? t : NULL;
}

bool uc_pickle_f64(const uc_pickle *value, double *out)
{
    if (!value) {
        return false;
    }
    switch ((int)value->kind) {
    case UC_PICKLE_BOOL: *out = value->boolean; return true;
    case UC_PICKLE_INT: *out = (double)value->integer; return true;
    case UC_PICKLE_FLOAT: *out = value->number; return true;
    default: break;
    }
    const uc_tensor *t = single(value);
    if (t) {
        *out = uc_dtype_load_f64(t->data, 0, t->dtype);
    }
    return t != NULL;
}

bool uc_pickle_i64(const uc_pickle *value, int64_t *out)
{
    if (!value) {
        return false;
    }
    double number;
    switch ((int)value->kind) {
    case UC_PICKLE_BOOL: *out = value->boolean; return true;
    case UC_PICKLE_INT: *out = value->integer; return true;
    case UC_PICKLE_FLOAT: number = value->number; break;
    default: {
        const uc_tensor *t = single(value);
        if (!t) {
            return false;
        }
        if (!uc_dtype_is_float(t->dtype)) {
            *out = uc_dtype_load_i64(t->data, 0, t->dtype);
            return t->dtype != UNCORK_UINT64 || *(const uint64_t *)t->data <= INT64_MAX;
        }
        number = uc_dtype_load_f64(t->data, 0, t->dtype);
    }
    }
    /* Whole floats inside int64; NaN fails the comparison. */
    if (!(number >= -0x1p63 && number < 0x1p63) || number != (double)(int64_t)number) {
        return false;
    }
    *out = (int64_t)number;
    return true;
}

const char *uc_pickle_type_name(const uc_pickle *value, uc_arena *arena)
{
    static const char *const names[] = {
        [UC_PICKLE_NONE] = "None",
        [UC_PICKLE_BOOL] = "bool",
        [UC_PICKLE_INT] = "int",
        [UC_PICKLE_LONG] = "int",
        [UC_PICKLE_FLOAT] = "float",
        [UC_PICKLE_COMPLEX] = "complex",
        [UC_PICKLE_TEXT] = "str",
        [UC_PICKLE_BYTES] = "bytes",
        [UC_PICKLE_LIST] = "list",
        [UC_PICKLE_TUPLE] = "tuple",
        [UC_PICKLE_SET] = "set",
        [UC_PICKLE_DICT] = "dict",
        [UC_PICKLE_SYMBOL] = "global",
        [UC_PICKLE_OBJECT] = "object",
        [UC_PICKLE_ARRAY] = "ndarray",
        [UC_PICKLE_RECORDS] = "structured ndarray",
        [UC_PICKLE_OBJECTS] = "object ndarray",
        [UC_PICKLE_SLICE] = "slice",
        [UC_PICKLE_RANGE] = "range",
        [UC_PICKLE_DTYPE] = "numpy.dtype",
        [UC_PICKLE_PERSISTENT] = "persistent id",
    };
    if (!value) {
        return "missing value";
    }
    if (value->kind != UC_PICKLE_OBJECT && value->kind != UC_PICKLE_SYMBOL) {
        return names[value->kind];
    }
    if (!value->text.size) {
        return "result of a call";
    }
    /* "global os.system", "sklearn.svm._classes.SVC" */
    const char *text = uc_arena_printf(
        arena, "%s%.*s.%.*s", value->kind == UC_PICKLE_SYMBOL ? "global " : "",
        (int)value->module.size, value->module.data, (int)value->text.size, value->text.data);
    return text ? text : names[value->kind];
}
