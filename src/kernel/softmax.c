/* Softmax and log-softmax along the middle of [outer, red, inner]. The maximum is subtracted, so no
 * finite x overflows; sums run in float64. */
#include "kernel/reduce.h"

#include <math.h>

#define PARALLEL_FROM 32768

#define SOFTMAX(S, T)                                                                          \
    static void one_##S(const T *x, T *y, int64_t red, int64_t step, bool log_too)             \
    {                                                                                          \
        double max = -HUGE_VAL, sum = 0;                                                       \
        for (int64_t r = 0; r < red; r++) {                                                    \
            const double v = (double)x[r * step];                                              \
            max = v > max || v != v ? v : max;                                                 \
        }                                                                                      \
        for (int64_t r = 0; r < red; r++) {                                                    \
            const double v = (double)x[r * step] - max;                                        \
            const double e = exp(v);                                                           \
            sum += e;                                                                          \
            y[r * step] = (T)(log_too ? v : e);                                                \
        }                                                                                      \
        const double log_sum = log(sum);                                                       \
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
