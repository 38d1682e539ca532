/* PoolFormer with the keys of timm and transformers: blocks that mix by a pool.
 * Source: timm/models/metaformer.py; transformers/models/poolformer/modeling_poolformer.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS      1e-5
#define LAST_EPS 1e-6 /* of timm's head */

typedef struct names {
    const char *embed, *block; /* of a stage, a %d */
    const char *stem;          /* the first stage's embedding */
    const char *norm1, *norm2, *fc1, *fc2, *scale1, *scale2, *last, *head, *output;
} names;

static const names timm = {.embed = "stages.%d.downsample.conv",
                           .block = "stages.%d.blocks.",
                           .stem = "stem.conv",
                           .norm1 = "norm1",
                           .norm2 = "norm2",
                           .fc1 = "mlp.fc1",
                           .fc2 = "mlp.fc2",
                           .scale1 = "layer_scale1.scale",
                           .scale2 = "layer_scale2.scale",
                           .last = "head.norm",
                           .head = "head.fc",
                           .output = "output"};

static const names transformers = {.embed = "poolformer.encoder.patch_embeddings.%d.projection",
                                   .block = "poolformer.encoder.block.%d.",
                                   .stem = "poolformer.encoder.patch_embeddings.0.projection",
                                   .norm1 = "before_norm",
                                   .norm2 = "after_norm",
                                   .fc1 = "output.conv1",
                                   .fc2 = "output.conv2",
                                   .scale1 = "layer_scale_1",
                                   .scale2 = "layer_scale_2",
                                   .last = "norm",
                                   .head = "classifier",
                                   .output = "logits"};

static uc_zv group_norm(uc_zoo *z, const char *name, uc_zv x)
{
    const uc_ref weight = UC_Z_P(z, uc_z_key(z, "%s.weight", name), x.c);
    const uc_ref bias = UC_Z_P(z, uc_z_key(z, "%s.bias", name), x.c);
    return (uc_zv){uc_t_group_norm(z->build, x.ref, 1, weight, bias, EPS), x.c};
}

static uc_zv scaled(uc_zoo *z, const char *key, uc_zv x)
{
    const int64_t shape[] = {x.c, 1, 1};
    if (!uc_z_has(z, key)) return x;
    const uc_ref scale = uc_t_reshape(z->build, UC_Z_P(z, key, x.c), shape, 3);
    return (uc_zv){uc_t_mul(z->build, x.ref, scale), x.c};
}

/* What the neighbours have more than the pixel. */
static uc_zv mixed(uc_zoo *z, uc_zv x)
{
    const uc_zv mean = uc_z_avg_pool(z, x, 3, 1, 1, false, false);
    return (uc_zv){uc_t_sub(z->build, mean.ref, x.ref), x.c};
}

static uc_zv block(uc_zoo *z, const names *n, uc_zv x)
{
    const uc_z_window one = {.kernel = 1, .bias = true};
    x = uc_z_add(z, x, scaled(z, n->scale1, mixed(z, group_norm(z, n->norm1, x))));
    uc_zv y = uc_z_act(z, "gelu", uc_z_conv(z, n->fc1, group_norm(z, n->norm2, x), one));
    return uc_z_add(z, x, scaled(z, n->scale2, uc_z_conv(z, n->fc2, y, one)));
}

static void describe(uc_zoo *z, const names *n)
{
    static const int64_t cells[] = {2, 3};
    const char *weight = uc_z_key(z, "%s.weight", n->stem);
    uc_zv x = uc_z_picture(z, uc_z_dim(z, weight, 1), 0, 0);
    for (int i = 0; i < 4; i++) {
        const char *start = uc_z_numbered(z, n->block, i);
        const uc_z_window w = {
            .kernel = i ? 3 : 7, .stride = i ? 2 : 4, .pad = i ? 1 : 2, .bias = true};
        x = uc_z_conv(z, i ? uc_z_numbered(z, n->embed, i) : n->stem, x, w);
        const int depth = uc_z_count(z, uc_z_key(z, "%s%%d.%s.weight", start, n->fc1));
        for (int j = 0; j < depth; j++) {
            const size_t mark = uc_z_enter(z, "%s%d", start, j);
            x = block(z, n, x);
            uc_z_leave(z, mark);
        }
    }
    if (n == &timm) { /* the mean, then a norm over channels */
        x.ref = uc_t_mean(z->build, x.ref, cells, 2, false);
        x = uc_z_layer_norm(z, n->last, x, LAST_EPS);
    } else { /* a norm over all, then the mean */
        x = group_norm(z, n->last, x);
        x.ref = uc_t_mean(z->build, x.ref, cells, 2, false);
    }
    uc_z_output(z, n->output, uc_z_linear(z, n->head, x, 0, true));
}

void uc_zoo_poolformer(uc_zoo *z)
{
    uc_z_source(z, "timm", "classification");
    (void)uc_z_say(z, "poolformer", "poolformer");
    describe(z, &timm);
}

void uc_zoo_poolformer_hf(uc_zoo *z)
{
    uc_z_source(z, "transformers", "classification");
    uc_z_arch(z, "poolformer");
    uc_z_preset(z, "hf:PoolFormerImageProcessor");
    describe(z, &transformers);
}
