/* The importer "tflite": TensorFlow Lite (LiteRT) files. */
#include "import/tflite/tflite.h"

#include <inttypes.h>

static int tflite_probe(uc_bytes head, const uc_bundle *bundle)
{
    (void)bundle;
    return uc_fb_probe(head, "TFL3") ? 2 : 0;
}

/* ---- open ------------------------------------------------------------------------------------ */

typedef struct unknown {
    const char *name;
    size_t count;
} unknown;

/* "3 SVDF, 1 LSTM": operators without a row. */
static const char *count_unknown(const uc_tfl_file *f, uc_arena *arena)
{
    unknown seen[16] = {{NULL, 0}};
    size_t kinds = 0, more = 0;
    for (size_t g = 0; g < f->subgraph_count; g++) {
        for (size_t i = 0; i < f->subgraphs[g].operator_count; i++) {
            const uc_tfl_operator *op = &f->subgraphs[g].operators[i];
            size_t k = 0;
            if (op->row) continue;
            while (k < kinds && strcmp(seen[k].name, op->name) != 0) {
                k++;
            }
            if (k == 16) {
                more++;
                continue;
            }
            if (k == kinds) seen[kinds++].name = op->name;
            seen[k].count++;
        }
    }
    const char *text = NULL;
    for (size_t k = 0; k < kinds; k++) {
        text = uc_arena_printf(arena, "%s%s%zu %.60s", text ? text : "", text ? ", " : "",
                               seen[k].count, seen[k].name);
    }
    return more && text ? uc_arena_printf(arena, "%s, %zu more", text, more) : text;
}

static void describe(const uc_tfl_file *f, uc_import *file)
{
    uc_fact_text(&file->facts, "format", "tflite");
    uc_fact_text(&file->facts, "framework", "tensorflow-lite");
    if (f->description && *f->description)
        uc_fact_text(&file->facts, "producer", "%.200s", f->description);
    uc_tfl_metadata_read(f, file);
}

static uncork_status tflite_open(uc_import *file, uncork_error *error)
{
    uc_tfl_file *f = UC_NEW(file->arena, uc_tfl_file, 1);
    if (!f) return uc_arena_status(file->arena, error);
    file->state = f;
    if (uc_tfl_read(file->bytes, file->arena, f, error))
        return uc_where(error, "the TensorFlow Lite file");
    file->entries = UC_NEW(file->arena, const char *, f->signature_count + 1);
    if (!file->entries) return uc_arena_status(file->arena, error);
    file->entries[file->entry_count++] = "predict";
    for (size_t i = 0; i < f->signature_count; i++) {
        if (strcmp(f->signatures[i].key, "predict") == 0) continue;
        file->entries[file->entry_count++] = f->signatures[i].key;
    }
    f->unknown = count_unknown(f, file->arena);
    describe(f, file);
    return uc_arena_status(file->arena, error);
}

/* ---- import ---------------------------------------------------------------------------------- */

/* A name that no other before it has. */
static const char *name_of(uc_graph *g, const char *const *before, size_t count, const char *given,
                           const char *what)
{
    if (!given || !*given) given = uc_arena_printf(g->arena, "%s_%zu", what, count);
    for (size_t i = 0; given && i < count; i++) {
        if (strcmp(before[i], given) == 0) return uc_arena_printf(g->arena, "%s_%zu", given, count);
    }
    return given;
}

static void emit_entry(uc_tfl_build *b, const uc_tfl_signature *s)
{
    uc_graph *g = b->graph;
    const size_t index = s ? s->subgraph : 0;
    const uc_tfl_subgraph *sub = &b->file->subgraphs[index];
    uc_ref *in = UC_NEW(g->arena, uc_ref, sub->in_count + 1);
    uc_ref *out = UC_NEW(g->arena, uc_ref, sub->out_count + 1);
    const size_t most = sub->in_count > sub->out_count ? sub->in_count : sub->out_count;
    const char **names = UC_NEW(g->arena, const char *, most + 1);
    if (!in || !out || !names) {
        uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
        return;
    }
    for (size_t i = 0; i < sub->in_count && !g->status; i++) {
        const uc_tfl_tensor *t = &sub->tensors[sub->in[i]];
        names[i] = name_of(g, names, i, s && s->in[i] ? s->in[i] : t->name, "input");
        in[i] = uc_tfl_declare(g, names[i], t);
    }
    if (g->status || !uc_tfl_emit_subgraph(b, index, in, out)) return;
    g->where = NULL;
    for (size_t i = 0; i < sub->out_count; i++) {
        const uc_tfl_tensor *t = &sub->tensors[sub->out[i]];
        names[i] = name_of(g, names, i, s && s->out[i] ? s->out[i] : t->name, "output");
        uc_graph_output(g, names[i], uc_g1(g, "Identity", out[i]));
    }
}

static uncork_status tflite_import(const uc_import *file, const char *entry,
                                   const uc_import_options *options, uc_graph *graph,
                                   uc_findings *findings, uncork_error *error)
{
    const uc_tfl_file *f = file->state;
    const uc_tfl_signature *signature = NULL;
    for (size_t i = 0; entry && i < f->signature_count; i++) {
        if (!signature && strcmp(f->signatures[i].key, entry) == 0) signature = &f->signatures[i];
    }
    if (entry && !signature && strcmp(entry, "predict") != 0) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "there is no signature '%s'", entry);
    }
    if (f->unknown) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "the model uses operators that aren't supported: %s", f->unknown);
    }
    uc_tfl_build b;
    if (!uc_tfl_build_open(&b, f, graph, findings, options->kernels, 0)) return graph->status;
    emit_entry(&b, signature);
    uc_tfl_build_close(&b);
    return graph->status;
}

/* ---- inspect --------------------------------------------------------------------------------- */

static void put_names(uc_json_writer *json, const char *key, const char *const *names, size_t count)
{
    uc_json_key(json, key);
    uc_json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        if (names[i]) uc_json_put_text(json, names[i]);
    }
    uc_json_end_array(json);
}

static void tflite_inspect(const uc_import *file, uc_json_writer *json)
{
    const uc_tfl_file *f = file->state;
    uc_json_key(json, "subgraphs");
    uc_json_put_i64(json, (int64_t)f->subgraph_count);
    uc_json_key(json, "signatures");
    uc_json_begin_array(json);
    for (size_t i = 0; i < f->signature_count; i++) {
        const uc_tfl_signature *s = &f->signatures[i];
        uc_json_begin_object(json);
        uc_json_key(json, "name");
        uc_json_put_text(json, s->key);
        put_names(json, "inputs", s->in, f->subgraphs[s->subgraph].in_count);
        put_names(json, "outputs", s->out, f->subgraphs[s->subgraph].out_count);
        uc_json_end_object(json);
    }
    uc_json_end_array(json);
    if (f->unknown) {
        uc_json_key(json, "unsupported_operators");
        uc_json_put_text(json, f->unknown);
    }
}

const uc_importer uc_importer_tflite = {
    .name = "tflite",
    .probe = tflite_probe,
    .open = tflite_open,
    .import = tflite_import,
    .inspect = tflite_inspect,
};
