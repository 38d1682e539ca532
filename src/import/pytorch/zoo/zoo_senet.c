/* SE-ResNet, SE-ResNeXt and SENet-154 of Remi Cadene's pretrainedmodels (timm's legacy_se...).
 * Source: timm/models/senet.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-5

static uc_zv norm_relu(uc_zoo *z, const char *name, uc_zv x)
{
    return uc_z_act(z, "relu", uc_z_batch_norm(z, name, x, EPS));
}

static uc_zv excite(uc_zoo *z, uc_zv x)
{
    const uc_z_window w = {.kernel = 1, .bias = true};
    uc_zv s = uc_z_conv(z, "se_module.fc1", uc_z_global_avg_pool(z, x, true), w);
    s = uc_z_conv(z, "se_module.fc2", uc_z_act(z, "relu", s), w);
    return uc_z_mul(z, x, uc_z_act(z, "sigmoid", s));
}

/* SE-ResNet strides in its first convolution, the grouped ones in their second. */
static uc_zv block(uc_zoo *z, uc_zv x, int64_t stride)
{
    const bool bottleneck = uc_z_has(z, "conv3.weight");
    const bool grouped =
        bottleneck && uc_z_dim(z, "conv2.weight", 1) != uc_z_dim(z, "conv1.weight", 0);
    uc_zv y = uc_z_conv(z, "conv1", x, (uc_z_window){.stride = grouped ? 1 : stride});
    y = norm_relu(z, "bn1", y);
    const uc_z_window w = {.stride = grouped ? stride : 1, .groups = UC_Z_GROUPED};
    y = uc_z_batch_norm(z, "bn2", uc_z_conv(z, "conv2", y, w), EPS);
    y = uc_z_act(z, "relu", y);
    if (bottleneck) {
        y = uc_z_conv(z, "conv3", y, (uc_z_window){.kernel = 1});
        y = uc_z_batch_norm(z, "bn3", y, EPS);
    }
    y = excite(z, y);
    if (uc_z_has(z, "downsample.0.weight")) {
        const uc_z_window down = {.out = y.c, .stride = stride};
        x = uc_z_batch_norm(z, "downsample.1", uc_z_conv(z, "downsample.0", x, down), EPS);
    } else if (stride > 1) {
        uc_z_unlike(z, "downsample.0.weight");
    }
    return uc_z_act(z, "relu", uc_z_add(z, y, x));
}

static void name_it(uc_zoo *z, int blocks, bool deep)
{
    const bool bottleneck = uc_z_has(z, "layer1.0.conv3.weight");
    const int64_t each = uc_z_dim(z, "layer1.0.conv2.weight", 1);
    const bool grouped = bottleneck && each != uc_z_dim(z, "layer1.0.conv1.weight", 0);
    const int layers = blocks * (bottleneck ? 3 : 2) + 2;
    uc_z_source(z, "timm", "classification");
    if (deep) {
        uc_z_arch(z, "legacy_senet154");
    } else if (grouped) {
        uc_z_arch(z, "legacy_seresnext%d_32x4d", layers);
    } else {
        uc_z_arch(z, "legacy_seresnet%d", layers);
    }
    if (z->want && strcmp(z->want, z->report->arch + strlen("legacy_")) == 0) {
        uc_z_arch(z, "%s", z->want);
    }
    uc_z_preset(z, "timm:%s", z->report->arch);
}

void uc_zoo_senet(uc_zoo *z)
{
    const bool deep = uc_z_has(z, "layer0.conv2.weight");
    int blocks = 0, depth[4];
    for (int i = 0; i < 4; i++) {
        depth[i] = uc_z_count(z, uc_z_key(z, "layer%d.%%d.conv1.weight", i + 1));
        blocks += depth[i];
    }
    name_it(z, blocks, deep);
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "layer0.conv1.weight", 1), 0, 0);
    x = norm_relu(z, "layer0.bn1", uc_z_conv(z, "layer0.conv1", x, (uc_z_window){.stride = 2}));
    for (int i = 2; deep && i <= 3; i++) {
        x = uc_z_conv(z, uc_z_key(z, "layer0.conv%d", i), x, (uc_z_window){.kernel = 3});
        x = norm_relu(z, uc_z_key(z, "layer0.bn%d", i), x);
    }
    x = uc_z_max_pool(z, x, 3, 2, 0, true);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < depth[i]; j++) {
            const size_t mark = uc_z_enter(z, "layer%d.%d", i + 1, j);
            x = block(z, x, i > 0 && j == 0 ? 2 : 1);
            uc_z_leave(z, mark);
        }
    }
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, "last_linear", x, 0, true));
}
