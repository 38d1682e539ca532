/* Xception: Remi Cadene's (timm's legacy_xception and pretrainedmodels' have the same keys) and the aligned
 * ones of DeepLab.
 * Source: timm/models/{xception,xception_aligned}.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS         1e-5
#define ALIGNED_EPS 1e-3

static uc_zv norm_relu(uc_zoo *z, const char *name, uc_zv x)
{
    return uc_z_act(z, "relu", uc_z_batch_norm(z, name, x, EPS));
}

static uc_zv separable(uc_zoo *z, const char *name, const char *first, const char *second, uc_zv x)
{
    const uc_z_window w = {.out = x.c, .kernel = 3, .groups = UC_Z_DEPTHWISE};
    x = uc_z_conv(z, uc_z_key(z, "%s.%s", name, first), x, w);
    return uc_z_conv(z, uc_z_key(z, "%s.%s", name, second), x, (uc_z_window){.kernel = 1});
}

/* Layers of rep: an activation takes a number, also the first where the block begins with one. */
static uc_zv block(uc_zoo *z, uc_zv x, int64_t stride, bool relu_first)
{
    uc_zv y = x;
    for (int at = relu_first ? 1 : 0, n = 0; n < 3; at += 3, n++) {
        const char *name = uc_z_key(z, "rep.%d", at);
        if (!uc_z_has(z, uc_z_key(z, "%s.conv1.weight", name))) break;
        if (relu_first || n) y = uc_z_act(z, "relu", y);
        y = separable(z, name, "conv1", "pointwise", y);
        y = uc_z_batch_norm(z, uc_z_key(z, "rep.%d", at + 1), y, EPS);
    }
    if (stride > 1) {
        y = uc_z_max_pool(z, y, 3, stride, 1, false);
        x = uc_z_conv(z, "skip", x, (uc_z_window){.out = y.c, .kernel = 1, .stride = stride});
        x = uc_z_batch_norm(z, "skipbn", x, EPS);
    }
    return uc_z_add(z, y, x);
}

void uc_zoo_xception(uc_zoo *z)
{
    const uc_z_window two = {.kernel = 3, .stride = 2, .valid = true};
    const uc_z_window one = {.kernel = 3, .valid = true};
    uc_z_source(z, "timm", "classification");
    (void)uc_z_say(z, "xception legacy_xception", "xception");
    uc_z_preset(z, "timm:legacy_xception");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv1.weight", 1), 0, 0);
    x = norm_relu(z, "bn1", uc_z_conv(z, "conv1", x, two));
    x = norm_relu(z, "bn2", uc_z_conv(z, "conv2", x, one));
    for (int i = 1; uc_z_has_under(z, uc_z_key(z, "block%d.", i)); i++) {
        const size_t mark = uc_z_enter(z, "block%d", i);
        x = block(z, x, uc_z_has(z, "skip.weight") ? 2 : 1, i > 1);
        uc_z_leave(z, mark);
    }
    x = norm_relu(z, "bn3", separable(z, "conv3", "conv1", "pointwise", x));
    x = norm_relu(z, "bn4", separable(z, "conv4", "conv1", "pointwise", x));
    const char *head = uc_z_has(z, "last_linear.weight") ? "last_linear" : "fc";
    uc_z_output(z, "output", uc_z_linear(z, head, uc_z_global_avg_pool(z, x, false), 0, true));
}

/* ---- aligned ---------------------------------------------------------------------------------- */

static uc_zv normed(uc_zoo *z, const char *name, uc_zv x, bool relu)
{
    x = uc_z_batch_norm(z, name, x, ALIGNED_EPS);
    return relu ? uc_z_act(z, "relu", x) : x;
}

static uc_zv conv_norm(uc_zoo *z, const char *name, uc_zv x, uc_z_window w, bool relu)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.conv", name), x, w);
    return normed(z, uc_z_key(z, "%s.bn", name), x, relu);
}

static uc_zv aligned_separable(uc_zoo *z, const char *name, uc_zv x, int64_t stride, bool inner)
{
    const uc_z_window w = {.out = x.c, .kernel = 3, .stride = stride, .groups = UC_Z_DEPTHWISE};
    const size_t mark = uc_z_enter(z, "%s", name);
    if (!inner) x = uc_z_act(z, "relu", x);
    x = normed(z, "bn_dw", uc_z_conv(z, "conv_dw", x, w), inner);
    x = normed(z, "bn_pw", uc_z_conv(z, "conv_pw", x, (uc_z_window){.kernel = 1}), inner);
    uc_z_leave(z, mark);
    return x;
}

/* Three separable convolutions, the last one strided. The last module of all has no shortcut and its
 * activations within. */
static uc_zv aligned_module(uc_zoo *z, uc_zv x, int64_t stride, bool last)
{
    uc_zv y = x;
    for (int i = 1; i <= 3; i++) {
        y = aligned_separable(z, uc_z_key(z, "stack.conv%d", i), y, i == 3 ? stride : 1, last);
    }
    if (last) return y;
    if (uc_z_has(z, "shortcut.conv.weight")) {
        const uc_z_window w = {.out = y.c, .kernel = 1, .stride = stride};
        x = conv_norm(z, "shortcut", x, w, false);
    }
    return uc_z_add(z, y, x);
}

/* Entry flow of three strided modules (four in Xception-71, whose first isn't), the middle, and two at the
 * end, of which the first is strided: a module with a shortcut of its own is, but for 71's. */
void uc_zoo_xception_aligned(uc_zoo *z)
{
    const int modules = uc_z_count(z, "blocks.%d.stack.conv1.conv_dw.weight");
    const int size = modules == 13 ? 41 : modules == 21 ? 65 : modules == 23 ? 71 : 0;
    uc_z_source(z, "timm", "classification");
    uc_z_arch(z, "xception%d", size);
    uc_z_preset(z, "timm:xception%d", size);
    if (!size) uc_z_unlike(z, "blocks of 13, 21 or 23");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "stem.0.conv.weight", 1), 0, 0);
    x = conv_norm(z, "stem.0", x, (uc_z_window){.kernel = 3, .stride = 2}, true);
    x = conv_norm(z, "stem.1", x, (uc_z_window){.kernel = 3}, true);
    for (int i = 0; i < modules; i++) {
        const size_t mark = uc_z_enter(z, "blocks.%d", i);
        const bool even = size == 71 && (i == 1 || i == 3);
        x = aligned_module(z, x, uc_z_has(z, "shortcut.conv.weight") && !even ? 2 : 1,
                           i == modules - 1);
        uc_z_leave(z, mark);
    }
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, "head.fc", x, 0, true));
}
