/* Walks arrays that broadcast against each other, innermost dimension by innermost dimension, as
 * NumPy's ufuncs do. No allocation, no failure. */
#ifndef UC_KERNEL_WALK_H
#define UC_KERNEL_WALK_H

#include "base/tensor.h"
#include "base/thread.h"

#define UC_WALK_ARRAYS 5

/* n elements: array k is at p[k], its elements step[k] bytes apart (0: one element for all). */
typedef void (*uc_loop_fn)(char *const *p, const int64_t *step, int64_t n);

typedef struct uc_walk {
    int arrays, rank;
    int64_t shape[UNCORK_MAX_RANK];
    int64_t step[UNCORK_MAX_RANK][UC_WALK_ARRAYS]; /* bytes */
    char *base[UC_WALK_ARRAYS];
} uc_walk;

/* An empty walk over `shape`. */
void uc_walk_begin(uc_walk *w, int rank, const int64_t *shape);
/* Adds an array that broadcasts to the walk's shape: dense, or strided when `stride` (in elements,
 * one a dimension of its own shape) is given. */
void uc_walk_add(uc_walk *w, const void *data, size_t size, int rank, const int64_t *shape,
                 const int64_t *stride);
/* Merges dimensions that every array walks as one. */
void uc_walk_fold(uc_walk *w);
/* Runs the loop; split over the pool's threads when there is enough to do (elements are independent,
 * so the result is the same for any number). */
void uc_walk_run(const uc_walk *w, uc_loop_fn loop, uncork_pool *pool);

#endif
