/* FunctionTransformer: NumPy and SciPy functions by name, there and back. Nothing is called: a name
 * stands for graph nodes, and one that isn't listed is refused.
 * Source: sklearn/preprocessing/_function_transformer.py. */
#include "import/sklearn/sk_meta.h"

#include <float.h>
#include <math.h>

#define PI 3.14159265358979323846

/* What a function gives for integers: floats, the integers' own type, or truth values. */
typedef enum kind { TO_FLOAT, KEEPS, TO_BOOL } kind;

typedef uc_ref (*build_fn)(sk_ctx *ctx, uc_ref x);

static uc_ref square(sk_ctx *ctx, uc_ref x) { return uc_g2(ctx->graph, "Mul", x, x); }

static uc_ref cube_root(sk_ctx *ctx, uc_ref x)
{
    uc_graph *g = ctx->graph;
    uc_ref third = uc_g2(g, "CastLike", uc_graph_f64(g, 1.0 / 3), x);
    return uc_g2(g, "Mul", uc_g1(g, "Sign", x), uc_g2(g, "Pow", uc_g1(g, "Abs", x), third));
}

static uc_ref times(sk_ctx *ctx, uc_ref x, double by)
{
    return uc_g2(ctx->graph, "Mul", x,
                 uc_g2(ctx->graph, "CastLike", uc_graph_f64(ctx->graph, by), x));
}

static uc_ref log2_of(sk_ctx *ctx, uc_ref x)
{
    return times(ctx, uc_g1(ctx->graph, "Log", x), 1 / log(2));
}
static uc_ref log10_of(sk_ctx *ctx, uc_ref x)
{
    return times(ctx, uc_g1(ctx->graph, "Log", x), 1 / log(10));
}
static uc_ref exp2_of(sk_ctx *ctx, uc_ref x)
{
    return uc_g1(ctx->graph, "Exp", times(ctx, x, log(2)));
}
static uc_ref radians(sk_ctx *ctx, uc_ref x) { return times(ctx, x, PI / 180); }
static uc_ref degrees(sk_ctx *ctx, uc_ref x) { return times(ctx, x, 180 / PI); }

static uc_ref truncated(sk_ctx *ctx, uc_ref x)
{
    uc_graph *g = ctx->graph;
    return uc_g2(g, "Mul", uc_g1(g, "Sign", x), uc_g1(g, "Floor", uc_g1(g, "Abs", x)));
}

static uc_ref logit(sk_ctx *ctx, uc_ref x)
{
    uc_graph *g = ctx->graph;
    uc_ref one = uc_g2(g, "CastLike", uc_graph_f64(g, 1), x);
    return uc_g1(g, "Log", uc_g2(g, "Div", x, uc_g2(g, "Sub", one, x)));
}

static uc_ref is_finite(sk_ctx *ctx, uc_ref x)
{
    uc_graph *g = ctx->graph;
    return uc_g1(g, "Not", uc_g2(g, "Or", uc_g1(g, "IsNaN", x), uc_g1(g, "IsInf", x)));
}

static uc_ref nan_to_num(sk_ctx *ctx, uc_ref x)
{
    uc_graph *g = ctx->graph;
    uc_ref zero = uc_g2(g, "CastLike", uc_graph_f64(g, 0), x);
    uc_ref low = uc_g2(g, "CastLike", uc_graph_f64(g, -DBL_MAX), x);
    uc_ref high = uc_g2(g, "CastLike", uc_graph_f64(g, DBL_MAX), x);
    uc_ref clean = uc_g_where(g, uc_g1(g, "IsNaN", x), zero, x);
    return uc_g2(g, "Min", uc_g2(g, "Max", clean, low), high);
}

static const struct {
    const char *name;
    const char *op; /* one node, or NULL and `build` */
    build_fn build;
    kind kind;
} functions[] = {
    {"abs", "Abs", NULL, KEEPS},
    {"absolute", "Abs", NULL, KEEPS},
    {"arccos", "Acos", NULL, TO_FLOAT},
    {"arccosh", "Acosh", NULL, TO_FLOAT},
    {"arcsin", "Asin", NULL, TO_FLOAT},
    {"arcsinh", "Asinh", NULL, TO_FLOAT},
    {"arctan", "Atan", NULL, TO_FLOAT},
    {"arctanh", "Atanh", NULL, TO_FLOAT},
    {"cbrt", NULL, cube_root, TO_FLOAT},
    {"ceil", "Ceil", NULL, TO_FLOAT},
    {"cos", "Cos", NULL, TO_FLOAT},
    {"cosh", "Cosh", NULL, TO_FLOAT},
    {"deg2rad", NULL, radians, TO_FLOAT},
    {"degrees", NULL, degrees, TO_FLOAT},
    {"erf", "Erf", NULL, TO_FLOAT},
    {"exp", "Exp", NULL, TO_FLOAT},
    {"exp2", NULL, exp2_of, TO_FLOAT},
    {"expit", "Sigmoid", NULL, TO_FLOAT},
    {"expm1", "uncork.Expm1", NULL, TO_FLOAT},
    {"fabs", "Abs", NULL, TO_FLOAT},
    {"floor", "Floor", NULL, TO_FLOAT},
    {"isfinite", NULL, is_finite, TO_BOOL},
    {"isinf", "IsInf", NULL, TO_BOOL},
    {"isnan", "IsNaN", NULL, TO_BOOL},
    {"log", "Log", NULL, TO_FLOAT},
    {"log10", NULL, log10_of, TO_FLOAT},
    {"log1p", "uncork.Log1p", NULL, TO_FLOAT},
    {"log2", NULL, log2_of, TO_FLOAT},
    {"logit", NULL, logit, TO_FLOAT},
    {"nan_to_num", NULL, nan_to_num, TO_FLOAT},
    {"negative", "Neg", NULL, KEEPS},
    {"rad2deg", NULL, degrees, TO_FLOAT},
    {"radians", NULL, radians, TO_FLOAT},
    {"reciprocal", "Reciprocal", NULL, TO_FLOAT},
    {"rint", "Round", NULL, TO_FLOAT},
    {"sign", "Sign", NULL, KEEPS},
    {"sin", "Sin", NULL, TO_FLOAT},
    {"sinh", "Sinh", NULL, TO_FLOAT},
    {"sqrt", "Sqrt", NULL, TO_FLOAT},
    {"square", NULL, square, KEEPS},
    {"tan", "Tan", NULL, TO_FLOAT},
    {"tanh", "Tanh", NULL, TO_FLOAT},
    {"trunc", NULL, truncated, TO_FLOAT},
};

static bool begins(uc_str s, const char *with)
{
    size_t n = strlen(with);
    return s.size >= n && memcmp(s.data, with, n) == 0;
}

/* A global numpy.log1p, or _ufunc_reconstruct('numpy', 'log1p') as older NumPy wrote it. */
static uc_str function_name(const uc_pickle *func)
{
    uc_str none = {NULL, 0};
    if (func->kind == UC_PICKLE_SYMBOL) {
        return begins(func->module, "numpy") || begins(func->module, "scipy.special") ? func->text
                                                                                      : none;
    }
    bool rebuilt = func->kind == UC_PICKLE_OBJECT && uc_str_is(func->text, "_ufunc_reconstruct");
    const uc_pickle *name = rebuilt ? uc_pickle_item(func->args, 1) : NULL;
    return name ? name->text : none;
}

/* partial(check_array, dtype=..., ...): what HistGradientBoosting puts in front of its numbers. It
 * changes nothing but the type. */
static bool is_check_array(const uc_pickle *func)
{
    bool partial = func->kind == UC_PICKLE_OBJECT && uc_str_is(func->module, "functools") &&
                   uc_str_is(func->text, "partial");
    const uc_pickle *inner = partial ? uc_pickle_item(func->args, 0) : NULL;
    return inner && inner->kind == UC_PICKLE_SYMBOL && begins(inner->module, "sklearn.utils") &&
           uc_str_is(inner->text, "check_array");
}

static bool has_arguments(const sk_est *est, const char *names)
{
    const uc_pickle *args = sk_attr(est, names);
    return args && args->kind == UC_PICKLE_DICT && args->count > 0;
}

static uncork_status refuse(sk_ctx *ctx, const sk_est *est, const uc_pickle *func)
{
    bool named = func->kind == UC_PICKLE_SYMBOL || func->kind == UC_PICKLE_OBJECT;
    const char *type = uc_pickle_type_name(func, ctx->arena);
    if (!named) return sk_fail(ctx, est, "func", "is %s, not a function", type ? type : "?");
    return sk_unsupported(ctx, est, "calls %.*s%s%.*s, which only Python can",
                          (int)func->module.size, func->module.data, func->module.size ? "." : "",
                          (int)func->text.size, func->text.data);
}

/* One function over a matrix; the identity for None. */
uncork_status sk_call_function(sk_ctx *ctx, const sk_est *est, const char *attribute,
                               const char *arguments, const sk_data *in, sk_result *out)
{
    const uc_pickle *func = sk_attr(est, attribute);
    if (!func || func->kind == UC_PICKLE_NONE) return sk_return_input(ctx, est, in, out);
    if (is_check_array(func)) {
        int64_t columns = in->columns ? (int64_t)in->column_count : in->width;
        return sk_return(ctx, out, sk_x(ctx, est, in, -1), UNCORK_FLOAT64, columns);
    }
    uc_str name = function_name(func);
    size_t i = 0, n = sizeof functions / sizeof functions[0];
    while (i < n && !uc_str_is(name, functions[i].name))
        i++;
    if (i == n) return refuse(ctx, est, func);
    if (has_arguments(est, arguments)) {
        return sk_unsupported(ctx, est, "passes arguments to %s, which isn't understood",
                              functions[i].name);
    }
    uncork_dtype dtype = UNCORK_FLOAT64;
    bool integers = !in->columns && uc_dtype_is_integer(in->dtype) && functions[i].kind == KEEPS;
    if (integers) dtype = in->dtype;
    uc_ref x = integers ? in->x : sk_x_keep(ctx, est, in, -1, &dtype);
    uc_ref y = functions[i].op ? uc_g1(ctx->graph, functions[i].op, x) : functions[i].build(ctx, x);
    int64_t width = in->columns ? (int64_t)in->column_count : in->width;
    return sk_return(ctx, out, y, functions[i].kind == TO_BOOL ? UNCORK_BOOL : dtype, width);
}

uncork_status sk_do_function_transformer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                         const sk_data *in, sk_result *out)
{
    (void)method;
    return sk_call_function(ctx, est, "func", "kw_args", in, out);
}
