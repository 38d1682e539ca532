/* Outputs that lie over the picture: class maps, heat maps, pictures. Scores are interpolated to the
 * pixels of the picture that was given, as the libraries do it (F.interpolate, bilinear, about pixel
 * centres: transformers' post_process_semantic_segmentation, torchvision's and mmseg's heads), and each
 * pixel takes the best; a map of class numbers gives the nearest cell's. What the model never saw (cut
 * off by a crop) has no class. */
#include "contract/post.h"

#include <math.h>

/* Height, width and channels of a row without its axes of length 1, and how far apart they lie. */
typedef struct map {
    int64_t height, width, channels;
    int64_t row_step, column_step, channel_step;
    double *values;
} map;

static uncork_status take_map(const uc_reading *reading, const uc_tensor *row, uc_arena *arena,
                              map *m, uncork_error *error)
{
    int64_t axis[UNCORK_MAX_RANK], n;
    int count = 0;
    for (int d = 0; d < row->rank; d++) {
        if (row->shape[d] != 1) axis[count++] = row->shape[d];
    }
    if (count != 2 && count != 3) {
        char text[128];
        uc_shape_text(row->shape, row->rank, text, sizeof text);
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "'%.60s' is %s for this input, not a map",
                       reading->name, text);
    }
    UC_TRY(uc_post_numbers(reading, row, arena, &m->values, &n, error));
    bool last = reading->channels_last || count == 2;
    m->channels = count == 2 ? 1 : axis[last ? 2 : 0];
    m->height = axis[last ? 0 : 1];
    m->width = axis[last ? 1 : 2];
    m->channel_step = last ? 1 : m->height * m->width;
    m->column_step = last ? m->channels : 1;
    m->row_step = m->width * m->column_step;
    if (m->height > 65535 || m->width > 65535 || m->channels >= UINT16_MAX)
        return uc_fail(error, UNCORK_LIMIT, UC_NO_OFFSET,
                       "'%.60s' is a map of %lld x %lld, %lld deep", reading->name,
                       (long long)m->width, (long long)m->height, (long long)m->channels);
    return UNCORK_OK;
}

/* Where a pixel of the picture lies on an axis of the map. */
typedef struct spot {
    int64_t nearest; /* -1: outside of what the model saw */
    int64_t low, high;
    double share; /* of `high` */
} spot;

static spot *make_spots(int count, const double *scale, const double *offset, int64_t n,
                        int64_t model, uc_arena *arena)
{
    spot *spots = UC_NEW(arena, spot, (size_t)count);
    for (int i = 0; spots && i < count; i++) {
        double at = (double)i + 0.5;
        if (scale) at = at / *scale + *offset;
        if (scale && model > 0) at = at * (double)n / (double)model;
        const double cell = floor(at), place = at - 0.5 < 0 ? 0 : at - 0.5;
        spot *s = &spots[i];
        s->nearest = cell >= 0 && cell < (double)n ? (int64_t)cell : -1;
        if (s->nearest < 0) continue;
        s->low = (int64_t)place < n - 1 ? (int64_t)place : n - 1;
        s->high = s->low + 1 < n ? s->low + 1 : n - 1;
        s->share = place - (double)s->low;
    }
    return spots;
}

typedef struct masking {
    const uc_reading *reading;
    map m;
    const spot *rows, *columns;
    double *line, *best; /* [map width], [picture width] */
} masking;

/* Channel c of the map between two of its lines. */
static void line_between(const masking *w, const spot *y, int64_t c)
{
    const double *a = w->m.values + y->low * w->m.row_step + c * w->m.channel_step,
                 *b = w->m.values + y->high * w->m.row_step + c * w->m.channel_step;
    for (int64_t x = 0; x < w->m.width; x++) {
        const int64_t at = x * w->m.column_step;
        w->line[x] = a[at] * (1 - y->share) + b[at] * y->share;
    }
}

/* The largest score's class for every pixel of a line, the first of equals as argmax takes it. */
static void best_of_line(const masking *w, const spot *y, int width, uint16_t *to)
{
    for (int64_t c = 0; c < w->m.channels; c++) {
        line_between(w, y, c);
        for (int x = 0; x < width; x++) {
            const spot *s = &w->columns[x];
            const double v = w->line[s->low] * (1 - s->share) + w->line[s->high] * s->share;
            if (c && !(v > w->best[x])) continue;
            w->best[x] = v;
            to[x] = (uint16_t)c;
        }
    }
    for (int x = 0; x < width && w->reading->binary; x++) {
        double p = w->best[x];
        if (w->reading->activation == UC_ACTIVATION_SIGMOID) p = 1 / (1 + exp(-p));
        to[x] = p >= w->reading->threshold;
    }
}

static void nearest_of_line(const masking *w, const spot *y, int width, uint16_t *to)
{
    const double *line = w->m.values + y->nearest * w->m.row_step;
    for (int x = 0; x < width; x++) {
        if (w->columns[x].nearest < 0) continue;
        const double v = line[w->columns[x].nearest * w->m.column_step];
        to[x] = v >= 0 && v < UINT16_MAX ? (uint16_t)v : UINT16_MAX;
    }
}

static uncork_status fill(const masking *w, uc_arena *arena, uc_mask *mask, uncork_error *error)
{
    for (int y = 0; y < mask->height; y++) {
        uint16_t *to = mask->index + (size_t)y * (size_t)mask->width;
        UC_TRY(uc_arena_check(arena, error));
        for (int x = 0; x < mask->width; x++) {
            to[x] = UINT16_MAX;
        }
        if (w->rows[y].nearest < 0) continue;
        if (w->reading->indices)
            nearest_of_line(w, &w->rows[y], mask->width, to);
        else
            best_of_line(w, &w->rows[y], mask->width, to);
        for (int x = 0; x < mask->width; x++) {
            if (w->columns[x].nearest < 0) to[x] = UINT16_MAX;
            if (to[x] != UINT16_MAX) mask->pixels[to[x]]++;
        }
    }
    return UNCORK_OK;
}

/* Class numbers may be any: one more than the largest. */
static int64_t classes_of(const uc_reading *reading, const map *m)
{
    int64_t largest = 0;
    if (!reading->indices) return reading->classes;
    for (int64_t i = 0; i < m->height * m->width; i++) {
        const double v = m->values[i * m->column_step];
        if (v < UINT16_MAX && v > (double)largest) largest = (int64_t)v;
    }
    return largest + 1;
}

uncork_status uc_post_mask(const uc_reading *reading, const uc_tensor *row,
                           const uc_post_options *options, const uc_post_place *place,
                           uc_arena *arena, uc_mask *mask, uncork_error *error)
{
    masking w = {.reading = reading};
    const map *m = &w.m;
    UC_TRY(take_map(reading, row, arena, &w.m, error));
    if (!reading->indices && !reading->binary && m->channels != reading->classes)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "'%.60s' has %lld classes for this input, %lld before", reading->name,
                       (long long)m->channels, (long long)reading->classes);
    mask->width = place ? place->width : (int)m->width;
    mask->height = place ? place->height : (int)m->height;
    mask->classes = classes_of(reading, m);
    mask->index = UC_NEW(arena, uint16_t, (size_t)mask->width * (size_t)mask->height);
    mask->pixels = UC_NEW(arena, int64_t, (size_t)mask->classes);
    w.line = UC_NEW(arena, double, (size_t)m->width);
    w.best = UC_NEW(arena, double, (size_t)mask->width);
    w.columns = make_spots(mask->width, place ? &place->scale_x : NULL,
                           place ? &place->offset_x : NULL, m->width, options->input_width, arena);
    w.rows = make_spots(mask->height, place ? &place->scale_y : NULL,
                        place ? &place->offset_y : NULL, m->height, options->input_height, arena);
    if (!mask->index || !mask->pixels || !w.line || !w.best || !w.columns || !w.rows)
        return uc_arena_status(arena, error);
    return fill(&w, arena, mask, error);
}

/* ---- points --------------------------------------------------------------------------------- */

static uncork_status points_of_maps(const uc_reading *reading, const uc_tensor *row,
                                    const uc_post_options *options, uc_arena *arena,
                                    uc_point **points, int64_t *count, uncork_error *error)
{
    map m;
    UC_TRY(take_map(reading, row, arena, &m, error));
    uc_point *p = UC_NEW(arena, uc_point, (size_t)m.channels);
    if (!p) return uc_arena_status(arena, error);
    double high = (double)(options->input_height > 0 ? options->input_height : m.height),
           wide = (double)(options->input_width > 0 ? options->input_width : m.width);
    for (int64_t c = 0; c < m.channels; c++) {
        int64_t best = 0;
        const double *at = m.values + c * m.channel_step;
        for (int64_t i = 1; i < m.height * m.width; i++) {
            if (at[i * m.column_step] > at[best * m.column_step]) best = i;
        }
        p[c].x = ((double)(best % m.width) + 0.5) * wide / (double)m.width;
        p[c].y = ((double)(best / m.width) + 0.5) * high / (double)m.height;
        p[c].score = at[best * m.column_step];
    }
    *points = p;
    *count = m.channels;
    return UNCORK_OK;
}

/* Pairs or triples; parts of the picture (0..1) become pixels of the model's input. */
static uncork_status points_of_rows(const uc_reading *reading, const uc_tensor *row,
                                    const uc_post_options *options, uc_arena *arena,
                                    uc_point **points, int64_t *count, uncork_error *error)
{
    double *v;
    int64_t n, k = reading->classes;
    UC_TRY(uc_post_numbers(reading, row, arena, &v, &n, error));
    int64_t width = k > 0 ? n / k : 0;
    uc_point *p = UC_NEW(arena, uc_point, (size_t)(k > 0 ? k : 0));
    if (!p) return uc_arena_status(arena, error);
    if (width < 2 || width > 3 || width * k != n)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "'%.60s' has %lld numbers for %lld points", reading->name, (long long)n,
                       (long long)k);
    bool parts = true;
    for (int64_t i = 0; i < k; i++) {
        p[i].x = v[i * width + (reading->rows_first ? 1 : 0)];
        p[i].y = v[i * width + (reading->rows_first ? 0 : 1)];
        p[i].score = width == 3 ? v[i * 3 + 2] : (double)NAN;
        parts = parts && fabs(p[i].x) <= 1.5 && fabs(p[i].y) <= 1.5;
    }
    for (int64_t i = 0; parts && i < k; i++) {
        p[i].x *= (double)(options->input_width > 0 ? options->input_width : 1);
        p[i].y *= (double)(options->input_height > 0 ? options->input_height : 1);
    }
    *points = p;
    *count = k;
    return UNCORK_OK;
}

uncork_status uc_post_points(const uc_reading *reading, const uc_tensor *row,
                             const uc_post_options *options, const uc_post_place *place,
                             uc_arena *arena, uc_point **points, int64_t *count,
                             uncork_error *error)
{
    UC_TRY((reading->heat ? points_of_maps : points_of_rows)(reading, row, options, arena, points,
                                                             count, error));
    for (int64_t i = 0; place && i < *count; i++) {
        uc_point *p = &(*points)[i];
        p->x = (p->x - place->offset_x) * place->scale_x;
        p->y = (p->y - place->offset_y) * place->scale_y;
    }
    return UNCORK_OK;
}

/* ---- pictures --------------------------------------------------------------------------------- */

typedef struct range {
    double factor, shift;
    const char *name;
} range;

static range range_of(uc_post_end end, const double *v, int64_t n)
{
    static const range unit = {255, 0, "0..1"}, both = {127.5, 127.5, "-1..1"},
                       byte = {1, 0, "0..255"};
    if (end == UC_END_SIGMOID || end == UC_END_UNIT) return unit;
    if (end == UC_END_TANH) return both;
    if (end == UC_END_BYTE) return byte;
    double low = 0, high = 0;
    for (int64_t i = 0; i < n; i++) {
        if (v[i] < low) low = v[i];
        if (v[i] > high) high = v[i];
    }
    return high > 4 ? byte : low < -0.5 ? both : unit;
}

uncork_status uc_post_picture_of(const uc_reading *reading, const uc_tensor *row, uc_arena *arena,
                                 uc_post_picture *picture, uncork_error *error)
{
    map m;
    UC_TRY(take_map(reading, row, arena, &m, error));
    if (m.channels != 1 && m.channels != 3)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "'%.60s' has %lld channels: a picture has 1 or 3", reading->name,
                       (long long)m.channels);
    int64_t n = m.height * m.width * m.channels;
    uint8_t *to = UC_NEW(arena, uint8_t, (size_t)n);
    if (!to) return uc_arena_status(arena, error);
    const range r = range_of(reading->end, m.values, n);
    *picture = (uc_post_picture){(int)m.width, (int)m.height, (int)m.channels, to, r.name};
    for (int64_t y = 0; y < m.height; y++) {
        for (int64_t x = 0; x < m.width; x++) {
            const double *at = m.values + y * m.row_step + x * m.column_step;
            for (int64_t c = 0; c < m.channels; c++) {
                double v = rint(at[c * m.channel_step] * r.factor + r.shift);
                *to++ = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
            }
        }
    }
    return UNCORK_OK;
}
