/* Pictures sampled elsewhere: CropAndResize, ResizeBicubic, ResizeArea, ScaleAndTranslate,
 * ImageProjectiveTransformV2 and V3, ExtractGlimpse.
 *
 * Source: tensorflow/core/kernels/image/{crop_and_resize,scale_and_translate,sampling_kernels,image_ops}.
 * Pictures are [N, H, W, C]. */
#include "base/thread.h"
#include "image/resize.h"
#include "op/ext/tf_call.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

/* ---- CropAndResize --------------------------------------------------------------------------- */

static uncork_status infer_crop(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *b = uc_call_arg(call, 1);
    int64_t size[2];
    bool known;
    UC_TRY(uc_tf_picture_size(call, 3, size, &known));
    const int64_t shape[] = {b->rank == 2 ? b->shape[0] : UC_DIM_UNKNOWN, size[0], size[1],
                             x->rank == 4 ? x->shape[3] : UC_DIM_UNKNOWN};
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 4, shape);
}

typedef struct crops {
    const float *image, *boxes;
    const uc_tensor *index;
    float *out;
    int64_t batch, height, width, depth, rows, columns;
    float outside;
    bool nearest;
} crops;

static float place_in(float low, float high, int64_t i, int64_t count, int64_t size)
{
    if (count <= 1) return 0.5F * (low + high) * (float)(size - 1);
    const float scale = (high - low) * (float)(size - 1) / (float)(count - 1);
    return low * (float)(size - 1) + (float)i * scale;
}

static void fill(float *to, int64_t n, float v)
{
    for (int64_t i = 0; i < n; i++) {
        to[i] = v;
    }
}

static void crop_pixel(const crops *c, const float *image, float y, float x, float *to)
{
    if (c->nearest) {
        memcpy(to, image + ((int64_t)roundf(y) * c->width + (int64_t)roundf(x)) * c->depth,
               (size_t)c->depth * sizeof *to);
        return;
    }
    const int64_t top = (int64_t)floorf(y), bottom = (int64_t)ceilf(y);
    const int64_t left = (int64_t)floorf(x), right = (int64_t)ceilf(x);
    const float ly = y - (float)top, lx = x - (float)left;
    const float *a = image + (top * c->width + left) * c->depth,
                *b = image + (top * c->width + right) * c->depth;
    const float *d = image + (bottom * c->width + left) * c->depth,
                *e = image + (bottom * c->width + right) * c->depth;
    for (int64_t k = 0; k < c->depth; k++) {
        const float up = a[k] + (b[k] - a[k]) * lx, down = d[k] + (e[k] - d[k]) * lx;
        to[k] = up + (down - up) * ly;
    }
}

static void crop_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const crops *c = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const int64_t box = i / c->rows, row = i % c->rows, which = uc_tf_int_at(c->index, box);
        const float *b = c->boxes + 4 * box;
        float *to = c->out + i * c->columns * c->depth;
        const float y = place_in(b[0], b[2], row, c->rows, c->height);
        if (which < 0 || which >= c->batch || !(y >= 0 && y <= (float)(c->height - 1))) {
            fill(to, c->columns * c->depth, which < 0 || which >= c->batch ? 0 : c->outside);
            continue;
        }
        const float *image = c->image + which * c->height * c->width * c->depth;
        for (int64_t k = 0; k < c->columns; k++, to += c->depth) {
            const float x = place_in(b[1], b[3], k, c->columns, c->width);
            if (x >= 0 && x <= (float)(c->width - 1))
                crop_pixel(c, image, y, x, to);
            else
                fill(to, c->depth, c->outside);
        }
    }
}

static const float *as_floats(uc_call *call, const uc_tensor *t)
{
    if (t->dtype == UNCORK_FLOAT32) return t->data;
    const int64_t n = uc_tensor_count(t);
    float *f = uc_call_scratch(call, (size_t)n + 1, sizeof *f);
    if (f && n) uc_dtype_floats(t->data, 0, n, t->dtype, f);
    return f;
}

static uncork_status run_crop(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *b = uc_call_arg(call, 1),
                    *index = uc_call_arg(call, 2);
    int64_t size[2];
    bool known;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 4));
    UC_TRY(uc_tf_want(call, 1, UNCORK_FLOAT32, 2));
    UC_TRY(uc_tf_want(call, 2, UNCORK_DTYPE_NONE, 1));
    UC_TRY(uc_tf_picture_size(call, 3, size, &known));
    if (b->shape[1] != 4 || index->shape[0] != b->shape[0] || x->shape[1] < 1 || x->shape[2] < 1)
        return uc_call_fail(call, UNCORK_INPUT, "its boxes don't fit");
    const int64_t shape[] = {b->shape[0], size[0], size[1], x->shape[3]};
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT32, 4, shape, &y));
    crops c = {.image = as_floats(call, x),
               .boxes = b->data,
               .index = index,
               .out = y->data,
               .batch = x->shape[0],
               .height = x->shape[1],
               .width = x->shape[2],
               .depth = x->shape[3],
               .rows = size[0],
               .columns = size[1],
               .outside = (float)uc_call_float(call, "extrapolation_value", 0),
               .nearest = uc_tf_attr_is(call, "method", "nearest")};
    if (!c.image) return uc_fail_memory(call->error);
    uc_parallel(call->pool, shape[0] * size[0], 4, crop_rows, &c);
    return UNCORK_OK;
}
UC_TF_ROW(tf_crop_and_resize, "TfCropAndResize", 4, 4, 1, infer_crop, run_crop)

/* ---- resizes --------------------------------------------------------------------------------- */

static uncork_status infer_resize(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t size[2];
    bool known;
    UC_TRY(uc_tf_picture_size(call, 1, size, &known));
    const int64_t shape[] = {x->rank == 4 ? x->shape[0] : UC_DIM_UNKNOWN, size[0], size[1],
                             x->rank == 4 ? x->shape[3] : UC_DIM_UNKNOWN};
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 4, shape);
}

static uncork_status resize_all(uc_call *call, uc_arena *arena)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t size[2];
    bool known;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 4));
    UC_TRY(uc_tf_picture_size(call, 1, size, &known));
    const int64_t shape[] = {x->shape[0], size[0], size[1], x->shape[3]};
    if (x->shape[1] > INT32_MAX || x->shape[2] > INT32_MAX || x->shape[3] > INT32_MAX)
        return uc_call_fail(call, UNCORK_LIMIT, "a picture too large");
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT32, 4, shape, &y));
    const bool area = strcmp(call->op->name, "TfResizeArea") == 0;
    const uc_tensorflow_resize o = {.filter = area ? UC_TF_AREA : UC_TF_BICUBIC,
                                    .legacy = area || !uc_call_int(call, "half_pixel_centers", 0),
                                    .align_corners = uc_call_int(call, "align_corners", 0) != 0};
    const int64_t each = x->shape[1] * x->shape[2] * x->shape[3],
                  made = size[0] * size[1] * x->shape[3];
    const float *from = as_floats(call, x);
    if (!from) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < x->shape[0]; i++) {
        const uc_pixels p = {UNCORK_FLOAT32, (int)x->shape[1], (int)x->shape[2], (int)x->shape[3],
                             (void *)(uintptr_t)(from + i * each)};
        uc_pixels out;
        uc_arena_reset(arena);
        UC_TRY(uc_resize_tensorflow(&p, (int)size[1], (int)size[0], &o, arena, &out, call->error));
        memcpy((float *)y->data + i * made, out.data, (size_t)made * sizeof(float));
    }
    return UNCORK_OK;
}

static uncork_status run_resize(uc_call *call)
{
    uc_arena *arena = uc_arena_new(call->budget);
    if (!arena) return uc_fail_memory(call->error);
    const uncork_status status = resize_all(call, arena);
    uc_arena_free(arena);
    return status;
}
UC_TF_ROW(tf_resize_area, "TfResizeArea", 2, 2, 1, infer_resize, run_resize)
UC_TF_ROW(tf_resize_bicubic, "TfResizeBicubic", 2, 2, 1, infer_resize, run_resize)

/* ---- ScaleAndTranslate ----------------------------------------------------------------------- */

typedef struct kernel {
    const char *name;
    float radius;
} kernel;

static float sinc_window(float x, float radius)
{
    const float pi = 3.14159265359F;
    if (x > radius) return 0;
    return x <= 1e-3F ? 1 : radius * sinf(pi * x) * sinf(pi * x / radius) / (pi * pi * x * x);
}

static float weight(const kernel *k, float x)
{
    switch (k->name[0]) {
    case 'l': return sinc_window(x, k->radius);
    case 'g': return x >= k->radius ? 0 : expf(-x * x / (2 * (k->radius / 3) * (k->radius / 3)));
    case 'b': return x < 0.5F ? 1 : x == 0.5F ? 0.5F : 0;
    case 't': return x < 1 ? 1 - x : 0;
    case 'k':
        if (x >= 2) return 0;
        return x >= 1 ? ((-0.5F * x + 2.5F) * x - 4) * x + 2 : ((1.5F * x - 2.5F) * x) * x + 1;
    default:
        if (x >= 2) return 0;
        return x >= 1 ? (((-7 / 18.0F) * x + 2) * x - 10 / 3.0F) * x + 16 / 9.0F
                      : ((7 / 6.0F) * x - 2) * x * x + 8 / 9.0F;
    }
}

static const kernel *kernel_of(const uc_call *call)
{
    static const kernel all[] = {{"lanczos1", 1},    {"lanczos3", 3},     {"lanczos5", 5},
                                 {"gaussian", 1.5F}, {"box", 0.5F},       {"triangle", 1},
                                 {"keyscubic", 2},   {"mitchellcubic", 2}};
    const uc_str name = uc_call_str(call, "kernel_type", "lanczos3");
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (uc_str_is(name, all[i].name)) return &all[i];
    }
    return NULL;
}

/* Which inputs an output of one axis is made of. */
typedef struct span {
    int64_t begin, count;
    float *weights;
} span;

static uncork_status make_spans(uc_call *call, int64_t in, int64_t out, float scale, float shift,
                                span **spans)
{
    const kernel *k = kernel_of(call);
    const float inverse = 1 / scale, back = -inverse * shift;
    const float wide = uc_call_int(call, "antialias", 1) ? fmaxf(inverse, 1) : 1,
                reach = k->radius * wide;
    span *s = uc_call_scratch(call, (size_t)out + 1, sizeof *s);
    if (!s) return uc_fail_memory(call->error);
    if (!(scale > 0) || !(reach < 1e6F))
        return uc_call_fail(call, UNCORK_INPUT, "scale should be greater than zero");
    for (int64_t i = 0; i < out; i++) {
        const float at = ((float)i + 0.5F) * inverse + back;
        s[i] = (span){0, 0, NULL};
        if (!(at >= 0 && at <= (float)in)) continue;
        int64_t begin = (int64_t)ceilf(at - reach - 0.5F), end = (int64_t)floorf(at + reach - 0.5F);
        begin = begin < 0 ? 0 : begin > in - 1 ? in - 1 : begin;
        end = (end < 0 ? 0 : end > in - 1 ? in - 1 : end) + 1;
        s[i] = (span){begin, end > begin ? end - begin : 0,
                      uc_call_scratch(call, (size_t)(end - begin) + 1, sizeof(float))};
        if (!s[i].weights) return uc_fail_memory(call->error);
        float total = 0;
        for (int64_t j = 0; j < s[i].count; j++) {
            s[i].weights[j] = weight(k, fabsf(((float)(begin + j) + 0.5F - at) / wide));
            total += s[i].weights[j];
        }
        if (fabsf(total) < 1000 * FLT_MIN) s[i].count = 0;
        for (int64_t j = 0; j < s[i].count; j++) {
            s[i].weights[j] /= total;
        }
    }
    *spans = s;
    return UNCORK_OK;
}

/* Rows of `each` numbers summed by a span. */
static void gather(const span *s, const float *from, int64_t each, float *to)
{
    fill(to, each, 0);
    for (int64_t j = 0; j < s->count; j++) {
        const float *row = from + (s->begin + j) * each, w = s->weights[j];
        for (int64_t k = 0; k < each; k++) {
            to[k] += w * row[k];
        }
    }
}

static uncork_status infer_scale(uc_call *call)
{
    if (!kernel_of(call)) return uc_call_fail(call, UNCORK_UNSUPPORTED, "its kernel isn't known");
    return infer_resize(call);
}

static uncork_status run_scale(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *scale = uc_call_arg(call, 2),
                    *shift = uc_call_arg(call, 3);
    int64_t size[2];
    bool known;
    span *rows = NULL, *columns = NULL;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 4));
    UC_TRY(uc_tf_picture_size(call, 1, size, &known));
    if (uc_tensor_count(scale) != 2 || uc_tensor_count(shift) != 2 || x->shape[1] < 1 ||
        x->shape[2] < 1)
        return uc_call_fail(call, UNCORK_INPUT,
                            "its scale and translation aren't two numbers each");
    UC_TRY(make_spans(call, x->shape[1], size[0], (float)uc_tf_at(scale, 0),
                      (float)uc_tf_at(shift, 0), &rows));
    UC_TRY(make_spans(call, x->shape[2], size[1], (float)uc_tf_at(scale, 1),
                      (float)uc_tf_at(shift, 1), &columns));
    const int64_t c = x->shape[3], line = x->shape[2] * c,
                  shape[] = {x->shape[0], size[0], size[1], c};
    UC_TRY(uc_call_output(call, 0, UNCORK_FLOAT32, 4, shape, &y));
    const float *from = as_floats(call, x);
    float *row = uc_call_scratch(call, (size_t)line + 1, sizeof *row);
    if (!from || !row) return uc_fail_memory(call->error);
    for (int64_t i = 0; i < shape[0] * size[0]; i++) {
        gather(&rows[i % size[0]], from + i / size[0] * x->shape[1] * line, line, row);
        for (int64_t k = 0; k < size[1]; k++) {
            gather(&columns[k], row, c, (float *)y->data + (i * size[1] + k) * c);
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_scale_and_translate, "TfScaleAndTranslate", 4, 4, 1, infer_scale, run_scale)

/* ---- ImageProjectiveTransform ----------------------------------------------------------------- */

static uncork_status infer_projective(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t size[2];
    bool known;
    UC_TRY(uc_tf_picture_size(call, 2, size, &known));
    const int64_t shape[] = {x->rank == 4 ? x->shape[0] : UC_DIM_UNKNOWN, size[0], size[1],
                             x->rank == 4 ? x->shape[3] : UC_DIM_UNKNOWN};
    return uc_call_shape(call, 0, x->dtype, 4, shape);
}

/* A coordinate brought back into [0, n). */
static float fold(float v, int64_t n, char mode)
{
    const float size = (float)n;
    if (mode == 'N') return fmaxf(fminf(v, size - 1), 0);
    if (mode == 'C' || (v >= 0 && v <= size - 1)) return v;
    if (n <= 1) return 0;
    if (mode == 'W') {
        const float period = size - 1;
        v = v < 0 ? v + size * (float)((int64_t)(-v / period) + 1)
                  : v - size * (float)(int64_t)(v / period);
    } else {
        const float twice = 2 * size;
        if (v < 0) {
            if (v < twice) v += twice * (float)(int64_t)(-v / twice);
            v = v < -size ? v + twice : -v - 1;
        } else {
            v -= twice * (float)(int64_t)(v / twice);
            if (v >= size) v = twice - v - 1;
        }
    }
    return fmaxf(fminf(v, size - 1), 0);
}

typedef struct plane {
    const uc_tensor *x;
    int64_t base, height, width, depth;
    float outside;
} plane;

static float pixel(const plane *p, float y, float x, int64_t c)
{
    if (!(y >= 0 && y < (float)p->height && x >= 0 && x < (float)p->width)) return p->outside;
    return (float)uc_tf_at(p->x, p->base + ((int64_t)y * p->width + (int64_t)x) * p->depth + c);
}

static float sample(const plane *p, float y, float x, int64_t c, bool nearest)
{
    if (nearest) return pixel(p, roundf(y), roundf(x), c);
    const float top = floorf(y), left = floorf(x), bottom = top + 1, right = left + 1;
    const float up = (right - x) * pixel(p, top, left, c) + (x - left) * pixel(p, top, right, c);
    const float down =
        (right - x) * pixel(p, bottom, left, c) + (x - left) * pixel(p, bottom, right, c);
    return (bottom - y) * up + (y - top) * down;
}

static uncork_status run_projective(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0), *t = uc_call_arg(call, 1);
    int64_t size[2];
    bool known;
    double outside = 0;
    uc_tensor *y = NULL;
    UC_TRY(uc_tf_want(call, 0, UNCORK_DTYPE_NONE, 4));
    UC_TRY(uc_tf_want(call, 1, UNCORK_FLOAT32, 2));
    UC_TRY(uc_tf_picture_size(call, 2, size, &known));
    if (call->in_count > 3) UC_TRY(uc_tf_one_float(call, 3, &outside));
    const uc_str mode = uc_call_str(call, "fill_mode", "CONSTANT");
    const bool nearest = uc_tf_attr_is(call, "interpolation", "NEAREST");
    if (t->shape[1] != 8 || (t->shape[0] != 1 && t->shape[0] != x->shape[0]) || x->shape[1] < 1 ||
        x->shape[2] < 1)
        return uc_call_fail(call, UNCORK_INPUT, "its transforms don't fit");
    const int64_t c = x->shape[3], shape[] = {x->shape[0], size[0], size[1], c};
    UC_TRY(uc_call_output(call, 0, x->dtype, 4, shape, &y));
    for (int64_t i = 0; i < size[0] * size[1] * shape[0]; i++) {
        const int64_t b = i / (size[0] * size[1]), row = i / size[1] % size[0],
                      column = i % size[1];
        const float *m = (const float *)t->data + (t->shape[0] == 1 ? 0 : 8 * b),
                    px = (float)column, py = (float)row;
        const float w = m[6] * px + m[7] * py + 1;
        const plane p = {
            x, b * x->shape[1] * x->shape[2] * c, x->shape[1], x->shape[2], c, (float)outside};
        const float sx =
            fold((m[0] * px + m[1] * py + m[2]) / w, p.width, mode.size ? mode.data[0] : 'C');
        const float sy =
            fold((m[3] * px + m[4] * py + m[5]) / w, p.height, mode.size ? mode.data[0] : 'C');
        for (int64_t k = 0; k < c; k++) {
            uc_tf_put(y->data, i * c + k, y->dtype,
                      w == 0 ? outside : (double)sample(&p, sy, sx, k, nearest));
        }
    }
    return UNCORK_OK;
}
UC_TF_ROW(tf_projective_transform_v2, "TfImageProjectiveTransformV2", 3, 3, 1, infer_projective,
          run_projective)
UC_TF_ROW(tf_projective_transform_v3, "TfImageProjectiveTransformV3", 4, 4, 1, infer_projective,
          run_projective)
