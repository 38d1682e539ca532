/* The bounded cursor: no byte of a file is read but through these. */
#include "base/reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

uc_reader uc_reader_over(const void *data, size_t size, uint64_t base, uncork_error *error)
{
    static const uint8_t nothing[1];
    const uint8_t *p = data ? data : nothing; /* NULL + 0 is undefined (C11 6.5.6) */
    if (!data) size = 0;
    return (uc_reader){.at = p, .end = p + size, .begin = p, .base = base, .error = error};
}

uc_bytes uc_reader_take(uc_reader *r, uint64_t n, const char *what)
{
    if (r->failed) return (uc_bytes){0};
    if (n > uc_reader_left(r)) {
        r->failed = true;
        uc_fail(r->error, UNCORK_MALFORMED, uc_reader_offset(r),
                "%s needs %" PRIu64 " bytes, %zu remain", what, n, uc_reader_left(r));
        return (uc_bytes){0};
    }
    uc_bytes b = {.data = r->at, .size = (size_t)n};
    r->at += n;
    return b;
}

void uc_reader_skip(uc_reader *r, uint64_t n, const char *what)
{
    (void)uc_reader_take(r, n, what);
}

uint8_t uc_reader_u8(uc_reader *r, const char *what)
{
    uc_bytes b = uc_reader_take(r, 1, what);
    return b.data ? b.data[0] : 0;
}

uint16_t uc_reader_u16le(uc_reader *r, const char *what)
{
    uc_bytes b = uc_reader_take(r, 2, what);
    return b.data ? uc_load_u16le(b.data) : 0;
}

uint32_t uc_reader_u32le(uc_reader *r, const char *what)
{
    uc_bytes b = uc_reader_take(r, 4, what);
    return b.data ? uc_load_u32le(b.data) : 0;
}

uint64_t uc_reader_u64le(uc_reader *r, const char *what)
{
    uc_bytes b = uc_reader_take(r, 8, what);
    return b.data ? uc_load_u64le(b.data) : 0;
}

uc_reader uc_reader_sub(uc_reader *r, uint64_t n, const char *what)
{
    uint64_t base = uc_reader_offset(r);
    uc_bytes b = uc_reader_take(r, n, what);
    uc_reader sub = uc_reader_over(b.data, b.size, base, r->error);
    sub.failed = r->failed;
    return sub;
}

uncork_status uc_reader_fail(uc_reader *r, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->failed = true;
    return uc_fail(r->error, UNCORK_MALFORMED, uc_reader_offset(r), "%s", n < 0 ? "" : text);
}
