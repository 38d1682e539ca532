/* Support vector machines: the kernel's matrix, one product for all pairs, votes as products with 0 and 1. */
#include "pack/expand.h"

/* Squared distances of rows of x to constant rows, from their differences. */
static uc_ref squares(uc_expansion *e, uc_ref x, uc_ref rows)
{
    uc_graph *g = e->graph;
    const uc_ref away = uc_g2(g, "Sub", uc_g_unsqueeze(g, x, 1), rows);
    return uc_g_reduce(g, "ReduceSumSquare", away, 2, false);
}

/* [rows, vectors] */
static uc_ref kernel_of(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const double gamma = uc_expand_float(e, "gamma", 1), coef0 = uc_expand_float(e, "coef0", 0);
    const double degree = uc_expand_float(e, "degree", (double)uc_expand_int(e, "degree", 3));
    if (uc_expand_is(e, "kernel", "precomputed", false)) return e->in[0];
    if (uc_expand_is(e, "kernel", "rbf", false)) {
        return uc_g1(g, "Exp",
                     uc_g2(g, "Mul", squares(e, e->in[0], e->in[3]), uc_graph_f64(g, -gamma)));
    }
    const uc_ref dot = uc_g2(g, "MatMul", e->in[0], uc_g_transpose(g, e->in[3]));
    if (uc_expand_is(e, "kernel", "linear", false)) return dot;
    const uc_ref line =
        uc_g2(g, "Add", uc_g2(g, "Mul", dot, uc_graph_f64(g, gamma)), uc_graph_f64(g, coef0));
    if (uc_expand_is(e, "kernel", "sigmoid", false)) return uc_g1(g, "Tanh", line);
    return uc_expand_is(e, "kernel", "poly", false) ? uc_g2(g, "Pow", line, uc_graph_f64(g, degree))
                                                    : 0;
}

/* float64 [vectors, pairs]: in the column of (i, j) the weights of i's vectors against j and of j's
 * against i. */
static uc_ref pair_weights(uc_expansion *e, const uc_tensor *weights, const uc_tensor *counts,
                           int64_t classes, int64_t pairs)
{
    const int64_t vectors = weights->shape[1];
    const int64_t *count = counts->data;
    const double *w = weights->data;
    uc_ref ref;
    double *m = uc_expand_matrix(e, vectors, pairs, &ref);
    int64_t pair = 0, begin_i = 0;
    for (int64_t i = 0; m && i < classes; begin_i += count[i++]) {
        int64_t begin_j = begin_i + count[i];
        for (int64_t j = i + 1; j < classes; begin_j += count[j++], pair++) {
            for (int64_t v = begin_i; v < begin_i + count[i] && v < vectors; v++)
                m[v * pairs + pair] = w[(j - 1) * vectors + v];
            for (int64_t v = begin_j; v < begin_j + count[j] && v < vectors; v++)
                m[v * pairs + pair] = w[i * vectors + v];
        }
    }
    return ref;
}

/* Adds `yes` for i where the pair's number is 1 and `no` for j where it is 0: two products. */
static uc_ref vote(uc_expansion *e, uc_ref for_i, int64_t classes, int64_t pairs)
{
    uc_graph *g = e->graph;
    uc_ref first, second;
    double *a = uc_expand_matrix(e, pairs, classes, &first);
    double *b = uc_expand_matrix(e, pairs, classes, &second);
    int64_t pair = 0;
    for (int64_t i = 0; a && b && i < classes; i++) {
        for (int64_t j = i + 1; j < classes; j++, pair++) {
            a[pair * classes + i] = 1;
            b[pair * classes + j] = 1;
        }
    }
    const uc_ref for_j = uc_g2(g, "Sub", uc_graph_f64(g, 1), for_i);
    return uc_g2(g, "Add", uc_g2(g, "MatMul", for_i, first), uc_g2(g, "MatMul", for_j, second));
}

bool uc_expand_svm(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const uc_tensor *weights = uc_expand_known(e, 1), *counts = uc_expand_known(e, 4);
    if (!weights || weights->rank != 2 || !uc_tensor_is_dense(weights)) return false;
    const uc_ref kernel = kernel_of(e);
    if (!kernel) return false;
    if (!counts) {
        const uc_ref sum = uc_g2(g, "MatMul", kernel, uc_g_transpose(g, e->in[1]));
        e->out[0] = uc_g2(g, "Add", sum, e->in[2]);
        return true;
    }
    const int64_t classes = uc_tensor_count(counts), pairs = classes * (classes - 1) / 2;
    if (classes < 2 || classes > 4096 || weights->shape[0] != classes - 1) return false;
    const uc_ref w = pair_weights(e, weights, counts, classes, pairs);
    e->out[0] = uc_g2(g, "Add", uc_g2(g, "MatMul", kernel, w), e->in[2]);
    const uc_ref positive = uc_g2(g, "Greater", e->out[0], uc_graph_f64(g, 0));
    const uc_ref votes = vote(e, uc_g_cast(g, positive, UNCORK_FLOAT64), classes, pairs);
    e->out[1] = uc_g_argmax(g, votes, 1, false);
    return true;
}

/* Votes plus s / (3 (|s| + 1)) of the summed confidences. */
bool uc_expand_ovr(uc_expansion *e)
{
    uc_graph *g = e->graph;
    const int64_t classes = uc_expand_int(e, "classes", 0), pairs = classes * (classes - 1) / 2;
    if (classes < 2 || classes > 4096 || uc_expand_int(e, "batch", 0)) return false;
    uc_ref signs;
    double *m = uc_expand_matrix(e, pairs, classes, &signs);
    int64_t pair = 0;
    for (int64_t i = 0; m && i < classes; i++) {
        for (int64_t j = i + 1; j < classes; j++, pair++) {
            m[pair * classes + i] = -1;
            m[pair * classes + j] = 1;
        }
    }
    const uc_ref one = uc_graph_f64(g, 1);
    const uc_ref votes = vote(e, uc_g2(g, "Sub", one, e->in[0]), classes, pairs);
    const uc_ref sum = uc_g2(g, "MatMul", e->in[1], signs);
    const uc_ref size =
        uc_g2(g, "Mul", uc_graph_f64(g, 3), uc_g2(g, "Add", uc_g1(g, "Abs", sum), one));
    e->out[0] = uc_g2(g, "Add", votes, uc_g2(g, "Div", sum, size));
    return true;
}

/* Two classes: Platt's sigmoid, kept off 0 and 1 by 1e-7. More need an iteration. */
bool uc_expand_coupling(uc_expansion *e)
{
    uc_graph *g = e->graph;
    if (uc_expand_int(e, "classes", 0) != 2) return false;
    const uc_ref line = uc_g2(g, "Add", uc_g2(g, "Mul", e->in[0], e->in[1]), e->in[2]);
    const uc_ref p = uc_g3(g, "Clip", uc_g1(g, "Sigmoid", uc_g1(g, "Neg", line)),
                           uc_graph_f64(g, 1e-7), uc_graph_f64(g, 1 - 1e-7));
    const uc_ref both[2] = {p, uc_g2(g, "Sub", uc_graph_f64(g, 1), p)};
    e->out[0] = uc_g_concat(g, both, 2, 1);
    return true;
}
