/* tf.image's resizes, crops and conversions. */
#include "vectors_resize.h"

#include "image/scale.h"

#include <stdio.h>

uncork_status vector_size_hw(const vector *v, const char *param, uc_size *size)
{
    int hw[2];
    UC_TRY(vector_ints(v, param, hw, 2));
    *size = (uc_size){hw[1], hw[0]};
    return UNCORK_OK;
}

uncork_status vector_tf_filter(const vector *v, const char *param, const char *otherwise,
                               uc_tensorflow_filter *filter)
{
    static const char *const names[] = {"nearest",  "bilinear", "bicubic",  "area",
                                        "lanczos3", "lanczos5", "gaussian", "mitchellcubic"};
    const int i = vector_name(v, param, otherwise, names, 8);
    if (i < 0) return vector_unknown(v, param);
    *filter = (uc_tensorflow_filter)i;
    return UNCORK_OK;
}

static uncork_status resize_by(vector *v, const uc_tensorflow_resize *options)
{
    uc_size size = {0, 0};
    uc_pixels pixels;
    UC_TRY(vector_size_hw(v, "size_hw", &size));
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(uc_resize_tensorflow(&pixels, size.width, size.height, options, v->arena, &pixels,
                                v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status resize(vector *v)
{
    uc_tensorflow_resize options = {.antialias = vector_flag(v, "antialias", false)};
    UC_TRY(vector_tf_filter(v, "method", "bilinear", &options.filter));
    return resize_by(v, &options);
}

static uncork_status raw(vector *v, uc_tensorflow_filter filter)
{
    const uc_tensorflow_resize options = {.filter = filter,
                                          .legacy = !vector_flag(v, "half_pixel_centers", false),
                                          .align_corners = vector_flag(v, "align_corners", false)};
    return resize_by(v, &options);
}

static uncork_status raw_nearest(vector *v) { return raw(v, UC_TF_NEAREST); }

static uncork_status raw_bilinear(vector *v) { return raw(v, UC_TF_BILINEAR); }

static uncork_status raw_bicubic(vector *v) { return raw(v, UC_TF_BICUBIC); }

static uncork_status raw_area(vector *v) { return raw(v, UC_TF_AREA); }

static uncork_status with_pad(vector *v)
{
    uc_size size = {0, 0};
    uc_pixels pixels;
    uc_tensorflow_resize options = {.antialias = vector_flag(v, "antialias", false)};
    UC_TRY(vector_tf_filter(v, "method", "bilinear", &options.filter));
    UC_TRY(vector_size_hw(v, "target_hw", &size));
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(uc_resize_with_pad(&pixels, size, &options, v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status crop_or_pad(vector *v)
{
    int left, top;
    uc_size size = {0, 0};
    uc_pixels pixels;
    UC_TRY(vector_size_hw(v, "target_hw", &size));
    UC_TRY(vector_source(v, &pixels));
    uc_center(UC_CENTER_TENSORFLOW, (uc_size){pixels.width, pixels.height}, size, &left, &top);
    UC_TRY(uc_pixels_window(&pixels, left, top, size, NULL, v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status central_crop(vector *v)
{
    int left, top;
    uc_size size = {0, 0};
    uc_pixels pixels;
    UC_TRY(vector_source(v, &pixels));
    uc_central_crop((uc_size){pixels.width, pixels.height}, vector_number(v, "fraction", 1), &left,
                    &top, &size);
    UC_TRY(uc_pixels_window(&pixels, left, top, size, NULL, v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status convert_dtype(vector *v)
{
    static const char *const names[] = {"float32", "uint8", "uint16"};
    static const uncork_dtype dtypes[] = {UNCORK_FLOAT32, UNCORK_UINT8, UNCORK_UINT16};
    const int to = vector_name(v, "dtype", "", names, 3);
    uc_pixels pixels;
    if (to < 0) return vector_unknown(v, "dtype");
    UC_TRY(vector_rgb(v, &pixels));
    UC_TRY(uc_convert_dtype_tensorflow(&pixels, dtypes[to], v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status grey(vector *v)
{
    uc_pixels pixels;
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(uc_grey(&pixels, UC_GREY_TENSORFLOW, v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status standardize(vector *v)
{
    uc_pixels pixels;
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(vector_steps(v, &pixels, "standardize"));
    return vector_give_pixels(v, &pixels);
}

/* The pipelines name their steps in full, in these two orders; the size is in image.resize([H,W]). */
static uncork_status step_size(const vector *v, uc_size *size)
{
    const uc_json *steps = uc_json_get(v->params, "steps");
    for (size_t i = 0; i < uc_json_count(steps); i++) {
        char text[64];
        const uc_str s = uc_json_str(uc_json_at(steps, i), "");
        snprintf(text, sizeof text, "%.*s", (int)s.size, s.data);
        if (sscanf(text, "image.resize([%d,%d])", &size->height, &size->width) == 2)
            return UNCORK_OK;
    }
    return vector_unknown(v, "steps");
}

static uncork_status decode_rgb(vector *v, uc_pixels *pixels)
{
    int frames;
    const uc_tensorflow_decode options = {
        .op = UC_TF_DECODE_IMAGE, .channels = 3, .first_frame_only = true};
    return uc_decode_tensorflow(v->file, &options, v->arena, pixels, &frames, v->error);
}

static uncork_status resized_divided(vector *v)
{
    uc_size size = {0, 0};
    uc_pixels pixels;
    const uc_tensorflow_resize options = {.filter = UC_TF_BILINEAR};
    UC_TRY(step_size(v, &size));
    UC_TRY(decode_rgb(v, &pixels));
    UC_TRY(uc_resize_tensorflow(&pixels, size.width, size.height, &options, v->arena, &pixels,
                                v->error));
    UC_TRY(vector_steps(v, &pixels, "scale=1/255"));
    return vector_give_pixels(v, &pixels);
}

static uncork_status converted_resized(vector *v)
{
    uc_size size = {0, 0};
    uc_pixels pixels;
    const uc_tensorflow_resize options = {.filter = UC_TF_BILINEAR};
    UC_TRY(step_size(v, &size));
    UC_TRY(decode_rgb(v, &pixels));
    UC_TRY(uc_convert_dtype_tensorflow(&pixels, UNCORK_FLOAT32, v->arena, &pixels, v->error));
    UC_TRY(uc_resize_tensorflow(&pixels, size.width, size.height, &options, v->arena, &pixels,
                                v->error));
    return vector_give_pixels(v, &pixels);
}

const vector_row vectors_resize_tensorflow[] = {
    {"tensorflow", "image.resize", resize},
    {"tensorflow", "ResizeNearestNeighbor", raw_nearest},
    {"tensorflow", "ResizeBilinear", raw_bilinear},
    {"tensorflow", "ResizeBicubic", raw_bicubic},
    {"tensorflow", "ResizeArea", raw_area},
    {"tensorflow", "image.resize_with_pad", with_pad},
    {"tensorflow", "image.resize_with_crop_or_pad", crop_or_pad},
    {"tensorflow", "image.central_crop", central_crop},
    {"tensorflow", "convert_image_dtype", convert_dtype},
    {"tensorflow", "rgb_to_grayscale", grey},
    {"tensorflow", "per_image_standardization", standardize},
    {"tensorflow", "pipeline_decode_resize_scale", resized_divided},
    {"tensorflow", "pipeline_decode_convert_resize", converted_resized},
    {NULL, NULL, NULL},
};
