/* The form "checkpoint": what torch.save writes since 1.6, a zip of data.pkl and data/<key>.
 * Source: torch 2.15, torch/serialization.py (_save, _load), caffe2/serialize/inline_container.cc. */
#include "import/pytorch/torch.h"

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0 && name[n - m - 1] == '/';
}

/* The folder in front of data.pkl, with its '/'; 0 when there is none, SIZE_MAX when several. */
static size_t folder_of(const uc_bundle *bundle, const char **name)
{
    size_t found = 0;
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *entry = uc_bundle_name(bundle, i);
        const char *slash = strchr(entry, '/');
        if (!ends_with(entry, "data.pkl") || strchr(slash + 1, '/')) continue;
        if (found) return SIZE_MAX;
        found = strlen(entry) - 8;
        *name = entry;
    }
    return found;
}

static bool is_checkpoint(uc_bytes head, const uc_bundle *bundle)
{
    const char *name;
    (void)head;
    if (!bundle || uc_bundle_kind_of(bundle) != UC_BUNDLE_ZIP) return false;
    return folder_of(bundle, &name) != 0;
}

static uncork_status read_entry(const uc_t_file *f, const char *name, uc_bytes *bytes,
                                uncork_error *error)
{
    uc_bundle *bundle = f->import->bundle;
    const char *path = uc_arena_printf(f->import->arena, "%s%s", f->folder, name);
    if (!path) return uc_arena_status(f->import->arena, error);
    const size_t at = uc_bundle_find(bundle, path);
    if (at == SIZE_MAX)
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "'%s' isn't in it", path);
    return uc_bundle_read(bundle, at, bytes, error);
}

/* Storages that somebody's zip tool deflated are unpacked now, the others are views when asked for. */
static uncork_status unpack_storages(uc_t_file *f, uncork_error *error)
{
    uc_arena *arena = f->import->arena;
    uc_bundle *bundle = f->import->bundle;
    const size_t n = strlen(f->store.folder);
    uc_bytes view;
    f->store.by_key = uc_table_new(arena);
    if (!f->store.by_key) return uc_arena_status(arena, error);
    for (size_t i = 0; i < uc_bundle_count(bundle); i++) {
        const char *name = uc_bundle_name(bundle, i);
        if (strncmp(name, f->store.folder, n) != 0 || uc_bundle_view(bundle, name, &view)) continue;
        uc_bytes *bytes = UC_NEW(arena, uc_bytes, 1);
        if (!bytes) return uc_arena_status(arena, error);
        UC_TRY(uc_bundle_read(bundle, i, bytes, error));
        if (!uc_table_put(f->store.by_key, uc_str_of(name + n), bytes))
            return uc_arena_status(arena, error);
    }
    return UNCORK_OK;
}

static uncork_status read_byteorder(uc_t_file *f, uncork_error *error)
{
    uc_bytes text;
    const char *path = uc_arena_printf(f->import->arena, "%sbyteorder", f->folder);
    if (!path) return uc_arena_status(f->import->arena, error);
    if (uc_bundle_find(f->import->bundle, path) == SIZE_MAX) return UNCORK_OK;
    UC_TRY(read_entry(f, "byteorder", &text, error));
    if (text.size == 3 && memcmp(text.data, "big", 3) == 0) {
        f->store.big_endian = true;
    } else if (text.size != 6 || memcmp(text.data, "little", 6) != 0) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "its byteorder is neither little nor big");
    }
    return UNCORK_OK;
}

static uncork_status open_checkpoint(uc_t_file *f, uncork_error *error)
{
    const char *name = NULL;
    uc_bytes bytes;
    const size_t n = folder_of(f->import->bundle, &name);
    if (n == SIZE_MAX)
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "there are two data.pkl in it");
    f->folder = uc_arena_copy(f->import->arena, name, n);
    f->store = (uc_t_store){.bundle = f->import->bundle,
                            .folder = uc_arena_printf(f->import->arena, "%.*sdata/", (int)n, name)};
    if (!f->folder || !f->store.folder) return uc_arena_status(f->import->arena, error);
    UC_TRY(read_byteorder(f, error));
    UC_TRY(unpack_storages(f, error));
    UC_TRY(read_entry(f, "data.pkl", &bytes, error));
    if (uc_pickle_read(bytes, NULL, f->import->arena, f->import->budget, &f->root, &f->info, error))
        return uc_where(error, "data.pkl");
    uc_t_check_globals(f, &f->info);
    return uc_t_find_model(f, error);
}

const uc_t_form uc_t_form_checkpoint = {
    .name = "checkpoint",
    .is = is_checkpoint,
    .open = open_checkpoint,
};
