/* Pillow's operations: Image.open, convert, exif_transpose, draft, resize, reduce, thumbnail. */
#include "vectors.h"

static int find(uc_str s, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (uc_str_is(s, names[i])) return (int)i;
    }
    return -1;
}

static uncork_status mode_param(const vector *v, uc_image_mode *mode)
{
    static const char *const names[] = {"1",    "L",    "LA",   "P", "RGB",
                                        "RGBA", "CMYK", "I;16", "I", "F"};
    int i = find(vector_text(v, "mode", ""), names, sizeof names / sizeof names[0]);
    if (i < 0) return vector_unknown(v, "mode");
    *mode = (uc_image_mode)i;
    return UNCORK_OK;
}

static uncork_status filter_param(const vector *v, const char *name, uc_pillow_filter *filter)
{
    static const char *const names[] = {"nearest", "lanczos", "bilinear", "bicubic", "box",
                                        "hamming", "mks2013", "mks2021",  "default"};
    int i = find(vector_text(v, name, "default"), names, sizeof names / sizeof names[0]);
    if (i < 0) return vector_unknown(v, name);
    *filter = (uc_pillow_filter)i;
    return UNCORK_OK;
}

static uncork_status convert(vector *v)
{
    uc_image image;
    uc_image_mode mode;
    UC_TRY(mode_param(v, &mode));
    UC_TRY(vector_open(v, &image));
    UC_TRY(uc_image_convert(&image, mode, v->arena, &image, v->error));
    return vector_give_image(v, &image);
}

/* Mode 1 is kept as 0 and 1 of uint8 there. */
static uncork_status raw(vector *v)
{
    uc_image image;
    uc_image_mode mode;
    UC_TRY(mode_param(v, &mode));
    UC_TRY(vector_open(v, &image));
    if (image.mode != mode)
        return uc_fail(v->error, UNCORK_INPUT, UC_NO_OFFSET, "opens as mode %s",
                       uc_image_mode_name(image.mode));
    UC_TRY(vector_give_image(v, &image));
    if (mode == UC_IMAGE_1) v->result->dtype = UNCORK_UINT8;
    return UNCORK_OK;
}

static uncork_status exif_transpose(vector *v)
{
    uc_image image;
    uc_image_mode mode;
    UC_TRY(mode_param(v, &mode));
    UC_TRY(vector_open(v, &image));
    UC_TRY(uc_image_upright(&image, v->arena, &image, v->error));
    UC_TRY(uc_image_convert(&image, mode, v->arena, &image, v->error));
    return vector_give_image(v, &image);
}

/* Image.draft(mode, size), then load. */
static uncork_status draft(vector *v)
{
    uc_image image;
    int size[2];
    UC_TRY(vector_ints(v, "size", size, 2));
    UC_TRY(uc_decode_pillow_draft(v->file, uc_str_is(vector_text(v, "mode", ""), "L"), size[0],
                                  size[1], v->arena, &image, v->error));
    return vector_give_image(v, &image);
}

/* The picture that the vectors of a mode start from: RGB and L by convert; what else has a formula of
 * the pixel: alpha (7*y + 11*x) % 256; LA, F and I from green g as g, g*1.37f - 20f, g*300 - 7000. */
static uncork_status source_of_mode(const vector *v, uc_image_mode mode, uc_image *image)
{
    uc_image rgb;
    UC_TRY(vector_open(v, &rgb));
    UC_TRY(uc_image_convert(&rgb, UC_IMAGE_RGB, v->arena, &rgb, v->error));
    if (mode == UC_IMAGE_RGB || mode == UC_IMAGE_L)
        return uc_image_convert(&rgb, mode, v->arena, image, v->error);
    UC_TRY(uc_image_new(mode, rgb.width, rgb.height, v->arena, image, v->error));
    const uint8_t *from = rgb.data;
    uint8_t *to = image->data;
    for (int y = 0; y < rgb.height; y++) {
        for (int x = 0; x < rgb.width; x++, from += 3) {
            size_t i = (size_t)y * (size_t)rgb.width + (size_t)x;
            uint8_t alpha = (uint8_t)(7 * y + 11 * x);
            switch (mode) {
            case UC_IMAGE_RGBA:
                memcpy(to + 4 * i, from, 3);
                to[4 * i + 3] = alpha;
                break;
            case UC_IMAGE_LA:
                to[2 * i] = from[1];
                to[2 * i + 1] = alpha;
                break;
            case UC_IMAGE_F: ((float *)image->data)[i] = (float)from[1] * 1.37f - 20.0f; break;
            case UC_IMAGE_I: ((int32_t *)image->data)[i] = from[1] * 300 - 7000; break;
            case UC_IMAGE_1:
            case UC_IMAGE_L:
            case UC_IMAGE_P:
            case UC_IMAGE_RGB:
            case UC_IMAGE_CMYK:
            case UC_IMAGE_I16: return vector_unknown(v, "mode");
            }
        }
    }
    return UNCORK_OK;
}

static uncork_status resize(vector *v)
{
    uc_image image;
    uc_image_mode mode;
    uc_pillow_filter filter = UC_PILLOW_NEAREST;
    int size[2];
    double box[4];
    bool has_box = vector_has(v, "box");
    UC_TRY(mode_param(v, &mode));
    UC_TRY(filter_param(v, "filter", &filter));
    UC_TRY(vector_ints(v, "size", size, 2));
    if (has_box) UC_TRY(vector_doubles(v, "box", box, 4));
    UC_TRY(source_of_mode(v, mode, &image));
    UC_TRY(uc_resize_pillow(&image, size[0], size[1], filter, has_box ? box : NULL,
                            vector_number(v, "reducing_gap", 0), vector_major(v), v->arena, &image,
                            v->error));
    return vector_give_image(v, &image);
}

const vector_row vectors_pillow[] = {
    {"Pillow", "decode_convert", convert},
    {"Pillow", "decode_raw", raw},
    {"Pillow", "decode_exif_transpose", exif_transpose},
    {"Pillow", "jpeg_draft", draft},
    {"Pillow", "resize", resize},
    {NULL, NULL, NULL},
};
