/* cv2.imread. Source: OpenCV 5.0.0, modules/imgcodecs/src: loadsave.cpp (flags, orientation, reduced
 * sizes), grfmt_jpeg.cpp, grfmt_png.cpp, grfmt_webp.cpp, grfmt_gif.cpp; BMP, PNM and TIFF have files of
 * their own. tests/vectors compares. */
#include "image/decode_opencv.h"
#include "image/gif.h"
#include "image/jpeg.h"
#include "image/png.h"
#include "image/resize.h"

#include "base/reader.h"

#define SIDE       (1 << 20) /* OPENCV_IO_MAX_IMAGE_WIDTH and _HEIGHT */
#define WEIGHT_RED 0.299     /* of libpng's rgb_to_gray, there and in TensorFlow */

uc_opencv_type uc_opencv_asked(uc_opencv_read flags, uncork_dtype dtype, int channels)
{
    if (flags == UC_OPENCV_UNCHANGED) return (uc_opencv_type){dtype, channels};
    bool deep = flags == UC_OPENCV_ANYDEPTH || flags == UC_OPENCV_ANYDEPTH_COLOR ||
                flags == UC_OPENCV_ANYDEPTH_ANYCOLOR;
    bool any = flags == UC_OPENCV_ANYCOLOR || flags == UC_OPENCV_ANYDEPTH_ANYCOLOR;
    bool color = any ? channels > 1
                     : flags == UC_OPENCV_COLOR || flags == UC_OPENCV_ANYDEPTH_COLOR ||
                           flags == UC_OPENCV_COLOR_RGB;
    return (uc_opencv_type){deep ? dtype : UNCORK_UINT8, color ? 3 : 1};
}

/* 4 samples a pixel as libjpeg gives them to `channels` of BGR or grey, in place. */
static void from_cmyk(uc_pixels *pixels, int channels, bool rgb)
{
    size_t n = (size_t)pixels->width * (size_t)pixels->height;
    const uint8_t *from = pixels->data;
    uint8_t *to = pixels->data;
    for (size_t i = 0; i < n; i++, from += 4, to += channels) {
        unsigned k = from[3], v[3];
        for (int c = 0; c < 3; c++) {
            v[c] = k - ((255u - from[c]) * k >> 8);
        }
        if (channels == 1) {
            to[0] = (uint8_t)uc_opencv_grey14(v[2], v[1], v[0]);
        } else {
            to[0] = (uint8_t)v[rgb ? 0 : 2];
            to[1] = (uint8_t)v[1];
            to[2] = (uint8_t)v[rgb ? 2 : 0];
        }
    }
    pixels->channels = channels;
}

static uncork_status read_jpeg(uc_bytes bytes, uc_opencv_read flags, int *reduce, int *orientation,
                               uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    uc_jpeg *jpeg;
    uc_jpeg_header h;
    UC_TRY(uc_jpeg_open(bytes, UC_JPEG_END_REFUSED, arena, &jpeg, &h, error));
    uc_opencv_type t = uc_opencv_asked(flags, UNCORK_UINT8, h.components > 1 ? 3 : 1);
    uc_jpeg_settings s = {.color = h.components == 4              ? UC_JPEG_CMYK
                                   : t.channels == 1              ? UC_JPEG_GREY
                                   : flags == UC_OPENCV_COLOR_RGB ? UC_JPEG_RGB
                                                                  : UC_JPEG_BGR,
                          .ratio = *reduce,
                          .end = UC_JPEG_END_FILLED,
                          .default_tables = true};
    *reduce = 1; /* done by libjpeg */
    *orientation = h.orientation;
    uncork_status status = uc_jpeg_read(jpeg, &s, arena, pixels, error);
    uc_jpeg_close(jpeg);
    if (!status && h.components == 4) from_cmyk(pixels, t.channels, flags == UC_OPENCV_COLOR_RGB);
    return status;
}

static uncork_status read_png(uc_bytes bytes, uc_opencv_read flags, int *orientation,
                              uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    uc_png *png;
    uc_png_header h;
    UC_TRY(uc_png_open(bytes, false, arena, &png, &h, error));
    int channels = h.alpha || (h.color && h.transparent) ? 4 : h.color ? 3 : 1;
    uc_opencv_type t =
        uc_opencv_asked(flags, h.depth == 16 ? UNCORK_UINT16 : UNCORK_UINT8, channels);
    uc_png_settings s = {.strip_16 = t.dtype == UNCORK_UINT8,
                         .strip_alpha = t.channels < 4,
                         .expand_trns = t.channels == 4,
                         .palette_to_rgb = h.palette,
                         .grey_to_8 = !h.color,
                         .bgr = h.color && t.channels > 1 && flags != UC_OPENCV_COLOR_RGB,
                         .to_color = t.channels > 1,
                         .red = t.channels == 1 ? WEIGHT_RED : 0,
                         .green = 0.587};
    *orientation = h.orientation;
    uncork_status status = uc_png_read(png, &s, arena, pixels, error);
    uc_png_close(png);
    return status;
}

#ifdef UC_WITH_WEBP
/* RGB or RGBA to what is asked, in place: the channels only become fewer. */
static void from_rgb(uc_pixels *pixels, int channels, bool rgb)
{
    size_t n = (size_t)pixels->width * (size_t)pixels->height, step = (size_t)pixels->channels;
    const uint8_t *from = pixels->data;
    uint8_t *to = pixels->data;
    for (size_t i = 0; i < n; i++, from += step, to += channels) {
        uint8_t r = from[0], g = from[1], b = from[2];
        if (channels == 1) {
            to[0] = (uint8_t)uc_opencv_grey15(b, g, r);
            continue;
        }
        to[0] = rgb ? r : b;
        to[1] = g;
        to[2] = rgb ? b : r;
        if (channels == 4) to[3] = from[3];
    }
    pixels->channels = channels;
}

/* OpenCV takes an EXIF block that begins with its byte order, not one with "Exif" in front. */
static bool has_plain_exif(uc_bytes bytes)
{
    for (size_t at = 12; at <= bytes.size && bytes.size - at >= 12;) {
        const uint8_t *chunk = bytes.data + at;
        uint64_t size = uc_load_u32le(chunk + 4);
        if (memcmp(chunk, "EXIF", 4) == 0) return memcmp(chunk + 8, "Exif", 4) != 0;
        if (size + (size & 1) > bytes.size - at - 8) break;
        at += (size_t)(size + (size & 1)) + 8;
    }
    return false;
}

static uncork_status read_webp(uc_bytes bytes, uc_opencv_read flags, int *orientation,
                               uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    uc_image image;
    UC_TRY(uc_webp_decode(bytes, arena, &image, error));
    if (has_plain_exif(bytes)) *orientation = image.orientation;
    UC_TRY(uc_pixels_of_image(&image, arena, pixels, error));
    uc_opencv_type t = uc_opencv_asked(flags, UNCORK_UINT8, pixels->channels);
    from_rgb(pixels, t.channels, flags == UC_OPENCV_COLOR_RGB);
    return UNCORK_OK;
}
#endif

#ifdef UC_WITH_GIF
/* GifDecoder::getFrameCount_ walks the whole file before a pixel is read: the trailer has to be there,
 * and the last graphic control extension decides whether there is alpha. */
static uncork_status walk_gif(uc_bytes bytes, bool *alpha, uncork_error *error)
{
    uc_reader r = uc_reader_over(bytes.data, bytes.size, 0, error);
    uc_reader_skip(&r, 10, "GIF header");
    unsigned flags = uc_reader_u8(&r, "GIF flags");
    uc_reader_skip(&r, 2, "GIF header");
    if (flags & 0x80) uc_reader_skip(&r, 3u << ((flags & 7) + 1), "GIF palette");
    for (unsigned kind = uc_reader_u8(&r, "GIF block"); uc_reader_ok(&r) && kind != 0x3b;
         kind = uc_reader_u8(&r, "GIF block")) {
        unsigned label = 0;
        if (kind == 0x21) {
            label = uc_reader_u8(&r, "GIF extension");
        } else if (kind == 0x2c) {
            uc_reader_skip(&r, 8, "GIF frame");
            flags = uc_reader_u8(&r, "GIF frame flags");
            if (flags & 0x80) uc_reader_skip(&r, 3u << ((flags & 7) + 1), "GIF palette");
            uc_reader_skip(&r, 1, "GIF code size");
        } else {
            return uc_fail(error, UNCORK_MALFORMED, uc_reader_offset(&r),
                           "broken GIF: a block of kind %u", kind);
        }
        for (unsigned n = uc_reader_u8(&r, "GIF block"); n && uc_reader_ok(&r);
             n = uc_reader_u8(&r, "GIF block")) {
            uc_bytes block = uc_reader_take(&r, n, "GIF block");
            if (block.data && label == 0xf9 && n == 4) *alpha = block.data[0] & 1;
        }
    }
    return uc_reader_ok(&r) ? UNCORK_OK : error->status;
}

static uncork_status check_gif(const uc_gif *gif, const uc_gif_frame *f, uncork_error *error)
{
    bool inside = f->left + f->width <= gif->width && f->top + f->height <= gif->height;
    bool background = !gif->palette || gif->background < gif->palette_count;
    if (inside && background && f->disposal <= 3) return UNCORK_OK;
    return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                   "broken GIF: its first frame lies outside of its canvas or palette");
}

/* One pixel of a frame as B, G, R, A; false: left as it was. */
static uncork_status put_gif_pixel(const uc_gif *gif, const uc_gif_frame *f, unsigned index,
                                   uint8_t *bgra, uncork_error *error)
{
    const uint8_t *c;
    uint8_t grey[3];
    if (f->transparent >= 0 && index == (unsigned)f->transparent) return UNCORK_OK;
    if (f->own_palette && index < (unsigned)f->palette_count) {
        c = f->palette + 3 * index;
    } else if (index < (unsigned)gif->palette_count) {
        c = gif->palette + 3 * index;
    } else if (!f->own_palette && !gif->palette) {
        grey[0] = grey[1] = grey[2] = (uint8_t)(index == 1 ? 255 : index);
        c = grey;
    } else {
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET,
                       "broken GIF: a pixel of colour %u, which its palette doesn't have", index);
    }
    bgra[0] = c[2];
    bgra[1] = c[1];
    bgra[2] = c[0];
    bgra[3] = 255;
    return UNCORK_OK;
}

static uncork_status draw_gif(const uc_gif *gif, const uc_gif_frame *f, const uc_pixels *canvas,
                              uncork_error *error)
{
    uint8_t *bgra = canvas->data;
    if (gif->background < gif->palette_count) {
        const uint8_t *c = gif->palette + 3 * gif->background;
        for (size_t i = 0; i < (size_t)gif->width * (size_t)gif->height; i++) {
            bgra[4 * i] = c[2];
            bgra[4 * i + 1] = c[1];
            bgra[4 * i + 2] = c[0];
        }
    }
    const uint8_t *index = f->indices;
    for (int y = 0; y < f->height; y++) {
        uint8_t *to = bgra + 4 * ((size_t)(f->top + y) * (size_t)gif->width + (size_t)f->left);
        for (int x = 0; x < f->width; x++, to += 4) {
            UC_TRY(put_gif_pixel(gif, f, *index++, to, error));
        }
    }
    return UNCORK_OK;
}

static uncork_status read_gif(uc_bytes bytes, uc_opencv_read flags, uc_arena *arena,
                              uc_pixels *pixels, uncork_error *error)
{
    uc_gif gif;
    uc_pixels canvas;
    bool alpha = false;
    UC_TRY(walk_gif(bytes, &alpha, error));
    UC_TRY(uc_gif_read(bytes, 1, UC_GIF_END_REFUSED, arena, &gif, error));
    UC_TRY(check_gif(&gif, &gif.frames[0], error));
    UC_TRY(uc_pixels_new(UNCORK_UINT8, gif.height, gif.width, 4, arena, &canvas, error));
    UC_TRY(draw_gif(&gif, &gif.frames[0], &canvas, error));
    uc_opencv_type t = uc_opencv_asked(flags, UNCORK_UINT8, alpha ? 4 : 3);
    const uint8_t *from = canvas.data;
    uint8_t *to = canvas.data;
    for (size_t i = 0; i < (size_t)gif.width * (size_t)gif.height; i++, from += 4) {
        if (t.channels == 1) {
            *to++ = (uint8_t)uc_opencv_grey15(from[0], from[1], from[2]);
        } else {
            memmove(to, from, (size_t)t.channels);
            to += t.channels;
        }
    }
    *pixels = canvas;
    pixels->channels = t.channels;
    return UNCORK_OK;
}
#endif

static bool starts(uc_bytes bytes, size_t at, const char *text, size_t n)
{
    return bytes.size >= at + n && memcmp(bytes.data + at, text, n) == 0;
}

#ifdef UC_WITH_TIFF
static bool is_tiff(uc_bytes b)
{
    return starts(b, 0, "II*\0", 4) || starts(b, 0, "MM\0*", 4) || starts(b, 0, "II+\0", 4) ||
           starts(b, 0, "MM\0+", 4);
}
#endif

static bool is_pnm(uc_bytes b)
{
    return b.size >= 3 && b.data[0] == 'P' && b.data[1] >= '1' && b.data[1] <= '6' &&
           (b.data[2] == ' ' || (b.data[2] >= '\t' && b.data[2] <= '\r'));
}

/* *swap: the reader gave BGR where RGB is asked. */
static uncork_status read(uc_bytes bytes, uc_opencv_read flags, int *reduce, int *orientation,
                          bool *swap, uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    *orientation = 1;
    if (starts(bytes, 0, "\xff\xd8\xff", 3))
        return read_jpeg(bytes, flags, reduce, orientation, arena, pixels, error);
    if (starts(bytes, 0, "\x89PNG\r\n\x1a\n", 8))
        return read_png(bytes, flags, orientation, arena, pixels, error);
#ifdef UC_WITH_WEBP
    if (starts(bytes, 0, "RIFF", 4) && starts(bytes, 8, "WEBP", 4) && bytes.size >= 32)
        return read_webp(bytes, flags, orientation, arena, pixels, error);
#endif
    *swap = flags == UC_OPENCV_COLOR_RGB;
    if (starts(bytes, 0, "BM", 2)) return uc_opencv_bmp(bytes, flags, arena, pixels, error);
    if (is_pnm(bytes)) return uc_opencv_pnm(bytes, flags, arena, pixels, error);
#ifdef UC_WITH_GIF
    if (starts(bytes, 0, "GIF8", 4)) return read_gif(bytes, flags, arena, pixels, error);
#endif
#ifdef UC_WITH_TIFF
    if (is_tiff(bytes)) return uc_opencv_tiff(bytes, flags, arena, pixels, error);
#endif
    uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
            "this is no picture of a format that is read as OpenCV reads it");
    return uc_fix(error, "save it as PNG first");
}

static void swap_red_and_blue(const uc_pixels *pixels)
{
    size_t n = (size_t)pixels->width * (size_t)pixels->height;
    uint8_t *p = pixels->data;
    for (size_t i = 0; i < n && pixels->channels == 3; i++, p += 3) {
        uint8_t b = p[0];
        p[0] = p[2];
        p[2] = b;
    }
}

uncork_status uc_decode_opencv(uc_bytes bytes, uc_opencv_read flags, bool ignore_orientation,
                               int reduce, uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    int orientation = 1;
    bool swap = false;
    UC_TRY(read(bytes, flags, &reduce, &orientation, &swap, arena, pixels, error));
    if (pixels->width > SIDE || pixels->height > SIDE)
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
                       "OpenCV reads no picture with a side of more than %d pixels", SIDE);
    if (swap && pixels->dtype == UNCORK_UINT8) swap_red_and_blue(pixels);
    if (reduce > 1) {
        if (pixels->width < reduce || pixels->height < reduce)
            return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                           "a picture of %d x %d pixels has no part of 1/%d", pixels->width,
                           pixels->height, reduce);
        UC_TRY(uc_resize_opencv(pixels, pixels->width / reduce, pixels->height / reduce,
                                UC_OPENCV_LINEAR_EXACT, arena, pixels, error));
    }
    if (flags == UC_OPENCV_UNCHANGED || ignore_orientation) return UNCORK_OK;
    return uc_pixels_upright(pixels, orientation, arena, pixels, error);
}
