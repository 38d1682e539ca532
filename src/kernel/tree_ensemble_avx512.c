/* Trees with AVX-512: 16 (float64: 8) walks a vector, several vectors in flight. The first levels of a
 * tree are looked up in registers with permutes; deeper nodes and the rows' features are gathered. */
#if defined(__x86_64__)
#    include "kernel/tree_ensemble.h"

#    include <immintrin.h>

#    define ALWAYS_INLINE static inline __attribute__((always_inline))

/* ---- float32: 16 lanes ---------------------------------------------------------------------- */

typedef struct top_f32 { /* the first 32 nodes of a tree: five levels */
    __m512 threshold0, threshold1;
    __m512i meta0, meta1;
} top_f32;

ALWAYS_INLINE __m512i odd_even_index(int odd)
{
    return _mm512_add_epi32(
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
        _mm512_set1_epi32(odd));
}

/* Splits 16 nodes in memory order into thresholds and metas. */
ALWAYS_INLINE void split_f32(__m512i low, __m512i high, __m512 *threshold, __m512i *meta)
{
    *threshold = _mm512_castsi512_ps(_mm512_permutex2var_epi32(low, odd_even_index(0), high));
    *meta = _mm512_permutex2var_epi32(low, odd_even_index(1), high);
}

ALWAYS_INLINE __m512i next_f32(const uc_trees *trees, __m512 threshold, __m512i meta,
                               const float *x, __m512i row)
{
    __m512i feature =
        _mm512_and_si512(_mm512_srli_epi32(meta, 1), _mm512_set1_epi32((int)trees->feature_mask));
    __m512 v = _mm512_i32gather_ps(_mm512_add_epi32(feature, row), x, 4);
    __mmask16 left = _mm512_cmp_ps_mask(v, threshold, _CMP_LE_OQ);
    __mmask16 nan = _mm512_mask_cmp_ps_mask(_mm512_test_epi32_mask(meta, _mm512_set1_epi32(1)), v,
                                            v, _CMP_UNORD_Q);
    __m512i base = _mm512_srl_epi32(meta, _mm_cvtsi32_si128(trees->left_shift));
    return _mm512_mask_add_epi32(base, (__mmask16) ~(left | nan), base, _mm512_set1_epi32(1));
}

ALWAYS_INLINE __m512i step_top_f32(const uc_trees *trees, const top_f32 *top, __m512i at,
                                   const float *x, __m512i row)
{
    __m512 threshold = _mm512_permutex2var_ps(top->threshold0, at, top->threshold1);
    __m512i meta = _mm512_permutex2var_epi32(top->meta0, at, top->meta1);
    return next_f32(trees, threshold, meta, x, row);
}

ALWAYS_INLINE __m512i step_f32(const uc_trees *trees, const uc_tree_node_f32 *nodes, __m512i at,
                               const float *x, __m512i row)
{
    __m512i low = _mm512_i32gather_epi64(_mm512_castsi512_si256(at), nodes, 8);
    __m512i high = _mm512_i32gather_epi64(_mm512_extracti64x4_epi64(at, 1), nodes, 8);
    __m512 threshold;
    __m512i meta;
    split_f32(low, high, &threshold, &meta);
    return next_f32(trees, threshold, meta, x, row);
}

/* `vectors` is a constant where this is inlined. */
ALWAYS_INLINE void walk_rows_f32(const uc_trees *trees, int32_t tree, const top_f32 *top,
                                 const float *x, __m512i lane_row, int64_t stride, int32_t *leaf,
                                 const int vectors)
{
    const uc_tree_node_f32 *nodes = trees->f32 + trees->first[tree];
    int32_t depth = trees->depth[tree], d = 0;
    __m512i at[4];
#    pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        at[v] = _mm512_setzero_si512();
    }
    for (; d < depth && d < 5; d++) {
#    pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            at[v] = step_top_f32(trees, top, at[v], x + 16 * v * stride, lane_row);
        }
    }
    for (; d < depth; d++) {
        __mmask16 moved = 0;
#    pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            __m512i next = step_f32(trees, nodes, at[v], x + 16 * v * stride, lane_row);
            moved |= _mm512_cmpneq_epi32_mask(next, at[v]);
            at[v] = next;
        }
        if (!moved) {
            break;
        }
    }
#    pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        _mm512_storeu_si512(leaf + 16 * v, at[v]);
    }
}

/* Lanes past the last row walk row 0 again. */
ALWAYS_INLINE __m512i row_offsets(int64_t stride, int32_t lanes)
{
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __mmask16 real = _mm512_cmplt_epi32_mask(lane, _mm512_set1_epi32(lanes));
    return _mm512_maskz_mullo_epi32(real, lane, _mm512_set1_epi32((int)stride));
}

void uc_tree_rows_f32_avx512(const uc_trees *trees, int32_t tree, const float *x, int64_t stride,
                             int32_t n, int32_t *leaf)
{
    const uc_tree_node_f32 *nodes = trees->f32 + trees->first[tree];
    top_f32 top;
    split_f32(_mm512_loadu_si512(nodes), _mm512_loadu_si512(nodes + 8), &top.threshold0,
              &top.meta0);
    split_f32(_mm512_loadu_si512(nodes + 16), _mm512_loadu_si512(nodes + 24), &top.threshold1,
              &top.meta1);
    __m512i row = row_offsets(stride, 16);
    int32_t i = 0;
    for (; i + 64 <= n; i += 64) {
        walk_rows_f32(trees, tree, &top, x + i * stride, row, stride, leaf + i, 4);
    }
    for (; i + 16 <= n; i += 16) {
        walk_rows_f32(trees, tree, &top, x + i * stride, row, stride, leaf + i, 1);
    }
    if (i < n) {
        int32_t last[16];
        walk_rows_f32(trees, tree, &top, x + i * stride, row_offsets(stride, n - i), stride, last,
                      1);
        for (int32_t j = 0; i + j < n; j++) {
            leaf[i + j] = last[j];
        }
    }
}

/* One row, 16 trees a vector: `first` holds their roots, so nodes are addressed from the first tree. */
ALWAYS_INLINE void walk_trees_f32(const uc_trees *trees, const __m512i *first, const float *x,
                                  __m512i *at, const int vectors)
{
#    pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        at[v] = _mm512_setzero_si512();
    }
    for (__mmask16 moved = 1; moved;) {
        moved = 0;
#    pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            __m512i node = _mm512_add_epi32(at[v], first[v]);
            __m512i low = _mm512_i32gather_epi64(_mm512_castsi512_si256(node), trees->f32, 8);
            __m512i high =
                _mm512_i32gather_epi64(_mm512_extracti64x4_epi64(node, 1), trees->f32, 8);
            __m512 threshold;
            __m512i meta;
            split_f32(low, high, &threshold, &meta);
            __m512i next = next_f32(trees, threshold, meta, x, _mm512_setzero_si512());
            moved |= _mm512_cmpneq_epi32_mask(next, at[v]);
            at[v] = next;
        }
    }
}

void uc_tree_trees_f32_avx512(const uc_trees *trees, int32_t begin, const float *x, int32_t n,
                              int32_t *leaf)
{
    const int32_t *roots = trees->first + begin;
    __m512i first[4], at[4];
    int32_t i = 0;
    for (; i + 64 <= n; i += 64) {
#    pragma GCC unroll 4
        for (int v = 0; v < 4; v++) {
            first[v] = _mm512_loadu_si512(roots + i + 16 * v);
        }
        walk_trees_f32(trees, first, x, at, 4);
#    pragma GCC unroll 4
        for (int v = 0; v < 4; v++) {
            _mm512_storeu_si512(leaf + i + 16 * v, at[v]);
        }
    }
    for (; i < n; i += 16) {
        __mmask16 real = n - i >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << (n - i)) - 1);
        first[0] = _mm512_maskz_loadu_epi32(real, roots + i); /* others walk the first tree */
        walk_trees_f32(trees, first, x, at, 1);
        _mm512_mask_storeu_epi32(leaf + i, real, at[0]);
    }
}

/* ---- float64: 8 lanes ----------------------------------------------------------------------- */

ALWAYS_INLINE __m256i next_f64(const uc_trees *trees, __m512d threshold, __m256i meta,
                               const double *x, __m256i row)
{
    __m256i feature =
        _mm256_and_si256(_mm256_srli_epi32(meta, 1), _mm256_set1_epi32((int)trees->feature_mask));
    __m512d v = _mm512_i32gather_pd(_mm256_add_epi32(feature, row), x, 8);
    __mmask8 left = _mm512_cmp_pd_mask(v, threshold, _CMP_LE_OQ);
    __mmask8 nan = _mm512_mask_cmp_pd_mask(_mm256_test_epi32_mask(meta, _mm256_set1_epi32(1)), v, v,
                                           _CMP_UNORD_Q);
    __m256i base = _mm256_srl_epi32(meta, _mm_cvtsi32_si128(trees->left_shift));
    return _mm256_mask_add_epi32(base, (__mmask8) ~(left | nan), base, _mm256_set1_epi32(1));
}

ALWAYS_INLINE __m256i step_f64(const uc_trees *trees, const uc_tree_node_f64 *nodes, __m256i at,
                               const double *x, __m256i row)
{
    __m256i twice = _mm256_slli_epi32(at, 1);
    __m512d threshold = _mm512_i32gather_pd(twice, &nodes->threshold, 8);
    __m256i meta = _mm256_i32gather_epi32((const int *)(const void *)&nodes->meta, twice, 8);
    return next_f64(trees, threshold, meta, x, row);
}

typedef struct top_f64 { /* the first 16 nodes of a tree: four levels */
    __m512d threshold0, threshold1;
    __m512i meta0, meta1; /* in the low halves of 64 bits */
} top_f64;

/* Splits 8 nodes in memory order. */
ALWAYS_INLINE void split_f64(const uc_tree_node_f64 *nodes, __m512d *threshold, __m512i *meta)
{
    __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    __m512i low = _mm512_loadu_si512(nodes), high = _mm512_loadu_si512(nodes + 4);
    *threshold = _mm512_castsi512_pd(_mm512_permutex2var_epi64(low, even, high));
    *meta = _mm512_permutex2var_epi64(low, _mm512_add_epi64(even, _mm512_set1_epi64(1)), high);
}

ALWAYS_INLINE __m256i step_top_f64(const uc_trees *trees, const top_f64 *top, __m256i at,
                                   const double *x, __m256i row)
{
    __m512i index = _mm512_cvtepu32_epi64(at);
    __m512d threshold = _mm512_permutex2var_pd(top->threshold0, index, top->threshold1);
    __m512i meta = _mm512_permutex2var_epi64(top->meta0, index, top->meta1);
    return next_f64(trees, threshold, _mm512_cvtepi64_epi32(meta), x, row);
}

ALWAYS_INLINE void walk_rows_f64(const uc_trees *trees, int32_t tree, const top_f64 *top,
                                 const double *x, __m256i lane_row, int64_t stride, int32_t *leaf,
                                 const int vectors)
{
    const uc_tree_node_f64 *nodes = trees->f64 + trees->first[tree];
    int32_t depth = trees->depth[tree], d = 0;
    __m256i at[8];
#    pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) {
        at[v] = _mm256_setzero_si256();
    }
    for (; d < depth && d < 4; d++) {
#    pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            at[v] = step_top_f64(trees, top, at[v], x + 8 * v * stride, lane_row);
        }
    }
    for (; d < depth; d++) {
        __mmask8 moved = 0;
#    pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            __m256i next = step_f64(trees, nodes, at[v], x + 8 * v * stride, lane_row);
            moved |= _mm256_cmpneq_epi32_mask(next, at[v]);
            at[v] = next;
        }
        if (!moved) {
            break;
        }
    }
#    pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) {
        _mm256_storeu_si256((__m256i *)(void *)(leaf + 8 * v), at[v]);
    }
}

void uc_tree_rows_f64_avx512(const uc_trees *trees, int32_t tree, const double *x, int64_t stride,
                             int32_t n, int32_t *leaf)
{
    const uc_tree_node_f64 *nodes = trees->f64 + trees->first[tree];
    __m256i row = _mm512_castsi512_si256(row_offsets(stride, 8));
    top_f64 top;
    int32_t i = 0;
    split_f64(nodes, &top.threshold0, &top.meta0);
    split_f64(nodes + 8, &top.threshold1, &top.meta1);
    for (; i + 64 <= n; i += 64) {
        walk_rows_f64(trees, tree, &top, x + i * stride, row, stride, leaf + i, 8);
    }
    for (; i + 16 <= n; i += 16) {
        walk_rows_f64(trees, tree, &top, x + i * stride, row, stride, leaf + i, 2);
    }
    for (; i + 8 <= n; i += 8) {
        walk_rows_f64(trees, tree, &top, x + i * stride, row, stride, leaf + i, 1);
    }
    if (i < n) {
        int32_t last[8];
        row = _mm512_castsi512_si256(row_offsets(stride, n - i));
        walk_rows_f64(trees, tree, &top, x + i * stride, row, stride, last, 1);
        for (int32_t j = 0; i + j < n; j++) {
            leaf[i + j] = last[j];
        }
    }
}

ALWAYS_INLINE void walk_trees_f64(const uc_trees *trees, const __m256i *first, const double *x,
                                  __m256i *at, const int vectors)
{
#    pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        at[v] = _mm256_setzero_si256();
    }
    for (__mmask8 moved = 1; moved;) {
        moved = 0;
#    pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            __m256i twice = _mm256_slli_epi32(_mm256_add_epi32(at[v], first[v]), 1);
            __m512d threshold = _mm512_i32gather_pd(twice, &trees->f64->threshold, 8);
            __m256i meta =
                _mm256_i32gather_epi32((const int *)(const void *)&trees->f64->meta, twice, 8);
            __m256i next = next_f64(trees, threshold, meta, x, _mm256_setzero_si256());
            moved |= _mm256_cmpneq_epi32_mask(next, at[v]);
            at[v] = next;
        }
    }
}

void uc_tree_trees_f64_avx512(const uc_trees *trees, int32_t begin, const double *x, int32_t n,
                              int32_t *leaf)
{
    const int32_t *roots = trees->first + begin;
    __m256i first[4], at[4];
    int32_t i = 0;
    for (; i + 32 <= n; i += 32) {
#    pragma GCC unroll 4
        for (int v = 0; v < 4; v++) {
            first[v] = _mm256_loadu_si256((const __m256i *)(const void *)(roots + i + 8 * v));
        }
        walk_trees_f64(trees, first, x, at, 4);
#    pragma GCC unroll 4
        for (int v = 0; v < 4; v++) {
            _mm256_storeu_si256((__m256i *)(void *)(leaf + i + 8 * v), at[v]);
        }
    }
    for (; i < n; i += 8) {
        __mmask8 real = n - i >= 8 ? (__mmask8)0xff : (__mmask8)((1u << (n - i)) - 1);
        first[0] = _mm256_maskz_loadu_epi32(real, roots + i);
        walk_trees_f64(trees, first, x, at, 1);
        _mm256_mask_storeu_epi32(leaf + i, real, at[0]);
    }
}

/* ---- sums ----------------------------------------------------------------------------------- */

void uc_tree_add_f32_avx512(float *sum, const float *value, const int32_t *leaf, int32_t n)
{
    for (int32_t i = 0; i < n; i += 16) {
        __mmask16 real = n - i >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << (n - i)) - 1);
        __m512i at = _mm512_maskz_loadu_epi32(real, leaf + i);
        __m512 v = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), real, at, value, 4);
        _mm512_mask_storeu_ps(sum + i, real,
                              _mm512_add_ps(_mm512_maskz_loadu_ps(real, sum + i), v));
    }
}

void uc_tree_add_f64_avx512(double *sum, const double *value, const int32_t *leaf, int32_t n)
{
    for (int32_t i = 0; i < n; i += 8) {
        __mmask8 real = n - i >= 8 ? (__mmask8)0xff : (__mmask8)((1u << (n - i)) - 1);
        __m256i at = _mm256_maskz_loadu_epi32(real, leaf + i);
        __m512d v = _mm512_mask_i32gather_pd(_mm512_setzero_pd(), real, at, value, 8);
        _mm512_mask_storeu_pd(sum + i, real,
                              _mm512_add_pd(_mm512_maskz_loadu_pd(real, sum + i), v));
    }
}

void uc_tree_add_wide_avx512(double *sum, const double *value, const int32_t *slot,
                             const int32_t *leaf, int32_t n, int32_t width)
{
    for (int32_t i = 0; i < n; i++) {
        const double *row = value + (int64_t)slot[leaf[i]] * width;
        double *to = sum + (int64_t)i * width;
        for (int32_t k = 0; k < width; k += 8) {
            __mmask8 real = width - k >= 8 ? (__mmask8)0xff : (__mmask8)((1u << (width - k)) - 1);
            __m512d s = _mm512_add_pd(_mm512_maskz_loadu_pd(real, to + k),
                                      _mm512_maskz_loadu_pd(real, row + k));
            _mm512_mask_storeu_pd(to + k, real, s);
        }
    }
}
#else
typedef int uc_tree_ensemble_avx512_is_empty; /* a translation unit holds something */
#endif
