/* Kernel functions by name, as graph pieces. Source: sklearn/metrics/pairwise.py. Distances are summed
 * directly, where scikit-learn expands |x|^2 - 2 x.y + |y|^2: ours are the more exact. */
#include "import/sklearn/sk_kernels.h"

sk_kernel_params sk_kernel_params_of(sk_ctx *ctx, const sk_est *est)
{
    return (sk_kernel_params){.has_gamma = sk_has(est, "gamma"),
                              .gamma = sk_number(ctx, est, "gamma", 0),
                              .degree = sk_number(ctx, est, "degree", 3),
                              .coef0 = sk_number(ctx, est, "coef0", 1)};
}

sk_kernel_params sk_kernel_params_in(const uc_pickle *kwargs)
{
    sk_kernel_params p = {.degree = 3, .coef0 = 1};
    p.has_gamma = uc_pickle_f64(uc_pickle_get(kwargs, "gamma"), &p.gamma);
    (void)uc_pickle_f64(uc_pickle_get(kwargs, "degree"), &p.degree);
    (void)uc_pickle_f64(uc_pickle_get(kwargs, "coef0"), &p.coef0);
    return p;
}

uc_str sk_kernel_function_name(const uc_pickle *value)
{
    static const struct {
        const char *function, *name;
    } known[] = {{"linear_kernel", "linear"},
                 {"polynomial_kernel", "poly"},
                 {"rbf_kernel", "rbf"},
                 {"laplacian_kernel", "laplacian"},
                 {"sigmoid_kernel", "sigmoid"},
                 {"cosine_similarity", "cosine"},
                 {"additive_chi2_kernel", "additive_chi2"},
                 {"chi2_kernel", "chi2"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (uc_pickle_is_symbol(value, "sklearn.metrics.pairwise", known[i].function)) {
            return uc_str_of(known[i].name);
        }
    }
    return (uc_str){0};
}

uc_ref sk_distances(sk_ctx *ctx, const char *metric, bool squared, uc_ref x, uc_ref y)
{
    const uc_ref in[] = {x, y};
    uc_node *node = uc_graph_node(ctx->graph, "uncork.PairwiseDistance", in, 2, 1);
    uc_node_str(ctx->graph, node, "metric", metric);
    uc_node_int(ctx->graph, node, "reduced", squared);
    return uc_node_out(node, 0);
}

/* x y^T */
static uc_ref products(sk_ctx *ctx, uc_ref x, uc_ref y)
{
    const uc_ref in[] = {x, y};
    uc_node *node = uc_graph_node(ctx->graph, "Gemm", in, 2, 1);
    uc_node_int(ctx->graph, node, "transB", 1);
    return uc_node_out(node, 0);
}

/* Rows divided by their length; a row of zeros stays. */
static uc_ref unit_rows(sk_ctx *ctx, uc_ref x)
{
    uc_graph *g = ctx->graph;
    uc_ref length = uc_g1(g, "Sqrt", uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", x, x), 1, true));
    uc_ref zero = uc_g2(g, "Equal", length, uc_graph_f64(g, 0));
    return uc_g2(g, "Div", x, uc_g_where(g, zero, uc_graph_f64(g, 1), length));
}

static uc_ref exp_of(sk_ctx *ctx, double factor, uc_ref a)
{
    return uc_g1(ctx->graph, "Exp", sk_mul_s(ctx, a, factor));
}

/* gamma x.y + coef0 */
static uc_ref shifted_products(sk_ctx *ctx, double gamma, double coef0, uc_ref x, uc_ref y)
{
    return sk_add_s(ctx, sk_mul_s(ctx, products(ctx, x, y), gamma), coef0);
}

uc_ref sk_pairwise_kernel(sk_ctx *ctx, const sk_est *est, uc_str metric, const sk_kernel_params *p,
                          uc_ref x, const uc_tensor *y)
{
    if (sk_status(ctx) != UNCORK_OK || !y) return 0;
    uc_graph *g = ctx->graph;
    uc_ref others = sk_const(ctx, y);
    double gamma = p->has_gamma ? p->gamma : 1 / (double)y->shape[1];
    if (uc_str_is(metric, "linear")) return products(ctx, x, others);
    if (uc_str_is(metric, "cosine")) {
        return products(ctx, unit_rows(ctx, x), unit_rows(ctx, others));
    }
    if (uc_str_is(metric, "rbf")) {
        return exp_of(ctx, -gamma, sk_distances(ctx, "euclidean", true, x, others));
    }
    if (uc_str_is(metric, "laplacian")) {
        return exp_of(ctx, -gamma, sk_distances(ctx, "manhattan", false, x, others));
    }
    if (uc_str_is(metric, "poly") || uc_str_is(metric, "polynomial")) {
        uc_ref k = shifted_products(ctx, gamma, p->coef0, x, others);
        return uc_g2(g, "Pow", k, uc_graph_f64(g, p->degree));
    }
    if (uc_str_is(metric, "sigmoid")) {
        return uc_g1(g, "Tanh", shifted_products(ctx, gamma, p->coef0, x, others));
    }
    if (uc_str_is(metric, "additive_chi2")) return uc_g2(g, "uncork.AdditiveChi2", x, others);
    if (uc_str_is(metric, "chi2")) { /* its gamma is 1 by itself, and always before 0.19 */
        return exp_of(ctx, p->has_gamma && est->version >= 19 ? gamma : 1,
                      uc_g2(g, "uncork.AdditiveChi2", x, others));
    }
    sk_unsupported(ctx, est, "kernel '%.*s' isn't known", (int)metric.size, metric.data);
    return 0;
}
