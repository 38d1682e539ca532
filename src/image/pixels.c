/* Array pictures: made, cut, and to and from Pillow's. */
#include "image/pixels.h"

#include "base/dtype.h"

size_t uc_pixels_count(const uc_pixels *pixels)
{
    return (size_t)pixels->height * (size_t)pixels->width * (size_t)pixels->channels;
}

size_t uc_pixels_bytes(const uc_pixels *pixels)
{
    return uc_pixels_count(pixels) * uc_dtype_size(pixels->dtype);
}

static uncork_status check_size(uncork_dtype dtype, int64_t height, int64_t width, int channels,
                                const uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    if (height < 1 || width < 1 || channels < 1)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a picture of %lld x %lld pixels",
                       (long long)width, (long long)height);
    if (channels > 16)
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET, "a picture of %d channels", channels);
    UC_TRY(uc_image_check_size(width, height, arena, error));
    *pixels = (uc_pixels){dtype, (int)height, (int)width, channels, NULL};
    return UNCORK_OK;
}

uncork_status uc_pixels_new(uncork_dtype dtype, int64_t height, int64_t width, int channels,
                            uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    UC_TRY(check_size(dtype, height, width, channels, arena, pixels, error));
    pixels->data = uc_arena_alloc(arena, uc_pixels_count(pixels), uc_dtype_size(dtype));
    return pixels->data ? UNCORK_OK : uc_arena_status(arena, error);
}

uncork_status uc_pixels_new_raw(uncork_dtype dtype, int64_t height, int64_t width, int channels,
                                uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    UC_TRY(check_size(dtype, height, width, channels, arena, pixels, error));
    pixels->data = uc_arena_alloc_raw(arena, uc_pixels_bytes(pixels));
    return pixels->data ? UNCORK_OK : uc_arena_status(arena, error);
}

static uncork_dtype dtype_of_mode(uc_image_mode mode)
{
    switch (mode) {
    case UC_IMAGE_1: return UNCORK_BOOL;
    case UC_IMAGE_I16: return UNCORK_UINT16;
    case UC_IMAGE_I: return UNCORK_INT32;
    case UC_IMAGE_F: return UNCORK_FLOAT32;
    case UC_IMAGE_L:
    case UC_IMAGE_LA:
    case UC_IMAGE_P:
    case UC_IMAGE_RGB:
    case UC_IMAGE_RGBA:
    case UC_IMAGE_CMYK: break;
    }
    return UNCORK_UINT8;
}

uncork_status uc_pixels_of_image(const uc_image *image, uc_arena *arena, uc_pixels *pixels,
                                 uncork_error *error)
{
    *pixels = (uc_pixels){dtype_of_mode(image->mode), image->height, image->width,
                          uc_image_channels(image->mode), image->data};
    if (image->mode != UC_IMAGE_1) return UNCORK_OK;
    UC_TRY(uc_pixels_new(UNCORK_BOOL, image->height, image->width, 1, arena, pixels, error));
    const uint8_t *from = image->data;
    uint8_t *to = pixels->data;
    for (size_t i = 0; i < uc_pixels_count(pixels); i++) {
        to[i] = from[i] != 0;
    }
    return UNCORK_OK;
}

uncork_status uc_pixels_to_image(const uc_pixels *pixels, uc_arena *arena, uc_image *image,
                                 uncork_error *error)
{
    static const uc_image_mode of_channels[] = {UC_IMAGE_L, UC_IMAGE_LA, UC_IMAGE_RGB,
                                                UC_IMAGE_RGBA};
    uc_image_mode mode = UC_IMAGE_L;
    bool known = pixels->channels == 1;
    if (pixels->dtype == UNCORK_UINT8 && pixels->channels >= 1 && pixels->channels <= 4) {
        mode = of_channels[pixels->channels - 1];
        known = true;
    } else if (pixels->dtype == UNCORK_BOOL) {
        mode = UC_IMAGE_1;
    } else if (pixels->dtype == UNCORK_UINT16) {
        mode = UC_IMAGE_I16;
    } else if (pixels->dtype == UNCORK_INT32) {
        mode = UC_IMAGE_I;
    } else if (pixels->dtype == UNCORK_FLOAT32) {
        mode = UC_IMAGE_F;
    } else {
        known = false;
    }
    if (!known) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "Pillow has no picture of %s with %d channels", uc_dtype_name(pixels->dtype),
                       pixels->channels);
    }
    if (mode != UC_IMAGE_1) {
        *image = (uc_image){.mode = mode,
                            .width = pixels->width,
                            .height = pixels->height,
                            .data = pixels->data,
                            .orientation = 1};
        return UNCORK_OK;
    }
    UC_TRY(uc_image_new(mode, pixels->width, pixels->height, arena, image, error));
    for (size_t i = 0; i < uc_pixels_count(pixels); i++) {
        ((uint8_t *)image->data)[i] = ((const uint8_t *)pixels->data)[i] ? 255 : 0;
    }
    return UNCORK_OK;
}

uncork_status uc_pixels_upright(const uc_pixels *from, int orientation, uc_arena *arena,
                                uc_pixels *pixels, uncork_error *error)
{
    int o = orientation;
    if (o < 2 || o > 8) {
        *pixels = *from;
        return UNCORK_OK;
    }
    bool swapped = o >= 5;
    uc_pixels to;
    UC_TRY(uc_pixels_new(from->dtype, swapped ? from->width : from->height,
                         swapped ? from->height : from->width, from->channels, arena, &to, error));
    size_t size = (size_t)from->channels * uc_dtype_size(from->dtype);
    /* mirrored left-right / top-bottom in the source, after the axes are swapped for 5 to 8 */
    bool flip_x = o == 2 || o == 3 || o == 7 || o == 8,
         flip_y = o == 3 || o == 4 || o == 6 || o == 7;
    uint8_t *out = to.data;
    for (int y = 0; y < to.height; y++) {
        int sx = swapped ? y : 0, sy = swapped ? 0 : y;
        if (flip_x) sx = from->width - 1 - sx;
        if (flip_y) sy = from->height - 1 - sy;
        ptrdiff_t step = swapped ? (ptrdiff_t)size * from->width : (ptrdiff_t)size;
        if (swapped ? flip_y : flip_x) step = -step;
        const uint8_t *in =
            (const uint8_t *)from->data + ((size_t)sy * (size_t)from->width + (size_t)sx) * size;
        for (int x = 0; x < to.width; x++, in += step, out += size) {
            memcpy(out, in, size);
        }
    }
    *pixels = to;
    return UNCORK_OK;
}
