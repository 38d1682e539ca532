/* A growing byte buffer with a ceiling. Failures stick (LIMIT or NO_MEMORY), ask once at the end. */
#ifndef UC_BASE_WRITER_H
#define UC_BASE_WRITER_H

#include "base/bytes.h"
#include "base/error.h"

typedef struct uc_writer {
    uint8_t *data;
    size_t size, capacity, ceiling;
    uncork_status status;
} uc_writer;

void uc_writer_init(uc_writer *w, size_t ceiling);
void uc_writer_done(uc_writer *w);
void uc_writer_put(uc_writer *w, const void *data, size_t size);
void uc_writer_text(uc_writer *w, const char *text);
void uc_writer_printf(uc_writer *w, const char *format, ...) UC_PRINTF(2, 3);
void uc_writer_u8(uc_writer *w, uint8_t v);
void uc_writer_u16le(uc_writer *w, uint16_t v);
void uc_writer_u32le(uc_writer *w, uint32_t v);
void uc_writer_u64le(uc_writer *w, uint64_t v);
/* Room for n bytes at the end, NULL when the ceiling is reached; they count as written. */
uint8_t *uc_writer_room(uc_writer *w, size_t n);
/* Terminates with a zero that isn't counted and returns the text; "" after a failure. */
const char *uc_writer_string(uc_writer *w);

#endif
