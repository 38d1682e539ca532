/* Masks and keypoints of detected boxes.
 * Source: torchvision/models/detection/{mask_rcnn,keypoint_rcnn,roi_heads}.py. */
#include "import/pytorch/zoo/zoo_mobile.h"
#include "import/pytorch/zoo/zoo_rcnn.h"

#define EPS  1e-5
#define SIDE 30 /* of a mask with a zero around */

/* ---- masks ------------------------------------------------------------------------------------ */

static uc_zv mask_tower(uc_zoo *z, uc_zv x)
{
    const uc_z_window w = {.kernel = 3, .bias = true};
    const size_t mark = uc_z_enter(z, "roi_heads.mask_head");
    const bool old = uc_z_has(z, "mask_fcn1.weight");
    const int depth =
        old ? uc_z_count_from(z, "mask_fcn%d.weight", 1) : uc_z_count(z, "%d.0.weight");
    for (int i = 0; i < depth; i++) {
        if (old) {
            x = uc_z_act(z, "relu", uc_z_conv(z, uc_z_key(z, "mask_fcn%d", i + 1), x, w));
        } else if (uc_z_has(z, uc_z_key(z, "%d.1.weight", i))) {
            x = uc_z_conv_norm(z, uc_z_key(z, "%d", i), x, (uc_z_window){.kernel = 3}, EPS, "relu");
        } else {
            x = uc_z_act(z, "relu", uc_z_conv(z, uc_z_key(z, "%d.0", i), x, w));
        }
    }
    uc_z_leave(z, mark);
    return x;
}

/* The mask of each box's own class: [n, 30, 30] with a zero around. */
static uc_ref own_masks(uc_zoo *z, const uc_z_regions *r, const uc_z_detected *d)
{
    static const int64_t flat[] = {-1, SIDE - 2, SIDE - 2}, around[] = {1, 1, 1, 1};
    uc_t_build *b = z->build;
    uc_zv x = mask_tower(z, uc_z_pool_regions(z, r, d->boxes, 14));
    size_t mark = uc_z_enter(z, "roi_heads.mask_predictor");
    x = uc_z_act(z, "relu", uc_z_conv_transpose(z, "conv5_mask", x, 0, 2, 0));
    x = uc_z_conv(z, "mask_fcn_logits", x, (uc_z_window){.kernel = 1, .bias = true});
    uc_z_leave(z, mark);
    const uc_ref at =
        uc_g3(b->graph, "Range", uc_z_i64(z, 0), uc_t_size(b, d->labels, 0), uc_z_i64(z, 1));
    const uc_ref which = uc_z_op2(z, "Add", uc_z_op2(z, "Mul", at, uc_z_i64(z, x.c)), d->labels);
    const uc_ref all = uc_t_reshape(b, uc_t_act(b, "sigmoid", x.ref), flat, 3);
    return uc_t_pad(b, uc_z_pick(z, all, which), around, 4, "constant", 0);
}

/* What each of a mask's 30 cells gives to each pixel along one axis, by bilinear interpolation to the
 * (whole) pixels from begin to end: [n, 30, pixels], zeros outside. begin, end: int64 [n, 1]. */
static uc_ref weights_along(uc_zoo *z, uc_ref begin, uc_ref end, uc_ref pixels)
{
    uc_t_build *b = z->build;
    uc_graph *g = b->graph;
    const uc_ref at =
        uc_t_unsqueeze(b, uc_g3(g, "Range", uc_z_i64(z, 0), pixels, uc_z_i64(z, 1)), 0);
    const uc_ref size = uc_z_op2(z, "Max", uc_z_op2(z, "Sub", end, begin), uc_z_i64(z, 1));
    const uc_ref inside =
        uc_z_op2(z, "And", uc_z_op2(z, "GreaterOrEqual", at, begin), uc_z_op2(z, "Less", at, end));
    const uc_ref scale = uc_t_div(b, uc_z_f32(z, SIDE), uc_z_to_f32(z, size));
    uc_ref from = uc_t_add_number(b, uc_z_to_f32(z, uc_z_op2(z, "Sub", at, begin)), 0.5);
    from = uc_t_add_number(b, uc_t_mul(b, from, scale), -0.5);
    from = uc_t_unsqueeze(b, uc_t_clamp(b, from, 0, SIDE - 1), 1); /* [n, 1, pixels] */
    double cells[SIDE];
    const int64_t column[] = {1, SIDE, 1};
    for (int i = 0; i < SIDE; i++) {
        cells[i] = i;
    }
    const uc_ref cell = uc_t_values(b, UNCORK_FLOAT32, cells, 3, column);
    const uc_ref away = uc_z_op1(z, "Abs", uc_t_sub(b, from, cell));
    const uc_ref weight = uc_t_act(b, "relu", uc_t_sub(b, uc_z_f32(z, 1), away));
    return uc_t_mul(b, weight, uc_z_to_f32(z, uc_t_unsqueeze(b, inside, 1)));
}

/* One axis of the boxes grown as the masks were, cut to whole pixels: begin and end, [n, 1]. */
static void grown(uc_zoo *z, uc_ref boxes, int axis, uc_ref *begin, uc_ref *end)
{
    uc_t_build *b = z->build;
    const uc_ref low = uc_z_column(z, boxes, axis, true),
                 high = uc_z_column(z, boxes, axis + 2, true);
    uc_ref half = uc_t_mul_number(b, uc_t_sub(b, high, low), 0.5);
    const uc_ref centre = uc_t_mul_number(b, uc_t_add(b, high, low), 0.5);
    half = uc_t_mul_number(b, half, (double)SIDE / (SIDE - 2));
    *begin = uc_g_cast(b->graph, uc_t_sub(b, centre, half), UNCORK_INT64);
    *end = uc_z_op2(z, "Add", uc_g_cast(b->graph, uc_t_add(b, centre, half), UNCORK_INT64),
                    uc_z_i64(z, 1));
}

void uc_z_detect_masks(uc_zoo *z, const uc_z_regions *r, const uc_z_detected *d,
                       const uc_z_frame *frame)
{
    uc_t_build *b = z->build;
    uc_ref begin, end;
    const uc_ref masks = own_masks(z, r, d);
    const uc_ref boxes = uc_z_unresize(z, d->boxes, frame);
    grown(z, boxes, 1, &begin, &end);
    const uc_ref rows = uc_t_transpose(b, weights_along(z, begin, end, frame->full_rows), 1, 2);
    grown(z, boxes, 0, &begin, &end);
    const uc_ref columns = weights_along(z, begin, end, frame->full_columns);
    const uc_ref whole = uc_t_matmul(b, uc_t_matmul(b, rows, masks), columns);
    uc_graph_output(b->graph, "masks", uc_t_unsqueeze(b, whole, 1));
}

/* ---- keypoints -------------------------------------------------------------------------------- */

static uc_zv heat_maps(uc_zoo *z, const uc_z_regions *r, const uc_z_detected *d)
{
    static const double twice[] = {2, 2};
    uc_zv x = uc_z_pool_regions(z, r, d->boxes, 14);
    for (int i = 0; i < 8; i++) {
        const char *name = uc_z_key(z, "roi_heads.keypoint_head.%d", 2 * i);
        x = uc_z_act(z, "relu", uc_z_conv(z, name, x, (uc_z_window){.kernel = 3, .bias = true}));
    }
    x = uc_z_conv_transpose(z, "roi_heads.keypoint_predictor.kps_score_lowres", x, 0, 2, 1);
    x.ref = uc_t_interpolate(z->build, x.ref, 2, NULL, twice, "linear", false, false);
    return x;
}

/* A body for one box: its map enlarged to the box' whole pixels, and where each point's peak is. Inputs:
 * iteration, condition, then the maps [n, k, 56, 56] and the sizes [n, 2] (int64, rows and columns). */
static uc_graph *peak_body(uc_zoo *z, int64_t k)
{
    static const int64_t axes[] = {2, 3}, one[] = {1};
    const int64_t maps_shape[] = {-1, k, -1, -1}, sizes_shape[] = {-1, 2}, flat[] = {k, -1};
    uc_graph *outer = z->build->graph;
    uc_graph *g = uc_graph_new(outer->arena, outer->budget, outer->error);
    if (!g) return NULL;
    const uc_ref i = uc_graph_input(g, "i", UNCORK_INT64, 0, NULL);
    const uc_ref go = uc_graph_input(g, "go", UNCORK_BOOL, 0, NULL);
    const uc_ref maps = uc_graph_input(g, "maps", UNCORK_FLOAT32, 4, maps_shape);
    const uc_ref sizes = uc_graph_input(g, "sizes", UNCORK_INT64, 2, sizes_shape);
    const uc_ref size = uc_g_gather(g, sizes, i, 0);
    const uc_ref map = uc_g_unsqueeze(g, uc_g_gather(g, maps, i, 0), 1);
    const uc_ref in[] = {map, 0, 0, size};
    uc_node *n = uc_graph_node(g, "Resize", in, 4, 1);
    uc_node_ints(g, n, "axes", axes, 2);
    uc_node_str(g, n, "mode", "cubic");
    uc_node_float(g, n, "cubic_coeff_a", -0.75);
    uc_node_str(g, n, "coordinate_transformation_mode", "half_pixel");
    const uc_ref large = uc_g_reshape(g, uc_node_out(n, 0), flat, 2);
    const uc_ref at = uc_g_argmax(g, large, 1, true);
    n = uc_graph_node(g, "GatherElements", (const uc_ref[]){large, at}, 2, 1);
    uc_node_int(g, n, "axis", 1);
    uc_graph_output(g, "go", go);
    uc_graph_output(g, "at", uc_g2(g, "Squeeze", at, uc_graph_i64s(g, one, 1)));
    uc_graph_output(g, "score", uc_g2(g, "Squeeze", uc_node_out(n, 0), uc_graph_i64s(g, one, 1)));
    if (uc_graph_finish(g) != UNCORK_OK) {
        uc_graph_fail(outer, g->status, "the keypoints' loop can't be built");
    }
    return g;
}

/* Coordinates along one axis: (whole + 0.5) * size / whole pixels + the box' begin. */
static uc_ref along(uc_zoo *z, uc_ref at, uc_ref length, uc_ref pixels, uc_ref begin)
{
    uc_t_build *b = z->build;
    const uc_ref correction = uc_t_div(b, length, pixels);
    const uc_ref x = uc_t_add_number(b, uc_z_to_f32(z, at), 0.5);
    return uc_t_unsqueeze(b, uc_t_add(b, uc_t_mul(b, x, correction), begin), 2);
}

void uc_z_detect_keypoints(uc_zoo *z, const uc_z_regions *r, const uc_z_detected *d,
                           const uc_z_frame *frame)
{
    uc_t_build *b = z->build;
    uc_graph *g = b->graph;
    uc_ref begin[2], length[2], pixels[2];
    const uc_zv maps = heat_maps(z, r, d);
    if (z->matching) return;
    for (int i = 0; i < 2; i++) { /* 0: columns, 1: rows */
        begin[i] = uc_z_column(z, d->boxes, i, true);
        length[i] = uc_t_sub(b, uc_z_column(z, d->boxes, i + 2, true), begin[i]);
        length[i] = uc_t_clamp(b, length[i], 1, __builtin_nan(""));
        pixels[i] = uc_z_op1(z, "Ceil", length[i]);
    }
    const uc_ref sides[] = {pixels[1], pixels[0]};
    const uc_ref sizes = uc_g_cast(g, uc_z_columns(z, sides, 2), UNCORK_INT64);
    const uc_ref in[] = {uc_t_size(b, d->boxes, 0), 0, maps.ref, sizes};
    uc_graph *body = peak_body(z, maps.c);
    uc_node *n = uc_graph_node(g, "Loop", in, 4, 2);
    if (!body) return;
    uc_node_graph(g, n, "body", body);
    uc_node_int(g, n, "captures", 2);
    const uc_ref at = uc_node_out(n, 0), scores = uc_node_out(n, 1);
    const uc_ref width = uc_g_cast(g, pixels[0], UNCORK_INT64);
    const uc_ref xs = along(z, uc_z_op2(z, "Mod", at, width), length[0], pixels[0], begin[0]);
    const uc_ref ys = along(z, uc_z_op2(z, "Div", at, width), length[1], pixels[1], begin[1]);
    const uc_ref ones = uc_t_add_number(b, uc_t_mul_number(b, xs, 0), 1);
    const uc_ref parts[] = {xs, ys};
    const uc_ref full[] = {uc_t_unsqueeze(b, frame->full_columns, 0),
                           uc_t_unsqueeze(b, frame->full_rows, 0)};
    const uc_ref made[] = {uc_t_unsqueeze(b, frame->columns, 0), uc_t_unsqueeze(b, frame->rows, 0)};
    const uc_ref ratio = uc_t_div(b, uc_z_to_f32(z, uc_g_concat(g, full, 2, 0)),
                                  uc_z_to_f32(z, uc_g_concat(g, made, 2, 0)));
    const uc_ref points[] = {uc_t_mul(b, uc_t_cat(b, parts, 2, 2), ratio), ones};
    uc_graph_output(g, "keypoints", uc_t_cat(b, points, 2, 2));
    uc_graph_output(g, "keypoints_scores", scores);
}
