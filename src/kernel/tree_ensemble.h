/* Decision trees walked for many rows, or for many trees, at once. Loops over packed nodes only: the
 * operator (op/ext/op_tree_ensemble.c) has checked every index before. All rows of the table give the
 * same leaves, so the same bits.
 *
 * A packed tree is breadth first with siblings beside each other: the right child is left + 1. A step
 * is next = left + !(x[feature] <= threshold, or x is NaN and the node sends NaN left). A leaf leads
 * back to itself: its "left" is itself, its threshold +inf and NaN goes left, so every row may be
 * walked for as many steps as the tree is deep without a branch. */
#ifndef UC_KERNEL_TREE_ENSEMBLE_H
#define UC_KERNEL_TREE_ENSEMBLE_H

#include <stddef.h>
#include <stdint.h>

/* meta: left << left_shift | feature << 1 | NaN goes left. `left` counts inside the tree. */
typedef struct uc_tree_node_f32 {
    float threshold;
    uint32_t meta;
} uc_tree_node_f32;

typedef struct uc_tree_node_f64 {
    double threshold;
    uint32_t meta;
    uint32_t unused;
} uc_tree_node_f64;

/* Nodes past the last tree that may be read (and are not used). */
#define UC_TREE_PADDING   32
/* Rows of a block, at most. */
#define UC_TREE_BLOCK     256
/* Trees of one row found at a time. */
#define UC_TREE_CHUNK     256
/* The largest number of nodes of all trees: they are addressed with 32-bit signed numbers. */
#define UC_TREE_MAX_NODES (1 << 28)

typedef struct uc_trees {
    const uc_tree_node_f32 *f32; /* one of the two, [first[count] + UC_TREE_PADDING] */
    const uc_tree_node_f64 *f64;
    const int32_t *first; /* [count + 1]: index of each tree's root */
    const int32_t *depth; /* [count]: steps from the root to its deepest leaf */
    int32_t count;
    int left_shift;
    uint32_t feature_mask; /* of meta >> 1 */
} uc_trees;

/* What a node of the general form asks; the packed form holds ensembles that need UC_TREE_NAN only. */
enum {
    UC_TREE_MISSING_LEFT = 1,  /* where a missing value goes */
    UC_TREE_NAN = 2,           /* NaN is missing; without this bit it counts as 0 */
    UC_TREE_ZERO = 4,          /* |x| <= 1e-35f is missing too (lightgbm) */
    UC_TREE_CATEGORY = 8,      /* a set of categories instead of a threshold */
    UC_TREE_IN_LEFT = 16,      /* members of the set go left, others right; without: the reverse */
    UC_TREE_INVALID_LEFT = 32, /* where a category that is negative or too large goes */
    UC_TREE_TRUNCATE = 64,     /* (-1, 0) is category 0, not negative */
};

typedef struct uc_tree_node {
    double threshold;
    int32_t left, right; /* inside the tree; a leaf's are its own */
    int32_t feature;
    uint32_t flags;
    uint32_t set, set_bits;     /* first word and bits of the set */
    uint32_t known, known_bits; /* the same for the known categories; 0 bits: all are known */
} uc_tree_node;

typedef struct uc_tree_general {
    const uc_tree_node *nodes;
    const uint32_t *words;
    const int32_t *first, *depth;
} uc_tree_general;

/* leaf[i] = leaf (index inside the tree) that row i of x [n, stride] ends in; n <= UC_TREE_BLOCK. */
typedef void (*uc_tree_rows_f32_fn)(const uc_trees *trees, int32_t tree, const float *x,
                                    int64_t stride, int32_t n, int32_t *leaf);
typedef void (*uc_tree_rows_f64_fn)(const uc_trees *trees, int32_t tree, const double *x,
                                    int64_t stride, int32_t n, int32_t *leaf);
/* leaf[i] = leaf that the one row x ends in, of trees [begin, begin + n); n <= UC_TREE_CHUNK. */
typedef void (*uc_tree_trees_f32_fn)(const uc_trees *trees, int32_t begin, const float *x,
                                     int32_t n, int32_t *leaf);
typedef void (*uc_tree_trees_f64_fn)(const uc_trees *trees, int32_t begin, const double *x,
                                     int32_t n, int32_t *leaf);
/* sum[i] += value[leaf[i]] */
typedef void (*uc_tree_add_f32_fn)(float *sum, const float *value, const int32_t *leaf, int32_t n);
typedef void (*uc_tree_add_f64_fn)(double *sum, const double *value, const int32_t *leaf,
                                   int32_t n);
/* sum[i, :] += value[slot[leaf[i]], :], rows of `width` */
typedef void (*uc_tree_add_wide_fn)(double *sum, const double *value, const int32_t *slot,
                                    const int32_t *leaf, int32_t n, int32_t width);

typedef struct uc_tree_kernel {
    unsigned needs; /* UC_CPU_* */
    const char *name;
    uc_tree_rows_f32_fn rows_f32;
    uc_tree_rows_f64_fn rows_f64;
    uc_tree_trees_f32_fn trees_f32;
    uc_tree_trees_f64_fn trees_f64;
    uc_tree_add_f32_fn add_f32;
    uc_tree_add_f64_fn add_f64;
    uc_tree_add_wide_fn add_wide;
} uc_tree_kernel;

/* The best row for a machine with these instruction sets; the last row needs none. */
const uc_tree_kernel *uc_tree_kernel_for(unsigned features);
/* Row i of the table, NULL beyond the last. */
const uc_tree_kernel *uc_tree_kernel_at(size_t i);

/* The general form, any kind of node; x as float32 or float64. */
void uc_tree_general_f32(const uc_tree_general *trees, int32_t tree, const float *x, int64_t stride,
                         int32_t n, int32_t *leaf);
void uc_tree_general_f64(const uc_tree_general *trees, int32_t tree, const double *x,
                         int64_t stride, int32_t n, int32_t *leaf);

/* The rows' functions, for the table. */
#define UC_TREE_DECLARE(isa)                                                                       \
    void uc_tree_rows_f32_##isa(const uc_trees *trees, int32_t tree, const float *x,               \
                                int64_t stride, int32_t n, int32_t *leaf);                         \
    void uc_tree_rows_f64_##isa(const uc_trees *trees, int32_t tree, const double *x,              \
                                int64_t stride, int32_t n, int32_t *leaf);                         \
    void uc_tree_trees_f32_##isa(const uc_trees *trees, int32_t begin, const float *x, int32_t n,  \
                                 int32_t *leaf);                                                   \
    void uc_tree_trees_f64_##isa(const uc_trees *trees, int32_t begin, const double *x, int32_t n, \
                                 int32_t *leaf);                                                   \
    void uc_tree_add_f32_##isa(float *sum, const float *value, const int32_t *leaf, int32_t n);    \
    void uc_tree_add_f64_##isa(double *sum, const double *value, const int32_t *leaf, int32_t n);  \
    void uc_tree_add_wide_##isa(double *sum, const double *value, const int32_t *slot,             \
                                const int32_t *leaf, int32_t n, int32_t width);
UC_TREE_DECLARE(scalar)
#if defined(__x86_64__)
UC_TREE_DECLARE(avx2)
UC_TREE_DECLARE(avx512)
#endif

#endif
