/* Loops over pairs of rows for distances and nearest neighbours: one row against packed rows.
 *
 * Float64 sums run over the features in order, one rounding an operation, as the loops of
 * scikit-learn's metrics/_dist_metrics.pyx do: equal pairs give equal bits on every instruction set.
 * The float32 screen is approximate (it may fuse and reorder); its caller owns the error bound. */
#ifndef UC_KERNEL_DISTANCE_H
#define UC_KERNEL_DISTANCE_H

#include <stdint.h>

enum {
    UC_DISTANCE_LANES = 16, /* rows of a float64 panel: [width][16] */
    UC_SCREEN_LANES = 64,   /* rows of a float32 panel: [width][64] */
    UC_SCREEN_ROWS = 6,     /* queries of one screen call, at most */
};

/* What is summed over the features j of a query x and a row y; w: [width]. */
typedef enum uc_sum {
    UC_SUM_SQUARE,       /* (x-y)^2 */
    UC_SUM_SQUARE_OVER,  /* (x-y)^2 / w */
    UC_SUM_SQUARE_TIMES, /* w * (x-y)^2 */
    UC_SUM_ABS,          /* |x-y| */
    UC_SUM_ABS_TIMES,    /* w * |x-y| */
    UC_SUM_MAX,          /* max |x-y| */
    UC_SUM_UNEQUAL,      /* x != y */
    UC_SUM_CANBERRA,     /* |x-y| / (|x|+|y|), 0 where that is 0/0 */
    UC_SUM_BRAY_ABS,     /* |x-y|; second |x|+|y| */
    UC_SUM_BRAY_SUM,     /* |x-y|; second |x+y| */
    UC_SUM_BOOL,         /* x&&y; second x&&!y; third !x&&y */
    UC_SUM_DOT,          /* x*y */
    UC_SUM_PRESENT,      /* (x-y)^2 where neither is NaN; second: how many */
    UC_SUM_COUNT,
} uc_sum;

/* sums: [3][16], those the sum has are written. x: [width], panel: [width][16]. */
typedef void (*uc_distance_fn)(const double *x, const double *panel, const double *w, int64_t width,
                               double *sums);

typedef struct uc_distance_kernels {
    uc_distance_fn sum[UC_SUM_COUNT];
    /* out[r][l] = half[l] - x[r].panel[.][l] for rows <= UC_SCREEN_ROWS queries [rows, ldx]. */
    void (*screen)(const float *panel, const float *half, const float *x, int64_t ldx, int rows,
                   int64_t width, float *out);
    /* Bit i: v[i] <= limit, of v[0..64). */
    uint64_t (*below)(const float *v, float limit);
    /* out[i] = |x - y[index[i]]|^2 for count rows of y [., width], each summed in the same but any
     * order, fused or not. */
    void (*squares)(const double *x, const double *y, const int64_t *index, int64_t count,
                    int64_t width, double *out);
} uc_distance_kernels;

/* The best this machine has. */
const uc_distance_kernels *uc_distance(void);

extern const uc_distance_kernels uc_distance_scalar, uc_distance_avx2, uc_distance_avx512;

#endif
