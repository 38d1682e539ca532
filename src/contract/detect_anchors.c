/* Raw heads over generated anchors, [1, N, 4] and [1, N, C]: torchvision's SSD300, SSDLite320 and
 * RetinaNet, SSD of the Object Detection API at 300 x 300, EfficientDet. */
#include "contract/detect_internal.h"

#include <math.h>

/* Anchors as x1, y1, x2, y2. */
typedef struct anchors {
    float (*box)[4];
    int64_t count, capacity;
} anchors;

static bool new_anchors(uc_detect_job *job, int64_t count, anchors *a)
{
    a->box = uc_arena_alloc(job->arena, (size_t)count, sizeof *a->box);
    a->capacity = count;
    a->count = 0;
    return a->box != NULL;
}

static void put(anchors *a, float x1, float y1, float x2, float y2)
{
    if (a->count >= a->capacity) return;
    float *box = a->box[a->count++];
    box[0] = x1;
    box[1] = y1;
    box[2] = x2;
    box[3] = y2;
}

/* ---- recognising ---- */

static bool find_heads(const uc_detect_model *m, uc_detector *d)
{
    if (m->count != 2) return false;
    for (int i = 0; i < 2; i++) {
        if (!uc_model_is_float(m, i) || uc_model_rank(m, i) != 3) return false;
        if (uc_model_dim(m, i, -1) != 4) continue;
        if (d->role[UC_ROLE_BOXES] < 0 || uc_model_says_boxes(m, i)) d->role[UC_ROLE_BOXES] = i;
    }
    if (d->role[UC_ROLE_BOXES] < 0) return false;
    d->role[UC_ROLE_SCORES] = 1 - d->role[UC_ROLE_BOXES];
    d->classes = uc_model_dim(m, d->role[UC_ROLE_SCORES], -1);
    return d->classes > 0 && uc_model_dim(m, d->role[UC_ROLE_BOXES], 1) ==
                                 uc_model_dim(m, d->role[UC_ROLE_SCORES], 1);
}

static bool has_rows(const uc_detect_model *m, uc_detector *d, int64_t rows, int64_t width,
                     int64_t height)
{
    return find_heads(m, d) && uc_model_dim(m, d->role[UC_ROLE_BOXES], 1) == rows &&
           m->input_width == width && m->input_height == height;
}

static bool recognise_ssd(const uc_detect_model *m, uc_detector *d)
{
    if (!has_rows(m, d, 8732, 300, 300) || d->classes < 2) return false;
    d->first_id = 1;
    uc_detect_why(d, "8732 boxes over 300 x 300 pixels are the default boxes of SSD300 as "
                     "torchvision makes them; softmax, class 0 is the background");
    return true;
}

static bool recognise_ssdlite(const uc_detect_model *m, uc_detector *d)
{
    if (!has_rows(m, d, 3234, 320, 320) || d->classes < 2) return false;
    d->first_id = 1;
    uc_detect_why(d, "3234 boxes over 320 x 320 pixels are the default boxes of SSDLite as "
                     "torchvision makes them; softmax, class 0 is the background");
    return true;
}

static bool recognise_ssd_od(const uc_detect_model *m, uc_detector *d)
{
    if (!has_rows(m, d, 1917, 300, 300) || d->classes < 2) return false;
    d->first_id = 1;
    uc_detect_why(d,
                  "1917 boxes over 300 x 300 pixels are the anchors of SSD with MobileNet in the "
                  "Object Detection API; sigmoid, class 0 is the background");
    return true;
}

/* Nine anchors a cell over five levels: RetinaNet and EfficientDet alike. */
static bool has_pyramid(const uc_detect_model *m, uc_detector *d)
{
    static const int strides[] = {8, 16, 32, 64, 128};
    const int64_t cells = uc_model_cells(m, strides, 5);
    return find_heads(m, d) && cells && uc_model_dim(m, d->role[UC_ROLE_BOXES], 1) == 9 * cells;
}

static bool says_efficientdet(const uc_detect_model *m)
{
    return uc_model_named(m, "classification") >= 0 || uc_model_named(m, "class_outputs") >= 0 ||
           uc_model_named(m, "box_outputs") >= 0;
}

static bool recognise_retinanet(const uc_detect_model *m, uc_detector *d)
{
    if (!has_pyramid(m, d) || says_efficientdet(m)) return false;
    if (d->classes == 90 && uc_model_named(m, "cls_logits") < 0) return false; /* EfficientDet */
    d->first_id = m->labels && (int64_t)m->labels == d->classes ? 0 : 1;
    uc_detect_why(
        d,
        "nine boxes a cell over five levels and %lld logits: RetinaNet as torchvision makes "
        "its anchors",
        (long long)d->classes);
    return true;
}

static bool recognise_efficientdet(const uc_detect_model *m, uc_detector *d)
{
    if (!has_pyramid(m, d)) return false;
    d->first_id = 1;
    uc_detect_why(
        d,
        "nine boxes a cell over five levels and %lld logits: EfficientDet, ty, tx, th, tw, "
        "ids from 1",
        (long long)d->classes);
    return true;
}

/* ---- anchors ---- */

/* torchvision/models/detection/anchor_utils.py, DefaultBoxGenerator: two squares and two boxes a
 * ratio. */
static void default_boxes(anchors *a, int cells, double step_count, double scale, double next,
                          int ratios, float size)
{
    const double between = sqrt(scale * next);
    float w[6] = {(float)scale, (float)between}, h[6] = {(float)scale, (float)between};
    for (int r = 0; r < ratios; r++) {
        const double root = sqrt(2.0 + r);
        w[2 + 2 * r] = h[3 + 2 * r] = (float)(scale * root);
        h[2 + 2 * r] = w[3 + 2 * r] = (float)(scale / root);
    }
    for (int i = 0; i < cells * cells; i++) {
        const float x = ((float)(i % cells) + 0.5F) / (float)step_count,
                    y = ((float)(i / cells) + 0.5F) / (float)step_count;
        for (int k = 0; k < 2 + 2 * ratios; k++) {
            const float bw = fminf(w[k], 1), bh = fminf(h[k], 1);
            put(a, (x - 0.5F * bw) * size, (y - 0.5F * bh) * size, (x + 0.5F * bw) * size,
                (y + 0.5F * bh) * size);
        }
    }
}

static bool anchors_ssd(uc_detect_job *job, anchors *a)
{
    static const int cells[] = {38, 19, 10, 5, 3, 1}, steps[] = {8, 16, 32, 64, 100, 300},
                     ratios[] = {1, 2, 2, 2, 1, 1};
    static const double scales[] = {0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05};
    if (!new_anchors(job, 8732, a)) return false;
    for (int k = 0; k < 6; k++) {
        default_boxes(a, cells[k], 300.0 / steps[k], scales[k], scales[k + 1], ratios[k], 300);
    }
    return true;
}

static bool anchors_ssdlite(uc_detect_job *job, anchors *a)
{
    static const int cells[] = {20, 10, 5, 3, 2, 1};
    double scales[7];
    if (!new_anchors(job, 3234, a)) return false;
    for (int k = 0; k < 6; k++) {
        scales[k] = 0.2 + (0.95 - 0.2) * k / 5.0;
    }
    scales[6] = 1;
    for (int k = 0; k < 6; k++) {
        default_boxes(a, cells[k], cells[k], scales[k], scales[k + 1], 2, 320);
    }
    return true;
}

/* object_detection/anchor_generators/multiple_grid_anchor_generator.py, create_ssd_anchors with its
 * defaults: scales 0.2 to 0.95, ratios 1, 2, 1/2, 3, 1/3, three boxes in the lowest layer. */
static bool anchors_ssd_od(uc_detect_job *job, anchors *a)
{
    static const int cells[] = {19, 10, 5, 3, 2, 1};
    static const double ratios[] = {1, 2, 0.5, 3, 0.3333};
    if (!new_anchors(job, 1917, a)) return false;
    for (int k = 0; k < 6; k++) {
        const double scale = 0.2 + (0.95 - 0.2) * k / 5.0,
                     next = k == 5 ? 1.0 : 0.2 + (0.95 - 0.2) * (k + 1) / 5.0;
        float w[6], h[6];
        const int count = k ? 6 : 3;
        for (int r = 0; r < count; r++) {
            const double s = k == 0 && r == 0 ? 0.1 : r == 5 ? sqrt(scale * next) : scale;
            const float root = sqrtf((float)(r == 5 ? 1.0 : ratios[r]));
            w[r] = (float)s * root;
            h[r] = (float)s / root;
        }
        const float stride = 1.0F / (float)cells[k], offset = 0.5F * stride;
        for (int i = 0; i < cells[k] * cells[k]; i++) {
            const float x = (float)(i % cells[k]) * stride + offset,
                        y = (float)(i / cells[k]) * stride + offset;
            for (int r = 0; r < count; r++) {
                put(a, x - 0.5F * w[r], y - 0.5F * h[r], x + 0.5F * w[r], y + 0.5F * h[r]);
            }
        }
    }
    return true;
}

static int64_t cells_of(const uc_geometry *g, int stride)
{
    return (int64_t)((g->input_width + stride - 1) / stride) *
           ((g->input_height + stride - 1) / stride);
}

static int64_t pyramid_rows(const uc_geometry *g)
{
    int64_t cells = 0;
    for (int stride = 8; stride <= 128; stride *= 2) {
        cells += cells_of(g, stride);
    }
    return 9 * cells;
}

/* AnchorGenerator of torchvision: sides rounded to whole pixels (halves to even), corners on cells'
 * upper left. */
static bool anchors_retinanet(uc_detect_job *job, anchors *a)
{
    static const int sizes[5][3] = {
        {32, 40, 50}, {64, 80, 101}, {128, 161, 203}, {256, 322, 406}, {512, 645, 812}};
    static const float ratios[] = {0.5F, 1, 2};
    const uc_geometry *g = job->geometry;
    if (!new_anchors(job, pyramid_rows(g), a)) return false;
    for (int k = 0, stride = 8; k < 5; k++, stride *= 2) {
        const int wide = (g->input_width + stride - 1) / stride,
                  high = (g->input_height + stride - 1) / stride;
        const int step_x = g->input_width / wide, step_y = g->input_height / high;
        for (int i = 0; i < wide * high; i++) {
            const float x = (float)(i % wide * step_x), y = (float)(i / wide * step_y);
            for (int b = 0; b < 9; b++) {
                const float root = sqrtf(ratios[b / 3]), size = (float)sizes[k][b % 3];
                const float w = nearbyintf(1 / root * size / 2), h = nearbyintf(root * size / 2);
                put(a, x - w, y - h, x + w, y + h);
            }
        }
    }
    return true;
}

/* effdet/anchors.py, after google/automl: 4 strides times 2^(0, 1/3, 2/3), ratios 1:1, 1.4:0.7 and
 * 0.7:1.4, around the middle of a cell. */
static bool anchors_efficientdet(uc_detect_job *job, anchors *a)
{
    static const double ratios[3][2] = {{1, 1}, {1.4, 0.7}, {0.7, 1.4}};
    const uc_geometry *g = job->geometry;
    if (!new_anchors(job, pyramid_rows(g), a)) return false;
    for (int stride = 8; stride <= 128; stride *= 2) {
        const int wide = (g->input_width + stride - 1) / stride,
                  high = (g->input_height + stride - 1) / stride;
        const double step_x = (double)g->input_width / wide,
                     step_y = (double)g->input_height / high;
        for (int i = 0; i < wide * high; i++) {
            const double x = step_x / 2 + i % wide * step_x, y = step_y / 2 + i / wide * step_y;
            for (int b = 0; b < 9; b++) {
                const double size = 4 * pow(2, b / 3 / 3.0);
                const double w = size * step_x * ratios[b % 3][0] / 2,
                             h = size * step_y * ratios[b % 3][1] / 2;
                put(a, (float)(x - w), (float)(y - h), (float)(x + w), (float)(y + h));
            }
        }
    }
    return true;
}

/* ---- boxes ---- */

/* BoxCoder.decode_single of torchvision/models/detection/_utils.py; weights divide the code. */
static void decode_box(const float *anchor, const float code[4], float centre, float side,
                       float box[4])
{
    const float limit = 4.135166556742356F; /* log(1000 / 16) */
    const float w = anchor[2] - anchor[0], h = anchor[3] - anchor[1];
    const float x = anchor[0] + 0.5F * w, y = anchor[1] + 0.5F * h;
    const float dw = code[2] / side, dh = code[3] / side;
    const float cx = code[0] / centre * w + x, cy = code[1] / centre * h + y;
    const float pw = expf(dw > limit ? limit : dw) * w, ph = expf(dh > limit ? limit : dh) * h;
    box[0] = cx - 0.5F * pw;
    box[1] = cy - 0.5F * ph;
    box[2] = cx + 0.5F * pw;
    box[3] = cy + 0.5F * ph;
}

static void clip(const uc_geometry *g, float box[4])
{
    for (int k = 0; k < 4; k++) {
        const float most = (float)(k % 2 ? g->input_height : g->input_width);
        box[k] = box[k] < 0 ? 0 : box[k] > most ? most : box[k];
    }
}

typedef struct heads {
    uc_detect_view boxes, scores;
    anchors a;
} heads;

static uncork_status open_heads(uc_detect_job *job, bool (*make)(uc_detect_job *, anchors *),
                                heads *h)
{
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_BOXES], false, false, &h->boxes));
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_SCORES], false, false, &h->scores));
    if (!make(job, &h->a)) return uc_arena_status(job->arena, job->error);
    if (h->boxes.columns != 4 || h->boxes.rows != h->a.count || h->scores.rows != h->a.count ||
        h->scores.columns != job->d->classes) {
        return uc_detect_unfit(job, "there are other boxes than anchors");
    }
    return UNCORK_OK;
}

static uncork_status decode_ssd_with(uc_detect_job *job, bool (*make)(uc_detect_job *, anchors *),
                                     size_t most)
{
    heads h;
    UC_TRY(open_heads(job, make, &h));
    float *sums = UC_NEW(job->arena, float, 2 * (size_t)h.scores.rows);
    if (!sums) return uc_arena_status(job->arena, job->error);
    for (int64_t r = 0; r < h.scores.rows; r++) { /* softmax: the largest and the sum */
        const float *x = h.scores.data + r * h.scores.row;
        float largest = x[0], sum = 0;
        for (int64_t c = 1; c < h.scores.columns; c++) {
            if (!(x[c] <= largest)) largest = x[c];
        }
        for (int64_t c = 0; c < h.scores.columns; c++) {
            sum += expf(x[c] - largest);
        }
        sums[2 * r] = largest;
        sums[2 * r + 1] = sum;
    }
    for (int64_t c = 1; c < h.scores.columns; c++) {
        const size_t begin = job->count;
        for (int64_t r = 0; r < h.scores.rows; r++) {
            const float score = expf(uc_view_at(&h.scores, r, c) - sums[2 * r]) / sums[2 * r + 1];
            if (score <= job->threshold) continue;
            float box[4];
            decode_box(h.a.box[r], h.boxes.data + r * h.boxes.row, 10, 5, box);
            clip(job->geometry, box);
            UC_TRY(uc_detect_add(job, box, score, c, r));
        }
        uc_detect_best(job, begin, most);
    }
    return UNCORK_OK;
}

static uncork_status decode_ssd(uc_detect_job *job)
{
    return decode_ssd_with(job, anchors_ssd, 400);
}

static uncork_status decode_ssdlite(uc_detect_job *job)
{
    return decode_ssd_with(job, anchors_ssdlite, 300);
}

/* faster_rcnn_box_coder.py: ty, tx, th, tw over 10, 10, 5, 5. */
static uncork_status decode_ssd_od(uc_detect_job *job)
{
    heads h;
    UC_TRY(open_heads(job, anchors_ssd_od, &h));
    for (int64_t r = 0; r < h.scores.rows; r++) {
        const float *t = h.boxes.data + r * h.boxes.row, *a = h.a.box[r];
        const float w = a[2] - a[0], high = a[3] - a[1];
        const float xywh[4] = {t[1] / 10 * w + (a[0] + w / 2), t[0] / 10 * high + (a[1] + high / 2),
                               expf(t[3] / 5) * w, expf(t[2] / 5) * high};
        float box[4];
        uc_detect_corners(xywh, box);
        for (int k = 0; k < 4; k++) { /* to the window, which is the whole picture */
            box[k] = box[k] < 0 ? 0 : box[k] > 1 ? 1 : box[k];
        }
        for (int64_t c = 1; c < h.scores.columns; c++) {
            const float score = uc_detect_sigmoid(uc_view_at(&h.scores, r, c));
            if (score <= job->threshold) continue;
            UC_TRY(uc_detect_add(job, box, score, c, r));
        }
    }
    return UNCORK_OK;
}

static uncork_status decode_retinanet(uc_detect_job *job)
{
    heads h;
    UC_TRY(open_heads(job, anchors_retinanet, &h));
    int64_t r = 0;
    for (int stride = 8; stride <= 128; stride *= 2) {
        const size_t begin = job->count;
        for (const int64_t end = r + 9 * cells_of(job->geometry, stride); r < end; r++) {
            for (int64_t c = 0; c < h.scores.columns; c++) {
                const float score = uc_detect_sigmoid(uc_view_at(&h.scores, r, c));
                if (score <= job->threshold) continue;
                float box[4];
                decode_box(h.a.box[r], h.boxes.data + r * h.boxes.row, 1, 1, box);
                clip(job->geometry, box);
                UC_TRY(uc_detect_add(job, box, score, c, r));
            }
        }
        uc_detect_best(job, begin, 1000); /* topk_candidates */
    }
    return UNCORK_OK;
}

/* effdet/bench.py: the 5,000 best pairs of box and class. Scores that are probabilities already lie
 * between 0 and 1. */
static uncork_status decode_efficientdet(uc_detect_job *job)
{
    heads h;
    UC_TRY(open_heads(job, anchors_efficientdet, &h));
    bool logits = false;
    for (int64_t i = 0; i < h.scores.rows * h.scores.columns && !logits; i++) {
        logits = h.scores.data[i] < 0 || h.scores.data[i] > 1;
    }
    for (int64_t r = 0; r < h.scores.rows; r++) {
        for (int64_t c = 0; c < h.scores.columns; c++) {
            const float v = uc_view_at(&h.scores, r, c);
            const float score = logits ? uc_detect_sigmoid(v) : v;
            if (score <= job->threshold) continue;
            const float *t = h.boxes.data + r * h.boxes.row, *a = h.a.box[r];
            const float w = a[2] - a[0], high = a[3] - a[1];
            const float xywh[4] = {t[1] * w + (a[0] + a[2]) / 2, t[0] * high + (a[1] + a[3]) / 2,
                                   expf(t[3]) * w, expf(t[2]) * high};
            float box[4];
            uc_detect_corners(xywh, box);
            clip(job->geometry, box);
            UC_TRY(uc_detect_add(job, box, score, c + 1, r));
        }
    }
    uc_detect_best(job, 0, 5000);
    return UNCORK_OK;
}

#define TORCHVISION(symbol, shown, iou_, most_)                                   \
    const uc_detect_family uc_detect_##symbol = {.name = (shown),                 \
                                                 .library = "torchvision",        \
                                                 .recognise = recognise_##symbol, \
                                                 .decode = decode_##symbol,       \
                                                 .frame = UC_FRAME_INPUT,         \
                                                 .rule = UC_NMS_TORCHVISION,      \
                                                 .apart = UC_APART_BATCHED,       \
                                                 .threshold = 0.5,                \
                                                 .iou = (iou_),                   \
                                                 .most = (most_)}
TORCHVISION(ssd, "ssd", 0.45, 200);
TORCHVISION(ssdlite, "ssdlite", 0.55, 300);
TORCHVISION(retinanet, "retinanet", 0.5, 300);

const uc_detect_family uc_detect_ssd_od = {.name = "ssd_od_api",
                                           .library = "TensorFlow Object Detection API",
                                           .recognise = recognise_ssd_od,
                                           .decode = decode_ssd_od,
                                           .frame = UC_FRAME_UNIT,
                                           .rule = UC_NMS_TENSORFLOW,
                                           .apart = UC_APART_CLASSES,
                                           .threshold = 0.5,
                                           .iou = 0.6,
                                           .most = 100};

const uc_detect_family uc_detect_efficientdet = {.name = "efficientdet",
                                                 .library = "effdet",
                                                 .recognise = recognise_efficientdet,
                                                 .decode = decode_efficientdet,
                                                 .frame = UC_FRAME_INPUT,
                                                 .rule = UC_NMS_TORCHVISION,
                                                 .apart = UC_APART_BATCHED,
                                                 .threshold = 0.4,
                                                 .iou = 0.5,
                                                 .most = 100};
