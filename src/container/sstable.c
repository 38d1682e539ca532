/* Footer, index block, data blocks. */
#include "container/sstable.h"

#include "base/crc32c.h"
#include "base/reader.h"
#include "container/protobuf.h"
#include "container/snappy.h"

enum { FOOTER_BYTES = 48, TRAILER_BYTES = 5, KEY_BYTES = 1 << 16 };
#define MAGIC UINT64_C(0xdb4775248b80fb57)

typedef struct block {
    uc_bytes bytes; /* entries alone, without the restart points */
    uint64_t offset;
    bool unpacked;
} block;

typedef struct handle {
    uint64_t offset, size;
} handle;

bool uc_sstable_probe(uc_bytes bytes)
{
    return bytes.size >= FOOTER_BYTES && uc_load_u64le(bytes.data + bytes.size - 8) == MAGIC;
}

static uncork_status broken(uint64_t offset, const char *what, uncork_error *error)
{
    return uc_fail(error, UNCORK_MALFORMED, offset, "%s", what);
}

static int compare(uc_str a, uc_str b)
{
    const size_t n = a.size < b.size ? a.size : b.size;
    const int order = n ? memcmp(a.data, b.data, n) : 0;
    return order ? order : a.size < b.size ? -1 : a.size > b.size;
}

/* A block against its checksum; uncompressed ones are views. */
static uncork_status read_block(uc_bytes file, handle h, uc_arena *arena, block *b,
                                uncork_error *error)
{
    if (h.size > file.size || h.offset > file.size - h.size ||
        file.size - h.size - h.offset < TRAILER_BYTES) {
        return broken(h.offset, "a block of the table lies outside of the file", error);
    }
    const uint8_t *at = file.data + h.offset;
    const uint32_t stored = uc_load_u32le(at + h.size + 1);
    if (uc_crc32c_masked(uc_crc32c(0, at, (size_t)h.size + 1)) != stored)
        return broken(h.offset, "a block of the table doesn't have its checksum", error);
    *b = (block){{at, (size_t)h.size}, h.offset, false};
    if (at[h.size] == 1) {
        b->unpacked = true;
        UC_TRY(uc_snappy_unpack((uc_bytes){at, (size_t)h.size}, h.offset, arena, &b->bytes, error));
    } else if (at[h.size] != 0) {
        return uc_fail(error, UNCORK_UNSUPPORTED, h.offset,
                       "a block of the table is compressed by method %d", at[h.size]);
    }
    if (b->bytes.size < 4) return broken(h.offset, "a block of the table is cut short", error);
    const uint32_t restarts = uc_load_u32le(b->bytes.data + b->bytes.size - 4);
    if (restarts > (b->bytes.size - 4) / 4)
        return broken(h.offset, "a block's restart points lie outside of it", error);
    b->bytes.size -= 4 + (size_t)restarts * 4;
    return UNCORK_OK;
}

/* Adds the block's entries: a key shares its first bytes with the key before. */
static uncork_status read_entries(const block *b, uc_arena *arena, uc_sstable *table,
                                  uncork_error *error)
{
    uc_reader r = uc_reader_over(b->bytes.data, b->bytes.size, b->offset, error);
    uc_str before = {"", 0};
    while (uc_reader_left(&r) > 0) {
        const uint64_t shared = uc_pb_varint(&r, "a key's shared bytes");
        const uint64_t own = uc_pb_varint(&r, "a key's size");
        const uint64_t size = uc_pb_varint(&r, "a value's size");
        const uc_bytes rest = uc_reader_take(&r, own, "a key");
        const uint64_t offset = b->unpacked ? b->offset : uc_reader_offset(&r);
        const uc_bytes value = uc_reader_take(&r, size, "a value");
        if (!uc_reader_ok(&r)) return broken(b->offset, "an entry of the table is broken", error);
        if (shared > before.size || own > KEY_BYTES || shared + own > KEY_BYTES)
            return broken(offset, "a key of the table is broken", error);
        char *key = uc_arena_alloc(arena, (size_t)(shared + own) + 1, 1);
        uc_sstable_entry *entries = key ? uc_arena_grow(arena, table->entries, &table->capacity,
                                                        table->count + 1, sizeof *entries)
                                        : NULL;
        if (!entries) return uc_arena_status(arena, error);
        memcpy(key, before.data, (size_t)shared);
        if (own) memcpy(key + shared, rest.data, (size_t)own);
        before = (uc_str){key, (size_t)(shared + own)};
        table->entries = entries;
        if (table->count && compare(entries[table->count - 1].key, before) >= 0)
            return broken(offset, "the table's keys don't ascend", error);
        entries[table->count++] = (uc_sstable_entry){before, value, offset};
    }
    return UNCORK_OK;
}

static handle read_handle(uc_reader *r)
{
    handle h;
    h.offset = uc_pb_varint(r, "a block's offset");
    h.size = uc_pb_varint(r, "a block's size");
    return h;
}

uncork_status uc_sstable_read(uc_bytes bytes, uc_arena *arena, uc_sstable *table,
                              uncork_error *error)
{
    uc_sstable index = {NULL, 0, 0};
    block b;
    *table = (uc_sstable){NULL, 0, 0};
    if (!uc_sstable_probe(bytes)) {
        broken(bytes.size, "the table doesn't end as a LevelDB table does", error);
        return uc_fix(error, "the file is cut short: copy it again");
    }
    const size_t footer = bytes.size - FOOTER_BYTES;
    uc_reader r = uc_reader_over(bytes.data + footer, FOOTER_BYTES, footer, error);
    (void)read_handle(&r); /* of the filters, which nobody writes here */
    const handle at = read_handle(&r);
    if (!uc_reader_ok(&r)) return broken(footer, "the table's footer is broken", error);
    UC_TRY(read_block(bytes, at, arena, &b, error));
    UC_TRY(read_entries(&b, arena, &index, error));
    uint64_t end = 0;
    for (size_t i = 0; i < index.count; i++) {
        const uc_sstable_entry *e = &index.entries[i];
        uc_reader in = uc_reader_over(e->value.data, e->value.size, e->offset, error);
        const handle h = read_handle(&in);
        if (!uc_reader_ok(&in)) return broken(e->offset, "the table's index is broken", error);
        /* Blocks follow each other: one can't be read over and over. */
        if (h.offset < end) return broken(e->offset, "blocks of the table overlap", error);
        UC_TRY(read_block(bytes, h, arena, &b, error));
        UC_TRY(read_entries(&b, arena, table, error));
        end = h.offset + h.size;
    }
    return UNCORK_OK;
}

const uc_sstable_entry *uc_sstable_find(const uc_sstable *table, uc_str key)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(key, table->entries[middle].key);
        if (order == 0) return &table->entries[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
