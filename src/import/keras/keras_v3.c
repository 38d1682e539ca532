/* Weights of .keras and .weights.h5 files: by paths made of classes and attributes, never by layer
 * names. Source: keras/src/saving/saving_lib.py (_save_state, _save_container_state),
 * keras/src/utils/naming.py (to_snake_case). */
#include "base/text.h"
#include "import/keras/keras.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_word(char c) { return is_upper(c) || is_lower(c) || is_digit(c) || c == '_'; }

/* re.sub(r"\W+", ""); re.sub("(.)([A-Z][a-z]+)", r"\1_\2"); re.sub("([a-z])([A-Z])", r"\1_\2"). */
static void snake_case(const char *name, char *out, size_t size)
{
    char plain[128], first[256];
    size_t n = 0, m = 0, k = 0;
    for (; *name && n < sizeof plain - 1; name++) {
        if (is_word(*name)) plain[n++] = *name;
    }
    for (size_t i = 0; i < n;) {
        /* The match takes one character, a capital and the small letters behind it. */
        if (i + 2 < n && is_upper(plain[i + 1]) && is_lower(plain[i + 2])) {
            first[m++] = plain[i++];
            first[m++] = '_';
            first[m++] = plain[i++];
            while (i < n && is_lower(plain[i])) {
                first[m++] = plain[i++];
            }
        } else {
            first[m++] = plain[i++];
        }
    }
    for (size_t i = 0; i < m && k + 2 < size; i++) {
        out[k++] = is_upper(first[i]) ? (char)(first[i] + 32) : first[i];
        if (i + 1 < m && is_lower(first[i]) && is_upper(first[i + 1])) out[k++] = '_';
    }
    out[k] = 0;
}

/* How often a class has been met in one container. */
typedef struct used {
    uc_table *counts;
    uc_arena *arena;
} used;

static const char *unique_name(used *u, const char *class_name)
{
    char snake[256];
    /* Exported under another name than the class has. */
    if (strcmp(class_name, "GroupQueryAttention") == 0) class_name = "GroupedQueryAttention";
    snake_case(class_name, snake, sizeof snake);
    const char *key = uc_arena_str(u->arena, snake);
    if (!key) return NULL;
    int64_t *count = uc_table_find(u->counts, uc_str_of(key));
    if (count) return uc_arena_printf(u->arena, "%s_%" PRId64, key, ++*count);
    count = UC_NEW(u->arena, int64_t, 1);
    return count && uc_table_put(u->counts, uc_str_of(key), count) ? key : NULL;
}

static uncork_status assign(uc_k_file *f, uc_k_layer *l, const uc_h5_object *group,
                            uncork_error *error);

/* Attributes of Keras 2 may have a leading underscore (_query_dense). */
static const uc_h5_object *member(const uc_h5_object *group, const char *name)
{
    char other[64];
    const uc_h5_object *found = group ? uc_h5_find(group, uc_str_of(name)) : NULL;
    (void)snprintf(other, sizeof other, "_%s", name);
    return found || !group ? found : uc_h5_find(group, uc_str_of(other));
}

static uncork_status assign_slots(uc_k_file *f, uc_k_layer *l, const uc_h5_object *group,
                                  uncork_error *error)
{
    (void)f;
    const char *path = l->row ? l->row->path : "";
    const uc_h5_object *owner = *path ? member(group, path) : group;
    const uc_h5_object *vars = owner ? uc_h5_find(owner, uc_str_of("vars")) : NULL;
    for (size_t i = 0; i < l->slot_count; i++) {
        char index[24];
        (void)snprintf(index, sizeof index, "%zu", i);
        l->slots[i].data = vars ? uc_h5_find(vars, uc_str_of(index)) : NULL;
        if (!uc_h5_is_dataset(l->slots[i].data)) {
            return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                           "the file has no weight '%s' of layer '%s' (%s)", l->slots[i].name,
                           l->name, l->class_name);
        }
    }
    return UNCORK_OK;
}

static uncork_status assign_list(uc_k_file *f, uc_k_layer **layers, size_t count, const char *path,
                                 const uc_h5_object *group, uncork_error *error)
{
    used u = {uc_table_new(f->arena), f->arena};
    if (!u.counts) return uc_arena_status(f->arena, error);
    for (size_t i = 0; i < count; i++) {
        const char *name = unique_name(&u, layers[i]->class_name);
        if (!name) return uc_arena_status(f->arena, error);
        layers[i]->path = uc_arena_printf(f->arena, "%s/%s", path, name);
        if (!layers[i]->path) return uc_arena_status(f->arena, error);
        UC_TRY(assign(f, layers[i], group ? uc_h5_find(group, uc_str_of(name)) : NULL, error));
    }
    return UNCORK_OK;
}

static uncork_status assign_cells(uc_k_file *f, uc_k_layer *l, const uc_h5_object *group,
                                  uncork_error *error)
{
    uc_k_layer **cells = UC_NEW(f->arena, uc_k_layer *, l->child_count);
    if (!cells) return uc_arena_status(f->arena, error);
    for (size_t i = 0; i < l->child_count; i++) {
        cells[i] = l->children[i].layer;
    }
    const char *key = l->child_count ? l->children[0].attribute : "cells";
    return assign_list(f, cells, l->child_count, key, member(group, key), error);
}

/* A model called "Model" by Keras 2 before 2.4 is Functional where .keras files exist. */
static uncork_status assign(uc_k_file *f, uc_k_layer *l, const uc_h5_object *group,
                            uncork_error *error)
{
    if (l->model) {
        const uc_h5_object *inner = group ? uc_h5_find(group, uc_str_of("layers")) : NULL;
        if (!inner && group) {
            inner = uc_h5_find(group, uc_str_of("_layer_checkpoint_dependencies"));
        }
        const char *path =
            uc_arena_printf(f->arena, "%s%slayers", l->path ? l->path : "", l->path ? "/" : "");
        if (!path) return uc_arena_status(f->arena, error);
        return assign_list(f, l->model->layers, l->model->count, path, inner, error);
    }
    UC_TRY(assign_slots(f, l, group, error));
    if (strcmp(l->class_name, "StackedRNNCells") == 0 || strcmp(l->class_name, "Pipeline") == 0)
        return assign_cells(f, l, group, error);
    for (size_t i = 0; i < l->child_count; i++) {
        UC_TRY(assign(f, l->children[i].layer, member(group, l->children[i].attribute), error));
    }
    return UNCORK_OK;
}

uncork_status uc_k_assign_v3(uc_k_file *f, const uc_h5_object *group, uncork_error *error)
{
    return assign(f, f->root, group, error);
}
