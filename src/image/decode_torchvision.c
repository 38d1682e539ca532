/* torchvision.io.decode_image. Source: torchvision 0.29, torchvision/csrc/io/image/cpu (decode_image.cpp,
 * decode_jpeg.cpp, decode_png.cpp, decode_gif.cpp, decode_webp.cpp); tests/vectors compares. */
#include "image/decode.h"
#include "image/gif.h"
#include "image/jpeg.h"
#include "image/pixel.h"
#include "image/png.h"
#include "image/webp.h"

enum { UNCHANGED, GRAY, GRAY_ALPHA, RGB, RGB_ALPHA };

static uncork_status refuse(uncork_error *error, const char *what)
{
    return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "torchvision refuses this: %s", what);
}

/* 4 samples a pixel as libjpeg gives them to RGB or grey, in place. */
static void from_cmyk(uc_pixels *pixels, int channels)
{
    size_t n = (size_t)pixels->width * (size_t)pixels->height;
    const uint8_t *from = pixels->data;
    uint8_t *to = pixels->data;
    for (size_t i = 0; i < n; i++, from += 4, to += channels) {
        unsigned k = from[3], v[3];
        for (int c = 0; c < 3; c++) {
            v[c] = k - uc_muldiv255(k, 255u - from[c]);
        }
        if (channels == 1) {
            to[0] = (uint8_t)((19595 * v[0] + 38470 * v[1] + 7471 * v[2] + 0x8000) >> 16);
            continue;
        }
        for (int c = 0; c < 3; c++) {
            to[c] = (uint8_t)v[c];
        }
    }
    pixels->channels = channels;
}

static uncork_status read_jpeg(uc_bytes bytes, int mode, uc_arena *arena, uc_pixels *pixels,
                               uncork_error *error)
{
    uc_jpeg *jpeg;
    uc_jpeg_header h;
    if (mode == GRAY_ALPHA || mode == RGB_ALPHA) return refuse(error, "a JPEG with alpha");
    UC_TRY(uc_jpeg_open(bytes, UC_JPEG_END_REFUSED, arena, &jpeg, &h, error));
    uc_jpeg_settings s = {.color = UC_JPEG_RGB};
    if (h.four)
        s.color = UC_JPEG_CMYK;
    else if (mode == GRAY || (mode == UNCHANGED && h.grey))
        s.color = UC_JPEG_GREY;
    else if (mode == UNCHANGED && h.components != 3)
        s.color = UC_JPEG_STORED;
    uncork_status status = uc_jpeg_read(jpeg, &s, arena, pixels, error);
    uc_jpeg_close(jpeg);
    if (!status && h.four && mode != UNCHANGED) from_cmyk(pixels, mode == GRAY ? 1 : 3);
    return status;
}

static uncork_status read_png(uc_bytes bytes, int mode, uc_arena *arena, uc_pixels *pixels,
                              uncork_error *error)
{
    static const int channels_of[] = {0, 1, 2, 3, 4};
    uc_png *png;
    uc_png_header h;
    UC_TRY(uc_png_open(bytes, false, arena, &png, &h, error));
    int channels = mode == UNCHANGED ? h.channels : channels_of[mode];
    bool own = (mode == GRAY && !h.color && !h.alpha) ||
               (mode == GRAY_ALPHA && !h.color && h.alpha) ||
               (mode == RGB && h.color && !h.alpha && !h.palette) ||
               (mode == RGB_ALPHA && h.color && h.alpha) || mode == UNCHANGED;
    bool with_alpha = channels % 2 == 0;
    uc_png_settings s = {.grey_to_8 = !h.color, .skip_end = true};
    if (!own) {
        s.palette_to_rgb = h.palette;
        s.strip_alpha = !with_alpha && (h.alpha || h.palette);
        s.add_alpha = with_alpha && !h.alpha && !h.palette;
        s.to_color = channels > 2 && !h.color;
        s.red = channels < 3 && h.color ? 0.2989 : 0;
        s.green = 0.587;
    }
    uncork_status status = uc_png_read(png, &s, arena, pixels, error);
    uc_png_close(png);
    if (status) return status;
    /* it writes rows of other lengths than it made room for, and what is between them is whatever the
     * memory held */
    bool packed = mode == UNCHANGED && h.palette && h.depth < 8;
    return packed || pixels->channels != channels
               ? refuse(error, "its result for this PNG's palette isn't defined")
               : UNCORK_OK;
}

#ifdef UC_WITH_GIF
static void fill(const uc_gif *gif, const uc_pixels *pixels, uint8_t *to)
{
    static const uint8_t black[3];
    const uint8_t *c =
        gif->background < gif->palette_count ? gif->palette + 3 * gif->background : black;
    for (size_t i = 0; i < (size_t)pixels->width * (size_t)pixels->height; i++) {
        memcpy(to + 3 * i, c, 3);
    }
}

static uncork_status draw(const uc_gif_frame *f, const uc_pixels *pixels, uint8_t *to,
                          uncork_error *error)
{
    if (!f->palette) return refuse(error, "a GIF without a palette");
    for (int y = 0; y < f->height && f->top + y < pixels->height; y++) {
        const uint8_t *index = f->indices + (size_t)y * (size_t)f->width;
        uint8_t *p = to + 3 * ((size_t)(f->top + y) * (size_t)pixels->width + (size_t)f->left);
        for (int x = 0; x < f->width && f->left + x < pixels->width; x++, p += 3) {
            if (index[x] == f->transparent) continue;
            if (index[x] >= f->palette_count)
                return refuse(error, "a GIF colour outside of its palette");
            memcpy(p, f->palette + 3 * index[x], 3);
        }
    }
    return UNCORK_OK;
}

/* On a canvas of the background's colour. */
static uncork_status read_gif(uc_bytes bytes, uc_arena *arena, uc_pixels *pixels, int *frames,
                              uncork_error *error)
{
    uc_gif gif;
    UC_TRY(uc_gif_read(bytes, SIZE_MAX, UC_GIF_END_SLURPED, arena, &gif, error));
    const uc_gif_frame *f = gif.frames;
    int width = gif.width, height = gif.height;
    if (f->width > width ||
        f->height > height) /* what is outside of the screen isn't written there */
        return refuse(error, "a GIF whose first frame is larger than its screen");
    UC_TRY(uc_pixels_new(UNCORK_UINT8, (int64_t)height * (int64_t)gif.count, width, 3, arena,
                         pixels, error));
    pixels->height = height;
    *frames = (int)gif.count;
    uint8_t *to = pixels->data;
    size_t size = uc_pixels_count(pixels);
    for (size_t i = 0; i < gif.count; i++, f++, to += size) {
        /* a frame's own disposal clears everything in front of it */
        if (i == 0 || f->disposal == 2)
            fill(&gif, pixels, to);
        else
            memcpy(to, to - size, size);
        UC_TRY(draw(f, pixels, to, error));
    }
    return UNCORK_OK;
}
#endif

#ifdef UC_WITH_WEBP
static uncork_status read_webp(uc_bytes bytes, int mode, uc_arena *arena, uc_pixels *pixels,
                               uncork_error *error)
{
    uc_webp_header h;
    UC_TRY(uc_webp_header_read(bytes, &h, error));
    if (h.animated) return refuse(error, "an animated WebP");
    int channels = mode == RGB ? 3 : mode == RGB_ALPHA || h.alpha ? 4 : 3;
    UC_TRY(uc_pixels_new(UNCORK_UINT8, h.height, h.width, channels, arena, pixels, error));
    return uc_webp_read(bytes, &h, 1, arena, pixels, error);
}
#endif

static bool starts(uc_bytes bytes, size_t at, const char *text, size_t n)
{
    return bytes.size >= at + n && memcmp(bytes.data + at, text, n) == 0;
}

uncork_status uc_decode_torchvision(uc_bytes bytes, int channels, uc_arena *arena,
                                    uc_pixels *pixels, int *frames, uncork_error *error)
{
    *frames = 1;
    if (channels < UNCHANGED || channels > RGB_ALPHA)
        return uc_fail(error, UNCORK_USAGE, UC_NO_OFFSET, "no mode of torchvision has %d channels",
                       channels);
    if (starts(bytes, 0, "\xff\xd8\xff", 3))
        return read_jpeg(bytes, channels, arena, pixels, error);
    if (starts(bytes, 0, "\x89PNG", 4)) return read_png(bytes, channels, arena, pixels, error);
#ifdef UC_WITH_GIF
    if (starts(bytes, 0, "GIF89a", 6) || starts(bytes, 0, "GIF87a", 6))
        return read_gif(bytes, arena, pixels, frames, error);
#endif
#ifdef UC_WITH_WEBP
    if (starts(bytes, 0, "RIFF", 4) && starts(bytes, 8, "WEBPVP8", 7))
        return read_webp(bytes, channels, arena, pixels, error);
#endif
    refuse(error, "it is no JPEG, PNG, GIF or WebP picture");
    return uc_fix(error, "save it as PNG first");
}
