/* torchvision's classes: what forward() does between the layers that the file holds. Source: torchvision
 * 0.29 (and 0.2 to 0.13 where members had other names), torchvision/models, torchvision/ops/misc.py. */
#include "import/pytorch/torch_module.h"

#include <inttypes.h>

static bool has(const uc_t_call *c, const char *name) { return uc_t_child(c, name) != NULL; }

/* Submodules by name, each on the output of the one before: "conv1 bn1 relu". */
static uc_ref chain(uc_t_call *c, const char *names, uc_ref x)
{
    char name[60];
    while (*names && x) {
        const size_t n = strcspn(names, " ");
        if (n >= sizeof name) return uc_t_refuse(c, "a name of %zu bytes", n);
        memcpy(name, names, n);
        name[n] = 0;
        x = uc_t_run(c, name, x);
        names += n + (names[n] == ' ');
    }
    return x;
}

static uc_ref flat(uc_t_call *c, uc_ref x) { return uc_t_flatten(c->build, x, 1, -1); }

/* mean([2, 3]) */
static uc_ref mean_of_plane(uc_t_call *c, uc_ref x)
{
    static const int64_t axes[] = {2, 3};
    return uc_t_mean(c->build, x, axes, 2, false);
}

static uc_ref join(uc_t_call *c, const uc_ref *parts, size_t count)
{
    return uc_t_cat(c->build, parts, count, 1);
}

static uc_ref plus(uc_t_call *c, uc_ref x, uc_ref y) { return uc_t_add(c->build, x, y); }

static uc_ref relu(uc_t_call *c, uc_ref x) { return uc_t_act(c->build, "relu", x); }

/* ---- chains with a head ------------------------------------------------------------------------ */

void uc_t_m_resnet(uc_t_call *c)
{
    const uc_ref x =
        chain(c, "conv1 bn1 relu maxpool layer1 layer2 layer3 layer4 avgpool", c->in[0]);
    uc_t_set(c, uc_t_run_maybe(c, "fc", flat(c, x)));
}

void uc_t_m_resnet_block(uc_t_call *c)
{
    const uc_ref x = c->in[0];
    uc_ref y = chain(c, "conv1 bn1 relu conv2 bn2", x);
    if (has(c, "conv3")) y = chain(c, "conv3 bn3", uc_t_run(c, "relu", y));
    y = plus(c, y, uc_t_run_maybe(c, "downsample", x));
    uc_t_set(c, uc_t_run(c, "relu", y));
}

/* AlexNet, VGG, MobileNet, EfficientNet: features, avgpool, flatten, classifier. */
void uc_t_m_features(uc_t_call *c)
{
    uc_t_build *b = c->build;
    uc_ref x = uc_t_run(c, "features", c->in[0]);
    if (has(c, "avgpool"))
        x = uc_t_run(c, "avgpool", x);
    else if (c->row->word) /* MobileNetV2 pools without a module */
        x = uc_t_global_avg_pool(b, x);
    if (c->row->arg) x = flat(c, x);
    uc_t_set(c, uc_t_run_maybe(c, "classifier", x));
}

/* The classifier of SqueezeNet is convolutions. */
void uc_t_m_squeezenet(uc_t_call *c)
{
    uc_t_set(c, flat(c, chain(c, "features classifier", c->in[0])));
}

void uc_t_m_fire(uc_t_call *c)
{
    const uc_ref x = chain(c, "squeeze squeeze_activation", c->in[0]);
    const uc_ref parts[] = {chain(c, "expand1x1 expand1x1_activation", x),
                            chain(c, "expand3x3 expand3x3_activation", x)};
    uc_t_set(c, join(c, parts, 2));
}

/* ---- DenseNet ----------------------------------------------------------------------------------- */

void uc_t_m_densenet(uc_t_call *c)
{
    const uc_ref x = relu(c, uc_t_run(c, "features", c->in[0]));
    uc_t_set(c, uc_t_run_maybe(c, "classifier", flat(c, uc_t_global_avg_pool(c->build, x))));
}

void uc_t_m_dense_layer(uc_t_call *c)
{
    const bool old = has(c, "norm.1"); /* before 0.3, where the layer joined its input itself */
    const uc_ref y = chain(c,
                           old ? "norm.1 relu.1 conv.1 norm.2 relu.2 conv.2"
                               : "norm1 relu1 conv1 norm2 relu2 conv2",
                           c->in[0]);
    uc_t_set(c, y);
}

void uc_t_m_dense_block(uc_t_call *c)
{
    uc_ref all = c->in[0];
    uc_str name;
    const uc_pickle *layer;
    char text[60];
    for (size_t i = 0; (layer = uc_t_child_at(c->object, i, &name)) != NULL; i++) {
        if (name.size >= sizeof text) {
            uc_t_refuse(c, "a layer's name is too long");
            return;
        }
        memcpy(text, name.data, name.size);
        text[name.size] = 0;
        const uc_ref parts[] = {all, uc_t_run_object(c, layer, text, all)};
        if (c->build->graph->status) return;
        all = join(c, parts, 2);
    }
    uc_t_set(c, all);
}

/* ---- Inception ---------------------------------------------------------------------------------- */

void uc_t_m_basic_conv(uc_t_call *c) { uc_t_set(c, relu(c, chain(c, "conv bn", c->in[0]))); }

/* transform_input: channels brought from ImageNet's mean and deviation to (x - 0.5) / 0.5. */
static uc_ref transformed(uc_t_call *c, uc_ref x)
{
    static const double scale[] = {0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5};
    static const double shift[] = {(0.485 - 0.5) / 0.5, (0.456 - 0.5) / 0.5, (0.406 - 0.5) / 0.5};
    static const int64_t shape[] = {1, 3, 1, 1};
    uc_t_build *b = c->build;
    if (!uc_t_attr_bool(c, "transform_input", false)) return x;
    const uncork_dtype dtype = uc_t_dtype(b, x);
    return plus(c, uc_t_mul(b, x, uc_t_values(b, dtype, scale, 4, shape)),
                uc_t_values(b, dtype, shift, 4, shape));
}

static uc_ref pool_if_module(uc_t_call *c, const char *name, uc_ref x)
{
    return has(c, name) ? uc_t_run(c, name, x) : uc_t_max_pool2d(c->build, x, 3, 2, 0, false);
}

void uc_t_m_googlenet(uc_t_call *c)
{
    uc_ref x = chain(c,
                     "conv1 maxpool1 conv2 conv3 maxpool2 inception3a inception3b maxpool3 "
                     "inception4a inception4b inception4c inception4d inception4e maxpool4 "
                     "inception5a inception5b",
                     transformed(c, c->in[0]));
    x = flat(c, uc_t_global_avg_pool(c->build, x));
    uc_t_set(c, uc_t_run_maybe(c, "fc", x));
}

void uc_t_m_inception(uc_t_call *c)
{
    const uc_ref x = c->in[0];
    const uc_ref parts[] = {uc_t_run(c, "branch1", x), uc_t_run(c, "branch2", x),
                            uc_t_run(c, "branch3", x), uc_t_run(c, "branch4", x)};
    uc_t_set(c, join(c, parts, 4));
}

void uc_t_m_inception3(uc_t_call *c)
{
    uc_ref x = chain(c, "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3", transformed(c, c->in[0]));
    x = chain(c, "Conv2d_3b_1x1 Conv2d_4a_3x3", pool_if_module(c, "maxpool1", x));
    x = chain(c,
              "Mixed_5b Mixed_5c Mixed_5d Mixed_6a Mixed_6b Mixed_6c Mixed_6d Mixed_6e Mixed_7a "
              "Mixed_7b Mixed_7c",
              pool_if_module(c, "maxpool2", x));
    x = flat(c, uc_t_global_avg_pool(c->build, x));
    uc_t_set(c, uc_t_run_maybe(c, "fc", x));
}

static uc_ref average3(uc_t_call *c, uc_ref x) { return uc_t_avg_pool2d(c->build, x, 3, 1, 1); }

void uc_t_m_inception_a(uc_t_call *c)
{
    const uc_ref x = c->in[0];
    const uc_ref parts[] = {uc_t_run(c, "branch1x1", x), chain(c, "branch5x5_1 branch5x5_2", x),
                            chain(c, "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3", x),
                            uc_t_run(c, "branch_pool", average3(c, x))};
    uc_t_set(c, join(c, parts, 4));
}

void uc_t_m_inception_b(uc_t_call *c)
{
    const uc_ref x = c->in[0];
    const uc_ref parts[] = {uc_t_run(c, "branch3x3", x),
                            chain(c, "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3", x),
                            uc_t_max_pool2d(c->build, x, 3, 2, 0, false)};
    uc_t_set(c, join(c, parts, 3));
}

void uc_t_m_inception_c(uc_t_call *c)
{
    const uc_ref x = c->in[0];
    const uc_ref parts[] = {
        uc_t_run(c, "branch1x1", x), chain(c, "branch7x7_1 branch7x7_2 branch7x7_3", x),
        chain(c, "branch7x7dbl_1 branch7x7dbl_2 branch7x7dbl_3 branch7x7dbl_4 branch7x7dbl_5", x),
        uc_t_run(c, "branch_pool", average3(c, x))};
    uc_t_set(c, join(c, parts, 4));
}

void uc_t_m_inception_d(uc_t_call *c)
{
    const uc_ref x = c->in[0];
    const uc_ref parts[] = {chain(c, "branch3x3_1 branch3x3_2", x),
                            chain(c, "branch7x7x3_1 branch7x7x3_2 branch7x7x3_3 branch7x7x3_4", x),
                            uc_t_max_pool2d(c->build, x, 3, 2, 0, false)};
    uc_t_set(c, join(c, parts, 3));
}

void uc_t_m_inception_e(uc_t_call *c)
{
    const uc_ref x = c->in[0], one = uc_t_run(c, "branch3x3_1", x);
    const uc_ref two = chain(c, "branch3x3dbl_1 branch3x3dbl_2", x);
    const uc_ref parts[] = {
        uc_t_run(c, "branch1x1", x),         uc_t_run(c, "branch3x3_2a", one),
        uc_t_run(c, "branch3x3_2b", one),    uc_t_run(c, "branch3x3dbl_3a", two),
        uc_t_run(c, "branch3x3dbl_3b", two), uc_t_run(c, "branch_pool", average3(c, x))};
    uc_t_set(c, join(c, parts, 6));
}

/* ---- mobile networks ---------------------------------------------------------------------------- */

/* MobileNetV2's, V3's and MNASNet's blocks, MBConv: a Sequential, added to its input where it fits. */
void uc_t_m_inverted_residual(uc_t_call *c)
{
    const char *name = has(c, "block") ? "block" : has(c, "conv") ? "conv" : "layers";
    const bool adds =
        uc_t_attr_bool(c, "use_res_connect", false) || uc_t_attr_bool(c, "apply_residual", false);
    const uc_ref y = uc_t_run(c, name, c->in[0]);
    uc_t_set(c, adds ? plus(c, y, c->in[0]) : y);
}

void uc_t_m_squeeze_excitation(uc_t_call *c)
{
    const uc_ref x = c->in[0];
    uc_ref s = has(c, "avgpool") ? uc_t_run(c, "avgpool", x) : uc_t_global_avg_pool(c->build, x);
    s = uc_t_run(c, has(c, "activation") ? "activation" : "relu", uc_t_run(c, "fc1", s));
    s = uc_t_run(c, "fc2", s);
    s = has(c, "scale_activation") ? uc_t_run(c, "scale_activation", s)
                                   : uc_t_act(c->build, "hardsigmoid", s);
    uc_t_set(c, uc_t_mul(c->build, s, x));
}

void uc_t_m_mnasnet(uc_t_call *c)
{
    uc_t_set(c, uc_t_run_maybe(c, "classifier", mean_of_plane(c, uc_t_run(c, "layers", c->in[0]))));
}

void uc_t_m_shufflenet(uc_t_call *c)
{
    const uc_ref x = chain(c, "conv1 maxpool stage2 stage3 stage4 conv5", c->in[0]);
    uc_t_set(c, uc_t_run_maybe(c, "fc", mean_of_plane(c, x)));
}

void uc_t_m_shuffle_block(uc_t_call *c)
{
    uc_ref half[2];
    if (uc_t_attr_int(c, "stride", 2) == 1) {
        if (uc_t_chunk(c->build, c->in[0], 2, 1, half) != 2) {
            uc_t_refuse(c, "its channels can't be halved");
            return;
        }
        half[1] = uc_t_run(c, "branch2", half[1]);
    } else {
        half[0] = uc_t_run(c, "branch1", c->in[0]);
        half[1] = uc_t_run(c, "branch2", c->in[0]);
    }
    uc_t_set(c, uc_t_channel_shuffle(c->build, join(c, half, 2), 2));
}

/* ---- RegNet, ConvNeXt --------------------------------------------------------------------------- */

void uc_t_m_regnet(uc_t_call *c)
{
    uc_t_set(c, uc_t_run_maybe(c, "fc", flat(c, chain(c, "stem trunk_output avgpool", c->in[0]))));
}

void uc_t_m_regnet_block(uc_t_call *c)
{
    const uc_ref x = uc_t_run_maybe(c, "proj", c->in[0]);
    uc_t_set(c, uc_t_run(c, "activation", plus(c, x, uc_t_run(c, "f", c->in[0]))));
}

/* Over the channels of [N, C, H, W]. */
void uc_t_m_layer_norm_2d(uc_t_call *c)
{
    static const int64_t last[] = {0, 2, 3, 1}, first[] = {0, 3, 1, 2};
    uc_t_build *b = c->build;
    const uc_ref y =
        uc_t_layer_norm(b, uc_t_permute(b, c->in[0], last, 4), 1, uc_t_tensor(c, "weight"),
                        uc_t_tensor(c, "bias"), uc_t_attr_float(c, "eps", 1e-6));
    uc_t_set(c, uc_t_permute(b, y, first, 4));
}

void uc_t_m_convnext_block(uc_t_call *c)
{
    const uc_ref y =
        uc_t_mul(c->build, uc_t_run(c, "block", c->in[0]), uc_t_tensor(c, "layer_scale"));
    uc_t_set(c, plus(c, y, c->in[0]));
}

/* ---- ViT ---------------------------------------------------------------------------------------- */

void uc_t_m_vit(uc_t_call *c)
{
    static const int64_t perm[] = {0, 2, 1};
    uc_t_build *b = c->build;
    const uc_ref token = uc_t_tensor(c, "class_token");
    uc_ref x = uc_t_permute(b, uc_t_flatten(b, uc_t_run(c, "conv_proj", c->in[0]), 2, 3), perm, 3);
    const int64_t width = uc_t_dim(b, token, 2), shape[] = {0, 1, width};
    /* the token once a sample: zeros of the right batch, plus it */
    uc_ref zeros = uc_t_mul_number(b, uc_t_slice(b, x, 1, 0, 1, 1), 0);
    zeros = uc_g_reshape(b->graph, zeros, shape, 3);
    const uc_ref parts[] = {plus(c, zeros, token), x};
    x = uc_t_run(c, "encoder", uc_t_cat(b, parts, 2, 1));
    uc_t_set(c, uc_t_run_maybe(c, "heads", uc_t_select(b, x, 1, 0)));
}

void uc_t_m_vit_encoder(uc_t_call *c)
{
    const uc_ref x = plus(c, c->in[0], uc_t_tensor(c, "pos_embedding"));
    uc_t_set(c, chain(c, "layers ln", x));
}

void uc_t_m_vit_block(uc_t_call *c)
{
    uc_t_build *b = c->build;
    const uc_ref y = uc_t_run(c, "ln_1", c->in[0]), in[] = {y, y, y};
    const uc_pickle *attention = uc_t_child(c, "self_attention");
    uc_t_call done;
    if (!attention) {
        uc_t_refuse(c, "it has no self_attention");
        return;
    }
    if (!uc_t_call_module(c->tree, attention, c->path, in, 3, &done)) return;
    const uc_ref x = uc_t_add(b, done.out[0], c->in[0]);
    uc_t_set(c, plus(c, x, chain(c, "ln_2 mlp", x)));
}

/* ---- segmentation ------------------------------------------------------------------------------- */

/* FCN and DeepLabV3: {"out": ..., "aux": ...}, in the picture's size. The backbone is an
 * IntermediateLayerGetter: its children in order, those of return_layers kept under their new names. */
void uc_t_m_segmenter(uc_t_call *c)
{
    static const char *const names[] = {"out", "aux"}, *const heads[] = {"classifier",
                                                                         "aux_classifier"};
    const uc_pickle *backbone = uc_t_child(c, "backbone"), *child;
    const uc_pickle *kept = uc_pickle_attr(backbone, "return_layers");
    uc_ref x = c->in[0], features[2] = {0};
    uc_str name;
    char text[60];
    for (size_t i = 0; (child = uc_t_child_at(backbone, i, &name)) != NULL; i++) {
        if (name.size >= sizeof text) return;
        memcpy(text, name.data, name.size);
        text[name.size] = 0;
        x = uc_t_run_object(c, child, text, x);
        const uc_pickle *as = uc_pickle_get(kept, text);
        for (int k = 0; k < 2; k++) {
            if (uc_pickle_is_text(as, names[k])) features[k] = x;
        }
    }
    for (int k = 0; k < 2; k++) {
        if (!has(c, heads[k])) continue;
        if (!features[k]) {
            uc_t_refuse(c, "its backbone gives no '%s'", names[k]);
            return;
        }
        const uc_ref y = uc_t_run(c, heads[k], features[k]);
        c->keys[c->out_count] = names[k];
        c->out[c->out_count++] = uc_t_interpolate_like(c->build, y, 2, c->in[0], "linear", false);
    }
}

void uc_t_m_aspp(uc_t_call *c)
{
    enum { MOST = 16 };
    const uc_pickle *convs = uc_t_child(c, "convs"), *conv;
    uc_ref parts[MOST];
    uc_str name;
    size_t n = 0;
    while (n < MOST && (conv = uc_t_child_at(convs, n, &name)) != NULL) {
        parts[n++] = uc_t_run_object(c, conv, "convs", c->in[0]);
    }
    if (!n) {
        uc_t_refuse(c, "it has no convs");
        return;
    }
    uc_t_set(c, uc_t_run(c, "project", join(c, parts, n)));
}

/* Pooled to one place, then spread over the plane again. */
void uc_t_m_aspp_pooling(uc_t_call *c)
{
    uc_t_set(c, uc_t_interpolate_like(c->build, uc_t_run_all(c, c->in[0]), 2, c->in[0], "linear",
                                      false));
}
