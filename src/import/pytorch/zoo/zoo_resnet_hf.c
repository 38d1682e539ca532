/* ResNet with transformers' keys. Source: transformers/models/resnet/modeling_resnet.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-5

static uc_zv conv_norm(uc_zoo *z, const char *name, uc_zv x, uc_z_window w, bool relu)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.convolution", name), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.normalization", name), x, EPS);
    return relu ? uc_z_act(z, "relu", x) : x;
}

static uc_zv layer(uc_zoo *z, uc_zv x, int64_t stride)
{
    const bool bottleneck = uc_z_has(z, "layer.2.convolution.weight");
    uc_zv y = conv_norm(z, "layer.0", x, (uc_z_window){.stride = bottleneck ? 1 : stride}, true);
    y = conv_norm(z, "layer.1", y, (uc_z_window){.stride = bottleneck ? stride : 1}, bottleneck);
    if (bottleneck) y = conv_norm(z, "layer.2", y, (uc_z_window){0}, false);
    if (uc_z_has(z, "shortcut.convolution.weight")) {
        x = conv_norm(z, "shortcut", x, (uc_z_window){.kernel = 1, .stride = stride}, false);
    } else if (stride > 1) {
        uc_z_unlike(z, "shortcut.convolution.weight");
    }
    return uc_z_act(z, "relu", uc_z_add(z, y, x));
}

void uc_zoo_resnet_hf(uc_zoo *z)
{
    const char *own = uc_z_has_under(z, "resnet.") ? "resnet." : "";
    const char *stem = uc_z_key(z, "%sembedder.embedder", own);
    uc_z_source(z, "transformers", "classification");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, uc_z_key(z, "%s.convolution.weight", stem), 1), 0, 0);
    x = conv_norm(z, stem, x, (uc_z_window){.kernel = 7, .stride = 2}, true);
    x = uc_z_max_pool(z, x, 3, 2, 1, false);
    int layers = 2;
    for (int i = 0;; i++) {
        const char *stage = uc_z_key(z, "%sencoder.stages.%d.layers.", own, i);
        const int depth = uc_z_count(z, uc_z_key(z, "%s%%d.layer.0.convolution.weight", stage));
        if (!depth) break;
        for (int j = 0; j < depth; j++) {
            const size_t mark = uc_z_enter(z, "%s%d", stage, j);
            layers += uc_z_has(z, "layer.2.convolution.weight") ? 3 : 2;
            x = layer(z, x, i > 0 && j == 0 ? 2 : 1);
            uc_z_leave(z, mark);
        }
    }
    uc_z_arch(z, "resnet-%d", layers);
    x = uc_z_global_avg_pool(z, x, false);
    if (uc_z_has(z, "classifier.1.weight")) x = uc_z_linear(z, "classifier.1", x, 0, true);
    uc_z_output(z, "logits", x);
}
