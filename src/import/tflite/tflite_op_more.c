/* Operators of sets, segments, diagonals, bits and complex numbers.
 * Source: tensorflow/lite/kernels/{unique,segment_sum,unsorted_segment,matrix_diag,matrix_set_diag,scatter_nd,
 * sparse_to_dense,dynamic_update_slice,bucketize,broadcast_args,atan2,bitcast,rfft2d}.cc. */
#include "import/tflite/tflite_layout.h"

#include <float.h>

static uc_ref flat(uc_graph *g, uc_ref a) { return uc_g_reshape(g, a, (const int64_t[]){-1}, 1); }

static uc_ref zero_of(uc_tfl_call *c, uncork_dtype dtype)
{
    return uc_g_cast(c->graph, uc_graph_i64(c->graph, 0), dtype);
}

/* An operator of the same inputs and one output. */
void uc_tfl_same(uc_tfl_call *c)
{
    uc_ref in[4] = {0};
    const size_t count = c->op->in_count < 4 ? c->op->in_count : 4;
    for (size_t i = 0; i < count; i++) {
        in[i] = uc_tfl_filed(c, i);
    }
    uc_tfl_out_filed(c, 0, uc_node_out(uc_graph_node(c->graph, c->op->row->op, in, count, 1), 0));
}

void uc_tfl_unique(uc_tfl_call *c)
{
    const uc_ref x = uc_tfl_filed(c, 0);
    uc_node *n = uc_graph_node(c->graph, "uncork.TfUnique", &x, 1, 2);
    uc_node_int(c->graph, n, "out_idx", uc_tfl_tensor_out(c, 1)->dtype);
    const uc_ref values = uc_node_out(n, 0), at = uc_node_out(n, 1);
    uc_tfl_out_filed(c, 0, values);
    uc_tfl_out_raw(c, 1, at);
}

/* ---- diagonals ------------------------------------------------------------------------------- */

/* 0, 1, ... as int64, as many as x has along `axis`. */
static uc_ref count_along(uc_tfl_call *c, uc_ref x, int axis)
{
    uc_graph *g = c->graph;
    const int rank = uc_tfl_rank(c, x);
    const uc_ref size = uc_g_gather(g, uc_g1(g, "Shape", x), uc_graph_i64(g, rank + axis), 0);
    return uc_g3(g, "Range", uc_graph_i64(g, 0), size, uc_graph_i64(g, 1));
}

void uc_tfl_matrix_diag(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref x = uc_tfl_filed(c, 0);
    if (uc_tfl_rank(c, x) < 1) {
        uc_tfl_fail(c, "a diagonal of unknown rank");
        return;
    }
    const uc_ref at = count_along(c, x, -1);
    const uc_ref on = uc_g2(g, "Equal", uc_g_unsqueeze(g, at, 1), uc_g_unsqueeze(g, at, 0));
    const uc_ref y =
        uc_g_where(g, on, uc_g_unsqueeze(g, x, -1), zero_of(c, uc_tfl_tensor_in(c, 0)->dtype));
    uc_tfl_out_filed(c, 0, y);
}

void uc_tfl_matrix_set_diag(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref x = uc_tfl_filed(c, 0), diagonal = uc_tfl_filed(c, 1);
    if (uc_tfl_rank(c, x) < 2) {
        uc_tfl_fail(c, "a matrix of unknown rank");
        return;
    }
    const uc_ref rows = count_along(c, x, -2), columns = count_along(c, x, -1);
    const uc_ref on = uc_g2(g, "Equal", uc_g_unsqueeze(g, rows, 1), uc_g_unsqueeze(g, columns, 0));
    const uc_ref last = uc_g_reduce(g, "ReduceMax", count_along(c, diagonal, -1), 0, false);
    const uc_ref each = uc_g_gather(g, diagonal, uc_g2(g, "Min", rows, last), -1);
    uc_tfl_out_filed(c, 0, uc_g_where(g, on, uc_g_unsqueeze(g, each, -1), x));
}

/* ---- scattering ------------------------------------------------------------------------------ */

static uc_ref scattered(uc_graph *g, uc_ref into, uc_ref at, uc_ref updates, const char *how)
{
    const uc_ref in[] = {into, at, updates};
    uc_node *n = uc_graph_node(g, "ScatterND", in, 3, 1);
    if (how) uc_node_str(g, n, "reduction", how);
    return uc_node_out(n, 0);
}

/* Indices, updates, shape. */
void uc_tfl_scatter_nd(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref zeros =
        uc_g2(g, "Expand", zero_of(c, uc_tfl_tensor_in(c, 1)->dtype), uc_tfl_i64(c, 2));
    uc_tfl_out_filed(c, 0, scattered(g, zeros, uc_tfl_i64(c, 0), uc_tfl_filed(c, 1), "add"));
}

/* Indices (one, a list, or a list of places), shape, values (one or one each), what is elsewhere. */
void uc_tfl_sparse_to_dense(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    uc_ref at = uc_tfl_i64(c, 0);
    const int rank = uc_tfl_rank(c, at);
    if (rank == 0) at = uc_g_reshape(g, at, (const int64_t[]){1, 1}, 2);
    if (rank == 1) at = uc_g_unsqueeze(g, at, 1);
    const uc_ref into = uc_g2(g, "Expand", uc_tfl_filed(c, 3), uc_tfl_i64(c, 1));
    const uc_ref count = uc_g_slice(g, uc_g1(g, "Shape", at), 0, 0, 1);
    const uc_ref values = uc_g2(g, "Expand", uc_tfl_filed(c, 2), count);
    uc_tfl_out_filed(c, 0, scattered(g, into, at, values, NULL));
}

/* Rows of x by their segment into `count` (int64 [1]) rows that begin with `start`; negative ones into
 * none. */
static uc_ref by_segment(uc_tfl_call *c, uc_ref x, uc_ref ids, uc_ref count, uc_ref start,
                         const char *how)
{
    uc_graph *g = c->graph;
    const uc_ref ids_shape = uc_g1(g, "Shape", ids), rank = uc_g1(g, "Size", ids_shape);
    const uc_ref in[] = {uc_g1(g, "Shape", x), uc_g_reshape(g, rank, (const int64_t[]){1}, 1),
                         uc_graph_i64s(g, (const int64_t[]){INT64_MAX}, 1)};
    const uc_ref rest = uc_node_out(uc_graph_node(g, "Slice", in, 3, 1), 0);
    const uc_ref one_more = uc_g2(g, "Add", count, uc_graph_i64s(g, (const int64_t[]){1}, 1));
    const uc_ref whole[] = {one_more, rest},
                 rows[] = {uc_graph_i64s(g, (const int64_t[]){-1}, 1), rest};
    const uc_ref into = uc_g2(g, "Expand", start, uc_g_concat(g, whole, 2, 0));
    uc_ref at = flat(g, ids);
    at = uc_g_where(g, uc_g2(g, "Less", at, uc_graph_i64(g, 0)), count, at);
    const uc_ref updates = uc_g2(g, "Reshape", x, uc_g_concat(g, rows, 2, 0));
    const uc_ref all = scattered(g, into, uc_g_unsqueeze(g, at, 1), updates, how);
    const uc_ref cut[] = {all, uc_graph_i64s(g, (const int64_t[]){0}, 1), count,
                          uc_graph_i64s(g, (const int64_t[]){0}, 1)};
    return uc_node_out(uc_graph_node(g, "Slice", cut, 4, 1), 0);
}

/* Segments in ascending order: as many as the last says. */
void uc_tfl_segment_sum(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref ids = uc_tfl_i64(c, 1);
    const uc_ref most = uc_g_reduce(g, "ReduceMax", ids, 0, true);
    const uc_ref count = uc_g2(g, "Add", most, uc_graph_i64s(g, (const int64_t[]){1}, 1));
    const uc_ref zero = zero_of(c, uc_tfl_tensor_in(c, 0)->dtype);
    uc_tfl_out_filed(c, 0, by_segment(c, uc_tfl_filed(c, 0), ids, count, zero, "add"));
}

/* What no row belongs to: 0, 1, the least or the largest number of the type. */
static uc_ref start_of(uc_tfl_call *c, const char *how, uncork_dtype dtype)
{
    uc_graph *g = c->graph;
    const bool max = how[0] == 'm' && how[1] == 'a', min = how[0] == 'm' && how[1] == 'i';
    if (!max && !min) return uc_g_cast(g, uc_graph_i64(g, how[0] == 'a' ? 0 : 1), dtype);
    if (dtype == UNCORK_FLOAT32) return uc_graph_f32(g, max ? -FLT_MAX : FLT_MAX);
    const int64_t low = dtype == UNCORK_INT64 ? INT64_MIN : INT32_MIN;
    const int64_t high = dtype == UNCORK_INT64 ? INT64_MAX : INT32_MAX;
    return uc_g_cast(g, uc_graph_i64(g, max ? low : high), dtype);
}

void uc_tfl_unsorted_segment(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uncork_dtype dtype = uc_tfl_tensor_in(c, 0)->dtype;
    const char *how = c->op->row->op;
    uc_tfl_out_filed(c, 0,
                     by_segment(c, uc_tfl_filed(c, 0), uc_tfl_i64(c, 1), flat(g, uc_tfl_i64(c, 2)),
                                start_of(c, how, dtype), how));
}

/* Where an update of a known shape lies, less its beginning: [count, rank]. */
static uc_ref places_of(uc_tfl_call *c, uc_ref update, int rank)
{
    int64_t shape[2] = {1, rank}, sizes[UNCORK_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        sizes[i] = uc_tfl_dim(c, update, i);
        if (sizes[i] < 0 || (sizes[i] && shape[0] > (INT64_C(1) << 28) / sizes[i]))
            return uc_tfl_fail(c, "the size of its update isn't known");
        shape[0] *= sizes[i];
    }
    uc_tensor *t = uc_tensor_new(c->graph->arena, UNCORK_INT64, 2, shape);
    if (!t) return uc_tfl_fail(c, "no memory for its places");
    for (int64_t k = 0; k < shape[0]; k++) {
        int64_t rest = k;
        for (int i = rank - 1; i >= 0; i--) {
            ((int64_t *)t->data)[k * rank + i] = rest % sizes[i];
            rest /= sizes[i];
        }
    }
    return uc_graph_const(c->graph, t);
}

/* The beginning is moved so that the update lies within. */
void uc_tfl_dynamic_update_slice(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref x = uc_tfl_filed(c, 0), update = uc_tfl_filed(c, 1);
    const int rank = uc_tfl_rank(c, x);
    if (rank < 1) {
        uc_tfl_out_filed(c, 0,
                         rank == 0 ? uc_g1(g, "Identity", update)
                                   : uc_tfl_fail(c, "its rank isn't known"));
        return;
    }
    const uc_ref places = places_of(c, update, rank);
    if (!places) return;
    const uc_ref most = uc_g2(g, "Sub", uc_g1(g, "Shape", x), uc_g1(g, "Shape", update));
    const uc_ref zero = uc_graph_i64(g, 0);
    const uc_ref start = uc_g2(g, "Max", zero, uc_g2(g, "Min", flat(g, uc_tfl_i64(c, 2)), most));
    uc_tfl_out_filed(c, 0, scattered(g, x, uc_g2(g, "Add", places, start), flat(g, update), NULL));
}

/* ---- bits, bins, complex numbers ----------------------------------------------------------------- */

void uc_tfl_bitcast(uc_tfl_call *c)
{
    const uc_ref x = uc_tfl_filed(c, 0);
    uc_node *n = uc_graph_node(c->graph, "uncork.TfBitcast", &x, 1, 1);
    uc_node_int(c->graph, n, "type", uc_tfl_tensor_out(c, 0)->dtype);
    uc_tfl_out_filed(c, 0, uc_node_out(n, 0));
}

void uc_tfl_bucketize(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_fb_vector v = uc_fb_vec(c->options, 0, 4);
    const int64_t shape[] = {(int64_t)v.count};
    uc_tensor *edges = v.count ? uc_tensor_new(g->arena, UNCORK_FLOAT32, 1, shape) : NULL;
    if (!edges) {
        uc_tfl_fail(c, "it has no boundaries");
        return;
    }
    for (size_t i = 0; i < v.count; i++) {
        ((float *)edges->data)[i] = uc_fb_vec_float(v, i);
    }
    const uc_ref x = uc_g_cast(g, uc_tfl_in(c, 0), UNCORK_FLOAT32);
    const uc_ref above =
        uc_g2(g, "GreaterOrEqual", uc_g_unsqueeze(g, x, -1), uc_graph_const(g, edges));
    const uc_ref count = uc_g_reduce(g, "ReduceSum", uc_g_cast(g, above, UNCORK_INT32), -1, false);
    uc_tfl_out(c, 0, count);
}

/* One axis of a Fourier transform: x [..., 2 or 1 behind]. */
static uc_ref transformed(uc_graph *g, uc_ref x, int64_t axis, uc_ref length, bool real)
{
    const uc_ref in[] = {x, length, uc_graph_i64(g, axis)};
    uc_node *n = uc_graph_node(g, "DFT", in, 3, 1);
    if (real) uc_node_int(g, n, "onesided", 1);
    return uc_node_out(n, 0);
}

void uc_tfl_rfft2d(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref lengths = uc_tfl_i64(c, 1), x = uc_g_unsqueeze(g, uc_tfl_in(c, 0), -1);
    const uc_ref h = uc_g_gather(g, lengths, uc_graph_i64(g, 0), 0);
    const uc_ref w = uc_g_gather(g, lengths, uc_graph_i64(g, 1), 0);
    const uc_ref columns = transformed(g, x, -2, w, true);
    const uc_ref y = transformed(g, columns, -3, h, false);
    const uc_ref parts[] = {uc_g_gather(g, y, uc_graph_i64(g, 0), -1),
                            uc_g_gather(g, y, uc_graph_i64(g, 1), -1)};
    uc_tfl_out(c, 0, uc_node_out(uc_graph_node(g, "uncork.TfComplex", parts, 2, 1), 0));
}
