/* Nearest neighbours: every distance from differences, then TopK. Which of equally near rows counts is
 * the runtime's choice. */
#include "pack/expand.h"

/* Distances [n, m] by the metrics of few nodes; 0 for the others. */
static uc_ref distances(uc_expansion *e)
{
    uc_graph *g = e->graph;
    if (!uc_expand_known(e, 1) || (e->node->in_count > 2 && e->in[2])) return 0;
    const double p = uc_expand_float(e, "p", 2);
    const bool minkowski =
        uc_expand_is(e, "metric", "minkowski", false) || uc_expand_is(e, "metric", "p", false);
    const bool euclid = uc_expand_is(e, "metric", "euclidean", true) ||
                        uc_expand_is(e, "metric", "l2", false) || (minkowski && p == 2);
    const bool city = uc_expand_is(e, "metric", "manhattan", false) ||
                      uc_expand_is(e, "metric", "cityblock", false) ||
                      uc_expand_is(e, "metric", "l1", false) || (minkowski && p == 1);
    const uc_ref away = uc_g2(g, "Sub", uc_g_unsqueeze(g, e->in[0], 1), e->in[1]);
    if (city) return uc_g_reduce(g, "ReduceSum", uc_g1(g, "Abs", away), 2, false);
    const bool squared = uc_expand_is(e, "metric", "sqeuclidean", false) ||
                         (euclid && uc_expand_int(e, "reduced", 0));
    if (!euclid && !squared) return 0;
    const uc_ref sum = uc_g_reduce(g, "ReduceSumSquare", away, 2, false);
    return squared ? sum : uc_g1(g, "Sqrt", sum);
}

bool uc_expand_distance(uc_expansion *e)
{
    e->out[0] = distances(e);
    return e->out[0] != 0;
}

bool uc_expand_neighbors(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const int64_t k = uc_expand_int(e, "k", 0);
    const uc_ref all = distances(e);
    if (!all || k < 1) return false;
    const uc_ref in[2] = {all, uc_graph_i64s(g, &k, 1)};
    uc_node *top = uc_graph_node(g, "TopK", in, 2, 2);
    uc_node_int(g, top, "axis", 1);
    uc_node_int(g, top, "largest", 0);
    uc_node_int(g, top, "sorted", 1);
    e->out[0] = uc_node_out(top, 0);
    e->out[1] = uc_node_out(top, 1);
    return true;
}

/* Weights [n, k, 1]: 1/d, or 1 and 0 in rows where a distance is 0. */
static uc_ref weights_of(uc_expansion *e, uc_ref d)
{
    uc_graph *g = e->graph;
    const uc_ref zero = uc_graph_f64(g, 0), one = uc_graph_f64(g, 1);
    const uc_ref met = uc_g_cast(g, uc_g2(g, "Equal", d, zero), UNCORK_FLOAT64);
    const uc_ref any = uc_g2(g, "Greater", uc_g_reduce(g, "ReduceMax", met, 1, true), zero);
    const uc_ref safe = uc_g2(g, "Add", d, met); /* no division by 0 */
    return uc_g_unsqueeze(g, uc_g_where(g, any, met, uc_g2(g, "Div", one, safe)), 2);
}

bool uc_expand_neighbor_vote(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const uc_tensor *codes = uc_expand_known(e, 1);
    const int64_t classes = uc_expand_int(e, "classes", 0);
    uc_ref table;
    if (!codes || classes < 1 || codes->rank != 1) return false;
    const int64_t rows = uc_tensor_count(codes);
    double *m = uc_expand_matrix(e, rows, classes, &table);
    for (int64_t i = 0; m && i < rows; i++) {
        const int64_t c = ((const int64_t *)codes->data)[i * codes->stride[0]];
        if (c >= 0 && c < classes) m[i * classes + c] = 1;
    }
    uc_ref votes = uc_g_gather(g, table, e->in[0], 0); /* [n, k, classes] */
    if (e->node->in_count > 2 && e->in[2]) votes = uc_g2(g, "Mul", votes, weights_of(e, e->in[2]));
    const uc_ref sum = uc_g_reduce(g, "ReduceSum", votes, 1, false);
    e->out[0] = uc_g_argmax(g, sum, 1, false);
    e->out[1] = uc_g2(g, "Div", sum, uc_g_reduce(g, "ReduceSum", sum, 1, true));
    return true;
}

bool uc_expand_neighbor_mean(uc_expansion *e)
{
    uc_graph *g = e->graph;
    uc_ref found = uc_g_gather(g, e->in[1], e->in[0], 0); /* [n, k, targets] */
    if (e->node->in_count < 3 || !e->in[2]) {
        e->out[0] = uc_g_reduce(g, "ReduceMean", found, 1, false);
        return true;
    }
    const uc_ref w = weights_of(e, e->in[2]);
    const uc_ref sum = uc_g_reduce(g, "ReduceSum", uc_g2(g, "Mul", found, w), 1, false);
    e->out[0] = uc_g2(g, "Div", sum, uc_g_reduce(g, "ReduceSum", w, 1, false));
    return true;
}
