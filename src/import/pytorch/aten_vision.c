/* torchvision's own operators. Source: torchvision 0.30, torchvision/csrc/ops/cpu. */
#include "import/pytorch/aten.h"

/* Boxes [n, 4] and scores [n] to the kept ones' places, best first. */
void uc_aten_nms(uc_aten_call *c)
{
    uc_graph *g = c->g;
    const uc_ref boxes = uc_aten_in(c, "dets"), scores = uc_aten_in(c, "scores");
    const double iou = uc_aten_float(c, "iou_threshold", 0.5);
    const uc_ref wide = uc_g_unsqueeze(g, uc_g_cast(g, boxes, UNCORK_FLOAT32), 0);
    const uc_ref rank3 =
        uc_g_unsqueeze(g, uc_g_unsqueeze(g, uc_g_cast(g, scores, UNCORK_FLOAT32), 0), 0);
    const uc_ref all = uc_g_reshape(g, uc_t_size(c->b, boxes, 0), (const int64_t[]){1}, 1);
    const uc_ref in[] = {wide, rank3, all, uc_graph_f32(g, (float)iou)};
    uc_node *n = uc_graph_node(g, "NonMaxSuppression", in, 4, 1);
    uc_aten_out(c, uc_t_select(c->b, uc_node_out(n, 0), 1, 2));
}

/* roi_align over boxes [n, 5]: the picture's number, then corners. */
void uc_aten_roi_align(uc_aten_call *c)
{
    const uc_ref rois = uc_aten_in(c, "rois");
    const uc_ref index = uc_g_cast(c->g, uc_t_select(c->b, rois, 1, 0), UNCORK_INT64);
    const uc_ref in[] = {uc_aten_in(c, "input"), uc_t_slice(c->b, rois, 1, 1, 5, 1), index};
    uc_node *n = uc_graph_node(c->g, "RoiAlign", in, 3, 1);
    const int64_t ratio = uc_aten_int(c, "sampling_ratio", -1);
    uc_node_int(c->g, n, "output_height", uc_aten_int(c, "pooled_height", 1));
    uc_node_int(c->g, n, "output_width", uc_aten_int(c, "pooled_width", 1));
    uc_node_int(c->g, n, "sampling_ratio", ratio < 0 ? 0 : ratio);
    uc_node_float(c->g, n, "spatial_scale", uc_aten_float(c, "spatial_scale", 1));
    uc_node_str(c->g, n, "coordinate_transformation_mode",
                uc_aten_bool(c, "aligned", false) ? "half_pixel" : "output_half_pixel");
    uc_aten_out(c, uc_node_out(n, 0));
}

void uc_aten_roi_pool(uc_aten_call *c)
{
    const int64_t size[] = {uc_aten_int(c, "pooled_height", 1), uc_aten_int(c, "pooled_width", 1)};
    const uc_ref in[] = {uc_aten_in(c, "input"), uc_aten_in(c, "rois")};
    uc_node *n = uc_graph_node(c->g, "MaxRoiPool", in, 2, 1);
    uc_node_ints(c->g, n, "pooled_shape", size, 2);
    uc_node_float(c->g, n, "spatial_scale", uc_aten_float(c, "spatial_scale", 1));
    const uc_ref y = uc_node_out(n, 0), out[] = {y, y}; /* where the maxima stand is training's */
    uc_aten_outs(c, out, 2);
}

/* Each bin of the output has its own group of input channels: align every channel, keep the bin's. */
void uc_aten_ps_roi_align(uc_aten_call *c)
{
    const int64_t h = uc_aten_int(c, "pooled_height", 1), w = uc_aten_int(c, "pooled_width", 1);
    const uc_ref x = uc_aten_in(c, "input"), rois = uc_aten_in(c, "rois");
    const int64_t channels = uc_t_dim(c->b, x, 1);
    const uc_ref index = uc_g_cast(c->g, uc_t_select(c->b, rois, 1, 0), UNCORK_INT64);
    if (channels < 1 || h < 1 || w < 1 || h * w > 4096 || channels % (h * w)) {
        uc_aten_fail(c, "%lld channels for %lld by %lld bins", (long long)channels, (long long)h,
                     (long long)w);
        return;
    }
    const uc_ref in[] = {x, uc_t_slice(c->b, rois, 1, 1, 5, 1), index};
    uc_node *n = uc_graph_node(c->g, "RoiAlign", in, 3, 1);
    const int64_t ratio = uc_aten_int(c, "sampling_ratio", -1), depth = channels / (h * w);
    uc_node_int(c->g, n, "output_height", h);
    uc_node_int(c->g, n, "output_width", w);
    uc_node_int(c->g, n, "sampling_ratio", ratio < 0 ? 0 : ratio);
    uc_node_float(c->g, n, "spatial_scale", uc_aten_float(c, "spatial_scale", 1));
    uc_node_str(c->g, n, "coordinate_transformation_mode", "half_pixel");
    const int64_t shape[] = {-1, depth, h, w, h, w};
    const uc_ref y = uc_t_reshape(c->b, uc_node_out(n, 0), shape, 6);
    /* [n, depth, i, j, i, j]: the diagonal of both pairs, as an index into the four axes joined. */
    int64_t *at = UC_NEW(c->ev->arena, int64_t, (size_t)(h * w));
    for (int64_t i = 0; at && i < h; i++) {
        for (int64_t k = 0; k < w; k++)
            at[i * w + k] = ((i * w + k) * h + i) * w + k;
    }
    if (!at) return;
    const int64_t joined[] = {-1, depth, h * w * h * w}, last[] = {-1, depth, h, w};
    const uc_ref flat = uc_t_reshape(c->b, y, joined, 3);
    const uc_ref picked = uc_g_gather(c->g, flat, uc_graph_i64s(c->g, at, h * w), 2);
    const uc_ref out[] = {uc_t_reshape(c->b, picked, last, 4), index};
    uc_aten_outs(c, out, 2);
}

/* Which of `length` places lie in each of `bins` parts of [start, end): a mask [n, bins, length]. */
static uc_ref bin_mask(uc_aten_call *c, uc_ref start, uc_ref end, int64_t bins, int64_t length)
{
    uc_graph *g = c->g;
    const uc_ref one = uc_graph_f32(g, 1);
    const uc_ref size = uc_g2(g, "Max", uc_g2(g, "Sub", end, start), one);
    const uc_ref each = uc_g_unsqueeze(g, uc_g2(g, "Div", size, uc_graph_f32(g, (float)bins)), 1);
    double *numbers = UC_NEW(c->ev->arena, double, (size_t)(bins > length ? bins : length) + 1);
    if (!numbers) return 0;
    for (int64_t i = 0; i < bins || i < length; i++)
        numbers[i] = (double)i;
    const uc_ref index = uc_t_values(c->b, UNCORK_FLOAT32, numbers, 1, &bins);
    const uc_ref place = uc_t_values(c->b, UNCORK_FLOAT32, numbers, 1, &length);
    const uc_ref base = uc_g_unsqueeze(g, start, 1);
    const uc_ref low = uc_g2(g, "Add", uc_g1(g, "Floor", uc_g2(g, "Mul", index, each)), base);
    const uc_ref next = uc_g2(g, "Mul", uc_g2(g, "Add", index, one), each);
    const uc_ref high = uc_g2(g, "Add", uc_g1(g, "Ceil", next), base);
    const uc_ref from = uc_g2(g, "GreaterOrEqual", place, uc_g_unsqueeze(g, low, 2));
    const uc_ref to = uc_g2(g, "Less", place, uc_g_unsqueeze(g, high, 2));
    return uc_g_cast(g, uc_g2(g, "And", from, to), UNCORK_FLOAT32);
}

/* The mean of a bin's own channel over whole places. */
void uc_aten_ps_roi_pool(uc_aten_call *c)
{
    uc_graph *g = c->g;
    const int64_t h = uc_aten_int(c, "pooled_height", 1), w = uc_aten_int(c, "pooled_width", 1);
    const uc_ref x = uc_aten_in(c, "input"), rois = uc_aten_in(c, "rois");
    const int64_t channels = uc_t_dim(c->b, x, 1), rows = uc_t_dim(c->b, x, 2),
                  columns = uc_t_dim(c->b, x, 3);
    if (channels < 1 || rows < 1 || columns < 1 || h < 1 || w < 1 || h * w > 4096 ||
        channels % (h * w)) {
        uc_aten_fail(c, "an input of unknown size, or %lld channels for %lld by %lld bins",
                     (long long)channels, (long long)h, (long long)w);
        return;
    }
    const uc_ref scale = uc_graph_f32(g, (float)uc_aten_float(c, "spatial_scale", 1)),
                 half = uc_graph_f32(g, 0.5f);
    uc_ref corner[4];
    for (int64_t i = 0; i < 4; i++)
        corner[i] =
            uc_g1(g, "Floor",
                  uc_g2(g, "Add", uc_g2(g, "Mul", uc_t_select(c->b, rois, 1, i + 1), scale), half));
    const uc_ref index = uc_g_cast(g, uc_t_select(c->b, rois, 1, 0), UNCORK_INT64);
    const int64_t split[] = {-1, channels / (h * w), h, w, rows, columns};
    const uc_ref maps = uc_t_reshape(c->b, uc_g_gather(g, x, index, 0), split, 6);
    const uc_ref down = bin_mask(c, corner[1], corner[3], h, rows),
                 across = bin_mask(c, corner[0], corner[2], w, columns);
    const uc_ref in[] = {maps, down, across}, area_in[] = {down, across};
    uc_node *n = uc_graph_node(g, "Einsum", in, 3, 1);
    uc_node_str(g, n, "equation", "ncijhw,nih,njw->ncij");
    const uc_ref sum = uc_node_out(n, 0);
    n = uc_graph_node(g, "Einsum", area_in, 2, 1);
    uc_node_str(g, n, "equation", "nih,njw->nij");
    const uc_ref area = uc_g2(g, "Max", uc_node_out(n, 0), uc_graph_f32(g, 1));
    const uc_ref out[] = {uc_g2(g, "Div", sum, uc_g_unsqueeze(g, area, 1)), index};
    uc_aten_outs(c, out, 2);
}

void uc_aten_deform_conv2d(uc_aten_call *c)
{
    const bool masked = uc_aten_bool(c, "use_mask", true);
    const uc_ref in[] = {uc_aten_in(c, "input"), uc_aten_in(c, "weight"), uc_aten_in(c, "offset"),
                         uc_aten_in(c, "bias"), masked ? uc_aten_in(c, "mask") : 0};
    const int64_t sh = uc_aten_int(c, "stride_h", 1), sw = uc_aten_int(c, "stride_w", 1);
    const int64_t ph = uc_aten_int(c, "pad_h", 0), pw = uc_aten_int(c, "pad_w", 0);
    const int64_t dh = uc_aten_int(c, "dilation_h", 1), dw = uc_aten_int(c, "dilation_w", 1);
    uc_node *n = uc_graph_node(c->g, "DeformConv", in, masked ? 5 : 4, 1);
    uc_node_ints(c->g, n, "strides", (const int64_t[]){sh, sw}, 2);
    uc_node_ints(c->g, n, "pads", (const int64_t[]){ph, pw, ph, pw}, 4);
    uc_node_ints(c->g, n, "dilations", (const int64_t[]){dh, dw}, 2);
    uc_node_int(c->g, n, "group", uc_aten_int(c, "groups", 1));
    uc_node_int(c->g, n, "offset_group", uc_aten_int(c, "offset_groups", 1));
    uc_aten_out(c, uc_node_out(n, 0));
}
