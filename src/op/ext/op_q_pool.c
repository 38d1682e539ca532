/* QPool: a pool over channels-last bytes; passes emit it.
 *
 * x  u8 [N, H, W, C]
 * y  u8 [N, OH, OW, C]: kind "max", the largest byte under the window, what is outside left out; or
 *    [N, 1, 1, C]: kind "average", saturate(round((sum - H W x_zero) * scale / (H W)) + zero) over the
 *    whole picture; or [N, OH, OW, C]: kind "mean", what is under the window divided by its count,
 *    halves away from zero (tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h)
 * attributes: kind; kernel_shape, strides, dilations, pads; scale (x's by y's), x_zero, zero; low, high
 * (of "max" and "mean"); offset (128 where bytes stand for signed ones). x and y may be s16 but for
 * "average". */
#include "base/thread.h"
#include "kernel/pool_u8.h"
#include "kernel/requantize.h"
#include "op/ext/block_window.h"
#include "op/ext/q_number.h"

#include <inttypes.h>

/* Sums of 2^22 bytes stay below 2^31. */
#define MOST_PIXELS (INT64_C(1) << 22)

typedef enum pool_kind { AVERAGE, MAX, MEAN } pool_kind;

static pool_kind kind_of(const uc_call *call)
{
    const uc_str kind = uc_call_str(call, "kind", "");
    return uc_str_is(kind, "max") ? MAX : uc_str_is(kind, "mean") ? MEAN : AVERAGE;
}

static uncork_status read_window(uc_call *call, uc_window *win)
{
    UC_TRY(uc_window_read_kernel(call, win));
    for (int d = 0; d < 2; d++) {
        const int64_t reach = (win->kernel[d] - 1) * win->dilation[d];
        if (win->pad[d] > reach || win->pad[2 + d] > reach)
            return uc_call_fail(call, UNCORK_INPUT, "padding as large as the window");
    }
    return UNCORK_OK;
}

static uncork_status infer(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    int64_t shape[4] = {-1, -1, -1, -1};
    uc_window win;
    const uc_str kind = uc_call_str(call, "kind", "");
    const bool slides = kind_of(call) != AVERAGE;
    if (!slides && !uc_str_is(kind, "average"))
        return uc_call_fail(call, UNCORK_INPUT, "kind is neither max, mean nor average");
    if (slides) UC_TRY(read_window(call, &win));
    if (x->rank < 0) return uc_call_shape(call, 0, x->dtype, 4, shape);
    if (x->rank != 4 || (x->dtype != UNCORK_UINT8 && !(slides && x->dtype == UNCORK_INT16)))
        return uc_call_fail(call, UNCORK_INPUT, "x isn't uint8 [n, h, w, c]");
    shape[0] = x->shape[0];
    shape[3] = x->shape[3];
    for (int d = 1; d < 3; d++) {
        shape[d] = 1;
        if (slides) UC_TRY(uc_window_count(call, &win, d - 1, x->shape[d], false, &shape[d]));
    }
    if (!slides && x->shape[1] >= 0 && x->shape[2] >= 0) {
        int64_t pixels;
        if (__builtin_mul_overflow(x->shape[1], x->shape[2], &pixels) || pixels > MOST_PIXELS ||
            !pixels)
            return uc_call_fail(call, UNCORK_LIMIT, "the mean of %" PRId64 " x %" PRId64 " bytes",
                                x->shape[1], x->shape[2]);
    }
    return uc_call_shape(call, 0, x->dtype, 4, shape);
}

typedef struct pool_job {
    const uc_tensor *x;
    uc_tensor *y;
    uc_window win;
    pool_kind kind;
    int32_t low, high, offset;
    int32_t *sums; /* of MEAN and 16 bits: a row of channels a thread */
} pool_job;

/* Channels of one output position, of any type and kind. */
static void slow_pixel(const pool_job *job, int64_t image, int64_t oy, int64_t ox, int32_t *sum,
                       int64_t to)
{
    const int64_t *size = job->x->shape, c = size[3];
    const uc_window *w = &job->win;
    const bool wide = job->x->dtype == UNCORK_INT16;
    int32_t count = 0;
    for (int64_t i = 0; i < c; i++)
        sum[i] = job->kind == MAX ? INT32_MIN : 0;
    for (int64_t ky = 0; ky < w->kernel[0]; ky++) {
        const int64_t iy = oy * w->stride[0] + ky * w->dilation[0] - w->pad[0];
        for (int64_t kx = 0; iy >= 0 && iy < size[1] && kx < w->kernel[1]; kx++) {
            const int64_t ix = ox * w->stride[1] + kx * w->dilation[1] - w->pad[1];
            if (ix < 0 || ix >= size[2]) continue;
            const int64_t from = ((image * size[1] + iy) * size[2] + ix) * c;
            count++;
            for (int64_t i = 0; i < c; i++) {
                const int32_t v = uc_q_load(job->x->data, from + i, wide) - job->offset;
                sum[i] = job->kind == MEAN ? sum[i] + v : v > sum[i] ? v : sum[i];
            }
        }
    }
    for (int64_t i = 0; i < c; i++) {
        int32_t v = sum[i];
        if (job->kind == MEAN && count) v = (v > 0 ? v + count / 2 : v - count / 2) / count;
        uc_q_store(job->y->data, to + i, job->x->dtype,
                   uc_fixed_clamp(v + job->offset, job->low, job->high));
    }
}

static void slow_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const pool_job *job = context;
    const int64_t *out = job->y->shape;
    for (int64_t row = begin; row < end; row++) {
        for (int64_t ox = 0; ox < out[2]; ox++)
            slow_pixel(job, row / out[1], row % out[1], ox, job->sums + thread * out[3],
                       (row * out[2] + ox) * out[3]);
    }
}

static void max_pixel(const pool_job *job, const uint8_t *picture, int64_t oy, int64_t ox,
                      uint8_t *y)
{
    const int64_t *size = job->x->shape, c = size[3];
    const uc_window *w = &job->win;
    memset(y, 0, (size_t)c);
    for (int64_t ky = 0; ky < w->kernel[0]; ky++) {
        const int64_t iy = oy * w->stride[0] + ky * w->dilation[0] - w->pad[0];
        if (iy < 0 || iy >= size[1]) continue;
        for (int64_t kx = 0; kx < w->kernel[1]; kx++) {
            const int64_t ix = ox * w->stride[1] + kx * w->dilation[1] - w->pad[1];
            if (ix >= 0 && ix < size[2]) uc_max_u8(y, picture + (iy * size[2] + ix) * c, c);
        }
    }
}

static void max_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const pool_job *job = context;
    const int64_t *in = job->x->shape, *out = job->y->shape;
    (void)thread;
    for (int64_t row = begin; row < end; row++) {
        const uint8_t *picture =
            (const uint8_t *)job->x->data + row / out[1] * in[1] * in[2] * in[3];
        uint8_t *y = (uint8_t *)job->y->data + row * out[2] * out[3];
        for (int64_t ox = 0; ox < out[2]; ox++)
            max_pixel(job, picture, row % out[1], ox, y + ox * out[3]);
    }
}

static uncork_status run_average(uc_call *call, const uc_tensor *x, uc_tensor *y)
{
    const int64_t pixels = x->shape[1] * x->shape[2], c = x->shape[3];
    const int32_t x_zero = (int32_t)uc_call_int(call, "x_zero", 0) & 255;
    const int32_t zero = (int32_t)uc_call_int(call, "zero", 0) & 255;
    const float scale = (float)uc_call_float(call, "scale", 1) / (float)pixels;
    int32_t *sum = uc_call_scratch(call, (size_t)c, sizeof *sum);
    if (!sum) return call->error->status;
    for (int64_t n = 0; n < x->shape[0]; n++) {
        const uint8_t *picture = (const uint8_t *)x->data + n * pixels * c;
        for (int64_t i = 0; i < c; i++)
            sum[i] = -x_zero * (int32_t)pixels;
        for (int64_t p = 0; p < pixels; p++)
            uc_sum_u8(sum, picture + p * c, c);
        for (int64_t i = 0; i < c; i++)
            ((uint8_t *)y->data)[n * c + i] = uc_requantize(sum[i], scale, zero, 0, 255);
    }
    return UNCORK_OK;
}

static uncork_status run(uc_call *call)
{
    const uc_tensor *x = uc_call_arg(call, 0);
    pool_job job = {.x = x, .y = uc_call_out(call, 0), .kind = kind_of(call)};
    if (!job.y) return call->error->status;
    if (job.kind == AVERAGE) return run_average(call, x, job.y);
    UC_TRY(read_window(call, &job.win));
    UC_TRY(uc_q_limits_read(call, x->dtype, &job.low, &job.high));
    const int64_t row = job.y->shape[2] * job.y->shape[3] * job.win.kernel[0] * job.win.kernel[1];
    const int64_t rows = job.y->shape[0] * job.y->shape[1];
    if (job.kind == MAX && x->dtype == UNCORK_UINT8 && job.low == 0 && job.high == 255) {
        uc_parallel(call->pool, rows, 1 + 65536 / (row + 1), max_rows, &job);
        return UNCORK_OK;
    }
    job.offset = (int32_t)(uc_call_int(call, "offset", 0) & 255);
    job.sums = uc_call_scratch(call, (size_t)uc_pool_threads(call->pool),
                               (size_t)x->shape[3] * sizeof *job.sums);
    if (!job.sums) return call->error->status;
    uc_parallel(call->pool, rows, 1 + 16384 / (row + 1), slow_rows, &job);
    return UNCORK_OK;
}

const uc_op uc_op_q_pool = {
    .domain = "uncork",
    .name = "QPool",
    .in = {1, 1},
    .out = {1, 1},
    .infer = infer,
    .run = run,
};
