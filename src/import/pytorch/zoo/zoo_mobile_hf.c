/* MobileNet V1 and V2 and EfficientNet with transformers' keys: padded as TensorFlow does.
 * Source: transformers/models/{mobilenet_v1,mobilenet_v2,efficientnet}/modeling_*.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-3

typedef struct net {
    const char *act;
    double eps;
    bool same; /* "tf_padding" */
} net;

static net read_net(uc_zoo *z)
{
    return (net){.act = uc_z_act_setting(z, "hidden_act", "relu6"),
                 .eps = uc_json_f64(uc_json_get(z->config, "layer_norm_eps"), EPS),
                 .same = uc_z_flag(z, "tf_padding", true)};
}

static uc_zv layer(uc_zoo *z, const net *n, const char *name, uc_zv x, uc_z_window w, bool act)
{
    w.same = n->same;
    x = uc_z_conv(z, uc_z_key(z, "%s.convolution", name), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.normalization", name), x, n->eps);
    return act ? uc_z_act(z, n->act, x) : x;
}

static uc_z_window depthwise(int64_t channels, int64_t stride)
{
    return (uc_z_window){.out = channels, .stride = stride, .groups = UC_Z_DEPTHWISE};
}

static void classify(uc_zoo *z, uc_zv x)
{
    x = uc_z_global_avg_pool(z, x, false);
    if (!uc_z_has(z, "classifier.weight")) {
        uc_z_source(z, "transformers", "features");
        uc_z_output(z, "pooler_output", x);
        return;
    }
    uc_z_output(z, "logits", uc_z_linear(z, "classifier", x, 0, true));
}

void uc_zoo_mobilenet_v1_hf(uc_zoo *z)
{
    static const int64_t strides[] = {1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};
    const net n = read_net(z);
    uc_z_source(z, "transformers", "classification");
    uc_z_arch(z, "mobilenet_v1");
    uc_z_preset(z, "hf:MobileNetV1ImageProcessor");
    size_t mark = uc_z_enter(z, "mobilenet_v1");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv_stem.convolution.weight", 1), 0, 0);
    x = layer(z, &n, "conv_stem", x, (uc_z_window){.kernel = 3, .stride = 2}, true);
    for (int i = 0; i < 13; i++) {
        x = layer(z, &n, uc_z_key(z, "layer.%d", 2 * i), x, depthwise(x.c, strides[i]), true);
        x = layer(z, &n, uc_z_key(z, "layer.%d", 2 * i + 1), x, (uc_z_window){.kernel = 1}, true);
    }
    uc_z_leave(z, mark);
    classify(z, x);
}

static uc_zv inverted(uc_zoo *z, const net *n, uc_zv x, int64_t stride)
{
    const uc_z_window one = {.kernel = 1};
    uc_zv y = layer(z, n, "expand_1x1", x, one, true);
    y = layer(z, n, "conv_3x3", y, depthwise(y.c, stride), true);
    y = layer(z, n, "reduce_1x1", y, one, false);
    return stride == 1 && x.c == y.c ? uc_z_add(z, y, x) : y;
}

void uc_zoo_mobilenet_v2_hf(uc_zoo *z)
{
    static const int64_t strides[] = {2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1};
    const net n = read_net(z);
    const uc_z_window one = {.kernel = 1};
    uc_z_source(z, "transformers", "classification");
    uc_z_arch(z, "mobilenet_v2");
    uc_z_preset(z, "hf:MobileNetV2ImageProcessor");
    if (uc_z_setting(z, "output_stride", 32) != 32) uc_z_unlike(z, "an output_stride of 32");
    size_t mark = uc_z_enter(z, "mobilenet_v2");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv_stem.first_conv.convolution.weight", 1), 0, 0);
    x = layer(z, &n, "conv_stem.first_conv", x, (uc_z_window){.kernel = 3, .stride = 2}, true);
    x = layer(z, &n, "conv_stem.conv_3x3", x, depthwise(x.c, 1), true);
    x = layer(z, &n, "conv_stem.reduce_1x1", x, one, false);
    for (int i = 0; i < 16; i++) {
        const size_t at = uc_z_enter(z, "layer.%d", i);
        x = inverted(z, &n, x, strides[i]);
        uc_z_leave(z, at);
    }
    x = layer(z, &n, "conv_1x1", x, one, true);
    uc_z_leave(z, mark);
    classify(z, x);
}

/* ---- EfficientNet ----------------------------------------------------------------------------- */

static uc_zv normed(uc_zoo *z, const net *n, const char *name, uc_zv x, bool act)
{
    x = uc_z_batch_norm(z, name, x, n->eps);
    return act ? uc_z_act(z, n->act, x) : x;
}

/* Where the stride is 2 zeros stand around, one fewer in front for blocks that aren't listed in the
 * config's depthwise_padding. */
static uc_zv strided(uc_zoo *z, uc_zv x, int64_t before, int64_t after)
{
    const int64_t pads[] = {before, after, before, after};
    return (uc_zv){uc_t_pad(z->build, x.ref, pads, 4, "constant", 0), x.c};
}

static bool padded_evenly(uc_zoo *z, int i)
{
    size_t count = 0;
    const int64_t *listed =
        uc_json_i64s(uc_json_get(z->config, "depthwise_padding"), z->arena, &count);
    for (size_t k = 0; listed && k < count; k++) {
        if (listed[k] == i) return true;
    }
    return false;
}

static uc_zv efficient_block(uc_zoo *z, const net *n, uc_zv x, int64_t stride, bool even)
{
    const uc_z_window one = {.kernel = 1}, dense = {.kernel = 1, .bias = true};
    uc_zv y = x;
    if (uc_z_has(z, "expansion.expand_conv.weight")) {
        y = normed(z, n, "expansion.expand_bn", uc_z_conv(z, "expansion.expand_conv", y, one),
                   true);
    }
    const int64_t half = uc_z_dim(z, "depthwise_conv.depthwise_conv.weight", 2) / 2;
    uc_z_window w = depthwise(y.c, stride);
    if (stride == 2) {
        y = strided(z, y, even ? half : half - 1, half);
        w.valid = true;
    }
    y = uc_z_conv(z, "depthwise_conv.depthwise_conv", y, w);
    y = normed(z, n, "depthwise_conv.depthwise_norm", y, true);
    uc_zv s = uc_z_conv(z, "squeeze_excite.reduce", uc_z_global_avg_pool(z, y, true), dense);
    s = uc_z_conv(z, "squeeze_excite.expand", uc_z_act(z, n->act, s), dense);
    y = uc_z_mul(z, y, uc_z_act(z, "sigmoid", s));
    y = normed(z, n, "projection.project_bn", uc_z_conv(z, "projection.project_conv", y, one),
               false);
    return stride == 1 && x.c == y.c ? uc_z_add(z, y, x) : y;
}

/* Blocks of each stage by the width of the picture's network. */
static int64_t stride_of(int *at, int64_t c, int64_t *last)
{
    static const int64_t strides[] = {1, 2, 2, 2, 1, 2, 1};
    const bool first = c != *last;
    if (first && *at < 6) (*at)++;
    *last = c;
    return first ? strides[*at] : 1;
}

void uc_zoo_efficientnet_hf(uc_zoo *z)
{
    const net n = {.act = uc_z_act_setting(z, "hidden_act", "silu"),
                   .eps = uc_json_f64(uc_json_get(z->config, "batch_norm_eps"), EPS)};
    int at = -1;
    int64_t last = 0;
    uc_z_source(z, "transformers", "classification");
    uc_z_arch(z, "efficientnet");
    uc_z_preset(z, "hf:EfficientNetImageProcessor");
    const size_t mark = uc_z_enter(z, "efficientnet");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "embeddings.convolution.weight", 1), 0, 0);
    const uc_z_window stem = {.kernel = 3, .stride = 2, .valid = true};
    x = uc_z_conv(z, "embeddings.convolution", strided(z, x, 0, 1), stem);
    x = normed(z, &n, "embeddings.batchnorm", x, true);
    const int depth = uc_z_count(z, "encoder.blocks.%d.projection.project_conv.weight");
    for (int i = 0; i < depth; i++) {
        const size_t within = uc_z_enter(z, "encoder.blocks.%d", i);
        const int64_t c = uc_z_dim(z, "projection.project_conv.weight", 0);
        x = efficient_block(z, &n, x, stride_of(&at, c, &last), padded_evenly(z, i));
        uc_z_leave(z, within);
    }
    x = uc_z_conv(z, "encoder.top_conv", x, (uc_z_window){.kernel = 1});
    x = normed(z, &n, "encoder.top_bn", x, true);
    uc_z_leave(z, mark);
    if (!z->config) {
        uc_z_assume(z, "no block pads evenly in front of its stride, as in EfficientNet-B0 (a "
                       "config.json would list them)");
    }
    classify(z, x);
}
