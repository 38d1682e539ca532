/* LabelPropagation and LabelSpreading: a new row takes the label distributions of the training rows,
 * weighted by a kernel or by being among the nearest.
 * Source: sklearn/semi_supervised/_label_propagation.py, predict_proba. */
#include "import/sklearn/sk_kernels.h"

static uc_ref by_kernel(sk_ctx *ctx, const sk_est *est, const sk_data *in, const uc_tensor *y)
{
    const uc_tensor *x = sk_f64(ctx, est, "X_", 2);
    sk_kernel_params params = {
        .has_gamma = true, .gamma = sk_number(ctx, est, "gamma", 20), .degree = 3, .coef0 = 1};
    if (!x || !sk_shape2(ctx, est, "label_distributions_", y, x->shape[0], -1)) return 0;
    uc_ref k =
        sk_pairwise_kernel(ctx, est, uc_str_of("rbf"), &params, sk_x(ctx, est, in, x->shape[1]), x);
    return sk_matmul(ctx, k, y, false);
}

static uc_ref by_neighbours(sk_ctx *ctx, const sk_est *est, const sk_data *in, const uc_tensor *y)
{
    sk_est neighbours;
    sk_result result;
    if (!sk_child(ctx, est, "nn_fit", &neighbours)) return 0;
    if (sk_apply(ctx, &neighbours, SK_KNEIGHBORS, in, &result) != UNCORK_OK) return 0;
    const uc_tensor *x = sk_f64(ctx, est, "X_", 2);
    if (!x || result.count != 2 || !sk_shape2(ctx, est, "label_distributions_", y, x->shape[0], -1))
        return 0;
    uc_ref taken = uc_g_gather(ctx->graph, sk_const(ctx, y), result.out[1], 0);
    return uc_g_reduce(ctx->graph, "ReduceSum", taken, 1, false);
}

uncork_status sk_do_label_propagation(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    const uc_tensor *y = sk_f64(ctx, est, "label_distributions_", 2),
                    *classes = sk_classes(ctx, est);
    if (!classes) return sk_fail(ctx, est, "classes_", "is missing: not fitted?");
    if (!sk_shape2(ctx, est, "label_distributions_", y, -1, classes->shape[0]))
        return sk_status(ctx);
    uc_ref p = 0;
    if (sk_str_is(est, "kernel", "rbf")) {
        p = by_kernel(ctx, est, in, y);
    } else if (sk_str_is(est, "kernel", "knn")) {
        p = by_neighbours(ctx, est, in, y);
    } else {
        return sk_unsupported(ctx, est, "has a kernel that only Python can call");
    }
    /* a row far from all divides 0 by 0: NaN, as in scikit-learn */
    p = uc_g2(ctx->graph, "Div", p, uc_g_reduce(ctx->graph, "ReduceSum", p, 1, true));
    return sk_return_proba(ctx, est, method, classes, p, out);
}
