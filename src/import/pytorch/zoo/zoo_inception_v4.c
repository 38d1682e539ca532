/* Inception v4 and Inception-ResNet v2, as Remi Cadene and timm write them.
 * Source: timm/models/{inception_v4,inception_resnet_v2}.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-3

static uc_zv basic(uc_zoo *z, const char *name, uc_zv x, int64_t stride, bool valid)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.conv", name), x,
                  (uc_z_window){.stride = stride, .valid = valid});
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.bn", name), x, EPS);
    return uc_z_act(z, "relu", x);
}

/* name.0, name.1, ... one after another; the last one may be strided or unpadded. */
static uc_zv chain(uc_zoo *z, const char *name, uc_zv x, int64_t stride, bool valid)
{
    if (uc_z_has(z, uc_z_key(z, "%s.conv.weight", name))) return basic(z, name, x, stride, valid);
    const int n = uc_z_count(z, uc_z_key(z, "%s.%%d.conv.weight", name));
    if (!n) uc_z_unlike(z, "%s.0.conv.weight", name);
    for (int i = 0; i < n; i++) {
        const bool last = i == n - 1;
        x = basic(z, uc_z_key(z, "%s.%d", name, i), x, last ? stride : 1, last && valid);
    }
    return x;
}

static uc_zv plain(uc_zoo *z, const char *name, uc_zv x) { return chain(z, name, x, 1, false); }

static uc_zv down(uc_zoo *z, const char *name, uc_zv x) { return chain(z, name, x, 2, true); }

/* An average of neighbours and the convolution at 1. */
static uc_zv pooled(uc_zoo *z, const char *name, uc_zv x)
{
    x = uc_z_avg_pool(z, x, 3, 1, 1, false, false);
    return basic(z, uc_z_key(z, "%s.1", name), x, 1, false);
}

static uc_zv halved(uc_zoo *z, uc_zv x) { return uc_z_max_pool(z, x, 3, 2, 0, false); }

/* Four branches, of which the last is an average. */
static uc_zv four(uc_zoo *z, uc_zv x)
{
    const uc_zv parts[] = {plain(z, "branch0", x), plain(z, "branch1", x), plain(z, "branch2", x),
                           pooled(z, "branch3", x)};
    return uc_z_cat(z, parts, 4);
}

/* Strided branches and a pool. */
static uc_zv reduction(uc_zoo *z, uc_zv x)
{
    uc_zv parts[4];
    size_t n = 0;
    while (n < 3 && uc_z_has_under(z, uc_z_key(z, "branch%d.", (int)n))) {
        parts[n] = down(z, uc_z_key(z, "branch%d", (int)n), x);
        n++;
    }
    parts[n++] = halved(z, x);
    return uc_z_cat(z, parts, n);
}

/* ---- v4 --------------------------------------------------------------------------------------- */

static uc_zv module_c(uc_zoo *z, uc_zv x)
{
    const uc_zv a = plain(z, "branch1_0", x);
    const uc_zv b = plain(z, "branch2_2", plain(z, "branch2_1", plain(z, "branch2_0", x)));
    const uc_zv parts[] = {plain(z, "branch0", x),    plain(z, "branch1_1a", a),
                           plain(z, "branch1_1b", a), plain(z, "branch2_3a", b),
                           plain(z, "branch2_3b", b), pooled(z, "branch3", x)};
    return uc_z_cat(z, parts, 6);
}

static uc_zv feature(uc_zoo *z, int i, uc_zv x)
{
    const char *own = uc_z_key(z, "features.%d", i);
    if (i == 0) return down(z, own, x);
    if (i == 1) return chain(z, own, x, 1, true);
    if (i == 2) return plain(z, own, x);
    const size_t mark = uc_z_enter(z, "%s", own);
    if (i == 3) {
        x = uc_z_cat(z, (uc_zv[]){halved(z, x), down(z, "conv", x)}, 2);
    } else if (i == 4) {
        const uc_zv parts[] = {chain(z, "branch0", x, 1, true), chain(z, "branch1", x, 1, true)};
        x = uc_z_cat(z, parts, 2);
    } else if (i == 5) {
        x = uc_z_cat(z, (uc_zv[]){down(z, "conv", x), halved(z, x)}, 2);
    } else if (i == 10 || i == 18) {
        x = reduction(z, x);
    } else {
        x = i > 18 ? module_c(z, x) : four(z, x);
    }
    uc_z_leave(z, mark);
    return x;
}

void uc_zoo_inception_v4(uc_zoo *z)
{
    uc_z_source(z, "timm", "classification");
    uc_z_arch(z, "inception_v4");
    uc_z_preset(z, "timm:inception_v4");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "features.0.conv.weight", 1), 0, 0);
    for (int i = 0; i < 22; i++) {
        x = feature(z, i, x);
    }
    x = uc_z_global_avg_pool(z, x, false);
    uc_z_output(z, "output", uc_z_linear(z, "last_linear", x, 0, true));
}

/* ---- Inception-ResNet v2 ---------------------------------------------------------------------- */

/* Branches through a convolution, a part of which is added. */
static uc_zv residual(uc_zoo *z, const char *name, uc_zv x, double scale, bool relu)
{
    uc_zv parts[3];
    size_t n = 0;
    const size_t mark = uc_z_enter(z, "%s", name);
    while (n < 3 && uc_z_has_under(z, uc_z_key(z, "branch%d.", (int)n))) {
        parts[n] = plain(z, uc_z_key(z, "branch%d", (int)n), x);
        n++;
    }
    if (!n) uc_z_unlike(z, "branch0");
    uc_zv y = n ? uc_z_cat(z, parts, n) : x;
    y = uc_z_conv(z, "conv2d", y, (uc_z_window){.kernel = 1, .bias = true});
    y = uc_z_add(z, uc_z_scale(z, y, scale), x);
    uc_z_leave(z, mark);
    return relu ? uc_z_act(z, "relu", y) : y;
}

static uc_zv repeat(uc_zoo *z, const char *name, uc_zv x, double scale)
{
    const int n = uc_z_count(z, uc_z_key(z, "%s.%%d.conv2d.weight", name));
    for (int i = 0; i < n; i++) {
        x = residual(z, uc_z_key(z, "%s.%d", name, i), x, scale, true);
    }
    return x;
}

static uc_zv inside(uc_zoo *z, const char *name, uc_zv (*make)(uc_zoo *z, uc_zv x), uc_zv x)
{
    const size_t mark = uc_z_enter(z, "%s", name);
    x = make(z, x);
    uc_z_leave(z, mark);
    return x;
}

void uc_zoo_inception_resnet_v2(uc_zoo *z)
{
    uc_z_source(z, "timm", "classification");
    uc_z_arch(z, "inception_resnet_v2");
    uc_z_preset(z, "timm:inception_resnet_v2");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv2d_1a.conv.weight", 1), 0, 0);
    x = chain(z, "conv2d_2a", down(z, "conv2d_1a", x), 1, true);
    x = halved(z, plain(z, "conv2d_2b", x));
    x = halved(z, chain(z, "conv2d_4a", plain(z, "conv2d_3b", x), 1, true));
    x = inside(z, "mixed_5b", four, x);
    x = repeat(z, "repeat", x, 0.17);
    x = inside(z, "mixed_6a", reduction, x);
    x = repeat(z, "repeat_1", x, 0.10);
    x = inside(z, "mixed_7a", reduction, x);
    x = repeat(z, "repeat_2", x, 0.20);
    x = residual(z, "block8", x, 1, false);
    x = uc_z_global_avg_pool(z, plain(z, "conv2d_7b", x), false);
    const char *head = uc_z_has(z, "last_linear.weight") ? "last_linear" : "classif";
    uc_z_output(z, "output", uc_z_linear(z, head, x, 0, true));
}
