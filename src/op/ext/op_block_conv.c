/* BlockConv: y = activation(convolution(x, w) + b + r) over channel-blocked tensors; passes emit it.
 *
 * Source of the convolution: ONNX Conv, opset 22; of the activations: their ONNX operators.
 * x  f32 [N, ceil(IC/b), H, W, b], or [N, IC, H, W] with plain_input
 * w  f32 [OC, IC/group, KH, KW], constant
 * b  f32 [OC], constant, optional
 * r  f32 shape of y, optional
 * y  f32 [N, ceil(OC/b), OH, OW, b]; lanes beyond OC hold finite numbers
 * attributes: block, channels (IC), plain_input, group (1, or IC = OC), strides, pads, dilations,
 * activation ("", Relu, Clip, ...), alpha, beta */
#include "kernel/conv_blocked.h"
#include "op/ext/block_pack.h"

#include <inttypes.h>

enum { X, W, B, R };

typedef struct prepared {
    const uc_conv_row *row;
    uc_conv_method method;
    const float *packed;
} prepared;

/* Weights and bias against the attributes. */
static uncork_status check_weights(uc_call *call, const uc_conv *c, int64_t group)
{
    const uc_tensor *w = uc_call_arg(call, W), *bias = uc_call_in(call, B);
    const int64_t depth = c->depthwise ? 1 : c->ic;
    char text[192];
    if (group != 1 && (group != c->ic || group != c->oc)) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED,
                            "%" PRId64 " groups of %" PRId64 " to %" PRId64
                            " channels: only 1 or one a channel",
                            group, c->ic, c->oc);
    }
    if (!uc_call_known(call, W) || w->dtype != UNCORK_FLOAT32 || w->rank != 4 ||
        w->shape[1] != depth) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "w is %s, not a float32 constant [oc, %" PRId64 ", kh, kw]",
                            uc_shape_text(w->shape, w->rank, text, sizeof text), depth);
    }
    const bool fits = !bias || (uc_call_known(call, B) && bias->dtype == UNCORK_FLOAT32 &&
                                bias->rank == 1 && bias->shape[0] == c->oc);
    if (fits) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "b isn't a float32 constant [%" PRId64 "]", c->oc);
}

/* The layer as far as attributes and weights say: all but the sizes of x and y. */
static uncork_status read_layer(uc_call *call, uc_conv *c)
{
    const uc_tensor *w = uc_call_arg(call, W);
    const int64_t group = uc_call_int(call, "group", 1);
    uc_window win;
    *c = (uc_conv){.ic = uc_call_int(call, "channels", 0)};
    UC_TRY(uc_block_read(call, &c->block));
    if (w->rank != 4 || w->shape[0] < 1 || c->ic < 1) {
        return uc_call_fail(call, UNCORK_INPUT, "%" PRId64 " channels and weights of %d dimensions",
                            c->ic, w->rank);
    }
    c->oc = w->shape[0];
    c->plain = uc_call_int(call, "plain_input", 0) != 0;
    c->depthwise = group > 1;
    UC_TRY(check_weights(call, c, group));
    UC_TRY(uc_block_act(call, "activation", "alpha", "beta", &c->act));
    win.kernel[0] = c->kh = w->shape[2];
    win.kernel[1] = c->kw = w->shape[3];
    UC_TRY(uc_window_read(call, &win));
    c->stride_h = win.stride[0];
    c->stride_w = win.stride[1];
    c->dilation_h = win.dilation[0];
    c->dilation_w = win.dilation[1];
    c->pad_top = win.pad[0];
    c->pad_left = win.pad[1];
    if (c->plain && c->depthwise) {
        return uc_call_fail(call, UNCORK_UNSUPPORTED, "a plain input can't have groups");
    }
    return UNCORK_OK;
}

static uncork_status check_input(uc_call *call, const uc_conv *c)
{
    const uc_tensor *x = uc_call_arg(call, X);
    const int rank = c->plain ? 4 : 5;
    char text[192];
    if (!c->plain) UC_TRY(uc_block_expect(call, X, c->block));
    if (x->dtype != UNCORK_FLOAT32 && x->dtype != UNCORK_DTYPE_NONE) {
        return uc_call_fail(call, UNCORK_INPUT, "x must be float32");
    }
    const int64_t want = c->plain ? c->ic : uc_block_count(c->ic, c->block);
    if (x->rank < 0 || (x->rank == rank && (x->shape[1] < 0 || x->shape[1] == want)))
        return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT,
                        "x is %s, not of %d dimensions with %" PRId64 " in the second",
                        uc_shape_text(x->shape, x->rank, text, sizeof text), rank, want);
}

static uncork_status check_residual(uc_call *call, const int64_t *shape)
{
    const uc_tensor *r = uc_call_in(call, R);
    char got[192], want[192];
    if (!r || r->rank < 0) return UNCORK_OK;
    bool same = r->rank == 5 && (r->dtype == UNCORK_FLOAT32 || r->dtype == UNCORK_DTYPE_NONE);
    for (int d = 0; d < 5 && same; d++) {
        same = r->shape[d] < 0 || shape[d] < 0 || r->shape[d] == shape[d];
    }
    if (same) return UNCORK_OK;
    return uc_call_fail(call, UNCORK_INPUT, "r is %s where y is %s",
                        uc_shape_text(r->shape, r->rank, got, sizeof got),
                        uc_shape_text(shape, 5, want, sizeof want));
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X);
    uc_conv c;
    uc_window win;
    int64_t shape[5] = {-1, -1, -1, -1, -1};
    UC_TRY(read_layer(call, &c));
    UC_TRY(check_input(call, &c));
    win.kernel[0] = c.kh;
    win.kernel[1] = c.kw;
    UC_TRY(uc_window_read(call, &win));
    for (int d = 0; d < 4 && x->rank >= 0; d++) {
        shape[d] = x->shape[d];
    }
    for (int d = 0; d < 2; d++) {
        UC_TRY(uc_window_count(call, &win, d, shape[2 + d], false, &shape[2 + d]));
    }
    shape[1] = uc_block_count(c.oc, c.block);
    shape[4] = c.block;
    UC_TRY(check_residual(call, shape));
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 5, shape);
}

static uncork_status prepare(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *bias = uc_call_in(call, B);
    uc_conv c;
    UC_TRY(read_layer(call, &c));
    /* Sizes that are known choose the method; any method serves any size. */
    if (x->rank >= 4 && x->shape[2] > 0 && x->shape[3] > 0) {
        c.ih = x->shape[2];
        c.iw = x->shape[3];
    }
    prepared *p = UC_NEW(call->arena, prepared, 1);
    if (!p) return uc_arena_status(call->arena, call->error);
    p->row = uc_conv_row_for(c.block);
    p->method = c.method = p->row->method(&c);
    UC_TRY(uc_block_pack(call, p->row, &c, uc_call_arg(call, W), bias, &p->packed));
    call->prepared = p;
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, X), *r = uc_call_in(call, R);
    uc_conv c;
    size_t count = 0;
    UC_TRY(read_layer(call, &c));
    if (!call->prepared) UC_TRY(prepare(call)); /* folding constants: into the scratch arena */
    const prepared *p = call->prepared;
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    c.method = p->method;
    c.batch = x->shape[0];
    c.ih = x->shape[2];
    c.iw = x->shape[3];
    c.oh = y->shape[2];
    c.ow = y->shape[3];
    if (!p->row->scratch_count(&c, uc_pool_threads(call->pool), &count)) {
        return uc_call_fail(call, UNCORK_LIMIT,
                            "the windows of this image are more than memory can hold");
    }
    uc_conv_args args = {.x = x->data,
                         .packed = p->packed,
                         .residual = r ? r->data : NULL,
                         .y = y->data,
                         .pool = call->pool};
    if (count) args.scratch = uc_call_scratch(call, count, sizeof *args.scratch);
    if (count && !args.scratch) return uc_fail_memory(call->error);
    p->row->run(&c, &args);
    return UNCORK_OK;
}

const uc_op uc_op_block_conv = {.domain = "uncork",
                                .name = "BlockConv",
                                .in = {2, 4},
                                .out = {1, 1},
                                .in_place = 1u << 3, /* the residual */
                                .infer = infer,
                                .prepare = prepare,
                                .run = run,
                                .macs = uc_window_macs,
                                .stoppable = true};
