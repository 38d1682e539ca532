/* Subscripts, and walking values. */
#include "import/pytorch/script_eval.h"

/* ---- lists ----------------------------------------------------------------------------------- */

static bool resolve_index(uc_py_eval *ev, uc_pv index, size_t count, size_t *at)
{
    int64_t i = 0;
    if (!uc_py_int(ev, index, &i)) return false;
    if (i < 0) i += (int64_t)count;
    if (i < 0 || (uint64_t)i >= count) {
        uc_py_fail(ev, "index %lld of %zu elements", (long long)i, count);
        return false;
    }
    *at = (size_t)i;
    return true;
}

/* Python's slice arithmetic over `count` elements. */
static bool resolve_slice(uc_py_eval *ev, const uc_pv *parts, size_t count, int64_t *begin,
                          int64_t *end, int64_t *step)
{
    const int64_t n = (int64_t)count;
    *step = 1;
    if (parts[2].kind != UC_PV_NONE && !uc_py_int(ev, parts[2], step)) return false;
    if (*step == 0) {
        uc_py_fail(ev, "a slice's step is 0");
        return false;
    }
    int64_t bounds[2] = {*step > 0 ? 0 : n - 1, *step > 0 ? n : -1};
    for (int k = 0; k < 2; k++) {
        int64_t v = 0;
        if (parts[k].kind == UC_PV_NONE) continue;
        if (!uc_py_int(ev, parts[k], &v)) return false;
        if (v < 0) v += n;
        const int64_t low = *step > 0 ? 0 : -1, high = *step > 0 ? n : n - 1;
        bounds[k] = v < low ? low : v > high ? high : v;
    }
    *begin = bounds[0];
    *end = bounds[1];
    return true;
}

static uc_pv list_slice(uc_py_eval *ev, uc_pv v, const uc_pv *parts)
{
    int64_t begin, end, step;
    uc_py_list *l = uc_py_list_new(ev, 0);
    if (!l || !resolve_slice(ev, parts, v.list->count, &begin, &end, &step)) return uc_pv_none();
    for (int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
        uc_py_list_add(ev->arena, l, v.list->items[i]);
        if (step > (int64_t)1 << 40 || step < -((int64_t)1 << 40)) break;
    }
    return (uc_pv){.kind = v.kind, .list = l};
}

static uc_pv text_index(uc_py_eval *ev, uc_pv v, uc_pv index)
{
    size_t at = 0;
    if (index.kind != UC_PV_SLICE) {
        if (!resolve_index(ev, index, v.text->size, &at)) return uc_pv_none();
        return uc_pv_text(ev->arena, (uc_str){v.text->data + at, 1});
    }
    int64_t begin, end, step;
    if (!resolve_slice(ev, index.slice, v.text->size, &begin, &end, &step)) return uc_pv_none();
    if (step != 1) return uc_py_fail(ev, "a text's slice with a step");
    const size_t size = end > begin ? (size_t)(end - begin) : 0;
    return uc_pv_text(ev->arena, (uc_str){v.text->data + begin, size});
}

/* ---- tensors --------------------------------------------------------------------------------- */

static uc_pv run(uc_py_eval *ev, const char *name, uc_pv *items, size_t count)
{
    return uc_aten_run(ev, "aten", name, &(uc_py_args){.items = items, .count = count});
}

/* A list of numbers or booleans among the indices is a tensor. */
static uc_pv as_index(uc_py_eval *ev, uc_pv v)
{
    if (v.kind == UC_PV_LIST || v.kind == UC_PV_RANGE) {
        uc_py_list *l = uc_py_elements(ev, v);
        uc_pv list = {.kind = UC_PV_LIST, .list = l};
        return l ? run(ev, "tensor", &list, 1) : uc_pv_none();
    }
    return v;
}

typedef struct indexing {
    uc_pv x;
    int64_t dim;
    uc_py_list *tensors; /* of advanced indexing, NONE where an axis has none */
    bool advanced;
} indexing;

static void index_slice(uc_py_eval *ev, indexing *s, uc_pv part)
{
    const uc_pv *p = part.slice;
    if (p[0].kind != UC_PV_NONE || p[1].kind != UC_PV_NONE || p[2].kind != UC_PV_NONE) {
        uc_pv args[] = {s->x, uc_pv_int(s->dim), p[0], p[1],
                        p[2].kind == UC_PV_NONE ? uc_pv_int(1) : p[2]};
        s->x = run(ev, "slice", args, 5);
    }
    s->dim++;
    uc_py_list_add(ev->arena, s->tensors, uc_pv_none());
}

static void index_one(uc_py_eval *ev, indexing *s, uc_pv part)
{
    if (part.kind == UC_PV_NONE) {
        uc_pv args[] = {s->x, uc_pv_int(s->dim++)};
        s->x = run(ev, "unsqueeze", args, 2);
        uc_py_list_add(ev->arena, s->tensors, uc_pv_none());
    } else if (part.kind == UC_PV_SLICE) {
        index_slice(ev, s, part);
    } else if (part.kind == UC_PV_INT || (part.kind == UC_PV_BOOL && part.symbolic)) {
        uc_pv args[] = {s->x, uc_pv_int(s->dim), part};
        s->x = run(ev, "select", args, 3);
    } else if (part.kind == UC_PV_TENSOR || part.kind == UC_PV_LIST || part.kind == UC_PV_RANGE) {
        const uc_pv t = as_index(ev, part);
        if (ev->failed) return;
        const uc_ref ref = uc_py_ref(ev, t.tensor);
        const int rank = uc_t_rank(uc_py_build(ev), ref);
        const bool mask = uc_t_dtype(uc_py_build(ev), ref) == UNCORK_BOOL;
        s->dim += mask && rank > 0 ? rank : 1;
        s->advanced = true;
        uc_py_list_add(ev->arena, s->tensors, t);
    } else {
        uc_py_fail(ev, "a tensor is indexed by %s", uc_pv_type_name(part));
    }
}

/* How many axes the parts take. */
static int64_t axes_of(uc_py_eval *ev, const uc_py_list *parts)
{
    int64_t n = 0;
    for (size_t i = 0; i < parts->count; i++) {
        const uc_pv p = parts->items[i];
        if (p.kind == UC_PV_NONE || p.kind == UC_PV_DOTS) continue;
        n++;
        if (p.kind == UC_PV_TENSOR &&
            uc_t_dtype(uc_py_build(ev), uc_py_ref(ev, p.tensor)) == UNCORK_BOOL)
            n += uc_t_rank(uc_py_build(ev), uc_py_ref(ev, p.tensor)) - 1;
    }
    return n;
}

/* The basic part as views; what is left to gather stays in s->tensors. */
static bool index_parts(uc_py_eval *ev, uc_pv v, uc_pv index, indexing *s)
{
    uc_py_list one = {.items = &index, .count = 1};
    const uc_py_list *parts = index.kind == UC_PV_TUPLE ? index.list : &one;
    *s = (indexing){.x = v, .tensors = uc_py_list_new(ev, 0)};
    if (!s->tensors) return false;
    for (size_t i = 0; i < parts->count && !ev->failed; i++) {
        if (parts->items[i].kind != UC_PV_DOTS) {
            index_one(ev, s, parts->items[i]);
            continue;
        }
        const int rank = uc_t_rank(uc_py_build(ev), uc_py_ref(ev, v.tensor));
        if (rank < 0) uc_py_fail(ev, "'...' needs a known number of axes");
        const int64_t skip = rank - axes_of(ev, parts);
        for (int64_t k = 0; k < skip && !ev->failed; k++) {
            uc_py_list_add(ev->arena, s->tensors, uc_pv_none());
            s->dim++;
        }
    }
    return !ev->failed;
}

static uc_pv tensor_index(uc_py_eval *ev, uc_pv v, uc_pv index)
{
    indexing s;
    if (!index_parts(ev, v, index, &s)) return uc_pv_none();
    if (!s.advanced) {
        if (s.x.tensor != v.tensor) return s.x;
        uc_pv args[] = {v};
        return run(ev, "alias", args, 1);
    }
    uc_pv args[] = {s.x, {.kind = UC_PV_LIST, .list = s.tensors}};
    return run(ev, "index", args, 2);
}

static void set_tensor(uc_py_eval *ev, uc_pv v, uc_pv index, uc_pv value)
{
    indexing s;
    if (!index_parts(ev, v, index, &s)) return;
    if (s.advanced) {
        uc_pv args[] = {s.x, {.kind = UC_PV_LIST, .list = s.tensors}, value};
        run(ev, "index_put_", args, 3);
        return;
    }
    uc_pv args[] = {s.x, value};
    run(ev, "copy_", args, 2);
}

/* ---- subscripts ------------------------------------------------------------------------------ */

uc_pv uc_py_index(uc_py_eval *ev, uc_pv v, uc_pv index)
{
    size_t at = 0;
    switch ((int)v.kind) {
    case UC_PV_LIST:
    case UC_PV_TUPLE:
        if (index.kind == UC_PV_SLICE) return list_slice(ev, v, index.slice);
        if (!resolve_index(ev, index, v.list->count, &at)) return uc_pv_none();
        return v.list->items[at];
    case UC_PV_TEXT: return text_index(ev, v, index);
    case UC_PV_DICT: {
        const uc_pv *found = uc_py_dict_find(v.dict, index);
        if (found) return *found;
        if (v.dict->fallback.kind != UC_PV_NONE) {
            const uc_pv made = uc_py_call(ev, v.dict->fallback, &(uc_py_args){0});
            if (!ev->failed && uc_py_touch_dict(ev, v.dict))
                uc_py_dict_put(ev->arena, v.dict, index, made);
            return made;
        }
        const uc_pv text = uc_py_str(ev, index, 0);
        return uc_py_fail(ev, "the dict has no key '%.100s'",
                          text.kind == UC_PV_TEXT ? uc_py_text(ev, text) : "?");
    }
    case UC_PV_RANGE: {
        uc_py_list *l = uc_py_elements(ev, v);
        return l ? uc_py_index(ev, (uc_pv){.kind = UC_PV_LIST, .list = l}, index) : uc_pv_none();
    }
    case UC_PV_TENSOR: return tensor_index(ev, v, index);
    case UC_PV_SEQUENCE:
        return uc_py_tensor(ev, uc_g2(ev->level->graph, "SequenceAt", uc_py_ref(ev, v.tensor),
                                      uc_py_ref_of(ev, index, UNCORK_INT64)));
    case UC_PV_OBJECT:
        if (uc_py_class_find(v.object->class, uc_py_id(ev, "__getitem__"), NULL))
            return uc_py_call_method(ev, v, "__getitem__", &index, 1);
        if (v.object->items.kind != UC_PV_NONE) return uc_py_index(ev, v.object->items, index);
        break;
    case UC_PV_CLASS: /* Enum["NAME"], or a type in brackets */
        if (v.class->kind == UC_PY_ENUM && index.kind == UC_PV_TEXT)
            return uc_py_attr(ev, v, uc_py_id(ev, uc_py_text(ev, index)));
        return v;
    case UC_PV_PATH: return v;
    default: break;
    }
    return uc_py_fail(ev, "%s has no elements", uc_pv_type_name(v));
}

void uc_py_set_index(uc_py_eval *ev, uc_pv v, uc_pv index, uc_pv value)
{
    size_t at = 0;
    switch ((int)v.kind) {
    case UC_PV_LIST:
        if (index.kind == UC_PV_SLICE) {
            int64_t begin, end, step;
            uc_py_list *from = uc_py_elements(ev, value);
            if (!from || !resolve_slice(ev, index.slice, v.list->count, &begin, &end, &step))
                return;
            if (step != 1 || end - begin != (int64_t)from->count) {
                uc_py_fail(ev, "a slice of %lld elements takes %zu", (long long)(end - begin),
                           from->count);
                return;
            }
            if (!uc_py_touch_list(ev, v.list)) return;
            for (size_t i = 0; i < from->count; i++)
                v.list->items[(size_t)begin + i] = from->items[i];
            return;
        }
        if (resolve_index(ev, index, v.list->count, &at) && uc_py_touch_list(ev, v.list))
            v.list->items[at] = value;
        return;
    case UC_PV_DICT:
        if (uc_py_touch_dict(ev, v.dict)) uc_py_dict_put(ev->arena, v.dict, index, value);
        return;
    case UC_PV_TENSOR: set_tensor(ev, v, index, value); return;
    case UC_PV_PATH: return; /* __annotations__ of a class whose names are digits */
    case UC_PV_OBJECT: {
        if (uc_py_class_find(v.object->class, uc_py_id(ev, "__setitem__"), NULL)) {
            const uc_pv items[] = {index, value};
            uc_py_call_method(ev, v, "__setitem__", items, 2);
            return;
        }
        if (v.object->items.kind != UC_PV_NONE) {
            uc_py_set_index(ev, v.object->items, index, value);
            return;
        }
        break;
    }
    default: break;
    }
    uc_py_fail(ev, "%s takes no elements", uc_pv_type_name(v));
}

/* ---- walking --------------------------------------------------------------------------------- */

bool uc_py_is_dynamic_range(uc_pv v)
{
    return v.kind == UC_PV_SEQUENCE || (v.kind == UC_PV_RANGE && v.symbolic);
}

static uc_py_list *range_elements(uc_py_eval *ev, const int64_t *r)
{
    uc_py_list *l = uc_py_list_new(ev, 0);
    for (int64_t i = r[0]; l && (r[2] > 0 ? i < r[1] : i > r[1]);) {
        if (l->count >= UC_PY_LIST_MOST) {
            uc_py_fail_as(ev, UNCORK_LIMIT, "a list of more than %zu elements", UC_PY_LIST_MOST);
            return NULL;
        }
        uc_py_list_add(ev->arena, l, uc_pv_int(i));
        if (__builtin_add_overflow(i, r[2], &i)) break;
    }
    return l;
}

static uc_py_list *tensor_elements(uc_py_eval *ev, uc_pv v)
{
    const int64_t n = uc_t_dim(uc_py_build(ev), uc_py_ref(ev, v.tensor), 0);
    if (n < 0 || n > 100000) {
        uc_py_fail(ev, "a tensor whose length only the data decides is walked");
        return NULL;
    }
    uc_py_list *l = uc_py_list_new(ev, (size_t)n);
    for (int64_t i = 0; l && i < n && !ev->failed; i++) {
        uc_pv args[] = {v, uc_pv_int(0), uc_pv_int(i)};
        uc_py_list_add(ev->arena, l, run(ev, "select", args, 3));
    }
    return ev->failed ? NULL : l;
}

uc_py_list *uc_py_elements(uc_py_eval *ev, uc_pv v)
{
    if (ev->failed) return NULL;
    switch ((int)v.kind) {
    case UC_PV_LIST:
    case UC_PV_TUPLE: return v.list;
    case UC_PV_RANGE:
        if (v.symbolic) break;
        return range_elements(ev, v.range);
    case UC_PV_DICT:
    case UC_PV_SET: {
        const uc_pv l = uc_pv_list(ev, UC_PV_LIST, v.dict->keys, v.dict->count);
        return l.kind == UC_PV_LIST ? l.list : NULL;
    }
    case UC_PV_TEXT: {
        uc_py_list *l = uc_py_list_new(ev, v.text->size);
        for (size_t i = 0; l && i < v.text->size; i++)
            uc_py_list_add(ev->arena, l, uc_pv_text(ev->arena, (uc_str){v.text->data + i, 1}));
        return l;
    }
    case UC_PV_TENSOR: return tensor_elements(ev, v);
    case UC_PV_CLASS:
        if (v.class->kind == UC_PY_ENUM) {
            uc_py_list *l = uc_py_list_new(ev, 0);
            for (size_t i = 0; l && i < v.class->attrs.count; i++) {
                if (v.class->attrs.keys[i] && v.class->attrs.values[i].kind != UC_PV_FUNCTION)
                    uc_py_list_add(ev->arena, l, uc_py_attr(ev, v, v.class->attrs.keys[i]));
            }
            return l;
        }
        break;
    case UC_PV_OBJECT:
        if (uc_py_class_find(v.object->class, uc_py_id(ev, "__iter__"), NULL))
            return uc_py_elements(ev, uc_py_call_method(ev, v, "__iter__", NULL, 0));
        if (v.object->items.kind != UC_PV_NONE) return uc_py_elements(ev, v.object->items);
        break;
    default: break;
    }
    if (v.kind == UC_PV_SEQUENCE || v.kind == UC_PV_RANGE)
        uc_py_fail(ev, "a list whose length only the data decides is walked here");
    else
        uc_py_fail(ev, "%s can't be walked", uc_pv_type_name(v));
    return NULL;
}
