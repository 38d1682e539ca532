/* cv2.resize, cvtColor and blobFromImage. The vectors' pictures are RGB arrays unless they say BGR. */
#include "vectors_resize.h"

#include "image/scale.h"

/* The array an operation starts from: "dtype", "channels" (RGB or G) and "input" (u8/255). */
uncork_status vector_source(const vector *v, uc_pixels *pixels)
{
    uc_pixels rgb;
    UC_TRY(vector_rgb(v, &rgb));
    const bool green = uc_str_is(vector_text(v, "channels", "RGB"), "G");
    const uc_str dtype = vector_text(v, "dtype", "uint8"), input = vector_text(v, "input", "uint8");
    const bool real = uc_str_is(dtype, "float32") || uc_str_is(input, "float32") ||
                      uc_str_is(input, "u8/255") || uc_str_is(dtype, "float64");
    const bool parts = uc_str_is(input, "u8/255");
    const int channels = green ? 1 : 3;
    UC_TRY(uc_pixels_new(uc_str_is(dtype, "float64")  ? UNCORK_FLOAT64
                         : uc_str_is(dtype, "uint16") ? UNCORK_UINT16
                         : real                       ? UNCORK_FLOAT32
                                                      : UNCORK_UINT8,
                         rgb.height, rgb.width, channels, v->arena, pixels, v->error));
    for (size_t i = 0; i < uc_pixels_count(pixels); i++) {
        const uint8_t b = ((const uint8_t *)rgb.data)[green ? 3 * i + 1 : i];
        switch ((int)pixels->dtype) {
        case UNCORK_UINT8: ((uint8_t *)pixels->data)[i] = b; break;
        case UNCORK_UINT16: ((uint16_t *)pixels->data)[i] = (uint16_t)(b * 257); break;
        case UNCORK_FLOAT32:
            ((float *)pixels->data)[i] = parts ? (float)b / 255.0f : (float)b;
            break;
        default: ((double *)pixels->data)[i] = parts ? b / 255.0 : b; break;
        }
    }
    return UNCORK_OK;
}

int vector_name(const vector *v, const char *param, const char *otherwise, const char *const *names,
                size_t count)
{
    const uc_str s = vector_text(v, param, otherwise);
    for (size_t i = 0; i < count; i++) {
        if (uc_str_is(s, names[i])) return (int)i;
    }
    return -1;
}

static uncork_status resize(vector *v)
{
    static const char *const names[] = {"nearest",  "linear",       "cubic",        "area",
                                        "lanczos4", "linear_exact", "nearest_exact"};
    int size[2], filter = vector_name(v, "interpolation", "linear", names, 7);
    uc_pixels pixels;
    if (filter < 0) return vector_unknown(v, "interpolation");
    if (filter == UC_OPENCV_NEAREST_EXACT && vector_major(v) < 5)
        filter = UC_OPENCV_NEAREST_EXACT_4;
    UC_TRY(vector_ints(v, "size", size, 2));
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(uc_resize_opencv(&pixels, size[0], size[1], (uc_opencv_filter)filter, v->arena, &pixels,
                            v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status grey(vector *v)
{
    static const char *const names[] = {"RGB2GRAY", "BGR2GRAY"};
    const int code = vector_name(v, "code", "", names, 2);
    uc_pixels pixels;
    if (code < 0) return vector_unknown(v, "code");
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(uc_grey(&pixels, code == 0 ? UC_GREY_OPENCV_RGB : UC_GREY_OPENCV_BGR, v->arena, &pixels,
                   v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status blob(vector *v)
{
    int size[2] = {0, 0};
    uc_pixels pixels;
    uc_blob_options options = {.scale = vector_number(v, "scalefactor", 1),
                               .swap_rb = vector_flag(v, "swapRB", false),
                               .crop = vector_flag(v, "crop", false)};
    if (vector_has(v, "size")) UC_TRY(vector_ints(v, "size", size, 2));
    if (vector_has(v, "mean")) UC_TRY(vector_doubles(v, "mean", options.mean, 3));
    options.size = (uc_size){size[0], size[1]};
    UC_TRY(vector_source(v, &pixels));
    if (uc_str_is(vector_text(v, "input_order", "RGB"), "BGR")) uc_swap_channels(&pixels);
    UC_TRY(uc_blob_opencv(&pixels, &options, v->arena, &pixels, v->error));
    const int64_t shape[4] = {1, pixels.channels, pixels.height, pixels.width};
    return vector_give(v, UNCORK_FLOAT32, 4, shape, pixels.data);
}

const vector_row vectors_resize_opencv[] = {
    {"opencv", "resize", resize},
    {"opencv", "cvtColor", grey},
    {"opencv", "blobFromImage", blob},
    {NULL, NULL, NULL},
};
