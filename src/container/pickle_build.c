/* The globals that become data. Everything else stays a symbol; nothing here calls anything.
 *
 * Sources: what CPython's copyreg.py, collections/__init__.py and the __reduce__ methods of the
 * built-in types write; numpy/core/_methods and multiarray for NumPy's. */
#include "container/pickle_machine.h"

static uc_pickle *arg_at(const uc_pickle *args, size_t i)
{
    return i < args->count ? args->items[i] : NULL;
}

static uncork_status keep(uc_pickle_machine *m, uc_pickle *node, uc_pickle **out)
{
    *out = node;
    return node ? UNCORK_OK : uc_pickle_out_of_memory(m);
}

/* Items of another container, not copied: a short file could ask for a long list's copy again and
 * again. Without room to spare, growing either one later leaves the other as it is. */
static void share_items(uc_pickle *to, uc_pickle **items, size_t count, size_t capacity)
{
    to->items = items;
    to->count = count;
    to->capacity = capacity;
}

/* ---- containers ----------------------------------------------------------------------------- */

/* dict's arguments: nothing, a dict, or pairs. */
static uncork_status dict_from(uc_pickle_machine *m, const uc_pickle *from, uc_pickle **out)
{
    if (from && from->kind == UC_PICKLE_DICT) {
        uc_pickle *dict = uc_pickle_node(m, UC_PICKLE_DICT);
        if (dict) {
            share_items(dict, from->items, from->count, 2 * from->count);
        }
        return keep(m, dict, out);
    }
    if (from && from->kind != UC_PICKLE_LIST && from->kind != UC_PICKLE_TUPLE) {
        return UNCORK_OK;
    }
    const size_t count = from ? from->count : 0;
    for (size_t i = 0; i < count; i++) {
        const uc_pickle *pair = from->items[i];
        if ((pair->kind != UC_PICKLE_LIST && pair->kind != UC_PICKLE_TUPLE) || pair->count != 2) {
            return UNCORK_OK;
        }
    }
    uc_pickle *dict = uc_pickle_node(m, UC_PICKLE_DICT);
    if (!dict) {
        return uc_pickle_out_of_memory(m);
    }
    UC_TRY(uc_pickle_charge(m, 4 * (uint64_t)count));
    for (size_t i = 0; i < count; i++) {
        UC_TRY(uc_pickle_add_pairs(m, dict, from->items[i]->items, 1));
    }
    return keep(m, dict, out);
}

/* OrderedDict, dict, Counter. */
static uncork_status call_dict(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    return args->count <= 1 ? dict_from(m, arg_at(args, 0), out) : UNCORK_OK;
}

/* The factory isn't called and isn't kept. */
static uncork_status call_defaultdict(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    return args->count <= 2 ? dict_from(m, arg_at(args, 1), out) : UNCORK_OK;
}

static uncork_status sequence_from(uc_pickle_machine *m, uc_pickle_kind kind, const uc_pickle *args,
                                   uc_pickle **out)
{
    const uc_pickle *from = arg_at(args, 0);
    if (args->count > 1 || (from && from->kind != UC_PICKLE_LIST && from->kind != UC_PICKLE_TUPLE &&
                            from->kind != UC_PICKLE_SET)) {
        return UNCORK_OK;
    }
    uc_pickle *made = uc_pickle_node(m, kind);
    if (made && from) {
        share_items(made, from->items, from->count, from->count);
    }
    return keep(m, made, out);
}

static uncork_status call_set(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    return sequence_from(m, UC_PICKLE_SET, args, out);
}

static uncork_status call_list(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    return sequence_from(m, UC_PICKLE_LIST, args, out);
}

/* slice(start, stop, step): always three in a pickle. */
static uncork_status call_slice(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    if (args->count != 3) {
        return UNCORK_OK;
    }
    uc_pickle *slice = uc_pickle_node(m, UC_PICKLE_SLICE);
    if (!slice) {
        return uc_pickle_out_of_memory(m);
    }
    UC_TRY(uc_pickle_extend(m, slice, args->items, 3));
    return keep(m, slice, out);
}

/* range(start, stop, step), Python 2's xrange the same. */
static uncork_status call_range(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    if (args->count != 3) {
        return UNCORK_OK;
    }
    for (size_t i = 0; i < 3; i++) {
        if (args->items[i]->kind != UC_PICKLE_INT) {
            return UNCORK_OK;
        }
    }
    UC_TRY(call_slice(m, args, out));
    (*out)->kind = UC_PICKLE_RANGE;
    return UNCORK_OK;
}

/* ---- bytes and numbers ---------------------------------------------------------------------- */

/* Text of Latin-1 characters -> their bytes; *out untouched when one is beyond. */
static uncork_status latin1_bytes(uc_pickle_machine *m, uc_str text, uc_pickle **out)
{
    UC_TRY(uc_pickle_charge(m, text.size / 4));
    uint8_t *bytes = (uint8_t *)uc_arena_alloc_raw(m->arena, text.size);
    if (!bytes) {
        return uc_pickle_out_of_memory(m);
    }
    const uint8_t *p = (const uint8_t *)text.data, *end = p + text.size;
    size_t size = 0;
    while (p < end) {
        if (*p < 0x80) {
            bytes[size++] = *p++;
        } else if ((*p == 0xC2 || *p == 0xC3) && end - p > 1) { /* U+0080 to U+00FF */
            bytes[size++] = (uint8_t)((p[0] & 3) << 6 | (p[1] & 0x3F));
            p += 2;
        } else {
            return UNCORK_OK;
        }
    }
    uc_pickle *node = uc_pickle_node(m, UC_PICKLE_BYTES);
    if (node) {
        node->text = (uc_str){(const char *)bytes, size};
    }
    return keep(m, node, out);
}

static bool is_latin1(const uc_pickle *encoding)
{
    return uc_pickle_is_text(encoding, "latin1") || uc_pickle_is_text(encoding, "latin-1");
}

/* _codecs.encode(str, 'latin1'): how Python 3 writes bytes in protocols 0 to 2. */
static uncork_status call_encode(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    const uc_pickle *text = arg_at(args, 0);
    if (args->count == 2 && text->kind == UC_PICKLE_TEXT && is_latin1(args->items[1])) {
        return latin1_bytes(m, text->text, out);
    }
    return UNCORK_OK;
}

/* bytes(), bytearray(), bytearray(b'..'), bytearray(str, 'latin-1'). */
static uncork_status call_bytes(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    const uc_pickle *from = arg_at(args, 0);
    if (args->count == 2) {
        return call_encode(m, args, out);
    }
    if (args->count > 1 || (from && from->kind != UC_PICKLE_BYTES)) {
        return UNCORK_OK;
    }
    uc_pickle *node = uc_pickle_node(m, UC_PICKLE_BYTES);
    if (node && from) {
        node->text = from->text;
    }
    return keep(m, node, out);
}

static uncork_status call_complex(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    double parts[2];
    if (args->count != 2 || !uc_pickle_f64(args->items[0], &parts[0]) ||
        !uc_pickle_f64(args->items[1], &parts[1])) {
        return UNCORK_OK;
    }
    uc_pickle *node = uc_pickle_node(m, UC_PICKLE_COMPLEX);
    if (node) {
        node->number = parts[0];
        node->imaginary = parts[1];
    }
    return keep(m, node, out);
}

/* ---- instances ------------------------------------------------------------------------------ */

static uncork_status instance(uc_pickle_machine *m, const uc_pickle *cls, uc_pickle *args,
                              uc_pickle *kwargs, uc_pickle **out)
{
    uc_pickle *object = uc_pickle_node(m, UC_PICKLE_OBJECT);
    if (object) {
        object->module = cls->module;
        object->text = cls->text;
        object->integer = cls->integer;
        object->args = args;
        object->kwargs = kwargs;
    }
    return keep(m, object, out);
}

/* copyreg._reconstructor(cls, base, state): an instance in protocols 0 and 1. */
static uncork_status call_reconstructor(uc_pickle_machine *m, const uc_pickle *args,
                                        uc_pickle **out)
{
    if (args->count != 3 || args->items[0]->kind != UC_PICKLE_SYMBOL) {
        return UNCORK_OK;
    }
    uc_pickle *rest = NULL;
    if (args->items[2]->kind != UC_PICKLE_NONE) { /* the value of a built-in base: a str, a dict */
        rest = uc_pickle_node(m, UC_PICKLE_TUPLE);
        if (!rest) {
            return uc_pickle_out_of_memory(m);
        }
        UC_TRY(uc_pickle_extend(m, rest, args->items + 2, 1));
    }
    return instance(m, args->items[0], rest, NULL, out);
}

/* copyreg.__newobj__(cls, *args): NEWOBJ where the protocol has no such opcode. */
static uncork_status call_newobj(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    if (args->count < 1 || args->items[0]->kind != UC_PICKLE_SYMBOL) {
        return UNCORK_OK;
    }
    uc_pickle *rest = uc_pickle_node(m, UC_PICKLE_TUPLE);
    if (!rest) {
        return uc_pickle_out_of_memory(m);
    }
    share_items(rest, args->items + 1, args->count - 1, args->count - 1);
    return instance(m, args->items[0], rest, NULL, out);
}

static uncork_status call_newobj_ex(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    if (args->count != 3 || args->items[0]->kind != UC_PICKLE_SYMBOL ||
        args->items[1]->kind != UC_PICKLE_TUPLE || args->items[2]->kind != UC_PICKLE_DICT) {
        return UNCORK_OK;
    }
    return instance(m, args->items[0], args->items[1], args->items[2], out);
}

/* object() */
static uncork_status call_object(uc_pickle_machine *m, const uc_pickle *args, uc_pickle **out)
{
    static const uc_pickle object = {.module = {"builtins", 8}, .text = {"object", 6}};
    return args->count ? UNCORK_OK : instance(m, &object, NULL, NULL, out);
}

#define BUILTINS   "builtins|__builtin__"
#define COPYREG    "copyreg|copy_reg"
#define MULTIARRAY "numpy.core.multiarray|numpy._core.multiarray"
#define NUMERIC    "numpy.core.numeric|numpy._core.numeric"
#define JOBLIB     "joblib.numpy_pickle|sklearn.externals.joblib.numpy_pickle"
#define JOBLIB_OLD JOBLIB "|joblib.numpy_pickle_compat|sklearn.externals.joblib.numpy_pickle_compat"

static const uc_pickle_builder builders[] = {
    {"collections", "OrderedDict", call_dict, NULL},
    {"collections", "defaultdict", call_defaultdict, NULL},
    {"collections", "Counter", call_dict, NULL},
    {BUILTINS, "dict", call_dict, NULL},
    {BUILTINS, "list", call_list, NULL},
    {BUILTINS, "set", call_set, NULL},
    {BUILTINS, "frozenset", call_set, NULL},
    {BUILTINS, "slice", call_slice, NULL},
    {BUILTINS, "range", call_range, NULL},
    {BUILTINS, "xrange", call_range, NULL},
    {BUILTINS, "bytes", call_bytes, NULL},
    {BUILTINS, "bytearray", call_bytes, NULL},
    {BUILTINS, "complex", call_complex, NULL},
    {BUILTINS, "object", call_object, NULL},
    {"_codecs", "encode", call_encode, NULL},
    {COPYREG, "_reconstructor", call_reconstructor, NULL},
    {COPYREG, "__newobj__", call_newobj, NULL},
    {COPYREG, "__newobj_ex__", call_newobj_ex, NULL},
    {"numpy", "dtype", uc_pickle_call_dtype, uc_pickle_build_dtype},
    {MULTIARRAY, "_reconstruct", NULL, uc_pickle_build_ndarray},
    {MULTIARRAY, "scalar", uc_pickle_call_scalar, NULL},
    {NUMERIC, "_frombuffer", uc_pickle_call_frombuffer, NULL},
    {"numpy.ma.core", "_mareconstruct", NULL, uc_pickle_build_ndarray},
    {JOBLIB, "NumpyArrayWrapper", NULL, uc_pickle_build_wrapper},
    {JOBLIB_OLD, "NDArrayWrapper", NULL, uc_pickle_build_side_wrapper},
    {JOBLIB_OLD, "ZNDArrayWrapper", NULL, uc_pickle_build_zipped_wrapper},
};

/* Whether `module` is one of "a|b|c". */
static bool module_matches(const char *modules, uc_str module)
{
    for (const char *p = modules; *p;) {
        const size_t size = strcspn(p, "|");
        if (uc_str_equal((uc_str){p, size}, module)) {
            return true;
        }
        p += size + (p[size] == '|');
    }
    return false;
}

const uc_pickle_builder *uc_pickle_builder_find(uc_str module, uc_str name)
{
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        if (uc_str_is(name, builders[i].name) && module_matches(builders[i].modules, module)) {
            return &builders[i];
        }
    }
    return NULL;
}

int64_t uc_pickle_builder_id(const uc_pickle_builder *builder)
{
    return builder ? builder - builders + 1 : 0;
}

const uc_pickle_builder *uc_pickle_builder_at(int64_t id) { return &builders[id - 1]; }
