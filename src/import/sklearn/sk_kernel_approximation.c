/* Explicit feature maps of kernels. Source: sklearn/kernel_approximation.py. */
#include "import/sklearn/sk_kernels.h"
#include "import/sklearn/sk_matrix.h"

#include <inttypes.h>
#include <math.h>

static const double pi = 3.14159265358979323846;

/* sqrt(2 / n) cos(x W + offset) */
static uncork_status random_cosines(sk_ctx *ctx, const sk_est *est, const sk_data *in, uc_ref x,
                                    const uc_tensor *weights, sk_result *out)
{
    uc_graph *g = ctx->graph;
    int64_t n = weights->shape[1];
    const uc_tensor *offset = sk_f64(ctx, est, "random_offset_", 1);
    if (!sk_shape1(ctx, est, "random_offset_", offset, n)) return sk_status(ctx);
    int64_t components = sk_int(ctx, est, "n_components", n);
    if (components != n) { /* the library scales by the number it is told */
        return sk_fail(ctx, est, "n_components",
                       "is %" PRId64 ", random_weights_ has %" PRId64 " columns", components, n);
    }
    uc_ref angle = uc_g2(g, "Add", sk_matmul(ctx, x, weights, false), sk_const(ctx, offset));
    uc_ref y = sk_mul_s(ctx, uc_g1(g, "Cos", angle), sqrt(2.0 / (double)n));
    return sk_return_like(ctx, est, in, "random_weights_", y, n, out);
}

uncork_status sk_do_rbf_sampler(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                                sk_result *out)
{
    (void)method;
    const uc_tensor *weights = sk_matrix(ctx, est, "random_weights_");
    if (!weights) return sk_status(ctx);
    return random_cosines(ctx, est, in, sk_x(ctx, est, in, weights->shape[0]), weights, out);
}

uncork_status sk_do_skewed_chi2(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                                sk_result *out)
{
    (void)method;
    const uc_tensor *weights = sk_matrix(ctx, est, "random_weights_");
    if (!weights) return sk_status(ctx);
    double skew = sk_number(ctx, est, "skewedness", 1.0);
    uc_ref x = sk_require(ctx, sk_x(ctx, est, in, weights->shape[0]), -skew, true);
    uc_ref y = uc_g1(ctx->graph, "Log", sk_add_s(ctx, x, skew));
    return random_cosines(ctx, est, in, y, weights, out);
}

uncork_status sk_do_nystroem(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                             sk_result *out)
{
    (void)method;
    uc_str kernel = sk_kernel_name(ctx, est);
    sk_kernel_params params = sk_kernel_params_of(ctx, est);
    const uc_tensor *rows = sk_matrix(ctx, est, "components_");
    const uc_tensor *scale = sk_matrix(ctx, est, "normalization_");
    if (!rows || !scale || !sk_shape2(ctx, est, "normalization_", scale, -1, rows->shape[0])) {
        return sk_status(ctx);
    }
    uc_ref x = sk_x(ctx, est, in, rows->shape[1]);
    bool given = uc_str_is(kernel, "precomputed");
    uc_ref k = given ? x : sk_pairwise_kernel(ctx, est, kernel, &params, x, rows);
    return sk_return_like(ctx, est, in, "components_", sk_matmul(ctx, k, scale, true),
                          scale->shape[0], out);
}

static double sample_interval(sk_ctx *ctx, const sk_est *est, int64_t steps)
{
    static const double usual[] = {0, 0.8, 0.5, 0.4};
    double given = sk_number(ctx, est, "sample_interval_|_sample_interval|sample_interval", 0);
    if (given == 0) given = sk_number(ctx, est, "sample_interval", 0);
    if (given != 0) return given;
    if (steps >= 1 && steps <= 3) return usual[steps];
    sk_fail(ctx, est, "sample_interval", "is missing for %" PRId64 " steps", steps);
    return 1;
}

/* sqrt(2 x L / cosh(pi j L)) times cos and sin of j L ln x; 0 where x is 0. */
uncork_status sk_do_additive_chi2(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    int64_t steps = sk_int(ctx, est, "sample_steps", 2);
    double interval = sample_interval(ctx, est, steps);
    if (steps < 1 || steps > 10000) return sk_fail(ctx, est, "sample_steps", "is %" PRId64, steps);
    int64_t features = sk_int(ctx, est, "n_features_in_", -1);
    if (features < -1 || features > INT32_MAX)
        return sk_fail(ctx, est, "n_features_in_", "is %" PRId64, features);
    uc_ref x = sk_require(ctx, sk_x(ctx, est, in, features), 0, false);
    size_t count = (size_t)(2 * steps - 1);
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, count), zero = uc_graph_f64(g, 0);
    if (!parts) return sk_status(ctx);
    uc_ref none = uc_g2(g, "Equal", x, zero);
    uc_ref safe = uc_g_where(g, none, uc_graph_f64(g, 1), x);
    uc_ref angle = sk_mul_s(ctx, uc_g1(g, "Log", safe), interval);
    parts[0] = uc_g1(g, "Sqrt", sk_mul_s(ctx, x, interval));
    for (int64_t j = 1; j < steps; j++) {
        double spread = 2.0 * interval / cosh(pi * (double)j * interval);
        uc_ref factor = uc_g1(g, "Sqrt", sk_mul_s(ctx, x, spread)); /* 0 where x is */
        uc_ref turn = sk_mul_s(ctx, angle, (double)j);
        parts[2 * j - 1] = uc_g2(g, "Mul", factor, uc_g1(g, "Cos", turn));
        parts[2 * j] = uc_g2(g, "Mul", factor, uc_g1(g, "Sin", turn));
    }
    uc_ref y = count == 1 ? parts[0] : uc_g_concat(g, parts, count, 1);
    int64_t width = features >= 0 ? features : in->columns ? (int64_t)in->column_count : in->width;
    return sk_return_like(ctx, est, in, NULL, y, width < 0 ? -1 : width * (int64_t)count, out);
}

uncork_status sk_do_count_sketch(sk_ctx *ctx, const sk_est *est, sk_method method,
                                 const sk_data *in, sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    const uc_tensor *places = sk_i64(ctx, est, "indexHash_", 2),
                    *signs = sk_f64(ctx, est, "bitHash_", 2);
    if (!places || !sk_shape2(ctx, est, "bitHash_", signs, places->shape[0], places->shape[1])) {
        return sk_status(ctx);
    }
    double coef0 = sk_number(ctx, est, "coef0", 0);
    int64_t d = places->shape[1] - (coef0 != 0), components = sk_int(ctx, est, "n_components", 100);
    if (d < 1) return sk_fail(ctx, est, "indexHash_", "has no column for a feature");
    uc_ref x = sk_mul_s(ctx, sk_x(ctx, est, in, d), sqrt(sk_number(ctx, est, "gamma", 1.0)));
    if (coef0 != 0) {
        uc_ref both[2] = {x, sk_fill(ctx, x, sqrt(coef0), 1)};
        x = uc_g_concat(g, both, 2, 1);
    }
    uc_ref in3[3] = {x, sk_const(ctx, places), sk_const(ctx, signs)};
    uc_node *n = uc_graph_node(g, "uncork.CountSketch", in3, 3, 1);
    uc_node_int(g, n, "components", components);
    return sk_return(ctx, out, uc_node_out(n, 0), UNCORK_FLOAT64, components);
}
