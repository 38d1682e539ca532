/* MobileViT, versions 1 and 2, with the keys of timm and transformers: inverted residuals between attention
 * among the pixels that stand at the same place of 2x2 patches.
 * Source: timm/models/mobilevit.py; transformers/models/{mobilevit,mobilevitv2}/modeling_*.py. */
#include "import/pytorch/zoo/zoo_attention.h"

#define EPS   1e-5
#define HEADS 4
#define PATCH 2

typedef struct names {
    const char *conv, *norm;            /* of a convolution and its norm */
    const char *expand, *deep, *reduce; /* of an inverted residual */
    const char *local, *point, *project, *fuse;
    const char *block; /* up to its number */
    const char *last;  /* norm behind the blocks */
    const char *norm1, *norm2;
    const char *qkv; /* NULL: three matrices */
    const char *query, *key, *value, *out, *fc1, *fc2;
    const char *qkv2, *out2, *mlp1, *mlp2; /* of version 2 */
} names;

static const names timm = {.conv = "conv",
                           .norm = "bn",
                           .expand = "conv1_1x1",
                           .deep = "conv2_kxk",
                           .reduce = "conv3_1x1",
                           .local = "conv_kxk",
                           .point = "conv_1x1",
                           .project = "conv_proj",
                           .fuse = "conv_fusion",
                           .block = "transformer.",
                           .last = "norm",
                           .norm1 = "norm1",
                           .norm2 = "norm2",
                           .qkv = "attn.qkv",
                           .out = "attn.proj",
                           .fc1 = "mlp.fc1",
                           .fc2 = "mlp.fc2",
                           .qkv2 = "attn.qkv_proj",
                           .out2 = "attn.out_proj",
                           .mlp1 = "mlp.fc1",
                           .mlp2 = "mlp.fc2"};

static const names transformers = {.conv = "convolution",
                                   .norm = "normalization",
                                   .expand = "expand_1x1",
                                   .deep = "conv_3x3",
                                   .reduce = "reduce_1x1",
                                   .local = "conv_kxk",
                                   .point = "conv_1x1.convolution",
                                   .project = "conv_projection",
                                   .fuse = "fusion",
                                   .block = "transformer.layer.",
                                   .last = "layernorm",
                                   .norm1 = "layernorm_before",
                                   .norm2 = "layernorm_after",
                                   .query = "attention.attention.query",
                                   .key = "attention.attention.key",
                                   .value = "attention.attention.value",
                                   .out = "attention.output.dense",
                                   .fc1 = "intermediate.dense",
                                   .fc2 = "output.dense",
                                   .qkv2 = "attention.qkv_proj.convolution",
                                   .out2 = "attention.out_proj.convolution",
                                   .mlp1 = "ffn.conv1.convolution",
                                   .mlp2 = "ffn.conv2.convolution"};

static uc_zv conv_norm(uc_zoo *z, const names *n, const char *name, uc_zv x, uc_z_window w,
                       bool act)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.%s", name, n->conv), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.%s", name, n->norm), x, EPS);
    return act ? uc_z_act(z, "silu", x) : x;
}

static uc_zv inverted(uc_zoo *z, const names *n, uc_zv x, int64_t stride)
{
    const uc_z_window one = {.kernel = 1};
    uc_zv y = conv_norm(z, n, n->expand, x, one, true);
    const uc_z_window w = {.out = y.c, .kernel = 3, .stride = stride, .groups = UC_Z_DEPTHWISE};
    y = conv_norm(z, n, n->reduce, conv_norm(z, n, n->deep, y, w, true), one, false);
    return stride == 1 && x.c == y.c ? uc_z_add(z, y, x) : y;
}

/* ---- patches ---------------------------------------------------------------------------------- */

/* Rows and columns made even by resizing, where they aren't known to be. */
static uc_zv evened(uc_zoo *z, uc_zv x, bool corners)
{
    uc_t_build *b = z->build;
    uc_graph *g = b->graph;
    const int64_t rows = uc_t_dim(b, x.ref, 2), columns = uc_t_dim(b, x.ref, 3);
    if (rows > 0 && columns > 0 && rows % PATCH == 0 && columns % PATCH == 0) return x;
    const int64_t zeros[] = {0, 0, 0, 0, 0, 0};
    const uc_ref two = uc_z_i64(z, PATCH);
    const uc_ref pads[] = {uc_graph_i64s(g, zeros, 6),
                           uc_t_unsqueeze(b, uc_g2(g, "Mod", uc_t_size(b, x.ref, 2), two), 0),
                           uc_t_unsqueeze(b, uc_g2(g, "Mod", uc_t_size(b, x.ref, 3), two), 0)};
    const uc_ref like = uc_g2(g, "Pad", x.ref, uc_g_concat(g, pads, 3, 0));
    return (uc_zv){uc_t_interpolate_like(b, x.ref, 2, like, "linear", corners), x.c};
}

static uc_ref half(uc_zoo *z, uc_ref x, int axis)
{
    return uc_g2(z->build->graph, "Div", uc_t_size(z->build, x, axis), uc_z_i64(z, PATCH));
}

/* [N, c, H, W] to [N, c, places, patches]. */
static uc_zv unfold(uc_zoo *z, uc_zv x)
{
    static const int64_t order[] = {0, 1, 3, 5, 2, 4};
    uc_t_build *b = z->build;
    const uc_ref n = uc_t_size(b, x.ref, 0), c = uc_z_i64(z, x.c), two = uc_z_i64(z, PATCH);
    const uc_ref split[] = {n, c, half(z, x.ref, 2), two, half(z, x.ref, 3), two};
    const uc_ref flat[] = {n, c, uc_z_i64(z, (int64_t)PATCH * PATCH), uc_z_i64(z, -1)};
    const uc_ref y = uc_t_permute(b, uc_z_reshape_to(z, x.ref, split, 6), order, 6);
    return (uc_zv){uc_z_reshape_to(z, y, flat, 4), x.c};
}

/* And back, to the size of `like`. */
static uc_zv fold(uc_zoo *z, uc_zv x, uc_ref like)
{
    static const int64_t order[] = {0, 1, 4, 2, 5, 3};
    uc_t_build *b = z->build;
    const uc_ref n = uc_t_size(b, like, 0), c = uc_z_i64(z, x.c), two = uc_z_i64(z, PATCH);
    const uc_ref split[] = {n, c, two, two, half(z, like, 2), half(z, like, 3)};
    const uc_ref whole[] = {n, c, uc_t_size(b, like, 2), uc_t_size(b, like, 3)};
    const uc_ref y = uc_t_permute(b, uc_z_reshape_to(z, x.ref, split, 6), order, 6);
    return (uc_zv){uc_z_reshape_to(z, y, whole, 4), x.c};
}

/* ---- version 1 -------------------------------------------------------------------------------- */

static uc_zv attend(uc_zoo *z, const names *n, uc_zv x)
{
    if (n->qkv) {
        return uc_z_linear(z, n->out, uc_z_attend_fused(z, n->qkv, x, HEADS, 0), x.c, true);
    }
    const int64_t heads = uc_z_setting(z, "num_attention_heads", HEADS);
    const uc_zv y =
        uc_z_attend(z, uc_z_linear(z, n->query, x, x.c, true), uc_z_linear(z, n->key, x, x.c, true),
                    uc_z_linear(z, n->value, x, x.c, true), heads, 0);
    return uc_z_linear(z, n->out, y, x.c, true);
}

static uc_zv blocks(uc_zoo *z, const names *n, uc_zv x)
{
    const int depth = uc_z_count(z, uc_z_key(z, "%s%%d.%s.weight", n->block, n->norm1));
    for (int i = 0; i < depth; i++) {
        const size_t mark = uc_z_enter(z, "%s%d", n->block, i);
        x = uc_z_add(z, x, attend(z, n, uc_z_layer_norm(z, n->norm1, x, EPS)));
        x = uc_z_add(z, x,
                     uc_z_mlp(z, n->fc1, n->fc2, "silu", uc_z_layer_norm(z, n->norm2, x, EPS)));
        uc_z_leave(z, mark);
    }
    return uc_z_layer_norm(z, n->last, x, EPS);
}

static uc_zv first_version(uc_zoo *z, const names *n, uc_zv x)
{
    static const int64_t last[] = {0, 2, 3, 1}, first[] = {0, 3, 1, 2};
    uc_t_build *b = z->build;
    uc_zv y = conv_norm(z, n, n->local, x, (uc_z_window){.kernel = 3}, true);
    const uc_zv before = uc_z_conv(z, n->point, y, (uc_z_window){.kernel = 1});
    const uc_zv even = evened(z, before, false);
    const uc_zv patches = uc_z_permute(z, unfold(z, even), 4, last);
    const uc_ref c = uc_z_i64(z, patches.c), rest = uc_z_i64(z, -1);
    const uc_ref joined[] = {rest, uc_t_size(b, patches.ref, 2), c};
    y = blocks(z, n, (uc_zv){uc_z_reshape_to(z, patches.ref, joined, 3), patches.c});
    const uc_ref split[] = {rest, uc_z_i64(z, (int64_t)PATCH * PATCH), uc_t_size(b, patches.ref, 2),
                            c};
    y.ref = uc_z_reshape_to(z, y.ref, split, 4);
    y = fold(z, uc_z_permute(z, y, 4, first), even.ref);
    if (even.ref != before.ref) {
        y.ref = uc_t_interpolate_like(b, y.ref, 2, before.ref, "linear", false);
    }
    y = conv_norm(z, n, n->project, y, (uc_z_window){.kernel = 1}, true);
    const uc_zv both[] = {x, y};
    return conv_norm(z, n, n->fuse, uc_z_cat(z, both, 2), (uc_z_window){.kernel = 3}, true);
}

/* ---- version 2 -------------------------------------------------------------------------------- */

static uc_zv group_norm(uc_zoo *z, const char *name, uc_zv x)
{
    const uc_ref weight = UC_Z_P(z, uc_z_key(z, "%s.weight", name), x.c);
    const uc_ref bias = UC_Z_P(z, uc_z_key(z, "%s.bias", name), x.c);
    return (uc_zv){uc_t_group_norm(z->build, x.ref, 1, weight, bias, EPS), x.c};
}

/* One score a patch weighs the keys; what comes of it scales every value. */
static uc_zv separable(uc_zoo *z, const names *n, uc_zv x)
{
    static const int64_t patches[] = {-1};
    const uc_z_window w = {.kernel = 1, .bias = true};
    const int64_t c = x.c;
    uc_t_build *b = z->build;
    uc_z_window in = w;
    in.out = 2 * c + 1;
    const uc_zv qkv = uc_z_conv(z, n->qkv2, x, in);
    const uc_ref scores = uc_t_softmax(b, uc_t_slice(b, qkv.ref, 1, 0, 1, 1), -1);
    const uc_ref keys = uc_t_slice(b, qkv.ref, 1, 1, c + 1, 1);
    const uc_ref values = uc_t_act(b, "relu", uc_t_slice(b, qkv.ref, 1, c + 1, INT64_MAX, 1));
    const uc_ref context = uc_t_sum(b, uc_t_mul(b, keys, scores), patches, 1, true);
    in.out = c;
    return uc_z_conv(z, n->out2, (uc_zv){uc_t_mul(b, values, context), c}, in);
}

static uc_zv second_version(uc_zoo *z, const names *n, uc_zv x)
{
    const uc_z_window w = {.kernel = 1, .bias = true};
    x = evened(z, x, true);
    const uc_z_window local = {.out = x.c, .kernel = 3, .groups = UC_Z_DEPTHWISE};
    uc_zv y = conv_norm(z, n, n->local, x, local, true);
    const uc_zv picture = uc_z_conv(z, n->point, y, (uc_z_window){.kernel = 1});
    y = unfold(z, picture);
    const int depth = uc_z_count(z, uc_z_key(z, "%s%%d.%s.weight", n->block, n->norm1));
    for (int i = 0; i < depth; i++) {
        const size_t mark = uc_z_enter(z, "%s%d", n->block, i);
        y = uc_z_add(z, y, separable(z, n, group_norm(z, n->norm1, y)));
        uc_zv m = uc_z_act(z, "silu", uc_z_conv(z, n->mlp1, group_norm(z, n->norm2, y), w));
        y = uc_z_add(z, y, uc_z_conv(z, n->mlp2, m, w));
        uc_z_leave(z, mark);
    }
    y = fold(z, group_norm(z, n->last, y), picture.ref);
    return conv_norm(z, n, n->project, y, (uc_z_window){.kernel = 1}, false);
}

/* ---- whole ------------------------------------------------------------------------------------ */

static uc_zv mobile_block(uc_zoo *z, const names *n, uc_zv x)
{
    const bool second = uc_z_has(z, uc_z_key(z, "%s0.%s.weight", n->block, n->qkv2));
    return second ? second_version(z, n, x) : first_version(z, n, x);
}

void uc_zoo_mobilevit(uc_zoo *z)
{
    const names *n = &timm;
    const bool second = !uc_z_has(z, "final_conv.conv.weight");
    uc_z_source(z, "timm", "classification");
    (void)uc_z_say(z, "mobilevit", second ? "mobilevitv2" : "mobilevit");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "stem.conv.weight", 1), 0, 0);
    x = conv_norm(z, n, "stem", x, (uc_z_window){.kernel = 3, .stride = 2}, true);
    for (int i = 0; uc_z_has_under(z, uc_z_key(z, "stages.%d.", i)); i++) {
        for (int j = 0; uc_z_has_under(z, uc_z_key(z, "stages.%d.%d.", i, j)); j++) {
            const size_t mark = uc_z_enter(z, "stages.%d.%d", i, j);
            x = uc_z_has(z, "conv_1x1.weight") ? mobile_block(z, n, x)
                                               : inverted(z, n, x, i > 0 && j == 0 ? 2 : 1);
            uc_z_leave(z, mark);
        }
    }
    if (!second) x = conv_norm(z, n, "final_conv", x, (uc_z_window){.kernel = 1}, true);
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, "head.fc", x, 0, true));
}

void uc_zoo_mobilevit_hf(uc_zoo *z)
{
    const names *n = &transformers;
    const char *own = uc_z_has_under(z, "mobilevitv2.") ? "mobilevitv2" : "mobilevit";
    uc_z_source(z, "transformers", "classification");
    uc_z_arch(z, "%s", own);
    uc_z_preset(z, "hf:MobileViTImageProcessor");
    if (uc_z_setting(z, "output_stride", 32) != 32) uc_z_unlike(z, "an output_stride of 32");
    const size_t mark = uc_z_enter(z, "%s", own);
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv_stem.convolution.weight", 1), 0, 0);
    x = conv_norm(z, n, "conv_stem", x, (uc_z_window){.kernel = 3, .stride = 2}, true);
    for (int i = 0; uc_z_has_under(z, uc_z_key(z, "encoder.layer.%d.", i)); i++) {
        for (int j = 0; uc_z_has_under(z, uc_z_key(z, "encoder.layer.%d.layer.%d.", i, j)); j++) {
            const size_t at = uc_z_enter(z, "encoder.layer.%d.layer.%d", i, j);
            x = inverted(z, n, x, i > 0 && j == 0 ? 2 : 1);
            uc_z_leave(z, at);
        }
        if (!uc_z_has_under(z, uc_z_key(z, "encoder.layer.%d.downsampling_layer.", i))) continue;
        size_t at = uc_z_enter(z, "encoder.layer.%d.downsampling_layer", i);
        x = inverted(z, n, x, 2);
        uc_z_leave(z, at);
        at = uc_z_enter(z, "encoder.layer.%d", i);
        x = mobile_block(z, n, x);
        uc_z_leave(z, at);
    }
    if (uc_z_has(z, "conv_1x1_exp.convolution.weight")) {
        x = conv_norm(z, n, "conv_1x1_exp", x, (uc_z_window){.kernel = 1}, true);
    }
    uc_z_leave(z, mark);
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "logits", uc_z_linear(z, "classifier", x, 0, true));
}
