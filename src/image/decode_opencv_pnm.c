/* PBM, PGM and PPM as OpenCV reads them: text is scaled by its maximum, bytes aren't.
 * Source: OpenCV 5.0.0, modules/imgcodecs/src/grfmt_pxm.cpp. */
#include "image/decode_opencv.h"

#include "base/reader.h"

typedef struct header {
    int width, height, bits, maximum; /* bits 1, 8 or 24 a pixel */
    bool binary, wide;
} header;

static bool is_space(unsigned c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* ReadNumber: white space and comments, then digits (at most `most`, 0: any), and the byte behind them. */
static int number(uc_reader *r, int most, uncork_error *error)
{
    unsigned c = uc_reader_u8(r, "PNM number");
    while (uc_reader_ok(r) && (c < '0' || c > '9')) {
        if (c == '#') {
            while (uc_reader_ok(r) && c != '\n' && c != '\r') {
                c = uc_reader_u8(r, "PNM comment");
            }
            c = uc_reader_u8(r, "PNM number");
        } else if (is_space(c)) {
            c = uc_reader_u8(r, "PNM number");
        } else {
            uc_fail(error, UNCORK_MALFORMED, uc_reader_offset(r),
                    "broken PNM: byte %u where a number has to be", c);
            return -1;
        }
    }
    int64_t v = 0;
    for (int n = 0; uc_reader_ok(r) && c >= '0' && c <= '9';) {
        v = v * 10 + (c - '0');
        if (v > INT32_MAX) {
            uc_fail(error, UNCORK_MALFORMED, uc_reader_offset(r), "broken PNM: a number too large");
            return -1;
        }
        if (++n == most) break;
        c = uc_reader_u8(r, "PNM number");
    }
    return uc_reader_ok(r) ? (int)v : -1;
}

static uncork_status read_header(uc_reader *r, header *h, uncork_error *error)
{
    uc_reader_skip(r, 1, "PNM kind");
    unsigned kind = uc_reader_u8(r, "PNM kind") - '0';
    h->bits = kind % 3 == 1 ? 1 : kind % 3 == 2 ? 8 : 24;
    h->binary = kind >= 4;
    if ((h->width = number(r, 0, error)) < 0) return error->status;
    if ((h->height = number(r, 0, error)) < 0) return error->status;
    h->maximum = h->bits == 1 ? 1 : number(r, 0, error);
    if (h->maximum < 0) return error->status;
    if (h->width < 1 || h->height < 1 || h->maximum < 1 || h->maximum > 65535)
        return uc_fail(error, UNCORK_MALFORMED, uc_reader_offset(r),
                       "broken PNM: %d x %d pixels of at most %d", h->width, h->height, h->maximum);
    h->wide = h->maximum > 255;
    return UNCORK_OK;
}

/* The samples of a row as 8 or 16 bits each. */
static uncork_status read_row(uc_reader *r, const header *h, uint16_t *to, uncork_error *error)
{
    size_t n = (size_t)h->width * (h->bits == 24 ? 3 : 1), size = h->wide ? 2 * n : n;
    if (!h->binary) {
        for (size_t i = 0; i < n; i++) {
            int v = number(r, h->bits == 1 ? 1 : 0, error);
            if (v < 0) return error->status;
            if (v > h->maximum) v = h->bits == 1 ? 1 : h->maximum;
            if (h->bits == 1)
                v = v ? 0 : 255;
            else if (!h->wide)
                v = v * 255 / h->maximum;
            to[i] = (uint16_t)v;
        }
        return UNCORK_OK;
    }
    if (h->bits == 1) size = (n + 7) / 8;
    uc_bytes from = uc_reader_take(r, size, "PNM row");
    for (size_t i = 0; from.data && i < n; i++) {
        if (h->bits == 1)
            to[i] = from.data[i / 8] >> (7 - i % 8) & 1 ? 0 : 255;
        else
            to[i] =
                h->wide ? (uint16_t)(from.data[2 * i] << 8 | from.data[2 * i + 1]) : from.data[i];
    }
    return uc_reader_ok(r) ? UNCORK_OK : error->status;
}

static void store(const uc_pixels *pixels, size_t i, unsigned v)
{
    if (pixels->dtype == UNCORK_UINT16)
        ((uint16_t *)pixels->data)[i] = (uint16_t)v;
    else
        ((uint8_t *)pixels->data)[i] = (uint8_t)v;
}

static void put_row(const header *h, const uint16_t *from, const uc_pixels *pixels, int y)
{
    unsigned shift = h->wide && pixels->dtype == UNCORK_UINT8 ? 8 : 0;
    for (int x = 0; x < h->width; x++) {
        size_t i = ((size_t)y * (size_t)h->width + (size_t)x) * (size_t)pixels->channels;
        const uint16_t *p = from + (size_t)x * (h->bits == 24 ? 3 : 1);
        unsigned r = (unsigned)p[0] >> shift, g = h->bits == 24 ? (unsigned)p[1] >> shift : r,
                 b = h->bits == 24 ? (unsigned)p[2] >> shift : r;
        if (pixels->channels == 1) {
            store(pixels, i, h->bits == 24 ? uc_opencv_grey14(b, g, r) : r);
        } else {
            store(pixels, i, b);
            store(pixels, i + 1, g);
            store(pixels, i + 2, r);
        }
    }
}

uncork_status uc_opencv_pnm(uc_bytes bytes, uc_opencv_read flags, uc_arena *arena,
                            uc_pixels *pixels, uncork_error *error)
{
    header h = {0};
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, error);
    UC_TRY(read_header(&r, &h, error));
    uc_opencv_type t =
        uc_opencv_asked(flags, h.wide ? UNCORK_UINT16 : UNCORK_UINT8, h.bits == 24 ? 3 : 1);
    if ((uint64_t)h.width * (uint64_t)h.height / 8 > bytes.size)
        return uc_fail(error, UNCORK_MALFORMED, bytes.size,
                       "the PNM is cut short: %d x %d pixels in %zu bytes", h.width, h.height,
                       bytes.size);
    UC_TRY(uc_pixels_new(t.dtype, h.height, h.width, t.channels, arena, pixels, error));
    uint16_t *row = uc_arena_alloc(arena, (size_t)h.width, 3 * sizeof *row);
    if (!row) return uc_arena_status(arena, error);
    for (int y = 0; y < h.height; y++) {
        UC_TRY(read_row(&r, &h, row, error));
        put_row(&h, row, pixels, y);
    }
    return UNCORK_OK;
}
