/* sklearn.neural_network: dense layers, and BernoulliRBM's hidden units.
 * Source: sklearn/neural_network/_multilayer_perceptron.py (_forward_pass_fast), _base.py, _rbm.py. */
#include "import/sklearn/sk_linear.h"

#include <inttypes.h>

/* In place of scores; 'identity' leaves them. */
static uc_ref activate(sk_ctx *ctx, const sk_est *est, const char *attribute, uc_ref a)
{
    static const struct {
        const char *name, *op;
    } known[] = {{"relu", "Relu"}, {"tanh", "Tanh"}, {"logistic", "Sigmoid"}, {"exp", "Exp"}};
    if (sk_status(ctx) != UNCORK_OK) return 0;
    if (sk_str_is(est, attribute, "identity")) return a;
    if (sk_str_is(est, attribute, "softmax")) return uc_g_softmax(ctx->graph, a, 1);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (sk_str_is(est, attribute, known[i].name)) return uc_g1(ctx->graph, known[i].op, a);
    }
    uc_str name = sk_str(ctx, est, attribute, "None");
    sk_unsupported(ctx, est, "%s '%.*s' isn't known", attribute, (int)name.size, name.data);
    return 0;
}

static sk_scores forward(sk_ctx *ctx, const sk_est *est, const sk_data *in)
{
    sk_scores s = {.dtype = UNCORK_FLOAT64};
    size_t layers = sk_list_count(est, "coefs_");
    if (layers == 0 || sk_list_count(est, "intercepts_") != layers) {
        sk_fail(ctx, est, "intercepts_", "holds %zu layers, coefs_ %zu",
                sk_list_count(est, "intercepts_"), layers);
        return s;
    }
    for (size_t i = 0; i < layers; i++) {
        const uc_tensor *w = sk_entry(ctx, est, "coefs_", i, 2);
        const uc_tensor *b = sk_entry(ctx, est, "intercepts_", i, 1);
        if (!w || !b) return s;
        if (b->shape[0] != w->shape[1] || (i > 0 && w->shape[0] != s.width)) {
            sk_fail(ctx, est, "coefs_",
                    "entry %zu is [%" PRId64 ", %" PRId64 "], %" PRId64
                    " values come in and %" PRId64 " biases are added",
                    i, w->shape[0], w->shape[1], i > 0 ? s.width : w->shape[0], b->shape[0]);
            return s;
        }
        s = i == 0 ? sk_affine(ctx, est, in, w, false, b) : sk_affine_on(ctx, s, w, false, b);
        s.ref = activate(ctx, est, i + 1 < layers ? "activation" : "out_activation_", s.ref);
    }
    return s;
}

uncork_status sk_do_mlp_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    (void)method;
    sk_scores s = forward(ctx, est, in);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (s.width != 1) return sk_return(ctx, out, s.ref, s.dtype, s.width);
    return sk_return(ctx, out, uc_g_squeeze(ctx->graph, s.ref, 1), s.dtype, 0);
}

/* LabelBinarizer.inverse_transform: classes[argmax], classes[p > 0.5], or a matrix p > 0.5. */
static uncork_status predict_label(sk_ctx *ctx, const sk_est *est, sk_scores s, sk_result *out)
{
    sk_est binarizer;
    const uc_tensor *classes = sk_classes(ctx, est);
    if (!sk_object(ctx, est, "_label_binarizer", &binarizer)) return sk_status(ctx);
    uc_graph *g = ctx->graph;
    bool is_multiclass = sk_str_is(&binarizer, "y_type_", "multiclass");
    bool is_multilabel = sk_str_is(&binarizer, "y_type_", "multilabel-indicator");
    if (is_multilabel || !is_multiclass) {
        uc_ref half = s.dtype == UNCORK_FLOAT32 ? uc_graph_f32(g, 0.5f) : uc_graph_f64(g, 0.5);
        uc_ref over = uc_g_cast(g, uc_g2(g, "Greater", s.ref, half), UNCORK_INT64);
        if (is_multilabel) return sk_return(ctx, out, over, UNCORK_INT64, s.width);
        if (s.width != 1 || !sk_check_classes(ctx, est, classes, 0)) {
            return sk_fail(ctx, est, "coefs_", "end in %" PRId64 " values for two classes",
                           s.width);
        }
        uc_ref index = uc_g_squeeze(g, over, 1);
        return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
    }
    if (!sk_check_classes(ctx, est, classes, s.width)) return sk_status(ctx);
    uc_ref index = uc_g_argmax(g, s.ref, 1, false);
    return sk_return(ctx, out, sk_take_labels(ctx, classes, index), classes->dtype, 0);
}

uncork_status sk_do_mlp_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    sk_scores s = forward(ctx, est, in);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (method == SK_PREDICT) return predict_label(ctx, est, s, out);
    uc_ref p = s.ref;
    if (s.width == 1) {
        s.ref = uc_g_squeeze(ctx->graph, s.ref, 1);
        p = uc_g_cast(ctx->graph, sk_two_columns(ctx, sk_scores_f64(ctx, s)), s.dtype);
    }
    if (method == SK_PREDICT_LOG_PROBA) p = uc_g1(ctx->graph, "Log", p);
    return sk_return(ctx, out, p, s.dtype, s.width == 1 ? 2 : s.width);
}

/* P(h = 1 | v) of the hidden units. score_samples flips a random bit, so there is no one answer. */
uncork_status sk_do_rbm(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    (void)method;
    const uc_tensor *w = sk_tensor(ctx, est, "components_", 2);
    const uc_tensor *b = sk_tensor(ctx, est, "intercept_hidden_", 1);
    if (!w || !b || !sk_shape1(ctx, est, "intercept_hidden_", b, w->shape[0])) {
        return sk_status(ctx);
    }
    sk_scores s = sk_affine(ctx, est, in, w, true, b);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    return sk_return(ctx, out, uc_g1(ctx->graph, "Sigmoid", s.ref), s.dtype, s.width);
}
