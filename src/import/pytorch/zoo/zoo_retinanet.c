/* RetinaNet and FCOS. Source: torchvision/models/detection/{retinanet,fcos}.py. */
#include "import/pytorch/zoo/zoo_detect.h"

#define EPS        1e-5
#define CANDIDATES 1000 /* of a level */

typedef struct head {
    bool fcos;
    int64_t classes, anchors; /* of a cell */
    double score, overlap;    /* thresholds */
    int64_t top;
} head;

static uc_zv group_norm(uc_zoo *z, const char *name, uc_zv x)
{
    const uc_ref weight = UC_Z_P(z, uc_z_key(z, "%s.weight", name), x.c);
    const uc_ref bias = UC_Z_P(z, uc_z_key(z, "%s.bias", name), x.c);
    return (uc_zv){uc_t_group_norm(z->build, x.ref, 32, weight, bias, EPS), x.c};
}

/* Four convolutions: FCOS' with a norm each, RetinaNet's with one or none, in files of before 0.13 without
 * a level of names. */
static uc_zv tower(uc_zoo *z, const head *h, uc_zv x)
{
    const bool plain = h->fcos || uc_z_has(z, "conv.2.weight");
    const bool normed = h->fcos || uc_z_has(z, "conv.0.1.weight");
    for (int i = 0; i < 4; i++) {
        const int at = h->fcos ? 3 * i : plain ? 2 * i : i;
        const char *conv = plain ? uc_z_key(z, "conv.%d", at) : uc_z_key(z, "conv.%d.0", at);
        const char *norm = h->fcos ? uc_z_key(z, "conv.%d", at + 1) : uc_z_key(z, "conv.%d.1", at);
        x = uc_z_conv(z, conv, x, (uc_z_window){.kernel = 3, .bias = h->fcos || !normed});
        if (normed) x = group_norm(z, norm, x);
        x = uc_z_act(z, "relu", x);
    }
    return x;
}

typedef struct found {
    uc_ref boxes, scores, labels;
} found;

/* FCOS: distances to the four sides, in sizes of the anchor. */
static uc_ref decode_linear(uc_zoo *z, uc_ref codes, uc_ref boxes)
{
    uc_t_build *b = z->build;
    uc_ref ends[4];
    for (int axis = 0; axis < 2; axis++) {
        const uc_ref low = uc_z_column(z, boxes, axis, true);
        const uc_ref high = uc_z_column(z, boxes, axis + 2, true);
        const uc_ref centre = uc_t_mul_number(b, uc_t_add(b, low, high), 0.5);
        const uc_ref size = uc_t_sub(b, high, low);
        ends[axis] = uc_t_sub(b, centre, uc_t_mul(b, uc_z_column(z, codes, axis, true), size));
        ends[axis + 2] =
            uc_t_add(b, centre, uc_t_mul(b, uc_z_column(z, codes, axis + 2, true), size));
    }
    return uc_z_columns(z, ends, 4);
}

/* Scores of every box and class, [n * classes]; the offsets [n, 4]. */
static uc_ref level_scores(uc_zoo *z, const head *h, uc_zv feature, uc_ref *codes)
{
    static const int64_t flat[] = {-1};
    uc_t_build *b = z->build;
    const uc_z_window w = {.kernel = 3, .bias = true};
    size_t mark = uc_z_enter(z, "head.classification_head");
    uc_zv logits =
        uc_z_conv(z, "cls_logits", tower(z, h, feature),
                  (uc_z_window){.out = h->anchors * h->classes, .kernel = 3, .bias = true});
    uc_z_leave(z, mark);
    mark = uc_z_enter(z, "head.regression_head");
    const uc_zv t = tower(z, h, feature);
    uc_zv boxes = uc_z_conv(z, "bbox_reg", t, w);
    uc_ref scores = uc_t_act(b, "sigmoid", uc_z_cells(z, logits, h->classes));
    if (h->fcos) {
        boxes = uc_z_act(z, "relu", boxes);
        const uc_zv c = uc_z_conv(z, "bbox_ctrness", t, w);
        scores = uc_t_mul(b, scores, uc_t_act(b, "sigmoid", uc_z_cells(z, c, 1)));
        scores = uc_z_op1(z, "Sqrt", scores);
    }
    uc_z_leave(z, mark);
    *codes = uc_z_cells(z, boxes, 4);
    return uc_t_reshape(b, scores, flat, 1);
}

static found level(uc_zoo *z, const head *h, uc_zv feature, const uc_z_frame *frame,
                   const uc_z_anchors *cells)
{
    static const double ones[] = {1, 1, 1, 1};
    uc_ref codes, order;
    found f;
    const uc_ref all = level_scores(z, h, feature, &codes);
    uc_ref at = uc_z_where(z, uc_z_op2(z, "Greater", all, uc_z_f32(z, h->score)));
    uc_z_top(z, uc_z_pick(z, all, at), CANDIDATES, &f.scores, &order);
    at = uc_z_pick(z, at, order);
    const uc_ref classes = uc_z_i64(z, h->classes), box = uc_z_op2(z, "Div", at, classes);
    f.labels = uc_z_op2(z, "Mod", at, classes);
    codes = uc_z_pick(z, codes, box);
    const uc_ref anchors = uc_z_pick(z, uc_z_grid(z, feature, frame, cells), box);
    f.boxes = h->fcos ? decode_linear(z, codes, anchors) : uc_z_decode(z, codes, anchors, ones);
    f.boxes = uc_z_clip(z, f.boxes, frame);
    return f;
}

static void detect(uc_zoo *z, const head *h, uc_zv *levels, size_t count, const uc_z_frame *frame)
{
    uc_ref boxes[UC_Z_LEVELS], scores[UC_Z_LEVELS], labels[UC_Z_LEVELS];
    for (size_t i = 0; i < count; i++) {
        const double size = (double)((h->fcos ? 8 : 32) << i);
        uc_z_anchors a = {.sizes = {size}, .size_count = 1, .ratios = {1}, .ratio_count = 1};
        if (!h->fcos) {
            a = (uc_z_anchors){{size, 0, 0}, 3, {0.5, 1, 2}, 3};
            a.sizes[1] = __builtin_floor(size * __builtin_cbrt(2.0));
            a.sizes[2] = __builtin_floor(size * __builtin_cbrt(4.0));
        }
        const found f = level(z, h, levels[i], frame, &a);
        boxes[i] = f.boxes;
        scores[i] = f.scores;
        labels[i] = f.labels;
    }
    const uc_ref b = uc_t_cat(z->build, boxes, count, 0);
    const uc_ref s = uc_t_cat(z->build, scores, count, 0);
    const uc_ref l = uc_t_cat(z->build, labels, count, 0);
    const uc_ref keep = uc_z_nms(z, b, s, l, h->classes, h->overlap, h->top);
    uc_z_detections(z, uc_z_pick(z, b, keep), uc_z_pick(z, s, keep), uc_z_pick(z, l, keep), frame);
}

void uc_zoo_retinanet(uc_zoo *z)
{
    const char *name;
    uc_zv levels[UC_Z_LEVELS];
    head h = {.anchors = 9, .score = 0.05, .overlap = 0.5, .top = 300};
    h.classes = uc_z_dim(z, "head.classification_head.cls_logits.weight", 0) / h.anchors;
    const uc_z_frame frame = uc_z_frame_of(z, &uc_z_imagenet);
    const size_t count = uc_z_resnet_pyramid(z, frame.x, 2, levels, &name);
    const bool second = uc_z_has(z, "head.classification_head.conv.0.1.weight");
    uc_z_source(z, "torchvision", "detection");
    uc_z_arch(z, "retinanet_%s_fpn%s", name, second ? "_v2" : "");
    uc_z_preset(z, "torchvision:%s", z->report->arch);
    detect(z, &h, levels, count, &frame);
}

void uc_zoo_fcos(uc_zoo *z)
{
    const char *name;
    uc_zv levels[UC_Z_LEVELS];
    head h = {.fcos = true, .anchors = 1, .score = 0.2, .overlap = 0.6, .top = 100};
    h.classes = uc_z_dim(z, "head.classification_head.cls_logits.weight", 0);
    const uc_z_frame frame = uc_z_frame_of(z, &uc_z_imagenet);
    const size_t count = uc_z_resnet_pyramid(z, frame.x, 2, levels, &name);
    uc_z_source(z, "torchvision", "detection");
    uc_z_arch(z, "fcos_%s_fpn", name);
    uc_z_preset(z, "torchvision:%s", z->report->arch);
    detect(z, &h, levels, count, &frame);
}
