/* skimage.transform.resize with its default mode 'reflect' (mirrored without the edge repeated): a
 * Gaussian where it shrinks, then spline interpolation of order 0, 1 or 3 about pixel centres.
 * Whose results are matched: scikit-image 0.26 (transform/_warps.py) over SciPy 1.17 (ndimage:
 * gaussian_filter, spline_filter, NI_ZoomShift). Equal but for the Gaussian's weights, where NumPy's
 * exp and sum may differ in the last bit (1e-15 of the values' range). */
#include "image/resize.h"

#include "base/dtype.h"

#include <math.h>

enum { TAPS = 4 };

/* Whole positions mirrored about the centres of the first and the last pixel. */
static int mirrored(int64_t i, int n)
{
    if (n <= 1) return 0;
    const int64_t period = 2 * (int64_t)n - 2;
    i %= period;
    if (i < 0) i += period;
    return (int)(i < n ? i : period - i);
}

static double mirrored_at(double x, int n)
{
    const double period = 2.0 * n - 2;
    if (n <= 1) return 0;
    if (x < 0) {
        x = period * trunc(-x / period) + x;
        return x <= 1 - n ? x + period : -x;
    }
    if (x > n - 1) {
        x -= period * trunc(x / period);
        return x >= n ? period - x : x;
    }
    return x;
}

/* What each output of an axis is made of. */
typedef struct taps {
    int count;
    int *at;         /* [out, count] */
    double *weights; /* [out, count] */
} taps;

static void spline_weights(double x, int order, double *w)
{
    const double y = x - floor(x), z = 1.0 - y;
    if (order == 0) {
        w[0] = 1.0;
        return;
    }
    if (order == 1) {
        w[0] = z;
    } else {
        w[1] = (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0;
        w[2] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0;
        w[0] = z * z * z / 6.0;
    }
    w[order] = 1.0; /* the last is what the others leave */
    for (int k = 0; k < order; k++) {
        w[order] -= w[k];
    }
}

static uncork_status make_taps(taps *t, int in, int out, int order, uc_arena *arena,
                               uncork_error *error)
{
    const double scale = (double)in / out;
    t->count = order + 1;
    t->at = UC_NEW(arena, int, (size_t)out *TAPS);
    t->weights = UC_NEW(arena, double, (size_t)out *TAPS);
    if (!t->at || !t->weights) return uc_arena_status(arena, error);
    for (int i = 0; i < out; i++) {
        const double x = mirrored_at((i + 0.5) * scale - 0.5, in);
        const int start = (int)floor(order == 0 ? x + 0.5 : x) - order / 2;
        for (int k = 0; k <= order; k++) {
            t->at[i * t->count + k] = mirrored((int64_t)start + k, in);
        }
        spline_weights(x, order, t->weights + (size_t)i * (size_t)t->count);
    }
    return UNCORK_OK;
}

/* ---- lines: the Gaussian and the spline's prefilter ------------------------------------------ */

/* A line of values `step` apart. */
typedef struct line {
    double *at;
    size_t step;
    int n;
} line;

static double *gaussian_weights(double sigma, int *radius, uc_arena *arena)
{
    const int r = (int)(4.0 * sigma + 0.5);
    double *w = UC_NEW(arena, double, (size_t)r + 1), sum = 0;
    if (!w) return NULL;
    for (int i = -r; i <= r; i++) {
        sum += exp(-0.5 / (sigma * sigma) * ((double)i * i));
    }
    for (int i = 0; i <= r; i++) {
        w[i] = exp(-0.5 / (sigma * sigma) * ((double)i * i)) / sum;
    }
    *radius = r;
    return w;
}

/* `from` has the line with `radius` mirrored values on both sides; `single`: rounded to float32. */
static void gaussian_line(line l, const double *w, int radius, double *from, bool single)
{
    for (int i = -radius; i < l.n + radius; i++) {
        from[i + radius] = l.at[(size_t)mirrored(i, l.n) * l.step];
    }
    for (int i = 0; i < l.n; i++) {
        const double *p = from + i + radius;
        double sum = p[0] * w[0];
        for (int k = radius; k > 0; k--) {
            sum += (p[-k] + p[k]) * w[k];
        }
        l.at[(size_t)i * l.step] = single ? (double)(float)sum : sum;
    }
}

/* Cubic B-spline coefficients of a mirrored line, in place (Unser's recursive filter). */
static void spline_line(line l)
{
    const double z = sqrt(3.0) - 2.0, gain = (1.0 - z) * (1.0 - 1.0 / z);
    const size_t s = l.step;
    const int n = l.n;
    double *c = l.at;
    if (n < 2) return;
    for (int i = 0; i < n; i++) {
        c[(size_t)i * s] *= gain;
    }
    const double last = pow(z, n - 1);
    double power = z;
    c[0] += last * c[(size_t)(n - 1) * s];
    for (int i = 1; i < n - 1; i++) {
        c[0] += power * (c[(size_t)i * s] + last * c[(size_t)(n - 1 - i) * s]);
        power *= z;
    }
    c[0] /= 1 - last * last;
    for (int i = 1; i < n; i++) {
        c[(size_t)i * s] += z * c[(size_t)(i - 1) * s];
    }
    c[(size_t)(n - 1) * s] =
        (z * c[(size_t)(n - 2) * s] + c[(size_t)(n - 1) * s]) * z / (z * z - 1);
    for (int i = n - 2; i >= 0; i--) {
        c[(size_t)i * s] = z * (c[(size_t)(i + 1) * s] - c[(size_t)i * s]);
    }
}

/* A picture as doubles, [height, width, channels]. */
typedef struct plane {
    double *data;
    int height, width, channels;
    bool single; /* stands for float32 values */
} plane;

/* Line i along an axis: 0 down, 1 across, 2 through the channels. */
static line line_of(const plane *p, int axis, size_t i)
{
    const size_t channels = (size_t)p->channels, row = (size_t)p->width * channels;
    if (axis == 0) return (line){p->data + i, row, p->height};
    if (axis == 1) return (line){p->data + i / channels * row + i % channels, channels, p->width};
    return (line){p->data + i * channels, 1, p->channels};
}

static size_t lines_along(const plane *p, int axis)
{
    const size_t h = (size_t)p->height, w = (size_t)p->width, c = (size_t)p->channels;
    return axis == 0 ? w * c : axis == 1 ? h * c : h * w;
}

static uncork_status blur(plane *p, int axis, int out, uc_arena *arena, uncork_error *error)
{
    const int n = axis == 0 ? p->height : p->width;
    const double sigma = ((double)n / out - 1) / 2;
    int radius;
    if (!(sigma > 1e-15)) return UNCORK_OK;
    const double *w = gaussian_weights(sigma, &radius, arena);
    double *room = UC_NEW(arena, double, (size_t)n + 2 * (w ? (size_t)radius : 0));
    if (!w || !room) return uc_arena_status(arena, error);
    for (size_t i = 0; i < lines_along(p, axis); i++) {
        gaussian_line(line_of(p, axis, i), w, radius, room, p->single);
    }
    return UNCORK_OK;
}

static void prefilter(plane *p)
{
    for (int axis = 0; axis < 3; axis++) {
        for (size_t i = 0; i < lines_along(p, axis); i++) {
            spline_line(line_of(p, axis, i));
        }
    }
}

static void zoom(const plane *p, const taps t[3], double low, double high, uc_pixels *to)
{
    const size_t channels = (size_t)p->channels, row = (size_t)p->width * channels;
    size_t out = 0;
    for (int i = 0; i < to->height; i++) {
        const int *ay = t[0].at + i * t[0].count;
        const double *wy = t[0].weights + i * t[0].count;
        for (int j = 0; j < to->width; j++) {
            const int *ax = t[1].at + j * t[1].count;
            const double *wx = t[1].weights + j * t[1].count;
            for (int c = 0; c < p->channels; c++, out++) {
                const int *ac = t[2].at + c * t[2].count;
                const double *wc = t[2].weights + c * t[2].count;
                double sum = 0;
                for (int v = 0; v < t[0].count; v++) {
                    for (int u = 0; u < t[1].count; u++) {
                        const double *at = p->data + (size_t)ay[v] * row + (size_t)ax[u] * channels;
                        for (int k = 0; k < t[2].count; k++) {
                            sum += at[ac[k]] * wy[v] * wx[u] * wc[k];
                        }
                    }
                }
                if (p->single) sum = (double)(float)sum;
                sum = sum < low ? low : sum > high ? high : sum;
                if (to->dtype == UNCORK_FLOAT32) {
                    ((float *)to->data)[out] = (float)sum;
                } else {
                    ((double *)to->data)[out] = sum;
                }
            }
        }
    }
}

/* ---- the picture's numbers -------------------------------------------------------------------- */

static uncork_status plane_of(const uc_pixels *from, bool preserve_range, uc_arena *arena, plane *p,
                              uncork_error *error)
{
    const size_t n = uc_pixels_count(from);
    *p = (plane){UC_NEW(arena, double, n), from->height, from->width, from->channels,
                 from->dtype == UNCORK_FLOAT32};
    if (!p->data) return uc_arena_status(arena, error);
    const double byte = preserve_range ? 1.0 : 1.0 / 255, word = preserve_range ? 1.0 : 1.0 / 65535;
    for (size_t i = 0; i < n; i++) {
        switch ((int)from->dtype) {
        case UNCORK_UINT8: p->data[i] = ((const uint8_t *)from->data)[i] * byte; break;
        case UNCORK_UINT16: p->data[i] = ((const uint16_t *)from->data)[i] * word; break;
        case UNCORK_FLOAT32: p->data[i] = (double)((const float *)from->data)[i]; break;
        default: p->data[i] = ((const double *)from->data)[i]; break;
        }
    }
    return UNCORK_OK;
}

/* Order 0 without a Gaussian keeps the dtype. */
static void pick(const uc_pixels *from, const taps t[3], uc_pixels *to)
{
    const size_t size = (size_t)from->channels * uc_dtype_size(from->dtype);
    char *out = to->data;
    for (int i = 0; i < to->height; i++) {
        const char *row =
            (const char *)from->data + (size_t)t[0].at[i] * (size_t)from->width * size;
        for (int j = 0; j < to->width; j++, out += size) {
            memcpy(out, row + (size_t)t[1].at[j] * size, size);
        }
    }
}

static uncork_status check(const uc_pixels *from, int order, bool anti_aliasing,
                           uncork_error *error)
{
    const bool real = from->dtype == UNCORK_FLOAT32 || from->dtype == UNCORK_FLOAT64,
               integer = from->dtype == UNCORK_UINT8 || from->dtype == UNCORK_UINT16;
    if (order != 0 && order != 1 && order != 3)
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "scikit-image's resize of order %d; 0, 1 and 3 are done", order);
    if (from->dtype == UNCORK_BOOL && (order != 0 || anti_aliasing))
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "scikit-image resizes bool pictures with order 0 and no anti_aliasing only");
    if (!real && !integer && from->dtype != UNCORK_BOOL)
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET, "scikit-image's resize of %s",
                       uc_dtype_name(from->dtype));
    if (order == 0 && anti_aliasing && integer)
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "scikit-image's resize of order 0 with anti_aliasing of integers");
    return UNCORK_OK;
}

uncork_status uc_resize_skimage(const uc_pixels *from, int width, int height, int order,
                                bool anti_aliasing, bool preserve_range, uc_arena *arena,
                                uc_pixels *pixels, uncork_error *error)
{
    if (width < 1 || height < 1)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a resize to %d x %d pixels", width,
                       height);
    if (order < 0) order = from->dtype == UNCORK_BOOL ? 0 : 1;
    UC_TRY(check(from, order, anti_aliasing, error));
    taps t[3];
    uc_pixels to;
    const bool through = order == 3 && from->channels > 1; /* SciPy filters that axis too */
    UC_TRY(make_taps(&t[0], from->height, height, order, arena, error));
    UC_TRY(make_taps(&t[1], from->width, width, order, arena, error));
    UC_TRY(make_taps(&t[2], from->channels, from->channels, through ? order : 0, arena, error));
    if (order == 0 && !anti_aliasing) {
        UC_TRY(uc_pixels_new(from->dtype, height, width, from->channels, arena, &to, error));
        pick(from, t, &to);
        *pixels = to;
        return UNCORK_OK;
    }
    plane p;
    UC_TRY(plane_of(from, preserve_range, arena, &p, error));
    UC_TRY(uc_pixels_new(p.single ? UNCORK_FLOAT32 : UNCORK_FLOAT64, height, width, from->channels,
                         arena, &to, error));
    double low = p.data[0], high = p.data[0];
    for (size_t i = 0; i < uc_pixels_count(from); i++) {
        low = p.data[i] < low ? p.data[i] : low;
        high = p.data[i] > high ? p.data[i] : high;
    }
    if (anti_aliasing) {
        UC_TRY(blur(&p, 0, height, arena, error));
        UC_TRY(blur(&p, 1, width, arena, error));
    }
    if (order == 3) prefilter(&p);
    zoom(&p, t, low, high, &to);
    *pixels = to;
    return UNCORK_OK;
}
