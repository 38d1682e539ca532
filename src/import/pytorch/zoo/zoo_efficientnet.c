/* EfficientNet and EfficientNetV2 as torchvision writes them.
 * Source: torchvision/models/efficientnet.py. */
#include "import/pytorch/zoo/zoo_mobile.h"

typedef struct variant {
    const char *name;
    int64_t stem; /* channels of the first convolution */
    int depth[7]; /* blocks of each stage; the sixth of V2-S is its last */
    double eps;
    const char *strides; /* of the stages */
} variant;

#define V1 "1222121"
#define V2 "1222121"

static const variant variants[] = {
    {"efficientnet_b0", 32, {1, 2, 2, 3, 3, 4, 1}, 1e-5, V1},
    {"efficientnet_b1", 32, {2, 3, 3, 4, 4, 5, 2}, 1e-5, V1},
    {"efficientnet_b2", 32, {2, 3, 3, 4, 4, 5, 2}, 1e-5, V1},
    {"efficientnet_b3", 40, {2, 3, 3, 5, 5, 6, 2}, 1e-5, V1},
    {"efficientnet_b4", 48, {2, 4, 4, 6, 6, 8, 2}, 1e-5, V1},
    {"efficientnet_b5", 48, {3, 5, 5, 7, 7, 9, 3}, 1e-3, V1},
    {"efficientnet_b6", 56, {3, 6, 6, 8, 8, 11, 3}, 1e-3, V1},
    {"efficientnet_b7", 64, {4, 7, 7, 10, 10, 13, 4}, 1e-3, V1},
    {"efficientnet_v2_s", 24, {2, 4, 4, 6, 9, 15, 0}, 1e-3, V2},
    {"efficientnet_v2_m", 24, {3, 5, 5, 7, 14, 18, 5}, 1e-3, V2},
    {"efficientnet_v2_l", 32, {4, 7, 7, 10, 19, 25, 7}, 1e-3, V2},
};

static void read_variant(uc_zoo *z, variant *v)
{
    *v = (variant){.name = NULL, .strides = V1, .eps = 1e-5};
    v->stem = uc_z_dim(z, "features.0.0.weight", 0);
    for (int i = 0; i < 7; i++) {
        v->depth[i] = uc_z_count(z, uc_z_key(z, "features.%d.%%d.block.0.0.weight", i + 1));
    }
    const bool b2 = uc_z_dim(z, "features.8.0.weight", 0) == 1408; /* B1's depths */
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const variant *row = &variants[i];
        const bool same =
            z->want ? strcmp(z->want, row->name) == 0
                    : row->stem == v->stem && memcmp(row->depth, v->depth, sizeof v->depth) == 0;
        if (same && (z->want || !v->name || b2)) *v = *row;
    }
}

static uc_zv block(uc_zoo *z, const variant *v, uc_zv x, int64_t stride)
{
    const bool mb = uc_z_has(z, "1.fc1.weight") || uc_z_has(z, "2.fc1.weight");
    const bool expands = uc_z_has(z, mb ? "3.0.weight" : "1.0.weight");
    int at = 0;
    uc_zv y = x;
    if (mb) {
        if (expands) {
            y = uc_z_conv_norm(z, uc_z_key(z, "%d", at++), y, (uc_z_window){.kernel = 1}, v->eps,
                               "silu");
        }
        const uc_z_window w = {.out = y.c, .stride = stride, .groups = UC_Z_DEPTHWISE};
        y = uc_z_conv_norm(z, uc_z_key(z, "%d", at++), y, w, v->eps, "silu");
        y = uc_z_excite(z, uc_z_key(z, "%d", at++), y, "silu", "sigmoid");
    } else {
        const uc_z_window w = {.stride = stride};
        y = uc_z_conv_norm(z, uc_z_key(z, "%d", at++), y, w, v->eps, "silu");
    }
    if (mb || expands) {
        y = uc_z_conv_norm(z, uc_z_key(z, "%d", at), y, (uc_z_window){.kernel = 1}, v->eps, NULL);
    }
    return stride == 1 && x.c == y.c ? uc_z_add(z, y, x) : y;
}

void uc_zoo_efficientnet(uc_zoo *z)
{
    variant v;
    read_variant(z, &v);
    uc_z_arch(z, "%s", v.name ? v.name : "efficientnet");
    if (v.name) uc_z_preset(z, "torchvision:%s", v.name);
    if (!v.name) uc_z_assume(z, "its batch norms' epsilon is 1e-5, as in EfficientNet B0 to B4");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.0.weight", 1), 0, 0);
    x = uc_z_conv_norm(z, "features.0", x, (uc_z_window){.kernel = 3, .stride = 2}, v.eps, "silu");
    int stage = 0;
    for (; stage < 7 && v.depth[stage] > 0; stage++) {
        for (int i = 0; i < v.depth[stage]; i++) {
            const size_t mark = uc_z_enter(z, "features.%d.%d.block", stage + 1, i);
            x = block(z, &v, x, i ? 1 : v.strides[stage] - '0');
            uc_z_leave(z, mark);
        }
    }
    x = uc_z_conv_norm(z, uc_z_key(z, "features.%d", stage + 1), x, (uc_z_window){.kernel = 1},
                       v.eps, "silu");
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, "classifier.1", x, 0, true));
}
