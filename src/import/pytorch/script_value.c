/* Maps, lists and dicts of the evaluator's values. */
#include "import/pytorch/script_eval.h"

/* ---- maps ------------------------------------------------------------------------------------ */

static size_t slot_of(const uc_py_map *map, const char *key)
{
    uint64_t h = (uint64_t)(uintptr_t)key;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    return (size_t)h & (map->index_size - 1);
}

static void index_put(uc_py_map *map, size_t i)
{
    size_t at = slot_of(map, map->keys[i]);
    while (map->index[at])
        at = (at + 1) & (map->index_size - 1);
    map->index[at] = (uint32_t)i + 1;
}

static bool index_grow(uc_arena *arena, uc_py_map *map)
{
    if (map->count < 12 || map->count * 2 <= map->index_size) return true;
    size_t size = map->index_size ? map->index_size * 2 : 64;
    uint32_t *index = UC_NEW(arena, uint32_t, size);
    if (!index) return false;
    map->index = index;
    map->index_size = size;
    for (size_t i = 0; i < map->count; i++) {
        if (map->keys[i]) index_put(map, i);
    }
    return true;
}

uc_pv *uc_py_map_find(const uc_py_map *map, const char *key)
{
    if (!map->index) {
        for (size_t i = 0; i < map->count; i++) {
            if (map->keys[i] == key) return &map->values[i];
        }
        return NULL;
    }
    for (size_t at = slot_of(map, key); map->index[at]; at = (at + 1) & (map->index_size - 1)) {
        if (map->keys[map->index[at] - 1] == key) return &map->values[map->index[at] - 1];
    }
    return NULL;
}

bool uc_py_map_put(uc_arena *arena, uc_py_map *map, const char *key, uc_pv value)
{
    uc_pv *found = uc_py_map_find(map, key);
    if (found) {
        *found = value;
        return true;
    }
    if (!key || map->count >= UINT32_MAX / 4) return false;
    size_t capacity = map->capacity;
    const char **keys =
        uc_arena_grow(arena, (void *)map->keys, &map->capacity, map->count + 1, sizeof *keys);
    uc_pv *values = uc_arena_grow(arena, map->values, &capacity, map->count + 1, sizeof *values);
    if (!keys || !values) return false;
    map->keys = keys;
    map->values = values;
    keys[map->count] = key;
    values[map->count++] = value;
    if (map->index && map->count * 2 <= map->index_size) {
        index_put(map, map->count - 1);
        return true;
    }
    return index_grow(arena, map);
}

bool uc_py_map_remove(uc_py_map *map, const char *key)
{
    uc_pv *found = uc_py_map_find(map, key);
    if (!found) return false;
    map->keys[found - map->values] = NULL; /* its slot of the index stays taken */
    return true;
}

/* ---- lists and text -------------------------------------------------------------------------- */

uc_py_list *uc_py_list_new(uc_py_eval *ev, size_t capacity)
{
    uc_py_list *l = UC_NEW(ev->arena, uc_py_list, 1);
    if (!l) return NULL;
    l->born = ev->epoch;
    l->items = capacity ? UC_NEW(ev->arena, uc_pv, capacity) : NULL;
    if (capacity && !l->items) return NULL;
    l->capacity = capacity;
    return l;
}

bool uc_py_list_add(uc_arena *arena, uc_py_list *list, uc_pv value)
{
    uc_pv *grown =
        uc_arena_grow(arena, list->items, &list->capacity, list->count + 1, sizeof *grown);
    if (!grown) return false;
    list->items = grown;
    grown[list->count++] = value;
    return true;
}

uc_pv uc_pv_list(uc_py_eval *ev, uc_pv_kind kind, const uc_pv *items, size_t count)
{
    uc_py_list *l = uc_py_list_new(ev, count);
    if (!l) return uc_pv_none();
    if (count > 0) memcpy(l->items, items, count * sizeof *items);
    l->count = count;
    return (uc_pv){.kind = (uint8_t)kind, .list = l};
}

uc_pv uc_pv_text(uc_arena *arena, uc_str text)
{
    uc_str *s = UC_NEW(arena, uc_str, 1);
    char *copy = uc_arena_copy(arena, text.data, text.size);
    if (!s || !copy) return uc_pv_none();
    *s = (uc_str){copy, text.size};
    return (uc_pv){.kind = UC_PV_TEXT, .text = s};
}

/* ---- dicts ----------------------------------------------------------------------------------- */

uc_py_dict *uc_py_dict_new(uc_py_eval *ev)
{
    uc_py_dict *d = UC_NEW(ev->arena, uc_py_dict, 1);
    if (d) d->born = ev->epoch;
    return d;
}

static size_t dict_at(const uc_py_dict *d, uc_pv key)
{
    if (d->index && key.kind == UC_PV_TEXT) {
        const uc_pv *found = uc_table_find(d->index, *key.text);
        const size_t i = found ? (size_t)(uintptr_t)found - 1 : SIZE_MAX;
        return i;
    }
    for (size_t i = 0; i < d->count; i++) {
        if (uc_pv_equal(d->keys[i], key, 0) == 1) return i;
    }
    return SIZE_MAX;
}

/* The table holds places counted from 1 as pointers. */
static bool dict_index(uc_arena *arena, uc_py_dict *d)
{
    if (d->index || d->count < 16) return true;
    d->index = uc_table_new(arena);
    for (size_t i = 0; d->index && i < d->count; i++) {
        if (d->keys[i].kind == UC_PV_TEXT &&
            !uc_table_put(d->index, *d->keys[i].text, (void *)(uintptr_t)(i + 1)))
            return false;
    }
    return d->index != NULL;
}

bool uc_py_dict_put(uc_arena *arena, uc_py_dict *d, uc_pv key, uc_pv value)
{
    const size_t i = dict_at(d, key);
    if (i != SIZE_MAX) {
        d->values[i] = value;
        return true;
    }
    size_t capacity = d->capacity;
    uc_pv *keys = uc_arena_grow(arena, d->keys, &d->capacity, d->count + 1, sizeof *keys);
    uc_pv *values = uc_arena_grow(arena, d->values, &capacity, d->count + 1, sizeof *values);
    if (!keys || !values) return false;
    d->keys = keys;
    d->values = values;
    keys[d->count] = key;
    values[d->count++] = value;
    if (d->index && key.kind == UC_PV_TEXT)
        return uc_table_put(d->index, *key.text, (void *)(uintptr_t)d->count);
    return dict_index(arena, d);
}

uc_pv *uc_py_dict_find(const uc_py_dict *d, uc_pv key)
{
    const size_t i = dict_at(d, key);
    return i == SIZE_MAX ? NULL : &d->values[i];
}

bool uc_py_dict_remove(uc_py_dict *d, uc_pv key)
{
    const size_t i = dict_at(d, key);
    if (i == SIZE_MAX) return false;
    memmove(&d->keys[i], &d->keys[i + 1], (d->count - i - 1) * sizeof *d->keys);
    memmove(&d->values[i], &d->values[i + 1], (d->count - i - 1) * sizeof *d->values);
    d->count--;
    d->index = NULL; /* made again when something is added */
    return true;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool is_number(uc_pv v)
{
    return v.kind == UC_PV_BOOL || v.kind == UC_PV_INT || v.kind == UC_PV_FLOAT;
}

static double number(uc_pv v)
{
    return v.kind == UC_PV_BOOL ? (double)v.b : v.kind == UC_PV_INT ? (double)v.i : v.f;
}

static int equal_lists(const uc_py_list *a, const uc_py_list *b, int depth)
{
    int all = 1;
    if (a->count != b->count) return 0;
    for (size_t i = 0; i < a->count && all; i++) {
        const int one = uc_pv_equal(a->items[i], b->items[i], depth + 1);
        if (one < 0) all = -1;
        if (one == 0) return 0;
    }
    return all;
}

int uc_pv_equal(uc_pv a, uc_pv b, int depth)
{
    if (a.symbolic || b.symbolic) return uc_pv_same(a, b) ? 1 : -1;
    if (is_number(a) && is_number(b)) {
        if (a.kind == UC_PV_INT && b.kind == UC_PV_INT) return a.i == b.i;
        return number(a) == number(b);
    }
    if (a.kind == UC_PV_DTYPE && b.kind == UC_PV_INT) return a.i == b.i;
    if (a.kind == UC_PV_INT && b.kind == UC_PV_DTYPE) return a.i == b.i;
    if (a.kind != b.kind) return 0;
    if (depth > 50) return -1;
    switch ((int)a.kind) {
    case UC_PV_TEXT: return uc_str_equal(*a.text, *b.text);
    case UC_PV_DTYPE: return a.i == b.i;
    case UC_PV_COMPLEX: return a.f == b.f;
    case UC_PV_LIST:
    case UC_PV_TUPLE: return equal_lists(a.list, b.list, depth);
    case UC_PV_TENSOR:
    case UC_PV_SEQUENCE: return a.tensor == b.tensor ? 1 : -1;
    case UC_PV_DEVICE: return 1;
    case UC_PV_DICT:
        if (a.dict->count != b.dict->count) return 0;
        for (size_t i = 0; i < a.dict->count; i++) {
            const uc_pv *other = uc_py_dict_find(b.dict, a.dict->keys[i]);
            const int one = other ? uc_pv_equal(a.dict->values[i], *other, depth + 1) : 0;
            if (one != 1) return one;
        }
        return 1;
    default: return uc_pv_same(a, b);
    }
}

bool uc_pv_same(uc_pv a, uc_pv b)
{
    if (a.kind != b.kind || a.symbolic != b.symbolic) return false;
    if (a.symbolic) return a.tensor == b.tensor;
    switch ((int)a.kind) {
    case UC_PV_NONE:
    case UC_PV_DOTS:
    case UC_PV_DEVICE:
    case UC_PV_UNSET: return true;
    case UC_PV_BOOL: return a.b == b.b;
    case UC_PV_INT:
    case UC_PV_DTYPE: return a.i == b.i;
    case UC_PV_COMPLEX:
    case UC_PV_FLOAT: return a.f == b.f || (a.f != a.f && b.f != b.f);
    case UC_PV_TEXT: return uc_str_equal(*a.text, *b.text);
    case UC_PV_METHOD:
        return a.method == b.method ||
               (uc_pv_same(a.method->self, b.method->self) && a.method->name == b.method->name);
    case UC_PV_TUPLE:
        if (a.list->count != b.list->count || a.list->count > 16) return a.list == b.list;
        for (size_t i = 0; i < a.list->count; i++) {
            if (uc_pv_is_list(a.list->items[i]) ? a.list->items[i].list != b.list->items[i].list
                                                : !uc_pv_same(a.list->items[i], b.list->items[i]))
                return false;
        }
        return true;
    default: return a.path == b.path;
    }
}

const char *uc_pv_type_name(uc_pv v)
{
    static const char *const names[] = {
        "None",  "bool",     "int",    "float",  "complex",  "str",    "Tensor", "list",   "tuple",
        "dict",  "set",      "object", "type",   "function", "method", "name",   "module", "range",
        "slice", "ellipsis", "dtype",  "device", "list",     "super",  "name",   "nothing"};
    if (v.kind == UC_PV_OBJECT) return v.object->class->name;
    if (v.kind == UC_PV_TUPLE && v.list->class) return v.list->class->name;
    return v.kind < sizeof names / sizeof *names ? names[v.kind] : "?";
}

/* ---- classes --------------------------------------------------------------------------------- */

static uc_pv *class_find(uc_py_class *class, const char *name, uc_py_class **owner, int depth)
{
    uc_pv *found = uc_py_map_find(&class->attrs, name);
    if (found && owner) *owner = class;
    for (size_t i = 0; !found && i < class->base_count && depth < 50; i++)
        found = class_find(class->bases[i], name, owner, depth + 1);
    return found;
}

uc_pv *uc_py_class_find(uc_py_class *class, const char *name, uc_py_class **owner)
{
    return class_find(class, name, owner, 0);
}

static bool class_is(const uc_py_class *class, const uc_py_class *base, int depth)
{
    if (class == base) return true;
    for (size_t i = 0; i < class->base_count && depth < 50; i++) {
        if (class_is(class->bases[i], base, depth + 1)) return true;
    }
    return false;
}

bool uc_py_class_is(const uc_py_class *class, const uc_py_class *base)
{
    return class_is(class, base, 0);
}
