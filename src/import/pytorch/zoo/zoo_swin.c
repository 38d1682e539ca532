/* Swin Transformer, versions 1 and 2, with the keys of torchvision, timm (Microsoft's) and transformers.
 * Source: torchvision/models/swin_transformer.py; timm/models/{swin_transformer,swin_transformer_v2}.py;
 * transformers/models/{swin,swinv2}/modeling_*.py. */
#include "import/pytorch/zoo/zoo_attention.h"

#define EPS 1e-5

/* How a library calls a block's parts. */
typedef struct names {
    const char *table, *scale, *mlp; /* of positions */
    const char *qkv;                 /* NULL: three matrices */
    const char *query, *key, *value, *out;
    const char *norm1, *norm2, *fc1, *fc2, *act;
} names;

/* Microsoft's, but for the two products behind the attention. */
#define MICROSOFT(FC1, FC2)                                                             \
    {                                                                                   \
        .table = "attn.relative_position_bias_table", .scale = "attn.logit_scale",      \
        .mlp = "attn.cpb_mlp", .qkv = "attn.qkv", .out = "attn.proj", .norm1 = "norm1", \
        .norm2 = "norm2", .fc1 = FC1, .fc2 = FC2, .act = "gelu"                         \
    }
static const names torchvision = MICROSOFT("mlp.0", "mlp.3");
static const names timm = MICROSOFT("mlp.fc1", "mlp.fc2");

static const names transformers = {.table = "attention.self.relative_position_bias_table",
                                   .scale = "attention.self.logit_scale",
                                   .mlp = "attention.self.continuous_position_bias_mlp",
                                   .query = "attention.self.query",
                                   .key = "attention.self.key",
                                   .value = "attention.self.value",
                                   .out = "attention.output.dense",
                                   .norm1 = "layernorm_before",
                                   .norm2 = "layernorm_after",
                                   .fc1 = "intermediate.dense",
                                   .fc2 = "output.dense",
                                   .act = "gelu"};

/* Of its modules since version 5. */
static const names transformers5 = {
    .table = "attention.relative_position_bias.relative_position_bias_table",
    .query = "attention.q_proj",
    .key = "attention.k_proj",
    .value = "attention.v_proj",
    .out = "attention.o_proj",
    .norm1 = "layernorm_before",
    .norm2 = "layernorm_after",
    .fc1 = "mlp.fc1",
    .fc2 = "mlp.fc2",
    .act = "gelu"};

typedef struct swin {
    bool second; /* version 2 */
    bool timm;
    const names *names;
    int depth[4];
    int64_t window; /* of version 2, where the file doesn't have its positions; 0: not known */
    int64_t pretrained[4]; /* that each stage was trained with before; 0: this one */
    int64_t rows;          /* of the stage, where the window may be larger; 0: not known */
    int stage;
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

/* Version 2 reckons its biases from the distances; some files have the logarithms of these. */
static uc_ref coordinates(uc_zoo *z, const swin *net, int64_t window)
{
    const int64_t n = 2 * window - 1, shape[] = {1, n, n, 2};
    if (uc_z_has(z, "attn.relative_coords_table")) {
        return uc_z_param(z, "attn.relative_coords_table", 4, shape);
    }
    if (z->matching) return 0;
    double *v = UC_NEW(z->arena, double, (size_t)(n * n * 2));
    if (!v) return uc_t_fail(z->build, "no memory for a window's positions");
    int64_t before = net->pretrained[net->stage] ? net->pretrained[net->stage] : window;
    if (before < 2) before = 2;
    for (int64_t i = 0; i < n * n * 2; i++) {
        const int64_t at = (i % 2 ? i / 2 % n : i / 2 / n) - (window - 1);
        const double d = 8.0 * (double)at / (double)(before - 1);
        const double size = __builtin_log2(__builtin_fabs(d) + 1) / 3;
        v[i] = d < 0 ? -size : size;
    }
    return uc_t_values(z->build, UNCORK_FLOAT32, v, 4, shape);
}

static uc_ref second_bias(uc_zoo *z, const swin *net, int64_t window, int64_t heads)
{
    uc_t_build *b = z->build;
    const char *mlp = net->names->mlp;
    uc_zv t = {coordinates(z, net, window), 2};
    t = uc_z_act(z, "relu", uc_z_linear(z, uc_z_key(z, "%s.0", mlp), t, 0, true));
    t = uc_z_linear(z, uc_z_key(z, "%s.2", mlp), t, heads, false);
    const int64_t rows[] = {-1, heads};
    const uc_ref index = uc_z_relative_index(z, window, window);
    const uc_ref bias =
        uc_z_relative_bias(z, uc_t_reshape(b, t.ref, rows, 2), index, window * window);
    return uc_t_mul_number(b, uc_t_act(b, "sigmoid", bias), 16);
}

/* Three matrices as one. */
static void join_qkv(uc_zoo *z, const names *n, int64_t c, uc_z_windows *w)
{
    const char *const parts[] = {n->query, n->key, n->value};
    const int64_t shape[] = {c};
    uc_ref weights[3], biases[3];
    double *zeros = UC_NEW(z->arena, double, (size_t)c + 1);
    for (int i = 0; i < 3; i++) {
        const char *bias = uc_z_key(z, "%s.bias", parts[i]);
        weights[i] = UC_Z_P(z, uc_z_key(z, "%s.weight", parts[i]), c, c);
        biases[i] = uc_z_has(z, bias) || !zeros
                        ? UC_Z_P(z, bias, c)
                        : uc_t_values(z->build, UNCORK_FLOAT32, zeros, 1, shape);
    }
    w->qkv_weight = uc_t_cat(z->build, weights, 3, 0);
    w->qkv_bias = uc_t_cat(z->build, biases, 3, 0);
}

/* Of version 2: as the file's table shows it, or as its name says, no larger than the picture. */
static int64_t second_window(uc_zoo *z, const swin *net)
{
    const int64_t n = uc_z_dim(z, "attn.relative_coords_table", 1);
    if (n) return (n + 1) / 2;
    const int64_t window = net->window ? net->window : 1;
    return net->rows && net->rows < window ? net->rows : window;
}

static uc_zv attention(uc_zoo *z, const swin *net, uc_zv x, bool shifted)
{
    const names *n = net->names;
    uc_z_windows w = {.out = n->out};
    uc_z_skip(z, "attn.relative_position_index");
    uc_z_skip(z, "attention.self.relative_position_index");
    uc_z_skip(z, "attn_mask");
    if (net->second) {
        w.heads = uc_z_dim(z, n->scale, 0);
        w.window = second_window(z, net);
        w.bias = second_bias(z, net, w.window, w.heads);
        const uc_ref scale = UC_Z_P(z, n->scale, w.heads, 1, 1);
        w.logit_scale = uc_g1(z->build->graph, "Exp",
                              uc_t_clamp(z->build, scale, __builtin_nan(""), __builtin_log(100.0)));
        if (n->qkv) w.qkv_bias = uc_z_qkv_bias(z, "attn.", x.c);
    } else {
        w.window = window_of(uc_z_dim(z, n->table, 0));
        w.heads = uc_z_dim(z, n->table, 1);
        const int64_t side = 2 * w.window - 1;
        const uc_ref table = UC_Z_P(z, n->table, side * side, w.heads);
        w.bias = uc_z_relative_bias(z, table, uc_z_relative_index(z, w.window, w.window),
                                    w.window * w.window);
        if (n->qkv) w.qkv_bias = UC_Z_P(z, "attn.qkv.bias", 3 * x.c);
    }
    w.shift = shifted ? w.window / 2 : 0;
    if (n->qkv) {
        w.qkv_weight = UC_Z_P(z, "attn.qkv.weight", 3 * x.c, x.c);
    } else {
        join_qkv(z, n, x.c, &w);
    }
    return uc_z_window_attention(z, x, &w);
}

static uc_zv block(uc_zoo *z, const swin *net, uc_zv x, bool shifted)
{
    const names *n = net->names;
    if (net->second) {
        uc_zv y = uc_z_layer_norm(z, n->norm1, attention(z, net, x, shifted), EPS);
        x = uc_z_add(z, x, y);
        y = uc_z_layer_norm(z, n->norm2, uc_z_mlp(z, n->fc1, n->fc2, n->act, x), EPS);
        return uc_z_add(z, x, y);
    }
    uc_zv y = attention(z, net, uc_z_layer_norm(z, n->norm1, x, EPS), shifted);
    x = uc_z_add(z, x, y);
    y = uc_z_mlp(z, n->fc1, n->fc2, n->act, uc_z_layer_norm(z, n->norm2, x, EPS));
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

static uc_zv finish(uc_zoo *z, const char *norm, const char *head, uc_zv x)
{
    static const int64_t cells[] = {1, 2};
    x = uc_z_layer_norm(z, norm, x, EPS);
    x.ref = uc_t_mean(z->build, x.ref, cells, 2, false);
    return uc_z_linear(z, head, x, 0, true);
}

void uc_zoo_swin(uc_zoo *z)
{
    static const int64_t last[] = {0, 2, 3, 1};
    swin net = {.second = uc_z_has(z, "features.1.0.attn.logit_scale"), .names = &torchvision};
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
    uc_z_output(z, "output", finish(z, "norm", "head", x));
}

/* Layers with blocks and merging between: in front of the layer that it belongs to (timm), or behind the one
 * before (Microsoft, transformers). `start` is up to the number. */
static uc_zv layers(uc_zoo *z, swin *net, const char *start, int64_t rows, uc_zv x)
{
    const int behind = uc_z_has(z, uc_z_key(z, "%s0.downsample.reduction.weight", start)) ? 1 : 0;
    for (int i = 0; i < 4 && net->depth[i] > 0; i++) {
        if (i > 0) {
            const size_t mark = uc_z_enter(z, "%s%d.downsample", start, i - behind);
            x = merge(z, net, x);
            uc_z_leave(z, mark);
        }
        net->rows = rows;
        net->stage = i;
        for (int j = 0; j < net->depth[i]; j++) {
            const size_t mark = uc_z_enter(z, "%s%d.blocks.%d", start, i, j);
            x = block(z, net, x, j % 2 == 1);
            uc_z_leave(z, mark);
        }
        rows = (rows + 1) / 2;
    }
    return x;
}

static void count_layers(uc_zoo *z, swin *net, const char *start)
{
    for (int i = 0; i < 4; i++) {
        net->depth[i] =
            uc_z_count(z, uc_z_key(z, "%s%d.blocks.%%d.%s.weight", start, i, net->names->norm1));
    }
}

/* The number behind a word of a name, the second one of "12to16": 0 when there is none. */
static int64_t number_behind(const char *name, const char *word, bool second)
{
    const char *at = strstr(name, word);
    int64_t n = 0;
    for (at = at ? at + strlen(word) : ""; *at >= '0' && *at <= '9' && n < 10000; at++) {
        n = 10 * n + (*at - '0');
    }
    return second && strncmp(at, "to", 2) == 0 ? number_behind(at, "to", false) : n;
}

/* "swinv2_base_window12to16_192to256": window and picture of version 2 stand in the name alone. */
static int64_t read_name(uc_zoo *z, swin *net)
{
    const char *name = uc_z_said(z, "swin");
    if (name) uc_z_arch(z, "%s", name);
    if (!net->second) return 0;
    const char *window = name ? strstr(name, "window") : NULL;
    const char *size = window ? strchr(window, '_') : NULL;
    net->window = window ? number_behind(window, "window", true) : 0;
    for (int i = 0; size && strstr(size, "192to") && i < 4; i++) {
        net->pretrained[i] = i == 3 ? 6 : 12;
    }
    const int64_t image = size ? number_behind(size, "_", true) : 0;
    const bool told = uc_z_has(z, "layers.0.blocks.0.attn.relative_coords_table");
    if ((!net->window || !image) && !told) {
        uc_z_ask(z,
                 "Swin V2's window isn't in the file: --arch %s_window8_256, %s_window16_256 or "
                 "another of timm's names says it",
                 z->report->arch, z->report->arch);
    }
    return image;
}

void uc_zoo_swin_timm(uc_zoo *z)
{
    static const int64_t last[] = {0, 2, 3, 1};
    swin net = {
        .second = uc_z_has(z, "layers.0.blocks.0.attn.logit_scale"), .timm = true, .names = &timm};
    count_layers(z, &net, "layers.");
    const int64_t patch = uc_z_dim(z, "patch_embed.proj.weight", 2);
    const uc_z_window stem = {.kernel = patch, .stride = patch, .valid = true, .bias = true};
    name_it(z, &net, uc_z_dim(z, "patch_embed.proj.weight", 0));
    const int64_t image = read_name(z, &net);
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "patch_embed.proj.weight", 1), image, image);
    x = uc_z_permute(z, uc_z_conv(z, "patch_embed.proj", x, stem), 4, last);
    x = uc_z_layer_norm(z, "patch_embed.norm", x, EPS);
    x = layers(z, &net, "layers.", patch ? image / patch : 0, x);
    const char *head = uc_z_has(z, "head.fc.weight") ? "head.fc" : "head";
    uc_z_output(z, "output", finish(z, "norm", head, x));
}

/* ---- transformers ----------------------------------------------------------------------------- */

void uc_zoo_swin_hf(uc_zoo *z)
{
    static const int64_t last[] = {0, 2, 3, 1};
    const char *own = uc_z_has_under(z, "swinv2.") ? "swinv2." : "swin.";
    const char *start = uc_z_key(z, "%sencoder.layers.", own);
    const char *stem = uc_z_key(z, "%sembeddings.patch_embeddings.projection", own);
    const char *weight = uc_z_key(z, "%s.weight", stem);
    const bool old = uc_z_has(z, uc_z_key(z, "%s0.blocks.0.attention.output.dense.weight", start));
    names n = old ? transformers : transformers5;
    swin net = {.second = own[4] == 'v', .names = &n};
    n.act = uc_z_act_setting(z, "hidden_act", n.act);
    count_layers(z, &net, start);
    const int64_t patch = uc_z_dim(z, weight, 2);
    int64_t image = uc_z_setting(z, "image_size", 0);
    uc_z_source(z, "transformers", "classification");
    uc_z_arch(z, "%.*s", (int)strlen(own) - 1, own);
    uc_z_preset(z, "hf:ViTImageProcessor");
    if (net.second) {
        net.window = uc_z_setting(z, "window_size", 0);
        size_t count = 0;
        const int64_t *before =
            uc_json_i64s(uc_json_get(z->config, "pretrained_window_sizes"), z->arena, &count);
        for (size_t i = 0; before && i < count && i < 4; i++) {
            net.pretrained[i] = before[i];
        }
        if (!net.window || !image) {
            image = read_name(z, &net);
        }
    }
    const uc_z_window w = {.kernel = patch, .stride = patch, .valid = true, .bias = true};
    uc_zv x =
        uc_z_picture(z, uc_z_dim(z, weight, 1), net.second ? image : 0, net.second ? image : 0);
    x = uc_z_permute(z, uc_z_conv(z, stem, x, w), 4, last);
    x = uc_z_layer_norm(z, uc_z_key(z, "%sembeddings.norm", own), x, EPS);
    uc_z_skip(z, uc_z_key(z, "%sembeddings.mask_token", own));
    x = layers(z, &net, start, patch ? image / patch : 0, x);
    uc_z_output(z, "logits", finish(z, uc_z_key(z, "%slayernorm", own), "classifier", x));
}
