/* The bounded cursor over untrusted bytes. Failures stick: read a record, ask uc_reader_ok() once;
 * after a failure every read gives zeros. */
#ifndef UC_BASE_READER_H
#define UC_BASE_READER_H

#include "base/bytes.h"
#include "base/error.h"

typedef struct uc_reader {
    const uint8_t *at, *end, *begin;
    uint64_t base; /* offset of `begin` in the file, for messages */
    bool failed;
    uncork_error *error;
} uc_reader;

uc_reader uc_reader_over(const void *data, size_t size, uint64_t base, uncork_error *error);

static inline size_t uc_reader_left(const uc_reader *r) { return (size_t)(r->end - r->at); }

/* Offset of the next byte in the file. */
static inline uint64_t uc_reader_offset(const uc_reader *r)
{
    return r->base + (uint64_t)(r->at - r->begin);
}

static inline bool uc_reader_ok(const uc_reader *r) { return !r->failed; }

/* The next n bytes, {NULL, 0} (and failed) when fewer remain; `what` names them in the message. */
uc_bytes uc_reader_take(uc_reader *r, uint64_t n, const char *what);
void uc_reader_skip(uc_reader *r, uint64_t n, const char *what);
uint8_t uc_reader_u8(uc_reader *r, const char *what);
uint16_t uc_reader_u16le(uc_reader *r, const char *what);
uint32_t uc_reader_u32le(uc_reader *r, const char *what);
uint64_t uc_reader_u64le(uc_reader *r, const char *what);
/* A cursor over the next n bytes, which are consumed here: a nested record can't read past them. */
uc_reader uc_reader_sub(uc_reader *r, uint64_t n, const char *what);
/* Fails the reader at the current offset. */
uncork_status uc_reader_fail(uc_reader *r, const char *format, ...) UC_PRINTF(2, 3);

#endif
