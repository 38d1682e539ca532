/* The text form of protobuf, turned into the wire form by a table of fields, so that who reads a message reads
 * both. Fields that the table doesn't have are passed over.
 *
 * Source: Protocol Buffers documentation, "Text Format Language Specification". */
#ifndef UC_CONTAINER_PROTOBUF_TEXT_H
#define UC_CONTAINER_PROTOBUF_TEXT_H

#include "base/arena.h"

typedef enum uc_pbt_kind {
    UC_PBT_INT, /* any varint, bool too */
    UC_PBT_FLOAT,
    UC_PBT_DOUBLE,
    UC_PBT_BYTES,
    UC_PBT_ENUM,
    UC_PBT_MESSAGE,
    UC_PBT_FIXED32,
} uc_pbt_kind;

typedef struct uc_pbt_name {
    const char *name;
    int64_t value;
} uc_pbt_name;

typedef struct uc_pbt_field {
    const char *name; /* NULL: the end */
    uint32_t number;
    uc_pbt_kind kind;
    const struct uc_pbt_field *message; /* the fields of what is inside */
    const uc_pbt_name *names;           /* of an enum; ends with NULL */
} uc_pbt_field;

/* The wire form, in the arena. Messages nest UC_PB_DEPTH deep at most. */
uncork_status uc_pb_text_read(uc_bytes text, const uc_pbt_field *message, uc_arena *arena,
                              uc_bytes *wire, uncork_error *error);
/* The first field's name of a text, after white space and comments; empty: it doesn't begin with one. */
uc_str uc_pb_text_first(uc_bytes text);

#endif
