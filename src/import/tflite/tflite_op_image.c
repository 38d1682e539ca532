/* Pads, resizes, blocks of space.
 * Source: tensorflow/lite/kernels/{pad,mirror_pad,resize_bilinear,resize_nearest_neighbor}.cc,
 * kernels/internal/reference/{resize_bilinear,resize_nearest_neighbor,space_to_batch_nd}.h. */
#include "import/tflite/tflite_layout.h"

#include <inttypes.h>

/* [rank, 2] (before, after) as ONNX has them: all before, all after. */
static uc_ref pads_of(uc_tfl_call *c, size_t i, bool first)
{
    static const int64_t place[] = {0, 3, 1, 2};
    uc_graph *g = c->graph;
    const int64_t flat[] = {-1};
    uc_ref pads = uc_g_transpose(g, uc_tfl_i64(c, i));
    if (first) pads = uc_g_gather(g, pads, uc_graph_i64s(g, place, 4), 1);
    return uc_g_reshape(g, pads, flat, 1);
}

void uc_tfl_pad(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    const bool first = uc_tfl_is_first(c, 0) && uc_tfl_same_scale(c, 0);
    const bool mirror = c->op->row->code == 100;
    if (mirror &&
        uc_tfl_i8(c, 0, 0) == 1) { /* SYMMETRIC repeats the border, REFLECT leaves it out */
        const uc_ref in[] = {uc_tfl_raw(c, 0), uc_tfl_i64(c, 1)};
        uc_node *n = uc_graph_node(g, "uncork.TfMirrorPad", in, 2, 1);
        uc_node_str(g, n, "mode", "SYMMETRIC");
        uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
        return;
    }
    const uc_ref x = first ? uc_tfl_first_raw(c, 0) : uc_tfl_raw(c, 0);
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, 0);
    uc_ref value = 0;
    if (!mirror && uc_tfl_has(c, 2))
        value = uc_tfl_raw(c, 2);
    else if (!mirror && t->scales == 1)
        value = uc_tfl_zero(c, t);
    const uc_ref in[] = {x, pads_of(c, 1, first), value};
    uc_node *n = uc_graph_node(g, "Pad", in, value ? 3 : 2, 1);
    if (mirror) uc_node_str(g, n, "mode", "reflect");
    if (first)
        uc_tfl_out_raw_first(c, 0, uc_node_out(n, 0));
    else
        uc_tfl_out_raw(c, 0, uc_node_out(n, 0));
}

void uc_tfl_resize(uc_tfl_call *c)
{
    if (uc_tfl_q_resize(c)) return;
    static const int64_t axes[] = {2, 3};
    uc_graph *g = c->graph;
    const bool nearest = c->op->row->code == 97;
    const bool align = uc_fb_bool(c->options, nearest ? 0 : 2, false);
    const bool half = uc_fb_bool(c->options, nearest ? 1 : 3, false);
    const uc_ref x = nearest ? uc_tfl_first_raw(c, 0) : uc_tfl_first(c, 0);
    const uc_ref in[] = {x, 0, 0, uc_tfl_i64(c, 1)};
    uc_node *n = uc_graph_node(g, "Resize", in, 4, 1);
    uc_node_ints(g, n, "axes", axes, 2);
    uc_node_str(g, n, "mode", c->op->row->op);
    uc_node_str(g, n, "coordinate_transformation_mode",
                align  ? "align_corners"
                : half ? "half_pixel"
                       : "asymmetric");
    if (nearest) uc_node_str(g, n, "nearest_mode", align || half ? "round_prefer_ceil" : "floor");
    if (nearest)
        uc_tfl_out_raw_first(c, 0, uc_node_out(n, 0));
    else
        uc_tfl_out_first(c, 0, uc_node_out(n, 0));
}

static void blocks(uc_tfl_call *c, const char *op)
{
    const uc_ref x = uc_tfl_first_raw(c, 0);
    uc_node *n = uc_graph_node(c->graph, op, &x, 1, 1);
    uc_node_int(c->graph, n, "blocksize", uc_tfl_i32(c, 0, 0));
    uc_tfl_out_raw_first(c, 0, uc_node_out(n, 0));
}

void uc_tfl_depth_to_space(uc_tfl_call *c) { blocks(c, "DepthToSpace"); }
void uc_tfl_space_to_depth(uc_tfl_call *c) { blocks(c, "SpaceToDepth"); }

/* ---- space to batch -------------------------------------------------------------------------- */

/* Block sizes and the pairs behind them, of images [N, H, W, C] or [N, L, C]. */
static int read_blocks(uc_tfl_call *c, int64_t *block, int64_t *pairs, int64_t *shape)
{
    const uc_ref x = uc_tfl_raw(c, 0);
    const int rank = uc_tfl_rank(c, x);
    const size_t m = uc_tfl_known(c, 1, block, 3), p = uc_tfl_known(c, 2, pairs, 6);
    bool known = rank > 0 && rank < 6 && m != SIZE_MAX && p == 2 * m && (int)m < rank;
    for (int i = 0; known && i < rank; i++) {
        shape[i] = uc_tfl_dim(c, x, i);
        known = shape[i] >= 0 || i == 0;
    }
    for (size_t i = 0; known && i < m; i++) {
        known = block[i] >= 1 && block[i] <= INT32_MAX && pairs[2 * i] >= 0 &&
                pairs[2 * i + 1] >= 0 && pairs[2 * i] <= INT32_MAX && pairs[2 * i + 1] <= INT32_MAX;
    }
    if (known) return (int)m;
    uc_tfl_fail(c, "its blocks aren't constants, or the shape isn't known");
    return 0;
}

void uc_tfl_space_to_batch(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    int64_t block[3], pairs[6], shape[6], pads[12] = {0}, inner[9], outer[6], perm[9];
    const int m = read_blocks(c, block, pairs, shape), rank = uc_tfl_rank(c, uc_tfl_raw(c, 0));
    if (!m) return;
    int n = 0, k = 0;
    for (int i = 0; i < m; i++) {
        pads[i + 1] = pairs[2 * i];
        pads[rank + i + 1] = pairs[2 * i + 1];
        perm[k++] = 2 + 2 * i;
    }
    inner[n++] = shape[0] < 0 ? -1 : shape[0];
    outer[0] = -1;
    perm[k++] = 0;
    for (int i = 0; i < m; i++) {
        outer[i + 1] = (shape[i + 1] + pairs[2 * i] + pairs[2 * i + 1]) / block[i];
        inner[n++] = outer[i + 1];
        inner[n++] = block[i];
        perm[k++] = 1 + 2 * i;
    }
    for (int i = m + 1; i < rank; i++) {
        outer[i] = shape[i];
        perm[k++] = n;
        inner[n++] = shape[i];
    }
    const uc_tfl_tensor *t = uc_tfl_tensor_in(c, 0);
    const uc_ref zero = t->scales == 1 ? uc_tfl_zero(c, t) : 0;
    const uc_ref in[] = {uc_tfl_raw(c, 0), uc_graph_i64s(g, pads, 2 * rank), zero};
    const uc_ref padded = uc_node_out(uc_graph_node(g, "Pad", in, zero ? 3 : 2, 1), 0);
    const uc_ref y = uc_tfl_transpose(g, uc_g_reshape(g, padded, inner, n), perm, (size_t)n);
    uc_tfl_out_raw(c, 0, uc_g_reshape(g, y, outer, rank));
}

void uc_tfl_batch_to_space(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    int64_t block[3], crops[6], shape[6], inner[9], outer[6], perm[9];
    int64_t begin[3], end[3], axes[3];
    const int m = read_blocks(c, block, crops, shape), rank = uc_tfl_rank(c, uc_tfl_raw(c, 0));
    if (!m) return;
    int n = 0, k = 0;
    for (int i = 0; i < m; i++) {
        inner[n++] = block[i];
    }
    inner[n++] = -1;
    perm[k++] = m;
    outer[0] = -1;
    for (int i = 0; i < m; i++) {
        perm[k++] = n;
        perm[k++] = i;
        inner[n++] = shape[i + 1];
        outer[i + 1] = shape[i + 1] * block[i];
        begin[i] = crops[2 * i];
        end[i] = outer[i + 1] - crops[2 * i + 1];
        axes[i] = i + 1;
    }
    for (int i = m + 1; i < rank; i++) {
        perm[k++] = n;
        outer[i] = shape[i];
        inner[n++] = shape[i];
    }
    const uc_ref y =
        uc_tfl_transpose(g, uc_g_reshape(g, uc_tfl_raw(c, 0), inner, n), perm, (size_t)n);
    const uc_ref in[] = {uc_g_reshape(g, y, outer, rank), uc_graph_i64s(g, begin, m),
                         uc_graph_i64s(g, end, m), uc_graph_i64s(g, axes, m)};
    uc_tfl_out_raw(c, 0, uc_node_out(uc_graph_node(g, "Slice", in, 4, 1), 0));
}
