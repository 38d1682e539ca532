/* BlockInvertedResidual: a 1x1 convolution to many channels, a depthwise one, a 1x1 one back, over
 * channel-blocked tensors, so that the many channels need not pass through memory; passes emit it.
 *
 * Source: the block of MobileNetV2 (Sandler et al., 2018); each layer is ONNX Conv, opset 22.
 * x          f32 [N, ceil(IC/b), H, W, b]
 * wd, bd     f32 [MID, 1, KH, KW], [MID], constants
 * w1, b1     f32 [MID, IC, 1, 1], [MID], constants; without w1 MID is IC
 * w2, b2     f32 [OC, MID, 1, 1], [OC], constants; without w2 OC is MID
 * r          f32 shape of y, added before the last activation; only with w2
 * y          f32 [N, ceil(OC/b), OH, OW, b]
 * attributes: block, channels (IC), strides, pads and dilations of the depthwise layer, and of each layer
 * expand_, spatial_, project_ + activation, alpha, beta */
#include "kernel/conv_blocked.h"
#include "op/ext/block_pack.h"

#include <inttypes.h>

enum { X, WD, BD, W1, B1, W2, B2, R };

typedef struct prepared {
    const uc_conv_row *row;
    const float *expand, *spatial, *project;
} prepared;

/* A constant [oc, ic, kh, kw] and its bias, if any. */
static uncork_status check_weights(uc_call *call, size_t w, size_t b, int64_t ic, bool pointwise)
{
    const uc_tensor *t = uc_call_arg(call, w), *bias = uc_call_in(call, b);
    char text[192];
    bool fits = uc_call_known(call, w) && t->dtype == UNCORK_FLOAT32 && t->rank == 4 &&
                t->shape[0] > 0 && t->shape[1] == ic;
    if (fits && pointwise) fits = t->shape[2] == 1 && t->shape[3] == 1;
    if (!fits) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "input %zu is %s, not a float32 constant over %" PRId64 " channels%s",
                            w, uc_shape_text(t->shape, t->rank, text, sizeof text), ic,
                            pointwise ? " and one pixel" : "");
    }
    fits = !bias || (uc_call_known(call, b) && bias->dtype == UNCORK_FLOAT32 && bias->rank == 1 &&
                     bias->shape[0] == t->shape[0]);
    if (fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "input %zu isn't a float32 constant [%" PRId64 "]", b,
                        t->shape[0]);
}

static uc_conv pointwise(int64_t ic, int64_t oc, int64_t block)
{
    return (uc_conv){.ic = ic,
                     .oc = oc,
                     .kh = 1,
                     .kw = 1,
                     .stride_h = 1,
                     .stride_w = 1,
                     .dilation_h = 1,
                     .dilation_w = 1,
                     .block = block};
}

static uncork_status read_spatial(uc_call *call, uc_conv *s, uc_window *win)
{
    const uc_tensor *wd = uc_call_arg(call, WD);
    UC_TRY(check_weights(call, WD, BD, 1, false));
    if (wd->shape[0] != s->ic) {
        return uc_call_fail(call, UNCORK_INPUT, "wd is of %" PRId64 " channels, not %" PRId64,
                            wd->shape[0], s->ic);
    }
    win->kernel[0] = s->kh = wd->shape[2];
    win->kernel[1] = s->kw = wd->shape[3];
    UC_TRY(uc_window_read(call, win));
    s->stride_h = win->stride[0];
    s->stride_w = win->stride[1];
    s->dilation_h = win->dilation[0];
    s->dilation_w = win->dilation[1];
    s->pad_top = win->pad[0];
    s->pad_left = win->pad[1];
    s->depthwise = true;
    return UNCORK_OK;
}

/* The layers as far as attributes and weights say. */
static uncork_status read_chain(uc_call *call, uc_chain *c, uc_window *win)
{
    int64_t block = 0;
    const int64_t channels = uc_call_int(call, "channels", 0);
    *c = (uc_chain){.has_expand = uc_call_in(call, W1) != NULL,
                    .has_project = uc_call_in(call, W2) != NULL};
    UC_TRY(uc_block_read(call, &block));
    if (channels < 1) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " channels, at least 1", channels);
    }
    int64_t middle = channels;
    if (c->has_expand) {
        UC_TRY(check_weights(call, W1, B1, channels, true));
        middle = uc_call_in(call, W1)->shape[0];
    }
    c->expand = pointwise(channels, middle, block);
    c->spatial = pointwise(middle, middle, block);
    UC_TRY(read_spatial(call, &c->spatial, win));
    int64_t last = middle;
    if (c->has_project) {
        UC_TRY(check_weights(call, W2, B2, middle, true));
        last = uc_call_in(call, W2)->shape[0];
    } else if (uc_call_in(call, R)) {
        return uc_call_fail(call, UNCORK_INPUT, "r is added after w2, which isn't there");
    }
    c->project = pointwise(middle, last, block);
    UC_TRY(uc_block_act(call, "expand_activation", "expand_alpha", "expand_beta", &c->expand.act));
    UC_TRY(
        uc_block_act(call, "spatial_activation", "spatial_alpha", "spatial_beta", &c->spatial.act));
    return uc_block_act(call, "project_activation", "project_alpha", "project_beta",
                        &c->project.act);
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    uc_chain c;
    uc_window win;
    char text[192];
    int64_t shape[5] = {-1, -1, -1, -1, -1};
    UC_TRY(read_chain(call, &c, &win));
    UC_TRY(uc_block_expect(call, X, c.spatial.block));
    UC_TRY(uc_block_expect(call, R, c.spatial.block));
    const int64_t blocks = uc_block_count(c.expand.ic, c.spatial.block);
    if (x->rank == 5 && x->shape[1] >= 0 && x->shape[1] != blocks) {
        return uc_call_fail(call, UNCORK_INPUT, "x is %s, not of %" PRId64 " blocks",
                            uc_shape_text(x->shape, x->rank, text, sizeof text), blocks);
    }
    for (int d = 0; d < 4 && x->rank == 5; d++) {
        shape[d] = x->shape[d];
    }
    for (int d = 0; d < 2; d++) {
        UC_TRY(uc_window_count(call, &win, d, shape[2 + d], false, &shape[2 + d]));
    }
    shape[1] = uc_block_count(c.project.oc, c.spatial.block);
    shape[4] = c.spatial.block;
    for (int d = 0; r && d < 5 && r->rank == 5; d++) {
        if (r->shape[d] < 0 || shape[d] < 0 || r->shape[d] == shape[d]) continue;
        return uc_call_fail(call, UNCORK_INPUT, "r is %s, not of the output's shape",
                            uc_shape_text(r->shape, r->rank, text, sizeof text));
    }
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 5, shape);
}

static uncork_status pack_layer(uc_call *call, const uc_conv_row *row, const uc_conv *c, size_t w,
                                const float **packed)
{
    const uc_tensor *bias = uc_call_in(call, w + 1);
    return uc_block_pack(call, row, c, uc_call_arg(call, w), bias, packed);
}

static uncork_status prepare(uc_call *call)
{
    uc_chain c;
    uc_window win;
    UC_TRY(read_chain(call, &c, &win));
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    p->row = uc_conv_row_for(c.spatial.block);
    if (c.has_expand) UC_TRY(pack_layer(call, p->row, &c.expand, W1, &p->expand));
    UC_TRY(pack_layer(call, p->row, &c.spatial, WD, &p->spatial));
    if (c.has_project) UC_TRY(pack_layer(call, p->row, &c.project, W2, &p->project));
    call->prepared = p;
    return UNCORK_OK;
}

static void set_sizes(uc_conv *c, int64_t batch, const int64_t *in, const int64_t *out)
{
    c->batch = batch;
    c->ih = in[0];
    c->iw = in[1];
    c->oh = out[0];
    c->ow = out[1];
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    uc_chain c;
    uc_window win;
    size_t count = 0;
    UC_TRY(read_chain(call, &c, &win));
    if (!call->prepared) UC_TRY(prepare(call)); /* folding constants: into the scratch arena */
    const prepared *p = call->prepared;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    set_sizes(&c.expand, x->shape[0], x->shape + 2, x->shape + 2);
    set_sizes(&c.spatial, x->shape[0], x->shape + 2, y->shape + 2);
    set_sizes(&c.project, x->shape[0], y->shape + 2, y->shape + 2);
    if (!p->row->chain_scratch(&c, uc_pool_threads(call->pool), &count)) {
        return uc_call_fail(call, UNCORK_LIMIT,
                            "the channels between are more than memory can hold");
    }
    uc_chain_args args = {.x = x->data,
                          .expand = p->expand,
                          .spatial = p->spatial,
                          .project = p->project,
                          .residual = r ? r->data : NULL,
                          .y = y->data,
                          .pool = call->pool};
    if (count) args.scratch = uc_call_scratch(call, count, sizeof *args.scratch);
    if (count && !args.scratch) return uc_fail_memory(call->error);
    p->row->chain_run(&c, &args);
    return UNCORK_OK;
}

static uint64_t macs(const uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *y = call->out[0] ? &call->out[0]->tensor : NULL;
    uint64_t sum = 0;
    if (!y || x->rank != 5 || !uc_dims_known(y->shape, y->rank) || !uc_dims_known(x->shape, 5))
        return 0;
    const uint64_t in = (uint64_t)(x->shape[0] * x->shape[2] * x->shape[3]);
    const uint64_t out = (uint64_t)(y->shape[0] * y->shape[2] * y->shape[3]);
    for (size_t w = WD; w <= W2; w += 2) {
        const uc_tensor *t = uc_call_in(call, w);
        uint64_t one = 0;
        if (!t || !uc_dims_known(t->shape, t->rank)) continue;
        if (__builtin_mul_overflow(w == W1 ? in : out, (uint64_t)uc_tensor_count(t), &one) ||
            __builtin_add_overflow(sum, one, &sum)) {
            return UINT64_MAX;
        }
    }
    return sum;
}

const uc_op uc_op_block_inverted_residual = {.domain = "uncork",
                                             .name = "BlockInvertedResidual",
                                             .in = {2, 8},
                                             .out = {1, 1},
                                             .infer = infer,
                                             .prepare = prepare,
                                             .run = run,
                                             .macs = macs,
                                             .stoppable = true};
