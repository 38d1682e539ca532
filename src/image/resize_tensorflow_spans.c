/* TensorFlow's ScaleAndTranslate: every antialiased method, and the kernels that only it has. Rows
 * are gathered first, then columns, in float32.
 * Whose results are matched: TensorFlow 2.21, core/kernels/image/scale_and_translate_op.cc and
 * sampling_kernels.h. The Lanczos kernels take the C library's sinf, as TensorFlow does. */
#include "image/resize_tensorflow_parts.h"

#include <float.h>
#include <math.h>

static float triangle(float x) { return x < 1.0f ? 1.0f - x : 0.0f; }

static float keys_cubic(float x)
{
    if (x >= 2.0f) return 0.0f;
    if (x >= 1.0f) return ((-0.5f * x + 2.5f) * x - 4.0f) * x + 2.0f;
    return ((1.5f * x - 2.5f) * x) * x + 1.0f;
}

static float mitchell_cubic(float x)
{
    if (x >= 2.0f) return 0.0f;
    if (x >= 1.0f) return (((-7.0f / 18.0f) * x + 2.0f) * x - 10.0f / 3.0f) * x + 16.0f / 9.0f;
    return (((7.0f / 6.0f) * x - 2.0f) * x) * x + 8.0f / 9.0f;
}

static float gaussian(float x)
{
    const float sigma = 0.5f;
    if (x >= 1.5f) return 0.0f;
    return (float)exp((double)(-x * x) / (2.0 * (double)sigma * (double)sigma));
}

static float lanczos(float x, float radius)
{
    const float pi = 3.14159265359f;
    if (x > radius) return 0.0f;
    if (x <= 1e-3f) return 1.0f;
    return radius * sinf(pi * x) * sinf(pi * x / radius) / (pi * pi * x * x);
}

static float lanczos3(float x) { return lanczos(x, 3.0f); }

static float lanczos5(float x) { return lanczos(x, 5.0f); }

static const struct {
    float (*weight)(float x); /* x >= 0 */
    float radius;
} kernels[] = {
    [UC_TF_BILINEAR] = {triangle, 1.0f}, [UC_TF_BICUBIC] = {keys_cubic, 2.0f},
    [UC_TF_LANCZOS3] = {lanczos3, 3.0f}, [UC_TF_LANCZOS5] = {lanczos5, 5.0f},
    [UC_TF_GAUSSIAN] = {gaussian, 1.5f}, [UC_TF_MITCHELL] = {mitchell_cubic, 2.0f},
};

/* Output i of an axis sums count[i] inputs from first[i] on. */
typedef struct spans {
    int *first, *count;
    float *weights; /* [out, room] */
    int room;
} spans;

static int clamp(double v, int last) { return v < 0 ? 0 : v > last ? last : (int)v; }

static uncork_status make_spans(spans *s, int in, int out, uc_tensorflow_filter filter,
                                bool antialias, uc_arena *arena, uncork_error *error)
{
    const float scale = (float)out / (float)in, inverse = (float)(1.0 / (double)scale),
                radius = kernels[filter].radius,
                stretch = antialias && inverse > 1.0f ? inverse : 1.0f, shrink = 1.0f / stretch;
    const double widest = 2 * ceil((double)(radius * stretch)) + 1;
    s->room = widest < in ? (int)widest : in;
    size_t cells;
    if (!uc_mul_size((size_t)out, (size_t)s->room, &cells)) cells = SIZE_MAX;
    s->first = UC_NEW(arena, int, (size_t)out);
    s->count = UC_NEW(arena, int, (size_t)out);
    s->weights = UC_NEW(arena, float, cells);
    if (!s->first || !s->count || !s->weights) return uc_arena_status(arena, error);
    for (int i = 0; i < out; i++) {
        const float center = ((float)i + 0.5f) * inverse;
        if (center < 0 || center > (float)in) continue;
        const int first = clamp((double)ceilf(center - radius * stretch - 0.5f), in - 1);
        int end = clamp((double)floorf(center + radius * stretch - 0.5f), in - 1) + 1;
        if (end > first + s->room) end = first + s->room;
        float *w = s->weights + (size_t)i * (size_t)s->room, sum = 0.0f;
        for (int j = first; j < end; j++) {
            w[j - first] = kernels[filter].weight(fabsf(((float)j + 0.5f - center) * shrink));
            sum += w[j - first];
        }
        const bool normal = fabsf(sum) >= 1000.0f * FLT_MIN;
        const float part = 1.0f / sum;
        for (int j = first; j < end; j++) {
            w[j - first] = normal ? w[j - first] * part : 0.0f;
        }
        s->first[i] = first;
        s->count[i] = end > first ? end - first : 0;
    }
    return UNCORK_OK;
}

/* out[i] += w * in[i] */
static void add_scaled(const float *in, float w, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] += in[i] * w;
    }
}

uncork_status uc_tensorflow_spans(const uc_pixels *from, int width, int height,
                                  uc_tensorflow_filter filter, bool antialias, uc_arena *arena,
                                  uc_pixels *to, uncork_error *error)
{
    spans x = {0}, y = {0};
    const size_t channels = (size_t)from->channels, row = (size_t)from->width * channels;
    UC_TRY(make_spans(&x, from->width, width, filter, antialias, arena, error));
    UC_TRY(make_spans(&y, from->height, height, filter, antialias, arena, error));
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, height, width, from->channels, arena, to, error));
    float *gathered = UC_NEW(arena, float, row), *out = to->data;
    if (!gathered) return uc_arena_status(arena, error);
    for (int i = 0; i < height; i++) {
        UC_TRY(uc_arena_check(arena, error));
        memset(gathered, 0, row * sizeof *gathered);
        for (int k = 0; k < y.count[i]; k++) {
            add_scaled((const float *)from->data + (size_t)(y.first[i] + k) * row,
                       y.weights[(size_t)i * (size_t)y.room + (size_t)k], gathered, row);
        }
        for (int j = 0; j < width; j++, out += channels) {
            const float *in = gathered + (size_t)x.first[j] * channels,
                        *w = x.weights + (size_t)j * (size_t)x.room;
            for (int k = 0; k < x.count[j]; k++) {
                add_scaled(in + (size_t)k * channels, w[k], out, channels);
            }
        }
    }
    return UNCORK_OK;
}
