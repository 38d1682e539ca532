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

/* One zip's parts on their way. */
typedef struct zip {
    uc_bundle *bundle;
    uc_arena *arena;
    uc_budget *budget;
    const char *folder; /* with its '/' */
    uncork_error *error;
} zip;

static uncork_status read_entry(const zip *z, const char *name, uc_bytes *bytes)
{
    const char *path = uc_arena_printf(z->arena, "%s%s", z->folder, name);
    if (!path) return uc_arena_status(z->arena, z->error);
    const size_t at = uc_bundle_find(z->bundle, path);
    if (at == SIZE_MAX)
        return uc_fail(z->error, UNCORK_MALFORMED, UC_NO_OFFSET, "'%s' isn't in it", path);
    return uc_bundle_read(z->bundle, at, bytes, z->error);
}

/* Storages that somebody's zip tool deflated are unpacked now, the others are views when asked for. */
static uncork_status unpack_storages(const zip *z, uc_t_store *store)
{
    const size_t n = strlen(store->folder);
    uc_bytes view;
    store->by_key = uc_table_new(z->arena);
    if (!store->by_key) return uc_arena_status(z->arena, z->error);
    for (size_t i = 0; i < uc_bundle_count(z->bundle); i++) {
        const char *name = uc_bundle_name(z->bundle, i);
        if (strncmp(name, store->folder, n) != 0 || uc_bundle_view(z->bundle, name, &view))
            continue;
        uc_bytes *bytes = UC_NEW(z->arena, uc_bytes, 1);
        if (!bytes) return uc_arena_status(z->arena, z->error);
        UC_TRY(uc_bundle_read(z->bundle, i, bytes, z->error));
        if (!uc_table_put(store->by_key, uc_str_of(name + n), bytes))
            return uc_arena_status(z->arena, z->error);
    }
    return UNCORK_OK;
}

static uncork_status read_byteorder(const zip *z, uc_t_store *store)
{
    uc_bytes text;
    const char *path = uc_arena_printf(z->arena, "%sbyteorder", z->folder);
    if (!path) return uc_arena_status(z->arena, z->error);
    if (uc_bundle_find(z->bundle, path) == SIZE_MAX) return UNCORK_OK;
    UC_TRY(read_entry(z, "byteorder", &text));
    if (text.size == 3 && memcmp(text.data, "big", 3) == 0) {
        store->big_endian = true;
    } else if (text.size != 6 || memcmp(text.data, "little", 6) != 0) {
        return uc_fail(z->error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "its byteorder is neither little nor big");
    }
    return UNCORK_OK;
}

static uncork_status read_zip(zip *z, uc_t_saved *saved)
{
    const char *name = NULL;
    uc_bytes bytes;
    const size_t n = folder_of(z->bundle, &name);
    *saved = (uc_t_saved){.store = {.bundle = z->bundle}};
    if (n == SIZE_MAX || n == 0)
        return uc_fail(z->error, UNCORK_MALFORMED, UC_NO_OFFSET, "there %s data.pkl in it",
                       n ? "are two" : "is no");
    z->folder = uc_arena_copy(z->arena, name, n);
    saved->store.folder = uc_arena_printf(z->arena, "%.*sdata/", (int)n, name);
    if (!z->folder || !saved->store.folder) return uc_arena_status(z->arena, z->error);
    UC_TRY(read_byteorder(z, &saved->store));
    UC_TRY(unpack_storages(z, &saved->store));
    UC_TRY(read_entry(z, "data.pkl", &bytes));
    if (uc_pickle_read(bytes, NULL, z->arena, z->budget, &saved->root, &saved->info, z->error))
        return uc_where(z->error, "data.pkl");
    return UNCORK_OK;
}

uncork_status uc_t_take_saved(uc_t_file *f, const uc_t_saved *saved, uncork_error *error)
{
    f->store = saved->store;
    f->root = saved->root;
    f->info = saved->info;
    uc_t_check_globals(f, &f->info);
    return uc_t_find_model(f, error);
}

uncork_status uc_t_saved_open(uc_bytes bytes, uc_import *import, uc_t_saved *saved,
                              uncork_error *error)
{
    if (uc_t_saved_is_legacy(bytes)) return uc_t_saved_legacy(bytes, import, saved, error);
    zip z = {.arena = import->arena, .budget = import->budget, .error = error};
    UC_TRY(uc_bundle_over(bytes, "saved", z.arena, z.budget, &z.bundle, error));
    return read_zip(&z, saved);
}

static uncork_status open_checkpoint(uc_t_file *f, uncork_error *error)
{
    uc_t_saved saved;
    zip z = {.bundle = f->import->bundle,
             .arena = f->import->arena,
             .budget = f->import->budget,
             .error = error};
    UC_TRY(read_zip(&z, &saved));
    f->folder = z.folder;
    return uc_t_take_saved(f, &saved, error);
}

const uc_t_form uc_t_form_checkpoint = {
    .name = "checkpoint",
    .is = is_checkpoint,
    .open = open_checkpoint,
};
