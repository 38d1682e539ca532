/* Shapes: reordering, cutting, joining. A size that isn't known before the model runs is taken from the
 * value's shape. */
#include "import/pytorch/torch_build.h"

#include <inttypes.h>

static uc_ref transpose(uc_graph *g, uc_ref x, const int64_t *perm, size_t n)
{
    uc_node *node = uc_graph_node(g, "Transpose", &x, 1, 1);
    uc_node_ints(g, node, "perm", perm, n);
    return uc_node_out(node, 0);
}

/* Dimensions [begin, end) as int64 [end - begin]. */
static uc_ref dims(uc_graph *g, uc_ref x, int begin, int end)
{
    uc_node *n = uc_graph_node(g, "Shape", &x, 1, 1);
    uc_node_int(g, n, "start", begin);
    uc_node_int(g, n, "end", end);
    return uc_node_out(n, 0);
}

/* x with its dimensions [begin, end) replaced by `sizes`, at most one of them -1. */
static uc_ref replace_dims(uc_t_build *b, uc_ref x, int begin, int end, const int64_t *sizes,
                           int count)
{
    uc_graph *g = b->graph;
    int64_t shape[UNCORK_MAX_RANK];
    const int rank = uc_t_rank(b, x), tail = rank - end;
    bool known = true, infers = false;
    if (begin + count + tail > UNCORK_MAX_RANK)
        return uc_t_fail(b, "more than %d dimensions", UNCORK_MAX_RANK);
    for (int i = 0; i < begin; i++) {
        shape[i] = 0; /* stays */
    }
    for (int i = 0; i < count; i++) {
        shape[begin + i] = sizes[i];
        infers = infers || sizes[i] < 0;
    }
    for (int i = 0; i < tail; i++) {
        const int64_t n = uc_t_dim(b, x, end + i);
        const bool same_place = begin + count == end; /* then 0 keeps it too */
        shape[begin + count + i] = same_place ? 0 : n;
        if (same_place || n > 0) continue;
        known = known && !infers && n != 0;
        infers = true;
    }
    if (known) return uc_g_reshape(g, x, shape, begin + count + tail);
    const uc_ref parts[] = {dims(g, x, 0, begin), uc_graph_i64s(g, sizes, count),
                            dims(g, x, end, rank)};
    return uc_g2(g, "Reshape", x, uc_g_concat(g, parts, 3, 0));
}

uc_ref uc_t_flatten(uc_t_build *b, uc_ref x, int64_t start, int64_t end)
{
    static const int64_t rest[] = {-1};
    if (uc_t_rank(b, x) == 0) return uc_g_reshape(b->graph, x, rest, 1);
    const int from = uc_t_axis(b, x, start), to = from < 0 ? -1 : uc_t_axis(b, x, end);
    if (to < 0) return 0;
    if (to < from) return uc_t_fail(b, "flatten from dim %d to %d", from, to);
    if (from == to) return x;
    if (from == 1 && to == uc_t_rank(b, x) - 1) { /* no elements need no inference */
        uc_node *n = uc_graph_node(b->graph, "Flatten", &x, 1, 1);
        uc_node_int(b->graph, n, "axis", 1);
        return uc_node_out(n, 0);
    }
    return replace_dims(b, x, from, to + 1, rest, 1);
}

uc_ref uc_t_unflatten(uc_t_build *b, uc_ref x, int64_t dim, const int64_t *sizes, size_t count)
{
    const int axis = uc_t_axis(b, x, dim);
    if (axis < 0) return 0;
    if (count < 1 || count > UNCORK_MAX_RANK) return uc_t_fail(b, "unflatten to %zu sizes", count);
    return replace_dims(b, x, axis, axis + 1, sizes, (int)count);
}

uc_ref uc_t_reshape(uc_t_build *b, uc_ref x, const int64_t *shape, int rank)
{
    uc_graph *g = b->graph;
    bool zero = false;
    if (rank > UNCORK_MAX_RANK) return uc_t_fail(b, "more than %d dimensions", UNCORK_MAX_RANK);
    for (int i = 0; i < rank; i++) {
        zero = zero || shape[i] == 0;
    }
    const uc_ref in[] = {x, uc_graph_i64s(g, shape, rank)};
    uc_node *n = uc_graph_node(g, "Reshape", in, 2, 1);
    if (zero) uc_node_int(g, n, "allowzero", 1);
    return uc_node_out(n, 0);
}

uc_ref uc_t_reshape0(uc_t_build *b, uc_ref x, const int64_t *shape, int rank)
{
    return uc_g_reshape(b->graph, x, shape, rank);
}

uc_ref uc_t_permute(uc_t_build *b, uc_ref x, const int64_t *perm, int rank)
{
    int64_t from_start[UNCORK_MAX_RANK];
    bool same = true;
    for (int i = 0; i < rank && i < UNCORK_MAX_RANK; i++) {
        from_start[i] = perm[i] < 0 ? perm[i] + rank : perm[i];
        same = same && from_start[i] == i;
    }
    if (rank > UNCORK_MAX_RANK) return uc_t_fail(b, "more than %d dimensions", UNCORK_MAX_RANK);
    return same ? x : transpose(b->graph, x, from_start, (size_t)rank);
}

uc_ref uc_t_transpose(uc_t_build *b, uc_ref x, int64_t dim0, int64_t dim1)
{
    int64_t perm[UNCORK_MAX_RANK];
    const int a = uc_t_axis(b, x, dim0), c = a < 0 ? -1 : uc_t_axis(b, x, dim1);
    const int rank = uc_t_rank(b, x);
    if (c < 0) return 0;
    if (rank < 2) return x;
    for (int i = 0; i < rank; i++) {
        perm[i] = i == a ? c : i == c ? a : i;
    }
    return uc_t_permute(b, x, perm, rank);
}

uc_ref uc_t_squeeze(uc_t_build *b, uc_ref x, int64_t dim)
{
    const int axis = uc_t_axis(b, x, dim);
    if (axis < 0 || uc_t_rank(b, x) == 0) return axis < 0 ? 0 : x;
    const int64_t n = uc_t_dim(b, x, axis);
    if (n < 0) return uc_t_fail(b, "squeeze of dim %d, whose size isn't known", axis);
    return n == 1 ? uc_g_squeeze(b->graph, x, axis) : x;
}

uc_ref uc_t_unsqueeze(uc_t_build *b, uc_ref x, int64_t dim)
{
    return uc_g_unsqueeze(b->graph, x, dim);
}

uc_ref uc_t_cat(uc_t_build *b, const uc_ref *x, size_t count, int64_t dim)
{
    return count == 1 ? x[0] : uc_g_concat(b->graph, x, count, dim);
}

uc_ref uc_t_stack(uc_t_build *b, const uc_ref *x, size_t count, int64_t dim)
{
    uc_graph *g = b->graph;
    uc_ref *rows = UC_NEW(g->arena, uc_ref, count + 1);
    for (size_t i = 0; rows && i < count; i++) {
        rows[i] = uc_g_unsqueeze(g, x[i], dim);
    }
    return rows ? uc_t_cat(b, rows, count, dim)
                : uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
}

uc_ref uc_t_slice(uc_t_build *b, uc_ref x, int64_t dim, int64_t start, int64_t end, int64_t step)
{
    uc_graph *g = b->graph;
    if (step < 1) return uc_t_fail(b, "a slice with step %" PRId64, step);
    if (start == 0 && end == INT64_MAX && step == 1) return x;
    if (step == 1) return uc_g_slice(g, x, dim, start, end);
    return uc_g_slices(g, x, &start, &end, &dim, &step, 1);
}

uc_ref uc_t_select(uc_t_build *b, uc_ref x, int64_t dim, int64_t index)
{
    return uc_g_gather(b->graph, x, uc_graph_i64(b->graph, index), dim);
}

uc_ref uc_t_expand(uc_t_build *b, uc_ref x, const int64_t *shape, int rank)
{
    uc_graph *g = b->graph;
    int64_t wide[UNCORK_MAX_RANK];
    if (rank > UNCORK_MAX_RANK) return uc_t_fail(b, "more than %d dimensions", UNCORK_MAX_RANK);
    for (int i = 0; i < rank; i++) {
        wide[i] = shape[i] < 0 ? 1 : shape[i]; /* 1 keeps in ONNX */
    }
    return uc_g2(g, "Expand", x, uc_graph_i64s(g, wide, rank));
}

/* A few large parts as slices: those are views, where a Split copies. */
static bool few_slices(uc_t_build *b, uc_ref x, const int64_t *sizes, size_t count, int64_t dim,
                       uc_ref *out)
{
    enum { FEW = 4 };
    const int axis = uc_t_axis(b, x, dim);
    const int64_t whole = axis < 0 ? -1 : uc_t_dim(b, x, axis);
    int64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        end += sizes[i];
    }
    if (count > FEW || whole < 0 || end != whole) return false;
    for (size_t i = count; i-- > 0; end -= sizes[i]) {
        out[i] = uc_g_slice(b->graph, x, axis, end - sizes[i], end);
    }
    return true;
}

bool uc_t_split(uc_t_build *b, uc_ref x, const int64_t *sizes, size_t count, int64_t dim,
                uc_ref *out)
{
    uc_graph *g = b->graph;
    if (count == 1) {
        out[0] = x;
        return !g->status;
    }
    if (few_slices(b, x, sizes, count, dim, out)) return !g->status;
    const uc_ref in[] = {x, uc_graph_i64s(g, sizes, (int64_t)count)};
    uc_node *n = uc_graph_node(g, "Split", in, 2, count);
    uc_node_int(g, n, "axis", dim);
    for (size_t i = 0; i < count; i++) {
        out[i] = uc_node_out(n, i);
    }
    return !g->status;
}

size_t uc_t_chunk(uc_t_build *b, uc_ref x, int64_t chunks, int64_t dim, uc_ref *out)
{
    int64_t sizes[1024], left;
    const int axis = uc_t_axis(b, x, dim);
    left = axis < 0 ? -1 : uc_t_dim(b, x, axis);
    if (left < 0 || chunks < 1 || chunks > 1024) {
        uc_t_fail(b, "%" PRId64 " chunks of a dimension of %" PRId64, chunks, left);
        return 0;
    }
    const int64_t each = left ? (left + chunks - 1) / chunks : 0;
    size_t n = 0;
    do {
        sizes[n++] = left < each ? left : each;
        left -= sizes[n - 1];
    } while (left > 0 || (each == 0 && n < (size_t)chunks));
    return uc_t_split(b, x, sizes, n, dim, out) ? n : 0;
}

uc_ref uc_t_roll(uc_t_build *b, uc_ref x, const int64_t *shifts, const int64_t *dims_, size_t count)
{
    uc_graph *g = b->graph;
    for (size_t i = 0; i < count && !g->status; i++) {
        const int axis = uc_t_axis(b, x, dims_[i]);
        const int64_t n = axis < 0 ? -1 : uc_t_dim(b, x, axis);
        int64_t shift = shifts[i];
        if (axis < 0) return 0;
        if (n > 0) shift = ((shift % n) + n) % n;
        if (shift == 0 || n == 0) continue;
        /* an axis of unknown length: the shift is smaller, or the cut wouldn't fit */
        const uc_ref parts[] = {uc_g_slice(g, x, axis, -shift, INT64_MAX),
                                uc_g_slice(g, x, axis, 0, -shift)};
        x = uc_g_concat(g, parts, 2, axis);
    }
    return x;
}

uc_ref uc_t_flip(uc_t_build *b, uc_ref x, const int64_t *dims_, size_t count)
{
    return count ? uc_g_reverse(b->graph, x, dims_, count) : x;
}

uc_ref uc_t_size(uc_t_build *b, uc_ref x, int64_t dim)
{
    uc_graph *g = b->graph;
    const int axis = uc_t_axis(b, x, dim);
    if (axis < 0) return 0;
    const int64_t n = uc_t_dim(b, x, axis);
    return n >= 0 ? uc_graph_i64(g, n) : uc_g_squeeze(g, dims(g, x, axis, axis + 1), 0);
}

/* ---- pixels and blocks ----------------------------------------------------------------------- */

/* x as [N, C, H, W]: leading axes joined into one, or one added. *front: the axes it had. */
static uc_ref as_pictures(uc_t_build *b, uc_ref x, int *rank)
{
    *rank = uc_t_rank(b, x);
    if (*rank == 3) return uc_g_unsqueeze(b->graph, x, 0);
    if (*rank <= 4) return x;
    return uc_t_flatten(b, x, 0, *rank - 4);
}

static uc_ref from_pictures(uc_t_build *b, uc_ref y, uc_ref like, int rank)
{
    uc_graph *g = b->graph;
    if (rank == 3) return uc_g_squeeze(g, y, 0);
    if (rank <= 4) return y;
    const uc_ref parts[] = {dims(g, like, 0, rank - 3), dims(g, y, 1, 4)};
    return uc_g2(g, "Reshape", y, uc_g_concat(g, parts, 2, 0));
}

uc_ref uc_t_pixel_shuffle(uc_t_build *b, uc_ref x, int64_t factor)
{
    int rank;
    const uc_ref in = as_pictures(b, x, &rank);
    uc_node *n = uc_graph_node(b->graph, "DepthToSpace", &in, 1, 1);
    uc_node_int(b->graph, n, "blocksize", factor);
    uc_node_str(b->graph, n, "mode", "CRD");
    return from_pictures(b, uc_node_out(n, 0), x, rank);
}

/* Channels in another order: out[i * inner + j] = in[j * outer + i]. */
static uc_ref reorder_channels(uc_t_build *b, uc_ref x, int axis, int64_t outer, int64_t inner)
{
    uc_graph *g = b->graph;
    int64_t n;
    if (outer < 1 || inner < 1 || __builtin_mul_overflow(outer, inner, &n) || n > INT32_MAX)
        return uc_t_fail(b, "%" PRId64 " times %" PRId64 " channels", outer, inner);
    int64_t *order = UC_NEW(g->arena, int64_t, (size_t)n);
    for (int64_t k = 0; order && k < n; k++) {
        order[k] = k % inner * outer + k / inner;
    }
    if (!order) return uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    return uc_g_gather(g, x, uc_graph_i64s(g, order, n), axis);
}

uc_ref uc_t_pixel_unshuffle(uc_t_build *b, uc_ref x, int64_t factor)
{
    int rank;
    const uc_ref in = as_pictures(b, x, &rank);
    const int64_t c = uc_t_dim(b, in, 1);
    if (c < 1 || factor < 1 || factor > 4096)
        return uc_t_fail(b, "pixel_unshuffle of %" PRId64 " channels by %" PRId64, c, factor);
    uc_node *n = uc_graph_node(b->graph, "SpaceToDepth", &in, 1, 1);
    uc_node_int(b->graph, n, "blocksize", factor);
    /* ONNX: place in the block first, then channel */
    const uc_ref y = reorder_channels(b, uc_node_out(n, 0), 1, c, factor * factor);
    return from_pictures(b, y, x, rank);
}

uc_ref uc_t_channel_shuffle(uc_t_build *b, uc_ref x, int64_t groups)
{
    const int64_t c = uc_t_dim(b, x, 1);
    if (groups < 1 || c < 1 || c % groups)
        return uc_t_fail(b, "%" PRId64 " channels shuffled in %" PRId64 " groups", c, groups);
    return reorder_channels(b, x, 1, c / groups, groups);
}

/* The sliding blocks' elements by a convolution with ones at their places: exact. */
uc_ref uc_t_unfold(uc_t_build *b, uc_ref x, const int64_t kernel[2], const int64_t dilation[2],
                   const int64_t padding[2], const int64_t stride[2])
{
    uc_graph *g = b->graph;
    const bool added = uc_t_rank(b, x) == 3;
    if (added) x = uc_g_unsqueeze(g, x, 0);
    const int64_t c = uc_t_dim(b, x, 1), flat[] = {0, 0, -1};
    int64_t taps, rows, cells;
    if (c < 1 || kernel[0] < 1 || kernel[1] < 1 ||
        __builtin_mul_overflow(kernel[0], kernel[1], &taps) ||
        __builtin_mul_overflow(taps, c, &rows) || __builtin_mul_overflow(rows, taps, &cells) ||
        cells > INT32_MAX)
        return uc_t_fail(b, "unfold of %" PRId64 " channels by %" PRId64 "x%" PRId64, c, kernel[0],
                         kernel[1]);
    uncork_dtype dtype = uc_t_dtype(b, x);
    if (!dtype) dtype = UNCORK_FLOAT32;
    const int64_t shape[] = {rows, 1, kernel[0], kernel[1]};
    uc_tensor *ones = uc_tensor_new(g->arena, dtype, 4, shape);
    if (!ones) return uc_graph_fail(g, UNCORK_NO_MEMORY, "memory is out");
    const double one = 1;
    const size_t size = uc_dtype_size(dtype);
    for (int64_t r = 0; r < rows; r++) {
        char *at = (char *)ones->data + (size_t)(r * taps + r % taps) * size;
        (void)uc_dtype_convert(at, dtype, &one, UNCORK_FLOAT64, 1);
    }
    const uc_ref y = uc_t_conv(b, x, uc_graph_const(g, ones), 0, 2, stride, padding, dilation, c);
    const uc_ref columns = uc_g_reshape(g, y, flat, 3);
    return added ? uc_g_squeeze(g, columns, 0) : columns;
}

uc_ref uc_t_fold(uc_t_build *b, uc_ref x, const int64_t size[2], const int64_t kernel[2],
                 const int64_t dilation[2], const int64_t padding[2], const int64_t stride[2])
{
    uc_graph *g = b->graph;
    const bool added = uc_t_rank(b, x) == 2;
    const int64_t pads[] = {padding[0], padding[1], padding[0], padding[1]};
    const uc_ref in[] = {added ? uc_g_unsqueeze(g, x, 0) : x, uc_graph_i64s(g, size, 2),
                         uc_graph_i64s(g, kernel, 2)};
    uc_node *n = uc_graph_node(g, "Col2Im", in, 3, 1);
    uc_node_ints(g, n, "dilations", dilation, 2);
    uc_node_ints(g, n, "pads", pads, 4);
    uc_node_ints(g, n, "strides", stride, 2);
    return added ? uc_g_squeeze(g, uc_node_out(n, 0), 0) : uc_node_out(n, 0);
}
