/* Protocol-buffer fields into a growing buffer. Source: Protocol Buffers documentation, "Encoding". */
#ifndef UC_PACK_PB_WRITE_H
#define UC_PACK_PB_WRITE_H

#include "base/writer.h"

static inline void uc_pb_put_varint(uc_writer *w, uint64_t v)
{
    while (v >= 0x80) {
        uc_writer_u8(w, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    uc_writer_u8(w, (uint8_t)v);
}

static inline void uc_pb_put_tag(uc_writer *w, uint32_t field, unsigned wire)
{
    uc_pb_put_varint(w, (uint64_t)field << 3 | wire);
}

static inline void uc_pb_put_int(uc_writer *w, uint32_t field, int64_t v)
{
    uc_pb_put_tag(w, field, 0);
    uc_pb_put_varint(w, (uint64_t)v);
}

static inline void uc_pb_put_float(uc_writer *w, uint32_t field, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    uc_pb_put_tag(w, field, 5);
    uc_writer_u32le(w, bits);
}

static inline void uc_pb_put_bytes(uc_writer *w, uint32_t field, const void *data, size_t size)
{
    uc_pb_put_tag(w, field, 2);
    uc_pb_put_varint(w, size);
    uc_writer_put(w, data, size);
}

static inline void uc_pb_put_text(uc_writer *w, uint32_t field, const char *text)
{
    uc_pb_put_bytes(w, field, text, strlen(text));
}

/* A message that was written into a buffer of its own, which is released; its failure is `w`'s. */
static inline void uc_pb_put_message(uc_writer *w, uint32_t field, uc_writer *message)
{
    if (message->status != UNCORK_OK && w->status == UNCORK_OK) w->status = message->status;
    uc_pb_put_bytes(w, field, message->data, message->size);
    uc_writer_done(message);
}

#endif
