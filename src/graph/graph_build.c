/* The nodes importers write most, in one line each. */
#include "graph/graph.h"

uc_ref uc_g1(uc_graph *g, const char *op, uc_ref a)
{
    return uc_node_out(uc_graph_node(g, op, &a, 1, 1), 0);
}

uc_ref uc_g2(uc_graph *g, const char *op, uc_ref a, uc_ref b)
{
    const uc_ref in[] = {a, b};
    return uc_node_out(uc_graph_node(g, op, in, 2, 1), 0);
}

uc_ref uc_g3(uc_graph *g, const char *op, uc_ref a, uc_ref b, uc_ref c)
{
    const uc_ref in[] = {a, b, c};
    return uc_node_out(uc_graph_node(g, op, in, 3, 1), 0);
}

/* A node with one integer attribute. */
static uc_ref with_int(uc_graph *g, const char *op, const uc_ref *in, size_t in_count,
                       const char *name, int64_t v)
{
    uc_node *n = uc_graph_node(g, op, in, in_count, 1);
    uc_node_int(g, n, name, v);
    return uc_node_out(n, 0);
}

uc_ref uc_g_cast(uc_graph *g, uc_ref a, uncork_dtype to)
{
    return with_int(g, "Cast", &a, 1, "to", to);
}

uc_ref uc_g_reduce(uc_graph *g, const char *op, uc_ref a, int64_t axis, bool keep)
{
    const uc_ref in[] = {a, uc_graph_i64s(g, &axis, 1)};
    return with_int(g, op, in, 2, "keepdims", keep);
}

static uc_ref arg_reduce(uc_graph *g, const char *op, uc_ref a, int64_t axis, bool keep)
{
    uc_node *n = uc_graph_node(g, op, &a, 1, 1);
    uc_node_int(g, n, "axis", axis);
    uc_node_int(g, n, "keepdims", keep);
    return uc_node_out(n, 0);
}

uc_ref uc_g_argmax(uc_graph *g, uc_ref a, int64_t axis, bool keep)
{
    return arg_reduce(g, "ArgMax", a, axis, keep);
}

uc_ref uc_g_argmin(uc_graph *g, uc_ref a, int64_t axis, bool keep)
{
    return arg_reduce(g, "ArgMin", a, axis, keep);
}

uc_ref uc_g_gather(uc_graph *g, uc_ref data, uc_ref indices, int64_t axis)
{
    const uc_ref in[] = {data, indices};
    return with_int(g, "Gather", in, 2, "axis", axis);
}

uc_ref uc_g_slice(uc_graph *g, uc_ref a, int64_t axis, int64_t begin, int64_t end)
{
    const uc_ref in[] = {a, uc_graph_i64s(g, &begin, 1), uc_graph_i64s(g, &end, 1),
                         uc_graph_i64s(g, &axis, 1)};
    return uc_node_out(uc_graph_node(g, "Slice", in, 4, 1), 0);
}

uc_ref uc_g_slices(uc_graph *g, uc_ref a, const int64_t *begin, const int64_t *end,
                   const int64_t *axes, const int64_t *steps, size_t n)
{
    const int64_t count = (int64_t)n;
    const uc_ref in[] = {a, uc_graph_i64s(g, begin, count), uc_graph_i64s(g, end, count),
                         uc_graph_i64s(g, axes, count), uc_graph_i64s(g, steps, count)};
    return uc_node_out(uc_graph_node(g, "Slice", in, 5, 1), 0);
}

uc_ref uc_g_reverse(uc_graph *g, uc_ref a, const int64_t *axes, size_t n)
{
    int64_t begin[UNCORK_MAX_RANK], end[UNCORK_MAX_RANK], steps[UNCORK_MAX_RANK];
    if (n > UNCORK_MAX_RANK)
        return uc_graph_fail(g, UNCORK_MALFORMED, "%zu axes to reverse, %d are possible", n,
                             UNCORK_MAX_RANK);
    for (size_t i = 0; i < n; i++) {
        begin[i] = INT64_MAX;
        end[i] = INT64_MIN;
        steps[i] = -1;
    }
    return uc_g_slices(g, a, begin, end, axes, steps, n);
}

uc_ref uc_g_concat(uc_graph *g, const uc_ref *parts, size_t count, int64_t axis)
{
    return with_int(g, "Concat", parts, count, "axis", axis);
}

uc_ref uc_g_reshape(uc_graph *g, uc_ref a, const int64_t *shape, int rank)
{
    return uc_g2(g, "Reshape", a, uc_graph_i64s(g, shape, rank));
}

uc_ref uc_g_unsqueeze(uc_graph *g, uc_ref a, int64_t axis)
{
    return uc_g2(g, "Unsqueeze", a, uc_graph_i64s(g, &axis, 1));
}

uc_ref uc_g_squeeze(uc_graph *g, uc_ref a, int64_t axis)
{
    return uc_g2(g, "Squeeze", a, uc_graph_i64s(g, &axis, 1));
}

uc_ref uc_g_transpose(uc_graph *g, uc_ref a) { return uc_g1(g, "Transpose", a); }

uc_ref uc_g_softmax(uc_graph *g, uc_ref a, int64_t axis)
{
    return with_int(g, "Softmax", &a, 1, "axis", axis);
}

uc_ref uc_g_where(uc_graph *g, uc_ref condition, uc_ref a, uc_ref b)
{
    return uc_g3(g, "Where", condition, a, b);
}
