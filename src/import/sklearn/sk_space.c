/* Rows with a metric: reads what nearest-neighbour estimators were fitted on, a plain matrix or a
 * tree, and makes the nodes that search it.
 * Sources: sklearn/neighbors/_base.py, binary_tree.pxi (__getstate__), metrics/_dist_metrics.pyx. */
#include "import/sklearn/sk_neighbors.h"

#include <inttypes.h>
#include <math.h>

/* DistanceMetric classes; from 1.3 on their names end in 64 or 32. */
static const struct {
    const char *class_name, *metric;
} metric_classes[] = {
    {"EuclideanDistance", "euclidean"},
    {"SEuclideanDistance", "seuclidean"},
    {"ManhattanDistance", "manhattan"},
    {"ChebyshevDistance", "chebyshev"},
    {"MinkowskiDistance", "minkowski"},
    {"WMinkowskiDistance", "wminkowski"},
    {"MahalanobisDistance", "mahalanobis"},
    {"HammingDistance", "hamming"},
    {"CanberraDistance", "canberra"},
    {"BrayCurtisDistance", "braycurtis"},
    {"JaccardDistance", "jaccard"},
    {"MatchingDistance", "matching"},
    {"DiceDistance", "dice"},
    {"KulsinskiDistance", "kulsinski"},
    {"RogersTanimotoDistance", "rogerstanimoto"},
    {"RussellRaoDistance", "russellrao"},
    {"SokalMichenerDistance", "sokalmichener"},
    {"SokalSneathDistance", "sokalsneath"},
    {"HaversineDistance", "haversine"},
};

/* Names of metrics in brute force; those of ArgKmin (1.1+) give ties its order. */
static const struct {
    const char *name;
    bool argkmin;
} brute_metrics[] = {
    {"euclidean", true},
    {"l2", true},
    {"sqeuclidean", true},
    {"manhattan", true},
    {"l1", true},
    {"cityblock", true},
    {"chebyshev", true},
    {"infinity", true},
    {"minkowski", true},
    {"p", true},
    {"wminkowski", true},
    {"seuclidean", true},
    {"canberra", true},
    {"braycurtis", true},
    {"haversine", true},
    {"mahalanobis", false},
    {"hamming", false},
    {"cosine", false},
    {"correlation", false},
    {"jaccard", false},
    {"dice", false},
    {"matching", false},
    {"kulsinski", false},
    {"rogerstanimoto", false},
    {"russellrao", false},
    {"yule", false},
    {"sokalmichener", false},
    {"sokalsneath", false},
    {"nan_euclidean", false},
};

static const char *metric_of_class(uc_str class_name)
{
    for (size_t i = 0; i < sizeof metric_classes / sizeof *metric_classes; i++) {
        size_t n = strlen(metric_classes[i].class_name);
        bool same =
            class_name.size >= n && !memcmp(class_name.data, metric_classes[i].class_name, n);
        uc_str rest = {class_name.data + n, same ? class_name.size - n : 0};
        if (same && (rest.size == 0 || uc_str_is(rest, "64") || uc_str_is(rest, "32"))) {
            return metric_classes[i].metric;
        }
    }
    return NULL;
}

static const uc_tensor *as(sk_ctx *ctx, const uc_pickle *value, uncork_dtype dtype, int rank)
{
    const uc_tensor *t = value ? uc_pickle_tensor(value, ctx->arena, ctx->error) : NULL;
    if (t) t = uc_tensor_dense(ctx->arena, t);
    if (!t || t->rank != rank || t->dtype == UNCORK_STRING) return NULL;
    return t->dtype == dtype ? t : uc_tensor_cast(ctx->arena, t, dtype);
}

/* Scalars and vectors in a params dict: vector of any length, NULL when absent or None. */
static const uc_tensor *param(sk_ctx *ctx, const uc_pickle *params, const char *key, int rank)
{
    const uc_pickle *value = uc_pickle_get(params, key);
    return value && value->kind != UC_PICKLE_NONE ? as(ctx, value, UNCORK_FLOAT64, rank) : NULL;
}

/* What the metric needs must be there and as wide as the rows. */
static bool check_metric(sk_ctx *ctx, const sk_est *est, const char *attribute, sk_space *s)
{
    bool matrix = !strcmp(s->metric, "mahalanobis"), spread = !strcmp(s->metric, "seuclidean");
    bool powers = !strcmp(s->metric, "minkowski") || !strcmp(s->metric, "p");
    bool weighted = !strcmp(s->metric, "wminkowski");
    if ((matrix || spread || weighted) && !s->parameter) {
        sk_unsupported(ctx, est,
                       "metric '%s' was fitted without %s: scikit-learn derives it from "
                       "the rows it is asked about",
                       s->metric,
                       matrix   ? "VI"
                       : spread ? "V"
                                : "w");
        return false;
    }
    if (!matrix && !spread && !weighted && !powers) s->parameter = NULL;
    if (s->parameter) {
        int64_t shape[2] = {s->width, s->width};
        if (!sk_shape_is(ctx, est, attribute, s->parameter, matrix ? 2 : 1, shape)) return false;
    }
    if ((powers || weighted) && !(s->p > 0 && s->p < (double)INFINITY)) {
        sk_fail(ctx, est, attribute, "p is %g, it must be positive and finite", s->p);
        return false;
    }
    if (!strcmp(s->metric, "haversine") && s->width != 2) {
        sk_fail(ctx, est, attribute, "haversine takes 2 features, the rows have %" PRId64,
                s->width);
        return false;
    }
    return true;
}

/* A DistanceMetric object: its class, and its state (p, vec, mat, ...). */
static bool read_metric_object(sk_ctx *ctx, const sk_est *est, const char *attribute,
                               const uc_pickle *metric, sk_space *s)
{
    if (!metric || metric->kind != UC_PICKLE_OBJECT) {
        sk_fail(ctx, est, attribute, "holds no distance metric");
        return false;
    }
    /* newObj(EuclideanDistance) keeps the class in its arguments. */
    uc_str name = metric->text;
    const uc_pickle *first = uc_pickle_item(metric->args, 0);
    if (first && first->kind == UC_PICKLE_SYMBOL) name = first->text;
    s->metric = metric_of_class(name);
    if (!s->metric) {
        sk_unsupported(ctx, est, "the metric %.*s is a Python function", (int)name.size, name.data);
        return false;
    }
    double p = 2;
    const uc_pickle *state = metric->state;
    if (uc_pickle_item(state, 0)) uc_pickle_f64(uc_pickle_item(state, 0), &p);
    s->p = p;
    const uc_tensor *vec = as(ctx, uc_pickle_item(state, 1), UNCORK_FLOAT64, 1);
    const uc_tensor *mat = as(ctx, uc_pickle_item(state, 2), UNCORK_FLOAT64, 2);
    /* Without weights the vector is empty (1.1+) or a place holder, one zero. */
    bool weights =
        vec && vec->shape[0] == s->width && (s->width > 1 || uc_tensor_doubles(vec)[0] > 0);
    bool vector = !strcmp(s->metric, "seuclidean") || !strcmp(s->metric, "wminkowski") ||
                  (!strcmp(s->metric, "minkowski") && weights);
    s->parameter = !strcmp(s->metric, "mahalanobis") ? mat : vector ? vec : NULL;
    return check_metric(ctx, est, attribute, s);
}

/* node_data: records (idx_start, idx_end, is_leaf, radius) -> [nodes, 3] and [nodes]. */
static bool read_nodes(sk_ctx *ctx, const sk_est *est, const char *attribute,
                       const uc_pickle *records, sk_space *s)
{
    static const char *const names[3] = {"idx_start", "idx_end", "is_leaf"};
    const uc_tensor *fields[3] = {0}, *radius = NULL;
    size_t count = records && records->kind == UC_PICKLE_RECORDS ? records->field_count : 0;
    for (size_t f = 0; f < count; f++) {
        for (int i = 0; i < 3; i++) {
            if (uc_str_is(records->field_names[f], names[i])) fields[i] = records->field_tensors[f];
        }
        if (uc_str_is(records->field_names[f], "radius")) radius = records->field_tensors[f];
    }
    bool flat = radius && radius->dtype == UNCORK_FLOAT64 && radius->rank == 1;
    for (int i = 0; i < 3; i++) {
        flat = flat && fields[i] && fields[i]->rank == 1 &&
               fields[i]->shape[0] == radius->shape[0] && fields[i]->dtype != UNCORK_STRING;
    }
    if (!flat) {
        sk_fail(ctx, est, attribute, "has no idx_start, idx_end, is_leaf and radius");
        return false;
    }
    int64_t n = fields[0]->shape[0], shape[2] = {n, 3};
    uc_tensor *nodes = uc_tensor_new(ctx->arena, UNCORK_INT64, 2, shape);
    if (!nodes) return false;
    for (int i = 0; i < 3; i++) {
        for (int64_t r = 0; r < n; r++) {
            ((int64_t *)nodes->data)[r * 3 + i] =
                uc_dtype_load_i64(fields[i]->data, r, fields[i]->dtype);
        }
    }
    s->nodes = nodes;
    s->radius = radius;
    return true;
}

bool sk_space_read_tree(sk_ctx *ctx, const sk_est *est, const char *names, sk_space *s)
{
    *s = (sk_space){.ties = "tree", .p = 2, .intro_sort = est->version >= 109};
    if (sk_status(ctx) != UNCORK_OK) return false;
    const uc_pickle *tree = sk_attr(est, names);
    const uc_pickle *state = tree && tree->kind == UC_PICKLE_OBJECT ? tree->state : NULL;
    if (!state || state->kind != UC_PICKLE_TUPLE || state->count < 12) {
        sk_fail(ctx, est, names, "is no KDTree or BallTree");
        return false;
    }
    const uc_tensor *bounds = as(ctx, uc_pickle_item(state, 3), UNCORK_FLOAT64, 3);
    s->rows = as(ctx, uc_pickle_item(state, 0), UNCORK_FLOAT64, 2);
    s->order = as(ctx, uc_pickle_item(state, 1), UNCORK_INT64, 1);
    if (!s->rows || !s->order || !bounds || s->rows->shape[0] < 1 || s->rows->shape[1] < 1) {
        sk_fail(ctx, est, names, "lacks its data, idx_array or node_bounds");
        return false;
    }
    s->row_count = s->rows->shape[0];
    s->width = s->rows->shape[1];
    if (!read_nodes(ctx, est, names, uc_pickle_item(state, 2), s)) return false;
    int64_t kd[3] = {2, s->nodes->shape[0], s->width}, ball[3] = {1, s->nodes->shape[0], s->width};
    bool is_kd = bounds->shape[0] == 2;
    if (!sk_shape_is(ctx, est, names, bounds, 3, is_kd ? kd : ball)) return false;
    if (!is_kd) { /* the centres: [nodes, width] */
        uc_tensor *view = UC_NEW(ctx->arena, uc_tensor, 1);
        if (!view) return false;
        *view = uc_tensor_reshaped(bounds, 2, ball + 1);
        bounds = view;
    }
    s->bounds = bounds;
    if (is_kd) s->radius = NULL;
    return read_metric_object(ctx, est, names, uc_pickle_item(state, 11), s);
}

static bool read_brute_metric(sk_ctx *ctx, const sk_est *est, sk_space *s)
{
    static const char attribute[] = "effective_metric_";
    const uc_pickle *value = sk_attr(est, attribute);
    const uc_pickle *params = sk_attr(est, "effective_metric_params_");
    if (value && value->kind == UC_PICKLE_OBJECT) {
        return read_metric_object(ctx, est, attribute, value, s);
    }
    if (value && value->kind == UC_PICKLE_SYMBOL) {
        sk_unsupported(ctx, est, "the metric %.*s.%.*s is a Python function",
                       (int)value->module.size, value->module.data, (int)value->text.size,
                       value->text.data);
        return false;
    }
    uc_str name = sk_str(ctx, est, attribute, "euclidean");
    for (size_t i = 0; i < sizeof brute_metrics / sizeof *brute_metrics; i++) {
        if (!uc_str_is(name, brute_metrics[i].name)) continue;
        s->metric = brute_metrics[i].name;
        bool argkmin = brute_metrics[i].argkmin && est->version >= 101;
        s->ties = argkmin ? "heap" : "partition";
        s->scipy = !argkmin;
        break;
    }
    if (!s->metric) {
        sk_unsupported(ctx, est, "metric '%.*s'", (int)name.size, name.data);
        return false;
    }
    if (uc_pickle_get(params, "p")) uc_pickle_f64(uc_pickle_get(params, "p"), &s->p);
    s->parameter = !strcmp(s->metric, "mahalanobis")  ? param(ctx, params, "VI", 2)
                   : !strcmp(s->metric, "seuclidean") ? param(ctx, params, "V", 1)
                                                      : param(ctx, params, "w", 1);
    /* SciPy before 1.0 took a w with minkowski and left it unused. */
    if (est->version <= 18 && !strcmp(s->metric, "minkowski")) s->parameter = NULL;
    return check_metric(ctx, est, attribute, s);
}

bool sk_space_read(sk_ctx *ctx, const sk_est *est, sk_space *s)
{
    if (sk_status(ctx) != UNCORK_OK) return false;
    if (sk_has(est, "_tree")) return sk_space_read_tree(ctx, est, "_tree", s);
    *s = (sk_space){.p = 2, .intro_sort = est->version >= 109};
    const uc_tensor *rows = sk_f64(ctx, est, "_fit_X", 2);
    if (!rows) return false;
    s->row_count = rows->shape[0];
    s->width = rows->shape[1];
    if (s->row_count < 1 || s->width < 1) {
        sk_fail(ctx, est, "_fit_X", "is empty");
        return false;
    }
    if (sk_str_is(est, "effective_metric_", "precomputed")) {
        s->metric = "precomputed";
        s->ties = "partition";
        s->width = s->row_count;
        return true;
    }
    s->rows = rows;
    return read_brute_metric(ctx, est, s);
}

sk_space sk_space_of(const uc_tensor *rows, const char *metric)
{
    return (sk_space){.rows = rows,
                      .row_count = rows ? rows->shape[0] : 0,
                      .width = rows ? rows->shape[1] : 0,
                      .metric = metric,
                      .p = 2,
                      .ties = "first"};
}

/* ---- nodes --------------------------------------------------------------------------------- */

static uc_node *search(sk_ctx *ctx, const sk_space *s, const char *op, uc_ref x,
                       const uc_tensor *targets, size_t in_count, size_t out_count)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *fourth = targets ? targets : s->order;
    const uc_tensor *tensors[6] = {s->rows, s->parameter, fourth, s->nodes, s->bounds, s->radius};
    uc_ref in[7] = {x};
    for (size_t i = 1; i < in_count; i++) {
        in[i] = sk_const(ctx, tensors[i - 1]);
    }
    while (in_count > 1 && !in[in_count - 1]) {
        in_count--;
    }
    uc_node *n = uc_graph_node(g, op, in, in_count, out_count);
    uc_node_str(g, n, "metric", s->metric);
    if (!strcmp(s->metric, "minkowski") || !strcmp(s->metric, "p") ||
        !strcmp(s->metric, "wminkowski")) {
        uc_node_float(g, n, "p", s->p);
    }
    if (s->scipy) uc_node_int(g, n, "scipy", 1);
    return n;
}

void sk_nearest(sk_ctx *ctx, const sk_space *s, uc_ref x, int64_t k, uc_ref *distances,
                uc_ref *indices)
{
    *distances = *indices = 0;
    if (sk_status(ctx) != UNCORK_OK) return;
    uc_node *n = search(ctx, s, "uncork.Neighbors", x, NULL, 7, 2);
    uc_node_int(ctx->graph, n, "k", k);
    uc_node_str(ctx->graph, n, "ties", s->ties);
    if (s->intro_sort) uc_node_int(ctx->graph, n, "sort", 1);
    *distances = uc_node_out(n, 0);
    *indices = uc_node_out(n, 1);
}

uc_ref sk_nearest_one(sk_ctx *ctx, const sk_space *s, uc_ref x)
{
    uc_ref distances, indices;
    sk_nearest(ctx, s, x, 1, &distances, &indices);
    return uc_g_squeeze(ctx->graph, indices, 1);
}

uc_ref sk_space_distances(sk_ctx *ctx, const sk_space *s, uc_ref x)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    return uc_node_out(search(ctx, s, "uncork.PairwiseDistance", x, NULL, 3, 1), 0);
}

uc_ref sk_within(sk_ctx *ctx, const sk_space *s, uc_ref x, double radius, const char *weights,
                 bool required, const uc_tensor *targets)
{
    if (sk_status(ctx) != UNCORK_OK) return 0;
    uc_node *n = search(ctx, s, "uncork.RadiusWeights", x, targets, targets ? 4 : 3, 1);
    uc_node_float(ctx->graph, n, "radius", radius);
    uc_node_str(ctx->graph, n, "weights", weights);
    if (required) uc_node_int(ctx->graph, n, "required", 1);
    return uc_node_out(n, 0);
}

int64_t sk_neighbor_count(sk_ctx *ctx, const sk_est *est, const char *names, const sk_space *space)
{
    int64_t k = sk_int(ctx, est, names, 5);
    if (sk_status(ctx) == UNCORK_OK && (k < 1 || k > space->row_count)) {
        sk_fail(ctx, est, names, "is %" PRId64 ", expected 1 to the %" PRId64 " rows fitted", k,
                space->row_count);
        return 1;
    }
    return k;
}
