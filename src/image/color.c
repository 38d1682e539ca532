/* Pillow's Image.convert, exif_transpose and crop. Whose results are matched:
 * Pillow's libImaging/Convert.c and ImageOps.py; tests/image compares. */
#include "image/image.h"
#include "image/pixel.h"
#include "image/pixels.h"

#include <math.h>

static inline uint8_t grey(const uint8_t *rgb)
{
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

static uint8_t clip8(int v) { return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v); }

/* Any mode's pixel as RGBA. */
static void load_rgba(const uc_image *im, size_t i, uint8_t rgba[4])
{
    const uint8_t *p = (const uint8_t *)im->data + i * (size_t)uc_image_channels(im->mode);
    uint8_t v;
    rgba[3] = 255;
    switch (im->mode) {
    case UC_IMAGE_P: memcpy(rgba, im->palette[p[0]], 4); return;
    case UC_IMAGE_RGB: memcpy(rgba, p, 3); return;
    case UC_IMAGE_RGBA: memcpy(rgba, p, 4); return;
    case UC_IMAGE_CMYK:
        for (int c = 0; c < 3; c++) {
            unsigned nk = 255u - p[3];
            rgba[c] = clip8((int)nk - (int)uc_muldiv255(p[c], nk));
        }
        return;
    case UC_IMAGE_LA:
        rgba[3] = p[1];
        v = p[0];
        break;
    case UC_IMAGE_I16: {
        uint16_t w = ((const uint16_t *)im->data)[i];
        v = (uint8_t)(w > 255 ? 255 : w);
        break;
    }
    case UC_IMAGE_I: {
        int32_t w = ((const int32_t *)im->data)[i];
        v = clip8(w < 0 ? 0 : w > 255 ? 255 : w);
        break;
    }
    case UC_IMAGE_F: {
        float f = ((const float *)im->data)[i];
        v = f <= 0.0f || isnan(f) ? 0 : f >= 255.0f ? 255 : (uint8_t)f;
        break;
    }
    case UC_IMAGE_1:
    case UC_IMAGE_L:
    default: v = p[0]; break;
    }
    rgba[0] = rgba[1] = rgba[2] = v;
}

/* Alpha of a pixel that may be the transparent colour. */
static uint8_t key_alpha(const uc_image *im, const uint8_t rgba[4])
{
    bool match =
        im->has_key && rgba[0] == im->key[0] && rgba[1] == im->key[1] && rgba[2] == im->key[2];
    return match ? 0 : rgba[3];
}

static bool is_grey(uc_image_mode mode)
{
    return mode != UC_IMAGE_P && mode != UC_IMAGE_RGB && mode != UC_IMAGE_RGBA &&
           mode != UC_IMAGE_CMYK;
}

static float load_float(const uc_image *im, size_t i)
{
    if (im->mode == UC_IMAGE_F) return ((const float *)im->data)[i];
    if (im->mode == UC_IMAGE_I) return (float)((const int32_t *)im->data)[i];
    if (im->mode == UC_IMAGE_I16) return (float)((const uint16_t *)im->data)[i];
    uint8_t p[4];
    load_rgba(im, i, p);
    if (is_grey(im->mode)) return (float)p[0];
    return (float)(299 * p[0] + 587 * p[1] + 114 * p[2]) / 1000.0f;
}

/* The common case, apart so that the compiler sees a plain loop. */
static void rgb_to_grey(const uint8_t *rgb, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = grey(rgb + 3 * i);
    }
}

uncork_status uc_image_convert(const uc_image *from, uc_image_mode mode, uc_arena *arena,
                               uc_image *image, uncork_error *error)
{
    if (from->mode == mode) {
        *image = *from;
        return UNCORK_OK;
    }
    if (mode != UC_IMAGE_L && mode != UC_IMAGE_RGB && mode != UC_IMAGE_RGBA &&
        mode != UC_IMAGE_LA && mode != UC_IMAGE_F) {
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "pictures of mode %s aren't converted to %s", uc_image_mode_name(from->mode),
                       uc_image_mode_name(mode));
    }
    uc_image to;
    UC_TRY(uc_image_new(mode, from->width, from->height, arena, &to, error));
    to.orientation = from->orientation;
    to.format = from->format;
    size_t n = (size_t)from->width * (size_t)from->height;
    if (from->mode == UC_IMAGE_RGB && mode == UC_IMAGE_L) {
        rgb_to_grey(from->data, to.data, n);
        *image = to;
        return UNCORK_OK;
    }
    uint8_t *out = to.data, rgba[4];
    for (size_t i = 0; i < n; i++) {
        if (mode == UC_IMAGE_F) {
            ((float *)to.data)[i] = load_float(from, i);
            continue;
        }
        load_rgba(from, i, rgba);
        if (mode == UC_IMAGE_L || mode == UC_IMAGE_LA) {
            *out++ = is_grey(from->mode) ? rgba[0] : grey(rgba);
            if (mode == UC_IMAGE_LA) *out++ = rgba[3];
        } else {
            size_t channels = mode == UC_IMAGE_RGB ? 3 : 4;
            rgba[3] = key_alpha(from, rgba);
            memcpy(out, rgba, channels);
            out += channels;
        }
    }
    *image = to;
    return UNCORK_OK;
}

uncork_status uc_image_upright(const uc_image *from, uc_arena *arena, uc_image *image,
                               uncork_error *error)
{
    const uc_image kept = *from; /* `image` may be `from` */
    const size_t pixel = (size_t)uc_image_channels(kept.mode) * uc_image_channel_bytes(kept.mode);
    uc_pixels bytes = {UNCORK_UINT8, kept.height, kept.width, (int)pixel, kept.data};
    UC_TRY(uc_pixels_upright(&bytes, kept.orientation, arena, &bytes, error));
    *image = kept;
    image->width = bytes.width;
    image->height = bytes.height;
    image->data = bytes.data;
    if (bytes.data != kept.data) image->orientation = 1;
    return UNCORK_OK;
}
