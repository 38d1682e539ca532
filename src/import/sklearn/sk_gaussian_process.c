/* Gaussian processes: the predictive mean, and classification by Laplace's approximation.
 * Source: sklearn/gaussian_process/_gpr.py and _gpc.py; Rasmussen and Williams, "Gaussian processes for
 * machine learning", 2006, algorithms 2.1 and 3.2. */
#include "import/sklearn/sk_kernels.h"

#include <inttypes.h>

/* ---- regression ---------------------------------------------------------------------------- */

/* A mean or deviation of y, one number or one a target, onto the predictions; NULL: as it is. */
static uc_ref with_statistic(sk_ctx *ctx, const sk_est *est, const char *op, uc_ref y,
                             const char *names, int64_t targets)
{
    const uc_tensor *t = sk_f64_or_null(ctx, est, names, -1);
    if (!t || sk_status(ctx) != UNCORK_OK) return y;
    int64_t count = uc_tensor_count(t);
    if (count == 1) {
        return uc_g2(ctx->graph, op, y, uc_graph_f64(ctx->graph, uc_tensor_doubles(t)[0]));
    }
    if (count != targets) {
        sk_fail(ctx, est, names, "holds %" PRId64 " values for %" PRId64 " targets", count,
                targets);
        return 0;
    }
    return uc_g2(ctx->graph, op, y, uc_graph_f64s(ctx->graph, uc_tensor_doubles(t), count));
}

/* K(x, X_train_) . alpha_, scaled back to the targets: the mean since ever, the deviation since 0.23. */
uncork_status sk_do_gp_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                 const sk_data *in, sk_result *out)
{
    sk_est kernel;
    (void)method;
    const uc_tensor *train = sk_f64(ctx, est, "X_train_", 2);
    const uc_tensor *alpha = sk_f64(ctx, est, "alpha_", -1);
    if (!train || !alpha || !sk_object(ctx, est, "kernel_", &kernel)) return sk_status(ctx);
    if ((alpha->rank != 1 && alpha->rank != 2) || alpha->shape[0] != train->shape[0]) {
        return sk_fail(ctx, est, "alpha_", "doesn't have %" PRId64 " rows as X_train_ has",
                       train->shape[0]);
    }
    int64_t targets = alpha->rank == 1 ? 1 : alpha->shape[1];
    uc_ref k = sk_gp_kernel(ctx, &kernel, sk_x(ctx, est, in, train->shape[1]), train);
    uc_ref y = sk_matmul(ctx, k, alpha, false);
    y = with_statistic(ctx, est, "Mul", y, "_y_train_std", targets);
    y = with_statistic(ctx, est, "Add", y, "_y_train_mean|y_train_mean", targets);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (alpha->rank == 2 && targets == 1 && est->version >= 101) {
        return sk_return(ctx, out, uc_g_squeeze(ctx->graph, y, 1), UNCORK_FLOAT64, 0);
    }
    return sk_return(ctx, out, y, UNCORK_FLOAT64, alpha->rank == 1 ? 0 : targets);
}

/* ---- classification ------------------------------------------------------------------------ */

/* y_train_ - pi_: the gradient of the log likelihood at the mode. */
static const uc_tensor *likelihood_gradient(sk_ctx *ctx, const sk_est *est, int64_t n)
{
    const uc_tensor *y = sk_f64(ctx, est, "y_train_", 1), *pi = sk_f64(ctx, est, "pi_", 1);
    if (!y || !pi || !sk_shape1(ctx, est, "y_train_", y, n) || !sk_shape1(ctx, est, "pi_", pi, n)) {
        return NULL;
    }
    uc_tensor *t = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &n);
    for (int64_t i = 0; t && i < n; i++) {
        ((double *)t->data)[i] = uc_tensor_doubles(y)[i] - uc_tensor_doubles(pi)[i];
    }
    return t;
}

/* k(x, x) - v.v with L v = sqrt(W) k(X, x). */
static uc_ref latent_variance(sk_ctx *ctx, const sk_est *est, const sk_est *kernel, uc_ref x,
                              uc_ref k, const uc_tensor *train)
{
    int64_t n = train->shape[0];
    const uc_tensor *l = sk_f64(ctx, est, "L_", 2), *w = sk_f64(ctx, est, "W_sr_", 1);
    if (!l || !w || !sk_shape2(ctx, est, "L_", l, n, n) || !sk_shape1(ctx, est, "W_sr_", w, n)) {
        return 0;
    }
    uc_graph *g = ctx->graph;
    uc_ref v =
        uc_g2(g, "uncork.SolveLower", sk_const(ctx, l), uc_g2(g, "Mul", k, sk_const(ctx, w)));
    uc_ref explained = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", v, v), 1, false);
    return uc_g2(g, "Sub", sk_gp_diagonal(ctx, kernel, x, train->shape[1]), explained);
}

/* _BinaryGaussianProcessClassifierLaplace. */
uncork_status sk_do_gp_binary(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                              sk_result *out)
{
    sk_est kernel;
    const uc_tensor *train = sk_f64(ctx, est, "X_train_", 2), *classes = sk_classes(ctx, est);
    if (!train || !sk_object(ctx, est, "kernel_", &kernel)) return sk_status(ctx);
    if (!classes || uc_tensor_count(classes) != 2) {
        return sk_fail(ctx, est, "classes_", "holds %" PRId64 " classes, expected 2",
                       classes ? uc_tensor_count(classes) : 0);
    }
    uc_graph *g = ctx->graph;
    uc_ref x = sk_x(ctx, est, in, train->shape[1]);
    uc_ref k = sk_gp_kernel(ctx, &kernel, x, train);
    uc_ref f = sk_matmul(ctx, k, likelihood_gradient(ctx, est, train->shape[0]), false);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (method == SK_PREDICT) {
        uc_ref index = uc_g_cast(g, uc_g2(g, "Greater", f, uc_graph_f64(g, 0)), UNCORK_INT64);
        return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
    }
    uc_ref variance = latent_variance(ctx, est, &kernel, x, k, train);
    uc_ref p = uc_g_unsqueeze(g, uc_g2(g, "uncork.LogisticGaussian", f, variance), 1);
    const uc_ref both[] = {uc_g2(g, "Sub", uc_graph_f64(g, 1), p), p};
    return sk_return(ctx, out, uc_g_concat(g, both, 2, 1), UNCORK_FLOAT64, 2);
}

/* base_estimator_ is the binary one, or a one-vs-rest or one-vs-one of them. */
uncork_status sk_do_gp_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    sk_est inner;
    if (!sk_child(ctx, est, "base_estimator_", &inner)) return sk_status(ctx);
    if (method != SK_PREDICT && uc_str_is(inner.class_name, "OneVsOneClassifier")) {
        return sk_unsupported(ctx, est, "has no probabilities with multi_class 'one_vs_one'");
    }
    return sk_apply(ctx, &inner, method, in, out);
}
