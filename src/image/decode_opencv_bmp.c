/* BMP as OpenCV reads it. Source: OpenCV 5.0.0, modules/imgcodecs/src/grfmt_bmp.cpp and utils.cpp. */
#include "image/decode_opencv.h"

#include "base/reader.h"

enum { RGB, RLE8, RLE4, BITFIELDS };

typedef struct header {
    int width, height;
    bool top_down, color;
    unsigned bits, compression; /* bits 15: 16 with 5 a colour */
    uint32_t data_offset;
    uint8_t palette[256][4]; /* B, G, R */
    bool masked;             /* 32 bits: */
    uint32_t mask[4];        /* R, G, B, A */
} header;

static uncork_status refuse(const uc_reader *r, uncork_error *error, const char *what)
{
    if (!uc_reader_ok(r)) return error->status;
    return uc_fail(error, UNCORK_MALFORMED, uc_reader_offset(r), "OpenCV refuses this BMP: %s",
                   what);
}

static bool known(const header *h)
{
    bool depth = h->bits == 1 || h->bits == 4 || h->bits == 8 || h->bits == 24 || h->bits == 32;
    if (h->compression == RGB) return depth || h->bits == 16;
    if (h->compression == BITFIELDS) return h->bits == 16 || h->bits == 32;
    return (h->compression == RLE4 && h->bits == 4) || (h->compression == RLE8 && h->bits == 8);
}

static bool is_colored(const header *h)
{
    for (unsigned i = 0; i < 1u << h->bits; i++) {
        if (h->palette[i][0] != h->palette[i][1] || h->palette[i][0] != h->palette[i][2])
            return true;
    }
    return false;
}

static void read_palette(uc_reader *r, header *h, unsigned count, unsigned entry)
{
    uc_bytes p = uc_reader_take(r, (uint64_t)count * entry, "BMP palette");
    for (unsigned i = 0; p.data && i < count; i++) {
        memcpy(h->palette[i], p.data + (size_t)i * entry, 3);
    }
}

static uncork_status read_large_header(uc_reader *r, header *h, uint32_t size, uncork_error *error)
{
    h->width = (int32_t)uc_reader_u32le(r, "BMP width");
    h->height = (int32_t)uc_reader_u32le(r, "BMP height");
    h->bits = uc_reader_u32le(r, "BMP bits") >> 16;
    h->compression = uc_reader_u32le(r, "BMP compression");
    uc_reader_skip(r, 12, "BMP resolution");
    uint32_t colors = uc_reader_u32le(r, "BMP colours");
    h->color = true;
    uc_reader fields = *r;
    if (h->bits == 32 && h->compression == BITFIELDS && size >= 56) {
        uc_reader_skip(&fields, 4, "BMP colours");
        h->masked = true;
        for (int i = 0; i < 4; i++) {
            h->mask[i] = uc_reader_u32le(&fields, "BMP mask");
        }
    }
    uc_reader_skip(r, size - 36, "BMP header");
    if (!known(h)) return refuse(r, error, "bits and compression don't go together");
    if (h->bits <= 8) {
        if (colors > 256) return refuse(r, error, "more than 256 colours");
        read_palette(r, h, colors ? colors : 1u << h->bits, 4);
        h->color = is_colored(h);
    } else if (h->bits == 16 && h->compression == BITFIELDS) {
        uint32_t red = uc_reader_u32le(r, "BMP mask"), green = uc_reader_u32le(r, "BMP mask"),
                 blue = uc_reader_u32le(r, "BMP mask");
        if (blue == 0x1f && green == 0x3e0 && red == 0x7c00)
            h->bits = 15;
        else if (blue != 0x1f || green != 0x7e0 || red != 0xf800)
            return refuse(r, error, "its colour masks");
    } else if (h->bits == 16) {
        h->bits = 15;
    }
    return uc_reader_ok(r) && uc_reader_ok(&fields) ? UNCORK_OK : error->status;
}

static uncork_status read_header(uc_reader *r, header *h, uncork_error *error)
{
    uc_reader_skip(r, 10, "BMP file header");
    h->data_offset = uc_reader_u32le(r, "BMP data offset");
    uint32_t size = uc_reader_u32le(r, "BMP header size");
    if (!uc_reader_ok(r)) return error->status;
    if (size >= 36 && size < INT32_MAX) {
        UC_TRY(read_large_header(r, h, size, error));
    } else if (size == 12) {
        h->width = uc_reader_u16le(r, "BMP width");
        h->height = uc_reader_u16le(r, "BMP height");
        h->bits = uc_reader_u32le(r, "BMP bits") >> 16;
        if (!known(h) || h->bits == 16) return refuse(r, error, "its bits a pixel");
        if (h->bits <= 8) read_palette(r, h, 1u << h->bits, 3);
    } else {
        return refuse(r, error, "its header's size");
    }
    h->top_down = h->height < 0;
    if (h->width < 1 || h->height == 0 || h->height == INT32_MIN)
        return refuse(r, error, "its size");
    if (h->top_down) h->height = -h->height;
    return uc_reader_ok(r) ? UNCORK_OK : error->status;
}

static uint8_t masked(const header *h, uint32_t pixel, int channel)
{
    uint32_t mask = h->mask[channel];
    if (!mask) return channel == 3 ? 255 : 0;
    unsigned shift = (unsigned)__builtin_ctz(mask);
    float scale = 255.0f / (float)(mask >> shift);
    return (uint8_t)((float)((pixel & mask) >> shift) * scale);
}

/* One pixel as B, G, R, A. */
static void load(const header *h, const uint8_t *row, int x, uint8_t bgra[4])
{
    bgra[3] = 255;
    if (h->bits <= 8) {
        unsigned per = 8 / h->bits, at = (unsigned)x;
        unsigned v = row[at / per] >> (8 - h->bits * (at % per + 1)) & ((1u << h->bits) - 1);
        memcpy(bgra, h->palette[v], 3);
    } else if (h->bits <= 16) {
        unsigned v = uc_load_u16le(row + 2 * (size_t)x);
        bool six = h->bits == 16;
        bgra[0] = (uint8_t)(v << 3 & 0xf8);
        bgra[1] = (uint8_t)(six ? v >> 3 & 0xfc : v >> 2 & 0xf8);
        bgra[2] = (uint8_t)(v >> (six ? 8 : 7) & 0xf8);
    } else if (h->bits == 24) {
        memcpy(bgra, row + 3 * (size_t)x, 3);
    } else if (h->masked) {
        uint32_t v = uc_load_u32le(row + 4 * (size_t)x);
        for (int c = 0; c < 3; c++) {
            bgra[c] = masked(h, v, 2 - c);
        }
        bgra[3] = masked(h, v, 3);
    } else {
        memcpy(bgra, row + 4 * (size_t)x, 4);
    }
}

static void store(const header *h, const uint8_t bgra[4], int channels, uint8_t *to)
{
    if (channels > 1) {
        memcpy(to, bgra, (size_t)channels);
    } else if (h->masked) { /* in float there, cut off */
        to[0] =
            (uint8_t)(0.299f * (float)bgra[2] + 0.587f * (float)bgra[1] + 0.114f * (float)bgra[0]);
    } else {
        to[0] = (uint8_t)uc_opencv_grey14(bgra[0], bgra[1], bgra[2]);
    }
}

static uint8_t *row_of(const header *h, const uc_pixels *pixels, int y)
{
    size_t row = (size_t)pixels->width * (size_t)pixels->channels;
    return (uint8_t *)pixels->data + (size_t)(h->top_down ? y : h->height - 1 - y) * row;
}

static uncork_status read_plain(uc_reader *r, const header *h, const uc_pixels *pixels,
                                uncork_error *error)
{
    uint64_t bits = h->bits == 15 ? 16 : h->bits, pitch = ((uint64_t)h->width * bits + 31) / 32 * 4;
    for (int y = 0; y < h->height; y++) {
        uc_bytes from = uc_reader_take(r, pitch, "BMP row");
        if (!uc_reader_ok(r)) return error->status;
        uint8_t *to = row_of(h, pixels, y), bgra[4];
        for (int x = 0; x < h->width; x++, to += pixels->channels) {
            load(h, from.data, x, bgra);
            store(h, bgra, pixels->channels, to);
        }
    }
    return UNCORK_OK;
}

/* Run lengths walk over the picture; a run may not leave its row. */
typedef struct run {
    const header *h;
    const uc_pixels *pixels;
    int x, y;
    bool moved; /* RLE8: the last run ended its row, whose end-of-line code then means nothing */
} run;

static void put(const run *to, unsigned index)
{
    uint8_t bgra[4] = {0, 0, 0, 255};
    memcpy(bgra, to->h->palette[index], 3);
    store(to->h, bgra, to->pixels->channels,
          row_of(to->h, to->pixels, to->y) + (size_t)to->x * (size_t)to->pixels->channels);
}

/* FillUniColor: the palette's entry over rows; the end of a row is left at once. */
static void fill(run *to, int64_t n, unsigned index)
{
    do {
        for (; n > 0 && to->x < to->h->width; to->x++, n--) {
            put(to, index);
        }
        if (to->x >= to->h->width) {
            to->x = 0;
            if (++to->y >= to->h->height) return;
        }
    } while (n > 0);
}

static bool put_run(run *to, unsigned n, unsigned v)
{
    bool wide = to->h->bits == 8;
    int y = to->y;
    if (to->x + (int)n > to->h->width) return false;
    if (wide) {
        fill(to, n, v);
        to->moved = to->y > y;
        return true;
    }
    for (unsigned i = 0; i < n; i++, to->x++) {
        put(to, i % 2 ? v & 15 : v >> 4);
    }
    return true;
}

static bool put_literal(run *to, unsigned n, uc_reader *r)
{
    bool wide = to->h->bits == 8;
    if (to->x + (int)n > to->h->width) return false;
    unsigned size = wide ? (n + 1) & ~1u : (((n + 1) >> 1) + 1) & ~1u;
    uc_bytes p = uc_reader_take(r, size, "BMP run");
    for (unsigned i = 0; p.data && i < n; i++, to->x++) {
        put(to, wide ? p.data[i] : i % 2 ? p.data[i / 2] & 15u : p.data[i / 2] >> 4u);
    }
    to->moved = false;
    return true;
}

/* End of line, end of picture, or a step; false: the picture is done. */
static bool put_step(run *to, unsigned code, uc_reader *r)
{
    int64_t right = to->h->width - to->x, down = to->h->height - to->y;
    bool wide = to->h->bits == 8;
    if (!wide || code || !to->moved || right < to->h->width) {
        if (code == 2) {
            right = uc_reader_u8(r, "BMP delta");
            down = uc_reader_u8(r, "BMP delta");
        }
        if (wide && code) right += down * to->h->width; /* RLE4's readers forget the rows */
        if (to->y >= to->h->height) return false;
        fill(to, right, 0);
    }
    to->moved = false;
    return to->y < to->h->height;
}

static uncork_status read_runs(uc_reader *r, const header *h, const uc_pixels *pixels,
                               uncork_error *error)
{
    run to = {.h = h, .pixels = pixels};
    for (;;) {
        unsigned n = uc_reader_u8(r, "BMP run"), v = uc_reader_u8(r, "BMP run");
        bool ok = true;
        if (!uc_reader_ok(r)) return error->status;
        if (to.y >= h->height) return UNCORK_OK;
        if (n)
            ok = put_run(&to, n, v);
        else if (v > 2)
            ok = put_literal(&to, v, r);
        else if (!put_step(&to, v, r))
            return uc_reader_ok(r) ? UNCORK_OK : error->status;
        if (!ok) return refuse(r, error, "a run crosses the end of its row");
        if (h->bits == 8 && n && to.y >= h->height) return UNCORK_OK;
    }
}

uncork_status uc_opencv_bmp(uc_bytes bytes, uc_opencv_read flags, uc_arena *arena,
                            uc_pixels *pixels, uncork_error *error)
{
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, error);
    header *h = UC_NEW(arena, header, 1);
    if (!h) return uc_arena_status(arena, error);
    UC_TRY(read_header(&r, h, error));
    bool alpha = h->bits == 32 && h->compression != RGB,
         runs = h->compression == RLE4 || h->compression == RLE8;
    uc_opencv_type t = uc_opencv_asked(flags, UNCORK_UINT8, !h->color ? 1 : alpha ? 4 : 3);
    /* before the pixels are allocated: a row a byte at the least, run lengths 255 pixels a pair */
    uint64_t count = (uint64_t)h->width * (uint64_t)h->height;
    if (count / (runs ? 4096 : 8) > bytes.size || h->data_offset > bytes.size)
        return refuse(&r, error, "its pixels aren't all there");
    UC_TRY(uc_pixels_new(UNCORK_UINT8, h->height, h->width, t.channels, arena, pixels, error));
    uc_reader data = uc_reader_over(bytes.data + h->data_offset, bytes.size - h->data_offset,
                                    h->data_offset, error);
    return runs ? read_runs(&data, h, pixels, error) : read_plain(&data, h, pixels, error);
}
