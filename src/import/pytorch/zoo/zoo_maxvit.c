/* MaxViT. Source: torchvision/models/maxvit.py. */
#include "import/pytorch/zoo/zoo_attention.h"
#include "import/pytorch/zoo/zoo_mobile.h"

#define NORM_EPS 1e-3 /* batch norms */
#define EPS      1e-5

static uc_zv mb_conv(uc_zoo *z, uc_zv x, int64_t stride)
{
    uc_zv shortcut = x, y = uc_z_batch_norm(z, "layers.pre_norm", x, NORM_EPS);
    y = uc_z_conv_norm(z, "layers.conv_a", y, (uc_z_window){.kernel = 1}, NORM_EPS, "gelu");
    const uc_z_window w = {.out = y.c, .kernel = 3, .stride = stride, .groups = UC_Z_DEPTHWISE};
    y = uc_z_conv_norm(z, "layers.conv_b", y, w, NORM_EPS, "gelu");
    y = uc_z_excite(z, "layers.squeeze_excitation", y, "silu", "sigmoid");
    y = uc_z_conv(z, "layers.conv_c", y, (uc_z_window){.kernel = 1, .bias = true});
    if (stride == 2) shortcut = uc_z_avg_pool(z, shortcut, 3, 2, 1, false, true);
    if (stride == 2 || uc_z_has(z, "proj.0.weight")) {
        shortcut = uc_z_conv(z, stride == 2 ? "proj.1" : "proj.0", shortcut,
                             (uc_z_window){.out = y.c, .kernel = 1, .bias = true});
    }
    return uc_z_add(z, shortcut, y);
}

/* Attention among tokens [N, parts, cells, c]; the scale is that of all channels, not of a head's. */
static uc_zv attend(uc_zoo *z, uc_zv x, int64_t side)
{
    static const int64_t perm[] = {0, 1, 3, 2, 4};
    uc_t_build *b = z->build;
    const int64_t heads = uc_z_dim(z, "relative_position_bias_table", 1), n = 2 * side - 1;
    const uc_ref table = UC_Z_P(z, "relative_position_bias_table", n * n, heads);
    const uc_ref bias =
        uc_z_relative_bias(z, table, uc_z_relative_index(z, side, side), side * side);
    uc_zv qkv[3];
    uc_ref h[3];
    uc_z_skip(z, "relative_position_index");
    uc_z_thirds(z, uc_z_linear(z, "to_qkv", x, 3 * x.c, true), qkv);
    if (heads < 1 || x.c % heads != 0) {
        uc_z_unlike(z, "%d channels in %d heads", (int)x.c, (int)heads);
        return x;
    }
    const int64_t split[] = {0, 0, 0, heads, x.c / heads}, joined[] = {0, 0, 0, x.c};
    for (int i = 0; i < 3; i++) {
        h[i] = uc_t_permute(b, uc_t_reshape0(b, qkv[i].ref, split, 5), perm, 5);
    }
    const uc_ref k = uc_t_mul_number(b, h[1], 1 / __builtin_sqrt((double)x.c));
    uc_ref s = uc_t_matmul(b, h[0], uc_t_transpose(b, k, -2, -1));
    s = uc_t_softmax(b, uc_t_add(b, s, bias), -1);
    s = uc_t_permute(b, uc_t_matmul(b, s, h[2]), perm, 5);
    return uc_z_linear(z, "merge", (uc_zv){uc_t_reshape0(b, s, joined, 4), x.c}, x.c, true);
}

static uc_zv partition_attention(uc_zoo *z, uc_zv x, int64_t side, int64_t window, bool grid)
{
    static const int64_t cut[] = {0, 2, 4, 3, 5, 1}, back[] = {0, 5, 1, 3, 2, 4};
    uc_t_build *b = z->build;
    const int64_t p = grid ? side / window : window, g = side / p;
    const int64_t tiles[] = {-1, x.c, g, p, g, p}, flat[] = {-1, g * g, p * p, x.c};
    uc_ref t = uc_t_permute(b, uc_t_reshape(b, x.ref, tiles, 6), cut, 6);
    t = uc_t_reshape(b, t, flat, 4);
    if (grid) t = uc_t_transpose(b, t, -2, -3);
    uc_zv y = {t, x.c};
    uc_zv a = uc_z_layer_norm(z, "attn_layer.0", y, EPS);
    const size_t mark = uc_z_enter(z, "attn_layer.1");
    a = attend(z, a, window);
    uc_z_leave(z, mark);
    y = uc_z_add(z, y, a);
    a = uc_z_layer_norm(z, "mlp_layer.0", y, EPS);
    y = uc_z_add(z, y, uc_z_mlp(z, "mlp_layer.1", "mlp_layer.3", "gelu", a));
    t = grid ? uc_t_transpose(b, y.ref, -2, -3) : y.ref;
    const int64_t apart[] = {-1, g, g, p, p, x.c}, whole[] = {-1, x.c, side, side};
    t = uc_t_permute(b, uc_t_reshape(b, t, apart, 6), back, 6);
    return (uc_zv){uc_t_reshape(b, t, whole, 4), x.c};
}

static uc_zv layer(uc_zoo *z, uc_zv x, int64_t side, int64_t window, int64_t stride)
{
    size_t mark = uc_z_enter(z, "MBconv");
    x = mb_conv(z, x, stride);
    uc_z_leave(z, mark);
    mark = uc_z_enter(z, "window_attention");
    x = partition_attention(z, x, side, window, false);
    uc_z_leave(z, mark);
    mark = uc_z_enter(z, "grid_attention");
    x = partition_attention(z, x, side, window, true);
    uc_z_leave(z, mark);
    return x;
}

void uc_zoo_maxvit(uc_zoo *z)
{
    const int64_t rows = uc_z_dim(z,
                                  "blocks.0.layers.0.layers.window_attention.attn_layer.1."
                                  "relative_position_bias_table",
                                  0);
    int64_t window = 1, side = 112;
    while ((2 * window - 1) * (2 * window - 1) < rows && window < 64) {
        window++;
    }
    uc_z_arch(z, "maxvit_t");
    uc_z_preset(z, "torchvision:maxvit_t");
    if (window != 7) {
        uc_z_unlike(z, "windows of 7x7");
        return;
    }
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "stem.0.0.weight", 1), 224, 224);
    x = uc_z_conv_norm(z, "stem.0", x, (uc_z_window){.kernel = 3, .stride = 2}, NORM_EPS, "gelu");
    x = uc_z_conv(z, "stem.1.0", x, (uc_z_window){.kernel = 3, .bias = true});
    for (int i = 0; i < 4; i++) {
        const int depth = uc_z_count(
            z, uc_z_key(z, "blocks.%d.layers.%%d.layers.MBconv.layers.conv_a.0.weight", i));
        side /= 2;
        for (int j = 0; j < depth; j++) {
            const size_t mark = uc_z_enter(z, "blocks.%d.layers.%d.layers", i, j);
            x = layer(z, x, side, window, j ? 1 : 2);
            uc_z_leave(z, mark);
        }
    }
    x = uc_z_layer_norm(z, "classifier.2", uc_z_global_avg_pool(z, x, false), EPS);
    x = uc_z_act(z, "tanh", uc_z_linear(z, "classifier.3", x, 0, true));
    uc_z_output(z, "output", uc_z_linear(z, "classifier.5", x, 0, false));
}
