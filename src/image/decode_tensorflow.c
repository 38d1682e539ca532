/* tf.io.decode_image, decode_jpeg, decode_png, decode_bmp, decode_gif: one kernel, which looks at the
 * bytes and not at the operator's name. Source: TensorFlow 2.21, core/kernels/image/decode_image_op.cc,
 * core/lib/jpeg/jpeg_mem.cc, core/lib/png/png_io.cc, core/lib/gif/gif_io.cc; tests/vectors compares. */
#include "image/decode.h"
#include "image/gif.h"
#include "image/jpeg.h"
#include "image/png.h"
#include "image/webp.h"

#include "base/reader.h"

#define DIMENSION (1 << 27) /* a PNG's side */

typedef struct reading {
    uc_bytes bytes;
    const uc_tensorflow_decode *options;
    uc_arena *arena;
    uc_pixels *pixels;
    int *frames;
    uncork_error *error;
} reading;

static uncork_status refuse(const reading *r, const char *what)
{
    return uc_fail(r->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "TensorFlow refuses this: %s", what);
}

/* `frames` pictures behind one another. */
static uncork_status new_pixels(const reading *r, int width, int height, int channels, int frames)
{
    UC_TRY(uc_pixels_new(UNCORK_UINT8, (int64_t)height * frames, width, channels, r->arena,
                         r->pixels, r->error));
    r->pixels->height = height;
    *r->frames = frames;
    return UNCORK_OK;
}

/* 8 bits to the type asked for, as it widens everything but PNG. */
static uncork_status widen(const reading *r)
{
    uncork_dtype dtype = r->options->dtype;
    const uc_pixels from = *r->pixels;
    size_t n = uc_pixels_count(&from) * (size_t)*r->frames;
    const uint8_t *in = from.data;
    if (dtype != UNCORK_UINT16 && dtype != UNCORK_FLOAT32) return UNCORK_OK;
    UC_TRY(uc_pixels_new(dtype, (int64_t)from.height * *r->frames, from.width, from.channels,
                         r->arena, r->pixels, r->error));
    r->pixels->height = from.height;
    for (size_t i = 0; i < n; i++) {
        if (dtype == UNCORK_UINT16)
            ((uint16_t *)r->pixels->data)[i] = (uint16_t)(in[i] * 256);
        else
            ((float *)r->pixels->data)[i] = (float)in[i] * (1.0f / 255.0f);
    }
    return UNCORK_OK;
}

/* 4 samples a pixel as libjpeg gives them to RGB, in place. */
static void from_cmyk(uc_pixels *pixels, bool adobe)
{
    size_t n = (size_t)pixels->width * (size_t)pixels->height;
    const uint8_t *from = pixels->data;
    uint8_t *to = pixels->data;
    for (size_t i = 0; i < n; i++, from += 4) {
        unsigned k = from[3];
        for (int c = 0; c < 3; c++) {
            *to++ = (uint8_t)(adobe ? k * from[c] / 255 : (255 - k) * (255u - from[c]) / 255);
        }
    }
    pixels->channels = 3;
}

static uncork_status read_jpeg(const reading *r)
{
    const uc_tensorflow_decode *o = r->options;
    bool own = o->op == UC_TF_DECODE_JPEG; /* the others' settings are the defaults */
    uc_jpeg *jpeg;
    uc_jpeg_header h;
    if (o->op == UC_TF_DECODE_BMP) return refuse(r, "decode_bmp of a JPEG");
    if (o->channels == 4) return refuse(r, "a JPEG with 4 channels");
    uc_jpeg_end end = own && o->try_recover ? UC_JPEG_END_FILLED : UC_JPEG_END_REFUSED;
    UC_TRY(uc_jpeg_open(r->bytes, end, r->arena, &jpeg, &h, r->error));
    int channels = o->channels ? o->channels : h.components < 3 ? h.components : 3;
    uc_jpeg_settings s = {.color = channels == 1 ? UC_JPEG_GREY
                                   : h.four      ? UC_JPEG_CMYK
                                                 : UC_JPEG_RGB,
                          .fast_dct = !own || !o->accurate_dct,
                          .plain_upsampling = own && o->plain_upscaling,
                          .ratio = own ? o->ratio : 1,
                          .end = end};
    uncork_status status = channels == 2 ? refuse(r, "a JPEG with 2 components")
                                         : uc_jpeg_read(jpeg, &s, r->arena, r->pixels, r->error);
    uc_jpeg_close(jpeg);
    if (status) return status;
    if (s.color == UC_JPEG_CMYK) from_cmyk(r->pixels, h.adobe);
    return widen(r);
}

/* 16 bits from 8, and float from 16. */
static uncork_status widen_png(const reading *r)
{
    uncork_dtype dtype = r->options->dtype;
    const uc_pixels from = *r->pixels;
    if (dtype != UNCORK_UINT16 && dtype != UNCORK_FLOAT32) return UNCORK_OK;
    bool wide = from.dtype == UNCORK_UINT16;
    if (wide && dtype == UNCORK_UINT16) return UNCORK_OK;
    UC_TRY(uc_pixels_new(dtype, from.height, from.width, from.channels, r->arena, r->pixels,
                         r->error));
    for (size_t i = 0; i < uc_pixels_count(&from); i++) {
        unsigned v =
            wide ? ((const uint16_t *)from.data)[i] : ((const uint8_t *)from.data)[i] * 257u;
        if (dtype == UNCORK_UINT16)
            ((uint16_t *)r->pixels->data)[i] = (uint16_t)v;
        else
            ((float *)r->pixels->data)[i] = (float)v * (1.0f / 65535.0f);
    }
    return UNCORK_OK;
}

static uncork_status read_png(const reading *r)
{
    const uc_tensorflow_decode *o = r->options;
    bool wide = o->dtype == UNCORK_UINT16 || o->dtype == UNCORK_FLOAT32;
    uc_png *png;
    uc_png_header h;
    if (o->op == UC_TF_DECODE_BMP) return refuse(r, "decode_bmp of a PNG");
    UC_TRY(uc_png_open(r->bytes, true, r->arena, &png, &h, r->error));
    int channels = o->channels ? o->channels : !h.palette ? h.channels : h.transparent ? 4 : 3;
    bool alpha = channels % 2 == 0;
    uc_png_settings s = {.strip_16 = !wide,
                         .strip_alpha = !alpha && (h.alpha || h.transparent),
                         .expand_trns = alpha && !h.alpha && h.transparent,
                         .add_alpha = alpha && !h.alpha && !h.transparent,
                         .palette_to_rgb = h.palette,
                         .grey_to_8 = !h.color,
                         .to_color = channels > 2 && !h.color,
                         .red = channels < 3 && h.color ? 0.299 : 0,
                         .green = 0.587};
    uncork_status status = h.width >= DIMENSION || h.height >= DIMENSION
                               ? refuse(r, "a PNG of more than 134217728 pixels a side")
                               : uc_png_read(png, &s, r->arena, r->pixels, r->error);
    uc_png_close(png);
    if (status) return status;
    if (r->pixels->channels != channels)
        return uc_fail(r->error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "this PNG has %d channels where %d are asked for", r->pixels->channels,
                       channels);
    return widen_png(r);
}

/* decode_image_op.cc knows the place of the pixels, the size and the depth, and nothing else of the
 * header: a palette's indices come out as they are, padding counts the channels' whole bytes. */
static uncork_status read_bmp(const reading *r)
{
    const uc_tensorflow_decode *o = r->options;
    if (o->channels == 1) return refuse(r, "a BMP with 1 channel");
    if (o->op != UC_TF_DECODE_BMP && o->op != UC_TF_DECODE_IMAGE)
        return refuse(r, "a BMP by another operator than decode_bmp and decode_image");
    uc_reader in = uc_reader_over(r->bytes.data, r->bytes.size, 0, r->error);
    uc_reader_skip(&in, 10, "BMP header");
    int64_t offset = (int32_t)uc_reader_u32le(&in, "BMP data offset");
    uc_reader_skip(&in, 4, "BMP header");
    int64_t width = (int32_t)uc_reader_u32le(&in, "BMP width"),
            height = (int32_t)uc_reader_u32le(&in, "BMP height");
    uc_reader_skip(&in, 2, "BMP header");
    int bits = (int16_t)uc_reader_u16le(&in, "BMP bits"), from = bits / 8;
    uc_reader_skip(&in, 2, "BMP header");
    if (!uc_reader_ok(&in)) return r->error->status;
    bool top_down = height < 0;
    int64_t rows = top_down ? -height : height, pitch = (from * width + 3) / 4 * 4;
    if (from != 1 && from != 3 && from != 4) return refuse(r, "the bits a pixel of this BMP");
    if (width < 1 || rows == 0 || offset < 0 || width * rows >= INT32_MAX / 8)
        return refuse(r, "the size of this BMP");
    if (offset + pitch * rows != (int64_t)r->bytes.size)
        return refuse(r, "a BMP whose size isn't that of its header and pixels");
    int to = o->channels ? o->channels : from;
    UC_TRY(new_pixels(r, (int)width, (int)rows, to, 1));
    uint8_t *out = r->pixels->data;
    for (int64_t y = 0; y < rows; y++) {
        const uint8_t *p = r->bytes.data + offset + pitch * (top_down ? y : rows - 1 - y);
        for (int64_t x = 0; x < width; x++, p += from, out += to) {
            out[0] = p[from == 1 ? 0 : 2];
            if (to == 1) continue;
            out[1] = p[from == 1 ? 0 : 1];
            out[2] = p[0];
            if (to == 4) out[3] = from == 4 ? p[3] : 255;
        }
    }
    return widen(r);
}

#ifdef UC_WITH_GIF
/* A frame over the one in front of it; transparent pixels keep what is there. */
static uncork_status draw_frame(const reading *r, const uc_gif_frame *f, uint8_t *to)
{
    int width = r->pixels->width, height = r->pixels->height;
    if (!f->palette) return refuse(r, "a GIF frame without a palette");
    for (int y = 0; y < f->height && f->top + y < height; y++) {
        const uint8_t *index = f->indices + (size_t)y * (size_t)f->width;
        uint8_t *p = to + 3 * ((size_t)(f->top + y) * (size_t)width + (size_t)f->left);
        for (int x = 0; x < f->width && f->left + x < width; x++, p += 3) {
            if (index[x] == f->transparent) continue;
            if (index[x] >= f->palette_count)
                return refuse(r, "a GIF colour outside of its palette");
            memcpy(p, f->palette + 3 * index[x], 3);
        }
    }
    return UNCORK_OK;
}

static uncork_status read_gif(const reading *r)
{
    const uc_tensorflow_decode *o = r->options;
    uc_gif gif;
    int width = 0, height = 0;
    bool first = o->op == UC_TF_DECODE_IMAGE && o->first_frame_only;
    if (o->channels != 0 && o->channels != 3) return refuse(r, "a GIF with other than 3 channels");
    if (o->op == UC_TF_DECODE_BMP) return refuse(r, "decode_bmp of a GIF");
    UC_TRY(uc_gif_read(r->bytes, SIZE_MAX, UC_GIF_END_KEPT, r->arena, &gif, r->error));
    if (gif.count > 1 && (o->op == UC_TF_DECODE_PNG || o->op == UC_TF_DECODE_JPEG))
        return refuse(r, "an animated GIF by decode_png or decode_jpeg");
    for (size_t i = 0; i < gif.count; i++) { /* the canvas is as large as the largest frame */
        if (gif.frames[i].width > width) width = gif.frames[i].width;
        if (gif.frames[i].height > height) height = gif.frames[i].height;
    }
    int frames = first ? 1 : (int)gif.count;
    UC_TRY(new_pixels(r, width, height, 3, frames));
    size_t size = uc_pixels_count(r->pixels);
    for (int i = 0; i < frames; i++) {
        uint8_t *to = (uint8_t *)r->pixels->data + (size_t)i * size;
        if (i > 0) memcpy(to, to - size, size);
        UC_TRY(draw_frame(r, &gif.frames[i], to));
    }
    return widen(r);
}
#endif

#ifdef UC_WITH_WEBP
static uncork_status read_webp(const reading *r)
{
    const uc_tensorflow_decode *o = r->options;
    uc_webp_header h;
    if (o->channels == 1) return refuse(r, "a WebP with 1 channel");
    if (o->dtype != UNCORK_DTYPE_NONE && o->dtype != UNCORK_UINT8)
        return refuse(r, "a WebP in another type than uint8");
    UC_TRY(uc_webp_header_read(r->bytes, &h, r->error));
    int channels = h.alpha || h.animated ? 4 : 3;
    if (o->channels != 0 && o->channels != channels)
        return refuse(r, "a WebP with other channels than its own");
    int frames = h.animated && !o->first_frame_only ? h.frames : 1;
    UC_TRY(new_pixels(r, h.width, h.height, channels, frames));
    return uc_webp_read(r->bytes, &h, frames, r->arena, r->pixels, r->error);
}
#endif

static bool starts(uc_bytes bytes, size_t at, const char *text, size_t n)
{
    return bytes.size >= at + n && memcmp(bytes.data + at, text, n) == 0;
}

uncork_status uc_decode_tensorflow(uc_bytes bytes, const uc_tensorflow_decode *options,
                                   uc_arena *arena, uc_pixels *pixels, int *frames,
                                   uncork_error *error)
{
    reading r = {bytes, options, arena, pixels, frames, error};
    *frames = 1;
    if (options->op == UC_TF_DECODE_PNG && options->dtype == UNCORK_FLOAT32)
        return refuse(&r, "decode_png to float32");
    if (starts(bytes, 0, "\xff\xd8\xff", 3)) return read_jpeg(&r);
    if (starts(bytes, 0, "\x89PNG\r\n\x1a\n", 8)) return read_png(&r);
#ifdef UC_WITH_GIF
    if (starts(bytes, 0, "GIF8", 4)) return read_gif(&r);
#endif
    if (starts(bytes, 0, "BM", 2)) return read_bmp(&r);
#ifdef UC_WITH_WEBP
    if (starts(bytes, 0, "RIFF", 4) && starts(bytes, 8, "WEBP", 4) && bytes.size > 12)
        return read_webp(&r);
#endif
    refuse(&r, "it is no JPEG, PNG, GIF, BMP or WebP picture");
    return uc_fix(error, "save it as PNG first");
}
