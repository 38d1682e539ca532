/* FCN, DeepLabV3 and LR-ASPP. Source: torchvision/models/segmentation/{fcn,deeplabv3,lraspp,_utils}.py. */
#include "import/pytorch/zoo/zoo_mobile.h"
#include "import/pytorch/zoo/zoo_resnet.h"

#define EPS 1e-5

/* The trunk's last features and those that an auxiliary head, or the low classifier, looks at. */
typedef struct features {
    uc_zv out, aux;
    const char *trunk; /* "resnet50", "mobilenet_v3_large" */
} features;

static uc_zv conv_norm_relu(uc_zoo *z, int at, uc_zv x, uc_z_window w)
{
    x = uc_z_conv(z, uc_z_key(z, "%d", at), x, w);
    x = uc_z_batch_norm(z, uc_z_key(z, "%d", at + 1), x, EPS);
    return uc_z_act(z, "relu", x);
}

static features resnet(uc_zoo *z, uc_zv x)
{
    uc_zv stages[4] = {{0, 0}};
    const size_t mark = uc_z_enter(z, "backbone");
    uc_z_resnet net = uc_z_resnet_read(z);
    net.dilate[2] = 2;
    net.dilate[3] = 4;
    if (net.stages != 4) uc_z_unlike(z, "layer4");
    uc_z_resnet_trunk(z, &net, x, stages);
    uc_z_leave(z, mark);
    return (features){stages[3], stages[2], net.name ? net.name : "resnet"};
}

static features mobile(uc_zoo *z, uc_zv x)
{
    uc_z_mobile_v3 net = uc_z_mobile_v3_read(z, "backbone.");
    uc_zv aux = {0, 0};
    net.dilated = true;
    const size_t mark = uc_z_enter(z, "backbone");
    for (int i = 0; i <= net.blocks + 1; i++) {
        x = uc_z_mobile_v3_layer(z, &net, i, x, NULL);
        if (i == (net.large ? 4 : 2)) aux = x;
    }
    uc_z_leave(z, mark);
    return (features){x, aux, net.large ? "mobilenet_v3_large" : "mobilenet_v3_small"};
}

static features trunk(uc_zoo *z, uc_zv *picture)
{
    const bool res = uc_z_has(z, "backbone.conv1.weight");
    const char *first = res ? "backbone.conv1.weight" : "backbone.0.0.weight";
    *picture = uc_z_picture(z, uc_z_dim(z, first, 1), 0, 0);
    return res ? resnet(z, *picture) : mobile(z, *picture);
}

static uc_zv to_size_of(uc_zoo *z, uc_zv x, uc_zv like)
{
    return (uc_zv){uc_t_interpolate_like(z->build, x.ref, 2, like.ref, "linear", false), x.c};
}

static uc_zv fcn_head(uc_zoo *z, const char *name, uc_zv x)
{
    const size_t mark = uc_z_enter(z, "%s", name);
    x = conv_norm_relu(z, 0, x, (uc_z_window){.kernel = 3});
    x = uc_z_conv(z, "4", x, (uc_z_window){.kernel = 1, .bias = true});
    uc_z_leave(z, mark);
    return x;
}

/* Atrous spatial pyramid pooling. */
static uc_zv pyramid(uc_zoo *z, uc_zv x)
{
    static const int64_t rates[] = {0, 12, 24, 36};
    uc_zv parts[5];
    for (int i = 0; i < 4; i++) {
        const size_t mark = uc_z_enter(z, "convs.%d", i);
        const uc_z_window w = {.kernel = i ? 3 : 1, .dilation = rates[i]};
        parts[i] = conv_norm_relu(z, 0, x, w);
        uc_z_leave(z, mark);
    }
    size_t mark = uc_z_enter(z, "convs.4");
    parts[4] = conv_norm_relu(z, 1, uc_z_global_avg_pool(z, x, true), (uc_z_window){.kernel = 1});
    uc_z_leave(z, mark);
    parts[4] = to_size_of(z, parts[4], x);
    mark = uc_z_enter(z, "project");
    x = conv_norm_relu(z, 0, uc_z_cat(z, parts, 5), (uc_z_window){.kernel = 1});
    uc_z_leave(z, mark);
    return x;
}

static void outputs(uc_zoo *z, const features *f, uc_zv out, uc_zv picture)
{
    uc_z_output(z, "out", to_size_of(z, out, picture));
    if (!uc_z_has(z, "aux_classifier.0.weight")) return;
    uc_z_output(z, "aux", to_size_of(z, fcn_head(z, "aux_classifier", f->aux), picture));
}

static void name_it(uc_zoo *z, const char *head, const features *f)
{
    uc_z_source(z, "torchvision", "segmentation");
    uc_z_arch(z, "%s_%s", head, f->trunk);
    uc_z_preset(z, "torchvision:%s_%s", head, f->trunk);
}

void uc_zoo_fcn(uc_zoo *z)
{
    uc_zv picture;
    const features f = trunk(z, &picture);
    name_it(z, "fcn", &f);
    outputs(z, &f, fcn_head(z, "classifier", f.out), picture);
}

void uc_zoo_deeplabv3(uc_zoo *z)
{
    uc_zv picture;
    const features f = trunk(z, &picture);
    name_it(z, "deeplabv3", &f);
    size_t mark = uc_z_enter(z, "classifier.0");
    uc_zv x = pyramid(z, f.out);
    uc_z_leave(z, mark);
    mark = uc_z_enter(z, "classifier");
    x = conv_norm_relu(z, 1, x, (uc_z_window){.kernel = 3});
    x = uc_z_conv(z, "4", x, (uc_z_window){.kernel = 1, .bias = true});
    uc_z_leave(z, mark);
    outputs(z, &f, x, picture);
}

void uc_zoo_lraspp(uc_zoo *z)
{
    uc_zv picture;
    const features f = trunk(z, &picture);
    name_it(z, "lraspp", &f);
    const size_t mark = uc_z_enter(z, "classifier");
    uc_zv s =
        uc_z_conv(z, "scale.1", uc_z_global_avg_pool(z, f.out, true), (uc_z_window){.kernel = 1});
    s = uc_z_act(z, "sigmoid", s);
    const size_t inner = uc_z_enter(z, "cbr");
    uc_zv x = conv_norm_relu(z, 0, f.out, (uc_z_window){.kernel = 1});
    uc_z_leave(z, inner);
    x = to_size_of(z, uc_z_mul(z, x, s), f.aux);
    const uc_z_window one = {.kernel = 1, .bias = true};
    const uc_zv low = uc_z_conv(z, "low_classifier", f.aux, one);
    x = uc_z_add(z, low, uc_z_conv(z, "high_classifier", x, one));
    uc_z_leave(z, mark);
    uc_z_output(z, "out", to_size_of(z, x, picture));
}
