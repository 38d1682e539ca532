/* SegFormer with transformers' keys, its own checkpoints' (nvidia) being the same: a picture's classes at a
 * quarter of its size, or the classifier that the encoder was trained with.
 * Source: transformers/models/segformer/modeling_segformer.py. */
#include "import/pytorch/zoo/zoo_attention.h"

#define EPS    1e-5
#define STAGES 4

/* Keys of before version 5, which files have, and those of its modules. */
typedef struct names {
    const char *block, *embed, *norm; /* with the stage, a %d */
    const char *norm1, *norm2, *query, *key, *value, *out, *fewer, *fewer_norm, *fc1, *fc2;
    const char *linear;
} names;

static const names files = {.block = "encoder.block.%d.",
                            .embed = "encoder.patch_embeddings.%d",
                            .norm = "encoder.layer_norm.%d",
                            .norm1 = "layer_norm_1",
                            .norm2 = "layer_norm_2",
                            .query = "attention.self.query",
                            .key = "attention.self.key",
                            .value = "attention.self.value",
                            .out = "attention.output.dense",
                            .fewer = "attention.self.sr",
                            .fewer_norm = "attention.self.layer_norm",
                            .fc1 = "mlp.dense1",
                            .fc2 = "mlp.dense2",
                            .linear = "linear_c.%d.proj"};

static const names modules = {.block = "stages.%d.blocks.",
                              .embed = "stages.%d.patch_embeddings",
                              .norm = "stages.%d.layer_norm",
                              .norm1 = "layernorm_before",
                              .norm2 = "layernorm_after",
                              .query = "attention.q_proj",
                              .key = "attention.k_proj",
                              .value = "attention.v_proj",
                              .out = "attention.o_proj",
                              .fewer = "attention.sequence_reduction.sequence_reduction",
                              .fewer_norm = "attention.sequence_reduction.layer_norm",
                              .fc1 = "mlp.fc1",
                              .fc2 = "mlp.fc2",
                              .linear = "linear_projections.%d.proj"};

/* Keys and values from fewer cells: a strided convolution and a norm. */
static uc_zv reduced(uc_zoo *z, const names *n, uc_zv tokens, uc_zv picture)
{
    const int64_t ratio = uc_z_dim(z, uc_z_key(z, "%s.weight", n->fewer), 2);
    if (!ratio) return tokens;
    const uc_z_window w = {
        .out = tokens.c, .kernel = ratio, .stride = ratio, .valid = true, .bias = true};
    uc_zv x = uc_z_conv(z, n->fewer, uc_z_untokens(z, tokens, picture.ref), w);
    return uc_z_layer_norm(z, n->fewer_norm, uc_z_tokens(z, x), EPS);
}

static uc_zv layer(uc_zoo *z, const names *n, uc_zv x, uc_zv picture, int64_t heads,
                   const char *act)
{
    const int64_t c = x.c;
    const uc_zv y = uc_z_layer_norm(z, n->norm1, x, EPS), few = reduced(z, n, y, picture);
    uc_zv a =
        uc_z_attend(z, uc_z_linear(z, n->query, y, c, true), uc_z_linear(z, n->key, few, c, true),
                    uc_z_linear(z, n->value, few, c, true), heads, 0);
    x = uc_z_add(z, x, uc_z_linear(z, n->out, a, c, true));
    uc_zv m = uc_z_linear(z, n->fc1, uc_z_layer_norm(z, n->norm2, x, EPS), 0, true);
    const uc_z_window w = {.out = m.c, .kernel = 3, .groups = UC_Z_DEPTHWISE, .bias = true};
    m = uc_z_conv(z, "mlp.dwconv.dwconv", uc_z_untokens(z, m, picture.ref), w);
    m = uc_z_act(z, act, uc_z_tokens(z, m));
    return uc_z_add(z, x, uc_z_linear(z, n->fc2, m, c, true));
}

/* One head in the first stage, of the same size in all: 32 channels in B0, 64 in the rest. */
static int64_t heads_at(uc_zoo *z, int stage, int64_t c, int64_t size)
{
    size_t count = 0;
    const int64_t *said =
        uc_json_i64s(uc_json_get(z->config, "num_attention_heads"), z->arena, &count);
    if (said && (size_t)stage < count && said[stage] > 0) return said[stage];
    return size > 0 && c % size == 0 ? c / size : 1;
}

/* Pictures behind each stage. */
static uc_zv encoder(uc_zoo *z, const names *n, uc_zv x, uc_zv out[STAGES])
{
    const char *act = uc_z_act_setting(z, "hidden_act", "gelu");
    int64_t size = 0;
    for (int i = 0; i < STAGES; i++) {
        const char *embed = uc_z_numbered(z, n->embed, i);
        const char *start = uc_z_numbered(z, n->block, i);
        const uc_z_window w = {.stride = i ? 2 : 4, .bias = true};
        uc_zv picture = uc_z_conv(z, uc_z_key(z, "%s.proj", embed), x, w);
        uc_zv t =
            uc_z_layer_norm(z, uc_z_key(z, "%s.layer_norm", embed), uc_z_tokens(z, picture), EPS);
        if (i == 0) size = t.c;
        const int depth = uc_z_count(z, uc_z_key(z, "%s%%d.%s.weight", start, n->norm1));
        for (int j = 0; j < depth; j++) {
            const size_t mark = uc_z_enter(z, "%s%d", start, j);
            t = layer(z, n, t, picture, heads_at(z, i, t.c, size), act);
            uc_z_leave(z, mark);
        }
        t = uc_z_layer_norm(z, uc_z_numbered(z, n->norm, i), t, EPS);
        x = out[i] = uc_z_untokens(z, t, picture.ref);
    }
    return x;
}

/* Every stage at one width and the first one's size, the last first. */
static uc_zv decode(uc_zoo *z, const names *n, const uc_zv stages[STAGES])
{
    uc_zv parts[STAGES];
    for (int i = 0; i < STAGES; i++) {
        uc_zv y =
            uc_z_linear(z, uc_z_numbered(z, n->linear, i), uc_z_tokens(z, stages[i]), 0, true);
        y = uc_z_untokens(z, y, stages[i].ref);
        y.ref = uc_t_interpolate_like(z->build, y.ref, 2, stages[0].ref, "linear", false);
        parts[STAGES - 1 - i] = y;
    }
    uc_zv x = uc_z_conv(z, "linear_fuse", uc_z_cat(z, parts, STAGES), (uc_z_window){.kernel = 1});
    x = uc_z_act(z, "relu", uc_z_batch_norm(z, "batch_norm", x, EPS));
    return uc_z_conv(z, "classifier", x, (uc_z_window){.kernel = 1, .bias = true});
}

void uc_zoo_segformer(uc_zoo *z)
{
    static const int64_t cells[] = {2, 3};
    const bool segments = uc_z_has(z, "decode_head.linear_fuse.weight");
    const bool old = uc_z_has(z, "segformer.encoder.patch_embeddings.0.proj.weight");
    const names *n = old ? &files : &modules;
    uc_zv stages[STAGES];
    uc_z_source(z, "transformers", segments ? "segmentation" : "classification");
    uc_z_arch(z, "segformer");
    uc_z_preset(z, "hf:SegformerImageProcessor");
    if (!z->config) {
        uc_z_assume(z, "heads have as many channels each as the first stage has, as in all of "
                       "SegFormer's sizes (config.json isn't beside it)");
    }
    size_t mark = uc_z_enter(z, "segformer");
    uc_zv x = uc_z_picture(
        z, uc_z_dim(z, uc_z_key(z, "%s.proj.weight", uc_z_numbered(z, n->embed, 0)), 1), 0, 0);
    x = encoder(z, n, x, stages);
    uc_z_leave(z, mark);
    if (segments) {
        mark = uc_z_enter(z, "decode_head");
        uc_z_output(z, "logits", decode(z, n, stages));
        uc_z_leave(z, mark);
        return;
    }
    x.ref = uc_t_mean(z->build, x.ref, cells, 2, false);
    uc_z_output(z, "logits", uc_z_linear(z, "classifier", x, 0, true));
}
