/* The form "folder": PyTorch's own files in a folder or behind an index, as Hugging Face keeps them:
 * pytorch_model.bin, or shards that pytorch_model.bin.index.json names.
 * Source: transformers 5.23, utils/hub.py. */
#include "import/pytorch/torch.h"

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

static bool is_index(const char *name) { return ends_with(name, ".bin.index.json"); }

/* The member that holds (or lists) the weights; SIZE_MAX: none, or several of which none is named so. */
static size_t weights_of(const uc_bundle *bundle)
{
    static const char *const names[] = {"pytorch_model.bin.index.json",
                                        "pytorch_model.bin",
                                        "model.pt",
                                        "model.pth",
                                        "model.ckpt",
                                        "best.pt"};
    static const char *const ends[] = {".pt", ".pth", ".ckpt"};
    size_t lone = SIZE_MAX;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
            if (strcmp(base_of(uc_bundle_name(bundle, i)), names[k]) == 0) return i;
        }
    }
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        bool one = false;
        for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
            one = one || ends_with(uc_bundle_name(bundle, i), ends[k]);
        }
        if (one && lone != SIZE_MAX) return SIZE_MAX;
        if (one) lone = i;
    }
    return lone;
}

/* A folder of another framework is that one's. */
static bool is_folder(uc_bytes head, const uc_bundle *bundle)
{
    if (!bundle) return false;
    if (uc_bundle_kind_of(bundle) == UC_BUNDLE_FILE)
        return head.size && head.data[0] == '{' && is_index(uc_bundle_name(bundle, 0));
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        if (ends_with(name, ".safetensors") || ends_with(name, "saved_model.pb") ||
            ends_with(name, "data.pkl"))
            return false;
    }
    return weights_of(bundle) != SIZE_MAX;
}

/* The tensors of one shard, a plain dict. */
static uncork_status add_shard(uc_t_file *f, uc_bytes bytes, uc_t_state *s, uncork_error *error)
{
    uc_arena *arena = f->import->arena;
    uc_t_saved saved;
    UC_TRY(uc_t_saved_open(bytes, f->import, &saved, error));
    uc_t_check_globals(f, &saved.info);
    const uc_pickle *root = saved.root;
    if (root->kind != UC_PICKLE_DICT)
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "a shard that is no state dict");
    for (size_t i = 0; i < root->count; i++) {
        const uc_pickle *key = root->items[2 * i], *value = root->items[2 * i + 1];
        const uc_tensor *t;
        if (key->kind != UC_PICKLE_TEXT || !uc_t_is_tensor(value)) continue;
        const char *name = uc_arena_copy(arena, key->text.data, key->text.size);
        UC_TRY(uc_t_tensor_of(&saved.store, value, arena, &t, error));
        if (!name || !uc_t_state_put(s, name, t)) return uc_arena_status(arena, error);
    }
    return UNCORK_OK;
}

static uncork_status open_shards(uc_t_file *f, uc_bytes bytes, const char *member,
                                 uncork_error *error)
{
    uc_arena *arena = f->import->arena;
    const uc_json *root = uc_json_read(bytes, 0, arena, error);
    const uc_json *map = uc_json_get(root, "weight_map");
    uc_t_state *s = uc_t_state_new(arena);
    uc_table *seen = uc_table_new(arena);
    if (!root) return error ? error->status : UNCORK_MALFORMED;
    if (!s || !seen) return uc_arena_status(arena, error);
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
        char *copy = uc_arena_copy(arena, name.data, name.size);
        if (!copy || !uc_table_put(seen, name, copy)) return uc_arena_status(arena, error);
        if (uc_bundle_named(f->import->bundle, member, copy, &shard, error))
            return uc_fix(error, "the index names shard '%.100s': put every shard beside it", copy);
        if (add_shard(f, shard, s, error)) return uc_where(error, "file '%.120s'", copy);
    }
    return uc_t_recognise(f, s, error);
}

static uncork_status open_folder(uc_t_file *f, uncork_error *error)
{
    uc_bundle *bundle = f->import->bundle;
    uc_bytes bytes;
    uc_t_saved saved;
    if (uc_bundle_kind_of(bundle) == UC_BUNDLE_FILE)
        return open_shards(f, f->import->bytes, NULL, error);
    const size_t at = weights_of(bundle);
    const char *member = uc_bundle_name(bundle, at);
    UC_TRY(uc_bundle_read(bundle, at, &bytes, error));
    if (is_index(member)) return open_shards(f, bytes, member, error);
    if (uc_t_saved_open(bytes, f->import, &saved, error)) return uc_where(error, "%s", member);
    uc_note(&f->import->findings, UC_NOTE_CHOSEN, "file-chosen", "%s is read", member);
    return uc_t_take_saved(f, &saved, error);
}

const uc_t_form uc_t_form_folder = {
    .name = "folder",
    .is = is_folder,
    .open = open_folder,
};
