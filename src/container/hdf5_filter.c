/* HDF5 filters, undone: deflate, shuffle, fletcher32 and h5py's lzf. */
#include "container/codec.h"
#include "container/hdf5_internal.h"

#include <inttypes.h>

enum { DEFLATE = 1, SHUFFLE = 2, FLETCHER32 = 3, LZF = 32000 };

bool uc_h5_read_filters(uc_reader *r, uc_h5_filters *f)
{
    const uint8_t version = uc_reader_u8(r, "filters");
    f->count = uc_reader_u8(r, "filters");
    if (version == 1) uc_reader_skip(r, 6, "filters");
    if (uc_reader_ok(r) && (version < 1 || version > 2 || f->count > UC_H5_FILTERS)) {
        uc_reader_fail(r, "%zu filters of version %u", f->count, version);
    }
    for (size_t i = 0; uc_reader_ok(r) && i < f->count; i++) {
        f->id[i] = uc_reader_u16le(r, "filters");
        const bool named = version == 1 || f->id[i] >= 256;
        const unsigned name = named ? uc_reader_u16le(r, "filters") : 0;
        uc_reader_skip(r, 2, "filters");
        const unsigned values = uc_reader_u16le(r, "filters");
        uc_reader_skip(r, name, "filters");
        f->parameter[i] = values ? uc_reader_u32le(r, "filters") : 0;
        uc_reader_skip(r, values ? 4u * (values - 1) : 0, "filters");
        if (version == 1 && values % 2) uc_reader_skip(r, 4, "filters");
    }
    return uc_reader_ok(r);
}

/* Liblzf's stream: a byte below 32 begins a run of literals, else a copy from what was written. */
static bool unpack_lzf(uc_bytes in, uint8_t *out, size_t size)
{
    size_t at = 0, to = 0;
    while (at < in.size) {
        const unsigned control = in.data[at++];
        if (control < 32) {
            const size_t n = control + 1;
            if (n > in.size - at || n > size - to) return false;
            memcpy(out + to, in.data + at, n);
            at += n;
            to += n;
            continue;
        }
        size_t n = control >> 5, back = (size_t)(control & 31) << 8;
        if (n == 7) {
            if (at >= in.size) return false;
            n += in.data[at++];
        }
        if (at >= in.size) return false;
        back += in.data[at++] + 1u;
        n += 2;
        if (back > to || n > size - to) return false;
        for (; n; n--, to++) {
            out[to] = out[to - back];
        }
    }
    return to == size;
}

/* Byte k of every element lies together. What doesn't make a whole element stays at the end. */
static void unshuffle(uc_bytes in, uint8_t *out, size_t element)
{
    const size_t count = in.size / element;
    for (size_t k = 0; k < element; k++) {
        for (size_t i = 0; i < count; i++) {
            out[i * element + k] = in.data[k * count + i];
        }
    }
    memcpy(out + count * element, in.data + count * element, in.size - count * element);
}

/* H5_checksum_fletcher32: over 16-bit words, the high byte first, an odd byte as a high one. */
static uint32_t fletcher32(uc_bytes in)
{
    uint32_t a = 0, b = 0;
    for (size_t i = 0; i < in.size; i += 2) {
        a += (uint32_t)in.data[i] << 8 | (i + 1 < in.size ? in.data[i + 1] : 0u);
        a = (a & 0xFFFF) + (a >> 16);
        b += a;
        b = (b & 0xFFFF) + (b >> 16);
    }
    a = (a & 0xFFFF) + (a >> 16);
    b = (b & 0xFFFF) + (b >> 16);
    return b << 16 | a;
}

static uncork_status check_sum(uc_h5_call *c, uc_bytes *bytes, uint64_t offset)
{
    if (bytes->size >= 4) {
        bytes->size -= 4;
        const uint32_t sum = uc_load_u32le(bytes->data + bytes->size), is = fletcher32(*bytes);
        /* Files of HDF5 before 1.6.3 have the bytes of each half the other way round. */
        if (sum == is || sum == ((is & 0x00FF00FF) << 8 | (is >> 8 & 0x00FF00FF))) return UNCORK_OK;
    }
    return uc_fail(c->error, UNCORK_MALFORMED, offset, "an HDF5 chunk doesn't have its checksum");
}

static uncork_status undo(uc_h5_call *c, uint16_t id, uint32_t parameter, uc_bytes *bytes,
                          uint64_t offset, size_t size, size_t element)
{
    if (id == FLETCHER32) return check_sum(c, bytes, offset);
    if (id != DEFLATE && id != SHUFFLE && id != LZF) {
        const char *name = id == 4       ? "szip"
                           : id == 5     ? "nbit"
                           : id == 6     ? "scaleoffset"
                           : id == 32001 ? "blosc"
                           : id == 32015 ? "zstd"
                                         : "unknown";
        uc_fail(c->error, UNCORK_UNSUPPORTED, offset, "HDF5 filter %u (%s)", id, name);
        return uc_fix(c->error, "h5repack -f GZIP=4 rewrites it");
    }
    if (id == SHUFFLE) size = bytes->size;
    uint8_t *out = uc_h5_scratch(c, size, 1);
    if (!out) return c->error->status;
    if (id == DEFLATE) {
        UC_TRY(
            uc_codec_unpack_to(UC_CODEC_ZLIB, *bytes, offset, c->h5->budget, out, size, c->error));
    } else if (id == LZF) {
        if (!unpack_lzf(*bytes, out, size)) {
            return uc_fail(c->error, UNCORK_MALFORMED, offset, "a damaged LZF chunk");
        }
    } else {
        unshuffle(*bytes, out, parameter ? parameter : element);
    }
    *bytes = (uc_bytes){out, size};
    return UNCORK_OK;
}

uncork_status uc_h5_unfilter(uc_h5_call *c, const uc_h5_filters *f, uint32_t mask, uc_bytes stored,
                             uint64_t offset, size_t size, size_t element, uc_bytes *chunk)
{
    *chunk = stored;
    if (c->scratch && f->count) uc_arena_reset(c->scratch);
    for (size_t i = f->count; i-- > 0;) {
        size_t before = size; /* what filter i was given: checksums of earlier filters are in it */
        for (size_t k = 0; k < i; k++) {
            if (f->id[k] == FLETCHER32 && !(mask >> k & 1)) before += 4;
        }
        if (mask >> i & 1) continue;
        UC_TRY(undo(c, f->id[i], f->parameter[i], chunk, offset, before, element));
    }
    if (chunk->size < size) {
        return uc_fail(c->error, UNCORK_MALFORMED, offset, "an HDF5 chunk of %zu bytes, not %zu",
                       chunk->size, size);
    }
    return UNCORK_OK;
}
