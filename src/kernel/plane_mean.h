/* Means over the pixels of blocked pictures. */
#ifndef UC_KERNEL_PLANE_MEAN_H
#define UC_KERNEL_PLANE_MEAN_H

#include "base/thread.h"

/* y[plane][b] = mean of x[plane][pixels][b]: in float32 over 64 pixels, these in float64. Planes are
 * split over threads, a plane never, so the bits don't depend on their number. block <= 64. */
void uc_plane_mean(const float *x, float *y, int64_t planes, int64_t pixels, int64_t block,
                   uncork_pool *pool);

#endif
