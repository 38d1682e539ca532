/* Video ResNets: R3D, MC3 and R(2+1)D. Source: torchvision/models/video/resnet.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-5

/* A 3-D convolution, padded by half of its kernel. */
static uc_zv conv(uc_zoo *z, const char *name, uc_zv x, const int64_t stride[3])
{
    static const int64_t ones[] = {1, 1, 1};
    const int64_t dims[] = {0, x.c, 0, 0, 0};
    const uc_tensor *w = uc_z_tensor(z, uc_z_key(z, "%s.weight", name), 5, dims);
    int64_t pads[3];
    if (!w) return (uc_zv){0, 0};
    for (int i = 0; i < 3; i++) {
        pads[i] = (w->shape[2 + i] - 1) / 2;
    }
    const uc_ref y =
        uc_t_conv(z->build, x.ref, uc_t_const(z->build, w), 0, 3, stride, pads, ones, 1);
    return (uc_zv){y, w->shape[0]};
}

/* One of the three kinds that the file has under a name: whole, without time, space and then time. */
static uc_zv any_conv(uc_zoo *z, const char *name, uc_zv x, int64_t s)
{
    const bool split = uc_z_has(z, uc_z_key(z, "%s.0.weight", name));
    const bool timeless = uc_z_dim(z, uc_z_key(z, "%s.weight", name), 2) == 1;
    const int64_t whole[] = {timeless ? 1 : s, s, s}, space[] = {1, s, s}, time[] = {s, 1, 1};
    if (!split) return conv(z, name, x, whole);
    x = conv(z, uc_z_key(z, "%s.0", name), x, space);
    x = uc_z_act(z, "relu", uc_z_batch_norm(z, uc_z_key(z, "%s.1", name), x, EPS));
    return conv(z, uc_z_key(z, "%s.3", name), x, time);
}

static uc_zv block(uc_zoo *z, uc_zv x, int64_t s)
{
    const bool timeless = uc_z_dim(z, "conv1.0.weight", 2) == 1;
    const int64_t down[] = {timeless ? 1 : s, s, s};
    uc_zv y = any_conv(z, "conv1.0", x, s);
    y = uc_z_act(z, "relu", uc_z_batch_norm(z, "conv1.1", y, EPS));
    y = uc_z_batch_norm(z, "conv2.1", any_conv(z, "conv2.0", y, 1), EPS);
    if (uc_z_has(z, "downsample.0.weight")) {
        x = uc_z_batch_norm(z, "downsample.1", conv(z, "downsample.0", x, down), EPS);
    } else if (s > 1) {
        uc_z_unlike(z, "downsample.0.weight");
    }
    return uc_z_act(z, "relu", uc_z_add(z, y, x));
}

void uc_zoo_video_resnet(uc_zoo *z)
{
    static const int64_t shape[] = {-1, 3, -1, -1, -1}, half[] = {1, 2, 2}, ones[] = {1, 1, 1};
    static const int64_t axes[] = {2, 3, 4};
    const bool split = uc_z_has(z, "layer1.0.conv1.0.0.weight");
    const bool mixed = uc_z_dim(z, "layer2.0.conv1.0.weight", 2) == 1;
    uc_z_source(z, "torchvision", "video");
    uc_z_arch(z, "%s_18", split ? "r2plus1d" : mixed ? "mc3" : "r3d");
    uc_z_preset(z, "torchvision:%s", z->report->arch);
    uc_zv x = {uc_graph_input(z->build->graph, "input", UNCORK_FLOAT32, 5, shape), 3};
    x = conv(z, "stem.0", x, half);
    x = uc_z_act(z, "relu", uc_z_batch_norm(z, "stem.1", x, EPS));
    if (split) {
        x = conv(z, "stem.3", x, ones);
        x = uc_z_act(z, "relu", uc_z_batch_norm(z, "stem.4", x, EPS));
    }
    for (int i = 1; i <= 4; i++) {
        const int depth = uc_z_count(z, uc_z_key(z, "layer%d.%%d.conv1.1.weight", i));
        for (int j = 0; j < depth; j++) {
            const size_t mark = uc_z_enter(z, "layer%d.%d", i, j);
            x = block(z, x, i > 1 && j == 0 ? 2 : 1);
            uc_z_leave(z, mark);
        }
    }
    x.ref = uc_t_mean(z->build, x.ref, axes, 3, false);
    uc_z_output(z, "output", uc_z_linear(z, "fc", x, 0, true));
}
