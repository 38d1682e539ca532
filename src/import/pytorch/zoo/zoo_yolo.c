/* YOLOv5, YOLOv8 and YOLO11 of Ultralytics, as state dicts and as pickled checkpoints, whose tensors' names
 * are the same. Sources: ultralytics 8.4 (cfg/models/{v5,v8,11}, nn/modules/{block,conv,head}.py). */
#include "import/pytorch/zoo/zoo_yolo.h"

#include <math.h>
#include <stdlib.h>

#define LAYERS 25

/* Every norm's epsilon: detectors set it to 1e-3, classifiers leave it (nn/tasks.py). A checkpoint says. */
static double epsilon(const uc_zoo *z)
{
    const uc_pickle *norm = uc_z_yolo_object(z, "model.0.bn");
    const uc_pickle *said = norm ? uc_pickle_attr(norm, "eps") : NULL;
    double eps;
    if (said && uc_pickle_f64(said, &eps)) return eps;
    for (size_t i = 0; i < z->dict->count; i++) {
        const char *name = z->dict->items[i].name;
        if (strstr(name, "model.9.linear.") || strstr(name, "model.10.linear.")) return 1e-5;
    }
    return 1e-3;
}

uc_zv uc_z_yolo_conv(uc_zoo *z, const char *name, uc_zv x, uc_z_window w, const char *act)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.conv", name), x, w);
    if (uc_z_has(z, uc_z_key(z, "%s.conv.bias", name))) { /* fused */
        uc_z_unlike(z, "%s.bn.weight", name);
    }
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.bn", name), x, epsilon(z));
    return act ? uc_z_act(z, act, x) : x;
}

static uc_zv conv(uc_zoo *z, const char *name, uc_zv x)
{
    return uc_z_yolo_conv(z, name, x, (uc_z_window){0}, "silu");
}

const uc_pickle *uc_z_yolo_object(const uc_zoo *z, const char *path)
{
    const uc_pickle *at = z->dict->module;
    while (at && *path) {
        char name[32];
        const size_t n = strcspn(path, ".");
        if (n >= sizeof name) return NULL;
        memcpy(name, path, n);
        name[n] = 0;
        at = uc_pickle_get(uc_pickle_attr(at, "_modules"), name);
        path += n + (path[n] == '.');
    }
    return at;
}

/* ---- blocks ------------------------------------------------------------------------------------ */

static uc_zv bottleneck(uc_zoo *z, uc_zv x, bool shortcut)
{
    const uc_zv y = conv(z, "cv2", conv(z, "cv1", x));
    return shortcut ? uc_z_add(z, x, y) : y;
}

/* C3 and C3k: a row of bottlenecks beside one convolution. */
static uc_zv c3(uc_zoo *z, uc_zv x, bool shortcut)
{
    const int depth = uc_z_count(z, "m.%d.cv1.conv.weight");
    uc_zv y = conv(z, "cv1", x);
    for (int i = 0; i < depth; i++) {
        const size_t mark = uc_z_enter(z, "m.%d", i);
        y = bottleneck(z, y, shortcut);
        uc_z_leave(z, mark);
    }
    const uc_zv parts[] = {y, conv(z, "cv2", x)};
    return conv(z, "cv3", uc_z_cat(z, parts, 2));
}

/* C2f and C3k2: halves, each inner block's output joined to them. */
static uc_zv c2f(uc_zoo *z, uc_zv x, bool shortcut)
{
    const int depth = uc_z_count(z, "m.%d.cv1.conv.weight");
    uc_zv *parts = UC_NEW(z->arena, uc_zv, (size_t)depth + 2);
    const uc_zv y = conv(z, "cv1", x);
    const int64_t half = y.c / 2;
    if (!parts) return (uc_zv){uc_t_fail(z->build, "no memory for %d parts", depth), 0};
    parts[0] = uc_z_slice(z, y, 1, 0, half, half);
    parts[1] = uc_z_slice(z, y, 1, half, y.c, half);
    for (int i = 0; i < depth; i++) {
        const size_t mark = uc_z_enter(z, "m.%d", i);
        const bool is_c3k = uc_z_has(z, "cv3.conv.weight");
        parts[i + 2] =
            is_c3k ? c3(z, parts[i + 1], shortcut) : bottleneck(z, parts[i + 1], shortcut);
        uc_z_leave(z, mark);
    }
    return conv(z, "cv2", uc_z_cat(z, parts, (size_t)depth + 2));
}

static bool is_class(const uc_pickle *object, const char *wanted)
{
    uc_str package, name;
    return uc_t_class_of(object, &package, &name) && uc_str_equal(name, uc_str_of(wanted));
}

/* Spatial pyramid: three pools of 5, one behind another. Its first convolution lost its activation in
 * Ultralytics 8.4.0 to 8.4.120 at least (8.4.170 gives it back to older networks), which the module in a
 * checkpoint shows and a state dict doesn't. */
static uc_zv sppf(uc_zoo *z, uc_zv x, bool linear)
{
    uc_zv parts[4];
    parts[0] = uc_z_yolo_conv(z, "cv1", x, (uc_z_window){0}, linear ? NULL : "silu");
    for (int i = 1; i < 4; i++) {
        parts[i] = uc_z_max_pool(z, parts[i - 1], 5, 1, 2, false);
    }
    return conv(z, "cv2", uc_z_cat(z, parts, 4));
}

/* Attention over all cells, with a depthwise convolution of the values beside it. */
static uc_zv attention(uc_zoo *z, uc_zv x)
{
    uc_t_build *b = z->build;
    const int64_t heads = x.c >= 128 ? x.c / 64 : 1;
    const int64_t size = x.c / heads, keys = size / 2;
    const int64_t split[] = {0, heads, 2 * keys + size, -1};
    const uc_ref shape = uc_z_op1(z, "Shape", x.ref);
    const uc_zv all =
        uc_z_yolo_conv(z, "qkv", x, (uc_z_window){.out = x.c + 2 * keys * heads}, NULL);
    const uc_ref qkv = uc_t_reshape0(b, all.ref, split, 4);
    const uc_ref q = uc_t_slice(b, qkv, 2, 0, keys, 1);
    const uc_ref k = uc_t_slice(b, qkv, 2, keys, 2 * keys, 1);
    const uc_ref v = uc_t_slice(b, qkv, 2, 2 * keys, 2 * keys + size, 1);
    const uc_ref scaled = uc_t_mul_number(b, q, keys > 0 ? 1 / sqrt((double)keys) : 1);
    const uc_ref p = uc_t_softmax(b, uc_t_matmul(b, uc_t_transpose(b, scaled, 2, 3), k), 3);
    const uc_ref sum = uc_t_matmul(b, v, uc_t_transpose(b, p, 2, 3));
    const uc_zv values = {uc_z_op2(z, "Reshape", v, shape), x.c};
    const uc_zv pe =
        uc_z_yolo_conv(z, "pe", values, (uc_z_window){.groups = UC_Z_DEPTHWISE, .out = x.c}, NULL);
    const uc_zv y = {uc_z_op2(z, "Reshape", sum, shape), x.c};
    return uc_z_yolo_conv(z, "proj", uc_z_add(z, y, pe), (uc_z_window){.out = x.c}, NULL);
}

static uc_zv c2psa(uc_zoo *z, uc_zv x)
{
    const int depth = uc_z_count(z, "m.%d.attn.qkv.conv.weight");
    const uc_zv y = conv(z, "cv1", x);
    const int64_t half = y.c / 2;
    uc_zv parts[2] = {uc_z_slice(z, y, 1, 0, half, half), uc_z_slice(z, y, 1, half, y.c, half)};
    for (int i = 0; i < depth; i++) {
        size_t mark = uc_z_enter(z, "m.%d.attn", i);
        parts[1] = uc_z_add(z, parts[1], attention(z, parts[1]));
        uc_z_leave(z, mark);
        mark = uc_z_enter(z, "m.%d.ffn", i);
        const uc_zv wide = conv(z, "0", parts[1]);
        parts[1] = uc_z_add(z, parts[1], uc_z_yolo_conv(z, "1", wide, (uc_z_window){0}, NULL));
        uc_z_leave(z, mark);
    }
    return conv(z, "cv2", uc_z_cat(z, parts, 2));
}

/* ---- networks ---------------------------------------------------------------------------------- */

/* c, 1: convolution of stride 2, 1; b, n: block with and without shortcuts; s: SPPF; p: C2PSA; u: twice as
 * large; jN: joined to layer N. */
typedef struct layout {
    const char *name, *layers;
    int head, levels[3];
} layout;

static const layout v8 = {
    "yolov8", "c c b c b c b c b s u j6 n u j4 n c j12 n c j9 n", 22, {15, 18, 21}};
static const layout v11 = {
    "yolo11", "c c b c b c b c b s p u j6 b u j4 b c j13 b c j10 b", 23, {16, 19, 22}};
static const layout v5 = {
    "yolov5", "c c b c b c b c b s 1 u j6 n 1 u j4 n c j14 n c j10 n", 24, {17, 20, 23}};
static const layout v8_classes = {"yolov8", "c c b c b c b c b", 9, {8, 8, 8}};
static const layout v11_classes = {"yolo11", "c c b c b c b c b p", 10, {9, 9, 9}};

static uc_zv twice_as_large(uc_zoo *z, uc_zv x)
{
    static const double twice[] = {2, 2};
    x.ref = uc_t_interpolate(z->build, x.ref, 2, NULL, twice, "nearest", false, false);
    return x;
}

static uc_zv layer(uc_zoo *z, char kind, int at, uc_zv x, bool linear)
{
    const size_t mark = uc_z_enter(z, "model.%d", at);
    if (kind == 'c' || kind == '1') {
        const bool six = uc_z_dim(z, "conv.weight", 2) == 6;
        const uc_z_window w = {.stride = kind == 'c' ? 2 : 1, .pad = six ? 2 : 0};
        uc_z_leave(z, mark);
        return uc_z_yolo_conv(z, uc_z_key(z, "model.%d", at), x, w, "silu");
    }
    if (kind == 'b' || kind == 'n') {
        const bool is_c3 = uc_z_has(z, "cv3.conv.weight");
        x = is_c3 ? c3(z, x, kind == 'b') : c2f(z, x, kind == 'b');
    }
    if (kind == 's') x = sppf(z, x, linear);
    if (kind == 'p') x = c2psa(z, x);
    if (kind == 'u') x = twice_as_large(z, x);
    uc_z_leave(z, mark);
    return x;
}

static uc_zv trunk(uc_zoo *z, const layout *l, bool linear, uc_zv done[LAYERS])
{
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "model.0.conv.weight", 1), 0, 0);
    int at = 0;
    for (const char *s = l->layers; *s && at < LAYERS; at++) {
        const char kind = *s++;
        if (kind == 'j') {
            const uc_zv parts[] = {x, done[strtol(s, NULL, 10)]};
            x = uc_z_cat(z, parts, 2);
            s += strcspn(s, " ");
        } else {
            x = layer(z, kind, at, x, linear);
        }
        done[at] = x;
        s += *s == ' ';
    }
    return x;
}

static const char *scale(uc_zoo *z, const layout *l)
{
    const int64_t width = uc_z_dim(z, "model.0.conv.weight", 0);
    if (width == 16) return "n";
    if (width == 32) return "s";
    if (width == 48) return "m";
    if (width == 64) return l == &v11 && !uc_z_has_under(z, "model.2.m.1.") ? "m" : "l";
    return "x";
}

/* Whether SPPF's first convolution is without an activation. */
static bool is_linear(uc_zoo *z, const char *name)
{
    const uc_pickle *act = uc_z_yolo_object(z, "model.9.cv1.act");
    if (act) return is_class(act, "Identity");
    if (z->want && strstr(z->want, "-8.4")) return true;
    if (!z->want) {
        uc_z_ask(z,
                 "SiLU behind model.9.cv1 (Ultralytics' own weights; made by 8.3 or 8.4.170) or "
                 "nothing (made by 8.4.0 to 8.4.120) is in no weight: --arch %s or --arch %s-8.4",
                 name, name);
    }
    return false;
}

static void detector(uc_zoo *z, const layout *l)
{
    uc_zv done[LAYERS] = {{0}}, levels[3];
    const bool anchors = uc_z_has(z, "model.24.anchors");
    const bool segments = uc_z_has_under(z, uc_z_key(z, "model.%d.proto.", l->head));
    const char *cv4 = uc_z_key(z, "model.%d.cv4.0.2.weight", l->head);
    const char *kind = segments                   ? "-seg"
                       : !uc_z_has(z, cv4)        ? ""
                       : uc_z_dim(z, cv4, 0) == 1 ? "-obb"
                                                  : "-pose";
    uc_z_source(z, "ultralytics", segments ? "segmentation" : "detection");
    const char *name =
        uc_z_key(z, "%s%s%s%s", l->name, scale(z, l), l == &v5 && !anchors ? "u" : "", kind);
    const bool linear = !anchors && is_linear(z, name);
    uc_z_arch(z, "%s%s", name, linear && !z->dict->module ? "-8.4" : "");
    trunk(z, l, linear, done);
    for (int i = 0; i < 3; i++) {
        levels[i] = done[l->levels[i]];
    }
    if (anchors)
        uc_z_yolo_anchors(z, l->head, levels);
    else
        uc_z_yolo_head(z, l->head, levels);
}

static void classifier(uc_zoo *z, const layout *l)
{
    uc_zv done[LAYERS] = {{0}};
    uc_z_source(z, "ultralytics", "classification");
    uc_z_arch(z, "%s%s-cls", l->name, scale(z, l));
    uc_zv x = trunk(z, l, false, done);
    x = conv(z, uc_z_key(z, "model.%d.conv", l->head), x);
    x = uc_z_linear(z, uc_z_key(z, "model.%d.linear", l->head), uc_z_global_avg_pool(z, x, false),
                    0, true);
    uc_graph_output(z->build->graph, "output0", uc_t_softmax(z->build, x.ref, 1));
}

void uc_zoo_yolo(uc_zoo *z)
{
    const uc_pickle *act = uc_z_yolo_object(z, "model.0.act");
    if (act && !is_class(act, "SiLU")) uc_z_unlike(z, "%s", "model.0.act of class SiLU");
    if (uc_z_has(z, "model.9.linear.weight"))
        classifier(z, &v8_classes);
    else if (uc_z_has(z, "model.10.linear.weight"))
        classifier(z, &v11_classes);
    else if (uc_z_has_under(z, "model.24."))
        detector(z, &v5);
    else if (uc_z_has_under(z, "model.23."))
        detector(z, &v11);
    else
        detector(z, &v8);
}
