/* Tar: 512-byte headers, each followed by its data. */
#include "container/tar.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BLOCK = 512 };
/* Names longer than this are nobody's; Linux takes 4,096. */
enum { MAX_NAME = 4096 };

typedef struct parser {
    uc_bytes bytes;
    size_t at;
    uint64_t base;
    uc_arena *arena;
    uncork_error *error;
    uc_tar *tar;
    size_t capacity, members;
    /* From extended headers, for the next entry: */
    uc_str name; /* size 0: none */
    uint64_t size;
    bool has_size;
} parser;

/* ---- header fields ------------------------------------------------------------------------ */

/* Octal digits among spaces and zeros, or GNU's base 256 (first bit set, big-endian). */
static bool read_number(const uint8_t *p, size_t size, uint64_t *value)
{
    uint64_t v = 0;
    if (p[0] & 0x80) {
        v = p[0] & 0x7F;
        for (size_t i = 1; i < size; i++) {
            if (v >> 55) return false;
            v = v << 8 | p[i];
        }
        *value = v;
        return true;
    }
    size_t i = 0;
    while (i < size && p[i] == ' ') {
        i++;
    }
    for (; i < size && p[i] >= '0' && p[i] <= '7'; i++) {
        v = v << 3 | (uint64_t)(p[i] - '0'); /* 12 digits at most */
    }
    *value = v;
    return i == size || p[i] == ' ' || p[i] == '\0';
}

/* The header's sum with its own field as spaces; signed sums are of old, wrong writers. */
static bool checksum_holds(const uint8_t *header)
{
    enum { FIELD = 148, WIDTH = 8 };
    uint64_t want;
    int64_t sum = 0;
    int64_t signed_sum = 0;
    if (!read_number(header + FIELD, WIDTH, &want)) return false;
    for (int i = 0; i < BLOCK; i++) {
        const bool own = i >= FIELD && i < FIELD + WIDTH;
        sum += own ? ' ' : header[i];
        signed_sum += own ? ' ' : (int8_t)header[i];
    }
    return want == (uint64_t)sum || (int64_t)want == signed_sum;
}

static bool is_zero(const uint8_t *block)
{
    for (int i = 0; i < BLOCK; i++) {
        if (block[i]) return false;
    }
    return true;
}

static uc_str field_text(const uint8_t *p, size_t size)
{
    const void *zero = memchr(p, 0, size);
    return (uc_str){(const char *)p, zero ? (size_t)((const uint8_t *)zero - p) : size};
}

bool uc_tar_probe(uc_bytes bytes)
{
    return bytes.size >= BLOCK && bytes.data[0] != 0 && checksum_holds(bytes.data);
}

/* ---- entries ------------------------------------------------------------------------------ */

static uncork_status malformed(const parser *p, uint64_t at, const char *what)
{
    return uc_fail(p->error, UNCORK_MALFORMED, p->base + at, "tar: %s", what);
}

/* "length key=value\n" records of a pax header: path and size matter here. */
static uncork_status read_pax(parser *p, uc_str text, uint64_t at)
{
    while (text.size > 0) {
        const char *space = memchr(text.data, ' ', text.size);
        int64_t length;
        if (!space || !uc_text_i64((uc_str){text.data, (size_t)(space - text.data)}, &length) ||
            length <= space - text.data + 1 || (uint64_t)length > text.size ||
            text.data[length - 1] != '\n') {
            return malformed(p, at, "a pax record with a wrong length");
        }
        const uc_str record = {space + 1, (size_t)(text.data + length - 1 - (space + 1))};
        const char *equals = memchr(record.data, '=', record.size);
        if (!equals) return malformed(p, at, "a pax record without '='");
        const uc_str key = {record.data, (size_t)(equals - record.data)};
        const uc_str value = {equals + 1, record.size - key.size - 1};
        int64_t size;
        if (uc_str_is(key, "path")) {
            p->name = value;
        } else if (uc_str_is(key, "size")) {
            if (!uc_text_i64(value, &size) || size < 0) {
                return malformed(p, at, "a pax size that is no number");
            }
            p->size = (uint64_t)size;
            p->has_size = true;
        } else if (key.size >= 11 && memcmp(key.data, "GNU.sparse.", 11) == 0) {
            return uc_fail(p->error, UNCORK_UNSUPPORTED, p->base + at, "tar: sparse files");
        }
        text = (uc_str){text.data + length, text.size - (size_t)length};
    }
    return UNCORK_OK;
}

/* The name: from an extended header, else prefix/name (ustar only: GNU uses the prefix's bytes for
 * times). */
static uc_str header_name(parser *p, const uint8_t *header)
{
    enum { PREFIX = 345, PREFIX_SIZE = 155, NAME_SIZE = 100, MAGIC = 257 };
    if (p->name.size > 0) return p->name;
    const uc_str name = field_text(header, NAME_SIZE);
    const uc_str prefix = field_text(header + PREFIX, PREFIX_SIZE);
    if (prefix.size == 0 || memcmp(header + MAGIC, "ustar\0", 6) != 0) return name;
    char *joined = uc_arena_alloc_raw(p->arena, prefix.size + name.size + 1);
    if (!joined) return (uc_str){NULL, 0};
    memcpy(joined, prefix.data, prefix.size);
    joined[prefix.size] = '/';
    memcpy(joined + prefix.size + 1, name.data, name.size);
    return (uc_str){joined, prefix.size + 1 + name.size};
}

static uncork_status add_entry(parser *p, uc_str name, uc_bytes data, uint64_t at, bool folder)
{
    while (name.size >= 2 && name.data[0] == '.' && name.data[1] == '/') {
        name = (uc_str){name.data + 2, name.size - 2};
    }
    if (folder && name.size > 0 && name.data[name.size - 1] == '/') name.size--;
    if (folder && (name.size == 0 || uc_str_is(name, "."))) return UNCORK_OK;
    const char *flaw = name.size > MAX_NAME ? "is too long" : uc_file_name_flaw(name);
    if (flaw) {
        return uc_fail(p->error, UNCORK_MALFORMED, p->base + at,
                       "tar: the name '%.*s' of an entry %s",
                       (int)(name.size < 150 ? name.size : 150), name.data, flaw);
    }
    if (folder) return UNCORK_OK;
    uc_tar_entry *entries =
        uc_arena_grow(p->arena, p->tar->entries, &p->capacity, p->tar->count + 1, sizeof *entries);
    char *copy = uc_arena_copy(p->arena, name.data, name.size);
    if (!entries || !copy) return uc_arena_status(p->arena, p->error);
    p->tar->entries = entries;
    entries[p->tar->count++] = (uc_tar_entry){copy, data};
    return UNCORK_OK;
}

/* What the header's type says to do with its data. */
static uncork_status take_member(parser *p, const uint8_t *header, uc_bytes data, uint64_t at)
{
    const char type = (char)header[156];
    const uc_str text = field_text(data.data, data.size);
    switch (type) {
    case 'L': /* GNU: the next entry's long name */ p->name = text; return UNCORK_OK;
    case 'x': return read_pax(p, (uc_str){(const char *)data.data, data.size}, at);
    case 'g': /* defaults for all entries: comments by git and others, never a path */
    case 'K': /* the next link's long target */ return UNCORK_OK;
    case 'S': return uc_fail(p->error, UNCORK_UNSUPPORTED, p->base + at, "tar: sparse files");
    default: break;
    }
    uncork_status status = UNCORK_OK;
    const uc_str name = header_name(p, header);
    UC_TRY(uc_arena_status(p->arena, p->error));
    const bool old_folder = type == '\0' && name.size > 0 && name.data[name.size - 1] == '/';
    if (type == '0' || type == '\0' || type == '7' || type == '5') {
        status = add_entry(p, name, data, at, type == '5' || old_folder);
    }
    p->name = (uc_str){NULL, 0};
    p->has_size = false;
    return status;
}

static uncork_status read_member(parser *p)
{
    const uint64_t at = p->at;
    const uint8_t *header = p->bytes.data + p->at;
    if (!checksum_holds(header)) return malformed(p, at, "a header whose checksum is wrong");
    uint64_t size;
    if (!read_number(header + 124, 12, &size)) return malformed(p, at, "a size that is no number");
    const char type = (char)header[156];
    const bool extended = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (p->has_size && !extended) size = p->size;
    if (type >= '1' && type <= '6') size = 0; /* links, devices and folders have no data */
    p->at += BLOCK;
    const size_t left = p->bytes.size - p->at;
    const size_t padded = size > left ? SIZE_MAX : ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
    if (padded > left) {
        (void)uc_fail(p->error, UNCORK_MALFORMED, p->base + at,
                      "tar: an entry of %" PRIu64 " bytes, %zu remain", size, left);
        return uc_fix(p->error, "the file was cut short: get it again");
    }
    if (++p->members > UC_LIMIT_BUNDLE_ENTRIES) {
        return uc_fail(p->error, UNCORK_LIMIT, p->base + at, "tar: more than %d entries",
                       UC_LIMIT_BUNDLE_ENTRIES);
    }
    UC_TRY(take_member(p, header, (uc_bytes){p->bytes.data + p->at, (size_t)size}, at));
    p->at += padded;
    return UNCORK_OK;
}

static int by_name(const void *a, const void *b)
{
    const uc_tar_entry *x = a;
    const uc_tar_entry *y = b;
    return strcmp(x->name, y->name);
}

uncork_status uc_tar_open(uc_bytes bytes, uint64_t base, uc_arena *arena, uc_tar **tar,
                          uncork_error *error)
{
    *tar = NULL;
    parser p = {.bytes = bytes, .base = base, .arena = arena, .error = error};
    p.tar = UC_NEW(arena, uc_tar, 1);
    if (!p.tar) return uc_arena_status(arena, error);
    while (bytes.size - p.at >= BLOCK && !is_zero(bytes.data + p.at)) {
        UC_TRY(read_member(&p));
    }
    if (p.at < bytes.size && bytes.size - p.at < BLOCK) {
        (void)malformed(&p, p.at, "it ends in the middle of a header");
        return uc_fix(error, "the file was cut short: get it again");
    }
    if (p.name.size > 0 || p.has_size) {
        return malformed(&p, p.at, "it ends where the entry of an extended header should be");
    }
    if (p.tar->count > 0) qsort(p.tar->entries, p.tar->count, sizeof *p.tar->entries, by_name);
    for (size_t i = 1; i < p.tar->count; i++) {
        if (strcmp(p.tar->entries[i].name, p.tar->entries[i - 1].name) == 0) {
            return uc_fail(error, UNCORK_MALFORMED, base, "tar: '%s' is there twice",
                           p.tar->entries[i].name);
        }
    }
    *tar = p.tar;
    return UNCORK_OK;
}
