/* Linear decompositions: centre, project, scale; and the densities of the Gaussian ones.
 * Sources: sklearn/decomposition/_base.py, _pca.py, _incremental_pca.py, _truncated_svd.py,
 * _fastica.py, _factor_analysis.py, _kernel_pca.py, _sparse_pca.py, _dict_learning.py and their
 * forerunners without underscore. */
#include "import/sklearn/sk_kernels.h"
#include "import/sklearn/sk_matrix.h"

#include <math.h>

static const double log_2pi = 1.8378770664093454836;

/* mean_ of d features; 0 when there is none. */
static const uc_tensor *read_mean(sk_ctx *ctx, const sk_est *est, int64_t d)
{
    const uc_tensor *mean = sk_f64_or_null(ctx, est, "mean_", -1);
    if (!mean) return NULL;
    if (mean->rank == 2 && mean->shape[0] == 1) mean = sk_reshaped(ctx, mean, 1, mean->shape + 1);
    return sk_shape1(ctx, est, "mean_", mean, d) ? mean : NULL;
}

/* ---- log density of N(mean, precision^-1) ----------------------------------------------------- */

static uncork_status return_density(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                                    uc_ref centred, uc_ref precision, int64_t d, sk_result *out)
{
    uc_graph *g = ctx->graph;
    uc_ref square = sk_row_dot(ctx, centred, uc_g2(g, "MatMul", centred, precision), false);
    uc_ref log_det = uc_g1(g, "uncork.LogDeterminant", precision);
    uc_ref norm = uc_g2(g, "Sub", uc_graph_f64(g, (double)d * log_2pi), log_det);
    uc_ref sum = sk_mul_s(ctx, uc_g2(g, "Add", square, norm), -0.5);
    return sk_return_like(ctx, est, in, "components_", sum, 0, out);
}

static uc_ref identity(sk_ctx *ctx, int64_t n)
{
    int64_t shape[2] = {n, n};
    uc_tensor *t = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    for (int64_t i = 0; t && i < n; i++) {
        ((double *)t->data)[i * n + i] = 1.0;
    }
    return sk_const(ctx, t);
}

static uc_ref inverse(sk_ctx *ctx, uc_ref a) { return uc_g1(ctx->graph, "uncork.Inverse", a); }

/* a' diag(row) b with constants: (a * row) b. */
static uc_ref scaled_gram(sk_ctx *ctx, uc_ref a, uc_ref row, uc_ref b)
{
    uc_graph *g = ctx->graph;
    return uc_g2(g, "MatMul", uc_g_transpose(g, uc_g2(g, "Mul", a, row)), b);
}

/* PCA.get_precision by the inversion lemma, of the covariance where no noise is left. */
static uc_ref pca_precision(sk_ctx *ctx, const sk_est *est, const uc_tensor *components,
                            const uc_tensor *variance)
{
    uc_graph *g = ctx->graph;
    int64_t k = components->shape[0], d = components->shape[1], column[2] = {k, 1};
    double noise = sk_number(ctx, est, "noise_variance_", 0);
    uc_ref c = sk_const(ctx, components), v = sk_const(ctx, sk_reshaped(ctx, variance, 2, column));
    if (sk_bool(ctx, est, "whiten", false)) c = uc_g2(g, "Mul", c, uc_g1(g, "Sqrt", v));
    uc_ref over = uc_g2(g, "Max", sk_add_s(ctx, v, -noise), uc_graph_f64(g, 0));
    uc_ref noises = uc_g2(g, "Mul", identity(ctx, d), uc_graph_f64(g, noise));
    if (noise == 0.0 || (k == d && est->version < 24)) {
        uc_ref covariance = uc_g2(g, "Add", scaled_gram(ctx, c, over, c), noises);
        return inverse(ctx, covariance);
    }
    uc_ref inner = sk_mul_s(ctx, uc_g2(g, "MatMul", c, uc_g_transpose(g, c)), 1.0 / noise);
    uc_ref diagonal = uc_g2(g, "Mul", identity(ctx, k), uc_g1(g, "Reciprocal", over));
    uc_ref middle = uc_g2(g, "MatMul", inverse(ctx, uc_g2(g, "Add", inner, diagonal)), c);
    uc_ref outer = uc_g2(g, "MatMul", uc_g_transpose(g, c), middle);
    uc_ref scaled = sk_mul_s(ctx, outer, -1.0 / (noise * noise));
    return uc_g2(g, "Add", scaled, sk_mul_s(ctx, identity(ctx, d), 1.0 / noise));
}

static uncork_status pca_density(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                                 const uc_tensor *components, sk_result *out)
{
    int64_t k = components->shape[0], d = components->shape[1];
    const uc_tensor *variance = sk_f64(ctx, est, "explained_variance_", 1);
    if (!sk_shape1(ctx, est, "explained_variance_", variance, k)) return sk_status(ctx);
    uc_ref centred = sk_with_row(ctx, "Sub", sk_x(ctx, est, in, d), read_mean(ctx, est, d));
    return return_density(ctx, est, in, centred, pca_precision(ctx, est, components, variance), d,
                          out);
}

/* ---- PCA and its like -------------------------------------------------------------------------- */

/* sqrt of the variances; from 1.5 on at least machine epsilon. */
static uc_ref whitening(sk_ctx *ctx, const sk_est *est, const uc_tensor *variance)
{
    uc_graph *g = ctx->graph;
    uc_ref scale = uc_g1(g, "Sqrt", sk_const(ctx, variance));
    return est->version >= 105 ? uc_g2(g, "Max", scale, uc_graph_f64(g, 0x1p-52)) : scale;
}

/* PCA, IncrementalPCA, RandomizedPCA. The mean is taken off the features until 1.4, off the projection
 * from 1.5 on. */
uncork_status sk_do_pca(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *components = sk_matrix(ctx, est, "components_");
    if (!components) return sk_status(ctx);
    if (method == SK_SCORE_SAMPLES) return pca_density(ctx, est, in, components, out);
    int64_t k = components->shape[0], d = components->shape[1];
    const uc_tensor *mean = read_mean(ctx, est, d);
    uc_ref x = sk_x(ctx, est, in, d), y;
    if (est->version >= 105 && mean) {
        int64_t row[2] = {1, d};
        uc_ref middle =
            sk_matmul(ctx, sk_const(ctx, sk_reshaped(ctx, mean, 2, row)), components, true);
        y = uc_g2(g, "Sub", sk_matmul(ctx, x, components, true), middle);
    } else {
        y = sk_matmul(ctx, sk_with_row(ctx, "Sub", x, mean), components, true);
    }
    bool folded = uc_str_is(est->class_name, "RandomizedPCA"); /* its components are whitened */
    if (!folded && sk_bool(ctx, est, "whiten", false)) {
        const uc_tensor *variance = sk_f64(ctx, est, "explained_variance_", 1);
        if (!sk_shape1(ctx, est, "explained_variance_", variance, k)) return sk_status(ctx);
        y = uc_g2(g, "Div", y, whitening(ctx, est, variance));
    }
    return sk_return_like(ctx, est, in, "components_", y, k, out);
}

/* TruncatedSVD, random projections: the bare product. */
uncork_status sk_do_projection(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                               sk_result *out)
{
    (void)method;
    const uc_tensor *components = sk_matrix(ctx, est, "components_");
    if (!components) return sk_status(ctx);
    uc_ref x = sk_x(ctx, est, in, components->shape[1]);
    return sk_return_like(ctx, est, in, "components_", sk_matmul(ctx, x, components, true),
                          components->shape[0], out);
}

static bool is_true(const uc_pickle *value)
{
    double number = 1;
    if (!value || value->kind == UC_PICKLE_NONE) return false;
    return !uc_pickle_f64(value, &number) || number != 0;
}

uncork_status sk_do_fast_ica(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                             sk_result *out)
{
    (void)method;
    const uc_tensor *components = sk_matrix(ctx, est, "components_"), *mean = NULL;
    if (!components) return sk_status(ctx);
    int64_t d = components->shape[1];
    uc_ref x = sk_x(ctx, est, in, d);
    if (is_true(sk_attr(est, "whiten"))) { /* True, a word of 1.1+, "warn" */
        mean = read_mean(ctx, est, d);
        if (!mean) return sk_fail(ctx, est, "mean_", "is missing: not fitted?");
    }
    uc_ref y = sk_matmul(ctx, sk_row_in_place(ctx, in, "Sub", x, mean), components, true);
    return sk_return_like(ctx, est, in, "components_", y, components->shape[0], out);
}

/* (x - mean) W' (I + W C')^-1 with W = C / noise. */
static uc_ref factor_scores(sk_ctx *ctx, uc_ref centred, uc_ref c, uc_ref noise, int64_t k)
{
    uc_graph *g = ctx->graph;
    uc_ref w = uc_g2(g, "Div", c, noise);
    uc_ref inner = uc_g2(g, "Add", identity(ctx, k), uc_g2(g, "MatMul", w, uc_g_transpose(g, c)));
    return uc_g2(g, "MatMul", uc_g2(g, "MatMul", centred, uc_g_transpose(g, w)),
                 inverse(ctx, inner));
}

/* FactorAnalysis.get_precision by the inversion lemma. */
static uc_ref factor_precision(sk_ctx *ctx, uc_ref c, uc_ref noise, int64_t k, int64_t d)
{
    uc_graph *g = ctx->graph;
    uc_ref w = uc_g2(g, "Div", c, noise);
    uc_ref inner = uc_g2(g, "Add", uc_g2(g, "MatMul", w, uc_g_transpose(g, c)), identity(ctx, k));
    uc_ref outer =
        uc_g2(g, "MatMul", uc_g_transpose(g, w), uc_g2(g, "MatMul", inverse(ctx, inner), w));
    uc_ref diagonal = uc_g2(g, "Mul", identity(ctx, d), uc_g1(g, "Reciprocal", noise));
    return uc_g2(g, "Sub", diagonal, outer);
}

uncork_status sk_do_factor_analysis(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    const uc_tensor *components = sk_matrix(ctx, est, "components_");
    const uc_tensor *noise = sk_f64(ctx, est, "noise_variance_", 1);
    if (!components) return sk_status(ctx);
    int64_t k = components->shape[0], d = components->shape[1];
    if (!sk_shape1(ctx, est, "noise_variance_", noise, d)) return sk_status(ctx);
    uc_ref c = sk_const(ctx, components), n = sk_const(ctx, noise);
    uc_ref centred = sk_with_row(ctx, "Sub", sk_x(ctx, est, in, d), read_mean(ctx, est, d));
    if (method == SK_SCORE_SAMPLES) {
        return return_density(ctx, est, in, centred, factor_precision(ctx, c, n, k, d), d, out);
    }
    uc_ref y = factor_scores(ctx, centred, c, n, k);
    return sk_return_like(ctx, est, in, "components_", y, k, out);
}

/* ---- KernelPCA --------------------------------------------------------------------------------- */

/* K - column means - row means + mean, as KernelCenterer keeps them. */
static uc_ref centre_kernel(sk_ctx *ctx, const sk_est *est, uc_ref k, int64_t rows)
{
    uc_graph *g = ctx->graph;
    sk_est centerer;
    if (!sk_object(ctx, est, "_centerer", &centerer)) return 0;
    const uc_tensor *columns = sk_f64(ctx, &centerer, "K_fit_rows_", 1);
    double all = sk_number(ctx, &centerer, "K_fit_all_", 0);
    if (!sk_shape1(ctx, &centerer, "K_fit_rows_", columns, rows)) return 0;
    uc_ref own =
        uc_g2(g, "Div", uc_g_reduce(g, "ReduceSum", k, 1, true), uc_graph_f64(g, (double)rows));
    uc_ref off = uc_g2(g, "Sub", uc_g2(g, "Sub", k, sk_const(ctx, columns)), own);
    return sk_add_s(ctx, off, all);
}

uc_ref sk_kernel_pca_project(sk_ctx *ctx, const sk_est *est, uc_ref kernel, int64_t *width)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *vectors = sk_matrix(ctx, est, "eigenvectors_|alphas_");
    const uc_tensor *values = sk_f64(ctx, est, "eigenvalues_|lambdas_", 1);
    if (!vectors || !sk_shape1(ctx, est, "eigenvalues_|lambdas_", values, vectors->shape[1]))
        return 0;
    *width = vectors->shape[1];
    /* components of no variance stay 0 */
    uc_ref v = sk_const(ctx, values), zero = uc_graph_f64(g, 0);
    uc_ref scaled = uc_g2(g, "Div", sk_const(ctx, vectors), uc_g1(g, "Sqrt", v));
    scaled = uc_g_where(g, uc_g2(g, "Equal", v, zero), zero, scaled);
    return uc_g2(g, "MatMul", centre_kernel(ctx, est, kernel, vectors->shape[0]), scaled);
}

uncork_status sk_do_kernel_pca(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                               sk_result *out)
{
    (void)method;
    int64_t width = 0;
    uc_str kernel = sk_kernel_name(ctx, est);
    sk_kernel_params params = sk_kernel_params_of(ctx, est);
    if (sk_has(est, "gamma_")) {
        params.gamma = sk_number(ctx, est, "gamma_", 1);
        params.has_gamma = true;
    }
    const uc_tensor *vectors = sk_matrix(ctx, est, "eigenvectors_|alphas_");
    if (!vectors) return sk_status(ctx);
    uc_ref k;
    if (uc_str_is(kernel, "precomputed")) {
        k = sk_x(ctx, est, in, vectors->shape[0]);
    } else {
        const uc_tensor *rows = sk_matrix(ctx, est, "X_fit_");
        if (!rows || !sk_shape2(ctx, est, "X_fit_", rows, vectors->shape[0], -1))
            return sk_status(ctx);
        k = sk_pairwise_kernel(ctx, est, kernel, &params, sk_x(ctx, est, in, rows->shape[1]), rows);
    }
    uc_ref y = sk_kernel_pca_project(ctx, est, k, &width);
    return sk_return_like(ctx, est, in, "eigenvectors_|alphas_", y, width, out);
}

/* ---- sparse PCA -------------------------------------------------------------------------------- */

/* Ridge regression of the rows on the components: x C' (C C' + alpha I)^-1. Until 0.21 without
 * normalize_components the rows aren't centred and every column is scaled to length 1 over the batch. */
uncork_status sk_do_sparse_pca(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                               sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    const uc_tensor *components = sk_matrix(ctx, est, "components_");
    if (!components) return sk_status(ctx);
    int64_t k = components->shape[0], d = components->shape[1];
    bool old = est->version < 22 && !sk_bool(ctx, est, "normalize_components", false);
    uc_ref x = sk_x(ctx, est, in, d), c = sk_const(ctx, components);
    if (!old) x = sk_with_row(ctx, "Sub", x, read_mean(ctx, est, d));
    double alpha = sk_number(ctx, est, "ridge_alpha", 0.01);
    uc_ref gram = uc_g2(g, "MatMul", c, uc_g_transpose(g, c));
    gram = uc_g2(g, "Add", gram, sk_mul_s(ctx, identity(ctx, k), alpha));
    uc_ref y = uc_g2(g, "MatMul", sk_matmul(ctx, x, components, true), inverse(ctx, gram));
    if (old) {
        uc_ref zero = uc_graph_f64(g, 0);
        uc_ref length =
            uc_g1(g, "Sqrt", uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", y, y), 0, true));
        y = uc_g2(g, "Div", y,
                  uc_g_where(g, uc_g2(g, "Equal", length, zero), uc_graph_f64(g, 1), length));
    }
    return sk_return_like(ctx, est, in, "components_", y, k, out);
}

/* ---- non-negative factors, topics, codes --------------------------------------------------------- */

static double beta_of(sk_ctx *ctx, const sk_est *est)
{
    if (!sk_has(est, "beta_loss") || sk_str_is(est, "beta_loss", "frobenius")) return 2;
    if (sk_str_is(est, "beta_loss", "kullback-leibler")) return 1;
    if (sk_str_is(est, "beta_loss", "itakura-saito")) return 0;
    return sk_number(ctx, est, "beta_loss", 2);
}

/* Strength of the penalty on W. alpha_W (1.0+) is a feature's; alpha (until 1.1) isn't scaled, and is
 * for W when regularization (0.24+) says so. */
static double nmf_alpha(sk_ctx *ctx, const sk_est *est, int64_t d)
{
    double alpha_w = sk_number(ctx, est, "alpha_W", 0);
    bool alpha_h = sk_has(est, "alpha_H") && !sk_str_is(est, "alpha_H", "same");
    if (alpha_w != 0 || alpha_h || est->version >= 102) return alpha_w * (double)d;
    bool only_h = sk_str_is(est, "regularization", "components");
    bool none = sk_attr(est, "regularization") && !sk_has(est, "regularization");
    return only_h || none ? 0 : sk_number(ctx, est, "alpha", 0);
}

uncork_status sk_do_nmf(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    const uc_tensor *components = sk_matrix(ctx, est, "components_");
    if (!components) return sk_status(ctx);
    int64_t k = components->shape[0], d = components->shape[1];
    bool batches = uc_str_is(est->class_name, "MiniBatchNMF");
    bool multiply = batches || sk_str_is(est, "solver", "mu");
    double beta = beta_of(ctx, est), alpha = nmf_alpha(ctx, est, d);
    double ratio = sk_number(ctx, est, "l1_ratio", 0);
    if (!multiply && sk_has(est, "solver") && !sk_str_is(est, "solver", "cd")) {
        return sk_unsupported(ctx, est, "solver 'pg' (deprecated in 0.17)");
    }
    if (!multiply && sk_bool(ctx, est, "shuffle", false)) {
        return sk_unsupported(ctx, est, "shuffle=True draws random numbers when it transforms");
    }
    uc_ref x = sk_require(ctx, sk_x(ctx, est, in, d), 0, beta <= 0);
    uc_ref pair[2] = {x, sk_const(ctx, components)};
    uc_node *n = uc_graph_node(g, "uncork.NonNegativeFactors", pair, 2, 1);
    uc_node_str(g, n, "solver", batches ? "mini" : multiply ? "mu" : "cd");
    uc_node_float(g, n, "beta", beta);
    uc_node_float(g, n, "tol", sk_number(ctx, est, "tol", 1e-4));
    bool own = batches && sk_has(est, "transform_max_iter");
    int64_t rounds = sk_rounds(ctx, est, own ? "transform_max_iter" : "max_iter", 200);
    uc_node_int(g, n, "max_iter", rounds);
    uc_node_float(g, n, "l1", alpha * ratio);
    uc_node_float(g, n, "l2", alpha * (1.0 - ratio));
    return sk_return_like(ctx, est, in, "components_", uc_node_out(n, 0), k, out);
}

uncork_status sk_do_latent_dirichlet(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    const uc_tensor *words = sk_matrix(ctx, est, "exp_dirichlet_component_");
    if (!words) return sk_status(ctx);
    int64_t k = words->shape[0];
    uc_ref x = sk_require(ctx, sk_x(ctx, est, in, words->shape[1]), 0, false);
    uc_ref pair[2] = {x, sk_const(ctx, words)};
    uc_node *n = uc_graph_node(g, "uncork.TopicDistribution", pair, 2, 1);
    uc_node_float(g, n, "prior", sk_number(ctx, est, "doc_topic_prior_", 1.0 / (double)k));
    uc_node_float(g, n, "tol", sk_number(ctx, est, "mean_change_tol", 1e-3));
    uc_node_int(g, n, "max_iter", sk_rounds(ctx, est, "max_doc_update_iter", 100));
    return sk_return_like(ctx, est, in, "exp_dirichlet_component_", uc_node_out(n, 0), k, out);
}

/* int(n_nonzero_coefs), or a tenth of the features, at least 1 and at most the atoms. */
static int64_t nonzero_count(sk_ctx *ctx, const sk_est *est, int64_t k, int64_t d)
{
    double count = (double)sk_int(ctx, est, "transform_n_nonzero_coefs", -1);
    if (count < 0) count = fmin(fmax((double)d / 10.0, 1.0), (double)k);
    return (int64_t)count;
}

uncork_status sk_do_sparse_coder(sk_ctx *ctx, const sk_est *est, sk_method method,
                                 const sk_data *in, sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    const char *attribute = "components_|dictionary";
    const uc_tensor *atoms = sk_matrix(ctx, est, attribute);
    if (!atoms) return sk_status(ctx);
    int64_t k = atoms->shape[0], d = atoms->shape[1];
    uc_str algorithm = sk_str(ctx, est, "transform_algorithm", "omp");
    static const char *const known[] = {"omp", "lars", "lasso_lars", "lasso_cd", "threshold"};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (uc_str_is(algorithm, known[i])) name = known[i];
    }
    if (!name) {
        return sk_fail(ctx, est, "transform_algorithm", "is '%.*s'", (int)algorithm.size,
                       algorithm.data);
    }
    /* from 1.2 on alpha stands in for a missing transform_alpha */
    double alpha = sk_number(ctx, est, "transform_alpha", (double)NAN);
    if (isnan(alpha)) alpha = est->version >= 102 ? sk_number(ctx, est, "alpha", 1.0) : 1.0;
    uc_ref pair[2] = {sk_x(ctx, est, in, d), sk_const(ctx, atoms)};
    uc_node *n = uc_graph_node(g, "uncork.SparseCode", pair, 2, 1);
    uc_node_str(g, n, "algorithm", name);
    uc_node_float(g, n, "alpha", alpha);
    uc_node_int(g, n, "nonzero", nonzero_count(ctx, est, k, d));
    uc_node_int(g, n, "max_iter", sk_rounds(ctx, est, "transform_max_iter", 1000));
    uc_node_int(g, n, "positive", sk_bool(ctx, est, "positive_code", false));
    uc_node_int(g, n, "version", est->version);
    uc_ref code = uc_node_out(n, 0), zero = uc_graph_f64(g, 0);
    if (!sk_bool(ctx, est, "split_sign", false)) {
        return sk_return_like(ctx, est, in, attribute, code, k, out);
    }
    uc_ref both[2] = {uc_g2(g, "Max", code, zero), uc_g2(g, "Max", uc_g1(g, "Neg", code), zero)};
    return sk_return(ctx, out, uc_g_concat(g, both, 2, 1), UNCORK_FLOAT64, 2 * k);
}
