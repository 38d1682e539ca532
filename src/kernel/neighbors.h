/* Selecting the k nearest with the order scikit-learn gives to equal distances: its heap, its sorts,
 * its trees and NumPy's argpartition. Only for rows where distances do tie: see op_neighbors.c. */
#ifndef UC_KERNEL_NEIGHBORS_H
#define UC_KERNEL_NEIGHBORS_H

#include <stdbool.h>
#include <stdint.h>

/* A max-heap of fixed size; empty places hold value INFINITY (in ArgKmin DBL_MAX: the same) and
 * index 0. A value not below the largest isn't taken. Source: sklearn/utils/_heap.pyx. */
void uc_heap_clear(double *values, int64_t *indices, int64_t size);
void uc_heap_push(double *values, int64_t *indices, int64_t size, double value, int64_t index);

/* Sorts pairs by value as sklearn/utils/_sorting.pyx does: its quicksort until 1.8 (the same as in
 * neighbors/binary_tree.pxi before), its introsort from 1.9 on. */
void uc_sort_pairs_quick(double *values, int64_t *indices, int64_t size);
void uc_sort_pairs_intro(double *values, int64_t *indices, int64_t size);

/* numpy.argpartition(v, k - 1)[:k], then in numpy.argsort's order; order: [count], the first k are
 * the answer. Source: numpy/core/src/npysort/selection.c.src and quicksort.c.src, the portable
 * versions; NumPy 2 with AVX-512 may order ties differently. NaN is largest. */
void uc_partition_smallest(const double *v, int64_t count, int64_t k, int64_t *order);

/* A node of a KDTree or BallTree; children of node i are 2i+1 and 2i+2. */
typedef struct uc_tree_node {
    int64_t begin, end; /* into the tree's row order */
    bool is_leaf;
} uc_tree_node;

/* Visits the tree depth first, nearer child first, pushing rows on the heap.
 * bounds: [nodes] least reduced distance of the query to each node; reduced: [rows] of each row;
 * order: the tree's row order. Source: neighbors/binary_tree.pxi, _query_single_depthfirst. */
void uc_tree_query(const uc_tree_node *nodes, const double *bounds, const int64_t *order,
                   const double *reduced, int64_t node, double *values, int64_t *indices,
                   int64_t k);

/* Sum of n numbers, pairwise as NumPy adds along a contiguous axis.
 * Source: numpy/core/src/umath/loops_utils.h.src, pairwise_sum. */
double uc_pairwise_sum(const double *v, int64_t n);

#endif
