/* Clusters: the nearest centre, distances to centres, pooled features.
 * Sources: sklearn/cluster/_kmeans.py, _bisect_k_means.py, _mean_shift.py, _affinity_propagation.py,
 * _birch.py, _feature_agglomeration.py and their forerunners without underscore. */
#include "import/sklearn/sk_matrix.h"
#include "import/sklearn/sk_neighbors.h"

#include <inttypes.h>

/* Labels as int32, the type the k-means family has. */
static uncork_status return_int32(sk_ctx *ctx, uc_ref label, sk_result *out)
{
    return sk_return(ctx, out, uc_g_cast(ctx->graph, label, UNCORK_INT32), UNCORK_INT32, 0);
}

static uncork_status return_distances(sk_ctx *ctx, const sk_est *est, const sk_data *in,
                                      const char *attribute, const uc_tensor *centres,
                                      sk_result *out)
{
    sk_space s = sk_space_of(centres, "euclidean");
    uc_ref d = sk_space_distances(ctx, &s, sk_x(ctx, est, in, centres->shape[1]));
    return sk_return_like(ctx, est, in, attribute, d, centres->shape[0], out);
}

/* KMeans, MiniBatchKMeans. Equal distances go to the first centre. */
uncork_status sk_do_kmeans(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                           sk_result *out)
{
    const uc_tensor *centres = sk_matrix(ctx, est, "cluster_centers_");
    if (!centres) return sk_status(ctx);
    if (method == SK_TRANSFORM) {
        return return_distances(ctx, est, in, "cluster_centers_", centres, out);
    }
    sk_space s = sk_space_of(centres, "euclidean");
    return return_int32(ctx, sk_nearest_one(ctx, &s, sk_x(ctx, est, in, s.width)), out);
}

/* ---- BisectingKMeans ------------------------------------------------------------------------ */

typedef struct bisection {
    uc_tensor *centres;  /* f64 [nodes, width] */
    uc_tensor *children; /* i64 [nodes, 2]; -1 -1 a leaf */
    uc_tensor *labels;   /* i64 [nodes] */
    int64_t count, room;
} bisection;

static bool is_node(const uc_pickle *node) { return node && node->kind == UC_PICKLE_OBJECT; }

/* Takes one node in and queues its children (in `queue`, by row). */
static bool add_node(sk_ctx *ctx, const sk_est *est, bisection *b, const uc_pickle **queue,
                     int64_t at)
{
    const uc_pickle *node = queue[at], *left = uc_pickle_attr(node, "left");
    const uc_pickle *right = uc_pickle_attr(node, "right");
    const uc_pickle *centre = uc_pickle_attr(node, "center");
    const uc_tensor *c = centre ? uc_pickle_tensor(centre, ctx->arena, NULL) : NULL;
    int64_t width = b->centres->shape[1];
    if (!c || c->rank != 1 || c->shape[0] != width || c->dtype == UNCORK_STRING) {
        sk_fail(ctx, est, "_bisecting_tree",
                "node %" PRId64 " has no centre of %" PRId64 " features", at, width);
        return false;
    }
    c = uc_tensor_dense(ctx->arena, c);
    if (!c) return false;
    uc_dtype_convert((double *)b->centres->data + at * width, UNCORK_FLOAT64, c->data, c->dtype,
                     width);
    int64_t *children = (int64_t *)b->children->data + 2 * at;
    children[0] = children[1] = -1;
    if (is_node(left) != is_node(right)) {
        sk_fail(ctx, est, "_bisecting_tree", "node %" PRId64 " has one child", at);
        return false;
    }
    if (!is_node(left)) {
        int64_t label = 0;
        if (!uc_pickle_i64(uc_pickle_attr(node, "label"), &label)) {
            sk_fail(ctx, est, "_bisecting_tree", "leaf %" PRId64 " has no label", at);
        }
        ((int64_t *)b->labels->data)[at] = label;
        return sk_status(ctx) == UNCORK_OK;
    }
    if (b->count + 2 > b->room) {
        sk_fail(ctx, est, "_bisecting_tree", "has more than %" PRId64 " nodes", b->room);
        return false;
    }
    children[0] = b->count;
    children[1] = b->count + 1;
    queue[b->count++] = left;
    queue[b->count++] = right;
    return true;
}

/* The tree as arrays, breadth first; with n leaves it has 2n - 1 nodes, so a cycle runs out. */
static bool read_bisection(sk_ctx *ctx, const sk_est *est, const uc_tensor *centres, bisection *b)
{
    b->room = 2 * centres->shape[0] - 1;
    int64_t shape[2] = {b->room, centres->shape[1]}, pairs[2] = {b->room, 2};
    b->centres = uc_tensor_new(ctx->arena, UNCORK_FLOAT64, 2, shape);
    b->children = uc_tensor_new(ctx->arena, UNCORK_INT64, 2, pairs);
    b->labels = uc_tensor_new(ctx->arena, UNCORK_INT64, 1, &b->room);
    const uc_pickle **queue = UC_NEW(ctx->arena, const uc_pickle *, b->room);
    if (!b->centres || !b->children || !b->labels || !queue) return false;
    queue[0] = sk_attr(est, "_bisecting_tree");
    b->count = 1;
    if (!is_node(queue[0])) {
        sk_fail(ctx, est, "_bisecting_tree", "is missing: not fitted?");
        return false;
    }
    for (int64_t i = 0; i < b->count; i++) {
        if (!add_node(ctx, est, b, queue, i)) return false;
    }
    if (b->count != b->room) {
        sk_fail(ctx, est, "_bisecting_tree", "has %" PRId64 " nodes, expected %" PRId64, b->count,
                b->room);
    }
    return sk_status(ctx) == UNCORK_OK;
}

uncork_status sk_do_bisecting_kmeans(sk_ctx *ctx, const sk_est *est, sk_method method,
                                     const sk_data *in, sk_result *out)
{
    uc_graph *g = ctx->graph;
    const uc_tensor *centres = sk_matrix(ctx, est, "cluster_centers_");
    bisection b = {0};
    if (!centres) return sk_status(ctx);
    if (method == SK_TRANSFORM) {
        return return_distances(ctx, est, in, "cluster_centers_", centres, out);
    }
    if (!read_bisection(ctx, est, centres, &b)) return sk_status(ctx);
    uc_ref moved = sk_const(ctx, b.centres);
    const uc_tensor *mean = sk_f64_or_null(ctx, est, "_X_mean", 1);
    if (mean) {
        if (!sk_shape1(ctx, est, "_X_mean", mean, centres->shape[1])) return sk_status(ctx);
        moved = uc_g2(g, "Add", moved, sk_const(ctx, mean));
    }
    uc_ref in4[4] = {sk_x(ctx, est, in, centres->shape[1]), moved, sk_const(ctx, b.children),
                     sk_const(ctx, b.labels)};
    uc_node *n = uc_graph_node(g, "uncork.CentroidTree", in4, 4, 1);
    return return_int32(ctx, uc_node_out(n, 0), out);
}

/* ---- others --------------------------------------------------------------------------------- */

/* MeanShift, AffinityPropagation: int64 labels; without any centre -1. */
uncork_status sk_do_nearest_centre(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_tensor *centres = sk_f64(ctx, est, "cluster_centers_", 2);
    if (!centres) return sk_status(ctx);
    uc_ref x = sk_x(ctx, est, in, centres->shape[1] ? centres->shape[1] : -1);
    if (centres->shape[0] == 0) {
        uc_ref none = uc_g_cast(ctx->graph, sk_fill(ctx, x, -1, 0), UNCORK_INT64);
        return sk_return(ctx, out, none, UNCORK_INT64, 0);
    }
    sk_space s = sk_space_of(centres, "euclidean");
    return sk_return(ctx, out, sk_nearest_one(ctx, &s, x), UNCORK_INT64, 0);
}

uncork_status sk_do_birch(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                          sk_result *out)
{
    const uc_tensor *centres = sk_matrix(ctx, est, "subcluster_centers_");
    if (!centres) return sk_status(ctx);
    if (method == SK_TRANSFORM) {
        return return_distances(ctx, est, in, "subcluster_centers_", centres, out);
    }
    const uc_tensor *labels = sk_i64(ctx, est, "subcluster_labels_", 1);
    if (!sk_shape1(ctx, est, "subcluster_labels_", labels, centres->shape[0]))
        return sk_status(ctx);
    sk_space s = sk_space_of(centres, "euclidean");
    uc_ref nearest = sk_nearest_one(ctx, &s, sk_x(ctx, est, in, s.width));
    return sk_return(ctx, out, sk_take_labels(ctx, labels, nearest), UNCORK_INT64, 0);
}

/* numpy's reductions by the names its versions pickled them under. */
static const char *pooling_name(const uc_pickle *function)
{
    static const char *const names[][2] = {{"mean", "mean"},    {"max", "max"},  {"amax", "max"},
                                           {"min", "min"},      {"amin", "min"}, {"sum", "sum"},
                                           {"median", "median"}};
    if (!function || function->kind != UC_PICKLE_SYMBOL) return NULL;
    uc_str module = function->module;
    if (module.size < 5 || memcmp(module.data, "numpy", 5) != 0) return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (uc_str_is(function->text, names[i][0])) return names[i][1];
    }
    return NULL;
}

uncork_status sk_do_feature_agglomeration(sk_ctx *ctx, const sk_est *est, sk_method method,
                                          const sk_data *in, sk_result *out)
{
    (void)method;
    const uc_tensor *labels = sk_i64(ctx, est, "labels_", 1);
    const uc_pickle *function = sk_attr(est, "pooling_func");
    const char *pool = pooling_name(function);
    if (!labels) return sk_status(ctx);
    if (!pool) {
        bool named = function && function->kind == UC_PICKLE_SYMBOL;
        uc_str name = named ? function->text : uc_str_of("?");
        return sk_unsupported(ctx, est, "pooling_func is the Python function %.*s", (int)name.size,
                              name.data);
    }
    int64_t width = labels->shape[0], count = 0;
    for (int64_t i = 0; i < width; i++) {
        int64_t label = ((const int64_t *)labels->data)[i];
        if (label < 0 || label >= width) {
            return sk_fail(ctx, est, "labels_",
                           "[%" PRId64 "] is %" PRId64 ", of %" PRId64 " features", i, label,
                           width);
        }
        count = label >= count ? label + 1 : count;
    }
    uc_ref pair[2] = {sk_x(ctx, est, in, width), sk_const(ctx, labels)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.PoolColumns", pair, 2, 1);
    uc_node_str(ctx->graph, n, "pool", pool);
    uc_node_int(ctx->graph, n, "groups", count);
    return sk_return(ctx, out, uc_node_out(n, 0), UNCORK_FLOAT64, count);
}

/* Classes that scikit-learn itself can't apply to new rows: they have no method, so this isn't
 * reached. */
uncork_status sk_do_fitted_only(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                                sk_result *out)
{
    (void)in;
    (void)out;
    return sk_unsupported(ctx, est, "has no %s", sk_method_name(method));
}
