/* Distances between a fed row and constant rows, for every metric scikit-learn knows by name: shared
 * by uncork.PairwiseDistance, uncork.Neighbors and uncork.RadiusWeights.
 *
 * Sources: sklearn/metrics/_dist_metrics.pyx, sklearn/metrics/pairwise.py and, where scikit-learn
 * hands over to it, scipy/spatial/distance.py. Where those two differ (braycurtis), the attribute
 * scipy=1 asks for SciPy's.
 *
 * Attributes: metric, p (minkowski, wminkowski), scipy. Inputs: rows y [m, d]; parameter: V of
 * seuclidean or w of minkowski [d], VI of mahalanobis [d, d].
 * A "reduced" distance orders as the distance does and is cheaper (its square, its p-th power). */
#ifndef UC_OP_EXT_METRIC_H
#define UC_OP_EXT_METRIC_H

#include "base/thread.h"
#include "kernel/distance.h"
#include "op/op.h"

typedef enum uc_metric {
    UC_METRIC_EUCLIDEAN,
    UC_METRIC_SQEUCLIDEAN,
    UC_METRIC_MANHATTAN,
    UC_METRIC_CHEBYSHEV,
    UC_METRIC_MINKOWSKI,
    UC_METRIC_WMINKOWSKI,
    UC_METRIC_SEUCLIDEAN,
    UC_METRIC_MAHALANOBIS,
    UC_METRIC_HAMMING,
    UC_METRIC_CANBERRA,
    UC_METRIC_BRAYCURTIS,
    UC_METRIC_COSINE,
    UC_METRIC_CORRELATION,
    UC_METRIC_JACCARD,
    UC_METRIC_DICE,
    UC_METRIC_MATCHING,
    UC_METRIC_KULSINSKI,
    UC_METRIC_ROGERSTANIMOTO,
    UC_METRIC_RUSSELLRAO,
    UC_METRIC_SOKALSNEATH,
    UC_METRIC_YULE,
    UC_METRIC_HAVERSINE,
    UC_METRIC_NAN_EUCLIDEAN,
    UC_METRIC_PRECOMPUTED, /* the fed row holds the distances */
} uc_metric;

typedef struct uc_metric_rows {
    uc_metric metric;
    double p;
    const double *parameter; /* [d] or [d, d]; NULL when the metric has none */
    bool scipy;
    int sum; /* uc_sum, -1: pair by pair */
    int64_t rows, width;
    const double *y;      /* [rows, width] */
    const double *panels; /* [ceil(rows/16)][width][16], for cosine and correlation normalised */
    int64_t padded;       /* rows, up to a multiple of 16 */
} uc_metric_rows;

/* infer: the attributes, and x [n, d], y [m, d] and the parameter (inputs 0, 1, 2) against each
 * other. *rows receives m, UC_DIM_UNKNOWN when it isn't known. */
uncork_status uc_metric_infer(uc_call *call, int64_t *rows);
/* prepare: packs the constant rows (input 1; precomputed has none). NULL in *out after a failure. */
uncork_status uc_metric_prepare(uc_call *call, uc_metric_rows **out);
/* The same metric over other rows y [rows, like->width], borrowed. */
uncork_status uc_metric_pack(uc_call *call, const uc_metric_rows *like, const double *y,
                             int64_t rows, uc_metric_rows **out);

/* Reduced distances of x [width] to every row; work: [width]; reduced: [padded]. */
void uc_metric_reduced(const uc_metric_rows *m, const double *x, double *work, double *reduced);
double uc_metric_finish(const uc_metric_rows *m, double reduced);
double uc_metric_reduce(const uc_metric_rows *m, double distance);
/* Fails (INPUT) when x [n, width] holds a value scikit-learn refuses: infinite, or NaN where the
 * metric doesn't take it. */
uncork_status uc_metric_check_input(uc_call *call, const uc_metric_rows *m, const double *x,
                                    int64_t n);

#endif
