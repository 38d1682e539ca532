/* Colours and marks: AdjustContrastv2, AdjustHue, AdjustSaturation, RGBToHSV, HSVToRGB, DrawBoundingBoxes.
 *
 * Source: tensorflow/core/kernels/image/{adjust_contrast,adjust_hue,adjust_saturation,colorspace,
 * draw_bounding_box}_op. */
#include "op/ext/tf_call.h"

#include <inttypes.h>
#include <math.h>

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    if (x->rank >= 1 && x->shape[x->rank - 1] >= 0 && x->shape[x->rank - 1] != 3 &&
        !strstr(call->op->name, "Contrast") && !strstr(call->op->name, "Draw"))
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " channels, not 3",
                            x->shape[x->rank - 1]);
    UC_TRY(uc_call_expect_wide(call, 0));
    return uc_tf_infer_same(call);
}

/* ---- contrast -------------------------------------------------------------------------------- */

static uncork_status contrast(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    double factor;
    UC_TRY(uc_tf_one_float(call, 1, &factor));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (x->rank < 3) return uc_call_fail(call, UNCORK_INPUT, "a picture is wanted");
    const int64_t c = x->shape[x->rank - 1], pixels = x->shape[x->rank - 2] * x->shape[x->rank - 3];
    for (int64_t i = 0; pixels && i < uc_tf_product(x->shape, 0, x->rank - 3) * c; i++) {
        const int64_t base = i / c * pixels * c + i % c;
        double sum = 0;
        for (int64_t k = 0; k < pixels; k++) {
            sum += uc_tf_at(x, base + k * c);
        }
        const double mean = sum / (double)pixels;
        for (int64_t k = 0; k < pixels; k++) {
            const int64_t at = base + k * c;
            uc_tf_put(y->data, at, y->dtype, (uc_tf_at(x, at) - mean) * factor + mean);
        }
    }
    return UNCORK_OK;
}

static uncork_status run_contrast(uc_call *call) { return uc_widened(call, contrast); }
UC_TF_ROW(tf_adjust_contrast, "TfAdjustContrastv2", 2, 2, 1, infer, run_contrast)

/* ---- hue, saturation, value ------------------------------------------------------------------- */

typedef struct color {
    double a, b, c;
} color;

static color to_hsv(color v)
{
    const double high = fmax(v.a, fmax(v.b, v.c)), low = fmin(v.a, fmin(v.b, v.c)),
                 range = high - low;
    double h = 0;
    if (range > 0) {
        const double norm = 1 / (6 * range);
        h = v.a == high   ? norm * (v.b - v.c)
            : v.b == high ? norm * (v.c - v.a) + 2.0 / 6
                          : norm * (v.a - v.b) + 4.0 / 6;
        if (h < 0) h += 1;
    }
    return (color){h, high > 0 ? range / high : 0, high};
}

static double clamped(double v) { return fmin(fmax(v, 0), 1); }

static color to_rgb(color v)
{
    const double h = v.a * 6, r = clamped(fabs(h - 3) - 1), g = clamped(2 - fabs(h - 2)),
                 b = clamped(2 - fabs(h - 4));
    return (color){((r - 1) * v.b + 1) * v.c, ((g - 1) * v.b + 1) * v.c, ((b - 1) * v.b + 1) * v.c};
}

static color hue(color v, double by)
{
    /* What is left of the colour's range by the extremes, so that values outside [0, 1] turn too. */
    const double high = fmax(v.a, fmax(v.b, v.c)), low = fmin(v.a, fmin(v.b, v.c)),
                 range = high - low;
    double h = to_hsv(v).a + by;
    h -= floor(h);
    const color pure = to_rgb((color){h, 1, 1});
    return (color){low + range * pure.a, low + range * pure.b, low + range * pure.c};
}

static color saturation(color v, double by)
{
    color h = to_hsv(v);
    h.b = clamped(h.b * by);
    return to_rgb(h);
}

static color hsv(color v, double by)
{
    (void)by;
    return to_hsv(v);
}

static color rgb(color v, double by)
{
    (void)by;
    return to_rgb(v);
}

static uncork_status map(uc_call *call, color (*f)(color, double))
{
    const uc_tensor *x = uc_call_arg(call, 0);
    double by = 0;
    if (call->in_count > 1) UC_TRY(uc_tf_one_float(call, 1, &by));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    for (int64_t i = 0; i + 2 < uc_tensor_count(x); i += 3) {
        const color v = f((color){uc_tf_at(x, i), uc_tf_at(x, i + 1), uc_tf_at(x, i + 2)}, by);
        uc_tf_put(y->data, i, y->dtype, v.a);
        uc_tf_put(y->data, i + 1, y->dtype, v.b);
        uc_tf_put(y->data, i + 2, y->dtype, v.c);
    }
    return UNCORK_OK;
}

#define COLOR(SYMBOL, NAME, INPUTS, F)                                                          \
    static uncork_status map_##SYMBOL(uc_call *call) { return map(call, F); }                   \
    static uncork_status run_##SYMBOL(uc_call *call) { return uc_widened(call, map_##SYMBOL); } \
    UC_TF_ROW(SYMBOL, NAME, INPUTS, INPUTS, 1, infer, run_##SYMBOL)
COLOR(tf_adjust_hue, "TfAdjustHue", 2, hue)
COLOR(tf_adjust_saturation, "TfAdjustSaturation", 2, saturation)
COLOR(tf_hsv_to_rgb, "TfHSVToRGB", 1, rgb)
COLOR(tf_rgb_to_hsv, "TfRGBToHSV", 1, hsv)

/* ---- boxes ----------------------------------------------------------------------------------- */

static const float *color_of(const uc_call *call, int64_t box, float *own)
{
    static const float table[10][4] = {
        {1, 1, 0, 1},       {0, 0, 1, 1},    {1, 0, 0, 1},    {0, 1, 0, 1}, {0.5F, 0, 0.5F, 1},
        {0.5F, 0.5F, 0, 1}, {0.5F, 0, 0, 1}, {0, 0, 0.5F, 1}, {0, 1, 1, 1}, {1, 0, 1, 1}};
    const uc_tensor *colors = uc_call_in(call, 2);
    if (!colors || colors->rank != 2 || colors->shape[0] < 1) return table[box % 10];
    const int64_t n = colors->shape[1] < 4 ? colors->shape[1] : 4;
    for (int64_t i = 0; i < 4; i++) {
        own[i] = i < n ? (float)uc_tf_at(colors, box % colors->shape[0] * colors->shape[1] + i) : 1;
    }
    return own;
}

typedef struct frame {
    uc_tensor *y;
    int64_t base, height, width, depth;
    const float *color;
} frame;

static void dot(const frame *f, int64_t row, int64_t column)
{
    for (int64_t c = 0; c < f->depth; c++) {
        const float v = f->depth == 1 ? 1 : f->color[c < 4 ? c : 3];
        uc_tf_put(f->y->data, f->base + (row * f->width + column) * f->depth + c, f->y->dtype,
                  (double)v);
    }
}

static void draw(const frame *f, const float *box)
{
    const int64_t y1 = (int64_t)(box[0] * (float)(f->height - 1)),
                  x1 = (int64_t)(box[1] * (float)(f->width - 1));
    const int64_t y2 = (int64_t)(box[2] * (float)(f->height - 1)),
                  x2 = (int64_t)(box[3] * (float)(f->width - 1));
    const int64_t top = y1 < 0 ? 0 : y1, left = x1 < 0 ? 0 : x1;
    const int64_t bottom = y2 > f->height - 1 ? f->height - 1 : y2,
                  right = x2 > f->width - 1 ? f->width - 1 : x2;
    if (y1 > y2 || x1 > x2 || y1 >= f->height || y2 < 0 || x1 >= f->width || x2 < 0) return;
    for (int64_t k = left; k <= right; k++) {
        if (y1 >= 0) dot(f, y1, k);
        if (y2 < f->height) dot(f, y2, k);
    }
    for (int64_t k = top; k <= bottom; k++) {
        if (x1 >= 0) dot(f, k, x1);
        if (x2 < f->width) dot(f, k, x2);
    }
}

static uncork_status draw_all(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 4));
    UC_TRY(uc_tf_want(call, 1, UNCORK_FLOAT32, 3));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (b->shape[2] != 4 || b->shape[0] != x->shape[0])
        return uc_call_fail(call, UNCORK_INPUT, "its boxes don't fit");
    const size_t bytes = (size_t)uc_tensor_count(x) * uc_dtype_size(x->dtype);
    if (bytes) memcpy(y->data, x->data, bytes);
    for (int64_t i = 0; i < b->shape[0] * b->shape[1]; i++) {
        float own[4], box[4];
        for (int k = 0; k < 4; k++) {
            const float v = ((const float *)b->data)[4 * i + k];
            box[k] = v > -1e6F && v < 1e6F ? v : 0;
        }
        const frame f = {y,           i / b->shape[1] * x->shape[1] * x->shape[2] * x->shape[3],
                         x->shape[1], x->shape[2],
                         x->shape[3], color_of(call, i % b->shape[1], own)};
        draw(&f, box);
    }
    return UNCORK_OK;
}

static uncork_status run_draw(uc_call *call) { return uc_widened(call, draw_all); }
UC_TF_ROW(tf_draw_boxes, "TfDrawBoundingBoxes", 2, 2, 1, infer, run_draw)
UC_TF_ROW(tf_draw_boxes_v2, "TfDrawBoundingBoxesV2", 3, 3, 1, infer, run_draw)
