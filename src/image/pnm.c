/* PNM (P1 to P6) as Pillow reads it, and PAM (P7): samples are scaled to 0..255, grey with more than 8
 * bits becomes mode I, scaled to 0..65535.
 * Source: netpbm's format descriptions; Pillow's PpmImagePlugin for its choices. */
#include "image/image.h"

#include "base/reader.h"

#include <math.h>

#define TOKEN_MAX 10 /* Pillow's own: characters of a number */

typedef struct header {
    char kind; /* '1' to '7' */
    uint32_t width, height, depth, maxval;
    bool cmyk;
} header;

static uncork_status bad(uncork_error *error, const uc_reader *r, const char *what, uint64_t value)
{
    return uc_fail(error, UNCORK_MALFORMED, uc_reader_offset(r), "broken PNM: %s %llu", what,
                   (unsigned long long)value);
}

static bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static uncork_status short_file(const uc_reader *r, uncork_error *error)
{
    uc_fail(error, UNCORK_MALFORMED, uc_reader_offset(r),
            "the PNM is cut short: it ends inside the picture");
    return uc_fix(error, "copy or download it again");
}

/* The next number and the one white space behind it. A comment is left out wherever it stands, also
 * inside a number, as Pillow does. */
static uncork_status read_number(uc_reader *r, uint32_t *value, uncork_error *error)
{
    uint64_t v = 0;
    int digits = 0;
    while (uc_reader_left(r) > 0) {
        uint8_t c = uc_reader_u8(r, "PNM number");
        if (c == '#') {
            while (uc_reader_left(r) > 0 && c != '\n' && c != '\r') {
                c = uc_reader_u8(r, "PNM comment");
            }
        } else if (is_space(c)) {
            if (digits) break;
        } else if (c < '0' || c > '9') {
            return bad(error, r, "a number is expected, not the byte", c);
        } else if (++digits > TOKEN_MAX) {
            return bad(error, r, "a number has more digits than", TOKEN_MAX);
        } else {
            v = v * 10 + (uint64_t)(c - '0');
        }
    }
    if (!digits) return short_file(r, error);
    if (v > UINT32_MAX) return bad(error, r, "a number is too large:", v);
    *value = (uint32_t)v;
    return UNCORK_OK;
}

static bool starts(uc_bytes line, const char *word)
{
    size_t n = strlen(word);
    return line.size > n && memcmp(line.data, word, n) == 0 && is_space(line.data[n]);
}

static uc_bytes next_line(uc_reader *r)
{
    uc_bytes rest = {r->at, uc_reader_left(r)};
    size_t n = 0;
    while (n < rest.size && rest.data[n] != '\n') {
        n++;
    }
    uc_reader_skip(r, n < rest.size ? n + 1 : n, "PAM line");
    return (uc_bytes){rest.data, n};
}

/* PAM: lines of a word and its value up to ENDHDR. */
static uncork_status read_pam_header(uc_reader *r, header *h, uncork_error *error)
{
    (void)next_line(r);
    while (uc_reader_left(r) > 0) {
        uc_bytes line = next_line(r);
        if (line.size >= 6 && memcmp(line.data, "ENDHDR", 6) == 0) {
            return h->depth >= 1 && h->depth <= 4 ? UNCORK_OK
                                                  : bad(error, r, "PAM depth", h->depth);
        }
        static const char *const words[] = {"WIDTH", "HEIGHT", "DEPTH", "MAXVAL"};
        uint32_t *const values[] = {&h->width, &h->height, &h->depth, &h->maxval};
        for (int i = 0; i < 4; i++) {
            if (!starts(line, words[i])) continue;
            size_t n = strlen(words[i]);
            uc_reader value = uc_reader_over(line.data + n, line.size - n, 0, error);
            UC_TRY(read_number(&value, values[i], error));
        }
        if (starts(line, "TUPLTYPE"))
            h->cmyk = line.size >= 13 && memcmp(line.data + 9, "CMYK", 4) == 0;
    }
    return short_file(r, error);
}

static uncork_status read_header(uc_reader *r, header *h, uncork_error *error)
{
    uc_bytes magic = uc_reader_take(r, 2, "PNM signature");
    if (!uc_reader_ok(r)) return error->status;
    h->kind = (char)magic.data[1];
    h->maxval = 1;
    if (h->kind == '7') {
        UC_TRY(read_pam_header(r, h, error));
    } else {
        uint8_t c = uc_reader_u8(r, "PNM signature");
        if (uc_reader_ok(r) && !is_space(c)) {
            uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                    "this is no picture of a known format");
            return uc_fix(error, "uncork formats lists those that are read");
        }
        h->depth = h->kind == '3' || h->kind == '6' ? 3 : 1;
        UC_TRY(read_number(r, &h->width, error));
        UC_TRY(read_number(r, &h->height, error));
        if (h->kind != '1' && h->kind != '4') UC_TRY(read_number(r, &h->maxval, error));
    }
    if (h->maxval < 1 || h->maxval > 65535) return bad(error, r, "the largest value is", h->maxval);
    return UNCORK_OK;
}

static uc_image_mode mode_of(const header *h)
{
    switch (h->depth) {
    case 2: return UC_IMAGE_LA;
    case 3: return UC_IMAGE_RGB;
    case 4: return h->cmyk ? UC_IMAGE_CMYK : UC_IMAGE_RGBA;
    default: break;
    }
    if (h->kind == '1' || h->kind == '4') return UC_IMAGE_1;
    return h->maxval > 255 ? UC_IMAGE_I : UC_IMAGE_L;
}

static void put(const uc_image *image, size_t i, unsigned value, unsigned maxval)
{
    double top = image->mode == UC_IMAGE_I ? 65535.0 : 255.0;
    double scaled = rint(value / (double)maxval * top);
    if (scaled > top) scaled = top;
    if (image->mode == UC_IMAGE_I) {
        ((int32_t *)image->data)[i] = (int32_t)scaled;
    } else {
        ((uint8_t *)image->data)[i] = (uint8_t)scaled;
    }
}

static uncork_status read_binary(uc_reader *r, const header *h, const uc_image *image, size_t count,
                                 uncork_error *error)
{
    size_t bytes = h->maxval > 255 ? 2 : 1;
    uc_bytes p = uc_reader_take(r, (uint64_t)count * bytes, "PNM samples");
    if (!uc_reader_ok(r)) return error->status;
    for (size_t i = 0; i < count; i++) {
        put(image, i, bytes == 2 ? uc_load_u16be(p.data + 2 * i) : p.data[i], h->maxval);
    }
    return UNCORK_OK;
}

static uncork_status read_plain(uc_reader *r, const header *h, const uc_image *image, size_t count,
                                uncork_error *error)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t value;
        UC_TRY(read_number(r, &value, error));
        if (value > h->maxval) return bad(error, r, "a sample is over the largest value:", value);
        put(image, i, value, h->maxval);
    }
    return UNCORK_OK;
}

/* P4: 8 pixels a byte, rows padded. 1 is black. */
static uncork_status read_bits(uc_reader *r, const uc_image *image, uncork_error *error)
{
    size_t row = ((size_t)image->width + 7) / 8;
    uint8_t *to = image->data;
    for (int y = 0; y < image->height; y++) {
        uc_bytes p = uc_reader_take(r, row, "PNM row");
        if (!uc_reader_ok(r)) return error->status;
        for (int x = 0; x < image->width; x++) {
            *to++ = p.data[x / 8] >> (7 - x % 8) & 1 ? 0 : 255;
        }
    }
    return UNCORK_OK;
}

/* P1: one digit a pixel, with or without white space between them. */
static uncork_status read_digits(uc_reader *r, const uc_image *image, size_t count,
                                 uncork_error *error)
{
    uint8_t *to = image->data;
    for (size_t i = 0; i < count;) {
        if (uc_reader_left(r) == 0) return short_file(r, error);
        uint8_t c = uc_reader_u8(r, "PNM pixel");
        if (c == '#') {
            while (uc_reader_left(r) > 0 && c != '\n' && c != '\r') {
                c = uc_reader_u8(r, "PNM comment");
            }
        } else if (c == '0' || c == '1') {
            to[i++] = c == '0' ? 255 : 0;
        } else if (!is_space(c)) {
            return bad(error, r, "a pixel is 0 or 1, not the byte", c);
        }
    }
    return UNCORK_OK;
}

uncork_status uc_pnm_decode(uc_bytes bytes, uc_arena *arena, uc_image *image, uncork_error *error)
{
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, error);
    header h = {0};
    UC_TRY(read_header(&r, &h, error));
    /* before the pixels are allocated: what their samples take in the file at the least */
    uint64_t width = h.width, height = h.height, samples = 0;
    if (width && height && width <= UINT64_MAX / height / 16) samples = width * height * h.depth;
    uint64_t least = h.kind == '4'                    ? samples / 8
                     : h.kind == '2' || h.kind == '3' ? samples * 2 - (samples > 0)
                                                      : samples * (h.maxval > 255 ? 2 : 1);
    if (least > uc_reader_left(&r)) return short_file(&r, error);
    UC_TRY(uc_image_new(mode_of(&h), h.width, h.height, arena, image, error));
    image->format = "PNM";
    size_t count = (size_t)samples;
    switch (h.kind) {
    case '1': return read_digits(&r, image, count, error);
    case '4': return read_bits(&r, image, error);
    case '2':
    case '3': return read_plain(&r, &h, image, count, error);
    default: return read_binary(&r, &h, image, count, error);
    }
}
