/* Gaussian mixtures. The logarithms, factors and digammas of the parameters are nodes over constants:
 * the planner folds them once.
 * Sources: sklearn/mixture/_gaussian_mixture.py, _bayesian_mixture.py, _base.py; of 0.18 and 0.19 also
 * gmm.py and dpgmm.py. */
#include "import/sklearn/sk_matrix.h"

#include <inttypes.h>
#include <math.h>

static const double log_2pi = 1.8378770664093454836;

typedef enum covariance { FULL, TIED, DIAG, SPHERICAL, COVARIANCES } covariance;

static covariance read_covariance(sk_ctx *ctx, const sk_est *est)
{
    static const char *const names[COVARIANCES] = {"full", "tied", "diag", "spherical"};
    uc_str name = sk_str(ctx, est, "covariance_type|_covariance_type", "full");
    for (int i = 0; i < COVARIANCES; i++) {
        if (uc_str_is(name, names[i])) return (covariance)i;
    }
    sk_fail(ctx, est, "covariance_type|_covariance_type", "is '%.*s'", (int)name.size, name.data);
    return FULL;
}

/* The parameter array of k components in d features, in the shape its type has. */
static const uc_tensor *read_spread(sk_ctx *ctx, const sk_est *est, const char *names,
                                    covariance type, int64_t k, int64_t d)
{
    const uc_tensor *t = sk_f64(ctx, est, names, -1);
    int64_t full[3] = {k, d, d}, spherical[2] = {k, 1};
    if (!t) return NULL;
    bool ok = type == FULL   ? sk_shape_is(ctx, est, names, t, 3, full)
              : type == TIED ? sk_shape_is(ctx, est, names, t, 2, full + 1)
              : type == DIAG ? sk_shape_is(ctx, est, names, t, 2, full)
              : t->rank == 2
                  ? sk_shape_is(ctx, est, names, t, 2, t->shape[1] == 1 ? spherical : full)
                  : sk_shape_is(ctx, est, names, t, 1, full);
    return ok ? t : NULL;
}

/* sum((x P_k - m_k P_k)^2) [n, k]: the factors side by side make one product. factor: [k, d, d]. */
static uc_ref full_squares(sk_ctx *ctx, uc_ref x, uc_ref means, uc_ref factor, int64_t k, int64_t d)
{
    uc_graph *g = ctx->graph;
    const int64_t wide[2] = {d, k * d}, row[2] = {1, k * d}, apart[3] = {-1, k, d},
                  single[3] = {k, 1, d};
    static const int64_t order[3] = {1, 0, 2};
    uc_node *swap = uc_graph_node(g, "Transpose", &factor, 1, 1);
    uc_node_ints(g, swap, "perm", order, 3);
    uc_ref side_by_side = uc_g_reshape(g, uc_node_out(swap, 0), wide, 2);
    uc_ref moved = uc_g2(g, "MatMul", uc_g_reshape(g, means, single, 3), factor);
    uc_ref y = uc_g2(g, "Sub", uc_g2(g, "MatMul", x, side_by_side), uc_g_reshape(g, moved, row, 2));
    y = uc_g_reshape(g, y, apart, 3);
    return uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", y, y), 2, false);
}

/* One factor for all: x P once, minus each mean's. factor: [d, d]. */
static uc_ref tied_squares(sk_ctx *ctx, uc_ref x, uc_ref means, uc_ref factor)
{
    uc_graph *g = ctx->graph;
    uc_ref a = uc_g_unsqueeze(g, uc_g2(g, "MatMul", x, factor), 1);
    uc_ref b = uc_g_unsqueeze(g, uc_g2(g, "MatMul", means, factor), 0);
    uc_ref y = uc_g2(g, "Sub", a, b);
    return uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", y, y), 2, false);
}

/* sum(m^2 p) - 2 x (m p)' + x^2 p', precisions p [k, d]: scikit-learn's own expansion. */
static uc_ref diag_squares(sk_ctx *ctx, uc_ref x, uc_ref means, uc_ref p)
{
    uc_graph *g = ctx->graph;
    uc_ref mp = uc_g2(g, "Mul", means, p);
    uc_ref own = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", means, mp), 1, false);
    uc_ref cross = sk_mul_s(ctx, uc_g2(g, "MatMul", x, uc_g_transpose(g, mp)), 2.0);
    uc_ref square = uc_g2(g, "MatMul", uc_g2(g, "Mul", x, x), uc_g_transpose(g, p));
    return uc_g2(g, "Add", uc_g2(g, "Sub", own, cross), square);
}

/* sum(m^2) p - 2 x (m' p) + |x|^2 p, p [k]. */
static uc_ref spherical_squares(sk_ctx *ctx, uc_ref x, uc_ref means, uc_ref p)
{
    uc_graph *g = ctx->graph;
    uc_ref own =
        uc_g2(g, "Mul", uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", means, means), 1, false), p);
    uc_ref scaled = uc_g2(g, "Mul", uc_g_transpose(g, means), p);
    uc_ref cross = sk_mul_s(ctx, uc_g2(g, "MatMul", x, scaled), 2.0);
    uc_ref square = uc_g2(g, "Mul", sk_row_dot(ctx, x, x, true), p);
    return uc_g2(g, "Add", uc_g2(g, "Sub", own, cross), square);
}

/* ln of the factors' determinants: [k], or [1] when tied. */
static uc_ref log_determinants(sk_ctx *ctx, const uc_tensor *factor, covariance type, int64_t k,
                               int64_t d)
{
    uc_graph *g = ctx->graph;
    if (type == DIAG) {
        return uc_g_reduce(g, "ReduceSum", uc_g1(g, "Log", sk_const(ctx, factor)), 1, false);
    }
    if (type == SPHERICAL) return sk_mul_s(ctx, uc_g1(g, "Log", sk_const(ctx, factor)), (double)d);
    int64_t shape[2] = {type == TIED ? 1 : k, d};
    uc_tensor *diagonal = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    if (!diagonal) return 0;
    for (int64_t i = 0; i < shape[0]; i++) {
        for (int64_t j = 0; j < d; j++) {
            ((double *)diagonal->data)[i * d + j] = uc_tensor_doubles(factor)[(i * d + j) * d + j];
        }
    }
    return uc_g_reduce(g, "ReduceSum", uc_g1(g, "Log", sk_const(ctx, diagonal)), 1, false);
}

/* ln of every component's density at x: [n, k]. narrow: the squares pass through float32, where
 * scikit-learn 1.7+ keeps them for what is fed as float32. */
static uc_ref log_gaussians(sk_ctx *ctx, uc_ref x, const uc_tensor *means, const uc_tensor *factor,
                            covariance type, bool narrow)
{
    uc_graph *g = ctx->graph;
    int64_t k = means->shape[0], d = means->shape[1];
    uc_ref m = sk_const(ctx, means), f = sk_const(ctx, factor), squares = 0;
    switch ((int)type) {
    case FULL: squares = full_squares(ctx, x, m, f, k, d); break;
    case TIED: squares = tied_squares(ctx, x, m, f); break;
    case DIAG: squares = diag_squares(ctx, x, m, uc_g2(g, "Mul", f, f)); break;
    default: squares = spherical_squares(ctx, x, m, uc_g2(g, "Mul", f, f)); break;
    }
    uc_ref shift = narrow ? uc_graph_f32(g, (float)((double)d * log_2pi))
                          : uc_graph_f64(g, (double)d * log_2pi);
    if (narrow) squares = uc_g_cast(g, squares, UNCORK_FLOAT32);
    squares = uc_g2(g, "Add", squares, shift);
    if (narrow) squares = uc_g_cast(g, squares, UNCORK_FLOAT64);
    uc_ref density = sk_mul_s(ctx, squares, -0.5);
    return uc_g2(g, "Add", density, log_determinants(ctx, factor, type, k, d));
}

/* From 1.7 on a model of float32 gives float32. */
static uncork_status return_narrow(sk_ctx *ctx, const sk_est *est, const sk_data *in, uc_ref ref,
                                   int64_t width, sk_result *out)
{
    if (est->version < 107) return sk_return(ctx, out, ref, UNCORK_FLOAT64, width);
    return sk_return_like(ctx, est, in, "means_", ref, width, out);
}

static uncork_status return_mixture(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, uc_ref joint, int64_t k, sk_result *out)
{
    uc_graph *g = ctx->graph;
    if (method == SK_PREDICT) {
        return sk_return(ctx, out, uc_g_argmax(g, joint, 1, false), UNCORK_INT64, 0);
    }
    uc_ref total = sk_logsumexp(ctx, joint);
    if (method == SK_SCORE_SAMPLES) {
        return return_narrow(ctx, est, in, uc_g_squeeze(g, total, 1), 0, out);
    }
    uc_ref proba = uc_g1(g, "Exp", uc_g2(g, "Sub", joint, total));
    return return_narrow(ctx, est, in, proba, k, out);
}

/* means_, precisions_cholesky_, and the densities they give. */
static bool read_gaussians(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                           const uc_tensor **means, uc_ref *density)
{
    *means = sk_matrix(ctx, est, "means_");
    if (!*means) return false;
    covariance type = read_covariance(ctx, est);
    const uc_tensor *factor =
        read_spread(ctx, est, "precisions_cholesky_", type, (*means)->shape[0], (*means)->shape[1]);
    if (!factor) return false;
    uc_ref x = sk_x(ctx, est, in, (*means)->shape[1]);
    bool narrow = est->version >= 107 && sk_fed_f32(in) && (type == FULL || type == TIED);
    *density = log_gaussians(ctx, x, *means, factor, type, narrow);
    return sk_status(ctx) == UNCORK_OK;
}

uncork_status sk_do_gaussian_mixture(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    const uc_tensor *means, *weights = sk_f64(ctx, est, "weights_", 1);
    uc_ref density;
    if (!weights || !read_gaussians(ctx, est, in, &means, &density)) return sk_status(ctx);
    if (!sk_shape1(ctx, est, "weights_", weights, means->shape[0])) return sk_status(ctx);
    uc_ref prior = uc_g1(ctx->graph, "Log", sk_const(ctx, weights));
    uc_ref joint = uc_g2(ctx->graph, "Add", density, prior);
    return return_mixture(ctx, est, method, in, joint, means->shape[0], out);
}

/* ---- BayesianGaussianMixture ------------------------------------------------------------------ */

static uc_ref digamma(sk_ctx *ctx, uc_ref x) { return uc_g1(ctx->graph, "uncork.Digamma", x); }

/* [0, c_0, c_0 + c_1, ...] of a constant [k]: a product with a strict upper triangle of ones. */
static uc_ref sums_before(sk_ctx *ctx, uc_ref c, int64_t k)
{
    const int64_t square[2] = {k, k}, row[2] = {1, k};
    uc_tensor *ones = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, square);
    for (int64_t i = 0; ones && i < k; i++) {
        for (int64_t j = i + 1; j < k; j++) {
            ((double *)ones->data)[i * k + j] = 1.0;
        }
    }
    uc_ref sums =
        uc_g2(ctx->graph, "MatMul", uc_g_reshape(ctx->graph, c, row, 2), sk_const(ctx, ones));
    return uc_g_reshape(ctx->graph, sums, &k, 1);
}

/* Stick-breaking weights of a Dirichlet process, Beta(a, b) each. */
static uc_ref process_weights(sk_ctx *ctx, const uc_tensor *a, const uc_tensor *b, int64_t k)
{
    uc_graph *g = ctx->graph;
    uc_ref ra = sk_const(ctx, a), rb = sk_const(ctx, b);
    uc_ref sum = digamma(ctx, uc_g2(g, "Add", ra, rb));
    uc_ref rest = uc_g2(g, "Sub", digamma(ctx, rb), sum);
    return uc_g2(g, "Add", uc_g2(g, "Sub", digamma(ctx, ra), sum), sums_before(ctx, rest, k));
}

static uc_ref dirichlet_weights(sk_ctx *ctx, const uc_tensor *a)
{
    uc_graph *g = ctx->graph;
    uc_ref r = sk_const(ctx, a);
    uc_ref total = digamma(ctx, uc_g_reduce(g, "ReduceSum", r, 0, true));
    return uc_g2(g, "Sub", digamma(ctx, r), total);
}

static const uc_tensor *positive(sk_ctx *ctx, const sk_est *est, const char *names,
                                 const uc_tensor *t, int64_t k)
{
    if (t && uc_tensor_count(t) == 1 && t->dtype == UNCORK_FLOAT64) { /* one for all, when tied */
        return sk_filled(ctx, k, uc_tensor_doubles(t)[0]);
    }
    if (!t || t->rank != 1 || t->shape[0] != k || t->dtype == UNCORK_STRING) {
        sk_fail(ctx, est, names, "isn't a vector for each of %" PRId64 " components", k);
        return NULL;
    }
    if (t->dtype != UNCORK_FLOAT64) t = uc_tensor_cast(ctx->arena, t, UNCORK_FLOAT64);
    for (int64_t i = 0; t && i < k; i++) {
        if (uc_tensor_doubles(t)[i] > 0) continue;
        sk_fail(ctx, est, names, "[%" PRId64 "] is %g, it must be positive", i,
                uc_tensor_doubles(t)[i]);
        return NULL;
    }
    return t;
}

static uc_ref bayesian_weights(sk_ctx *ctx, const sk_est *est, int64_t k)
{
    static const char name[] = "weight_concentration_";
    const uc_pickle *value = sk_attr(est, name);
    bool process = !sk_str_is(est, "weight_concentration_prior_type", "dirichlet_distribution");
    if (!process) {
        const uc_tensor *a = positive(ctx, est, name, sk_f64(ctx, est, name, 1), k);
        return a ? dirichlet_weights(ctx, a) : 0;
    }
    const uc_pickle *first = uc_pickle_item(value, 0), *second = uc_pickle_item(value, 1);
    const uc_tensor *a = first ? uc_pickle_tensor(first, ctx->arena, NULL) : NULL;
    const uc_tensor *b = second ? uc_pickle_tensor(second, ctx->arena, NULL) : NULL;
    a = positive(ctx, est, name, a, k);
    b = a ? positive(ctx, est, name, b, k) : NULL;
    return b ? process_weights(ctx, a, b, k) : 0;
}

/* What the uncertainty of the covariances adds to each component:
 * (d ln 2 + sum_i digamma((dof - i) / 2) - d / mean_precision) / 2 - d ln(dof) / 2. */
static uc_ref bayesian_shift(sk_ctx *ctx, const sk_est *est, int64_t k, int64_t d)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *dof = sk_f64(ctx, est, "degrees_of_freedom_", -1);
    const uc_tensor *mean_precision = sk_f64(ctx, est, "mean_precision_", -1);
    dof = dof ? positive(ctx, est, "degrees_of_freedom_", dof, k) : NULL;
    mean_precision = dof ? positive(ctx, est, "mean_precision_", mean_precision, k) : NULL;
    if (!mean_precision) return 0;
    int64_t shape[2] = {k, d};
    uc_tensor *steps = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    for (int64_t i = 0; steps && i < k * d; i++) {
        ((double *)steps->data)[i] = uc_tensor_doubles(dof)[i / d] - (double)(i % d);
    }
    uc_ref gammas = digamma(ctx, sk_mul_s(ctx, sk_const(ctx, steps), 0.5));
    uc_ref lambda =
        sk_add_s(ctx, uc_g_reduce(g, "ReduceSum", gammas, 1, false), (double)d * log(2.0));
    uc_ref spread = uc_g2(g, "Div", uc_graph_f64(g, (double)d), sk_const(ctx, mean_precision));
    uc_ref half = sk_mul_s(ctx, uc_g2(g, "Sub", lambda, spread), 0.5);
    uc_ref free = sk_mul_s(ctx, uc_g1(g, "Log", sk_const(ctx, dof)), -0.5 * (double)d);
    return uc_g2(g, "Add", half, free);
}

uncork_status sk_do_bayesian_mixture(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *means;
    uc_ref density;
    if (!read_gaussians(ctx, est, in, &means, &density)) return sk_status(ctx);
    int64_t k = means->shape[0], d = means->shape[1];
    uc_ref shift = uc_g2(g, "Add", bayesian_shift(ctx, est, k, d), bayesian_weights(ctx, est, k));
    return return_mixture(ctx, est, method, in, uc_g2(g, "Add", density, shift), k, out);
}

/* ---- 0.18 and 0.19: GMM, VBGMM, DPGMM ---------------------------------------------------------- */

/* Old score_samples gives the log likelihoods and the responsibilities. */
static uncork_status return_old(sk_ctx *ctx, sk_method method, uc_ref score, uc_ref proba,
                                int64_t k, sk_result *out)
{
    if (method == SK_PREDICT) {
        return sk_return(ctx, out, uc_g_argmax(ctx->graph, proba, 1, false), UNCORK_INT64, 0);
    }
    if (method == SK_PREDICT_PROBA) return sk_return(ctx, out, proba, UNCORK_FLOAT64, k);
    uc_ref *refs = UC_NEW(ctx->arena, uc_ref, 2);
    if (!refs) return sk_status(ctx);
    refs[0] = score;
    refs[1] = proba;
    *out = (sk_result){.out = refs, .count = 2, .dtype = UNCORK_FLOAT64, .width = 0};
    return sk_status(ctx);
}

/* covars_ as one factor L^-T a component. */
static uc_ref old_squares(sk_ctx *ctx, uc_ref x, const uc_tensor *means, const uc_tensor *covars,
                          covariance type, uc_ref *log_det)
{
    uc_graph *g = ctx->graph;
    int64_t k = means->shape[0], d = means->shape[1];
    uc_ref c = sk_const(ctx, covars), m = sk_const(ctx, means);
    if (type == DIAG || type == SPHERICAL) {
        *log_det = uc_g_reduce(g, "ReduceSum", uc_g1(g, "Log", c), 1, false);
        return diag_squares(ctx, x, m, uc_g1(g, "Reciprocal", c));
    }
    if (type == TIED) c = uc_g_unsqueeze(g, c, 0);
    uc_node *n = uc_graph_node(g, "uncork.PrecisionCholesky", &c, 1, 1);
    uc_node_float(g, n, "ridge", 1e-7);
    uc_ref factor = uc_node_out(n, 0);
    /* the diagonal of each factor, by its places in [k, d * d]; ln det C = -2 sum ln */
    int64_t count = type == TIED ? 1 : k, flat[2] = {count, d * d};
    int64_t *places = UC_NEW(ctx->arena, int64_t, d);
    for (int64_t i = 0; places && i < d; i++) {
        places[i] = i * (d + 1);
    }
    if (!places) return 0;
    uc_ref diagonal =
        uc_g_gather(g, uc_g_reshape(g, factor, flat, 2), uc_graph_i64s(g, places, d), 1);
    uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g1(g, "Log", diagonal), 1, false);
    *log_det = sk_mul_s(ctx, sum, -2.0);
    if (type == TIED) return tied_squares(ctx, x, m, uc_g_squeeze(g, factor, 0));
    return full_squares(ctx, x, m, factor, k, d);
}

uncork_status sk_do_old_mixture(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                                sk_result *out)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *means = sk_matrix(ctx, est, "means_"),
                    *weights = sk_f64(ctx, est, "weights_", 1);
    if (!means || !weights) return sk_status(ctx);
    int64_t k = means->shape[0], d = means->shape[1];
    covariance type = read_covariance(ctx, est);
    const uc_tensor *covars = read_spread(ctx, est, "covars_", type, k, d);
    if (!covars || !sk_shape1(ctx, est, "weights_", weights, k)) return sk_status(ctx);
    if (covars->rank == 1 || (covars->rank == 2 && covars->shape[1] == 1 && d > 1)) {
        int64_t wide[2] = {k, d};
        uc_tensor *spread = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, wide);
        for (int64_t i = 0; spread && i < k * d; i++) {
            ((double *)spread->data)[i] = uc_tensor_doubles(covars)[i / d];
        }
        covars = spread;
    }
    uc_ref log_det = 0, x = sk_x(ctx, est, in, d);
    uc_ref squares = old_squares(ctx, x, means, covars, type, &log_det);
    uc_ref terms = sk_add_s(ctx, uc_g2(g, "Add", squares, log_det), (double)d * log_2pi);
    uc_ref joint =
        uc_g2(g, "Add", sk_mul_s(ctx, terms, -0.5), uc_g1(g, "Log", sk_const(ctx, weights)));
    uc_ref total = sk_logsumexp(ctx, joint);
    uc_ref proba = uc_g1(g, "Exp", uc_g2(g, "Sub", joint, total));
    return return_old(ctx, method, uc_g_squeeze(g, total, 1), proba, k, out);
}

/* (x - m_k)' A_k (x - m_k) [n, k] with precisions as they are. */
static uc_ref precision_squares(sk_ctx *ctx, uc_ref x, const uc_tensor *means, uc_ref precs,
                                covariance type)
{
    uc_graph *g = ctx->graph;
    int64_t k = means->shape[0], d = means->shape[1], each[3] = {k, 1, d};
    uc_ref m = uc_g_reshape(g, sk_const(ctx, means), each, 3);
    uc_ref off = uc_g2(g, "Sub", uc_g_unsqueeze(g, x, 0), m); /* [k, n, d] */
    uc_ref weighted;
    if (type == FULL || type == TIED) {
        weighted = uc_g2(g, "MatMul", off, precs);
    } else {
        weighted = uc_g2(g, "Mul", off, uc_g_unsqueeze(g, precs, 1));
    }
    uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", weighted, off), 2, false);
    return uc_g_transpose(g, sum);
}

/* dpgmm.py's digamma takes float32's epsilon more. */
static uc_ref old_digamma(sk_ctx *ctx, uc_ref x) { return digamma(ctx, sk_add_s(ctx, x, 0x1p-23)); }

static uc_ref old_dirichlet_weights(sk_ctx *ctx, const uc_tensor *a)
{
    uc_graph *g = ctx->graph;
    uc_ref r = sk_const(ctx, a);
    uc_ref total = old_digamma(ctx, uc_g_reduce(g, "ReduceSum", r, 0, true));
    return uc_g2(g, "Sub", old_digamma(ctx, r), total);
}

/* ln weights of DPGMM: gamma_ [k, 3]. */
static uc_ref old_process_weights(sk_ctx *ctx, const uc_tensor *gamma)
{
    int64_t k = gamma->shape[0];
    uc_tensor *a = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &k);
    uc_tensor *b = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &k);
    for (int64_t i = 0; a && b && i < k; i++) {
        ((double *)a->data)[i] = uc_tensor_doubles(gamma)[3 * i + 1];
        ((double *)b->data)[i] = uc_tensor_doubles(gamma)[3 * i + 2];
    }
    if (!a || !b) return 0;
    /* the first component starts at digamma(b) - digamma(a + b) of itself, the others after it */
    uc_graph *g = ctx->graph;
    uc_ref ra = sk_const(ctx, a), rb = sk_const(ctx, b);
    uc_ref sum = old_digamma(ctx, uc_g2(g, "Add", ra, rb));
    uc_ref rest = uc_g2(g, "Sub", old_digamma(ctx, rb), sum);
    uc_ref before = uc_g2(g, "Add", sums_before(ctx, rest, k), uc_g_slice(g, rest, 0, 0, 1));
    return uc_g2(g, "Add", uc_g2(g, "Sub", old_digamma(ctx, ra), sum), before);
}

/* log_normalize: exp(v - logsumexp(v)), in 0.19 with the sum over the whole batch. */
static uc_ref old_normalized(sk_ctx *ctx, const sk_est *est, uc_ref joint)
{
    uc_graph *g = ctx->graph;
    if (est->version < 19) return uc_g1(g, "Exp", uc_g2(g, "Sub", joint, sk_logsumexp(ctx, joint)));
    uc_ref off = uc_g2(g, "Sub", joint, uc_g_reduce(g, "ReduceMax", joint, 1, true));
    uc_ref e = uc_g1(g, "Exp", off);
    uc_ref rows = uc_g_reduce(g, "ReduceSum", e, 1, true);
    return uc_g2(g, "Div", e, uc_g_reduce(g, "ReduceSum", rows, 0, true));
}

uncork_status sk_do_old_bayesian_mixture(sk_ctx *ctx, const sk_est *est, sk_method method,
                                         const sk_data *in, sk_result *out)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *means = sk_matrix(ctx, est, "means_");
    bool process = uc_str_is(est->class_name, "DPGMM");
    const uc_tensor *gamma = sk_f64(ctx, est, "gamma_", process ? 2 : 1);
    const uc_tensor *bound = sk_f64(ctx, est, "bound_prec_", -1);
    if (!means || !gamma || !bound) return sk_status(ctx);
    int64_t k = means->shape[0], d = means->shape[1];
    covariance type = read_covariance(ctx, est);
    const uc_tensor *precs = read_spread(ctx, est, "precs_", type, k, d);
    int64_t count = uc_tensor_count(bound), column[2] = {k, 1};
    if (precs && precs->rank == 1) precs = sk_reshaped(ctx, precs, 2, column);
    if (!precs || !(process ? sk_shape2(ctx, est, "gamma_", gamma, k, 3)
                            : sk_shape1(ctx, est, "gamma_", gamma, k))) {
        return sk_status(ctx);
    }
    if (count != 1 && count != k)
        return sk_fail(ctx, est, "bound_prec_", "has %" PRId64 " values", count);
    uc_ref squares =
        precision_squares(ctx, sk_x(ctx, est, in, d), means, sk_const(ctx, precs), type);
    uc_ref start = sk_add_s(ctx, sk_const(ctx, sk_reshaped(ctx, bound, 1, &count)),
                            sk_number(ctx, est, "_initial_bound", 0));
    uc_ref p = uc_g2(g, "Add", start, sk_mul_s(ctx, squares, -0.5));
    uc_ref joint = uc_g2(
        g, "Add", p, process ? old_process_weights(ctx, gamma) : old_dirichlet_weights(ctx, gamma));
    uc_ref proba = sk_add_s(ctx, old_normalized(ctx, est, joint), 0x1p-23);
    proba = uc_g2(g, "Div", proba, uc_g_reduce(g, "ReduceSum", proba, 1, true));
    return return_old(ctx, method, sk_row_dot(ctx, proba, p, false), proba, k, out);
}
