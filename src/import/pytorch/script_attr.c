/* Attributes. */
#include "import/pytorch/script_eval.h"

static uc_pv method_of(uc_py_eval *ev, uc_pv self, uc_pv function, const char *name)
{
    uc_py_method *m = UC_NEW(ev->arena, uc_py_method, 1);
    if (!m) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    *m = (uc_py_method){.self = self, .function = function, .name = name};
    return (uc_pv){.kind = UC_PV_METHOD, .method = m};
}

/* What a class's attribute is when it is reached through an instance. */
static uc_pv bound(uc_py_eval *ev, uc_pv self, uc_pv found, const char *name)
{
    if (found.kind != UC_PV_FUNCTION) return found;
    switch (found.function->binding) {
    case 1: return found;
    case 2: {
        const uc_pv class = {.kind = UC_PV_CLASS,
                             .class = self.kind == UC_PV_OBJECT ? self.object->class : self.class};
        return method_of(ev, class, found, name);
    }
    case 3: return uc_py_call_function(ev, found.function, &self, &(uc_py_args){0});
    default: return method_of(ev, self, found, name);
    }
}

static uc_pv enum_member(uc_py_eval *ev, uc_py_class *class, const char *name, uc_pv *place)
{
    if (place->kind == UC_PV_OBJECT && place->object->class == class) return *place;
    uc_py_object *o = uc_py_object_new(ev, class);
    if (!o) return uc_pv_none();
    uc_py_map_put(ev->arena, &o->attrs, uc_py_id(ev, "name"),
                  uc_pv_text(ev->arena, uc_str_of(name)));
    uc_py_map_put(ev->arena, &o->attrs, uc_py_id(ev, "value"), *place);
    *place = (uc_pv){.kind = UC_PV_OBJECT, .object = o};
    return *place;
}

static uc_pv class_attr(uc_py_eval *ev, uc_py_class *class, const char *name)
{
    uc_py_class *owner = NULL;
    uc_pv *found = uc_py_class_find(class, name, &owner);
    if (!found) {
        if (strcmp(name, "__name__") == 0) return uc_pv_text(ev->arena, uc_str_of(class->name));
        if (strcmp(name, "__new__") == 0) return uc_py_library(ev, "_uncork.new");
        return UC_PV(UC_PV_UNSET);
    }
    if (found->kind == UC_PV_FUNCTION) {
        const uc_pv self = {.kind = UC_PV_CLASS, .class = class};
        return found->function->binding == 2 ? bound(ev, self, *found, name) : *found;
    }
    return class->kind == UC_PY_ENUM ? enum_member(ev, owner, name, found) : *found;
}

static uc_pv object_attr(uc_py_eval *ev, uc_pv v, const char *name)
{
    uc_py_object *o = v.object;
    uc_pv *found = uc_py_map_find(&o->attrs, name);
    if (found) return *found;
    found = uc_py_class_find(o->class, name, NULL);
    if (found) return bound(ev, v, *found, name);
    if (strcmp(name, "__class__") == 0) return (uc_pv){.kind = UC_PV_CLASS, .class = o->class};
    if (strcmp(name, "training") == 0) return uc_pv_bool(false);
    if (strcmp(name, "__dict__") == 0) {
        uc_py_dict *d = uc_py_dict_new(ev);
        for (size_t i = 0; d && i < o->attrs.count; i++) {
            if (o->attrs.keys[i])
                uc_py_dict_put(ev->arena, d, uc_pv_text(ev->arena, uc_str_of(o->attrs.keys[i])),
                               o->attrs.values[i]);
        }
        return d ? (uc_pv){.kind = UC_PV_DICT, .dict = d} : uc_pv_none();
    }
    if (o->items.kind != UC_PV_NONE) return uc_py_find_attr(ev, o->items, name);
    uc_pv *other = uc_py_class_find(o->class, uc_py_id(ev, "__getattr__"), NULL);
    if (other && other->kind == UC_PV_FUNCTION && name[0] != '_') {
        uc_pv key = uc_pv_text(ev->arena, uc_str_of(name));
        return uc_py_call_function(ev, other->function, &v,
                                   &(uc_py_args){.items = &key, .count = 1});
    }
    return UC_PV(UC_PV_UNSET);
}

static uc_pv super_attr(uc_py_eval *ev, const uc_py_method *m, const char *name)
{
    for (size_t i = 0; i < m->after->base_count; i++) {
        const uc_pv *found = uc_py_class_find(m->after->bases[i], name, NULL);
        if (found) return bound(ev, m->self, *found, name);
    }
    if (strcmp(name, "__init__") == 0) return uc_py_library(ev, "_uncork.nothing");
    return UC_PV(UC_PV_UNSET);
}

static uc_pv tuple_attr(uc_py_eval *ev, uc_pv v, const char *name)
{
    const uc_py_class *class = v.list->class;
    for (size_t i = 0; class && i < class->field_count && i < v.list->count; i++) {
        if (class->fields[i] == name) return v.list->items[i];
    }
    return method_of(ev, v, uc_pv_none(), name);
}

static int dtype_code(uncork_dtype t)
{
    switch ((int)t) {
    case UNCORK_UINT8: return 0;
    case UNCORK_INT8: return 1;
    case UNCORK_INT16: return 2;
    case UNCORK_INT32: return 3;
    case UNCORK_INT64: return 4;
    case UNCORK_FLOAT16: return 5;
    case UNCORK_FLOAT32: return 6;
    case UNCORK_FLOAT64: return 7;
    case UNCORK_BOOL: return 11;
    case UNCORK_BFLOAT16: return 15;
    default: return 6;
    }
}

static uc_pv tensor_attr(uc_py_eval *ev, uc_pv v, const char *name)
{
    static const char *const calls[][2] = {{"shape", "size"}, {"T", "numpy_T"},   {"mT", "mT"},
                                           {"H", "numpy_T"},  {"data", "detach"}, {"real", "real"},
                                           {"imag", "imag"},  {"ndim", "dim"},    {"grad", ""},
                                           {"names", ""},     {"itemsize", ""}};
    const char *call = NULL;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(name, calls[i][0]) == 0) call = calls[i][1];
    }
    if (call && !call[0]) return uc_pv_none();
    if (call) return uc_aten_run(ev, "aten", call, &(uc_py_args){.items = &v, .count = 1});
    if (strcmp(name, "dtype") == 0) {
        if (v.tensor->quant)
            return (uc_pv){.kind = UC_PV_DTYPE,
                           .i = v.tensor->quant->dtype == UNCORK_INT8 ? 12 : 13};
        const uncork_dtype t = uc_t_dtype(uc_py_build(ev), uc_py_ref(ev, v.tensor));
        return (uc_pv){.kind = UC_PV_DTYPE, .i = dtype_code(t)};
    }
    if (strcmp(name, "device") == 0) return UC_PV(UC_PV_DEVICE);
    if (strcmp(name, "is_quantized") == 0) return uc_pv_bool(v.tensor->quant != NULL);
    if (strcmp(name, "layout") == 0) return uc_pv_int(0);
    if (strncmp(name, "is_", 3) == 0 && strcmp(name, "is_floating_point") != 0 &&
        strcmp(name, "is_contiguous") != 0 && strcmp(name, "is_complex") != 0)
        return uc_pv_bool(false); /* is_cuda, is_mkldnn, is_sparse, ... */
    if (strcmp(name, "requires_grad") == 0) return uc_pv_bool(false);
    return method_of(ev, v, uc_pv_none(), name);
}

uc_pv uc_py_find_attr(uc_py_eval *ev, uc_pv v, const char *name)
{
    switch ((int)v.kind) {
    case UC_PV_OBJECT: return object_attr(ev, v, name);
    case UC_PV_CLASS: return class_attr(ev, v.class, name);
    case UC_PV_TUPLE: return tuple_attr(ev, v, name);
    case UC_PV_TENSOR: return tensor_attr(ev, v, name);
    case UC_PV_SUPER: return super_attr(ev, v.method, name);
    case UC_PV_PATH: {
        const char *path = uc_arena_printf(ev->arena, "%s.%s", v.path, name);
        if (!path || strlen(path) > 1000) return UC_PV(UC_PV_UNSET);
        return uc_py_library(ev, path);
    }
    case UC_PV_MODULE: {
        const uc_pv *found = uc_py_module_get(ev, v.module, name);
        if (found) return *found;
        if (v.module->library || !ev->host.import) return UC_PV(UC_PV_UNSET);
        uc_py_module *inner =
            ev->host.import(ev, ev->host.context,
                            uc_arena_printf(ev->arena, "%s.%s", v.module->name, name), 0, NULL);
        if (!inner || !uc_py_run_module(ev, inner)) return UC_PV(UC_PV_UNSET);
        return (uc_pv){.kind = UC_PV_MODULE, .module = inner};
    }
    case UC_PV_DTYPE:
        if (strcmp(name, "is_floating_point") == 0)
            return uc_pv_bool((v.i >= 5 && v.i <= 7) || v.i == 15);
        if (strcmp(name, "is_complex") == 0) return uc_pv_bool(v.i >= 8 && v.i <= 10);
        return UC_PV(UC_PV_UNSET);
    case UC_PV_DEVICE:
        if (strcmp(name, "type") == 0) return uc_pv_text(ev->arena, uc_str_of("cpu"));
        return strcmp(name, "index") == 0 ? uc_pv_none() : UC_PV(UC_PV_UNSET);
    case UC_PV_FUNCTION:
        if (strcmp(name, "__name__") == 0 && v.function->node->name)
            return uc_pv_text(ev->arena, uc_str_of(v.function->node->name));
        return UC_PV(UC_PV_UNSET);
    case UC_PV_RANGE:
    case UC_PV_NONE:
    case UC_PV_UNSET: return UC_PV(UC_PV_UNSET);
    case UC_PV_SLICE: {
        static const char *const parts[] = {"start", "stop", "step"};
        for (size_t i = 0; i < 3; i++) {
            if (strcmp(name, parts[i]) == 0) return v.slice[i];
        }
        return UC_PV(UC_PV_UNSET);
    }
    default: return method_of(ev, v, uc_pv_none(), name);
    }
}

uc_pv uc_py_attr(uc_py_eval *ev, uc_pv v, const char *name)
{
    const uc_pv found = uc_py_find_attr(ev, v, name);
    if (ev->failed) return uc_pv_none();
    if (found.kind != UC_PV_UNSET ||
        (ev->script && v.kind == UC_PV_OBJECT && uc_py_map_find(&v.object->attrs, name)))
        return found;
    return uc_py_fail(ev, "%s has no '%.100s'", uc_pv_type_name(v), name);
}

void uc_py_set_attr(uc_py_eval *ev, uc_pv v, const char *name, uc_pv value)
{
    if (v.kind == UC_PV_OBJECT) {
        uc_py_set(ev, &v.object->attrs, name, value);
    } else if (v.kind == UC_PV_CLASS) {
        uc_py_set(ev, &v.class->attrs, name, value);
    } else if (v.kind == UC_PV_TENSOR) {
        if (strcmp(name, "data") == 0 && value.kind == UC_PV_TENSOR)
            uc_py_write(ev, v.tensor, uc_py_ref(ev, value.tensor));
        /* requires_grad and the like say nothing of values */
    } else if (v.kind == UC_PV_MODULE) {
        uc_py_set(ev, &v.module->names, name, value);
    } else if (v.kind != UC_PV_PATH && v.kind != UC_PV_FUNCTION) {
        uc_py_fail(ev, "%s takes no attributes", uc_pv_type_name(v));
    } /* torch.backends.cudnn.benchmark = True and the like */
}
