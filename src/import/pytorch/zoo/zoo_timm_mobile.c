/* timm's mobile networks, made of the same few blocks: EfficientNet, EfficientNetV2 and -Lite, MobileNetV1 to
 * V3, MNASNet, TinyNet, FBNet, SPNASNet; and lukemelas' EfficientNet.
 * Source: timm/models/{_efficientnet_blocks,efficientnet,mobilenetv3}.py;
 * lukemelas/EfficientNet-PyTorch efficientnet_pytorch/model.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define STAGES 7

enum { SEPARABLE, INVERTED, EDGE, PLAIN }; /* ds, ir, er, cn of timm's strings */

typedef struct stage {
    int depth, kind;
    int64_t kernel;
    int excited; /* blocks with squeeze and excitation */
} stage;

typedef struct net {
    const char *name;
    int stages;
    stage of[STAGES];
    const char *strides;     /* a digit a stage */
    const char *act, *early; /* of the blocks from `late` on, and before */
    int late;
    const char *gate, *squeeze;
    double eps;
    bool same;           /* weights from TensorFlow */
    bool straight;       /* no shortcuts; separable convolutions have two activations */
    bool has_tf;         /* the same keys are published with weights from TensorFlow */
    bool straight_first; /* no shortcut in the first block */
    bool lone;           /* the first block of the fifth stage has no shortcut */
} net;

static int kind_of(uc_zoo *z)
{
    if (uc_z_has(z, "conv_pwl.weight")) {
        return uc_z_has(z, "conv_exp.weight") ? EDGE : INVERTED;
    }
    return uc_z_has(z, "conv_dw.weight") ? SEPARABLE : PLAIN;
}

static void read_stages(uc_zoo *z, net *n)
{
    static const char *const window[] = {"conv_dw.weight", "conv_dw.weight", "conv_exp.weight",
                                         "conv.weight"};
    for (int i = 0; i < STAGES; i++) {
        stage *s = &n->of[i];
        s->depth = uc_z_count(z, uc_z_key(z, "blocks.%d.%%d.bn1.weight", i));
        if (!s->depth) break;
        n->stages = i + 1;
        for (int j = 0; j < s->depth; j++) {
            const size_t mark = uc_z_enter(z, "blocks.%d.%d", i, j);
            if (uc_z_has(z, "se.conv_reduce.weight")) s->excited++;
            if (j == 0) {
                s->kind = kind_of(z);
                s->kernel = uc_z_dim(z, window[s->kind], 2);
            }
            uc_z_leave(z, mark);
        }
    }
}

/* B0 to B7 by the channels of the head and the number of blocks. */
static int efficientnet_size(int64_t width, int depth)
{
    return width == 1280   ? (depth == 16 ? 0 : 1)
           : width == 1408 ? 2
           : width == 1536 ? 3
           : width == 1792 ? 4
           : width == 2048 ? 5
           : width == 2304 ? 6
                           : 7;
}

static const char known[] =
    "tf_ efficientnet mobilenet mnasnet semnasnet spnasnet fbnet tinynet lcnet hardcorenas gc_";

static int64_t excited_stages(const net *n)
{
    int count = 0;
    for (int i = 0; i < n->stages; i++) {
        count += n->of[i].excited > 0;
    }
    return count;
}

/* Without squeeze and excitation the windows tell: 3 everywhere is MobileNetV2; the third 5 and the fourth
 * 3 EfficientNet-Lite; the rest were found by search and have plain ReLUs. */
static void classify_plain(net *n)
{
    bool threes = true;
    for (int i = 0; i < n->stages; i++) {
        threes = threes && n->of[i].kernel == 3;
    }
    const bool lite = n->of[2].kernel == 5 && n->of[3].kernel == 3 && n->of[4].kernel == 5;
    n->name = threes ? "mobilenetv2" : lite ? "efficientnet_lite" : "mnasnet";
    n->act = threes || lite ? "relu6" : "relu";
}

/* Fused blocks: EfficientNetV2 when later ones are excited; else those of the Edge TPU, which have plain
 * ReLUs. */
static void classify_fused(net *n)
{
    n->has_tf = true;
    n->name = "efficientnetv2";
    if (excited_stages(n)) return;
    n->act = "relu";
    n->name = "efficientnet_edge";
    n->straight_first = true;
    if (n->of[0].kind == EDGE) return;
    n->name = "mobilenet_edgetpu";
    n->has_tf = false;
    n->lone = true;
}

/* A 1x1 convolution at the end: MobileNetV3, of which Ross Wightman's own and FBNetV3 have no bias in
 * conv_head. */
static void classify_v3(uc_zoo *z, net *n)
{
    const bool large = n->stages == 7, bias = uc_z_has(z, "conv_head.bias");
    n->name = large ? "mobilenetv3_large" : "mobilenetv3_small";
    n->strides = large ? "1222121" : "222121";
    n->act = excited_stages(n) ? "hardswish" : "relu";
    n->gate = "hardsigmoid";
    n->squeeze = "relu";
    n->has_tf = bias;
    if (!bias && n->of[0].depth > 1) {
        n->name = "fbnetv3";
        n->squeeze = NULL;
        return;
    }
    n->late = large ? 3 : 2;
    if (bias) return;
    n->name = "mobilenetv3_rw";
    n->squeeze = NULL;
    n->eps = 1e-3;
    n->straight_first = true;
}

/* Separable blocks all the way. */
static void classify_separable(net *n)
{
    n->straight = true;
    n->name = n->stages == 5 ? "mobilenetv1" : "lcnet";
    n->strides = n->stages == 5 ? "12222" : "122212";
    n->act = n->stages == 5 ? "relu6" : "hardswish";
    n->gate = n->stages == 5 ? "sigmoid" : "hardsigmoid";
    n->squeeze = "relu";
}

static void classify(uc_zoo *z, net *n)
{
    const int last = n->stages - 1;
    const int64_t excited = excited_stages(n);
    *n = (net){.stages = n->stages,
               .of = {n->of[0], n->of[1], n->of[2], n->of[3], n->of[4], n->of[5], n->of[6]},
               .strides = "1222121",
               .gate = "sigmoid",
               .act = "silu",
               .eps = 1e-5};
    if (n->of[1].kind == EDGE) {
        classify_fused(n);
    } else if (n->of[last].kind == PLAIN) {
        classify_v3(z, n);
    } else if (n->of[1].kind == SEPARABLE && n->of[last].kind == SEPARABLE) {
        classify_separable(n);
    } else if (excited == n->stages) {
        const bool tiny = uc_z_dim(z, "conv_stem.weight", 0) == 32 && n->of[1].depth == 2 &&
                          uc_z_dim(z, "blocks.0.0.conv_pw.weight", 0) < 16;
        n->name = tiny ? "tinynet" : "efficientnet";
        n->has_tf = !tiny;
    } else if (!excited) {
        classify_plain(n);
        n->has_tf = strcmp(n->name, "efficientnet_lite") == 0;
    } else {
        n->name = "semnasnet";
        n->act = "relu";
    }
    n->early = n->late ? "relu" : n->act;
}

static uc_zv conv_norm(uc_zoo *z, const net *n, const char *conv, const char *norm, uc_zv x,
                       uc_z_window w, const char *act)
{
    w.same = n->same;
    x = uc_z_batch_norm(z, norm, uc_z_conv(z, conv, x, w), n->eps);
    return act ? uc_z_act(z, act, x) : x;
}

static uc_zv excite(uc_zoo *z, const net *n, const char *first, const char *second, const char *act,
                    uc_zv x)
{
    const uc_z_window w = {.kernel = 1, .bias = true};
    uc_zv s = uc_z_act(z, n->squeeze ? n->squeeze : act,
                       uc_z_conv(z, first, uc_z_global_avg_pool(z, x, true), w));
    s = uc_z_act(z, n->gate, uc_z_conv(z, second, s, w));
    return uc_z_mul(z, x, s);
}

static uc_zv block(uc_zoo *z, const net *n, uc_zv x, int64_t stride, const char *act, bool skips)
{
    const uc_z_window one = {.kernel = 1};
    const int kind = kind_of(z);
    uc_zv y = x;
    uc_z_window w = {.stride = stride};
    if (kind == INVERTED) y = conv_norm(z, n, "conv_pw", "bn1", y, one, act);
    if (kind == INVERTED || kind == SEPARABLE) {
        w.out = y.c;
        w.groups = UC_Z_DEPTHWISE;
    }
    if (kind == EDGE) w.groups = UC_Z_GROUPED;
    y = conv_norm(z, n,
                  kind == EDGE    ? "conv_exp"
                  : kind == PLAIN ? "conv"
                                  : "conv_dw",
                  kind == INVERTED ? "bn2" : "bn1", y, w, act);
    if (uc_z_has(z, "se.conv_reduce.weight")) {
        y = excite(z, n, "se.conv_reduce", "se.conv_expand", act, y);
    }
    if (kind == SEPARABLE) {
        y = conv_norm(z, n, "conv_pw", "bn2", y, one, n->straight ? act : NULL);
    }
    if (kind == EDGE) y = conv_norm(z, n, "conv_pwl", "bn2", y, one, NULL);
    if (kind == INVERTED) y = conv_norm(z, n, "conv_pwl", "bn3", y, one, NULL);
    return skips && stride == 1 && x.c == y.c && x.c ? uc_z_add(z, y, x) : y;
}

static uc_zv tail(uc_zoo *z, const net *n, uc_zv x)
{
    if (uc_z_has(z, "bn2.weight")) { /* EfficientNet's order */
        x = conv_norm(z, n, "conv_head", "bn2", x, (uc_z_window){.kernel = 1}, n->act);
        return uc_z_global_avg_pool(z, x, false);
    }
    x = uc_z_global_avg_pool(z, x, true);
    if (uc_z_has(z, "conv_head.weight")) {
        x = uc_z_conv(z, "conv_head", x, (uc_z_window){.kernel = 1, .maybe_bias = true});
        x = uc_z_act(z, n->act, x);
    }
    return uc_z_flatten(z, x, 1);
}

/* EfficientNets that were pruned come from TensorFlow; their blocks don't widen six times. */
static bool is_pruned(uc_zoo *z, const net *n)
{
    return strcmp(n->name, "efficientnet") == 0 &&
           uc_z_dim(z, "blocks.1.0.conv_pw.weight", 0) !=
               6 * uc_z_dim(z, "blocks.1.0.conv_pw.weight", 1);
}

/* What the name decides where keys don't: padding and epsilon of TensorFlow's weights, filters in front of
 * strides. */
static void take_name(uc_zoo *z, net *n)
{
    const char *name = uc_z_said(z, known);
    uc_z_source(z, "timm", "classification");
    uc_z_arch(z, "%s", name ? name : n->name);
    const bool pruned = is_pruned(z, n) && (!name || strstr(name, "pruned"));
    n->same = pruned || (name && strncmp(name, "tf_", 3) == 0);
    if (n->same) n->eps = 1e-3;
    if (!name && strcmp(n->name, "efficientnet") == 0) {
        int depth = 0;
        for (int i = 0; i < n->stages; i++) {
            depth += n->of[i].depth;
        }
        uc_z_arch(z, "efficientnet_b%d",
                  efficientnet_size(uc_z_dim(z, "conv_head.weight", 0), depth));
        n->has_tf = !pruned;
    }
    if (name && (strstr(name, "blur") || strstr(name, "_aa_"))) {
        uc_z_unlike(z, "strides without the blur that '%s' has", name);
    }
    if (!name && n->has_tf) {
        uc_z_assume(z,
                    "read as timm's %s; its tf_ variant has the same keys but pads and normalises "
                    "otherwise (--arch tf_%s)",
                    z->report->arch, z->report->arch);
    }
}

static bool skips(const net *n, int i, int j)
{
    if (n->straight || (n->straight_first && i == 0)) return false;
    return !(n->lone && i == 4 && j == 0);
}

void uc_zoo_timm_mobile(uc_zoo *z)
{
    net n = {0};
    read_stages(z, &n);
    if (n.stages < 2) {
        uc_z_unlike(z, "blocks.1.0.bn1.weight");
        return;
    }
    classify(z, &n);
    take_name(z, &n);
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv_stem.weight", 1), 0, 0);
    x = conv_norm(z, &n, "conv_stem", "bn1", x, (uc_z_window){.stride = 2}, n.act);
    for (int i = 0; i < n.stages; i++) {
        for (int j = 0; j < n.of[i].depth; j++) {
            const size_t mark = uc_z_enter(z, "blocks.%d.%d", i, j);
            const char *act = i < n.late ? n.early : n.act;
            x = block(z, &n, x, j ? 1 : n.strides[i] - '0', act, skips(&n, i, j));
            uc_z_leave(z, mark);
        }
    }
    uc_z_output(z, "output", uc_z_linear(z, "classifier", tail(z, &n, x), 0, true));
}

/* ---- lukemelas -------------------------------------------------------------------------------- */

static uc_zv luke_block(uc_zoo *z, const net *n, uc_zv x, int64_t stride)
{
    const uc_z_window one = {.kernel = 1};
    uc_zv y = x;
    if (uc_z_has(z, "_expand_conv.weight")) {
        y = conv_norm(z, n, "_expand_conv", "_bn0", y, one, "silu");
    }
    const uc_z_window w = {.out = y.c, .stride = stride, .groups = UC_Z_DEPTHWISE};
    y = conv_norm(z, n, "_depthwise_conv", "_bn1", y, w, "silu");
    y = excite(z, n, "_se_reduce", "_se_expand", "silu", y);
    y = conv_norm(z, n, "_project_conv", "_bn2", y, one, NULL);
    return stride == 1 && x.c == y.c ? uc_z_add(z, y, x) : y;
}

void uc_zoo_efficientnet_pytorch(uc_zoo *z)
{
    static const char strides[] = "1222121";
    const net n = {.gate = "sigmoid", .squeeze = "silu", .eps = 1e-3, .same = true};
    const int depth = uc_z_count(z, "_blocks.%d._depthwise_conv.weight");
    const int64_t width = uc_z_dim(z, "_conv_head.weight", 0);
    const int size = efficientnet_size(width, depth);
    uc_z_source(z, "efficientnet_pytorch", "classification");
    uc_z_arch(z, "efficientnet-b%d", size);
    uc_z_preset(z, "torchvision:resnet50");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "_conv_stem.weight", 1), 0, 0);
    x = conv_norm(z, &n, "_conv_stem", "_bn0", x, (uc_z_window){.kernel = 3, .stride = 2}, "silu");
    int at = -1;
    int64_t out = 0;
    for (int i = 0; i < depth; i++) { /* a stage begins where the width changes */
        const size_t mark = uc_z_enter(z, "_blocks.%d", i);
        const int64_t c = uc_z_dim(z, "_project_conv.weight", 0);
        const bool first = c != out;
        if (first && at < 6) at++;
        out = c;
        x = luke_block(z, &n, x, first ? strides[at] - '0' : 1);
        uc_z_leave(z, mark);
    }
    x = conv_norm(z, &n, "_conv_head", "_bn1", x, (uc_z_window){.kernel = 1}, "silu");
    uc_z_output(z, "output", uc_z_linear(z, "_fc", uc_z_global_avg_pool(z, x, false), 0, true));
}
