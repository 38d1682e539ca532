/* The form "safetensors": a file of weights, or several with an index, and what Hugging Face's folders hold
 * of PyTorch's own files. config.json beside them says which architecture.
 * Source: safetensors 0.8; transformers 5.23, utils/hub.py (index files). */
#include "import/pytorch/torch.h"
#include "import/recognise.h"

#include "container/safetensors.h"

static const char index_name[] = "model.safetensors.index.json";

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static bool mentions(uc_bytes head, const char *text)
{
    const size_t n = strlen(text), most = head.size < 4096 ? head.size : 4096;
    for (size_t i = 0; i + n <= most; i++) {
        if (memcmp(head.data + i, text, n) == 0) return true;
    }
    return false;
}

/* An index given itself: {"metadata": ..., "weight_map": {...}}. */
static bool is_index(uc_bytes head, const char *name)
{
    return head.size && head.data[0] == '{' && name && ends_with(name, ".index.json") &&
           (mentions(head, "weight_map") || mentions(head, "total_size"));
}

/* The member that holds (or lists) the weights of a folder or archive; SIZE_MAX: none. */
static size_t weights_of(const uc_bundle *bundle)
{
    static const char *const names[] = {index_name, "model.safetensors",
                                        "diffusion_pytorch_model.safetensors"};
    size_t lone = SIZE_MAX;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
            const char *slash = strrchr(uc_bundle_name(bundle, i), '/');
            if (strcmp(slash ? slash + 1 : uc_bundle_name(bundle, i), names[k]) == 0) return i;
        }
    }
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        if (!ends_with(uc_bundle_name(bundle, i), ".safetensors")) continue;
        if (lone != SIZE_MAX) return SIZE_MAX; /* several: which isn't said */
        lone = i;
    }
    return lone;
}

static bool is_safetensors(uc_bytes head, const uc_bundle *bundle)
{
    if (!bundle) return uc_safetensors_probe(head);
    if (uc_bundle_kind_of(bundle) != UC_BUNDLE_FILE) return weights_of(bundle) != SIZE_MAX;
    return uc_safetensors_probe(head) || is_index(head, uc_bundle_name(bundle, 0));
}

/* ---- reading ------------------------------------------------------------------------------------- */

static uncork_status add_file(uc_t_file *f, uc_bytes bytes, uc_t_state *s, uncork_error *error)
{
    uc_safetensors *file;
    const uc_bytes head = {bytes.data, bytes.size < 1024 ? bytes.size : 1024};
    if (!uc_safetensors_probe(head)) UC_TRY(uc_recognise_bytes(head, error));
    UC_TRY(uc_safetensors_read(bytes, f->import->arena, &file, error));
    for (size_t i = 0; i < file->count; i++) {
        if (uc_t_state_find(s, file->entries[i].name))
            return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "tensor '%.120s' is in two files",
                           file->entries[i].name);
        if (!uc_t_state_put(s, file->entries[i].name, &file->entries[i].tensor))
            return uc_arena_status(f->import->arena, error);
    }
    for (size_t i = 0; file->metadata && i < file->metadata->count; i++) {
        const uc_str key = file->metadata->keys[i], value = file->metadata->items[i]->string;
        char name[80];
        if (key.size > 60 || memchr(key.data, 0, key.size)) continue;
        memcpy(name, "metadata.", 9);
        memcpy(name + 9, key.data, key.size);
        name[9 + key.size] = 0;
        uc_fact_text(&f->import->facts, name, "%.*s", (int)(value.size < 2000 ? value.size : 2000),
                     value.data);
    }
    return UNCORK_OK;
}

/* Every file that weight_map names, once each. */
static uncork_status add_shards(uc_t_file *f, uc_bytes bytes, const char *member, uc_t_state *s,
                                uncork_error *error)
{
    uc_arena *arena = f->import->arena;
    const uc_json *root = uc_json_read(bytes, 0, arena, error);
    const uc_json *map = uc_json_get(root, "weight_map");
    uc_table *seen = uc_table_new(arena);
    if (!root) return error ? error->status : UNCORK_MALFORMED;
    if (!seen) return uc_arena_status(arena, error);
    if (!map || map->kind != UC_JSON_OBJECT)
        return uc_fail(error, UNCORK_MALFORMED, 0, "the index has no weight_map");
    for (size_t i = 0; i < map->count; i++) {
        const uc_str name = uc_json_str(map->items[i], "");
        uc_bytes shard;
        if (!name.size || name.size > 250 || memchr(name.data, 0, name.size) ||
            memchr(name.data, '/', name.size))
            return uc_fail(error, UNCORK_MALFORMED, map->items[i]->offset,
                           "the index names a file outside of its folder");
        if (uc_table_find(seen, name)) continue;
        const char *copy = uc_arena_copy(arena, name.data, name.size);
        if (!copy || !uc_table_put(seen, name, (void *)(uintptr_t)copy))
            return uc_arena_status(arena, error);
        if (uc_bundle_named(f->import->bundle, member, copy, &shard, error))
            return uc_fix(error, "the index names shard '%.100s': put every shard beside it", copy);
        if (add_file(f, shard, s, error)) return uc_where(error, "file '%.120s'", copy);
    }
    for (size_t i = 0; i < map->count; i++) { /* what the index promises must be there */
        char name[512];
        const uc_str key = map->keys[i];
        if (key.size >= sizeof name) continue;
        memcpy(name, key.data, key.size);
        name[key.size] = 0;
        if (!uc_t_state_find(s, name))
            return uc_fail(error, UNCORK_MALFORMED, map->items[i]->offset,
                           "the index promises '%.120s', which no file holds", name);
    }
    return UNCORK_OK;
}

static uncork_status read_weights(uc_t_file *f, uc_t_state *s, uncork_error *error)
{
    uc_bundle *bundle = f->import->bundle;
    uc_bytes bytes = f->import->bytes;
    const char *member = NULL;
    bool index = false;
    if (bundle && uc_bundle_kind_of(bundle) == UC_BUNDLE_FILE) {
        index = is_index(bytes, uc_bundle_name(bundle, 0));
    } else if (bundle) {
        const size_t at = weights_of(bundle);
        member = uc_bundle_name(bundle, at);
        index = ends_with(member, ".index.json");
        if (!uc_bundle_view(bundle, member, &bytes))
            UC_TRY(uc_bundle_read(bundle, at, &bytes, error));
    }
    return index ? add_shards(f, bytes, member, s, error) : add_file(f, bytes, s, error);
}

static uncork_status open_safetensors(uc_t_file *f, uncork_error *error)
{
    uc_t_state *s = uc_t_state_new(f->import->arena);
    if (!s) return uc_arena_status(f->import->arena, error);
    UC_TRY(read_weights(f, s, error));
    return uc_t_recognise(f, s, error);
}

const uc_t_form uc_t_form_safetensors = {
    .name = "safetensors",
    .is = is_safetensors,
    .open = open_safetensors,
};
