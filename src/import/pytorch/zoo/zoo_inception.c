/* GoogLeNet and Inception v3. Source: torchvision/models/{googlenet,inception}.py; timm's inception_v3 has
 * the same keys. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-3

static uc_zv basic(uc_zoo *z, const char *name, uc_zv x, uc_z_window w)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.conv", name), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%s.bn", name), x, EPS);
    return uc_z_act(z, "relu", x);
}

/* A convolution whose size, and so its padding, is the file's. */
static uc_zv plain(uc_zoo *z, const char *name, uc_zv x)
{
    return basic(z, name, x, (uc_z_window){0});
}

static uc_zv down(uc_zoo *z, const char *name, uc_zv x)
{
    return basic(z, name, x, (uc_z_window){.kernel = 3, .stride = 2, .valid = true});
}

static bool all_equal(const uc_tensor *t, float v)
{
    if (!t || t->dtype != UNCORK_FLOAT32 || t->rank != 1) return false;
    for (int64_t i = 0; i < t->shape[0]; i++) {
        float f;
        memcpy(&f, (const char *)t->data + i * t->stride[0] * (int64_t)sizeof f, sizeof f);
        if (f != v) return false;
    }
    return true;
}

/* torchvision's own weights come from TensorFlow, whose batch norms had no factor (all are 1) and whose
 * pictures were scaled to -1 to 1: their models turn ImageNet's mean and deviation into that
 * (transform_input, a flag that no key tells). */
static uc_zv transform_input(uc_zoo *z, const char *norm, uc_zv x)
{
    static const double factor[] = {0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5};
    static const double offset[] = {(0.485 - 0.5) / 0.5, (0.456 - 0.5) / 0.5, (0.406 - 0.5) / 0.5};
    static const int64_t shape[] = {1, 3, 1, 1};
    const uc_tensor *weight = uc_z_tensor(z, uc_z_key(z, "%s.weight", norm), 1, (int64_t[]){0});
    const uc_tensor *bias = uc_z_tensor(z, uc_z_key(z, "%s.bias", norm), 1, (int64_t[]){0});
    if (x.c != 3 || !all_equal(weight, 1) || all_equal(bias, 0)) {
        uc_z_assume(z, "transform_input=False: the first batch norm isn't that of weights from "
                       "TensorFlow");
        return x;
    }
    uc_z_assume(z, "transform_input=True: the first batch norm is that of weights from TensorFlow");
    const uc_ref f = uc_t_values(z->build, UNCORK_FLOAT32, factor, 4, shape);
    const uc_ref o = uc_t_values(z->build, UNCORK_FLOAT32, offset, 4, shape);
    return (uc_zv){uc_t_add(z->build, uc_t_mul(z->build, x.ref, f), o), 3};
}

/* ---- GoogLeNet -------------------------------------------------------------------------------- */

static uc_zv module(uc_zoo *z, const char *name, uc_zv x)
{
    const size_t mark = uc_z_enter(z, "inception%s", name);
    const uc_zv pooled = uc_z_max_pool(z, x, 3, 1, 1, true);
    const uc_zv parts[] = {plain(z, "branch1", x), plain(z, "branch2.1", plain(z, "branch2.0", x)),
                           plain(z, "branch3.1", plain(z, "branch3.0", x)),
                           plain(z, "branch4.1", pooled)};
    uc_z_leave(z, mark);
    return uc_z_cat(z, parts, 4);
}

void uc_zoo_googlenet(uc_zoo *z)
{
    static const char *const modules[] = {"3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"};
    uc_z_arch(z, "googlenet");
    uc_z_preset(z, "torchvision:googlenet");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv1.conv.weight", 1), 0, 0);
    x = transform_input(z, "conv1.bn", x);
    x = basic(z, "conv1", x, (uc_z_window){.kernel = 7, .stride = 2});
    x = uc_z_max_pool(z, x, 3, 2, 0, true);
    x = plain(z, "conv3", plain(z, "conv2", x));
    x = uc_z_max_pool(z, x, 3, 2, 0, true);
    for (int i = 0; i < 9; i++) {
        x = module(z, modules[i], x);
        if (i == 1) x = uc_z_max_pool(z, x, 3, 2, 0, true);
        if (i == 6) x = uc_z_max_pool(z, x, 2, 2, 0, true);
    }
    uc_z_skip_under(z, "aux1.");
    uc_z_skip_under(z, "aux2.");
    uc_z_output(z, "output", uc_z_linear(z, "fc", uc_z_global_avg_pool(z, x, false), 0, true));
}

/* ---- Inception v3 ----------------------------------------------------------------------------- */

/* name_1, name_2, ... one after another. */
static uc_zv chain(uc_zoo *z, const char *name, int count, uc_zv x)
{
    for (int i = 1; i <= count; i++) {
        x = plain(z, uc_z_key(z, "%s_%d", name, i), x);
    }
    return x;
}

static uc_zv pooled(uc_zoo *z, uc_zv x)
{
    return plain(z, "branch_pool", uc_z_avg_pool(z, x, 3, 1, 1, false, true));
}

static uc_zv module_a(uc_zoo *z, uc_zv x)
{
    const uc_zv parts[] = {plain(z, "branch1x1", x), chain(z, "branch5x5", 2, x),
                           chain(z, "branch3x3dbl", 3, x), pooled(z, x)};
    return uc_z_cat(z, parts, 4);
}

static uc_zv module_b(uc_zoo *z, uc_zv x)
{
    const uc_zv y = chain(z, "branch3x3dbl", 2, x);
    const uc_zv parts[] = {down(z, "branch3x3", x), down(z, "branch3x3dbl_3", y),
                           uc_z_max_pool(z, x, 3, 2, 0, false)};
    return uc_z_cat(z, parts, 3);
}

static uc_zv module_c(uc_zoo *z, uc_zv x)
{
    const uc_zv parts[] = {plain(z, "branch1x1", x), chain(z, "branch7x7", 3, x),
                           chain(z, "branch7x7dbl", 5, x), pooled(z, x)};
    return uc_z_cat(z, parts, 4);
}

static uc_zv module_d(uc_zoo *z, uc_zv x)
{
    const uc_zv three = plain(z, "branch3x3_1", x), seven = chain(z, "branch7x7x3", 3, x);
    const uc_zv parts[] = {down(z, "branch3x3_2", three), down(z, "branch7x7x3_4", seven),
                           uc_z_max_pool(z, x, 3, 2, 0, false)};
    return uc_z_cat(z, parts, 3);
}

static uc_zv module_e(uc_zoo *z, uc_zv x)
{
    const uc_zv a = plain(z, "branch3x3_1", x), b = chain(z, "branch3x3dbl", 2, x);
    const uc_zv parts[] = {plain(z, "branch1x1", x),       plain(z, "branch3x3_2a", a),
                           plain(z, "branch3x3_2b", a),    plain(z, "branch3x3dbl_3a", b),
                           plain(z, "branch3x3dbl_3b", b), pooled(z, x)};
    return uc_z_cat(z, parts, 6);
}

static uc_zv mixed(uc_zoo *z, const char *name, uc_zv (*make)(uc_zoo *z, uc_zv x), uc_zv x)
{
    const size_t mark = uc_z_enter(z, "Mixed_%s", name);
    x = make(z, x);
    uc_z_leave(z, mark);
    return x;
}

void uc_zoo_inception_v3(uc_zoo *z)
{
    static const struct {
        const char *name;
        uc_zv (*make)(uc_zoo *z, uc_zv x);
    } modules[] = {{"5b", module_a}, {"5c", module_a}, {"5d", module_a}, {"6a", module_b},
                   {"6b", module_c}, {"6c", module_c}, {"6d", module_c}, {"6e", module_c},
                   {"7a", module_d}, {"7b", module_e}, {"7c", module_e}};
    const uc_z_window valid = {.kernel = 3, .valid = true};
    uc_z_arch(z, "inception_v3");
    uc_z_preset(z, "torchvision:inception_v3");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "Conv2d_1a_3x3.conv.weight", 1), 0, 0);
    x = transform_input(z, "Conv2d_1a_3x3.bn", x);
    x = basic(z, "Conv2d_2a_3x3", down(z, "Conv2d_1a_3x3", x), valid);
    x = uc_z_max_pool(z, plain(z, "Conv2d_2b_3x3", x), 3, 2, 0, false);
    x = basic(z, "Conv2d_4a_3x3", plain(z, "Conv2d_3b_1x1", x), valid);
    x = uc_z_max_pool(z, x, 3, 2, 0, false);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        x = mixed(z, modules[i].name, modules[i].make, x);
    }
    uc_z_skip_under(z, "AuxLogits.");
    uc_z_output(z, "output", uc_z_linear(z, "fc", uc_z_global_avg_pool(z, x, false), 0, true));
}
