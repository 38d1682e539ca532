/* Views of bytes and checked size arithmetic. A view never owns what it points at. */
#ifndef UC_BASE_BYTES_H
#define UC_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes; data may be NULL when size is 0. */
typedef struct uc_bytes {
    const uint8_t *data;
    size_t size;
} uc_bytes;

/* Borrowed text, not terminated by zero. */
typedef struct uc_str {
    const char *data;
    size_t size;
} uc_str;

static inline uc_str uc_str_of(const char *text)
{
    uc_str s = {text, text ? strlen(text) : 0};
    return s;
}

static inline bool uc_str_equal(uc_str a, uc_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool uc_str_is(uc_str a, const char *text)
{
    return uc_str_equal(a, uc_str_of(text));
}

/* *out = a * b, *out = a + b; false (and *out unset) when it doesn't fit. */
static inline bool uc_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool uc_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* Unaligned little-endian and big-endian loads of file bytes. */
static inline uint16_t uc_load_u16le(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

static inline uint32_t uc_load_u32le(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t uc_load_u64le(const uint8_t *p)
{
    return uc_load_u32le(p) | (uint64_t)uc_load_u32le(p + 4) << 32;
}

static inline uint16_t uc_load_u16be(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline uint32_t uc_load_u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline uint64_t uc_load_u64be(const uint8_t *p)
{
    return (uint64_t)uc_load_u32be(p) << 32 | uc_load_u32be(p + 4);
}

#endif
