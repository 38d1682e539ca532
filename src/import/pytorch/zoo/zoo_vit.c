/* Vision transformers whose tokens all look at each other: ViT, DeiT, DINO and DINOv2 with the keys of
 * torchvision, timm (and of the papers' own repositories) and transformers.
 * Source: torchvision/models/vision_transformer.py; timm/models/{vision_transformer,deit}.py;
 * transformers/models/{vit,deit,dinov2}/modeling_*.py; facebookresearch/dinov2. */
#include "import/pytorch/zoo/zoo_attention.h"

typedef struct vit {
    const char *patch, *cls, *dist, *registers, *pos;
    const char *block; /* with one %d */
    const char *norm1, *qkv, *query, *key, *value, *out, *scale1;
    const char *norm2, *fc1, *fc2, *scale2;
    const char *norm, *head, *head_dist;
    const char *act; /* NULL: gelu */
    double eps;
    bool fused_parameters; /* in_proj_weight, not qkv.weight */
} vit;

static const vit torchvision = {.patch = "conv_proj",
                                .cls = "class_token",
                                .pos = "encoder.pos_embedding",
                                .block = "encoder.layers.encoder_layer_%d",
                                .norm1 = "ln_1",
                                .qkv = "self_attention.in_proj_",
                                .out = "self_attention.out_proj",
                                .norm2 = "ln_2",
                                .fc1 = "mlp.0",
                                .fc2 = "mlp.3",
                                .norm = "encoder.ln",
                                .head = "heads.head",
                                .eps = 1e-6,
                                .fused_parameters = true};

static const vit timm = {.patch = "patch_embed.proj",
                         .cls = "cls_token",
                         .dist = "dist_token",
                         .registers = "reg_token",
                         .pos = "pos_embed",
                         .block = "blocks.%d",
                         .norm1 = "norm1",
                         .qkv = "attn.qkv",
                         .out = "attn.proj",
                         .scale1 = "ls1.gamma",
                         .norm2 = "norm2",
                         .fc1 = "mlp.fc1",
                         .fc2 = "mlp.fc2",
                         .scale2 = "ls2.gamma",
                         .norm = "norm",
                         .head = "head",
                         .head_dist = "head_dist",
                         .eps = 1e-6};

/* Heads are in no key: 64 channels each, but for the largest. */
static int64_t heads_of(uc_zoo *z, int64_t c)
{
    const int64_t said = (int64_t)uc_json_f64(uc_json_get(z->config, "num_attention_heads"), 0);
    if (said > 0 && said <= c) return said;
    if (c == 1152 || c == 1280 || c == 1408 || c == 1664 || c == 1792) return 16;
    if (c == 4096) return 32;
    if (c % 64 != 0) {
        uc_z_ask(z,
                 "how many heads its %d channels have isn't in the file: num_attention_heads of a "
                 "config.json beside it says it",
                 (int)c);
        return 1;
    }
    return c / 64;
}

static int64_t square_root(int64_t n)
{
    int64_t r = 0;
    while ((r + 1) * (r + 1) <= n && r < 4096) {
        r++;
    }
    return r * r == n ? r : 0;
}

static uc_zv scaled(uc_zoo *z, const char *key, uc_zv x)
{
    if (!key || !uc_z_has(z, key)) return x;
    return (uc_zv){uc_t_mul(z->build, x.ref, UC_Z_P(z, key, x.c)), x.c};
}

static uc_zv attend(uc_zoo *z, const vit *v, uc_zv x)
{
    const int64_t heads = heads_of(z, x.c);
    uc_zv y;
    if (v->fused_parameters) {
        uc_zv parts[3];
        const uc_ref weight = UC_Z_P(z, uc_z_key(z, "%sweight", v->qkv), 3 * x.c, x.c);
        const uc_ref bias = UC_Z_P(z, uc_z_key(z, "%sbias", v->qkv), 3 * x.c);
        uc_z_thirds(z, (uc_zv){uc_t_linear(z->build, x.ref, weight, bias), 3 * x.c}, parts);
        y = uc_z_attend(z, parts[0], parts[1], parts[2], heads, 0);
    } else if (v->qkv) {
        y = uc_z_attend_fused(z, v->qkv, x, heads, 0);
    } else {
        const bool bias = uc_z_has(z, uc_z_key(z, "%s.bias", v->query));
        y = uc_z_attend(z, uc_z_linear(z, v->query, x, x.c, bias),
                        uc_z_linear(z, v->key, x, x.c, bias),
                        uc_z_linear(z, v->value, x, x.c, bias), heads, 0);
    }
    return uc_z_linear(z, v->out, y, x.c, true);
}

/* The gated dense part of DINOv2's giant: silu(a) * b of one layer's halves. */
static uc_zv gated(uc_zoo *z, const char *in, const char *out, uc_zv x)
{
    const uc_zv y = uc_z_linear(z, in, x, 0, true);
    const int64_t half = y.c / 2;
    const uc_zv a = uc_z_slice(z, y, 2, 0, half, half), b = uc_z_slice(z, y, 2, half, y.c, half);
    return uc_z_linear(z, out, uc_z_mul(z, uc_z_act(z, "silu", a), b), x.c, true);
}

static uc_zv block(uc_zoo *z, const vit *v, uc_zv x)
{
    uc_zv y = attend(z, v, uc_z_layer_norm(z, v->norm1, x, v->eps));
    x = uc_z_add(z, x, scaled(z, v->scale1, y));
    y = uc_z_layer_norm(z, v->norm2, x, v->eps);
    if (uc_z_has(z, "mlp.w12.weight")) {
        y = gated(z, "mlp.w12", "mlp.w3", y);
    } else if (uc_z_has(z, "mlp.weights_in.weight")) {
        y = gated(z, "mlp.weights_in", "mlp.weights_out", y);
    } else {
        y = uc_z_mlp(z, v->fc1, v->fc2, v->act ? v->act : "gelu", y);
    }
    return uc_z_add(z, x, scaled(z, v->scale2, y));
}

/* A token of its own for each picture; 0 where the network has none. */
static uc_ref token(uc_zoo *z, const char *key, int64_t c, uc_ref patches, int64_t *count)
{
    if (!key || !uc_z_has(z, key)) return 0;
    const int64_t dims[] = {1, 0, c}, n = uc_z_dim(z, key, 1);
    *count += n;
    return uc_z_token_of_each(z, uc_z_param(z, key, 3, dims), patches);
}

/* Tokens in front, patches behind, positions added to all, to all but the registers, or to the patches
 * alone: as many as the file has. */
static uc_zv embed(uc_zoo *z, const vit *v, uc_zv patches, int64_t cells, int64_t *front)
{
    uc_t_build *b = z->build;
    int64_t named = 0, extra = 0;
    const int64_t c = patches.c;
    uc_ref parts[4];
    size_t n = 0;
    const uc_ref cls = token(z, v->cls, c, patches.ref, &named);
    const uc_ref dist = token(z, v->dist, c, patches.ref, &named);
    const uc_ref registers = token(z, v->registers, c, patches.ref, &extra);
    const int64_t length = uc_z_dim(z, v->pos, 1);
    const uc_ref pos = UC_Z_P(z, v->pos, 1, length, c);
    const bool alone = length == cells;
    if (alone) patches.ref = uc_t_add(b, patches.ref, pos);
    if (named > 0 && cls) parts[n++] = cls;
    if (dist) parts[n++] = dist;
    const size_t before = n;
    if (registers && (alone || length == cells + named + extra)) parts[n++] = registers;
    parts[n++] = patches.ref;
    uc_ref x = n > 1 ? uc_t_cat(b, parts, n, 1) : patches.ref;
    if (!alone) x = uc_t_add(b, x, pos);
    if (registers && !alone && length == cells + named) {
        const uc_ref three[] = {uc_t_slice(b, x, 1, 0, named, 1), registers,
                                uc_t_slice(b, x, 1, named, INT64_MAX, 1)};
        x = uc_t_cat(b, before ? three : three + 1, before ? 3 : 2, 1);
    }
    if (!alone && length != cells + named && length != cells + named + extra) {
        uc_z_unlike(z, "%s for %d patches", v->pos, (int)cells);
    }
    *front = named + extra;
    return (uc_zv){x, c};
}

/* Patches, tokens, blocks and the last norm: [N, front + cells, c]. */
static uc_zv body(uc_zoo *z, const vit *v, int64_t *front, int64_t *image)
{
    const char *weight = uc_z_key(z, "%s.weight", v->patch);
    const int64_t patch = uc_z_dim(z, weight, 2), length = uc_z_dim(z, v->pos, 1);
    int64_t side = 0;
    for (int64_t tokens = 0; tokens <= 6 && !side && length > tokens; tokens++) {
        side = square_root(length - tokens);
    }
    *image = side * patch;
    const uc_z_window w = {.kernel = patch, .stride = patch, .valid = true, .maybe_bias = true};
    uc_zv x = uc_z_picture(z, uc_z_dim(z, weight, 1), *image, *image);
    x = uc_z_tokens(z, uc_z_conv(z, v->patch, x, w));
    x = embed(z, v, x, side * side, front);
    if (uc_z_has(z, "norm_pre.weight")) x = uc_z_layer_norm(z, "norm_pre", x, v->eps);
    const int depth = uc_z_count(z, uc_z_key(z, "%s.%s.weight", v->block, v->norm1));
    if (!depth) uc_z_unlike(z, "blocks");
    for (int i = 0; i < depth; i++) {
        const char *number = strstr(v->block, "%d");
        const size_t mark =
            uc_z_enter(z, "%.*s%d%s", (int)(number - v->block), v->block, i, number + 2);
        x = block(z, v, x);
        uc_z_leave(z, mark);
    }
    return x;
}

static uc_zv first_token(uc_zoo *z, uc_zv x)
{
    return (uc_zv){uc_t_select(z->build, x.ref, 1, 0), x.c};
}

/* The mean of the patches, without the tokens in front. */
static uc_zv patch_mean(uc_zoo *z, uc_zv x, int64_t front)
{
    static const int64_t axis[] = {1};
    const uc_ref y = uc_t_slice(z->build, x.ref, 1, front, INT64_MAX, 1);
    return (uc_zv){uc_t_mean(z->build, y, axis, 1, false), x.c};
}

void uc_zoo_vit(uc_zoo *z)
{
    static const struct {
        int64_t c;
        const char *name;
    } sizes[] = {{768, "b"}, {1024, "l"}, {1280, "h"}};
    int64_t front, image;
    vit v = torchvision;
    if (uc_z_has(z, "encoder.layers.encoder_layer_0.mlp.linear_1.weight")) {
        v.fc1 = "mlp.linear_1";
        v.fc2 = "mlp.linear_2";
    }
    uc_zv x = body(z, &v, &front, &image);
    const int64_t patch = uc_z_dim(z, "conv_proj.weight", 2);
    uc_z_arch(z, "vit");
    for (int i = 0; i < 3; i++) {
        if (x.c != sizes[i].c) continue;
        uc_z_arch(z, "vit_%s_%d", sizes[i].name, (int)patch);
        uc_z_preset(z, "torchvision:vit_%s_%d", sizes[i].name, (int)patch);
    }
    x = first_token(z, uc_z_layer_norm(z, v.norm, x, v.eps));
    if (uc_z_has(z, "heads.pre_logits.weight")) {
        x = uc_z_act(z, "tanh", uc_z_linear(z, "heads.pre_logits", x, 0, true));
    }
    uc_z_output(z, "output", uc_z_linear(z, "heads.head", x, 0, true));
}

static void name_timm(uc_zoo *z, int64_t c, int64_t patch, int64_t image)
{
    const char *size = c == 192                 ? "tiny"
                       : c == 384               ? "small"
                       : c == 768               ? "base"
                       : c == 1024              ? "large"
                       : c == 1280              ? "huge"
                       : c == 1408 || c == 1536 ? "giant"
                                                : NULL;
    const bool dist = uc_z_has(z, "dist_token"), scale = uc_z_has(z, "blocks.0.ls1.gamma");
    uc_z_source(z, "timm", uc_z_has(z, "head.weight") ? "classification" : "features");
    uc_z_arch(z, "%s", dist ? "deit" : "vit");
    if (!size) return;
    const char *family = dist ? "deit" : scale && patch == 16 ? "deit3" : "vit";
    uc_z_arch(z, "%s_%s_%spatch%d_%d", family, size, dist ? "distilled_" : "", (int)patch,
              (int)image);
}

void uc_zoo_vit_timm(uc_zoo *z)
{
    int64_t front, image;
    vit v = timm;
    if (uc_z_has(z, "register_tokens")) v.registers = "register_tokens";
    const char *name = uc_z_said(z, "vit_ deit dino");
    if (uc_z_has(z, "norm_pre.weight")) v.eps = 1e-5; /* CLIP's towers */
    if (name && strstr(name, "quickgelu")) {
        v.act = "quick_gelu";
    } else if (!name && uc_z_has(z, "norm_pre.weight")) {
        uc_z_assume(z, "its activation is GELU; that of OpenAI's own weights is another "
                       "(--arch vit_base_patch16_clip_quickgelu_224)");
    }
    uc_z_skip(z, "mask_token");
    uc_zv x = body(z, &v, &front, &image);
    name_timm(z, x.c, uc_z_dim(z, "patch_embed.proj.weight", 2), image);
    if (name) uc_z_arch(z, "%s", name);
    if (uc_z_has(z, "fc_norm.weight")) {
        x = uc_z_layer_norm(z, "fc_norm", patch_mean(z, x, front), v.eps);
    } else {
        x = uc_z_layer_norm(z, v.norm, x, v.eps);
        const uc_zv tokens = x;
        x = uc_z_has(z, v.cls) ? first_token(z, x) : patch_mean(z, x, front);
        if (uc_z_has(z, "head_dist.weight")) {
            const uc_zv d = {uc_t_select(z->build, tokens.ref, 1, 1), tokens.c};
            const uc_zv both = uc_z_add(z, uc_z_linear(z, "head", x, 0, true),
                                        uc_z_linear(z, "head_dist", d, 0, true));
            uc_z_output(z, "output", uc_z_scale(z, both, 0.5));
            return;
        }
    }
    if (uc_z_has(z, "pre_logits.fc.weight")) {
        x = uc_z_act(z, "tanh", uc_z_linear(z, "pre_logits.fc", x, 0, true));
    }
    if (uc_z_has(z, "head.weight")) x = uc_z_linear(z, "head", x, 0, true);
    uc_z_output(z, "output", x);
}

/* ---- transformers ----------------------------------------------------------------------------- */

/* Names with the model's own in front: "vit.", "deit.", "dinov2.", or nothing. */
static vit hf_names(uc_zoo *z, const char *own, bool dino)
{
    const char *block = uc_z_key(z, "%sencoder.layer.", own);
    if (!uc_z_has_under(z, block)) block = uc_z_key(z, "%slayers.", own); /* since 5 */
    const bool old = uc_z_has(z, uc_z_key(z, "%s0.attention.attention.query.weight", block));
    const bool dense = uc_z_has(z, uc_z_key(z, "%s0.intermediate.dense.weight", block));
    vit v = {.patch = uc_z_key(z, "%sembeddings.patch_embeddings.projection", own),
             .cls = uc_z_key(z, "%sembeddings.cls_token", own),
             .dist = uc_z_key(z, "%sembeddings.distillation_token", own),
             .registers = uc_z_key(z, "%sembeddings.register_tokens", own),
             .pos = uc_z_key(z, "%sembeddings.position_embeddings", own),
             .block = uc_z_key(z, "%s%%d", block),
             .norm1 = dino ? "norm1" : "layernorm_before",
             .query = old ? "attention.attention.query" : "attention.q_proj",
             .key = old ? "attention.attention.key" : "attention.k_proj",
             .value = old ? "attention.attention.value" : "attention.v_proj",
             .out = old ? "attention.output.dense" : "attention.o_proj",
             .norm2 = dino ? "norm2" : "layernorm_after",
             .fc1 = dense ? "intermediate.dense" : "mlp.fc1",
             .fc2 = dense ? "output.dense" : "mlp.fc2",
             .scale1 = "layer_scale1.lambda1",
             .scale2 = "layer_scale2.lambda1",
             .norm = uc_z_key(z, "%slayernorm", own),
             .eps = dino ? 1e-6 : 1e-12};
    v.eps = uc_json_f64(uc_json_get(z->config, "layer_norm_eps"), v.eps);
    v.act = uc_z_act_setting(z, "hidden_act", "gelu");
    return v;
}

static void hf(uc_zoo *z, const char *own, bool dino)
{
    int64_t front, image;
    const vit v = hf_names(z, own, dino);
    if (!uc_z_setting(z, "num_attention_heads", 0)) {
        uc_z_assume(z, "its heads have 64 channels each (config.json isn't beside it)");
    }
    uc_z_source(z, "transformers", "classification");
    uc_z_arch(z, "%s", *own ? uc_z_key(z, "%.*s", (int)strlen(own) - 1, own) : "vit");
    uc_z_skip(z, uc_z_key(z, "%sembeddings.mask_token", own));
    uc_z_skip_under(z, uc_z_key(z, "%spooler.", own));
    if (dino) uc_z_preset(z, "hf:BitImageProcessor");
    if (!dino) uc_z_preset(z, "hf:%sImageProcessor", own[0] == 'd' ? "DeiT" : "ViT");
    uc_zv x = uc_z_layer_norm(z, v.norm, body(z, &v, &front, &image), v.eps);
    if (uc_z_has(z, "distillation_classifier.weight")) {
        const uc_zv a = uc_z_linear(z, "cls_classifier", first_token(z, x), 0, true);
        const uc_zv d = {uc_t_select(z->build, x.ref, 1, 1), x.c};
        const uc_zv b = uc_z_linear(z, "distillation_classifier", d, 0, true);
        uc_z_output(z, "logits", uc_z_scale(z, uc_z_add(z, a, b), 0.5));
        return;
    }
    if (!uc_z_has(z, "classifier.weight")) {
        uc_z_source(z, "transformers", "features");
        uc_z_output(z, "last_hidden_state", x);
        return;
    }
    uc_zv y = first_token(z, x);
    if (dino) {
        const uc_zv parts[] = {y, patch_mean(z, x, front)};
        y = uc_z_cat(z, parts, 2);
    }
    uc_z_output(z, "logits", uc_z_linear(z, "classifier", y, 0, true));
}

void uc_zoo_vit_hf(uc_zoo *z)
{
    if (uc_z_has(z, "encoder.layer.0.norm1.weight") || uc_z_has(z, "layers.0.norm1.weight")) {
        hf(z, "", true);
        return;
    }
    hf(z,
       uc_z_has(z, "vit.embeddings.cls_token")    ? "vit."
       : uc_z_has(z, "deit.embeddings.cls_token") ? "deit."
                                                  : "",
       false);
}

void uc_zoo_dinov2_hf(uc_zoo *z)
{
    hf(z,
       uc_z_has(z, "dinov2.embeddings.cls_token")                  ? "dinov2."
       : uc_z_has(z, "dinov2_with_registers.embeddings.cls_token") ? "dinov2_with_registers."
                                                                   : "",
       true);
}
