/* The error record: filled once, escaped, never allocated. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

void uc_error_init(uncork_error *error)
{
    if (!error) return;
    error->size = sizeof *error;
    error->status = UNCORK_OK;
    error->offset = UC_NO_OFFSET;
    error->what[0] = error->where[0] = error->fix[0] = 0;
}

/* Copies with control bytes as \xNN; a cut never splits a UTF-8 character. */
static void copy_escaped(char *to, size_t size, const char *from)
{
    static const char hex[] = "0123456789abcdef";
    size_t n = 0;
    for (; *from; from++) {
        unsigned char c = (unsigned char)*from;
        size_t need = c < 0x20 || c == 0x7f ? 4 : 1;
        if (n + need + 1 > size) {
            while (n > 0 && ((unsigned char)to[n - 1] & 0xc0) == 0x80) {
                n--;
            }
            if (n > 0 && (unsigned char)to[n - 1] >= 0xc0) n--;
            break;
        }
        if (need == 4) {
            to[n++] = '\\';
            to[n++] = 'x';
            to[n++] = hex[c >> 4];
            to[n++] = hex[c & 15];
        } else {
            to[n++] = (char)c;
        }
    }
    to[n] = 0;
}

UC_PRINTF(3, 0)
static void format_escaped(char *to, size_t size, const char *format, va_list args)
{
    char text[512];
    int n = vsnprintf(text, sizeof text, format, args);
    if (n < 0) text[0] = 0;
    copy_escaped(to, size, text);
}

uncork_status uc_fail(uncork_error *error, uncork_status status, uint64_t offset,
                      const char *format, ...)
{
    if (!error) return status;
    if (error->status != UNCORK_OK) return error->status;
    error->status = status;
    error->offset = offset;
    error->where[0] = error->fix[0] = 0;
    va_list args;
    va_start(args, format);
    format_escaped(error->what, sizeof error->what, format, args);
    va_end(args);
    return status;
}

uncork_status uc_where(uncork_error *error, const char *format, ...)
{
    if (!error) return UNCORK_MALFORMED;
    if (error->status != UNCORK_OK && !error->where[0]) {
        va_list args;
        va_start(args, format);
        format_escaped(error->where, sizeof error->where, format, args);
        va_end(args);
    }
    return error->status;
}

uncork_status uc_fix(uncork_error *error, const char *format, ...)
{
    if (!error) return UNCORK_MALFORMED;
    if (error->status != UNCORK_OK && !error->fix[0]) {
        va_list args;
        va_start(args, format);
        format_escaped(error->fix, sizeof error->fix, format, args);
        va_end(args);
    }
    return error->status;
}

uncork_status uc_fail_memory(uncork_error *error)
{
    return uc_fail(error, UNCORK_NO_MEMORY, UC_NO_OFFSET, "memory is out");
}
