/* BlockPool: MaxPool or AveragePool over a channel-blocked tensor.
 *
 * Source: ONNX MaxPool and AveragePool, opset 22.
 * x  f32 [N, ceil(C/b), H, W, b]; y the same with the pooled H and W
 * attributes: block, kind "max" or "average", kernel_shape, strides, dilations, pads, ceil_mode,
 * count_include_pad */
#include "kernel/conv_blocked.h"
#include "op/ext/block_window.h"

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_window w;
    bool average, ceil_mode = uc_call_int(call, "ceil_mode", 0) != 0;
    int64_t b, shape[5] = {-1, -1, -1, -1, -1};
    UC_TRY(uc_block_read(call, &b));
    UC_TRY(uc_block_expect(call, 0, b));
    UC_TRY(uc_window_read_pool(call, &w, &average));
    for (int d = 0; d < 5 && x->rank == 5; d++) {
        shape[d] = x->shape[d];
    }
    for (int d = 0; d < 2; d++) {
        UC_TRY(uc_window_count(call, &w, d, shape[2 + d], ceil_mode, &shape[2 + d]));
    }
    shape[4] = b;
    return uc_call_shape(call, 0, UNCORK_FLOAT32, 5, shape);
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_window w;
    bool average;
    UC_TRY(uc_window_read_pool(call, &w, &average));
    uc_tensor *y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    const uc_pool_blocked p = {.planes = x->shape[0] * x->shape[1],
                               .ih = x->shape[2],
                               .iw = x->shape[3],
                               .oh = y->shape[2],
                               .ow = y->shape[3],
                               .kh = w.kernel[0],
                               .kw = w.kernel[1],
                               .stride_h = w.stride[0],
                               .stride_w = w.stride[1],
                               .dilation_h = w.dilation[0],
                               .dilation_w = w.dilation[1],
                               .pad_top = w.pad[0],
                               .pad_left = w.pad[1],
                               .pad_bottom = w.pad[2],
                               .pad_right = w.pad[3],
                               .block = x->shape[4],
                               .average = average,
                               .count_pads = uc_call_int(call, "count_include_pad", 0) != 0};
    uc_conv_row_for(p.block)->pool(&p, x->data, y->data, call->pool);
    return UNCORK_OK;
}

const uc_op uc_op_block_pool = {.domain = "uncork",
                                .name = "BlockPool",
                                .in = {1, 1},
                                .out = {1, 1},
                                .streams = true,
                                .infer = infer,
                                .run = run};
