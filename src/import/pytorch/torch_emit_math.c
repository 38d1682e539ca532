/* Arithmetic, reductions, norms. */
#include "import/pytorch/torch_build.h"

#include <math.h>

uc_ref uc_t_cast(uc_t_build *b, uc_ref x, uncork_dtype dtype)
{
    return uc_t_dtype(b, x) == dtype ? x : uc_g_cast(b->graph, x, dtype);
}

uc_ref uc_t_add(uc_t_build *b, uc_ref x, uc_ref y) { return uc_g2(b->graph, "Add", x, y); }
uc_ref uc_t_sub(uc_t_build *b, uc_ref x, uc_ref y) { return uc_g2(b->graph, "Sub", x, y); }
uc_ref uc_t_mul(uc_t_build *b, uc_ref x, uc_ref y) { return uc_g2(b->graph, "Mul", x, y); }
uc_ref uc_t_div(uc_t_build *b, uc_ref x, uc_ref y) { return uc_g2(b->graph, "Div", x, y); }
uc_ref uc_t_matmul(uc_t_build *b, uc_ref x, uc_ref y) { return uc_g2(b->graph, "MatMul", x, y); }

uc_ref uc_t_add_number(uc_t_build *b, uc_ref x, double v)
{
    return v == 0 ? x : uc_t_add(b, x, uc_t_scalar(b, x, v));
}

uc_ref uc_t_mul_number(uc_t_build *b, uc_ref x, double v)
{
    return v == 1 ? x : uc_t_mul(b, x, uc_t_scalar(b, x, v));
}

uc_ref uc_t_reduce(uc_t_build *b, const char *op, uc_ref x, const int64_t *dims, size_t count,
                   bool keepdim)
{
    uc_graph *g = b->graph;
    const uc_ref in[] = {x, count ? uc_graph_i64s(g, dims, (int64_t)count) : 0};
    uc_node *n = uc_graph_node(g, op, in, count ? 2 : 1, 1);
    uc_node_int(g, n, "keepdims", keepdim);
    return uc_node_out(n, 0);
}

uc_ref uc_t_mean(uc_t_build *b, uc_ref x, const int64_t *dims, size_t count, bool keepdim)
{
    return uc_t_reduce(b, "ReduceMean", x, dims, count, keepdim);
}

uc_ref uc_t_sum(uc_t_build *b, uc_ref x, const int64_t *dims, size_t count, bool keepdim)
{
    return uc_t_reduce(b, "ReduceSum", x, dims, count, keepdim);
}

uc_ref uc_t_norm(uc_t_build *b, uc_ref x, double p, int64_t dim, bool keepdim)
{
    uc_graph *g = b->graph;
    if (p == 2) return uc_t_reduce(b, "ReduceL2", x, &dim, 1, keepdim);
    if (p == 1) return uc_t_reduce(b, "ReduceL1", x, &dim, 1, keepdim);
    const uc_ref size = uc_g1(g, "Abs", x);
    if (isinf(p)) return uc_t_reduce(b, p > 0 ? "ReduceMax" : "ReduceMin", size, &dim, 1, keepdim);
    if (p == 0) {
        const uc_ref zero = uc_g2(g, "Equal", x, uc_t_scalar(b, x, 0));
        const uc_ref ones = uc_g_where(g, zero, uc_t_scalar(b, x, 0), uc_t_scalar(b, x, 1));
        return uc_t_sum(b, ones, &dim, 1, keepdim);
    }
    const uc_ref sum = uc_t_sum(b, uc_g2(g, "Pow", size, uc_t_scalar(b, x, p)), &dim, 1, keepdim);
    return uc_g2(g, "Pow", sum, uc_t_scalar(b, x, 1 / p));
}

uc_ref uc_t_normalize(uc_t_build *b, uc_ref x, double p, int64_t dim, double eps)
{
    const uc_ref norm = uc_t_norm(b, x, p, dim, true);
    return uc_t_div(b, x, uc_t_clamp(b, norm, eps, (double)NAN));
}

/* at::cosine_similarity: both are divided by their norms, at least eps, before the product. */
uc_ref uc_t_cosine_similarity(uc_t_build *b, uc_ref x1, uc_ref x2, int64_t dim, double eps)
{
    const uc_ref a = uc_t_normalize(b, x1, 2, dim, eps), c = uc_t_normalize(b, x2, 2, dim, eps);
    return uc_t_sum(b, uc_t_mul(b, a, c), &dim, 1, false);
}

uc_ref uc_t_pairwise_distance(uc_t_build *b, uc_ref x1, uc_ref x2, double p, double eps,
                              bool keepdim)
{
    return uc_t_norm(b, uc_t_add_number(b, uc_t_sub(b, x1, x2), eps), p, -1, keepdim);
}
