/* The protobuf wire format over a bounded cursor: one field at a time, nothing allocated. Who reads a
 * message knows its fields; unknown ones are skipped by not looking at them.
 *
 * Source: Protocol Buffers documentation, "Encoding". */
#ifndef UC_CONTAINER_PROTOBUF_H
#define UC_CONTAINER_PROTOBUF_H

#include "base/arena.h"
#include "base/reader.h"

/* Messages inside messages: protobuf's own default. */
#define UC_PB_DEPTH 100

typedef enum uc_pb_wire {
    UC_PB_VARINT = 0,
    UC_PB_FIXED64 = 1,
    UC_PB_BYTES = 2, /* bytes, text, a message, packed numbers */
    UC_PB_GROUP = 3, /* skipped whole: never handed out */
    UC_PB_GROUP_END = 4,
    UC_PB_FIXED32 = 5,
} uc_pb_wire;

typedef struct uc_pb_field {
    uint32_t number;
    uc_pb_wire wire;
    uint64_t value;  /* of a varint, fixed64, fixed32 */
    uc_bytes bytes;  /* of UC_PB_BYTES */
    uint64_t offset; /* of the value in the file */
} uc_pb_field;

/* The next field; false at the end and after a failure (ask uc_reader_ok). */
bool uc_pb_next(uc_reader *r, uc_pb_field *field);
/* One varint of at most ten bytes; 0 after a failure. */
uint64_t uc_pb_varint(uc_reader *r, const char *what);

/* Fails the reader, and false, when the field is of another wire type. `what` names the field. */
bool uc_pb_is(uc_reader *r, const uc_pb_field *field, uc_pb_wire wire, const char *what);
/* Text of a bytes field; empty (and the reader failed) when it is of another wire type. */
uc_str uc_pb_str(uc_reader *r, const uc_pb_field *field, const char *what);
/* A cursor over a message field; an empty failed one when it is of another wire type or nested deeper
 * than UC_PB_DEPTH. `depth` is that of the message inside. */
uc_reader uc_pb_message(uc_reader *r, const uc_pb_field *field, int depth, const char *what);

/* Numbers of a repeated field, packed or one by one: how many this field holds, 0 (and the reader
 * failed) when it can't hold numbers of `wire`. */
size_t uc_pb_count(uc_reader *r, const uc_pb_field *field, uc_pb_wire wire, const char *what);
/* Adds them to an array that grows in the arena; false after a failure. */
bool uc_pb_i64s(uc_reader *r, const uc_pb_field *field, uc_arena *arena, int64_t **items,
                size_t *count, size_t *capacity, const char *what);
/* float fields, kept as double. */
bool uc_pb_f32s(uc_reader *r, const uc_pb_field *field, uc_arena *arena, double **items,
                size_t *count, size_t *capacity, const char *what);

/* The bits of a fixed32 as a float. */
static inline float uc_pb_float(uint64_t bits)
{
    const uint32_t u = (uint32_t)bits;
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

#endif
