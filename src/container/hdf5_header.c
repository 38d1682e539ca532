/* HDF5 object headers: the messages of a group or dataset, versions 1 and 2, with continuations. */
#include "container/hdf5_internal.h"

#include <inttypes.h>

/* Messages of one object: HDF5 itself stops at 65535 in version 1. */
enum { MAX_MESSAGES = 65535 };

typedef struct blocks {
    uc_h5 *h5;
    uc_h5_object *object;
    uncork_error *error;
    int version;
    uint8_t flags;
    uint64_t *address, *size; /* continuations still to be read */
    size_t count, capacity, size_capacity;
    uint64_t bytes; /* of all blocks: more than the file has means a cycle */
} blocks;

static uncork_status add_block(blocks *b, uc_reader *r)
{
    const uint64_t address = uc_h5_offset(b->h5, r, "continuation");
    const uint64_t size = uc_h5_length(b->h5, r, "continuation");
    if (!uc_reader_ok(r)) return b->error->status;
    if (size == 0 || size > b->h5->bytes.size || (b->bytes += size) > b->h5->bytes.size) {
        return uc_reader_fail(r, "continuations of an object header have no end");
    }
    b->address = uc_arena_grow(b->h5->arena, b->address, &b->capacity, b->count + 1, 8);
    b->size = uc_arena_grow(b->h5->arena, b->size, &b->size_capacity, b->count + 1, 8);
    if (!b->address || !b->size) return uc_arena_status(b->h5->arena, b->error);
    b->address[b->count] = address;
    b->size[b->count++] = size;
    return UNCORK_OK;
}

static uncork_status add_message(blocks *b, const uc_h5_message *m)
{
    uc_h5_object *o = b->object;
    if (m->type == H5_NIL) return UNCORK_OK;
    if (m->type == H5_CONTINUATION) {
        uc_reader r = uc_h5_message_reader(m, b->error);
        return add_block(b, &r);
    }
    if (o->message_count >= MAX_MESSAGES) {
        return uc_fail(b->error, UNCORK_LIMIT, m->offset, "more than %d messages in one header",
                       MAX_MESSAGES);
    }
    UC_TRY(uc_h5_step(b->h5, 1, b->error));
    o->messages = uc_arena_grow(b->h5->arena, o->messages, &o->message_capacity,
                                o->message_count + 1, sizeof *o->messages);
    if (!o->messages) return uc_arena_status(b->h5->arena, b->error);
    o->messages[o->message_count++] = *m;
    return UNCORK_OK;
}

/* The messages that fill a block; what is too short for one more is a gap. */
static uncork_status read_messages(blocks *b, uc_reader r)
{
    const size_t head = b->version == 1 ? 8 : b->flags & 4 ? 6 : 4;
    while (uc_reader_ok(&r) && uc_reader_left(&r) >= head) {
        uc_h5_message m = {0};
        const unsigned type =
            b->version == 1 ? uc_reader_u16le(&r, "message") : uc_reader_u8(&r, "message");
        const uint16_t size = uc_reader_u16le(&r, "message");
        m.type = type > UINT8_MAX ? UINT8_MAX : (uint8_t)type;
        m.flags = uc_reader_u8(&r, "message");
        uc_reader_skip(&r, head - (b->version == 1 ? 5 : 4), "message");
        m.offset = uc_reader_offset(&r);
        m.data = uc_reader_take(&r, size, "object header message");
        if (!uc_reader_ok(&r)) break;
        UC_TRY(add_message(b, &m));
    }
    return uc_reader_ok(&r) ? UNCORK_OK : b->error->status;
}

static uncork_status read_continuations(blocks *b)
{
    for (size_t i = 0; i < b->count; i++) {
        uc_reader r = uc_h5_block(b->h5, b->address[i], b->size[i], "continuation", b->error);
        if (b->version == 2) {
            if (!uc_h5_signature(&r, "OCHK", "continuation")) return b->error->status;
            if (uc_reader_left(&r) < 4) return uc_reader_fail(&r, "continuation without checksum");
            r.end -= 4;
        }
        if (!uc_reader_ok(&r)) return b->error->status;
        UC_TRY(read_messages(b, r));
    }
    return UNCORK_OK;
}

uncork_status uc_h5_read_header(uc_h5 *h5, uc_h5_object *object, uncork_error *error)
{
    uncork_error mine = {0};
    blocks b = {.h5 = h5, .object = object, .error = error ? error : &mine};
    uc_reader r = uc_h5_at_address(h5, object->address, "object header", b.error);
    const uint8_t first = uc_reader_u8(&r, "object header");
    uint64_t size = 0;
    if (first == 'O') {
        r.at--;
        if (!uc_h5_signature(&r, "OHDR", "object header")) return b.error->status;
        b.version = uc_reader_u8(&r, "object header");
        b.flags = uc_reader_u8(&r, "object header");
        uc_reader_skip(&r, (b.flags & 0x20 ? 16 : 0) + (b.flags & 0x10 ? 4 : 0), "object header");
        size = uc_h5_number(&r, 1u << (b.flags & 3), "object header");
    } else {
        b.version = first;
        uc_reader_skip(&r, 7, "object header");
        size = uc_reader_u32le(&r, "object header");
        uc_reader_skip(&r, 4, "object header");
    }
    if (uc_reader_ok(&r) && b.version != (first == 'O' ? 2 : 1)) {
        return uc_reader_fail(&r, "object header of version %d", b.version);
    }
    uc_reader block = uc_reader_sub(&r, size, "object header");
    if (!uc_reader_ok(&r)) return b.error->status;
    b.bytes = size;
    UC_TRY(read_messages(&b, block));
    return read_continuations(&b);
}

const uc_h5_message *uc_h5_message_of(const uc_h5_object *object, int type)
{
    for (size_t i = 0; i < object->message_count; i++) {
        if (object->messages[i].type == type) return &object->messages[i];
    }
    return NULL;
}

uc_reader uc_h5_message_reader(const uc_h5_message *m, uncork_error *error)
{
    return uc_reader_over(m->data.data, m->data.size, m->offset, error);
}
