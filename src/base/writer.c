/* The growing buffer. Doubles up to its ceiling. */
#include "base/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void uc_writer_init(uc_writer *w, size_t ceiling) { *w = (uc_writer){.ceiling = ceiling}; }

void uc_writer_done(uc_writer *w)
{
    free(w->data);
    *w = (uc_writer){0};
}

/* Room for n more bytes and a terminating zero. */
static bool reserve(uc_writer *w, size_t n)
{
    if (w->status != UNCORK_OK) return false;
    if (n > w->ceiling || w->size > w->ceiling - n) {
        w->status = UNCORK_LIMIT;
        return false;
    }
    size_t need;
    if (!uc_add_size(w->size + n, 1, &need)) {
        w->status = UNCORK_LIMIT;
        return false;
    }
    if (need <= w->capacity) return true;
    size_t room = w->capacity ? w->capacity : 256;
    while (room < need) {
        room = room > SIZE_MAX / 2 ? need : room * 2;
    }
    uint8_t *data = realloc(w->data, room);
    if (!data) {
        w->status = UNCORK_NO_MEMORY;
        return false;
    }
    w->data = data;
    w->capacity = room;
    return true;
}

uint8_t *uc_writer_room(uc_writer *w, size_t n)
{
    if (!reserve(w, n)) return NULL;
    uint8_t *p = w->data + w->size;
    w->size += n;
    return p;
}

void uc_writer_put(uc_writer *w, const void *data, size_t size)
{
    if (size == 0) return;
    uint8_t *p = uc_writer_room(w, size);
    if (p) memcpy(p, data, size);
}

void uc_writer_text(uc_writer *w, const char *text) { uc_writer_put(w, text, strlen(text)); }

void uc_writer_printf(uc_writer *w, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0 && reserve(w, (size_t)n)) {
        vsnprintf((char *)w->data + w->size, (size_t)n + 1, format, again);
        w->size += (size_t)n;
    }
    va_end(again);
}

void uc_writer_u8(uc_writer *w, uint8_t v) { uc_writer_put(w, &v, 1); }

void uc_writer_u16le(uc_writer *w, uint16_t v)
{
    const uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    uc_writer_put(w, b, sizeof b);
}

void uc_writer_u32le(uc_writer *w, uint32_t v)
{
    uc_writer_u16le(w, (uint16_t)v);
    uc_writer_u16le(w, (uint16_t)(v >> 16));
}

void uc_writer_u64le(uc_writer *w, uint64_t v)
{
    uc_writer_u32le(w, (uint32_t)v);
    uc_writer_u32le(w, (uint32_t)(v >> 32));
}

const char *uc_writer_string(uc_writer *w)
{
    if (!reserve(w, 0)) return "";
    w->data[w->size] = 0;
    return (const char *)w->data;
}
