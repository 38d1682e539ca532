/* MTCNN's three networks and InceptionResnetV1, which finds and tells faces.
 * Source: timesler/facenet-pytorch models/{mtcnn,inception_resnet_v1}.py. */
#include "import/pytorch/zoo/zoo_build.h"

#define EPS 1e-3

/* ---- MTCNN ------------------------------------------------------------------------------------ */

static uc_zv prelu(uc_zoo *z, const char *name, uc_zv x)
{
    const uc_ref weight = UC_Z_P(z, uc_z_key(z, "%s.weight", name), x.c);
    return (uc_zv){uc_t_prelu(z->build, x.ref, weight), x.c};
}

static uc_zv conv(uc_zoo *z, int i, uc_zv x)
{
    x = uc_z_conv(z, uc_z_key(z, "conv%d", i), x, (uc_z_window){.valid = true, .bias = true});
    return prelu(z, uc_z_key(z, "prelu%d", i), x);
}

static uc_zv softmax(uc_zoo *z, uc_zv x) { return (uc_zv){uc_t_softmax(z->build, x.ref, 1), x.c}; }

static void face_source(uc_zoo *z, const char *name)
{
    uc_z_source(z, "facenet-pytorch", "detection");
    uc_z_arch(z, "%s", name);
}

void uc_zoo_mtcnn_pnet(uc_zoo *z)
{
    const uc_z_window one = {.kernel = 1, .bias = true};
    face_source(z, "mtcnn_pnet");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv1.weight", 1), 0, 0);
    x = uc_z_max_pool(z, conv(z, 1, x), 2, 2, 0, true);
    x = conv(z, 3, conv(z, 2, x));
    uc_z_output(z, "reg", uc_z_conv(z, "conv4_2", x, one));
    uc_z_output(z, "prob", softmax(z, uc_z_conv(z, "conv4_1", x, one)));
}

/* The dense layers take rows of columns of channels. */
static uc_zv flat(uc_zoo *z, uc_zv x, int64_t cells)
{
    static const int64_t perm[] = {0, 3, 2, 1};
    return uc_z_flatten(z, uc_z_permute(z, x, 4, perm), cells);
}

void uc_zoo_mtcnn_rnet(uc_zoo *z)
{
    face_source(z, "mtcnn_rnet");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv1.weight", 1), 24, 24);
    x = uc_z_max_pool(z, conv(z, 1, x), 3, 2, 0, true);
    x = uc_z_max_pool(z, conv(z, 2, x), 3, 2, 0, true);
    x = flat(z, conv(z, 3, x), 9);
    x = prelu(z, "prelu4", uc_z_linear(z, "dense4", x, 0, true));
    uc_z_output(z, "reg", uc_z_linear(z, "dense5_2", x, 0, true));
    uc_z_output(z, "prob", softmax(z, uc_z_linear(z, "dense5_1", x, 0, true)));
}

void uc_zoo_mtcnn_onet(uc_zoo *z)
{
    face_source(z, "mtcnn_onet");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv1.weight", 1), 48, 48);
    x = uc_z_max_pool(z, conv(z, 1, x), 3, 2, 0, true);
    x = uc_z_max_pool(z, conv(z, 2, x), 3, 2, 0, true);
    x = uc_z_max_pool(z, conv(z, 3, x), 2, 2, 0, true);
    x = flat(z, conv(z, 4, x), 9);
    x = prelu(z, "prelu5", uc_z_linear(z, "dense5", x, 0, true));
    uc_z_output(z, "reg", uc_z_linear(z, "dense6_2", x, 0, true));
    uc_z_output(z, "points", uc_z_linear(z, "dense6_3", x, 0, true));
    uc_z_output(z, "prob", softmax(z, uc_z_linear(z, "dense6_1", x, 0, true)));
}

/* ---- InceptionResnetV1 ------------------------------------------------------------------------ */

static uc_zv basic(uc_zoo *z, const char *name, uc_zv x, uc_z_window w)
{
    x = uc_z_conv(z, uc_z_key(z, "%s.conv", name), x, w);
    return uc_z_act(z, "relu", uc_z_batch_norm(z, uc_z_key(z, "%s.bn", name), x, EPS));
}

/* name.0, name.1, ...; the last with a stride of 2 and no padding where `down`. */
static uc_zv branch(uc_zoo *z, const char *name, uc_zv x, bool down)
{
    const int depth = uc_z_count(z, uc_z_key(z, "%s.%%d.conv.weight", name));
    const uc_z_window half = {.kernel = 3, .stride = 2, .valid = true}, plain = {0};
    if (!depth) return basic(z, name, x, down ? half : plain);
    for (int i = 0; i < depth; i++) {
        x = basic(z, uc_z_key(z, "%s.%d", name, i), x, down && i + 1 == depth ? half : plain);
    }
    return x;
}

static uc_zv residual(uc_zoo *z, uc_zv x, double scale, bool relu)
{
    uc_zv parts[3];
    const size_t count = uc_z_has(z, "branch2.0.conv.weight") ? 3 : 2;
    for (size_t i = 0; i < count; i++) {
        parts[i] = branch(z, uc_z_key(z, "branch%d", (int)i), x, false);
    }
    uc_zv y = uc_z_cat(z, parts, count);
    y = uc_z_conv(z, "conv2d", y, (uc_z_window){.out = x.c, .kernel = 1, .bias = true});
    y = uc_z_add(z, scale < 1 ? uc_z_scale(z, y, scale) : y, x);
    return relu ? uc_z_act(z, "relu", y) : y;
}

static uc_zv repeat(uc_zoo *z, const char *name, uc_zv x, double scale)
{
    const int depth = uc_z_count(z, uc_z_key(z, "%s.%%d.conv2d.weight", name));
    if (!depth) uc_z_unlike(z, "%s", name);
    for (int i = 0; i < depth; i++) {
        const size_t mark = uc_z_enter(z, "%s.%d", name, i);
        x = residual(z, x, scale, true);
        uc_z_leave(z, mark);
    }
    return x;
}

static uc_zv reduction(uc_zoo *z, const char *name, size_t branches, uc_zv x)
{
    uc_zv parts[4];
    const size_t mark = uc_z_enter(z, "%s", name);
    for (size_t i = 0; i < branches; i++) {
        parts[i] = branch(z, uc_z_key(z, "branch%d", (int)i), x, true);
    }
    parts[branches] = uc_z_max_pool(z, x, 3, 2, 0, false);
    uc_z_leave(z, mark);
    return uc_z_cat(z, parts, branches + 1);
}

void uc_zoo_inception_resnet_v1(uc_zoo *z)
{
    const uc_z_window valid = {.kernel = 3, .valid = true};
    const uc_z_window half = {.kernel = 3, .stride = 2, .valid = true};
    uc_z_source(z, "facenet-pytorch", "features");
    uc_z_arch(z, "inception_resnet_v1");
    uc_zv x = uc_z_picture(z, uc_z_dim(z, "conv2d_1a.conv.weight", 1), 0, 0);
    x = basic(z, "conv2d_2a", basic(z, "conv2d_1a", x, half), valid);
    x = uc_z_max_pool(z, basic(z, "conv2d_2b", x, (uc_z_window){0}), 3, 2, 0, false);
    x = basic(z, "conv2d_4a", basic(z, "conv2d_3b", x, (uc_z_window){0}), valid);
    x = repeat(z, "repeat_1", basic(z, "conv2d_4b", x, half), 0.17);
    x = repeat(z, "repeat_2", reduction(z, "mixed_6a", 2, x), 0.10);
    x = repeat(z, "repeat_3", reduction(z, "mixed_7a", 3, x), 0.20);
    const size_t mark = uc_z_enter(z, "block8");
    x = residual(z, x, 1, false);
    uc_z_leave(z, mark);
    x = uc_z_linear(z, "last_linear", uc_z_global_avg_pool(z, x, false), 0, false);
    x = uc_z_batch_norm(z, "last_bn", x, EPS);
    uc_z_skip_under(z, "logits.");
    uc_z_assume(z, "classify=False: the output is the face's vector of length 1");
    x.ref = uc_t_normalize(z->build, x.ref, 2, 1, 1e-12);
    uc_z_output(z, "output", x);
}
