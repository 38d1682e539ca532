/* Scaling, normalising and changing the dtype of pictures, in each library's order of operations and
 * precision.
 * Whose results are matched: torchvision 0.29 (_functional_tensor.py, v2/functional/_misc.py),
 * TensorFlow 2.21 (image_ops_impl.py), Keras 3.15 (applications/imagenet_utils.py, layers/
 * preprocessing), transformers 5 (image_processing_backends.py, image_transforms.py). */
#include "image/scale.h"

#include "base/dtype.h"

#include <math.h>

static double largest_of(uncork_dtype dtype) { return dtype == UNCORK_UINT16 ? 65535 : 255; }

static uncork_status numbers_only(const uc_pixels *from, uncork_error *error)
{
    if (from->dtype == UNCORK_UINT8 || from->dtype == UNCORK_UINT16 ||
        from->dtype == UNCORK_FLOAT32)
        return UNCORK_OK;
    return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                   "a picture of %s where uint8, uint16 or float32 is scaled",
                   uc_dtype_name(from->dtype));
}

static float scaled(double x, uc_scale_rule rule, double largest, double factor)
{
    switch (rule) {
    case UC_SCALE_DIVIDE: return (float)x / (float)largest;
    case UC_SCALE_MULTIPLY: return (float)x * (float)(1.0 / largest);
    case UC_SCALE_TRANSFORMERS_PIL: return (float)(x * factor);
    case UC_SCALE_CAST: break;
    }
    return (float)x;
}

uncork_status uc_scale_float(const uc_pixels *from, uc_scale_rule rule, double factor,
                             uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    uc_pixels to;
    UC_TRY(numbers_only(from, error));
    *pixels = *from;
    if (from->dtype == UNCORK_FLOAT32) return UNCORK_OK;
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, from->height, from->width, from->channels, arena, &to,
                         error));
    const double largest = largest_of(from->dtype), by = factor > 0 ? factor : 1.0 / 255;
    float *out = to.data;
    const size_t n = uc_pixels_count(from);
    if (from->dtype == UNCORK_UINT8) {
        float table[256];
        for (int v = 0; v < 256; v++) {
            table[v] = scaled(v, rule, largest, by);
        }
        for (size_t i = 0; i < n; i++) {
            out[i] = table[((const uint8_t *)from->data)[i]];
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            out[i] = scaled(((const uint16_t *)from->data)[i], rule, largest, by);
        }
    }
    *pixels = to;
    return UNCORK_OK;
}

/* float32 to integers: times (largest + 0.5), cut off. A value out of range TensorFlow leaves to its
 * processor; here it is saturated. */
static double cut(float v, double largest)
{
    const float scale = v * (float)(largest + 0.5);
    return scale > 0 ? (double)scale > largest ? largest : trunc((double)scale) : 0;
}

uncork_status uc_convert_dtype_tensorflow(const uc_pixels *from, uncork_dtype dtype,
                                          uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    uc_pixels to;
    UC_TRY(numbers_only(from, error));
    if (from->dtype == dtype) {
        *pixels = *from;
        return UNCORK_OK;
    }
    if (dtype == UNCORK_FLOAT32)
        return uc_scale_float(from, UC_SCALE_MULTIPLY, 0, arena, pixels, error);
    if (dtype != UNCORK_UINT8 && dtype != UNCORK_UINT16)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a picture can't become %s here",
                       uc_dtype_name(dtype));
    UC_TRY(uc_pixels_new(dtype, from->height, from->width, from->channels, arena, &to, error));
    const double largest = largest_of(dtype);
    for (size_t i = 0; i < uc_pixels_count(from); i++) {
        const double v = from->dtype == UNCORK_FLOAT32
                             ? cut(((const float *)from->data)[i], largest)
                         : from->dtype == UNCORK_UINT8 ? ((const uint8_t *)from->data)[i] * 256.0
                                                       : ((const uint16_t *)from->data)[i] / 256;
        if (dtype == UNCORK_UINT8) {
            ((uint8_t *)to.data)[i] = (uint8_t)v;
        } else {
            ((uint16_t *)to.data)[i] = (uint16_t)v;
        }
    }
    *pixels = to;
    return UNCORK_OK;
}

/* y = (x - shift[c]) / by[c] */
static void shift_divide(uc_pixels *pixels, const float *shift, const float *by)
{
    float *p = pixels->data;
    const size_t n = (size_t)pixels->width * (size_t)pixels->height;
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < pixels->channels; c++, p++) {
            *p = (*p - shift[c]) / by[c];
        }
    }
}

enum { CHANNELS = 16 }; /* as uc_pixels_new allows */

void uc_normalize_torchvision(uc_pixels *pixels, const double *mean, const double *std)
{
    float m[CHANNELS], s[CHANNELS];
    for (int c = 0; c < pixels->channels; c++) {
        m[c] = (float)mean[c];
        s[c] = (float)std[c];
    }
    shift_divide(pixels, m, s);
}

void uc_normalize_transformers(uc_pixels *pixels, bool rescale, double factor, bool normalize,
                               const double *mean, const double *std)
{
    if (!normalize) {
        float *p = pixels->data;
        for (size_t i = 0; rescale && i < uc_pixels_count(pixels); i++) {
            p[i] *= (float)factor;
        }
        return;
    }
    float m[CHANNELS], s[CHANNELS];
    const float times = rescale ? (float)(1.0 / factor) : 1.0f;
    for (int c = 0; c < pixels->channels; c++) {
        m[c] = (float)mean[c] * times;
        s[c] = (float)std[c] * times;
    }
    shift_divide(pixels, m, s);
}

void uc_normalize_keras(uc_pixels *pixels, const double *mean, const double *variance)
{
    float m[CHANNELS], s[CHANNELS];
    for (int c = 0; c < pixels->channels; c++) {
        m[c] = (float)mean[c];
        s[c] = fmaxf(sqrtf((float)variance[c]), 1e-7f);
    }
    shift_divide(pixels, m, s);
}

void uc_rescale_keras(uc_pixels *pixels, const double *scale, const double *offset)
{
    float *p = pixels->data;
    const size_t n = (size_t)pixels->width * (size_t)pixels->height;
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < pixels->channels; c++, p++) {
            *p = *p * (float)scale[c] + (float)offset[c];
        }
    }
}

void uc_standardize_tensorflow(uc_pixels *pixels)
{
    float *p = pixels->data;
    const size_t n = uc_pixels_count(pixels);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)p[i];
    }
    const float mean = (float)(sum / (double)n);
    for (size_t i = 0; i < n; i++) {
        squares += (double)(p[i] - mean) * (double)(p[i] - mean);
    }
    const float std = fmaxf(sqrtf((float)(squares / (double)n)), 1.0f / sqrtf((float)n));
    for (size_t i = 0; i < n; i++) {
        p[i] = (p[i] - mean) / std;
    }
}

static const double imagenet_mean[3] = {0.485, 0.456, 0.406},
                    imagenet_std[3] = {0.229, 0.224, 0.225},
                    caffe_mean[3] = {103.939, 116.779, 123.68}; /* BGR */

/* Channels from the fourth on have no mean. */
static double of_three(const double *values, int c, double otherwise)
{
    return c < 3 ? values[c] : otherwise;
}

void uc_preprocess_keras(uc_pixels *pixels, uc_keras_mode mode)
{
    float *p = pixels->data;
    if (mode == UC_KERAS_CAFFE) uc_swap_channels(pixels);
    const size_t n = (size_t)pixels->width * (size_t)pixels->height;
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < pixels->channels; c++, p++) {
            switch (mode) {
            case UC_KERAS_TF: *p = *p / 127.5f - 1.0f; break;
            case UC_KERAS_TORCH:
                *p = (*p / 255.0f - (float)of_three(imagenet_mean, c, 0)) /
                     (float)of_three(imagenet_std, c, 1);
                break;
            case UC_KERAS_CAFFE: *p -= (float)of_three(caffe_mean, c, 0); break;
            }
        }
    }
}

void uc_preprocess_keras_wrapped(uc_pixels *pixels)
{
    float *p = pixels->data;
    uc_swap_channels(pixels);
    const size_t n = (size_t)pixels->width * (size_t)pixels->height;
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < pixels->channels; c++, p++) {
            const uint8_t less = (uint8_t)of_three(caffe_mean, c, 0); /* cut off too */
            *p = (float)(uint8_t)((uint8_t)*p - less);
        }
    }
}

void uc_swap_channels(uc_pixels *pixels)
{
    const size_t size = uc_dtype_size(pixels->dtype), channels = (size_t)pixels->channels,
                 n = (size_t)pixels->width * (size_t)pixels->height;
    if (channels < 3) return;
    char *p = pixels->data, kept[8];
    for (size_t i = 0; size == 1 && i < n; i++, p += channels) {
        const char first = p[0];
        p[0] = p[2];
        p[2] = first;
    }
    if (size == 1) return;
    for (size_t i = 0; i < n; i++, p += channels * size) {
        memcpy(kept, p, size);
        memcpy(p, p + 2 * size, size);
        memcpy(p + 2 * size, kept, size);
    }
}

uncork_status uc_pixels_planes(const uc_pixels *from, uc_arena *arena, void **planes,
                               uncork_error *error)
{
    const size_t size = uc_dtype_size(from->dtype), channels = (size_t)from->channels,
                 n = (size_t)from->width * (size_t)from->height;
    char *out = uc_arena_alloc_raw(arena, uc_pixels_bytes(from));
    if (!out) return uc_arena_status(arena, error);
    *planes = out;
    for (size_t c = 0; c < channels; c++) {
        const char *in = (const char *)from->data + c * size;
        if (size == 4) {
            for (size_t i = 0; i < n; i++, in += channels * 4, out += 4) {
                memcpy(out, in, 4);
            }
            continue;
        }
        for (size_t i = 0; i < n; i++, in += channels * size, out += size) {
            memcpy(out, in, size);
        }
    }
    return UNCORK_OK;
}
