/* sklearn.preprocessing, column by column or row by row: scalers, Normalizer, Binarizer,
 * PowerTransformer, KernelCenterer. Source: sklearn/preprocessing/_data.py (data.py before 0.22). */
#include "import/sklearn/sk_prep.h"

#include <float.h>

/* ---- scalers ------------------------------------------------------------------------------- */

/* A switch like with_mean: the attribute when it is on, NULL when it is off. */
static const uc_tensor *when(sk_ctx *ctx, const sk_est *est, const char *flag, const char *names,
                             int64_t *width)
{
    if (!sk_bool(ctx, est, flag, true)) return NULL;
    return sk_per_column(ctx, est, names, width);
}

/* (x - mean) / scale, each rounded. Since 1.8 both are cast to the type of x first. */
uncork_status sk_do_standard_scaler(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    (void)method;
    int64_t width = sk_features_in(ctx, est);
    const uc_tensor *mean = when(ctx, est, "with_mean", "mean_", &width);
    const uc_tensor *scale = when(ctx, est, "with_std", "scale_|std_", &width);
    sk_rows_of x = sk_float_rows(ctx, est, in, width);
    x = sk_in_place(ctx, x, "Sub", mean, est->version >= 108);
    x = sk_in_place(ctx, x, "Div", scale, est->version >= 108);
    return sk_return_rows(ctx, in, x, out);
}

uncork_status sk_do_robust_scaler(sk_ctx *ctx, const sk_est *est, sk_method method,
                                  const sk_data *in, sk_result *out)
{
    (void)method;
    int64_t width = sk_features_in(ctx, est);
    const uc_tensor *center = when(ctx, est, "with_centering", "center_", &width);
    const uc_tensor *scale = when(ctx, est, "with_scaling", "scale_", &width);
    sk_rows_of x = sk_float_rows(ctx, est, in, width);
    x = sk_in_place(ctx, x, "Sub", center, false);
    x = sk_in_place(ctx, x, "Div", scale, false);
    return sk_return_rows(ctx, in, x, out);
}

static sk_rows_of clipped(sk_ctx *ctx, sk_rows_of x, double low, double high)
{
    if (sk_status(ctx) != UNCORK_OK) return x;
    x.ref = uc_g3(ctx->graph, "Clip", x.ref, sk_scalar_of(ctx, x.dtype, low),
                  sk_scalar_of(ctx, x.dtype, high));
    return x;
}

uncork_status sk_do_min_max_scaler(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    (void)method;
    int64_t width = sk_features_in(ctx, est);
    const uc_tensor *scale = sk_per_column(ctx, est, "scale_", &width);
    const uc_tensor *shift = sk_per_column(ctx, est, "min_", &width);
    sk_rows_of x = sk_float_rows(ctx, est, in, width);
    x = sk_in_place(ctx, x, "Mul", scale, false);
    x = sk_in_place(ctx, x, "Add", shift, false);
    if (sk_bool(ctx, est, "clip", false)) {
        const uc_pickle *range = sk_attr(est, "feature_range");
        double low = 0, high = 0;
        if (!uc_pickle_f64(uc_pickle_item(range, 0), &low) ||
            !uc_pickle_f64(uc_pickle_item(range, 1), &high) || !(low < high)) {
            return sk_fail(ctx, est, "feature_range", "is no pair of rising numbers");
        }
        x = clipped(ctx, x, low, high);
    }
    return sk_return_rows(ctx, in, x, out);
}

uncork_status sk_do_max_abs_scaler(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    (void)method;
    int64_t width = sk_features_in(ctx, est);
    const uc_tensor *scale = sk_per_column(ctx, est, "scale_", &width);
    sk_rows_of x = sk_float_rows(ctx, est, in, width);
    x = sk_in_place(ctx, x, "Div", scale, false);
    if (sk_bool(ctx, est, "clip", false)) x = clipped(ctx, x, -1, 1);
    return sk_return_rows(ctx, in, x, out);
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* What rows are divided by, [rows, 1]. 0.23 turned norm 'max' from max(x) into max(|x|). */
static uc_ref row_norm(sk_ctx *ctx, const sk_est *est, sk_rows_of x)
{
    uc_graph *g = ctx->graph;
    if (sk_str_is(est, "norm", "l2") || !sk_has(est, "norm")) {
        uc_ref square = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", x.ref, x.ref), 1, true);
        return uc_g1(g, "Sqrt", square);
    }
    bool is_max = sk_str_is(est, "norm", "max");
    if (!is_max && !sk_str_is(est, "norm", "l1")) {
        sk_fail(ctx, est, "norm", "is neither 'l1', 'l2' nor 'max'");
        return 0;
    }
    uc_ref size = is_max && est->version < 23 ? x.ref : uc_g1(g, "Abs", x.ref);
    return uc_g_reduce(g, is_max ? "ReduceMax" : "ReduceSum", size, 1, true);
}

/* Rows of norm 0 stay; since 1.0 those under 10 eps too (_handle_zeros_in_scale). */
uncork_status sk_do_normalizer(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                               sk_result *out)
{
    (void)method;
    sk_rows_of x = sk_float_rows(ctx, est, in, sk_features_in(ctx, est));
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_graph *g = ctx->graph;
    uc_ref norm = row_norm(ctx, est, x), tiny;
    if (est->version < 100) {
        tiny = uc_g2(g, "Equal", norm, sk_scalar_of(ctx, x.dtype, 0));
    } else {
        double eps = x.dtype == UNCORK_FLOAT32 ? (double)FLT_EPSILON : DBL_EPSILON;
        tiny = uc_g2(g, "Less", norm, sk_scalar_of(ctx, x.dtype, 10 * eps));
    }
    x.ref = uc_g2(g, "Div", x.ref, uc_g_where(g, tiny, sk_scalar_of(ctx, x.dtype, 1), norm));
    return sk_return_rows(ctx, in, x, out);
}

/* Whole numbers stay whole numbers. */
uncork_status sk_do_binarizer(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                              sk_result *out)
{
    (void)method;
    sk_rows_of x = sk_float_rows(ctx, est, in, sk_features_in(ctx, est));
    double threshold = sk_number(ctx, est, "threshold", 0);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_ref over = uc_g2(ctx->graph, "Greater", x.ref, sk_scalar_of(ctx, x.dtype, threshold));
    if (!in->columns && in->dtype == UNCORK_INT64) x.dtype = UNCORK_INT64;
    x.ref = uc_g_cast(ctx->graph, over, x.dtype);
    return sk_return_rows(ctx, in, x, out);
}

/* ---- KernelCenterer ------------------------------------------------------------------------ */

uncork_status sk_do_kernel_centerer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                    const sk_data *in, sk_result *out)
{
    (void)method;
    int64_t width = -1;
    const uc_tensor *rows = sk_per_column(ctx, est, "K_fit_rows_", &width);
    const uc_tensor *all = sk_f64(ctx, est, "K_fit_all_", 0);
    if (!rows || !all) return sk_status(ctx);
    if (width < 1) return sk_fail(ctx, est, "K_fit_rows_", "is empty");
    sk_rows_of x = sk_float_rows(ctx, est, in, width);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_graph *g = ctx->graph;
    uc_ref mean = uc_g2(g, "Div", uc_g_reduce(g, "ReduceSum", x.ref, 1, true),
                        sk_scalar_of(ctx, x.dtype, (double)width));
    x = sk_in_place(ctx, x, "Sub", rows, false);
    x.ref = uc_g2(g, "Sub", x.ref, mean);
    x = sk_in_place(ctx, x, "Add", all, false);
    return sk_return_rows(ctx, in, x, out);
}

/* ---- PowerTransformer ---------------------------------------------------------------------- */

/* 1.9 computes Yeo-Johnson with expm1 and log1p (scipy.stats.yeojohnson), before with pow. */
uncork_status sk_do_power_transformer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    int64_t width = -1;
    const uc_tensor *lambdas = sk_f64(ctx, est, "lambdas_", 1);
    bool box_cox = sk_str_is(est, "method", "box-cox");
    if (!lambdas) return sk_status(ctx);
    if (!box_cox && sk_has(est, "method") && !sk_str_is(est, "method", "yeo-johnson")) {
        return sk_fail(ctx, est, "method", "is neither 'yeo-johnson' nor 'box-cox'");
    }
    width = lambdas->shape[0];
    sk_rows_of x = sk_float_rows(ctx, est, in, width);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    const uc_ref pair[2] = {x.ref, sk_const(ctx, lambdas)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.PowerTransform", pair, 2, 1);
    uc_node_str(ctx->graph, n, "method",
                box_cox               ? "box-cox"
                : est->version >= 109 ? "yeo-johnson-log"
                                      : "yeo-johnson");
    x.ref = uc_node_out(n, 0);
    if (!sk_bool(ctx, est, "standardize", true)) return sk_return_rows(ctx, in, x, out);
    sk_est scaler;
    sk_data data = {.x = x.ref, .dtype = x.dtype, .rank = 2, .width = width, .names = in->names};
    if (!sk_child(ctx, est, "_scaler", &scaler)) return sk_status(ctx);
    return sk_apply(ctx, &scaler, method, &data, out);
}
