/* torchvision's resize of tensors: UINT8 by integer weights of at most 15 bits (v2), everything else
 * in float32 as ATen's kernels for AVX2 and AVX-512 round it (channels first, contiguous); horizontal
 * pass first.
 * Whose results are matched: torch 2.15, aten/src/ATen/native/cpu/UpSampleKernel.cpp and
 * UpSample.h; torchvision 0.29, transforms/_functional_tensor.py and v2/functional/_geometry.py. */
#define _DEFAULT_SOURCE /* M_PI */
#include "image/resize.h"

#include "base/dtype.h"
#include "kernel/resample_u8.h"

#include <math.h>

enum { PRECISION_MAX = 22 };

/* Output i of an axis sums count[i] inputs from first[i] on. */
typedef struct axis {
    int in, out, room;
    int *first, *count;
    double *weights; /* [out, room]; rounded to float32 for the float path */
    int32_t *fixed;  /* the same times 2^precision */
    int precision;
    bool narrow; /* as resample_u8.h has it */
} axis;

typedef struct filter_row {
    double (*weight)(double x, double a); /* in the precision of `double`, or of float below */
    float (*weight_f32)(float x, float a);
    int taps; /* neighbours without antialias */
} filter_row;

static double triangle(double x, double a)
{
    (void)a;
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static float triangle_f32(float x, float a)
{
    (void)a;
    x = fabsf(x);
    return x < 1.0f ? 1.0f - x : 0.0f;
}

static double cubic(double x, double a)
{
    x = fabs(x);
    if (x < 1.0) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2.0) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    return 0.0;
}

static float cubic_f32(float x, float a)
{
    x = fabsf(x);
    if (x < 1.0f) return fmaf(fmaf(a + 2, x, -(a + 3)) * x, x, 1.0f);
    if (x < 2.0f) return fmaf(fmaf(fmaf(a, x, -5 * a), x, 8 * a), x, -4 * a);
    return 0.0f;
}

static double sinc(double x)
{
    if (!(x < 0.0) && !(x > 0.0)) return 1.0;
    x *= M_PI;
    return sin(x) / x;
}

static double lanczos(double x, double a)
{
    (void)a;
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

static float sinc_f32(float x)
{
    if (!(x < 0.0f) && !(x > 0.0f)) return 1.0f;
    x *= (float)M_PI;
    return sinf(x) / x;
}

static float lanczos_f32(float x, float a)
{
    (void)a;
    return x >= -3.0f && x < 3.0f ? sinc_f32(x) * sinc_f32(x / 3) : 0.0f;
}

static const filter_row filters[] = {
    [UC_TORCHVISION_BILINEAR] = {triangle, triangle_f32, 2},
    [UC_TORCHVISION_BICUBIC] = {cubic, cubic_f32, 4},
    [UC_TORCHVISION_LANCZOS] = {lanczos, lanczos_f32, 6},
};

/* ---- weights -------------------------------------------------------------------------------- */

static uncork_status room_for(axis *a, int in, int out, double room, uc_arena *arena,
                              uncork_error *error)
{
    size_t cells;
    *a = (axis){.in = in, .out = out};
    if (!(room < 1e9) || !uc_mul_size((size_t)out, (size_t)room, &cells)) {
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
                       "a resize from %d to %d pixels is too large", in, out);
    }
    a->room = (int)room;
    a->first = UC_NEW(arena, int, (size_t)out);
    a->count = UC_NEW(arena, int, (size_t)out);
    a->weights = UC_NEW(arena, double, cells);
    a->fixed = UC_NEW(arena, int32_t, cells);
    return a->first && a->count && a->weights && a->fixed ? UNCORK_OK
                                                          : uc_arena_status(arena, error);
}

/* The inputs of output i, [center - support, center + support] rounded as ATen does. */
static double *window_of(axis *a, int i, double low, double high)
{
    int first = (int)low, end = high < a->in ? (int)high : a->in;
    if (low < 0) first = 0;
    a->first[i] = first;
    a->count[i] = end - first > a->room ? a->room : end > first ? end - first : 0;
    return a->weights + (size_t)i * (size_t)a->room;
}

static void antialiased_f64(axis *a, const filter_row *f)
{
    const double scale = (double)a->in / a->out, half = f->taps * 0.5,
                 support = scale >= 1.0 ? half * scale : half,
                 inverse = scale >= 1.0 ? 1.0 / scale : 1.0;
    for (int i = 0; i < a->out; i++) {
        const double center = scale * (i + 0.5);
        double *w = window_of(a, i, center - support + 0.5, center + support + 0.5), sum = 0.0;
        for (int j = 0; j < a->count[i]; j++) {
            w[j] = f->weight((j + a->first[i] - center + 0.5) * inverse, -0.5);
            sum += w[j];
        }
        for (int j = 0; j < a->count[i] && (sum < 0 || sum > 0); j++) {
            w[j] /= sum;
        }
    }
}

static void antialiased_f32(axis *a, const filter_row *f)
{
    const float scale = (float)a->in / (float)a->out,
                support = (float)(scale >= 1.0f ? f->taps * 0.5 * (double)scale : f->taps * 0.5),
                inverse = scale >= 1.0f ? (float)(1.0 / (double)scale) : 1.0f;
    for (int i = 0; i < a->out; i++) {
        const float center = (float)((double)scale * (i + 0.5));
        double *w =
            window_of(a, i, (double)(center - support) + 0.5, (double)(center + support) + 0.5);
        float sum = 0.0f;
        for (int j = 0; j < a->count[i]; j++) {
            const float place = (float)(j + a->first[i]) - center,
                        v = f->weight_f32((float)(((double)place + 0.5) * (double)inverse), -0.5f);
            w[j] = (double)v;
            sum += v;
        }
        for (int j = 0; j < a->count[i] && (sum < 0 || sum > 0); j++) {
            w[j] = (double)((float)w[j] / sum);
        }
    }
}

/* Neighbours without antialias, in double for UINT8: taps outside count for the edge. */
static void neighbours_f64(axis *a, const filter_row *f)
{
    const double scale = (double)a->in / a->out;
    for (int i = 0; i < a->out; i++) {
        double place = scale * (i + 0.5) - 0.5;
        if (f->taps == 2 && place < 0) place = 0;
        int at = (int)floor(place);
        if (at > a->in - 1) at = a->in - 1;
        const double t = fmin(fmax(place - at, 0.0), 1.0);
        const int half = f->taps / 2, low = at - half + 1, high = at + half + 1;
        double *w = a->weights + (size_t)i * (size_t)a->room;
        a->first[i] = low > 0 ? low : 0;
        a->count[i] = (high < a->in ? high : a->in) - a->first[i];
        for (int j = 0; j < f->taps; j++) {
            int to = low + j - a->first[i];
            to = to < 0 ? 0 : to > a->count[i] - 1 ? a->count[i] - 1 : to;
            w[to] += f->weight(j + 1 - half - t, -0.75);
        }
    }
}

/* The largest precision with which every weight fits 16 bits. */
static void fix_weights(axis *a)
{
    const size_t cells = (size_t)a->out * (size_t)a->room;
    double most = 0.0;
    for (size_t i = 0; i < cells; i++) {
        if (a->weights[i] > most) most = a->weights[i];
    }
    for (a->precision = 0; a->precision < PRECISION_MAX; a->precision++) {
        if ((int)(0.5 + most * (1 << (a->precision + 1))) >= 1 << 15) break;
    }
    a->narrow = true; /* but for negative ones of a filter that sharpens */
    for (size_t i = 0; i < cells; i++) {
        const double w = a->weights[i] * (1 << a->precision);
        a->fixed[i] = (int32_t)(a->weights[i] < 0 ? w - 0.5 : w + 0.5);
        a->narrow = a->narrow && a->fixed[i] > INT16_MIN && a->fixed[i] <= INT16_MAX;
    }
}

static uncork_status make_axis(axis *a, int in, int out, const filter_row *f, bool antialias,
                               bool integers, uc_arena *arena, uncork_error *error)
{
    const double scale = (double)in / out,
                 support = scale >= 1.0 ? f->taps * 0.5 * scale : f->taps * 0.5;
    UC_TRY(room_for(a, in, out, antialias ? ceil(support) * 2 + 1 : f->taps, arena, error));
    if (!antialias) {
        neighbours_f64(a, f);
    } else if (integers) {
        antialiased_f64(a, f);
    } else {
        antialiased_f32(a, f);
    }
    if (integers) fix_weights(a);
    return UNCORK_OK;
}

/* ---- passes --------------------------------------------------------------------------------- */

/* Behind the first, products are rounded in groups of four and fused into the sum after that. */
static int plain_until(int count) { return 1 + (count - 1) / 4 * 4; }

static void across_f32(const float *in, float *out, const axis *a, size_t channels)
{
    for (int x = 0; x < a->out; x++) {
        const float *p = in + (size_t)a->first[x] * channels;
        const double *w = a->weights + (size_t)x * (size_t)a->room;
        for (size_t c = 0; c < channels; c++) {
            float sum = p[c] * (float)w[0];
            int j = 1;
            for (; j < plain_until(a->count[x]); j++) {
                sum += p[(size_t)j * channels + c] * (float)w[j];
            }
            for (; j < a->count[x]; j++) {
                sum = fmaf(p[(size_t)j * channels + c], (float)w[j], sum);
            }
            *out++ = sum;
        }
    }
}

static void down_f32(const float *in, float *out, const axis *a, int y, size_t row)
{
    const double *w = a->weights + (size_t)y * (size_t)a->room;
    for (int j = 0; j < a->count[y]; j++) {
        const float *p = in + (size_t)(a->first[y] + j) * row, k = (float)w[j];
        for (size_t i = 0; i < row; i++) {
            const float before = j == 0 ? 0.0f : out[i];
            out[i] = j < plain_until(a->count[y]) ? before + p[i] * k : fmaf(p[i], k, before);
        }
    }
}

static uncork_status pass(uc_pixels *now, const axis *a, bool horizontal, uc_arena *arena,
                          uncork_error *error)
{
    uc_pixels to;
    const size_t channels = (size_t)now->channels, in_row = (size_t)now->width * channels;
    const bool integers = now->dtype == UNCORK_UINT8;
    UC_TRY(uc_pixels_new(now->dtype, horizontal ? now->height : a->out,
                         horizontal ? a->out : now->width, now->channels, arena, &to, error));
    const size_t out_row = (size_t)to.width * channels;
    const uc_resample_u8 *kernel = uc_resamples_u8();
    uc_resample_axis w = {.first = a->first,
                          .count = a->count,
                          .weights = a->fixed,
                          .out = a->out,
                          .room = a->room,
                          .shift = a->precision,
                          .narrow = a->narrow};
    if (integers && horizontal) {
        int16_t *packed = UC_NEW(arena, int16_t, uc_resample_packed(&w));
        if (!packed) return uc_arena_status(arena, error);
        kernel->pack(&w, packed);
        w.packed = packed;
    }
    for (int y = 0; y < to.height; y++) {
        UC_TRY(uc_arena_check(arena, error));
        const size_t in = (size_t)y * in_row, out = (size_t)y * out_row;
        if (integers && horizontal) {
            kernel->across((const uint8_t *)now->data + in, (size_t)now->height * in_row - in,
                           now->channels, &w, (uint8_t *)to.data + out);
        } else if (integers) {
            kernel->down(now->data, &w, y, in_row, (uint8_t *)to.data + out);
        } else if (horizontal) {
            across_f32((const float *)now->data + in, (float *)to.data + out, a, channels);
        } else {
            down_f32(now->data, (float *)to.data + out, a, y, in_row);
        }
    }
    *now = to;
    return UNCORK_OK;
}

/* In a column one pixel wide torch 2.15 takes the weights of the first row for every row: its loop over
 * rows finds all strides 0 and takes itself for one along the width
 * (cpu_upsample_generic_aa in UpSampleKernel.cpp). */
static void repeat_first(uc_pixels *column)
{
    const size_t pixel = (size_t)column->channels * sizeof(float);
    for (int y = 1; y < column->height; y++) {
        memcpy((uint8_t *)column->data + (size_t)y * pixel, column->data, pixel);
    }
}

static uncork_status separable(const uc_pixels *from, int width, int height, const filter_row *f,
                               bool antialias, uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    axis x, y;
    const bool integers = from->dtype == UNCORK_UINT8;
    *to = *from;
    if (width != from->width) {
        UC_TRY(make_axis(&x, from->width, width, f, antialias, integers, arena, error));
        UC_TRY(pass(to, &x, true, arena, error));
    }
    if (height != from->height) {
        UC_TRY(make_axis(&y, from->height, height, f, antialias, integers, arena, error));
        UC_TRY(pass(to, &y, false, arena, error));
        if (to->width == 1 && !integers) repeat_first(to);
    }
    return UNCORK_OK;
}

/* ---- floats without antialias, and nearest -------------------------------------------------- */

typedef struct near {
    int at[4]; /* places in a row (times the step), or rows */
    float weight[4];
} near;

/* The cubic of a = -0.75, with the multiply-adds that ATen's compiler fuses. */
static float cubic_inner(float x) { return fmaf(1.25f, x, -2.25f) * x * x + 1.0f; }

static float cubic_outer(float x) { return fmaf(fmaf(-0.75f, x, 3.75f), x, -6.0f) * x + 3.0f; }

/* `fused`: the place is computed by a fused multiply-add. */
static near *make_near(int in, int out, int taps, bool fused, int step, uc_arena *arena)
{
    near *n = UC_NEW(arena, near, (size_t)out);
    const float scale = (float)in / (float)out;
    for (int i = 0; n && i < out; i++) {
        float place =
            fused ? fmaf(scale, (float)i + 0.5f, -0.5f) : scale * ((float)i + 0.5f) - 0.5f;
        if (taps == 2 && place < 0) place = 0;
        int at = (int)floorf(place);
        if (at > in - 1) at = in - 1;
        const float t = fminf(fmaxf(place - (float)at, 0.0f), 1.0f);
        if (in == out) at = i; /* a copy along this axis */
        if (taps == 2) {
            n[i].weight[1] = in == out ? 0.0f : t;
            n[i].weight[0] = 1.0f - n[i].weight[1];
        } else {
            const float u = 1.0f - t;
            n[i].weight[0] = cubic_outer(t + 1.0f);
            n[i].weight[1] = cubic_inner(t);
            n[i].weight[2] = cubic_inner(u);
            n[i].weight[3] = cubic_outer(u + 1.0f);
        }
        for (int k = 0; k < taps; k++) {
            const int p = at + k - (taps / 2 - 1);
            n[i].at[k] = step * (p < 0 ? 0 : p > in - 1 ? in - 1 : p);
        }
    }
    return n;
}

/* Three channels, and small pictures, multiply the weights first. */
static float of_products(const float *p, size_t row, const near *y, const near *x)
{
    const float *a = p + (size_t)y->at[0] * row, *b = p + (size_t)y->at[1] * row;
    float sum = y->weight[0] * x->weight[1] * a[x->at[1]];
    sum = fmaf(y->weight[0] * x->weight[0], a[x->at[0]], sum);
    sum = fmaf(y->weight[1] * x->weight[0], b[x->at[0]], sum);
    return fmaf(y->weight[1] * x->weight[1], b[x->at[1]], sum);
}

/* The rest sum along rows first; both start with the second product. */
static float across_taps(const float *in, const near *x, int taps)
{
    float sum = fmaf(x->weight[0], in[x->at[0]], x->weight[1] * in[x->at[1]]);
    for (int u = 2; u < taps; u++) {
        sum = fmaf(x->weight[u], in[x->at[u]], sum);
    }
    return sum;
}

static float of_rows(const float *p, size_t row, const near *y, const near *x, int taps)
{
    float sum = y->weight[1] * across_taps(p + (size_t)y->at[1] * row, x, taps);
    sum = fmaf(y->weight[0], across_taps(p + (size_t)y->at[0] * row, x, taps), sum);
    for (int v = 2; v < taps; v++) {
        sum = fmaf(y->weight[v], across_taps(p + (size_t)y->at[v] * row, x, taps), sum);
    }
    return sum;
}

static uncork_status sampled(const uc_pixels *from, int width, int height, int taps,
                             uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    const size_t channels = (size_t)from->channels, row = (size_t)from->width * channels;
    /* ATen's _use_vectorized_kernel_cond_2d, and its own loop for three channels */
    const bool products = taps == 2 && (from->channels == 3 || (int64_t)width + height <= 128);
    const bool fused = taps == 4 || products;
    const near *nx = make_near(from->width, width, taps, fused, from->channels, arena),
               *ny = make_near(from->height, height, taps, fused, 1, arena);
    if (!nx || !ny) return uc_arena_status(arena, error);
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, height, width, from->channels, arena, to, error));
    float *out = to->data;
    for (int i = 0; i < height; i++) {
        UC_TRY(uc_arena_check(arena, error));
        for (int j = 0; j < width; j++) {
            for (size_t c = 0; c < channels; c++) {
                const float *p = (const float *)from->data + c;
                *out++ = products ? of_products(p, row, &ny[i], &nx[j])
                                  : of_rows(p, row, &ny[i], &nx[j], taps);
            }
        }
    }
    return UNCORK_OK;
}

static int nearest_place(int i, int in, int out, bool exact)
{
    const float scale = (float)in / (float)out;
    const float f = exact ? floorf(fmaxf(fmaf(scale, (float)i + 0.5f, -0.5f), 0.0f) + 0.5f)
                          : floorf((float)i * scale);
    return f > (float)(in - 1) ? in - 1 : (int)f;
}

static uncork_status nearest(const uc_pixels *from, int width, int height, bool exact,
                             uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    const size_t size = (size_t)from->channels * uc_dtype_size(from->dtype);
    UC_TRY(uc_pixels_new(from->dtype, height, width, from->channels, arena, to, error));
    char *out = to->data;
    for (int i = 0; i < height; i++) {
        UC_TRY(uc_arena_check(arena, error));
        const char *row =
            (const char *)from->data +
            (size_t)nearest_place(i, from->height, height, exact) * (size_t)from->width * size;
        for (int j = 0; j < width; j++, out += size) {
            memcpy(out, row + (size_t)nearest_place(j, from->width, width, exact) * size, size);
        }
    }
    return UNCORK_OK;
}

/* ---- v1 ------------------------------------------------------------------------------------- */

static uncork_status floats_of(const uc_pixels *from, uc_arena *arena, uc_pixels *to,
                               uncork_error *error)
{
    UC_TRY(
        uc_pixels_new(UNCORK_FLOAT32, from->height, from->width, from->channels, arena, to, error));
    for (size_t i = 0; i < uc_pixels_count(from); i++) {
        ((float *)to->data)[i] = (float)((const uint8_t *)from->data)[i];
    }
    return UNCORK_OK;
}

static uncork_status bytes_of(const uc_pixels *from, uc_arena *arena, uc_pixels *to,
                              uncork_error *error)
{
    UC_TRY(
        uc_pixels_new(UNCORK_UINT8, from->height, from->width, from->channels, arena, to, error));
    for (size_t i = 0; i < uc_pixels_count(from); i++) {
        const float v = rintf(((const float *)from->data)[i]);
        ((uint8_t *)to->data)[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    return UNCORK_OK;
}

static uncork_status smooth(const uc_pixels *from, int width, int height,
                            uc_torchvision_filter filter, bool antialias, uc_arena *arena,
                            uc_pixels *to, uncork_error *error)
{
    const filter_row *f = &filters[filter];
    if (antialias || from->dtype == UNCORK_UINT8)
        return separable(from, width, height, f, antialias, arena, to, error);
    return sampled(from, width, height, f->taps, arena, to, error);
}

uncork_status uc_resize_torchvision(const uc_pixels *from, int width, int height,
                                    uc_torchvision_filter filter, bool antialias, int version,
                                    uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    if (width < 1 || height < 1)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a resize to %d x %d pixels", width,
                       height);
    if (from->dtype != UNCORK_UINT8 && from->dtype != UNCORK_FLOAT32)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "torchvision's resize takes uint8 or float32 here, not %s",
                       uc_dtype_name(from->dtype));
    if (width == from->width && height == from->height) {
        *pixels = *from;
        return UNCORK_OK;
    }
    uc_pixels to, floats, sums;
    if (filter == UC_TORCHVISION_NEAREST || filter == UC_TORCHVISION_NEAREST_EXACT) {
        UC_TRY(nearest(from, width, height, filter == UC_TORCHVISION_NEAREST_EXACT, arena, &to,
                       error));
    } else if (filter == UC_TORCHVISION_LANCZOS && !antialias) {
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "torchvision's Lanczos resize needs antialias");
    } else if (from->dtype == UNCORK_UINT8 && version < 2) {
        UC_TRY(floats_of(from, arena, &floats, error));
        UC_TRY(smooth(&floats, width, height, filter, antialias, arena, &sums, error));
        UC_TRY(bytes_of(&sums, arena, &to, error));
    } else {
        UC_TRY(smooth(from, width, height, filter, antialias, arena, &to, error));
    }
    *pixels = to;
    return UNCORK_OK;
}
