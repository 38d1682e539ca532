/* DenseNet, with torchvision's keys of today and of before 0.2 ("norm.1").
 * Source: torchvision/models/densenet.py (the same keys in timm/models/densenet.py). */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-5

static uc_zv norm_relu(uc_zoo *z, const char *name, uc_zv x)
{
    return uc_z_act(z, "relu", uc_z_batch_norm(z, name, x, EPS));
}

static uc_zv dense_layer(uc_zoo *z, uc_zv x)
{
    const bool old = uc_z_has(z, "conv.1.weight");
    uc_zv y = norm_relu(z, old ? "norm.1" : "norm1", x);
    y = uc_z_conv(z, old ? "conv.1" : "conv1", y, (uc_z_window){.kernel = 1});
    y = norm_relu(z, old ? "norm.2" : "norm2", y);
    y = uc_z_conv(z, old ? "conv.2" : "conv2", y, (uc_z_window){.kernel = 3});
    return uc_z_cat(z, (uc_zv[]){x, y}, 2);
}

static uc_zv dense_block(uc_zoo *z, uc_zv x, int block, int *depth)
{
    for (*depth = 0;; (*depth)++) {
        const size_t mark = uc_z_enter(z, "features.denseblock%d.denselayer%d", block, *depth + 1);
        const bool there = uc_z_has(z, "norm1.weight") || uc_z_has(z, "norm.1.weight");
        if (there) x = dense_layer(z, x);
        uc_z_leave(z, mark);
        if (!there) return x;
    }
}

void uc_zoo_densenet(uc_zoo *z)
{
    int depth, layers = 2;
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.conv0.weight", 1), 0, 0);
    const bool large = uc_z_dim(z, "features.conv0.weight", 2) == 7;
    x = uc_z_conv(z, "features.conv0", x, (uc_z_window){.stride = large ? 2 : 1});
    if (large) {
        x = uc_z_max_pool(z, norm_relu(z, "features.norm0", x), 3, 2, 1, false);
    }
    for (int block = 1;
         block <= 8 && uc_z_has_under(z, uc_z_key(z, "features.denseblock%d.", block)); block++) {
        x = dense_block(z, x, block, &depth);
        layers += 2 * depth;
        if (!uc_z_has_under(z, uc_z_key(z, "features.denseblock%d.", block + 1))) break;
        const size_t mark = uc_z_enter(z, "features.transition%d", block);
        x = uc_z_conv(z, "conv", norm_relu(z, "norm", x), (uc_z_window){.kernel = 1});
        x = uc_z_avg_pool(z, x, 2, 2, 0, false, true);
        uc_z_leave(z, mark);
        layers++;
    }
    x = norm_relu(z, "features.norm5", x);
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_arch(z, "densenet%d", layers);
    uc_z_preset(z, "torchvision:densenet%d", layers);
    uc_z_output(z, "output", uc_z_linear(z, "classifier", x, 0, true));
}
