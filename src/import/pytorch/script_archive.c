/* Values of data.pkl and constants.pkl, classes and functions of code/.
 * Source: torch 2.15, torch/csrc/jit/serialization/{pickler,unpickler,import,import_source}.cpp,
 * torch/jit/_pickle.py. */
#include "import/pytorch/script_archive.h"

#include <stdlib.h>

/* ---- code ------------------------------------------------------------------------------------ */

static uc_py_module missing;

static uc_py_module *module_of(uc_script_run *run, const char *entry)
{
    uc_py_eval *ev = run->ev;
    uc_py_module *m = uc_table_find(run->modules, uc_str_of(entry));
    if (m) return m == &missing ? NULL : m;
    uc_bundle *bundle = run->script->file->import->bundle;
    const size_t at = uc_bundle_find(bundle, entry);
    const char *key = uc_py_id(ev, entry);
    uc_bytes text;
    if (at == SIZE_MAX) {
        uc_table_put(run->modules, uc_str_of(key), &missing);
        return NULL;
    }
    uc_py_source *source = UC_NEW(ev->arena, uc_py_source, 1);
    if (!source || uc_bundle_read(bundle, at, &text, ev->error) ||
        uc_py_parse(text, key + strlen(run->script->file->folder), &ev->names, ev->budget, source,
                    ev->error)) {
        ev->failed = true;
        return NULL;
    }
    m = uc_py_module_new(ev, key, source);
    if (m && uc_table_put(run->modules, uc_str_of(key), m)) uc_py_run_module(ev, m);
    return ev->failed ? NULL : m;
}

/* "__torch__.a.b.Name" is Name of code/__torch__/a/b.py. */
static uc_pv resolve_code(uc_script_run *run, const char *path)
{
    uc_py_eval *ev = run->ev;
    const char *dot = strrchr(path, '.');
    if (!dot) return UC_PV(UC_PV_UNSET);
    char *entry = uc_arena_printf(ev->arena, "%scode/%.*s.py", run->script->file->folder,
                                  (int)(dot - path), path);
    if (!entry) return UC_PV(UC_PV_UNSET);
    for (char *p = entry + strlen(run->script->file->folder); *p; p++) {
        if (*p == '.' && p[1] != 'p') *p = '/';
        if (*p == '.' && p[1] == 'p' && p[2] != 'y') *p = '/';
        if (*p == '.' && p[1] == 'p' && p[2] == 'y' && p[3]) *p = '/';
    }
    uc_py_module *m = module_of(run, entry);
    if (!m) return UC_PV(UC_PV_UNSET);
    const uc_pv *found = uc_py_module_get(ev, m, uc_py_id(ev, dot + 1));
    if (!found) return UC_PV(UC_PV_UNSET);
    if (found->kind == UC_PV_CLASS) found->class->path = uc_py_id(ev, path);
    return *found;
}

static uc_pv resolve(uc_py_eval *ev, void *context, const char *path)
{
    uc_script_run *run = context;
    if (strncmp(path, "CONSTANTS.c", 11) == 0) {
        const uc_pickle *item =
            uc_pickle_item(run->script->constants, (size_t)strtoull(path + 11, NULL, 10));
        if (!item) return uc_py_fail(ev, "%.40s isn't in constants.pkl", path);
        return uc_script_value(run, &run->script->constants_store, item, 0);
    }
    if (strncmp(path, "__torch__.", 10) == 0) return resolve_code(run, path);
    return UC_PV(UC_PV_UNSET);
}

void uc_script_host(uc_script_run *run, uc_py_eval *ev, const uc_script_file *script)
{
    *run = (uc_script_run){.script = script, .ev = ev, .modules = uc_table_new(ev->arena)};
    ev->host = (uc_py_host){.context = run, .resolve = resolve};
    ev->script = true;
    ev->file_version = script->version;
    if (!run->modules) {
        ev->failed = true;
        uc_fail_memory(ev->error);
    }
}

/* ---- values met again ------------------------------------------------------------------------ */

static size_t slot(const uc_script_run *run, const uc_pickle *v)
{
    uint64_t h = (uint64_t)(uintptr_t)v;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    size_t at = (size_t)h & (run->seen_size - 1);
    while (run->seen_index[at] && run->seen[run->seen_index[at] - 1] != v)
        at = (at + 1) & (run->seen_size - 1);
    return at;
}

static const uc_pv *find_made(const uc_script_run *run, const uc_pickle *v)
{
    if (!run->seen_size) return NULL;
    const uint32_t i = run->seen_index[slot(run, v)];
    return i ? &run->made[i - 1] : NULL;
}

static void remember(uc_script_run *run, const uc_pickle *v, uc_pv made)
{
    uc_py_eval *ev = run->ev;
    const uc_pickle **seen = uc_arena_grow(ev->arena, (void *)run->seen, &run->seen_capacity,
                                           run->seen_count + 1, sizeof *seen);
    uc_pv *values = uc_arena_grow(ev->arena, run->made, &run->made_capacity, run->seen_count + 1,
                                  sizeof *values);
    if (!seen || !values) {
        uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    run->seen = seen;
    run->made = values;
    seen[run->seen_count] = v;
    values[run->seen_count++] = made;
    if (run->seen_count * 2 >= run->seen_size) {
        run->seen_size = run->seen_size ? run->seen_size * 2 : 256;
        run->seen_index = UC_NEW(ev->arena, uint32_t, run->seen_size);
        if (!run->seen_index) {
            uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
            run->seen_size = 0;
            return;
        }
        for (size_t i = 0; i < run->seen_count; i++)
            run->seen_index[slot(run, seen[i])] = (uint32_t)i + 1;
        return;
    }
    run->seen_index[slot(run, v)] = (uint32_t)run->seen_count;
}

/* ---- quantised tensors ----------------------------------------------------------------------- */

/* The integers: the same call without what says their scale. */
static const uc_tensor *integers_of(uc_script_run *run, const uc_t_store *store,
                                    const uc_pickle *value)
{
    uc_py_eval *ev = run->ev;
    uc_pickle *call = UC_NEW(ev->arena, uc_pickle, 1), *args = UC_NEW(ev->arena, uc_pickle, 1);
    uc_pickle *no = UC_NEW(ev->arena, uc_pickle, 1), **items = UC_NEW(ev->arena, uc_pickle *, 6);
    const uc_tensor *t = NULL;
    if (!call || !args || !no || !items) return NULL;
    *call = *value;
    *args = *value->args;
    no->kind = UC_PICKLE_BOOL;
    for (size_t i = 0; i < 4; i++)
        items[i] = value->args->items[i];
    items[4] = no;
    items[5] = UC_NEW(ev->arena, uc_pickle, 1);
    if (!items[5]) return NULL;
    items[5]->kind = UC_PICKLE_DICT;
    args->items = items;
    args->count = 6;
    call->args = args;
    call->text = uc_str_of("_rebuild_tensor_v2");
    if (uc_t_tensor_of(store, call, ev->arena, &t, ev->error)) {
        ev->failed = true;
        return NULL;
    }
    return t;
}

static const uc_tensor *plain_tensor(uc_script_run *run, const uc_t_store *store,
                                     const uc_pickle *v)
{
    const uc_tensor *t = NULL;
    if (!v || !uc_t_is_tensor(v) || uc_t_tensor_of(store, v, run->ev->arena, &t, run->ev->error))
        return NULL;
    return t;
}

/* _rebuild_qtensor(storage, offset, size, stride, (scheme, scale, zero) or (scheme, scales, zeros, axis)) */
static uc_pv quantised(uc_script_run *run, const uc_t_store *store, const uc_pickle *value)
{
    uc_py_eval *ev = run->ev;
    const uc_pickle *how = uc_pickle_item(value->args, 4);
    const uc_tensor *t = value->args->count >= 5 ? integers_of(run, store, value) : NULL;
    uc_pt_quant *q = UC_NEW(ev->arena, uc_pt_quant, 1);
    const uc_pickle *scheme = uc_pickle_item(how, 0);
    if (!t || !q || !scheme) return uc_py_fail(ev, "a quantised tensor that can't be read");
    q->dtype = t->dtype;
    if (uc_str_is(scheme->text, "per_tensor_affine")) {
        if (!uc_pickle_f64(uc_pickle_item(how, 1), &q->scale) ||
            !uc_pickle_i64(uc_pickle_item(how, 2), &q->zero))
            return uc_py_fail(ev, "a quantised tensor without its scale");
    } else {
        const uc_tensor *scales = plain_tensor(run, store, uc_pickle_item(how, 1));
        const uc_tensor *zeros = plain_tensor(run, store, uc_pickle_item(how, 2));
        int64_t axis = 0;
        if (!scales || !zeros || !uc_pickle_i64(uc_pickle_item(how, 3), &axis) || axis < 0 ||
            axis >= t->rank || scales->rank != 1 || zeros->rank != 1)
            return uc_py_fail(ev, "a quantised tensor without its scales");
        uc_graph *g = ev->level->graph;
        q->scales = uc_g_cast(g, uc_t_const(uc_py_build(ev), scales), UNCORK_FLOAT32);
        q->zeros = uc_g_cast(g, uc_graph_const(g, zeros), t->dtype);
        q->axis = (int)axis;
    }
    const uc_pv v = uc_py_constant(ev, t);
    if (v.kind == UC_PV_TENSOR) v.tensor->quant = q;
    return v;
}

/* ---- objects --------------------------------------------------------------------------------- */

static void set(uc_py_eval *ev, uc_py_object *o, const char *name, uc_pv v)
{
    uc_py_map_put(ev->arena, &o->attrs, uc_py_id(ev, name), v);
}

/* Packed parameters as TorchScript's own classes store them: (version, [settings, weight], [bias]), or
 * (version, numbers, [None, weight, bias]), or (weight, bias) of a linear layer.
 * Source: aten/src/ATen/native/quantized/cpu/conv_serialization.h. */
static uc_pv packed(uc_script_run *run, const uc_t_store *store, const uc_pickle *state, int depth)
{
    uc_py_eval *ev = run->ev;
    uc_py_class *class = UC_NEW(ev->arena, uc_py_class, 1);
    uc_py_object *o = class ? uc_py_object_new(ev, class) : NULL;
    if (!o) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    class->name = class->path = "packed parameters";
    const uc_pv v = uc_script_value(run, store, state, depth + 1);
    if (ev->failed) return v;
    if (!uc_pv_is_list(v) || v.list->count < 2)
        return uc_py_fail(ev, "packed parameters of an unknown form");
    const uc_pv self = {.kind = UC_PV_OBJECT, .object = o};
    if (v.list->items[0].kind == UC_PV_TENSOR) {
        set(ev, o, "weight", v.list->items[0]);
        set(ev, o, "bias", v.list->items[1]);
        return self;
    }
    if (v.list->count < 3 || !uc_pv_is_list(v.list->items[1]) || !uc_pv_is_list(v.list->items[2]))
        return uc_py_fail(ev, "packed parameters of an unknown form");
    const uc_py_list *a = v.list->items[1].list, *b = v.list->items[2].list;
    int64_t n[64];
    size_t count = 0;
    if (a->count > 0 && a->items[0].kind == UC_PV_TENSOR) { /* version 2 */
        count = uc_t_known(uc_py_build(ev), uc_py_ref(ev, a->items[0].tensor), n, 64);
        set(ev, o, "weight", a->count > 1 ? a->items[1] : uc_pv_none());
        set(ev, o, "bias", b->count > 0 ? b->items[0] : uc_pv_none());
    } else {
        for (; count < a->count && count < 64; count++)
            uc_py_int(ev, a->items[count], &n[count]);
        set(ev, o, "weight", b->count > 1 ? b->items[1] : uc_pv_none());
        set(ev, o, "bias", b->count > 2 ? b->items[2] : uc_pv_none());
    }
    static const char *const names[] = {"stride", "padding", "dilation", "output_padding"};
    const size_t rank = count > 0 && n[0] > 0 && n[0] <= 3 ? (size_t)n[0] : 0;
    if (rank == 0 || count == SIZE_MAX || count < 1 + 4 * rank + 1)
        return uc_py_fail(ev, "packed parameters of an unknown form");
    for (size_t i = 0; i < 4; i++) {
        uc_pv row[3];
        for (size_t k = 0; k < rank; k++)
            row[k] = uc_pv_int(n[1 + i * rank + k]);
        set(ev, o, names[i], uc_pv_list(ev, UC_PV_LIST, row, rank));
    }
    set(ev, o, "groups", uc_pv_int(n[1 + 4 * rank]));
    return self;
}

static void fill_object(uc_script_run *run, const uc_t_store *store, const uc_pickle *v,
                        uc_py_object *o, int depth)
{
    uc_py_eval *ev = run->ev;
    const uc_pickle *state = v->state;
    const uc_pv self = {.kind = UC_PV_OBJECT, .object = o};
    const uc_pv *setter = uc_py_class_find(o->class, uc_py_id(ev, "__setstate__"), NULL);
    if (setter && setter->kind == UC_PV_FUNCTION && state) {
        uc_pv arg = uc_script_value(run, store, state, depth + 1);
        if (!ev->failed)
            uc_py_call_function(ev, setter->function, &self,
                                &(uc_py_args){.items = &arg, .count = 1});
        return;
    }
    if (!state || state->kind != UC_PICKLE_DICT) return;
    for (size_t i = 0; i < state->count && !ev->failed; i++) {
        const uc_pickle *key = state->items[2 * i];
        if (key->kind != UC_PICKLE_TEXT) continue;
        const char *name = uc_py_intern(&ev->names, key->text);
        uc_pv value = uc_script_value(run, store, state->items[2 * i + 1], depth + 1);
        if (name && strcmp(name, "training") == 0) value = uc_pv_bool(false);
        uc_py_map_put(ev->arena, &o->attrs, name, value);
    }
}

static uc_pv enum_of(uc_py_eval *ev, uc_py_class *class, uc_pv value)
{
    const uc_pv self = {.kind = UC_PV_CLASS, .class = class};
    for (size_t i = 0; i < class->attrs.count; i++) {
        const char *name = class->attrs.keys[i];
        if (!name || class->attrs.values[i].kind == UC_PV_FUNCTION) continue;
        const uc_pv member = uc_py_attr(ev, self, name);
        if (uc_pv_equal(uc_py_attr(ev, member, uc_py_id(ev, "value")), value, 0) == 1)
            return member;
    }
    return uc_py_fail(ev, "an enumeration's value that it hasn't");
}

static uc_pv object(uc_script_run *run, const uc_t_store *store, const uc_pickle *v, int depth)
{
    uc_py_eval *ev = run->ev;
    const uc_str module = v->module, name = v->text;
    if (module.size == 0 || name.size == 0) return uc_py_fail(ev, "an object without a class");
    if (uc_str_is(module, "torch.jit._pickle")) {
        /* build_intlist([...]), restore_type_tag(value, type), build_tensor_from_id(id) */
        return uc_script_value(run, store, uc_pickle_item(v->args, 0), depth + 1);
    }
    if (uc_str_is(module, "torch") && uc_str_is(name, "device")) return UC_PV(UC_PV_DEVICE);
    if (uc_str_is(module, "collections") && uc_str_is(name, "OrderedDict"))
        return (uc_pv){.kind = UC_PV_DICT, .dict = uc_py_dict_new(ev)};
    char *path = uc_arena_printf(ev->arena, "%.*s.%.*s", (int)module.size, module.data,
                                 (int)name.size, name.data);
    if (!path) return uc_pv_none();
    if (strncmp(path, "__torch__.torch.classes.quantized.", 34) == 0)
        return packed(run, store, v->state ? v->state : v->args, depth);
    const uc_pv class = resolve_code(run, path);
    if (ev->failed) return class;
    if (class.kind != UC_PV_CLASS)
        return uc_py_fail(ev, "the class %.200s has no code in the file", path);
    if (class.class->kind == UC_PY_ENUM)
        return enum_of(ev, class.class,
                       uc_script_value(run, store, uc_pickle_item(v->args, 0), depth + 1));
    if (class.class->kind == UC_PY_NAMEDTUPLE) {
        uc_pv items = uc_script_value(run, store, v->args, depth + 1);
        if (uc_pv_is_list(items)) items.list->class = class.class;
        return items;
    }
    uc_py_object *o = uc_py_object_new(ev, class.class);
    if (!o) return uc_pv_none();
    const uc_pv self = {.kind = UC_PV_OBJECT, .object = o};
    remember(run, v, self); /* before its parts: they may point back */
    fill_object(run, store, v, o, depth);
    return self;
}

static uc_pv list_value(uc_script_run *run, const uc_t_store *store, const uc_pickle *v, int depth)
{
    uc_py_list *l = uc_py_list_new(run->ev, v->count);
    const uc_pv list = {.kind = v->kind == UC_PICKLE_LIST ? UC_PV_LIST : UC_PV_TUPLE, .list = l};
    if (!l) return uc_py_fail_as(run->ev, UNCORK_NO_MEMORY, "memory is out");
    remember(run, v, list);
    for (size_t i = 0; i < v->count && !run->ev->failed; i++)
        uc_py_list_add(run->ev->arena, l, uc_script_value(run, store, v->items[i], depth + 1));
    return list;
}

static uc_pv dict_value(uc_script_run *run, const uc_t_store *store, const uc_pickle *v, int depth)
{
    uc_py_dict *d = uc_py_dict_new(run->ev);
    const uc_pv dict = {.kind = UC_PV_DICT, .dict = d};
    if (!d) return uc_py_fail_as(run->ev, UNCORK_NO_MEMORY, "memory is out");
    remember(run, v, dict);
    for (size_t i = 0; i < v->count && !run->ev->failed; i++) {
        const uc_pv key = uc_script_value(run, store, v->items[2 * i], depth + 1);
        uc_py_dict_put(run->ev->arena, d, key,
                       uc_script_value(run, store, v->items[2 * i + 1], depth + 1));
    }
    return dict;
}

static uc_pv plain(uc_script_run *run, const uc_t_store *store, const uc_pickle *v, int depth)
{
    uc_py_eval *ev = run->ev;
    const uc_tensor *t = NULL;
    switch ((int)v->kind) {
    case UC_PICKLE_NONE: return uc_pv_none();
    case UC_PICKLE_BOOL: return uc_pv_bool(v->boolean);
    case UC_PICKLE_INT: return uc_pv_int(v->integer);
    case UC_PICKLE_FLOAT: return uc_pv_float(v->number);
    case UC_PICKLE_COMPLEX: return (uc_pv){.kind = UC_PV_COMPLEX, .f = v->imaginary};
    case UC_PICKLE_TEXT: return uc_pv_text(ev->arena, v->text);
    case UC_PICKLE_LIST:
    case UC_PICKLE_TUPLE: return list_value(run, store, v, depth);
    case UC_PICKLE_DICT: return dict_value(run, store, v, depth);
    case UC_PICKLE_OBJECT:
        if (uc_str_is(v->text, "_rebuild_qtensor") && v->args) return quantised(run, store, v);
        if (!uc_t_is_tensor(v)) return object(run, store, v, depth);
        if (uc_t_tensor_of(store, v, ev->arena, &t, ev->error)) {
            ev->failed = true;
            return uc_pv_none();
        }
        if (!t->data && uc_tensor_count(t) > 0) return uc_py_fail(ev, "a tensor without data");
        return uc_py_constant(ev, t);
    default: return uc_py_fail(ev, "data.pkl holds a value of an unknown kind");
    }
}

uc_pv uc_script_value(uc_script_run *run, const uc_t_store *store, const uc_pickle *v, int depth)
{
    uc_py_eval *ev = run->ev;
    if (!uc_py_step(ev) || !v) return uc_pv_none();
    if (depth > 150) return uc_py_fail_as(ev, UNCORK_LIMIT, "objects nest too deep");
    if (v->kind < UC_PICKLE_LIST) return plain(run, store, v, depth);
    const uc_pv *made = find_made(run, v);
    if (made) return *made;
    const uc_pv value = plain(run, store, v, depth);
    if (!ev->failed && !find_made(run, v)) remember(run, v, value);
    return value;
}
