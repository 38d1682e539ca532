/* uncork.BlockMean: GlobalAveragePool over a channel-blocked tensor.
 *
 * Source: ONNX GlobalAveragePool 22. Made by passes only.
 * x  f32 [N, ceil(C/b), H, W, b];  y  f32 [N, ceil(C/b), 1, 1, b];  attribute: block (b)
 * Numerics: see kernel/plane_mean.h. */
#include "kernel/plane_mean.h"
#include "op/ext/block_window.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t b, shape[5] = {-1, -1, 1, 1, -1};
    UC_TRY(uc_block_read(call, &b));
    UC_TRY(uc_block_expect(call, 0, b));
    for (int d = 0; d < 2 && x->rank == 5; d++) {
        shape[d] = x->shape[d];
    }
    shape[4] = b;
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 5, shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    if (x->shape[2] == 0 || x->shape[3] == 0) {
        return uc_call_fail(call, UNCORK_INPUT, "the mean of a picture without pixels");
    }
    uc_plane_mean(x->data, y->data, x->shape[0] * x->shape[1], x->shape[2] * x->shape[3],
                  x->shape[4], call->pool);
    return UNCORK_OK;
}

const uc_op uc_op_block_mean = {.domain = "uncork",
                                .name = "BlockMean",
                                .in = {1, 1},
                                .out = {1, 1},
                                .streams = true,
                                .infer = infer,
                                .run = run};
