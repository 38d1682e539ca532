/* PNG out through libpng: IHDR, PLTE for palettes, IDAT, IEND and nothing else. */
#include "base/dtype.h"
#include "image/write.h"

#include <setjmp.h>
#include <stdio.h>

#include <png.h>

/* zlib's level. On a photograph 4 takes 2.5 times as long as 1 for 9 % fewer bytes, 6 six times as long
 * for 9.5 % (zlib 1.2.13); masks shrink much, and small pictures are done soon anyway. */
#define LEVEL       1
#define LEVEL_SMALL 6
#define SMALL_BYTES ((size_t)1 << 20)

typedef struct encoder {
    png_structp png;
    png_infop info;
    const uc_pixels *pixels;
    const uc_palette *palette;
    uc_writer *w;
    char message[160];
} encoder;

static void on_error(png_structp png, png_const_charp text)
{
    encoder *e = png_get_error_ptr(png);
    snprintf(e->message, sizeof e->message, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void on_write(png_structp png, png_bytep data, size_t n)
{
    encoder *e = png_get_io_ptr(png);
    uc_writer_put(e->w, data, n);
    if (e->w->status != UNCORK_OK) png_error(png, "the file gets too large");
}

static void on_flush(png_structp png) { (void)png; }

static void put_header(const encoder *e)
{
    static const int types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    const uc_pixels *p = e->pixels;
    const int type = e->palette ? PNG_COLOR_TYPE_PALETTE : types[p->channels];
    png_set_IHDR(e->png, e->info, (png_uint_32)p->width, (png_uint_32)p->height,
                 p->dtype == UNCORK_UINT16 ? 16 : 8, type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (e->palette) {
        png_color colors[256];
        for (int i = 0; i < e->palette->count; i++) {
            const uint8_t *c = e->palette->colors[i];
            colors[i] = (png_color){.red = c[0], .green = c[1], .blue = c[2]};
        }
        png_set_PLTE(e->png, e->info, colors, e->palette->count);
    }
}

static uncork_status encode(encoder *e, uncork_error *error)
{
    if (setjmp(png_jmpbuf(e->png))) {
        const uncork_status status = e->w->status != UNCORK_OK ? e->w->status : UNCORK_NO_MEMORY;
        return uc_fail(error, status, UC_NO_OFFSET, "the PNG can't be written: %s", e->message);
    }
    const uc_pixels *p = e->pixels;
    const size_t row_bytes = uc_pixels_bytes(p) / (size_t)p->height;
    png_set_write_fn(e->png, e, on_write, on_flush);
    png_set_user_limits(e->png, 0x7fffffff, 0x7fffffff);
    const bool small = e->palette || uc_pixels_bytes(p) <= SMALL_BYTES;
    png_set_compression_level(e->png, small ? LEVEL_SMALL : LEVEL);
    put_header(e);
    png_write_info(e->png, e->info);
    if (p->dtype == UNCORK_UINT16) png_set_swap(e->png); /* the file is big-endian */
    for (int y = 0; y < p->height; y++) {
        png_write_row(e->png, (png_const_bytep)p->data + (size_t)y * row_bytes);
    }
    png_write_end(e->png, NULL);
    return UNCORK_OK;
}

static uncork_status check(const uc_pixels *p, const uc_palette *palette, uncork_error *error)
{
    const bool bytes = p->dtype == UNCORK_UINT8;
    if ((!bytes && p->dtype != UNCORK_UINT16) || p->channels < 1 || p->channels > 4 ||
        p->width < 1 || p->height < 1) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "%s[%d, %d, %d] can't be a PNG: 1 to 4 channels of uint8 or uint16 can",
                       uc_dtype_name(p->dtype), p->height, p->width, p->channels);
    }
    if (!palette) return UNCORK_OK;
    if (!bytes || p->channels != 1 || palette->count < 1 || palette->count > 256) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "a palette of %d colours needs one channel of uint8", palette->count);
    }
    const uint8_t *at = p->data;
    for (size_t i = 0, n = uc_pixels_count(p); i < n; i++) {
        if (at[i] < palette->count) continue;
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "index %u of a palette of %d colours",
                       (unsigned)at[i], palette->count);
    }
    return UNCORK_OK;
}

uncork_status uc_png_write(const uc_pixels *pixels, const uc_palette *palette, uc_writer *w,
                           uncork_error *error)
{
    UC_TRY(check(pixels, palette, error));
    encoder e = {.pixels = pixels, .palette = palette, .w = w};
    e.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &e, on_error, on_warning);
    if (!e.png) return uc_fail_memory(error);
    e.info = png_create_info_struct(e.png);
    const uncork_status status = e.info ? encode(&e, error) : uc_fail_memory(error);
    png_destroy_write_struct(&e.png, &e.info);
    return status;
}
