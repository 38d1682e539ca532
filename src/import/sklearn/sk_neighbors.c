/* Nearest neighbours: votes, means, kernel densities and outlier factors over rows with a metric.
 * Sources: sklearn/neighbors/_classification.py, _regression.py, _unsupervised.py, _graph.py,
 * _nearest_centroid.py, _lof.py, _kde.py, _nca.py and their forerunners without underscore. */
#include "import/sklearn/sk_neighbors.h"
#include "base/text.h"
#include "import/sklearn/sk_matrix.h"

#include <inttypes.h>
#include <math.h>

/* ---- outputs: one, or several when y had columns -------------------------------------------- */

typedef struct outputs {
    size_t count;
    bool many; /* outputs_2d_: results are matrices or lists */
    const uc_tensor **classes;
    const uc_tensor **codes; /* each i64 [rows] */
} outputs;

/* Labels in the three types predictions have. */
static const uc_tensor *label_tensor(sk_ctx *ctx, const sk_est *est, const char *attribute,
                                     const uc_pickle *value)
{
    const uc_tensor *t = value ? uc_pickle_tensor(value, ctx->arena, NULL) : NULL;
    if (t) t = uc_tensor_dense(ctx->arena, t);
    if (!t || t->rank != 1 || t->shape[0] < 1) {
        sk_fail(ctx, est, attribute, "holds no labels");
        return NULL;
    }
    if (t->dtype == UNCORK_STRING || t->dtype == UNCORK_BOOL || t->dtype == UNCORK_INT64 ||
        t->dtype == UNCORK_FLOAT64) {
        return t;
    }
    return uc_tensor_cast(ctx->arena, t,
                          uc_dtype_is_float(t->dtype) ? UNCORK_FLOAT64 : UNCORK_INT64);
}

/* Column i of the encoded targets, checked against the number of classes. */
static const uc_tensor *code_column(sk_ctx *ctx, const sk_est *est, const uc_tensor *y, size_t i,
                                    size_t count, int64_t classes)
{
    int64_t n = y->shape[0];
    uc_tensor *column = uc_tensor_new(ctx->arena, UNCORK_INT64, 1, &n);
    if (!column) return NULL;
    for (int64_t r = 0; r < n; r++) {
        int64_t code = ((const int64_t *)y->data)[r * (int64_t)count + (int64_t)i];
        if (code < 0 || code >= classes) {
            sk_fail(ctx, est, "_y", "[%" PRId64 "] is class %" PRId64 ", of %" PRId64, r, code,
                    classes);
            return NULL;
        }
        ((int64_t *)column->data)[r] = code;
    }
    return column;
}

static bool read_outputs(sk_ctx *ctx, const sk_est *est, int64_t rows, outputs *o)
{
    *o = (outputs){.count = 1, .many = sk_bool(ctx, est, "outputs_2d_", false)};
    const uc_tensor *y = sk_i64(ctx, est, "_y", -1);
    const uc_pickle *classes = sk_attr(est, "classes_");
    if (!y) return false;
    if (y->rank < 1 || y->rank > 2 || y->shape[0] != rows) {
        sk_fail(ctx, est, "_y", "doesn't have the %" PRId64 " rows fitted", rows);
        return false;
    }
    if (o->many) o->count = y->rank == 2 ? (size_t)y->shape[1] : 1;
    if (uc_tensor_count(y) != rows * (int64_t)o->count || o->count < 1) {
        sk_fail(ctx, est, "_y", "has more than one column, outputs_2d_ says one");
        return false;
    }
    o->classes = UC_NEW(ctx->arena, const uc_tensor *, o->count);
    o->codes = UC_NEW(ctx->arena, const uc_tensor *, o->count);
    if (!o->classes || !o->codes) return false;
    for (size_t i = 0; i < o->count; i++) {
        const uc_pickle *labels = o->many ? uc_pickle_item(classes, i) : classes;
        o->classes[i] = label_tensor(ctx, est, "classes_", labels);
        if (!o->classes[i]) return false;
        o->codes[i] = code_column(ctx, est, y, i, o->count, o->classes[i]->shape[0]);
        if (!o->codes[i]) return false;
    }
    return true;
}

/* Label vectors of the outputs as scikit-learn gives them: one vector, or a matrix. */
static uncork_status return_labels(sk_ctx *ctx, const outputs *o, const uc_ref *labels,
                                   sk_result *out)
{
    uncork_dtype dtype = o->classes[0]->dtype;
    if (!o->many) return sk_return(ctx, out, labels[0], dtype, 0);
    uc_ref *parts = UC_NEW(ctx->arena, uc_ref, o->count);
    if (!parts) return sk_status(ctx);
    for (size_t i = 0; i < o->count; i++) {
        uc_ref label = labels[i];
        if (o->classes[i]->dtype != dtype) label = uc_g_cast(ctx->graph, label, dtype);
        parts[i] = uc_g_unsqueeze(ctx->graph, label, 1);
    }
    uc_ref matrix = o->count == 1 ? parts[0] : uc_g_concat(ctx->graph, parts, o->count, 1);
    return sk_return(ctx, out, matrix, dtype, (int64_t)o->count);
}

static uncork_status return_many(sk_ctx *ctx, uc_ref *refs, size_t count, uncork_dtype dtype,
                                 int64_t width, sk_result *out)
{
    *out = (sk_result){.out = refs, .count = count, .dtype = dtype, .width = width};
    return sk_status(ctx);
}

/* 'uniform' (also None) or 'distance'; a function is refused by name. */
static bool by_distance(sk_ctx *ctx, const sk_est *est)
{
    const uc_pickle *weights = sk_attr(est, "weights");
    if (!weights || weights->kind == UC_PICKLE_NONE || uc_pickle_is_text(weights, "uniform")) {
        return false;
    }
    if (uc_pickle_is_text(weights, "distance")) return true;
    if (weights->kind == UC_PICKLE_SYMBOL || weights->kind == UC_PICKLE_OBJECT) {
        sk_unsupported(ctx, est, "weights is the Python function %.*s.%.*s",
                       (int)weights->module.size, weights->module.data, (int)weights->text.size,
                       weights->text.data);
    } else {
        sk_fail(ctx, est, "weights", "is neither 'uniform' nor 'distance'");
    }
    return false;
}

static uncork_status return_kneighbors(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                                       sk_result *out)
{
    sk_space s;
    if (!sk_space_read(ctx, est, &s)) return sk_status(ctx);
    int64_t k = sk_neighbor_count(ctx, est, "n_neighbors_|n_neighbors", &s);
    uc_ref *refs = UC_NEW(ctx->arena, uc_ref, 2);
    if (!refs) return sk_status(ctx);
    sk_nearest(ctx, &s, sk_x(ctx, est, in, s.width), k, &refs[0], &refs[1]);
    /* brute force until 1.1 measured float32 in float32 */
    bool narrow = est->version < 102 && !s.order && sk_fed_f32(in) && sk_is_f32(ctx, est, "_fit_X");
    uncork_dtype dtype = narrow ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
    if (narrow) refs[0] = uc_g_cast(ctx->graph, refs[0], dtype);
    return return_many(ctx, refs, 2, dtype, k, out);
}

/* ---- k neighbours --------------------------------------------------------------------------- */

uncork_status sk_do_kneighbors_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                          const sk_data *in, sk_result *out)
{
    if (method == SK_KNEIGHBORS) return return_kneighbors(ctx, est, in, out);
    sk_space s;
    outputs o;
    if (!sk_space_read(ctx, est, &s) || !read_outputs(ctx, est, s.row_count, &o)) {
        return sk_status(ctx);
    }
    int64_t k = sk_neighbor_count(ctx, est, "n_neighbors", &s);
    bool weighted = by_distance(ctx, est);
    uc_ref distances, indices;
    sk_nearest(ctx, &s, sk_x(ctx, est, in, s.width), k, &distances, &indices);
    uc_ref *refs = UC_NEW(ctx->arena, uc_ref, o.count);
    if (!refs) return sk_status(ctx);
    for (size_t i = 0; i < o.count; i++) {
        uc_ref vote[3] = {indices, sk_const(ctx, o.codes[i]), distances};
        uc_node *n = uc_graph_node(ctx->graph, "uncork.NeighborVote", vote, weighted ? 3 : 2, 2);
        uc_node_int(ctx->graph, n, "classes", o.classes[i]->shape[0]);
        refs[i] = method == SK_PREDICT ? sk_take_labels(ctx, o.classes[i], uc_node_out(n, 0))
                                       : uc_node_out(n, 1);
    }
    if (method == SK_PREDICT) return return_labels(ctx, &o, refs, out);
    return return_many(ctx, refs, o.count, UNCORK_FLOAT64, o.classes[0]->shape[0], out);
}

/* Targets as a matrix; *vector tells whether the answer loses its column. */
static const uc_tensor *read_targets(sk_ctx *ctx, const sk_est *est, int64_t rows, bool *vector)
{
    const uc_tensor *y = sk_f64(ctx, est, "_y", -1);
    if (!y) return NULL;
    *vector = y->rank == 1;
    if (y->rank < 1 || y->rank > 2 || y->shape[0] != rows) {
        sk_fail(ctx, est, "_y", "doesn't have the %" PRId64 " rows fitted", rows);
        return NULL;
    }
    int64_t shape[2] = {rows, y->rank == 2 ? y->shape[1] : 1};
    uc_tensor *view = UC_NEW(ctx->arena, uc_tensor, 1);
    if (view) *view = uc_tensor_reshaped(y, 2, shape);
    return view;
}

/* narrow: the plain mean of float32 targets is float32. */
static uncork_status return_targets(sk_ctx *ctx, uc_ref matrix, const uc_tensor *y, bool vector,
                                    bool narrow, sk_result *out)
{
    uncork_dtype dtype = narrow ? UNCORK_FLOAT32 : UNCORK_FLOAT64;
    if (vector) matrix = uc_g_squeeze(ctx->graph, matrix, 1);
    if (narrow) matrix = uc_g_cast(ctx->graph, matrix, dtype);
    return sk_return(ctx, out, matrix, dtype, vector ? 0 : y->shape[1]);
}

uncork_status sk_do_kneighbors_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                         const sk_data *in, sk_result *out)
{
    if (method == SK_KNEIGHBORS) return return_kneighbors(ctx, est, in, out);
    sk_space s;
    bool vector = false;
    if (!sk_space_read(ctx, est, &s)) return sk_status(ctx);
    const uc_tensor *y = read_targets(ctx, est, s.row_count, &vector);
    int64_t k = sk_neighbor_count(ctx, est, "n_neighbors", &s);
    bool weighted = by_distance(ctx, est);
    if (!y || sk_status(ctx) != UNCORK_OK) return sk_status(ctx);
    uc_ref distances, indices;
    sk_nearest(ctx, &s, sk_x(ctx, est, in, s.width), k, &distances, &indices);
    uc_ref pick[3] = {indices, sk_const(ctx, y), distances};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.NeighborMean", pick, weighted ? 3 : 2, 1);
    bool narrow = !weighted && sk_is_f32(ctx, est, "_y");
    return return_targets(ctx, uc_node_out(n, 0), y, vector, narrow, out);
}

uncork_status sk_do_nearest_neighbors(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    (void)method;
    return return_kneighbors(ctx, est, in, out);
}

/* The sparse graph of KNeighborsTransformer as a dense matrix: zeros where it holds nothing. */
uncork_status sk_do_kneighbors_transformer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                           const sk_data *in, sk_result *out)
{
    if (method == SK_KNEIGHBORS) return return_kneighbors(ctx, est, in, out);
    sk_space s;
    if (!sk_space_read(ctx, est, &s)) return sk_status(ctx);
    bool distance = sk_str_is(est, "mode", "distance");
    int64_t k = sk_neighbor_count(ctx, est, "n_neighbors", &s) + distance;
    if (k > s.row_count) return sk_fail(ctx, est, "n_neighbors", "needs %" PRId64 " rows", k);
    uc_ref x = sk_x(ctx, est, in, s.width), distances, indices;
    sk_nearest(ctx, &s, x, k, &distances, &indices);
    uc_graph *g = ctx->graph;
    uc_ref ones =
        uc_g2(g, "Add", uc_g2(g, "Mul", distances, uc_graph_f64(g, 0)), uc_graph_f64(g, 1));
    uc_ref in3[3] = {sk_fill(ctx, x, 0, s.row_count), indices, distance ? distances : ones};
    uc_node *n = uc_graph_node(g, "ScatterElements", in3, 3, 1);
    uc_node_int(g, n, "axis", 1);
    return sk_return(ctx, out, uc_node_out(n, 0), UNCORK_FLOAT64, s.row_count);
}

uncork_status sk_do_lsh_forest(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                               sk_result *out)
{
    (void)method;
    (void)in;
    (void)out;
    return sk_unsupported(ctx, est,
                          "approximate neighbours by random hash trees (deprecated in 0.19)");
}

/* ---- radius --------------------------------------------------------------------------------- */

uncork_status sk_do_radius_transformer(sk_ctx *ctx, const sk_est *est, sk_method method,
                                       const sk_data *in, sk_result *out)
{
    (void)method;
    sk_space s;
    if (!sk_space_read(ctx, est, &s)) return sk_status(ctx);
    const char *weights = sk_str_is(est, "mode", "distance") ? "value" : "uniform";
    double radius = sk_number(ctx, est, "radius", 1.0);
    uc_ref w = sk_within(ctx, &s, sk_x(ctx, est, in, s.width), radius, weights, false, NULL);
    return sk_return(ctx, out, w, UNCORK_FLOAT64, s.row_count);
}

static const uc_tensor *one_hot(sk_ctx *ctx, const uc_tensor *codes, int64_t classes)
{
    int64_t shape[2] = {codes->shape[0], classes};
    uc_tensor *t = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    for (int64_t i = 0; t && i < shape[0]; i++) {
        ((double *)t->data)[i * classes + ((const int64_t *)codes->data)[i]] = 1.0;
    }
    return t;
}

/* The label of rows without neighbours: its place among the classes (their count when it is none of
 * them), and the classes with it at the end. */
typedef struct outlier {
    int64_t place;
    const uc_tensor *labels; /* classes and the label */
} outlier;

static bool same_label(const uc_tensor *classes, int64_t i, const uc_tensor *label)
{
    if (classes->dtype == UNCORK_STRING) {
        return label->dtype == UNCORK_STRING &&
               uc_str_equal(uc_tensor_string(classes, i), uc_tensor_string(label, 0));
    }
    return label->dtype != UNCORK_STRING && uc_dtype_load_f64(classes->data, i, classes->dtype) ==
                                                uc_dtype_load_f64(label->data, 0, label->dtype);
}

static const uc_tensor *with_label(sk_ctx *ctx, const uc_tensor *classes, const uc_tensor *label)
{
    int64_t n = classes->shape[0], shape = n + 1;
    if (classes->dtype == UNCORK_STRING) {
        uc_str *all = UC_NEW(ctx->arena, uc_str, shape);
        for (int64_t i = 0; all && i < n; i++) {
            all[i] = uc_tensor_string(classes, i);
        }
        if (all && label->dtype == UNCORK_STRING) all[n] = uc_tensor_string(label, 0);
        return all ? uc_tensor_strings(ctx->arena, all, 1, &shape) : NULL;
    }
    uc_tensor *t = uc_tensor_new(ctx->arena, classes->dtype, 1, &shape);
    size_t size = uc_dtype_size(classes->dtype);
    if (!t) return NULL;
    memcpy(t->data, classes->data, (size_t)n * size);
    if (label->dtype != UNCORK_STRING) {
        uc_dtype_convert((char *)t->data + (size_t)n * size, classes->dtype, label->data,
                         label->dtype, 1);
    }
    return t;
}

/* Characters of UTF-8, `most` at most; *size: the bytes they take. */
static size_t characters(uc_str text, size_t most, size_t *size)
{
    size_t at = 0, count = 0;
    for (; at < text.size && count < most; count++) {
        (void)uc_utf8_next(text, &at);
    }
    if (size) *size = at;
    return count;
}

/* Until 0.21 the label was put into an array of the classes' fixed width: what is longer was cut. */
static void cut_label(sk_ctx *ctx, const uc_tensor *classes, uc_tensor *label)
{
    if (classes->dtype != UNCORK_STRING || label->dtype != UNCORK_STRING) return;
    size_t longest = 0;
    for (int64_t i = 0; i < classes->shape[0]; i++) {
        size_t count = characters(uc_tensor_string(classes, i), SIZE_MAX, NULL);
        longest = count > longest ? count : longest;
    }
    uc_str text = uc_tensor_string(label, 0);
    (void)characters(text, longest, &text.size);
    const uc_tensor *cut = uc_tensor_strings(ctx->arena, &text, 0, NULL);
    if (cut) *label = *cut;
}

static bool read_outlier(sk_ctx *ctx, const sk_est *est, const outputs *o, size_t i, outlier *out)
{
    *out = (outlier){.place = -1, .labels = o->classes[i]};
    const uc_pickle *value = sk_attr(est, "outlier_label_|outlier_label");
    if (!value || value->kind == UC_PICKLE_NONE) return true;
    bool list = value->kind == UC_PICKLE_LIST || value->kind == UC_PICKLE_TUPLE ||
                value->kind == UC_PICKLE_ARRAY || value->kind == UC_PICKLE_OBJECTS;
    const uc_tensor *label = uc_pickle_tensor(value, ctx->arena, NULL);
    int64_t at = list ? (int64_t)i : 0, count = o->classes[i]->shape[0];
    if (!label || uc_tensor_count(label) <= at) {
        sk_fail(ctx, est, "outlier_label_|outlier_label", "holds no label for output %zu", i);
        return false;
    }
    uc_tensor *one = UC_NEW(ctx->arena, uc_tensor, 1);
    if (!one) return false;
    *one = *label;
    if (label->dtype == UNCORK_STRING) {
        one->strings.offsets += at;
    } else {
        one->data = (char *)label->data + (size_t)at * uc_dtype_size(label->dtype);
    }
    if (est->version < 22 && sk_attr(est, "classes_")->kind == UC_PICKLE_ARRAY) {
        cut_label(ctx, o->classes[i], one);
    }
    out->place = count;
    for (int64_t c = 0; c < count; c++) {
        if (same_label(o->classes[i], c, one)) out->place = c;
    }
    out->labels = with_label(ctx, o->classes[i], one);
    return out->labels != NULL;
}

/* RadiusNeighborsClassMode (1.4+: brute force, one output, uniform) compares the label itself with
 * the encoded classes 0..n-1: only a label that is such a number gets the outliers' probability. */
static int64_t class_mode_place(const outlier *lost, int64_t count)
{
    const uc_tensor *t = lost->labels;
    if (lost->place < 0 || t->dtype != UNCORK_INT64) return count;
    int64_t label = ((const int64_t *)t->data)[count];
    return label >= 0 && label < count ? label : count;
}

static bool uses_class_mode(const sk_est *est, const sk_space *s, const outputs *o, bool weighted)
{
    return est->version >= 104 && !weighted && !o->many && !strcmp(s->ties, "heap") &&
           strcmp(s->metric, "euclidean") != 0 && strcmp(s->metric, "l2") != 0 &&
           strcmp(s->metric, "sqeuclidean") != 0;
}

/* Votes [n, classes] to probabilities; rows without a neighbour get the outlier's. */
static uc_ref radius_proba(sk_ctx *ctx, uc_ref votes, int64_t place, int64_t count)
{
    uc_graph *g = ctx->graph;
    int64_t shape[2] = {1, count};
    uc_tensor *lost = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    if (!lost) return 0;
    if (place >= 0 && place < count) ((double *)lost->data)[place] = 1.0;
    uc_ref total = uc_g_reduce(g, "ReduceSum", votes, 1, true);
    uc_ref none = uc_g2(g, "Equal", total, uc_graph_f64(g, 0));
    uc_ref divisor = uc_g_where(g, none, uc_graph_f64(g, 1), total);
    return uc_g_where(g, none, sk_const(ctx, lost), uc_g2(g, "Div", votes, divisor));
}

uncork_status sk_do_radius_classifier(sk_ctx *ctx, const sk_est *est, sk_method method,
                                      const sk_data *in, sk_result *out)
{
    sk_space s;
    outputs o;
    uc_graph *g = ctx->graph;
    if (method != SK_PREDICT && est->version < 22) {
        return sk_unsupported(ctx, est, "has no predict_proba before scikit-learn 0.22");
    }
    if (!sk_space_read(ctx, est, &s) || !read_outputs(ctx, est, s.row_count, &o)) {
        return sk_status(ctx);
    }
    bool weighted = by_distance(ctx, est), refuse = !sk_has(est, "outlier_label_|outlier_label");
    double radius = sk_number(ctx, est, "radius", 1.0);
    uc_ref x = sk_x(ctx, est, in, s.width);
    uc_ref *refs = UC_NEW(ctx->arena, uc_ref, o.count);
    for (size_t i = 0; refs && i < o.count; i++) {
        outlier lost;
        if (!read_outlier(ctx, est, &o, i, &lost)) return sk_status(ctx);
        int64_t count = o.classes[i]->shape[0];
        uc_ref votes = sk_within(ctx, &s, x, radius, weighted ? "distance" : "uniform", refuse,
                                 one_hot(ctx, o.codes[i], count));
        if (method != SK_PREDICT) {
            bool class_mode = uses_class_mode(est, &s, &o, weighted);
            refs[i] = radius_proba(ctx, votes,
                                   class_mode ? class_mode_place(&lost, count) : lost.place, count);
            continue;
        }
        uc_ref none =
            uc_g2(g, "Equal", uc_g_reduce(g, "ReduceSum", votes, 1, false), uc_graph_f64(g, 0));
        uc_ref best = uc_g_argmax(g, votes, 1, false);
        if (!refuse) best = uc_g_where(g, none, uc_graph_i64(g, count), best);
        refs[i] = sk_take_labels(ctx, lost.labels, best);
    }
    if (!refs) return sk_status(ctx);
    if (method == SK_PREDICT) return return_labels(ctx, &o, refs, out);
    return return_many(ctx, refs, o.count, UNCORK_FLOAT64, o.classes[0]->shape[0], out);
}

static const uc_tensor *with_ones(sk_ctx *ctx, const uc_tensor *y)
{
    int64_t shape[2] = {y->shape[0], y->shape[1] + 1};
    uc_tensor *t = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    for (int64_t i = 0; t && i < shape[0] * shape[1]; i++) {
        int64_t row = i / shape[1], column = i % shape[1];
        bool one = column == y->shape[1];
        ((double *)t->data)[i] = one ? 1.0 : uc_tensor_doubles(y)[row * y->shape[1] + column];
    }
    return t;
}

/* Rows without a neighbour come out as NaN, 0/0, as scikit-learn's empty mean does. */
uncork_status sk_do_radius_regressor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    (void)method;
    sk_space s;
    bool vector = false;
    if (!sk_space_read(ctx, est, &s)) return sk_status(ctx);
    const uc_tensor *y = read_targets(ctx, est, s.row_count, &vector);
    if (!y) return sk_status(ctx);
    const char *weights = by_distance(ctx, est) ? "distance" : "uniform";
    double radius = sk_number(ctx, est, "radius", 1.0);
    /* a column of ones beside the targets gives the sum of the weights */
    uc_ref sums =
        sk_within(ctx, &s, sk_x(ctx, est, in, s.width), radius, weights, false, with_ones(ctx, y));
    int64_t count = y->shape[1];
    uc_ref total = sk_columns(ctx, sums, count, count + 1);
    uc_ref mean = uc_g2(ctx->graph, "Div", sk_columns(ctx, sums, 0, count), total);
    return return_targets(ctx, mean, y, vector, false, out);
}

/* ---- nearest centroid ------------------------------------------------------------------------ */

/* Linear discriminant scores of 1.6+: -|(x - c) / s|^2 + 2 ln prior, features of no spread as they
 * are. */
static uc_ref centroid_scores(sk_ctx *ctx, const sk_est *est, uc_ref x, const uc_tensor *centroids,
                              const uc_tensor *prior)
{
    uc_graph *g = ctx->graph;
    int64_t classes = centroids->shape[0], width = centroids->shape[1];
    const uc_tensor *deviation = sk_f64(ctx, est, "within_class_std_dev_", 1);
    if (!sk_shape1(ctx, est, "within_class_std_dev_", deviation, width)) return 0;
    uc_tensor *scale = uc_tensor_f64(ctx->arena, uc_tensor_doubles(deviation), width);
    uc_tensor *scaled = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, centroids->shape);
    if (!scale || !scaled) return 0;
    double *d = scale->data;
    for (int64_t j = 0; j < width; j++) {
        if (d[j] == 0.0) d[j] = 1.0;
        for (int64_t c = 0; c < classes; c++) {
            ((double *)scaled->data)[c * width + j] =
                uc_tensor_doubles(centroids)[c * width + j] / d[j];
        }
    }
    sk_space s = sk_space_of(scaled, "euclidean");
    uc_ref distance = sk_space_distances(ctx, &s, uc_g2(g, "Div", x, sk_const(ctx, scale)));
    uc_ref square = uc_g2(g, "Mul", distance, distance);
    uc_ref log_prior = sk_mul_s(ctx, uc_g1(g, "Log", sk_const(ctx, prior)), 2.0);
    return uc_g2(g, "Sub", log_prior, square);
}

/* numpy.isclose(prior, 1 / classes).all() */
static bool is_uniform(const uc_tensor *prior)
{
    double uniform = 1.0 / (double)prior->shape[0];
    for (int64_t i = 0; i < prior->shape[0]; i++) {
        double off = fabs(uc_tensor_doubles(prior)[i] - uniform);
        if (!(off <= 1e-8 + 1e-5 * uniform)) return false;
    }
    return true;
}

static bool centroid_space(sk_ctx *ctx, const sk_est *est, const uc_tensor *centroids, sk_space *s)
{
    const uc_pickle *metric = sk_attr(est, "metric");
    if (metric && metric->kind != UC_PICKLE_TEXT && metric->kind != UC_PICKLE_BYTES) {
        sk_unsupported(ctx, est, "the metric is a Python function");
        return false;
    }
    uc_str name = sk_str(ctx, est, "metric", "euclidean");
    char *text = uc_arena_copy(ctx->arena, name.data, name.size);
    *s = sk_space_of(centroids, text ? text : "");
    s->scipy = true;
    return sk_status(ctx) == UNCORK_OK;
}

uncork_status sk_do_nearest_centroid(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *centroids = sk_f64(ctx, est, "centroids_", 2), *classes = sk_classes(ctx, est);
    const uc_tensor *prior = sk_f64_or_null(ctx, est, "class_prior_", 1);
    sk_space s;
    if (!centroids || !classes || !centroid_space(ctx, est, centroids, &s)) return sk_status(ctx);
    int64_t count = classes->shape[0];
    if (!sk_shape2(ctx, est, "centroids_", centroids, count, -1)) return sk_status(ctx);
    if (prior && !sk_shape1(ctx, est, "class_prior_", prior, count)) return sk_status(ctx);
    uc_ref x = sk_x(ctx, est, in, centroids->shape[1]);
    if (method == SK_PREDICT && (!prior || is_uniform(prior))) {
        uc_ref label = sk_take_labels(ctx, classes, sk_nearest_one(ctx, &s, x));
        return sk_return(ctx, out, label, classes->dtype, 0);
    }
    if (!prior || strcmp(s.metric, "euclidean") != 0) {
        return sk_unsupported(ctx, est,
                              "has %s only since scikit-learn 1.6, for metric 'euclidean'",
                              sk_method_name(method));
    }
    uc_ref scores = centroid_scores(ctx, est, x, centroids, prior);
    if (method == SK_DECISION_FUNCTION) {
        if (count != 2) return sk_return(ctx, out, scores, UNCORK_FLOAT64, count);
        uc_ref d = uc_g2(g, "Sub", sk_column_at(ctx, scores, 1), sk_column_at(ctx, scores, 0));
        return sk_return(ctx, out, d, UNCORK_FLOAT64, 0);
    }
    if (method == SK_PREDICT) return sk_return_proba(ctx, est, method, classes, scores, out);
    uc_ref log_proba = uc_g2(g, "Sub", scores, sk_logsumexp(ctx, scores));
    if (method == SK_PREDICT_PROBA) log_proba = uc_g1(g, "Exp", log_proba);
    return sk_return(ctx, out, log_proba, UNCORK_FLOAT64, count);
}

/* ---- outlier factor, density, components ------------------------------------------------------ */

/* 1 where the score isn't below 0, else -1, int64. */
static uc_ref inlier_sign(sk_ctx *ctx, uc_ref score)
{
    uc_graph *g = ctx->graph;
    uc_ref below = uc_g2(g, "Less", score, uc_graph_f64(g, 0));
    return uc_g_where(g, below, uc_graph_i64(g, -1), uc_graph_i64(g, 1));
}

uncork_status sk_do_local_outlier_factor(sk_ctx *ctx, const sk_est *est, sk_method method,
                                         const sk_data *in, sk_result *out)
{
    if (method == SK_KNEIGHBORS) return return_kneighbors(ctx, est, in, out);
    if (!sk_bool(ctx, est, "novelty", false)) {
        return sk_unsupported(ctx, est,
                              "was fitted with novelty=False: it only scores the rows "
                              "it was fitted on");
    }
    uc_graph *g = ctx->graph;
    sk_space s;
    if (!sk_space_read(ctx, est, &s)) return sk_status(ctx);
    int64_t k = sk_neighbor_count(ctx, est, "n_neighbors_", &s);
    const uc_tensor *density = sk_f64(ctx, est, "_lrd", 1);
    const uc_tensor *fitted = sk_f64(ctx, est, "_distances_fit_X_", 2);
    if (!sk_shape1(ctx, est, "_lrd", density, s.row_count) ||
        !sk_shape2(ctx, est, "_distances_fit_X_", fitted, s.row_count, k)) {
        return sk_status(ctx);
    }
    uc_ref distances, indices;
    sk_nearest(ctx, &s, sk_x(ctx, est, in, s.width), k, &distances, &indices);
    uc_ref farthest = sk_column_at(ctx, sk_const(ctx, fitted), k - 1);
    uc_ref reach = uc_g2(g, "Max", distances, uc_g_gather(g, farthest, indices, 0));
    uc_ref own =
        uc_g1(g, "Reciprocal", sk_add_s(ctx, uc_g_reduce(g, "ReduceMean", reach, 1, true), 1e-10));
    uc_ref ratio = uc_g2(g, "Div", uc_g_gather(g, sk_const(ctx, density), indices, 0), own);
    uc_ref score = uc_g1(g, "Neg", uc_g_reduce(g, "ReduceMean", ratio, 1, false));
    if (method != SK_SCORE_SAMPLES) {
        score = uc_g2(g, "Sub", score, uc_graph_f64(g, sk_number(ctx, est, "offset_", -1.5)));
    }
    if (method == SK_PREDICT) return sk_return(ctx, out, inlier_sign(ctx, score), UNCORK_INT64, 0);
    return sk_return(ctx, out, score, UNCORK_FLOAT64, 0);
}

uncork_status sk_do_kernel_density(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    (void)method;
    uc_graph *g = ctx->graph;
    sk_space s;
    if (!sk_space_read_tree(ctx, est, "tree_", &s)) return sk_status(ctx);
    double bandwidth = sk_number(ctx, est, "bandwidth_|bandwidth", 1.0);
    if (!(bandwidth > 0 && bandwidth < (double)INFINITY)) {
        return sk_fail(ctx, est, "bandwidth_|bandwidth", "is %g, it must be positive", bandwidth);
    }
    const uc_pickle *weights = uc_pickle_item(sk_attr(est, "tree_")->state, 12);
    uc_ref w = 0;
    if (weights && weights->kind != UC_PICKLE_NONE) {
        const uc_tensor *t = uc_pickle_tensor(weights, ctx->arena, ctx->error);
        if (t && t->dtype != UNCORK_FLOAT64) t = uc_tensor_cast(ctx->arena, t, UNCORK_FLOAT64);
        if (!t || t->rank != 1 || t->shape[0] != s.row_count) {
            return sk_fail(ctx, est, "tree_", "has weights for other than its %" PRId64 " rows",
                           s.row_count);
        }
        w = sk_const(ctx, t);
    }
    uc_str kernel = sk_str(ctx, est, "kernel", "gaussian");
    uc_ref pair[2] = {sk_space_distances(ctx, &s, sk_x(ctx, est, in, s.width)), w};
    uc_node *n = uc_graph_node(g, "uncork.KernelDensity", pair, w ? 2 : 1, 1);
    char *name = uc_arena_copy(ctx->arena, kernel.data, kernel.size);
    uc_node_str(g, n, "kernel", name ? name : "");
    uc_node_float(g, n, "bandwidth", bandwidth);
    uc_node_int(g, n, "width", s.width);
    return sk_return(ctx, out, uc_node_out(n, 0), UNCORK_FLOAT64, 0);
}

uncork_status sk_do_components_transform(sk_ctx *ctx, const sk_est *est, sk_method method,
                                         const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_tensor *components = sk_f64(ctx, est, "components_", 2);
    if (!components) return sk_status(ctx);
    uc_ref x = sk_x(ctx, est, in, components->shape[1]);
    return sk_return(ctx, out, sk_matmul(ctx, x, components, true), UNCORK_FLOAT64,
                     components->shape[0]);
}
