/* MobileNet V2, V3 and MNASNet as torchvision writes them.
 * Source: torchvision/models/{mobilenetv2,mobilenetv3,mnasnet}.py. */
#include "import/pytorch/zoo/zoo_mobile.h"

#define EPS 1e-5

uc_zv uc_z_conv_norm(uc_zoo *z, const char *name, uc_zv x, uc_z_window w, double eps,
                     const char *act)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.0", name), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.1", name), x, eps);
    return act ? uc_z_act(z, act, x) : x;
}

uc_zv uc_z_excite(uc_zoo *z, const char *name, uc_zv x, const char *act, const char *gate)
{
    const uc_z_window w = {.kernel = 1, .bias = true};
    uc_zv s = uc_z_global_avg_pool(z, x, true);
    s = uc_z_act(z, act, uc_z_conv(z, uc_z_key(z, "%s.fc1", name), s, w));
    s = uc_z_act(z, gate, uc_z_conv(z, uc_z_key(z, "%s.fc2", name), s, w));
    return uc_z_mul(z, x, s);
}

static uc_z_window depthwise(int64_t channels, int64_t stride)
{
    return (uc_z_window){.out = channels, .stride = stride, .groups = UC_Z_DEPTHWISE};
}

/* ---- V2 --------------------------------------------------------------------------------------- */

uc_zv uc_z_mobile_v2_layer(uc_zoo *z, int i, int last, uc_zv x)
{
    const size_t mark = uc_z_enter(z, "features.%d", i);
    uc_zv y = x;
    if (i == 0 || i == last) {
        const uc_z_window w = {.kernel = i ? 1 : 3, .stride = i ? 1 : 2};
        y = uc_z_conv(z, "0", x, w);
        y = uc_z_act(z, "relu6", uc_z_batch_norm(z, "1", y, EPS));
        uc_z_leave(z, mark);
        return y;
    }
    const int64_t stride = i == 2 || i == 4 || i == 7 || i == 14 ? 2 : 1;
    const bool expand = uc_z_has(z, "conv.3.weight");
    if (expand) y = uc_z_conv_norm(z, "conv.0", y, (uc_z_window){.kernel = 1}, EPS, "relu6");
    y = uc_z_conv_norm(z, expand ? "conv.1" : "conv.0", y, depthwise(y.c, stride), EPS, "relu6");
    y = uc_z_conv(z, expand ? "conv.2" : "conv.1", y, (uc_z_window){.kernel = 1});
    y = uc_z_batch_norm(z, expand ? "conv.3" : "conv.2", y, EPS);
    if (stride == 1 && x.c == y.c) y = uc_z_add(z, y, x);
    uc_z_leave(z, mark);
    return y;
}

void uc_zoo_mobilenet_v2(uc_zoo *z)
{
    const int last = 18;
    uc_z_arch(z, "mobilenet_v2");
    uc_z_preset(z, "torchvision:mobilenet_v2");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.0.weight", 1), 0, 0);
    for (int i = 0; i <= last; i++) {
        x = uc_z_mobile_v2_layer(z, i, last, x);
    }
    x = uc_z_global_avg_pool(z, x, false);
    const char *head = uc_z_has(z, "classifier.weight") ? "classifier" : "classifier.1";
    uc_z_output(z, "output", uc_z_linear(z, head, x, 0, true));
}

/* ---- V3 --------------------------------------------------------------------------------------- */

uc_z_mobile_v3 uc_z_mobile_v3_read(uc_zoo *z, const char *features)
{
    uc_z_mobile_v3 net = {.eps = 1e-3};
    net.blocks = uc_z_count_from(z, uc_z_key(z, "%s%%d.block.0.0.weight", features), 1);
    net.large = net.blocks == 15;
    if (net.blocks != 15 && net.blocks != 11) uc_z_unlike(z, "%s with 11 or 15 blocks", features);
    return net;
}

uc_zv uc_z_mobile_v3_layer(uc_zoo *z, const uc_z_mobile_v3 *net, int i, uc_zv x, uc_zv *expanded)
{
    if (i == 0 || i > net->blocks) {
        const uc_z_window w = {.kernel = i ? 1 : 3, .stride = i ? 1 : 2};
        return uc_z_conv_norm(z, uc_z_key(z, "%d", i), x, w, net->eps, "hardswish");
    }
    static const bool large[] = {0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0};
    static const bool small[] = {0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0};
    const bool strided = net->large ? i < 16 && large[i] : i < 12 && small[i];
    const int late = net->large ? 13 : 9;
    const char *act = i >= (net->large ? 7 : 4) ? "hardswish" : "relu";
    const size_t mark = uc_z_enter(z, "%d.block", i);
    int at = 0;
    uc_zv y = x;
    const bool se = uc_z_has(z, "1.fc1.weight") || uc_z_has(z, "2.fc1.weight");
    if (uc_z_has(z, uc_z_key(z, "%d.0.weight", se ? 3 : 2))) {
        y = uc_z_conv_norm(z, uc_z_key(z, "%d", at++), y, (uc_z_window){.kernel = 1}, net->eps,
                           act);
        if (expanded) *expanded = y;
    }
    uc_z_window w = depthwise(y.c, strided ? 2 : 1);
    if (net->dilated && i >= late) {
        w.stride = 1;
        w.dilation = 2;
    }
    y = uc_z_conv_norm(z, uc_z_key(z, "%d", at++), y, w, net->eps, act);
    if (se) y = uc_z_excite(z, uc_z_key(z, "%d", at++), y, "relu", "hardsigmoid");
    y = uc_z_conv_norm(z, uc_z_key(z, "%d", at), y, (uc_z_window){.kernel = 1}, net->eps, NULL);
    if (!strided && x.c == y.c) y = uc_z_add(z, y, x);
    uc_z_leave(z, mark);
    return y;
}

void uc_zoo_mobilenet_v3(uc_zoo *z)
{
    const uc_z_mobile_v3 net = uc_z_mobile_v3_read(z, "features.");
    uc_z_arch(z, "mobilenet_v3_%s", net.large ? "large" : "small");
    uc_z_preset(z, "torchvision:mobilenet_v3_%s", net.large ? "large" : "small");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.0.weight", 1), 0, 0);
    const size_t mark = uc_z_enter(z, "features");
    for (int i = 0; i <= net.blocks + 1; i++) {
        x = uc_z_mobile_v3_layer(z, &net, i, x, NULL);
    }
    uc_z_leave(z, mark);
    x = uc_z_global_avg_pool(z, x, false);
    x = uc_z_act(z, "hardswish", uc_z_linear(z, "classifier.0", x, 0, true));
    uc_z_output(z, "output", uc_z_linear(z, "classifier.3", x, 0, true));
}

/* ---- MNASNet ---------------------------------------------------------------------------------- */

/* A convolution and its norm at two places of layers. */
static uc_zv step(uc_zoo *z, int at, uc_zv x, uc_z_window w, bool relu)
{
    x = uc_z_conv(z, uc_z_key(z, "layers.%d", at), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "layers.%d", at + 1), x, EPS);
    return relu ? uc_z_act(z, "relu", x) : x;
}

static uc_zv mnas_stack(uc_zoo *z, int stack, uc_zv x)
{
    static const int depths[] = {3, 3, 3, 2, 4, 1};
    static const int64_t kernels[] = {3, 5, 5, 3, 5, 3}, strides[] = {2, 2, 2, 1, 2, 1};
    for (int i = 0; i < depths[stack]; i++) {
        const size_t mark = uc_z_enter(z, "layers.%d.%d", 8 + stack, i);
        uc_zv y = step(z, 0, x, (uc_z_window){.kernel = 1}, true);
        uc_z_window w = depthwise(y.c, i ? 1 : strides[stack]);
        w.kernel = kernels[stack];
        y = step(z, 3, y, w, true);
        y = step(z, 6, y, (uc_z_window){.kernel = 1}, false);
        x = w.stride == 1 && x.c == y.c ? uc_z_add(z, y, x) : y;
        uc_z_leave(z, mark);
    }
    return x;
}

void uc_zoo_mnasnet(uc_zoo *z)
{
    const int64_t width = uc_z_dim(z, "layers.0.weight", 0);
    const char *size = width == 16 ? "0_5" : width == 24 ? "0_75" : width == 40 ? "1_3" : "1_0";
    uc_z_arch(z, "mnasnet%s", size);
    uc_z_preset(z, "torchvision:mnasnet%s", size);
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "layers.0.weight", 1), 0, 0);
    x = step(z, 0, x, (uc_z_window){.kernel = 3, .stride = 2}, true);
    x = step(z, 3, x, depthwise(x.c, 1), true);
    x = step(z, 6, x, (uc_z_window){.kernel = 1}, false);
    for (int stack = 0; stack < 6; stack++) {
        x = mnas_stack(z, stack, x);
    }
    x = step(z, 14, x, (uc_z_window){.kernel = 1}, true);
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, "classifier.1", x, 0, true));
}
