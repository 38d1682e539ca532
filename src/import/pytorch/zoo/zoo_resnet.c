/* ResNet, ResNeXt, Wide ResNet and SE-ResNet, with the stems of torchvision, timm (-c, -d, -t) and the
 * small pictures of CIFAR.
 * Source: torchvision/models/resnet.py; timm/models/resnet.py; akamaster/pytorch_resnet_cifar10 (shortcut
 * A), kuangliu/pytorch-cifar. */
#include "import/pytorch/zoo/zoo_resnet.h"

#define EPS 1e-5

static const uc_z_resnet names[] = {
    {"resnet18", false, {2, 2, 2, 2}, 1, 64, 4, {0}},
    {"resnet34", false, {3, 4, 6, 3}, 1, 64, 4, {0}},
    {"resnet50", true, {3, 4, 6, 3}, 1, 64, 4, {0}},
    {"resnet101", true, {3, 4, 23, 3}, 1, 64, 4, {0}},
    {"resnet152", true, {3, 8, 36, 3}, 1, 64, 4, {0}},
    {"resnext50_32x4d", true, {3, 4, 6, 3}, 32, 4, 4, {0}},
    {"resnext101_32x8d", true, {3, 4, 23, 3}, 32, 8, 4, {0}},
    {"resnext101_64x4d", true, {3, 4, 23, 3}, 64, 4, 4, {0}},
    {"wide_resnet50_2", true, {3, 4, 6, 3}, 1, 128, 4, {0}},
    {"wide_resnet101_2", true, {3, 4, 23, 3}, 1, 128, 4, {0}},
};

static bool same_net(const uc_z_resnet *a, const uc_z_resnet *b)
{
    return a->bottleneck == b->bottleneck && a->groups == b->groups && a->width == b->width &&
           a->stages == b->stages && memcmp(a->depth, b->depth, sizeof a->depth) == 0;
}

uc_z_resnet uc_z_resnet_read(uc_zoo *z)
{
    uc_z_resnet net = {.bottleneck = uc_z_has(z, "layer1.0.conv3.weight")};
    for (size_t i = 0; z->want && i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].name, z->want) == 0) return names[i];
    }
    for (int i = 0; i < 4; i++) {
        net.depth[i] = uc_z_count(z, uc_z_key(z, "layer%d.%%d.conv1.weight", i + 1));
        if (net.depth[i] > 0) net.stages = i + 1;
    }
    const int64_t width = uc_z_dim(z, "layer1.0.conv2.weight", 0);
    const int64_t each = uc_z_dim(z, "layer1.0.conv2.weight", 1);
    net.groups = each > 0 && width % each == 0 ? width / each : 1;
    net.width = net.bottleneck ? (net.groups > 1 ? each : width) : 64;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (same_net(&net, &names[i])) net.name = names[i].name;
    }
    return net;
}

typedef struct place {
    int stage;
    int64_t stride, dilation, first_dilation;
    int64_t width, out; /* 0: as the file has it */
} place;

/* Channel attention that looks at few neighbours: a convolution along the channels' means. */
static uc_zv excite_near(uc_zoo *z, uc_zv x)
{
    static const int64_t rows[] = {0, 1, -1}, ones[] = {1};
    uc_t_build *b = z->build;
    const int64_t size = uc_z_dim(z, "se.conv.weight", 2), pad[] = {(size - 1) / 2};
    const int64_t back[] = {0, -1, 1, 1};
    uc_ref s = uc_t_unsqueeze(b, uc_z_global_avg_pool(z, x, false).ref, 1);
    s = uc_t_conv(b, uc_t_reshape0(b, s, rows, 3), UC_Z_P(z, "se.conv.weight", 1, 1, 0), 0, 1, ones,
                  pad, ones, 1);
    s = uc_t_reshape0(b, uc_t_act(b, "sigmoid", s), back, 4);
    return (uc_zv){uc_t_mul(b, x.ref, s), x.c};
}

/* Squeeze and excitation as timm writes it: convolutions of 1x1 or dense layers. */
static uc_zv excite(uc_zoo *z, uc_zv x)
{
    if (uc_z_has(z, "se.conv.weight")) return excite_near(z, x);
    const char *name = uc_z_has(z, "se.fc1.weight")          ? "se"
                       : uc_z_has(z, "se_module.fc1.weight") ? "se_module"
                                                             : NULL;
    if (!name) return x;
    uc_zv s = uc_z_global_avg_pool(z, x, true);
    const uc_z_window w = {.kernel = 1, .bias = true};
    s = uc_z_act(z, "relu", uc_z_conv(z, uc_z_key(z, "%s.fc1", name), s, w));
    s = uc_z_act(z, "sigmoid", uc_z_conv(z, uc_z_key(z, "%s.fc2", name), s, w));
    return uc_z_mul(z, x, s);
}

/* Shortcut A of the CIFAR ResNets: every second pixel, new channels are zeros on both sides. */
static uc_zv padded_shortcut(uc_zoo *z, uc_zv x, int64_t out, int64_t stride)
{
    const int64_t more = out - x.c;
    if (more % 2 != 0) uc_z_unlike(z, "downsample");
    uc_ref y = x.ref;
    if (stride > 1) {
        y = uc_t_slice(z->build, y, 2, 0, INT64_MAX, stride);
        y = uc_t_slice(z->build, y, 3, 0, INT64_MAX, stride);
    }
    const int64_t pads[] = {0, 0, 0, 0, more / 2, more / 2};
    return (uc_zv){uc_t_pad(z->build, y, pads, 6, "constant", 0), out};
}

static uc_zv shortcut(uc_zoo *z, uc_zv x, const place *p, int64_t out)
{
    if (uc_z_has(z, "downsample.1.weight") && uc_z_rank(z, "downsample.1.weight") == 4) {
        if (p->stride > 1) x = uc_z_avg_pool(z, x, p->stride, p->stride, 0, true, false);
        x = uc_z_conv(z, "downsample.1", x, (uc_z_window){.out = out, .kernel = 1});
        return uc_z_batch_norm(z, "downsample.2", x, EPS);
    }
    const char *name = uc_z_has(z, "shortcut.0.weight") ? "shortcut" : "downsample";
    const uc_z_window w = {.out = out, .kernel = 1, .stride = p->stride};
    if (z->want || uc_z_has(z, uc_z_key(z, "%s.0.weight", name))) {
        if (z->want && p->stride == 1 && x.c == out) return x;
        x = uc_z_conv(z, uc_z_key(z, "%s.0", name), x, w);
        return uc_z_batch_norm(z, uc_z_key(z, "%s.1", name), x, EPS);
    }
    if (x.c == out && p->stride == 1) return x;
    if (uc_z_has(z, "conv3.weight")) {
        uc_z_unlike(z, "downsample.0.weight");
        return (uc_zv){0, out};
    }
    return padded_shortcut(z, x, out, p->stride);
}

static uc_zv basic(uc_zoo *z, uc_zv x, const place *p)
{
    uc_zv y =
        uc_z_conv(z, "conv1", x, (uc_z_window){.out = p->out, .kernel = 3, .stride = p->stride});
    y = uc_z_act(z, "relu", uc_z_batch_norm(z, "bn1", y, EPS));
    y = uc_z_conv(z, "conv2", y, (uc_z_window){.out = p->out, .kernel = 3});
    y = excite(z, uc_z_batch_norm(z, "bn2", y, EPS));
    return uc_z_act(z, "relu", uc_z_add(z, y, shortcut(z, x, p, y.c)));
}

/* Res2Net's middle: parts of the channels, each behind a convolution that gets the one before too, but
 * for blocks with a shortcut of their own. The last part goes by. */
static uc_zv cascade(uc_zoo *z, uc_zv x, int64_t stride)
{
    uc_zv out[9] = {{0, 0}}, y = {0, 0};
    const int convs = uc_z_count(z, "convs.%d.weight");
    const bool first = uc_z_has_under(z, "downsample.");
    const int64_t width = convs ? x.c / (convs + 1) : 0;
    if (convs < 1 || convs > 8 || x.c % (convs + 1) != 0) {
        uc_z_unlike(z, "convs");
        return x;
    }
    for (int i = 0; i < convs; i++) {
        const uc_zv part = uc_z_slice(z, x, 1, i * width, (i + 1) * width, width);
        const uc_z_window w = {.out = width, .kernel = 3, .stride = stride, .groups = UC_Z_GROUPED};
        y = first || i == 0 ? part : uc_z_add(z, y, part);
        y = uc_z_conv(z, uc_z_key(z, "convs.%d", i), y, w);
        out[i] = y = uc_z_act(z, "relu", uc_z_batch_norm(z, uc_z_key(z, "bns.%d", i), y, EPS));
    }
    out[convs] = uc_z_slice(z, x, 1, convs * width, x.c, width);
    if (first) out[convs] = uc_z_avg_pool(z, out[convs], 3, stride, 1, false, true);
    return uc_z_cat(z, out, (size_t)convs + 1);
}

static uc_zv middle_of(uc_zoo *z, uc_zv x, const place *p, int64_t groups)
{
    if (!z->want && uc_z_has(z, "convs.0.weight")) return cascade(z, x, p->stride);
    const uc_z_window w = {.out = x.c,
                           .kernel = 3,
                           .stride = p->stride,
                           .dilation = p->first_dilation,
                           .groups = groups};
    return uc_z_act(z, "relu", uc_z_batch_norm(z, "bn2", uc_z_conv(z, "conv2", x, w), EPS));
}

static uc_zv bottleneck(uc_zoo *z, uc_zv x, const place *p, int64_t groups)
{
    uc_zv y = uc_z_conv(z, "conv1", x, (uc_z_window){.out = p->width, .kernel = 1});
    y = uc_z_act(z, "relu", uc_z_batch_norm(z, "bn1", y, EPS));
    y = middle_of(z, y, p, groups);
    y = uc_z_conv(z, "conv3", y, (uc_z_window){.out = p->out, .kernel = 1});
    y = excite(z, uc_z_batch_norm(z, "bn3", y, EPS));
    return uc_z_act(z, "relu", uc_z_add(z, y, shortcut(z, x, p, y.c)));
}

static uc_zv stage(uc_zoo *z, const uc_z_resnet *net, uc_zv x, int i)
{
    const int64_t planes = (int64_t)64 << i;
    place p = {.stage = i, .dilation = net->dilate[i] ? net->dilate[i] : 1};
    if (z->want) {
        p.width = planes * net->width / 64 * net->groups;
        p.out = net->bottleneck ? planes * 4 : planes;
    }
    const int64_t before = i > 0 && net->dilate[i - 1] ? net->dilate[i - 1] : 1;
    for (int j = 0; j < net->depth[i]; j++) {
        const size_t mark = uc_z_enter(z, "layer%d.%d", i + 1, j);
        p.stride = j == 0 && i > 0 && p.dilation == 1 ? 2 : 1;
        p.first_dilation = j == 0 ? before : p.dilation;
        x = net->bottleneck ? bottleneck(z, x, &p, net->groups) : basic(z, x, &p);
        uc_z_leave(z, mark);
    }
    return x;
}

/* The three 3x3 convolutions of timm's -c, -d and -t. */
static uc_zv deep_stem(uc_zoo *z, uc_zv x)
{
    x = uc_z_conv(z, "conv1.0", x, (uc_z_window){.kernel = 3, .stride = 2});
    x = uc_z_act(z, "relu", uc_z_batch_norm(z, "conv1.1", x, EPS));
    x = uc_z_conv(z, "conv1.3", x, (uc_z_window){.kernel = 3});
    x = uc_z_act(z, "relu", uc_z_batch_norm(z, "conv1.4", x, EPS));
    return uc_z_conv(z, "conv1.6", x, (uc_z_window){.kernel = 3});
}

void uc_z_resnet_trunk(uc_zoo *z, const uc_z_resnet *net, uc_zv x, uc_zv out[4])
{
    const bool deep = !z->want && uc_z_has(z, "conv1.0.weight");
    const bool small = !z->want && uc_z_dim(z, "conv1.weight", 2) == 3;
    const uc_z_window stem = {
        .out = z->want ? 64 : 0, .kernel = small ? 3 : 7, .stride = small ? 1 : 2};
    x = deep ? deep_stem(z, x) : uc_z_conv(z, "conv1", x, stem);
    x = uc_z_act(z, "relu", uc_z_batch_norm(z, "bn1", x, EPS));
    if (!z->want && uc_z_has(z, "maxpool.0.weight")) { /* ResNet-RS */
        x = uc_z_conv(z, "maxpool.0", x, (uc_z_window){.out = x.c, .kernel = 3, .stride = 2});
        x = uc_z_act(z, "relu", uc_z_batch_norm(z, "maxpool.1", x, EPS));
    } else if (!small) {
        x = uc_z_max_pool(z, x, 3, 2, 1, false);
    }
    for (int i = 0; i < net->stages; i++) {
        x = out[i] = stage(z, net, x, i);
    }
}

/* CIFAR's are named by their layers: 3 stages of n basic blocks are 6 n + 2. */
static void name_it(uc_zoo *z, const uc_z_resnet *net)
{
    const bool deep = !z->want && uc_z_has(z, "conv1.0.weight");
    const bool small = !z->want && uc_z_dim(z, "conv1.weight", 2) == 3;
    const bool se =
        uc_z_has(z, "layer1.0.se.fc1.weight") || uc_z_has(z, "layer1.0.se_module.fc1.weight");
    if (net->stages == 3 && !z->want) {
        uc_z_source(z, "cifar", "classification");
        uc_z_arch(z, "resnet%d", net->depth[0] * (net->bottleneck ? 9 : 6) + 2);
    } else if (net->name && !small && !deep && !se) {
        uc_z_arch(z, "%s", net->name);
        uc_z_preset(z, "torchvision:%s", net->name);
    } else if (net->name) {
        uc_z_source(z, small ? "cifar" : "timm", "classification");
        uc_z_arch(z, "%s%s%s", se ? "se" : "", net->name, deep ? "d" : "");
    }
    const char *said = uc_z_said(z, "resnet seresnet ecaresnet res2net res2next resnext");
    if (said && (strstr(said, "blur") || strstr(said, "aa_") || strstr(said, "_gn"))) {
        uc_z_unlike(z, "strides without the blur that '%s' has", said);
    }
    if (!z->want && uc_z_has(z, "layer1.0.convs.0.weight")) {
        uc_z_source(z, "timm", "classification");
        uc_z_arch(z, "%s", said && strncmp(said, "res2ne", 6) == 0 ? said : "res2net");
    }
    if (!z->want && (uc_z_has(z, "layer1.0.se.conv.weight") || uc_z_has(z, "maxpool.0.weight"))) {
        uc_z_source(z, "timm", "classification");
        uc_z_arch(z, "%s", said ? said : "ecaresnet");
        uc_z_preset(z, NULL);
    }
    if (small) {
        uc_z_assume(z,
                    "conv1 is 3x3: read as the ResNet of small pictures, with strides of 1 and no "
                    "pool in front of layer1");
    }
}

void uc_zoo_resnet(uc_zoo *z)
{
    const uc_z_resnet net = uc_z_resnet_read(z);
    uc_zv stages[4] = {{0, 0}};
    const char *stem = uc_z_has(z, "conv1.0.weight") ? "conv1.0.weight" : "conv1.weight";
    const char *head = uc_z_has(z, "linear.weight") ? "linear" : "fc";
    name_it(z, &net);
    uc_zv x = uc_z_picture(z, uc_z_dim(z, stem, 1), 0, 0);
    uc_z_resnet_trunk(z, &net, x, stages);
    x = net.stages > 0 ? stages[net.stages - 1] : x;
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, head, x, 0, true));
}
