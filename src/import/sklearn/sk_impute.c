/* sklearn.impute: SimpleImputer and its forerunner Imputer, MissingIndicator, KNNImputer,
 * IterativeImputer. Source: sklearn/impute/_base.py, _knn.py, _iterative.py, (impute.py in 0.20, 0.21)
 * and sklearn/preprocessing/imputation.py until 0.21. */
#include "import/sklearn/sk_impute.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>

/* ---- what is missing ------------------------------------------------------------------------- */

bool sk_read_missing(sk_ctx *ctx, const sk_est *est, sk_missing *out)
{
    const uc_pickle *value = sk_attr(est, "missing_values");
    *out = (sk_missing){.is_nan = true};
    if (sk_status(ctx) != UNCORK_OK) return false;
    if (!value || value->kind == UC_PICKLE_NONE || uc_pickle_is_text(value, "NaN")) return true;
    if (uc_str_is(value->text, "NA") || uc_str_is(value->text, "NAType")) return true;
    if (value->kind == UC_PICKLE_TEXT || value->kind == UC_PICKLE_BYTES) {
        *out = (sk_missing){.is_text = true, .text = value->text};
        return true;
    }
    if (!uc_pickle_f64(value, &out->number)) {
        sk_fail(ctx, est, "missing_values", "is neither a number nor a text");
        return false;
    }
    out->is_nan = isnan(out->number) != 0;
    return true;
}

static uc_ref text_const(sk_ctx *ctx, const uc_str *items, int64_t count)
{
    return sk_const(ctx, uc_tensor_strings(ctx->arena, items, 1, &count));
}

/* False for every cell, NaN too. */
static uc_ref nowhere(sk_ctx *ctx, uc_ref x) { return uc_g2(ctx->graph, "Less", x, x); }

static uc_ref text_mask(sk_ctx *ctx, const sk_missing *missing, uc_ref x)
{
    char number[32];
    uc_str text = missing->is_nan ? uc_str_of("nan") : missing->text;
    if (!missing->is_nan && !missing->is_text) { /* no text equals a number, but one may look so */
        text = (uc_str){number, uc_f64_text(missing->number, number)};
    }
    return uc_g2(ctx->graph, "Equal", x, text_const(ctx, &text, 1));
}

uc_ref sk_missing_mask(sk_ctx *ctx, const sk_missing *missing, uc_ref x, uncork_dtype dtype)
{
    uc_graph *g = ctx->graph;
    if (sk_status(ctx) != UNCORK_OK) return 0;
    if (dtype == UNCORK_STRING) return text_mask(ctx, missing, x);
    bool is_float = uc_dtype_is_float(dtype);
    bool fraction = !missing->is_nan && missing->number != floor(missing->number);
    if (missing->is_text || (!is_float && (missing->is_nan || fraction))) return nowhere(ctx, x);
    if (missing->is_nan) return uc_g1(g, "IsNaN", x);
    return uc_g2(g, "Equal", x, uc_g_cast(g, uc_graph_f64(g, missing->number), dtype));
}

/* ---- columns --------------------------------------------------------------------------------- */

/* What was fed as one matrix in one type, or as columns of their own. */
typedef struct fed {
    int64_t width;
    uc_ref x; /* [rows, width]; 0 for a table */
    uncork_dtype dtype;
    const sk_column *columns;
} fed;

/* A table whose columns are all numbers is a matrix, as it is in scikit-learn. */
static bool read_fed(sk_ctx *ctx, const sk_est *est, const sk_data *in, int64_t width,
                     bool keep_whole, fed *out)
{
    bool text = !in->columns && in->dtype == UNCORK_STRING;
    for (size_t i = 0; in->columns && i < in->column_count; i++)
        text = text || in->columns[i].dtype == UNCORK_STRING;
    *out = (fed){.width = width, .dtype = UNCORK_FLOAT64};
    bool whole = !in->columns && in->rank == 2 && in->dtype == UNCORK_INT64 && keep_whole;
    int64_t given = in->columns ? (int64_t)in->column_count : in->width;
    if (!text && !whole) {
        out->x = sk_x_keep(ctx, est, in, width, &out->dtype);
    } else if (in->rank != 2 && !in->columns) {
        sk_unsupported(ctx, est, "takes a matrix [rows, columns], gets a vector");
    } else if (given >= 0 && given != width) {
        sk_fail(ctx, est, NULL, "was trained on %" PRId64 " features, gets %" PRId64, width, given);
    } else if (in->columns) {
        out->columns = in->columns;
    } else {
        const int64_t shape[2] = {0, width};
        out->dtype = in->dtype;
        out->x = given < 0 ? uc_g_reshape(ctx->graph, in->x, shape, 2) : in->x;
    }
    return sk_status(ctx) == UNCORK_OK;
}

/* Columns of a matrix by index; all of them: the matrix itself. */
static uc_ref picked(sk_ctx *ctx, uc_ref x, int64_t width, const int64_t *columns, int64_t count)
{
    if (count == width || sk_status(ctx) != UNCORK_OK) return x;
    return uc_g_gather(ctx->graph, x, uc_graph_i64s(ctx->graph, columns, count), 1);
}

/* ---- indicator ------------------------------------------------------------------------------- */

/* The columns of a MissingIndicator's answer. Until 0.20 none at all meant every one. */
static const int64_t *indicated(sk_ctx *ctx, const sk_est *est, int64_t width, int64_t *count)
{
    const uc_tensor *t = sk_i64(ctx, est, "features_", 1);
    if (!t) return NULL;
    bool all = sk_str_is(est, "features", "all") || (est->version < 21 && t->shape[0] == 0);
    *count = all ? width : t->shape[0];
    int64_t *columns = UC_NEW(ctx->arena, int64_t, (size_t)*count);
    for (int64_t i = 0; columns && i < *count; i++) {
        columns[i] = all ? i : ((const int64_t *)t->data)[i];
        if (columns[i] < 0 || columns[i] >= width) {
            sk_fail(ctx, est, "features_", "names column %" PRId64 " of %" PRId64, columns[i],
                    width);
            return NULL;
        }
    }
    return columns;
}

static uc_ref indicate(sk_ctx *ctx, const sk_est *est, uc_ref mask, int64_t width, int64_t *count)
{
    const int64_t *columns = indicated(ctx, est, width, count);
    if (!columns || sk_status(ctx) != UNCORK_OK) return 0;
    bool strict = !sk_str_is(est, "features", "all") && sk_bool(ctx, est, "error_on_new", true);
    if (!strict) return picked(ctx, mask, width, columns, *count);
    const uc_ref in[2] = {mask, uc_graph_i64s(ctx->graph, columns, *count)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.IndicatorColumns", in, 2, 1);
    uc_node_int(ctx->graph, n, "strict", 1);
    return uc_node_out(n, 0);
}

uncork_status sk_add_indicator(sk_ctx *ctx, const sk_est *est, uc_ref mask, int64_t width,
                               sk_result *imputed)
{
    sk_est indicator;
    int64_t count = 0;
    if (!sk_bool(ctx, est, "add_indicator", false)) return sk_status(ctx);
    if (!sk_object(ctx, est, "indicator_", &indicator)) return sk_status(ctx);
    uc_ref columns = indicate(ctx, &indicator, mask, width, &count);
    if (sk_status(ctx) != UNCORK_OK || count == 0) return sk_status(ctx);
    if (imputed->dtype == UNCORK_STRING) {
        return sk_unsupported(ctx, est, "adds indicators (numbers) to columns of text");
    }
    sk_result parts[2] = {*imputed};
    UC_TRY(sk_return(ctx, &parts[1], uc_g_cast(ctx->graph, columns, imputed->dtype), imputed->dtype,
                     count));
    return sk_hstack(ctx, est, parts, 2, imputed);
}

/* The mask of what was fed, [rows, width]. */
static uc_ref mask_of(sk_ctx *ctx, const sk_missing *missing, const fed *in)
{
    if (!in->columns) return sk_missing_mask(ctx, missing, in->x, in->dtype);
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, (size_t)in->width);
    for (int64_t i = 0; parts && i < in->width; i++) {
        const sk_column *c = &in->columns[i];
        uc_ref x =
            sk_cast(ctx, c->ref, c->dtype, c->dtype == UNCORK_BOOL ? UNCORK_INT64 : c->dtype);
        uncork_dtype dtype = c->dtype == UNCORK_BOOL ? UNCORK_INT64 : c->dtype;
        parts[i] = uc_g_unsqueeze(ctx->graph, sk_missing_mask(ctx, missing, x, dtype), 1);
    }
    return parts ? uc_g_concat(ctx->graph, parts, (size_t)in->width, 1) : 0;
}

uncork_status sk_do_missing_indicator(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    (void)method;
    int64_t width = sk_int(ctx, est, "n_features_in_|_n_features", -1), count = 0;
    sk_missing missing;
    fed x;
    if (!sk_read_missing(ctx, est, &missing)) return sk_status(ctx);
    if (width < 1) return sk_fail(ctx, est, "_n_features", "is %" PRId64, width);
    if (!read_fed(ctx, est, in, width, true, &x)) return sk_status(ctx);
    uc_ref y = indicate(ctx, est, mask_of(ctx, &missing, &x), width, &count);
    return sk_return(ctx, out, y, UNCORK_BOOL, count);
}

/* ---- SimpleImputer --------------------------------------------------------------------------- */

/* What fills a column. */
typedef struct filling {
    bool is_text, is_none; /* is_none: the column was empty in training */
    double number;
    uc_str text;
} filling;

static bool read_filling(sk_ctx *ctx, const sk_est *est, const uc_pickle *v, filling *f)
{
    *f = (filling){.number = (double)NAN};
    f->is_none = !v || v->kind == UC_PICKLE_NONE;
    f->is_text = v && (v->kind == UC_PICKLE_TEXT || v->kind == UC_PICKLE_BYTES);
    if (f->is_none) return true;
    if (f->is_text) {
        f->text = v->text;
    } else if (!uc_pickle_f64(v, &f->number)) {
        sk_fail(ctx, est, "statistics_", "holds something other than numbers and texts");
        return false;
    }
    f->is_none = !f->is_text && isnan(f->number);
    return true;
}

static filling *read_fillings(sk_ctx *ctx, const sk_est *est, int64_t *width)
{
    const uc_pickle *value = sk_attr(est, "statistics_");
    bool objects = value && (value->kind == UC_PICKLE_OBJECTS || value->kind == UC_PICKLE_LIST);
    const uc_tensor *t = objects ? NULL : sk_tensor(ctx, est, "statistics_", 1);
    if (!objects && !t) return NULL;
    *width = objects ? (int64_t)value->count : t->shape[0];
    if (*width < 1) {
        sk_fail(ctx, est, "statistics_", "is empty");
        return NULL;
    }
    if (t && t->dtype != UNCORK_STRING && !(t = sk_f64(ctx, est, "statistics_", 1))) return NULL;
    filling *list = UC_NEW(ctx->arena, filling, (size_t)*width);
    for (int64_t i = 0; list && i < *width; i++) {
        filling *f = &list[i];
        if (objects) {
            if (!read_filling(ctx, est, value->items[i], f)) return NULL;
        } else if (t->dtype == UNCORK_STRING) {
            *f = (filling){.is_text = true, .text = uc_tensor_string(t, i)};
        } else {
            f->number = uc_tensor_doubles(t)[i];
            f->is_none = isnan(f->number) != 0;
        }
    }
    return list;
}

/* x with its missing cells filled; `dtype` decides whether by number or by text. */
static uc_ref filled(sk_ctx *ctx, const sk_est *est, uc_ref mask, uc_ref x, uncork_dtype dtype,
                     const filling *fillings, int64_t count)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    bool text = dtype == UNCORK_STRING;
    uc_tensor *numbers = text ? NULL : uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 1, &count);
    uc_str *texts = text ? UC_NEW(ctx->arena, uc_str, (size_t)count) : NULL;
    if (!numbers && !texts) return 0;
    for (int64_t i = 0; i < count; i++) {
        if (!fillings[i].is_none && fillings[i].is_text != text) {
            sk_unsupported(ctx, est, "fills column %" PRId64 " with %s, gets %s", i,
                           text ? "a number" : "a text", uc_dtype_name(dtype));
            return 0;
        }
        if (text) texts[i] = fillings[i].is_none ? uc_str_of("nan") : fillings[i].text;
        if (!text) ((double *)numbers->data)[i] = fillings[i].number;
    }
    if (!uc_dtype_is_float(dtype) && !text) {
        for (int64_t i = 0; i < count; i++) { /* nothing is missing among whole numbers then */
            if (fillings[i].is_none) ((double *)numbers->data)[i] = 0;
        }
    }
    uc_ref values = text ? text_const(ctx, texts, count)
                         : sk_const(ctx, uc_tensor_cast(ctx->arena, numbers, dtype));
    return uc_g_where(ctx->graph, mask, values, x);
}

/* A table with text in it: each column in its own type. */
static uncork_status fill_table(sk_ctx *ctx, const sk_est *est, const fed *in,
                                const sk_missing *missing, const filling *fillings,
                                const int64_t *columns, int64_t count, sk_result *out)
{
    sk_column *filled_columns = UC_NEW(ctx->arena, sk_column, (size_t)count);
    if (!filled_columns) return sk_status(ctx);
    for (int64_t i = 0; i < count; i++) {
        sk_column *c = &filled_columns[i];
        *c = in->columns[columns[i]];
        if (c->dtype == UNCORK_BOOL) {
            c->ref = sk_cast(ctx, c->ref, UNCORK_BOOL, UNCORK_INT64);
            c->dtype = UNCORK_INT64;
        }
        uc_ref mask = sk_missing_mask(ctx, missing, c->ref, c->dtype);
        c->ref = filled(ctx, est, mask, c->ref, c->dtype, &fillings[columns[i]], 1);
    }
    return sk_return_table(ctx, est, filled_columns, (size_t)count, out);
}

/* Columns that were empty in training are left out, but for a constant (until 1.7) and where
 * keep_empty_features (1.2) says so. */
static int64_t kept_columns(sk_ctx *ctx, const sk_est *est, const filling *fillings, int64_t width,
                            int64_t *columns)
{
    bool all = sk_bool(ctx, est, "keep_empty_features", false) ||
               (sk_str_is(est, "strategy", "constant") && est->version < 108);
    int64_t count = 0;
    for (int64_t i = 0; i < width; i++) {
        if (all || !fillings[i].is_none) columns[count++] = i;
    }
    return count;
}

static uncork_status impute_rows(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out);

uncork_status sk_do_simple_imputer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    (void)method;
    int64_t width = 0;
    sk_missing missing;
    fed x;
    if (sk_int(ctx, est, "axis", 0) == 1) return impute_rows(ctx, est, in, out);
    filling *fillings = read_fillings(ctx, est, &width);
    bool numbers = sk_str_is(est, "strategy", "mean") || sk_str_is(est, "strategy", "median") ||
                   uc_str_is(est->class_name, "Imputer");
    if (!fillings || !sk_read_missing(ctx, est, &missing)) return sk_status(ctx);
    int64_t *columns = UC_NEW(ctx->arena, int64_t, (size_t)width);
    if (!columns || !read_fed(ctx, est, in, width, !numbers, &x)) return sk_status(ctx);
    int64_t count = kept_columns(ctx, est, fillings, width, columns);
    if (count == 0) return sk_unsupported(ctx, est, "was trained on empty columns only");
    uc_ref mask = mask_of(ctx, &missing, &x);
    if (x.columns) {
        UC_TRY(fill_table(ctx, est, &x, &missing, fillings, columns, count, out));
    } else {
        uc_ref y = filled(ctx, est, mask, x.x, x.dtype, fillings, width);
        UC_TRY(sk_return(ctx, out, picked(ctx, y, width, columns, count), x.dtype, count));
        if (count == width) out->names = in->names;
    }
    return sk_add_indicator(ctx, est, mask, width, out);
}

/* Imputer(axis=1): each row by its own statistic. */
static uncork_status impute_rows(sk_ctx *ctx, const sk_est *est, const sk_data *in, sk_result *out)
{
    uc_graph *g = ctx->graph;
    sk_missing missing;
    uc_str strategy = sk_str(ctx, est, "strategy", "mean");
    if (!sk_read_missing(ctx, est, &missing)) return sk_status(ctx);
    sk_rows_of x = sk_float_rows(ctx, est, in, -1);
    uc_ref mask = sk_missing_mask(ctx, &missing, x.ref, x.dtype);
    if (sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    const uc_ref pair[2] = {sk_cast(ctx, x.ref, x.dtype, UNCORK_FLOAT64), mask};
    char *kind = uc_arena_copy(ctx->arena, strategy.data, strategy.size);
    uc_node *n = uc_graph_node(g, "uncork.RowStatistic", pair, 2, 1);
    uc_node_str(g, n, "kind", kind ? kind : "");
    uc_ref statistic = sk_cast(ctx, uc_node_out(n, 0), UNCORK_FLOAT64, x.dtype);
    x.ref = uc_g_where(g, mask, statistic, x.ref);
    return sk_return_rows(ctx, in, x, out);
}

/* ---- KNNImputer ------------------------------------------------------------------------------ */

static const uc_tensor *fit_mask(sk_ctx *ctx, const sk_est *est, const uc_tensor *fit)
{
    const uc_tensor *mask = sk_tensor(ctx, est, "_mask_fit_X", 2);
    if (!mask || !sk_shape2(ctx, est, "_mask_fit_X", mask, fit->shape[0], fit->shape[1])) {
        return NULL;
    }
    if (mask->dtype == UNCORK_BOOL) return mask;
    sk_fail(ctx, est, "_mask_fit_X", "holds %s, expected bool", uc_dtype_name(mask->dtype));
    return NULL;
}

/* Whether no row of training had the column. */
static bool is_empty(const uc_tensor *mask, int64_t column)
{
    for (int64_t i = 0; i < mask->shape[0]; i++) {
        if (!((const uint8_t *)mask->data)[i * mask->shape[1] + column]) return false;
    }
    return true;
}

/* Empty columns come out as 0 (keep_empty_features) or not at all. */
static uncork_status without_empty(sk_ctx *ctx, const sk_est *est, const sk_rows_of *x,
                                   const uc_tensor *mask, sk_result *out)
{
    int64_t width = x->width, count = 0;
    int64_t *columns = UC_NEW(ctx->arena, int64_t, (size_t)width);
    uc_tensor *empty = uc_tensor_new(ctx->arena, UNCORK_BOOL, 1, &width);
    if (!columns || !empty) return sk_status(ctx);
    for (int64_t i = 0; i < width; i++) {
        ((uint8_t *)empty->data)[i] = is_empty(mask, i);
        if (!((uint8_t *)empty->data)[i]) columns[count++] = i;
    }
    if (sk_bool(ctx, est, "keep_empty_features", false)) {
        uc_ref zero = sk_scalar_of(ctx, x->dtype, 0);
        uc_ref y = uc_g_where(ctx->graph, sk_const(ctx, empty), zero, x->ref);
        return sk_return(ctx, out, y, x->dtype, width);
    }
    if (count == 0) return sk_unsupported(ctx, est, "was trained on empty columns only");
    return sk_return(ctx, out, picked(ctx, x->ref, width, columns, count), x->dtype, count);
}

uncork_status sk_do_knn_imputer(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                                sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    sk_missing missing;
    const uc_tensor *fit = sk_f64(ctx, est, "_fit_X", 2);
    if (!fit || !sk_read_missing(ctx, est, &missing)) return sk_status(ctx);
    if (fit->shape[0] < 1 || fit->shape[1] < 1) return sk_fail(ctx, est, "_fit_X", "is empty");
    const uc_tensor *mask = fit_mask(ctx, est, fit);
    bool by_distance = sk_str_is(est, "weights", "distance");
    if (!by_distance && sk_has(est, "weights") && !sk_str_is(est, "weights", "uniform")) {
        return sk_unsupported(ctx, est, "the weights are a Python function");
    }
    if (sk_has(est, "metric") && !sk_str_is(est, "metric", "nan_euclidean")) {
        return sk_unsupported(ctx, est, "the metric isn't 'nan_euclidean'");
    }
    int64_t k = sk_int(ctx, est, "n_neighbors", 5);
    if (k < 1) return sk_fail(ctx, est, "n_neighbors", "is %" PRId64, k);
    sk_rows_of x = sk_float_rows(ctx, est, in, fit->shape[1]);
    uc_ref x_mask = sk_missing_mask(ctx, &missing, x.ref, x.dtype);
    if (!mask || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    const uc_ref inputs[4] = {sk_cast(ctx, x.ref, x.dtype, UNCORK_FLOAT64), x_mask,
                              sk_const(ctx, fit), sk_const(ctx, mask)};
    uc_node *n = uc_graph_node(g, "uncork.KnnImpute", inputs, 4, 1);
    uc_node_int(g, n, "n_neighbors", k);
    uc_node_str(g, n, "weights", by_distance ? "distance" : "uniform");
    uc_node_int(g, n, "skip_far", est->version >= 106);
    x.ref = sk_cast(ctx, uc_node_out(n, 0), UNCORK_FLOAT64, x.dtype);
    UC_TRY(without_empty(ctx, est, &x, mask, out));
    return sk_add_indicator(ctx, est, x_mask, fit->shape[1], out);
}

/* ---- IterativeImputer ------------------------------------------------------------------------ */

/* The rows while they are imputed: columns of their own, [rows, 1] each. */
typedef struct rounds {
    int64_t width;
    uncork_dtype dtype;
    uc_ref *columns;
    uc_ref mask; /* bool [rows, width] */
    const uc_tensor *low, *high;
} rounds;

static double bound_at(const uc_tensor *t, int64_t i, double otherwise)
{
    return t ? uc_tensor_doubles(t)[t->rank ? i : 0] : otherwise;
}

/* _min_value, _max_value: one number until 0.22, one a column since. */
static const uc_tensor *bound(sk_ctx *ctx, const sk_est *est, const char *names, int64_t width)
{
    const uc_tensor *t = sk_f64_or_null(ctx, est, names, -1);
    if (t && t->rank != 0) (void)sk_shape1(ctx, est, names, t, width);
    return t;
}

static bool impute_one(sk_ctx *ctx, const sk_est *est, rounds *r, const uc_pickle *triplet,
                       size_t i)
{
    uc_graph *g = ctx->graph;
    const uc_pickle *parts = triplet && triplet->kind == UC_PICKLE_OBJECT ? triplet->args : triplet;
    int64_t feature = -1;
    const uc_pickle *near = uc_pickle_item(parts, 1);
    const uc_tensor *neighbors = near ? uc_pickle_tensor(near, ctx->arena, NULL) : NULL;
    if (!uc_pickle_i64(uc_pickle_item(parts, 0), &feature) || feature < 0 || feature >= r->width ||
        !neighbors || neighbors->rank != 1 || neighbors->shape[0] < 1 ||
        !uc_dtype_is_integer(neighbors->dtype)) {
        sk_fail(ctx, est, "imputation_sequence_", "has a step %zu that isn't understood", i);
        return false;
    }
    int64_t count = neighbors->shape[0];
    uc_ref *near_columns = UC_NEW(ctx->arena, uc_ref, (size_t)count);
    for (int64_t k = 0; near_columns && k < count; k++) {
        int64_t at = uc_dtype_load_i64(neighbors->data, k, neighbors->dtype);
        if (at < 0 || at >= r->width) {
            sk_fail(ctx, est, "imputation_sequence_",
                    "step %zu takes column %" PRId64 " of %" PRId64, i, at, r->width);
            return false;
        }
        near_columns[k] = r->columns[at];
    }
    sk_est inner;
    sk_result predicted;
    const char *path = uc_arena_printf(ctx->arena, "%s.imputation_sequence_[%zu]", est->path, i);
    if (!near_columns || !path || !sk_estimator(ctx, uc_pickle_item(parts, 2), est, path, &inner)) {
        return false;
    }
    const sk_data data = {.x = uc_g_concat(g, near_columns, (size_t)count, 1),
                          .dtype = r->dtype,
                          .rank = 2,
                          .width = count};
    if (sk_apply(ctx, &inner, SK_PREDICT, &data, &predicted) != UNCORK_OK) return false;
    if (predicted.dtype == UNCORK_STRING) {
        sk_unsupported(ctx, est, "step %zu predicts text", i);
        return false;
    }
    static const int64_t column[2] = {-1, 1};
    uc_ref y = uc_g_reshape(g, predicted.out[0], column, 2);
    y = sk_cast(ctx, y, predicted.dtype, UNCORK_FLOAT64);
    double low = bound_at(r->low, feature, -HUGE_VAL), high = bound_at(r->high, feature, HUGE_VAL);
    y = uc_g3(g, "Clip", y, uc_graph_f64(g, low), uc_graph_f64(g, high));
    uc_ref missing = uc_g_slice(g, r->mask, 1, feature, feature + 1);
    r->columns[feature] =
        uc_g_where(g, missing, sk_cast(ctx, y, UNCORK_FLOAT64, r->dtype), r->columns[feature]);
    return sk_status(ctx) == UNCORK_OK;
}

/* Which columns stay: all that weren't empty in training. */
static int64_t *observed(sk_ctx *ctx, const sk_est *est, const sk_est *initial, int64_t width,
                         int64_t *count)
{
    int64_t *columns = UC_NEW(ctx->arena, int64_t, (size_t)width), statistics = 0;
    if (!columns) return NULL;
    bool all = sk_bool(ctx, est, "keep_empty_features", false);
    const uc_tensor *empty = NULL;
    filling *fillings = NULL;
    if (sk_has(est, "_is_empty_feature")) {
        empty = sk_i64(ctx, est, "_is_empty_feature", 1);
        if (!sk_shape1(ctx, est, "_is_empty_feature", empty, width)) return NULL;
    } else if (!(fillings = read_fillings(ctx, initial, &statistics)) || statistics != width) {
        sk_fail(ctx, initial, "statistics_", "doesn't fit the imputer");
        return NULL;
    }
    for (int64_t i = 0; i < width; i++) {
        bool lost = empty ? ((const int64_t *)empty->data)[i] != 0 : fillings[i].is_none;
        if (all || !lost) columns[(*count)++] = i;
    }
    return columns;
}

/* A batch in which everything is missing keeps its first guess. */
static uc_ref unless_all_missing(sk_ctx *ctx, uc_ref mask, uc_ref first, uc_ref imputed)
{
    uc_graph *g = ctx->graph;
    uc_ref present = uc_g_cast(g, uc_g1(g, "Not", mask), UNCORK_INT64);
    uc_ref some =
        uc_g_reduce(g, "ReduceMax", uc_g_reduce(g, "ReduceMax", present, 1, true), 0, true);
    return uc_g_where(g, uc_g2(g, "Greater", some, uc_graph_i64(g, 0)), imputed, first);
}

uncork_status sk_do_iterative_imputer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    uc_graph *g = ctx->graph;
    sk_est initial;
    sk_missing missing;
    sk_result first;
    if (sk_bool(ctx, est, "sample_posterior", false)) {
        return sk_unsupported(ctx, est, "sample_posterior draws random numbers");
    }
    if (!sk_child(ctx, est, "initial_imputer_", &initial)) return sk_status(ctx);
    if (!sk_read_missing(ctx, est, &missing)) return sk_status(ctx);
    int64_t width = 0, count = 0;
    if (!read_fillings(ctx, &initial, &width)) return sk_status(ctx);
    sk_rows_of x = sk_float_rows(ctx, est, in, width);
    uc_ref all_mask = sk_missing_mask(ctx, &missing, x.ref, x.dtype);
    const sk_data data = {.x = x.ref, .dtype = x.dtype, .rank = 2, .width = width};
    int64_t *columns = observed(ctx, est, &initial, width, &count);
    if (!columns || count < 1) return sk_status(ctx);
    UC_TRY(sk_apply(ctx, &initial, method, &data, &first));
    uc_ref guess = first.out[0];
    if (first.width != count) guess = picked(ctx, guess, width, columns, count);
    rounds r = {.width = count,
                .dtype = x.dtype,
                .columns = UC_NEW(ctx->arena, uc_ref, (size_t)count),
                .mask = picked(ctx, all_mask, width, columns, count),
                .low = bound(ctx, est, "_min_value|min_value", count),
                .high = bound(ctx, est, "_max_value|max_value", count)};
    if (!r.columns || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    for (int64_t i = 0; i < count; i++)
        r.columns[i] = uc_g_slice(g, guess, 1, i, i + 1);
    /* 1.2 to 1.5 took every cell for missing when empty columns were kept, and gave up at once */
    bool keeps = sk_bool(ctx, est, "keep_empty_features", false);
    bool gives_up = keeps && est->version >= 102 && est->version < 106;
    size_t steps = gives_up ? 0 : sk_list_count(est, "imputation_sequence_");
    const uc_pickle *sequence = sk_attr(est, "imputation_sequence_");
    for (size_t i = 0; i < steps; i++) {
        if (!impute_one(ctx, est, &r, uc_pickle_item(sequence, i), i)) return sk_status(ctx);
    }
    uc_ref y = steps ? uc_g_concat(g, r.columns, (size_t)count, 1) : guess;
    if (steps) y = unless_all_missing(ctx, r.mask, guess, y);
    UC_TRY(sk_return(ctx, out, y, x.dtype, count));
    return sk_add_indicator(ctx, est, all_mask, width, out);
}
