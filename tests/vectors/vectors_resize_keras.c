/* Keras' loading, layers and preprocess_input. */
#include "vectors_resize.h"

#include "image/keras.h"
#include "image/scale.h"

static uncork_status floats(vector *v, uc_pixels *pixels)
{
    UC_TRY(vector_rgb(v, pixels));
    return uc_scale_float(pixels, UC_SCALE_CAST, 0, v->arena, pixels, v->error);
}

/* img_to_array: FLOAT32 of every mode. */
static uncork_status as_array(const vector *v, const uc_image *image, uc_pixels *pixels)
{
    uc_pixels from;
    UC_TRY(uc_pixels_of_image(image, v->arena, &from, v->error));
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, from.height, from.width, from.channels, v->arena, pixels,
                         v->error));
    float *to = pixels->data;
    for (size_t i = 0; i < uc_pixels_count(&from); i++) {
        switch ((int)from.dtype) {
        case UNCORK_UINT16: to[i] = (float)((const uint16_t *)from.data)[i]; break;
        case UNCORK_INT32: to[i] = (float)((const int32_t *)from.data)[i]; break;
        case UNCORK_FLOAT32: to[i] = ((const float *)from.data)[i]; break;
        default: to[i] = (float)((const uint8_t *)from.data)[i]; break;
        }
    }
    return UNCORK_OK;
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

static uncork_status mode_of(const vector *v, uc_keras_mode *mode)
{
    static const char *const names[] = {"tf", "torch", "caffe"};
    const int i = vector_name(v, "mode", "", names, 3);
    if (i < 0) return vector_unknown(v, "mode");
    *mode = (uc_keras_mode)i;
    return UNCORK_OK;
}

/* The same numbers as UINT8. */
static uncork_status give_bytes(vector *v, const uc_pixels *pixels)
{
    uc_pixels bytes;
    UC_TRY(uc_pixels_new(UNCORK_UINT8, pixels->height, pixels->width, pixels->channels, v->arena,
                         &bytes, v->error));
    for (size_t i = 0; i < uc_pixels_count(pixels); i++) {
        ((uint8_t *)bytes.data)[i] = (uint8_t)((const float *)pixels->data)[i];
    }
    return vector_give_pixels(v, &bytes);
}

static uncork_status preprocess(vector *v)
{
    uc_pixels pixels;
    uc_keras_mode mode = UC_KERAS_TF;
    UC_TRY(mode_of(v, &mode));
    UC_TRY(floats(v, &pixels));
    if (uc_str_is(vector_text(v, "input", ""), "uint8 tf.Tensor") && mode == UC_KERAS_CAFFE) {
        uc_preprocess_keras_wrapped(&pixels);
        return give_bytes(v, &pixels);
    }
    uc_preprocess_keras(&pixels, mode);
    return vector_give_pixels(v, &pixels);
}

static uncork_status load_preprocess(vector *v)
{
    uc_pixels pixels;
    uc_keras_mode mode = UC_KERAS_TF;
    UC_TRY(mode_of(v, &mode));
    UC_TRY(loaded(v, &pixels));
    uc_preprocess_keras(&pixels, mode);
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
    const double s = vector_number(v, "scale", 1), o = vector_number(v, "offset", 0);
    const double scale[3] = {s, s, s}, offset[3] = {o, o, o};
    UC_TRY(floats(v, &pixels));
    uc_rescale_keras(&pixels, scale, offset);
    return vector_give_pixels(v, &pixels);
}

static uncork_status normalization(vector *v)
{
    uc_pixels pixels;
    double mean[3], variance[3];
    UC_TRY(vector_doubles(v, "mean", mean, 3));
    UC_TRY(vector_doubles(v, "variance", variance, 3));
    UC_TRY(floats(v, &pixels));
    uc_normalize_keras(&pixels, mean, variance);
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
