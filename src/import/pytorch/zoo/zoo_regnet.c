/* RegNet X and Y as torchvision writes them. Source: torchvision/models/regnet.py. */
#include "import/pytorch/zoo/zoo_mobile.h"

#define EPS 1e-5

static const struct {
    const char *name;
    bool excited;
    int depth[4];
    int64_t width; /* of the first stage */
} variants[] = {
    {"regnet_x_16gf", false, {2, 6, 13, 1}, 256}, {"regnet_x_1_6gf", false, {2, 4, 10, 2}, 72},
    {"regnet_x_32gf", false, {2, 7, 13, 1}, 336}, {"regnet_x_3_2gf", false, {2, 6, 15, 2}, 96},
    {"regnet_x_400mf", false, {1, 2, 7, 12}, 32}, {"regnet_x_800mf", false, {1, 3, 7, 5}, 64},
    {"regnet_x_8gf", false, {2, 5, 15, 1}, 80},   {"regnet_y_128gf", true, {2, 7, 17, 1}, 528},
    {"regnet_y_16gf", true, {2, 4, 11, 1}, 224},  {"regnet_y_1_6gf", true, {2, 6, 17, 2}, 48},
    {"regnet_y_32gf", true, {2, 5, 12, 1}, 232},  {"regnet_y_3_2gf", true, {2, 5, 13, 1}, 72},
    {"regnet_y_400mf", true, {1, 3, 6, 6}, 48},   {"regnet_y_800mf", true, {1, 3, 8, 2}, 64},
    {"regnet_y_8gf", true, {2, 4, 10, 1}, 224},
};

static uc_zv block(uc_zoo *z, uc_zv x, int64_t stride)
{
    const uc_z_window one = {.kernel = 1};
    const bool same = !uc_z_has(z, "proj.0.weight");
    uc_zv y = uc_z_conv_norm(z, "f.a", x, one, EPS, "relu");
    const uc_z_window middle = {.out = y.c, .kernel = 3, .stride = stride, .groups = UC_Z_GROUPED};
    y = uc_z_conv_norm(z, "f.b", y, middle, EPS, "relu");
    if (uc_z_has(z, "f.se.fc1.weight")) y = uc_z_excite(z, "f.se", y, "relu", "sigmoid");
    y = uc_z_conv_norm(z, "f.c", y, one, EPS, NULL);
    if (same && (stride > 1 || (x.c && y.c && x.c != y.c))) uc_z_unlike(z, "proj.0.weight");
    if (!same) {
        const uc_z_window w = {.out = y.c, .kernel = 1, .stride = stride};
        x = uc_z_conv_norm(z, "proj", x, w, EPS, NULL);
    }
    return uc_z_act(z, "relu", uc_z_add(z, x, y));
}

static void name_it(uc_zoo *z, const int depth[4])
{
    const int64_t width = uc_z_dim(z, "trunk_output.block1.block1-0.f.c.0.weight", 0);
    const bool excited = uc_z_has(z, "trunk_output.block1.block1-0.f.se.fc1.weight");
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        if (variants[i].excited != excited || variants[i].width != width ||
            memcmp(variants[i].depth, depth, sizeof variants[i].depth) != 0) {
            continue;
        }
        uc_z_arch(z, "%s", variants[i].name);
        uc_z_preset(z, "torchvision:%s", variants[i].name);
    }
}

void uc_zoo_regnet(uc_zoo *z)
{
    int depth[4];
    for (int i = 0; i < 4; i++) {
        depth[i] = uc_z_count(
            z, uc_z_key(z, "trunk_output.block%d.block%d-%%d.f.a.0.weight", i + 1, i + 1));
    }
    name_it(z, depth);
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "stem.0.weight", 1), 0, 0);
    x = uc_z_conv_norm(z, "stem", x, (uc_z_window){.kernel = 3, .stride = 2}, EPS, "relu");
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < depth[i]; j++) {
            const size_t mark = uc_z_enter(z, "trunk_output.block%d.block%d-%d", i + 1, i + 1, j);
            x = block(z, x, j ? 1 : 2);
            uc_z_leave(z, mark);
        }
    }
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, "fc", x, 0, true));
}
