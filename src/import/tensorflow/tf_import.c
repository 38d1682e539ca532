/* The importer "tensorflow": SavedModels and frozen graphs. */
#include "import/tensorflow/tf.h"

#include <inttypes.h>

/* A GraphDef begins with a node: its name, then an op that TensorFlow knows. */
static int graph_probe(uc_bytes head)
{
    uncork_error ignored;
    uc_str text[2] = {{"", 0}, {"", 0}};
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(head.data, head.size, 0, &ignored);
    if (uc_reader_u8(&r, "tag") != 0x0a) return 0;
    (void)uc_pb_varint(&r, "size");
    for (int i = 0; i < 2; i++) {
        if (uc_reader_u8(&r, "tag") != 0x0a + 8 * i) return 0;
        const uc_bytes b = uc_reader_take(&r, uc_pb_varint(&r, "size"), "text");
        if (!uc_reader_ok(&r)) return 0;
        text[i] = (uc_str){(const char *)b.data, b.size};
    }
    return uc_tf_def_find(text[1]) || uc_tf_row_find(text[1]) ? 2 : 0;
}

/* SavedModel {1 saved_model_schema_version = 1, 2 meta_graphs}. */
static int saved_model_probe(uc_bytes head)
{
    static const uint8_t begin[] = {0x08, 0x01, 0x12};
    return head.size > 3 && memcmp(head.data, begin, sizeof begin) == 0 ? 1 : 0;
}

/* The number of a version folder ("1/saved_model.pb" of TensorFlow Serving's layout); -1: it is none. */
static int64_t version_of(const char *name)
{
    int64_t v = 0;
    const char *slash = strchr(name, '/');
    for (const char *at = name; slash && at < slash; at++) {
        if (*at < '0' || *at > '9' || v > INT32_MAX) return -1;
        v = v * 10 + (*at - '0');
    }
    return slash && slash > name ? v : -1;
}

static size_t depth_of(const char *name)
{
    size_t n = 0;
    for (; *name; name++) {
        n += *name == '/';
    }
    return n;
}

/* The SavedModel of a folder or archive: the one least deep, of the highest version; SIZE_MAX: none. */
static size_t find_saved_model(const uc_bundle *bundle)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        const char *slash = strrchr(name, '/');
        if (strcmp(slash ? slash + 1 : name, "saved_model.pb") != 0) continue;
        if (best == SIZE_MAX) {
            best = i;
            continue;
        }
        const char *other = uc_bundle_name(bundle, best);
        const size_t a = depth_of(name), b = depth_of(other);
        if (a < b || (a == b && version_of(name) > version_of(other))) best = i;
    }
    return best;
}

static int tensorflow_probe(uc_bytes head, const uc_bundle *bundle)
{
    if (bundle && uc_bundle_kind_of(bundle) != UC_BUNDLE_FILE)
        return find_saved_model(bundle) != SIZE_MAX ? 2 : 0;
    const char *name = bundle ? uc_bundle_name(bundle, 0) : NULL;
    if (saved_model_probe(head)) return name && strcmp(name, "saved_model.pb") == 0 ? 2 : 1;
    return graph_probe(head);
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

static uncork_status open_graph(uc_import *file, uc_tf_file *f, uncork_error *error)
{
    uc_error_init(&f->no_checkpoint);
    uc_fail(&f->no_checkpoint, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
            "this graph isn't frozen: its variables are in a checkpoint that isn't beside it");
    uc_fix(&f->no_checkpoint, "give the checkpoint's .meta file, or freeze the graph");
    f->entries = UC_NEW(file->arena, uc_tf_entry, 1);
    if (!f->entries) return uc_arena_status(file->arena, error);
    if (uc_tf_graph_read(file->bytes, 0, file->arena, &f->graph, error))
        return uc_where(error, "the TensorFlow graph");
    UC_TRY(uc_tf_frozen_entry(&f->graph, file->arena, &f->entries[0], error));
    f->entry_count = 1;
    uc_fact_text(&file->facts, "format", "frozen_pb");
    return UNCORK_OK;
}

static uncork_status open_saved_model(uc_import *file, uc_tf_file *f, uncork_error *error)
{
    const bool alone = uc_bundle_kind_of(file->bundle) == UC_BUNDLE_FILE;
    const size_t i = alone ? 0 : find_saved_model(file->bundle);
    uc_bytes bytes = file->bytes;
    if (!alone) UC_TRY(uc_bundle_read(file->bundle, i, &bytes, error));
    const char *member = alone ? NULL : uc_bundle_name(file->bundle, i);
    if (member && strchr(member, '/'))
        uc_note(&file->findings, UC_NOTE_CHOSEN, "saved-model", "the SavedModel is %s", member);
    if (uc_tf_saved_model_read(file, member, bytes, f, error))
        return uc_where(error, "%s", member ? member : "the SavedModel");
    uc_fact_text(&file->facts, "format", "saved_model");
    return UNCORK_OK;
}

static uncork_status tensorflow_open(uc_import *file, uncork_error *error)
{
    uc_tf_file *f = UC_NEW(file->arena, uc_tf_file, 1);
    if (!f) return uc_arena_status(file->arena, error);
    file->state = f;
    const bool folder = uc_bundle_kind_of(file->bundle) != UC_BUNDLE_FILE;
    UC_TRY(folder || saved_model_probe(file->bytes) ? open_saved_model(file, f, error)
                                                    : open_graph(file, f, error));
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
    (void)options;
    if (!e) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "there is no signature '%s'",
                       entry ? entry : "");
    }
    if (e->output_count == 0)
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "the graph has no outputs");
    uc_tf_session *session = uc_tf_session_open(f, graph);
    if (!session || !uc_tf_build_open(&b, session, graph, findings, 0)) return graph->status;
    uc_tf_emit_entry(&b, e);
    uc_tf_build_close(&b);
    uc_tf_session_close(session);
    return graph->status;
}

static void put_ports(uc_json_writer *json, const char *key, const uc_tf_port *ports, size_t count)
{
    uc_json_key(json, key);
    uc_json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        uc_json_put_text(json, ports[i].name);
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
