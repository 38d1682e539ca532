/* Feature pyramids. Source: torchvision/ops/feature_pyramid_network.py,
 * torchvision/models/detection/backbone_utils.py. */
#include "import/pytorch/zoo/zoo_detect.h"
#include "import/pytorch/zoo/zoo_resnet.h"

#define EPS 1e-5

/* A convolution that may have a norm behind it; name.0, and plain name in files of before 0.13. */
static uc_zv block(uc_zoo *z, const char *name, uc_zv x)
{
    const bool old = uc_z_has(z, uc_z_key(z, "%s.weight", name));
    const bool normed = uc_z_has(z, uc_z_key(z, "%s.1.weight", name));
    x = uc_z_conv(z, old ? name : uc_z_key(z, "%s.0", name), x, (uc_z_window){.bias = !normed});
    return normed ? uc_z_batch_norm(z, uc_z_key(z, "%s.1", name), x, EPS) : x;
}

static uc_zv above(uc_zoo *z, uc_zv top, uc_zv lateral)
{
    const uc_ref up = uc_t_interpolate_like(z->build, top.ref, 2, lateral.ref, "nearest", false);
    return uc_z_add(z, lateral, (uc_zv){up, top.c});
}

size_t uc_z_pyramid(uc_zoo *z, const uc_zv *c, size_t count, uc_zv *out)
{
    const uc_z_window half = {.kernel = 3, .stride = 2, .bias = true};
    uc_zv last = block(z, uc_z_key(z, "inner_blocks.%d", (int)count - 1), c[count - 1]);
    for (size_t i = count; i-- > 0;) {
        if (i + 1 < count) {
            last = above(z, last, block(z, uc_z_key(z, "inner_blocks.%d", (int)i), c[i]));
        }
        out[i] = block(z, uc_z_key(z, "layer_blocks.%d", (int)i), last);
    }
    if (!uc_z_has(z, "extra_blocks.p6.weight")) {
        out[count] = uc_z_max_pool(z, out[count - 1], 1, 2, 0, false);
        return count + 1;
    }
    const bool from_c5 =
        uc_z_dim(z, "extra_blocks.p6.weight", 1) != uc_z_dim(z, "extra_blocks.p6.weight", 0);
    out[count] = uc_z_conv(z, "extra_blocks.p6", from_c5 ? c[count - 1] : out[count - 1], half);
    out[count + 1] = uc_z_conv(z, "extra_blocks.p7", uc_z_act(z, "relu", out[count]), half);
    return count + 2;
}

size_t uc_z_resnet_pyramid(uc_zoo *z, uc_zv x, int first, uc_zv *out, const char **name)
{
    uc_zv stages[4] = {{0, 0}};
    size_t mark = uc_z_enter(z, "backbone.body");
    const uc_z_resnet net = uc_z_resnet_read(z);
    if (net.stages != 4) uc_z_unlike(z, "layer4");
    uc_z_resnet_trunk(z, &net, x, stages);
    uc_z_leave(z, mark);
    *name = net.name ? net.name : "resnet";
    mark = uc_z_enter(z, "backbone.fpn");
    const size_t count = uc_z_pyramid(z, stages + first - 1, (size_t)(5 - first), out);
    uc_z_leave(z, mark);
    return count;
}
