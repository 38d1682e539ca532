/* Keras' load_img, Resizing, smart_resize, CenterCrop and image_dataset_from_directory on the
 * TensorFlow backend.
 * Whose results are matched: Keras 3.15, utils/image_utils.py, backend/tensorflow/image.py,
 * layers/preprocessing/image_preprocessing. */
#include "image/keras.h"

#include <math.h>

static uncork_status check(uc_size size, uncork_error *error)
{
    if (size.width >= 1 && size.height >= 1) return UNCORK_OK;
    return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a resize to %d x %d pixels", size.width,
                   size.height);
}

uncork_status uc_load_img_keras(const uc_image *from, uc_image_mode mode, const uc_size *size,
                                uc_pillow_filter filter, bool keep_aspect_ratio, int version,
                                uc_arena *arena, uc_image *image, uncork_error *error)
{
    uc_image now = *from;
    const bool grey =
        from->mode == UC_IMAGE_L || from->mode == UC_IMAGE_I16 || from->mode == UC_IMAGE_I;
    if (from->mode != mode && !(mode == UC_IMAGE_L && grey))
        UC_TRY(uc_image_convert(from, mode, arena, &now, error));
    *image = now;
    if (!size || (now.width == size->width && now.height == size->height)) return UNCORK_OK;
    UC_TRY(check(*size, error));
    int64_t w = (int64_t)now.height * size->width / size->height,
            h = (int64_t)now.width * size->height / size->width;
    if (w > now.width) w = now.width;
    if (h > now.height) h = now.height;
    const double left = (double)((now.width - w) / 2), top = (double)((now.height - h) / 2),
                 box[4] = {left, top, left + (double)w, top + (double)h};
    return uc_resize_pillow(&now, size->width, size->height, filter, keep_aspect_ratio ? box : NULL,
                            0, version, arena, image, error);
}

/* The side of `aspect` times a length. In tf.data and in Resizing the sizes are tensors, and Keras
 * computes in float32; of a picture whose size is known it does in double. */
static int side(int length, int to, int by, bool tensors)
{
    const double product = (double)length * to;
    const double v = tensors ? (double)((float)product / (float)by) : product / by;
    return v >= 2147483647.0 ? 2147483647 : (int)v;
}

static uncork_status cropped(const uc_pixels *from, uc_size size, bool tensors, uc_arena *arena,
                             uc_pixels *pixels, uncork_error *error)
{
    int h = side(from->width, size.height, size.width, tensors),
        w = side(from->height, size.width, size.height, tensors);
    h = h > from->height ? from->height : h < 1 ? 1 : h;
    w = w > from->width ? from->width : w < 1 ? 1 : w;
    return uc_pixels_window(from, (from->width - w) / 2, (from->height - h) / 2, (uc_size){w, h},
                            NULL, arena, pixels, error);
}

/* Half of the missing part on both sides: an odd one leaves the picture a pixel short, as in Keras. */
static uncork_status padded(const uc_pixels *from, uc_size size, double fill, uc_arena *arena,
                            uc_pixels *pixels, uncork_error *error)
{
    const int h = side(from->width, size.height, size.width, true),
              w = side(from->height, size.width, size.height, true);
    const int top = h > from->height ? (int)(((float)(h - from->height)) / 2) : 0,
              left = w > from->width ? (int)(((float)(w - from->width)) / 2) : 0;
    if (top == 0 && left == 0) {
        *pixels = *from;
        return UNCORK_OK;
    }
    if (from->dtype != UNCORK_FLOAT32) /* its bars are float32: TensorFlow can't join them */
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "Keras' pad_to_aspect_ratio takes float32 pictures only");
    double fills[16];
    for (int c = 0; c < 16; c++) {
        fills[c] = fill;
    }
    const int64_t wide = (int64_t)from->width + 2 * (int64_t)left,
                  high = (int64_t)from->height + 2 * (int64_t)top;
    if (wide > 2147483647 || high > 2147483647)
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET, "a picture padded to %lld x %lld pixels",
                       (long long)wide, (long long)high);
    return uc_pixels_window(from, -left, -top, (uc_size){(int)wide, (int)high}, fills, arena,
                            pixels, error);
}

/* Resizing gives integers back: rounded half to even, then saturated. */
static uncork_status to_bytes(const uc_pixels *from, uc_arena *arena, uc_pixels *pixels,
                              uncork_error *error)
{
    uc_pixels to;
    UC_TRY(
        uc_pixels_new(UNCORK_UINT8, from->height, from->width, from->channels, arena, &to, error));
    const float *in = from->data;
    for (size_t i = 0; i < uc_pixels_count(from); i++) {
        const float v = rintf(in[i]);
        ((uint8_t *)to.data)[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    *pixels = to;
    return UNCORK_OK;
}

uncork_status uc_resizing_keras(const uc_pixels *from, uc_size size, uc_tensorflow_filter filter,
                                bool antialias, uc_keras_aspect aspect, double fill,
                                uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    uc_pixels now = *from;
    const uncork_dtype dtype = from->dtype; /* `pixels` may be `from` */
    UC_TRY(check(size, error));
    if (aspect == UC_KERAS_CROP) UC_TRY(cropped(from, size, true, arena, &now, error));
    if (aspect == UC_KERAS_PAD) UC_TRY(padded(from, size, fill, arena, &now, error));
    const uc_tensorflow_resize options = {.filter = filter, .antialias = antialias};
    UC_TRY(uc_resize_tensorflow(&now, size.width, size.height, &options, arena, pixels, error));
    if (dtype != UNCORK_UINT8 || pixels->dtype == UNCORK_UINT8) return UNCORK_OK;
    return to_bytes(pixels, arena, pixels, error);
}

static uncork_status to_floats(const uc_pixels *from, uc_arena *arena, uc_pixels *pixels,
                               uncork_error *error)
{
    uc_pixels to;
    *pixels = *from;
    if (from->dtype != UNCORK_UINT8) return UNCORK_OK;
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, from->height, from->width, from->channels, arena, &to,
                         error));
    for (size_t i = 0; i < uc_pixels_count(from); i++) {
        ((float *)to.data)[i] = (float)((const uint8_t *)from->data)[i];
    }
    *pixels = to;
    return UNCORK_OK;
}

uncork_status uc_dataset_keras(const uc_pixels *from, uc_size size, uc_tensorflow_filter filter,
                               uc_keras_aspect aspect, uc_arena *arena, uc_pixels *pixels,
                               uncork_error *error)
{
    uc_pixels now = *from;
    const uc_tensorflow_resize options = {.filter = filter};
    UC_TRY(check(size, error));
    if (aspect == UC_KERAS_PAD) {
        UC_TRY(uc_resize_with_pad(from, size, &options, arena, &now, error));
    } else {
        if (aspect == UC_KERAS_CROP) UC_TRY(cropped(from, size, true, arena, &now, error));
        UC_TRY(uc_resize_tensorflow(&now, size.width, size.height, &options, arena, &now, error));
    }
    *pixels = now;
    return UNCORK_OK;
}

uncork_status uc_smart_resize_keras(const uc_pixels *from, uc_size size,
                                    uc_tensorflow_filter filter, uc_arena *arena, uc_pixels *pixels,
                                    uncork_error *error)
{
    uc_pixels now;
    const uc_tensorflow_resize options = {.filter = filter};
    UC_TRY(check(size, error));
    UC_TRY(cropped(from, size, false, arena, &now, error));
    return uc_resize_tensorflow(&now, size.width, size.height, &options, arena, pixels, error);
}

uncork_status uc_center_crop_keras(const uc_pixels *from, uc_size size, uc_arena *arena,
                                   uc_pixels *pixels, uncork_error *error)
{
    int left, top;
    uc_pixels floats;
    UC_TRY(check(size, error));
    UC_TRY(to_floats(from, arena, &floats, error));
    if (from->width < size.width || from->height < size.height)
        return uc_smart_resize_keras(&floats, size, UC_TF_BILINEAR, arena, pixels, error);
    uc_center(UC_CENTER_KERAS, (uc_size){from->width, from->height}, size, &left, &top);
    return uc_pixels_window(&floats, left, top, size, NULL, arena, pixels, error);
}
