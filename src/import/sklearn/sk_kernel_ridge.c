/* Kernel ridge regression: K(x, X_fit_) . dual_coef_. Source: sklearn/kernel_ridge.py. */
#include "import/sklearn/sk_kernels.h"

/* K(x, X_fit_) [rows, n]. */
static uc_ref kernel_matrix(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t n)
{
    if (sk_str_is(est, "kernel", "precomputed")) return sk_x(ctx, est, in, n);
    const uc_tensor *fit = sk_f64(ctx, est, "X_fit_", 2);
    if (!fit || !sk_shape2(ctx, est, "X_fit_", fit, n, -1)) return 0;
    uc_ref x = sk_x(ctx, est, in, fit->shape[1]);
    sk_kernel_params params = sk_kernel_params_of(ctx, est);
    uc_str name = sk_kernel_function_name(sk_attr(est, "kernel"));
    if (name.size > 0) {
        sk_unsupported(ctx, est, "calls its kernel function with single rows, which %.*s refuses",
                       (int)name.size, name.data);
        return 0;
    }
    return sk_pairwise_kernel(ctx, est, sk_str(ctx, est, "kernel", "linear"), &params, x, fit);
}

uncork_status sk_do_kernel_ridge(sk_ctx *ctx, const sk_est *est, sk_method method,
                                 const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_tensor *dual = sk_f64(ctx, est, "dual_coef_", -1);
    if (!dual) return sk_status(ctx);
    if (dual->rank != 1 && dual->rank != 2) {
        return sk_fail(ctx, est, "dual_coef_", "has %d dimensions, expected 1 or 2", dual->rank);
    }
    uc_ref k = kernel_matrix(ctx, est, in, dual->shape[0]);
    uc_ref y = sk_matmul(ctx, k, dual, false);
    return sk_return(ctx, out, y, UNCORK_FLOAT64, dual->rank == 1 ? 0 : dual->shape[1]);
}
