/* DeformConv: convolution whose taps are moved by learned offsets and weighed by a mask.
 *
 * Source: ONNX operator DeformConv, opset 22 (Zhu et al., "Deformable ConvNets v2"); pictures only.
 * x  float [N, C, H, W];  w  [M, C / group, kh, kw];  offset  [N, offset_group * taps * 2, oh, ow],
 * y before x;  b  [M], optional;  mask  [N, offset_group * taps, oh, ow], optional
 * Numerics: see op/conv.c; samples are bilinear, zeros outside. */
#include "op/conv.h"
#include "op/widen.h"

#include <inttypes.h>
#include <math.h>

typedef struct deform {
    const void *offset, *mask;
    int64_t groups; /* of offsets */
} deform;

/* Input i, if it is there, must be [N, count, oh, ow]. */
static uncork_status check_moves(uc_call *call, size_t i, const int64_t *y, int64_t count)
{
    const uc_tensor *t = uc_call_in(call, i);
    if (!t || t->rank < 0) return UNCORK_OK;
    const int64_t want[] = {y[0], count, y[2], y[3]};
    bool fits = t->rank == 4;
    for (int d = 0; fits && d < 4; d++) {
        fits = t->shape[d] < 0 || want[d] < 0 || t->shape[d] == want[d];
    }
    if (fits) return UNCORK_OK;
    char a[128], b[128];
    return uc_call_fail(
        call, UNCORK_INPUT, "%s of shape %.90s, not %.90s", i == 2 ? "offsets" : "a mask",
        uc_shape_text(t->shape, t->rank, a, sizeof a), uc_shape_text(want, 4, b, sizeof b));
}

static uncork_status geometry(uc_call *call, uc_conv *c, deform *d, int *rank, int64_t *shape)
{
    UC_TRY(uc_conv_geometry(call, 3, c, rank, shape));
    UC_TRY(uc_call_same_dtype(call, 0, 2));
    if (uc_call_in(call, 4)) UC_TRY(uc_call_same_dtype(call, 0, 4));
    d->groups = uc_call_int(call, "offset_group", 1);
    if (*rank < 0) return UNCORK_OK;
    const uc_tensor *x = uc_call_arg(call, 0);
    if (*rank != 4) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "%d dimensions, 4 are wanted", *rank);
    }
    int64_t taps = c->w.kernel[0] < 0 || c->w.kernel[1] < 0 ? -1 : uc_slide_taps(&c->w), moves = -1;
    bool fits = d->groups >= 1 && (x->shape[1] < 0 || x->shape[1] % d->groups == 0);
    fits = fits && (taps < 0 ||
                    (!__builtin_mul_overflow(taps, d->groups, &moves) && moves < INT64_MAX / 2));
    if (!fits) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " channels, offset_group %" PRId64,
                            x->shape[1], d->groups);
    }
    UC_TRY(check_moves(call, 2, shape, taps < 0 ? -1 : 2 * moves));
    return check_moves(call, 4, shape, moves);
}

static uncork_status infer(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    uc_conv c = {0};
    deform d = {0};
    int rank = 0;
    UC_TRY(geometry(call, &c, &d, &rank, shape));
    return uc_call_shape(call, 0, c.dtype, rank, shape);
}

/* The picture at a place between its pixels. */
#define SAMPLE(NAME, T)                                                                          \
    static T NAME##_at(const T *plane, int64_t h, int64_t w, T y, T x)                           \
    {                                                                                            \
        if (!(y > -1 && y < (T)h && x > -1 && x < (T)w)) return 0;                               \
        int64_t y0 = (int64_t)floor((double)y), x0 = (int64_t)floor((double)x);                  \
        T ly = y - (T)y0, lx = x - (T)x0, sum = 0;                                               \
        for (int k = 0; k < 4; k++) {                                                            \
            int64_t i = y0 + k / 2, j = x0 + k % 2;                                              \
            T weight = (k / 2 ? ly : 1 - ly) * (k % 2 ? lx : 1 - lx);                            \
            if (i >= 0 && i < h && j >= 0 && j < w) sum += weight * plane[i * w + j];            \
        }                                                                                        \
        return sum;                                                                              \
    }                                                                                            \
                                                                                                 \
    static void NAME(const uc_conv *c, int64_t image, int64_t group, int64_t begin, int64_t end, \
                     void *columns)                                                              \
    {                                                                                            \
        const deform *d = c->context;                                                            \
        const uc_slide *w = &c->w;                                                               \
        int64_t taps = uc_slide_taps(w), plane = uc_slide_in(w), places = uc_slide_out(w);       \
        int64_t channels = c->group * c->in_channels;                                            \
        T *to = columns;                                                                         \
        for (int64_t row = 0; row < c->in_channels * taps; row++) {                              \
            int64_t channel = group * c->in_channels + row / taps, tap = row % taps;             \
            int64_t of = channel / (channels / d->groups);                                       \
            const T *x = (const T *)c->x + (image * channels + channel) * plane;                 \
            int64_t move = (image * d->groups + of) * taps + tap;                                \
            const T *dy = (const T *)d->offset + 2 * move * places, *dx = dy + places;           \
            const T *mask = d->mask ? (const T *)d->mask + move * places : NULL;                 \
            for (int64_t p = begin; p < end; p++) {                                              \
                T y = (T)(p / w->out[1] * w->stride[0] + tap / w->kernel[1] * w->dilation[0] -   \
                          w->before[0]) +                                                        \
                      dy[p];                                                                     \
                T at = (T)(p % w->out[1] * w->stride[1] + tap % w->kernel[1] * w->dilation[1] -  \
                           w->before[1]) +                                                       \
                       dx[p];                                                                    \
                T v = NAME##_at(x, w->in[0], w->in[1], y, at);                                   \
                *to++ = mask ? v * mask[p] : v;                                                  \
            }                                                                                    \
        }                                                                                        \
    }

SAMPLE(sample_f32, float)
SAMPLE(sample_f64, double)

static uncork_status run_wide(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    uc_conv c = {0};
    deform d = {0};
    int rank = 0;
    UC_TRY(geometry(call, &c, &d, &rank, shape));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const uc_tensor *b = uc_call_in(call, 3), *mask = uc_call_in(call, 4);
    c.x = uc_call_arg(call, 0)->data;
    c.weight = uc_call_arg(call, 1)->data;
    c.bias = b ? b->data : NULL;
    c.y = y->data;
    d.offset = uc_call_arg(call, 2)->data;
    d.mask = mask ? mask->data : NULL;
    c.context = &d;
    c.columns = c.dtype == UNCORK_FLOAT64 ? sample_f64 : sample_f32;
    return uc_conv_run(call, &c);
}

static uncork_status run(uc_call *call) { return uc_widened(call, run_wide); }

const uc_op uc_op_deform_conv = {.name = "DeformConv",
                                 .in = {3, 5},
                                 .out = {1, 1},
                                 .infer = infer,
                                 .run = run,
                                 .macs = uc_conv_macs};
