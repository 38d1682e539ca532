/* Features made of features: PolynomialFeatures, SplineTransformer, KBinsDiscretizer,
 * QuantileTransformer and IsotonicRegression. Source: sklearn/preprocessing/_polynomial.py,
 * _discretization.py, _data.py (data.py before 0.22), sklearn/isotonic.py. */
#include "import/sklearn/sk_prep.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

/* ---- PolynomialFeatures ---------------------------------------------------------------------- */

/* What an expansion is made of. */
typedef struct expansion {
    int64_t features, low, high; /* degrees */
    bool interaction, bias;
    int64_t *starts, *factors; /* as uncork.Products takes them */
    int64_t count, total;
} expansion;

/* Outputs of one degree: combinations of `features`, with repetition but for interactions. -1: more
 * than anybody can use. */
static int64_t outputs_of(int64_t features, int64_t degree, bool interaction)
{
    int64_t n = interaction ? features : features + degree - 1, result = 1;
    if (n < degree) return 0;
    for (int64_t i = 1; i <= degree; i++) {
        if (__builtin_mul_overflow(result, n - degree + i, &result)) return -1;
        result /= i;
    }
    return result;
}

static bool count_outputs(sk_ctx *ctx, const sk_est *est, expansion *e)
{
    e->count = e->bias;
    e->total = 0;
    for (int64_t d = e->low > 1 ? e->low : 1; d <= e->high; d++) {
        int64_t n = outputs_of(e->features, d, e->interaction), cells = 0;
        bool fits = n >= 0 && !__builtin_mul_overflow(n, d, &cells) &&
                    !__builtin_add_overflow(e->count, n, &e->count) &&
                    !__builtin_add_overflow(e->total, cells, &e->total) && e->count <= INT32_MAX;
        if (!fits) {
            sk_unsupported(ctx, est, "makes more than %d features of %" PRId64, INT32_MAX,
                           e->features);
            return false;
        }
    }
    return true;
}

/* The combinations of one degree in lexicographic order, as itertools makes them. */
static void combinations(expansion *e, int64_t degree, int64_t *pick, int64_t *at, int64_t *output)
{
    int64_t step = e->interaction ? 1 : 0;
    if (outputs_of(e->features, degree, e->interaction) == 0) return;
    for (int64_t i = 0; i < degree; i++)
        pick[i] = i * step;
    for (;;) {
        memcpy(e->factors + *at, pick, (size_t)degree * sizeof *pick);
        *at += degree;
        e->starts[++*output] = *at;
        int64_t i = degree - 1;
        while (i >= 0 && pick[i] == e->features - 1 - step * (degree - 1 - i))
            i--;
        if (i < 0) return;
        pick[i]++;
        for (int64_t k = i + 1; k < degree; k++)
            pick[k] = pick[k - 1] + step;
    }
}

static bool read_degrees(sk_ctx *ctx, const sk_est *est, expansion *e)
{
    const uc_pickle *degree = sk_attr(est, "degree");
    bool pair = degree && (degree->kind == UC_PICKLE_TUPLE || degree->kind == UC_PICKLE_LIST);
    e->low = 0;
    e->high = pair ? 0 : sk_int(ctx, est, "degree", 2);
    if (pair && (!uc_pickle_i64(uc_pickle_item(degree, 0), &e->low) ||
                 !uc_pickle_i64(uc_pickle_item(degree, 1), &e->high))) {
        e->high = -1;
    }
    e->features = sk_features_in(ctx, est);
    e->interaction = sk_bool(ctx, est, "interaction_only", false);
    e->bias = sk_bool(ctx, est, "include_bias", true);
    if (e->low < 0 || e->high < e->low || e->high > 1000) {
        sk_fail(ctx, est, "degree", "is %" PRId64 " to %" PRId64 ", it must rise from 0", e->low,
                e->high);
    } else if (e->features < 1) {
        sk_fail(ctx, est, "n_features_in_|n_input_features_", "is %" PRId64, e->features);
    }
    return sk_status(ctx) == UNCORK_OK;
}

uncork_status sk_do_polynomial_features(sk_ctx *ctx, const sk_est *est, sk_method method,
                                        const sk_data *in, sk_result *out)
{
    (void)method;
    expansion e;
    if (!read_degrees(ctx, est, &e) || !count_outputs(ctx, est, &e)) return sk_status(ctx);
    int64_t stored = sk_int(ctx, est, "n_output_features_", e.count);
    if (stored != e.count) {
        return sk_fail(ctx, est, "n_output_features_", "is %" PRId64 ", expected %" PRId64, stored,
                       e.count);
    }
    int64_t *pick = UC_NEW(ctx->arena, int64_t, (size_t)e.high + 1), at = 0, output = e.bias;
    e.starts = UC_NEW(ctx->arena, int64_t, (size_t)e.count + 1);
    e.factors = UC_NEW(ctx->arena, int64_t, (size_t)e.total + 1);
    if (!pick || !e.starts || !e.factors) return sk_status(ctx);
    for (int64_t d = e.low > 1 ? e.low : 1; d <= e.high; d++)
        combinations(&e, d, pick, &at, &output);
    sk_rows_of x = sk_float_rows(ctx, est, in, e.features);
    const uc_tensor *starts = uc_tensor_i64(ctx->arena, e.starts, e.count + 1);
    const uc_tensor *factors = uc_tensor_i64(ctx->arena, e.factors, e.total);
    if (!starts || !factors || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    const uc_ref inputs[3] = {x.ref, sk_const(ctx, starts), sk_const(ctx, factors)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.Products", inputs, 3, 1);
    uc_node_int(ctx->graph, n, "reverse", est->version >= 22);
    return sk_return(ctx, out, uc_node_out(n, 0), x.dtype, e.count);
}

/* ---- SplineTransformer ----------------------------------------------------------------------- */

static bool same_numbers(const uc_tensor *a, const uc_tensor *b)
{
    return a->rank == b->rank && uc_tensor_count(a) == uc_tensor_count(b) &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0 &&
           memcmp(a->data, b->data, (size_t)uc_tensor_count(a) * sizeof(double)) == 0;
}

static bool ascending(const double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(v[i]) || (i && v[i] < v[i - 1])) return false;
    }
    return true;
}

/* bsplines_: knots [features, n], and the coefficients that all share. */
static bool read_splines(sk_ctx *ctx, const sk_est *est, int64_t degree, const uc_tensor **knots,
                         const uc_tensor **coefs)
{
    const uc_pickle *list = sk_attr(est, "bsplines_");
    size_t count = sk_list_count(est, "bsplines_");
    uc_tensor *all = NULL;
    if (count == 0) {
        sk_fail(ctx, est, "bsplines_", list ? "is empty" : "is missing: not fitted?");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sk_est one = *est;
        one.object = list->items[i];
        const char *path = uc_arena_printf(ctx->arena, "%s.bsplines_[%zu]", est->path, i);
        one.path = path ? path : est->path;
        const uc_tensor *t = sk_f64(ctx, &one, "t|_t", 1), *c = sk_f64(ctx, &one, "c|_c", 2);
        if (!t || !c) return false;
        if (c->shape[0] <= degree || c->shape[1] < 1 || t->shape[0] != c->shape[0] + degree + 1 ||
            !ascending(uc_tensor_doubles(t), t->shape[0])) {
            sk_fail(ctx, &one, "t|_t", "holds %" PRId64 " knots that don't fit degree %" PRId64,
                    t->shape[0], degree);
            return false;
        }
        if (!all) {
            const int64_t shape[2] = {(int64_t)count, t->shape[0]};
            all = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
            *coefs = c;
        }
        if (!all) return false;
        if (t->shape[0] != all->shape[1] || !same_numbers(c, *coefs)) {
            sk_unsupported(ctx, est, "has splines of different sizes");
            return false;
        }
        memcpy((double *)all->data + i * (size_t)all->shape[1], t->data,
               (size_t)all->shape[1] * sizeof(double));
    }
    *knots = all;
    return true;
}

/* Without bias the last spline of each feature goes. */
static uc_ref without_last(sk_ctx *ctx, uc_ref y, int64_t features, int64_t splines)
{
    int64_t *kept = UC_NEW(ctx->arena, int64_t, (size_t)(features * splines)), n = 0;
    for (int64_t i = 0; kept && i < features * splines; i++) {
        if ((i + 1) % splines != 0) kept[n++] = i;
    }
    return kept ? uc_g_gather(ctx->graph, y, uc_graph_i64s(ctx->graph, kept, n), 1) : 0;
}

uncork_status sk_do_spline_transformer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                       const sk_data *in, sk_result *out)
{
    (void)method;
    static const char *const rules[] = {"continue", "error", "periodic", "constant", "linear"};
    const uc_tensor *knots = NULL, *coefs = NULL;
    const char *rule = NULL;
    int64_t degree = sk_int(ctx, est, "degree", 3);
    uc_str given = sk_str(ctx, est, "extrapolation", "constant");
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (uc_str_is(given, rules[i])) rule = rules[i];
    }
    if (!rule) return sk_fail(ctx, est, "extrapolation", "is unknown");
    if (degree < 0 || degree > 64) return sk_fail(ctx, est, "degree", "is %" PRId64, degree);
    if (!read_splines(ctx, est, degree, &knots, &coefs)) return sk_status(ctx);
    int64_t features = knots->shape[0], splines = coefs->shape[1];
    sk_rows_of x = sk_float_rows(ctx, est, in, features);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    const uc_ref inputs[3] = {x.ref, sk_const(ctx, knots), sk_const(ctx, coefs)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.SplineBasis", inputs, 3, 1);
    uc_node_int(ctx->graph, n, "degree", degree);
    uc_node_str(ctx->graph, n, "extrapolation", rule);
    uc_node_int(ctx->graph, n, "missing_zeros", sk_str_is(est, "handle_missing", "zeros"));
    uc_ref y = uc_node_out(n, 0);
    bool bias = sk_bool(ctx, est, "include_bias", true);
    if (!bias) y = without_last(ctx, y, features, splines);
    return sk_return(ctx, out, y, x.dtype, features * (splines - !bias));
}

/* ---- KBinsDiscretizer ------------------------------------------------------------------------ */

/* The inner edges of all columns, one after the other. */
static const uc_tensor *inner_edges(sk_ctx *ctx, const sk_est *est, const uc_tensor **starts)
{
    const uc_pickle *list = sk_attr(est, "bin_edges_");
    int64_t count = (int64_t)sk_list_count(est, "bin_edges_"), total = 0, at = 0;
    const uc_tensor *square = NULL;
    if (count == 0) { /* equally many bins in every column may be one matrix */
        square = sk_f64(ctx, est, "bin_edges_", 2);
        count = square ? square->shape[0] : 0;
    }
    const int64_t ends = count + 1;
    const uc_tensor **columns = UC_NEW(ctx->arena, const uc_tensor *, (size_t)count);
    uc_tensor *s = uc_tensor_new(ctx->arena, UNCORK_INT64, 1, &ends);
    if (!columns || !s || count == 0) return NULL;
    for (int64_t j = 0; j < count; j++) {
        const uc_tensor *t = NULL;
        if (square) {
            t = uc_tensor_f64(ctx->arena, uc_tensor_doubles(square) + j * square->shape[1],
                              square->shape[1]);
        } else {
            t = uc_pickle_tensor(list->items[j], ctx->arena, NULL);
            if (t) t = uc_tensor_cast(ctx->arena, t, UNCORK_FLOAT64);
        }
        if (!t || t->rank != 1 || t->shape[0] < 2 ||
            !ascending(uc_tensor_doubles(t) + 1, t->shape[0] - 2)) {
            sk_fail(ctx, est, "bin_edges_", "holds no rising edges for column %" PRId64, j);
            return NULL;
        }
        columns[j] = t;
        total += t->shape[0] - 2;
    }
    uc_tensor *edges = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &total);
    for (int64_t j = 0; edges && j < count; j++) {
        int64_t n = columns[j]->shape[0] - 2;
        if (n) {
            memcpy((double *)edges->data + at, uc_tensor_doubles(columns[j]) + 1,
                   (size_t)n * sizeof(double));
        }
        at += n;
        ((int64_t *)s->data)[j + 1] = at;
    }
    *starts = s;
    return edges;
}

uncork_status sk_do_kbins_discretizer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    const uc_tensor *starts = NULL, *edges = inner_edges(ctx, est, &starts);
    if (!edges) return sk_status(ctx);
    int64_t width = starts->shape[0] - 1;
    sk_rows_of x = sk_float_rows(ctx, est, in, width);
    if (sk_has(est, "dtype")) {
        uncork_dtype dtype = sk_dtype(ctx, est, "dtype", x.dtype);
        if (dtype == UNCORK_FLOAT32 || dtype == UNCORK_FLOAT64) {
            x.ref = sk_cast(ctx, x.ref, x.dtype, dtype);
            x.dtype = dtype;
        }
    }
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    const uc_ref inputs[3] = {x.ref, sk_const(ctx, edges), sk_const(ctx, starts)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.Digitize", inputs, 3, 1);
    uc_node_int(ctx->graph, n, "nudged", est->version < 101);
    x.ref = uc_node_out(n, 0);
    if (sk_str_is(est, "encode", "ordinal")) return sk_return_rows(ctx, in, x, out);
    sk_est encoder;
    const sk_data data = {.x = x.ref, .dtype = x.dtype, .rank = 2, .width = width};
    if (!sk_child(ctx, est, "_encoder", &encoder)) return sk_status(ctx);
    UC_TRY(sk_apply(ctx, &encoder, method, &data, out));
    if (est->version < 24 || out->dtype == x.dtype) return sk_status(ctx);
    out->out[0] = sk_cast(ctx, out->out[0], out->dtype, x.dtype); /* 0.24: the type of the input */
    out->dtype = x.dtype;
    return sk_status(ctx);
}

/* ---- QuantileTransformer --------------------------------------------------------------------- */

/* Rows of a matrix in reverse order, signs turned. */
static const uc_tensor *reversed(sk_ctx *ctx, const uc_tensor *t)
{
    int64_t rows = t->shape[0], width = t->rank == 2 ? t->shape[1] : 1;
    uc_tensor *out = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, t->rank, t->shape);
    for (int64_t i = 0; out && i < rows * width; i++) {
        ((double *)out->data)[i] =
            -uc_tensor_doubles(t)[(rows - 1 - i / width) * width + i % width];
    }
    return out;
}

/* numpy.interp, a curve a column. */
static uc_ref interpolated(sk_ctx *ctx, uc_ref x, const uc_tensor *xp, const uc_tensor *fp)
{
    const uc_ref in[3] = {x, sk_const(ctx, xp), sk_const(ctx, fp)};
    return uc_node_out(uc_graph_node(ctx->graph, "uncork.Interp", in, 3, 1), 0);
}

/* Where x is at the lower (upper) end of its quantiles. */
static uc_ref at_end(sk_ctx *ctx, uc_ref x, const uc_tensor *quantiles, bool upper, bool exact)
{
    uc_graph *g = ctx->graph;
    int64_t width = quantiles->shape[1];
    const double *row =
        uc_tensor_doubles(quantiles) + (upper ? (quantiles->shape[0] - 1) * width : 0);
    uc_ref end = uc_graph_f64s(g, row, width), threshold = uc_graph_f64(g, 1e-7);
    if (exact) return uc_g2(g, "Equal", x, end);
    return upper ? uc_g2(g, "Greater", uc_g2(g, "Add", x, threshold), end)
                 : uc_g2(g, "Less", uc_g2(g, "Sub", x, threshold), end);
}

/* scipy.stats.norm.ppf of 1e-7 - numpy.spacing(1) and of 1 minus that: how far the normal distribution
 * is let. */
static const double normal_low = -5.199337582605575, normal_high = 5.19933758270342;

uncork_status sk_do_quantile_transformer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                         const sk_data *in, sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    const uc_tensor *quantiles = sk_f64(ctx, est, "quantiles_", 2);
    const uc_tensor *references = sk_f64(ctx, est, "references_", 1);
    bool normal = sk_str_is(est, "output_distribution", "normal");
    if (!quantiles || !references) return sk_status(ctx);
    if (!normal && sk_has(est, "output_distribution") &&
        !sk_str_is(est, "output_distribution", "uniform")) {
        return sk_fail(ctx, est, "output_distribution", "is neither 'uniform' nor 'normal'");
    }
    if (quantiles->shape[0] < 1 || quantiles->shape[1] < 1) {
        return sk_fail(ctx, est, "quantiles_", "is empty");
    }
    if (!sk_shape1(ctx, est, "references_", references, quantiles->shape[0])) return sk_status(ctx);
    sk_rows_of x = sk_float_rows(ctx, est, in, quantiles->shape[1]);
    uc_ref wide = sk_cast(ctx, x.ref, x.dtype, UNCORK_FLOAT64);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_ref up = interpolated(ctx, wide, quantiles, references);
    uc_ref down = interpolated(ctx, uc_g1(g, "Neg", wide), reversed(ctx, quantiles),
                               reversed(ctx, references));
    uc_ref y = uc_g2(g, "Mul", uc_graph_f64(g, 0.5), uc_g2(g, "Sub", up, down));
    bool exact = !normal && est->version >= 21;
    y = uc_g_where(g, at_end(ctx, wide, quantiles, true, exact), uc_graph_f64(g, 1), y);
    y = uc_g_where(g, at_end(ctx, wide, quantiles, false, exact), uc_graph_f64(g, 0), y);
    if (normal) {
        y = uc_g3(g, "Clip", uc_g1(g, "uncork.NormalQuantile", y), uc_graph_f64(g, normal_low),
                  uc_graph_f64(g, normal_high));
    } else if (est->version < 21) { /* scipy.stats.uniform.ppf, clipped alike */
        double low = 1e-7 - DBL_EPSILON;
        y = uc_g3(g, "Clip", y, uc_graph_f64(g, low), uc_graph_f64(g, 1 - low));
    }
    x.ref = sk_cast(ctx, y, UNCORK_FLOAT64, x.dtype);
    return sk_return_rows(ctx, in, x, out);
}

/* ---- IsotonicRegression ---------------------------------------------------------------------- */

/* One column of numbers as [rows, 1] float64, rounded to float32 where the model was trained on it. */
static uc_ref single_column(sk_ctx *ctx, const sk_est *est, const sk_data *in, bool f32)
{
    static const int64_t column[2] = {-1, 1};
    sk_data data = *in;
    if (!in->columns && in->rank == 1) {
        data.x = uc_g_reshape(ctx->graph, in->x, column, 2);
        data.rank = 2;
        data.width = 1;
    }
    uc_ref x = sk_x(ctx, est, &data, 1);
    if (!f32 || sk_status(ctx) != UNCORK_OK) return x;
    return uc_g_cast(ctx->graph, uc_g_cast(ctx->graph, x, UNCORK_FLOAT32), UNCORK_FLOAT64);
}

/* The curve: X_thresholds_ (0.24), _necessary_X_ (0.18), or the interp1d object f_ keeps. */
static bool read_curve(sk_ctx *ctx, const sk_est *est, const uc_tensor **x, const uc_tensor **y,
                       bool *f32)
{
    sk_est f = *est;
    const char *xs = "X_thresholds_|_necessary_X_", *ys = "y_thresholds_|_necessary_y_";
    if (!sk_has(est, xs) && sk_has(est, "f_")) {
        if (!sk_object(ctx, est, "f_", &f)) return false;
        xs = "x";
        ys = "_y|y";
    }
    const uc_tensor *stored = sk_tensor(ctx, &f, xs, 1);
    *x = sk_f64(ctx, &f, xs, 1);
    *y = sk_f64(ctx, &f, ys, -1);
    if (!stored || !*x || !*y) return false;
    int64_t n = (*x)->shape[0];
    if (n < 1 || uc_tensor_count(*y) != n || !ascending(uc_tensor_doubles(*x), n)) {
        sk_fail(ctx, &f, xs, "and its values make no curve of %" PRId64 " points", n);
        return false;
    }
    uc_tensor *flat = UC_NEW(ctx->arena, uc_tensor, 1);
    if (!flat) return false;
    *flat = uc_tensor_reshaped(*y, 1, &n);
    *y = flat;
    *f32 = stored->dtype == UNCORK_FLOAT32 && est->version >= 21;
    return true;
}

uncork_status sk_do_isotonic_regression(sk_ctx *ctx, const sk_est *est, sk_method method,
                                        const sk_data *in, sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    const uc_tensor *xs = NULL, *ys = NULL;
    bool f32 = false;
    if (!read_curve(ctx, est, &xs, &ys, &f32)) return sk_status(ctx);
    int64_t n = xs->shape[0];
    double low = uc_tensor_doubles(xs)[0], high = uc_tensor_doubles(xs)[n - 1];
    uc_ref x = single_column(ctx, est, in, f32), y;
    uc_str rule = sk_str(ctx, est, "out_of_bounds", "nan");
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    if (uc_str_is(rule, "clip")) {
        uc_ref first = uc_graph_f64(g, sk_number(ctx, est, "X_min_", low));
        uc_ref last = uc_graph_f64(g, sk_number(ctx, est, "X_max_", high));
        x = uc_g3(g, "Clip", x, first, last);
    } else if (uc_str_is(rule, "raise") && n > 1) {
        uc_node *node = uc_graph_node(g, "uncork.InRange", &x, 1, 1);
        uc_node_float(g, node, "low", low);
        uc_node_float(g, node, "high", high);
        x = uc_node_out(node, 0);
    } else if (!uc_str_is(rule, "nan") && !uc_str_is(rule, "raise")) {
        return sk_fail(ctx, est, "out_of_bounds", "is neither 'nan', 'clip' nor 'raise'");
    }
    y = interpolated(ctx, x, xs, ys);
    if (uc_str_is(rule, "nan") && n > 1) {
        uc_ref outside = uc_g2(g, "Or", uc_g2(g, "Less", x, uc_graph_f64(g, low)),
                               uc_g2(g, "Greater", x, uc_graph_f64(g, high)));
        y = uc_g_where(g, outside, uc_graph_f64(g, (double)NAN), y);
    }
    y = uc_g_squeeze(g, y, 1);
    uncork_dtype dtype = f32 ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
    return sk_return(ctx, out, sk_cast(ctx, y, UNCORK_FLOAT64, dtype), dtype, 0);
}
