/* CLIP's picture tower (its vision transformers), with the keys of OpenAI, open_clip and transformers: what
 * it gives is the picture's embedding. The text tower needs the words as numbers, and stays unread.
 * Source: openai/CLIP clip/model.py; mlfoundations/open_clip src/open_clip/transformer.py;
 * transformers/models/clip/modeling_clip.py. */
#include "import/pytorch/zoo/zoo_attention.h"

#define EPS 1e-5

typedef struct tower {
    const char *cls, *pos, *patch, *norm_pre, *norm_post;
    const char *block; /* up to its number */
    const char *norm1, *norm2, *out, *fc1, *fc2;
    const char *fused; /* in front of weight and bias of three matrices, or NULL */
    const char *query, *key, *value;
    const char *act;
    double eps;
} tower;

static const tower openai = {.cls = "visual.class_embedding",
                             .pos = "visual.positional_embedding",
                             .patch = "visual.conv1",
                             .norm_pre = "visual.ln_pre",
                             .norm_post = "visual.ln_post",
                             .block = "visual.transformer.resblocks.",
                             .norm1 = "ln_1",
                             .norm2 = "ln_2",
                             .out = "attn.out_proj",
                             .fc1 = "mlp.c_fc",
                             .fc2 = "mlp.c_proj",
                             .fused = "attn.in_proj_",
                             .eps = EPS};

static const tower transformers = {.cls = "vision_model.embeddings.class_embedding",
                                   .pos = "vision_model.embeddings.position_embedding.weight",
                                   .patch = "vision_model.embeddings.patch_embedding",
                                   .norm_pre = "vision_model.pre_layrnorm",
                                   .norm_post = "vision_model.post_layernorm",
                                   .block = "vision_model.encoder.layers.",
                                   .norm1 = "layer_norm1",
                                   .norm2 = "layer_norm2",
                                   .out = "self_attn.out_proj",
                                   .fc1 = "mlp.fc1",
                                   .fc2 = "mlp.fc2",
                                   .query = "self_attn.q_proj",
                                   .key = "self_attn.k_proj",
                                   .value = "self_attn.v_proj",
                                   .eps = EPS};

static uc_zv attend(uc_zoo *z, const tower *t, int64_t heads, uc_zv x)
{
    uc_zv parts[3];
    if (t->fused) {
        const uc_ref weight = UC_Z_P(z, uc_z_key(z, "%sweight", t->fused), 3 * x.c, x.c);
        const uc_ref bias = UC_Z_P(z, uc_z_key(z, "%sbias", t->fused), 3 * x.c);
        uc_z_thirds(z, (uc_zv){uc_t_linear(z->build, x.ref, weight, bias), 3 * x.c}, parts);
    } else {
        parts[0] = uc_z_linear(z, t->query, x, x.c, true);
        parts[1] = uc_z_linear(z, t->key, x, x.c, true);
        parts[2] = uc_z_linear(z, t->value, x, x.c, true);
    }
    return uc_z_linear(z, t->out, uc_z_attend(z, parts[0], parts[1], parts[2], heads, 0), x.c,
                       true);
}

/* 64 channels each, but for the largest: open_clip's ViT-H, -g and -bigG have 16. */
static int64_t heads_of(int64_t c)
{
    if (c == 1280 || c == 1408 || c == 1664) return 16;
    return c % 64 == 0 ? c / 64 : 1;
}

static int64_t side_of(int64_t cells)
{
    int64_t side = 0;
    while ((side + 1) * (side + 1) <= cells && side < 1024) {
        side++;
    }
    return side * side == cells ? side : 0;
}

/* [N, 1 + cells, c] behind the last block. */
static uc_zv body(uc_zoo *z, const tower *t, int64_t heads)
{
    uc_t_build *b = z->build;
    const char *weight = uc_z_key(z, "%s.weight", t->patch);
    const int64_t patch = uc_z_dim(z, weight, 2), length = uc_z_dim(z, t->pos, 0);
    const int64_t side = side_of(length - 1), c = uc_z_dim(z, weight, 0);
    const int64_t token[] = {1, 1, c};
    if (!side) uc_z_unlike(z, "%s of a square", t->pos);
    const uc_z_window w = {.kernel = patch, .stride = patch, .valid = true, .maybe_bias = true};
    uc_zv x = uc_z_picture(z, uc_z_dim(z, weight, 1), side * patch, side * patch);
    x = uc_z_tokens(z, uc_z_conv(z, t->patch, x, w));
    const uc_ref cls = uc_t_reshape(b, UC_Z_P(z, t->cls, c), token, 3);
    const uc_ref parts[] = {uc_z_token_of_each(z, cls, x.ref), x.ref};
    x.ref = uc_t_add(b, uc_t_cat(b, parts, 2, 1), UC_Z_P(z, t->pos, length, c));
    x = uc_z_layer_norm(z, t->norm_pre, x, t->eps);
    const int depth = uc_z_count(z, uc_z_key(z, "%s%%d.%s.weight", t->block, t->norm1));
    if (!depth) uc_z_unlike(z, "%s0", t->block);
    for (int i = 0; i < depth; i++) {
        const size_t mark = uc_z_enter(z, "%s%d", t->block, i);
        const uc_zv y = attend(z, t, heads, uc_z_layer_norm(z, t->norm1, x, t->eps));
        x = uc_z_add(z, x, y);
        x = uc_z_add(z, x,
                     uc_z_mlp(z, t->fc1, t->fc2, t->act, uc_z_layer_norm(z, t->norm2, x, t->eps)));
        uc_z_leave(z, mark);
    }
    return x;
}

static uc_zv first_token(uc_zoo *z, uc_zv x)
{
    return (uc_zv){uc_t_select(z->build, x.ref, 1, 0), x.c};
}

static void leave_text(uc_zoo *z, const char *const *starts, size_t count, const char *sign)
{
    if (uc_z_has_under(z, sign)) {
        uc_z_assume(z, "the picture's embedding is what it gives: the text tower isn't used");
    }
    for (size_t i = 0; i < count; i++) {
        uc_z_skip_under(z, starts[i]);
    }
}

/* OpenAI's own weights have the quick GELU, most of open_clip's the exact one; no key tells. */
static const char *activation(uc_zoo *z)
{
    const char *name = uc_z_said(z, "clip openai open_clip laion datacomp dfn quickgelu vit_");
    if (uc_z_has(z, "input_resolution")) return "quick_gelu"; /* OpenAI's own */
    if (name && (strstr(name, "quick") || strstr(name, "openai"))) return "quick_gelu";
    if (name && (strstr(name, "gelu") || strstr(name, "open_clip") || strstr(name, "laion") ||
                 strstr(name, "datacomp"))) {
        return "gelu";
    }
    uc_z_ask(z, "CLIP's activation isn't in the file: --arch clip_quickgelu (OpenAI's weights) or "
                "--arch clip_gelu (most of open_clip's)");
    return "gelu";
}

void uc_zoo_clip(uc_zoo *z)
{
    static const char *const text[] = {
        "transformer.",    "token_embedding.", "positional_embedding", "ln_final.",
        "text_projection", "logit_scale",      "input_resolution",     "context_length",
        "vocab_size",      "attn_mask",        "logit_bias",           "text."};
    tower t = openai;
    const int64_t c = uc_z_dim(z, "visual.conv1.weight", 0);
    uc_z_source(z, "clip", "features");
    t.act = activation(z);
    uc_z_arch(z, "clip_%s", t.act[0] == 'q' ? "quickgelu" : "gelu");
    uc_z_preset(z, "hf:CLIPImageProcessor");
    uc_zv x = body(z, &t, heads_of(c));
    x = uc_z_layer_norm(z, t.norm_post, first_token(z, x), t.eps);
    if (uc_z_has(z, "visual.proj")) {
        const int64_t out = uc_z_dim(z, "visual.proj", 1);
        const uc_ref y = uc_t_matmul(z->build, x.ref, UC_Z_P(z, "visual.proj", c, out));
        x = (uc_zv){y, out};
    }
    leave_text(z, text, sizeof text / sizeof *text, "token_embedding.");
    uc_z_output(z, "image_embeds", x);
}

void uc_zoo_clip_hf(uc_zoo *z)
{
    static const char *const text[] = {"text_model.", "text_projection.", "logit_scale",
                                       "vision_model.embeddings.position_ids"};
    static const int64_t axis[] = {1};
    tower t = transformers;
    const int64_t c = uc_z_dim(z, "vision_model.embeddings.class_embedding", 0);
    const uc_json *config = z->config, *own = uc_json_get(config, "vision_config");
    if (own) z->config = own;
    t.act = uc_z_act_setting(z, "hidden_act", "quick_gelu");
    t.eps = uc_json_f64(uc_json_get(z->config, "layer_norm_eps"), EPS);
    const int64_t heads = uc_z_setting(z, "num_attention_heads", heads_of(c));
    z->config = config;
    uc_z_source(z, "transformers", "features");
    uc_z_arch(z, "clip");
    uc_z_preset(z, "hf:CLIPImageProcessor");
    if (!config) {
        uc_z_assume(z, "its activation is OpenAI's quick GELU, its heads have 64 channels each "
                       "(config.json isn't beside it)");
    }
    uc_zv x = body(z, &t, heads);
    const uc_zv cls = uc_z_layer_norm(z, t.norm_post, first_token(z, x), t.eps);
    leave_text(z, text, sizeof text / sizeof *text, "text_model.");
    if (uc_z_has(z, "classifier.weight")) {
        uc_z_source(z, "transformers", "classification");
        x.ref = uc_t_slice(z->build, x.ref, 1, 1, INT64_MAX, 1);
        x.ref = uc_t_mean(z->build, x.ref, axis, 1, false);
        uc_z_output(z, "logits", uc_z_linear(z, "classifier", x, 0, true));
    } else if (uc_z_has(z, "visual_projection.weight")) {
        uc_z_output(z, "image_embeds", uc_z_linear(z, "visual_projection", cls, 0, false));
    } else {
        uc_z_output(z, "pooler_output", cls);
    }
}
