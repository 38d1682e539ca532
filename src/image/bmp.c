/* BMP, own reader, as Pillow reads it: OS/2 and Windows headers, 1/4/8-bit palettes (a grey ramp is
 * grey), RLE4 and RLE8, 16/24/32 bits with or without masks, bottom-up or top-down.
 * Source: Microsoft's BITMAPINFOHEADER documentation; Pillow's BmpImagePlugin for its choices. */
#include "image/image.h"

#include "base/reader.h"

enum { BI_RGB, BI_RLE8, BI_RLE4, BI_BITFIELDS, BI_ALPHABITFIELDS = 6 };

typedef struct header {
    int64_t width, height;
    bool top_down;
    unsigned bits, compression, colors;
    uint32_t mask[4]; /* red, green, blue, alpha */
    uint32_t data_offset;
    unsigned palette_entry; /* bytes */
} header;

static uncork_status bad(uncork_error *error, const uc_reader *r, const char *what, uint32_t value)
{
    return uc_fail(error, UNCORK_MALFORMED, uc_reader_offset(r), "broken BMP: %s %u", what, value);
}

static uncork_status read_header(uc_reader *r, header *h, uncork_error *error)
{
    uc_reader_skip(r, 10, "BMP file header");
    h->data_offset = uc_reader_u32le(r, "BMP data offset");
    uint32_t size = uc_reader_u32le(r, "BMP header size");
    if (!uc_reader_ok(r)) return error->status;
    uc_reader rest = *r;
    if (size == 12) {
        h->width = uc_reader_u16le(r, "BMP width");
        h->height = uc_reader_u16le(r, "BMP height");
        uc_reader_skip(r, 2, "BMP planes");
        h->bits = uc_reader_u16le(r, "BMP bits");
        h->palette_entry = 3;
        h->colors = h->bits <= 8 ? 1u << h->bits : 0;
        return uc_reader_ok(r) ? UNCORK_OK : error->status;
    }
    if (size != 40 && size != 52 && size != 56 && size != 64 && size != 108 && size != 124)
        return bad(error, r, "header size", size);
    h->width = (int32_t)uc_reader_u32le(r, "BMP width");
    int64_t height = (int32_t)uc_reader_u32le(r, "BMP height");
    h->top_down = height < 0;
    h->height = height < 0 ? -height : height;
    uc_reader_skip(r, 2, "BMP planes");
    h->bits = uc_reader_u16le(r, "BMP bits");
    h->compression = uc_reader_u32le(r, "BMP compression");
    uc_reader_skip(r, 12, "BMP resolution");
    h->colors = uc_reader_u32le(r, "BMP colours");
    uc_reader_skip(r, 4, "BMP important colours");
    h->palette_entry = 4;
    bool masks = h->compression == BI_BITFIELDS || h->compression == BI_ALPHABITFIELDS;
    if (masks) { /* inside a V2+ header, or just behind a 40-byte one */
        for (int i = 0; i < 4; i++) {
            bool there = size >= 52u + (i == 3 ? 4u : 0u) ||
                         (size == 40 && (i < 3 || h->compression == BI_ALPHABITFIELDS));
            if (there) h->mask[i] = uc_reader_u32le(r, "BMP mask");
        }
    }
    uc_reader_skip(&rest, size - 4, "BMP header");
    if (size > 40 || !masks) *r = rest;
    if (h->colors == 0 && h->bits <= 8) h->colors = 1u << h->bits;
    return uc_reader_ok(r) && uc_reader_ok(&rest) ? UNCORK_OK : error->status;
}

static uncork_status read_palette(uc_reader *r, const header *h, uc_image *image,
                                  uncork_error *error)
{
    if (h->colors > 65536) return bad(error, r, "number of palette colours", h->colors);
    unsigned count = h->colors > 256 ? 256 : h->colors;
    uc_bytes p = uc_reader_take(r, (uint64_t)count * h->palette_entry, "BMP palette");
    if (!uc_reader_ok(r)) return error->status;
    image->palette_count = (int)count;
    bool grey = true;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *e = p.data + (size_t)i * h->palette_entry;
        const uint8_t ramp = count == 2 ? (uint8_t)(i * 255) : (uint8_t)i;
        grey = grey && e[0] == ramp && e[1] == ramp && e[2] == ramp;
        image->palette[i][0] = e[2];
        image->palette[i][1] = e[1];
        image->palette[i][2] = e[0];
        image->palette[i][3] = 255;
    }
    if (grey) image->mode = count == 2 ? UC_IMAGE_1 : UC_IMAGE_L;
    return UNCORK_OK;
}

/* The scaled channel under a mask; masks of other places are refused by the caller. */
static uint8_t channel(uint32_t pixel, uint32_t mask)
{
    if (!mask) return 0;
    unsigned shift = (unsigned)__builtin_ctz(mask);
    uint32_t top = mask >> shift;
    return (uint8_t)((pixel & mask) >> shift) == 0
               ? 0
               : (uint8_t)(((uint64_t)((pixel & mask) >> shift) * 255) / top);
}

static void copy_row(const header *h, const uint8_t *from, uint8_t *to, uc_image_mode mode)
{
    for (int64_t x = 0; x < h->width; x++) {
        if (h->bits <= 8) {
            unsigned per = 8 / h->bits;
            unsigned v =
                from[x / per] >> (8 - h->bits * (unsigned)(x % per + 1)) & ((1u << h->bits) - 1);
            to[x] = mode == UC_IMAGE_1 ? (uint8_t)(v ? 255 : 0) : (uint8_t)v;
        } else if (h->bits == 16) {
            uint32_t v = uc_load_u16le(from + 2 * x);
            for (int c = 0; c < 3; c++) {
                to[3 * x + c] = channel(v, h->mask[c]);
            }
        } else {
            const uint8_t *p = from + (size_t)x * (h->bits / 8);
            uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                         (h->bits == 32 ? (uint32_t)p[3] << 24 : 0);
            int channels = uc_image_channels(mode);
            for (int c = 0; c < channels; c++) {
                to[channels * x + c] = channel(v, h->mask[c]);
            }
        }
    }
}

static uncork_status read_plain(uc_reader *r, const header *h, uc_image *image, uncork_error *error)
{
    uint64_t row = ((uint64_t)h->width * h->bits + 31) / 32 * 4;
    size_t to_row = (size_t)image->width * (size_t)uc_image_channels(image->mode);
    for (int i = 0; i < image->height; i++) {
        uc_bytes from = uc_reader_take(r, row, "BMP row");
        if (!uc_reader_ok(r)) {
            uc_fix(error, "the copy or download was cut short: row %d of %d is not whole", i + 1,
                   image->height);
            return error->status;
        }
        int y = h->top_down ? i : image->height - 1 - i;
        copy_row(h, from.data, (uint8_t *)image->data + (size_t)y * to_row, image->mode);
    }
    return UNCORK_OK;
}

/* Run lengths into a linear run of pixels, bottom row first, as Pillow's BmpRleDecoder lays them: a
 * delta's skipped pixels are 0; `x` counts on from the last end of line, however full the row is. */
typedef struct run {
    uint8_t *pixels;
    int64_t at, count, width, x;
} run;

static void put(run *to, int64_t n, uint8_t v)
{
    for (; n > 0 && to->at < to->count; n--) {
        to->pixels[to->at++] = v;
    }
}

static void put_repeated(run *to, const header *h, unsigned n, uint8_t v)
{
    int64_t left = to->width > to->x ? to->width - to->x : 0;
    if ((int64_t)n > left) n = (unsigned)left;
    for (unsigned i = 0; i < n; i++) {
        put(to, 1, h->bits == 8 ? v : i % 2 ? v & 15 : (uint8_t)(v >> 4));
    }
    to->x += n;
}

/* False: the picture is full or the file ends. */
static bool put_literal(run *to, const header *h, unsigned n, uc_reader *r)
{
    int64_t left = to->count - to->at;
    unsigned count = n < left ? n : (unsigned)left, bytes = h->bits == 8 ? count : (count + 1) / 2;
    bool whole = uc_reader_left(r) >= bytes;
    uc_bytes p = uc_reader_take(r, whole ? bytes : uc_reader_left(r), "BMP run");
    for (unsigned i = 0; p.data && i < count && (h->bits == 8 ? i : i / 2) < p.size; i++) {
        put(to, 1,
            h->bits == 8 ? p.data[i]
            : i % 2      ? p.data[i / 2] & 15
                         : (uint8_t)(p.data[i / 2] >> 4));
    }
    to->x += n;
    if (!whole || to->at == to->count) return false;
    if (uc_reader_offset(r) % 2 && uc_reader_left(r)) uc_reader_skip(r, 1, "BMP run padding");
    return true;
}

static uncork_status read_rle(uc_reader *r, const header *h, uc_image *image, uc_arena *arena,
                              uncork_error *error)
{
    run to = {.count = h->width * h->height, .width = h->width};
    to.pixels = uc_arena_alloc(arena, (size_t)to.count, 1);
    if (!to.pixels) return uc_arena_status(arena, error);
    while (to.at < to.count) {
        if (uc_reader_left(r) < 2) break;
        unsigned n = uc_reader_u8(r, "BMP run"), v = uc_reader_u8(r, "BMP run");
        if (n) {
            put_repeated(&to, h, n, (uint8_t)v);
        } else if (v == 0) {
            while (to.at % to.width && to.at < to.count) {
                put(&to, 1, 0);
            }
            to.x = 0;
        } else if (v == 1) {
            break;
        } else if (v == 2) {
            if (uc_reader_left(r) < 2) break;
            int64_t right = uc_reader_u8(r, "BMP delta"), up = uc_reader_u8(r, "BMP delta");
            put(&to, right + up * to.width, 0);
            to.x = to.at % to.width;
        } else if (!put_literal(&to, h, v, r)) {
            break;
        }
        if (!uc_reader_ok(r)) return error->status;
    }
    if (to.at < to.count) {
        return uc_fail(error, UNCORK_MALFORMED, uc_reader_offset(r),
                       "broken BMP: its runs give %lld of %lld pixels", (long long)to.at,
                       (long long)to.count);
    }
    for (int y = 0; y < image->height; y++) {
        const uint8_t *from =
            to.pixels + (size_t)(h->top_down ? y : image->height - 1 - y) * (size_t)to.width;
        memcpy((uint8_t *)image->data + (size_t)y * (size_t)to.width, from, (size_t)to.width);
    }
    return UNCORK_OK;
}

/* The masks that Pillow knows, by their bits. */
static bool has_layout(header *h)
{
    static const uint32_t bgra[4] = {0xff0000, 0xff00, 0xff, 0xff000000};
    static const struct {
        unsigned bits;
        uint32_t mask[4];
    } known[] = {{32, {0xff0000, 0xff00, 0xff, 0}},
                 {32, {0xff000000, 0xff0000, 0xff00, 0}},
                 {32, {0xff000000, 0xff00, 0xff, 0}},
                 {32, {0xff000000, 0xff0000, 0xff00, 0xff}},
                 {32, {0xff, 0xff00, 0xff0000, 0xff000000}},
                 {32, {0xff0000, 0xff00, 0xff, 0xff000000}},
                 {32, {0xff000000, 0xff00, 0xff, 0xff0000}},
                 {32, {0, 0, 0, 0}},
                 {24, {0xff0000, 0xff00, 0xff, 0}},
                 {16, {0xf800, 0x7e0, 0x1f, 0}},
                 {16, {0x7c00, 0x3e0, 0x1f, 0}}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t size = (h->bits == 32 ? 4 : 3) * sizeof h->mask[0];
        if (known[i].bits != h->bits || memcmp(known[i].mask, h->mask, size) != 0) continue;
        if (!h->mask[0] && !h->mask[1] && !h->mask[2]) memcpy(h->mask, bgra, sizeof bgra);
        return true;
    }
    return false;
}

static uncork_status choose_masks(header *h, uc_image_mode *mode, const uc_reader *r,
                                  uncork_error *error)
{
    static const uint32_t rgb555[4] = {0x7c00, 0x3e0, 0x1f, 0},
                          rgb888[4] = {0xff0000, 0xff00, 0xff, 0};
    bool masks = h->compression == BI_BITFIELDS || h->compression == BI_ALPHABITFIELDS;
    if (h->bits == 1 || h->bits == 4 || h->bits == 8) {
        *mode = UC_IMAGE_P;
        return UNCORK_OK;
    }
    if (h->bits != 16 && h->bits != 24 && h->bits != 32)
        return bad(error, r, "bits a pixel", h->bits);
    if (!masks)
        memcpy(h->mask, h->bits == 16 ? rgb555 : rgb888, sizeof h->mask);
    else if (!has_layout(h)) {
        uc_fail(error, UNCORK_UNSUPPORTED, uc_reader_offset(r),
                "a BMP of %u bits with the colour masks %08x, %08x, %08x, %08x isn't read", h->bits,
                h->mask[0], h->mask[1], h->mask[2], h->mask[3]);
        return uc_fix(error, "save it as PNG first");
    }
    *mode = h->mask[3] && h->bits == 32 ? UC_IMAGE_RGBA : UC_IMAGE_RGB;
    return UNCORK_OK;
}

uncork_status uc_bmp_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, error);
    header h = {0};
    uc_image_mode mode = UC_IMAGE_P;
    UC_TRY(read_header(&r, &h, error));
    UC_TRY(choose_masks(&h, &mode, &r, error));
    bool rle = h.compression == BI_RLE8 || h.compression == BI_RLE4;
    if (h.compression > BI_BITFIELDS && h.compression != BI_ALPHABITFIELDS)
        return bad(error, &r, "compression", h.compression);
    if (rle && h.bits != (h.compression == BI_RLE8 ? 8u : 4u))
        return bad(error, &r, "run lengths with bits a pixel", h.bits);
    /* before the pixels are allocated: a row a byte at the least, run lengths 255 pixels a pair */
    uint64_t pixels = h.width > 0 && h.height > 0 ? (uint64_t)h.width * (uint64_t)h.height : 0;
    if (pixels / (rle ? 4096 : 8) > bytes.size) {
        uc_fail(error, UNCORK_MALFORMED, bytes.size, "broken BMP: %lld x %lld pixels in %zu bytes",
                (long long)h.width, (long long)h.height, bytes.size);
        return uc_fix(error, "copy or download it again");
    }
    UC_TRY(uc_image_new(mode, h.width, h.height, arena, image, error));
    image->format = "BMP";
    if (mode == UC_IMAGE_P) UC_TRY(read_palette(&r, &h, image, error));
    if (h.data_offset > bytes.size) return bad(error, &r, "data offset", h.data_offset);
    uc_reader data = uc_reader_over(bytes.data + h.data_offset, bytes.size - h.data_offset,
                                    h.data_offset, error);
    if (rle) {
        UC_TRY(read_rle(&data, &h, image, arena, error));
        if (image->mode == UC_IMAGE_1) image->mode = UC_IMAGE_P;
        return UNCORK_OK;
    }
    return read_plain(&data, &h, image, error);
}
