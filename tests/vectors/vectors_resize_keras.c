/* Keras' loading, layers and preprocess_input. */
#include "vectors_resize.h"

#include "image/keras.h"
#include "image/scale.h"

#include <math.h>

/* img_to_array: FLOAT32 of every mode. */
static uncork_status as_array(const vector *v, const uc_image *image, uc_pixels *pixels)
{
    UC_TRY(uc_pixels_of_image(image, v->arena, pixels, v->error));
    return vector_steps(v, pixels, "float32");
}

static uncork_status loaded(vector *v, uc_pixels *pixels)
{
    static const char *const names[] = {"nearest", "lanczos", "bilinear",
                                        "bicubic", "box",     "hamming"};
    static const char *const modes[] = {"rgb", "grayscale", "rgba"};
    static const uc_image_mode kinds[] = {UC_IMAGE_RGB, UC_IMAGE_L, UC_IMAGE_RGBA};
    const int filter = vector_name(v, "interpolation", "nearest", names, 6),
              mode = vector_name(v, "color_mode", "rgb", modes, 3);
    uc_image image;
    uc_size size = {0, 0};
    const bool sized = vector_has(v, "target_size_hw");
    if (filter < 0) return vector_unknown(v, "interpolation");
    if (mode < 0) return vector_unknown(v, "color_mode");
    if (sized) UC_TRY(vector_size_hw(v, "target_size_hw", &size));
    UC_TRY(vector_open(v, &image));
    UC_TRY(uc_load_img_keras(&image, kinds[mode], sized ? &size : NULL, (uc_pillow_filter)filter,
                             vector_flag(v, "keep_aspect_ratio", false), 13, v->arena, &image,
                             v->error));
    return as_array(v, &image, pixels);
}

static uncork_status load_img(vector *v)
{
    uc_pixels pixels;
    UC_TRY(loaded(v, &pixels));
    return vector_give_pixels(v, &pixels);
}

/* The modes of imagenet_utils.preprocess_input, by a preset of each. */
static uncork_status mode_of(const vector *v, const char **preset)
{
    static const char *const names[] = {"tf", "torch", "caffe"};
    static const char *const presets[] = {"keras:mobilenet_v2", "keras:densenet121", "keras:vgg16"};
    const int i = vector_name(v, "mode", "", names, 3);
    if (i < 0) return vector_unknown(v, "mode");
    *preset = presets[i];
    return UNCORK_OK;
}

/* A tf.Tensor of uint8 in caffe mode is computed in uint8, so it wraps: nothing that a model was trained
 * on, and no step of uncork. */
static void wrap(uc_pixels *pixels)
{
    static const uint8_t mean[3] = {103, 116, 123};
    uint8_t *p = pixels->data;
    uc_swap_channels(pixels);
    for (size_t i = 0; i < uc_pixels_count(pixels); i++) {
        p[i] = (uint8_t)(p[i] - mean[i % 3]);
    }
}

static uncork_status preprocess(vector *v)
{
    uc_pixels pixels;
    const char *preset = "";
    UC_TRY(mode_of(v, &preset));
    UC_TRY(vector_rgb(v, &pixels));
    if (uc_str_is(vector_text(v, "input", ""), "uint8 tf.Tensor") &&
        strcmp(preset, "keras:vgg16") == 0) {
        wrap(&pixels);
    } else {
        UC_TRY(vector_steps(v, &pixels, "%s", preset));
    }
    return vector_give_pixels(v, &pixels);
}

static uncork_status load_preprocess(vector *v)
{
    uc_pixels pixels;
    const char *preset = "";
    UC_TRY(mode_of(v, &preset));
    UC_TRY(loaded(v, &pixels));
    UC_TRY(vector_steps(v, &pixels, "%s", preset));
    return vector_give_pixels(v, &pixels);
}

static uc_keras_aspect aspect_of(const vector *v)
{
    return vector_flag(v, "crop_to_aspect_ratio", false)  ? UC_KERAS_CROP
           : vector_flag(v, "pad_to_aspect_ratio", false) ? UC_KERAS_PAD
                                                          : UC_KERAS_STRETCH;
}

static uncork_status dataset(vector *v)
{
    static const char *const modes[] = {"grayscale", "rgb", "rgba"};
    static const int counts[] = {1, 3, 4};
    const int mode = vector_name(v, "color_mode", "rgb", modes, 3);
    int frames;
    uc_size size = {0, 0};
    uc_pixels pixels;
    uc_tensorflow_filter filter = UC_TF_BILINEAR;
    if (mode < 0) return vector_unknown(v, "color_mode");
    const uc_tensorflow_decode options = {
        .op = UC_TF_DECODE_IMAGE, .channels = counts[mode], .first_frame_only = true};
    UC_TRY(vector_tf_filter(v, "interpolation", "bilinear", &filter));
    UC_TRY(vector_size_hw(v, "image_size_hw", &size));
    UC_TRY(uc_decode_tensorflow(v->file, &options, v->arena, &pixels, &frames, v->error));
    UC_TRY(uc_dataset_keras(&pixels, size, filter, aspect_of(v), v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status size_of(const vector *v, uc_size *size)
{
    *size = (uc_size){(int)vector_number(v, "width", 0), (int)vector_number(v, "height", 0)};
    return UNCORK_OK;
}

static uncork_status resizing(vector *v)
{
    uc_size size = {0, 0};
    uc_pixels pixels;
    uc_tensorflow_filter filter = UC_TF_BILINEAR;
    UC_TRY(size_of(v, &size));
    UC_TRY(vector_tf_filter(v, "interpolation", "bilinear", &filter));
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(uc_resizing_keras(&pixels, size, filter, vector_flag(v, "antialias", false),
                             aspect_of(v), vector_number(v, "fill_value", 0), v->arena, &pixels,
                             v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status center_crop(vector *v)
{
    uc_size size = {0, 0};
    uc_pixels pixels;
    UC_TRY(size_of(v, &size));
    UC_TRY(vector_source(v, &pixels));
    UC_TRY(uc_center_crop_keras(&pixels, size, v->arena, &pixels, v->error));
    return vector_give_pixels(v, &pixels);
}

static uncork_status rescaling(vector *v)
{
    uc_pixels pixels;
    UC_TRY(vector_rgb(v, &pixels));
    UC_TRY(vector_steps(v, &pixels, "float32 | scale=%.17g | add=%.17g",
                        vector_number(v, "scale", 1), vector_number(v, "offset", 0)));
    return vector_give_pixels(v, &pixels);
}

static uncork_status normalization(vector *v)
{
    uc_pixels pixels;
    double mean[3], variance[3];
    UC_TRY(vector_doubles(v, "mean", mean, 3));
    UC_TRY(vector_doubles(v, "variance", variance, 3));
    for (int c = 0; c < 3; c++) { /* as the importer of the layer folds it */
        variance[c] = (double)fmaxf(sqrtf((float)variance[c]), 1e-7f);
    }
    UC_TRY(vector_rgb(v, &pixels));
    UC_TRY(vector_steps(v, &pixels, "float32 | mean=%.17g,%.17g,%.17g | std=%.17g,%.17g,%.17g",
                        mean[0], mean[1], mean[2], variance[0], variance[1], variance[2]));
    return vector_give_pixels(v, &pixels);
}

const vector_row vectors_resize_keras[] = {
    {"keras", "load_img+img_to_array", load_img},
    {"keras", "imagenet_utils.preprocess_input", preprocess},
    {"keras", "pipeline_load_img_preprocess", load_preprocess},
    {"keras", "image_dataset_from_directory", dataset},
    {"keras", "layers.Resizing", resizing},
    {"keras", "layers.CenterCrop", center_crop},
    {"keras", "layers.Rescaling", rescaling},
    {"keras", "layers.Normalization", normalization},
    {NULL, NULL, NULL},
};
