/* ShuffleNet V2. Source: torchvision/models/shufflenetv2.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-5

static uc_zv conv_norm(uc_zoo *z, int at, uc_zv x, uc_z_window w, bool relu)
{
    x = uc_z_conv(z, uc_z_key(z, "%d", at), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%d", at + 1), x, EPS);
    return relu ? uc_z_act(z, "relu", x) : x;
}

static uc_zv branch1(uc_zoo *z, uc_zv x)
{
    const size_t mark = uc_z_enter(z, "branch1");
    x = conv_norm(z, 0, x,
                  (uc_z_window){.kernel = 3, .stride = 2, .groups = UC_Z_DEPTHWISE, .out = x.c},
                  false);
    x = conv_norm(z, 2, x, (uc_z_window){.kernel = 1}, true);
    uc_z_leave(z, mark);
    return x;
}

static uc_zv branch2(uc_zoo *z, uc_zv x, int64_t stride)
{
    const size_t mark = uc_z_enter(z, "branch2");
    x = conv_norm(z, 0, x, (uc_z_window){.kernel = 1}, true);
    x = conv_norm(
        z, 3, x, (uc_z_window){.kernel = 3, .stride = stride, .groups = UC_Z_DEPTHWISE, .out = x.c},
        false);
    x = conv_norm(z, 5, x, (uc_z_window){.kernel = 1}, true);
    uc_z_leave(z, mark);
    return x;
}

static uc_zv block(uc_zoo *z, uc_zv x)
{
    const bool down = uc_z_has(z, "branch1.0.weight");
    const int64_t half = x.c / 2;
    uc_zv left = down ? branch1(z, x) : uc_z_slice(z, x, 1, 0, half, half);
    uc_zv right = down ? x : uc_z_slice(z, x, 1, half, 2 * half, half);
    right = branch2(z, right, down ? 2 : 1);
    if (!down && half * 2 != x.c) uc_z_unlike(z, "branch1.0.weight");
    uc_zv y = uc_z_cat(z, (uc_zv[]){left, right}, 2);
    y.ref = uc_t_channel_shuffle(z->build, y.ref, 2);
    return y;
}

void uc_zoo_shufflenet(uc_zoo *z)
{
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv1.0.weight", 1), 0, 0);
    size_t mark = uc_z_enter(z, "conv1");
    x = conv_norm(z, 0, x, (uc_z_window){.kernel = 3, .stride = 2}, true);
    uc_z_leave(z, mark);
    x = uc_z_max_pool(z, x, 3, 2, 1, false);
    int64_t width = 0;
    for (int stage = 2; stage <= 4; stage++) {
        const int depth = uc_z_count(z, uc_z_key(z, "stage%d.%%d.branch2.0.weight", stage));
        if (!depth) uc_z_unlike(z, "stage%d.0.branch2.0.weight", stage);
        for (int i = 0; i < depth; i++) {
            mark = uc_z_enter(z, "stage%d.%d", stage, i);
            x = block(z, x);
            uc_z_leave(z, mark);
        }
        if (stage == 2) width = x.c;
    }
    mark = uc_z_enter(z, "conv5");
    x = conv_norm(z, 0, x, (uc_z_window){.kernel = 1}, true);
    uc_z_leave(z, mark);
    const char *size = width == 48    ? "0_5"
                       : width == 116 ? "1_0"
                       : width == 176 ? "1_5"
                       : width == 244 ? "2_0"
                                      : NULL;
    uc_z_arch(z, "shufflenet_v2%s%s", size ? "_x" : "", size ? size : "");
    if (size) uc_z_preset(z, "torchvision:shufflenet_v2_x%s", size);
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, "fc", x, 0, true));
}
