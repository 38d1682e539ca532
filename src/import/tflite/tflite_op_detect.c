/* Suppression of boxes. Source: tensorflow/lite/kernels/non_max_suppression.cc,
 * tensorflow/lite/kernels/detection_postprocess.cc. */
#include "import/tflite/tflite_layout.h"

#include <math.h>

static uc_ref scalar(uc_graph *g, uc_ref a) { return uc_g_reshape(g, a, (const int64_t[]){0}, 0); }
static uc_ref flat(uc_graph *g, uc_ref a) { return uc_g_reshape(g, a, (const int64_t[]){-1}, 1); }

/* x [k, ...] of `rank` with zeros behind it up to `most` (int64 [1]) rows. */
static uc_ref padded(uc_graph *g, uc_ref x, int rank, uc_ref most)
{
    const int64_t zero = 0;
    const uc_ref count = uc_g_slice(g, uc_g1(g, "Shape", x), 0, 0, 1);
    uc_ref before[2 * UNCORK_MAX_RANK];
    for (int i = 0; i < 2 * rank; i++) {
        before[i] = i == rank ? uc_g2(g, "Sub", most, count) : uc_graph_i64s(g, &zero, 1);
    }
    return uc_g2(g, "Pad", x, uc_g_concat(g, before, (size_t)(2 * rank), 0));
}

/* Inputs: boxes [n, 4], scores [n], how many, overlap, least score; of version 5 a sigma. */
void uc_tfl_nms(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    static const int64_t boxes[] = {1, -1, 4}, scores[] = {1, 1, -1};
    const bool scored = c->op->row->code == 121;
    const uc_ref most = flat(g, uc_tfl_i64(c, 2));
    const uc_ref in[] = {uc_g_reshape(g, uc_tfl_in(c, 0), boxes, 3),
                         uc_g_reshape(g, uc_tfl_in(c, 1), scores, 3), most,
                         flat(g, uc_tfl_in(c, 3)), flat(g, uc_tfl_in(c, 4))};
    if (scored) {
        const uc_ref sigma = uc_tfl_in(c, 5);
        const uc_tensor *k = sigma ? g->values[sigma].constant : NULL;
        if (!k || k->dtype != UNCORK_FLOAT32 || *(const float *)k->data != 0) {
            uc_tfl_fail(c, "its scores are lowered by overlap (a sigma other than 0)");
            return;
        }
    }
    const uc_ref found = uc_node_out(uc_graph_node(g, "NonMaxSuppression", in, 5, 1), 0);
    const uc_ref at = uc_g_gather(g, found, uc_graph_i64(g, 2), 1);
    const uc_ref count = uc_g_cast(g, scalar(g, uc_g1(g, "Size", at)), UNCORK_INT32);
    uc_tfl_out_raw(c, 0, uc_g_cast(g, padded(g, at, 1, most), UNCORK_INT32));
    if (scored) uc_tfl_out_raw(c, 1, padded(g, uc_g_gather(g, uc_tfl_in(c, 1), at, 0), 1, most));
    uc_tfl_out_raw(c, scored ? 2 : 1, count);
}

/* ---- TFLite_Detection_PostProcess ------------------------------------------------------------ */

typedef struct settings {
    double most, each, regular, per_class, score, overlap, classes, y, x, h, w;
} settings;

static bool read_settings(uc_tfl_call *c, settings *s)
{
    const uc_bytes b = c->op->custom;
    *s = (settings){.most = uc_tfl_flex(b, "max_detections"),
                    .each = uc_tfl_flex(b, "max_classes_per_detection"),
                    .regular = uc_tfl_flex(b, "use_regular_nms"),
                    .per_class = uc_tfl_flex(b, "detections_per_class"),
                    .score = uc_tfl_flex(b, "nms_score_threshold"),
                    .overlap = uc_tfl_flex(b, "nms_iou_threshold"),
                    .classes = uc_tfl_flex(b, "num_classes"),
                    .y = uc_tfl_flex(b, "y_scale"),
                    .x = uc_tfl_flex(b, "x_scale"),
                    .h = uc_tfl_flex(b, "h_scale"),
                    .w = uc_tfl_flex(b, "w_scale")};
    if (isnan(s->regular)) s->regular = 0;
    if (isnan(s->per_class)) s->per_class = 100;
    if (s->most >= 1 && s->most <= 100000 && s->classes >= 1 && s->classes <= 100000 &&
        s->per_class >= 1 && s->per_class <= 100000 && !isnan(s->score) && !isnan(s->overlap) &&
        s->y > 0 && s->x > 0 && s->h > 0 && s->w > 0 && (s->each == 1 || s->regular != 0)) {
        return true;
    }
    uc_tfl_fail(c, "its settings are missing, or it gives several classes a box");
    return false;
}

static uc_ref column(uc_graph *g, uc_ref a, int64_t i) { return uc_g_slice(g, a, -1, i, i + 1); }

/* A centre and half a size along one axis: `at` 0 for rows, 1 for columns. */
static void decode_axis(uc_graph *g, uc_ref raw, uc_ref anchor, int64_t at, double centre,
                        double size, uc_ref *low, uc_ref *high)
{
    const uc_ref whole = column(g, anchor, at + 2);
    uc_ref mid = uc_g2(g, "Div", column(g, raw, at), uc_graph_f32(g, (float)centre));
    mid = uc_g2(g, "Add", uc_g2(g, "Mul", mid, whole), column(g, anchor, at));
    uc_ref half = uc_g2(g, "Div", column(g, raw, at + 2), uc_graph_f32(g, (float)size));
    half = uc_g2(g, "Mul", uc_graph_f32(g, 0.5f), uc_g1(g, "Exp", half));
    half = uc_g2(g, "Mul", half, whole);
    *low = uc_g2(g, "Sub", mid, half);
    *high = uc_g2(g, "Add", mid, half);
}

/* Boxes [n, 4] as top, left, bottom, right. */
static uc_ref decode(uc_tfl_call *c, const settings *s)
{
    uc_graph *g = c->graph;
    static const int64_t shape[] = {-1, 4};
    const uc_ref raw = uc_g_reshape(g, uc_tfl_in(c, 0), shape, 2), anchor = uc_tfl_in(c, 2);
    uc_ref parts[4];
    decode_axis(g, raw, anchor, 0, s->y, s->h, &parts[0], &parts[2]);
    decode_axis(g, raw, anchor, 1, s->x, s->w, &parts[1], &parts[3]);
    return uc_g_concat(g, parts, 4, 1);
}

static void finish(uc_tfl_call *c, const settings *s, uc_ref boxes, uc_ref classes, uc_ref scores)
{
    uc_graph *g = c->graph;
    const int64_t n = (int64_t)s->most, pair[] = {1, n}, quad[] = {1, n, 4};
    const uc_ref most = uc_graph_i64s(g, &n, 1);
    const uc_ref count = flat(g, uc_g1(g, "Size", scores));
    classes = uc_g_cast(g, classes, UNCORK_FLOAT32);
    uc_tfl_out(c, 0, uc_g_reshape(g, padded(g, boxes, 2, most), quad, 3));
    uc_tfl_out(c, 1, uc_g_reshape(g, padded(g, classes, 1, most), pair, 2));
    uc_tfl_out(c, 2, uc_g_reshape(g, padded(g, scores, 1, most), pair, 2));
    uc_tfl_out(c, 3, uc_g_cast(g, count, UNCORK_FLOAT32));
}

/* Scores [n, classes] to chosen [k, 3]: 0, class, box. A score equal to the least one counts. */
static uc_ref suppress(uc_graph *g, const settings *s, uc_ref boxes, uc_ref scores, double most)
{
    const int64_t n = (int64_t)most;
    const uc_ref in[] = {uc_g_unsqueeze(g, boxes, 0),
                         uc_g_unsqueeze(g, uc_g_transpose(g, scores), 0), uc_graph_i64s(g, &n, 1),
                         flat(g, uc_graph_f32(g, (float)s->overlap)),
                         flat(g, uc_graph_f32(g, nextafterf((float)s->score, -INFINITY)))};
    return uc_node_out(uc_graph_node(g, "NonMaxSuppression", in, 5, 1), 0);
}

void uc_tfl_detection_post_process(uc_tfl_call *c)
{
    uc_graph *g = c->graph;
    settings s;
    if (!read_settings(c, &s)) return;
    const int64_t classes = (int64_t)s.classes;
    const int64_t shape[] = {-1, uc_tfl_dim(c, uc_tfl_in(c, 1), 2)};
    if (shape[1] < classes) {
        uc_tfl_fail(c, "fewer scores than classes");
        return;
    }
    const uc_ref all = uc_g_reshape(g, uc_tfl_in(c, 1), shape, 2);
    const uc_ref scores = uc_g_slice(g, all, 1, shape[1] - classes, shape[1]);
    const uc_ref boxes = decode(c, &s);
    if (s.regular == 0) { /* the best class of each box, all classes against each other */
        const uc_ref best = uc_g_reduce(g, "ReduceMax", scores, 1, true);
        const uc_ref found = suppress(g, &s, boxes, best, s.most);
        const uc_ref at = uc_g_gather(g, found, uc_graph_i64(g, 2), 1);
        finish(c, &s, uc_g_gather(g, boxes, at, 0),
               uc_g_gather(g, uc_g_argmax(g, scores, 1, false), at, 0),
               uc_g_gather(g, flat(g, best), at, 0));
        return;
    }
    const uc_ref found = suppress(g, &s, boxes, scores, s.per_class);
    const uc_ref kind = uc_g_gather(g, found, uc_graph_i64(g, 1), 1);
    const uc_ref at = uc_g_gather(g, found, uc_graph_i64(g, 2), 1);
    const uc_ref pairs[] = {uc_g_unsqueeze(g, at, 1), uc_g_unsqueeze(g, kind, 1)};
    const uc_ref values = uc_g2(g, "GatherND", scores, uc_g_concat(g, pairs, 2, 1));
    const uc_ref k = uc_g2(g, "Min", uc_g1(g, "Size", values), uc_graph_i64(g, (int64_t)s.most));
    const uc_ref in[] = {values, flat(g, k)};
    uc_node *top = uc_graph_node(g, "TopK", in, 2, 2);
    const uc_ref score = uc_node_out(top, 0), order = uc_node_out(top, 1);
    finish(c, &s, uc_g_gather(g, boxes, uc_g_gather(g, at, order, 0), 0),
           uc_g_gather(g, kind, order, 0), score);
}
