/* One walk over everything a pickle holds, shared values once: what it would call when Python loads
 * it, which classes aren't known, which versions wrote it.
 *
 * A pickle is refused for running when it calls anything that isn't known to build data, wherever in
 * it that stands and whether the model reaches it or not: such a file was made to do something. */
#include "import/sklearn/sk_file.h"

#include "base/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* How a value was reached from its parent. */
typedef enum link_kind { LINK_ROOT, LINK_ITEM, LINK_KEY, LINK_ATTRIBUTE, LINK_ARGUMENT } link_kind;

typedef struct place {
    const uc_pickle *value;
    const uc_pickle *key; /* KEY, ATTRIBUTE */
    uint32_t parent, index;
    link_kind kind;
} place;

typedef struct scan {
    sk_file *file;
    uc_arena *arena, *scratch;
    uc_budget *budget;
    uc_findings *findings;
    uncork_error *error;
    place *places; /* every container met, in order; 0 is the root */
    size_t place_count, place_capacity;
    uint32_t *stack; /* places still to open */
    size_t stack_count, stack_capacity;
    const uc_pickle **seen; /* hashed, open addressing */
    size_t seen_count, seen_capacity;
    uc_table *used; /* "module\nname" of unknown symbols that are part of the tree */
    uc_table *versions;
} scan;

/* ---- what is known ------------------------------------------------------------------------- */

static bool begins(uc_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.size >= n && memcmp(s.data, prefix, n) == 0;
}

static bool is_class_name(uc_str name)
{
    size_t at = 0;
    while (at < name.size && name.data[at] == '_')
        at++;
    return at < name.size && name.data[at] >= 'A' && name.data[at] <= 'Z' &&
           !memchr(name.data, '.', name.size);
}

/* Packages whose classes, and whose unpickling helpers, only build data. */
static const struct {
    const char *package;
    const char *helpers; /* beginnings of function names, '|' between them */
} packages[] = {
    {"sklearn.", "newObj|__pyx_unpickle_"},
    {"scipy.", "__pyx_unpickle_"},
    {"pandas.core.", "_new_|_unpickle|__pyx_unpickle_|new_block"},
    {"pandas._libs.", "_unpickle|__pyx_unpickle_"},
    {"pandas.indexes.", "_new_"},
    {"xgboost.", NULL},
    {"lightgbm.", NULL},
    {"imblearn.", NULL},
    {"numpy.random", "__bit_generator_ctor|__randomstate_ctor|__RandomState_ctor|"
                     "__generator_ctor|__pyx_unpickle_"},
    {"joblib.memory", NULL}, /* a cache's settings, as Pipeline(memory=...) keeps them */
    {"joblib.numpy_pickle", NULL},
    {"collections", "deque|defaultdict"},
    {"datetime", "date|time|timedelta|timezone"},
};

/* Of those, what reads files or evaluates text when called. */
static const char *const not_benign[] = {"sklearn.externals.", "sklearn.datasets.",
                                         "pandas.core.computation", "scipy.io.", "scipy.datasets."};

static const char *const single[] = {
    "__builtin__.bytearray",
    "__builtin__.bytes",
    "__builtin__.complex",
    "__builtin__.dict",
    "__builtin__.float",
    "__builtin__.frozenset",
    "__builtin__.int",
    "__builtin__.list",
    "__builtin__.long",
    "__builtin__.object",
    "__builtin__.range",
    "__builtin__.set",
    "__builtin__.slice",
    "__builtin__.str",
    "__builtin__.tuple",
    "__builtin__.unicode",
    "__builtin__.xrange",
    "_codecs.encode",
    "array._array_reconstructor",
    "builtins.bool",
    "builtins.bytearray",
    "builtins.bytes",
    "builtins.complex",
    "builtins.dict",
    "builtins.float",
    "builtins.frozenset",
    "builtins.int",
    "builtins.list",
    "builtins.object",
    "builtins.range",
    "builtins.set",
    "builtins.slice",
    "builtins.str",
    "builtins.tuple",
    "builtins.type",
    "copy_reg.__newobj__",
    "copy_reg._reconstructor",
    "copyreg.__newobj__",
    "copyreg.__newobj_ex__",
    "copyreg._reconstructor",
    "decimal.Decimal",
    "fractions.Fraction",
    "functools.partial",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.PurePosixPath",
    "pathlib.PureWindowsPath",
    "pathlib.WindowsPath",
    "re._compile",
    "types.SimpleNamespace",
    "uuid.UUID",
    "numpy._core._ufunc_reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.numeric._frombuffer",
    "numpy.core._ufunc_reconstruct",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy.core.numeric._frombuffer",
    "numpy.dtype",
    "numpy.ma.core._mareconstruct",
    "numpy.ma.MaskedArray",
    "numpy.ma.core.MaskedArray",
    "numpy.matrix",
    "numpy.matrixlib.defmatrix.matrix",
    "numpy.memmap",
    "numpy.core.memmap.memmap",
    "numpy.ndarray",
    "numpy.rec.recarray",
    "numpy.recarray",
    "numpy.core.records.recarray",
    "numpy.core.records.record",
    "numpy.record",
};

/* The types of NumPy's scalars stand in files as names. */
static bool is_numpy_type(uc_str module, uc_str name)
{
    static const char *const types[] = {
        "bool",       "bool_",   "int",         "uint",  "float",   "complex",
        "str",        "str_",    "unicode",     "bytes", "object_", "datetime64",
        "longdouble", "string_", "timedelta64", "intp",  "generic", "void"};
    if (!uc_str_is(module, "numpy")) return false;
    while (name.size && name.data[name.size - 1] >= '0' && name.data[name.size - 1] <= '9')
        name.size--;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        uc_str type = uc_str_of(types[i]);
        while (type.data[type.size - 1] >= '0' && type.data[type.size - 1] <= '9')
            type.size--;
        if (uc_str_equal(name, type)) return true;
    }
    return false;
}

/* A function of these that is only mentioned (a scorer, a ufunc) is nothing odd. */
static bool is_library(uc_str module)
{
    static const char *const names[] = {"numpy",  "scipy",    "sklearn",
                                        "pandas", "builtins", "__builtin__"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (begins(module, names[i]) && (module.size == n || module.data[n] == '.')) return true;
    }
    return false;
}

static bool has_helper(const char *helpers, uc_str name)
{
    while (helpers && *helpers) {
        size_t n = strcspn(helpers, "|");
        if (name.size >= n && memcmp(name.data, helpers, n) == 0) return true;
        helpers += n + (helpers[n] == '|');
    }
    return false;
}

/* sklearn/_loss/_loss.pyx, which is compiled under the name "_loss" alone. */
static bool is_cython_loss(uc_str module, uc_str name)
{
    return uc_str_is(module, "_loss") && (begins(name, "Cy") || begins(name, "__pyx_unpickle_Cy"));
}

bool sk_is_benign(uc_str module, uc_str name)
{
    for (size_t i = 0; i < sizeof not_benign / sizeof not_benign[0]; i++) {
        bool wrapper = begins(module, "sklearn.externals.joblib.numpy_pickle") ||
                       begins(module, "sklearn.externals.joblib.memory");
        if (begins(module, not_benign[i]) && !wrapper) return false;
    }
    for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
        if (begins(module, packages[i].package) &&
            (is_class_name(name) || has_helper(packages[i].helpers, name))) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
        size_t n = strlen(single[i]);
        if (n == module.size + 1 + name.size && memcmp(single[i], module.data, module.size) == 0 &&
            single[i][module.size] == '.' &&
            memcmp(single[i] + module.size + 1, name.data, name.size) == 0) {
            return true;
        }
    }
    return is_numpy_type(module, name) || is_cython_loss(module, name);
}

/* ---- places -------------------------------------------------------------------------------- */

static bool is_first_visit(scan *s, const uc_pickle *value)
{
    if (2 * (s->seen_count + 1) > s->seen_capacity) {
        size_t capacity = s->seen_capacity ? 2 * s->seen_capacity : 1024;
        const uc_pickle **table = UC_NEW(s->scratch, const uc_pickle *, capacity);
        if (!table) return false;
        for (size_t i = 0; i < s->seen_capacity; i++) {
            if (!s->seen[i]) continue;
            size_t at = uc_hash(&s->seen[i], sizeof s->seen[i]) & (capacity - 1);
            while (table[at])
                at = (at + 1) & (capacity - 1);
            table[at] = s->seen[i];
        }
        s->seen = table;
        s->seen_capacity = capacity;
    }
    size_t at = uc_hash(&value, sizeof value) & (s->seen_capacity - 1);
    while (s->seen[at]) {
        if (s->seen[at] == value) return false;
        at = (at + 1) & (s->seen_capacity - 1);
    }
    s->seen[at] = value;
    s->seen_count++;
    return true;
}

/* Queues a value that can hold others (or is a symbol). */
static void visit(scan *s, const uc_pickle *value, uint32_t parent, link_kind kind,
                  const uc_pickle *key, size_t index)
{
    if (!value) return;
    bool holds = value->kind == UC_PICKLE_SYMBOL || value->kind == UC_PICKLE_OBJECT ||
                 (value->items && value->count > 0);
    if (!holds || s->place_count >= UINT32_MAX || !is_first_visit(s, value)) return;
    place *places = uc_arena_grow(s->scratch, s->places, &s->place_capacity, s->place_count + 1,
                                  sizeof *places);
    uint32_t *stack =
        uc_arena_grow(s->scratch, s->stack, &s->stack_capacity, s->stack_count + 1, sizeof *stack);
    if (!places || !stack) return;
    s->places = places;
    s->stack = stack;
    s->places[s->place_count] = (place){value, key, parent, (uint32_t)index, kind};
    s->stack[s->stack_count++] = (uint32_t)s->place_count++;
}

static int put(char *text, size_t size, size_t *at, const char *format, ...) UC_PRINTF(4, 5);
static int put(char *text, size_t size, size_t *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = *at < size ? vsnprintf(text + *at, size - *at, format, args) : 0;
    va_end(args);
    if (n > 0) *at += (size_t)n;
    return n;
}

/* (name, estimator): the pair stands for its estimator. */
static bool is_second_of_pair(const scan *s, const place *p)
{
    const uc_pickle *pair = s->places[p->parent].value;
    const uc_pickle *name =
        pair->kind == UC_PICKLE_TUPLE && p->index == 1 ? uc_pickle_item(pair, 0) : NULL;
    return name && (name->kind == UC_PICKLE_TEXT || name->kind == UC_PICKLE_BYTES);
}

/* "model.steps[0]"; a deep one is cut in front. */
static const char *path_of(scan *s, uint32_t at)
{
    enum { SHOWN = 24 };
    uint32_t chain[SHOWN];
    size_t n = 0;
    char text[300];
    size_t used = 0;
    for (uint32_t i = at; n < SHOWN; i = s->places[i].parent) {
        chain[n++] = i;
        if (s->places[i].kind == LINK_ROOT) break;
    }
    bool whole = s->places[chain[n - 1]].kind == LINK_ROOT;
    const char *root = sk_is_estimator(s->file->root) ? "model" : "pickle";
    put(text, sizeof text, &used, "%s", whole ? root : "...");
    for (size_t i = n - (whole ? 1 : 0); i-- > 0;) {
        const place *p = &s->places[chain[i]];
        uc_str key = p->key ? p->key->text : (uc_str){NULL, 0};
        int shown = (int)(key.size < 60 ? key.size : 60);
        if (p->kind == LINK_ITEM && !is_second_of_pair(s, p))
            put(text, sizeof text, &used, "[%" PRIu32 "]", p->index);
        if (p->kind == LINK_ARGUMENT)
            put(text, sizeof text, &used, "(argument %" PRIu32 ")", p->index + 1);
        if (p->kind == LINK_ATTRIBUTE)
            put(text, sizeof text, &used, ".%.*s", shown, shown ? key.data : "");
        if (p->kind == LINK_KEY && shown)
            put(text, sizeof text, &used, "['%.*s']", shown, key.data);
        if (p->kind == LINK_KEY && !shown)
            put(text, sizeof text, &used, "[key %" PRIu32 "]", p->index);
    }
    const char *copy = uc_arena_str(s->arena, text);
    return copy ? copy : "?";
}

/* ---- findings ------------------------------------------------------------------------------ */

static void refuse(scan *s, const char *text)
{
    uc_note(s->findings, UC_NOTE_ODD, "unknown-call", "%s", text);
    if (s->file->refusal) return;
    s->file->refusal = text;
}

static const char *call_text(scan *s, const uc_pickle *call, const char *how)
{
    size_t n = call->args ? call->args->count : 0;
    if (call->text.size == 0) {
        return uc_arena_printf(
            s->arena, "the result of a call is called with %zu argument%s at byte %" PRIu64 ", %s",
            n, n == 1 ? "" : "s", call->offset, how);
    }
    return uc_arena_printf(
        s->arena, "%.*s%s%.*s called with %zu argument%s at byte %" PRIu64 ", %s",
        (int)call->module.size, call->module.data, call->module.size ? "." : "",
        (int)call->text.size, call->text.data, n, n == 1 ? "" : "s", call->offset, how);
}

static uc_str symbol_key(scan *s, uc_str module, uc_str name)
{
    const char *key = uc_arena_printf(s->scratch, "%.*s\n%.*s", (int)module.size, module.data,
                                      (int)name.size, name.data);
    return uc_str_of(key ? key : "");
}

static void check_symbol(scan *s, const uc_pickle *value, uint32_t at)
{
    if (sk_is_benign(value->module, value->text)) return;
    uc_table_put(s->used, symbol_key(s, value->module, value->text), s->file);
    if (value->kind == UC_PICKLE_OBJECT && value->is_call) {
        const char *path = path_of(s, at);
        const char *how = uc_arena_printf(s->arena, "reached as %s", path);
        const char *text = call_text(s, value, how ? how : "");
        if (text) refuse(s, text);
        return;
    }
    if (value->kind == UC_PICKLE_SYMBOL && is_library(value->module)) return;
    uc_note(s->findings, UC_NOTE_IGNORED, "unknown-class", "%.*s%s%.*s at %s isn't known",
            (int)value->module.size, value->module.data, value->module.size ? "." : "",
            (int)value->text.size, value->text.data, path_of(s, at));
}

static void note_version(scan *s, const uc_pickle *object)
{
    const uc_pickle *v = uc_pickle_attr(object, "_sklearn_version");
    if (!v || (v->kind != UC_PICKLE_TEXT && v->kind != UC_PICKLE_BYTES)) return;
    if (s->file->version_count == 0) {
        sk_est est;
        sk_ctx ctx = {.arena = s->scratch, .budget = s->budget};
        if (sk_estimator(&ctx, object, NULL, "model", &est)) s->file->version = est.version;
        s->file->version_text = v->text;
    }
    if (!uc_table_find(s->versions, v->text)) {
        uc_table_put(s->versions, v->text, s->file);
        s->file->version_count++;
    }
}

/* ---- the walk ------------------------------------------------------------------------------ */

static void open_dict(scan *s, const uc_pickle *dict, uint32_t at, link_kind kind)
{
    if (!dict || dict->kind != UC_PICKLE_DICT) return;
    for (size_t i = 0; i < dict->count; i++) {
        visit(s, dict->items[2 * i + 1], at, kind, dict->items[2 * i], i);
        visit(s, dict->items[2 * i], at, kind, NULL, i);
    }
}

static void open_items(scan *s, const uc_pickle *value, uint32_t at, link_kind kind)
{
    for (size_t i = 0; i < sk_item_count(value); i++) {
        visit(s, value->items[i], at, kind, NULL, i);
    }
}

static void open_object(scan *s, const uc_pickle *object, uint32_t at)
{
    check_symbol(s, object, at);
    note_version(s, object);
    const uc_pickle *state = object->state;
    if (state && state->kind == UC_PICKLE_DICT) {
        open_dict(s, state, at, LINK_ATTRIBUTE);
    } else if (state && state->kind == UC_PICKLE_TUPLE) {
        for (size_t i = 0; i < state->count; i++) {
            const uc_pickle *part = state->items[i];
            if (part && part->kind == UC_PICKLE_DICT) {
                open_dict(s, part, at, LINK_ATTRIBUTE);
            } else {
                visit(s, part, at, LINK_ITEM, NULL, i);
            }
        }
    } else {
        visit(s, state, at, LINK_ITEM, NULL, 0);
    }
    open_items(s, object->args, at, LINK_ARGUMENT);
    open_dict(s, object->kwargs, at, LINK_KEY);
    open_items(s, object->list_items, at, LINK_ITEM);
    open_dict(s, object->dict_items, at, LINK_KEY);
    visit(s, object->callee, at, LINK_ARGUMENT, NULL, 0);
}

static void open_place(scan *s, uint32_t at)
{
    const uc_pickle *value = s->places[at].value;
    size_t first = s->stack_count;
    if (value->kind == UC_PICKLE_SYMBOL) {
        check_symbol(s, value, at);
    } else if (value->kind == UC_PICKLE_OBJECT) {
        open_object(s, value, at);
    } else if (value->kind == UC_PICKLE_DICT) {
        open_dict(s, value, at, LINK_KEY);
    } else {
        open_items(s, value, at, LINK_ITEM);
    }
    for (size_t i = first, j = s->stack_count; i + 1 < j; i++) { /* opened in the file's order */
        uint32_t swap = s->stack[i];
        s->stack[i] = s->stack[--j];
        s->stack[j] = swap;
    }
}

/* Symbols the stream fetches that no value holds: called and thrown away, or hidden. */
static void check_leftovers(scan *s)
{
    const uc_pickle_info *info = &s->file->info;
    if (info->dropped) {
        const char *text = call_text(s, info->dropped, "its result is thrown away");
        if (text) refuse(s, text);
    }
    for (size_t i = 0; i < info->symbol_count && !s->file->refusal; i++) {
        const uc_pickle *symbol = info->symbols[i];
        if (sk_is_benign(symbol->module, symbol->text)) continue;
        if (uc_table_find(s->used, symbol_key(s, symbol->module, symbol->text))) continue;
        const char *text = uc_arena_printf(
            s->arena,
            "%.*s.%.*s is fetched at byte %" PRIu64 " but isn't part of what the pickle holds",
            (int)symbol->module.size, symbol->module.data, (int)symbol->text.size,
            symbol->text.data, symbol->offset);
        if (text) refuse(s, text);
    }
}

uncork_status sk_scan(sk_file *file, uc_arena *arena, uc_budget *budget, uc_findings *findings,
                      uncork_error *error)
{
    scan s = {.file = file, .arena = arena, .budget = budget, .findings = findings, .error = error};
    s.scratch = uc_arena_new(budget);
    if (!s.scratch) return uc_fail_memory(error);
    s.used = uc_table_new(s.scratch);
    s.versions = uc_table_new(s.scratch);
    uncork_status status = uc_arena_status(s.scratch, error);
    if (status == UNCORK_OK) visit(&s, file->root, 0, LINK_ROOT, NULL, 0);
    while (status == UNCORK_OK && s.stack_count) {
        uint32_t at = s.stack[--s.stack_count];
        status =
            uc_budget_nodes(budget, 1 + s.places[at].value->count, "values in the pickle", error);
        if (status == UNCORK_OK) status = uc_budget_check(budget, error);
        if (status == UNCORK_OK) open_place(&s, at);
        if (status == UNCORK_OK) status = uc_arena_status(s.scratch, error);
    }
    if (status == UNCORK_OK) check_leftovers(&s);
    if (status == UNCORK_OK) status = uc_arena_status(s.scratch, error);
    uc_arena_free(s.scratch);
    return status == UNCORK_OK ? uc_arena_status(arena, error) : status;
}
