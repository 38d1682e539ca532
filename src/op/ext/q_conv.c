/* Quantised convolutions of any groups, types and rounding: pixels under the window are laid side by side
 * as 16-bit differences from the zero point, and multiplied with a channel's weights. */
#include "op/ext/q_conv.h"

#include "base/thread.h"
#include "kernel/channel_sums.h"
#include "kernel/depthwise_wide.h"

uncork_status uc_q_rounding_read(uc_call *call, uc_q_rounding *rounding)
{
    const uc_str name = uc_call_str(call, "rounding", "float");
    *rounding = uc_str_is(name, "once")     ? UC_Q_ONCE
                : uc_str_is(name, "twice")  ? UC_Q_TWICE
                : uc_str_is(name, "up")     ? UC_Q_UP
                : uc_str_is(name, "blocks") ? UC_Q_BLOCKS
                                            : UC_Q_FLOAT;
    if (*rounding == UC_Q_FLOAT && !uc_str_is(name, "float"))
        return uc_call_fail(call, UNCORK_INPUT, "rounding is neither float, once, twice nor up");
    return UNCORK_OK;
}

uncork_status uc_q_layer_scales(uc_call *call, uc_q_layer *l, const uc_tensor *scale)
{
    const size_t padded = (size_t)(l->oc + UC_DOT_CHANNELS);
    const bool own = uc_call_attr(call, "x_scale") != NULL;
    const bool short_product = uc_call_int(call, "float_product", 0) != 0;
    const float x = (float)uc_call_float(call, "x_scale", 1);
    const float y = (float)uc_call_float(call, "y_scale", 1);
    float *to = UC_NEW(call->arena, float, padded);
    uc_fixed *fixed = l->rounding ? UC_NEW(call->arena, uc_fixed, padded) : NULL;
    if (!to || (l->rounding && !fixed)) return uc_arena_status(call->arena, call->error);
    for (int64_t c = 0; c < l->oc; c++) {
        const float w = ((const float *)scale->data)[c];
        const float product = x * w;
        to[c] = own ? product / y : w;
        const double wanted = short_product ? (double)product : (double)x * (double)w;
        if (fixed) fixed[c] = uc_fixed_of(own ? wanted / (double)y : (double)w);
    }
    l->scale = to;
    l->fixed = fixed;
    return UNCORK_OK;
}

uncork_status uc_q_layer_weights(uc_call *call, uc_q_layer *l, const uc_tensor *w,
                                 const uc_tensor *bias)
{
    const int64_t taps = l->window.kernel[0] * l->window.kernel[1], each = l->ic / l->group;
    int16_t *to = UC_NEW(call->arena, int16_t, (size_t)(l->oc * taps * each) + 1);
    int64_t *b = UC_NEW(call->arena, int64_t, (size_t)l->oc + 1);
    if (!to || !b) return uc_arena_status(call->arena, call->error);
    const int8_t *from = w->data;
    for (int64_t c = 0; c < l->oc; c++) {
        for (int64_t i = 0; i < each; i++) {
            for (int64_t t = 0; t < taps; t++) {
                const int16_t v = (int16_t)(*from++ - l->w_zero);
                to[each == 1 ? t * l->oc + c : (c * taps + t) * each + i] = v;
            }
        }
        if (bias) b[c] = uc_dtype_load_i64(bias->data, c, bias->dtype);
    }
    l->w = to;
    l->bias = b;
    return UNCORK_OK;
}

/* ---- the pixels under the window --------------------------------------------------------------- */

typedef struct plain_job {
    const uc_q_layer *l;
    const uc_tensor *x;
    uc_tensor *y;
    int16_t *patch; /* a thread: [kh kw][ic] */
    int64_t *sums;  /* a thread: [oc] */
    int32_t *small; /* the same, of 32 bits */
    bool each;
    const uint8_t **under; /* a thread: [kh kw] */
} plain_job;

/* Where tap (d, k) of output position o reads along axis d, -1: outside. */
static int64_t source_of(const uc_q_layer *l, int d, int64_t o, int64_t k, int64_t size)
{
    const uc_window *w = &l->window;
    int64_t at;
    if (l->transposed) {
        at = o + w->pad[d] - k;
        if (at < 0 || at % w->stride[d]) return -1;
        at /= w->stride[d];
    } else {
        at = o * w->stride[d] + k * w->dilation[d] - w->pad[d];
    }
    return at >= 0 && at < size ? at : -1;
}

static void gather(const plain_job *job, int64_t image, int64_t oy, int64_t ox, int16_t *patch)
{
    const uc_q_layer *l = job->l;
    const int64_t h = job->x->shape[1], w = job->x->shape[2], ic = l->ic;
    for (int64_t ky = 0; ky < l->window.kernel[0]; ky++) {
        const int64_t iy = source_of(l, 0, oy, ky, h);
        for (int64_t kx = 0; kx < l->window.kernel[1]; kx++, patch += ic) {
            const int64_t ix = iy < 0 ? -1 : source_of(l, 1, ox, kx, w);
            if (ix < 0) {
                memset(patch, 0, (size_t)ic * sizeof *patch);
                continue;
            }
            const int64_t first = ((image * h + iy) * w + ix) * ic;
            if (l->wide || l->differences) {
                memcpy(patch, (const int16_t *)job->x->data + first, (size_t)ic * sizeof *patch);
                continue;
            }
            const uint8_t *from = (const uint8_t *)job->x->data + first;
            for (int64_t i = 0; i < ic; i++)
                patch[i] = (int16_t)(from[i] - l->x_zero);
        }
    }
}

/* ---- sums -------------------------------------------------------------------------------------- */

/* One input channel a group: channel by channel side by side. */
static void sum_depthwise(const uc_q_layer *l, const int16_t *patch, int64_t taps, int32_t *small,
                          int64_t *sums)
{
    const int64_t oc = l->oc, times = oc / l->group;
    for (int64_t c = 0; c < oc; c++) {
        small[c] = 0;
        sums[c] = l->bias[c];
    }
    for (int64_t t = 0; t < taps; t++) {
        const int16_t *w = l->w + t * oc, *x = patch + t * l->ic;
        if (times == 1 && !l->wide) {
            for (int64_t c = 0; c < oc; c++)
                small[c] += w[c] * x[c];
        } else {
            for (int64_t c = 0; c < oc; c++)
                sums[c] += w[c] * x[c / times];
        }
    }
    for (int64_t c = 0; c < oc; c++)
        sums[c] += small[c];
}

static int64_t dot(const int16_t *a, const int16_t *b, int64_t n, bool wide)
{
    int64_t sum = 0;
    if (!wide) {
        int32_t small = 0; /* 2^16 products of 255 * 255 and 2^15 more fit */
        for (int64_t i = 0; i < n; i++) {
            small += a[i] * b[i];
            if ((i & 0x3fff) != 0x3fff) continue;
            sum += small;
            small = 0;
        }
        return sum + small;
    }
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void sum_dense(const uc_q_layer *l, const int16_t *patch, int64_t taps, int64_t *sums)
{
    const int64_t each = l->ic / l->group, per = l->oc / l->group;
    for (int64_t c = 0; c < l->oc; c++) {
        const int16_t *w = l->w + c * taps * each;
        sums[c] = l->bias[c];
        if (l->group == 1) {
            sums[c] += dot(patch, w, taps * each, l->wide);
            continue;
        }
        for (int64_t t = 0; t < taps; t++)
            sums[c] += dot(patch + t * l->ic + c / per * each, w + t * each, each, l->wide);
    }
}

static void put(const uc_q_layer *l, const int64_t *sums, uc_tensor *y, int64_t pixel)
{
    for (int64_t c = 0; c < l->oc; c++) {
        const int64_t sum = l->long_bias ? sums[c] : (int32_t)(uint32_t)(uint64_t)sums[c];
        const int64_t to = pixel * l->oc + c;
        if (y->dtype == UNCORK_FLOAT32) {
            ((float *)y->data)[to] = (float)sum * l->scale[c];
        } else if (l->wide) {
            ((int16_t *)y->data)[to] = (int16_t)uc_q_scaled(l, sum, c);
        } else {
            ((uint8_t *)y->data)[to] = (uint8_t)uc_q_scaled(l, sum, c);
        }
    }
}

/* One channel a group, of bytes, rounded as floats: pixel by pixel, where they lie. */
static void run_each(const plain_job *job, int64_t row, const uint8_t **under)
{
    const uc_q_layer *l = job->l;
    const int64_t oh = job->y->shape[1], ow = job->y->shape[2], ic = l->ic;
    const int64_t h = job->x->shape[1], w = job->x->shape[2], kw = l->window.kernel[1];
    const uint8_t *picture = (const uint8_t *)job->x->data + row / oh * h * w * ic;
    const uc_depthwise_wide d = {.c = l->oc,
                                 .w = l->w,
                                 .bias = l->bias,
                                 .scale = l->scale,
                                 .x_zero = l->x_zero,
                                 .zero = l->zero,
                                 .low = l->low,
                                 .high = l->high};
    const uc_depthwise_wide_fn run = uc_depthwise_wide_row();
    for (int64_t ox = 0; ox < ow; ox++) {
        for (int64_t ky = 0; ky < l->window.kernel[0]; ky++) {
            const int64_t iy = source_of(l, 0, row % oh, ky, h);
            for (int64_t kx = 0; kx < kw; kx++) {
                const int64_t ix = iy < 0 ? -1 : source_of(l, 1, ox, kx, w);
                under[ky * kw + kx] = ix < 0 ? NULL : picture + (iy * w + ix) * ic;
            }
        }
        run(&d, under, l->window.kernel[0] * kw, (uint8_t *)job->y->data + (row * ow + ox) * l->oc);
    }
}

static bool is_each(const plain_job *job)
{
    const uc_q_layer *l = job->l;
    return l->group == l->oc && l->ic == l->oc && !l->wide && !l->differences && !l->long_bias &&
           l->rounding == UC_Q_FLOAT && job->y->dtype == UNCORK_UINT8;
}

static void run_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const plain_job *job = context;
    const uc_q_layer *l = job->l;
    const int64_t taps = l->window.kernel[0] * l->window.kernel[1];
    const int64_t oh = job->y->shape[1], ow = job->y->shape[2];
    int16_t *patch = job->patch + thread * taps * l->ic;
    int64_t *sums = job->sums + thread * l->oc;
    for (int64_t row = begin; row < end; row++) {
        if (job->each) {
            run_each(job, row, job->under + thread * taps);
            continue;
        }
        for (int64_t ox = 0; ox < ow; ox++) {
            gather(job, row / oh, row % oh, ox, patch);
            if (l->ic == l->group)
                sum_depthwise(l, patch, taps, job->small + thread * l->oc, sums);
            else
                sum_dense(l, patch, taps, sums);
            put(l, sums, job->y, row * ow + ox);
        }
    }
}

uncork_status uc_q_layer_run(uc_call *call, const uc_q_layer *l, const uc_tensor *x, uc_tensor *y)
{
    const size_t threads = (size_t)uc_pool_threads(call->pool);
    const int64_t taps = l->window.kernel[0] * l->window.kernel[1];
    plain_job job = {.l = l, .x = x, .y = y};
    job.patch = uc_call_scratch(call, threads, (size_t)(taps * l->ic) * sizeof *job.patch);
    job.sums = uc_call_scratch(call, threads, (size_t)l->oc * sizeof *job.sums);
    job.small = uc_call_scratch(call, threads, (size_t)l->oc * sizeof *job.small);
    job.under = uc_call_scratch(call, threads, (size_t)taps * sizeof *job.under);
    if (!job.patch || !job.sums || !job.small || !job.under) return call->error->status;
    job.each = is_each(&job);
    uc_parallel(call->pool, y->shape[0] * y->shape[1], 1, run_rows, &job);
    return UNCORK_OK;
}

/* ---- weights with a zero point ------------------------------------------------------------------- */

typedef struct shift_job {
    const uc_q_layer *l;
    const uc_tensor *x, *y;
    int32_t *sums;    /* [n, h, w]: of x's channels less the zero point */
    int32_t *columns; /* a thread: [w] */
    int32_t *to;
} shift_job;

static void sum_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const shift_job *job = context;
    const int64_t w = job->x->shape[2], ic = job->l->ic;
    (void)thread;
    uc_channel_sums((const uint8_t *)job->x->data + begin * w * ic, (end - begin) * w, ic,
                    job->l->x_zero * (int32_t)ic, job->sums + begin * w);
}

/* The rows under the window are added up, then its columns. */
static void shift_row(const shift_job *job, int64_t row, int32_t *restrict columns)
{
    const uc_q_layer *l = job->l;
    const int64_t h = job->x->shape[1], w = job->x->shape[2];
    const int64_t oh = job->y->shape[1], ow = job->y->shape[2];
    int32_t *to = job->to + row * ow;
    memset(columns, 0, (size_t)w * sizeof *columns);
    for (int64_t ky = 0; ky < l->window.kernel[0]; ky++) {
        const int64_t iy = source_of(l, 0, row % oh, ky, h);
        if (iy < 0) continue;
        const int32_t *restrict from = job->sums + (row / oh * h + iy) * w;
        for (int64_t x = 0; x < w; x++)
            columns[x] = (int32_t)((uint32_t)columns[x] + (uint32_t)from[x]);
    }
    memset(to, 0, (size_t)ow * sizeof *to);
    for (int64_t kx = 0; kx < l->window.kernel[1]; kx++) {
        const int64_t before = l->window.pad[1] - kx * l->window.dilation[1];
        const int64_t stride = l->window.stride[1];
        int64_t ox = before > 0 ? (before + stride - 1) / stride : 0;
        for (; ox < ow && ox * stride - before < w; ox++)
            to[ox] = (int32_t)((uint32_t)to[ox] + (uint32_t)columns[ox * stride - before]);
    }
    for (int64_t ox = 0; ox < ow; ox++)
        to[ox] = (int32_t)((uint32_t)to[ox] * (uint32_t)l->w_zero);
}

static void shift_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const shift_job *job = context;
    for (int64_t row = begin; row < end; row++)
        shift_row(job, row, job->columns + thread * job->x->shape[2]);
}

int32_t *uc_q_layer_shifts(uc_call *call, const uc_q_layer *l, const uc_tensor *x,
                           const uc_tensor *y)
{
    const int64_t h = x->shape[1], w = x->shape[2], rows = x->shape[0] * h;
    const int64_t count = y->shape[0] * y->shape[1] * y->shape[2];
    const size_t threads = (size_t)uc_pool_threads(call->pool);
    const int64_t grain = 1 + 16384 / (w * l->ic + 1);
    shift_job job = {.l = l, .x = x, .y = y};
    job.sums = uc_call_scratch(call, (size_t)(rows * w) + 1, sizeof *job.sums);
    job.to = uc_call_scratch(call, (size_t)count + 1, sizeof *job.to);
    job.columns = uc_call_scratch(call, threads, (size_t)(w + 1) * sizeof *job.columns);
    if (!job.sums || !job.to || !job.columns) return NULL;
    uc_parallel(call->pool, rows, grain, sum_rows, &job);
    uc_parallel(call->pool, y->shape[0] * y->shape[1], grain, shift_rows, &job);
    return job.to;
}
