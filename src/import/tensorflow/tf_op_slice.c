/* Slices, reversals, pads, blocks of space.
 * Source: tensorflow/core/util/strided_slice_op.cc, kernels/{slice,reverse,pad,mirror_pad}_op.cc. */
#include "import/tensorflow/tf_ops.h"

#include <inttypes.h>

/* begin and size; -1: to the end. */
void uc_tf_op_slice(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    int64_t known[UNCORK_MAX_RANK], end[UNCORK_MAX_RANK], size[UNCORK_MAX_RANK];
    const size_t n = uc_tf_known(c, 1, known, UNCORK_MAX_RANK);
    const uc_ref x = uc_tf_in(c, 0);
    if (n != SIZE_MAX && uc_tf_known(c, 2, size, UNCORK_MAX_RANK) == n) {
        for (size_t i = 0; i < n; i++) {
            if (size[i] < 0 || __builtin_add_overflow(known[i], size[i], &end[i]))
                end[i] = INT64_MAX;
        }
        uc_tf_out(c, 0,
                  uc_g3(g, "Slice", x, uc_graph_i64s(g, known, (int64_t)n),
                        uc_graph_i64s(g, end, (int64_t)n)));
        return;
    }
    const uc_ref begin = uc_tf_i64(c, 1), sizes = uc_tf_i64(c, 2);
    const uc_ref all = uc_g2(g, "Less", sizes, uc_graph_i64(g, 0));
    const uc_ref to = uc_g_where(g, all, uc_graph_i64(g, INT64_MAX), uc_g2(g, "Add", begin, sizes));
    uc_tf_out(c, 0, uc_g3(g, "Slice", x, begin, to));
}

/* ---- strided slices -------------------------------------------------------------------------- */

typedef struct strided {
    int64_t begin[UNCORK_MAX_RANK], end[UNCORK_MAX_RANK], step[UNCORK_MAX_RANK];
    int64_t axis[UNCORK_MAX_RANK], shrunk[UNCORK_MAX_RANK], added[UNCORK_MAX_RANK];
    size_t count, shrunk_count, added_count;
    int64_t begin_mask, end_mask, ellipsis, added_mask, shrink;
} strided;

static bool bit(int64_t mask, size_t i) { return i < 63 && (mask >> i & 1); }

/* Entry i of the specification, on `axis` of the input. */
static void add_entry(strided *s, size_t i, int64_t axis, int64_t begin, int64_t end, int64_t step)
{
    const bool shrink = bit(s->shrink, i);
    const int64_t by = shrink ? 1 : step;
    const size_t k = s->count++;
    s->axis[k] = axis;
    s->step[k] = by;
    s->begin[k] = bit(s->begin_mask, i) && !shrink ? (by > 0 ? 0 : INT64_MAX) : begin;
    s->end[k] = bit(s->end_mask, i) ? (by > 0 ? INT64_MAX : INT64_MIN) : end;
    if (!shrink) return;
    s->end[k] = begin == -1 ? INT64_MAX : begin + 1;
    s->shrunk[s->shrunk_count++] = axis;
}

static bool read_strided(uc_tf_call *c, strided *s, int rank)
{
    int64_t begin[UNCORK_MAX_RANK], end[UNCORK_MAX_RANK], step[UNCORK_MAX_RANK];
    const size_t n = uc_tf_known(c, 1, begin, UNCORK_MAX_RANK);
    const size_t m = uc_tf_known(c, 2, end, UNCORK_MAX_RANK);
    const size_t k = uc_tf_known(c, 3, step, UNCORK_MAX_RANK);
    if (n > UNCORK_MAX_RANK || n != m || n != k || rank < 0) return false;
    size_t given = 0;
    bool seen = false;
    for (size_t i = 0; i < n; i++) {
        given += !bit(s->ellipsis, i) && !bit(s->added_mask, i);
    }
    int64_t axis = 0, place = 0;
    for (size_t i = 0; i < n; i++) {
        if (bit(s->ellipsis, i) && !seen) {
            const int64_t skip = rank - (int64_t)given;
            axis += skip > 0 ? skip : 0;
            place += skip > 0 ? skip : 0;
            seen = true;
        } else if (bit(s->added_mask, i)) {
            s->added[s->added_count++] = place++;
        } else {
            if (axis >= rank || begin[i] == INT64_MAX) return false;
            place += !bit(s->shrink, i);
            add_entry(s, i, axis++, begin[i], end[i], step[i]);
        }
    }
    return true;
}

void uc_tf_op_strided_slice(uc_tf_call *c)
{
    uc_graph *g = c->graph;
    strided s = {.begin_mask = uc_tf_int(c, "begin_mask"),
                 .end_mask = uc_tf_int(c, "end_mask"),
                 .ellipsis = uc_tf_int(c, "ellipsis_mask"),
                 .added_mask = uc_tf_int(c, "new_axis_mask"),
                 .shrink = uc_tf_int(c, "shrink_axis_mask")};
    uc_ref x = uc_tf_in(c, 0);
    if (!read_strided(c, &s, uc_tf_rank(c, x))) {
        const uc_ref in[] = {x, uc_tf_i64(c, 1), uc_tf_i64(c, 2), uc_tf_i64(c, 3)};
        uc_tf_out(c, 0, uc_node_out(uc_tf_direct_node(c, NULL, in, 4, 1), 0));
        return;
    }
    if (s.count) x = uc_g_slices(g, x, s.begin, s.end, s.axis, s.step, s.count);
    if (s.shrunk_count)
        x = uc_g2(g, "Squeeze", x, uc_graph_i64s(g, s.shrunk, (int64_t)s.shrunk_count));
    if (s.added_count)
        x = uc_g2(g, "Unsqueeze", x, uc_graph_i64s(g, s.added, (int64_t)s.added_count));
    uc_tf_out(c, 0, x);
}

/* ---- reversals ------------------------------------------------------------------------------- */

static void reverse(uc_tf_call *c, const int64_t *axes, size_t n)
{
    const uc_ref x = uc_tf_in(c, 0);
    uc_tf_out(c, 0, n ? uc_g_reverse(c->graph, x, axes, n) : x);
}

void uc_tf_op_reverse_v2(uc_tf_call *c)
{
    int64_t axes[UNCORK_MAX_RANK];
    const size_t n = uc_tf_known(c, 1, axes, UNCORK_MAX_RANK);
    if (n == SIZE_MAX)
        uc_tf_op_direct(c);
    else
        reverse(c, axes, n);
}

/* ---- pads ------------------------------------------------------------------------------------ */

/* [rank, 2] (before, after) as ONNX has them: all before, all after. */
static uc_ref pads_of(uc_tf_call *c, int first_rank)
{
    static const int64_t image[] = {0, 3, 1, 2}, volume[] = {0, 4, 1, 2, 3};
    uc_graph *g = c->graph;
    const int64_t flat[] = {-1};
    uc_ref pads = uc_g_transpose(g, uc_tf_i64(c, 1));
    if (first_rank)
        pads =
            uc_g_gather(g, pads, uc_graph_i64s(g, first_rank == 4 ? image : volume, first_rank), 1);
    return uc_g_reshape(g, pads, flat, 1);
}

static void pad(uc_tf_call *c, const char *mode)
{
    int rank = 0;
    bool first = uc_tf_is_first(c, 0);
    uc_ref x = first ? uc_tf_first(c, 0) : uc_tf_in(c, 0);
    if (first) rank = uc_tf_rank(c, x);
    if (first && rank != 4 && rank != 5) {
        x = uc_tf_in(c, 0);
        first = false;
        rank = 0;
    }
    const uc_ref value = uc_tf_in_count(c) > 2 ? uc_tf_in(c, 2) : 0;
    const uc_ref in[] = {x, pads_of(c, rank), value};
    uc_node *n = uc_graph_node(c->graph, "Pad", in, value ? 3 : 2, 1);
    if (mode) uc_node_str(c->graph, n, "mode", mode);
    uc_tf_give(c, uc_node_out(n, 0), first);
}

void uc_tf_op_pad(uc_tf_call *c) { pad(c, NULL); }

/* SYMMETRIC repeats the border. */
void uc_tf_op_mirror_pad(uc_tf_call *c)
{
    if (uc_tf_str_is(c, "mode", "REFLECT"))
        pad(c, "reflect");
    else
        uc_tf_op_direct(c);
}

/* ---- blocks of space ------------------------------------------------------------------------- */

void uc_tf_op_blocks(uc_tf_call *c)
{
    const bool given = uc_tf_str_is(c, "data_format", "NCHW");
    const bool depth = c->node->op.data[0] == 'D';
    const uc_ref x = given ? uc_tf_in(c, 0) : uc_tf_first(c, 0);
    uc_node *n = uc_graph_node(c->graph, depth ? "DepthToSpace" : "SpaceToDepth", &x, 1, 1);
    uc_node_int(c->graph, n, "blocksize", uc_tf_int(c, "block_size"));
    uc_tf_give(c, uc_node_out(n, 0), !given);
}

/* One size for both axes. */
void uc_tf_op_batch_blocks(uc_tf_call *c)
{
    const int64_t size = uc_tf_int(c, "block_size"), both[] = {size, size};
    const uc_ref in[] = {uc_tf_in(c, 0), uc_graph_i64s(c->graph, both, 2), uc_tf_i64(c, 1)};
    const char *op =
        c->node->op.data[0] == 'S' ? "uncork.TfSpaceToBatchND" : "uncork.TfBatchToSpaceND";
    uc_tf_out(c, 0, uc_node_out(uc_graph_node(c->graph, op, in, 3, 1), 0));
}
