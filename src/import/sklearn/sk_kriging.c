/* sklearn.gaussian_process.GaussianProcess, removed in 0.20: a regression trend plus a correlation.
 * Source: scikit-learn 0.18, gaussian_process/gaussian_process.py, predict; regression_models.py. */
#include "import/sklearn/sk.h"

#include <inttypes.h>

/* A function of regression_models or correlation_models, by its name. */
static uc_str function_name(sk_ctx *ctx, const sk_est *est, const char *attribute)
{
    const uc_pickle *value = sk_attr(est, attribute);
    if (value && value->kind == UC_PICKLE_SYMBOL) return value->text;
    return sk_str(ctx, est, attribute, "");
}

/* An array of any shape as a vector. */
static const uc_tensor *flat(sk_ctx *ctx, const sk_est *est, const char *names)
{
    const uc_tensor *t = sk_f64(ctx, est, names, -1);
    uc_tensor *v = UC_NEW(ctx->arena, uc_tensor, 1);
    if (!t || !v) return NULL;
    int64_t count = uc_tensor_count(t);
    *v = uc_tensor_reshaped(t, 1, &count);
    return v;
}

/* constant: 1; linear: 1 and x; quadratic: 1, x and every product x_i x_j, i <= j. */
static uc_ref trend_features(sk_ctx *ctx, const sk_est *est, uc_ref x, int64_t n, int64_t *width)
{
    uc_graph *g = ctx->graph;
    uc_str kind = function_name(ctx, est, "regr");
    bool is_linear = uc_str_is(kind, "linear"), is_quadratic = uc_str_is(kind, "quadratic");
    if (sk_status(ctx) != UNCORK_OK) return 0;
    *width = 1;
    uc_ref parts[3] = {sk_fill(ctx, x, 1, 1), x, 0};
    if (uc_str_is(kind, "constant")) return parts[0];
    if (!is_linear && !is_quadratic) {
        sk_unsupported(ctx, est, "regr '%.*s' isn't known", (int)kind.size, kind.data);
        return 0;
    }
    *width = 1 + n;
    if (is_linear) return uc_g_concat(g, parts, 2, 1);
    if (n > 10000) {
        sk_unsupported(ctx, est, "a quadratic trend of %" PRId64 " features", n);
        return 0;
    }
    int64_t pairs = n * (n + 1) / 2, k = 0;
    int64_t *first = UC_NEW(ctx->arena, int64_t, (size_t)pairs);
    int64_t *second = UC_NEW(ctx->arena, int64_t, (size_t)pairs);
    if (!first || !second) return 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i; j < n; j++, k++) {
            first[k] = i;
            second[k] = j;
        }
    }
    *width += pairs;
    parts[2] = uc_g2(g, "Mul", uc_g_gather(g, x, uc_graph_i64s(g, first, pairs), 1),
                     uc_g_gather(g, x, uc_graph_i64s(g, second, pairs), 1));
    return uc_g_concat(g, parts, 3, 1);
}

/* f(x) . beta + r(x) . gamma, [rows, targets]. */
static uc_ref standardized(sk_ctx *ctx, const sk_est *est, uc_ref x, const uc_tensor *train,
                           int64_t targets)
{
    uc_graph *g = ctx->graph;
    int64_t width = 0;
    uc_ref f = trend_features(ctx, est, x, train->shape[1], &width);
    const uc_tensor *beta = sk_f64(ctx, est, "beta", 2), *gamma = sk_f64(ctx, est, "gamma", 2);
    const uc_tensor *theta = flat(ctx, est, "theta_");
    if (!beta || !gamma || !theta || !sk_shape2(ctx, est, "beta", beta, width, targets) ||
        !sk_shape2(ctx, est, "gamma", gamma, train->shape[0], targets)) {
        return 0;
    }
    uc_str kind = function_name(ctx, est, "corr");
    const char *kind_text = uc_arena_copy(ctx->arena, kind.data, kind.size);
    const uc_ref in[] = {x, sk_const(ctx, train), sk_const(ctx, theta)};
    if (!kind_text || sk_status(ctx) != UNCORK_OK) return 0;
    uc_node *node = uc_graph_node(g, "uncork.KrigingCorrelation", in, 3, 1);
    uc_node_str(g, node, "kind", kind_text);
    return uc_g2(g, "Add", sk_matmul(ctx, f, beta, false),
                 sk_matmul(ctx, uc_node_out(node, 0), gamma, false));
}

uncork_status sk_do_kriging(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                            sk_result *out)
{
    (void)method;
    const uc_tensor *train = sk_f64(ctx, est, "X", 2), *y = sk_f64(ctx, est, "y", 2);
    const uc_tensor *x_mean = flat(ctx, est, "X_mean"), *x_std = flat(ctx, est, "X_std");
    const uc_tensor *y_mean = flat(ctx, est, "y_mean"), *y_std = flat(ctx, est, "y_std");
    if (!train || !y || !x_mean || !x_std || !y_mean || !y_std) return sk_status(ctx);
    int64_t n = train->shape[1], targets = y->shape[1];
    if ((x_mean->shape[0] != 1 && x_mean->shape[0] != n) ||
        (x_std->shape[0] != 1 && x_std->shape[0] != n)) {
        return sk_fail(ctx, est, "X_mean", "isn't one value, or one a feature");
    }
    if ((y_mean->shape[0] != 1 && y_mean->shape[0] != targets) ||
        (y_std->shape[0] != 1 && y_std->shape[0] != targets)) {
        return sk_fail(ctx, est, "y_mean", "isn't one value, or one a target");
    }
    uc_graph *g = ctx->graph;
    uc_ref x = uc_g2(g, "Sub", sk_x(ctx, est, in, n), sk_const(ctx, x_mean));
    x = uc_g2(g, "Div", x, sk_const(ctx, x_std));
    uc_ref p = standardized(ctx, est, x, train, targets);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    p = uc_g2(g, "Add", sk_const(ctx, y_mean), uc_g2(g, "Mul", sk_const(ctx, y_std), p));
    bool is_vector = sk_int(ctx, est, "y_ndim_", 2) == 1 && targets == 1;
    if (is_vector) p = uc_g_squeeze(g, p, 1);
    return sk_return(ctx, out, p, UNCORK_FLOAT64, is_vector ? 0 : targets);
}
