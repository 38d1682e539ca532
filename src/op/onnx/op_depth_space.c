/* DepthToSpace and SpaceToDepth: blocks of pixels to channels and back.
 *
 * Source: ONNX operators DepthToSpace 28, SpaceToDepth 28. Mode DCR has the block before the channel in
 * the depth axis, CRD behind it.
 * x  any type, [n, c, h, w] or channels last [n, h, w, c];  y  the type of x, the same layout */
#include "kernel/copy.h"
#include "op/move.h"
#include "op/shape.h"

#include <inttypes.h>

/* Axes of channel, height and width. */
typedef struct axes {
    int c, h, w;
} axes;

static axes axes_of(const uc_call *call)
{
    return call->layout == UC_LAYOUT_LAST ? (axes){3, 1, 2} : (axes){1, 2, 3};
}

static uncork_status infer_as(uc_call *call, bool to_space)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[4], b = uc_call_int(call, "blocksize", 0);
    axes a = axes_of(call);
    if (b < 1 || b > INT32_MAX) {
        return uc_call_fail(call, UNCORK_MALFORMED, "blocksize is %" PRId64, b);
    }
    for (int d = 0; d < 4; d++) {
        shape[d] = UC_DIM_UNKNOWN;
    }
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, 4, shape);
    if (x->rank != 4) {
        return uc_call_fail(call, UNCORK_INPUT, "the input has %d dimensions, not 4", x->rank);
    }
    shape[0] = x->shape[0];
    int64_t c = x->shape[a.c], h = x->shape[a.h], w = x->shape[a.w];
    bool fits =
        to_space ? c < 0 || c % (b * b) == 0 : (h < 0 || h % b == 0) && (w < 0 || w % b == 0);
    if (!fits) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "%" PRId64 " channels of %" PRId64 "x%" PRId64
                            " don't divide by blocks of %" PRId64,
                            c, h, w, b);
    }
    bool small = to_space ? !__builtin_mul_overflow(h, b, &h) && !__builtin_mul_overflow(w, b, &w)
                          : !__builtin_mul_overflow(c, b * b, &c);
    if (!small) return uc_call_fail(call, UNCORK_LIMIT, "the result is too large");
    if (x->shape[a.c] >= 0) shape[a.c] = to_space ? c / (b * b) : c;
    if (x->shape[a.h] >= 0) shape[a.h] = to_space ? h : h / b;
    if (x->shape[a.w] >= 0) shape[a.w] = to_space ? w : w / b;
    return uc_call_shape(call, 0, x->dtype, 4, shape);
}

/* The finest view: batch, row, block row, column, block column, channel, on both sides. */
typedef struct context {
    int64_t shape[6], from[6], to[6];
} context;

static void move(const void *ctx, void *to, const void *const *from, size_t size)
{
    const context *c = ctx;
    uc_copy_strided(to, c->to, from[0], c->from, 6, c->shape, size);
}

static uncork_status run_as(uc_call *call, bool to_space)
{
    const uc_tensor *x = uc_call_arg(call, 0), *y = &call->out[0]->tensor;
    const uc_tensor *deep = to_space ? x : y, *wide = to_space ? y : x;
    bool crd = uc_str_is(uc_call_str(call, "mode", "DCR"), "CRD");
    int64_t b = uc_call_int(call, "blocksize", 1);
    axes a = axes_of(call);
    int64_t channels = wide->shape[a.c], depth = deep->stride[a.c];
    /* In the depth axis: [block row, block column, channel], or the channel first. */
    int64_t channel = crd ? depth * b * b : depth, column = crd ? depth : depth * channels;
    context c = {.shape = {x->shape[0], deep->shape[a.h], b, deep->shape[a.w], b, channels}};
    const int64_t deep_strides[] = {
        deep->stride[0], deep->stride[a.h], column * b, deep->stride[a.w], column, channel};
    const int64_t wide_strides[] = {wide->stride[0],   wide->stride[a.h] * b,
                                    wide->stride[a.h], wide->stride[a.w] * b,
                                    wide->stride[a.w], wide->stride[a.c]};
    memcpy(to_space ? c.from : c.to, deep_strides, sizeof deep_strides);
    memcpy(to_space ? c.to : c.from, wide_strides, sizeof wide_strides);
    return uc_move(call, 0, &x, 1, move, &c);
}

static uncork_status infer_depth_to_space(uc_call *call) { return infer_as(call, true); }

static uncork_status infer_space_to_depth(uc_call *call) { return infer_as(call, false); }

static uncork_status run_depth_to_space(uc_call *call) { return run_as(call, true); }

static uncork_status run_space_to_depth(uc_call *call) { return run_as(call, false); }

const uc_op uc_op_depth_to_space = {.name = "DepthToSpace",
                                    .in = {1, 1},
                                    .out = {1, 1},
                                    .spatial = true,
                                    .infer = infer_depth_to_space,
                                    .run = run_depth_to_space};
const uc_op uc_op_space_to_depth = {.name = "SpaceToDepth",
                                    .in = {1, 1},
                                    .out = {1, 1},
                                    .spatial = true,
                                    .infer = infer_space_to_depth,
                                    .run = run_space_to_depth};
