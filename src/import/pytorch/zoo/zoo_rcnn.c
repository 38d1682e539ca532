/* Faster, Mask and Keypoint R-CNN.
 * Source: torchvision/models/detection/{rpn,roi_heads,faster_rcnn,mask_rcnn,keypoint_rcnn}.py,
 * torchvision/ops/poolers.py. */
#include "import/pytorch/zoo/zoo_rcnn.h"
#include "import/pytorch/zoo/zoo_mobile.h"

#define EPS 1e-5

/* ---- region proposals ------------------------------------------------------------------------- */

typedef struct proposals {
    int64_t before, after; /* kept of a level, and of all, around suppression */
    double score;
    uc_z_anchors anchors; /* of the first level; without `all`, doubled from level to level */
    bool all;             /* the same for every level */
} proposals;

static uc_zv rpn_tower(uc_zoo *z, uc_zv x)
{
    const uc_z_window w = {.kernel = 3, .bias = true};
    if (uc_z_has(z, "rpn.head.conv.weight")) {
        return uc_z_act(z, "relu", uc_z_conv(z, "rpn.head.conv", x, w));
    }
    const int depth = uc_z_count(z, "rpn.head.conv.%d.0.weight");
    for (int i = 0; i < depth; i++) {
        x = uc_z_act(z, "relu", uc_z_conv(z, uc_z_key(z, "rpn.head.conv.%d.0", i), x, w));
    }
    return x;
}

/* Boxes at least this wide and high. */
static uc_ref large_enough(uc_zoo *z, uc_ref boxes, double least)
{
    uc_t_build *b = z->build;
    uc_ref ok[2];
    for (int axis = 0; axis < 2; axis++) {
        const uc_ref size =
            uc_t_sub(b, uc_z_column(z, boxes, axis + 2, false), uc_z_column(z, boxes, axis, false));
        ok[axis] = uc_z_op2(z, "GreaterOrEqual", size, uc_z_f32(z, least));
    }
    return uc_z_op2(z, "And", ok[0], ok[1]);
}

/* One level's proposals, suppressed among themselves, and their scores. */
static void propose_level(uc_zoo *z, const proposals *p, uc_zv feature, int level,
                          const uc_z_frame *frame, uc_ref *boxes, uc_ref *scores)
{
    static const int64_t flat[] = {-1};
    static const double ones[] = {1, 1, 1, 1};
    const uc_z_window w = {.kernel = 1, .bias = true};
    uc_z_anchors a = p->anchors;
    for (int i = 0; i < a.size_count && !p->all; i++) {
        a.sizes[i] *= (double)(1 << level);
    }
    const uc_zv t = rpn_tower(z, feature);
    const uc_zv logits = uc_z_conv(z, "rpn.head.cls_logits", t, w);
    const uc_ref codes = uc_z_cells(z, uc_z_conv(z, "rpn.head.bbox_pred", t, w), 4);
    if (logits.c && logits.c != a.size_count * a.ratio_count) {
        uc_z_unlike(z, "rpn.head.cls_logits with %d anchors", a.size_count * a.ratio_count);
    }
    uc_ref best, at;
    uc_z_top(z, uc_t_reshape(z->build, uc_z_cells(z, logits, 1), flat, 1), p->before, &best, &at);
    uc_ref b = uc_z_decode(z, uc_z_pick(z, codes, at),
                           uc_z_pick(z, uc_z_grid(z, feature, frame, &a), at), ones);
    b = uc_z_clip(z, b, frame);
    uc_ref s = uc_t_act(z->build, "sigmoid", best);
    uc_ref ok = large_enough(z, b, 1e-3);
    ok = uc_z_op2(z, "And", ok, uc_z_op2(z, "GreaterOrEqual", s, uc_z_f32(z, p->score)));
    ok = uc_z_where(z, ok);
    b = uc_z_pick(z, b, ok);
    s = uc_z_pick(z, s, ok);
    const uc_ref keep = uc_z_nms(z, b, s, 0, 1, 0.7, p->after);
    *boxes = uc_z_pick(z, b, keep);
    *scores = uc_z_pick(z, s, keep);
}

static uc_ref propose(uc_zoo *z, const proposals *p, const uc_zv *levels, size_t count,
                      const uc_z_frame *frame)
{
    uc_ref boxes[UC_Z_LEVELS], scores[UC_Z_LEVELS], values, order;
    for (size_t i = 0; i < count; i++) {
        propose_level(z, p, levels[i], (int)i, frame, &boxes[i], &scores[i]);
    }
    uc_z_top(z, uc_t_cat(z->build, scores, count, 0), p->after, &values, &order);
    return uc_z_pick(z, uc_t_cat(z->build, boxes, count, 0), order);
}

/* ---- pooling of regions ----------------------------------------------------------------------- */

/* Which level of `count` a box belongs to: floor(4 + log2(sqrt(area) / 224) + 1e-6), from the scales'. */
static uc_ref level_of(uc_zoo *z, const uc_z_regions *r, uc_ref boxes)
{
    uc_t_build *b = z->build;
    const uc_ref w = uc_t_sub(b, uc_z_column(z, boxes, 2, false), uc_z_column(z, boxes, 0, false));
    const uc_ref h = uc_t_sub(b, uc_z_column(z, boxes, 3, false), uc_z_column(z, boxes, 1, false));
    uc_ref s = uc_z_op1(z, "Sqrt", uc_t_mul(b, w, h));
    s = uc_t_div(b, s, uc_z_f32(z, 224));
    s = uc_t_div(b, uc_z_op1(z, "Log", s), uc_z_f32(z, __builtin_log(2.0)));
    s = uc_z_op1(z, "Floor", uc_t_add_number(b, uc_t_add_number(b, s, 4), 1e-6));
    s = uc_t_clamp(b, s, (double)r->first_power, (double)r->first_power + (double)r->count - 1);
    return uc_t_add_number(b, s, -(double)r->first_power);
}

static uc_ref roi_align(uc_zoo *z, uc_zv feature, uc_ref boxes, double scale, int64_t size)
{
    uc_graph *g = z->build->graph;
    const int64_t zero = 0;
    const uc_ref batch = uc_z_op2(z, "Expand", uc_graph_i64s(g, &zero, 1), uc_z_rows(z, boxes));
    const uc_ref in[] = {feature.ref, boxes, batch};
    uc_node *n = uc_graph_node(g, "RoiAlign", in, 3, 1);
    uc_node_int(g, n, "output_height", size);
    uc_node_int(g, n, "output_width", size);
    uc_node_int(g, n, "sampling_ratio", 2);
    uc_node_float(g, n, "spatial_scale", scale);
    uc_node_str(g, n, "mode", "avg");
    uc_node_str(g, n, "coordinate_transformation_mode", "output_half_pixel");
    return uc_node_out(n, 0);
}

uc_zv uc_z_pool_regions(uc_zoo *z, const uc_z_regions *r, uc_ref boxes, int64_t size)
{
    uc_t_build *b = z->build;
    uc_ref parts[UC_Z_LEVELS], places[UC_Z_LEVELS], values, order;
    const int64_t c = r->levels[0].c;
    if (r->count == 1) {
        return (uc_zv){roi_align(z, r->levels[0], boxes, r->scale, size), c};
    }
    const uc_ref level = level_of(z, r, boxes);
    for (size_t i = 0; i < r->count; i++) {
        places[i] = uc_z_where(z, uc_z_op2(z, "Equal", level, uc_z_f32(z, (double)i)));
        parts[i] = roi_align(z, r->levels[i], uc_z_pick(z, boxes, places[i]),
                             r->scale / (double)(1 << i), size);
    }
    /* Back in the boxes' order: where each stands among the parts, smallest place first. */
    const uc_ref place = uc_z_op1(z, "Neg", uc_t_cat(b, places, r->count, 0));
    uc_z_top(z, place, INT64_MAX, &values, &order);
    return (uc_zv){uc_z_pick(z, uc_t_cat(b, parts, r->count, 0), order), c};
}

/* ---- boxes of the second stage ---------------------------------------------------------------- */

static uc_zv box_head(uc_zoo *z, uc_zv x)
{
    const size_t mark = uc_z_enter(z, "roi_heads.box_head");
    if (uc_z_has(z, "fc6.weight")) {
        x = uc_z_act(z, "relu", uc_z_linear(z, "fc6", uc_z_flatten(z, x, 49), 0, true));
        x = uc_z_act(z, "relu", uc_z_linear(z, "fc7", x, 0, true));
    } else {
        const int convs = uc_z_count(z, "%d.0.weight");
        for (int i = 0; i < convs; i++) {
            x = uc_z_conv_norm(z, uc_z_key(z, "%d", i), x, (uc_z_window){.kernel = 3}, EPS, "relu");
        }
        x = uc_z_flatten(z, x, 49);
        x = uc_z_act(z, "relu", uc_z_linear(z, uc_z_key(z, "%d", convs + 1), x, 0, true));
    }
    uc_z_leave(z, mark);
    return x;
}

/* Box of each class for each proposal, [n * classes, 4]. */
static uc_ref class_boxes(uc_zoo *z, uc_ref codes, uc_ref boxes, int64_t classes)
{
    static const double weights[] = {10, 10, 5, 5};
    static const int64_t flat[] = {-1, 4};
    const int64_t repeat[] = {1, classes};
    const uc_ref each =
        uc_z_op2(z, "Tile", boxes, uc_graph_i64s(z->build->graph, repeat, 2)); /* [n, 4 classes] */
    return uc_z_decode(z, uc_t_reshape(z->build, codes, flat, 2),
                       uc_t_reshape(z->build, each, flat, 2), weights);
}

uc_z_detected uc_z_detect_boxes(uc_zoo *z, const uc_z_regions *r, uc_ref boxes,
                                const uc_z_frame *frame)
{
    static const int64_t flat[] = {-1};
    uc_t_build *b = z->build;
    const uc_zv x = box_head(z, uc_z_pool_regions(z, r, boxes, 7));
    const uc_zv logits = uc_z_linear(z, "roi_heads.box_predictor.cls_score", x, 0, true);
    const uc_zv codes = uc_z_linear(z, "roi_heads.box_predictor.bbox_pred", x, 4 * logits.c, true);
    const int64_t classes = logits.c > 0 ? logits.c : 2;
    uc_ref all = uc_z_clip(z, class_boxes(z, codes.ref, boxes, classes), frame);
    uc_ref scores = uc_t_reshape(b, uc_t_softmax(b, logits.ref, -1), flat, 1);
    /* Flat places: proposal * classes + class; class 0 is the background. */
    uc_ref at = uc_z_where(z, uc_z_op2(z, "Greater", scores, uc_z_f32(z, 0.05)));
    uc_ref labels = uc_z_op2(z, "Mod", at, uc_z_i64(z, classes));
    at = uc_z_pick(z, at, uc_z_where(z, uc_z_op2(z, "Greater", labels, uc_z_i64(z, 0))));
    at = uc_z_pick(z, at, uc_z_where(z, large_enough(z, uc_z_pick(z, all, at), 1e-2)));
    all = uc_z_pick(z, all, at);
    scores = uc_z_pick(z, scores, at);
    labels = uc_z_op2(z, "Mod", at, uc_z_i64(z, classes));
    const uc_ref keep = uc_z_nms(z, all, scores, labels, classes, 0.5, 100);
    return (uc_z_detected){uc_z_pick(z, all, keep), uc_z_pick(z, scores, keep),
                           uc_z_pick(z, labels, keep)};
}

/* ---- the networks ----------------------------------------------------------------------------- */

static const proposals usual = {
    .before = 1000, .after = 1000, .anchors = {{32}, 1, {0.5, 1, 2}, 3}};

static void resnet_rcnn(uc_zoo *z)
{
    const char *name;
    uc_zv levels[UC_Z_LEVELS];
    const uc_z_frame frame = uc_z_frame_of(z, &uc_z_imagenet);
    const size_t count = uc_z_resnet_pyramid(z, frame.x, 1, levels, &name);
    const uc_z_regions r = {levels, count - 1, 2, 0.25};
    const bool masks = uc_z_has(z, "roi_heads.mask_predictor.mask_fcn_logits.weight");
    const bool points = uc_z_has(z, "roi_heads.keypoint_predictor.kps_score_lowres.weight");
    const bool second = uc_z_has(z, "rpn.head.conv.1.0.weight");
    uc_z_arch(z, "%srcnn_%s_fpn%s",
              masks    ? "mask"
              : points ? "keypoint"
                       : "faster",
              name, second ? "_v2" : "");
    uc_z_preset(z, "torchvision:%s", z->report->arch);
    if (masks || points)
        uc_z_source(z, "torchvision", masks ? "instance_segmentation" : "keypoints");
    const uc_ref boxes = propose(z, &usual, levels, count, &frame);
    const uc_z_detected d = uc_z_detect_boxes(z, &r, boxes, &frame);
    uc_z_detections(z, d.boxes, d.scores, d.labels, &frame);
    if (masks) uc_z_detect_masks(z, &r, &d, &frame);
    if (points) uc_z_detect_keypoints(z, &r, &d, &frame);
}

/* Two levels of MobileNetV3, both of stride 32. */
static size_t mobile_pyramid(uc_zoo *z, uc_zv x, uc_zv *out)
{
    uc_zv c[2] = {{0, 0}};
    size_t mark = uc_z_enter(z, "backbone.body");
    uc_z_mobile_v3 net = uc_z_mobile_v3_read(z, "");
    net.eps = EPS; /* a norm layer of its own, BatchNorm2d as it is */
    for (int i = 0; i <= net.blocks + 1; i++) {
        x = uc_z_mobile_v3_layer(z, &net, i, x, NULL);
        if (i == 13) c[0] = x;
    }
    uc_z_leave(z, mark);
    c[1] = x;
    mark = uc_z_enter(z, "backbone.fpn");
    const size_t count = uc_z_pyramid(z, c, 2, out);
    uc_z_leave(z, mark);
    return count;
}

static void mobile_rcnn(uc_zoo *z)
{
    static const char large[] = "fasterrcnn_mobilenet_v3_large_fpn";
    static const char small[] = "fasterrcnn_mobilenet_v3_large_320_fpn";
    const bool is_small = z->want && strcmp(z->want, small) == 0;
    uc_zv levels[UC_Z_LEVELS];
    uc_z_transform t = uc_z_imagenet;
    proposals p = {.before = is_small ? 150 : 1000,
                   .after = is_small ? 150 : 1000,
                   .score = 0.05,
                   .all = true,
                   .anchors = {{32, 64, 128, 256, 512}, 5, {0.5, 1, 2}, 3}};
    if (is_small) {
        t.min_size = 320;
        t.max_size = 640;
    }
    if (!z->want) {
        uc_z_assume(z,
                    "%s and %s have the same weights: read as the first, for pictures of 800 "
                    "pixels and more (--arch takes the other)",
                    large, small);
    }
    uc_z_arch(z, "%s", is_small ? small : large);
    uc_z_preset(z, "torchvision:%s", z->report->arch);
    const uc_z_frame frame = uc_z_frame_of(z, &t);
    const size_t count = mobile_pyramid(z, frame.x, levels);
    const uc_z_regions r = {levels, 1, 5, 1.0 / 32};
    const uc_ref boxes = propose(z, &p, levels, count, &frame);
    const uc_z_detected d = uc_z_detect_boxes(z, &r, boxes, &frame);
    uc_z_detections(z, d.boxes, d.scores, d.labels, &frame);
}

void uc_zoo_rcnn(uc_zoo *z)
{
    uc_z_source(z, "torchvision", "detection");
    if (uc_z_has(z, "backbone.body.conv1.weight")) {
        resnet_rcnn(z);
    } else {
        mobile_rcnn(z);
    }
}
