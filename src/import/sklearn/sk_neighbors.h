/* Rows with a metric, as nearest-neighbour estimators hold them: what sk_neighbors.c reads and other
 * families (manifold, cluster) search in. */
#ifndef UC_IMPORT_SKLEARN_SK_NEIGHBORS_H
#define UC_IMPORT_SKLEARN_SK_NEIGHBORS_H

#include "import/sklearn/sk.h"

typedef struct sk_space {
    const uc_tensor *rows; /* [rows, width]; NULL when precomputed */
    int64_t row_count, width;
    const char *metric;         /* as uncork.Neighbors names it */
    double p;                   /* minkowski's */
    const uc_tensor *parameter; /* V, VI or w; NULL */
    bool scipy;                 /* SciPy's form of the metric */
    const char *ties;           /* which order equal distances get: see op_neighbors.c */
    bool intro_sort;
    /* of a tree: */
    const uc_tensor *order, *nodes, *bounds, *radius;
} sk_space;

/* The rows of a fitted neighbours estimator (_fit_X or _tree, effective_metric_). */
bool sk_space_read(sk_ctx *ctx, const sk_est *est, sk_space *space);
/* A bare KDTree or BallTree. */
bool sk_space_read_tree(sk_ctx *ctx, const sk_est *est, const char *names, sk_space *space);
/* Rows with a metric of one word, equal distances by index. */
sk_space sk_space_of(const uc_tensor *rows, const char *metric);

/* k nearest: *distances and *indices [n, k]. */
void sk_nearest(sk_ctx *ctx, const sk_space *space, uc_ref x, int64_t k, uc_ref *distances,
                uc_ref *indices);
/* Index of the nearest row [n]. */
uc_ref sk_nearest_one(sk_ctx *ctx, const sk_space *space, uc_ref x);
/* All distances [n, rows]. */
uc_ref sk_space_distances(sk_ctx *ctx, const sk_space *space, uc_ref x);
/* Weights within a radius [n, rows], or their sums with targets [rows, t] when there are some: see
 * op_radius_weights.c. */
uc_ref sk_within(sk_ctx *ctx, const sk_space *space, uc_ref x, double radius, const char *weights,
                 bool required, const uc_tensor *targets);
/* n_neighbors, between 1 and the rows there are. */
int64_t sk_neighbor_count(sk_ctx *ctx, const sk_est *est, const char *names, const sk_space *space);

#endif
