/* skimage.transform.resize with its default mode 'reflect' (mirrored without the edge repeated): a
 * Gaussian where it shrinks, then spline interpolation of order 0 to 5 about pixel centres.
 * Whose results are matched: scikit-image 0.26 (transform/_warps.py) over SciPy 1.17 (ndimage:
 * gaussian_filter, spline_filter, NI_ZoomShift). Equal but for the Gaussian's weights, where NumPy's
 * exp and sum may differ in the last bit, and for orders from 2 on (4e-14 of the values' range). */
#include "image/resize_skimage_parts.h"

#include "base/dtype.h"

#include <math.h>

enum { TAPS = 6 };

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
typedef struct range {
    double low, high;
} range;

typedef struct taps {
    int count;
    int *at;         /* [out, count] */
    double *weights; /* [out, count] */
} taps;

/* Of the B-spline of an order, about the knot in the middle; the last is what the others leave. */
static void spline_weights(double x, int order, double *w)
{
    x -= floor(order & 1 ? x : x + 0.5);
    double y = x, z = 1.0 - x, t;
    switch (order) {
    case 1: w[0] = 1.0 - x; break;
    case 2:
        w[1] = 0.75 - x * x;
        y = 0.5 - x;
        w[0] = 0.5 * y * y;
        break;
    case 3:
        w[1] = (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0;
        w[2] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0;
        w[0] = z * z * z / 6.0;
        break;
    case 4:
        t = x * x;
        w[2] = t * (t * 0.25 - 0.625) + 115.0 / 192.0;
        y = 1.0 + x;
        w[1] = y * (y * (y * (5.0 - y) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0;
        w[3] = z * (z * (z * (5.0 - z) / 6.0 - 1.25) + 5.0 / 24.0) + 55.0 / 96.0;
        y = 0.5 - x;
        t = y * y;
        w[0] = t * t / 24.0;
        break;
    case 5:
        t = y * y;
        w[2] = t * (t * (0.25 - y / 12.0) - 0.5) + 0.55;
        t = z * z;
        w[3] = t * (t * (0.25 - z / 12.0) - 0.5) + 0.55;
        y += 1.0;
        w[1] = y * (y * (y * (y * (y / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425;
        z += 1.0;
        w[4] = z * (z * (z * (z * (z / 24.0 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425;
        y = 1.0 - x;
        t = y * y;
        w[0] = y * t * t / 120.0;
        break;
    default: break;
    }
    w[order] = 1.0;
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
        const int start = (int)floor(order & 1 ? x : x + 0.5) - order / 2;
        for (int k = 0; k <= order; k++) {
            t->at[i * t->count + k] = uc_skimage_mirrored((int64_t)start + k, in);
        }
        spline_weights(x, order, t->weights + (size_t)i * (size_t)t->count);
    }
    return UNCORK_OK;
}

static uncork_status zoom(const uc_skimage_plane *p, const taps t[3], const range *r,
                          uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    const size_t channels = (size_t)p->channels, row = (size_t)p->width * channels;
    size_t out = 0;
    for (int i = 0; i < to->height; i++) {
        const int *ay = t[0].at + i * t[0].count;
        const double *wy = t[0].weights + i * t[0].count;
        UC_TRY(uc_arena_check(arena, error));
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
                sum = sum < r->low ? r->low : sum > r->high ? r->high : sum;
                if (to->dtype == UNCORK_FLOAT32) {
                    ((float *)to->data)[out] = (float)sum;
                } else {
                    ((double *)to->data)[out] = sum;
                }
            }
        }
    }
    return UNCORK_OK;
}

/* ---- what is needed of the picture ---- */

static range range_of(const uc_pixels *from, double factor)
{
    const size_t n = uc_pixels_count(from);
    range r = {uc_dtype_load_f64(from->data, 0, from->dtype), 0};
    r.high = r.low;
    for (size_t i = 1; i < n; i++) {
        const double v = uc_dtype_load_f64(from->data, (int64_t)i, from->dtype);
        r.low = v < r.low ? v : r.low;
        r.high = v > r.high ? v : r.high;
    }
    if (from->dtype == UNCORK_FLOAT32 || from->dtype == UNCORK_FLOAT64) return r;
    return (range){r.low * factor, r.high * factor};
}

/* The places that any tap of an axis reads, as a list and as flags; all of them for a spline whose
 * filter runs through. The taps then count in the list where `renumber`. */
static uncork_status places_of(taps *t, int in, int out, bool all, bool renumber, uc_arena *arena,
                               bool **flags, int **list, int *count, uncork_error *error)
{
    *flags = UC_NEW(arena, bool, (size_t)in);
    *list = UC_NEW(arena, int, (size_t)in);
    int *number = UC_NEW(arena, int, (size_t)in);
    if (!*flags || !*list || !number) return uc_arena_status(arena, error);
    for (int i = 0; i < out * t->count; i++) {
        (*flags)[t->at[i]] = true;
    }
    *count = 0;
    for (int i = 0; i < in; i++) {
        (*flags)[i] = (*flags)[i] || all;
        number[i] = *count;
        if ((*flags)[i]) (*list)[(*count)++] = i;
    }
    for (int i = 0; renumber && i < out * t->count; i++) {
        t->at[i] = number[t->at[i]];
    }
    return UNCORK_OK;
}

static double sigma_of(int in, int out) { return ((double)in / out - 1) / 2; }

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
    if (order < 0 || order > 5)
        return uc_fail(error, UNCORK_UNSUPPORTED, UC_NO_OFFSET,
                       "scikit-image's resize of order %d; 0 to 5 are done", order);
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
    const bool through = order > 1 && from->channels > 1; /* SciPy filters that axis too */
    UC_TRY(make_taps(&t[0], from->height, height, order, arena, error));
    UC_TRY(make_taps(&t[1], from->width, width, order, arena, error));
    UC_TRY(make_taps(&t[2], from->channels, from->channels, through ? order : 0, arena, error));
    if (order == 0 && !anti_aliasing) {
        UC_TRY(uc_pixels_new(from->dtype, height, width, from->channels, arena, &to, error));
        pick(from, t, &to);
        *pixels = to;
        return UNCORK_OK;
    }
    uc_skimage_plane p;
    bool *rows, *columns;
    int *row_list, *column_list, column_count;
    uc_skimage_need need = {.preserve_range = preserve_range};
    UC_TRY(places_of(&t[0], from->height, height, order > 1, true, arena, &rows, &row_list,
                     &need.row_count, error));
    UC_TRY(places_of(&t[1], from->width, width, order > 1, false, arena, &columns, &column_list,
                     &column_count, error));
    need.rows = row_list;
    need.columns = columns;
    need.sigma_down = anti_aliasing ? sigma_of(from->height, height) : 0;
    need.sigma_across = anti_aliasing ? sigma_of(from->width, width) : 0;
    UC_TRY(uc_skimage_smoothed(from, &need, arena, &p, error));
    if (order > 1) UC_TRY(uc_skimage_prefilter(&p, order, arena, error));
    UC_TRY(uc_pixels_new(p.single ? UNCORK_FLOAT32 : UNCORK_FLOAT64, height, width, from->channels,
                         arena, &to, error));
    const range r = range_of(from, uc_skimage_factor(from, preserve_range));
    UC_TRY(zoom(&p, t, &r, arena, &to, error));
    *pixels = to;
    return UNCORK_OK;
}
