/* Tensor bundles. */
#include "import/tensorflow/tf_checkpoint.h"

#include "base/crc32c.h"
#include "import/tensorflow/tf_file.h"
#include "op/shape.h"

#include <inttypes.h>

enum { MOST_SHARDS = 100000 };

/* BundleEntryProto {1 dtype, 2 shape, 3 shard_id, 4 offset, 5 size, 6 crc32c, 7 slices}. */
typedef struct record {
    int64_t type;
    uncork_dtype dtype;
    int rank;
    int64_t *shape;
    uint64_t shard, offset, size;
    uint32_t crc;
    bool has_crc;
    size_t slice_count;
    uc_bytes message;
    uint64_t at;
} record;

/* ---- open ------------------------------------------------------------------------------------ */

/* A file in the folder of `member`: an entry of the folder or archive, or beside a lone file. */
static uncork_status read_file(uc_bundle *bundle, const char *member, const char *name,
                               uc_arena *arena, uc_bytes *bytes, uncork_error *error)
{
    const char *slash = member ? strrchr(member, '/') : NULL;
    const int length = slash ? (int)(slash - member) + 1 : 0;
    const char *path = uc_arena_printf(arena, "%.*s%s", length, member ? member : "", name);
    if (!path) return uc_arena_status(arena, error);
    const size_t i = uc_bundle_find(bundle, path);
    if (i != SIZE_MAX) return uc_bundle_read(bundle, i, bytes, error);
    return uc_bundle_named(bundle, member, name, bytes, error);
}

/* BundleHeaderProto {1 num_shards, 2 endianness, 3 version}. */
static uncork_status read_header(uc_tf_checkpoint *c, uncork_error *error)
{
    const uc_sstable_entry *e = uc_sstable_find(&c->table, (uc_str){"", 0});
    uc_pb_field f;
    if (!e) {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "the checkpoint's index has no header");
    }
    uc_reader r = uc_reader_over(e->value.data, e->value.size, e->offset, error);
    while (uc_pb_next(&r, &f)) {
        if (f.number == 1) c->shard_count = (size_t)f.value;
        if (f.number == 2) c->big_endian = f.value == 1;
    }
    if (!uc_reader_ok(&r))
        return uc_fail(error, UNCORK_MALFORMED, e->offset, "the checkpoint's header is broken");
    if (c->shard_count > MOST_SHARDS) {
        return uc_fail(error, UNCORK_LIMIT, e->offset, "the checkpoint claims %zu data files",
                       c->shard_count);
    }
    return UNCORK_OK;
}

static uncork_status open_shards(uc_tf_checkpoint *c, uc_bundle *bundle, const char *member,
                                 const char *prefix, uc_arena *arena, uncork_error *error)
{
    c->shards = UC_NEW(arena, uc_tf_shard, c->shard_count);
    if (!c->shards) return uc_arena_status(arena, error);
    for (size_t i = 0; i < c->shard_count; i++) {
        uncork_error absent;
        uc_error_init(&absent);
        c->shards[i].name =
            uc_arena_printf(arena, "%s.data-%05zu-of-%05zu", prefix, i, c->shard_count);
        if (!c->shards[i].name) return uc_arena_status(arena, error);
        const uncork_status status =
            read_file(bundle, member, c->shards[i].name, arena, &c->shards[i].bytes, &absent);
        if (status == UNCORK_OK || status == UNCORK_IO) continue;
        uc_fail(error, status, absent.offset, "%s", absent.what);
        return uc_where(error, "%s", c->shards[i].name);
    }
    return UNCORK_OK;
}

/* Whether every entry lies within its data file: a copy that was cut short shows at once. */
static uncork_status check_places(const uc_tf_checkpoint *c, uncork_error *error)
{
    for (size_t i = 0; i < c->table.count; i++) {
        const uc_sstable_entry *e = &c->table.entries[i];
        uint64_t shard = 0, offset = 0, size = 0;
        uc_pb_field f;
        if (!e->key.size) continue; /* the header */
        uc_reader r = uc_reader_over(e->value.data, e->value.size, e->offset, error);
        while (uc_pb_next(&r, &f)) {
            if (f.number == 3) shard = f.value;
            if (f.number == 4) offset = f.value;
            if (f.number == 5) size = f.value;
        }
        if (!uc_reader_ok(&r))
            return uc_fail(error, UNCORK_MALFORMED, e->offset, "a checkpoint's entry is broken");
        const uc_bytes *data = shard < c->shard_count ? &c->shards[shard].bytes : NULL;
        if (!data || !data->data || (size <= data->size && offset <= data->size - size)) continue;
        uc_fail(error, UNCORK_MALFORMED, offset,
                "a variable needs %" PRIu64 " bytes at %" PRIu64 ", %s has %zu", size, offset,
                c->shards[shard].name, data->size);
        return uc_fix(error, "the data file is cut short: copy it again");
    }
    return UNCORK_OK;
}

uncork_status uc_tf_checkpoint_open(uc_bundle *bundle, const char *member, const char *prefix,
                                    uc_arena *arena, uc_tf_checkpoint *c, uncork_error *error)
{
    uncork_error absent;
    uc_bytes bytes = {NULL, 0};
    *c = (uc_tf_checkpoint){.shard_count = 0};
    const char *index = uc_arena_printf(arena, "%s.index", prefix);
    if (!index) return uc_arena_status(arena, error);
    uc_error_init(&absent);
    uncork_status status = read_file(bundle, member, index, arena, &bytes, &absent);
    if (status == UNCORK_IO) {
        uncork_error ignored;
        uc_error_init(&ignored);
        if (read_file(bundle, member, prefix, arena, &bytes, &ignored) == UNCORK_OK &&
            uc_sstable_probe(bytes)) {
            c->is_v1 = true;
            index = prefix;
            status = UNCORK_OK;
        }
    }
    if (status) return uc_fail(error, status, absent.offset, "%s", absent.what);
    if (uc_sstable_read(bytes, arena, &c->table, error)) return uc_where(error, "%s", index);
    if (c->is_v1) return uc_tf_v1_open(c, arena, error) ? uc_where(error, "%s", index) : UNCORK_OK;
    if (read_header(c, error)) return uc_where(error, "%s", index);
    UC_TRY(open_shards(c, bundle, member, prefix, arena, error));
    return check_places(c, error);
}

bool uc_tf_checkpoint_has(const uc_tf_checkpoint *c, uc_str name)
{
    if (c->is_v1) return uc_table_find(c->v1, name) != NULL;
    return name.size && uc_sstable_find(&c->table, name) != NULL;
}

/* ---- entries --------------------------------------------------------------------------------- */

static uncork_status read_record(const uc_sstable_entry *e, uc_arena *arena, record *rec,
                                 uncork_error *error)
{
    uc_pb_field f;
    uc_reader r = uc_reader_over(e->value.data, e->value.size, e->offset, error);
    *rec = (record){.message = e->value, .at = e->offset};
    rec->shape = UC_NEW(arena, int64_t, 1);
    while (rec->shape && uc_pb_next(&r, &f)) {
        switch (f.number) {
        case 1: rec->type = (int64_t)f.value; break;
        case 2:
            if (!uc_pb_is(&r, &f, UC_PB_BYTES, "a shape") ||
                !uc_tf_shape_read(f.bytes, f.offset, arena, &rec->rank, &rec->shape, error)) {
                r.failed = true;
            }
            break;
        case 3: rec->shard = f.value; break;
        case 4: rec->offset = f.value; break;
        case 5: rec->size = f.value; break;
        case 6:
            rec->crc = (uint32_t)f.value;
            rec->has_crc = f.wire == UC_PB_FIXED32;
            break;
        case 7: rec->slice_count++; break;
        default: break;
        }
        if (r.failed) break;
    }
    UC_TRY(uc_arena_status(arena, error));
    if (!uc_reader_ok(&r))
        return uc_fail(error, UNCORK_MALFORMED, e->offset, "a checkpoint's entry is broken");
    rec->dtype = uc_tf_dtype(rec->type);
    if (!rec->dtype) {
        return uc_fail(error, UNCORK_UNSUPPORTED, e->offset, "its type (DataType %" PRId64 ")",
                       rec->type);
    }
    size_t count;
    if (rec->rank < 0 || !uc_shape_is_sane(rec->dtype, rec->rank, rec->shape) ||
        !uc_shape_count(rec->shape, rec->rank, &count)) {
        return uc_fail(error, UNCORK_MALFORMED, e->offset, "its shape is broken");
    }
    return UNCORK_OK;
}

static uncork_status find_bytes(const uc_tf_checkpoint *c, const record *rec, uc_bytes *bytes,
                                uncork_error *error)
{
    if (rec->shard >= c->shard_count) {
        return uc_fail(error, UNCORK_MALFORMED, rec->at, "it is in data file %" PRIu64 " of %zu",
                       rec->shard, c->shard_count);
    }
    const uc_tf_shard *s = &c->shards[rec->shard];
    if (!s->bytes.data && rec->size) {
        uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the data file %s isn't there", s->name);
        return uc_fix(error, "copy the whole folder");
    }
    if (rec->size > s->bytes.size || rec->offset > s->bytes.size - rec->size) {
        return uc_fail(error, UNCORK_MALFORMED, rec->offset,
                       "it needs %" PRIu64 " bytes at %" PRIu64 ", %s has %zu", rec->size,
                       rec->offset, s->name, s->bytes.size);
    }
    *bytes = (uc_bytes){s->bytes.data ? s->bytes.data + rec->offset : NULL, (size_t)rec->size};
    return UNCORK_OK;
}

static uncork_status wrong_checksum(const record *rec, uncork_error *error)
{
    uc_fail(error, UNCORK_MALFORMED, rec->offset, "its bytes don't have their checksum");
    return uc_fix(error, "the download or copy is broken: fetch it again");
}

/* Sizes as varints, their checksum, then the bytes; the entry's checksum covers the sizes as 32-bit words
 * (64-bit where one needs it), theirs, and the bytes. */
static uncork_status strings_of(const record *rec, uc_bytes bytes, uc_arena *arena,
                                const uc_tensor **tensor, uncork_error *error)
{
    size_t count;
    uint32_t crc = 0;
    uc_reader r = uc_reader_over(bytes.data, bytes.size, rec->offset, error);
    if (!uc_shape_count(rec->shape, rec->rank, &count) || count > bytes.size)
        return uc_fail(error, UNCORK_MALFORMED, rec->offset, "its strings are cut short");
    uint64_t *sizes = UC_NEW(arena, uint64_t, count);
    uc_str *items = UC_NEW(arena, uc_str, count);
    if (!sizes || !items) return uc_arena_status(arena, error);
    for (size_t i = 0; i < count; i++) {
        sizes[i] = uc_pb_varint(&r, "a string's size");
        const uint8_t word[8] = {(uint8_t)sizes[i],         (uint8_t)(sizes[i] >> 8),
                                 (uint8_t)(sizes[i] >> 16), (uint8_t)(sizes[i] >> 24),
                                 (uint8_t)(sizes[i] >> 32), (uint8_t)(sizes[i] >> 40),
                                 (uint8_t)(sizes[i] >> 48), (uint8_t)(sizes[i] >> 56)};
        crc = uc_crc32c(crc, word, sizes[i] > UINT32_MAX ? 8 : 4);
    }
    const uc_bytes stored = uc_reader_take(&r, 4, "a checksum");
    if (!uc_reader_ok(&r)) return error ? error->status : UNCORK_MALFORMED;
    if (uc_load_u32le(stored.data) != uc_crc32c_masked(crc)) return wrong_checksum(rec, error);
    crc = uc_crc32c(crc, stored.data, 4);
    for (size_t i = 0; i < count; i++) {
        const uc_bytes b = uc_reader_take(&r, sizes[i], "a string");
        items[i] = (uc_str){(const char *)b.data, b.size};
        crc = uc_crc32c(crc, b.data, b.size);
    }
    if (!uc_reader_ok(&r)) return error ? error->status : UNCORK_MALFORMED;
    if (rec->has_crc && rec->crc != uc_crc32c_masked(crc)) return wrong_checksum(rec, error);
    uc_tensor *t = uc_tensor_strings(arena, items, rec->rank, rec->shape);
    if (!t) return uc_arena_status(arena, error);
    t->strings.is_bytes = true;
    *tensor = t;
    return UNCORK_OK;
}

static void copy_swapped(uint8_t *to, const uint8_t *from, size_t bytes, size_t each)
{
    for (size_t i = 0; i + each <= bytes; i += each) {
        for (size_t k = 0; k < each; k++) {
            to[i + k] = from[i + each - 1 - k];
        }
    }
}

/* Bytes as elements: a view where nothing has to change. */
static uncork_status elements_of(const uc_tf_checkpoint *c, const record *rec, uc_bytes bytes,
                                 uc_arena *arena, const uc_tensor **tensor, uncork_error *error)
{
    const bool is_complex = rec->dtype == UNCORK_COMPLEX64 || rec->dtype == UNCORK_COMPLEX128;
    const int bits = uc_dtype_bits(rec->dtype);
    size_t count, need;
    if (!uc_shape_count(rec->shape, rec->rank, &count) ||
        !uc_mul_size(count, bits < 8 ? 1 : (size_t)bits / 8, &need) || need != bytes.size) {
        return uc_fail(error, UNCORK_MALFORMED, rec->offset,
                       "its %zu bytes don't fit its shape of %s", bytes.size,
                       uc_dtype_name(rec->dtype));
    }
    if (rec->has_crc && rec->crc != uc_crc32c_masked(uc_crc32c(0, bytes.data, bytes.size)))
        return wrong_checksum(rec, error);
    const size_t each = bits < 8 ? 1 : (size_t)bits / (is_complex ? 16 : 8);
    uc_tensor *t = UC_NEW(arena, uc_tensor, 1);
    if (!t) return uc_arena_status(arena, error);
    uc_tensor_set(t, rec->dtype, rec->rank, rec->shape);
    *tensor = t;
    if (bits >= 8 && rec->dtype != UNCORK_BOOL && (!c->big_endian || each == 1) &&
        (uintptr_t)bytes.data % each == 0 && bytes.size) {
        t->data = (void *)(uintptr_t)bytes.data; /* a constant: nobody writes to it */
        return UNCORK_OK;
    }
    uint8_t *to = uc_arena_alloc(arena, bytes.size + 1, 1);
    if (!to) return uc_arena_status(arena, error);
    t->data = to;
    if (bits < 8) { /* TensorFlow keeps a byte for each */
        for (size_t i = 0; i < count; i++) {
            uc_bits_store(to, (int64_t)i, bits, bytes.data[i] & ((1u << bits) - 1));
        }
    } else if (c->big_endian) {
        copy_swapped(to, bytes.data, bytes.size, each);
    } else if (bytes.size) {
        memcpy(to, bytes.data, bytes.size);
    }
    for (size_t i = 0; rec->dtype == UNCORK_BOOL && i < bytes.size; i++) {
        to[i] = to[i] != 0;
    }
    return UNCORK_OK;
}

static uncork_status tensor_of(const uc_tf_checkpoint *c, const record *rec, uc_arena *arena,
                               const uc_tensor **tensor, uncork_error *error)
{
    uc_bytes bytes = {NULL, 0};
    UC_TRY(find_bytes(c, rec, &bytes, error));
    if (rec->dtype == UNCORK_STRING) return strings_of(rec, bytes, arena, tensor, error);
    return elements_of(c, rec, bytes, arena, tensor, error);
}

/* A tensor whose pieces stand under keys of their own. */
static uncork_status assemble(const uc_tf_checkpoint *c, const record *rec, uc_str name,
                              uc_arena *arena, const uc_tensor **tensor, uncork_error *error)
{
    uc_pb_field f;
    uc_tf_slice slice;
    uc_str key;
    size_t have = 0, count;
    if (!uc_dtype_size(rec->dtype)) {
        return uc_fail(error, UNCORK_UNSUPPORTED, rec->at, "it is %s in pieces",
                       uc_dtype_name(rec->dtype));
    }
    if (!uc_shape_count(rec->shape, rec->rank, &count))
        return uc_fail(error, UNCORK_MALFORMED, rec->at, "its shape is broken");
    uc_tensor *whole = uc_tensor_new(arena, rec->dtype, rec->rank, rec->shape);
    if (!whole) return uc_arena_status(arena, error);
    uc_reader r = uc_reader_over(rec->message.data, rec->message.size, rec->at, error);
    while (uc_pb_next(&r, &f)) {
        record one;
        const uc_tensor *piece;
        if (f.number != 7) continue;
        if (!uc_pb_is(&r, &f, UC_PB_BYTES, "a slice") ||
            !uc_tf_slice_read(f.bytes, f.offset, &slice, error) ||
            !uc_tf_slice_key(name, &slice, arena, &key)) {
            return uc_fail(error, UNCORK_MALFORMED, f.offset, "a slice is broken");
        }
        const uc_sstable_entry *e = uc_sstable_find(&c->table, key);
        if (!e) return uc_fail(error, UNCORK_MALFORMED, f.offset, "one of its pieces isn't there");
        UC_TRY(read_record(e, arena, &one, error));
        UC_TRY(tensor_of(c, &one, arena, &piece, error));
        if (piece->dtype != whole->dtype || !uc_tf_slice_put(whole, piece, &slice))
            return uc_fail(error, UNCORK_MALFORMED, f.offset, "one of its pieces doesn't fit");
        have += (size_t)uc_tensor_count(piece);
    }
    if (have < count)
        return uc_fail(error, UNCORK_MALFORMED, rec->at, "its pieces hold %zu of %zu elements",
                       have, count);
    *tensor = whole;
    return UNCORK_OK;
}

/* A slice's own piece, when it was saved as such. */
static const uc_sstable_entry *own_piece(const uc_tf_checkpoint *c, uc_str name,
                                         const uc_tf_slice *slice, uc_arena *arena)
{
    uc_str key;
    return uc_tf_slice_key(name, slice, arena, &key) ? uc_sstable_find(&c->table, key) : NULL;
}

static uncork_status read_whole(const uc_tf_checkpoint *c, uc_str name, uc_arena *arena,
                                const uc_tensor **tensor, uncork_error *error)
{
    record rec;
    if (c->is_v1) return uc_tf_v1_tensor(c, name, arena, tensor, error);
    const uc_sstable_entry *e = uc_sstable_find(&c->table, name);
    if (!e) return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "the checkpoint doesn't hold it");
    UC_TRY(read_record(e, arena, &rec, error));
    if (rec.slice_count) return assemble(c, &rec, name, arena, tensor, error);
    return tensor_of(c, &rec, arena, tensor, error);
}

static uncork_status read_part(const uc_tf_checkpoint *c, uc_str name, uc_str text, uc_arena *arena,
                               const uc_tensor **tensor, uncork_error *error)
{
    uc_tf_slice slice;
    int64_t shape[UNCORK_MAX_RANK];
    record rec;
    if (!uc_tf_slice_parse(text, &slice, shape))
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "its slice '%.*s' is none",
                       text.size < 80 ? (int)text.size : 80, text.data);
    const uc_sstable_entry *e = c->is_v1 ? NULL : own_piece(c, name, &slice, arena);
    if (e) {
        UC_TRY(read_record(e, arena, &rec, error));
        return tensor_of(c, &rec, arena, tensor, error);
    }
    UC_TRY(read_whole(c, name, arena, tensor, error));
    uc_tensor *part = UC_NEW(arena, uc_tensor, 1);
    if (!part) return uc_arena_status(arena, error);
    if (!uc_tf_slice_cut(*tensor, &slice, part))
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "its slice '%.*s' lies outside of it",
                       text.size < 80 ? (int)text.size : 80, text.data);
    *tensor = uc_tensor_dense(arena, part);
    return *tensor ? UNCORK_OK : uc_arena_status(arena, error);
}

uncork_status uc_tf_checkpoint_tensor(const uc_tf_checkpoint *c, uc_str name, uc_str slice,
                                      uc_arena *arena, const uc_tensor **tensor,
                                      uncork_error *error)
{
    const uncork_status status = slice.size ? read_part(c, name, slice, arena, tensor, error)
                                            : read_whole(c, name, arena, tensor, error);
    if (status)
        uc_where(error, "variable '%.*s'", name.size < 150 ? (int)name.size : 150, name.data);
    return status;
}
