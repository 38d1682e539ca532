/* What SciPy's ndimage does along lines before scikit-image's resize takes values: gaussian_filter and
 * spline_filter, mirrored without the edge repeated. Of a picture that shrinks only the rows and columns
 * that something is made of are smoothed: every value's sum is its own. */
#include "image/resize_skimage_parts.h"

#include "kernel/mirror_sum.h"

#include <math.h>

int uc_skimage_mirrored(int64_t i, int n)
{
    if (n <= 1) return 0;
    const int64_t period = 2 * (int64_t)n - 2;
    i %= period;
    if (i < 0) i += period;
    return (int)(i < n ? i : period - i);
}

double uc_skimage_factor(const uc_pixels *from, bool preserve_range)
{
    if (preserve_range) return 1.0;
    return from->dtype == UNCORK_UINT8 ? 1.0 / 255 : from->dtype == UNCORK_UINT16 ? 1.0 / 65535 : 1;
}

static void take_row(const uc_pixels *from, int y, double factor, double *to)
{
    const size_t n = (size_t)from->width * (size_t)from->channels, at = (size_t)y * n;
    switch ((int)from->dtype) {
    case UNCORK_UINT8:
        for (size_t i = 0; i < n; i++)
            to[i] = ((const uint8_t *)from->data)[at + i] * factor;
        break;
    case UNCORK_UINT16:
        for (size_t i = 0; i < n; i++)
            to[i] = ((const uint16_t *)from->data)[at + i] * factor;
        break;
    case UNCORK_FLOAT32:
        for (size_t i = 0; i < n; i++)
            to[i] = (double)((const float *)from->data)[at + i];
        break;
    default: memcpy(to, (const double *)from->data + at, n * sizeof *to);
    }
}

/* ---- the Gaussian ---- */

typedef struct gaussian {
    int radius;
    const double *weights; /* from the middle on */
    const double **before, **after;
} gaussian;

static uncork_status gaussian_of(double sigma, gaussian *g, uc_arena *arena, uncork_error *error)
{
    const int r = (int)(4.0 * sigma + 0.5);
    double *w = UC_NEW(arena, double, (size_t)r + 1), sum = 0;
    g->radius = r;
    g->weights = w;
    g->before = UC_NEW(arena, const double *, (size_t)r);
    g->after = UC_NEW(arena, const double *, (size_t)r);
    if (!w || !g->before || !g->after) return uc_arena_status(arena, error);
    for (int i = -r; i <= r; i++) {
        sum += exp(-0.5 / (sigma * sigma) * ((double)i * i));
    }
    for (int i = 0; i <= r; i++) {
        w[i] = exp(-0.5 / (sigma * sigma) * ((double)i * i)) / sum;
    }
    return UNCORK_OK;
}

static void round_row(double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)(float)x[i];
    }
}

/* Rows that were converted, the newest `count` of a falling window. */
typedef struct ring {
    const uc_pixels *from;
    double factor;
    double *data;
    int *holds; /* [count] */
    int count;
} ring;

static const double *row_at(ring *r, int y)
{
    const int slot = y % r->count;
    double *row = r->data + (size_t)slot * (size_t)r->from->width * (size_t)r->from->channels;
    if (r->holds[slot] != y) take_row(r->from, y, r->factor, row);
    r->holds[slot] = y;
    return row;
}

static uncork_status smooth_down(const uc_pixels *from, const uc_skimage_need *need,
                                 uc_skimage_plane *p, uc_arena *arena, uncork_error *error)
{
    const size_t n = (size_t)p->width * (size_t)p->channels;
    const uc_mirror_sum_fn sum = uc_mirror_sum();
    gaussian g;
    UC_TRY(gaussian_of(need->sigma_down, &g, arena, error));
    ring r = {.from = from, .factor = uc_skimage_factor(from, need->preserve_range)};
    r.count = g.radius < from->height / 2 ? 2 * g.radius + 1 : from->height;
    r.data = UC_NEW(arena, double, (size_t)r.count *n);
    r.holds = UC_NEW(arena, int, (size_t)r.count);
    if (!r.data || !r.holds) return uc_arena_status(arena, error);
    memset(r.holds, -1, (size_t)r.count * sizeof *r.holds);
    for (int i = 0; i < need->row_count; i++) {
        const int y = need->rows[i];
        UC_TRY(uc_arena_check(arena, error));
        for (int k = 1; k <= g.radius; k++) {
            g.before[k - 1] = row_at(&r, uc_skimage_mirrored((int64_t)y - k, from->height));
            g.after[k - 1] = row_at(&r, uc_skimage_mirrored((int64_t)y + k, from->height));
        }
        double *to = p->data + (size_t)i * n;
        sum(row_at(&r, y), g.before, g.after, g.weights, g.radius, n, to);
        if (p->single) round_row(to, n);
    }
    return UNCORK_OK;
}

static size_t wanted_of(const uc_skimage_need *need, int width)
{
    size_t wanted = 0;
    for (int x = 0; x < width; x++) {
        wanted += !need->columns || need->columns[x];
    }
    return wanted;
}

static void smooth_row(const gaussian *g, const bool *columns, uc_skimage_plane *p,
                       const double *middle, double *to)
{
    const size_t c = (size_t)p->channels, n = (size_t)p->width * c;
    const uc_mirror_sum_fn sum = uc_mirror_sum();
    for (int k = 1; k <= g->radius; k++) {
        g->before[k - 1] = middle - (size_t)k * c;
        g->after[k - 1] = middle + (size_t)k * c;
    }
    if (!columns) {
        sum(middle, g->before, g->after, g->weights, g->radius, n, to);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!columns[i / c]) continue;
        const double *at = middle + i;
        double v = at[0] * g->weights[0];
        for (size_t k = (size_t)g->radius; k > 0; k--) {
            v += (at[-(ptrdiff_t)(k * c)] + at[k * c]) * g->weights[k];
        }
        to[i] = v;
    }
}

static uncork_status smooth_across(const uc_skimage_need *need, uc_skimage_plane *p,
                                   uc_arena *arena, uncork_error *error)
{
    const size_t c = (size_t)p->channels, n = (size_t)p->width * c;
    gaussian g;
    UC_TRY(gaussian_of(need->sigma_across, &g, arena, error));
    const size_t edge = (size_t)g.radius * c;
    double *line = UC_NEW(arena, double, n + 2 * edge), *middle = line + edge;
    if (!line) return uc_arena_status(arena, error);
    /* a sum of whole vectors costs an eighth of one by one */
    const bool *columns = wanted_of(need, p->width) * 8 < (size_t)p->width ? need->columns : NULL;
    for (int y = 0; y < p->height; y++) {
        double *row = p->data + (size_t)y * n;
        UC_TRY(uc_arena_check(arena, error));
        memcpy(middle, row, n * sizeof *row);
        for (int k = 1; k <= g.radius; k++) {
            memcpy(middle - (size_t)k * c, row + (size_t)uc_skimage_mirrored(-k, p->width) * c,
                   c * sizeof *row);
            memcpy(middle + n + (size_t)(k - 1) * c,
                   row + (size_t)uc_skimage_mirrored((int64_t)p->width - 1 + k, p->width) * c,
                   c * sizeof *row);
        }
        smooth_row(&g, columns, p, middle, row);
        if (p->single) round_row(row, n);
    }
    return UNCORK_OK;
}

uncork_status uc_skimage_smoothed(const uc_pixels *from, const uc_skimage_need *need,
                                  uc_arena *arena, uc_skimage_plane *plane, uncork_error *error)
{
    const size_t n = (size_t)from->width * (size_t)from->channels;
    size_t cells;
    *plane = (uc_skimage_plane){.height = need->row_count,
                                .width = from->width,
                                .channels = from->channels,
                                .single = from->dtype == UNCORK_FLOAT32};
    if (!uc_mul_size(n, (size_t)need->row_count, &cells) ||
        !(plane->data = UC_NEW(arena, double, cells))) {
        return uc_arena_status(arena, error);
    }
    if (need->sigma_down > 1e-15) {
        UC_TRY(smooth_down(from, need, plane, arena, error));
    } else {
        const double factor = uc_skimage_factor(from, need->preserve_range);
        for (int i = 0; i < need->row_count; i++) {
            take_row(from, need->rows[i], factor, plane->data + (size_t)i * n);
        }
    }
    return need->sigma_across > 1e-15 ? smooth_across(need, plane, arena, error) : UNCORK_OK;
}

/* ---- the spline's prefilter ---- */

/* n vectors of `width` values each, `step` apart. */
typedef struct line {
    double *at;
    size_t width, step;
    int n;
} line;

/* Unser's recursive filter by one pole, mirrored. */
static void filter_line(line l, double z, double last)
{
    const size_t s = l.step, m = l.width, end = (size_t)(l.n - 1) * s;
    double *c = l.at, power = z;
    for (size_t j = 0; j < m; j++) {
        c[j] += last * c[end + j];
    }
    for (size_t i = 1; i < (size_t)l.n - 1; i++) {
        const double *a = c + i * s, *b = c + end - i * s;
        for (size_t j = 0; j < m; j++) {
            c[j] += power * (a[j] + last * b[j]);
        }
        power *= z;
    }
    for (size_t j = 0; j < m; j++) {
        c[j] /= 1 - last * last;
    }
    for (size_t i = 1; i < (size_t)l.n; i++) {
        double *a = c + i * s;
        const double *before = a - s;
        for (size_t j = 0; j < m; j++) {
            a[j] += z * before[j];
        }
    }
    for (size_t j = 0; j < m; j++) {
        c[end + j] = (z * c[end - s + j] + c[end + j]) * z / (z * z - 1);
    }
    for (size_t i = (size_t)l.n - 1; i-- > 0;) {
        double *a = c + i * s;
        for (size_t j = 0; j < m; j++) {
            a[j] = z * (a[j + s] - a[j]);
        }
    }
}

typedef struct poles {
    double z[2], gain;
    int count;
} poles;

static poles poles_of(int order)
{
    poles p = {.count = order < 4 ? 1 : 2, .gain = 1};
    switch (order) {
    case 2: p.z[0] = sqrt(8.0) - 3.0; break;
    case 3: p.z[0] = sqrt(3.0) - 2.0; break;
    case 4:
        p.z[0] = sqrt(664.0 - sqrt(438976.0)) + sqrt(304.0) - 19.0;
        p.z[1] = sqrt(664.0 + sqrt(438976.0)) - sqrt(304.0) - 19.0;
        break;
    default:
        p.z[0] = sqrt(67.5 - sqrt(4436.25)) + sqrt(26.25) - 6.5;
        p.z[1] = sqrt(67.5 + sqrt(4436.25)) - sqrt(26.25) - 6.5;
    }
    for (int i = 0; i < p.count; i++) {
        p.gain *= (1.0 - p.z[i]) * (1.0 - 1.0 / p.z[i]);
    }
    return p;
}

static uncork_status filter_axis(uc_skimage_plane *p, int axis, const poles *f, uc_arena *arena,
                                 uncork_error *error)
{
    const size_t c = (size_t)p->channels, row = (size_t)p->width * c, h = (size_t)p->height;
    const int n = axis == 0 ? p->height : axis == 1 ? p->width : p->channels;
    const size_t lines = axis == 0   ? 1
                         : axis == 1 ? h
                                     : row / c * h,
                 apart = axis == 0   ? 0
                         : axis == 1 ? row
                                     : c;
    line l = {.at = p->data,
              .width = axis == 0   ? row
                       : axis == 1 ? c
                                   : 1,
              .step = axis == 0   ? row
                      : axis == 1 ? c
                                  : 1,
              .n = n};
    if (n < 2) return UNCORK_OK;
    for (size_t i = 0; i < h * row; i++) {
        p->data[i] *= f->gain;
    }
    for (int k = 0; k < f->count; k++) {
        const double last = pow(f->z[k], n - 1);
        for (size_t i = 0; i < lines; i++) {
            if (i % 1024 == 0) UC_TRY(uc_arena_check(arena, error));
            l.at = p->data + i * apart;
            filter_line(l, f->z[k], last);
        }
    }
    return UNCORK_OK;
}

uncork_status uc_skimage_prefilter(uc_skimage_plane *plane, int order, uc_arena *arena,
                                   uncork_error *error)
{
    const poles f = poles_of(order);
    for (int axis = 0; axis < 3; axis++) {
        UC_TRY(filter_axis(plane, axis, &f, arena, error));
    }
    return UNCORK_OK;
}
