/* Shapes and moves of elements: bytes move as they are.
 * Source: tensorflow/lite/kernels/{reshape,squeeze,pack,split,gather,concatenation,...}.cc. */
#include "import/tflite/tflite_layout.h"

#include <inttypes.h>

static uc_ref flat(uc_graph *g, uc_ref a)
{
    const int64_t shape[] = {-1};
    return uc_g_reshape(g, a, shape, 1);
}

/* As output 0 has it: bytes where the scales agree, else real numbers quantised anew. */
static bool bytes_pass(uc_tfl_call *c, size_t i) { return uc_tfl_same_scale(c, i); }

void uc_tfl_reshape(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    uc_ref shape = 0;
    if (uc_tfl_has(c, 1) && uc_tfl_tensor_in(c, 1)->rank == 1) {
        shape = uc_tfl_i64(c, 1);
    } else {
        const uc_fb_vector v = uc_fb_vec(c->options, 0, 4);
        int64_t to[UNCORK_MAX_RANK];
        if (v.count > UNCORK_MAX_RANK) {
            uc_tfl_fail(c, "%zu dimensions", v.count);
            return;
        }
        for (size_t i = 0; i < v.count; i++) {
            to[i] = uc_fb_vec_int(v, i);
        }
        /* Legacy: a scalar was written as [0]. */
        const size_t n = v.count == 1 && to[0] == 0 ? 0 : v.count;
        shape = uc_graph_i64s(g, to, (int64_t)n);
    }
    const uc_ref in[] = {uc_tfl_raw(c, 0), shape};
    uc_node *n = uc_graph_node(g, "Reshape", in, 2, 1);
    uc_node_int(g, n, "allowzero", 1);
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
}

void uc_tfl_squeeze(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_fb_vector v = uc_fb_vec(c->options, 0, 4);
    int64_t axes[UNCORK_MAX_RANK];
    const uc_ref x = uc_tfl_raw(c, 0);
    if (v.count > UNCORK_MAX_RANK) {
        uc_tfl_fail(c, "%zu axes", v.count);
        return;
    }
    for (size_t i = 0; i < v.count; i++) {
        axes[i] = uc_fb_vec_int(v, i);
    }
    uc_tfl_out_raw(c, 0,
                   v.count ? uc_g2(g, "Squeeze", x, uc_graph_i64s(g, axes, (int64_t)v.count))
                           : uc_g1(g, "Squeeze", x));
}

void uc_tfl_expand_dims(uc_tfl_call *c)
{
    const uc_ref axis = flat(c->graph, uc_tfl_i64(c, 1));
    uc_tfl_out_raw(c, 0, uc_g2(c->graph, "Unsqueeze", uc_tfl_raw(c, 0), axis));
}

void uc_tfl_concatenation(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const size_t count = c->op->in_count;
    int64_t axis = uc_tfl_i32(c, 0, 0);
    uc_ref *parts = UC_NEW(g->arena, uc_ref, count + 1);
    bool first = false, raw = true;
    if (!parts || count == 0) {
        uc_tfl_fail(c, "%zu inputs", count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        first = first || uc_tfl_is_first(c, i);
        raw = raw && bytes_pass(c, i);
    }
    raw = raw && uc_tfl_i8(c, 1, 0) == 0;
    for (size_t i = 0; i < count && !g->status; i++) {
        if (first)
            parts[i] = raw ? uc_tfl_first_raw(c, i) : uc_tfl_first(c, i);
        else
            parts[i] = raw ? uc_tfl_raw(c, i) : uc_tfl_in(c, i);
    }
    static const int64_t place[] = {0, 2, 3, 1};
    if (first && axis < 0) axis += 4;
    if (first) axis = axis >= 0 && axis < 4 ? place[axis] : 0;
    uc_ref y = g->status ? 0 : uc_g_concat(g, parts, count, axis);
    if (!raw) y = uc_tfl_fused(c, 1, y);
    if (first && raw)
        uc_tfl_out_raw_first(c, 0, y);
    else if (raw)
        uc_tfl_out_raw(c, 0, y);
    else
        uc_tfl_give(c, y, first);
}

void uc_tfl_pack(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const size_t count = c->op->in_count;
    int64_t axis = uc_tfl_i32(c, 1, 0);
    uc_ref *parts = UC_NEW(g->arena, uc_ref, count + 1);
    if (!parts || count == 0) {
        uc_tfl_fail(c, "%zu inputs", count);
        return;
    }
    for (size_t i = 0; i < count && !g->status; i++) {
        parts[i] = uc_g_unsqueeze(g, uc_tfl_raw(c, i), axis);
    }
    uc_tfl_out_raw(c, 0, g->status ? 0 : uc_g_concat(g, parts, count, axis));
}

void uc_tfl_unpack(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const int64_t axis = uc_tfl_i32(c, 1, 0);
    const uc_ref x = uc_tfl_raw(c, 0);
    for (size_t i = 0; i < c->op->out_count && !g->status; i++) {
        uc_tfl_out_raw(c, i, uc_g_gather(g, x, uc_graph_i64(g, (int64_t)i), axis));
    }
}

/* ---- split ----------------------------------------------------------------------------------- */

static void split(uc_tfl_call *c, size_t x, size_t axis_input, uc_ref sizes)
{
    uc_graph *g = c->graph;
    int64_t axis;
    if (uc_tfl_known(c, axis_input, &axis, 1) != 1) {
        uc_tfl_fail(c, "its axis isn't a constant");
        return;
    }
    const uc_ref in[] = {uc_tfl_raw(c, x), sizes};
    if (g->status || c->op->out_count == 0) return;
    uc_node *n = uc_graph_node(g, "Split", in, sizes ? 2 : 1, c->op->out_count);
    uc_node_int(g, n, "axis", axis);
    if (!sizes) uc_node_int(g, n, "num_outputs", (int64_t)c->op->out_count);
    for (size_t i = 0; i < c->op->out_count; i++) {
        uc_tfl_out_raw(c, i, uc_node_out(n, i));
    }
}

void uc_tfl_split(uc_tfl_call *c) { split(c, 1, 0, 0); }
void uc_tfl_split_v(uc_tfl_call *c)
{
    int64_t sizes[256], axis;
    const size_t n = uc_tfl_known(c, 1, sizes, 256);
    uc_ref at = uc_tfl_i64(c, 1);
    if (n != SIZE_MAX && uc_tfl_known(c, 2, &axis, 1) == 1) { /* one size may be -1: the rest */
        const int64_t whole = uc_tfl_dim(c, uc_tfl_raw(c, 0), (int)axis);
        int64_t rest = whole;
        for (size_t i = 0; i < n; i++) {
            if (sizes[i] > 0 && sizes[i] <= rest) rest -= sizes[i];
        }
        for (size_t i = 0; i < n && whole >= 0; i++) {
            if (sizes[i] < 0) sizes[i] = rest;
        }
        at = uc_graph_i64s(c->graph, sizes, (int64_t)n);
    }
    split(c, 0, 2, at);
}

/* ---- slices ---------------------------------------------------------------------------------- */

/* begin and size; -1: to the end. */
void uc_tfl_slice(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref begin = uc_tfl_i64(c, 1), size = uc_tfl_i64(c, 2);
    const uc_ref all = uc_g2(g, "Less", size, uc_graph_i64(g, 0));
    const uc_ref end = uc_g_where(g, all, uc_graph_i64(g, INT64_MAX), uc_g2(g, "Add", begin, size));
    uc_tfl_out_raw(c, 0, uc_g3(g, "Slice", uc_tfl_raw(c, 0), begin, end));
}

typedef struct strided {
    int64_t begin[UNCORK_MAX_RANK], end[UNCORK_MAX_RANK], step[UNCORK_MAX_RANK];
    int64_t axis[UNCORK_MAX_RANK], shrunk[UNCORK_MAX_RANK], added[UNCORK_MAX_RANK];
    size_t count, shrunk_count, added_count;
} strided;

static bool bit(int64_t mask, size_t i) { return mask >> i & 1; }

/* Entry i of the specification, on `axis` of the input; `at`: its place in the output before shrinking. */
static void add_entry(uc_tfl_call *c, strided *s, size_t i, int64_t axis, const int64_t *begin,
                      const int64_t *end, const int64_t *step)
{
    const bool shrink = bit(uc_tfl_i32(c, 4, 0), i);
    const int64_t by = shrink ? 1 : step[i];
    const size_t k = s->count++;
    s->axis[k] = axis;
    s->step[k] = by;
    s->begin[k] = begin[i];
    s->end[k] = end[i];
    if (bit(uc_tfl_i32(c, 0, 0), i) && !shrink) s->begin[k] = by > 0 ? 0 : INT64_MAX;
    if (bit(uc_tfl_i32(c, 1, 0), i)) s->end[k] = by > 0 ? INT64_MAX : INT64_MIN;
    if (uc_fb_bool(c->options, 5, false)) s->end[k] += s->begin[k]; /* the end is an offset */
    if (!shrink) return;
    s->end[k] = begin[i] == -1 ? INT64_MAX : begin[i] + 1;
    s->shrunk[s->shrunk_count++] = axis;
}

static bool read_strided(uc_tfl_call *c, strided *s, int rank)
{
    int64_t begin[UNCORK_MAX_RANK], end[UNCORK_MAX_RANK], step[UNCORK_MAX_RANK];
    const size_t n = uc_tfl_known(c, 1, begin, UNCORK_MAX_RANK);
    const size_t m = uc_tfl_known(c, 2, end, UNCORK_MAX_RANK);
    const size_t k = uc_tfl_known(c, 3, step, UNCORK_MAX_RANK);
    const int64_t ellipsis = uc_tfl_i32(c, 2, 0), added = uc_tfl_i32(c, 3, 0);
    int64_t axis = 0, place = 0;
    if (n == SIZE_MAX || n != m || n != k || rank < 0) {
        uc_tfl_fail(c, "its limits aren't constants, or the rank isn't known");
        return false;
    }
    size_t given = 0;
    for (size_t i = 0; i < n; i++) {
        given += !bit(ellipsis, i) && !bit(added, i);
    }
    for (size_t i = 0; i < n; i++) {
        if (bit(ellipsis, i)) {
            const int64_t skip = rank - (int64_t)given;
            axis += skip > 0 ? skip : 0;
            place += skip > 0 ? skip : 0;
        } else if (bit(added, i)) {
            s->added[s->added_count++] = place++;
        } else {
            if (axis >= rank) {
                uc_tfl_fail(c, "%zu limits of %d dimensions", n, rank);
                return false;
            }
            place += !bit(uc_tfl_i32(c, 4, 0), i);
            add_entry(c, s, i, axis++, begin, end, step);
        }
    }
    return true;
}

/* One element a time: x[i] with i computed, of a vector. */
static bool dynamic_element(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_tfl_tensor *b = uc_tfl_tensor_in(c, 1);
    int64_t begin;
    if (b->rank != 1 || b->shape[0] != 1 || uc_tfl_i32(c, 4, 0) != 1 ||
        uc_tfl_known(c, 1, &begin, 1) == 1) {
        return false;
    }
    const int64_t scalar[] = {0};
    const uc_ref at = uc_g_reshape(g, uc_tfl_i64(c, 1), scalar, 0);
    uc_tfl_out_raw(c, 0, uc_g_gather(g, uc_tfl_raw(c, 0), at, 0));
    return true;
}

/* Limits that are computed, no mask but begin's and end's: Slice itself. */
static bool dynamic_slice(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    int64_t v[UNCORK_MAX_RANK];
    const uc_tfl_tensor *b = uc_tfl_tensor_in(c, 1);
    const bool known = uc_tfl_known(c, 1, v, UNCORK_MAX_RANK) != SIZE_MAX &&
                       uc_tfl_known(c, 2, v, UNCORK_MAX_RANK) != SIZE_MAX;
    if (known || uc_tfl_i32(c, 2, 0) || uc_tfl_i32(c, 3, 0) || uc_tfl_i32(c, 4, 0) ||
        b->rank != 1 || b->shape[0] < 0 || b->shape[0] > UNCORK_MAX_RANK) {
        return false;
    }
    const size_t n = (size_t)b->shape[0];
    if (uc_tfl_known(c, 3, v, n) != n) return false;
    int64_t axes[UNCORK_MAX_RANK], low[UNCORK_MAX_RANK], high[UNCORK_MAX_RANK];
    bool low_mask[UNCORK_MAX_RANK], high_mask[UNCORK_MAX_RANK];
    for (size_t i = 0; i < n; i++) {
        axes[i] = (int64_t)i;
        low[i] = v[i] > 0 ? 0 : INT64_MAX;
        high[i] = v[i] > 0 ? INT64_MAX : INT64_MIN;
        low_mask[i] = bit(uc_tfl_i32(c, 0, 0), i);
        high_mask[i] = bit(uc_tfl_i32(c, 1, 0), i);
    }
    const int64_t shape[] = {(int64_t)n};
    uc_tensor *lm = uc_tensor_new(g->arena, UNCORK_BOOL, 1, shape);
    uc_tensor *hm = uc_tensor_new(g->arena, UNCORK_BOOL, 1, shape);
    if (!lm || !hm) return false;
    memcpy(lm->data, low_mask, n);
    memcpy(hm->data, high_mask, n);
    const uc_ref begin =
        uc_g_where(g, uc_graph_const(g, lm), uc_graph_i64s(g, low, (int64_t)n), uc_tfl_i64(c, 1));
    const uc_ref end =
        uc_g_where(g, uc_graph_const(g, hm), uc_graph_i64s(g, high, (int64_t)n), uc_tfl_i64(c, 2));
    const uc_ref in[] = {uc_tfl_raw(c, 0), begin, end, uc_graph_i64s(g, axes, (int64_t)n),
                         uc_tfl_i64(c, 3)};
    uc_tfl_out_raw(c, 0, uc_node_out(uc_graph_node(g, "Slice", in, 5, 1), 0));
    return true;
}

void uc_tfl_strided_slice(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    strided s = {.count = 0};
    uc_ref x = uc_tfl_raw(c, 0);
    if (dynamic_element(c) || dynamic_slice(c)) return;
    if (!read_strided(c, &s, uc_tfl_rank(c, x))) return;
    if (s.count) x = uc_g_slices(g, x, s.begin, s.end, s.axis, s.step, s.count);
    if (s.shrunk_count)
        x = uc_g2(g, "Squeeze", x, uc_graph_i64s(g, s.shrunk, (int64_t)s.shrunk_count));
    if (s.added_count)
        x = uc_g2(g, "Unsqueeze", x, uc_graph_i64s(g, s.added, (int64_t)s.added_count));
    uc_tfl_out_raw(c, 0, s.count || s.shrunk_count || s.added_count ? x : uc_g1(g, "Identity", x));
}

/* ---- gather, scatter ------------------------------------------------------------------------- */

void uc_tfl_gather(uc_tfl_call *c)
{
    const int64_t batch = uc_tfl_i32(c, 1, 0), axis = uc_tfl_i32(c, 0, 0);
    uc_graph *g = c->graph;
    const uc_ref x = uc_tfl_raw(c, 0), at = uc_tfl_i64(c, 1);
    if (batch == 0) {
        uc_tfl_out_raw(c, 0, uc_g_gather(g, x, at, axis));
        return;
    }
    if (axis != batch) {
        uc_tfl_fail(c, "batch_dims %" PRId64 " with axis %" PRId64, batch, axis);
        return;
    }
    const uc_ref in[] = {x, uc_g_unsqueeze(g, at, -1)};
    uc_node *n = uc_graph_node(g, "GatherND", in, 2, 1);
    uc_node_int(g, n, "batch_dims", batch);
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
}

void uc_tfl_gather_nd(uc_tfl_call *c)
{
    uc_tfl_out_raw(c, 0, uc_g2(c->graph, "GatherND", uc_tfl_raw(c, 0), uc_tfl_i64(c, 1)));
}

void uc_tfl_embedding_lookup(uc_tfl_call *c)
{
    const uc_ref at = uc_tfl_i64(c, 0);
    uc_tfl_out(c, 0, uc_g_gather(c->graph, uc_tfl_in(c, 1), at, 0));
}

void uc_tfl_top_k(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const uc_ref in[] = {uc_tfl_raw(c, 0), flat(g, uc_tfl_i64(c, 1))};
    uc_node *n = uc_graph_node(g, "TopK", in, 2, 2);
    uc_node_int(g, n, "axis", -1);
    const uc_ref values = uc_node_out(n, 0), at = uc_node_out(n, 1);
    uc_tfl_out_raw(c, 0, values);
    uc_tfl_out_raw(c, 1, uc_g_cast(g, at, uc_tfl_tensor_out(c, 1)->dtype));
}

/* An index out of range, a negative one too, is off everywhere. */
void uc_tfl_one_hot(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const int64_t scalar[] = {0};
    const uc_ref depth = uc_g_reshape(g, uc_tfl_i64(c, 1), scalar, 0);
    uc_ref at = uc_tfl_i64(c, 0);
    at = uc_g_where(g, uc_g2(g, "Less", at, uc_graph_i64(g, 0)), depth, at);
    const uc_ref on = flat(g, uc_tfl_raw(c, 2)), off = flat(g, uc_tfl_raw(c, 3));
    const uc_ref both[] = {off, on}, in[] = {at, depth, uc_g_concat(g, both, 2, 0)};
    uc_node *n = uc_graph_node(g, "OneHot", in, 3, 1);
    uc_node_int(g, n, "axis", uc_tfl_i32(c, 0, 0));
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
}

void uc_tfl_where(uc_tfl_call *c)
{
    const uc_ref at = uc_g1(c->graph, "NonZero", uc_tfl_raw(c, 0));
    uc_tfl_out_raw(c, 0, uc_g_transpose(c->graph, at));
}

/* ---- more ------------------------------------------------------------------------------------ */

void uc_tfl_tile(uc_tfl_call *c)
{
    uc_tfl_out_raw(c, 0, uc_g2(c->graph, "Tile", uc_tfl_raw(c, 0), uc_tfl_i64(c, 1)));
}

void uc_tfl_broadcast_to(uc_tfl_call *c)
{
    uc_tfl_out_raw(c, 0, uc_g2(c->graph, "Expand", uc_tfl_raw(c, 0), uc_tfl_i64(c, 1)));
}

void uc_tfl_fill(uc_tfl_call *c)
{
    uc_tfl_out_raw(c, 0, uc_g2(c->graph, "Expand", uc_tfl_raw(c, 1), uc_tfl_i64(c, 0)));
}

void uc_tfl_zeros_like(uc_tfl_call *c)
{
    const uc_ref x = uc_tfl_raw(c, 0);
    const uc_ref zero =
        uc_g_cast(c->graph, uc_graph_i64(c->graph, 0), uc_tfl_tensor_in(c, 0)->dtype);
    uc_tfl_out_filed(c, 0, uc_g2(c->graph, "Expand", zero, uc_g1(c->graph, "Shape", x)));
}

void uc_tfl_shape(uc_tfl_call *c)
{
    const uc_ref shape = uc_g1(c->graph, "Shape", uc_tfl_raw(c, 0));
    uc_tfl_out_raw(c, 0, uc_g_cast(c->graph, shape, uc_tfl_tensor_out(c, 0)->dtype));
}

void uc_tfl_rank_of(uc_tfl_call *c)
{
    const uc_ref shape = uc_g1(c->graph, "Shape", uc_tfl_raw(c, 0));
    const uc_ref rank = uc_g1(c->graph, "Size", shape);
    uc_tfl_out_raw(c, 0, uc_g_cast(c->graph, rank, uc_tfl_tensor_out(c, 0)->dtype));
}

void uc_tfl_range(uc_tfl_call *c)
{
    uc_tfl_out_raw(c, 0,
                   uc_g3(c->graph, "Range", uc_tfl_raw(c, 0), uc_tfl_raw(c, 1), uc_tfl_raw(c, 2)));
}

void uc_tfl_reverse(uc_tfl_call *c)
{
    int64_t axes[UNCORK_MAX_RANK];
    const size_t n = uc_tfl_known(c, 1, axes, UNCORK_MAX_RANK);
    if (n == SIZE_MAX) {
        uc_tfl_fail(c, "its axes aren't constants");
        return;
    }
    uc_tfl_out_raw(c, 0, uc_g_reverse(c->graph, uc_tfl_raw(c, 0), axes, n));
}

void uc_tfl_reverse_sequence(uc_tfl_call *c)
{
    const uc_ref in[] = {uc_tfl_raw(c, 0), uc_tfl_i64(c, 1)};
    uc_node *n = uc_graph_node(c->graph, "ReverseSequence", in, 2, 1);
    uc_node_int(c->graph, n, "time_axis", uc_tfl_i32(c, 0, 0));
    uc_node_int(c->graph, n, "batch_axis", uc_tfl_i32(c, 1, 0));
    uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
}

void uc_tfl_transpose_op(uc_tfl_call *c)
{
    int64_t perm[UNCORK_MAX_RANK];
    const size_t n = uc_tfl_known(c, 1, perm, UNCORK_MAX_RANK);
    if (n == SIZE_MAX) {
        uc_tfl_fail(c, "its order of axes isn't a constant");
        return;
    }
    uc_tfl_out_raw(c, 0, uc_tfl_transpose(c->graph, uc_tfl_raw(c, 0), perm, n));
}
