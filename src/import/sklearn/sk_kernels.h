/* Kernel matrices: sklearn.metrics.pairwise and sklearn.gaussian_process.kernels. */
#ifndef UC_IMPORT_SKLEARN_SK_KERNELS_H
#define UC_IMPORT_SKLEARN_SK_KERNELS_H

#include "import/sklearn/sk.h"

/* What pairwise_kernels(filter_params=True) passes on. */
typedef struct sk_kernel_params {
    bool has_gamma; /* otherwise 1 / features */
    double gamma, degree, coef0;
} sk_kernel_params;

/* gamma, degree and coef0 of an estimator, or their defaults (None, 3, 1). */
sk_kernel_params sk_kernel_params_of(sk_ctx *ctx, const sk_est *est);
/* The same from a dict of keyword arguments; NULL or None: the defaults. */
sk_kernel_params sk_kernel_params_in(const uc_pickle *kwargs);
/* K [rows, others] of x [rows, features] and y [others, features], both float64; y is constant.
 * metric: linear, poly, polynomial, rbf, laplacian, sigmoid, cosine, additive_chi2, chi2. */
uc_ref sk_pairwise_kernel(sk_ctx *ctx, const sk_est *est, uc_str metric,
                          const sk_kernel_params *params, uc_ref x, const uc_tensor *y);
/* The name among those of a function of sklearn.metrics.pairwise ("rbf_kernel"), empty when none. */
uc_str sk_kernel_function_name(const uc_pickle *value);
/* Distances [rows, others] of x to a constant y; squared or not, metric "euclidean", "manhattan". */
uc_ref sk_distances(sk_ctx *ctx, const char *metric, bool squared, uc_ref x, uc_ref y);

/* k(x, y) [rows, others] of a kernel object, and k(x_i, x_i) [rows] of the same. */
uc_ref sk_gp_kernel(sk_ctx *ctx, const sk_est *kernel, uc_ref x, const uc_tensor *y);
uc_ref sk_gp_diagonal(sk_ctx *ctx, const sk_est *kernel, uc_ref x, int64_t features);

#endif
