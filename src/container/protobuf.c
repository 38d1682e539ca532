/* Reads protobuf fields: tags, varints, lengths, each compared with what remains. */
#include "container/protobuf.h"

#include <inttypes.h>

uint64_t uc_pb_varint(uc_reader *r, const char *what)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        const uint8_t byte = uc_reader_u8(r, what);
        if (!uc_reader_ok(r)) return 0;
        /* The tenth byte holds bit 63 alone; what is above is dropped, as protobuf does. */
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
    uc_reader_fail(r, "%s is a varint of more than 10 bytes", what);
    return 0;
}

static bool read_tag(uc_reader *r, uc_pb_field *field)
{
    const uint64_t tag = uc_pb_varint(r, "a field's tag");
    if (!uc_reader_ok(r)) return false;
    field->number = (uint32_t)(tag >> 3);
    field->wire = (uc_pb_wire)(tag & 7);
    if (tag >> 3 == 0 || tag >> 32 != 0 || (tag & 7) > 5) {
        uc_reader_fail(r, "%" PRIu64 " is no tag of a protobuf field", tag);
        return false;
    }
    return true;
}

static void read_value(uc_reader *r, uc_pb_field *field)
{
    field->value = 0;
    field->bytes = (uc_bytes){NULL, 0};
    field->offset = uc_reader_offset(r);
    switch (field->wire) {
    case UC_PB_VARINT: field->value = uc_pb_varint(r, "a number"); break;
    case UC_PB_FIXED64: field->value = uc_reader_u64le(r, "a 64-bit number"); break;
    case UC_PB_FIXED32: field->value = uc_reader_u32le(r, "a 32-bit number"); break;
    case UC_PB_BYTES: {
        const uint64_t size = uc_pb_varint(r, "a field's length");
        field->offset = uc_reader_offset(r);
        field->bytes = uc_reader_take(r, size, "a field");
        break;
    }
    case UC_PB_GROUP:
    case UC_PB_GROUP_END: break;
    }
}

/* Groups are of protobuf 1 and may stand among unknown fields: skipped, counting the open ones. */
static void skip_group(uc_reader *r)
{
    uc_pb_field inside;
    int open = 1;
    while (open > 0 && read_tag(r, &inside)) {
        open += inside.wire == UC_PB_GROUP ? 1 : inside.wire == UC_PB_GROUP_END ? -1 : 0;
        if (open > UC_PB_DEPTH) {
            uc_reader_fail(r, "more than %d protobuf groups inside each other", UC_PB_DEPTH);
            return;
        }
        read_value(r, &inside);
    }
}

bool uc_pb_next(uc_reader *r, uc_pb_field *field)
{
    while (uc_reader_ok(r) && uc_reader_left(r) > 0) {
        if (!read_tag(r, field)) return false;
        if (field->wire == UC_PB_GROUP_END) {
            uc_reader_fail(r, "a protobuf group ends that never began");
            return false;
        }
        if (field->wire == UC_PB_GROUP) {
            skip_group(r);
            continue;
        }
        read_value(r, field);
        return uc_reader_ok(r);
    }
    return false;
}

bool uc_pb_is(uc_reader *r, const uc_pb_field *field, uc_pb_wire wire, const char *what)
{
    if (field->wire == wire) return true;
    uc_reader_fail(r, "%s (field %" PRIu32 ") has wire type %d, not %d", what, field->number,
                   (int)field->wire, (int)wire);
    return false;
}

uc_str uc_pb_str(uc_reader *r, const uc_pb_field *field, const char *what)
{
    if (!uc_pb_is(r, field, UC_PB_BYTES, what)) return (uc_str){NULL, 0};
    return (uc_str){(const char *)field->bytes.data, field->bytes.size};
}

uc_reader uc_pb_message(uc_reader *r, const uc_pb_field *field, int depth, const char *what)
{
    uc_reader inside =
        uc_reader_over(field->bytes.data, field->bytes.size, field->offset, r->error);
    if (!uc_pb_is(r, field, UC_PB_BYTES, what)) inside.failed = true;
    if (!inside.failed && depth > UC_PB_DEPTH) {
        uc_reader_fail(&inside, "%s is nested more than %d messages deep", what, UC_PB_DEPTH);
    }
    r->failed = r->failed || inside.failed;
    return inside;
}

size_t uc_pb_count(uc_reader *r, const uc_pb_field *field, uc_pb_wire wire, const char *what)
{
    if (field->wire == wire) return 1;
    if (!uc_pb_is(r, field, UC_PB_BYTES, what)) return 0;
    if (wire == UC_PB_VARINT) {
        size_t count = 0;
        for (size_t i = 0; i < field->bytes.size; i++) {
            count += !(field->bytes.data[i] & 0x80);
        }
        return count;
    }
    const size_t size = wire == UC_PB_FIXED64 ? 8 : 4;
    if (field->bytes.size % size) {
        uc_reader_fail(r, "%s: %zu bytes are no whole number of %zu-byte elements", what,
                       field->bytes.size, size);
        return 0;
    }
    return field->bytes.size / size;
}

bool uc_pb_i64s(uc_reader *r, const uc_pb_field *field, uc_arena *arena, int64_t **items,
                size_t *count, size_t *capacity, const char *what)
{
    const size_t more = uc_pb_count(r, field, UC_PB_VARINT, what);
    if (!uc_reader_ok(r)) return false;
    int64_t *grown = uc_arena_grow(arena, *items, capacity, *count + more, sizeof *grown);
    if (!grown) {
        r->failed = true;
        uc_arena_status(arena, r->error);
        return false;
    }
    *items = grown;
    if (field->wire == UC_PB_VARINT) {
        grown[(*count)++] = (int64_t)field->value;
        return true;
    }
    uc_reader in = uc_reader_over(field->bytes.data, field->bytes.size, field->offset, r->error);
    for (size_t i = 0; i < more; i++) {
        grown[(*count)++] = (int64_t)uc_pb_varint(&in, what);
    }
    if (uc_reader_ok(&in) && uc_reader_left(&in) > 0)
        uc_pb_varint(&in, what); /* cut short: fails */
    r->failed = r->failed || in.failed;
    return uc_reader_ok(r);
}

bool uc_pb_f32s(uc_reader *r, const uc_pb_field *field, uc_arena *arena, double **items,
                size_t *count, size_t *capacity, const char *what)
{
    const size_t more = uc_pb_count(r, field, UC_PB_FIXED32, what);
    if (!uc_reader_ok(r)) return false;
    double *grown = uc_arena_grow(arena, *items, capacity, *count + more, sizeof *grown);
    if (!grown) {
        r->failed = true;
        uc_arena_status(arena, r->error);
        return false;
    }
    *items = grown;
    if (field->wire == UC_PB_FIXED32) {
        grown[(*count)++] = (double)uc_pb_float(field->value);
        return true;
    }
    for (size_t i = 0; i < more; i++) {
        grown[(*count)++] = (double)uc_pb_float(uc_load_u32le(field->bytes.data + 4 * i));
    }
    return true;
}
