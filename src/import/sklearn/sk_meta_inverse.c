/* inverse_transform of the transformers people put around a target (TransformedTargetRegressor).
 * Source: sklearn/preprocessing/{_data,_function_transformer}.py. */
#include "import/sklearn/sk_meta.h"

#include <math.h>

typedef uc_ref (*inverse_fn)(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width);

/* y * scale + shift, either of which may be None. */
static uc_ref affine(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width, const char *scale,
                     const char *shift)
{
    const uc_tensor *s = sk_f64_or_null(ctx, est, scale, 1),
                    *b = sk_f64_or_null(ctx, est, shift, 1);
    if (s && sk_shape1(ctx, est, scale, s, width))
        y = uc_g2(ctx->graph, "Mul", y, sk_const(ctx, s));
    if (b && sk_shape1(ctx, est, shift, b, width))
        y = uc_g2(ctx->graph, "Add", y, sk_const(ctx, b));
    return y;
}

static uc_ref standard(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width)
{
    bool mean = sk_bool(ctx, est, "with_mean", true), std = sk_bool(ctx, est, "with_std", true);
    return affine(ctx, est, y, width, std ? "scale_" : "", mean ? "mean_" : "");
}

static uc_ref robust(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width)
{
    bool centre = sk_bool(ctx, est, "with_centering", true),
         scale = sk_bool(ctx, est, "with_scaling", true);
    return affine(ctx, est, y, width, scale ? "scale_" : "", centre ? "center_" : "");
}

static uc_ref max_abs(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width)
{
    return affine(ctx, est, y, width, "scale_", "");
}

static uc_ref min_max(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width)
{
    const uc_tensor *scale = sk_f64(ctx, est, "scale_", 1), *min = sk_f64(ctx, est, "min_", 1);
    if (!sk_shape1(ctx, est, "scale_", scale, width) || !sk_shape1(ctx, est, "min_", min, width))
        return 0;
    uc_ref shifted = uc_g2(ctx->graph, "Sub", y, sk_const(ctx, min));
    return uc_g2(ctx->graph, "Div", shifted, sk_const(ctx, scale));
}

/* ((y * lambda) + 1) ^ (1 / lambda), e^y for 0. */
static uc_ref box_cox(sk_ctx *ctx, uc_ref y, double lambda)
{
    uc_graph *g = ctx->graph;
    if (lambda == 0) return uc_g1(g, "Exp", y);
    return uc_g2(g, "Pow", sk_add_s(ctx, sk_mul_s(ctx, y, lambda), 1), uc_graph_f64(g, 1 / lambda));
}

static uc_ref yeo_johnson(sk_ctx *ctx, uc_ref y, double lambda)
{
    uc_graph *g = ctx->graph;
    const double eps = 2.220446049250313e-16; /* numpy.spacing(1.) */
    uc_ref positive = fabs(lambda) < eps ? uc_g1(g, "uncork.Expm1", y)
                                         : sk_add_s(ctx, box_cox(ctx, y, lambda), -1);
    uc_ref negative;
    if (fabs(lambda - 2) > eps) {
        uc_ref base = sk_add_s(ctx, sk_mul_s(ctx, y, -(2 - lambda)), 1);
        uc_ref power = uc_g2(g, "Pow", base, uc_graph_f64(g, 1 / (2 - lambda)));
        negative = uc_g2(g, "Sub", uc_graph_f64(g, 1), power);
    } else {
        negative = uc_g1(g, "Neg", uc_g1(g, "uncork.Expm1", uc_g1(g, "Neg", y)));
    }
    return uc_g_where(g, uc_g2(g, "GreaterOrEqual", y, uc_graph_f64(g, 0)), positive, negative);
}

static uc_ref power(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width)
{
    const uc_tensor *lambdas = sk_f64(ctx, est, "lambdas_", 1);
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, (size_t)width);
    sk_est scaler;
    if (!sk_shape1(ctx, est, "lambdas_", lambdas, width) || !parts) return 0;
    if (sk_bool(ctx, est, "standardize", true)) {
        if (!sk_child(ctx, est, "_scaler", &scaler)) return 0;
        y = standard(ctx, &scaler, y, width);
    }
    bool johnson = sk_str_is(est, "method", "yeo-johnson");
    for (int64_t i = 0; i < width; i++) {
        uc_ref column = width == 1 ? y : sk_columns(ctx, y, i, i + 1);
        double lambda = uc_tensor_doubles(lambdas)[i];
        parts[i] = johnson ? yeo_johnson(ctx, column, lambda) : box_cox(ctx, column, lambda);
    }
    return width == 1 ? parts[0] : uc_g_concat(ctx->graph, parts, (size_t)width, 1);
}

/* The normal distribution function of y, then back along the quantiles; ends count as the ends. */
static uc_ref quantile(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *quantiles = sk_f64(ctx, est, "quantiles_", 2),
                    *references = sk_f64(ctx, est, "references_", 1);
    if (!references || !sk_shape2(ctx, est, "quantiles_", quantiles, references->shape[0], width))
        return 0;
    if (sk_str_is(est, "output_distribution", "normal")) {
        const double tiny = 1e-7; /* BOUNDS_THRESHOLD */
        uc_ref erf = uc_g1(g, "Erf", sk_mul_s(ctx, y, sqrt(0.5)));
        y = sk_mul_s(ctx, sk_add_s(ctx, erf, 1), 0.5);
        y = uc_g_where(g, uc_g2(g, "Less", y, uc_graph_f64(g, tiny)), uc_graph_f64(g, 0), y);
        y = uc_g_where(g, uc_g2(g, "Greater", y, uc_graph_f64(g, 1 - tiny)), uc_graph_f64(g, 1), y);
    }
    return uc_g3(g, "uncork.Interp", y, sk_const(ctx, references), sk_const(ctx, quantiles));
}

static uc_ref function(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width)
{
    sk_data data = {.x = y, .dtype = UNCORK_FLOAT64, .rank = 2, .width = width};
    sk_result result;
    if (sk_call_function(ctx, est, "inverse_func", "inv_kw_args", &data, &result) != UNCORK_OK)
        return 0;
    return sk_value(ctx, &result, UNCORK_FLOAT64, true);
}

static uc_ref pipeline(sk_ctx *ctx, const sk_est *est, uc_ref y, int64_t width)
{
    for (size_t i = sk_list_count(est, "steps"); i-- > 0;) {
        sk_est step;
        const uc_pickle *value = uc_pickle_item(uc_pickle_item(sk_attr(est, "steps"), i), 1);
        if (!value || value->kind == UC_PICKLE_NONE || uc_pickle_is_text(value, "passthrough"))
            continue;
        if (!sk_list_child(ctx, est, "steps", i, &step)) return 0;
        y = sk_inverse(ctx, &step, y, width);
    }
    return y;
}

static const struct {
    const char *name;
    inverse_fn inverse;
} inverses[] = {
    {"StandardScaler", standard},      {"RobustScaler", robust},
    {"MaxAbsScaler", max_abs},         {"MinMaxScaler", min_max},
    {"PowerTransformer", power},       {"QuantileTransformer", quantile},
    {"FunctionTransformer", function}, {"Pipeline", pipeline},
};

uc_ref sk_inverse(sk_ctx *ctx, const sk_est *transformer, uc_ref y, int64_t width)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    if (width < 1) {
        sk_unsupported(ctx, transformer, "is inverted for a target of unknown width");
        return 0;
    }
    for (size_t i = 0; i < sizeof inverses / sizeof inverses[0]; i++) {
        if (uc_str_is(transformer->class_name, inverses[i].name)) {
            return inverses[i].inverse(ctx, transformer, y, width);
        }
    }
    sk_unsupported(ctx, transformer, "has no inverse that uncork knows");
    return 0;
}
