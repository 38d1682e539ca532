/* LogisticRegression and LogisticRegressionCV: softmax, or one expit a class, by what the version
 * says. Source: sklearn/linear_model/_logistic.py, LogisticRegression.predict_proba of 0.18 to 1.9. */
#include "import/sklearn/sk_linear.h"

/* "auto" became the default in 0.22; "deprecated" stands for it from 1.5 to 1.7; 1.8 removed the
 * parameter. newton-cholesky couldn't do multinomial from 1.2, where it came, to 1.5. */
static bool is_one_vs_rest(const sk_est *est, sk_scores s, int64_t classes)
{
    bool is_auto = sk_str_is(est, "multi_class", "auto") ||
                   sk_str_is(est, "multi_class", "deprecated") || !sk_has(est, "multi_class");
    if (est->version < 20) return s.width == 0 || sk_str_is(est, "multi_class", "ovr");
    if (est->version >= 108) return classes <= 2;
    if (sk_str_is(est, "multi_class", "ovr") || sk_str_is(est, "multi_class", "warn")) return true;
    if (!is_auto) return false;
    bool by_solver = sk_str_is(est, "solver", "liblinear") ||
                     (est->version < 106 && sk_str_is(est, "solver", "newton-cholesky"));
    return classes <= 2 || by_solver;
}

/* Softmax of the decisions; two classes have [-d, d]. */
static uc_ref softmax_proba(sk_ctx *ctx, sk_scores s)
{
    uc_graph *g = ctx->graph;
    uc_ref d = sk_scores_f64(ctx, s);
    if (s.width == 0 && sk_status(ctx) == UNCORK_OK) {
        d = uc_g_unsqueeze(g, d, 1);
        const uc_ref both[] = {uc_g1(g, "Neg", d), d};
        d = uc_g_concat(g, both, 2, 1);
    }
    return sk_status(ctx) == UNCORK_OK ? uc_g_softmax(g, d, 1) : 0;
}

uncork_status sk_do_logistic(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                             sk_result *out)
{
    if (method == SK_TRANSFORM) return sk_linear_select(ctx, est, in, out);
    sk_scores s = sk_linear_decision(ctx, est, in);
    if (method == SK_PREDICT) return sk_return_decided(ctx, est, s, out);
    if (method == SK_DECISION_FUNCTION) return sk_return(ctx, out, s.ref, s.dtype, s.width);
    const uc_tensor *classes = sk_classes(ctx, est);
    if (!sk_check_classes(ctx, est, classes, s.width)) return sk_status(ctx);
    int64_t count = uc_tensor_count(classes);
    uc_ref p = is_one_vs_rest(est, s, count) ? sk_ovr_proba(ctx, s, est->version >= 109)
                                             : softmax_proba(ctx, s);
    return sk_return_probabilities(ctx, method, p, s.dtype, count, out);
}
