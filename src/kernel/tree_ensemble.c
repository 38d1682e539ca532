/* The table of tree kernels, best first, and the general form that is written once. */
#include "kernel/tree_ensemble.h"

#include "base/cpu.h"

static const uc_tree_kernel kernels[] = {
#define UC_TREE_ROW(needs, isa)                                                               \
    {                                                                                         \
        needs, #isa, uc_tree_rows_f32_##isa, uc_tree_rows_f64_##isa, uc_tree_trees_f32_##isa, \
            uc_tree_trees_f64_##isa, uc_tree_add_f32_##isa, uc_tree_add_f64_##isa,            \
            uc_tree_add_wide_##isa                                                            \
    }
#if defined(__x86_64__)
    UC_TREE_ROW(UC_CPU_AVX512, avx512),
    UC_TREE_ROW(UC_CPU_AVX2, avx2),
#endif
    UC_TREE_ROW(UC_CPU_ANY, scalar),
};

const uc_tree_kernel *uc_tree_kernel_at(size_t i)
{
    return i < sizeof kernels / sizeof kernels[0] ? &kernels[i] : NULL;
}

const uc_tree_kernel *uc_tree_kernel_for(unsigned features)
{
    size_t i = 0;
    while ((kernels[i].needs & features) != kernels[i].needs) {
        i++;
    }
    return &kernels[i];
}

static int has_bit(const uint32_t *words, uint32_t begin, uint32_t bits, uint32_t i)
{
    return i < bits && (words[begin + i / 32] >> (i % 32) & 1);
}

/* Categories are whole numbers below 2^24, what a float32 holds exactly. */
static int category_goes_left(const uc_tree_node *node, const uint32_t *words, double v)
{
    double lowest = node->flags & UC_TREE_TRUNCATE ? -1 : 0;
    int valid = node->flags & UC_TREE_TRUNCATE ? v > lowest : v >= lowest;
    if (!valid || v >= 16777216) {
        return (node->flags & UC_TREE_INVALID_LEFT) != 0;
    }
    uint32_t category = (uint32_t)(int32_t)v;
    int in = has_bit(words, node->set, node->set_bits, category);
    if (!in && node->known_bits && !has_bit(words, node->known, node->known_bits, category)) {
        return (node->flags & UC_TREE_MISSING_LEFT) != 0;
    }
    return in == ((node->flags & UC_TREE_IN_LEFT) != 0);
}

static int goes_left(const uc_tree_node *node, const uint32_t *words, double v)
{
    if (v != v) {
        if (node->flags & (UC_TREE_NAN | UC_TREE_ZERO)) {
            return (node->flags & UC_TREE_MISSING_LEFT) != 0;
        }
        v = 0;
    }
    if (node->flags & UC_TREE_CATEGORY) {
        return category_goes_left(node, words, v);
    }
    /* lightgbm's kZeroThreshold: the float32 nearest to 1e-35. */
    if (node->flags & UC_TREE_ZERO && v >= -(double)1e-35f && v <= (double)1e-35f) {
        return (node->flags & UC_TREE_MISSING_LEFT) != 0;
    }
    return v <= node->threshold;
}

#define UC_TREE_GENERAL(name, type)                                                           \
    void name(const uc_tree_general *trees, int32_t tree, const type *x, int64_t stride,      \
              int32_t n, int32_t *leaf)                                                       \
    {                                                                                         \
        const uc_tree_node *nodes = trees->nodes + trees->first[tree];                        \
        for (int32_t i = 0; i < n; i++) {                                                     \
            const type *row = x + i * stride;                                                 \
            int32_t at = 0;                                                                   \
            while (nodes[at].left != at) {                                                    \
                const uc_tree_node *node = &nodes[at];                                        \
                at = goes_left(node, trees->words, (double)row[node->feature]) ? node->left   \
                                                                               : node->right; \
            }                                                                                 \
            leaf[i] = at;                                                                     \
        }                                                                                     \
    }

UC_TREE_GENERAL(uc_tree_general_f32, float)
UC_TREE_GENERAL(uc_tree_general_f64, double)
