/* HalfConv: y = activation(convolution(x, w) + b + r) in bfloat16, channels last; passes emit it under
 * --precision fast.
 *
 * Source of the convolution: ONNX Conv, opset 22; of the activations: their ONNX operators.
 * x  bf16 [N, H, W, IC], or f32 [N, IC <= 4, H, W] with plain_input
 * w  f32 [OC, IC/group, KH, KW], constant
 * b  f32 [OC], constant, optional
 * r  bf16, shape of y, optional
 * y  bf16 [N, OH, OW, OC]
 * attributes: group (1, or IC = OC), plain_input, strides, pads, dilations, activation, alpha, beta
 * Numerics: x and w are rounded to bfloat16 (w stays float32 when depthwise), sums, bias, residual and
 * activation are float32, y is rounded once. See kernel/half.h. */
#include "base/thread.h"
#include "op/ext/dot_conv.h"
#include "op/ext/half_ops.h"

#include <inttypes.h>

enum { X, W, B, R };

typedef struct prepared {
    const uc_half *kernels;
    uc_window window;
    uc_act act;
    bool depthwise, plain;
    int64_t ic, oc;
    const float *bias;
    const uint8_t *packed;
    const float *packed_depthwise;
} prepared;

static uncork_status check_group(uc_call *call, const prepared *p, int64_t group, int64_t depth)
{
    if (p->depthwise && (depth != 1 || group != p->oc || p->plain)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "%" PRId64 " groups: only 1 or one a channel",
                            group);
    }
    if (!p->plain || (p->ic <= UC_HALF_PIXEL)) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_UNSUPPORTED, "a plain input of %" PRId64 " channels", p->ic);
}

/* The layer as far as constants and attributes say. */
static uncork_status read_layer(uc_call *call, prepared *p)
{
    const uc_tensor *w = uc_call_arg(call, W), *b = uc_call_in(call, B);
    const int64_t group = uc_call_int(call, "group", 1);
    if (w->dtype != UNCORK_FLOAT32 || w->rank != 4 || !uc_call_known(call, W) || w->shape[0] < 1 ||
        w->shape[1] < 1) {
        return uc_call_fail(call, UNCORK_INPUT, "w isn't a float32 constant [oc, ic, kh, kw]");
    }
    p->oc = w->shape[0];
    p->depthwise = group > 1;
    p->plain = uc_call_int(call, "plain_input", 0) != 0;
    p->ic = p->depthwise ? group : w->shape[1];
    UC_TRY(check_group(call, p, group, w->shape[1]));
    if (b && (b->dtype != UNCORK_FLOAT32 || b->rank != 1 || b->shape[0] != p->oc ||
              !uc_call_known(call, B))) {
        return uc_call_fail(call, UNCORK_INPUT, "b isn't a float32 constant [%" PRId64 "]", p->oc);
    }
    p->window.kernel[0] = w->shape[2];
    p->window.kernel[1] = w->shape[3];
    UC_TRY(uc_window_read(call, &p->window));
    return uc_block_act(call, "activation", "alpha", "beta", &p->act);
}

static uncork_status check_input(uc_call *call, const prepared *p)
{
    const uc_tensor *x = uc_call_arg(call, X);
    if (!p->plain) return uc_half_expect(call, X, p->ic);
    const bool typed = x->dtype == UNCORK_FLOAT32 || x->dtype == UNCORK_DTYPE_NONE;
    const bool fits = x->rank < 0 || (x->rank == 4 && (x->shape[1] < 0 || x->shape[1] == p->ic));
    if (typed && fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "x isn't float32 [n, %" PRId64 ", h, w]", p->ic);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    prepared p = {0};
    UC_TRY(read_layer(call, &p));
    UC_TRY(check_input(call, &p));
    UC_TRY(uc_half_expect(call, R, p.oc));
    int64_t shape[4] = {-1, -1, -1, p.oc};
    if (x->rank == 4) {
        shape[0] = x->shape[0];
        for (int d = 0; d < 2; d++) {
            UC_TRY(uc_window_count(call, &p.window, d, x->shape[(p.plain ? 2 : 1) + d], false,
                                   &shape[1 + d]));
        }
    }
    for (int d = 0; r && r->rank == 4 && d < 3; d++) {
        if (r->shape[d] < 0 || shape[d] < 0 || r->shape[d] == shape[d]) continue;
        return uc_call_fail(call, UNCORK_INPUT, "r isn't in the shape of y");
    }
    return uc_call_shape(call, 0, UNCORK_BFLOAT16, 4, shape);
}

/* w as bfloat16, channel by channel as [taps][ic]; pixels of planes get 4 channels. */
static uncork_status pack(uc_call *call, prepared *p)
{
    const uc_tensor *w = uc_call_arg(call, W);
    const int64_t all = w->shape[2] * w->shape[3], ic = p->plain ? UC_HALF_PIXEL : p->ic;
    int64_t taps, run;
    uc_dot_conv_runs(&p->window, ic, sizeof(uint16_t), &taps, &run);
    /* No overflow: w is in memory, and padding makes of a run at most 64 times as much. */
    uint8_t *to = UC_NEW(call->arena, uint8_t, (size_t)uc_dot_packed_bytes(p->oc, taps, run) + 64);
    float *channel = UC_NEW(call->arena, float, (size_t)(all * ic));
    uint16_t *half = UC_NEW(call->arena, uint16_t, (size_t)(all * ic));
    if (!to || !channel || !half) return uc_arena_status(call->arena, call->error);
    to += (64 - (uintptr_t)to % 64) % 64;
    for (int64_t c = 0; c < p->oc; c++) {
        const float *from = (const float *)w->data + c * p->ic * all;
        for (int64_t i = 0; i < p->ic; i++) {
            for (int64_t t = 0; t < all; t++)
                channel[t * ic + i] = from[i * all + t];
        }
        p->kernels->round(channel, half, all * ic);
        uc_dot_pack((const uint8_t *)half, c, taps, run, to);
    }
    p->packed = to;
    return UNCORK_OK;
}

static uncork_status pack_depthwise(uc_call *call, prepared *p)
{
    const uc_tensor *w = uc_call_arg(call, W), *b = uc_call_in(call, B);
    const int64_t kh = w->shape[2], kw = w->shape[3];
    float *packed = UC_NEW(call->arena, float, (size_t)uc_half_packed_depthwise(p->oc, kh, kw));
    if (!packed) return uc_arena_status(call->arena, call->error);
    uc_half_pack_depthwise(w->data, b ? b->data : NULL, p->oc, kh * kw, packed);
    p->packed_depthwise = packed;
    return UNCORK_OK;
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *b = uc_call_in(call, B);
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    UC_TRY(uc_half_require(call, &p->kernels));
    UC_TRY(read_layer(call, p));
    call->prepared = p;
    if (p->depthwise) return pack_depthwise(call, p);
    float *bias = UC_NEW(call->arena, float, (size_t)p->oc + UC_DOT_CHANNELS);
    if (!bias) return uc_arena_status(call->arena, call->error);
    if (b) memcpy(bias, b->data, (size_t)p->oc * sizeof *bias);
    p->bias = bias;
    return pack(call, p);
}

/* ---- depthwise ---------------------------------------------------------------------------- */

typedef struct depthwise_job {
    const prepared *p;
    const uc_tensor *x;
    uc_tensor *y;
} depthwise_job;

static void depthwise_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const depthwise_job *job = context;
    const prepared *p = job->p;
    const uc_window *win = &p->window;
    const int64_t oh = job->y->shape[1];
    (void)thread;
    uc_half_depthwise d = {.ih = job->x->shape[1],
                           .iw = job->x->shape[2],
                           .c = p->oc,
                           .ow = job->y->shape[2],
                           .kh = win->kernel[0],
                           .kw = win->kernel[1],
                           .stride_h = win->stride[0],
                           .stride_w = win->stride[1],
                           .dilation_h = win->dilation[0],
                           .dilation_w = win->dilation[1],
                           .pad_top = win->pad[0],
                           .pad_left = win->pad[1],
                           .packed = p->packed_depthwise,
                           .act = p->act};
    for (int64_t row = begin; row < end; row++) {
        d.x = (const uint16_t *)job->x->data + row / oh * d.ih * d.iw * d.c;
        p->kernels->depthwise(&d, row % oh, (uint16_t *)job->y->data + row * d.ow * d.c);
    }
}

/* ---- pixels of planes --------------------------------------------------------------------- */

typedef struct pixels_job {
    const prepared *p;
    const uc_tensor *x;
    uint16_t *to;
} pixels_job;

static void pixels_of_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const pixels_job *job = context;
    const int64_t h = job->x->shape[2], w = job->x->shape[3], plane = h * w;
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        const float *from =
            (const float *)job->x->data + row / h * job->p->ic * plane + row % h * w;
        job->p->kernels->pixels(from, plane, (int)job->p->ic, job->to + row * w * UC_HALF_PIXEL, w);
    }
}

static uint16_t *pixels_of(uc_call *call, const prepared *p, const uc_tensor *x)
{
    const int64_t pixels = x->shape[0] * x->shape[2] * x->shape[3];
    uint16_t *to = uc_call_scratch(call, (size_t)pixels, UC_HALF_PIXEL * sizeof *to);
    if (!to) return NULL;
    pixels_job job = {p, x, to};
    uc_parallel(call->pool, x->shape[0] * x->shape[2], 1 + 8192 / (x->shape[3] + 1), pixels_of_rows,
                &job);
    return to;
}

/* ---- run ---------------------------------------------------------------------------------- */

static uncork_status run(uc_call *call)
{
    if (!call->prepared) UC_TRY(prepare(call)); /* folding constants: into the scratch arena */
    const prepared *p = call->prepared;
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    if (p->depthwise) {
        depthwise_job job = {p, x, y};
        const int64_t row = y->shape[2] * p->oc;
        uc_parallel(call->pool, y->shape[0] * y->shape[1], 1 + 4096 / (row + 1), depthwise_rows,
                    &job);
        return UNCORK_OK;
    }
    const uc_half_finishing f = {
        p->kernels,
        {.bias = p->bias, .act = p->act, .r = r ? r->data : NULL, .y = y->data, .oc = p->oc}};
    uc_dot_conv conv = {.kind = UC_DOT_BF16,
                        .size = sizeof(uint16_t),
                        .n = x->shape[0],
                        .ih = x->shape[p->plain ? 2 : 1],
                        .iw = x->shape[p->plain ? 3 : 2],
                        .ic = p->plain ? UC_HALF_PIXEL : p->ic,
                        .oh = y->shape[1],
                        .ow = y->shape[2],
                        .oc = p->oc,
                        .window = p->window,
                        .x = x->data,
                        .packed = p->packed,
                        .finish = uc_half_finish,
                        .context = &f};
    if (p->plain) {
        conv.x = (const uint8_t *)pixels_of(call, p, x);
        if (!conv.x) return uc_fail_memory(call->error);
    }
    return uc_dot_conv_run(call, &conv);
}

const uc_op uc_op_half_conv = {.domain = "uncork",
                               .name = "HalfConv",
                               .in = {2, 4},
                               .out = {1, 1},
                               .in_place = 1u << R,
                               .infer = infer,
                               .prepare = prepare,
                               .run = run,
                               .macs = uc_window_macs,
                               .stoppable = true};
