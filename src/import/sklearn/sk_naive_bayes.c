/* sklearn.naive_bayes: joint log likelihood of every class; its first maximum is the label, and the
 * probabilities are it less its logsumexp. Source: sklearn/naive_bayes.py, _joint_log_likelihood. */
#include "import/sklearn/sk_linear.h"

#include <inttypes.h>
#include <math.h>

#define PI 3.14159265358979323846

/* The three methods, from the joint log likelihood [rows, classes]. */
static uncork_status answer(sk_ctx *ctx, const sk_est *est, sk_method method, uc_ref jll,
                            uncork_dtype dtype, int64_t width, sk_result *out)
{
    const uc_tensor *classes = sk_classes(ctx, est);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (!classes || uc_tensor_count(classes) != width) {
        return sk_fail(ctx, est, "classes_", "holds %" PRId64 " classes, expected %" PRId64,
                       classes ? uc_tensor_count(classes) : 0, width);
    }
    uc_graph *g = ctx->graph;
    if (method == SK_PREDICT) {
        uc_ref label = sk_take_labels(ctx, classes, uc_g_argmax(g, jll, 1, false));
        return sk_return(ctx, out, label, classes->dtype, 0);
    }
    uc_ref p = uc_g2(g, "Sub", jll, sk_logsumexp(ctx, jll));
    if (method == SK_PREDICT_PROBA) p = uc_g1(g, "Exp", p);
    if (dtype != UNCORK_FLOAT64) p = uc_g_cast(g, p, dtype);
    return sk_return(ctx, out, p, dtype, width);
}

/* ---- Gaussian ------------------------------------------------------------------------------ */

/* -sum(ln(2 pi var)) / 2 of every class. */
static const uc_tensor *gaussian_norm(sk_ctx *ctx, const uc_tensor *var)
{
    int64_t classes = var->shape[0], features = var->shape[1];
    uc_tensor *t = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &classes);
    for (int64_t i = 0; t && i < classes; i++) {
        const double *v = uc_tensor_doubles(var) + i * features;
        double sum = 0;
        for (int64_t f = 0; f < features; f++)
            sum += log(2 * PI * v[f]);
        ((double *)t->data)[i] = -0.5 * sum;
    }
    return t;
}

uncork_status sk_do_gaussian_nb(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                                sk_result *out)
{
    const uc_tensor *mean = sk_f64(ctx, est, "theta_", 2);
    const uc_tensor *var = sk_f64(ctx, est, "var_|sigma_", 2);
    const uc_tensor *prior = sk_f64(ctx, est, "class_prior_", 1);
    if (!mean || !var || !prior) return sk_status(ctx);
    int64_t classes = mean->shape[0], features = mean->shape[1];
    if (!sk_shape2(ctx, est, "var_|sigma_", var, classes, features) ||
        !sk_shape1(ctx, est, "class_prior_", prior, classes)) {
        return sk_status(ctx);
    }
    uncork_dtype dtype = UNCORK_FLOAT64;
    uc_ref x = sk_x_keep(ctx, est, in, features, &dtype);
    if (dtype != UNCORK_FLOAT64) x = uc_g_cast(ctx->graph, x, UNCORK_FLOAT64);
    const uc_tensor *stored = sk_tensor(ctx, est, "theta_", 2);
    if (!stored || stored->dtype != UNCORK_FLOAT32) dtype = UNCORK_FLOAT64;
    uc_ref log_prior = uc_g1(ctx->graph, "Log", sk_const(ctx, prior));
    const uc_ref parts[] = {x, sk_const(ctx, mean), sk_const(ctx, var),
                            sk_const(ctx, gaussian_norm(ctx, var)), log_prior};
    uc_ref jll =
        uc_node_out(uc_graph_node(ctx->graph, "uncork.GaussianLogDensity", parts, 5, 1), 0);
    return answer(ctx, est, method, jll, dtype, classes, out);
}

/* ---- counts -------------------------------------------------------------------------------- */

/* feature_log_prob_ [classes, features] and class_log_prior_ [classes]. */
static bool discrete_parts(sk_ctx *ctx, const sk_est *est, const uc_tensor **log_prob,
                           const uc_tensor **prior)
{
    *log_prob = sk_f64(ctx, est, "feature_log_prob_", 2);
    *prior = sk_f64(ctx, est, "class_log_prior_", 1);
    return *log_prob && *prior &&
           sk_shape1(ctx, est, "class_log_prior_", *prior, (*log_prob)->shape[0]);
}

uncork_status sk_do_multinomial_nb(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    const uc_tensor *log_prob, *prior;
    if (!discrete_parts(ctx, est, &log_prob, &prior)) return sk_status(ctx);
    /* ComplementNB takes the prior only when there is one class */
    bool is_complement = uc_str_is(est->class_name, "ComplementNB");
    if (is_complement && log_prob->shape[0] != 1) prior = NULL;
    sk_scores s = sk_affine(ctx, est, in, log_prob, true, prior);
    return answer(ctx, est, method, sk_scores_f64(ctx, s), UNCORK_FLOAT64, log_prob->shape[0], out);
}

/* X . (f - ln(1 - e^f))^T + prior + sum ln(1 - e^f). */
uncork_status sk_do_bernoulli_nb(sk_ctx *ctx, const sk_est *est, sk_method method,
                                 const sk_data *in, sk_result *out)
{
    const uc_tensor *log_prob, *prior;
    if (!discrete_parts(ctx, est, &log_prob, &prior)) return sk_status(ctx);
    uc_graph *g = ctx->graph;
    int64_t classes = log_prob->shape[0], features = log_prob->shape[1];
    uc_tensor *weight = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, log_prob->shape);
    uc_tensor *constant = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &classes);
    uc_ref x = sk_x(ctx, est, in, features);
    if (!weight || !constant || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    for (int64_t i = 0; i < classes; i++) {
        double sum = 0;
        for (int64_t f = 0; f < features; f++) {
            double v = uc_tensor_doubles(log_prob)[i * features + f];
            double negative = log(1 - exp(v));
            ((double *)weight->data)[i * features + f] = v - negative;
            sum += negative;
        }
        ((double *)constant->data)[i] = uc_tensor_doubles(prior)[i] + sum;
    }
    if (sk_has(est, "binarize")) {
        uc_ref threshold = uc_graph_f64(g, sk_number(ctx, est, "binarize", 0));
        x = uc_g_cast(g, uc_g2(g, "Greater", x, threshold), UNCORK_FLOAT64);
    }
    sk_scores s =
        sk_affine_on(ctx, (sk_scores){x, UNCORK_FLOAT64, features}, weight, true, constant);
    return answer(ctx, est, method, s.ref, UNCORK_FLOAT64, classes, out);
}

/* ---- categories ---------------------------------------------------------------------------- */

/* The tables of all features one below the other, [categories of all, classes], and where each
 * begins, [features + 1]. */
static bool category_tables(sk_ctx *ctx, const sk_est *est, int64_t classes,
                            const uc_tensor **table, const uc_tensor **starts)
{
    size_t features = sk_list_count(est, "feature_log_prob_");
    if (features == 0) {
        sk_fail(ctx, est, "feature_log_prob_", "is no list of tables");
        return false;
    }
    const uc_tensor **parts = UC_NEW(ctx->arena, const uc_tensor *, features);
    int64_t *begin = UC_NEW(ctx->arena, int64_t, features + 1);
    if (!parts || !begin || sk_status(ctx) != UNCORK_OK) return false;
    for (size_t i = 0; i < features; i++) {
        const uc_tensor *t = sk_entry(ctx, est, "feature_log_prob_", i, 2);
        if (!t || !sk_shape2(ctx, est, "feature_log_prob_", t, classes, -1)) return false;
        parts[i] = uc_tensor_cast(ctx->arena, t, UNCORK_FLOAT64);
        if (!parts[i]) return false;
        begin[i + 1] = begin[i] + t->shape[1];
    }
    const int64_t shape[2] = {begin[features], classes};
    uc_tensor *all = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    *starts = uc_tensor_i64(ctx->arena, begin, (int64_t)features + 1);
    if (!all || !*starts) return false;
    for (size_t i = 0; i < features; i++) {
        for (int64_t c = 0; c < classes; c++) {
            const double *row = uc_tensor_doubles(parts[i]) + c * parts[i]->shape[1];
            for (int64_t k = 0; k < parts[i]->shape[1]; k++) {
                ((double *)all->data)[(begin[i] + k) * classes + c] = row[k];
            }
        }
    }
    *table = all;
    return true;
}

uncork_status sk_do_categorical_nb(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    const uc_tensor *prior = sk_f64(ctx, est, "class_log_prior_", 1);
    const uc_tensor *table = NULL, *starts = NULL;
    if (!prior || !category_tables(ctx, est, prior->shape[0], &table, &starts)) {
        return sk_status(ctx);
    }
    const uc_ref parts[] = {sk_x(ctx, est, in, starts->shape[0] - 1), sk_const(ctx, table),
                            sk_const(ctx, starts), sk_const(ctx, prior)};
    uc_ref jll = uc_node_out(uc_graph_node(ctx->graph, "uncork.CategorySum", parts, 4, 1), 0);
    return answer(ctx, est, method, jll, UNCORK_FLOAT64, prior->shape[0], out);
}
