/* Pieces the matrix-shaped families (decomposition, cluster, mixture, kernels) share. */
#ifndef UC_IMPORT_SKLEARN_SK_MATRIX_H
#define UC_IMPORT_SKLEARN_SK_MATRIX_H

#include "import/sklearn/sk.h"

/* A float64 matrix with at least one row and column. */
const uc_tensor *sk_matrix(sk_ctx *ctx, const sk_est *est, const char *names);
/* The result in the type NumPy gives X and the attribute together: float32 only when both are. The
 * arithmetic before it is float64. */
uncork_status sk_return_like(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                             const char *attribute, uc_ref ref, int64_t width, sk_result *out);
/* x - row, x + row, x / row, x * row with a constant vector; 0 stays x. */
uc_ref sk_with_row(sk_ctx *ctx, const char *op, uc_ref x, const uc_tensor *row);
/* The same as NumPy's x -= row does it: what was fed as float32 stays float32, rounded each time.
 * in NULL: float64. */
uc_ref sk_row_in_place(sk_ctx *ctx, const sk_data *in, const char *op, uc_ref x,
                       const uc_tensor *row);
/* Whether an attribute was stored as float32; whether float32 was fed. */
bool sk_is_f32(sk_ctx *ctx, const sk_est *est, const char *attribute);
bool sk_fed_f32(const sk_data *in);
/* A tensor as another shape. */
const uc_tensor *sk_reshaped(sk_ctx *ctx, const uc_tensor *t, int rank, const int64_t *shape);
/* A constant of `count` zeros or another fill. */
const uc_tensor *sk_filled(sk_ctx *ctx, int64_t count, double value);
/* sum over the columns of a * b: [rows, 1]. */
uc_ref sk_row_dot(sk_ctx *ctx, uc_ref a, uc_ref b, bool keep);

/* The name in `kernel`; a Python function is refused by its own. Empty after a failure. */
uc_str sk_kernel_name(sk_ctx *ctx, const sk_est *est);
/* Rounds a solver may take, 0 to 10,000,000: more is no model. */
int64_t sk_rounds(sk_ctx *ctx, const sk_est *est, const char *names, int64_t otherwise);
/* x, refused at run where a value is below `least` (or not above it: strict). */
uc_ref sk_require(sk_ctx *ctx, uc_ref x, double least, bool strict);
/* The projection of a fitted KernelPCA for a kernel [n, rows]; *width: of the result. */
uc_ref sk_kernel_pca_project(sk_ctx *ctx, const sk_est *est, uc_ref kernel, int64_t *width);

#endif
