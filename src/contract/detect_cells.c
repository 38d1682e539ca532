/* Heads that are grids of cells, not decoded yet: YuNet, FastestDet, raw YOLOv3, v4, v5 and v7. */
#include "contract/detect_internal.h"

#include <math.h>

/* ---- YuNet: cls_8, obj_8, bbox_8, kps_8 and so on (OpenCV, face_detect.cpp) ---- */

static const int yunet_strides[] = {8, 16, 32};

static bool recognise_yunet(const uc_detect_model *m, uc_detector *d)
{
    static const char *const names[] = {"cls_8",   "cls_16", "cls_32", "obj_8",
                                        "obj_16",  "obj_32", "bbox_8", "bbox_16",
                                        "bbox_32", "kps_8",  "kps_16", "kps_32"};
    if (m->count != 12) return false;
    for (int i = 0; i < 12; i++) {
        d->levels[i] = uc_model_named(m, names[i]);
        if (d->levels[i] < 0 || !uc_model_is_float(m, d->levels[i])) return false;
    }
    d->level_count = 12;
    d->classes = 1;
    d->keypoints = 5;
    d->keypoint_values = 2;
    uc_detect_why(d, "twelve outputs named cls_8 to kps_32 are YuNet's: faces with five points");
    return true;
}

static float unit(float v) { return v < 0 ? 0 : v > 1 ? 1 : v; }

/* Cells of a level stand row by row; levels one after another make the number of a row. */
static uncork_status yunet_level(uc_detect_job *job, int level, int64_t *rows)
{
    const uc_detector *d = job->d;
    const int64_t stride = yunet_strides[level], wide = job->geometry->input_width / stride,
                  high = job->geometry->input_height / stride;
    uc_detect_array cls, obj, box;
    UC_TRY(uc_detect_array_of(job, d->levels[level], false, &cls));
    UC_TRY(uc_detect_array_of(job, d->levels[3 + level], false, &obj));
    UC_TRY(uc_detect_array_of(job, d->levels[6 + level], false, &box));
    if (cls.count != wide * high || obj.count != cls.count || box.count != 4 * cls.count)
        return uc_detect_unfit(job, "levels don't fit a grid over the input");
    for (int64_t i = 0; i < cls.count; i++) {
        const float score = sqrtf(unit(cls.data[i]) * unit(obj.data[i]));
        if (score <= job->threshold) continue;
        const float *b = box.data + 4 * i, s = (float)stride;
        const float cx = ((float)(i % wide) + b[0]) * s, cy = ((float)(i / wide) + b[1]) * s;
        const float w = expf(b[2]) * s, h = expf(b[3]) * s, x = cx - w / 2, y = cy - h / 2;
        UC_TRY(uc_detect_add(job, (const float[]){x, y, x + w, y + h}, score, 0, *rows + i));
    }
    *rows += cls.count;
    return UNCORK_OK;
}

static uncork_status decode_yunet(uc_detect_job *job)
{
    int64_t rows = 0;
    for (int level = 0; level < 3; level++) {
        UC_TRY(yunet_level(job, level, &rows));
    }
    return UNCORK_OK;
}

static uncork_status finish_yunet(uc_detect_job *job, uc_detections *found)
{
    found->keypoint_count = 5;
    for (size_t i = 0; i < found->count; i++) {
        int64_t row = job->found[i].row, wide = 0;
        int level = 0;
        for (; level < 3; level++) {
            wide = job->geometry->input_width / yunet_strides[level];
            const int64_t cells = wide * (job->geometry->input_height / yunet_strides[level]);
            if (row < cells) break;
            row -= cells;
        }
        uc_detect_array a;
        UC_TRY(uc_detect_array_of(job, job->d->levels[9 + (level < 3 ? level : 2)], false, &a));
        float *points = UC_NEW(job->arena, float, 15);
        if (!points) return uc_arena_status(job->arena, job->error);
        if (level == 3 || a.count < 10 * (row + 1))
            return uc_detect_unfit(job, "there are fewer points than cells");
        for (int k = 0; k < 5; k++) {
            const float s = (float)yunet_strides[level];
            points[3 * k] = (a.data[10 * row + 2 * k] + (float)(row % wide)) * s;
            points[3 * k + 1] = (a.data[10 * row + 2 * k + 1] + (float)(row / wide)) * s;
            points[3 * k + 2] = 1;
            uc_detect_to_picture(job, &points[3 * k], &points[3 * k + 1]);
        }
        found->items[i].keypoints = points;
    }
    return UNCORK_OK;
}

const uc_detect_family uc_detect_yunet = {.name = "yunet",
                                          .library = "OpenCV FaceDetectorYN",
                                          .recognise = recognise_yunet,
                                          .decode = decode_yunet,
                                          .finish = finish_yunet,
                                          .frame = UC_FRAME_INPUT,
                                          .rule = UC_NMS_OPENCV_INT,
                                          .apart = UC_APART_NONE,
                                          .before = 5000,
                                          .threshold = 0.9,
                                          .iou = 0.3,
                                          .most = 5000};

/* ---- FastestDet: one grid [1, 5 + C, H, W] of stride 16 (utils/tool.py, handle_preds) ---- */

static bool recognise_fastestdet(const uc_detect_model *m, uc_detector *d)
{
    if (m->count != 1 || uc_model_rank(m, 0) != 4 || !uc_model_is_float(m, 0)) return false;
    const int64_t c = uc_model_dim(m, 0, 1), h = uc_model_dim(m, 0, 2), w = uc_model_dim(m, 0, 3);
    if (c < 6 || h < 1 || w < 1 || h * 16 != m->input_height || w * 16 != m->input_width)
        return false;
    /* A map of classes has as many planes: this one stands only where their number is known. */
    if (m->labels ? (int64_t)m->labels != c - 5 : c != 85) return false;
    d->role[UC_ROLE_BOXES] = 0;
    d->classes = c - 5;
    uc_detect_why(
        d,
        "one output of 5 + %lld planes, a cell for 16 x 16 pixels: FastestDet (objectness, "
        "box, classes)",
        (long long)d->classes);
    return true;
}

static uncork_status decode_fastestdet(uc_detect_job *job)
{
    uc_detect_array a;
    UC_TRY(uc_detect_array_of(job, job->d->role[UC_ROLE_BOXES], false, &a));
    if (a.rank != 3 || a.shape[0] != 5 + job->d->classes)
        return uc_detect_unfit(job, "the grid has another number of planes");
    const int64_t h = a.shape[1], w = a.shape[2], area = h * w;
    for (int64_t i = 0; i < area; i++) {
        const float *v = a.data + i;
        int64_t best = 0;
        for (int64_t c = 1; c < job->d->classes; c++) {
            if (v[(5 + c) * area] > v[(5 + best) * area]) best = c;
        }
        const float score = powf(v[0], 0.6F) * powf(v[(5 + best) * area], 0.4F);
        if (score <= job->threshold) continue;
        const float bw = uc_detect_sigmoid(v[3 * area]), bh = uc_detect_sigmoid(v[4 * area]);
        const float cx = (tanhf(v[area]) + (float)(i % w)) / (float)w,
                    cy = (tanhf(v[2 * area]) + (float)(i / w)) / (float)h;
        const float box[4] = {cx - 0.5F * bw, cy - 0.5F * bh, cx + 0.5F * bw, cy + 0.5F * bh};
        UC_TRY(uc_detect_add(job, box, score, best, i));
    }
    return UNCORK_OK;
}

const uc_detect_family uc_detect_fastestdet = {.name = "fastestdet",
                                               .library = "FastestDet",
                                               .recognise = recognise_fastestdet,
                                               .decode = decode_fastestdet,
                                               .frame = UC_FRAME_UNIT,
                                               .rule = UC_NMS_TORCHVISION,
                                               .apart = UC_APART_BATCHED,
                                               .threshold = 0.65,
                                               .iou = 0.45,
                                               .most = 200};
