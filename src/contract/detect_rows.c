/* Detectors that have left out what overlaps: torchvision's boxes, labels and scores; rows of six;
 * outputs named as TensorRT's EfficientNMS names them; rows of EfficientDet. */
#include "contract/detect_internal.h"

#include <math.h>

/* ---- boxes [N, 4], labels [N] of integers, scores [N] ---- */

static bool same_rows(const uc_detect_model *m, int a, int axis_a, int b, int axis_b)
{
    const int64_t x = uc_model_dim(m, a, axis_a), y = uc_model_dim(m, b, axis_b);
    return x < 0 || y < 0 || x == y;
}

/* The outputs by type and rank; `batch` 1 where they have a batch axis. */
static bool find_labelled(const uc_detect_model *m, uc_detector *d, int batch)
{
    int scores = -1, extra = 0;
    for (int i = 0; i < m->count; i++) {
        const int rank = uc_model_rank(m, i) - batch;
        const bool floats = uc_model_is_float(m, i);
        if (rank == 2 && floats && uc_model_dim(m, i, -1) == 4)
            d->role[UC_ROLE_BOXES] = i;
        else if (rank == 1 && !floats)
            d->role[UC_ROLE_CLASSES] = i;
        else if (rank == 1 && scores < 0)
            scores = i;
        else if (rank == 4 && !batch && uc_model_dim(m, i, 1) == 1)
            d->role[UC_ROLE_MASKS] = i;
        else if (rank == 3 && !batch && uc_model_dim(m, i, -1) == 3)
            d->role[UC_ROLE_KEYPOINTS] = i;
        else if (rank == 2 && !batch)
            d->role[UC_ROLE_KEYPOINT_SCORES] = i;
        else
            extra++;
    }
    d->role[UC_ROLE_SCORES] = scores;
    const int boxes = d->role[UC_ROLE_BOXES], classes = d->role[UC_ROLE_CLASSES];
    return boxes >= 0 && classes >= 0 && scores >= 0 && extra == 0 &&
           same_rows(m, boxes, batch, classes, batch) && same_rows(m, boxes, batch, scores, batch);
}

static bool recognise_torchvision(const uc_detect_model *m, uc_detector *d)
{
    if (m->count < 3 || m->count > 5 || !find_labelled(m, d, 0)) return false;
    d->first_id = 1;
    uc_detect_why(d, "boxes [N, 4], integer labels [N] and scores [N], as torchvision's detectors "
                     "return them: pixels of the input, label 0 is the background");
    return true;
}

static bool recognise_labelled(const uc_detect_model *m, uc_detector *d)
{
    if (m->count != 3 || !find_labelled(m, d, 1)) return false;
    d->first_id = strcmp(uc_model_fact(m, "producer"), "pytorch") == 0 ? 0 : 1;
    uc_detect_why(d, "boxes [1, N, 4], integer labels [1, N] and scores [1, N], nothing overlaps");
    return true;
}

/* Whether boxes lie between 0 and 1: none of a real picture's pixels do. */
static bool are_units(const uc_detect_view *boxes)
{
    for (int64_t r = 0; r < boxes->rows; r++) {
        for (int64_t c = 0; c < 4; c++) {
            if (fabsf(uc_view_at(boxes, r, c)) > 2) return false;
        }
    }
    return boxes->rows > 0;
}

static uncork_status decode_labelled(uc_detect_job *job, bool whole)
{
    uc_detect_view boxes;
    uc_detect_array score, class;
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_BOXES], whole, false, &boxes));
    UC_TRY(uc_detect_array_of(job, job->d->role[UC_ROLE_SCORES], whole, &score));
    UC_TRY(uc_detect_array_of(job, job->d->role[UC_ROLE_CLASSES], whole, &class));
    if (score.count == 0) return UNCORK_OK;
    if (boxes.columns != 4 || score.count != boxes.rows || class.count != boxes.rows)
        return uc_detect_unfit(job, "boxes, labels and scores don't go together");
    if (!whole && are_units(&boxes)) job->frame = UC_FRAME_UNIT;
    for (int64_t r = 0; r < boxes.rows; r++) {
        if (isfinite(score.data[r]) && !(score.data[r] > job->threshold)) continue;
        const float box[4] = {uc_view_at(&boxes, r, 0), uc_view_at(&boxes, r, 1),
                              uc_view_at(&boxes, r, 2), uc_view_at(&boxes, r, 3)};
        const float id = class.data[r];
        UC_TRY(uc_detect_add(job, box, score.data[r], fabsf(id) < 1e9F ? lrintf(id) : -1, r));
    }
    return UNCORK_OK;
}

static uncork_status decode_torchvision(uc_detect_job *job) { return decode_labelled(job, true); }
static uncork_status decode_batched(uc_detect_job *job) { return decode_labelled(job, false); }

/* The mask, which lies over the whole input, at the pixels of the box in the picture. */
static uncork_status cut_mask(uc_detect_job *job, const float *mask, int64_t mh, int64_t mw,
                              uc_detection *d)
{
    const uc_geometry *g = job->geometry;
    /* paste_masks_in_image widens the box by a cell of the mask, of which there are 28 or more. */
    const float mx = (d->box[2] - d->box[0]) / 28 + 1, my = (d->box[3] - d->box[1]) / 28 + 1;
    const float corners[4] = {floorf(d->box[0] - mx), floorf(d->box[1] - my), ceilf(d->box[2] + mx),
                              ceilf(d->box[3] + my)};
    uc_detect_mask *m;
    uint8_t *data = NULL;
    UC_TRY(uc_detect_new_mask(job, corners, &m, &data));
    for (int y = 0; m && y < m->height; y++) {
        const double iy = floor((m->top + y + 0.5) * g->scale_y + g->shift_y);
        for (int x = 0; x < m->width; x++) {
            const double ix = floor((m->left + x + 0.5) * g->scale_x + g->shift_x);
            const bool in = iy >= 0 && ix >= 0 && iy < (double)mh && ix < (double)mw;
            *data++ = in && mask[(int64_t)iy * mw + (int64_t)ix] > 0.5F;
        }
    }
    d->mask = m;
    return UNCORK_OK;
}

static uncork_status torchvision_keypoints(uc_detect_job *job, uc_detections *found)
{
    uc_detect_array a, s = {0};
    UC_TRY(uc_detect_array_of(job, job->d->role[UC_ROLE_KEYPOINTS], true, &a));
    if (job->d->role[UC_ROLE_KEYPOINT_SCORES] >= 0)
        UC_TRY(uc_detect_array_of(job, job->d->role[UC_ROLE_KEYPOINT_SCORES], true, &s));
    if (a.rank != 3 || a.shape[2] != 3 || a.shape[1] < 1 || a.shape[1] > 10000)
        return uc_detect_unfit(job, "the keypoints aren't x, y, visible");
    const int64_t n = a.shape[1];
    found->keypoint_count = (int)n;
    for (size_t i = 0; i < found->count; i++) {
        const int64_t row = job->found[i].row;
        float *points = UC_NEW(job->arena, float, 3 * (size_t)n);
        if (!points) return uc_arena_status(job->arena, job->error);
        for (int64_t k = 0; k < n && row < a.shape[0]; k++) {
            points[3 * k] = a.data[(row * n + k) * 3];
            points[3 * k + 1] = a.data[(row * n + k) * 3 + 1];
            uc_detect_to_picture(job, &points[3 * k], &points[3 * k + 1]);
            points[3 * k + 2] =
                s.count == a.shape[0] * n ? s.data[row * n + k] : a.data[(row * n + k) * 3 + 2];
        }
        found->items[i].keypoints = points;
    }
    return UNCORK_OK;
}

static uncork_status finish_torchvision(uc_detect_job *job, uc_detections *found)
{
    if (job->d->role[UC_ROLE_KEYPOINTS] >= 0) UC_TRY(torchvision_keypoints(job, found));
    if (job->d->role[UC_ROLE_MASKS] < 0) return UNCORK_OK;
    uc_detect_array a;
    UC_TRY(uc_detect_array_of(job, job->d->role[UC_ROLE_MASKS], true, &a));
    if (a.rank != 4 || a.shape[1] != 1)
        return uc_detect_unfit(job, "the masks aren't [N, 1, H, W]");
    for (size_t i = 0; i < found->count; i++) {
        if (job->found[i].row >= a.shape[0]) continue;
        UC_TRY(cut_mask(job, a.data + job->found[i].row * a.shape[2] * a.shape[3], a.shape[2],
                        a.shape[3], &found->items[i]));
    }
    return UNCORK_OK;
}

const uc_detect_family uc_detect_torchvision = {.name = "torchvision",
                                                .library = "torchvision",
                                                .recognise = recognise_torchvision,
                                                .decode = decode_torchvision,
                                                .finish = finish_torchvision,
                                                .frame = UC_FRAME_INPUT,
                                                .rule = UC_NMS_TORCHVISION,
                                                .apart = UC_APART_BATCHED,
                                                .threshold = 0.5,
                                                .most = 300};

const uc_detect_family uc_detect_labelled = {.name = "labelled",
                                             .library = "torchvision",
                                             .recognise = recognise_labelled,
                                             .decode = decode_batched,
                                             .frame = UC_FRAME_INPUT,
                                             .rule = UC_NMS_TORCHVISION,
                                             .apart = UC_APART_BATCHED,
                                             .threshold = 0.5,
                                             .most = 300};

/* ---- num_dets, det_boxes, det_scores, det_classes: TensorRT's EfficientNMS plugin ---- */

static bool recognise_efficient_nms(const uc_detect_model *m, uc_detector *d)
{
    d->role[UC_ROLE_BOXES] = uc_model_named(m, "det_boxes");
    d->role[UC_ROLE_SCORES] = uc_model_named(m, "det_scores");
    d->role[UC_ROLE_CLASSES] = uc_model_named(m, "det_classes");
    d->role[UC_ROLE_COUNT] = uc_model_named(m, "num_dets");
    for (int r = UC_ROLE_BOXES; r <= UC_ROLE_COUNT; r++) {
        if (d->role[r] < 0) return false;
    }
    uc_detect_why(d, "num_dets, det_boxes, det_scores and det_classes, as EfficientNMS names them");
    return true;
}

static uncork_status decode_efficient_nms(uc_detect_job *job)
{
    UC_TRY(decode_labelled(job, false));
    uc_detect_array n;
    UC_TRY(uc_detect_array_of(job, job->d->role[UC_ROLE_COUNT], false, &n));
    if (n.count != 1) return uc_detect_unfit(job, "the number of boxes isn't one number");
    while (job->count && !((float)job->found[job->count - 1].row < n.data[0])) {
        job->count--; /* rows come in order, and those past the number say nothing */
    }
    return UNCORK_OK;
}

const uc_detect_family uc_detect_efficient_nms = {.name = "efficient_nms",
                                                  .library = "TensorRT",
                                                  .recognise = recognise_efficient_nms,
                                                  .decode = decode_efficient_nms,
                                                  .frame = UC_FRAME_INPUT,
                                                  .rule = UC_NMS_TORCHVISION,
                                                  .apart = UC_APART_CLASSES,
                                                  .threshold = 0.25,
                                                  .most = 300};

/* ---- [1, N, 6]: x1, y1, x2, y2, score, class, and what else belongs to a box ---- */

static bool recognise_end2end(const uc_detect_model *m, uc_detector *d)
{
    const int64_t rows = uc_model_dim(m, 0, 1), columns = uc_model_dim(m, 0, 2);
    if (uc_model_rank(m, 0) != 3 || !uc_model_is_float(m, 0)) return false;
    if (rows < 0 || rows > 1000 || columns < 6 || columns > 600) return false;
    const bool protos = m->count == 2 && uc_model_rank(m, 1) == 4;
    const bool pose = strcmp(uc_model_fact(m, "metadata.task"), "pose") == 0 || columns == 57;
    if (m->count > 1 && !protos) return false;
    if (protos && columns - 6 == uc_model_dim(m, 1, 1)) {
        d->mask_coefficients = (int)(columns - 6);
        d->role[UC_ROLE_MASKS] = 1;
    } else if (pose && (columns - 6) % 3 == 0) {
        d->keypoints = (int)(columns - 6) / 3;
        d->keypoint_values = 3;
    } else if (columns != 6) {
        return false;
    }
    d->role[UC_ROLE_BOXES] = 0;
    uc_detect_why(d, "one output of at most 1,000 rows of x1, y1, x2, y2, score, class: YOLOv10, "
                     "YOLO26 and exports with their suppression inside");
    return true;
}

static uncork_status decode_end2end(uc_detect_job *job)
{
    uc_detect_view v;
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_BOXES], false, false, &v));
    if (v.columns < 6) return uc_detect_unfit(job, "rows are shorter than six numbers");
    for (int64_t r = 0; r < v.rows; r++) {
        const float *row = v.data + r * v.row;
        if (isfinite(row[4]) && !(row[4] > job->threshold)) continue;
        UC_TRY(uc_detect_add(job, row, row[4], fabsf(row[5]) < 1e9F ? lrintf(row[5]) : -1, r));
    }
    return UNCORK_OK;
}

const uc_detect_family uc_detect_end2end = {.name = "end2end",
                                            .library = "Ultralytics",
                                            .recognise = recognise_end2end,
                                            .decode = decode_end2end,
                                            .finish = uc_detect_finish_yolo,
                                            .frame = UC_FRAME_INPUT,
                                            .rule = UC_NMS_TORCHVISION,
                                            .apart = UC_APART_OFFSET,
                                            .clip = true,
                                            .threshold = 0.25,
                                            .most = 300};

/* ---- [1, N, 7]: image, ymin, xmin, ymax, xmax, score, class: google/automl EfficientDet ---- */

static bool recognise_efficientdet_rows(const uc_detect_model *m, uc_detector *d)
{
    if (m->count != 1 || uc_model_rank(m, 0) != 3 || uc_model_dim(m, 0, 2) != 7) return false;
    if (uc_model_dim(m, 0, 1) > 1000 || !uc_model_is_float(m, 0)) return false;
    d->role[UC_ROLE_BOXES] = 0;
    d->first_id = 1;
    uc_detect_why(d, "one output of rows of image, ymin, xmin, ymax, xmax, score, class, as "
                     "EfficientDet (google/automl) writes them: pixels of the input, ids from 1");
    return true;
}

static uncork_status decode_efficientdet_rows(uc_detect_job *job)
{
    uc_detect_view v;
    UC_TRY(uc_detect_matrix(job, job->d->role[UC_ROLE_BOXES], false, false, &v));
    if (v.columns != 7) return uc_detect_unfit(job, "rows aren't of seven numbers");
    for (int64_t r = 0; r < v.rows; r++) {
        const float *row = v.data + r * v.row;
        if (isfinite(row[5]) && !(row[5] > job->threshold)) continue;
        const float box[4] = {row[2], row[1], row[4], row[3]};
        UC_TRY(uc_detect_add(job, box, row[5], fabsf(row[6]) < 1e9F ? lrintf(row[6]) : -1, r));
    }
    return UNCORK_OK;
}

const uc_detect_family uc_detect_efficientdet_rows = {.name = "efficientdet_rows",
                                                      .library = "google/automl EfficientDet",
                                                      .recognise = recognise_efficientdet_rows,
                                                      .decode = decode_efficientdet_rows,
                                                      .frame = UC_FRAME_INPUT,
                                                      .rule = UC_NMS_TENSORFLOW,
                                                      .apart = UC_APART_CLASSES,
                                                      .threshold = 0.4,
                                                      .most = 100};
