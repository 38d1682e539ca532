/* QHybrid: a convolution of float32 pixels with int8 weights: each picture is rounded to 8 bits by its own
 * range first, and the exact sums are scaled back.
 *
 * x      f32 [N, H, W, IC]
 * w      s8 [OC, IC / group, KH, KW], constant
 * scale  f32 [OC], constant
 * b      f32 [OC], constant, optional
 * y      f32 [N, OH, OW, OC]
 * attributes: group, strides, pads, dilations; range: "symmetric" and "asymmetric" as TensorFlow Lite
 * (kernels/internal/reference/portable_tensor_utils.cc), "xnnpack" as XNNPACK (f32_qd8) takes it */
#include "base/thread.h"
#include "op/ext/q_conv.h"

#include <math.h>

typedef enum range { SYMMETRIC, ASYMMETRIC, XNNPACK } range;

typedef struct prepared {
    uc_q_layer layer;
    range how;
    bool dot; /* by tiles of bytes */
    const uint8_t *packed;
    const int32_t *weight_sums; /* [oc] */
    const float *bias;          /* [oc], zeros without one */
} prepared;

static uncork_status read(uc_call *call, uc_q_layer *l, range *how)
{
    const uc_tensor *w = uc_call_arg(call, 1), *scale = uc_call_arg(call, 2);
    const uc_tensor *b = uc_call_in(call, 3);
    const uc_str word = uc_call_str(call, "range", "symmetric");
    if (w->dtype != UNCORK_INT8 || w->rank != 4 || !uc_call_known(call, 1) || w->shape[0] < 1 ||
        w->shape[1] < 1)
        return uc_call_fail(call, UNCORK_INPUT, "w isn't a constant int8 [oc, ic, kh, kw]");
    l->oc = w->shape[0];
    l->group = uc_call_int(call, "group", 1);
    if (l->group < 1 || l->group > l->oc || l->oc % l->group)
        return uc_call_fail(call, UNCORK_INPUT, "its groups don't divide its channels");
    l->ic = l->group * w->shape[1];
    l->window.kernel[0] = w->shape[2];
    l->window.kernel[1] = w->shape[3];
    UC_TRY(uc_window_read(call, &l->window));
    const bool fits = scale->dtype == UNCORK_FLOAT32 && uc_tensor_count(scale) == l->oc &&
                      uc_call_known(call, 2) &&
                      (!b || (b->dtype == UNCORK_FLOAT32 && uc_tensor_count(b) == l->oc &&
                              uc_call_known(call, 3)));
    if (!fits) return uc_call_fail(call, UNCORK_INPUT, "scale or b isn't a constant of oc floats");
    *how = uc_str_is(word, "xnnpack")      ? XNNPACK
           : uc_str_is(word, "asymmetric") ? ASYMMETRIC
                                           : SYMMETRIC;
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_q_layer l = {0};
    range r;
    UC_TRY(read(call, &l, &r));
    int64_t shape[4] = {-1, -1, -1, l.oc};
    if (x->rank >= 0) {
        if (x->dtype != UNCORK_FLOAT32 || x->rank != 4 || (x->shape[3] >= 0 && x->shape[3] != l.ic))
            return uc_call_fail(call, UNCORK_INPUT, "x isn't float32 [n, h, w, ic]");
        shape[0] = x->shape[0];
        for (int d = 0; d < 2; d++)
            UC_TRY(uc_window_count(call, &l.window, d, x->shape[1 + d], false, &shape[1 + d]));
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 4, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *w = uc_call_arg(call, 1), *b = uc_call_in(call, 3);
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    uc_q_layer *l = &p->layer;
    UC_TRY(read(call, l, &p->how));
    UC_TRY(uc_q_layer_scales(call, l, uc_call_arg(call, 2)));
    call->prepared = p;
    p->dot = l->group == 1;
    float *bias = UC_NEW(call->arena, float, (size_t)l->oc);
    int32_t *sums = UC_NEW(call->arena, int32_t, (size_t)l->oc);
    if (!bias || !sums) return uc_arena_status(call->arena, call->error);
    if (b) memcpy(bias, b->data, (size_t)l->oc * sizeof *bias);
    p->bias = bias;
    p->weight_sums = sums;
    l->differences = true;
    if (!p->dot) return uc_q_layer_weights(call, l, w, NULL);
    const int64_t each = l->ic * l->window.kernel[0] * l->window.kernel[1];
    for (int64_t c = 0; c < l->oc; c++) {
        for (int64_t i = 0; i < each; i++)
            sums[c] += ((const int8_t *)w->data)[c * each + i];
    }
    return uc_dot_conv_pack(call, w->data, l->oc, l->ic, &l->window, 1, &p->packed);
}

/* ---- the range of a picture ------------------------------------------------------------------------ */

typedef struct scaling {
    float inverse, factor; /* to integers; back */
    int32_t zero;
} scaling;

static scaling xnnpack_scaling(float low, float high)
{
    const float scale = low == high ? 1.0f : 255.0f / (high - low);
    const float least = low * scale, most = high * scale;
    float zero = (-128.0f + least) + (127.0f + most) > 0 ? -128.0f - least : 127.0f - most;
    zero = zero > -128.0f ? zero : -128.0f;
    zero = zero < 127.0f ? zero : 127.0f;
    return (scaling){scale, 1.0f / scale, (int32_t)rintf(zero)};
}

static scaling asymmetric_scaling(float low, float high)
{
    if (low == high) return (scaling){0, 1, 0};
    const double scale = ((double)high - (double)low) / 255;
    const double from_low = -128 - (double)low / scale, from_high = 127 - (double)high / scale;
    const bool nearer = 128 + fabs((double)low / scale) < 127 + fabs((double)high / scale);
    const double zero = nearer ? from_low : from_high;
    const float factor = (float)scale;
    const int32_t nudged = zero <= -128 ? -128 : zero >= 127 ? 127 : (int32_t)round(zero);
    return (scaling){1.0f / factor, factor, nudged};
}

static scaling scaling_of(range r, const float *x, int64_t n)
{
    float low = 0, high = 0;
    for (int64_t i = 0; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    if (!isfinite(low) || !isfinite(high)) return (scaling){0, NAN, 0};
    if (r == XNNPACK) return xnnpack_scaling(low, high);
    if (r == ASYMMETRIC) return asymmetric_scaling(low, high);
    const float most = -low > high ? -low : high;
    if (most == 0) return (scaling){0, 1, 0};
    return (scaling){127.0f / most, most / 127.0f, 0};
}

static int32_t integer_of(range r, const scaling *s, float x)
{
    const float v = x * s->inverse;
    const int32_t least = r == SYMMETRIC ? -127 : -128;
    float q = r == XNNPACK      ? rintf(v) + (float)s->zero
              : r == ASYMMETRIC ? roundf((float)s->zero + v)
                                : roundf(v);
    q = q > (float)least ? q : (float)least;
    return (int32_t)(q < 127 ? q : 127);
}

/* ---- running ------------------------------------------------------------------------------------------ */

typedef struct job {
    const prepared *p;
    const float *x;
    int64_t size; /* of a picture */
    uint8_t *bytes;
    int16_t *differences;
    scaling *scalings;
    float *y;
    int64_t pixels; /* of an output picture */
    int64_t image;  /* the first of a run */
} job;

static void round_pictures(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const range r = j->p->how;
    (void)thread;
    for (int64_t n = begin; n < end; n++) {
        const float *x = j->x + n * j->size;
        scaling s = scaling_of(r, x, j->size);
        for (int64_t i = 0; i < j->size; i++) {
            const int32_t q = integer_of(r, &s, x[i]);
            if (j->bytes)
                j->bytes[n * j->size + i] = (uint8_t)(q + 128);
            else
                j->differences[n * j->size + i] = (int16_t)(q - s.zero);
        }
        j->scalings[n] = s;
    }
}

static void finish(const void *context, const void *sums, const int64_t *at, int64_t first,
                   int channels)
{
    const job *j = context;
    const prepared *p = j->p;
    const int32_t *row = sums;
    for (int i = 0; i < UC_DOT_PIXELS; i++, row += UC_DOT_CHANNELS) {
        if (at[i] < 0) continue;
        const scaling *s = &j->scalings[j->image + at[i] / j->pixels];
        float *y = j->y + (j->image * j->pixels + at[i]) * p->layer.oc + first;
        for (int c = 0; c < channels; c++) {
            const int32_t sum = row[c] - (s->zero + 128) * p->weight_sums[first + c];
            y[c] = (float)sum * (s->factor * p->layer.scale[first + c]) + p->bias[first + c];
        }
    }
}

static uncork_status run_dot(uc_call *call, job *j, const uc_tensor *x, const uc_tensor *y)
{
    const uc_q_layer *l = &j->p->layer;
    const int64_t *pad = l->window.pad;
    const bool padded = pad[0] || pad[1] || pad[2] || pad[3];
    const int64_t n = x->shape[0], at_once = padded ? 1 : n;
    for (j->image = 0; j->image < n; j->image += at_once) {
        const uc_dot_conv conv = {.kind = UC_DOT_U8S8,
                                  .size = 1,
                                  .n = at_once,
                                  .ih = x->shape[1],
                                  .iw = x->shape[2],
                                  .ic = l->ic,
                                  .oh = y->shape[1],
                                  .ow = y->shape[2],
                                  .oc = l->oc,
                                  .window = l->window,
                                  .x = j->bytes + j->image * j->size,
                                  .packed = j->p->packed,
                                  .fill = (uint8_t)(j->scalings[j->image].zero + 128),
                                  .finish = finish,
                                  .context = j};
        UC_TRY(uc_dot_conv_run(call, &conv));
    }
    return UNCORK_OK;
}

static void scale_back(const job *j, int64_t n)
{
    const int64_t oc = j->p->layer.oc;
    for (int64_t i = 0; i < n * j->pixels; i++) {
        const float factor = j->scalings[i / j->pixels].factor;
        for (int64_t c = 0; c < oc; c++)
            j->y[i * oc + c] = j->y[i * oc + c] * factor + j->p->bias[c];
    }
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    const size_t count = (size_t)uc_tensor_count(x), n = (size_t)x->shape[0];
    job j = {.p = call->prepared, .x = x->data, .y = y->data};
    if (count == 0 || uc_tensor_count(y) == 0) return UNCORK_OK;
    j.size = (int64_t)(count / n);
    j.pixels = y->shape[1] * y->shape[2];
    j.scalings = uc_call_scratch(call, n, sizeof *j.scalings);
    if (j.p->dot)
        j.bytes = uc_call_scratch(call, count + UC_DOT_SLACK, 1);
    else
        j.differences = uc_call_scratch(call, count, sizeof *j.differences);
    if (!j.scalings || (!j.bytes && !j.differences)) return call->error->status;
    uc_parallel(call->pool, (int64_t)n, 1 + 65536 / (j.size + 1), round_pictures, &j);
    if (j.p->dot) return run_dot(call, &j, x, y);
    uc_tensor differences = *x;
    differences.data = j.differences;
    UC_TRY(uc_q_layer_run(call, &j.p->layer, &differences, y));
    scale_back(&j, (int64_t)n);
    return UNCORK_OK;
}

const uc_op uc_op_q_hybrid = {
    .domain = "uncork",
    .name = "QHybrid",
    .in = {3, 4},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .macs = uc_window_macs,
};
