/* Calls: functions, methods, classes, what a library's name stands for. */
#include "import/pytorch/script_eval.h"

/* ---- arguments ------------------------------------------------------------------------------- */

uc_pv uc_py_keyword(const uc_py_args *args, const char *name)
{
    for (size_t i = 0; i < args->named; i++) {
        if (strcmp(args->names[i], name) == 0) return args->values[i];
    }
    return UC_PV(UC_PV_UNSET);
}

uc_pv uc_py_arg(const uc_py_args *args, size_t i, const char *name)
{
    return i < args->count ? args->items[i] : uc_py_keyword(args, name);
}

static void put_param(uc_py_eval *ev, uc_py_frame *frame, const char *name, uc_pv value)
{
    if (!uc_py_map_put(ev->arena, frame->names, name, value))
        uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
}

static bool is_param(const uc_py_node *def, const char *name)
{
    for (size_t i = 0; i < def->param_count; i++) {
        if (def->params[i].name == name && def->params[i].stars == 0) return true;
    }
    return false;
}

/* Keywords that no parameter has go to **kwargs, or are a mistake. */
static void extra_keywords(uc_py_eval *ev, const uc_py_function *f, uc_py_frame *frame,
                           const uc_py_args *args)
{
    const uc_py_node *def = f->node;
    const char *rest = NULL;
    for (size_t i = 0; i < def->param_count; i++) {
        if (def->params[i].stars == 2) rest = def->params[i].name;
    }
    uc_py_dict *extra = rest ? uc_py_dict_new(ev) : NULL;
    for (size_t i = 0; i < args->named && !ev->failed; i++) {
        if (is_param(def, args->names[i])) continue;
        if (!extra) {
            uc_py_fail(ev, "%s() has no parameter '%.100s'", def->name ? def->name : "lambda",
                       args->names[i]);
            return;
        }
        uc_py_dict_put(ev->arena, extra, uc_pv_text(ev->arena, uc_str_of(args->names[i])),
                       args->values[i]);
    }
    if (extra) put_param(ev, frame, rest, (uc_pv){.kind = UC_PV_DICT, .dict = extra});
}

static void bind(uc_py_eval *ev, const uc_py_function *f, uc_py_frame *frame, const uc_pv *self,
                 const uc_py_args *args)
{
    const uc_py_node *def = f->node;
    const size_t skip = self ? 1 : 0;
    size_t taken = 0; /* of self and the positional ones */
    bool variadic = false;
    for (size_t i = 0; i < def->param_count && !ev->failed; i++) {
        const uc_py_param *p = &def->params[i];
        if (p->stars == 2) continue;
        if (p->stars == 1) {
            uc_py_list *rest = uc_py_list_new(ev, 0);
            for (; rest && taken < args->count + skip; taken++)
                uc_py_list_add(ev->arena, rest, args->items[taken - skip]);
            put_param(ev, frame, p->name, (uc_pv){.kind = UC_PV_TUPLE, .list = rest});
            variadic = true;
            continue;
        }
        uc_pv value = UC_PV(UC_PV_UNSET);
        if (!p->keyword_only && taken < args->count + skip) {
            value = self && taken == 0 ? *self : args->items[taken - skip];
            taken++;
        } else {
            value = uc_py_keyword(args, p->name);
            if (value.kind == UC_PV_UNSET) value = f->fallbacks[i];
            if (value.kind == UC_PV_UNSET) {
                uc_py_fail(ev, "%s() needs '%s'", def->name ? def->name : "lambda", p->name);
                return;
            }
        }
        put_param(ev, frame, p->name, value);
    }
    if (!variadic && taken < args->count + skip) {
        uc_py_fail(ev, "%s() takes %zu arguments, %zu given", def->name ? def->name : "lambda",
                   taken, args->count + skip);
        return;
    }
    extra_keywords(ev, f, frame, args);
}

/* ---- functions ------------------------------------------------------------------------------- */

uc_pv uc_py_function_of(uc_py_eval *ev, const uc_py_node *def, uc_py_class *owner)
{
    uc_py_function *f = UC_NEW(ev->arena, uc_py_function, 1);
    if (!f) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    *f = (uc_py_function){.node = def, .module = ev->frame->module, .owner = owner};
    if (ev->frame->names != &ev->frame->module->names && !owner) f->closure = ev->frame;
    f->fallbacks = UC_NEW(ev->arena, uc_pv, def->param_count + 1);
    if (!f->fallbacks) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    for (size_t i = 0; i < def->param_count; i++) {
        f->fallbacks[i] =
            def->params[i].fallback ? uc_py_value(ev, def->params[i].fallback) : UC_PV(UC_PV_UNSET);
    }
    for (size_t i = 0; def->kind == UC_PY_DEF && i < def->list.count; i++) {
        const uc_py_node *d = def->list.items[i];
        if (d->kind != UC_PY_NAME) continue;
        if (strcmp(d->name, "staticmethod") == 0) f->binding = 1;
        if (strcmp(d->name, "classmethod") == 0) f->binding = 2;
        if (strcmp(d->name, "property") == 0) f->binding = 3;
    }
    return (uc_pv){.kind = UC_PV_FUNCTION, .function = f};
}

uc_pv uc_py_call_function(uc_py_eval *ev, uc_py_function *f, const uc_pv *self,
                          const uc_py_args *args)
{
    if (!uc_py_step(ev)) return uc_pv_none();
    if (ev->calls >= UC_PY_CALLS)
        return uc_py_fail_as(ev, UNCORK_LIMIT, "functions call each other too deep");
    uc_py_frame *frame = UC_NEW(ev->arena, uc_py_frame, 1);
    if (!frame) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    *frame = (uc_py_frame){.closure = f->closure,
                           .module = f->module,
                           .function = f,
                           .owner = f->owner,
                           .self = self          ? *self
                                   : args->count ? args->items[0]
                                                 : uc_pv_none()};
    frame->names = &frame->own;
    frame->own.born = ev->epoch;
    bind(ev, f, frame, self, args);
    if (ev->failed) return uc_pv_none();
    uc_py_frame *outer = ev->frame;
    const char *path = ev->path;
    const uint32_t line = ev->line;
    ev->frame = frame;
    ev->path = f->module->path;
    ev->calls++;
    if (f->node->kind == UC_PY_LAMBDA) {
        frame->result = uc_py_value(ev, f->node->a);
    } else {
        uc_py_run(ev, &f->node->body);
    }
    ev->calls--;
    ev->frame = outer;
    if (ev->failed) return uc_pv_none();
    ev->path = path;
    ev->line = line;
    return frame->result;
}

/* ---- classes --------------------------------------------------------------------------------- */

static bool add_base(uc_py_eval *ev, uc_py_class *class, const uc_py_node *n)
{
    if (n->kind == UC_PY_KEYWORD) return true;
    if (ev->script && n->kind == UC_PY_NAME) {
        if (strcmp(n->name, "NamedTuple") == 0) class->kind = UC_PY_NAMEDTUPLE;
        if (strcmp(n->name, "Enum") == 0) class->kind = UC_PY_ENUM;
        if (strcmp(n->name, "Interface") == 0 || strcmp(n->name, "ModuleInterface") == 0)
            class->kind = UC_PY_INTERFACE;
        return true;
    }
    const uc_pv v = uc_py_value(ev, n);
    if (ev->failed) return false;
    if (v.kind == UC_PV_PATH) {
        if (strcmp(v.path, "typing.NamedTuple") == 0) class->kind = UC_PY_NAMEDTUPLE;
        if (strcmp(v.path, "enum.Enum") == 0 || strcmp(v.path, "enum.IntEnum") == 0)
            class->kind = UC_PY_ENUM;
        return true; /* object, ABC, Generic, Dataset...: nothing that inference asks */
    }
    if (v.kind != UC_PV_CLASS) return true;
    class->bases[class->base_count++] = v.class;
    if (v.class->kind != UC_PY_PLAIN) class->kind = v.class->kind;
    return true;
}

static void add_field(uc_py_eval *ev, uc_py_class *class, size_t *capacity, const char *name)
{
    const char **grown = uc_arena_grow(ev->arena, (void *)class->fields, capacity,
                                       class->field_count + 1, sizeof *grown);
    if (!grown) return;
    class->fields = grown;
    grown[class->field_count++] = name;
}

static bool is_data_class(const uc_py_node *decorator)
{
    if (decorator && decorator->kind == UC_PY_CALL) decorator = decorator->a;
    return decorator && (decorator->kind == UC_PY_NAME || decorator->kind == UC_PY_ATTR) &&
           strcmp(decorator->name, "dataclass") == 0;
}

static void class_body(uc_py_eval *ev, uc_py_class *class, const uc_py_block *body)
{
    size_t capacity = class->field_count;
    for (size_t i = 0; i < body->count && !ev->failed; i++) {
        uc_py_node *n = body->items[i];
        ev->line = n->line;
        if (n->kind == UC_PY_DEF) {
            /* A setter has its property's name: the getter, which comes first, is kept. */
            uc_pv *old = uc_py_map_find(&class->attrs, n->name);
            if (old && n->list.count > 0 && n->list.items[0]->kind == UC_PY_ATTR) continue;
            uc_py_map_put(ev->arena, &class->attrs, n->name, uc_py_function_of(ev, n, class));
        } else if (n->kind == UC_PY_ANNOTATE && n->a->kind == UC_PY_NAME) {
            add_field(ev, class, &capacity, n->a->name);
            if (n->c) uc_py_map_put(ev->arena, &class->attrs, n->a->name, uc_py_value(ev, n->c));
        } else if (n->kind == UC_PY_CLASS) {
            uc_py_map_put(ev->arena, &class->attrs, n->name, uc_py_class_of(ev, n));
        } else {
            uc_py_run(ev, &(uc_py_block){.items = &n, .count = 1});
        }
    }
}

uc_pv uc_py_class_of(uc_py_eval *ev, const uc_py_node *n)
{
    uc_py_class *class = UC_NEW(ev->arena, uc_py_class, 1);
    if (!class) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    *class = (uc_py_class){.name = n->name, .path = n->name, .data = is_data_class(n->a)};
    class->bases = UC_NEW(ev->arena, uc_py_class *, n->list.count + 1);
    if (!class->bases) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    for (size_t i = 0; i < n->list.count; i++) {
        if (!add_base(ev, class, n->list.items[i])) return uc_pv_none();
    }
    for (size_t i = 0; i < class->base_count && class->field_count == 0; i++) {
        class->fields = class->bases[i]->fields;
        class->field_count = class->bases[i]->field_count;
    }
    /* The body's names are the class's attributes. */
    uc_py_frame *frame = UC_NEW(ev->arena, uc_py_frame, 1);
    if (!frame) return uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
    *frame =
        (uc_py_frame){.module = ev->frame->module, .closure = ev->frame, .names = &class->attrs};
    uc_py_frame *outer = ev->frame;
    ev->frame = frame;
    if (ev->script) frame->closure = NULL;
    class_body(ev, class, &n->body);
    ev->frame = outer;
    return ev->failed ? uc_pv_none() : (uc_pv){.kind = UC_PV_CLASS, .class = class};
}

uc_py_object *uc_py_object_new(uc_py_eval *ev, uc_py_class *class)
{
    uc_py_object *o = UC_NEW(ev->arena, uc_py_object, 1);
    if (!o) {
        uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
        return NULL;
    }
    *o = (uc_py_object){.class = class};
    o->attrs.born = ev->epoch;
    return o;
}

static uc_pv new_tuple(uc_py_eval *ev, uc_py_class *class, const uc_py_args *args)
{
    uc_py_list *l = uc_py_list_new(ev, class->field_count);
    for (size_t i = 0; l && i < class->field_count; i++) {
        uc_pv v = uc_py_arg(args, i, class->fields[i]);
        const uc_pv *fallback = uc_py_map_find(&class->attrs, class->fields[i]);
        if (v.kind == UC_PV_UNSET && fallback) v = *fallback;
        if (v.kind == UC_PV_UNSET && !ev->script)
            return uc_py_fail(ev, "%s needs '%s'", class->name, class->fields[i]);
        uc_py_list_add(ev->arena, l, v);
    }
    if (!l) return uc_pv_none();
    l->class = class;
    return (uc_pv){.kind = UC_PV_TUPLE, .list = l};
}

static void new_data(uc_py_eval *ev, uc_py_object *o, const uc_py_args *args)
{
    const uc_py_class *class = o->class;
    for (size_t i = 0; i < class->field_count && !ev->failed; i++) {
        uc_pv v = uc_py_arg(args, i, class->fields[i]);
        const uc_pv *fallback = uc_py_map_find(&class->attrs, class->fields[i]);
        if (v.kind == UC_PV_UNSET && fallback) v = *fallback;
        if (v.kind == UC_PV_UNSET) {
            uc_py_fail(ev, "%s needs '%s'", class->name, class->fields[i]);
            return;
        }
        uc_py_set(ev, &o->attrs, class->fields[i], v);
    }
}

uc_pv uc_py_new(uc_py_eval *ev, uc_py_class *class, const uc_py_args *args)
{
    if (!uc_py_step(ev)) return uc_pv_none();
    if (class->kind == UC_PY_NAMEDTUPLE) return new_tuple(ev, class, args);
    if (class->kind == UC_PY_ENUM && args->count == 1) return args->items[0];
    uc_py_object *o = uc_py_object_new(ev, class);
    if (!o) return uc_pv_none();
    const uc_pv self = {.kind = UC_PV_OBJECT, .object = o};
    const uc_pv *init = uc_py_class_find(class, uc_py_id(ev, "__init__"), NULL);
    if (init && init->kind == UC_PV_FUNCTION) {
        uc_py_call_function(ev, init->function, &self, args);
    } else if (class->data) {
        new_data(ev, o, args);
        uc_pv after = uc_py_find_attr(ev, self, uc_py_id(ev, "__post_init__"));
        if (after.kind != UC_PV_UNSET) uc_py_call(ev, after, &(uc_py_args){0});
    } else if (args->count > 0 && !ev->script) {
        return uc_py_fail(ev, "%s() takes no arguments", class->name);
    }
    return ev->failed ? uc_pv_none() : self;
}

/* ---- calls ----------------------------------------------------------------------------------- */

uc_pv uc_py_call_method(uc_py_eval *ev, uc_pv self, const char *name, const uc_pv *items,
                        size_t count)
{
    const uc_pv method = uc_py_attr(ev, self, uc_py_id(ev, name));
    if (ev->failed) return uc_pv_none();
    uc_pv *copy = UC_NEW(ev->arena, uc_pv, count + 1);
    if (!copy) return uc_pv_none();
    if (count > 0) memcpy(copy, items, count * sizeof *items);
    return uc_py_call(ev, method, &(uc_py_args){.items = copy, .count = count});
}

static uc_pv call_object(uc_py_eval *ev, uc_pv self, const uc_py_args *args)
{
    static const char *const names[] = {"forward", "__call__"};
    for (size_t i = 0; i < 2; i++) {
        const uc_pv *f = uc_py_class_find(self.object->class, uc_py_id(ev, names[i]), NULL);
        if (f && f->kind == UC_PV_FUNCTION)
            return uc_py_call_function(ev, f->function, &self, args);
    }
    const uc_pv own = uc_py_find_attr(ev, self, uc_py_id(ev, "forward"));
    if (own.kind != UC_PV_UNSET) return uc_py_call(ev, own, args);
    return uc_py_fail(ev, "%s can't be called: it has no forward", self.object->class->name);
}

/* functools.partial: the bound values first, keywords overridden by the call's. */
static uc_pv call_partial(uc_py_eval *ev, const uc_py_list *parts, const uc_py_args *args)
{
    const uc_py_list *bound = parts->items[1].list;
    const uc_py_dict *named = parts->items[2].dict;
    uc_py_args all = {.items = UC_NEW(ev->arena, uc_pv, bound->count + args->count + 1),
                      .names = UC_NEW(ev->arena, const char *, named->count + args->named + 1),
                      .values = UC_NEW(ev->arena, uc_pv, named->count + args->named + 1)};
    if (!all.items || !all.names || !all.values) return uc_pv_none();
    for (size_t i = 0; i < bound->count; i++)
        all.items[all.count++] = bound->items[i];
    for (size_t i = 0; i < args->count; i++)
        all.items[all.count++] = args->items[i];
    for (size_t i = 0; i < args->named; i++) {
        all.names[all.named] = args->names[i];
        all.values[all.named++] = args->values[i];
    }
    for (size_t i = 0; i < named->count; i++) {
        const char *key = uc_py_text(ev, named->keys[i]);
        if (!key || uc_py_keyword(args, key).kind != UC_PV_UNSET) continue;
        all.names[all.named] = uc_py_id(ev, key);
        all.values[all.named++] = named->values[i];
    }
    return uc_py_call(ev, parts->items[0], &all);
}

/* A library's method: a list's or text's own, else an operator on tensors. */
static uc_pv call_named(uc_py_eval *ev, const uc_py_method *m, const uc_py_args *args)
{
    if (strcmp(m->name, "__partial__") == 0) return call_partial(ev, m->self.list, args);
    const uc_pv own = uc_py_value_method(ev, m->self, m->name, args);
    if (own.kind != UC_PV_UNSET || ev->failed) return own;
    /* Fills of weights that the file's replace, and what only training asks for. */
    static const char *const idle[] = {
        "requires_grad_",  "normal_",       "uniform_",    "random_",       "exponential_",
        "bernoulli_",      "trunc_normal_", "retain_grad", "share_memory_", "numpy",
        "xavier_uniform_", "register_hook", "cpu",         "cuda",          "contiguous_"};
    for (size_t i = 0; i < sizeof idle / sizeof *idle && m->self.kind == UC_PV_TENSOR; i++) {
        const bool always = i == 0 || i >= 7;
        if (strcmp(m->name, idle[i]) == 0 && (always || ev->constructing)) return m->self;
    }
    if (m->self.kind == UC_PV_TENSOR || m->self.symbolic) {
        uc_py_args with = *args;
        with.items = UC_NEW(ev->arena, uc_pv, args->count + 1);
        if (!with.items) return uc_pv_none();
        with.items[0] = m->self;
        if (args->count > 0) memcpy(with.items + 1, args->items, args->count * sizeof *args->items);
        with.count = args->count + 1;
        const uc_pv v = uc_aten_run(ev, "aten", m->name, &with);
        if (v.kind != UC_PV_UNSET || ev->failed) return v;
    }
    return uc_py_fail(ev, "%s has no method '%.100s' that is known here", uc_pv_type_name(m->self),
                      m->name);
}

uc_pv uc_py_call(uc_py_eval *ev, uc_pv callee, const uc_py_args *args)
{
    if (ev->failed) return uc_pv_none();
    switch ((int)callee.kind) {
    case UC_PV_FUNCTION: return uc_py_call_function(ev, callee.function, NULL, args);
    case UC_PV_CLASS: return uc_py_new(ev, callee.class, args);
    case UC_PV_OBJECT: return call_object(ev, callee, args);
    case UC_PV_PATH: return uc_py_call_path(ev, callee.path, args);
    case UC_PV_METHOD:
        if (callee.method->function.kind == UC_PV_FUNCTION)
            return uc_py_call_function(ev, callee.method->function.function, &callee.method->self,
                                       args);
        return call_named(ev, callee.method, args);
    default: return uc_py_fail(ev, "%s can't be called", uc_pv_type_name(callee));
    }
}
