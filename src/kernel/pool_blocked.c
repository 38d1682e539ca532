/* Maximum and average pooling of channel-blocked tensors, and the way into that layout and back. The
 * loops over lanes are for the compiler's vectoriser; both are bound by memory. */
#include "kernel/conv_blocked.h"

#include <math.h>
#include <string.h>

typedef struct pool_job {
    const uc_pool_blocked *p;
    const float *x;
    float *y;
} pool_job;

/* Taps of one axis that fall inside [0, size): first and one past the last. */
static void clip_taps(int64_t begin, int64_t taps, int64_t dilation, int64_t size, int64_t *first,
                      int64_t *last)
{
    *first = begin < 0 ? (-begin + dilation - 1) / dilation : 0;
    *last = begin >= size ? 0 : (size - begin + dilation - 1) / dilation;
    if (*last > taps) *last = taps;
    if (*first > *last) *first = *last;
}

/* Taps inside [-before, size + after): what an average that counts padding divides by. */
static int64_t padded_taps(int64_t begin, int64_t taps, int64_t dilation, int64_t size)
{
    if (begin >= size) return 0;
    const int64_t last = (size - begin + dilation - 1) / dilation;
    return last < taps ? last : taps;
}

static void pool_pixel(const pool_job *j, const float *x, int64_t oh, int64_t ow, float *y)
{
    const uc_pool_blocked *p = j->p;
    const int64_t b = p->block, h = oh * p->stride_h - p->pad_top,
                  w = ow * p->stride_w - p->pad_left;
    int64_t h0, h1, w0, w1;
    clip_taps(h, p->kh, p->dilation_h, p->ih, &h0, &h1);
    clip_taps(w, p->kw, p->dilation_w, p->iw, &w0, &w1);
    for (int64_t lane = 0; lane < b; lane++) {
        y[lane] = p->average ? 0 : -INFINITY;
    }
    for (int64_t kh = h0; kh < h1; kh++) {
        for (int64_t kw = w0; kw < w1; kw++) {
            const float *from = x + ((h + kh * p->dilation_h) * p->iw + w + kw * p->dilation_w) * b;
            if (p->average) {
                for (int64_t lane = 0; lane < b; lane++) {
                    y[lane] += from[lane];
                }
            } else {
                for (int64_t lane = 0; lane < b; lane++) {
                    y[lane] =
                        from[lane] > y[lane] || from[lane] != from[lane] ? from[lane] : y[lane];
                }
            }
        }
    }
    if (!p->average) return;
    int64_t count = (h1 - h0) * (w1 - w0);
    if (p->count_pads) {
        count = padded_taps(h, p->kh, p->dilation_h, p->ih + p->pad_bottom) *
                padded_taps(w, p->kw, p->dilation_w, p->iw + p->pad_right);
    }
    for (int64_t lane = 0; lane < b && count > 0; lane++) {
        y[lane] /= (float)count;
    }
}

static void pool_rows(void *context, int64_t begin, int64_t end, int thread)
{
    const pool_job *j = context;
    const uc_pool_blocked *p = j->p;
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        const float *x = j->x + r / p->oh * p->ih * p->iw * p->block;
        for (int64_t w = 0; w < p->ow; w++) {
            pool_pixel(j, x, r % p->oh, w, j->y + (r * p->ow + w) * p->block);
        }
    }
}

void uc_pool_blocked_run(const uc_pool_blocked *p, const float *x, float *y, uncork_pool *pool)
{
    pool_job j = {p, x, y};
    int64_t rows = 1 + 16384 / (1 + p->ow * p->block);
    uc_parallel(pool, p->planes * p->oh, rows, pool_rows, &j);
}

/* ---- layout --------------------------------------------------------------------------------- */

enum {
    STRIP = 64,  /* pixels at a time: a strip of all lanes stays in the first cache */
    PIECE = 2048 /* numbers that a thread takes at least */
};

typedef struct layout_job {
    const float *x;
    float *y;
    int64_t channels, pixels, block;
} layout_job;

static void to_blocks(void *context, int64_t begin, int64_t end, int thread)
{
    const layout_job *j = context;
    const int64_t b = j->block, blocks = (j->channels + b - 1) / b;
    (void)thread;
    for (int64_t k = begin; k < end; k++) {
        const int64_t first = k % blocks * b, left = j->channels - first,
                      have = left < b ? left : b;
        const float *x = j->x + (k / blocks * j->channels + first) * j->pixels;
        float *y = j->y + k * j->pixels * b;
        if (have < b) memset(y, 0, (size_t)(j->pixels * b) * sizeof *y);
        for (int64_t p = 0; p < j->pixels; p += STRIP) {
            const int64_t end_of_strip = p + STRIP < j->pixels ? p + STRIP : j->pixels;
            for (int64_t c = 0; c < have; c++) {
                for (int64_t q = p; q < end_of_strip; q++) {
                    y[q * b + c] = x[c * j->pixels + q];
                }
            }
        }
    }
}

static void from_blocks(void *context, int64_t begin, int64_t end, int thread)
{
    const layout_job *j = context;
    const int64_t b = j->block, blocks = (j->channels + b - 1) / b;
    (void)thread;
    for (int64_t k = begin; k < end; k++) {
        const int64_t first = k % blocks * b, left = j->channels - first,
                      have = left < b ? left : b;
        const float *x = j->x + k * j->pixels * b;
        float *y = j->y + (k / blocks * j->channels + first) * j->pixels;
        for (int64_t p = 0; p < j->pixels; p += STRIP) {
            const int64_t end_of_strip = p + STRIP < j->pixels ? p + STRIP : j->pixels;
            for (int64_t c = 0; c < have; c++) {
                for (int64_t q = p; q < end_of_strip; q++) {
                    y[c * j->pixels + q] = x[q * b + c];
                }
            }
        }
    }
}

void uc_to_blocked(const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels,
                   int64_t block, uncork_pool *pool)
{
    layout_job j = {x, y, channels, pixels, block};
    const int64_t count = batch * ((channels + block - 1) / block);
    uc_parallel(pool, count, 1 + PIECE / (1 + pixels * block), to_blocks, &j);
}

void uc_from_blocked(const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels,
                     int64_t block, uncork_pool *pool)
{
    layout_job j = {x, y, channels, pixels, block};
    const int64_t count = batch * ((channels + block - 1) / block);
    uc_parallel(pool, count, 1 + PIECE / (1 + pixels * block), from_blocks, &j);
}
