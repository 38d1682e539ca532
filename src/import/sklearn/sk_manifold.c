/* Embeddings that place new rows: Isomap, LocallyLinearEmbedding.
 * Sources: sklearn/manifold/_isomap.py, _locally_linear.py and their forerunners. */
#include "import/sklearn/sk_matrix.h"
#include "import/sklearn/sk_neighbors.h"

/* The fitted neighbours inside an embedding. */
static bool read_neighbours(sk_ctx *ctx, const sk_est *est, sk_est *nbrs, sk_space *space)
{
    return sk_object(ctx, est, "nbrs_", nbrs) && sk_space_read(ctx, nbrs, space);
}

/* Ways to every fitted row, by k neighbours or (1.1+) by all within a radius. */
static uc_ref ways_to_all(sk_ctx *ctx, const sk_est *est, const sk_est *nbrs, const sk_space *space,
                          uc_ref x, const uc_tensor *ways)
{
    uc_graph *g = ctx->graph;
    bool by_radius = !sk_has(est, "n_neighbors") && sk_has(est, "radius");
    if (by_radius) {
        double radius = sk_number(ctx, est, "radius", 1.0);
        uc_ref near = sk_within(ctx, space, x, radius, "far", false, NULL);
        return uc_g2(g, "uncork.GeodesicDistances", near, sk_const(ctx, ways));
    }
    uc_ref distances, indices;
    int64_t k = sk_neighbor_count(ctx, nbrs, "n_neighbors", space);
    sk_nearest(ctx, space, x, k, &distances, &indices);
    return uc_g3(g, "uncork.GeodesicDistances", distances, sk_const(ctx, ways), indices);
}

uncork_status sk_do_isomap(sk_ctx *ctx, const sk_est *est, sk_method method, const sk_data *in,
                           sk_result *out)
{
    (void)method;
    sk_est nbrs, kernel_pca;
    sk_space space;
    int64_t width = 0;
    if (!read_neighbours(ctx, est, &nbrs, &space)) return sk_status(ctx);
    const uc_tensor *ways = sk_f64(ctx, est, "dist_matrix_", 2);
    if (!sk_shape2(ctx, est, "dist_matrix_", ways, space.row_count, space.row_count) ||
        !sk_object(ctx, est, "kernel_pca_", &kernel_pca)) {
        return sk_status(ctx);
    }
    uc_ref x = sk_x(ctx, est, in, space.width);
    uc_ref way = ways_to_all(ctx, est, &nbrs, &space, x, ways);
    uc_ref gram = sk_mul_s(ctx, uc_g2(ctx->graph, "Mul", way, way), -0.5);
    uc_ref y = sk_kernel_pca_project(ctx, &kernel_pca, gram, &width);
    return sk_return_like(ctx, est, in, "embedding_", y, width, out);
}

uncork_status sk_do_locally_linear(sk_ctx *ctx, const sk_est *est, sk_method method,
                                   const sk_data *in, sk_result *out)
{
    (void)method;
    sk_est nbrs;
    sk_space space;
    if (!read_neighbours(ctx, est, &nbrs, &space)) return sk_status(ctx);
    if (!space.rows) return sk_unsupported(ctx, est, "neighbours of a precomputed metric");
    const uc_tensor *places = sk_matrix(ctx, est, "embedding_");
    if (!places || !sk_shape2(ctx, est, "embedding_", places, space.row_count, -1))
        return sk_status(ctx);
    int64_t k = sk_neighbor_count(ctx, est, "n_neighbors", &space);
    uc_ref distances, indices, x = sk_x(ctx, est, in, space.width);
    sk_nearest(ctx, &space, x, k, &distances, &indices);
    uc_ref in4[4] = {x, sk_const(ctx, space.rows), indices, sk_const(ctx, places)};
    uc_node *n = uc_graph_node(ctx->graph, "uncork.BarycenterMap", in4, 4, 1);
    uc_node_float(ctx->graph, n, "reg", sk_number(ctx, est, "reg", 1e-3));
    return sk_return(ctx, out, uc_node_out(n, 0), UNCORK_FLOAT64, places->shape[1]);
}
