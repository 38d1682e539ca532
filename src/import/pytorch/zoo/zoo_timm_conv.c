/* GhostNet and RegNet with timm's keys. Source: timm/models/{ghostnet,regnet}.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-5

static uc_zv excite(uc_zoo *z, uc_zv x, const char *first, const char *second, const char *gate)
{
    const uc_z_window w = {.kernel = 1, .bias = true};
    uc_zv s = uc_z_act(z, "relu", uc_z_conv(z, first, uc_z_global_avg_pool(z, x, true), w));
    return uc_z_mul(z, x, uc_z_act(z, gate, uc_z_conv(z, second, s, w)));
}

/* ---- GhostNet --------------------------------------------------------------------------------- */

static uc_zv conv_norm(uc_zoo *z, const char *name, int at, uc_zv x, uc_z_window w, bool relu)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.%d", name, at), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.%d", name, at + 1), x, EPS);
    return relu ? uc_z_act(z, "relu", x) : x;
}

/* Half of the channels by a convolution, the rest by cheap filters of these. */
static uc_zv ghost(uc_zoo *z, const char *name, uc_zv x, bool relu)
{
    const size_t mark = uc_z_enter(z, "%s", name);
    const uc_zv first = conv_norm(z, "primary_conv", 0, x, (uc_z_window){0}, relu);
    const uc_z_window w = {.out = first.c, .groups = UC_Z_DEPTHWISE};
    const uc_zv parts[] = {first, conv_norm(z, "cheap_operation", 0, first, w, relu)};
    uc_z_leave(z, mark);
    return uc_z_cat(z, parts, 2);
}

static uc_zv ghost_block(uc_zoo *z, uc_zv x)
{
    const int64_t stride = uc_z_has(z, "conv_dw.weight") ? 2 : 1;
    uc_zv y = ghost(z, "ghost1", x, true);
    if (stride == 2) {
        y = uc_z_conv(z, "conv_dw", y,
                      (uc_z_window){.out = y.c, .stride = 2, .groups = UC_Z_DEPTHWISE});
        y = uc_z_batch_norm(z, "bn_dw", y, EPS);
    }
    if (uc_z_has(z, "se.conv_reduce.weight")) {
        y = excite(z, y, "se.conv_reduce", "se.conv_expand", "hardsigmoid");
    }
    y = ghost(z, "ghost2", y, false);
    if (uc_z_has(z, "shortcut.0.weight")) {
        const uc_z_window w = {.out = x.c, .stride = stride, .groups = UC_Z_DEPTHWISE};
        x = conv_norm(z, "shortcut", 0, x, w, false);
        x = conv_norm(z, "shortcut", 2, x, (uc_z_window){.kernel = 1}, false);
    }
    return uc_z_add(z, y, x);
}

static bool has_block(uc_zoo *z, int i, int j)
{
    return uc_z_has(z, uc_z_key(z, "blocks.%d.%d.ghost1.primary_conv.0.weight", i, j)) ||
           uc_z_has(z, uc_z_key(z, "blocks.%d.%d.conv.weight", i, j));
}

void uc_zoo_ghostnet(uc_zoo *z)
{
    uc_z_source(z, "timm", "classification");
    uc_z_arch(z, "ghostnet");
    if (uc_z_dim(z, "conv_stem.weight", 0) == 16) uc_z_arch(z, "ghostnet_100");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv_stem.weight", 1), 0, 0);
    x = uc_z_conv(z, "conv_stem", x, (uc_z_window){.kernel = 3, .stride = 2});
    x = uc_z_act(z, "relu", uc_z_batch_norm(z, "bn1", x, EPS));
    for (int i = 0; has_block(z, i, 0); i++) {
        for (int j = 0; has_block(z, i, j); j++) {
            const size_t mark = uc_z_enter(z, "blocks.%d.%d", i, j);
            if (uc_z_has(z, "conv.weight")) {
                x = uc_z_conv(z, "conv", x, (uc_z_window){.kernel = 1});
                x = uc_z_act(z, "relu", uc_z_batch_norm(z, "bn1", x, EPS));
            } else {
                x = ghost_block(z, x);
            }
            uc_z_leave(z, mark);
        }
    }
    x = uc_z_conv(z, "conv_head", uc_z_global_avg_pool(z, x, true),
                  (uc_z_window){.kernel = 1, .bias = true});
    x = uc_z_flatten(z, uc_z_act(z, "relu", x), 1);
    uc_z_output(z, "output", uc_z_linear(z, "classifier", x, 0, true));
}

/* ---- RegNet ----------------------------------------------------------------------------------- */

static uc_zv reg_conv(uc_zoo *z, const char *name, uc_zv x, uc_z_window w, bool relu)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.conv", name), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.bn", name), x, EPS);
    return relu ? uc_z_act(z, "relu", x) : x;
}

static uc_zv reg_block(uc_zoo *z, uc_zv x, int64_t stride)
{
    const uc_z_window one = {.kernel = 1};
    uc_zv y = reg_conv(z, "conv1", x, one, true);
    const uc_z_window w = {.out = y.c, .kernel = 3, .stride = stride, .groups = UC_Z_GROUPED};
    y = reg_conv(z, "conv2", y, w, true);
    if (uc_z_has(z, "se.fc1.weight")) y = excite(z, y, "se.fc1", "se.fc2", "sigmoid");
    y = reg_conv(z, "conv3", y, one, false);
    if (uc_z_has(z, "downsample.conv.weight")) {
        const uc_z_window down = {.out = y.c, .kernel = 1, .stride = stride};
        x = reg_conv(z, "downsample", x, down, false);
    } else if (stride > 1) {
        uc_z_unlike(z, "downsample.conv.weight");
    }
    return uc_z_act(z, "relu", uc_z_add(z, y, x));
}

void uc_zoo_regnet_timm(uc_zoo *z)
{
    uc_z_source(z, "timm", "classification");
    uc_z_arch(z, "regnet%s", uc_z_has(z, "s1.b1.se.fc1.weight") ? "y" : "x");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "stem.conv.weight", 1), 0, 0);
    x = reg_conv(z, "stem", x, (uc_z_window){.kernel = 3, .stride = 2}, true);
    for (int i = 1; i <= 4; i++) {
        const int depth = uc_z_count_from(z, uc_z_key(z, "s%d.b%%d.conv1.conv.weight", i), 1);
        for (int j = 1; j <= depth; j++) {
            const size_t mark = uc_z_enter(z, "s%d.b%d", i, j);
            x = reg_block(z, x, j == 1 ? 2 : 1);
            uc_z_leave(z, mark);
        }
    }
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, "head.fc", x, 0, true));
}
