/* HalfPool and HalfMean: MaxPool, AveragePool and GlobalAveragePool in bfloat16, channels last; passes
 * emit them under --precision fast.
 *
 * Source: ONNX MaxPool, AveragePool and GlobalAveragePool, opset 22.
 * x  bf16 [N, H, W, C]; y the same with the pooled H and W (1 and 1)
 * attributes (HalfPool): kind "max" or "average", kernel_shape, strides, dilations, pads, ceil_mode,
 * count_include_pad
 * Numerics: sums are float32, y is rounded once. */
#include "base/thread.h"
#include "op/ext/half_ops.h"

static uncork_status infer_pool(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_window w;
    bool average, ceil_mode = uc_call_int(call, "ceil_mode", 0) != 0;
    int64_t shape[4] = {-1, -1, -1, -1};
    UC_TRY(uc_half_expect(call, 0, -1));
    UC_TRY(uc_window_read_pool(call, &w, &average));
    for (int d = 0; d < 4 && x->rank == 4; d++)
        shape[d] = x->shape[d];
    for (int d = 0; d < 2; d++)
        UC_TRY(uc_window_count(call, &w, d, shape[1 + d], ceil_mode, &shape[1 + d]));
    return uc_call_shape(call, 0, UNCORK_BFLOAT16, 4, shape);
}

typedef struct pool_job {
    const uc_half *kernels;
    uc_half_pool pool;
    const uc_tensor *x;
    uc_tensor *y;
} pool_job;

static void pool_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const pool_job *job = context;
    uc_half_pool p = job->pool;
    const int64_t oh = job->y->shape[1];
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        p.x = (const uint16_t *)job->x->data + row / oh * p.ih * p.iw * p.c;
        job->kernels->pool(&p, row % oh, (uint16_t *)job->y->data + row * p.ow * p.c);
    }
}

static uncork_status run_pool(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    uc_window w;
    pool_job job = {.x = x};
    UC_TRY(uc_half_require(call, &job.kernels));
    UC_TRY(uc_window_read_pool(call, &w, &job.pool.average));
    uc_tensor *y = job.y = uc_call_out(call, 0);
    if (!y) return uc_fail_memory(call->error);
    if (uc_tensor_count(y) == 0) return UNCORK_OK;
    job.pool = (uc_half_pool){.ih = x->shape[1],
                              .iw = x->shape[2],
                              .c = x->shape[3],
                              .ow = y->shape[2],
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
                              .average = job.pool.average,
                              .count_pads = uc_call_int(call, "count_include_pad", 0) != 0};
    uc_parallel(call->pool, y->shape[0] * y->shape[1], 1 + 4096 / (y->shape[2] * y->shape[3] + 1),
                pool_rows, &job);
    return UNCORK_OK;
}

const uc_op uc_op_half_pool = {.domain = "uncork",
                               .name = "HalfPool",
                               .in = {1, 1},
                               .out = {1, 1},
                               .infer = infer_pool,
                               .run = run_pool};

/* ---- the mean of a picture ---------------------------------------------------------------- */

static uncork_status infer_mean(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[4] = {-1, 1, 1, -1};
    UC_TRY(uc_half_expect(call, 0, -1));
    if (x->rank == 4) {
        shape[0] = x->shape[0];
        shape[3] = x->shape[3];
    }
    return uc_call_shape(call, 0, UNCORK_BFLOAT16, 4, shape);
}

typedef struct mean_job {
    const uc_half *kernels;
    const uc_tensor *x;
    uc_tensor *y;
    int64_t blocks; /* of a picture's channels */
} mean_job;

static void mean_blocks(void *context, int64_t begin, int64_t end, int thread)
{
    const mean_job *job = context;
    const int64_t pixels = job->x->shape[1] * job->x->shape[2], c = job->x->shape[3];
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const int64_t image = i / job->blocks, first = i % job->blocks * UC_HALF_CHANNELS;
        const int64_t left = c - first;
        job->kernels->mean((const uint16_t *)job->x->data + image * pixels * c + first, pixels, c,
                           (int)(left < UC_HALF_CHANNELS ? left : UC_HALF_CHANNELS),
                           (uint16_t *)job->y->data + image * c + first);
    }
}

static uncork_status run_mean(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    mean_job job = {.x = x};
    UC_TRY(uc_half_require(call, &job.kernels));
    job.y = uc_call_out(call, 0);
    if (!job.y) return uc_fail_memory(call->error);
    if (uc_tensor_count(job.y) == 0) return UNCORK_OK;
    const int64_t pixels = x->shape[1] * x->shape[2];
    if (pixels == 0) {
        return uc_call_fail(call, UNCORK_INPUT, "the mean of a picture without pixels");
    }
    job.blocks = (x->shape[3] + UC_HALF_CHANNELS - 1) / UC_HALF_CHANNELS;
    uc_parallel(call->pool, x->shape[0] * job.blocks, 1 + 512 / pixels, mean_blocks, &job);
    return UNCORK_OK;
}

const uc_op uc_op_half_mean = {.domain = "uncork",
                               .name = "HalfMean",
                               .in = {1, 1},
                               .out = {1, 1},
                               .infer = infer_mean,
                               .run = run_mean};
