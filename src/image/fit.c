/* Sizes, places, crops and pads by each library's rule.
 * Whose results are matched: torchvision 0.29 (transforms/functional.py), timm 1.0 (data/transforms.py),
 * transformers 5 (image_transforms.py), Pillow 13 (Image.py, ImageOps.py), TensorFlow 2.21
 * (image_ops_impl.py). */
#include "image/fit.h"

#include "base/dtype.h"

#include <math.h>

/* 0 stays 0: the library refuses it, and so does the resize that follows. */
static int size_of(double v) { return v >= 2147483647.0 ? 2147483647 : v > 0 ? (int)v : 0; }

static uc_size by_sides(uc_size from, double shorter, double longer)
{
    const int s = size_of(shorter), l = size_of(longer);
    return from.width <= from.height ? (uc_size){s, l} : (uc_size){l, s};
}

uc_size uc_fit_shorter(uc_size from, int shorter, int max_size)
{
    const double near = from.width <= from.height ? from.width : from.height,
                 far = from.width <= from.height ? from.height : from.width;
    if (shorter < 1) return by_sides(from, trunc(max_size * near / far), max_size);
    const double longer = trunc(shorter * far / near);
    if (max_size > 0 && longer > max_size)
        return by_sides(from, trunc((double)max_size * shorter / longer), max_size);
    return by_sides(from, shorter, longer);
}

uc_size uc_fit_timm(uc_size from, uc_size to, double longest)
{
    const double h = (double)from.height / to.height, w = (double)from.width / to.width,
                 ratio = fmax(h, w) * longest + fmin(h, w) * (1. - longest);
    return (uc_size){size_of(rint(from.width / ratio)), size_of(rint(from.height / ratio))};
}

uc_size uc_fit_detr(uc_size from, int shorter, int longest)
{
    const double w = from.width, h = from.height, near = fmin(w, h), far = fmax(w, h);
    double size = shorter, raw = shorter;
    if (longest > 0 && far / near * shorter > longest) {
        raw = longest * near / far;
        size = rint(raw);
    }
    if ((h <= w && from.height == (int)size) || (w <= h && from.width == (int)size)) return from;
    return w < h ? (uc_size){size_of(size), size_of(raw * h / w)}
                 : (uc_size){size_of(raw * w / h), size_of(size)};
}

/* The whole number next to v that comes closest to the aspect; the lower one where both do. */
static int round_aspect(double v, double aspect, double side, bool width)
{
    const double low = floor(v), high = ceil(v);
    const double a = width ? fabs(aspect - low / side) : low > 0 ? fabs(aspect - side / low) : 0;
    const double b = width ? fabs(aspect - high / side) : high > 0 ? fabs(aspect - side / high) : 0;
    const double best = b < a ? high : low;
    return best < 1 ? 1 : size_of(best);
}

uc_size uc_fit_thumbnail(uc_size from, double width, double height)
{
    const double x = floor(width), y = floor(height),
                 aspect = (double)from.width / (double)from.height;
    if (!(x >= 1 && y >= 1) || (x >= from.width && y >= from.height)) return from;
    if (x / y >= aspect) return (uc_size){round_aspect(y * aspect, aspect, y, true), size_of(y)};
    return (uc_size){size_of(x), round_aspect(x / aspect, aspect, x, false)};
}

/* ImageOps.contain, or cover: the side that keeps its length differs. */
static uc_size with_aspect(uc_size from, uc_size to, bool cover)
{
    const double aspect = (double)from.width / from.height, wanted = (double)to.width / to.height;
    if (aspect < wanted || aspect > wanted) {
        if (cover ? aspect < wanted : aspect > wanted) {
            to.height = size_of(rint((double)from.height / from.width * to.width));
        } else {
            to.width = size_of(rint(aspect * to.height));
        }
    }
    return to;
}

uc_size uc_fit_contain(uc_size from, uc_size to) { return with_aspect(from, to, false); }

uc_size uc_fit_cover(uc_size from, uc_size to) { return with_aspect(from, to, true); }

static int center_of(uc_center_rule rule, int from, int to)
{
    const int spare = from - to;
    switch (rule) {
    case UC_CENTER_TORCHVISION: return spare < 0 ? -(-spare / 2) : (int)rint(spare / 2.0);
    case UC_CENTER_TRANSFORMERS_PIL: return spare < 0 ? -((1 - spare) / 2) : spare / 2;
    case UC_CENTER_TRANSFORMERS:
    case UC_CENTER_KERAS:
    case UC_CENTER_TENSORFLOW: break;
    }
    return spare / 2; /* toward zero on both sides */
}

void uc_center(uc_center_rule rule, uc_size from, uc_size to, int *left, int *top)
{
    *left = center_of(rule, from.width, to.width);
    *top = center_of(rule, from.height, to.height);
}

void uc_central_crop(uc_size from, double fraction, int *left, int *top, uc_size *to)
{
    *left = (int)((from.width - from.width * fraction) / 2);
    *top = (int)((from.height - from.height * fraction) / 2);
    *to = (uc_size){from.width - 2 * *left, from.height - 2 * *top};
}

/* ---- windows -------------------------------------------------------------------------------- */

static void fill_with(uc_pixels *to, const double *fill)
{
    double pixel[16]; /* uc_pixels_new allows 16 channels */
    const size_t size = (size_t)to->channels * uc_dtype_size(to->dtype),
                 count = (size_t)to->width * (size_t)to->height;
    uc_dtype_convert(pixel, to->dtype, fill, UNCORK_FLOAT64, to->channels);
    for (size_t i = 0; i < count; i++) {
        memcpy((char *)to->data + i * size, pixel, size);
    }
}

uncork_status uc_pixels_window(const uc_pixels *from, int left, int top, uc_size size,
                               const double *fill, uc_arena *arena, uc_pixels *pixels,
                               uncork_error *error)
{
    uc_pixels to;
    if (left == 0 && top == 0 && size.width == from->width && size.height == from->height) {
        *pixels = *from;
        return UNCORK_OK;
    }
    UC_TRY(uc_pixels_new(from->dtype, size.height, size.width, from->channels, arena, &to, error));
    if (fill) fill_with(&to, fill);
    const int64_t x0 = left < 0 ? 0 : left, y0 = top < 0 ? 0 : top;
    int64_t x1 = (int64_t)left + size.width, y1 = (int64_t)top + size.height;
    if (x1 > from->width) x1 = from->width;
    if (y1 > from->height) y1 = from->height;
    const size_t pixel = (size_t)from->channels * uc_dtype_size(from->dtype);
    for (int64_t y = y0; y < y1 && x0 < x1; y++) {
        memcpy((char *)to.data +
                   ((size_t)(y - top) * (size_t)size.width + (size_t)(x0 - left)) * pixel,
               (const char *)from->data + ((size_t)y * (size_t)from->width + (size_t)x0) * pixel,
               (size_t)(x1 - x0) * pixel);
    }
    *pixels = to;
    return UNCORK_OK;
}

uncork_status uc_resize_with_pad(const uc_pixels *from, uc_size to,
                                 const uc_tensorflow_resize *options, uc_arena *arena,
                                 uc_pixels *pixels, uncork_error *error)
{
    const float w = (float)from->width, h = (float)from->height,
                ratio = fmaxf(w / (float)to.width, h / (float)to.height), rw = w / ratio,
                rh = h / ratio;
    const float left = floorf(((float)to.width - rw) / 2),
                top = floorf(((float)to.height - rh) / 2);
    uc_pixels inner;
    UC_TRY(uc_resize_tensorflow(from, size_of((double)floorf(rw)), size_of((double)floorf(rh)),
                                options, arena, &inner, error));
    return uc_pixels_window(&inner, left > 0 ? -(int)left : 0, top > 0 ? -(int)top : 0, to, NULL,
                            arena, pixels, error);
}
