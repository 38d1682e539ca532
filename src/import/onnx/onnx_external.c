/* External data: tensors whose bytes are in other files of the model's folder. Each file is opened
 * once, through the bundle, which keeps names inside the folder.
 *
 * Source: onnx/docs/ExternalData.md. */
#include "import/onnx/onnx_build.h"

#include "base/text.h"

#include <inttypes.h>

typedef struct external {
    uc_bundle *bundle;
    const char *member;
    uc_arena *arena;
    uc_table *files; /* location -> uc_bytes */
    uncork_error *error;
} external;

static uc_str entry_of(const uc_onnx_tensor *t, const char *key)
{
    for (size_t i = t->external.count; i-- > 0;) { /* the last one wins */
        if (uc_str_is(t->external.items[i].key, key)) return t->external.items[i].value;
    }
    return (uc_str){NULL, 0};
}

static uncork_status open_file(external *x, uc_str location, const uc_bytes **bytes)
{
    *bytes = uc_table_find(x->files, location);
    if (*bytes) return UNCORK_OK;
    uc_bytes *file = UC_NEW(x->arena, uc_bytes, 1);
    while (location.size > 2 && memcmp(location.data, "./", 2) == 0) { /* some exporters write it */
        location.data += 2;
        location.size -= 2;
    }
    const char *name = uc_arena_copy(x->arena, location.data, location.size);
    if (!file || !name) return uc_arena_status(x->arena, x->error);
    if (memchr(name, 0, location.size)) {
        return uc_fail(x->error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "a name of an external file holds a zero byte");
    }
    if (uc_bundle_named(x->bundle, x->member, name, file, x->error)) {
        return uc_fix(x->error,
                      "the model keeps weights in '%.100s': put that file there, beside the model",
                      name);
    }
    if (!uc_table_put(x->files, location, file)) return uc_arena_status(x->arena, x->error);
    *bytes = file;
    return UNCORK_OK;
}

static uncork_status number(external *x, const uc_onnx_tensor *t, const char *key, uint64_t *value)
{
    const uc_str text = entry_of(t, key);
    int64_t n = 0;
    if (text.size && (!uc_text_i64(text, &n) || n < 0)) {
        return uc_fail(x->error, UNCORK_MALFORMED, t->offset,
                       "tensor '%.*s': %s of its external data is no size",
                       t->name.size < 60 ? (int)t->name.size : 60, t->name.data, key);
    }
    if (text.size) *value = (uint64_t)n;
    return UNCORK_OK;
}

static uncork_status read_tensor(external *x, uc_onnx_tensor *t)
{
    const int size = t->name.size < 60 ? (int)t->name.size : 60;
    if (!t->is_external) return UNCORK_OK;
    const uc_str location = entry_of(t, "location");
    if (!location.size || t->has_raw) {
        return uc_fail(x->error, UNCORK_MALFORMED, t->offset, "tensor '%.*s' is external %s", size,
                       t->name.data, t->has_raw ? "and has raw_data" : "but names no file");
    }
    const uc_bytes *file;
    uint64_t offset = 0, length;
    UC_TRY(open_file(x, location, &file));
    UC_TRY(number(x, t, "offset", &offset));
    length = offset <= file->size ? file->size - offset : 0;
    UC_TRY(number(x, t, "length", &length));
    if (offset > file->size || length > file->size - offset) {
        return uc_fail(x->error, UNCORK_MALFORMED, t->offset,
                       "tensor '%.*s' is bytes %" PRIu64 " to %" PRIu64 " of '%.*s', which has %zu",
                       size, t->name.data, offset, offset + length,
                       location.size < 60 ? (int)location.size : 60, location.data, file->size);
    }
    t->raw = (uc_bytes){file->data + offset, (size_t)length};
    return UNCORK_OK;
}

static uncork_status read_nodes(external *x, const uc_onnx_nodes *nodes);

static uncork_status read_graph(external *x, uc_onnx_graph *graph)
{
    for (size_t i = 0; i < graph->initializers.count; i++)
        UC_TRY(read_tensor(x, &graph->initializers.items[i]));
    for (size_t i = 0; i < graph->sparse_initializers.count; i++) {
        UC_TRY(read_tensor(x, &graph->sparse_initializers.items[i].values));
        UC_TRY(read_tensor(x, &graph->sparse_initializers.items[i].indices));
    }
    return read_nodes(x, &graph->nodes);
}

/* As deep as bodies are nested, which the reader has bounded. */
static uncork_status read_nodes(external *x, const uc_onnx_nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++) {
        for (size_t k = 0; k < nodes->items[i].attrs.count; k++) {
            const uc_onnx_attr *a = &nodes->items[i].attrs.items[k];
            if (a->tensor) UC_TRY(read_tensor(x, a->tensor));
            if (a->sparse) UC_TRY(read_tensor(x, &a->sparse->values));
            if (a->sparse) UC_TRY(read_tensor(x, &a->sparse->indices));
            if (a->graph) UC_TRY(read_graph(x, a->graph));
        }
    }
    return UNCORK_OK;
}

uncork_status uc_onnx_read_external(uc_onnx_model *model, uc_bundle *bundle, const char *member,
                                    uc_arena *arena, uncork_error *error)
{
    external x = {.bundle = bundle,
                  .member = member,
                  .arena = arena,
                  .files = uc_table_new(arena),
                  .error = error};
    if (!x.files) return uc_arena_status(arena, error);
    if (model->graph) UC_TRY(read_graph(&x, model->graph));
    for (size_t i = 0; i < model->functions.count; i++)
        UC_TRY(read_nodes(&x, &model->functions.items[i].nodes));
    return UNCORK_OK;
}
