/* SSD300 and SSDLite320. Source: torchvision/models/detection/{ssd,ssdlite,anchor_utils}.py. */
#include "import/pytorch/zoo/zoo_detect.h"
#include "import/pytorch/zoo/zoo_mobile.h"

#define LEVELS 6

typedef struct ssd {
    bool lite;
    int64_t side;         /* of the picture */
    int64_t grid[LEVELS]; /* cells a side */
    double steps[LEVELS]; /* pixels of a cell; 0: the grid's own */
    double scales[LEVELS + 1];
    int ratios[LEVELS]; /* 1: only 2; 2: 2 and 3 */
    double score, overlap;
    int64_t top, candidates;
    uc_z_transform transform;
} ssd;

static const ssd ssd300 = {
    .side = 300,
    .grid = {38, 19, 10, 5, 3, 1},
    .steps = {8, 16, 32, 64, 100, 300},
    .scales = {0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05},
    .ratios = {1, 2, 2, 2, 1, 1},
    .score = 0.01,
    .overlap = 0.45,
    .top = 200,
    .candidates = 400,
    .transform = {.mean = {0.48235, 0.45882, 0.40784},
                  .std = {1.0 / 255, 1.0 / 255, 1.0 / 255},
                  .fixed = 300},
};

static const ssd lite320 = {
    .lite = true,
    .side = 320,
    .grid = {20, 10, 5, 3, 2, 1},
    .scales = {0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0},
    .ratios = {2, 2, 2, 2, 2, 2},
    .score = 0.001,
    .overlap = 0.55,
    .top = 300,
    .candidates = 300,
    .transform = {.mean = {0.5, 0.5, 0.5}, .std = {0.5, 0.5, 0.5}, .fixed = 320},
};

/* ---- default boxes ---------------------------------------------------------------------------- */

/* Widths and heights of a level's boxes, in float32 and at most 1: how many. */
static int shapes(const ssd *s, int level, float wh[6][2])
{
    const double own = s->scales[level];
    const double between = __builtin_sqrt(own * s->scales[level + 1]);
    int n = 2;
    wh[0][0] = wh[0][1] = (float)own;
    wh[1][0] = wh[1][1] = (float)between;
    for (int r = 0; r < s->ratios[level]; r++, n += 2) {
        const double root = __builtin_sqrt(r ? 3.0 : 2.0);
        wh[n][0] = wh[n + 1][1] = (float)(own * root);
        wh[n][1] = wh[n + 1][0] = (float)(own / root);
    }
    for (int i = 0; i < 2 * n; i++) {
        if (wh[i / 2][i % 2] > 1) wh[i / 2][i % 2] = 1;
    }
    return n;
}

static double *level_boxes(const ssd *s, int level, double *out)
{
    float wh[6][2];
    const int n = shapes(s, level, wh);
    const double cells =
        s->steps[level] > 0 ? (double)s->side / s->steps[level] : (double)s->grid[level];
    const float side = (float)s->side;
    for (int64_t cell = 0; cell < s->grid[level] * s->grid[level]; cell++) {
        const float x = ((float)(cell % s->grid[level]) + 0.5F) / (float)cells;
        const float y = ((float)(cell / s->grid[level]) + 0.5F) / (float)cells;
        for (int i = 0; i < n; i++) {
            *out++ = (double)((x - 0.5F * wh[i][0]) * side);
            *out++ = (double)((y - 0.5F * wh[i][1]) * side);
            *out++ = (double)((x + 0.5F * wh[i][0]) * side);
            *out++ = (double)((y + 0.5F * wh[i][1]) * side);
        }
    }
    return out;
}

static uc_ref default_boxes(uc_zoo *z, const ssd *s)
{
    int64_t shape[] = {0, 4};
    if (z->matching) return 0;
    for (int i = 0; i < LEVELS; i++) {
        shape[0] += s->grid[i] * s->grid[i] * (2 + 2 * s->ratios[i]);
    }
    double *v = UC_NEW(z->arena, double, (size_t)(4 * shape[0]));
    if (!v) return uc_t_fail(z->build, "no memory for the default boxes");
    double *end = v;
    for (int i = 0; i < LEVELS; i++) {
        end = level_boxes(s, i, end);
    }
    return uc_t_values(z->build, UNCORK_FLOAT32, v, 2, shape);
}

/* ---- trunks ----------------------------------------------------------------------------------- */

static uc_zv conv_relu(uc_zoo *z, const char *name, uc_zv x, uc_z_window w)
{
    w.bias = true;
    return uc_z_act(z, "relu", uc_z_conv(z, name, x, w));
}

static const uc_z_window three = {.kernel = 3}, one = {.kernel = 1};

/* VGG-16 up to conv4_3, whose values are scaled by their length. */
static uc_zv vgg_features(uc_zoo *z, uc_zv x)
{
    static const int at[] = {0, 2, 5, 7, 10, 12, 14, 17, 19, 21};
    for (int i = 0; i < 10; i++) {
        x = conv_relu(z, uc_z_key(z, "backbone.features.%d", at[i]), x, three);
        if (i == 1 || i == 3 || i == 6) x = uc_z_max_pool(z, x, 2, 2, 0, i == 6);
    }
    return x;
}

static void vgg_trunk(uc_zoo *z, uc_zv x, uc_zv out[LEVELS])
{
    uc_t_build *b = z->build;
    static const int64_t column[] = {1, -1, 1, 1};
    x = vgg_features(z, x);
    const uc_ref scale = uc_t_reshape(b, UC_Z_P(z, "backbone.scale_weight", x.c), column, 4);
    out[0] = (uc_zv){uc_t_mul(b, scale, uc_t_normalize(b, x.ref, 2, 1, 1e-12)), x.c};
    x = uc_z_max_pool(z, x, 2, 2, 0, false);
    for (int i = 1; i <= 5; i += 2) {
        x = conv_relu(z, uc_z_key(z, "backbone.extra.0.%d", i), x, three);
    }
    x = uc_z_max_pool(z, x, 3, 1, 1, false);
    x = conv_relu(z, "backbone.extra.0.7.1", x, (uc_z_window){.kernel = 3, .dilation = 6});
    out[1] = x = conv_relu(z, "backbone.extra.0.7.3", x, one);
    for (int i = 1; i <= 4; i++) {
        const uc_z_window w = {.kernel = 3, .stride = i < 3 ? 2 : 1, .valid = i >= 3};
        x = conv_relu(z, uc_z_key(z, "backbone.extra.%d.0", i), x, one);
        out[i + 1] = x = conv_relu(z, uc_z_key(z, "backbone.extra.%d.2", i), x, w);
    }
}

#define LITE_EPS 1e-3

static uc_zv lite_extra(uc_zoo *z, int i, uc_zv x)
{
    const size_t mark = uc_z_enter(z, "backbone.extra.%d", i);
    x = uc_z_conv_norm(z, "0", x, one, LITE_EPS, "relu6");
    const uc_z_window w = {.out = x.c, .kernel = 3, .stride = 2, .groups = UC_Z_DEPTHWISE};
    x = uc_z_conv_norm(z, "1", x, w, LITE_EPS, "relu6");
    x = uc_z_conv_norm(z, "2", x, one, LITE_EPS, "relu6");
    uc_z_leave(z, mark);
    return x;
}

/* MobileNetV3-Large, cut behind the expansion of its last strided block. */
static void lite_trunk(uc_zoo *z, uc_zv x, uc_zv out[LEVELS])
{
    const uc_z_mobile_v3 net = {.large = true, .blocks = 15, .eps = LITE_EPS};
    size_t mark = uc_z_enter(z, "backbone.features.0");
    for (int i = 0; i < 13; i++) {
        x = uc_z_mobile_v3_layer(z, &net, i, x, NULL);
    }
    out[0] = x = uc_z_conv_norm(z, "13", x, one, LITE_EPS, "hardswish");
    uc_z_leave(z, mark);
    mark = uc_z_enter(z, "backbone.features.1");
    const uc_z_window w = {.out = x.c, .stride = 2, .groups = UC_Z_DEPTHWISE};
    x = uc_z_conv_norm(z, "0.1", x, w, LITE_EPS, "hardswish");
    x = uc_z_excite(z, "0.2", x, "relu", "hardsigmoid");
    x = uc_z_conv_norm(z, "0.3", x, one, LITE_EPS, NULL);
    for (int i = 14; i <= 15; i++) {
        const size_t block = uc_z_enter(z, "%d.block", i - 13);
        uc_zv y = uc_z_conv_norm(z, "0", x, one, LITE_EPS, "hardswish");
        y = uc_z_conv_norm(z, "1", y, (uc_z_window){.out = y.c, .groups = UC_Z_DEPTHWISE}, LITE_EPS,
                           "hardswish");
        y = uc_z_excite(z, "2", y, "relu", "hardsigmoid");
        x = uc_z_add(z, uc_z_conv_norm(z, "3", y, one, LITE_EPS, NULL), x);
        uc_z_leave(z, block);
    }
    out[1] = x = uc_z_conv_norm(z, "3", x, one, LITE_EPS, "hardswish");
    uc_z_leave(z, mark);
    for (int i = 0; i < 4; i++) {
        out[i + 2] = x = lite_extra(z, i, x);
    }
}

/* ---- heads ------------------------------------------------------------------------------------ */

/* Every level's values, [boxes, k]. */
static uc_ref head(uc_zoo *z, const ssd *s, const char *name, const uc_zv levels[LEVELS], int64_t k)
{
    uc_ref parts[LEVELS];
    for (int i = 0; i < LEVELS; i++) {
        const size_t mark = uc_z_enter(z, "head.%s.module_list.%d", name, i);
        const int64_t out = k * (2 + 2 * s->ratios[i]);
        uc_zv x = levels[i];
        if (s->lite) {
            const uc_z_window w = {.out = x.c, .kernel = 3, .groups = UC_Z_DEPTHWISE};
            x = uc_z_conv_norm(z, "0", x, w, LITE_EPS, "relu6");
            x = uc_z_conv(z, "1", x, (uc_z_window){.out = out, .kernel = 1, .bias = true});
            uc_z_leave(z, mark);
        } else {
            uc_z_leave(z, mark);
            const char *key = uc_z_key(z, "head.%s.module_list.%d", name, i);
            x = uc_z_conv(z, key, x, (uc_z_window){.out = out, .kernel = 3, .bias = true});
        }
        parts[i] = uc_z_cells(z, x, k);
    }
    return uc_t_cat(z->build, parts, LEVELS, 0);
}

/* The best of each class above the threshold, class by class. */
static void detect(uc_zoo *z, const ssd *s, uc_ref logits, uc_ref codes, int64_t classes,
                   const uc_z_frame *frame)
{
    static const double weights[] = {10, 10, 5, 5};
    static const int64_t swap[] = {1, 0}, flat[] = {-1};
    uc_t_build *b = z->build;
    uc_graph *g = b->graph;
    const uc_ref boxes = uc_z_clip(z, uc_z_decode(z, codes, default_boxes(z, s), weights), frame);
    uc_ref scores = uc_t_permute(b, uc_t_softmax(b, logits, 1), swap, 2);
    scores = uc_t_slice(b, scores, 0, 1, INT64_MAX, 1);
    const uc_ref in[] = {scores, uc_graph_i64s(g, &s->candidates, 1)};
    uc_node *n = uc_graph_node(g, "TopK", in, 2, 2);
    uc_node_int(g, n, "axis", 1);
    const uc_ref best = uc_t_reshape(b, uc_node_out(n, 0), flat, 1);
    const uc_ref which = uc_t_reshape(b, uc_node_out(n, 1), flat, 1);
    const uc_ref keep = uc_z_where(z, uc_z_op2(z, "Greater", best, uc_z_f32(z, s->score)));
    uc_ref labels = uc_z_op2(z, "Div", keep, uc_z_i64(z, s->candidates));
    labels = uc_z_op2(z, "Add", labels, uc_z_i64(z, 1));
    const uc_ref kept_boxes = uc_z_pick(z, boxes, uc_z_pick(z, which, keep));
    const uc_ref kept_scores = uc_z_pick(z, best, keep);
    const uc_ref last = uc_z_nms(z, kept_boxes, kept_scores, labels, classes, s->overlap, s->top);
    uc_z_detections(z, uc_z_pick(z, kept_boxes, last), uc_z_pick(z, kept_scores, last),
                    uc_z_pick(z, labels, last), frame);
}

void uc_zoo_ssd(uc_zoo *z)
{
    uc_zv levels[LEVELS] = {{0, 0}};
    const ssd *s = uc_z_has(z, "backbone.scale_weight") ? &ssd300 : &lite320;
    const char *name = s->lite ? "ssdlite320_mobilenet_v3_large" : "ssd300_vgg16";
    const char *first = s->lite ? "head.classification_head.module_list.0.1.weight"
                                : "head.classification_head.module_list.0.weight";
    const int64_t classes = uc_z_dim(z, first, 0) / (2 + 2 * s->ratios[0]);
    uc_z_source(z, "torchvision", "detection");
    uc_z_arch(z, "%s", name);
    uc_z_preset(z, "torchvision:%s", name);
    const uc_z_frame frame = uc_z_frame_of(z, &s->transform);
    if (s->lite) {
        lite_trunk(z, frame.x, levels);
    } else {
        vgg_trunk(z, frame.x, levels);
    }
    const uc_ref logits = head(z, s, "classification_head", levels, classes);
    const uc_ref codes = head(z, s, "regression_head", levels, 4);
    if (classes < 2) uc_z_unlike(z, "two classes");
    detect(z, s, logits, codes, classes, &frame);
}
