/* Outputs that lie over the picture: class maps, heat maps, pictures. A mask is the class of the map's
 * nearest cell for every pixel of the picture that was given; what the model never saw (cut off by a
 * crop) has no class. */
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

/* The first largest, as argmax takes it. */
static uint16_t class_at(const uc_reading *reading, const map *m, const double *at)
{
    if (reading->indices) return *at >= 0 && *at < UINT16_MAX ? (uint16_t)*at : UINT16_MAX;
    if (reading->binary) {
        double p = *at;
        if (reading->activation == UC_ACTIVATION_SIGMOID) p = 1 / (1 + exp(-p));
        return p >= reading->threshold;
    }
    int64_t best = 0;
    for (int64_t c = 1; c < m->channels; c++) {
        if (at[c * m->channel_step] > at[best * m->channel_step]) best = c;
    }
    return (uint16_t)best;
}

/* Where the middle of pixel i of the picture falls on the map's axis of n cells; -1: outside. */
static int64_t cell(int i, double scale, double offset, int64_t n, int64_t model)
{
    double at = ((double)i + 0.5) / scale + offset;
    int64_t c = (int64_t)floor(model > 0 ? at * (double)n / (double)model : at);
    return c < 0 || c >= n ? -1 : c;
}

uncork_status uc_post_mask(const uc_reading *reading, const uc_tensor *row,
                           const uc_post_options *options, const uc_post_place *place,
                           uc_arena *arena, uc_mask *mask, uncork_error *error)
{
    map m;
    UC_TRY(take_map(reading, row, arena, &m, error));
    if (!reading->indices && !reading->binary && m.channels != reading->classes)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET,
                       "'%.60s' has %lld classes for this input, %lld before", reading->name,
                       (long long)m.channels, (long long)reading->classes);
    size_t cells = (size_t)m.height * (size_t)m.width;
    uint16_t *small = UC_NEW(arena, uint16_t, cells);
    if (!small) return uc_arena_status(arena, error);
    int64_t largest = 0;
    for (int64_t y = 0; y < m.height; y++) {
        for (int64_t x = 0; x < m.width; x++) {
            uint16_t c = class_at(reading, &m, m.values + y * m.row_step + x * m.column_step);
            small[y * m.width + x] = c;
            if (c != UINT16_MAX && c > largest) largest = c;
        }
    }
    mask->width = place ? place->width : (int)m.width;
    mask->height = place ? place->height : (int)m.height;
    mask->classes = reading->indices ? largest + 1 : reading->classes;
    mask->index = UC_NEW(arena, uint16_t, (size_t)mask->width * (size_t)mask->height);
    mask->pixels = UC_NEW(arena, int64_t, (size_t)mask->classes);
    int64_t *column = UC_NEW(arena, int64_t, (size_t)mask->width);
    if (!mask->index || !mask->pixels || !column) return uc_arena_status(arena, error);
    for (int x = 0; x < mask->width; x++) {
        column[x] =
            place ? cell(x, place->scale_x, place->offset_x, m.width, options->input_width) : x;
    }
    for (int y = 0; y < mask->height; y++) {
        int64_t line =
            place ? cell(y, place->scale_y, place->offset_y, m.height, options->input_height) : y;
        uint16_t *to = mask->index + (size_t)y * (size_t)mask->width;
        for (int x = 0; x < mask->width; x++) {
            to[x] = line < 0 || column[x] < 0 ? UINT16_MAX : small[line * m.width + column[x]];
            if (to[x] != UINT16_MAX) mask->pixels[to[x]]++;
        }
    }
    return UNCORK_OK;
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
