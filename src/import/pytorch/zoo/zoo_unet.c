/* U-Nets in two well-known spellings. Source: milesial/Pytorch-UNet unet/{unet_model,unet_parts}.py;
 * mateuszbuda/brain-segmentation-pytorch unet.py. */
#include "import/pytorch/zoo/zoo_attention.h"

#define EPS 1e-5

/* ---- milesial --------------------------------------------------------------------------------- */

static uc_zv double_conv(uc_zoo *z, const char *name, uc_zv x)
{
    const size_t mark = uc_z_enter(z, "%s.double_conv", name);
    for (int at = 0; at <= 3; at += 3) {
        const uc_z_window w = {.kernel = 3, .maybe_bias = true};
        x = uc_z_conv(z, uc_z_key(z, "%d", at), x, w);
        x = uc_z_act(z, "relu", uc_z_batch_norm(z, uc_z_key(z, "%d", at + 1), x, EPS));
    }
    uc_z_leave(z, mark);
    return x;
}

static uc_ref sub(uc_zoo *z, uc_ref a, uc_ref b) { return uc_g2(z->build->graph, "Sub", a, b); }

/* Zeros around x, half of the difference in front, until it is as large as `like`. */
static uc_zv grown(uc_zoo *z, uc_zv x, uc_zv like)
{
    static const int64_t axes[] = {2, 3};
    uc_graph *g = z->build->graph;
    uc_ref pads[4];
    for (int i = 0; i < 2; i++) {
        const uc_ref more =
            sub(z, uc_t_size(z->build, like.ref, 2 + i), uc_t_size(z->build, x.ref, 2 + i));
        const uc_ref before = uc_g2(g, "Div", more, uc_z_i64(z, 2));
        pads[i] = uc_t_unsqueeze(z->build, before, 0);
        pads[2 + i] = uc_t_unsqueeze(z->build, sub(z, more, before), 0);
    }
    const uc_ref in[] = {x.ref, uc_g_concat(g, pads, 4, 0), 0, uc_graph_i64s(g, axes, 2)};
    return (uc_zv){uc_node_out(uc_graph_node(g, "Pad", in, 4, 1), 0), x.c};
}

static uc_zv up(uc_zoo *z, int i, uc_zv x, uc_zv skip)
{
    static const double twice[] = {2, 2};
    const char *name = uc_z_key(z, "up%d.up", i);
    if (uc_z_has(z, uc_z_key(z, "%s.weight", name))) {
        x = uc_z_conv_transpose(z, name, x, 0, 2, 0);
    } else {
        x.ref = uc_t_interpolate(z->build, x.ref, 2, NULL, twice, "linear", true, false);
    }
    const uc_zv parts[] = {skip, grown(z, x, skip)};
    return double_conv(z, uc_z_key(z, "up%d.conv", i), uc_z_cat(z, parts, 2));
}

void uc_zoo_unet(uc_zoo *z)
{
    uc_zv level[5];
    uc_z_source(z, "milesial/Pytorch-UNet", "segmentation");
    uc_z_arch(z, "unet");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "inc.double_conv.0.weight", 1), 0, 0);
    uc_z_skip(z, "mask_values");
    level[0] = double_conv(z, "inc", x);
    for (int i = 1; i < 5; i++) {
        const uc_zv half = uc_z_max_pool(z, level[i - 1], 2, 2, 0, false);
        level[i] = double_conv(z, uc_z_key(z, "down%d.maxpool_conv.1", i), half);
    }
    x = level[4];
    for (int i = 1; i < 5; i++) {
        x = up(z, i, x, level[4 - i]);
    }
    const uc_z_window one = {.kernel = 1, .bias = true};
    uc_z_output(z, "output", uc_z_conv(z, "outc.conv", x, one));
}

/* ---- mateuszbuda ------------------------------------------------------------------------------ */

static uc_zv brain_block(uc_zoo *z, const char *name, const char *part, uc_zv x)
{
    const size_t mark = uc_z_enter(z, "%s", name);
    for (int i = 1; i <= 2; i++) {
        x = uc_z_conv(z, uc_z_key(z, "%sconv%d", part, i), x, (uc_z_window){.kernel = 3});
        x = uc_z_batch_norm(z, uc_z_key(z, "%snorm%d", part, i), x, EPS);
        x = uc_z_act(z, "relu", x);
    }
    uc_z_leave(z, mark);
    return x;
}

void uc_zoo_unet_brain(uc_zoo *z)
{
    uc_zv level[5];
    uc_z_source(z, "mateuszbuda/brain-segmentation-pytorch", "segmentation");
    uc_z_arch(z, "unet");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "encoder1.enc1conv1.weight", 1), 0, 0);
    for (int i = 1; i <= 4; i++) {
        level[i] = brain_block(z, uc_z_key(z, "encoder%d", i), uc_z_key(z, "enc%d", i), x);
        x = uc_z_max_pool(z, level[i], 2, 2, 0, false);
    }
    x = brain_block(z, "bottleneck", "bottleneck", x);
    for (int i = 4; i >= 1; i--) {
        const uc_zv parts[] = {uc_z_conv_transpose(z, uc_z_key(z, "upconv%d", i), x, 0, 2, 0),
                               level[i]};
        x = brain_block(z, uc_z_key(z, "decoder%d", i), uc_z_key(z, "dec%d", i),
                        uc_z_cat(z, parts, 2));
    }
    x = uc_z_conv(z, "conv", x, (uc_z_window){.kernel = 1, .bias = true});
    uc_z_output(z, "output", uc_z_act(z, "sigmoid", x));
}
