/* Weights of .h5 files: lists of names, layer by layer, read in that order and never by names made
 * up. Source: keras/src/legacy/saving/legacy_h5_format.py, tf_keras/src/saving/legacy/hdf5_format.py. */
#include "import/keras/keras.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct names {
    uc_str *items;
    size_t count, capacity;
} names;

/* The strings of an attribute, or of its parts NAME0, NAME1, ... (attributes end at 64 KiB). */
static uncork_status read_names(const uc_k_file *f, const uc_h5_object *o, const char *name,
                                names *out, uncork_error *error)
{
    *out = (names){0};
    for (int part = -1;; part++) {
        char key[48];
        uc_tensor *t;
        if (part < 0)
            (void)snprintf(key, sizeof key, "%s", name);
        else
            (void)snprintf(key, sizeof key, "%s%d", name, part);
        UC_TRY(uc_h5_attribute(f->h5, o, key, f->arena, &t, error));
        if (!t && part >= 0) return UNCORK_OK;
        if (!t) continue;
        const int64_t n = t->dtype == UNCORK_STRING ? uc_tensor_count(t) : 0;
        out->items = uc_arena_grow(f->arena, out->items, &out->capacity, out->count + (size_t)n + 1,
                                   sizeof *out->items);
        if (!out->items) return uc_arena_status(f->arena, error);
        for (int64_t i = 0; i < n; i++) {
            out->items[out->count++] = uc_tensor_string(t, i);
        }
        if (part < 0) return UNCORK_OK;
    }
}

typedef struct slots {
    uc_k_slot **items;
    size_t count, capacity;
} slots;

static bool add_slot(const uc_k_file *f, slots *s, uc_k_slot *slot)
{
    s->items = uc_arena_grow(f->arena, s->items, &s->capacity, s->count + 1, sizeof *s->items);
    if (s->items) s->items[s->count++] = slot;
    return s->items != NULL;
}

/* Variables of a layer and what is in it: `frozen` ones apart, as trainable_weights and
 * non_trainable_weights list them. */
static bool gather(const uc_k_file *f, uc_k_layer *l, bool frozen, slots *s)
{
    for (size_t i = 0; i < l->slot_count; i++) {
        if ((l->slots[i].frozen || l->frozen) == frozen && !add_slot(f, s, &l->slots[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < l->child_count; i++) {
        if (!gather(f, l->children[i].layer, frozen, s)) return false;
    }
    for (size_t i = 0; l->model && i < l->model->count; i++) {
        if (!gather(f, l->model->layers[i], frozen, s)) return false;
    }
    return true;
}

static uncork_status assign_layer(uc_k_file *f, uc_k_layer *l, const uc_h5_object *group,
                                  uncork_error *error)
{
    slots s = {0};
    names weights;
    if (!gather(f, l, false, &s) || !gather(f, l, true, &s)) {
        return uc_arena_status(f->arena, error);
    }
    if (s.count == 0) return UNCORK_OK;
    UC_TRY(read_names(f, group, "weight_names", &weights, error));
    if (weights.count != s.count) {
        uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                "layer '%s' (%s) has %zu weights in the file, its configuration asks for %zu",
                l->name, l->class_name, weights.count, s.count);
        return error->status;
    }
    /* Keras 1 doesn't say its backend; names of TensorFlow's variables end with ":0". */
    if (f->major == 1 && !memchr(weights.items[0].data, ':', weights.items[0].size)) {
        f->theano = true;
    }
    for (size_t i = 0; i < s.count; i++) {
        s.items[i]->data = uc_h5_find(group, weights.items[i]);
        if (!uc_h5_is_dataset(s.items[i]->data)) {
            return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                           "layer '%s': its weight '%.*s' isn't in the file", l->name,
                           (int)(weights.items[i].size < 100 ? weights.items[i].size : 100),
                           weights.items[i].data);
        }
    }
    return UNCORK_OK;
}

static bool has_variables(const uc_k_layer *l)
{
    bool any = l->slot_count > 0;
    for (size_t i = 0; i < l->child_count; i++) {
        any |= has_variables(l->children[i].layer);
    }
    for (size_t i = 0; l->model && i < l->model->count; i++) {
        any |= has_variables(l->model->layers[i]);
    }
    return any;
}

/* The groups with weights in order, for files whose layers were renamed: loaded by topology, as
 * Keras does. */
static uncork_status next_group(const uc_k_file *f, const uc_h5_object *root, const names *layers,
                                size_t *at, const uc_h5_object **group, uncork_error *error)
{
    *group = NULL;
    while (*at < layers->count && !*group) {
        const uc_h5_object *g = uc_h5_find(root, layers->items[(*at)++]);
        names weights = {0};
        if (g) UC_TRY(read_names(f, g, "weight_names", &weights, error));
        if (weights.count) *group = g;
    }
    return UNCORK_OK;
}

static bool is_named(const names *layers, const char *name)
{
    for (size_t i = 0; i < layers->count; i++) {
        if (uc_str_is(layers->items[i], name)) return true;
    }
    return false;
}

uncork_status uc_k_assign_h5(uc_k_file *f, const uc_h5_object *group, uncork_error *error)
{
    const uc_k_model *m = f->root->model;
    names layers;
    UC_TRY(read_names(f, group, "layer_names", &layers, error));
    bool named = true;
    for (size_t i = 0; i < m->count; i++) {
        named &= !has_variables(m->layers[i]) || is_named(&layers, m->layers[i]->name);
    }
    for (size_t i = 0, at = 0; i < m->count; i++) {
        if (!has_variables(m->layers[i])) continue;
        const uc_h5_object *g = NULL;
        if (named)
            g = uc_h5_find(group, uc_str_of(m->layers[i]->name));
        else
            UC_TRY(next_group(f, group, &layers, &at, &g, error));
        if (!g) {
            return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                           "the file has no weights of layer '%s'", m->layers[i]->name);
        }
        UC_TRY(assign_layer(f, m->layers[i], g, error));
    }
    return UNCORK_OK;
}
