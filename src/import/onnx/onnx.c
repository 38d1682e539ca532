/* The importer "onnx": .onnx files, alone or in a folder or archive with their external data. */
#include "import/onnx/onnx_build.h"
#include "import/onnx/onnx_inspect.h"

#include <inttypes.h>

/* ---- probe -------------------------------------------------------------------------------- */

static bool printable(uc_bytes b)
{
    for (size_t i = 0; i < b.size; i++) {
        if (b.data[i] < 0x20 && b.data[i] != '\t' && b.data[i] != '\n') return false;
    }
    return true;
}

/* What a top-level field of ModelProto looks like; others are of another protobuf format. */
static bool is_field(const uc_pb_field *f)
{
    switch (f->number) {
    case 1:
    case 5: return f->wire == UC_PB_VARINT && f->value < 10000;
    case 2:
    case 3:
    case 4: return f->wire == UC_PB_BYTES && printable(f->bytes);
    case 6:
    case 7:
    case 8:
    case 14:
    case 20:
    case 25:
    case 26: return f->wire == UC_PB_BYTES;
    default: return false;
    }
}

/* Walks the first fields. The graph may reach beyond the head: its tag is enough. */
static int probe_file(uc_bytes head)
{
    uncork_error ignored;
    uc_error_init(&ignored);
    uc_reader r = uc_reader_over(head.data, head.size, 0, &ignored);
    uc_pb_field f;
    bool version = false, more = false;
    while (uc_pb_next(&r, &f)) {
        if (!is_field(&f)) return 0;
        version = version || f.number == 1;
        more = more || f.number == 7 || f.number == 8;
        if (version && more) return 2;
    }
    if (uc_reader_ok(&r)) return version && more ? 2 : 0;
    /* Cut by the end of the head: by a graph that begins before it? */
    const bool graph = r.at > r.begin && f.number == 7 && f.wire == UC_PB_BYTES;
    return graph && (version || more) ? 2 : 0;
}

/* The one .onnx member, or "model.onnx" among several; SIZE_MAX when there is none or too many. */
static size_t find_member(const uc_bundle *bundle, size_t *count)
{
    size_t found = SIZE_MAX;
    *count = 0;
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        const size_t n = strlen(name);
        if (n < 6 || strcmp(name + n - 5, ".onnx") != 0) continue;
        ++*count;
        if (strcmp(name, "model.onnx") == 0) {
            *count = 1;
            return i;
        }
        found = i;
    }
    return *count == 1 ? found : SIZE_MAX;
}

static int onnx_probe(uc_bytes head, const uc_bundle *bundle)
{
    size_t count;
    if (!bundle || uc_bundle_kind_of(bundle) == UC_BUNDLE_FILE) return probe_file(head);
    find_member(bundle, &count);
    return count ? 2 : 0;
}

/* ---- open --------------------------------------------------------------------------------- */

typedef struct onnx_file {
    uc_onnx_model *model;
    uncork_error external; /* why external data can't be read; OK when it can */
} onnx_file;

static uncork_status find_bytes(uc_import *file, const char **member, uc_bytes *bytes,
                                uncork_error *error)
{
    size_t count;
    *member = NULL;
    *bytes = file->bytes;
    if (uc_bundle_kind_of(file->bundle) == UC_BUNDLE_FILE) return UNCORK_OK;
    const size_t i = find_member(file->bundle, &count);
    if (i == SIZE_MAX) {
        uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "there are %zu .onnx models in it", count);
        return uc_fix(error, "name one of them");
    }
    *member = uc_bundle_name(file->bundle, i);
    return uc_bundle_read(file->bundle, i, bytes, error);
}

static uncork_status onnx_open(uc_import *file, uncork_error *error)
{
    onnx_file *state = UC_NEW(file->arena, onnx_file, 1);
    file->entries = UC_NEW(file->arena, const char *, 1);
    if (!state || !file->entries) return uc_arena_status(file->arena, error);
    const char *member;
    uc_bytes bytes;
    UC_TRY(find_bytes(file, &member, &bytes, error));
    UC_TRY(uc_onnx_read(bytes, file->arena, file->budget, &state->model, error));
    uc_error_init(&state->external);
    if (state->model->has_external) {
        (void)uc_onnx_read_external(state->model, file->bundle, member, file->arena,
                                    &state->external);
    }
    file->state = state;
    file->entries[file->entry_count++] = "run";
    uc_onnx_facts(state->model, &file->facts);
    return uc_arena_status(file->arena, error);
}

/* ---- import ------------------------------------------------------------------------------- */

static uncork_status check(const onnx_file *state, const char *entry, uncork_error *error)
{
    if (entry && strcmp(entry, "run") != 0) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET,
                       "there is no method '%s'; an ONNX model has run", entry);
    }
    UC_TRY(uc_onnx_check_versions(state->model, error));
    if (!state->model->graph || state->model->graph->outputs.count == 0) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the model's graph is empty");
    }
    if (state->external.status != UNCORK_OK) {
        uc_fail(error, state->external.status, state->external.offset, "%s", state->external.what);
        return state->external.fix[0] ? uc_fix(error, "%s", state->external.fix) : error->status;
    }
    return uc_onnx_check_operators(state->model, error);
}

static uncork_status build(uc_onnx_build *b, uc_graph *g)
{
    const uc_onnx_model *m = b->model;
    uc_onnx_env *env = UC_NEW(b->arena, uc_onnx_env, 1);
    uc_onnx_scope *scope = UC_NEW(b->arena, uc_onnx_scope, 1);
    b->symbols = uc_table_new(b->arena);
    b->functions = uc_table_new(b->arena);
    if (!env || !scope || !b->symbols || !b->functions) return uc_arena_status(b->arena, b->error);
    env->opsets = &m->opsets;
    *scope = (uc_onnx_scope){.graph = g, .env = env, .names = uc_table_new(b->arena)};
    if (!scope->names) return uc_arena_status(b->arena, b->error);
    for (size_t i = m->functions.count; i-- > 0;) { /* the first of a name stays */
        if (!uc_table_put(b->functions, m->functions.items[i].name, (void *)(uintptr_t)(i + 1)))
            return uc_arena_status(b->arena, b->error);
    }
    uc_onnx_fill_graph(b, scope, m->graph);
    return g->status;
}

/* An artifact whose source took its free dimensions from what is fed. */
static bool is_as_fed(const uc_onnx_model *model)
{
    return model->graph && uc_str_is(model->graph->doc, UC_GRAPH_AS_FED);
}

static uncork_status onnx_import(const uc_import *file, const char *entry,
                                 const uc_import_options *options, uc_graph *graph,
                                 uc_findings *findings, uncork_error *error)
{
    const onnx_file *state = file->state;
    const bool cork = file->bundle && uc_bundle_is_cork(file->bundle);
    UC_TRY(check(state, entry, error));
    uc_onnx_build b = {.model = state->model,
                       .arena = graph->arena,
                       .budget = graph->budget,
                       .findings = findings,
                       .error = error,
                       .fed = cork && is_as_fed(state->model) ? options : NULL};
    const uncork_status status = build(&b, graph);
    uc_arena_free(b.peek_arena);
    uc_arena_free(b.peek_scratch);
    return status;
}

static void onnx_inspect(const uc_import *file, uc_json_writer *json)
{
    const onnx_file *state = file->state;
    uc_onnx_inspect(state->model, json);
}

const uc_importer uc_importer_onnx = {
    .name = "onnx",
    .probe = onnx_probe,
    .open = onnx_open,
    .import = onnx_import,
    .inspect = onnx_inspect,
};
