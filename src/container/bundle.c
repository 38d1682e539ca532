/* One view of a folder, a zip, a tar and a lone file: sorted names, bytes on request. */
#include "container/bundle.h"

#include "base/file.h"
#include "container/codec.h"
#include "container/tar.h"
#include "container/zip.h"

typedef struct entry {
    const char *name;
    uc_bytes bytes;
    bool loaded;
} entry;

struct uc_bundle {
    uc_bundle_kind kind;
    uc_arena *arena;
    uc_budget *budget;
    const char *folder; /* of a folder, or the one a lone file is in; NULL over memory */
    bool copy;
    uc_zip *zip;    /* of a zip: its entries in the same order as ours */
    entry *entries; /* by name */
    size_t count;
    uc_bytes mapped; /* of a lone file or an archive, when it is mapped */
};

static uc_bundle *bundle_new(uc_bundle_kind kind, size_t count, uc_arena *arena, uc_budget *budget)
{
    uc_bundle *b = UC_NEW(arena, uc_bundle, 1);
    entry *entries = UC_NEW(arena, entry, count);
    if (!b || !entries) return NULL;
    b->kind = kind;
    b->arena = arena;
    b->budget = budget;
    b->entries = entries;
    b->count = count;
    return b;
}

static uncork_status open_folder(const char *path, uc_arena *arena, uc_budget *budget,
                                 uc_bundle **bundle, uncork_error *error)
{
    char **names;
    size_t count;
    UC_TRY(uc_file_list(path, true, arena, &names, &count, error));
    uc_bundle *b = bundle_new(UC_BUNDLE_FOLDER, count, arena, budget);
    if (!b) return uc_arena_status(arena, error);
    for (size_t i = 0; i < count; i++) {
        b->entries[i].name = names[i];
    }
    b->folder = uc_arena_str(arena, path);
    if (!b->folder) return uc_arena_status(arena, error);
    *bundle = b;
    return UNCORK_OK;
}

static uncork_status open_lone(uc_bytes bytes, const char *name, uc_arena *arena, uc_budget *budget,
                               uc_bundle **bundle, uncork_error *error)
{
    uc_bundle *b = bundle_new(UC_BUNDLE_FILE, 1, arena, budget);
    if (!b || !(b->entries[0].name = uc_arena_str(arena, name))) {
        return uc_arena_status(arena, error);
    }
    b->entries[0].bytes = bytes;
    b->entries[0].loaded = true;
    *bundle = b;
    return UNCORK_OK;
}

static uncork_status open_zip(uc_bytes bytes, uc_arena *arena, uc_budget *budget,
                              uc_bundle **bundle, uncork_error *error)
{
    uc_zip *zip;
    UC_TRY(uc_zip_open(bytes, 0, arena, budget, &zip, error));
    uc_bundle *b = bundle_new(UC_BUNDLE_ZIP, zip->count, arena, budget);
    if (!b) return uc_arena_status(arena, error);
    b->zip = zip;
    for (size_t i = 0; i < zip->count; i++) {
        b->entries[i].name = zip->entries[i].name;
    }
    *bundle = b;
    return UNCORK_OK;
}

static uncork_status open_tar(uc_bytes bytes, uc_codec codec, uc_arena *arena, uc_budget *budget,
                              uc_bundle **bundle, uncork_error *error)
{
    uc_tar *tar;
    if (codec != UC_CODEC_NONE) {
        uc_bytes packed = bytes;
        UC_TRY(uc_codec_unpack(codec, packed, 0, arena, budget, &bytes, NULL, error));
    }
    UC_TRY(uc_tar_open(bytes, 0, arena, &tar, error));
    uc_bundle *b = bundle_new(UC_BUNDLE_TAR, tar->count, arena, budget);
    if (!b) return uc_arena_status(arena, error);
    for (size_t i = 0; i < tar->count; i++) {
        b->entries[i] = (entry){tar->entries[i].name, tar->entries[i].bytes, true};
    }
    *bundle = b;
    return UNCORK_OK;
}

/* Whether a tar is there, perhaps compressed: its first block is unpacked for that. */
static bool is_tar(uc_bytes bytes, uc_codec *codec)
{
    uint8_t head[512];
    *codec = uc_codec_of(bytes);
    if (*codec == UC_CODEC_NONE) return uc_tar_probe(bytes);
    return uc_tar_probe((uc_bytes){head, uc_codec_peek(*codec, bytes, head, sizeof head)});
}

uncork_status uc_bundle_over(uc_bytes bytes, const char *name, uc_arena *arena, uc_budget *budget,
                             uc_bundle **bundle, uncork_error *error)
{
    uc_codec codec;
    *bundle = NULL;
    if (uc_zip_probe(bytes)) return open_zip(bytes, arena, budget, bundle, error);
    if (is_tar(bytes, &codec)) return open_tar(bytes, codec, arena, budget, bundle, error);
    return open_lone(bytes, name, arena, budget, bundle, error);
}

uncork_status uc_bundle_open(const char *path, bool copy, uc_arena *arena, uc_budget *budget,
                             uc_bundle **bundle, uncork_error *error)
{
    *bundle = NULL;
    if (uc_file_kind_of(path) == UC_FILE_FOLDER) {
        UC_TRY(open_folder(path, arena, budget, bundle, error));
    } else {
        uc_bytes bytes;
        const char *slash = strrchr(path, '/');
        UC_TRY(uc_file_read(path, copy, arena, &bytes, error));
        UC_TRY(uc_bundle_over(bytes, slash ? slash + 1 : path, arena, budget, bundle, error));
        const size_t length = slash ? (size_t)(slash - path) + 1 : 0;
        char *folder = length ? uc_arena_copy(arena, path, length) : uc_arena_str(arena, "./");
        if (!folder || !*bundle) return uc_fail_memory(error);
        (*bundle)->folder = folder;
        if (!copy) (*bundle)->mapped = bytes;
    }
    if (!*bundle) return uc_fail_memory(error);
    (*bundle)->copy = copy;
    return UNCORK_OK;
}

void uc_bundle_seen(const uc_bundle *bundle) { uc_file_seen(bundle->mapped); }

uc_bundle_kind uc_bundle_kind_of(const uc_bundle *bundle) { return bundle->kind; }

size_t uc_bundle_count(const uc_bundle *bundle) { return bundle->count; }

const char *uc_bundle_name(const uc_bundle *bundle, size_t i)
{
    return i < bundle->count ? bundle->entries[i].name : NULL;
}

size_t uc_bundle_find(const uc_bundle *bundle, const char *name)
{
    size_t low = 0;
    size_t high = bundle->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(name, bundle->entries[middle].name);
        if (order == 0) return middle;
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return SIZE_MAX;
}

bool uc_bundle_view(const uc_bundle *bundle, const char *name, uc_bytes *bytes)
{
    const size_t i = bundle->zip ? uc_bundle_find(bundle, name) : SIZE_MAX;
    if (i == SIZE_MAX) return false;
    const uc_zip_entry *e = &bundle->zip->entries[i];
    if (e->method != 0 || e->packed_size != e->size) return false;
    *bytes = (uc_bytes){bundle->zip->bytes.data + e->data_offset, (size_t)e->size};
    return true;
}

bool uc_bundle_is_cork(const uc_bundle *bundle)
{
    return bundle->zip && uc_bundle_find(bundle, "provenance.json") != SIZE_MAX &&
           uc_bundle_find(bundle, "model.onnx") != SIZE_MAX;
}

uncork_status uc_bundle_check(const uc_bundle *bundle, uc_arena *arena, uncork_error *error)
{
    uc_bytes ignored;
    if (!bundle->zip) return UNCORK_OK;
    uc_zip zip = *bundle->zip;
    zip.arena = arena;
    for (size_t i = 0; i < zip.count; i++)
        UC_TRY(uc_zip_read(&zip, i, &ignored, error));
    return UNCORK_OK;
}

/* Megabytes that a run will read anyway: a sum over them first would cost more than the start. */
static bool is_weights(const uc_bundle *bundle, const char *name)
{
    return strncmp(name, "weights/", 8) == 0 && uc_bundle_is_cork(bundle);
}

uncork_status uc_bundle_read(uc_bundle *bundle, size_t i, uc_bytes *bytes, uncork_error *error)
{
    *bytes = (uc_bytes){NULL, 0};
    if (i >= bundle->count) {
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "entry %zu of a bundle of %zu", i,
                       bundle->count);
    }
    entry *e = &bundle->entries[i];
    const bool viewed =
        !e->loaded && is_weights(bundle, e->name) && uc_bundle_view(bundle, e->name, &e->bytes);
    if (viewed) {
        e->loaded = true;
    } else if (!e->loaded && bundle->zip) {
        UC_TRY(uc_zip_read(bundle->zip, i, &e->bytes, error));
    } else if (!e->loaded) {
        UC_TRY(uc_file_read_beneath(bundle->folder, e->name, bundle->copy, bundle->arena, &e->bytes,
                                    error));
    }
    e->loaded = true;
    *bytes = e->bytes;
    return UNCORK_OK;
}

uncork_status uc_bundle_side(uc_bundle *bundle, const char *name, uc_bytes *bytes,
                             uncork_error *error)
{
    *bytes = (uc_bytes){NULL, 0};
    const char *flaw = strchr(name, '/') ? "names a folder" : uc_file_name_flaw(uc_str_of(name));
    if (flaw) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "the side file '%s' %s: only files beside the model are read", name, flaw);
    }
    if (bundle->kind != UC_BUNDLE_FILE) {
        const size_t i = uc_bundle_find(bundle, name);
        if (i != SIZE_MAX) return uc_bundle_read(bundle, i, bytes, error);
    }
    if (bundle->kind != UC_BUNDLE_FILE || !bundle->folder) {
        return uc_fail(error, UNCORK_IO, UC_NO_OFFSET, "the side file '%s' isn't there", name);
    }
    return uc_file_read_beneath(bundle->folder, name, bundle->copy, bundle->arena, bytes, error);
}

uncork_status uc_bundle_named(uc_bundle *bundle, const char *member, const char *name,
                              uc_bytes *bytes, uncork_error *error)
{
    *bytes = (uc_bytes){NULL, 0};
    const char *flaw = uc_file_name_flaw(uc_str_of(name));
    if (flaw) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "the file name '%s' %s: only files in the model's folder are read", name,
                       flaw);
    }
    const char *slash = member ? strrchr(member, '/') : NULL;
    const int length = slash ? (int)(slash - member) + 1 : 0;
    const char *path = uc_arena_printf(bundle->arena, "%.*s%s", length, member ? member : "", name);
    if (!path) return uc_arena_status(bundle->arena, error);
    const bool archive = bundle->kind == UC_BUNDLE_ZIP || bundle->kind == UC_BUNDLE_TAR;
    const size_t i = archive ? uc_bundle_find(bundle, path) : SIZE_MAX;
    if (i != SIZE_MAX) return uc_bundle_read(bundle, i, bytes, error);
    if (archive || !bundle->folder) {
        return uc_fail(error, UNCORK_IO, UC_NO_OFFSET, "the file '%s' isn't there", path);
    }
    return uc_file_read_own(bundle->folder, path, bundle->copy, bundle->arena, bytes, error);
}
