/* ResNet and RegNet with transformers' keys.
 * Source: transformers/models/{resnet,regnet}/modeling_*.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-5

typedef struct net {
    const char *own; /* "resnet." */
    const char *act;
    bool early; /* the stride is the first convolution's */
    bool first; /* the first stage is strided too */
    bool regnet;
} net;

static uc_zv conv_norm(uc_zoo *z, const net *n, const char *name, uc_zv x, uc_z_window w, bool act)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.convolution", name), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.normalization", name), x, EPS);
    return act ? uc_z_act(z, n->act, x) : x;
}

static uc_zv shortcut(uc_zoo *z, const net *n, uc_zv x, int64_t stride)
{
    const uc_z_window w = {.kernel = 1, .stride = stride};
    if (uc_z_has(z, "shortcut.convolution.weight")) return conv_norm(z, n, "shortcut", x, w, false);
    if (stride > 1) uc_z_unlike(z, "shortcut.convolution.weight");
    return x;
}

static uc_zv resnet_layer(uc_zoo *z, const net *n, uc_zv x, int64_t stride)
{
    const bool bottleneck = uc_z_has(z, "layer.2.convolution.weight");
    const bool early = !bottleneck || n->early;
    uc_zv y = conv_norm(z, n, "layer.0", x, (uc_z_window){.stride = early ? stride : 1}, true);
    y = conv_norm(z, n, "layer.1", y, (uc_z_window){.stride = early ? 1 : stride}, bottleneck);
    if (bottleneck) y = conv_norm(z, n, "layer.2", y, (uc_z_window){0}, false);
    return uc_z_act(z, n->act, uc_z_add(z, y, shortcut(z, n, x, stride)));
}

static uc_zv regnet_layer(uc_zoo *z, const net *n, uc_zv x, int64_t stride)
{
    const uc_z_window one = {.kernel = 1}, dense = {.kernel = 1, .bias = true};
    const bool excited = uc_z_has(z, "layer.2.attention.0.weight");
    uc_zv y = conv_norm(z, n, "layer.0", x, one, true);
    const uc_z_window w = {.out = y.c, .kernel = 3, .stride = stride, .groups = UC_Z_GROUPED};
    y = conv_norm(z, n, "layer.1", y, w, true);
    if (excited) {
        uc_zv s = uc_z_conv(z, "layer.2.attention.0", uc_z_global_avg_pool(z, y, true), dense);
        s = uc_z_conv(z, "layer.2.attention.2", uc_z_act(z, "relu", s), dense);
        y = uc_z_mul(z, y, uc_z_act(z, "sigmoid", s));
    }
    y = conv_norm(z, n, excited ? "layer.3" : "layer.2", y, one, false);
    return uc_z_act(z, n->act, uc_z_add(z, y, shortcut(z, n, x, stride)));
}

/* Stages of layers; counts the convolutions of ResNet's. */
static uc_zv stages(uc_zoo *z, const net *n, uc_zv x, int *convs)
{
    for (int i = 0;; i++) {
        const char *stage = uc_z_key(z, "%sencoder.stages.%d.layers.", n->own, i);
        const int depth = uc_z_count(z, uc_z_key(z, "%s%%d.layer.0.convolution.weight", stage));
        if (!depth) return x;
        for (int j = 0; j < depth; j++) {
            const size_t mark = uc_z_enter(z, "%s%d", stage, j);
            const int64_t stride = j == 0 && (i > 0 || n->first) ? 2 : 1;
            *convs += uc_z_has(z, "layer.2.convolution.weight") ? 3 : 2;
            x = n->regnet ? regnet_layer(z, n, x, stride) : resnet_layer(z, n, x, stride);
            uc_z_leave(z, mark);
        }
    }
}

static void classify(uc_zoo *z, uc_zv x)
{
    x = uc_z_global_avg_pool(z, x, false);
    if (!uc_z_has(z, "classifier.1.weight")) {
        uc_z_source(z, "transformers", "features");
        uc_z_output(z, "pooler_output", x);
        return;
    }
    uc_z_output(z, "logits", uc_z_linear(z, "classifier.1", x, 0, true));
}

void uc_zoo_resnet_hf(uc_zoo *z)
{
    const net n = {.own = uc_z_has_under(z, "resnet.") ? "resnet." : "",
                   .act = uc_z_act_setting(z, "hidden_act", "relu"),
                   .early = uc_z_flag(z, "downsample_in_bottleneck", false),
                   .first = uc_z_flag(z, "downsample_in_first_stage", false)};
    const char *stem = uc_z_key(z, "%sembedder.embedder", n.own);
    int convs = 2;
    if (!z->config) {
        uc_z_assume(z, "strides are those of the blocks' second convolutions, the first stage's 1 "
                       "(config.json isn't beside it)");
    }
    uc_z_source(z, "transformers", "classification");
    uc_z_preset(z, "hf:ConvNextImageProcessor");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, uc_z_key(z, "%s.convolution.weight", stem), 1), 0, 0);
    x = conv_norm(z, &n, stem, x, (uc_z_window){.kernel = 7, .stride = 2}, true);
    x = stages(z, &n, uc_z_max_pool(z, x, 3, 2, 1, false), &convs);
    uc_z_arch(z, "resnet-%d", convs);
    classify(z, x);
}

void uc_zoo_regnet_hf(uc_zoo *z)
{
    const net n = {.own = "regnet.",
                   .act = uc_z_act_setting(z, "hidden_act", "relu"),
                   .first = uc_z_flag(z, "downsample_in_first_stage", true),
                   .regnet = true};
    int convs = 0;
    uc_z_source(z, "transformers", "classification");
    uc_z_arch(z, "regnet");
    uc_z_preset(z, "hf:ConvNextImageProcessor");
    const char *weight = "regnet.embedder.embedder.convolution.weight";
    uc_zv x = uc_z_picture(z, uc_z_dim(z, weight, 1), 0, 0);
    x = conv_norm(z, &n, "regnet.embedder.embedder", x, (uc_z_window){.kernel = 3, .stride = 2},
                  true);
    classify(z, stages(z, &n, x, &convs));
}
