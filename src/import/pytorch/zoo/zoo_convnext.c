/* ConvNeXt and ConvNeXt V2 with the keys of torchvision, timm, transformers and Facebook's repository.
 * Source: torchvision/models/convnext.py; timm/models/convnext.py;
 * transformers/models/convnext/modeling_convnext.py, .../convnextv2; facebookresearch/ConvNeXt-V2. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-6

typedef struct names {
    const char *source;
    const char *stem, *stem_norm;
    const char *down_norm, *down; /* with the stage, %d: from the second on */
    int down_from;                /* what is counted as the first */
    const char *block;            /* up to its number */
    const char *conv, *norm, *fc1, *fc2, *scale;
    const char *response_weight, *response_bias; /* global response norm of V2 */
    const char *last_norm, *head, *output, *act;
    double last_eps;
} names;

static const names torchvision = {.source = "torchvision",
                                  .stem = "features.0.0",
                                  .stem_norm = "features.0.1",
                                  .conv = "block.0",
                                  .norm = "block.2",
                                  .fc1 = "block.3",
                                  .fc2 = "block.5",
                                  .scale = "layer_scale",
                                  .response_weight = "",
                                  .last_norm = "classifier.0",
                                  .head = "classifier.2",
                                  .output = "output",
                                  .last_eps = EPS};

static const names timm = {.source = "timm",
                           .stem = "stem.0",
                           .stem_norm = "stem.1",
                           .down_norm = "stages.%d.downsample.0",
                           .down = "stages.%d.downsample.1",
                           .down_from = 1,
                           .block = "stages.%d.blocks.",
                           .conv = "conv_dw",
                           .norm = "norm",
                           .fc1 = "mlp.fc1",
                           .fc2 = "mlp.fc2",
                           .scale = "gamma",
                           .response_weight = "mlp.grn.weight",
                           .response_bias = "mlp.grn.bias",
                           .last_norm = "head.norm",
                           .head = "head.fc",
                           .output = "output",
                           .last_eps = EPS};

static const names facebook = {.source = "facebookresearch",
                               .stem = "downsample_layers.0.0",
                               .stem_norm = "downsample_layers.0.1",
                               .down_norm = "downsample_layers.%d.0",
                               .down = "downsample_layers.%d.1",
                               .down_from = 1,
                               .block = "stages.%d.",
                               .conv = "dwconv",
                               .norm = "norm",
                               .fc1 = "pwconv1",
                               .fc2 = "pwconv2",
                               .scale = "gamma",
                               .response_weight = "grn.gamma",
                               .response_bias = "grn.beta",
                               .last_norm = "norm",
                               .head = "head",
                               .output = "output",
                               .last_eps = EPS};

/* Without the model's own name in front of encoder and embeddings, see hf_names. */
static const names transformers = {.source = "transformers",
                                   .stem = "embeddings.patch_embeddings",
                                   .stem_norm = "embeddings.layernorm",
                                   .down_norm = "encoder.stages.%d.downsampling_layer.0",
                                   .down = "encoder.stages.%d.downsampling_layer.1",
                                   .down_from = 1,
                                   .block = "encoder.stages.%d.layers.",
                                   .conv = "dwconv",
                                   .norm = "layernorm",
                                   .fc1 = "pwconv1",
                                   .fc2 = "pwconv2",
                                   .scale = "layer_scale_parameter",
                                   .response_weight = "grn.weight",
                                   .response_bias = "grn.bias",
                                   .last_norm = "layernorm",
                                   .head = "classifier",
                                   .output = "logits",
                                   .last_eps = 1e-12};

/* Dense over the last axis; some of timm's are convolutions of 1x1. */
static uc_zv dense(uc_zoo *z, const char *name, uc_zv x)
{
    const char *key = uc_z_key(z, "%s.weight", name);
    if (uc_z_rank(z, key) != 4) return uc_z_linear(z, name, x, 0, true);
    const int64_t out = uc_z_dim(z, key, 0), flat[] = {out, x.c};
    const uc_ref weight = uc_t_reshape(z->build, UC_Z_P(z, key, out, x.c, 1, 1), flat, 2);
    const uc_ref bias = UC_Z_P(z, uc_z_key(z, "%s.bias", name), out);
    return (uc_zv){uc_t_linear(z->build, x.ref, weight, bias), out};
}

/* A vector of c, also as [1, 1, 1, c]. */
static uc_ref vector(uc_zoo *z, const char *key, int64_t c)
{
    return uc_z_rank(z, key) == 4 ? UC_Z_P(z, key, 1, 1, 1, c) : UC_Z_P(z, key, c);
}

/* x + bias + weight * x * (its length over rows and columns, by that of the mean channel). */
static uc_zv global_response(uc_zoo *z, const names *n, uc_zv x)
{
    static const int64_t cells[] = {1, 2}, last[] = {-1};
    uc_t_build *b = z->build;
    const uc_ref weight = vector(z, n->response_weight, x.c);
    const uc_ref bias = vector(z, n->response_bias, x.c);
    const uc_ref length = uc_t_reduce(b, "ReduceL2", x.ref, cells, 2, true);
    const uc_ref mean = uc_t_add_number(b, uc_t_mean(b, length, last, 1, true), 1e-6);
    const uc_ref scaled = uc_t_mul(b, x.ref, uc_t_div(b, length, mean));
    const uc_ref y = uc_t_add(b, bias, uc_t_mul(b, weight, scaled));
    return (uc_zv){uc_t_add(b, x.ref, y), x.c};
}

static uc_zv block(uc_zoo *z, const names *n, uc_zv x)
{
    static const int64_t last[] = {0, 2, 3, 1}, first[] = {0, 3, 1, 2};
    const uc_z_window w = {.out = x.c, .groups = UC_Z_DEPTHWISE, .bias = true};
    const int64_t c = x.c;
    uc_zv y = uc_z_permute(z, uc_z_conv(z, n->conv, x, w), 4, last);
    y = dense(z, n->fc1, uc_z_layer_norm(z, n->norm, y, EPS));
    y = uc_z_act(z, n->act ? n->act : "gelu", y);
    if (uc_z_has(z, n->response_weight)) y = global_response(z, n, y);
    y = dense(z, n->fc2, y);
    const bool plain = uc_z_rank(z, n->scale) == 1;
    if (plain) y.ref = uc_t_mul(z->build, UC_Z_P(z, n->scale, c), y.ref);
    y = uc_z_permute(z, y, 4, first);
    if (!plain && uc_z_has(z, n->scale)) {
        y.ref = uc_t_mul(z->build, UC_Z_P(z, n->scale, c, 1, 1), y.ref);
    }
    return uc_z_add(z, y, x);
}

static void name_it(uc_zoo *z, const names *n, const int depth[4], int64_t width, bool second)
{
    const char *size = NULL;
    if (depth[2] == 27) {
        size = width == 96    ? "small"
               : width == 128 ? "base"
               : width == 192 ? "large"
               : width == 256 ? "xlarge"
               : width == 352 ? "huge"
                              : NULL;
    } else if (depth[2] == 9) {
        size = width == 96 ? "tiny" : width == 80 ? "nano" : NULL;
    } else if (depth[2] == 6) {
        size = width == 40 ? "atto" : width == 48 ? "femto" : width == 64 ? "pico" : NULL;
    }
    if (depth[2] == 8 && width == 80) size = "nano";
    uc_z_source(z, n->source, "classification");
    uc_z_arch(z, "convnext%s%s%s", second ? "v2" : "", size ? "_" : "", size ? size : "");
    if (strcmp(n->source, "transformers") == 0) uc_z_preset(z, "hf:ConvNextImageProcessor");
    const char *name = strcmp(n->source, "timm") == 0 ? uc_z_said(z, "convnext") : NULL;
    if (name) uc_z_arch(z, "%s", name);
    if (!size || name) return;
    if (strcmp(n->source, "torchvision") == 0) uc_z_preset(z, "torchvision:convnext_%s", size);
    if (strcmp(n->source, "timm") == 0) uc_z_preset(z, "timm:%s", z->report->arch);
}

static void convnext(uc_zoo *z, const names *n)
{
    int depth[4];
    for (int i = 0; i < 4; i++) {
        const char *start = uc_z_numbered(z, n->block, i);
        depth[i] = uc_z_count(z, uc_z_key(z, "%s%%d.%s.weight", start, n->conv));
    }
    const char *weight = uc_z_key(z, "%s.weight", n->stem);
    const int64_t patch = uc_z_dim(z, weight, 2);
    const uc_z_window stem = {.kernel = patch, .stride = patch, .valid = true, .bias = true};
    const uc_z_window half = {.kernel = 2, .stride = 2, .valid = true, .bias = true};
    const bool second =
        uc_z_has(z, uc_z_key(z, "%s0.%s", uc_z_numbered(z, n->block, 0), n->response_weight));
    uc_zv x = uc_z_picture(z, uc_z_dim(z, weight, 1), 0, 0);
    x = uc_z_layer_norm2d(z, n->stem_norm, uc_z_conv(z, n->stem, x, stem), EPS);
    name_it(z, n, depth, x.c, second);
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            x = uc_z_layer_norm2d(z, uc_z_numbered(z, n->down_norm, i - 1 + n->down_from), x, EPS);
            x = uc_z_conv(z, uc_z_numbered(z, n->down, i - 1 + n->down_from), x, half);
        }
        for (int j = 0; j < depth[i]; j++) {
            const size_t mark = uc_z_enter(z, "%s%d", uc_z_numbered(z, n->block, i), j);
            x = block(z, n, x);
            uc_z_leave(z, mark);
        }
    }
    x = uc_z_layer_norm(z, n->last_norm, uc_z_global_avg_pool(z, x, false), n->last_eps);
    if (uc_z_has(z, uc_z_key(z, "%s.weight", n->head))) x = uc_z_linear(z, n->head, x, 0, true);
    uc_z_output(z, n->output, x);
}

/* torchvision counts stages and what stands between them in one row: blocks at 1, 3, 5, 7. */
static void torchvision_convnext(uc_zoo *z)
{
    static const char *const blocks[] = {"features.1.", "features.3.", "features.5.",
                                         "features.7."};
    const names *n = &torchvision;
    const uc_z_window stem = {.kernel = 4, .stride = 4, .valid = true, .bias = true};
    const uc_z_window half = {.kernel = 2, .stride = 2, .valid = true, .bias = true};
    int depth[4];
    for (int i = 0; i < 4; i++) {
        depth[i] = uc_z_count(z, uc_z_key(z, "%s%%d.layer_scale", blocks[i]));
    }
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.0.weight", 1), 0, 0);
    x = uc_z_layer_norm2d(z, n->stem_norm, uc_z_conv(z, n->stem, x, stem), EPS);
    name_it(z, n, depth, x.c, false);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < depth[i]; j++) {
            const size_t mark = uc_z_enter(z, "%s%d", blocks[i], j);
            x = block(z, n, x);
            uc_z_leave(z, mark);
        }
        if (i == 3) break;
        x = uc_z_layer_norm2d(z, uc_z_key(z, "features.%d.0", 2 * i + 2), x, EPS);
        x = uc_z_conv(z, uc_z_key(z, "features.%d.1", 2 * i + 2), x, half);
    }
    x = uc_z_layer_norm(z, n->last_norm, uc_z_global_avg_pool(z, x, false), n->last_eps);
    uc_z_output(z, n->output, uc_z_linear(z, n->head, x, 0, true));
}

void uc_zoo_convnext(uc_zoo *z) { torchvision_convnext(z); }

void uc_zoo_convnext_timm(uc_zoo *z) { convnext(z, &timm); }

void uc_zoo_convnext_facebook(uc_zoo *z) { convnext(z, &facebook); }

void uc_zoo_convnext_hf(uc_zoo *z)
{
    names n = transformers;
    const char *own = uc_z_has_under(z, "convnextv2.") ? "convnextv2."
                      : uc_z_has_under(z, "convnext.") ? "convnext."
                                                       : "";
    n.stem = uc_z_key(z, "%s%s", own, n.stem);
    n.stem_norm = uc_z_key(z, "%s%s", own, n.stem_norm);
    n.down_norm = uc_z_key(z, "%s%s", own, n.down_norm);
    n.down = uc_z_key(z, "%s%s", own, n.down);
    n.block = uc_z_key(z, "%s%s", own, n.block);
    n.last_norm = uc_z_key(z, "%s%s", own, n.last_norm);
    n.act = uc_z_act_setting(z, "hidden_act", "gelu");
    n.last_eps = uc_json_f64(uc_json_get(z->config, "layer_norm_eps"), n.last_eps);
    convnext(z, &n);
    if (!uc_z_has(z, "classifier.weight")) uc_z_source(z, "transformers", "features");
}
