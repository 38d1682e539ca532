/* One channel from three, by the library that does it. Pillow's is uc_image_convert.
 * Whose results are matched: OpenCV 5.0.0 (color_rgb), TensorFlow 2.21 (image_ops_impl.py),
 * torchvision 0.29 (_functional_tensor.py), scikit-image 0.26 (color/colorconv.py). */
#include "image/scale.h"

#include "base/dtype.h"

#include <math.h>

/* RGB order; the weights are those of 15 bits. */
static uint32_t opencv_fixed(uint32_t r, uint32_t g, uint32_t b)
{
    return (9798u * r + 19235u * g + 3735u * b + 16384u) >> 15;
}

/* A row of n pixels. OpenCV's vector loop takes eight at a time; of what is left its compiler takes
 * four, of which two are summed in another order. */
static void opencv_floats(const float *p, size_t step, bool bgr, size_t n, float *out)
{
    const float first = bgr ? 0.114f : 0.299f, last = bgr ? 0.299f : 0.114f;
    const size_t whole = n / 8 * 8;
    for (size_t i = 0; i < n; i++, p += step) {
        const bool other = n - whole >= 4 && (i == whole || i == whole + 2);
        const float two =
            other ? fmaf(p[1], 0.587f, p[0] * first) : fmaf(p[0], first, p[1] * 0.587f);
        out[i] = fmaf(p[2], last, two);
    }
}

static float tensorflow_float(float r, float g, float b)
{
    return r * 0.2989f + g * 0.5870f + b * 0.1140f;
}

static float torchvision_float(float r, float g, float b)
{
    return 0.2989f * r + 0.587f * g + 0.114f * b;
}

/* NumPy leaves this product to a BLAS: the last bit depends on the machine. */
static double skimage_double(double r, double g, double b)
{
    return fma(b, 0.0721, fma(r, 0.2125, g * 0.7154));
}

static float skimage_float(const float *p)
{
    return fmaf(p[2], 0.0721f, fmaf(p[1], 0.7154f, p[0] * 0.2125f));
}

static uncork_status refuse(const uc_pixels *from, const char *who, uncork_error *error)
{
    return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "%s makes no grey of %s with %d channels",
                   who, uc_dtype_name(from->dtype), from->channels);
}

static uncork_status opencv(const uc_pixels *from, bool bgr, uc_arena *arena, uc_pixels *to,
                            uncork_error *error)
{
    const size_t step = (size_t)from->channels, n = (size_t)from->width * (size_t)from->height,
                 r = bgr ? 2 : 0, b = bgr ? 0 : 2;
    UC_TRY(uc_pixels_new(from->dtype, from->height, from->width, 1, arena, to, error));
    if (from->dtype == UNCORK_UINT8) {
        const uint8_t *p = from->data;
        for (size_t i = 0; i < n; i++, p += step) {
            ((uint8_t *)to->data)[i] = (uint8_t)opencv_fixed(p[r], p[1], p[b]);
        }
    } else if (from->dtype == UNCORK_UINT16) {
        const uint16_t *p = from->data;
        for (size_t i = 0; i < n; i++, p += step) {
            ((uint16_t *)to->data)[i] = (uint16_t)opencv_fixed(p[r], p[1], p[b]);
        }
    } else if (from->dtype == UNCORK_FLOAT32) {
        const size_t width = (size_t)from->width;
        for (size_t y = 0; y < (size_t)from->height; y++) {
            opencv_floats((const float *)from->data + y * width * step, step, bgr, width,
                          (float *)to->data + y * width);
        }
    } else {
        return refuse(from, "OpenCV", error);
    }
    return UNCORK_OK;
}

static uncork_status tensorflow(const uc_pixels *from, uc_arena *arena, uc_pixels *to,
                                uncork_error *error)
{
    uc_pixels floats, grey;
    UC_TRY(uc_convert_dtype_tensorflow(from, UNCORK_FLOAT32, arena, &floats, error));
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, from->height, from->width, 1, arena, &grey, error));
    const float *p = floats.data;
    for (size_t i = 0; i < uc_pixels_count(&grey); i++, p += from->channels) {
        ((float *)grey.data)[i] = tensorflow_float(p[0], p[1], p[2]);
    }
    return uc_convert_dtype_tensorflow(&grey, from->dtype, arena, to, error);
}

static uncork_status torchvision(const uc_pixels *from, uc_arena *arena, uc_pixels *to,
                                 uncork_error *error)
{
    const size_t step = (size_t)from->channels, n = (size_t)from->width * (size_t)from->height;
    if (from->dtype != UNCORK_UINT8 && from->dtype != UNCORK_FLOAT32)
        return refuse(from, "torchvision", error);
    UC_TRY(uc_pixels_new(from->dtype, from->height, from->width, 1, arena, to, error));
    for (size_t i = 0; i < n; i++) {
        if (from->dtype == UNCORK_UINT8) {
            const uint8_t *p = (const uint8_t *)from->data + i * step;
            ((uint8_t *)to->data)[i] =
                (uint8_t)torchvision_float((float)p[0], (float)p[1], (float)p[2]);
        } else {
            const float *p = (const float *)from->data + i * step;
            ((float *)to->data)[i] = torchvision_float(p[0], p[1], p[2]);
        }
    }
    return UNCORK_OK;
}

static uncork_status skimage(const uc_pixels *from, uc_arena *arena, uc_pixels *to,
                             uncork_error *error)
{
    const size_t step = (size_t)from->channels, n = (size_t)from->width * (size_t)from->height;
    const bool single = from->dtype == UNCORK_FLOAT32;
    if (!single && from->dtype != UNCORK_UINT8 && from->dtype != UNCORK_FLOAT64)
        return refuse(from, "scikit-image", error);
    UC_TRY(uc_pixels_new(single ? UNCORK_FLOAT32 : UNCORK_FLOAT64, from->height, from->width, 1,
                         arena, to, error));
    for (size_t i = 0; i < n; i++) {
        if (single) {
            const float *p = (const float *)from->data + i * step;
            ((float *)to->data)[i] = skimage_float(p);
        } else if (from->dtype == UNCORK_UINT8) {
            const uint8_t *p = (const uint8_t *)from->data + i * step;
            ((double *)to->data)[i] =
                skimage_double(p[0] * (1.0 / 255), p[1] * (1.0 / 255), p[2] * (1.0 / 255));
        } else {
            const double *p = (const double *)from->data + i * step;
            ((double *)to->data)[i] = skimage_double(p[0], p[1], p[2]);
        }
    }
    return UNCORK_OK;
}

uncork_status uc_grey(const uc_pixels *from, uc_grey_rule rule, uc_arena *arena, uc_pixels *pixels,
                      uncork_error *error)
{
    uc_pixels to;
    if (from->channels < 3) return refuse(from, "a formula for colour", error);
    switch (rule) {
    case UC_GREY_OPENCV_RGB:
    case UC_GREY_OPENCV_BGR:
        UC_TRY(opencv(from, rule == UC_GREY_OPENCV_BGR, arena, &to, error));
        break;
    case UC_GREY_TENSORFLOW: UC_TRY(tensorflow(from, arena, &to, error)); break;
    case UC_GREY_TORCHVISION: UC_TRY(torchvision(from, arena, &to, error)); break;
    case UC_GREY_SKIMAGE: UC_TRY(skimage(from, arena, &to, error)); break;
    }
    *pixels = to;
    return UNCORK_OK;
}
