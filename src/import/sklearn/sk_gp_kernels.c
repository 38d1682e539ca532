/* The kernels of Gaussian processes: objects in a tree of sums and products.
 * Source: sklearn/gaussian_process/kernels.py, __call__ and diag of every class. */
#include "import/sklearn/sk_kernels.h"

#include <inttypes.h>

#define PI 3.14159265358979323846

/* A child kernel. sk_object bounds the depth, the budget what shared children unfold to. */
static bool child(sk_ctx *ctx, const sk_est *kernel, const char *name, sk_est *out)
{
    if (!sk_object(ctx, kernel, name, out)) return false;
    uncork_status status = uc_budget_nodes(ctx->budget, 1, "kernels", ctx->error);
    if (ctx->status == UNCORK_OK) ctx->status = status;
    return status == UNCORK_OK;
}

/* x / length_scale: one number, or one a feature. */
static uc_ref scaled(sk_ctx *ctx, const sk_est *kernel, uc_ref x, int64_t features)
{
    const uc_tensor *scale = sk_f64(ctx, kernel, "length_scale", -1);
    if (!scale) return 0;
    int64_t count = uc_tensor_count(scale);
    if (count == 1) {
        return uc_g2(ctx->graph, "Div", x, uc_graph_f64(ctx->graph, uc_tensor_doubles(scale)[0]));
    }
    if (count != features) {
        sk_fail(ctx, kernel, "length_scale", "holds %" PRId64 " values for %" PRId64 " features",
                count, features);
        return 0;
    }
    return uc_g2(ctx->graph, "Div", x, uc_graph_f64s(ctx->graph, uc_tensor_doubles(scale), count));
}

/* Distances of x and y after both are divided by length_scale. */
static uc_ref scaled_distances(sk_ctx *ctx, const sk_est *kernel, bool squared, uc_ref x,
                               const uc_tensor *y)
{
    int64_t features = y->shape[1];
    uc_ref a = scaled(ctx, kernel, x, features);
    uc_ref b = scaled(ctx, kernel, sk_const(ctx, y), features);
    return sk_status(ctx) == UNCORK_OK ? sk_distances(ctx, "euclidean", squared, a, b) : 0;
}

static uc_ref rbf(sk_ctx *ctx, const sk_est *kernel, uc_ref x, const uc_tensor *y)
{
    uc_ref d = scaled_distances(ctx, kernel, true, x, y);
    return uc_g1(ctx->graph, "Exp", sk_mul_s(ctx, d, -0.5));
}

static uc_ref matern(sk_ctx *ctx, const sk_est *kernel, uc_ref x, const uc_tensor *y)
{
    double nu = sk_number(ctx, kernel, "nu", 1.5);
    uc_ref d = scaled_distances(ctx, kernel, false, x, y);
    /* nu = inf came with 0.23; before, the general form made NaN of it */
    uc_node *node = uc_graph_node(ctx->graph, "uncork.Matern", &d, 1, 1);
    uc_node_float(ctx->graph, node, "nu", nu);
    return uc_node_out(node, 0);
}

/* (1 + d^2 / (2 alpha l^2))^-alpha */
static uc_ref rational_quadratic(sk_ctx *ctx, const sk_est *kernel, uc_ref x, const uc_tensor *y)
{
    uc_graph *g = ctx->graph;
    double alpha = sk_number(ctx, kernel, "alpha", 1),
           l = sk_number(ctx, kernel, "length_scale", 1);
    uc_ref d = sk_distances(ctx, "euclidean", true, x, sk_const(ctx, y));
    d = uc_g2(g, "Div", d, uc_graph_f64(g, 2 * alpha * (l * l)));
    return uc_g2(g, "Pow", sk_add_s(ctx, d, 1), uc_graph_f64(g, -alpha));
}

/* exp(-2 (sin(pi / p d) / l)^2) */
static uc_ref exp_sine_squared(sk_ctx *ctx, const sk_est *kernel, uc_ref x, const uc_tensor *y)
{
    uc_graph *g = ctx->graph;
    double period = sk_number(ctx, kernel, "periodicity", 1);
    double l = sk_number(ctx, kernel, "length_scale", 1);
    uc_ref d = sk_distances(ctx, "euclidean", false, x, sk_const(ctx, y));
    uc_ref s = uc_g1(g, "Sin", sk_mul_s(ctx, d, PI / period));
    s = uc_g2(g, "Div", s, uc_graph_f64(g, l));
    return uc_g1(g, "Exp", sk_mul_s(ctx, uc_g2(g, "Mul", s, s), -2));
}

/* x.y + sigma_0^2 */
static uc_ref dot_product(sk_ctx *ctx, const sk_est *kernel, uc_ref x, const uc_tensor *y)
{
    double sigma = sk_number(ctx, kernel, "sigma_0", 1);
    return sk_add_s(ctx, sk_matmul(ctx, x, y, true), sigma * sigma);
}

static uc_ref pairwise(sk_ctx *ctx, const sk_est *kernel, uc_ref x, const uc_tensor *y)
{
    sk_kernel_params p = sk_kernel_params_in(sk_attr(kernel, "pairwise_kernels_kwargs"));
    p.has_gamma = true;
    p.gamma = sk_number(ctx, kernel, "gamma", 1);
    return sk_pairwise_kernel(ctx, kernel, sk_str(ctx, kernel, "metric", "linear"), &p, x, y);
}

/* [rows, others] of one number; others 0: [rows]. */
static uc_ref filled(sk_ctx *ctx, uc_ref x, double value, int64_t others)
{
    return sk_status(ctx) == UNCORK_OK ? sk_fill(ctx, x, value, others) : 0;
}

uc_ref sk_gp_kernel(sk_ctx *ctx, const sk_est *kernel, uc_ref x, const uc_tensor *y)
{
    static const struct {
        const char *name;
        uc_ref (*build)(sk_ctx *ctx, const sk_est *kernel, uc_ref x, const uc_tensor *y);
    } known[] = {{"RBF", rbf},
                 {"Matern", matern},
                 {"RationalQuadratic", rational_quadratic},
                 {"ExpSineSquared", exp_sine_squared},
                 {"DotProduct", dot_product},
                 {"PairwiseKernel", pairwise}};
    sk_est k1, k2;
    uc_str name = kernel->class_name;
    if (sk_status(ctx) != UNCORK_OK || !y) return 0;
    if (uc_str_is(name, "Sum") || uc_str_is(name, "Product")) {
        if (!child(ctx, kernel, "k1", &k1) || !child(ctx, kernel, "k2", &k2)) return 0;
        uc_ref a = sk_gp_kernel(ctx, &k1, x, y), b = sk_gp_kernel(ctx, &k2, x, y);
        return uc_g2(ctx->graph, uc_str_is(name, "Sum") ? "Add" : "Mul", a, b);
    }
    if (uc_str_is(name, "Exponentiation")) {
        if (!child(ctx, kernel, "kernel", &k1)) return 0;
        double exponent = sk_number(ctx, kernel, "exponent", 1);
        uc_ref a = sk_gp_kernel(ctx, &k1, x, y);
        return uc_g2(ctx->graph, "Pow", a, uc_graph_f64(ctx->graph, exponent));
    }
    /* Noise is on the diagonal of the training data only. */
    if (uc_str_is(name, "WhiteKernel")) return filled(ctx, x, 0, y->shape[0]);
    if (uc_str_is(name, "ConstantKernel")) {
        return filled(ctx, x, sk_number(ctx, kernel, "constant_value", 1), y->shape[0]);
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (uc_str_is(name, known[i].name)) return known[i].build(ctx, kernel, x, y);
    }
    sk_unsupported(ctx, kernel, "this kernel isn't known");
    return 0;
}

/* ---- k(x, x) ------------------------------------------------------------------------------- */

/* Of the functions of metrics.pairwise that aren't 1 there. */
static uc_ref pairwise_diagonal(sk_ctx *ctx, const sk_est *kernel, uc_ref x, int64_t features)
{
    (void)features;
    uc_graph *g = ctx->graph;
    uc_str metric = sk_str(ctx, kernel, "metric", "linear");
    sk_kernel_params p = sk_kernel_params_in(sk_attr(kernel, "pairwise_kernels_kwargs"));
    p.gamma = sk_number(ctx, kernel, "gamma", 1);
    if (uc_str_is(metric, "rbf") || uc_str_is(metric, "laplacian") || uc_str_is(metric, "chi2")) {
        return filled(ctx, x, 1, 0);
    }
    if (uc_str_is(metric, "additive_chi2")) return filled(ctx, x, 0, 0);
    if (sk_status(ctx) != UNCORK_OK) return 0;
    uc_ref square = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", x, x), 1, false);
    if (uc_str_is(metric, "linear")) return square;
    if (uc_str_is(metric, "cosine")) { /* 0 for a row of zeros */
        return uc_g_cast(g, uc_g2(g, "Greater", square, uc_graph_f64(g, 0)), UNCORK_FLOAT64);
    }
    uc_ref shifted = sk_add_s(ctx, sk_mul_s(ctx, square, p.gamma), p.coef0);
    if (uc_str_is(metric, "sigmoid")) return uc_g1(g, "Tanh", shifted);
    return uc_g2(g, "Pow", shifted, uc_graph_f64(g, p.degree));
}

uc_ref sk_gp_diagonal(sk_ctx *ctx, const sk_est *kernel, uc_ref x, int64_t features)
{
    static const char *const ones[] = {"RBF", "Matern", "RationalQuadratic", "ExpSineSquared"};
    sk_est k1, k2;
    uc_graph *g = ctx->graph;
    uc_str name = kernel->class_name;
    if (sk_status(ctx) != UNCORK_OK) return 0;
    if (uc_str_is(name, "Sum") || uc_str_is(name, "Product")) {
        if (!child(ctx, kernel, "k1", &k1) || !child(ctx, kernel, "k2", &k2)) return 0;
        uc_ref a = sk_gp_diagonal(ctx, &k1, x, features);
        uc_ref b = sk_gp_diagonal(ctx, &k2, x, features);
        return uc_g2(g, uc_str_is(name, "Sum") ? "Add" : "Mul", a, b);
    }
    if (uc_str_is(name, "Exponentiation")) {
        if (!child(ctx, kernel, "kernel", &k1)) return 0;
        double exponent = sk_number(ctx, kernel, "exponent", 1);
        return uc_g2(g, "Pow", sk_gp_diagonal(ctx, &k1, x, features), uc_graph_f64(g, exponent));
    }
    if (uc_str_is(name, "WhiteKernel")) {
        return filled(ctx, x, sk_number(ctx, kernel, "noise_level", 1), 0);
    }
    if (uc_str_is(name, "ConstantKernel")) {
        return filled(ctx, x, sk_number(ctx, kernel, "constant_value", 1), 0);
    }
    if (uc_str_is(name, "DotProduct")) {
        double sigma = sk_number(ctx, kernel, "sigma_0", 1);
        uc_ref square = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", x, x), 1, false);
        return sk_add_s(ctx, square, sigma * sigma);
    }
    if (uc_str_is(name, "PairwiseKernel")) return pairwise_diagonal(ctx, kernel, x, features);
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) {
        if (uc_str_is(name, ones[i])) return filled(ctx, x, 1, 0);
    }
    sk_unsupported(ctx, kernel, "this kernel isn't known");
    return 0;
}
