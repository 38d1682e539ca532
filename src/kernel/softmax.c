/* Softmax and log-softmax along the middle of [outer, red, inner]. The maximum is subtracted, so no
 * finite x overflows; sums run in float64, in the order of the elements. */
#include "kernel/reduce.h"
#include "kernel/vmath.h"

#include <math.h>

#define PARALLEL_FROM 32768
#define CHUNK         64

/* A row of `red` elements `step` apart, CHUNK at a time: exp is taken of arrays. */
#define SOFTMAX(S, T)                                                                          \
    static void one_##S(const T *x, T *y, int64_t red, int64_t step, bool log_too)             \
    {                                                                                          \
        double max = -HUGE_VAL, sum = 0, e[CHUNK];                                             \
        for (int64_t r = 0; r < red; r++) {                                                    \
            const double v = (double)x[r * step];                                              \
            max = v > max || v != v ? v : max;                                                 \
        }                                                                                      \
        for (int64_t at = 0; at < red; at += CHUNK) {                                          \
            const int64_t some = red - at < CHUNK ? red - at : CHUNK;                          \
            for (int64_t i = 0; i < some; i++) {                                               \
                e[i] = (double)x[(at + i) * step] - max;                                       \
                if (log_too) y[(at + i) * step] = (T)e[i];                                     \
            }                                                                                  \
            uc_exp_f64(e, e, (size_t)some);                                                    \
            for (int64_t i = 0; i < some; i++) {                                               \
                sum += e[i];                                                                   \
                if (!log_too) y[(at + i) * step] = (T)e[i];                                    \
            }                                                                                  \
        }                                                                                      \
        const double log_sum = log_too ? log(sum) : 0;                                         \
        for (int64_t r = 0; r < red; r++) {                                                    \
            const double v = (double)y[r * step];                                              \
            y[r * step] = (T)(log_too ? v - log_sum : v / sum);                                \
        }                                                                                      \
    }                                                                                          \
    typedef struct job_##S {                                                                   \
        const T *x;                                                                            \
        T *y;                                                                                  \
        int64_t red, inner;                                                                    \
        bool log;                                                                              \
    } job_##S;                                                                                 \
    static void rows_##S(void *context, int64_t begin, int64_t end, int thread)                \
    {                                                                                          \
        const job_##S *j = context;                                                            \
        (void)thread;                                                                          \
        for (int64_t i = begin; i < end; i++) {                                                \
            int64_t at = i / j->inner * j->red * j->inner + i % j->inner;                      \
            one_##S(j->x + at, j->y + at, j->red, j->inner, j->log);                           \
        }                                                                                      \
    }                                                                                          \
    void uc_softmax_##S(const T *x, T *y, int64_t outer, int64_t red, int64_t inner, bool log, \
                        uncork_pool *pool)                                                     \
    {                                                                                          \
        job_##S j = {x, y, red, inner, log};                                                   \
        bool small = outer * red * inner < PARALLEL_FROM;                                      \
        uc_parallel(small ? NULL : pool, outer *inner, 4096 / (red + 1) + 1, rows_##S, &j);    \
    }

SOFTMAX(f64, double)
SOFTMAX(f32, float)
