/* The importer "keras": .h5 of Keras 1 to 3, .keras, and weights with their JSON beside them. */
#include "import/keras/keras_apps.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- probe ----------------------------------------------------------------------------------- */

static int keras_probe(uc_bytes head, const uc_bundle *bundle)
{
    if (bundle && uc_bundle_kind_of(bundle) == UC_BUNDLE_ZIP) {
        return uc_bundle_find(bundle, "config.json") != SIZE_MAX &&
                       (uc_bundle_find(bundle, "model.weights.h5") != SIZE_MAX ||
                        uc_bundle_find(bundle, "metadata.json") != SIZE_MAX)
                   ? 2
                   : 0;
    }
    return uc_h5_probe(head) ? 2 : 0;
}

/* ---- open ------------------------------------------------------------------------------------ */

typedef struct opening {
    uc_import *import;
    uc_k_file *file;
    uncork_error *error;
} opening;

static void set_version(uc_k_file *f, uc_str version)
{
    f->version = uc_arena_copy(f->arena, version.data, version.size);
    f->major = f->version ? atoi(f->version) : 0;
    const char *dot = f->version ? strchr(f->version, '.') : NULL;
    f->minor = dot ? atoi(dot + 1) : 0;
    if (f->major < 1 || f->major > 3) f->major = 2;
}

static uncork_status text_attribute(const uc_k_file *f, const uc_h5_object *o, const char *name,
                                    uc_str *text, uncork_error *error)
{
    uc_tensor *t;
    *text = (uc_str){"", 0};
    UC_TRY(uc_h5_attribute(f->h5, o, name, f->arena, &t, error));
    if (t && t->dtype == UNCORK_STRING && uc_tensor_count(t) == 1) *text = uc_tensor_string(t, 0);
    return UNCORK_OK;
}

static uncork_status read_json(opening *o, uc_bytes bytes, const uc_json **json)
{
    *json = uc_json_read(bytes, 0, o->file->arena, o->error);
    if (!*json) uc_where(o->error, "the model's configuration");
    return *json ? UNCORK_OK : o->error->status;
}

/* A configuration saved by itself: {"class_name": ..., "config": ..., "keras_version": ...}. */
static uncork_status read_beside(opening *o, const uc_json **config)
{
    static const char *const suffixes[] = {".json", "_config.json", "_architecture.json"};
    const char *path = o->import->path, *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    uncork_error ignored;
    uc_bytes bytes;
    *config = NULL;
    for (size_t i = 0; i < 8; i++) {
        char name[300];
        size_t n = strlen(base);
        if (i < 6) { /* the name without ".h5", then without ".weights" too */
            if (n > 3 && uc_text_ends(base, ".h5"))
                n -= 3;
            else if (n > 5 && uc_text_ends(base, ".hdf5"))
                n -= 5;
            if (i % 2 && n > 8 && memcmp(base + n - 8, ".weights", 8) == 0) n -= 8;
            if (n > 200) n = 200;
            (void)snprintf(name, sizeof name, "%.*s%s", (int)n, base, suffixes[i / 2]);
        } else {
            (void)snprintf(name, sizeof name, "%s", i == 6 ? "config.json" : "model.json");
        }
        uc_error_init(&ignored);
        if (uc_bundle_side(o->import->bundle, name, &bytes, &ignored) != UNCORK_OK) continue;
        UC_TRY(read_json(o, bytes, config));
        if (uc_json_get(*config, "class_name")) {
            uc_note(&o->import->findings, UC_NOTE_CHOSEN, "architecture-beside",
                    "the architecture is taken from %s beside the weights", name);
            return UNCORK_OK;
        }
        *config = NULL;
    }
    return UNCORK_OK;
}

/* What can't run is said by import; inspect still shows what is there. */
static uncork_status keep_flaw(uc_k_file *f, uncork_status status, uncork_error *error)
{
    if (status != UNCORK_UNSUPPORTED && status != UNCORK_MALFORMED) return status;
    f->flaw = *error;
    uc_error_init(error);
    return UNCORK_OK;
}

static uncork_status read_weights(opening *o, const uc_h5_object *legacy)
{
    uc_k_file *f = o->file;
    uc_str backend;
    if (!f->root || !f->root->model) return UNCORK_OK;
    if (!legacy) return uc_k_assign_v3(f, uc_h5_root(f->h5), o->error);
    UC_TRY(text_attribute(f, legacy, "backend", &backend, o->error));
    f->theano = uc_str_is(backend, "theano");
    f->legacy = true;
    return uc_k_assign_h5(f, legacy, o->error);
}

static uncork_status open_h5(opening *o)
{
    uc_k_file *f = o->file;
    uc_import *in = o->import;
    uc_str version, text;
    const uc_json *config = NULL;
    UC_TRY(uc_h5_open(in->bytes, 0, in->arena, in->budget, &f->h5, o->error));
    const uc_h5_object *root = uc_h5_root(f->h5);
    const uc_h5_object *weights = uc_h5_find(root, uc_str_of("model_weights"));
    uc_tensor *names;
    UC_TRY(text_attribute(f, root, "model_config", &text, o->error));
    UC_TRY(text_attribute(f, root, "keras_version", &version, o->error));
    if (!version.size && weights) {
        UC_TRY(text_attribute(f, weights, "keras_version", &version, o->error));
    }
    UC_TRY(uc_h5_attribute(f->h5, root, "layer_names", f->arena, &names, o->error));
    if (text.size) {
        UC_TRY(read_json(o, (uc_bytes){(const uint8_t *)text.data, text.size}, &config));
    } else {
        UC_TRY(read_beside(o, &config));
        if (!version.size) version = uc_json_str(uc_json_get(config, "keras_version"), "");
    }
    if (!version.size) version = uc_str_of(text.size && !names ? "1.0" : names ? "2" : "3");
    set_version(f, version);
    const uc_h5_object *legacy = weights ? weights : names ? root : NULL;
    if (!config) {
        f->legacy = legacy != NULL;
        UC_TRY(uc_k_recognise(f, in, legacy, o->error));
        if (f->root) return UNCORK_OK;
        uc_fail(
            o->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
            "this HDF5 file holds weights but no model_config, and of no network of keras.applications: "
            "the layers are unknown");
        uc_fix(o->error, "put the model's JSON (model.to_json()) beside it as NAME.json");
        return keep_flaw(f, o->error->status, o->error);
    }
    UC_TRY(keep_flaw(f, uc_k_read_config(f, config, in->budget, o->error), o->error));
    if (f->flaw.status) return UNCORK_OK;
    return keep_flaw(f, read_weights(o, legacy), o->error);
}

static uncork_status entry(opening *o, const char *name, uc_bytes *bytes)
{
    uc_bundle *bundle = o->import->bundle;
    const size_t i = uc_bundle_find(bundle, name);
    *bytes = (uc_bytes){0};
    return i == SIZE_MAX ? UNCORK_OK : uc_bundle_read(bundle, i, bytes, o->error);
}

static uncork_status open_zip(opening *o)
{
    uc_k_file *f = o->file;
    uc_bytes config, metadata, weights;
    const uc_json *json, *meta = NULL;
    UC_TRY(entry(o, "config.json", &config));
    UC_TRY(entry(o, "metadata.json", &metadata));
    UC_TRY(entry(o, "model.weights.h5", &weights));
    if (metadata.size) UC_TRY(read_json(o, metadata, &meta));
    const uc_str version = uc_json_str(uc_json_get(meta, "keras_version"), "3");
    set_version(f, version);
    UC_TRY(read_json(o, config, &json));
    UC_TRY(keep_flaw(f, uc_k_read_config(f, json, o->import->budget, o->error), o->error));
    if (!weights.size) {
        uc_fail(o->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                "the .keras file has no model.weights.h5");
        uc_fix(o->error, "save it again with model.save('NAME.keras')");
        return keep_flaw(f, o->error->status, o->error);
    }
    UC_TRY(uc_h5_open(weights, 0, f->arena, o->import->budget, &f->h5, o->error));
    if (f->flaw.status) return UNCORK_OK;
    return keep_flaw(f, read_weights(o, NULL), o->error);
}

static uncork_status keras_open(uc_import *file, uncork_error *error)
{
    uc_k_file *f = UC_NEW(file->arena, uc_k_file, 1);
    file->entries = UC_NEW(file->arena, const char *, 1);
    if (!f || !file->entries) return uc_arena_status(file->arena, error);
    opening o = {file, f, error};
    f->arena = file->arena;
    f->bundle = file->bundle;
    uc_error_init(&f->flaw);
    file->state = f;
    file->entries[file->entry_count++] = "predict";
    UC_TRY(uc_bundle_kind_of(file->bundle) == UC_BUNDLE_ZIP ? open_zip(&o) : open_h5(&o));
    uc_fact_text(&file->facts, "format", "%s",
                 uc_bundle_kind_of(file->bundle) == UC_BUNDLE_ZIP ? "keras" : "hdf5");
    uc_fact_text(&file->facts, "framework", "keras");
    if (f->version) uc_fact_text(&file->facts, "framework_version", "%s", f->version);
    return uc_arena_status(file->arena, error);
}

/* ---- import ---------------------------------------------------------------------------------- */

static uncork_status keras_import(const uc_import *file, const char *entry_name,
                                  const uc_import_options *options, uc_graph *graph,
                                  uc_findings *findings, uncork_error *error)
{
    const uc_k_file *f = file->state;
    (void)options;
    if (entry_name && strcmp(entry_name, "predict") != 0) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                       "there is no method '%s'; a Keras model has predict", entry_name);
    }
    if (f->flaw.status) {
        uc_fail(error, f->flaw.status, f->flaw.offset, "%s", f->flaw.what);
        if (f->flaw.fix[0]) uc_fix(error, "%s", f->flaw.fix);
        return error->status;
    }
    uc_k_build b = {.file = f, .graph = graph, .findings = findings};
    uc_arena *known = uc_arena_new(graph->budget), *scratch = uc_arena_new(graph->budget);
    uncork_status status = UNCORK_OK;
    if (!known || !scratch) {
        status = uc_fail_memory(error);
    } else {
        uc_look_open(&b.look, graph, graph->budget, known, scratch);
        uc_k_emit_model(&b, f->root);
        status = graph->status;
    }
    uc_arena_free(known);
    uc_arena_free(scratch);
    return status;
}

/* ---- inspect --------------------------------------------------------------------------------- */

static uncork_status count_weights(const uc_k_file *f, const uc_k_layer *l, int64_t *count)
{
    uncork_error ignored;
    for (size_t i = 0; i < l->slot_count; i++) {
        int64_t shape[UNCORK_MAX_RANK];
        uncork_dtype dtype;
        size_t n;
        int rank;
        uc_error_init(&ignored);
        if (!l->slots[i].data ||
            uc_h5_shape(f->h5, l->slots[i].data, &dtype, &rank, shape, &ignored) ||
            !uc_shape_count(shape, rank, &n)) {
            continue;
        }
        *count += (int64_t)n;
    }
    for (size_t i = 0; i < l->child_count; i++) {
        (void)count_weights(f, l->children[i].layer, count);
    }
    for (size_t i = 0; l->model && i < l->model->count; i++) {
        (void)count_weights(f, l->model->layers[i], count);
    }
    return UNCORK_OK;
}

static void keras_inspect(const uc_import *file, uc_json_writer *json)
{
    const uc_k_file *f = file->state;
    if (!f->root || !f->root->model) return;
    int64_t total = 0;
    (void)count_weights(f, f->root, &total);
    uc_json_key(json, "model");
    uc_json_put_text(json, f->root->name);
    uc_json_key(json, "model_class");
    uc_json_put_text(json, f->root->class_name);
    uc_json_key(json, "parameters");
    uc_json_put_i64(json, total);
    uc_json_key(json, "layers");
    uc_json_begin_array(json);
    for (size_t i = 0; i < f->root->model->count; i++) {
        const uc_k_layer *l = f->root->model->layers[i];
        int64_t count = 0;
        (void)count_weights(f, l, &count);
        uc_json_begin_object(json);
        uc_json_key(json, "name");
        uc_json_put_text(json, l->name);
        uc_json_key(json, "class");
        uc_json_put_text(json, l->class_name);
        uc_json_key(json, "parameters");
        uc_json_put_i64(json, count);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
}

const uc_importer uc_importer_keras = {
    .name = "keras",
    .probe = keras_probe,
    .open = keras_open,
    .import = keras_import,
    .inspect = keras_inspect,
};
