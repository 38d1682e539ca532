/* Which architecture of keras.applications a file of weights is of: with its classifier, of any number of
 * classes, or without it (include_top=False). The table of configurations is tf_keras 2.21's own:
 * tests/fixtures/gen/keras_apps.py. */
#include "import/keras/keras_apps.h"

#include "container/codec.h"

#include <inttypes.h>

enum { DEEP = 12, TOP_MOST = 8 };

typedef struct search {
    uc_k_file *file;
    uc_import *import;
    const uc_h5_object *legacy;
    size_t weights; /* datasets of the file */
} search;

/* Datasets but those of random generators and optimizers. */
static size_t count_datasets(const uc_h5_object *group, int depth)
{
    size_t n = 0;
    if (uc_h5_is_dataset(group)) return 1;
    const uc_h5_object *seed = uc_h5_find(group, uc_str_of("seed_generator")),
                       *optimizer = uc_h5_find(group, uc_str_of("optimizer"));
    for (size_t i = 0; i < uc_h5_count(group) && depth < DEEP; i++) {
        const uc_h5_object *o = uc_h5_at(group, i);
        if (o != seed && o != optimizer) n += count_datasets(o, depth + 1);
    }
    return n;
}

/* ---- configurations -------------------------------------------------------------------------- */

static uc_json *new_array(uc_arena *arena, size_t n)
{
    uc_json *j = UC_NEW(arena, uc_json, 1);
    if (!j) return NULL;
    j->kind = UC_JSON_ARRAY;
    j->items = UC_NEW(arena, uc_json *, n + 1);
    j->count = n;
    return j->items ? j : NULL;
}

/* [[name, 0, 0]] */
static uc_json *reference_to(uc_arena *arena, uc_str name)
{
    uc_json *list = new_array(arena, 1), *one = new_array(arena, 3);
    uc_json *parts = UC_NEW(arena, uc_json, 3);
    if (!list || !one || !parts) return NULL;
    for (int i = 0; i < 3; i++) {
        parts[i].kind = i ? UC_JSON_INT : UC_JSON_STRING;
        one->items[i] = &parts[i];
    }
    parts[0].string = name;
    list->items[0] = one;
    return list;
}

/* {"class_name": "Functional", "config": ...}, up to layer `end` where it is given. */
static const uc_json *model_of(uc_arena *arena, const uc_json *config, const char *name, uc_str end)
{
    static const char *const keys[] = {"class_name", "config"};
    uc_json *root = UC_NEW(arena, uc_json, 1), *copy = UC_NEW(arena, uc_json, 1),
            *text = UC_NEW(arena, uc_json, 1);
    if (!root || !copy || !text) return NULL;
    *copy = *config;
    *text = (uc_json){.kind = UC_JSON_STRING, .string = uc_str_of("Functional")};
    root->kind = UC_JSON_OBJECT;
    root->keys = UC_NEW(arena, uc_str, 2);
    root->items = UC_NEW(arena, uc_json *, 2);
    copy->items = UC_NEW(arena, uc_json *, config->count + 1);
    if (!root->keys || !root->items || !copy->items) return NULL;
    for (size_t i = 0; i < 2; i++) {
        root->keys[i] = uc_str_of(keys[i]);
    }
    root->items[0] = text;
    root->items[1] = copy;
    root->count = 2;
    (void)name;
    for (size_t i = 0; i < config->count; i++) {
        copy->items[i] = config->items[i];
        if (!end.size) continue;
        if (uc_str_is(config->keys[i], "output_layers")) copy->items[i] = reference_to(arena, end);
        if (!uc_str_is(config->keys[i], "layers")) continue;
        const uc_json *all = config->items[i];
        uc_json *cut = new_array(arena, all->count);
        for (size_t k = 0; cut && k < all->count; k++) {
            cut->items[k] = all->items[k];
            if (!uc_str_equal(uc_json_str(uc_json_get(all->items[k], "name"), ""), end)) continue;
            cut->count = k + 1;
            break;
        }
        copy->items[i] = cut;
        if (!cut) return NULL;
    }
    return root;
}

/* ---- comparison ------------------------------------------------------------------------------ */

/* Whether every variable has the shape it should; of the classifier's, the last but the classes. */
static bool fits(const search *s, const uc_json *shapes, bool top, int64_t *classes)
{
    const uc_k_model *m = s->file->root->model;
    size_t at = 0;
    for (size_t i = 0; i < m->count; i++) {
        const uc_k_layer *l = m->layers[i];
        for (size_t k = 0; k < l->slot_count; k++, at++) {
            int64_t shape[UNCORK_MAX_RANK], want[UNCORK_MAX_RANK];
            uncork_dtype dtype;
            uncork_error ignored = {.size = sizeof ignored};
            int rank;
            const uc_json *w = uc_json_at(shapes, at);
            if (!w || !l->slots[k].data ||
                uc_h5_shape(s->file->h5, l->slots[k].data, &dtype, &rank, shape, &ignored) ||
                (int)uc_k_list(w, want, UNCORK_MAX_RANK) != rank)
                return false;
            const bool last = top && at + 2 >= s->weights;
            for (int d = 0; d < rank; d++) {
                if (last && d == rank - 1)
                    *classes = shape[d];
                else if (shape[d] != want[d])
                    return false;
            }
        }
    }
    return at == s->weights;
}

/* The classifier's own number of classes. */
static void set_classes(const search *s, int64_t classes)
{
    const uc_k_model *m = s->file->root->model;
    for (size_t i = m->count; i-- > 0;) {
        uc_k_layer *l = m->layers[i];
        uc_json *units = l->config ? (uc_json *)(uintptr_t)uc_json_get(l->config, "units") : NULL;
        if (!l->slot_count) continue;
        if (units && units->kind == UC_JSON_INT) {
            units->integer = classes;
            units->number = (double)classes;
        }
        return;
    }
}

static bool try_one(const search *s, const uc_json *app, const char *name, bool top)
{
    uc_k_file *f = s->file;
    uncork_error ignored = {.size = sizeof ignored};
    int64_t classes = 0;
    const uc_str end = top ? (uc_str){"", 0} : uc_json_str(uc_json_get(app, "bare"), "");
    const uc_json *model = model_of(f->arena, uc_json_get(app, "config"), name, end);
    uc_error_init(&ignored);
    f->root = NULL;
    if (!model || uc_k_read_config(f, model, s->import->budget, &ignored)) return false;
    const uncork_status status = s->legacy ? uc_k_assign_h5(f, s->legacy, &ignored)
                                           : uc_k_assign_v3(f, uc_h5_root(f->h5), &ignored);
    if (status || !fits(s, uc_json_get(app, "shapes"), top, &classes)) return false;
    if (top) set_classes(s, classes);
    return true;
}

uncork_status uc_k_recognise(uc_k_file *f, uc_import *import, const uc_h5_object *legacy,
                             uncork_error *error)
{
    search s = {f, import, legacy, count_datasets(uc_h5_root(f->h5), 0)};
    uc_bytes text;
    const uc_bytes packed = {uc_k_apps_data, uc_k_apps_size};
    const int major = f->major;
    if (s.weights < 16 || s.weights > 4096) return UNCORK_OK;
    f->major = 2; /* the table's configurations are Keras 2's, whoever wrote the weights */
    UC_TRY(uc_codec_unpack(UC_CODEC_XZ, packed, 0, f->arena, import->budget, &text, NULL, error));
    const uc_json *apps = uc_json_read(text, 0, f->arena, error);
    if (!apps) return error->status;
    for (size_t i = 0; i < apps->count; i++) {
        const uc_json *app = apps->items[i];
        const size_t all = uc_json_count(uc_json_get(app, "shapes"));
        const bool top = all == s.weights;
        if (!top && (s.weights > all || all - s.weights > TOP_MOST)) continue;
        const char *name = uc_arena_copy(f->arena, apps->keys[i].data, apps->keys[i].size);
        if (!name || !try_one(&s, app, name, top)) continue;
        const uc_str preset = uc_json_str(uc_json_get(app, "preset"), "");
        uc_fact_text(&import->facts, "architecture", "%s", name);
        uc_fact_text(&import->facts, "architecture_preset", "keras:%.*s", (int)preset.size,
                     preset.data);
        uc_fact_text(&import->facts, "architecture_from", "the shapes of its weights");
        uc_note(&import->findings, UC_NOTE_CHOSEN, "architecture",
                "the weights have the names and shapes of keras.applications' %s%s", name,
                top ? "" : ", without its classifier");
        return UNCORK_OK;
    }
    f->root = NULL;
    f->major = major;
    return UNCORK_OK;
}
