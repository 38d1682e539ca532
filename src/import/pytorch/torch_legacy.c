/* The form "legacy": what torch.save wrote before 1.6, and still does with
 * _use_new_zipfile_serialization=False: five pickles (a magic number, the protocol, what kind of machine,
 * the object, the keys of its storages), then the storages in that order, little-endian always.
 * Source: torch 2.15, torch/serialization.py (_legacy_save, _legacy_load), torch/csrc/serialization.cpp. */
#include "import/pytorch/torch_stream.h"

#include <inttypes.h>
#include <stdio.h>

static const uint8_t magic[] = {0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46,
                                0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19};
static const char magic_text[] = "119547037146038801333356";

static bool holds(uc_bytes head, size_t most, const void *what, size_t n)
{
    if (head.size > most) head.size = most;
    for (size_t i = 0; i + n <= head.size; i++) {
        if (memcmp(head.data + i, what, n) == 0) return true;
    }
    return false;
}

static bool is_legacy(uc_bytes head, const uc_bundle *bundle)
{
    (void)bundle;
    if (head.size < 2) return false;
    return head.data[0] == 0x80 ? holds(head, 32, magic, sizeof magic)
                                : head.data[0] == 'L' && holds(head, 32, magic_text, 24);
}

/* ---- the stream ---------------------------------------------------------------------------------- */

uncork_status uc_t_stream_pickle(uc_t_stream *s, uc_pickle **root, uc_pickle_info *info)
{
    uc_pickle_info own;
    const uc_bytes rest = {s->bytes.data + s->at, s->bytes.size - s->at};
    if (!rest.size)
        return uc_fail(s->error, UNCORK_MALFORMED, s->at,
                       "the file ends where a pickle should begin");
    if (!info) info = &own;
    UC_TRY(uc_pickle_read(rest, NULL, s->arena, s->budget, root, info, s->error));
    if (info->compression || info->end_offset > rest.size)
        return uc_fail(s->error, UNCORK_MALFORMED, s->at, "a compressed pickle within the file");
    s->at += (size_t)info->end_offset;
    return UNCORK_OK;
}

uncork_status uc_t_stream_take(uc_t_stream *s, uint64_t n, const char *what, uc_bytes *bytes)
{
    const size_t left = s->bytes.size - s->at;
    if (n > left) {
        (void)uc_fail(s->error, UNCORK_MALFORMED, s->at, "%s needs %" PRIu64 " bytes, %zu remain",
                      what, n, left);
        (void)uc_fix(s->error, "the file was cut short: copy or download it again");
        return UNCORK_MALFORMED;
    }
    *bytes = (uc_bytes){s->bytes.data + s->at, (size_t)n};
    s->at += (size_t)n;
    return UNCORK_OK;
}

uc_str uc_t_key(uc_arena *arena, const uc_pickle *key)
{
    const char *text = NULL;
    if (key && key->kind == UC_PICKLE_INT) text = uc_arena_printf(arena, "%" PRId64, key->integer);
    if (text) return uc_str_of(text);
    const bool is = key && (key->kind == UC_PICKLE_TEXT || key->kind == UC_PICKLE_BYTES);
    return is && key->text.size <= 256 ? key->text : (uc_str){NULL, 0};
}

uncork_status uc_t_stream_storage(uc_t_stream *s, uc_table *table, const uc_pickle *key,
                                  size_t size)
{
    uc_bytes head = {NULL, 0}, *bytes = UC_NEW(s->arena, uc_bytes, 1);
    const uc_str name = uc_t_key(s->arena, key);
    if (!bytes) return uc_arena_status(s->arena, s->error);
    if (!name.size || !size)
        return uc_fail(s->error, UNCORK_MALFORMED, s->at, "a storage without a key or type");
    UC_TRY(uc_t_stream_take(s, 8, "a storage's size", &head));
    const uint64_t count = uc_load_u64le(head.data);
    if (count > s->bytes.size)
        return uc_fail(s->error, UNCORK_MALFORMED, s->at - 8,
                       "a storage of %" PRIu64 " elements in a file of %zu bytes", count,
                       s->bytes.size);
    UC_TRY(uc_t_stream_take(s, count * size, "a storage", bytes));
    return uc_table_put(table, name, bytes) ? UNCORK_OK : uc_arena_status(s->arena, s->error);
}

/* ---- the file ------------------------------------------------------------------------------------ */

/* How large the elements of each storage are: their persistent ids say it. */
static uc_table *element_sizes(const uc_pickle_info *info, uc_arena *arena)
{
    uc_table *sizes = uc_table_new(arena);
    for (size_t i = 0; sizes && i < info->persistent_count; i++) {
        const uc_pickle *id = uc_pickle_item(info->persistents[i], 0),
                        *type = uc_pickle_item(id, 1);
        if (!id || id->kind != UC_PICKLE_TUPLE || id->count < 5 ||
            !uc_pickle_is_text(id->items[0], "storage") || type->kind != UC_PICKLE_SYMBOL)
            continue;
        const uc_str key = uc_t_key(arena, id->items[2]);
        const size_t size = uc_dtype_size(uc_t_storage_dtype(type->text));
        if (key.size && size && !uc_table_put(sizes, key, (void *)(uintptr_t)size)) return NULL;
    }
    return sizes;
}

static uncork_status read_storages(uc_t_saved *saved, uc_t_stream *s, const uc_pickle *keys)
{
    uc_table *sizes = element_sizes(&saved->info, s->arena);
    saved->store.by_key = uc_table_new(s->arena);
    if (!sizes || !saved->store.by_key) return uc_arena_status(s->arena, s->error);
    if (keys->kind != UC_PICKLE_LIST && keys->kind != UC_PICKLE_TUPLE)
        return uc_fail(s->error, UNCORK_MALFORMED, s->at, "the storages' keys are no list");
    for (size_t i = 0; i < keys->count; i++) {
        const uc_str key = uc_t_key(s->arena, keys->items[i]);
        const size_t size = key.size ? (size_t)(uintptr_t)uc_table_find(sizes, key) : 0;
        if (!size)
            return uc_fail(s->error, UNCORK_UNSUPPORTED, s->at,
                           "the storage '%.*s' is of no known type",
                           (int)(key.size < 60 ? key.size : 60), key.size ? key.data : "");
        if (uc_t_stream_storage(s, saved->store.by_key, keys->items[i], size))
            return uc_where(s->error, "storage %zu of %zu", i + 1, keys->count);
    }
    return UNCORK_OK;
}

bool uc_t_saved_is_legacy(uc_bytes head) { return is_legacy(head, NULL); }

uncork_status uc_t_saved_legacy(uc_bytes bytes, uc_import *import, uc_t_saved *saved,
                                uncork_error *error)
{
    uc_t_stream s = {
        .bytes = bytes, .arena = import->arena, .budget = import->budget, .error = error};
    uc_pickle *number, *keys;
    int64_t protocol;
    *saved = (uc_t_saved){0};
    UC_TRY(uc_t_stream_pickle(&s, &number, NULL));
    UC_TRY(uc_t_stream_pickle(&s, &number, NULL));
    if (!uc_pickle_i64(number, &protocol) || protocol != 1001)
        return uc_fail(error, UNCORK_UNSUPPORTED, s.at, "a protocol of PyTorch that isn't 1001");
    UC_TRY(uc_t_stream_pickle(&s, &number, NULL));
    UC_TRY(uc_t_stream_pickle(&s, &saved->root, &saved->info));
    UC_TRY(uc_t_stream_pickle(&s, &keys, NULL));
    return read_storages(saved, &s, keys);
}

static uncork_status open_legacy(uc_t_file *f, uncork_error *error)
{
    uc_t_saved saved;
    UC_TRY(uc_t_saved_legacy(f->import->bytes, f->import, &saved, error));
    return uc_t_take_saved(f, &saved, error);
}

const uc_t_form uc_t_form_legacy = {
    .name = "legacy",
    .is = is_legacy,
    .open = open_legacy,
};
