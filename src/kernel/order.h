/* Order of elements of any numeric type: keys that compare as unsigned numbers, and sorting. */
#ifndef UC_KERNEL_ORDER_H
#define UC_KERNEL_ORDER_H

#include "base/tensor.h"

/* A number whose order is the element's: NaN above all (as NumPy sorts it), both zeros equal. */
uint64_t uc_order_key(const void *data, int64_t i, uncork_dtype dtype);

typedef struct uc_ordered {
    uint64_t key;
    int64_t index;
} uc_ordered;

/* The k smallest by key, then index, in order, into heap[k]; `n` items are read through `at`. */
typedef uint64_t (*uc_key_fn)(const void *context, int64_t i);
void uc_order_smallest(uc_ordered *heap, int64_t k, uc_key_fn key, const void *context, int64_t n);

/* Sorts indices by a comparison, equal ones in their order (merge sort); `room` holds n. */
typedef int (*uc_compare_fn)(const void *context, int64_t a, int64_t b);
void uc_order_indices(int64_t *indices, int64_t *room, int64_t n, uc_compare_fn compare,
                      const void *context);

#endif
