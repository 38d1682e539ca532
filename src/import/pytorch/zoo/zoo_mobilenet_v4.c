/* MobileNetV4's convolutional networks with timm's keys: inverted bottlenecks with a filter in front, within,
 * both or none.
 * Source: timm/models/{mobilenetv3,_efficientnet_blocks}.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-5

static uc_zv conv_norm(uc_zoo *z, const char *conv, const char *norm, uc_zv x, uc_z_window w,
                       bool act)
{
    x = uc_z_batch_norm(z, norm, uc_z_conv(z, conv, x, w), EPS);
    return act ? uc_z_act(z, "relu", x) : x;
}

static uc_zv part(uc_zoo *z, const char *name, uc_zv x, uc_z_window w, bool act)
{
    return conv_norm(z, uc_z_key(z, "%s.conv", name), uc_z_key(z, "%s.bn", name), x, w, act);
}

static uc_z_window depthwise(int64_t channels, int64_t stride)
{
    return (uc_z_window){.out = channels, .stride = stride, .groups = UC_Z_DEPTHWISE};
}

/* The stride is the inner filter's, that in front's where there is no inner one. */
static uc_zv bottleneck(uc_zoo *z, uc_zv x, int64_t stride)
{
    const uc_z_window one = {.kernel = 1};
    const bool inner = uc_z_has(z, "dw_mid.conv.weight");
    uc_zv y = x;
    if (uc_z_has(z, "dw_start.conv.weight")) {
        y = part(z, "dw_start", y, depthwise(y.c, inner ? 1 : stride), false);
    } else if (!inner && stride > 1) {
        uc_z_unlike(z, "dw_mid.conv.weight");
    }
    y = part(z, "pw_exp", y, one, true);
    if (inner) y = part(z, "dw_mid", y, depthwise(y.c, stride), true);
    y = part(z, "pw_proj", y, one, false);
    if (uc_z_has(z, "layer_scale.gamma")) {
        const int64_t shape[] = {y.c, 1, 1};
        const uc_ref gamma = UC_Z_P(z, "layer_scale.gamma", y.c);
        y.ref = uc_t_mul(z->build, y.ref, uc_t_reshape(z->build, gamma, shape, 3));
    }
    return stride == 1 && x.c == y.c ? uc_z_add(z, y, x) : y;
}

static uc_zv block(uc_zoo *z, uc_zv x, int64_t stride)
{
    const uc_z_window w = {.stride = stride};
    if (uc_z_has(z, "pw_exp.conv.weight")) return bottleneck(z, x, stride);
    if (uc_z_has(z, "conv_exp.weight")) {
        const uc_zv y = conv_norm(z, "conv_exp", "bn1", x, w, true);
        return conv_norm(z, "conv_pwl", "bn2", y, (uc_z_window){.kernel = 1}, false);
    }
    return conv_norm(z, "conv", "bn1", x, w, true);
}

static bool has_block(uc_zoo *z, int i, int j)
{
    return uc_z_has_under(z, uc_z_key(z, "blocks.%d.%d.", i, j));
}

void uc_zoo_mobilenet_v4(uc_zoo *z)
{
    const char *name = uc_z_said(z, "mobilenetv4");
    uc_z_source(z, "timm", "classification");
    uc_z_arch(z, "%s", name ? name : "mobilenetv4_conv");
    if (name && (strstr(name, "_aa_") || strstr(name, "blur"))) {
        uc_z_unlike(z, "strides without the blur that '%s' has", name);
    }
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv_stem.weight", 1), 0, 0);
    x = conv_norm(z, "conv_stem", "bn1", x, (uc_z_window){.kernel = 3, .stride = 2}, true);
    for (int i = 0; has_block(z, i, 0); i++) {
        for (int j = 0; has_block(z, i, j); j++) {
            const size_t mark = uc_z_enter(z, "blocks.%d.%d", i, j);
            x = block(z, x, i < 4 && j == 0 ? 2 : 1);
            uc_z_leave(z, mark);
        }
    }
    x = uc_z_global_avg_pool(z, x, true);
    x = conv_norm(z, "conv_head", "norm_head", x, (uc_z_window){.kernel = 1}, true);
    x = uc_z_flatten(z, x, 1);
    if (!name) {
        uc_z_assume(z, "its strides have no blur in front, as MobileNetV4's aa variants have");
    }
    uc_z_output(z, "output", uc_z_linear(z, "classifier", x, 0, true));
}
