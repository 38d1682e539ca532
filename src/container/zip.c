/* Zip: the end record, the directory, then every local header is compared with it. */
#include "container/zip.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/reader.h"
#include "container/codec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

enum { LOCAL_SIZE = 30, DIRECTORY_SIZE = 46, END_SIZE = 22, LOCATOR_SIZE = 20, END64_SIZE = 56 };
#define LOCAL_MAGIC     0x04034B50u
#define DIRECTORY_MAGIC 0x02014B50u
#define END_MAGIC       0x06054B50u
#define LOCATOR_MAGIC   0x07064B50u
#define END64_MAGIC     0x06064B50u
/* General purpose flags. */
enum { ENCRYPTED = 1, SIZES_FOLLOW = 8, STRONG = 64, MASKED = 8192 };
enum { STORED = 0, DEFLATE = 8 };
/* Deflate's own limit is 1032:1. */
enum { DEFLATE_RATIO = 1032 };

bool uc_zip_probe(uc_bytes b)
{
    if (b.size < END_SIZE) return false;
    const uint32_t magic = uc_load_u32le(b.data);
    return magic == LOCAL_MAGIC || magic == END_MAGIC;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* What the end record (or its zip64 form) says. */
typedef struct ending {
    uint64_t count, size, offset; /* of the directory */
    uint64_t position;            /* where the end records begin */
} ending;

static uncork_status malformed(const uc_zip *zip, uint64_t at, const char *what,
                               uncork_error *error)
{
    return uc_fail(error, UNCORK_MALFORMED, zip->base + at, "zip: %s", what);
}

/* The end record stands last, behind it only its own comment. */
static bool find_end(uc_bytes b, size_t *at)
{
    const size_t span = b.size - END_SIZE < UINT16_MAX ? b.size - END_SIZE : UINT16_MAX;
    for (size_t comment = 0; comment <= span; comment++) {
        const uint8_t *p = b.data + b.size - END_SIZE - comment;
        if (p[0] == 'P' && uc_load_u32le(p) == END_MAGIC && uc_load_u16le(p + 20) == comment) {
            *at = (size_t)(p - b.data);
            return true;
        }
    }
    return false;
}

static uncork_status read_end64(const uc_zip *zip, ending *end, uncork_error *error)
{
    const size_t at = (size_t)end->position;
    const uint8_t *locator = zip->bytes.data + at - LOCATOR_SIZE;
    const uint64_t offset = uc_load_u64le(locator + 8);
    if (uc_load_u32le(locator + 4) != 0 || uc_load_u32le(locator + 16) > 1) {
        return malformed(zip, at - LOCATOR_SIZE, "an archive of several disks", error);
    }
    if (at < LOCATOR_SIZE + END64_SIZE || offset > at - LOCATOR_SIZE - END64_SIZE ||
        uc_load_u32le(zip->bytes.data + offset) != END64_MAGIC) {
        return malformed(zip, at - LOCATOR_SIZE, "the zip64 end record isn't where it should be",
                         error);
    }
    const uint8_t *p = zip->bytes.data + offset;
    if (uc_load_u32le(p + 16) != 0 || uc_load_u32le(p + 20) != 0 ||
        uc_load_u64le(p + 24) != uc_load_u64le(p + 32)) {
        return malformed(zip, offset, "an archive of several disks", error);
    }
    end->count = uc_load_u64le(p + 32);
    end->size = uc_load_u64le(p + 40);
    end->offset = uc_load_u64le(p + 48);
    end->position = offset;
    return UNCORK_OK;
}

static uncork_status read_end(const uc_zip *zip, ending *end, uncork_error *error)
{
    size_t at;
    if (zip->bytes.size < END_SIZE || !find_end(zip->bytes, &at)) {
        (void)malformed(zip, zip->bytes.size, "there is no end record", error);
        return uc_fix(error, "the file was cut short, or something was appended to it");
    }
    const uint8_t *p = zip->bytes.data + at;
    end->count = uc_load_u16le(p + 10);
    end->size = uc_load_u32le(p + 12);
    end->offset = uc_load_u32le(p + 16);
    end->position = at;
    const bool is64 = at >= LOCATOR_SIZE && uc_load_u32le(p - LOCATOR_SIZE) == LOCATOR_MAGIC;
    if (is64) {
        const ending narrow = *end;
        UC_TRY(read_end64(zip, end, error));
        /* Both records say the same, or the small one that it doesn't say. */
        if ((narrow.count != end->count && narrow.count != UINT16_MAX) ||
            (narrow.size != end->size && narrow.size != UINT32_MAX) ||
            (narrow.offset != end->offset && narrow.offset != UINT32_MAX))
            return malformed(zip, at, "the two end records contradict each other", error);
    } else if (uc_load_u16le(p + 4) != 0 || uc_load_u16le(p + 6) != 0 ||
               uc_load_u16le(p + 8) != end->count) {
        return malformed(zip, at, "an archive of several disks", error);
    }
    if (end->offset > end->position || end->size != end->position - end->offset) {
        return uc_fail(error, UNCORK_MALFORMED, zip->base + at,
                       "zip: the directory of %" PRIu64 " bytes at %" PRIu64
                       " doesn't end where the end record begins, at %" PRIu64,
                       end->size, end->offset, end->position);
    }
    if (end->count > UC_LIMIT_BUNDLE_ENTRIES) {
        return uc_fail(error, UNCORK_LIMIT, zip->base + at,
                       "zip: %" PRIu64 " entries, at most %d are taken", end->count,
                       UC_LIMIT_BUNDLE_ENTRIES);
    }
    if (end->count > end->size / DIRECTORY_SIZE) {
        return uc_fail(error, UNCORK_MALFORMED, zip->base + at,
                       "zip: %" PRIu64 " entries don't fit a directory of %" PRIu64 " bytes",
                       end->count, end->size);
    }
    return UNCORK_OK;
}

/* Values of 0xFFFFFFFF stand in the zip64 extra field, in this order. APPNOTE 4.5.3. */
static bool read_extra64(uc_bytes extra, uint64_t *const values[3])
{
    uc_reader r = uc_reader_over(extra.data, extra.size, 0, NULL);
    while (uc_reader_left(&r) >= 4) {
        const uint16_t id = uc_reader_u16le(&r, "extra field");
        const uint16_t size = uc_reader_u16le(&r, "extra field");
        uc_reader field = uc_reader_sub(&r, size, "extra field");
        for (int i = 0; i < 3 && id == 1; i++) {
            if (values[i] && *values[i] == UINT32_MAX) *values[i] = uc_reader_u64le(&field, "size");
        }
        if (id == 1) return uc_reader_ok(&field);
        if (!uc_reader_ok(&r)) return false;
    }
    for (int i = 0; i < 3; i++) {
        if (values[i] && *values[i] == UINT32_MAX) return false;
    }
    return true;
}

/* One record of the directory while it is checked. */
typedef struct record {
    uc_zip_entry entry;
    uc_bytes name;
    uint64_t local, end; /* bytes of the archive the entry takes */
    uint16_t flags;
} record;

static uncork_status fail_entry(const uc_zip *zip, const record *r, uncork_status status,
                                const char *what, uncork_error *error)
{
    return uc_fail(error, status, zip->base + r->local, "zip entry '%.*s' %s",
                   (int)(r->name.size < 150 ? r->name.size : 150), (const char *)r->name.data,
                   what);
}

static uncork_status check_record(const uc_zip *zip, const record *r, uncork_error *error)
{
    const uc_zip_entry *e = &r->entry;
    const char *flaw;
    uc_str name = {(const char *)r->name.data, r->name.size};
    if (name.size > 1 && name.data[name.size - 1] == '/') name.size--;
    if ((flaw = uc_file_name_flaw(name)) != NULL) {
        return uc_fail(error, UNCORK_MALFORMED, zip->base + r->local,
                       "zip: the name '%.*s' of an entry %s",
                       (int)(name.size < 150 ? name.size : 150), name.data, flaw);
    }
    if (r->flags & (ENCRYPTED | STRONG | MASKED)) {
        return fail_entry(zip, r, UNCORK_UNSUPPORTED, "is encrypted", error);
    }
    if (e->method == STORED && e->packed_size != e->size) {
        return fail_entry(zip, r, UNCORK_MALFORMED, "is stored, but its two sizes differ", error);
    }
    if (e->method != STORED && e->method != DEFLATE) {
        return uc_fail(
            error, UNCORK_UNSUPPORTED, zip->base + r->local,
            "zip entry '%.*s' is compressed by method %u; stored (0) and deflate (8) are read",
            (int)(name.size < 150 ? name.size : 150), name.data, e->method);
    }
    if (e->size / DEFLATE_RATIO > e->packed_size) {
        return fail_entry(zip, r, UNCORK_MALFORMED, "declares more than deflate can hold", error);
    }
    return UNCORK_OK;
}

static uncork_status read_record(const uc_zip *zip, uc_reader *in, record *r, uncork_error *error)
{
    const uint64_t at = uc_reader_offset(in) - zip->base;
    const uint32_t magic = uc_reader_u32le(in, "directory record");
    uc_reader_skip(in, 4, "directory record"); /* versions */
    r->flags = uc_reader_u16le(in, "directory record");
    r->entry.method = uc_reader_u16le(in, "directory record");
    uc_reader_skip(in, 4, "directory record"); /* time and date */
    r->entry.crc = uc_reader_u32le(in, "directory record");
    r->entry.packed_size = uc_reader_u32le(in, "directory record");
    r->entry.size = uc_reader_u32le(in, "directory record");
    const uint16_t name = uc_reader_u16le(in, "directory record");
    const uint16_t extra = uc_reader_u16le(in, "directory record");
    const uint16_t comment = uc_reader_u16le(in, "directory record");
    const uint16_t disk = uc_reader_u16le(in, "directory record");
    uc_reader_skip(in, 6,
                   "directory record"); /* attributes: what kind of file is told by its name */
    r->local = uc_reader_u32le(in, "directory record");
    r->name = uc_reader_take(in, name, "name of a zip entry");
    const uc_bytes fields = uc_reader_take(in, extra, "extra field of a zip entry");
    uc_reader_skip(in, comment, "comment of a zip entry");
    if (!uc_reader_ok(in)) return error ? error->status : UNCORK_MALFORMED;
    if (magic != DIRECTORY_MAGIC) return malformed(zip, at, "no directory record here", error);
    if (disk != 0 && disk != UINT16_MAX) {
        return malformed(zip, at, "an archive of several disks", error);
    }
    uint64_t *const wide[3] = {&r->entry.size, &r->entry.packed_size, &r->local};
    if (!read_extra64(fields, wide)) return malformed(zip, at, "a broken extra field", error);
    return check_record(zip, r, error);
}

/* The local header says the same as the directory; sets where data begin and the entry ends. */
static uncork_status check_local(const uc_zip *zip, uint64_t directory, record *r,
                                 uncork_error *error)
{
    uc_zip_entry *e = &r->entry;
    if (r->local > directory || directory - r->local < LOCAL_SIZE) {
        return fail_entry(zip, r, UNCORK_MALFORMED, "lies outside the archive", error);
    }
    const uint8_t *p = zip->bytes.data + r->local;
    const uint64_t name = uc_load_u16le(p + 26);
    const uint64_t extra = uc_load_u16le(p + 28);
    const uint64_t room = directory - r->local - LOCAL_SIZE;
    if (uc_load_u32le(p) != LOCAL_MAGIC) {
        return fail_entry(zip, r, UNCORK_MALFORMED, "has no local header", error);
    }
    if (name + extra > room || e->packed_size > room - name - extra) {
        return fail_entry(zip, r, UNCORK_MALFORMED, "reaches beyond its archive", error);
    }
    uint64_t packed = uc_load_u32le(p + 18);
    uint64_t size = uc_load_u32le(p + 22);
    uint64_t *const wide[3] = {&size, &packed, NULL};
    const uc_bytes fields = {p + LOCAL_SIZE + name, (size_t)extra};
    /* Sizes and CRC may be zero here when they follow the data. */
    const bool follow = r->flags & SIZES_FOLLOW;
    const bool absent = follow && uc_load_u32le(p + 14) == 0;
    if (!read_extra64(fields, wide) && !absent) {
        return fail_entry(zip, r, UNCORK_MALFORMED, "has a broken extra field", error);
    }
    const bool same_sizes =
        packed == e->packed_size && size == e->size && uc_load_u32le(p + 14) == e->crc;
    if (name != r->name.size || memcmp(p + LOCAL_SIZE, r->name.data, (size_t)name) != 0 ||
        uc_load_u16le(p + 8) != e->method || ((uc_load_u16le(p + 6) ^ r->flags) & ENCRYPTED) ||
        (!same_sizes && !absent)) {
        return fail_entry(zip, r, UNCORK_MALFORMED,
                          "is described differently by its local header and the directory", error);
    }
    e->data_offset = r->local + LOCAL_SIZE + name + extra;
    r->end = e->data_offset + e->packed_size;
    return UNCORK_OK;
}

static int by_offset(const void *a, const void *b)
{
    const record *x = a;
    const record *y = b;
    return x->local < y->local ? -1 : x->local > y->local;
}

static int by_name(const void *a, const void *b)
{
    const record *x = a;
    const record *y = b;
    return strcmp(x->entry.name, y->entry.name);
}

/* No two entries share bytes or a name; together they aren't a bomb. */
static uncork_status check_together(const uc_zip *zip, record *records, size_t count,
                                    uncork_error *error)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (__builtin_add_overflow(total, records[i].entry.size, &total)) total = UINT64_MAX;
    }
    if (total > UC_LIMIT_INFLATE_FLOOR && total / UC_LIMIT_INFLATE_RATIO > zip->bytes.size) {
        return uc_fail(error, UNCORK_LIMIT, zip->base,
                       "zip: %zu bytes unpack to %" PRIu64 ", at most %u times as many are taken",
                       zip->bytes.size, total, UC_LIMIT_INFLATE_RATIO);
    }
    if (count > 0) qsort(records, count, sizeof *records, by_offset);
    for (size_t i = 1; i < count; i++) {
        if (records[i].local < records[i - 1].end) {
            return fail_entry(zip, &records[i], UNCORK_MALFORMED, "overlaps the one before it",
                              error);
        }
    }
    if (count > 0) qsort(records, count, sizeof *records, by_name);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(records[i].entry.name, records[i - 1].entry.name) == 0) {
            return fail_entry(zip, &records[i], UNCORK_MALFORMED, "is there twice", error);
        }
    }
    return UNCORK_OK;
}

uncork_status uc_zip_open(uc_bytes bytes, uint64_t base, uc_arena *arena, uc_budget *budget,
                          uc_zip **zip, uncork_error *error)
{
    *zip = NULL;
    uc_zip *z = UC_NEW(arena, uc_zip, 1);
    if (!z) return uc_arena_status(arena, error);
    *z = (uc_zip){.bytes = bytes, .base = base, .arena = arena, .budget = budget};
    ending end = {0};
    UC_TRY(read_end(z, &end, error));
    record *records = UC_NEW(arena, record, (size_t)end.count);
    z->entries = UC_NEW(arena, uc_zip_entry, (size_t)end.count);
    if (!records || !z->entries) return uc_arena_status(arena, error);
    uc_reader in =
        uc_reader_over(bytes.data + end.offset, (size_t)end.size, base + end.offset, error);
    for (uint64_t i = 0; i < end.count; i++) {
        record *r = &records[i];
        UC_TRY(read_record(z, &in, r, error));
        UC_TRY(check_local(z, end.offset, r, error));
        r->entry.name = uc_arena_copy(arena, r->name.data, r->name.size);
        if (!r->entry.name) return uc_arena_status(arena, error);
    }
    if (uc_reader_left(&in) != 0) {
        return malformed(z, uc_reader_offset(&in) - base, "bytes follow the last directory record",
                         error);
    }
    UC_TRY(check_together(z, records, (size_t)end.count, error));
    for (uint64_t i = 0; i < end.count; i++) {
        const uc_bytes name = records[i].name;
        if (name.data[name.size - 1] != '/') z->entries[z->count++] = records[i].entry;
    }
    *zip = z;
    return UNCORK_OK;
}

uncork_status uc_zip_read(uc_zip *zip, size_t i, uc_bytes *bytes, uncork_error *error)
{
    *bytes = (uc_bytes){NULL, 0};
    const uc_zip_entry *e = &zip->entries[i];
    const uc_bytes packed = {zip->bytes.data + e->data_offset, (size_t)e->packed_size};
    uc_bytes out = packed;
    if (e->method == DEFLATE) {
        uint8_t *room = uc_arena_alloc_raw(zip->arena, (size_t)e->size);
        if (!room) return uc_arena_status(zip->arena, error);
        const uncork_status status =
            uc_codec_unpack_to(UC_CODEC_DEFLATE, packed, zip->base + e->data_offset, zip->budget,
                               room, (size_t)e->size, error);
        if (status != UNCORK_OK) {
            (void)uc_where(error, "zip entry %s", e->name);
            return status;
        }
        out = (uc_bytes){room, (size_t)e->size};
    }
    const uint32_t crc = (uint32_t)crc32_z(0, out.data, out.size);
    if (crc != e->crc) {
        return uc_fail(error, UNCORK_MALFORMED, zip->base + e->data_offset,
                       "zip entry '%s' is damaged: its CRC is %08" PRIx32
                       ", it should be %08" PRIx32,
                       e->name, crc, e->crc);
    }
    *bytes = out;
    return UNCORK_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

void uc_zip_writer_init(uc_zip_writer *w, uc_writer *out)
{
    w->out = out;
    w->count = 0;
    uc_writer_init(&w->directory, SIZE_MAX);
}

static uint32_t narrow(uint64_t v) { return v < UINT32_MAX ? (uint32_t)v : UINT32_MAX; }

/* The fields that the local header and the directory share, from "version needed" on. `wide`: the
 * size stands in the extra field. */
static void put_common(uc_writer *out, bool wide, uint32_t crc, uint64_t size, size_t name,
                       uint16_t extra)
{
    enum { UTF8_NAMES = 0x800, DATE_1980_01_01 = 0x21 };
    uc_writer_u16le(out, extra ? 45 : 20);
    uc_writer_u16le(out, UTF8_NAMES);
    uc_writer_u16le(out, STORED);
    uc_writer_u16le(out, 0);
    uc_writer_u16le(out, DATE_1980_01_01);
    uc_writer_u32le(out, crc);
    uc_writer_u32le(out, wide ? UINT32_MAX : (uint32_t)size);
    uc_writer_u32le(out, wide ? UINT32_MAX : (uint32_t)size);
    uc_writer_u16le(out, (uint16_t)name);
    uc_writer_u16le(out, extra);
}

/* The field that Android's zipalign fills up with: the alignment, then zeros. */
enum { PADDING_ID = 0xD935, PADDING_LEAST = 6 };

static void put_padding(uc_writer *out, size_t bytes, size_t alignment)
{
    static const uint8_t zeros[4096 + PADDING_LEAST];
    if (!bytes) return;
    uc_writer_u16le(out, PADDING_ID);
    uc_writer_u16le(out, (uint16_t)(bytes - 4));
    uc_writer_u16le(out, (uint16_t)alignment);
    uc_writer_put(out, zeros, bytes - PADDING_LEAST);
}

/* Bytes of a padding field so that what follows `at` and it is aligned. */
static size_t padding_for(uint64_t at, size_t alignment)
{
    const size_t over = (size_t)((at + PADDING_LEAST) % alignment);
    return alignment < 2 || at % alignment == 0 ? 0 : PADDING_LEAST + (over ? alignment - over : 0);
}

void uc_zip_put(uc_zip_writer *w, const char *name, uc_bytes bytes)
{
    uc_zip_put_aligned(w, name, bytes, 1);
}

void uc_zip_put_aligned(uc_zip_writer *w, const char *name, uc_bytes bytes, size_t alignment)
{
    const size_t length = strlen(name);
    const uint64_t offset = w->out->size;
    const uint32_t crc = (uint32_t)crc32_z(0, bytes.data, bytes.size);
    const bool wide_size = bytes.size >= UINT32_MAX;
    const bool wide_offset = offset >= UINT32_MAX;
    if (length > UINT16_MAX) {
        if (w->out->status == UNCORK_OK) w->out->status = UNCORK_LIMIT;
        return;
    }
    const size_t wide = wide_size ? 20 : 0;
    const size_t padding = padding_for(offset + LOCAL_SIZE + length + wide, alignment);
    uc_writer_u32le(w->out, LOCAL_MAGIC);
    put_common(w->out, wide_size, crc, bytes.size, length, (uint16_t)(wide + padding));
    uc_writer_put(w->out, name, length);
    uc_writer *d = &w->directory;
    const uint16_t payload = (uint16_t)((wide_size ? 16 : 0) + (wide_offset ? 8 : 0));
    uc_writer_u32le(d, DIRECTORY_MAGIC);
    uc_writer_u16le(d, 3 << 8 | 45); /* made on Unix */
    put_common(d, wide_size, crc, bytes.size, length, payload ? payload + 4 : 0);
    uc_writer_u16le(d, 0);                       /* comment */
    uc_writer_u16le(d, 0);                       /* disk */
    uc_writer_u16le(d, 0);                       /* internal attributes */
    uc_writer_u32le(d, (uint32_t)0100644 << 16); /* a regular file */
    uc_writer_u32le(d, narrow(offset));
    uc_writer_put(d, name, length);
    if (payload) {
        uc_writer_u16le(d, 1);
        uc_writer_u16le(d, payload);
    }
    if (wide_size) {
        uc_writer_u16le(w->out, 1);
        uc_writer_u16le(w->out, 16);
        uc_writer_u64le(w->out, bytes.size);
        uc_writer_u64le(w->out, bytes.size);
        uc_writer_u64le(d, bytes.size);
        uc_writer_u64le(d, bytes.size);
    }
    if (wide_offset) uc_writer_u64le(d, offset);
    put_padding(w->out, padding, alignment);
    uc_writer_put(w->out, bytes.data, bytes.size);
    w->count++;
}

void uc_zip_finish(uc_zip_writer *w)
{
    uc_writer *out = w->out;
    const uint64_t offset = out->size;
    const uint64_t size = w->directory.size;
    if (w->directory.status && !out->status) out->status = w->directory.status;
    uc_writer_put(out, w->directory.data, w->directory.size);
    if (offset >= UINT32_MAX || size >= UINT32_MAX || w->count >= UINT16_MAX) {
        const uint64_t end64 = out->size;
        uc_writer_u32le(out, END64_MAGIC);
        uc_writer_u64le(out, END64_SIZE - 12);
        uc_writer_u16le(out, 45);
        uc_writer_u16le(out, 45);
        uc_writer_u32le(out, 0);
        uc_writer_u32le(out, 0);
        uc_writer_u64le(out, w->count);
        uc_writer_u64le(out, w->count);
        uc_writer_u64le(out, size);
        uc_writer_u64le(out, offset);
        uc_writer_u32le(out, LOCATOR_MAGIC);
        uc_writer_u32le(out, 0);
        uc_writer_u64le(out, end64);
        uc_writer_u32le(out, 1);
    }
    const uint16_t count = w->count < UINT16_MAX ? (uint16_t)w->count : UINT16_MAX;
    uc_writer_u32le(out, END_MAGIC);
    uc_writer_u16le(out, 0);
    uc_writer_u16le(out, 0);
    uc_writer_u16le(out, count);
    uc_writer_u16le(out, count);
    uc_writer_u32le(out, narrow(size));
    uc_writer_u32le(out, narrow(offset));
    uc_writer_u16le(out, 0);
    uc_writer_done(&w->directory);
}
