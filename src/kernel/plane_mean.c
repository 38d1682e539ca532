#include "kernel/plane_mean.h"

enum { CHUNK = 64, MOST_BLOCK = 64 };

typedef struct job {
    const float *x;
    float *y;
    int64_t pixels, block;
} job;

/* Two sums at a time, so that one addition needn't wait for the other. */
static void sum_chunk(const float *x, int64_t pixels, int64_t block, float *sum)
{
    float odd[MOST_BLOCK] = {0};
    int64_t i = 0;
    for (int64_t c = 0; c < block; c++) {
        sum[c] = 0;
    }
    for (; i + 1 < pixels; i += 2, x += 2 * block) {
        for (int64_t c = 0; c < block; c++) {
            sum[c] += x[c];
            odd[c] += x[block + c];
        }
    }
    for (int64_t c = 0; c < block; c++) {
        sum[c] += odd[c] + (i < pixels ? x[c] : 0);
    }
}

static void body(void *context, int64_t begin, int64_t end, int thread)
{
    const job *j = context;
    (void)thread;
    for (int64_t p = begin; p < end; p++) {
        const float *x = j->x + p * j->pixels * j->block;
        double all[MOST_BLOCK] = {0};
        float some[MOST_BLOCK];
        for (int64_t i = 0; i < j->pixels; i += CHUNK) {
            const int64_t left = j->pixels - i, many = left < CHUNK ? left : CHUNK;
            if (j->block == 16) { /* a number the compiler knows: whole vectors */
                sum_chunk(x + i * 16, many, 16, some);
            } else {
                sum_chunk(x + i * j->block, many, j->block, some);
            }
            for (int64_t c = 0; c < j->block; c++) {
                all[c] += (double)some[c];
            }
        }
        for (int64_t c = 0; c < j->block; c++) {
            j->y[p * j->block + c] = (float)(all[c] / (double)j->pixels);
        }
    }
}

void uc_plane_mean(const float *x, float *y, int64_t planes, int64_t pixels, int64_t block,
                   uncork_pool *pool)
{
    enum { PIECE = 8192 }; /* numbers a thread reads at once */
    job j = {.x = x, .y = y, .pixels = pixels, .block = block};
    const int64_t grain = PIECE / (pixels * block + 1) + 1;
    uc_parallel(pool, planes, grain, body, &j);
}
