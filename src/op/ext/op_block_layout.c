/* ToBlocked: [N, C, H, W] to [N, ceil(C/b), H, W, b], lanes beyond C zero. FromBlocked: back.
 *
 * x      float32, any number of spatial axes is not meant: rank 4, blocked rank 5
 * block  b
 * channels (FromBlocked)  C */
#include "kernel/conv_blocked.h"
#include "op/ext/block_window.h"

#include <inttypes.h>

static uncork_status infer_to(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t b, shape[5] = {-1, -1, -1, -1, -1};
    UC_TRY(uc_block_read(call, &b));
    if (x->dtype != UNCORK_FLOAT32 && x->dtype != UNCORK_DTYPE_NONE) {
        return uc_call_fail(call, UNCORK_INPUT, "x must be float32");
    }
    if (x->rank >= 0 && x->rank != 4) {
        return uc_call_fail(call, UNCORK_INPUT, "x has %d dimensions, not 4", x->rank);
    }
    for (int d = 0; d < 4 && x->rank == 4; d++) {
        shape[d] = x->shape[d];
    }
    shape[1] = uc_block_count(shape[1], b);
    shape[4] = b;
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 5, shape);
}

static uncork_status run_to(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    uc_to_blocked(x->data, y->data, x->shape[0], x->shape[1], x->shape[2] * x->shape[3],
                  y->shape[4], call->pool);
    return UNCORK_OK;
}

const uc_op uc_op_to_blocked = {.domain = "uncork",
                                .name = "ToBlocked",
                                .in = {1, 1},
                                .out = {1, 1},
                                .streams = true,
                                .infer = infer_to,
                                .run = run_to};

static uncork_status infer_from(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t b, shape[4] = {-1, -1, -1, -1}, channels = uc_call_int(call, "channels", -1);
    UC_TRY(uc_block_read(call, &b));
    UC_TRY(uc_block_expect(call, 0, b));
    const bool known = x->rank == 5 && x->shape[1] >= 0;
    if (channels < 0 || (known && uc_block_count(channels, b) != x->shape[1])) {
        return uc_call_fail(call, UNCORK_INPUT,
                            "%" PRId64 " channels in %" PRId64 " blocks of %" PRId64, channels,
                            known ? x->shape[1] : -1, b);
    }
    for (int d = 0; d < 4 && x->rank == 5; d++) {
        shape[d] = x->shape[d];
    }
    shape[1] = channels;
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 4, shape);
}

static uncork_status run_from(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    uc_from_blocked(x->data, y->data, y->shape[0], y->shape[1], y->shape[2] * y->shape[3],
                    x->shape[4], call->pool);
    return UNCORK_OK;
}

const uc_op uc_op_from_blocked = {.domain = "uncork",
                                  .name = "FromBlocked",
                                  .in = {1, 1},
                                  .out = {1, 1},
                                  .streams = true,
                                  .infer = infer_from,
                                  .run = run_from};
