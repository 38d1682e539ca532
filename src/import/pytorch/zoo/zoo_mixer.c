/* MLP-Mixer and ResMLP: patches mixed by dense layers across them, with timm's keys.
 * Source: timm/models/mlp_mixer.py. */
#include "import/pytorch/zoo/zoo_attention.h"

#define EPS 1e-6

static uc_zv across(uc_zoo *z, uc_zv x, int64_t c)
{
    static const int64_t turn[] = {0, 2, 1};
    return (uc_zv){uc_t_permute(z->build, x.ref, turn, 3), c};
}

static uc_zv mixer_block(uc_zoo *z, uc_zv x, int64_t cells)
{
    const int64_t c = x.c;
    uc_zv y = across(z, uc_z_layer_norm(z, "norm1", x, EPS), cells);
    y = across(z, uc_z_mlp(z, "mlp_tokens.fc1", "mlp_tokens.fc2", "gelu", y), c);
    x = uc_z_add(z, x, y);
    y = uc_z_mlp(z, "mlp_channels.fc1", "mlp_channels.fc2", "gelu",
                 uc_z_layer_norm(z, "norm2", x, EPS));
    return uc_z_add(z, x, y);
}

/* x times a vector and another vector. */
static uc_zv affine(uc_zoo *z, const char *name, uc_zv x)
{
    const uc_ref scale = UC_Z_P(z, uc_z_key(z, "%s.alpha", name), 1, 1, x.c);
    const uc_ref shift = UC_Z_P(z, uc_z_key(z, "%s.beta", name), 1, 1, x.c);
    return (uc_zv){uc_t_add(z->build, shift, uc_t_mul(z->build, scale, x.ref)), x.c};
}

static uc_zv scaled(uc_zoo *z, const char *key, uc_zv x)
{
    return (uc_zv){uc_t_mul(z->build, UC_Z_P(z, key, x.c), x.ref), x.c};
}

static uc_zv resmlp_block(uc_zoo *z, uc_zv x, int64_t cells)
{
    const int64_t c = x.c;
    uc_zv y = across(z, affine(z, "norm1", x), cells);
    y = across(z, uc_z_linear(z, "linear_tokens", y, cells, true), c);
    x = uc_z_add(z, x, scaled(z, "ls1", y));
    y = uc_z_mlp(z, "mlp_channels.fc1", "mlp_channels.fc2", "gelu", affine(z, "norm2", x));
    return uc_z_add(z, x, scaled(z, "ls2", y));
}

void uc_zoo_mixer(uc_zoo *z)
{
    static const int64_t axis[] = {1};
    const bool resmlp = uc_z_has(z, "blocks.0.linear_tokens.weight");
    const char *weight =
        resmlp ? "blocks.0.linear_tokens.weight" : "blocks.0.mlp_tokens.fc1.weight";
    const int64_t cells = uc_z_dim(z, weight, 1), patch = uc_z_dim(z, "stem.proj.weight", 2);
    int64_t side = 0;
    while (side * side < cells && side < 4096) {
        side++;
    }
    if (!side || side * side != cells) uc_z_unlike(z, "%s of a square", weight);
    uc_z_source(z, "timm", "classification");
    (void)uc_z_say(z, "mixer_ resmlp_", resmlp ? "resmlp" : "mixer");
    const uc_z_window w = {.kernel = patch, .stride = patch, .valid = true, .bias = true};
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "stem.proj.weight", 1), side * patch, side * patch);
    x = uc_z_tokens(z, uc_z_conv(z, "stem.proj", x, w));
    const int depth = uc_z_count(z, "blocks.%d.mlp_channels.fc1.weight");
    for (int i = 0; i < depth; i++) {
        const size_t mark = uc_z_enter(z, "blocks.%d", i);
        x = resmlp ? resmlp_block(z, x, cells) : mixer_block(z, x, cells);
        uc_z_leave(z, mark);
    }
    x = resmlp ? affine(z, "norm", x) : uc_z_layer_norm(z, "norm", x, EPS);
    x.ref = uc_t_mean(z->build, x.ref, axis, 1, false);
    uc_z_output(z, "output", uc_z_linear(z, "head", x, 0, true));
}
