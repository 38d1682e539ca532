/* Trees with AVX2: 8 (float64: 4) walks a vector, four vectors in flight, nodes and features gathered. */
#if defined(__x86_64__)
#    include "kernel/tree_ensemble.h"

#    include <immintrin.h>

#    define ALWAYS_INLINE static inline __attribute__((always_inline))

/* ---- float32: 8 lanes ----------------------------------------------------------------------- */

ALWAYS_INLINE __m256i step_f32(const uc_trees *trees, const uc_tree_node_f32 *nodes, __m256i at,
                               const float *x, __m256i row)
{
    const int *words = (const int *)(const void *)nodes;
    __m256 threshold = _mm256_castsi256_ps(_mm256_i32gather_epi32(words, at, 8));
    __m256i meta = _mm256_i32gather_epi32(words + 1, at, 8);
    __m256i feature =
        _mm256_and_si256(_mm256_srli_epi32(meta, 1), _mm256_set1_epi32((int)trees->feature_mask));
    __m256 v = _mm256_i32gather_ps(x, _mm256_add_epi32(feature, row), 4);
    __m256 nan_left = _mm256_castsi256_ps(_mm256_slli_epi32(meta, 31)); /* bit 0 as the sign */
    __m256 nan = _mm256_blendv_ps(_mm256_setzero_ps(), _mm256_cmp_ps(v, v, _CMP_UNORD_Q), nan_left);
    __m256 left = _mm256_or_ps(_mm256_cmp_ps(v, threshold, _CMP_LE_OQ), nan);
    __m256i base = _mm256_srl_epi32(meta, _mm_cvtsi32_si128(trees->left_shift));
    /* left is -1 where the row goes left: base + 1 + left. */
    return _mm256_add_epi32(_mm256_add_epi32(base, _mm256_set1_epi32(1)),
                            _mm256_castps_si256(left));
}

ALWAYS_INLINE __m256i lane_rows(int64_t stride)
{
    return _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                              _mm256_set1_epi32((int)stride));
}

ALWAYS_INLINE void walk_rows_f32(const uc_trees *trees, int32_t tree, const float *x,
                                 int64_t stride, int32_t *leaf, const int vectors)
{
    const uc_tree_node_f32 *nodes = trees->f32 + trees->first[tree];
    int32_t depth = trees->depth[tree];
    __m256i row = lane_rows(stride), at[4];
#    pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        at[v] = _mm256_setzero_si256();
    }
    for (int32_t d = 0; d < depth; d++) {
        __m256i moved = _mm256_setzero_si256();
#    pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            __m256i next = step_f32(trees, nodes, at[v], x + 8 * v * stride, row);
            moved = _mm256_or_si256(moved, _mm256_xor_si256(next, at[v]));
            at[v] = next;
        }
        if (_mm256_testz_si256(moved, moved)) {
            break;
        }
    }
#    pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        _mm256_storeu_si256((__m256i *)(void *)(leaf + 8 * v), at[v]);
    }
}

void uc_tree_rows_f32_avx2(const uc_trees *trees, int32_t tree, const float *x, int64_t stride,
                           int32_t n, int32_t *leaf)
{
    int32_t i = 0;
    for (; i + 32 <= n; i += 32) {
        walk_rows_f32(trees, tree, x + i * stride, stride, leaf + i, 4);
    }
    for (; i + 8 <= n; i += 8) {
        walk_rows_f32(trees, tree, x + i * stride, stride, leaf + i, 1);
    }
    uc_tree_rows_f32_scalar(trees, tree, x + i * stride, stride, n - i, leaf + i);
}

void uc_tree_trees_f32_avx2(const uc_trees *trees, int32_t begin, const float *x, int32_t n,
                            int32_t *leaf)
{
    const int32_t *roots = trees->first + begin;
    int32_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)(roots + i));
        __m256i at = _mm256_setzero_si256(), moved;
        do {
            __m256i next =
                step_f32(trees, trees->f32, _mm256_add_epi32(at, first), x, _mm256_setzero_si256());
            moved = _mm256_xor_si256(next, at);
            at = next;
        } while (!_mm256_testz_si256(moved, moved));
        _mm256_storeu_si256((__m256i *)(void *)(leaf + i), at);
    }
    uc_tree_trees_f32_scalar(trees, begin + i, x, n - i, leaf + i);
}

/* ---- float64: four lanes win nothing over eight scalar walks ---------------------------------- */

void uc_tree_rows_f64_avx2(const uc_trees *trees, int32_t tree, const double *x, int64_t stride,
                           int32_t n, int32_t *leaf)
{
    uc_tree_rows_f64_scalar(trees, tree, x, stride, n, leaf);
}

void uc_tree_trees_f64_avx2(const uc_trees *trees, int32_t begin, const double *x, int32_t n,
                            int32_t *leaf)
{
    uc_tree_trees_f64_scalar(trees, begin, x, n, leaf);
}

/* ---- sums ----------------------------------------------------------------------------------- */

void uc_tree_add_f32_avx2(float *sum, const float *value, const int32_t *leaf, int32_t n)
{
    uc_tree_add_f32_scalar(sum, value, leaf, n);
}

void uc_tree_add_f64_avx2(double *sum, const double *value, const int32_t *leaf, int32_t n)
{
    uc_tree_add_f64_scalar(sum, value, leaf, n);
}

void uc_tree_add_wide_avx2(double *sum, const double *value, const int32_t *slot,
                           const int32_t *leaf, int32_t n, int32_t width)
{
    for (int32_t i = 0; i < n; i++) {
        const double *row = value + (int64_t)slot[leaf[i]] * width;
        double *to = sum + (int64_t)i * width;
        int32_t k = 0;
        for (; k + 4 <= width; k += 4) {
            _mm256_storeu_pd(to + k,
                             _mm256_add_pd(_mm256_loadu_pd(to + k), _mm256_loadu_pd(row + k)));
        }
        for (; k < width; k++) {
            to[k] += row[k];
        }
    }
}
#else
typedef int uc_tree_ensemble_avx2_is_empty; /* a translation unit holds something */
#endif
