/* QResize: bilinear resizing of channels-last quantised pixels.
 *
 * x  u8 or s16 [N, H, W, C]
 * y  [N, OH, OW, C]
 * attributes: size (OH, OW), align_corners, half_pixel_centers, rounding, offset (128 where bytes stand for
 * signed ones)
 * Sources: XNNPACK src/{indirection.c,s8-ibilinear}: weights of 11 bits; tensorflow/lite/kernels/internal/
 * reference/resize_bilinear.h: of 10 bits */
#include "base/thread.h"
#include "op/ext/q_number.h"

typedef struct tap {
    int64_t low, high;
    int32_t weight; /* of high, in 2^-11 or 2^-10 */
    float fraction; /* the same, unrounded */
} tap;

typedef struct job {
    uc_q_rule rule;
    bool wide, align, half;
    int32_t offset;
    const uc_tensor *x;
    uc_tensor *y;
    const tap *rows, *columns;
} job;

static uncork_status read(uc_call *call, job *j, int64_t *size)
{
    size_t n = 0;
    const int64_t *given = uc_call_ints(call, "size", &n);
    if (n != 2 || given[0] < 1 || given[1] < 1 || given[0] > INT32_MAX || given[1] > INT32_MAX)
        return uc_call_fail(call, UNCORK_INPUT, "size isn't a height and a width");
    size[0] = given[0];
    size[1] = given[1];
    j->align = uc_call_int(call, "align_corners", 0) != 0;
    j->half = uc_call_int(call, "half_pixel_centers", 0) != 0;
    j->offset = (int32_t)(uc_call_int(call, "offset", 0) & 255);
    return uc_q_rule_read(call, &j->rule);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    job j = {.rule = UC_Q_XNNPACK};
    int64_t size[2];
    UC_TRY(uc_q_expect(call, 0));
    UC_TRY(read(call, &j, size));
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, -1, NULL);
    if (x->rank != 4 || x->shape[1] == 0 || x->shape[2] == 0 || x->shape[1] > INT32_MAX ||
        x->shape[2] > INT32_MAX)
        return uc_call_fail(call, UNCORK_INPUT, "x isn't pictures [n, h, w, c]");
    const int64_t shape[] = {x->shape[0], size[0], size[1], x->shape[3]};
    return uc_call_shape(call, 0, x->dtype, 4, shape);
}

/* ---- taps ------------------------------------------------------------------------------------------- */

static tap xnnpack_tap(const job *j, int64_t in, int64_t out, int64_t o)
{
    const int64_t less = j->align && out != 1;
    const float scale = (float)(in - less) / (float)(out - less);
    float at = (float)o * scale;
    if (j->half) {
        at = (float)o * scale + (0.5f * scale - 0.5f);
        at = at > 0 ? at : 0;
        at = at < (float)(in - 1) ? at : (float)(in - 1);
    }
    const int64_t low = (int64_t)at, high = low + 1 < in ? low + 1 : in - 1;
    const float alpha = at - (float)low;
    return (tap){low, high, (int32_t)lrintf(alpha * 2048.0f), alpha};
}

static tap integer_tap(const job *j, int64_t in, int64_t out, int64_t o)
{
    int64_t scale = ((in << 10) + out / 2) / out;
    if (j->align && out > 1) scale = (((in - 1) << 10) + (out - 1) / 2) / (out - 1);
    const int64_t at = o * scale + (j->half ? scale / 2 - (1 << 9) : 0);
    int64_t low = at / (1 << 10), high = (at + (1 << 10) - 1) / (1 << 10);
    low = low > 0 ? low : 0;
    if (low > in - 1) low = in - 1;
    high = high < in - 1 ? high : in - 1;
    if (high < 0) high = 0;
    return (tap){low, high, (int32_t)(at - (low << 10)), 0};
}

static tap float_tap(const job *j, int64_t in, int64_t out, int64_t o)
{
    float scale = (float)in / (float)out;
    if (j->align && out > 1) scale = (float)(in - 1) / (float)(out - 1);
    const float at = j->half ? ((float)o + 0.5f) * scale - 0.5f : (float)o * scale;
    const float below = floorf(at);
    int64_t low = (int64_t)below;
    low = low > 0 ? low : 0;
    int64_t high = (int64_t)ceilf(at);
    high = high < in - 1 ? high : in - 1;
    return (tap){low < in ? low : in - 1, high > 0 ? high : 0, 0, at - (float)low};
}

static const tap *taps_of(uc_call *call, const job *j, int64_t in, int64_t out)
{
    tap *to = uc_call_scratch(call, (size_t)out, sizeof *to);
    for (int64_t o = 0; to && o < out; o++) {
        to[o] = j->rule == UC_Q_XNNPACK ? xnnpack_tap(j, in, out, o)
                : j->wide || j->offset  ? integer_tap(j, in, out, o)
                                        : float_tap(j, in, out, o);
    }
    return to;
}

/* ---- pixels ------------------------------------------------------------------------------------------ */

static int32_t mixed(const job *j, const int32_t *v, const tap *row, const tap *column)
{
    if (j->rule == UC_Q_XNNPACK) {
        const int32_t top = v[0] * 2048 + (v[1] - v[0]) * column->weight;
        const int32_t bottom = v[2] * 2048 + (v[3] - v[2]) * column->weight;
        return (top * 2048 + (bottom - top) * row->weight + (1 << 21)) >> 22;
    }
    if (j->wide || j->offset) {
        const int64_t x = column->weight, y = row->weight, one = 1 << 10;
        const int64_t sum = v[0] * (one - y) * (one - x) + v[2] * y * (one - x) +
                            v[1] * (one - y) * x + v[3] * y * x;
        return (int32_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
    }
    const float x = column->fraction, y = row->fraction;
    return (int32_t)((float)v[0] * (1 - y) * (1 - x) + (float)v[2] * y * (1 - x) +
                     (float)v[1] * (1 - y) * x + (float)v[3] * y * x + 0.5f);
}

static void rows_of(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const int64_t h = j->x->shape[1], w = j->x->shape[2], c = j->x->shape[3];
    const int64_t oh = j->y->shape[1], ow = j->y->shape[2];
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        const tap *r = &j->rows[row % oh];
        const int64_t above = (row / oh * h + r->low) * w, below = (row / oh * h + r->high) * w;
        for (int64_t ox = 0; ox < ow; ox++) {
            const tap *t = &j->columns[ox];
            const int64_t at[4] = {(above + t->low) * c, (above + t->high) * c,
                                   (below + t->low) * c, (below + t->high) * c};
            for (int64_t i = 0; i < c; i++) {
                int32_t v[4];
                for (int k = 0; k < 4; k++)
                    v[k] = uc_q_load(j->x->data, at[k] + i, j->wide) - j->offset;
                uc_q_store(j->y->data, (row * ow + ox) * c + i, j->y->dtype,
                           mixed(j, v, r, t) + j->offset);
            }
        }
    }
}

static uncork_status run(uc_call *call)
{
    job j = {.x = uc_call_arg(call, 0), .y = uc_call_out(call, 0)};
    int64_t size[2];
    if (!j.y) return call->error->status;
    UC_TRY(read(call, &j, size));
    j.wide = j.x->dtype == UNCORK_INT16;
    j.rows = taps_of(call, &j, j.x->shape[1], size[0]);
    j.columns = taps_of(call, &j, j.x->shape[2], size[1]);
    if (!j.rows || !j.columns) return call->error->status;
    const int64_t row = j.y->shape[2] * j.y->shape[3];
    uc_parallel(call->pool, j.y->shape[0] * j.y->shape[1], 1 + 8192 / (row + 1), rows_of, &j);
    return UNCORK_OK;
}

const uc_op uc_op_q_resize = {
    .domain = "uncork",
    .name = "QResize",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
