/* Methods of lists, dicts, sets and texts. */
#include "import/pytorch/script_eval.h"

static const uc_pv unset = {.kind = UC_PV_UNSET};

/* ---- lists ----------------------------------------------------------------------------------- */

static uc_pv list_extend(uc_py_eval *ev, uc_py_list *l, uc_pv from)
{
    const uc_py_list *more = uc_py_elements(ev, from);
    const size_t n = more ? more->count : 0;
    if (l->count + n > UC_PY_LIST_MOST)
        return uc_py_fail_as(ev, UNCORK_LIMIT, "a list of more than %zu elements", UC_PY_LIST_MOST);
    for (size_t i = 0; i < n; i++)
        uc_py_list_add(ev->arena, l, more->items[i]);
    return uc_pv_none();
}

static uc_pv list_pop(uc_py_eval *ev, uc_py_list *l, const uc_py_args *a)
{
    int64_t i = -1;
    if (a->count && !uc_py_int(ev, a->items[0], &i)) return uc_pv_none();
    if (i < 0) i += (int64_t)l->count;
    if (i < 0 || (uint64_t)i >= l->count) return uc_py_fail(ev, "pop from beyond a list's end");
    const uc_pv v = l->items[i];
    memmove(&l->items[i], &l->items[i + 1], (l->count - (size_t)i - 1) * sizeof v);
    l->count--;
    return v;
}

static uc_pv list_insert(uc_py_eval *ev, uc_py_list *l, const uc_py_args *a)
{
    int64_t i = 0;
    if (a->count != 2 || !uc_py_int(ev, a->items[0], &i)) return uc_pv_none();
    if (i < 0) i += (int64_t)l->count;
    if (i < 0) i = 0;
    if ((uint64_t)i > l->count) i = (int64_t)l->count;
    if (!uc_py_list_add(ev->arena, l, a->items[1])) return uc_pv_none();
    memmove(&l->items[i + 1], &l->items[i], (l->count - 1 - (size_t)i) * sizeof *l->items);
    l->items[i] = a->items[1];
    return uc_pv_none();
}

static size_t list_find(const uc_py_list *l, uc_pv v)
{
    for (size_t i = 0; i < l->count; i++) {
        if (uc_pv_equal(l->items[i], v, 0) == 1) return i;
    }
    return SIZE_MAX;
}

static uc_pv list_read(uc_py_eval *ev, uc_pv self, const char *name, const uc_py_args *a)
{
    uc_py_list *l = self.list;
    if (strcmp(name, "index") == 0 && a->count) {
        const size_t i = list_find(l, a->items[0]);
        return i == SIZE_MAX ? uc_py_fail(ev, "the list hasn't this element")
                             : uc_pv_int((int64_t)i);
    }
    if (strcmp(name, "count") == 0 && a->count) {
        int64_t n = 0;
        for (size_t i = 0; i < l->count; i++)
            n += uc_pv_equal(l->items[i], a->items[0], 0) == 1;
        return uc_pv_int(n);
    }
    if (strcmp(name, "copy") == 0) return uc_pv_list(ev, self.kind, l->items, l->count);
    if (strcmp(name, "numel") == 0) { /* of a torch.Size */
        uc_pv n = uc_pv_int(1);
        for (size_t i = 0; i < l->count; i++)
            n = uc_py_binary(ev, UC_PY_MUL, n, l->items[i]);
        return n;
    }
    if (strcmp(name, "_asdict") == 0 && l->class) {
        uc_py_dict *d = uc_py_dict_new(ev);
        for (size_t i = 0; d && i < l->count && i < l->class->field_count; i++)
            uc_py_dict_put(ev->arena, d, uc_pv_text(ev->arena, uc_str_of(l->class->fields[i])),
                           l->items[i]);
        return d ? (uc_pv){.kind = UC_PV_DICT, .dict = d} : uc_pv_none();
    }
    return unset;
}

static uc_pv list_method(uc_py_eval *ev, uc_pv self, const char *name, const uc_py_args *a)
{
    uc_py_list *l = self.list;
    const uc_pv read = list_read(ev, self, name, a);
    if (read.kind != UC_PV_UNSET || self.kind == UC_PV_TUPLE || ev->failed) return read;
    if (!uc_py_touch_list(ev, l)) return uc_pv_none();
    if (strcmp(name, "append") == 0 && a->count == 1) {
        if (l->count >= UC_PY_LIST_MOST)
            return uc_py_fail_as(ev, UNCORK_LIMIT, "a list of more than %zu elements",
                                 UC_PY_LIST_MOST);
        uc_py_list_add(ev->arena, l, a->items[0]);
        return self;
    }
    if (strcmp(name, "extend") == 0 && a->count == 1) return list_extend(ev, l, a->items[0]);
    if (strcmp(name, "pop") == 0) return list_pop(ev, l, a);
    if (strcmp(name, "insert") == 0) return list_insert(ev, l, a);
    if (strcmp(name, "clear") == 0) {
        l->count = 0;
        return uc_pv_none();
    }
    if (strcmp(name, "remove") == 0 && a->count == 1) {
        const size_t i = list_find(l, a->items[0]);
        if (i == SIZE_MAX) return uc_py_fail(ev, "the list hasn't this element");
        memmove(&l->items[i], &l->items[i + 1], (l->count - i - 1) * sizeof *l->items);
        l->count--;
        return uc_pv_none();
    }
    if (strcmp(name, "reverse") == 0 || strcmp(name, "sort") == 0) {
        uc_py_args with = *a;
        with.items = &self;
        with.count = 1;
        const uc_pv v = uc_py_builtin(ev, strcmp(name, "sort") ? "reversed" : "sorted", &with);
        if (v.kind == UC_PV_LIST && l->count)
            memcpy(l->items, v.list->items, l->count * sizeof *l->items);
        return uc_pv_none();
    }
    return unset;
}

/* ---- dicts ----------------------------------------------------------------------------------- */

static uc_pv dict_items(uc_py_eval *ev, const uc_py_dict *d)
{
    uc_py_list *l = uc_py_list_new(ev, d->count);
    for (size_t i = 0; l && i < d->count; i++) {
        const uc_pv pair[] = {d->keys[i], d->values[i]};
        uc_py_list_add(ev->arena, l, uc_pv_list(ev, UC_PV_TUPLE, pair, 2));
    }
    return l ? (uc_pv){.kind = UC_PV_LIST, .list = l} : uc_pv_none();
}

static uc_pv dict_update(uc_py_eval *ev, uc_py_dict *d, const uc_py_args *a)
{
    const uc_pv from = uc_py_builtin(ev, "dict", a);
    for (size_t i = 0; from.kind == UC_PV_DICT && i < from.dict->count; i++)
        uc_py_dict_put(ev->arena, d, from.dict->keys[i], from.dict->values[i]);
    return uc_pv_none();
}

static uc_pv dict_pop(uc_py_eval *ev, uc_py_dict *d, const uc_py_args *a)
{
    const uc_pv *found = a->count ? uc_py_dict_find(d, a->items[0]) : NULL;
    if (!found) return a->count > 1 ? a->items[1] : uc_py_fail(ev, "the dict hasn't this key");
    const uc_pv v = *found;
    uc_py_dict_remove(d, a->items[0]);
    return v;
}

static uc_pv dict_method(uc_py_eval *ev, uc_pv self, const char *name, const uc_py_args *a)
{
    uc_py_dict *d = self.dict;
    if (strcmp(name, "get") == 0 && a->count) {
        const uc_pv *found = uc_py_dict_find(d, a->items[0]);
        return found ? *found : a->count > 1 ? a->items[1] : uc_pv_none();
    }
    if (strcmp(name, "keys") == 0) return uc_pv_list(ev, UC_PV_LIST, d->keys, d->count);
    if (strcmp(name, "values") == 0) return uc_pv_list(ev, UC_PV_LIST, d->values, d->count);
    if (strcmp(name, "items") == 0) return dict_items(ev, d);
    if (strcmp(name, "copy") == 0) {
        uc_py_args one = {.items = &self, .count = 1};
        return uc_py_builtin(ev, self.kind == UC_PV_SET ? "set" : "dict", &one);
    }
    if (!uc_py_touch_dict(ev, d)) return uc_pv_none();
    if (strcmp(name, "update") == 0) return dict_update(ev, d, a);
    if (strcmp(name, "pop") == 0) return dict_pop(ev, d, a);
    if (strcmp(name, "setdefault") == 0 && a->count) {
        const uc_pv *found = uc_py_dict_find(d, a->items[0]);
        if (found) return *found;
        const uc_pv v = a->count > 1 ? a->items[1] : uc_pv_none();
        uc_py_dict_put(ev->arena, d, a->items[0], v);
        return v;
    }
    if (strcmp(name, "add") == 0 && a->count) {
        uc_py_dict_put(ev->arena, d, a->items[0], uc_pv_none());
        return uc_pv_none();
    }
    if (strcmp(name, "clear") == 0) {
        d->count = 0;
        d->index = NULL;
        return uc_pv_none();
    }
    if ((strcmp(name, "remove") == 0 || strcmp(name, "discard") == 0 ||
         strcmp(name, "move_to_end") == 0) &&
        a->count) {
        if (name[0] != 'm') uc_py_dict_remove(d, a->items[0]);
        return uc_pv_none();
    }
    return unset;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool ends(uc_str s, uc_str with, bool start)
{
    if (with.size > s.size) return false;
    return memcmp(start ? s.data : s.data + s.size - with.size, with.data, with.size) == 0;
}

static bool any_ends(uc_str s, uc_pv with, bool start)
{
    if (with.kind == UC_PV_TEXT) return ends(s, *with.text, start);
    for (size_t i = 0; uc_pv_is_list(with) && i < with.list->count; i++) {
        if (with.list->items[i].kind == UC_PV_TEXT && ends(s, *with.list->items[i].text, start))
            return true;
    }
    return false;
}

static uc_pv text_split(uc_py_eval *ev, uc_str s, const uc_py_args *a)
{
    const bool blank = a->count == 0 || a->items[0].kind != UC_PV_TEXT || !a->items[0].text->size;
    const uc_str by = blank ? uc_str_of(" ") : *a->items[0].text;
    uc_py_list *l = uc_py_list_new(ev, 0);
    size_t begin = 0;
    for (size_t i = 0; l && i <= s.size;) {
        const bool hit =
            i == s.size || (i + by.size <= s.size && memcmp(s.data + i, by.data, by.size) == 0);
        if (!hit) {
            i++;
            continue;
        }
        if (!blank || i > begin)
            uc_py_list_add(ev->arena, l,
                           uc_pv_text(ev->arena, (uc_str){s.data + begin, i - begin}));
        i += by.size;
        begin = i;
    }
    return l ? (uc_pv){.kind = UC_PV_LIST, .list = l} : uc_pv_none();
}

static uc_pv text_join(uc_py_eval *ev, uc_str by, uc_pv parts)
{
    const uc_py_list *l = uc_py_elements(ev, parts);
    uc_writer w;
    uc_writer_init(&w, (size_t)1 << 20);
    for (size_t i = 0; l && i < l->count; i++) {
        if (l->items[i].kind != UC_PV_TEXT) continue;
        uc_writer_printf(&w, "%.*s%.*s", i ? (int)by.size : 0, by.data, (int)l->items[i].text->size,
                         l->items[i].text->data);
    }
    const uc_pv v = uc_pv_text(ev->arena, (uc_str){(const char *)w.data, w.size});
    uc_writer_done(&w);
    return v;
}

static uc_pv text_replace(uc_py_eval *ev, uc_str s, uc_str from, uc_str to)
{
    uc_writer w;
    uc_writer_init(&w, (size_t)1 << 20);
    for (size_t i = 0; i < s.size;) {
        if (from.size && i + from.size <= s.size && memcmp(s.data + i, from.data, from.size) == 0) {
            uc_writer_printf(&w, "%.*s", (int)to.size, to.data);
            i += from.size;
        } else {
            uc_writer_printf(&w, "%c", s.data[i++]);
        }
    }
    const uc_pv v = uc_pv_text(ev->arena, (uc_str){(const char *)w.data, w.size});
    uc_writer_done(&w);
    return v;
}

static uc_pv text_case(uc_py_eval *ev, uc_str s, bool upper)
{
    char *t = uc_arena_copy(ev->arena, s.data, s.size);
    for (size_t i = 0; t && i < s.size; i++) {
        if (upper ? t[i] >= 'a' && t[i] <= 'z' : t[i] >= 'A' && t[i] <= 'Z')
            t[i] = (char)(t[i] ^ 0x20);
    }
    return t ? uc_pv_text(ev->arena, (uc_str){t, s.size}) : uc_pv_none();
}

static uc_pv text_method(uc_py_eval *ev, uc_pv self, const char *name, const uc_py_args *a)
{
    const uc_str s = *self.text;
    if (strcmp(name, "format") == 0) return uc_py_format(ev, self, a);
    if (strcmp(name, "lower") == 0 || strcmp(name, "upper") == 0)
        return text_case(ev, s, name[0] == 'u');
    if (strcmp(name, "split") == 0) return text_split(ev, s, a);
    if (strcmp(name, "strip") == 0 && a->count == 0) {
        size_t b = 0, e = s.size;
        while (b < e && strchr(" \t\r\n", s.data[b]))
            b++;
        while (e > b && strchr(" \t\r\n", s.data[e - 1]))
            e--;
        return uc_pv_text(ev->arena, (uc_str){s.data + b, e - b});
    }
    if (strcmp(name, "isdigit") == 0) {
        bool all = s.size > 0;
        for (size_t i = 0; i < s.size; i++)
            all = all && s.data[i] >= '0' && s.data[i] <= '9';
        return uc_pv_bool(all);
    }
    if (a->count == 0) return unset;
    if (strcmp(name, "find") == 0 && a->items[0].kind == UC_PV_TEXT) {
        const uc_str with = *a->items[0].text;
        for (size_t i = 0; i + with.size <= s.size; i++) {
            if (memcmp(s.data + i, with.data, with.size) == 0) return uc_pv_int((int64_t)i);
        }
        return uc_pv_int(-1);
    }
    if (strcmp(name, "startswith") == 0) return uc_pv_bool(any_ends(s, a->items[0], true));
    if (strcmp(name, "endswith") == 0) return uc_pv_bool(any_ends(s, a->items[0], false));
    if (strcmp(name, "join") == 0) return text_join(ev, s, a->items[0]);
    if (strcmp(name, "replace") == 0 && a->count >= 2 && a->items[0].kind == UC_PV_TEXT &&
        a->items[1].kind == UC_PV_TEXT)
        return text_replace(ev, s, *a->items[0].text, *a->items[1].text);
    return unset;
}

/* A list whose length only the data decides: a new value of the graph takes its place. */
static uc_pv sequence_method(uc_py_eval *ev, uc_pv self, const char *name, const uc_py_args *a)
{
    if (strcmp(name, "append") != 0 || a->count != 1) return unset;
    const uc_ref s = uc_py_ref(ev, self.tensor);
    const uc_ref x = uc_py_ref_of(ev, a->items[0], UNCORK_DTYPE_NONE);
    uc_py_write(ev, self.tensor, uc_g2(ev->level->graph, "SequenceInsert", s, x));
    return self;
}

uc_pv uc_py_value_method(uc_py_eval *ev, uc_pv self, const char *name, const uc_py_args *args)
{
    switch ((int)self.kind) {
    case UC_PV_LIST:
    case UC_PV_TUPLE: return list_method(ev, self, name, args);
    case UC_PV_DICT:
    case UC_PV_SET: return dict_method(ev, self, name, args);
    case UC_PV_TEXT: return text_method(ev, self, name, args);
    case UC_PV_SEQUENCE: return sequence_method(ev, self, name, args);
    case UC_PV_INT:
    case UC_PV_FLOAT:
    case UC_PV_BOOL:
        if (strcmp(name, "item") == 0 || strcmp(name, "__index__") == 0) return self;
        return unset;
    default: return unset;
    }
}
