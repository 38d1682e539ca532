/* Swin Transformer, versions 1 and 2, with torchvision's and timm's (Microsoft's) keys.
 * Source: torchvision/models/swin_transformer.py; timm/models/{swin_transformer,swin_transformer_v2}.py. */
#include "import/pytorch/zoo/zoo_attention.h"

#define EPS 1e-5

typedef struct swin {
    bool second; /* version 2 */
    bool timm;
    int depth[4];
    int64_t window; /* of the first stage */
} swin;

/* The side of a window whose table of biases has so many rows. */
static int64_t window_of(int64_t rows)
{
    int64_t side = 1;
    while ((2 * side - 1) * (2 * side - 1) < rows && side < 64) {
        side++;
    }
    return (2 * side - 1) * (2 * side - 1) == rows ? side : 0;
}

/* Version 2 reckons its biases from the distances; torchvision keeps the logarithms of these in the file. */
static uc_ref coordinates(uc_zoo *z, int64_t window)
{
    const int64_t n = 2 * window - 1, shape[] = {1, n, n, 2};
    if (uc_z_has(z, "attn.relative_coords_table")) {
        return uc_z_param(z, "attn.relative_coords_table", 4, shape);
    }
    if (z->matching) return 0;
    double *v = UC_NEW(z->arena, double, (size_t)(n * n * 2));
    if (!v) return uc_t_fail(z->build, "no memory for a window's positions");
    for (int64_t i = 0; i < n * n * 2; i++) {
        const int64_t at = (i % 2 ? i / 2 % n : i / 2 / n) - (window - 1);
        const double d = 8.0 * (double)at / (double)(window > 1 ? window - 1 : 1);
        const double size = __builtin_log2(__builtin_fabs(d) + 1) / 3;
        v[i] = d < 0 ? -size : size;
    }
    return uc_t_values(z->build, UNCORK_FLOAT32, v, 4, shape);
}

static uc_ref second_bias(uc_zoo *z, int64_t window, int64_t heads)
{
    uc_t_build *b = z->build;
    uc_zv t = {coordinates(z, window), 2};
    t = uc_z_act(z, "relu", uc_z_linear(z, "attn.cpb_mlp.0", t, 0, true));
    t = uc_z_linear(z, "attn.cpb_mlp.2", t, heads, false);
    const int64_t rows[] = {-1, heads};
    const uc_ref index = uc_z_relative_index(z, window, window);
    const uc_ref bias =
        uc_z_relative_bias(z, uc_t_reshape(b, t.ref, rows, 2), index, window * window);
    return uc_t_mul_number(b, uc_t_act(b, "sigmoid", bias), 16);
}

static uc_zv attention(uc_zoo *z, const swin *net, uc_zv x, bool shifted)
{
    uc_z_windows w = {.out = "attn.proj"};
    uc_z_skip(z, "attn.relative_position_index");
    uc_z_skip(z, "attn_mask");
    if (net->second) {
        const int64_t n = uc_z_dim(z, "attn.relative_coords_table", 1);
        w.heads = uc_z_dim(z, "attn.logit_scale", 0);
        w.window = n ? (n + 1) / 2 : net->window;
        w.bias = second_bias(z, w.window, w.heads);
        const uc_ref scale = UC_Z_P(z, "attn.logit_scale", w.heads, 1, 1);
        w.logit_scale = uc_g1(z->build->graph, "Exp",
                              uc_t_clamp(z->build, scale, __builtin_nan(""), __builtin_log(100.0)));
        w.qkv_bias = uc_z_qkv_bias(z, "attn.", x.c);
    } else {
        w.window = window_of(uc_z_dim(z, "attn.relative_position_bias_table", 0));
        w.heads = uc_z_dim(z, "attn.relative_position_bias_table", 1);
        const int64_t n = 2 * w.window - 1;
        const uc_ref table = UC_Z_P(z, "attn.relative_position_bias_table", n * n, w.heads);
        w.bias = uc_z_relative_bias(z, table, uc_z_relative_index(z, w.window, w.window),
                                    w.window * w.window);
        w.qkv_bias = UC_Z_P(z, "attn.qkv.bias", 3 * x.c);
    }
    w.shift = shifted ? w.window / 2 : 0;
    w.qkv_weight = UC_Z_P(z, "attn.qkv.weight", 3 * x.c, x.c);
    return uc_z_window_attention(z, x, &w);
}

static uc_zv block(uc_zoo *z, const swin *net, uc_zv x, bool shifted)
{
    const char *first = net->timm ? "mlp.fc1" : "mlp.0", *second = net->timm ? "mlp.fc2" : "mlp.3";
    if (net->second) {
        uc_zv y = uc_z_layer_norm(z, "norm1", attention(z, net, x, shifted), EPS);
        x = uc_z_add(z, x, y);
        y = uc_z_layer_norm(z, "norm2", uc_z_mlp(z, first, second, "gelu", x), EPS);
        return uc_z_add(z, x, y);
    }
    uc_zv y = attention(z, net, uc_z_layer_norm(z, "norm1", x, EPS), shifted);
    x = uc_z_add(z, x, y);
    y = uc_z_mlp(z, first, second, "gelu", uc_z_layer_norm(z, "norm2", x, EPS));
    return uc_z_add(z, x, y);
}

/* Every other row (or column) from the first or second on; an odd last one gets zeros beside it. */
static uc_ref every_other(uc_zoo *z, uc_ref x, int64_t row, int64_t column)
{
    x = uc_t_slice(z->build, x, 1, row, INT64_MAX, 2);
    return uc_t_slice(z->build, x, 2, column, INT64_MAX, 2);
}

/* Four neighbours become one of twice the channels. */
static uc_zv merge(uc_zoo *z, const swin *net, uc_zv x)
{
    uc_graph *g = z->build->graph;
    const int64_t zeros[] = {0, 0, 0, 0, 0}, one[] = {0};
    const uc_ref two = uc_z_i64(z, 2);
    const uc_ref rows = uc_g2(g, "Mod", uc_t_size(z->build, x.ref, 1), two);
    const uc_ref columns = uc_g2(g, "Mod", uc_t_size(z->build, x.ref, 2), two);
    const uc_ref pads[] = {uc_graph_i64s(g, zeros, 5), uc_t_unsqueeze(z->build, rows, 0),
                           uc_t_unsqueeze(z->build, columns, 0), uc_graph_i64s(g, one, 1)};
    const uc_ref p = uc_g2(g, "Pad", x.ref, uc_g_concat(g, pads, 4, 0));
    const uc_ref parts[] = {every_other(z, p, 0, 0), every_other(z, p, 1, 0),
                            every_other(z, p, 0, 1), every_other(z, p, 1, 1)};
    uc_zv y = {uc_t_cat(z->build, parts, 4, -1), 4 * x.c};
    if (!net->second) y = uc_z_layer_norm(z, "norm", y, EPS);
    y = uc_z_linear(z, "reduction", y, 0, false);
    return net->second ? uc_z_layer_norm(z, "norm", y, EPS) : y;
}

static void name_it(uc_zoo *z, const swin *net, int64_t width)
{
    const char *size = net->depth[2] == 6 ? "t"
                       : width == 96      ? "s"
                       : width == 128     ? "b"
                       : width == 192     ? "l"
                                          : NULL;
    if (!size) return;
    if (net->timm) {
        const char *word = *size == 't'   ? "tiny"
                           : *size == 's' ? "small"
                           : *size == 'b' ? "base"
                                          : "large";
        uc_z_source(z, "timm", "classification");
        uc_z_arch(z, "swin%s_%s", net->second ? "v2" : "", word);
        return;
    }
    uc_z_arch(z, "swin%s_%s", net->second ? "_v2" : "", size);
    uc_z_preset(z, "torchvision:swin%s_%s", net->second ? "_v2" : "", size);
}

static uc_zv finish(uc_zoo *z, const char *head, uc_zv x)
{
    static const int64_t cells[] = {1, 2};
    x = uc_z_layer_norm(z, "norm", x, EPS);
    x.ref = uc_t_mean(z->build, x.ref, cells, 2, false);
    return uc_z_linear(z, head, x, 0, true);
}

void uc_zoo_swin(uc_zoo *z)
{
    static const int64_t last[] = {0, 2, 3, 1};
    swin net = {.second = uc_z_has(z, "features.1.0.attn.logit_scale")};
    for (int i = 0; i < 4; i++) {
        net.depth[i] = uc_z_count(z, uc_z_key(z, "features.%d.%%d.norm1.weight", 2 * i + 1));
    }
    const int64_t patch = uc_z_dim(z, "features.0.0.weight", 2);
    const uc_z_window stem = {.kernel = patch, .stride = patch, .valid = true, .bias = true};
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.0.weight", 1), 0, 0);
    x = uc_z_permute(z, uc_z_conv(z, "features.0.0", x, stem), 4, last);
    name_it(z, &net, x.c);
    x = uc_z_layer_norm(z, "features.0.2", x, EPS);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < net.depth[i]; j++) {
            const size_t mark = uc_z_enter(z, "features.%d.%d", 2 * i + 1, j);
            x = block(z, &net, x, j % 2 == 1);
            uc_z_leave(z, mark);
        }
        if (i == 3) break;
        const size_t mark = uc_z_enter(z, "features.%d", 2 * i + 2);
        x = merge(z, &net, x);
        uc_z_leave(z, mark);
    }
    uc_z_output(z, "output", finish(z, "head", x));
}

/* timm puts the merging in front of the layer that it belongs to, Microsoft behind the one before. */
static uc_zv timm_layer(uc_zoo *z, const swin *net, int i, bool ahead, uc_zv x)
{
    size_t mark = uc_z_enter(z, "layers.%d.downsample", i);
    if (ahead && i > 0) x = merge(z, net, x);
    uc_z_leave(z, mark);
    for (int j = 0; j < net->depth[i]; j++) {
        mark = uc_z_enter(z, "layers.%d.blocks.%d", i, j);
        x = block(z, net, x, j % 2 == 1);
        uc_z_leave(z, mark);
    }
    mark = uc_z_enter(z, "layers.%d.downsample", i);
    if (!ahead && i < 3) x = merge(z, net, x);
    uc_z_leave(z, mark);
    return x;
}

void uc_zoo_swin_timm(uc_zoo *z)
{
    static const int64_t last[] = {0, 2, 3, 1};
    swin net = {.second = uc_z_has(z, "layers.0.blocks.0.attn.logit_scale"), .timm = true};
    const bool ahead = !uc_z_has(z, "layers.0.downsample.norm.weight");
    for (int i = 0; i < 4; i++) {
        net.depth[i] = uc_z_count(z, uc_z_key(z, "layers.%d.blocks.%%d.norm1.weight", i));
    }
    const int64_t patch = uc_z_dim(z, "patch_embed.proj.weight", 2);
    const uc_z_window stem = {.kernel = patch, .stride = patch, .valid = true, .bias = true};
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "patch_embed.proj.weight", 1), 0, 0);
    x = uc_z_permute(z, uc_z_conv(z, "patch_embed.proj", x, stem), 4, last);
    name_it(z, &net, x.c);
    x = uc_z_layer_norm(z, "patch_embed.norm", x, EPS);
    for (int i = 0; i < 4; i++) {
        x = timm_layer(z, &net, i, ahead, x);
    }
    const char *head = uc_z_has(z, "head.fc.weight") ? "head.fc" : "head";
    uc_z_output(z, "output", finish(z, head, x));
}
