/* cv2.resize as OpenCV computes it without IPP, bit for bit: nearest, and the filters that weigh a
 * fixed number of neighbours (linear, cubic, Lanczos). UINT8 uses 11-bit integer weights, UINT16 and
 * FLOAT32 sum in float32, FLOAT64 in double with float32 weights.
 * Whose results are matched: OpenCV 5.0.0, modules/imgproc/src/resize.cpp (resizeGeneric_). */
#define _DEFAULT_SOURCE /* M_PI */
#include "image/resize_opencv_parts.h"

#include "base/dtype.h"
#include "kernel/linear_u8.h"

enum { WEIGHT_ONE = 2048, MAX_TAPS = 8 };

/* What each output of an axis is made of. */
typedef struct taps {
    uc_opencv_axis axis;
    int count;
    int32_t *at;    /* [out, count] places in a row (channels counted), or rows: always inside */
    float *weights; /* [out, count] */
    int32_t *fixed; /* the same times 2048, rounded */
} taps;

#define T    uint8_t
#define W    int32_t
#define A    int32_t
#define N(x) x##_u8
#include "image/resize_opencv.inc"

#define T        uint16_t
#define W        float
#define A        float
#define N(x)     x##_u16
#define STORE(v) uc_saturate_u16(v)
#include "image/resize_opencv.inc"

#define T        float
#define W        float
#define A        float
#define N(x)     x##_f32
#define STORE(v) (v)
#include "image/resize_opencv.inc"

#define T        double
#define W        double
#define A        float
#define N(x)     x##_f64
#define STORE(v) (v)
#include "image/resize_opencv.inc"

static void cubic_weights(float x, float *w)
{
    const float a = -0.75f;
    w[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
    w[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
    w[2] = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
    w[3] = 1.0f - w[0] - w[1] - w[2];
}

static void lanczos_weights(float x, float *w)
{
    static const double s45 = 0.70710678118654752440084436210485;
    static const double cs[8][2] = {{1, 0},  {-s45, -s45}, {0, 1},  {s45, -s45},
                                    {-1, 0}, {s45, s45},   {0, -1}, {-s45, s45}};
    float sum = 0;
    double y0 = -(double)(x + 3) * M_PI * 0.25, s0 = sin(y0), c0 = cos(y0);
    for (int i = 0; i < 8; i++) {
        float place = x + 3 - (float)i;
        if (fabsf(place) >= 1e-6f) {
            double y = -(double)place * M_PI * 0.25;
            w[i] = (float)((cs[i][0] * s0 + cs[i][1] * c0) / (y * y));
        } else {
            w[i] = 1e30f; /* one tap takes it all */
        }
        sum += w[i];
    }
    sum = 1.f / sum;
    for (int i = 0; i < 8; i++) {
        w[i] *= sum;
    }
}

/* The first place and the fraction behind it of output i. */
static int position(const uc_opencv_axis *axis, int i, bool area, float *fraction)
{
    float f;
    int at;
    if (area) { /* INTER_AREA that enlarges */
        at = (int)floor(i * axis->scale);
        f = (float)((i + 1) - (at + 1) * axis->inverse);
        f = f <= 0 ? 0.f : f - floorf(f);
    } else {
        f = (float)((i + 0.5) * axis->scale - 0.5);
        at = (int)floorf(f);
        f -= (float)at;
    }
    *fraction = f;
    return at;
}

/* `step` is the distance of neighbours: channels across, 1 down. */
static uncork_status make_taps(taps *t, uc_opencv_axis axis, uc_opencv_filter filter, int step,
                               bool across, uc_arena *arena, uncork_error *error)
{
    t->axis = axis;
    t->count = filter == UC_OPENCV_CUBIC ? 4 : filter == UC_OPENCV_LANCZOS4 ? 8 : 2;
    const size_t cells = (size_t)axis.out * (size_t)t->count;
    t->at = UC_NEW(arena, int32_t, cells);
    t->weights = UC_NEW(arena, float, cells);
    t->fixed = UC_NEW(arena, int32_t, cells);
    if (!t->at || !t->weights || !t->fixed) return uc_arena_status(arena, error);
    for (int i = 0; i < axis.out; i++) {
        const size_t cell = (size_t)i * (size_t)t->count;
        float f, *w = t->weights + cell;
        int at = position(&axis, i, filter == UC_OPENCV_AREA, &f);
        if (t->count == 4) {
            cubic_weights(f, w);
        } else if (t->count == 8) {
            lanczos_weights(f, w);
        } else {
            if (across && (at < 0 || at >= axis.in - 1)) {
                f = 0;
                at = at < 0 ? 0 : axis.in - 1;
            }
            w[0] = 1.f - f;
            w[1] = f;
        }
        for (int k = 0; k < t->count; k++) {
            const int place = at + k - (t->count / 2 - 1);
            t->at[cell + (size_t)k] = step * (place < 0          ? 0
                                              : place >= axis.in ? axis.in - 1
                                                                 : place);
            t->fixed[cell + (size_t)k] = (int32_t)lrintf(w[k] * WEIGHT_ONE);
        }
    }
    return UNCORK_OK;
}

/* Cubic: float32 in OpenCV's vector loop (eight at a time), integers in its remainder. */
static void down_cubic_u8(int32_t *const *rows, const int32_t *w, size_t n, uint8_t *out)
{
    const float one = 1.f / (WEIGHT_ONE * WEIGHT_ONE);
    const float b[4] = {(float)w[0] * one, (float)w[1] * one, (float)w[2] * one, (float)w[3] * one};
    const size_t vectored = n / 8 * 8;
    for (size_t i = 0; i < vectored; i++) {
        float v = (float)rows[3][i] * b[3];
        v = (float)rows[2][i] * b[2] + v;
        v = (float)rows[1][i] * b[1] + v;
        out[i] = uc_saturate_u8((float)rows[0][i] * b[0] + v);
    }
    for (size_t i = vectored; i < n; i++) {
        int64_t v = 1 << 21;
        for (int k = 0; k < 4; k++) {
            v += (int64_t)rows[k][i] * w[k];
        }
        v >>= 22;
        out[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

static void down_lanczos_u8(int32_t *const *rows, const int32_t *w, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t sum = 1u << 21; /* unsigned: the sum of 8 products may leave 32 bits */
        for (int k = 0; k < 8; k++) {
            sum += (uint32_t)rows[k][i] * (uint32_t)w[k];
        }
        const int32_t v = (int32_t)sum >> 22;
        out[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

static void one_row_across(const uc_pixels *from, const taps *x, int32_t y, void *row)
{
    const size_t at = (size_t)y * (size_t)from->width * (size_t)from->channels;
    switch ((int)from->dtype) {
    case UNCORK_UINT8:
        if (x->count == 2) {
            uc_linear_u8_across((const uint8_t *)from->data + at,
                                (size_t)from->width * (size_t)from->channels, x->at, x->fixed,
                                x->axis.out, from->channels, row);
            break;
        }
        across_u8((const uint8_t *)from->data + at, row, x, x->fixed, from->channels);
        break;
    case UNCORK_UINT16:
        across_u16((const uint16_t *)from->data + at, row, x, x->weights, from->channels);
        break;
    case UNCORK_FLOAT32:
        across_f32((const float *)from->data + at, row, x, x->weights, from->channels);
        break;
    default: across_f64((const double *)from->data + at, row, x, x->weights, from->channels); break;
    }
}

/* Values that OpenCV's vector loops sum from the last row on. */
static size_t nested_of(uncork_dtype dtype, int count, size_t n)
{
    if (dtype == UNCORK_UINT16) return count == 8 ? 0 : n / 8 * 8;
    return dtype == UNCORK_FLOAT32 ? n / 4 * 4 : 0;
}

static void one_row_down(void *const *rows, const taps *y, int i, size_t n, uc_pixels *to)
{
    const size_t cell = (size_t)i * (size_t)y->count, at = (size_t)i * n;
    const int32_t *fixed = y->fixed + cell;
    const float *w = y->weights + cell;
    const size_t nested = nested_of(to->dtype, y->count, n);
    if (to->dtype == UNCORK_UINT8) {
        uint8_t *out = (uint8_t *)to->data + at;
        if (y->count == 2) {
            uc_linear_u8_down(rows[0], rows[1], fixed, n, out);
        } else if (y->count == 4) {
            down_cubic_u8((int32_t *const *)rows, fixed, n, out);
        } else {
            down_lanczos_u8((int32_t *const *)rows, fixed, n, out);
        }
    } else if (to->dtype == UNCORK_UINT16) {
        down_u16((float *const *)rows, w, y->count, nested, n, (uint16_t *)to->data + at);
    } else if (to->dtype == UNCORK_FLOAT32) {
        down_f32((float *const *)rows, w, y->count, nested, n, (float *)to->data + at);
    } else {
        down_f64((double *const *)rows, w, y->count, nested, n, (double *)to->data + at);
    }
}

static uncork_status weighted(const uc_pixels *from, uc_opencv_axis x, uc_opencv_axis y,
                              uc_opencv_filter filter, uc_arena *arena, uc_pixels *to,
                              uncork_error *error)
{
    taps tx = {0}, ty = {0};
    UC_TRY(make_taps(&tx, x, filter, from->channels, true, arena, error));
    UC_TRY(make_taps(&ty, y, filter, 1, false, arena, error));
    UC_TRY(uc_pixels_new(from->dtype, y.out, x.out, from->channels, arena, to, error));
    const size_t n = (size_t)x.out * (size_t)from->channels;
    void *slots[MAX_TAPS], *rows[MAX_TAPS];
    int held[MAX_TAPS];
    for (int k = 0; k < ty.count; k++) {
        slots[k] = uc_arena_alloc(arena, n + 4, from->dtype == UNCORK_FLOAT64 ? 8 : 4);
        if (!slots[k]) return uc_arena_status(arena, error);
        held[k] = -1;
    }
    for (int i = 0; i < y.out; i++) {
        UC_TRY(uc_arena_check(arena, error));
        const int32_t *at = ty.at + (size_t)i * (size_t)ty.count;
        for (int k = 0; k < ty.count; k++) {
            const int slot = at[k] % ty.count; /* neighbours: no two share a slot */
            if (held[slot] != at[k]) one_row_across(from, &tx, at[k], slots[slot]);
            held[slot] = at[k];
            rows[k] = slots[slot];
        }
        one_row_down(rows, &ty, i, n, to);
    }
    return UNCORK_OK;
}

/* Where each output of an axis is taken from. */
static int32_t *nearest_places(uc_opencv_axis axis, uc_opencv_filter filter, uc_arena *arena)
{
    int32_t *at = UC_NEW(arena, int32_t, (size_t)axis.out);
    if (!at) return NULL;
    const double step = (double)axis.in / axis.out;
    const int64_t q = (((int64_t)axis.in << 16) + axis.out / 2) / axis.out,
                  q0 = q / 2 - axis.in % 2;
    double pos = step * 0.5; /* accumulated, as Pillow does */
    for (int i = 0; i < axis.out; i++, pos += step) {
        double place = filter == UC_OPENCV_NEAREST         ? floor(i * axis.scale)
                       : filter == UC_OPENCV_NEAREST_EXACT ? floor(pos)
                                                           : (double)((q * i + q0) >> 16);
        at[i] = place < 0 ? 0 : place >= axis.in ? axis.in - 1 : (int32_t)place;
    }
    return at;
}

static uncork_status nearest(const uc_pixels *from, uc_opencv_axis x, uc_opencv_axis y,
                             uc_opencv_filter filter, uc_arena *arena, uc_pixels *to,
                             uncork_error *error)
{
    const int32_t *columns = nearest_places(x, filter, arena),
                  *rows = nearest_places(y, filter, arena);
    if (!columns || !rows) return uc_arena_status(arena, error);
    UC_TRY(uc_pixels_new(from->dtype, y.out, x.out, from->channels, arena, to, error));
    const size_t size = (size_t)from->channels * uc_dtype_size(from->dtype);
    char *out = to->data;
    for (int i = 0; i < y.out; i++) {
        UC_TRY(uc_arena_check(arena, error));
        const char *row = (const char *)from->data + (size_t)rows[i] * (size_t)from->width * size;
        for (int j = 0; j < x.out; j++, out += size) {
            memcpy(out, row + (size_t)columns[j] * size, size);
        }
    }
    return UNCORK_OK;
}

static uncork_status resize(const uc_pixels *from, uc_opencv_axis x, uc_opencv_axis y,
                            uc_opencv_filter filter, uc_arena *arena, uc_pixels *pixels,
                            uncork_error *error)
{
    const bool real = from->dtype == UNCORK_FLOAT32 || from->dtype == UNCORK_FLOAT64;
    const bool halves = uc_opencv_whole(x.scale) && uc_opencv_whole(y.scale) &&
                        rint(x.scale) == 2 && rint(y.scale) == 2;
    if (!real && from->dtype != UNCORK_UINT8 && from->dtype != UNCORK_UINT16)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "OpenCV resizes uint8, uint16, float32 and float64, not %s",
                       uc_dtype_name(from->dtype));
    if (filter == UC_OPENCV_LINEAR_EXACT && real) filter = UC_OPENCV_LINEAR;
    if (x.out == from->width && y.out == from->height) {
        *pixels = *from;
        return UNCORK_OK;
    }
    uc_pixels to;
    if (filter == UC_OPENCV_NEAREST || filter == UC_OPENCV_NEAREST_EXACT ||
        filter == UC_OPENCV_NEAREST_EXACT_4) {
        UC_TRY(nearest(from, x, y, filter, arena, &to, error));
    } else if (filter == UC_OPENCV_LINEAR_EXACT && (!halves || from->channels == 2)) {
        UC_TRY(uc_opencv_linear_exact(from, x, y, arena, &to, error));
    } else if ((filter == UC_OPENCV_LINEAR && halves) || filter == UC_OPENCV_LINEAR_EXACT ||
               (filter == UC_OPENCV_AREA && x.scale >= 1 && y.scale >= 1)) {
        UC_TRY(uc_opencv_area(from, x, y, arena, &to, error));
    } else {
        UC_TRY(weighted(from, x, y, filter, arena, &to, error));
    }
    *pixels = to;
    return UNCORK_OK;
}

uncork_status uc_resize_opencv(const uc_pixels *from, int width, int height,
                               uc_opencv_filter filter, uc_arena *arena, uc_pixels *pixels,
                               uncork_error *error)
{
    if (width < 1 || height < 1)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a resize to %d x %d pixels", width,
                       height);
    return resize(from, uc_opencv_axis_of(from->width, width, 0),
                  uc_opencv_axis_of(from->height, height, 0), filter, arena, pixels, error);
}

uncork_status uc_resize_opencv_by(const uc_pixels *from, double factor, uc_opencv_filter filter,
                                  uc_arena *arena, uc_pixels *pixels, uncork_error *error)
{
    const double width = rint(from->width * factor), height = rint(from->height * factor);
    if (!(width >= 1 && height >= 1 && width < 2147483647.0 && height < 2147483647.0))
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "a resize of %d x %d pixels by the factor %g", from->width, from->height,
                       factor);
    return resize(from, uc_opencv_axis_of(from->width, (int)width, factor),
                  uc_opencv_axis_of(from->height, (int)height, factor), filter, arena, pixels,
                  error);
}
