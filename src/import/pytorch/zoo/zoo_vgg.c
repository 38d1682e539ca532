/* Networks that are one row of layers: AlexNet, VGG, SqueezeNet. Layers without weights take a number in
 * the Sequential too: gaps between the numbers are activations and pools.
 * Source: torchvision/models/{alexnet,vgg,squeezenet}.py; timm/models/vgg.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-5

void uc_zoo_alexnet(uc_zoo *z)
{
    static const struct {
        int at;
        int64_t out, kernel, stride, pad;
        bool pool;
    } convs[] = {{0, 64, 11, 4, 2, true},
                 {3, 192, 5, 1, 2, true},
                 {6, 384, 3, 1, 1, false},
                 {8, 256, 3, 1, 1, false},
                 {10, 256, 3, 1, 1, true}};
    uc_z_arch(z, "alexnet");
    uc_z_preset(z, "torchvision:alexnet");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.weight", 1), 0, 0);
    for (int i = 0; i < 5; i++) {
        const uc_z_window w = {.out = convs[i].out,
                               .kernel = convs[i].kernel,
                               .stride = convs[i].stride,
                               .pad = convs[i].pad,
                               .bias = true};
        x = uc_z_conv(z, uc_z_key(z, "features.%d", convs[i].at), x, w);
        x = uc_z_act(z, "relu", x);
        if (convs[i].pool) x = uc_z_max_pool(z, x, 3, 2, 0, false);
    }
    x = uc_z_flatten(z, uc_z_adaptive_avg_pool(z, x, 6, 6), 36);
    x = uc_z_act(z, "relu", uc_z_linear(z, "classifier.1", x, 0, true));
    x = uc_z_act(z, "relu", uc_z_linear(z, "classifier.4", x, 0, true));
    uc_z_output(z, "output", uc_z_linear(z, "classifier.6", x, 0, true));
}

/* ---- VGG -------------------------------------------------------------------------------------- */

static const char *vgg_name(int convs)
{
    return convs == 8 ? "vgg11" : convs == 10 ? "vgg13" : convs == 13 ? "vgg16" : "vgg19";
}

static const char vgg_plans[4][24] = {"1M1M2M2M2M", "2M2M2M2M2M", "2M2M3M3M3M", "2M2M4M4M4M"};

/* Whether the numbers of the layers are those of a VGG with so many convolutions: where the pools are
 * tells nothing else. */
static uc_zv vgg_features(uc_zoo *z, uc_zv x, int *convs, bool *normed)
{
    int pools = 0, gap = 0;
    *convs = 0;
    for (int i = 0; gap < 2; i++) {
        if (uc_z_rank(z, uc_z_key(z, "features.%d.weight", i)) != 4) {
            if (*convs && pools < 5) {
                x = uc_z_max_pool(z, x, 2, 2, 0, false);
                pools++;
            }
            gap++;
            continue;
        }
        gap = 0;
        x = uc_z_conv(z, uc_z_key(z, "features.%d", i++), x,
                      (uc_z_window){.kernel = 3, .bias = true});
        (*convs)++;
        *normed = uc_z_has(z, uc_z_key(z, "features.%d.running_mean", i));
        if (*normed) x = uc_z_batch_norm(z, uc_z_key(z, "features.%d", i++), x, EPS);
        x = uc_z_act(z, "relu", x);
    }
    if (pools != 5) uc_z_unlike(z, "features with 5 pools");
    return x;
}

/* The named layout, for a file that was said to be it. */
static uc_zv vgg_wanted(uc_zoo *z, uc_zv x, bool normed)
{
    static const int64_t widths[] = {64, 128, 256, 512, 512};
    const char *plan = vgg_plans[0];
    for (int i = 0; i < 4; i++) {
        if (strncmp(z->want, vgg_name(i == 3 ? 16 : i == 2 ? 13 : i == 1 ? 10 : 8), 5) == 0) {
            plan = vgg_plans[i];
        }
    }
    int at = 0;
    for (int stage = 0; stage < 5; stage++, at++) {
        for (int j = 0; j < plan[stage * 2] - '0'; j++) {
            const uc_z_window w = {.out = widths[stage], .kernel = 3, .bias = true};
            x = uc_z_conv(z, uc_z_key(z, "features.%d", at++), x, w);
            if (normed) x = uc_z_batch_norm(z, uc_z_key(z, "features.%d", at++), x, EPS);
            x = uc_z_act(z, "relu", x);
            at++;
        }
        x = uc_z_max_pool(z, x, 2, 2, 0, false);
    }
    return x;
}

/* The dense end: torchvision's three layers over 7x7 cells, or one layer over what is left of a small
 * picture. */
static uc_zv vgg_head(uc_zoo *z, uc_zv x)
{
    if (uc_z_has(z, "classifier.weight")) {
        uc_z_assume(z, "its one dense layer is that of a VGG for pictures of 32x32");
        return uc_z_linear(z, "classifier", uc_z_flatten(z, x, 1), 0, true);
    }
    const int64_t in = uc_z_dim(z, "classifier.0.weight", 1);
    const bool small = x.c > 0 && in == x.c;
    if (!small) x = uc_z_adaptive_avg_pool(z, x, 7, 7);
    x = uc_z_flatten(z, x, small ? 1 : 49);
    x = uc_z_act(z, "relu", uc_z_linear(z, "classifier.0", x, 0, true));
    x = uc_z_act(z, "relu", uc_z_linear(z, "classifier.3", x, 0, true));
    return uc_z_linear(z, "classifier.6", x, 0, true);
}

/* timm: the first two dense layers are convolutions. */
static uc_zv vgg_head_timm(uc_zoo *z, uc_zv x)
{
    uc_z_source(z, "timm", "classification");
    x = uc_z_conv(z, "pre_logits.fc1", x, (uc_z_window){.kernel = 7, .valid = true, .bias = true});
    x = uc_z_act(z, "relu", x);
    x = uc_z_conv(z, "pre_logits.fc2", x, (uc_z_window){.kernel = 1, .bias = true});
    x = uc_z_global_avg_pool(z, uc_z_act(z, "relu", x), false);
    return uc_z_linear(z, "head.fc", x, 0, true);
}

void uc_zoo_vgg(uc_zoo *z)
{
    int convs = 0;
    bool normed = false;
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.weight", 1), 0, 0);
    if (z->want) {
        if (strncmp(z->want, "vgg", 3) != 0) return;
        normed = strstr(z->want, "_bn") != NULL;
        x = vgg_wanted(z, x, normed);
        uc_z_arch(z, "%s", z->want);
    } else {
        x = vgg_features(z, x, &convs, &normed);
        uc_z_arch(z, "%s%s", vgg_name(convs), normed ? "_bn" : "");
    }
    if (uc_z_has(z, "pre_logits.fc1.weight")) {
        x = vgg_head_timm(z, x);
    } else {
        uc_z_preset(z, "torchvision:%s", z->report->arch);
        x = vgg_head(z, x);
    }
    uc_z_output(z, "output", x);
}

/* ---- SqueezeNet ------------------------------------------------------------------------------- */

static uc_zv fire(uc_zoo *z, uc_zv x, int i)
{
    const uc_z_window one = {.kernel = 1, .bias = true}, three = {.kernel = 3, .bias = true};
    const size_t mark = uc_z_enter(z, "features.%d", i);
    x = uc_z_act(z, "relu", uc_z_conv(z, "squeeze", x, one));
    const uc_zv parts[] = {uc_z_act(z, "relu", uc_z_conv(z, "expand1x1", x, one)),
                           uc_z_act(z, "relu", uc_z_conv(z, "expand3x3", x, three))};
    uc_z_leave(z, mark);
    return uc_z_cat(z, parts, 2);
}

void uc_zoo_squeezenet(uc_zoo *z)
{
    const bool first = uc_z_dim(z, "features.0.weight", 2) == 7;
    uc_z_arch(z, "squeezenet1_%d", first ? 0 : 1);
    uc_z_preset(z, "torchvision:squeezenet1_%d", first ? 0 : 1);
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.weight", 1), 0, 0);
    x = uc_z_conv(z, "features.0", x,
                  (uc_z_window){.kernel = first ? 7 : 3, .stride = 2, .valid = true, .bias = true});
    x = uc_z_max_pool(z, uc_z_act(z, "relu", x), 3, 2, 0, true);
    for (int i = 3; i < 13; i++) {
        const bool pool = first ? i == 6 || i == 11 : i == 5 || i == 8;
        x = pool ? uc_z_max_pool(z, x, 3, 2, 0, true) : fire(z, x, i);
    }
    x = uc_z_conv(z, "classifier.1", x, (uc_z_window){.kernel = 1, .bias = true});
    uc_z_output(z, "output", uc_z_global_avg_pool(z, uc_z_act(z, "relu", x), false));
}
