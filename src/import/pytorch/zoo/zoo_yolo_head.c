/* The heads of YOLO: boxes from distributions of distances, and what masks, keypoints and turned boxes add;
 * YOLOv5's boxes from anchors. Sources: ultralytics 8.4 nn/modules/head.py, utils/tal.py; yolov5 7.0
 * models/yolo.py. */
#include "import/pytorch/zoo/zoo_yolo.h"

#define BINS 16
#define PI   3.141592653589793

static uc_zv conv(uc_zoo *z, const char *name, uc_zv x, int64_t groups)
{
    return uc_z_yolo_conv(z, name, x, (uc_z_window){.groups = groups}, "silu");
}

/* One branch of a head on one level, two convolutions or two separable ones, and one without a norm:
 * [N, out, cells]. */
static uc_zv branch(uc_zoo *z, int at, const char *name, int level, uc_zv x, int64_t out)
{
    const size_t mark = uc_z_enter(z, "model.%d.%s.%d", at, name, level);
    if (uc_z_has(z, "0.0.conv.weight")) {
        x = conv(z, "0.1", conv(z, "0.0", x, UC_Z_DEPTHWISE), 0);
        x = conv(z, "1.1", conv(z, "1.0", x, UC_Z_DEPTHWISE), 0);
    } else {
        x = conv(z, "1", conv(z, "0", x, 0), 0);
    }
    x = uc_z_conv(z, "2", x, (uc_z_window){.out = out, .kernel = 1, .bias = true});
    uc_z_leave(z, mark);
    return (uc_zv){uc_t_flatten(z->build, x.ref, 2, -1), x.c};
}

/* Corners of a level's cells, [2, cells], in cells; x first. */
static uc_ref corners(uc_zoo *z, uc_zv x)
{
    uc_t_build *b = z->build;
    uc_graph *g = b->graph;
    const uc_ref rows = uc_t_size(b, x.ref, 2), columns = uc_t_size(b, x.ref, 3);
    const uc_ref one = uc_z_i64(z, 1), zero = uc_z_i64(z, 0);
    const uc_ref at = uc_g3(g, "Range", zero, uc_z_op2(z, "Mul", rows, columns), one);
    const uc_ref parts[] = {uc_t_unsqueeze(b, uc_z_op2(z, "Mod", at, columns), 0),
                            uc_t_unsqueeze(b, uc_z_op2(z, "Div", at, columns), 0)};
    return uc_z_to_f32(z, uc_g_concat(g, parts, 2, 0));
}

/* Distances from distributions over 16 bins: [N, 64, cells] to [N, 4, cells]. */
static uc_ref distances(uc_zoo *z, int at, uc_ref x)
{
    static const int64_t split[] = {0, 4, BINS, -1};
    uc_t_build *b = z->build;
    const uc_ref weight = UC_Z_P(z, uc_z_key(z, "model.%d.dfl.conv.weight", at), 1, BINS, 1, 1);
    const uc_ref p = uc_t_softmax(b, uc_t_reshape0(b, x, split, 4), 2);
    const int64_t sum[] = {2};
    return uc_t_sum(b, uc_t_mul(b, p, uc_t_reshape(b, weight, (const int64_t[]){1, 1, BINS, 1}, 4)),
                    sum, 1, false);
}

/* Centre and size in pixels. */
static uc_ref upright(uc_t_build *b, uc_ref d, uc_ref centre)
{
    const uc_ref low = uc_t_sub(b, centre, uc_t_slice(b, d, 1, 0, 2, 1));
    const uc_ref high = uc_t_add(b, centre, uc_t_slice(b, d, 1, 2, 4, 1));
    const uc_ref parts[] = {uc_t_mul_number(b, uc_t_add(b, low, high), 0.5),
                            uc_t_sub(b, high, low)};
    return uc_t_cat(b, parts, 2, 1);
}

/* The same of boxes turned by an angle [N, 1, cells]. */
static uc_ref turned(uc_zoo *z, uc_ref d, uc_ref centre, uc_ref angle)
{
    uc_t_build *b = z->build;
    const uc_ref low = uc_t_slice(b, d, 1, 0, 2, 1), high = uc_t_slice(b, d, 1, 2, 4, 1);
    const uc_ref off = uc_t_mul_number(b, uc_t_sub(b, high, low), 0.5);
    const uc_ref x = uc_t_slice(b, off, 1, 0, 1, 1), y = uc_t_slice(b, off, 1, 1, 2, 1);
    const uc_ref cos = uc_z_op1(z, "Cos", angle), sin = uc_z_op1(z, "Sin", angle);
    const uc_ref at[] = {uc_t_sub(b, uc_t_mul(b, x, cos), uc_t_mul(b, y, sin)),
                         uc_t_add(b, uc_t_mul(b, x, sin), uc_t_mul(b, y, cos))};
    const uc_ref parts[] = {uc_t_add(b, uc_t_cat(b, at, 2, 1), centre), uc_t_add(b, low, high)};
    return uc_t_cat(b, parts, 2, 1);
}

/* How many numbers a keypoint has: x, y and perhaps how visible. */
static int64_t keypoint_size(uc_zoo *z, int at, int64_t numbers)
{
    const uc_pickle *head = uc_z_yolo_object(z, uc_z_key(z, "model.%d", at));
    const uc_pickle *shape = head ? uc_pickle_attr(head, "kpt_shape") : NULL;
    int64_t size = 0;
    if (shape && (shape->kind == UC_PICKLE_LIST || shape->kind == UC_PICKLE_TUPLE) &&
        shape->count == 2 && uc_pickle_i64(shape->items[1], &size) && (size == 2 || size == 3)) {
        return size;
    }
    if (numbers % 3 == 0 && numbers % 2 == 0) {
        uc_z_assume(z, "%lld numbers of keypoints are x, y and visibility", (long long)numbers);
    }
    return numbers % 3 == 0 ? 3 : 2;
}

/* [N, points * size, cells] as pixels, and visibility as a probability. */
static uc_ref keypoints(uc_zoo *z, uc_zv raw, int64_t size, uc_ref corner, double stride)
{
    uc_t_build *b = z->build;
    const int64_t split[] = {0, raw.c / size, size, -1}, join[] = {0, raw.c, -1};
    const uc_ref all = uc_t_reshape0(b, raw.ref, split, 4);
    const uc_ref doubled = uc_t_mul_number(b, uc_t_slice(b, all, 2, 0, 2, 1), 2);
    const uc_ref at = uc_t_mul_number(b, uc_t_add(b, doubled, corner), stride);
    const uc_ref parts[] = {at, size == 3 ? uc_t_act(b, "sigmoid", uc_t_slice(b, all, 2, 2, 3, 1))
                                          : at};
    return uc_t_reshape0(b, size == 3 ? uc_t_cat(b, parts, 2, 2) : at, join, 3);
}

static void prototypes(uc_zoo *z, int at, uc_zv x)
{
    const size_t mark = uc_z_enter(z, "model.%d.proto", at);
    x = conv(z, "cv1", x, 0);
    x = uc_z_conv_transpose(z, "upsample", x, x.c, 2, 0);
    x = conv(z, "cv3", conv(z, "cv2", x, 0), 0);
    uc_z_leave(z, mark);
    uc_graph_output(z->build->graph, "output1", x.ref);
}

/* What stands behind the classes on one level. */
static uc_ref beside(uc_zoo *z, int at, int level, uc_zv x, const char *kind, uc_ref corner)
{
    uc_t_build *b = z->build;
    const int64_t out = uc_z_dim(z, uc_z_key(z, "model.%d.cv4.0.2.weight", at), 0);
    const uc_zv raw = branch(z, at, "cv4", level, x, out);
    if (strcmp(kind, "-obb") == 0) {
        return uc_t_mul_number(b, uc_t_add_number(b, uc_t_act(b, "sigmoid", raw.ref), -0.25), PI);
    }
    if (strcmp(kind, "-seg") == 0) return raw.ref;
    return keypoints(z, raw, keypoint_size(z, at, out), corner, (double)(8 << level));
}

/* Boxes as centre and size in pixels, then classes, then what the kind adds: [N, numbers, all cells]. */
void uc_z_yolo_head(uc_zoo *z, int at, const uc_zv levels[3])
{
    uc_t_build *b = z->build;
    uc_ref all[3], boxes[3], more[3];
    const char *cv4 = uc_z_key(z, "model.%d.cv4.0.2.weight", at);
    const char *kind = uc_z_has_under(z, uc_z_key(z, "model.%d.proto.", at)) ? "-seg"
                       : !uc_z_has(z, cv4)                                   ? ""
                       : uc_z_dim(z, cv4, 0) == 1                            ? "-obb"
                                                                             : "-pose";
    const int64_t classes = uc_z_dim(z, uc_z_key(z, "model.%d.cv3.0.2.weight", at), 0);
    for (int i = 0; i < 3; i++) {
        const uc_ref d = distances(z, at, branch(z, at, "cv2", i, levels[i], 4 * BINS).ref);
        const uc_ref corner = corners(z, levels[i]), centre = uc_t_add_number(b, corner, 0.5);
        if (*kind) more[i] = beside(z, at, i, levels[i], kind, corner);
        const uc_ref box =
            strcmp(kind, "-obb") == 0 ? turned(z, d, centre, more[i]) : upright(b, d, centre);
        boxes[i] = uc_t_mul_number(b, box, (double)(8 << i));
        all[i] = branch(z, at, "cv3", i, levels[i], classes).ref;
    }
    const uc_ref out[] = {uc_t_cat(b, boxes, 3, 2), uc_t_act(b, "sigmoid", uc_t_cat(b, all, 3, 2)),
                          *kind ? uc_t_cat(b, more, 3, 2) : boxes[0]};
    uc_graph_output(b->graph, "output0", uc_t_cat(b, out, *kind ? 3 : 2, 1));
    if (strcmp(kind, "-seg") == 0) prototypes(z, at, levels[0]);
}

/* Three boxes a cell, [N, cells * 3, 5 + classes]: (2 s - 0.5 + cell) * stride, (2 s)^2 * anchor. */
void uc_z_yolo_anchors(uc_zoo *z, int at, const uc_zv levels[3])
{
    uc_t_build *b = z->build;
    uc_ref rows[3];
    const int64_t numbers = uc_z_dim(z, uc_z_key(z, "model.%d.m.0.weight", at), 0) / 3;
    const uc_ref anchors = UC_Z_P(z, uc_z_key(z, "model.%d.anchors", at), 3, 3, 2);
    for (int i = 0; i < 3; i++) {
        const double stride = (double)(8 << i);
        const int64_t split[] = {0, 3, numbers, -1}, join[] = {0, -1, numbers};
        const uc_zv raw = uc_z_conv(z, uc_z_key(z, "model.%d.m.%d", at, i), levels[i],
                                    (uc_z_window){.out = 3 * numbers, .kernel = 1, .bias = true});
        const uc_ref s = uc_t_act(b, "sigmoid", uc_t_reshape0(b, raw.ref, split, 4));
        const uc_ref twice = uc_t_mul_number(b, s, 2);
        const uc_ref corner = uc_t_add_number(b, corners(z, levels[i]), -0.5);
        const uc_ref centre = uc_t_add(b, uc_t_slice(b, twice, 2, 0, 2, 1), corner);
        const uc_ref root = uc_t_slice(b, twice, 2, 2, 4, 1);
        const uc_ref anchor = uc_t_reshape(b, uc_t_slice(b, anchors, 0, i, i + 1, 1),
                                           (const int64_t[]){1, 3, 2, 1}, 4);
        const uc_ref parts[] = {
            uc_t_mul_number(b, centre, stride),
            uc_t_mul_number(b, uc_t_mul(b, uc_t_mul(b, root, root), anchor), stride),
            uc_t_slice(b, s, 2, 4, numbers, 1)};
        rows[i] = uc_t_reshape0(b, uc_t_transpose(b, uc_t_cat(b, parts, 3, 2), 2, 3), join, 3);
    }
    uc_graph_output(b->graph, "output0", uc_t_cat(b, rows, 3, 1));
}
