/* What whole pictures are scaled by as TensorFlow 2.21 does it (image_ops_impl.py), and the order of
 * channels. Arithmetic on single values is contract/step_values.c. */
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

/* f32(x) * f32(1 / largest) */
static uncork_status to_floats(const uc_pixels *from, uc_arena *arena, uc_pixels *to,
                               uncork_error *error)
{
    UC_TRY(
        uc_pixels_new(UNCORK_FLOAT32, from->height, from->width, from->channels, arena, to, error));
    const float by = (float)(1.0 / largest_of(from->dtype));
    float *out = to->data;
    for (size_t i = 0; i < uc_pixels_count(from); i++) {
        const float x = from->dtype == UNCORK_UINT8 ? ((const uint8_t *)from->data)[i]
                                                    : ((const uint16_t *)from->data)[i];
        out[i] = x * by;
    }
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
    if (dtype == UNCORK_FLOAT32) {
        UC_TRY(to_floats(from, arena, &to, error));
        *pixels = to;
        return UNCORK_OK;
    }
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
