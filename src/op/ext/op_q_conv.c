/* QConv: a quantised convolution over channels-last pixels; passes emit it.
 *
 * y = saturate(round((sum of (x - x_zero) w + b) * scale) + zero), then, with a residual r,
 * y = saturate(round((y - zero) * q_scale + (r - r_zero) * r_scale) + y_zero). The rounding is ONNX
 * Runtime's (mlas/lib/quantize_linear.cpp); without `zero` the scaled sums stay float32.
 * x      u8 [N, H, W, IC]
 * w      s8 [OC, IC / group, KH, KW], constant; its zero point is 0
 * scale  f32 [OC], constant: x's scale times w's by y's; by nothing for float32
 * b      i32 [OC], constant, optional
 * r      u8, shape of y, optional
 * y      u8 or f32 [N, OH, OW, OC]
 * attributes: group (1, or IC = OC), strides, pads, dilations, x_zero; zero, low, high; q_scale,
 * r_scale, r_zero, y_zero, y_low, y_high with r; floats (1: y is float32) */
#include "base/thread.h"
#include "kernel/depthwise_u8.h"
#include "kernel/requantize_tile.h"
#include "op/ext/dot_conv.h"

#include <inttypes.h>
#include <math.h>

enum { X, W, SCALE, B, R };

typedef struct prepared {
    uc_window window;
    bool depthwise;
    int64_t ic, oc;
    int32_t x_zero;
    uc_requant_fn finish;
    uc_requant requant; /* without pointers to inputs and outputs */
    const uint8_t *packed;
    uc_depthwise_u8_fn depthwise_row;
    uc_depthwise_u8 kernel; /* without sizes and pointers to inputs */
} prepared;

static uncork_status read_byte(uc_call *call, const char *name, int64_t otherwise, int32_t *to)
{
    const int64_t v = uc_call_int(call, name, otherwise);
    if (v < 0 || v > 255)
        return uc_call_fail(call, UNCORK_INPUT, "%s is %" PRId64 ", it can be 0 to 255", name, v);
    *to = (int32_t)v;
    return UNCORK_OK;
}

static uncork_status read_requant(uc_call *call, uc_requant *q)
{
    UC_TRY(read_byte(call, "zero", 0, &q->zero));
    UC_TRY(read_byte(call, "low", 0, &q->low));
    UC_TRY(read_byte(call, "high", 255, &q->high));
    UC_TRY(read_byte(call, "r_zero", 0, &q->r_zero));
    UC_TRY(read_byte(call, "y_zero", 0, &q->y_zero));
    UC_TRY(read_byte(call, "y_low", 0, &q->y_low));
    UC_TRY(read_byte(call, "y_high", 255, &q->y_high));
    q->q_scale = (float)uc_call_float(call, "q_scale", 1);
    q->r_scale = (float)uc_call_float(call, "r_scale", 1);
    return UNCORK_OK;
}

static bool is_vector(const uc_tensor *t, uncork_dtype dtype, int64_t n)
{
    return t->dtype == dtype && t->rank == 1 && t->shape[0] == n;
}

/* The layer as far as constants and attributes say. */
static uncork_status read_layer(uc_call *call, prepared *p)
{
    const uc_tensor *w = uc_call_arg(call, W), *scale = uc_call_arg(call, SCALE);
    const uc_tensor *b = uc_call_in(call, B);
    const int64_t group = uc_call_int(call, "group", 1);
    if (w->dtype != UNCORK_INT8 || w->rank != 4 || !uc_call_known(call, W) || w->shape[0] < 1 ||
        w->shape[1] < 1) {
        return uc_call_fail(call, UNCORK_INPUT, "w isn't a constant int8 [oc, ic, kh, kw]");
    }
    p->oc = w->shape[0];
    p->depthwise = group > 1;
    p->ic = p->depthwise ? group : w->shape[1];
    if (p->depthwise && (w->shape[1] != 1 || group != p->oc)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "%" PRId64 " groups: only 1 or one a channel",
                            group);
    }
    const bool plain = !uc_call_in(call, R) && !uc_call_int(call, "floats", 0);
    if (p->depthwise && (!plain || w->shape[2] > UC_DEPTHWISE_MOST_ROWS)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED,
                            "a depthwise kernel of %" PRId64 " rows, with a residual or float32",
                            w->shape[2]);
    }
    if (!is_vector(scale, UNCORK_FLOAT32, p->oc) || !uc_call_known(call, SCALE) ||
        (b && (!is_vector(b, UNCORK_INT32, p->oc) || !uc_call_known(call, B)))) {
        return uc_call_fail(call, UNCORK_INPUT, "scale or b isn't a constant [%" PRId64 "]", p->oc);
    }
    p->window.kernel[0] = w->shape[2];
    p->window.kernel[1] = w->shape[3];
    UC_TRY(uc_window_read(call, &p->window));
    UC_TRY(read_byte(call, "x_zero", 0, &p->x_zero));
    return read_requant(call, &p->requant);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    prepared p = {0};
    UC_TRY(read_layer(call, &p));
    const bool floats = uc_call_int(call, "floats", 0) != 0;
    int64_t shape[4] = {-1, -1, -1, p.oc};
    if (x->rank >= 0) {
        if (x->dtype != UNCORK_UINT8 || x->rank != 4 || (x->shape[3] >= 0 && x->shape[3] != p.ic)) {
            return uc_call_fail(call, UNCORK_INPUT, "x isn't uint8 [n, h, w, %" PRId64 "]", p.ic);
        }
        shape[0] = x->shape[0];
        for (int d = 0; d < 2; d++)
            UC_TRY(uc_window_count(call, &p.window, d, x->shape[1 + d], false, &shape[1 + d]));
    }
    if (r && r->rank >= 0) {
        bool same = r->rank == 4 && r->dtype == UNCORK_UINT8 && !floats;
        for (int d = 0; d < 4 && same; d++)
            same = r->shape[d] < 0 || shape[d] < 0 || r->shape[d] == shape[d];
        if (!same) return uc_call_fail(call, UNCORK_INPUT, "r isn't uint8 in the shape of y");
    }
    return uc_call_shape(call, 0, floats ? UNCORK_FLOAT32 : UNCORK_UINT8, 4, shape);
}

/* bias - x_zero times the sum of a channel's weights, since the kernel multiplies x as it is. */
static void fold_zero(const prepared *p, const int8_t *w, const int32_t *bias, int64_t count,
                      int32_t *to)
{
    for (int64_t c = 0; c < p->oc; c++) {
        uint32_t sum = 0;
        for (int64_t i = 0; i < count; i++)
            sum += (uint32_t)w[c * count + i];
        to[c] = (int32_t)((bias ? (uint32_t)bias[c] : 0) - (uint32_t)p->x_zero * sum);
    }
}

/* Weights, bias and scales in the order of the depthwise kernel. */
static uncork_status prepare_depthwise(uc_call *call, prepared *p)
{
    const int64_t kh = p->window.kernel[0], kw = p->window.kernel[1];
    const size_t padded = (size_t)uc_depthwise_u8_padded(p->oc);
    int8_t *packed = UC_NEW(call->arena, int8_t, (size_t)uc_depthwise_u8_packed(p->oc, kh, kw));
    int32_t *bias = UC_NEW(call->arena, int32_t, padded);
    float *scale = UC_NEW(call->arena, float, padded);
    uint8_t *fill = UC_NEW(call->arena, uint8_t, padded);
    if (!packed || !bias || !scale || !fill) return uc_arena_status(call->arena, call->error);
    uc_depthwise_u8_pack(uc_call_arg(call, W)->data, p->oc, kh, kw, packed);
    memset(fill, p->x_zero, padded);
    for (int64_t c = 0; c < p->oc; c++) {
        bias[uc_depthwise_u8_order(c)] = p->requant.bias[c];
        scale[uc_depthwise_u8_order(c)] = p->requant.scale[c];
    }
    p->depthwise_row = uc_depthwise_u8_row();
    p->kernel = (uc_depthwise_u8){.c = p->oc,
                                  .kh = kh,
                                  .kw = kw,
                                  .stride_h = p->window.stride[0],
                                  .stride_w = p->window.stride[1],
                                  .dilation_h = p->window.dilation[0],
                                  .dilation_w = p->window.dilation[1],
                                  .pad_top = p->window.pad[0],
                                  .pad_left = p->window.pad[1],
                                  .fill = fill,
                                  .packed = packed,
                                  .bias = bias,
                                  .scale = scale,
                                  .zero = p->requant.zero,
                                  .low = p->requant.low,
                                  .high = p->requant.high,
                                  .small = p->requant.small};
    return UNCORK_OK;
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *w = uc_call_arg(call, W), *b = uc_call_in(call, B);
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    UC_TRY(read_layer(call, p));
    const size_t padded = (size_t)(p->oc + UC_DOT_CHANNELS);
    int32_t *bias = UC_NEW(call->arena, int32_t, padded);
    float *scale = UC_NEW(call->arena, float, padded);
    if (!bias || !scale) return uc_arena_status(call->arena, call->error);
    fold_zero(p, w->data, b ? b->data : NULL, w->shape[1] * w->shape[2] * w->shape[3], bias);
    memcpy(scale, uc_call_arg(call, SCALE)->data, (size_t)p->oc * sizeof *scale);
    p->requant.small = fabsf(p->requant.q_scale) < 0x1p20f && fabsf(p->requant.r_scale) < 0x1p20f;
    for (int64_t c = 0; c < p->oc; c++)
        p->requant.small = p->requant.small && fabsf(scale[c]) < 0.5f;
    p->requant.bias = bias;
    p->requant.scale = scale;
    p->requant.oc = p->oc;
    p->finish = uc_requant_row();
    call->prepared = p;
    if (p->depthwise) return prepare_depthwise(call, p);
    return uc_dot_conv_pack(call, w->data, p->oc, p->ic, &p->window, 1, &p->packed);
}

typedef struct finishing {
    uc_requant_fn run;
    uc_requant requant;
} finishing;

static void finish(const void *context, const void *sums, const int64_t *at, int64_t first,
                   int channels)
{
    const finishing *f = context;
    f->run(&f->requant, sums, at, first, channels);
}

typedef struct depthwise_job {
    const prepared *p;
    const uc_tensor *x;
    uc_tensor *y;
} depthwise_job;

static void run_depthwise(void *context, int64_t begin, int64_t end, int thread)
{
    const depthwise_job *job = context;
    const int64_t oh = job->y->shape[1];
    (void)thread;
    uc_depthwise_u8 d = job->p->kernel;
    d.ih = job->x->shape[1];
    d.iw = job->x->shape[2];
    d.ow = job->y->shape[2];
    for (int64_t row = begin; row < end; row++) {
        d.x = (const uint8_t *)job->x->data + row / oh * d.ih * d.iw * d.c;
        job->p->depthwise_row(&d, row % oh, (uint8_t *)job->y->data + row * d.ow * d.c);
    }
}

static uncork_status run(uc_call *call)
{
    const prepared *p = call->prepared;
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    if (p->depthwise) {
        depthwise_job job = {p, x, y};
        const int64_t row = y->shape[2] * p->oc;
        uc_parallel(call->pool, y->shape[0] * y->shape[1], 1 + 16384 / (row + 1), run_depthwise,
                    &job);
        return UNCORK_OK;
    }
    finishing f = {p->finish, p->requant};
    if (y->dtype == UNCORK_FLOAT32) {
        f.requant.floats = y->data;
    } else {
        f.requant.y = y->data;
    }
    f.requant.r = r ? r->data : NULL;
    uc_dot_conv conv = {.kind = UC_DOT_U8S8,
                        .size = 1,
                        .n = x->shape[0],
                        .ih = x->shape[1],
                        .iw = x->shape[2],
                        .ic = p->ic,
                        .oh = y->shape[1],
                        .ow = y->shape[2],
                        .oc = p->oc,
                        .window = p->window,
                        .x = x->data,
                        .packed = p->packed,
                        .fill = (uint8_t)p->x_zero,
                        .finish = finish,
                        .context = &f};
    return uc_dot_conv_run(call, &conv);
}

const uc_op uc_op_q_conv = {
    .domain = "uncork",
    .name = "QConv",
    .in = {3, 5},
    .out = {1, 1},
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .macs = uc_window_macs,
    .stoppable = true,
};
