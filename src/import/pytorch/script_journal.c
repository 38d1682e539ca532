/* Writes recorded and undone, so that both sides of a condition begin alike. */
#include "import/pytorch/script_control.h"

bool uc_py_record(uc_py_eval *ev, uc_py_journal *journal)
{
    *journal = (uc_py_journal){.outer = ev->journal, .epoch = ++ev->epoch};
    ev->journal = journal;
    return !ev->failed;
}

bool uc_py_is_number(uc_pv v)
{
    return v.kind == UC_PV_BOOL || v.kind == UC_PV_INT || v.kind == UC_PV_FLOAT;
}

size_t uc_py_place_find(const uc_py_places *places, const uc_py_place *place)
{
    for (size_t i = 0; i < places->count; i++) {
        if (places->items[i].place == place->place && places->items[i].key == place->key &&
            places->items[i].kind == place->kind)
            return i;
    }
    return SIZE_MAX;
}

bool uc_py_place_add(uc_py_eval *ev, uc_py_places *places, uc_py_place place)
{
    uc_py_place *grown = uc_arena_grow(ev->arena, places->items, &places->capacity,
                                       places->count + 1, sizeof *grown);
    if (!grown) {
        uc_py_fail_as(ev, UNCORK_NO_MEMORY, "memory is out");
        return false;
    }
    places->items = grown;
    grown[places->count++] = place;
    return true;
}

uc_pv uc_py_place_get(uc_py_eval *ev, const uc_py_place *p)
{
    switch ((int)p->kind) {
    case UC_PY_SAVED_NAME: {
        const uc_pv *v = uc_py_map_find(p->place, p->key);
        return v ? *v : UC_PV(UC_PV_UNSET);
    }
    case UC_PY_SAVED_LIST: {
        const uc_py_list *l = p->place;
        return uc_pv_list(ev, UC_PV_LIST, l->items, l->count);
    }
    case UC_PY_SAVED_DICT: {
        const uc_py_dict *d = p->place;
        uc_py_dict *copy = uc_py_dict_new(ev);
        for (size_t i = 0; copy && i < d->count; i++)
            uc_py_dict_put(ev->arena, copy, d->keys[i], d->values[i]);
        return copy ? (uc_pv){.kind = UC_PV_DICT, .dict = copy} : uc_pv_none();
    }
    case UC_PY_SAVED_TENSOR: {
        uc_pt *t = UC_NEW(ev->arena, uc_pt, 1);
        if (!t) return uc_pv_none();
        *t = *(const uc_pt *)p->place;
        return uc_pv_tensor(t);
    }
    default: return *(const uc_pv *)p->place;
    }
}

void uc_py_place_set(uc_py_eval *ev, const uc_py_place *p, uc_pv value)
{
    if (ev->failed) return;
    switch ((int)p->kind) {
    case UC_PY_SAVED_NAME: uc_py_set(ev, p->place, p->key, value); return;
    case UC_PY_SAVED_LIST: {
        uc_py_list *l = p->place;
        if (value.kind != UC_PV_LIST || !uc_py_touch_list(ev, l)) return;
        l->count = 0;
        for (size_t i = 0; i < value.list->count; i++)
            uc_py_list_add(ev->arena, l, value.list->items[i]);
        return;
    }
    case UC_PY_SAVED_DICT: {
        uc_py_dict *d = p->place;
        if (value.kind != UC_PV_DICT || !uc_py_touch_dict(ev, d)) return;
        d->count = 0;
        d->index = NULL;
        for (size_t i = 0; i < value.dict->count; i++)
            uc_py_dict_put(ev->arena, d, value.dict->keys[i], value.dict->values[i]);
        return;
    }
    case UC_PY_SAVED_TENSOR: {
        uc_pt *t = p->place;
        if (value.kind != UC_PV_TENSOR) return;
        uc_py_touch_tensor(ev, t);
        t->ref = value.tensor->ref;
        t->level = value.tensor->level;
        t->constant = value.tensor->constant;
        t->writes++;
        if (t->base) t->seen = t->base->writes;
        return;
    }
    default: *(uc_pv *)p->place = value;
    }
}

static void restore(const uc_py_saved *s)
{
    switch ((int)s->kind) {
    case UC_PY_SAVED_NAME:
        if (s->had) {
            uc_pv *v = uc_py_map_find(s->place, s->key);
            if (v) *v = s->old;
        } else {
            uc_py_map_remove(s->place, s->key);
        }
        return;
    case UC_PY_SAVED_LIST: *(uc_py_list *)s->place = *(const uc_py_list *)s->copy; return;
    case UC_PY_SAVED_DICT: *(uc_py_dict *)s->place = *(const uc_py_dict *)s->copy; return;
    case UC_PY_SAVED_TENSOR: *(uc_pt *)s->place = *(const uc_pt *)s->copy; return;
    default: *(uc_pv *)s->place = s->old;
    }
}

/* Whether the place was made after the journal began: nothing outside of it can ask for it. */
static bool is_inner(const uc_py_saved *s, uint64_t epoch)
{
    switch ((int)s->kind) {
    case UC_PY_SAVED_NAME: return ((const uc_py_map *)s->place)->born >= epoch;
    case UC_PY_SAVED_LIST: return ((const uc_py_list *)s->place)->born >= epoch;
    case UC_PY_SAVED_DICT: return ((const uc_py_dict *)s->place)->born >= epoch;
    case UC_PY_SAVED_TENSOR: return ((const uc_pt *)s->place)->born >= epoch;
    default: return false;
    }
}

void uc_py_undo(uc_py_eval *ev, uc_py_journal *journal, uc_py_places *written)
{
    *written = (uc_py_places){0};
    for (size_t i = 0; i < journal->count; i++) {
        const uc_py_saved *s = &journal->items[i];
        if (is_inner(s, journal->epoch)) continue;
        uc_py_place p = {.kind = s->kind, .place = s->place, .key = s->key};
        if (uc_py_place_find(written, &p) != SIZE_MAX) continue;
        p.value = uc_py_place_get(ev, &p);
        if (!uc_py_place_add(ev, written, p)) break;
    }
    for (size_t i = journal->count; i-- > 0;)
        restore(&journal->items[i]);
    ev->journal = journal->outer;
}
