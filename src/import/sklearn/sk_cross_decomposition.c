/* Partial least squares and canonical correlation.
 * Source: sklearn/cross_decomposition/_pls.py, until 0.21 pls_.py. */
#include "import/sklearn/sk_matrix.h"

#include <inttypes.h>

static const char x_mean[] = "_x_mean|x_mean_", x_std[] = "_x_std|x_std_";
static const char y_mean[] = "intercept_|_y_mean|y_mean_";

/* (x - mean) / std, or only the first. */
static uc_ref centred(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t d, bool scaled)
{
    const uc_tensor *mean = sk_f64(ctx, est, x_mean, 1);
    const uc_tensor *std = scaled ? sk_f64(ctx, est, x_std, 1) : NULL;
    if (!sk_shape1(ctx, est, x_mean, mean, d) || (std && !sk_shape1(ctx, est, x_std, std, d)))
        return 0;
    bool svd = uc_str_is(est->class_name, "PLSSVD"); /* which makes float64 of its input first */
    uc_ref x = sk_row_in_place(ctx, svd ? NULL : in, "Sub", sk_x(ctx, est, in, d), mean);
    return std ? sk_row_in_place(ctx, svd ? NULL : in, "Div", x, std) : x;
}

/* coef_ is [targets, features] from 1.3 on (in 1.1 and 1.2 under the name _coef_), the other way
 * round before; until 1.4 it takes scaled features. */
static uncork_status predict(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out)
{
    uc_graph *g = ctx->graph;
    bool turned = sk_has(est, "_coef_") || est->version >= 103;
    const uc_tensor *coef = sk_matrix(ctx, est, "_coef_|coef_");
    if (!coef) return sk_status(ctx);
    int64_t targets = coef->shape[turned ? 0 : 1], d = coef->shape[turned ? 1 : 0];
    const uc_tensor *shift = sk_f64(ctx, est, y_mean, 1);
    if (!sk_shape1(ctx, est, y_mean, shift, targets)) return sk_status(ctx);
    uc_ref x = centred(ctx, est, in, d, est->version < 105);
    uc_ref y = uc_g2(g, "Add", sk_matmul(ctx, x, coef, turned), sk_const(ctx, shift));
    if (sk_bool(ctx, est, "_predict_1d", false)) {
        if (targets != 1)
            return sk_fail(ctx, est, "_coef_|coef_", "has %" PRId64 " targets, expected 1",
                           targets);
        return sk_return(ctx, out, uc_g_squeeze(g, y, 1), UNCORK_FLOAT64, 0);
    }
    return sk_return(ctx, out, y, UNCORK_FLOAT64, targets);
}

uncork_status sk_do_pls(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                        sk_result *out)
{
    if (method == SK_PREDICT) return predict(ctx, est, in, out);
    bool svd = uc_str_is(est->class_name, "PLSSVD");
    const char *name = svd ? "x_weights_" : "x_rotations_";
    const uc_tensor *rotation = sk_matrix(ctx, est, name);
    if (!rotation) return sk_status(ctx);
    uc_ref x = centred(ctx, est, in, rotation->shape[0], true);
    return sk_return(ctx, out, sk_matmul(ctx, x, rotation, false), UNCORK_FLOAT64,
                     rotation->shape[1]);
}
