/* Blocked convolution in plain loops, for any block and any machine: the oracle of the other rows.
 * Packed: bias [blocks, b], then weights [blocks, ic or 1, kh, kw, b], lanes beyond oc zero. */
#include "base/bytes.h"
#include "base/cpu.h"
#include "kernel/conv_blocked_rows.h"

#include <math.h>

static int64_t blocks_of(int64_t channels, int64_t block) { return (channels + block - 1) / block; }

static uc_conv_method method(const uc_conv *c)
{
    (void)c;
    return UC_CONV_DIRECT;
}

static int64_t depth(const uc_conv *c) { return c->depthwise ? 1 : c->ic; }

static bool packed_count(const uc_conv *c, size_t *count)
{
    size_t lanes = (size_t)(blocks_of(c->oc, c->block) * c->block), taps, weights;
    return uc_mul_size((size_t)c->kh, (size_t)c->kw, &taps) &&
           uc_mul_size(taps, (size_t)depth(c), &taps) && uc_mul_size(taps, lanes, &weights) &&
           uc_add_size(weights, lanes, count);
}

static void pack(const uc_conv *c, const float *weights, const float *bias, float *packed)
{
    const int64_t b = c->block, blocks = blocks_of(c->oc, b), taps = depth(c) * c->kh * c->kw;
    for (int64_t o = 0; o < blocks * b; o++) {
        packed[o] = bias && o < c->oc ? bias[o] : 0;
    }
    float *to = packed + blocks * b;
    for (int64_t o = 0; o < blocks * b; o++) {
        for (int64_t t = 0; t < taps; t++) {
            to[((o / b) * taps + t) * b + o % b] = o < c->oc ? weights[o * taps + t] : 0;
        }
    }
}

static bool scratch_count(const uc_conv *c, int threads, size_t *count)
{
    (void)c;
    (void)threads;
    *count = 0;
    return true;
}

typedef struct job {
    const uc_conv *c;
    const uc_conv_args *args;
} job;

/* Where channel i of pixel (h, w) of image n is. */
static const float *pixel(const job *j, int64_t n, int64_t i, int64_t h, int64_t w)
{
    const uc_conv *c = j->c;
    const int64_t b = c->plain ? 1 : c->block, at = (n * blocks_of(c->ic, b) + i / b) * c->ih + h;
    return j->args->x + (at * c->iw + w) * b + i % b;
}

static void one_tap(const job *j, int64_t n, int64_t o, int64_t h, int64_t w, const float *weights,
                    float *sum)
{
    const uc_conv *c = j->c;
    const int64_t b = c->block, taps = c->kh * c->kw;
    if (c->depthwise) {
        const float *x = pixel(j, n, o * b, h, w);
        for (int64_t lane = 0; lane < b; lane++) {
            sum[lane] += x[lane] * weights[lane];
        }
        return;
    }
    for (int64_t i = 0; i < c->ic; i++) {
        const float x = *pixel(j, n, i, h, w);
        for (int64_t lane = 0; lane < b; lane++) {
            sum[lane] += x * weights[i * taps * b + lane];
        }
    }
}

static void one_pixel(const job *j, int64_t n, int64_t o, int64_t oh, int64_t ow)
{
    const uc_conv *c = j->c;
    const int64_t b = c->block, blocks = blocks_of(c->oc, b), taps = c->kh * c->kw;
    const float *bias = j->args->packed + o * b;
    const float *weights = j->args->packed + (blocks + o * depth(c) * taps) * b;
    float sum[UC_CONV_MAX_BLOCK];
    memcpy(sum, bias, (size_t)b * sizeof *sum);
    for (int64_t t = 0; t < taps; t++) {
        const int64_t h = oh * c->stride_h + t / c->kw * c->dilation_h - c->pad_top;
        const int64_t w = ow * c->stride_w + t % c->kw * c->dilation_w - c->pad_left;
        if (h < 0 || h >= c->ih || w < 0 || w >= c->iw) continue;
        one_tap(j, n, o, h, w, weights + t * b, sum);
    }
    const int64_t at = (((n * blocks + o) * c->oh + oh) * c->ow + ow) * b;
    for (int64_t lane = 0; lane < b; lane++) {
        const float add = j->args->residual ? j->args->residual[at + lane] : 0;
        j->args->y[at + lane] = uc_act_scalar(c->act, sum[lane] + add);
    }
}

/* Rows of outputs, over all images and blocks. */
static void some_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    const int64_t blocks = blocks_of(j->c->oc, j->c->block), oh = j->c->oh;
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        for (int64_t w = 0; w < j->c->ow; w++) {
            one_pixel(j, r / oh / blocks, r / oh % blocks, r % oh, w);
        }
    }
}

static void run(const uc_conv *c, const uc_conv_args *args)
{
    job j = {c, args};
    uc_parallel(args->pool, c->batch * blocks_of(c->oc, c->block) * c->oh, 1, some_rows, &j);
}

static bool chain_scratch(const uc_chain *c, int threads, size_t *count)
{
    return uc_chain_apart_scratch(&uc_conv_scalar, c, threads, count);
}

static void chain_run(const uc_chain *c, const uc_chain_args *args)
{
    uc_chain_apart_run(&uc_conv_scalar, c, args);
}

static void activate(const uc_act *act, float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = uc_act_scalar(*act, x[i]);
    }
}

static void softmax(float *x, const float *mask, float scale, int64_t n)
{
    float top = -HUGE_VALF;
    double total = 0;
    for (int64_t i = 0; i < n; i++) {
        x[i] = mask ? x[i] * scale + mask[i] : x[i] * scale;
        top = x[i] > top ? x[i] : top;
    }
    for (int64_t i = 0; i < n; i++) {
        x[i] = expf(x[i] - top);
        total += (double)x[i];
    }
    const float share = (float)(1 / total);
    for (int64_t i = 0; i < n; i++) {
        x[i] *= share;
    }
}

const uc_conv_row uc_conv_scalar = {.needs = UC_CPU_ANY,
                                    .name = "scalar",
                                    .block = 0,
                                    .method = method,
                                    .packed_count = packed_count,
                                    .pack = pack,
                                    .scratch_count = scratch_count,
                                    .run = run,
                                    .chain_scratch = chain_scratch,
                                    .chain_run = chain_run,
                                    .activate = activate,
                                    .pool = uc_pool_blocked_run,
                                    .softmax = softmax};
