/* YOLOv8 of Ultralytics as a bare state dict; its pickled checkpoints hold the whole module.
 * Source: ultralytics/cfg/models/v8/yolov8.yaml, ultralytics/nn/modules/{block,conv,head}.py. */
#include "import/pytorch/zoo/zoo_detect.h"

#define EPS  1e-3
#define BINS 16

static uc_zv conv(uc_zoo *z, const char *name, uc_zv x, int64_t stride)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.conv", name), x, (uc_z_window){.stride = stride});
    if (uc_z_has(z, uc_z_key(z, "%s.conv.bias", name))) { /* fused */
        uc_z_unlike(z, "%s.bn.weight", name);
    }
    return uc_z_act(z, "silu", uc_z_batch_norm(z, uc_z_key(z, "%s.bn", name), x, EPS));
}

/* C2f: halves, each bottleneck's output joined to them. */
static uc_zv c2f(uc_zoo *z, int at, uc_zv x, bool shortcut)
{
    const size_t mark = uc_z_enter(z, "model.%d", at);
    const int depth = uc_z_count(z, "m.%d.cv1.conv.weight");
    uc_zv *parts = UC_NEW(z->arena, uc_zv, (size_t)depth + 2);
    uc_zv y = conv(z, "cv1", x, 1);
    const int64_t half = y.c / 2;
    if (!parts) return (uc_zv){uc_t_fail(z->build, "no memory for %d parts", depth), 0};
    parts[0] = uc_z_slice(z, y, 1, 0, half, half);
    parts[1] = uc_z_slice(z, y, 1, half, y.c, half);
    for (int i = 0; i < depth; i++) {
        y = conv(z, uc_z_key(z, "m.%d.cv1", i), parts[i + 1], 1);
        y = conv(z, uc_z_key(z, "m.%d.cv2", i), y, 1);
        parts[i + 2] = shortcut ? uc_z_add(z, parts[i + 1], y) : y;
    }
    y = conv(z, "cv2", uc_z_cat(z, parts, (size_t)depth + 2), 1);
    uc_z_leave(z, mark);
    return y;
}

/* Spatial pyramid: three pools of 5, one behind another. */
static uc_zv sppf(uc_zoo *z, uc_zv x)
{
    uc_zv parts[4];
    const size_t mark = uc_z_enter(z, "model.9");
    parts[0] = conv(z, "cv1", x, 1);
    for (int i = 1; i < 4; i++) {
        parts[i] = uc_z_max_pool(z, parts[i - 1], 5, 1, 2, false);
    }
    x = conv(z, "cv2", uc_z_cat(z, parts, 4), 1);
    uc_z_leave(z, mark);
    return x;
}

static uc_zv up_and_join(uc_zoo *z, uc_zv x, uc_zv skip)
{
    static const double twice[] = {2, 2};
    x.ref = uc_t_interpolate(z->build, x.ref, 2, NULL, twice, "nearest", false, false);
    const uc_zv parts[] = {x, skip};
    return uc_z_cat(z, parts, 2);
}

static uc_zv down_and_join(uc_zoo *z, int at, uc_zv x, uc_zv skip)
{
    const uc_zv parts[] = {conv(z, uc_z_key(z, "model.%d", at), x, 2), skip};
    return uc_z_cat(z, parts, 2);
}

/* One branch of the head on one level: two convolutions and one without a norm; [1, k, cells]. */
static uc_zv branch(uc_zoo *z, const char *name, int level, uc_zv x, int64_t out)
{
    const size_t mark = uc_z_enter(z, "model.22.%s.%d", name, level);
    x = conv(z, "1", conv(z, "0", x, 1), 1);
    x = uc_z_conv(z, "2", x, (uc_z_window){.out = out, .kernel = 1, .bias = true});
    uc_z_leave(z, mark);
    return (uc_zv){uc_t_flatten(z->build, x.ref, 2, -1), x.c};
}

/* Centres of a level's cells, [2, cells], in cells; x first. */
static uc_ref centres(uc_zoo *z, uc_zv x)
{
    uc_t_build *b = z->build;
    uc_graph *g = b->graph;
    const uc_ref rows = uc_t_size(b, x.ref, 2), columns = uc_t_size(b, x.ref, 3);
    const uc_ref one = uc_z_i64(z, 1), zero = uc_z_i64(z, 0);
    const uc_ref at = uc_g3(g, "Range", zero, uc_z_op2(z, "Mul", rows, columns), one);
    const uc_ref parts[] = {uc_t_unsqueeze(b, uc_z_op2(z, "Mod", at, columns), 0),
                            uc_t_unsqueeze(b, uc_z_op2(z, "Div", at, columns), 0)};
    return uc_t_add_number(b, uc_z_to_f32(z, uc_g_concat(g, parts, 2, 0)), 0.5);
}

/* Distances from distributions over 16 bins: [N, 64, cells] to [N, 4, cells]. */
static uc_ref distances(uc_zoo *z, uc_ref x)
{
    static const int64_t split[] = {0, 4, BINS, -1};
    uc_t_build *b = z->build;
    const uc_ref weight = UC_Z_P(z, "model.22.dfl.conv.weight", 1, BINS, 1, 1);
    const uc_ref p = uc_t_softmax(b, uc_t_reshape0(b, x, split, 4), 2);
    const int64_t sum[] = {2};
    return uc_t_sum(b, uc_t_mul(b, p, uc_t_reshape(b, weight, (const int64_t[]){1, 1, BINS, 1}, 4)),
                    sum, 1, false);
}

/* Boxes as centre and size in pixels, then classes: [N, 4 + classes, all cells]. */
static void detect(uc_zoo *z, const uc_zv levels[3])
{
    uc_t_build *b = z->build;
    uc_ref all[3], at[3];
    const int64_t classes = uc_z_dim(z, "model.22.cv3.0.2.weight", 0);
    for (int i = 0; i < 3; i++) {
        const double stride = (double)(8 << i);
        const uc_ref d = distances(z, branch(z, "cv2", i, levels[i], 4 * BINS).ref);
        const uc_ref c = centres(z, levels[i]);
        const uc_ref low = uc_t_sub(b, c, uc_t_slice(b, d, 1, 0, 2, 1));
        const uc_ref high = uc_t_add(b, c, uc_t_slice(b, d, 1, 2, 4, 1));
        const uc_ref parts[] = {uc_t_mul_number(b, uc_t_add(b, low, high), 0.5),
                                uc_t_sub(b, high, low)};
        at[i] = uc_t_mul_number(b, uc_t_cat(b, parts, 2, 1), stride);
        all[i] = branch(z, "cv3", i, levels[i], classes).ref;
    }
    const uc_ref out[] = {uc_t_cat(b, at, 3, 2), uc_t_act(b, "sigmoid", uc_t_cat(b, all, 3, 2))};
    uc_graph_output(b->graph, "output0", uc_t_cat(b, out, 2, 1));
}

void uc_zoo_yolov8(uc_zoo *z)
{
    uc_z_source(z, "ultralytics", "detection");
    const int64_t width = uc_z_dim(z, "model.0.conv.weight", 0);
    uc_z_arch(z, "yolov8%s",
              width == 16   ? "n"
              : width == 32 ? "s"
              : width == 48 ? "m"
              : width == 64 ? "l"
                            : "x");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "model.0.conv.weight", 1), 0, 0);
    x = conv(z, "model.1", conv(z, "model.0", x, 2), 2);
    x = conv(z, "model.3", c2f(z, 2, x, true), 2);
    const uc_zv p3 = c2f(z, 4, x, true);
    const uc_zv p4 = c2f(z, 6, conv(z, "model.5", p3, 2), true);
    const uc_zv p5 = sppf(z, c2f(z, 8, conv(z, "model.7", p4, 2), true));
    const uc_zv n4 = c2f(z, 12, up_and_join(z, p5, p4), false);
    uc_zv out[3];
    out[0] = c2f(z, 15, up_and_join(z, n4, p3), false);
    out[1] = c2f(z, 18, down_and_join(z, 16, out[0], n4), false);
    out[2] = c2f(z, 21, down_and_join(z, 19, out[1], p5), false);
    detect(z, out);
}
