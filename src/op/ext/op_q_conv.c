/* QConv: a quantised convolution over channels-last pixels; passes and importers emit it.
 *
 * y = saturate(round((sum of (x - x_zero) (w - w_zero) + b) * scale) + zero), then, with a residual r,
 * y = saturate(round((y - zero) * q_scale + (r - r_zero) * r_scale) + y_zero). Without `zero` the scaled
 * sums stay float32.
 * x      u8 [N, H, W, IC]; or s16
 * w      s8 [OC, IC / group, KH, KW], constant
 * scale  f32 [OC], constant: x's scale times w's by y's; by nothing for float32; w's with x_scale
 * b      i32 [OC], constant, optional; i64 with x of 16 bits
 * r      u8, shape of y, optional
 * y      x's type or f32 [N, OH, OW, OC]
 * attributes: group, strides, pads, dilations, x_zero, w_zero; zero, low, high; q_scale, r_scale, r_zero,
 * y_zero, y_low, y_high with r; floats (1: y is float32); x_scale, y_scale: scales not yet in `scale`;
 * rounding: "float" is that of ONNX Runtime (mlas/lib/quantize_linear.cpp) and XNNPACK (its fp32
 * requantisation), "once", "twice", "up" and
 * "blocks" are  * TensorFlow Lite's fixed point (kernel/fixed_point.h); float_product (1: the scales' product is rounded
 * to float32 first); long_sums (1: of 64 bits) */
#include "base/thread.h"
#include "kernel/depthwise_u8.h"
#include "op/ext/q_conv.h"

#include <inttypes.h>
#include <math.h>

enum { X, W, SCALE, B, R };

typedef enum way { DOT, DEPTHWISE, ANY } way;

typedef struct prepared {
    uc_q_layer layer;
    way way;
    uc_requant_fn finish;
    uc_requant requant; /* without pointers to inputs and outputs */
    const uint8_t *packed;
    uc_depthwise_u8_fn depthwise_row;
    uc_depthwise_u8 kernel; /* without sizes and pointers to inputs */
} prepared;

static uncork_status read_within(uc_call *call, const char *name, int64_t otherwise, int64_t low,
                                 int64_t high, int32_t *to)
{
    const int64_t v = uc_call_int(call, name, otherwise);
    if (v < low || v > high)
        return uc_call_fail(call, UNCORK_INPUT,
                            "%s is %" PRId64 ", it can be %" PRId64 " to %" PRId64, name, v, low,
                            high);
    *to = (int32_t)v;
    return UNCORK_OK;
}

static uncork_status read_byte(uc_call *call, const char *name, int64_t otherwise, int32_t *to)
{
    return read_within(call, name, otherwise, 0, 255, to);
}

static uncork_status read_requant(uc_call *call, uc_requant *q)
{
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

static uncork_status read_numbers(uc_call *call, uc_q_layer *l)
{
    const int64_t low = l->wide ? INT16_MIN : 0, high = l->wide ? INT16_MAX : 255;
    UC_TRY(read_within(call, "x_zero", 0, l->wide ? 0 : low, l->wide ? 0 : high, &l->x_zero));
    UC_TRY(read_within(call, "w_zero", 0, -128, 127, &l->w_zero));
    UC_TRY(read_within(call, "zero", 0, low, high, &l->zero));
    UC_TRY(read_within(call, "low", low, low, high, &l->low));
    UC_TRY(read_within(call, "high", high, low, high, &l->high));
    return uc_q_rounding_read(call, &l->rounding);
}

/* The layer as far as constants and attributes say. */
static uncork_status read_layer(uc_call *call, uc_q_layer *l)
{
    const uc_tensor *w = uc_call_arg(call, W), *scale = uc_call_arg(call, SCALE);
    const uc_tensor *b = uc_call_in(call, B), *x = uc_call_arg(call, X);
    if (w->dtype != UNCORK_INT8 || w->rank != 4 || !uc_call_known(call, W) || w->shape[0] < 1 ||
        w->shape[1] < 1) {
        return uc_call_fail(call, UNCORK_INPUT, "w isn't a constant int8 [oc, ic, kh, kw]");
    }
    l->oc = w->shape[0];
    l->group = uc_call_int(call, "group", 1);
    if (l->group < 1 || l->group > l->oc || l->oc % l->group)
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " groups of %" PRId64 " channels",
                            l->group, l->oc);
    l->ic = l->group * w->shape[1];
    l->wide = x->dtype == UNCORK_INT16;
    l->long_bias = (b && b->dtype == UNCORK_INT64) || uc_call_int(call, "long_sums", 0);
    const bool bias =
        !b ||
        ((is_vector(b, UNCORK_INT32, l->oc) || (l->wide && is_vector(b, UNCORK_INT64, l->oc))) &&
         uc_call_known(call, B));
    if (!is_vector(scale, UNCORK_FLOAT32, l->oc) || !uc_call_known(call, SCALE) || !bias) {
        return uc_call_fail(call, UNCORK_INPUT, "scale or b isn't a constant [%" PRId64 "]", l->oc);
    }
    l->window.kernel[0] = w->shape[2];
    l->window.kernel[1] = w->shape[3];
    UC_TRY(uc_window_read(call, &l->window));
    size_t n = 0;
    const int64_t *size = uc_call_ints(call, "output_size", &n);
    l->transposed = n != 0;
    if (n && (n != 2 || size[0] < 1 || size[1] < 1))
        return uc_call_fail(call, UNCORK_INPUT, "output_size isn't a height and a width");
    if (n) {
        l->oh = size[0];
        l->ow = size[1];
    }
    return read_numbers(call, l);
}

/* Weights with a zero point are sums of two bytes' values where the machine multiplies bytes fast, except
 * those of 127 with a zero point of -128. */
static bool splits(uc_call *call, const uc_q_layer *l)
{
    const uc_tensor *w = uc_call_arg(call, W);
    const int8_t *v = w->data;
    if (uc_depthwise_u8_row() == uc_depthwise_u8_scalar) return false;
    for (int64_t i = 0; l->w_zero == -128 && i < uc_tensor_count(w); i++) {
        if (v[i] == 127) return false;
    }
    return true;
}

/* Fast ways are for bytes, convolutions, and one group or one a channel. */
static uncork_status choose(uc_call *call, const uc_q_layer *l, way *to)
{
    const bool residual = uc_call_in(call, R) != NULL, floats = uc_call_int(call, "floats", 0) != 0;
    *to = ANY;
    if (!l->wide && !l->transposed && l->group == 1) *to = DOT;
    if (!l->wide && !l->transposed && l->group > 1 && l->group == l->oc && l->ic == l->oc &&
        l->rounding == UC_Q_FLOAT && !residual && !floats &&
        l->window.kernel[0] <= UC_DEPTHWISE_MOST_ROWS && (!l->w_zero || splits(call, l))) {
        *to = DEPTHWISE;
    }
    if (residual && (*to != DOT || l->rounding || l->w_zero))
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "a residual beside groups or fixed point");
    return UNCORK_OK;
}

static uncork_status size_of(uc_call *call, const uc_q_layer *l, const uc_tensor *x, int64_t *shape)
{
    for (int d = 0; d < 2 && !l->transposed; d++)
        UC_TRY(uc_window_count(call, &l->window, d, x->shape[1 + d], false, &shape[1 + d]));
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    uc_q_layer l = {0};
    way chosen;
    UC_TRY(read_layer(call, &l));
    UC_TRY(choose(call, &l, &chosen));
    const bool floats = uc_call_int(call, "floats", 0) != 0;
    int64_t shape[4] = {-1, -1, -1, l.oc};
    if (l.transposed) {
        shape[1] = l.oh;
        shape[2] = l.ow;
    }
    if (x->rank >= 0) {
        if ((x->dtype != UNCORK_UINT8 && x->dtype != UNCORK_INT16) || x->rank != 4 ||
            (x->shape[3] >= 0 && x->shape[3] != l.ic)) {
            return uc_call_fail(call, UNCORK_INPUT, "x isn't uint8 or int16 [n, h, w, %" PRId64 "]",
                                l.ic);
        }
        shape[0] = x->shape[0];
        UC_TRY(size_of(call, &l, x, shape));
    }
    if (r && r->rank >= 0) {
        bool same = r->rank == 4 && r->dtype == UNCORK_UINT8 && !floats;
        for (int d = 0; d < 4 && same; d++)
            same = r->shape[d] < 0 || shape[d] < 0 || r->shape[d] == shape[d];
        if (!same) return uc_call_fail(call, UNCORK_INPUT, "r isn't uint8 in the shape of y");
    }
    return uc_call_shape(call, 0,
                         floats   ? UNCORK_FLOAT32
                         : l.wide ? UNCORK_INT16
                                  : UNCORK_UINT8,
                         4, shape);
}

/* bias - x_zero times the sum of a channel's weights, since the kernel multiplies x as it is. */
static void fold_zero(const uc_q_layer *l, const int8_t *w, int32_t w_zero, const int32_t *bias,
                      int64_t count, int32_t *to)
{
    for (int64_t c = 0; c < l->oc; c++) {
        uint32_t sum = 0;
        for (int64_t i = 0; i < count; i++)
            sum += (uint32_t)(w[c * count + i] - w_zero);
        to[c] = (int32_t)((bias ? (uint32_t)bias[c] : 0) - (uint32_t)l->x_zero * sum);
    }
}

/* Packed weights less their zero point: halves, and what is left of them. */
static uncork_status pack_depthwise(uc_call *call, const uc_q_layer *l, int64_t c, prepared *p)
{
    const int64_t kh = l->window.kernel[0], kw = l->window.kernel[1], taps = kh * kw;
    const size_t bytes = (size_t)uc_depthwise_u8_packed(c, kh, kw);
    int8_t *packed = UC_NEW(call->arena, int8_t, bytes), *second = NULL;
    int8_t *one = UC_NEW(call->arena, int8_t, (size_t)(c * taps));
    int8_t *other = UC_NEW(call->arena, int8_t, (size_t)(c * taps));
    if (l->w_zero) second = UC_NEW(call->arena, int8_t, bytes);
    if (!packed || !one || !other || (l->w_zero && !second))
        return uc_arena_status(call->arena, call->error);
    const int8_t *w = uc_call_arg(call, W)->data;
    for (int64_t i = 0; i < c * taps; i++) {
        const int v = w[i % (l->oc * taps)] - l->w_zero;
        const int half = v >= 0 ? v / 2 : (v - 1) / 2;
        one[i] = (int8_t)(l->w_zero ? half : v);
        other[i] = (int8_t)(l->w_zero ? v - half : 0);
    }
    uc_depthwise_u8_pack(one, c, kh, kw, packed);
    if (second) uc_depthwise_u8_pack(other, c, kh, kw, second);
    p->kernel.packed = packed;
    p->kernel.second = second;
    return UNCORK_OK;
}

/* Weights, bias and scales in the order of the depthwise kernel; few channels are repeated. */
static uncork_status prepare_depthwise(uc_call *call, prepared *p)
{
    const uc_q_layer *l = &p->layer;
    const bool narrow =
        uc_depthwise_u8_row() != uc_depthwise_u8_scalar && uc_depthwise_u8_is_narrow(l->oc);
    const int64_t c = narrow ? UC_DEPTHWISE_CHANNELS : l->oc;
    const size_t padded = (size_t)uc_depthwise_u8_padded(c);
    int32_t *bias = UC_NEW(call->arena, int32_t, padded);
    float *scale = UC_NEW(call->arena, float, padded);
    uint8_t *fill = UC_NEW(call->arena, uint8_t, padded);
    if (!bias || !scale || !fill) return uc_arena_status(call->arena, call->error);
    memset(fill, l->x_zero, padded);
    for (int64_t i = 0; i < c; i++) {
        bias[uc_depthwise_u8_order(i)] = p->requant.bias[i % l->oc];
        scale[uc_depthwise_u8_order(i)] = p->requant.scale[i % l->oc];
    }
    p->depthwise_row = uc_depthwise_u8_row();
    p->kernel = (uc_depthwise_u8){.c = l->oc,
                                  .kh = l->window.kernel[0],
                                  .kw = l->window.kernel[1],
                                  .stride_h = l->window.stride[0],
                                  .stride_w = l->window.stride[1],
                                  .dilation_h = l->window.dilation[0],
                                  .dilation_w = l->window.dilation[1],
                                  .pad_top = l->window.pad[0],
                                  .pad_left = l->window.pad[1],
                                  .fill = fill,
                                  .bias = bias,
                                  .scale = scale,
                                  .zero = p->requant.zero,
                                  .low = p->requant.low,
                                  .high = p->requant.high,
                                  .small = p->requant.small,
                                  .narrow = narrow};
    return pack_depthwise(call, l, c, p);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *w = uc_call_arg(call, W), *b = uc_call_in(call, B);
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    uc_q_layer *l = &p->layer;
    UC_TRY(read_layer(call, l));
    UC_TRY(choose(call, l, &p->way));
    UC_TRY(read_requant(call, &p->requant));
    UC_TRY(uc_q_layer_scales(call, l, uc_call_arg(call, SCALE)));
    call->prepared = p;
    if (p->way == ANY) return uc_q_layer_weights(call, l, w, b);
    int32_t *bias = UC_NEW(call->arena, int32_t, (size_t)(l->oc + UC_DOT_CHANNELS));
    if (!bias) return uc_arena_status(call->arena, call->error);
    fold_zero(l, w->data, p->way == DEPTHWISE ? l->w_zero : 0, b ? b->data : NULL,
              w->shape[1] * w->shape[2] * w->shape[3], bias);
    uc_requant *q = &p->requant;
    q->small = fabsf(q->q_scale) < 0x1p20f && fabsf(q->r_scale) < 0x1p20f;
    for (int64_t c = 0; c < l->oc; c++)
        q->small = q->small && fabsf(l->scale[c]) < 0.5f;
    q->zero = l->zero;
    q->low = l->low;
    q->high = l->high;
    q->bias = bias;
    q->scale = l->scale;
    q->oc = l->oc;
    p->finish = uc_requant_row();
    if (p->way == DEPTHWISE) return prepare_depthwise(call, p);
    return uc_dot_conv_pack(call, w->data, l->oc, l->ic, &l->window, 1, &p->packed);
}

typedef struct finishing {
    uc_requant_fn run;
    uc_requant requant;
    const uc_q_layer *layer;
} finishing;

static void finish(const void *context, const void *sums, const int64_t *at, int64_t first,
                   int channels)
{
    const finishing *f = context;
    f->run(&f->requant, sums, at, first, channels);
}

/* Rounded in fixed point. */
static void finish_fixed(const void *context, const void *sums, const int64_t *at, int64_t first,
                         int channels)
{
    const finishing *f = context;
    const uc_requant *q = &f->requant;
    const int32_t *row = sums;
    for (int p = 0; p < UC_DOT_PIXELS; p++, row += UC_DOT_CHANNELS) {
        if (at[p] < 0) continue;
        const uint32_t shift = q->shifts ? (uint32_t)q->shifts[at[p]] : 0;
        for (int c = 0; c < channels; c++) {
            const int32_t sum = (int32_t)((uint32_t)row[c] + (uint32_t)q->bias[first + c] - shift);
            const int64_t to = at[p] * q->oc + first + c;
            if (q->y)
                q->y[to] = (uint8_t)uc_q_scaled(f->layer, sum, first + c);
            else
                q->floats[to] = (float)sum * q->scale[first + c];
        }
    }
}

typedef struct depthwise_job {
    const prepared *p;
    const uc_tensor *x;
    uc_tensor *y;
    uint8_t *stage; /* of narrow ones: so many bytes a thread */
    int64_t stage_bytes;
} depthwise_job;

static uc_depthwise_u8 sized(const prepared *p, const uc_tensor *x, const uc_tensor *y)
{
    uc_depthwise_u8 d = p->kernel;
    d.ih = x->shape[1];
    d.iw = x->shape[2];
    d.ow = y->shape[2];
    return d;
}

static void run_depthwise(void *context, int64_t begin, int64_t end, int thread)
{
    const depthwise_job *job = context;
    const int64_t oh = job->y->shape[1];
    uc_depthwise_u8 d = sized(job->p, job->x, job->y);
    d.stage = job->stage + thread * job->stage_bytes;
    for (int64_t row = begin; row < end; row++) {
        d.x = (const uint8_t *)job->x->data + row / oh * d.ih * d.iw * d.c;
        job->p->depthwise_row(&d, row % oh, (uint8_t *)job->y->data + row * d.ow * d.c);
    }
}

static uncork_status run_each_channel(uc_call *call, const prepared *p, const uc_tensor *x,
                                      uc_tensor *y)
{
    depthwise_job job = {.p = p, .x = x, .y = y};
    if (p->kernel.narrow) {
        const uc_depthwise_u8 d = sized(p, x, y);
        job.stage_bytes = uc_depthwise_u8_stage(&d);
    }
    job.stage =
        uc_call_scratch(call, (size_t)uc_pool_threads(call->pool), (size_t)job.stage_bytes + 1);
    if (!job.stage) return call->error->status;
    const int64_t row = y->shape[2] * p->layer.oc;
    uc_parallel(call->pool, y->shape[0] * y->shape[1], 1 + 16384 / (row + 1), run_depthwise, &job);
    return UNCORK_OK;
}

static uncork_status run_dot(uc_call *call, const uc_tensor *x, uc_tensor *y)
{
    const prepared *p = call->prepared;
    const uc_q_layer *l = &p->layer;
    const uc_tensor *r = uc_call_in(call, R);
    finishing f = {p->finish, p->requant, l};
    if (y->dtype == UNCORK_FLOAT32) {
        f.requant.floats = y->data;
    } else {
        f.requant.y = y->data;
    }
    f.requant.r = r ? r->data : NULL;
    if (l->w_zero && !(f.requant.shifts = uc_q_layer_shifts(call, l, x, y)))
        return call->error->status;
    uc_dot_conv conv = {.kind = UC_DOT_U8S8,
                        .size = 1,
                        .n = x->shape[0],
                        .ih = x->shape[1],
                        .iw = x->shape[2],
                        .ic = l->ic,
                        .oh = y->shape[1],
                        .ow = y->shape[2],
                        .oc = l->oc,
                        .window = l->window,
                        .x = x->data,
                        .packed = p->packed,
                        .fill = (uint8_t)l->x_zero,
                        .finish = l->rounding ? finish_fixed : finish,
                        .context = &f};
    return uc_dot_conv_run(call, &conv);
}

static uncork_status run(uc_call *call)
{
    const prepared *p = call->prepared;
    const uc_tensor *x = uc_call_arg(call, X);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return call->error->status;
    if (p->way == DOT) return run_dot(call, x, y);
    if (p->way == ANY) return uc_q_layer_run(call, &p->layer, x, y);
    return run_each_channel(call, p, x, y);
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
