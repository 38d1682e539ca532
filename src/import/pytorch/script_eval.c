/* Statements. */
#include "import/pytorch/script_eval.h"

#include <stdarg.h>
#include <stdio.h>

bool uc_py_eval_open(uc_py_eval *ev, uc_graph *graph, uc_findings *findings, uc_arena *arena,
                     uint64_t source_bytes)
{
    *ev = (uc_py_eval){.arena = arena,
                       .budget = graph->budget,
                       .error = graph->error,
                       .findings = findings,
                       .path = "?"};
    /* Each byte of code may run a few hundred times: unrolled layers do, endless loops don't end. */
    ev->step_limit = 1000000 + 500 * (source_bytes < (1u << 20) ? source_bytes : (1u << 20));
    uc_py_level *level = UC_NEW(arena, uc_py_level, 1);
    if (!level || !uc_py_names_init(&ev->names, arena) || !uc_py_level_open(ev, level, graph)) {
        uc_fail_memory(ev->error);
        ev->failed = true;
        return false;
    }
    return true;
}

void uc_py_eval_close(uc_py_eval *ev)
{
    while (ev->level)
        uc_py_level_close(ev, ev->level);
}

uc_pv uc_py_fail_as(uc_py_eval *ev, uncork_status status, const char *format, ...)
{
    if (ev->failed) return uc_pv_none();
    ev->failed = true;
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (ev->level && ev->level->graph->status) status = ev->level->graph->status;
    uc_fail(ev->error, status, UC_NO_OFFSET, "%s:%u: %s", ev->path, ev->line, text);
    return uc_pv_none();
}

uc_pv uc_py_fail(uc_py_eval *ev, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return uc_py_fail_as(ev, UNCORK_UNSUPPORTED, "%s", text);
}

bool uc_py_step(uc_py_eval *ev)
{
    if (ev->failed) return false;
    if (++ev->steps > ev->step_limit) {
        uc_py_fail_as(ev, UNCORK_LIMIT, "the code takes more than %llu steps",
                      (unsigned long long)ev->step_limit);
        return false;
    }
    if (ev->steps % 1024 == 0) {
        if (uc_budget_check(ev->budget, ev->error) || uc_arena_status(ev->arena, ev->error)) {
            ev->failed = true;
            return false;
        }
    }
    if (ev->level->graph->status) {
        uc_where(ev->error, "%s:%u", ev->path, ev->line);
        ev->failed = true;
    }
    return !ev->failed;
}

const char *uc_py_id(uc_py_eval *ev, const char *text)
{
    const char *name = uc_py_intern(&ev->names, uc_str_of(text));
    if (!name && !ev->failed) {
        uc_fail_memory(ev->error);
        ev->failed = true;
    }
    return name ? name : "";
}

/* ---- writes ---------------------------------------------------------------------------------- */

static uc_py_saved *save(uc_py_eval *ev)
{
    uc_py_journal *j = ev->journal;
    uc_py_saved *grown =
        uc_arena_grow(ev->arena, j->items, &j->capacity, j->count + 1, sizeof *grown);
    if (!grown) {
        ev->failed = true;
        uc_fail_memory(ev->error);
        return NULL;
    }
    j->items = grown;
    grown[j->count] = (uc_py_saved){.kind = UC_PY_SAVED_NAME};
    return &grown[j->count++];
}

void uc_py_set(uc_py_eval *ev, uc_py_map *map, const char *key, uc_pv value)
{
    if (ev->journal) {
        uc_py_saved *s = save(ev);
        if (!s) return;
        const uc_pv *old = uc_py_map_find(map, key);
        *s = (uc_py_saved){.kind = UC_PY_SAVED_NAME,
                           .place = map,
                           .key = key,
                           .had = old != NULL,
                           .old = old ? *old : uc_pv_none()};
    }
    if (!uc_py_map_put(ev->arena, map, key, value)) {
        uc_fail_memory(ev->error);
        ev->failed = true;
    }
}

bool uc_py_touch_list(uc_py_eval *ev, uc_py_list *list)
{
    if (!ev->journal || list->epoch == ev->journal->epoch) return !ev->failed;
    uc_py_saved *s = save(ev);
    uc_py_list *copy = s ? UC_NEW(ev->arena, uc_py_list, 1) : NULL;
    if (!copy) return false;
    *copy = *list;
    copy->items = UC_NEW(ev->arena, uc_pv, list->count + 1);
    if (!copy->items) return false;
    if (list->count > 0) memcpy(copy->items, list->items, list->count * sizeof *list->items);
    copy->capacity = list->count + 1;
    *s = (uc_py_saved){.kind = UC_PY_SAVED_LIST, .place = list, .copy = copy};
    list->epoch = ev->journal->epoch;
    return true;
}

bool uc_py_touch_dict(uc_py_eval *ev, uc_py_dict *dict)
{
    if (!ev->journal || dict->epoch == ev->journal->epoch) return !ev->failed;
    uc_py_saved *s = save(ev);
    uc_py_dict *copy = s ? UC_NEW(ev->arena, uc_py_dict, 1) : NULL;
    if (!copy) return false;
    *copy = (uc_py_dict){.fallback = dict->fallback, .epoch = dict->epoch};
    for (size_t i = 0; i < dict->count; i++) {
        if (!uc_py_dict_put(ev->arena, copy, dict->keys[i], dict->values[i])) return false;
    }
    *s = (uc_py_saved){.kind = UC_PY_SAVED_DICT, .place = dict, .copy = copy};
    dict->epoch = ev->journal->epoch;
    return true;
}

void uc_py_touch_tensor(uc_py_eval *ev, uc_pt *tensor)
{
    if (!ev->journal || tensor->epoch == ev->journal->epoch) return;
    uc_py_saved *s = save(ev);
    uc_pt *copy = s ? UC_NEW(ev->arena, uc_pt, 1) : NULL;
    if (!copy) return;
    *copy = *tensor;
    *s = (uc_py_saved){.kind = UC_PY_SAVED_TENSOR, .place = tensor, .copy = copy};
    tensor->epoch = ev->journal->epoch;
}

void uc_py_touch_value(uc_py_eval *ev, uc_pv *place)
{
    uc_py_saved *s = ev->journal ? save(ev) : NULL;
    if (s) *s = (uc_py_saved){.kind = UC_PY_SAVED_VALUE, .place = place, .old = *place};
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_global(const uc_py_frame *f, const char *name)
{
    for (size_t i = 0; i < f->global_count; i++) {
        if (f->globals[i] == name) return true;
    }
    return false;
}

uc_pv *uc_py_lookup(uc_py_eval *ev, const char *name)
{
    for (uc_py_frame *f = ev->frame; f; f = f->closure) {
        uc_pv *found = uc_py_map_find(f->names, name);
        if (found && found->kind != UC_PV_LAZY) return found;
    }
    return ev->frame ? uc_py_module_get(ev, ev->frame->module, name) : NULL;
}

static void set_name(uc_py_eval *ev, const char *name, uc_pv value)
{
    uc_py_frame *f = ev->frame;
    if (is_global(f, name)) {
        /* nonlocal when an enclosing function has it, else global */
        for (uc_py_frame *o = f->closure; o; o = o->closure) {
            if (uc_py_map_find(o->names, name)) {
                uc_py_set(ev, o->names, name, value);
                return;
            }
        }
        uc_py_set(ev, &f->module->names, name, value);
        return;
    }
    uc_py_set(ev, f->names, name, value);
}

static void unpack(uc_py_eval *ev, const uc_py_block *targets, uc_pv value)
{
    size_t star = SIZE_MAX;
    for (size_t i = 0; i < targets->count; i++) {
        if (targets->items[i]->kind == UC_PY_STAR) star = i;
    }
    if (value.kind == UC_PV_SEQUENCE) { /* as many as there are names for */
        bool starred = false;
        for (size_t i = 0; i < targets->count; i++)
            starred = starred || targets->items[i]->kind == UC_PY_STAR;
        for (size_t i = 0; i < targets->count && !starred && !ev->failed; i++)
            uc_py_assign(ev, targets->items[i], uc_py_index(ev, value, uc_pv_int((int64_t)i)));
        if (!starred) return;
    }
    uc_py_list *list = uc_py_elements(ev, value);
    if (!list) return;
    const size_t n = targets->count;
    if (star == SIZE_MAX ? list->count != n : list->count + 1 < n) {
        uc_py_fail(ev, "%zu values for %zu names", list->count, n);
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < n && !ev->failed; i++) {
        if (i == star) {
            const size_t take = list->count + 1 - n;
            uc_py_assign(ev, targets->items[i]->a,
                         uc_pv_list(ev, UC_PV_LIST, list->items + at, take));
            at += take;
        } else {
            uc_py_assign(ev, targets->items[i], list->items[at++]);
        }
    }
}

void uc_py_assign(uc_py_eval *ev, const uc_py_node *target, uc_pv value)
{
    if (ev->failed) return;
    switch ((int)target->kind) {
    case UC_PY_NAME: set_name(ev, target->name, value); return;
    case UC_PY_ATTR: {
        const uc_pv object = uc_py_value(ev, target->a);
        if (!ev->failed) uc_py_set_attr(ev, object, target->name, value);
        return;
    }
    case UC_PY_INDEX: {
        const uc_pv object = uc_py_value(ev, target->a);
        const uc_pv index = uc_py_value(ev, target->b);
        if (!ev->failed) uc_py_set_index(ev, object, index, value);
        return;
    }
    case UC_PY_TUPLE:
    case UC_PY_LIST: unpack(ev, &target->list, value); return;
    default: uc_py_fail(ev, "this can't be assigned to");
    }
}

/* ---- statements ------------------------------------------------------------------------------ */

static uc_py_flow flow_of(const uc_py_eval *ev) { return ev->failed ? UC_PY_FAILED : UC_PY_GO; }

/* x += y changes lists and tensors where they are. */
static void augment(uc_py_eval *ev, const uc_py_node *n)
{
    const uc_pv old = uc_py_value(ev, n->a);
    const uc_pv by = uc_py_value(ev, n->b);
    if (ev->failed) return;
    if (old.kind == UC_PV_LIST && n->op == UC_PY_ADD) {
        uc_py_list *more = uc_py_elements(ev, by);
        if (!more || !uc_py_touch_list(ev, old.list)) return;
        for (size_t i = 0; i < more->count; i++)
            uc_py_list_add(ev->arena, old.list, more->items[i]);
        uc_py_assign(ev, n->a, old);
        return;
    }
    const uc_pv new = uc_py_binary(ev, (uc_py_op)n->op, old, by);
    if (ev->failed) return;
    if (old.kind == UC_PV_TENSOR && new.kind == UC_PV_TENSOR && !old.tensor->quant) {
        uc_t_build *b = uc_py_build(ev);
        const uc_ref was = uc_py_ref(ev, old.tensor), is = uc_py_ref(ev, new.tensor);
        if (uc_t_dtype(b, was) == uc_t_dtype(b, is)) {
            uc_py_write(ev, old.tensor, is);
            if (n->a->kind != UC_PY_INDEX) return;
        }
        if (n->a->kind == UC_PY_INDEX) uc_py_assign(ev, n->a, new);
        return;
    }
    uc_py_assign(ev, n->a, new);
}

static uc_py_flow run_if(uc_py_eval *ev, const uc_py_node *n)
{
    uc_pv symbol = uc_pv_none();
    const uc_py_block rest = ev->rest;
    const bool tail = ev->rest_is_tail;
    const int truth = uc_py_truth(ev, uc_py_value(ev, n->a), &symbol);
    if (ev->failed || truth == -2) return UC_PY_FAILED;
    ev->rest = rest;
    ev->rest_is_tail = tail;
    if (truth == -1) {
        const uc_py_flow flow = uc_py_branch(ev, symbol, n);
        return flow;
    }
    return uc_py_run(ev, truth ? &n->body : &n->other);
}

/* A body's end: whether the loop goes on. */
static bool goes_on(uc_py_flow *flow)
{
    if (*flow == UC_PY_CONTINUED) *flow = UC_PY_GO;
    return *flow == UC_PY_GO;
}

static uc_py_flow run_for(uc_py_eval *ev, const uc_py_node *n)
{
    const uc_pv over = uc_py_value(ev, n->b);
    if (ev->failed) return UC_PY_FAILED;
    if (uc_py_is_dynamic_range(over)) return uc_py_loop(ev, n, over);
    uc_py_flow flow = UC_PY_GO;
    if (over.kind == UC_PV_RANGE) {
        const int64_t begin = over.range[0], end = over.range[1], step = over.range[2];
        for (int64_t i = begin; (step > 0 ? i < end : i > end) && goes_on(&flow);) {
            if (!uc_py_step(ev)) return UC_PY_FAILED;
            uc_py_assign(ev, n->a, uc_pv_int(i));
            flow = uc_py_run(ev, &n->body);
            if (__builtin_add_overflow(i, step, &i)) break;
        }
    } else {
        /* A list that grows while it is walked is walked to its new end, as far as steps go. */
        uc_py_list *list = over.kind == UC_PV_LIST ? over.list : uc_py_elements(ev, over);
        for (size_t i = 0; list && i < list->count && goes_on(&flow); i++) {
            if (!uc_py_step(ev)) return UC_PY_FAILED;
            uc_py_assign(ev, n->a, list->items[i]);
            flow = uc_py_run(ev, &n->body);
        }
    }
    if (ev->failed) return UC_PY_FAILED;
    if (goes_on(&flow) && n->other.count > 0) return uc_py_run(ev, &n->other);
    return flow == UC_PY_BROKEN ? UC_PY_GO : flow;
}

static uc_py_flow run_while(uc_py_eval *ev, const uc_py_node *n)
{
    uc_py_flow flow = UC_PY_GO;
    while (goes_on(&flow)) {
        if (!uc_py_step(ev)) return UC_PY_FAILED;
        uc_pv symbol = uc_pv_none();
        const int truth = uc_py_truth(ev, uc_py_value(ev, n->a), &symbol);
        if (ev->failed || truth == -2) return UC_PY_FAILED;
        if (truth == -1) return uc_py_loop(ev, n, uc_pv_none());
        if (!truth) break;
        flow = uc_py_run(ev, &n->body);
    }
    if (goes_on(&flow) && n->other.count > 0) return uc_py_run(ev, &n->other);
    return flow == UC_PY_BROKEN ? UC_PY_GO : flow;
}

static uc_py_flow run_assert(uc_py_eval *ev, const uc_py_node *n)
{
    uc_pv symbol = uc_pv_none();
    const int truth = uc_py_truth(ev, uc_py_value(ev, n->a), &symbol);
    if (truth != 0 || ev->failed) return flow_of(ev); /* what only data shows isn't checked */
    const uc_pv text = n->b ? uc_py_str(ev, uc_py_value(ev, n->b), 0) : uc_pv_none();
    const char *message = text.kind == UC_PV_TEXT ? uc_py_text(ev, text) : "";
    ev->raised = !ev->failed;
    uc_py_fail(ev, "the assertion fails: %.300s", message ? message : "");
    return UC_PY_FAILED;
}

static uc_py_flow run_raise(uc_py_eval *ev, const uc_py_node *n)
{
    const char *message = "";
    if (n->a && n->a->kind == UC_PY_CALL && n->a->list.count > 0) {
        const uc_pv text = uc_py_str(ev, uc_py_value(ev, n->a->list.items[0]), 0);
        if (text.kind == UC_PV_TEXT) message = uc_py_text(ev, text);
    }
    ev->raised = !ev->failed;
    uc_py_fail(ev, "the code raises an exception: %.300s", message ? message : "");
    return UC_PY_FAILED;
}

/* Contexts are modes of autograd and of arithmetic types that don't change inference on a CPU. */
static uc_py_flow run_with(uc_py_eval *ev, const uc_py_node *n)
{
    for (size_t i = 0; i < n->list.count && !ev->failed; i++) {
        const uc_pv v = uc_py_value(ev, n->list.items[i]->a);
        if (n->list.items[i]->b) uc_py_assign(ev, n->list.items[i]->b, v);
    }
    return ev->failed ? UC_PY_FAILED : uc_py_run(ev, &n->body);
}

static uc_py_flow run_try(uc_py_eval *ev, const uc_py_node *n)
{
    const bool only_imports = n->body.count > 0 && (n->body.items[0]->kind == UC_PY_IMPORT ||
                                                    n->body.items[0]->kind == UC_PY_FROM);
    uc_py_flow flow = UC_PY_GO;
    (void)only_imports; /* an import of what isn't there makes a name that fails when it is used */
    flow = uc_py_run(ev, &n->body);
    if (flow == UC_PY_GO) flow = uc_py_run(ev, &n->other);
    if (n->b && flow != UC_PY_FAILED) {
        const uc_py_flow last = uc_py_run(ev, &n->b->body);
        if (last != UC_PY_GO) flow = last;
    }
    return flow;
}

static void run_delete(uc_py_eval *ev, const uc_py_node *target)
{
    if (target->kind == UC_PY_TUPLE) {
        for (size_t i = 0; i < target->list.count; i++)
            run_delete(ev, target->list.items[i]);
    } else if (target->kind == UC_PY_ATTR) {
        const uc_pv v = uc_py_value(ev, target->a);
        if (v.kind == UC_PV_OBJECT) uc_py_map_remove(&v.object->attrs, target->name);
    } else if (target->kind == UC_PY_INDEX) {
        const uc_pv v = uc_py_value(ev, target->a), i = uc_py_value(ev, target->b);
        if (v.kind == UC_PV_DICT) {
            if (uc_py_touch_dict(ev, v.dict)) uc_py_dict_remove(v.dict, i);
        } else {
            const uc_pv items[] = {i};
            uc_py_call_method(ev, v, "pop", items, 1);
        }
    }
}

static void declare_global(uc_py_eval *ev, const uc_py_node *n)
{
    uc_py_frame *f = ev->frame;
    if (n->kind == UC_PY_TUPLE) {
        for (size_t i = 0; i < n->list.count; i++)
            declare_global(ev, n->list.items[i]);
        return;
    }
    const char **grown = uc_arena_grow(ev->arena, (void *)f->globals, &f->global_capacity,
                                       f->global_count + 1, sizeof *grown);
    if (!grown || n->kind != UC_PY_NAME) return;
    f->globals = grown;
    grown[f->global_count++] = n->name;
}

/* import a.b as c, from a import b as c. What no file beside has is a library's. */
static void run_import(uc_py_eval *ev, const uc_py_node *n)
{
    static const uc_py_host none;
    const uc_py_host *host = ev->frame->module->library ? &none : &ev->host;
    uc_py_module *from = NULL;
    const uc_py_module *here = ev->frame->module;
    const char *base = NULL;
    if (n->kind == UC_PY_FROM) {
        base = uc_py_id(ev, uc_arena_copy(ev->arena, n->text.data, n->text.size));
        if (host->import) from = host->import(ev, host->context, base, (int)n->i, here);
        if (ev->failed || (from && !uc_py_run_module(ev, from))) return;
        if (from && n->list.count == 0) {
            for (size_t i = 0; i < from->names.count; i++) {
                const char *key = from->names.keys[i];
                const uc_pv *v = key ? uc_py_module_get(ev, from, key) : NULL;
                if (v) uc_py_set(ev, ev->frame->names, key, *v);
            }
        }
    }
    for (size_t i = 0; i < n->list.count && !ev->failed; i++) {
        const uc_py_node *alias = n->list.items[i];
        const char *name = uc_arena_copy(ev->arena, alias->text.data, alias->text.size);
        if (!name) return;
        uc_pv value = uc_pv_none();
        if (from) {
            const uc_pv *found = uc_py_module_get(ev, from, uc_py_id(ev, name));
            if (found) {
                value = *found;
            } else {
                uc_py_module *inner =
                    host->import(ev, host->context,
                                 uc_arena_printf(ev->arena, base[0] ? "%s.%s" : "%s%s", base, name),
                                 (int)n->i, here);
                if (!inner || !uc_py_run_module(ev, inner)) {
                    uc_py_fail(ev, "%s has no %s", from->path, name);
                    return;
                }
                value = (uc_pv){.kind = UC_PV_MODULE, .module = inner};
            }
            uc_py_set(ev, ev->frame->names, alias->name ? alias->name : uc_py_id(ev, name), value);
            continue;
        }
        if (n->kind == UC_PY_FROM) {
            value = uc_py_library(ev, uc_arena_printf(ev->arena, "%s.%s", base, name));
            uc_py_set(ev, ev->frame->names, alias->name ? alias->name : uc_py_id(ev, name), value);
            continue;
        }
        uc_py_module *module = host->import ? host->import(ev, host->context, name, 0, here) : NULL;
        if (module && !uc_py_run_module(ev, module)) return;
        char *dot = strchr(name, '.');
        const char *bound = name;
        if (!alias->name && dot && !module)
            bound = uc_arena_copy(ev->arena, name, (size_t)(dot - name));
        value = module ? (uc_pv){.kind = UC_PV_MODULE, .module = module}
                       : uc_py_library(ev, alias->name ? name : bound);
        uc_py_set(ev, ev->frame->names, alias->name ? alias->name : uc_py_id(ev, bound), value);
    }
}

static uc_py_flow run_one(uc_py_eval *ev, const uc_py_node *n)
{
    switch ((int)n->kind) {
    case UC_PY_EXPR: uc_py_value(ev, n->a); break;
    case UC_PY_ASSIGN: {
        const uc_pv v = uc_py_value(ev, n->a);
        for (size_t i = 0; i < n->list.count && !ev->failed; i++)
            uc_py_assign(ev, n->list.items[i], v);
        break;
    }
    case UC_PY_AUGMENT: augment(ev, n); break;
    case UC_PY_ANNOTATE:
        if (n->c) uc_py_assign(ev, n->a, uc_py_value(ev, n->c));
        break;
    case UC_PY_RETURN:
        ev->frame->result = n->a ? uc_py_value(ev, n->a) : uc_pv_none();
        return ev->failed ? UC_PY_FAILED : UC_PY_RETURNED;
    case UC_PY_IF: return run_if(ev, n);
    case UC_PY_FOR: return run_for(ev, n);
    case UC_PY_WHILE: return run_while(ev, n);
    case UC_PY_BREAK: return UC_PY_BROKEN;
    case UC_PY_CONTINUE: return UC_PY_CONTINUED;
    case UC_PY_DEF: set_name(ev, n->name, uc_py_function_of(ev, n, NULL)); break;
    case UC_PY_CLASS: set_name(ev, n->name, uc_py_class_of(ev, n)); break;
    case UC_PY_IMPORT:
    case UC_PY_FROM: run_import(ev, n); break;
    case UC_PY_ASSERT: return run_assert(ev, n);
    case UC_PY_RAISE: return run_raise(ev, n);
    case UC_PY_WITH: return run_with(ev, n);
    case UC_PY_TRY: return run_try(ev, n);
    case UC_PY_DELETE: run_delete(ev, n->a); break;
    case UC_PY_GLOBAL: declare_global(ev, n->a); break;
    default: break;
    }
    return flow_of(ev);
}

uc_py_flow uc_py_run(uc_py_eval *ev, const uc_py_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        if (!uc_py_step(ev)) return UC_PY_FAILED;
        ev->line = block->items[i]->line;
        ev->rest = (uc_py_block){.items = block->items + i + 1, .count = block->count - i - 1};
        ev->rest_is_tail = ev->frame->function && block == &ev->frame->function->node->body;
        const uc_py_flow flow = run_one(ev, block->items[i]);
        if (flow != UC_PY_GO) return flow;
    }
    return UC_PY_GO;
}

uc_py_module *uc_py_module_new(uc_py_eval *ev, const char *name, const uc_py_source *source)
{
    uc_py_module *m = UC_NEW(ev->arena, uc_py_module, 1);
    if (!m) {
        uc_fail_memory(ev->error);
        ev->failed = true;
        return NULL;
    }
    *m = (uc_py_module){.name = name, .path = source->path, .source = source, .package = ""};
    return m;
}

/* ---- modules --------------------------------------------------------------------------------- */

/* Runs statements in a module's own frame. */
static void in_module(uc_py_eval *ev, uc_py_module *module, const uc_py_node *node)
{
    uc_py_frame frame = {.module = module, .names = &module->names};
    uc_py_frame *outer = ev->frame;
    const char *path = ev->path;
    const uint32_t line = ev->line;
    if (ev->calls >= UC_PY_CALLS) {
        uc_py_fail_as(ev, UNCORK_LIMIT, "names need each other too deep");
        return;
    }
    ev->calls++;
    ev->frame = &frame;
    ev->path = module->path;
    ev->line = node->line;
    run_one(ev, node);
    ev->calls--;
    ev->frame = outer;
    if (ev->failed) return;
    ev->path = path;
    ev->line = line;
}

uc_pv *uc_py_module_get(uc_py_eval *ev, uc_py_module *module, const char *name)
{
    uc_pv *found = uc_py_map_find(&module->names, name);
    if (!found || found->kind != UC_PV_LAZY || ev->failed) return found;
    const uc_py_node *node = found->node;
    uc_py_map_remove(&module->names, name); /* while it runs it has no value */
    uc_py_journal *journal = ev->journal;
    ev->journal = NULL; /* the module's names are the same on every branch */
    in_module(ev, module, node);
    ev->journal = journal;
    return uc_py_map_find(&module->names, name);
}

static void later_name(uc_py_eval *ev, uc_py_module *m, const char *name, const uc_py_node *node)
{
    uc_py_map_put(ev->arena, &m->names, name, (uc_pv){.kind = UC_PV_LAZY, .node = node});
}

/* Every name that a statement gives a value waits for its statement. */
static void later_target(uc_py_eval *ev, uc_py_module *m, const uc_py_node *t,
                         const uc_py_node *node)
{
    if (t->kind == UC_PY_NAME) later_name(ev, m, t->name, node);
    if (t->kind == UC_PY_TUPLE || t->kind == UC_PY_LIST) {
        for (size_t i = 0; i < t->list.count; i++)
            later_target(ev, m, t->list.items[i], node);
    }
}

static void later_block(uc_py_eval *ev, uc_py_module *m, const uc_py_block *block,
                        const uc_py_node *whole, int depth);

static void later(uc_py_eval *ev, uc_py_module *m, const uc_py_node *n, const uc_py_node *whole,
                  int depth)
{
    switch ((int)n->kind) {
    case UC_PY_DEF:
    case UC_PY_CLASS: later_name(ev, m, n->name, whole); break;
    case UC_PY_ASSIGN:
        for (size_t i = 0; i < n->list.count; i++)
            later_target(ev, m, n->list.items[i], whole);
        break;
    case UC_PY_ANNOTATE:
        if (n->c) later_target(ev, m, n->a, whole);
        break;
    case UC_PY_FOR:
    case UC_PY_IF:
    case UC_PY_TRY:
    case UC_PY_WITH:
        if (n->kind == UC_PY_FOR) later_target(ev, m, n->a, whole);
        later_block(ev, m, &n->body, whole, depth + 1);
        later_block(ev, m, &n->other, whole, depth + 1);
        break;
    default: break;
    }
}

static bool is_main_guard(const uc_py_node *n)
{
    return n->kind == UC_PY_IF && n->a->kind == UC_PY_COMPARE && n->a->a->kind == UC_PY_NAME &&
           strcmp(n->a->a->name, "__name__") == 0;
}

static void later_block(uc_py_eval *ev, uc_py_module *m, const uc_py_block *block,
                        const uc_py_node *whole, int depth)
{
    for (size_t i = 0; i < block->count && depth < 20 && !ev->failed; i++) {
        const uc_py_node *n = block->items[i];
        if (is_main_guard(n)) continue;
        if (n->kind == UC_PY_IMPORT || n->kind == UC_PY_FROM)
            in_module(ev, m, n);
        else
            later(ev, m, n, whole ? whole : n, depth);
    }
}

/* Imports run at once; anything else when a name that it makes is asked for, so that training code below
 * a class is never met. Its guard `if __name__ == "__main__"` isn't taken. */
bool uc_py_run_module(uc_py_eval *ev, uc_py_module *module)
{
    if (module->state != 0 || ev->failed) return !ev->failed;
    module->state = 1;
    uc_py_map_put(ev->arena, &module->names, uc_py_id(ev, "__name__"),
                  uc_pv_text(ev->arena, uc_str_of(module->name)));
    later_block(ev, module, &module->source->body, NULL, 0);
    module->state = 2;
    return !ev->failed;
}
