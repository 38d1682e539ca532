/* The importer "tensorflow": SavedModels and frozen graphs. */
#include "import/tensorflow/tf.h"

#include <inttypes.h>
#include <stdio.h>

static int tensorflow_probe(uc_bytes head, const uc_bundle *bundle)
{
    const uc_tf_found f = uc_tf_find(head, bundle);
    if (!f.kind) return 0;
    return f.index != SIZE_MAX && f.kind != UC_TF_IS_SAVED_MODEL &&
                   f.kind != UC_TF_IS_SAVED_MODEL_TEXT
               ? 1
               : 2;
}

static uncork_status set_entries(uc_import *file, const uc_tf_file *f, uncork_error *error)
{
    file->entries = UC_NEW(file->arena, const char *, f->entry_count);
    if (!file->entries) return uc_arena_status(file->arena, error);
    for (size_t i = 0; i < f->entry_count; i++) {
        file->entries[file->entry_count++] = f->entries[i].name;
    }
    return UNCORK_OK;
}

typedef struct opened {
    uc_import *file;
    uc_tf_file *f;
    const char *member; /* of a folder or archive; NULL: the lone file */
    uc_bytes bytes;
    uncork_error *error;
} opened;

static uncork_status open_graph(opened *o)
{
    uc_tf_file *f = o->f;
    uc_arena *arena = o->file->arena;
    uc_error_init(&f->no_checkpoint);
    uc_fail(&f->no_checkpoint, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
            "this graph isn't frozen: its variables are in a checkpoint that isn't beside it");
    uc_fix(&f->no_checkpoint, "give the checkpoint's .meta file, or freeze the graph");
    f->entries = UC_NEW(arena, uc_tf_entry, 1);
    if (!f->entries) return uc_arena_status(arena, o->error);
    UC_TRY(uc_tf_graph_read(o->bytes, 0, arena, &f->graph, o->error));
    UC_TRY(uc_tf_frozen_entry(&f->graph, arena, &f->entries[0], o->error));
    f->entry_count = 1;
    return UNCORK_OK;
}

/* NAME.meta with NAME.index and its data beside it. */
static uncork_status open_meta_graph(opened *o)
{
    const char *name = o->member ? o->member : uc_bundle_name(o->file->bundle, 0);
    const char *slash = name ? strrchr(name, '/') : NULL;
    const char *base = !name ? "model" : slash ? slash + 1 : name;
    const size_t n = strlen(base);
    const bool meta = n > 5 && strcmp(base + n - 5, ".meta") == 0;
    const char *prefix = uc_arena_copy(o->file->arena, base, meta ? n - 5 : n);
    if (!prefix) return uc_arena_status(o->file->arena, o->error);
    return uc_tf_meta_graph_read(o->file, o->member, prefix, o->bytes, o->f, o->error);
}

static uncork_status refuse_checkpoint(opened *o)
{
    uc_fail(o->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
            "this is a TensorFlow checkpoint: weights without the model that they belong to");
    return uc_fix(o->error, "give its .meta file, or save the model whole: tf.saved_model.save");
}

static uncork_status open_kind(opened *o, uc_tf_kind_of_file kind)
{
    switch (kind) {
    case UC_TF_IS_SAVED_MODEL:
    case UC_TF_IS_SAVED_MODEL_TEXT:
        uc_fact_text(&o->file->facts, "format", "saved_model");
        return uc_tf_saved_model_read(o->file, o->member, o->bytes, o->f, o->error);
    case UC_TF_IS_META_GRAPH:
    case UC_TF_IS_META_GRAPH_TEXT:
        uc_fact_text(&o->file->facts, "format", "tf_checkpoint");
        return open_meta_graph(o);
    case UC_TF_IS_CHECKPOINT: return refuse_checkpoint(o);
    case UC_TF_IS_GRAPH:
    case UC_TF_IS_GRAPH_TEXT:
    case UC_TF_IS_NOTHING: break;
    }
    uc_fact_text(&o->file->facts, "format", "frozen_pb");
    return open_graph(o);
}

static uncork_status read_text(opened *o, uc_tf_kind_of_file kind)
{
    uc_tf_text text = UC_TF_NO_TEXT;
    if (kind == UC_TF_IS_GRAPH_TEXT) text = UC_TF_TEXT_GRAPH;
    if (kind == UC_TF_IS_SAVED_MODEL_TEXT) text = UC_TF_TEXT_SAVED_MODEL;
    if (kind == UC_TF_IS_META_GRAPH_TEXT) text = UC_TF_TEXT_META_GRAPH;
    if (!text) return UNCORK_OK;
    const uc_bytes bytes = o->bytes;
    return uc_tf_text_read(bytes, text, o->file->arena, &o->bytes, o->error);
}

static uncork_status tensorflow_open(uc_import *file, uncork_error *error)
{
    uc_tf_file *f = UC_NEW(file->arena, uc_tf_file, 1);
    if (!f) return uc_arena_status(file->arena, error);
    file->state = f;
    const uc_tf_found found = uc_tf_find(file->bytes, file->bundle);
    opened o = {file, f, NULL, file->bytes, error};
    if (found.index != SIZE_MAX) {
        UC_TRY(uc_bundle_read(file->bundle, found.index, &o.bytes, error));
        o.member = uc_bundle_name(file->bundle, found.index);
        if (strchr(o.member, '/') || found.kind != UC_TF_IS_SAVED_MODEL)
            uc_note(&file->findings, UC_NOTE_CHOSEN, "member", "of the folder %s is taken",
                    o.member);
    }
    uncork_status status = read_text(&o, found.kind);
    if (!status) status = open_kind(&o, found.kind);
    if (status) return uc_where(error, "%s", o.member ? o.member : "the TensorFlow file");
    uc_fact_text(&file->facts, "framework", "tensorflow");
    if (f->version && *f->version)
        uc_fact_text(&file->facts, "framework_version", "%.60s", f->version);
    return set_entries(file, f, error);
}

static const uc_tf_entry *find_entry(const uc_tf_file *f, const char *name)
{
    for (size_t i = 0; name && i < f->entry_count; i++) {
        if (strcmp(f->entries[i].name, name) == 0) return &f->entries[i];
    }
    return name && strcmp(name, "predict") != 0 ? NULL : f->entry_count ? &f->entries[0] : NULL;
}

static uncork_status tensorflow_import(const uc_import *file, const char *entry,
                                       const uc_import_options *options, uc_graph *graph,
                                       uc_findings *findings, uncork_error *error)
{
    const uc_tf_file *f = file->state;
    const uc_tf_entry *e = find_entry(f, entry);
    uc_tf_build b;
    if (f->entry_count == 0) {
        uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                "the file has no signature and no output to run");
        return uc_fix(error,
                      "save it with one: tf.saved_model.save(model, DIR, signatures=FUNCTION)");
    }
    if (!e) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "there is no signature '%s'",
                       entry ? entry : "");
    }
    if (e->output_count == 0)
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "the graph has no outputs");
    e = uc_tf_entry_as_fed(&f->graph, e, options, graph->arena);
    if (!e) return uc_fail_memory(error);
    uc_tf_session *session = uc_tf_session_open(f, graph);
    if (!session || !uc_tf_build_open(&b, session, graph, findings, 0)) return graph->status;
    uc_tf_emit_entry(&b, e);
    uc_tf_build_close(&b);
    uc_tf_session_close(session);
    return graph->status;
}

/* "features float32[?, 4]"; what the file doesn't say is left out. */
static void put_ports(uc_json_writer *json, const char *key, const uc_tf_port *ports, size_t count)
{
    uc_json_key(json, key);
    uc_json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        char text[400], shape[192] = "";
        size_t at = 0;
        const uncork_dtype dtype = uc_tf_dtype(ports[i].type);
        for (int d = 0; d < ports[i].rank && at + 24 < sizeof shape; d++) {
            at += (size_t)snprintf(shape + at, sizeof shape - at, d ? ", " : "");
            if (ports[i].dims[d] < 0)
                shape[at++] = '?';
            else
                at += (size_t)snprintf(shape + at, sizeof shape - at, "%" PRId64, ports[i].dims[d]);
        }
        shape[at < sizeof shape ? at : sizeof shape - 1] = '\0';
        if (!dtype)
            (void)snprintf(text, sizeof text, "%.180s", ports[i].name);
        else if (ports[i].rank < 0)
            (void)snprintf(text, sizeof text, "%.180s %s", ports[i].name, uc_dtype_name(dtype));
        else
            (void)snprintf(text, sizeof text, "%.180s %s[%s]", ports[i].name, uc_dtype_name(dtype),
                           shape);
        uc_json_put_text(json, text);
    }
    uc_json_end_array(json);
}

/* What the default entry needs and isn't supported. */
static void put_lacking(const uc_tf_file *f, uc_json_writer *json)
{
    uc_arena *arena = uc_arena_new(NULL);
    uc_table *bodies = arena ? uc_table_new(arena) : NULL;
    const char *lacking = bodies && f->entry_count
                              ? uc_tf_reach_lacking(&f->graph, &f->entries[0], bodies, arena)
                              : NULL;
    if (lacking) {
        uc_json_key(json, "unsupported_operators");
        uc_json_put_text(json, lacking);
    }
    uc_arena_free(arena);
}

static void tensorflow_inspect(const uc_import *file, uc_json_writer *json)
{
    const uc_tf_file *f = file->state;
    if (f->tags) {
        uc_json_key(json, "tags");
        uc_json_put_text(json, f->tags);
    }
    if (f->graph.producer) {
        uc_json_key(json, "graph_producer");
        uc_json_put_i64(json, f->graph.producer);
    }
    uc_json_key(json, "nodes");
    uc_json_put_i64(json, (int64_t)f->graph.main->node_count);
    uc_json_key(json, "functions");
    uc_json_put_i64(json, (int64_t)f->graph.function_count);
    uc_json_key(json, "signatures");
    uc_json_begin_array(json);
    for (size_t i = 0; i < f->entry_count; i++) {
        uc_json_begin_object(json);
        uc_json_key(json, "name");
        uc_json_put_text(json, f->entries[i].name);
        if (f->entries[i].method && *f->entries[i].method) {
            uc_json_key(json, "method");
            uc_json_put_text(json, f->entries[i].method);
        }
        put_ports(json, "inputs", f->entries[i].inputs, f->entries[i].input_count);
        put_ports(json, "outputs", f->entries[i].outputs, f->entries[i].output_count);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
    put_lacking(f, json);
}

const uc_importer uc_importer_tensorflow = {
    .name = "tensorflow",
    .probe = tensorflow_probe,
    .open = tensorflow_open,
    .import = tensorflow_import,
    .inspect = tensorflow_inspect,
};
