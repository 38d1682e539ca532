/* tf.image.resize and the raw operators behind it, v1 and v2, bit for bit in float32 without fused
 * multiply-adds: nearest, bilinear, bicubic and area here, the rest in resize_tensorflow_spans.c.
 * Whose results are matched: TensorFlow 2.21, core/kernels/image/resize_*_op.cc and
 * image_resizer_state.h. */
#include "image/resize_tensorflow_parts.h"

#include "base/dtype.h"

#include <float.h>
#include <math.h>

static int bound(float v, int in) { return v < 0 ? 0 : v >= (float)in ? in - 1 : (int)v; }

static float value(const uc_pixels *p, size_t i)
{
    switch ((int)p->dtype) {
    case UNCORK_UINT8: return (float)((const uint8_t *)p->data)[i];
    case UNCORK_UINT16: return (float)((const uint16_t *)p->data)[i];
    case UNCORK_INT32: return (float)((const int32_t *)p->data)[i];
    case UNCORK_FLOAT64: return (float)((const double *)p->data)[i];
    case UNCORK_BOOL: return ((const uint8_t *)p->data)[i] ? 1.0f : 0.0f;
    default: return ((const float *)p->data)[i];
    }
}

static void floats_of(const uc_pixels *from, size_t at, size_t n, float *out)
{
    if (from->dtype == UNCORK_UINT8) {
        const uint8_t *in = (const uint8_t *)from->data + at;
        for (size_t i = 0; i < n; i++) {
            out[i] = (float)in[i];
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = value(from, at + i);
    }
}

static uncork_status as_floats(const uc_pixels *from, uc_arena *arena, uc_pixels *to,
                               uncork_error *error)
{
    *to = *from;
    if (from->dtype == UNCORK_FLOAT32) return UNCORK_OK;
    UC_TRY(
        uc_pixels_new(UNCORK_FLOAT32, from->height, from->width, from->channels, arena, to, error));
    floats_of(from, 0, uc_pixels_count(from), to->data);
    return UNCORK_OK;
}

/* ---- nearest -------------------------------------------------------------------------------- */

static int *nearest_places(const uc_places *p, bool corners, uc_arena *arena)
{
    int *at = UC_NEW(arena, int, (size_t)p->out);
    for (int i = 0; at && i < p->out; i++) {
        const float f = p->half_pixel ? ((float)i + 0.5f) * p->scale : (float)i * p->scale;
        at[i] = bound(corners ? roundf(f) : floorf(f), p->in);
    }
    return at;
}

static uncork_status nearest(const uc_pixels *from, const uc_places *x, const uc_places *y,
                             bool corners, uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    const int *columns = nearest_places(x, corners, arena),
              *rows = nearest_places(y, corners, arena);
    if (!columns || !rows) return uc_arena_status(arena, error);
    UC_TRY(uc_pixels_new(from->dtype, y->out, x->out, from->channels, arena, to, error));
    const size_t size = (size_t)from->channels * uc_dtype_size(from->dtype);
    char *out = to->data;
    for (int i = 0; i < y->out; i++) {
        UC_TRY(uc_arena_check(arena, error));
        const char *row = (const char *)from->data + (size_t)rows[i] * (size_t)from->width * size;
        for (int j = 0; j < x->out; j++, out += size) {
            memcpy(out, row + (size_t)columns[j] * size, size);
        }
    }
    return UNCORK_OK;
}

/* ---- bilinear ------------------------------------------------------------------------------- */

static inline void across_channels(const uint8_t *in, const uc_between *x, int count, int channels,
                                   float *out)
{
    for (int j = 0; j < count; j++) {
        const uint8_t *l = in + x[j].lower, *r = in + x[j].upper;
        const float t = x[j].fraction;
        for (int c = 0; c < channels; c++) {
            const float a = (float)l[c], b = (float)r[c];
            *out++ = a + (b - a) * t;
        }
    }
}

static void across_u8(const uint8_t *in, const uc_between *x, int count, int channels, float *out)
{
    if (channels == 3) {
        across_channels(in, x, count, 3, out); /* a constant: the compiler unrolls */
    } else {
        across_channels(in, x, count, channels, out);
    }
}

static void across_f32(const float *in, const uc_between *x, int count, int channels, float *out)
{
    for (int j = 0; j < count; j++) {
        const float *l = in + x[j].lower, *r = in + x[j].upper, t = x[j].fraction;
        for (int c = 0; c < channels; c++) {
            *out++ = l[c] + (r[c] - l[c]) * t;
        }
    }
}

static void down(const float *a, const float *b, float t, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = a[i] + (b[i] - a[i]) * t;
    }
}

static uncork_status bilinear(const uc_pixels *from, const uc_places *x, const uc_places *y,
                              uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    uc_pixels floats = *from;
    if (from->dtype != UNCORK_UINT8) UC_TRY(as_floats(from, arena, &floats, error));
    const uc_between *bx = uc_tensorflow_between(x, from->channels, arena),
                     *by = uc_tensorflow_between(y, 1, arena);
    const size_t n = (size_t)x->out * (size_t)from->channels,
                 stride = (size_t)from->width * (size_t)from->channels;
    float *slots[2] = {UC_NEW(arena, float, n), UC_NEW(arena, float, n)};
    int held[2] = {-1, -1};
    if (!bx || !by || !slots[0] || !slots[1]) return uc_arena_status(arena, error);
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, y->out, x->out, from->channels, arena, to, error));
    for (int i = 0; i < y->out; i++) {
        UC_TRY(uc_arena_check(arena, error));
        const int rows[2] = {by[i].lower, by[i].upper}; /* the same or neighbours */
        for (int k = 0; k < 2; k++) {
            const int slot = rows[k] & 1;
            if (held[slot] == rows[k]) continue;
            const size_t at = (size_t)rows[k] * stride;
            if (from->dtype == UNCORK_UINT8) {
                across_u8((const uint8_t *)from->data + at, bx, x->out, from->channels,
                          slots[slot]);
            } else {
                across_f32((const float *)floats.data + at, bx, x->out, from->channels,
                           slots[slot]);
            }
            held[slot] = rows[k];
        }
        down(slots[rows[0] & 1], slots[rows[1] & 1], by[i].fraction, n,
             (float *)to->data + (size_t)i * n);
    }
    return UNCORK_OK;
}

/* ---- bicubic -------------------------------------------------------------------------------- */

typedef struct four {
    int at[4]; /* places in a row (times the step), or rows */
    float weight[4];
} four;

/* TensorFlow looks weights up in a table of 1024 steps: the nearest step's weights. */
static void table_weights(float x, double a, float *near_one, float *far_one)
{
    *near_one = (float)(((a + 2) * (double)x - (a + 3)) * (double)x * (double)x + 1);
    x += 1.0f;
    *far_one = (float)(((a * (double)x - 5 * a) * (double)x + 8 * a) * (double)x - 4 * a);
}

static four *make_fours(const uc_places *p, int step, uc_arena *arena)
{
    four *f = UC_NEW(arena, four, (size_t)p->out);
    for (int i = 0; f && i < p->out; i++) {
        const float place = place_at(p, i), low = floorf(place);
        const int in = (int)low;
        const long offset = lrintf((place - low) * 1024);
        const double a = p->half_pixel ? -0.5 : -0.75;
        float *w = f[i].weight, sum = 0;
        table_weights((float)offset / 1024, a, &w[1], &w[0]);
        table_weights((float)(1024 - offset) / 1024, a, &w[2], &w[3]);
        for (int k = 0; k < 4; k++) {
            const int at = in - 1 + k, inside = at < 0 ? 0 : at >= p->in ? p->in - 1 : at;
            f[i].at[k] = inside * step;
            if (p->half_pixel && inside != at) w[k] = 0.0f; /* the others are raised instead */
            sum += w[k];
        }
        if (!p->half_pixel || fabsf(sum) < 1000.0f * FLT_MIN) continue;
        sum = 1.0f / sum;
        for (int k = 0; k < 4; k++) {
            w[k] *= sum;
        }
    }
    return f;
}

static uncork_status bicubic(const uc_pixels *from, const uc_places *x, const uc_places *y,
                             uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    uc_pixels floats;
    UC_TRY(as_floats(from, arena, &floats, error));
    const size_t channels = (size_t)from->channels, row = (size_t)from->width * channels;
    const four *fx = make_fours(x, from->channels, arena), *fy = make_fours(y, 1, arena);
    float *column = UC_NEW(arena, float, row);
    if (!fx || !fy || !column) return uc_arena_status(arena, error);
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, y->out, x->out, from->channels, arena, to, error));
    float *out = to->data;
    for (int i = 0; i < y->out; i++) {
        UC_TRY(uc_arena_check(arena, error));
        const float *in[4], *w = fy[i].weight;
        for (int k = 0; k < 4; k++) {
            in[k] = (const float *)floats.data + (size_t)fy[i].at[k] * row;
        }
        for (size_t j = 0; j < row; j++) {
            column[j] = in[0][j] * w[0] + in[1][j] * w[1] + in[2][j] * w[2] + in[3][j] * w[3];
        }
        for (int j = 0; j < x->out; j++) {
            const four *f = fx + j;
            for (size_t c = 0; c < channels; c++) {
                const float *p = column + c;
                *out++ = p[f->at[0]] * f->weight[0] + p[f->at[1]] * f->weight[1] +
                         p[f->at[2]] * f->weight[2] + p[f->at[3]] * f->weight[3];
            }
        }
    }
    return UNCORK_OK;
}

/* ---- area ----------------------------------------------------------------------------------- */

typedef struct cover {
    float begin, end; /* in input pixels */
    int first, last;  /* pixels touched; not bounded */
} cover;

static cover cover_of(const uc_places *p, int i)
{
    const float begin = (float)i * p->scale, end = (float)(i + 1) * p->scale;
    return (cover){begin, end, (int)floorf(begin), (int)ceilf(end) - 1};
}

/* How much of pixel v lies in the cover. */
static float covered(const cover *c, const uc_places *p, int v)
{
    if ((float)v < c->begin) {
        return (float)(v + 1) > c->end ? p->scale : (float)(v + 1) - c->begin;
    }
    return (float)(v + 1) > c->end ? c->end - (float)v : 1.0f;
}

static size_t inside(int v, int in) { return v < 0 ? 0 : v >= in ? (size_t)in - 1 : (size_t)v; }

static uncork_status area(const uc_pixels *from, const uc_places *x, const uc_places *y,
                          uc_arena *arena, uc_pixels *to, uncork_error *error)
{
    uc_pixels floats;
    UC_TRY(as_floats(from, arena, &floats, error));
    UC_TRY(uc_pixels_new(UNCORK_FLOAT32, y->out, x->out, from->channels, arena, to, error));
    const size_t channels = (size_t)from->channels, row = (size_t)from->width * channels;
    const float part = (float)(1.0 / (double)(y->scale * x->scale));
    float *out = to->data;
    for (int i = 0; i < y->out; i++) {
        UC_TRY(uc_arena_check(arena, error));
        const cover cy = cover_of(y, i);
        for (int j = 0; j < x->out; j++) {
            const cover cx = cover_of(x, j);
            const float first = covered(&cx, x, cx.first), last = covered(&cx, x, cx.last);
            for (size_t c = 0; c < channels; c++) {
                float sum = 0;
                for (int v = cy.first; v <= cy.last; v++) {
                    const float *p = (const float *)floats.data + inside(v, y->in) * row + c;
                    float across = p[inside(cx.first, x->in) * channels] * first;
                    if (cx.last != cx.first) {
                        for (int u = cx.first + 1; u < cx.last; u++) {
                            across += p[inside(u, x->in) * channels];
                        }
                        across += p[inside(cx.last, x->in) * channels] * last;
                    }
                    sum += across * covered(&cy, y, v);
                }
                *out++ = sum * part;
            }
        }
    }
    return UNCORK_OK;
}

uncork_status uc_resize_tensorflow(const uc_pixels *from, int width, int height,
                                   const uc_tensorflow_resize *options, uc_arena *arena,
                                   uc_pixels *pixels, uncork_error *error)
{
    if (width < 1 || height < 1)
        return uc_fail(error, UNCORK_INPUT, UC_NO_OFFSET, "a resize to %d x %d pixels", width,
                       height);
    if (options->same_is_copy && width == from->width && height == from->height) {
        *pixels = *from;
        return UNCORK_OK;
    }
    const uc_places x = uc_tensorflow_places(from->width, width, options),
                    y = uc_tensorflow_places(from->height, height, options);
    const uc_tensorflow_filter filter = options->filter;
    uc_pixels to, floats;
    if (filter == UC_TF_NEAREST) {
        UC_TRY(nearest(from, &x, &y, options->legacy && options->align_corners, arena, &to, error));
    } else if (filter == UC_TF_AREA) {
        UC_TRY(area(from, &x, &y, arena, &to, error));
    } else if (filter == UC_TF_BILINEAR && !options->antialias) {
        UC_TRY(bilinear(from, &x, &y, arena, &to, error));
    } else if (filter == UC_TF_BICUBIC && !options->antialias) {
        UC_TRY(bicubic(from, &x, &y, arena, &to, error));
    } else {
        UC_TRY(as_floats(from, arena, &floats, error));
        UC_TRY(uc_tensorflow_spans(&floats, width, height, filter, options->antialias, arena, &to,
                                   error));
    }
    *pixels = to;
    return UNCORK_OK;
}
