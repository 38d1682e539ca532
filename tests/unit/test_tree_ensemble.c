/* Every instruction set's tree kernels give the scalar kernels' leaves, and those the leaves of a
 * plain walk. */
#include "kernel/tree_ensemble.h"

#include "base/cpu.h"
#include "check.h"

#include <math.h>
#include <string.h>

enum { FEATURES = 13, ROWS = 203, TREES = 77, MOST = 400, SHIFT = 5 };

static uc_tree_node_f32 nodes32[TREES * MOST + UC_TREE_PADDING];
static uc_tree_node_f64 nodes64[TREES * MOST + UC_TREE_PADDING];
static int32_t first[TREES + 1], depths[TREES], left_child[TREES * MOST];
static float x32[ROWS * FEATURES];
static double x64[ROWS * FEATURES];

static uint32_t state = 12345;

static uint32_t next_random(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* A breadth first tree of random shape: a queue of nodes, each of them split while there is room. */
static void grow(int32_t t)
{
    int32_t begin = first[t], limit = 1 + (int32_t)(next_random() % (MOST - 1)), placed = 1,
            end = 1;
    if (t % 10 == 3) limit = 1; /* only a leaf */
    for (int32_t at = 0; at < placed; at++) {
        if (at == end) {
            end = placed;
            depths[t]++;
        }
        int leaf = placed + 2 > limit || (at > 4 && next_random() % 4 == 0);
        uint32_t feature = leaf ? 0 : next_random() % FEATURES;
        float threshold = leaf ? INFINITY : (float)(next_random() % 64) / 8;
        uint32_t nan_left = leaf ? 1 : next_random() % 2;
        int32_t left = leaf ? at : placed;
        uint32_t meta = (uint32_t)left << SHIFT | feature << 1 | nan_left;
        nodes32[begin + at] = (uc_tree_node_f32){threshold, meta};
        nodes64[begin + at] = (uc_tree_node_f64){(double)threshold, meta, 0};
        left_child[begin + at] = left;
        placed += leaf ? 0 : 2;
    }
    first[t + 1] = begin + placed;
}

static int set_up(void **unused)
{
    (void)unused;
    for (int32_t t = 0; t < TREES; t++) {
        grow(t);
    }
    for (int i = 0; i < ROWS * FEATURES; i++) {
        uint32_t kind = next_random() % 16;
        x32[i] = kind == 0 ? NAN : kind == 1 ? -INFINITY : (float)(next_random() % 80) / 8;
        x64[i] = (double)x32[i];
    }
    return 0;
}

static uc_trees trees(void)
{
    return (uc_trees){.f32 = nodes32,
                      .f64 = nodes64,
                      .first = first,
                      .depth = depths,
                      .count = TREES,
                      .left_shift = SHIFT,
                      .feature_mask = 15};
}

static int32_t plain_walk(int32_t t, const double *x)
{
    int32_t at = 0;
    while (left_child[first[t] + at] != at) {
        uc_tree_node_f64 node = nodes64[first[t] + at];
        double v = x[node.meta >> 1 & 15];
        int goes_left = v != v ? (int)(node.meta & 1) : v <= node.threshold;
        at = left_child[first[t] + at] + !goes_left;
    }
    return at;
}

static void leaves_of_many_rows_are_those_of_a_plain_walk(void **unused)
{
    (void)unused;
    uc_trees all = trees();
    int32_t leaf[UC_TREE_BLOCK];
    static const int32_t counts[] = {1, 7, 8, 9, 16, 31, 64, 100, ROWS};
    for (size_t k = 0; uc_tree_kernel_at(k); k++) {
        const uc_tree_kernel *kernel = uc_tree_kernel_at(k);
        if ((kernel->needs & uc_cpu_features()) != kernel->needs) continue;
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            for (int32_t t = 0; t < TREES; t++) {
                kernel->rows_f32(&all, t, x32, FEATURES, counts[c], leaf);
                for (int32_t r = 0; r < counts[c]; r++) {
                    CHECK_INT(leaf[r], plain_walk(t, x64 + r * FEATURES));
                }
                kernel->rows_f64(&all, t, x64, FEATURES, counts[c], leaf);
                for (int32_t r = 0; r < counts[c]; r++) {
                    CHECK_INT(leaf[r], plain_walk(t, x64 + r * FEATURES));
                }
            }
        }
    }
}

static void leaves_of_many_trees_are_those_of_a_plain_walk(void **unused)
{
    (void)unused;
    uc_trees all = trees();
    int32_t leaf[UC_TREE_CHUNK];
    static const int32_t counts[] = {1, 7, 16, 33, TREES};
    for (size_t k = 0; uc_tree_kernel_at(k); k++) {
        const uc_tree_kernel *kernel = uc_tree_kernel_at(k);
        if ((kernel->needs & uc_cpu_features()) != kernel->needs) continue;
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            int32_t begin = TREES - counts[c];
            for (int32_t r = 0; r < ROWS; r++) {
                kernel->trees_f32(&all, begin, x32 + r * FEATURES, counts[c], leaf);
                for (int32_t t = 0; t < counts[c]; t++) {
                    CHECK_INT(leaf[t], plain_walk(begin + t, x64 + r * FEATURES));
                }
                kernel->trees_f64(&all, begin, x64 + r * FEATURES, counts[c], leaf);
                for (int32_t t = 0; t < counts[c]; t++) {
                    CHECK_INT(leaf[t], plain_walk(begin + t, x64 + r * FEATURES));
                }
            }
        }
    }
}

static void sums_are_the_scalar_kernels_bits(void **unused)
{
    (void)unused;
    enum { N = 61, VALUES = 200, WIDTH = 11 };
    static double value[VALUES * WIDTH], want[N * WIDTH], got[N * WIDTH];
    static float value32[VALUES], want32[N], got32[N];
    int32_t leaf[N], slot[VALUES];
    for (int i = 0; i < VALUES * WIDTH; i++) {
        value[i] = (double)next_random() / 1e5 - 80;
        value32[i % VALUES] = (float)value[i];
        slot[i % VALUES] = (int32_t)(next_random() % VALUES);
    }
    for (int i = 0; i < N; i++) {
        leaf[i] = (int32_t)(next_random() % VALUES);
    }
    for (size_t k = 0; uc_tree_kernel_at(k); k++) {
        const uc_tree_kernel *kernel = uc_tree_kernel_at(k);
        if ((kernel->needs & uc_cpu_features()) != kernel->needs) continue;
        for (int i = 0; i < N * WIDTH; i++) {
            want[i] = got[i] = i / 3.0;
            want32[i % N] = got32[i % N] = (float)i / 7;
        }
        uc_tree_add_f32_scalar(want32, value32, leaf, N);
        kernel->add_f32(got32, value32, leaf, N);
        CHECK_BYTES(got32, want32, sizeof want32);
        uc_tree_add_f64_scalar(want, value, leaf, N);
        kernel->add_f64(got, value, leaf, N);
        CHECK_BYTES(got, want, sizeof want);
        uc_tree_add_wide_scalar(want, value, slot, leaf, N, WIDTH);
        kernel->add_wide(got, value, slot, leaf, N, WIDTH);
        CHECK_BYTES(got, want, sizeof want);
    }
}

/* A node over one feature, leaves 1 (left) and 2 (right). */
static int32_t general_side(uint32_t flags, double threshold, uint32_t known_bits, double x)
{
    static const uint32_t words[2] = {0x5, 0x7}; /* the set {0, 2}; known {0, 1, 2} */
    uc_tree_node nodes[3] = {
        {.threshold = threshold,
         .left = 1,
         .right = 2,
         .flags = flags,
         .set_bits = 3,
         .known = 1,
         .known_bits = known_bits},
        {.left = 1, .right = 1},
        {.left = 2, .right = 2},
    };
    int32_t begin = 0, depth = 1, leaf = -1, same = -1;
    uc_tree_general tree = {nodes, words, &begin, &depth};
    float narrow = (float)x;
    uc_tree_general_f64(&tree, 0, &x, 1, 1, &leaf);
    uc_tree_general_f32(&tree, 0, &narrow, 1, 1, &same);
    CHECK_INT(leaf, same);
    return leaf;
}

static void every_kind_of_node_sends_rows_where_its_library_does(void **unused)
{
    (void)unused;
    double nan = (double)NAN;
    /* lightgbm: NaN counts as 0 unless it is missing; zero may be missing too */
    CHECK_INT(general_side(0, 0.5, 0, nan), 1);
    CHECK_INT(general_side(0, -0.5, 0, nan), 2);
    CHECK_INT(general_side(UC_TREE_NAN | UC_TREE_MISSING_LEFT, -0.5, 0, nan), 1);
    CHECK_INT(general_side(UC_TREE_NAN, 0.5, 0, nan), 2);
    CHECK_INT(general_side(UC_TREE_ZERO | UC_TREE_MISSING_LEFT, -0.5, 0, 0), 1);
    CHECK_INT(general_side(UC_TREE_ZERO, 0.5, 0, 1e-36), 2);
    CHECK_INT(general_side(UC_TREE_ZERO, 0.5, 0, 1e-34), 1);
    /* categories: in the set, beside it, unknown, negative, too large */
    uint32_t set = UC_TREE_NAN | UC_TREE_CATEGORY | UC_TREE_IN_LEFT;
    CHECK_INT(general_side(set, 0, 0, 2), 1);
    CHECK_INT(general_side(set, 0, 0, 1), 2);
    CHECK_INT(general_side(set & ~(uint32_t)UC_TREE_IN_LEFT, 0, 0, 2), 2);
    CHECK_INT(general_side(set & ~(uint32_t)UC_TREE_IN_LEFT, 0, 0, 7), 1);
    CHECK_INT(general_side(set | UC_TREE_MISSING_LEFT, 0, 3, 1), 2);
    CHECK_INT(general_side(set | UC_TREE_MISSING_LEFT, 0, 3, 9), 1);
    CHECK_INT(general_side(set | UC_TREE_INVALID_LEFT, 0, 0, -1), 1);
    CHECK_INT(general_side(set | UC_TREE_INVALID_LEFT, 0, 0, 1e9), 1);
    CHECK_INT(general_side(set, 0, 0, -0.5), 2);
    CHECK_INT(general_side(set | UC_TREE_TRUNCATE, 0, 0, -0.5), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_of_many_rows_are_those_of_a_plain_walk),
        cmocka_unit_test(leaves_of_many_trees_are_those_of_a_plain_walk),
        cmocka_unit_test(sums_are_the_scalar_kernels_bits),
        cmocka_unit_test(every_kind_of_node_sends_rows_where_its_library_does),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
