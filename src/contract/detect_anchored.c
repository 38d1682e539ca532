/* Raw YOLO levels: a few anchors a cell, each tx, ty, tw, th, objectness and classes. v3 and v4 as
 * darknet decodes them (darknet/src/yolo_layer.c, get_yolo_box), v5 and v7 as models/yolo.py does. */
#include "contract/detect_internal.h"

#include <math.h>

/* [level][anchor]: width, height in pixels of the input, small strides first. */
typedef struct anchor_set {
    const char *name;
    int levels, strides[3];
    float anchors[3][3][2];
    float stretch[3]; /* scale_x_y of darknet */
    bool squared;     /* v5: sides are (2 sigmoid)^2 of the anchor */
} anchor_set;

enum { SET_V3, SET_V4, SET_V3_TINY, SET_V4_TINY, SET_V5 };

static const anchor_set sets[] = {
    {"YOLOv3",
     3,
     {8, 16, 32},
     {{{10, 13}, {16, 30}, {33, 23}},
      {{30, 61}, {62, 45}, {59, 119}},
      {{116, 90}, {156, 198}, {373, 326}}},
     {1, 1, 1},
     false},
    {"YOLOv4",
     3,
     {8, 16, 32},
     {{{12, 16}, {19, 36}, {40, 28}},
      {{36, 75}, {76, 55}, {72, 146}},
      {{142, 110}, {192, 243}, {459, 401}}},
     {1.2F, 1.1F, 1.05F},
     false},
    {"YOLOv3-tiny",
     2,
     {16, 32},
     {{{10, 14}, {23, 27}, {37, 58}}, {{81, 82}, {135, 169}, {344, 319}}},
     {1, 1},
     false},
    {"YOLOv4-tiny",
     2,
     {16, 32},
     {{{23, 27}, {37, 58}, {81, 82}}, {{81, 82}, {135, 169}, {344, 319}}},
     {1.05F, 1.05F},
     false},
    {"YOLOv5",
     3,
     {8, 16, 32},
     {{{10, 13}, {16, 30}, {33, 23}},
      {{30, 61}, {62, 45}, {59, 119}},
      {{116, 90}, {156, 198}, {373, 326}}},
     {2, 2, 2},
     true},
};

/* A level's cells however its axes stand: element k of anchor a at cell i. */
typedef struct level {
    const float *data;
    int64_t wide, high, values;
    int64_t step_cell, step_anchor, step_value;
} level;

/* [3, H, W, V], [H, W, 3, V], [3 * V, H, W] or [H, W, 3 * V]; false when it is none of them. */
static bool level_of(const int64_t *shape, int rank, level *l)
{
    if (rank == 4 && shape[0] == 3) {
        *l = (level){.high = shape[1], .wide = shape[2], .values = shape[3]};
        l->step_value = 1;
        l->step_cell = l->values;
        l->step_anchor = l->values * l->wide * l->high;
    } else if (rank == 4 && shape[2] == 3) {
        *l = (level){.high = shape[0], .wide = shape[1], .values = shape[3]};
        l->step_value = 1;
        l->step_anchor = l->values;
        l->step_cell = 3 * l->values;
    } else if (rank == 3 && shape[0] % 3 == 0 && shape[0] > shape[2]) {
        *l = (level){.high = shape[1], .wide = shape[2], .values = shape[0] / 3};
        l->step_cell = 1;
        l->step_value = l->wide * l->high;
        l->step_anchor = l->values * l->step_value;
    } else if (rank == 3 && shape[2] % 3 == 0) {
        *l = (level){.high = shape[0], .wide = shape[1], .values = shape[2] / 3};
        l->step_value = 1;
        l->step_anchor = l->values;
        l->step_cell = 3 * l->values;
    } else {
        return false;
    }
    return l->values >= 6 && l->wide > 0 && l->high > 0;
}

/* Levels by size, the finest first; all of one width of rows, each half as wide as the one before. */
static bool find_levels(const uc_detect_model *m, uc_detector *d, int rank)
{
    int64_t wide[UC_DETECT_LEVELS], values = 0;
    if (m->count < 2 || m->count > 3) return false;
    for (int i = 0; i < m->count; i++) {
        level l;
        if (!uc_model_is_float(m, i) || uc_model_rank(m, i) != rank + 1 ||
            !level_of(m->outputs[i]->shape + 1, rank, &l) || (values && l.values != values)) {
            return false;
        }
        values = l.values;
        int at = d->level_count++;
        for (; at > 0 && wide[at - 1] < l.wide; at--) {
            wide[at] = wide[at - 1];
            d->levels[at] = d->levels[at - 1];
        }
        wide[at] = l.wide;
        d->levels[at] = i;
    }
    for (int i = 1; i < d->level_count; i++) {
        if (wide[i - 1] != 2 * wide[i]) return false;
    }
    const int coarsest = 32;
    d->classes = values - 5;
    return m->input_width <= 0 || wide[d->level_count - 1] * coarsest == m->input_width;
}

static bool recognise_yolo_raw(const uc_detect_model *m, uc_detector *d)
{
    if (m->count != 3 || !find_levels(m, d, 4)) return false;
    if (m->outputs[0]->shape[1] != 3) return false; /* anchors behind the cells: TensorFlow's v4 */
    d->variant = SET_V5;
    uc_detect_why(
        d,
        "three grids [1, 3, H, W, 5 + %lld]: raw YOLOv5 or v7, decoded with the anchors of "
        "YOLOv5",
        (long long)d->classes);
    return true;
}

/* Feature pyramids are maps of one width too, of 16 times as many planes as a rule; heads aren't. */
static bool is_head(const uc_detect_model *m, const uc_detector *d)
{
    if (m->labels && (int64_t)m->labels == d->classes) return true;
    return d->classes == 80 || 3 * (5 + d->classes) % 16 != 0;
}

static bool recognise_yolov3(const uc_detect_model *m, uc_detector *d)
{
    uc_detector other = *d;
    if (!find_levels(m, d, 3)) {
        *d = other;
        if (!find_levels(m, d, 4)) return false;
    }
    if (!is_head(m, d)) return false;
    const char *graph = uc_model_fact(m, "graph");
    const bool four = uc_model_rank(m, 0) == 5 || strstr(graph, "v4") || strstr(graph, "V4");
    d->variant =
        d->level_count == 3 ? (four ? SET_V4 : SET_V3) : (four ? SET_V4_TINY : SET_V3_TINY);
    uc_detect_why(d, "%d grids of 3 x (5 + %lld) numbers a cell: raw %s, decoded with its anchors",
                  d->level_count, (long long)d->classes, sets[d->variant].name);
    return true;
}

static void anchored_box(const float t[4], const anchor_set *s, int at, int anchor, int64_t column,
                         int64_t line, const level *l, const uc_geometry *g, float box[4])
{
    const float *a = s->anchors[at][anchor];
    float xywh[4];
    if (s->squared) {
        const float stride = (float)s->strides[at];
        const float w = uc_detect_sigmoid(t[2]) * 2, h = uc_detect_sigmoid(t[3]) * 2;
        xywh[0] = (uc_detect_sigmoid(t[0]) * 2 + ((float)column - 0.5F)) * stride;
        xywh[1] = (uc_detect_sigmoid(t[1]) * 2 + ((float)line - 0.5F)) * stride;
        xywh[2] = w * w * a[0];
        xywh[3] = h * h * a[1];
    } else {
        const float k = s->stretch[at], back = 0.5F * (k - 1);
        xywh[0] = ((uc_detect_sigmoid(t[0]) * k - back) + (float)column) / (float)l->wide;
        xywh[1] = ((uc_detect_sigmoid(t[1]) * k - back) + (float)line) / (float)l->high;
        xywh[2] = expf(t[2]) * a[0] / (float)g->input_width;
        xywh[3] = expf(t[3]) * a[1] / (float)g->input_height;
    }
    uc_detect_corners(xywh, box);
}

static uncork_status decode_level(uc_detect_job *job, int at, int64_t *rows)
{
    const anchor_set *s = &sets[job->d->variant];
    uc_detect_array array;
    level l;
    UC_TRY(uc_detect_array_of(job, job->d->levels[at], false, &array));
    if (!level_of(array.shape, array.rank, &l) || l.values != 5 + job->d->classes)
        return uc_detect_unfit(job, "a level has another shape");
    l.data = array.data;
    for (int64_t i = 0; i < 3 * l.wide * l.high; i++) {
        const int64_t anchor = i / (l.wide * l.high), cell = i % (l.wide * l.high);
        const float *v = l.data + anchor * l.step_anchor + cell * l.step_cell;
        const float object = uc_detect_sigmoid(v[4 * l.step_value]);
        if (object <= job->threshold) continue;
        int64_t best = 0;
        for (int64_t c = 1; c < job->d->classes; c++) {
            if (v[(5 + c) * l.step_value] > v[(5 + best) * l.step_value]) best = c;
        }
        const float score = uc_detect_sigmoid(v[(5 + best) * l.step_value]) * object;
        if (score <= job->threshold) continue;
        const float t[4] = {v[0], v[l.step_value], v[2 * l.step_value], v[3 * l.step_value]};
        float box[4];
        anchored_box(t, s, at, (int)anchor, cell % l.wide, cell / l.wide, &l, job->geometry, box);
        UC_TRY(uc_detect_add(job, box, score, best, *rows + i));
    }
    *rows += 3 * l.wide * l.high;
    return UNCORK_OK;
}

static uncork_status decode_anchored(uc_detect_job *job)
{
    int64_t rows = 0;
    for (int i = 0; i < job->d->level_count; i++) {
        UC_TRY(decode_level(job, i, &rows));
    }
    return UNCORK_OK;
}

const uc_detect_family uc_detect_yolo_raw = {.name = "yolov5_raw",
                                             .library = "YOLOv5",
                                             .recognise = recognise_yolo_raw,
                                             .decode = decode_anchored,
                                             .frame = UC_FRAME_INPUT,
                                             .rule = UC_NMS_TORCHVISION,
                                             .apart = UC_APART_OFFSET,
                                             .before = 30000,
                                             .clip = true,
                                             .threshold = 0.25,
                                             .iou = 0.45,
                                             .most = 1000};

const uc_detect_family uc_detect_yolov3 = {.name = "yolov3",
                                           .library = "darknet",
                                           .recognise = recognise_yolov3,
                                           .decode = decode_anchored,
                                           .frame = UC_FRAME_UNIT,
                                           .rule = UC_NMS_OPENCV,
                                           .apart = UC_APART_CLASSES,
                                           .threshold = 0.25,
                                           .iou = 0.45,
                                           .most = 200};
