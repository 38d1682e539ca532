/* EllipticEnvelope: squared Mahalanobis distances to a robust centre.
 * Sources: sklearn/covariance/_elliptic_envelope.py, of 0.18 outlier_detection.py. */
#include "import/sklearn/sk_matrix.h"

#include <math.h>

uncork_status sk_do_elliptic_envelope(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *centre = sk_f64(ctx, est, "location_", 1);
    if (!centre) return sk_status(ctx);
    int64_t d = centre->shape[0];
    bool stored = sk_has(est, "precision_");
    const char *name = stored ? "precision_" : "covariance_";
    const uc_tensor *matrix = sk_f64(ctx, est, name, 2);
    if (!sk_shape2(ctx, est, name, matrix, d, d)) return sk_status(ctx);
    uc_ref precision = sk_const(ctx, matrix);
    if (!stored) precision = uc_g1(g, "uncork.Inverse", precision);
    uc_ref off = sk_with_row(ctx, "Sub", sk_x(ctx, est, in, d), centre);
    uc_ref distance = sk_row_dot(ctx, uc_g2(g, "MatMul", off, precision), off, false);
    if (est->version < 20) { /* threshold_ on the distance itself; scores of the power 0.33 */
        double threshold = sk_number(ctx, est, "threshold_", 0);
        uc_ref power = uc_g2(g, "Pow", distance, uc_graph_f64(g, 0.33));
        uc_ref score = uc_g2(g, "Sub", uc_graph_f64(g, pow(threshold, 0.33)), power);
        if (method == SK_DECISION_FUNCTION) return sk_return(ctx, out, score, UNCORK_FLOAT64, 0);
        if (method != SK_PREDICT)
            return sk_unsupported(ctx, est, "has no score_samples before 0.20");
        uc_ref outside = uc_g2(g, "Greater", distance, uc_graph_f64(g, threshold));
        uc_ref sign = uc_g_where(g, outside, uc_graph_i64(g, -1), uc_graph_i64(g, 1));
        return sk_return(ctx, out, sign, UNCORK_INT64, 0);
    }
    uc_ref score = uc_g1(g, "Neg", distance);
    if (method == SK_SCORE_SAMPLES) return sk_return(ctx, out, score, UNCORK_FLOAT64, 0);
    score = uc_g2(g, "Sub", score, uc_graph_f64(g, sk_number(ctx, est, "offset_", 0)));
    if (method == SK_DECISION_FUNCTION) return sk_return(ctx, out, score, UNCORK_FLOAT64, 0);
    uc_ref below = uc_g2(g, "Less", score, uc_graph_f64(g, 0));
    uc_ref sign = uc_g_where(g, below, uc_graph_i64(g, -1), uc_graph_i64(g, 1));
    return sk_return(ctx, out, sign, UNCORK_INT64, 0);
}
