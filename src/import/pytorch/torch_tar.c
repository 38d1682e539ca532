/* The form "tar": what torch.save wrote in 2016: a tar of sys_info, pickle, storages and tensors.
 * Source: torch 2.15, torch/serialization.py (_legacy_load, legacy_load). */
#include "import/pytorch/torch_stream.h"

#include <inttypes.h>

static bool is_tar(uc_bytes head, const uc_bundle *bundle)
{
    (void)head;
    return bundle && uc_bundle_kind_of(bundle) == UC_BUNDLE_TAR &&
           uc_bundle_find(bundle, "pickle") != SIZE_MAX &&
           uc_bundle_find(bundle, "storages") != SIZE_MAX;
}

static uncork_status member(uc_t_file *f, const char *name, uc_t_stream *s, uncork_error *error)
{
    *s = (uc_t_stream){.arena = f->import->arena, .budget = f->import->budget, .error = error};
    return uc_bundle_read(f->import->bundle, uc_bundle_find(f->import->bundle, name), &s->bytes,
                          error);
}

/* A count, then (key, location, class) and the storage itself, as often; then views of them:
 * (key, key of the whole, offset, count). */
static uncork_status read_storages(uc_t_file *f, uc_table *sizes, uncork_error *error)
{
    uc_t_stream s;
    uc_pickle *p;
    int64_t count;
    UC_TRY(member(f, "storages", &s, error));
    UC_TRY(uc_t_stream_pickle(&s, &p, NULL));
    if (!uc_pickle_i64(p, &count) || count < 0)
        return uc_fail(error, UNCORK_MALFORMED, s.at, "no number of storages");
    for (int64_t i = 0; i < count; i++) {
        UC_TRY(uc_t_stream_pickle(&s, &p, NULL));
        const uc_pickle *type = uc_pickle_item(p, 2);
        const uncork_dtype dtype =
            type && type->kind == UC_PICKLE_SYMBOL ? uc_t_storage_dtype(type->text) : 0;
        const uc_str key = uc_t_key(s.arena, uc_pickle_item(p, 0));
        UC_TRY(
            uc_t_stream_storage(&s, f->store.by_key, uc_pickle_item(p, 0), uc_dtype_size(dtype)));
        if (!uc_table_put(sizes, key, (void *)(uintptr_t)dtype))
            return uc_arena_status(s.arena, error);
    }
    if (s.at == s.bytes.size) return UNCORK_OK;
    UC_TRY(uc_t_stream_pickle(&s, &p, NULL));
    for (size_t i = 0; (p->kind == UC_PICKLE_LIST || p->kind == UC_PICKLE_TUPLE) && i < p->count;
         i++) {
        int64_t offset, n;
        const uc_pickle *view = p->items[i];
        const uc_str key = uc_t_key(s.arena, uc_pickle_item(view, 0));
        const uc_str root = uc_t_key(s.arena, uc_pickle_item(view, 1));
        const uc_bytes *whole = root.size ? uc_table_find(f->store.by_key, root) : NULL;
        void *dtype = root.size ? uc_table_find(sizes, root) : NULL;
        const size_t size = uc_dtype_size((uncork_dtype)(uintptr_t)dtype);
        uc_bytes *part = UC_NEW(s.arena, uc_bytes, 1);
        if (!part) return uc_arena_status(s.arena, error);
        if (!whole || !size || !key.size || !uc_pickle_i64(uc_pickle_item(view, 2), &offset) ||
            !uc_pickle_i64(uc_pickle_item(view, 3), &n) || offset < 0 || n < 0 ||
            (uint64_t)offset > whole->size / size ||
            (uint64_t)n > whole->size / size - (size_t)offset)
            return uc_fail(error, UNCORK_MALFORMED, s.at, "a view of a storage reaches beyond it");
        *part = (uc_bytes){whole->data + (size_t)offset * size, (size_t)n * size};
        if (!uc_table_put(f->store.by_key, key, part) || !uc_table_put(sizes, key, dtype))
            return uc_arena_status(s.arena, error);
    }
    return UNCORK_OK;
}

static uncork_status read_i64s(uc_t_stream *s, int64_t *out, size_t n)
{
    uc_bytes bytes = {NULL, 0};
    UC_TRY(uc_t_stream_take(s, 8 * n, "a tensor's size", &bytes));
    for (size_t i = 0; i < n; i++) {
        out[i] = (int64_t)uc_load_u64le(bytes.data + 8 * i);
    }
    return UNCORK_OK;
}

/* (key, storage, class), then rank as int32, 4 bytes of nothing, sizes, strides, offset. */
static uncork_status read_tensor(uc_t_file *f, uc_t_stream *s, const uc_table *sizes)
{
    uc_pickle *p;
    uc_bytes head = {NULL, 0};
    int64_t numbers[2 * UNCORK_MAX_RANK + 1];
    UC_TRY(uc_t_stream_pickle(s, &p, NULL));
    UC_TRY(uc_t_stream_take(s, 8, "a tensor's rank", &head));
    const size_t rank = uc_load_u32le(head.data);
    if (rank > UNCORK_MAX_RANK)
        return uc_fail(s->error, UNCORK_UNSUPPORTED, s->at, "a tensor of %zu dimensions", rank);
    UC_TRY(read_i64s(s, numbers, 2 * rank + 1));
    const uc_str key = uc_t_key(s->arena, uc_pickle_item(p, 0));
    const uc_str storage = uc_t_key(s->arena, uc_pickle_item(p, 1));
    const uc_bytes *bytes = storage.size ? uc_table_find(f->store.by_key, storage) : NULL;
    const uncork_dtype dtype =
        storage.size ? (uncork_dtype)(uintptr_t)uc_table_find(sizes, storage) : 0;
    const uc_tensor *t;
    if (!key.size || !bytes || !dtype)
        return uc_fail(s->error, UNCORK_MALFORMED, s->at,
                       "a tensor over a storage that isn't there");
    UC_TRY(uc_t_strided(&f->store, *bytes, dtype, (int)rank, numbers, numbers + rank,
                        numbers[2 * rank], s->arena, &t, s->error));
    return uc_table_put(f->store.tensors, key, (void *)(uintptr_t)t)
               ? UNCORK_OK
               : uc_arena_status(s->arena, s->error);
}

static uncork_status read_tensors(uc_t_file *f, const uc_table *sizes, uncork_error *error)
{
    uc_t_stream s;
    uc_pickle *p;
    int64_t count;
    if (uc_bundle_find(f->import->bundle, "tensors") == SIZE_MAX) return UNCORK_OK;
    UC_TRY(member(f, "tensors", &s, error));
    UC_TRY(uc_t_stream_pickle(&s, &p, NULL));
    if (!uc_pickle_i64(p, &count) || count < 0)
        return uc_fail(error, UNCORK_MALFORMED, s.at, "no number of tensors");
    for (int64_t i = 0; i < count; i++) {
        UC_TRY(read_tensor(f, &s, sizes));
    }
    return UNCORK_OK;
}

static uncork_status open_tar(uc_t_file *f, uncork_error *error)
{
    uc_t_stream s;
    uc_table *sizes = uc_table_new(f->import->arena);
    f->store = (uc_t_store){.by_key = uc_table_new(f->import->arena),
                            .tensors = uc_table_new(f->import->arena)};
    if (!sizes || !f->store.by_key || !f->store.tensors)
        return uc_arena_status(f->import->arena, error);
    if (read_storages(f, sizes, error)) return uc_where(error, "member 'storages'");
    if (read_tensors(f, sizes, error)) return uc_where(error, "member 'tensors'");
    UC_TRY(member(f, "pickle", &s, error));
    if (uc_t_stream_pickle(&s, &f->root, &f->info)) return uc_where(error, "member 'pickle'");
    uc_t_check_globals(f, &f->info);
    return uc_t_find_model(f, error);
}

const uc_t_form uc_t_form_tar = {
    .name = "tar",
    .is = is_tar,
    .open = open_tar,
};
