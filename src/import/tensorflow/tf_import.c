/* The importer "tensorflow": frozen graphs. */
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

static int tensorflow_probe(uc_bytes head, const uc_bundle *bundle)
{
    if (bundle && uc_bundle_kind_of(bundle) != UC_BUNDLE_FILE) return 0;
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

static uncork_status tensorflow_open(uc_import *file, uncork_error *error)
{
    uc_tf_file *f = UC_NEW(file->arena, uc_tf_file, 1);
    if (!f) return uc_arena_status(file->arena, error);
    file->state = f;
    f->entries = UC_NEW(file->arena, uc_tf_entry, 1);
    if (!f->entries) return uc_arena_status(file->arena, error);
    if (uc_tf_graph_read(file->bytes, 0, file->arena, &f->graph, error))
        return uc_where(error, "the TensorFlow graph");
    UC_TRY(uc_tf_frozen_entry(&f->graph, file->arena, &f->entries[0], error));
    f->entry_count = 1;
    uc_fact_text(&file->facts, "format", "frozen_pb");
    uc_fact_text(&file->facts, "framework", "tensorflow");
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
}

const uc_importer uc_importer_tensorflow = {
    .name = "tensorflow",
    .probe = tensorflow_probe,
    .open = tensorflow_open,
    .import = tensorflow_import,
    .inspect = tensorflow_inspect,
};
