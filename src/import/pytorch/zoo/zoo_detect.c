/* The picture made ready for a detector, boxes, suppression.
 * Source: torchvision/models/detection/{transform,_utils,anchor_utils}.py, torchvision/ops/boxes.py. */
#include "import/pytorch/zoo/zoo_detect.h"

const uc_z_transform uc_z_imagenet = {.mean = {0.485, 0.456, 0.406},
                                      .std = {0.229, 0.224, 0.225},
                                      .min_size = 800,
                                      .max_size = 1333,
                                      .multiple = 32};

uc_ref uc_z_op1(uc_zoo *z, const char *op, uc_ref a) { return uc_g1(z->build->graph, op, a); }

uc_ref uc_z_op2(uc_zoo *z, const char *op, uc_ref a, uc_ref b)
{
    return uc_g2(z->build->graph, op, a, b);
}

uc_ref uc_z_f32(uc_zoo *z, double v) { return uc_graph_f32(z->build->graph, (float)v); }

uc_ref uc_z_to_f32(uc_zoo *z, uc_ref a) { return uc_g_cast(z->build->graph, a, UNCORK_FLOAT32); }

uc_ref uc_z_column(uc_zoo *z, uc_ref a, int64_t i, bool keep)
{
    return keep ? uc_t_slice(z->build, a, 1, i, i + 1, 1) : uc_t_select(z->build, a, 1, i);
}

uc_ref uc_z_columns(uc_zoo *z, const uc_ref *columns, size_t count)
{
    return uc_t_cat(z->build, columns, count, 1);
}

uc_ref uc_z_rows(uc_zoo *z, uc_ref a)
{
    return uc_t_unsqueeze(z->build, uc_t_size(z->build, a, 0), 0);
}

void uc_z_top(uc_zoo *z, uc_ref scores, int64_t most, uc_ref *values, uc_ref *indices)
{
    uc_graph *g = z->build->graph;
    const uc_ref k = uc_z_op2(z, "Min", uc_z_rows(z, scores), uc_graph_i64s(g, &most, 1));
    const uc_ref in[] = {scores, k};
    uc_node *n = uc_graph_node(g, "TopK", in, 2, 2);
    uc_node_int(g, n, "axis", 0);
    *values = uc_node_out(n, 0);
    *indices = uc_node_out(n, 1);
}

uc_ref uc_z_where(uc_zoo *z, uc_ref condition)
{
    const uc_ref at = uc_z_op1(z, "NonZero", condition); /* [1, k] */
    return uc_t_select(z->build, at, 0, 0);
}

uc_ref uc_z_pick(uc_zoo *z, uc_ref a, uc_ref indices)
{
    return uc_g_gather(z->build->graph, a, indices, 0);
}

/* ---- the picture ------------------------------------------------------------------------------ */

/* Sides times the scale, rounded down: in float64, as Python reckons. */
static void resized_sides(uc_zoo *z, const uc_z_transform *t, uc_z_frame *f)
{
    uc_graph *g = z->build->graph;
    if (t->fixed) {
        f->rows = f->columns = uc_z_i64(z, t->fixed);
        return;
    }
    const uc_ref rows = uc_g_cast(g, f->full_rows, UNCORK_FLOAT64);
    const uc_ref columns = uc_g_cast(g, f->full_columns, UNCORK_FLOAT64);
    const uc_ref shorter =
        uc_z_op2(z, "Div", uc_graph_f64(g, (double)t->min_size), uc_z_op2(z, "Min", rows, columns));
    const uc_ref longer =
        uc_z_op2(z, "Div", uc_graph_f64(g, (double)t->max_size), uc_z_op2(z, "Max", rows, columns));
    const uc_ref scale = uc_z_op2(z, "Min", shorter, longer);
    f->rows = uc_g_cast(g, uc_z_op2(z, "Mul", rows, scale), UNCORK_INT64);
    f->columns = uc_g_cast(g, uc_z_op2(z, "Mul", columns, scale), UNCORK_INT64);
}

static uc_ref both(uc_zoo *z, uc_ref rows, uc_ref columns)
{
    const uc_ref parts[] = {uc_t_unsqueeze(z->build, rows, 0),
                            uc_t_unsqueeze(z->build, columns, 0)};
    return uc_g_concat(z->build->graph, parts, 2, 0);
}

static uc_ref resize(uc_zoo *z, uc_ref x, const uc_z_frame *f)
{
    static const int64_t axes[] = {2, 3};
    uc_graph *g = z->build->graph;
    const uc_ref in[] = {x, 0, 0, both(z, f->rows, f->columns)};
    uc_node *n = uc_graph_node(g, "Resize", in, 4, 1);
    uc_node_ints(g, n, "axes", axes, 2);
    uc_node_str(g, n, "mode", "linear");
    uc_node_str(g, n, "coordinate_transformation_mode", "half_pixel");
    return uc_node_out(n, 0);
}

static uc_ref up_to_multiple(uc_zoo *z, uc_ref size, int64_t multiple)
{
    const uc_ref m = uc_z_i64(z, multiple);
    const uc_ref up = uc_z_op2(z, "Add", size, uc_z_i64(z, multiple - 1));
    return uc_z_op2(z, "Mul", uc_z_op2(z, "Div", up, m), m);
}

static uc_ref pad_behind(uc_zoo *z, uc_ref x, const uc_z_frame *f)
{
    static const int64_t axes[] = {2, 3}, zeros[] = {0, 0};
    uc_graph *g = z->build->graph;
    const uc_ref pads[] = {uc_graph_i64s(g, zeros, 2),
                           both(z, uc_z_op2(z, "Sub", f->all_rows, f->rows),
                                uc_z_op2(z, "Sub", f->all_columns, f->columns))};
    const uc_ref in[] = {x, uc_g_concat(g, pads, 2, 0), 0, uc_graph_i64s(g, axes, 2)};
    return uc_node_out(uc_graph_node(g, "Pad", in, 4, 1), 0);
}

uc_z_frame uc_z_frame_of(uc_zoo *z, const uc_z_transform *t)
{
    static const int64_t shape[] = {1, 3, 1, 1}, picture[] = {1, 3, -1, -1};
    uc_t_build *b = z->build;
    uc_z_frame f = {.x = {uc_graph_input(b->graph, "input", UNCORK_FLOAT32, 4, picture), 3}};
    f.full_rows = uc_t_size(b, f.x.ref, 2);
    f.full_columns = uc_t_size(b, f.x.ref, 3);
    uc_ref x = uc_t_sub(b, f.x.ref, uc_t_values(b, UNCORK_FLOAT32, t->mean, 4, shape));
    x = uc_t_div(b, x, uc_t_values(b, UNCORK_FLOAT32, t->std, 4, shape));
    resized_sides(z, t, &f);
    x = resize(z, x, &f);
    f.all_rows = f.rows;
    f.all_columns = f.columns;
    if (t->multiple) {
        f.all_rows = up_to_multiple(z, f.rows, t->multiple);
        f.all_columns = up_to_multiple(z, f.columns, t->multiple);
        x = pad_behind(z, x, &f);
    }
    f.x.ref = x;
    return f;
}

/* ---- anchors ---------------------------------------------------------------------------------- */

uc_ref uc_z_cells(uc_zoo *z, uc_zv x, int64_t k)
{
    static const int64_t last[] = {0, 2, 3, 1};
    const int64_t shape[] = {-1, k};
    return uc_t_reshape(z->build, uc_t_permute(z->build, x.ref, last, 4), shape, 2);
}

/* Half away from an even whole stays even, as torch.round does. */
static double round_even(double v)
{
    const double down = __builtin_floor(v), rest = v - down;
    if (rest != 0.5) return rest > 0.5 ? down + 1 : down;
    return __builtin_fmod(down, 2) == 0 ? down : down + 1;
}

/* Zero-centred boxes, in float32: [1, A, 4]. */
static uc_ref cell_anchors(uc_zoo *z, const uc_z_anchors *a)
{
    double v[4 * 15];
    int64_t n = 0;
    for (int r = 0; r < a->ratio_count; r++) {
        const float high = __builtin_sqrtf((float)a->ratios[r]), wide = 1 / high;
        for (int s = 0; s < a->size_count; s++, n++) {
            const float w = wide * (float)a->sizes[s] / 2, h = high * (float)a->sizes[s] / 2;
            const double box[] = {-(double)w, -(double)h, (double)w, (double)h};
            for (int i = 0; i < 4; i++) {
                v[4 * n + i] = round_even(box[i]);
            }
        }
    }
    const int64_t shape[] = {1, n, 4};
    return uc_t_values(z->build, UNCORK_FLOAT32, v, 3, shape);
}

/* 0, stride, 2 stride, ... in float32. */
static uc_ref steps(uc_zoo *z, uc_ref count, uc_ref whole)
{
    const uc_ref stride = uc_z_op2(z, "Div", whole, count);
    const uc_ref at = uc_g3(z->build->graph, "Range", uc_z_i64(z, 0), count, uc_z_i64(z, 1));
    return uc_z_to_f32(z, uc_z_op2(z, "Mul", at, stride));
}

uc_ref uc_z_grid(uc_zoo *z, uc_zv feature, const uc_z_frame *frame, const uc_z_anchors *a)
{
    static const int64_t cells[] = {-1, 1, 4}, boxes[] = {-1, 4};
    uc_t_build *b = z->build;
    const uc_ref rows = uc_t_size(b, feature.ref, 2), columns = uc_t_size(b, feature.ref, 3);
    const uc_ref size = both(z, rows, columns);
    const uc_ref x = uc_t_unsqueeze(b, steps(z, columns, frame->all_columns), 0);
    const uc_ref y = uc_t_unsqueeze(b, steps(z, rows, frame->all_rows), 1);
    const uc_ref xs = uc_t_unsqueeze(b, uc_z_op2(z, "Expand", x, size), 2);
    const uc_ref ys = uc_t_unsqueeze(b, uc_z_op2(z, "Expand", y, size), 2);
    const uc_ref parts[] = {xs, ys, xs, ys};
    const uc_ref shifts = uc_t_reshape(b, uc_t_cat(b, parts, 4, 2), cells, 3);
    return uc_t_reshape(b, uc_t_add(b, shifts, cell_anchors(z, a)), boxes, 2);
}

/* ---- boxes ------------------------------------------------------------------------------------ */

/* One axis: centre and length of a box, moved and stretched by a code; its two ends. */
static void decode_axis(uc_zoo *z, uc_ref codes, uc_ref boxes, int axis, const double weights[4],
                        uc_ref *begin, uc_ref *end)
{
    uc_t_build *b = z->build;
    const double most = __builtin_log(1000.0 / 16);
    const uc_ref low = uc_z_column(z, boxes, axis, true),
                 high = uc_z_column(z, boxes, axis + 2, true);
    const uc_ref length = uc_t_sub(b, high, low);
    const uc_ref centre = uc_t_add(b, low, uc_t_mul_number(b, length, 0.5));
    const uc_ref move = uc_t_div(b, uc_z_column(z, codes, axis, true), uc_z_f32(z, weights[axis]));
    uc_ref grow =
        uc_t_div(b, uc_z_column(z, codes, axis + 2, true), uc_z_f32(z, weights[axis + 2]));
    grow = uc_t_clamp(b, grow, __builtin_nan(""), most);
    const uc_ref at = uc_t_add(b, uc_t_mul(b, move, length), centre);
    const uc_ref half = uc_t_mul_number(b, uc_t_mul(b, uc_z_op1(z, "Exp", grow), length), 0.5);
    *begin = uc_t_sub(b, at, half);
    *end = uc_t_add(b, at, half);
}

uc_ref uc_z_decode(uc_zoo *z, uc_ref codes, uc_ref boxes, const double weights[4])
{
    uc_ref ends[4];
    decode_axis(z, codes, boxes, 0, weights, &ends[0], &ends[2]);
    decode_axis(z, codes, boxes, 1, weights, &ends[1], &ends[3]);
    return uc_z_columns(z, ends, 4);
}

uc_ref uc_z_clip(uc_zoo *z, uc_ref boxes, const uc_z_frame *frame)
{
    const uc_ref side = uc_z_to_f32(z, both(z, frame->columns, frame->rows));
    const uc_ref twice[] = {side, side};
    const uc_ref most = uc_t_cat(z->build, twice, 2, 0);
    return uc_z_op2(z, "Min", uc_z_op2(z, "Max", boxes, uc_z_f32(z, 0)), most);
}

uc_ref uc_z_nms(uc_zoo *z, uc_ref boxes, uc_ref scores, uc_ref labels, int64_t classes,
                double threshold, int64_t top)
{
    uc_graph *g = z->build->graph;
    uc_t_build *b = z->build;
    uc_ref each = uc_t_unsqueeze(b, scores, 0); /* [classes, n]: -1 where it is of another class */
    if (labels) {
        int64_t *ids = UC_NEW(z->arena, int64_t, (size_t)classes + 1);
        if (!ids) return uc_t_fail(b, "no memory for %d classes", (int)classes);
        for (int64_t i = 0; i < classes; i++) {
            ids[i] = i;
        }
        const uc_ref row = uc_t_unsqueeze(b, uc_graph_i64s(g, ids, classes), 1);
        const uc_ref own = uc_z_op2(z, "Equal", uc_t_unsqueeze(b, labels, 0), row);
        each = uc_g_where(g, own, each, uc_z_f32(z, -1));
    }
    const uc_ref in[] = {uc_t_unsqueeze(b, boxes, 0), uc_t_unsqueeze(b, each, 0),
                         uc_graph_i64s(g, &top, 1), uc_z_f32(z, threshold), uc_z_f32(z, -0.5)};
    uc_node *n = uc_graph_node(g, "NonMaxSuppression", in, 5, 1);
    const uc_ref kept = uc_t_select(b, uc_node_out(n, 0), 1, 2);
    if (!labels) return kept;
    uc_ref values, order;
    uc_z_top(z, uc_z_pick(z, scores, kept), top, &values, &order);
    return uc_z_pick(z, kept, order);
}

uc_ref uc_z_unresize(uc_zoo *z, uc_ref boxes, const uc_z_frame *frame)
{
    const uc_ref full = uc_z_to_f32(z, both(z, frame->full_columns, frame->full_rows));
    const uc_ref made = uc_z_to_f32(z, both(z, frame->columns, frame->rows));
    const uc_ref ratio = uc_t_div(z->build, full, made);
    const uc_ref twice[] = {ratio, ratio};
    return uc_t_mul(z->build, boxes, uc_t_cat(z->build, twice, 2, 0));
}

void uc_z_detections(uc_zoo *z, uc_ref boxes, uc_ref scores, uc_ref labels, const uc_z_frame *frame)
{
    uc_graph *g = z->build->graph;
    uc_graph_output(g, "boxes", uc_z_unresize(z, boxes, frame));
    uc_graph_output(g, "scores", scores);
    uc_graph_output(g, "labels", labels);
}
