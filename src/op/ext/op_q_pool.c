/* QPool: a pool over channels-last bytes; passes emit it.
 *
 * x  u8 [N, H, W, C]
 * y  u8 [N, OH, OW, C]: kind "max", the largest byte under the window, what is outside left out; or
 *    [N, 1, 1, C]: kind "average", saturate(round((sum - H W x_zero) * scale / (H W)) + zero) over the
 *    whole picture
 * attributes: kind; kernel_shape, strides, dilations, pads; scale (x's by y's), x_zero, zero */
#include "base/thread.h"
#include "kernel/pool_u8.h"
#include "kernel/requantize.h"
#include "op/ext/block_window.h"

#include <inttypes.h>

/* Sums of 2^22 bytes stay below 2^31. */
#define MOST_PIXELS (INT64_C(1) << 22)

static bool is_max(const uc_call *call) { return uc_str_is(uc_call_str(call, "kind", ""), "max"); }

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
    if (!is_max(call) && !uc_str_is(kind, "average"))
        return uc_call_fail(call, UNCORK_INPUT, "kind is neither max nor average");
    if (is_max(call)) UC_TRY(read_window(call, &win));
    if (x->rank < 0) return uc_call_shape(call, 0, UNCORK_UINT8, 4, shape);
    if (x->rank != 4 || x->dtype != UNCORK_UINT8)
        return uc_call_fail(call, UNCORK_INPUT, "x isn't uint8 [n, h, w, c]");
    shape[0] = x->shape[0];
    shape[3] = x->shape[3];
    for (int d = 1; d < 3; d++) {
        shape[d] = 1;
        if (is_max(call)) UC_TRY(uc_window_count(call, &win, d - 1, x->shape[d], false, &shape[d]));
    }
    if (!is_max(call) && x->shape[1] >= 0 && x->shape[2] >= 0) {
        int64_t pixels;
        if (__builtin_mul_overflow(x->shape[1], x->shape[2], &pixels) || pixels > MOST_PIXELS ||
            !pixels)
            return uc_call_fail(call, UNCORK_LIMIT, "the mean of %" PRId64 " x %" PRId64 " bytes",
                                x->shape[1], x->shape[2]);
    }
    return uc_call_shape(call, 0, UNCORK_UINT8, 4, shape);
}

typedef struct pool_job {
    const uc_tensor *x;
    uc_tensor *y;
    uc_window win;
} pool_job;

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
    pool_job job = {.x = x, .y = uc_call_out(call, 0)};
    if (!job.y) return call->error->status;
    if (!is_max(call)) return run_average(call, x, job.y);
    UC_TRY(read_window(call, &job.win));
    const int64_t row = job.y->shape[2] * job.y->shape[3] * job.win.kernel[0] * job.win.kernel[1];
    uc_parallel(call->pool, job.y->shape[0] * job.y->shape[1], 1 + 65536 / (row + 1), max_rows,
                &job);
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
