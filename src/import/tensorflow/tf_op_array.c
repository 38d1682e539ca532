/* Shapes, joins and moves of elements.
 * Source: tensorflow/core/kernels/{reshape,concat,pack,split,tile,transpose,gather,scatter_nd,one_hot}_op.cc. */
#include "import/tensorflow/tf_ops.h"

#include <inttypes.h>

static uc_ref flat(uc_graph *g, uc_ref a)
{
    const int64_t shape[] = {-1};
    return uc_g_reshape(g, a, shape, 1);
}

static uc_ref scalar_of(uc_graph *g, uc_ref a)
{
    const int64_t shape[] = {0};
    return uc_g_reshape(g, a, shape, 0);
}

/* As the op's output type, int32 where it has none. */
static uc_ref as_type(uc_tf_call *c, uc_ref a, const char *attr)
{
    const uncork_dtype to = uc_tf_type(c, attr);
    return uc_g_cast(c->graph, a, to ? to : UNCORK_INT32);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

void uc_tf_op_shape(uc_tf_call *c)
{
    for (size_t i = 0; i < uc_tf_in_count(c) && !c->graph->status; i++) {
        uc_tf_out(c, i, as_type(c, uc_g1(c->graph, "Shape", uc_tf_in(c, i)), "out_type"));
    }
}

void uc_tf_op_size(uc_tf_call *c)
{
    uc_tf_out(c, 0, as_type(c, uc_g1(c->graph, "Size", uc_tf_in(c, 0)), "out_type"));
}

void uc_tf_op_rank(uc_tf_call *c)
{
    const uc_ref x = uc_tf_in(c, 0);
    const int rank = uc_tf_rank(c, x);
    uc_ref y = rank >= 0 ? uc_graph_i64(c->graph, rank)
                         : uc_g1(c->graph, "Size", uc_g1(c->graph, "Shape", x));
    uc_tf_out(c, 0, uc_g_cast(c->graph, y, UNCORK_INT32));
}

void uc_tf_op_reshape(uc_tf_call *c)
{
    const uc_ref in[] = {uc_tf_in(c, 0), uc_tf_i64(c, 1)};
    uc_node *n = uc_graph_node(c->graph, "Reshape", in, 2, 1);
    uc_node_int(c->graph, n, "allowzero", 1);
    uc_tf_out(c, 0, uc_node_out(n, 0));
}

void uc_tf_op_expand_dims(uc_tf_call *c)
{
    uc_tf_out(c, 0, uc_g2(c->graph, "Unsqueeze", uc_tf_in(c, 0), flat(c->graph, uc_tf_i64(c, 1))));
}

/* [N, 1, 1, C] without its ones: the same in both layouts. */
static bool squeeze_first(uc_tf_call *c, const int64_t *axes, size_t n)
{
    const uc_ref x = uc_tf_is_first(c, 0) ? uc_tf_first(c, 0) : 0;
    if (!x || uc_tf_rank(c, x) != 4 || n != 2) return false;
    const int64_t a = axes[0] < 0 ? axes[0] + 4 : axes[0], b = axes[1] < 0 ? axes[1] + 4 : axes[1];
    if (!((a == 1 && b == 2) || (a == 2 && b == 1))) return false;
    const int64_t at[] = {2, 3};
    uc_tf_out(c, 0, uc_g2(c->graph, "Squeeze", x, uc_graph_i64s(c->graph, at, 2)));
    return true;
}

void uc_tf_op_squeeze(uc_tf_call *c)
{
    int64_t axes[UNCORK_MAX_RANK];
    const size_t n = uc_tf_ints(c, "squeeze_dims", axes, UNCORK_MAX_RANK);
    if (n && squeeze_first(c, axes, n)) return;
    const uc_ref x = uc_tf_in(c, 0);
    uc_tf_out(c, 0,
              n ? uc_g2(c->graph, "Squeeze", x, uc_graph_i64s(c->graph, axes, (int64_t)n))
                : uc_g1(c->graph, "Squeeze", x));
}

/* ---- filling --------------------------------------------------------------------------------- */

void uc_tf_op_broadcast_to(uc_tf_call *c)
{
    uc_tf_out(c, 0, uc_g2(c->graph, "Expand", uc_tf_in(c, 0), uc_tf_i64(c, 1)));
}

void uc_tf_op_fill(uc_tf_call *c)
{
    uc_tf_out(c, 0, uc_g2(c->graph, "Expand", uc_tf_in(c, 1), uc_tf_i64(c, 0)));
}

static uc_ref number(uc_tf_call *c, double v, uncork_dtype dtype)
{
    uc_tensor *t = uc_tensor_new(c->graph->arena, dtype, 0, NULL);
    if (!t) return uc_graph_fail(c->graph, UNCORK_NO_MEMORY, "memory is out");
    if (t->data && !uc_tf_is_complex(dtype))
        uc_dtype_convert(t->data, dtype, &v, UNCORK_FLOAT64, 1);
    if (dtype == UNCORK_COMPLEX64) *(float *)t->data = (float)v;
    if (dtype == UNCORK_COMPLEX128) *(double *)t->data = v;
    return uc_graph_const(c->graph, t);
}

void uc_tf_op_like(uc_tf_call *c)
{
    bool first;
    const uc_ref x = uc_tf_take(c, 0, &first);
    const uncork_dtype dtype = uc_tf_dtype_of(c, x);
    if (!dtype && !c->graph->status) {
        uc_tf_fail(c, "its type isn't known");
        return;
    }
    const uc_ref v = number(c, c->node->op.data[0] == 'O', dtype);
    uc_tf_give(c, uc_g2(c->graph, "Expand", v, uc_g1(c->graph, "Shape", x)), first);
}

void uc_tf_op_empty(uc_tf_call *c)
{
    const uc_ref v = number(c, 0, uc_tf_type(c, "dtype"));
    uc_tf_out(c, 0, uc_g2(c->graph, "Expand", v, uc_tf_i64(c, 0)));
}

void uc_tf_op_range(uc_tf_call *c)
{
    uc_tf_out(c, 0, uc_g3(c->graph, "Range", uc_tf_in(c, 0), uc_tf_in(c, 1), uc_tf_in(c, 2)));
}

/* ---- joins ----------------------------------------------------------------------------------- */

static void concat(uc_tf_call *c, size_t from, size_t count, size_t axis_input)
{
    static const int64_t image[] = {0, 2, 3, 1}, volume[] = {0, 2, 3, 4, 1};
    uc_graph *g = c->graph;
    int64_t axis;
    bool first = false;
    uc_ref *parts = UC_NEW(g->arena, uc_ref, count + 1);
    if (!uc_tf_known_one(c, axis_input, &axis) || !parts) {
        uc_tf_fail(c, "its axis isn't a constant");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        first = first || uc_tf_is_first(c, from + i);
    }
    for (size_t i = 0; i < count && !g->status; i++) {
        parts[i] = first ? uc_tf_first(c, from + i) : uc_tf_in(c, from + i);
    }
    if (g->status) return;
    const int rank = uc_tf_rank(c, parts[0]);
    if (first && (rank == 4 || rank == 5)) {
        if (axis < 0) axis += rank;
        axis = axis < 0 || axis >= rank ? axis : rank == 4 ? image[axis] : volume[axis];
    }
    uc_tf_give(c, count == 1 ? parts[0] : uc_g_concat(g, parts, count, axis), first);
}

void uc_tf_op_concat_v2(uc_tf_call *c)
{
    const size_t n = uc_tf_in_count(c);
    if (n >= 2) concat(c, 0, n - 1, n - 1);
}

void uc_tf_op_concat(uc_tf_call *c)
{
    const size_t n = uc_tf_in_count(c);
    if (n >= 2) concat(c, 1, n - 1, 0);
}

void uc_tf_op_pack(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const size_t count = uc_tf_in_count(c);
    const int64_t axis = uc_tf_int(c, "axis");
    uc_ref *parts = UC_NEW(g->arena, uc_ref, count + 1);
    if (!parts || !count) {
        uc_tf_fail(c, "%zu inputs", count);
        return;
    }
    for (size_t i = 0; i < count && !g->status; i++) {
        parts[i] = uc_g_unsqueeze(g, uc_tf_in(c, i), axis);
    }
    uc_tf_out(c, 0, g->status ? 0 : uc_g_concat(g, parts, count, axis));
}

/* Pieces of one row each, one behind the other. */
void uc_tf_op_parallel_concat(uc_tf_call *c)
{
    const size_t count = uc_tf_in_count(c);
    uc_ref *parts = UC_NEW(c->graph->arena, uc_ref, count + 1);
    for (size_t i = 0; parts && i < count && !c->graph->status; i++) {
        parts[i] = uc_tf_in(c, i);
    }
    uc_tf_out(c, 0,
              parts && count && !c->graph->status ? uc_g_concat(c->graph, parts, count, 0) : 0);
}

void uc_tf_op_unpack(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const int64_t axis = uc_tf_int(c, "axis"), count = uc_tf_int(c, "num");
    const uc_ref x = uc_tf_in(c, 0);
    if (count < 0 || count > 65536) {
        uc_tf_fail(c, "%" PRId64 " pieces", count);
        return;
    }
    for (int64_t i = 0; i < count && !g->status; i++) {
        uc_tf_out(c, (size_t)i, uc_g_gather(g, x, uc_graph_i64(g, i), axis));
    }
}

static void split(uc_tf_call *c, size_t x, int64_t axis, uc_ref sizes, int64_t count)
{
    uc_graph *g = c->graph;
    static const int64_t image[] = {0, 2, 3, 1};
    const bool first = uc_tf_is_first(c, x) && uc_tf_rank(c, uc_tf_first(c, x)) == 4;
    const uc_ref in[] = {first ? uc_tf_first(c, x) : uc_tf_in(c, x), sizes};
    if (count < 1 || count > 65536) {
        uc_tf_fail(c, "%" PRId64 " pieces", count);
        return;
    }
    if (first && axis < 0) axis += 4;
    if (first) axis = axis >= 0 && axis < 4 ? image[axis] : axis;
    uc_node *n = uc_graph_node(g, "Split", in, sizes ? 2 : 1, (size_t)count);
    uc_node_int(g, n, "axis", axis);
    if (!sizes) uc_node_int(g, n, "num_outputs", count);
    for (size_t i = 0; i < (size_t)count && !g->status; i++) {
        if (first)
            uc_tf_out_first(c, i, uc_node_out(n, i));
        else
            uc_tf_out(c, i, uc_node_out(n, i));
    }
}

void uc_tf_op_split(uc_tf_call *c)
{
    int64_t axis;
    if (uc_tf_known_one(c, 0, &axis))
        split(c, 1, axis, 0, uc_tf_int(c, "num_split"));
    else
        uc_tf_fail(c, "its axis isn't a constant");
}

/* One size may be -1: what the others leave. */
void uc_tf_op_split_v(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    int64_t sizes[1024], axis;
    const size_t n = uc_tf_known(c, 1, sizes, 1024);
    const int64_t count = uc_tf_int(c, "num_split");
    if (!uc_tf_known_one(c, 2, &axis)) {
        uc_tf_fail(c, "its axis isn't a constant");
        return;
    }
    size_t open = SIZE_MAX;
    int64_t given = 0;
    for (size_t i = 0; n != SIZE_MAX && i < n; i++) {
        if (sizes[i] < 0)
            open = i;
        else if (__builtin_add_overflow(given, sizes[i], &given))
            given = 0;
    }
    uc_ref at = uc_tf_i64(c, 1);
    if (open != SIZE_MAX) {
        sizes[open] = 0;
        const uc_ref whole =
            uc_g_gather(g, uc_g1(g, "Shape", uc_tf_in(c, 0)), uc_graph_i64(g, axis), 0);
        const uc_ref rest = uc_g_unsqueeze(g, uc_g2(g, "Sub", whole, uc_graph_i64(g, given)), 0);
        uc_ref parts[3];
        size_t k = 0;
        if (open) parts[k++] = uc_graph_i64s(g, sizes, (int64_t)open);
        parts[k++] = rest;
        if (open + 1 < n) parts[k++] = uc_graph_i64s(g, sizes + open + 1, (int64_t)(n - open - 1));
        at = k == 1 ? rest : uc_g_concat(g, parts, k, 0);
    }
    split(c, 0, axis, at, count);
}

void uc_tf_op_tile(uc_tf_call *c)
{
    uc_tf_out(c, 0, uc_g2(c->graph, "Tile", uc_tf_in(c, 0), uc_tf_i64(c, 1)));
}

void uc_tf_op_transpose(uc_tf_call *c)
{
    int64_t perm[UNCORK_MAX_RANK];
    const size_t n = uc_tf_known(c, 1, perm, UNCORK_MAX_RANK);
    const uc_ref x = uc_tf_in(c, 0);
    if (n == SIZE_MAX) {
        const uc_ref in[] = {x, uc_tf_i64(c, 1)};
        uc_tf_out(c, 0, uc_node_out(uc_graph_node(c->graph, "uncork.TfTranspose", in, 2, 1), 0));
        return;
    }
    uc_ref y = uc_tf_transpose(c->graph, x, perm, n);
    const bool conjugate = c->node->op.data[0] == 'C' && uc_tf_is_complex(uc_tf_dtype_of(c, x));
    uc_tf_out(c, 0, conjugate ? uc_g1(c->graph, "uncork.TfConj", y) : y);
}

/* ---- gather, scatter ------------------------------------------------------------------------- */

void uc_tf_op_gather(uc_tf_call *c)
{
    int64_t axis = 0, batch = uc_tf_has(c, "batch_dims") ? uc_tf_int(c, "batch_dims") : 0;
    uc_graph *g = c->graph;
    const uc_ref x = uc_tf_in(c, 0), at = uc_tf_in(c, 1);
    if (uc_tf_in_count(c) > 2 && !uc_tf_known_one(c, 2, &axis)) {
        uc_tf_fail(c, "its axis isn't a constant");
        return;
    }
    const int rank = uc_tf_rank(c, x), own = uc_tf_rank(c, at);
    if (batch < 0) batch += own;
    if (batch == 0) {
        const uncork_dtype dtype = uc_tf_dtype_of(c, at);
        const bool index = dtype == UNCORK_INT32 || dtype == UNCORK_INT64;
        uc_tf_out(c, 0, uc_g_gather(g, x, index ? at : uc_g_cast(g, at, UNCORK_INT64), axis));
        return;
    }
    if (rank < 0 || own < 0) {
        uc_tf_fail(c, "the ranks of its inputs aren't known");
        return;
    }
    if (axis < 0) axis += rank;
    const uc_ref in[] = {x, uc_g_cast(g, at, UNCORK_INT64)};
    uc_node *n = uc_graph_node(g, "uncork.TfBatchGather", in, 2, 1);
    uc_node_int(g, n, "axis", axis);
    uc_node_int(g, n, "batch_dims", batch);
    uc_tf_out(c, 0, uc_node_out(n, 0));
}

void uc_tf_op_gather_nd(uc_tf_call *c)
{
    uc_tf_out(c, 0, uc_g2(c->graph, "GatherND", uc_tf_in(c, 0), uc_tf_i64(c, 1)));
}

/* The indices of the Inplace ops are of rows. */
static void scatter(uc_tf_call *c, uc_ref x, uc_ref at, uc_ref v, const char *how)
{
    uc_graph *g = c->graph;
    if (strcmp(how, "sub") == 0) {
        v = uc_g1(g, "Neg", v);
        how = "add";
    }
    const uc_ref in[] = {x, at, v};
    uc_node *n = uc_graph_node(g, "ScatterND", in, 3, 1);
    if (*how) uc_node_str(g, n, "reduction", how);
    uc_tf_out(c, 0, uc_node_out(n, 0));
}

void uc_tf_op_tensor_scatter(uc_tf_call *c)
{
    scatter(c, uc_tf_in(c, 0), uc_tf_i64(c, 1), uc_tf_in(c, 2), c->node->row->onnx);
}

void uc_tf_op_inplace(uc_tf_call *c)
{
    const uc_ref at = uc_g_unsqueeze(c->graph, uc_tf_i64(c, 1), -1);
    scatter(c, uc_tf_in(c, 0), at, uc_tf_in(c, 2), c->node->row->onnx);
}

void uc_tf_op_scatter_nd(uc_tf_call *c)
{
    const uc_ref v = uc_tf_in(c, 1);
    if (uc_tf_dtype_of(c, v) == UNCORK_STRING) {
        uc_tf_fail(c, "of strings isn't supported");
        return;
    }
    const uc_ref zero = number(c, 0, uc_tf_dtype_of(c, v));
    scatter(c, uc_g2(c->graph, "Expand", zero, uc_tf_i64(c, 2)), uc_tf_i64(c, 0), v, "add");
}

void uc_tf_op_where(uc_tf_call *c)
{
    const uc_ref x = uc_tf_in(c, 0);
    const bool real = uc_tf_dtype_of(c, x) != UNCORK_BOOL;
    const uc_ref truth = real ? uc_g_cast(c->graph, x, UNCORK_BOOL) : x;
    uc_tf_out(c, 0, uc_g_transpose(c->graph, uc_g1(c->graph, "NonZero", truth)));
}

/* An index out of range, a negative one too, is off everywhere. */
void uc_tf_op_one_hot(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref depth = scalar_of(g, uc_tf_i64(c, 1));
    uc_ref at = uc_tf_i64(c, 0);
    at = uc_g_where(g, uc_g2(g, "Less", at, uc_graph_i64(g, 0)), depth, at);
    const uc_ref on = flat(g, uc_tf_in(c, 2)), off = flat(g, uc_tf_in(c, 3));
    const uc_ref both[] = {off, on}, in[] = {at, depth, uc_g_concat(g, both, 2, 0)};
    uc_node *n = uc_graph_node(g, "OneHot", in, 3, 1);
    uc_node_int(g, n, "axis", uc_tf_int(c, "axis"));
    uc_tf_out(c, 0, uc_node_out(n, 0));
}

/* An axis that isn't a constant is one of few: the last where the rank is 1. */
void uc_tf_op_arg(uc_tf_call *c)
{
    int64_t axis;
    const uc_ref x = uc_tf_in(c, 0);
    if (!uc_tf_known_one(c, 1, &axis)) {
        uc_tf_fail(c, "its axis isn't a constant");
        return;
    }
    const bool truth = uc_tf_dtype_of(c, x) == UNCORK_BOOL;
    const uc_ref from = truth ? uc_g_cast(c->graph, x, UNCORK_UINT8) : x;
    uc_node *n = uc_graph_node(c->graph, c->node->row->onnx, &from, 1, 1);
    uc_node_int(c->graph, n, "axis", axis);
    uc_node_int(c->graph, n, "keepdims", 0);
    const uncork_dtype to = uc_tf_type(c, "output_type");
    uc_tf_out(c, 0, uc_g_cast(c->graph, uc_node_out(n, 0), to ? to : UNCORK_INT64));
}
