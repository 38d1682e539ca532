/* Literals and copies of what is out already. */
#include "container/snappy.h"

#include "base/reader.h"

/* A copy of three bytes makes at most 64. */
#define MOST_RATIO 22

static uint64_t size_of(uc_reader *r)
{
    uint64_t size = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        const uint8_t byte = uc_reader_u8(r, "the size of a snappy block");
        size |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return size;
    }
    uc_reader_fail(r, "the size of a snappy block is no varint");
    return 0;
}

static uint64_t number_of(uc_reader *r, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++) {
        v |= (uint64_t)uc_reader_u8(r, "a snappy element") << (8 * i);
    }
    return v;
}

static bool literal(uc_reader *r, unsigned tag, uint8_t *out, size_t *at, size_t size)
{
    uint64_t n = tag >> 2;
    if (n >= 60) n = number_of(r, (unsigned)n - 59);
    const uc_bytes b = uc_reader_take(r, n + 1, "a snappy literal");
    if (!uc_reader_ok(r)) return false;
    if (b.size > size - *at) {
        uc_reader_fail(r, "a snappy block is longer than the %zu bytes it claims", size);
        return false;
    }
    memcpy(out + *at, b.data, b.size);
    *at += b.size;
    return true;
}

static bool copy(uc_reader *r, unsigned tag, uint8_t *out, size_t *at, size_t size)
{
    size_t length, back;
    if ((tag & 3) == 1) {
        length = 4 + ((tag >> 2) & 7);
        back = (size_t)(tag >> 5) << 8 | (size_t)number_of(r, 1);
    } else {
        length = 1 + (tag >> 2);
        back = (size_t)number_of(r, (tag & 3) == 2 ? 2 : 4);
    }
    if (!uc_reader_ok(r)) return false;
    if (back == 0 || back > *at || length > size - *at) {
        uc_reader_fail(r, "a snappy copy of %zu bytes from %zu before byte %zu of %zu", length,
                       back, *at, size);
        return false;
    }
    for (size_t i = 0; i < length; i++, (*at)++) { /* may overlap itself */
        out[*at] = out[*at - back];
    }
    return true;
}

uncork_status uc_snappy_unpack(uc_bytes packed, uint64_t base, uc_arena *arena, uc_bytes *unpacked,
                               uncork_error *error)
{
    uc_reader r = uc_reader_over(packed.data, packed.size, base, error);
    const uint64_t size = size_of(&r);
    size_t at = 0;
    *unpacked = (uc_bytes){NULL, 0};
    if (uc_reader_ok(&r) && size > (uint64_t)packed.size * MOST_RATIO)
        uc_reader_fail(&r, "a snappy block of %zu bytes claims to hold more than it can",
                       packed.size);
    if (!uc_reader_ok(&r))
        return uc_fail(error, UNCORK_MALFORMED, base, "a snappy block is broken");
    uint8_t *out = uc_arena_alloc_raw(arena, (size_t)size);
    if (!out) return uc_arena_status(arena, error);
    while (uc_reader_left(&r) > 0) {
        const unsigned tag = uc_reader_u8(&r, "a snappy element");
        if (!((tag & 3) == 0 ? literal : copy)(&r, tag, out, &at, (size_t)size)) break;
    }
    if (uc_reader_ok(&r) && at != size)
        uc_reader_fail(&r, "a snappy block ends after %zu of %zu bytes", at, (size_t)size);
    if (!uc_reader_ok(&r))
        return uc_fail(error, UNCORK_MALFORMED, base, "a snappy block is broken");
    *unpacked = (uc_bytes){out, (size_t)size};
    return UNCORK_OK;
}
