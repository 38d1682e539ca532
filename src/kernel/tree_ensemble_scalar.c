/* Trees in plain C, eight walks in flight: the oracle for the other rows of the table. */
#include "kernel/tree_ensemble.h"

enum { FLIGHT = 8 };

/* One step of a walk, without a branch; x's NaN compares false with every threshold. */
#define STEP(node, x, shift, mask)                            \
    ((int32_t)((node).meta >> (shift)) +                      \
     !(((x)[(node).meta >> 1 & (mask)] <= (node).threshold) | \
       ((int)((node).meta & 1) &                              \
        ((x)[(node).meta >> 1 & (mask)] != (x)[(node).meta >> 1 & (mask)]))))

/* Written for a constant n: the loops unroll and the walks overlap. */
#define DEFINE(type, short)                                                                     \
    static inline __attribute__((always_inline)) void walk_rows_##short(                        \
        const uc_trees *trees, const uc_tree_node_##short *nodes, int32_t depth, const type *x, \
        int64_t stride, int32_t n, int32_t *leaf)                                               \
    {                                                                                           \
        int32_t at[FLIGHT] = {0};                                                               \
        for (int32_t d = 0; d < depth; d++) {                                                   \
            int32_t moved = 0;                                                                  \
            _Pragma("GCC unroll 8") for (int32_t i = 0; i < n; i++)                             \
            {                                                                                   \
                uc_tree_node_##short node = nodes[at[i]];                                       \
                const type *row = x + i * stride;                                               \
                int32_t next = STEP(node, row, trees->left_shift, trees->feature_mask);         \
                moved |= next ^ at[i];                                                          \
                at[i] = next;                                                                   \
            }                                                                                   \
            if (!moved) {                                                                       \
                break;                                                                          \
            }                                                                                   \
        }                                                                                       \
        _Pragma("GCC unroll 8") for (int32_t i = 0; i < n; i++) { leaf[i] = at[i]; }            \
    }                                                                                           \
                                                                                                \
    void uc_tree_rows_##short##_scalar(const uc_trees *trees, int32_t tree, const type *x,      \
                                       int64_t stride, int32_t n, int32_t *leaf)                \
    {                                                                                           \
        const uc_tree_node_##short *nodes = trees->short + trees->first[tree];                  \
        int32_t depth = trees->depth[tree], i = 0;                                              \
        for (; i + FLIGHT <= n; i += FLIGHT) {                                                  \
            walk_rows_##short(trees, nodes, depth, x + i * stride, stride, FLIGHT, leaf + i);   \
        }                                                                                       \
        walk_rows_##short(trees, nodes, depth, x + i * stride, stride, n - i, leaf + i);        \
    }                                                                                           \
                                                                                                \
    void uc_tree_trees_##short##_scalar(const uc_trees *trees, int32_t begin, const type *x,    \
                                        int32_t n, int32_t *leaf)                               \
    {                                                                                           \
        for (int32_t i = 0; i < n; i++) {                                                       \
            const uc_tree_node_##short *nodes = trees->short + trees->first[begin + i];         \
            int32_t at = 0, was = -1;                                                           \
            while (at != was) {                                                                 \
                was = at;                                                                       \
                uc_tree_node_##short node = nodes[at];                                          \
                at = STEP(node, x, trees->left_shift, trees->feature_mask);                     \
            }                                                                                   \
            leaf[i] = at;                                                                       \
        }                                                                                       \
    }                                                                                           \
                                                                                                \
    void uc_tree_add_##short##_scalar(type *sum, const type *value, const int32_t *leaf,        \
                                      int32_t n)                                                \
    {                                                                                           \
        for (int32_t i = 0; i < n; i++) {                                                       \
            sum[i] += value[leaf[i]];                                                           \
        }                                                                                       \
    }

DEFINE(float, f32)
DEFINE(double, f64)

void uc_tree_add_wide_scalar(double *sum, const double *value, const int32_t *slot,
                             const int32_t *leaf, int32_t n, int32_t width)
{
    for (int32_t i = 0; i < n; i++) {
        const double *row = value + (int64_t)slot[leaf[i]] * width;
        for (int32_t k = 0; k < width; k++) {
            sum[(int64_t)i * width + k] += row[k];
        }
    }
}
