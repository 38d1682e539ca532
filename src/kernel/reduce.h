/* Reductions over the middle of [outer, red, inner]. Each output's order of summation depends on red
 * alone: NumPy's pairwise sums where inner is 1, one after the other elsewhere. */
#ifndef UC_KERNEL_REDUCE_H
#define UC_KERNEL_REDUCE_H

#include "base/tensor.h"
#include "base/thread.h"

typedef enum uc_reduce {
    UC_REDUCE_SUM,
    UC_REDUCE_MEAN,
    UC_REDUCE_PROD,
    UC_REDUCE_MAX, /* NaN when one is; -inf for nothing */
    UC_REDUCE_MIN,
    UC_REDUCE_L1,
    UC_REDUCE_L2,
    UC_REDUCE_SUM_SQUARE,
    UC_REDUCE_LOG_SUM,
    UC_REDUCE_LOG_SUM_EXP,
} uc_reduce;

/* x: f32 or f64, dense [outer, red, inner]; y: the same type [outer, inner]. Sums run in float64. */
void uc_reduce_f64(uc_reduce op, const double *x, double *y, int64_t outer, int64_t red,
                   int64_t inner, uncork_pool *pool);
void uc_reduce_f32(uc_reduce op, const float *x, float *y, int64_t outer, int64_t red,
                   int64_t inner, uncork_pool *pool);
/* SUM, MEAN (cut towards zero), PROD, MAX, MIN, L1, SUM_SQUARE; wraps. */
void uc_reduce_i64(uc_reduce op, const int64_t *x, int64_t *y, int64_t outer, int64_t red,
                   int64_t inner);
void uc_reduce_u64(uc_reduce op, const uint64_t *x, uint64_t *y, int64_t outer, int64_t red,
                   int64_t inner);

/* Index of the first (last) maximum or minimum; a NaN counts as beyond every number, the first one
 * wins, as in NumPy. y int64 [outer, inner]. False: no such type. */
typedef struct uc_arg_reduce {
    const void *x;
    uncork_dtype dtype;
    int64_t *y;
    int64_t outer, red, inner;
    bool max, last;
} uc_arg_reduce;
bool uc_arg_reduce_run(const uc_arg_reduce *a);

/* Softmax along the middle: y = exp(x - max) / sum; log: x - max - log(sum). y may be x. */
void uc_softmax_f64(const double *x, double *y, int64_t outer, int64_t red, int64_t inner, bool log,
                    uncork_pool *pool);
void uc_softmax_f32(const float *x, float *y, int64_t outer, int64_t red, int64_t inner, bool log,
                    uncork_pool *pool);

#endif
