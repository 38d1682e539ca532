/* The readers that stand on Pillow: skimage.io.imread and imageio (palettes become colours), matplotlib
 * (PNG as float32).
 * Source: imageio 2.38, plugins/pillow.py; matplotlib 3.11, image.py (_pil_png_to_float_array,
 * pil_to_array); tests/vectors compares. */
#include "image/decode.h"

static bool is_png(uc_bytes bytes)
{
    return bytes.size > 25 && memcmp(bytes.data, "\x89PNG\r\n\x1a\n", 8) == 0;
}

uncork_status uc_decode_skimage(uc_bytes bytes, uc_arena *arena, uc_pixels *pixels,
                                uncork_error *error)
{
    uc_image image;
    UC_TRY(uc_image_decode(bytes, arena, &image, error));
    /* it keeps bits as bool but those of a PBM */
    bool pbm = image.mode == UC_IMAGE_1 && strcmp(image.format, "PNM") == 0;
    if (image.mode == UC_IMAGE_P || pbm)
        UC_TRY(uc_image_convert(&image, UC_IMAGE_RGB, arena, &image, error));
    return uc_pixels_of_image(&image, arena, pixels, error);
}

/* The largest value that it divides a PNG of this mode by: of 2 and 4 bits the file's, though Pillow has
 * scaled those to 255 already. */
static float png_scale(uc_bytes bytes, const uc_image *image)
{
    unsigned depth = bytes.data[24];
    if (image->mode == UC_IMAGE_1) return 255.0f; /* kept as 0 and 255 here, False and True there */
    if (image->mode == UC_IMAGE_L && depth < 8) return (float)((1u << depth) - 1);
    return image->mode == UC_IMAGE_I16 ? 65535.0f : 255.0f;
}

static uncork_status png_to_float(const uc_image *image, float scale, uc_arena *arena,
                                  uc_pixels *pixels, uncork_error *error)
{
    uc_pixels from = {UNCORK_UINT8, image->height, image->width, uc_image_channels(image->mode),
                      image->data};
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, from.height, from.width, from.channels, arena, pixels,
                         error));
    float *to = pixels->data;
    for (size_t i = 0; i < uc_pixels_count(&from); i++) {
        unsigned v = image->mode == UC_IMAGE_I16 ? ((const uint16_t *)image->data)[i]
                                                 : ((const uint8_t *)image->data)[i];
        to[i] = (float)v / scale;
    }
    return UNCORK_OK;
}

uncork_status uc_decode_matplotlib(uc_bytes bytes, uc_arena *arena, uc_pixels *pixels,
                                   uncork_error *error)
{
    uc_image image;
    UC_TRY(uc_image_decode(bytes, arena, &image, error));
    bool png = is_png(bytes);
    float scale = png ? png_scale(bytes, &image) : 1;
    bool kept = image.mode == UC_IMAGE_RGB || image.mode == UC_IMAGE_RGBA ||
                image.mode == UC_IMAGE_L || image.mode == UC_IMAGE_I16 ||
                (png && image.mode == UC_IMAGE_1);
    if (!kept) UC_TRY(uc_image_convert(&image, UC_IMAGE_RGBA, arena, &image, error));
    return png ? png_to_float(&image, scale, arena, pixels, error)
               : uc_pixels_of_image(&image, arena, pixels, error);
}
