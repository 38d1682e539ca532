/* Sums of values and of the pairs on both sides of them, times weights that are the same on both sides:
 * a Gaussian over rows of doubles. Each sum runs from the outermost pair in, so the bits are the same in
 * every row. */
#ifndef UC_KERNEL_MIRROR_SUM_H
#define UC_KERNEL_MIRROR_SUM_H

#include <stddef.h>

/* out[i] = mid[i] * w[0] + (before[radius-1][i] + after[radius-1][i]) * w[radius] + ... down to w[1]. */
typedef void (*uc_mirror_sum_fn)(const double *mid, const double *const *before,
                                 const double *const *after, const double *w, int radius, size_t n,
                                 double *out);

/* The best this machine has. */
uc_mirror_sum_fn uc_mirror_sum(void);

void uc_mirror_sum_scalar(const double *mid, const double *const *before,
                          const double *const *after, const double *w, int radius, size_t n,
                          double *out);
void uc_mirror_sum_avx2(const double *mid, const double *const *before, const double *const *after,
                        const double *w, int radius, size_t n, double *out);
void uc_mirror_sum_avx512(const double *mid, const double *const *before,
                          const double *const *after, const double *w, int radius, size_t n,
                          double *out);

#endif
