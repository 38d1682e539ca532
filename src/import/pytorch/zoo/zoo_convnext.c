/* ConvNeXt as torchvision writes it. Source: torchvision/models/convnext.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-6

static uc_zv block(uc_zoo *z, uc_zv x)
{
    static const int64_t last[] = {0, 2, 3, 1}, first[] = {0, 3, 1, 2};
    const uc_z_window w = {.out = x.c, .kernel = 7, .groups = UC_Z_DEPTHWISE, .bias = true};
    const int64_t c = x.c;
    uc_zv y = uc_z_permute(z, uc_z_conv(z, "block.0", x, w), 4, last);
    y = uc_z_linear(z, "block.3", uc_z_layer_norm(z, "block.2", y, EPS), 0, true);
    y = uc_z_linear(z, "block.5", uc_z_act(z, "gelu", y), c, true);
    y = uc_z_permute(z, y, 4, first);
    y.ref = uc_t_mul(z->build, UC_Z_P(z, "layer_scale", c, 1, 1), y.ref);
    return uc_z_add(z, y, x);
}

static const char *size_of(const int depth[4], int64_t width)
{
    if (depth[2] == 9 && width == 96) return "tiny";
    if (depth[2] != 27) return NULL;
    return width == 96 ? "small" : width == 128 ? "base" : width == 192 ? "large" : NULL;
}

void uc_zoo_convnext(uc_zoo *z)
{
    int depth[4];
    for (int i = 0; i < 4; i++) {
        depth[i] = uc_z_count(z, uc_z_key(z, "features.%d.%%d.layer_scale", 2 * i + 1));
    }
    const uc_z_window stem = {.kernel = 4, .stride = 4, .valid = true, .bias = true};
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.0.weight", 1), 0, 0);
    x = uc_z_layer_norm2d(z, "features.0.1", uc_z_conv(z, "features.0.0", x, stem), EPS);
    const char *size = size_of(depth, x.c);
    uc_z_arch(z, "convnext%s%s", size ? "_" : "", size ? size : "");
    if (size) uc_z_preset(z, "torchvision:convnext_%s", size);
    const uc_z_window half = {.kernel = 2, .stride = 2, .valid = true, .bias = true};
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < depth[i]; j++) {
            const size_t mark = uc_z_enter(z, "features.%d.%d", 2 * i + 1, j);
            x = block(z, x);
            uc_z_leave(z, mark);
        }
        if (i == 3) break;
        x = uc_z_layer_norm2d(z, uc_z_key(z, "features.%d.0", 2 * i + 2), x, EPS);
        x = uc_z_conv(z, uc_z_key(z, "features.%d.1", 2 * i + 2), x, half);
    }
    x = uc_z_layer_norm(z, "classifier.0", uc_z_global_avg_pool(z, x, false), EPS);
    uc_z_output(z, "output", uc_z_linear(z, "classifier.2", x, 0, true));
}
