/* One loop for all codecs: a stream takes input and gives output a step at a time, a sink gives room
 * and keeps the ceiling. The work itself is zlib's, libbz2's, liblzma's and liblz4's. */
#include "container/codec.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/writer.h"

#include <bzlib.h>
#include <inttypes.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdio.h>
#include <zlib.h>

/* Memory a decoder may take for its dictionary: xz -9 needs 65 MiB. */
#define DECODER_MEMORY (128u << 20)
/* What libraries with 32-bit counts are given at once. */
#define STEP_BYTES     ((size_t)1 << 30)

/* ---- telling ------------------------------------------------------------------------------ */

static bool begins(uc_bytes bytes, const char *magic, size_t size)
{
    return bytes.size >= size && memcmp(bytes.data, magic, size) == 0;
}

/* RFC 1950: method 8, a window of 32 KiB, no preset dictionary, the check bits. Smaller windows, which
 * nobody writes, begin with letters: "(S" is how a Python 2 pickle of a tuple of texts begins. */
static bool is_zlib(uc_bytes b)
{
    return b.size >= 2 && b.data[0] == 0x78 && !(b.data[1] & 0x20) &&
           (b.data[0] << 8 | b.data[1]) % 31 == 0;
}

/* Only what Python's lzma and xz write (properties 5D) and a dictionary of 2^n or 3 * 2^n, the test
 * of liblzma's alone_decoder.c; two bytes alone are too little to tell by. */
static bool is_lzma(uc_bytes b)
{
    if (b.size < 13 || b.data[0] != 0x5D) return false;
    const uint32_t dictionary = uc_load_u32le(b.data + 1);
    const uint64_t size = uc_load_u64le(b.data + 5);
    const uint32_t lowest = dictionary & (0u - dictionary);
    return dictionary >= 4096 && (dictionary == lowest || dictionary == 3 * (uint64_t)lowest) &&
           (size == UINT64_MAX || size < (uint64_t)1 << 38);
}

uc_codec uc_codec_of(uc_bytes bytes)
{
    if (begins(bytes, "\x1F\x8B\x08", 3)) return UC_CODEC_GZIP;
    if (begins(bytes,
               "\xFD"
               "7zXZ\0",
               6)) {
        return UC_CODEC_XZ;
    }
    if (begins(bytes, "\x04\x22\x4D\x18", 4)) return UC_CODEC_LZ4;
    if (begins(bytes, "BZh", 3) && bytes.size >= 10 && bytes.data[3] >= '1' &&
        bytes.data[3] <= '9' && (bytes.data[4] == 0x31 || bytes.data[4] == 0x17)) {
        return UC_CODEC_BZ2;
    }
    if (begins(bytes, "ZF0x", 4)) return UC_CODEC_ZF;
    if (is_zlib(bytes)) return UC_CODEC_ZLIB;
    return is_lzma(bytes) ? UC_CODEC_LZMA : UC_CODEC_NONE;
}

const char *uc_codec_name(uc_codec codec)
{
    switch (codec) {
    case UC_CODEC_ZLIB:
    case UC_CODEC_ZF: return "zlib";
    case UC_CODEC_GZIP: return "gzip";
    case UC_CODEC_BZ2: return "bz2";
    case UC_CODEC_XZ: return "xz";
    case UC_CODEC_LZMA: return "lzma";
    case UC_CODEC_LZ4: return "lz4";
    case UC_CODEC_DEFLATE: return "deflate";
    case UC_CODEC_NONE: break;
    }
    return NULL;
}

/* ---- streams ------------------------------------------------------------------------------ */

typedef enum step { STEP_MORE, STEP_END, STEP_BROKEN, STEP_MEMORY, STEP_DICTIONARY } step;

typedef struct stream {
    uc_codec codec;
    union {
        z_stream z;
        bz_stream bz;
        lzma_stream xz;
        LZ4F_dctx *lz4;
    } u;
    const uint8_t *in;
    size_t in_left;
    uint8_t *out;
    size_t out_left;
    const char *why; /* of STEP_BROKEN, where the library says it */
} stream;

/* False: no memory. */
static bool stream_open(stream *s, uc_codec codec, uc_bytes packed)
{
    memset(s, 0, sizeof *s);
    s->codec = codec;
    s->in = packed.data;
    s->in_left = packed.size;
    switch (codec) {
    case UC_CODEC_ZLIB:
    case UC_CODEC_ZF: return inflateInit2(&s->u.z, MAX_WBITS) == Z_OK;
    case UC_CODEC_GZIP: return inflateInit2(&s->u.z, MAX_WBITS + 16) == Z_OK;
    case UC_CODEC_DEFLATE: return inflateInit2(&s->u.z, -MAX_WBITS) == Z_OK;
    case UC_CODEC_BZ2: return BZ2_bzDecompressInit(&s->u.bz, 0, 0) == BZ_OK;
    case UC_CODEC_XZ:
        return lzma_stream_decoder(&s->u.xz, DECODER_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
    case UC_CODEC_LZMA: return lzma_alone_decoder(&s->u.xz, DECODER_MEMORY) == LZMA_OK;
    case UC_CODEC_LZ4:
        return !LZ4F_isError(LZ4F_createDecompressionContext(&s->u.lz4, LZ4F_VERSION));
    case UC_CODEC_NONE: break;
    }
    return false;
}

static void stream_close(stream *s)
{
    switch (s->codec) {
    case UC_CODEC_ZLIB:
    case UC_CODEC_ZF:
    case UC_CODEC_GZIP:
    case UC_CODEC_DEFLATE: (void)inflateEnd(&s->u.z); break;
    case UC_CODEC_BZ2: (void)BZ2_bzDecompressEnd(&s->u.bz); break;
    case UC_CODEC_XZ:
    case UC_CODEC_LZMA: lzma_end(&s->u.xz); break;
    case UC_CODEC_LZ4: (void)LZ4F_freeDecompressionContext(s->u.lz4); break;
    case UC_CODEC_NONE: break;
    }
}

static size_t at_once(size_t n) { return n < STEP_BYTES ? n : STEP_BYTES; }

static void stream_moved(stream *s, size_t taken, size_t given)
{
    s->in += taken;
    s->in_left -= taken;
    s->out += given;
    s->out_left -= given;
}

static step step_zlib(stream *s)
{
    z_stream *z = &s->u.z;
    const size_t in = at_once(s->in_left);
    const size_t out = at_once(s->out_left);
    /* zlib's field isn't const unless ZLIB_CONST; it never writes there. */
    union {
        const uint8_t *from;
        Bytef *to;
    } input = {.from = s->in};
    z->next_in = input.to;
    z->avail_in = (uInt)in;
    z->next_out = s->out;
    z->avail_out = (uInt)out;
    const int code = inflate(z, Z_NO_FLUSH);
    stream_moved(s, in - z->avail_in, out - z->avail_out);
    s->why = z->msg;
    if (code == Z_STREAM_END) return STEP_END;
    if (code == Z_OK || code == Z_BUF_ERROR) return STEP_MORE;
    return code == Z_MEM_ERROR ? STEP_MEMORY : STEP_BROKEN;
}

static step step_bz2(stream *s)
{
    bz_stream *bz = &s->u.bz;
    const size_t in = at_once(s->in_left);
    const size_t out = at_once(s->out_left);
    union {
        const uint8_t *from;
        char *to;
    } input = {.from = s->in};
    bz->next_in = input.to;
    bz->avail_in = (unsigned)in;
    bz->next_out = (char *)s->out;
    bz->avail_out = (unsigned)out;
    const int code = BZ2_bzDecompress(bz);
    stream_moved(s, in - bz->avail_in, out - bz->avail_out);
    if (code == BZ_STREAM_END) return STEP_END;
    if (code == BZ_OK) return STEP_MORE;
    return code == BZ_MEM_ERROR ? STEP_MEMORY : STEP_BROKEN;
}

static step step_lzma(stream *s)
{
    lzma_stream *xz = &s->u.xz;
    const size_t in = s->in_left;
    const size_t out = s->out_left;
    xz->next_in = s->in;
    xz->avail_in = in;
    xz->next_out = s->out;
    xz->avail_out = out;
    const lzma_ret code = lzma_code(xz, LZMA_FINISH); /* all of the input is here */
    stream_moved(s, in - xz->avail_in, out - xz->avail_out);
    if (code == LZMA_STREAM_END) return STEP_END;
    if (code == LZMA_OK || code == LZMA_BUF_ERROR) return STEP_MORE;
    if (code == LZMA_MEMLIMIT_ERROR) return STEP_DICTIONARY;
    return code == LZMA_MEM_ERROR ? STEP_MEMORY : STEP_BROKEN;
}

static step step_lz4(stream *s)
{
    size_t in = s->in_left;
    size_t out = s->out_left;
    const size_t code = LZ4F_decompress(s->u.lz4, s->out, &out, s->in, &in, NULL);
    if (LZ4F_isError(code)) {
        s->why = LZ4F_getErrorName(code);
        return STEP_BROKEN;
    }
    stream_moved(s, in, out);
    return code == 0 ? STEP_END : STEP_MORE;
}

static step stream_step(stream *s)
{
    switch (s->codec) {
    case UC_CODEC_BZ2: return step_bz2(s);
    case UC_CODEC_XZ:
    case UC_CODEC_LZMA: return step_lzma(s);
    case UC_CODEC_LZ4: return step_lz4(s);
    case UC_CODEC_ZLIB:
    case UC_CODEC_ZF:
    case UC_CODEC_GZIP:
    case UC_CODEC_DEFLATE: return step_zlib(s);
    case UC_CODEC_NONE: break;
    }
    return STEP_BROKEN;
}

/* Whether another member (gzip), stream (bz2) or frame (lz4) follows; then it is begun. */
static bool stream_next(stream *s, step *result)
{
    const uc_bytes rest = {s->in, s->in_left};
    if (uc_codec_of(rest) != s->codec) return false;
    bool ok = true;
    if (s->codec == UC_CODEC_GZIP) {
        ok = inflateReset(&s->u.z) == Z_OK;
    } else if (s->codec == UC_CODEC_BZ2) {
        (void)BZ2_bzDecompressEnd(&s->u.bz);
        memset(&s->u.bz, 0, sizeof s->u.bz);
        ok = BZ2_bzDecompressInit(&s->u.bz, 0, 0) == BZ_OK;
    } else if (s->codec != UC_CODEC_LZ4) {
        return false;
    }
    *result = ok ? STEP_MORE : STEP_MEMORY;
    return true;
}

/* ---- sinks -------------------------------------------------------------------------------- */

/* Where output goes: a writer that grows, or fixed bytes. */
typedef struct sink {
    uc_writer *writer; /* NULL: fixed */
    uint8_t *fixed;
    size_t size, ceiling;
    uc_budget *budget;
    uint64_t charged;
    uint8_t beyond[1]; /* a byte that lands here is one too many */
} sink;

static uncork_status sink_room(sink *k, stream *s, uncork_error *error)
{
    enum { LEAST = 1 << 16, MOST = 1 << 24 };
    const size_t left = k->ceiling - k->size;
    if (left == 0 || !k->writer) {
        s->out = left ? k->fixed + k->size : k->beyond;
        s->out_left = left ? left : sizeof k->beyond;
        return UNCORK_OK;
    }
    size_t room = k->size < LEAST ? LEAST : k->size > MOST ? MOST : k->size;
    if (room > left) room = left;
    UC_TRY(uc_budget_bytes(k->budget, room, "unpacking", error));
    k->charged += room;
    s->out = uc_writer_room(k->writer, room);
    if (!s->out) return uc_fail_memory(error);
    k->writer->size -= room;
    s->out_left = room;
    return UNCORK_OK;
}

static uncork_status fail_bomb(uc_codec codec, uint64_t size, size_t packed, uint64_t base,
                               size_t ceiling, uncork_error *error)
{
    char least[64];
    const bool known = size > ceiling;
    (void)snprintf(least, sizeof least, known ? "%" PRIu64 : "more than %" PRIu64,
                   known ? size : (uint64_t)ceiling);
    return uc_fail(error, UNCORK_LIMIT, base,
                   "%zu bytes of %s data unpack to %s bytes, at most %zu are taken", packed,
                   uc_codec_name(codec), least, ceiling);
}

static uncork_status fail_step(const stream *s, step result, uint64_t at, uncork_error *error)
{
    if (result == STEP_MEMORY) return uc_fail_memory(error);
    if (result == STEP_DICTIONARY) {
        return uc_fail(error, UNCORK_LIMIT, at,
                       "the %s data ask for a dictionary of more than %u MiB",
                       uc_codec_name(s->codec), DECODER_MEMORY >> 20);
    }
    return uc_fail(error, UNCORK_MALFORMED, at, "the %s data are damaged%s%s",
                   uc_codec_name(s->codec), s->why ? ": " : "", s->why ? s->why : "");
}

/* Runs the stream dry. */
static uncork_status pump(stream *s, sink *k, size_t packed, uint64_t base, uncork_error *error)
{
    for (;;) {
        UC_TRY(uc_budget_check(k->budget, error));
        UC_TRY(sink_room(k, s, error));
        const bool full = k->size == k->ceiling;
        const size_t room = s->out_left;
        size_t used = packed - s->in_left;
        const size_t before = s->in_left;
        step result = stream_step(s);
        const size_t made = room - s->out_left;
        if (full && made) {
            if (k->writer) return fail_bomb(s->codec, 0, packed, base, k->ceiling, error);
            return uc_fail(error, UNCORK_MALFORMED, base + used,
                           "the %s data unpack to more than the %zu bytes declared",
                           uc_codec_name(s->codec), k->ceiling);
        }
        k->size += made;
        if (k->writer) k->writer->size += made;
        if (k->writer && made < room) {
            uc_budget_return(k->budget, room - made);
            k->charged -= room - made;
        }
        used = packed - s->in_left;
        if (result == STEP_END && !stream_next(s, &result)) return UNCORK_OK;
        if (result != STEP_MORE) return fail_step(s, result, base + used, error);
        if (made == 0 && s->in_left == before) {
            (void)uc_fail(error, UNCORK_MALFORMED, base + packed,
                          "the %s data end after %zu bytes, in the middle of a stream",
                          uc_codec_name(s->codec), packed);
            return uc_fix(error, "the file was cut short: get it again");
        }
    }
}

/* ---- the calls ---------------------------------------------------------------------------- */

/* joblib 0.9's header: "ZF", the length as hexadecimal text padded to 19 characters (one space more
 * from some writers). Source: joblib/numpy_pickle_compat.py, read_zfile. */
static bool read_zf(uc_bytes *packed, uint64_t *size)
{
    enum { HEADER = 2 + 19 };
    if (packed->size < HEADER + 1) return false;
    const uc_str text = uc_text_trim((uc_str){(const char *)packed->data + 2, HEADER - 2});
    uint64_t value = 0;
    size_t i = 2;
    for (; i < text.size && text.data[i] != 'L'; i++) {
        const char c = text.data[i];
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0 || value >> 60) return false;
        value = value << 4 | (uint64_t)digit;
    }
    if (i == 2 || i + 1 < text.size) return false;
    const size_t skip = HEADER + (packed->data[HEADER] == ' ');
    *size = value;
    *packed = (uc_bytes){packed->data + skip, packed->size - skip};
    return true;
}

/* What the last xz stream's index says. Source: The .xz File Format 1.1.0, sections 2.1.2 and 4. */
static bool xz_declared(uc_bytes b, uint64_t *size)
{
    lzma_stream_flags footer;
    while (b.size >= 4 && uc_load_u32le(b.data + b.size - 4) == 0) {
        b.size -= 4;
    }
    if (b.size < 2 * LZMA_STREAM_HEADER_SIZE ||
        lzma_stream_footer_decode(&footer, b.data + b.size - LZMA_STREAM_HEADER_SIZE) != LZMA_OK) {
        return false;
    }
    const size_t end = b.size - LZMA_STREAM_HEADER_SIZE;
    if (footer.backward_size > end) return false;
    lzma_index *index;
    uint64_t memory = 16u << 20;
    size_t at = end - (size_t)footer.backward_size;
    if (lzma_index_buffer_decode(&index, &memory, NULL, b.data, &at, end) != LZMA_OK) return false;
    *size = lzma_index_uncompressed_size(index);
    lzma_index_end(index, NULL);
    return true;
}

/* The size a header or index declares: a bomb that admits it is refused before any work. */
static bool declared_size(uc_codec codec, uc_bytes b, uint64_t *size)
{
    if (codec == UC_CODEC_XZ) return xz_declared(b, size);
    if (codec == UC_CODEC_LZMA && b.size >= 13) {
        *size = uc_load_u64le(b.data + 5);
        return *size != UINT64_MAX;
    }
    if (codec == UC_CODEC_LZ4 && b.size >= 14 && (b.data[4] & 0x08)) {
        *size = uc_load_u64le(b.data + 6);
        return true;
    }
    return false;
}

typedef struct output {
    uc_writer writer;
    uc_budget *budget;
    uint64_t charged;
} output;

static void output_release(void *object)
{
    output *o = object;
    uc_writer_done(&o->writer);
    uc_budget_return(o->budget, o->charged);
}

static size_t ceiling_of(size_t packed)
{
    size_t ceiling;
    if (!uc_mul_size(packed, UC_LIMIT_INFLATE_RATIO, &ceiling)) ceiling = SIZE_MAX / 2;
    return ceiling > UC_LIMIT_INFLATE_FLOOR ? ceiling : UC_LIMIT_INFLATE_FLOOR;
}

/* Bytes behind the end: none, or zeros after gzip (gzip.py reads over such padding). */
static uncork_status check_rest(const stream *s, uint64_t at, uncork_error *error)
{
    size_t i = 0;
    while (s->codec == UC_CODEC_GZIP && i < s->in_left && s->in[i] == 0) {
        i++;
    }
    if (i == s->in_left) return UNCORK_OK;
    return uc_fail(error, UNCORK_MALFORMED, at, "%zu bytes follow the end of the %s data",
                   s->in_left, uc_codec_name(s->codec));
}

uncork_status uc_codec_unpack(uc_codec codec, uc_bytes packed, uint64_t base, uc_arena *arena,
                              uc_budget *budget, uc_bytes *unpacked, size_t *used,
                              uncork_error *error)
{
    *unpacked = (uc_bytes){NULL, 0};
    if (codec == UC_CODEC_NONE) return uc_fail(error, UNCORK_USAGE, base, "no codec to unpack by");
    const size_t whole = packed.size;
    uint64_t size = UINT64_MAX;
    if (codec == UC_CODEC_ZF && !read_zf(&packed, &size)) {
        return uc_fail(error, UNCORK_MALFORMED, base, "joblib's ZF header holds no length");
    }
    const size_t ceiling = ceiling_of(packed.size);
    if ((codec == UC_CODEC_ZF || declared_size(codec, packed, &size)) && size > ceiling) {
        return fail_bomb(codec, size, packed.size, base, ceiling, error);
    }
    base += whole - packed.size;
    output *o = UC_NEW(arena, output, 1);
    if (!o) return uc_arena_status(arena, error);
    o->budget = budget;
    uc_writer_init(&o->writer, SIZE_MAX);
    if (!uc_arena_defer(arena, output_release, o)) return uc_arena_status(arena, error);

    stream s;
    if (!stream_open(&s, codec, packed)) return uc_fail_memory(error);
    sink k = {.writer = &o->writer, .ceiling = ceiling, .budget = budget};
    uncork_status status = pump(&s, &k, packed.size, base, error);
    o->charged = k.charged;
    if (status == UNCORK_OK && used) *used = whole - s.in_left;
    if (status == UNCORK_OK && !used) {
        status = check_rest(&s, base + (packed.size - s.in_left), error);
    }
    stream_close(&s);
    UC_TRY(status);
    if (codec == UC_CODEC_ZF && k.size != size) {
        return uc_fail(error, UNCORK_MALFORMED, base,
                       "the zlib data unpack to %zu bytes, the header declares %" PRIu64, k.size,
                       size);
    }
    static const uint8_t nothing[1];
    *unpacked = (uc_bytes){k.size ? o->writer.data : nothing, k.size};
    return UNCORK_OK;
}

uncork_status uc_codec_unpack_to(uc_codec codec, uc_bytes packed, uint64_t base, uc_budget *budget,
                                 uint8_t *out, size_t size, uncork_error *error)
{
    stream s;
    if (!stream_open(&s, codec, packed)) return uc_fail_memory(error);
    sink k = {.ceiling = size, .budget = budget};
    k.fixed = out;
    uncork_status status = pump(&s, &k, packed.size, base, error);
    if (status == UNCORK_OK) {
        status = check_rest(&s, base + (packed.size - s.in_left), error);
    }
    stream_close(&s);
    UC_TRY(status);
    if (k.size == size) return UNCORK_OK;
    return uc_fail(error, UNCORK_MALFORMED, base,
                   "the %s data unpack to %zu bytes, %zu are declared", uc_codec_name(codec),
                   k.size, size);
}

size_t uc_codec_peek(uc_codec codec, uc_bytes packed, uint8_t *out, size_t size)
{
    uint64_t declared;
    stream s;
    if (codec == UC_CODEC_NONE || (codec == UC_CODEC_ZF && !read_zf(&packed, &declared)) ||
        !stream_open(&s, codec, packed)) {
        return 0;
    }
    s.out = out;
    s.out_left = size;
    for (step result = STEP_MORE; result == STEP_MORE && s.out_left > 0;) {
        const size_t before = s.in_left + s.out_left;
        result = stream_step(&s);
        if (s.in_left + s.out_left == before) break;
    }
    stream_close(&s);
    return size - s.out_left;
}
