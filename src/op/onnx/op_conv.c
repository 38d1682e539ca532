/* Conv: convolution over any number of spatial dimensions, with groups and dilations.
 *
 * Source: ONNX operator Conv, opset 22.
 * x  float [N, C, D1, ...];  w  [M, C / group, k1, ...];  b  [M], optional;  y  [N, M, ...].
 * Numerics: see op/conv.c; short floats run in float32. */
#include "op/conv.h"
#include "op/widen.h"

static uncork_status infer(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    uc_conv c = {0};
    int rank = 0;
    UC_TRY(uc_conv_geometry(call, 2, &c, &rank, shape));
    return uc_call_shape(call, 0, c.dtype, rank, shape);
}

/* Constant weights of short floats, widened once. */
static uncork_status prepare(uc_call *call)
{
    if (!uc_call_known(call, 1) || !uc_is_short_float(uc_call_dtype(call, 1))) return UNCORK_OK;
    call->prepared = uc_tensor_cast(call->arena, uc_call_arg(call, 1), UNCORK_FLOAT32);
    return call->prepared ? UNCORK_OK : uc_arena_status(call->arena, call->error);
}

static uncork_status run_wide(uc_call *call)
{
    int64_t shape[UNCORK_MAX_RANK];
    uc_conv c = {0};
    int rank = 0;
    UC_TRY(uc_conv_geometry(call, 2, &c, &rank, shape));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    const uc_tensor *b = uc_call_in(call, 2);
    c.x = uc_call_arg(call, 0)->data;
    c.weight = uc_call_arg(call, 1)->data;
    c.bias = b ? b->data : NULL;
    c.y = y->data;
    return uc_conv_run(call, &c);
}

static uncork_status run(uc_call *call)
{
    if (!call->prepared) return uc_widened(call, run_wide);
    uc_value weight = {.kind = UC_TENSOR, .tensor = *(const uc_tensor *)call->prepared};
    const uc_value *in[] = {call->in[0], &weight, call->in_count > 2 ? call->in[2] : NULL};
    uc_call inner = *call;
    inner.in = in;
    inner.in_count = 3;
    return uc_widened(&inner, run_wide);
}

const uc_op uc_op_conv = {.name = "Conv",
                          .in = {2, 3},
                          .out = {1, 1},
                          .infer = infer,
                          .prepare = prepare,
                          .run = run,
                          .macs = uc_conv_macs,
                          .stoppable = true};
